package content

import "github.com/lamina-sec/lamina/internal/runtimes"

// Runtime is the function's runtime if it is of the family. When none is known it
// is the family's newest, which layers for it will meet; false if the function's
// is of another family.
func (s *Scan) Runtime(family runtimes.Family) (runtimes.Runtime, bool) {
	if s.Function != nil && s.Function.Runtime != "" {
		r, ok := runtimes.ByID(s.Function.Runtime)
		return r, ok && r.Family == family
	}
	var newest runtimes.Runtime
	for _, r := range runtimes.All() {
		if r.Family == family {
			newest = r
		}
	}
	return newest, newest.ID != ""
}

// RuntimeKnown reports whether the function's runtime was given.
func (s *Scan) RuntimeKnown() bool { return s.Function != nil && s.Function.Runtime != "" }
