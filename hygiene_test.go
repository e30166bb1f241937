package lamina_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/rule"
)

// The tests in this file keep out of the tree what must not be in it: a path of
// somebody's machine, the name of a package registry, half a template, an
// account that is nobody's example, an exported name without a word about it.

// text reads a file that is text, or returns "".
func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 {
		return ""
	}
	return string(b)
}

// lineOf is the line of a byte offset, from 1.
func lineOf(s string, offset int) int { return 1 + strings.Count(s[:offset], "\n") }

// TestHygieneMachines: nothing in the tree names a machine it was made on, the
// place a module came from, or how the work was organised.
func TestHygieneMachines(t *testing.T) {
	forbidden := []*regexp.Regexp{
		// a home or working folder; /tmp and /root may be in records and scripts
		// of others only as a word of a longer path
		regexp.MustCompile(`(^|[\s"'=(])/(work|farm|Users|home)/[A-Za-z]`),
		regexp.MustCompile(`(^|[\s"'=(])/root/(go|\.)`),
		regexp.MustCompile(`/tmp/` + `(bash_jobs|research|iso)`),
		regexp.MustCompile(`\b(proxy\.golang|sum\.golang|registry\.npmjs|deb\.debian)\.org`),
		regexp.MustCompile(`pypi\.org/simple|files\.pythonhosted`),
	}
	for _, name := range repositoryFiles(t) {
		if name == "hygiene_test.go" || path.Ext(name) == ".sum" {
			continue
		}
		s := text(t, name)
		for _, re := range forbidden {
			if m := re.FindStringIndex(s); m != nil {
				t.Errorf("%s:%d: %q names a machine or a registry", name, lineOf(s, m[0]), strings.TrimSpace(s[m[0]:m[1]]))
			}
		}
	}
}

// TestHygieneUnfinished: no item with template text in it, and no note to do
// something later.
func TestHygieneUnfinished(t *testing.T) {
	later := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	for _, name := range repositoryFiles(t) {
		kind, _, _ := strings.Cut(name, "/")
		item := slices.Contains([]string{"rules", "checks", "analyzers", "questions", "fixes", "attacks"}, kind)
		for i, l := range strings.Split(text(t, name), "\n") {
			if item && strings.Contains(l, rule.Unfinished) || later.MatchString(l) {
				t.Errorf("%s:%d: something is left to be written: %s", name, i+1, strings.TrimSpace(l))
			}
		}
	}
}

// TestHygieneSize: what is big is built by code, not kept.
func TestHygieneSize(t *testing.T) {
	for _, name := range repositoryFiles(t) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 1_500_000 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
	}
}

// exampleAccounts are the account ids that AWS's documentation uses, and ids that
// are plainly none.
var exampleAccounts = []string{
	"111122223333", "123456789012", "444455556666", "777788889999", "555555555555", "999999999999", "210987654321",
	"123456789013", "111111111111", "222222222222", "333333333333", "444444444444", "666666666666", "888888888888",
	"555566667777", "888899990000", "000000000000", "121212121212", "777777777777", "098765432109",
}

// dataAccounts stand in the data by others that tests read where LAMINA_TESTDATA
// is, and those tests have to name them; the last is one digit off a publisher's.
var dataAccounts = []string{"463470966597", "712967571683", "454464851268", "464622532013"}

// TestHygieneAccounts: an account id in the tree is an example, one that the
// publisher registry names with its evidence, or one of the data tests read.
func TestHygieneAccounts(t *testing.T) {
	known := map[string]bool{}
	for _, a := range slices.Concat(exampleAccounts, dataAccounts) {
		known[a] = true
	}
	id := regexp.MustCompile(`\b[0-9]{12}\b`)
	for _, name := range repositoryFiles(t) {
		if strings.HasSuffix(name, "publishers.toml") {
			for _, a := range id.FindAllString(text(t, name), -1) {
				known[a] = true
			}
		}
	}
	for _, name := range repositoryFiles(t) {
		if path.Ext(name) == ".sum" || strings.HasSuffix(name, "publishers.toml") {
			continue
		}
		s := text(t, name)
		for _, m := range id.FindAllStringIndex(s, -1) {
			a := s[m[0]:m[1]]
			if known[a] || strings.HasPrefix(a, "00000000") {
				continue
			}
			// A uuid's last part, a decimal fraction and a hex digest are no accounts.
			if m[0] > 0 && strings.ContainsRune("-.", rune(s[m[0]-1])) && (m[0] < 2 || s[m[0]-2] != ' ') {
				continue
			}
			t.Errorf("%s:%d: %s is no example account and no publisher", name, lineOf(s, m[0]), a)
		}
	}
}

// TestHygieneDocumented: every exported name of the packages others may import
// says what it is.
func TestHygieneDocumented(t *testing.T) {
	for _, m := range may {
		if strings.Contains(m.pkg, "/") || !slices.Contains([]string{".", "ecs", "query", "kql", "eql", "esql", "rule", "iam"}, m.pkg) {
			continue
		}
		entries, err := os.ReadDir(m.pkg)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := path.Join(m.pkg, e.Name())
			if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				for _, n := range undocumented(d) {
					t.Errorf("%s: %s has no comment", fset.Position(n.Pos()), n.Name)
				}
			}
		}
	}
}

// undocumented returns the exported names of a declaration that have no comment:
// neither their own nor, in a group, the group's. Methods that satisfy an
// interface everybody knows need none.
func undocumented(d ast.Decl) []*ast.Ident {
	wellKnown := []string{"String", "Error", "Unwrap", "Is", "As", "Len", "Less", "Swap", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"}
	var out []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		switch {
		case d.Doc != nil || !d.Name.IsExported():
		case d.Recv != nil && (!exportedReceiver(d) || slices.Contains(wellKnown, d.Name.Name)):
		default:
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					out = append(out, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						out = append(out, n)
					}
				}
			}
		}
	}
	return out
}

func exportedReceiver(d *ast.FuncDecl) bool {
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// TestHygieneCharacters: source and documents hold nothing that an editor hides:
// no bidirectional or zero-width characters, no carriage returns, valid UTF-8.
func TestHygieneCharacters(t *testing.T) {
	for _, name := range repositoryFiles(t) {
		if strings.Contains("/"+name, "/testdata/") {
			continue
		}
		s := text(t, name)
		if !utf8.ValidString(s) {
			t.Errorf("%s is not UTF-8", name)
		}
		if i := strings.IndexFunc(s, func(r rune) bool { return r == '\r' || unicode.Is(unicode.Cf, r) }); i >= 0 {
			t.Errorf("%s:%d: holds %q", name, lineOf(s, i), []rune(s[i:])[0])
		}
	}
}
