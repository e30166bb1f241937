package opt

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A tree is files laid over each other. Its keys are paths below its root, "."
// for the root itself.
type tree struct {
	root  string
	nodes map[string]*node
	// lost are the files that a later supplier took the place of.
	lost []loss
	// inside are the files in archives, by the archive's path; an archive whose
	// inside was not given is not a key.
	inside map[string]map[string]bool

	// last is the directory at lastDir, which the next file is probably in, too; nil
	// after something was lost. free are nodes made in one go.
	last    *node
	lastDir string
	free    []node
}

// A node is what is seen at one path. Every node's parent is a directory.
type node struct {
	dir      bool
	from     Origin
	file     *File    // of anything but a directory: one of those given
	children []string // of a directory: base names, sorted when the tree is finished
}

type loss struct {
	file *File
	from Origin
}

func (n *node) link() bool { return !n.dir && n.file.Mode&fs.ModeSymlink != 0 }

func (n *node) target() Target {
	if n.dir {
		return Directory
	}
	return Regular
}

// newTree makes a tree for about so many files.
func newTree(root string, size int) tree {
	t := tree{root: root, nodes: make(map[string]*node, size+size/4), inside: map[string]map[string]bool{}}
	t.nodes["."] = &node{dir: true}
	return t
}

// up splits a clean path into its directory and its last element.
func up(name string) (dir, base string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return ".", name
	}
	return name[:i], name[i+1:]
}

// add lays files over what is there.
func (t *tree) add(from Origin, files []File) {
	type nested struct{ archive, name string }
	var within []nested
	var odd []*File // look like files in an archive, and may be files of a directory called "x!"
	for i := range files {
		f := &files[i]
		if !fs.ValidPath(f.Path) || f.Path == "." {
			continue // layerfs serves no such path
		}
		if strings.Contains(f.Path, "!/") {
			odd = append(odd, f)
			continue
		}
		t.put(from, f)
	}
	for _, f := range odd {
		archive, name, _ := strings.Cut(f.Path, "!/")
		if n := t.nodes[archive]; n != nil && !n.dir && n.from == from {
			within = append(within, nested{archive, name})
			continue
		}
		t.put(from, f)
	}
	seen := map[string]bool{}
	for _, w := range within {
		if !seen[w.archive] {
			seen[w.archive] = true
			t.inside[w.archive] = map[string]bool{} // another layer's archive of that name is gone
		}
		t.inside[w.archive][w.name] = true
	}
}

// put lays one file over what is there.
func (t *tree) put(from Origin, f *File) {
	if f.Mode.IsDir() {
		t.directory(f.Path, from)
		return
	}
	n := t.nodes[f.Path]
	if n == nil {
		dir, base := up(f.Path)
		if t.last == nil || t.lastDir != dir {
			t.last, t.lastDir = t.directory(dir, from), dir
		}
		t.last.children = append(t.last.children, base)
		n = t.node()
		n.from, n.file = from, f
		t.nodes[f.Path] = n
		return
	}
	t.lose(f.Path, n, from)
	*n = node{from: from, file: f}
}

// directory returns the directory at a path, and makes it if something else or
// nothing is there.
func (t *tree) directory(name string, from Origin) *node {
	n := t.nodes[name]
	switch {
	case n == nil:
		above, base := up(name)
		parent := t.directory(above, from)
		parent.children = append(parent.children, base)
		n = t.node()
		n.dir, n.from = true, from
		t.nodes[name] = n
	case !n.dir:
		t.lose(name, n, from)
		*n = node{dir: true, from: from}
	}
	return n
}

// lose notes that from takes the place of what is at a path and below it.
func (t *tree) lose(name string, n *node, from Origin) {
	t.last = nil
	if !n.dir {
		delete(t.inside, name)
		if n.from != from {
			t.lost = append(t.lost, loss{n.file, n.from})
		}
		return
	}
	for _, c := range n.children {
		below := name + "/" + c
		t.lose(below, t.nodes[below], from)
		delete(t.nodes, below)
	}
}

// node returns a new node.
func (t *tree) node() *node {
	if len(t.free) == 0 {
		t.free = make([]node, 64)
	}
	n := &t.free[0]
	t.free = t.free[1:]
	return n
}

