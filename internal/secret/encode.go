package secret

import (
	"io"
	"strings"
)

// widen is s in UTF-16 without the outer zero, which is the same in both byte orders.
func widen(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 {
			b.WriteByte(0)
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

const (
	alphabet    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	alphabetURL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	// wrapBefore and wrapAfter bound how far base64 is followed from an anchor.
	wrapBefore = 4 << 10
	wrapAfter  = 24 << 10
)

// inBase64 is the evidence of a value that stands in base64.
const inBase64 = "encoding: base64"

// wrap returns what is certain of s in base64 if it begins shift bytes into a
// group of three: the characters that no neighbour has a bit of. The two
// alphabets give two forms if they differ.
func wrap(s string, shift int) []string {
	var forms []string
	for _, a := range []string{alphabet, alphabetURL} {
		b := make([]byte, 0, 4*len(s)/3+1)
		for bit := (8*shift + 5) / 6 * 6; bit+6 <= 8*(shift+len(s)); bit += 6 {
			v := 0
			for k := range 6 {
				at := bit + k - 8*shift
				v = v<<1 | int(s[at/8]>>(7-at%8)&1)
			}
			b = append(b, a[v])
		}
		if f := string(b); len(f) >= 4 && (len(forms) == 0 || forms[0] != f) {
			forms = append(forms, f)
		}
	}
	return forms
}

// sextet is the value of a base64 character of either alphabet, 64 of others.
var sextet = func() (t [256]byte) {
	for i := range t {
		t[i] = 64
	}
	for i := range 64 {
		t[alphabet[i]], t[alphabetURL[i]] = byte(i), byte(i)
	}
	return t
}()

// unwrap decodes the base64 in which the certain characters of an anchor stand at
// at. begin and end are the run's place in data, in whole groups of four from
// begin on. Line breaks in it are passed over.
func unwrap(data []byte, at, shift int) (begin, end int, text []byte) {
	begin = at - [3]int{0, 2, 3}[shift]
	if begin < 0 {
		return 0, at + 1, nil
	}
	for lowest := max(0, begin-wrapBefore); begin-4 >= lowest && group(data[begin-4:begin]); {
		begin -= 4
	}
	var quantum uint32
	n := 0
	end = begin
	for limit := min(len(data), at+wrapAfter); end < limit; end++ {
		c := data[end]
		if c == '\n' || c == '\r' {
			continue
		}
		v := sextet[c]
		if v == 64 {
			break
		}
		quantum = quantum<<6 | uint32(v)
		if n++; n == 4 {
			text = append(text, byte(quantum>>16), byte(quantum>>8), byte(quantum)) //nolint:gosec // its three bytes
			quantum, n = 0, 0
		}
	}
	switch n {
	case 2:
		text = append(text, byte(quantum>>4))
	case 3:
		text = append(text, byte(quantum>>10), byte(quantum>>2))
	}
	return begin, max(end, at+1), text
}

func group(b []byte) bool {
	return sextet[b[0]]|sextet[b[1]]|sextet[b[2]]|sextet[b[3]] < 64
}

// narrow returns the text of data in UTF-16 with a byte order mark, a byte for a
// character: credentials are ASCII, and what is not becomes a NUL. ok is false if
// there is no mark.
func narrow(data []byte) (text []byte, ok bool) {
	if len(data) < 2 || (data[0] != 0xff || data[1] != 0xfe) && (data[0] != 0xfe || data[1] != 0xff) {
		return nil, false
	}
	text = make([]byte, len(data)/2-1)
	narrowInto(text, data[2:], data[0] == 0xff)
	return text, true
}

func narrowInto(text, data []byte, little bool) {
	for i := range text {
		c, high := data[2*i], data[2*i+1]
		if !little {
			c, high = high, c
		}
		if high != 0 || c >= 0x80 {
			c = 0
		}
		text[i] = c
	}
}

// widened places a report on narrowed text in the data it came from.
func widened(r Report) Report {
	for i := range r.Hits {
		r.Hits[i].Offset = 2 + 2*r.Hits[i].Offset
	}
	return r
}

// A narrowReader is narrow for a file that is not in memory.
type narrowReader struct {
	r      io.ReaderAt
	little bool
}

func (n narrowReader) ReadAt(p []byte, off int64) (int, error) {
	raw := make([]byte, 2*len(p))
	k, err := n.r.ReadAt(raw, 2+2*off)
	narrowInto(p[:k/2], raw, n.little)
	return k / 2, err
}
