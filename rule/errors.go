package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/query"
)

// maxErrors is how many errors of one file are reported; a file that has more
// is not worth reading on.
const maxErrors = 50

// An Error is one thing that is wrong with a file, and where.
type Error struct {
	File string
	Pos  query.Pos
	Msg  string
	Hint string // a guess at what was meant, or ""
	Err  error  // what it was made of, or nil
}

// Error is "file:line:col: message"; the hint is the caller's to print.
func (e *Error) Error() string {
	if e.Pos.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Pos.Line, e.Pos.Col, e.Msg)
}

// Unwrap is what the error was made of, or else the same as a *query.Error, so
// that whoever reports errors finds position and hint of every kind of mistake
// in a rule in one type.
func (e *Error) Unwrap() error {
	if e.Err == nil {
		return &query.Error{Pos: e.Pos, Msg: e.Msg, Hint: e.Hint}
	}
	return e.Err
}

// Errors is everything that is wrong with a file, in file order.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As and errors.Is each of the errors.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, x := range e {
		all[i] = x
	}
	return all
}

// err is e as an error: sorted, and nil when there is none.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Compare(a.Pos.Offset, b.Pos.Offset) })
	return e[:min(len(e), maxErrors)]
}
