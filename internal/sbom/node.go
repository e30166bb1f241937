package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// inNodeModules reports whether the folder is inside an installed package. A lock
// file there is the package's own, for its developers.
func inNodeModules(dir string) bool {
	return strings.HasPrefix(dir, "node_modules/") || strings.Contains(dir, "/node_modules/")
}

// A manifest is what is used of a package.json
// (https://docs.npmjs.com/cli/configuring-npm/package-json). Everything may be of
// another type than it should be.
type manifest struct {
	Name         json.RawMessage `json:"name"`
	Version      json.RawMessage `json:"version"`
	License      json.RawMessage `json:"license"`
	Licenses     json.RawMessage `json:"licenses"`
	Dependencies json.RawMessage `json:"dependencies"`
	Scripts      json.RawMessage `json:"scripts"`
	Private      json.RawMessage `json:"private"`
}

// hooks are the scripts that npm runs when it installs a package
// (https://docs.npmjs.com/cli/using-npm/scripts).
var hooks = []string{"install", "postinstall", "preinstall"}

// nodePackage reads a package.json. Directly below node_modules, or below a scope
// there, it makes an installed package. Elsewhere inside a package it is a
// fixture or a hint to Node, and outside of node_modules the layer's own.
func nodePackage(f *file) error {
	above := path.Dir(f.dir)
	if strings.HasPrefix(path.Base(above), "@") {
		above = path.Dir(above)
	}
	installed := path.Base(above) == "node_modules" && !strings.HasPrefix(path.Base(f.dir), ".")
	b, err := f.text(maxHeader)
	var m manifest
	if err == nil {
		err = json.Unmarshal(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), &m)
	}
	if err != nil {
		if !installed {
			return nil // Node does not take it for a package either
		}
		err = fmt.Errorf("package.json of an installed package: %w", err)
	}
	c := Component{Ecosystem: NPM, Name: text(m.Name), Version: text(m.Version), How: Installed, Root: f.dir}
	switch {
	case installed:
		if f.Depth > 0 {
			c.How = Embedded
		}
		if c.Name == "" {
			c.Name = f.base0()
		}
	case c.Name == "" || c.Version == "":
		return nil
	case inNodeModules(f.dir):
		c.How = Guessed
	default:
		c.How = Own
	}
	c.License, c.LicenseText = npmLicense(m.License, m.Licenses)
	c.Requires = keys(m.Dependencies)
	for _, name := range keys(m.Scripts) {
		if slices.Contains(hooks, name) {
			c.Hooks = append(c.Hooks, name)
		}
	}
	slices.Sort(c.Hooks)
	f.add(c)
	return err
}

// base0 is the name that the folder of an installed package gives it.
func (f *file) base0() string {
	if scope := path.Base(path.Dir(f.dir)); strings.HasPrefix(scope, "@") {
		return scope + "/" + path.Base(f.dir)
	}
	return path.Base(f.dir)
}

// text is a JSON string, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// keys are the names of a JSON object, as many as a list may have; none of
// anything else.
func keys(raw json.RawMessage) []string {
	var names []string
	// What is no object to its end has the names before.
	_ = members(raw, func(name string, _ json.RawMessage) error {
		names = append(names, name)
		if len(names) == maxList {
			return errMany
		}
		return nil
	})
	return names
}

// members gives the members of a JSON object one by one, so that an object with
// millions of them is never in memory as a map.
func members(b []byte, each func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := each(name.(string), value); err != nil { //nolint:errcheck,forcetypeassert // the decoder has no other names
			return err
		}
	}
	_, err = d.Token()
	return err
}

