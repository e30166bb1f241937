package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSharedOtherOrganization finds layer versions that every account of a foreign organisation may read.
var LayerSharedOtherOrganization = posture.Check{
	ID:          "layer-shared-other-organization",
	Ref:         "EXP-03",
	Title:       "layer version can be read by another organisation",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Uses:        []string{"organizations:DescribeOrganization"},
	Lists:       posture.ListLayers,
	Remediation: "remove the statement, or approve the sharing with an owner and an end",
	NoFix:       "revoking a grant that someone may rely on is planned from the exposure, not from this finding",
	Run:         layerSharedOtherOrganization,
}

func layerSharedOtherOrganization(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		found(in.Sharing(l, "no statement names another organisation", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			if g.OrganizationID != "" && scope == lamina.ScopeUndetermined {
				return posture.Result{
					Outcome: lamina.Unknown, Detail: "whether " + g.OrganizationID + " is our organisation is not known",
					Reason: "the id of our organisation is not known", Settle: "allow organizations:DescribeOrganization to the collector",
				}, true
			}
			return posture.Result{Detail: "its policy grants " + g.Action + " to every account of " + g.OrganizationID}, scope == lamina.ScopeForeignOrganization
		}))
	}
}
