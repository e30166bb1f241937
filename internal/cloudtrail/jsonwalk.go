package cloudtrail

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// maxDepth is how deep objects and lists may be nested in a record. AWS's
// deepest seen is 12; Elasticsearch's parser allows 1,000.
const maxDepth = 64

// A SyntaxError says where a record stops being JSON (RFC 8259) and why.
type SyntaxError struct {
	// Offset is a byte offset in the record.
	Offset int
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at offset %d: %s", e.Offset, e.Msg)
}

// A jsonFault is why a walk stopped; noFault is none.
type jsonFault uint8

const (
	noFault jsonFault = iota
	faultEnd
	faultValue
	faultKey
	faultColon
	faultComma
	faultControl
	faultEscape
	faultNumber
	faultDepth
	faultObject
	faultTail
	faultSize
)

var faultText = [...]string{
	noFault:      "no fault",
	faultEnd:     "the record ends inside a value",
	faultValue:   "a value was expected",
	faultKey:     "a member name was expected",
	faultColon:   "a colon was expected after a member name",
	faultComma:   "a comma or the end of the list or object was expected",
	faultControl: "a control character stands unescaped in a string",
	faultEscape:  "a string has an unknown escape",
	faultNumber:  "a number is malformed",
	faultDepth:   "objects and lists are nested more than 64 deep",
	faultObject:  "the record is not an object",
	faultTail:    "something follows the record's closing brace",
	faultSize:    "the record is longer than 1 GiB",
}

// A walker checks JSON text. It is strict: what it accepts, encoding/json
// accepts and the other way round, except that depth is limited; UTF-8 is not
// looked at, since whoever decodes a string replaces what is invalid.
type walker struct {
	buf   []byte
	fault jsonFault
	at    int // where fault is
}

func (w *walker) fail(f jsonFault, at int) int {
	w.fault, w.at = f, at
	return -1
}

func (w *walker) err() error {
	return &SyntaxError{Offset: w.at, Msg: faultText[w.fault]}
}

// text returns the index after the closing quote of the string whose first
// character is at i, or -1.
func (w *walker) text(i int) int {
	b := w.buf
	for {
		for i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i:]))
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
			if b[i] == '"' {
				return i + 1
			}
			break
		}
		if i >= len(b) {
			return w.fail(faultEnd, i)
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = w.escape(i); i < 0 {
				return i
			}
		case c < 0x20:
			return w.fail(faultControl, i)
		default:
			i++
		}
	}
}

// special sets the high bit of the first byte in x that is a quote, a backslash
// or below 0x20; bits above that one mean nothing.
func special(x uint64) uint64 {
	// Exchanging 0x20 and 0x22 makes the quote and the controls one range. A
	// subtraction borrows only out of a byte that is in it.
	return ((x ^ 0x02*ones - 0x21*ones) | (x ^ 0x5c*ones - ones)) &^ x & high
}

// escape returns the index after the escape whose backslash is at i, or -1.
func (w *walker) escape(i int) int {
	b := w.buf
	if i+1 >= len(b) {
		return w.fail(faultEnd, len(b))
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(b) {
			return w.fail(faultEnd, len(b))
		}
		for _, c := range b[i+2 : i+6] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return w.fail(faultEscape, i)
			}
		}
		return i + 6
	}
	return w.fail(faultEscape, i)
}

// blank returns the index of the first byte at or after i that is no white
// space.
func blank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// scalar returns the index after the number or literal at i, or -1.
func (w *walker) scalar(i int) int {
	b := w.buf
	if i >= len(b) {
		return w.fail(faultEnd, i)
	}
	switch b[i] {
	case 't':
		if i+4 <= len(b) && string(b[i:i+4]) == "true" {
			return i + 4
		}
	case 'f':
		if i+5 <= len(b) && string(b[i:i+5]) == "false" {
			return i + 5
		}
	case 'n':
		if i+4 <= len(b) && string(b[i:i+4]) == "null" {
			return i + 4
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return w.number(i)
	}
	return w.fail(faultValue, i)
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// number returns the index after the number at i, or -1.
func (w *walker) number(i int) int {
	b := w.buf
	if b[i] == '-' {
		i++
	}
	j := digits(b, i)
	if j == i || b[i] == '0' && j > i+1 {
		return w.fail(faultNumber, i)
	}
	i = j
	if i < len(b) && b[i] == '.' {
		if j = digits(b, i+1); j == i+1 {
			return w.fail(faultNumber, i)
		}
		i = j
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if j = digits(b, i); j == i {
			return w.fail(faultNumber, i)
		}
		i = j
	}
	return i
}

// value returns the index after the JSON value at i, which lies depth
// containers deep, or -1.
func (w *walker) value(i, depth int) int {
	b := w.buf
	if i >= len(b) {
		return w.fail(faultEnd, i)
	}
	switch b[i] {
	case '"':
		return w.text(i + 1)
	case '{', '[':
		return w.container(i, depth)
	}
	return w.scalar(i)
}

// container returns the index after the object or list at i, or -1. Which of
// the two each level is, is kept in the bits of a word, so that depth costs
// nothing.
func (w *walker) container(i, depth int) int {
	b := w.buf
	base := depth
	var object uint64 // bit 0 for the innermost level
open:
	if depth++; depth > maxDepth {
		return w.fail(faultDepth, i)
	}
	object <<= 1
	if b[i] == '{' {
		object |= 1
		if i = blank(b, i+1); i < len(b) && b[i] == '}' {
			goto shut
		}
		goto member
	}
	if i = blank(b, i+1); i < len(b) && b[i] == ']' {
		goto shut
	}
	goto element
member:
	if i >= len(b) {
		return w.fail(faultEnd, i)
	}
	if b[i] != '"' {
		return w.fail(faultKey, i)
	}
	if i = w.text(i + 1); i < 0 {
		return i
	}
	if i >= len(b) || b[i] != ':' {
		if i = blank(b, i); i >= len(b) {
			return w.fail(faultEnd, i)
		}
		if b[i] != ':' {
			return w.fail(faultColon, i)
		}
	}
	i++
element:
	if i >= len(b) {
		return w.fail(faultEnd, i)
	}
	switch b[i] {
	case '"':
		i = w.text(i + 1)
	case '{', '[':
		goto open
	case ' ', '\n', '\r', '\t':
		i = blank(b, i)
		goto element
	default:
		i = w.scalar(i)
	}
	if i < 0 {
		return i
	}
next:
	if i >= len(b) {
		return w.fail(faultEnd, i)
	}
	switch b[i] {
	case ',':
		i++
		if object&1 == 0 {
			goto element
		}
		if i < len(b) && b[i] != '"' {
			i = blank(b, i)
		}
		goto member
	case '}':
		if object&1 == 1 {
			goto shut
		}
	case ']':
		if object&1 == 0 {
			goto shut
		}
	case ' ', '\n', '\r', '\t':
		i = blank(b, i)
		goto next
	}
	return w.fail(faultComma, i)
shut:
	i++
	object >>= 1
	if depth--; depth == base {
		return i
	}
	goto next
}
