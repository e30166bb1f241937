package opt

import (
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A pthFile is a .pth file that the runtime obeys.
type pthFile struct {
	at      Placed
	read    bool // its text was given
	more    bool // it has more lines than are looked at
	imports []int
}

// maxPthLines is how many lines of all .pth files are looked at.
const maxPthLines = 20_000

// readPth obeys the .pth files of the site directories as Python's site module
// does: in the order of their names, a line that begins with import is executed,
// any other names a directory that is put at the end of the search path
// (https://docs.python.org/3/library/site.html).
func (v *View) readPth() {
	sites := v.sites
	if base, ok := v.set["PYTHONUSERBASE"]; ok && base != "" {
		// The interpreter's own start obeys the user's site directory.
		sites = append([]string{path.Join(base, "lib/python"+v.runtime.Version()+"/site-packages")}, sites...)
	}
	lines := 0
	for _, dir := range sites {
		for _, name := range v.list(dir) {
			if !strings.HasSuffix(name, ".pth") {
				continue
			}
			p, ok := v.file(path.Join(dir, name))
			if !ok {
				continue
			}
			p.Path = path.Join(dir, name)
			f := pthFile{at: p}
			var text []byte
			if text, f.read = v.read(p.Path); f.read {
				number := 0
				for line := range strings.SplitSeq(string(text), "\n") {
					number++
					if lines++; lines > maxPthLines {
						f.more = true
						break
					}
					line = strings.TrimSuffix(line, "\r")
					switch {
					case pthImport(line):
						f.imports = append(f.imports, number)
					case pthDirectory(line):
						d := strings.TrimRight(line, " \t")
						if !strings.HasPrefix(d, "/") {
							d = path.Join(dir, d)
						}
						if d = path.Clean(d); v.IsDir(d) && !slices.Contains(v.path, d) {
							v.path = append(v.path, d)
						}
					}
				}
			}
			v.pth = append(v.pth, f)
		}
	}
}

// python resolves a dotted module name.
func (v *View) python(name string) Resolution {
	top, rest, _ := strings.Cut(name, ".")
	if top == "" || strings.ContainsAny(name, "/ ") {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "not the name of a module"}
	}
	if v.runtime.Builtin(top) {
		r := Resolution{From: Origin{Kind: FromLibrary}, Via: "built in", Why: "it is part of the interpreter: no path is searched for it"}
		r.Others = inert(v.pythonCandidates(top, v.path), r.Why)
		return r
	}
	search, early := v.path, false
	if v.runtime.Preloaded(top) {
		// It was imported when /var/task and the layers were not yet on the path.
		search, early = v.pythonEarly(), true
	}
	found := v.pythonCandidates(top, search)
	r := choose(found, search)
	if early {
		r.Why = "the runtime imports it before the search path has the function and the layers"
		var late []Candidate
		for _, c := range v.pythonCandidates(top, v.path) {
			if !slices.ContainsFunc(found, func(f Candidate) bool { return f.Path == c.Path && f.From == c.From }) {
				late = append(late, c)
			}
		}
		r.Others = append(r.Others, inert(late, "loaded before the search reaches it")...)
	} else {
		v.functionFirst(&r)
	}
	if dir := v.elsewhereBefore(search, r.Via); dir != "" && r.Maybe == "" {
		r.Maybe = "what is in " + dir + " is not known, and it is searched before"
	}
	if rest != "" && r.Path != "" {
		v.submodule(&r, rest)
	}
	return r
}

// pythonEarly is the search path while the runtime's own imports run: the
// script's directory, PYTHONPATH, the library.
func (v *View) pythonEarly() []string {
	value := v.set["PYTHONPATH"]
	lib := runtimes.Lang + "/lib/python" + v.runtime.Version()
	return append(append([]string{runtimes.Own}, runtimes.Split(value)...), lib, lib+"/lib-dynload", lib+"/site-packages")
}

// elsewhereBefore is the first directory of a search before via whose content
// nobody gave and that is not the runtime's, or "".
func (v *View) elsewhereBefore(search []string, via string) string {
	for _, d := range search {
		if d == via {
			break
		}
		if strings.HasPrefix(d, runtimes.Lang+"/") || d == runtimes.Own || strings.HasPrefix(d, runtimes.Own+"/") || d == runtimes.Task || strings.HasPrefix(d, runtimes.Task+"/") {
			continue
		}
		if _, _, target := v.follow(d); target == Outside {
			return d
		}
	}
	return ""
}

func inert(c []Candidate, why string) []Candidate {
	out := slices.DeleteFunc(slices.Clone(c), func(c Candidate) bool { return c.From.Kind == FromLibrary })
	for i := range out {
		out[i].Why = why
	}
	return out
}

