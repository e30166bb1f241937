package awsfake

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// ec2Operations know regions and what functions' networks are made of. Each
// subnet has a route table of its own.
func (f *Fake) ec2Operations() map[string]rpc {
	return map[string]rpc{
		"DescribeRegions": {do: func(s Session, in input) (object, *Error) {
			names := in.list("RegionName")
			all := []object{}
			for _, r := range s.regions() {
				if (in.flag("AllRegions", false) || r.status != "DISABLED") && (names == nil || slices.Contains(names, r.name)) {
					all = append(all, object{
						{name: "regionName", value: r.name},
						{name: "regionEndpoint", value: "ec2." + r.name + "." + dnsSuffix(s.partition())},
						{name: "optInStatus", value: r.ec2},
					})
				}
			}
			return object{{name: "regionInfo", value: all}}, nil
		}},
		"DescribeSubnets": {do: func(s Session, in input) (object, *Error) {
			all, err := found(in, "SubnetId", "InvalidSubnetID.NotFound", s.subnets(), func(n lamina.Subnet) dict {
				return dict{"SubnetId": n.ID, "subnet-id": n.ID, "vpc-id": n.VPC}
			})
			if err != nil {
				return nil, err
			}
			return listing(in, ec2Pages, "subnetSet", all, func(n lamina.Subnet) object {
				return object{{name: "subnetId", value: n.ID}, {name: "vpcId", value: n.VPC}, {name: "state", value: "available"}, {name: "ownerId", value: cmp.Or(n.Owner, s.caller.Account)}}
			})
		}},
		"DescribeRouteTables": {do: func(s Session, in input) (object, *Error) {
			all, err := found(in, "RouteTableId", "InvalidRouteTableID.NotFound", s.subnets(), func(n lamina.Subnet) dict {
				return dict{"RouteTableId": tableOf(n.ID), "association.subnet-id": n.ID, "vpc-id": n.VPC, "association.main": "false"}
			})
			if err != nil {
				return nil, err
			}
			return listing(in, ec2Pages, "routeTableSet", all, func(n lamina.Subnet) object {
				return object{
					{name: "routeTableId", value: tableOf(n.ID)},
					{name: "vpcId", value: n.VPC},
					{name: "ownerId", value: s.caller.Account},
					{name: "routeSet", value: routes(n)},
					{name: "associationSet", value: []object{{
						{name: "routeTableAssociationId", value: "rtbassoc-" + tableOf(n.ID)[4:]},
						{name: "routeTableId", value: tableOf(n.ID)},
						{name: "subnetId", value: n.ID},
						{name: "main", value: false},
					}}},
				}
			})
		}},
		"DescribeSecurityGroups": {do: func(s Session, in input) (object, *Error) {
			mine := only(s.f.estate.SecurityGroups, func(g lamina.SecurityGroup) bool { return s.here(g.Account, g.Region) })
			all, err := found(in, "GroupId", "InvalidGroup.NotFound", mine, func(g lamina.SecurityGroup) dict {
				return dict{"GroupId": g.ID, "group-id": g.ID, "vpc-id": g.VPC}
			})
			if err != nil {
				return nil, err
			}
			return listing(in, ec2Pages, "securityGroupInfo", all, func(g lamina.SecurityGroup) object {
				return object{
					{name: "groupId", value: g.ID},
					{name: "groupName", value: g.ID},
					{name: "groupDescription", value: ""},
					{name: "vpcId", value: g.VPC},
					{name: "ownerId", value: s.caller.Account},
					{name: "ipPermissions", value: []object{}},
					{name: "ipPermissionsEgress", value: egress(g.Egress)},
				}
			})
		}},
		"DescribeVpcEndpoints": {do: func(s Session, in input) (object, *Error) {
			mine := only(s.f.estate.VPCEndpoints, func(e lamina.VPCEndpoint) bool { return s.here(e.Account, e.Region) })
			all, err := found(in, "VpcEndpointId", "InvalidVpcEndpointId.NotFound", mine, func(e lamina.VPCEndpoint) dict {
				return dict{"VpcEndpointId": e.ID, "vpc-endpoint-id": e.ID, "vpc-id": e.VPC, "service-name": e.Service}
			})
			if err != nil {
				return nil, err
			}
			return listing(in, ec2Pages, "vpcEndpointSet", all, func(e lamina.VPCEndpoint) object {
				return object{
					{name: "vpcEndpointId", value: e.ID},
					{name: "vpcEndpointType", value: "Interface"},
					{name: "vpcId", value: e.VPC},
					{name: "serviceName", value: e.Service},
					{name: "state", value: "available"},
					{name: "policyDocument", value: e.Policy},
				}
			})
		}},
	}
}

