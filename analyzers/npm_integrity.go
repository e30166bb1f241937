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
	Files:       true,
	Run:         npmIntegrity,
}

func npmIntegrity(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	locks := map[string]*npmLock{} // by the folder that has node_modules
	for _, f := range l.Files {
		if dir, ok := strings.CutSuffix(f.Path, "node_modules/.package-lock.json"); ok && !f.Hidden && (dir == "" || strings.HasSuffix(dir, "/")) {
			locks[path.Clean(dir)] = newNpmLock(f)
		}
	}
	if len(locks) == 0 {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "there is no node_modules/.package-lock.json, in which npm says what it installed"})
		return nil
	}
	for _, f := range l.Files {
		if path.Base(f.Path) != "package.json" || f.Hidden {
			continue
		}
		// A package could bring a lock file of its own: the outermost counts.
		var lock *npmLock
		top := ""
		for dir := path.Dir(f.Path); ; dir = path.Dir(dir) {
			if x := locks[dir]; x != nil && x.file.Nested == f.Nested {
				lock, top = x, dir
			}
			if dir == "." || dir == "/" {
				break
			}
		}
		if lock != nil && !content.Test(strings.TrimPrefix(f.Path, top)) {
			lock.compare(f, found)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(locks)) {
		locks[dir].sums(found)
	}
	return nil
}

// An npmLock is a hidden lock file.
type npmLock struct {
	file     *content.File
	packages map[string]sbom.Component // by folder
	roots    map[string]bool           // folders whose node_modules npm fills
	bundled  map[string]int            // packages in other folders
	unproven int                       // downloads without a digest
}

func newNpmLock(f *content.File) *npmLock {
	n := &npmLock{file: f, packages: map[string]sbom.Component{}, roots: map[string]bool{path.Dir(path.Dir(f.Path)): true}, bundled: map[string]int{}}
	for _, c := range f.Components {
		n.packages[c.Root], n.roots[c.Root] = c, true
		if c.Integrity == "" && strings.HasPrefix(c.Source, "http") {
			n.unproven++
		}
	}
	return n
}

// compare holds one package.json against the lock file.
func (n *npmLock) compare(f *content.File, found func(content.Result)) {
	for _, c := range f.Components {
		if c.How != sbom.Installed && c.How != sbom.Embedded || c.Root != path.Dir(f.Path) {
			continue
		}
		folder, _, _ := content.NodePackage(f.Path)
		above := path.Dir(folder) // node_modules, or a scope in it
		if strings.HasPrefix(path.Base(above), "@") {
			above = path.Dir(above)
		}
		evidence := []string{"installed: " + c.PURL(), "lock file: " + n.file.Path}
		was, ok := n.packages[c.Root]
		switch {
		case !ok && !n.roots[path.Dir(above)]:
			n.bundled[path.Dir(above)]++
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

// sums reports what is counted only.
func (n *npmLock) sums(found func(content.Result)) {
	for _, where := range slices.Sorted(maps.Keys(n.bundled)) {
		found(content.Result{
			Outcome: lamina.Fail, Key: "bundled " + where, Severity: lamina.Low,
			Detail:   fmt.Sprintf("%s in %s/node_modules, which npm does not fill: the package around it may have brought what is there", content.Count(n.bundled[where], "package"), where),
			Evidence: []string{fmt.Sprintf("packages: %d", n.bundled[where]), "lock file: " + n.file.Path},
		})
	}
	if n.unproven > 0 {
		found(content.Result{
			Outcome: lamina.Fail, File: n.file.Path, Key: "unproven", Severity: lamina.Info,
			Detail:   "of " + content.Count(n.unproven, "package") + " no digest was there to compare the download with",
			Evidence: []string{fmt.Sprintf("packages without integrity: %d of %d", n.unproven, len(n.file.Components))},
		})
	}
}
