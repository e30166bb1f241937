package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Delegate makes accounts delegated administrators of their organisation, for
// the service principal (such as "access-analyzer.amazonaws.com").
func (f *Fake) Delegate(service string, accounts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range accounts {
		f.delegated[a] = append(f.delegated[a], service)
	}
}

var orgPages = paging{"MaxResults", "NextToken", "NextToken", 20, 20, "InvalidInputException"}

func (f *Fake) organizationsOperations() map[string]rpc {
	admin := func(do func(Session, input) (object, *Error)) rpc {
		return rpc{do: func(s Session, in input) (object, *Error) {
			if err := s.administers(); err != nil {
				return nil, err
			}
			return do(s, in)
		}}
	}
	return map[string]rpc{
		"DescribeOrganization": {do: Session.describeOrganization},
		"ListAccounts": admin(func(s Session, in input) (object, *Error) {
			return listing(in, orgPages, "Accounts", s.siblings(), s.describeAccount)
		}),
		"ListRoots": admin(func(s Session, in input) (object, *Error) {
			return listing(in, orgPages, "Roots", s.units(""), func(u lamina.OrganizationalUnit) object {
				return append(s.describeUnit("root", u), member{name: "PolicyTypes", value: []object{
					{{name: "Type", value: "SERVICE_CONTROL_POLICY"}, {name: "Status", value: "ENABLED"}},
				}})
			})
		}),
		"ListOrganizationalUnitsForParent": admin(func(s Session, in input) (object, *Error) {
			if !s.parentExists(in.text("ParentId")) {
				return nil, orgError("ParentNotFoundException", "You specified a parent that doesn't exist.")
			}
			return listing(in, orgPages, "OrganizationalUnits", s.units(in.text("ParentId")), func(u lamina.OrganizationalUnit) object { return s.describeUnit("ou", u) })
		}),
		"ListAccountsForParent": admin(func(s Session, in input) (object, *Error) {
			parent := in.text("ParentId")
			if !s.parentExists(parent) {
				return nil, orgError("ParentNotFoundException", "You specified a parent that doesn't exist.")
			}
			root := s.units("")[0].ID
			below := only(s.siblings(), func(a lamina.Account) bool { return cmp.Or(a.ParentID, root) == parent })
			return listing(in, orgPages, "Accounts", below, s.describeAccount)
		}),
		"ListPolicies": admin(func(s Session, in input) (object, *Error) {
			return listing(in, orgPages, "Policies", s.orgPolicies(in.text("Filter"), ""), s.policySummary)
		}),
		"ListPoliciesForTarget": admin(func(s Session, in input) (object, *Error) {
			return listing(in, orgPages, "Policies", s.orgPolicies(in.text("Filter"), in.text("TargetId")), s.policySummary)
		}),
		"ListTargetsForPolicy": admin(func(s Session, in input) (object, *Error) {
			p := s.orgPolicy(in.text("PolicyId"))
			if p == nil {
				return nil, orgError("PolicyNotFoundException", "You specified a policy that doesn't exist.")
			}
			return listing(in, orgPages, "Targets", p.Targets, func(id string) object {
				kind := "ACCOUNT"
				switch {
				case strings.HasPrefix(id, "r-"):
					kind = "ROOT"
				case strings.HasPrefix(id, "ou-"):
					kind = "ORGANIZATIONAL_UNIT"
				}
				return object{{name: "TargetId", value: id}, {name: "Type", value: kind}}
			})
		}),
		"DescribePolicy": admin(func(s Session, in input) (object, *Error) {
			p := s.orgPolicy(in.text("PolicyId"))
			if p == nil {
				return nil, orgError("PolicyNotFoundException", "You specified a policy that doesn't exist.")
			}
			return object{{name: "Policy", value: object{{name: "PolicySummary", value: s.policySummary(*p)}, {name: "Content", value: p.Document}}}}, nil
		}),
		"ListDelegatedServicesForAccount": admin(func(s Session, in input) (object, *Error) {
			services := s.f.delegated[in.text("AccountId")]
			if len(services) == 0 {
				return nil, orgError("AccountNotRegisteredException", "The specified account is not a delegated administrator for this AWS service.")
			}
			return listing(in, orgPages, "DelegatedServices", services, func(service string) object {
				return object{{name: "ServicePrincipal", value: service}}
			})
		}),
		"ListDelegatedAdministrators": admin(func(s Session, in input) (object, *Error) {
			service := in.text("ServicePrincipal")
			all := only(s.siblings(), func(a lamina.Account) bool {
				services := s.f.delegated[a.ID]
				return len(services) > 0 && (service == "" || slices.Contains(services, service))
			})
			return listing(in, orgPages, "DelegatedAdministrators", all, s.describeAccount)
		}),
	}
}

