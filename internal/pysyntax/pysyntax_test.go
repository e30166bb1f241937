package pysyntax_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// modules are the names of absolute imports, sorted and once each.
func modules(l []pysyntax.Import) []string {
	var out []string
	for _, im := range l {
		if im.Level == 0 {
			out = append(out, im.Module)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestImports(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"plain":        {"import os\n", []string{"os"}},
		"many":         {"import os, sys as s, a.b.c", []string{"a.b.c", "os", "sys"}},
		"from":         {"from boto3.session import (\n  Session,\n)\nimport json", []string{"boto3.session", "json"}},
		"relative":     {"from . import x\nfrom .y import z\nfrom ..w import v", nil},
		"joined":       {"import \\\n  os", []string{"os"}},
		"joined_crlf":  {"import \\\r\n  os\r\n", []string{"os"}},
		"semicolon":    {"x = 1; import os", []string{"os"}},
		"many_one":     {"import os; import sys;import json\nimport re", []string{"json", "os", "re", "sys"}},
		"one_line_try": {"try: import ujson as json\nexcept ImportError: import json", []string{"json", "ujson"}},
		"in_function":  {"def f():\n    import secrets\n", []string{"secrets"}},
		"in_string":    {"s = 'x\\'; import os'\n'''\nimport sys\n'''", nil},
		"in_fstring":   {"s = f'{d['import']}'\nimport os\ns = f'''{\nx}\nimport sys'''", []string{"os"}},
		"in_comment":   {"# import os\nx = 1  # import sys", nil},
		"in_brackets":  {"x = [\nimport_me,\n]\nimport os", []string{"os"}},
		"after_broken": {"s = 'open\nimport os\n", []string{"os"}},
		"not_a_module": {"importlib.import_module(x)", nil},
		"unicode":      {"import café", []string{"café"}},
		"form_feed":    {"import os\n\f\nimport sys", []string{"os", "sys"}},
		"bom":          {"\xef\xbb\xbfimport os", []string{"os"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, modules(pysyntax.Imports([]byte(tt.src)))); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.want, modules(pysyntax.Parse([]byte(tt.src)).Imports)); d != "" {
				t.Errorf("Parse: %s", d)
			}
		})
	}
}

// imports writes imports one a line, with what is said about them.
func imports(l []pysyntax.Import) string {
	var b strings.Builder
	for _, im := range l {
		fmt.Fprintf(&b, "%d %s %s%s", im.Line, im.Kind, strings.Repeat(".", im.Level), im.Module)
		for _, n := range im.Names {
			b.WriteString(" " + n.Name)
			if n.As != "" {
				b.WriteString("=" + n.As)
			}
		}
		if im.As != "" {
			b.WriteString(" as " + im.As)
		}
		for _, x := range []struct {
			on   bool
			word string
		}{{im.Lazy, "lazy"}, {im.Conditional, "conditional"}, {im.Folded, "folded"}} {
			if x.on {
				b.WriteString(" " + x.word)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestParse_imports(t *testing.T) {
	src := `import os.path as p, sys
from . import x
from ..a.b import c as d, e
from m import *
try:
    import fast
except ImportError:
    import slow
def f():
    from lazy import thing
    if x:
        import deep
class C:
    import inclass
if x: import one
m = __import__("dyn")
n = importlib.import_module("no")
import importlib
importlib.import_module("a" + ".b")
importlib.import_module(x)
`
	want := `1 import os.path as p
1 import sys
2 from . x
3 from ..a.b c=d e
4 from m *
6 import fast conditional
8 import slow conditional
10 from lazy thing lazy
12 import deep lazy conditional
14 import inclass
15 import one conditional
16 dynamic dyn
18 import importlib
19 dynamic a.b folded
20 dynamic 
`
	facts := pysyntax.Parse([]byte(src))
	if d := cmp.Diff(want, imports(facts.Imports)); d != "" {
		t.Error(d)
	}
	if len(facts.Errors) > 0 {
		t.Error(facts.Errors)
	}
	var static []pysyntax.Import
	for _, im := range facts.Imports {
		if im.Kind != "dynamic" {
			static = append(static, im)
		}
	}
	if d := cmp.Diff(static, pysyntax.Imports([]byte(src))); d != "" {
		t.Errorf("Imports differs from Parse: %s", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("import a.b as c, d\nfrom x import (y)\n'''"))
	f.Add([]byte("from a.\\\nb import *;import c\\"))
	f.Add([]byte("def f(a, *b, c=1, **d) -> x:\n  return [f'{a!r:>{w}}' for a in b if a] or lambda: {**a, 'b': c}\n@d(1)\nclass C(B, m=M):\n\tx: int = y = 1\n"))
	f.Add([]byte("match x:\n case {'a': [b, *c]} | D(e=1) as f if g: pass\nprint >>f, x\nexec 'a' in b\nasync with (a as b, c): await d\n"))
	f.Add([]byte("import os, base64 as b\nexec(b.b64decode('cHJpbnQoMSk='[::-1][::-1]))\nos.environ['A'] = ''.join(map(chr, [1, 2]))\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		facts := pysyntax.Parse(src)
		pysyntax.MayMatter(src)
		for _, im := range append(pysyntax.Imports(src), facts.Imports...) {
			if im.Module == "" && im.Level == 0 && im.Kind != "dynamic" {
				t.Errorf("%+v", im)
			}
		}
	})
}
