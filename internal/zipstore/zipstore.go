// Package zipstore keeps the zips of layers and functions in a folder: each
// once, under its digest, whole or not at all.
//
// A zip is written beside its place and takes it when its bytes have the digest
// that AWS states, so that a run that is killed leaves no half of one; and what is
// read is compared with the digest again, so that what was changed since is not
// taken for what AWS has. It knows neither AWS nor what is in a zip. Start with
// New; a Memory keeps no file.
package zipstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Store is the folder. It may be used from many goroutines and processes.
type Store struct{ dir string }

// New names the folder, which is made when the first zip is kept.
func New(dir string) Store { return Store{dir} }

// ErrChanged says that a zip does not have the digest it should have.
var ErrChanged = errors.New("the zip does not have the digest that AWS states")

// hexadecimal is the digest as the folder writes it. sum is as AWS states it:
// SHA-256 in base64.
func hexadecimal(sum string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%q is no SHA-256 in base64", sum)
	}
	return hex.EncodeToString(b), nil
}

func (s Store) file(name string) string { return filepath.Join(s.dir, name+".zip") }

// Has reports whether the zip is kept.
func (s Store) Has(sum string) (bool, error) {
	name, err := hexadecimal(sum)
	if err != nil {
		return false, err
	}
	switch _, err := os.Stat(s.file(name)); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// Put keeps what r gives, which must be size bytes with the digest. Nothing is
// kept on an error.
func (s Store) Put(sum string, size int64, r io.Reader) (err error) {
	name, err := hexadecimal(sum)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = receive(f, name, size, r); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.file(name))
}

// receive writes what r gives to w, and fails unless it is size bytes with the
// digest.
func receive(w io.Writer, name string, size int64, r io.Reader) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(r, size+1))
	switch {
	case err != nil:
		return err
	case n < size:
		return fmt.Errorf("the zip ends after %d of %d bytes", n, size)
	case n > size:
		return fmt.Errorf("the zip has more than the %d bytes that AWS states", size)
	case hex.EncodeToString(h.Sum(nil)) != name:
		return ErrChanged
	}
	return nil
}

// A Zip is a zip that is kept.
type Zip interface {
	io.ReaderAt
	io.Closer
}

// Open opens the zip after comparing it with its digest. The error is
// fs.ErrNotExist when it is not kept, ErrChanged when it is another's.
func (s Store) Open(sum string) (Zip, int64, error) {
	name, err := hexadecimal(sum)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(s.file(name))
	if err != nil {
		return nil, 0, err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil && hex.EncodeToString(h.Sum(nil)) != name {
		err = ErrChanged
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, n, nil
}

// A Memory keeps zips in memory: the zero value has none.
type Memory struct {
	mu   sync.Mutex
	zips map[string][]byte
}

// Has reports whether the zip is kept.
func (m *Memory) Has(sum string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.zips[sum]
	return ok, nil
}

// Put keeps what r gives, as Store.Put does.
func (m *Memory) Put(sum string, size int64, r io.Reader) error {
	name, err := hexadecimal(sum)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := receive(&b, name, size, r); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.zips == nil {
		m.zips = map[string][]byte{}
	}
	m.zips[sum] = b.Bytes()
	return nil
}

// Open gives out the zip; the error is fs.ErrNotExist when it is not kept.
func (m *Memory) Open(sum string) (Zip, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.zips[sum]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return held{bytes.NewReader(b)}, int64(len(b)), nil
}

// held is a zip in memory, which has nothing to let go of.
type held struct{ *bytes.Reader }

func (held) Close() error { return nil }
