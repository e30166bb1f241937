// Package jssyntax reads what JavaScript does: what it imports, calls, replaces,
// and which value reaches which call.
//
// The tree is made by tdewolff/parse, the facts by codeflow; this package owns
// what JavaScript's and Node's names mean. It runs nothing and judges nothing.
// Source that does not parse is reported in Facts.Errors and looked through for
// literals. Start with Parse.
package jssyntax

import "github.com/lamina-sec/lamina/internal/codeflow"

// Facts, Import and Flow are those of codeflow.
type (
	Facts  = codeflow.Facts
	Import = codeflow.Import
	Flow   = codeflow.Flow
)
