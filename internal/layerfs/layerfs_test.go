package layerfs_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

type entry struct {
	name, body string
	mode       fs.FileMode
}

func archive(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(max(e.mode, 0o644))
		f, err := w.CreateHeader(h)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(f, e.body); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func open(data []byte) (*layerfs.Layer, error) {
	return layerfs.Open(bytes.NewReader(data), int64(len(data)), layerfs.DefaultLimits)
}

func TestOpen(t *testing.T) {
	l, err := open(archive(t,
		entry{"python/acme/cfg.py", "x = 1\n", 0},
		entry{"extensions/telemetry", "#!/bin/sh\n", 0o755},
		entry{"lib/", "", 0},
		entry{"lib/empty", "", 0},
		entry{"bin/tool", "../lib/empty", fs.ModeSymlink | 0o777},
	))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Oddities()) > 0 {
		t.Errorf("oddities %v", l.Oddities())
	}
	if err := fstest.TestFS(l, "python/acme/cfg.py", "extensions/telemetry", "lib", "lib/empty"); err != nil {
		t.Error(err)
	}
	if text, err := l.ReadLink("bin/tool"); text != "../lib/empty" || err != nil {
		t.Errorf("link reads %q, %v", text, err)
	}
	if text, err := fs.ReadFile(l, "bin/tool"); string(text) != "../lib/empty" || err != nil {
		t.Errorf("a link must not be followed: read %q, %v", text, err)
	}
	if i, err := fs.Stat(l, "extensions/telemetry"); err != nil || i.Mode() != 0o755 {
		t.Errorf("mode %v, %v", i, err)
	}
}

