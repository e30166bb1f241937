package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/source"
)

// A Sink takes the records that one goroutine reads. What it needs of a record
// after it returns it copies. Its error sets the record aside.
type Sink func(ev *cloudtrail.Event, at detect.Place) error

func into(w *detect.Worker) Sink {
	return func(ev *cloudtrail.Event, at detect.Place) error { return w.Event(ev, at) }
}

// Run gives every record of the files to workers of the engine and returns the
// workers, for detect's second pass, and the counts. Files are read in any
// order; nothing that is returned depends on it. It ends early only when ctx is
// done or Skipped fails.
func Run(ctx context.Context, files []*source.Blob, eng *detect.Engine, opt Options) ([]*detect.Worker, Counts, error) {
	var workers []*detect.Worker
	counts, err := Each(ctx, files, func() Sink {
		workers = append(workers, eng.Worker())
		return into(workers[len(workers)-1])
	}, opt)
	return workers, counts, err
}

// Each gives every record of the files to one of the sinks that it makes, one a
// job, before it reads. It is Run for those who run no rules.
func Each(ctx context.Context, files []*source.Blob, sink func() Sink, opt Options) (Counts, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := max(1, min(opt.Jobs, len(files)))
	next := make(chan int)
	results := make(chan result, jobs)
	var wg sync.WaitGroup
	for range jobs {
		s := sink()
		wg.Go(func() {
			r := newReader(ctx, opt, s)
			for n := range next {
				results <- r.file(n, files[n])
			}
		})
	}
	go func() {
		defer close(next)
		for n := range files {
			select {
			case next <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		wg.Wait()
		close(results)
	}()
	counts, err := collect(results, opt, cancel)
	if cause := context.Cause(ctx); err == nil && cause != nil {
		err = cause
	}
	if err == nil {
		err = counts.check()
	}
	return counts, err
}

// Into gives every record of the files to one worker, in order.
func Into(ctx context.Context, files []*source.Blob, w *detect.Worker, opt Options) (Counts, error) {
	var total Counts
	r := newReader(ctx, opt, into(w))
	for n, b := range files {
		res := r.file(n, b)
		total.Add(res.counts)
		for _, s := range res.skipped {
			if opt.Skipped == nil {
				break
			}
			if err := opt.Skipped(s); err != nil {
				return total, err
			}
		}
		if err := context.Cause(ctx); err != nil {
			return total, err
		}
	}
	return total, total.check()
}

// A result is one file done.
type result struct {
	file    int
	bytes   int64 // as stored
	counts  Counts
	skipped []lamina.Skipped
}

// collect adds up results and passes skipped parts on in the order of files.
func collect(results <-chan result, opt Options, cancel context.CancelCauseFunc) (Counts, error) {
	var total Counts
	var bytes int64
	var failed error
	waiting := map[int][]lamina.Skipped{}
	turn := 0
	for r := range results {
		total.Add(r.counts)
		bytes += r.bytes
		if opt.Progress != nil {
			opt.Progress(int(total.Files), bytes)
		}
		waiting[r.file] = r.skipped
		for skipped, ok := waiting[turn]; ok; skipped, ok = waiting[turn] {
			delete(waiting, turn)
			turn++
			for _, s := range skipped {
				if failed == nil && opt.Skipped != nil {
					if failed = opt.Skipped(s); failed != nil {
						cancel(failed)
					}
				}
			}
		}
	}
	return total, failed
}

// A reader is one goroutine's buffers and the file it is in.
type reader struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the goroutine that got it
	opt   Options
	sink  Sink
	split *cloudtrail.Reader
	event *cloudtrail.Event
	res   result
	blob  *source.Blob
	more  int64 // skipped parts beyond maxSkips
	rest  int64 // records in them
}

func newReader(ctx context.Context, opt Options, s Sink) *reader {
	r := &reader{ctx: ctx, opt: opt, sink: s, split: cloudtrail.NewReader(nil, opt.Limits)}
	r.split.Skipped = func(s cloudtrail.Skip) {
		r.skip(s.Offset, s.Bytes, s.Records, s.Reason)
	}
	if opt.NewEvent != nil {
		r.event = opt.NewEvent()
	} else {
		r.event = &cloudtrail.Event{}
	}
	return r
}

// file reads one file to its end, or as far as it can be read.
func (r *reader) file(n int, b *source.Blob) result {
	r.res = result{file: n, bytes: max(b.Size, 0), counts: Counts{Files: 1}}
	r.blob, r.more, r.rest = b, 0, 0
	if err := r.read(); err != nil && r.ctx.Err() == nil {
		r.res.counts.FailedFiles++
	}
	if r.more > 0 {
		r.res.skipped = append(r.res.skipped, lamina.Skipped{
			File: b.Name, Offset: -1, Records: int(r.rest), Reason: fmt.Sprintf("and %d more parts of this file", r.more),
		})
	}
	return r.res
}

func (r *reader) read() (err error) {
	in, err := open(r.ctx, r.blob)
	if err != nil {
		r.skip(-1, max(r.blob.Size, 0), 0, err.Error())
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	counted := &counter{r: in, ctx: r.ctx}
	r.split.Reset(counted)
	at := detect.Place{File: r.res.file, Name: r.blob.Name}
	c := &r.res.counts
	for {
		rec, err := r.split.Next()
		if err != nil {
			s := r.split.Counts()
			c.Bytes += counted.n
			c.Records += s.Records + s.Quarantined
			c.Quarantined += s.Quarantined
			c.Insights += s.Insights
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if rec.Kind == cloudtrail.KindDigest {
			c.Digests++
			continue
		}
		r.event.ResetRecord(rec)
		if r.outside() {
			c.Outside++
			continue
		}
		at.Offset = rec.Offset
		if err := r.sink(r.event, at); err != nil {
			c.Quarantined++
			r.skip(rec.Offset, int64(len(rec.Raw)), 1, err.Error())
			continue
		}
		c.Evaluated++
	}
}

// outside reports whether the event's time is not in [Since, Until).
func (r *reader) outside() bool {
	if r.opt.Since.IsZero() && r.opt.Until.IsZero() {
		return false
	}
	t, ok := r.event.Time()
	return ok && (t.Before(r.opt.Since) || !r.opt.Until.IsZero() && !t.Before(r.opt.Until))
}

func (r *reader) skip(offset, bytes int64, records int, reason string) {
	r.res.counts.Skips++
	if len(r.res.skipped) >= maxSkips {
		r.more++
		r.rest += int64(records)
		return
	}
	r.res.skipped = append(r.res.skipped, lamina.Skipped{File: r.blob.Name, Offset: offset, Bytes: bytes, Records: records, Reason: reason})
}

// A counter counts bytes and stops reading when the run is cancelled.
type counter struct {
	r   io.Reader
	ctx context.Context //nolint:containedctx // io.Reader has no place for it
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
