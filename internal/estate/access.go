package estate

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// Account returns the account of ours with the id.
func (e *Estate) Account(id string) (lamina.Account, bool) {
	i := slices.IndexFunc(e.Snapshot.Accounts, func(a lamina.Account) bool { return a.ID == id })
	if i < 0 {
		return lamina.Account{}, false
	}
	return e.Snapshot.Accounts[i], true
}

// organizationActions are what it takes to know the service control policies of
// an account.
var organizationActions = []string{
	"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent",
	"organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy",
}

// ServiceControl returns the service control policies that bear on the account,
// level by level from the root to the account itself. Where they are not known
// there is one policy of which nothing is known. An account of no organisation
// has none; that they do not touch the management account is for the caller
// (iam.Caller.Management).
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
func (e *Estate) ServiceControl(account string) []iam.Document {
	unknown := func(m Missing) []iam.Document {
		return []iam.Document{{Policy: iam.Unreadable(m.Why()), Edge: iam.SCP, Name: "service control policies", Level: organization}}
	}
	for _, action := range organizationActions {
		if m, ok := e.Missing("", "", action, ""); ok {
			if action == "organizations:DescribeOrganization" || e.Snapshot.OrgID != "" {
				return unknown(m)
			}
			return nil // it was read that there is no organisation
		}
	}
	a, ok := e.Account(account)
	if !ok || e.Snapshot.OrgID == "" {
		return nil
	}
	levels := []string{account}
	for parent := a.ParentID; parent != "" && len(levels) < maxLevels; {
		levels = append(levels, parent)
		i := slices.IndexFunc(e.Snapshot.OrganizationalUnits, func(u lamina.OrganizationalUnit) bool { return u.ID == parent })
		if i < 0 {
			return unknown(Missing{Action: "organizations:ListOrganizationalUnitsForParent", Reason: parent + " is not listed"})
		}
		parent = e.Snapshot.OrganizationalUnits[i].ParentID
	}
	var docs []iam.Document
	for _, level := range slices.Backward(levels) {
		for _, p := range e.Snapshot.OrganizationPolicies {
			if p.Type != "SERVICE_CONTROL_POLICY" || !slices.Contains(p.Targets, level) {
				continue
			}
			policy, err := iam.Parse([]byte(p.Document))
			if err != nil {
				policy = iam.Unreadable(err.Error())
			}
			docs = append(docs, iam.Document{Policy: policy, Edge: iam.SCP, Name: p.Name, Level: level})
		}
	}
	return docs
}

// maxLevels is more than an organisation can be deep: AWS allows five levels of
// units below the root.
const maxLevels = 16
