package analyzers

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// ShadowedStdlib finds: layer takes the place of a module of the standard library.
var ShadowedStdlib = content.Analyzer{
	ID:          "shadowed-stdlib",
	Title:       "layer takes the place of a module of the standard library",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html",
	Remediation: "rename the module",
	NoFix:       "a published layer version cannot be changed",
	Run:         shadowedStdlib,
}

func shadowedStdlib(s *content.Scan, layer int, found func(content.Result)) error {
	for _, c := range s.View().Covers() {
		if c.From != content.OfLayer(layer) {
			newerGem(c, layer, found)
			continue
		}
		for _, o := range c.Others {
			if o.From.Kind != opt.FromLibrary {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: content.InLayer(c.Path), Key: c.Name,
				Detail: c.Name + " is loaded from here instead of from the standard library", Evidence: []string{"name: " + c.Name, "why: " + c.Why},
			}
			if backport(c.Name) {
				r.Severity = lamina.Low
			}
			if c.Maybe != "" {
				r.Severity, r.Detail = lamina.Medium, r.Detail+"; "+c.Maybe
			}
			found(r)
			break
		}
	}
	return nil
}

// newerGem reports a gem of the layer that Ruby takes for one of its own if the
// version is higher.
func newerGem(c opt.Resolution, layer int, found func(content.Result)) {
	if c.From.Kind != opt.FromLibrary && c.From.Kind != opt.FromRuntime || !strings.HasPrefix(c.Maybe, "the gem in ") {
		return
	}
	for _, o := range c.Others {
		if o.From == content.OfLayer(layer) {
			found(content.Result{
				Outcome: lamina.Fail, File: content.InLayer(o.Path), Key: c.Name, Severity: lamina.Medium,
				Detail: c.Name + " is loaded from here instead of from Ruby's own gems if this version is higher", Evidence: []string{"name: " + c.Name, "gem: " + o.Path},
			})
			return
		}
	}
}

// backport reports whether a module of the standard library is also published for
// older versions of the language.
func backport(name string) bool {
	return slices.Contains([]string{"typing", "dataclasses", "enum", "contextvars", "asyncio", "pathlib", "statistics", "selectors", "importlib", "zoneinfo", "unittest", "tests", "test"}, name)
}
