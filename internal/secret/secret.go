// Package secret finds credentials in bytes and never shows them.
//
// It knows formats (see Kinds): each has anchors, short literals that stand in
// every credential of the format. One automaton finds all anchors of all formats
// in one pass; at each, a small window is compared with the format's pattern, and
// then its checks: a checksum where the provider documents one, the structure of
// what is wrapped, entropy where a format has no prefix. Files that hold
// credentials by convention (.npmrc, .git-credentials, terraform.tfstate, …) are
// also read by their name. Text in UTF-16 and values wrapped in base64 once are
// found as well.
//
// A Hit has the kind, the place, a redacted form and a keyed hash; the value
// itself stays in this package and a found secret is never used: whether it is
// active is not asked. Values that documentation uses as examples, placeholders
// and templates are not hits, but are counted. Start with New.
package secret

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
)

// A Confidence says how sure it is that a hit is a credential.
type Confidence string

// The confidences.
const (
	// Certain: a checksum holds, or the structure parses.
	Certain Confidence = "certain"
	// Likely: prefix, length and alphabet are those of the format.
	Likely Confidence = "likely"
	// Possible: the name or the entropy says so, or the checksum does not hold.
	Possible Confidence = "possible"
)

// A Hit is one credential.
type Hit struct {
	// Kind is the format's id ("aws-access-key-id").
	Kind string `json:"kind"`
	// Line counts from 1; 0 in a binary file.
	Line int `json:"line,omitempty"`
	// Offset is in bytes, of the value's first byte; of a wrapped value, of the
	// first byte of its wrapping.
	Offset int64 `json:"offset"`
	// Redacted is safe to print: the prefix that says the kind, and at most the
	// last four characters of a value of 16 or more that a machine made.
	Redacted string `json:"redacted"`
	// Fingerprint is the same for the same value under one Options.Key, in any
	// file and of any kind: 16 lower-case hex digits, or "" without a key.
	Fingerprint string          `json:"fingerprint,omitempty"`
	Severity    lamina.Severity `json:"severity"`
	Confidence  Confidence      `json:"confidence"`
	// Evidence is what the hit rests on besides its form, each "what: value".
	Evidence []string `json:"evidence,omitempty"`
}

// A Report is what was found in one file.
type Report struct {
	// Hits are in order of their offset.
	Hits []Hit `json:"hits,omitempty"`
	// Suppressed counts what had the form of a credential and is none, by reason.
	Suppressed map[string]int `json:"suppressed,omitempty"`
	// Incomplete says what was not searched, "" if all was. Incomplete is not clean.
	Incomplete string `json:"incomplete,omitempty"`
}

// A Hint is what is known of the bytes.
type Hint struct {
	// Path is the file's, with slashes. It decides which special files are read
	// by their format and whether a generic assignment counts.
	Path string
}

// Options configure an Engine. The zero value is useful.
type Options struct {
	// Key is the secret under which fingerprints are made. Without one there are
	// no fingerprints: a plain hash of a short password could be guessed.
	Key []byte `json:"-"`
	// Generic asks for high-entropy values that are assigned to a name like
	// password in any text, not only in configuration files. They are of low severity.
	Generic bool
}

// String keeps the key from being printed.
func (Options) String() string { return "secret.Options" }

// GoString does the same for %#v.
func (Options) GoString() string { return "secret.Options" }

// String keeps the key from being printed.
func (*Engine) String() string { return "secret.Engine" }

// GoString does the same for %#v.
func (*Engine) GoString() string { return "secret.Engine" }

// maxHits is how many hits a Report holds. What has more is a test file of a
// scanner, or hostile.
const maxHits = 4096

// maxAnchor is how long an anchor may be, in bytes as it stands in the data.
const maxAnchor = 128

