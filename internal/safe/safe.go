// Package safe is the one place where strings from outside (layers, logs, rules,
// policies, file names) are made fit for the sink that will show them: terminal,
// Markdown, HTML, CSV, encoded JSON.
//
// Every function here keeps what can be seen and turns what cannot be seen into
// something that can: control characters, ANSI sequences, bidirectional and
// zero-width characters and invalid UTF-8 come out as the escape a Go programmer
// would write (\x1b, \u202e, \xff). Nothing is dropped, so two different inputs
// that mattered stay different to the reader, except where a function says that
// it shortens.
//
// It knows nothing of secrets: what must not be shown at all never gets here.
// It does not parse its sinks either: an attribute, a URL or a script needs more
// than HTML gives, and html/template for that.
package safe

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

const digits = "0123456789abcdef"

// Terminal returns s with everything that is not plainly visible escaped. A line
// break is shown as \n: the result is one line. Backslashes are left alone, so
// that Terminal(Terminal(s)) == Terminal(s). The result is at most four times as
// long as s.
func Terminal(s string) string {
	return escape(s, plain)
}

// Lines splits s at its line breaks and makes each line fit for a terminal. A
// carriage return before a line feed belongs to the break. Tabs become four
// spaces, because the lines of a query or a note are indented with them.
func Lines(s string) []string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Terminal(strings.ReplaceAll(l, "\t", "    "))
	}
	return lines
}

// Line is Terminal with runs of white space, line breaks among them, folded to
// one space, and shortened to at most limit characters; what was cut shows as
// "…". A limit below 1 means none.
func Line(s string, limit int) string {
	if isLine(s) && (limit < 1 || len(s) <= limit) {
		return s
	}
	s = Terminal(strings.Join(strings.Fields(s), " "))
	if limit < 1 || len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return s[:i] + "…"
		}
	}
	return s
}

// isLine reports whether s is printable ASCII in which no two spaces meet and
// none stands at an end: Line has nothing to do. Most strings are like that.
func isLine(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return s == "" || before != ' '
}

// Markdown returns s as inline text of CommonMark and GitHub's dialect: nothing
// in it starts markup, a table cell, an HTML tag or a link, wherever in a line it
// is put. GitHub looks for mentions in what was rendered, so a name from outside
// that could mention a person belongs into MarkdownCode.
func Markdown(s string) string {
	s = Terminal(s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	block := true // only what opens a block (a list, a rule, a heading) came so far
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '&':
			b.WriteString("&amp;")
		case strings.IndexByte("\\`*_[]|~#@$", c) >= 0,
			c == ':' && i+1 < len(s) && s[i+1] == '/',
			c == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"),
			block && strings.IndexByte("-+=.)", c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
		block = block && (c == ' ' || '0' <= c && c <= '9')
	}
	return b.String()
}

// MarkdownCode returns s as a code span, in which nothing is markup, a mention
// or a link. A pipe is escaped as a table cell needs it, which shows a backslash
// too many outside a table. The empty string stays empty.
func MarkdownCode(s string) string {
	s = Terminal(s)
	if s == "" {
		return ""
	}
	// The fence is longer than any run of backticks inside
	// (https://spec.commonmark.org/0.31.2/#code-spans).
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	s = strings.ReplaceAll(s, "|", `\|`)
	// A space at both ends is stripped again by the renderer, unless all is space.
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// HTML returns s as the text of an element or of a quoted attribute. Line feeds
// and tabs are kept. For anything else (a URL, a script, an unquoted attribute)
// use html/template.
func HTML(s string) string {
	return html.EscapeString(escape(s, func(r rune) bool { return r == '\n' || r == '\t' || plain(r) }))
}

// CSV returns s as the value of one cell that no spreadsheet takes for a
// formula: a cell that would start one gets an apostrophe in front
// (https://owasp.org/www-community/attacks/CSV_Injection). Quoting is left to
// encoding/csv. CSV(CSV(s)) == CSV(s).
func CSV(s string) string {
	s = Terminal(s)
	switch r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, ` "'`)); r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠':
		if s[0] != '\'' {
			return "'" + s
		}
	}
	return s
}

// JSON makes an encoded JSON text fit for a terminal without changing what it
// means: inside strings, which is the only place where they can stand,
// characters that are not plainly visible become \u escapes. encoding/json does
// that for ASCII controls only. doc must be valid JSON as encoding/json writes
// it; it is returned unchanged (not copied) when there is nothing to do.
func JSON(doc []byte) []byte {
	clean := true
	for i := 0; i < len(doc) && clean; {
		if c := doc[i]; c < utf8.RuneSelf {
			clean = c != 0x7f
			i++
			continue
		}
		r, n := utf8.DecodeRune(doc[i:])
		clean = plain(r)
		i += n
	}
	if clean {
		return doc
	}
	out := make([]byte, 0, len(doc)+64)
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		switch {
		case r < ' ': // white space between tokens
			out = append(out, doc[i])
		case r == utf8.RuneError && n == 1:
			out = append(out, "\ufffd"...)
		case plain(r):
			out = append(out, doc[i:i+n]...)
		case r > 0xffff:
			hi, lo := surrogates(r)
			out = appendU(appendU(out, hi), lo)
		default:
			out = appendU(out, r)
		}
		i += n
	}
	return out
}

func surrogates(r rune) (hi, lo rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

func appendU(b []byte, r rune) []byte {
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// plain reports whether r shows as itself and does nothing else: letters, marks,
// digits, punctuation, symbols and the ASCII space. unicode.IsPrint already
// leaves out controls, format characters (bidirectional, zero-width, tags), all
// other spaces, private and unassigned code points.
func plain(r rune) bool {
	if r < utf8.RuneSelf {
		return ' ' <= r && r < 0x7f
	}
	switch {
	case !unicode.IsPrint(r),
		r == utf8.RuneError,      // so that a replacement is never mistaken for the original
		r == 0x034f,              // combining grapheme joiner
		r == 0x115f, r == 0x1160, // Hangul fillers
		r == 0x17b4, r == 0x17b5, // Khmer inherent vowels
		0x180b <= r && r <= 0x180f, // Mongolian selectors
		r == 0x2800,                // blank braille pattern
		r == 0x3164, r == 0xffa0,   // Hangul fillers
		0xfe00 <= r && r <= 0xfe0f,   // variation selectors
		0xe0100 <= r && r <= 0xe01ef: // more of them
		return false
	}
	return true
}

func escape(s string, keep func(rune) bool) string {
	i := 0
	for i < len(s) && ' ' <= s[i] && s[i] < 0x7f { // every sink keeps these
		i++
	}
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !keep(r) {
			break
		}
		i += n
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:i])
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			writeX(&b, s[i])
		case keep(r):
			b.WriteString(s[i : i+n])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			writeX(&b, s[i])
		case r <= 0xffff:
			b.Write(appendU(nil, r))
		default:
			b.WriteString(`\U`)
			for shift := 28; shift >= 0; shift -= 4 {
				b.WriteByte(digits[r>>shift&15])
			}
		}
		i += n
	}
	return b.String()
}

func writeX(b *strings.Builder, c byte) {
	b.WriteString(`\x`)
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}