// elements gives the elements of a JSON array one by one.
func elements(b []byte, each func(value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return errors.New("no JSON array")
	}
	for d.More() {
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := each(value); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// npmLicense reads the licence as an expression, as an object with a type, or as
// the list of both that old packages have.
func npmLicense(raws ...json.RawMessage) (expression, written string) {
	for _, raw := range raws {
		if s := oneLicense(raw); s != "" {
			return license(s)
		}
		var all []string
		_ = elements(raw, func(one json.RawMessage) error {
			if s := oneLicense(one); s != "" {
				all = append(all, s)
			}
			if len(all) == 8 {
				return errMany
			}
			return nil
		})
		if len(all) > 0 {
			return license(strings.Join(all, " OR "))
		}
	}
	return "", ""
}

func oneLicense(raw json.RawMessage) string {
	if s := text(raw); s != "" || len(raw) == 0 || raw[0] != '{' {
		return s
	}
	var object struct {
		Type json.RawMessage `json:"type"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	return text(object.Type)
}

// A locked package is one entry of a package-lock.json, an npm-shrinkwrap.json or
// the hidden node_modules/.package-lock.json
// (https://docs.npmjs.com/cli/configuring-npm/package-lock-json).
type locked struct {
	Name      string          `json:"name"`
	Version   string          `json:"version"`
	Resolved  json.RawMessage `json:"resolved"`
	Integrity string          `json:"integrity"`
	License   json.RawMessage `json:"license"`
	Link      bool            `json:"link"`
	// Requires is what it needs in version 1 of the format, and Dependencies what
	// lies in its own node_modules; later Dependencies is what it needs.
	Requires     json.RawMessage `json:"requires"`
	Dependencies json.RawMessage `json:"dependencies"`
}

// nodeLock reads one of npm's lock files. The packages' folders are named in it,
// so Join can tell which of them are there.
func nodeLock(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	root := f.dir
	if f.base == ".package-lock.json" {
		root = path.Dir(f.dir)
	}
	var packages, dependencies json.RawMessage
	err = members(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), func(name string, value json.RawMessage) error {
		switch name {
		case "packages":
			packages = value
		case "dependencies":
			dependencies = value
		}
		return nil
	})
	switch {
	case err != nil:
	case packages != nil:
		err = members(packages, func(where string, value json.RawMessage) error {
			i := strings.LastIndex(where, "node_modules/")
			if i < 0 {
				return nil // the project itself, or a folder of it
			}
			var p locked
			if err := json.Unmarshal(value, &p); err != nil || p.Link {
				return err
			}
			p.Name = cmp.Or(p.Name, where[i+len("node_modules/"):])
			return f.locked(p, under(root, where), p.Dependencies)
		})
	case dependencies != nil:
		err = f.lockedTree(dependencies, root, 0)
	}
	sortFound(f.found)
	return err
}

// lockedTree adds the packages of a lock file of version 1.
func (f *file) lockedTree(all json.RawMessage, root string, depth int) error {
	if depth > 32 {
		return errors.New("packages in packages deeper than 32")
	}
	return members(all, func(name string, value json.RawMessage) error {
		var p locked
		if err := json.Unmarshal(value, &p); err != nil {
			return err
		}
		p.Name = name
		where := under(root, "node_modules/"+name)
		if err := f.locked(p, where, p.Requires); err != nil || len(p.Dependencies) == 0 {
			return err
		}
		return f.lockedTree(p.Dependencies, where, depth+1)
	})
}

func (f *file) locked(p locked, where string, needs json.RawMessage) error {
	c := Component{Ecosystem: NPM, Name: p.Name, Version: p.Version, How: Locked, Root: where, Integrity: p.Integrity, Source: text(p.Resolved)}
	c.License, c.LicenseText = npmLicense(p.License)
	c.Requires = keys(needs)
	if !f.add(c) {
		return errMany
	}
	return nil
}

// yarnLock reads the lock files of yarn: version 1, which looks like YAML, and
// later ones, which are
// (https://classic.yarnpkg.com/lang/en/docs/yarn-lock/,
// https://yarnpkg.com/configuration/manifest). They do not name folders.
func yarnLock(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	var c Component
	flush := func() bool {
		ok := c.Version == "" || f.add(c)
		c = Component{}
		return ok
	}
	for line := range lines(b) {
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] != ' ':
			if !flush() {
				return errMany
			}
			first, _, _ := strings.Cut(strings.TrimSuffix(line, ":"), ",")
			name, spec := nameAt(strings.Trim(first, `"`))
			if name == "__metadata" || strings.HasPrefix(spec, "workspace:") || strings.HasPrefix(spec, "link:") || strings.HasPrefix(spec, "file:") {
				name = ""
			}
			c = Component{Ecosystem: NPM, Name: name, How: Locked}
		case c.Name != "" && strings.HasPrefix(line, "  ") && line[2] != ' ':
			key, value := yarnField(line)
			switch key {
			case "version":
				c.Version = value
			case "integrity":
				c.Integrity = value
			case "resolved":
				c.Source = value
			case "resolution":
				// An alias: the package has another name than it is asked for by.
				c.Name, _ = nameAt(value)
			}
		}
	}
	if !flush() {
		return errMany
	}
	sortFound(f.found)
	return nil
}

// yarnField splits `  version "1.2.3"` and `  version: 1.2.3`.
func yarnField(line string) (key, value string) {
	key, value, _ = strings.Cut(strings.TrimSpace(line), " ")
	return strings.TrimSuffix(key, ":"), strings.Trim(value, `"`)
}

// nameAt splits "@scope/name@spec".
func nameAt(s string) (name, spec string) {
	i := strings.IndexByte(s[min(1, len(s)):], '@')
	if i < 0 {
		return s, ""
	}
	return s[:i+1], s[i+2:]
}

// pnpmLock reads the packages of pnpm's lock file, whose keys have had three
// forms: "/name/1.2.3_peer", "/name@1.2.3(peer)" and "name@1.2.3"
// (https://github.com/pnpm/spec/tree/master/lockfile).
func pnpmLock(f *file) error {
	b, err := f.text(maxFile)
	if err != nil {
		return err
	}
	in := false
	for line := range lines(b) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] != ' ':
			in = trimmed == "packages:"
		case in && strings.HasPrefix(line, "  ") && line[2] != ' ':
			key := strings.Trim(strings.TrimSuffix(strings.TrimSuffix(trimmed, " {}"), ":"), `'"`)
			if name, version := pnpmKey(key); version != "" {
				if !f.add(Component{Ecosystem: NPM, Name: name, Version: version, How: Locked}) {
					return errMany
				}
			}
		case in && len(f.found) > 0 && strings.HasPrefix(trimmed, "resolution:"):
			if _, sum, ok := strings.Cut(trimmed, "integrity: "); ok {
				sum, _, _ = strings.Cut(sum, ",")
				f.found[len(f.found)-1].Integrity = clip(strings.TrimRight(sum, "} "))
			}
		}
	}
	sortFound(f.found)
	return nil
}

