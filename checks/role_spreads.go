package checks

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// RoleSpreads finds functions whose role may put code into other functions.
var RoleSpreads = posture.Check{
	ID:          "role-spreads",
	Ref:         "PTH-08",
	Title:       "function's role may publish layers or attach them to other functions",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1525", "T1648"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-permissions.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "give the function a role that may do what the function does, and let the pipeline publish and attach",
	NoFix:       "tightening a policy that a function works with needs its owner",
	Run:         roleSpreads,
}

func roleSpreads(in posture.Input, found func(posture.Result)) {
	principals := map[string]lamina.Principal{}
	for _, p := range in.Estate.Snapshot.Principals {
		principals[p.ARN] = p
	}
	users := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Role != "" {
			users[f.Role] = append(users[f.Role], f)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(users)) {
		fs := users[role]
		r := posture.Result{Outcome: lamina.Pass, Resource: role, Detail: "it may neither publish layers nor attach them"}
		p, ok := principals[role]
		if !ok {
			r.Outcome, r.Detail = lamina.Unknown, "what it may do is not known"
			r.Reason, r.Settle = "the role was not read, or was deleted", "allow iam:GetAccountAuthorizationDetails to the collector in the role's account"
			found(r)
			continue
		}
		subject := in.Estate.Subject(p)
		at := fs[0]
		arn := func(resource string) string {
			return strings.Join([]string{"arn", partition(at.ARN), "lambda", at.Region, at.Account, resource}, ":")
		}
		var able []string
		for _, q := range []struct{ action, resource, does string }{
			{"lambda:PublishLayerVersion", arn("layer:lamina-canary"), "publish versions of any layer"},
			{"lambda:UpdateFunctionConfiguration", arn("function:lamina-canary"), "change the layers of any function"},
			{"lambda:UpdateFunctionCode", arn("function:lamina-canary"), "change the code of any function"},
		} {
			answer, by, why := posture.Able(subject, q.action, q.resource)
			switch {
			case answer == iam.Allow:
				able = append(able, q.does)
				r.Evidence = append(r.Evidence, by...)
			case answer == iam.Unknown && r.Outcome == lamina.Pass:
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether it may "+q.does+" is not known", why, "decide what the conditions named leave open"
			}
		}
		if len(able) > 0 {
			slices.Sort(r.Evidence)
			r.Evidence = append(slices.Compact(r.Evidence), posture.Functions(fs)...)
			r.Outcome, r.Reason, r.Settle = lamina.Fail, "", ""
			r.Detail = "code in " + posture.Count(len(fs), "function") + " may " + strings.Join(able, ", and ")
		}
		found(r)
	}
}

// partition is that of the ARN.
func partition(arn string) string {
	if a, err := lamina.ParseARN(arn); err == nil {
		return a.Partition
	}
	return "aws"
}
