package analyzers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/pysyntax"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// BaselineDrift finds: layer differs from the version that is trusted.
var BaselineDrift = content.Analyzer{
	ID:          "baseline-drift",
	Title:       "layer differs from the version that is trusted",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Remediation: "read the difference; if it is wanted, make this version the baseline",
	NoFix:       "a published layer version cannot be changed",
	Run:         baselineDrift,
}

func baselineDrift(s *content.Scan, layer int, found func(content.Result)) error {
	if layer != 0 {
		return nil
	}
	l, b := s.Layers[0], s.Baseline
	if b == nil {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "no baseline was given"})
		return nil
	}
	if b.Err != nil {
		found(content.Result{Outcome: lamina.Unknown, Detail: "the baseline could not be opened", Reason: b.Err.Error(), Settle: "a baseline that can be read"})
		return nil //nolint:nilerr // the result says it
	}
	d := drift{now: l, was: b, nowAt: packagesAt(l), wasAt: packagesAt(b), groups: map[string]*packageDrift{}}
	for _, f := range l.Files {
		if old := b.File(f.Path); old == nil || old.SHA256 != f.SHA256 || old.Mode != f.Mode {
			d.file(f, old)
		}
	}
	for _, f := range b.Files {
		if l.File(f.Path) == nil {
			d.file(nil, f)
		}
	}
	d.report(found)
	return nil
}

// drift is how a layer differs from an earlier version: packages that came, went or
// have another version, each with its files, compiled files of sources that are
// there, and other files one by one.
type drift struct {
	now, was     *content.Layer
	nowAt, wasAt map[packagePlace]*sbom.Component
	groups       map[string]*packageDrift
	compiled     []string
	files        []content.Result
}

// A packagePlace is a package where its ecosystem looks for it, of whatever version.
type packagePlace struct{ ecosystem, name, dir string }

// A packageDrift is a package of which more than files differs.
type packageDrift struct {
	old, new                *sbom.Component // one may be nil
	added, changed, removed int
	runs                    bool
	lines                   []string
}

func placeOf(c *sbom.Component) packagePlace {
	return packagePlace{c.Ecosystem, c.Name, path.Dir(c.Root)}
}

// packagesAt are the installed packages by their places. One that is there in two
// versions has none in what is returned: its files are told, not its versions.
func packagesAt(l *content.Layer) map[packagePlace]*sbom.Component {
	out := map[packagePlace]*sbom.Component{}
	all := l.Packages()
	for i := range all {
		c := &all[i]
		if c.How != sbom.Installed || c.Root == "" || c.Program {
			continue
		}
		if out[placeOf(c)] != nil {
			c = &sbom.Component{}
		}
		out[placeOf(&all[i])] = c
	}
	return out
}

// group is the package that the file differs with, nil if it differs alone: of a
// package of the same version every file is told, and so is what Lambda or Python
// runs by itself.
func (d *drift) group(f *content.File, in *content.Layer) *packageDrift {
	c, _ := in.Owner(f.Path)
	if c == nil || f.Kind == content.PthFile || alone(f.Path) {
		return nil
	}
	old, now := d.wasAt[placeOf(c)], d.nowAt[placeOf(c)]
	switch {
	case old == nil && now == nil:
		return nil
	case old != nil && (old.Version == "" || now != nil && old.Version == now.Version), now != nil && now.Version == "":
		return nil
	}
	key := cmp.Or(now, old).PURL() + " " + placeOf(c).dir
	if d.groups[key] == nil {
		d.groups[key] = &packageDrift{old: old, new: now}
	}
	return d.groups[key]
}

// alone reports whether Lambda starts the file, whatever package it came with.
func alone(name string) bool { return strings.HasPrefix(name, "extensions/") || name == "bootstrap" }

// file takes a file that is new, gone (now is nil) or different.
func (d *drift) file(now, old *content.File) {
	f, in := now, d.now
	if now == nil {
		f, in = old, d.was
	}
	g := d.group(f, in)
	if g == nil && isCompiled(f, in) {
		d.compiled = append(d.compiled, f.Path+" "+f.SHA256.String())
		return
	}
	r := content.Result{Outcome: lamina.Fail, File: f.Path, Severity: lamina.Medium, Evidence: []string{"file sha256: " + f.SHA256.String()}}
	switch {
	case now == nil:
		r.Key, r.Detail, r.Severity = "removed", "it is in the baseline and not here", lamina.Info
		r.Evidence = []string{"baseline sha256: " + old.SHA256.String()}
	case old == nil:
		r.Key, r.Detail = "added", "it is not in the baseline"
	case old.SHA256 != now.SHA256:
		r.Key, r.Detail = "changed", "its content differs from the baseline's"
		r.Evidence = append(r.Evidence, "baseline sha256: "+old.SHA256.String())
	default:
		r.Key, r.Detail = "mode", fmt.Sprintf("its mode is %v, in the baseline %v", now.Mode, old.Mode)
	}
	switch {
	case now == nil:
	case alone(f.Path):
		r.Severity = lamina.High
	case !runs(f):
		r.Severity = lamina.Low
	}
	if g != nil {
		g.add(r, now != nil && runs(now))
		return
	}
	d.files = append(d.files, r)
}

