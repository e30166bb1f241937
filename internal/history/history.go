// Package history remembers what earlier events said: which layers a function
// had, which function an event source fed, and from when to when a layer
// version was granted to whom.
//
// It is a function of the set of events it was shown: their order does not
// matter and an event shown twice counts once. A History, for streams, is
// bounded: what was touched longest ago is forgotten first, the forgetting is
// counted, and what was forgotten is unknown again, never empty. A Log, for logs
// that are read to their end, keeps every call about layers, or refuses when
// there are too many. It judges nothing. Start with New, then Observe; or with
// NewCollector, then Join.
package history

import (
	"cmp"
	"container/list"
	"slices"
	"time"

	"github.com/lamina-sec/lamina/ecs"
)

// Limits bound a History. Zero values mean the defaults.
type Limits struct {
	// Bytes is about how much memory the facts may take.
	Bytes int64
	// PerKey is how many facts of one function, mapping or layer version are
	// kept.
	PerKey int
}

// The default limits: 24 MiB hold the last changes of some 50,000 functions
// with three layers each.
const (
	DefaultBytes  = 24 << 20
	DefaultPerKey = 64
)

// A kind is what a fact is about; the first byte of a key.
type kind byte

const (
	functionKind kind = 'f' // its layers
	mappingKind  kind = 'm' // the function an event source mapping feeds
	layerKind    kind = 'l' // grants of a layer version
)

// A change is what a fact says.
type change byte

const (
	set     change = iota // the list is values
	gone                  // the function was deleted
	granted               // values are statement, principal, organisation
	revoked               // values are the statement
	deleted               // the layer version was deleted
)

// A fact is one event's news of one key.
type fact struct {
	at     time.Time
	id     string
	change change
	values []string
}

func (f *fact) size() int64 {
	n := int64(96 + len(f.id))
	for _, v := range f.values {
		n += int64(16 + len(v))
	}
	return n
}

// order sorts facts by time; ties, which are common as CloudTrail writes whole
// seconds, are broken by event id, as the detection engine breaks them.
func order(a, b fact) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) }

// A slot is all that is remembered of one key.
type slot struct {
	key   string
	facts []fact
}

// A History is what is remembered. It is not safe for concurrent use.
type History struct {
	limits  Limits
	slots   map[string]*list.Element
	recent  *list.List // of *slot, most recently touched first
	bytes   int64
	evicted int64
	ignored int64
}

// New returns an empty History.
func New(l Limits) *History {
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.PerKey <= 0 {
		l.PerKey = DefaultPerKey
	}
	return &History{limits: l, slots: map[string]*list.Element{}, recent: list.New()}
}

// Stats are what a History counted.
type Stats struct {
	// Keys is how many functions, mappings and layer versions are remembered,
	// Bytes about how much memory they take.
	Keys, Bytes int64
	// Evicted is how many facts were forgotten for want of room.
	Evicted int64
	// Ignored is how many calls could not be remembered: no valid time.
	Ignored int64
}

// Stats returns the counts so far.
func (h *History) Stats() Stats {
	return Stats{Keys: int64(len(h.slots)), Bytes: h.bytes, Evicted: h.evicted, Ignored: h.ignored}
}

// Wants says whether calls of this API of Lambda tell something that is
// remembered.
func Wants(api string) bool {
	switch api {
	case "CreateFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "DeleteFunction",
		"CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping",
		"AddLayerVersionPermission", "RemoveLayerVersionPermission", "DeleteLayerVersion":
		return true
	}
	return false
}

// Provider is the eventSource of the calls that are remembered.
const Provider = "lambda.amazonaws.com"

// Observe remembers what an event tells.
func (h *History) Observe(ev ecs.Event) {
	if c, _, ok := CallOf(ev); ok {
		h.ObserveCall(c)
	}
}

// ObserveCall remembers what a call tells. Failed calls changed nothing and
// tell nothing.
func (h *History) ObserveCall(c *Call) {
	if c.Provider != Provider || c.Failed || !Wants(c.API) {
		return
	}
	if c.Time.IsZero() {
		h.ignored++
		return
	}
	switch c.API {
	case "CreateFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion":
		f, ok := c.Function()
		if !ok {
			return
		}
		layers, known := c.ResultingLayers()
		if named, is := c.RequestedLayers(); is {
			layers, known = named, true
		}
		if known {
			h.add(functionKind, f.ARN, fact{at: c.Time, id: c.ID, change: set, values: layers})
		}
	case "DeleteFunction":
		if f, ok := c.Function(); ok && f.Qualifier == "" {
			h.add(functionKind, f.ARN, fact{at: c.Time, id: c.ID, change: gone})
		}
	case "CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping":
		if id, f, ok := c.Mapping(); ok {
			h.add(mappingKind, id, fact{at: c.Time, id: c.ID, change: set, values: []string{f.ARN}})
		}
	case "AddLayerVersionPermission", "RemoveLayerVersionPermission", "DeleteLayerVersion":
		l, ok := c.Layer()
		if !ok || l.Version == 0 {
			return
		}
		f, _ := grantFact(c.API, fact{at: c.Time, id: c.ID}, c.Param("statementId"), c.Param("principal"), c.Param("organizationId"))
		h.add(layerKind, l.String(), f)
	default:
		// Wants has left nothing else.
	}
}

