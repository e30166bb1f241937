// Package artefact is what registries published, as a local index: of each wheel,
// source distribution, npm tarball, gem and jar the files in it and their
// digests.
//
// A [Builder] reads artefacts that the user has, as files, and writes one compact
// file, which [Open] maps into memory. [Index.Find] answers which files a version
// of a package was published with, and [Index.Origin] whether a content is public
// at all. The metadata in a layer is signed by whoever made the layer; the index
// is worth as much as what it was made of.
//
// The package judges no layer, and it uses no network.
package artefact

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"time"

	"github.com/lamina-sec/lamina/internal/sbom"
	"github.com/lamina-sec/lamina/internal/sealed"
)

// A Kind is the form in which a package was published.
type Kind string

// The kinds.
const (
	Wheel Kind = "wheel"
	// SourceDist is a Python package before it is built: files are added then.
	SourceDist Kind = "sdist"
	NPM        Kind = "npm"
	Gem        Kind = "gem"
	Jar        Kind = "jar"
)

var kinds = []Kind{Wheel, SourceDist, NPM, Gem, Jar}

// An Artefact is one file of a registry.
type Artefact struct {
	// Ecosystem, Name and Version are as package sbom gives them for what is
	// installed of it.
	Ecosystem, Name, Version string
	Kind                     Kind
	// File is its name ("six-1.17.0-py2.py3-none-any.whl"), Size its bytes.
	File string
	Size int64
	// SHA256 is its digest; SHA512 too, 64 bytes, for npm tarballs, nil otherwise.
	SHA256 sbom.Digest
	SHA512 []byte
	// Files are sorted by path.
	Files []File
}

// PURL is the package URL.
func (a *Artefact) PURL() string {
	return sbom.Component{Ecosystem: a.Ecosystem, Name: a.Name, Version: a.Version}.PURL()
}

// A File is one file of an artefact.
type File struct {
	// Path is where an installer puts it, from the folder of the package: for
	// Python that of all packages. Files in archives in it have "!/" after the
	// archive's path.
	Path   string
	SHA256 sbom.Digest
	// Rewritten says that installers write it anew: RECORD, and scripts, of which
	// Size is the bytes; it is 0 for all others.
	Rewritten bool
	Size      int64
	// Loads is the SHA-256 of what of a package.json decides what is loaded
	// (opt.Reduce), zero for other files: old versions of npm wrote notes of their
	// own into it.
	Loads sbom.Digest
}

// The index is a file of package sealed; the number in its header is that of the
// artefacts. Its sections:
//
//	info       JSON, as Info describes it
//	names      sorted rows of 16 bytes: sealed.Hash of ecosystem, name and version;
//	           offset and length of the artefact. Rows lie in the order of what
//	           they point to, without gaps
//	artefacts  one record each, made of varints and strings (see pack)
//	digests    sorted rows of 36 bytes: a SHA-256 of a file's content, and the row
//	           of the first artefact that has it
const (
	schema     = 1
	nameSize   = 16
	digestSize = 36
	// maxPath is the longest path in an artefact, as on Linux.
	maxPath = 4096
	// expansion bounds the bytes of all paths of an artefact by those of its record,
	// in which a path is what it does not share with the one before.
	expansion = 256
)

const (
	secInfo = iota
	secNames
	secArtefacts
	secDigests
)

var format = sealed.Format{
	Magic: "LAMINAHX", Schema: schema, Title: "registry hash index", Noun: "index",
	Context: "lamina registry hash index, header of schema 1\x00",
}

// Info is what an index says of itself.
type Info struct {
	Schema int       `json:"schema"`
	Built  time.Time `json:"built"`
	Counts Counts    `json:"counts"`
	// Artefacts, Files and Contents are how many there are; contents that are the
	// same count once.
	Artefacts int `json:"artefacts"`
	Files     int `json:"files"`
	Contents  int `json:"contents"`
	// Ecosystems are sorted by name.
	Ecosystems []EcosystemInfo `json:"ecosystems"`
}

// An EcosystemInfo is what there is of an ecosystem.
type EcosystemInfo struct {
	Name      string `json:"name"`
	Packages  int    `json:"packages"` // names with their versions
	Artefacts int    `json:"artefacts"`
}

// An Index is an open index. It may be used by several goroutines.
type Index struct {
	*sealed.File
	info                      Info
	names, artefacts, digests []byte
}

