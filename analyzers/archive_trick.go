package analyzers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// ArchiveTrick finds: archive says different things to different readers.
var ArchiveTrick = content.Analyzer{
	ID:          "archive-trick",
	Title:       "archive says different things to different readers",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1036", "T1027"},
	Citation:    "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
	Remediation: "build the layer again with an ordinary packer from clean sources, and publish a new version",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         archiveTrick,
}

func archiveTrick(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	count := map[layerfs.OddityKind]int{}
	for i, o := range l.Oddities {
		if o.Kind == layerfs.Duplicate && o.Entry >= 0 && o.Other >= 0 {
			continue // duplicate-entry's
		}
		severity := tricks[o.Kind]
		if severity == "" {
			severity = lamina.Medium
		}
		if count[o.Kind]++; count[o.Kind] > maxTricks {
			continue
		}
		found(content.Result{
			Outcome: lamina.Fail, File: strings.TrimSuffix(o.Path, "!/"), Key: string(o.Kind) + strconv.Itoa(i), Severity: severity,
			Title: "archive: " + strings.ReplaceAll(string(o.Kind), "-", " "), Detail: o.Detail, Evidence: []string{"kind: " + string(o.Kind), "sha256: " + l.SHA256},
		})
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		if n := count[kind] - maxTricks; n > 0 {
			found(content.Result{
				Outcome: lamina.Fail, Key: "more " + string(kind), Severity: tricks[kind], Title: "archive: " + strings.ReplaceAll(string(kind), "-", " "),
				Detail: fmt.Sprintf("%d more places of this kind", n), Evidence: []string{"kind: " + string(kind), "sha256: " + l.SHA256},
			})
		}
	}
	return nil
}

// maxTricks is how many of one kind are named.
const maxTricks = 20

// tricks are the kinds that are not medium.
var tricks = map[layerfs.OddityKind]lamina.Severity{
	layerfs.Unsafe: lamina.High, layerfs.ThroughLink: lamina.High, layerfs.Mismatch: lamina.High,
	layerfs.Clash: lamina.High, layerfs.Privileged: lamina.High, layerfs.Overlap: lamina.High, layerfs.EndRecord: lamina.High,
	layerfs.Encrypted: lamina.High, layerfs.Duplicate: lamina.High, layerfs.Ratio: lamina.Medium, layerfs.Special: lamina.High,
	layerfs.Leading: lamina.High, layerfs.OverLimit: lamina.Medium,
	layerfs.Unclean: lamina.Low, layerfs.WorldWritable: lamina.Low, layerfs.LinkLoop: lamina.Low, layerfs.More: lamina.Medium,
	layerfs.Disguised: lamina.Low, layerfs.Bloated: lamina.Medium, layerfs.Separator: lamina.Medium,
}
