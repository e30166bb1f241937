package layerfs

import "sync"

// levels is how deep files can be in archives: those of the layer, and those in
// archives, at most as deep as arenas have room for.
const levels = 5

// held is the size in bytes up to which a file above WholeFile is kept while it
// is visited, instead of being inflated again.
const held = 64 << 20

// An arena is where files are inflated to. It is a stack, as a file in an archive
// is visited while the archive is still there. Its memory is not the collector's:
// that would let as much garbage gather again before it acts. Memory that is not
// written to does not exist, so an arena costs what was needed at most at once.
type arena struct {
	mem []byte
	top int
	end int // of what was written to since the pages were given back
}

// spared is how many bytes of an arena that is not in use are kept: giving back few
// costs more than they are worth.
const spared = 4 << 20

// arenas that are not in use. They are never unmapped: a visitor that keeps a
// slice against what File says reads other bytes then, and does not crash.
var arenas struct {
	sync.Mutex
	free []*arena
}

func newArena() *arena {
	arenas.Lock()
	defer arenas.Unlock()
	if n := len(arenas.free); n > 0 {
		a := arenas.free[n-1]
		arenas.free = arenas.free[:n-1]
		return a
	}
	return &arena{mem: reserve(held + levels*WholeFile)}
}

func (a *arena) free() {
	a.top = 0
	if a.end > spared {
		forget(a.mem)
		a.end = 0
	}
	arenas.Lock()
	defer arenas.Unlock()
	arenas.free = append(arenas.free, a)
}

// wrote notes that the first n bytes of the free part are in use.
func (a *arena) wrote(n int) { a.end = max(a.end, a.top+n) }

// room is the free part, without what the levels below need.
func (a *arena) room(below int) []byte {
	end := len(a.mem) - below*WholeFile
	return a.mem[a.top:max(a.top, end):max(a.top, end)]
}