var ec2Pages = paging{"MaxResults", "NextToken", "nextToken", 1000, 1000, "InvalidNextToken"}

func (s Session) subnets() []lamina.Subnet {
	return only(s.f.estate.Subnets, func(n lamina.Subnet) bool { return s.here(n.Account, n.Region) })
}

// found are the items that a call asks for: those whose ids it lists, all of
// which must exist, and that pass its filters. has is what an item has under the
// name of the id and of each filter.
func found[T any](in input, id, missing string, all []T, has func(T) dict) ([]T, *Error) {
	if ids := in.list(id); ids != nil {
		all = only(all, func(item T) bool { return slices.Contains(ids, has(item)[id]) })
		if len(all) < len(ids) {
			return nil, &Error{Status: http.StatusBadRequest, Code: missing, Message: "The " + id + " '" + ids[0] + "' does not exist"}
		}
	}
	for i := 1; ; i++ {
		filter := "Filter." + strconv.Itoa(i)
		name := in.text(filter + ".Name")
		if name == "" {
			return all, nil
		}
		values := in.list(filter + ".Value")
		for _, item := range all {
			if _, ok := has(item)[name]; !ok {
				return nil, &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValue", Message: "The filter '" + name + "' is invalid"}
			}
		}
		all = only(all, func(item T) bool { return slices.Contains(values, has(item)[name]) })
	}
}

func tableOf(subnet string) string { return "rtb-" + strings.TrimPrefix(subnet, "subnet-") }

// routes are the local one and the default ones.
func routes(n lamina.Subnet) []object {
	all := []object{{{name: "destinationCidrBlock", value: "10.0.0.0/16"}, {name: "gatewayId", value: "local"}, {name: "state", value: "active"}}}
	for _, target := range n.DefaultRoutes {
		to := "gatewayId"
		kind, _, _ := strings.Cut(target, "-")
		switch kind {
		case "nat":
			to = "natGatewayId"
		case "tgw":
			to = "transitGatewayId"
		case "eigw":
			to = "egressOnlyInternetGatewayId"
		case "eni":
			to = "networkInterfaceId"
		case "pcx":
			to = "vpcPeeringConnectionId"
		}
		destination := member{name: "destinationCidrBlock", value: "0.0.0.0/0"}
		if kind == "eigw" {
			destination = member{name: "destinationIpv6CidrBlock", value: "::/0"}
		}
		all = append(all, object{destination, {name: to, value: target}, {name: "state", value: "active"}})
	}
	return all
}

// egress is one rule of all protocols to all the destinations.
func egress(to []string) []object {
	if len(to) == 0 {
		return []object{}
	}
	lists := map[string][]object{}
	for _, d := range to {
		list, name := "ipRanges", "cidrIp"
		switch {
		case strings.HasPrefix(d, "sg-"):
			list, name = "groups", "groupId"
		case strings.HasPrefix(d, "pl-"):
			list, name = "prefixListIds", "prefixListId"
		case strings.Contains(d, ":"):
			list, name = "ipv6Ranges", "cidrIpv6"
		}
		lists[list] = append(lists[list], object{{name: name, value: d}})
	}
	o := object{{name: "ipProtocol", value: "-1"}}
	for _, list := range []string{"groups", "ipRanges", "ipv6Ranges", "prefixListIds"} {
		o = append(o, member{name: list, value: lists[list]})
	}
	return []object{o}
}

// vpcOf is the VPC that subnets are in; the lock must be held.
func (f *Fake) vpcOf(subnets []string) string {
	for _, n := range f.estate.Subnets {
		if slices.Contains(subnets, n.ID) {
			return n.VPC
		}
	}
	return "vpc-" + digest([]byte(strings.Join(subnets, " ")))[:8]
}
