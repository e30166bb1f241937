// Package cloudtrail turns CloudTrail bytes into events: it splits a stream
// into records, finds what must be quarantined and says why, and reads a record
// through ECS names as Elastic's ingest pipeline for CloudTrail maps it.
//
// It opens no files and knows no rules: internal/source gives the bytes,
// internal/detect takes the events. Start with NewReader, whose records go to
// Event.Reset.
package cloudtrail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits bound what a Reader spends on hostile input. Zero fields mean the
// defaults.
type Limits struct {
	// Record is the longest record in bytes (default 1 MiB). CloudTrail itself
	// stays below 256 KiB. A longer one is skipped without being held; only a
	// digest may be eight times as long.
	Record int
	// Depth is how deep a record may nest (default and most: 64).
	Depth int
	// Window is the first size of the read buffer (default 256 KiB). It grows
	// until a record of the greatest length fits.
	Window int
}

const (
	defaultRecord = 1 << 20
	defaultDepth  = 64
	defaultWindow = 256 << 10
	minWindow     = 4 << 10
	chunk         = 16 << 10 // bytes indexed at a time, so that they are still in the cache when they are read
	digestRecords = 8        // a digest may be as long as so many records
	lookback      = 64       // bytes kept before what is needed, for the name before a bracket
)

func (l Limits) withDefaults() Limits {
	if l.Record <= 0 {
		l.Record = defaultRecord
	}
	if l.Depth <= 0 || l.Depth > defaultDepth {
		l.Depth = defaultDepth
	}
	if l.Window <= 0 {
		l.Window = defaultWindow
	}
	l.Window = max(l.Window, minWindow) &^ 63
	return l
}

// A Skip is a part of the input that gave no record.
type Skip struct {
	// Offset is where the part starts in the stream, Bytes its length; Bytes is
	// 0 for what is missing rather than wrong.
	Offset, Bytes int64
	// Records is how many records were given up, 0 when that cannot be known or
	// when no record was concerned.
	Records int
	// Reason is one line without a full stop.
	Reason string
}

// Counts are what a Reader has seen so far.
type Counts struct {
	// Records were returned by Next; Insights and Digests are among them.
	Records, Insights, Digests int64
	// Quarantined is the sum of Skip.Records, Skips how many Skips there were.
	Quarantined, Skips int64
	// Silent is how many documents are by nature no records: bulk action
	// lines, control messages of CloudWatch Logs, envelopes without records.
	Silent int64
}

// A Reader splits a stream into CloudTrail records.
//
// What the stream holds is seen from its content, value by value, so formats
// may be mixed: a record; an object with the list Records, Events (LookupEvents)
// or logEvents (CloudWatch Logs subscription), or hits.hits (a search answer),
// of any length; an EventBridge event; an Elastic document; a digest; and lists
// or sequences of all of these, one a line, indented, or one after the other.
//
// Structure is followed exactly: only a record's own braces end it, and a name
// inside a record never makes one. Only when a record is broken does the Reader
// look for the next place where one plausibly starts (see resync), and reports
// what lies between.
//
// Memory is bounded by Limits, whatever the input. A Reader is not safe for
// concurrent use.
type Reader struct {
	// Skipped is called with each part that gave no record, in stream order,
	// from within Next. It may be nil.
	Skipped func(Skip)

	counts Counts
	r      io.Reader
	lim    Limits

	buf  []byte
	end  int   // buf[:end] was read
	done int   // buf[:done] is indexed
	from int   // start of the block that idx stands at, a multiple of 64
	base int64 // offset of buf[0] in the stream
	err  error // what the last read ended with, nil while there is more

	idx     indexer
	quotes  []uint64 // bitmaps of buf, see indexer.run
	slashes []uint64
	tape    []uint32 // positions in buf of structural bytes of the last chunk
	ti      int      // tape[ti:tn] are still to be seen
	tn      int

	// Between records: the brackets around the place where records are.
	outer      uint64 // kinds, innermost in the lowest bit
	outerDepth int
	itemDepth  int // outerDepth at which records stand, -1 after the list of an envelope
	root       int // itemDepth when outside an envelope: 0, or 1 inside a list
	gap        gap
	list       context // of the list that was left last

	// The record that is open.
	start   int      // its first byte in buf, -1 if none is open or it is dropped
	at      int64    // its offset
	limit   int      // position in buf at which it is too long
	rel     int      // how many of its brackets are open
	stack   uint64   // their kinds
	nested  []Span   // its nested values at the top level
	child   int      // start in buf of the nested value that is open
	hits    bool     // that value is the member "hits"
	dropped bool     // it is too long and not held
	elems   []uint32 // where in it the objects in its top-level lists start
	bad     string   // why it must be quarantined when it ends, or ""

	hunting  bool // looking for the next record after a broken one
	huntPos  int
	huntAt   int64 // where the quarantined part starts
	huntWhy  string
	huntRecs int
	rescan   int64 // bytes indexed more than once
	finished bool

	firstKey  []byte // the first name of the last good record, with its quotes
	rec       Record
	members   []member  // of the envelope that is being opened
	arena     [2][]byte // texts of embedded records
	tape2     []uint32  // tape for them
	unescaped bool      // the bytes of rec are in an arena
}

