package analyzers

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// RuntimePackage finds: package that the runtime brings anyway.
var RuntimePackage = content.Analyzer{
	ID:          "runtime-package",
	Title:       "layer brings packages that the runtime has",
	Since:       "0.2",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
	Remediation: "decide for one: leave them out and take AWS's updates, or keep them, pin their versions and update them yourself",
	NoFix:       "a published layer version cannot be changed",
	Run:         runtimePackage,
}

func runtimePackage(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	type shipped struct {
		c     sbom.Component
		bytes int64
	}
	for _, family := range []runtimes.Family{runtimes.Python, runtimes.Node, runtimes.Ruby} {
		r, ok := s.Runtime(family)
		if !ok {
			continue
		}
		var all []shipped
		var bytes int64
		derived := false
		for _, c := range l.Packages() {
			if c.How != sbom.Installed || !searched(l, r, c) {
				continue
			}
			if ships, d := shipsPackage(r, c); ships {
				derived = derived || d
				size := l.Bytes(c.Root)
				bytes += size
				all = append(all, shipped{c, size})
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.SortStableFunc(all, func(a, b shipped) int { return cmp.Compare(b.bytes, a.bytes) })
		detail := fmt.Sprintf("%s has packages of %s here, too: the layer's take %s and win over AWS's", r.ID, content.Count(len(all), "name"), content.Bytes(bytes))
		if !s.RuntimeKnown() {
			detail += "; which runtime the layer is for is assumed"
		}
		if derived {
			detail += "; its list is an older runtime's"
		}
		res := content.Result{Outcome: lamina.Fail, File: all[0].c.File, Key: string(family), Detail: detail}
		for _, x := range all[:min(len(all), 20)] {
			res.Evidence = append(res.Evidence, fmt.Sprintf("%s: %s", x.c.PURL(), content.Bytes(x.bytes)))
		}
		found(res)
	}
	return nil
}

// shipsPackage reports whether the runtime brings the package.
func shipsPackage(r runtimes.Runtime, c sbom.Component) (ships, derived bool) {
	switch {
	case r.Family == runtimes.Node && c.Ecosystem == sbom.NPM, r.Family == runtimes.Ruby && c.Ecosystem == sbom.RubyGems:
		return r.Ships(c.Name)
	case r.Family == runtimes.Python && c.Ecosystem == sbom.PyPI:
		names := c.Imports
		if len(names) == 0 {
			names = []string{strings.ReplaceAll(strings.TrimPrefix(c.Name, "python-"), "-", "_")}
		}
		for _, name := range names {
			if ok, d := r.Ships(name); ok {
				return true, d
			}
		}
	}
	return false, false
}

// searched reports whether the package lies where the runtime looks for it first.
func searched(l *content.Layer, r runtimes.Runtime, c sbom.Component) bool {
	dir := path.Dir(c.Root)
	switch c.Ecosystem {
	case sbom.NPM:
		dir = path.Clean(strings.TrimSuffix(c.Root, c.Name))
	case sbom.RubyGems:
		return strings.HasPrefix(c.Root, "ruby/gems/")
	}
	for _, d := range r.LayerDirs() {
		if dir == d || r.Family == runtimes.Node && dir == "nodejs/node_modules" {
			return true
		}
	}
	// A layer that is made for several versions has a folder for each.
	return r.Family == runtimes.Python && strings.HasPrefix(dir, "python/lib/python3.") && slices.Contains(l.Sites(), dir)
}
