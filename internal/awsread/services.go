package awsread

import (
	"context"

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

func (c *Client) status(accountID, feature string) lamina.ServiceStatus {
	return lamina.ServiceStatus{Account: accountID, Region: c.Region, Feature: feature}
}
