// Package jssyntax reads what JavaScript does: what it imports, calls, replaces,
// and which value reaches which call.
//
// The syntax is read by tdewolff/parse; this package turns it into the tree of
// codeflow, finds the lines again (that parser keeps none), and owns what
// JavaScript's and Node's names mean. It runs nothing and judges nothing.
// Source that does not parse is reported in Facts.Errors and looked through for
// literals and require calls. Start with Parse.
package jssyntax

import (
	"fmt"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

type (
	// Facts are those of codeflow.
	Facts = codeflow.Facts
	// Import is that of codeflow.
	Import = codeflow.Import
	// Flow is that of codeflow.
	Flow = codeflow.Flow
)

// MaxSource is the size in bytes up to which source is parsed. Of a larger file
// the literals are read; its Facts are Partial.
const MaxSource = 6 << 20

// maxNodes bounds the expressions of one file.
const maxNodes = 1 << 20

// Parse reads one file of source, a script or a module.
func Parse[S string | []byte](src S) *Facts {
	f := &Facts{Language: "javascript"}
	text := strings.TrimPrefix(string(src), "\xef\xbb\xbf")
	measure(f, text)
	if len(text) > MaxSource {
		f.Truncated = true
		return literals(f, text)
	}
	// The parser writes a byte behind what it is given.
	buf := make([]byte, len(text), len(text)+1)
	copy(buf, text)
	ast, err := tree(buf, js.Options{})
	if err != nil && strings.Contains(err.Error(), "return") {
		// CommonJS may return outside of functions
		copy(buf, text)
		ast, err = tree(buf, js.Options{Inline: true})
	}
	if err != nil {
		f.Errors = append(f.Errors, problem(err))
		return literals(f, text)
	}
	c := converter{f: f, text: text, line: 1, arena: codeflow.NewArena(maxNodes)}
	defer c.arena.Release()
	body, err := c.convert(ast)
	if err != nil {
		f.Errors = append(f.Errors, problem(err))
		return literals(f, text)
	}
	if c.arena.Full() {
		f.Truncated = true
	}
	return codeflow.Analyze(&codeflow.Tree{Body: body, Facts: f}, &javascript)
}

// tree calls the parser, whose panics on hostile source end here.
func tree(buf []byte, o js.Options) (ast *js.AST, err error) {
	defer func() {
		if p := recover(); p != nil {
			ast, err = nil, fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	return js.Parse(parse.NewInputBytes(buf), o)
}

func problem(err error) codeflow.Error {
	if e, ok := err.(*parse.Error); ok { //nolint:errorlint // the parser returns it bare
		return codeflow.Error{Line: e.Line, Message: codeflow.Clean(e.Message)}
	}
	return codeflow.Error{Message: codeflow.Clean(err.Error())}
}

// literals looks through a file without a tree.
func literals(f *Facts, text string) *Facts {
	line, at := 1, 0
	for {
		i := strings.Index(text[at:], "require(")
		if i < 0 || len(f.Imports) >= 1024 {
			break
		}
		line += strings.Count(text[at:at+i], "\n")
		at += i
		rest := text[at+len("require("):]
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			if j := strings.IndexByte(rest[1:min(len(rest), 256)], rest[0]); j > 0 {
				f.Imports = append(f.Imports, Import{Kind: codeflow.ImportRequire, Module: codeflow.Clean(rest[1 : j+1]), Line: line})
			}
		}
		at += len("require(")
	}
	return codeflow.Literals(f, text)
}

// measure counts lines and what obfuscated code stands out by.
func measure(f *Facts, text string) {
	m := &f.Measures
	m.Bytes = len(text)
	for rest := text; rest != ""; {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		m.LongestLine = max(m.LongestLine, i)
		m.Lines++
		rest = rest[min(i+1, len(rest)):]
	}
	m.Minified = m.LongestLine > 1000
	m.Rotated = strings.Contains(text, "['push']") && strings.Contains(text, "['shift']") || rotates(text)
}

// rotates says whether the text pushes what it shifts off, as the prologue of an
// obfuscator's string array does.
func rotates(text string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], ".push(")
		if i < 0 {
			return false
		}
		at += i + len(".push(")
		if strings.Contains(text[at:min(len(text), at+48)], ".shift())") && strings.Contains(text[at:min(len(text), at+400)], "parseInt(") {
			return true
		}
	}
}
