// Package enrich fills the derived fields lamina.* (their table is in ecs):
// how far a grant of a layer reaches, which layers a call added to a function
// and whose they are, where an event source is.
//
// It derives from the record, from what the run was told about the
// organisation, from the publisher list and from earlier events; it asks
// nobody. What it cannot know it leaves out or calls undetermined. Start with
// New; Enricher.Values is what a cloudtrail.Event takes as Derived, and the
// Enricher itself is what detect takes.
package enrich

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// Config is what an Enricher knows. All of it is optional: without anything
// most scopes are undetermined, which is true.
type Config struct {
	// OrgID is the id of the organisation, o-…; Accounts are its accounts.
	OrgID    string
	Accounts []string
	// Publishers are the known publishers of layers.
	Publishers *publishers.Registry
	// Estate is a snapshot: its functions' layers are what was known at the
	// time it was taken.
	Estate *estate.Estate
	// Limits bound what is remembered of earlier events.
	Limits history.Limits
}

// An Enricher fills the derived fields. Values is safe for concurrent use, also
// beside Observe; Observe is for one goroutine.
type Enricher struct {
	org        estate.Org
	publishers *publishers.Registry
	history    *history.History
	// snapshot finds the $LATEST functions of the estate by ARN.
	snapshot map[string]int
	estate   *estate.Estate

	// last is the record decoded last, observed the one that Observe saw last.
	// Several fields of one record are asked for in a row.
	last     atomic.Pointer[derived]
	observed atomic.Pointer[derived]

	fieldProvider, fieldAction, fieldAPI *ecs.Field
}

// derived are the fields of one record.
type derived struct {
	raw    []byte // a copy: records' memory is used again
	call   *history.Call
	fields map[string][]string
}

// New returns an Enricher.
func New(cfg Config) *Enricher {
	e := &Enricher{
		publishers: cfg.Publishers, history: history.New(cfg.Limits), estate: cfg.Estate,
		fieldProvider: ecs.Lookup("event.provider"), fieldAction: ecs.Lookup("event.action"), fieldAPI: ecs.Lookup("lamina.api.name"),
	}
	if e.publishers == nil {
		e.publishers = &publishers.Registry{}
	}
	vendor := func(account string) bool {
		_, ok := e.publishers.Account(account)
		return ok
	}
	e.org = estate.NewOrg(cfg.OrgID, cfg.Accounts, vendor)
	if e.estate != nil {
		e.snapshot = make(map[string]int, len(e.estate.Snapshot.Functions))
		for i, f := range e.estate.Snapshot.Functions {
			if f.Version == "" || f.Version == "$LATEST" {
				e.snapshot[strings.TrimSuffix(f.ARN, ":$LATEST")] = i
			}
		}
	}
	return e
}

// History is what the Enricher remembers: grant windows for triage, counts for
// the summary. It must not be used while Observe may run.
func (e *Enricher) History() *history.History { return e.history }

// Wants reports whether calls of this provider and action feed fields with
// history.
func (e *Enricher) Wants(provider, action string) bool {
	return provider == history.Provider && history.Wants(history.APIName(action))
}

