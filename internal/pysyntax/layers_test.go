package pysyntax_test

import (
	"archive/zip"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

type sourceFile struct {
	name string
	data []byte
}

// layer gives the files of a real layer with an ending.
func layer(tb testing.TB, name, ext string) []sourceFile {
	tb.Helper()
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		tb.Skip("LAMINA_LAYERS names no folder with layers")
	}
	z, err := zip.OpenReader(filepath.Join(dir, name+".zip"))
	if err != nil {
		tb.Skipf("layer %s: %v", name, err)
	}
	defer func() { _ = z.Close() }()
	var out []sourceFile
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ext) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err := cmp.Or(err, r.Close()); err != nil {
			tb.Fatal(err)
		}
		out = append(out, sourceFile{f.Name, data})
	}
	return out
}

// A clean layer parses whole, and nothing in it sends credentials to a constant
// host.
func TestParse_layers(t *testing.T) {
	for _, name := range []string{"awscli-v1", "awscli-2023", "python-wheels"} {
		t.Run(name, func(t *testing.T) { clean(t, layer(t, name, ".py")) })
	}
}

func clean(t *testing.T, files []sourceFile) {
	t.Helper()
	bytes, matter, matterBytes, broken, missed, patches := 0, 0, 0, 0, 0, 0
	var parse, imports, may time.Duration
	for _, f := range files {
		bytes += len(f.data)
		start := time.Now()
		facts := pysyntax.Parse(f.data)
		parse += time.Since(start)
		start = time.Now()
		pysyntax.Imports(f.data)
		imports += time.Since(start)
		start = time.Now()
		if pysyntax.MayMatter(f.data) {
			matter++
			matterBytes += len(f.data)
		} else if len(facts.Flows) > 0 {
			t.Errorf("%s: MayMatter says no, but %+v", f.name, facts.Flows)
		} else if len(facts.Patches) > 0 {
			missed++ // through a local alias of another module's dictionary
		}
		may += time.Since(start)
		if len(facts.Errors) > 0 || facts.Partial {
			broken++
			t.Logf("%s: %v", f.name, facts.Errors)
		}
		for _, x := range facts.Flows {
			t.Logf("%s: %+v", f.name, x)
			if strings.Contains(f.name, "test") {
				continue
			}
			if x.Host != "" && x.Source != "env" && x.Source != "remote" {
				t.Errorf("%s: a clean layer has the flow %+v", f.name, x)
			}
		}
		patches += len(facts.Patches)
	}
	rate := func(d time.Duration) float64 { return float64(bytes) / 1e6 / d.Seconds() }
	t.Logf("%d files, %d bytes: Parse %.0f MB/s, Imports %.0f MB/s, MayMatter %.0f MB/s and yes to %d files with %d bytes; %d broken, %d patches",
		len(files), bytes, rate(parse), rate(imports), rate(may), matter, matterBytes, broken, patches)
	if missed*200 > len(files) {
		t.Errorf("MayMatter passes over %d files with patches", missed)
	}
	if broken > 0 {
		t.Errorf("%d files did not parse", broken)
	}
}

func BenchmarkLayer(b *testing.B) {
	files := layer(b, "awscli-v1", ".py")
	size := 0
	for _, f := range files {
		size += len(f.data)
	}
	for name, run := range map[string]func([]byte){
		"parse":     func(d []byte) { pysyntax.Parse(d) },
		"imports":   func(d []byte) { pysyntax.Imports(d) },
		"maymatter": func(d []byte) { pysyntax.MayMatter(d) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range files {
					run(f.data)
				}
			}
		})
	}
}