// pythonCandidates are who supplies a top-level module, in the order of search.
// Directories without __init__ are namespace packages, which come after all
// others whatever their place
// (https://docs.python.org/3/reference/import.html#namespace-packages).
func (v *View) pythonCandidates(top string, search []string) []Candidate {
	var found, portions []Candidate
	add := func(c Candidate) {
		if !slices.ContainsFunc(found, func(f Candidate) bool { return f.Via == c.Via }) {
			found = append(found, c)
		}
	}
	lib := runtimes.Lang + "/lib/python" + v.runtime.Version()
	for _, d := range search {
		switch {
		case d == runtimes.Own:
			if ships, derived := v.runtime.Ships(top); ships {
				why := "sys.path is searched in order"
				if derived {
					why += "; that this runtime ships it is derived from older ones"
				}
				add(Candidate{From: Origin{Kind: FromRuntime}, Via: d, Why: why})
			}
			continue
		case d == lib:
			if v.runtime.Stdlib(top) {
				add(Candidate{From: Origin{Kind: FromLibrary}, Via: d, Why: "sys.path is searched in order"})
			}
			continue
		case strings.HasPrefix(d, runtimes.Lang+"/"):
			continue
		}
		if !strings.HasPrefix(d, "/") {
			d = path.Join(runtimes.Task, d) // the runtime's working directory
		}
		file, isDir := v.pythonIn(d, top)
		switch {
		case file != "":
			p, _ := v.file(file)
			add(Candidate{Path: file, From: p.From, Via: d, Why: "sys.path is searched in order"})
		case isDir:
			portions = append(portions, Candidate{Path: d + "/" + top, From: v.dirOrigin(d + "/" + top), Via: d, Why: "a directory without __init__ is a namespace package, which is taken when nothing else has the name"})
		case strings.HasSuffix(d, ".zip") || strings.HasSuffix(d, ".egg"):
			if n := v.zipModule(d, top); n != "" {
				p, _ := v.file(d)
				add(Candidate{Path: d + "!/" + n, From: p.From, Via: d, Why: "an archive on sys.path is searched like a directory"})
			}
		}
	}
	return append(found, portions...)
}

// pythonIn looks for a module in one directory: a package first, then a file.
// isDir says that a directory of that name is there.
func (v *View) pythonIn(dir, name string) (file string, isDir bool) {
	if !v.offers(dir, name) {
		return "", false
	}
	suffixes := v.runtime.PythonSuffixes(v.in.Architecture)
	base := dir + "/" + name
	if isDir = v.IsDir(base); isDir {
		for _, s := range suffixes {
			if _, ok := v.file(base + "/__init__" + s); ok {
				return base + "/__init__" + s, true
			}
		}
	}
	for _, s := range suffixes {
		if _, ok := v.file(base + s); ok {
			return base + s, isDir
		}
	}
	return "", isDir
}

// zipModule finds a module in an archive on the search path.
func (v *View) zipModule(archive, name string) string {
	t, rel := v.tree(path.Clean(archive))
	if t == nil {
		return ""
	}
	for _, s := range []string{"/__init__.pyc", "/__init__.py", ".pyc", ".py"} {
		if t.inside[rel][name+s] {
			return name + s
		}
	}
	return ""
}

// dirOrigin is who first made a directory.
func (v *View) dirOrigin(dir string) Origin {
	if _, n, target := v.follow(dir); target == Directory {
		return n.from
	}
	return Origin{Kind: FromNowhere}
}

// submodule goes on from a package to what is in it.
func (v *View) submodule(r *Resolution, rest string) {
	dir := r.Path
	if i := strings.LastIndex(dir, "/__init__."); i >= 0 {
		dir = dir[:i]
	} else if !v.IsDir(dir) {
		r.Maybe = orElse(r.Maybe, r.Path+" is a module, not a package: it may define the rest itself")
		return
	}
	for part := range strings.SplitSeq(rest, ".") {
		file, isDir := v.pythonIn(dir, part)
		if file == "" && !isDir {
			r.Maybe = orElse(r.Maybe, "nothing called "+part+" is in "+dir+": the package may define it itself")
			return
		}
		r.Path = file
		if file == "" {
			r.Path = dir + "/" + part
			r.From = v.dirOrigin(r.Path)
		} else {
			p, _ := v.file(file)
			r.From = p.From
		}
		dir += "/" + part
	}
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// pythonHandler resolves "pkg/app.handler" as the runtime interface client does:
// the module is what stands before the last dot, with slashes for dots.
func (v *View) pythonHandler(h string) Resolution {
	i := strings.LastIndex(h, ".")
	if i < 0 {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "a handler is MODULE.FUNCTION"}
	}
	return v.python(strings.ReplaceAll(h[:i], "/", "."))
}

// pythonNames are the modules that a directory of the search path offers.
func (v *View) pythonNames(dir string) []string {
	var out []string
	suffixes := v.runtime.PythonSuffixes(v.in.Architecture)
	for _, name := range v.list(dir) {
		if v.IsDir(dir + "/" + name) {
			if identifier(name) && name != "__pycache__" {
				out = append(out, name)
			}
			continue
		}
		for _, s := range suffixes {
			if stem, ok := strings.CutSuffix(name, s); ok && identifier(stem) {
				out = append(out, stem)
				break
			}
		}
	}
	// The layers' own first level holds other things that are no packages.
	if dir == runtimes.Opt+"/python" {
		out = slices.DeleteFunc(out, func(n string) bool { return n == "lib" || n == "bin" || n == "include" || n == "share" })
	}
	return out
}

// identifier reports whether a name can stand in an import statement.
func identifier(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80 && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
