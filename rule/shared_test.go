package rule

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedRules are the files of Elastic's rules that the owner of this tree has
// at hand; they are read, never copied.
func sharedRules(tb testing.TB) []string {
	tb.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		tb.Skip("LAMINA_TESTDATA is not set: no rules by others to read")
	}
	files, err := filepath.Glob(filepath.Join(dir, "elastic-aws-rules", "*.toml"))
	if err != nil || len(files) == 0 {
		tb.Skipf("no rules in %s: %v", dir, err)
	}
	return files
}

func parseFile(tb testing.TB, file string) *Rule {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := Parse(filepath.Base(file), data)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestSharedRulesLoad(t *testing.T) {
	files := sharedRules(t)
	types := map[Type]int{}
	for _, f := range files {
		r := parseFile(t, f)
		types[r.Type]++
		if len(r.Extra) > 0 {
			t.Errorf("%s: unknown keys %v", f, r.Extra)
		}
	}
	t.Logf("%d rules: %v", len(files), types)
	want := map[Type]int{TypeQuery: 51, TypeNewTerms: 25, TypeThreshold: 3, TypeEQL: 14, TypeESQL: 20, TypeMachineLearning: 2}
	for k, n := range want {
		if types[k] != n {
			t.Errorf("type %s: got %d rules, want %d", k, types[k], n)
		}
	}
}

func TestSharedRulesCompile(t *testing.T) {
	run, filters, need := 0, 0, map[string]int{}
	for _, f := range sharedRules(t) {
		r := parseFile(t, f)
		p, err := r.Compile(CompileOptions{})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		switch {
		case p.Needs == "":
			run++
		case p.Predicate != nil:
			filters++
		}
		need[p.Needs]++
		if (r.Language == Kuery) != (p.Predicate != nil) {
			t.Errorf("%s: language %q, predicate %v", f, r.Language, p.Predicate)
		}
		if docs := p.Data; len(docs) > 0 {
			t.Logf("%s reads %v", r.File, docs)
		}
	}
	t.Logf("%d run, %d more compile their filter, by need: %v", run, filters, need)
	if run != 51 || filters != 28 {
		t.Errorf("got %d that run and %d filters, want 51 and 28", run, filters)
	}
}

// Elastic's rules are in use: Lint says things about them, and nothing about
// most of them that would be an error.
func TestSharedRulesLint(t *testing.T) {
	codes := map[string]int{}
	for _, f := range sharedRules(t) {
		r := parseFile(t, f)
		for _, p := range Lint(r, LintContext{Tests: -1}) {
			codes[string(p.Level)+" "+p.Code]++
			if p.Pos.Line < 1 || p.Pos.Line > len(r.text.lines) {
				t.Errorf("%v: outside the file", p)
			}
			if p.Level == Wrong || testing.Verbose() {
				t.Log(p, p.Correction)
			}
		}
	}
	t.Log(codes)
}
