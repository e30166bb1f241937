package content

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// cacheVersion changes whenever facts of the same bytes would be other facts: an
// engine that sees more, a field that is new.
const cacheVersion = "3"

// A Cache keeps the facts of layers that were read, in a folder. It holds one
// file for each layer name, with the facts of every entry of the version read
// last: a version of which one file changed has the others read before, and the
// same zip has all. A file that is damaged, or of another program version, is as
// good as none.
//
// Facts are found again by name and layerfs.Key, which nobody can forge. They hold no
// secret in clear.
type Cache struct {
	// Dir is the folder, made when it is needed. Program is added to the keys, so
	// that another program's facts are not taken: its version.
	Dir, Program string

	mu     sync.Mutex
	failed error
}

// Err is why facts could not be kept, nil if they could; reading is not
// affected.
func (c *Cache) Err() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// A batch is what reading one entry of the layer gave.
type batch struct {
	Files    []*File
	Oddities []layerfs.Oddity
	Lost     []lost
	Cost     layerfs.Cost
}

type lost struct{ Path, Reason string }

// A held is the cache of one layer while it is read.
type held struct {
	file  string
	old   map[cacheKey]batch
	fresh map[cacheKey]batch
	dirty bool
}

// A cacheKey is an entry: facts name the place they are from, and a name decides
// how a file is read.
type cacheKey struct {
	Key  layerfs.Key
	Path string
	Mode fs.FileMode
}

// open reads what is kept for the layer's name; nil if there is no cache.
func (c *Cache) open(l *Layer) *held {
	if c == nil || c.Dir == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(cacheVersion + "\x00" + c.Program + "\x00" + strconv.FormatBool(l.Imports) + l.Name))
	h := &held{file: filepath.Join(c.Dir, hex.EncodeToString(sum[:16])+".facts"), fresh: map[cacheKey]batch{}}
	data, err := os.ReadFile(h.file)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(data)).Decode(&h.old)
	}
	if err != nil {
		h.old = nil // not kept, or damaged: it is read again
	}
	return h
}

func (h *held) get(e *layerfs.Entry, sum layerfs.Key) (batch, bool) {
	key := cacheKey{sum, e.Name, e.Mode}
	b, ok := h.old[key]
	if ok {
		h.fresh[key] = b
	}
	return b, ok
}

func (h *held) put(e *layerfs.Entry, sum layerfs.Key, b batch) {
	h.fresh[cacheKey{sum, e.Name, e.Mode}], h.dirty = b, true
}

// keep writes what was read, if there is anything new.
func (c *Cache) keep(h *held) {
	if h == nil || !h.dirty && len(h.fresh) == len(h.old) {
		return
	}
	if err := h.write(); err != nil {
		c.mu.Lock()
		c.failed = errors.Join(c.failed, err)
		c.mu.Unlock()
	}
}

func (h *held) write() error {
	dir := filepath.Dir(h.file)
	if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep facts: %w", err)
	}
	f, err := os.CreateTemp(dir, ".facts-*")
	if err != nil {
		return fmt.Errorf("keep facts: %w", err)
	}
	err = errors.Join(gob.NewEncoder(f).Encode(h.fresh), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), h.file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep facts: %w", err), os.Remove(f.Name()))
	}
	return nil
}