// isCompiled reports whether the file is made anew of a source beside it that Python
// compares it with.
func isCompiled(f *content.File, in *content.Layer) bool {
	if f.Compiled == nil || f.Compiled.Check == pysyntax.PycUncheckedHash {
		return false
	}
	dir, base := path.Split(f.Path)
	name, _, _ := strings.Cut(base, ".")
	return path.Base(dir) == "__pycache__" && in.File(path.Join(path.Dir(path.Clean(dir)), name+".py")) != nil
}

func (g *packageDrift) add(r content.Result, runs bool) {
	g.runs = g.runs || runs
	switch r.Key {
	case "added":
		g.added++
	case "removed":
		g.removed++
	default:
		g.changed++
	}
	g.lines = append(g.lines, r.Key+": "+r.File+" "+strings.Join(r.Evidence, " "))
}

// report tells packages, compiled files and files, in this order. The key of what
// stands for several files holds a digest of them: an exception for it ends when
// one of them changes.
func (d *drift) report(found func(content.Result)) {
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		found(d.groups[key].result())
	}
	if n := len(d.compiled); n > 0 {
		file, _, _ := strings.Cut(d.compiled[0], " ")
		found(content.Result{
			Outcome: lamina.Fail, File: file, Key: "compiled " + digestOf(d.compiled), Severity: lamina.Low,
			Detail:   content.Count(n, "compiled file") + " whose sources are there differ from the baseline's",
			Evidence: fewLines("file: ", d.compiled),
		})
	}
	by := map[lamina.Severity][]content.Result{}
	for _, r := range d.files {
		by[r.Severity] = append(by[r.Severity], r)
	}
	for _, s := range slices.Backward(lamina.Severities) {
		all := by[s]
		shown := len(all)
		if s != lamina.High && shown > mostFiles {
			shown = mostFiles
		}
		for _, r := range all[:shown] {
			found(r)
		}
		if shown == len(all) {
			continue
		}
		var rest []string
		for _, r := range all[shown:] {
			rest = append(rest, r.Key+": "+r.File+" "+strings.Join(r.Evidence, " "))
		}
		found(content.Result{
			Outcome: lamina.Fail, File: all[shown].File, Key: "more " + digestOf(rest), Severity: s,
			Detail: "and " + content.Count(len(rest), "more file") + " that differ from the baseline's", Evidence: fewLines("", rest),
		})
	}
}

// mostFiles is how many files of one severity are told one by one.
const mostFiles = 50

// result is the package as one finding.
func (g *packageDrift) result() content.Result {
	c, change := g.new, "added"
	r := content.Result{Outcome: lamina.Fail, Severity: lamina.Medium}
	switch {
	case g.old == nil:
		r.Detail = c.Name + " " + c.Version + " was added"
	case g.new == nil:
		c, change, r.Severity = g.old, "removed", lamina.Info
		r.Detail = c.Name + " " + c.Version + " was removed"
	default:
		change = "changed"
		r.Detail = c.Name + " " + g.old.Version + " became " + c.Version
		r.Evidence = append(r.Evidence, "before: "+g.old.PURL())
	}
	if r.Severity == lamina.Medium && !g.runs {
		r.Severity = lamina.Low
	}
	r.File, r.Key = c.File, "package "+change+" "+c.PURL()+" "+digestOf(g.lines)
	r.Detail += fmt.Sprintf(": %s added, %d changed, %d removed", content.Count(g.added, "file"), g.changed, g.removed)
	r.Evidence = append([]string{"package: " + c.PURL(), "files sha256: " + digestOf(g.lines)}, r.Evidence...)
	return r
}

// digestOf names a list of files with their content.
func digestOf(lines []string) string {
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// fewLines are the first lines as evidence, and how many more there are.
func fewLines(prefix string, lines []string) []string {
	var out []string
	for _, l := range lines[:min(len(lines), content.MostAlike)] {
		out = append(out, prefix+l)
	}
	if n := len(lines) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return out
}

// runs reports whether the file is of a kind that is executed or loaded.
func runs(f *content.File) bool {
	switch f.Kind {
	case content.Python, content.Pyc, content.PthFile, content.JavaScript, content.Shell, content.Script, content.Ruby, content.ELF, content.Class, content.Link:
		return true
	case content.Other, content.Foreign, content.Archive, content.JSON, content.Text:
	}
	return f.Mode&0o111 != 0
}
