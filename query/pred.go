package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/ecs"
)

// A Test decides about one value of a field, as text. It is immutable and does
// not allocate. A leaf is true when some visible value passes its Test.
type Test interface {
	Match(value string) bool
}

// At says how a leaf is written and where: what an explanation prints.
type At struct {
	Text string
	Pos  Pos
}

// And is true when every operand is. And() is true.
func And(ps ...Predicate) Predicate {
	switch len(ps) {
	case 0:
		return Const(true)
	case 1:
		return ps[0]
	}
	return &and{slices.Clone(ps)}
}

// Or is true when some operand is. Or() is false.
func Or(ps ...Predicate) Predicate {
	switch len(ps) {
	case 0:
		return Const(false)
	case 1:
		return ps[0]
	}
	return &or{slices.Clone(ps)}
}

// Not is true when p is not, and so also when the field that p reads is missing.
func Not(p Predicate) Predicate { return &not{p} }

// Const is the same for every record.
func Const(v bool) Predicate {
	text := "false"
	if v {
		text = "true"
	}
	return Fixed(v, nil, At{Text: text}, "")
}

// Fixed is the same for every record, and explained as a leaf on f (which may be
// nil) with a note why it does not depend on the record.
func Fixed(v bool, f *ecs.Field, at At, note string) Predicate {
	return &fixed{v: v, f: f, at: at, note: note}
}

// On is true when some value of f passes t. A value that is longer than
// f.IgnoreAbove UTF-16 units is not seen, as Elasticsearch neither indexes it
// nor keeps it in doc values.
func On(f *ecs.Field, t Test, at At) Predicate { return &leaf{f: f, t: t, at: at} }

// Exists is true when the record has a value at f or below it. It is for Object
// fields; for a field with values use On with Any, which also honours
// IgnoreAbove.
func Exists(f *ecs.Field, at At) Predicate { return &exists{f: f, at: at} }

// Across is Or over the same condition on many fields, explained as one leaf:
// a free-text value, or a field name with a wildcard.
func Across(at At, ps ...Predicate) Predicate { return &across{ps: slices.Clone(ps), at: at} }

type and struct{ ps []Predicate }

func (p *and) Match(ev ecs.Event) bool {
	for _, q := range p.ps {
		if !q.Match(ev) {
			return false
		}
	}
	return true
}

func (p *and) Fold(known Known) Tri { return foldAll(p.ps, known, False) }

func (p *and) Fields(dst []*ecs.Field) []*ecs.Field { return fieldsOf(p.ps, dst) }

func (p *and) Explain(ev ecs.Event) Clause { return explainAll("and", p.ps, ev, false) }

type or struct{ ps []Predicate }

func (p *or) Match(ev ecs.Event) bool {
	for _, q := range p.ps {
		if q.Match(ev) {
			return true
		}
	}
	return false
}

func (p *or) Fold(known Known) Tri { return foldAll(p.ps, known, True) }

func (p *or) Fields(dst []*ecs.Field) []*ecs.Field { return fieldsOf(p.ps, dst) }

func (p *or) Explain(ev ecs.Event) Clause { return explainAll("or", p.ps, ev, true) }

type not struct{ p Predicate }

func (p *not) Match(ev ecs.Event) bool { return !p.p.Match(ev) }

func (p *not) Fold(known Known) Tri { return p.p.Fold(known).Not() }

func (p *not) Fields(dst []*ecs.Field) []*ecs.Field { return p.p.Fields(dst) }

func (p *not) Explain(ev ecs.Event) Clause {
	c := p.p.Explain(ev)
	return Clause{Text: "not", Match: !c.Match, Pos: c.Pos, Clauses: []Clause{c}}
}

type fixed struct {
	v    bool
	f    *ecs.Field
	at   At
	note string
}

func (p *fixed) Match(ecs.Event) bool { return p.v }

func (p *fixed) Fold(Known) Tri { return TriOf(p.v) }

func (p *fixed) Fields(dst []*ecs.Field) []*ecs.Field {
	if p.f == nil {
		return dst
	}
	return appendField(dst, p.f)
}

func (p *fixed) Explain(ev ecs.Event) Clause {
	c := Clause{Text: p.at.Text, Match: p.v, Note: p.note, Pos: p.at.Pos}
	if p.f != nil {
		c.Field = p.f.Name
		c.Values = cloneValues(ev.Values(p.f))
	}
	return c
}

type leaf struct {
	f  *ecs.Field
	t  Test
	at At
}

func (p *leaf) Match(ev ecs.Event) bool { return p.any(ev.Values(p.f)) }

func (p *leaf) any(values []string) bool {
	for _, v := range values {
		if p.t.Match(v) && p.f.Indexed(v) {
			return true
		}
	}
	return false
}

func (p *leaf) Fold(known Known) Tri {
	values, ok := known(p.f)
	if !ok {
		return Unknown
	}
	return TriOf(p.any(values))
}

