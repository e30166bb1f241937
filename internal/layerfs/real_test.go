package layerfs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// oddReal is what is odd about real layers.
var oddReal = map[string][]string{
	// The link of an installation that was made for another place.
	"awscli-v2.zip": {"link-leaves-root awscli/v2/current"},
}

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
			defer f.Close() //nolint:errcheck // only read
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			l, err := layerfs.Open(f, st.Size(), layerfs.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			var odd []string
			opt := layerfs.Options{Odd: func(o layerfs.Oddity) { odd = append(odd, string(o.Kind)+" "+o.Path) }}
			for _, o := range l.Oddities() {
				opt.Odd(o)
			}
			files, nested, size := 0, 0, int64(0)
			err = l.PassWith(opt, func(f *layerfs.File) error {
				if f.Depth > 0 {
					nested++
					return nil
				}
				files++
				size += f.Size
				return nil
			}, func(path string, err error) { t.Errorf("damaged: %s: %v", path, err) })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d entries, %d files, %d bytes, %d files in archives", len(l.Entries()), files, size, nested)
			if d := cmp.Diff(oddReal[filepath.Base(z)], odd); d != "" {
				t.Errorf("what is odd (-want +got):\n%s", d)
			}
		})
	}
}
