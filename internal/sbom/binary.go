package sbom

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/bininfo"
)

// Binary returns the components that an executable or library at name says it is
// made of: Go modules and their standard library, Rust crates, and C libraries.
func Binary(name string, b *bininfo.Info) []Component {
	if b == nil {
		return nil
	}
	var found []Component
	add := func(c Component) {
		c.File = name
		c.Name, c.Version = clip(c.Name), clip(c.Version)
		c.Requires = tidy(c.Requires)
		if c.Name != "" && len(found) < maxComponents {
			found = append(found, c)
		}
	}
	if b.Go != nil {
		goModules(name, b, add)
	}
	for _, c := range b.Crates {
		switch {
		case c.Root:
			add(Component{Name: c.Name, Version: c.Version, Ecosystem: Crates, How: Own, Program: b.Kind == bininfo.Executable, Root: name, Requires: c.Requires})
		case !c.Build && c.Source != "local":
			add(Component{Name: c.Name, Version: c.Version, Ecosystem: Crates, How: Installed, Requires: c.Requires})
		}
	}
	for _, v := range b.Embedded {
		c := Component{Name: v.Name, Version: v.Version, How: Embedded}
		if libraries[sonameOf(b.Soname)] == v.Name {
			c.How, c.Root = Installed, name
		}
		add(c)
	}
	if lib := sonameOf(b.Soname); lib != "" && !slices.ContainsFunc(b.Embedded, func(v bininfo.Version) bool { return v.Name == libraries[lib] }) {
		c := Component{Name: cmp.Or(libraries[lib], lib), How: Guessed, Root: name}
		if v, ok := strings.CutPrefix(lib, "libpython"); ok {
			c.Name, c.Version = "cpython", v // the interpreter itself, of which a name says two numbers
		}
		add(c)
	}
	return found
}

// goModules adds the program, its modules, and the standard library, under the
// names and versions that Go's vulnerability database has
// (https://go.dev/doc/security/vuln/database).
func goModules(name string, b *bininfo.Info, add func(Component)) {
	g := b.Go
	if v, ok := strings.CutPrefix(g.Go, "go"); ok {
		v, _, _ = strings.Cut(v, " ")
		add(Component{Ecosystem: Go, Name: "stdlib", Version: v, How: Installed})
	}
	main := Component{Ecosystem: Go, Name: g.Main.Path, Version: g.Main.Version, How: Own, Program: true, Root: name, Revision: g.Revision}
	if main.Version == "(devel)" {
		main.Version = ""
	}
	for _, m := range g.Modules {
		c := Component{Ecosystem: Go, Name: m.Path, Version: m.Version, How: Installed, Integrity: m.Sum}
		if m.Replaces != "" && (strings.HasPrefix(m.Path, ".") || path.IsAbs(m.Path)) {
			c.Name, c.Version = m.Replaces, "" // replaced by a folder: which version is not known
		}
		main.Requires = append(main.Requires, c.Name)
		add(c)
	}
	if main.Name == "" {
		main.Ecosystem, main.Name = "", path.Base(name) // built without modules
	}
	add(main)
}

// libraries are C libraries by the name that others link them by.
var libraries = map[string]string{
	"libcrypto": "openssl", "libssl": "openssl", "libz": "zlib", "libsqlite3": "sqlite", "libcurl": "curl", "libexpat": "expat",
	"libjpeg": "libjpeg-turbo", "libturbojpeg": "libjpeg-turbo", "libpng": "libpng", "libpng12": "libpng", "libpng15": "libpng", "libpng16": "libpng",
}

// sonameOf is the library's name without its version and without the hash that
// auditwheel puts into it ("libtiff-f683b479.so.6.0.2"): "" for what is no library
// that others link, such as an extension module.
func sonameOf(soname string) string {
	name, version, ok := strings.Cut(soname, ".so")
	if !ok || !strings.HasPrefix(name, "lib") || !strings.HasPrefix(version, ".") {
		return ""
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 && len(name)-i-1 == 8 && strings.Trim(name[i+1:], "0123456789abcdef") == "" {
		name = name[:i]
	}
	return name
}
