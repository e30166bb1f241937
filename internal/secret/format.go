package secret

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A format is one kind of credential: a row of the tables in formats_*.go.
type format struct {
	// kind is the id, provider whose it is, title what it is called there.
	kind, provider, title string
	// url is the page of the provider from which prefix, length and alphabet
	// come, or that describes the credential.
	url string
	// severity and confidence are those of a value that passes check; an empty
	// confidence is Likely.
	severity   lamina.Severity
	confidence Confidence
	// anchors are literals of which one stands in every match, in lower case if
	// fold ignores case. The pattern begins at the anchor, or up to leadMax bytes
	// of the set lead before it.
	anchors          []string
	fold             bool
	lead             string
	leadMin, leadMax int
	// pattern is RE2. Its group v is the value, or else the whole match.
	pattern string
	// find replaces lead and pattern: it returns the value around the anchor at at.
	find func(data []byte, at int) (begin, end int, ok bool)
	// window is how many bytes from the anchor on the pattern may need; 0 is 512.
	window int
	// show is how many bytes of the value are its public prefix; head is shown in
	// their place if it is not empty.
	show int
	head string
	// edge are bytes besides letters, digits and _ that may not stand beside a match.
	edge string
	// named: the pattern begins with the name of what is assigned, which may be
	// the end of a longer name.
	named bool
	// glued: the anchor is a name, and the pattern is that of what is assigned to it.
	glued bool
	// fixed: prefix, length and alphabet are so telling that a binary file, whose
	// strings are not kept apart, needs no boundary.
	fixed bool
	// secretive: a person may have chosen the value, so no character of it is
	// shown, and words that stand for a password are suppressed.
	secretive bool
	// structured: the value has a structure of its own, so the tests for
	// repetition and entropy say nothing.
	structured bool
	// marked: the provider marks its examples with the word EXAMPLE, so other words
	// in a value are none of a placeholder.
	marked bool
	// generic: a name is all that is known. loose: a general form, to which a
	// provider's own has precedence.
	generic, loose bool
	// byName: the format is that of a special file, to which any other has precedence.
	byName bool
	// demote lowers the severity in folders of tests: key pairs are made for them.
	demote bool
	// wraps: also looked for in base64.
	wraps bool
	// observed: the page describes the credential without its exact shape, which
	// is as published values have it.
	observed bool
	// check looks closer and may reject, suppress or add evidence.
	check func(*verdict, subject)
}

// A verdict is what a check makes of a value. It begins as the format has it.
type verdict struct {
	// not: this is no value of the format at all. suppress: it is one, but no
	// secret, for this reason.
	not        bool
	suppress   string
	severity   lamina.Severity
	confidence Confidence
	evidence   []string
	// canonical is what the fingerprint is made of, if not the value: the same key
	// in other line breaks is the same key.
	canonical []byte
}

func (v *verdict) add(e string) { v.evidence = append(v.evidence, e) }

// A subject is a value and what is around it.
type subject struct {
	value []byte
	// value is data[begin:end].
	data       []byte
	begin, end int
	hint       Hint
}

// The reasons for which a value is suppressed.
const (
	documented  = "documented example"
	placeholder = "placeholder"
	repeated    = "repeated characters"
	sequence    = "sequence of characters"
	entropy     = "low entropy"
	template    = "template"
	local       = "example host"
	public      = "public by design"
)

// errNotOpenSSH is for a body without the magic of its format.
var errNotOpenSSH = errors.New("not an openssh-key-v1")

const window = 512

func (f *compiled) reach() int {
	if f.window > 0 {
		return f.window
	}
	return window
}

// back is how many bytes before the anchor may be looked at.
func (f *compiled) back() int { return max(f.leadMax, 64) }

// match returns the value of the format at the anchor.
func (f *compiled) match(data []byte, at int, bin bool) (begin, end int, evidence []string, ok bool) {
	if f.find != nil {
		begin, end, ok = f.find(data, at)
		return begin, end, nil, ok
	}
	b := at
	for b > 0 && at-b < f.leadMax && f.leads[data[b-1]] {
		if stop, ok := marshalled(data, b); bin && ok && stop > at && at-b >= f.leadMin {
			break // before it stands a length, not a character
		}
		b--
	}
	if at-b < f.leadMin {
		return 0, 0, nil, false
	}
	if f.glued {
		if b, ok = assignedAt(data, at); !ok {
			return 0, 0, nil, false
		}
		at = b
	}
	unbound := bin && f.fixed
	limit := min(len(data), at+f.reach())
	if bin && !f.named {
		if stop, ok := marshalled(data, b); ok {
			// What is after the string is no part of it, whatever it looks like.
			data, unbound = data[:stop], true
			limit = min(limit, stop)
		}
	}
	if !f.named && !unbound && !opens(data, b, f.edge) {
		return 0, 0, nil, false
	}
	m := f.regexp().FindSubmatchIndex(data[b:limit])
	if m == nil {
		return 0, 0, nil, false
	}
	if !closes(data, b+m[1], f.edge) || !f.named && !opens(data, b, f.edge) {
		if !unbound {
			return 0, 0, nil, false
		}
		evidence = []string{"boundary: none, as in a binary file"}
	}
	return b + m[2*f.group], b + m[2*f.group+1], evidence, true
}

