// Package attacks holds the attacks that prove that rules fire: one file each,
// with its document and its test data beside it, and the one list of them.
//
// An attack is a few reversible steps on a target that it is given. To add one,
// add its file, its .md, its testdata and a line to All: the tests say what is
// missing. Where attacks are detonated, and how they are judged, is package
// validate's business.
package attacks

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/validate"
)

// All lists every attack, grouped by tactic.
var All = []validate.Attack{
	// exfiltration
	ShareLayerPublicly,
}

// Docs holds each attack's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
