package checks

import (
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// WildcardRoleForeignLayer finds foreign code that runs with a role without bounds.
var WildcardRoleForeignLayer = posture.Check{
	ID:          "wildcard-role-foreign-layer",
	Ref:         "PTH-09",
	Title:       "function runs a layer not of ours with a role that reaches everything of a kind",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1078.004"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "give the function a role that names what it works with, or take the layer in-house",
	NoFix:       "tightening a policy that a function works with needs its owner",
	Run:         wildcardRoleForeignLayer,
}

func wildcardRoleForeignLayer(in posture.Input, found func(posture.Result)) {
	for _, f := range usersOf(in.ForeignUses()) {
		found(unboundedRole(in, f))
	}
}

// usersOf are the functions, and versions of them, that load any of the layers,
// sorted by ARN.
func usersOf(layers []posture.Use) []lamina.Function {
	users := map[string]lamina.Function{}
	for _, u := range layers {
		for _, f := range u.Functions {
			users[f.ARN] = f
		}
	}
	out := make([]lamina.Function, 0, len(users))
	for _, arn := range slices.Sorted(maps.Keys(users)) {
		out = append(out, users[arn])
	}
	return out
}

// unboundedRole says whether the function, which loads a layer not of ours, has a
// role that reaches everything of a kind.
func unboundedRole(in posture.Input, f lamina.Function) posture.Result {
	reach, known := in.Access().Reach(f.Role)
	r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "its role reaches only what its policies name"}
	if !known {
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "what its role reaches is not known", "the role was not read, or was deleted", "allow iam:GetAccountAuthorizationDetails to the collector in the role's account"
		return r
	}
	for j := access.Administration; j >= access.Data; j-- {
		if reach[j] == access.Any {
			r = posture.Result{Outcome: lamina.Fail, Resource: f.ARN, Detail: "a layer that is not ours runs with a role that reaches " + j.String(), Evidence: []string{"role: " + f.Role}}
			if j == access.Data {
				r.Severity = lamina.Medium
			}
			for _, l := range f.Layers {
				if layer, foreign := in.Foreign(l); foreign {
					if _, match := in.Publisher(layer); match == publishers.Unverified {
						r.Severity = lamina.High
					}
					r.Evidence = append(r.Evidence, "foreign layer: "+l)
				}
			}
			return r
		}
		if reach[j] == access.Perhaps && r.Outcome == lamina.Pass {
			r.Outcome, r.Detail = lamina.Unknown, "whether its role reaches "+j.String()+" is not known"
			r.Reason, r.Settle = "it hangs on a condition, or on a policy that was not read", "decide what the role's policies leave open"
		}
	}
	return r
}
