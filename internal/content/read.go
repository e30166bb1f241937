package content

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Options are how a layer is read.
type Options struct {
	// Limits are layerfs.DefaultLimits when zero.
	Limits layerfs.Limits
	// Imports asks for the imports of every script, as they are needed of a
	// function's package. Of a layer's JavaScript only files that can matter are
	// parsed.
	Imports bool
	// View reads no more of a file than Scan.View needs: its digest, links, shell
	// scripts, and the texts that decide what is loaded. Nothing can be judged by
	// it.
	View bool
	// Cache has what was read before; nil reads everything.
	Cache *Cache
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
	return l.read(z, opt)
}

// ReadDir is Read for a folder that holds what a layer's zip would.
func ReadDir(name string, fsys fs.FS, opt Options) *Layer {
	if opt.Limits == (layerfs.Limits{}) {
		opt.Limits = layerfs.DefaultLimits
	}
	l := &Layer{Name: name}
	z, err := layerfs.FromFS(fsys, opt.Limits)
	if err != nil {
		return l.fail(err)
	}
	return l.read(z, opt)
}

// fail makes l a layer that could not be opened.
func (l *Layer) fail(err error) *Layer {
	l.Err = err
	l.Skipped = []lamina.Skipped{{File: l.Name, Offset: -1, Bytes: max(l.Size, 0), Reason: err.Error()}}
	return l
}

// maxComponents bounds the packages of one layer.
const maxComponents = 100_000

// read makes the pass.
func (l *Layer) read(z *layerfs.Layer, o Options) *Layer {
	cache := o.Cache
	l.Imports = o.Imports
	l.Entries, l.Oddities = z.Entries(), slices.Clone(z.Oddities())
	x := extractor{secretEngine: standard(), imports: o.Imports, view: o.View}
	held := cache.open(l)
	components := 0
	var fresh batch // of the entry that is being read
	opt := layerfs.Options{
		Hidden: true,
		Odd: func(o layerfs.Oddity) {
			fresh.Oddities = append(fresh.Oddities, o)
			l.Oddities = append(l.Oddities, o)
		},
	}
	if held != nil {
		opt.Known = func(e *layerfs.Entry, key layerfs.Key) (layerfs.Cost, bool) {
			b, ok := held.get(e, key)
			if ok {
				l.take(b)
				l.Cached += len(b.Files)
			}
			return b.Cost, ok
		}
		opt.Done = func(e *layerfs.Entry, key layerfs.Key, cost layerfs.Cost, whole bool) {
			if fresh.Cost = cost; whole {
				held.put(e, key, fresh)
			}
			fresh = batch{}
		}
	}
	err := z.PassWith(opt, func(f *layerfs.File) error {
		facts, err := x.facts(f)
		if components += len(facts.Components); components > maxComponents {
			facts.Components = nil
			err = errors.Join(err, fmt.Errorf("its packages are not listed: more than %d in one layer", maxComponents))
		}
		file := &File{Path: f.Path, Mode: f.Mode, Size: f.Size, SHA256: f.SHA256, Hidden: f.Hidden, Nested: f.Depth > 0, Facts: facts}
		fresh.Files = append(fresh.Files, file)
		l.add(file)
		if err != nil {
			fresh.Lost = append(fresh.Lost, lost{f.Path, err.Error()})
			l.skip(f.Path, err)
		}
		return nil
	}, func(path string, err error) {
		fresh.Lost = append(fresh.Lost, lost{path, err.Error()})
		l.skip(path, err)
	})
	if err != nil {
		l.skip("", err)
	}
	cache.keep(held)
	slices.SortStableFunc(l.Files, func(a, b *File) int { return cmp.Compare(a.Path, b.Path) })
	l.byPath = make(map[string]*File, len(l.Files))
	for _, f := range l.Files {
		if !f.Hidden {
			l.byPath[f.Path] = f
		}
	}
	return l
}

// take adds what the cache has of one entry.
func (l *Layer) take(b batch) {
	for _, f := range b.Files {
		l.add(f)
	}
	l.Oddities = append(l.Oddities, b.Oddities...)
	for _, x := range b.Lost {
		l.skip(x.Path, errors.New(x.Reason))
	}
}

func (l *Layer) add(f *File) {
	l.Files = append(l.Files, f)
	if !f.Nested && !f.Hidden {
		l.Inflated += f.Size
	}
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
