// Package vulndb is OSV advisories as a local index
// (https://ossf.github.io/osv-schema/).
//
// A [Builder] reads records and writes one compact file, which [Open] maps into
// memory and [DB.Lookup] answers from: what a version of a package is affected
// by, in the order of versions of its ecosystem. The file can be signed with a
// key of the user, carried where there is no network, and is never believed: a
// damaged one gives errors and UNKNOWN, not less.
//
// A lookup answers with an Outcome: Fail when an advisory covers the version,
// Unknown when an advisory is for the package but its ranges cannot be judged.
// Pass is never said here: no match in this database is silence, and [DB.Covers]
// says whether it knows the ecosystem at all. The package decides nothing about
// layers. It uses the network in [Fetch] only, and only for URLs it is given.
package vulndb

import (
	"cmp"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/sealed"
)

// A Match is one vulnerability that concerns a version of a package, whichever
// databases describe it.
type Match struct {
	// IDs are all its names, the preferred one first: that of a malicious package
	// (MAL-), CVE, GHSA, then the others in alphabetical order. Never empty, but
	// for what a damaged database gives.
	IDs     []string `json:"ids"`
	Summary string   `json:"summary,omitempty"` // one line, from outside: sanitise it
	// Severity is the highest any database states or computes from a vector; ""
	// if none does.
	Severity lamina.Severity `json:"severity,omitempty"`
	CVSS     string          `json:"cvss,omitempty"`  // the vector with the highest score
	Score    float64         `json:"score,omitempty"` // its base score; 0 if it is not computed here
	// Fixed are the versions later than the one asked for that end a range it is
	// in, in their order.
	Fixed     []string       `json:"fixed,omitempty"`
	Published time.Time      `json:"published,omitzero"`
	Modified  time.Time      `json:"modified,omitzero"`
	KEV       bool           `json:"kev,omitempty"`       // CISA knows that it is exploited
	EPSS      float64        `json:"epss,omitempty"`      // probability of exploitation in 30 days; 0 if not known
	Malicious bool           `json:"malicious,omitempty"` // the package is an attack, not flawed
	Imports   []Import       `json:"imports,omitempty"`   // the Go packages that hold the flaw
	Outcome   lamina.Outcome `json:"outcome"`             // Fail or Unknown
	Reason    string         `json:"reason,omitempty"`    // of Unknown
}

// Urgency is how much the match counts: as severe as it is rated, medium if nobody
// rates it, one step more if it is known to be exploited, and critical if the
// package itself is the attack.
func (m *Match) Urgency() lamina.Severity {
	s := cmp.Or(m.Severity, lamina.Medium)
	switch {
	case m.Malicious:
		return lamina.Critical
	case m.KEV:
		return lamina.Severities[min(s.Rank()+1, len(lamina.Severities)-1)]
	}
	return s
}

// A DB is an open database. It may be used by several goroutines.
type DB struct {
	*sealed.File
	names, postings, advisories []byte
	count                       int // of advisories
	info                        Info
}

