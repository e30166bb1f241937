package secret

import (
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
	a.filter()
	return a
}

// states builds the trie, numbers it by depth, and links the suffixes.
func (a *automaton) states() {
	type edge struct {
		class uint8
		to    int
	}
	type node struct {
		next []edge
		out  []uint16
	}
	trie := make([]node, 1, 1<<14)
	for i, l := range a.literals {
		s := 0
		for j := range len(l.text) {
			c := a.class[l.text[j]]
			k := slices.IndexFunc(trie[s].next, func(e edge) bool { return e.class == c })
			if k < 0 {
				k = len(trie[s].next)
				trie[s].next = append(trie[s].next, edge{c, len(trie)})
				trie = append(trie, node{})
			}
			s = trie[s].next[k].to
		}
		trie[s].out = append(trie[s].out, uint16(i))
	}
	if len(trie) > 1<<16 {
		panic("secret: more anchors than the automaton has states")
	}
	// Breadth first: the new number of a node is its place in order.
	order := []int{0}
	n := len(trie)
	a.fail, a.depth, a.out = make([]uint16, n), make([]uint8, n), make([][]uint16, n)
	a.edgeStart = make([]uint32, n+1)
	for s := 0; s < len(order); s++ {
		a.out[s] = trie[order[s]].out
		a.edgeStart[s] = uint32(len(a.edgeClass)) //nolint:gosec // fewer edges than states
		for _, e := range trie[order[s]].next {
			t := uint16(len(order)) //nolint:gosec // checked above
			order = append(order, e.to)
			a.depth[t] = a.depth[s] + 1
			a.edgeClass, a.edgeTarget = append(a.edgeClass, e.class), append(a.edgeTarget, t)
		}
		if a.depth[s] <= 2 {
			a.hot = uint16(s + 1)
		}
	}
	a.edgeStart[n] = uint32(len(a.edgeClass)) //nolint:gosec // the same
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

// filter chooses the four bytes of each literal.
func (a *automaton) filter() {
	for _, l := range a.literals {
		best, least := uint32(0), 1<<30
		for o := 0; o+4 <= len(l.text) && o <= maxBack; o++ {
			common := 0
			for _, c := range []byte(l.text[o : o+4]) {
				common += commonness(c)
			}
			if common < least {
				best, least = binary.LittleEndian.Uint32([]byte(l.text[o:o+4]))|fold, common
			}
		}
		h := hash(best)
		a.fours[h>>6] |= 1 << (h & 63)
		for i := h & (1<<13 - 1); a.exact[i] != best; i = (i + 1) & (1<<13 - 1) {
			if a.exact[i] == 0 {
				a.exact[i] = best
				break
			}
		}
	}
}

// commonness says roughly how often a byte is seen in text and code: the log of
// its share, from 0.
func commonness(c byte) int {
	if i := strings.IndexByte("etaoinsrhldcumfpgywbvkxjqz", lower(c)); i >= 0 {
		return 30 - i
	}
	switch c {
	case ' ', '\n', 0:
		return 32
	case '"', '.', ',', '-', '_', '/', '(', ')', ':', '=', '0', '1', '2':
		return 12
	}
	return 6
}

// known reports whether four folded bytes are those of a literal.
func (a *automaton) known(four uint32) bool {
	for i := hash(four) & (1<<13 - 1); a.exact[i] != 0; i = (i + 1) & (1<<13 - 1) {
		if a.exact[i] == four {
			return true
		}
	}
	return false
}

// scan calls hit for each occurrence of each literal once.
func (a *automaton) scan(data []byte, hit func(id uint16, start int)) {
	// done is where the next literal to be reported may begin at the earliest.
	for done, i := 0, 0; ; {
		if i = a.skip(data, i); i >= len(data) {
			return
		}
		// What begins before max(done, i-maxBack) has its four bytes before i, and
		// was reported.
		done = a.walk(data, max(done, i-maxBack), i, hit)
		i = done
	}
}

// skip returns the first place at or after i at which four bytes of a literal
// stand, len(data) if there is none.
func (a *automaton) skip(data []byte, i int) int {
	t := &a.fours
	for ; i+8 <= len(data); i += 5 {
		w := binary.LittleEndian.Uint64(data[i:]) | fold<<32 | fold
		h0, h1, h2, h3, h4 := hash(uint32(w)), hash(uint32(w>>8)), hash(uint32(w>>16)), hash(uint32(w>>24)), hash(uint32(w>>32)) //nolint:gosec // four bytes of it
		m0, m1, m2, m3, m4 := t[h0>>6]>>(h0&63), t[h1>>6]>>(h1&63), t[h2>>6]>>(h2&63), t[h3>>6]>>(h3&63), t[h4>>6]>>(h4&63)
		if (m0|m1|m2|m3|m4)&1 == 0 {
			continue
		}
		for m := m0&1 | m1&1<<1 | m2&1<<2 | m3&1<<3 | m4&1<<4; m != 0; m &= m - 1 {
			if k := bits.TrailingZeros64(m); a.known(uint32(w >> (8 * k))) { //nolint:gosec // the same
				return i + k
			}
		}
	}
	for ; i+4 <= len(data); i++ {
		if a.known(binary.LittleEndian.Uint32(data[i:]) | fold) {
			return i
		}
	}
	return len(data)
}

// walk runs the automaton from begin on, until no literal that begins at or
// before i can be found any more. It reports what it finds and returns a place
// after i such that every literal that begins before it was reported.
func (a *automaton) walk(data []byte, begin, i int, hit func(id uint16, start int)) int {
	s := uint16(0)
	for p := begin; p < len(data); p++ {
		s = a.step(s, a.class[data[p]])
		for _, id := range a.out[s] {
			if l := &a.literals[id]; l.fold || string(data[p+1-len(l.text):p+1]) == l.text {
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