// Open maps an index and checks that it is whole; see [sealed.Format.Open].
func Open(name string) (*Index, error) {
	f, err := format.Open(name)
	if err != nil {
		return nil, err
	}
	x, err := newIndex(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return x, nil
}

// New is an index of bytes in memory, which must not change.
func New(data []byte) (*Index, error) {
	f, err := format.New(data)
	if err != nil {
		return nil, err
	}
	return newIndex(f)
}

// Sign returns the index data, as Build made it, with a signature.
func Sign(data []byte, key ed25519.PrivateKey) ([]byte, error) { return format.Sign(data, key) }

func newIndex(f *sealed.File) (*Index, error) {
	x := &Index{File: f, names: f.Section(secNames), artefacts: f.Section(secArtefacts), digests: f.Section(secDigests)}
	if len(x.names) != nameSize*f.Number() || len(x.digests)%digestSize != 0 {
		return nil, f.Damaged("a section has a wrong length")
	}
	// Each record is pointed to once, so that reading all that rows point to takes
	// no longer than reading the section.
	end := uint64(0)
	for i := range f.Number() {
		_, offset, size := x.row(i)
		if offset != end || size > uint64(len(x.artefacts))-end {
			return nil, f.Damaged("row %d is out of place", i)
		}
		end += size
	}
	if err := json.Unmarshal(f.Section(secInfo), &x.info); err != nil {
		return nil, f.Damaged("info: %v", err)
	}
	return x, nil
}

// Info is what the index says of itself.
func (x *Index) Info() Info { return x.info }

func (x *Index) row(i int) (hash, offset, size uint64) {
	le, row := binary.LittleEndian, x.names[i*nameSize:]
	return le.Uint64(row), uint64(le.Uint32(row[8:])), uint64(le.Uint32(row[12:]))
}

// Find are the artefacts of a version of a package, none if it is not in the index.
// An error says that the index is damaged.
func (x *Index) Find(ecosystem, name, version string) ([]Artefact, error) {
	hash := sealed.Hash(ecosystem, name, version)
	n := x.Number()
	var out []Artefact
	for i := sort.Search(n, func(i int) bool { h, _, _ := x.row(i); return h >= hash }); i < n; i++ {
		if h, _, _ := x.row(i); h != hash {
			break
		}
		a, err := x.artefact(i, true)
		if err != nil {
			return nil, err
		}
		if a.Ecosystem == ecosystem && a.Name == name && a.Version == version {
			out = append(out, a)
		}
	}
	return out, nil
}

// Origin is an artefact that has a file with this content, without its files;
// false if none has.
func (x *Index) Origin(sum sbom.Digest) (Artefact, bool) {
	i := x.place(sum)
	if i < 0 {
		return Artefact{}, false
	}
	row := int(binary.LittleEndian.Uint32(x.digests[i*digestSize+len(sum):]))
	if row >= x.Number() {
		return Artefact{}, false // damaged, and so no proof
	}
	a, err := x.artefact(row, false)
	return a, err == nil
}

// place is where in the section of digests the digest is, or -1.
func (x *Index) place(sum sbom.Digest) int {
	n := len(x.digests) / digestSize
	i := sort.Search(n, func(i int) bool { return bytes.Compare(x.digest(i), sum[:]) >= 0 })
	if i == n || !bytes.Equal(x.digest(i), sum[:]) {
		return -1
	}
	return i
}

func (x *Index) digest(i int) []byte { return x.digests[i*digestSize:][:len(sbom.Digest{})] }

// pack writes
//
//	artefact  ecosystem name version kind file size sha256 sha512 files {file}
//	file      shared suffix flags digest [size] [loads]
//
// shared is how many bytes of the path are those of the path before, digest a row
// of the section of digests. sha256 and loads are 32 bytes.
func (a *Artefact) pack(b []byte, rows map[sbom.Digest]int) []byte {
	for _, s := range []string{a.Ecosystem, a.Name, a.Version} {
		b = sealed.PutString(b, s)
	}
	b = sealed.PutInt(b, slices.Index(kinds, a.Kind))
	b = sealed.PutInt(sealed.PutString(b, a.File), int(a.Size))
	b = sealed.PutString(append(b, a.SHA256[:]...), string(a.SHA512))
	b = sealed.PutInt(b, len(a.Files))
	before := ""
	for _, f := range a.Files {
		shared := 0
		for shared < min(len(before), len(f.Path)) && before[shared] == f.Path[shared] {
			shared++
		}
		flags := 0
		if f.Rewritten {
			flags |= flagRewritten
		}
		if f.Loads != (sbom.Digest{}) {
			flags |= flagLoads
		}
		b = sealed.PutInt(sealed.PutString(sealed.PutInt(b, shared), f.Path[shared:]), flags)
		b = sealed.PutInt(b, rows[f.SHA256])
		if f.Rewritten {
			b = sealed.PutInt(b, int(f.Size))
		}
		if flags&flagLoads != 0 {
			b = append(b, f.Loads[:]...)
		}
		before = f.Path
	}
	return b
}

// The flags of a file.
const (
	flagRewritten = 1 << iota
	flagLoads
)

// artefact reads the record of a row, with or without its files.
func (x *Index) artefact(i int, files bool) (Artefact, error) {
	_, offset, size := x.row(i)
	c := x.Cursor(x.artefacts[offset : offset+size])
	a := Artefact{Ecosystem: c.Str(), Name: c.Str(), Version: c.Str()}
	if k := c.Uint(); k < uint64(len(kinds)) {
		a.Kind = kinds[k]
	} else if c.Err == nil {
		return a, x.Damaged("artefact %d is of kind %d", i, k)
	}
	a.File = c.Str()
	a.Size = int64(c.Uint() & (1<<62 - 1))
	copy(a.SHA256[:], c.Take(uint64(len(a.SHA256))))
	a.SHA512 = c.Bytes()
	if !files || c.Err != nil {
		return a, c.Err
	}
	budget := expansion * int(size) //nolint:gosec // below 2^31
	for range c.Count() {
		f, err := x.file(c, a.Files)
		if err != nil {
			return a, err
		}
		if budget -= len(f.Path); budget < 0 {
			return a, x.Damaged("the paths of artefact %d are too long", i)
		}
		a.Files = append(a.Files, f)
	}
	return a, c.Err
}

// file reads one file, which follows those before.
func (x *Index) file(c *sealed.Cursor, before []File) (File, error) {
	last := ""
	if n := len(before); n > 0 {
		last = before[n-1].Path
	}
	shared, suffix := c.Uint(), c.Bytes()
	if c.Err == nil && (shared > uint64(len(last)) || shared+uint64(len(suffix)) > maxPath) {
		return File{}, x.Damaged("a path is %d bytes of one of %d, and %d more", shared, len(last), len(suffix))
	}
	flags, row := c.Uint(), c.Uint()
	if c.Err == nil && row >= uint64(len(x.digests)/digestSize) {
		return File{}, x.Damaged("digest %d of %d", row, len(x.digests)/digestSize)
	}
	if c.Err != nil {
		return File{}, c.Err
	}
	f := File{Path: last[:shared] + string(suffix), Rewritten: flags&flagRewritten != 0}
	copy(f.SHA256[:], x.digest(int(row))) //nolint:gosec // below the number of rows
	if f.Rewritten {
		f.Size = int64(c.Uint() & (1<<62 - 1))
	}
	if flags&flagLoads != 0 {
		copy(f.Loads[:], c.Take(uint64(len(f.Loads))))
	}
	return f, c.Err
}

// Check reads the whole index and returns the first thing that is wrong.
func (x *Index) Check() error {
	if err := x.CheckSum(); err != nil {
		return err
	}
	for i := 1; i < len(x.digests)/digestSize; i++ {
		if bytes.Compare(x.digest(i-1), x.digest(i)) >= 0 {
			return x.Damaged("digest %d is out of order", i)
		}
	}
	last := uint64(0)
	for i := range x.Number() {
		a, err := x.artefact(i, true)
		if err != nil {
			return err
		}
		hash, _, _ := x.row(i)
		if hash < last || hash != sealed.Hash(a.Ecosystem, a.Name, a.Version) {
			return x.Damaged("artefact %d, %s %s, is not where it is looked for", i, a.Name, a.Version)
		}
		last = hash
		for j := 1; j < len(a.Files); j++ {
			if a.Files[j-1].Path >= a.Files[j].Path {
				return x.Damaged("%s: file %d is out of order", a.File, j)
			}
		}
		for _, f := range a.Files {
			if _, ok := x.Origin(f.SHA256); !ok {
				return x.Damaged("%s: %s has no origin", a.File, f.Path)
			}
		}
	}
	return nil
}

// compare orders artefacts as the index has them.
func compare(a, b *Artefact) int {
	return cmp.Or(
		cmp.Compare(sealed.Hash(a.Ecosystem, a.Name, a.Version), sealed.Hash(b.Ecosystem, b.Name, b.Version)),
		cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		bytes.Compare(a.SHA256[:], b.SHA256[:]),
	)
}

// manifest reports whether a file is one of npm's package.json.
func manifest(name string) bool { return path.Base(name) == "package.json" }
