package opt

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// node resolves what require is given, asked by the file from
// (https://nodejs.org/api/modules.html#all-together), or what import is given if
// esm.
func (v *View) node(name, from string, esm bool) Resolution {
	if v.runtime.Builtin(name) {
		r := Resolution{From: Origin{Kind: FromLibrary}, Via: "built in", Why: "Node.js takes its own modules before any path"}
		found, _, _ := v.nodeCandidates(strings.TrimPrefix(name, "node:"), v.nodeBase(from), esm)
		r.Others = inert(found, r.Why)
		return r
	}
	if strings.HasPrefix(name, "node:") || name == "" {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "this Node.js has no such module"}
	}
	base := v.nodeBase(from)
	if strings.HasPrefix(name, "/") || name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		file := name
		if !strings.HasPrefix(name, "/") {
			file = path.Join(base, name)
		}
		l := v.nodeLoad(file)
		if l.path == "" {
			return Resolution{From: Origin{Kind: FromNowhere}, Searched: []string{path.Dir(file)}}
		}
		return Resolution{Path: l.path, From: v.origin(l.path), Via: path.Dir(file), Why: "the path is given", Maybe: l.maybe, Fails: l.fails}
	}
	found, searched, own := v.nodeCandidates(name, base, esm)
	r := choose(found, searched)
	switch {
	case esm && slices.Index(searched, r.Via) >= own:
		r.Maybe = "an ES module asks, and import does not read NODE_PATH (so seen in plain Node.js; AWS says otherwise of Lambda)"
	case r.From.Kind != FromFunction:
		v.functionFirst(&r)
	}
	if dir := v.elsewhereBefore(searched, r.Via); dir != "" && r.Maybe == "" {
		r.Maybe = "what is in " + dir + " is not known, and it is searched before"
	}
	return r
}

// nodeBase is the directory that a search begins in.
func (v *View) nodeBase(from string) string {
	if from != "" {
		return path.Clean("/" + strings.TrimSuffix(from, path.Base(from)))
	}
	if v.handler.Path != "" && v.handler.From.Kind == FromFunction {
		return path.Dir(v.handler.Path)
	}
	return runtimes.Task
}

// nodeCandidates are who supplies a package: the node_modules of the directory
// and of those above it, which are the first own of the places searched, then
// NODE_PATH.
func (v *View) nodeCandidates(name, base string, esm bool) (found []Candidate, searched []string, own int) {
	for d := base; ; d = path.Dir(d) {
		if path.Base(d) != "node_modules" {
			// Outside of the function and the layers nobody can put one.
			if n := path.Join(d, "node_modules"); isOpt(n) || strings.HasPrefix(n, runtimes.Task+"/") {
				searched = append(searched, n)
			}
		}
		if d == "/" || d == "." {
			break
		}
	}
	own = len(searched)
	for _, d := range runtimes.Split(v.env("NODE_PATH")) {
		if d = path.Clean(d); !slices.Contains(searched, d) {
			searched = append(searched, d)
		}
	}
	parts := strings.SplitN(name, "/", 3)
	pkg := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		pkg += "/" + parts[1]
	}
	for i, d := range searched {
		why := "node_modules of the asking file's directories come first"
		if i >= own {
			why = "NODE_PATH is searched in order, after node_modules"
		}
		if d == runtimes.Own+"/node_modules" {
			if ships, _ := v.runtime.Ships(pkg); ships {
				found = append(found, Candidate{From: Origin{Kind: FromRuntime}, Via: d, Why: why})
			}
			continue
		}
		if first, _, _ := strings.Cut(name, "/"); !v.offers(d, first) {
			continue
		}
		l := v.nodeExports(path.Join(d, pkg), strings.TrimPrefix(name, pkg), esm)
		if l.path == "" {
			l = v.nodeLoad(path.Join(d, name))
		}
		if l.path != "" {
			found = append(found, Candidate{Path: l.path, From: v.origin(l.path), Via: d, Why: why, Fails: l.fails, maybe: l.maybe})
		}
	}
	return found, searched, own
}

// A nodeLoaded is what a path comes to: nothing if path is "".
type nodeLoaded struct{ path, fails, maybe string }

// unreadPackage is the uncertainty of a package.json that was not given.
const unreadPackage = "its package.json was not given"

