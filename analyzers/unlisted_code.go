package analyzers

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// UnlistedCode finds: code in a package's folder that the package did not install.
var UnlistedCode = content.Analyzer{
	ID:          "unlisted-code",
	Title:       "code in a package's folder that the package did not install",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002", "T1554"},
	Citation:    "https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file",
	Remediation: "install the package again from its registry, and keep code of your own in a folder of its own",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         unlistedCode,
}

func unlistedCode(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	added := map[string][]content.Result{} // by the package's place
	names := map[string]string{}
	for _, f := range l.Files {
		if f.Hidden || f.Kind != content.Python && f.Kind != content.ELF && !strings.HasSuffix(f.Path, ".py") {
			continue
		}
		c, h := l.Owner(f.Path)
		if c == nil || h != nil || len(c.Files) == 0 || c.Ecosystem != "PyPI" {
			continue
		}
		module, ok := content.Module(path.Dir(c.Root), f.Path)
		if !ok {
			continue
		}
		r := content.Result{
			Outcome: lamina.Fail, File: f.Path, Severity: lamina.Medium, Detail: fmt.Sprintf("import %s loads it, and no RECORD lists it: %s %s did not bring it", module, c.Name, c.Version),
			Evidence: []string{"package: " + c.PURL(), "file sha256: " + f.SHA256.String()},
		}
		switch path.Base(f.Path) {
		case "lextab.py", "yacctab.py", "parsetab.py":
			r.Severity = lamina.Info
			r.Detail = fmt.Sprintf("%s %s did not bring it: parsers write such tables when they first run", c.Name, c.Version)
		}
		added[c.Root] = append(added[c.Root], r)
		names[c.Root] = c.Name
	}
	for _, root := range slices.Sorted(maps.Keys(added)) {
		content.Fold(added[root], found, "more "+root, func(more int) string {
			return content.Count(more, "more module") + " that " + names[root] + " did not bring"
		})
	}
	return nil
}
