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
	if e.only == nil || e.only[resource] {
		return true
	}
	if l, err := lamina.ParseLayerARN(resource); err == nil {
		if e.only[l.Unversioned()] {
			return true
		}
		return slices.ContainsFunc(e.users[resource], func(i int) bool { return e.Within(e.Snapshot.Functions[i].ARN) })
	}
	// The version of a function.
	parts := strings.Split(resource, ":")
	return len(parts) == 8 && e.only[strings.Join(parts[:7], ":")]
}
