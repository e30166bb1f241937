package rule

import (
	"slices"
	"strings"
)

// lambdaActions are the Lambda calls whose eventName in CloudTrail ends in a
// date, by the name of the API operation. From AWS's list
// (https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html)
// and from records; AddLayerVersionPermission is listed without and recorded
// with its date.
var lambdaActions = map[string]string{
	"AddLayerVersionPermission":   "AddLayerVersionPermission20181031",
	"AddPermission":               "AddPermission20150331v2",
	"CreateAlias":                 "CreateAlias20150331",
	"CreateEventSourceMapping":    "CreateEventSourceMapping20150331",
	"CreateFunction":              "CreateFunction20150331",
	"DeleteAlias":                 "DeleteAlias20150331",
	"DeleteEventSourceMapping":    "DeleteEventSourceMapping20150331",
	"DeleteFunction":              "DeleteFunction20150331",
	"DeleteFunctionConcurrency":   "DeleteFunctionConcurrency20171031",
	"DeleteLayerVersion":          "DeleteLayerVersion20181031",
	"GetAlias":                    "GetAlias20150331",
	"GetEventSourceMapping":       "GetEventSourceMapping20150331",
	"GetFunction":                 "GetFunction20150331v2",
	"GetFunctionConfiguration":    "GetFunctionConfiguration20150331v2",
	"ListAliases":                 "ListAliases20150331",
	"ListEventSourceMappings":     "ListEventSourceMappings20150331",
	"ListFunctions":               "ListFunctions20150331",
	"ListVersionsByFunction":      "ListVersionsByFunction20150331",
	"PublishLayerVersion":         "PublishLayerVersion20181031",
	"PublishVersion":              "PublishVersion20150331",
	"PutFunctionConcurrency":      "PutFunctionConcurrency20171031",
	"RemovePermission":            "RemovePermission20150331v2",
	"UpdateAlias":                 "UpdateAlias20150331",
	"UpdateEventSourceMapping":    "UpdateEventSourceMapping20150331",
	"UpdateFunctionCode":          "UpdateFunctionCode20150331v2",
	"UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}

// dataEvents are calls that a trail records as data events, by service
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html).
var dataEvents = map[string][]string{
	"lambda.amazonaws.com": {"Invoke", "InvokeExecution", "InvokeWithResponseStream"},
	"s3.amazonaws.com": {
		"GetObject", "PutObject", "DeleteObject", "DeleteObjects", "CopyObject", "HeadObject", "HeadBucket", "ListObjects", "ListObjectVersions",
		"GetObjectAcl", "PutObjectAcl", "GetObjectAttributes", "GetObjectTagging", "PutObjectTagging", "RestoreObject", "SelectObjectContent",
		"CreateMultipartUpload", "CompleteMultipartUpload", "UploadPart", "UploadPartCopy", "AbortMultipartUpload", "ListParts",
	},
	"dynamodb.amazonaws.com": {
		"GetItem", "PutItem", "DeleteItem", "UpdateItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems",
		"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", "GetRecords", "GetShardIterator",
	},
	"sns.amazonaws.com":              {"Publish", "PublishBatch"},
	"sqs.amazonaws.com":              {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"},
	"cognito-identity.amazonaws.com": {"GetCredentialsForIdentity", "GetId", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity", "UnlinkIdentity"},
	"ssmmessages.amazonaws.com":      {"CreateControlChannel", "OpenControlChannel", "CreateDataChannel", "OpenDataChannel"},
	"bedrock-agent-runtime.amazonaws.com": {
		"InvokeAgent", "InvokeFlow", "InvokeInlineAgent", "Retrieve", "RetrieveAndGenerate",
	},
}

// dataEvent reports whether action is a data event of one of the services. Its
// name may end in a date.
func dataEvent(providers []string, action string) bool {
	return slices.ContainsFunc(providers, func(p string) bool {
		return slices.ContainsFunc(dataEvents[p], func(a string) bool {
			rest, ok := strings.CutPrefix(action, a)
			return ok && (rest == "" || rest[0] >= '0' && rest[0] <= '9')
		})
	})
}

// dataEventBegins reports whether a data event of one of the services begins
// with prefix.
func dataEventBegins(providers []string, prefix string) bool {
	return slices.ContainsFunc(providers, func(p string) bool {
		return slices.ContainsFunc(dataEvents[p], func(a string) bool { return strings.HasPrefix(a, prefix) })
	})
}

// calls are API calls that one service alone has, by service: a rule that asks
// for one of them of another service finds nothing. Names that several services
// share (CreateUser, TagResource, AddPermission) are not here.
var calls = map[string][]string{
	"lambda.amazonaws.com": {
		"AddLayerVersionPermission", "RemoveLayerVersionPermission", "PublishLayerVersion", "DeleteLayerVersion", "UpdateFunctionConfiguration",
		"UpdateFunctionCode", "CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping", "PutFunctionConcurrency",
		"CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "PutFunctionCodeSigningConfig", "DeleteFunctionCodeSigningConfig",
		"CreateCodeSigningConfig", "UpdateCodeSigningConfig", "DeleteCodeSigningConfig",
	},
	"sts.amazonaws.com": {
		"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetCallerIdentity", "GetFederationToken", "GetSessionToken",
	},
	"signin.amazonaws.com": {"ConsoleLogin", "SwitchRole"},
	"iam.amazonaws.com": {
		"CreateAccessKey", "UpdateAccessKey", "AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy", "PutUserPolicy", "PutRolePolicy",
		"PutGroupPolicy", "UpdateAssumeRolePolicy", "CreateLoginProfile", "UpdateLoginProfile", "DeactivateMFADevice", "CreateOpenIDConnectProvider",
		"CreateSAMLProvider", "UpdateSAMLProvider", "SetDefaultPolicyVersion", "CreateInstanceProfile", "AddRoleToInstanceProfile",
	},
	"cloudtrail.amazonaws.com":     {"StopLogging", "StartLogging", "CreateTrail", "UpdateTrail", "DeleteTrail", "PutEventSelectors"},
	"kms.amazonaws.com":            {"ScheduleKeyDeletion", "CancelKeyDeletion", "DisableKey", "DeleteImportedKeyMaterial"},
	"secretsmanager.amazonaws.com": {"GetSecretValue", "BatchGetSecretValue"},
	"ec2.amazonaws.com": {
		"RunInstances", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySnapshotAttribute", "ModifyInstanceAttribute",
		"CreateNetworkAclEntry", "DeleteFlowLogs", "DisableEbsEncryptionByDefault", "AssociateIamInstanceProfile",
	},
	"s3.amazonaws.com": {"PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketReplication", "PutBucketVersioning", "PutBucketLogging"},
}

// callsOf is the service of each of calls.
var callsOf = func() map[string]string {
	m := map[string]string{}
	for service, names := range calls {
		for _, n := range names {
			m[n] = service
		}
	}
	return m
}()

// undated is the name of a call without the date and version that Lambda
// appends (20150331v2), or the beginning of a date that a pattern has.
func undated(name string) string {
	s := strings.TrimRight(name, "0123456789")
	if v, ok := strings.CutSuffix(s, "v"); ok && len(s) < len(name) {
		if t := strings.TrimRight(v, "0123456789"); len(t) < len(v) {
			return t
		}
	}
	return s
}
