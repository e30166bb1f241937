package jssyntax_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/jssyntax"
)

// Source made to cost much costs little: each of these has a megabyte or so.
func TestParse_hostile(t *testing.T) {
	const n = 1 << 20
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	tests := map[string]string{
		"brackets": rep("("), "lists": rep("["), "blocks": rep("{"), "closing": rep(")"), "calls": rep("a("), "chain": "a" + rep(".a"), "called": "a" + rep("()"), "index": "a" + rep("[0]"),
		"arrows": rep("a=>"), "not": rep("!"), "minus": rep("- "), "choice": rep("a?b:"), "plus": "x=" + rep("'a'+") + "''", "minuses": "x=a" + rep("-a"), "or": "x=a" + rep("||a"), "statements": rep("a;"),
		"declarations": "let a0" + rep(",a"), "templates": rep("`${"), "template": "`" + rep("${a}") + "`", "regexps": rep("/a/."), "strings": rep("'a';"), "numbers": "x=[" + rep("1,") + "]",
		"objects": rep("({a:"), "classes": rep("(class{a="), "functions": rep("function f(a){return f(a)}"), "nested": rep("function f(){"), "if": rep("if(a)"), "else": rep("if(a);else "),
		"double": "x='aaaaaaaa';" + rep("x=x+x;"), "decode": "x='" + rep("QUJD") + "';" + strings.Repeat("atob(x);", 20000), "map": "x=[" + rep("65,") + "];" + strings.Repeat("x.map(c=>String.fromCharCode(c)).join('');", 2000),
		"split": "x='" + strings.Repeat("a", 8000) + "';" + strings.Repeat("x.split('').reverse().join('');", 20000), "fetch": "x=process.env;" + rep("fetch(x);"), "require": rep("require(a);"), "comments": rep("/*"), "lines": rep("//a\n"),
		"open comments": rep("/*\n"), "odd comments": rep("/*\n") + "`*/", "fetches": rep("fetch(//"), "evals": rep("eval("), "names": rep(`"http"   "eval" `),
		"many_names": many(), "nul": rep("\x00"), "high": rep("\xff"), "spread": "f(" + rep("...a,"), "labels": rep("a:"), "new": rep("new "), "await": rep("await "), "destructure": "let " + rep("{a:"), "comma": "x=(a" + rep(",a") + ")",
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			jssyntax.Parse([]byte(src))
			d := time.Since(start)
			start = time.Now()
			jssyntax.MayMatter([]byte(src))
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

// many declares many names in one scope.
func many() string {
	var b strings.Builder
	for i := range 60000 {
		b.WriteString("var v")
		for x := i; x > 0; x /= 26 {
			b.WriteByte(byte('a' + x%26))
		}
		b.WriteString("=1;\n")
	}
	return b.String()
}
