package content

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// A Use says how the function comes to a package.
type Use string

// The uses. They are about packages and not about what is called in them: of a
// package that is used, everything it imports anywhere counts.
const (
	// Used: the function's own code, or what runs before it, imports it.
	Used Use = "used"
	// Transitive: a package that is used imports it.
	Transitive Use = "transitive"
	// Declared: a package that is used says it needs it, and nothing imports it.
	Declared Use = "declared"
	// Unreached: neither.
	Unreached Use = "unreached"
	// Undecided: code that computes what it imports, or could not be read, may
	// import it.
	Undecided Use = "undecided"
)

// A Usage is what the function uses of its layers' packages.
type Usage struct {
	// Unknown says why nothing can be told, "" if it can.
	Unknown string
	// Doubts say why a package that was not reached may be used after all, sorted.
	Doubts []string

	scan  *Scan
	nodes map[pkg]*reached
	files map[place]bool
	asked map[ask]bool
	work  []pkg
	named map[string][]pkg // Python packages by name
}

// maxAsked is how many names are resolved. Functions ask for hundreds.
const maxAsked = 100_000

// A pkg is an installed package: of a layer by its index, or of the function (-1).
type pkg struct {
	layer int
	root  string
}

type place struct {
	layer int
	path  string
}

// An ask is a name that code imports, and for Node the folder it asks from.
type ask struct{ name, dir string }

type reached struct {
	use Use
	by  string // the file or package that imports it
}

// Usage works out what the function uses. It needs the function's package.
func (s *Scan) Usage() *Usage {
	return s.usage.of(func() *Usage { return newUsage(s) })
}

// Of says how the function comes to the package of a layer, and through what.
func (u *Usage) Of(layer int, c *sbom.Component) (use Use, by string) {
	if r := u.nodes[pkg{layer, c.Root}]; r != nil {
		return r.use, r.by
	}
	if len(u.Doubts) > 0 {
		return Undecided, ""
	}
	return Unreached, ""
}

// Covers reports whether Of can say something of the package: it is installed
// where the function's runtime finds it.
func (u *Usage) Covers(c *sbom.Component) bool {
	r, ok := runtimes.ByID(u.scan.Function.Runtime)
	if !ok || c.How != sbom.Installed || c.Root == "" || c.Program || strings.Contains(c.Root, "!/") {
		return false
	}
	if r.Family == runtimes.Node {
		return c.Ecosystem == sbom.NPM
	}
	dir := path.Dir(c.Root)
	return c.Ecosystem == sbom.PyPI && slices.Contains(r.LayerDirs(), dir)
}

func newUsage(s *Scan) *Usage {
	u := &Usage{scan: s, nodes: map[pkg]*reached{}, files: map[place]bool{}, asked: map[ask]bool{}, named: map[string][]pkg{}}
	switch {
	case s.Function == nil || s.Function.Code == nil:
		u.Unknown = "the function's package was not given"
	case s.Function.Code.Err != nil:
		u.Unknown = "the function's package could not be opened"
	case s.Function.Runtime == "":
		u.Unknown = "the function's runtime was not given"
	}
	if u.Unknown != "" {
		return u
	}
	r, ok := runtimes.ByID(s.Function.Runtime)
	if !ok || r.Family != runtimes.Python && r.Family != runtimes.Node {
		u.Unknown = "what is imported is read of Python and Node.js only"
		return u
	}
	for i := -1; i < len(s.Layers); i++ {
		for _, c := range u.layer(i).Packages() {
			if c.Ecosystem == sbom.PyPI && c.How == sbom.Installed {
				u.named[c.Name] = append(u.named[c.Name], pkg{i, c.Root})
			}
		}
	}
	u.roots()
	for len(u.work) > 0 {
		next := u.work[0]
		u.work = u.work[1:]
		u.follow(next, r)
	}
	if len(u.files) == 0 && len(u.nodes) == 0 {
		u.Doubts = append(u.Doubts, "the function's package has no source that could be read")
	}
	slices.Sort(u.Doubts)
	u.Doubts = slices.Compact(u.Doubts)
	return u
}

// layer is a layer by its index, the function's package for -1.
func (u *Usage) layer(i int) *Layer {
	if i < 0 {
		return u.scan.Function.Code
	}
	return u.scan.Layers[i]
}

// seenAt is where the function sees a file.
func seenAt(layer int, name string) string {
	if layer < 0 {
		return runtimes.Task + "/" + name
	}
	return runtimes.Opt + "/" + name
}

