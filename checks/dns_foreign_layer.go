package checks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// DNSForeignLayer finds foreign code that can send what it sees by asking for
// names.
var DNSForeignLayer = posture.Check{
	ID:         "dns-foreign-layer",
	Ref:        "NET-05",
	Title:      "function with a foreign layer can send data out by DNS",
	Since:      "0.1",
	Severity:   lamina.Info,
	Techniques: []string{"T1048.003"},
	Citation:   "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-overview.html",
	Needs:      posture.ListFunctions,
	Uses: []string{
		"ec2:DescribeSubnets", "route53resolver:ListFirewallRuleGroupAssociations", "route53resolver:ListFirewallRules",
		"route53resolver:ListFirewallDomainLists", "route53resolver:ListFirewallDomains",
	},
	Lists:       posture.ListFunctions,
	Remediation: "run the function in a VPC whose DNS Firewall blocks tunnelling, or every domain that is not on a list",
	NoFix:       "which names a function must reach is its owner's to say",
	Run:         dnsForeignLayer,
}

func dnsForeignLayer(in posture.Input, found func(posture.Result)) {
	firewalls := map[vpc][]lamina.DNSFirewall{}
	for _, w := range in.Estate.Snapshot.DNSFirewalls {
		of := vpc{w.Region, w.VPC}
		firewalls[of] = append(firewalls[of], w)
	}
	for _, groups := range firewalls {
		slices.SortStableFunc(groups, func(a, b lamina.DNSFirewall) int { return cmp.Compare(a.Priority, b.Priority) })
	}
	for _, f := range in.Estate.Snapshot.Functions {
		foreign, _ := foreignLayers(in, f)
		switch {
		case len(f.Layers) == 0:
			continue
		case len(foreign) == 0:
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: f.ARN, Detail: "all its layers are ours"})
			continue
		}
		r := resolves(in, f, firewalls)
		r.Resource, r.Evidence = f.ARN, append(foreign, r.Evidence...)
		found(r)
	}
}

// tunnelling is what DNS Firewall calls data sent in names.
const tunnelling = "DNS_TUNNELING"

// A vpc is a VPC of a region.
type vpc struct{ region, id string }

// resolves says whether a function can ask for any name: Pass when its VPC's DNS
// Firewall holds back those that carry data, or all that it does not name.
func resolves(in posture.Input, f lamina.Function, firewalls map[vpc][]lamina.DNSFirewall) posture.Result {
	r := posture.Result{Outcome: lamina.Fail, Detail: "it runs in no VPC, where no DNS Firewall is asked"}
	if len(f.Subnets) == 0 {
		return r
	}
	unknown := func(m posture.Result) posture.Result {
		m.Detail = "which names it can ask for is not known"
		return m
	}
	if m, missing := in.Missing(f.Account, f.Region, f.ARN, "ec2:DescribeSubnets", "route53resolver:ListFirewallRuleGroupAssociations"); missing {
		return unknown(m)
	}
	subnet, listed := in.Estate.Subnet(f.Subnets[0]) // all are of one VPC
	if !listed {
		return unknown(posture.Result{Outcome: lamina.Unknown, Reason: "subnet " + f.Subnets[0] + " was not listed", Settle: "collect the account that owns it, or see whether it still exists"})
	}
	groups := firewalls[vpc{subnet.Region, subnet.VPC}]
	if len(groups) == 0 {
		if subnet.Owner != "" {
			return unknown(posture.Result{Outcome: lamina.Unknown, Reason: subnet.VPC + " is shared by " + subnet.Owner + ", and AWS tells its rule groups to no other account", Settle: "see which rule groups of DNS Firewall it has in " + subnet.Owner})
		}
		r.Detail = "its VPC has no DNS Firewall"
		r.Evidence = []string{"vpc: " + subnet.VPC}
		return r
	}
	for _, w := range groups {
		if m, missing := in.Missing(w.Account, w.Region, w.Group, "route53resolver:ListFirewallRules"); missing {
			return unknown(m)
		}
		for n, rule := range w.Rules {
			if rule.Domains != "" && !rule.Every {
				if m, missing := in.Missing(w.Account, w.Region, rule.Domains, "route53resolver:ListFirewallDomainLists", "route53resolver:ListFirewallDomains"); missing {
					return unknown(m)
				}
			}
			about := rule.Protection == tunnelling || rule.Every
			evidence := fmt.Sprintf("rule: %d of %s: %s %s", n+1, w.Group, rule.Action, cmp.Or(rule.Protection, "every domain"))
			switch {
			case !about, rule.Action == "BLOCK" && rule.QueryType != "": // other names, or other records of any, go on
			case rule.Action != "BLOCK":
				r.Detail, r.Evidence = "the DNS Firewall of its VPC lets such names through", []string{"vpc: " + subnet.VPC, evidence}
				return r
			default:
				r.Outcome, r.Detail, r.Evidence = lamina.Pass, "the DNS Firewall of its VPC holds such names back", []string{"vpc: " + subnet.VPC, evidence}
				return r
			}
		}
	}
	r.Detail = "the DNS Firewall of its VPC holds back names on lists only"
	r.Evidence = []string{"vpc: " + subnet.VPC}
	for _, w := range groups {
		r.Evidence = append(r.Evidence, "rule group: "+w.Group)
	}
	return r
}
