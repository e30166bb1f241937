package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/rule-lint.md is what the program prints; LAMINA_UPDATE=1 writes it.
func TestDocs_lint(t *testing.T) {
	std, out, errs := stdio(t)
	if code := Main(t.Context(), []string{"rules", "lint", "--list", "-f", "markdown"}, std); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	name := filepath.Join("..", "..", "docs", "rule-lint.md")
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(out.String(), string(got)); d != "" {
		t.Errorf("run make docs (-program +file):\n%s", d)
	}
}

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"AWS Lambda: Layer (Shared)": "aws-lambda-layer-shared", "": "rule", "../../etc/passwd": "etc-passwd", "Ünïcode": "n-code",
	} {
		if got := slug(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// A field name of a megabyte is not printed whole by anything that shows a rule.
func TestRules_shorten_names(t *testing.T) {
	std, out, errs := stdio(t)
	long := strings.Repeat("x", 1<<20)
	text := "[rule]\nrule_id = \"3f2b7a56-9d3c-4a53-8a0e-5a3f3f1c2b11\"\nname = \"Long\"\ndescription = \"" + long + "\"\ntype = \"query\"\n" +
		"severity = \"low\"\nrisk_score = 21\nquery = \"event.action: a or " + long + ": 1\"\nrule_name_override = \"" + long + "\"\n"
	record := `{"eventID":"1","eventSource":"x.amazonaws.com","eventName":"a","eventTime":"2026-06-18T13:02:11Z"}`
	for name, data := range map[string]string{"long.toml": text, "a.json": record} {
		if err := os.WriteFile(filepath.Join(std.Dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"rules", "ls", "long.toml"},
		{"rules", "show", "long.toml"},
		{"rules", "lint", "long.toml", "-v"},
		{"rules", "test", "long.toml"},
		{"detect", "a.json", "--rules", "long.toml"},
		{"explain", "long.toml", filepath.Join(std.Dir, "a.json")},
	} {
		out.Reset()
		errs.Reset()
		Main(t.Context(), args, std)
		if n := out.Len() + errs.Len(); n == 0 || n > 16<<10 {
			t.Errorf("%q: %d bytes", args, n)
		}
	}
}
