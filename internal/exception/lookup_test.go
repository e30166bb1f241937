package exception

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lamina-sec/lamina"
)

// What is looked up is what asking every exception finds, and of many exceptions
// that name a resource few are asked.
func TestLookup_finds_what_asking_all_finds(t *testing.T) {
	var items []Item
	for i := range 20 {
		resource := fmt.Sprintf("arn:aws:lambda:eu-west-1:111122223333:layer:l:%d", i)
		items = append(items,
			Item{ID: fmt.Sprintf("r%d", i), Match: Match{Resource: resource}}, Item{ID: fmt.Sprintf("c%d", i), Match: Match{Check: "a", Resource: resource}},
			Item{ID: fmt.Sprintf("f%d", i), Match: Match{Finding: fmt.Sprintf("F-%d", i)}}, Item{ID: fmt.Sprintf("g%d", i), Match: Match{Resource: fmt.Sprintf("*:%d", i%3)}},
		)
	}
	items = append(items, Item{ID: "check", Match: Match{Check: "a"}}, Item{ID: "coverage", Coverage: true})
	list := lookupOf(items)
	member := func(i int) lamina.Member {
		return lamina.Member{ID: fmt.Sprintf("F-%d", i), Resource: fmt.Sprintf("arn:aws:lambda:eu-west-1:111122223333:layer:l:%d", i)}
	}
	for i := range 25 {
		for _, check := range []string{"a", "b"} {
			for _, members := range [][]lamina.Member{nil, {member(i)}, {member(i), member(i + 1)}, {member(i), member(i + 3)}} {
				f := &lamina.Finding{ID: member(i).ID, Check: check, Resource: member(i).Resource, Members: members}
				var want, got []int
				for j, x := range items {
					if x.fits(f) {
						want = append(want, j)
					}
				}
				asked := list.about(f)
				for _, j := range asked {
					if items[j].fits(f) {
						got = append(got, j)
					}
				}
				if !slices.Equal(want, got) {
					t.Errorf("finding %d of %s with %d members: looked up %v, asked %v", i, check, len(members), got, want)
				}
				if len(asked) > 22+6 {
					t.Errorf("finding %d: %d of %d exceptions are asked", i, len(asked), len(items))
				}
			}
		}
	}
}
