package content

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Options are how a layer is read.
type Options struct {
	// Limits are layerfs.DefaultLimits when zero.
	Limits layerfs.Limits
}

// Read opens the archive of size bytes in r and keeps the facts of every file.
// It always returns a Layer; one that cannot be opened has Err set.
func Read(name string, r io.ReaderAt, size int64, opt Options) *Layer {
	if opt.Limits == (layerfs.Limits{}) {
		opt.Limits = layerfs.DefaultLimits
	}
	l := &Layer{Name: name, Size: size}
	z, err := layerfs.Open(r, size, opt.Limits)
	if err == nil {
		l.SHA256, err = digest(r, size)
	}
	if err != nil {
		return l.fail(err)
	}
	return l.read(z)
}

// fail makes l a layer that could not be opened.
func (l *Layer) fail(err error) *Layer {
	l.Err = err
	l.Skipped = []lamina.Skipped{{File: l.Name, Offset: -1, Bytes: max(l.Size, 0), Reason: err.Error()}}
	return l
}

// read makes the pass.
func (l *Layer) read(z *layerfs.Layer) *Layer {
	l.Entries, l.Oddities = z.Entries(), slices.Clip(z.Oddities())
	var x extractor
	opt := layerfs.Options{Hidden: true, Odd: func(o layerfs.Oddity) { l.Oddities = append(l.Oddities, o) }}
	err := z.PassWith(opt, func(f *layerfs.File) error {
		facts, err := x.facts(f)
		if err != nil {
			l.skip(f.Path, err)
		}
		l.Files = append(l.Files, &File{Path: f.Path, Mode: f.Mode, Size: f.Size, SHA256: f.SHA256, Hidden: f.Hidden, Facts: facts})
		if f.Depth == 0 {
			l.Inflated += f.Size
		}
		return nil
	}, l.skip)
	if err != nil {
		l.skip("", err)
	}
	slices.SortStableFunc(l.Files, func(a, b *File) int { return cmp.Compare(a.Path, b.Path) })
	l.byPath = make(map[string]*File, len(l.Files))
	for _, f := range l.Files {
		if !f.Hidden {
			l.byPath[f.Path] = f
		}
	}
	return l
}

// skip notes a part of the layer that could not be read.
func (l *Layer) skip(path string, err error) {
	s := lamina.Skipped{File: l.Name, Offset: -1, Reason: err.Error()}
	if path != "" {
		s.File += "!/" + path
		s.Reason = strings.TrimPrefix(s.Reason, path+": ")
	}
	l.Skipped = append(l.Skipped, s)
}

func digest(r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	if n, err := io.Copy(h, io.NewSectionReader(r, 0, size)); err != nil {
		return "", err
	} else if n != size {
		return "", fmt.Errorf("the archive ends after %d of %d bytes", n, size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Run reads one layer and judges it.
func Run(analyzers []Analyzer, name string, r io.ReaderAt, size int64, opt Options) ([]lamina.Finding, []lamina.Skipped) {
	l := Read(name, r, size, opt)
	return Judge(analyzers, &Scan{Layers: []*Layer{l}}), l.Skipped
}
