package artefact

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/sbom"
	"github.com/lamina-sec/lamina/internal/sealed"
)

// limits bound what one artefact may cost. What is larger cannot be in a layer.
var limits = layerfs.Limits{Compressed: 1 << 30, Inflated: 1 << 30, Entries: 250_000, Name: 1024, Depth: 64, Archives: 4, Nested: 1 << 30, Members: 250_000, Ratio: 1000}

// Counts say where all files read went: Read is the sum of the others.
type Counts struct {
	Read      int `json:"read"`
	Kept      int `json:"kept"`
	Duplicate int `json:"duplicate"` // the same bytes were read before
	// Foreign files have no name of an artefact.
	Foreign     int `json:"foreign"`
	Quarantined int `json:"quarantined"`
}

// A Bad artefact could not be read, or not be believed.
type Bad struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// A Builder makes an index of artefacts. It is for one goroutine.
type Builder struct {
	counts Counts
	bad    []Bad
	seen   map[sbom.Digest]bool
	all    []*Artefact
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder { return &Builder{seen: map[sbom.Digest]bool{}} }

// Counts are those so far.
func (b *Builder) Counts() Counts { return b.counts }

// Bad are the artefacts that were quarantined, in the order they came.
func (b *Builder) Bad() []Bad { return b.bad }

// Read adds an artefact, or all artefacts in a folder and below it. What is no
// artefact, and what cannot be read, is counted; an error is returned when there
// is no such file or folder, or ctx is done.
func (b *Builder) Read(ctx context.Context, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return b.open(name, filepath.Base(name))
	}
	return filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		rel := p
		if r, err := filepath.Rel(name, p); err == nil {
			rel = filepath.ToSlash(r)
		}
		switch {
		case err != nil:
			b.counts.Read++
			b.quarantine(rel, err)
			return nil
		case !d.Type().IsRegular():
			return nil // a link in a folder is not followed
		}
		return b.open(p, rel)
	})
}

// open adds the file at name, which errors call shown.
func (b *Builder) open(name, shown string) error {
	if kindOf(shown) == "" {
		b.counts.Read++
		b.counts.Foreign++
		return nil
	}
	f, err := os.Open(name) //nolint:gosec // the user named this file
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", name)
	}
	b.Add(shown, f, info.Size())
	return nil
}

// Add takes the artefact of size bytes in r. Its name decides what it is read as.
func (b *Builder) Add(name string, r io.ReaderAt, size int64) {
	b.counts.Read++
	if kindOf(name) == "" {
		b.counts.Foreign++
		return
	}
	a, err := read(path.Base(filepath.ToSlash(name)), r, size)
	switch {
	case err != nil:
		b.quarantine(name, err)
	case b.seen[a.SHA256]:
		b.counts.Duplicate++
	default:
		b.seen[a.SHA256] = true
		b.counts.Kept++
		b.all = append(b.all, a)
	}
}

func (b *Builder) quarantine(name string, err error) {
	b.counts.Quarantined++
	b.bad = append(b.bad, Bad{name, err.Error()})
}

