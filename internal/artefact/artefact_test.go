package artefact_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/sample/layers"
	"github.com/lamina-sec/lamina/internal/sbom"
	"github.com/lamina-sec/lamina/internal/sealed"
)

var built = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// files packs "path", "body", "path", "body", ….
func files(s ...string) []layers.File {
	var out []layers.File
	for i := 0; i < len(s); i += 2 {
		out = append(out, layers.File{Name: s[i], Body: s[i+1]})
	}
	return out
}

const metadata = "Metadata-Version: 2.1\nName: Acme.Lib\nVersion: 1.0\n"

// the artefacts, one of each kind.
func samples() []layers.Artefact {
	tarOf := func(all ...layers.File) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range all {
			err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Body))})
			if err == nil {
				_, err = w.Write([]byte(f.Body))
			}
			if err != nil {
				panic(err)
			}
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		return b.Bytes()
	}
	gz := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write([]byte(s))
		if err := errors.Join(err, w.Close()); err != nil {
			panic(err)
		}
		return b.String()
	}
	return []layers.Artefact{
		{Name: "acme_lib-1.0-py3-none-any.whl", Body: layers.Zip(files(
			"acme/__init__.py", "x = 1\n", "acme/data.json", "{}", "acme_lib-1.0.data/purelib/acme_extra.py", "y = 1\n", "acme_lib-1.0.data/scripts/acme", "#!python\n",
			"acme_lib-1.0.data/headers/acme.h", "int x;\n", "acme_lib-1.0.dist-info/METADATA", metadata, "acme_lib-1.0.dist-info/RECORD", "acme/__init__.py,,\n")...)},
		{Name: "acme_lib-1.0.tar.gz", Body: layers.Tgz(files("acme_lib-1.0/PKG-INFO", metadata, "acme_lib-1.0/package.json", `{"name":"dev","version":"1"}`, "acme_lib-1.0/src/acme/__init__.py", "x = 1\n", "acme_lib-1.0/setup.py", "setup()\n")...)},
		{Name: "acme-left-1.0.0.tgz", Body: layers.Tgz(files("package/package.json", `{"name":"@acme/left","version":"1.0.0","main":"i.js"}`, "package/i.js", "exports.x = 1;\n", "package/node_modules/right/package.json", `{"name":"right","version":"9.0.0"}`)...)},
		{Name: "acme-1.0.gem", Body: tarOf(files("metadata.gz", gz("--- !ruby/object:Gem::Specification\nname: acme\nversion: !ruby/object:Gem::Version\n  version: '1.0'\nplatform: ruby\ndependencies:\n- name: other\n"), "data.tar.gz", gz(string(tarOf(files("lib/acme.rb", "X = 1\n")...))))...)},
		{Name: "acme-core-2.0.jar", Body: layers.Zip(files(
			"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n", "META-INF/maven/org.acme/acme-core/pom.properties", "groupId=org.acme\nartifactId=acme-core\nversion=2.0\n",
			"META-INF/maven/org.shaded/in/pom.properties", "groupId=org.shaded\nartifactId=in\nversion=3\n", "org/acme/A.class", "\xca\xfe\xba\xbe")...)},
	}
}

// index builds one of artefacts.
func index(tb testing.TB, all ...layers.Artefact) (*artefact.Index, *artefact.Builder) {
	tb.Helper()
	b := artefact.NewBuilder()
	for _, a := range all {
		b.Add(a.Name, bytes.NewReader(a.Body), int64(len(a.Body)))
	}
	data, err := b.Build(built)
	if err != nil {
		tb.Fatal(err)
	}
	x, err := artefact.New(data)
	if err != nil {
		tb.Fatal(err)
	}
	return x, b
}

func sum(s string) sbom.Digest { return sha256.Sum256([]byte(s)) }

