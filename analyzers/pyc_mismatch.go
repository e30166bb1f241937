package analyzers

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// PycMismatch finds: compiled Python is not its source.
var PycMismatch = content.Analyzer{
	ID:          "pyc-mismatch",
	Title:       "compiled Python is not what its source says",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1027", "T1554"},
	Citation:    "https://peps.python.org/pep-0552/",
	Remediation: "delete the compiled files, or compile them again from the source that was reviewed",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         pycMismatch,
}

// pycGroup is the compiled files of one folder of packages.
type pycGroup struct {
	compiled, sources int
	never, sourceless []*content.File
}

func pycMismatch(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	groups := map[string]*pycGroup{}
	var order []string
	for _, f := range l.Files {
		if f.Hidden || f.Kind != content.Pyc && f.Kind != content.Python {
			continue
		}
		top := pythonTop(l, f.Path)
		g := groups[top]
		if g == nil {
			g = &pycGroup{}
			groups[top] = g
			order = append(order, top)
		}
		if f.Kind == content.Python {
			g.sources++
			continue
		}
		g.compiled++
		source, cached := pycSource(f.Path)
		src := l.File(source)
		switch {
		case src == nil && !cached:
			g.sourceless = append(g.sourceless, f)
		case src == nil || !cached:
			// Python loads neither a cached file without its source nor one beside it.
		case f.Compiled == nil:
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Severity: lamina.Low, Key: "head", Detail: "it is no compiled Python: its head is not one that Python writes",
				Evidence: []string{"source: " + source, "file sha256: " + f.SHA256.String()},
			})
		case len(f.Compiled.Foreign(src)) > 0:
			names := f.Compiled.Foreign(src)
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "imports", Severity: lamina.High,
				Detail:   fmt.Sprintf("it imports %s, and its source does not: it was compiled from something else", strings.Join(names[:min(len(names), 3)], ", ")),
				Evidence: []string{"source: " + source, "source sha256: " + src.SHA256.String(), "compiled by: " + pythonOf(f), "checked by: " + f.Compiled.Check},
			}
			for _, name := range names[:min(len(names), 10)] {
				r.Evidence = append(r.Evidence, "import: "+name)
			}
			found(r)
		case f.Compiled.Check == pysyntax.PycUncheckedHash:
			g.never = append(g.never, f)
		case f.Compiled.Sized && f.Compiled.SourceSize != uint32(src.Size&0xffffffff): // the head holds the size modulo 2^32
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "size",
				Detail:   fmt.Sprintf("it was compiled from a source of %d bytes, and %s has %d: Python loads it only if nobody checks", f.Compiled.SourceSize, path.Base(source), src.Size),
				Evidence: []string{"source: " + source, "source sha256: " + src.SHA256.String(), "compiled by: " + pythonOf(f)},
			})
		}
	}
	slices.Sort(order)
	for _, top := range order {
		groups[top].unchecked(l, top, found)
		groups[top].without(l, top, found)
	}
	return nil
}

// unchecked reports files that run whatever their sources say.
func (g *pycGroup) unchecked(l *content.Layer, top string, found func(content.Result)) {
	if len(g.never) == 0 {
		return
	}
	if len(g.never) == g.compiled {
		found(content.Result{
			Outcome: lamina.Fail, File: g.never[0].Path, Key: "never " + top,
			Detail:   fmt.Sprintf("Python runs %s of %s without a look at the source (unchecked hash)", content.Count(len(g.never), "compiled file"), top),
			Evidence: pycEvidence(l, g.never),
		})
		return
	}
	var one []content.Result
	for _, f := range g.never {
		one = append(one, content.Result{
			Outcome: lamina.Fail, File: f.Path, Key: "never", Severity: lamina.High,
			Detail:   fmt.Sprintf("Python runs it without a look at its source (unchecked hash), unlike %s of %s", content.Count(g.compiled-len(g.never), "other compiled file"), top),
			Evidence: pycEvidence(l, []*content.File{f}),
		})
	}
	content.Fold(one, found, "more never "+top, func(more int) string {
		return content.Count(more, "more compiled file") + " of " + top + " that Python runs without a look at the source"
	})
}

// without reports files that have no source.
func (g *pycGroup) without(l *content.Layer, top string, found func(content.Result)) {
	if len(g.sourceless) == 0 {
		return
	}
	r := content.Result{
		Outcome: lamina.Fail, File: g.sourceless[0].Path, Key: "sourceless " + top,
		Detail:   fmt.Sprintf("Python loads %s of %s without a source that could be read", content.Count(len(g.sourceless), "compiled file"), top),
		Evidence: pycEvidence(l, g.sourceless),
	}
	if g.sources > 0 {
		r.Detail += ", though others have theirs"
	}
	// An archive of compiled files alone is how programs are frozen, and what a
	// package installed is what it is.
	if g.sources == 0 && g.sourceless[0].Nested || !slices.ContainsFunc(g.sourceless, func(f *content.File) bool { return !l.Listed(f) }) {
		r.Severity = lamina.Info
	}
	found(r)
}

// pycEvidence names the first files.
func pycEvidence(l *content.Layer, files []*content.File) []string {
	var all []string
	for _, f := range files[:min(len(files), 10)] {
		line := "compiled file: " + f.Path + " (" + pythonOf(f)
		if l.Listed(f) {
			line += ", as its package installed it"
		}
		all = append(all, line+")")
	}
	return all
}

// pythonOf names what compiled the file.
func pythonOf(f *content.File) string {
	if f.Compiled == nil || f.Compiled.Python == "" {
		return "an unknown Python"
	}
	return "Python " + f.Compiled.Python
}

// pycSource is the source of a compiled file, and whether the file lies in a cache
// folder, where Python looks only if there is a source
// (https://peps.python.org/pep-3147/).
func pycSource(name string) (source string, cached bool) {
	dir, base := path.Split(name)
	stem, _, _ := strings.Cut(base, ".")
	if parent, ok := strings.CutSuffix(dir, "__pycache__/"); ok {
		return parent + stem + ".py", true
	}
	return dir + stem + ".py", false
}

// pythonTop is the package or module in its folder of packages that a file is part
// of, or the folder of the file if it is in none.
func pythonTop(l *content.Layer, name string) string {
	if site := l.Site(name); site != "" {
		top, _, deep := strings.Cut(strings.TrimPrefix(name, site+"/"), "/")
		if deep && top != "__pycache__" {
			return path.Join(site, top)
		}
		return site
	}
	if i := strings.LastIndex(name, "!/"); i >= 0 {
		return name[:i+1]
	}
	return strings.TrimSuffix(path.Dir(name), "/__pycache__")
}