// marshalled returns where the string ends that begins at b, if it is a constant
// of Python's bytecode: a type, a length of one byte or of four, the characters.
// Nothing keeps it apart from what is around: the length may be a letter, and so
// may be the type of the next constant. (Python's marshal.c; not documented.)
func marshalled(data []byte, b int) (end int, ok bool) {
	const reference = 0x80 // is set in the type of what is referred to again
	if b >= 2 && within("zZ", data[b-2]&^reference) {
		end = b + int(data[b-1])
		return end, b < end && end <= len(data)
	}
	if b >= 5 && within("aAstu", data[b-5]&^reference) && data[b-1] == 0 && data[b-2] == 0 {
		end = b + int(data[b-4]) + int(data[b-3])<<8
		return end, b < end && end <= len(data)
	}
	return 0, false
}

// assignedAt returns where the value begins that is assigned to the name at at:
// after the rest of the name, quotes (escaped too), one of =, ==, :=, =>, : and a
// comma, and the quote before the value.
func assignedAt(data []byte, at int) (int, bool) {
	i := at
	skip := func(set string, most int) {
		for n := 0; i < len(data) && n < most && within(set, data[i]); n++ {
			i++
		}
	}
	for i < len(data) && i-at < 64 && (word(data[i]) || data[i] == '-' || data[i] == '.') {
		i++
	}
	skip("\\", 1)
	skip("\"'`", 1)
	skip("]", 1)
	skip("\t ", 8)
	if i >= len(data) || !within("=:,", data[i]) {
		return 0, false
	}
	i++
	skip("=>", 1)
	skip("\t ", 8)
	skip("\\", 1)
	skip("\"'`", 1)
	return i, true
}

// opens reports whether a token can begin at i: there is a boundary before it.
// The letter of an escape (\n, %3D, \u0022) is one.
func opens(data []byte, i int, edge string) bool {
	if i == 0 {
		return true
	}
	c := data[i-1]
	if !word(c) && !within(edge, c) {
		return true
	}
	if i >= 2 && data[i-2] == '\\' && (c == 'n' || c == 'r' || c == 't') {
		return true
	}
	if i >= 3 && data[i-3] == '%' && hexDigit(data[i-2]) && hexDigit(c) {
		return true
	}
	return i >= 6 && data[i-6] == '\\' && data[i-5] == 'u' && hexDigit(data[i-2]) && hexDigit(c)
}

// closes reports whether a token can end before i.
func closes(data []byte, i int, edge string) bool {
	return i >= len(data) || !word(data[i]) && !within(edge, data[i])
}

func within(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func word(c byte) bool { return alnum(c) || c == '_' }

func alnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// Sets of bytes for lead.
const (
	digits    = "0123456789"
	lowerHex  = "0123456789abcdef"
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	base62    = digits + upperCase + "abcdefghijklmnopqrstuvwxyz"
	base64Std = base62 + "+/"
)

// An option changes a row.
type option func(*format)

func with(f format, options []option) format {
	for _, o := range options {
		o(&f)
	}
	return f
}

// prefixed is a format whose values begin with a prefix; rest is the pattern of
// what follows it.
func prefixed(kind, provider, title, url string, severity lamina.Severity, prefix, rest string, options ...option) format {
	return with(format{
		kind: kind, provider: provider, title: title, url: url, severity: severity,
		anchors: []string{prefix}, pattern: regexp.QuoteMeta(prefix) + rest, show: len(prefix),
	}, options)
}

// assigned is a format without a prefix: a value of the pattern rest that is
// assigned to one of the names. Names are in lower case.
func assigned(kind, provider, title, url string, severity lamina.Severity, names []string, rest string, options ...option) format {
	return with(format{
		kind: kind, provider: provider, title: title, url: url, severity: severity, confidence: Possible,
		anchors: names, fold: true, named: true, glued: true, edge: "-+/=", pattern: rest,
	}, options)
}

func checked(check func(*verdict, subject)) option { return func(f *format) { f.check = check } }
func fixed(f *format)                              { f.fixed = true }
func wraps(f *format)                              { f.wraps = true }
func loose(f *format)                              { f.loose = true }
func structured(f *format)                         { f.structured = true }
func likely(f *format)                             { f.confidence = Likely }
func possible(f *format)                           { f.confidence = Possible }

func observed(f *format)       { f.observed = true }
func edge(bytes string) option { return func(f *format) { f.edge = bytes } }
func reaching(n int) option    { return func(f *format) { f.window = n } }
func show(n int) option        { return func(f *format) { f.show = n } }
func head(text string) option  { return func(f *format) { f.head = text } }

// lead is for a mark that stands inside or at the end of the value: least to most
// bytes of set are before it.
func lead(set string, least, most int) option {
	return func(f *format) {
		f.lead, f.leadMin, f.leadMax = set, least, most
		class := strings.ReplaceAll(regexp.QuoteMeta(set), "-", `\-`)
		f.pattern = fmt.Sprintf("[%s]{%d,%d}", class, least, most) + f.pattern
	}
}

// Classes of patterns.
const (
	an     = `[0-9A-Za-z]`
	hexLow = `[0-9a-f]`
	hexAny = `[0-9A-Fa-f]`
	url64  = `[0-9A-Za-z_\-]`
	std64  = `[0-9A-Za-z+/]`
	lan    = `[0-9a-z]`
	uuid   = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`
)

// allFormats lists every format that has anchors.
func allFormats() []format {
	return slices.Concat(
		cloudFormats(), sourceFormats(), paymentFormats(), messagingFormats(), observabilityFormats(),
		modelFormats(), serviceFormats(), databaseFormats(), keyFormats(), genericFormats(),
	)
}