// Open maps a database and checks that it is whole; see [sealed.Format.Open].
func Open(path string) (*DB, error) {
	f, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	db, err := newDB(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return db, nil
}

// New is a database of bytes in memory, which must not change.
func New(data []byte) (*DB, error) {
	f, err := format.New(data)
	if err != nil {
		return nil, err
	}
	return newDB(f)
}

// Sign returns the database data, as Build made it, with a signature.
func Sign(data []byte, key ed25519.PrivateKey) ([]byte, error) { return format.Sign(data, key) }

// Check reads the whole database, every package and every advisory, and returns
// the first thing that is wrong.
func (db *DB) Check() error {
	if err := db.CheckSum(); err != nil {
		return err
	}
	return db.walk()
}

// Info is what the database says of itself.
func (db *DB) Info() Info { return db.info }

// Covers reports whether the database has advisories of the ecosystem: without
// any, no match means nothing.
func (db *DB) Covers(ecosystem string) bool {
	ecosystem = Ecosystem(ecosystem)
	return slices.ContainsFunc(db.info.Ecosystems, func(e EcosystemInfo) bool { return e.Name == ecosystem })
}

// A hit is what an entry says of the version.
type hit struct {
	advisory int
	outcome  lamina.Outcome // "" if it is not affected
	reason   string
	fixed    []string
	imports  []Import
	rating   Rating
}

// Lookup returns what concerns a version of a package, Fail before Unknown and
// then by the first id. ecosystem and name may be written as in a purl. A
// database that turns out to be damaged gives a match without ids that says so.
func (db *DB) Lookup(ecosystem, name, version string) []Match {
	ecosystem = Ecosystem(ecosystem)
	name = Name(ecosystem, name)
	var hits []hit
	var err error
	for p := range db.find(ecosystem, name) {
		if hits, err = db.judge(p, ecosystem, name, version, hits); err != nil {
			break
		}
	}
	var out []Match
	if err == nil && len(hits) > 0 {
		out, err = db.merge(hits, native(ecosystem))
	}
	if err != nil {
		out = append(out, Match{Outcome: lamina.Unknown, Reason: err.Error()})
	}
	return out
}

// find yields the postings under the hash of the name.
func (db *DB) find(ecosystem, name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		le := binary.LittleEndian
		hash := sealed.Hash(ecosystem, name)
		n := len(db.names) / nameSize
		for i := sort.Search(n, func(i int) bool { return le.Uint64(db.names[i*nameSize:]) >= hash }); i < n; i++ {
			row := db.names[i*nameSize : (i+1)*nameSize]
			if le.Uint64(row) != hash {
				return
			}
			offset, size := uint64(le.Uint32(row[8:])), uint64(le.Uint32(row[12:]))
			var p []byte // that cannot be read is damage
			if offset+size <= uint64(len(db.postings)) {
				p = db.postings[offset : offset+size]
			}
			if !yield(p) {
				return
			}
		}
	}
}

// judge adds the hits of one posting, if it is of the package.
func (db *DB) judge(posting []byte, ecosystem, name, version string, hits []hit) ([]hit, error) {
	c := db.cursor(posting)
	if e, n := c.Bytes(), c.Bytes(); c.Err != nil || string(e) != ecosystem || string(n) != name {
		return hits, c.Err
	}
	for range c.Count() {
		hits = c.block(orderOfCode(c.Uint(), ecosystem), version, hits)
		if c.Err != nil {
			break
		}
	}
	return hits, c.Err
}

// A query is the version asked for among the versions of a block.
type query struct {
	text     string
	pos      int // see span.contains; -1 if err is set
	err      error
	versions [][]byte
}

// block reads one block in the order o and adds what its entries say of the
// version.
func (c *cursor) block(o order, text string, hits []hit) []hit {
	q := query{text: text, pos: -1}
	n := c.Count()
	if c.Err != nil {
		return hits
	}
	if n > maxPlaces {
		c.Err = c.Damaged("a package has %d versions", n)
		return hits
	}
	q.versions = make([][]byte, n)
	for i := range q.versions {
		q.versions[i] = c.Bytes()
	}
	v, err := o.parse(text)
	if q.err = err; err == nil {
		exact := false
		i := sort.Search(n, func(i int) bool {
			w, err := o.parse(string(q.versions[i]))
			if err != nil {
				c.Err = c.Damaged("a version out of order: %v", err)
				return true
			}
			d := v.compare(w)
			exact = exact || d == 0
			return d <= 0
		})
		if q.pos = 2 * i; exact {
			q.pos++
		}
	}
	for range c.Count() {
		h := c.entry(&q)
		if c.Err != nil {
			break
		}
		hits = append(hits, h)
	}
	return hits
}

