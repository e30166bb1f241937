package awsread

// A Call is a method of the SDK and the IAM action it needs.
type Call struct {
	// Client is the field of Client that has the method.
	Client, Method string
	Action         string
	// Without says what cannot be known when the action is not allowed.
	Without string
}

// CodeCalls are the calls made for functions' own packages, which are fetched only
// when that is asked for.
var CodeCalls = []Call{
	{"lambda", "GetFunction", "lambda:GetFunction", "what is in functions' own packages"},
}

// Calls are all other calls this package can make, sorted by client and method. The
// collector's policy is made from it.
var Calls = []Call{
	{"accessanalyzer", "GetFindingV2", "access-analyzer:GetFinding", "who an external access finding of Access Analyzer names, and which permissions of a role it says are unused"},
	{"accessanalyzer", "ListAnalyzers", "access-analyzer:ListAnalyzers", "whether Access Analyzer watches a region, and its findings"},
	{"accessanalyzer", "ListFindingsV2", "access-analyzer:ListFindings", "whether Access Analyzer agrees about who can read a layer"},
	{"account", "ListRegions", "account:ListRegions", "which opt-in regions an account has enabled; all regions of the partition are tried instead"},
	{"cloudtrail", "DescribeTrails", "cloudtrail:DescribeTrails", "whether changes of layers are logged"},
	{"cloudtrail", "GetEventSelectors", "cloudtrail:GetEventSelectors", "which events a trail logs"},
	{"cloudtrail", "GetTrailStatus", "cloudtrail:GetTrailStatus", "whether a trail is on"},
	{"cloudtrail", "LookupEvents", "cloudtrail:LookupEvents", "which policies changed since the last collection; all are read again instead"},
	{"cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms", "whether an alarm watches changes of layers"},
	{"configservice", "DescribeConfigurationRecorderStatus", "config:DescribeConfigurationRecorderStatus", "whether AWS Config's record of functions is being kept"},
	{"configservice", "DescribeConfigurationRecorders", "config:DescribeConfigurationRecorders", "whether AWS Config records functions (it cannot record layers)"},
	{"configservice", "SelectResourceConfig", "config:SelectResourceConfig", "which functions AWS Config has a record of, and of when"},
	{"ec2", "DescribeRouteTables", "ec2:DescribeRouteTables", "where the routes of functions' subnets lead"},
	{"ec2", "DescribeSecurityGroups", "ec2:DescribeSecurityGroups", "where security groups let functions send"},
	{"ec2", "DescribeSubnets", "ec2:DescribeSubnets", "which VPCs functions run in, and where their routes lead"},
	{"ec2", "DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints", "what the endpoints of functions' VPCs let through"},
	{"events", "ListRules", "events:ListRules", "whether a rule forwards events about layers"},
	{"events", "ListTargetsByRule", "events:ListTargetsByRule", "where a rule forwards events to"},
	{"guardduty", "GetDetector", "guardduty:GetDetector", "whether GuardDuty watches what functions send"},
	{"guardduty", "GetFindings", "guardduty:GetFindings", "what GuardDuty says of functions"},
	{"guardduty", "ListDetectors", "guardduty:ListDetectors", "whether GuardDuty is on"},
	{"guardduty", "ListFindings", "guardduty:ListFindings", "whether GuardDuty says anything of functions"},
	{"iam", "GenerateCredentialReport", "iam:GenerateCredentialReport", "which users have no MFA or old access keys, when IAM made no report of its own accord"},
	{"iam", "GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails", "who may attach, publish, share or delete layers"},
	{"iam", "GetCredentialReport", "iam:GetCredentialReport", "which users have no MFA or old access keys"},
	{"inspector", "BatchGetAccountStatus", "inspector2:BatchGetAccountStatus", "whether Inspector scans functions"},
	{"inspector", "ListCoverage", "inspector2:ListCoverage", "which functions Inspector leaves out"},
	{"inspector", "ListFindings", "inspector2:ListFindings", "what Inspector says of functions and of the layers that they load"},
	{"lambda", "GetAccountSettings", "lambda:GetAccountSettings", "how full the account's code storage is"},
	{"lambda", "GetCodeSigningConfig", "lambda:GetCodeSigningConfig", "whose signatures a code signing configuration accepts"},
	{"lambda", "GetFunctionCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig", "whether a function demands signed layers"},
	{"lambda", "GetLayerVersionByArn", "lambda:GetLayerVersion", "digest, size and signature of layer versions, foreign ones among them"},
	{"lambda", "GetLayerVersionPolicy", "lambda:GetLayerVersionPolicy", "who can read a layer version"},
	{"lambda", "GetPolicy", "lambda:GetPolicy", "who can invoke a function"},
	{"lambda", "ListAliases", "lambda:ListAliases", "which versions of a function are in use"},
	{"lambda", "ListEventSourceMappings", "lambda:ListEventSourceMappings", "what feeds a function"},
	{"lambda", "ListFunctionUrlConfigs", "lambda:ListFunctionUrlConfigs", "whether a function can be reached over HTTP"},
	{"lambda", "ListFunctions", "lambda:ListFunctions", "which functions there are, and which layers they load"},
	{"lambda", "ListLayerVersions", "lambda:ListLayerVersions", "which versions a layer has"},
	{"lambda", "ListLayers", "lambda:ListLayers", "which layers there are"},
	{"lambda", "ListProvisionedConcurrencyConfigs", "lambda:ListProvisionedConcurrencyConfigs", "which versions of a function are kept initialised"},
	{"logs", "DescribeMetricFilters", "logs:DescribeMetricFilters", "whether a metric filter matches changes of layers"},
	{"organizations", "DescribeOrganization", "organizations:DescribeOrganization", "which organisation it is"},
	{"organizations", "DescribePolicy", "organizations:DescribePolicy", "what a service control policy says"},
	{"organizations", "ListAccounts", "organizations:ListAccounts", "which accounts are ours"},
	{"organizations", "ListAccountsForParent", "organizations:ListAccountsForParent", "which service control policies apply to which account"},
	{"organizations", "ListDelegatedAdministrators", "organizations:ListDelegatedAdministrators", "which accounts administer a service for the organisation"},
	{"organizations", "ListDelegatedServicesForAccount", "organizations:ListDelegatedServicesForAccount", "which services an account administers for the organisation"},
	{"organizations", "ListOrganizationalUnitsForParent", "organizations:ListOrganizationalUnitsForParent", "which service control policies apply to which account"},
	{"organizations", "ListPolicies", "organizations:ListPolicies", "which service control policies there are"},
	{"organizations", "ListRoots", "organizations:ListRoots", "which service control policies apply to which account"},
	{"organizations", "ListTargetsForPolicy", "organizations:ListTargetsForPolicy", "which service control policies apply to which account"},
	{"resolver", "ListFirewallDomainLists", "route53resolver:ListFirewallDomainLists", "which lists of domains DNS Firewall takes from AWS"},
	{"resolver", "ListFirewallDomains", "route53resolver:ListFirewallDomains", "whether a rule of DNS Firewall is about all domains"},
	{"resolver", "ListFirewallRuleGroupAssociations", "route53resolver:ListFirewallRuleGroupAssociations", "whether a DNS Firewall watches functions' VPCs"},
	{"resolver", "ListFirewallRules", "route53resolver:ListFirewallRules", "what a DNS Firewall blocks"},
	{"s3", "GetBucketPolicy", "s3:GetBucketPolicy", "who can replace a layer that Lambda keeps no copy of"},
	{"s3", "GetBucketVersioning", "s3:GetBucketVersioning", "whether an object that a layer refers to can vanish"},
	{"s3", "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", "whether a trail's files can be taken away"},
	{"s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "whether a bucket's policy can open it to everyone"},
	{"s3", "ListBuckets", "s3:ListAllMyBuckets", "whether a trail's bucket is the account's own"},
	{"securityhub", "DescribeHub", "securityhub:DescribeHub", "whether Security Hub is on"},
	{"securityhub", "GetFindings", "securityhub:GetFindings", "what Security Hub has about functions and layers"},
	{"signer", "ListSigningProfiles", "signer:ListSigningProfiles", "whether a signing profile was cancelled or revoked"},
	{"sns", "ListSubscriptionsByTopic", "sns:ListSubscriptionsByTopic", "whether anyone hears an alarm"},
	{"sts", "GetCallerIdentity", "sts:GetCallerIdentity", "which account is read"},
}
