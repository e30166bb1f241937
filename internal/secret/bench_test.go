package secret

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// jsonLike makes text like a service description: names, nesting, sentences.
func jsonLike(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	words := strings.Fields(`the of a to is in for and that this you with be by request response identifier name resource Amazon token
		specified operation status type value list description returns information policy access members shape string required
		documentation instance version metadata region account configuration parameters created time error exception`)
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString("\n    \"" + strings.ToUpper(words[r.IntN(len(words))][:1]) + words[r.IntN(len(words))] + "\":{\n      \"type\":\"structure\",\n      \"members\":{\"")
		b.WriteString(words[r.IntN(len(words))] + "\":{\"shape\":\"String\",\"documentation\":\"<p>")
		for range 8 + r.IntN(30) {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		b.WriteString("</p>\"}}},")
	}
	return b.Bytes()
}

// jsLike makes code like a minified bundle.
func jsLike(n int) []byte {
	r := rand.New(rand.NewPCG(2, 1))
	words := strings.Fields(`function return var const let this exports module require prototype length push call apply Object Promise async await
		new typeof undefined null true false throw Error if else for while switch case break e t n r i o a s u c l`)
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte("(){}[];,.=+-!&|?: \"'_"[r.IntN(21)])
		if r.IntN(40) == 0 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func BenchmarkScan(b *testing.B) {
	e := New(Options{Key: []byte("k")})
	noise := make([]byte, 8<<20)
	r := rand.NewChaCha8([32]byte{})
	if _, err := r.Read(noise); err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{"json": jsonLike(8 << 20), "js": jsLike(8 << 20), "random": noise, "zero": make([]byte, 8<<20)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				e.Scan(data, Hint{Path: "python/a.json"})
			}
		})
		b.Run(name+"_automaton", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			n := 0
			for b.Loop() {
				e.auto.scan(data, e.near, func(uint16, int) { n++ })
			}
			b.ReportMetric(float64(n)/float64(b.N), "anchors/op")
		})
		b.Run(name+"_memory", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if bytes.IndexByte(data, 0xff) == 0 {
					b.Fatal("not of this data")
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{})
	}
}

// layerFiles are the inflated files of a real layer.
func layerFiles(tb testing.TB, name string) map[string][]byte {
	tb.Helper()
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		tb.Skip("LAMINA_LAYERS names no folder of fetched layers")
	}
	z, err := zip.OpenReader(filepath.Join(dir, name))
	if err != nil {
		tb.Skipf("LAMINA_LAYERS has no %s: %v", name, err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		files[f.Name] = data
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return files
}

func BenchmarkLayer(b *testing.B) {
	for _, name := range []string{"awscli-v1.zip", "node-proxy-agent.zip"} {
		b.Run(name, func(b *testing.B) {
			files := layerFiles(b, name)
			n := 0
			for _, d := range files {
				n += len(d)
			}
			e := New(Options{Key: []byte("k")})
			b.SetBytes(int64(n))
			for b.Loop() {
				for path, d := range files {
					e.Scan(d, Hint{Path: path})
				}
			}
		})
	}
}
