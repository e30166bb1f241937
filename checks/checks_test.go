package checks_test

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
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// Each check's testdata/ID.txtar holds snapshot.json and the findings that the
// check makes of it, one a line.
func TestGolden(t *testing.T) {
	for _, c := range checks.All {
		t.Run(c.ID, func(t *testing.T) {
			file := filepath.Join("testdata", c.ID+".txtar")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s lamina.Snapshot
			if err := json.Unmarshal(a.Files[0].Data, &s); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range posture.Run([]posture.Check{c}, posture.Input{Estate: estate.New(s, nil)}) {
				line, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(append(line, '\n'))
			}
			if os.Getenv("LAMINA_UPDATE") != "" {
				a.Files[1].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(a.Files[1].Data), got.String()); d != "" {
				t.Errorf("findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", d)
			}
		})
	}
}

// With any of the permissions that a check needs taken away, something is
// UNKNOWN and nothing passes that did not pass before.
func TestPermissionDropOut(t *testing.T) {
	caller := awsfake.Caller{Account: "111122223333", Role: "collect", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}
	f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	s := f.As(caller, "eu-west-1")
	for _, name := range []string{"closed", "open"} {
		in := awsfake.PublishLayerVersionInput{LayerName: name}
		in.Content.ZipFile = []byte("zip")
		if _, err := s.PublishLayerVersion(in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: "open", VersionNumber: 1, StatementID: "s", Action: "lambda:GetLayerVersion", Principal: "*",
	}); err != nil {
		t.Fatal(err)
	}
	http, id, secret := f.Client(caller)
	session := awsread.New(awsread.Options{Region: "eu-west-1", AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1})
	findings := func(denied string) map[string]lamina.Outcome {
		f.Deny(func(c awsfake.Call) bool { return c.Action == denied })
		snap, err := collect.Collect(t.Context(), collect.Options{Now: f.Now(), Accounts: []collect.Account{
			{ID: caller.Account, Session: session, Regions: []string{"eu-west-1"}, Home: "eu-west-1"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]lamina.Outcome{}
		for _, x := range posture.Run(checks.All, posture.Input{Estate: estate.New(snap, nil)}) {
			out[x.Check+" "+x.Resource] = x.Outcome
		}
		return out
	}
	all := findings("")
	if n := count(all, "", lamina.Unknown); n > 0 {
		t.Fatalf("%d unknown with all permissions: %v", n, all)
	}
	for _, c := range checks.All {
		for _, action := range c.Needs {
			got := findings(action)
			if count(got, c.ID, lamina.Unknown) == 0 {
				t.Errorf("%s without %s: nothing is unknown: %v", c.ID, action, got)
			}
			for resource, outcome := range got {
				if outcome == lamina.Pass && all[resource] != lamina.Pass {
					t.Errorf("%s without %s: %s passes", c.ID, action, resource)
				}
			}
		}
	}
}

func count(findings map[string]lamina.Outcome, check string, o lamina.Outcome) int {
	n := 0
	for key, outcome := range findings {
		if outcome == o && strings.HasPrefix(key, check) {
			n++
		}
	}
	return n
}
