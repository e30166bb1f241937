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
	b, err := f.text(maxFile)
	if err != nil {
		return err
	}
	var deps struct {
		Targets   map[string]map[string]struct{ Dependencies map[string]string }
		Libraries map[string]struct{ Type, SHA512 string }
	}
	if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), &deps); err != nil {
		return err
	}
	for key, l := range deps.Libraries {
		name, version, ok := strings.Cut(key, "/")
		if !ok {
			continue
		}
		c := Component{Ecosystem: NuGet, Name: name, Version: version, How: Installed, Integrity: l.SHA512}
		switch {
		case l.Type == "project":
			c.How = Own
		case f.Depth > 0:
			c.How = Embedded
		}
		for _, target := range deps.Targets {
			for need := range target[key].Dependencies {
				c.Requires = append(c.Requires, need)
			}
		}
		if !f.add(c) {
			return errMany
		}
	}
	sortFound(f.found)
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
// first form, which is a list, and in its second
// (https://getcomposer.org/doc/07-runtime.md).
func phpInstalled(f *file) error {
	b, err := f.text(maxFile)
	if err != nil {
		return err
	}
	type entry struct {
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
	var all struct {
		Packages []entry `json:"packages"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		if json.Unmarshal(b, &all.Packages) != nil {
			return err
		}
	}
	for _, p := range all.Packages {
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
		var licenses []string
		if json.Unmarshal(p.License, &licenses) == nil {
			c.License, c.LicenseText = license(strings.Join(licenses, " OR "))
		}
		for _, name := range keys(p.Require) {
			// "php" and "ext-json" are what it runs on.
			if strings.Contains(name, "/") {
				c.Requires = append(c.Requires, name)
			}
		}
		if !f.add(c) {
			return errMany
		}
	}
	sortFound(f.found)
	return nil
}
