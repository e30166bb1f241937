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
}

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
	forget(a.mem)
	arenas.Lock()
	defer arenas.Unlock()
	arenas.free = append(arenas.free, a)
}

// room is the free part, without what the levels below need.
func (a *arena) room(below int) []byte {
	end := len(a.mem) - below*WholeFile
	return a.mem[a.top:max(a.top, end):max(a.top, end)]
}
