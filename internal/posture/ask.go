package posture

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/estate"
)

// Groups of IAM actions that checks list and need.
var (
	ListLayers    = []string{"lambda:ListLayers", "lambda:ListLayerVersions"}
	ListFunctions = []string{"lambda:ListFunctions"}
	// Delegated is what it takes to know who administers a service.
	Delegated = []string{"organizations:ListDelegatedAdministrators", "organizations:ListDelegatedServicesForAccount"}
	// ServiceControl is what it takes to know the service control policies of
	// every account.
	ServiceControl = []string{"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy"}
)

// Grants asks bad of every grant of a layer version and makes one result of it:
// a Fail with the worst detail and severity and a line of evidence for each
// statement, else Unknown when the policy was not read or bad answers Unknown,
// else a Pass with the detail pass.
func (in Input) Grants(l lamina.LayerVersion, pass string, bad func(lamina.Grant, lamina.GrantScope) (Result, bool)) Result {
	return in.grants(l, pass, nil, bad)
}

// Sharing is Grants for what may be meant: a grant that somebody approved is not
// bad, and the evidence says who did.
func (in Input) Sharing(l lamina.LayerVersion, pass string, bad func(lamina.Grant, lamina.GrantScope) (Result, bool)) Result {
	return in.grants(l, pass, in.Approvals, bad)
}

func (in Input) grants(l lamina.LayerVersion, pass string, approvals *approval.Set, bad func(lamina.Grant, lamina.GrantScope) (Result, bool)) Result {
	r := Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: pass, Evidence: []string{"policy: none"}}
	var unknown *Result
	if l.Policy != nil {
		r.Evidence = []string{policyEvidence(*l.Policy)}
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
			asked := approvals.Share(l.ARN, digest(l), g)
			if asked.By != nil {
				r.Evidence = append(r.Evidence, "statement: "+g.StatementID, "approved: "+asked.By.String())
				if r.Outcome == lamina.Pass {
					r.Detail = "what it grants to others is approved"
				}
				continue
			}
			if r.Outcome != lamina.Fail || worse.Severity.Rank() > r.Severity.Rank() {
				r.Detail, r.Severity = worse.Detail, worse.Severity
			}
			r.Outcome = lamina.Fail
			r.Evidence = append(append(r.Evidence, "statement: "+g.StatementID), asked.Lapsed...)
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

// policyEvidence says how long a policy is and which revision of it was read, where
// that is known: code that is not deployed has none.
func policyEvidence(p lamina.LayerPolicy) string {
	said := "policy: " + Count(len(p.Grants), "statement")
	if p.RevisionID == "" {
		return said
	}
	return said + " at revision " + p.RevisionID
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

// Statements is evidence: the statements that allow something.
func Statements(by []string) []string {
	var out []string
	for _, s := range by[:min(len(by), maxEvidence)] {
		out = append(out, "statement: "+s)
	}
	return out
}

// digest is the SHA-256 of a layer version's zip in hex, "" when it is not known.
func digest(l lamina.LayerVersion) string {
	sum, err := base64.StdEncoding.DecodeString(l.CodeSHA256)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum)
}

// Unapproved are the functions for which nobody approved that they load the layer
// version, and evidence of who approved it for the others, and of approvals that
// do not hold.
func (in Input) Unapproved(u Use) (left []lamina.Function, evidence []string) {
	if in.Approvals == nil {
		return u.Functions, nil
	}
	said := map[string]bool{}
	for _, f := range u.Functions {
		v := in.Approvals.Use(in.use(u, f))
		if v.By != nil {
			said["approved: "+v.By.String()] = true
			continue
		}
		left = append(left, f)
		for _, why := range v.Lapsed {
			said[why] = true
		}
	}
	return left, slices.Sorted(maps.Keys(said))
}

// Approved are the ids of the approvals that are about something in the estate,
// in force or not.
func (in Input) Approved() map[string]bool {
	var uses []approval.Use
	for _, u := range in.ForeignUses() {
		for _, f := range u.Functions {
			uses = append(uses, in.use(u, f))
		}
	}
	return in.Approvals.About(uses, slices.Collect(in.Estate.OurLayers()))
}

// use is what approvals are asked about.
func (in Input) use(u Use, f lamina.Function) approval.Use {
	l, _ := in.Estate.Layer(u.ARN)
	return approval.Use{Layer: u.ARN, Digest: digest(l), Function: f.ARN, Account: f.Account, Units: in.Estate.Units(f.Account)}
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

// A Stored is a bucket that holds layers of which Lambda keeps no copy.
type Stored struct {
	Bucket lamina.Bucket
	Layers []lamina.LayerVersion
}

// Resource names the bucket.
func (s Stored) Resource() string { return "arn:*:s3:::" + s.Bucket.Name }

// Stores returns the buckets that our layers refer to and whose policy was
// read, sorted by name. It finds the Unknown of those that were not, and of
// layer versions that may refer to one.
func (in Input) Stores(found func(Result)) []Stored {
	by := map[string]*Stored{}
	for l := range in.Estate.OurLayers() {
		if missing, ok := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersion"); ok {
			missing.Detail = "whether Lambda keeps a copy of it is not known"
			found(missing)
			continue
		}
		if l.Reference == nil {
			continue
		}
		name := l.Reference.Bucket
		if by[name] == nil {
			by[name] = &Stored{Bucket: lamina.Bucket{Name: name}}
		}
		by[name].Layers = append(by[name].Layers, l)
	}
	var out []Stored
	for _, name := range slices.Sorted(maps.Keys(by)) {
		s, l := by[name], by[name].Layers[0]
		b, known := in.Estate.Bucket(name)
		missing, gap := in.Missing(l.Account, l.Region, name, "s3:GetBucketPolicy")
		if gap || !known {
			missing.Outcome, missing.Resource, missing.Detail = lamina.Unknown, s.Resource(), "the bucket's policy was not read: it may be another account's"
			if !gap {
				missing.Reason, missing.Settle = "the bucket was not read", "allow s3:GetBucketPolicy to the collector on "+name
			}
			found(missing)
			continue
		}
		s.Bucket = b
		// AWS tells a bucket's policy to principals of its own account only.
		s.Bucket.Account = cmp.Or(b.Account, l.Account)
		out = append(out, *s)
	}
	return out
}

// Any is whether a subject may make one of the calls about an object; of an
// Unknown, what it depends on.
func Any(s *iam.Subject, o *iam.Object, actions ...string) (iam.Result, string) {
	best, why := iam.Deny, ""
	for _, action := range actions {
		d := (&iam.Request{Subject: s, Action: action, Object: o}).Evaluate()
		switch d.Result {
		case iam.Allow:
			return iam.Allow, ""
		case iam.Unknown:
			best, why = iam.Unknown, d.Residue.String()
		case iam.Deny:
		}
	}
	return best, why
}

// Stranger is a role of an account that nobody knows, which its own account lets
// do everything.
func Stranger() *iam.Subject { return Outsider("999999999999") }

// Outsider is a role of an account outside the organisation, which its own account
// lets do everything.
func Outsider(account string) *iam.Subject {
	everything := &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{{Index: 1, Line: 1, Effect: iam.EffectAllow, Actions: []string{"*"}, Resources: []string{"*"}}}}
	return iam.NewSubject(
		iam.Caller{ARN: "arn:aws:iam::" + account + ":role/" + Canary, OrgID: iam.Is("o-stranger00"), OtherTags: iam.Absent()},
		iam.Compile(iam.Document{Policy: everything, Edge: iam.Identity, Name: Canary}),
	)
}
