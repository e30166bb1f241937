package query

import (
	"fmt"
	"strings"
)

// A Miss says why a record did not match and what would have to be different.
type Miss struct {
	// First is the first leaf, in the order of the query, that stands against a match.
	First Need
	// Need is the smallest set of leaves that would have to be different for
	// the query to match. It counts clauses, not values: two clauses on the same
	// field may ask for what one value cannot be.
	Need []Need
	// Failed of Total clauses of the outermost "and" are false; 1 of 1 when the
	// query is no "and".
	Failed, Total int
}

// A Need is a leaf and the value it should have.
type Need struct {
	Clause Clause
	Want   bool
}

// NearestMiss explains a clause tree that did not match; ok is false when it
// did, or when no set of leaves could have made it match.
func NearestMiss(c Clause) (m Miss, ok bool) {
	if c.Match {
		return Miss{}, false
	}
	need := needs(c, true)
	if len(need) == 0 {
		return Miss{}, false
	}
	m = Miss{First: firstNeed(c, true), Need: distinct(need), Failed: 1, Total: 1}
	if c.Text == "and" && len(c.Clauses) > 0 {
		m.Total, m.Failed = len(c.Clauses), 0
		for _, d := range c.Clauses {
			if !d.Match {
				m.Failed++
			}
		}
	}
	return m, true
}

// needs is the smallest set of leaves to change for c to have the value want;
// nil when it has it already.
func needs(c Clause, want bool) []Need {
	if c.Match == want {
		return nil
	}
	switch {
	case len(c.Clauses) == 0:
		return []Need{{Clause: c, Want: want}}
	case c.Text == "not":
		return needs(c.Clauses[0], !want)
	case (c.Text == "and") == want: // every operand must have the value
		var all []Need
		for _, d := range c.Clauses {
			all = append(all, needs(d, want)...)
		}
		return all
	}
	var best []Need
	for i, d := range c.Clauses {
		if n := needs(d, want); i == 0 || len(n) < len(best) {
			best = n
		}
	}
	return best
}

func firstNeed(c Clause, want bool) Need {
	if len(c.Clauses) == 0 {
		return Need{Clause: c, Want: want}
	}
	if c.Text == "not" {
		return firstNeed(c.Clauses[0], !want)
	}
	for _, d := range c.Clauses {
		if d.Match != want {
			return firstNeed(d, want)
		}
	}
	return Need{Clause: c, Want: want}
}

// distinct drops leaves that ask the same a second time.
func distinct(ns []Need) []Need {
	out := ns[:0:0]
	seen := map[string]bool{}
	for _, n := range ns {
		key := fmt.Sprint(n.Want, " ", n.Clause.Text)
		if !seen[key] {
			seen[key] = true
			out = append(out, n)
		}
	}
	return out
}

// String is the condition that should hold, e.g. `event.action: "x"` or
// `not event.outcome: failure`.
func (n Need) String() string {
	if n.Want {
		return n.Clause.Text
	}
	return "not " + n.Clause.Text
}

// Saw is what the record has instead: `event.action is "y"`, `event.action is
// missing`, with at most three values.
func (n Need) Saw() string {
	c := n.Clause
	switch {
	case c.Field == "":
		return c.Note
	case len(c.Values) == 0 && c.Note != "":
		return c.Field + " is missing: " + c.Note
	case len(c.Values) == 0:
		return c.Field + " is missing"
	}
	var b strings.Builder
	b.WriteString(c.Field + " is ")
	for i, v := range c.Values {
		if i == 3 {
			fmt.Fprintf(&b, " and %d more", len(c.Values)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteShort(v))
	}
	return b.String()
}

// quoteShort quotes a value, cut to 200 bytes.
func quoteShort(v string) string {
	if len(v) <= 200 {
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(v[:200], ""), len(v))
}
