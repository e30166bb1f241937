package awsfake

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// findingPages are those of Inspector and Security Hub, dutyPages those of GuardDuty.
var (
	findingPages = paging{"maxResults", "nextToken", "nextToken", 100, 100, "ValidationException"}
	hubPages     = paging{"MaxResults", "NextToken", "NextToken", 10, 100, "InvalidInputException"}
	dutyPages    = paging{"maxResults", "nextToken", "nextToken", 50, 50, "BadRequestException"}
	configPages  = paging{"Limit", "NextToken", "NextToken", 25, 100, "InvalidNextTokenException"}
)

// serviceFindings are those of the service that the caller is told of here: an
// administrator is told of every account.
func (s Session) serviceFindings(service string, keep func(lamina.ServiceFinding) bool) []lamina.ServiceFinding {
	administers := slices.Contains(s.f.delegated[s.caller.Account], service+".amazonaws.com")
	return only(s.f.estate.ServiceFindings, func(x lamina.ServiceFinding) bool {
		return x.Service == service && x.Region == s.region && (x.Account == s.caller.Account || administers) && keep(x)
	})
}

// filtered reports whether value is among those that the filters, if there are any,
// compare for equality; member is the member of a filter that has the value.
func filtered(filters []input, member, value string) bool {
	return len(filters) == 0 || slices.ContainsFunc(filters, func(f input) bool { return f.text(member) == value })
}

func listInspectorFindings(s Session, in input) (object, *Error) {
	criteria := in.object("filterCriteria")
	all := s.serviceFindings("inspector2", func(x lamina.ServiceFinding) bool {
		return filtered(criteria.objects("awsAccountId"), "value", x.Account) && filtered(criteria.objects("resourceType"), "value", "AWS_LAMBDA_FUNCTION") &&
			filtered(criteria.objects("findingStatus"), "value", "ACTIVE")
	})
	return listing(in, findingPages, "findings", all, inspectorFinding)
}

func inspectorFinding(x lamina.ServiceFinding) object {
	var resources, packages []object
	for _, arn := range x.Resources {
		if strings.Count(arn, ":") == 6 {
			arn += ":" + latest
		}
		resources = append(resources, object{{name: "id", value: arn}, {name: "type", value: "AWS_LAMBDA_FUNCTION"}})
	}
	for _, p := range x.Packages {
		packages = append(packages, object{{name: "name", value: p.Name}, {name: "version", value: p.Version}}.
			optional("fixedInVersion", p.FixedIn).optional("filePath", p.Path).optional("sourceLambdaLayerArn", p.Layer))
	}
	o := object{
		{name: "findingArn", value: x.ID},
		{name: "awsAccountId", value: x.Account},
		{name: "type", value: x.Type},
		{name: "severity", value: x.Severity},
		{name: "status", value: "ACTIVE"},
		{name: "title", value: x.Title},
		{name: "description", value: "What Inspector says of it at length."},
		{name: "exploitAvailable", value: map[bool]string{true: "YES", false: "NO"}[x.Exploit]},
		{name: "epss", value: object{{name: "score", value: x.EPSS}}},
		{name: "firstObservedAt", value: x.First.Unix()},
		{name: "lastObservedAt", value: x.Last.Unix()},
		{name: "resources", value: resources},
	}
	if x.Type != "PACKAGE_VULNERABILITY" {
		return o
	}
	return append(o, member{name: "packageVulnerabilityDetails", value: object{
		{name: "vulnerabilityId", value: x.Vulnerabilities[0]}, {name: "source", value: "NVD"}, {name: "vulnerablePackages", value: packages},
	}})
}

func listDutyFindings(s Session, in input) (object, *Error) {
	criterion := in.object("findingCriteria").object("criterion")
	is := func(name, value string) bool {
		c := criterion.object(name)
		return c == nil || slices.Contains(c.list("equals"), value)
	}
	all := s.serviceFindings("guardduty", func(x lamina.ServiceFinding) bool {
		return is("accountId", x.Account) && is("resource.resourceType", "Lambda") && is("service.archived", "false")
	})
	start, end, next, ok := window(len(all), in.text(dutyPages.token), dutyPages.usual, dutyPages.most)
	if !ok {
		return nil, &Error{Status: http.StatusBadRequest, Code: dutyPages.bad, Message: "the token is not valid"}
	}
	ids := []string{}
	for _, x := range all[start:end] {
		ids = append(ids, dutyID(x))
	}
	return object{{name: "findingIds", value: ids}}.optional(dutyPages.next, next), nil
}

// dutyID is the last part of a finding's ARN.
func dutyID(x lamina.ServiceFinding) string { return x.ID[strings.LastIndexByte(x.ID, '/')+1:] }

