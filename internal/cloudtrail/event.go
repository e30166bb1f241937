package cloudtrail

import (
	"math"
	"slices"
	"time"

	"github.com/lamina-sec/lamina/ecs"
)

// An Event is one CloudTrail record read through ECS names, as Elastic's ingest
// pipeline for the CloudTrail data stream maps it (see Categorization for the
// version). It implements ecs.Event.
//
// Reset checks the whole record and finds its top-level members; everything
// else is decoded when it is asked for, once per record. After the first few
// records nothing allocates.
//
// An Event is reused: every string and slice it gives is valid until the next
// Reset, and the bytes given to Reset must stay as they are until then. To keep
// a record, copy Raw and Reset another Event with the copy, or use Clone. An
// Event is not safe for concurrent use. The zero value is ready.
type Event struct {
	// Geo fills source.geo.* and source.as.*; nil leaves them missing. It is
	// set by the maker and kept by Reset.
	Geo Geo
	// Derived fills the fields whose Source is "lamina"; nil leaves them
	// missing. What it returns for a field without History is kept until the
	// next Reset. It is set by the maker and kept by Reset.
	Derived func(ev ecs.Event, f *ecs.Field) []string

	raw       []byte
	unchecked bool  // only what a Reader checks was checked
	fault     error // what Check found

	top   [NumKeys]Span
	slot  []slot
	get   []getter     // by ecs.Field.ID
	after [NumKeys]Key // which member came after each in the last record
	// gen numbers the records; a slot, tree or node of another number is stale.
	gen uint32

	sub      [numSubs][]byte // values of the members below userIdentity and tlsDetails
	subGen   [numSubs]uint32 // gen at which the members of a sub were indexed
	treeOf   [NumKeys]int32  // decoded top-level members
	treeGen  [NumKeys]uint32
	whole    int32 // the decoded record
	wholeGen uint32

	nodes  []node
	arena  []byte              // decoded strings and rendered texts
	list   []string            // values of fields that have several
	hashes []uint64            // scratch of javaOrder, used as a stack
	kids   []int32             // scratch of appendJavaMap, used as a stack
	seen   map[string]int32    // scratch of dedupe and resourceNodes
	known  map[string]struct{} // scratch of unique

	res    []int32 // the resources without repetitions
	resGen uint32

	entity    entities
	entityGen uint32
	userName  userNames
	userGen   uint32
	geo       GeoRecord
	geoGen    uint32
	agent     userAgent
	agentGen  uint32
}

// A slot is the memo of one field.
type slot struct {
	gen  uint32
	vals []string
	one  [1]string // what vals points to when there is one value
}

// keepArena is how many bytes of scratch an Event keeps between records; one
// huge record must not pin its size.
const keepArena = 1 << 20

// Reset makes e the record in raw, which must be one JSON object with nothing
// around it but white space. It checks all of raw: what it accepts
// encoding/json accepts, and nothing is evaluated of what it refuses. The error
// is a *SyntaxError with the offset in raw.
//
// Of members with one name the last value counts. Names are compared exactly.
func (e *Event) Reset(raw []byte) error {
	e.begin(raw)
	if len(raw) > math.MaxInt32/2 {
		e.forget()
		e.fault = &SyntaxError{Offset: 0, Msg: faultText[faultSize]}
		return e.fault
	}
	w := walker{buf: raw}
	if err := e.walk(&w); err != nil {
		e.fault = err
		e.forget()
	}
	return e.fault
}

// walk checks the record in w and notes where its members are.
func (e *Event) walk(w *walker) error {
	b := w.buf
	i := blank(b, 0)
	if i >= len(b) || b[i] != '{' {
		w.fail(faultObject, i)
		return w.err()
	}
	if i = e.members(w, i); i >= 0 {
		if i = blank(b, i); i < len(b) {
			i = w.fail(faultTail, i)
		}
	}
	if i < 0 {
		return w.err()
	}
	return nil
}

// begin forgets the record before.
func (e *Event) begin(raw []byte) {
	if e.slot == nil {
		e.slot, e.get = make([]slot, ecs.Len()), getters()
	}
	if e.gen++; e.gen == 0 { // wrapped: no stale mark may look fresh
		for i := range e.slot {
			e.slot[i].gen = 0
		}
		e.subGen, e.treeGen, e.wholeGen = [numSubs]uint32{}, [NumKeys]uint32{}, 0
		e.entityGen, e.userGen, e.geoGen, e.agentGen, e.resGen = 0, 0, 0, 0, 0
		e.gen = 1
	}
	e.raw, e.unchecked, e.fault = raw, false, nil
	e.top = [NumKeys]Span{}
	if cap(e.arena) > keepArena {
		e.arena = nil
	}
	if cap(e.nodes) > keepArena/32 {
		e.nodes = nil
	}
	if cap(e.list) > keepArena/16 {
		e.list = nil
	}
	if len(e.seen) > keepArena/64 {
		e.seen = nil
	}
	if len(e.known) > keepArena/64 {
		e.known = nil
	}
	if cap(e.hashes) > keepArena/8 {
		e.hashes, e.kids = nil, nil
	}
	e.arena, e.nodes, e.list = e.arena[:0], e.nodes[:0], e.list[:0]
	e.hashes, e.kids = e.hashes[:0], e.kids[:0]
}

