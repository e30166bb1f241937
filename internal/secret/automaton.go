package secret

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// An automaton finds every occurrence of many short literals in one pass
// (Aho–Corasick), with a filter in front of it that goes over bytes near which no
// literal stands: of each literal its rarest four bytes are known, and where none
// of these fours is, the automaton need not run.
//
// The automaton runs over bytes folded to lower case; a literal that is meant
// exactly is compared once more when it is found. Rows of the states near the
// root are dense, deeper states keep only their edges. It is immutable.
type automaton struct {
	literals []literal
	// class maps a byte to its column; bytes of no literal share column 0.
	class   [256]uint8
	classes int
	// dense has a row of classes targets for each of the first hot states.
	dense []uint16
	hot   uint16
	// Edges of state s are edgeClass[edgeStart[s]:edgeStart[s+1]] and the targets beside.
	edgeStart  []uint32
	edgeClass  []uint8
	edgeTarget []uint16
	fail       []uint16
	depth      []uint8
	// out lists the literals that end in a state, those of its suffixes included.
	out [][]uint16
}

// A filter is of the first literals, and passes over what none of them is near.
type filter struct {
	literals uint16
	// fours has a bit for each hash of four folded bytes that a literal is known by;
	// exact has them at their hash or after it, 0 where there is none.
	fours [1 << 12]uint64
	exact [1 << 13]uint32
}

// A literal is what the automaton looks for.
type literal struct {
	text string
	// fold ignores the case of ASCII letters.
	fold bool
}

const (
	minLiteral = 4
	// maxBack is how far from a literal's begin its four bytes may stand.
	maxBack = 8
)

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// newAutomaton compiles literals of at least minLiteral bytes.
func newAutomaton(literals []literal) *automaton {
	a := &automaton{literals: literals, classes: 1}
	// Columns.
	var used [256]bool
	for _, l := range literals {
		for i := range len(l.text) {
			used[lower(l.text[i])] = true
		}
	}
	for c := range 256 {
		if used[c] {
			a.class[c] = uint8(a.classes) //nolint:gosec // at most 230 bytes are their own lower case
			a.classes++
		}
	}
	for c := range 256 {
		a.class[c] = a.class[lower(byte(c))]
	}
	a.states()
	return a
}

// states numbers the prefixes of the literals by their length, and links each to its
// longest suffix that is one as well.
func (a *automaton) states() {
	// Sorted by columns, the literals that share a prefix stand side by side.
	columns := make([]string, len(a.literals))
	order := make([]uint16, len(a.literals))
	for i, l := range a.literals {
		c := make([]byte, len(l.text))
		for j := range c {
			c[j] = a.class[l.text[j]]
		}
		columns[i], order[i] = string(c), uint16(i)
	}
	slices.SortFunc(order, func(x, y uint16) int { return cmp.Or(strings.Compare(columns[x], columns[y]), cmp.Compare(x, y)) })
	// A state is the literals order[from:to] that begin with its prefix; the first of
	// them, up to more, are no longer than it.
	type state struct{ from, more, to uint16 }
	bound := 1 // states and edges
	for _, c := range columns {
		bound += len(c)
	}
	states := append(make([]state, 0, bound), state{to: uint16(len(order))}) //nolint:gosec // as above
	a.depth = make([]uint8, 1, bound)
	a.edgeStart, a.edgeClass, a.edgeTarget = make([]uint32, 0, bound+1), make([]uint8, 0, bound), make([]uint16, 0, bound)
	for s := 0; s < len(states); s++ {
		st, d := &states[s], int(a.depth[s])
		for st.more = st.from; st.more < st.to && len(columns[order[st.more]]) == d; {
			st.more++
		}
		a.edgeStart = append(a.edgeStart, uint32(len(a.edgeClass))) //nolint:gosec // fewer edges than states
		if d <= 2 {
			a.hot = uint16(s + 1)
		}
		for from, to := st.more, states[s].to; from < to; {
			c, next := columns[order[from]][d], from
			for next < to && columns[order[next]][d] == c {
				next++
			}
			a.edgeClass, a.edgeTarget = append(a.edgeClass, c), append(a.edgeTarget, uint16(len(states))) //nolint:gosec // checked below
			states, a.depth = append(states, state{from: from, to: next}), append(a.depth, uint8(d+1))    //nolint:gosec // literals are short
			from = next
		}
	}
	n := len(states)
	if n > 1<<16 {
		panic("secret: more anchors than the automaton has states")
	}
	a.edgeStart = append(a.edgeStart, uint32(len(a.edgeClass))) //nolint:gosec // as above
	a.fail, a.out = make([]uint16, n), make([][]uint16, n)
	a.dense = make([]uint16, int(a.hot)*a.classes)
	// In order of depth, so that what a state falls back to is ready before it.
	for s := range n {
		row := a.dense[:0]
		if s < int(a.hot) {
			row = a.dense[s*a.classes : (s+1)*a.classes]
			if s > 0 {
				copy(row, a.dense[int(a.fail[s])*a.classes:])
			}
		}
		for e := a.edgeStart[s]; e < a.edgeStart[s+1]; e++ {
			c, t := a.edgeClass[e], a.edgeTarget[e]
			if s > 0 {
				a.fail[t] = a.step(a.fail[s], c)
			}
			// its own, and those of its suffixes
			a.out[t] = order[states[t].from:states[t].more:states[t].more]
			if more := a.out[a.fail[t]]; len(more) > 0 {
				a.out[t] = slices.Concat(a.out[t], more)
			}
		}
		for e := a.edgeStart[s]; e < a.edgeStart[s+1] && len(row) > 0; e++ {
			row[a.edgeClass[e]] = a.edgeTarget[e]
		}
	}
}

