// Package questions holds the triage questions: one file each, with its
// document and its test data beside it, and the one list of them.
//
// A question answers from the case and says what the answer rests on, or why it
// cannot be had. To add one, add its file, its .md, its testdata and a line to
// All: the tests say what is missing. How a case is put together is package
// triage's business.
package questions

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/triage"
)

// All lists every question, in the order in which a person would ask them.
var All = []triage.Question{
	WhoWasGranted,
	StillGranted,
}

// Docs holds each question's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
