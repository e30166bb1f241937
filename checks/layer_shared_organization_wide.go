package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSharedOrganizationWide finds grants to the whole organisation that few accounts need.
var LayerSharedOrganizationWide = posture.Check{
	ID:          "layer-shared-organization-wide",
	Ref:         "EXP-04",
	Title:       "layer version can be read by the whole organisation and few accounts use it",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1530"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy", "lambda:ListFunctions"),
	Uses:        []string{"organizations:DescribeOrganization"},
	Lists:       append(posture.ListLayers, "lambda:ListFunctions"),
	Remediation: "grant to the accounts that use it instead",
	NoFix:       "revoking a grant that someone may rely on is planned from the exposure, not from this finding",
	Run:         layerSharedOrganizationWide,
}

func layerSharedOrganizationWide(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		users := map[string]bool{}
		for _, f := range in.Estate.Users(l.ARN) {
			if f.Account != l.Account {
				users[f.Account] = true
			}
		}
		shared := false
		r := in.Sharing(l, "more than a few accounts use it", func(_ lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			shared = shared || scope == lamina.ScopeOwnOrganization
			if scope != lamina.ScopeOwnOrganization {
				return posture.Result{}, false
			}
			if m := in.Estate.Unread("lambda:ListFunctions"); len(m) > 0 && len(users) <= fewAccounts {
				return posture.Result{
					Outcome: lamina.Unknown, Detail: "which accounts use it is not known", Reason: m[0].Why(), Settle: m[0].Settle(),
				}, true
			}
			return posture.Result{Detail: "every account of the organisation may read it, and it is used in " + posture.Count(len(users), "other account")}, len(users) <= fewAccounts
		})
		if r.Outcome == lamina.Pass && !shared {
			r.Outcome, r.Detail = lamina.NotApplicable, "it is not granted to the whole organisation"
		}
		found(r)
	}
}

// fewAccounts is up to how many accounts a grant to each is less than a grant to all.
const fewAccounts = 3
