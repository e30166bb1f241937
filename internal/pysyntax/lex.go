package pysyntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

type kind uint8

const (
	tEOF kind = iota
	tNewline
	tIndent
	tDedent
	tName
	tNumber
	tString
	tOp
)

// token is one token. text is a part of the source.
type token struct {
	kind kind
	op   byte // of an operator of one character, or the first of a longer one
	text string
	line int
	pos  int
}

// Classes of bytes.
const (
	cOther uint8 = iota
	cSpace
	cName
	cDigit
	cOp
	cQuote
	cNewline
	cComment
	cBackslash
)

var classOf = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		switch {
		case b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80:
			t[c] = cName
		case b >= '0' && b <= '9':
			t[c] = cDigit
		case b == ' ' || b == '\t' || b == '\f' || b == '\r' || b == 0 || b == '\v':
			t[c] = cSpace
		case b == '\n':
			t[c] = cNewline
		case b == '#':
			t[c] = cComment
		case b == '"' || b == '\'':
			t[c] = cQuote
		case b == '\\':
			t[c] = cBackslash
		case b > ' ' && b < 0x7f:
			t[c] = cOp
		}
	}
	return t
}()

// lexer splits source into tokens. It accepts any bytes.
type lexer struct {
	src     string
	pos     int
	line    int
	depth   int // of brackets
	start   bool
	indents []int
	pending int // dedents to give
	atEnd   bool
	waste   int  // bytes looked at in vain for the end of a replacement field
	part    bool // an expression out of an f-string: no lines
	m       *codeflow.Measures
}

func newLexer(src string, m *codeflow.Measures) lexer {
	return lexer{src: src, line: 1, start: true, indents: []int{0}, m: m}
}

// indentation reads the white space at the start of a line. It returns false
// for a line with nothing on it.
func (l *lexer) indentation() (int, bool) {
	col := 0
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ':
			col++
		case '\t':
			col = col/8*8 + 8
		case '\f':
			col = 0
		case '\r', '\n', '#':
			if l.src[l.pos] == '\r' && l.pos+1 < len(l.src) && l.src[l.pos+1] != '\n' {
				return col, true
			}
			return col, false
		case '\\':
			// a joined line keeps the indentation of its first part
			return col, true
		default:
			return col, true
		}
		l.pos++
	}
	return col, false
}

func (l *lexer) next() token {
	if l.pending > 0 {
		l.pending--
		return token{kind: tDedent, line: l.line, pos: l.pos}
	}
	if l.start && l.depth == 0 && !l.part {
		for {
			col, ok := l.indentation()
			if ok {
				l.start = false
				top := l.indents[len(l.indents)-1]
				switch {
				case col > top:
					if len(l.indents) < 200 {
						l.indents = append(l.indents, col)
						return token{kind: tIndent, line: l.line, pos: l.pos}
					}
				case col < top:
					for len(l.indents) > 1 && l.indents[len(l.indents)-1] > col {
						l.indents = l.indents[:len(l.indents)-1]
						l.pending++
					}
					l.pending--
					return token{kind: tDedent, line: l.line, pos: l.pos}
				}
				break
			}
			if l.pos >= len(l.src) {
				break
			}
			l.skipLine()
		}
	}
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch classOf[c] {
		case cSpace:
			l.pos++
		case cOther:
			l.pos++
		case cNewline:
			l.pos++
			l.line++
			if l.depth == 0 && !l.part {
				l.start = true
				return token{kind: tNewline, line: l.line - 1, pos: l.pos - 1}
			}
		case cComment:
			if i := strings.IndexByte(l.src[l.pos:], '\n'); i >= 0 {
				l.pos += i
			} else {
				l.pos = len(l.src)
			}
		case cBackslash:
			switch {
			case strings.HasPrefix(l.src[l.pos:], "\\\n"):
				l.pos += 2
				l.line++
			case strings.HasPrefix(l.src[l.pos:], "\\\r\n"):
				l.pos += 3
				l.line++
			default:
				l.pos++
				return token{kind: tOp, op: '\\', text: "\\", line: l.line, pos: l.pos - 1}
			}
		case cName:
			return l.name()
		case cDigit:
			return l.number()
		case cQuote:
			return l.str(l.pos)
		case cOp:
			if c == '.' && l.pos+1 < len(l.src) && classOf[l.src[l.pos+1]] == cDigit {
				return l.number()
			}
			return l.operator()
		}
	}
	if !l.atEnd {
		l.atEnd = true
		l.pending = len(l.indents) - 1
		l.indents = l.indents[:1]
		if !l.part {
			return token{kind: tNewline, line: l.line, pos: l.pos}
		}
	}
	if l.pending > 0 {
		l.pending--
		return token{kind: tDedent, line: l.line, pos: l.pos}
	}
	return token{kind: tEOF, line: l.line, pos: l.pos}
}

