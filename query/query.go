// Package query is what the three languages share: the compiled condition, what
// it requires of a record before it can be true, how it explains itself, and an
// error that knows its position.
//
// It knows nothing of any language's syntax. Languages build Predicates with
// And, Or, Not and On (one field against one Test); detect runs them, asks
// Required which literals a record must hold, and explain asks NearestMiss what
// was missing.
package query

import "github.com/lamina-sec/lamina/ecs"

// A Tri is a truth value that may not be known yet.
type Tri uint8

// The three truth values.
const (
	Unknown Tri = iota
	False
	True
)

// A Known answers for the fields whose values are already known. It returns
// ok=false for a field it cannot answer for; nil values with ok=true mean that
// the field is known to be missing.
type Known func(f *ecs.Field) (values []string, ok bool)

// A Predicate is a compiled condition: immutable, safe for concurrent use, and
// without allocation when it is evaluated.
type Predicate interface {
	// Match reports whether ev satisfies the condition.
	Match(ev ecs.Event) bool
	// Fold evaluates with only what known answers. True and False are final:
	// Match gives the same for every record that agrees with known.
	Fold(known Known) Tri
	// Fields adds the fields the condition reads to dst, without repeats.
	Fields(dst []*ecs.Field) []*ecs.Field
	// Explain evaluates like Match and says what each clause saw.
	Explain(ev ecs.Event) Clause
}

// A Clause is one node of an explanation.
type Clause struct {
	// Text is the clause as the language prints it, or "and", "or", "not".
	Text string `json:"text"`
	// Match is the clause's own truth value for the record.
	Match bool `json:"match"`
	// Field is the field a leaf reads, "" for and, or, not.
	Field string `json:"field,omitempty"`
	// Values are the values the leaf saw; empty when the field is missing.
	Values []string `json:"values,omitempty"`
	// Note says what the values do not: that the field is not mapped, or that a
	// value is too long to be indexed; "" otherwise.
	Note string `json:"note,omitempty"`
	// Pos is where the clause starts in the query text.
	Pos Pos `json:"pos"`
	// Clauses are the operands of and, or, not.
	Clauses []Clause `json:"clauses,omitempty"`
}

// A Pos is a place in a query text: byte offset from 0, line and column from 1
// (columns count bytes), and the length in bytes of the token meant.
type Pos struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Col    int `json:"col"`
	Len    int `json:"len,omitempty"`
}

// An Error is what is wrong with a query and where.
type Error struct {
	Pos  Pos
	Msg  string
	Hint string // a guess at what was meant, or ""
	Err  error  // the cause to find with errors.Is, e.g. ErrUnsupported, or nil
}

func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }
