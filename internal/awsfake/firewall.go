package awsfake

import (
	"net/http"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// managedList is how the ids of AWS's own lists of domains begin here; on AWS
// they look like any.
const managedList = "rslvr-fdl-managed"

// dnsFirewallOperations know which rule groups of DNS Firewall VPCs have. A list
// of domains holds one, or "*".
func (f *Fake) dnsFirewallOperations() map[string]rpc {
	pages := paging{"MaxResults", "NextToken", "NextToken", 100, 100, "InvalidNextTokenException"}
	missing := func(id string) *Error {
		return &Error{Status: http.StatusBadRequest, Code: "ResourceNotFoundException", Message: "There is no " + id}
	}
	return map[string]rpc{
		"ListFirewallRuleGroupAssociations": {do: func(s Session, in input) (object, *Error) {
			return listing(in, pages, "FirewallRuleGroupAssociations", s.firewalls(), func(w lamina.DNSFirewall) object {
				return object{
					{name: "Id", value: w.ID},
					{name: "VpcId", value: w.VPC},
					{name: "FirewallRuleGroupId", value: w.Group},
					{name: "Priority", value: w.Priority},
					{name: "Status", value: "COMPLETE"},
					{name: "MutationProtection", value: "DISABLED"},
				}
			})
		}},
		"ListFirewallRules": {do: func(s Session, in input) (object, *Error) {
			id, all := in.text("FirewallRuleGroupId"), s.firewalls()
			i := slices.IndexFunc(all, func(w lamina.DNSFirewall) bool { return w.Group == id })
			if i < 0 {
				return nil, missing(id)
			}
			var rules []object
			for priority, r := range all[i].Rules {
				o := object{{name: "FirewallRuleGroupId", value: id}, {name: "Priority", value: priority}, {name: "Action", value: r.Action}}
				rules = append(rules, o.optional("FirewallDomainListId", r.Domains).optional("DnsThreatProtection", r.Protection).optional("Qtype", r.QueryType))
			}
			slices.Reverse(rules) // AWS promises no order
			return listing(in, pages, "FirewallRules", rules, func(o object) object { return o })
		}},
		"ListFirewallDomainLists": {do: func(s Session, in input) (object, *Error) {
			return listing(in, pages, "FirewallDomainLists", s.domainLists(), func(r lamina.DNSRule) object {
				owner := ""
				if strings.HasPrefix(r.Domains, managedList) {
					owner = "Route 53 Resolver DNS Firewall"
				}
				return object{{name: "Id", value: r.Domains}, {name: "Name", value: r.Domains}}.optional("ManagedOwnerName", owner)
			})
		}},
		"ListFirewallDomains": {do: func(s Session, in input) (object, *Error) {
			id, all := in.text("FirewallDomainListId"), s.domainLists()
			i := slices.IndexFunc(all, func(r lamina.DNSRule) bool { return r.Domains == id })
			switch {
			case i < 0:
				return nil, missing(id)
			case strings.HasPrefix(id, managedList):
				return nil, &Error{Status: http.StatusBadRequest, Code: "AccessDeniedException", Message: "The domains of a managed list are not shown"} // derived
			case all[i].Every:
				return object{{name: "Domains", value: []string{"*."}}}, nil
			}
			return object{{name: "Domains", value: []string{"named.invalid."}}}, nil
		}},
	}
}

func (s Session) firewalls() []lamina.DNSFirewall {
	return only(s.f.estate.DNSFirewalls, func(w lamina.DNSFirewall) bool { return s.here(w.Account, w.Region) })
}

// domainLists are a rule about each list, by id.
func (s Session) domainLists() []lamina.DNSRule {
	var all []lamina.DNSRule
	for _, w := range s.firewalls() {
		for _, r := range w.Rules {
			if r.Domains != "" {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b lamina.DNSRule) int { return strings.Compare(a.Domains, b.Domains) })
	return slices.CompactFunc(all, func(a, b lamina.DNSRule) bool { return a.Domains == b.Domains })
}
