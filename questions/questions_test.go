package questions_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/triage"
	"github.com/lamina-sec/lamina/questions"
)

// Each question's testdata/ID.txtar holds records as NAME.json and NAME.golden,
// the answer of an analyst who was told of the organisation and has a snapshot
// of it, and of one who was not and has none. The records are written after CloudTrail's shapes, not recorded.
func TestGolden(t *testing.T) {
	told := estate.NewOrg("o-exampleorgid", []string{"111122223333", "444455556666"}, func(a string) bool { return a == "123456789012" })
	layer := func(name string, grants ...lamina.Grant) lamina.LayerVersion {
		return lamina.LayerVersion{
			ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:" + name, Account: "111122223333", Region: "eu-west-1",
			Policy: &lamina.LayerPolicy{RevisionID: "r-1", Grants: grants},
		}
	}
	unread := layer("acme-unread:1")
	unread.Policy = nil
	est := estate.New(lamina.Snapshot{
		Taken: time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC), Layers: []lamina.LayerVersion{
			layer("acme-auth:7", lamina.Grant{StatementID: "share", Principal: "*"}, lamina.Grant{StatementID: "root", Principal: "444455556666"}), unread,
		},
		Targets: []lamina.Target{{Account: "111122223333", Region: "eu-west-1", Gaps: []lamina.Gap{
			{Action: "lambda:GetLayerVersionPolicy", Resources: []string{unread.ARN}, Reason: "denied"},
		}}},
	}, nil)
	for _, q := range questions.All {
		t.Run(q.ID, func(t *testing.T) {
			file := filepath.Join("testdata", q.ID+".txtar")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i+1 < len(a.Files); i += 2 {
				in, out := a.Files[i], &a.Files[i+1]
				var got strings.Builder
				alert := lamina.Alert{ID: "A-TEST", Raw: in.Data}
				answers := triage.Run([]triage.Question{q}, alert, est, told)
				answers = append(answers, triage.Run([]triage.Question{q}, alert, nil, estate.NewOrg("", nil, nil))...)
				for _, answer := range answers {
					line, err := json.Marshal(answer)
					if err != nil {
						t.Fatal(err)
					}
					got.Write(append(line, '\n'))
				}
				if os.Getenv("LAMINA_UPDATE") != "" {
					out.Data = []byte(got.String())
				}
				if d := cmp.Diff(string(out.Data), got.String()); d != "" {
					t.Errorf("%s: answers differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", in.Name, d)
				}
			}
			if os.Getenv("LAMINA_UPDATE") != "" {
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func FuzzAll(f *testing.F) {
	f.Add([]byte(`{"eventID":"e","eventName":"AddLayerVersionPermission20181031","recipientAccountId":"111122223333","requestParameters":{"principal":"*"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, a := range triage.Run(questions.All, lamina.Alert{Raw: raw}, nil, estate.Org{}) {
			if !a.Outcome.Valid() || strings.Contains(a.Settle, "defect") {
				t.Errorf("%+v", a)
			}
		}
	})
}

// When events tell how long the grant stood, the answer says so, also without a
// snapshot; a grant that was made again later is no answer.
func TestStillGranted_window(t *testing.T) {
	raw := `{"eventID":"e-1","eventName":"AddLayerVersionPermission20181031","eventTime":"2026-06-18T13:02:11Z","awsRegion":"eu-west-1",` +
		`"recipientAccountId":"111122223333","requestParameters":{"layerName":"acme-auth","versionNumber":7,"principal":"*","statementId":"share"}}`
	from := time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)
	est := func(grants ...lamina.Grant) *estate.Estate {
		return estate.New(lamina.Snapshot{
			Taken:   from.Add(time.Hour),
			Targets: []lamina.Target{{Account: "111122223333", Region: "eu-west-1", Read: []string{"lambda:GetLayerVersionPolicy"}}},
			Layers: []lamina.LayerVersion{{
				ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7", Account: "111122223333", Region: "eu-west-1",
				Policy: &lamina.LayerPolicy{RevisionID: "r-1", Grants: grants},
			}},
		}, nil)
	}
	removed := &lamina.GrantWindow{StatementID: "share", From: from, Until: from.Add(time.Minute), Ending: "removed", UntilEvent: "e-2"}
	for _, tc := range []struct {
		name    string
		window  *lamina.GrantWindow
		estate  *estate.Estate
		outcome lamina.Outcome
		text    string
	}{
		{"removed", removed, nil, lamina.Pass, "no: it stood for 1m0s, until 2026-06-18T13:03:11Z: removed by event e-2"},
		{"removed_and_snapshot", removed, est(), lamina.Pass, "no: statement share is not in the policy any more; it stood for 1m0s, until 2026-06-18T13:03:11Z: removed by event e-2"},
		{"deleted", &lamina.GrantWindow{From: from, Until: from.Add(time.Minute), Ending: "version_deleted", UntilEvent: "e-3"}, nil, lamina.Pass, "no: it stood for 1m0s, until 2026-06-18T13:03:11Z: the layer version was deleted by event e-3"},
		{"again", &lamina.GrantWindow{From: from, Until: from.Add(time.Minute), Ending: "unseen", UntilEvent: "e-4"}, nil, lamina.Unknown, "not known"},
		{"open", &lamina.GrantWindow{From: from, Ending: "open"}, nil, lamina.Unknown, "not known"},
		{"open_and_snapshot", &lamina.GrantWindow{From: from, Ending: "open"}, est(lamina.Grant{StatementID: "share", Principal: "*"}), lamina.Fail, "yes: statement share stands at revision r-1, since 2026-06-18T13:02:11Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := triage.Run([]triage.Question{questions.StillGranted}, lamina.Alert{Raw: []byte(raw), Grant: tc.window}, tc.estate, estate.NewOrg("", nil, nil))[0]
			if got.Outcome != tc.outcome || got.Text != tc.text {
				t.Errorf("got %s %q, want %s %q", got.Outcome, got.Text, tc.outcome, tc.text)
			}
		})
	}
}
