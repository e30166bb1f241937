package content

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The search in strides finds what a look for one word after the other finds.
func TestFindMarks_equals_one_search_a_word(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var data []byte
		for range rnd.IntN(6) {
			word := marks[rnd.IntN(len(marks))].word
			switch rnd.IntN(4) {
			case 0:
				data = append(data, word...)
			case 1:
				data = append(data, word[:rnd.IntN(len(word))]...)
			case 2:
				data = append(data, word[rnd.IntN(len(word)):]...)
			default:
				data = append(data, "process_xmrando"[:rnd.IntN(15)]...)
			}
		}
		var want []Mark
		for _, m := range marks {
			if bytes.Contains(data, []byte(m.word)) && !slices.Contains(want, m.mark) {
				want = append(want, m.mark)
			}
		}
		got := findMarks(nil, data)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q: %s", data, d)
		}
	}
}

func TestMarks_have_a_head_and_fit_a_window(t *testing.T) {
	for _, m := range marks {
		if len(m.word) < markHead || len(m.word) > longestMark {
			t.Errorf("%q has %d bytes; a head has %d, and windows share %d", m.word, len(m.word), markHead, longestMark)
		}
	}
}

func BenchmarkFindMarks(b *testing.B) {
	data := bytes.Repeat([]byte("  const process = require('process'); return a.random(x) + 'abc';\n"), 1<<14)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		findMarks(nil, data)
	}
}
