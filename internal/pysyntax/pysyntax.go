// Package pysyntax reads from Python source what it imports.
//
// It is a tokenizer of import statements and no parser: it knows strings,
// comments, line joining and brackets, so that text which only looks like an
// import is not one. It never runs or compiles anything and accepts any bytes:
// source that Python would reject gives the imports up to there and whatever
// follows. Dynamic imports (importlib, __import__, exec) are not seen.
package pysyntax

import (
	"slices"
	"strings"
)

// Imports returns the dotted names of the modules that src imports anywhere,
// sorted and without repeats. Relative imports are left out: they stay in the
// package. For "from a import b" it is "a": whether b is a module cannot be
// told from the source.
func Imports(src []byte) []string {
	t := tokens{src: src}
	var names []string
	for start := true; ; {
		tok := t.next()
		switch {
		case tok == "":
			slices.Sort(names)
			return slices.Compact(names)
		case start && tok == "import":
			names = t.importNames(names)
			start = true
			continue
		case start && tok == "from":
			if name := t.dotted(); name != "" && t.next() == "import" {
				names = append(names, name)
			}
		}
		start = tok == "\n" || tok == ";" || tok == ":"
	}
}

type tokens struct {
	src   []byte
	pos   int
	depth int // of brackets, in which a newline is white space
}

// next returns "\n" for the end of a logical line, a name, one character of
// punctuation, `"` for any string, or "" at the end.
func (t *tokens) next() string {
	for t.pos < len(t.src) {
		c := t.src[t.pos]
		switch {
		case c == '\n':
			t.pos++
			if t.depth == 0 {
				return "\n"
			}
		case c == '\\' && t.at(1) == '\n':
			t.pos += 2
		case c == '\\' && t.at(1) == '\r' && t.at(2) == '\n':
			t.pos += 3
		case c == '#':
			for t.pos < len(t.src) && t.src[t.pos] != '\n' {
				t.pos++
			}
		case c == '"' || c == '\'':
			t.str(c)
			return `"`
		case nameByte(c):
			start := t.pos
			for t.pos < len(t.src) && nameByte(t.src[t.pos]) {
				t.pos++
			}
			return string(t.src[start:t.pos])
		case strings.IndexByte(" \t\r\f", c) >= 0 || c == 0:
			t.pos++
		default:
			switch c {
			case '(', '[', '{':
				t.depth++
			case ')', ']', '}':
				t.depth = max(0, t.depth-1)
			}
			t.pos++
			return string(rune(c))
		}
	}
	return ""
}

func (t *tokens) at(n int) byte {
	if t.pos+n < len(t.src) {
		return t.src[t.pos+n]
	}
	return 0
}

// str skips a string. Raw strings need no case of their own: a backslash keeps
// the quote after it in the string there too.
func (t *tokens) str(quote byte) {
	n := 1
	if t.at(1) == quote && t.at(2) == quote {
		n = 3
	}
	t.pos += n
	for t.pos < len(t.src) {
		switch c := t.src[t.pos]; {
		case c == '\\':
			t.pos += 2
			continue
		case c == '\n' && n == 1:
			return // unterminated: Python stops here, the next line is read again
		case c == quote && (n == 1 || t.at(1) == quote && t.at(2) == quote):
			t.pos += n
			return
		}
		t.pos++
	}
}

// dotted reads a.b.c and returns "" for a relative import.
func (t *tokens) dotted() string {
	name, dot := "", true
	for {
		mark, depth := t.pos, t.depth
		tok := t.next()
		switch {
		case tok == "." && name == "":
			return ""
		case tok == "." && !dot:
			dot = true
			name += "."
		case tok != "" && nameByte(tok[0]) && dot:
			dot = false
			name += tok
		default:
			t.pos, t.depth = mark, depth
			return strings.TrimSuffix(name, ".")
		}
	}
}

func (t *tokens) importNames(names []string) []string {
	for {
		if name := t.dotted(); name != "" {
			names = append(names, name)
		}
		tok := t.next()
		if tok == "as" {
			t.next()
			tok = t.next()
		}
		if tok != "," {
			return names
		}
	}
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
