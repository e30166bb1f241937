package content_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	if err := cache.Err(); err != nil {
		t.Error(err)
	}
}

// Layers that are read at the same time share a cache, those of one name as well.
func TestCache_together(t *testing.T) {
	data := layers.Zip(layers.File{Name: "python/a.py", Body: "import os\n"})
	cache := &content.Cache{Dir: t.TempDir(), Program: "test"}
	var reading sync.WaitGroup
	for i := range 16 {
		reading.Go(func() {
			name := fmt.Sprintf("%d.zip", i%4)
			for range 4 {
				if l := content.Read(name, bytes.NewReader(data), int64(len(data)), content.Options{Cache: cache}); len(l.Files) != 1 {
					t.Errorf("%s: %d files", name, len(l.Files))
				}
			}
		})
	}
	reading.Wait()
	if err := cache.Err(); err != nil {
		t.Error(err)
	}
	if files, err := filepath.Glob(filepath.Join(cache.Dir, "*")); err != nil || len(files) != 4 {
		t.Errorf("%v, %v", files, err)
	}
}

// A file of the cache that somebody changed, cut, wrote under another key or made
// readable for others to write is not believed: the layer is read again.
func TestCache_hostile(t *testing.T) {
	data := layers.Zip(layers.File{Name: "python/a.py", Body: "import os\n"}, layers.File{Name: "python/b.py", Body: "x = 1\n"})
	key := []byte(strings.Repeat("k", 32))
	for _, tt := range []struct {
		name string
		harm func(t *testing.T, dir, file string)
		key  []byte
		lost bool // the cache is not used at all
	}{
		{name: "as it was", harm: func(*testing.T, string, string) {}},
		{name: "cut", harm: func(t *testing.T, _, file string) {
			t.Helper()
			change(t, file, func(b []byte) []byte { return b[:len(b)/2] })
		}},
		{name: "empty", harm: func(t *testing.T, _, file string) { t.Helper(); change(t, file, func([]byte) []byte { return nil }) }},
		{name: "a bit", harm: func(t *testing.T, _, file string) {
			t.Helper()
			change(t, file, func(b []byte) []byte { b[len(b)-9] ^= 1; return b })
		}},
		{name: "the code", harm: func(t *testing.T, _, file string) {
			t.Helper()
			change(t, file, func(b []byte) []byte { b[0] ^= 1; return b })
		}},
		{name: "another's key", harm: func(*testing.T, string, string) {}, key: []byte(strings.Repeat("x", 32))},
		{name: "others may write the file", harm: func(t *testing.T, _, file string) { t.Helper(); mode(t, file, 0o666) }},
		{name: "others may write the folder", harm: func(t *testing.T, dir, _ string) { t.Helper(); mode(t, dir, 0o777) }, lost: true},
		{name: "a link", harm: func(t *testing.T, dir, file string) {
			t.Helper()
			if err := errors.Join(os.Rename(file, dir+"/x"), os.Symlink(dir+"/x", file)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "facts")
			read := func(key []byte) (*content.Layer, error) {
				c := &content.Cache{Dir: dir, Program: "test", Key: key}
				return content.Read("l.zip", bytes.NewReader(data), int64(len(data)), content.Options{Cache: c}), c.Err()
			}
			if _, err := read(key); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*.facts"))
			if len(files) != 1 {
				t.Fatalf("files %q", files)
			}
			tt.harm(t, dir, files[0])
			with := key
			if tt.key != nil {
				with = tt.key
			}
			l, err := read(with)
			if want := tt.name == "as it was"; (l.Cached > 0) != want {
				t.Errorf("%d files came from the cache", l.Cached)
			}
			if len(l.Files) != 2 || l.Files[0].Code == nil || (err != nil) != tt.lost {
				t.Errorf("%d files, %v", len(l.Files), err)
			}
			if again, _ := read(with); (again.Cached > 0) == tt.lost {
				t.Errorf("the next time, %d files came from the cache", again.Cached)
			}
		})
	}
}

func change(t *testing.T, file string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, file string, m fs.FileMode) {
	t.Helper()
	if err := os.Chmod(file, m); err != nil {
		t.Fatal(err)
	}
}
