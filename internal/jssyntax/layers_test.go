package jssyntax_test

import (
	"archive/zip"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/jssyntax"
)

type sourceFile struct {
	name string
	data []byte
}

// layer gives the JavaScript files of a real layer.
func layer(tb testing.TB, name string) []sourceFile {
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
		if !strings.HasSuffix(f.Name, ".js") && !strings.HasSuffix(f.Name, ".mjs") && !strings.HasSuffix(f.Name, ".cjs") {
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

// Clean layers parse, and nothing in them sends credentials to a constant host.
func TestParse_layers(t *testing.T) {
	for _, name := range []string{"node-proxy-agent", "otel-extension", "datadog-node"} {
		t.Run(name, func(t *testing.T) {
			bytes, matter, matterBytes, broken, flowsSeen, patches := 0, 0, 0, 0, 0, 0
			var parse, may, slowest time.Duration
			slow := ""
			exact, missed, surplus := map[string]bool{}, 0, 0
			for _, f := range layer(t, name) {
				bytes += len(f.data)
				start := time.Now()
				facts := jssyntax.Parse(f.data)
				d := time.Since(start)
				parse += d
				if d > slowest {
					slowest, slow = d, f.name
				}
				start = time.Now()
				if jssyntax.MayMatter(f.data) {
					matter++
					matterBytes += len(f.data)
				} else if len(facts.Flows)+len(facts.Patches) > 0 {
					t.Errorf("%s: MayMatter says no, but %+v %+v", f.name, facts.Flows, facts.Patches)
				}
				may += time.Since(start)
				if len(facts.Errors) > 0 {
					broken++
					t.Logf("%s: %v", f.name, facts.Errors)
				}
				quick := map[string]bool{}
				for _, im := range jssyntax.Imports(f.data) {
					quick[im.Module] = true
				}
				for _, im := range facts.Imports {
					if exact[im.Module] = true; !quick[im.Module] && !im.Folded && im.Module != "" {
						t.Logf("%s:%d: Imports misses %q", f.name, im.Line, im.Module)
						missed++
					}
				}
				for m := range quick {
					if !slices.ContainsFunc(facts.Imports, func(im jssyntax.Import) bool { return im.Module == m }) {
						surplus++
					}
				}
				if facts.Truncated {
					t.Logf("%s: truncated", f.name)
				}
				patches += len(facts.Patches)
				for _, x := range facts.Flows {
					flowsSeen++
					t.Logf("%s: %+v", f.name, x)
					switch x.Source {
					case "env-all", "env-credential", "proc-environ", "sdk-credentials", "metadata":
						if x.Host != "" {
							t.Errorf("%s: a clean layer has the flow %+v", f.name, x)
						}
					}
				}
			}
			t.Logf("%d bytes: Parse %.0f MB/s, MayMatter %.0f MB/s and yes to %d files with %d bytes; %d broken, %d flows, %d patches; slowest %s %v", bytes,
				float64(bytes)/1e6/parse.Seconds(), float64(bytes)/1e6/may.Seconds(), matter, matterBytes, broken, flowsSeen, patches, slow, slowest)
			t.Logf("%d modules; Imports misses %d and has %d too many", len(exact), missed, surplus)
			if missed*50 > len(exact)+500 {
				t.Errorf("Imports misses %d", missed)
			}
			if broken > 4 {
				t.Errorf("%d files did not parse", broken)
			}
		})
	}
}

func BenchmarkLayer(b *testing.B) {
	for _, name := range []string{"node-proxy-agent", "otel-extension"} {
		files := layer(b, name)
		size := 0
		for _, f := range files {
			size += len(f.data)
		}
		for what, run := range map[string]func([]byte){
			"parse":     func(d []byte) { jssyntax.Parse(d) },
			"maymatter": func(d []byte) { jssyntax.MayMatter(d) },
			"imports":   func(d []byte) { jssyntax.Imports(d) },
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
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
}
