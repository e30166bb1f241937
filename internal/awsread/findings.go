package awsread

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	dutytypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	inspectortypes "github.com/aws/aws-sdk-go-v2/service/inspector2/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"github.com/lamina-sec/lamina"
)

const (
	// maxFindings is how many findings of one service are read in one account and
	// region, the most severe first where the service can sort.
	maxFindings = 10_000
	// findingBatch is how many findings of GuardDuty one call takes.
	// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetFindings.html
	findingBatch = 50
	// findingText and findingParts bound what is kept of one finding: the bytes of a
	// text, and how many resources, packages and vulnerabilities.
	findingText  = 500
	findingParts = 50
)

// errManyFindings is the error of a list that is longer than anybody would read.
var errManyFindings = fmt.Errorf("there are more than %d findings: not read to the end", maxFindings)

// brief is the text without the words that are too much of it: a part of a word may
// be a part of a secret, which nobody would know for one.
func brief(text *string) string {
	s := aws.ToString(text)
	if len(s) <= findingText {
		return s
	}
	return s[:strings.LastIndexByte(s[:findingText], ' ')+1] + "…"
}

// few is the list sorted, each once, without what is empty and what is too much.
func few(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(len(list), findingParts)]
}

// subject is the ARN of a function, without its version $LATEST, or of a layer
// version; "" for any other.
func subject(arn string) string {
	a, err := lamina.ParseARN(arn)
	if err != nil || a.Service != "lambda" || len(arn) > findingText {
		return ""
	}
	if l, err := lamina.ParseLayerARN(arn); err == nil && l.Version > 0 {
		return arn
	}
	if !strings.HasPrefix(a.Resource, "function:") {
		return ""
	}
	return strings.TrimSuffix(arn, ":"+latest)
}

// InspectorFindings returns the active findings of Amazon Inspector about the
// account's functions and what they load, the most severe first. An administrator
// of the service is told of every account: those of others are left out.
func (c *Client) InspectorFindings(ctx context.Context, accountID string) ([]lamina.ServiceFinding, error) {
	is := func(value string) []inspectortypes.StringFilter {
		return []inspectortypes.StringFilter{{Comparison: inspectortypes.StringComparisonEquals, Value: &value}}
	}
	in := &inspector2.ListFindingsInput{
		FilterCriteria: &inspectortypes.FilterCriteria{
			AwsAccountId: is(accountID), ResourceType: is(string(inspectortypes.ResourceTypeAwsLambdaFunction)), FindingStatus: is(string(inspectortypes.FindingStatusActive)),
		},
		MaxResults:   aws.Int32(100),
		SortCriteria: &inspectortypes.SortCriteria{Field: inspectortypes.SortFieldSeverity, SortOrder: inspectortypes.SortOrderDesc},
	}
	var all []lamina.ServiceFinding
	for out, err := range pages(ctx, inspector2.NewListFindingsPaginator(c.inspector, in)) {
		if err == nil && len(all) >= maxFindings {
			err = errManyFindings
		}
		if err != nil {
			return all, fail("inspector2:ListFindings", "*", err)
		}
		for _, f := range out.Findings {
			all = append(all, c.inspectorFinding(accountID, f))
		}
	}
	return all, nil
}

func (c *Client) inspectorFinding(accountID string, f inspectortypes.Finding) lamina.ServiceFinding {
	n := lamina.ServiceFinding{
		ID: brief(f.FindingArn), Account: accountID, Region: c.Region, Service: "inspector2", Type: string(f.Type), Severity: string(f.Severity), Title: brief(f.Title),
		Exploit: f.ExploitAvailable == inspectortypes.ExploitAvailableYes, First: moment(f.FirstObservedAt), Last: moment(f.LastObservedAt),
	}
	if f.Epss != nil && f.Epss.Score > 0 && f.Epss.Score <= 1 { // no other is a probability
		n.EPSS = f.Epss.Score
	}
	for _, r := range f.Resources {
		n.Resources = append(n.Resources, subject(aws.ToString(r.Id)))
	}
	n.Resources = few(n.Resources)
	if d := f.PackageVulnerabilityDetails; d != nil {
		n.Vulnerabilities = few([]string{brief(d.VulnerabilityId)})
		for _, p := range d.VulnerablePackages[:min(len(d.VulnerablePackages), findingParts)] {
			n.Packages = append(n.Packages, lamina.ServicePackage{
				Name: brief(p.Name), Version: brief(p.Version), FixedIn: brief(p.FixedInVersion), Path: brief(p.FilePath), Layer: subject(aws.ToString(p.SourceLambdaLayerArn)),
			})
		}
	}
	if d := f.CodeVulnerabilityDetails; d != nil {
		n.Vulnerabilities = few(slices.Clone(d.Cwes))
		p := lamina.ServicePackage{Layer: subject(aws.ToString(d.SourceLambdaLayerArn))}
		if d.FilePath != nil {
			p.Path = brief(d.FilePath.FilePath)
		}
		n.Packages = append(n.Packages, p)
	}
	return n
}

