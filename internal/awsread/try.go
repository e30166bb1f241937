package awsread

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lamina-sec/lamina"
)

// A Trial is what became of trying one action.
type Trial struct {
	Action string `json:"action"`
	// Tried says that it was; Reason says why one was not.
	Tried  bool `json:"tried"`
	Denied bool `json:"denied"`
	// Reason is why, of a denied one too, and of one that did not answer otherwise.
	Reason string `json:"reason,omitempty"`
	// Without is what cannot be known without it.
	Without string `json:"without"`
}

// nothing is a name that no resource has; AWS authorises a call before it looks.
const nothing = "lamina-doctor-asks"

// untried are the actions that Try leaves out, and why.
var untried = map[string]string{ //nolint:gosec // names of actions
	"iam:GenerateCredentialReport": "it makes a report",
}

// probes call one action each, about nothing where it takes a thing.
func (c *Client) probes(account, partition string) map[string]func(context.Context) error {
	arn := func(service, resource string) string {
		return lamina.ARN{Partition: partition, Service: service, Region: c.Region, Account: account, Resource: resource}.String()
	}
	layer, function := arn("lambda", "layer:"+nothing+":1"), arn("lambda", "function:"+nothing)
	vpc := []lamina.Subnet{{VPC: "vpc-00000000000000000"}}
	trail, analyzer := arn("cloudtrail", "trail/"+nothing), arn("access-analyzer", "analyzer/"+nothing)
	const noDetector = "00000000000000000000000000000000"
	return map[string]func(context.Context) error{
		"access-analyzer:GetFinding": func(ctx context.Context) error {
			return c.AccessFinding(ctx, &lamina.AccessFinding{ID: nothing, Analyzer: analyzer})
		},
		"access-analyzer:ListAnalyzers":              func(ctx context.Context) error { _, err := c.Analyzers(ctx, account); return err },
		"access-analyzer:ListFindings":               func(ctx context.Context) error { _, err := c.AccessFindings(ctx, analyzer); return err },
		"account:ListRegions":                        func(ctx context.Context) error { _, err := c.Regions(ctx); return err },
		"cloudtrail:DescribeTrails":                  func(ctx context.Context) error { _, err := c.Trails(ctx); return err },
		"cloudtrail:GetEventSelectors":               func(ctx context.Context) error { return c.TrailSelectors(ctx, &lamina.Trail{ARN: trail}) },
		"cloudtrail:GetTrailStatus":                  func(ctx context.Context) error { _, err := c.TrailLogging(ctx, trail); return err },
		"cloudtrail:LookupEvents":                    func(ctx context.Context) error { _, err := c.Events(ctx, nothing, time.Unix(0, 0)); return err },
		"cloudwatch:DescribeAlarms":                  func(ctx context.Context) error { _, err := c.Alarms(ctx, account); return err },
		"config:DescribeConfigurationRecorderStatus": func(ctx context.Context) error { _, err := c.Recording(ctx); return err },
		"config:DescribeConfigurationRecorders":      func(ctx context.Context) error { _, err := c.Recorders(ctx, account); return err },
		"config:SelectResourceConfig":                func(ctx context.Context) error { _, err := c.ConfigRecords(ctx); return err },
		"ec2:DescribeRouteTables":                    func(ctx context.Context) error { return c.Routes(ctx, vpc) },
		"ec2:DescribeSecurityGroups": func(ctx context.Context) error {
			_, err := c.SecurityGroups(ctx, account, []string{"sg-00000000000000000"})
			return err
		},
		"ec2:DescribeSubnets": func(ctx context.Context) error {
			_, err := c.Subnets(ctx, account, []string{"subnet-00000000000000000"})
			return err
		},
		"ec2:DescribeVpcEndpoints": func(ctx context.Context) error { _, err := c.VPCEndpoints(ctx, account, vpc); return err },
		"events:ListRules":         func(ctx context.Context) error { _, err := c.EventRules(ctx, account); return err },
		"events:ListTargetsByRule": func(ctx context.Context) error { _, err := c.EventTargets(ctx, nothing); return err },
		"guardduty:GetDetector": func(ctx context.Context) error {
			_, err := c.GuardDuty(ctx, account, noDetector)
			return err
		},
		"guardduty:GetFindings": func(ctx context.Context) error {
			_, err := c.DutyFindings(ctx, account, noDetector, []string{nothing})
			return err
		},
		"guardduty:ListFindings": func(ctx context.Context) error {
			_, err := c.DutyFindingIDs(ctx, account, noDetector)
			return err
		},
		"guardduty:ListDetectors":            func(ctx context.Context) error { _, err := c.Detectors(ctx); return err },
		"iam:GetAccountAuthorizationDetails": func(ctx context.Context) error { _, err := c.Authorization(ctx); return err },
		"iam:GetCredentialReport":            c.hasReport,
		"inspector2:BatchGetAccountStatus":   func(ctx context.Context) error { _, err := c.Inspector(ctx, account); return err },
		"inspector2:ListCoverage":            func(ctx context.Context) error { _, err := c.Unscanned(ctx, account); return err },
		"inspector2:ListFindings":            func(ctx context.Context) error { _, err := c.InspectorFindings(ctx, account); return err },
		"lambda:GetAccountSettings":          func(ctx context.Context) error { _, _, err := c.CodeStorage(ctx); return err },
		"lambda:GetCodeSigningConfig": func(ctx context.Context) error {
			_, err := c.CodeSigningConfig(ctx, arn("lambda", "code-signing-config:csc-00000000000000000"))
			return err
		},
		"lambda:GetFunction": func(ctx context.Context) error {
			_, err := c.LocateFunction(ctx, lamina.Function{ARN: function})
			return err
		},
		"lambda:GetFunctionCodeSigningConfig":           func(ctx context.Context) error { _, err := c.CodeSigning(ctx, function); return err },
		"lambda:GetLayerVersion":                        func(ctx context.Context) error { _, err := c.Describe(ctx, layer); return err },
		"lambda:GetLayerVersionPolicy":                  func(ctx context.Context) error { _, err := c.Policy(ctx, layer); return err },
		"lambda:GetPolicy":                              func(ctx context.Context) error { _, err := c.FunctionPolicy(ctx, function, ""); return err },
		"lambda:ListAliases":                            func(ctx context.Context) error { _, err := c.Aliases(ctx, function); return err },
		"lambda:ListEventSourceMappings":                func(ctx context.Context) error { _, err := c.EventSources(ctx); return err },
		"lambda:ListFunctionUrlConfigs":                 func(ctx context.Context) error { _, err := c.URLs(ctx, function); return err },
		"lambda:ListFunctions":                          func(ctx context.Context) error { _, err := c.Functions(ctx); return err },
		"lambda:ListLayerVersions":                      func(ctx context.Context) error { _, err := c.LayerVersions(ctx, nothing); return err },
		"lambda:ListLayers":                             func(ctx context.Context) error { _, err := c.Layers(ctx); return err },
		"lambda:ListProvisionedConcurrencyConfigs":      func(ctx context.Context) error { _, err := c.Provisioned(ctx, function); return err },
		"logs:DescribeMetricFilters":                    func(ctx context.Context) error { _, err := c.MetricFilters(ctx, account); return err },
		"organizations:DescribeOrganization":            func(ctx context.Context) error { _, _, err := c.Organization(ctx); return err },
		"organizations:DescribePolicy":                  func(ctx context.Context) error { _, err := c.OrganizationPolicy(ctx, "p-00000000"); return err },
		"organizations:ListAccounts":                    func(ctx context.Context) error { _, err := c.Accounts(ctx); return err },
		"organizations:ListAccountsForParent":           func(ctx context.Context) error { _, err := c.AccountsIn(ctx, "r-0000"); return err },
		"organizations:ListDelegatedAdministrators":     func(ctx context.Context) error { _, err := c.Administrators(ctx); return err },
		"organizations:ListDelegatedServicesForAccount": func(ctx context.Context) error { _, err := c.Administers(ctx, account); return err },
		"organizations:ListOrganizationalUnitsForParent": func(ctx context.Context) error {
			_, err := c.Units(ctx, "r-0000")
			return err
		},
		"organizations:ListPolicies": func(ctx context.Context) error {
			_, err := c.OrganizationPolicies(ctx, "SERVICE_CONTROL_POLICY")
			return err
		},
		"organizations:ListRoots":                           func(ctx context.Context) error { _, err := c.Roots(ctx); return err },
		"organizations:ListTargetsForPolicy":                func(ctx context.Context) error { _, err := c.OrganizationPolicyTargets(ctx, "p-00000000"); return err },
		"route53resolver:ListFirewallDomainLists":           func(ctx context.Context) error { _, err := c.OwnDomainLists(ctx); return err },
		"route53resolver:ListFirewallDomains":               func(ctx context.Context) error { _, err := c.EveryDomain(ctx, nothing); return err },
		"route53resolver:ListFirewallRuleGroupAssociations": func(ctx context.Context) error { _, err := c.DNSFirewalls(ctx, account, nil); return err },
		"route53resolver:ListFirewallRules":                 func(ctx context.Context) error { _, err := c.DNSRules(ctx, nothing); return err },
		"s3:GetBucketObjectLockConfiguration":               func(ctx context.Context) error { _, err := c.ObjectLocked(ctx, nothing+"-"+account); return err },
		"s3:GetBucketPolicy":                                func(ctx context.Context) error { _, err := c.BucketPolicy(ctx, nothing+"-"+account); return err },
		"s3:GetBucketPublicAccessBlock":                     func(ctx context.Context) error { _, err := c.PublicAccessBlocked(ctx, nothing+"-"+account); return err },
		"s3:GetBucketVersioning":                            func(ctx context.Context) error { _, err := c.BucketVersioning(ctx, nothing+"-"+account); return err },
		"s3:ListAllMyBuckets":                               func(ctx context.Context) error { _, err := c.OwnsBucket(ctx, nothing+"-"+account); return err },
		"securityhub:DescribeHub":                           func(ctx context.Context) error { _, err := c.SecurityHub(ctx, account); return err },
		"securityhub:GetFindings":                           func(ctx context.Context) error { _, _, err := c.HubFindings(ctx, account); return err },
		"signer:ListSigningProfiles":                        func(ctx context.Context) error { _, err := c.SigningProfiles(ctx, account); return err },
		"sns:ListSubscriptionsByTopic":                      func(ctx context.Context) error { _, err := c.Topic(ctx, arn("sns", nothing)); return err },
		"sts:GetCallerIdentity":                             c.called,
	}
}

