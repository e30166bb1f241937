package awsfake

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// restPages has the largest pages of the services here; the usual ones are not
// documented for all (derived).
var restPages = paging{"maxResults", "nextToken", "nextToken", 100, 100, "ValidationException"}

func restNotFound(what string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: what + " does not exist."}
}

// analyzerPaths know analyzers and their findings of external access.
func (f *Fake) analyzerPaths() []path {
	mine := func(s Session) []lamina.AccessAnalyzer {
		return only(s.f.estate.Analyzers, func(a lamina.AccessAnalyzer) bool { return s.here(a.Account, a.Region) })
	}
	findings := func(s Session, in input) ([]lamina.AccessFinding, *Error) {
		arn := in.text("analyzerArn")
		if !slices.ContainsFunc(mine(s), func(a lamina.AccessAnalyzer) bool { return a.ARN == arn }) {
			return nil, restNotFound("The analyzer " + arn)
		}
		return only(s.f.estate.AccessFindings, func(x lamina.AccessFinding) bool { return x.Analyzer == arn }), nil
	}
	return []path{
		{"GET /analyzer", "ListAnalyzers", rpc{do: func(s Session, in input) (object, *Error) {
			all := only(mine(s), func(a lamina.AccessAnalyzer) bool { return in.text("type") == "" || in.text("type") == a.Type })
			return listing(in, restPages, "analyzers", all, func(a lamina.AccessAnalyzer) object {
				return object{
					{name: "arn", value: a.ARN},
					{name: "name", value: a.ARN[strings.LastIndexByte(a.ARN, '/')+1:]},
					{name: "type", value: a.Type},
					{name: "status", value: a.Status},
					{name: "createdAt", value: s.f.now.Format(time.RFC3339)},
				}
			})
		}}},
		{"POST /findingv2", "ListFindingsV2", rpc{of: "analyzerArn", do: func(s Session, in input) (object, *Error) {
			all, err := findings(s, in)
			if err != nil {
				return nil, err
			}
			keep := func(name, value string) bool {
				criterion := in.object("filter").object(name)
				return criterion == nil || slices.Contains(criterion.list("eq"), value)
			}
			all = only(all, func(x lamina.AccessFinding) bool {
				return keep("resourceType", resourceType(x.Resource)) && keep("status", x.Status) && keep("findingType", cmp.Or(x.Kind, "ExternalAccess")) && keep("resource", x.Resource)
			})
			return listing(in, restPages, "findings", all, s.describeFinding)
		}}},
		{"GET /findingv2/{id}", "GetFindingV2", rpc{of: "analyzerArn", do: func(s Session, in input) (object, *Error) {
			all, err := findings(s, in)
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(all, func(x lamina.AccessFinding) bool { return x.ID == in.text("id") })
			if i < 0 {
				return nil, restNotFound("The finding " + in.text("id"))
			}
			return append(s.describeFinding(all[i]), member{name: "findingDetails", value: details(all[i])}), nil
		}}},
	}
}

// resourceType is what CloudFormation calls what the ARN names.
func resourceType(arn string) string {
	a, err := lamina.ParseARN(arn)
	switch {
	case err == nil && strings.HasPrefix(a.Resource, "layer:"):
		return "AWS::Lambda::LayerVersion"
	case err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "role/"):
		return "AWS::IAM::Role"
	case err == nil && a.Service == "iam":
		return "AWS::IAM::User"
	}
	return "AWS::Lambda::Function"
}

func (s Session) describeFinding(x lamina.AccessFinding) object {
	updated := x.Updated
	if updated.IsZero() {
		updated = s.f.now
	}
	at := updated.UTC().Format(time.RFC3339)
	return object{
		{name: "id", value: x.ID},
		{name: "findingType", value: cmp.Or(x.Kind, "ExternalAccess")},
		{name: "resource", value: x.Resource},
		{name: "resourceType", value: resourceType(x.Resource)},
		{name: "resourceOwnerAccount", value: s.caller.Account},
		{name: "status", value: x.Status},
		{name: "createdAt", value: at},
		{name: "analyzedAt", value: at},
		{name: "updatedAt", value: at},
	}
}

