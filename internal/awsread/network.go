package awsread

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/lamina-sec/lamina"
)

// filterValues is how many values AWS takes in one filter.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html
const filterValues = 200

func filters(name string, values []string) func(func([]ec2types.Filter) bool) {
	return func(yield func([]ec2types.Filter) bool) {
		for part := range slices.Chunk(values, filterValues) {
			if !yield([]ec2types.Filter{{Name: &name, Values: part}}) {
				return
			}
		}
	}
}

// Subnets returns those of the subnets that there are, without their routes.
func (c *Client) Subnets(ctx context.Context, accountID string, ids []string) ([]lamina.Subnet, error) {
	var all []lamina.Subnet
	for f := range filters("subnet-id", ids) {
		for out, err := range pages(ctx, ec2.NewDescribeSubnetsPaginator(c.ec2, &ec2.DescribeSubnetsInput{Filters: f})) {
			if err != nil {
				return all, fail("ec2:DescribeSubnets", "*", err)
			}
			for _, s := range out.Subnets {
				n := lamina.Subnet{ID: aws.ToString(s.SubnetId), Account: accountID, Region: c.Region, VPC: aws.ToString(s.VpcId)}
				if owner := aws.ToString(s.OwnerId); owner != accountID {
					n.Owner = owner
				}
				all = append(all, n)
			}
		}
	}
	return all, nil
}

// Routes sets the default routes of subnets from the route tables of their VPCs:
// a subnet without a table of its own has the VPC's main one.
func (c *Client) Routes(ctx context.Context, subnets []lamina.Subnet) error {
	own, main := map[string][]string{}, map[string][]string{} // by subnet, by VPC
	has := map[string]bool{}
	for f := range filters("vpc-id", vpcs(subnets)) {
		for out, err := range pages(ctx, ec2.NewDescribeRouteTablesPaginator(c.ec2, &ec2.DescribeRouteTablesInput{Filters: f})) {
			if err != nil {
				return fail("ec2:DescribeRouteTables", "*", err)
			}
			for _, t := range out.RouteTables {
				targets := defaults(t.Routes)
				for _, a := range t.Associations {
					if aws.ToBool(a.Main) {
						main[aws.ToString(t.VpcId)] = targets
					} else if a.SubnetId != nil {
						own[*a.SubnetId], has[*a.SubnetId] = targets, true
					}
				}
			}
		}
	}
	for i, s := range subnets {
		if subnets[i].DefaultRoutes = own[s.ID]; !has[s.ID] {
			subnets[i].DefaultRoutes = main[s.VPC]
		}
	}
	return nil
}

// everywhere are the destinations of a default route, and its halves.
var everywhere = []string{"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1", "2000::/3"}

// defaults are the targets of routes to everywhere that work, sorted.
func defaults(routes []ec2types.Route) []string {
	var all []string
	for _, r := range routes {
		if r.State == ec2types.RouteStateBlackhole || !slices.Contains(everywhere, aws.ToString(r.DestinationCidrBlock)) && !slices.Contains(everywhere, aws.ToString(r.DestinationIpv6CidrBlock)) {
			continue
		}
		for _, to := range []*string{
			r.NatGatewayId, r.EgressOnlyInternetGatewayId, r.TransitGatewayId, r.VpcPeeringConnectionId, r.NetworkInterfaceId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn, r.GatewayId,
		} {
			if to != nil {
				all = append(all, *to)
				break
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// vpcs are those that the subnets are in, sorted.
func vpcs(subnets []lamina.Subnet) []string {
	var all []string
	for _, s := range subnets {
		all = append(all, s.VPC)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SecurityGroups returns those of the security groups that there are.
func (c *Client) SecurityGroups(ctx context.Context, accountID string, ids []string) ([]lamina.SecurityGroup, error) {
	var all []lamina.SecurityGroup
	for f := range filters("group-id", ids) {
		for out, err := range pages(ctx, ec2.NewDescribeSecurityGroupsPaginator(c.ec2, &ec2.DescribeSecurityGroupsInput{Filters: f})) {
			if err != nil {
				return all, fail("ec2:DescribeSecurityGroups", "*", err)
			}
			for _, g := range out.SecurityGroups {
				all = append(all, lamina.SecurityGroup{ID: aws.ToString(g.GroupId), Account: accountID, Region: c.Region, VPC: aws.ToString(g.VpcId), Egress: destinations(g.IpPermissionsEgress)})
			}
		}
	}
	return all, nil
}

// destinations are where rules let packets go, whatever the port, sorted.
func destinations(rules []ec2types.IpPermission) []string {
	var all []string
	for _, r := range rules {
		for _, x := range r.IpRanges {
			all = append(all, aws.ToString(x.CidrIp))
		}
		for _, x := range r.Ipv6Ranges {
			all = append(all, aws.ToString(x.CidrIpv6))
		}
		for _, x := range r.PrefixListIds {
			all = append(all, aws.ToString(x.PrefixListId))
		}
		for _, x := range r.UserIdGroupPairs {
			all = append(all, aws.ToString(x.GroupId))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// VPCEndpoints returns the endpoints of the subnets' VPCs.
func (c *Client) VPCEndpoints(ctx context.Context, accountID string, subnets []lamina.Subnet) ([]lamina.VPCEndpoint, error) {
	var all []lamina.VPCEndpoint
	for f := range filters("vpc-id", vpcs(subnets)) {
		for out, err := range pages(ctx, ec2.NewDescribeVpcEndpointsPaginator(c.ec2, &ec2.DescribeVpcEndpointsInput{Filters: f})) {
			if err != nil {
				return all, fail("ec2:DescribeVpcEndpoints", "*", err)
			}
			for _, e := range out.VpcEndpoints {
				all = append(all, lamina.VPCEndpoint{
					ID: aws.ToString(e.VpcEndpointId), Account: accountID, Region: c.Region, VPC: aws.ToString(e.VpcId),
					Service: aws.ToString(e.ServiceName), Policy: aws.ToString(e.PolicyDocument),
				})
			}
		}
	}
	return all, nil
}
