package rule

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedRules are the files of Elastic's rules that the owner of this tree has
// at hand; they are read, never copied.
func sharedRules(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		t.Skip("LAMINA_TESTDATA is not set: no rules by others to read")
	}
	files, err := filepath.Glob(filepath.Join(dir, "elastic-aws-rules", "*.toml"))
	if err != nil || len(files) == 0 {
		t.Skipf("no rules in %s: %v", dir, err)
	}
	return files
}

func parseFile(t testing.TB, file string) *Rule {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(filepath.Base(file), data)
	if err != nil {
		t.Fatal(err)
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
