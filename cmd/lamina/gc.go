package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// The collector runs when the heap reaches gcFloor bytes, or grows by gcPercent
// over what is live if that is more. Go's default would run it at 4 MiB and then
// at every doubling, which costs a small heap many collections; and a large one
// more memory than is promised. From gcLarge bytes on it grows by gcTight percent:
// what needs as much is hostile or very large, and pays with time.
const (
	gcFloor   = 36 << 20
	gcPercent = 60
	gcLarge   = 56 << 20
	gcTight   = 20
	// gcEstate is the soft limit of a whole organisation, which is promised a
	// gigabyte. Below it grows by gcPercent.
	gcEstate = 800 << 20
)

// large says that an organisation is in memory.
var large atomic.Bool

// allowEstate lets the heap be as large as an organisation is.
func allowEstate() {
	if large.Swap(true) {
		return
	}
	debug.SetMemoryLimit(gcEstate)
	debug.SetGCPercent(gcPercent)
}

// tuneGC sets the percentage that keeps to gcFloor, anew after each collection.
func tuneGC() {
	// Go's first goal is 4 MiB at 100 percent.
	debug.SetGCPercent(gcFloor / (4 << 20) * 100 / 2)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var watch func(struct{})
	watch = func(struct{}) {
		if large.Load() {
			return
		}
		metrics.Read(live)
		n := max(1, int(live[0].Value.Uint64())) //nolint:gosec // a heap is below 8 EiB
		percent := max(gcPercent, (gcFloor-n)*100/n)
		if n > gcLarge {
			percent = gcTight
		}
		debug.SetGCPercent(percent)
		runtime.AddCleanup(new([16]byte), watch, struct{}{})
	}
	runtime.AddCleanup(new([16]byte), watch, struct{}{})
}