// unusedDetails has one entry for each service.
func unusedDetails(x lamina.AccessFinding) []object {
	var all []object
	for len(x.Unused) > 0 {
		service, _, _ := strings.Cut(x.Unused[0], ":")
		actions := []object{}
		for len(x.Unused) > 0 && strings.HasPrefix(x.Unused[0], service+":") {
			if action := strings.TrimPrefix(x.Unused[0], service+":"); action != "*" {
				actions = append(actions, object{{name: "action", value: action}})
			}
			x.Unused = x.Unused[1:]
		}
		all = append(all, object{{name: "unusedPermissionDetails", value: object{{name: "serviceNamespace", value: service}, {name: "actions", value: actions}}}})
	}
	return all
}

// details has one entry for each principal.
func details(x lamina.AccessFinding) []object {
	if x.Kind == "UnusedPermission" {
		return unusedDetails(x)
	}
	one := func(principal dict) object {
		return object{{name: "externalAccessDetails", value: object{
			{name: "isPublic", value: x.Public},
			{name: "principal", value: principal},
			{name: "action", value: []string{"lambda:GetLayerVersion"}},
			{name: "condition", value: dict{}},
		}}}
	}
	var all []object
	for _, p := range x.Principals {
		kind, who, _ := strings.Cut(p, ":")
		all = append(all, one(dict{kind: who}))
	}
	if all == nil {
		all = []object{one(dict{})}
	}
	return all
}

// status says whether a feature of a service is on here; known is false when
// nothing was loaded about it.
func (s Session) status(account, feature string) (on, known bool) {
	for _, x := range s.f.estate.Services {
		if x.Account == account && x.Region == s.region && x.Feature == feature {
			return x.Enabled, true
		}
	}
	return false, false
}

// inspectorPaths know which resource types are scanned, and the functions then
// covered.
func (f *Fake) inspectorPaths() []path {
	return []path{
		{"POST /status/batch/get", "BatchGetAccountStatus", rpc{do: func(s Session, in input) (object, *Error) {
			ids := in.list("accountIds")
			if ids == nil {
				ids = []string{s.caller.Account}
			}
			accounts, failed := []object{}, []object{}
			for _, id := range ids {
				if id != s.caller.Account && !slices.Contains(s.f.delegated[s.caller.Account], "inspector2.amazonaws.com") {
					failed = append(failed, object{{name: "accountId", value: id}, {name: "errorCode", value: "ACCESS_DENIED"}, {name: "errorMessage", value: "not a member"}})
					continue
				}
				word := func(feature string) object {
					if on, _ := s.status(id, feature); on {
						return object{{name: "status", value: "ENABLED"}, {name: "errorCode", value: "ALREADY_ENABLED"}, {name: "errorMessage", value: ""}}
					}
					return object{{name: "status", value: "DISABLED"}, {name: "errorCode", value: "ACCOUNT_IS_ISOLATED"}, {name: "errorMessage", value: ""}}
				}
				accounts = append(accounts, object{
					{name: "accountId", value: id},
					{name: "state", value: word("inspector2:LAMBDA")},
					{name: "resourceState", value: object{
						{name: "ec2", value: word("inspector2:EC2")},
						{name: "ecr", value: word("inspector2:ECR")},
						{name: "lambda", value: word("inspector2:LAMBDA")},
						{name: "lambdaCode", value: word("inspector2:LAMBDA_CODE")},
					}},
				})
			}
			return object{{name: "accounts", value: accounts}, {name: "failedAccounts", value: failed}}, nil
		}}},
		{"POST /findings/list", "ListFindings", rpc{do: listInspectorFindings}},
		{"POST /coverage/list", "ListCoverage", rpc{do: func(s Session, in input) (object, *Error) {
			var all []lamina.Unscanned // and those that are scanned, for no reason
			wanted := ""
			for _, f := range in.object("filterCriteria").objects("scanStatusCode") {
				wanted = f.text("value")
			}
			if on, _ := s.status(s.caller.Account, "inspector2:LAMBDA"); on {
				p := place{s.caller.Account, s.region}
				for _, name := range s.f.funcNames[p] {
					fn := lamina.Unscanned{Function: s.f.functions[funcKey{p, name}].arn}
					if i := slices.IndexFunc(s.f.estate.Unscanned, func(u lamina.Unscanned) bool { return u.Function == fn.Function }); i >= 0 {
						fn.Reason = s.f.estate.Unscanned[i].Reason
					}
					if wanted == "" || (wanted == "INACTIVE") == (fn.Reason != "") {
						all = append(all, fn)
					}
				}
			}
			return listing(in, restPages, "coveredResources", all, func(fn lamina.Unscanned) object {
				code, reason := "ACTIVE", "SUCCESSFUL"
				if fn.Reason != "" {
					code, reason = "INACTIVE", fn.Reason
				}
				return object{
					{name: "accountId", value: s.caller.Account},
					{name: "resourceId", value: fn.Function + ":" + latest},
					{name: "resourceType", value: "AWS_LAMBDA_FUNCTION"},
					{name: "scanType", value: "PACKAGE"},
					{name: "scanStatus", value: object{{name: "statusCode", value: code}, {name: "reason", value: reason}}},
				}
			})
		}}},
	}
}

