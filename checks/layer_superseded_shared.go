package checks

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSupersededShared finds grants that stay on versions which a newer one has replaced.
var LayerSupersededShared = posture.Check{
	ID:          "layer-superseded-shared",
	Ref:         "EXP-05",
	Title:       "superseded layer version is still shared",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Lists:       posture.ListLayers,
	Remediation: "remove the grants of versions that nobody is meant to use any more",
	NoFix:       "revoking a grant that someone may rely on is planned from the exposure, not from this finding",
	Run:         layerSupersededShared,
}

func layerSupersededShared(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		last, ok := in.Estate.Newest(strings.TrimSuffix(l.ARN, ":"+strconv.Itoa(l.Version)))
		if !ok || last.Version <= l.Version {
			continue // the newest
		}
		newest := last.Version
		found(in.Grants(l, "a newer version exists and this one is not shared outside its account", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			r := posture.Result{Severity: lamina.Medium, Detail: fmt.Sprintf("version %d is the newest, and this one is still granted to %s", newest, grantee(g))}
			switch scope {
			case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
				return r, true
			case lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount:
				r.Severity = lamina.Low
				return r, true
			case lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
				r.Outcome, r.Reason, r.Settle = lamina.Unknown, "who "+grantee(g)+" is, is not known", "lamina collect --organization"
				return r, true
			case lamina.ScopeOwnAccount:
			}
			return posture.Result{}, false
		}))
	}
}

// grantee says who a grant lets in.
func grantee(g lamina.Grant) string {
	switch {
	case g.OrganizationID != "":
		return "organisation " + g.OrganizationID
	case g.Principal == "*":
		return "everyone"
	}
	return "account " + g.Principal
}