// An Engine finds credentials. It is immutable and may be used by many
// goroutines at the same time.
type Engine struct {
	options Options
	formats []*compiled
	named   []*compiledFile
	// byBase has the named files by base name, by * and extension, or by "" if the
	// name has a wildcard in both.
	byBase map[string][]*compiledFile
	// auto has the anchors of all formats. Those of the generic ones come last and most
	// files are searched without them: near is of the others, nearAll of all.
	auto          *automaton
	near, nearAll *filter
	// uses says, for each literal of all, what to do where it stands.
	uses [][]use
}

// follows is what may stand after an anchor of three bytes.
const follows = base62 + "_-:%$"

// A use is what an anchor asks for.
type use struct {
	format uint16
	form   form
}

// A form is how an anchor is written in the data.
type form uint8

const (
	plain form = iota
	// wide is UTF-16 of either byte order.
	wide
	// wrapped0, wrapped1, wrapped2 are base64 in which the anchor begins in the
	// first, second or third byte of a group of three.
	wrapped0
	wrapped1
	wrapped2
)

// New compiles the formats. It costs some milliseconds: keep the Engine.
func New(options Options) *Engine {
	options.Key = bytes.Clone(options.Key)
	e := &Engine{options: options, named: compileNamed()}
	e.byBase = index(e.named)
	var literals []literal
	specific := 0 // how many are not of generic formats alone
	ids := make(map[literal]int, 1<<11)
	add := func(l literal, u use) {
		id, ok := ids[l]
		if !ok {
			id = len(literals)
			ids[l] = id
			literals = append(literals, l)
			e.uses = append(e.uses, nil)
		}
		e.uses[id] = append(e.uses[id], u)
	}
	for i, f := range allFormats() {
		c := &compiled{format: f}
		if f.leadMax > 0 {
			c.leads = new([256]bool)
			for _, b := range []byte(f.lead) {
				c.leads[b] = true
			}
		}
		e.formats = append(e.formats, c)
		for _, a := range f.anchors {
			if len(a) < minLiteral {
				for _, c := range []byte(follows) {
					add(literal{a + string(c), f.fold}, use{uint16(i), plain})
				}
			} else {
				add(literal{a, f.fold}, use{uint16(i), plain})
			}
			if !f.named && !f.generic {
				add(literal{widen(a), f.fold}, use{uint16(i), wide})
			}
			if f.wraps {
				for shift := range 3 {
					for _, w := range wrap(a, shift) {
						add(literal{w, false}, use{uint16(i), wrapped0 + form(shift)})
					}
				}
			}
		}
		if !f.generic {
			specific = len(literals)
		}
	}
	e.auto = newAutomaton(literals)
	e.near, e.nearAll = newFilter(literals[:specific]), newFilter(literals)
	return e
}

// WithKey is the engine with another Options.Key. It costs nothing.
func (e *Engine) WithKey(key []byte) *Engine {
	c := *e
	c.options.Key = bytes.Clone(key)
	return &c
}

// Scan returns the credentials in data, in order. A value on two lines is two hits.
func (e *Engine) Scan(data []byte, hint Hint) []Hit { return e.Inspect(data, hint).Hits }

// Inspect searches data, the whole content of a file.
func (e *Engine) Inspect(data []byte, hint Hint) Report {
	if text, ok := narrow(data); ok {
		data = text
		s := e.newSearch(hint, false, int64(len(data)))
		s.window(data, 0, 0, len(data))
		s.named(data)
		return widened(s.report())
	}
	s := e.newSearch(hint, isBinary(data), int64(len(data)))
	s.window(data, 0, 0, len(data))
	s.named(data)
	return s.report()
}

// isBinary reports whether data is no text: there is a NUL early in it.
func isBinary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 }

// A compiled format has its pattern ready, made at the first use: most formats
// never occur.
type compiled struct {
	format
	once sync.Once
	re   *regexp.Regexp
	// group is the index of the value's group, 0 for the whole match.
	group int
	// leads is the format's lead as a table; nil if it has none.
	leads *[256]bool
}

