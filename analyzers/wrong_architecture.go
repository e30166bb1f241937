package analyzers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/content"
)

// WrongArchitecture finds: binary cannot run where the function does.
var WrongArchitecture = content.Analyzer{
	ID:          "wrong-architecture",
	Title:       "binary cannot run where the function does",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1036"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html",
	Remediation: "build the layer for the architecture of its functions, one layer for each",
	NoFix:       "a published layer version cannot be changed",
	Run:         wrongArchitecture,
}

func wrongArchitecture(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	arch := ""
	if s.Function != nil {
		arch = s.Function.Architecture
	}
	other := map[string][]string{}
	for _, f := range l.Files {
		if f.Binary == nil {
			continue
		}
		switch {
		case f.Binary.Format != bininfo.ELF:
			other[f.Binary.Format] = append(other[f.Binary.Format], f.Path)
		case f.Binary.Arch != "x86_64" && f.Binary.Arch != "arm64" && f.Binary.Arch != "":
			other[f.Binary.Arch] = append(other[f.Binary.Arch], f.Path)
		case arch != "" && f.Binary.Arch != "" && f.Binary.Arch != arch:
			other[f.Binary.Arch] = append(other[f.Binary.Arch], f.Path)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(other)) {
		files := other[kind]
		var size int64
		for _, p := range files {
			size += l.File(p).Size
		}
		found(content.Result{
			Outcome: lamina.Fail, File: files[0], Key: kind,
			Detail:   fmt.Sprintf("%s of %s, %s, cannot run there", content.Count(len(files), "file"), kind, content.Bytes(size)),
			Evidence: append([]string{"kind: " + kind}, files[:min(len(files), 5)]...),
		})
	}
	return nil
}
