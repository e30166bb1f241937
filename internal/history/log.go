package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
)

// A Log is what CloudTrail recorded about layers in the files that were read,
// whole: unlike a History it forgets nothing. It may be used from many
// goroutines and must not be changed.
type Log struct {
	// From and To are the times of the oldest and the newest record of any
	// service; zero when no record had a time.
	From, To time.Time
	// Records is how many records were read, of any service. Untimed are those
	// about layers that had no valid time and are in no answer.
	Records, Untimed int64
	// Entries are the calls about layers, by time and id.
	Entries []Entry

	places map[Place]bool
	layers map[string][]int // entries by layer version ARN
	ids    map[string]int   // entries by id
	grants *History
}

// A Place is an account and a region.
type Place struct{ Account, Region string }

// An Entry is one call about layers.
type Entry struct {
	At time.Time
	// ID is eventID, API the operation without date and version.
	ID, API string
	// Place is whose trail it is in.
	Place
	// Caller is userIdentity.arn, CallerAccount whose user or role that is.
	Caller, CallerAccount string
	// Layer is the layer, with its version when the call names one.
	Layer string
	// Function is the function whose layers were set, Layers the list it got;
	// Function is "" for other calls.
	Function string
	Layers   []string
	// StatementID, Principal and OrganizationID are a grant's.
	StatementID, Principal, OrganizationID string
	// Refused says that AWS did not do it.
	Refused bool
}

// Who is a caller without the session of a role: what the same role does in two
// sessions is done by one.
func Who(caller string) string {
	a, err := lamina.ParseARN(caller)
	if err != nil || a.Service != "sts" {
		return caller
	}
	p := strings.Split(a.Resource, "/")
	if len(p) < 3 || p[0] != "assumed-role" {
		return caller
	}
	a.Service, a.Resource = "iam", "role/"+p[1]
	return a.String()
}

// maxEntries is how many calls a Log holds: some 400 MiB.
const maxEntries = 1_000_000

// A Record is what a Collector reads of an event.
type Record interface {
	ecs.Event
	Provider() string
	Action() string
	RecipientAccount() string
	Region() string
	Time() (t time.Time, ok bool)
	Check() error
}

// A Collector reads records into a part of a Log. It is one goroutine's.
type Collector struct {
	entries  []Entry
	over     int64
	places   map[Place]bool
	last     Place
	from, to time.Time
	records  int64
	untimed  int64
}

// NewCollector returns an empty Collector.
func NewCollector() *Collector { return &Collector{places: map[Place]bool{}} }

// Observe takes what the record says. The error is the record's Check.
func (c *Collector) Observe(ev Record) error {
	layers := ev.Provider() == Provider && aboutLayers(APIName(ev.Action()))
	if layers {
		if err := ev.Check(); err != nil {
			return err
		}
	}
	c.records++
	t, timed := ev.Time()
	if timed && (c.from.IsZero() || t.Before(c.from)) {
		c.from = t
	}
	if timed && t.After(c.to) {
		c.to = t
	}
	if p := (Place{ev.RecipientAccount(), ev.Region()}); p != c.last {
		p = Place{strings.Clone(p.Account), strings.Clone(p.Region)}
		c.places[p], c.last = true, p
	}
	if !layers {
		return nil
	}
	call, _, ok := CallOf(ev)
	if !ok {
		return nil
	}
	e, ok := entry(call)
	switch {
	case !ok:
	case call.Time.IsZero():
		c.untimed++
	case len(c.entries) >= maxEntries:
		c.over++
	default:
		c.entries = append(c.entries, e)
	}
	return nil
}

// aboutLayers says whether calls of this API of Lambda may be entries.
func aboutLayers(api string) bool {
	switch api {
	case "AddLayerVersionPermission", "RemoveLayerVersionPermission", "PublishLayerVersion", "DeleteLayerVersion",
		"GetLayerVersion", "GetLayerVersionByArn", "GetLayerVersionPolicy", "ListLayers", "ListLayerVersions",
		"CreateFunction", "UpdateFunctionConfiguration":
		return true
	}
	return false
}

