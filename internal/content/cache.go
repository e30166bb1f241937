package content

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// cacheVersion changes whenever facts of the same bytes would be other facts: an
// engine that sees more, a field that is new.
const cacheVersion = "6"

// maxKept is how large a file of the cache may be, in bytes: more than what the
// facts of one scan take in memory.
const maxKept = 128 << 20

// A Cache keeps the facts of layers that were read, in a folder. It holds one
// file for each layer name, with the facts of every entry of the version read
// last: a version of which one file changed has the others read before, and the
// same zip has all. A file that is damaged, or of another program version, is as
// good as none.
//
// Facts are found again by name and layerfs.Key, which nobody can forge, and hold
// no secret. They are believed if they were written by who has Key, and the
// folder and the file belong to the user and nobody else can write there; who can
// do that as the user can change the program as well.
type Cache struct {
	// Dir is the folder, made when it is needed. Program is added to the keys, so
	// that another program's facts are not taken: its version.
	Dir, Program string
	// Key authenticates what is kept. Without one, what was changed by accident is
	// found out and nothing more.
	Key []byte

	mu      sync.Mutex
	keeping map[string]chan struct{} // by file; closed when the last that was begun is written
	failed  error
}

// Err waits until the facts of what was read are kept. It is why they could not be,
// nil if they could; reading is not affected.
func (c *Cache) Err() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	writing := slices.Collect(maps.Values(c.keeping))
	c.mu.Unlock()
	for _, written := range writing {
		<-written
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// A batch is what reading one entry of the layer gave.
type batch struct {
	Files []*File
	// Weights are what the facts of each file take from the budget.
	Weights  []int
	Oddities []layerfs.Oddity
	Lost     []lost
	Cost     layerfs.Cost
}

type lost struct{ Path, Reason string }

// A held is the cache of one layer while it is read. Batches are in the form in
// which they are kept, so that those of entries that did not change are copied.
type held struct {
	cache *Cache
	file  string
	old   map[cacheKey]string
	fresh map[cacheKey]string
	dirty bool
}

// cacheTypes says what facts are made of: those of other types are not taken.
var cacheTypes = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(batchWire().schema()))
	return string(sum[:])
})

// A cacheKey is an entry: the digest of its layerfs.Key, its name and its mode.
// Facts name the place they are from, and a name decides how a file is read; names
// may hold secrets.
type cacheKey [sha256.Size]byte

func keyOf(e *layerfs.Entry, key layerfs.Key) cacheKey {
	b := make([]byte, 0, 256)
	b = append(b, key[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(e.Mode))
	return sha256.Sum256(append(b, e.Name...))
}

// open reads what is kept for the layer's name; nil if there is no cache.
func (c *Cache) open(l *Layer) *held {
	if c == nil || c.Dir == "" {
		return nil
	}
	mac := c.mac()
	fmt.Fprintf(mac, "%s\x00%s\x00%t\x00%s", cacheVersion, c.Program, l.Imports, l.Name)
	h := &held{cache: c, file: filepath.Join(c.Dir, hex.EncodeToString(mac.Sum(nil)[:16])+".facts"), fresh: map[cacheKey]string{}}
	c.mu.Lock()
	writing := c.keeping[h.file]
	c.mu.Unlock()
	if writing != nil {
		<-writing
	}
	if err := private(c.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.fail(err)
		return nil
	}
	if err := h.load(); err != nil {
		h.old = nil // not kept, or damaged: it is read again
	}
	return h
}

// fail notes why facts are not kept.
func (c *Cache) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = errors.Join(c.failed, fmt.Errorf("keep facts: %w", err))
}

// mac is a new authentication code under the cache's key.
func (c *Cache) mac() hash.Hash {
	m := hmac.New(sha256.New, c.Key)
	m.Write([]byte("lamina facts\x00")) // the key has other uses
	return m
}

// errForged is a file that was not written as it is by who has the key.
var errForged = errors.New("the file is not as it was written")

// load reads the file: the code of what follows, and that.
func (h *held) load() error {
	if err := private(h.file); err != nil {
		return err
	}
	f, err := os.Open(h.file)
	if err != nil {
		return err
	}
	mac := h.cache.mac()
	sum := make([]byte, mac.Size())
	var data strings.Builder
	if info, err := f.Stat(); err == nil {
		data.Grow(int(min(max(info.Size(), 0), maxKept)))
	}
	_, err = io.ReadFull(f, sum)
	if err == nil {
		_, err = io.Copy(io.MultiWriter(&data, mac), io.LimitReader(f, maxKept))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !hmac.Equal(mac.Sum(nil), sum) {
		return errForged
	}
	r := wireReader{data: data.String()}
	if r.take(sha256.Size) != cacheTypes() {
		return errWire
	}
	h.old = make(map[cacheKey]string, r.length())
	for r.err == nil && r.data != "" {
		var key cacheKey
		copy(key[:], r.take(uint64(len(key))))
		h.old[key] = r.take(r.uint())
	}
	return r.err
}

func (h *held) get(e *layerfs.Entry, sum layerfs.Key) (b batch, ok bool) {
	key := keyOf(e, sum)
	wire, ok := h.old[key]
	if !ok {
		return b, false
	}
	if err := b.decode(wire); err != nil || len(b.Weights) != len(b.Files) {
		return batch{}, false
	}
	h.fresh[key] = wire
	return b, true
}

// forget makes the entry one that is read the next time.
func (h *held) forget(e *layerfs.Entry, sum layerfs.Key) {
	delete(h.fresh, keyOf(e, sum))
	h.dirty = true
}

func (h *held) put(e *layerfs.Entry, sum layerfs.Key, b batch) {
	h.fresh[keyOf(e, sum)], h.dirty = string(b.encode()), true
}

// keep writes what was read, if there is anything new, while others go on: Err waits
// for it.
func (c *Cache) keep(h *held) {
	if h == nil || !h.dirty && len(h.fresh) == len(h.old) {
		return
	}
	written := make(chan struct{})
	c.mu.Lock()
	if c.keeping == nil {
		c.keeping = map[string]chan struct{}{}
	}
	before := c.keeping[h.file]
	c.keeping[h.file] = written
	c.mu.Unlock()
	go func() {
		defer close(written)
		if before != nil {
			<-before
		}
		if err := h.write(); err != nil {
			c.fail(err)
		}
	}()
}

func (h *held) write() error {
	dir := filepath.Dir(h.file)
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(dir, ".facts-*")
	if err != nil {
		return err
	}
	mac := h.cache.mac()
	size := mac.Size() + sha256.Size + binary.MaxVarintLen64
	for _, wire := range h.fresh {
		size += sha256.Size + binary.MaxVarintLen64 + len(wire)
	}
	data := make([]byte, mac.Size(), size)
	data = append(data, cacheTypes()...)
	data = binary.AppendUvarint(data, uint64(len(h.fresh)))
	for _, key := range slices.SortedFunc(maps.Keys(h.fresh), func(a, b cacheKey) int { return bytes.Compare(a[:], b[:]) }) {
		wire := h.fresh[key]
		data = append(data, key[:]...)
		data = binary.AppendUvarint(data, uint64(len(wire)))
		data = append(data, wire...)
	}
	mac.Write(data[mac.Size():])
	mac.Sum(data[:0])
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), h.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
