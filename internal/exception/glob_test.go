package exception_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/exception"
)

// matches is what a pattern means where nothing is a path, tried out.
func matches(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		return matches(pattern[1:], s) || s != "" && matches(pattern, s[1:])
	}
	return s != "" && s[0] == pattern[0] && matches(pattern[1:], s[1:])
}

func TestGlob_as_tried_out(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	text := func(of string, most int) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteByte(of[r.IntN(len(of))])
		}
		return b.String()
	}
	for range 200_000 {
		pattern, s := text("ab*/", 6), text("ab/", 8)
		if got, want := exception.Glob(pattern, s, false), matches(pattern, s); got != want {
			t.Fatalf("%q against %q: %t, want %t", pattern, s, got, want)
		}
	}
}
