// Package sbom says which packages a layer brings, from what the files of the
// layer themselves declare, and writes them down as CycloneDX and SPDX.
//
// Read looks at one file, by its name first, and returns the components that it
// declares: installed metadata of Python, Node, Java, Ruby, .NET and PHP, lists of
// vendored packages, lock files and source maps. Binary does the same for what
// internal/bininfo read of an executable. One file seldom tells all of a package
// (its hashes lie in another), so Join puts the components of all files of a layer
// together, Merge makes the bill of materials of one or several layers, and Owners
// tells which package a file belongs to.
//
// A component says How it is known, and what is only a guess says so. It does not
// say whether files are what the metadata claims. It refuses to look a package up
// anywhere: nothing is known here but what the layer says.
package sbom

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// The ecosystems, as OSV names them (https://ossf.github.io/osv-schema/). What has
// none (a C library, an extension) has the ecosystem "".
const (
	PyPI      = "PyPI"
	NPM       = "npm"
	Maven     = "Maven"
	RubyGems  = "RubyGems"
	NuGet     = "NuGet"
	Go        = "Go"
	Crates    = "crates.io"
	Packagist = "Packagist"
)

// How says how a component is known to be there, and so how much its being there
// is worth.
type How string

// The ways, strongest first.
const (
	// Installed: its metadata lies where its ecosystem's installer puts it, or a
	// compiler wrote it into a program.
	Installed How = "installed"
	// Vendored: a copy inside another package.
	Vendored How = "vendored"
	// Embedded: in an archive, a shaded jar or a bundle, or linked into a library.
	Embedded How = "embedded"
	// Own: the layer's own program or package, which no registry need have.
	Own How = "own"
	// Guessed: no metadata where it should be; the name or version is read off a
	// file name, a version constant or metadata in an odd place.
	Guessed How = "guessed"
	// Locked: a lock file names it, and nothing shows that it is there.
	Locked How = "locked"
)

// A Component is one package as one or more files of the layer tell it.
type Component struct {
	// Ecosystem is OSV's name ("PyPI"), or "".
	Ecosystem string `json:"ecosystem,omitempty"`
	// Name is normalised as the ecosystem does it ("group:artifact" for Maven),
	// Version as written; "" if it is not known.
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	How     How    `json:"how"`
	// Program is true for what runs by itself: an executable, an extension.
	Program bool `json:"program,omitempty"`
	// File is the metadata it was read from, Also more of it, sorted.
	File string   `json:"file"`
	Also []string `json:"also,omitempty"`
	// Root is the folder or file that is this package alone: what is at or below it
	// is its own. For Python it is the metadata's folder, and Files tell the rest.
	// "" if it has no place of its own.
	Root string `json:"root,omitempty"`
	// License is an SPDX expression, "" if none can be made of what is declared;
	// LicenseText is what is declared then, shortened.
	License     string `json:"license,omitempty"`
	LicenseText string `json:"licenseText,omitempty"`
	// Requires are the packages it says it needs, without optional ones, sorted.
	Requires []string `json:"requires,omitempty"`
	// Imports are the top-level names under which Python finds it, sorted.
	Imports []string `json:"imports,omitempty"`
	// Files are what its metadata says it installed, in the metadata's order.
	Files []FileHash `json:"files,omitempty"`
	// Integrity is the registry's digest of the package as it is downloaded
	// ("sha512-" and base64 for npm, "h1:" and base64 for Go).
	Integrity string `json:"integrity,omitempty"`
	// Installer is the tool that installed it ("pip"), and Source the URL it came
	// from, without user, password and query. Both are "" if nothing says so.
	Installer string `json:"installer,omitempty"`
	Source    string `json:"source,omitempty"`
	// Revision is the commit it was built from.
	Revision string `json:"revision,omitempty"`
	// Hooks are the scripts that an installation would run ("postinstall").
	Hooks []string `json:"hooks,omitempty"`
}

// A FileHash is one file that a package's metadata lists.
type FileHash struct {
	// Path is where in the layer the file should be.
	Path string `json:"path"`
	// SHA256 is all zero if the metadata has none. Other is the digest of another
	// algorithm as written ("sha512=…").
	SHA256 Digest `json:"sha256,omitzero"`
	Other  string `json:"other,omitempty"`
	// Size is in bytes, -1 if the metadata has none.
	Size int64 `json:"size"`
	// Script is true for a console script: installers write the path of their Python
	// into its first line, before or after they take the digest.
	Script bool `json:"script,omitempty"`
}

// A Digest is a SHA-256; it is written in hex.
type Digest [32]byte

