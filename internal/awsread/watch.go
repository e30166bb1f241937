package awsread

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lamina-sec/lamina"
)

// Trails returns the trails that log the account and whose home is the client's
// region: its own, and those of its organisation, which other accounts own. Status
// and selectors come with TrailLogging and TrailSelectors.
func (c *Client) Trails(ctx context.Context) ([]lamina.Trail, error) {
	out, err := c.cloudtrail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return nil, fail("cloudtrail:DescribeTrails", "*", err)
	}
	var all []lamina.Trail
	for _, t := range out.TrailList {
		arn, err := lamina.ParseARN(aws.ToString(t.TrailARN))
		if err != nil {
			return all, fail("cloudtrail:DescribeTrails", "*", err)
		}
		if aws.ToString(t.HomeRegion) != c.Region { // it is listed there
			continue
		}
		all = append(all, lamina.Trail{
			ARN: arn.String(), Account: arn.Account, Name: aws.ToString(t.Name), HomeRegion: aws.ToString(t.HomeRegion),
			MultiRegion: aws.ToBool(t.IsMultiRegionTrail), Organization: aws.ToBool(t.IsOrganizationTrail),
			LogValidation: aws.ToBool(t.LogFileValidationEnabled), Bucket: aws.ToString(t.S3BucketName),
			LogGroupARN: aws.ToString(t.CloudWatchLogsLogGroupArn), KMSKeyID: aws.ToString(t.KmsKeyId),
		})
	}
	return all, nil
}

// TrailLogging reports whether the trail is on.
func (c *Client) TrailLogging(ctx context.Context, arn string) (bool, error) {
	out, err := c.cloudtrail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: &arn})
	if err != nil {
		return false, fail("cloudtrail:GetTrailStatus", arn, err)
	}
	return aws.ToBool(out.IsLogging), nil
}

// TrailSelectors sets what the trail logs.
func (c *Client) TrailSelectors(ctx context.Context, t *lamina.Trail) error {
	out, err := c.cloudtrail.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: &t.ARN})
	if err != nil {
		return fail("cloudtrail:GetEventSelectors", t.ARN, err)
	}
	for _, s := range out.EventSelectors {
		if s.IncludeManagementEvents == nil || *s.IncludeManagementEvents { // AWS's default is true
			t.Management, t.ExcludedEvents = string(s.ReadWriteType), append([]string(nil), s.ExcludeManagementEventSources...)
		}
	}
	for _, s := range out.AdvancedEventSelectors {
		sel := lamina.EventSelector{Name: aws.ToString(s.Name)}
		for _, f := range s.FieldSelectors {
			sel.Fields = append(sel.Fields, lamina.FieldSelector{
				Field: aws.ToString(f.Field), Equals: f.Equals, NotEquals: f.NotEquals,
				StartsWith: f.StartsWith, NotStartsWith: f.NotStartsWith, EndsWith: f.EndsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		t.Advanced = append(t.Advanced, sel)
	}
	return nil
}

// Events returns the CloudTrail records of one event name since a time, newest
// first, as the 90-day event history of the region holds them.
func (c *Client) Events(ctx context.Context, name string, since time.Time) ([]string, error) {
	in := &cloudtrail.LookupEventsInput{
		StartTime:        &since,
		LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: &name}},
	}
	var all []string
	for out, err := range pages(ctx, cloudtrail.NewLookupEventsPaginator(c.cloudtrail, in)) {
		if err != nil {
			return all, fail("cloudtrail:LookupEvents", name, err)
		}
		for _, e := range out.Events {
			all = append(all, aws.ToString(e.CloudTrailEvent))
		}
	}
	return all, nil
}

// MetricFilters returns the region's metric filters of CloudWatch Logs.
func (c *Client) MetricFilters(ctx context.Context, accountID string) ([]lamina.MetricFilter, error) {
	var all []lamina.MetricFilter
	for out, err := range pages(ctx, cloudwatchlogs.NewDescribeMetricFiltersPaginator(c.logs, &cloudwatchlogs.DescribeMetricFiltersInput{})) {
		if err != nil {
			return all, fail("logs:DescribeMetricFilters", "*", err)
		}
		for _, f := range out.MetricFilters {
			for _, m := range f.MetricTransformations {
				all = append(all, lamina.MetricFilter{
					Account: accountID, Region: c.Region, LogGroup: aws.ToString(f.LogGroupName), Name: aws.ToString(f.FilterName),
					Pattern: aws.ToString(f.FilterPattern), Namespace: aws.ToString(m.MetricNamespace), Metric: aws.ToString(m.MetricName),
				})
			}
		}
	}
	return all, nil
}

