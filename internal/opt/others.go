package opt

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// ruby resolves what require is given.
//
// $LOAD_PATH is /var/task, then RUBYLIB, then the library. A gem of the standard
// library is loaded in the newest version that GEM_PATH has; other gems are found
// when $LOAD_PATH has nothing, the newest version first (RubyGems'
// Kernel#require; derived, as nobody watched it on Lambda).
func (v *View) ruby(name string) Resolution {
	stem := strings.TrimSuffix(name, ".rb")
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "..") {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "not a name on the load path"}
	}
	search := []string{runtimes.Task}
	for _, d := range runtimes.Split(v.env("RUBYLIB")) {
		if d = path.Clean(d); !slices.Contains(search, d) {
			search = append(search, d)
		}
	}
	var found []Candidate
	for _, d := range search {
		for _, ext := range []string{".rb", ".so"} {
			if file := path.Join(d, stem+ext); v.is(file) {
				found = append(found, Candidate{Path: file, From: v.origin(file), Via: d, Why: "$LOAD_PATH is searched in order, RUBYLIB before the library"})
				break
			}
		}
	}
	loadPath := len(found)
	first, _, _ := strings.Cut(stem, "/")
	stdlib := v.runtime.Stdlib(stem) || v.runtime.Stdlib(first)
	if stdlib {
		found = append(found, Candidate{From: Origin{Kind: FromLibrary}, Via: "the library", Why: "the library comes after RUBYLIB"})
	}
	gems := v.gems(stem)
	if ships, _ := v.runtime.Ships(first); ships {
		found = append(found, Candidate{From: Origin{Kind: FromRuntime}, Via: runtimes.Own, Why: "the runtime ships this gem (derived)"})
	}
	found = append(found, gems...)
	r := choose(found, append(search, runtimes.Split(v.env("GEM_PATH"))...))
	if loadPath == 0 && len(gems) > 0 {
		switch r.From.Kind {
		case FromLibrary, FromRuntime:
			r.Maybe = "the gem in " + gems[0].Via + " is loaded instead if its version is higher"
		case FromNowhere, FromFunction, FromLayer, FromElsewhere:
		}
	}
	v.functionFirst(&r)
	return r
}

func (v *View) is(name string) bool { _, ok := v.file(name); return ok }

// A gem is a file that a gem offers to require.
type gem struct {
	Candidate
	version string
}

// gems are the gems that have a file to require, the newest first.
func (v *View) gems(stem string) []Candidate {
	all := v.gemFiles()[stem]
	out := make([]Candidate, len(all))
	for i, g := range all {
		out[i] = g.Candidate
	}
	return out
}

// findGems lists what the gems of GEM_PATH offer, by what is required.
func (v *View) findGems() map[string][]gem {
	all := map[string][]gem{}
	for _, d := range runtimes.Split(v.env("GEM_PATH")) {
		dir := path.Join(d, "gems")
		end, n, target := v.follow(dir)
		if target != Directory {
			continue
		}
		t, rel := v.tree(end)
		for _, name := range n.children {
			i := strings.LastIndex(name, "-")
			if i < 0 {
				continue
			}
			lib := rel + "/" + name + "/lib"
			t.walk(lib, func(file string) {
				ext := path.Ext(file)
				if ext != ".rb" && ext != ".so" {
					return
				}
				stem := strings.TrimSuffix(strings.TrimPrefix(file, lib+"/"), ext)
				all[stem] = append(all[stem], gem{Candidate{
					Path: dir + strings.TrimPrefix(file, rel), From: t.nodes[file].from, Via: dir,
					Why: "of the gems in GEM_PATH the newest is taken (derived)",
				}, name[i+1:]})
			})
		}
	}
	for _, g := range all {
		slices.SortStableFunc(g, func(a, b gem) int { return compareVersions(b.version, a.version) })
	}
	return all
}

