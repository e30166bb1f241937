package estate

import (
	"slices"
	"sync"

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
	if _, ok := e.Account(account); !ok || e.Snapshot.OrgID == "" {
		return nil
	}
	units, unlisted := e.above(account)
	if unlisted != "" {
		return unknown(Missing{Action: "organizations:ListOrganizationalUnitsForParent", Reason: unlisted + " is not listed"})
	}
	levels := append([]string{account}, units...)
	var docs []iam.Document
	for _, level := range slices.Backward(levels) {
		for _, p := range e.Snapshot.OrganizationPolicies {
			if p.Type != "SERVICE_CONTROL_POLICY" || !slices.Contains(p.Targets, level) {
				continue
			}
			docs = append(docs, iam.Document{Policy: e.parse(p.Document), Edge: iam.SCP, Name: p.Name, Level: level})
		}
	}
	return docs
}

// Units are the organisational units that the account is in, from its own to the
// root, as far as they are known.
func (e *Estate) Units(account string) []string {
	units, _ := e.above(account)
	return units
}

// above are the units that the account is in, and the one that is not listed.
func (e *Estate) above(account string) (units []string, unlisted string) {
	a, _ := e.Account(account)
	for parent := a.ParentID; parent != "" && len(units) < maxLevels; {
		units = append(units, parent)
		i := slices.IndexFunc(e.Snapshot.OrganizationalUnits, func(u lamina.OrganizationalUnit) bool { return u.ID == parent })
		if i < 0 {
			return units, parent
		}
		parent = e.Snapshot.OrganizationalUnits[i].ParentID
	}
	return units, ""
}

// maxLevels is more than an organisation can be deep: AWS allows five levels of
// units below the root.
const maxLevels = 16

// Subject returns the principal with every policy that bears on what it does:
// its own, those of its groups, its boundary, and the service control policies
// of its account. A policy that is named and was not read is one of which nothing
// is known.
func (e *Estate) Subject(p lamina.Principal) *iam.Subject {
	var docs []iam.Document
	add := func(edge iam.Edge, name, document string) {
		docs = append(docs, iam.Document{Policy: e.parse(document), Edge: edge, Name: name})
	}
	managed := func(edge iam.Edge, arn string) {
		i, ok := e.managed[arn]
		if !ok {
			docs = append(docs, iam.Document{Policy: iam.Unreadable("the policy was not read"), Edge: edge, Name: arn})
			return
		}
		add(edge, arn, e.Snapshot.ManagedPolicies[i].Document)
	}
	own := func(of string, inline []lamina.InlinePolicy, attached []string) {
		for _, i := range inline {
			add(iam.Identity, i.Name+" of "+of, i.Document)
		}
		for _, arn := range attached {
			managed(iam.Identity, arn)
		}
	}
	own(p.Name, p.Inline, p.Attached)
	for _, arn := range p.Groups {
		if i, ok := e.groups[arn]; ok {
			g := e.Snapshot.Groups[i]
			own(g.Name, g.Inline, g.Attached)
		}
	}
	if p.Boundary != "" {
		managed(iam.Boundary, p.Boundary)
	}
	docs = append(docs, e.control(p.Account)...)
	a, _ := e.Account(p.Account)
	org := iam.Absent()
	switch _, missing := e.Missing("", "", "organizations:DescribeOrganization", ""); {
	case e.Snapshot.OrgID != "":
		org = iam.Is(e.Snapshot.OrgID)
	case missing:
		org = iam.UnknownValue()
	}
	tags := iam.Absent()
	if p.Kind == "Role" { // a session may bring tags of its own
		tags = iam.UnknownValue()
	}
	return iam.NewSubject(iam.Caller{ARN: p.ARN, UniqueID: p.ID, Management: a.Management, OrgID: org, Tags: p.Tags, OtherTags: tags}, iam.Compile(docs...))
}

// parsed is what was parsed of the snapshot's documents, each once.
type parsed struct {
	mu       sync.Mutex
	policies map[string]*iam.Policy
	control  map[string][]iam.Document // by account
}

func (e *Estate) parse(document string) *iam.Policy {
	e.parsed.mu.Lock()
	defer e.parsed.mu.Unlock()
	if p, ok := e.parsed.policies[document]; ok {
		return p
	}
	p, err := iam.Parse([]byte(document))
	if err != nil {
		p = iam.Unreadable(err.Error())
	}
	e.parsed.policies[document] = p
	return p
}

// control is ServiceControl, worked out once for each account.
func (e *Estate) control(account string) []iam.Document {
	e.parsed.mu.Lock()
	docs, ok := e.parsed.control[account]
	e.parsed.mu.Unlock()
	if ok {
		return docs
	}
	docs = e.ServiceControl(account)
	e.parsed.mu.Lock()
	defer e.parsed.mu.Unlock()
	e.parsed.control[account] = docs
	return docs
}