// lambdaLogs is the feature of GuardDuty that watches functions.
const lambdaLogs = "guardduty:LAMBDA_NETWORK_LOGS"

func noDetector() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "BadRequestException", Message: "The request is rejected because the input detectorId is not owned by the current account."}
}

// guardDutyPaths know one detector where the status of its feature is loaded.
func (f *Fake) guardDutyPaths() []path {
	id := func(s Session) string {
		sum := strings.ToLower(uniqueID("", s.caller.Account+s.region))
		return strings.Repeat(sum[:8], 4)
	}
	return []path{
		{"GET /detector", "ListDetectors", rpc{do: func(s Session, _ input) (object, *Error) {
			ids := []string{}
			if _, known := s.status(s.caller.Account, lambdaLogs); known {
				ids = append(ids, id(s))
			}
			return object{{name: "detectorIds", value: ids}}, nil
		}}},
		{"POST /detector/{detectorId}/findings", "ListFindings", rpc{of: "detectorId", do: func(s Session, in input) (object, *Error) {
			if in.text("detectorId") != id(s) {
				return nil, noDetector()
			}
			return listDutyFindings(s, in)
		}}},
		{"POST /detector/{detectorId}/findings/get", "GetFindings", rpc{of: "detectorId", do: func(s Session, in input) (object, *Error) {
			if in.text("detectorId") != id(s) {
				return nil, noDetector()
			}
			return getDutyFindings(s, in)
		}}},
		{"GET /detector/{detectorId}", "GetDetector", rpc{of: "detectorId", do: func(s Session, in input) (object, *Error) {
			on, known := s.status(s.caller.Account, lambdaLogs)
			if !known || in.text("detectorId") != id(s) {
				return nil, noDetector()
			}
			return object{
				{name: "status", value: "ENABLED"},
				{name: "serviceRole", value: "arn:" + s.partition() + ":iam::" + s.caller.Account + ":role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"},
				{name: "features", value: []object{{{name: "name", value: "LAMBDA_NETWORK_LOGS"}, {name: "status", value: map[bool]string{true: "ENABLED", false: "DISABLED"}[on]}}}},
			}, nil
		}}},
	}
}

