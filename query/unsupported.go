package query

import "errors"

// ErrUnsupported is what every UnsupportedError is: errors.Is(err,
// ErrUnsupported) tells "not yet" from "wrong".
var ErrUnsupported = errors.New("unsupported")

// An UnsupportedError says that a query is understood to be one of a kind that
// nothing here can run, and what would run it.
type UnsupportedError struct {
	// Name is the thing that cannot be run, e.g. "an EQL query".
	Name string
	// Needs is what would run it, e.g. "the EQL engine".
	Needs string
}

func (e *UnsupportedError) Error() string { return e.Name + " needs " + e.Needs }

// Is makes every UnsupportedError match ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }
