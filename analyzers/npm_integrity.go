package analyzers

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// NpmIntegrity finds: npm package is not the one that npm installed.
var NpmIntegrity = content.Analyzer{
	ID:          "npm-integrity",
	Title:       "npm package is not the one that npm installed",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002", "T1554"},
	Citation:    "https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#hidden-lockfiles",
	Remediation: "build the layer again with npm ci from a lock file, and publish that",
	NoFix:       "a published layer version cannot be changed",
	Run:         npmIntegrity,
}

func npmIntegrity(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	locks := 0
	for _, f := range l.Files {
		if path.Base(f.Path) != ".package-lock.json" || path.Base(path.Dir(f.Path)) != "node_modules" || f.Hidden {
			continue
		}
		locks++
		npmLocked(l, f, found)
	}
	if locks == 0 {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "there is no node_modules/.package-lock.json, in which npm says what it installed"})
	}
	return nil
}

// npmLocked compares what one hidden lock file says with what is installed below
// its folder.
func npmLocked(l *content.Layer, lock *content.File, found func(content.Result)) {
	dir := path.Dir(lock.Path) + "/"
	locked := map[string]sbom.Component{}
	roots := map[string]bool{path.Dir(path.Dir(lock.Path)): true} // folders whose node_modules npm fills
	bundled := map[string]int{}
	unproven := 0
	for _, c := range lock.Components {
		locked[c.Root] = c
		roots[c.Root] = true
		if c.Integrity == "" && strings.HasPrefix(c.Source, "http") {
			unproven++
		}
	}
	for _, f := range l.Files {
		if path.Base(f.Path) != "package.json" || !strings.HasPrefix(f.Path, dir) || f.Hidden || f.Nested != lock.Nested || content.Test(strings.TrimPrefix(f.Path, dir)) {
			continue
		}
		for _, c := range f.Components {
			if c.How != sbom.Installed && c.How != sbom.Embedded || c.Root != path.Dir(f.Path) {
				continue
			}
			evidence := []string{"installed: " + c.PURL(), "lock file: " + lock.Path}
			was, ok := locked[c.Root]
			switch {
			case !ok && !roots[path.Dir(strings.TrimSuffix(strings.TrimSuffix(c.Root, c.Name), "/"))]:
				if i := strings.LastIndex(c.Root, "/node_modules/"); i >= 0 {
					bundled[c.Root[:i]]++
				}
			case !ok:
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Key: "added", Detail: fmt.Sprintf("npm did not install %s here: its hidden lock file does not list it", c.Name), Evidence: evidence,
				})
			case was.Version != c.Version && was.Version != "":
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Key: "version", Detail: fmt.Sprintf("npm installed version %s here, and this is %s", was.Version, c.Version), Evidence: append(evidence, "locked: "+was.PURL()),
				})
			case was.Name != c.Name:
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Key: "name", Detail: fmt.Sprintf("npm installed %s here, and this is %s", was.Name, c.Name), Evidence: append(evidence, "locked: "+was.PURL()),
				})
			}
		}
	}
	for _, where := range slices.Sorted(maps.Keys(bundled)) {
		found(content.Result{
			Outcome: lamina.Fail, Key: "bundled " + where, Severity: lamina.Low,
			Detail:   fmt.Sprintf("%s in %s/node_modules, which npm does not fill: the package around it may have brought what is there", content.Count(bundled[where], "package"), where),
			Evidence: []string{fmt.Sprintf("packages: %d", bundled[where]), "lock file: " + lock.Path},
		})
	}
	if unproven > 0 {
		found(content.Result{
			Outcome: lamina.Fail, File: lock.Path, Key: "unproven", Severity: lamina.Info,
			Detail:   "of " + content.Count(unproven, "package") + " no digest was there to compare the download with",
			Evidence: []string{fmt.Sprintf("packages without integrity: %d of %d", unproven, len(lock.Components))},
		})
	}
}
