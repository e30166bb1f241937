package vulndb

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/sealed"
)

// An entry is what one record says of one package.
type entry struct {
	advisory int // index among the advisories
	affected *Affected
}

// The flags of an entry in a posting.
const (
	flagUnbounded = 1 << iota // every version is affected, also one that cannot be compared
	flagGit                   // nothing but commits, which a version does not say
	flagNothing               // neither ranges nor versions
	flagBad                   // a range with an event that the order does not know
	flagImports               // followed by the Go packages
	flagRating                // followed by a rating of its own
)

// packPackage writes the posting of one package:
//
//	posting  ecosystem name blocks {block}
//	block    order versions {version} entries {entry}
//	entry    advisory flags spans {span} listed {place} others {version}
//	         [imports {path symbols {symbol}}] [rating]
//	span     events {event}
//	event    (place + 1) * 4 + kind; place -1 is before all versions
//
// The versions of a block stand in order, so that a lookup finds the place of
// one version among them once, by halving, and each event is then a comparison
// of two numbers. Versions that differ in spelling only share a place. Blocks
// are one for each order: that of the ecosystem, and that of SemVer if ranges
// are in it. Listed versions within the ranges of their entry are left out:
// they add nothing.
func packPackage(ecosystem, name string, entries []entry) []byte {
	own := native(ecosystem)
	orders := []order{own}
	if own != semver && slices.ContainsFunc(entries, func(e entry) bool {
		return slices.ContainsFunc(e.affected.Ranges, func(r Range) bool { return r.Type == "SEMVER" })
	}) {
		orders = append(orders, semver)
	}
	b := sealed.PutString(sealed.PutString(nil, ecosystem), name)
	b = sealed.PutInt(b, len(orders))
	for _, o := range orders {
		b = packBlock(b, ecosystem, o, o == own, entries)
	}
	return b
}

// A placed entry is one whose versions are places in a list.
type placedEntry struct {
	entry
	flags  int
	spans  []span
	listed []int
	others []string // listed versions without a place
}

// packBlock writes what entries say in the order o. The block of the ecosystem's
// own order also has the listed versions, and what has no order.
func packBlock(b []byte, ecosystem string, o order, own bool, entries []entry) []byte {
	all := newPlaces(o)
	for _, e := range entries {
		for _, r := range e.affected.Ranges {
			if orderOf(ecosystem, r.Type) == o {
				for _, ev := range r.Events {
					all.add(ev.Version)
				}
			}
		}
		if own {
			for _, v := range e.affected.Versions {
				all.add(v)
			}
		}
	}
	all.sort()

	var placed []placedEntry
	used := map[int]int{}
	for _, e := range entries {
		p, ok := place(ecosystem, o, own, all, e)
		if !ok {
			continue
		}
		placed = append(placed, p)
		for _, s := range p.spans {
			for _, ev := range s {
				used[ev.place] = 0
			}
		}
		for _, n := range p.listed {
			used[n] = 0
		}
	}
	// Only the places that are used are kept, under new numbers.
	var kept []string
	for n, v := range all.sorted {
		if _, ok := used[n]; ok {
			used[n] = len(kept)
			kept = append(kept, v.text)
		}
	}
	used[beginning] = beginning

	b = sealed.PutInt(sealed.PutInt(b, o.code()), len(kept))
	for _, v := range kept {
		b = sealed.PutString(b, v)
	}
	b = sealed.PutInt(b, len(placed))
	for _, p := range placed {
		b = p.pack(b, used)
	}
	return b
}

// place finds the places of what e says in the order o, which may be nothing.
func place(ecosystem string, o order, own bool, all *places, e entry) (placedEntry, bool) {
	a := e.affected
	p := placedEntry{entry: e}
	git := 0
	for _, r := range a.Ranges {
		switch ro := orderOf(ecosystem, r.Type); {
		case r.Type == "GIT":
			git++
		case ro != o:
		case unbounded(r):
			p.flags |= flagUnbounded
		default:
			if s, ok := all.span(r); ok {
				p.spans = append(p.spans, s)
			} else {
				p.flags |= flagBad
			}
		}
	}
	if p.flags&flagUnbounded != 0 {
		p.flags, p.spans = flagUnbounded, nil
	} else if own {
		if len(a.Versions) == 0 && git == len(a.Ranges) {
			if p.flags |= flagGit; git == 0 {
				p.flags = flagNothing
			}
		}
		for _, v := range a.Versions {
			n, ok := all.of[v]
			switch {
			case !ok:
				p.others = append(p.others, v)
			case !slices.ContainsFunc(p.spans, func(s span) bool { return s.contains(2*n + 1) }):
				p.listed = append(p.listed, n)
			}
		}
		slices.Sort(p.listed)
		p.listed = slices.Compact(p.listed)
		slices.Sort(p.others)
		p.others = slices.Compact(p.others)
	}
	if p.flags == 0 && len(p.spans)+len(p.listed)+len(p.others) == 0 {
		return p, false
	}
	if len(a.Imports) > 0 {
		p.flags |= flagImports
	}
	if a.Rating.Severity != "" || a.Rating.Vector != "" {
		p.flags |= flagRating
	}
	return p, true
}

