package cloudtrail

import (
	"encoding/binary"
	"math/bits"
)

// An indexer finds the structural bytes of JSON text: brackets and braces
// outside strings, and bytes that no JSON text has where they stand (control
// characters in strings, control characters other than tab, line feed and
// carriage return elsewhere, and a few letters that its filter cannot tell from
// brackets). It works on 64-byte blocks turned into bitmaps, eight bytes to a
// machine word, without assembly, and keeps its state between calls.
//
// It is exact: string boundaries follow RFC 8259 with every run of backslashes
// counted, so nothing inside a string is ever taken for structure.
type indexer struct {
	inString uint64 // all ones when the next byte is inside a string, else 0
	escaped  uint64 // 1 when the next byte is escaped by a backslash, else 0
}

const (
	ones   = 0x0101010101010101
	low7   = 0x7f * ones
	high   = 0x80 * ones
	gather = 0x0002040810204081 // moves the high bit of each byte to the top byte
)

// run indexes buf[from:to] and writes the positions of what it found to tape,
// which must have room for to-from entries. It returns how many it wrote.
func (x *indexer) run(buf []byte, from, to int, tape []uint32) int {
	n := 0
	i := from
	for ; i+64 <= to; i += 64 {
		n = x.block((*[64]byte)(buf[i:]), 64, i, tape, n)
	}
	if i < to {
		var b [64]byte
		k := copy(b[:], buf[i:to])
		for j := k; j < 64; j++ {
			b[j] = ' '
		}
		n = x.block(&b, k, i, tape, n)
	}
	return n
}

// block indexes one block of which the first k bytes count; the rest must be
// blanks.
func (x *indexer) block(b *[64]byte, k, at int, tape []uint32, n int) int {
	var quotes, brackets uint64
	clean := ^uint64(0) // high bits stay set while there is neither backslash nor control character
	for j := 0; j < 8; j++ {
		w := binary.LittleEndian.Uint64(b[j*8 : j*8+8])
		l := w & low7
		// A byte's high bit is set in q unless the byte is a quote, and so on:
		// l^c is zero only for c, and adding 0x7f carries into the high bit
		// otherwise; or-ing w keeps bytes above 0x7f out.
		q := ((l ^ 0x22*ones) + low7) | w
		// Clearing 0x20 and 0x06 maps []{} to 0x59, and Y, _, y, DEL as well.
		s := (((l & (0x59 * ones)) ^ 0x59*ones) + low7) | w
		clean &= (((l ^ 0x5c*ones) + low7) & (l + 0x60*ones)) | w
		quotes |= ((q & high) * gather >> 56) << (j * 8)
		brackets |= ((s & high) * gather >> 56) << (j * 8)
	}
	quotes, brackets = ^quotes, ^brackets
	var control uint64
	if clean&high != high {
		var backslashes uint64
		backslashes, control = rare(b)
		escaped := x.findEscaped(backslashes)
		quotes &^= escaped
		if k < 64 {
			x.escaped = escaped >> k & 1
		}
	} else if x.escaped != 0 {
		quotes &^= 1
		if k > 0 {
			x.escaped = 0
		}
	}
	in := prefixXor(quotes) ^ x.inString
	x.inString = uint64(int64(in) >> 63)
	brackets &^= in
	if control != 0 {
		brackets |= control & in
		for m := control &^ in; m != 0; m &= m - 1 {
			if j := bits.TrailingZeros64(m); b[j] != '\n' && b[j] != '\r' && b[j] != '\t' {
				brackets |= 1 << j
			}
		}
	}
	for ; brackets != 0; brackets &= brackets - 1 {
		tape[n] = uint32(at + bits.TrailingZeros64(brackets))
		n++
	}
	return n
}

// rare makes the bitmaps that most blocks do not need.
func rare(b *[64]byte) (backslashes, control uint64) {
	for j := 0; j < 8; j++ {
		w := binary.LittleEndian.Uint64(b[j*8 : j*8+8])
		l := w & low7
		s := ((l ^ 0x5c*ones) + low7) | w
		c := (l + 0x60*ones) | w
		backslashes |= ((s & high) * gather >> 56) << (j * 8)
		control |= ((c & high) * gather >> 56) << (j * 8)
	}
	return ^backslashes, ^control
}

// findEscaped returns the bytes that follow an odd run of backslashes, and
// keeps whether the first byte of the next block is one of them.
func (x *indexer) findEscaped(backslashes uint64) uint64 {
	const even = 0x5555555555555555
	backslashes &^= x.escaped
	follows := backslashes<<1 | x.escaped
	oddStarts := backslashes &^ even &^ follows
	sum, carry := bits.Add64(oddStarts, backslashes, 0)
	x.escaped = carry
	return (even ^ sum<<1) & follows
}

// prefixXor sets each bit to the parity of the bits up to and including it.
func prefixXor(m uint64) uint64 {
	m ^= m << 1
	m ^= m << 2
	m ^= m << 4
	m ^= m << 8
	m ^= m << 16
	m ^= m << 32
	return m
}
