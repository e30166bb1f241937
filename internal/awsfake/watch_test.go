package awsfake_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/signer"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

// A trail is seen from its home, as a shadow from other regions, and that of the
// organisation from its members.
func TestTrails(t *testing.T) {
	const everywhere, local = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org", "arn:aws:cloudtrail:us-east-1:444455556666:trail/local"
	f := awsfake.New(1, start)
	f.Organization(org, owner, partner)
	f.Load(lamina.Snapshot{Trails: []lamina.Trail{
		{
			ARN: everywhere, Account: owner, Name: "org", HomeRegion: region, MultiRegion: true, Organization: true, Logging: true, LogValidation: true, Bucket: "trail",
			Advanced: []lamina.EventSelector{{Name: "management", Fields: []lamina.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}, {Field: "eventSource", NotEquals: []string{"kms.amazonaws.com"}}}}},
		},
		{ARN: local, Account: partner, Name: "local", HomeRegion: "us-east-1", Management: "WriteOnly", ExcludedEvents: []string{"kms.amazonaws.com"}},
	}})
	ctx := t.Context()
	got := map[string]string{}
	for _, from := range []struct{ account, region string }{{owner, region}, {owner, "us-east-1"}, {partner, region}, {partner, "us-east-1"}, {stranger, region}} {
		for _, shadows := range []bool{true, false} {
			out, err := cloudtrail.NewFromConfig(config(f, caller(from.account), from.region)).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: &shadows})
			if err != nil {
				t.Fatal(err)
			}
			names := []string{}
			for _, tr := range out.TrailList {
				names = append(names, *tr.Name)
			}
			if len(names) > 0 {
				got[fmt.Sprintf("%s %s %t", from.account, from.region, shadows)] = strings.Join(names, " ")
			}
		}
	}
	if d := cmp.Diff(map[string]string{
		owner + " eu-west-1 true": "org", owner + " eu-west-1 false": "org", owner + " us-east-1 true": "org",
		partner + " eu-west-1 true": "org", partner + " us-east-1 true": "org local", partner + " us-east-1 false": "local",
	}, got); d != "" {
		t.Error(d)
	}
	sdk := cloudtrail.NewFromConfig(config(f, caller(partner), "us-east-1"))
	on, err := sdk.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(everywhere)})
	if err != nil || !*on.IsLogging {
		t.Errorf("status %+v, %v", on, err)
	}
	if _, err := sdk.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String("org")}); code(err) != "TrailNotFoundException" {
		t.Errorf("a shadow by name: %v", err)
	}
	advanced, err := sdk.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(everywhere)})
	if err != nil || len(advanced.AdvancedEventSelectors[0].FieldSelectors) != 2 || len(advanced.EventSelectors) != 0 {
		t.Errorf("selectors %+v, %v", advanced, err)
	}
	basic, err := sdk.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String("local")})
	if err != nil || basic.EventSelectors[0].ReadWriteType != trailtypes.ReadWriteTypeWriteOnly || len(basic.EventSelectors[0].ExcludeManagementEventSources) != 1 {
		t.Errorf("selectors %+v, %v", basic, err)
	}
}

// What callers did is looked up in their account and region, newest first, for 90 days.
func TestLookupEvents(t *testing.T) {
	f := fake(t)
	s, ctx := f.As(caller(owner), region), t.Context()
	for i := range 120 {
		f.Advance(time.Minute)
		s.Note(awsfake.Note{Source: "lambda.amazonaws.com", Name: "AddLayerVersionPermission20181031", Parameters: fmt.Sprintf(`{"statementId":"s%d"}`, i)})
	}
	sdk := cloudtrail.NewFromConfig(config(f, caller(owner), region))
	lookup := func(since time.Time, key trailtypes.LookupAttributeKey, value string) (names, pages []string) {
		in := &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}}
		if !since.IsZero() {
			in.StartTime = &since
		}
		for p := cloudtrail.NewLookupEventsPaginator(sdk, in); p.HasMorePages(); {
			out, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, strconv.Itoa(len(out.Events)))
			for _, e := range out.Events {
				if !strings.Contains(*e.CloudTrailEvent, `"eventID":"`+*e.EventId+`"`) || *e.Username != "ci" {
					t.Fatalf("event %+v", e)
				}
				names = append(names, e.EventTime.UTC().Format(time.TimeOnly))
			}
		}
		return names, pages
	}
	names, pages := lookup(time.Time{}, trailtypes.LookupAttributeKeyEventName, "AddLayerVersionPermission20181031")
	if d := cmp.Diff([]string{"50", "50", "20"}, pages); d != "" || names[0] != "15:02:11" || names[119] != "13:03:11" {
		t.Errorf("pages %s, from %s to %s", d, names[0], names[len(names)-1])
	}
	if names, _ := lookup(f.Now().Add(-10*time.Minute), trailtypes.LookupAttributeKeyReadOnly, "false"); len(names) != 11 {
		t.Errorf("%d events of the last ten minutes", len(names))
	}
	if names, _ := lookup(time.Time{}, trailtypes.LookupAttributeKeyResourceName, "s77"); len(names) != 1 {
		t.Errorf("%d events name s77", len(names))
	}
	f.Advance(89*24*time.Hour + 23*time.Hour)
	if names, _ := lookup(time.Time{}, trailtypes.LookupAttributeKeyEventSource, "lambda.amazonaws.com"); len(names) != 61 {
		t.Errorf("%d events of the last 90 days", len(names))
	}
	if out, err := cloudtrail.NewFromConfig(config(f, caller(owner), "us-east-1")).LookupEvents(ctx, &cloudtrail.LookupEventsInput{}); err != nil || len(out.Events) != 0 {
		t.Errorf("another region: %v, %v", out, err)
	}
	f.Throttle()
	refused := 0
	for range 5 {
		if _, err := sdk.LookupEvents(ctx, &cloudtrail.LookupEventsInput{}); code(err) == "ThrottlingException" {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d of 5 calls at once are refused", refused)
	}
}

