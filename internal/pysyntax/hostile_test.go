package pysyntax_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// Source made to cost much costs little: each of these has a megabyte or so.
func TestParse_hostile(t *testing.T) {
	const n = 1 << 20
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	indent := func() string {
		var b strings.Builder
		for i := range 1000 {
			b.WriteString(strings.Repeat(" ", i) + "if x:\n")
		}
		return b.String()
	}
	calls := func() string {
		var b strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&b, "def f%d(x):\n  return f%d(x) + f%d(x)\n", i, i+1, i+1)
		}
		return b.String() + "import os\nf0('a')\nf0(os.environ)\n" + rep("f1('b')\n")
	}
	tests := map[string]string{
		"brackets": rep("("), "lists": rep("["), "dicts": rep("{"), "closing": rep(")"), "calls": rep("a("), "chain": rep("a."), "called": "a" + rep("()"),
		"index": "a" + rep("[0]"), "lambda": rep("lambda:"), "not": rep("not "), "minus": rep("-"), "power": rep("2**"), "choice": rep("x if "), "plus": "x=" + rep("'a'+") + "''",
		"words": rep("a b "), "semicolons": rep("import a;"), "joined": rep("\\\n"), "match": rep("match "), "case": rep("case a:\n"), "with": rep("with (a as b, "), "print": rep("print >>a, "),
		"decorators": rep("@a\n"), "targets": rep("a=") + "1", "fstrings": rep("f'{"), "fstring": "f'" + rep("{a") + "'", "fnested": rep("f'{f\""), "ftriple": "f'''" + rep("{x!r:{"),
		"strings": rep("'a' "), "triple": rep(`"""`), "quotes": rep(`"'`), "numbers": "x=[" + rep("1,") + "]", "async": rep("async "), "indent": indent(), "tabs": rep("\t\n"),
		"double": "x='aaaaaaaa'\n" + rep("x=x+x\n"), "doubled_lists": "x=[1,2,3]\n" + rep("x=x+x\n"), "reverse": "x='" + rep("ab") + "'\n" + strings.Repeat("x=x[::-1]\n", 20000),
		"decode": "import base64\nx='" + rep("QUJD") + "'\n" + strings.Repeat("base64.b64decode(x)\n", 20000), "map": "x=''.join(map(chr,[" + rep("65,") + "]))\n" + strings.Repeat("''.join(map(chr,x))\n", 1000),
		"comp": "x='" + strings.Repeat("a", 1<<14) + "'\n" + strings.Repeat("y=[ord(c)^1 for c in x]\n", 20000), "calls_of_calls": calls(), "classes": rep("class A(A):\n a=1\n"),
		"environ": "import os,requests\nx=os.environ\n" + rep("requests.post(x)\n"), "sources": "import os,requests\n" + rep("requests.post(os.getenv(x))\n"),
		"functions": "import os\n" + rep("def f(a):\n return g(a)\n") + "g=f\nf(os.environ)\n", "yield": rep("(yield "), "walrus": rep("(a:="), "star": "f(" + rep("*"), "nul": rep("\x00"), "high": rep("\xff"),
		"getattr": "import os\n" + rep("getattr(os,'a'+'b')\n"), "else": rep("else:\n"), "backticks": rep("`"), "subscript": rep("a["), "slices": "a[" + rep(":") + "]",
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			pysyntax.Parse([]byte(src))
			d := time.Since(start)
			start = time.Now()
			pysyntax.Imports([]byte(src))
			pysyntax.MayMatter([]byte(src))
			d2 := time.Since(start)
			runtime.ReadMemStats(&after)
			mb := (after.TotalAlloc - before.TotalAlloc) >> 20
			if mb > 1500 {
				t.Errorf("%d bytes took %v and %v and allocated %d MB", len(src), d, d2, mb)
			} else if d > 2*time.Second || mb > 400 {
				t.Logf("%d bytes took %v and %v and allocated %d MB", len(src), d, d2, mb)
			}
		})
	}
}