// A context is the brackets around records.
type context struct {
	outer                       uint64
	outerDepth, itemDepth, root int
}

// NewReader returns a Reader of the decompressed bytes of r.
func NewReader(r io.Reader, limits Limits) *Reader {
	d := &Reader{tape: make([]uint32, chunk), tape2: make([]uint32, 1<<10)}
	d.lim = limits.withDefaults()
	d.Reset(r)
	return d
}

// Reset makes d read r from its start, keeping buffers, limits and Skipped.
// Counts start again.
func (d *Reader) Reset(r io.Reader) {
	keep := *d
	*d = Reader{
		Skipped: keep.Skipped, r: r, lim: keep.lim, buf: keep.buf, quotes: keep.quotes, slashes: keep.slashes, tape: keep.tape,
		nested: keep.nested[:0], firstKey: keep.firstKey[:0], members: keep.members, arena: keep.arena, tape2: keep.tape2,
		elems: keep.elems[:0], start: -1,
	}
	if len(d.buf) != d.lim.Window {
		d.grow(d.lim.Window)
	}
	d.gap.reset()
}

// Counts returns what was counted so far.
func (d *Reader) Counts() Counts { return d.counts }

// Next returns the next record, which is valid until Next is called again. At
// the end it returns io.EOF. When reading failed, everything before was
// returned, the part that could not be read was reported to Skipped, and Next
// returns the error of the read: a caller needs it only to know that it must
// stop for another reason (a cancelled context).
func (d *Reader) Next() (*Record, error) {
	for {
		switch {
		case d.hunting:
			if !d.hunt() {
				if d.err != nil {
					d.endHunt(d.end)
					if !errors.Is(d.err, io.EOF) {
						d.skip(d.base+int64(d.end), 0, 0, d.err.Error())
					}
					d.done, d.finished = d.end, true
				} else {
					d.fill()
				}
			}
		case d.ti < d.tn:
			if d.step() {
				if rec := d.deliver(); rec != nil {
					return rec, nil
				}
			}
		case d.done < d.end:
			d.index()
		case d.rel > 0 && !d.dropped && d.done >= d.limit && d.tooLong():
		case d.rel == 0 && d.outerDepth == d.itemDepth && d.err == nil && d.gapTo(d.done, 0):
		case d.err == nil:
			d.fill()
		case d.finished || !d.finish():
			if errors.Is(d.err, io.EOF) {
				return nil, io.EOF
			}
			return nil, d.err
		}
	}
}

// index makes the tape of the next chunk.
func (d *Reader) index() {
	to := min(d.end, d.from+chunk)
	d.tn = d.idx.run(d.buf, d.from, to, d.done, d.tape, d.quotes, d.slashes)
	d.ti, d.done, d.from = 0, to, to&^63
}

