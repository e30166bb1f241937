package lamina_test

import (
	"cmp"
	"embed"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/attacks"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/fixes"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/questions"
)

// A kind is one kind of catalogue item that is a Go value, one file each.
type kind struct {
	dir, contract string // "checks", "Check"
	docs          embed.FS
	items         []item
}

// An item is what all kinds have in common.
type item struct {
	id, title, since string
	techniques       []string
	fixes            []string
	noFix            string
}

func kinds() []kind {
	ks := []kind{
		{dir: "checks", contract: "Check", docs: checks.Docs},
		{dir: "analyzers", contract: "Analyzer", docs: analyzers.Docs},
		{dir: "questions", contract: "Question", docs: questions.Docs},
		{dir: "fixes", contract: "Fix", docs: fixes.Docs},
		{dir: "attacks", contract: "Attack", docs: attacks.Docs},
	}
	for _, c := range checks.All {
		ks[0].items = append(ks[0].items, item{c.ID, c.Title, c.Since, c.Techniques, c.Fixes, c.NoFix})
	}
	for _, a := range analyzers.All {
		ks[1].items = append(ks[1].items, item{a.ID, a.Title, a.Since, a.Techniques, a.Fixes, a.NoFix})
	}
	for _, q := range questions.All {
		ks[2].items = append(ks[2].items, item{id: q.ID, title: q.Asks, since: q.Since})
	}
	for _, f := range fixes.All {
		ks[3].items = append(ks[3].items, item{id: f.ID, title: f.Title, since: f.Since})
	}
	for _, a := range attacks.All {
		ks[4].items = append(ks[4].items, item{id: a.ID, title: a.Title, since: a.Since, techniques: []string{a.Technique}})
	}
	return ks
}

// Every item is one file that is listed, with its document and its test data
// beside it, and has the same id everywhere.
func TestCatalogue(t *testing.T) {
	for _, k := range kinds() {
		listed := map[string]item{}
		for _, it := range k.items {
			if _, ok := listed[it.id]; ok {
				t.Errorf("%s/list.go: %s is listed twice", k.dir, it.id)
			}
			listed[it.id] = it
		}
		files, err := filepath.Glob(filepath.Join(k.dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".go")
			if name == "list" || strings.HasSuffix(name, "_test") {
				continue
			}
			id := strings.ReplaceAll(name, "_", "-")
			v, declared := exportedValue(t, file, k.contract)
			if declared != id {
				t.Errorf("%s: the value's ID is %q: it must be the file's name, %q", file, declared, id)
			}
			if _, ok := listed[id]; !ok {
				t.Errorf("%s: add %s to All in list.go", file, v)
			}
			delete(listed, id)
			k.companions(t, name, id)
		}
		for id := range listed {
			t.Errorf("%s/list.go: %s has no file %s.go", k.dir, id, strings.ReplaceAll(id, "-", "_"))
		}
	}
}

// exportedValue returns the name of the file's one exported value of the
// contract's type, and the ID in it.
func exportedValue(t *testing.T, file, contract string) (name, id string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok || !v.Names[0].IsExported() || len(v.Values) != 1 {
				continue
			}
			lit, ok := v.Values[0].(*ast.CompositeLit)
			if !ok {
				continue
			}
			if sel, ok := lit.Type.(*ast.SelectorExpr); !ok || sel.Sel.Name != contract {
				continue
			}
			if name != "" {
				t.Errorf("%s: %s and %s: one item a file", file, name, v.Names[0].Name)
			}
			name, id = v.Names[0].Name, literal(lit, "ID")
		}
	}
	if name == "" {
		t.Errorf("%s: no exported value of type %s", file, contract)
	}
	return name, id
}

func literal(lit *ast.CompositeLit, key string) string {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if k, ok := kv.Key.(*ast.Ident); !ok || k.Name != key {
			continue
		}
		if v, ok := kv.Value.(*ast.BasicLit); ok {
			return strings.Trim(v.Value, `"`)
		}
	}
	return ""
}

// companions checks what must lie beside an item's file.
func (k kind) companions(t *testing.T, name, id string) {
	t.Helper()
	doc, err := fs.ReadFile(k.docs, name+".md")
	switch title := "# " + id; {
	case errors.Is(err, fs.ErrNotExist):
		t.Errorf("%s: write %s.md, beginning with %q", k.dir, name, title)
	case err != nil:
		t.Error(err)
	case !strings.HasPrefix(string(doc), title+":") && !strings.HasPrefix(string(doc), title+" ("):
		t.Errorf("%s/%s.md: must begin with %q", k.dir, name, title)
	}
	if _, err := os.Stat(filepath.Join(k.dir, "testdata", id+".txtar")); err != nil {
		t.Errorf("%s: write testdata/%s.txtar, then run LAMINA_UPDATE=1 go test ./%s", k.dir, id, k.dir)
	}
}

// Items fit together: what a check or analyzer can find has a fix or says why
// not, the fix says so too, and nothing is left unsaid.
func TestCatalogue_fits_together(t *testing.T) {
	remedies := map[string][]string{}
	for _, f := range fixes.All {
		remedies[f.ID] = f.Remedies
	}
	known := map[string]bool{}
	for _, k := range kinds() {
		for _, it := range k.items {
			where := k.dir + "/" + strings.ReplaceAll(it.id, "-", "_") + ".go"
			known[it.id] = true
			if it.title == "" || it.since == "" || strings.HasSuffix(it.title, ".") {
				t.Errorf("%s: want a title without a full stop, and since when it is there", where)
			}
			for _, id := range it.techniques {
				if !technique(id) {
					t.Errorf("%s: %q is not an ATT&CK technique's id", where, id)
				}
			}
			if (k.contract == "Check" || k.contract == "Analyzer") && (len(it.fixes) == 0) == (it.noFix == "") {
				t.Errorf("%s: want Fixes, or NoFix with the reason", where)
			}
			for _, fix := range it.fixes {
				if !slices.Contains(remedies[fix], it.id) {
					t.Errorf("%s: names fix %q, which is not there or does not remedy %s", where, fix, it.id)
				}
			}
		}
	}
	for id, checkIDs := range remedies {
		for _, c := range checkIDs {
			if !known[c] {
				t.Errorf("fix %s remedies %q, which does not exist", id, c)
			}
		}
	}
	for _, a := range attacks.All {
		for _, rule := range a.Expect {
			if _, err := os.Stat(filepath.Join("rules", rule+".toml")); err != nil {
				t.Errorf("attack %s expects rule %q: %v", a.ID, rule, err)
			}
		}
		if len(a.Expect) == 0 || len(a.Needs) == 0 {
			t.Errorf("attack %s: want the rules that must fire and the actions it needs", a.ID)
		}
	}
	for _, c := range checks.All {
		for _, id := range c.Analyzers {
			if !slices.ContainsFunc(analyzers.All, func(a content.Analyzer) bool { return a.ID == id }) {
				t.Errorf("check %s rests on the analyzer %q, which does not exist", c.ID, id)
			}
		}
		if len(c.Needs) == 0 || c.Citation == "" || cmp.Compare(c.Severity.Rank(), 0) < 0 || c.Ref == "" {
			t.Errorf("check %s: want its needs, citation, severity and number", c.ID)
		}
	}
}

// technique reports whether s looks like T1234 or T1234.001.
func technique(s string) bool {
	main, sub, ok := strings.Cut(s, ".")
	digits := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	return strings.HasPrefix(main, "T") && digits(main[1:], 4) && (!ok || digits(sub, 3))
}
