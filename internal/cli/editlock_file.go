//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tryLock makes a lock file in the folder, where folders cannot be locked.
func tryLock(dir string) (unlock func() error, err error) {
	name := filepath.Join(dir, ".lamina.lock")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user named this folder
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("%w (%s)", errLocked, name)
	case err != nil:
		return nil, err
	}
	return func() error { return errors.Join(f.Close(), os.Remove(name)) }, nil
}