// Alarms returns the region's metric alarms.
func (c *Client) Alarms(ctx context.Context, accountID string) ([]lamina.Alarm, error) {
	var all []lamina.Alarm
	for out, err := range pages(ctx, cloudwatch.NewDescribeAlarmsPaginator(c.cloudwatch, &cloudwatch.DescribeAlarmsInput{})) {
		if err != nil {
			return all, fail("cloudwatch:DescribeAlarms", "*", err)
		}
		for _, a := range out.MetricAlarms {
			all = append(all, lamina.Alarm{
				ARN: aws.ToString(a.AlarmArn), Account: accountID, Region: c.Region, Name: aws.ToString(a.AlarmName),
				Namespace: aws.ToString(a.Namespace), Metric: aws.ToString(a.MetricName), ActionsEnabled: aws.ToBool(a.ActionsEnabled),
				Actions: slices.Sorted(slices.Values(a.AlarmActions)), Comparison: string(a.ComparisonOperator), Threshold: aws.ToFloat64(a.Threshold),
			})
		}
	}
	return all, nil
}

// Topic counts the subscriptions of an SNS topic. Endpoints are not kept.
func (c *Client) Topic(ctx context.Context, arn string) (lamina.Topic, error) {
	t := lamina.Topic{ARN: arn}
	for out, err := range pages(ctx, sns.NewListSubscriptionsByTopicPaginator(c.sns, &sns.ListSubscriptionsByTopicInput{TopicArn: &arn})) {
		if err != nil {
			return t, fail("sns:ListSubscriptionsByTopic", arn, err)
		}
		for _, s := range out.Subscriptions {
			counts := &t.Confirmed
			if aws.ToString(s.SubscriptionArn) == "PendingConfirmation" {
				counts = &t.Pending
			}
			if *counts == nil {
				*counts = map[string]int{}
			}
			(*counts)[aws.ToString(s.Protocol)]++
		}
	}
	return t, nil
}

// EventRules returns the rules of the region's default event bus that match
// events, without their targets. Rules on a schedule are left out.
func (c *Client) EventRules(ctx context.Context, accountID string) ([]lamina.EventRule, error) {
	var all []lamina.EventRule
	in := &eventbridge.ListRulesInput{}
	ctx = listing(ctx)
	for {
		out, err := c.events.ListRules(ctx, in)
		if err != nil {
			return all, fail("events:ListRules", "*", err)
		}
		for _, r := range out.Rules {
			if aws.ToString(r.EventPattern) == "" {
				continue
			}
			all = append(all, lamina.EventRule{
				ARN: aws.ToString(r.Arn), Account: accountID, Region: c.Region, Bus: aws.ToString(r.EventBusName),
				State: string(r.State), Pattern: aws.ToString(r.EventPattern),
			})
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all, nil
		}
	}
}

// EventTargets returns the ARNs that a rule of the default event bus sends to, sorted.
func (c *Client) EventTargets(ctx context.Context, rule string) ([]string, error) {
	var all []string
	in := &eventbridge.ListTargetsByRuleInput{Rule: &rule}
	ctx = listing(ctx)
	for {
		out, err := c.events.ListTargetsByRule(ctx, in)
		if err != nil {
			return all, fail("events:ListTargetsByRule", rule, err)
		}
		for _, t := range out.Targets {
			all = append(all, aws.ToString(t.Arn))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			slices.Sort(all)
			return all, nil
		}
	}
}

// Analyzers returns the region's analyzers of IAM Access Analyzer.
func (c *Client) Analyzers(ctx context.Context, accountID string) ([]lamina.AccessAnalyzer, error) {
	var all []lamina.AccessAnalyzer
	for out, err := range pages(ctx, accessanalyzer.NewListAnalyzersPaginator(c.accessanalyzer, &accessanalyzer.ListAnalyzersInput{})) {
		if err != nil {
			return all, fail("access-analyzer:ListAnalyzers", "*", err)
		}
		for _, a := range out.Analyzers {
			all = append(all, lamina.AccessAnalyzer{
				ARN: aws.ToString(a.Arn), Account: accountID, Region: c.Region, Type: string(a.Type), Status: string(a.Status),
			})
		}
	}
	return all, nil
}

// unusedKinds are the findings about what nobody uses at all.
var unusedKinds = words([]analyzertypes.FindingType{
	analyzertypes.FindingTypeUnusedIamRole, analyzertypes.FindingTypeUnusedIamUserAccessKey, analyzertypes.FindingTypeUnusedIamUserPassword,
})

// UnusedAccess returns the active findings of an analyzer of unused access about
// roles and credentials that nobody uses.
func (c *Client) UnusedAccess(ctx context.Context, analyzer string) ([]lamina.AccessFinding, error) {
	return c.unused(ctx, analyzer, unusedKinds)
}

// UnusedPermissions returns the active findings of an analyzer of unused access
// about roles that have permissions which they do not use, without which.
func (c *Client) UnusedPermissions(ctx context.Context, analyzer string) ([]lamina.AccessFinding, error) {
	return c.unused(ctx, analyzer, words([]analyzertypes.FindingType{analyzertypes.FindingTypeUnusedPermission}))
}

