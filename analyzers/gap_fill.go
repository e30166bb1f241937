package analyzers

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// GapFill finds: function imports what only a layer brings.
var GapFill = content.Analyzer{
	ID:          "gap-fill",
	Title:       "function imports what only a layer brings",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html",
	Remediation: "if the name is a mistake, correct it; else pin the package in the function",
	NoFix:       "a published layer version cannot be changed",
	Run:         gapFill,
}

func gapFill(s *content.Scan, layer int, found func(content.Result)) error {
	if s.Function == nil || s.Function.Code == nil {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "the function's package was not given"})
		return nil
	}
	seen := map[string]bool{}
	for _, f := range s.Function.Code.Files {
		if f.Code == nil || f.Nested {
			continue
		}
		for _, imp := range f.Code.Imports {
			name := topLevel(imp)
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			at := s.View().Resolve(name)
			if at.From != content.OfLayer(layer) {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: content.InLayer(at.Path), Key: name, Severity: lamina.Info,
				Detail:   fmt.Sprintf("%s, which %s imports on line %d, comes from this layer alone", name, f.Path, imp.Line),
				Evidence: []string{"name: " + name},
			}
			if like := content.Resembles(name); like != "" {
				r.Severity = lamina.Medium
				r.Detail += "; it is one letter away from " + like
				r.Evidence = append(r.Evidence, "resembles: "+like)
			}
			found(r)
		}
	}
	return nil
}

// topLevel is the package that an import asks for, "" if it is relative.
func topLevel(imp codeflow.Import) string {
	name := imp.Module
	if imp.Level > 0 || name == "" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "node:") {
		return ""
	}
	if imp.Kind == codeflow.ImportRequire || strings.Contains(name, "/") {
		parts := strings.SplitN(name, "/", 3)
		if strings.HasPrefix(name, "@") && len(parts) > 1 {
			return parts[0] + "/" + parts[1]
		}
		return parts[0]
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}
