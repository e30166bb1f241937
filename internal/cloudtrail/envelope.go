package cloudtrail

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// An Envelope is what a record was wrapped in, innermost.
type Envelope uint8

// The envelopes.
const (
	// EnvelopeNone is a record that stands as an object in a list or stream.
	EnvelopeNone Envelope = iota
	// EnvelopeEventBridge is {"detail-type":…,"detail":{…}}.
	EnvelopeEventBridge
	// EnvelopeLookupEvents is {"CloudTrailEvent":"…"}.
	EnvelopeLookupEvents
	// EnvelopeMessage is {"message":"…"}: a log event of a CloudWatch Logs
	// subscription, or a shipper's line.
	EnvelopeMessage
	// EnvelopeElastic is event.original, nested or dotted, also in _source.
	EnvelopeElastic
	// EnvelopeEvent is {"event":{…}} around a record.
	EnvelopeEvent
)

func (e Envelope) String() string {
	switch e {
	case EnvelopeNone:
		return "none"
	case EnvelopeEventBridge:
		return "eventbridge"
	case EnvelopeLookupEvents:
		return "lookup-events"
	case EnvelopeMessage:
		return "message"
	case EnvelopeElastic:
		return "elastic"
	case EnvelopeEvent:
		return "event"
	}
	return "invalid"
}

// controlMessage starts the message with which CloudWatch Logs probes a
// subscription's destination.
const controlMessage = "CWL CONTROL MESSAGE"

// deliver makes a Record of the object that has just ended, buf[start:child],
// or reports it as skipped, or knows that it is none; then it returns nil.
func (d *Reader) deliver() *Record {
	start, at := d.start, d.at
	if d.dropped {
		d.start = -1
		d.skip(at, d.base+int64(d.child)-at, 1, d.bad)
		return nil
	}
	rec := &d.rec
	rec.Raw, rec.Offset, rec.Kind, rec.Envelope = d.buf[start:d.child:d.child], at, KindEvent, EnvelopeNone
	var err error
	switch {
	case d.bad != "":
		err = errors.New(d.bad)
	case rec.Raw[0] != '{':
		d.start = -1
		d.skip(at, int64(len(rec.Raw)), 1, notObject)
		return nil
	case !d.quickTop(start, d.child, &rec.Top):
		err = walk(rec.Raw, d.nested, &rec.Top, nil)
	}
	if err != nil {
		d.giveUp(err.Error(), true)
		return nil
	}
	whole := rec.Raw
	if !rec.classify() {
		d.unescaped = false
		silent, why := d.unwrap(rec, 0)
		switch {
		case silent:
			d.start = -1
			d.counts.Silent++
			return nil
		case why == notRecord:
			d.giveUp(why, false)
			return nil
		case why != "":
			// What is inside is broken; the envelope is not.
			d.guess()
			d.start = -1
			d.skip(at, int64(len(whole)), 1, why)
			return nil
		}
	}
	d.start = -1
	d.learn(whole)
	d.counts.Records++
	switch rec.Kind {
	case KindEvent:
	case KindInsight:
		d.counts.Insights++
	case KindDigest:
		d.counts.Digests++
	}
	return rec
}

const (
	notObject = "record is not an object"
	notRecord = "not a CloudTrail record: no eventName, eventSource, eventVersion, eventType or eventID"
)

// learn remembers with which name records start here.
func (d *Reader) learn(raw []byte) {
	i := blank(raw, 1)
	if bytes.HasPrefix(raw[i:], d.firstKey) && len(d.firstKey) > 0 {
		return
	}
	name := raw[i:min(len(raw), i+lookback-2)]
	if len(name) == 0 || name[0] != '"' {
		return
	}
	if end := bytes.IndexByte(name[1:], '"'); end >= 0 {
		d.firstKey = append(d.firstKey[:0], name[:end+2]...)
	}
}

// classify says what the record is from its top-level members, and reports
// false if it is none itself.
func (r *Record) classify() bool {
	has := func(k Key) bool { return r.Top[k].End != 0 }
	switch {
	case has(KeyInsightDetails):
		r.Kind = KindInsight
	case has(KeyEventType):
		if t, ok := r.Text(KeyEventType); ok && string(t) == "AwsCloudTrailInsight" {
			r.Kind = KindInsight
		}
	case has(KeyEventName), has(KeyEventSource), has(KeyEventVersion), has(KeyEventID):
	case has(KeyDigestStartTime) && has(KeyLogFiles):
		r.Kind = KindDigest
	default:
		return false
	}
	return true
}

// maxUnwrap is how many envelopes may be inside each other: a search hit, the
// object event, its original, and what another tool had put around that.
const maxUnwrap = 5

