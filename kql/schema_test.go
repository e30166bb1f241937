package kql_test

import (
	"iter"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
)

// schema is a small mapping with a field of every type; "short" shows
// ignore_above with eight characters.
var schema = []*ecs.Field{
	{Name: "kw", Type: ecs.Keyword, IgnoreAbove: 1024},
	{Name: "kw2", Type: ecs.Keyword},
	{Name: "short", Type: ecs.Keyword, IgnoreAbove: 8},
	{Name: "const", Type: ecs.ConstantKeyword, Const: "aws.cloudtrail"},
	{Name: "txt", Type: ecs.Text},
	{Name: "ip", Type: ecs.IP},
	{Name: "bool", Type: ecs.Boolean},
	{Name: "long", Type: ecs.Long},
	{Name: "double", Type: ecs.Double},
	{Name: "date", Type: ecs.Date},
	{Name: "flat", Type: ecs.Flattened},
	{Name: "obj", Type: ecs.Object},
	{Name: "obj.kw", Type: ecs.Keyword, IgnoreAbove: 1024},
	{Name: "obj.long", Type: ecs.Long},
	{Name: "geo", Type: ecs.GeoPoint},
}

func lookup(name string) *ecs.Field {
	for i, f := range schema {
		f.ID = i
		if f.Name == name {
			return f
		}
	}
	if key, ok := strings.CutPrefix(name, "flat."); ok {
		return &ecs.Field{Name: name, Type: ecs.Flattened, ID: -1, Root: lookup("flat"), Key: key}
	}
	return &ecs.Field{Name: name, Type: ecs.Unmapped, ID: -1}
}

func allFields() iter.Seq[*ecs.Field] { return slices.Values(schema) }

func options(quirks bool) kql.Options {
	return kql.Options{Lookup: lookup, Fields: allFields, Quirks: quirks}
}