// watched is an estate with everything that says whether anybody watches.
func watched() lamina.Snapshot {
	s := lamina.Snapshot{
		MetricFilters: []lamina.MetricFilter{{Account: owner, Region: region, LogGroup: "trail", Name: "layers", Pattern: `{ $.eventName = "PublishLayerVersion*" }`, Namespace: "Security", Metric: "Layers"}},
		Topics:        []lamina.Topic{{ARN: "arn:aws:sns:eu-west-1:111122223333:alarms", Confirmed: map[string]int{"email": 2, "sqs": 1}, Pending: map[string]int{"email": 1}}},
		EventRules: []lamina.EventRule{
			{ARN: "arn:aws:events:eu-west-1:111122223333:rule/layers", Account: owner, Region: region, Bus: "default", State: "ENABLED", Pattern: `{"source":["aws.lambda"]}`, Targets: []string{"arn:aws:sqs:eu-west-1:111122223333:q"}},
			{ARN: "arn:aws:events:eu-west-1:111122223333:rule/other/x", Account: owner, Region: region, Bus: "other", State: "ENABLED"},
		},
		Analyzers: []lamina.AccessAnalyzer{{ARN: "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/external", Account: owner, Region: region, Type: "ACCOUNT", Status: "ACTIVE"}},
		AccessFindings: []lamina.AccessFinding{
			{ID: "f-1", Analyzer: "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/external", Resource: layer + ":1", Status: "ACTIVE", Public: true, Principals: []string{"AWS:*"}, Updated: start},
			{ID: "f-2", Analyzer: "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/external", Resource: "arn:aws:lambda:eu-west-1:111122223333:function:f", Status: "ACTIVE"},
		},
		Services: []lamina.ServiceStatus{
			{Account: owner, Region: region, Feature: "inspector2:LAMBDA", Enabled: true},
			{Account: owner, Region: region, Feature: "inspector2:LAMBDA_CODE"},
			{Account: owner, Region: region, Feature: "guardduty:LAMBDA_NETWORK_LOGS", Enabled: true},
			{Account: owner, Region: region, Feature: "securityhub", Enabled: true},
		},
		SigningProfiles: []lamina.SigningProfile{
			{VersionARN: "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/p/AbCdEfGhIj", Name: "p", Account: owner, Region: region, Status: "Active"},
			{VersionARN: "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/q/AbCdEfGhIj", Name: "q", Account: owner, Region: region, Status: "Canceled"},
		},
	}
	for i := range 60 {
		name := fmt.Sprintf("alarm%02d", i)
		s.Alarms = append(s.Alarms, lamina.Alarm{
			ARN: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:" + name, Account: owner, Region: region, Name: name, Namespace: "Security", Metric: "Layers",
			ActionsEnabled: true, Actions: []string{"arn:aws:sns:eu-west-1:111122223333:alarms"}, Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1.5,
		})
	}
	return s
}

