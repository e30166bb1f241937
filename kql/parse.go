package kql

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/query"
)

// Parse reads a query. The error is a *query.Error with the position of the
// first thing that does not fit, and a hint at what was meant.
func Parse(src string) (*Query, error) {
	p := &parser{src: src}
	if len(src) > MaxSize {
		return nil, p.errorf(MaxSize, 0, "the query has %d bytes; the limit is %d", len(src), MaxSize)
	}
	for i := range len(src) {
		if src[i] == '\n' {
			p.lines = append(p.lines, i)
		}
	}
	if i := invalidUTF8(src); i >= 0 {
		return nil, p.errorf(i, 1, "the query is not valid UTF-8")
	}
	p.space()
	if p.i == len(src) {
		return &Query{src: src}, nil
	}
	root, err := p.or(p.subQuery)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.i < len(src) {
		return nil, p.unexpected()
	}
	return &Query{Root: root, src: src}, nil
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

// A parser reads src from i on. Kibana's grammar is a PEG; it is written so that
// no choice needs more than the next token to decide, so this one never goes
// back over what it has read.
type parser struct {
	src   string
	i     int
	lines []int // offsets of the line ends
	depth int
	nodes int
}

// or reads operand (Or operand)* with and, not inside; operand is subQuery or,
// inside a list of values, listValue.
func (p *parser) or(operand func() (Node, error)) (Node, error) {
	return p.join("or", func() (Node, error) {
		return p.join("and", func() (Node, error) { return p.not(operand) })
	})
}

func (p *parser) join(word string, operand func() (Node, error)) (Node, error) {
	start := p.i
	first, err := operand()
	if err != nil {
		return nil, err
	}
	of := []Node{first}
	for p.conjunction(word) {
		n, err := operand()
		if err != nil {
			return nil, err
		}
		of = append(of, n)
	}
	if len(of) == 1 {
		return first, nil
	}
	at := p.span(start)
	if err := p.node(at); err != nil {
		return nil, err
	}
	if word == "or" {
		return &Or{At: at, Of: of}, nil
	}
	return &And{At: at, Of: of}, nil
}

// conjunction takes Space+ word Space+, or nothing.
func (p *parser) conjunction(word string) bool {
	i := spaceEnd(p.src, p.i)
	if i == p.i || !keywordAt(p.src, i, word) {
		return false
	}
	p.i = spaceEnd(p.src, i+len(word))
	return true
}

func (p *parser) not(operand func() (Node, error)) (Node, error) {
	if !keywordAt(p.src, p.i, "not") {
		return operand()
	}
	start := p.i
	p.i = spaceEnd(p.src, p.i+len("not"))
	if keywordAt(p.src, p.i, "not") {
		err := p.errorf(p.i, len("not"), "not cannot follow not")
		err.Hint = "two of them cancel out; or write not (not …)"
		return nil, err
	}
	x, err := operand()
	if err != nil {
		return nil, err
	}
	at := p.span(start)
	return &Not{At: at, X: x}, p.node(at)
}

// subQuery reads ( query ), field: {…}, field < v, field: v, or a bare value.
func (p *parser) subQuery() (Node, error) {
	if p.next() == '(' {
		return p.group(p.subQuery)
	}
	start := p.i
	lit, err := p.literal("a field, a value or a parenthesis")
	if err != nil {
		return nil, err
	}
	end := p.i
	p.space()
	switch p.next() {
	case ':':
		p.i++
		p.space()
		if p.next() == '{' {
			return p.nested(start, lit)
		}
		v, err := p.listValue()
		if err != nil {
			return nil, err
		}
		at := p.span(start)
		return &Is{At: at, Field: lit, Value: v}, p.node(at)
	case '<', '>':
		op := p.op()
		p.space()
		v, err := p.literal("a value to compare with")
		if err != nil {
			return nil, err
		}
		at := p.span(start)
		return &Range{At: at, Field: lit, Op: op, Value: v}, p.node(at)
	}
	p.i = end // the white space belongs to what follows
	return &Is{At: lit.At, Value: lit}, p.node(lit.At)
}

// listValue reads ( values ) or one value.
func (p *parser) listValue() (Node, error) {
	if p.next() == '(' {
		return p.group(p.listValue)
	}
	lit, err := p.literal("a value")
	if err != nil {
		return nil, err
	}
	return lit, nil
}

func (p *parser) group(operand func() (Node, error)) (Node, error) {
	open := p.i
	if err := p.enter(); err != nil {
		return nil, err
	}
	n, err := p.or(operand)
	if err != nil {
		return nil, err
	}
	return n, p.leave(open, ')')
}

func (p *parser) nested(start int, path *Literal) (Node, error) {
	open := p.i
	if err := p.enter(); err != nil {
		return nil, err
	}
	x, err := p.or(p.subQuery)
	if err != nil {
		return nil, err
	}
	if err := p.leave(open, '}'); err != nil {
		return nil, err
	}
	at := p.span(start)
	return &Nested{At: at, Path: path, X: x}, p.node(at)
}

func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return p.errorf(p.i, 1, "more than %d parentheses inside each other", MaxDepth)
	}
	p.i++
	p.space()
	return nil
}

