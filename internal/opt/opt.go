// Package opt is what one function sees of its layers: which layer's file is at
// each path of the merged /opt, what that hides, where an import would come
// from, and what runs before the handler does.
//
// A View is made from lists of files, not from archives, and is pure: it reads
// no file but the few short texts (.pth, package.json) that the caller's
// ReadFile gives it, runs nothing, and never changes. What it was not told (the
// function's own files, its environment, the inside of a jar) makes an answer
// uncertain, and the answer says so in its Maybe; it never becomes a "no".
// Judging is left to analyzers. Paths are absolute, as the function sees them:
// /opt/python/acme/__init__.py, /var/task/app.py. Start with New.
package opt

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A File is one file, link or directory of a layer or of the function.
type File struct {
	// Path is below the layer's root: "python/acme/a.py". A file in an archive
	// has the archive's path, "!/" and the path in there, and is not a file of
	// /opt; the classes of jars are given so.
	Path string
	// Mode has the type and the permissions. Directories need not be given.
	Mode fs.FileMode
	// Link is the text of a symbolic link.
	Link string
	// SHA256 is of the content; equal means the same bytes. Size is in bytes.
	SHA256 [32]byte
	Size   int64
}

// A Layer is the files of one layer, in any order. A path given twice counts the
// last time.
type Layer struct {
	// Name is what people call it: a file name or an ARN.
	Name  string
	Files []File
}

// Input is what is known of a function.
type Input struct {
	// Layers are in the order in which the function lists them: of files with the
	// same name the last layer's is seen.
	Layers []Layer
	// Function is the function's own files, nil if they were not given.
	Function []File
	// Runtime ("python3.12"), Handler ("app.handler") and Architecture ("x86_64",
	// "arm64") are as AWS writes them, "" if not given.
	Runtime, Handler, Architecture string
	// Env are the environment variables of the configuration, nil if they were
	// not given.
	Env map[string]string
	// ReadFile returns the whole of a .pth file or package.json of a layer or of
	// the function, by File.Path, and false if it cannot. It may be nil.
	ReadFile func(from Origin, path string) ([]byte, bool)
}

// A Kind says who supplies something.
type Kind string

// The kinds of suppliers.
const (
	// FromNowhere is no supplier: what is asked for does not exist.
	FromNowhere Kind = "nowhere"
	// FromFunction is the function's own package, /var/task.
	FromFunction Kind = "function"
	// FromLayer is one of the layers.
	FromLayer Kind = "layer"
	// FromRuntime is what AWS ships beside the language: the SDK, for one.
	FromRuntime Kind = "runtime"
	// FromLibrary is the language's standard library.
	FromLibrary Kind = "library"
	// FromElsewhere is a place whose content nobody gave: /usr, /tmp, a mount.
	FromElsewhere Kind = "elsewhere"
)

// An Origin is a supplier.
type Origin struct {
	Kind Kind `json:"kind"`
	// Layer counts from 1 in the order of Input.Layers; 0 unless Kind is
	// FromLayer.
	Layer int `json:"layer,omitempty"`
}

// A View is what one function sees. It may be used from many goroutines.
type View struct {
	in      Input
	runtime runtimes.Runtime
	known   bool // runtime is one of the table
	opt     tree
	task    tree
	// Most callers ask for one or none of these.
	shadows  func() []Shadow
	mixed    func() []Mixed
	gemFiles func() map[string][]gem
	// set are the variables of the configuration and, over them, those that the
	// wrapper sets, which are wrapped; vars has the runtime's own, too.
	set, wrapped, vars map[string]string
	// path is sys.path of Python with what .pth files append; appended are those.
	path, sites []string
	pth         []pthFile
	// esm says that the handler is an ES module.
	esm bool
	// handler is found once: imports are resolved from its directory.
	handler Resolution
}

// New merges the layers and learns the search paths.
//
// Lambda extracts the layers one after the other into /opt: directories are
// joined, of files the last one stays
// (https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html). A file where
// an earlier layer has a directory, or the other way round, takes its place; a
// link is a file in this respect (derived).
func New(in Input) *View {
	v := &View{in: in}
	v.runtime, v.known = runtimes.ByID(in.Runtime)
	size := 0
	for _, l := range in.Layers {
		size += len(l.Files)
	}
	v.opt = newTree(runtimes.Opt, min(size, 20_000))
	for i, l := range in.Layers {
		v.opt.add(Origin{FromLayer, i + 1}, l.Files)
	}
	v.opt.finish()
	v.task = newTree(runtimes.Task, min(len(in.Function), 20_000))
	v.task.add(Origin{Kind: FromFunction}, in.Function)
	v.task.finish()
	v.shadows = sync.OnceValue(v.opt.shadows)
	v.mixed = sync.OnceValue(v.opt.mixed)
	v.settle(nil)
	return v
}