// MarshalText writes lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 64 hex digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("digest of %d characters: want 64", len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// Limits on what is read of one file.
const (
	maxFile       = 32 << 20 // bytes of a RECORD, a source map
	maxJSON       = 16 << 20 // bytes of a lock file or another list of packages
	maxHeader     = 1 << 20  // bytes of the headers of metadata
	maxComponents = 20_000   // of one file
	maxFiles      = 250_000  // in one RECORD; a layer has fewer
	maxList       = 2_000    // names in one list
	maxText       = 512      // bytes of one name, version or licence
)

// Read returns the components that the file declares, and an error if it is
// metadata that could not be read to the end: the components are what was read
// before. A file that is no metadata has none. Executables have to be given to
// Binary.
func Read(f *layerfs.File) ([]Component, error) {
	if f.Mode.Type() != 0 {
		return nil, nil
	}
	read := reader(f.Path, f.Depth)
	if read == nil {
		return nil, nil
	}
	x := &file{File: f, dir: path.Dir(f.Path), base: path.Base(f.Path)}
	err := read(x)
	if err == nil && x.nameless > 0 {
		err = fmt.Errorf("%d packages without a name", x.nameless)
	}
	if err != nil {
		return x.found, fmt.Errorf("%s: %w", f.Path, err)
	}
	return x.found, nil
}

// Reads reports whether Read would look into the file.
func Reads(f *layerfs.File) bool {
	if f.Mode.Type() != 0 || reader(f.Path, f.Depth) == nil {
		return false
	}
	// Of the scripts and source maps, few name a package.
	return !mayBundle(path.Base(f.Path)) || f.Data == nil || bytes.Contains(f.Data, []byte(modulesFolder))
}

// mayBundle reports whether a bundler may have written the file.
func mayBundle(base string) bool {
	return slices.Contains([]string{".map", ".js", ".mjs", ".cjs"}, path.Ext(base))
}

// A file is a file being read.
type file struct {
	*layerfs.File
	dir, base string
	found     []Component
	nameless  int
}

// reader picks who reads the file by its name, nil if nobody does. It is called
// for every file of a layer: it allocates nothing.
func reader(name string, depth int) func(*file) error {
	slash := strings.LastIndexByte(name, '/')
	base, dir := name[slash+1:], ""
	if slash > 0 {
		dir = name[:slash]
	}
	switch base {
	case "METADATA":
		if strings.HasSuffix(dir, ".dist-info") {
			return pyMetadata
		}
	case "PKG-INFO":
		return pyMetadata
	case "RECORD":
		if strings.HasSuffix(dir, ".dist-info") {
			return pyRecord
		}
	case "INSTALLER", "direct_url.json", "top_level.txt":
		if strings.HasSuffix(dir, ".dist-info") || strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, "EGG-INFO") {
			return pyNote
		}
	case "vendor.txt":
		if strings.HasSuffix(dir, "/_vendor") {
			return pyVendor
		}
	case "__init__.py", "_version.py", "__version__.py", "version.py", "__init__.pyc", "_version.pyc", "__version__.pyc", "version.pyc":
		if modules[dir[strings.LastIndexByte(dir, '/')+1:]] != "" {
			return pyVersion
		}
	case "package.json":
		return nodePackage
	case ".package-lock.json":
		if strings.HasSuffix(dir, "node_modules") {
			return nodeLock
		}
	case "package-lock.json", "npm-shrinkwrap.json":
		if !inNodeModules(dir) {
			return nodeLock
		}
	case "yarn.lock":
		if !inNodeModules(dir) {
			return yarnLock
		}
	case "pnpm-lock.yaml":
		if !inNodeModules(dir) {
			return pnpmLock
		}
	case "pom.properties":
		if strings.Contains(dir, "META-INF/maven/") {
			return javaPom
		}
	case "MANIFEST.MF":
		if depth > 0 && strings.HasSuffix(dir, "!/META-INF") {
			return javaManifest
		}
	case "installed.json":
		if strings.HasSuffix(dir, "vendor/composer") {
			return phpInstalled
		}
	}
	switch {
	case strings.HasSuffix(base, ".py"):
		if modules[base[:len(base)-3]] != "" {
			return pyVersion
		}
	case strings.HasSuffix(base, ".map"):
		return sourceMap
	case strings.HasSuffix(base, ".js"), strings.HasSuffix(base, ".mjs"), strings.HasSuffix(base, ".cjs"):
		if !inNodeModules(dir) {
			return bundle
		}
	case strings.HasSuffix(base, ".jar"), strings.HasSuffix(base, ".war"), strings.HasSuffix(base, ".ear"):
		return javaName
	case strings.HasSuffix(base, ".egg-info"):
		return pyMetadata
	case strings.HasSuffix(base, ".gemspec"):
		if strings.HasSuffix(dir, "specifications") || strings.HasSuffix(dir, "specifications/default") {
			return gemspec
		}
	case strings.HasSuffix(base, ".deps.json"):
		return dotnetDeps
	case strings.HasSuffix(base, ".nuspec"):
		return nuspec
	case strings.HasSuffix(base, ".pyc"):
		if modules[base[:len(base)-4]] != "" {
			return pyVersion
		}
	}
	if lock := pythonLock(base); lock != nil {
		return lock
	}
	if depth == 0 && strings.HasPrefix(name, "extensions/") && slash == len("extensions") {
		return extension
	}
	return nil
}

