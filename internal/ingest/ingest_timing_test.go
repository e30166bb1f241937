package ingest_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/sample/corpus"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// corpusBytes is how much text the benchmarks read: enough for a round of all
// variants to take seconds.
const corpusBytes = 200 << 20

// files writes the corpus once for all benchmarks of a run.
var files = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lamina-corpus-")
	if err != nil {
		return "", err
	}
	_, err = corpus.Generate(dir, corpus.Options{Seed: 1, Bytes: corpusBytes})
	return dir, err
})

// A variant is one way to go through all files; it returns bytes of text.
type variant struct {
	name string
	run  func(b *testing.B) int64
}

// BenchmarkDetect reads the corpus in several ways, in turn, in one process and
// on one core, and reports the CPU time of each as a multiple of bare
// compress/gzip: the machine's mood falls on all of them alike.
//
//	klauspost   bare gunzip by the library that source uses
//	records     and the reader that finds records
//	1_rule      and one rule
//	all_rules   and our pack, with the rules of type query of LAMINA_TESTDATA
func BenchmarkDetect(b *testing.B) {
	dir, err := files()
	if err != nil {
		b.Fatal(err)
	}
	set, err := source.Find(b.Context(), []string{dir}, source.Options{})
	if err != nil {
		b.Fatal(err)
	}
	stored := read(b, set)
	buf := make([]byte, 256<<10)
	var std stdgzip.Reader
	var fast gzip.Reader
	rd := cloudtrail.NewReader(nil, cloudtrail.Limits{})
	variants := []variant{
		{"gunzip", func(b *testing.B) (n int64) {
			b.Helper()
			for _, f := range stored {
				if err := std.Reset(bytes.NewReader(f)); err != nil {
					b.Fatal(err)
				}
				n += drain(b, &std, buf)
			}
			return n
		}},
		{"klauspost", func(b *testing.B) (n int64) {
			b.Helper()
			for _, f := range stored {
				if err := fast.Reset(bytes.NewReader(f)); err != nil {
					b.Fatal(err)
				}
				n += drain(b, &fast, buf)
			}
			return n
		}},
		{"records", func(b *testing.B) (n int64) {
			b.Helper()
			for _, f := range set.Blobs {
				in, err := f.Open()
				if err != nil {
					b.Fatal(err)
				}
				rd.Reset(in)
				for {
					if _, err := rd.Next(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
				if err := in.Close(); err != nil {
					b.Fatal(err)
				}
			}
			return 0
		}},
		{"1_rule", detection(b, set, pack(b)[:1])},
		{"all_rules", detection(b, set, pack(b))},
	}
	cpu := make([][]time.Duration, len(variants))
	var text int64
	for b.Loop() {
		for i, v := range variants {
			runtime.GC() // what the one before left is not this one's cost
			before := cpuTime(b)
			n := v.run(b)
			cpu[i] = append(cpu[i], cpuTime(b)-before)
			text = max(text, n)
		}
	}
	b.SetBytes(0)
	base := median(cpu[0])
	for i, v := range variants {
		m := median(cpu[i])
		b.ReportMetric(float64(text)/1e6/m.Seconds(), v.name+"_MB/s")
		b.ReportMetric(m.Seconds()/base.Seconds(), v.name+"_x_gunzip")
	}
}

func detection(b *testing.B, set *source.Set, ps []*rule.Program) func(*testing.B) int64 {
	b.Helper()
	en := enrich.New(enrich.Config{})
	eng, err := detect.New(detect.Config{Programs: ps, Enricher: en})
	if err != nil {
		b.Fatal(err)
	}
	newEvent := func() *cloudtrail.Event { return &cloudtrail.Event{Derived: en.Values} }
	return func(b *testing.B) int64 {
		b.Helper()
		ws, c, err := ingest.Run(b.Context(), set.Blobs, eng, ingest.Options{Jobs: 1, NewEvent: newEvent})
		if err != nil {
			b.Fatal(err)
		}
		ev := newEvent()
		run := eng.NewRun(func(raw []byte) (detect.Record, error) { return ev, ev.Reset(raw) }, func(lamina.Alert) error { return nil })
		if err := run.Finish(ws...); err != nil {
			b.Fatal(err)
		}
		if run.Stats.Alerts == 0 {
			b.Fatal("no alerts: nothing was measured")
		}
		return c.Bytes
	}
}

// pack is our rules, and Elastic's of type query where they are.
func pack(b *testing.B) []*rule.Program {
	b.Helper()
	rs, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(os.Getenv("LAMINA_TESTDATA"), "elastic-aws-rules", "*.toml"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		r, err := rule.Parse(name, data)
		if err != nil {
			b.Fatal(err)
		}
		rs = append(rs, r)
	}
	var out []*rule.Program
	for _, r := range rs {
		p, err := r.Compile(rule.CompileOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if p.Needs == "" {
			out = append(out, p)
		}
	}
	b.Logf("%d rules", len(out))
	return out
}

func read(b *testing.B, set *source.Set) [][]byte {
	b.Helper()
	var out [][]byte
	for _, f := range set.Blobs {
		data, err := os.ReadFile(f.Name)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

func drain(b *testing.B, r io.Reader, buf []byte) (n int64) {
	b.Helper()
	for {
		k, err := r.Read(buf)
		n += int64(k)
		if err == io.EOF {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is the user and system time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}