func (f *compiled) regexp() *regexp.Regexp {
	f.once.Do(func() {
		f.re = regexp.MustCompile(`\A(?:` + f.pattern + `)`)
		f.group = max(f.re.SubexpIndex("v"), 0)
	})
	return f.re
}

// A found is a candidate: a value in its surroundings, never outside of this package.
type found struct {
	f     *compiled
	value []byte
	// base is the offset of the value in the file.
	base int64
	line int
	// length is how many bytes of the file the value takes.
	length     int
	severity   lamina.Severity
	confidence Confidence
	evidence   []string
	canonical  []byte
}

// GoString and String keep a value from any print of the package's own.
func (f found) String() string   { return f.f.kind }
func (f found) GoString() string { return f.f.kind }

// A search is the state of searching one file.
type search struct {
	e      *Engine
	hint   Hint
	binary bool
	found  []found
	// suppressed counts by reason.
	suppressed map[string]int
	truncated  bool
	incomplete string
	// size is the file's, looked how many anchors were looked at.
	size, looked int64
	// unwrapped is where the last base64 run read ends, in the file.
	unwrapped int64
	// lines counts the newlines before the offset counted.
	lines   int
	counted int64
	// seen newlines are between counted and seenTo.
	seen   int
	seenTo int64
}

func (e *Engine) newSearch(hint Hint, bin bool, size int64) *search {
	return &search{
		e: e, hint: hint, binary: bin, size: size,
		suppressed: map[string]int{},
	}
}

// window searches the anchors that begin in data[from:to]; data begins at base
// in the file, and what is around is there for patterns to look at.
func (s *search) window(data []byte, base int64, from, to int) {
	near := s.e.near
	if !s.binary && (s.e.options.Generic || configuration(s.hint.Path)) {
		near = s.e.nearAll
	}
	s.e.auto.scan(data[from:min(len(data), to+maxAnchor)], near, func(id uint16, start int) {
		if start += from; start < to {
			s.anchor(data, base, anchor{id, start})
		}
	})
}

// anchor looks at all that the literal may be the anchor of.
func (s *search) anchor(data []byte, base int64, a anchor) {
	for _, u := range s.e.uses[a.id] {
		f := s.e.formats[u.format]
		if s.truncated || s.spent() {
			return
		}
		switch u.form { //nolint:exhaustive // the default is meant for all others
		case plain:
			s.plain(f, data, base, a.start)
		case wide:
			s.wide(f, data, base, a.start)
		default:
			s.wrapped(data, base, a.start, int(u.form-wrapped0))
		}
	}
}

// flood is how many anchors of a file of the size are looked at.
func flood(size int64) int64 { return 1<<16 + size/64 }

// spent counts an anchor that is looked at. A file that has one in less than every
// 64 bytes all along, and very many, is made of them: looking at each would take
// minutes, so the rest is not searched and said to be so.
func (s *search) spent() bool {
	if s.looked++; s.looked <= flood(s.size) {
		return false
	}
	s.incomplete = "the file is a flood of beginnings of credentials: it was not searched to its end"
	return true
}

// next says that what is before to has been searched: data goes on from there.
func (s *search) next(data []byte, base int64, to int) {
	if !s.binary {
		s.lines += bytes.Count(data[int(s.counted-base):to], []byte("\n"))
		s.counted = base + int64(to)
		s.seen, s.seenTo = 0, s.counted
	}
}

// lineOf is the line of a place at or after s.counted, which only the window
// being searched has.
func (s *search) lineOf(data []byte, base int64, at int) int {
	if s.binary {
		return 0
	}
	done := int(s.counted - base)
	if at < done { // the value begins before its anchor, in what is counted
		return 1 + s.lines - bytes.Count(data[max(at, 0):done], []byte("\n"))
	}
	// Hits come nearly in order: count on from the last one.
	if s.seenTo < s.counted || base+int64(at) < s.seenTo {
		s.seen, s.seenTo = 0, s.counted
	}
	s.seen += bytes.Count(data[int(s.seenTo-base):at], []byte("\n"))
	s.seenTo = base + int64(at)
	return 1 + s.lines + s.seen
}

