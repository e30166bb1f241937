package cloudtrail

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// quickTop is walk for the record buf[start:end] as AWS writes it: no white
// space, and at the top level no numbers and no escapes. It finds the ends of
// strings in the bitmaps that the indexer left. It reports false for any other
// record, also for one that is wrong; walk then says what is so.
func (d *Reader) quickTop(start, end int, top *[NumKeys]Span) bool {
	*top = [NumKeys]Span{}
	buf, quotes, nested := d.buf[:end], d.quotes, d.nested
	slashes := uint64(0)
	for _, m := range d.slashes[start>>6 : end>>6+1] {
		slashes |= m
	}
	i := start + 1
	for {
		if i+8 > end || buf[i] != '"' {
			return false
		}
		quote := nextQuote(quotes, i+1)
		name := buf[i+1 : quote]
		if i = quote + 2; i+4 >= end || buf[quote+1] != ':' {
			return false
		}
		value := i
		switch buf[i] {
		case '"':
			i = nextQuote(quotes, i+1) + 1
		case '{', '[':
			if len(nested) == 0 || int(nested[0].Start) != i-start {
				return false
			}
			i, nested = start+int(nested[0].End), nested[1:]
		case 't':
			i += 4
			if binary.LittleEndian.Uint32(buf[value:]) != 'e'<<24|'u'<<16|'r'<<8|'t' {
				return false
			}
		case 'n':
			i += 4
			if binary.LittleEndian.Uint32(buf[value:]) != 'l'<<24|'l'<<16|'u'<<8|'n' {
				return false
			}
		case 'f':
			i += 5
			if binary.LittleEndian.Uint32(buf[value+1:]) != 'e'<<24|'s'<<16|'l'<<8|'a' {
				return false
			}
		default:
			return false
		}
		if slashes != 0 && (bytes.IndexByte(name, '\\') >= 0 || buf[value] == '"' && bytes.IndexByte(buf[value:i], '\\') >= 0) {
			return false
		}
		if len(name) >= 6 {
			if k := keyTable[keyHash(name)]; keyNames[k] == string(name) {
				top[k] = span(value-start, i-start)
			}
		}
		if i >= end {
			return false
		}
		if buf[i] != ',' {
			return buf[i] == '}' && i == end-1
		}
		i++
	}
}

// nextQuote returns the first quote at or after i, which must exist.
func nextQuote(quotes []uint64, i int) int {
	if m := quotes[i>>6] >> (i & 63); m != 0 {
		return i + bits.TrailingZeros64(m)
	}
	for i = i>>6 + 1; quotes[i] == 0; i++ {
	}
	return i<<6 + bits.TrailingZeros64(quotes[i])
}
