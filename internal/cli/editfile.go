package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// editFile replaces a file by what change makes of it, whole or not at all. A
// file that is not there is empty. Others that edit a file of that folder in the
// same way wait, so that no edit is lost.
func (a *app) editFile(ctx context.Context, name string, change func([]byte) ([]byte, error)) (err error) {
	path := a.path(name)
	// A link stays one: what it leads to is replaced, and locked.
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	unlock, err := a.lockFolder(ctx, filepath.Dir(path))
	if err != nil {
		return a.outputError(name, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	data, err := readOrEmpty(path, tomlfile.MaxFile)
	if err != nil {
		return a.missing(name, err)
	}
	out, err := change(data)
	if err != nil {
		return err
	}
	f, err := report.Create(path)
	if err != nil {
		return a.outputError(name, err)
	}
	if _, err := f.Write(out); err != nil {
		return errors.Join(a.outputError(name, err), f.Abort())
	}
	if err := f.Commit(); err != nil {
		return a.outputError(name, err)
	}
	return nil
}

// lockWait is how often a lock that another holds is tried.
const lockWait = 20 * time.Millisecond

// lockFolder waits until nobody else holds the folder, and holds it.
func (a *app) lockFolder(ctx context.Context, dir string) (unlock func() error, err error) {
	t := time.NewTicker(lockWait)
	defer t.Stop()
	told := false
	for tries := 0; ; tries++ {
		unlock, err = tryLock(dir)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		if tries == 50 && !told {
			told = true
			a.note("waiting for another lamina that edits a file in %s", dir)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-t.C:
		}
	}
}

// errLocked says that another holds the lock.
var errLocked = errors.New("is being edited by another")
