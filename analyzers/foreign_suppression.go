package analyzers

import (
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// ForeignSuppression finds: layer asks scanners to look away.
var ForeignSuppression = content.Analyzer{
	ID:          "foreign-suppression",
	Title:       "layer asks scanners to look away",
	Since:       "0.2",
	Severity:    lamina.Info,
	Techniques:  []string{"T1562"},
	Citation:    "https://semgrep.dev/docs/ignoring-files-folders-code",
	Remediation: "read what is there; to accept a finding, write an exception with a reason and an expiry beside the layer, not in it",
	NoFix:       "a published layer version cannot be changed",
	Run:         foreignSuppression,
}

// suppressionFiles are files by which scanners are told what to pass over.
var suppressionFiles = []string{
	".trivyignore", ".trivyignore.yaml", ".gitleaksignore", ".gitleaks.toml", ".semgrepignore", ".snyk", ".bandit", ".checkov.yaml", ".checkov.yml",
	"osv-scanner.toml", ".grype.yaml", ".secrets.baseline", ".tfsec.yml", ".kics.config", "lamina.toml",
}

func foreignSuppression(s *content.Scan, layer int, found func(content.Result)) error {
	var files, code []string
	l := s.Layers[layer]
	for _, f := range l.Files {
		switch c, _ := l.Owner(f.Path); {
		case c != nil && c.How != sbom.Own:
		case strings.Contains(f.Path, "node_modules/") || strings.Contains(f.Path, "site-packages/"):
		case slices.Contains(suppressionFiles, path.Base(f.Path)):
			files = append(files, "file: "+f.Path)
		case slices.Contains(f.Marks, content.Suppression):
			code = append(code, "comment in: "+f.Path)
		}
	}
	if len(files)+len(code) == 0 {
		return nil
	}
	found(content.Result{
		Outcome: lamina.Fail, Detail: content.Count(len(files), "file") + " and comments in " + content.Count(len(code), "source file") + " ask scanners to pass something over; here nothing in a layer is obeyed",
		Evidence: slices.Concat(files[:min(len(files), 10)], code[:min(len(code), 10)]),
	})
	return nil
}