// walk visits the files below a directory, in the order of their names.
func (t *tree) walk(dir string, visit func(file string)) {
	n := t.nodes[dir]
	if n == nil || !n.dir {
		return
	}
	for _, c := range n.children {
		if below := dir + "/" + c; t.nodes[below].dir {
			t.walk(below, visit)
		} else {
			visit(below)
		}
	}
}

// compareVersions orders versions of gems by their numeric parts; letters are
// before numbers, as RubyGems has it.
func compareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		i, errI := strconv.ParseUint(orElse(x, "0"), 10, 64)
		j, errJ := strconv.ParseUint(orElse(y, "0"), 10, 64)
		var c int
		switch {
		case errI == nil && errJ == nil:
			c = cmp.Compare(i, j)
		case errI == nil:
			c = 1
		case errJ == nil:
			c = -1
		default:
			c = cmp.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// rubyNames are what the layers offer to require: everything in RUBYLIB, and of
// gems the files that stand for the gem.
func (v *View) rubyNames() []string {
	var out []string
	for _, d := range runtimes.Split(v.env("RUBYLIB")) {
		end, _, target := v.follow(d)
		if !isOpt(d) || target != Directory {
			continue
		}
		t, rel := v.tree(end)
		t.walk(rel, func(file string) {
			if ext := path.Ext(file); ext == ".rb" || ext == ".so" {
				out = append(out, strings.TrimSuffix(strings.TrimPrefix(file, rel+"/"), ext))
			}
		})
	}
	for stem, gems := range v.gemFiles() {
		if !strings.Contains(stem, "/") && slices.ContainsFunc(gems, func(g gem) bool { return g.From.Kind == FromLayer }) {
			out = append(out, stem)
		}
	}
	return out
}

// java resolves a class as the class loader of a function does: the system's
// class loader first (the JDK, agents, the runtime), then /var/task, then the
// jars of /var/task/lib and /opt/java/lib by their names; the first match wins.
func (v *View) java(name string) Resolution {
	class := strings.ReplaceAll(name, ".", "/") + ".class"
	if name == "" || strings.ContainsAny(name, "/\\") {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "not the name of a class"}
	}
	var found []Candidate
	if v.runtime.Stdlib(name) {
		found = append(found, Candidate{From: Origin{Kind: FromLibrary}, Via: "the JDK", Why: "the JDK's own packages cannot be replaced by the class path"})
	}
	searched := []string{"the JDK", runtimes.Own + "/lib"}
	if ships, _ := v.runtime.Ships(name); ships {
		found = append(found, Candidate{From: Origin{Kind: FromRuntime}, Via: runtimes.Own + "/lib", Why: "the class loader of a function asks the system's first"})
	}
	var unread []string
	jar := func(file, why string) {
		if !v.is(file) {
			return
		}
		end, _ := v.Follow(file)
		t, rel := v.tree(end.Path)
		inside, ok := t.inside[rel]
		if !ok {
			unread = append(unread, file)
		} else if inside[class] {
			found = append(found, Candidate{Path: file + "!/" + class, From: end.From, Via: file, Why: why})
		}
	}
	for _, a := range v.javaOptions() {
		if a.kind == JavaAgent {
			searched = append(searched, a.value)
			jar(a.value, "an agent's jar is on the system's class path, which comes before the function (derived)")
		}
	}
	searched = append(searched, runtimes.Task)
	if file := runtimes.Task + "/" + class; v.is(file) {
		found = append(found, Candidate{Path: file, From: v.origin(file), Via: runtimes.Task, Why: "the function's own classes come before its jars and the layers'"})
	}
	for _, dir := range runtimes.JavaPath {
		searched = append(searched, dir)
		for _, n := range v.list(dir) {
			if strings.HasSuffix(n, ".jar") {
				jar(dir+"/"+n, "jars are searched in the order of their names, the function's before the layers'")
			}
		}
	}
	r := choose(found, searched)
	if v.runtime.Builtin(name) {
		r.Others = inert(r.Others, r.Why)
		return r
	}
	if len(unread) > 0 && (len(found) == 0 || r.From.Kind == FromLayer) {
		r.Maybe = "what is in " + unread[0] + " was not given"
		if len(found) == 0 {
			r.From.Kind = FromElsewhere
		}
	}
	if r.From.Kind != FromRuntime {
		v.functionFirst(&r)
	}
	return r
}