// step is the transition of state s on column c.
func (a *automaton) step(s uint16, c uint8) uint16 {
	for s >= a.hot {
		for e := a.edgeStart[s]; e < a.edgeStart[s+1]; e++ {
			if a.edgeClass[e] == c {
				return a.edgeTarget[e]
			}
		}
		s = a.fail[s]
	}
	return a.dense[int(s)*a.classes+int(c)]
}

// fold sets the bit in which the cases of an ASCII letter differ. Other bytes
// fall together as well; the filter may be wrong on that side.
const fold = 0x20202020

// hash is that of four folded bytes, in 18 bits.
func hash(four uint32) uint32 { return four * 0x9E3779B1 >> 14 }

// newFilter chooses the four bytes of each literal.
func newFilter(literals []literal) *filter {
	f := &filter{literals: uint16(len(literals))} //nolint:gosec // fewer literals than states
	for _, l := range literals {
		best, least := uint32(0), 1<<30
		for o := 0; o+4 <= len(l.text) && o <= maxBack; o++ {
			common := 0
			for _, c := range []byte(l.text[o : o+4]) {
				common += int(commonness[c])
			}
			if common < least {
				best, least = binary.LittleEndian.Uint32([]byte(l.text[o:o+4]))|fold, common
			}
		}
		h := hash(best)
		f.fours[h>>6] |= 1 << (h & 63)
		for i := h & (1<<13 - 1); f.exact[i] != best; i = (i + 1) & (1<<13 - 1) {
			if f.exact[i] == 0 {
				f.exact[i] = best
				break
			}
		}
	}
	return f
}

// commonness says roughly how often a byte is seen in text and code: the log of
// its share, from 0.
var commonness = func() (t [256]uint8) {
	for c := range t {
		t[c] = 6
	}
	for _, c := range []byte("\".,-_/():=012") {
		t[c] = 12
	}
	for i, c := range []byte("etaoinsrhldcumfpgywbvkxjqz") {
		t[c] = uint8(30 - i)
		t[c-'a'+'A'] = t[c]
	}
	t[' '], t['\n'], t[0] = 32, 32, 32
	return t
}()

// known reports whether four folded bytes are those of a literal.
func (f *filter) known(four uint32) bool {
	for i := hash(four) & (1<<13 - 1); f.exact[i] != 0; i = (i + 1) & (1<<13 - 1) {
		if f.exact[i] == four {
			return true
		}
	}
	return false
}

// scan calls hit for each occurrence of each literal of near once.
func (a *automaton) scan(data []byte, near *filter, hit func(id uint16, start int)) {
	// done is where the next literal to be reported may begin at the earliest.
	for done, i := 0, 0; ; {
		if i = near.skip(data, i); i >= len(data) {
			return
		}
		// What begins before max(done, i-maxBack) has its four bytes before i, and
		// was reported.
		done = a.walk(data, max(done, i-maxBack), i, near.literals, hit)
		i = done
	}
}

// skip returns the first place at or after i at which four bytes of a literal
// stand, len(data) if there is none.
func (f *filter) skip(data []byte, i int) int {
	t := &f.fours
	for ; i+8 <= len(data); i += 5 {
		w := binary.LittleEndian.Uint64(data[i:]) | fold<<32 | fold
		h0, h1, h2, h3, h4 := hash(uint32(w)), hash(uint32(w>>8)), hash(uint32(w>>16)), hash(uint32(w>>24)), hash(uint32(w>>32)) //nolint:gosec // four bytes of it
		m0, m1, m2, m3, m4 := t[h0>>6]>>(h0&63), t[h1>>6]>>(h1&63), t[h2>>6]>>(h2&63), t[h3>>6]>>(h3&63), t[h4>>6]>>(h4&63)
		if (m0|m1|m2|m3|m4)&1 == 0 {
			continue
		}
		for m := m0&1 | m1&1<<1 | m2&1<<2 | m3&1<<3 | m4&1<<4; m != 0; m &= m - 1 {
			if k := bits.TrailingZeros64(m); f.known(uint32(w >> (8 * k))) { //nolint:gosec // the same
				return i + k
			}
		}
	}
	for ; i+4 <= len(data); i++ {
		if f.known(binary.LittleEndian.Uint32(data[i:]) | fold) {
			return i
		}
	}
	return len(data)
}

// walk runs the automaton for the first literals from begin on, until no literal that begins at or
// before i can be found any more. It reports what it finds and returns a place
// after i such that every literal that begins before it was reported.
func (a *automaton) walk(data []byte, begin, i int, literals uint16, hit func(id uint16, start int)) int {
	s := uint16(0)
	for p := begin; p < len(data); p++ {
		s = a.step(s, a.class[data[p]])
		for _, id := range a.out[s] {
			if l := &a.literals[id]; id < literals && (l.fold || string(data[p+1-len(l.text):p+1]) == l.text) {
				hit(id, p+1-len(l.text))
			}
		}
		// The longest suffix that still can become a literal begins here.
		if next := p + 1 - int(a.depth[s]); next > i && a.depth[s] < minLiteral {
			return next
		}
	}
	return len(data)
}
