package sbom

import (
	"path"
	"slices"
	"strings"
)

// Owners tells which package a file belongs to.
type Owners struct {
	all    []Component
	listed map[string]place
	roots  map[string]int // folder or file → component
}

type place struct{ component, file int }

// NewOwners indexes the components of one layer, as Join returns them.
func NewOwners(joined []Component) *Owners {
	files := 0
	for i := range joined {
		files += len(joined[i].Files)
	}
	o := &Owners{all: joined, listed: make(map[string]place, files), roots: make(map[string]int, len(joined))}
	for i := range joined {
		c := &joined[i]
		if c.How == Locked {
			continue // it is not there
		}
		for j, f := range c.Files {
			// A compiled file may be listed twice, with and without a digest.
			was, ok := o.listed[f.Path]
			if !ok || was.component == i && c.Files[was.file].SHA256 == (Digest{}) && f.SHA256 != (Digest{}) {
				o.listed[f.Path] = place{i, j}
			}
		}
		o.root(c.Root, i)
		if c.Ecosystem == PyPI && !isConstant(*c) {
			o.pythonRoots(c, i)
		}
	}
	return o
}

func (o *Owners) root(name string, component int) {
	if _, ok := o.roots[name]; !ok && name != "" {
		o.roots[name] = component
	}
}

// pythonRoots adds the folders and modules by which a Python package is imported.
func (o *Owners) pythonRoots(c *Component, component int) {
	site := path.Dir(c.Root)
	for _, name := range c.Modules() {
		name = strings.ReplaceAll(name, ".", "/")
		o.root(under(site, name), component)
		o.root(under(site, name+".py"), component)
	}
}

// Modules are the names under which a program imports the package, sorted. For
// Python they are the top-level modules that its metadata names or lists; for
// Node the folder in node_modules. Other ecosystems do not say.
func (c Component) Modules() []string {
	switch c.Ecosystem {
	case NPM:
		if i := strings.LastIndex(c.Root, "node_modules/"); i >= 0 {
			return []string{c.Root[i+len("node_modules/"):]}
		}
		return []string{c.Name}
	case PyPI:
		if isConstant(c) {
			return []string{strings.TrimSuffix(strings.TrimSuffix(path.Base(c.Root), ".pyc"), ".py")}
		}
	default:
		return nil
	}
	names := slices.Clone(c.Imports)
	prefix := path.Dir(c.Root) + "/"
	if prefix == "./" {
		prefix = ""
	}
	last := ""
	for _, f := range c.Files {
		rest, ok := strings.CutPrefix(f.Path, prefix)
		top, _, folder := strings.Cut(rest, "/")
		if !ok || top == last {
			continue
		}
		last = top
		// A folder named bin holds the scripts of all packages.
		if folder && (top == "bin" || top == "__pycache__" || strings.HasSuffix(top, "-info") || strings.HasSuffix(top, ".libs")) {
			continue
		}
		name, suffix, _ := strings.Cut(top, ".")
		if folder || suffix == "py" || suffix == "pyc" || strings.HasSuffix(suffix, "so") {
			names = append(names, name)
		}
	}
	return set(names)
}

// Owner returns the package that the file at name belongs to, or nil, and the entry
// of its metadata that lists the file, or nil: a file without one lies in the
// package's folder, and whether it came with the package is not known. The entry
// of the innermost folder wins.
func (o *Owners) Owner(name string) (*Component, *FileHash) {
	if p, ok := o.listed[name]; ok {
		c := &o.all[p.component]
		return c, &c.Files[p.file]
	}
	for dir := name; dir != "." && dir != "/" && dir != ""; {
		if i, ok := o.roots[dir]; ok {
			return &o.all[i], nil
		}
		// A jar's own path is above its entries: "x.jar!" and then "x.jar".
		if inner, ok := strings.CutSuffix(dir, "!"); ok {
			dir = inner
			continue
		}
		dir = dir[:max(strings.LastIndexByte(dir, '/'), 0)] // it is clean
	}
	return nil, nil
}

// Verified reports whether the file at name, whose content has the digest sum, is
// as its package's metadata says. The metadata lies beside it and may have been
// changed with it: that the package is what its registry has is not known.
func (o *Owners) Verified(name string, sum [32]byte) bool {
	_, listed := o.Owner(name)
	return listed != nil && listed.SHA256 != Digest{} && listed.SHA256 == Digest(sum)
}