func TestOddities(t *testing.T) {
	tests := map[string]struct {
		data []byte
		kind []layerfs.OddityKind
		seen string // the content of "a", "" when not served
	}{
		"twice":          {archive(t, entry{"a", "first", 0}, entry{"a", "second", 0}), []layerfs.OddityKind{layerfs.Duplicate}, "second"},
		"directory_ok":   {archive(t, entry{"d/", "", 0}, entry{"d/", "", 0}, entry{"a", "x", 0}), nil, "x"},
		"leaves_root":    {archive(t, entry{"../a", "x", 0}), []layerfs.OddityKind{layerfs.Unsafe}, ""},
		"dot_dot_inside": {archive(t, entry{"b/../a", "x", 0}), []layerfs.OddityKind{layerfs.Unsafe}, ""},
		"absolute":       {archive(t, entry{"/a", "x", 0}), []layerfs.OddityKind{layerfs.Unsafe}, ""},
		"backslash":      {archive(t, entry{`b\a`, "x", 0}), []layerfs.OddityKind{layerfs.Backslash}, ""},
		"control":        {archive(t, entry{"a\x1b[2J", "x", 0}), []layerfs.OddityKind{layerfs.Control}, ""},
		"not_utf8":       {archive(t, entry{"a\xff", "x", 0}), []layerfs.OddityKind{layerfs.Encoding, layerfs.Unsafe}, ""},
		"file_as_dir":    {archive(t, entry{"a", "x", 0}, entry{"a/b", "y", 0}), []layerfs.OddityKind{layerfs.Clash}, "x"},
		"dir_as_file":    {archive(t, entry{"a/b", "y", 0}, entry{"a", "x", 0}), []layerfs.OddityKind{layerfs.Clash}, ""},
		"through_link":   {archive(t, entry{"l", "/etc", fs.ModeSymlink | 0o777}, entry{"l/passwd", "y", 0}, entry{"a", "x", 0}), []layerfs.OddityKind{layerfs.ThroughLink, layerfs.LinkLeaves}, "x"},
		"trailing":       {append(archive(t, entry{"a", "x", 0}), "more"...), []layerfs.OddityKind{layerfs.Trailing}, "x"},
		"local_name":     {bytes.Replace(archive(t, entry{"a", "x", 0}), []byte("\x00\x00a"), []byte("\x00\x00b"), 1), []layerfs.OddityKind{layerfs.Mismatch}, "x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := open(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []layerfs.OddityKind
			for _, o := range l.Oddities() {
				kinds = append(kinds, o.Kind)
			}
			if d := cmp.Diff(tt.kind, kinds); d != "" {
				t.Errorf("%s\n%v", d, l.Oddities())
			}
			if got, _ := fs.ReadFile(l, "a"); string(got) != tt.seen {
				t.Errorf("a reads %q, want %q", got, tt.seen)
			}
			var names []string
			for _, e := range l.Entries() {
				// What testing/fstest does not allow in a name is allowed in Linux.
				if e.Path != "" && !strings.Contains(e.Path, `\`) {
					names = append(names, e.Path)
				}
			}
			if name == "backslash" {
				return
			}
			if err := fstest.TestFS(l, names...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpen_refuses(t *testing.T) {
	one := archive(t, entry{"a", strings.Repeat("x", 5000), 0})
	small := layerfs.Limits{Compressed: 1 << 20, Inflated: 4000, Entries: 1, Name: 3, Depth: 1}
	tests := map[string]struct {
		data   []byte
		limits layerfs.Limits
		is     error
	}{
		"empty":          {nil, layerfs.DefaultLimits, nil},
		"not_a_zip":      {[]byte(strings.Repeat("PK", 100)), layerfs.DefaultLimits, nil},
		"cut_off":        {one[:len(one)-1], layerfs.DefaultLimits, nil},
		"too_many":       {archive(t, entry{"a", "", 0}, entry{"b", "", 0}), small, layerfs.ErrLimit},
		"too_big_a_file": {archive(t, entry{"a", "", 0}), layerfs.Limits{Compressed: 10}, layerfs.ErrLimit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := layerfs.Open(bytes.NewReader(tt.data), int64(len(tt.data)), tt.limits)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v", err, tt.is)
			}
		})
	}
}

// A declared size is a promise: more, fewer or other bytes are an error.
func TestRead_verifies(t *testing.T) {
	data := archive(t, entry{"a", strings.Repeat("x", 5000), 0})
	directory := bytes.Index(data, []byte("PK\x01\x02"))
	for name, patch := range map[string]func([]byte){
		"shorter":  func(b []byte) { binary.LittleEndian.PutUint32(b[directory+24:], 10) },
		"longer":   func(b []byte) { binary.LittleEndian.PutUint32(b[directory+24:], 10_000) },
		"checksum": func(b []byte) { b[directory+16]++ },
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(data)
			patch(b)
			l, err := open(b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := fs.ReadFile(l, "a"); err == nil || len(got) > 5000 {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	var layers []*layerfs.Layer
	for _, es := range [][]entry{
		{{"python/a.py", "1", 0}, {"python/only1.py", "1", 0}, {"x", "file", 0}, {"y/z", "dir", 0}},
		{{"python/a.py", "2", 0}, {"python/only2.py", "2", 0}, {"x/in", "dir", 0}, {"y", "file", 0}},
	} {
		l, err := open(archive(t, es...))
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, l)
	}
	opt := layerfs.Merge(layers...)
	if err := fstest.TestFS(opt, "python/a.py", "python/only1.py", "python/only2.py", "x/in", "y"); err != nil {
		t.Error(err)
	}
	for name, from := range map[string]int{"python/a.py": 1, "python/only1.py": 0, "x/in": 1, "y": 1} {
		if got, ok := opt.From(name); got != from || !ok {
			t.Errorf("%s is from layer %d, want %d", name, got, from)
		}
	}
	if got, err := fs.ReadFile(opt, "python/a.py"); string(got) != "2" || err != nil {
		t.Errorf("the last layer must win: %q, %v", got, err)
	}
	if _, err := fs.Stat(opt, "y/z"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("y/z is hidden by the file y: %v", err)
	}
}

// fuzzLimits are small, so that what is above one is found.
var fuzzLimits = layerfs.Limits{Compressed: 1 << 20, Inflated: 1 << 20, Entries: 50, Name: 100, Depth: 8, Nested: 1 << 20, Members: 100, Archives: 3}

func FuzzOpen(f *testing.F) {
	f.Add(archive(f, entry{"a/b", "body", 0}, entry{"a/b", "body", 0}, entry{"l", "a", fs.ModeSymlink | 0o777}))
	f.Add(archive(f, entry{"../x", strings.Repeat("y", 300), 0}))
	for _, a := range zips() {
		if a.bulky() {
			continue
		}
		if b := a.make(); len(b) < 1<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := layerfs.Open(bytes.NewReader(data), int64(len(data)), fuzzLimits)
		if err != nil {
			return
		}
		err = fs.WalkDir(l, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !d.Type().IsRegular() {
				return err
			}
			_, _ = fs.ReadFile(l, name)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		layerfs.Merge(l, l)
		checkPass(t, l)
	})
}

// checkPass asserts what holds of every pass: what goes in comes out, no more is
// inflated than allowed, and a second pass says the same.
func checkPass(t *testing.T, l *layerfs.Layer) {
	t.Helper()
	run := func() (log []string) {
		in, out, own, nested := 0, 0, int64(0), int64(0)
		for _, e := range l.Entries() {
			// A name with the separator in it cannot be told from a nested one here.
			if !e.Mode.IsDir() && !strings.Contains(e.Name, "!/") {
				in++
			}
		}
		err := l.PassWith(layerfs.Options{Hidden: true, Odd: func(o layerfs.Oddity) { log = append(log, o.Path+" "+o.Detail) }}, func(f *layerfs.File) error {
			if f.Depth == 0 {
				out++
				own += f.Size
			} else {
				nested += f.Size
			}
			if int64(len(f.Data)) != f.Size || !fs.ValidPath(strings.ReplaceAll(f.Path, "!/", "/")) {
				t.Errorf("%q: %d of %d bytes", f.Path, len(f.Data), f.Size)
			}
			log = append(log, fmt.Sprintf("%s %x", f.Path, f.SHA256))
			return nil
		}, func(path string, err error) {
			if path != "" && !strings.Contains(path, "!/") {
				out++
			}
			log = append(log, path+" "+err.Error())
		})
		if err != nil || out < in || own > fuzzLimits.Inflated || nested > fuzzLimits.Nested {
			t.Errorf("%d entries, %d given; %d and %d bytes; %v", in, out, own, nested, err)
		}
		return log
	}
	if d := cmp.Diff(run(), run()); d != "" {
		t.Errorf("two passes differ: %s", d)
	}
}

// fuzzFile fuzzes the reader of the archives with the name.
func fuzzFile(f *testing.F, name string, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := layerfs.FromFS(fstest.MapFS{name: {Data: data, Mode: 0o644}}, fuzzLimits)
		if err != nil {
			t.Fatal(err)
		}
		checkPass(t, l)
	})
}

func FuzzTar(f *testing.F) {
	fuzzFile(f, "a.tar", tarball(tar.Header{Name: "a"}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../.."}, tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "a"}),
		tarball(tar.Header{Name: strings.Repeat("long/", 30) + "n", Format: tar.FormatPAX}))
}

func FuzzPyInstaller(f *testing.F) {
	fuzzFile(f, "tool", pyinstaller(map[string]string{"main": "code", "far": "x"}, map[string]string{"boto.s3": "code"}))
}

func FuzzPYZ(f *testing.F) {
	p := pyinstaller(nil, map[string]string{"boto.s3": "code", "a": "b"})
	f.Add([]byte(p))
	fuzzFile(f, "a", p[strings.Index(p, "PYZ\x00"):])
}

func FuzzCompressed(f *testing.F) {
	fuzzFile(f, "a.br", br("x"), gz("x")+gz("y"), zstded("x"), "BZh91AY&SY")
}
