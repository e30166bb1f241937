package cli

import (
	"os"
	"path/filepath"
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