// Build writes the index. built is the time it says it was built at. The same
// artefacts give the same bytes, in whatever order they came.
func (b *Builder) Build(built time.Time) ([]byte, error) {
	all := slices.Clone(b.all)
	slices.SortFunc(all, compare)
	info := Info{Schema: schema, Built: built.UTC().Truncate(time.Second), Counts: b.counts, Artefacts: len(all)}
	first := map[sbom.Digest]int{} // the first artefact with the content
	byEcosystem := map[string]*EcosystemInfo{}
	for i, a := range all {
		info.Files += len(a.Files)
		for _, f := range a.Files {
			if _, ok := first[f.SHA256]; !ok {
				first[f.SHA256] = i
			}
		}
		e := byEcosystem[a.Ecosystem]
		if e == nil {
			e = &EcosystemInfo{Name: a.Ecosystem}
			byEcosystem[a.Ecosystem] = e
		}
		if e.Artefacts++; i == 0 || all[i-1].PURL() != a.PURL() {
			e.Packages++
		}
	}
	info.Contents = len(first)
	for _, name := range slices.Sorted(maps.Keys(byEcosystem)) {
		info.Ecosystems = append(info.Ecosystems, *byEcosystem[name])
	}
	sums := slices.SortedFunc(maps.Keys(first), func(a, b sbom.Digest) int { return bytes.Compare(a[:], b[:]) })
	rows := make(map[sbom.Digest]int, len(sums))
	var parts [sealed.Sections][]byte
	le := binary.LittleEndian
	for i, sum := range sums {
		rows[sum] = i
		parts[secDigests] = le.AppendUint32(append(parts[secDigests], sum[:]...), uint32(first[sum])) //nolint:gosec // fewer than artefacts
	}
	for _, a := range all {
		offset := len(parts[secArtefacts])
		parts[secArtefacts] = a.pack(parts[secArtefacts], rows)
		if len(parts[secArtefacts]) > math.MaxInt32 {
			return nil, errors.New("the index would have more than 2 GiB")
		}
		parts[secNames] = le.AppendUint64(parts[secNames], sealed.Hash(a.Ecosystem, a.Name, a.Version))
		parts[secNames] = le.AppendUint32(parts[secNames], uint32(offset))                          //nolint:gosec // checked above
		parts[secNames] = le.AppendUint32(parts[secNames], uint32(len(parts[secArtefacts])-offset)) //nolint:gosec // the same
	}
	var err error
	if parts[secInfo], err = json.Marshal(info); err != nil {
		return nil, fmt.Errorf("encode the information: %w", err)
	}
	return format.Seal(parts, len(all))
}

// kindOf is what a file is read as by its name, "" if it is no artefact. Only its
// content tells an npm tarball from a source distribution.
func kindOf(name string) Kind {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, ".whl"):
		return Wheel
	case strings.HasSuffix(name, ".tgz"), strings.HasSuffix(name, ".tar.gz"):
		return NPM
	case strings.HasSuffix(name, ".gem"):
		return Gem
	case strings.HasSuffix(name, ".jar"):
		return Jar
	}
	return ""
}

// read reads one artefact.
func read(name string, r io.ReaderAt, size int64) (*Artefact, error) {
	a := &Artefact{Kind: kindOf(name), File: name, Size: size}
	if err := a.digests(r); err != nil {
		return nil, err
	}
	l, err := layerfs.FromFS(blobFS{name, r, size}, limits)
	if err != nil {
		return nil, err
	}
	x := &reader{Artefact: a, root: name + "!/", served: map[string]sbom.Digest{}}
	switch a.Kind {
	case Wheel, Jar:
	case NPM, SourceDist:
		x.root = name + "!/" + strings.TrimSuffix(strings.TrimSuffix(name, path.Ext(name)), ".tar") + ".tar!/"
	case Gem:
		x.root = name + "!/data.tar.gz!/data.tar!/"
	}
	odd := func(o layerfs.Oddity) {
		if x.err == nil && x.inside(o.Path) && contradicts(o.Kind) {
			x.err = &layerfs.OddityError{Oddity: o}
		}
	}
	err = l.PassWith(layerfs.Options{Odd: odd, Hidden: true}, x.visit, func(p string, err error) {
		// What cannot be read of archives in it is compared as a whole.
		if x.err == nil && x.inside(p) {
			x.err = fmt.Errorf("%s: %w", strings.TrimPrefix(p, x.root), err)
		}
	})
	if err := cmp.Or(err, x.err); err != nil {
		return nil, err
	}
	return a, x.finish()
}

// contradicts reports whether two installers could make different files of it. A
// name that is listed twice, as pnpm does it, matters when the contents differ.
func contradicts(k layerfs.OddityKind) bool {
	switch k { //nolint:exhaustive // the others change nothing that is installed
	case layerfs.Mismatch, layerfs.Overlap, layerfs.Unsafe, layerfs.Clash, layerfs.ThroughLink, layerfs.EndRecord, layerfs.Size, layerfs.Checksum:
		return true
	}
	return false
}

