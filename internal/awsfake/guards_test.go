package awsfake_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/signer"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

func TestGuards(t *testing.T) {
	f := awsfake.New(1, start)
	want := watched()
	f.Load(want)
	must[string](t)(f.As(caller(owner), region).CreateFunction(function("f")))
	ctx, cfg, other := t.Context(), config(f, caller(owner), region), config(f, caller(owner), "us-east-1")
	analyzers := accessanalyzer.NewFromConfig(cfg)
	list, err := analyzers.ListAnalyzers(ctx, &accessanalyzer.ListAnalyzersInput{Type: analyzertypes.TypeAccount})
	if err != nil || len(list.Analyzers) != 1 || *list.Analyzers[0].Name != "external" {
		t.Fatalf("analyzers %+v, %v", list, err)
	}
	findings, err := analyzers.ListFindingsV2(ctx, &accessanalyzer.ListFindingsV2Input{
		AnalyzerArn: list.Analyzers[0].Arn, Filter: map[string]analyzertypes.Criterion{"resourceType": {Eq: []string{"AWS::Lambda::LayerVersion"}}},
	})
	if err != nil || len(findings.Findings) != 1 || *findings.Findings[0].Id != "f-1" || !findings.Findings[0].UpdatedAt.Equal(start) {
		t.Errorf("findings %+v, %v", findings, err)
	}
	finding, err := analyzers.GetFindingV2(ctx, &accessanalyzer.GetFindingV2Input{AnalyzerArn: list.Analyzers[0].Arn, Id: aws.String("f-1")})
	if err != nil {
		t.Fatal(err)
	}
	external, ok := finding.FindingDetails[0].(*analyzertypes.FindingDetailsMemberExternalAccessDetails)
	if !ok || !*external.Value.IsPublic || external.Value.Principal["AWS"] != "*" {
		t.Errorf("details %+v", finding.FindingDetails[0])
	}
	if _, err := analyzers.GetFindingV2(ctx, &accessanalyzer.GetFindingV2Input{AnalyzerArn: list.Analyzers[0].Arn, Id: aws.String("f-9")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("no finding: %v", err)
	}
	for name, tt := range map[string]struct {
		cfg        aws.Config
		scanned    string
		covered    int
		detectors  int
		subscribed string
	}{
		"here":      {cfg, "ENABLED DISABLED", 1, 1, ""},
		"elsewhere": {other, "DISABLED DISABLED", 0, 0, "InvalidAccessException"},
	} {
		status, err := inspector2.NewFromConfig(tt.cfg).BatchGetAccountStatus(ctx, &inspector2.BatchGetAccountStatusInput{AccountIds: []string{owner, partner}})
		if err != nil || len(status.FailedAccounts) != 1 {
			t.Fatalf("%s: %+v, %v", name, status, err)
		}
		if r := status.Accounts[0].ResourceState; string(r.Lambda.Status)+" "+string(r.LambdaCode.Status) != tt.scanned {
			t.Errorf("%s: Inspector %+v", name, r)
		}
		covered, err := inspector2.NewFromConfig(tt.cfg).ListCoverage(ctx, &inspector2.ListCoverageInput{})
		if err != nil || len(covered.CoveredResources) != tt.covered {
			t.Errorf("%s: covered %+v, %v", name, covered, err)
		}
		duty := guardduty.NewFromConfig(tt.cfg)
		detectors, err := duty.ListDetectors(ctx, &guardduty.ListDetectorsInput{})
		if err != nil || len(detectors.DetectorIds) != tt.detectors {
			t.Fatalf("%s: detectors %+v, %v", name, detectors, err)
		}
		for _, id := range detectors.DetectorIds {
			d, err := duty.GetDetector(ctx, &guardduty.GetDetectorInput{DetectorId: &id})
			if err != nil || d.Features[0].Status != "ENABLED" || d.Features[0].Name != "LAMBDA_NETWORK_LOGS" {
				t.Errorf("%s: detector %+v, %v", name, d, err)
			}
		}
		if _, err := securityhub.NewFromConfig(tt.cfg).DescribeHub(ctx, &securityhub.DescribeHubInput{}); code(err) != tt.subscribed {
			t.Errorf("%s: hub: %v", name, err)
		}
	}
	profiles := signer.NewFromConfig(cfg)
	for include, n := range map[bool]int{false: 1, true: 2} {
		if out, err := profiles.ListSigningProfiles(ctx, &signer.ListSigningProfilesInput{IncludeCanceled: include}); err != nil || len(out.Profiles) != n {
			t.Errorf("signing profiles %+v, %v", out, err)
		}
	}
	if out, err := profiles.GetSigningProfile(ctx, &signer.GetSigningProfileInput{ProfileName: aws.String("q")}); err != nil || out.Status != "Canceled" || *out.ProfileVersion != "AbCdEfGhIj" {
		t.Errorf("signing profile %+v, %v", out, err)
	}
	if _, err := profiles.GetSigningProfile(ctx, &signer.GetSigningProfileInput{ProfileName: aws.String("none")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("no profile: %v", err)
	}
}

func TestNetworks(t *testing.T) {
	f := awsfake.New(1, start)
	f.OptIn(owner, "me-south-1")
	f.Load(lamina.Snapshot{
		Subnets: []lamina.Subnet{
			{ID: "subnet-a", Account: owner, Region: region, VPC: "vpc-1", DefaultRoutes: []string{"nat-1", "eigw-1"}},
			{ID: "subnet-b", Account: owner, Region: region, VPC: "vpc-1"},
			{ID: "subnet-c", Account: owner, Region: region, VPC: "vpc-2"},
		},
		SecurityGroups: []lamina.SecurityGroup{{ID: "sg-1", Account: owner, Region: region, VPC: "vpc-1", Egress: []string{"0.0.0.0/0", "::/0", "pl-1", "sg-2"}}},
		VPCEndpoints:   []lamina.VPCEndpoint{{ID: "vpce-1", Account: owner, Region: region, VPC: "vpc-1", Service: "com.amazonaws.eu-west-1.lambda", Policy: "{}"}},
	})
	ctx := t.Context()
	sdk := ec2.NewFromConfig(config(f, caller(owner), region))
	subnets, err := sdk.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-a", "subnet-c"}})
	if err != nil || len(subnets.Subnets) != 2 || *subnets.Subnets[1].VpcId != "vpc-2" {
		t.Errorf("subnets %+v, %v", subnets, err)
	}
	if _, err := sdk.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-z"}}); code(err) != "InvalidSubnetID.NotFound" {
		t.Errorf("no subnet: %v", err)
	}
	tables, err := sdk.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-1"}}}})
	if err != nil || len(tables.RouteTables) != 2 {
		t.Fatalf("route tables %+v, %v", tables, err)
	}
	r := tables.RouteTables[0].Routes
	if *tables.RouteTables[0].Associations[0].SubnetId != "subnet-a" || len(r) != 3 || *r[1].NatGatewayId != "nat-1" || *r[1].DestinationCidrBlock != "0.0.0.0/0" || *r[2].EgressOnlyInternetGatewayId != "eigw-1" || *r[2].DestinationIpv6CidrBlock != "::/0" {
		t.Errorf("routes %+v", r)
	}
	groups, err := sdk.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-1"}})
	if err != nil {
		t.Fatal(err)
	}
	if e := groups.SecurityGroups[0].IpPermissionsEgress[0]; *e.IpRanges[0].CidrIp != "0.0.0.0/0" || *e.Ipv6Ranges[0].CidrIpv6 != "::/0" || *e.PrefixListIds[0].PrefixListId != "pl-1" || *e.UserIdGroupPairs[0].GroupId != "sg-2" {
		t.Errorf("egress %+v", e)
	}
	endpoints, err := sdk.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []ec2types.Filter{{Name: aws.String("service-name"), Values: []string{"com.amazonaws.eu-west-1.lambda"}}}})
	if err != nil || len(endpoints.VpcEndpoints) != 1 || *endpoints.VpcEndpoints[0].PolicyDocument != "{}" {
		t.Errorf("endpoints %+v, %v", endpoints, err)
	}
	for all, n := range map[bool]int{false: 18, true: 32} {
		if out, err := sdk.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: &all}); err != nil || len(out.Regions) != n {
			t.Errorf("%d regions, %v", len(out.Regions), err)
		}
	}
}

