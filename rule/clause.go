package rule

import (
	"slices"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// A clause is one value (or range) of a query with the field it is compared
// with: the smallest part that can be wrong on its own.
type clause struct {
	field *kql.Literal // nil for free text
	value *kql.Literal
	node  kql.Node // the clause as a condition of its own
	// negated is whether an odd number of nots stands above it.
	negated bool
	// either is whether the clause is one alternative of an or, so that it
	// being true settles the or.
	either bool
}

// clauses lists the clauses below n in source order.
func clauses(n kql.Node) []clause {
	var out []clause
	var walk func(n kql.Node, field *kql.Literal, is *kql.Is, negated, either bool)
	walk = func(n kql.Node, field *kql.Literal, is *kql.Is, negated, either bool) {
		switch n := n.(type) {
		case *kql.Or:
			for _, x := range n.Of {
				walk(x, field, is, negated, true)
			}
		case *kql.And:
			for _, x := range n.Of {
				walk(x, field, is, negated, either)
			}
		case *kql.Not:
			walk(n.X, field, is, !negated, either)
		case *kql.Nested:
			walk(n.X, field, is, negated, either)
		case *kql.Range:
			out = append(out, clause{field: n.Field, value: n.Value, node: n, negated: negated, either: either})
		case *kql.Is:
			walk(n.Value, n.Field, n, negated, either)
		case *kql.Literal:
			if is == nil {
				return
			}
			node := &kql.Is{At: n.At, Field: field, Value: n}
			if is.Value == kql.Node(n) {
				node.At = is.At
			}
			out = append(out, clause{field: field, value: n, node: node, negated: negated, either: either})
		}
	}
	walk(n, nil, nil, false, false)
	return out
}

// name is the clause's field, nil for free text and for a name with a wildcard.
func (c clause) name() *ecs.Field {
	if c.field == nil || c.field.Kind != kql.String {
		return nil
	}
	return ecs.Lookup(c.field.Text())
}

// condition compiles a part of a query; nil when it does not compile on its own.
func condition(n kql.Node) query.Predicate {
	p, err := kql.Compile(&kql.Query{Root: n}, kql.Options{})
	if err != nil {
		return nil
	}
	return p
}

// onlyExcludes reports whether the query reads the named fields under a not
// only.
func onlyExcludes(q *kql.Query, names []string) bool {
	if q.Root == nil {
		return false
	}
	return !slices.ContainsFunc(clauses(q.Root), func(c clause) bool {
		f := c.name()
		return f != nil && slices.Contains(names, f.Name) && !c.negated
	})
}

// facts are what is known of every CloudTrail document: the constants of the
// index.
func facts(f *ecs.Field) ([]string, bool) {
	if f.Type == ecs.ConstantKeyword {
		return []string{f.Const}, true
	}
	return nil, false
}

// assume is facts and one field more.
func assume(name string, values []string) query.Known {
	return func(f *ecs.Field) ([]string, bool) {
		if f.Name == name {
			return values, true
		}
		return facts(f)
	}
}
