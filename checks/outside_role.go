package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// OutsideRole finds roles that change layers or functions and that principals
// outside the organisation can take.
var OutsideRole = posture.Check{
	ID:          "outside-role",
	Ref:         "PTH-12",
	Title:       "principal outside the organisation can take a role that changes layers or functions",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1078.004", "T1199"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "take the statement out of the role's trust policy, or what changes layers and functions out of the role",
	NoFix:       "whether the other party still needs the role is for its owner to say",
	Run:         outsideRole,
}

func outsideRole(in posture.Input, found func(posture.Result)) {
	for _, account := range in.Estate.Snapshot.Accounts {
		for _, c := range in.Access().Callers(account.ID) {
			if c.Principal.Kind == "Role" {
				found(outsiders(in, c))
			}
		}
	}
}

func outsiders(in posture.Input, c *access.Caller) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: c.Principal.ARN, Detail: "nobody outside can take it"}
	trust, err := iam.Parse([]byte(c.Principal.Trust))
	if err != nil {
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who can take it is not known", "its trust policy was not read: "+err.Error(), "the trust policy as IAM holds it"
		return r
	}
	role := iam.NewObject(iam.Resource{ARN: c.Principal.ARN, Account: c.Principal.Account}, iam.Compile(iam.Document{Policy: trust, Edge: iam.ResourcePolicy, Name: "trust policy of " + c.Principal.Name}))
	for _, who := range outsidePrincipals(in, trust) {
		d := (&iam.Request{Subject: access.Stranger(who), Action: "sts:AssumeRole", Object: role}).Evaluate()
		// The other party knows the external id that was agreed with it.
		if agreed := d.Result == iam.Unknown && d.Residue.Holds(func(n iam.Need) bool { return strings.EqualFold(n.Key, "sts:ExternalId") }); agreed || d.Result == iam.Allow {
			if r.Outcome != lamina.Fail {
				r = posture.Result{Outcome: lamina.Fail, Resource: r.Resource, Severity: lamina.High, Detail: "a principal outside can take it, and it " + does(c)}
			}
			if who == access.Anybody {
				r.Severity = lamina.Critical
			}
			r.Evidence = append(r.Evidence, "outside: "+who)
			if agreed {
				r.Evidence = append(r.Evidence, "with: an external id")
			}
			continue
		}
		if d.Result == iam.Unknown && r.Outcome == lamina.Pass {
			r.Outcome, r.Detail = lamina.Unknown, "whether "+who+" can take it is not known"
			r.Reason, r.Settle = d.Residue.String(), "decide what the conditions named leave open"
		}
	}
	return r
}

// outsidePrincipals are the principals of accounts not known to be ours that the trust
// policy names, and anybody where it names everyone.
func outsidePrincipals(in posture.Input, trust *iam.Policy) []string {
	var out []string
	for _, s := range trust.Statements {
		if s.Effect == iam.EffectAllow && len(s.NotPrincipals) > 0 {
			out = append(out, access.Anybody)
		}
		for _, p := range s.Principals {
			account := p.ID
			arn := p.ID
			if a, err := lamina.ParseARN(p.ID); err == nil {
				account = a.Account
			} else {
				arn = "arn:aws:iam::" + p.ID + ":root"
			}
			switch {
			case p.ID == "*":
				out = append(out, access.Anybody)
			case p.Kind == "AWS" && len(account) == 12 && !in.Estate.Org.Ours(account):
				out = append(out, arn)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
