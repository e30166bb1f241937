package detect

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// A shelf keeps the bytes of candidates. Records of one trail are much alike,
// so full blocks are compressed: a run over a large trail holds a sixth or less
// of what its candidates weigh, and opening one costs a few dozen microseconds
// when its block is not open already.
type shelf struct {
	blocks [][]byte // compressed, but for the last
	last   []byte   // the block being filled, uncompressed

	scratch []byte
}

const (
	shelfBlock = 64 << 10
	// openBlocks is how many blocks a librarian keeps open: candidates are
	// opened in order of time and were kept in order of file, so a run of
	// candidates comes from as many blocks as files overlap in time.
	openBlocks = 32
)

// A spot is where a candidate's bytes are.
type spot struct {
	shelf      *shelf
	block      int32
	start, end int32
}

// put copies b to the shelf.
func (s *shelf) put(b []byte) spot {
	if len(s.last) > 0 && len(s.last)+len(b) > shelfBlock {
		s.seal()
	}
	start := len(s.last)
	s.last = append(s.last, b...)
	return spot{s, int32(len(s.blocks)), int32(start), int32(len(s.last))} //nolint:gosec // a record is at most a few MiB, a block likewise
}

// seal closes the block being filled.
func (s *shelf) seal() {
	if len(s.last) > 0 {
		// Encode's result has room for the worst case.
		s.scratch = s2.Encode(s.scratch[:cap(s.scratch)], s.last)
		s.blocks = append(s.blocks, slices.Clone(s.scratch))
		s.last = s.last[:0]
	}
}

// A librarian opens blocks and keeps the ones used last.
type librarian struct {
	open map[blockID][]byte
	turn []blockID // in the order they were opened
	next int
}

type blockID struct {
	shelf *shelf
	block int32
}

// get returns the bytes at a spot, valid until openBlocks other blocks were
// opened. The shelf must be sealed.
func (l *librarian) get(at spot) ([]byte, error) {
	id := blockID{at.shelf, at.block}
	b, ok := l.open[id]
	if !ok {
		var reuse []byte
		if len(l.turn) < openBlocks {
			l.turn = append(l.turn, id)
		} else {
			reuse = l.open[l.turn[l.next]]
			delete(l.open, l.turn[l.next])
			l.turn[l.next] = id
			l.next = (l.next + 1) % openBlocks
		}
		var err error
		if b, err = s2.Decode(reuse[:cap(reuse)], at.shelf.blocks[at.block]); err != nil {
			return nil, fmt.Errorf("open a block of candidates: %w", err)
		}
		if l.open == nil {
			l.open = map[blockID][]byte{}
		}
		l.open[id] = b
	}
	return b[at.start:at.end:at.end], nil
}