func (l *lexer) skipLine() {
	if i := strings.IndexByte(l.src[l.pos:], '\n'); i >= 0 {
		l.pos += i + 1
		l.line++
	} else {
		l.pos = len(l.src)
	}
}

func (l *lexer) name() token {
	from := l.pos
	ascii := true
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		k := classOf[c]
		if k != cName && k != cDigit {
			break
		}
		if c >= 0x80 {
			ascii = false
		}
		l.pos++
	}
	text := l.src[from:l.pos]
	if l.pos < len(l.src) && classOf[l.src[l.pos]] == cQuote && len(text) <= 3 && stringPrefix(text) {
		return l.str(from)
	}
	if l.m != nil {
		l.m.Names++
		if len(text) >= 4 {
			measureName(l.m, text, ascii)
		}
	}
	return token{kind: tName, text: text, line: l.line, pos: from}
}

func measureName(m *codeflow.Measures, s string, ascii bool) {
	if !ascii {
		if mixedScript(s) {
			m.MixedScriptNames++
		}
		return
	}
	switch s[0] {
	case '_':
		if strings.HasPrefix(s, "_0x") || strings.HasPrefix(s, "__0x") {
			m.HexNames++
			return
		}
	case 'l', 'I', 'O', 'o':
	default:
		return
	}
	if len(s) < 6 {
		return
	}
	for i := range len(s) {
		switch s[i] {
		case 'l', 'I', '1', 'O', '0', 'o', '_', 'i':
		default:
			return
		}
	}
	if strings.Trim(s, "_") != "" {
		m.ConfusingNames++
	}
}

// mixedScript says whether a name has Latin letters and letters of a script that
// looks like it.
func mixedScript(s string) bool {
	latin, other := false, false
	for _, r := range s {
		switch {
		case r < 0x80:
			latin = latin || r >= 'A'
		case unicode.Is(unicode.Cyrillic, r), unicode.Is(unicode.Greek, r), r >= 0x1D400 && r <= 0x1D7FF, r >= 0xFF21 && r <= 0xFF5A:
			other = true
		}
	}
	return latin && other
}

func stringPrefix(s string) bool {
	for i := range len(s) {
		switch s[i] | 0x20 {
		case 'r', 'b', 'u', 'f', 't':
		default:
			return false
		}
	}
	return true
}

func (l *lexer) number() token {
	from := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		k := classOf[c]
		if k == cDigit || k == cName || c == '.' {
			l.pos++
			if (c == 'e' || c == 'E') && !strings.HasPrefix(l.src[from:], "0x") && !strings.HasPrefix(l.src[from:], "0X") &&
				l.pos < len(l.src) && (l.src[l.pos] == '+' || l.src[l.pos] == '-') {
				l.pos++
			}
			// "1if x else y" is legal
			continue
		}
		break
	}
	text := l.src[from:l.pos]
	// A keyword may follow a number at once: 1if, 0or, 1in, 2for, 3and, 1is, 1else.
	if !strings.HasPrefix(text, "0x") && !strings.HasPrefix(text, "0X") {
		for _, w := range [...]string{"if", "or", "in", "for", "and", "is", "else", "not"} {
			if i := strings.Index(text, w); i > 0 && strings.HasSuffix(text, w) {
				l.pos = from + i
				text = text[:i]
				break
			}
		}
	}
	return token{kind: tNumber, text: text, line: l.line, pos: from}
}

