package checks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// Each check's testdata/ID.txtar holds estates as NAME.estate (estate_test.go
// says how they are written) and NAME.golden, what the check makes of each: a
// line a finding.
func TestGolden(t *testing.T) {
	registry := builtin(t)
	for _, c := range checks.All {
		t.Run(c.ID, func(t *testing.T) {
			file := filepath.Join("testdata", c.ID+".txtar")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[lamina.Outcome]bool{}
			for i := 0; i+1 < len(a.Files); i += 2 {
				text := string(a.Files[i].Data)
				var got strings.Builder
				vendor := func(account string) bool { _, ok := registry.Account(account); return ok }
				in := beside(t, text)
				in.Estate, in.Contents = estate.New(parseEstate(t, text), vendor), parseContents(t, text)
				for _, f := range posture.Run([]posture.Check{c}, in) {
					seen[f.Outcome] = true
					got.WriteString(line(f))
				}
				if os.Getenv("LAMINA_UPDATE") != "" {
					a.Files[i+1].Data = []byte(got.String())
					if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if d := cmp.Diff(string(a.Files[i+1].Data), got.String()); d != "" {
					t.Errorf("%s: findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", a.Files[i].Name, d)
				}
			}
			if !seen[lamina.Fail] && c.ID != "layer-not-read" && c.ID != "path-undecided" || !seen[lamina.Unknown] || !seen[lamina.Pass] && !seen[lamina.NotApplicable] {
				t.Errorf("want estates that fail, that pass and of which something is not known: %v", seen)
			}
		})
	}
}

// line is a finding in a golden file.
func line(f lamina.Finding) string {
	s := fmt.Sprintf("%s %s %s: %s", f.Outcome, f.Severity, f.Resource, f.Detail)
	if len(f.Evidence) > 0 {
		s += " [" + strings.Join(f.Evidence, "; ") + "]"
	}
	if f.Reason != "" {
		s += " (" + f.Reason + "; " + f.Settle + ")"
	}
	return s + "\n"
}

// With an action that a check needs denied everywhere, nothing passes; without
// one it uses, nothing passes that did not pass with it. What the action had
// told is taken out of the estate.
func TestWithoutAction(t *testing.T) {
	for _, c := range checks.All {
		a, err := txtar.ParseFile(filepath.Join("testdata", c.ID+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(a.Files); i += 2 {
			text := string(a.Files[i].Data)
			in, contents := beside(t, text), parseContents(t, text)
			outcomes := func(s lamina.Snapshot) map[string]lamina.Outcome {
				all := map[string]lamina.Outcome{}
				in.Estate, in.Contents = estate.New(s, nil), described(s, contents)
				for _, f := range posture.Run([]posture.Check{c}, in) {
					all[f.ID] = f.Outcome
					for _, m := range f.Members {
						all[m.ID] = f.Outcome
					}
				}
				return all
			}
			before := outcomes(parseEstate(t, text))
			for _, action := range slices.Concat(c.Needs, c.Uses) {
				s := parseEstate(t, text)
				without(&s, action)
				unknown := false
				for id, o := range outcomes(s) {
					unknown = unknown || o == lamina.Unknown
					if o == lamina.Pass && (before[id] != lamina.Pass || slices.Contains(c.Needs, action)) {
						t.Errorf("%s, %s without %s: %s passes", c.ID, a.Files[i].Name, action, id)
					}
				}
				if !unknown && slices.Contains(c.Needs, action) {
					t.Errorf("%s, %s without %s: nothing is unknown", c.ID, a.Files[i].Name, action)
				}
			}
		}
	}
}
