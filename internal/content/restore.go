package content

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Restore makes l, whose exported fields came from elsewhere, a layer that Read
// could have returned: files are found by path again, and no string holds a secret,
// whoever wrote it. What no reading gives is an
// error: a number below zero, an oddity of an entry that is not there, more files
// than the limits of layerfs allow, a skipped part of another layer.
func (l *Layer) Restore() error {
	limits := layerfs.DefaultLimits
	switch {
	case l.Size < 0 || l.Inflated < 0:
		return errors.New("a size below zero")
	case l.Err != nil && (len(l.Files) > 0 || len(l.Skipped) == 0):
		return errors.New("files of a layer that could not be opened")
	case len(l.Entries) > limits.Entries || len(l.Files) > limits.Entries+limits.Members:
		return fmt.Errorf("%d entries and %d files", len(l.Entries), len(l.Files))
	}
	for _, o := range l.Oddities {
		if o.Entry < -1 || o.Entry >= len(l.Entries) || o.Other < -1 || o.Other >= len(l.Entries) {
			return fmt.Errorf("an oddity of the entries %d and %d of %d", o.Entry, o.Other, len(l.Entries))
		}
	}
	for _, s := range l.Skipped {
		if s.File != l.Name && !strings.HasPrefix(s.File, l.Name+"!/") || s.Reason == "" {
			return errors.New("a skipped part that is not of this layer, or has no reason")
		}
	}
	components := 0
	for _, f := range l.Files {
		if f == nil || f.Size < 0 || !fs.ValidPath(f.Path) && !f.Hidden && !f.Nested {
			return errors.New("a file without size or path")
		}
		components += len(f.Components)
	}
	if components > maxComponents {
		return fmt.Errorf("%d packages", components)
	}
	if !slices.IsSortedFunc(l.Files, func(a, b *File) int { return cmp.Compare(a.Path, b.Path) }) {
		return errors.New("files that are not in order")
	}
	l.cleaned()
	l.byPath = make(map[string]*File, len(l.Files))
	for _, f := range l.Files {
		if !f.Hidden {
			l.byPath[f.Path] = f
		}
	}
	return nil
}

// cleaned cleans what came from elsewhere; what Read gave stays as it is.
func (l *Layer) cleaned() {
	l.Entries = cleanEntries(l.Entries)
	for i := range l.Oddities {
		cleanAll(&l.Oddities[i])
	}
	for i, s := range l.Skipped {
		l.Skipped[i].Reason = Clean(s.Reason)
	}
	for _, f := range l.Files {
		f.Path = Clean(f.Path)
		cleanAll(&f.Facts)
	}
	if l.Err != nil {
		l.Err = errors.New(Clean(l.Err.Error()))
	}
}
