package sbom

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Lines of the specification that RubyGems writes when it installs a gem
// (https://guides.rubygems.org/specification-reference/).
var (
	gemStub    = regexp.MustCompile(`^# stub: (\S+) (\S+) (\S+) `)
	gemName    = regexp.MustCompile(`^\s*\w+\.name\s*=\s*"([^"]+)"`)
	gemVersion = regexp.MustCompile(`^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\s*\(?\s*)?"([^"]+)"`)
	gemLicense = regexp.MustCompile(`^\s*\w+\.licenses?\s*=\s*(.+)$`)
	gemNeeds   = regexp.MustCompile(`^\s*\w+\.add_(runtime_|development_)?dependency\(?\s*(?:%q<([^>]+)>|"([^"]+)")`)
	quoted     = regexp.MustCompile(`"([^"]+)"`)
)

// gemspec reads an installed gem's specification; its files are in the folder
// gems beside it. It is Ruby, which is not run: the lines are as RubyGems
// itself writes them.
func gemspec(f *file) error {
	b, err := f.start(maxHeader)
	if err != nil {
		return err
	}
	c := Component{Ecosystem: RubyGems, How: Installed}
	if f.Depth > 0 {
		c.How = Embedded
	}
	platform := "ruby"
	development := map[string]bool{}
	for line := range lines(b) {
		if len(line) > 8*maxText {
			continue // the list of files
		}
		if m := gemStub.FindStringSubmatch(line); m != nil {
			c.Name, c.Version, platform = m[1], m[2], m[3]
		} else if m := gemName.FindStringSubmatch(line); m != nil {
			c.Name = m[1]
		} else if m := gemVersion.FindStringSubmatch(line); m != nil {
			c.Version = m[1]
		} else if m := gemLicense.FindStringSubmatch(line); m != nil {
			var all []string
			for _, q := range quoted.FindAllStringSubmatch(m[1], 8) {
				all = append(all, q[1])
			}
			c.License, c.LicenseText = license(strings.Join(all, " OR "))
		} else if m := gemNeeds.FindStringSubmatch(line); m != nil && len(c.Requires) < maxList {
			// Older specifications list what developers need twice, the second time for
			// versions of RubyGems that know one kind of dependency only.
			if name := m[2] + m[3]; m[1] == "development_" {
				development[name] = true
			} else {
				c.Requires = append(c.Requires, name)
			}
		}
	}
	c.Requires = slices.DeleteFunc(c.Requires, func(name string) bool { return development[name] })
	if c.Name == "" || c.Version == "" {
		return errors.New("no name and version in it")
	}
	folder := c.Name + "-" + c.Version
	if platform != "ruby" {
		folder += "-" + platform
	}
	c.Root = under(strings.TrimSuffix(f.dir, "/default"), "../gems/"+folder)
	f.add(c)
	return nil
}

// dotnetDeps reads the list of libraries that a .NET program was published with
// (https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md).
func dotnetDeps(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	needs := map[string][]string{}
	err = members(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), func(section string, value json.RawMessage) error {
		switch section {
		case "targets":
			return members(value, func(_ string, target json.RawMessage) error {
				return members(target, func(key string, library json.RawMessage) error {
					var l struct{ Dependencies json.RawMessage }
					if err := json.Unmarshal(library, &l); err != nil {
						return err
					}
					if names := keys(l.Dependencies); len(names) > 0 && len(needs) < maxComponents {
						needs[key] = append(needs[key], names...)
					}
					return nil
				})
			})
		case "libraries":
			return members(value, f.dotnetLibrary)
		}
		return nil
	})
	for i := range f.found {
		c := &f.found[i]
		c.Requires = tidy(needs[c.Name+"/"+c.Version])
	}
	sortFound(f.found)
	return err
}

