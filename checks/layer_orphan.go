package checks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerOrphan finds layers that outlived every function.
var LayerOrphan = posture.Check{
	ID:          "layer-orphan",
	Ref:         "LIF-01",
	Title:       "no function uses any version of the layer",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListLayers, "lambda:ListFunctions"),
	Uses:        []string{"lambda:GetLayerVersionPolicy"},
	Lists:       append(posture.ListLayers, "lambda:ListFunctions"),
	Remediation: "delete the versions once their owner agrees: a deleted version cannot be brought back under its number",
	NoFix:       "deleting cannot be undone, and who uses a shared layer outside the organisation is not observable",
	Run:         layerOrphan,
}

func layerOrphan(in posture.Input, found func(posture.Result)) {
	unread := in.Estate.Unread("lambda:ListFunctions")
	type layer struct {
		newest lamina.LayerVersion
		used   bool
		shared string
	}
	layers := map[string]*layer{}
	for l := range in.Estate.OurLayers() {
		name := strings.TrimSuffix(l.ARN, ":"+strconv.Itoa(l.Version))
		if layers[name] == nil {
			layers[name] = &layer{}
		}
		at := layers[name]
		if l.Version >= at.newest.Version {
			at.newest = l
		}
		at.used = at.used || len(in.Estate.Users(l.ARN)) > 0
		if l.Policy != nil {
			for _, g := range l.Policy.Grants {
				if in.Estate.Org.Scope(g, l.Account) != lamina.ScopeOwnAccount {
					at.shared = "statement: " + g.StatementID + " of version " + strconv.Itoa(l.Version)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		l := layers[name]
		age := in.Estate.Snapshot.Taken.Sub(l.newest.Created)
		r := posture.Result{Outcome: lamina.Pass, Resource: name, Detail: "functions use it", Evidence: []string{"newest version: " + l.newest.ARN}}
		switch {
		case l.used:
		case age < orphanAge:
			r.Outcome, r.Detail = lamina.NotApplicable, "its newest version is new"
		case len(unread) > 0:
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether a function uses it is not known", unread[0].Why(), unread[0].Settle()
		default:
			r.Outcome, r.Detail = lamina.Fail, fmt.Sprintf("no function of any account uses it, and its newest version is %d days old", int(age.Hours()/24))
			if l.shared != "" {
				r.Severity = lamina.Medium
				r.Detail += "; it is shared nevertheless"
				r.Evidence = append(r.Evidence, l.shared)
			}
		}
		found(r)
	}
}

// orphanAge is how long a layer may wait for its first function.
const orphanAge = 90 * 24 * time.Hour
