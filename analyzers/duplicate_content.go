package analyzers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// DuplicateContent finds: same bytes several times.
var DuplicateContent = content.Analyzer{
	ID:          "duplicate-content",
	Title:       "layer holds the same files several times",
	Since:       "0.2",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
	Remediation: "install packages once; replace copies by symbolic links, which layers keep",
	NoFix:       "a published layer version cannot be changed",
	Run:         duplicateContent,
}

// The least waste worth a word: of bytes, and of the layer.
const (
	leastCopy  = 1 << 10 // bytes of a file
	leastShare = 50      // a fiftieth of the layer
)

func duplicateContent(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	copies := map[content.Digest][]*content.File{}
	for _, f := range l.Files {
		if !f.Nested && !f.Hidden && f.Kind != content.Link && f.Size >= leastCopy {
			copies[f.SHA256] = append(copies[f.SHA256], f)
		}
	}
	maps.DeleteFunc(copies, func(_ content.Digest, files []*content.File) bool { return len(files) < 2 })
	wasted := func(files []*content.File) int64 { return files[0].Size * int64(len(files)-1) }
	groups := slices.SortedFunc(maps.Values(copies), func(a, b []*content.File) int {
		return cmp.Or(cmp.Compare(wasted(b), wasted(a)), cmp.Compare(a[0].Path, b[0].Path))
	})
	var waste int64
	for _, g := range groups {
		waste += wasted(g)
	}
	if waste == 0 || waste < l.Inflated/leastShare {
		return nil
	}
	r := content.Result{
		Outcome: lamina.Fail, Detail: fmt.Sprintf("copies of %s take %s of the layer's %s", content.Count(len(groups), "file"), content.Bytes(waste), content.Bytes(l.Inflated)),
	}
	for _, g := range groups[:min(len(groups), 10)] {
		r.Evidence = append(r.Evidence, fmt.Sprintf("%s in %s: %s", content.Bytes(wasted(g)), content.Count(len(g)-1, "more file"), g[0].Path))
	}
	found(r)
	return nil
}
