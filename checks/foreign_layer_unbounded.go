package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ForeignLayerUnbounded finds foreign code that may take everything of a kind and
// send it anywhere.
var ForeignLayerUnbounded = posture.Check{
	ID:          "foreign-layer-unbounded",
	Ref:         "TOX-05",
	Title:       "function runs a layer not of ours with a role that reaches everything of a kind and an open way out",
	Since:       "0.1",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1195.002", "T1078.004", "T1567"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html",
	Needs:       posture.ListFunctions,
	Uses:        slices.Concat([]string{"iam:GetAccountAuthorizationDetails"}, posture.ServiceControl, posture.Networks),
	Lists:       posture.ListFunctions,
	Remediation: "cut the cheapest of the three: give the role what the function works with, take the layer in-house, or run the function in a VPC that lets it send to what it needs only",
	NoFix:       "which of the three to cut is the owner's to say",
	Run:         foreignLayerUnbounded,
}

func foreignLayerUnbounded(in posture.Input, found func(posture.Result)) {
	a := alike{in: in, found: found}
	for _, f := range usersOf(in.ForeignUses()) {
		role, out := unboundedRole(in, f), in.Egress(f)
		switch {
		case role.Outcome == lamina.Pass || out.Outcome == lamina.Pass:
			r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: role.Detail}
			if role.Outcome != lamina.Pass {
				r.Detail = out.Detail
			}
			found(r)
		case role.Outcome == lamina.Unknown:
			found(role)
		case out.Outcome == lamina.Unknown:
			found(out)
		default:
			r := role
			r.Detail += ", and " + strings.TrimPrefix(out.Detail, "it ")
			if r.Severity == lamina.Medium { // any data, and a publisher that is known
				r.Severity = lamina.High
			} else {
				r.Severity = lamina.Critical
			}
			r.Evidence = append(r.Evidence, out.Evidence...)
			a.add(r, workload(in, f)...)
		}
	}
	a.end()
}
