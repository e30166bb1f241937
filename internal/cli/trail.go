package cli

import (
	"context"
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/source"
)

// findTrail finds the log files of the targets; nil for no targets.
func (a *app) findTrail(ctx context.Context, targets []string) (*source.Set, error) {
	if len(targets) == 0 {
		return nil, nil //nolint:nilnil // no logs were given
	}
	for i, t := range targets {
		targets[i] = a.target(t)
	}
	set, err := source.Find(ctx, targets, source.Options{Stdin: a.std.In, Inflated: a.maxInflated()})
	if err != nil {
		return nil, a.sourceError(err)
	}
	return set, nil
}

// A trail is what was read of logs for the checks.
type trail struct {
	log    *history.Log
	counts ingest.Counts
	// missing says what keeps the log from being complete.
	missing []string
}

// readTrail reads what the files say of layers, as detect reads them. skipped is
// told what was set aside.
func (a *app) readTrail(ctx context.Context, set *source.Set, skipped func(lamina.Skipped) error) (trail, error) {
	var size int64
	for _, b := range set.Blobs {
		size += max(b.Size, 0)
	}
	for _, s := range set.Skipped {
		if err := skipped(lamina.Skipped{File: s.Name, Offset: -1, Reason: s.Reason}); err != nil {
			return trail{}, err
		}
	}
	bar := a.progress("trail", size)
	t, err := readLog(ctx, set.Blobs, ingest.Options{
		Jobs: a.jobs(), Skipped: skipped, Progress: func(_ int, bytes int64) { bar.set(bytes) },
	})
	bar.done()
	if err != nil {
		return t, err
	}
	for _, m := range []struct {
		n          int64
		noun, rest string
	}{
		{t.counts.Quarantined, "record", "of the trail quarantined"},
		{t.counts.FailedFiles, "file", "of the trail not read to the end"},
		{int64(len(set.Skipped)), "file", "of the trail not opened"},
		{t.log.Untimed, "record", "of the trail without a valid time"},
	} {
		if m.n > 0 {
			t.missing = append(t.missing, count(int(m.n), m.noun)+" "+m.rest)
		}
	}
	if why := nothing(set, t.counts); why != "" {
		t.missing = append(t.missing, "the trail: "+why)
	}
	return t, nil
}

// readLog reads what files say of layers.
func readLog(ctx context.Context, files []*source.Blob, opt ingest.Options) (trail, error) {
	var t trail
	var collectors []*history.Collector
	var err error
	t.counts, err = ingest.Each(ctx, files, func() ingest.Sink {
		c := history.NewCollector()
		collectors = append(collectors, c)
		return func(ev *cloudtrail.Event, _ detect.Place) error { return c.Observe(ev) }
	}, opt)
	if err != nil {
		return t, err
	}
	t.log, err = history.Join(collectors...)
	return t, wrap(err, Usage, "give the logs of a shorter time, or of fewer accounts")
}

// coverage is what was read, for the last line; "" without logs.
func (t *trail) coverage() string {
	if t.log == nil {
		return ""
	}
	read := fmt.Sprintf("; logs: %d/%d records of %s", t.log.Records, t.counts.Records, count(int(t.counts.Files), "file"))
	if t.log.From.IsZero() {
		return read
	}
	return read + fmt.Sprintf(", %s to %s, %s about layers", posture.Minute(t.log.From), posture.Minute(t.log.To), count(len(t.log.Entries), "call"))
}

// askable parts the checks that can be asked from those for which something was
// not given.
func askable(list []posture.Check, in posture.Input) (asked, unasked []posture.Check) {
	for _, c := range list {
		if _, lacks := in.Lacks(c); lacks {
			unasked = append(unasked, c)
		} else {
			asked = append(asked, c)
		}
	}
	return asked, unasked
}

// noteUnasked says in the summary which checks were not asked, and why.
func noteUnasked(sum *lamina.Summary, in posture.Input, unasked []posture.Check) {
	for _, d := range []posture.Data{posture.Logs, posture.Contents, posture.Earlier, posture.Pipelines, posture.Releases, posture.Rules, posture.Code, posture.Rest} {
		n := 0
		for _, c := range unasked {
			if l, _ := in.Lacks(c); l == d {
				n++
			}
		}
		if n > 0 {
			sum.Counts["checks_not_asked"] += int64(n)
			sum.Coverage += "; " + count(n, "check") + " not asked: " + give(d)
		}
	}
}

// give says how a run is given the data, for who knows of no check in particular.
func give(d posture.Data) string {
	if d == posture.Contents {
		return "give the layers' zips with --content DIR (lamina collect --content DIR fetches them)"
	}
	return d.Settle()
}

// openEarlier reads the snapshot that in is compared with, and says so for the
// last line.
func (a *app) openEarlier(in *posture.Input, file string) (coverage string, err error) {
	earlier, err := a.openEstate(file)
	if err != nil {
		return "", err
	}
	in.Earlier = earlier.Estate
	was, is := earlier.Estate.Snapshot.Taken, in.Estate.Snapshot.Taken
	if was.After(is) {
		return "", usagef("give the older one to --earlier", "%s was taken at %s, after the snapshot at %s", file, posture.Minute(was), posture.Minute(is))
	}
	return "; compared with that of " + posture.Minute(was), nil
}