func getDutyFindings(s Session, in input) (object, *Error) {
	ids := in.list("findingIds")
	if len(ids) == 0 || len(ids) > 50 {
		return nil, &Error{Status: http.StatusBadRequest, Code: "BadRequestException", Message: "The request is rejected because the parameter findingIds has an invalid value."}
	}
	all := []object{}
	numbers := map[string]float64{"LOW": 2, "MEDIUM": 5, "HIGH": 8, "CRITICAL": 9.5}
	for _, x := range s.serviceFindings("guardduty", func(x lamina.ServiceFinding) bool { return slices.Contains(ids, dutyID(x)) }) {
		lambda := object{{name: "functionArn", value: x.Resources[0]}, {name: "functionVersion", value: latest}}
		if strings.Count(x.Resources[0], ":") == 7 {
			cut := strings.LastIndexByte(x.Resources[0], ':')
			lambda = object{{name: "functionArn", value: x.Resources[0][:cut]}, {name: "functionVersion", value: x.Resources[0][cut+1:]}}
		}
		all = append(all, object{
			{name: "arn", value: x.ID},
			{name: "id", value: dutyID(x)},
			{name: "accountId", value: x.Account},
			{name: "region", value: x.Region},
			{name: "type", value: x.Type},
			{name: "severity", value: numbers[x.Severity]},
			{name: "title", value: x.Title},
			{name: "description", value: "What GuardDuty says of it at length."},
			{name: "schemaVersion", value: "2.0"},
			{name: "createdAt", value: x.First.Format(time.RFC3339)},
			{name: "updatedAt", value: x.Last.Format(time.RFC3339)},
			{name: "resource", value: object{{name: "resourceType", value: "Lambda"}, {name: "lambdaDetails", value: lambda}}},
			{name: "service", value: object{
				{name: "archived", value: false},
				{name: "count", value: 1},
				{name: "eventFirstSeen", value: x.First.Format(time.RFC3339)},
				{name: "eventLastSeen", value: x.Last.Format(time.RFC3339)},
			}},
		})
	}
	return object{{name: "findings", value: all}}, nil
}

func getHubFindings(s Session, in input) (object, *Error) {
	filters := in.object("Filters")
	all := s.serviceFindings("securityhub", func(x lamina.ServiceFinding) bool {
		return filtered(filters.objects("AwsAccountId"), "Value", x.Account) && filtered(filters.objects("Region"), "Value", x.Region) &&
			slices.ContainsFunc(x.Resources, func(arn string) bool { return filtered(filters.objects("ResourceType"), "Value", hubType(arn)) })
	})
	return listing(in, hubPages, "Findings", all, func(x lamina.ServiceFinding) object {
		var resources []object
		for _, arn := range x.Resources {
			resources = append(resources, object{{name: "Id", value: arn}, {name: "Type", value: hubType(arn)}, {name: "Region", value: x.Region}})
		}
		return object{
			{name: "Id", value: x.ID},
			{name: "AwsAccountId", value: x.Account},
			{name: "ProductArn", value: "arn:" + s.partition() + ":securityhub:" + x.Region + "::product/" + x.Product},
			{name: "Types", value: []string{x.Type}},
			{name: "Title", value: x.Title},
			{name: "Description", value: "What Security Hub says of it at length."},
			{name: "Severity", value: object{{name: "Label", value: x.Severity}}},
			{name: "RecordState", value: "ACTIVE"},
			{name: "SchemaVersion", value: "2018-10-08"},
			{name: "FirstObservedAt", value: x.First.Format(time.RFC3339)},
			{name: "LastObservedAt", value: x.Last.Format(time.RFC3339)},
			{name: "Resources", value: resources},
		}
	})
}

// hubType is what Security Hub calls what the ARN names.
func hubType(arn string) string {
	if resourceType(arn) == "AWS::Lambda::LayerVersion" {
		return "AwsLambdaLayerVersion"
	}
	return "AwsLambdaFunction"
}

// selectFunctions answers the one question that is asked of AWS Config's records.
func selectFunctions(s Session, in input) (object, *Error) {
	if !strings.HasSuffix(in.text("Expression"), "WHERE resourceType = 'AWS::Lambda::Function'") {
		return nil, &Error{Status: http.StatusBadRequest, Code: "InvalidExpressionException", Message: "the fake knows no other expression"}
	}
	all := only(s.f.estate.ConfigRecords, func(r lamina.ConfigRecord) bool {
		a, err := lamina.ParseARN(r.Function)
		return err == nil && s.here(a.Account, a.Region)
	})
	start, end, next, ok := window(len(all), in.text(configPages.token), max(in.number(configPages.limit), configPages.usual), configPages.most)
	if !ok {
		return nil, &Error{Status: http.StatusBadRequest, Code: configPages.bad, Message: "the token is not valid"}
	}
	rows := []string{}
	for _, r := range all[start:end] {
		rows = append(rows, string(object{{name: "arn", value: r.Function}, {name: "configurationItemCaptureTime", value: r.Captured.UTC().Format(time.RFC3339)}}.append(nil, api)))
	}
	return object{{name: "Results", value: rows}}.optional(configPages.next, next), nil
}
