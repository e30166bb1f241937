package jssyntax_test

import (
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/jssyntax"
)

// Whether a script matters is asked of every script: a text is not copied for it.
func TestMayMatter_allocates_nothing_of_the_size_of_a_script(t *testing.T) {
	text := strings.Repeat("// eval(x)\nmodule.exports = function add(a, b) { return a + b['x'] + \"http\"; };\n", 1000)
	if jssyntax.MayMatter(text) {
		t.Fatal("it matters")
	}
	if n := testing.AllocsPerRun(20, func() { jssyntax.MayMatter(text) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
