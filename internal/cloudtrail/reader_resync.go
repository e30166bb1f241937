package cloudtrail

import (
	"bytes"
	"fmt"
	"slices"
)

// Resynchronisation. A broken record has no exact end, so the Reader goes on
// where a record plausibly starts: at a brace whose first member is one that
// records start with (eventVersion, or what the last good record started with),
// which is not the value of a member; or, outside envelopes, at a brace in the
// first column of a line, since no JSON string spans lines. What lies between
// is quarantined as one record. A record that is whole is never searched.

// starters are names that records start with, as AWS writes them: the first of
// its own order, and the first of the alphabet.
var starters = []string{
	`"eventVersion"`, `"awsRegion"`, `"additionalEventData"`, `"addendum"`, `"apiVersion"`, `"EventId"`,
}

// looksLikeRecord reports whether the object at p starts with a name that
// records start with.
func (d *Reader) looksLikeRecord(p int) bool {
	rest := d.buf[p+1 : d.end]
	if len(rest) > 0 && rest[0] <= ' ' {
		rest = rest[blank(rest, 0):]
	}
	return bytes.HasPrefix(rest, []byte(`"eventVersion"`)) ||
		len(d.firstKey) > 0 && bytes.HasPrefix(rest, d.firstKey)
}

// A verdict is what starts at a brace.
type verdict uint8

const (
	noStart verdict = iota
	recordStart
	documentStart // the start of a whole document, outside every envelope
	needMore
)

// startAt judges the brace at b[i], where b is the start of buf. more says that
// what follows b is not known yet.
func (d *Reader) startAt(b []byte, i int, more bool) verdict {
	j := blank(b, i+1)
	if j-i > 256 {
		return noStart
	}
	rest := b[j:min(len(b), j+lookback)]
	if len(rest) > 0 && rest[0] != '"' {
		return noStart
	}
	k := -1
	if len(rest) > 0 {
		k = bytes.IndexByte(rest[1:], '"')
	}
	if k < 0 {
		if len(rest) < lookback && more {
			return needMore
		}
		return noStart
	}
	name := rest[:k+2]
	colon := blank(b, j+len(name))
	if colon >= len(b) && more && colon-i < 512 {
		return needMore
	}
	if colon >= len(b) || b[colon] != ':' {
		return noStart
	}
	prev := i - 1
	for prev >= 0 && (b[prev] == ' ' || b[prev] == '\t') {
		prev--
	}
	column0 := prev == i-1 && (prev < 0 || b[prev] == '\n')
	for prev >= 0 && (b[prev] == '\n' || b[prev] == '\r' || b[prev] == ' ' || b[prev] == '\t') {
		prev--
	}
	before := byte(',')
	if prev >= 0 {
		before = b[prev]
	}
	switch {
	case before == ':' && !column0:
		return noStart
	case column0 && (bytes.Equal(name, []byte(`"Records"`)) || bytes.Equal(name, []byte(`"Events"`)) || bytes.Equal(name, []byte(`"messageType"`))):
		return documentStart
	case column0 && d.outerDepth == 0:
		return recordStart
	case before == ':' && d.outerDepth > 0:
		return noStart
	case bytes.Equal(name, d.firstKey) && (before == ',' || before == '[' || before == '}' || column0):
		return recordStart
	}
	if slices.Contains(starters, string(name)) {
		return recordStart
	}
	return noStart
}

// search looks for a start in buf[from:to]; more is as for startAt. It returns
// where to go on looking when it finds none.
func (d *Reader) search(from, to int, more bool) (pos int, v verdict) {
	for from < to {
		i := bytes.IndexByte(d.buf[from:to], '{')
		if i < 0 {
			return to, noStart
		}
		i += from
		if v := d.startAt(d.buf[:to], i, more); v != noStart {
			return i, v
		}
		from = i + 1
	}
	return to, noStart
}

// ahead makes sure that what follows the record that has ended is buffered, so
// far as followed looks, and returns buf up to there. It may move the record.
func (d *Reader) ahead() []byte {
	const far = 1 << 10
	for d.end-d.child < far && d.err == nil {
		d.fill()
	}
	return d.buf[:min(d.end, d.child+far)]
}

