package secret

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type occurrence struct {
	ID    uint16
	Start int
}

func occurrences(a *automaton, data []byte) []occurrence {
	var got []occurrence
	a.scan(data, newFilter(a.literals), func(id uint16, start int) { got = append(got, occurrence{id, start}) })
	slices.SortFunc(got, compareOccurrences)
	return got
}

func compareOccurrences(a, b occurrence) int {
	if a.Start != b.Start {
		return a.Start - b.Start
	}
	return int(a.ID) - int(b.ID)
}

// naive looks for each literal at each place.
func naive(literals []literal, data []byte) []occurrence {
	var first [256][]int
	for id, l := range literals {
		first[lower(l.text[0])] = append(first[lower(l.text[0])], id)
	}
	var want []occurrence
	for i := range data {
		for _, id := range first[lower(data[i])] {
			l := literals[id]
			if len(data)-i < len(l.text) {
				continue
			}
			w := data[i : i+len(l.text)]
			if string(w) == l.text || l.fold && strings.ToLower(string(w)) == l.text && isASCII(w) {
				want = append(want, occurrence{uint16(id), i})
			}
		}
	}
	return want
}

func isASCII(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 }) }

var testLiterals = []literal{
	{"AKIA", false},
	{"ASIA", false},
	{"ghp_", false},
	{"password", true},
	{"pass", true},
	{"word", true},
	{"-----BEGIN", false},
	{"-BEG", false},
	{"://a", false},
	{"aaba", false},
	{"aabaab", true},
	{"A\x00K\x00I\x00A", false},
	{"SG.a", false},
	{"sswo", true},
	{"asswordx", true},
}

func TestAutomaton_overlaps(t *testing.T) {
	a := newAutomaton(testLiterals)
	for _, s := range []string{
		"", "A", "AKIA", "xAKIA", "AKIAAKIA", "akia", "PassWord", "passwordx", "aabaabaab", "-----BEGIN", "------------BEGIN",
		"A\x00K\x00I\x00A\x00", "://://a", strings.Repeat("-", 40) + "BEGIN", strings.Repeat(".", 31) + "SG.", "SG", "SSG.SG.aSG.a",
		"p\u212aassword", strings.Repeat("pass", 20),
	} {
		for pad := range 17 {
			data := []byte(strings.Repeat("~", pad) + s + strings.Repeat("~", pad%5))
			if d := cmp.Diff(naive(testLiterals, data), occurrences(a, data)); d != "" {
				t.Errorf("%q: %s", data, d)
			}
		}
	}
}

func TestAutomaton_random(t *testing.T) {
	a := newAutomaton(testLiterals)
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var b bytes.Buffer
		for range r.IntN(40) {
			switch r.IntN(3) {
			case 0:
				b.WriteString(testLiterals[r.IntN(len(testLiterals))].text)
			case 1:
				l := testLiterals[r.IntN(len(testLiterals))].text
				b.WriteString(strings.ToUpper(l[:r.IntN(len(l))]))
			default:
				b.WriteByte("ab-_.\x00Akiws/:"[r.IntN(13)])
			}
		}
		if d := cmp.Diff(naive(testLiterals, b.Bytes()), occurrences(a, b.Bytes())); d != "" {
			t.Fatalf("%q: %s", b.Bytes(), d)
		}
	}
}

func FuzzAutomaton(f *testing.F) {
	a := newAutomaton(testLiterals)
	f.Add([]byte("xxAKIAAKIApassword-----BEGIN"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d := cmp.Diff(naive(testLiterals, data), occurrences(a, data)); d != "" {
			t.Error(d)
		}
	})
}