func (c *Client) unused(ctx context.Context, analyzer string, kinds []string) ([]lamina.AccessFinding, error) {
	in := &accessanalyzer.ListFindingsV2Input{
		AnalyzerArn: &analyzer,
		Filter:      map[string]analyzertypes.Criterion{"findingType": {Eq: kinds}, "status": {Eq: []string{string(analyzertypes.FindingStatusActive)}}},
	}
	var all []lamina.AccessFinding
	for out, err := range pages(ctx, accessanalyzer.NewListFindingsV2Paginator(c.accessanalyzer, in)) {
		if err != nil {
			return all, fail("access-analyzer:ListFindings", analyzer, err)
		}
		for _, f := range out.Findings {
			if slices.Contains(kinds, string(f.FindingType)) {
				all = append(all, lamina.AccessFinding{
					ID: aws.ToString(f.Id), Kind: string(f.FindingType), Analyzer: analyzer, Resource: aws.ToString(f.Resource), Status: string(f.Status), Updated: aws.ToTime(f.UpdatedAt).UTC(),
				})
			}
		}
	}
	return all, nil
}

// maxUnused is how many unused actions of one role are kept: that of an
// administrator has thousands.
const maxUnused = 200

// UnusedBy sets which permissions the finding says its role does not use.
func (c *Client) UnusedBy(ctx context.Context, f *lamina.AccessFinding) error {
	var all []string
	for out, err := range pages(ctx, accessanalyzer.NewGetFindingV2Paginator(c.accessanalyzer, &accessanalyzer.GetFindingV2Input{AnalyzerArn: &f.Analyzer, Id: &f.ID})) {
		if err != nil {
			return fail("access-analyzer:GetFinding", f.ID, err)
		}
		for _, d := range out.FindingDetails {
			if unused, ok := d.(*analyzertypes.FindingDetailsMemberUnusedPermissionDetails); ok {
				all = append(all, unusedActions(unused.Value)...)
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	f.Unused, f.UnusedMore = all[:min(len(all), maxUnused)], max(0, len(all)-maxUnused)
	return nil
}

// unusedActions are the actions of a service that are not used, and "SERVICE:*"
// for one of which none is.
func unusedActions(d analyzertypes.UnusedPermissionDetails) []string {
	service := brief(d.ServiceNamespace)
	if service == "" {
		return nil
	}
	if len(d.Actions) == 0 {
		return []string{service + ":*"}
	}
	var all []string
	for _, a := range d.Actions {
		action := brief(a.Action)
		if !strings.Contains(action, ":") {
			action = service + ":" + action
		}
		all = append(all, action)
	}
	return all
}

// AccessFindings returns the analyzer's external access findings about layer
// versions, without who they name.
func (c *Client) AccessFindings(ctx context.Context, analyzer string) ([]lamina.AccessFinding, error) {
	in := &accessanalyzer.ListFindingsV2Input{
		AnalyzerArn: &analyzer,
		Filter:      map[string]analyzertypes.Criterion{"resourceType": {Eq: []string{string(analyzertypes.ResourceTypeAwsLambdaLayerversion)}}},
	}
	var all []lamina.AccessFinding
	for out, err := range pages(ctx, accessanalyzer.NewListFindingsV2Paginator(c.accessanalyzer, in)) {
		if err != nil {
			return all, fail("access-analyzer:ListFindings", analyzer, err)
		}
		for _, f := range out.Findings {
			if f.FindingType != analyzertypes.FindingTypeExternalAccess {
				continue
			}
			all = append(all, lamina.AccessFinding{
				ID: aws.ToString(f.Id), Analyzer: analyzer, Resource: aws.ToString(f.Resource), Status: string(f.Status), Updated: aws.ToTime(f.UpdatedAt).UTC(),
			})
		}
	}
	return all, nil
}

// AccessFinding sets who the finding names.
func (c *Client) AccessFinding(ctx context.Context, f *lamina.AccessFinding) error {
	out, err := c.accessanalyzer.GetFindingV2(ctx, &accessanalyzer.GetFindingV2Input{AnalyzerArn: &f.Analyzer, Id: &f.ID})
	if err != nil {
		return fail("access-analyzer:GetFinding", f.ID, err)
	}
	for _, d := range out.FindingDetails {
		external, ok := d.(*analyzertypes.FindingDetailsMemberExternalAccessDetails)
		if !ok {
			continue
		}
		f.Public = f.Public || aws.ToBool(external.Value.IsPublic)
		for kind, who := range external.Value.Principal {
			f.Principals = append(f.Principals, kind+":"+who)
		}
	}
	slices.Sort(f.Principals)
	f.Principals = slices.Compact(f.Principals)
	return nil
}
