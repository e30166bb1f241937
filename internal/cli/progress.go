package cli

import (
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A bar shows progress on standard error when that is a terminal and the work
// takes longer than a moment. Without one its methods do nothing.
type bar struct {
	pool *mpb.Progress
	bar  *mpb.Bar
}

// progress starts a bar over total bytes, what naming the work.
func (a *app) progress(what string, total int64) *bar {
	if !a.std.ErrTTY || a.flags.noProgress || a.flags.ci || a.flags.quiet || total <= 0 {
		return &bar{}
	}
	p := mpb.New(mpb.WithOutput(a.std.Err), mpb.WithWidth(40), mpb.WithRefreshRate(200*time.Millisecond))
	return &bar{pool: p, bar: p.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)),
	)}
}

// set says how many bytes are done.
func (b *bar) set(n int64) {
	if b.bar != nil {
		b.bar.SetCurrent(n)
	}
}

// of says how much is done of how much, for work whose size shows as it goes.
func (b *bar) of(n, total int64) {
	if b.bar != nil {
		b.bar.SetTotal(total, false)
		b.bar.SetCurrent(n)
	}
}

// done removes the bar.
func (b *bar) done() {
	if b.bar != nil {
		b.bar.Abort(true)
		b.pool.Wait()
	}
}