// fill reads more, after making room.
func (d *Reader) fill() {
	if len(d.buf)-d.end < minWindow {
		d.compact()
		if len(d.buf)-d.end < minWindow {
			// Only an open record or a long wait for its successor fills the
			// window, and those are bounded by Limits.Record.
			d.grow(2 * len(d.buf))
		}
	}
	for range 100 {
		n, err := d.r.Read(d.buf[d.end:])
		d.end += n
		if err != nil {
			d.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	d.err = io.ErrNoProgress
}

// compact drops what is not needed any more.
func (d *Reader) compact() {
	keep := d.done
	switch {
	case d.hunting:
		keep = d.huntPos
	case d.start >= 0:
		keep = d.start
	case d.rel == 0 && d.outerDepth == d.itemDepth:
		keep = min(keep, d.gap.pos)
	}
	if d.ti < d.tn {
		keep = min(keep, int(d.tape[d.ti]))
	}
	// Blocks stay blocks: what was indexed is not indexed again.
	keep = max(0, keep-lookback) &^ 63
	if keep == 0 {
		return
	}
	copy(d.quotes, d.quotes[keep>>6:])
	copy(d.slashes, d.slashes[keep>>6:])
	d.shift(keep)
}

// grow makes the window n bytes long.
func (d *Reader) grow(n int) {
	buf, quotes, slashes := make([]byte, n), make([]uint64, n>>6+1), make([]uint64, n>>6+1)
	copy(buf, d.buf[:d.end])
	copy(quotes, d.quotes)
	copy(slashes, d.slashes)
	d.buf, d.quotes, d.slashes = buf, quotes, slashes
}

// shift drops the first keep bytes of the window.
func (d *Reader) shift(keep int) {
	copy(d.buf, d.buf[keep:d.end])
	d.end -= keep
	d.done -= keep
	d.from -= keep
	d.base += int64(keep)
	d.huntPos -= keep
	d.gap.pos -= keep
	d.limit -= keep
	d.child -= keep
	if d.start >= 0 {
		d.start -= keep
	}
	for i := d.ti; i < d.tn; i++ {
		d.tape[i] -= u32(keep)
	}
}

// step follows the tape until a record ends, and then reports true: its bytes
// are buf[start:child]. It reports false when the tape is used up or a hunt
// has begun.
func (d *Reader) step() bool {
	buf := d.buf
	for d.ti < d.tn {
		p := int(d.tape[d.ti])
		d.ti++
		c := buf[p]
		if d.rel == 0 {
			d.between(p, c)
			if d.hunting {
				return false
			}
			continue
		}
		if p >= d.limit && !d.dropped {
			if d.tooLong() {
				return false
			}
		}
		switch c {
		case '{', '[':
			if d.stack&1 == 1 && buf[p-1] != ':' || d.stack&1 == 0 && buf[p-1] != ',' && buf[p-1] != '[' {
				if !d.opens(p) {
					d.broken(p, misplaced)
					return false
				}
			}
			if d.rel == d.lim.Depth {
				d.broken(p, fmt.Sprintf("nested deeper than %d", d.lim.Depth))
				return false
			}
			if d.rel == 1 {
				if d.outerDepth == d.root && d.enter(p, c) {
					continue
				}
				d.child = p
			} else if d.rel == 2 {
				if d.stack&1 == 0 && !d.dropped {
					d.elems = append(d.elems, u32(p-d.start))
				} else if c == '[' && d.hits && d.outerDepth == d.root && d.named(p, "hits") {
					d.enterHits()
					continue
				}
			}
			d.stack, d.rel = d.stack<<1|kindOf(c), d.rel+1
		case '}', ']':
			if d.stack&1 != kindOf(c) {
				d.broken(p, mismatched)
				return false
			}
			d.stack, d.rel = d.stack>>1, d.rel-1
			switch d.rel {
			case 1:
				if !d.dropped {
					d.nested = append(d.nested, span(d.child-d.start, p+1-d.start))
				}
			case 0:
				if len(d.elems) > 0 && !d.dropped {
					if p = d.confirm(p); p < 0 {
						return false
					}
				}
				d.child = p + 1
				d.gap.after(p + 1)
				return true
			}
		case '\n', '\r':
			if d.outerDepth == 0 {
				// In a file of lines this is where the record was cut.
				d.broken(p, badByte(c))
				return false
			}
			d.spoil(p, c)
		default:
			d.spoil(p, c)
		}
	}
	return false
}

// spoil notes that the open record cannot be used, for a reason that says
// nothing about where it ends.
func (d *Reader) spoil(p int, c byte) {
	if d.bad == "" {
		d.bad = fmt.Sprintf("%s at offset %d", badByte(c), d.base+int64(p))
	}
}

// opens is opensAt for the open record, for text with white space.
func (d *Reader) opens(p int) bool {
	from := max(d.start, 0)
	return opensAt(d.buf[from:d.end], p-from, d.stack&1)
}

// tooLong deals with a record that reached the limit. It reports whether a
// hunt began.
func (d *Reader) tooLong() bool {
	if d.outerDepth == 0 && d.limit-d.start == d.lim.Record && bytes.Contains(d.buf[d.start:min(d.limit, d.start+minWindow)], []byte(`"digestStartTime"`)) {
		// A digest lists the files of an hour; those of a busy trail are long.
		d.limit = d.start + digestRecords*d.lim.Record
		return false
	}
	why := fmt.Sprintf("record longer than %d bytes", d.limit-d.start)
	if d.resyncWithin(d.limit, why) {
		return true
	}
	d.dropped, d.start = true, -1
	d.bad = why
	return false
}

// confirm is called when a record ends at p that has lists of objects. If none
// of these starts like a record, or if what follows is what follows a record,
// all is well and confirm returns p, which may have moved. Otherwise the record
// swallowed its successors when its own end was lost, a hunt begins at the
// first of them, and confirm returns -1.
func (d *Reader) confirm(p int) int {
	i := 0
	for i < len(d.elems) && !d.looksLikeRecord(d.start+int(d.elems[i])) {
		i++
	}
	if i == len(d.elems) {
		return p
	}
	d.child = p + 1
	b := d.ahead()
	q := blank(b, d.child)
	ok := q >= len(b)
	if d.outerDepth > 0 {
		ok = q < len(b) && (b[q] == ',' || b[q] == ']')
	} else if q < len(b) {
		ok = b[q] == '{' || b[q] == '['
	}
	if ok {
		return d.child - 1
	}
	d.rel = 1
	d.beginHunt(d.start+int(d.elems[i]), "the end of the record is missing")
	return -1
}

// broken gives up the open record because of what stands at p.
func (d *Reader) broken(p int, why string) {
	why = fmt.Sprintf("%s at offset %d", why, d.base+int64(p))
	d.guess()
	switch {
	case d.dropped:
		d.beginHunt(p, d.bad+"; "+why)
	case d.tired():
		d.beginHunt(d.done, why)
	default:
		d.beginHunt(d.start+1, why)
	}
}

// tired reports whether so much was read twice that a hostile input must be
// suspected; then hunts no longer go back.
func (d *Reader) tired() bool {
	return d.rescan > 64<<20+4*(d.base+int64(d.end))
}

// finish deals with what is open at the end of the input. It reports whether
// there is more to do.
func (d *Reader) finish() bool {
	reason := "truncated: the input ends inside "
	if !errors.Is(d.err, io.EOF) {
		reason = d.err.Error() + ": reading ended inside "
	}
	switch {
	case d.rel > 0 && d.dropped:
		d.skip(d.at, d.base+int64(d.end)-d.at, 1, reason+"a record longer than the limit")
	case d.rel > 0:
		if d.resyncWithin(d.end, reason+"a record") {
			return true
		}
		d.skip(d.at, d.base+int64(d.end)-d.at, 1, reason+"a record")
	default:
		if d.outerDepth == d.itemDepth && d.gapTo(d.end, 0) {
			return true
		}
		d.gapEnd()
		switch {
		case d.outerDepth > 0:
			d.skip(d.base+int64(d.end), 0, 0, reason+"a list of records; how many are missing cannot be known")
		case !errors.Is(d.err, io.EOF):
			d.skip(d.base+int64(d.end), 0, 0, d.err.Error())
		}
	}
	d.finished = true
	return false
}

// skip reports a part of the input.
func (d *Reader) skip(offset, n int64, records int, reason string) {
	d.counts.Skips++
	d.counts.Quarantined += int64(records)
	if d.Skipped != nil {
		d.Skipped(Skip{Offset: offset, Bytes: n, Records: records, Reason: reason})
	}
}

// open starts a record at p.
func (d *Reader) open(p int, kind uint64) {
	d.start, d.at = p, d.base+int64(p)
	d.limit = p + d.lim.Record
	d.rel, d.stack = 1, kind
	d.nested = d.nested[:0]
	d.elems = d.elems[:0]
	d.hits, d.dropped, d.bad = false, false, ""
}

// between handles a structural byte that is in no record.
func (d *Reader) between(p int, c byte) {
	if d.outerDepth != d.itemDepth {
		// Before or after the list inside an envelope.
		switch c {
		case '{', '[':
			if c == '[' && d.outerDepth == d.root+1 && (d.named(p, "Records") || d.named(p, "Events") || d.named(p, "logEvents")) {
				d.itemDepth = d.outerDepth + 1
				d.gap.before(p + 1)
			} else if d.outerDepth == 64 {
				d.beginHunt(p, "an envelope is nested too deep")
				return
			}
			d.outer, d.outerDepth = d.outer<<1|kindOf(c), d.outerDepth+1
		case '}', ']':
			if d.outer&1 != kindOf(c) {
				d.beginHunt(p, fmt.Sprintf(mismatched+" at offset %d", d.base+int64(p)))
				d.huntRecs = 0
				return
			}
			d.leave(p)
		default:
			d.beginHunt(p, badByte(c)+" between records")
			d.huntRecs = 0
		}
		return
	}
	if d.gapTo(p, c) {
		return
	}
	switch c {
	case '{':
		d.gapEnd()
		d.open(p, 1)
	case '[':
		d.gapEnd()
		if d.outerDepth == 0 {
			d.outer, d.outerDepth, d.itemDepth, d.root = 0, 1, 1, 1
			d.gap.before(p + 1)
			return
		}
		d.open(p, 0)
	case ']':
		if d.outerDepth > 0 {
			d.gapEnd()
			d.leave(p)
		}
	}
}

// leave closes one bracket around records.
func (d *Reader) leave(p int) {
	if d.itemDepth >= 0 {
		d.list = context{d.outer, d.outerDepth, d.itemDepth, d.root}
	}
	d.outer, d.outerDepth = d.outer>>1, d.outerDepth-1
	if d.itemDepth = -1; d.outerDepth <= d.root {
		if d.outerDepth < d.root {
			d.root = 0
		}
		d.itemDepth = d.root
		d.gap.after(p + 1)
	}
}

// enter is called for each nested value at the top of an object that stands
// where envelopes can. It makes the object an envelope if the value is the list
// of its records.
func (d *Reader) enter(p int, c byte) bool {
	if d.buf[p-1] == ':' && d.buf[p-2] == '"' && d.buf[p-3] != 's' {
		d.hits = false
		return false
	}
	if c == '{' {
		d.hits = d.named(p, "hits")
		return false
	}
	d.hits = false
	if d.stack&1 == 0 || !d.named(p, "Records") && !d.named(p, "Events") && !d.named(p, "logEvents") {
		return false
	}
	d.outer, d.outerDepth = d.outer<<2|2, d.outerDepth+2
	d.toItems(p)
	return true
}

// enterHits makes the open object an envelope of search hits.
func (d *Reader) enterHits() {
	p := int(d.tape[d.ti-1])
	d.outer, d.outerDepth = d.outer<<3|6, d.outerDepth+3
	d.toItems(p)
}

func (d *Reader) toItems(p int) {
	d.itemDepth = d.outerDepth
	d.rel, d.stack, d.start, d.dropped = 0, 0, -1, false
	d.gap.before(p + 1)
}

// named reports whether the value at p is that of a member called name.
func (d *Reader) named(p int, name string) bool {
	b := d.buf[:p]
	b = bytes.TrimRight(b, " \t\r\n")
	if len(b) == 0 || b[len(b)-1] != ':' {
		return false
	}
	b = bytes.TrimRight(b[:len(b)-1], " \t\r\n")
	n := len(b) - len(name)
	return n >= 2 && b[len(b)-1] == '"' && string(b[n-1:len(b)-1]) == name && b[n-2] == '"'
}
