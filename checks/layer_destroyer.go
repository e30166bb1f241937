package checks

import (
	"maps"
	"slices"
	"strings"

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
	lost := map[string]*loss{}
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
			slices.Sort(by)
			key := l.Unversioned() + "\n" + strings.Join(who, "\n") + "\n" + strings.Join(by, "\n")
			if in.Apart {
				key = arn
			}
			if lost[key] == nil {
				lost[key] = &loss{who: who, by: slices.Compact(by), functions: map[string]lamina.Function{}}
			}
			lost[key].add(arn, fs)
			continue
		}
		found(r)
	}
	for _, x := range lost {
		found(x.result())
	}
}

// A loss is of versions of a layer that the same users and roles may delete.
type loss struct {
	who, by, versions []string
	functions         map[string]lamina.Function
	most              int // functions that one of the versions is loaded by
}

func (x *loss) add(version string, users []lamina.Function) {
	x.versions = append(x.versions, version)
	x.most = max(x.most, len(users))
	for _, f := range users {
		x.functions[f.ARN] = f
	}
}

func (x *loss) result() posture.Result {
	r := posture.Result{
		Outcome: lamina.Fail, Resources: x.versions,
		Detail: posture.Count(len(x.who), "principal") + " may delete it, and " + posture.Count(len(x.functions), "function") + " could not be deployed again as they are",
	}
	if x.most >= manyFunctions {
		r.Severity = lamina.High
	}
	for _, p := range first(x.who) {
		r.Evidence = append(r.Evidence, "principal: "+p)
	}
	for _, s := range first(x.by) {
		r.Evidence = append(r.Evidence, "statement: "+s)
	}
	var fs []lamina.Function
	for _, arn := range slices.Sorted(maps.Keys(x.functions)) {
		fs = append(fs, x.functions[arn])
	}
	r.Evidence = append(r.Evidence, posture.Functions(fs)...)
	return r
}