func TestAlarms_and_rules(t *testing.T) {
	f := awsfake.New(1, start)
	want := watched()
	f.Load(want)
	ctx, cfg := t.Context(), config(f, caller(owner), region)
	var alarms []lamina.Alarm
	var pages []int
	for p := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(cfg), &cloudwatch.DescribeAlarmsInput{}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, len(out.MetricAlarms))
		for _, a := range out.MetricAlarms {
			alarms = append(alarms, lamina.Alarm{
				ARN: *a.AlarmArn, Account: owner, Region: region, Name: *a.AlarmName, Namespace: *a.Namespace, Metric: *a.MetricName,
				ActionsEnabled: *a.ActionsEnabled, Actions: a.AlarmActions, Comparison: string(a.ComparisonOperator), Threshold: *a.Threshold,
			})
		}
	}
	if d := cmp.Diff(want.Alarms, alarms) + cmp.Diff([]int{50, 10}, pages); d != "" {
		t.Error(d)
	}
	filters, err := cloudwatchlogs.NewFromConfig(cfg).DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String("trail")})
	if err != nil || len(filters.MetricFilters) != 1 || *filters.MetricFilters[0].FilterPattern != want.MetricFilters[0].Pattern || *filters.MetricFilters[0].MetricTransformations[0].MetricName != "Layers" {
		t.Errorf("metric filters %+v, %v", filters, err)
	}
	topics := sns.NewFromConfig(cfg)
	subs, err := topics.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &want.Topics[0].ARN})
	if err != nil || len(subs.Subscriptions) != 4 || *subs.Subscriptions[3].SubscriptionArn != "PendingConfirmation" || *subs.Subscriptions[2].Protocol != "sqs" {
		t.Errorf("subscriptions %+v, %v", subs, err)
	}
	attributes, err := topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &want.Topics[0].ARN})
	if err != nil || attributes.Attributes["SubscriptionsConfirmed"] != "3" || attributes.Attributes["SubscriptionsPending"] != "1" {
		t.Errorf("attributes %v, %v", attributes, err)
	}
	if _, err := topics.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String("arn:aws:sns:eu-west-1:111122223333:none")}); code(err) != "NotFound" {
		t.Errorf("no topic: %v", err)
	}
	rules := eventbridge.NewFromConfig(cfg)
	list, err := rules.ListRules(ctx, &eventbridge.ListRulesInput{})
	if err != nil || len(list.Rules) != 1 || *list.Rules[0].EventPattern != want.EventRules[0].Pattern {
		t.Errorf("rules %+v, %v", list, err)
	}
	targets, err := rules.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("layers")})
	if err != nil || len(targets.Targets) != 1 || *targets.Targets[0].Arn != want.EventRules[0].Targets[0] {
		t.Errorf("targets %+v, %v", targets, err)
	}
	if _, err := rules.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("none")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("no rule: %v", err)
	}
}

func TestBuckets(t *testing.T) {
	f := awsfake.New(1, start)
	f.Load(lamina.Snapshot{Buckets: []lamina.Bucket{
		{Name: "builds", Account: owner, Policy: `{"Version":"2012-10-17","Statement":[]}`, Versioning: "Enabled", ObjectLock: true, PublicAccessBlocked: true},
		{Name: "bare.example", Account: owner},
		{Name: "theirs", Account: partner},
	}})
	ctx := t.Context()
	sdk := s3.NewFromConfig(config(f, caller(owner), region))
	type answers struct {
		Policy, Versioning, Lock string
		Blocked                  bool
	}
	ask := func(bucket string) answers {
		a := answers{}
		if out, err := sdk.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket}); err != nil {
			a.Policy = code(err)
		} else {
			a.Policy = *out.Policy
		}
		if out, err := sdk.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket}); err != nil {
			a.Versioning = code(err)
		} else {
			a.Versioning = string(out.Status)
		}
		if out, err := sdk.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &bucket}); err != nil {
			a.Lock = code(err)
		} else {
			a.Lock = string(out.ObjectLockConfiguration.ObjectLockEnabled)
		}
		if out, err := sdk.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &bucket}); err == nil {
			a.Blocked = *out.PublicAccessBlockConfiguration.BlockPublicPolicy && *out.PublicAccessBlockConfiguration.IgnorePublicAcls
		}
		return a
	}
	if d := cmp.Diff(map[string]answers{
		"builds":       {`{"Version":"2012-10-17","Statement":[]}`, "Enabled", "Enabled", true},
		"bare.example": {"NoSuchBucketPolicy", "", "ObjectLockConfigurationNotFoundError", false},
		"theirs":       {"AccessDenied", "AccessDenied", "AccessDenied", false},
		"none":         {"NoSuchBucket", "NoSuchBucket", "NoSuchBucket", false},
	}, map[string]answers{"builds": ask("builds"), "bare.example": ask("bare.example"), "theirs": ask("theirs"), "none": ask("none")}); d != "" {
		t.Error(d)
	}
}