// javaNames are the classes of the layers' jars that another jar, the function,
// the runtime or the JDK has, too.
func (v *View) javaNames() []string {
	type seen struct {
		jars int
		opt  bool
	}
	classes := map[string]seen{}
	for _, dir := range runtimes.JavaPath {
		for _, n := range v.list(dir) {
			end, target := v.Follow(dir + "/" + n)
			if target != Regular || !strings.HasSuffix(n, ".jar") {
				continue
			}
			t, rel := v.tree(end.Path)
			for name := range t.inside[rel] {
				// META-INF/versions/9/… are for other versions of Java.
				if class, ok := strings.CutSuffix(name, ".class"); ok && !strings.HasPrefix(name, "META-INF/") && path.Base(name) != "module-info.class" {
					c := classes[class]
					classes[class] = seen{c.jars + 1, c.opt || isOpt(dir)}
				}
			}
		}
	}
	var out []string
	for class, s := range classes {
		if !s.opt {
			continue
		}
		name := strings.ReplaceAll(class, "/", ".")
		ships, _ := v.runtime.Ships(name)
		if s.jars > 1 || ships || v.runtime.Stdlib(name) || v.is(runtimes.Task+"/"+class+".class") {
			out = append(out, name)
		}
	}
	return out
}

// dotnet resolves an assembly: the function's, then those of the stores that
// DOTNET_SHARED_STORE names (derived from the host's documentation), where an
// assembly is below ARCHITECTURE/FRAMEWORK/PACKAGE/VERSION.
func (v *View) dotnet(name string) Resolution {
	if name == "" || strings.Contains(name, "/") {
		return Resolution{From: Origin{Kind: FromNowhere}, Why: "not the name of an assembly"}
	}
	var found []Candidate
	searched := []string{runtimes.Task}
	if file := runtimes.Task + "/" + name + ".dll"; v.is(file) {
		found = append(found, Candidate{Path: file, From: v.origin(file), Via: runtimes.Task, Why: "the function's own assemblies come first"})
	}
	if v.runtime.Stdlib(name) {
		found = append(found, Candidate{From: Origin{Kind: FromLibrary}, Via: "the shared framework", Why: "the shared framework has it; the higher version wins (derived)"})
	}
	if ships, _ := v.runtime.Ships(name); ships {
		found = append(found, Candidate{From: Origin{Kind: FromRuntime}, Via: runtimes.Own, Why: "the runtime has it (derived)"})
	}
	for _, d := range runtimes.Split(v.env("DOTNET_SHARED_STORE")) {
		d = path.Clean(d)
		searched = append(searched, d)
		t, rel := v.tree(d)
		if t == nil {
			continue
		}
		for _, file := range t.below(rel, name+".dll") {
			found = append(found, Candidate{Path: t.root + "/" + file, From: t.nodes[file].from, Via: d, Why: "DOTNET_SHARED_STORE names its store (derived)"})
		}
	}
	r := choose(found, searched)
	if strings.HasPrefix(r.Why, "DOTNET_SHARED_STORE") {
		r.Maybe = "the function's deps.json has to name the package and its version"
	}
	v.functionFirst(&r)
	return r
}

// below returns the files of a base name below a directory, sorted.
func (t *tree) below(dir, base string) []string {
	var out []string
	for rel, n := range t.nodes {
		if !n.dir && path.Base(rel) == base && (dir == "." || strings.HasPrefix(rel, dir+"/")) {
			out = append(out, rel)
		}
	}
	slices.Sort(out)
	return out
}