func pnpmKey(key string) (name, version string) {
	key, _, _ = strings.Cut(key, "(")
	key = strings.TrimPrefix(key, "/")
	name, version = nameAt(key)
	if version == "" {
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			return key, ""
		}
		name, version = key[:i], key[i+1:]
	}
	version, _, _ = strings.Cut(version, "_")
	if version == "" || version[0] < '0' || version[0] > '9' {
		return name, "" // a folder or a URL
	}
	return name, version
}

// modulesFolder is in the path of every file of an installed package.
const modulesFolder = "node_modules/"

// sourceMap reads which packages a bundler put into a script: their files stand
// under "sources" (https://tc39.es/ecma426/). The names are searched for rather
// than the whole parsed: a map also carries the text of every source. A text in
// JSON has its quotes escaped, so "sources" with bare quotes is the key.
func sourceMap(f *file) error {
	b := f.Data
	if b == nil {
		var err error
		if b, err = f.text(maxFile); err != nil {
			return err
		}
	}
	if !bytes.Contains(b, []byte(modulesFolder)) {
		return nil
	}
	seen := map[string]bool{}
	for rest := b; ; {
		i := bytes.Index(rest, []byte(`"sources"`))
		if i < 0 {
			break
		}
		rest = bytes.TrimLeft(rest[i+len(`"sources"`):], " \t\r\n:")
		if len(rest) == 0 || rest[0] != '[' {
			continue
		}
		end := bytes.IndexByte(rest, ']')
		for part := range bytes.SplitSeq(rest[:max(end, 0)], []byte(`"`)) {
			if !f.bundled(seen, string(part)) {
				return errBundled
			}
		}
	}
	sortFound(f.found)
	return nil
}

var errBundled = fmt.Errorf("more than the limit of %d bundled packages", maxList)

// bundled adds the package that a source's path is in, once. It returns false when
// there are too many.
func (f *file) bundled(seen map[string]bool, source string) bool {
	name, version := bundled(source)
	if name == "" || seen[name+"@"+version] {
		return true
	}
	seen[name+"@"+version] = true
	return len(seen) <= maxList && f.add(Component{Ecosystem: NPM, Name: name, Version: version, How: Embedded})
}

// bundle reads the comments with which bundlers begin the code of each source when
// they do not minify: "// node_modules/x/y.js" of esbuild and rollup's plugins,
// "/***/ "./node_modules/x/y.js"" and ";// ./node_modules/x/y.js" of webpack.
func bundle(f *file) error {
	b := f.Data
	if b == nil {
		var err error
		if b, err = f.text(maxFile); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(modulesFolder))
		if i < 0 {
			break
		}
		at += i
		begin := 1 + bytes.LastIndexByte(b[max(0, at-128):at], '\n') + max(0, at-128)
		end := at + len(modulesFolder)
		for end < len(b) && end < at+maxText && strings.IndexByte("\n\r\"'`*!? ", b[end]) < 0 {
			end++
		}
		before := bytes.TrimSpace(b[begin:at])
		if bytes.HasPrefix(before, []byte("//")) || bytes.HasPrefix(before, []byte(";//")) || bytes.HasPrefix(before, []byte("/***/ \"")) {
			if !f.bundled(seen, string(b[begin:end])) {
				return errBundled
			}
		}
		at = end
	}
	sortFound(f.found)
	return nil
}

// bundled is the package that a source's path is in, with the version if the
// path has it, as pnpm's and yarn's do.
func bundled(source string) (name, version string) {
	i := strings.LastIndex(source, modulesFolder)
	if i < 0 {
		return "", ""
	}
	before, rest := source[:i], source[i+len(modulesFolder):]
	parts := strings.SplitN(rest, "/", 3)
	n := 1
	if strings.HasPrefix(rest, "@") {
		n = 2
	}
	if len(parts) <= n || parts[0] == "" || strings.HasPrefix(parts[0], ".") {
		return "", ""
	}
	name = strings.Join(parts[:n], "/")
	folder := strings.ReplaceAll(name, "/", "+") + "@"
	if j := strings.LastIndex(before, ".pnpm/"+folder); j >= 0 {
		version, _, _ = strings.Cut(before[j+len(".pnpm/"+folder):], "/")
		version, _, _ = strings.Cut(version, "_")
		version, _, _ = strings.Cut(version, "(")
	}
	return name, version
}

// sortFound orders what came out of a map.
func sortFound(found []Component) {
	slices.SortStableFunc(found, byPlace)
}
