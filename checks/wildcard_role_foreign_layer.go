package checks

import (
	"maps"
	"slices"
	"strconv"
	"strings"

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
	Uses:        append([]string{"access-analyzer:ListFindings", "access-analyzer:GetFinding"}, posture.ServiceControl...),
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "give the function a role that names what it works with, or take the layer in-house",
	NoFix:       "tightening a policy that a function works with needs its owner",
	Run:         wildcardRoleForeignLayer,
}

func wildcardRoleForeignLayer(in posture.Input, found func(posture.Result)) {
	a := alike{in: in, found: found}
	unused := map[string]string{} // by role
	for _, x := range in.Estate.Snapshot.AccessFindings {
		if x.Kind == "UnusedPermission" && len(x.Unused) > 0 {
			unused[x.Resource] = "Access Analyzer: the role does not use " + strings.Join(x.Unused[:min(len(x.Unused), 5)], " ")
			if n := len(x.Unused) + x.UnusedMore - 5; n > 0 {
				unused[x.Resource] += " and " + strconv.Itoa(n) + " more"
			}
		}
	}
	for _, f := range usersOf(in.ForeignUses()) {
		r := unboundedRole(in, f)
		if says := unused[f.Role]; says != "" && r.Outcome == lamina.Fail {
			r.Evidence = append(r.Evidence, says)
		}
		a.add(r, workload(in, f)...)
	}
	a.end()
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
		if in.Estate.Snapshot.Only != nil && !in.Estate.Asked("iam:GetAccountAuthorizationDetails") {
			r.Reason, r.Settle = "only some layers or functions were collected", posture.Rest.Settle()
		}
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

// alike makes one result of those that fail and say the same of resources that are
// alike.
type alike struct {
	in    posture.Input
	found func(posture.Result)
	by    map[string][]posture.Result
}

// add takes in a result. Those with the same words in like, severity and detail
// are one; like says what of their resources is the same.
func (a *alike) add(r posture.Result, like ...string) {
	if r.Outcome != lamina.Fail || a.in.Apart {
		a.found(r)
		return
	}
	if a.by == nil {
		a.by = map[string][]posture.Result{}
	}
	key := strings.Join(append(like, string(r.Severity), r.Detail), "\n")
	a.by[key] = append(a.by[key], r)
}

// end reports what was taken in.
func (a *alike) end() {
	for _, rs := range a.by {
		r := rs[0]
		if len(rs) > 1 {
			r.Evidence = evidenceOf(rs)
			for _, x := range rs {
				r.Resources = append(r.Resources, x.Resource)
			}
		}
		a.found(r)
	}
}

// evidenceOf is the evidence of all of them, bounded for each kind.
func evidenceOf(rs []posture.Result) []string {
	var kinds []string
	values := map[string]map[string]bool{}
	for _, r := range rs {
		for _, e := range r.Evidence {
			kind, value, _ := strings.Cut(e, ": ")
			if values[kind] == nil {
				kinds = append(kinds, kind)
				values[kind] = map[string]bool{}
			}
			values[kind][value] = true
		}
	}
	var out []string
	for _, kind := range kinds {
		for _, value := range first(slices.Sorted(maps.Keys(values[kind]))) {
			out = append(out, kind+": "+value)
		}
	}
	return out
}

// workload is what of a function that loads layers not of ours has to be the same
// for its findings to be one with those of others: the account, what its role may
// do, and who published what.
func workload(in posture.Input, f lamina.Function) []string {
	like := []string{f.Account, f.Role}
	if group, ok := in.Access().Alike(f.Role); ok {
		like[1] = strconv.Itoa(group)
	}
	for _, arn := range f.Layers {
		if l, foreign := in.Foreign(arn); foreign {
			like = append(like, l.ARN.Account+" "+l.Name)
		}
	}
	slices.Sort(like[2:])
	return like
}