// securityHubPaths say whether the hub is on, and what is in it.
func (f *Fake) securityHubPaths() []path {
	on := func(s Session) *Error {
		if on, _ := s.status(s.caller.Account, "securityhub"); !on {
			return &Error{Status: http.StatusUnauthorized, Code: "InvalidAccessException", Message: "Account " + s.caller.Account + " is not subscribed to AWS Security Hub"}
		}
		return nil
	}
	return []path{
		{"GET /accounts", "DescribeHub", rpc{do: func(s Session, _ input) (object, *Error) {
			if err := on(s); err != nil {
				return nil, err
			}
			return object{
				{name: "HubArn", value: "arn:" + s.partition() + ":securityhub:" + s.region + ":" + s.caller.Account + ":hub/default"},
				{name: "AutoEnableControls", value: true},
			}, nil
		}}},
		{"POST /findings", "GetFindings", rpc{do: func(s Session, in input) (object, *Error) {
			if err := on(s); err != nil {
				return nil, err
			}
			return getHubFindings(s, in)
		}}},
	}
}

// recorded is the feature that says whether AWS Config records functions.
const recorded = "config:AWS::Lambda::Function"

// configOperations know one recorder of functions where its status is loaded.
func (f *Fake) configOperations() map[string]rpc {
	recorder := func(s Session, more ...member) []object {
		if _, known := s.status(s.caller.Account, recorded); !known {
			return []object{}
		}
		return []object{append(object{{name: "name", value: "default"}}, more...)}
	}
	return map[string]rpc{
		"DescribeConfigurationRecorders": {do: func(s Session, _ input) (object, *Error) {
			return object{{name: "ConfigurationRecorders", value: recorder(s, member{name: "recordingGroup", value: object{
				{name: "allSupported", value: false},
				{name: "resourceTypes", value: []string{"AWS::Lambda::Function"}},
				{name: "recordingStrategy", value: object{{name: "useOnly", value: "INCLUSION_BY_RESOURCE_TYPES"}}},
			}})}}, nil
		}},
		"SelectResourceConfig": {do: selectFunctions},
		"DescribeConfigurationRecorderStatus": {do: func(s Session, _ input) (object, *Error) {
			on, _ := s.status(s.caller.Account, recorded)
			return object{{name: "ConfigurationRecordersStatus", value: recorder(s, member{name: "recording", value: on})}}, nil
		}},
	}
}

// signerPaths know the latest version of each signing profile.
func (f *Fake) signerPaths() []path {
	mine := func(s Session) []lamina.SigningProfile {
		return only(s.f.estate.SigningProfiles, func(p lamina.SigningProfile) bool { return s.here(p.Account, p.Region) })
	}
	show := func(p lamina.SigningProfile) object {
		cut := strings.LastIndexByte(p.VersionARN, '/')
		return object{
			{name: "profileName", value: p.Name},
			{name: "profileVersion", value: p.VersionARN[cut+1:]},
			{name: "profileVersionArn", value: p.VersionARN},
			{name: "arn", value: p.VersionARN[:max(cut, 0)]},
			{name: "platformId", value: "AWSLambda-SHA384-ECDSA"},
			{name: "platformDisplayName", value: "AWS Lambda"},
			{name: "status", value: p.Status},
		}
	}
	pages := restPages
	pages.most, pages.usual = 25, 25
	return []path{
		{"GET /signing-profiles", "ListSigningProfiles", rpc{do: func(s Session, in input) (object, *Error) {
			all := only(mine(s), func(p lamina.SigningProfile) bool { return p.Status != "Canceled" || in.flag("includeCanceled", false) })
			return listing(in, pages, "profiles", all, show)
		}}},
		{"GET /signing-profiles/{profileName}", "GetSigningProfile", rpc{of: "profileName", do: func(s Session, in input) (object, *Error) {
			for _, p := range mine(s) {
				if p.Name == in.text("profileName") {
					return show(p), nil
				}
			}
			return nil, restNotFound("The signing profile " + in.text("profileName"))
		}}},
	}
}

// revoked reports whether the profile of a signature was revoked; the lock must
// be held.
func (f *Fake) revoked(g signature) bool {
	return slices.ContainsFunc(f.estate.SigningProfiles, func(p lamina.SigningProfile) bool {
		return p.VersionARN == g.profile && p.Status == "Revoked"
	})
}