func (a *Artefact) digests(r io.ReaderAt) error {
	short, long := sha256.New(), sha512.New()
	to := io.Writer(short)
	if a.Kind == NPM {
		to = io.MultiWriter(short, long)
	}
	if n, err := io.Copy(to, io.NewSectionReader(r, 0, a.Size)); err != nil {
		return err
	} else if n != a.Size {
		return fmt.Errorf("the file ends after %d of %d bytes", n, a.Size)
	}
	short.Sum(a.SHA256[:0])
	if a.Kind == NPM {
		a.SHA512 = long.Sum(nil)
	}
	return nil
}

// A reader collects what one artefact holds.
type reader struct {
	*Artefact
	root   string // before the paths of its own files
	found  []sbom.Component
	served map[string]sbom.Digest // by the path in the archive
	hidden []File                 // listed again
	err    error
}

// inside reports whether p is the archive itself, or one of its own files.
func (x *reader) inside(p string) bool {
	rest, ok := strings.CutPrefix(p, x.root)
	return !ok && strings.HasPrefix(x.root, p) || ok && !strings.Contains(rest, "!/")
}

func (x *reader) visit(f *layerfs.File) error {
	rest, ok := strings.CutPrefix(f.Path, x.root)
	if !ok {
		if x.Kind == Gem && f.Path == x.File+"!/metadata.gz!/metadata" {
			x.found = append(x.found, gemMetadata(f.Data))
		}
		if f.Depth == 0 {
			return x.declared(f) // a jar by its name
		}
		return nil
	}
	if f.Mode.Type() != 0 {
		return nil // installers ignore links, or make what they lead to
	}
	first, below, nested := strings.Cut(rest, "/")
	switch {
	case f.Hidden:
		x.hidden = append(x.hidden, File{Path: f.Path, SHA256: f.SHA256})
		return nil
	case strings.Contains(rest, "!/"): // of an archive in it, which has packages of its own
	case x.Kind == NPM && below == "package.json", x.Kind == NPM && below == "PKG-INFO":
		if err := x.declared(f); err != nil {
			return err
		}
	case x.Kind == Wheel && below == "METADATA" && strings.HasSuffix(first, ".dist-info"), x.Kind == Jar:
		if err := x.declared(f); err != nil {
			return err
		}
	}
	if x.Kind == NPM {
		if !nested {
			return nil // beside the folder that is unpacked
		}
		rest = below
	}
	x.served[f.Path] = f.SHA256
	file := File{Path: rest, SHA256: f.SHA256, Size: f.Size}
	if f.Data != nil && manifest(rest) {
		if loads := opt.Reduce(rest, f.Data); loads != nil {
			file.Loads = sha256.Sum256(loads)
		}
	}
	x.Files = append(x.Files, file)
	return nil
}

// declared keeps what a file declares the artefact to be.
func (x *reader) declared(f *layerfs.File) error {
	found, err := sbom.Read(f)
	x.found = append(x.found, found...)
	return err
}