func (t *tree) finish() {
	for _, n := range t.nodes {
		if !slices.IsSorted(n.children) {
			slices.Sort(n.children)
		}
	}
	t.free, t.last = nil, nil
}

func (t *tree) placed(rel string, n *node) Placed {
	return Placed{Path: t.root + "/" + rel, From: n.from, File: *n.file}
}

func (t *tree) files() []Placed {
	out := make([]Placed, 0, len(t.nodes))
	for rel, n := range t.nodes {
		if !n.dir {
			out = append(out, t.placed(rel, n))
		}
	}
	slices.SortFunc(out, func(a, b Placed) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// missing is what a path in the tree is where no node is.
func (t *tree) missing(v *View) Target {
	if t == &v.task && v.in.Function == nil {
		return Outside
	}
	return Missing
}

// shadows says of each lost file who is in its place now.
func (t *tree) shadows() []Shadow {
	out := make([]Shadow, 0, len(t.lost))
	for _, l := range t.lost {
		s := Shadow{Path: t.root + "/" + l.file.Path, From: l.from}
		rel, n := l.file.Path, t.nodes[l.file.Path]
		for n == nil {
			// Something above it took the place of its directory.
			rel, _ = up(rel)
			n = t.nodes[rel]
		}
		s.By, s.ByPath = n.from, t.root+"/"+rel
		s.Same = !n.dir && rel == l.file.Path && same(*n.file, *l.file)
		if s.By == l.from {
			continue // the layer hides its own file by way of another layer's
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Shadow) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), compareOrigin(a.From, b.From))
	})
	return slices.Compact(out)
}

// same reports whether two files are alike in what a function can notice.
func same(a, b File) bool {
	return a.Mode == b.Mode && a.Link == b.Link && (a.Mode&fs.ModeSymlink != 0 || a.SHA256 == b.SHA256)
}

// mixed finds the packages of which files of several layers are seen.
func (t *tree) mixed() []Mixed {
	counts := map[string]map[int]int{}
	for rel, d := range t.nodes {
		if !d.dir {
			continue
		}
		dir := packageDir(rel + "/x")
		if dir == "" {
			continue
		}
		for _, c := range d.children {
			if n := t.nodes[rel+"/"+c]; !n.dir {
				if counts[dir] == nil {
					counts[dir] = map[int]int{}
				}
				counts[dir][n.from.Layer]++
			}
		}
	}
	var out []Mixed
	for dir, layers := range counts {
		if len(layers) < 2 {
			continue
		}
		m := Mixed{Dir: t.root + "/" + dir, Namespace: strings.HasPrefix(dir, "python") && t.nodes[dir+"/__init__.py"] == nil && t.nodes[dir+"/__init__.pyc"] == nil}
		for _, l := range slices.Sorted(maps.Keys(layers)) {
			m.Layers = append(m.Layers, LayerCount{l, layers[l]})
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Mixed) int { return cmp.Compare(a.Dir, b.Dir) })
	return out
}

// packageDir returns the directory of the package that a file belongs to, by
// the places where packages are kept: python/NAME, site-packages/NAME,
// node_modules/NAME, node_modules/@SCOPE/NAME and gems/NAME. It returns "" for
// files that are in none, or are a package by themselves.
func packageDir(rel string) string {
	parts := strings.Split(rel, "/")
	at := -1 // index of the package's name
	for i := range len(parts) - 1 {
		switch {
		case parts[i] == "node_modules":
			at = i + 1
			if strings.HasPrefix(parts[at], "@") {
				at++
			}
		case parts[i] == "site-packages", parts[i] == "gems" && i == 3 && parts[0] == "ruby", i == 0 && parts[0] == "python":
			at = i + 1
		}
	}
	if at < 0 || at >= len(parts)-1 {
		return ""
	}
	switch parts[at] {
	case "bin", "__pycache__", ".bin":
		return ""
	case "lib":
		if at == 1 && parts[0] == "python" {
			return ""
		}
	}
	return strings.Join(parts[:at+1], "/")
}

func itoa(n int) string { return strconv.Itoa(n) }
