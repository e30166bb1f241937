package detect

import (
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// run lays the rule's windows over its matches, which are in event-time order,
// and returns those that alert.
//
// Under Replay the rule runs at each multiple of its interval and sees the
// events of [now-from, now-to], both ends included (Kibana's detection engine,
// see docs/elastic-differences.md). An event alerts in the first run that has
// room for it; later runs whose windows overlap do not alert for it again.
func (s Schedule) run(r *program, ms []*match, st *Stats) []*match {
	if s == Once {
		return ms
	}
	from, to, interval := r.Rule.From, r.Rule.To, r.Rule.Interval
	var out []*match
	// An event without a time is in no window. It alerts by itself, since
	// dropping it would read as a pass. Such events sort first.
	for len(ms) > 0 && ms[0].cand.time.IsZero() {
		out, ms = append(out, ms[0]), ms[1:]
	}
	folds := folds{r: r, open: map[string]*match{}}
	var now time.Time
	for len(ms) > 0 {
		if first := ceil(ms[0].cand.time.Add(to), interval); first.After(now) {
			now = first
		}
		for len(ms) > 0 && ms[0].cand.time.Before(now.Add(-from)) {
			if ceil(ms[0].cand.time.Add(to), interval).After(ms[0].cand.time.Add(from)) {
				st.Unscheduled++
			} else {
				st.OverMaxSignals++
			}
			ms = ms[1:]
		}
		room := r.Rule.MaxSignals
		for len(ms) > 0 && !ms[0].cand.time.After(now.Add(-to)) && (room > 0 || folds.fold(ms[0], now, st)) {
			if room > 0 && !folds.fold(ms[0], now, st) {
				folds.start(ms[0], now)
				out = append(out, ms[0])
				room--
			}
			ms = ms[1:]
		}
		now = now.Add(interval)
	}
	return out
}

// ceil is the first multiple of interval since the epoch that is not before t.
// Intervals are whole seconds, at least one.
func ceil(t time.Time, interval time.Duration) time.Time {
	every := int64(interval / time.Second)
	n := t.Unix()
	if t.Nanosecond() > 0 {
		n++
	}
	if r := n % every; r > 0 {
		n += every - r
	} else {
		n -= r
	}
	return time.Unix(n, 0).UTC()
}

// folds keeps the alerts of one rule that later matches may be folded into.
type folds struct {
	r    *program
	open map[string]*match // :: values of the group_by fields → newest alert
}

// fold adds m to an alert of the same group that is still open at the run of
// now: created in this run, or less than the rule's suppression duration ago.
func (f *folds) fold(m *match, now time.Time, st *Stats) bool {
	key, ok := f.key(m)
	if !ok {
		return false
	}
	a, ok := f.open[key]
	if !ok || a.suppression.Created.Before(now.Add(-f.r.Rule.Suppression.Duration)) {
		return false
	}
	s := a.suppression
	s.DocsCount++
	s.End = m.cand.time
	st.Suppressed++
	return true
}

// start opens a new alert of m's group.
func (f *folds) start(m *match, now time.Time) {
	key, ok := f.key(m)
	if !ok {
		return
	}
	m.suppression = &lamina.Suppression{Terms: m.group, Start: m.cand.time, End: m.cand.time, Created: now}
	f.open[key] = m
}

// key is what m is grouped by. It is not ok when the rule suppresses nothing,
// or when a field is missing and the rule says that such events alert alone.
func (f *folds) key(m *match) (string, bool) {
	sup := f.r.Rule.Suppression
	if sup == nil {
		return "", false
	}
	var b strings.Builder
	for _, g := range m.group {
		if len(g.Values) == 0 && sup.Missing == "doNotSuppress" {
			return "", false
		}
		for _, v := range g.Values {
			b.WriteString(v)
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	return b.String(), true
}
