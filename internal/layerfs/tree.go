package layerfs

import (
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// tree is the file system under Layer and Opt: every clean name with its node,
// and every directory with its sorted children.
type tree struct {
	nodes map[string]node
	// children are made when they are asked for: Pass has no need of them.
	children func() map[string][]string // directory → base names
}

// A node is an entry of a layer, or a directory that no entry names.
type node struct {
	layer *Layer // nil for a directory that no entry names
	entry int
	from  int // index of the layer in an Opt
}

func (n node) mode() fs.FileMode {
	if n.layer == nil {
		return fs.ModeDir | 0o755
	}
	return n.layer.entries[n.entry].Mode
}

func (t *tree) root(entries int) {
	t.nodes = make(map[string]node, entries+entries/4)
	t.nodes["."] = node{}
	t.children = sync.OnceValue(t.list)
}

// parent is path.Dir of a clean name, which that would clean again.
func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

// add puts a node at name, making the directories above it, and replaces what
// was there. It returns false if a file is where a directory is needed, and where,
// or "" if there would be more than limit nodes.
func (t *tree) add(name string, n node, limit int) (string, bool) {
	missing := 0
	for d := parent(name); d != "."; d = parent(d) {
		if up, ok := t.nodes[d]; ok {
			if !up.mode().IsDir() {
				return d, false
			}
			break
		}
		missing++
	}
	if len(t.nodes)+missing >= limit {
		return "", false
	}
	if old, ok := t.nodes[name]; ok && old.mode().IsDir() && !n.mode().IsDir() {
		return name, false
	}
	t.nodes[name] = n
	for d := parent(name); missing > 0; d = parent(d) {
		t.nodes[d] = node{from: n.from}
		missing--
	}
	return "", true
}

func (t *tree) list() map[string][]string {
	dirs := map[string][]string{}
	for name := range t.nodes {
		if name != "." {
			dirs[parent(name)] = append(dirs[parent(name)], path.Base(name))
		}
	}
	for _, names := range dirs {
		slices.Sort(names)
	}
	return dirs
}

// Open implements fs.FS. A link is not followed: what is read of it is its text,
// as of any file that is not regular it is the entry's bytes.
func (t *tree) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	n, ok := t.nodes[name]
	if !ok {
		return fail(fs.ErrNotExist)
	}
	info := info{path.Base(name), n}
	if n.mode().IsDir() {
		return &dir{info: info, entries: t.entriesOf(name)}, nil
	}
	r, err := n.layer.open(&n.layer.entries[n.entry])
	if err != nil {
		return fail(err)
	}
	return &file{ReadCloser: r, info: info}, nil
}

// ReadFile implements fs.ReadFileFS: memory grows with what is there, and not with
// what is declared.
func (t *tree) ReadFile(name string) ([]byte, error) {
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	if _, ok := f.(*dir); ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return b, nil
}

// ReadLink implements fs.ReadLinkFS: the text of a link, as written.
func (t *tree) ReadLink(name string) (string, error) {
	n, ok := t.nodes[name]
	if !ok || n.mode()&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	text, err := n.layer.link(&n.layer.entries[n.entry])
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return text, nil
}

// Lstat implements fs.ReadLinkFS.
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	n, ok := t.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return info{path.Base(name), n}, nil
}

// Stat implements fs.StatFS; links are not followed.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	return t.Lstat(name)
}

func (t *tree) entriesOf(name string) []fs.DirEntry {
	names := t.children()[name]
	entries := make([]fs.DirEntry, 0, len(names))
	for _, base := range names {
		entries = append(entries, fs.FileInfoToDirEntry(info{base, t.nodes[path.Join(name, base)]}))
	}
	return entries
}

type info struct {
	name string
	n    node
}

func (i info) Name() string      { return i.name }
func (i info) Mode() fs.FileMode { return i.n.mode() }
func (i info) IsDir() bool       { return i.n.mode().IsDir() }
func (i info) Sys() any          { return nil }

func (i info) Size() int64 {
	if i.n.layer == nil {
		return 0
	}
	// What an entry declares must not make a reader allocate as much.
	return min(i.n.layer.entries[i.n.entry].Size, i.n.layer.limits.Inflated+1)
}

func (i info) ModTime() time.Time {
	if i.n.layer == nil {
		return time.Time{}
	}
	return i.n.layer.entries[i.n.entry].Modified
}

type file struct {
	io.ReadCloser
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

type dir struct {
	info    info
	entries []fs.DirEntry
	pos     int
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *dir) Close() error               { return nil }
func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.entries[d.pos:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.pos += len(rest)
	return slices.Clone(rest), nil
}

// An Opt is the /opt that a function sees.
type Opt struct{ tree }

// Merge lays the layers over each other in the order the function lists them.
// Directories are joined; of files with the same name the last layer's is seen
// (https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html). A file
// where another layer has a directory, or the other way round, takes its place.
func Merge(layers ...*Layer) *Opt {
	o := &Opt{}
	o.root(0)
	for i, l := range layers {
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for name := range l.nodes {
				if !yield(name) {
					return
				}
			}
		}) {
			n := l.nodes[name]
			n.from = i
			if old, ok := o.nodes[name]; name == "." || ok && old.mode().IsDir() && n.mode().IsDir() {
				continue
			}
			o.clear(name)
			o.add(name, n, math.MaxInt)
		}
	}
	return o
}

// clear removes what stands in the way of a node at name: a file above it, and
// everything below it.
func (o *Opt) clear(name string) {
	for d := parent(name); d != "."; d = parent(d) {
		if up, ok := o.nodes[d]; ok && !up.mode().IsDir() {
			delete(o.nodes, d)
		}
	}
	if old, ok := o.nodes[name]; ok && old.mode().IsDir() {
		for below := range o.nodes {
			if strings.HasPrefix(below, name+"/") {
				delete(o.nodes, below)
			}
		}
		delete(o.nodes, name)
	}
}

// From returns the index of the layer whose file, or whose first mention of a
// directory, is seen at name.
func (o *Opt) From(name string) (int, bool) {
	n, ok := o.nodes[name]
	return n.from, ok && name != "."
}
