package query

import (
	"slices"
	"strings"
)

// Requirer is a Test that knows which values can pass it. Exact are whole
// values, prefixes are beginnings; ok is false when it cannot say.
type Requirer interface {
	Required() (exact, prefixes []string, ok bool)
}

// Terms passes the values that are equal, byte for byte, to one of terms.
// Terms() passes nothing.
func Terms(terms ...string) Test {
	switch {
	case len(terms) == 1:
		return term(terms[0])
	case len(terms) <= 8: // measured: a map is faster from about nine on
		return termList(slices.Clone(terms))
	}
	m := make(termMap, len(terms))
	for _, t := range terms {
		m[t] = struct{}{}
	}
	return m
}

type term string

func (t term) Match(v string) bool { return v == string(t) }

func (t term) Required() (exact, prefixes []string, ok bool) { return []string{string(t)}, nil, true }

type termList []string

func (t termList) Match(v string) bool { return slices.Contains(t, v) }

func (t termList) Required() (exact, prefixes []string, ok bool) { return t, nil, true }

type termMap map[string]struct{}

func (t termMap) Match(v string) bool {
	_, ok := t[v]
	return ok
}

func (t termMap) Required() (exact, prefixes []string, ok bool) {
	for v := range t {
		exact = append(exact, v)
	}
	slices.Sort(exact)
	return exact, nil, true
}

// Any passes every value. On(f, Any(), at) is true when f has a visible value.
func Any() Test { return anyValue{} }

type anyValue struct{}

func (anyValue) Match(string) bool { return true }

// Some passes what one of the tests passes. Lists of terms become one list.
func Some(tests ...Test) Test {
	var terms []string
	var rest []Test
	for _, t := range tests {
		switch t := t.(type) {
		case term:
			terms = append(terms, string(t))
		case termList:
			terms = append(terms, t...)
		case termMap:
			exact, _, _ := t.Required()
			terms = append(terms, exact...)
		default:
			rest = append(rest, t)
		}
	}
	if len(terms) > 0 || len(rest) == 0 {
		rest = slices.Insert(rest, 0, Terms(terms...))
	}
	if len(rest) == 1 {
		return rest[0]
	}
	return some(rest)
}

type some []Test

func (s some) Match(v string) bool {
	for _, t := range s {
		if t.Match(v) {
			return true
		}
	}
	return false
}

func (s some) Required() (exact, prefixes []string, ok bool) {
	for _, t := range s {
		e, p, ok := requiredOf(t)
		if !ok {
			return nil, nil, false
		}
		exact = append(exact, e...)
		prefixes = append(prefixes, p...)
	}
	return exact, prefixes, true
}

func requiredOf(t Test) (exact, prefixes []string, ok bool) {
	if r, is := t.(Requirer); is {
		return r.Required()
	}
	return nil, nil, false
}

// A Bound is one end of a range: nothing, or a value that may be part of it.
type Bound[T any] struct {
	Value T
	Set   bool // false: no bound at this end
	Open  bool // the value itself is outside
}

// TextRange passes the values between lo and hi in byte order, which is the
// order of Lucene's terms.
func TextRange(lo, hi Bound[string]) Test { return textRange{lo, hi} }

type textRange struct{ lo, hi Bound[string] }

func (r textRange) Match(v string) bool {
	return (!r.lo.Set || within(strings.Compare(v, r.lo.Value), r.lo.Open)) &&
		(!r.hi.Set || within(strings.Compare(r.hi.Value, v), r.hi.Open))
}

// within judges a comparison of the greater with the smaller side of a bound.
func within(cmp int, open bool) bool { return cmp > 0 || cmp == 0 && !open }
