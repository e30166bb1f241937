package collect

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Lost says what of an earlier snapshot a run would not read again, so that a
// snapshot of the run cannot take the place of the earlier one; none when it reads
// at least as much. What is no longer there is not lost: an account that left the
// organisation or was closed, and a region that an account has switched off.
func Lost(had lamina.Snapshot, o Options) []string {
	if had.OrgID != "" && o.Organization.ID != "" && had.OrgID != o.Organization.ID {
		return []string{"organisation " + had.OrgID}
	}
	var lost []string
	for _, arn := range had.Only {
		within := func(asked string) bool { return arn == asked || strings.HasPrefix(arn, asked+":") }
		if o.Only != nil && !slices.ContainsFunc(o.Only, within) {
			lost = append(lost, arn)
		}
	}
	if had.Only == nil && o.Only != nil {
		lost = append(lost, "everything beside "+strings.Join(o.Only, ", "))
	}
	if lost != nil {
		return lost
	}
	if had.OrganizationalUnits != nil && o.Organization.units == nil {
		lost = append(lost, "the units and policies of the organisation")
	}
	told := map[string]bool{}
	for _, t := range had.Targets {
		i := slices.IndexFunc(o.Accounts, func(a Account) bool { return a.ID == t.Account })
		what := "account " + t.Account
		switch {
		case t.Region == organizationTarget:
			continue
		case i < 0 && had.OrgID == o.Organization.ID && o.Organization.left(t.Account):
			continue
		case i >= 0 && (t.Region == "" || len(o.Accounts[i].Regions) == 0 || slices.Contains(o.Accounts[i].Regions, t.Region)):
			continue
		case i >= 0:
			what += " in " + t.Region
		}
		if !told[what] {
			told[what] = true
			lost = append(lost, what)
		}
	}
	return lost
}

// left reports whether the organisation is known not to have the account, or not as
// one that can be read.
func (o Organization) left(account string) bool {
	i := slices.IndexFunc(o.Accounts, func(a lamina.Account) bool { return a.ID == account })
	if i < 0 {
		return len(o.Accounts) > 0
	}
	return o.Accounts[i].Status != "" && o.Accounts[i].Status != "ACTIVE"
}
