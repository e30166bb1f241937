package analyzers_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zip"

	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// collectAt makes the collector run as seldom in a small heap as it does in the
// program (cmd/lamina/gc.go).
const collectAt = 450

// BenchmarkScan is the whole scan as a multiple of what cannot be avoided, in one
// process and by CPU time: x_inflate is to inflating every entry with klauspost's
// zip and hashing it, medians of the rounds, the two in turn. It reads the layer
// zips in LAMINA_LAYERS (make fetch-layers), or one that is made up.
func BenchmarkScan(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	for name, data := range benchLayers(b) {
		b.Run(name, func(b *testing.B) {
			var limit, read, judge []time.Duration
			for b.Loop() {
				limit = append(limit, cpu(func() { bare(b, data) }))
				var s *content.Scan
				read = append(read, cpu(func() {
					s = &content.Scan{Layers: []*content.Layer{content.Read(name, bytes.NewReader(data), int64(len(data)), content.Options{})}}
				}))
				judge = append(judge, cpu(func() { content.Judge(analyzers.All, s) }))
			}
			b.ReportMetric((median(read)+median(judge))/median(limit), "x_inflate")
			b.ReportMetric(median(limit)*1e3, "limit-ms")
			b.ReportMetric(median(read)*1e3, "read-ms")
			b.ReportMetric(median(judge)*1e3, "judge-ms")
		})
	}
}

// BenchmarkRescan is a second scan of a layer of which one file changed, with the
// facts of the first in the cache: what a new version of a known layer costs.
// read-ms and judge-ms are CPU time, which several goroutines take, among them the one
// that writes the cache meanwhile; rescan-ms is how long a user waits until all is done;
// medians of the rounds.
func BenchmarkRescan(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	for name, data := range benchLayers(b) {
		b.Run(name, func(b *testing.B) {
			changed := changeOne(b, data)
			from := b.TempDir()
			scan := func(cache *content.Cache, data []byte) *content.Scan {
				l := content.Read(name, bytes.NewReader(data), int64(len(data)), content.Options{Cache: cache})
				if l.Err != nil {
					b.Fatal(l.Err)
				}
				return &content.Scan{Layers: []*content.Layer{l}}
			}
			before := &content.Cache{Dir: from, Program: "bench"}
			scan(before, data)
			if err := before.Err(); err != nil {
				b.Fatal(err)
			}
			var read, judge, waited []time.Duration
			for b.Loop() {
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
					b.Fatal(err)
				}
				var s *content.Scan
				runtime.GC() // what the round before left is not of this scan
				cache := &content.Cache{Dir: dir, Program: "bench"}
				began := time.Now()
				read = append(read, cpu(func() { s = scan(cache, changed) }))
				judge = append(judge, cpu(func() { content.Judge(analyzers.All, s) }))
				if err := cache.Err(); err != nil {
					b.Fatal(err)
				}
				waited = append(waited, time.Since(began))
				if fresh := len(s.Layers[0].Files) - s.Layers[0].Cached; fresh < 1 || fresh > 1+len(s.Layers[0].Files)/2 {
					b.Fatalf("%d of %d files were read again", fresh, len(s.Layers[0].Files))
				}
			}
			b.ReportMetric(median(read)*1e3, "read-ms")
			b.ReportMetric(median(judge)*1e3, "judge-ms")
			b.ReportMetric(median(waited)*1e3, "rescan-ms")
		})
	}
}

// changeOne is the archive with a line added to the first of its scripts.
func changeOne(tb testing.TB, data []byte) []byte {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	script := func(f *zip.File) bool {
		return slices.Contains([]string{".py", ".js", ".sh", ".txt", ".json"}, path.Ext(f.Name)) && f.Mode().IsRegular() && f.UncompressedSize64 < 64<<10
	}
	at := slices.IndexFunc(z.File, script)
	if at < 0 {
		tb.Skip("no file of it is small enough to be changed for this")
	}
	for i, f := range z.File {
		if i != at {
			if err := w.Copy(f); err != nil {
				tb.Fatal(err)
			}
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		h := f.FileHeader
		to, err := w.CreateHeader(&h)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.Copy(to, r); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(to, "\n"); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// median is the middle of the rounds, in seconds.
func median(d []time.Duration) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2].Seconds()
}

// cpu is the CPU time of the process while f runs.
func cpu(f func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// bare inflates and hashes every entry.
func bare(tb testing.TB, data []byte) {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.CopyBuffer(h, r, buf); err != nil {
			tb.Fatal(err)
		}
		if err := r.Close(); err != nil {
			tb.Fatal(err)
		}
	}
}

func benchLayers(b *testing.B) map[string][]byte {
	b.Helper()
	out := map[string][]byte{}
	if dir := os.Getenv("LAMINA_LAYERS"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*.zip"))
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			out[filepath.Base(f)] = data
		}
		return out
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	var files []layers.File
	for i := range 300 {
		var body bytes.Buffer
		for l := range 300 {
			fmt.Fprintf(&body, "def f%d_%d(a, b):\n    return a[%d] + b.get('%x')\n", i, l, rnd.IntN(100), rnd.Uint64())
		}
		files = append(files, layers.File{Name: fmt.Sprintf("python/acme/m%d.py", i), Body: body.String()})
	}
	out["made-up"] = layers.Zip(files...)
	return out
}
