package analyzers

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// MixedPackage finds: package is made of files of two layers.
var MixedPackage = content.Analyzer{
	ID:          "mixed-package",
	Title:       "package is made of files of two layers",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Remediation: "give each package to one layer",
	NoFix:       "a published layer version cannot be changed",
	Run:         mixedPackage,
}

func mixedPackage(s *content.Scan, layer int, found func(content.Result)) error {
	for _, m := range s.View().Mixed() {
		if m.Namespace || m.Layers[len(m.Layers)-1].Layer != layer+1 {
			continue
		}
		var parts []string
		for _, c := range m.Layers {
			parts = append(parts, fmt.Sprintf("%s of layer %d", content.Count(c.Files, "file"), c.Layer))
		}
		found(content.Result{
			Outcome: lamina.Fail, File: content.InLayer(m.Dir), Severity: lamina.Medium, Detail: "the function sees " + strings.Join(parts, " and "),
			Evidence: []string{"folder: " + m.Dir},
		})
	}
	return nil
}
