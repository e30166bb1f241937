package kql_test

import (
	"math/rand/v2"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
)

// A generator makes documents and queries that have something to do with each
// other: most values of a query are values of the document, or parts of them.
type generator struct {
	*rand.Rand
	doc map[string]any
}

var vocabulary = map[ecs.Type][]any{
	ecs.Keyword: {
		"a", "b", "ab", "abc", "A", "aa b", "é", "not x", "x or y", "a*b", "back\\slash", "tab\there", "true", "7",
		"12345678", "123456789", "😀😀😀😀", "😀😀😀😀x", "ends in not", "line\nend", "\"quoted\"", "(a)", "", strings.Repeat("long ", 300),
	},
	ecs.Text:      {"the quick brown fox", "Quick-Fox!", "É fox", "a", "brown", ""},
	ecs.IP:        {"10.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "2001:db8::1", "::ffff:10.0.0.1", "AWS Internal"},
	ecs.Boolean:   {true, false, "true", "false", "maybe"},
	ecs.Long:      {0, 1, 7, -7, 443, "22", "no number", 1 << 60},
	ecs.Double:    {0, 1, "0.5", "-2.25", "1e3", "x"},
	ecs.Date:      {"2024-05-01T00:00:00.000Z", "2024-05-01T10:30:00.000Z", "2024-05-02T23:59:59.999Z", "2023-12-31T12:00:00.500Z", "never"},
	ecs.Flattened: {"x", "y", "x y", "id.pem", 22, true},
	ecs.GeoPoint:  {"1,2"},
}

var written = map[ecs.Type][]string{
	ecs.Keyword:         {"a", "zz", "c d", "?", "NOT", "and", "null", "true"},
	ecs.Text:            {"fox", "quick fox", "brown fox", "dog", "Fox", "--"},
	ecs.IP:              {"10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "2001:db8::/32", "::/0", "1.2.3", "10.0.0.0/99", "::ffff:10.0.0.1"},
	ecs.Boolean:         {"true", "false", "TRUE"},
	ecs.Long:            {"7", "7.0", "7.5", "1e2", "-7", "0", "443", "x", "99999999999999999999"},
	ecs.Double:          {"0.5", "0.50", "1", "1e3", "-3", "NaN"},
	ecs.Date:            {"2024", "2024-05", "2024-05-01", "2024-05-01T10", "2024-05-01T10:30:00", "2024-05-01T12:30+02:00", "2024-13", "2024-02-30"},
	ecs.Flattened:       {"x", "22", "true", "x y", "pem"},
	ecs.ConstantKeyword: {"aws.cloudtrail", "aws.*", "aws", "*"},
	ecs.GeoPoint:        {"1,2"},
	ecs.Object:          {"a"},
	ecs.Unmapped:        {"a"},
}

func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

func (g *generator) value(t ecs.Type) any { return pick(g, vocabulary[t]) }

// document fills about half of the fields, some of them with lists.
func (g *generator) document() {
	g.doc = map[string]any{}
	for _, f := range schema {
		if f.Type == ecs.Object || f.Type == ecs.ConstantKeyword || g.IntN(2) == 0 {
			continue
		}
		var v any
		if f.Type == ecs.Flattened {
			v = map[string]any{"a": g.many(f.Type), "b": map[string]any{"c": g.many(f.Type)}, "key": g.many(f.Type)}
			if g.IntN(3) == 0 {
				v = []any{v, map[string]any{"b.c": g.many(f.Type)}}
			}
		} else {
			v = g.many(f.Type)
		}
		if name, ok := strings.CutPrefix(f.Name, "obj."); ok && g.IntN(2) == 0 {
			o, _ := g.doc["obj"].(map[string]any)
			if o == nil {
				o = map[string]any{}
			}
			o[name] = v
			g.doc["obj"] = o
			continue
		}
		g.doc[f.Name] = v
	}
}

func (g *generator) many(t ecs.Type) any {
	switch g.IntN(6) {
	case 0:
		return nil
	case 1, 2:
		return []any{g.value(t), g.value(t)}
	case 3:
		return []any{}
	}
	return g.value(t)
}

func text(parts ...string) *kql.Literal { return literal(false, parts...) }

// literal is what Parse makes of the parts, so that printing it gives the same tree.
func literal(quoted bool, parts ...string) *kql.Literal {
	lit := &kql.Literal{Quoted: quoted, Parts: parts}
	if quoted {
		return lit
	}
	parts[0] = strings.TrimLeft(parts[0], " \t\r\n")
	parts[len(parts)-1] = strings.TrimRight(parts[len(parts)-1], " \t\r\n")
	switch {
	case len(parts) > 1:
		lit.Kind = kql.Wildcard
	case parts[0] == "null":
		lit.Kind = kql.Null
	case parts[0] == "true":
		lit.Kind = kql.True
	case parts[0] == "false":
		lit.Kind = kql.False
	}
	return lit
}

func (g *generator) field() (*kql.Literal, *ecs.Field) {
	if g.IntN(12) == 0 {
		name := pick(g, []string{"kw*", "*", "*ong", "obj.*", "x*", "s*t", "*l*"})
		return text(strings.Split(name, "*")...), pick(g, schema)
	}
	name := pick(g, append([]string{"flat.a", "flat.b.c", "flat.key", "flat.b", "nothing"}, names()...))
	f := lookup(name)
	return literal(g.IntN(10) == 0, name), f
}

func names() []string {
	var out []string
	for _, f := range schema {
		out = append(out, f.Name)
	}
	return out
}

// literalFor is rarely a value that the field cannot be compared with, which
// would make the whole query an error.
func (g *generator) literalFor(f *ecs.Field) *kql.Literal {
	for {
		lit := g.anyLiteral(f)
		_, err := oracle{doc: g.doc}.one(f, lit, lit)
		if err == nil || g.IntN(20) == 0 {
			return lit
		}
	}
}

// anyLiteral is mostly a value that the document has.
func (g *generator) anyLiteral(f *ecs.Field) *kql.Literal {
	if g.IntN(6) == 0 {
		return text("", "")
	}
	var s string
	if have := (oracle{doc: g.doc}).texts(f); len(have) > 0 && g.IntN(5) > 0 {
		s = pick(g, have)
	} else {
		s = pick(g, written[f.Type])
	}
	wild := f.Type == ecs.Keyword || f.Type == ecs.Flattened || f.Type == ecs.Text || f.Type == ecs.ConstantKeyword || g.IntN(20) == 0
	if !wild || g.IntN(3) > 0 {
		return literal(g.IntN(3) == 0, s)
	}
	runes := []rune(s)
	var parts []string
	for range 1 + g.IntN(3) {
		cut := g.IntN(len(runes) + 1)
		parts = append(parts, string(runes[:cut]))
		runes = runes[min(len(runes), cut+g.IntN(3)):]
	}
	if g.IntN(2) == 0 {
		runes = nil
	}
	return text(append(parts, string(runes))...)
}

// list is a value or a list of values.
func (g *generator) list(f *ecs.Field, depth int) kql.Node {
	if depth == 0 || g.IntN(3) > 0 {
		return g.literalFor(f)
	}
	switch g.IntN(6) {
	case 0:
		return &kql.Not{X: g.literalFor(f)}
	case 1:
		return &kql.And{Of: []kql.Node{g.list(f, depth-1), g.list(f, depth-1)}}
	}
	or := &kql.Or{}
	for range 2 + g.IntN(4)*g.IntN(4) {
		or.Of = append(or.Of, g.list(f, depth-1))
	}
	return or
}

func (g *generator) query(depth int) kql.Node {
	if depth == 0 || g.IntN(4) == 0 {
		return g.condition()
	}
	switch g.IntN(5) {
	case 0:
		return &kql.Not{X: g.query(depth - 1)}
	case 1, 2:
		return &kql.And{Of: []kql.Node{g.query(depth - 1), g.query(depth - 1)}}
	}
	return &kql.Or{Of: []kql.Node{g.query(depth - 1), g.query(depth - 1), g.query(depth - 1)}}
}

func (g *generator) condition() kql.Node {
	name, f := g.field()
	switch g.IntN(10) {
	case 0, 1:
		op := pick(g, []kql.Op{kql.Less, kql.LessEqual, kql.Greater, kql.GreaterEqual})
		lit := g.literalFor(f)
		if lit.Kind == kql.Wildcard {
			lit = literal(true, lit.Text())
		}
		return &kql.Range{Field: name, Op: op, Value: lit}
	case 2:
		return &kql.Is{Value: g.literalFor(f)}
	}
	return &kql.Is{Field: name, Value: g.list(f, 2)}
}
