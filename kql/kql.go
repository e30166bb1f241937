// Package kql is the Kibana Query Language: parse with positions, print back,
// compile to a query.Predicate.
//
// The grammar is Kibana's (elastic/kibana packages/kbn-es-query/grammar/grammar.peggy),
// with its corners: a word that ends in "not" ends a value, "not(" is an error,
// `\not` is a line end and "ot". The meaning is that of the Elasticsearch query
// that Kibana makes of it (src/kuery/functions/is.ts, range.ts, nested.ts), over
// the field types of package ecs. Where Lamina means something else than
// Elastic, docs/elastic-differences.md says so, from the tests in testdata.
//
// Start with Parse, then Compile. The package knows no rule, no file and no
// clock, and it refuses what needs one.
package kql

import (
	"strings"

	"github.com/lamina-sec/lamina/query"
)

// The limits of a query; more is an error with a position, not a crash.
const (
	MaxSize  = 1 << 20 // bytes of source
	MaxNodes = 10_000  // nodes of the syntax tree
	MaxDepth = 256     // parentheses and braces inside each other
)

// A Query is a parsed query. It is never changed after Parse.
type Query struct {
	// Root is the outermost node, nil for a query of nothing but white space,
	// which every record matches.
	Root Node

	src string
}

// Source is the text that was parsed; the positions of nodes count in it.
func (q *Query) Source() string { return q.src }

// A Node is a part of a query: *Or, *And, *Not, *Nested, *Range, *Is, and inside
// Is.Value *Or, *And, *Not and *Literal. Nodes belong to their Query: read them,
// do not change them.
type Node interface {
	// Pos is the place in the source. Its length is that of the whole node
	// without the parentheses around it.
	Pos() query.Pos
}

type (
	// Or is `a or b or c`; two operands or more.
	Or struct {
		At query.Pos
		Of []Node
	}
	// And is `a and b and c`; two operands or more.
	And struct {
		At query.Pos
		Of []Node
	}
	// Not is `not a`.
	Not struct {
		At query.Pos
		X  Node
	}
	// Nested is `path: { x }`.
	Nested struct {
		At   query.Pos
		Path *Literal
		X    Node
	}
	// Range is `field < value`.
	Range struct {
		At    query.Pos
		Field *Literal
		Op    Op
		Value *Literal
	}
	// Is is `field: value` or `field: (list of values)`.
	Is struct {
		At    query.Pos
		Field *Literal // nil for a value without a field: free text
		Value Node     // *Literal, or *Or, *And, *Not over the same
	}
	// Literal is a value or a field name.
	Literal struct {
		At     query.Pos
		Kind   Kind
		Quoted bool     // written in double quotes
		Parts  []string // the text between the stars of a Wildcard; else one text, without escapes
	}
)

// A Kind is what an unquoted literal stands for.
type Kind uint8

// The kinds of literals. Only an unquoted literal can be other than String.
const (
	String   Kind = iota
	Wildcard      // has at least one unescaped star
	Null
	True
	False
)

// An Op compares a field with a value.
type Op uint8

// The comparisons of Range.
const (
	Less Op = iota
	LessEqual
	Greater
	GreaterEqual
)

func (op Op) String() string {
	switch op {
	case Less:
		return "<"
	case LessEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterEqual:
		return ">="
	}
	return "?"
}

// Pos is the place in the source.
func (n *Or) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *And) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *Not) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *Nested) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *Range) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *Is) Pos() query.Pos { return n.At }

// Pos is the place in the source.
func (n *Literal) Pos() query.Pos { return n.At }

// Text is the literal as a plain text: with a star for each star of a wildcard.
func (n *Literal) Text() string {
	return strings.Join(n.Parts, "*")
}

// Lone reports whether the literal is a single unquoted star.
func (n *Literal) Lone() bool {
	return n.Kind == Wildcard && len(n.Parts) == 2 && n.Parts[0] == "" && n.Parts[1] == ""
}