// plain looks at the anchor of f that begins at start.
func (s *search) plain(f *compiled, data []byte, base int64, start int) {
	begin, end, evidence, ok := f.match(data, start, s.binary)
	if !ok {
		return
	}
	s.judge(f, data, begin, end, evidence, func() (int64, int, int) {
		return base + int64(begin), s.lineOf(data, base, begin), end - begin
	})
}

// wide collects the UTF-16 text around the anchor and looks at that.
func (s *search) wide(f *compiled, data []byte, base int64, start int) {
	before := start
	for k := 0; k < f.back() && before >= 2 && data[before-1] == 0 && data[before-2] != 0 && data[before-2] < 0x80; k++ {
		before -= 2
	}
	narrow := make([]byte, 0, 256)
	for i := before; len(narrow) < f.reach()+f.back(); i += 2 {
		if i >= len(data) || data[i] == 0 || data[i] >= 0x80 || i+1 < len(data) && data[i+1] != 0 {
			break
		}
		narrow = append(narrow, data[i])
	}
	begin, end, evidence, ok := f.match(narrow, (start-before)/2, s.binary)
	if !ok {
		return
	}
	evidence = append(evidence, "encoding: UTF-16")
	s.judge(f, narrow, begin, end, evidence, func() (int64, int, int) {
		at := before + 2*begin
		return base + int64(at), s.lineOf(data, base, at), 2 * (end - begin)
	})
}

// wrapped decodes the base64 around an anchor that stands in it and searches
// what comes out, once: it is not unwrapped again.
func (s *search) wrapped(data []byte, base int64, start, shift int) {
	if base+int64(start) < s.unwrapped {
		return
	}
	begin, end, text := unwrap(data, start, shift)
	s.unwrapped = base + int64(end)
	inner := s.e.newSearch(s.hint, s.binary, 0)
	// Only plain anchors count in there: what is wrapped twice is not read.
	s.e.auto.scan(text, s.e.near, func(id uint16, at int) {
		for _, u := range s.e.uses[id] {
			g := s.e.formats[u.format]
			if u.form == plain && !g.generic {
				inner.plain(g, text, 0, at)
			}
		}
	})
	line := 0
	for reason, n := range inner.suppressed {
		s.suppressed[reason] += n
	}
	for i, h := range inner.found {
		if i == 0 {
			line = s.lineOf(data, base, begin)
		}
		// Several values of one wrapping are told apart by their place in it.
		h.base, h.line, h.length = base+int64(begin)+h.base/3*4, line, max(1, h.length/3*4)
		h.evidence = append(h.evidence, inBase64)
		s.add(h)
	}
}

// judge runs the checks on a value and keeps it, or counts why not.
func (s *search) judge(f *compiled, data []byte, begin, end int, evidence []string, place func() (int64, int, int)) {
	v := data[begin:end]
	if reason := exempt(f, v); reason != "" {
		s.suppressed[reason]++
		return
	}
	c := verdict{severity: f.severity, confidence: cmp.Or(f.confidence, Likely), evidence: evidence}
	if f.check != nil {
		f.check(&c, subject{value: v, data: data, begin: begin, end: end, hint: s.hint})
	}
	switch {
	case c.not:
		return
	case c.suppress != "":
		s.suppressed[c.suppress]++
		return
	}
	if f.demote && c.severity.Rank() > lamina.Medium.Rank() && fixture(s.hint.Path) {
		c.severity = lamina.Medium
		c.evidence = append(c.evidence, "place: a folder of tests or examples")
	}
	at, line, length := place()
	s.add(found{
		f: f, value: v, base: at, line: line, length: length,
		severity: c.severity, confidence: c.confidence, evidence: c.evidence, canonical: c.canonical,
	})
}