// roots visits the code from which all starts: the function's own, and what the
// runtime runs before it.
func (u *Usage) roots() {
	code := u.scan.Function.Code
	for _, f := range code.Files {
		if f.Nested || f.Hidden || Test(f.Path) {
			continue
		}
		if c, _ := code.Owner(f.Path); c == nil || c.How == sbom.Own || c.How == sbom.Guessed {
			u.visit(-1, f)
		}
	}
	if h := u.scan.View().Handler(); h.Path != "" {
		u.resolved(h, "the handler", Used)
	}
	for _, step := range u.scan.View().Init() {
		if step.From.Kind != opt.FromLayer {
			continue
		}
		at, target := u.scan.View().Follow(step.Path)
		if target != opt.Regular {
			continue
		}
		layer := at.From.Layer - 1
		f := u.layer(layer).File(at.File.Path)
		if f == nil {
			continue
		}
		switch {
		case step.What == opt.PthImport:
			u.pth(f)
		case f.Kind == Python || f.Kind == JavaScript:
			u.reach(layer, f, string(step.What), Used)
		case f.Kind == Shell || f.Kind == Script || step.What == opt.Wrapper:
			u.doubt("%s runs before the handler, and it may start anything", step.Path)
		}
	}
}

func (u *Usage) doubt(format string, args ...any) {
	if len(u.Doubts) < 20 {
		u.Doubts = append(u.Doubts, fmt.Sprintf(format, args...))
	}
}

// pth reads the import lines of a .pth file.
func (u *Usage) pth(f *File) {
	for line := range strings.Lines(f.Text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "import ")
		if !ok {
			continue
		}
		names, code, more := strings.Cut(rest, ";")
		for name := range strings.SplitSeq(names, ",") {
			u.ask(strings.TrimSpace(name), "", f.Path, Used)
		}
		if more && strings.Contains(code, "import") {
			u.doubt("%s runs code at the start", f.Path)
		}
	}
}

// resolved goes on with what a name turned out to be.
func (u *Usage) resolved(r opt.Resolution, by string, use Use) {
	switch r.From.Kind {
	case opt.FromRuntime:
		u.shipped(r.Name, use)
		return
	case opt.FromFunction, opt.FromLayer:
	case opt.FromNowhere, opt.FromLibrary, opt.FromElsewhere:
		return
	}
	at, target := u.scan.View().Follow(r.Path)
	layer := cmp.Or(at.From.Layer, r.From.Layer) - 1
	if r.From.Kind == opt.FromFunction {
		layer = -1
	}
	switch target {
	case opt.Regular:
		if at.From.Kind == opt.FromFunction {
			layer = -1
		}
		if f := u.layer(layer).File(at.File.Path); f != nil {
			u.reach(layer, f, by, use)
		}
	case opt.Directory:
		// A namespace package: of whom it is, its name may tell.
		rel := strings.TrimPrefix(strings.TrimPrefix(r.Path, runtimes.Opt+"/"), runtimes.Task+"/")
		if c, _ := u.layer(layer).Owner(rel); c != nil {
			u.mark(pkg{layer, c.Root}, by, use)
		}
	case opt.Missing, opt.Outside, opt.Loop:
	}
}

// shippedNeeds are what the packages of Python's runtime import by name; a layer's
// copy of one comes before the runtime's.
var shippedNeeds = map[string][]string{
	"boto3":      {"botocore", "s3transfer", "jmespath"},
	"botocore":   {"jmespath", "dateutil", "urllib3"},
	"s3transfer": {"botocore"},
	"dateutil":   {"six"},
}

func (u *Usage) shipped(name string, use Use) {
	if use == Used {
		use = Transitive
	}
	top, _, _ := strings.Cut(name, ".")
	for _, need := range shippedNeeds[top] {
		u.ask(need, "", "the runtime's "+top, use)
	}
}

// reach marks the package a file belongs to, or visits the file.
func (u *Usage) reach(layer int, f *File, by string, use Use) {
	if c, _ := u.layer(layer).Owner(f.Path); c != nil && c.How != sbom.Own && c.How != sbom.Guessed {
		u.mark(pkg{layer, c.Root}, by, use)
		return
	}
	u.visit(layer, f)
}

// mark notes that a package is reached. A nearer use takes the place of a farther.
func (u *Usage) mark(key pkg, by string, use Use) {
	order := []Use{Used, Transitive, Declared}
	r := u.nodes[key]
	if r == nil {
		u.nodes[key] = &reached{use, by}
		u.work = append(u.work, key)
		return
	}
	if slices.Index(order, use) < slices.Index(order, r.use) {
		if r.use == Declared {
			u.work = append(u.work, key) // what it imports is imported now
		}
		r.use, r.by = use, by
	}
}

