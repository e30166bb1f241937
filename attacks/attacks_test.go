package attacks_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/attacks"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awswrite"
	"github.com/lamina-sec/lamina/internal/validate"
)

// Each attack's testdata/ID.txtar holds the names, outcomes and parameters of
// the records it leaves on the fake AWS. Reverting must restore the state.
func TestGolden(t *testing.T) {
	caller := awsfake.Caller{Account: "111122223333", Role: "intruder", Session: "test", SourceIP: "198.51.100.7", UserAgent: "aws-cli/2.15"}
	for _, a := range attacks.All {
		t.Run(a.ID, func(t *testing.T) {
			f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
			s := f.As(caller, "eu-west-1")
			in := awsfake.PublishLayerVersionInput{LayerName: "target"}
			in.Content.ZipFile = []byte("zip")
			arn, err := s.PublishLayerVersion(in)
			if err != nil {
				t.Fatal(err)
			}
			called := map[string]bool{}
			f.Deny(func(c awsfake.Call) bool { called[c.Action] = true; return false })
			http, id, secret := f.Client(caller)
			w := awswrite.New(awswrite.Options{Region: "eu-west-1", AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1})
			r, err := validate.Run(t.Context(), a, validate.Lab{
				Target: validate.Target{Layer: arn, Do: w.Do},
				State: func(context.Context) (string, error) {
					policy, _, err := f.As(caller, "eu-west-1").GetLayerVersionPolicy("target", 1)
					if err != nil && !strings.Contains(err.Error(), "No policy") {
						return "", err
					}
					return policy, nil
				},
				Records: func() [][]byte {
					var raw [][]byte
					for _, e := range f.Trail() {
						if !strings.Contains(string(e.Raw), `"readOnly":true`) {
							raw = append(raw, e.Raw)
						}
					}
					return raw
				},
				Fired: func([][]byte) ([]string, error) { return a.Expect, nil }, // the rules themselves are proved where they are
			})
			if err != nil || r.Outcome != lamina.Pass || !r.Restored {
				t.Fatalf("%+v, %v", r, err)
			}
			delete(called, "lambda:GetLayerVersionPolicy") // the test's own
			for _, action := range a.Needs {
				if !called[action] {
					t.Errorf("needs %s and does not call it", action)
				}
				delete(called, action)
			}
			if len(called) > 0 {
				t.Errorf("calls %v, which it does not say it needs", called)
			}
			var got strings.Builder
			for _, raw := range r.Records {
				var rec struct {
					EventName, ErrorCode string
					RequestParameters    json.RawMessage
				}
				if err := json.Unmarshal(raw, &rec); err != nil {
					t.Fatal(err)
				}
				got.WriteString(strings.TrimSpace(rec.EventName+" "+rec.ErrorCode) + " " + string(rec.RequestParameters) + "\n")
			}
			file := filepath.Join("testdata", a.ID+".txtar")
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("LAMINA_UPDATE") != "" {
				ar.Files[0].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(ar.Files[0].Data), got.String()); d != "" {
				t.Errorf("records differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", d)
			}
		})
	}
}
