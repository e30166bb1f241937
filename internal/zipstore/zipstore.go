// Package zipstore keeps the zips of layers and functions in a folder: each
// once, under its digest, whole or not at all.
//
// A zip is written beside its place and takes it when its bytes have the digest
// that AWS states, so that a run that is killed leaves no half of one; and what is
// read is compared with the digest again, so that what was changed since is not
// taken for what AWS has. It knows neither AWS nor what is in a zip. Start with
// New.
package zipstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(r, size+1))
	switch {
	case err != nil:
	case n < size:
		err = fmt.Errorf("the zip ends after %d of %d bytes", n, size)
	case n > size:
		err = fmt.Errorf("the zip has more than the %d bytes that AWS states", size)
	case hex.EncodeToString(h.Sum(nil)) != name:
		err = ErrChanged
	default:
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.file(name))
}

// Open opens the zip after comparing it with its digest. The error is
// fs.ErrNotExist when it is not kept, ErrChanged when it is another's.
func (s Store) Open(sum string) (*os.File, int64, error) {
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