// dotnetLibrary adds the library "Name/Version".
func (f *file) dotnetLibrary(key string, value json.RawMessage) error {
	var l struct{ Type, SHA512 string }
	if err := json.Unmarshal(value, &l); err != nil {
		return err
	}
	name, version, ok := strings.Cut(key, "/")
	if !ok {
		return nil // not how a package is written
	}
	c := Component{Ecosystem: NuGet, Name: name, Version: version, How: Installed, Integrity: l.SHA512}
	switch {
	case l.Type == "project":
		c.How = Own
	case f.Depth > 0:
		c.How = Embedded
	}
	if !f.add(c) {
		return errMany
	}
	return nil
}

// nuspec reads the manifest of a NuGet package
// (https://learn.microsoft.com/en-us/nuget/reference/nuspec).
func nuspec(f *file) error {
	b, err := f.text(maxHeader)
	if err != nil {
		return err
	}
	var spec struct {
		ID      string `xml:"metadata>id"`
		Version string `xml:"metadata>version"`
		License struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"metadata>license"`
		Needs []struct {
			ID string `xml:"id,attr"`
		} `xml:"metadata>dependencies>dependency"`
		Groups []struct {
			Needs []struct {
				ID string `xml:"id,attr"`
			} `xml:"dependency"`
		} `xml:"metadata>dependencies>group"`
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	if err := d.Decode(&spec); err != nil {
		return err
	}
	c := Component{Ecosystem: NuGet, Name: strings.TrimSpace(spec.ID), Version: strings.TrimSpace(spec.Version), How: Installed, Root: f.dir}
	if c.Name == "" || c.Version == "" {
		return errors.New("no id and version in it")
	}
	if f.Depth > 0 {
		c.How = Embedded
	}
	if spec.License.Type == "expression" {
		c.License, c.LicenseText = license(strings.TrimSpace(spec.License.Text))
	}
	for _, n := range spec.Needs {
		c.Requires = append(c.Requires, n.ID)
	}
	for _, g := range spec.Groups {
		for _, n := range g.Needs {
			c.Requires = append(c.Requires, n.ID)
		}
	}
	f.add(c)
	return nil
}

// phpInstalled reads the list of packages that Composer keeps beside them, in its
// first form, which is a list, and in its second, which has one
// (https://getcomposer.org/doc/07-runtime.md).
func phpInstalled(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	list := json.RawMessage(b)
	if start := bytes.TrimLeft(b, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		list = nil
		err = members(b, func(name string, value json.RawMessage) error {
			if name == "packages" {
				list = value
			}
			return nil
		})
	}
	if err == nil && list != nil {
		err = elements(list, f.phpPackage)
	}
	sortFound(f.found)
	return err
}

func (f *file) phpPackage(value json.RawMessage) error {
	var p struct {
		Name    string          `json:"name"`
		Version string          `json:"version"`
		License json.RawMessage `json:"license"`
		Require json.RawMessage `json:"require"`
		Path    string          `json:"install-path"`
		Dist    struct {
			URL    string `json:"url"`
			Commit string `json:"reference"`
		} `json:"dist"`
	}
	if err := json.Unmarshal(value, &p); err != nil {
		return err
	}
	if p.Name == "" || p.Version == "" {
		return errors.New("a package without name and version")
	}
	c := Component{
		Ecosystem: Packagist, Name: strings.ToLower(p.Name), Version: strings.TrimPrefix(p.Version, "v"), How: Installed,
		Source: p.Dist.URL, Revision: clip(p.Dist.Commit),
	}
	if f.Depth > 0 {
		c.How = Embedded
	}
	c.Root = under(path.Dir(f.dir), c.Name)
	if p.Path != "" {
		c.Root = under(f.dir, p.Path)
	}
	c.License, c.LicenseText = npmLicense(p.License)
	for _, name := range keys(p.Require) {
		// "php" and "ext-json" are what it runs on.
		if strings.Contains(name, "/") {
			c.Requires = append(c.Requires, name)
		}
	}
	if !f.add(c) {
		return errMany
	}
	return nil
}
