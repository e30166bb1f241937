// Package pysyntax reads what Python does: source, bytecode and .pth files.
//
// It has a tokenizer and a parser of statements of its own, which accept any
// bytes: what Python would reject is reported in Facts.Errors and skipped to the
// end of the logical line, so that hostile source hides nothing behind a mistake.
// Python 2's print, exec and backticks are read as well. It runs and compiles
// nothing and judges nothing; which value reaches which call is worked out by
// codeflow. Start with Parse.
package pysyntax

import (
	"bytes"
	"strings"

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
// the imports and the literals are read; its Facts are Partial.
const MaxSource = 4 << 20

// Parse reads one file of source.
func Parse(src []byte) *Facts {
	text, facts := prepare(src)
	if facts.Partial {
		facts.Imports = Imports(src)
		return codeflow.Literals(facts, text)
	}
	p := parser{lex: newLexer(text, &facts.Measures), arena: codeflow.NewArena(maxNodes), f: facts}
	defer p.arena.Release()
	body := p.file()
	return codeflow.Analyze(&codeflow.Tree{Body: body, Facts: facts}, &python)
}

// prepare takes off the byte order mark and measures lines.
func prepare(src []byte) (string, *Facts) {
	f := &Facts{Language: "python"}
	f.Measures.Bytes = len(src)
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	longest := 0
	for rest := src; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		longest = max(longest, i)
		f.Measures.Lines++
		rest = rest[min(i+1, len(rest)):]
	}
	f.Measures.LongestLine = longest
	if f.Measures.Lines > 0 {
		f.Measures.Minified = longest > 1000
	}
	text := string(src)
	if i := strings.IndexByte(text, '\r'); i >= 0 && strings.IndexByte(text, '\n') < 0 {
		text = strings.ReplaceAll(text, "\r", "\n") // old Macintosh line ends
	}
	if enc := encoding(text); enc != "" {
		f.Errors = append(f.Errors, codeflow.Error{Line: 1, Message: "source in the encoding " + enc + " is not read"})
		f.Partial = true
	}
	if len(src) > MaxSource {
		f.Partial, f.Truncated = true, true
	}
	return text, f
}

// encoding is the declared encoding of the source (PEP 263) if its bytes are not
// those of ASCII, "" otherwise.
func encoding(s string) string {
	if strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		return "utf-16"
	}
	head := s[:min(len(s), 400)]
	for range 2 {
		line, rest, _ := strings.Cut(head, "\n")
		if t := strings.TrimLeft(line, " \t\f"); strings.HasPrefix(t, "#") {
			if i := strings.Index(t, "coding"); i >= 0 && i+7 < len(t) && (t[i+6] == ':' || t[i+6] == '=') {
				name := strings.TrimLeft(t[i+7:], " \t")
				end := 0
				for end < len(name) && (classOf[name[end]] == cName || classOf[name[end]] == cDigit || name[end] == '-' || name[end] == '.') {
					end++
				}
				name = strings.ReplaceAll(strings.ToLower(name[:end]), "_", "-")
				for _, odd := range []string{"utf-7", "utf7", "utf-16", "utf16", "utf-32", "rot13", "rot-13", "raw-unicode-escape", "unicode-escape", "base64", "hex", "zlib", "bz2", "uu", "punycode", "idna", "quopri", "string-escape"} {
					if strings.HasPrefix(name, odd) {
						return odd
					}
				}
			}
		} else if strings.TrimSpace(line) != "" {
			return ""
		}
		head = rest
	}
	return ""
}
