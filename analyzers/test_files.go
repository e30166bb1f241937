package analyzers

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// TestFiles finds: files that nothing loads.
var TestFiles = content.Analyzer{
	ID:          "test-files",
	Title:       "layer holds files that nothing loads",
	Since:       "0.2",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
	Remediation: "leave them out when the layer is built",
	NoFix:       "a published layer version cannot be changed",
	Run:         testFiles,
}

func testFiles(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	type sum struct {
		files int
		bytes int64
	}
	sums := map[string]sum{}
	var all int64
	for _, f := range l.Files {
		if f.Nested || f.Hidden || f.Kind == content.Link {
			continue
		}
		if what := needless(s, l, f); what != "" {
			x := sums[what]
			sums[what] = sum{x.files + 1, x.bytes + f.Size}
			all += f.Size
		}
	}
	if all == 0 || all < l.Inflated/leastShare {
		return nil
	}
	r := content.Result{Outcome: lamina.Fail, Detail: fmt.Sprintf("%s of the layer's %s are files that a function does not load", content.Bytes(all), content.Bytes(l.Inflated))}
	for _, what := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b].bytes, sums[a].bytes), cmp.Compare(a, b))
	}) {
		r.Evidence = append(r.Evidence, fmt.Sprintf("%s: %s in %s", what, content.Bytes(sums[what].bytes), content.Count(sums[what].files, "file")))
	}
	found(r)
	return nil
}

// needless says what a file is that nothing loads; "" if something may.
func needless(s *content.Scan, l *content.Layer, f *content.File) string {
	base := strings.ToLower(path.Base(f.Path))
	if f.Kind == content.Pyc {
		source, cached := pycSource(f.Path)
		switch {
		case cached && l.File(source) == nil:
			return "compiled files without their sources"
		case cached && f.Compiled != nil && f.Compiled.Python != "" && otherPython(s, f):
			return "compiled files of another Python"
		}
		return ""
	}
	if content.Test(f.Path) {
		return "tests, examples and documents"
	}
	switch ext := path.Ext(base); {
	case strings.HasSuffix(base, ".d.ts") || strings.HasSuffix(base, ".d.mts") || strings.HasSuffix(base, ".d.cts") || ext == ".pyi":
		return "type declarations"
	case strings.HasPrefix(base, "licen") || strings.HasPrefix(base, "notice") || strings.HasPrefix(base, "copying"):
		return "" // licences want to be passed on
	case ext == ".md" || ext == ".rst" || ext == ".markdown":
		return "tests, examples and documents"
	case ext == ".map":
		return "source maps"
	case ext == ".c" || ext == ".h" || ext == ".cpp" || ext == ".hpp" || ext == ".cc" || ext == ".pyx" || ext == ".pxd" || ext == ".a" || ext == ".o":
		return "sources and parts of native code"
	case strings.Contains(f.Path, "/.cache/") || strings.Contains(f.Path, "/.npm/") || strings.Contains(f.Path, "/.pytest_cache/") || strings.Contains(f.Path, "/.mypy_cache/") || strings.Contains(f.Path, "/pip/cache/"):
		return "caches of tools"
	case f.Kind == content.Foreign:
		return "programs of other systems"
	}
	return ""
}

// otherPython reports whether the Python that runs the layer is known and is not
// the one that compiled the file.
func otherPython(s *content.Scan, f *content.File) bool {
	want := ""
	if s.RuntimeKnown() {
		want = strings.TrimPrefix(s.Function.Runtime, "python")
	} else if rest, ok := strings.CutPrefix(f.Path, "python/lib/python"); ok {
		want, _, _ = strings.Cut(rest, "/")
	}
	return want != "" && f.Compiled.Python != want
}
