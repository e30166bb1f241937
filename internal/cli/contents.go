package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// A shelf gives out zips by the digest that AWS states of them.
type shelf interface {
	// Open opens a zip; the error is fs.ErrNotExist when it is not there.
	Open(sum string) (zip zipstore.Zip, size int64, err error)
}

// A look is how stored zips are looked into.
type look struct {
	shelf shelf
	// known is what there is to know of packages.
	known     *content.Scan
	analyzers []content.Analyzer
	opt       content.Options
	jobs      int
	// read reads the zip of a layer version; nil is content.Read.
	read func(ctx context.Context, arn string, zip zipstore.Zip, size int64) (*content.Layer, error)
	// done is told of each zip that was looked into; nil for nobody.
	done func(n int)
}

// An inside is what stored zips hold.
type inside struct {
	// contents are those of the layer versions whose zip is kept, by ARN.
	contents map[string]posture.Content
	// code is what is in the own packages of functions, and in their layers because
	// of them, by ARN of the function or version.
	code map[string]posture.Content
	// numbers are of the layer versions, skipped of both, by ARN.
	numbers map[string]lamina.Content
	skipped map[string][]lamina.Skipped
	// packages is how many packages they hold, each zip once.
	packages int
	// lacking are the layer versions whose zip is not kept, sorted.
	lacking []string
	// shown says that what is in them is a result of its own.
	shown bool
}

// all looks into the zips of the layer versions. Those with the same digest are
// read once, several digests at the same time.
func (k look) all(ctx context.Context, layers []lamina.LayerVersion) (*inside, error) {
	by := map[string][]lamina.LayerVersion{}
	out := &inside{contents: map[string]posture.Content{}, numbers: map[string]lamina.Content{}, skipped: map[string][]lamina.Skipped{}}
	for _, l := range layers {
		by[l.CodeSHA256] = append(by[l.CodeSHA256], l)
	}
	sums := slices.Sorted(maps.Keys(by))
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	next := make(chan string)
	read := 0
	for range min(max(k.jobs, 1), len(sums)) {
		wg.Go(func() {
			for sum := range next {
				got, err := k.one(ctx, by[sum])
				mu.Lock()
				read++
				if k.done != nil {
					k.done(read)
				}
				if err != nil {
					errs = append(errs, err)
				} else if got == nil {
					for _, l := range by[sum] {
						out.lacking = append(out.lacking, l.ARN)
					}
				} else {
					maps.Copy(out.contents, got.contents)
					maps.Copy(out.numbers, got.numbers)
					maps.Copy(out.skipped, got.skipped)
					out.packages += got.packages
				}
				mu.Unlock()
			}
		})
	}
	for _, sum := range sums {
		if ctx.Err() != nil {
			break
		}
		next <- sum
	}
	close(next)
	wg.Wait()
	slices.Sort(out.lacking)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, errors.Join(errs...)
}

// one reads the zip that the layer versions have in common, and judges it as the
// content of each; nil when it is not kept.
func (k look) one(ctx context.Context, layers []lamina.LayerVersion) (*inside, error) {
	if layers[0].CodeSHA256 == "" {
		return nil, nil //nolint:nilnil // not described, so not fetched
	}
	slices.SortFunc(layers, func(a, b lamina.LayerVersion) int { return strings.Compare(a.ARN, b.ARN) })
	l, err := k.open(ctx, layers[0].ARN, layers[0].CodeSHA256)
	if l == nil || err != nil {
		return nil, err
	}
	out := &inside{contents: map[string]posture.Content{}, numbers: map[string]lamina.Content{}, skipped: map[string][]lamina.Skipped{}}
	for _, v := range layers {
		l.Name = v.ARN
		runtime := guessRuntime([]*content.Layer{l})
		if runtime == "" && len(v.CompatibleRuntimes) == 1 {
			runtime = v.CompatibleRuntimes[0]
		}
		findings := k.judge(&content.Scan{
			Layers: []*content.Layer{l}, Function: &content.Function{Runtime: runtime},
			Advisories: k.known.Advisories, VEX: k.known.VEX, Hashes: k.known.Hashes, Now: k.known.Now, Fingerprints: k.known.Fingerprints,
		})
		c := posture.Content{Findings: findings}
		if l.Err == nil {
			c.Packages, c.Loaded = packagesOf(l), loadedOf(l)
			out.numbers[v.ARN] = *contentOf(l)
			out.packages = len(c.Packages)
		}
		out.contents[v.ARN] = c
		for _, s := range l.Skipped {
			if s.File == layers[0].ARN {
				s.File = v.ARN
			}
			out.skipped[v.ARN] = append(out.skipped[v.ARN], s)
		}
	}
	return out, nil
}

