package kql

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// A condition is what a value means on a field: a test of the record's values,
// or something that needs none of them.
type condition struct {
	test   query.Test
	always func(f *ecs.Field, at query.At) query.Predicate // when test is nil
}

func (c condition) on(f *ecs.Field, at query.At) query.Predicate {
	if c.test == nil {
		return c.always(f, at)
	}
	return query.On(f, c.test, at)
}

func passes(t query.Test) condition { return condition{test: t} }

func fixed(v bool, note string) condition {
	return condition{always: func(f *ecs.Field, at query.At) query.Predicate {
		return query.Fixed(v, f, at, note)
	}}
}

// condition is the meaning of `f: lit`. Split is for free text, whose wildcards
// Kibana sends as a query_string on fields of every type.
func (c *compiler) condition(f *ecs.Field, lit *Literal, split bool) (condition, error) {
	if lit.Kind == Null {
		return condition{}, nullError(lit)
	}
	switch f.Type {
	case ecs.Unmapped:
		return fixed(false, "no field of this name is mapped, so no record has it"), nil
	case ecs.Object:
		if lit.Lone() {
			return condition{always: query.Exists}, nil
		}
		return fixed(false, "an object has no value of its own, only the fields below it have"), nil
	case ecs.ConstantKeyword:
		if f.Const != "" {
			return constant(f, lit), nil
		}
	case ecs.Keyword, ecs.Text, ecs.IP, ecs.Boolean, ecs.Long, ecs.Double, ecs.Date, ecs.Flattened, ecs.GeoPoint:
	}
	switch {
	case lit.Lone():
		return passes(hasValue(f)), nil
	case lit.Kind == Wildcard:
		return c.wildcard(f, lit, split)
	}
	t, err := equal(f, lit)
	return condition{test: t}, err
}

// constant compares with the value that every document has. Elasticsearch takes
// a star for a wildcard there, quoted or not (ES ConstantFieldType.termQuery,
// Regex.simpleMatch), and splits unquoted wildcards at white space.
func constant(f *ecs.Field, lit *Literal) condition {
	match := false
	if lit.Kind == Wildcard {
		for _, piece := range pieces(lit) {
			match = match || simpleMatch(piece.Text(), f.Const)
		}
	} else {
		match = simpleMatch(lit.Text(), f.Const)
	}
	return fixed(match, fmt.Sprintf("the value is %q in every document", f.Const))
}

func simpleMatch(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	for i, p := range parts {
		parts[i] = query.EscapeWildcard(p)
	}
	return query.Wildcard(strings.Join(parts, "*"), query.CaseSensitive).Match(s)
}

// hasValue passes what an index keeps of the field; a malformed value of a typed
// field is not indexed, so it does not exist.
func hasValue(f *ecs.Field) query.Test {
	switch f.Type {
	case ecs.Long:
		return query.Long(math.MinInt64, math.MaxInt64)
	case ecs.Double:
		return query.Double(query.Bound[float64]{}, query.Bound[float64]{})
	case ecs.Date:
		return query.Dates(math.MinInt64, math.MaxInt64)
	case ecs.Boolean:
		return query.Bool(true, true)
	case ecs.IP:
		return query.IPRange(query.Bound[netip.Addr]{}, query.Bound[netip.Addr]{})
	case ecs.Unmapped, ecs.Keyword, ecs.ConstantKeyword, ecs.Text, ecs.Flattened, ecs.GeoPoint, ecs.Object:
	}
	return query.Any()
}

func (c *compiler) wildcard(f *ecs.Field, lit *Literal, split bool) (condition, error) {
	switch f.Type {
	case ecs.Keyword, ecs.ConstantKeyword:
		if split {
			return queryString(f, lit, func(p *Literal) query.Test { return query.Wildcard(pattern(p), query.CaseSensitive) })
		}
		return passes(query.Wildcard(pattern(lit), query.CaseSensitive)), nil
	case ecs.Text:
		return queryString(f, lit, func(p *Literal) query.Test { return query.WordTest(pattern(p)) })
	case ecs.Flattened:
		if f.Root != nil && c.opt.Quirks {
			return keyedWildcard(f, lit), nil
		}
		if split || c.opt.Quirks {
			return queryString(f, lit, func(p *Literal) query.Test { return query.Wildcard(pattern(p), query.CaseSensitive) })
		}
		return passes(query.Wildcard(pattern(lit), query.CaseSensitive)), nil
	case ecs.IP:
		return condition{}, wrongValue(lit, "write a block such as 10.0.0.0/8", "%s is an ip, which takes no wildcard", f.Name)
	case ecs.Boolean, ecs.Long, ecs.Double, ecs.Date, ecs.GeoPoint, ecs.Unmapped, ecs.Object:
	}
	return condition{}, wrongValue(lit, "compare it with < or >, or test that it exists with *",
		"%s takes no wildcard: it is a %s", f.Name, typeName(f.Type))
}

