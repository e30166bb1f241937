package shsyntax_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/shsyntax"
)

// A script made to cost much costs little: each of these has a megabyte or so.
func TestParse_hostile(t *testing.T) {
	const n = 1 << 20
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	tests := map[string]string{
		"substitutions": rep("$("), "backticks": rep("`"), "parameters": rep("${"), "arithmetic": rep("$(("), "brackets": rep("("), "double_brackets": rep("(("), "quotes": rep("\""), "singles": rep("'"),
		"closed": rep("$(a)"), "quoted": "\"" + rep("$(a)") + "\"", "words": rep("a "), "commands": rep("a;"), "pipes": rep("a|"), "background": rep("a&"), "documents": rep("cat <<E\n"), "ended": rep("a <<E\nE\n"),
		"strings": rep("a <<<b "), "cases": rep("case a in "), "patterns": "case a in " + rep("a|"), "arms": "case a in " + rep("a) b;; "), "for": rep("for a in "), "assign": rep("a=b "), "append": "a=b\n" + rep("a=$a$a\n"),
		"array": rep("a=("), "eval": rep("eval \"eval x\"\n"), "nested_eval": strings.Repeat("eval ", 5000) + "x", "redirects": rep(">a "), "tcp": rep(">/dev/tcp/a/1\n"), "curl": rep("curl -d \"$AWS_SESSION_TOKEN\" a.invalid\n"),
		"decode": "x=" + rep("QUJD") + "\n" + strings.Repeat("echo $x|base64 -d\n", 2000), "backslashes": rep("\\"), "nul": rep("\x00"), "high": rep("\xff"), "ansi": rep("$'\\x41'"), "process": rep("<("), "slices": "a=b\n" + rep("${a:0:1}"),
		"deep": strings.Repeat("$(a ", 5000) + strings.Repeat(")", 5000),
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			shsyntax.Parse([]byte(src))
			d := time.Since(start)
			runtime.ReadMemStats(&after)
			mb := (after.TotalAlloc - before.TotalAlloc) >> 20
			if mb > 1500 {
				t.Errorf("%d bytes took %v and allocated %d MB", len(src), d, mb)
			} else if d > 2*time.Second || mb > 400 {
				t.Logf("%d bytes took %v and allocated %d MB", len(src), d, mb)
			}
		})
	}
}
