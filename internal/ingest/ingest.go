// Package ingest joins source, cloudtrail and detect: it opens files, splits
// them into records, and gives each record to a worker of the engine, one
// worker a core and one file a worker at a time; or to a Sink, for those who run
// no rules.
//
// It owns the counting: what came in is what was evaluated plus what was set
// aside with a reason, and a run whose counts do not add up is an error. It
// refuses to interpret a record or a rule. Start with Run.
package ingest

import (
	"fmt"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
)

// maxSkips is how many skipped parts of one file are named; more are counted in
// one line, so that a file of a million broken lines costs no memory.
const maxSkips = 1000

// Options say how a run reads.
type Options struct {
	// Jobs is how many files are read at once, at least 1.
	Jobs int
	// Limits bound what one record may cost.
	Limits cloudtrail.Limits
	// NewEvent makes an event with the hooks the rules need. Nil means none.
	NewEvent func() *cloudtrail.Event
	// Since and Until limit events by eventTime, Since included, Until not;
	// zero means no limit. Events without a time are evaluated.
	Since, Until time.Time
	// Skipped is called with what was set aside, in the order of the files.
	Skipped func(lamina.Skipped) error
	// Progress, if not nil, is called after each file, from one goroutine at a
	// time, with the bytes as stored that are done.
	Progress func(files int, bytes int64)
}

// Counts are what a run saw. Records = Evaluated + Outside + Digests +
// Quarantined, and that is checked.
type Counts struct {
	// Files were read, FailedFiles could not be read to their end.
	Files, FailedFiles int64
	// Bytes were decompressed.
	Bytes int64
	// Records are all that came in: found by the reader, or given up by it.
	Records int64
	// Evaluated were given to the rules; Insights are among them.
	Evaluated, Insights int64
	// Outside are events before Since or not before Until.
	Outside int64
	// Digests are documents that hold no events.
	Digests int64
	// Quarantined could not be read.
	Quarantined int64
	// Skips are the parts that were set aside. There may be some without a
	// record: of a list that is cut short nobody knows how many are missing.
	Skips int64
}

// Add adds the counts of another run.
func (c *Counts) Add(d Counts) {
	c.Files += d.Files
	c.FailedFiles += d.FailedFiles
	c.Bytes += d.Bytes
	c.Records += d.Records
	c.Evaluated += d.Evaluated
	c.Insights += d.Insights
	c.Outside += d.Outside
	c.Digests += d.Digests
	c.Quarantined += d.Quarantined
	c.Skips += d.Skips
}

// check is the law "counted in, counted out".
func (c *Counts) check() error {
	if out := c.Evaluated + c.Outside + c.Digests + c.Quarantined; c.Records != out {
		return fmt.Errorf("counts do not add up: %d records came in, %d went out; this is a bug in lamina", c.Records, out)
	}
	return nil
}
