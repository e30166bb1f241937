package detect

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
)

// Stats are what a run counted.
type Stats struct {
	// Events is how many records the workers were given, Candidates how many
	// of them were kept, Duplicates how many candidates were delivered again.
	Events, Candidates, Duplicates int64
	// Differing counts candidates that have account and id of another and are
	// not the same byte for byte; Duplicates does not count them. Which one is
	// judged follows from the records, not from where they were read.
	Differing int64
	// DifferingAt is where the first of them was read.
	DifferingAt Place
	// Untimed counts candidates without a valid eventTime: rules that need the
	// order of events do not see them.
	Untimed int64
	// Excepted counts (rule, event) pairs that matched and that an exception of
	// the rule takes out.
	Excepted int64
	// Matches is how many others matched. Each is an alert, or is counted in
	// Suppressed, Unscheduled or OverMaxSignals.
	Matches int64
	// Alerts is how many were emitted.
	Alerts int64
	// Suppressed counts matches folded into another alert by alert_suppression.
	Suppressed int64
	// Unscheduled counts matches that fall between two windows of their rule:
	// its interval is longer than its look-back.
	Unscheduled int64
	// OverMaxSignals counts matches that no window had room for.
	OverMaxSignals int64
}

// A match is a candidate that satisfies a rule. The alert is made of it when it
// is emitted: many matches are suppressed, and alerts are large.
type match struct {
	rule *program
	cand *candidate
	// derived are the derived fields as they stood at the event's turn, for
	// rules that show them.
	derived derivedFields
	// group are the values of the suppression fields; nil if the rule suppresses nothing.
	group       []lamina.FieldValues
	suppression *lamina.Suppression
}

// A Run is what the second pass remembers from one Finish to the next: which
// events it has seen. For files one Finish is the whole run; when following a
// folder there is one per batch.
type Run struct {
	engine *Engine
	open   func(raw []byte) (Record, error)
	emit   func(lamina.Alert) error
	seen   seen
	books  librarian
	// Documents asks for the whole ECS document of each alert and the whole rule,
	// which cost much more than the alert: a parsed user agent, rendered text.
	Documents bool
	// Complete, if set, is called with each alert and its record when all events
	// of the Finish have been observed: it may add what later events tell.
	Complete func(rec Record, a *lamina.Alert)
	// Stats are the counts so far.
	Stats Stats
}

// NewRun starts a run. open makes a Record of bytes that a worker kept; the
// Record it returned last is not used after its next call, so that it may be
// the same one. emit gets the alerts; an alert's Raw is valid until it returns.
func (e *Engine) NewRun(open func(raw []byte) (Record, error), emit func(lamina.Alert) error) *Run {
	return &Run{engine: e, open: open, emit: emit}
}

// Finish is the second pass: it orders the candidates of the workers, decides,
// and emits alerts ordered by event time, then rule_id, then event id. It stops
// at emit's first error. The workers are empty afterwards.
func (r *Run) Finish(workers ...*Worker) error {
	st := &r.Stats
	var all []*candidate
	for _, w := range workers {
		st.Events += w.Evaluated
		all = append(all, w.candidates...)
		w.shelf.seal()
		w.candidates, w.shelf, w.Evaluated = nil, &shelf{}, 0
	}
	slices.SortFunc(all, order)
	st.Candidates += int64(len(all))

	byRule, err := r.decide(all)
	if err != nil {
		return err
	}
	var alerts []*match
	for i, ms := range byRule {
		st.Matches += int64(len(ms))
		alerts = append(alerts, r.engine.schedule.run(&r.engine.rules[i], ms, st)...)
		byRule[i] = nil
	}
	slices.SortStableFunc(alerts, func(a, b *match) int {
		return cmp.Or(a.cand.time.Compare(b.cand.time), cmp.Compare(a.rule.Rule.ID, b.rule.Rule.ID), cmp.Compare(a.cand.id, b.cand.id))
	})
	for i, m := range alerts {
		alerts[i] = nil
		a, err := r.alert(m)
		if err != nil {
			return err
		}
		if err := r.emit(a); err != nil {
			return err
		}
		st.Alerts++
	}
	return nil
}

// openAt makes a Record of a candidate.
func (r *Run) openAt(c *candidate) (Record, error) {
	raw, err := r.books.get(c.at)
	if err != nil {
		return nil, err
	}
	return r.open(raw)
}

// alert makes the alert of a match.
func (r *Run) alert(m *match) (lamina.Alert, error) {
	rec, err := r.openAt(m.cand)
	if err != nil {
		return lamina.Alert{}, err
	}
	a := m.rule.alert(atItsTurn{rec, m.derived}, m.cand)
	a.Suppression, a.Raw = m.suppression, rec.Raw()
	if r.Documents {
		a.Rule.Parameters = m.rule.parameters()
		a.Document = rec.Document()
		for _, d := range m.derived {
			setPath(a.Document, d.field.Name, d.values)
		}
	}
	if r.Complete != nil {
		r.Complete(rec, &a)
	}
	return a, nil
}

