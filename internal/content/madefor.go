package content

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A MadeFor is a runtime that a file of a layer is for alone.
type MadeFor struct {
	// Runtime is its identifier ("python3.12").
	Runtime string
	// File is the first that shows it, by a folder that no other runtime searches
	// or, if Native, as a Python module that no other can load
	// (https://peps.python.org/pep-3149/).
	File   string
	Native bool
}

// layout are folders that one runtime searches
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
var layout = regexp.MustCompile(`^(?:python/lib/(python3\.\d+)/|nodejs/node(\d+)/|ruby/gems/(\d+\.\d+)\.0/)`)

// MadeFor are the runtimes that the layer's files are for, sorted by runtime,
// folders first.
func (l *Layer) MadeFor() []MadeFor {
	seen := map[MadeFor]string{}
	note := func(m MadeFor, file string) {
		if _, ok := seen[m]; !ok {
			seen[m] = file
		}
	}
	for _, f := range l.Files {
		if f.Nested || f.Hidden {
			continue
		}
		switch m := layout.FindStringSubmatch(f.Path); {
		case m == nil:
		case m[1] != "":
			note(MadeFor{Runtime: m[1]}, f.Path)
		case m[2] != "":
			note(MadeFor{Runtime: "nodejs" + m[2] + ".x"}, f.Path)
		case m[3] != "":
			note(MadeFor{Runtime: "ruby" + m[3]}, f.Path)
		}
		if r := nativeFor(f); r != "" {
			note(MadeFor{Runtime: r, Native: true}, f.Path)
		}
	}
	out := make([]MadeFor, 0, len(seen))
	for m, file := range seen {
		m.File = file
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b MadeFor) int {
		return cmp.Or(strings.Compare(a.Runtime, b.Runtime), strings.Compare(a.File, b.File))
	})
	return out
}

// Laid are the runtimes that the layer's folders name.
func (l *Layer) Laid() []string {
	out := []string{}
	for _, m := range l.MadeFor() {
		if !m.Native && !slices.Contains(out, m.Runtime) {
			out = append(out, m.Runtime)
		}
	}
	return out
}

// nativeFor is the runtime that can load a native Python module, by its name; "" if
// it is none, or any can.
func nativeFor(f *File) string {
	if f.Kind != ELF {
		return ""
	}
	_, tag, _ := strings.Cut(f.Path, ".cpython-3")
	minor, _, ok := strings.Cut(tag, "-")
	if !ok || minor == "" || strings.Trim(minor, "0123456789") != "" {
		return ""
	}
	return "python3." + minor
}

// searched are the folders of a layer in which runtimes of a family search.
var searched = map[string]runtimes.Family{"python": runtimes.Python, "nodejs": runtimes.Node, "ruby": runtimes.Ruby, "java": runtimes.Java}

// Families are the languages in whose folders the layer has files, sorted.
func (l *Layer) Families() []runtimes.Family {
	var out []runtimes.Family
	for _, f := range l.Files {
		top, _, below := strings.Cut(f.Path, "/")
		if family := searched[top]; below && family != "" && !f.Hidden && !slices.Contains(out, family) {
			out = append(out, family)
		}
	}
	slices.Sort(out)
	return out
}
