package report

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A File becomes visible under its name only when Commit succeeds: until then
// the bytes are in a temporary file beside it. A reader never sees half a
// result, and an old result survives a failed run.
type File struct {
	*os.File
	path string
}

// ErrReadOnly is an output that its owner made read-only, ErrNoReader a named pipe that
// nobody reads.
var (
	ErrReadOnly = errors.New("is read-only")
	ErrNoReader = errors.New("is a pipe that nobody reads")
)

// Create opens a File for path. The folder must exist. A file that its owner may
// not write is refused with ErrReadOnly, although the folder would let it be
// replaced: somebody wanted to keep it. Results tell of people
// and systems: a file that was private stays so, and a new one is as private as
// the user's umask asks.
func Create(path string) (*File, error) { return create(path, 0o666) }

// CreatePrivate is Create for what tells a whole organisation's configuration: a new
// file is its owner's alone, whatever the umask.
func CreatePrivate(path string) (*File, error) { return create(path, 0o600) }

func create(path string, mode fs.FileMode) (*File, error) {
	old, err := os.Stat(path)
	switch {
	case err != nil:
		old = nil
	case old.IsDir():
		return nil, &fs.PathError{Op: "create", Path: path, Err: errors.New("is a folder")}
	case !old.Mode().IsRegular():
		// A device or pipe (/dev/null, /dev/fd/3) cannot be replaced; write through.
		// A pipe that nobody reads is not waited for: nothing could end that.
		flag := os.O_WRONLY
		if old.Mode()&fs.ModeNamedPipe != 0 {
			flag |= syscall.O_NONBLOCK
		}
		f, err := os.OpenFile(path, flag, 0) //nolint:gosec // the user named this file
		if errors.Is(err, syscall.ENXIO) {
			return nil, &fs.PathError{Op: "create", Path: path, Err: ErrNoReader}
		}
		if err != nil {
			return nil, fmt.Errorf("create output: %w", err)
		}
		return &File{File: f}, nil
	}
	if old != nil && old.Mode().Perm()&0o200 == 0 {
		return nil, &fs.PathError{Op: "create", Path: path, Err: ErrReadOnly}
	}
	// A link stays one: what it leads to is replaced.
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	name := filepath.Join(filepath.Dir(path), ".lamina-"+rand.Text()+".tmp")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // the umask decides
	if err != nil {
		// The name of the temporary file means nothing to the reader.
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			pe.Path = path
		}
		return nil, err
	}
	out := &File{File: f, path: path}
	if old != nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return nil, errors.Join(err, out.Abort())
		}
	}
	return out, nil
}

// Commit makes the file durable and gives it its name. After an error the
// temporary file is gone.
func (f *File) Commit() error {
	if f.path == "" {
		return f.Close()
	}
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), os.Remove(f.Name()))
	}
	return nil
}

// Abort forgets what was written.
func (f *File) Abort() error {
	err := f.Close()
	if f.path != "" {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
