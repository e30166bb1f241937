package secret

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
)

// On real layers by others nothing is of high severity: they hold examples,
// documentation and test material, and no secret. What is found is logged.
func TestLayers(t *testing.T) {
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		t.Skip("LAMINA_LAYERS names no folder of fetched layers")
	}
	zips, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(zips) == 0 {
		t.Skipf("no layers in LAMINA_LAYERS: %v", err)
	}
	e := New(Options{Key: []byte("k")})
	for _, z := range zips {
		t.Run(filepath.Base(z), func(t *testing.T) {
			files := layerFiles(t, filepath.Base(z))
			suppressed := map[string]int{}
			for _, name := range slices.Sorted(maps.Keys(files)) {
				r := e.Inspect(files[name], Hint{Path: name})
				for reason, n := range r.Suppressed {
					suppressed[reason] += n
				}
				if r.Incomplete != "" {
					t.Errorf("%s: %s", name, r.Incomplete)
				}
				for _, h := range r.Hits {
					say := t.Logf
					if h.Severity.Rank() >= lamina.High.Rank() {
						say = t.Errorf
					}
					say("%s:%d: %s %s %s %s", name, h.Line, h.Severity, h.Kind, h.Redacted, strings.Join(h.Evidence, ", "))
				}
			}
			t.Logf("%d files, suppressed %v", len(files), suppressed)
		})
	}
}