func orgError(code, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// siblings are the accounts of the caller's organisation. Those that only
// Organization named have no name of their own.
func (s Session) siblings() []lamina.Account {
	org := s.f.orgs[s.caller.Account]
	all := only(s.f.estate.Accounts, func(a lamina.Account) bool { return org != "" && s.f.orgs[a.ID] == org })
	for _, id := range slices.Sorted(maps.Keys(s.f.orgs)) {
		if s.f.orgs[id] == org && !slices.ContainsFunc(all, func(a lamina.Account) bool { return a.ID == id }) {
			all = append(all, lamina.Account{ID: id})
		}
	}
	return all
}

// management is the management account of the caller's organisation: the one
// marked, or the first.
func (s Session) management() string {
	all := s.siblings()
	for _, a := range all {
		if a.Management {
			return a.ID
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[0].ID
}

// administers refuses callers outside the management account that are no
// delegated administrators (API reference of each operation).
func (s Session) administers() *Error {
	m := s.management()
	switch {
	case m == "":
		return notInUse()
	case m != s.caller.Account && len(s.f.delegated[s.caller.Account]) == 0:
		return orgError("AccessDeniedException", "You don't have permissions to access this resource.")
	}
	return nil
}

func notInUse() *Error {
	return orgError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

func (s Session) orgARN(rest string) string {
	return "arn:" + s.partition() + ":organizations::" + s.management() + ":" + rest
}

// describeOrganization may be called from every member.
func (s Session) describeOrganization(input) (object, *Error) {
	m := s.management()
	if m == "" {
		return nil, notInUse()
	}
	id := s.f.orgs[m]
	return object{{name: "Organization", value: object{
		{name: "Id", value: id},
		{name: "Arn", value: s.orgARN("organization/" + id)},
		{name: "FeatureSet", value: "ALL"},
		{name: "MasterAccountArn", value: s.orgARN("account/" + id + "/" + m)},
		{name: "MasterAccountId", value: m},
		{name: "MasterAccountEmail", value: "management@example.com"},
	}}}, nil
}

func (s Session) describeAccount(a lamina.Account) object {
	status := cmp.Or(a.Status, "ACTIVE")
	return object{
		{name: "Id", value: a.ID},
		{name: "Arn", value: s.orgARN("account/" + s.f.orgs[a.ID] + "/" + a.ID)},
		{name: "Email", value: "account-" + a.ID + "@example.com"},
		{name: "Name", value: a.Name},
		{name: "Status", value: status},
		{name: "State", value: status},
		{name: "JoinedMethod", value: "CREATED"},
	}
}

// units are the units directly below the parent, or the root for "". Only the
// organisation that was loaded has units; the others have a root.
func (s Session) units(parent string) []lamina.OrganizationalUnit {
	org := s.f.orgs[s.caller.Account]
	var all []lamina.OrganizationalUnit
	if org == s.f.estate.OrgID {
		all = only(s.f.estate.OrganizationalUnits, func(u lamina.OrganizationalUnit) bool { return u.ParentID == parent })
	}
	if parent == "" && len(all) == 0 {
		all = []lamina.OrganizationalUnit{{ID: "r-exam", Name: "Root"}}
	}
	return all
}

func (s Session) parentExists(id string) bool {
	is := func(u lamina.OrganizationalUnit) bool { return u.ID == id }
	return slices.ContainsFunc(s.units(""), is) || s.f.orgs[s.caller.Account] == s.f.estate.OrgID && slices.ContainsFunc(s.f.estate.OrganizationalUnits, is)
}

func (s Session) describeUnit(kind string, u lamina.OrganizationalUnit) object {
	return object{
		{name: "Id", value: u.ID},
		{name: "Arn", value: s.orgARN(kind + "/" + s.f.orgs[s.caller.Account] + "/" + u.ID)},
		{name: "Name", value: u.Name},
	}
}

// orgPolicies are the policies of a type, on a target unless that is "".
func (s Session) orgPolicies(kind, target string) []lamina.OrganizationPolicy {
	if s.f.orgs[s.caller.Account] != s.f.estate.OrgID {
		return nil
	}
	return only(s.f.estate.OrganizationPolicies, func(p lamina.OrganizationPolicy) bool {
		return p.Type == kind && (target == "" || slices.Contains(p.Targets, target))
	})
}

func (s Session) orgPolicy(id string) *lamina.OrganizationPolicy {
	for i, p := range s.f.estate.OrganizationPolicies {
		if p.ID == id && s.f.orgs[s.caller.Account] == s.f.estate.OrgID {
			return &s.f.estate.OrganizationPolicies[i]
		}
	}
	return nil
}

func (s Session) policySummary(p lamina.OrganizationPolicy) object {
	return object{
		{name: "Id", value: p.ID},
		{name: "Arn", value: s.orgARN("policy/" + s.f.orgs[s.caller.Account] + "/" + strings.ToLower(p.Type) + "/" + p.ID)},
		{name: "Name", value: p.Name},
		{name: "Type", value: p.Type},
		{name: "AwsManaged", value: p.ID == "p-FullAWSAccess"},
	}
}