func TestDNSFirewall(t *testing.T) {
	f := awsfake.New(1, start)
	f.Load(lamina.Snapshot{DNSFirewalls: []lamina.DNSFirewall{
		{ID: "rslvr-frgassoc-1", Account: owner, Region: region, VPC: "vpc-1", Group: "rslvr-frg-1", Priority: 101, Rules: []lamina.DNSRule{
			{Action: "ALLOW", Domains: "rslvr-fdl-ours"}, {Action: "BLOCK", Domains: "rslvr-fdl-all", Every: true}, {Action: "ALERT", Protection: "DNS_TUNNELING", QueryType: "TXT"},
		}},
		{ID: "rslvr-frgassoc-2", Account: owner, Region: region, VPC: "vpc-2", Group: "rslvr-frg-2", Priority: 102, Rules: []lamina.DNSRule{{Action: "BLOCK", Domains: "rslvr-fdl-managed-1"}}},
		{ID: "rslvr-frgassoc-3", Account: partner, Region: region, VPC: "vpc-3", Group: "rslvr-frg-3"},
	}})
	ctx := t.Context()
	sdk := route53resolver.NewFromConfig(config(f, caller(owner), region))
	has, err := sdk.ListFirewallRuleGroupAssociations(ctx, &route53resolver.ListFirewallRuleGroupAssociationsInput{})
	if err != nil || len(has.FirewallRuleGroupAssociations) != 2 || *has.FirewallRuleGroupAssociations[1].VpcId != "vpc-2" || *has.FirewallRuleGroupAssociations[1].Priority != 102 {
		t.Errorf("associations %+v, %v", has, err)
	}
	rules, err := sdk.ListFirewallRules(ctx, &route53resolver.ListFirewallRulesInput{FirewallRuleGroupId: aws.String("rslvr-frg-1")})
	if err != nil || len(rules.FirewallRules) != 3 {
		t.Fatalf("rules %+v, %v", rules, err)
	}
	if r := rules.FirewallRules[0]; r.Action != "ALERT" || r.DnsThreatProtection != "DNS_TUNNELING" || *r.Qtype != "TXT" || *r.Priority != 2 {
		t.Errorf("rule %+v", r)
	}
	if _, err := sdk.ListFirewallRules(ctx, &route53resolver.ListFirewallRulesInput{FirewallRuleGroupId: aws.String("rslvr-frg-3")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("another account's group: %v", err)
	}
	lists, err := sdk.ListFirewallDomainLists(ctx, &route53resolver.ListFirewallDomainListsInput{})
	if err != nil || len(lists.FirewallDomainLists) != 3 || lists.FirewallDomainLists[1].ManagedOwnerName == nil || lists.FirewallDomainLists[0].ManagedOwnerName != nil {
		t.Errorf("lists %+v, %v", lists, err)
	}
	for id, want := range map[string]string{"rslvr-fdl-all": "*.", "rslvr-fdl-ours": "named.invalid."} {
		out, err := sdk.ListFirewallDomains(ctx, &route53resolver.ListFirewallDomainsInput{FirewallDomainListId: &id})
		if err != nil || len(out.Domains) != 1 || out.Domains[0] != want {
			t.Errorf("%s: %+v, %v", id, out, err)
		}
	}
	for id, want := range map[string]string{"rslvr-fdl-managed-1": "AccessDeniedException", "rslvr-fdl-none": "ResourceNotFoundException"} {
		if _, err := sdk.ListFirewallDomains(ctx, &route53resolver.ListFirewallDomainsInput{FirewallDomainListId: &id}); code(err) != want {
			t.Errorf("%s: got %v, want %s", id, err, want)
		}
	}
}

// These services refuse in their own words too.
func TestDenials_of_guards(t *testing.T) {
	testDenials(t, map[string]denial{
		"inspector2": {"inspector2:BatchGetAccountStatus", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := inspector2.NewFromConfig(c).BatchGetAccountStatus(ctx, nil)
			return err
		}},
		"guardduty": {"guardduty:ListDetectors", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := guardduty.NewFromConfig(c).ListDetectors(ctx, nil)
			return err
		}},
		"securityhub": {"securityhub:DescribeHub", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := securityhub.NewFromConfig(c).DescribeHub(ctx, nil)
			return err
		}},
		"route53resolver": {"route53resolver:ListFirewallDomainLists", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := route53resolver.NewFromConfig(c).ListFirewallDomainLists(ctx, nil)
			return err
		}},
		"ec2": {"ec2:DescribeRegions", "UnauthorizedOperation", "AuthFailure", func(ctx context.Context, c aws.Config) error {
			_, err := ec2.NewFromConfig(c).DescribeRegions(ctx, nil)
			return err
		}},
	})
}