// queryString splits the pattern at white space, as the query_string that
// Kibana sends for all but keyword fields does; one piece that passes is enough.
func queryString(f *ecs.Field, lit *Literal, wild func(*Literal) query.Test) (condition, error) {
	var tests []query.Test
	for _, p := range pieces(lit) {
		if p.Kind == Wildcard {
			tests = append(tests, wild(p))
			continue
		}
		if isOperator(p.Text()) {
			return condition{}, &query.Error{
				Pos: lit.At, Msg: fmt.Sprintf("%q beside a wildcard is an operator to Elasticsearch", p.Text()), Hint: "put the value in quotes",
				Err: &query.UnsupportedError{Name: "an operator of query_string", Needs: "Lucene's query parser"},
			}
		}
		t, err := equal(f, p)
		if err != nil {
			return condition{}, err
		}
		tests = append(tests, t)
	}
	return passes(query.Some(tests...)), nil
}

func isOperator(s string) bool {
	for w := range strings.FieldsSeq(s) {
		if w == "AND" || w == "OR" || w == "NOT" {
			return true
		}
	}
	return false
}

// keyedWildcard is what Elasticsearch does with a wildcard on a sub-key of a
// flattened field: a pattern that ends in its only star is a prefix query on the
// key; any other is compared with the values of all keys, and can match only
// when it begins with a star, because the terms begin with their key (ES
// StringFieldType.normalizedWildcardQuery takes no key, FlattenedFieldMapper).
func keyedWildcard(f *ecs.Field, lit *Literal) condition {
	var ps []func(at query.At) query.Predicate
	for _, p := range pieces(lit) {
		on, t := f, query.Wildcard(pattern(p), query.CaseSensitive)
		switch {
		case p.Kind != Wildcard:
			t = query.Terms(p.Text())
		case len(p.Parts) == 2 && p.Parts[1] == "":
		case p.Parts[0] == "":
			on = f.Root
		default:
			t = query.Terms()
		}
		ps = append(ps, func(at query.At) query.Predicate { return query.On(on, t, at) })
	}
	return condition{always: func(_ *ecs.Field, at query.At) query.Predicate {
		of := make([]query.Predicate, len(ps))
		for i, p := range ps {
			of[i] = p(at)
		}
		return query.Across(at, of...)
	}}
}

// pieces splits a wildcard at white space into wildcards and, between them, runs
// of plain words, which query_string keeps together.
func pieces(lit *Literal) []*Literal {
	var out []*Literal
	var plain, word []string // word: the parts of the word that is being read
	end := func() {
		if len(word) == 1 {
			plain = append(plain, word[0])
		}
		if len(word) > 1 {
			out = appendWords(out, lit, plain)
			plain = nil
			out = append(out, &Literal{At: lit.At, Kind: Wildcard, Parts: word})
		}
		word = nil
	}
	for i, part := range lit.Parts {
		if i > 0 && word == nil {
			word = []string{""} // a star at the start of a word
		}
		if i > 0 {
			word = append(word, "")
		}
		first := true
		for text := range splitSpace(part) {
			if !first {
				end()
			}
			first = false
			switch {
			case word != nil:
				word[len(word)-1] += text
			case text != "":
				word = []string{text}
			}
		}
	}
	end()
	return appendWords(out, lit, plain)
}

// splitSpace yields the texts between white space, also empty ones.
func splitSpace(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			i := strings.IndexFunc(s, isQueryStringSpace)
			if i < 0 {
				yield(s)
				return
			}
			if !yield(s[:i]) {
				return
			}
			_, n := utf8.DecodeRuneInString(s[i:])
			s = s[i+n:]
		}
	}
}

func appendWords(out []*Literal, lit *Literal, words []string) []*Literal {
	if len(words) == 0 {
		return out
	}
	return append(out, &Literal{At: lit.At, Parts: []string{strings.Join(words, " ")}})
}

func isQueryStringSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u3000'
}

// equal is the test of a value without wildcards: a term query on keywords, else
// the match or match_phrase query that coerces the value to the field's type.
func equal(f *ecs.Field, lit *Literal) (query.Test, error) {
	text := lit.Text()
	switch f.Type {
	case ecs.Keyword, ecs.Flattened, ecs.ConstantKeyword:
		return query.Terms(text), nil
	case ecs.Text:
		return query.Words(text, lit.Quoted), nil
	case ecs.Boolean:
		if text != "true" && text != "false" {
			return nil, wrongValue(lit, "", "%s is true or false, not %s", f.Name, quote(text))
		}
		return query.Terms(text), nil
	case ecs.Long:
		n, exact, ok := query.ParseLong(text)
		switch {
		case !ok:
			return nil, wrongValue(lit, "", "%s is a whole number, not %s", f.Name, quote(text))
		case !exact:
			return query.Terms(), nil // decimals match no long
		}
		return query.Long(n, n), nil
	case ecs.Double:
		n, ok := query.ParseDouble(text)
		if !ok {
			return nil, wrongValue(lit, "", "%s is a number, not %s", f.Name, quote(text))
		}
		return query.Double(included(n), included(n)), nil
	case ecs.Date:
		lo, err := dateBound(lit, false)
		if err != nil {
			return nil, err
		}
		hi, err := dateBound(lit, true)
		return query.Dates(lo, hi), err
	case ecs.IP:
		return addresses(f, lit)
	case ecs.GeoPoint, ecs.Unmapped, ecs.Object:
	}
	return nil, wrongValue(lit, "", "%s is a %s, which no value equals", f.Name, typeName(f.Type))
}

func addresses(f *ecs.Field, lit *Literal) (query.Test, error) {
	text := lit.Text()
	if strings.Contains(text, "/") {
		block, ok := query.ParseCIDR(text)
		if !ok {
			return nil, wrongValue(lit, "write an address and a number of bits, such as 10.0.0.0/8",
				"%s is an ip: %s is not a block", f.Name, quote(text))
		}
		return query.IPs(block), nil
	}
	a, ok := query.ParseIP(text)
	if !ok {
		return nil, wrongValue(lit, "write an address such as 10.0.0.1 or 2001:db8::1, or a block such as 10.0.0.0/8",
			"%s is an ip: %s is not an address", f.Name, quote(text))
	}
	return query.IPs(netip.PrefixFrom(a, a.BitLen())), nil
}

func included[T any](v T) query.Bound[T] { return query.Bound[T]{Value: v, Set: true} }

func dateBound(lit *Literal, up bool) (int64, error) {
	ms, err := query.ParseQueryDate(lit.Text(), up)
	if err == nil {
		return ms, nil
	}
	at := &query.Error{Pos: lit.At, Msg: err.Error(), Hint: query.DateHint}
	if errors.Is(err, query.ErrUnsupported) {
		at.Err = err
	}
	return 0, at
}

// errNull is the cause of nullError.
var errNull = errors.New("null is no value")

func isNull(err error) bool { return errors.Is(err, errNull) }

func nullError(lit *Literal) error {
	return &query.Error{
		Pos: lit.At, Msg: "null is no value to search for",
		Hint: `write not field: * for a field that is missing, or "null" for the word`, Err: errNull,
	}
}

// wrongValue is the error of a value that the field cannot be compared with.
func wrongValue(lit *Literal, hint, format string, args ...any) error {
	return &query.Error{Pos: lit.At, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func quote(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:64], "") + "…"
	}
	return strconv.Quote(s)
}

func typeName(t ecs.Type) string {
	switch t {
	case ecs.Unmapped:
		return "name without a mapping"
	case ecs.Keyword:
		return "keyword"
	case ecs.ConstantKeyword:
		return "constant keyword"
	case ecs.Text:
		return "text"
	case ecs.IP:
		return "ip"
	case ecs.Boolean:
		return "boolean"
	case ecs.Long:
		return "long"
	case ecs.Double:
		return "double"
	case ecs.Date:
		return "date"
	case ecs.Flattened:
		return "flattened object"
	case ecs.GeoPoint:
		return "geo_point"
	case ecs.Object:
		return "object"
	}
	return "type"
}
