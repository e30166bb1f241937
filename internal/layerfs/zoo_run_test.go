package layerfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Every archive of the zoo is flagged as what it is, in less than 2 s of CPU time
// each and without a lot of garbage.
func TestZoo(t *testing.T) {
	zoo := append(zips(), nested()...)
	t.Logf("%d archives", len(zoo))
	if len(zoo) < 200 {
		t.Errorf("%d archives, want 200 or more", len(zoo))
	}
	var slowest, fattest string
	var most time.Duration
	var garbage uint64
	for i, a := range zoo {
		if raceEnabled && i%8 != 0 {
			continue // make test has all of them; nothing here runs at the same time
		}
		t.Run(a.name, func(t *testing.T) {
			data := a.make()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpu()
			r := read(data)
			took := cpu() - start
			runtime.ReadMemStats(&after)
			if !r.said(a.want) {
				t.Errorf("want %s; got %v, damaged %v, error %v", a.want, r.kinds, r.damaged, r.err)
			}
			if a.want != "refused" && r.err != nil {
				t.Error(r.err)
			}
			if took > 2*time.Second && !raceEnabled {
				t.Errorf("took %v of CPU time", took)
			}
			if took > most {
				most, slowest = took, a.name
			}
			n := after.TotalAlloc - before.TotalAlloc
			if n > 256<<20 {
				t.Errorf("allocated %d MiB", n>>20)
			}
			if n > garbage {
				garbage, fattest = n, a.name
			}
		})
	}
	t.Logf("slowest %s, %v; most allocated by %s, %d KiB", slowest, most, fattest, garbage>>10)
}

// The whole zoo is read by one process from files, as a user's would be, and its
// memory stays below 128 MiB.
func TestZoo_memory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of its own")
	}
	const env = "LAMINA_ZOO"
	if dir := os.Getenv(env); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) < 200 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		high := highWater()
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if l, err := layerfs.Open(f, st.Size(), layerfs.DefaultLimits); err == nil {
				_ = l.Pass(func(*layerfs.File) error { return nil }, func(string, error) {})
			}
			_ = f.Close()
			if now := highWater(); now > high+2048 {
				t.Logf("%s: %d MiB", filepath.Base(name), now>>10)
				high = now
			}
		}
		if high > 128<<10 {
			t.Errorf("%d KiB, want at most 128 MiB", high)
		}
		return
	}
	if testing.Short() {
		t.Skip("reads the zoo once more")
	}
	dir := t.TempDir()
	for i, a := range append(zips(), nested()...) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d_%.60s", i, strings.Map(plainName, a.name))), a.make(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZoo_memory$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// highWater is the most memory that the process had until now, in KiB, or 0 where
// the system does not say. What getrusage says includes the process before exec.
func highWater() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return n
		}
	}
	return 0
}

func plainName(r rune) rune {
	if r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
		return r
	}
	return '-'
}
