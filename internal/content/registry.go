package content

import (
	"bytes"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Limits on what is read of a file that configures registries.
const (
	maxRegistryFile = 256 << 10 // bytes
	maxRegistries   = 20        // hosts
)

// registryFiles are the files by which package managers are told where packages
// come from, and the keys that tell it; "" is any key.
var registryFiles = map[string][]string{
	".npmrc": {""}, "npmrc": {""}, ".yarnrc": {"registry"}, ".yarnrc.yml": {"npmregistryserver", "npmpublishregistry"}, ".yarnrc.yaml": {"npmregistryserver"},
	"pip.conf": pipKeys, "pip.ini": pipKeys, ".pypirc": {"repository"}, "requirements.txt": pipKeys, "constraints.txt": pipKeys, "uv.toml": {"url", "index-url", "extra-index-url", "default-index"},
	".gemrc": {""}, "gemrc": {""}, "nuget.config": {"<add"}, "settings.xml": {"<url"}, ".condarc": {""}, "bunfig.toml": {"registry", "url"},
	"pyproject.toml": {"url"}, "pipfile": {"url"},
}

var pipKeys = []string{"index-url", "extra-index-url", "--index-url", "--extra-index-url", "-i", "--find-links", "find-links", "trusted-host", "--trusted-host"}

// tomlSources are the tables of pyproject.toml and Pipfile that name registries;
// other tables have URLs of home pages.
var tomlSources = []string{"[[tool.poetry.source]]", "[[tool.uv.index]]", "[[tool.pdm.source]]", "[[source]]"}

// registries are the hosts that the file tells a package manager to take packages
// from, sorted. Users, passwords and paths are left out.
func registries(f *layerfs.File) []string {
	base := strings.ToLower(path.Base(f.Path))
	keys := registryFiles[base]
	if keys == nil || f.Data == nil || len(f.Data) > maxRegistryFile {
		return nil
	}
	tables := base == "pyproject.toml" || base == "pipfile"
	in := !tables
	var hosts []string
	for line := range bytes.Lines(f.Data) {
		text := strings.TrimSpace(string(line))
		if tables && strings.HasPrefix(text, "[") {
			in = slices.Contains(tomlSources, text)
		}
		if !in || text == "" || text[0] == '#' || text[0] == ';' || !hasKey(text, keys) {
			continue
		}
		for _, host := range hostsIn(text) {
			if len(hosts) < maxRegistries && !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// hasKey reports whether a line sets one of the keys.
func hasKey(text string, keys []string) bool {
	text = strings.ToLower(text)
	for _, key := range keys {
		if rest, ok := strings.CutPrefix(text, key); ok && (key == "" || rest == "" || strings.ContainsRune(" \t=:>", rune(rest[0]))) {
			return true
		}
	}
	return false
}

// hostsIn are the hosts of the URLs in a line, and of npm's "//host/path/:key".
func hostsIn(text string) []string {
	var hosts []string
	for rest := text; ; {
		i := strings.Index(rest, "//")
		if i < 0 {
			break
		}
		rest = rest[i:]
		end := strings.IndexAny(rest, " \t\"'<>,;")
		if end < 0 {
			end = len(rest)
		}
		if u, err := url.Parse("https:" + rest[:end]); err == nil {
			if host := strings.ToLower(u.Hostname()); host != "" && strings.Contains(host, ".") {
				hosts = append(hosts, host)
			}
		} else if authority, _, _ := strings.Cut(rest[2:end], "/"); strings.Contains(authority, ".") {
			// npm's keys are no URLs: "//host/:_authToken=x".
			if k := strings.LastIndexByte(authority, '@'); k >= 0 {
				authority = authority[k+1:]
			}
			host, _, _ := strings.Cut(authority, ":")
			hosts = append(hosts, strings.ToLower(host))
		}
		rest = rest[end:]
	}
	return hosts
}

// publicHosts are where anybody gets packages and sources from.
var publicHosts = []string{
	"npmjs.org", "npmjs.com", "yarnpkg.com", "npmmirror.com", "jsr.io", "pypi.org", "pythonhosted.org", "python.org", "pytorch.org", "anaconda.org", "anaconda.com",
	"rubygems.org", "maven.org", "apache.org", "nuget.org", "crates.io", "packagist.org", "golang.org", "github.com", "githubusercontent.com", "gitlab.com", "bitbucket.org",
	"w3.org", "microsoft.com", "visualstudio.com", "example.com", "example.org", "wheels.dev", "piwheels.org", "nvidia.com",
}

// PublicHost reports whether everybody can take packages or sources from the host.
func PublicHost(host string) bool {
	// Hosted private registries have names below the vendor's.
	if strings.HasSuffix(host, ".pkgs.visualstudio.com") {
		return false
	}
	return slices.ContainsFunc(publicHosts, func(p string) bool { return host == p || strings.HasSuffix(host, "."+p) })
}