// derivers are the APIs that have fields beyond lamina.api.name, by provider.
var derivers = map[string]map[string]func(*Enricher, *history.Call, fields){
	history.Provider: {
		"AddLayerVersionPermission":       (*Enricher).grant,
		"RemoveLayerVersionPermission":    (*Enricher).layer,
		"PublishLayerVersion":             (*Enricher).layer,
		"DeleteLayerVersion":              (*Enricher).layer,
		"GetLayerVersion":                 (*Enricher).layer,
		"GetLayerVersionByArn":            (*Enricher).layer,
		"GetLayerVersionPolicy":           (*Enricher).layer,
		"CreateFunction":                  (*Enricher).layers,
		"UpdateFunctionConfiguration":     (*Enricher).layers,
		"UpdateFunctionCode":              (*Enricher).layers,
		"PublishVersion":                  (*Enricher).layers,
		"DeleteFunction":                  (*Enricher).deletion,
		"CreateEventSourceMapping":        (*Enricher).eventSource,
		"UpdateEventSourceMapping":        (*Enricher).eventSource,
		"DeleteEventSourceMapping":        (*Enricher).eventSource,
		"CreateCodeSigningConfig":         (*Enricher).codeSigning,
		"UpdateCodeSigningConfig":         (*Enricher).codeSigning,
		"DeleteCodeSigningConfig":         (*Enricher).codeSigning,
		"PutFunctionCodeSigningConfig":    (*Enricher).codeSigning,
		"DeleteFunctionCodeSigningConfig": (*Enricher).codeSigning,
	},
	"bedrock.amazonaws.com": {
		"DeleteGuardrail":                           (*Enricher).guardrail,
		"UpdateGuardrail":                           (*Enricher).guardrail,
		"DeleteEnforcedGuardrailConfiguration":      (*Enricher).guardrail,
		"PutEnforcedGuardrailConfiguration":         (*Enricher).guardrail,
		"DeleteAutomatedReasoningPolicy":            (*Enricher).reasoning,
		"UpdateAutomatedReasoningPolicy":            (*Enricher).reasoning,
		"UpdateAutomatedReasoningPolicyAnnotations": (*Enricher).reasoning,
	},
}

// fields are the values of one record by field name.
type fields map[string][]string

// set gives a field its values, leaving out empty ones.
func (f fields) set(name string, values ...string) {
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	if len(values) > 0 {
		f[name] = values
	}
}

func (f fields) setBool(name string, v bool) {
	if v {
		f[name] = []string{"true"}
	} else {
		f[name] = []string{"false"}
	}
}

// Values returns the values of a derived field for ev. A field with history has
// values for the event that Observe was given last and for no other.
func (e *Enricher) Values(ev ecs.Event, f *ecs.Field) []string {
	if f == e.fieldAPI {
		if v := ev.Values(e.fieldAction); len(v) > 0 {
			return []string{history.APIName(v[0])}
		}
		return nil
	}
	if f.Source != "lamina" || e.deriver(ev) == nil {
		return nil
	}
	if f.History {
		if d := e.observed.Load(); d != nil && bytes.Equal(d.raw, ev.Raw()) {
			return d.fields[f.Name]
		}
		return nil
	}
	if d := e.derive(ev); d != nil {
		return d.fields[f.Name]
	}
	return nil
}

func (e *Enricher) deriver(ev ecs.Event) func(*Enricher, *history.Call, fields) {
	provider, action := ev.Values(e.fieldProvider), ev.Values(e.fieldAction)
	if len(provider) == 0 || len(action) == 0 {
		return nil
	}
	return derivers[provider[0]][history.APIName(action[0])]
}

// derive returns the fields of ev that need no history.
func (e *Enricher) derive(ev ecs.Event) *derived {
	raw := ev.Raw()
	if d := e.last.Load(); d != nil && bytes.Equal(d.raw, raw) {
		return d
	}
	derive := e.deriver(ev)
	if derive == nil {
		return nil
	}
	call, raw, ok := history.CallOf(ev)
	if !ok {
		return nil
	}
	d := &derived{raw: raw, call: call, fields: fields{}}
	derive(e, call, d.fields)
	e.last.Store(d)
	return d
}

// Observe takes the events in order of time: it derives the fields of ev that
// need history, for Values to answer, and remembers what ev tells.
func (e *Enricher) Observe(ev ecs.Event) {
	d := e.derive(ev)
	if d == nil {
		e.observed.Store(nil)
		return
	}
	out := &derived{raw: d.raw, call: d.call, fields: fields{}}
	if !d.call.Time.IsZero() {
		switch d.call.API {
		case "CreateFunction", "UpdateFunctionConfiguration":
			e.layerChanges(d.call, out.fields)
		case "UpdateEventSourceMapping":
			e.repointed(d.call, out.fields)
		default:
			// No other call has fields with history.
		}
	}
	e.observed.Store(out)
	e.history.ObserveCall(d.call)
}
