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
	"sync"

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
	// Budget is shared by the layers of a scan; nil is one for this layer.
	Budget *Budget
	// Key is the secret for fingerprints of credentials (secret.Options.Key); nil
	// for none.
	Key []byte
}

// Read opens the archive of size bytes in r and keeps the facts of every file.
// It always returns a Layer; one that cannot be opened has Err set.
func Read(name string, r io.ReaderAt, size int64, opt Options) *Layer {
	if opt.Limits == (layerfs.Limits{}) {
		opt.Limits = layerfs.DefaultLimits
	}
	l := &Layer{Name: name, Size: size}
	l.Imports = opt.Imports
	var sum string
	var unhashed error
	var held *held
	var hashing, opening sync.WaitGroup
	hashing.Go(func() { sum, unhashed = digest(r, size) })
	opening.Go(func() { held = opt.Cache.open(l) })
	z, err := layerfs.Open(r, size, opt.Limits)
	opening.Wait()
	if err == nil {
		l.read(z, held, opt)
	}
	hashing.Wait()
	if err = cmp.Or(err, unhashed); err != nil {
		return (&Layer{Name: name, Size: size}).fail(err)
	}
	l.SHA256 = sum
	return l
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
	l.Imports = opt.Imports
	return l.read(z, opt.Cache.open(l), opt)
}

// fail makes l a layer that could not be opened.
func (l *Layer) fail(err error) *Layer {
	if clean := Clean(err.Error()); clean != err.Error() {
		err = errors.New(clean)
	}
	l.Err = err
	l.Skipped = []lamina.Skipped{{File: l.Name, Offset: -1, Bytes: max(l.Size, 0), Reason: err.Error()}}
	return l
}

// maxComponents bounds the packages of one layer: ten times what real ones bring.
const maxComponents = 20_000

// read makes the pass; held is what the cache has of the layer.
func (l *Layer) read(z *layerfs.Layer, held *held, o Options) *Layer {
	l.Entries = cleanEntries(z.Entries())
	k := &keeper{Budget: o.Budget}
	if k.Budget == nil {
		k.Budget = NewBudget()
	}
	for _, o := range z.Oddities() {
		cleanAll(&o)
		l.odd(k, o)
	}
	x := extractor{secretEngine: standard().WithKey(o.Key), imports: o.Imports, view: o.View}
	components := 0
	var fresh batch // of the entry that is being read
	cut := false    // something of it is not kept
	opt := layerfs.Options{
		Hidden: true,
		Odd: func(o layerfs.Oddity) {
			cleanAll(&o)
			cut = !l.odd(k, o) || cut
			fresh.Oddities = append(fresh.Oddities, o)
		},
	}
	if held != nil {
		opt.Ahead = len(held.old) > 0
		opt.Known = func(e *layerfs.Entry, key layerfs.Key) (layerfs.Cost, bool) {
			b, ok := held.get(e, key)
			if ok {
				if !l.take(k, b) {
					held.forget(e, key)
				}
				l.Cached += len(b.Files)
			}
			return b.Cost, ok
		}
		opt.Done = func(e *layerfs.Entry, key layerfs.Key, cost layerfs.Cost, whole bool) {
			if fresh.Cost = cost; whole && !cut {
				held.put(e, key, fresh)
			}
			fresh, cut = batch{}, false
		}
	}
	lose := func(path string, err error) {
		x := lost{Clean(path), Clean(err.Error())}
		cut = !l.lose(k, x) || cut
		if held != nil {
			fresh.Lost = append(fresh.Lost, x)
		}
	}
	err := z.PassWith(opt, func(f *layerfs.File) error {
		facts, err := x.facts(f)
		if components += len(facts.Components); components > maxComponents {
			facts.Components = nil
			err = errors.Join(err, fmt.Errorf("its packages are not listed: more than %d in one layer", maxComponents))
		}
		file := &File{Path: f.Path, Mode: f.Mode, Size: f.Size, SHA256: f.SHA256, Hidden: f.Hidden, Nested: f.Depth > 0, Facts: facts}
		file.Path = Clean(file.Path)
		weight := weigh(&file.Facts)
		cut = !l.add(k, file, weight) || cut
		cleanAll(&file.Facts) // what is left of them
		if held != nil {
			fresh.Files, fresh.Weights = append(fresh.Files, file), append(fresh.Weights, weight)
		}
		if err != nil {
			lose(f.Path, err)
		}
		return nil
	}, lose)
	if err != nil {
		l.skip("", Clean(err.Error()))
	}
	for _, err := range k.over() {
		l.skip("", err.Error())
	}
	o.Cache.keep(held)
	l.index()
	return l
}

// index sorts the files and finds them by path. Names are served once; two that are
// the same now differ only in what Clean took out of them.
func (l *Layer) index() {
	type place struct {
		path string
		at   int
	}
	order := make([]place, len(l.Files)) // the paths side by side: files lie far apart
	for i, f := range l.Files {
		order[i] = place{f.Path, i}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Or(strings.Compare(a.path, b.path), a.at-b.at) })
	files := make([]*File, len(order))
	for i, p := range order {
		files[i] = l.Files[p.at]
	}
	l.Files = files
	l.byPath = make(map[string]*File, len(l.Files))
	for _, f := range l.Files {
		if f.Hidden {
			continue
		}
		if l.byPath[f.Path] != nil {
			l.skip(f.Path, "another file has a name that differs from this one only in a credential: which is which is not told")
		}
		l.byPath[f.Path] = f
	}
}

// cleanEntries is the directory with clean names; the same if all are.
func cleanEntries(entries []layerfs.Entry) []layerfs.Entry {
	shared := true
	for i := range entries {
		name := Clean(entries[i].Name)
		path := name
		if entries[i].Path != entries[i].Name {
			path = Clean(entries[i].Path)
		}
		if name == entries[i].Name && path == entries[i].Path {
			continue
		}
		if shared {
			entries, shared = slices.Clone(entries), false
		}
		entries[i].Name, entries[i].Path = name, path
	}
	return entries
}

// take adds what the cache has of one entry, and reports whether all of it is kept.
func (l *Layer) take(k *keeper, b batch) bool {
	whole := true
	for i, f := range b.Files {
		whole = l.add(k, f, b.Weights[i]) && whole
	}
	for _, o := range b.Oddities {
		whole = l.odd(k, o) && whole
	}
	for _, x := range b.Lost {
		whole = l.lose(k, x) && whole
	}
	return whole
}

// add keeps a file, as much of it as the budget allows, and reports whether that is
// all.
func (l *Layer) add(k *keeper, f *File, weight int) bool {
	if !f.Nested && !f.Hidden {
		l.Inflated += f.Size
	}
	kept, whole := k.file(f, weight)
	if kept {
		l.Files = append(l.Files, f)
	}
	return whole
}

// odd keeps an oddity and reports whether it did.
func (l *Layer) odd(k *keeper, o layerfs.Oddity) bool {
	if !take(&k.odd, &k.unlisted) {
		return false
	}
	l.Oddities = append(l.Oddities, o)
	return true
}

// lose keeps the name of a part that could not be read and reports whether it did.
func (l *Layer) lose(k *keeper, x lost) bool {
	if !take(&k.lost, &k.unsaid) {
		return false
	}
	l.skip(x.Path, x.Reason)
	return true
}

// skip notes a part of the layer that could not be read.
func (l *Layer) skip(path, reason string) {
	s := lamina.Skipped{File: l.Name, Offset: -1, Reason: reason}
	if path != "" {
		s.File += "!/" + path
		s.Reason = strings.TrimPrefix(reason, path+": ")
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
