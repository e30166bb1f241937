package opt

import (
	"encoding/json"
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
		found, _, _ := v.nodeCandidates(strings.TrimPrefix(name, "node:"), v.nodeBase(from))
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
		loaded, sure := v.nodeLoad(file)
		if loaded == "" {
			return Resolution{From: Origin{Kind: FromNowhere}, Searched: []string{path.Dir(file)}}
		}
		r := Resolution{Path: loaded, From: v.origin(loaded), Via: path.Dir(file), Why: "the path is given"}
		if !sure {
			r.Maybe = "its package.json was not read"
		}
		return r
	}
	found, searched, own := v.nodeCandidates(name, base)
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
func (v *View) nodeCandidates(name, base string) (found []Candidate, searched []string, own int) {
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
	pkg := name
	if parts := strings.SplitN(name, "/", 3); strings.HasPrefix(name, "@") && len(parts) > 1 {
		pkg = parts[0] + "/" + parts[1]
	} else {
		pkg = parts[0]
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
		if file, _ := v.nodeLoad(path.Join(d, name)); file != "" {
			found = append(found, Candidate{Path: file, From: v.origin(file), Via: d, Why: why})
		} else if dir := path.Join(d, pkg); name != pkg && v.exports(dir) {
			// Which file a path in the package stands for is its package.json's to say.
			found = append(found, Candidate{Path: dir, From: v.origin(dir), Via: d, Why: why})
		}
	}
	return found, searched, own
}

// nodeLoad is what require loads of a path: the file, the file with an ending,
// or the directory by its package.json or index. sure is false if a package.json
// decides that was not given.
func (v *View) nodeLoad(x string) (file string, sure bool) {
	if f := v.nodeFile(x); f != "" {
		return f, true
	}
	if !v.IsDir(x) {
		return "", true
	}
	pkg, read := v.packageJSON(x)
	if pkg != nil {
		if main := pkg.Main; main != "" {
			m := path.Join(x, main)
			if f := v.nodeFile(m); f != "" {
				return f, true
			}
			if f := v.nodeIndex(m); f != "" {
				return f, true
			}
		}
		if f := v.nodeIndex(x); f != "" {
			return f, true
		}
		if len(pkg.Exports) > 0 {
			return x, true
		}
		return "", true
	}
	if f := v.nodeIndex(x); f != "" {
		return f, read
	}
	if _, ok := v.file(x + "/package.json"); ok {
		return x, false
	}
	return "", true
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

// exports reports whether a directory is a package that may say for itself which
// of its files a path stands for.
func (v *View) exports(dir string) bool {
	if _, ok := v.file(dir + "/package.json"); !ok {
		return false
	}
	pkg, _ := v.packageJSON(dir)
	return pkg == nil || len(pkg.Exports) > 0
}

// A packageFile is what of a package.json decides what is loaded.
type packageFile struct {
	Main    string          `json:"main"`
	Type    string          `json:"type"`
	Exports json.RawMessage `json:"exports"`
}

// packageJSON reads a directory's package.json. It is nil if there is none or it
// cannot be read; read is false if one is there and was not given.
func (v *View) packageJSON(dir string) (pkg *packageFile, read bool) {
	name := dir + "/package.json"
	if _, ok := v.file(name); !ok {
		return nil, true
	}
	text, ok := v.read(name)
	if !ok {
		return nil, false
	}
	pkg = &packageFile{}
	if json.Unmarshal(text, pkg) != nil {
		return nil, true
	}
	return pkg, true
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
	found, searched, _ := v.nodeCandidates(module, path.Dir(x))
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
		if pkg, _ := v.packageJSON(dir); pkg != nil {
			return pkg.Type
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
