package questions_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/triage"
	"github.com/lamina-sec/lamina/questions"
)

// Each question's testdata/ID.txtar holds records as NAME.json and NAME.golden,
// the answer of an analyst who was told of the organisation and of one who was
// not. The records are written after CloudTrail's shapes, not recorded.
func TestGolden(t *testing.T) {
	told := estate.NewOrg("o-exampleorgid", []string{"111122223333", "444455556666"}, func(a string) bool { return a == "123456789012" })
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
				for _, org := range []estate.Org{told, estate.NewOrg("", nil, nil)} {
					for _, answer := range triage.Run([]triage.Question{q}, lamina.Alert{ID: "A-TEST", Raw: in.Data}, nil, org) {
						line, err := json.Marshal(answer)
						if err != nil {
							t.Fatal(err)
						}
						got.Write(append(line, '\n'))
					}
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