func (l *lexer) operator() token {
	from := l.pos
	c := l.src[from]
	n := 1
	rest := l.src[from:]
	if len(rest) > 1 {
		d := rest[1]
		switch c {
		case '*', '/', '<', '>':
			if d == c {
				n = 2
				if len(rest) > 2 && rest[2] == '=' {
					n = 3
				}
			} else if d == '=' || c == '<' && d == '>' {
				n = 2
			}
		case '=', '!', '+', '%', '&', '|', '^', '@', ':':
			if d == '=' {
				n = 2
			}
		case '-':
			if d == '=' || d == '>' {
				n = 2
			}
		case '.':
			if strings.HasPrefix(rest, "...") {
				n = 3
			}
		}
	}
	switch c {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		if l.depth > 0 {
			l.depth--
		}
	}
	l.pos += n
	return token{kind: tOp, op: c, text: l.src[from:l.pos], line: l.line, pos: from}
}

// str reads a string with its prefix, from there on. The token's text is all of
// it.
func (l *lexer) str(from int) token {
	line := l.line
	pos := from
	raw, format := false, false
	for classOf[l.src[pos]] != cQuote {
		switch l.src[pos] | 0x20 {
		case 'r':
			raw = true
		case 'f', 't':
			format = true
		}
		pos++
	}
	_ = raw
	end, lines := skipString(l.src, pos, format, 0, &l.waste)
	l.pos = end
	l.line += lines
	return token{kind: tString, text: l.src[from:end], line: line, pos: from}
}

// skipString returns the end of the string whose quote is at pos, and the
// newlines in it. A string that does not end goes to the end of its line.
func skipString(src string, pos int, format bool, depth int, waste *int) (end, lines int) {
	q := src[pos]
	triple := pos+2 < len(src) && src[pos+1] == q && src[pos+2] == q
	i := pos + 1
	if triple {
		i = pos + 3
	}
	from := i
	for i < len(src) {
		switch c := src[i]; {
		case c == '\\':
			if i+1 < len(src) && src[i+1] == '\n' {
				lines++
			} else if i+2 < len(src) && src[i+1] == '\r' && src[i+2] == '\n' {
				lines++
				i++
			}
			i += 2
			continue
		case c == '\n':
			if !triple {
				return i, lines
			}
			lines++
		case c == q:
			if !triple {
				return i + 1, lines
			}
			if strings.HasPrefix(src[i:], src[pos:pos+3]) {
				return i + 3, lines
			}
		case c == '{' && format:
			if i+1 < len(src) && src[i+1] == '{' {
				i += 2
				continue
			}
			e, n, ok := skipField(src, i+1, triple, q, depth+1, waste)
			format = ok
			if ok {
				i = e
				lines += n
				continue
			}
		}
		i++
	}
	if !triple {
		return min(i, len(src)), lines
	}
	if depth == 0 && len(src)-from > 0 {
		// an open triple quote takes the rest
		return len(src), lines
	}
	return len(src), lines
}

// maxWaste bounds what broken f-strings cost, in bytes.
const maxWaste = 1 << 22

// skipField returns the end of a replacement field that begins behind its {.
func skipField(src string, i int, triple bool, q byte, depth int, waste *int) (end, lines int, ok bool) {
	if depth > 8 || *waste > maxWaste {
		return 0, 0, false
	}
	from := i
	defer func() {
		if !ok {
			*waste += i - from + 1
		}
	}()
	brackets, spec := 0, false
	for limit := min(len(src), i+1<<16); i < limit; {
		c := src[i]
		switch {
		case c == '\n':
			lines++
			if spec && !triple {
				return 0, 0, false
			}
		case spec:
			switch {
			case c == '}':
				return i + 1, lines, true
			case c == '{':
				e, n, ok := skipField(src, i+1, triple, q, depth+1, waste)
				if !ok {
					return 0, 0, false
				}
				i, lines = e, lines+n
				continue
			case c == q && (!triple || i+2 < len(src) && src[i+1] == q && src[i+2] == q):
				return 0, 0, false
			}
		case c == '\'' || c == '"':
			e, n := skipString(src, i, prefixed(src, i), depth+1, waste)
			if e <= i+1 || !triple && n == 0 && src[e-1] != c {
				return 0, 0, false
			}
			i, lines = e, lines+n
			continue
		case c == '#':
			if j := strings.IndexByte(src[i:limit], '\n'); j > 0 {
				i += j
				continue
			}
		case c == '(' || c == '[' || c == '{':
			brackets++
		case c == ')' || c == ']':
			brackets--
		case c == '}':
			if brackets <= 0 {
				return i + 1, lines, true
			}
			brackets--
		case c == ':' && brackets == 0:
			spec = true
		}
		i++
	}
	return 0, 0, false
}