// entry reads one entry and judges it. The outcome is "" if the version is not
// affected.
func (c *cursor) entry(q *query) hit {
	h := hit{advisory: int(c.Uint() & (1<<31 - 1)), rating: Rating{Score: -1}}
	flags := c.Uint()
	affected := flags&flagUnbounded != 0
	var fixed, later []int // places: of the ranges it is in, and of all
	spans := c.Count()
	for range spans {
		s := make(span, c.Count())
		for i := range s {
			e := c.Uint()
			s[i] = placed{int(e>>2&(1<<31-1)) - 1, EventKind(e & 3)}
		}
		in := q.err == nil && s.contains(q.pos)
		affected = affected || in
		for _, e := range s {
			if e.kind == Fixed && e.place >= 0 && 2*e.place+1 > q.pos {
				later = append(later, e.place)
				if in {
					fixed = append(fixed, e.place)
				}
			}
		}
	}
	for range c.Count() {
		if place := c.Uint(); q.err == nil && q.pos&1 == 1 && place == uint64(q.pos/2) { //nolint:gosec // not negative: no error
			affected = true
		}
	}
	for range c.Count() {
		if string(c.Bytes()) == q.text {
			affected = true
		}
	}
	if flags&flagImports != 0 {
		h.imports = c.imports()
	}
	if flags&flagRating != 0 {
		h.rating = c.rating()
	}
	switch {
	case affected:
		h.outcome = lamina.Fail
	case flags&flagNothing != 0:
		h.outcome, h.reason = lamina.Unknown, "the advisory names the package, but no versions"
	case flags&flagGit != 0:
		h.outcome, h.reason = lamina.Unknown, "the advisory names commits only, and a version does not say its commit"
	case q.err != nil:
		h.outcome, h.reason = lamina.Unknown, "the version cannot be compared: "+q.err.Error()
	case flags&flagBad != 0:
		h.outcome, h.reason = lamina.Unknown, "the advisory has a range that cannot be compared"
	}
	if len(fixed) == 0 {
		fixed = later
	}
	slices.Sort(fixed)
	for _, p := range slices.Compact(fixed) {
		if p >= len(q.versions) {
			c.Fail()
			return h
		}
		if h.outcome != "" {
			h.fixed = append(h.fixed, string(q.versions[p]))
		}
	}
	return h
}

func (c *cursor) imports() []Import {
	var out []Import
	for range c.Count() {
		im := Import{Path: c.Str()}
		for range c.Count() {
			im.Symbols = append(im.Symbols, c.Str())
		}
		out = append(out, im)
	}
	return out
}

// advisory reads one advisory.
func (db *DB) advisory(i int) (advisory, error) {
	if i >= db.count {
		return advisory{}, db.Damaged("advisory %d of %d", i, db.count)
	}
	table, body := db.advisories[:4*db.count], db.advisories[4*db.count:]
	offset := binary.LittleEndian.Uint32(table[4*i:])
	if uint64(offset) > uint64(len(body)) {
		return advisory{}, db.Damaged("advisory %d lies beyond the end", i)
	}
	c := db.cursor(body[offset:min(uint64(len(body)), uint64(offset)+maxAdvisory)])
	a := c.advisory()
	return a, c.Err
}

// told is a hit and the advisory that says it.
type told struct {
	hit
	advisory
}

// told reads the advisories of hits. Those that say that the version is not
// affected are left out, but speak first: what one database cannot judge of a
// vulnerability, because it knows commits only, is settled by another that can.
func (db *DB) told(hits []hit) ([]told, error) {
	doubts := map[int]bool{} // advisories
	for _, h := range hits {
		if h.outcome == lamina.Unknown {
			doubts[h.advisory] = true
		}
	}
	settled := map[int]bool{} // groups with an advisory that says: not affected
	var all []told
	for _, h := range hits {
		// All entries of an advisory together are what it says.
		if h.outcome == "" && (len(doubts) == 0 || doubts[h.advisory]) {
			continue
		}
		a, err := db.advisory(h.advisory)
		if err != nil {
			return nil, err
		}
		if h.outcome == "" {
			settled[a.group] = true
			continue
		}
		all = append(all, told{h, a})
	}
	return slices.DeleteFunc(all, func(t told) bool { return t.outcome == lamina.Unknown && settled[t.group] }), nil
}

