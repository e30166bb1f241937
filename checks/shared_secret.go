package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SharedSecret finds credentials in layers that others may read.
var SharedSecret = posture.Check{
	ID:          "shared-secret",
	Ref:         "TOX-01",
	Title:       "layer version that outsiders may read holds a credential",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1552.001", "T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-layers.html",
	Needs:       posture.ListLayers,
	Uses:        []string{"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "organizations:ListAccounts"},
	Lists:       posture.ListLayers,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   secretAnalyzers,
	Remediation: "replace the credential first, then take the grant away: who fetched the zip keeps it",
	NoFix:       "replacing a credential is for its owner; taking the grant away is planned from the finding about it",
	Run:         sharedSecret,
}

// secretAnalyzers find credentials.
var secretAnalyzers = []string{"baked-secret"}

func sharedSecret(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		r := sharedWith(in, l, "no credential was found in what outsiders may read", secretAnalyzers)
		if r.Outcome == lamina.Fail {
			r.Detail += " with it the credentials in it; whether they still work is not known, because none is tried"
		}
		found(r)
	}
}

// sharedWith fails a layer version that someone outside the organisation may read
// when the analyzers found something in it: Critical for everyone. A version that
// nobody outside may read passes, whatever it holds.
func sharedWith(in posture.Input, l lamina.LayerVersion, clean string, analyzers []string) posture.Result {
	failed, unknown, known := in.Inside(l.ARN, analyzers...)
	r := in.Grants(l, "nobody outside may read it", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
		switch scope {
		case lamina.ScopePublic:
			return posture.Result{Severity: lamina.Critical, Detail: "everyone may read it, and"}, true
		case lamina.ScopeForeignOrganization:
			return posture.Result{Severity: lamina.High, Detail: "organisation " + g.OrganizationID + " may read it, and"}, true
		case lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
			return posture.Result{Severity: lamina.High, Detail: "account " + g.Principal + " may read it, and"}, true
		case lamina.ScopeUndetermined:
			return posture.Result{
				Outcome: lamina.Unknown, Detail: "whether account " + g.Principal + ", which may read it, is ours is not known",
				Reason: "the accounts of the organisation are not known", Settle: "lamina collect --organization",
			}, g.OrganizationID == ""
		case lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount, lamina.ScopeOwnAccount, lamina.ScopeUnknownPrincipal:
		}
		return posture.Result{}, false
	})
	switch {
	case r.Outcome == lamina.Pass:
	case len(failed) > 0:
		r.Evidence = append(r.Evidence, posture.Places(failed)...)
	case !known && r.Outcome == lamina.Fail:
		return unknown
	case known:
		r = posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: clean}
	}
	return r
}
