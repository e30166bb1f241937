package corpus

// A template is one API call as CloudTrail records it. In params, response and
// resources a word in angle brackets stands for a value:
//
//	<i> <vol> <sg> <subnet> <vpc> <eni> <ami> <rtb> <snap> <igw>   ids of the actor's resources
//	<role> <user> <bucket> <fn> <layer> <table> <queue> <topic> <group> <stack> <cluster> <secret> <param> <key> <db> <repo>   their names
//	<arn:role> and so on for the names above        their ARNs
//	<acct> <region> <who>                           account, region, the caller's name
//	<other>                                         another account of the corpus
//	<uuid> <hex:N> <b64:N> <dig:N>                  fresh random text
//	<time> <long> <epoch> <n:N>                     the event's time, and a number below N
//	<ip> <cidr> <obj> <desc>                        an address, a block, an object key, words
type template struct {
	service, name string
	weight        int // how often an actor of a kind that calls it does
	params        string
	response      string
	extra         string // additionalEventData
	resources     string
	flags         flags
}

type flags uint16

const (
	writes    flags = 1 << iota // readOnly is false
	insight                     // data of the service itself: no requestID
	byService                   // an AWS service calls, on its own
	v111                        // eventVersion 1.11 and newer members
	hidden                      // a denied call leaves requestParameters null
	signIn                      // a sign-in, not an API call
	share                       // shares a layer: placed by Options.ShareEvery only
)

// profiles are what kinds of actors do: a CI deploys, an operator looks around,
// an application uses its own resources, a scanner lists everything.
var profiles = [][]string{
	{"sts", "lambda", "s3", "iam", "cloudformation", "ecr", "logs", "kms"},
	{"ec2", "elasticloadbalancing", "autoscaling", "rds", "monitoring", "signin", "sts"},
	{"kms", "secretsmanager", "dynamodb", "sqs", "sns", "sts", "s3", "logs"},
	{"ec2", "iam", "s3", "config", "cloudtrail", "organizations", "guardduty", "kms", "lambda"},
	{"ssm", "ec2", "sts", "kms", "logs", "secretsmanager"},
	{"ec2", "iam", "ssm", "rds", "s3", "kms", "secretsmanager", "lambda", "dynamodb", "sqs", "sns"},
}

