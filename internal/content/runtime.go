package content

import (
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// Runtime is the function's runtime if it is of the family; false if the
// function's is of another. When none was given it is the one that the layers'
// native Python modules are built for, else the family's newest.
func (s *Scan) Runtime(family runtimes.Family) (runtimes.Runtime, bool) {
	if s.RuntimeKnown() {
		r, ok := runtimes.ByID(s.Function.Runtime)
		return r, ok && r.Family == family
	}
	var best runtimes.Runtime
	built := s.builtFor()
	for _, r := range runtimes.All() { // oldest first
		if r.Family == family && (best.ID == "" || built[r.ID] >= built[best.ID]) {
			best = r
		}
	}
	return best, best.ID != ""
}

// RuntimeKnown reports whether the function's runtime was given.
func (s *Scan) RuntimeKnown() bool { return s.Function != nil && s.Function.Runtime != "" }

// builtFor counts native Python modules by the runtime that can load them.
func (s *Scan) builtFor() map[string]int {
	return s.built.of(func() map[string]int {
		built := map[string]int{}
		for _, l := range s.Layers {
			for _, f := range l.Files {
				if r := nativeFor(f); r != "" {
					built[r]++
				}
			}
		}
		return built
	})
}