func (p *leaf) Fields(dst []*ecs.Field) []*ecs.Field { return appendField(dst, p.f) }

func (p *leaf) Explain(ev ecs.Event) Clause {
	values := ev.Values(p.f)
	c := Clause{
		Text: p.at.Text, Match: p.any(values), Field: p.f.Name,
		Values: cloneValues(values), Pos: p.at.Pos,
	}
	for _, v := range values {
		if !p.f.Indexed(v) {
			c.Note = fmt.Sprintf("a value of %d characters is longer than ignore_above %d, so queries do not see it", ecs.UTF16Len(v), p.f.IgnoreAbove)
		}
	}
	return c
}

type exists struct {
	f  *ecs.Field
	at At
}

func (p *exists) Match(ev ecs.Event) bool { return ev.Exists(p.f) }

// Fold cannot tell: what is known of a field says nothing of the fields below it.
func (p *exists) Fold(Known) Tri { return Unknown }

func (p *exists) Fields(dst []*ecs.Field) []*ecs.Field { return appendField(dst, p.f) }

func (p *exists) Explain(ev ecs.Event) Clause {
	return Clause{
		Text: p.at.Text, Match: ev.Exists(p.f), Field: p.f.Name,
		Values: cloneValues(ev.Values(p.f)), Pos: p.at.Pos,
	}
}

type across struct {
	ps []Predicate
	at At
}

func (p *across) Match(ev ecs.Event) bool {
	for _, q := range p.ps {
		if q.Match(ev) {
			return true
		}
	}
	return false
}

func (p *across) Fold(known Known) Tri { return foldAll(p.ps, known, True) }

func (p *across) Fields(dst []*ecs.Field) []*ecs.Field { return fieldsOf(p.ps, dst) }

func (p *across) Explain(ev ecs.Event) Clause {
	for _, q := range p.ps {
		if c := q.Explain(ev); c.Match {
			return Clause{Text: p.at.Text, Match: true, Field: c.Field, Values: c.Values, Note: c.Note, Pos: p.at.Pos}
		}
	}
	return Clause{Text: p.at.Text, Note: fmt.Sprintf("none of %d fields matches", len(p.ps)), Pos: p.at.Pos}
}

// foldAll folds operands of which one with the value decides settles the whole.
func foldAll(ps []Predicate, known Known, decides Tri) Tri {
	all := decides.Not()
	for _, q := range ps {
		switch t := q.Fold(known); t {
		case decides:
			return decides
		case Unknown:
			all = Unknown
		case True, False:
		}
	}
	return all
}

func explainAll(text string, ps []Predicate, ev ecs.Event, decides bool) Clause {
	c := Clause{Text: text, Match: !decides, Clauses: make([]Clause, len(ps))}
	for i, q := range ps {
		c.Clauses[i] = q.Explain(ev)
		if c.Clauses[i].Match == decides {
			c.Match = decides
		}
	}
	c.Pos = c.Clauses[0].Pos
	return c
}

func fieldsOf(ps []Predicate, dst []*ecs.Field) []*ecs.Field {
	for _, q := range ps {
		dst = q.Fields(dst)
	}
	return dst
}

// appendField compares names, because each Lookup of a sub-key of a flattened
// field may give another address.
func appendField(dst []*ecs.Field, f *ecs.Field) []*ecs.Field {
	for _, g := range dst {
		if g == f || g.Name == f.Name {
			return dst
		}
	}
	return append(dst, f)
}

// cloneValues copies the strings too: an event is reused for the next record.
func cloneValues(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Clone(v)
	}
	return out
}

// TriOf is True or False.
func TriOf(v bool) Tri {
	if v {
		return True
	}
	return False
}

// Not is three-valued: what is not known stays unknown.
func (t Tri) Not() Tri {
	switch t {
	case True:
		return False
	case False:
		return True
	case Unknown:
	}
	return Unknown
}

func (t Tri) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	case Unknown:
	}
	return "unknown"
}

// Residual is p with everything that known answers replaced by its value: the
// program that is left for records that agree with known. It is for matching,
// not for explaining.
func Residual(p Predicate, known Known) Predicate {
	switch p.Fold(known) {
	case True:
		return Const(true)
	case False:
		return Const(false)
	case Unknown:
	}
	switch p := p.(type) {
	case *and:
		return And(residuals(p.ps, known, True)...)
	case *or:
		return Or(residuals(p.ps, known, False)...)
	case *not:
		return Not(Residual(p.p, known))
	case *across:
		return Or(residuals(p.ps, known, False)...)
	}
	return p
}

func residuals(ps []Predicate, known Known, neutral Tri) []Predicate {
	out := make([]Predicate, 0, len(ps))
	for _, q := range ps {
		if q.Fold(known) != neutral {
			out = append(out, Residual(q, known))
		}
	}
	return out
}

// firstRune is the first code point of s and its length; (0, 0) for "".
func firstRune(s string) (rune, int) {
	if s == "" {
		return 0, 0
	}
	return utf8.DecodeRuneInString(s)
}
