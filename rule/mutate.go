package rule

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// A Mutant is the rule's query with one thing changed. Tests that notice no
// difference do not prove that thing.
type Mutant struct {
	// Pos is the changed clause in the rule's file.
	Pos query.Pos
	// Change says what was done, e.g. "without event.outcome: success".
	Change string
	// KilledBy is the first case that noticed, "" if none did.
	KilledBy string
	// Because is why no record could notice, as the suite says; "" if it does
	// not say so.
	Because string
	// Try says which record would notice.
	Try string
}

// maxWork bounds the values that are compiled for the mutants of one query: a
// mutant of n values costs n.
const maxWork = 300_000

// Mutate changes the query clause by clause (drops it, turns it round, widens
// it to any value, swaps and and or) and notes which case notices. The cases
// must pass; todos and cases whose event could not be made are left out.
//
// A clause on a field that is the same in every document is only turned round:
// no record could notice its absence.
func (r *Report) Mutate() {
	r.Mutants, r.Untried = nil, 0
	q := r.Program.Query
	if q == nil || q.Root == nil {
		return
	}
	all := mutations(q.Root)
	most := maxWork / max(len(clauses(q.Root)), 1)
	if len(all) > most {
		r.Untried = len(all) - most
		all = all[:most]
	}
	for _, m := range all {
		p, err := kql.Compile(&kql.Query{Root: replace(q.Root, m.target, m.with)}, kql.Options{Quirks: r.Program.quirks})
		if err != nil {
			continue
		}
		out := Mutant{Pos: r.Program.Rule.QueryPos(m.target.Pos()), Change: m.change, Try: m.try}
		for _, res := range r.Results {
			if res.Err == nil && res.Case.Want != Todo && !res.Excepted && p.Match(res.event) != (res.Got == Hit) {
				out.KilledBy = res.Case.Name
				break
			}
		}
		if out.KilledBy == "" {
			i := slices.IndexFunc(r.Implied, func(x Implied) bool { return strings.Contains(out.Change, x.Clause) })
			if i >= 0 {
				out.Because = r.Implied[i].Because
			}
		}
		r.Mutants = append(r.Mutants, out)
	}
}

// A mutation is a change to a query: with stands in target's place, nothing if
// it is nil.
type mutation struct {
	target, with kql.Node
	change, try  string
}

// mutations lists the changes to a query in source order.
func mutations(root kql.Node) []mutation {
	var out []mutation
	add := func(target, with kql.Node, change, try string) {
		out = append(out, mutation{target: target, with: with, change: change, try: try})
	}
	var walk func(n kql.Node, field *kql.Literal, negated bool)
	walk = func(n kql.Node, field *kql.Literal, negated bool) {
		text := kql.Format(n)
		switch n := n.(type) {
		case *kql.And:
			if len(n.Of) > 0 {
				add(n, &kql.Or{At: n.At, Of: n.Of}, "with or instead of and", "a record that satisfies only some of: "+text)
			}
			for _, x := range n.Of {
				walk(x, field, negated)
			}
		case *kql.Or:
			add(n, &kql.And{At: n.At, Of: n.Of}, "with and instead of or", "a record that satisfies only one of: "+text)
			for _, x := range n.Of {
				walk(x, field, negated)
			}
		case *kql.Not:
			add(n, n.X, "without the not of "+text, "a record that the negation excludes")
			add(n, nil, "without "+text, "a record that the negation excludes, under nomatch/")
			walk(n.X, field, !negated)
		case *kql.Nested:
			walk(n.X, field, negated)
		case *kql.Is:
			if lit, ok := n.Value.(*kql.Literal); ok {
				mutateClause(add, n, lit, fixedField(n.Field), negated)
				return
			}
			walk(n.Value, n.Field, negated)
		case *kql.Range:
			add(n, &kql.Not{At: n.At, X: n}, "with not "+text, "a record that satisfies it")
			add(n, nil, "without "+text, "a record that fails only: "+text)
		case *kql.Literal:
			mutateClause(add, n, n, fixedField(field), negated)
		}
	}
	walk(root, nil, false)
	slices.SortStableFunc(out, func(a, b mutation) int { return a.target.Pos().Offset - b.target.Pos().Offset })
	return out
}

// fixedField reports whether every document has the same value in the field.
func fixedField(field *kql.Literal) bool {
	return field != nil && field.Kind == kql.String && ecs.Lookup(field.Text()).Type == ecs.ConstantKeyword
}

// mutateClause changes one value: n is the node that stands for it, lit the
// value in it.
func mutateClause(add func(target, with kql.Node, change, try string), n kql.Node, lit *kql.Literal, fixed, negated bool) {
	text := kql.Format(n)
	try := "a record under nomatch/ that fails only: " + text
	if negated {
		try = "a record under nomatch/ that is excluded only by: " + text
	}
	add(n, &kql.Not{At: n.Pos(), X: n}, "with not "+text, "a record under match/ that satisfies: "+text)
	if fixed {
		return
	}
	add(n, nil, "without "+text, try)
	if lit.Lone() {
		return
	}
	star := &kql.Literal{At: lit.At, Kind: kql.Wildcard, Parts: []string{"", ""}}
	var wide kql.Node = star
	if is, ok := n.(*kql.Is); ok {
		if is.Field == nil {
			return
		}
		wide = &kql.Is{At: is.At, Field: is.Field, Value: star}
	}
	add(n, wide, "with any value for "+text, "a record under nomatch/ that has another value for: "+text)
}

// replace is n with target replaced; a nil replacement drops target, and with
// it what has no operand left.
func replace(n, target, with kql.Node) kql.Node {
	if n == target {
		return with
	}
	switch n := n.(type) {
	case *kql.And:
		return operands(n.Of, target, with, func(of []kql.Node) kql.Node { return &kql.And{At: n.At, Of: of} })
	case *kql.Or:
		return operands(n.Of, target, with, func(of []kql.Node) kql.Node { return &kql.Or{At: n.At, Of: of} })
	case *kql.Not:
		if x := replace(n.X, target, with); x != nil {
			return &kql.Not{At: n.At, X: x}
		}
		return nil
	case *kql.Nested:
		if x := replace(n.X, target, with); x != nil {
			return &kql.Nested{At: n.At, Path: n.Path, X: x}
		}
		return nil
	case *kql.Is:
		if x := replace(n.Value, target, with); x != nil {
			return &kql.Is{At: n.At, Field: n.Field, Value: x}
		}
		return nil
	default:
		return n
	}
}

func operands(of []kql.Node, target, with kql.Node, rebuild func([]kql.Node) kql.Node) kql.Node {
	out := make([]kql.Node, 0, len(of))
	for _, x := range of {
		if y := replace(x, target, with); y != nil {
			out = append(out, y)
		}
	}
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return rebuild(out)
}
