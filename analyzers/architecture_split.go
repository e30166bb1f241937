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

// ArchitectureSplit finds: script runs another program on another architecture.
var ArchitectureSplit = content.Analyzer{
	ID:          "architecture-split",
	Title:       "script runs another program on another architecture",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1480"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html",
	Remediation: "compare what the two programs do, and build both from one source",
	NoFix:       "a published layer version cannot be changed",
	Run:         architectureSplit,
}

func architectureSplit(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	twins := map[string]map[string]*content.File{}
	for _, f := range l.Files {
		if f.Binary == nil || f.Binary.Arch == "" {
			continue
		}
		// Twins have the same name, in folders named after machines.
		name := path.Base(f.Path)
		if twins[name] == nil {
			twins[name] = map[string]*content.File{}
		}
		twins[name][f.Binary.Arch] = f
	}
	for _, name := range slices.Sorted(maps.Keys(twins)) {
		a, b := twins[name]["x86_64"], twins[name]["arm64"]
		if a == nil || b == nil {
			continue
		}
		if extra := append(without(a, b), without(b, a)...); len(extra) > 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: a.Path, Key: name,
				Detail:   fmt.Sprintf("%s and %s differ in what they can do: %s", a.Path, b.Path, strings.Join(extra, ", ")),
				Evidence: []string{"x86_64 sha256: " + a.SHA256.String(), "arm64 sha256: " + b.SHA256.String()},
			})
		}
	}
	return nil
}

// without lists what a has and b has not, of words and imports of interest.
func without(a, b *content.File) []string {
	var out []string
	for _, m := range a.Marks {
		if !slices.Contains(b.Marks, m) {
			out = append(out, string(m)+" in "+a.Path)
		}
	}
	for _, i := range a.Binary.Imports {
		if !slices.Contains(b.Binary.Imports, i) {
			out = append(out, i+" in "+a.Path)
		}
	}
	return out
}
