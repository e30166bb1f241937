package layerfs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// FromFS makes a layer of the files in fsys, sorted by name: the same as of a zip
// that was packed from it. Links are not followed; fsys should not follow them
// either, as that of os.OpenRoot does not. The files are read when they are asked
// for, and should not change in between: one that did is an Oddity.
func FromFS(fsys fs.FS, limits Limits) (*Layer, error) {
	l := &Layer{fsys: fsys, kind: dirKind, limits: limits.filled()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if name == "." {
			if err == nil && !d.IsDir() {
				return errors.New("not a directory")
			}
			return err
		}
		if err != nil {
			// A directory is given a second time when it cannot be read.
			l.lost = append(l.lost, loss{name, fmt.Errorf("read the directory: %w", err)})
			return fs.SkipDir
		}
		e := Entry{Name: name, Mode: d.Type(), method: store}
		if d.IsDir() {
			e.Name += "/"
			e.dirName = true
		}
		info, err := d.Info()
		if err != nil {
			e.bad = err
		} else {
			e.Mode, e.Modified = info.Mode()&(fs.ModeType|fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid), info.ModTime()
			if e.Mode.IsRegular() {
				e.Size, e.Compressed = info.Size(), info.Size()
			}
		}
		if e.Mode&fs.ModeSymlink != 0 && e.bad == nil {
			if e.text, e.bad = fs.ReadLink(fsys, name); e.bad == nil {
				e.Size, e.Compressed = int64(len(e.text)), int64(len(e.text))
			}
		}
		if err := l.append(e); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	l.finish()
	l.odditiesOfDir()
	return l, nil
}

// odditiesOfDir drops what is odd in an archive and common on a disk: a working
// copy has the modes of its user's umask.
func (l *Layer) odditiesOfDir() {
	l.oddities = slices.DeleteFunc(l.oddities, func(o Oddity) bool { return o.Kind == WorldWritable })
}

// openFile opens the regular file of an entry.
func (l *Layer) openFile(e *Entry) (fs.File, error) {
	if e.bad != nil {
		return nil, e.bad
	}
	if !e.Mode.IsRegular() {
		return nil, fmt.Errorf("%s: %w", typeName(e.Mode), ErrUnsupported)
	}
	f, err := l.fsys.Open(e.Name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is no regular file any more", e.Path)
	}
	return f, nil
}
