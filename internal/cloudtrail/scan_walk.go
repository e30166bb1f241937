package cloudtrail

import "fmt"

// A member is one member of an object.
type member struct{ name, value Span }

// walk notes in top where the top-level members of the object raw are, the last
// one of each name, and checks their grammar. nested are the extents of its
// nested values in order when they are known to be balanced; without them the
// nested values are checked as well. members, if not nil, gets all of them.
func walk(raw []byte, nested []Span, top *[NumKeys]Span, members *[]member) error {
	*top = [NumKeys]Span{}
	w := walker{buf: raw}
	if members != nil {
		*members = (*members)[:0]
	}
	if i := w.top(nested, top, members); i < 0 {
		return w.err()
	}
	return nil
}

// top is walk; it returns the index after the object, or -1.
func (w *walker) top(nested []Span, top *[NumKeys]Span, members *[]member) int {
	b := w.buf
	if len(b) < 2 || b[0] != '{' {
		return w.fail(faultObject, 0)
	}
	i := blank(b, 1)
	if i == len(b)-1 && b[i] == '}' {
		return len(b)
	}
	for {
		if i >= len(b) {
			return w.fail(faultEnd, i)
		}
		if b[i] != '"' {
			return w.fail(faultKey, i)
		}
		name := i + 1
		if i = w.text(name); i < 0 {
			return i
		}
		nameEnd := i - 1
		if i >= len(b) || b[i] != ':' {
			if i = blank(b, i); i >= len(b) || b[i] != ':' {
				return w.fail(faultColon, i)
			}
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = blank(b, i)
		}
		if i >= len(b) {
			return w.fail(faultEnd, i)
		}
		start := i
		switch c := b[i]; {
		case c == '"':
			i = w.text(i + 1)
		case c|0x20 != '{':
			i = w.scalar(i)
		case len(nested) > 0 && int(nested[0].Start) == i:
			i, nested = int(nested[0].End), nested[1:]
		default:
			i = w.value(i, 1)
		}
		if i < 0 {
			return i
		}
		value := span(start, i)
		top[lookupKey(b[name:nameEnd], false)] = value
		if members != nil {
			*members = append(*members, member{span(name, nameEnd), value})
		}
		if i < len(b) && b[i] <= ' ' {
			i = blank(b, i)
		}
		if i >= len(b) {
			return w.fail(faultEnd, i)
		}
		switch {
		case b[i] == '}' && i == len(b)-1:
			return len(b)
		case b[i] == '}':
			return w.fail(faultTail, i+1)
		case b[i] != ',':
			return w.fail(faultComma, i)
		}
		if i++; i < len(b) && b[i] <= ' ' {
			i = blank(b, i)
		}
	}
}

// span makes a Span of indexes into a record.
func span(start, end int) Span { return Span{u32(start), u32(end)} }

// balanced checks that text is one object with balanced structure, as the
// Reader does for what it reads. tape is scratch of at least 64 entries.
func balanced(text []byte, depth int, tape []uint32) error {
	var (
		x     indexer
		stack uint64
		rel   int
		ended bool
		// Bitmaps that nobody reads.
		quotes, slashes [1 << 4]uint64
	)
	tape = tape[:min(len(tape), 64*len(quotes))&^63]
	wrong := func(p uint32, what string) error { return &SyntaxError{Offset: int(p), Msg: what} }
	for from := 0; from < len(text); {
		to := min(len(text), from+len(tape))
		n := x.run(text[from:to], 0, to-from, 0, tape, quotes[:], slashes[:])
		for _, p := range tape[:n] {
			p += u32(from)
			c := text[p]
			switch c {
			case '{', '[':
				if ended || rel > 0 && !opensAt(text, int(p), stack&1) {
					return wrong(p, misplaced)
				}
				if rel == depth {
					return wrong(p, fmt.Sprintf("nested deeper than %d", depth))
				}
				stack, rel = stack<<1|kindOf(c), rel+1
			case '}', ']':
				if rel == 0 || stack&1 != kindOf(c) {
					return wrong(p, mismatched)
				}
				stack, rel = stack>>1, rel-1
				ended = rel == 0
			default:
				return wrong(p, badByte(c))
			}
		}
		from = to
	}
	if !ended {
		return &SyntaxError{Offset: len(text), Msg: faultText[faultEnd]}
	}
	return nil
}

const (
	misplaced  = "a bracket or brace stands where no value can"
	mismatched = "brackets or braces do not match"
)

// kindOf is 1 for braces and 0 for brackets.
func kindOf(c byte) uint64 { return uint64(c) >> 5 & 1 }

// opensAt reports whether an object or list may start at b[p] inside an object
// (parent 1) or list (parent 0).
func opensAt(b []byte, p int, parent uint64) bool {
	p--
	for p > 0 && (b[p] == ' ' || b[p] == '\n' || b[p] == '\t' || b[p] == '\r') {
		p--
	}
	if p < 0 {
		return false
	}
	if parent == 1 {
		return b[p] == ':'
	}
	return b[p] == ',' || b[p] == '['
}

func badByte(c byte) string {
	switch {
	case c == 0:
		return "a NUL byte"
	case c == '\n' || c == '\r':
		return "a line ends inside a string"
	case c < ' ':
		return "a control character"
	}
	return fmt.Sprintf("unexpected %q", c)
}