// pack writes p with the places renumbered.
func (p *placedEntry) pack(b []byte, renumber map[int]int) []byte {
	b = sealed.PutInt(sealed.PutInt(b, p.advisory), p.flags)
	b = sealed.PutInt(b, len(p.spans))
	for _, s := range p.spans {
		b = sealed.PutInt(b, len(s))
		for _, ev := range s {
			b = sealed.PutInt(b, (renumber[ev.place]+1)<<2|int(ev.kind))
		}
	}
	b = sealed.PutInt(b, len(p.listed))
	for _, n := range p.listed {
		b = sealed.PutInt(b, renumber[n])
	}
	b = sealed.PutInt(b, len(p.others))
	for _, v := range p.others {
		b = sealed.PutString(b, v)
	}
	if p.flags&flagImports != 0 {
		b = sealed.PutInt(b, len(p.affected.Imports))
		for _, im := range p.affected.Imports {
			b = sealed.PutInt(sealed.PutString(b, im.Path), len(im.Symbols))
			for _, s := range im.Symbols {
				b = sealed.PutString(b, s)
			}
		}
	}
	if p.flags&flagRating != 0 {
		b = p.affected.Rating.pack(b)
	}
	return b
}

// pack writes severity score vector; score is ten times the base score plus 1.
func (r Rating) pack(b []byte) []byte {
	score := 0
	if r.Score >= 0 {
		score = int(math.Round(r.Score*10)) + 1
	}
	return sealed.PutString(sealed.PutInt(sealed.PutInt(b, r.Severity.Rank()+1), score), r.Vector)
}

func (c *cursor) rating() Rating {
	r := Rating{Score: -1}
	if n := c.Uint(); n > 0 && n <= uint64(len(lamina.Severities)) {
		r.Severity = lamina.Severities[n-1]
	}
	if n := c.Uint(); n > 0 && n <= 101 {
		r.Score = float64(n-1) / 10
	}
	r.Vector = c.Str()
	return r
}

// beginning is the place before all versions.
const beginning = -1

// places are versions in their order.
type places struct {
	order  order
	of     map[string]int // the place of each version that the order knows
	sorted []spelled      // one for each place
	parsed []spelled
}

// spelled is a version and how it was written.
type spelled struct {
	version
	text string
}

func newPlaces(o order) *places { return &places{order: o, of: map[string]int{}} }

func (p *places) add(text string) {
	if _, ok := p.of[text]; ok {
		return
	}
	v, err := p.order.parse(text)
	if err != nil {
		return
	}
	p.of[text] = 0
	p.parsed = append(p.parsed, spelled{v, text})
}

// sort gives the places. Of the spellings of one version the shortest stays.
func (p *places) sort() {
	slices.SortFunc(p.parsed, func(a, b spelled) int {
		return cmp.Or(a.compare(b.version), cmp.Compare(len(a.text), len(b.text)), cmp.Compare(a.text, b.text))
	})
	for _, v := range p.parsed {
		if n := len(p.sorted); n == 0 || p.sorted[n-1].compare(v.version) != 0 {
			p.sorted = append(p.sorted, v)
		}
		p.of[v.text] = len(p.sorted) - 1
	}
}

// unbounded reports whether r is all versions there are.
func unbounded(r Range) bool {
	begins := false
	for _, e := range r.Events {
		switch {
		case e.Kind == Introduced && e.Version == "0":
			begins = true
		case e.Kind == Limit && e.Version == "*":
		default:
			return false
		}
	}
	return begins && r.Type != "GIT"
}

// A span is a range with places instead of versions, in order.
type span []placed

type placed struct {
	place int
	kind  EventKind
}

// span places a range; false if it has an event without a place.
func (p *places) span(r Range) (span, bool) {
	var s span
	endless := slices.Contains(r.Events, Event{Limit, "*"})
	for _, e := range r.Events {
		if e.Kind == Limit && endless {
			continue
		}
		n, ok := p.of[e.Version]
		if e.Kind == Introduced && e.Version == "0" {
			n, ok = beginning, true
		}
		if !ok {
			return nil, false
		}
		s = append(s, placed{n, e.Kind})
	}
	slices.SortStableFunc(s, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	return s, true
}

// contains evaluates a range as the schema's section "Evaluation" says, at the
// position pos: that of the version at place n is 2n+1, that of one between it
// and the next 2n+2.
func (s span) contains(pos int) bool {
	limited, before, affected := false, false, false
	for _, e := range s {
		switch at := 2*e.place + 1; e.kind {
		case Introduced:
			affected = affected || pos >= at
		case Fixed:
			affected = affected && pos < at
		case LastAffected:
			affected = affected && pos <= at
		case Limit:
			limited = true
			before = before || pos < at
		}
	}
	return affected && (!limited || before)
}

// The flags of an advisory.
const (
	advKEV = 1 << iota
	advMalicious
)

// An advisory is what the index keeps of a record beside its packages.
type advisory struct {
	id                  string
	aliases             []string
	summary             string
	rating              Rating
	modified, published int64 // Unix seconds, 0 if not said
	group               int   // advisories of one vulnerability have one number
	flags               int
	epss                int // hundred-thousandths
}

func (a *advisory) pack(b []byte) []byte {
	b = sealed.PutInt(sealed.PutString(b, a.id), len(a.aliases))
	for _, s := range a.aliases {
		b = sealed.PutString(b, s)
	}
	b = a.rating.pack(sealed.PutString(b, a.summary))
	for _, n := range []int{int(a.modified), int(a.published), a.group, a.flags, a.epss} {
		b = sealed.PutInt(b, n)
	}
	return b
}

func (c *cursor) advisory() advisory {
	a := advisory{id: c.Str()}
	for range c.Count() {
		a.aliases = append(a.aliases, c.Str())
	}
	a.summary = c.Str()
	a.rating = c.rating()
	for _, p := range []*int64{&a.modified, &a.published} {
		*p = int64(c.Uint() & (1<<40 - 1))
	}
	for _, p := range []*int{&a.group, &a.flags, &a.epss} {
		*p = int(c.Uint() & (1<<31 - 1))
	}
	return a
}

// timeOf is the time of Unix seconds, zero for 0.
func timeOf(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
