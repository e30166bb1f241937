package cloudtrail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// naiveIndex says what indexer must find, one byte at a time.
func naiveIndex(b []byte) []uint32 {
	var out []uint32
	in, esc := false, false
	for i, c := range b {
		escaped := esc
		esc = c == '\\' && !escaped
		switch {
		case c == '"' && !escaped:
			in = !in
		case in && c < ' ':
			out = append(out, uint32(i))
		case !in && c < ' ' && c != '\n' && c != '\r' && c != '\t':
			out = append(out, uint32(i))
		case !in && (c&0xd9) == 0x59:
			out = append(out, uint32(i))
		}
	}
	return out
}

func indexInPieces(b []byte, cut func() int) []uint32 {
	var x indexer
	var out []uint32
	quotes, slashes := make([]uint64, len(b)/64+1), make([]uint64, len(b)/64+1)
	for i := 0; i < len(b); {
		k := min(cut(), len(b)-i)
		tape := make([]uint32, k+64)
		n := x.run(b, i&^63, i+k, i, tape, quotes, slashes)
		out = append(out, tape[:n]...)
		i += k
	}
	naiveQuotes(b, quotes, slashes)
	return out
}

// naiveQuotes panics if the bitmaps are not those of the quotes and backslashes.
func naiveQuotes(b []byte, quotes, slashes []uint64) {
	esc := false
	for i, c := range b {
		q := quotes[i>>6]>>(i&63)&1 == 1
		s := slashes[i>>6]>>(i&63)&1 == 1
		if q != (c == '"' && !esc) || s != (c == '\\') {
			panic(fmt.Sprintf("byte %d of %q: quote %v, backslash %v", i, b, q, s))
		}
		esc = c == '\\' && !esc
	}
}

func TestIndexer_agrees_with_bytewise_scan_for_any_cut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []byte(`{}[]"""\\\\:, abYy_` + "\x00\n\t\r\x1f\x7f\x80\xff\xa2\xdc\xfb")
	for range 20000 {
		b := make([]byte, rng.IntN(300))
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		want := naiveIndex(b)
		if got := indexInPieces(b, func() int { return len(b) }); !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", b, got, want)
		}
		if got := indexInPieces(b, func() int { return 1 + rng.IntN(130) }); !slices.Equal(got, want) {
			t.Fatalf("in pieces %q: got %v, want %v", b, got, want)
		}
	}
}

func FuzzIndexer(f *testing.F) {
	f.Add([]byte(`{"a":"\\\"{","b":[1,{"c":null}]}`), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		want := naiveIndex(b)
		if got := indexInPieces(b, func() int { return int(step) + 1 }); !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", b, got, want)
		}
	})
}
