package query

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
)

// Required is what f must be for p to be true: whenever p matches a record, some
// value of f is one of exact or begins with one of prefixes. Ok is false when p
// can be true whatever f is; ok with two empty lists means that p is never true.
// The lists are sorted, without repeats, and may be larger than necessary.
//
// A Predicate of another package can answer for itself with a method
// Required(f) of the same results.
func Required(p Predicate, f *ecs.Field) (exact, prefixes []string, ok bool) {
	l, ok := required(p, f, true)
	if !ok {
		return nil, nil, false
	}
	slices.Sort(l.exact)
	slices.Sort(l.prefixes)
	exact = slices.Compact(l.exact)
	prefixes = slices.Compact(l.prefixes)
	// A literal that a prefix covers adds nothing.
	covered := func(s string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return p != s && strings.HasPrefix(s, p) })
	}
	prefixes = slices.DeleteFunc(slices.Clone(prefixes), covered)
	exact = slices.DeleteFunc(exact, func(s string) bool { return covered(s) || slices.Contains(prefixes, s) })
	return exact, prefixes, true
}

type literals struct{ exact, prefixes []string }

func (l literals) size() int { return len(l.exact) + 4*len(l.prefixes) } // a prefix admits many values

// required asks when p has the value want.
func required(p Predicate, f *ecs.Field, want bool) (literals, bool) {
	switch p := p.(type) {
	case *and:
		return requiredList(p.ps, f, want, want)
	case *or:
		return requiredList(p.ps, f, want, !want)
	case *across:
		return requiredList(p.ps, f, want, !want)
	case *not:
		return required(p.p, f, !want)
	case *fixed:
		return literals{}, p.v != want // it never has that value
	case *leaf:
		if want && (p.f == f || p.f.Name == f.Name) {
			e, q, ok := requiredOf(p.t)
			return literals{slices.Clone(e), slices.Clone(q)}, ok
		}
	case interface {
		Required(f *ecs.Field) (exact, prefixes []string, ok bool)
	}:
		if want {
			e, q, ok := p.Required(f)
			return literals{slices.Clone(e), slices.Clone(q)}, ok
		}
	}
	return literals{}, false
}

// requiredList joins operands: when all must have the value, the narrowest of
// them is required; when one suffices, what any of them requires.
func requiredList(ps []Predicate, f *ecs.Field, want, all bool) (literals, bool) {
	var sum literals
	found := false
	for _, q := range ps {
		l, ok := required(q, f, want)
		switch {
		case all && ok && (!found || l.size() < sum.size()):
			sum, found = l, true
		case all:
		case !ok:
			return literals{}, false
		default:
			sum.exact = append(sum.exact, l.exact...)
			sum.prefixes = append(sum.prefixes, l.prefixes...)
		}
	}
	return sum, found || !all
}