func (p *parser) leave(open int, closing byte) error {
	p.depth--
	p.space()
	if p.next() == closing {
		p.i++
		return nil
	}
	if p.i == len(p.src) {
		err := p.errorf(open, 1, "%q is never closed", p.src[open:open+1])
		err.Hint = fmt.Sprintf("add %q", string(closing))
		return err
	}
	return p.unexpected()
}

func (p *parser) op() Op {
	op := Less
	if p.next() == '>' {
		op = Greater
	}
	p.i++
	if p.next() == '=' {
		p.i++
		op++
	}
	return op
}

// literal reads a quoted or an unquoted literal; wanted says what should be here.
func (p *parser) literal(wanted string) (*Literal, error) {
	if err := p.node(p.pos(p.i, 0)); err != nil {
		return nil, err
	}
	if p.next() == '"' {
		return p.quoted()
	}
	return p.unquoted(wanted)
}

func (p *parser) quoted() (*Literal, error) {
	start := p.i
	var b strings.Builder
	for i := start + 1; i < len(p.src); {
		switch c := p.src[i]; c {
		case '"':
			p.i = i + 1
			return &Literal{At: p.pos(start, p.i-start), Quoted: true, Parts: []string{b.String()}}, nil
		case '\\':
			text, n := escape(p.src[i:], `\"`)
			if n == 0 { // a backslash before anything else is itself
				text, n = `\`, 1
			}
			b.WriteString(text)
			i += n
		default:
			b.WriteByte(c)
			i++
		}
	}
	err := p.errorf(start, 1, "the quote is never closed")
	err.Hint = `add " at the end of the value, or \ before a quote that belongs to it`
	return nil, err
}

const special = `\():<>"*{}`

// unquoted reads up to a special character or a keyword and trims white space.
func (p *parser) unquoted(wanted string) (*Literal, error) {
	start, i := p.i, p.i
	var parts []string
	var b strings.Builder
scan:
	for i < len(p.src) {
		if end := spaceEnd(p.src, i); end > i {
			if keywordAt(p.src, end, "or") || keywordAt(p.src, end, "and") {
				break
			}
			b.WriteString(p.src[i:end])
			i = end
			continue
		}
		switch c := p.src[i]; {
		case c == '*':
			parts = append(parts, b.String())
			b.Reset()
			i++
		case c == '\\':
			text, n := escape(p.src[i:], special)
			if n == 0 {
				text, n = escapedKeyword(p.src[i:])
			}
			if n == 0 {
				err := p.errorf(i, min(2, len(p.src)-i), "unknown escape %q", p.src[i:min(i+2, len(p.src))])
				err.Hint = `write \\ for a backslash, or put the value in quotes`
				return nil, err
			}
			b.WriteString(text)
			i += n
		case strings.IndexByte(special, c) >= 0, keywordAt(p.src, i, "not"):
			break scan
		default:
			b.WriteByte(c)
			i++
		}
	}
	if i == start {
		return nil, p.missing(wanted)
	}
	p.i = i
	return p.newLiteral(start, append(parts, b.String())), nil
}

// newLiteral trims parts as JavaScript's trim does, and names the kind.
func (p *parser) newLiteral(start int, parts []string) *Literal {
	parts[0] = strings.TrimLeftFunc(parts[0], isTrimmed)
	last := len(parts) - 1
	parts[last] = strings.TrimRightFunc(parts[last], isTrimmed)
	lit := &Literal{At: p.span(start), Parts: parts}
	switch {
	case last > 0:
		lit.Kind = Wildcard
	case parts[0] == "null":
		lit.Kind = Null
	case parts[0] == "true":
		lit.Kind = True
	case parts[0] == "false":
		lit.Kind = False
	}
	return lit
}

// escape reads the escape that s starts with: white space, \uXXXX, or one of
// chars. N is 0 when it is none of them.
func escape(s, chars string) (text string, n int) {
	if len(s) < 2 {
		return "", 0
	}
	switch c := s[1]; c {
	case 't':
		return "\t", 2
	case 'r':
		return "\r", 2
	case 'n':
		return "\n", 2
	case 'u':
		return unicodeEscape(s)
	default:
		if strings.IndexByte(chars, c) >= 0 {
			return s[1:2], 2
		}
	}
	return "", 0
}

// unicodeEscape reads \uXXXX, and a second one when the two are a surrogate
// pair. Half a pair, which is no text, becomes U+FFFD.
func unicodeEscape(s string) (text string, n int) {
	r, ok := hex4(s)
	if !ok {
		return "", 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[6:]); ok {
			if full := utf16.DecodeRune(r, low); full != unicode.ReplacementChar {
				return string(full), 12
			}
		}
	}
	return string(r), 6
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for i := 2; i < 6; i++ {
		c := s[i] | 0x20
		switch {
		case '0' <= s[i] && s[i] <= '9':
			r = r<<4 | rune(s[i]-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// escapedKeyword reads \or and \and. Kibana lists \not too, but its \n comes first.
func escapedKeyword(s string) (text string, n int) {
	for _, w := range []string{"or", "and"} {
		if len(s) > len(w) && strings.EqualFold(s[1:1+len(w)], w) {
			return s[1 : 1+len(w)], 1 + len(w)
		}
	}
	return "", 0
}

// keywordAt reports whether word and white space stand at src[i:].
func keywordAt(src string, i int, word string) bool {
	end := i + len(word)
	if end >= len(src) || src[i]|0x20 != word[0] {
		return false
	}
	return strings.EqualFold(src[i:end], word) && spaceEnd(src, end) > end
}

// spaceEnd is where the white space at src[i:] ends.
func spaceEnd(src string, i int) int {
	for i < len(src) {
		switch c := src[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case c == 0xC2 && i+1 < len(src) && src[i+1] == 0xA0: // no-break space
			i += 2
		default:
			return i
		}
	}
	return i
}

// isTrimmed reports what JavaScript's String.trim removes.
func isTrimmed(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', '\u2028', '\u2029', '\uFEFF':
		return true
	}
	return unicode.Is(unicode.Zs, r)
}

func (p *parser) space() { p.i = spaceEnd(p.src, p.i) }

// next is the next byte, 0 at the end.
func (p *parser) next() byte {
	if p.i < len(p.src) {
		return p.src[p.i]
	}
	return 0
}

func (p *parser) node(at query.Pos) error {
	if p.nodes++; p.nodes > MaxNodes {
		return &query.Error{Pos: at, Msg: fmt.Sprintf("the query has more than %d parts", MaxNodes)}
	}
	return nil
}

// span is what was read since start, without white space at its end.
func (p *parser) span(start int) query.Pos {
	return p.pos(start, len(strings.TrimRightFunc(p.src[start:p.i], isTrimmed)))
}

func (p *parser) pos(offset, length int) query.Pos {
	line, _ := slices.BinarySearch(p.lines, offset)
	start := 0
	if line > 0 {
		start = p.lines[line-1] + 1
	}
	return query.Pos{Offset: offset, Line: line + 1, Col: offset - start + 1, Len: length}
}

func (p *parser) errorf(offset, length int, format string, args ...any) *query.Error {
	return &query.Error{Pos: p.pos(offset, length), Msg: fmt.Sprintf(format, args...)}
}