// followed reports whether what follows the object that has ended is what
// follows a record. It is asked of an object that is none: what does not fit
// says that the end was false. After damage the next record must look like one.
func (d *Reader) followed(damaged bool) bool {
	b := d.ahead()
	q := blank(b, d.child)
	if d.outerDepth == 0 {
		return q >= len(b) || b[q] == '{' || b[q] == '['
	}
	if q >= len(b) {
		return false
	}
	r := blank(b, q+1)
	switch {
	case b[q] == ']':
		return d.listEnded(b, r)
	case b[q] != ',' || r >= len(b):
		return false
	case !damaged:
		// Whatever the list holds beside records, it is not "name":value.
		return b[r] != '"' || !isName(b, r)
	case b[r] != '{':
		return false
	case d.startAt(b, r, false) != noStart:
		return true
	}
	return keyAt(b, blank(b, r+1)) != KeyOther
}

// listEnded reports whether b[i], after a closing bracket, follows the end of
// the list of records, rather than of a list inside a record.
func (d *Reader) listEnded(b []byte, i int) bool {
	if i >= len(b) {
		return true
	}
	switch b[i] {
	case '}':
		return d.outerDepth > 1
	case ']':
		return d.outerDepth > 2
	case '{', '[':
		return d.outerDepth == 1
	case ',':
		// An envelope's other members are not named like a record's.
		k := keyAt(b, blank(b, i+1))
		return d.outerDepth > 1 && (k == KeyOther || k >= KeyDigestStartTime)
	}
	return false
}

// keyAt is the Key of the name that is written at b[i].
func keyAt(b []byte, i int) Key {
	if i >= len(b) || b[i] != '"' {
		return KeyOther
	}
	end := bytes.IndexByte(b[i+1:], '"')
	if end < 0 {
		return KeyOther
	}
	return lookupKey(b[i+1:i+1+end], false)
}

// isName reports whether the string at b[i] is the name of a member.
func isName(b []byte, i int) bool {
	w := walker{buf: b}
	end := w.text(i + 1)
	if end < 0 {
		return false
	}
	end = blank(b, end)
	return end < len(b) && b[end] == ':'
}

// giveUp quarantines the object that has ended, buf[start:child], and if need
// be what follows it. damaged says that it is no JSON; else it is no record.
func (d *Reader) giveUp(why string, damaged bool) {
	// The damage may have hidden the record's end, and others behind it.
	if d.rel = 1; damaged && d.resyncWithin(d.child, why) {
		return
	}
	if !d.followed(damaged) {
		d.beginHunt(d.child, why)
		return
	}
	d.skip(d.at, int64(d.child-d.start), 1, why)
	d.rel, d.start = 0, -1
}

// guess takes the first name of the open record for the one that records start
// with here, if none was good before.
func (d *Reader) guess() {
	if len(d.firstKey) == 0 && d.start >= 0 {
		d.learn(d.buf[d.start:min(d.end, d.limit)])
	}
}

// resyncWithin looks for another record inside the one that is open, before
// to, and goes on there if there is one.
func (d *Reader) resyncWithin(to int, why string) bool {
	if d.start < 0 || d.tired() {
		return false
	}
	d.guess()
	pos, v := d.search(d.start+1, to, false)
	if v != recordStart && v != documentStart {
		return false
	}
	d.beginHunt(pos, why)
	return true
}

// beginHunt quarantines from the start of the open record, or from pos if none
// is open, and makes Next look for the next record from pos on.
func (d *Reader) beginHunt(pos int, why string) {
	d.hunting, d.huntPos, d.huntWhy, d.huntRecs = true, pos, why, 1
	d.huntAt = d.base + int64(pos)
	if d.rel > 0 {
		d.huntAt = d.at
	}
	d.rel, d.stack, d.start, d.dropped, d.bad = 0, 0, -1, false, ""
	d.ti, d.tn = 0, 0
}

// hunt looks through what is buffered. It reports whether the hunt is over.
func (d *Reader) hunt() bool {
	pos, v := d.search(d.huntPos, d.end, d.err == nil)
	d.huntPos = pos
	switch v {
	case recordStart, documentStart:
	case noStart, needMore:
		return false
	}
	if v == documentStart {
		d.outer, d.outerDepth, d.itemDepth, d.root = 0, 0, 0, 0
	}
	if d.outerDepth != d.itemDepth {
		// The hunt began before or after the list of an envelope; a record
		// that starts here stands on its own.
		d.outer, d.outerDepth, d.itemDepth, d.root = 0, 0, 0, 0
	}
	from := bytes.TrimRight(d.buf[:pos], " \t\r\n,")
	d.endHunt(max(len(from), int(max(0, d.huntAt-d.base))))
	d.rescan += int64(max(0, d.done-pos))
	if odd := pos & 63; odd != 0 { // text is indexed from the start of a block
		d.shift(odd)
		pos -= odd
	}
	d.done, d.from, d.idx = pos, pos, indexer{}
	d.gap.before(pos)
	return true
}

