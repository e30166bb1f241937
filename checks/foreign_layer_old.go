package checks

import (
	"fmt"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ForeignLayerOld finds foreign layers that were published long ago.
var ForeignLayerOld = posture.Check{
	ID:          "foreign-layer-old",
	Ref:         "USE-04",
	Title:       "functions load an old version of a foreign layer",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html",
	Needs:       append(posture.ListFunctions, "lambda:GetLayerVersion"),
	Lists:       posture.ListFunctions,
	Remediation: "see whether the publisher has a newer version, and move the functions to it",
	NoFix:       "which version is newest is the publisher's to say: AWS lists nobody's layers but one's own",
	Run:         foreignLayerOld,
}

// What is old and what is very old: a runtime of Lambda is supported for three
// years or so, and layers are rebuilt for each.
const (
	oldLayer     = 365 * 24 * time.Hour
	veryOldLayer = 3 * oldLayer
)

func foreignLayerOld(in posture.Input, found func(posture.Result)) {
	newest := map[string]int{} // of those that we know
	for _, l := range in.Estate.Snapshot.Layers {
		if a, ok := in.Foreign(l.ARN); ok {
			newest[a.Unversioned()] = max(newest[a.Unversioned()], l.Version)
		}
	}
	for _, u := range in.ForeignUses() {
		f := u.Functions[0]
		if missing, ok := in.Missing(f.Account, f.Region, u.ARN, "lambda:GetLayerVersion"); ok {
			missing.Detail = "when it was published is not known"
			found(missing)
			continue
		}
		l, ok := in.Estate.Layer(u.ARN)
		if !ok || l.Created.IsZero() {
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: u.ARN, Detail: "when it was published is not known",
				Reason: "the layer version is not in the snapshot", Settle: "collect " + f.Account + " with lambda:GetLayerVersion allowed",
			})
			continue
		}
		age := in.Estate.Snapshot.Taken.Sub(l.Created)
		r := posture.Result{
			Outcome: lamina.Pass, Resource: u.ARN, Detail: fmt.Sprintf("it was published %s before", posture.Count(int(age.Hours()/24), "day")),
			Evidence: append([]string{"published: " + l.Created.UTC().Format(time.DateOnly)}, posture.Functions(u.Functions)...),
		}
		if age > oldLayer {
			r.Outcome = lamina.Fail
		}
		if age > veryOldLayer {
			r.Severity = lamina.Medium
		}
		if n := newest[u.Layer.Unversioned()]; n > u.Layer.Version {
			r.Evidence = append(r.Evidence, fmt.Sprintf("newer version that we load: %d", n))
		}
		found(r)
	}
}
