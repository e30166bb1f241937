// Package sbom says which packages a layer brings, as package URLs.
//
// It reads Python's installed metadata (NAME-VERSION.dist-info/METADATA,
// https://packaging.python.org/en/latest/specifications/core-metadata/) and no
// other ecosystem yet. What has no metadata is not guessed. It does not say
// whether files are what the metadata claims.
package sbom

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Component is one installed package.
type Component struct {
	// Ecosystem is OSV's name, "PyPI".
	Ecosystem string
	// Name is normalised as the ecosystem does it, Version as written.
	Name, Version string
	// File is the metadata it was read from.
	File string
}

// PURL is the package URL (https://github.com/package-url/purl-spec).
func (c Component) PURL() string {
	version := strings.ReplaceAll(url.PathEscape(c.Version), "+", "%2B")
	return "pkg:pypi/" + url.PathEscape(c.Name) + "@" + version
}

// maxHeader is how much of a METADATA file is read for its headers; the long
// description that follows them is not needed.
const maxHeader = 64 << 10

// Python returns the Python packages under fsys sorted by file, and what could
// not be read.
func Python(fsys fs.FS) ([]Component, []lamina.Skipped) {
	var found []Component
	var skipped []lamina.Skipped
	skip := func(name string, err error) {
		skipped = append(skipped, lamina.Skipped{File: name, Offset: -1, Reason: err.Error()})
	}
	// The callback returns nil always: what cannot be read is skipped by name.
	_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			skip(name, err)
		case d.Type().IsRegular() && path.Base(name) == "METADATA" && strings.HasSuffix(path.Dir(name), ".dist-info"):
			c, err := metadata(fsys, name)
			if err != nil {
				skip(name, err)
				return nil
			}
			found = append(found, c)
		}
		return nil
	})
	slices.SortFunc(found, func(a, b Component) int { return strings.Compare(a.File, b.File) })
	return found, skipped
}

func metadata(fsys fs.FS, name string) (Component, error) {
	c := Component{Ecosystem: "PyPI", File: name}
	f, err := fsys.Open(name)
	if err != nil {
		return c, err
	}
	lines := bufio.NewScanner(io.LimitReader(f, maxHeader))
	for lines.Scan() && lines.Text() != "" {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimSpace(value); {
		case strings.EqualFold(key, "Name") && c.Name == "":
			c.Name = normal(value)
		case strings.EqualFold(key, "Version") && c.Version == "":
			c.Version = value
		}
	}
	if err := errors.Join(lines.Err(), f.Close()); err != nil {
		return c, err
	}
	if c.Name == "" || c.Version == "" {
		return c, fmt.Errorf("no Name and Version in the first %d bytes", maxHeader)
	}
	return c, nil
}

// normal is https://packaging.python.org/en/latest/specifications/name-normalization/.
func normal(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
}
