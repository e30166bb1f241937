// Package detect runs rules over events: dispatch on provider and action,
// immutable programs, the order that state needs, schedules, suppression, and
// the identity of alerts.
//
// It works in two passes. A Worker sees every event once, in any order, and
// keeps nothing but candidates: events that satisfy a rule, or would if a field
// that depends on earlier events had the right value, or that feed those
// fields. Run.Finish sorts the candidates by event time and decides. A
// verdict is therefore a function of the candidate set: delivering a file
// twice, or in another order, changes nothing.
//
// It refuses to read bytes, files or the clock: internal/ingest brings events,
// rule brings programs. Start with New, Engine.Worker and Engine.NewRun.
package detect

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
	"github.com/lamina-sec/lamina/rule"
)

// A Record is one CloudTrail record as the engine reads it. The rules of
// ecs.Event apply: nothing of it may be kept past the call it was given to.
type Record interface {
	ecs.Event
	// Provider and Action are the values of event.provider and event.action,
	// "" if they are missing.
	Provider() string
	Action() string
	// Time is eventTime; ok is false when the record has no valid one.
	Time() (t time.Time, ok bool)
	// ID is event.id, or an id made of the content where the record has none.
	ID() string
	// RecipientAccount is recipientAccountId, or "".
	RecipientAccount() string
	// Check reports what is wrong with the parts of the record that the methods
	// above do not read. It is called before any field is asked for.
	Check() error
	// Document is the whole ECS document, nested.
	Document() map[string]any
}

// An Enricher fills the derived lamina.* fields. Records answer their Values
// through it; the engine only says when an event's turn in time has come.
type Enricher interface {
	// Wants reports whether events of this provider and action feed the fields
	// that depend on history, so that they are candidates even when no rule
	// asks for them.
	Wants(provider, action string) bool
	// Observe takes one candidate in event-time order. Afterwards, and until
	// the next call, the history fields of ev have their values.
	Observe(ev ecs.Event)
}

// A Schedule says how the windows of a rule are laid over the input.
type Schedule uint8

const (
	// Replay runs each rule at the multiples of its interval since the epoch,
	// over [now-from, now] of event time, with max_signals and suppression, as
	// Elastic's detection engine would have.
	Replay Schedule = iota
	// Once takes the input as one window, without max_signals or suppression.
	Once
)

// ParseSchedule returns the schedule named s: "replay" or "once".
func ParseSchedule(s string) (Schedule, error) {
	switch s {
	case "replay":
		return Replay, nil
	case "once":
		return Once, nil
	}
	return 0, fmt.Errorf("unknown schedule %q: want replay or once", s)
}

func (s Schedule) String() string {
	if s == Once {
		return "once"
	}
	return "replay"
}

// Config is what an Engine is made of.
type Config struct {
	// Programs are the rules, compiled. Those with Needs are not run.
	Programs []*rule.Program
	// Enricher may be nil: then the lamina.* fields are missing.
	Enricher Enricher
	// Schedule is Replay or Once.
	Schedule Schedule
}

// An Engine is a set of rules ready to run. It is immutable and safe for
// concurrent use; the state of a run is in its Workers and its Run.
type Engine struct {
	rules    []program
	enricher Enricher
	schedule Schedule
	// always are the rules that may match whatever provider and action are.
	always []int32
}

// A program is one rule as the engine runs it.
type program struct {
	*rule.Program
	// late says that the query reads derived fields and is decided in the second
	// pass: deriving costs much more than dispatch. history says that one of
	// them depends on earlier events.
	late, history bool
	// needsRecord says that the second pass must look into the record: for a
	// late query, exceptions, suppression, or to show derived fields.
	needsRecord bool
	// fields are what the query reads, sorted by name; investigation and
	// groupBy are in the rule's order.
	fields, investigation, groupBy []*ecs.Field
	ref                            lamina.RuleRef
	// parameters is the whole rule in Kibana's names.
	parameters func() map[string]any
}

// New makes an engine of the programs that can run. A program whose rule needs
// an engine that does not exist yet is left out; the caller reports it.
func New(cfg Config) (*Engine, error) {
	e := &Engine{enricher: cfg.Enricher, schedule: cfg.Schedule}
	seen := map[string]string{}
	for _, p := range cfg.Programs {
		if p.Needs != "" {
			continue
		}
		if f, ok := seen[p.Rule.ID]; ok {
			return nil, fmt.Errorf("rule_id %s is used by both %s and %s", p.Rule.ID, f, p.Rule.File)
		}
		seen[p.Rule.ID] = p.Rule.File
		r := program{Program: p, fields: p.Predicate.Fields(nil), ref: Ref(p.Rule)}
		r.parameters = sync.OnceValue(p.Rule.Kibana)
		r.history = slices.ContainsFunc(r.fields, func(f *ecs.Field) bool { return f.History })
		derived := func(f *ecs.Field) bool { return f.Source == derivedSource }
		r.late = slices.ContainsFunc(r.fields, derived)
		slices.SortFunc(r.fields, func(a, b *ecs.Field) int { return cmp.Compare(a.Name, b.Name) })
		for _, name := range p.Rule.InvestigationFields {
			r.investigation = append(r.investigation, ecs.Lookup(name))
		}
		if p.Rule.Suppression != nil {
			for _, name := range p.Rule.Suppression.GroupBy {
				r.groupBy = append(r.groupBy, ecs.Lookup(name))
			}
		}
		r.needsRecord = r.late || p.Exceptions != nil || r.groupBy != nil || slices.ContainsFunc(r.investigation, derived) ||
			slices.ContainsFunc(mapped(p.Rule), derived)
		e.rules = append(e.rules, r)
	}
	e.always = e.fold(constants)
	return e, nil
}

// Rules is the number of rules the engine runs.
func (e *Engine) Rules() int { return len(e.rules) }

// CannotFire reports whether no event satisfies the program's query, whatever
// the log holds: a field that is not mapped, a data set that is not ours.
func CannotFire(p *rule.Program) bool {
	return p.Predicate != nil && p.Predicate.Fold(func(f *ecs.Field) ([]string, bool) {
		if f.Type == ecs.Unmapped {
			return nil, true
		}
		return constants(f)
	}) == query.False
}

// constants answers for the fields that have one value in the whole index.
func constants(f *ecs.Field) ([]string, bool) {
	if f.Type == ecs.ConstantKeyword && f.Const != "" {
		return []string{f.Const}, true
	}
	return nil, false
}

// fold lists the rules that can still match when known is all that is known.
func (e *Engine) fold(known query.Known) []int32 {
	var out []int32
	for i := range e.rules {
		if e.rules[i].Predicate.Fold(known) != query.False {
			out = append(out, int32(i))
		}
	}
	return out
}

// mapped are the fields that severity, risk score and name of an alert come from.
func mapped(r *rule.Rule) []*ecs.Field {
	var out []*ecs.Field
	for _, ms := range [][]rule.Mapping{r.SeverityMapping, r.RiskScoreMapping} {
		for _, m := range ms {
			out = append(out, ecs.Lookup(m.Field))
		}
	}
	if r.RuleNameOverride != "" {
		out = append(out, ecs.Lookup(r.RuleNameOverride))
	}
	return out
}

// Ref is what an alert says of its rule.
func Ref(r *rule.Rule) lamina.RuleRef {
	return lamina.RuleRef{
		ID: r.ID, File: r.File, Name: r.Name, Type: string(r.Type),
		Description: r.Description, Tags: r.Tags, References: r.References,
		Techniques: r.Techniques(),
	}
}
