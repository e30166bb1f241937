package cli

import (
	"slices"

	"github.com/lamina-sec/lamina/query"
)

// nearest is the name among names that typed was probably meant to be, or "": as
// query.Nearest, and else one that typed is the beginning of. A name cut short
// ("detec", "conf") is further away than it feels.
func nearest(typed string, names []string) string {
	if n := query.Nearest(typed, slices.Values(names)); n != "" || len(typed) < 3 {
		return n
	}
	for _, n := range names {
		if len(n) > len(typed) && n[:len(typed)] == typed {
			return n
		}
	}
	return ""
}
