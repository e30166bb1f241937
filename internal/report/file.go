package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A File becomes visible under its name only when Commit succeeds: until then
// the bytes are in a temporary file beside it. A reader never sees half a
// result, and an old result survives a failed run.
type File struct {
	*os.File
	path string
}

// Create opens a File for path. The folder must exist.
func Create(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		// A device or pipe (/dev/null, /dev/fd/3) cannot be replaced; write through.
		if info.IsDir() {
			return nil, &fs.PathError{Op: "create", Path: path, Err: errors.New("is a folder")}
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // the user named this file
		if err != nil {
			return nil, fmt.Errorf("create output: %w", err)
		}
		return &File{File: f}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		// The name of the temporary file means nothing to the reader.
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			pe.Path = path
		}
		return nil, err
	}
	return &File{File: f, path: path}, nil
}

// Commit makes the file durable and gives it its name. After an error the
// temporary file is gone.
func (f *File) Commit() error {
	if f.path == "" {
		return f.Close()
	}
	err := f.Sync()
	if err == nil {
		err = f.Chmod(0o644) // as os.Create would under the usual umask; results are not secrets
	}
	err = errors.Join(err, f.Close())
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