// extension is an external extension: Lambda starts every file in /opt/extensions
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
func extension(f *file) error {
	f.add(Component{Name: f.base, How: Own, Program: true, Root: f.Path})
	return nil
}

// text returns the whole file. More than limit bytes are an error.
func (f *file) text(limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, fmt.Errorf("%d bytes are above the limit of %d", f.Size, limit)
	}
	return f.start(limit)
}

// start returns the first limit bytes of the file, or all if it is shorter.
func (f *file) start(limit int64) ([]byte, error) {
	if f.Data != nil || f.Size == 0 {
		return f.Data[:min(int64(len(f.Data)), limit)], nil
	}
	b := make([]byte, min(f.Size, limit))
	if _, err := f.ReaderAt.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

var errMany = fmt.Errorf("more than the limit of %d packages", maxComponents)

// add keeps a component, with its texts cut to what a name can be. It returns
// false when there are too many.
func (f *file) add(c Component) bool {
	if len(f.found) >= maxComponents {
		return false
	}
	c.File, c.Root = f.Path, strings.ToValidUTF8(c.Root, "\uFFFD")
	if c.Name, c.Version = clip(c.Name), clip(c.Version); c.Name == "" {
		f.nameless++
		return true
	}
	c.Integrity, c.Installer, c.Source = clip(c.Integrity), clip(c.Installer), address(c.Source)
	c.Requires, c.Imports = tidy(c.Requires), tidy(c.Imports)
	f.found = append(f.found, c)
	return true
}

// clip cuts a text to what is kept of one, and frees it from what it is a part of.
func clip(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD"))
}

// clipTo is the beginning of a text, for a message.
func clipTo(s string, n int) string {
	if len(s) <= n {
		return clip(s)
	}
	return clip(s[:n]) + "…"
}

// tidy sorts names, without doubles and without more than a list may have.
func tidy(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 0 && names[0] == "" {
		names = names[1:]
	}
	if len(names) == 0 {
		return nil
	}
	names = names[:min(len(names), maxList)]
	for i := range names {
		names[i] = clip(names[i])
	}
	return names
}

// address keeps of a URL what is no credential: user, password, query and
// fragment go. What is no URL is dropped whole.
func address(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(clip(s))
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// under joins a relative path as metadata has it to a folder of the layer. It
// does not leave the layer, nor the archive the folder is in.
func under(dir, rel string) string {
	root := ""
	if i := strings.LastIndex(dir, "!/"); i >= 0 {
		root, dir = dir[:i+2], dir[i+2:]
	} else if inner, ok := strings.CutSuffix(dir, "!"); ok {
		root, dir = inner+"!/", ""
	}
	return root + strings.TrimPrefix(path.Join("/", dir, rel), "/")
}

// lines iterates over the lines of b without their ends.
func lines(b []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for len(b) > 0 {
			line := b
			if i := bytes.IndexByte(b, '\n'); i >= 0 {
				line, b = b[:i], b[i+1:]
			} else {
				b = nil
			}
			if !yield(string(bytes.TrimSuffix(line, []byte("\r")))) {
				return
			}
		}
	}
}

// purlTypes are the package URL types of the ecosystems.
var purlTypes = map[string]string{
	PyPI: "pypi", NPM: "npm", Maven: "maven", RubyGems: "gem", NuGet: "nuget", Go: "golang", Crates: "cargo", Packagist: "composer",
}

// PURL is the package URL (https://github.com/package-url/purl-spec).
func (c Component) PURL() string {
	name := c.Name
	switch c.Ecosystem {
	case Maven:
		name = strings.Replace(name, ":", "/", 1)
	case Go, Packagist:
		name = strings.ToLower(name)
	}
	var b strings.Builder
	b.WriteString("pkg:" + cmp.Or(purlTypes[c.Ecosystem], "generic"))
	for part := range strings.SplitSeq(name, "/") {
		if part != "" {
			b.WriteByte('/')
			escape(&b, part)
		}
	}
	if c.Version != "" {
		b.WriteByte('@')
		escape(&b, c.Version)
	}
	return b.String()
}

// escape writes s as a package URL's part.
func escape(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '~', c == ':':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}
