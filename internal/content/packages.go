package content

import (
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/sbom"
)

// inventory is what is worked out of a layer's files when it is first asked for.
type inventory struct {
	packages []sbom.Component
	owners   *sbom.Owners
	sites    []string
	site     map[string]bool
	// at is the package at each place, and of its files the numbers.
	at map[string]*holding
}

type holding struct {
	component *sbom.Component
	files     []*File
}

// contents are the package at a place, and its files; nil if none is there.
func (l *Layer) contents(root string) (*sbom.Component, []*File) {
	h := l.inventory().at[root]
	if h == nil {
		return nil, nil
	}
	return h.component, h.files
}

// Bytes is how much the files of the package at a place take.
func (l *Layer) Bytes(root string) int64 {
	var n int64
	_, files := l.contents(root)
	for _, f := range files {
		if !f.Nested {
			n += f.Size
		}
	}
	return n
}

func (l *Layer) inventory() *inventory { return l.worked.of(l.makeInventory) }

func (l *Layer) makeInventory() *inventory {
	v := &inventory{site: map[string]bool{}, at: map[string]*holding{}}
	var found []sbom.Component
	for _, f := range l.Files {
		found = append(found, f.Components...)
		if f.Nested || f.Hidden {
			continue
		}
		if site := siteOf(f.Path); site != "" && !v.site[site] {
			v.site[site] = true
			v.sites = append(v.sites, site)
		}
	}
	slices.Sort(v.sites)
	v.packages = slices.DeleteFunc(sbom.Join(found), l.versionOnly)
	v.owners = sbom.NewOwners(v.packages)
	for _, f := range l.Files {
		if f.Hidden {
			continue
		}
		c, _ := v.owners.Owner(f.Path)
		if c == nil || c.Root == "" {
			continue
		}
		h := v.at[c.Root]
		if h == nil {
			h = &holding{component: c}
			v.at[c.Root] = h
		}
		h.files = append(h.files, f)
	}
	return v
}

// versionOnly reports whether all that is there of a Python package is a version
// and at most one more module: botocore keeps the exceptions of requests and urllib3, for
// one. What is not there has no vulnerabilities and no licence.
func (l *Layer) versionOnly(c sbom.Component) bool {
	base := path.Base(c.File)
	if c.Ecosystem != sbom.PyPI || base != "__init__.py" && base != "__init__.pyc" || c.How != sbom.Vendored && c.How != sbom.Embedded {
		return false
	}
	dir := path.Dir(c.File) + "/"
	i, _ := slices.BinarySearchFunc(l.Files, dir, func(f *File, dir string) int { return strings.Compare(f.Path, dir) })
	direct, all := 0, 0
	for _, f := range l.Files[i:] {
		rest, ok := strings.CutPrefix(f.Path, dir)
		if !ok {
			break
		}
		if f.Kind != Python && f.Kind != Pyc && f.Kind != ELF || strings.Contains(rest, "__pycache__/") {
			continue
		}
		if all++; !strings.Contains(rest, "/") {
			direct++
		}
	}
	return direct <= 2 && all <= 5
}

// Packages are the packages that the layer's files declare, as sbom.Join returns
// them. They are shared: nobody may change them.
func (l *Layer) Packages() []sbom.Component { return l.inventory().packages }

// Owner is sbom.Owners.Owner for the layer's packages.
func (l *Layer) Owner(name string) (*sbom.Component, *sbom.FileHash) {
	return l.inventory().owners.Owner(name)
}

// Sites are the folders of the layer itself that Python packages are installed
// in, sorted: those the runtimes search, and every folder that has metadata of
// packages. "." is the layer's root.
func (l *Layer) Sites() []string { return l.inventory().sites }

// Site is the innermost of Sites that the file is in, "" if it is in none.
func (l *Layer) Site(name string) string {
	sites := l.inventory().site
	dir := path.Dir(name)
	for !sites[dir] {
		i := strings.LastIndexByte(dir, '/')
		if i <= 0 {
			if sites["."] && i < 0 {
				return "."
			}
			return ""
		}
		dir = dir[:i] // it is clean: path.Dir would clean it again
	}
	return dir
}

// Listed reports whether the metadata of a package lists the file with its very
// bytes. Who changes a file can change the metadata, too.
func (l *Layer) Listed(f *File) bool {
	_, h := l.Owner(f.Path)
	return h != nil && [32]byte(h.SHA256) == [32]byte(f.SHA256)
}

// siteOf is the folder of packages that the path shows, "" if it shows none.
func siteOf(name string) string {
	for _, mark := range []string{".dist-info/", ".egg-info/"} {
		if before, _, ok := strings.Cut(name, mark); ok {
			if site := path.Dir(before); !inside(site) {
				return site
			}
			return ""
		}
	}
	rest, ok := strings.CutPrefix(name, "python/")
	if !ok {
		return ""
	}
	parts := strings.SplitN(rest, "/", 4)
	if len(parts) == 4 && parts[0] == "lib" && strings.HasPrefix(parts[1], "python3.") && parts[2] == "site-packages" {
		return "python/lib/" + parts[1] + "/site-packages"
	}
	if parts[0] == "lib" && len(parts) > 2 {
		return ""
	}
	return "python"
}

// inside reports whether the folder is where one package keeps copies of others,
// which are imported through it.
func inside(site string) bool {
	for part := range strings.SplitSeq(site, "/") {
		if part == "_vendor" || part == "_vendored" || part == "vendored" || part == "third_party" {
			return true
		}
	}
	return false
}

// Module is what Python calls the file at name when the folder site is searched:
// "acme.util" for "acme/util.py" and for native modules, "acme" for
// "acme/__init__.py"; false if no import statement can name it.
func Module(site, name string) (string, bool) {
	rest := name
	if site != "." {
		var ok bool
		if rest, ok = strings.CutPrefix(name, site+"/"); !ok {
			return "", false
		}
	}
	dir, base := path.Split(rest)
	base, suffix, ok := strings.Cut(base, ".")
	if !ok || suffix != "py" && suffix != "pyc" && suffix != "so" && !strings.HasSuffix(suffix, ".so") {
		return "", false
	}
	var parts []string
	for part := range strings.SplitSeq(dir+base, "/") {
		if !identifier(part) {
			return "", false
		}
		parts = append(parts, part)
	}
	if n := len(parts); n > 1 && parts[n-1] == "__init__" {
		parts = parts[:n-1]
	}
	return strings.Join(parts, "."), true
}

// identifier reports whether s can be a name in an import statement. Letters
// outside of ASCII are taken for letters.
func identifier(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x80 && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// NodePackage is the innermost installed npm package that the file at name is in:
// its folder and its name; false if it is in none.
func NodePackage(name string) (dir, pkg string, ok bool) {
	i := strings.LastIndex(name, "node_modules/")
	if i < 0 || i > 0 && name[i-1] != '/' {
		return "", "", false
	}
	rest := name[i+len("node_modules/"):]
	parts := strings.SplitN(rest, "/", 3)
	n := 1
	if strings.HasPrefix(rest, "@") {
		n = 2
	}
	if len(parts) <= n || strings.HasPrefix(parts[0], ".") {
		return "", "", false
	}
	pkg = strings.Join(parts[:n], "/")
	return name[:i+len("node_modules/")] + pkg, pkg, true
}
