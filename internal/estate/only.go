package estate

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Asked reports whether the action was asked of anything.
func (e *Estate) Asked(action string) bool {
	for q := range e.coverage {
		if q.action == action {
			return true
		}
	}
	return false
}

// Within reports whether the snapshot is meant to say all about the resource, the
// ARN of a layer, of a version of one or of a function: everything is, unless the
// collection was restricted to some (Snapshot.Only).
func (e *Estate) Within(resource string) bool {
	only := e.Snapshot.Only
	if only == nil || slices.Contains(only, resource) {
		return true
	}
	if l, err := lamina.ParseLayerARN(resource); err == nil {
		if slices.Contains(only, l.Unversioned()) {
			return true
		}
		return slices.ContainsFunc(e.Users(resource), func(f lamina.Function) bool { return e.Within(f.ARN) })
	}
	// The version of a function.
	parts := strings.Split(resource, ":")
	return len(parts) == 8 && slices.Contains(only, strings.Join(parts[:7], ":"))
}
