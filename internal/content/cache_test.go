package content_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// What the cache gives is what reading gives, also for a version of which one
// file changed, and for files with the same bytes under other names.
func TestCache(t *testing.T) {
	zip := func(a string) []byte {
		return layers.Zip(
			layers.File{Name: "python/a/__init__.py"}, layers.File{Name: "python/b/__init__.py"},
			layers.File{Name: "python/a/a.py", Body: a}, layers.File{Name: "python/x-1.0.dist-info/METADATA", Body: "Name: x\nVersion: 1.0\n"},
			layers.File{Name: "python/y-1.0.dist-info/METADATA", Body: "Name: x\nVersion: 1.0\n"},
			layers.File{Name: "python/w.whl", Body: string(layers.Zip(layers.File{Name: "w.py", Body: "import os\n"}))},
			layers.File{Name: "../out", Body: "x"},
		)
	}
	cache := &content.Cache{Dir: t.TempDir(), Program: "test"}
	read := func(data []byte, c *content.Cache) *content.Layer {
		return content.Read("layer.zip", bytes.NewReader(data), int64(len(data)), content.Options{Cache: c})
	}
	same := cmp.Options{cmpopts.IgnoreUnexported(content.Layer{}), cmpopts.IgnoreFields(content.Layer{}, "Cached", "Entries", "Err"), cmpopts.EquateEmpty()}
	for i, step := range []struct {
		data   []byte
		cached int
	}{{zip("x = 1\n"), 0}, {zip("x = 1\n"), 7}, {zip("import os\n"), 6}} {
		got, want := read(step.data, cache), read(step.data, nil)
		if d := cmp.Diff(want, got, same); d != "" {
			t.Errorf("step %d: the cache gives something else (-read +cached):\n%s", i, d)
		}
		if got.Cached < step.cached {
			t.Errorf("step %d: %d files came from the cache, want %d", i, got.Cached, step.cached)
		}
	}
	if err := cache.Err(); err != nil {
		t.Error(err)
	}
	// A damaged file is as good as none.
	files, err := filepath.Glob(filepath.Join(cache.Dir, "*.facts"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(zip("x = 1\n"), cache); got.Cached != 0 || len(got.Files) == 0 {
		t.Errorf("%d cached, %d files", got.Cached, len(got.Files))
	}
}