// nodeLoad is what require loads of a path: the file, the file with an ending,
// or the directory by its package.json or index.
func (v *View) nodeLoad(x string) nodeLoaded {
	if f := v.nodeFile(x); f != "" {
		return nodeLoaded{path: f}
	}
	if !v.IsDir(x) {
		return nodeLoaded{}
	}
	pkg, state := v.packageJSON(x)
	switch state {
	case brokenJSON:
		return nodeLoaded{path: x, fails: "its package.json is no JSON"}
	case unreadJSON:
		return nodeLoaded{path: cmp.Or(v.nodeIndex(x), x), maybe: unreadPackage}
	case readJSON:
		if pkg.main != "" {
			m := path.Join(x, pkg.main)
			if f := cmp.Or(v.nodeFile(m), v.nodeIndex(m)); f != "" {
				return nodeLoaded{path: f}
			}
		}
	case noJSON:
	}
	return nodeLoaded{path: v.nodeIndex(x)}
}

func (v *View) nodeFile(x string) string {
	if _, ok := v.file(x); ok {
		return x
	}
	for _, ext := range runtimes.NodeExtensions {
		if _, ok := v.file(x + ext); ok {
			return x + ext
		}
	}
	return ""
}

func (v *View) nodeIndex(dir string) string {
	for _, ext := range runtimes.NodeExtensions {
		if _, ok := v.file(dir + "/index" + ext); ok {
			return dir + "/index" + ext
		}
	}
	return ""
}

// nodeHandler resolves "dir/app.handler": the file dir/app of the function with
// one of the runtime's endings, else what require finds from /var/task and dir,
// which reaches NODE_PATH (UserFunction.js of the runtime interface client).
func (v *View) nodeHandler(h string) Resolution {
	if strings.Contains(h, "..") {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "the runtime refuses a handler with .."}
	}
	base := path.Base(h)
	module, _, ok := strings.Cut(base, ".")
	if !ok || h == "" {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "a handler is MODULE.FUNCTION"}
	}
	root := strings.TrimSuffix(h, base)
	x := path.Join(runtimes.Task, root, module)
	if strings.HasPrefix(root, "/") {
		x = path.Join(root, module) // an absolute handler: the runtime's path.resolve
	}
	var paths []string
	for _, ext := range v.runtime.NodeHandlers() {
		paths = append(paths, x+ext)
	}
	r := v.at(paths, "the runtime tries the handler's path with its endings")
	if r.Path != "" {
		r.Others, r.Via = nil, path.Dir(x)
		v.esm = strings.HasSuffix(r.Path, ".mjs") || strings.HasSuffix(r.Path, ".mts") ||
			strings.HasSuffix(r.Path, ".js") && v.moduleType(path.Dir(r.Path)) == "module"
		return r
	}
	found, searched, _ := v.nodeCandidates(module, path.Dir(x), false)
	r = choose(found, append([]string{path.Dir(x)}, searched...))
	if r.Path != "" {
		r.Why = "the function has no such file, so the runtime asks require, which finds it: " + r.Why
	}
	v.functionFirst(&r)
	return r
}

// moduleType is the type of the nearest package.json, "" if there is none.
func (v *View) moduleType(dir string) string {
	for ; dir != "/" && dir != "." && path.Base(dir) != "node_modules"; dir = path.Dir(dir) {
		if pkg, state := v.packageJSON(dir); state == readJSON {
			return pkg.module
		}
	}
	return ""
}

// origin is who supplies a file or first made a directory.
func (v *View) origin(name string) Origin {
	if p, ok := v.file(name); ok {
		return p.From
	}
	return v.dirOrigin(name)
}

// nodeNames are the packages that a directory of NODE_PATH offers.
func (v *View) nodeNames(dir string) []string {
	var out []string
	for _, name := range v.list(dir) {
		switch {
		case strings.HasPrefix(name, "."):
		case strings.HasPrefix(name, "@"):
			for _, sub := range v.list(dir + "/" + name) {
				out = append(out, name+"/"+sub)
			}
		case v.IsDir(dir + "/" + name):
			out = append(out, name)
		case slices.Contains(runtimes.NodeExtensions, path.Ext(name)):
			out = append(out, strings.TrimSuffix(name, path.Ext(name)))
		}
	}
	return out
}
