package layerfs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/klauspost/compress/zip"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// generated returns a layer of size inflated bytes: files of the sizes that those of
// real Python layers have, a few hundred bytes to a few hundred KiB and one of 12
// MiB, of words that repeat as those of code do.
func generated(tb testing.TB, size int) []byte {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 4000)
	for i := range words {
		words[i] = fmt.Appendf(nil, "%x", rnd.Uint64())[:2+rnd.IntN(12)]
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; size > 0; i++ {
		n := min(size, 200<<rnd.IntN(12))
		if i == 20 {
			n = min(size, 12<<20)
		}
		size -= n
		f, err := w.Create(fmt.Sprintf("python/pkg%02d/file%d.py", i%40, i))
		if err != nil {
			tb.Fatal(err)
		}
		text := make([]byte, 0, n+16)
		for len(text) < n {
			text = append(text, words[int(rnd.ExpFloat64()*400)%len(words)]...)
			text = append(text, " \n.(="[rnd.IntN(5)])
		}
		if _, err := f.Write(text[:n]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// bare is the least that anybody has to do: klauspost's reader and SHA-256.
func bare(tb testing.TB, data []byte) {
	tb.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	h := sha256.New()
	buf := make([]byte, 64<<10)
	for _, e := range r.File {
		f, err := e.Open()
		if err != nil {
			tb.Fatal(err)
		}
		h.Reset()
		if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buf); err != nil {
			tb.Fatal(err)
		}
		h.Sum(nil)
	}
}

func pass(tb testing.TB, data []byte) {
	tb.Helper()
	l, err := layerfs.Open(bytes.NewReader(data), int64(len(data)), layerfs.DefaultLimits)
	if err != nil {
		tb.Fatal(err)
	}
	err = l.Pass(func(*layerfs.File) error { return nil }, func(path string, err error) { tb.Errorf("%s: %v", path, err) })
	if err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkPass reports what opening and passing over a layer costs as a multiple of
// the bare work on the same bytes, measured in turns in the same process.
func BenchmarkPass(b *testing.B) {
	layers := map[string][]byte{"generated_50MB": generated(b, 50<<20)}
	if dir := os.Getenv("LAMINA_LAYERS"); dir != "" {
		for _, name := range []string{"awscli-v1", "node-proxy-agent", "kubectl-v35"} {
			data, err := os.ReadFile(dir + "/" + name + ".zip")
			if err != nil {
				b.Fatal(err)
			}
			layers[name] = data
		}
	}
	for name, data := range layers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var limit, ours time.Duration
			for b.Loop() {
				t0 := time.Now()
				bare(b, data)
				t1 := time.Now()
				pass(b, data)
				limit, ours = limit+t1.Sub(t0), ours+time.Since(t1)
			}
			b.ReportMetric(float64(ours)/float64(limit), "x_inflate")
			b.ReportMetric(ours.Seconds()*1000/float64(b.N), "ms/pass")
		})
	}
}

// BenchmarkPass_known is a scan of a layer of which all but one file is known: what
// opening, keys and that file cost.
func BenchmarkPass_known(b *testing.B) {
	layers := map[string][]byte{"generated_50MB": generated(b, 50<<20)}
	if dir := os.Getenv("LAMINA_LAYERS"); dir != "" {
		data, err := os.ReadFile(dir + "/awscli-v1.zip")
		if err != nil {
			b.Fatal(err)
		}
		layers["awscli-v1"] = data
	}
	for name, data := range layers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cache := map[layerfs.Key]layerfs.Cost{}
			n := 0
			opt := layerfs.Options{
				Known: func(_ *layerfs.Entry, key layerfs.Key) (layerfs.Cost, bool) {
					c, ok := cache[key]
					return c, ok
				},
				Done: func(_ *layerfs.Entry, key layerfs.Key, cost layerfs.Cost, whole bool) {
					if n++; whole && n != 7 {
						cache[key] = cost
					}
				},
			}
			scan := func() {
				l, err := layerfs.Open(bytes.NewReader(data), int64(len(data)), layerfs.DefaultLimits)
				if err != nil {
					b.Fatal(err)
				}
				if err := l.PassWith(opt, func(*layerfs.File) error { return nil }, func(path string, err error) { b.Errorf("%s: %v", path, err) }); err != nil {
					b.Fatal(err)
				}
				n = 6 // the next that is read is not kept
			}
			scan()
			for b.Loop() {
				scan()
			}
		})
	}
}
