// Package corpus writes CloudTrail for measurements: as many compressed log files
// as asked for, in the layout of S3, from templates of API calls written for
// this purpose.
//
// It is no story and nothing in it means anything (internal/sample tells one).
// It is made so that decompression and splitting cost what they cost on real
// trails: gzip at level 6 shrinks it eight to ten times, a record is about
// 1.2 KB, files hold 50 to 20,000 events, one in ten calls fails, and ids, times
// and principals vary as they do there. The same options give the same bytes.
package corpus

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// Options say how much to write. Zero fields mean the defaults.
type Options struct {
	Seed uint64
	// Bytes is how much decompressed text to write, at least (default 64 MiB).
	Bytes int64
	// Accounts and Actors are how many there are (default 40 and 600).
	Accounts, Actors int
	// ShareEvery is how many events there are to one that shares a layer, half
	// of them denied (default 20,000).
	ShareEvery int
	// Start is the time of the first event (default 2024-01-02T00:00:00Z).
	Start time.Time
}

// Stats are what was written.
type Stats struct {
	Files, Events int
	// Bytes are decompressed, Compressed as stored.
	Bytes, Compressed int64
	// Errors are calls that failed, Shares calls of
	// AddLayerVersionPermission20181031, SharesDenied those of them that failed.
	Errors, Shares, SharesDenied int
}

const (
	minEvents = 50
	maxEvents = 20_000
)

// Generate writes a corpus below dir, which it creates.
func Generate(dir string, opt Options) (Stats, error) {
	if opt.Bytes <= 0 {
		opt.Bytes = 64 << 20
	}
	if opt.Accounts <= 0 {
		opt.Accounts = 40
	}
	if opt.Actors <= 0 {
		opt.Actors = 600
	}
	if opt.ShareEvery <= 0 {
		opt.ShareEvery = 20_000
	}
	if opt.Start.IsZero() {
		opt.Start = time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	}
	g, err := newGenerator(opt)
	if err != nil {
		return Stats{}, err
	}
	for g.stats.Bytes < opt.Bytes {
		if err := g.file(dir); err != nil {
			return g.stats, fmt.Errorf("generate corpus: %w", err)
		}
	}
	return g.stats, nil
}

// file writes one log file: the calls of a few actors of one account,
// mixed as they happened.
func (g *generator) file(dir string) (err error) {
	left := g.opt.Bytes - g.stats.Bytes
	n := int(math.Exp(math.Log(minEvents) + g.rng.Float64()*math.Log(float64(maxEvents)/minEvents)))
	n = max(minEvents, min(n, int(left/1100)))
	account := g.accounts[g.rng.IntN(len(g.accounts))]
	region := account.regions[g.rng.IntN(len(account.regions))]
	g.clock = g.opt.Start.Add(time.Duration(g.rng.Int64N(int64(30 * 24 * time.Hour)))).Truncate(5 * time.Minute)
	delivered := g.clock.Add(5 * time.Minute)
	path := filepath.Join(dir, "AWSLogs", account.id, "CloudTrail", region, filepath.FromSlash(delivered.Format("2006/01/02")))
	if err := os.MkdirAll(path, 0o750); err != nil {
		return err
	}
	name := fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", account.id, region, delivered.Format("20060102T1504Z"), g.random(base62, 16))
	f, err := os.Create(filepath.Join(path, name)) //nolint:gosec // the caller's folder
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<16)
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	counted := &counter{w: out}
	zw, err := gzip.NewWriterLevel(counted, 6)
	if err != nil {
		return err
	}
	if err := g.records(zw, account, region, n); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	g.stats.Files++
	g.stats.Compressed += counted.n
	return out.Flush()
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// records writes n events in CloudTrail's own compact layout.
func (g *generator) records(w io.Writer, account *account, region string, n int) error {
	step := 5 * time.Minute / time.Duration(n)
	start := g.clock
	sessions := make([]*session, 2+g.rng.IntN(5))
	for i := range sessions {
		sessions[i] = g.session(account, region)
	}
	b := append(g.buf[:0], `{"Records":[`...)
	for i := 0; i < n; {
		// Runs of one actor, as deliveries have them.
		k := g.rng.IntN(len(sessions))
		if g.rng.IntN(10) == 0 {
			sessions[k] = g.session(account, region)
		}
		for range min(n-i, 3+g.rng.IntN(28)) {
			if i > 0 {
				b = append(b, ',')
			}
			g.clock = start.Add(step * time.Duration(i))
			b = g.event(b, sessions[k])
			i++
			if len(b) > 1<<16 {
				if _, err := w.Write(b); err != nil {
					return err
				}
				g.stats.Bytes += int64(len(b))
				b = b[:0]
			}
		}
	}
	b = append(b, `]}`...)
	g.stats.Bytes += int64(len(b))
	g.stats.Events += n
	g.buf = b
	_, err := w.Write(b)
	return err
}

func newGenerator(opt Options) (*generator, error) {
	g := &generator{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0x1a317a))} //nolint:gosec // not a secret
	if err := g.compile(); err != nil {
		return nil, err
	}
	g.people(opt.Accounts, opt.Actors)
	return g, nil
}