func (s *search) add(h found) {
	if len(s.found) >= maxHits {
		s.truncated = true
		return
	}
	h.value = bytes.Clone(h.value) // the window is not ours
	s.found = append(s.found, h)
}

// report resolves overlaps and pairs and forgets the values.
func (s *search) report() Report {
	fs := s.found
	slices.SortStableFunc(fs, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.base, b.base), cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.length, a.length), cmp.Compare(a.f.kind, b.f.kind))
	})
	fs = distinct(fs)
	pair(fs)
	r := Report{Incomplete: s.incomplete}
	for _, h := range fs {
		r.Hits = append(r.Hits, Hit{
			Kind: h.f.kind, Line: h.line, Offset: h.base, Redacted: redact(h.f, h.value), Fingerprint: s.e.fingerprint(h),
			Severity: h.severity, Confidence: h.confidence, Evidence: h.evidence,
		})
	}
	if s.truncated {
		r.Incomplete = "more than 4096 values have the form of a credential"
	}
	if len(s.suppressed) > 0 {
		r.Suppressed = s.suppressed
	}
	return r
}

// rank orders what claims the same bytes: a format before a generic one, then
// the surer one.
func (f found) rank() int {
	r := 0
	switch {
	case f.f.generic:
	case f.f.byName:
		r = 10
	case f.f.loose:
		r = 20
	default:
		r = 30
	}
	switch f.confidence {
	case Certain:
		r += 2
	case Likely:
		r++
	case Possible:
	}
	return r
}

// distinct drops what lies in, or overlaps, a value of higher rank. fs is sorted.
func distinct(fs []found) []found {
	var out []found
	for _, h := range fs {
		for len(out) > 0 {
			l := out[len(out)-1]
			if l.base+int64(l.length) <= h.base || l.rank() >= h.rank() {
				break
			}
			out = out[:len(out)-1]
		}
		if len(out) > 0 {
			if l := out[len(out)-1]; l.base+int64(l.length) > h.base {
				continue
			}
		}
		out = append(out, h)
	}
	return out
}

// redact shows the public prefix of the format, and the last four of a value
// that a machine made and that is long enough.
func redact(f *compiled, v []byte) string {
	show := min(f.show, len(v)/2)
	head := printable(v[:show])
	if f.head != "" {
		head = f.head
	}
	hidden := len(v) - show
	if f.secretive || len(v) < 16 || hidden < 12 {
		return head + withheld
	}
	return head + strings.Repeat("•", min(hidden-4, 12)) + printable(v[len(v)-4:])
}

// printable replaces what is not visible ASCII: a value is foreign text.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return '?'
		}
		return r
	}, string(b))
}

func (e *Engine) fingerprint(h found) string {
	if len(e.options.Key) == 0 {
		return ""
	}
	m := hmac.New(sha256.New, e.options.Key)
	if h.canonical != nil {
		m.Write(h.canonical)
	} else {
		m.Write(h.value)
	}
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// A Kind describes a format: what it is, whose, and where it is documented.
type Kind struct {
	ID       string          `json:"id"`
	Provider string          `json:"provider"`
	Title    string          `json:"title"`
	URL      string          `json:"url"`
	Severity lamina.Severity `json:"severity"`
	// Observed: the page describes the credential without its exact shape, which
	// is as published values have it.
	Observed bool `json:"observed,omitempty"`
}

// Kinds returns all formats, sorted by id.
func Kinds() []Kind {
	var ks []Kind
	for _, f := range allFormats() {
		ks = append(ks, Kind{f.kind, f.provider, f.title, f.url, f.severity, f.observed})
	}
	for _, f := range namedFiles() {
		ks = append(ks, Kind{f.kind, f.provider, f.title, f.url, f.severity, false})
	}
	slices.SortFunc(ks, func(a, b Kind) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(ks, func(a, b Kind) bool { return a.ID == b.ID })
}
