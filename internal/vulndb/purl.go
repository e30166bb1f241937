package vulndb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A PURL is a package URL (https://github.com/package-url/purl-spec), taken
// apart. Name has the namespace in the form the ecosystem writes it:
// @scope/name, group:artifact, example.com/module.
type PURL struct {
	Type, Name, Version string
	Qualifiers          map[string]string
}

// ParsePURL reads a package URL. What follows # is left out.
func ParsePURL(s string) (PURL, error) {
	rest, ok := strings.CutPrefix(s, "pkg:")
	if !ok {
		return PURL{}, fmt.Errorf("%q does not begin with pkg: as a package URL does", clip(s, 80))
	}
	if len(s) > 4*maxName {
		return PURL{}, fmt.Errorf("a package URL of %d bytes", len(s))
	}
	rest, _, _ = strings.Cut(strings.TrimLeft(rest, "/"), "#")
	rest, query, _ := strings.Cut(rest, "?")
	p := PURL{}
	// A version has no slash, and the @ of an npm scope may not be escaped.
	if i := strings.LastIndexByte(rest, '@'); i > 0 && i > strings.LastIndexByte(rest, '/') {
		p.Version, rest = rest[i+1:], rest[:i]
	}
	var err error
	if p.Version, err = url.PathUnescape(p.Version); err != nil {
		return PURL{}, fmt.Errorf("package URL %q: version: %w", clip(s, 80), err)
	}
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return PURL{}, fmt.Errorf("package URL %q: %w", clip(s, 80), err)
		}
	}
	p.Type = strings.ToLower(parts[0])
	if p.Name = strings.Join(parts[1:], "/"); p.Type == "" || p.Name == "" || slices.Contains(parts, "") {
		return PURL{}, fmt.Errorf("package URL %q has no type or name", clip(s, 80))
	}
	if p.Type == "maven" {
		p.Name = strings.Replace(p.Name, "/", ":", 1)
	}
	for q := range strings.SplitSeq(query, "&") {
		k, v, ok := strings.Cut(q, "=")
		if !ok {
			continue
		}
		if v, err = url.QueryUnescape(v); err != nil {
			return PURL{}, fmt.Errorf("package URL %q: %s: %w", clip(s, 80), k, err)
		}
		if p.Qualifiers == nil {
			p.Qualifiers = map[string]string{}
		}
		p.Qualifiers[strings.ToLower(k)] = v
	}
	return p, nil
}

// Ecosystem is the ecosystem of the package, or an error if OSV has none.
func (p PURL) Ecosystem() (string, error) {
	if e, ok := ecosystems[p.Type]; ok {
		return e, nil
	}
	return "", errors.New("no ecosystem is known for packages of type " + p.Type)
}

// purlTypes are the types of the ecosystems that layers are made of.
var purlTypes = map[string]string{
	"PyPI": "pypi", "npm": "npm", "Maven": "maven", "NuGet": "nuget", "Go": "golang", "crates.io": "cargo",
	"RubyGems": "gem", "Packagist": "composer", "Pub": "pub", "Hex": "hex",
}

// PackageURL writes the package URL of a package as Lookup takes it, "" if the
// ecosystem has no type or the name an empty part.
func PackageURL(ecosystem, name, version string) string {
	t, ok := purlTypes[Ecosystem(ecosystem)]
	if !ok {
		return ""
	}
	name = Name(Ecosystem(ecosystem), name)
	if t == "maven" {
		name = strings.Replace(name, ":", "/", 1)
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		if parts[i] == "" {
			return "" // a package URL has no empty segments, and no registry such a name
		}
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), "@", "%40")
	}
	s := "pkg:" + t + "/" + strings.Join(parts, "/")
	if version != "" {
		s += "@" + strings.ReplaceAll(url.PathEscape(version), "@", "%40")
	}
	return s
}

// covers reports whether a statement about p is one about q: the same package,
// of any version if p names none, with at least the qualifiers of p.
func (p PURL) covers(q PURL) bool {
	e, f := Ecosystem(p.Type), Ecosystem(q.Type)
	if e != f || Name(e, p.Name) != Name(f, q.Name) || p.Version != "" && p.Version != q.Version {
		return false
	}
	for k, v := range p.Qualifiers {
		if q.Qualifiers[k] != v {
			return false
		}
	}
	return true
}
