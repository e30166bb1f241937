package query_test

import (
	"fmt"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

func ExampleRequired() {
	action := ecs.Lookup("event.action")
	p := query.And(
		query.On(ecs.Lookup("event.outcome"), query.Terms("success"), query.At{Text: "event.outcome: success"}),
		query.On(action, query.Some(query.Terms("DeleteFunction"), query.Wildcard("DeleteFunction20*", query.CaseSensitive)),
			query.At{Text: "event.action: (DeleteFunction or DeleteFunction20*)"}),
	)
	fmt.Println(query.Required(p, action))
	// Output: [DeleteFunction] [DeleteFunction20] true
}

func ExampleNearest() {
	names := func(yield func(string) bool) {
		for f := range ecs.All() {
			if !yield(f.Name) {
				return
			}
		}
	}
	fmt.Println(query.Nearest("event.acton", names))
	// Output: event.action
}