// visit follows what a file that is in no package imports.
func (u *Usage) visit(layer int, f *File) {
	key := place{layer, f.Path}
	if f.Kind != Python && f.Kind != JavaScript || u.files[key] {
		return
	}
	u.files[key] = true
	l := u.layer(layer)
	switch {
	case f.Kind == JavaScript && !l.Imports:
		u.doubt("what %s imports was not read", seenAt(layer, f.Path))
		return
	case f.Size > maxScript:
		u.doubt("%s is too large to be read", seenAt(layer, f.Path))
		return
	case f.Code == nil:
		return
	case f.Code.Partial || f.Code.Truncated:
		u.doubt("%s could be read in part only", seenAt(layer, f.Path))
	}
	for _, imp := range f.Code.Imports {
		if imp.Module == "" && imp.Level == 0 {
			u.doubt("%s computes what it imports on line %d", seenAt(layer, f.Path), imp.Line)
			continue
		}
		u.imports(layer, f, imp, Used)
	}
}

// imports follows one import.
func (u *Usage) imports(layer int, f *File, imp codeflow.Import, use Use) {
	by := seenAt(layer, f.Path)
	if f.Kind == JavaScript {
		u.ask(imp.Module, by, by, use)
		return
	}
	module := imp.Module
	if imp.Level > 0 {
		u.relative(layer, f, imp, use)
		return
	}
	u.ask(module, "", by, use)
	for _, n := range imp.Names {
		if imp.Kind == codeflow.ImportFrom && n.Name != "*" {
			u.ask(module+"."+n.Name, "", by, use)
		}
	}
}

// relative follows "from . import a" of a file that is in no package of a
// registry: packages are followed as a whole.
func (u *Usage) relative(layer int, f *File, imp codeflow.Import, use Use) {
	dir := path.Dir(f.Path)
	for range min(imp.Level-1, 50) {
		dir = path.Dir(dir)
	}
	if imp.Module != "" {
		dir = path.Join(dir, strings.ReplaceAll(imp.Module, ".", "/"))
	}
	tries := []string{dir + ".py", dir + "/__init__.py"}
	for _, n := range imp.Names {
		tries = append(tries, dir+"/"+n.Name+".py", dir+"/"+n.Name+"/__init__.py")
	}
	for _, name := range tries {
		if g := u.layer(layer).File(name); g != nil {
			u.reach(layer, g, seenAt(layer, f.Path), use)
		}
	}
}

// ask resolves a name once from each folder that asks.
func (u *Usage) ask(name, from, by string, use Use) {
	dir := ""
	if from != "" {
		dir = path.Dir(from)
	}
	// What was asked for by a package may be asked for by the function, too.
	key := ask{name + "\x00" + string(use), dir}
	if name == "" || u.asked[key] {
		return
	}
	if len(u.asked) >= maxAsked {
		u.doubt("more than %d names are imported", maxAsked)
		return
	}
	u.asked[key] = true
	u.resolved(u.scan.View().ResolveFrom(name, from), by, use)
}

// follow goes on from a package: to what its files import, and to what it says it
// needs.
func (u *Usage) follow(p pkg, r runtimes.Runtime) {
	l := u.layer(p.layer)
	c, files := l.contents(p.root)
	if c == nil {
		return
	}
	use := u.nodes[p].use
	known := true
	if use != Declared {
		for _, f := range files {
			switch {
			case Test(strings.TrimPrefix(f.Path, p.root)):
			case f.Kind == JavaScript && !l.Imports, f.Kind == ELF, f.Kind == Pyc && !strings.Contains(f.Path, "__pycache__/"):
				known = false // nobody has read what it imports
			case f.Code != nil && (f.Kind == Python || f.Kind == JavaScript):
				for _, imp := range f.Code.Imports {
					if imp.Level == 0 && !strings.HasPrefix(imp.Module, ".") {
						u.imports(p.layer, f, imp, Transitive)
					}
				}
			}
		}
	}
	need := Declared
	if !known {
		need = Transitive // nothing better is known
	}
	for _, name := range c.Requires {
		if r.Family == runtimes.Node {
			u.ask(name, seenAt(p.layer, p.root+"/package.json"), c.Name, need)
			continue
		}
		for _, d := range u.named[name] {
			u.mark(d, c.Name, need)
		}
	}
}
