package checks

import (
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerDestroyer finds users and roles, not administrators, that can take a layer
// away from functions that load it.
var LayerDestroyer = posture.Check{
	ID:          "layer-destroyer",
	Ref:         "PTH-13",
	Title:       "user or role may delete a layer that functions load",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1485"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        append([]string{"lambda:GetLayerVersion"}, posture.ServiceControl...),
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "let one role delete layer versions, and nobody the objects that hold them",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerDestroyer,
}

// manyFunctions is how many functions may depend on one layer before losing it
// is an outage of more than one thing.
const manyFunctions = 10

func layerDestroyer(in posture.Input, found func(posture.Result)) {
	users := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil && in.Estate.Org.Ours(l.ARN.Account) {
				users[l.Versioned()] = append(users[l.Versioned()], f)
			}
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(users)) {
		fs := users[arn]
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			continue
		}
		account := l.ARN.Account
		r := posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "only administrators may delete it"}
		if m, missing := in.Missing(account, l.ARN.Region, arn, "iam:GetAccountAuthorizationDetails"); missing {
			m.Detail = "who may delete it is not known"
			found(m)
			continue
		}
		var who, by []string
		for _, c := range in.Access().Callers(account) {
			if c.Reach[access.Administration] == access.Any {
				continue
			}
			answer := in.Access().Destroy(c, l)
			switch {
			case answer.Result == iam.Allow:
				who, by = append(who, c.Principal.ARN), append(by, answer.By...)
			case answer.Result == iam.Unknown && r.Outcome == lamina.Pass:
				r.Outcome, r.Detail = lamina.Unknown, "whether others than administrators may delete it is not known"
				r.Reason, r.Settle = answer.Why, "decide what the conditions named leave open"
			}
		}
		if m, missing := in.Missing(account, l.ARN.Region, arn, "lambda:GetLayerVersion"); missing && r.Outcome == lamina.Pass {
			m.Detail = "where it is kept is not known"
			r = m
		}
		if len(who) > 0 {
			r = posture.Result{Outcome: lamina.Fail, Resource: arn, Detail: posture.Count(len(who), "principal") + " may delete it, and " + posture.Count(len(fs), "function") + " could not be deployed again as they are"}
			if len(fs) >= manyFunctions {
				r.Severity = lamina.High
			}
			for _, p := range first(who) {
				r.Evidence = append(r.Evidence, "principal: "+p)
			}
			slices.Sort(by)
			for _, s := range first(slices.Compact(by)) {
				r.Evidence = append(r.Evidence, "statement: "+s)
			}
			r.Evidence = append(r.Evidence, posture.Functions(fs)...)
		}
		found(r)
	}
}
