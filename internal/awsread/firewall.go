package awsread

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver/types"

	"github.com/lamina-sec/lamina"
)

// DNSFirewalls returns the rule groups that the subnets' VPCs have, without their
// rules.
func (c *Client) DNSFirewalls(ctx context.Context, accountID string, subnets []lamina.Subnet) ([]lamina.DNSFirewall, error) {
	const action = "route53resolver:ListFirewallRuleGroupAssociations"
	wanted := vpcs(subnets)
	var all []lamina.DNSFirewall
	for out, err := range pages(ctx, route53resolver.NewListFirewallRuleGroupAssociationsPaginator(c.resolver, &route53resolver.ListFirewallRuleGroupAssociationsInput{})) {
		if err != nil {
			return all, fail(action, "*", err)
		}
		for _, a := range out.FirewallRuleGroupAssociations {
			if a.Status == types.FirewallRuleGroupAssociationStatusDeleting || !slices.Contains(wanted, aws.ToString(a.VpcId)) {
				continue
			}
			all = append(all, lamina.DNSFirewall{
				ID: aws.ToString(a.Id), Account: accountID, Region: c.Region, VPC: aws.ToString(a.VpcId), Group: aws.ToString(a.FirewallRuleGroupId), Priority: int(aws.ToInt32(a.Priority)),
			})
		}
	}
	return all, nil
}

// DNSRules returns the rules of a group in the order in which they are asked. It
// does not say which lists hold every domain.
func (c *Client) DNSRules(ctx context.Context, group string) ([]lamina.DNSRule, error) {
	var rules []types.FirewallRule
	for out, err := range pages(ctx, route53resolver.NewListFirewallRulesPaginator(c.resolver, &route53resolver.ListFirewallRulesInput{FirewallRuleGroupId: &group})) {
		if err != nil {
			return nil, fail("route53resolver:ListFirewallRules", group, err)
		}
		rules = append(rules, out.FirewallRules...)
	}
	slices.SortStableFunc(rules, func(a, b types.FirewallRule) int {
		return cmp.Compare(aws.ToInt32(a.Priority), aws.ToInt32(b.Priority))
	})
	var all []lamina.DNSRule
	for _, r := range rules {
		all = append(all, lamina.DNSRule{
			Action: string(r.Action), Domains: aws.ToString(r.FirewallDomainListId), Protection: string(r.DnsThreatProtection), QueryType: aws.ToString(r.Qtype),
		})
	}
	return all, nil
}

// OwnDomainLists returns the ids of the lists of domains that are the account's:
// what is in those that AWS keeps, it does not say.
func (c *Client) OwnDomainLists(ctx context.Context) (map[string]bool, error) {
	own := map[string]bool{}
	for out, err := range pages(ctx, route53resolver.NewListFirewallDomainListsPaginator(c.resolver, &route53resolver.ListFirewallDomainListsInput{})) {
		if err != nil {
			return nil, fail("route53resolver:ListFirewallDomainLists", "*", err)
		}
		for _, l := range out.FirewallDomainLists {
			own[aws.ToString(l.Id)] = aws.ToString(l.ManagedOwnerName) == ""
		}
	}
	return own, nil
}

// EveryDomain reports whether the list holds all domains, as "*".
func (c *Client) EveryDomain(ctx context.Context, list string) (bool, error) {
	for out, err := range pages(ctx, route53resolver.NewListFirewallDomainsPaginator(c.resolver, &route53resolver.ListFirewallDomainsInput{FirewallDomainListId: &list})) {
		if err != nil {
			return false, fail("route53resolver:ListFirewallDomains", list, err)
		}
		if slices.ContainsFunc(out.Domains, func(d string) bool { return strings.TrimSuffix(d, ".") == "*" }) {
			return true, nil
		}
	}
	return false, nil
}
