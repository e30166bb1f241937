package analyzers

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// ShadowedPackage finds: layer takes the place of a package of the runtime or of another layer.
var ShadowedPackage = content.Analyzer{
	ID:          "shadowed-package",
	Title:       "layer takes the place of a package of the runtime or of another layer",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574", "T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html",
	Remediation: "take the package from its registry, with its metadata, and pin it",
	NoFix:       "a published layer version cannot be changed",
	Run:         shadowedPackage,
}

func shadowedPackage(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	var npm []content.Result // in place of the runtime's
	for _, c := range s.View().Covers() {
		if c.From != content.OfLayer(layer) {
			continue
		}
		for _, o := range c.Others {
			if o.From.Kind != opt.FromRuntime && o.From.Kind != opt.FromLayer {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: content.InLayer(c.Path), Key: c.Name,
				Detail:   fmt.Sprintf("%s is loaded from here instead of from %s", c.Name, s.View().Name(o.From)),
				Evidence: []string{"name: " + c.Name, "hides: " + s.View().Name(o.From) + " " + o.Path},
			}
			if verified(l, strings.TrimSuffix(r.File, "/__init__.py")) {
				r.Severity = lamina.Low
				r.Detail += "; its files are those that its metadata lists"
			}
			if c.Maybe != "" {
				r.Detail += "; " + c.Maybe
			}
			if o.From.Kind == opt.FromRuntime && strings.Contains(r.File, "node_modules/") {
				npm = append(npm, r)
			} else {
				found(r)
			}
			break
		}
	}
	sdk(npm, found)
	hidden := map[string][]opt.Shadow{}
	for _, x := range s.View().Shadows() {
		if x.By == content.OfLayer(layer) && x.From.Kind == opt.FromLayer && !x.Same && loads(l.File(content.InLayer(x.ByPath))) {
			dir := path.Dir(x.Path)
			hidden[dir] = append(hidden[dir], x)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(hidden)) {
		x := hidden[dir][0]
		found(content.Result{
			Outcome: lamina.Fail, File: content.InLayer(x.ByPath), Key: "over " + dir,
			Detail:   fmt.Sprintf("others are seen instead of %s of %s in %s", content.Count(len(hidden[dir]), "file"), s.View().Name(x.From), dir),
			Evidence: []string{"hides: " + x.Path + " of " + s.View().Name(x.From)},
		})
	}
	return nil
}

// sdk reports the packages of AWS's SDK that a layer brings. An SDK is dozens of
// them, of which npm lists no digest by file: they are one finding.
func sdk(all []content.Result, found func(content.Result)) {
	if len(all) == 0 {
		return
	}
	r := all[0]
	if len(all) > 1 {
		r.Key, r.Evidence = "sdk", nil
		r.Detail = fmt.Sprintf("%d packages are loaded from here instead of from the runtime, and whether they are those of the registry nothing here tells", len(all))
		for _, x := range all[:min(len(all), 30)] {
			r.Evidence = append(r.Evidence, "name: "+x.Key)
		}
	}
	found(r)
}

// verified reports whether the file, or for a folder every file in it, is listed
// by a package's metadata with the digest it has.
func verified(l *content.Layer, name string) bool {
	some := false
	for _, f := range l.Files {
		if f.Path != name && !strings.HasPrefix(f.Path, name+"/") {
			continue
		}
		if f.Kind == content.Pyc || f.Nested {
			continue
		}
		_, h := l.Owner(f.Path)
		if h == nil || [32]byte(h.SHA256) != [32]byte(f.SHA256) {
			return false
		}
		some = true
	}
	return some
}

// loads reports whether the file is one that a program can load; notes and lock
// files are replaced without harm.
func loads(f *content.File) bool { return f == nil || runs(f) }
