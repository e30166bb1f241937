package iac

import (
	"regexp"
	"slices"

	"github.com/lamina-sec/lamina"
)

// A Judgement is what checks over the snapshot of code come to.
type Judgement struct {
	// Findings have the places where the code declares what they are about.
	Findings []lamina.Finding
	// Estate counts answers that only the live estate could give.
	Estate int
}

// A Check is what a judgement needs to know of a check.
type Check struct {
	ID, Ref, Title string
	Severity       lamina.Severity
	// Needs are the IAM actions that it rests on.
	Needs []string
}

// speaks is the check that speaks for a value that is not resolved, by the IAM
// action that would answer. One value that is not known is one UNKNOWN, however
// many checks it stops.
var speaks = map[string]string{
	"lambda:GetLayerVersionPolicy":        "layer-public",
	"lambda:ListFunctions":                "foreign-layer",
	"lambda:ListFunctionUrlConfigs":       "url-foreign-layer",
	"lambda:GetFunctionCodeSigningConfig": "signing-not-enforced",
	"lambda:GetCodeSigningConfig":         "signing-not-enforced",
	"iam:GetAccountAuthorizationDetails":  "layer-attach-path",
}

// Judge makes of the findings of checks over the snapshot of code alone what the
// code can be told. What fails stays; what is not known because the code says nothing of it is counted and
// not shown; what is not known because a value in the code is not resolved is one
// UNKNOWN at its line, and nothing that rests on the value passes.
func (c *Code) Judge(findings []lamina.Finding, checks []Check) Judgement {
	var j Judgement
	open := make(map[doubt]bool, len(c.Unresolved))
	for _, u := range c.Unresolved {
		open[doubt{u.Resource, u.Action}] = true
	}
	byID := make(map[string]Check, len(checks))
	for _, k := range checks {
		byID[k.ID] = k
	}
	for _, f := range findings {
		at, here := c.Place(f)
		doubted := here && slices.ContainsFunc(byID[f.Check].Needs, func(action string) bool { return open[doubt{f.Resource, action}] })
		switch {
		case doubted && (f.Outcome == lamina.Unknown || f.Outcome == lamina.Pass):
			// The value that is not resolved speaks for itself.
		case !here, f.Outcome == lamina.Unknown && missing.MatchString(f.Reason):
			j.Estate++
		default:
			if f.Outcome == lamina.Unknown {
				f.Settle = "say what is ours with --org-id and --account, or show the live estate with --onto SNAPSHOT"
			}
			f.File, f.Line, f.Declared = at.File, at.Line, true
			j.Findings = append(j.Findings, f)
		}
	}
	j.Findings = append(j.Findings, c.unresolved(checks)...)
	return j
}

// unresolved is an UNKNOWN for each value that is not resolved.
func (c *Code) unresolved(checks []Check) []lamina.Finding {
	var out []lamina.Finding
	for _, u := range c.Unresolved {
		i := slices.IndexFunc(checks, func(k Check) bool { return k.ID == speaks[u.Action] })
		if i < 0 {
			continue
		}
		k := checks[i]
		out = append(out, lamina.Finding{
			ID: lamina.ID("F", k.ID, u.Resource, u.Property), Check: k.ID, Ref: k.Ref, Title: k.Title, Severity: k.Severity, Outcome: lamina.Unknown,
			Resource: u.Resource, File: u.At.File, Line: u.At.Line, Declared: true, Detail: u.Property + " is not known, and what rests on it is not judged",
			Reason: u.Why, Settle: "give it with --parameter NAME=VALUE, or scan what the tool made of the code: the plan, or cdk.out",
		})
	}
	return out
}

// missing is how the reason of an UNKNOWN begins that rests on an answer which is
// not in the snapshot: the IAM action.
var missing = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+: |was not read`)

// A doubt is that an answer about the resource hangs on a value that is not resolved.
type doubt struct{ resource, action string }
