package sbom

import (
	"path"
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
	o := &Owners{all: joined, listed: map[string]place{}, roots: map[string]int{}}
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

// pythonRoots adds the folders and modules by which a Python package is imported:
// those it names and those its files lie in.
func (o *Owners) pythonRoots(c *Component, component int) {
	site := path.Dir(c.Root)
	for _, name := range c.Imports {
		name = strings.ReplaceAll(name, ".", "/")
		o.root(under(site, name), component)
		o.root(under(site, name+".py"), component)
	}
	if len(c.Imports) > 0 {
		return
	}
	prefix := site + "/"
	if site == "." {
		prefix = ""
	}
	for _, f := range c.Files {
		rest, ok := strings.CutPrefix(f.Path, prefix)
		top, _, folder := strings.Cut(rest, "/")
		// A folder named bin holds the scripts of all packages.
		if ok && folder && top != "bin" && top != "__pycache__" {
			o.root(prefix+top, component)
		}
	}
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
	for dir := name; dir != "." && dir != "/"; {
		if i, ok := o.roots[dir]; ok {
			return &o.all[i], nil
		}
		// A jar's own path is above its entries: "x.jar!" and then "x.jar".
		if inner, ok := strings.CutSuffix(dir, "!"); ok {
			dir = inner
			continue
		}
		dir = path.Dir(dir)
	}
	return nil, nil
}
