package cloudtrail

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// A nodeKind is the JSON type of a node.
type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeText
	nodeInteger
	nodeDouble
	nodeObject
	nodeList
)

// A node is one decoded JSON value. Nodes live in one slice of the Event and
// name each other by index, so that a record costs no allocation.
type node struct {
	key  string // the member's name, decoded
	text string // a scalar as Java's toString gives it
	// first is the first child of an object or list, next the sibling after
	// this one; 0 is none, since node 0 is never used.
	first, next int32
	// members is how many names an object had, duplicates counted once and
	// members that null removal drops counted too: it decides the capacity, and
	// so the order, of Java's map.
	members int32
	kind    nodeKind
	// gone says that null removal drops the node (Elastic's pipeline removes
	// null, "", "-", "none" and what is empty without them, children first).
	gone bool
}

// view makes a string of bytes that outlive it: the record's own, or the
// arena's.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b)) //nolint:gosec // see Event: the bytes stay until the next Reset
}

// keep appends nothing and returns the part of the arena written since from.
func (e *Event) keep(from int) string { return view(e.arena[from:]) }

// plain says that the inside of a string needs no decoding.
func plain(b []byte) bool {
	return bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b)
}

// decode returns the text of the inside of a JSON string: a view of the record
// where that is what was written, else of the arena.
func (e *Event) decode(b []byte) string {
	if plain(b) {
		return view(b)
	}
	from := len(e.arena)
	e.arena = appendUnescaped(e.arena, b)
	return e.keep(from)
}

// appendUnescaped decodes the inside of a checked JSON string. Bytes that are
// no UTF-8 and halves of surrogate pairs become U+FFFD, as in Java and Go.
func appendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c != '\\' && c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		case c != '\\':
			r, n := utf8.DecodeRune(b[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		case b[i+1] == 'u':
			r, _ := hex4(b[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				second := rune(-1)
				if i+6 <= len(b) && b[i] == '\\' && b[i+1] == 'u' {
					second, _ = hex4(b[i+2:])
				}
				if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, letter(b[i+1]))
			i += 2
		}
	}
	return dst
}

// letter is what a one-letter escape stands for.
func letter(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// blankText says that null removal drops a string.
func blankText(s string) bool { return s == "" || s == "-" || s == "none" }

// number returns a JSON number as Java's Integer, Long, BigInteger or Double
// prints it.
func (e *Event) number(b []byte) (string, nodeKind) {
	if bytes.IndexByte(b, '.') < 0 && bytes.IndexByte(b, 'e') < 0 && bytes.IndexByte(b, 'E') < 0 {
		if len(b) == 2 && b[0] == '-' && b[1] == '0' {
			return "0", nodeInteger
		}
		return view(b), nodeInteger
	}
	// Out of range gives the infinities, as Double.parseDouble does.
	f, _ := strconv.ParseFloat(view(b), 64)
	from := len(e.arena)
	e.arena = appendJavaDouble(e.arena, f)
	return e.keep(from), nodeDouble
}

// tree decodes a checked JSON value and returns its node.
func (e *Event) tree(b []byte) int32 {
	n, _ := e.grow(b, 0)
	return n
}

// grow decodes the value at i and returns its node and the index after it.
func (e *Event) grow(b []byte, i int) (int32, int) {
	i = blank(b, i)
	if len(e.nodes) == 0 {
		e.nodes = append(e.nodes, node{})
	}
	at := int32(len(e.nodes)) //nolint:gosec // a record has at most 2^30 bytes and fewer nodes
	e.nodes = append(e.nodes, node{})
	w := walker{buf: b}
	switch b[i] {
	case '{':
		return at, e.growObject(at, b, i)
	case '[':
		e.nodes[at].kind = nodeList
		e.nodes[at].gone = true
		last := int32(0)
		for i = blank(b, i+1); b[i] != ']'; i = blank(b, i) {
			if b[i] == ',' {
				i++
			}
			var child int32
			child, i = e.grow(b, i)
			e.link(at, last, child)
			last = child
		}
		return at, i + 1
	case '"':
		end := w.text(i + 1)
		s := e.decode(b[i+1 : end-1])
		e.nodes[at].kind, e.nodes[at].text, e.nodes[at].gone = nodeText, s, blankText(s)
		return at, end
	}
	end := w.scalar(i)
	n := node{kind: nodeBool, text: view(b[i:end])}
	switch b[i] {
	case 'n':
		n = node{kind: nodeNull, gone: true}
	case 't', 'f':
	default:
		n.text, n.kind = e.number(b[i:end])
	}
	e.nodes[at] = n
	return at, end
}

// link makes child the sibling after last, or the first child of parent.
func (e *Event) link(parent, last, child int32) {
	if last == 0 {
		e.nodes[parent].first = child
	} else {
		e.nodes[last].next = child
	}
	if !e.nodes[child].gone {
		e.nodes[parent].gone = false
	}
}

// fewMembers is how many members an object may have for its duplicates to be
// found by comparing each with each.
const fewMembers = 24

// growObject decodes the object at i into node at. Of members with one name the
// last value counts and the first place, as in Java's LinkedHashMap and
// HashMap.
func (e *Event) growObject(at int32, b []byte, i int) int {
	w := walker{buf: b}
	last, members := int32(0), int32(0)
	repeated := false
	for i = blank(b, i+1); b[i] != '}'; i = blank(b, i) {
		if b[i] == ',' {
			i = blank(b, i+1)
		}
		end := w.text(i + 1)
		key := e.decode(b[i+1 : end-1])
		i = blank(b, end) + 1
		var child int32
		child, i = e.grow(b, i)
		e.nodes[child].key = key
		if last == 0 {
			e.nodes[at].first = child
		} else {
			e.nodes[last].next = child
		}
		last = child
		members++
		if members <= fewMembers && !repeated {
			for c := e.nodes[at].first; c != child; c = e.nodes[c].next {
				if e.nodes[c].key == key {
					repeated = true
				}
			}
		}
	}
	n := &e.nodes[at]
	n.kind = nodeObject
	if repeated || members > fewMembers {
		members = e.dedupe(n)
	}
	n.members = members
	n.gone = true
	for c := n.first; c != 0; c = e.nodes[c].next {
		if !e.nodes[c].gone {
			n.gone = false
			break
		}
	}
	return i + 1
}

// dedupe moves the last value of each repeated name to the first place of that
// name, and returns how many names there are.
func (e *Event) dedupe(n *node) int32 {
	if e.seen == nil {
		e.seen = map[string]int32{}
	}
	clear(e.seen)
	members, last := int32(0), int32(0)
	for c := n.first; c != 0; c = e.nodes[c].next {
		child := &e.nodes[c]
		if first, ok := e.seen[child.key]; ok {
			next := e.nodes[first].next
			e.nodes[first] = *child
			e.nodes[first].next = next
			e.nodes[last].next = child.next
			continue
		}
		e.seen[child.key] = c
		members++
		last = c
	}
	return members
}

// child returns the member of an object node called key that null removal
// leaves, or 0.
func (e *Event) child(n int32, key string) int32 {
	if n == 0 || e.nodes[n].kind != nodeObject {
		return 0
	}
	for c := e.nodes[n].first; c != 0; c = e.nodes[c].next {
		if e.nodes[c].key == key {
			if e.nodes[c].gone {
				return 0
			}
			return c
		}
	}
	return 0
}

// children yields the children of n that null removal leaves.
func (e *Event) children(n int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if n == 0 {
			return
		}
		for c := e.nodes[n].first; c != 0; c = e.nodes[c].next {
			if !e.nodes[c].gone && !yield(c) {
				return
			}
		}
	}
}
