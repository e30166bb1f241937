package checks

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// ForeignPublisherRoles finds accounts not of ours whose code runs as our roles.
var ForeignPublisherRoles = posture.Check{
	ID:          "foreign-publisher-roles",
	Ref:         "PTH-06",
	Title:       "account not of ours has its code run as roles of ours that reach something",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "narrow the roles that the evidence names, or take the layers in-house and review each new version",
	NoFix:       "tightening a policy that a function works with needs its owner",
	Run:         foreignPublisherRoles,
}

func foreignPublisherRoles(in posture.Input, found func(posture.Result)) {
	type reached struct {
		layers    []posture.Use
		roles     map[string]bool
		publisher publishers.Publisher
		known     bool // a listed publisher
	}
	by := map[string]*reached{}
	for _, u := range in.ForeignUses() {
		account := cmp.Or(u.Layer.ARN.Account, "awslayer") // AWS's own of long ago have none
		x := by[account]
		if x == nil {
			x = &reached{roles: map[string]bool{}}
			by[account] = x
		}
		if p, match := in.Publisher(u.Layer); match != publishers.Unverified {
			x.publisher, x.known = p, true
		}
		x.layers = append(x.layers, u)
		for _, f := range u.Functions {
			x.roles[f.Role] = true
		}
	}
	for _, account := range slices.Sorted(maps.Keys(by)) {
		x := by[account]
		who := "account " + account
		if x.known {
			who = x.publisher.Name
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: "arn:*:iam::" + account + ":root", Detail: "what " + who + " publishes runs as roles that reach nothing of value"}
		var most access.Jewel
		var worth []string
		unread := ""
		for _, role := range slices.Sorted(maps.Keys(x.roles)) {
			reach, known := in.Access().Reach(role)
			j, some := reach.Most()
			switch {
			case some:
				most = max(most, j)
				worth = append(worth, "role: "+role+" reaches "+j.String())
			case !known || slices.Contains(reach[:], access.Perhaps):
				unread = role
			}
		}
		switch {
		case len(worth) > 0:
			r.Outcome, r.Detail = lamina.Fail, "what "+who+" publishes runs as "+posture.Count(len(worth), "role")+" of ours and reaches "+most.String()
			if !x.known && most >= access.Secrets {
				r.Severity = lamina.High
			}
			r.Evidence = first(worth)
			var layers []string
			for _, u := range x.layers {
				layers = append(layers, u.ARN)
			}
			for _, l := range first(layers) {
				r.Evidence = append(r.Evidence, "foreign layer: "+l)
			}
			r.Evidence = append(r.Evidence, posture.Functions(usersOf(x.layers))...)
		case unread != "":
			r.Outcome, r.Detail = lamina.Unknown, "what "+who+" reaches with its layers is not known"
			r.Reason, r.Settle = "what "+unread+" reaches is not known", "read the role, or decide what its policies leave open"
		}
		found(r)
	}
}
