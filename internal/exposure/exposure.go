// Package exposure joins findings by reachability: who can reach what, by which
// path, and why that matters as much as it does.
//
// It knows no check by name. A layer version that is granted beyond the
// organisation and has a failing finding is an exposure; everything else that
// is wrong with that version joins it. It plans nothing and changes nothing.
// What it does not do yet: paths through roles to data, and a score with an
// interval. Start with Build.
package exposure

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
)

// maxPath is how many functions a path names; the rest are counted in Reasons.
const maxPath = 5

// Build returns the exposures of the estate that the findings support, worst
// first and then by resource and id.
func Build(est *estate.Estate, findings []lamina.Finding) []lamina.Exposure {
	failed := map[string][]lamina.Finding{}
	for _, f := range findings {
		if f.Outcome == lamina.Fail {
			failed[f.Resource] = append(failed[f.Resource], f)
		}
	}
	var out []lamina.Exposure
	for _, l := range est.Snapshot.Layers {
		fs := failed[l.ARN]
		if l.Policy == nil || len(fs) == 0 {
			continue
		}
		seen := map[string]bool{}
		for _, g := range l.Policy.Grants {
			scope := est.Org.Scope(g, l.Account)
			if who := outside(scope, g); who != "" && !seen[who] {
				seen[who] = true
				out = append(out, build(est, l, scope, who, fs))
			}
		}
	}
	slices.SortFunc(out, func(a, b lamina.Exposure) int {
		return cmp.Or(b.Severity.Rank()-a.Severity.Rank(), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// outside names who a grant lets in from beyond the organisation, or "".
func outside(scope lamina.GrantScope, g lamina.Grant) string {
	switch scope {
	case lamina.ScopePublic:
		return "everyone"
	case lamina.ScopeForeignOrganization:
		return g.OrganizationID
	case lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
		return g.Principal
	case lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount, lamina.ScopeOwnAccount,
		lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
	}
	return ""
}

func build(est *estate.Estate, l lamina.LayerVersion, scope lamina.GrantScope, who string, fs []lamina.Finding) lamina.Exposure {
	e := lamina.Exposure{
		ID:       lamina.ID("E", l.ARN, who),
		Title:    fmt.Sprintf("layer %s:%d can be read by %s", l.Name, l.Version, who),
		Resource: l.ARN,
		Who:      who,
		Path:     []string{who, l.ARN},
		Reasons:  []string{"grant scope: " + string(scope)},
	}
	for _, f := range fs {
		e.Findings = append(e.Findings, f.ID)
		if f.Severity.Rank() > e.Severity.Rank() {
			e.Severity = f.Severity
		}
		e.Reasons = append(e.Reasons, fmt.Sprintf("%s (%s): %s", f.Check, f.Severity, f.Detail))
	}
	users := est.Users(l.ARN)
	for _, f := range users[:min(len(users), maxPath)] {
		e.Path = append(e.Path, f.ARN)
	}
	if n := len(users); n > 0 {
		e.Reasons = append(e.Reasons, fmt.Sprintf("%d functions of ours load it: whoever reads it knows what they run", n))
	}
	return e
}