// entry is what a call says of layers; ok is false when that is nothing.
func entry(c *Call) (e Entry, ok bool) {
	text := func(s string) string { return unique.Make(s).Value() }
	e = Entry{
		At: c.Time, ID: c.ID, API: text(c.API), Place: Place{text(c.Account), text(c.Region)},
		Caller: text(c.caller), CallerAccount: text(c.callerAccount), Refused: c.Failed,
	}
	switch c.API {
	case "CreateFunction", "UpdateFunctionConfiguration":
		if arn, refused := c.refusedLayer(); refused {
			e.Layer = text(arn)
			return e, true
		}
		layers, named := c.RequestedLayers()
		f, is := c.Function()
		if c.Failed || !named || !is {
			return e, false
		}
		e.Function = text(f.ARN)
		for _, l := range layers {
			e.Layers = append(e.Layers, text(l))
		}
		return e, true
	case "ListLayers":
		return e, true
	}
	l, is := c.Layer()
	if !is {
		arn, refused := c.refusedLayer()
		e.Layer = text(arn)
		return e, refused
	}
	e.Layer = text(l.String())
	e.StatementID, e.Principal, e.OrganizationID = text(c.Param("statementId")), text(c.Param("principal")), text(c.Param("organizationId"))
	return e, true
}

// refusedLayer is the layer version that AWS says the caller may not read. The
// sentence is the same whether the caller asked for the layer or a function
// should have loaded it (posture F8).
func (c *Call) refusedLayer() (arn string, ok bool) {
	_, after, ok := strings.Cut(c.message, "lambda:GetLayerVersion on resource: ")
	if !ok {
		return "", false
	}
	arn, _, _ = strings.Cut(after, " ")
	l, err := lamina.ParseLayerARN(arn)
	return l.String(), err == nil && len(arn) <= maxText
}

// Join makes a Log of what collectors read. It fails when that is too much.
func Join(cs ...*Collector) (*Log, error) {
	l := &Log{places: map[Place]bool{}, layers: map[string][]int{}, ids: map[string]int{}}
	total := int64(0)
	for _, c := range cs {
		total += int64(len(c.entries)) + c.over
	}
	if total > maxEntries {
		return nil, fmt.Errorf("the logs hold %d calls about layers, more than the %d that fit", total, maxEntries)
	}
	for _, c := range cs {
		l.Entries = append(l.Entries, c.entries...)
		l.Records, l.Untimed = l.Records+c.records, l.Untimed+c.untimed
		for p := range c.places {
			l.places[p] = true
		}
		if !c.from.IsZero() && (l.From.IsZero() || c.from.Before(l.From)) {
			l.From = c.from
		}
		if c.to.After(l.To) {
			l.To = c.to
		}
	}
	// A file that was read twice, or is in two trails, tells the same again.
	slices.SortStableFunc(l.Entries, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Account, b.Account), cmp.Compare(a.API, b.API), cmp.Compare(a.Layer, b.Layer))
	})
	l.Entries = slices.CompactFunc(l.Entries, func(a, b Entry) bool {
		return a.At.Equal(b.At) && a.ID == b.ID && a.Place == b.Place && a.API == b.API && a.Layer == b.Layer
	})
	l.grants = New(Limits{Bytes: math.MaxInt64, PerKey: math.MaxInt})
	for i, e := range l.Entries {
		l.ids[e.ID] = i
		if e.Layer != "" {
			l.layers[e.Layer] = append(l.layers[e.Layer], i)
		}
		for _, layer := range e.Layers {
			l.layers[layer] = append(l.layers[layer], i)
		}
		if e.Refused {
			continue
		}
		if f, ok := grantFact(e.API, fact{at: e.At, id: e.ID}, e.StatementID, e.Principal, e.OrganizationID); ok {
			l.grants.add(layerKind, e.Layer, f)
		}
	}
	return l, nil
}

// Covers reports whether a record of the account and region was read. A place
// that was quiet all the time has none.
func (l *Log) Covers(account, region string) bool { return l.places[Place{account, region}] }

// Windows are the windows of a layer version, as GrantWindows of a History.
func (l *Log) Windows(layerVersionARN string) []Window { return l.grants.GrantWindows(layerVersionARN) }

// About are the calls that name the layer version, by time.
func (l *Log) About(layerVersionARN string) []Entry {
	var out []Entry
	for _, i := range l.layers[layerVersionARN] {
		out = append(out, l.Entries[i])
	}
	return out
}

// Entry is the call with the event id.
func (l *Log) Entry(id string) (Entry, bool) {
	i, ok := l.ids[id]
	if !ok {
		return Entry{}, false
	}
	return l.Entries[i], true
}
