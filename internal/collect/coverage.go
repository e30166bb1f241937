package collect

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// coverage notes what one target answered. It may be used from many goroutines.
type coverage struct {
	mu    sync.Mutex
	asked map[string]int       // by action: calls made, 0 when there was nothing to ask
	gaps  map[string][]refusal // by action
}

type refusal struct {
	resource, reason string
	denied           bool
}

func newCoverage() *coverage {
	return &coverage{asked: map[string]int{}, gaps: map[string][]refusal{}}
}

// begin says that all of what the actions are asked of is known, so that having
// nothing to ask is an answer. Without it an action that was never asked is not
// read.
func (c *coverage) begin(actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range actions {
		c.asked[a] += 0
	}
}

// note counts an answer of the action about the resource, "" for the target as a
// whole, and reports whether it was one.
func (c *coverage) note(action, resource string, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[action]++
	if err == nil {
		return true
	}
	r := refusal{resource: resource, reason: err.Error()}
	if e, ok := errors.AsType[*awsread.Error](err); ok {
		r.reason, r.denied = e.Err.Error(), e.Denied
		if e.Denied {
			r.reason = "denied" // AWS's sentence names every resource: one gap is enough
		}
	}
	c.gaps[action] = append(c.gaps[action], r)
	return false
}

// answered reports whether the action was asked, and answered whole.
func (c *coverage) answered(action string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[action] > 0 && len(c.gaps[action]) == 0
}

// target returns what was read and what was not, sorted. Refusals of one action
// for one reason are one gap, without resources when nothing of it was read.
func (c *coverage) target() (read []string, gaps []lamina.Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, action := range slices.Sorted(maps.Keys(c.asked)) {
		refusals := c.gaps[action]
		if len(refusals) == 0 {
			read = append(read, action)
			continue
		}
		byReason := map[refusal][]string{}
		for _, r := range refusals {
			key := refusal{reason: r.reason, denied: r.denied}
			byReason[key] = append(byReason[key], r.resource)
		}
		for key, resources := range byReason {
			g := lamina.Gap{Action: action, Denied: key.denied, Reason: key.reason}
			if len(resources) < c.asked[action] && !slices.Contains(resources, "") {
				slices.Sort(resources)
				g.Resources = slices.Compact(resources)
			}
			gaps = append(gaps, g)
		}
	}
	slices.SortFunc(gaps, func(a, b lamina.Gap) int {
		return cmp.Or(strings.Compare(a.Action, b.Action), strings.Compare(a.Reason, b.Reason))
	})
	return read, gaps
}