// prefixed says whether the quote at i has a prefix with f in it.
func prefixed(src string, i int) bool {
	f := false
	for j := i - 1; j >= 0 && j >= i-2; j-- {
		switch src[j] | 0x20 {
		case 'f', 't':
			f = true
		case 'r', 'b', 'u':
		default:
			return f
		}
	}
	return f
}

// body takes prefix and quotes off a string token.
func body(text string) (s string, raw, bytes, format bool) {
	i := 0
	for i < len(text) && classOf[text[i]] != cQuote {
		switch text[i] | 0x20 {
		case 'r':
			raw = true
		case 'b':
			bytes = true
		case 'f', 't':
			format = true
		}
		i++
	}
	text = text[i:]
	if len(text) >= 3 && text[0] == text[1] && text[1] == text[2] {
		if len(text) >= 6 && strings.HasSuffix(text, text[:3]) {
			return text[3 : len(text)-3], raw, bytes, format
		}
		return text[3:], raw, bytes, format
	}
	if len(text) >= 2 && text[len(text)-1] == text[0] {
		return text[1 : len(text)-1], raw, bytes, format
	}
	return text[min(1, len(text)):], raw, bytes, format
}

// unescape decodes the escapes of a string. escaped is how many characters were
// written as \x, \u or octal although they are plain ASCII.
func unescape(s string, bytes bool) (out string, escaped int) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' || i+1 >= len(s) {
			b.WriteByte(c)
			i++
			continue
		}
		i++
		c = s[i]
		i++
		digits := 0
		switch c {
		case '\n':
			continue
		case '\r':
			if i < len(s) && s[i] == '\n' {
				i++
			}
			continue
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'a':
			b.WriteByte(7)
		case 'b':
			b.WriteByte(8)
		case 'f':
			b.WriteByte(12)
		case 'v':
			b.WriteByte(11)
		case '\\', '\'', '"':
			b.WriteByte(c)
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		case 'N':
			if j := strings.IndexByte(s[i:], '}'); !bytes && j >= 0 && s[i] == '{' {
				b.WriteByte('?')
				i += j + 1
				continue
			}
			b.WriteString("\\N")
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v := int(c - '0')
			for n := 0; n < 2 && i < len(s) && s[i] >= '0' && s[i] <= '7'; n++ {
				v = v*8 + int(s[i]-'0')
				i++
			}
			if v >= 0x20 && v < 0x7f {
				escaped++
			}
			writeCode(&b, rune(v&0x1ff), bytes)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
		if digits == 0 {
			continue
		}
		if bytes && digits > 2 {
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		v, n := 0, 0
		for n < digits && i+n < len(s) {
			d := hexDigit(s[i+n])
			if d < 0 {
				break
			}
			v = v<<4 | d
			n++
		}
		if n < digits {
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		i += n
		if v >= 0x20 && v < 0x7f {
			escaped++
		}
		writeCode(&b, rune(v&0x7fffffff), bytes)
	}
	return b.String(), escaped
}

func writeCode(b *strings.Builder, r rune, bytes bool) {
	switch {
	case bytes:
		b.WriteByte(byte(r)) //nolint:gosec // an escape of bytes is at most \777, of which Python too takes the low byte
	case utf8.ValidRune(r):
		b.WriteRune(r)
	default:
		b.WriteRune(utf8.RuneError)
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