// moment is the time in UTC, zero when there is none.
func moment(t *time.Time) time.Time { return aws.ToTime(t).UTC() }

// written is the time that a text says as RFC 3339, zero when it is none.
func written(text *string) time.Time {
	t, err := time.Parse(time.RFC3339, aws.ToString(text))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// DutyFindingIDs returns the ids of the detector's findings about the account's
// functions that nobody archived, the most severe first. An administrator of the
// service is told of every account: those of others are left out.
func (c *Client) DutyFindingIDs(ctx context.Context, accountID, detector string) ([]string, error) {
	is := func(value string) dutytypes.Condition { return dutytypes.Condition{Equals: []string{value}} }
	in := &guardduty.ListFindingsInput{
		DetectorId: &detector,
		FindingCriteria: &dutytypes.FindingCriteria{Criterion: map[string]dutytypes.Condition{
			"accountId": is(accountID), "resource.resourceType": is("Lambda"), "service.archived": is("false"),
		}},
		SortCriteria: &dutytypes.SortCriteria{AttributeName: aws.String("severity"), OrderBy: dutytypes.OrderByDesc},
	}
	var all []string
	for out, err := range pages(ctx, guardduty.NewListFindingsPaginator(c.guardduty, in)) {
		if err == nil && len(all) >= maxFindings {
			err = errManyFindings
		}
		if err != nil {
			return all, fail("guardduty:ListFindings", "*", err)
		}
		all = append(all, out.FindingIds...)
	}
	return all, nil
}

// DutyFindings returns the detector's findings with the ids. One that is not there
// any more is left out.
func (c *Client) DutyFindings(ctx context.Context, accountID, detector string, ids []string) ([]lamina.ServiceFinding, error) {
	var all []lamina.ServiceFinding
	for batch := range slices.Chunk(ids, findingBatch) {
		out, err := c.guardduty.GetFindings(ctx, &guardduty.GetFindingsInput{DetectorId: &detector, FindingIds: batch})
		if err != nil {
			return all, fail("guardduty:GetFindings", "*", err)
		}
		for _, f := range out.Findings[:min(len(out.Findings), len(batch))] {
			all = append(all, c.dutyFinding(accountID, f))
		}
	}
	return all, nil
}

func (c *Client) dutyFinding(accountID string, f dutytypes.Finding) lamina.ServiceFinding {
	n := lamina.ServiceFinding{
		ID: brief(f.Arn), Account: accountID, Region: c.Region, Service: "guardduty", Type: brief(f.Type), Severity: dutySeverity(aws.ToFloat64(f.Severity)), Title: brief(f.Title),
	}
	if f.Service != nil {
		n.First, n.Last = written(f.Service.EventFirstSeen), written(f.Service.EventLastSeen)
	}
	if f.Resource != nil && f.Resource.LambdaDetails != nil {
		d := f.Resource.LambdaDetails
		arn := subject(aws.ToString(d.FunctionArn))
		if v := aws.ToString(d.FunctionVersion); v != "" && v != latest && arn != "" && !strings.HasSuffix(arn, ":"+v) {
			arn = subject(arn + ":" + v)
		}
		n.Resources = few([]string{arn})
	}
	return n
}

// dutySeverity is the word for a number from 1 to 10.
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
func dutySeverity(n float64) string {
	switch {
	case math.IsNaN(n) || n < 1:
		return "UNTRIAGED"
	case n >= 9:
		return "CRITICAL"
	case n >= 7:
		return "HIGH"
	case n >= 4:
		return "MEDIUM"
	}
	return "LOW"
}

// HubFindings returns the open findings of Security Hub about the account's
// functions and layer versions, and how many are not open: resolved, suppressed or
// of a control that passes. An administrator of the service is told of every
// account, and some regions of all regions: those of others are left out.
func (c *Client) HubFindings(ctx context.Context, accountID string) (open []lamina.ServiceFinding, closed int, err error) {
	is := func(values ...string) (list []hubtypes.StringFilter) {
		for _, v := range values {
			list = append(list, hubtypes.StringFilter{Comparison: hubtypes.StringFilterComparisonEquals, Value: &v})
		}
		return list
	}
	in := &securityhub.GetFindingsInput{
		Filters: &hubtypes.AwsSecurityFindingFilters{
			AwsAccountId: is(accountID), Region: is(c.Region), RecordState: is(string(hubtypes.RecordStateActive)), ResourceType: is("AwsLambdaFunction", "AwsLambdaLayerVersion"),
		},
		MaxResults: aws.Int32(100),
	}
	for out, err := range pages(ctx, securityhub.NewGetFindingsPaginator(c.securityhub, in)) {
		if err == nil && len(open)+closed >= maxFindings {
			err = errManyFindings
		}
		if code(err) == "InvalidAccessException" { // the account has not subscribed to it
			return open, closed, nil
		}
		if err != nil {
			return open, closed, fail("securityhub:GetFindings", "*", err)
		}
		for _, f := range out.Findings {
			if shut(f) {
				closed++
				continue
			}
			open = append(open, c.hubFinding(accountID, f))
		}
	}
	return open, closed, nil
}

// shut reports whether a finding is nobody's concern any more.
func shut(f hubtypes.AwsSecurityFinding) bool {
	return f.Compliance != nil && f.Compliance.Status == hubtypes.ComplianceStatusPassed ||
		f.Workflow != nil && (f.Workflow.Status == hubtypes.WorkflowStatusResolved || f.Workflow.Status == hubtypes.WorkflowStatusSuppressed)
}

func (c *Client) hubFinding(accountID string, f hubtypes.AwsSecurityFinding) lamina.ServiceFinding {
	n := lamina.ServiceFinding{
		ID: brief(f.Id), Account: accountID, Region: c.Region, Service: "securityhub", Title: brief(f.Title), Severity: "UNTRIAGED",
		First: written(f.FirstObservedAt), Last: written(f.LastObservedAt),
	}
	if _, product, ok := strings.Cut(aws.ToString(f.ProductArn), ":product/"); ok {
		n.Product = brief(&product)
	}
	if strings.HasPrefix(aws.ToString(f.GeneratorId), "lamina/") {
		n.Product = "lamina"
	}
	if len(f.Types) > 0 {
		n.Type = brief(&f.Types[0])
	}
	if f.Severity != nil && f.Severity.Label != "" {
		n.Severity = string(f.Severity.Label)
	}
	for _, r := range f.Resources {
		n.Resources = append(n.Resources, subject(aws.ToString(r.Id)))
	}
	n.Resources = few(n.Resources)
	for _, v := range f.Vulnerabilities[:min(len(f.Vulnerabilities), findingParts)] {
		n.Vulnerabilities = append(n.Vulnerabilities, brief(v.Id))
		n.Exploit = n.Exploit || v.ExploitAvailable == hubtypes.VulnerabilityExploitAvailableYes
		if score := aws.ToFloat64(v.EpssScore); score > n.EPSS && score <= 1 {
			n.EPSS = score
		}
		for _, p := range v.VulnerablePackages[:min(len(v.VulnerablePackages), findingParts-len(n.Packages))] {
			n.Packages = append(n.Packages, lamina.ServicePackage{
				Name: brief(p.Name), Version: brief(p.Version), FixedIn: brief(p.FixedInVersion), Path: brief(p.FilePath), Layer: subject(aws.ToString(p.SourceLayerArn)),
			})
		}
	}
	n.Vulnerabilities = few(n.Vulnerabilities)
	return n
}

// recordedFunctions asks for what is needed of AWS Config's records and no more: a
// record holds the function's whole configuration.
const recordedFunctions = "SELECT arn, configurationItemCaptureTime WHERE resourceType = 'AWS::Lambda::Function'"

// ConfigRecords returns the newest record that AWS Config has of each of the
// region's functions.
func (c *Client) ConfigRecords(ctx context.Context) ([]lamina.ConfigRecord, error) {
	const action = "config:SelectResourceConfig"
	var all []lamina.ConfigRecord
	in := &configservice.SelectResourceConfigInput{Expression: aws.String(recordedFunctions), Limit: 100}
	for out, err := range pages(ctx, configservice.NewSelectResourceConfigPaginator(c.configservice, in)) {
		if err != nil {
			return all, fail(action, "*", err)
		}
		for _, row := range out.Results {
			var r struct {
				ARN      string `json:"arn"`
				Captured string `json:"configurationItemCaptureTime"`
			}
			if err := json.Unmarshal([]byte(row), &r); err != nil || subject(r.ARN) == "" {
				return all, fail(action, "*", errors.New("a record is none of a function"))
			}
			all = append(all, lamina.ConfigRecord{Function: subject(r.ARN), Captured: written(&r.Captured)})
		}
	}
	return all, nil
}
