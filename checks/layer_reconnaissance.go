package checks

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerReconnaissance finds who looked around before a share or an attachment,
// and who tried one layer after the other.
var LayerReconnaissance = posture.Check{
	ID:          "layer-reconnaissance",
	Ref:         "WIN-05",
	Title:       "principal looked through layers before it shared or attached one, or tried those it may not read",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1526", "T1580"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       append(posture.ListLayers, posture.ListFunctions...),
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "ask the principal what it was looking for; what it shared or attached has findings of its own",
	NoFix:       "looking changes nothing that could be changed back",
	Run:         layerReconnaissance,
}

const (
	// before is how long before a share or an attachment looking around counts.
	before = time.Hour
	// manyReads is how many layers and policies a person who deploys does not read.
	manyReads = 10
	// manyRefusals is how many different layers nobody asks for by mistake.
	manyRefusals = 3
)

// A look is what one principal did with layers.
type look struct {
	reads    []history.Entry // of layers and policies
	lists    []history.Entry
	refused  []history.Entry
	evidence []string
	detail   string
}

func layerReconnaissance(in posture.Input, found func(posture.Result)) {
	by := map[string]*look{}
	for _, e := range in.Log.Entries {
		if e.Caller == "" {
			continue
		}
		p := history.Who(e.Caller)
		if by[p] == nil {
			by[p] = &look{}
		}
		by[p].see(in, e)
	}
	failed := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(by)) {
		if l := by[p]; l.detail != "" {
			failed[p] = true
			found(posture.Result{Outcome: lamina.Fail, Resource: p, Detail: l.detail, Evidence: posture.Calls(l.evidence)})
		}
	}
	in.Quiet(found, "nobody looked through layers before sharing or attaching one", maps.Keys(failed))
}

// see takes the principal's next call.
func (l *look) see(in posture.Input, e history.Entry) {
	switch {
	case e.Refused:
		if e.API == "ListLayers" || e.Layer == "" {
			return
		}
		l.refused = append(recent(l.refused, e.At), e)
		layers := map[string]bool{}
		for _, r := range l.refused {
			layers[r.Layer] = true
		}
		if len(layers) >= manyRefusals {
			l.detail = fmt.Sprintf("it was refused %d different layers within an hour", len(layers))
			l.evidence = calls(l.refused)
		}
	case e.API == "ListLayers" || e.API == "ListLayerVersions":
		l.lists = append(recent(l.lists, e.At), e)
	case e.API == "GetLayerVersionPolicy" || e.API == "GetLayerVersion" || e.API == "GetLayerVersionByArn":
		l.reads = append(recent(l.reads, e.At), e)
	default:
		what := outward(in, e)
		l.lists, l.reads = recent(l.lists, e.At), recent(l.reads, e.At)
		if what == "" || len(l.lists) == 0 || len(l.reads) < manyReads {
			return
		}
		l.detail = fmt.Sprintf("it listed layers and read %d of them or their policies in the hour before it %s", len(l.reads), what)
		l.evidence = append(calls([]history.Entry{e}), calls(append(slices.Clone(l.lists), l.reads...))...)
	}
}

// recent are the calls of the hour before.
func recent(es []history.Entry, at time.Time) []history.Entry {
	return slices.DeleteFunc(es, func(e history.Entry) bool { return at.Sub(e.At) > before })
}

func calls(es []history.Entry) []string {
	var out []string
	for _, e := range es {
		what := e.API
		if e.Layer != "" {
			what += " " + e.Layer
		}
		out = append(out, fmt.Sprintf("call: %s %s, event %s", posture.Minute(e.At), what, e.ID))
	}
	return out
}

// outward says what the call let out or in: a grant beyond the organisation, or
// a foreign layer; "" for other calls.
func outward(in posture.Input, e history.Entry) string {
	if e.API == "AddLayerVersionPermission" {
		if l, err := lamina.ParseLayerARN(e.Layer); err == nil {
			w := posture.SharedWindow{Scope: in.Estate.Org.Scope(lamina.Grant{Principal: e.Principal, OrganizationID: e.OrganizationID}, l.ARN.Account)}
			if w.Outside() {
				return "shared one outside the organisation"
			}
		}
	}
	for _, arn := range e.Layers {
		if _, foreign := in.Foreign(arn); foreign {
			return "attached a layer of another organisation"
		}
	}
	return ""
}
