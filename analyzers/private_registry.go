package analyzers

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// PrivateRegistry finds: file names a private package registry.
var PrivateRegistry = content.Analyzer{
	ID:          "private-registry",
	Title:       "file names a private package registry",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1592", "T1195.001"},
	Citation:    "https://docs.npmjs.com/cli/v11/configuring-npm/npmrc",
	Remediation: "configure registries where layers are built, and leave the configuration out of them",
	NoFix:       "a published layer version cannot be changed",
	Run:         privateRegistry,
}

func privateRegistry(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		hosts := slices.Clone(f.Registries)
		switch path.Base(f.Path) {
		case "package-lock.json", ".package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "direct_url.json":
			for _, c := range f.Components {
				if u, err := url.Parse(c.Source); err == nil && strings.HasPrefix(u.Scheme, "http") && u.Hostname() != "" {
					hosts = append(hosts, strings.ToLower(u.Hostname()))
				}
			}
		}
		slices.Sort(hosts)
		hosts = slices.DeleteFunc(slices.Compact(hosts), content.PublicHost)
		if len(hosts) == 0 {
			continue
		}
		r := content.Result{Outcome: lamina.Fail, File: f.Path, Detail: "packages come from " + strings.Join(hosts[:min(len(hosts), 3)], ", ")}
		for _, h := range hosts[:min(len(hosts), 10)] {
			r.Evidence = append(r.Evidence, "host: "+h)
		}
		if c, _ := l.Owner(f.Path); c != nil && c.Root != "" && strings.Contains(f.Path, "node_modules/") && path.Base(f.Path) != ".package-lock.json" {
			r.Severity = lamina.Info // its authors left it in
		}
		found(r)
	}
	return nil
}