// WithWrapper is the view of the same function when its exec wrapper sets these
// variables for the runtime that it starts. A value may name others as $NAME or
// ${NAME}. It is v itself if the function has no wrapper that the runtime starts.
func (v *View) WithWrapper(set map[string]string) *View {
	if v.in.Env["AWS_LAMBDA_EXEC_WRAPPER"] == "" || !v.runtime.Wrapper {
		return v
	}
	w := &View{in: v.in, runtime: v.runtime, known: v.known, opt: v.opt, task: v.task, shadows: v.shadows, mixed: v.mixed}
	wrapped := map[string]string{}
	for key, value := range set {
		wrapped[key] = os.Expand(value, v.env)
	}
	w.settle(wrapped)
	return w
}

// settle learns the environment and the search paths.
func (v *View) settle(wrapped map[string]string) {
	v.wrapped = wrapped
	v.set = map[string]string{}
	maps.Copy(v.set, v.in.Env)
	maps.Copy(v.set, wrapped)
	v.vars = map[string]string{}
	for _, s := range v.runtime.Environment() {
		v.vars[s.Key] = s.Value
	}
	maps.Copy(v.vars, v.set)
	v.gemFiles = sync.OnceValue(v.findGems)
	if v.known && v.runtime.Family == runtimes.Python {
		value, set := v.set["PYTHONPATH"]
		v.path, v.sites = v.runtime.PythonPath(value, set)
		v.readPth()
	}
	v.handler = v.findHandler()
}

// Layers returns the names of the layers in their order.
func (v *View) Layers() []string {
	out := make([]string, len(v.in.Layers))
	for i, l := range v.in.Layers {
		out[i] = l.Name
	}
	return out
}

// Runtime returns the function's runtime, false if none of the known was given.
func (v *View) Runtime() (runtimes.Runtime, bool) { return v.runtime, v.known }

// Name is the origin in words: "layer 2 (extra.zip)", "the function".
func (v *View) Name(o Origin) string {
	switch o.Kind {
	case FromLayer:
		if o.Layer < 1 || o.Layer > len(v.in.Layers) {
			return "a layer"
		}
		name := v.in.Layers[o.Layer-1].Name
		return "layer " + itoa(o.Layer) + " (" + name + ")"
	case FromFunction:
		return "the function"
	case FromRuntime:
		return "the runtime"
	case FromLibrary:
		return "the standard library"
	case FromElsewhere:
		return "elsewhere"
	case FromNowhere:
	}
	return "nowhere"
}

// A Placed is a file at the path where the function sees it.
type Placed struct {
	Path string `json:"path"`
	From Origin `json:"from"`
	File File   `json:"-"`
}

// Files returns what is seen below /opt: files and links, sorted by path.
func (v *View) Files() []Placed { return v.opt.files() }

// Lookup returns the file or link at a path without following it.
func (v *View) Lookup(name string) (Placed, bool) {
	t, rel := v.tree(path.Clean(name))
	if t == nil {
		return Placed{}, false
	}
	n := t.nodes[rel]
	if n == nil || n.dir {
		return Placed{}, false
	}
	return t.placed(rel, n), true
}

// IsDir reports whether a directory is at the path, after links.
func (v *View) IsDir(name string) bool {
	_, n, _ := v.follow(name)
	return n != nil && n.dir
}

// A Target is where a path leads.
type Target string

// The targets.
const (
	// Regular is a file, Directory a directory.
	Regular   Target = "file"
	Directory Target = "directory"
	// Missing is a path in /opt, or in /var/task if the function was given, where
	// nothing is.
	Missing Target = "missing"
	// Outside is a path whose content nobody gave.
	Outside Target = "outside"
	// Loop are links that lead to themselves.
	Loop Target = "loop"
)

// Follow follows the links in a path, those of its directories among them. It
// returns the path where they end, and the file if one is there.
func (v *View) Follow(name string) (Placed, Target) {
	end, n, target := v.follow(name)
	if target != Regular {
		return Placed{Path: end}, target
	}
	t, rel := v.tree(end)
	return t.placed(rel, n), Regular
}

// maxLinks is how many links Linux follows in one path (MAXSYMLINKS).
const maxLinks = 40

