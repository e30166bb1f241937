// Command besidezcat runs lamina detect and zcat over the same files in turn
// and prints the CPU time of each (user and system, median of the rounds), their
// ratio, and lamina's largest resident size. It measures whole processes, start
// included; internal/ingest's benchmarks measure the parts in one process.
//
// Without a folder it writes a corpus of its own and removes it afterwards.
//
//	go run ./internal/tools/besidezcat -lamina bin/lamina -rules builtin -rules DIR [FOLDER]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lamina-sec/lamina/internal/sample/corpus"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "besidezcat:", err)
		os.Exit(1)
	}
}

// many is a flag that may be given several times.
type many []string

func (m *many) String() string { return strings.Join(*m, " ") }

func (m *many) Set(s string) error {
	*m = append(*m, s)
	return nil
}

func run(args []string, out io.Writer) error {
	f := flag.NewFlagSet("besidezcat", flag.ContinueOnError)
	lamina := f.String("lamina", "bin/lamina", "the program")
	rounds := f.Int("rounds", 7, "rounds, each of both programs")
	jobs := f.String("jobs", "1", "lamina's --jobs")
	size := f.Int64("mib", 400, "MiB of text of the corpus")
	var rules many
	f.Var(&rules, "rules", "rules of lamina, may be given several times")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 1 {
		return errors.New("usage: besidezcat [flags] [FOLDER of .gz files]")
	}
	dir := f.Arg(0)
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "lamina-corpus-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		if _, err := corpus.Generate(dir, corpus.Options{Seed: 1, Bytes: *size << 20}); err != nil {
			return err
		}
	}
	var files []string
	var stored int64
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".gz") {
			return err
		}
		info, err := d.Info()
		files, stored = append(files, p), stored+info.Size()
		return err
	})
	if err != nil {
		return err
	}
	zcat := append([]string{"zcat"}, files...)
	detect := []string{*lamina, "detect", dir, "-q", "--jobs", *jobs, "--fail-on", "never", "--allow-incomplete", "benchmark", "-f", "ndjson"}
	for _, r := range rules {
		detect = append(detect, "--rules", r)
	}
	var z, l []time.Duration
	var text int64
	var rss int64
	for range *rounds {
		a, err := measure(zcat)
		if err != nil {
			return err
		}
		b, err := measure(detect)
		if err != nil {
			return err
		}
		z, l, text, rss = append(z, a.cpu), append(l, b.cpu), a.out, max(rss, b.rss)
	}
	mz, ml := median(z), median(l)
	perSecond := func(d time.Duration) float64 { return float64(text) / 1e6 / d.Seconds() }
	fmt.Fprintf(out, "%d files, %.1f MB stored, %.1f MB of text, ratio %.1f, %d rounds\n", len(files), float64(stored)/1e6, float64(text)/1e6, float64(text)/float64(stored), *rounds)
	fmt.Fprintf(out, "zcat           %6.2f CPU s  %5.0f MB/s\n", mz.Seconds(), perSecond(mz))
	fmt.Fprintf(out, "lamina detect  %6.2f CPU s  %5.0f MB/s  %d MiB resident\n", ml.Seconds(), perSecond(ml), rss>>20)
	fmt.Fprintf(out, "x_zcat         %6.2f\n", ml.Seconds()/mz.Seconds())
	return nil
}

// A usage is what one process cost.
type usage struct {
	cpu time.Duration
	rss int64 // bytes
	out int64 // bytes written
}

func measure(command []string) (usage, error) {
	c := exec.CommandContext(context.Background(), command[0], command[1:]...) //nolint:gosec // the two programs being measured
	n := &counter{}
	c.Stdout, c.Stderr = n, os.Stderr
	if err := c.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w", command[0], err)
	}
	u := usage{cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), out: n.n}
	if ru, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = ru.Maxrss << 10 // Linux counts KiB
	}
	return u, nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