func TestFind(t *testing.T) {
	x, b := index(t, samples()...)
	if len(b.Bad()) > 0 {
		t.Fatal(b.Bad())
	}
	if err := x.Check(); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct{ ecosystem, name, version, want string }{
		{"PyPI", "acme-lib", "1.0", "sdist: PKG-INFO acme/__init__.py package.json setup.py; wheel: acme/__init__.py acme/data.json acme_extra.py acme_lib-1.0.dist-info/METADATA acme_lib-1.0.dist-info/RECORD* bin/acme*"},
		{"npm", "@acme/left", "1.0.0", "npm: i.js node_modules/right/package.json package.json"},
		{"RubyGems", "acme", "1.0", "gem: lib/acme.rb"},
		{"Maven", "org.acme:acme-core", "2.0", "jar: META-INF/MANIFEST.MF META-INF/maven/org.acme/acme-core/pom.properties META-INF/maven/org.shaded/in/pom.properties org/acme/A.class"},
		{"PyPI", "acme-lib", "1.1", ""},
		{"npm", "right", "9.0.0", ""},
		{"Maven", "org.shaded:in", "3", ""},
	} {
		found, err := x.Find(tt.ecosystem, tt.name, tt.version)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range found {
			var paths []string
			for _, f := range a.Files {
				if f.Rewritten {
					f.Path += "*"
				}
				paths = append(paths, f.Path)
			}
			got = append(got, string(a.Kind)+": "+strings.Join(paths, " "))
		}
		slices.Sort(got)
		if d := gocmp.Diff(tt.want, strings.Join(got, "; ")); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.name, tt.version, d)
		}
	}
	npm, err := x.Find("npm", "@acme/left", "1.0.0")
	if err != nil || len(npm) != 1 {
		t.Fatal(npm, err)
	}
	body := samples()[2].Body
	if want := sha512.Sum512(body); !bytes.Equal(npm[0].SHA512, want[:]) || npm[0].SHA256 != sha256.Sum256(body) || npm[0].Size != int64(len(body)) || npm[0].PURL() != "pkg:npm/%40acme/left@1.0.0" {
		t.Errorf("got %+v", npm[0])
	}
	if a, ok := x.Origin(sum("exports.x = 1;\n")); !ok || a.Name != "@acme/left" {
		t.Errorf("origin %+v %v", a, ok)
	}
	if _, ok := x.Origin(sum("exports.x = 2;\n")); ok {
		t.Error("an unknown content has an origin")
	}
}

// What an index says is what a map of everything read says.
func TestIndex_agrees_with_a_map(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	contents := map[sbom.Digest]bool{}
	packages := map[string]map[string]sbom.Digest{}
	var all []layers.Artefact
	for i := range 60 {
		name, version := fmt.Sprintf("p%d", i/2), fmt.Sprintf("1.%d", i%2)
		want := map[string]sbom.Digest{}
		var packed []layers.File
		add := func(path, body string) {
			if _, ok := want[path]; !ok {
				want[path], contents[sum(body)] = sum(body), true
				packed = append(packed, layers.File{Name: "package/" + path, Body: body})
			}
		}
		add("package.json", fmt.Sprintf(`{"name":"%s","version":"%s"}`, name, version))
		for range r.IntN(30) {
			add(fmt.Sprintf("d%d/e%d/f%d.js", r.IntN(3), r.IntN(3), r.IntN(9)), strconv.Itoa(r.IntN(40)))
		}
		packages[name+" "+version] = want
		all = append(all, layers.Artefact{Name: name + ".tgz", Body: layers.Tgz(packed...)})
	}
	x, _ := index(t, all...)
	if err := x.Check(); err != nil {
		t.Fatal(err)
	}
	for key, want := range packages {
		name, version, _ := strings.Cut(key, " ")
		found, err := x.Find("npm", name, version)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %d %v", key, len(found), err)
		}
		got := map[string]sbom.Digest{}
		for _, f := range found[0].Files {
			got[f.Path] = f.SHA256
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", key, d)
		}
	}
	for i := range 60 {
		d := sum(strconv.Itoa(i))
		if _, ok := x.Origin(d); ok != contents[d] {
			t.Errorf("content %d: public %v, want %v", i, ok, contents[d])
		}
	}
}

func TestBuild_is_the_same_in_any_order(t *testing.T) {
	all := samples()
	x, _ := index(t, all...)
	slices.Reverse(all)
	y, b := index(t, append(all, all[0])...)
	if c := b.Counts(); c.Duplicate != 1 || c.Kept != len(all) {
		t.Errorf("counts %+v", c)
	}
	// The counts say what was read; everything else is the same.
	for i := 1; i < sealed.Sections; i++ {
		if !bytes.Equal(x.Section(i), y.Section(i)) {
			t.Errorf("section %d differs", i)
		}
	}
}