// merge makes one match of the hits of each vulnerability.
func (db *DB) merge(hits []hit, o order) ([]Match, error) {
	all, err := db.told(hits)
	if err != nil {
		return nil, err
	}
	// Within a vulnerability, what says most comes first.
	slices.SortStableFunc(all, func(a, b told) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.id, b.id))
	})
	var out []Match
	for i, t := range all {
		if i == 0 || all[i-1].group != t.group {
			out = append(out, Match{Outcome: t.outcome, Reason: t.reason, Published: timeOf(t.published)})
		}
		m := &out[len(out)-1]
		m.IDs = append(append(m.IDs, t.id), t.aliases...)
		m.Summary = cmp.Or(m.Summary, t.summary)
		r := worse(t.advisory.rating, t.hit.rating)
		if t.flags&advMalicious != 0 {
			m.Malicious = true
			r.Severity = lamina.Critical
		}
		if r.Severity.Rank() > m.Severity.Rank() {
			m.Severity = r.Severity
		}
		if m.CVSS == "" || r.Score > m.Score {
			m.CVSS, m.Score = r.Vector, max(r.Score, 0)
		}
		if t.outcome == m.Outcome {
			for _, f := range t.fixed {
				if !slices.Contains(m.Fixed, f) {
					m.Fixed = append(m.Fixed, f)
				}
			}
		}
		if p := timeOf(t.published); !p.IsZero() && (m.Published.IsZero() || p.Before(m.Published)) {
			m.Published = p
		}
		if p := timeOf(t.modified); p.After(m.Modified) {
			m.Modified = p
		}
		m.KEV = m.KEV || t.flags&advKEV != 0
		m.EPSS = max(m.EPSS, float64(t.epss)/100_000)
		m.Imports = append(m.Imports, t.imports...)
	}
	for i := range out {
		m := &out[i]
		slices.SortFunc(m.IDs, compareIDs)
		m.IDs = slices.Compact(m.IDs)
		if m.Malicious && m.Summary == "" {
			m.Summary = "the package is malicious"
		}
		slices.SortStableFunc(m.Fixed, func(a, b string) int {
			v, errA := o.parse(a)
			w, errB := o.parse(b)
			if errA != nil || errB != nil {
				return 0
			}
			return v.compare(w)
		})
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), compareIDs(a.IDs[0], b.IDs[0]))
	})
	return out, nil
}

// compareIDs puts the preferred id first.
func compareIDs(a, b string) int {
	rank := func(id string) int {
		for i, p := range []string{"MAL-", "CVE-", "GHSA-"} {
			if strings.HasPrefix(id, p) {
				return i
			}
		}
		return 3
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// walk reads everything a lookup could.
func (db *DB) walk() error {
	for i := range db.count {
		if _, err := db.advisory(i); err != nil {
			return err
		}
	}
	le := binary.LittleEndian
	var before, total uint64
	for i := range len(db.names) / nameSize {
		row := db.names[i*nameSize : (i+1)*nameSize]
		hash, offset, size := le.Uint64(row), uint64(le.Uint32(row[8:])), uint64(le.Uint32(row[12:]))
		if total += size; hash < before || offset+size > uint64(len(db.postings)) || total > uint64(len(db.postings)) {
			return db.Damaged("name %d is out of place", i)
		}
		before = hash
		c := db.cursor(db.postings[offset : offset+size])
		ecosystem, name := c.Str(), c.Str()
		if c.Err == nil && sealed.Hash(ecosystem, name) != hash {
			return db.Damaged("name %d, %s %s, is not where it is looked for", i, ecosystem, name)
		}
		for range c.Count() {
			if err := db.walkBlock(c, ecosystem); err != nil {
				return fmt.Errorf("%s %s: %w", ecosystem, name, err)
			}
		}
		if c.Err != nil {
			return c.Err
		}
	}
	return nil
}

// walkBlock reads a block, whose versions must stand in order.
func (db *DB) walkBlock(c *cursor, ecosystem string) error {
	o := orderOfCode(c.Uint(), ecosystem)
	n := c.Count()
	if n > maxPlaces {
		return db.Damaged("%d versions", n)
	}
	q := query{err: sealed.ErrDamaged, pos: -1, versions: make([][]byte, n)}
	var last version
	for i := range q.versions {
		q.versions[i] = c.Bytes()
		v, err := o.parse(string(q.versions[i]))
		if c.Err == nil && (err != nil || i > 0 && last.compare(v) >= 0) {
			return db.Damaged("version %q is out of order", clip(string(q.versions[i]), 60))
		}
		last = v
	}
	for range c.Count() {
		if h := c.entry(&q); c.Err == nil && h.advisory >= db.count {
			return db.Damaged("advisory %d of %d", h.advisory, db.count)
		}
	}
	return c.Err
}
