package layerfs

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A keyring makes the keys of a layer's entries, in their order and ahead of who
// asks for them.
type keyring struct {
	layer *Layer
	keys  []keyOrError
	ready []chan struct{} // of each stretch of entries
	next  atomic.Int64    // the first stretch that nobody makes
	work  sync.WaitGroup
}

type keyOrError struct {
	key Key
	err error
}

// stretch is how many entries are made between two that wait for each other.
const stretch = 32

func newKeyring(l *Layer) *keyring {
	k := &keyring{layer: l, keys: make([]keyOrError, len(l.entries)), ready: make([]chan struct{}, (len(l.entries)+stretch-1)/stretch)}
	for i := range k.ready {
		k.ready[i] = make(chan struct{})
	}
	for range min(runtime.GOMAXPROCS(0), 4) {
		k.work.Go(k.make)
	}
	return k
}

func (k *keyring) make() {
	for {
		n := int(k.next.Add(1)) - 1
		if n >= len(k.ready) {
			return
		}
		for i := n * stretch; i < min((n+1)*stretch, len(k.keys)); i++ {
			if e := &k.layer.entries[i]; !e.Mode.IsDir() || e.bad != nil {
				k.keys[i].key, k.keys[i].err = k.layer.Key(e)
			}
		}
		close(k.ready[n])
	}
}

// key waits for the key of an entry that Pass reads.
func (k *keyring) key(i int) (Key, error) {
	<-k.ready[i/stretch]
	return k.keys[i].key, k.keys[i].err
}

// stop ends the work, so that the archive is not read any more.
func (k *keyring) stop() {
	k.next.Store(int64(len(k.ready)))
	k.work.Wait()
}
