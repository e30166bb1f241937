// Package fixes holds the fixes: one file each, with its document and its test
// data beside it, and the one list of them.
//
// A fix turns an exposure into a plan and calls nothing. To add one, add its
// file, its .md, its testdata and a line to All: the tests say what is missing.
// Carrying plans out is package respond's business, which no fix can reach.
package fixes

import (
	"embed"

	"github.com/lamina-sec/lamina/internal/remedy"
)

// All lists every fix, least intrusive first.
var All = []remedy.Fix{
	RemovePublicGrant,
}

// Docs holds each fix's document as ID.md.
//
//go:embed *.md
var Docs embed.FS
