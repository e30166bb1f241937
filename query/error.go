package query

import (
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how many characters of a source line Format shows.
const maxLine = 120

// Format says where in which file, what, and shows the line:
//
//	rules/mine.toml:84:18: unknown field "event.acton"
//	    84 |   and event.acton: AddLayerVersionPermission*
//	       |       ^^^^^^^^^^^
//	hint: did you mean event.action?
//
// Src is the text that Pos counts in. A long line is cut to the part around the
// position, and characters that could disturb a terminal are replaced. Without
// file the first line starts with the line number. The text ends without a line
// end.
func (e *Error) Format(file, src string) string {
	var b strings.Builder
	if file != "" {
		b.WriteString(file + ":")
	}
	fmt.Fprintf(&b, "%d:%d: %s", e.Pos.Line, e.Pos.Col, e.Msg)
	if line, ok := lineOf(src, e.Pos); ok {
		text, caret := snippet(line, e.Pos)
		number := fmt.Sprintf("%6d", e.Pos.Line)
		fmt.Fprintf(&b, "\n%s | %s\n%s | %s", number, text, strings.Repeat(" ", len(number)), caret)
	}
	if e.Hint != "" {
		b.WriteString("\nhint: " + e.Hint)
	}
	return b.String()
}

// lineOf is the line of src that pos is on; ok is false when pos does not lie in src.
func lineOf(src string, pos Pos) (string, bool) {
	start := pos.Offset - (pos.Col - 1)
	if start < 0 || pos.Offset < start || pos.Offset > len(src) || pos.Line < 1 {
		return "", false
	}
	line, _, _ := strings.Cut(src[start:], "\n")
	return strings.TrimSuffix(line, "\r"), true
}

// snippet is the part of line that is shown, and the line of carets below it.
func snippet(line string, pos Pos) (text, caret string) {
	at := min(pos.Col-1, len(line))
	end := min(at+max(pos.Len, 1), len(line))
	from := 0
	if utf8.RuneCountInString(line[:at]) > maxLine*2/3 {
		from = at
		for range maxLine / 3 {
			_, n := utf8.DecodeLastRuneInString(line[:from])
			from -= n
		}
	}
	var t, c strings.Builder
	if from > 0 {
		t.WriteString("…")
		c.WriteString(" ")
	}
	width := 0
	for i := from; i < len(line); {
		if width == maxLine {
			t.WriteString("…")
			break
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		mark := ' '
		switch {
		case i >= at && i < end:
			mark = '^'
		case i < at && r == '\t':
			mark = '\t' // keeps the columns whatever a tab is
		}
		if r != '\t' && !unicode.IsPrint(r) {
			r = '·'
		}
		t.WriteRune(r)
		c.WriteRune(mark)
		width++
		i += n
	}
	if at >= len(line) {
		c.WriteByte('^')
	}
	return t.String(), strings.TrimRight(c.String(), " ")
}

// Nearest is the candidate that differs least from name, or "" when none is
// near: at most a third of name's letters may be added, dropped or replaced.
// Of several the first in byte order wins.
func Nearest(name string, candidates iter.Seq[string]) string {
	if name == "" || len(name) > 256 {
		return ""
	}
	best, least := "", len(name)/3+1
	var row []int
	for c := range candidates {
		if d := len(c) - len(name); d > least || -d > least || c == name {
			continue
		}
		var d int
		if d, row = distance(name, c, row); d < least || d == least && best != "" && c < best {
			best, least = c, d
		}
	}
	return best
}

// distance counts the bytes to add, drop, replace or swap with the next
// (optimal string alignment) to make b from a. The rows are scratch.
func distance(a, b string, rows []int) (int, []int) {
	w := len(b) + 1
	if cap(rows) < 3*w {
		rows = make([]int, 3*w)
	}
	rows = rows[:3*w]
	before, last, row := rows[:w], rows[w:2*w], rows[2*w:]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)], rows
}

// Locate is the Pos of src[offset:offset+length].
func Locate(src string, offset, length int) Pos {
	before := src[:offset]
	nl := strings.LastIndexByte(before, '\n')
	return Pos{Offset: offset, Line: strings.Count(before, "\n") + 1, Col: offset - nl, Len: length}
}