// forget leaves an Event without a record, so that a caller who ignores the
// error of Reset evaluates nothing.
func (e *Event) forget() {
	e.raw = nil
	e.top = [NumKeys]Span{}
}

// quotedNames are the names of members as compact JSON writes them before a
// value.
var quotedNames = func() (q [NumKeys]string) {
	for k := KeyOther + 1; k < NumKeys; k++ {
		q[k] = `"` + keyNames[k] + `":`
	}
	return q
}()

// members walks the record's object at i and notes where its known members
// are. It returns the index after the object, or -1.
func (e *Event) members(w *walker, i int) int {
	b := w.buf
	if i = blank(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	key := KeyOther
	for {
		// Records of a trail have their members in the same order, so the next
		// name is compared with the one that came next before.
		before := key
		key = e.after[before]
		if q := quotedNames[key]; key != KeyOther && len(b)-i > len(q) && string(b[i:i+len(q)]) == q {
			i += len(q)
		} else {
			if key, i = w.name(i); i < 0 {
				return i
			}
			e.after[before] = key
		}
		if i < len(b) && b[i] <= ' ' {
			i = blank(b, i)
		}
		start := i
		if i < len(b) && b[i] == '"' {
			i = w.text(i + 1)
		} else {
			i = w.value(i, 1)
		}
		if i < 0 {
			return i
		}
		e.top[key] = Span{uint32(start), uint32(i)} //nolint:gosec // Reset bounds the length
		if i < len(b) && b[i] <= ' ' {
			i = blank(b, i)
		}
		if i >= len(b) {
			return w.fail(faultEnd, i)
		}
		switch b[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return w.fail(faultComma, i)
		}
	}
}

// name reads a top-level member's name and the colon after it, and returns the
// index after the colon, or -1.
func (w *walker) name(i int) (Key, int) {
	b := w.buf
	if i = blank(b, i); i >= len(b) {
		return KeyOther, w.fail(faultEnd, i)
	}
	if b[i] != '"' {
		return KeyOther, w.fail(faultKey, i)
	}
	from := i + 1
	if i = w.text(from); i < 0 {
		return KeyOther, i
	}
	name := b[from : i-1]
	key := lookupKey(name, false)
	if key == KeyOther && slices.Contains(name, '\\') {
		key = lookupKey(name, true)
	}
	if i = blank(b, i); i >= len(b) {
		return KeyOther, w.fail(faultEnd, i)
	}
	if b[i] != ':' {
		return KeyOther, w.fail(faultColon, i)
	}
	return key, i + 1
}

// value is the JSON of a top-level member, or nil.
func (e *Event) value(k Key) []byte {
	s := e.top[k]
	if s.End == 0 {
		return nil
	}
	return e.raw[s.Start:s.End]
}

// scalar returns the text of a JSON scalar; ok is false for null, for what
// null removal drops, and for objects and lists.
func (e *Event) scalar(v []byte) (text string, ok bool) {
	if len(v) == 0 {
		return "", false
	}
	switch v[0] {
	case '"':
		s := e.decode(v[1 : len(v)-1])
		if blankText(s) {
			return "", false
		}
		return s, true
	case 't', 'f':
		return view(v), true
	case 'n', '{', '[':
		return "", false
	}
	s, _ := e.number(v)
	return s, true
}

// text is scalar of a top-level member.
func (e *Event) text(k Key) string {
	s, _ := e.scalar(e.value(k))
	return s
}

// present says that null removal leaves something of a JSON value.
func (e *Event) present(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	if v[0] == '{' || v[0] == '[' {
		n := e.tree(v) // before e.nodes is read: it may move
		return !e.nodes[n].gone
	}
	_, ok := e.scalar(v)
	return ok
}

// member returns the decoded top-level member k, or 0 when it is missing or
// null removal drops it.
func (e *Event) member(k Key) int32 {
	if e.treeGen[k] != e.gen {
		e.treeGen[k], e.treeOf[k] = e.gen, 0
		if v := e.value(k); len(v) > 0 {
			n := e.tree(v)
			if !e.nodes[n].gone {
				e.treeOf[k] = n
			}
			if k == KeyAdditionalEventData {
				e.takeUserName(n)
			}
		}
	}
	return e.treeOf[k]
}

// record returns the decoded record, for the rare fields of digests.
func (e *Event) record() int32 {
	if e.wholeGen != e.gen {
		e.wholeGen, e.whole = e.gen, 0
		if len(e.raw) > 0 {
			e.whole = e.tree(e.raw)
		}
	}
	return e.whole
}

// Raw is the record's bytes as they were read, valid until the next Reset.
func (e *Event) Raw() []byte { return e.raw }

// Clone returns an Event with a copy of the record, for keeping it.
func (e *Event) Clone() *Event {
	c := &Event{Geo: e.Geo, Derived: e.Derived}
	c.begin(slices.Clone(e.raw))
	c.top, c.unchecked, c.fault = e.top, e.unchecked, e.fault
	return c
}

// Provider is eventSource, or "".
func (e *Event) Provider() string { return e.text(KeyEventSource) }

// Action is eventName, or "".
func (e *Event) Action() string { return e.text(KeyEventName) }

// RecipientAccount is recipientAccountId, or "".
func (e *Event) RecipientAccount() string { return e.text(KeyRecipientAccountID) }

// Region is awsRegion, or "".
func (e *Event) Region() string { return e.text(KeyAWSRegion) }

// Time is eventTime, or digestEndTime of a digest, to the millisecond; ok is
// false when the record has none that is ISO 8601.
func (e *Event) Time() (t time.Time, ok bool) {
	if t, ok = parseISO(e.text(KeyDigestEndTime)); ok {
		return t, true
	}
	return parseISO(e.text(KeyEventTime))
}

// Values returns the values of f as text, in document order (see ecs.Event).
// The slice and the strings are valid until the next Reset.
func (e *Event) Values(f *ecs.Field) []string {
	if e.unchecked && e.Check() != nil {
		return nil
	}
	if f.ID < 0 {
		if f.Root == nil || e.slot == nil {
			return nil
		}
		return e.keyed(f)
	}
	if e.slot == nil {
		return nil
	}
	if f.Source == "lamina" {
		return e.derived(f)
	}
	s := &e.slot[f.ID]
	if s.gen != e.gen {
		s.gen, s.vals = e.gen, nil
		if get := e.get[f.ID]; get != nil && e.raw != nil {
			if get(e, s); len(s.vals) == 0 {
				s.vals = nil
			}
		}
	}
	return s.vals
}

// derived asks the hook. Fields with history are asked for each time: they get
// their values only after the record was first read.
func (e *Event) derived(f *ecs.Field) []string {
	if e.Derived == nil || e.raw == nil {
		return nil
	}
	if f.History {
		return e.Derived(e, f)
	}
	s := &e.slot[f.ID]
	if s.gen != e.gen {
		s.gen, s.vals = e.gen, nil
		s.vals = e.Derived(e, f)
	}
	return s.vals
}

// Exists says whether the record has a value at f or below it.
func (e *Event) Exists(f *ecs.Field) bool {
	switch {
	case f.Type == ecs.Object:
		return slices.ContainsFunc(f.Below(), e.Exists)
	case f.Root != nil && e.slot != nil:
		return (!e.unchecked || e.Check() == nil) && e.hasKey(f)
	}
	return len(e.Values(f)) > 0
}

// set gives the field one value, or none when s is "".
func (s *slot) set(v string) {
	if v != "" {
		s.one[0] = v
		s.vals = s.one[:]
	}
}

// upTo is the list of values that began when e.list had length from.
func (e *Event) upTo(from int) []string {
	if from == len(e.list) {
		return nil
	}
	return e.list[from:len(e.list):len(e.list)]
}

// all gives the field the scalar v, or the scalars in the list v.
func (e *Event) all(s *slot, v []byte) {
	if len(v) > 0 && v[0] == '[' {
		s.vals = e.leaves(e.tree(v))
		return
	}
	t, _ := e.scalar(v)
	s.set(t)
}

// leaves are the scalars of a node and of the lists in it; objects in lists
// have none.
func (e *Event) leaves(n int32) []string {
	from := len(e.list)
	e.addLeaves(n)
	return e.upTo(from)
}

func (e *Event) addLeaves(n int32) {
	if n == 0 || e.nodes[n].gone {
		return
	}
	switch e.nodes[n].kind {
	case nodeList:
		for c := range e.children(n) {
			e.addLeaves(c)
		}
	case nodeText, nodeBool, nodeInteger, nodeDouble:
		e.list = append(e.list, e.nodes[n].text)
	case nodeObject, nodeNull:
	}
}
