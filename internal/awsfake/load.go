package awsfake

import (
	"slices"

	"github.com/lamina-sec/lamina"
)

// Load adds what services other than Lambda hold, as the nouns of a snapshot:
// accounts, units and policies of the organisation OrgID, principals, groups and
// policies of IAM, trails, metric filters, alarms, topics, rules, analyzers and
// their findings, the status of services and their findings, signing profiles, buckets, and what
// functions' networks are made of. Collecting gives the same nouns again. Layers,
// functions and code signing configurations are not taken from it: they are made
// by calls, which have their own semantics.
func (f *Fake) Load(s lamina.Snapshot) {
	f.Edit(func(e *lamina.Snapshot) {
		if s.OrgID != "" {
			e.OrgID = s.OrgID
			for _, a := range s.Accounts {
				f.orgs[a.ID] = s.OrgID
			}
		}
		for _, a := range s.Accounts {
			e.Accounts = slices.DeleteFunc(e.Accounts, func(o lamina.Account) bool { return o.ID == a.ID })
			e.Accounts = append(e.Accounts, a)
			if len(a.Delegated) > 0 {
				f.delegated[a.ID] = slices.Clone(a.Delegated)
			}
		}
		e.OrganizationalUnits = append(e.OrganizationalUnits, s.OrganizationalUnits...)
		e.OrganizationPolicies = append(e.OrganizationPolicies, s.OrganizationPolicies...)
		e.Principals = append(e.Principals, s.Principals...)
		e.Groups = append(e.Groups, s.Groups...)
		e.ManagedPolicies = append(e.ManagedPolicies, s.ManagedPolicies...)
		e.SigningProfiles = append(e.SigningProfiles, s.SigningProfiles...)
		e.Trails = append(e.Trails, s.Trails...)
		e.MetricFilters = append(e.MetricFilters, s.MetricFilters...)
		e.Alarms = append(e.Alarms, s.Alarms...)
		e.Topics = append(e.Topics, s.Topics...)
		e.EventRules = append(e.EventRules, s.EventRules...)
		e.Analyzers = append(e.Analyzers, s.Analyzers...)
		e.AccessFindings = append(e.AccessFindings, s.AccessFindings...)
		e.Services = append(e.Services, s.Services...)
		e.Unscanned = append(e.Unscanned, s.Unscanned...)
		e.ServiceFindings = append(e.ServiceFindings, s.ServiceFindings...)
		e.ConfigRecords = append(e.ConfigRecords, s.ConfigRecords...)
		e.Buckets = append(e.Buckets, s.Buckets...)
		e.Subnets = append(e.Subnets, s.Subnets...)
		e.SecurityGroups = append(e.SecurityGroups, s.SecurityGroups...)
		e.VPCEndpoints = append(e.VPCEndpoints, s.VPCEndpoints...)
		e.DNSFirewalls = append(e.DNSFirewalls, s.DNSFirewalls...)
	})
}

// Edit changes what Load put in. change must not use the Fake.
func (f *Fake) Edit(change func(*lamina.Snapshot)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.estate)
}

// here reports whether something of the account and region is the session's.
func (s Session) here(account, region string) bool {
	return account == s.caller.Account && region == s.region
}
