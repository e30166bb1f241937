package secret

import (
	"encoding/binary"
	"slices"
	"strings"
)

// An automaton finds every occurrence of many short literals in one pass
// (Aho–Corasick), with a loop in front of it that goes over bytes at which no
// literal begins eight at a time.
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
	// pairs filters: the low byte of pairs[p] has a bit for each group of literals
	// that can have the pair p first, the high byte for each that can have it
	// next. Bits 0–3 are for literals at an even place, 4–7 for those one before.
	pairs [1 << 16]uint16
}

// A literal is what the automaton looks for.
type literal struct {
	text string
	// fold ignores the case of ASCII letters.
	fold bool
}

const (
	// minLiteral is the length of the shortest literal. The filter is blunt below 4.
	minLiteral = 3
	maxLiteral = 64
)

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// newAutomaton compiles literals of minLiteral to maxLiteral bytes.
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
			a.class[c] = uint8(a.classes) // at most 230 bytes are their own lower case
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
	type node struct {
		next map[uint8]int
		out  []uint16
	}
	trie := []node{{next: map[uint8]int{}}}
	for i, l := range a.literals {
		s := 0
		for j := range len(l.text) {
			c := a.class[l.text[j]]
			t, ok := trie[s].next[c]
			if !ok {
				t = len(trie)
				trie = append(trie, node{next: map[uint8]int{}})
				trie[s].next[c] = t
			}
			s = t
		}
		trie[s].out = append(trie[s].out, uint16(i))
	}
	if len(trie) > 1<<16 {
		panic("secret: more anchors than the automaton has states")
	}
	// Breadth first: the new number of a node is its place in order.
	order, number := []int{0}, make([]uint16, len(trie))
	n := len(trie)
	a.fail, a.depth, a.out = make([]uint16, n), make([]uint8, n), make([][]uint16, n)
	a.edgeStart = make([]uint32, n+1)
	for s := 0; s < len(order); s++ {
		a.out[s] = trie[order[s]].out
		a.edgeStart[s] = uint32(len(a.edgeClass))
		var cs []uint8
		for c := range trie[order[s]].next {
			cs = append(cs, c)
		}
		slices.Sort(cs)
		for _, c := range cs {
			old := trie[order[s]].next[c]
			t := uint16(len(order))
			number[old] = t
			order = append(order, old)
			a.depth[t] = a.depth[s] + 1
			a.edgeClass, a.edgeTarget = append(a.edgeClass, c), append(a.edgeTarget, t)
		}
		if a.depth[s] <= 1 {
			a.hot = uint16(s + 1)
		}
	}
	a.edgeStart[n] = uint32(len(a.edgeClass))
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
			a.out[t] = slices.Concat(a.out[t], a.out[a.fail[t]])
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

// filter fills pairs. Literals that begin alike share a group, and those of
// three bytes, for which the second pair may be anything, have the last one.
func (a *automaton) filter() {
	var long, short []literal
	for _, l := range a.literals {
		if len(l.text) > 3 {
			long = append(long, l)
		} else {
			short = append(short, l)
		}
	}
	slices.SortFunc(long, func(x, y literal) int { return strings.Compare(x.text, y.text) })
	add := func(l literal, group int) {
		for phase := range 2 {
			bit := uint16(1) << (group + 4*phase)
			each(l.pair(phase), func(p uint16) { a.pairs[p] |= bit })
			each(l.pair(phase+2), func(p uint16) { a.pairs[p] |= bit << 8 })
		}
	}
	for i, l := range long {
		add(l, i*3/len(long))
	}
	for _, l := range short {
		add(l, 3)
	}
}

// pair returns the bytes that may be at i and i+1 of an occurrence of the literal.
func (l literal) pair(i int) [2][]byte {
	var p [2][]byte
	for k := range p {
		switch j := i + k; {
		case j >= len(l.text):
			for c := range 256 {
				p[k] = append(p[k], byte(c))
			}
		case l.fold && 'a' <= l.text[j] && l.text[j] <= 'z':
			p[k] = []byte{l.text[j], l.text[j] - ('a' - 'A')}
		default:
			p[k] = []byte{l.text[j]}
		}
	}
	return p
}

func each(p [2][]byte, f func(uint16)) {
	for _, x := range p[0] {
		for _, y := range p[1] {
			f(uint16(x) | uint16(y)<<8)
		}
	}
}

// scan calls hit for each occurrence of each literal, in the order of their ends.
func (a *automaton) scan(data []byte, hit func(id uint16, start int)) {
	for i := 0; i < len(data); {
		// A literal may begin one byte before the pair that shows it.
		if i = a.skip(data, i); i < len(data) {
			i = a.walk(data, i, hit)
		}
	}
}

// skip returns the first place at or after i at which a literal may begin.
func (a *automaton) skip(data []byte, i int) int {
	from := i
	t := &a.pairs
	for ; i+10 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		t0, t1, t2, t3 := t[uint16(w)], t[uint16(w>>16)], t[uint16(w>>32)], t[uint16(w>>48)]
		t4 := t[binary.LittleEndian.Uint16(data[i+8:])]
		m0, m1, m2, m3 := t0&(t1>>8), t1&(t2>>8), t2&(t3>>8), t3&(t4>>8)
		if (m0|m1|m2|m3)&0xff == 0 {
			continue
		}
		for k, m := range [4]uint16{m0, m1, m2, m3} {
			if at := i + 2*k - 1; m&0xf0 != 0 && at >= from {
				return at
			}
			if m&0x0f != 0 {
				return i + 2*k
			}
		}
	}
	// The last bytes are too few for a look ahead: one may begin right here, or
	// one byte before.
	return max(i-1, from)
}

// walk runs the automaton from i, reports what it finds, and returns a place
// after i such that every literal that begins before it was reported.
func (a *automaton) walk(data []byte, i int, hit func(id uint16, start int)) int {
	s := uint16(0)
	for p := i; p < len(data); p++ {
		s = a.step(s, a.class[data[p]])
		for _, id := range a.out[s] {
			if l := &a.literals[id]; l.fold || string(data[p+1-len(l.text):p+1]) == l.text {
				hit(id, p+1-len(l.text))
			}
		}
		// The longest suffix that still can become a literal begins here.
		if begin := p + 1 - int(a.depth[s]); begin > i && a.depth[s] < minLiteral {
			return begin
		}
	}
	return len(data)
}
