package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
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
	users := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Role != "" {
			users[f.Role] = append(users[f.Role], f)
		}
	}
	for _, account := range in.Access().Accounts() {
		results := map[string]*spread{}
		for _, q := range spreads {
			for p, answer := range in.Access().OnAny(account, q.action, q.resource, q.keys...) {
				if fs := users[p.ARN]; len(fs) > 0 {
					if results[p.ARN] == nil {
						results[p.ARN] = &spread{}
					}
					results[p.ARN].add(q.does, answer)
				}
			}
		}
		for role, x := range results {
			found(x.result(role, users[role]))
			delete(users, role)
		}
	}
	for role := range users {
		r := unknownRole(role)
		r.Detail = "what it may do is not known"
		found(r)
	}
}

// spreads are the calls that put code into other functions.
var spreads = []struct {
	action, resource, does string
	keys                   []string
}{
	{"lambda:PublishLayerVersion", "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + access.Canary, "publish versions of any layer", nil},
	{"lambda:UpdateFunctionConfiguration", anyFunction, "change the layers of any function", []string{"lambda:Layer", anyLayer}},
	{"lambda:UpdateFunctionCode", anyFunction, "change the code of any function", nil},
}

// anyFunction is a function that nobody has named.
const anyFunction = "arn:PARTITION:lambda:REGION:ACCOUNT:function:" + access.Canary

// A spread is what a role may do of these.
type spread struct {
	able, by     []string
	unknown, why string // the first that is not known
}

func (x *spread) add(does string, answer access.Answer) {
	switch {
	case answer.Result == iam.Allow:
		x.able, x.by = append(x.able, does), append(x.by, answer.By...)
	case answer.Result == iam.Unknown && x.unknown == "":
		x.unknown, x.why = does, answer.Why
	}
}

func (x *spread) result(role string, fs []lamina.Function) posture.Result {
	switch {
	case len(x.able) > 0:
		slices.Sort(x.by)
		return posture.Result{
			Outcome: lamina.Fail, Resource: role, Detail: "code in " + posture.Count(len(fs), "function") + " may " + strings.Join(x.able, ", and "),
			Evidence: slices.Concat(posture.Statements(slices.Compact(x.by)), posture.Functions(fs)),
		}
	case x.unknown != "":
		return posture.Result{
			Outcome: lamina.Unknown, Resource: role, Detail: "whether it may " + x.unknown + " is not known",
			Reason: x.why, Settle: "decide what the conditions named leave open",
		}
	}
	return posture.Result{Outcome: lamina.Pass, Resource: role, Detail: "it may neither publish layers nor attach them"}
}