// hasReport asks for the credential report, and has none made.
func (c *Client) hasReport(ctx context.Context) error {
	if _, err := c.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); err != nil {
		return fail("iam:GetCredentialReport", "*", err)
	}
	return nil
}

// called asks who the caller is.
func (c *Client) called(ctx context.Context) error {
	if _, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return fail("sts:GetCallerIdentity", "the caller", err)
	}
	return nil
}

// absent are the errors by which services say that there is no such thing.
var absent = regexp.MustCompile(`^\w*(NotFound|NoSuch|DoesNotExist|NotInUse|NotRegistered|NotPresent|ReportInProgress|ReportExpired)\w*|^BadRequestException: .*detectorId`)

// Try makes one call of each action of calls that can be tried by looking, in the client's
// region, and says which were denied. A thing that does not exist is asked for
// where an action takes one: that it is not found is an answer. progress is
// called before each.
func (c *Client) Try(ctx context.Context, calls []Call, account, partition string, progress func(done, of int)) ([]Trial, error) {
	probes := c.probes(account, partition)
	var out []Trial
	seen := map[string]bool{}
	for i, call := range calls {
		progress(i, len(calls))
		if seen[call.Action] {
			continue
		}
		seen[call.Action] = true
		t := Trial{Action: call.Action, Without: call.Without, Reason: untried[call.Action]}
		if probe := probes[call.Action]; probe != nil {
			err := probe(ctx)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			t.Tried = true
			if e, ok := errors.AsType[*Error](err); ok {
				t.Denied, t.Reason = e.Denied, e.Err.Error()
				if !e.Denied && absent.MatchString(t.Reason) {
					t.Reason = ""
				}
			}
		}
		out = append(out, t)
	}
	return out, nil
}