// Every service refuses in its own words: for want of a permission, because of a
// service control policy, and to credentials that nobody has.
func TestDenials(t *testing.T) {
	testDenials(t, map[string]denial{
		"lambda": {"lambda:ListLayers", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := lambda.NewFromConfig(c).ListLayers(ctx, nil)
			return err
		}},
		"sts": {"sts:GetCallerIdentity", "AccessDenied", "InvalidClientTokenId", func(ctx context.Context, c aws.Config) error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, nil)
			return err
		}},
		"iam": {"iam:ListAccountAliases", "AccessDenied", "InvalidClientTokenId", func(ctx context.Context, c aws.Config) error {
			_, err := iam.NewFromConfig(c).ListAccountAliases(ctx, nil)
			return err
		}},
		"organizations": {"organizations:DescribeOrganization", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := organizations.NewFromConfig(c).DescribeOrganization(ctx, nil)
			return err
		}},
		"cloudtrail": {"cloudtrail:DescribeTrails", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := cloudtrail.NewFromConfig(c).DescribeTrails(ctx, nil)
			return err
		}},
		"cloudwatch": {"cloudwatch:DescribeAlarms", "AccessDenied", "InvalidClientTokenId", func(ctx context.Context, c aws.Config) error {
			_, err := cloudwatch.NewFromConfig(c).DescribeAlarms(ctx, nil)
			return err
		}},
		"logs": {"logs:DescribeMetricFilters", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := cloudwatchlogs.NewFromConfig(c).DescribeMetricFilters(ctx, nil)
			return err
		}},
		"sns": {"sns:ListTopics", "AuthorizationError", "InvalidClientTokenId", func(ctx context.Context, c aws.Config) error {
			_, err := sns.NewFromConfig(c).ListTopics(ctx, nil)
			return err
		}},
		"events": {"events:ListRules", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := eventbridge.NewFromConfig(c).ListRules(ctx, nil)
			return err
		}},
		"access-analyzer": {"access-analyzer:ListAnalyzers", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := accessanalyzer.NewFromConfig(c).ListAnalyzers(ctx, nil)
			return err
		}},
		"signer": {"signer:ListSigningProfiles", "AccessDeniedException", "UnrecognizedClientException", func(ctx context.Context, c aws.Config) error {
			_, err := signer.NewFromConfig(c).ListSigningProfiles(ctx, nil)
			return err
		}},
		"s3": {"s3:GetBucketPolicy", "AccessDenied", "InvalidAccessKeyId", func(ctx context.Context, c aws.Config) error {
			_, err := s3.NewFromConfig(c).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String("b")})
			return err
		}},
	})
}

// A denial is a call and the codes that refuse it.
type denial struct {
	action, denied, stranger string
	call                     func(ctx context.Context, c aws.Config) error
}

func testDenials(t *testing.T, all map[string]denial) {
	t.Helper()
	for name, tt := range all {
		t.Run(name, func(t *testing.T) {
			f, ctx := awsfake.New(1, start), t.Context()
			f.Organization(org, owner)
			cfg := config(f, caller(owner), "us-east-1")
			f.Deny(func(c awsfake.Call) bool { return c.Action == tt.action })
			err := tt.call(ctx, cfg)
			if code(err) != tt.denied || !strings.Contains(err.Error(), "because no identity-based policy allows the "+tt.action+" action") {
				t.Errorf("denied with %v", err)
			}
			if raw := trailOf(t, f, -1); !strings.Contains(raw, `"errorCode":"AccessDenied"`) && !strings.Contains(raw, `"errorCode":"Client.UnauthorizedOperation"`) || !strings.Contains(raw, `"requestParameters":null`) {
				t.Errorf("recorded as %s", raw)
			}
			f.Deny(nil)
			f.DenySCP(func(c awsfake.Call) bool { return c.Region == "us-east-1" })
			if err := tt.call(ctx, cfg); code(err) != tt.denied || !strings.Contains(err.Error(), "with an explicit deny in a service control policy") {
				t.Errorf("denied with %v", err)
			}
			other := awsfake.New(2, start)
			if err := tt.call(ctx, config(other, awsfake.Caller{Account: owner, User: "x"}, "us-east-1")); code(err) == tt.denied || code(err) == tt.stranger {
				t.Errorf("allowed, it gives %v", err)
			}
			cfg.HTTPClient = mustClient(other)
			if err := tt.call(ctx, cfg); code(err) != tt.stranger {
				t.Errorf("a stranger gets %v", err)
			}
			if got := f.Calls()[awsfake.Count{Account: owner, Region: "us-east-1", Action: tt.action}]; got != 2 {
				t.Errorf("%d calls counted", got)
			}
		})
	}
}

// mustClient is a client of the Fake for whoever has credentials of another.
func mustClient(f *awsfake.Fake) *http.Client {
	client, _, _ := f.Client(awsfake.Caller{Account: stranger})
	return client
}
