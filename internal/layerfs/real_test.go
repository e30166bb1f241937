package layerfs_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Real layers by others are whole: nothing of them is left out, and what is odd
// about them is known.
func TestRealLayers(t *testing.T) {
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		t.Skip("LAMINA_LAYERS is not set to a folder with the fetched layers")
	}
	zips, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatalf("no layers in LAMINA_LAYERS: %v", err)
	}
	for _, z := range zips {
		t.Run(filepath.Base(z), func(t *testing.T) {
			f, err := os.Open(z)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			l, err := layerfs.Open(f, st.Size(), layerfs.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[layerfs.OddityKind]int{}
			example := map[layerfs.OddityKind]string{}
			odd := func(o layerfs.Oddity) { kinds[o.Kind]++; example[o.Kind] = o.Path + ": " + o.Detail }
			for _, o := range l.Oddities() {
				odd(o)
			}
			files, nested, bytes := 0, 0, int64(0)
			err = l.PassWith(layerfs.Options{Odd: odd}, func(f *layerfs.File) error {
				if f.Depth == 0 {
					files++
					bytes += f.Size
				} else {
					nested++
				}
				return nil
			}, func(path string, err error) { t.Logf("damaged: %s: %v", path, err) })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d entries, %d files, %d bytes, %d nested", len(l.Entries()), files, bytes, nested)
			for _, k := range slices.Sorted(func(yield func(layerfs.OddityKind) bool) {
				for k := range kinds {
					if !yield(k) {
						return
					}
				}
			}) {
				t.Logf("%s %d: %s", k, kinds[k], example[k])
			}
		})
	}
}
