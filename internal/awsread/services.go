package awsread

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	dutytypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	inspectortypes "github.com/aws/aws-sdk-go-v2/service/inspector2/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"github.com/lamina-sec/lamina"
)

// Inspector says whether Amazon Inspector scans the account's functions, their
// packages and their code.
func (c *Client) Inspector(ctx context.Context, accountID string) ([]lamina.ServiceStatus, error) {
	out, err := c.inspector.BatchGetAccountStatus(ctx, &inspector2.BatchGetAccountStatusInput{AccountIds: []string{accountID}})
	if err != nil {
		return nil, fail("inspector2:BatchGetAccountStatus", accountID, err)
	}
	packages, code := c.status(accountID, "inspector2:LAMBDA"), c.status(accountID, "inspector2:LAMBDA_CODE")
	for _, a := range out.Accounts {
		if a.ResourceState == nil {
			continue
		}
		packages.Enabled = a.ResourceState.Lambda != nil && a.ResourceState.Lambda.Status == inspectortypes.StatusEnabled
		code.Enabled = a.ResourceState.LambdaCode != nil && a.ResourceState.LambdaCode.Status == inspectortypes.StatusEnabled
	}
	return []lamina.ServiceStatus{packages, code}, nil
}

// Unscanned returns the functions of the account that Inspector does not scan, and
// why. An administrator of the service is told of every account: those of others are
// left out.
func (c *Client) Unscanned(ctx context.Context, accountID string) ([]lamina.Unscanned, error) {
	is := func(value string) []inspectortypes.CoverageStringFilter {
		return []inspectortypes.CoverageStringFilter{{Comparison: inspectortypes.CoverageStringComparisonEquals, Value: &value}}
	}
	in := &inspector2.ListCoverageInput{FilterCriteria: &inspectortypes.CoverageFilterCriteria{
		AccountId: is(accountID), ResourceType: is("AWS_LAMBDA_FUNCTION"), ScanStatusCode: is("INACTIVE"),
	}}
	var all []lamina.Unscanned
	for out, err := range pages(ctx, inspector2.NewListCoveragePaginator(c.inspector, in)) {
		if err != nil {
			return all, fail("inspector2:ListCoverage", "*", err)
		}
		for _, r := range out.CoveredResources {
			if r.ScanStatus == nil || r.ScanType != inspectortypes.ScanTypePackage { // not that of its code
				continue
			}
			all = append(all, lamina.Unscanned{Function: strings.TrimSuffix(aws.ToString(r.ResourceId), ":"+latest), Reason: string(r.ScanStatus.Reason)})
		}
	}
	return all, nil
}

// Detectors returns the ids of the region's detectors of Amazon GuardDuty: one,
// or none where it is off.
func (c *Client) Detectors(ctx context.Context) ([]string, error) {
	out, err := c.guardduty.ListDetectors(ctx, &guardduty.ListDetectorsInput{})
	if err != nil {
		return nil, fail("guardduty:ListDetectors", "*", err)
	}
	return out.DetectorIds, nil
}

// GuardDuty says whether a detector watches what functions send over the network;
// the detector "" is none.
func (c *Client) GuardDuty(ctx context.Context, accountID, detector string) (lamina.ServiceStatus, error) {
	s := c.status(accountID, "guardduty:LAMBDA_NETWORK_LOGS")
	if detector == "" {
		return s, nil
	}
	out, err := c.guardduty.GetDetector(ctx, &guardduty.GetDetectorInput{DetectorId: &detector})
	if err != nil {
		return s, fail("guardduty:GetDetector", detector, err)
	}
	for _, f := range out.Features {
		s.Enabled = s.Enabled || out.Status == dutytypes.DetectorStatusEnabled && f.Name == dutytypes.DetectorFeatureResultLambdaNetworkLogs && f.Status == dutytypes.FeatureStatusEnabled
	}
	return s, nil
}

// SecurityHub says whether AWS Security Hub is on.
func (c *Client) SecurityHub(ctx context.Context, accountID string) (lamina.ServiceStatus, error) {
	s := c.status(accountID, "securityhub")
	_, err := c.securityhub.DescribeHub(ctx, &securityhub.DescribeHubInput{})
	switch {
	case code(err) == "InvalidAccessException": // the account has not subscribed to it
		return s, nil
	case err != nil:
		return s, fail("securityhub:DescribeHub", "*", err)
	}
	s.Enabled = true
	return s, nil
}

// Recorders says whether AWS Config keeps a record of functions, as far as its
// configuration recorders are told to; Recording says whether they are on. Config
// has no resource type for layers: nothing records them.
func (c *Client) Recorders(ctx context.Context, accountID string) (lamina.ServiceStatus, error) {
	s := c.status(accountID, "config:AWS::Lambda::Function")
	out, err := c.configservice.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil {
		return s, fail("config:DescribeConfigurationRecorders", "*", err)
	}
	for _, r := range out.ConfigurationRecorders {
		s.Enabled = s.Enabled || records(r.RecordingGroup, configtypes.ResourceTypeFunction)
	}
	return s, nil
}

// Recording reports whether a configuration recorder of the region is on.
func (c *Client) Recording(ctx context.Context) (bool, error) {
	out, err := c.configservice.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
	if err != nil {
		return false, fail("config:DescribeConfigurationRecorderStatus", "*", err)
	}
	return slices.ContainsFunc(out.ConfigurationRecordersStatus, func(s configtypes.ConfigurationRecorderStatus) bool { return s.Recording }), nil
}

// records reports whether resources of the type are among those recorded: all, some
// that are named, or all but some; a recorder without a group has all
// (https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html).
func records(g *configtypes.RecordingGroup, kind configtypes.ResourceType) bool {
	switch {
	case g == nil || g.AllSupported:
		return true
	case g.RecordingStrategy != nil && g.RecordingStrategy.UseOnly == configtypes.RecordingStrategyTypeAllSupportedResourceTypes:
		return true
	case g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) > 0:
		return !slices.Contains(g.ExclusionByResourceTypes.ResourceTypes, kind)
	}
	return slices.Contains(g.ResourceTypes, kind)
}

func (c *Client) status(accountID, feature string) lamina.ServiceStatus {
	return lamina.ServiceStatus{Account: accountID, Region: c.Region, Feature: feature}
}
