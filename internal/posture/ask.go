package posture

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
)

// Groups of IAM actions that checks list and need.
var (
	ListLayers    = []string{"lambda:ListLayers", "lambda:ListLayerVersions"}
	ListFunctions = []string{"lambda:ListFunctions"}
	// ServiceControl is what it takes to know the service control policies of
	// every account.
	ServiceControl = []string{"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy"}
)

// Grants asks bad of every grant of a layer version and makes one result of it:
// a Fail with the worst detail and severity and a line of evidence for each
// statement, else Unknown when the policy was not read or bad answers Unknown,
// else a Pass with the detail pass.
func (in Input) Grants(l lamina.LayerVersion, pass string, bad func(lamina.Grant, lamina.GrantScope) (Result, bool)) Result {
	r := Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: pass, Evidence: []string{"policy: none"}}
	var unknown *Result
	if l.Policy != nil {
		r.Evidence = []string{fmt.Sprintf("policy: %d statements at revision %s", len(l.Policy.Grants), l.Policy.RevisionID)}
		for _, g := range l.Policy.Grants {
			worse, ok := bad(g, in.Estate.Org.Scope(g, l.Account))
			if !ok {
				continue
			}
			if worse.Outcome == lamina.Unknown {
				worse.Resource = l.ARN
				unknown = &worse
				continue
			}
			if r.Outcome != lamina.Fail || worse.Severity.Rank() > r.Severity.Rank() {
				r.Detail, r.Severity = worse.Detail, worse.Severity
			}
			r.Outcome = lamina.Fail
			r.Evidence = append(r.Evidence, "statement: "+g.StatementID)
		}
	}
	if !l.PolicyRead.IsZero() {
		r.Evidence = append(r.Evidence, "read: "+l.PolicyRead.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if missing, ok := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersionPolicy"); ok && r.Outcome != lamina.Fail {
		missing.Detail = "its policy could not be read"
		return missing
	}
	if unknown != nil && r.Outcome != lamina.Fail {
		return *unknown
	}
	return r
}

// Count says how many there are of what: "1 function", "2 functions".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// maxEvidence is how many functions evidence names; the rest are counted.
const maxEvidence = 5

// Functions is evidence: the functions, versions of them among these, that
// something is about.
func Functions(fs []lamina.Function) []string {
	var out []string
	for _, f := range fs[:min(len(fs), maxEvidence)] {
		out = append(out, "function: "+f.ARN)
	}
	if n := len(fs) - maxEvidence; n > 0 {
		out = append(out, fmt.Sprintf("functions: %d more", n))
	}
	return out
}

// A Use is a foreign layer version and the functions that load it.
type Use struct {
	Layer     lamina.LayerARN
	ARN       string
	Functions []lamina.Function
}

// ForeignUses returns the layer versions of accounts not known to be ours that
// our functions load, sorted by ARN.
func (in Input) ForeignUses() []Use {
	by := map[string]*Use{}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, arn := range f.Layers {
			l, ok := in.Foreign(arn)
			if !ok {
				continue
			}
			if by[arn] == nil {
				by[arn] = &Use{Layer: l, ARN: arn}
			}
			by[arn].Functions = append(by[arn].Functions, f)
		}
	}
	out := make([]Use, 0, len(by))
	for _, arn := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[arn])
	}
	return out
}

// Foreign reports whether the layer version belongs to an account that is not
// known to be ours.
func (in Input) Foreign(arn string) (lamina.LayerARN, bool) {
	l, err := lamina.ParseLayerARN(arn)
	return l, err == nil && !in.Estate.Org.Ours(l.ARN.Account)
}

// Whole returns the function that f is a version of, which holds what belongs to
// the function as a whole; f itself when it is that, or the other is not known.
func Whole(e *estate.Estate, f lamina.Function) lamina.Function {
	if f.Version == "$LATEST" {
		return f
	}
	if whole, ok := e.Function(strings.TrimSuffix(f.ARN, ":"+f.Version)); ok {
		return whole
	}
	return f
}

// Able is whether a principal may make a call, and the statements that let it;
// of an Unknown, what it depends on.
func Able(s *iam.Subject, action, resource string) (iam.Result, []string, string) {
	a, err := lamina.ParseARN(resource)
	if err != nil {
		return iam.Unknown, nil, err.Error()
	}
	q := &iam.Request{Subject: s, Action: action, Object: iam.NewObject(iam.Resource{ARN: resource, Account: a.Account}, nil)}
	if q.Decide() == iam.Deny {
		return iam.Deny, nil, ""
	}
	d := q.Evaluate()
	var by []string
	for _, ref := range d.Allows {
		if ref.Edge == iam.Identity {
			by = append(by, "statement: "+ref.String())
		}
	}
	slices.Sort(by)
	why := ""
	if d.Result == iam.Unknown {
		why = d.Residue.String()
	}
	return d.Result, by[:min(len(by), maxEvidence)], why
}
