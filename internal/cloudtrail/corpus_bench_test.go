package cloudtrail_test

import (
	stdgzip "compress/gzip"
	"io"
	"os"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/sample/corpus"
	"github.com/lamina-sec/lamina/internal/source"
)

// BenchmarkCorpus compares what it costs to inflate a generated trail with what
// it costs to inflate it and find its records. The kinds of work take turns on
// each file, so that their ratios hold on a busy machine.
func BenchmarkCorpus(b *testing.B) {
	dir := b.TempDir()
	stats, err := corpus.Generate(dir, corpus.Options{Seed: 1, Bytes: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	set, err := source.Find(b.Context(), []string{dir}, source.Options{})
	if err != nil {
		b.Fatal(err)
	}
	d := cloudtrail.NewReader(nil, cloudtrail.Limits{})
	std, fast := new(stdgzip.Reader), new(gzip.Reader)
	buf := make([]byte, 64<<10)
	drain := func(r io.Reader) {
		for {
			if _, err := r.Read(buf); err != nil {
				return
			}
		}
	}
	var took [4]time.Duration
	n := int64(0)
	b.SetBytes(stats.Bytes)
	b.ReportAllocs()
	for b.Loop() {
		n = 0
		for _, blob := range set.Blobs {
			for i := range took {
				f, err := os.Open(blob.Name)
				if err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				switch i {
				case 0:
					if err := std.Reset(f); err != nil {
						b.Fatal(err)
					}
					drain(std)
				case 1:
					if err := fast.Reset(f); err != nil {
						b.Fatal(err)
					}
					drain(fast)
				default:
					r, err := blob.Open()
					if err != nil {
						b.Fatal(err)
					}
					if i == 2 {
						drain(r)
					} else {
						d.Reset(r)
						for {
							if _, err := d.Next(); err != nil {
								break
							}
						}
						n += d.Counts().Records
					}
					if err := r.Close(); err != nil {
						b.Fatal(err)
					}
				}
				took[i] += time.Since(start)
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	if n != int64(stats.Events) {
		b.Fatalf("%d records of %d", n, stats.Events)
	}
	rate := func(i int) float64 { return float64(stats.Bytes) * float64(b.N) / took[i].Seconds() / 1e6 }
	b.ReportMetric(rate(0), "gunzip-MB/s")
	b.ReportMetric(rate(1), "klauspost-MB/s")
	b.ReportMetric(rate(2), "source-MB/s")
	b.ReportMetric(rate(3), "records-MB/s")
	b.ReportMetric(took[3].Seconds()/took[0].Seconds(), "x_gunzip")
	b.ReportMetric(took[3].Seconds()/took[1].Seconds(), "x_klauspost")
	b.ReportMetric(float64(n)*float64(b.N)/took[3].Seconds(), "records/s")
}
