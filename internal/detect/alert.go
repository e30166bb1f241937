package detect

import (
	"cmp"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
)

// The fields that every rule's alert names. The schema is read for them when the
// first is asked for.
var (
	fieldProvider = field("event.provider")
	fieldAction   = field("event.action")
	fieldCategory = field("event.category")
	fieldUser     = field("user.name")
	fieldHost     = field("host.name")
	fieldSourceIP = field("source.ip")
)

func field(name string) func() *ecs.Field {
	return sync.OnceValue(func() *ecs.Field { return ecs.Lookup(name) })
}

// alert says that the rule matched rec.
func (r *program) alert(rec Record, c *candidate) lamina.Alert {
	a := lamina.Alert{
		ID:           lamina.ID("A", r.Rule.ID, c.account, c.id),
		Rule:         r.ref,
		Severity:     lamina.Severity(r.Rule.SeverityOf(rec)),
		RiskScore:    r.Rule.RiskScoreOf(rec),
		EventIDs:     []string{c.id},
		OriginalTime: c.time,
		Values:       map[string][]string{},
		File:         c.place.Name,
		Offset:       c.place.Offset,
	}
	a.Rule.Name = strings.Clone(r.Rule.NameOf(rec))
	for _, f := range r.fields {
		if vs := rec.Values(f); len(vs) > 0 {
			a.Values[f.Name] = cloneAll(vs)
		}
	}
	for _, f := range r.investigation {
		a.Fields = append(a.Fields, lamina.FieldValues{Field: f.Name, Values: cloneAll(rec.Values(f))})
	}
	a.Reason = r.reason(rec, &a)
	return a
}

// group are the values that alert_suppression groups the match by.
func (r *program) group(rec Record) []lamina.FieldValues {
	var out []lamina.FieldValues
	for _, f := range r.groupBy {
		out = append(out, lamina.FieldValues{Field: f.Name, Values: cloneAll(rec.Values(f))})
	}
	return out
}

// reason is Kibana's sentence for an alert, with the parts a CloudTrail event
// can have.
func (r *program) reason(rec Record, a *lamina.Alert) string {
	first := func(f *ecs.Field) string {
		if vs := rec.Values(f); len(vs) > 0 {
			return vs[0]
		}
		return ""
	}
	var b strings.Builder
	b.WriteString(cmp.Or(strings.Join(rec.Values(fieldCategory()), ", "), "event"))
	if b.String() != "event" {
		b.WriteString(" event")
	}
	for _, p := range []struct {
		word  string
		field *ecs.Field
	}{{" with source ", fieldSourceIP()}, {" by ", fieldUser()}, {" on ", fieldHost()}} {
		if v := first(p.field); v != "" {
			b.WriteString(p.word + v)
		}
	}
	b.WriteString(" created " + string(a.Severity) + " alert " + a.Rule.Name + ".")
	return b.String()
}
