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

// run indexes buf[from:to], where from is a multiple of 64 and what is before
// done was indexed already. It writes the positions of what it found from done
// on to tape, which must have room for to-from entries, and returns how many it
// wrote. quotes and slashes get the bitmaps of the quotes that start or end
// strings and of the backslashes, bit i&63 of word i>>6 for buf[i]. An
// incomplete last block is indexed, but the state stays that of its start, so
// that the next call begins with it again.
//
// Blocks of printable ASCII without backslashes, which nearly all are, take the
// short way: there a byte plus a constant reaches 0x80 exactly when it is the
// one looked for, and no byte carries into the next.
func (x *indexer) run(buf []byte, from, to, done int, tape []uint32, quotes, slashes []uint64) int {
	n := 0
	i := from
	for ; i+64 <= to; i += 64 {
		b := (*[64]byte)(buf[i:])
		w := binary.LittleEndian.Uint64(b[0:8])
		odd, q, brackets := oddBytes(w), quoteBits(w), bracketBits(w)
		w = binary.LittleEndian.Uint64(b[8:16])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<8, brackets|bracketBits(w)<<8
		w = binary.LittleEndian.Uint64(b[16:24])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<16, brackets|bracketBits(w)<<16
		w = binary.LittleEndian.Uint64(b[24:32])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<24, brackets|bracketBits(w)<<24
		w = binary.LittleEndian.Uint64(b[32:40])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<32, brackets|bracketBits(w)<<32
		w = binary.LittleEndian.Uint64(b[40:48])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<40, brackets|bracketBits(w)<<40
		w = binary.LittleEndian.Uint64(b[48:56])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<48, brackets|bracketBits(w)<<48
		w = binary.LittleEndian.Uint64(b[56:64])
		odd, q, brackets = odd|oddBytes(w), q|quoteBits(w)<<56, brackets|bracketBits(w)<<56
		if odd&high != 0 || x.escaped != 0 || i < done {
			q, brackets, slashes[i>>6] = x.block(b)
			if i < done {
				brackets &= ^uint64(0) << (done - i)
			}
		} else {
			in := prefixXor(q) ^ x.inString
			x.inString = -(in >> 63)
			brackets &^= in
			slashes[i>>6] = 0
		}
		quotes[i>>6] = q
		for ; brackets != 0; brackets &= brackets - 1 {
			tape[n] = u32(i + bits.TrailingZeros64(brackets))
			n++
		}
	}
	if i < to {
		b := blankBlock
		copy(b[:], buf[i:to])
		state := *x
		var brackets uint64
		quotes[i>>6], brackets, slashes[i>>6] = state.block(&b)
		if i < done {
			brackets &= ^uint64(0) << (done - i)
		}
		for ; brackets != 0; brackets &= brackets - 1 {
			tape[n] = u32(i + bits.TrailingZeros64(brackets))
			n++
		}
	}
	return n
}

var blankBlock = [64]byte([]byte("                                                                "))

// u32 makes a position in the window, which Limits keep far below 4 GiB, short.
func u32(i int) uint32 { return uint32(i) } //nolint:gosec // bounded by Limits

// oddBytes has a high bit set if a byte of w is a backslash, a control
// character or no ASCII.
func oddBytes(w uint64) uint64 { return ((w ^ 0x23*ones) + ones) | (0x9f*ones - w) | w }

// quoteBits has bit i set if byte i of w is a quote, if all are ASCII.
func quoteBits(w uint64) uint64 { return ((w ^ 0x5d*ones) + ones) & high * gather >> 56 }

// bracketBits has bit i set if byte i of w is one of []{} or, which never
// stands outside strings, of Y, _, y and DEL, if all are ASCII.
func bracketBits(w uint64) uint64 { return ((w | 0x26*ones) + ones) & high * gather >> 56 }

// block indexes any block. It returns the quotes, what run puts on the tape,
// and the backslashes.
func (x *indexer) block(b *[64]byte) (quotes, found, slashes uint64) {
	var control uint64
	for j := range 8 {
		w := binary.LittleEndian.Uint64(b[j*8 : j*8+8])
		l := w & low7
		// A byte's high bit is set in q unless the byte is a quote, and so on:
		// l^c is zero only for c, and adding 0x7f carries into the high bit
		// otherwise; or-ing w keeps bytes above 0x7f out.
		q := ((l ^ 0x22*ones) + low7) | w
		// Clearing 0x20 and 0x06 maps []{} to 0x59, and Y, _, y, DEL as well.
		s := (((l & (0x59 * ones)) ^ 0x59*ones) + low7) | w
		e := ((l ^ 0x5c*ones) + low7) | w
		c := (l + 0x60*ones) | w
		quotes |= (q & high * gather >> 56) << (j * 8)
		found |= (s & high * gather >> 56) << (j * 8)
		slashes |= (e & high * gather >> 56) << (j * 8)
		control |= (c & high * gather >> 56) << (j * 8)
	}
	quotes, found, slashes, control = ^quotes, ^found, ^slashes, ^control
	quotes &^= x.findEscaped(slashes)
	in := prefixXor(quotes) ^ x.inString
	x.inString = -(in >> 63)
	found = found&^in | control&in
	for m := control &^ in; m != 0; m &= m - 1 {
		if j := bits.TrailingZeros64(m); b[j] != '\n' && b[j] != '\r' && b[j] != '\t' {
			found |= 1 << j
		}
	}
	return quotes, found, slashes
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