func TestAdd_refuses(t *testing.T) {
	honest := samples()[0].Body
	for _, tt := range []struct {
		name string
		body []byte
		want string
	}{
		{"other-1.0-py3-none-any.whl", honest, "it is named other-1.0-py3-none-any.whl, and its metadata says that it is acme-lib 1.0"},
		{"acme_lib-2.0-py3-none-any.whl", honest, "metadata says that it is acme-lib 1.0"},
		{"acme_lib-1.0-py3-none-any.whl", honest[:len(honest)/2], "zip"},
		{"a-1.0-py3-none-any.whl", layers.Zip(files("a/__init__.py", "")...), "names 0 packages"},
		{"a-1.0-py3-none-any.whl", layers.Zip(files("a-1.0.dist-info/METADATA", "Name: a\nVersion: 1.0\n", "b-1.0.dist-info/METADATA", "Name: b\nVersion: 1.0\n")...), "names 2 packages"},
		{"a-1.0-py3-none-any.whl", layers.Zip(files("a-1.0.dist-info/METADATA", "Name: a\nVersion: 1.0\n", "a.py", "x", "a-1.0.data/purelib/a.py", "y")...), "two files of it are installed as a.py"},
		{"a.tgz", layers.Tgz(files("package/package.json", `{"name":"a","version":"1"}`, "package/i.js", "1", "package/i.js", "2")...), "listed twice, with different contents"},
		{"a.tgz", layers.Tgz(files("package/package.json", `{"name":"a","version":"1"}`, "../../i.js", "1")...), "unsafe-name"},
		{"a.tgz", []byte("no archive"), "names 0 packages"},
		{"a.jar", layers.Zip(files("A.class", "x")...), "names 0 packages"},
	} {
		b := artefact.NewBuilder()
		b.Add(tt.name, bytes.NewReader(tt.body), int64(len(tt.body)))
		if c := b.Counts(); c.Read != 1 || c.Quarantined != 1 || len(b.Bad()) != 1 {
			t.Errorf("%s: counts %+v", tt.name, c)
			continue
		}
		if got := b.Bad()[0].Reason; !strings.Contains(got, tt.want) {
			t.Errorf("%s: reason %q, want %q in it", tt.name, got, tt.want)
		}
	}
	// pnpm lists files twice; when they are the same it does not matter.
	twice := layers.Tgz(files("package/package.json", `{"name":"a","version":"1"}`, "package/i.js", "1", "package/i.js", "1")...)
	if _, b := index(t, layers.Artefact{Name: "a.tgz", Body: twice}); b.Counts().Kept != 1 {
		t.Error(b.Bad())
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for _, a := range samples() {
		name := filepath.Join(dir, "sub", a.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, a.Body, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := artefact.NewBuilder()
	if err := errors.Join(b.Read(t.Context(), dir), b.Read(t.Context(), filepath.Join(dir, "sub", samples()[0].Name))); err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(artefact.Counts{Read: 7, Kept: 5, Duplicate: 1, Foreign: 1}, b.Counts()); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	if err := b.Read(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Read(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// use does everything that can be done with an index.
func use(data []byte) {
	x, err := artefact.New(data)
	if err != nil {
		return
	}
	_ = x.Check() // must return
	for _, q := range [][3]string{{"PyPI", "acme-lib", "1.0"}, {"npm", "@acme/left", "1.0.0"}, {"", "", ""}} {
		found, err := x.Find(q[0], q[1], q[2])
		if err != nil && !errors.Is(err, sealed.ErrDamaged) {
			panic(err)
		}
		for _, a := range found {
			_ = a.PURL()
		}
	}
	x.Origin(sum("x = 1\n"))
	x.SignedBy()
}

// An index that is not what a build wrote gives errors, and never a panic.
func TestHostile_every_byte(t *testing.T) {
	x, _ := index(t, samples()...)
	good := x.Bytes()
	for i := range good {
		for _, v := range []byte{0x01, 0x80, 0xff} {
			data := slices.Clone(good)
			data[i] ^= v
			if _, err := artefact.New(data); err == nil {
				t.Fatalf("byte %d changed by %#x, and nobody sees it", i, v)
			}
			artefact.Reseal(data)
			use(data)
		}
	}
}

func FuzzIndex(f *testing.F) {
	x, _ := index(f, samples()...)
	f.Add(x.Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) {
		data = slices.Clone(data)
		use(data)
		artefact.Reseal(data)
		use(data)
	})
}

func FuzzAdd(f *testing.F) {
	for i, a := range samples() {
		f.Add(uint8(i), a.Body)
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		all := samples()
		x, b := index(t, layers.Artefact{Name: all[int(kind)%len(all)].Name, Body: data})
		if c := b.Counts(); c.Read != 1 || c.Kept+c.Duplicate+c.Foreign+c.Quarantined != 1 {
			t.Errorf("one in, %+v out", c)
		}
		if err := x.Check(); err != nil {
			t.Error(err)
		}
	})
}
