package rules_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

func load(t *testing.T) []*rule.Rule {
	t.Helper()
	all, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestList_is_complete(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.toml", "*.md", "testdata/*.txtar"} {
		names, err := fs.Glob(rules.FS, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			files = append(files, strings.TrimSuffix(path.Base(n), path.Ext(n)))
			if !slices.Contains(rules.List, files[len(files)-1]) {
				t.Errorf("%s belongs to no rule of List: add %q to rules.go", n, files[len(files)-1])
			}
		}
	}
	for _, id := range rules.List {
		n := 0
		for _, f := range files {
			if f == id {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%s has %d of the files ID.toml, ID.md, testdata/ID.txtar", id, n)
		}
	}
	sorted := slices.Sorted(slices.Values(rules.List))
	if len(slices.Compact(sorted)) != len(rules.List) {
		t.Error("List has an id twice")
	}
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestRules_are_ours(t *testing.T) {
	seen := map[string]string{}
	for i, r := range load(t) {
		id := rules.List[i]
		if !uuid4.MatchString(r.ID) {
			t.Errorf("%s: rule_id %s is no version 4 UUID", id, r.ID)
		}
		if other, is := seen[r.ID]; is {
			t.Errorf("%s: has the rule_id of %s", id, other)
		}
		seen[r.ID] = id
		if r.License != "Apache-2.0" || !slices.Equal(r.Author, []string{"Lamina"}) {
			t.Errorf("%s: license %q, author %v", id, r.License, r.Author)
		}
		if r.Type != rule.TypeQuery || r.Language != rule.Kuery {
			t.Errorf("%s: type %s in %s; our rules are plain KQL", id, r.Type, r.Language)
		}
		if len(r.Threat) == 0 || len(r.InvestigationFields) == 0 || len(r.References) == 0 || !strings.Contains(r.Note, "## Response") {
			t.Errorf("%s: needs threat, investigation_fields, references and a note with a response", id)
		}
		doc, err := rules.FS.ReadFile(id + ".md")
		if err != nil {
			t.Fatal(err)
		}
		if title, _, _ := strings.Cut(string(doc), "\n"); title != "# "+r.Name {
			t.Errorf("%s.md: title %q, the rule is called %q", id, title, r.Name)
		}
	}
}

func TestRules_are_written_in_one_layout(t *testing.T) {
	for i, r := range load(t) {
		data, err := rules.FS.ReadFile(rules.List[i] + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(r.TOML()), string(data)); d != "" {
			t.Errorf("%s.toml: -as printed +as written\n%s", rules.List[i], d)
		}
	}
}

func TestRules_lint(t *testing.T) {
	for _, r := range load(t) {
		for _, p := range rule.Lint(r, rule.LintContext{Tests: 1}) {
			if p.Level != rule.Note {
				t.Errorf("%s", p)
			} else {
				t.Logf("%s", p)
			}
		}
	}
}

// makeEvent makes the event of a case as a run over its earlier records and it
// would have.
func makeEvent(reg *publishers.Registry) rule.EventMaker {
	return func(c rule.Case) (ecs.Event, error) {
		cfg := enrich.Config{Accounts: c.Options["account"], Publishers: reg}
		if ids := c.Options["org-id"]; len(ids) > 0 {
			cfg.OrgID = ids[0]
		}
		e := enrich.New(cfg)
		for _, raw := range append(slices.Clone(c.Before), c.Record) {
			ev := &cloudtrail.Event{Derived: e.Values}
			if err := ev.Reset(raw); err != nil {
				return nil, err
			}
			e.Observe(ev)
			if bytes.Equal(raw, c.Record) {
				return ev, nil
			}
		}
		return nil, errors.New("no event")
	}
}

func registry(t *testing.T) *publishers.Registry {
	t.Helper()
	reg, err := publishers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// suites reads the archive of a rule, and the lines beside the rule if there
// are some: cases that are told other things than the archive's.
func suites(t *testing.T, id string) (archive, lines *rule.Suite) {
	t.Helper()
	name := rule.TestFile(id + ".toml")
	data, err := rules.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if archive, err = rule.ParseSuite(name, data); err != nil {
		t.Fatal(err)
	}
	name = rule.TestLines(id + ".toml")
	if data, err = rules.FS.ReadFile(name); err == nil {
		if lines, err = rule.ParseTestLines(name, data); err != nil {
			t.Fatal(err)
		}
	}
	return archive, lines
}

// implied are changes of a query that no record can show, because another
// clause implies the one that is changed. The clauses stay: the engine
// dispatches on provider and action, and drops events by them before it knows
// what came earlier.
var implied = []struct{ rule, change, because string }{
	{"*", `event.provider: "lambda.amazonaws.com"`, "the derived fields of the query exist for calls of Lambda only"},
	{"*", "lamina.layers.named: true", "a call that names no layers has no changes of layers"},
	{"layer-removed-from-function", "event.action: ", "layers are removed by this call only"},
	{"layer-reordered-on-function", "event.action: ", "layers are reordered by this call only"},
	{"layer-version-changed-on-function", "event.action: ", "versions are changed by this call only"},
	{"event-source-mapping-repointed", "event.action: ", "mappings are repointed by this call only"},
	{"layer-added-to-function", "with any value for CreateFunction", "layers are added by this call and by one that the other branch has"},
	{"function-version-deleted", "with any value for DeleteFunction", "functions are deleted by this call only"},
	{"layer-share-denied", `event.outcome: "failure"`, "a record with an error code has this outcome"},
}

// Each rule fires on every match and on no nomatch of its archive, the alerts
// are those of alerts.golden, and no change of the query goes unnoticed.
func TestRules_pass_their_tests(t *testing.T) {
	newEvent := makeEvent(registry(t))
	mutants := 0
	used := map[int]bool{}
	for i, r := range load(t) {
		id := rules.List[i]
		t.Run(id, func(t *testing.T) {
			p, err := r.Compile(rule.CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			archive, lines := suites(t, id)
			if !strings.Contains(archive.Comment, "not recorded") {
				t.Error("the archive must say where its records come from")
			}
			golden(t, archive, run(t, p, archive, newEvent))
			all := *archive
			if lines != nil {
				run(t, p, lines, newEvent)
				all.Cases = append(slices.Clone(all.Cases), lines.Cases...)
			}
			rep := run(t, p, &all, newEvent)
			if t.Failed() {
				return
			}
			rep.Mutate()
			mutants += len(rep.Mutants)
			for _, m := range rep.Survivors() {
				n := slices.IndexFunc(implied, func(x struct{ rule, change, because string }) bool {
					return (x.rule == "*" || x.rule == id) && strings.Contains(m.Change, x.change)
				})
				if n < 0 {
					t.Errorf("%s.toml:%d:%d: no case notices the query %s; try %s", id, m.Pos.Line, m.Pos.Col, m.Change, m.Try)
				}
				used[n] = true
			}
		})
	}
	for n, x := range implied {
		if !used[n] {
			t.Errorf("no change of %s survives any more because %s: take it out of implied", x.rule, x.because)
		}
	}
	t.Logf("%d rules, %d mutants", len(rules.List), mutants)
}

func run(t *testing.T, p *rule.Program, s *rule.Suite, newEvent rule.EventMaker) *rule.Report {
	t.Helper()
	rep, err := rule.Test(p, s, newEvent)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range rep.Results {
		if res.Failed() {
			t.Errorf("%s:%d: %s: want %s, got %s %v", res.Case.File, res.Case.Line, res.Case.Name, res.Case.Want, res.Got, res.Err)
		}
	}
	return rep
}

func golden(t *testing.T, s *rule.Suite, rep *rule.Report) {
	t.Helper()
	if !rep.GoldenDiffers {
		return
	}
	if os.Getenv("LAMINA_UPDATE") == "1" {
		if err := os.WriteFile(s.File, s.WithGolden(rep.Alerts), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s: alerts.golden differs (LAMINA_UPDATE=1 rewrites it), -want +got\n%s", s.File, cmp.Diff(string(s.Golden), string(rep.Alerts)))
}