func (v *View) follow(name string) (string, *node, Target) {
	name = path.Clean("/" + name)
	t, rel := v.tree(name)
	if t != nil {
		// Above a node there are directories only, so a node that is found is there,
		// and a path is missing below the deepest one unless that is a link.
		n := t.nodes[rel]
		if n != nil && !n.link() {
			return name, n, n.target()
		}
		for at := rel; n == nil; n = t.nodes[at] {
			at, _ = up(at)
		}
		if !n.link() {
			return name, nil, t.missing(v)
		}
	}
	links := 0
	at, rest := "/", strings.Split(strings.TrimPrefix(name, "/"), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		at = path.Join(at, part)
		t, rel := v.tree(at)
		if t == nil {
			continue // /var, or a place nobody gave: seen at the end
		}
		n := t.nodes[rel]
		switch {
		case n == nil:
			return path.Join(at, path.Join(rest...)), nil, t.missing(v)
		case n.link():
			if links++; links > maxLinks {
				return name, nil, Loop
			}
			to := strings.Split(n.file.Link, "/")
			rest = append(to, rest...)
			if len(rest) > 4096 {
				return name, nil, Loop
			}
			at = path.Dir(at)
			if strings.HasPrefix(n.file.Link, "/") {
				at = "/"
			}
		}
	}
	t, rel = v.tree(at)
	if t == nil {
		return at, nil, Outside
	}
	n := t.nodes[rel]
	if n == nil {
		return at, nil, t.missing(v)
	}
	return at, n, n.target()
}

// tree returns the tree that a clean absolute path is in and the path in it.
func (v *View) tree(name string) (*tree, string) {
	for _, t := range []*tree{&v.opt, &v.task} {
		if rest, ok := strings.CutPrefix(name, t.root); ok {
			if rest == "" {
				return t, "."
			}
			if rest[0] == '/' {
				return t, rest[1:]
			}
		}
	}
	return nil, ""
}

// file reports what is at a path if it is a regular file, after links.
func (v *View) file(name string) (Placed, bool) {
	p, target := v.Follow(name)
	return p, target == Regular
}

// list returns the names in a directory, sorted.
func (v *View) list(name string) []string {
	if _, n, target := v.follow(name); target == Directory {
		return n.children
	}
	return nil
}

// offers reports whether a directory has an entry called name, whatever its
// ending. Most searches end here.
func (v *View) offers(dir, name string) bool {
	list := v.list(dir)
	if _, ok := slices.BinarySearch(list, name); ok {
		return true
	}
	i, _ := slices.BinarySearch(list, name+".")
	return i < len(list) && strings.HasPrefix(list[i], name+".")
}

// maxText is how many bytes of a .pth file or package.json are believed.
const maxText = 1 << 20

// read returns the text of a file as the caller gives it.
func (v *View) read(name string) ([]byte, bool) {
	p, ok := v.file(name)
	if !ok || v.in.ReadFile == nil {
		return nil, false
	}
	b, ok := v.in.ReadFile(p.From, p.File.Path)
	return b, ok && len(b) <= maxText
}

// Set returns a variable that the configuration, or over it the wrapper, sets for
// the runtime.
func (v *View) Set(key string) (value string, ok bool) {
	value, ok = v.set[key]
	return value, ok
}

// env returns a variable as the runtime's process sees it: the configuration's
// or else the runtime's own.
func (v *View) env(key string) string { return v.vars[key] }

// A Shadow is a file of a layer that the function does not see.
type Shadow struct {
	// Path is where it would be, From its layer.
	Path string `json:"path"`
	From Origin `json:"from"`
	// By is who takes its place, at ByPath: the same path, or a file above it, or
	// a file below where it would be.
	By     Origin `json:"by"`
	ByPath string `json:"byPath"`
	// Same says that the bytes (of a link, the text) and the permissions are the
	// same.
	Same bool `json:"same"`
}

// Shadows returns what earlier layers hold and later ones hide, sorted by path
// and layer.
func (v *View) Shadows() []Shadow { return slices.Clone(v.shadows()) }

// A Mixed is a package directory of which the function sees files of several
// layers: half of one version, half of another.
type Mixed struct {
	// Dir is the package's directory.
	Dir string `json:"dir"`
	// Layers are those that files seen there are from, with how many.
	Layers []LayerCount `json:"layers"`
	// Namespace says that Python's rules let several suppliers fill it, as it has
	// no __init__.
	Namespace bool `json:"namespace,omitempty"`
}

// A LayerCount is a number of files of a layer.
type LayerCount struct {
	Layer int `json:"layer"` // from 1
	Files int `json:"files"`
}

// Mixed returns the mixed packages, sorted by directory.
func (v *View) Mixed() []Mixed { return slices.Clone(v.mixed()) }

// Unknown says what was not given and would make answers more certain.
func (v *View) Unknown() []string {
	var out []string
	if !v.known {
		if v.in.Runtime == "" {
			out = append(out, "the runtime")
		} else {
			out = append(out, "the search rules of runtime "+v.in.Runtime)
		}
	}
	if v.in.Function == nil {
		out = append(out, "the function's own files")
	}
	if v.in.Env == nil {
		out = append(out, "the function's environment")
	}
	if v.in.Handler == "" {
		out = append(out, "the handler")
	}
	return out
}

func compareOrigin(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Kind, b.Kind))
}
