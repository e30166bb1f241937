package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSharedOutside finds layer versions that an account outside the organisation may read.
var LayerSharedOutside = posture.Check{
	ID:          "layer-shared-outside",
	Ref:         "EXP-02",
	Title:       "layer version can be read by an account that is not known to be ours",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Uses:        []string{"organizations:ListAccounts"},
	Lists:       posture.ListLayers,
	Analyzers:   givenAway,
	Remediation: "remove the statement, or approve the sharing with an owner and an end",
	NoFix:       "revoking a grant that someone may rely on is planned from the exposure, not from this finding",
	Run:         layerSharedOutside,
}

func layerSharedOutside(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		given := giftsOf(in, l)
		r := in.Sharing(l, "no statement names an account that is not ours", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			switch scope {
			case lamina.ScopeUnknownAccount:
				return posture.Result{Severity: worse(lamina.High, given), Detail: "its policy grants " + g.Action + " to account " + g.Principal + ", which is not known to be ours"}, true
			case lamina.ScopeVendorAccount:
				return posture.Result{Severity: worse(lamina.Medium, given), Detail: "its policy grants " + g.Action + " to account " + g.Principal + ", a publisher of layers"}, true
			case lamina.ScopeUndetermined:
				return posture.Result{
					Outcome: lamina.Unknown, Detail: "whether account " + g.Principal + " is ours is not known",
					Reason: "the accounts of the organisation are not known", Settle: "lamina collect --organization",
				}, g.OrganizationID == ""
			case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount,
				lamina.ScopeOwnAccount, lamina.ScopeUnknownPrincipal:
			}
			return posture.Result{}, false
		})
		if r.Outcome == lamina.Fail {
			r.Evidence = append(r.Evidence, posture.Places(given)...)
		}
		found(r)
	}
}
