package kql

import (
	"fmt"
	"iter"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// Options say what a query is compiled against. The zero Options is the
// CloudTrail mapping of package ecs.
type Options struct {
	// Lookup gives the field of a name, never nil; ecs.Lookup by default.
	Lookup func(name string) *ecs.Field
	// Fields are the mapped fields, for field names with a wildcard; ecs.All by default.
	Fields func() iter.Seq[*ecs.Field]
	// DefaultFields are searched by a value without a field; all fields with
	// values by default.
	DefaultFields []*ecs.Field
	// Quirks follows Elasticsearch where it does what no author can have meant
	// (`--elastic-quirks`, docs/elastic-differences.md).
	Quirks bool
}

// maxLeaves limits what field names with wildcards and free text expand to.
const maxLeaves = 100_000

// Compile makes a program of q. It is an error, a *query.Error with a position,
// to compare a field with what its type cannot be compared with: Elasticsearch
// fails the whole search then. A field that is not mapped is no error: no record
// has it.
func Compile(q *Query, opt Options) (query.Predicate, error) {
	if opt.Lookup == nil {
		opt.Lookup = ecs.Lookup
	}
	if opt.Fields == nil {
		opt.Fields = ecs.All
	}
	if q.Root == nil {
		return query.Const(true), nil
	}
	c := &compiler{opt: opt, fields: map[string]*ecs.Field{}, texts: map[Node]query.At{}}
	return c.node(q.Root)
}

type compiler struct {
	opt    Options
	fields map[string]*ecs.Field // one *Field a name, also for sub-keys
	texts  map[Node]query.At     // how the leaf of a value is printed
	leaves int
}

func (c *compiler) node(n Node) (query.Predicate, error) {
	switch n := n.(type) {
	case *Nested:
		return nil, &query.Error{
			Pos: n.Path.At, Msg: fmt.Sprintf("%q is not a nested field", n.Path.Text()),
			Hint: fmt.Sprintf("no field of this index is nested; write %s.name: value", n.Path.Text()),
		}
	case *Range:
		return c.comparison(n)
	case *Is:
		return c.is(n)
	}
	return combine(n, c.node)
}

// combine compiles and, or, not with one for the operands.
func combine(n Node, one func(Node) (query.Predicate, error)) (query.Predicate, error) {
	switch n := n.(type) {
	case *Or:
		ps, err := each(n.Of, one)
		if err != nil {
			return nil, err
		}
		return query.Or(ps...), nil
	case *And:
		ps, err := each(n.Of, one)
		if err != nil {
			return nil, err
		}
		return query.And(ps...), nil
	case *Not:
		p, err := one(n.X)
		if err != nil {
			return nil, err
		}
		return query.Not(p), nil
	}
	return nil, &query.Error{Pos: n.Pos(), Msg: "a condition cannot stand here"}
}

func each(ns []Node, one func(Node) (query.Predicate, error)) ([]query.Predicate, error) {
	ps := make([]query.Predicate, len(ns))
	for i, n := range ns {
		p, err := one(n)
		if err != nil {
			return nil, err
		}
		ps[i] = p
	}
	return ps, nil
}

// is compiles `field: value`. Kibana takes the unquoted field name null for no
// field at all.
func (c *compiler) is(n *Is) (query.Predicate, error) {
	all, _ := n.Value.(*Literal)
	lone := all != nil && all.Lone()
	switch {
	case n.Field == nil || n.Field.Kind == Null:
		if lone {
			return query.Fixed(true, nil, c.at(n), "matches every record"), nil
		}
		return c.freeText(n)
	case n.Field.Lone() && lone:
		return query.Fixed(true, nil, c.at(n), "matches every record"), nil
	case n.Field.Kind == Wildcard:
		return c.wildField(n)
	}
	return c.value(c.field(n.Field.Text()), n, n.Value)
}

// wildField compiles `field*: value`. Each value of a list is looked for in all
// the fields on its own, because Kibana repeats the field for each.
func (c *compiler) wildField(n *Is) (query.Predicate, error) {
	if _, ok := n.Value.(*Literal); !ok {
		return combine(n.Value, func(v Node) (query.Predicate, error) {
			return c.wildField(&Is{At: v.Pos(), Field: n.Field, Value: v})
		})
	}
	return c.everyField(n, n.Field, func(f *ecs.Field) (query.Predicate, error) {
		return c.value(f, n, n.Value)
	})
}

func (c *compiler) comparison(n *Range) (query.Predicate, error) {
	if n.Field.Kind == Wildcard {
		return c.everyField(n, n.Field, func(f *ecs.Field) (query.Predicate, error) { return c.rangeOn(f, n) })
	}
	return c.rangeOn(c.field(n.Field.Text()), n)
}

// everyField is true when one compiles to true on some field that the name
// matches. A field whose type cannot take the value is passed over; with Quirks
// it fails the query, as it fails Elastic's search.
func (c *compiler) everyField(n Node, name *Literal, one func(*ecs.Field) (query.Predicate, error)) (query.Predicate, error) {
	match := query.Wildcard(pattern(name), query.CaseSensitive)
	var ps []query.Predicate
	for f := range c.opt.Fields() {
		if f.Type == ecs.Object || f.Type == ecs.Unmapped || !match.Match(f.Name) {
			continue
		}
		p, err := one(f)
		switch {
		case err == nil:
			ps = append(ps, p)
		case c.opt.Quirks || isNull(err):
			return nil, err
		}
		if err := c.count(n, 1); err != nil {
			return nil, err
		}
	}
	if len(ps) == 0 {
		return query.Fixed(false, nil, c.at(n), "no mapped field is called "+name.Text()), nil
	}
	return query.Across(c.at(n), ps...), nil
}

// freeText compiles a value without a field: Kibana's multi_match over the
// default fields, which is lenient, or its query_string when it has a wildcard.
func (c *compiler) freeText(n *Is) (query.Predicate, error) {
	lit, ok := n.Value.(*Literal)
	if !ok {
		return combine(n.Value, func(v Node) (query.Predicate, error) {
			return c.freeText(&Is{At: v.Pos(), Value: v})
		})
	}
	if lit.Kind == Null {
		return nil, nullError(lit)
	}
	fields := c.opt.DefaultFields
	if fields == nil {
		for f := range c.opt.Fields() {
			fields = append(fields, f)
		}
	}
	at := c.at(n)
	var ps []query.Predicate
	for _, f := range fields {
		if f.Type == ecs.Object || f.Type == ecs.Unmapped || f.Type == ecs.GeoPoint {
			continue
		}
		v, err := c.condition(f, lit, true)
		if err != nil {
			continue
		}
		ps = append(ps, v.on(f, at))
		if err := c.count(n, 1); err != nil {
			return nil, err
		}
	}
	return query.Across(at, ps...), nil
}

// value compiles a value or a list of values of one field. Alternatives become
// one leaf, so that a list of names is one look-up.
func (c *compiler) value(f *ecs.Field, is *Is, n Node) (query.Predicate, error) {
	whole, ok := c.texts[n]
	if !ok {
		at := n.Pos()
		if n == is.Value {
			at = is.At
		}
		whole = c.at(&Is{At: at, Field: is.Field, Value: n})
		c.texts[n] = whole
	}
	if or, ok := n.(*Or); ok {
		if p, ok, err := c.alternatives(f, or, whole); ok || err != nil {
			return p, err
		}
	}
	lit, ok := n.(*Literal)
	if !ok {
		return combine(n, func(v Node) (query.Predicate, error) { return c.value(f, is, v) })
	}
	if err := c.count(n, 1); err != nil {
		return nil, err
	}
	v, err := c.condition(f, lit, false)
	if err != nil {
		return nil, err
	}
	return v.on(f, whole), nil
}

// alternatives makes one leaf of `(a or b or c)`; ok is false when the operands
// are not all plain values that a Test decides.
func (c *compiler) alternatives(f *ecs.Field, or *Or, at query.At) (p query.Predicate, ok bool, err error) {
	var tests []query.Test
	for _, n := range or.Of {
		lit, ok := n.(*Literal)
		if !ok {
			return nil, false, nil
		}
		v, err := c.condition(f, lit, false)
		if err != nil {
			return nil, false, err
		}
		if v.test == nil {
			return nil, false, nil
		}
		tests = append(tests, v.test)
	}
	if err := c.count(or, len(tests)); err != nil {
		return nil, false, err
	}
	return query.On(f, query.Some(tests...), at), true, nil
}

func (c *compiler) at(n Node) query.At { return query.At{Text: Format(n), Pos: n.Pos()} }

func (c *compiler) field(name string) *ecs.Field {
	f, ok := c.fields[name]
	if !ok {
		f = c.opt.Lookup(name)
		c.fields[name] = f
	}
	return f
}

func (c *compiler) count(n Node, values int) error {
	if c.leaves += values; c.leaves > maxLeaves {
		return &query.Error{
			Pos: n.Pos(), Msg: fmt.Sprintf("the query makes more than %d comparisons", maxLeaves),
			Hint: "name the fields that are meant",
		}
	}
	return nil
}

// pattern is a literal in the syntax of query.Wildcard: only its unescaped stars
// are wildcards, a question mark is itself.
func pattern(lit *Literal) string {
	parts := make([]string, len(lit.Parts))
	for i, p := range lit.Parts {
		parts[i] = query.EscapeWildcard(p)
	}
	return strings.Join(parts, "*")
}
