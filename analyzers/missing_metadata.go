package analyzers

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// MissingMetadata finds: well-known package without its metadata.
var MissingMetadata = content.Analyzer{
	ID:          "missing-metadata",
	Title:       "package has a well-known name and no metadata",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1036.005", "T1195.002"},
	Citation:    "https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
	Remediation: "install it from its registry with its metadata, so that its origin, version and vulnerabilities can be told",
	NoFix:       "a published layer version cannot be changed",
	Run:         missingMetadata,
}

func missingMetadata(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	tops := map[string][]*content.File{} // folder or module → its code
	npm := map[string]int{}              // folder of an npm package → its scripts
	for _, f := range l.Files {
		if f.Nested || f.Hidden {
			continue
		}
		if dir, _, ok := content.NodePackage(f.Path); ok && !content.Test(f.Path) && (f.Kind == content.JavaScript || strings.HasSuffix(f.Path, ".node")) {
			npm[dir]++
		}
		site := l.Site(f.Path)
		module, ok := content.Module(site, f.Path)
		if site == "" || !ok {
			continue
		}
		place := f.Path
		if top, _, deep := strings.Cut(module, "."); deep || path.Base(f.Path) == "__init__.py" {
			place = path.Join(site, top)
		}
		tops[place] = append(tops[place], f)
	}
	for _, place := range slices.Sorted(maps.Keys(tops)) {
		name, _, _ := strings.Cut(path.Base(place), ".")
		shipped := shipsPython(s, name)
		if !shipped && !content.KnownModule(name) {
			continue
		}
		guess := "none"
		if slices.ContainsFunc(tops[place], func(f *content.File) bool {
			c, _ := l.Owner(f.Path)
			if c != nil && c.How == sbom.Guessed {
				guess = c.Version
				return false
			}
			return c != nil
		}) {
			continue
		}
		detail := fmt.Sprintf("Python imports it as %s, and no dist-info or egg-info says which package and version it is", name)
		if shipped {
			detail += "; the runtime has one of that name, too"
		}
		first := tops[place][0]
		found(content.Result{
			Outcome: lamina.Fail, File: first.Path, Key: place, Detail: detail,
			Evidence: []string{"place: " + place, fmt.Sprintf("code files: %d", len(tops[place])), "version by its own constant: " + guess},
		})
	}
	for _, dir := range slices.Sorted(maps.Keys(npm)) {
		if l.File(dir+"/package.json") == nil {
			_, name, _ := content.NodePackage(dir + "/x")
			found(content.Result{
				Outcome: lamina.Fail, Key: dir, Detail: fmt.Sprintf("require('%s') may load it, and it has no package.json", name), Severity: npmSeverity(s, name),
				Evidence: []string{"place: " + dir, fmt.Sprintf("code files: %d", npm[dir])},
			})
		}
	}
	return nil
}

// npmSeverity is higher for a name that the runtime has, too.
func npmSeverity(s *content.Scan, name string) lamina.Severity {
	if r, ok := s.Runtime(runtimes.Node); ok {
		if ships, _ := r.Ships(name); ships {
			return lamina.Medium
		}
	}
	return lamina.Low
}

// shipsPython reports whether the Python runtime brings a top-level module.
func shipsPython(s *content.Scan, name string) bool {
	r, ok := s.Runtime(runtimes.Python)
	if !ok {
		return false
	}
	ships, _ := r.Ships(name)
	return ships
}