var templates = []template{
	// EC2
	{"ec2", "DescribeInstances", 14, `{"instancesSet":{"items":[{"instanceId":"<i>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeInstances", 8, `{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"pending"},{"value":"running"},{"value":"stopping"}]}},{"name":"tag:Name","valueSet":{"items":[{"value":"<desc>"}]}}]}}`, "", "", "", 0},
	{"ec2", "DescribeRouteTables", 10, `{"routeTableIdSet":{"items":[{"routeTableId":"<rtb>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeVpcs", 6, `{"vpcSet":{"items":[{"vpcId":"<vpc>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeVpcAttribute", 5, `{"vpcId":"<vpc>","attribute":"enableDnsHostnames"}`, "", "", "", 0},
	{"ec2", "DescribeSubnets", 6, `{"subnetSet":{"items":[{"subnetId":"<subnet>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeSecurityGroups", 7, `{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<sg>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeNetworkInterfaces", 5, `{"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"group-id","valueSet":{"items":[{"value":"<sg>"}]}},{"name":"status","valueSet":{"items":[{"value":"available"}]}}]}}`, "", "", "", 0},
	{"ec2", "DescribeVolumes", 4, `{"volumeSet":{"items":[{"volumeId":"<vol>"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeImages", 3, `{"executableBySet":{},"imagesSet":{"items":[{"imageId":"<ami>"}]},"ownersSet":{},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeNatGateways", 4, `{"DescribeNatGatewaysRequest":{"NatGatewayId":{"tag":1,"content":"nat-<hex:17>"}}}`, "", "", "", 0},
	{"ec2", "DescribeSnapshots", 2, `{"snapshotSet":{},"ownersSet":{"items":[{"owner":"self"}]},"sharedUsersSet":{},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeAccountAttributes", 4, `{"accountAttributeNameSet":{"items":[{"attributeName":"supported-platforms"}]},"filterSet":{}}`, "", "", "", 0},
	{"ec2", "DescribeRegions", 3, `{"regionSet":{},"allRegions":true}`, "", "", "", 0},
	{"ec2", "DescribeInstanceAttribute", 3, `{"instanceId":"<i>","attribute":"userData"}`, "", "", "", 0},
	{"ec2", "GetPasswordData", 1, `{"instanceId":"<i>"}`, "", "", "", 0},
	{"ec2", "RunInstances", 1, `{"instancesSet":{"items":[{"imageId":"<ami>","minCount":1,"maxCount":1,"keyName":"<desc>"}]},"groupSet":{"items":[{"groupId":"<sg>"}]},"userData":"<sensitiveDataRemoved>","instanceType":"t3.medium","blockDeviceMapping":{},"monitoring":{"enabled":false},"subnetId":"<subnet>","disableApiTermination":false,"clientToken":"<uuid>","iamInstanceProfile":{"name":"<role>"},"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Name","value":"<desc>"},{"key":"Environment","value":"prod"}]}]}}`, `{"requestId":"<uuid>","reservationId":"r-<hex:17>","ownerId":"<acct>","groupSet":{},"instancesSet":{"items":[{"instanceId":"<i>","imageId":"<ami>","currentInstanceBootMode":"legacy-bios","instanceState":{"code":0,"name":"pending"},"privateDnsName":"<ip>.ec2.internal","amiLaunchIndex":0,"productCodes":{},"instanceType":"t3.medium","launchTime":<epoch>000,"placement":{"availabilityZone":"<region>a","tenancy":"default"},"monitoring":{"state":"disabled"},"subnetId":"<subnet>","vpcId":"<vpc>","privateIpAddress":"<ip>","stateReason":{"code":"pending","message":"pending"},"architecture":"x86_64","rootDeviceType":"ebs","rootDeviceName":"/dev/xvda","blockDeviceMapping":{},"virtualizationType":"hvm","hypervisor":"xen","tagSet":{"items":[{"key":"Name","value":"<desc>"},{"key":"Environment","value":"prod"}]},"clientToken":"<uuid>","groupSet":{"items":[{"groupId":"<sg>","groupName":"<desc>"}]},"sourceDestCheck":true,"networkInterfaceSet":{"items":[{"networkInterfaceId":"<eni>","subnetId":"<subnet>","vpcId":"<vpc>","ownerId":"<acct>","status":"in-use","macAddress":"0a:<hex:2>:<hex:2>:<hex:2>:<hex:2>:<hex:2>","privateIpAddress":"<ip>","sourceDestCheck":true,"interfaceType":"interface","groupSet":{"items":[{"groupId":"<sg>","groupName":"<desc>"}]},"attachment":{"attachmentId":"eni-attach-<hex:17>","deviceIndex":0,"networkCardIndex":0,"status":"attaching","attachTime":<epoch>000,"deleteOnTermination":true},"privateIpAddressesSet":{"item":[{"privateIpAddress":"<ip>","primary":true}]},"ipv6AddressesSet":{},"tagSet":{}}]},"iamInstanceProfile":{"arn":"arn:aws:iam::<acct>:instance-profile/<role>","id":"AIPA<hex:17>"},"ebsOptimized":false,"cpuOptions":{"coreCount":1,"threadsPerCore":2},"capacityReservationSpecification":{"capacityReservationPreference":"open"},"enclaveOptions":{"enabled":false},"metadataOptions":{"state":"pending","httpTokens":"required","httpPutResponseHopLimit":2,"httpEndpoint":"enabled","httpProtocolIpv4":"enabled","httpProtocolIpv6":"disabled","instanceMetadataTags":"disabled"},"maintenanceOptions":{"autoRecovery":"default"},"privateDnsNameOptions":{"hostnameType":"ip-name","enableResourceNameDnsARecord":false,"enableResourceNameDnsAAAARecord":false}}]},"requesterId":"<dig:12>"}`, "", "", writes},
	{"ec2", "TerminateInstances", 1, `{"instancesSet":{"items":[{"instanceId":"<i>"}]}}`, `{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<i>","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}`, "", "", writes},
	{"ec2", "CreateTags", 3, `{"resourcesSet":{"items":[{"resourceId":"<i>"},{"resourceId":"<vol>"}]},"tagSet":{"items":[{"key":"Name","value":"<desc>"},{"key":"CostCenter","value":"<dig:4>"}]}}`, `{"requestId":"<uuid>","_return":true}`, "", "", writes},
	{"ec2", "AuthorizeSecurityGroupIngress", 2, `{"groupId":"<sg>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"<cidr>","description":"<desc>"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`, `{"requestId":"<uuid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<acct>","groupId":"<sg>","securityGroupRuleId":"sgr-<hex:17>","description":"<desc>","isEgress":false,"ipProtocol":"tcp","fromPort":443,"toPort":443,"cidrIpv4":"<cidr>"}]}}`, "", "", writes},
	{"ec2", "CreateVolume", 1, `{"size":"20","zone":"<region>a","volumeType":"gp3","encrypted":true,"tagSpecificationSet":{"items":[{"resourceType":"volume","tags":[{"key":"Name","value":"<desc>"}]}]},"clientToken":"<uuid>"}`, `{"requestId":"<uuid>","volumeId":"<vol>","size":"20","zone":"<region>a","status":"creating","createTime":<epoch>000,"volumeType":"gp3","iops":3000,"encrypted":true,"masterEncryptionKeyId":"<arn:key>","tagSet":{"items":[{"key":"Name","value":"<desc>"}]},"multiAttachEnabled":false,"throughput":125}`, "", "", writes},
	{"ec2", "CreateNetworkInterface", 1, `{"subnetId":"<subnet>","description":"AWS Lambda VPC ENI-<fn>-<uuid>","groupSet":{"items":[{"groupId":"<sg>"}]},"privateIpAddressesSet":{},"ipv6AddressCount":0,"clientToken":"<uuid>"}`, `{"requestId":"<uuid>","networkInterface":{"networkInterfaceId":"<eni>","subnetId":"<subnet>","vpcId":"<vpc>","availabilityZone":"<region>b","description":"AWS Lambda VPC ENI-<fn>","ownerId":"<acct>","requesterId":"AROA<hex:17>:<dig:12>","requesterManaged":false,"status":"pending","macAddress":"06:<hex:2>:<hex:2>:<hex:2>:<hex:2>:<hex:2>","privateIpAddress":"<ip>","sourceDestCheck":true,"interfaceType":"lambda","groupSet":{"items":[{"groupId":"<sg>","groupName":"<desc>"}]},"privateIpAddressesSet":{"item":[{"privateIpAddress":"<ip>","primary":true}]},"ipv6AddressesSet":{},"tagSet":{}}}`, "", "", writes | byService},

	// S3
	{"s3", "GetBucketAcl", 8, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","acl":""}`, "", s3Extra, s3Bucket, 0},
	{"s3", "GetBucketPolicyStatus", 4, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policyStatus":""}`, "", s3Extra, s3Bucket, 0},
	{"s3", "GetBucketLogging", 4, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","logging":""}`, "", s3Extra, s3Bucket, 0},
	{"s3", "GetBucketEncryption", 4, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","encryption":""}`, "", s3Extra, s3Bucket, 0},
	{"s3", "GetBucketLocation", 4, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","location":""}`, "", s3Extra, s3Bucket, 0},
	{"s3", "ListBuckets", 3, `{"Host":"s3.amazonaws.com"}`, "", s3Extra, "", 0},
	{"s3", "PutBucketPolicy", 1, `{"bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"AllowSSLRequestsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["<arn:bucket>","<arn:bucket>/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]},"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","policy":""}`, "", s3Extra, s3Bucket, writes},
	{"s3", "CreateBucket", 1, `{"CreateBucketConfiguration":{"LocationConstraint":"<region>","xmlns":"http://s3.amazonaws.com/doc/2006-03-01/"},"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com"}`, "", s3Extra, s3Bucket, writes},
	{"s3", "PutBucketPublicAccessBlock", 1, `{"publicAccessBlock":"","bucketName":"<bucket>","PublicAccessBlockConfiguration":{"xmlns":"http://s3.amazonaws.com/doc/2006-03-01/","RestrictPublicBuckets":true,"BlockPublicPolicy":true,"BlockPublicAcls":true,"IgnorePublicAcls":true},"Host":"<bucket>.s3.<region>.amazonaws.com"}`, "", s3Extra, s3Bucket, writes},
	{"s3", "GetObject", 6, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<obj>"}`, "", s3Extra, s3Object, 0},
	{"s3", "PutObject", 5, `{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","x-amz-acl":"bucket-owner-full-control","x-amz-server-side-encryption":"aws:kms","key":"<obj>"}`, `{"x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"<arn:key>","x-amz-version-id":"<b64:32>"}`, s3Extra, s3Object, writes},

	// IAM
	{"iam", "GetUser", 8, `{"userName":"<user>"}`, "", "", "", 0},
	{"iam", "GetRole", 8, `{"roleName":"<role>"}`, "", "", "", 0},
	{"iam", "ListAttachedRolePolicies", 7, `{"roleName":"<role>"}`, "", "", "", 0},
	{"iam", "ListRolePolicies", 6, `{"roleName":"<role>"}`, "", "", "", 0},
	{"iam", "GetRolePolicy", 4, `{"roleName":"<role>","policyName":"<desc>"}`, "", "", "", 0},
	{"iam", "GetPolicyVersion", 4, `{"policyArn":"arn:aws:iam::<acct>:policy/<desc>","versionId":"v<n:5>"}`, "", "", "", 0},
	{"iam", "ListInstanceProfilesForRole", 3, `{"roleName":"<role>"}`, "", "", "", 0},
	{"iam", "GenerateServiceLastAccessedDetails", 1, `{"arn":"<arn:role>"}`, `{"jobId":"<uuid>"}`, "", "", 0},
	{"iam", "CreateRole", 2, `{"roleName":"<role>","description":"<desc>","maxSessionDuration":3600,"path":"/","assumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}`, `{"role":{"path":"/","roleName":"<role>","roleId":"AROA<hex:17>","arn":"<arn:role>","createDate":"<long>","assumeRolePolicyDocument":"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"}}`, "", "", writes},
	{"iam", "PutRolePolicy", 1, `{"roleName":"<role>","policyName":"<desc>","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"\",\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\",\"s3:ListBucket\"],\"Resource\":[\"<arn:bucket>\",\"<arn:bucket>/*\"]},{\"Sid\":\"\",\"Effect\":\"Allow\",\"Action\":\"logs:*\",\"Resource\":\"*\"}]}"}`, "", "", "", writes},
	{"iam", "AttachRolePolicy", 2, `{"roleName":"<role>","policyArn":"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}`, "", "", "", writes},
	{"iam", "CreateAccessKey", 1, `{"userName":"<user>"}`, `{"accessKey":{"userName":"<user>","accessKeyId":"AKIA<hex:16>","status":"Active","createDate":"<long>"}}`, "", "", writes},

	// STS
	{"sts", "AssumeRole", 22, `{"roleArn":"<arn:role>","roleSessionName":"<who>","durationSeconds":3600}`, `{"credentials":{"accessKeyId":"ASIA<hex:16>","sessionToken":"<b64:340>","expiration":"<long>"},"assumedRoleUser":{"assumedRoleId":"AROA<hex:17>:<who>","arn":"arn:aws:sts::<acct>:assumed-role/<role>/<who>"}}`, "", `[{"accountId":"<acct>","type":"AWS::IAM::Role","ARN":"<arn:role>"}]`, 0},
	{"sts", "AssumeRole", 16, `{"roleArn":"<arn:role>","roleSessionName":"<fn>","externalId":"<acct>","durationSeconds":3600}`, `{"credentials":{"accessKeyId":"ASIA<hex:16>","expiration":"<long>"},"assumedRoleUser":{"assumedRoleId":"AROA<hex:17>:<fn>","arn":"arn:aws:sts::<acct>:assumed-role/<role>/<fn>"}}`, "", `[{"accountId":"<acct>","type":"AWS::IAM::Role","ARN":"<arn:role>"}]`, byService},
	{"sts", "GetCallerIdentity", 8, "", "", "", "", 0},
	{"sts", "AssumeRoleWithWebIdentity", 3, `{"roleArn":"<arn:role>","roleSessionName":"GitHubActions","durationSeconds":3600}`, `{"credentials":{"accessKeyId":"ASIA<hex:16>","sessionToken":"<b64:340>","expiration":"<long>"},"subjectFromWebIdentityToken":"repo:example/<repo>:ref:refs/heads/main","assumedRoleUser":{"assumedRoleId":"AROA<hex:17>:GitHubActions","arn":"arn:aws:sts::<acct>:assumed-role/<role>/GitHubActions"},"provider":"arn:aws:iam::<acct>:oidc-provider/token.actions.githubusercontent.com","audience":"sts.amazonaws.com"}`, "", "", 0},

	// Lambda
	{"lambda", "ListFunctions20150331", 4, `{"maxItems":50}`, "", "", "", hidden},
	{"lambda", "GetFunction20150331v2", 8, `{"functionName":"<fn>"}`, "", "", "", hidden},
	{"lambda", "GetFunctionConfiguration20150331v2", 4, `{"functionName":"<arn:fn>"}`, "", "", "", hidden},
	{"lambda", "GetFunctionCodeSigningConfig", 4, `{"functionName":"<fn>"}`, "", "", "", hidden},
	{"lambda", "ListVersionsByFunction20150331", 4, `{"functionName":"<fn>"}`, "", "", "", hidden},
	{"lambda", "GetPolicy20150331v2", 3, `{"functionName":"<fn>"}`, "", "", "", hidden},
	{"lambda", "ListLayers20181031", 2, "", "", "", "", hidden},
	{"lambda", "ListLayerVersions20181031", 2, `{"layerName":"<layer>"}`, "", "", "", hidden},
	{"lambda", "PublishLayerVersion20181031", 2, `{"layerName":"<layer>","description":"<desc>","content":{"s3Bucket":"<bucket>","s3Key":"<obj>"},"compatibleRuntimes":["python3.12","python3.11"],"licenseInfo":"Apache-2.0"}`, `{"content":{"codeSha256":"<b64:43>=","codeSize":<dig:7>},"layerArn":"<arn:layer>","layerVersionArn":"<arn:layer>:<n:40>","description":"<desc>","createdDate":"<time>","version":<n:40>,"compatibleRuntimes":["python3.12","python3.11"],"licenseInfo":"Apache-2.0"}`, "", "", writes | hidden},
	{"lambda", "UpdateFunctionCode20150331v2", 2, `{"fullyQualifiedArn":{"arnPrefix":{"partition":"aws","region":"<region>","account":"<acct>"},"relativeId":{"functionName":"<fn>"},"functionQualifier":{}},"functionName":"<fn>","s3Bucket":"<bucket>","s3Key":"<obj>","publish":false,"dryRun":false}`, lambdaConfiguration, "", "", writes | hidden},
	{"lambda", "UpdateFunctionConfiguration20150331v2", 2, `{"functionName":"<fn>","environment":{},"layers":["<arn:layer>:<n:40>"]}`, lambdaConfiguration, "", "", writes | hidden},
	{"lambda", "UpdateFunctionConfiguration20150331v2", 1, `{"functionName":"<fn>","memorySize":512,"timeout":30}`, lambdaConfiguration, "", "", writes | hidden},
	{"lambda", "CreateFunction20150331", 1, `{"functionName":"<fn>","runtime":"python3.12","role":"<arn:role>","handler":"app.handler","code":{"s3Bucket":"<bucket>","s3Key":"<obj>"},"description":"<desc>","timeout":30,"memorySize":512,"publish":false,"packageType":"Zip","environment":{},"tags":{"team":"<desc>"},"architectures":["arm64"]}`, lambdaConfiguration, "", "", writes | hidden},
	{"lambda", "AddPermission20150331v2", 1, `{"functionName":"<fn>","statementId":"AllowExecutionFromAPIGateway","action":"lambda:InvokeFunction","principal":"apigateway.amazonaws.com","sourceArn":"arn:aws:execute-api:<region>:<acct>:<hex:10>/*/*"}`, `{"statement":"{\"Sid\":\"AllowExecutionFromAPIGateway\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"apigateway.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"<arn:fn>\",\"Condition\":{\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:execute-api:<region>:<acct>:<hex:10>/*/*\"}}}"}`, "", "", writes | hidden},
	{"lambda", "CreateEventSourceMapping20150331", 1, `{"eventSourceArn":"<arn:queue>","functionName":"<fn>","batchSize":10,"enabled":true,"functionResponseTypes":["ReportBatchItemFailures"]}`, `{"uUID":"<uuid>","batchSize":10,"maximumBatchingWindowInSeconds":0,"eventSourceArn":"<arn:queue>","functionArn":"<arn:fn>","lastModified":"<long>","state":"Creating","stateTransitionReason":"USER_INITIATED","functionResponseTypes":["ReportBatchItemFailures"]}`, "", "", writes | hidden},
	{"lambda", "DeleteFunction20150331", 1, `{"functionName":"<fn>"}`, "", "", "", writes | hidden},
	{"lambda", "AddLayerVersionPermission20181031", 0, `{"layerName":"<layer>","versionNumber":<n:40>,"statementId":"share-<dig:6>","action":"lambda:GetLayerVersion","principal":"<other>"}`, `{"statement":"{\"Sid\":\"share-<dig:6>\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::<other>:root\"},\"Action\":\"lambda:GetLayerVersion\",\"Resource\":\"<arn:layer>:<n:40>\"}","revisionId":"<uuid>"}`, "", "", writes | hidden | share},
	{"lambda", "AddLayerVersionPermission20181031", 0, `{"layerName":"<layer>","versionNumber":<n:40>,"statementId":"public","action":"lambda:GetLayerVersion","principal":"*"}`, `{"statement":"{\"Sid\":\"public\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:GetLayerVersion\",\"Resource\":\"<arn:layer>:<n:40>\"}","revisionId":"<uuid>"}`, "", "", writes | hidden | share},

	// KMS
	{"kms", "Decrypt", 24, `{"encryptionContext":{"aws:lambda:FunctionArn":"<arn:fn>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`, "", "", keyResource, 0},
	{"kms", "Decrypt", 20, `{"encryptionContext":{"PARAMETER_ARN":"<arn:param>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`, "", "", keyResource, v111},
	{"kms", "GenerateDataKey", 12, `{"keyId":"<arn:key>","encryptionContext":{"aws:s3:arn":"<arn:bucket>"},"keySpec":"AES_256"}`, "", "", keyResource, byService},
	{"kms", "Encrypt", 4, `{"keyId":"<arn:key>","encryptionContext":{"SecretARN":"<arn:secret>","SecretVersionId":"<uuid>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`, "", "", keyResource, 0},
	{"kms", "DescribeKey", 5, `{"keyId":"<arn:key>"}`, "", "", keyResource, 0},
	{"kms", "ListAliases", 3, `{"limit":100}`, "", "", "", 0},
	{"kms", "CreateGrant", 1, `{"keyId":"<arn:key>","granteePrincipal":"<arn:role>","operations":["Decrypt","Encrypt","GenerateDataKey","DescribeKey"],"constraints":{"encryptionContextSubset":{"aws:ebs:id":"<vol>"}}}`, `{"grantId":"<hex:64>","keyId":"<arn:key>"}`, "", keyResource, writes},

	// Logs and metrics
	{"logs", "CreateLogStream", 18, `{"logGroupName":"/aws/lambda/<fn>","logStreamName":"2024/01/02/[$LATEST]<hex:32>"}`, "", "", "", writes},
	{"logs", "DescribeLogGroups", 4, `{"logGroupNamePrefix":"/aws/lambda/<fn>"}`, "", "", "", 0},
	{"logs", "CreateLogGroup", 1, `{"logGroupName":"/aws/lambda/<fn>"}`, "", "", "", writes},
	{"logs", "FilterLogEvents", 3, `{"logGroupName":"<group>","startTime":<epoch>000,"endTime":<epoch>999,"filterPattern":"ERROR","limit":1000,"interleaved":true}`, "", "", "", 0},
	{"logs", "PutRetentionPolicy", 1, `{"logGroupName":"<group>","retentionInDays":30}`, "", "", "", writes},
	{"monitoring", "DescribeAlarms", 5, `{"maxRecords":100}`, "", "", "", 0},
	{"monitoring", "PutMetricAlarm", 1, `{"alarmName":"<desc>","alarmActions":["<arn:topic>"],"metricName":"Errors","namespace":"AWS/Lambda","statistic":"Sum","dimensions":[{"name":"FunctionName","value":"<fn>"}],"period":60,"evaluationPeriods":1,"threshold":1.0,"comparisonOperator":"GreaterThanOrEqualToThreshold","treatMissingData":"notBreaching"}`, "", "", "", writes},

	// Security services
	{"cloudtrail", "LookupEvents", 3, `{"maxResults":50,"startTime":"<long>","lookupAttributes":[{"attributeKey":"EventName","attributeValue":"ConsoleLogin"}]}`, "", "", "", 0},
	{"cloudtrail", "DescribeTrails", 4, `{"trailNameList":[],"includeShadowTrails":true}`, "", "", "", 0},
	{"cloudtrail", "GetTrailStatus", 4, `{"name":"arn:aws:cloudtrail:<region>:<acct>:trail/<desc>"}`, "", "", "", 0},
	{"cloudtrail", "GetEventSelectors", 2, `{"trailName":"arn:aws:cloudtrail:<region>:<acct>:trail/<desc>"}`, "", "", "", 0},
	{"config", "PutEvaluations", 6, `{"evaluations":[{"complianceResourceType":"AWS::Lambda::Function","complianceResourceId":"<fn>","complianceType":"COMPLIANT","orderingTimestamp":"<long>"}],"resultToken":"<sensitiveDataRemoved>","testMode":false}`, `{"failedEvaluations":[]}`, "", "", writes},
	{"config", "DescribeConfigurationRecorderStatus", 4, "", "", "", "", 0},
	{"config", "BatchGetResourceConfig", 2, `{"resourceKeys":[{"resourceType":"AWS::EC2::SecurityGroup","resourceId":"<sg>"},{"resourceType":"AWS::EC2::Instance","resourceId":"<i>"}]}`, "", "", "", 0},
	{"guardduty", "ListFindings", 2, `{"detectorId":"<hex:32>","maxResults":50,"findingCriteria":{"criterion":{"severity":{"gte":4}}}}`, "", "", "", 0},
	{"guardduty", "GetDetector", 2, `{"detectorId":"<hex:32>"}`, "", "", "", 0},
	{"organizations", "ListAccounts", 2, "", "", "", "", 0},
	{"organizations", "DescribeOrganization", 2, "", "", "", "", 0},

	// Systems Manager and secrets
	{"ssm", "UpdateInstanceInformation", 16, `{"instanceId":"<i>","agentVersion":"3.2.2222.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"<ip>","computerName":"ip-<ip>.ec2.internal","agentName":"amazon-ssm-agent","availabilityZone":"<region>a","availabilityZoneId":"use1-az4","sSMConnectionChannel":"ssmmessages"}`, "", "", "", writes},
	{"ssm", "GetParameter", 9, `{"name":"<param>","withDecryption":true}`, "", "", `[{"accountId":"<acct>","ARN":"<arn:param>"}]`, 0},
	{"ssm", "GetParametersByPath", 3, `{"path":"/<desc>/","recursive":true,"withDecryption":true}`, "", "", "", 0},
	{"ssm", "DescribeParameters", 5, `{"filters":[{"key":"Name","values":["<param>"]}],"maxResults":50}`, "", "", "", 0},
	{"ssm", "PutParameter", 2, `{"name":"<param>","type":"SecureString","value":"HIDDEN_DUE_TO_SECURITY_REASONS","overwrite":true,"dataType":"text"}`, `{"version":<n:30>,"tier":"Standard"}`, "", `[{"accountId":"<acct>","ARN":"<arn:param>"}]`, writes},
	{"ssm", "SendCommand", 1, `{"documentName":"AWS-RunShellScript","instanceIds":["<i>"],"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS","timeoutSeconds":600,"interactive":false,"clientName":"<who>"}`, `{"command":{"commandId":"<uuid>","documentName":"AWS-RunShellScript","documentVersion":"$DEFAULT","comment":"","expiresAfter":"<long>","parameters":"HIDDEN_DUE_TO_SECURITY_REASONS","instanceIds":["<i>"],"targets":[],"requestedDateTime":"<long>","status":"Pending","statusDetails":"Pending","outputS3Region":"<region>","outputS3BucketName":"","outputS3KeyPrefix":"","maxConcurrency":"50","maxErrors":"0","targetCount":1,"completedCount":0,"errorCount":0,"deliveryTimedOutCount":0,"serviceRole":"","notificationConfig":{"notificationArn":"","notificationEvents":[],"notificationType":""},"cloudWatchOutputConfig":{"cloudWatchLogGroupName":"","cloudWatchOutputEnabled":false},"interactive":false,"timeoutSeconds":600,"clientName":"","clientSourceId":"","errorCount":0}}`, "", "", writes},
	{"secretsmanager", "GetSecretValue", 9, `{"secretId":"<arn:secret>"}`, "", "", "", 0},
	{"secretsmanager", "DescribeSecret", 4, `{"secretId":"<secret>"}`, "", "", "", 0},
	{"secretsmanager", "PutSecretValue", 1, `{"clientRequestToken":"<uuid>","secretId":"<arn:secret>"}`, `{"arn":"<arn:secret>"}`, "", "", writes},
	{"secretsmanager", "RotateSecret", 1, `{"clientRequestToken":"<uuid>","secretId":"<arn:secret>","rotateImmediately":true}`, `{"arn":"<arn:secret>"}`, "", "", writes},

	// Data and messages
	{"dynamodb", "DescribeTable", 8, `{"tableName":"<table>"}`, "", "", `[{"accountId":"<acct>","type":"AWS::DynamoDB::Table","ARN":"<arn:table>"}]`, 0},
	{"dynamodb", "ListTables", 2, `{"limit":100}`, "", "", "", 0},
	{"dynamodb", "DescribeContinuousBackups", 2, `{"tableName":"<table>"}`, "", "", `[{"accountId":"<acct>","type":"AWS::DynamoDB::Table","ARN":"<arn:table>"}]`, 0},
	{"dynamodb", "UpdateTable", 1, `{"tableName":"<table>","provisionedThroughput":{"readCapacityUnits":<n:90>,"writeCapacityUnits":<n:90>}}`, `{"tableDescription":{"attributeDefinitions":[{"attributeName":"pk","attributeType":"S"},{"attributeName":"sk","attributeType":"S"}],"tableName":"<table>","keySchema":[{"attributeName":"pk","keyType":"HASH"},{"attributeName":"sk","keyType":"RANGE"}],"tableStatus":"UPDATING","creationDateTime":"<long>","provisionedThroughput":{"numberOfDecreasesToday":0,"readCapacityUnits":5,"writeCapacityUnits":5},"tableSizeBytes":<dig:6>,"itemCount":<dig:4>,"tableArn":"<arn:table>","tableId":"<uuid>"}}`, "", `[{"accountId":"<acct>","type":"AWS::DynamoDB::Table","ARN":"<arn:table>"}]`, writes},
	{"sqs", "GetQueueAttributes", 6, `{"queueUrl":"https://sqs.<region>.amazonaws.com/<acct>/<queue>","attributeNames":["All"]}`, "", "", `[{"accountId":"<acct>","type":"AWS::SQS::Queue","ARN":"<arn:queue>"}]`, 0},
	{"sqs", "CreateQueue", 1, `{"queueName":"<queue>","attributes":{"KmsMasterKeyId":"alias/aws/sqs","VisibilityTimeout":"180"}}`, `{"queueUrl":"https://sqs.<region>.amazonaws.com/<acct>/<queue>"}`, "", `[{"accountId":"<acct>","type":"AWS::SQS::Queue","ARN":"<arn:queue>"}]`, writes},
	{"sns", "GetTopicAttributes", 4, `{"topicArn":"<arn:topic>"}`, "", "", "", 0},
	{"sns", "Subscribe", 1, `{"topicArn":"<arn:topic>","protocol":"sqs","endpoint":"<arn:queue>","returnSubscriptionArn":false}`, `{"subscriptionArn":"<arn:topic>:<uuid>"}`, "", "", writes},
	{"rds", "DescribeDBInstances", 6, `{"dBInstanceIdentifier":"<db>"}`, "", "", "", 0},
	{"rds", "DescribeDBSnapshots", 3, `{"snapshotType":"manual","maxRecords":100,"includeShared":false,"includePublic":false}`, "", "", "", 0},
	{"rds", "ModifyDBInstance", 1, `{"dBInstanceIdentifier":"<db>","applyImmediately":true,"backupRetentionPeriod":7,"allowMajorVersionUpgrade":false,"masterUserPassword":"****"}`, `{"dBInstanceIdentifier":"<db>","dBInstanceClass":"db.t3.medium","engine":"postgres","dBInstanceStatus":"available","masterUsername":"app","endpoint":{"address":"<db>.<hex:12>.<region>.rds.amazonaws.com","port":5432,"hostedZoneId":"Z<hex:13>"},"allocatedStorage":100,"instanceCreateTime":"<long>","preferredBackupWindow":"03:00-04:00","backupRetentionPeriod":7,"dBSecurityGroups":[],"vpcSecurityGroups":[{"vpcSecurityGroupId":"<sg>","status":"active"}],"availabilityZone":"<region>b","multiAZ":true,"engineVersion":"15.4","publiclyAccessible":false,"storageType":"gp3","storageEncrypted":true,"kmsKeyId":"<arn:key>","dbiResourceId":"db-<hex:26>","deletionProtection":true,"dBInstanceArn":"arn:aws:rds:<region>:<acct>:db:<db>"}`, "", "", writes},

	// Deployment
	{"cloudformation", "DescribeStacks", 8, `{"stackName":"<stack>"}`, "", "", "", 0},
	{"cloudformation", "DescribeStackEvents", 4, `{"stackName":"arn:aws:cloudformation:<region>:<acct>:stack/<stack>/<uuid>"}`, "", "", "", 0},
	{"cloudformation", "CreateChangeSet", 1, `{"stackName":"<stack>","changeSetName":"awscli-cloudformation-package-deploy-<epoch>","changeSetType":"UPDATE","capabilities":["CAPABILITY_IAM"],"parameters":[{"parameterKey":"Stage","parameterValue":"****"}]}`, `{"id":"arn:aws:cloudformation:<region>:<acct>:changeSet/awscli-cloudformation-package-deploy-<epoch>/<uuid>","stackId":"arn:aws:cloudformation:<region>:<acct>:stack/<stack>/<uuid>"}`, "", "", writes},
	{"ecr", "BatchGetImage", 5, `{"registryId":"<acct>","repositoryName":"<repo>","imageIds":[{"imageDigest":"sha256:<hex:64>"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json","application/vnd.oci.image.manifest.v1+json"]}`, "", "", `[{"accountId":"<acct>","ARN":"arn:aws:ecr:<region>:<acct>:repository/<repo>"}]`, 0},
	{"ecr", "GetAuthorizationToken", 3, "", "", "", "", 0},
	{"ecr", "PutImage", 1, `{"registryId":"<acct>","repositoryName":"<repo>","imageTag":"<hex:12>","imageManifest":"{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"application/vnd.docker.distribution.manifest.v2+json\",\n   \"config\": {\n      \"mediaType\": \"application/vnd.docker.container.image.v1+json\",\n      \"size\": <dig:4>,\n      \"digest\": \"sha256:<hex:64>\"\n   }\n}"}`, `{"image":{"registryId":"<acct>","repositoryName":"<repo>","imageId":{"imageDigest":"sha256:<hex:64>","imageTag":"<hex:12>"}}}`, "", `[{"accountId":"<acct>","ARN":"arn:aws:ecr:<region>:<acct>:repository/<repo>"}]`, writes},
	{"elasticloadbalancing", "DescribeTargetHealth", 8, `{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<acct>:targetgroup/<desc>/<hex:16>"}`, "", "", "", 0},
	{"elasticloadbalancing", "DescribeLoadBalancers", 5, `{"pageSize":400}`, "", "", "", 0},
	{"elasticloadbalancing", "RegisterTargets", 2, `{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<acct>:targetgroup/<desc>/<hex:16>","targets":[{"id":"<i>","port":8080}]}`, "", "", "", writes},
	{"autoscaling", "DescribeAutoScalingGroups", 8, `{"autoScalingGroupNames":["<cluster>"],"maxRecords":100}`, "", "", "", 0},
	{"autoscaling", "SetDesiredCapacity", 1, `{"autoScalingGroupName":"<cluster>","desiredCapacity":<n:20>,"honorCooldown":false}`, "", "", "", writes},
	{"signin", "ConsoleLogin", 1, "", `{"ConsoleLogin":"Success"}`, `{"LoginTo":"https://console.aws.amazon.com/console/home?region=<region>&state=hashArgs%23","MobileVersion":"No","MFAUsed":"Yes"}`, "", writes | signIn},
}

const (
	s3Extra     = `{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<b64:75>=","bytesTransferredOut":<n:900>}`
	s3Bucket    = `[{"accountId":"<acct>","type":"AWS::S3::Bucket","ARN":"<arn:bucket>"}]`
	s3Object    = `[{"type":"AWS::S3::Object","ARN":"<arn:bucket>/<obj>"},{"accountId":"<acct>","type":"AWS::S3::Bucket","ARN":"<arn:bucket>"}]`
	keyResource = `[{"accountId":"<acct>","type":"AWS::KMS::Key","ARN":"<arn:key>"}]`

	lambdaConfiguration = `{"functionName":"<fn>","functionArn":"<arn:fn>","runtime":"python3.12","role":"<arn:role>","handler":"app.handler","codeSize":<dig:7>,"description":"<desc>","timeout":30,"memorySize":512,"lastModified":"<time>","codeSha256":"<b64:43>=","version":"$LATEST","environment":{},"tracingConfig":{"mode":"PassThrough"},"revisionId":"<uuid>","layers":[{"arn":"<arn:layer>:<n:40>","codeSize":<dig:7>,"uncompressedCodeSize":<dig:8>}],"state":"Active","lastUpdateStatus":"InProgress","lastUpdateStatusReason":"The function is being created.","lastUpdateStatusReasonCode":"Creating","packageType":"Zip","architectures":["arm64"],"ephemeralStorage":{"size":512},"snapStart":{"applyOn":"None","optimizationStatus":"Off"},"runtimeVersionConfig":{"runtimeVersionArn":"arn:aws:lambda:<region>::runtime:<hex:64>"},"loggingConfig":{"logFormat":"Text","logGroup":"/aws/lambda/<fn>"}}`
)