// order sorts candidates by event time. CloudTrail times are whole seconds, so
// ties are common; they are broken by what the record says and not by where it
// was read, because the order of delivery must not change a verdict.
func order(a, b *candidate) int {
	return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.id, b.id), cmp.Compare(a.account, b.account), cmp.Compare(a.sum, b.sum),
		cmp.Compare(a.place.File, b.place.File), cmp.Compare(a.place.Offset, b.place.Offset))
}

// decide lets the candidates pass in order and collects the matches of each rule.
// It lets go of the candidates that match none.
func (r *Run) decide(all []*candidate) ([][]*match, error) {
	byRule := make([][]*match, len(r.engine.rules))
	for i, c := range all {
		all[i] = nil
		switch sum, again := r.seen.again(c.account, c.id, c.sum); {
		case again && sum == c.sum:
			r.Stats.Duplicates++
			continue
		case again:
			if r.Stats.Differing++; r.Stats.Differing == 1 {
				r.Stats.DifferingAt = c.place
			}
			continue
		}
		rec, err := r.turn(c)
		if err != nil {
			return nil, err
		}
		var derived derivedFields
		for _, ri := range c.rules {
			p := &r.engine.rules[ri]
			if rec == nil && p.needsRecord {
				if rec, err = r.openAt(c); err != nil {
					return nil, err
				}
			}
			if p.late && (p.history && c.time.IsZero() || !p.Predicate.Match(rec)) {
				continue
			}
			if p.Exceptions != nil && p.Exceptions.Match(rec) {
				r.Stats.Excepted++
				continue
			}
			if derived == nil && rec != nil && (p.needsRecord || r.Documents) {
				derived = deriveAll(rec)
			}
			byRule[ri] = append(byRule[ri], &match{rule: p, cand: c, derived: derived, group: p.group(rec)})
		}
	}
	return byRule, nil
}

// turn gives the enricher an event it wants, and returns it; nil if it does not
// want it.
func (r *Run) turn(c *candidate) (Record, error) {
	if c.time.IsZero() {
		r.Stats.Untimed++
		return nil, nil
	}
	if !c.wants {
		return nil, nil
	}
	rec, err := r.openAt(c)
	if err == nil {
		r.engine.enricher.Observe(rec)
	}
	return rec, err
}

// derivedFields are the derived fields of one event that have values, by name.
type derivedFields []derivedField

type derivedField struct {
	field  *ecs.Field
	values []string
}

// derivable are all derived fields, by name.
var derivable = sync.OnceValue(func() []*ecs.Field {
	var out []*ecs.Field
	for f := range ecs.All() {
		if f.Source == derivedSource {
			out = append(out, f)
		}
	}
	return out
})

func deriveAll(rec Record) derivedFields {
	out := derivedFields{}
	for _, f := range derivable() {
		if vs := rec.Values(f); len(vs) > 0 {
			out = append(out, derivedField{f, cloneAll(vs)})
		}
	}
	return slices.Clip(out)
}

// derivedSource is Field.Source of what an Enricher fills.
const derivedSource = "lamina"

// atItsTurn is a record with its derived fields as they stood when its turn came.
type atItsTurn struct {
	Record
	derived derivedFields
}

func (t atItsTurn) Values(f *ecs.Field) []string {
	if f.Source == derivedSource {
		for _, d := range t.derived {
			if d.field == f {
				return d.values
			}
		}
		return nil
	}
	return t.Record.Values(f)
}

// seen remembers events so that one that is delivered again changes nothing. It
// holds the newest million or more and forgets in halves, which only a run that
// follows a folder for long can reach.
type seen struct{ now, before map[[16]byte]uint32 }

const seenHalf = 1 << 20

// again reports whether the event was seen, with the sum of the bytes it had
// then, and remembers it.
func (s *seen) again(account, id string, sum uint32) (before uint32, again bool) {
	hash := sha256.Sum256([]byte(account + "\x00" + id))
	key := [16]byte(hash[:16])
	for _, half := range []map[[16]byte]uint32{s.now, s.before} {
		if before, ok := half[key]; ok {
			return before, true
		}
	}
	if s.now == nil || len(s.now) >= seenHalf {
		s.before, s.now = s.now, map[[16]byte]uint32{}
	}
	s.now[key] = sum
	return sum, false
}

// cloneAll copies values that live only as long as the record.
func cloneAll(vs []string) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = strings.Clone(v)
	}
	return out
}

// setPath writes the values of a dotted field into a nested document.
func setPath(doc map[string]any, name string, values []string) {
	for {
		head, rest, nested := strings.Cut(name, ".")
		if !nested {
			if len(values) == 1 {
				doc[head] = values[0]
			} else {
				doc[head] = values
			}
			return
		}
		next, ok := doc[head].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[head] = next
		}
		doc, name = next, rest
	}
}
