package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Case says which letters a pattern takes for equal.
type Case uint8

// The ways to compare letters.
const (
	// CaseSensitive takes no two letters for equal.
	CaseSensitive Case = iota
	// FoldASCII takes A-Z and a-z for equal.
	FoldASCII
	// FoldUnicode compares lower-cased code points, as an analysed text field does.
	FoldUnicode
)

// Wildcard passes the values that the whole pattern matches. The pattern is in
// Lucene's syntax: `*` is any text, also none and also with line ends, `?` is
// one code point, and a backslash makes the next character literal.
//
// Patterns with neither `?` nor folding, which is all that KQL can write, are
// matched by comparing and searching strings; the others by code point.
func Wildcard(pattern string, c Case) Test {
	w := parseWildcard(pattern, c)
	if !w.plain {
		return w
	}
	if len(w.segs) == 1 {
		return Terms(string(w.segs[0]))
	}
	first, last := string(w.segs[0]), string(w.segs[len(w.segs)-1])
	middle := make([]string, 0, len(w.segs))
	for _, s := range w.segs[1 : len(w.segs)-1] {
		if len(s) > 0 {
			middle = append(middle, string(s))
		}
	}
	switch {
	case len(middle) == 0 && first == "" && last == "":
		return Any()
	case len(middle) == 0 && last == "":
		return prefix(first)
	case len(middle) == 0 && first == "":
		return suffix(last)
	case len(middle) == 1 && first == "" && last == "":
		return contains(middle[0])
	}
	return glob{first: first, middle: middle, last: last, size: sum(middle) + len(first) + len(last)}
}

func sum(ss []string) int {
	n := 0
	for _, s := range ss {
		n += len(s)
	}
	return n
}

type prefix string

func (p prefix) Match(v string) bool { return strings.HasPrefix(v, string(p)) }

func (p prefix) Required() (exact, prefixes []string, ok bool) { return nil, []string{string(p)}, true }

type suffix string

func (s suffix) Match(v string) bool { return strings.HasSuffix(v, string(s)) }

type contains string

func (c contains) Match(v string) bool { return strings.Contains(v, string(c)) }

// A glob is first*middle*…*last. Taking each middle part at its first place
// leaves the most room for the others, so it never needs to go back.
type glob struct {
	first, last string
	middle      []string
	size        int // bytes of all parts: a shorter value cannot match
}

func (g glob) Match(v string) bool {
	if len(v) < g.size || !strings.HasPrefix(v, g.first) || !strings.HasSuffix(v, g.last) {
		return false
	}
	v = v[len(g.first) : len(v)-len(g.last)]
	for _, m := range g.middle {
		i := strings.Index(v, m)
		if i < 0 {
			return false
		}
		v = v[i+len(m):]
	}
	return true
}

func (g glob) Required() (exact, prefixes []string, ok bool) {
	return nil, []string{g.first}, g.first != ""
}

// one stands for `?` in a segment; it is no code point.
const one rune = -1

// A wildcard is a pattern cut at its stars.
type wildcard struct {
	segs  [][]rune
	fold  Case
	plain bool // comparable as strings: no `?`, no folding, valid UTF-8
}

func parseWildcard(pattern string, c Case) *wildcard {
	w := &wildcard{fold: c, plain: c == CaseSensitive && utf8.ValidString(pattern)}
	var seg []rune
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			seg = append(seg, c.lower(r))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '*':
			w.segs = append(w.segs, seg)
			seg = nil
		case r == '?':
			seg = append(seg, one)
			w.plain = false
		default:
			seg = append(seg, c.lower(r))
		}
	}
	if escaped { // a backslash at the end is itself
		seg = append(seg, '\\')
	}
	w.segs = append(w.segs, seg)
	return w
}

func (c Case) lower(r rune) rune {
	switch {
	case c == FoldASCII && 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case c == FoldUnicode:
		return unicode.ToLower(r)
	}
	return r
}

func (w *wildcard) Match(v string) bool {
	n, ok := w.at(w.segs[0], v)
	if !ok {
		return false
	}
	v = v[n:]
	if len(w.segs) == 1 {
		return v == ""
	}
	for _, seg := range w.segs[1 : len(w.segs)-1] {
		for {
			if n, ok = w.at(seg, v); ok {
				v = v[n:]
				break
			}
			_, size := firstRune(v)
			if size == 0 {
				return false
			}
			v = v[size:]
		}
	}
	return w.ends(w.segs[len(w.segs)-1], v)
}

// at reports whether seg matches at the start of v, and how many bytes of it.
func (w *wildcard) at(seg []rune, v string) (int, bool) {
	n := 0
	for _, want := range seg {
		r, size := firstRune(v[n:])
		if size == 0 || want != one && w.fold.lower(r) != want {
			return 0, false
		}
		n += size
	}
	return n, true
}

// ends reports whether seg matches at the end of v.
func (w *wildcard) ends(seg []rune, v string) bool {
	for _, want := range slices.Backward(seg) {
		r, size := utf8.DecodeLastRuneInString(v)
		if size == 0 || want != one && w.fold.lower(r) != want {
			return false
		}
		v = v[:len(v)-size]
	}
	return true
}

// Required knows the beginning of a pattern that ends in a `?` or a star, when
// letters are not folded.
func (w *wildcard) Required() (exact, prefixes []string, ok bool) {
	if w.fold != CaseSensitive {
		return nil, nil, false
	}
	var b strings.Builder
	for _, r := range w.segs[0] {
		if r == one || r == utf8.RuneError {
			break
		}
		b.WriteRune(r)
	}
	return nil, []string{b.String()}, b.Len() > 0
}

// EscapeWildcard makes s literal in a pattern of Wildcard.
func EscapeWildcard(s string) string {
	if !strings.ContainsAny(s, `*?\`) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '*' || r == '?' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