// grantFact makes f what a call says of the grants of a layer version; ok is
// false for other calls.
func grantFact(api string, f fact, statement, principal, organization string) (_ fact, ok bool) {
	switch api {
	case "AddLayerVersionPermission":
		f.change, f.values = granted, []string{statement, principal, organization}
	case "RemoveLayerVersionPermission":
		f.change, f.values = revoked, []string{statement}
	case "DeleteLayerVersion":
		f.change = deleted
	default:
		return f, false
	}
	return f, true
}

// Mapping is the id of the event source mapping a call is about, and the
// function it feeds after the call.
func (c *Call) Mapping() (id string, f FunctionName, ok bool) {
	id = c.MappingID()
	f, ok = c.Function()
	return id, f, ok && id != ""
}

// MappingID is the id of the event source mapping a call is about, or "". The
// spelling of UUID in CloudTrail is not documented: all that could be are read.
func (c *Call) MappingID() string {
	if id := c.request.text("uUID", "UUID", "uuid"); id != "" {
		return id
	}
	return c.response.text("uUID", "UUID", "uuid")
}

// SeeLayers remembers the layers of a function from a snapshot taken at that
// time.
func (h *History) SeeLayers(functionARN string, layers []string, taken time.Time) {
	if len(layers) > maxList {
		layers = layers[:maxList]
	}
	h.add(functionKind, functionARN, fact{at: taken, id: "snapshot", change: set, values: layers})
}

// add puts a fact in its place in time; a fact of an event that is there
// already is dropped.
func (h *History) add(k kind, name string, f fact) {
	key := string(k) + name
	e, ok := h.slots[key]
	if !ok {
		e = h.recent.PushFront(&slot{key: key})
		h.slots[key] = e
		h.bytes += int64(160 + 2*len(key))
	} else {
		h.recent.MoveToFront(e)
	}
	s, _ := e.Value.(*slot)
	i, there := slices.BinarySearchFunc(s.facts, f, order)
	if there {
		return
	}
	s.facts = slices.Insert(s.facts, i, f)
	h.bytes += f.size()
	if len(s.facts) > h.limits.PerKey {
		h.bytes -= s.facts[0].size()
		h.evicted++
		s.facts = slices.Delete(s.facts, 0, 1)
	}
	for h.bytes > h.limits.Bytes && h.recent.Len() > 1 {
		h.forget(h.recent.Back())
	}
}

func (h *History) forget(e *list.Element) {
	s, _ := h.recent.Remove(e).(*slot)
	delete(h.slots, s.key)
	h.bytes -= int64(160 + 2*len(s.key))
	for i := range s.facts {
		h.bytes -= s.facts[i].size()
	}
	h.evicted += int64(len(s.facts))
}

func (h *History) facts(k kind, name string) []fact {
	e, ok := h.slots[string(k)+name]
	if !ok {
		return nil
	}
	s, _ := e.Value.(*slot)
	return s.facts
}

// PreviousLayers is the newest known list of layers of a function, by its ARN
// without version. known is false when no event or snapshot told it: an empty
// list that is known is a function without layers.
func (h *History) PreviousLayers(functionARN string) (layers []string, known bool) {
	return newest(h.facts(functionKind, functionARN))
}

// LayersBefore is the list of layers a function had before the event with that
// time and id.
func (h *History) LayersBefore(functionARN string, at time.Time, eventID string) (layers []string, known bool) {
	return newest(before(h.facts(functionKind, functionARN), at, eventID))
}

// TargetBefore is the function an event source mapping fed before the event
// with that time and id.
func (h *History) TargetBefore(mappingID string, at time.Time, eventID string) (functionARN string, known bool) {
	v, known := newest(before(h.facts(mappingKind, mappingID), at, eventID))
	if len(v) == 0 {
		return "", false
	}
	return v[0], known
}

// before are the facts older than an event.
func before(facts []fact, at time.Time, eventID string) []fact {
	i, _ := slices.BinarySearchFunc(facts, fact{at: at, id: eventID}, order)
	return facts[:i]
}

func newest(facts []fact) (values []string, known bool) {
	if len(facts) == 0 {
		return nil, false
	}
	return facts[len(facts)-1].values, true
}
