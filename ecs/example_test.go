package ecs_test

import (
	"fmt"

	"github.com/lamina-sec/lamina/ecs"
)

func ExampleLookup() {
	for _, name := range []string{
		"source.ip",
		"aws.cloudtrail.request_parameters",
		"aws.cloudtrail.flattened.request_parameters.ipPermissions.items.fromPort",
		"event.acton",
	} {
		switch f := ecs.Lookup(name); {
		case f.Type == ecs.Unmapped:
			fmt.Println(name, "is no field")
		case f.Root != nil:
			fmt.Println(f.Key, "below", f.Root.Name)
		case f.IgnoreAbove > 0:
			fmt.Println(name, "is not searched above", f.IgnoreAbove)
		case f.Type == ecs.IP:
			fmt.Println(name, "may be compared with a network")
		}
	}
	// Output:
	// source.ip may be compared with a network
	// aws.cloudtrail.request_parameters is not searched above 8191
	// ipPermissions.items.fromPort below aws.cloudtrail.flattened.request_parameters
	// event.acton is no field
}
