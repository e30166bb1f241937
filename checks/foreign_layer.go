package checks

import (
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// ForeignLayer finds functions, all versions of them, that run code of other accounts.
var ForeignLayer = posture.Check{
	ID:          "foreign-layer",
	Ref:         "USE-01",
	Title:       "functions load a layer of an account that is not known to be ours",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"organizations:ListAccounts"},
	Lists:       posture.ListFunctions,
	Remediation: "take the layer in-house, or approve it by name and version with an owner and an end",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         foreignLayer,
}

func foreignLayer(in posture.Input, found func(posture.Result)) {
	foreign := map[string]bool{}
	for _, u := range in.ForeignUses() {
		for _, f := range u.Functions {
			foreign[f.ARN] = true
		}
		left, approvals := in.Unapproved(u)
		if len(left) == 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: u.ARN, Detail: "somebody approved it for every function that loads it", Evidence: approvals})
			continue
		}
		u.Functions = left
		r := posture.Result{Outcome: lamina.Fail, Resource: u.ARN, Evidence: append(posture.Functions(u.Functions), approvals...)}
		p, match := in.Publisher(u.Layer)
		switch match {
		case publishers.Listed, publishers.AccountOnly:
			r.Severity, r.Detail = lamina.Low, fmt.Sprintf("%s (%s) publishes it, and it is loaded by %s", p.Name, u.Layer.ARN.Account, posture.Count(len(u.Functions), "function"))
		case publishers.UnexpectedName, publishers.UnexpectedRegion:
			r.Severity, r.Detail = lamina.Medium, fmt.Sprintf("account %s is known as %s, but not for this layer and region, and it is loaded by %s", u.Layer.ARN.Account, p.Name, posture.Count(len(u.Functions), "function"))
		case publishers.Unverified:
			r.Severity, r.Detail = lamina.High, fmt.Sprintf("nobody is known to publish from account %s, and it is loaded by %s", u.Layer.ARN.Account, posture.Count(len(u.Functions), "function"))
		}
		found(r)
	}
	for _, f := range in.Estate.Snapshot.Functions {
		if len(f.Layers) > 0 && !foreign[f.ARN] {
			found(posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "all its layers are ours"})
		}
	}
}
