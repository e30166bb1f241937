package vulndb_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/lamina-sec/lamina/internal/vulndb"
)

// files are the members of the archives below, in order.
func sourceFiles() [][2]string {
	affected := `"ranges":[` + events("ECOSYSTEM introduced=0 fixed=2") + `]`
	return [][2]string{
		{"top/PyPI/X-1.json", record("X-1", "PyPI", "a", affected)},
		{"top/PyPI/X-2.yaml", "id: X-2\nmodified: 2024-01-01T00:00:00Z\naffected:\n- package: {ecosystem: PyPI, name: a}\n  versions: [1.10, 1.2]\n"},
		{"top/README.md", "no record"},
		{"top/.github/x.json", "never read"},
		{"top/broken.json", "{"},
		{"top/package.json", `{"name":"x"}`},
	}
}

func tarOf(t *testing.T, files [][2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f[0], Mode: 0o644, Size: int64(len(f[1])), Typeflag: tar.TypeReg}
		if to, ok := strings.CutPrefix(f[1], "→"); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, to, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(f[1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t *testing.T, files [][2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f[0])
		if err == nil {
			_, err = e.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstdOf(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

// One set of records gives one database, whatever it comes in.
func TestRead_sources(t *testing.T) {
	dir := t.TempDir()
	files := sourceFiles()
	for _, f := range files {
		write(t, filepath.Join(dir, "folder", f[0]), []byte(f[1]))
	}
	write(t, filepath.Join(dir, "a.zip"), zipOf(t, files))
	write(t, filepath.Join(dir, "a.tar"), tarOf(t, files))
	write(t, filepath.Join(dir, "a.tar.gz"), gzipOf(t, tarOf(t, files)))
	write(t, filepath.Join(dir, "a.tar.zst"), zstdOf(t, tarOf(t, files)))
	for _, name := range []string{"folder", "a.zip", "a.tar", "a.tar.gz", "a.tar.zst"} {
		t.Run(name, func(t *testing.T) {
			b := vulndb.NewBuilder()
			var last int64
			if err := b.Read(t.Context(), filepath.Join(dir, name), func(n int64) { last = n }); err != nil {
				t.Fatal(err)
			}
			db := open(t, b)
			want := vulndb.Counts{Read: 4, Kept: 2, Foreign: 1, Quarantined: 1}
			if d := cmp.Diff(want, b.Counts()); d != "" {
				t.Error(d)
			}
			if bad := b.Bad(); len(bad) != 1 || !strings.HasSuffix(bad[0].File, "broken.json") || bad[0].Source != name {
				t.Errorf("bad: %v", bad)
			}
			if d := cmp.Diff([]vulndb.Source{{Name: name, Records: 4}}, db.Info().Sources); d != "" {
				t.Error(d)
			}
			if len(db.Lookup("PyPI", "a", "1.10")) != 2 {
				t.Error("1.10 of a YAML list was not read as it is written")
			}
			total, err := vulndb.SourceSize(filepath.Join(dir, name))
			if err != nil || last == 0 || last > total {
				t.Errorf("progress ends at %d of %d: %v", last, total, err)
			}
		})
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRead_hostile(t *testing.T) {
	big := record("X-1", "PyPI", "a", `"versions":["`+strings.Repeat("1", vulndb.MaxRecord)+`"]`)
	good := [2]string{"good.json", record("X-2", "PyPI", "a", `"versions":["1"]`)}
	cut := gzipOf(t, tarOf(t, [][2]string{good, {"next.json", strings.Repeat(fmt.Sprint(t.Name(), "x"), 90_000)}}))
	for _, tt := range []struct {
		name, file string
		data       []byte
		reason     string // of the one that is quarantined
	}{
		{"above_the_limit_in_zip", "a.zip", zipOf(t, [][2]string{{"big.json", big}, good}), "above the limit"},
		{"above_the_limit_in_tar", "a.tar", tarOf(t, [][2]string{{"big.json", big}, good}), "above the limit"},
		{"link", "a.tar", tarOf(t, [][2]string{{"link.json", "→/etc/passwd"}, good}), "not a regular file"},
		{"cut_off", "a.tar.gz", cut[:len(cut)-20], "unexpected EOF"},
		{"bomb_of_aliases", "a.tar", tarOf(t, [][2]string{{"bomb.yaml", yamlBomb()}, good}), "yaml"},
		{"deep", "a.tar", tarOf(t, [][2]string{{"deep.json", strings.Repeat("[", 100_000)}, good}), "osv record"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), tt.file)
			write(t, name, tt.data)
			b := vulndb.NewBuilder()
			if err := b.Read(t.Context(), name, nil); err != nil {
				t.Fatal(err)
			}
			open(t, b)
			// Of what is cut off, the record that is and the rest are one each.
			if c := b.Counts(); c.Kept != 1 || c.Quarantined == 0 || c.Read != c.Kept+c.Quarantined {
				t.Errorf("counts: %+v", c)
			}
			if bad := b.Bad(); len(bad) == 0 || !strings.Contains(bad[0].Reason, tt.reason) {
				t.Errorf("bad: %v", bad)
			}
		})
	}
	t.Run("link_in_a_folder", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "outside.json"), []byte(good[1]))
		if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../outside.json", filepath.Join(dir, "in", "link.json")); err != nil {
			t.Skip(err)
		}
		b := vulndb.NewBuilder()
		if err := b.Read(t.Context(), filepath.Join(dir, "in"), nil); err != nil {
			t.Fatal(err)
		}
		if c := b.Counts(); c.Quarantined != 1 || c.Read != 1 {
			t.Errorf("counts: %+v", c)
		}
	})
	t.Run("no_source", func(t *testing.T) {
		b := vulndb.NewBuilder()
		if err := b.Read(t.Context(), filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		name := filepath.Join(t.TempDir(), "text.txt")
		write(t, name, []byte("hello"))
		if err := b.Read(t.Context(), name, nil); err == nil {
			t.Error("text is no source")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		write(t, name, zipOf(t, [][2]string{good}))
		if err := b.Read(ctx, name, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// yamlBomb is a small text that names ten to the ninth strings.
func yamlBomb() string {
	var b strings.Builder
	b.WriteString("id: X-1\nmodified: 2024-01-01T00:00:00Z\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	b.WriteString("affected:\n- package: {ecosystem: PyPI, name: a}\n  versions: *a8\n")
	return b.String()
}
