package detect

import (
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// maxClasses bounds the dispatch cache of a worker. AWS has a few thousand
// (provider, action) pairs, an account uses a few hundred; records with made-up
// names fall back to the rules that do not depend on them being known.
const maxClasses = 8192

// A Place is where a record was read.
type Place struct {
	// File is the index of the source in the run's deterministic order, Name
	// its name as the user would type it.
	File int
	Name string
	// Offset is the byte offset in the decompressed stream.
	Offset int64
}

// A Worker is the first pass over a part of the events: one goroutine's, not
// safe for concurrent use. It allocates nothing for an event that no rule
// could match.
type Worker struct {
	engine  *Engine
	classes map[classKey]*class
	last    *class // trails come in runs of the same call

	candidates []*candidate
	shelf      *shelf
	account    string // of the last candidate

	// rec and the two functions over it are fields so that evaluating an event
	// does not allocate closures.
	rec          Record
	knownOfClass query.Known
	knownNow     query.Known
	hits         []int32

	// Keep, if set, is asked for every event and makes candidates of those that
	// matter to no rule, for Run.Explain.
	Keep func(Record) bool
	// Evaluated counts the events given to the worker.
	Evaluated int64
}

type classKey struct{ provider, action string }

// A class is what is known of all events with one provider and action.
type class struct {
	key   classKey
	rules []int32 // that can match, ascending
	wants bool    // the enricher wants the event
}

// castagnoli is the CRC that processors compute.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// A candidate is an event that may matter once events are ordered.
type candidate struct {
	time    time.Time // zero if the record has none
	id      string
	account string // recipientAccountId
	place   Place
	at      spot    // its record
	rules   []int32 // that matched, or may match once derived fields are known
	wants   bool    // the enricher wants it
	// sum is of the record's bytes: two records that call themselves the same
	// event, and are not, come in an order of their own.
	sum uint32
}

// Worker returns a new worker of the engine.
func (e *Engine) Worker() *Worker {
	w := &Worker{engine: e, classes: map[classKey]*class{}, shelf: &shelf{}}
	provider, action := fieldProvider(), fieldAction()
	// What Provider and Action return is what the mapping makes of the two
	// fields; "" is a field that is missing.
	w.knownOfClass = func(f *ecs.Field) ([]string, bool) {
		switch f {
		case provider:
			return one(w.rec.Provider()), true
		case action:
			return one(w.rec.Action()), true
		}
		return constants(f)
	}
	w.knownNow = func(f *ecs.Field) ([]string, bool) {
		if f.Source == derivedSource {
			return nil, false
		}
		return w.rec.Values(f), true
	}
	return w
}

// one is the values of a field with the value v, "" if it is missing.
func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

// Event evaluates one record. An event that no rule asks for by provider and
// action costs a map lookup; it is not looked into. The error is the record's
// Check: nothing was evaluated then.
func (w *Worker) Event(rec Record, at Place) error {
	w.rec = rec
	c := w.class()
	if len(c.rules) == 0 && !c.wants && w.Keep == nil {
		w.Evaluated++
		return nil
	}
	if err := rec.Check(); err != nil {
		return err
	}
	w.Evaluated++
	w.hits = w.hits[:0]
	for _, i := range c.rules {
		r := &w.engine.rules[i]
		if r.late && r.Predicate.Fold(w.knownNow) == query.False || !r.late && !r.Predicate.Match(rec) {
			continue
		}
		w.hits = append(w.hits, i)
	}
	kept := w.Keep != nil && w.Keep(rec)
	if len(w.hits) == 0 && !c.wants && !kept {
		return nil
	}
	t, _ := rec.Time()
	w.candidates = append(w.candidates, &candidate{
		time:    t,
		id:      strings.Clone(rec.ID()),
		account: w.accountOf(rec),
		place:   at,
		at:      w.shelf.put(rec.Raw()),
		rules:   slices.Clone(w.hits),
		wants:   c.wants,
		sum:     crc32.Checksum(rec.Raw(), castagnoli()),
	})
	return nil
}

// accountOf is the account of a record, as a string of its own: the candidates
// of a trail have few of them and share those.
func (w *Worker) accountOf(rec Record) string {
	if id := rec.RecipientAccount(); id != w.account {
		w.account = strings.Clone(id)
	}
	return w.account
}

// class finds what the record's provider and action say about the rules.
func (w *Worker) class() *class {
	key := classKey{w.rec.Provider(), w.rec.Action()}
	if w.last != nil && w.last.key == key {
		return w.last
	}
	c, ok := w.classes[key]
	if !ok {
		wants := w.engine.enricher != nil && w.engine.enricher.Wants(key.provider, key.action)
		if len(w.classes) >= maxClasses {
			return &class{rules: w.engine.always, wants: wants}
		}
		c = &class{
			key:   classKey{strings.Clone(key.provider), strings.Clone(key.action)},
			rules: w.engine.fold(w.knownOfClass),
			wants: wants,
		}
		w.classes[c.key] = c
	}
	w.last = c
	return c
}
