//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package cli

import (
	"errors"
	"os"
	"syscall"
)

// tryLock holds the folder itself, so that no lock file is left behind: the
// kernel lets go of it when the process ends, however it ends.
func tryLock(dir string) (unlock func() error, err error) {
	f, err := os.Open(dir) //nolint:gosec // the user named this folder
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		return nil, errors.Join(errLocked, f.Close())
	case err != nil:
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
