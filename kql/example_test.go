package kql_test

import (
	"errors"
	"fmt"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

func Example() {
	q, err := kql.Parse(`event.provider: "lambda.amazonaws.com" and event.action: AddLayerVersionPermission*`)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := kql.Compile(q, kql.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ev := ecs.NewDoc(map[string]any{"event": map[string]any{
		"provider": "lambda.amazonaws.com", "action": "PublishLayerVersion20181031",
	}}, nil)
	fmt.Println(p.Match(ev))
	miss, _ := query.NearestMiss(p.Explain(ev))
	fmt.Printf("%d of %d clauses failed\n", miss.Failed, miss.Total)
	for _, n := range miss.Need {
		fmt.Printf("would match if %s; %s\n", n, n.Saw())
	}
	// Output:
	// false
	// 1 of 2 clauses failed
	// would match if event.action: AddLayerVersionPermission*; event.action is "PublishLayerVersion20181031"
}

func ExampleParse_error() {
	src := "event.outcome: success\n  and not(event.action: Delete*)"
	_, err := kql.Parse(src)
	if e, ok := errors.AsType[*query.Error](err); ok {
		fmt.Println(e.Format("rules/mine.toml", src))
	}
	// Output:
	// rules/mine.toml:2:10: unexpected "("
	//      2 |   and not(event.action: Delete*)
	//        |          ^
	// hint: put a space after not: not (…
}

func ExampleQuery_String() {
	q, err := kql.Parse(`( (user.name:alice)  OR user.name : ("bob") ) AND NOT (event.outcome:failure)`)
	fmt.Println(q, err)
	// Output: (user.name: alice or user.name: "bob") and not event.outcome: failure <nil>
}