// endHunt reports what the hunt went through up to buf[to].
func (d *Reader) endHunt(to int) {
	d.hunting = false
	if n := d.base + int64(to) - d.huntAt; n > 0 {
		d.skip(d.huntAt, n, d.huntRecs, d.huntWhy)
	}
}

// A gap is the state of the bytes between records: white space and commas, and
// what should not be there.
type gap struct {
	pos   int   // up to where it was looked at
	value bool  // a value came last; a comma or the end must follow
	token int64 // offset of the scalar that is open, or -1
	quote bool  // it is a string
	esc   bool
}

func (g *gap) reset()         { *g = gap{token: -1} }
func (g *gap) before(pos int) { *g = gap{pos: pos, token: -1} }
func (g *gap) after(pos int)  { *g = gap{pos: pos, token: -1, value: true} }

// gapTo looks at the bytes between records up to p, where c follows (0 at the
// end of what is known). It reports whether a hunt began.
func (d *Reader) gapTo(p int, c byte) bool {
	g := &d.gap
	switch {
	case g.pos >= p && (c == '{' || c == '[') && (!g.value || d.outerDepth <= 0):
		g.pos = p
		return false
	case p-g.pos == 1 && d.buf[g.pos] == ',' && g.value && d.outerDepth > 0 && c == '{':
		g.pos, g.value = p, false
		return false
	case p-g.pos == 1 && d.buf[g.pos] == '\n' && d.outerDepth == 0:
		g.pos = p
		return false
	}
	return d.gapSlow(p, c)
}

func (d *Reader) gapSlow(p int, c byte) bool {
	g := &d.gap
	for ; g.pos < p; g.pos++ {
		b := d.buf[g.pos]
		switch {
		case g.token >= 0 && g.quote:
			switch {
			case g.esc:
				g.esc = false
			case b == '\\':
				g.esc = true
			case b == '"':
				g.quote = false
				g.pos++
				d.gapEnd()
				g.pos--
			}
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
			d.gapEnd()
		case d.outerDepth > 0 && b == ',':
			d.gapEnd()
			if !g.value {
				d.skip(d.base+int64(g.pos), 1, 0, "a comma without a value before it")
			}
			g.value = false
		case d.outerDepth > 0 && (b == '"' || b == '-' || b-'0' <= 9 || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '.' || b == '+'):
			if g.token < 0 {
				if g.value {
					d.beginHunt(g.pos, fmt.Sprintf("%q between records", b))
					return true
				}
				g.token, g.quote = d.base+int64(g.pos), b == '"'
			}
		case d.outerDepth == 0 && b == 0xef && g.pos+2 >= d.end && c == 0 && d.err == nil:
			return false // perhaps a byte order mark: wait for the rest
		case d.outerDepth == 0 && b == 0xef && g.pos+2 < d.end && d.buf[g.pos+1] == 0xbb && d.buf[g.pos+2] == 0xbf:
			g.pos += 2 // byte order mark
		default:
			return d.garbage(g.pos)
		}
	}
	if (c == '{' || c == '[') && g.value && d.outerDepth > 0 && g.token < 0 {
		d.skip(d.base+int64(p), 0, 0, "a comma is missing between records")
	}
	return false
}

// garbage begins a hunt at bytes between records that are no JSON.
func (d *Reader) garbage(pos int) bool {
	if d.outerDepth == 0 && d.buf[pos] == ',' && d.list.outerDepth > 0 {
		// More follows a list that had ended: a broken record had seemed to
		// end it.
		d.outer, d.outerDepth, d.itemDepth, d.root = d.list.outer, d.list.outerDepth, d.list.itemDepth, d.list.root
		d.beginHunt(pos, "the list of records ended too early")
		d.huntRecs = 0
		return true
	}
	why := "text that is no JSON object"
	if d.buf[pos] == 0 {
		why = "NUL bytes"
	}
	d.beginHunt(pos, why)
	return true
}

// gapEnd ends the scalar that is open between records.
func (d *Reader) gapEnd() {
	g := &d.gap
	if g.token < 0 {
		return
	}
	d.skip(g.token, d.base+int64(g.pos)-g.token, 1, notObject)
	g.token, g.quote, g.esc, g.value = -1, false, false, true
}
