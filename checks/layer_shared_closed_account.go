package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSharedClosedAccount finds grants to accounts of ours that are not in use any more.
var LayerSharedClosedAccount = posture.Check{
	ID:          "layer-shared-closed-account",
	Ref:         "EXP-06",
	Title:       "layer version is granted to an account that is closed or suspended",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1199"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy", "organizations:ListAccounts"),
	Lists:       append(posture.ListLayers, "organizations:ListAccounts"),
	Remediation: "remove the statement",
	NoFix:       "revoking a grant that someone may rely on is planned from the exposure, not from this finding",
	Run:         layerSharedClosedAccount,
}

func layerSharedClosedAccount(in posture.Input, found func(posture.Result)) {
	status := map[string]string{}
	for _, a := range in.Estate.Snapshot.Accounts {
		status[a.ID] = a.Status
	}
	unread := in.Estate.Unread("organizations:ListAccounts")
	for l := range in.Estate.OurLayers() {
		named := false
		r := in.Grants(l, "every account it is granted to is active", func(g lamina.Grant, _ lamina.GrantScope) (posture.Result, bool) {
			named = named || g.Principal != "*"
			s, ours := status[g.Principal]
			switch {
			case ours && s != "" && s != "ACTIVE":
				return posture.Result{Detail: "its policy grants " + g.Action + " to account " + g.Principal + ", whose status is " + s}, true
			case len(unread) > 0 && g.Principal != "*":
				return posture.Result{
					Outcome: lamina.Unknown, Detail: "whether account " + g.Principal + " is active is not known", Reason: unread[0].Why(), Settle: unread[0].Settle(),
				}, true
			}
			return posture.Result{}, false
		})
		if r.Outcome == lamina.Pass && !named {
			r.Outcome, r.Detail = lamina.NotApplicable, "it is granted to no account by name"
		}
		found(r)
	}
}
