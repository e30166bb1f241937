package analyzers

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// SourceMap finds: source map gives away the source.
var SourceMap = content.Analyzer{
	ID:          "source-map",
	Title:       "source map gives away the source",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1213"},
	Citation:    "https://tc39.es/ecma426/",
	Remediation: "leave source maps out of layers, or build them without sourcesContent",
	NoFix:       "a published layer version cannot be changed",
	Run:         sourceMap,
}

func sourceMap(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if !strings.HasSuffix(f.Path, ".js.map") && !strings.HasSuffix(f.Path, ".mjs.map") && !strings.HasSuffix(f.Path, ".cjs.map") && !strings.HasSuffix(f.Path, ".css.map") {
			continue
		}
		if strings.Contains(f.Path, "node_modules/") {
			continue // of a public package, whose source is public
		}
		found(content.Result{
			Outcome: lamina.Fail, File: f.Path, Severity: lamina.Medium,
			Detail: "it names the source files of your own code, and may hold them", Evidence: []string{fmt.Sprintf("bytes: %d", f.Size), "file sha256: " + f.SHA256.String()},
		})
	}
	return nil
}
