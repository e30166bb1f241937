package runtimes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// docs/runtimes.md is made from the tables: LAMINA_UPDATE=1 rewrites it.
func TestDocs(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "runtimes.md")
	want := page()
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the tables say; run make docs (-want +got):\n%s", name, diff)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString("<!-- made by `make docs` from internal/runtimes; do not edit -->\n" +
		"# What runtimes search and obey\n\n" +
		"`lamina opt` and `lamina scan` judge by these tables whether something in a layer would run. " +
		"\"(derived)\" is what was concluded from a program's own manual or an older runtime and was not seen on Lambda.\n\n" +
		"## Runtimes\n\n" +
		"The folders are below a layer's root, in the order of the search; `bin` and `lib` come last and hide nothing of the system's.\n\n" +
		"| runtime | folders of a layer that are searched | wrapper script |\n| --- | --- | --- |\n")
	for _, r := range runtimes.All() {
		wrapper := "no"
		if r.Wrapper {
			wrapper = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.ID, code(r.LayerDirs()), wrapper)
	}
	b.WriteString("\n## Python's search path\n\nIn order, for a function without and with `PYTHONPATH=/opt/x`. What the runtime itself has imported before is not searched for again.\n\n| runtime | without | with |\n| --- | --- | --- |\n")
	for _, id := range []string{"python3.10", "python3.12"} {
		r, _ := runtimes.ByID(id)
		without, _ := r.PythonPath("", false)
		with, _ := r.PythonPath("/opt/x", true)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", id, code(without), code(with))
	}
	b.WriteString("\n## What runtimes set\n\n| variable | runtime | value |\n| --- | --- | --- |\n")
	for _, id := range []string{"python3.12", "nodejs22.x", "ruby3.3"} {
		r, _ := runtimes.ByID(id)
		for _, s := range r.Environment() {
			derived := ""
			if s.Derived {
				derived = " (derived)"
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | `%s`%s |\n", s.Key, id, s.Value, derived)
		}
	}
	b.WriteString("\n## Variables that load, find, trust or route\n\nA function's configuration can set them, and a wrapper script can.\n\n| variable | effect | what it does | where | source |\n| --- | --- | --- | --- | --- |\n")
	for _, l := range runtimes.Loaders() {
		where := make([]string, len(l.Families))
		for i, f := range l.Families {
			where[i] = string(f)
		}
		derived := ""
		if l.Derived {
			derived = " (derived)"
		}
		in := strings.Join(where, ", ")
		if in == "" {
			in = "everywhere"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s%s | %s | [page](%s) |\n", l.Key, l.Effect, l.Does, derived, in, l.Source)
	}
	return b.String()
}

func code(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = "`" + s + "`"
	}
	return strings.Join(out, " ")
}
