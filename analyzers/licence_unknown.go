package analyzers

import (
	"cmp"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// LicenceUnknown finds: packages without a licence that can be named.
var LicenceUnknown = content.Analyzer{
	ID:          "licence-unknown",
	Title:       "packages declare no licence that can be named",
	Since:       "0.2",
	Severity:    lamina.Info,
	Citation:    "https://spdx.org/licenses/",
	Remediation: "look for their licences; without one nobody may pass them on",
	NoFix:       "a package's licence is its author's to declare",
	Run:         licenceUnknown,
}

func licenceUnknown(s *content.Scan, layer int, found func(content.Result)) error {
	var names []string
	file := ""
	known := 0
	for _, c := range s.Layers[layer].Packages() {
		// What programs are linked of, and copies without metadata, do not say.
		if c.How != sbom.Installed || c.Program || c.Ecosystem == "" || c.Ecosystem == sbom.Go || c.Ecosystem == sbom.Crates {
			continue
		}
		if c.License != "" {
			known++
			continue
		}
		file = cmp.Or(file, c.File)
		line := "package: " + c.PURL()
		if c.LicenseText != "" {
			line += " (" + c.LicenseText[:min(len(c.LicenseText), 60)] + ")"
		}
		if !slices.Contains(names, line) {
			names = append(names, line)
		}
	}
	if len(names) == 0 {
		return nil
	}
	found(content.Result{
		Outcome: lamina.Fail, File: file, Key: "packages", Detail: content.Count(len(names), "package") + " without a licence that has an SPDX name, beside " + content.Count(known, "package") + " with one",
		Evidence: names[:min(len(names), 20)],
	})
	return nil
}