// open reads the zip with the digest, which is called name; nil when it is not kept.
// One that cannot be taken off the shelf, or is not what it was, is a layer that
// cannot be read: the others are judged all the same.
func (k look) open(ctx context.Context, name, sum string) (_ *content.Layer, err error) {
	zip, size, err := k.shelf.Open(sum)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // that it is not there is an answer
	}
	if err != nil {
		return &content.Layer{Name: name, Err: &keptError{err}}, nil
	}
	defer func() { err = errors.Join(err, zip.Close()) }()
	if k.read != nil {
		return k.read(ctx, name, zip, size)
	}
	return content.Read(name, zip, size, k.opt), nil
}

// A keptError says that a zip is kept and cannot be used.
type keptError struct{ err error }

func (e *keptError) Error() string {
	return "the zip that is kept cannot be used: " + cause(e.err).Error()
}
func (e *keptError) Unwrap() error { return e.err }

// judge is content.Judge, which does not know where zips are kept.
func (k look) judge(s *content.Scan) []lamina.Finding {
	useless := map[string]bool{}
	for _, l := range append(slices.Clone(s.Layers), s.Function.Code) {
		if l != nil && errors.As(l.Err, new(*keptError)) {
			useless[l.Name] = true
		}
	}
	findings := content.Judge(k.analyzers, s)
	for i := range findings {
		if f := &findings[i]; f.Check == content.UnreadableLayer && useless[f.Resource] {
			f.Settle = "take it away, and fetch it again with lamina collect --content DIR"
		}
	}
	return findings
}

// loadedOf are the files of the layer that run, or are loaded, by themselves.
func loadedOf(l *content.Layer) []posture.LoadedFile {
	var out []posture.LoadedFile
	for _, f := range l.Files {
		loaded, alone := posture.Loads(f.Path)
		if !loaded || f.Nested || f.Hidden {
			continue
		}
		sum := hex.EncodeToString(f.SHA256[:])
		if f.Link != "" {
			sum = "link " + f.Link
		}
		out = append(out, posture.LoadedFile{Path: f.Path, SHA256: sum, Alone: alone})
	}
	return out
}

// findings are what the analyzers found, by ARN and as they found them.
func (i *inside) findings() []lamina.Finding {
	var out []lamina.Finding
	all := i.all()
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[arn].Findings...)
	}
	return out
}

// all are the contents of layer versions and functions; nil when nothing was asked for.
func (i *inside) all() map[string]posture.Content {
	if i.contents == nil {
		return nil
	}
	all := maps.Clone(i.contents)
	maps.Copy(all, i.code)
	return all
}

// write writes what the layers are and hold, and what of them could not be read.
func (i *inside) write(r *results) error {
	for _, arn := range slices.Sorted(maps.Keys(i.skipped)) {
		for _, k := range i.skipped[arn] {
			if err := r.Write(lamina.Message{Skipped: &k}); err != nil {
				return err
			}
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(i.contents)) {
		if c, ok := i.numbers[arn]; ok {
			if err := r.Write(lamina.Message{Content: &c}); err != nil {
				return err
			}
		}
		for _, p := range i.contents[arn].Packages {
			if err := r.Write(lamina.Message{Package: &p}); err != nil {
				return err
			}
		}
	}
	return nil
}

// coverage is what was opened, for the last line; "" when nothing was asked for.
func (i *inside) coverage() string {
	if i.contents == nil {
		return ""
	}
	s := fmt.Sprintf("; content: %d/%d zips of layer versions opened, %s", len(i.numbers), len(i.contents)+len(i.lacking), count(i.packages, "package"))
	if n := len(i.code); n > 0 {
		s += fmt.Sprintf(", %s with their own package", count(n, "function"))
	}
	return s
}

// readable tries whether what is in a folder may be read.
func readable(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the user named it
	if err != nil {
		return err
	}
	return f.Close()
}

// lookInside looks into the zips of the estate's layer versions that the folder
// keeps; nothing is looked into when it is "".
func (a *app) lookInside(ctx context.Context, e *estate.Estate, dir string, f scanFlags) (_ *inside, err error) {
	if dir == "" {
		return &inside{}, nil
	}
	if info, err := os.Stat(a.path(dir)); err != nil {
		return nil, a.missing(dir, err)
	} else if !info.IsDir() {
		return nil, usagef("lamina collect --content DIR makes one", "%s is no folder", dir)
	}
	if err := readable(a.path(dir)); err != nil {
		return nil, a.missing(dir, err)
	}
	known, err := a.known(nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeKnown(known)) }()
	opt, err := a.reading(f, known)
	if err != nil {
		return nil, err
	}
	bar := a.progress("content", int64(len(e.Snapshot.Layers)))
	defer bar.done()
	k := look{shelf: zipstore.New(a.path(dir)), known: known, analyzers: analyzers.All, opt: opt, jobs: a.jobs(), done: func(n int) { bar.set(int64(n)) }}
	out, err := k.all(ctx, e.Snapshot.Layers)
	if err != nil {
		return nil, err
	}
	return out, k.functions(ctx, e, out)
}