// unwrap replaces rec, which is no record itself, by the record inside it. It
// returns why there is none, or that by nature there is none.
func (d *Reader) unwrap(rec *Record, level int) (silent bool, why string) {
	if level == maxUnwrap {
		return false, "envelopes inside envelopes"
	}
	var top [NumKeys]Span
	if err := walk(rec.Raw, nil, &top, &d.members); err != nil {
		return false, err.Error()
	}
	// The last member of a name counts, as everywhere.
	var detail, lookup, original, event, source, message, list, action Span
	for _, m := range d.members {
		switch string(rec.Raw[m.name.Start:m.name.End]) {
		case "detail":
			detail = m.value
		case "CloudTrailEvent":
			lookup = m.value
		case "event.original":
			original = m.value
		case "event":
			event = m.value
		case "_source":
			source = m.value
		case "message":
			message = m.value
		case "Records", "Events", "logEvents":
			list = m.value
		case "create", "index", "update", "delete":
			action = m.value
		case "original":
			if rec.Envelope == EnvelopeEvent {
				original = m.value
			}
		}
	}
	is := func(s Span, first byte) bool { return s.End > 0 && rec.Raw[s.Start] == first }
	switch {
	case is(detail, '{'):
		return d.inner(rec, detail, EnvelopeEventBridge, level)
	case is(lookup, '"'):
		return d.embedded(rec, lookup, EnvelopeLookupEvents, level)
	case is(original, '"'):
		return d.embedded(rec, original, EnvelopeElastic, level)
	case is(source, '{'):
		return d.inner(rec, source, EnvelopeElastic, level)
	case is(event, '{') && (!is(message, '"') || isWrapped(rec.Raw[event.Start:event.End])):
		return d.inner(rec, event, EnvelopeEvent, level)
	case is(message, '"'):
		if bytes.HasPrefix(rec.Raw[message.Start+1:message.End], []byte(controlMessage)) {
			return true, ""
		}
		return d.embedded(rec, message, EnvelopeMessage, level)
	case is(list, 'n'):
		return true, ""
	case is(action, '{') && len(d.members) == 1:
		return true, ""
	}
	return false, notRecord
}

// isWrapped reports whether the object "event" of a document holds the record
// or its original text, rather than ECS fields beside a message.
func isWrapped(event []byte) bool {
	var (
		top     [NumKeys]Span
		members []member
	)
	if walk(event, nil, &top, &members) != nil {
		return false
	}
	return top[KeyEventName].End != 0 || slices.ContainsFunc(members, func(m member) bool {
		return string(event[m.name.Start:m.name.End]) == "original"
	})
}

// inner replaces rec by the object v inside it.
func (d *Reader) inner(rec *Record, v Span, e Envelope, level int) (silent bool, why string) {
	if !d.unescaped {
		rec.Offset += int64(v.Start)
	}
	rec.Raw = rec.Raw[v.Start:v.End:v.End]
	return d.unwrapped(rec, e, level)
}

// embedded replaces rec by the object that is written in the string v inside
// it. Its text goes to an arena that is used again for the next record.
func (d *Reader) embedded(rec *Record, v Span, e Envelope, level int) (silent bool, why string) {
	text, err := unquote(d.arena[level&1][:0], rec.Raw[v.Start+1:v.End-1])
	d.arena[level&1] = text
	if err != nil {
		return false, e.String() + ": " + err.Error()
	}
	if !d.unescaped {
		rec.Offset += int64(v.Start)
	}
	d.unescaped = true
	rec.Raw = bytes.Trim(text, " \t\r\n")
	if err := balanced(rec.Raw, d.lim.Depth, d.tape2); err != nil {
		return false, e.String() + ": " + err.Error()
	}
	return d.unwrapped(rec, e, level)
}

// unwrapped goes on with rec after Raw was replaced.
func (d *Reader) unwrapped(rec *Record, e Envelope, level int) (silent bool, why string) {
	if err := walk(rec.Raw, nil, &rec.Top, nil); err != nil {
		return false, e.String() + ": " + err.Error()
	}
	rec.Envelope = e
	if rec.classify() {
		return false, ""
	}
	return d.unwrap(rec, level+1)
}

var errEscape = errors.New("an escape in a string is wrong")

// unquote appends to dst what the contents s of a JSON string mean. Lone
// surrogates become U+FFFD; bytes that are no UTF-8 stay as they are. dst may
// overlap s if it starts before it.
func unquote(dst, s []byte) ([]byte, error) {
	for len(s) > 0 {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...), nil
		}
		dst = append(dst, s[:i]...)
		if i+1 >= len(s) {
			return dst, errEscape
		}
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			if len(s) < 4 {
				return dst, errEscape
			}
			v, ok := hex4(s)
			if !ok {
				return dst, errEscape
			}
			s = s[4:]
			if utf16.IsSurrogate(v) {
				v2 := rune(0)
				if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
					v2, _ = hex4(s[2:])
				}
				if v = utf16.DecodeRune(v, v2); v != utf8.RuneError {
					s = s[6:]
				}
			}
			dst = utf8.AppendRune(dst, v)
		default:
			return dst, errEscape
		}
	}
	return dst, nil
}

// hex4 reads four hexadecimal digits.
func hex4(s []byte) (rune, bool) {
	var v rune
	for _, c := range s[:4] {
		switch {
		case c-'0' <= 9:
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
