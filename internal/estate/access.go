package estate

import (
	"slices"
	"strconv"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// Account returns the account of ours with the id.
func (e *Estate) Account(id string) (lamina.Account, bool) {
	i, ok := e.accounts[id]
	if !ok {
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
		for _, i := range e.control[level] {
			p := e.Snapshot.OrganizationPolicies[i]
			docs = append(docs, iam.Document{Policy: e.Policy(p.Document), Edge: iam.SCP, Name: p.Name, Level: level})
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
		i, ok := e.units[parent]
		if !ok {
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
	c := iam.Caller{ARN: p.ARN, Name: p.Name, UniqueID: p.ID, Management: a.Management, OrgID: org, Tags: p.Tags, OtherTags: tags}
	return iam.NewSubject(c, e.policies(p))
}

// policies are those of Subject. Most roles of an organisation are made from few
// templates: those with the same policies share them.
func (e *Estate) policies(p lamina.Principal) *iam.Set {
	key := policyKey(p)
	return e.worked.sets.get(key, func() *iam.Set { return iam.Compile(e.documents(p)...) })
}

// policyKey is the same for principals that the same documents bear on.
func policyKey(p lamina.Principal) string {
	var b []byte
	add := func(list ...string) {
		b = strconv.AppendInt(b, int64(len(list)), 10)
		for _, s := range list {
			b = strconv.AppendInt(append(b, ' '), int64(len(s)), 10)
			b = append(append(b, ' '), s...)
		}
	}
	add(p.Account, p.Boundary)
	add(p.Attached...)
	add(p.Groups...)
	for _, i := range p.Inline {
		add(i.Name, i.Document)
	}
	return string(b)
}

func (e *Estate) documents(p lamina.Principal) []iam.Document {
	var docs []iam.Document
	managed := func(edge iam.Edge, arn string) {
		i, ok := e.managed[arn]
		if !ok {
			docs = append(docs, iam.Document{Policy: iam.Unreadable("the policy was not read"), Edge: edge, Name: arn})
			return
		}
		docs = append(docs, iam.Document{Policy: e.Policy(e.Snapshot.ManagedPolicies[i].Document), Edge: edge, Name: arn})
	}
	for _, i := range p.Inline {
		docs = append(docs, iam.Document{Policy: e.Policy(i.Document), Edge: iam.Identity, Name: i.Name, Own: true})
	}
	for _, arn := range p.Attached {
		managed(iam.Identity, arn)
	}
	for _, arn := range p.Groups {
		i, ok := e.groups[arn]
		if !ok {
			continue
		}
		g := e.Snapshot.Groups[i]
		for _, i := range g.Inline {
			docs = append(docs, iam.Document{Policy: e.Policy(i.Document), Edge: iam.Identity, Name: i.Name + " of " + g.Name})
		}
		for _, arn := range g.Attached {
			managed(iam.Identity, arn)
		}
	}
	if p.Boundary != "" {
		managed(iam.Boundary, p.Boundary)
	}
	control := e.worked.control.get(p.Account, func() []iam.Document { return e.ServiceControl(p.Account) })
	return append(docs, control...)
}

// worked is what was worked out of the snapshot, each once.
type worked struct {
	policies memory[*iam.Policy]    // by document
	control  memory[[]iam.Document] // by account
	sets     memory[*iam.Set]       // by policyKey
	missing  memory[[]Missing]      // by action
}

// Policy is the document of a policy, parsed once; what cannot be parsed is a policy
// of which nothing is known.
func (e *Estate) Policy(document string) *iam.Policy {
	return e.worked.policies.get(document, func() *iam.Policy {
		p, err := iam.Parse([]byte(document))
		if err != nil {
			return iam.Unreadable(err.Error())
		}
		return p
	})
}

// A memory keeps answers, for any number of goroutines.
type memory[T any] struct {
	mu    sync.Mutex
	known map[string]T
}

// get returns the answer for key, from find when there is none. Two goroutines
// that ask at the same time may both find it; the first answer stays.
func (m *memory[T]) get(key string, find func() T) T {
	m.mu.Lock()
	t, ok := m.known[key]
	m.mu.Unlock()
	if ok {
		return t
	}
	found := find()
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok = m.known[key]; ok {
		return t
	}
	if m.known == nil {
		m.known = map[string]T{}
	}
	m.known[key] = found
	return found
}
