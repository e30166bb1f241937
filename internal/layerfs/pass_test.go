package layerfs_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/flate"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// seen runs a pass and returns every line that it gave: files as "path content",
// what is damaged as "! path reason", oddities as "? path kind".
func seen(t *testing.T, l *layerfs.Layer, opt layerfs.Options) []string {
	t.Helper()
	var out []string
	opt.Odd = func(o layerfs.Oddity) { out = append(out, fmt.Sprintf("? %s %s", o.Path, o.Kind)) }
	err := l.PassWith(opt, func(f *layerfs.File) error {
		if f.SHA256 != sha256.Sum256(f.Data) || f.Size != int64(len(f.Data)) {
			t.Errorf("%s: %d bytes, hash %x", f.Path, f.Size, f.SHA256)
		}
		if f.Depth != strings.Count(f.Path, "!/") {
			t.Errorf("%s has depth %d", f.Path, f.Depth)
		}
		mark := ""
		if f.Hidden {
			mark = "hidden "
		}
		out = append(out, fmt.Sprintf("%s%s %.12q", mark, f.Path, f.Data))
		return nil
	}, func(path string, err error) { out = append(out, fmt.Sprintf("! %s %v", path, err)) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustOpen(tb testing.TB, data []byte) *layerfs.Layer {
	tb.Helper()
	l, err := open(data)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestPass_archives(t *testing.T) {
	inner := string(plain(rec{name: "acme/a.py", body: "a"}, rec{name: "acme/"}))
	ball := tarball(tar.Header{Name: "./"}, tar.Header{Name: "./d/a.py"}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "d/a.py"}, tar.Header{Name: "d/h", Typeflag: tar.TypeLink, Linkname: "d/a.py"})
	const isText = ` "import os\npr"`
	pyc := fmt.Sprintf(" %.12q", "\xa7\x0d\x0d\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	tests := map[string]struct {
		body string
		want []string // of what is in it
	}{
		"a.whl":       {inner, []string{`a.whl!/acme/a.py "a"`}},
		"no_ext":      {inner, []string{`no_ext!/acme/a.py "a"`}},
		"app.pyz":     {string(build("#!/usr/bin/python3\n", true, end{}, ok)), []string{`app.pyz!/python/ok.py` + isText}},
		"app":         {string(build("#!/usr/bin/python3\n", false, end{comment: "c"}, ok)), []string{`app!/python/ok.py` + isText}},
		"a.tar":       {ball, []string{`a.tar!/d/a.py` + isText, `a.tar!/l "d/a.py"`, `a.tar!/d/h "../d/a.py"`}},
		"a.tar.gz":    {gz(ball), nil},
		"a.tgz":       {gz(tarball(tar.Header{Name: "x"})), nil},
		"a.json.gz":   {gz("{}"), []string{`a.json.gz!/a.json "{}"`}},
		"two.gz":      {gz("{") + gz("}"), []string{`two.gz!/two "{}"`}},
		"a.js.br":     {br("x()"), []string{`a.js.br!/a.js "x()"`}},
		"a.zst":       {zstded("x()"), []string{`a.zst!/a "x()"`}},
		"blob":        {gz("x"), []string{`blob!/blob.inflated "x"`}},
		"a.bz2":       {"BZh91AY&SY\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\x00\x21\x9a\x68\x33\x4d\x07\x33\x8b\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80", []string{`a.bz2!/a "hello"`}},
		"tool":        {pyinstaller(map[string]string{"main": "code"}, map[string]string{"boto.s3": "code"}), nil},
		"text.py":     {text, nil},
		"empty.zip":   {"", nil},
		"no_tar.tar2": {strings.Repeat("0", 600), nil},
	}
	tests["a.tar.gz"] = struct {
		body string
		want []string
	}{gz(ball), []string{`a.tar.gz!/a.tar "./\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"`, `a.tar.gz!/a.tar!/d/a.py` + isText, `a.tar.gz!/a.tar!/l "d/a.py"`, `a.tar.gz!/a.tar!/d/h "../d/a.py"`}}
	tests["a.tgz"] = struct {
		body string
		want []string
	}{tests["a.tgz"].body, []string{`a.tgz!/a.tar "x\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"`, `a.tgz!/a.tar!/x` + isText}}
	tests["tool"] = struct {
		body string
		want []string
	}{tests["tool"].body, []string{"tool!/main.pyc" + pyc, `tool!/PYZ-00.pyz "PYZ\x00\xa7\r\r\n\x00\x00\x000"`, "tool!/PYZ-00.pyz!/boto/s3.pyc" + pyc}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := mustOpen(t, plain(rec{name: name, body: tt.body}))
			want := append([]string{fmt.Sprintf("%s %.12q", name, tt.body)}, tt.want...)
			got := seen(t, l, layerfs.Options{})
			if name == "tool" {
				got[2] = want[2] // the table's place is not told here
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Depth 4 is read and depth 5 is reported.
func TestPass_depth(t *testing.T) {
	data := string(plain(rec{name: "a.py", body: text}))
	for range 5 {
		data = string(plain(rec{name: "z.zip", body: data}))
	}
	got := seen(t, mustOpen(t, []byte(data)), layerfs.Options{})
	last := got[len(got)-1]
	if len(got) != 6 || !strings.HasPrefix(last, "! z.zip!/z.zip!/z.zip!/z.zip!/z.zip!/ archive in 4 archives: above the limit") {
		t.Errorf("got %q", got)
	}
}

// A layer is read from many goroutines at once.
func TestPass_concurrent(t *testing.T) {
	l := mustOpen(t, plain(ok, rec{name: "w.whl", body: string(plain(ok, rec{name: "x", body: "x"}))}, rec{name: "n", body: string(noise(1 << 20))}))
	results := make(chan string)
	for range 8 {
		go func() {
			var b strings.Builder
			err := l.Pass(func(f *layerfs.File) error {
				fmt.Fprintf(&b, "%s %x\n", f.Path, f.SHA256)
				return nil
			}, func(path string, err error) { fmt.Fprintln(&b, path, err) })
			results <- fmt.Sprint(b.String(), err)
		}()
	}
	want := <-results
	for range 7 {
		if got := <-results; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// What is not served is reported, or given as hidden when that is asked for.
func TestPass_hidden(t *testing.T) {
	l := mustOpen(t, plain(rec{name: "a", body: "1"}, rec{name: "a", body: "2"}, rec{name: "../b", body: "3"}, rec{name: "f", body: "4"}, rec{name: "f/g", body: "5"}))
	if d := cmp.Diff([]string{
		"! a entry 1 has the name of entry 2, which is served", `a "2"`, `! b name "../b" leaves its directory`, `f "4"`, `! f/g "f" is both a file and a directory`,
	}, seen(t, l, layerfs.Options{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`hidden a "1"`, `a "2"`, `hidden b "3"`, `f "4"`, `hidden f/g "5"`}, seen(t, l, layerfs.Options{Hidden: true})); d != "" {
		t.Error(d)
	}
}

// Without anybody to take oddities, what is odd is damaged: it is never left out.
func TestPass_oddities_are_not_lost(t *testing.T) {
	l := mustOpen(t, plain(rec{name: "a", body: "1", sum: new(uint32(7))}))
	var odd *layerfs.OddityError
	err := l.Pass(func(*layerfs.File) error { return nil }, func(_ string, err error) { errors.As(err, &odd) })
	if err != nil || odd == nil || odd.Oddity.Kind != layerfs.Checksum {
		t.Errorf("got %v, %v", odd, err)
	}
}

func TestPass_ends_at_the_first_error(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	err := mustOpen(t, plain(rec{name: "a.zip", body: string(plain(ok, rec{name: "x"}))}, rec{name: "b"})).Pass(func(*layerfs.File) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	}, func(string, error) {})
	if !errors.Is(err, stop) || n != 2 {
		t.Errorf("%d files, %v", n, err)
	}
}

// An entry that is known is not inflated, takes from the budget what it took, and its
// key is of its bytes and not of a checksum that anybody can make.
func TestPass_known(t *testing.T) {
	type known struct {
		cost  layerfs.Cost
		lines int
	}
	cache := map[layerfs.Key]known{}
	run := func(data []byte) (read []string, hits int) {
		var lines []string
		opt := layerfs.Options{
			Known: func(_ *layerfs.Entry, key layerfs.Key) (layerfs.Cost, bool) {
				k, ok := cache[key]
				if ok {
					hits++
				}
				return k.cost, ok
			},
			Done: func(_ *layerfs.Entry, key layerfs.Key, cost layerfs.Cost, whole bool) {
				if whole {
					cache[key] = known{cost, len(lines)}
				}
				lines = nil
			},
			Odd: func(layerfs.Oddity) {},
		}
		if err := mustOpen(t, data).PassWith(opt, func(f *layerfs.File) error {
			read, lines = append(read, f.Path), append(lines, f.Path)
			return nil
		}, func(path string, err error) { t.Errorf("%s: %v", path, err) }); err != nil {
			t.Fatal(err)
		}
		return read, hits
	}
	wheel := rec{name: "w.whl", body: string(plain(ok, rec{name: "x", body: "x"}))}
	a := plain(ok, wheel, rec{name: "s", body: "stored", stored: true})
	if read, hits := run(a); len(read) != 5 || hits != 0 {
		t.Errorf("first: %q, %d known", read, hits)
	}
	if read, hits := run(a); len(read) != 0 || hits != 3 {
		t.Errorf("again: %q, %d known", read, hits)
	}
	changed := rec{name: "s", body: "stored", raw: new("STORED"), method: new(uint16(0))} // the same sizes and checksum
	if read, hits := run(plain(ok, wheel, changed)); !slices.Equal(read, []string{"s"}) || hits != 2 {
		t.Errorf("changed: %q, %d known", read, hits)
	}
	var costs []layerfs.Cost
	for _, k := range cache {
		costs = append(costs, k.cost)
	}
	if !slices.ContainsFunc(costs, func(c layerfs.Cost) bool { return c.Members == 2 && c.Nested == int64(len(text))+1 }) {
		t.Errorf("costs %v", costs)
	}
}

// What is left out for want of budget does not depend on what was known.
func TestPass_known_within_the_same_budget(t *testing.T) {
	data := plain(rec{name: "a.gz", body: gzZeros(10 << 20), stored: true}, rec{name: "b.gz", body: gzZeros(11 << 20), stored: true}, rec{name: "c", body: text})
	cache := map[layerfs.Key]layerfs.Cost{}
	hits := 0
	run := func() (damaged []string) {
		opt := layerfs.Options{
			Odd: func(layerfs.Oddity) {},
			Known: func(_ *layerfs.Entry, key layerfs.Key) (layerfs.Cost, bool) {
				c, ok := cache[key]
				if ok {
					hits++
				}
				return c, ok
			},
			Done: func(_ *layerfs.Entry, key layerfs.Key, cost layerfs.Cost, whole bool) {
				if whole {
					cache[key] = cost
				}
			},
		}
		if err := mustOpen(t, data).PassWith(opt, func(*layerfs.File) error { return nil }, func(path string, err error) {
			damaged = append(damaged, path+" "+err.Error())
		}); err != nil {
			t.Fatal(err)
		}
		return damaged
	}
	cold, warm := run(), run()
	if d := cmp.Diff(cold, warm); d != "" || len(cold) != 1 || hits != 2 {
		t.Errorf("cold %q, warm %q, %d known", cold, warm, hits)
	}
}

// noise is n bytes, a multiple of 8, that deflate to about half.
func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, uint64(n)))
	b := make([]byte, 0, n)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, rnd.Uint64()&0x0f0f0f0f0f0f0f0f|0x4040404040404040)
	}
	return b
}

// A large file reads the same at any place: whether it is stored, fits into memory,
// or has to be inflated again from checkpoints, in the layer or in an archive in it.
func TestPass_large(t *testing.T) {
	if testing.Short() {
		t.Skip("inflates large files")
	}
	small, large := noise(9<<20), noise(76<<20)
	// Blocks of all kinds: stored, which a packer falls back to, and others.
	var b bytes.Buffer
	for at, level := range []int{1, 0, 6} {
		w, err := flate.NewWriter(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(large[at*len(large)/3 : (at+1)*len(large)/3])
		_ = w.Flush()
	}
	b.WriteString("\x03\x00")
	raw, sum := b.String(), crc32.ChecksumIEEE(large)
	f := rec{name: "f", raw: &raw, method: new(uint16(8)), sum: &sum, usize: new(uint32(len(large)))}
	lied := f
	lied.usize = new(uint32(100))
	zipped := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + raw + le(sum, uint32(len(large)))
	tests := map[string]struct {
		data func() []byte
		path string
		want []byte
	}{
		"stored":     {func() []byte { return plain(rec{name: "f", body: string(small), stored: true}) }, "f", small},
		"held":       {func() []byte { return plain(rec{name: "f", body: string(small)}) }, "f", small},
		"again":      {func() []byte { return plain(f) }, "f", large},
		"again_lied": {func() []byte { return plain(lied) }, "f", large},
		"nested":     {func() []byte { return plain(rec{name: "z", body: string(plain(f))}) }, "z!/f", large},
		"gzip":       {func() []byte { return plain(rec{name: "z.gz", body: zipped, stored: true}) }, "z.gz!/z", large},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			visited := false
			err := mustOpen(t, tt.data()).PassWith(layerfs.Options{Odd: func(layerfs.Oddity) {}}, func(f *layerfs.File) error {
				if f.Path != tt.path {
					return nil
				}
				visited = true
				if f.Data != nil || f.Size != int64(len(tt.want)) || f.SHA256 != sha256.Sum256(tt.want) {
					t.Errorf("size %d, data of %d, hash %x", f.Size, len(f.Data), f.SHA256)
				}
				rnd := rand.New(rand.NewPCG(5, 5))
				buf := make([]byte, 600<<10)
				for range 40 {
					at := rnd.IntN(len(tt.want))
					b := buf[:1+rnd.IntN(len(buf))]
					n, err := f.ReaderAt.ReadAt(b, int64(at))
					want := tt.want[at:min(at+len(b), len(tt.want))]
					if !bytes.Equal(b[:n], want) || (n < len(b)) != errors.Is(err, io.EOF) {
						t.Fatalf("%d bytes at %d: read %d, %v", len(b), at, n, err)
					}
				}
				return nil
			}, func(path string, err error) { t.Errorf("%s: %v", path, err) })
			if err != nil || !visited {
				t.Errorf("visited %v, %v", visited, err)
			}
		})
	}
}

func TestFromFS(t *testing.T) {
	m := fstest.MapFS{
		"python/b.py":     {Data: []byte("b"), Mode: 0o644},
		"python/a.py":     {Data: []byte("a"), Mode: 0o600},
		"python/A.py":     {Data: []byte("A"), Mode: 0o666},
		"bin/tool":        {Data: []byte("../python/a.py"), Mode: fs.ModeSymlink | 0o777},
		"out":             {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink | 0o777},
		"a.whl":           {Data: plain(rec{name: "x", body: "x"})},
		"sock":            {Mode: fs.ModeSocket},
		"empty/directory": {Mode: fs.ModeDir | 0o755},
	}
	l, err := layerfs.FromFS(m, layerfs.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range l.Oddities() {
		kinds = append(kinds, string(o.Kind)+" "+o.Path)
	}
	if d := cmp.Diff([]string{"special-file sock", "name-collision python/a.py", "link-leaves-root out"}, kinds); d != "" {
		t.Error(d)
	}
	whl := fmt.Sprintf("a.whl %.12q", m["a.whl"].Data)
	if d := cmp.Diff([]string{whl, `a.whl!/x "x"`, `bin/tool "../python/a."`, `out "/etc/passwd"`, `python/A.py "A"`, `python/a.py "a"`, `python/b.py "b"`, "! sock socket: not supported"}, seen(t, l, layerfs.Options{})); d != "" {
		t.Error(d)
	}
	if text, err := l.ReadLink("out"); text != "/etc/passwd" || err != nil {
		t.Errorf("link reads %q, %v", text, err)
	}
	delete(m, "sock")
	if l, err = layerfs.FromFS(m, layerfs.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(l, "python/a.py", "a.whl", "empty/directory", "bin/tool"); err != nil {
		t.Error(err)
	}
}

// A directory on disk and the zip packed from it give the same files.
func TestFromFS_equals_zip(t *testing.T) {
	dir := t.TempDir()
	big := noise(9 << 20)
	files := map[string]string{"python/a.py": text, "python/pkg/__init__.py": "", "lib/big.so": string(big), "z/a.zip": string(plain(ok))}
	var recs []rec
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec{name: name, body: files[name]})
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	sums := func(l *layerfs.Layer) map[string][32]byte {
		m := map[string][32]byte{}
		if err := l.Pass(func(f *layerfs.File) error {
			m[f.Path] = f.SHA256
			if n, err := io.Copy(io.Discard, io.NewSectionReader(f.ReaderAt, 0, f.Size+1)); n != f.Size || err != nil {
				t.Errorf("%s: read %d, %v", f.Path, n, err)
			}
			return nil
		}, func(path string, err error) { t.Errorf("%s: %v", path, err) }); err != nil {
			t.Fatal(err)
		}
		return m
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, fsys := range map[string]fs.FS{"DirFS": os.DirFS(dir), "Root": root.FS()} {
		l, err := layerfs.FromFS(fsys, layerfs.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		want := sums(mustOpen(t, plain(append(recs, rec{name: "link", body: "/etc/passwd", mode: 0o120777})...)))
		if d := cmp.Diff(want, sums(l)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestFromFS_no_directory(t *testing.T) {
	if _, err := layerfs.FromFS(os.DirFS(filepath.Join(t.TempDir(), "none")), layerfs.DefaultLimits); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
