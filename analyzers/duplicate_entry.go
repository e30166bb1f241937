package analyzers

import (
	"fmt"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// DuplicateEntry finds names that the zip lists more than once.
var DuplicateEntry = content.Analyzer{
	ID:          "duplicate-entry",
	Title:       "zip lists a name twice",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1036"},
	Citation:    "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
	Remediation: "build the layer again with a packer that writes each name once, and publish a new version",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         duplicateEntry,
}

func duplicateEntry(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	entries := l.Entries
	for _, o := range l.Oddities {
		if o.Kind != layerfs.Duplicate || o.Entry < 0 {
			continue // below 0, it is in an archive in the layer
		}
		first, second := entries[o.Other], entries[o.Entry]
		r := content.Result{
			Outcome: lamina.Fail, File: second.Path, Key: strconv.Itoa(o.Entry),
			Detail: fmt.Sprintf("entries %d and %d have the same name and different content: which one runs depends on the unpacker", o.Other+1, o.Entry+1),
			Evidence: []string{
				fmt.Sprintf("entry %d: %d bytes, crc32 %08x", o.Other+1, first.Size, first.CRC32),
				fmt.Sprintf("entry %d: %d bytes, crc32 %08x", o.Entry+1, second.Size, second.CRC32),
				"sha256: " + l.SHA256,
			},
		}
		if same(l, second.Path) {
			r.Severity = lamina.Low
			r.Detail = fmt.Sprintf("entries %d and %d have the same name and the same content", o.Other+1, o.Entry+1)
		}
		found(r)
	}
	return nil
}

// same reports whether all entries of the name were read and have the same
// digest. Sizes and checksums would not do: anybody can make a file with those of
// another.
func same(l *content.Layer, name string) bool {
	var first *content.File
	n := 0
	for _, f := range l.Files {
		if f.Path != name {
			continue
		}
		if n++; first == nil {
			first = f
		} else if f.SHA256 != first.SHA256 {
			return false
		}
	}
	return n > 1
}
