package pysyntax_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// oracle prints, for every file of a tree that Python itself can read, its
// import statements as its own parser sees them.
const oracle = `
import ast, json, sys, os, warnings
warnings.simplefilter("ignore")
def walk(n, lazy, cond, out):
    for c in ast.iter_child_nodes(n):
        if isinstance(c, ast.Import):
            for a in c.names:
                out.append([c.lineno, 0, a.name, [], bool(lazy), bool(cond)])
        elif isinstance(c, ast.ImportFrom):
            out.append([c.lineno, c.level, c.module or "", [a.name for a in c.names], bool(lazy), bool(cond)])
        elif isinstance(c, (ast.FunctionDef, ast.AsyncFunctionDef)):
            walk(c, True, False, out)
        elif type(c).__name__ in ("If", "Try", "TryStar", "For", "While", "AsyncFor", "Match", "match_case", "ExceptHandler"):
            walk(c, lazy, True, out)
        else:
            walk(c, lazy, cond, out)
for d, ds, fs in os.walk(sys.argv[1]):
    ds[:] = sorted(x for x in ds if len(sys.argv) > 2 or x not in ("test", "tests", "site-packages", "idlelib", "idle_test", "lib2to3", "turtledemo"))
    if "lib2to3" in d and "data" in d or "bad" in d: continue
    for f in sorted(fs):
        if not f.endswith(".py"): continue
        p = os.path.join(d, f)
        try:
            b = open(p, "rb").read()
            t = ast.parse(b)
        except Exception:
            continue
        out = []
        walk(t, False, False, out)
        out.sort(key=lambda x: x[0])
        print(json.dumps([p, out]))
`

type statement struct {
	Line, Level int
	Module      string
	Names       []string
	Lazy, Cond  bool
}

func statements(l []pysyntax.Import) []statement {
	out := []statement{}
	for _, im := range l {
		if im.Kind == "dynamic" {
			continue
		}
		s := statement{Line: im.Line, Level: im.Level, Module: im.Module, Names: []string{}, Lazy: im.Lazy, Cond: im.Conditional}
		for _, n := range im.Names {
			s.Names = append(s.Names, n.Name)
		}
		out = append(out, s)
	}
	return out
}

// The imports of the standard library of every interpreter at hand are those
// that its own parser finds: at least 999 files of 1,000 equal in every detail.
func TestImports_equal_to_CPython(t *testing.T) {
	pythons, err := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/3.*/bin/python3"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pythons) == 0 {
		p, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("no python3 to compare with")
		}
		pythons = []string{p}
	}
	args := []string{"-c", oracle}
	all := os.Getenv("LAMINA_ORACLE") == "all" // every interpreter and its tests: minutes
	if !all {
		pythons = pythons[len(pythons)/2:][:1]
	}
	files, wrong := 0, 0
	for _, python := range pythons {
		lib, err := exec.CommandContext(t.Context(), python, "-c", "import os; print(os.path.dirname(os.__file__))").Output()
		if err != nil {
			t.Skipf("%s: %v", python, err)
		}
		args := append(slices.Clip(args), strings.TrimSpace(string(lib)))
		if all {
			args = append(args, "all")
		}
		out, err := exec.CommandContext(t.Context(), python, args...).Output()
		if err != nil {
			t.Fatalf("%s: %v", python, err)
		}
		for line := range strings.Lines(string(out)) {
			var path string
			var rows [][]json.RawMessage
			if err := json.Unmarshal([]byte(line), &[]any{&path, &rows}); err != nil {
				t.Fatal(err)
			}
			want := []statement{}
			for _, r := range rows {
				s := statement{Names: []string{}}
				for i, to := range []any{&s.Line, &s.Level, &s.Module, &s.Names, &s.Lazy, &s.Cond} {
					if err := json.Unmarshal(r[i], to); err != nil {
						t.Fatal(err)
					}
				}
				want = append(want, s)
			}
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files++
			facts := pysyntax.Parse(src)
			d := cmp.Diff(want, statements(facts.Imports))
			d2 := cmp.Diff(want, statements(pysyntax.Imports(src)))
			if d != "" || d2 != "" || len(facts.Errors) > 0 {
				wrong++
				if wrong <= 20 {
					t.Logf("%s: errors %v\nParse %s\nImports %s", path, facts.Errors, d, d2)
				}
			}
		}
	}
	t.Logf("%d files, %d not equal", files, wrong)
	if wrong*1000 > files {
		t.Errorf("%d of %d files are not equal", wrong, files)
	}
}
