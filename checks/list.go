// Package checks holds the checks: one file each, with its document and its
// test data beside it, and the one list of them.
//
// A check reads the estate and says what it found; it never reads AWS. To add
// one, add its file, its .md, its testdata and a line to All: the tests say
// what is missing. How an estate is checked is package posture's business.
package checks

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/posture"
)

// All lists every check, grouped as the catalogue numbers them.
var All = []posture.Check{
	// EXP: who can read our layers
	LayerPublic,
}

// Docs holds each check's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