// finish names the artefact and puts its files where an installer does.
func (x *reader) finish() error {
	for _, h := range x.hidden {
		if x.served[h.Path] != h.SHA256 {
			return fmt.Errorf("%s is listed twice, with different contents", strings.TrimPrefix(h.Path, x.root))
		}
	}
	python := x.Kind == NPM && slices.ContainsFunc(x.found, func(c sbom.Component) bool { return c.Ecosystem == sbom.PyPI })
	var named []sbom.Component
	for _, c := range sbom.Join(x.found) {
		if python && c.Ecosystem != sbom.PyPI {
			continue // a Python package with a package.json for its developers
		}
		if c.Name != "" && c.Version != "" && (x.Kind != Jar || c.Root == x.File) {
			named = append(named, c)
		}
	}
	if len(named) != 1 {
		return fmt.Errorf("its metadata names %d packages: want one with a name and a version", len(named))
	}
	c := named[0]
	if python {
		x.Kind, x.SHA512 = SourceDist, nil
	}
	x.Ecosystem, x.Name, x.Version = c.Ecosystem, c.Name, c.Version
	if err := x.named(); err != nil {
		return err
	}
	kept := x.Files[:0]
	for _, f := range x.Files {
		if x.place(&f) && len(f.Path) <= maxPath {
			if !f.Rewritten {
				f.Size = 0
			}
			kept = append(kept, f)
		}
	}
	if len(kept) == 0 {
		return errors.New("there are no files in it")
	}
	slices.SortStableFunc(kept, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	for i := 1; i < len(kept); i++ {
		if kept[i-1].Path == kept[i].Path && kept[i-1].SHA256 != kept[i].SHA256 {
			return fmt.Errorf("two files of it are installed as %s", kept[i].Path)
		}
	}
	x.Files = slices.CompactFunc(kept, func(a, b File) bool { return a.Path == b.Path })
	return nil
}

// named refuses a wheel or gem that is named after another package: registries do
// (https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention).
func (x *reader) named() error {
	base := strings.ToLower(x.File)
	switch x.Kind {
	case Wheel:
		parts := strings.Split(base, "-")
		if len(parts) > 4 && fold(parts[0]) == fold(x.Name) && fold(parts[1]) == fold(x.Version) {
			return nil
		}
	case Gem:
		if strings.HasPrefix(base, strings.ToLower(x.Name+"-"+x.Version)) {
			return nil
		}
	case NPM, SourceDist, Jar:
		return nil // npm names files as it likes, and jars were named by their metadata and name
	}
	return fmt.Errorf("it is named %s, and its metadata says that it is %s %s", x.File, x.Name, x.Version)
}

// fold makes the spellings of a name or version in file names one.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_.+!", r) {
			return '_'
		}
		return r
	}, strings.ToLower(s))
}

// place is where an installer puts the file; false if it puts it nowhere.
func (x *reader) place(f *File) bool {
	switch x.Kind {
	case Wheel:
		// https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
		top, rest, _ := strings.Cut(f.Path, "/")
		if strings.HasSuffix(top, ".dist-info") && rest == "RECORD" {
			f.Rewritten = true
		}
		if !strings.HasSuffix(top, ".data") {
			return true
		}
		key, rest, _ := strings.Cut(rest, "/")
		switch key {
		case "purelib", "platlib", "data":
			f.Path = rest
		case "scripts":
			f.Path, f.Rewritten = "bin/"+rest, true
		default:
			return false
		}
		return rest != ""
	case SourceDist:
		f.Path = strings.TrimPrefix(f.Path, "src/")
	case NPM, Gem, Jar:
	}
	return true
}

// gemMetadata reads the name and version of a gem's YAML, whose lines are as
// RubyGems writes them
// (https://guides.rubygems.org/specification-reference/).
func gemMetadata(data []byte) sbom.Component {
	c := sbom.Component{Ecosystem: sbom.RubyGems, How: sbom.Installed}
	version := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, ":")
		value = strings.Trim(strings.TrimSpace(value), `'"`)
		switch {
		case key == "name" && c.Name == "":
			c.Name = value
		case version && key == "  version" && c.Version == "":
			c.Version = value
		}
		version = key == "version"
	}
	return c
}

// A blobFS is a file system with one file.
type blobFS struct {
	name string
	r    io.ReaderAt
	size int64
}

// Open implements fs.FS.
func (b blobFS) Open(name string) (fs.File, error) {
	if name != b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return blob{io.NewSectionReader(b.r, 0, b.size), b}, nil
}

// Stat implements fs.StatFS.
func (b blobFS) Stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return blobInfo{blobFS{name: "."}}, nil
	}
	return blobInfo{b}, nil
}

// ReadDir implements fs.ReadDirFS.
func (b blobFS) ReadDir(string) ([]fs.DirEntry, error) {
	return []fs.DirEntry{fs.FileInfoToDirEntry(blobInfo{b})}, nil
}

type blob struct {
	*io.SectionReader
	b blobFS
}

func (b blob) Stat() (fs.FileInfo, error) { return blobInfo{b.b}, nil }
func (b blob) Close() error               { return nil }

type blobInfo struct{ b blobFS }

func (i blobInfo) Name() string       { return i.b.name }
func (i blobInfo) Size() int64        { return i.b.size }
func (i blobInfo) ModTime() time.Time { return time.Time{} }
func (i blobInfo) IsDir() bool        { return i.b.r == nil }
func (i blobInfo) Sys() any           { return nil }

func (i blobInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
