package cloudtrail

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Elastic's pipeline stores requestParameters and its like as the text that
// java.util.HashMap.toString gives, and rules match that text. So the order of
// members is the order of OpenJDK's HashMap: buckets by the low bits of a mixed
// String.hashCode, insertion order within a bucket, a table that doubles when it
// is three quarters full (java/util/HashMap.java: hash, putVal, resize).
//
// One thing is left out: a bucket of nine or more keys in a table of 64 or more
// becomes a red-black tree, which iterates in another order than insertion. It
// takes keys chosen to collide; no record seen has one.

// javaHash is HashMap's hash of a string: String.hashCode over UTF-16 units
// with the upper half folded into the lower.
func javaHash(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			h = h*31 + uint32(0xd800+r>>10)
			r = 0xdc00 + r&0x3ff
		}
		h = h*31 + uint32(r)
	}
	return h ^ h>>16
}

// low is the low half of a word that holds two.
func low(w uint64) uint32 {
	return uint32(w) //nolint:gosec // the low half is meant
}

const (
	firstCapacity = 16
	treeCapacity  = 64 // below it an overfull bucket doubles the table instead
	fullBucket    = 8
)

// javaCapacity is the size of the table after the keys with these hashes were
// put, in order, into an empty HashMap.
func javaCapacity(hashes []uint64) uint32 {
	capacity := uint32(firstCapacity)
	n := len(hashes)
	if n <= fullBucket {
		return capacity
	}
	var filled [treeCapacity]uint8
	for i := range hashes {
		if capacity < treeCapacity {
			bucket := low(hashes[i]) & (capacity - 1)
			if filled[bucket]++; filled[bucket] > fullBucket {
				capacity = grown(&filled, hashes[:i+1], capacity)
			}
		}
		if i+1 > int(capacity/4*3) {
			capacity = grown(&filled, hashes[:i+1], capacity)
		}
	}
	return capacity
}

// grown doubles the table and counts its buckets again.
func grown(filled *[treeCapacity]uint8, hashes []uint64, capacity uint32) uint32 {
	capacity *= 2
	if capacity < treeCapacity {
		clear(filled[:])
		for _, h := range hashes {
			filled[low(h)&(capacity-1)]++
		}
	}
	return capacity
}

// javaOrder sorts hashes, which hold one key's hash each in insertion order,
// into the order the map iterates in. Each result has the key's place in the
// low half.
func javaOrder(hashes []uint64) {
	mask := javaCapacity(hashes) - 1
	for i, h := range hashes {
		hashes[i] = uint64(low(h)&mask)<<32 | uint64(i)
	}
	slices.Sort(hashes)
}

// appendJava appends the text of node n as Java's toString prints it.
func (e *Event) appendJava(dst []byte, n int32) []byte {
	switch nd := &e.nodes[n]; nd.kind {
	case nodeObject:
		return e.appendJavaMap(dst, nd)
	case nodeList:
		dst = append(dst, '[')
		sep := false
		for c := nd.first; c != 0; c = e.nodes[c].next {
			if e.nodes[c].gone {
				continue
			}
			if sep {
				dst = append(dst, ", "...)
			}
			sep = true
			dst = e.appendJava(dst, c)
		}
		return append(dst, ']')
	case nodeNull:
		return append(dst, "null"...)
	case nodeText, nodeBool, nodeInteger, nodeDouble:
		return append(dst, nd.text...)
	}
	return dst
}

// appendJavaMap appends an object. The scratch slices are used as stacks, since
// objects nest.
func (e *Event) appendJavaMap(dst []byte, nd *node) []byte {
	from := len(e.hashes)
	kids := len(e.kids)
	for c := nd.first; c != 0; c = e.nodes[c].next {
		e.hashes = append(e.hashes, uint64(javaHash(e.nodes[c].key)))
		e.kids = append(e.kids, c)
	}
	to := len(e.hashes)
	javaOrder(e.hashes[from:to])
	dst = append(dst, '{')
	sep := false
	for i := from; i < to; i++ {
		c := e.kids[kids+int(low(e.hashes[i]))]
		if e.nodes[c].gone {
			continue
		}
		if sep {
			dst = append(dst, ", "...)
		}
		sep = true
		dst = append(dst, e.nodes[c].key...)
		dst = append(dst, '=')
		dst = e.appendJava(dst, c)
	}
	e.hashes = e.hashes[:from]
	e.kids = e.kids[:kids]
	return append(dst, '}')
}

// appendJavaDouble appends f as Double.toString does since JDK 19: the shortest
// digits that read back as f, but at least two; decimal from 10^-3 up to 10^7,
// else with E.
func appendJavaDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0 && math.Signbit(f):
		return append(dst, "-0.0"...)
	case f == 0:
		return append(dst, "0.0"...)
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		from := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if slices.Index(dst[from:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	var scratch [32]byte
	s := strconv.AppendFloat(scratch[:0], f, 'e', -1, 64)
	mark := slices.Index(s, 'e')
	if slices.Index(s[:mark], '.') < 0 {
		// One digit: Java takes the nearest of those with two.
		var two [32]byte
		t := strconv.AppendFloat(two[:0], f, 'e', 1, 64)
		if g, err := strconv.ParseFloat(string(t), 64); err == nil && g == f {
			s = append(scratch[:0], t...)
			mark = slices.Index(s, 'e')
		}
	}
	dst = append(dst, s[:mark]...)
	if slices.Index(s[:mark], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	exp := s[mark+1:]
	if exp[0] == '-' {
		dst = append(dst, '-')
	}
	exp = exp[1:]
	for len(exp) > 1 && exp[0] == '0' {
		exp = exp[1:]
	}
	return append(dst, exp...)
}

// compareUTF16 orders strings as Java's String.compareTo does: by UTF-16 unit,
// so that characters outside the basic plane come before U+E000 and up.
func compareUTF16(a, b string) int {
	for {
		if a == "" || b == "" {
			return len(a) - len(b)
		}
		if a[0] < utf8.RuneSelf && a[0] == b[0] {
			a, b = a[1:], b[1:]
			continue
		}
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if (x > 0xffff) != (y > 0xffff) {
				return int(unit(x)) - int(unit(y))
			}
			return int(x) - int(y)
		}
		a, b = a[n:], b[m:]
	}
}

// unit is the first UTF-16 unit of r.
func unit(r rune) rune {
	if r > 0xffff {
		return 0xd800 + (r-0x10000)>>10
	}
	return r
}
