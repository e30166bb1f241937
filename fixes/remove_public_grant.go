package fixes

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/remedy"
)

// RemovePublicGrant removes the statements that let everyone read a layer version.
var RemovePublicGrant = remedy.Fix{
	ID:       "remove-public-grant",
	Title:    "remove the statements that let everyone read the layer version",
	Since:    "0.1",
	Remedies: []string{"layer-public"},
	Effort:   "one call a statement, undone with one call each",
	Plan:     removePublicGrant,
}

func removePublicGrant(est *estate.Estate, e lamina.Exposure) (lamina.Plan, error) {
	l, ok := est.Layer(e.Resource)
	if !ok || l.Policy == nil || e.Who != "everyone" {
		return lamina.Plan{}, remedy.ErrNotApplicable
	}
	if l.Policy.RevisionID == "" {
		return lamina.Plan{}, fmt.Errorf("%s: the policy has no revision id: it was not read from AWS", l.ARN)
	}
	p := lamina.Plan{Breaks: []string{
		"accounts outside the organisation that use the layer keep it where it is attached, and cannot attach it again; which they are is not observable",
	}}
	for _, g := range l.Policy.Grants {
		if est.Org.Scope(g, l.Account) != lamina.ScopePublic {
			continue
		}
		args := map[string]string{"LayerName": l.Name, "VersionNumber": strconv.Itoa(l.Version), "StatementId": g.StatementID}
		undo := map[string]string{
			"LayerName": l.Name, "VersionNumber": strconv.Itoa(l.Version), "StatementId": g.StatementID,
			"Action": g.Action, "Principal": g.Principal,
		}
		step := lamina.Step{
			Action: "lambda:RemoveLayerVersionPermission", Resource: l.ARN, Args: args,
			Undo: &lamina.Step{Action: "lambda:AddLayerVersionPermission", Resource: l.ARN, Args: undo},
		}
		if len(p.Steps) == 0 {
			step.RevisionID = l.Policy.RevisionID
		}
		p.Steps = append(p.Steps, step)
	}
	if len(p.Steps) == 0 {
		return lamina.Plan{}, remedy.ErrNotApplicable
	}
	losing := map[string]int{}
	for _, f := range est.Users(l.ARN) {
		if f.Account != l.Account && !granted(est, l, f.Account) {
			losing[f.Account]++
		}
	}
	for _, account := range slices.Sorted(maps.Keys(losing)) {
		if n := losing[account]; n > 0 && est.Org.Ours(account) {
			p.Breaks = append(p.Breaks, fmt.Sprintf(
				"%d functions in account %s of this organisation load the version by this grant alone: their next change of layers will be refused", n, account))
		}
	}
	return p, nil
}

// granted says whether another statement than a public one lets the account,
// which is of this organisation, read the version.
func granted(est *estate.Estate, l lamina.LayerVersion, account string) bool {
	for _, g := range l.Policy.Grants {
		if g.Principal == account || g.Principal == "*" && g.OrganizationID != "" && g.OrganizationID == est.Org.ID {
			return true
		}
	}
	return false
}
