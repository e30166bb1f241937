package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ForeignLayerUnreadable finds foreign layers that run on after their grant.
var ForeignLayerUnreadable = posture.Check{
	ID:          "foreign-layer-unreadable",
	Ref:         "USE-06",
	Title:       "functions load a foreign layer that we may no longer read",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListFunctions, "lambda:GetLayerVersion"),
	Lists:       posture.ListFunctions,
	Remediation: "replace the layer: the next change of the function's layers will be refused",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         foreignLayerUnreadable,
}

func foreignLayerUnreadable(in posture.Input, found func(posture.Result)) {
	for _, u := range in.ForeignUses() {
		r := posture.Result{Outcome: lamina.Pass, Resource: u.ARN, Detail: "it can still be read", Evidence: posture.Functions(u.Functions)}
		for _, f := range u.Functions {
			m, missing := in.Estate.Missing(f.Account, f.Region, "lambda:GetLayerVersion", u.ARN)
			switch {
			case !missing:
			case m.Denied && describes(in, f):
				r.Outcome, r.Detail = lamina.Fail, "account "+f.Account+" may no longer read it, and its functions still run it"
			case r.Outcome != lamina.Fail:
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether it can still be read is not known", m.Why(), m.Settle()
			}
		}
		if r.Outcome == lamina.Fail {
			r.Reason, r.Settle = "", ""
		}
		found(r)
	}
}

// describes reports whether the collector could describe any layer version in
// the function's account and region, so that a denial is the layer's owner's.
func describes(in posture.Input, f lamina.Function) bool {
	for _, l := range in.Estate.Snapshot.Layers {
		if l.CodeSHA256 == "" {
			continue
		}
		if _, missing := in.Estate.Missing(f.Account, f.Region, "lambda:GetLayerVersion", l.ARN); !missing && (l.Account == f.Account && l.Region == f.Region || !in.Estate.Org.Ours(l.Account)) {
			return true
		}
	}
	return false
}
