package cloudtrail

import (
	"slices"
	"strings"
)

// entities are the entity fields of a record: who acts, what is acted on, and
// every id that belongs to either. They follow the pipeline's enrichment script
// (script_append_related_entity), which runs when the tag actor_target_mapping
// is there, as it is by default.
type entities struct {
	// threw says that the script would have failed on a value of another type;
	// then no entity field is set.
	threw bool

	related, target                        []string
	userTarget, hostTarget, hostTargetID   []string
	serviceTarget, otherTarget             []string
	actor, user, service, host, other      string
	members                                map[string]struct{} // of relatedSet and targetSet, once they are long
	relatedSet, targetSet, scratch, listed []string
}

// A service is what one AWS service adds: paths below the record whose strings
// are related entities of every call, and those that are targets of an action.
// "[]" goes through the elements of a list.
type service struct {
	provider string
	related  string
	targets  map[string]string // action, or actions separated by blanks → paths
}

// account is the target of calls that are about everything in an account.
const account = "recipientAccountId"

// services is the per-service part of the script, except for what needs more
// than paths: EC2's nested lists, SendCommand, Lambda's versioned names and the
// actors of the security token service.
var services = []service{
	{"bedrock.amazonaws.com", "", map[string]string{"Converse": "requestParameters.modelId"}},
	{"cloudformation.amazonaws.com", "", map[string]string{
		"CreateStack":    "responseElements.stackId",
		"CreateStackSet": "responseElements.stackSetId",
	}},
	{
		"cloudtrail.amazonaws.com",
		`requestParameters.name requestParameters.s3BucketName responseElements.cloudWatchLogsLogGroupArn
		responseElements.cloudWatchLogsRoleArn responseElements.kmsKeyId responseElements.snsTopicARN
		responseElements.trailARN responseElements.name`,
		map[string]string{
			"DeleteTrail StopLogging": "requestParameters.name",
			"DescribeTrails":          account,
		},
	},
	{"config.amazonaws.com", "requestParameters.configurationRecorderName", map[string]string{
		"StartConfigurationRecorder StopConfigurationRecorder": "requestParameters.configurationRecorderName",
	}},
	{"dynamodb.amazonaws.com", "", map[string]string{"ListTables": account}},
	{
		"ec2.amazonaws.com",
		`requestParameters.groupId requestParameters.groupName requestParameters.roleName
		requestParameters.subnetId requestParameters.volumeId requestParameters.networkInterfaceId
		requestParameters.vpcId requestParameters.snapshotId responseElements.groupId
		responseElements.reservationId responseElements.vpc.vpcId responseElements.vpc.dhcpOptionsId
		responseElements.snapshotId responseElements.volumeId`,
		map[string]string{
			"AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress": `requestParameters.groupId
				responseElements.securityGroupRuleSet.items[].securityGroupRuleId`,
			"CreateTrafficMirrorFilter":     "responseElements.CreateTrafficMirrorFilterResponse.trafficMirrorFilter.trafficMirrorFilterId",
			"CreateTrafficMirrorFilterRule": "responseElements.CreateTrafficMirrorFilterRuleResponse.trafficMirrorFilterRule.trafficMirrorFilterRuleId",
			"CreateTrafficMirrorSession":    "responseElements.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId",
			"CreateTrafficMirrorTarget":     "responseElements.CreateTrafficMirrorTargetResponse.trafficMirrorTarget.trafficMirrorTargetId",
			"DeleteFlowLogs":                "requestParameters.DeleteFlowLogsRequest.FlowLogId.content",
			"DeleteNetworkAcl":              "requestParameters.networkAclId",
			"DeleteNetworkAclEntry":         "requestParameters.networkAclId requestParameters.ruleNumber=",
			"GetPasswordData":               "requestParameters.instanceId",
			"ModifyImageAttribute":          "requestParameters.imageId",
			"ModifySnapshotAttribute":       "requestParameters.snapshotId",
			`DescribeNetworkAcls DescribeNetworkInterfaces DescribeRegions DescribeSecurityGroups
			DescribeVolumes DescribeVpcs`: account,
		},
	},
	{"ec2-instance-connect.amazonaws.com", "", map[string]string{
		"SendSSHPublicKey SendSerialConsoleSSHPublicKey": "requestParameters.instanceId",
	}},
	{"elasticfilesystem.amazonaws.com", "", map[string]string{
		"DeleteFileSystem":  "requestParameters.fileSystemId",
		"DeleteMountTarget": "requestParameters.mountTargetId",
	}},
	{"elasticloadbalancing.amazonaws.com", "", map[string]string{"DescribeLoadBalancers": account}},
	{"events.amazonaws.com", "", map[string]string{"DeleteRule": "requestParameters.name"}},
	{"guardduty.amazonaws.com", "requestParameters.detectorId responseElements.detectorId", map[string]string{
		"CreateDetector": "responseElements.detectorId",
		"DeleteDetector": "requestParameters.detectorId",
	}},
	{
		"iam.amazonaws.com",
		`requestParameters.userName requestParameters.serialNumber requestParameters.accessKeyId
		requestParameters.policyArn requestParameters.roleName requestParameters.policyName
		responseElements.accessKey.userName responseElements.accessKey.accessKeyId
		responseElements.user.arn responseElements.user.userId responseElements.user.userName
		responseElements.userId responseElements.role.arn responseElements.serialNumber`,
		map[string]string{
			"AttachGroupPolicy": "requestParameters.groupName",
			"AttachRolePolicy ListAttachedRolePolicies UpdateAssumeRolePolicy": "requestParameters.roleName",
			"AttachUserPolicy":               "requestParameters.policyArn requestParameters.userName",
			"CreateAccessKey":                "responseElements.accessKey.accessKeyId requestParameters.userName",
			"CreateUser DeactivateMFADevice": "requestParameters.userName",
			"DeleteVirtualMFADevice":         "requestParameters.serialNumber",
			"GetPolicy":                      "requestParameters.policyArn",
			"CreatePolicy":                   "responseElements.policy.arn",
			"ListRoles ListUsers":            account,
		},
	},
	{
		"kms.amazonaws.com",
		`requestParameters.keyId responseElements.keyId responseElements.keyMetadata.arn
		responseElements.keyMetadata.keyId`,
		map[string]string{"DisableKey ScheduleKeyDeletion": "resources[].ARN"},
	},
	{
		"lambda.amazonaws.com",
		`requestParameters.functionName responseElements.functionArn responseElements.functionName
		responseElements.role responseElements.vpcConfig.securityGroupIds[]!
		responseElements.vpcConfig.subnetIds[]!`,
		nil,
	},
	{"logs.amazonaws.com", "", map[string]string{
		"DeleteLogGroup":  "requestParameters.logGroupName",
		"DeleteLogStream": "requestParameters.logStreamName",
	}},
	{"monitoring.amazonaws.com", "", map[string]string{"DeleteAlarms": "requestParameters.alarmNames[]"}},
	{
		"rds.amazonaws.com",
		`requestParameters.dBInstanceIdentifier requestParameters.dBInstanceArn
		responseElements.dBInstanceIdentifier responseElements.dbInstanceArn
		responseElements.dBSubnetGroup.vpcId responseElements.vpcSecurityGroups.vpcSecurityGroupId
		responseElements.dBSubnetGroup.subnets[].subnetIdentifier
		responseElements.vpcSecurityGroups[].vpcSecurityGroupId`,
		map[string]string{
			"DeleteDBCluster ModifyDBCluster StopDBCluster": "responseElements.dBClusterArn",
			`DeleteDBInstance ModifyDBInstance RestoreDBInstanceFromDBSnapshot RestoreDBInstanceFromS3
			StopDBInstance`: "responseElements.dBInstanceArn",
			"DeleteGlobalCluster":              "responseElements.globalClusterArn",
			"ModifyDBClusterSnapshotAttribute": "responseElements.dBClusterSnapshotIdentifier",
			"ModifyDBSnapshotAttribute":        "responseElements.dBSnapshotIdentifier",
			"DescribeDBInstances":              account,
		},
	},
	{"rolesanywhere.amazonaws.com", "", map[string]string{
		"CreateTrustAnchor": "responseElements.trustAnchor.trustAnchorArn",
	}},
	{"route53resolver.amazonaws.com", "", map[string]string{
		"DeleteResolverQueryLogConfig": "responseElements.resolverQueryLogConfig.arn",
	}},
	{"s3.amazonaws.com", "requestParameters.bucketName", map[string]string{
		`CopyObject DeleteBucket DeleteObject GetBucketPolicy GetObject HeadObject ListObjects
		PutBucketLogging PutBucketVersioning PutObject`: "resources[].ARN",
		"PutBucketReplication": `resources[].ARN
			requestParameters.ReplicationConfiguration.Rule.Destination.Bucket`,
		"ListBuckets": account,
	}},
	{"secretsmanager.amazonaws.com", "", map[string]string{
		"BatchGetSecretValue": "requestParameters.secretIdList[]",
		"GetSecretValue":      "requestParameters.secretId",
	}},
	{"signin.amazonaws.com", "", map[string]string{"ConsoleLogin": account}},
	{"sns.amazonaws.com", "", map[string]string{
		"CreateTopic":       "responseElements.topicArn",
		"Publish Subscribe": "requestParameters.topicArn",
	}},
	{"ssm.amazonaws.com", "", map[string]string{
		"CreateControlChannel GetParameter GetParameters OpenControlChannel": "resources[].ARN",
		"StartSession":                     "requestParameters.target",
		"CreateDocument":                   "requestParameters.name",
		"OpenDataChannel TerminateSession": "requestParameters.sessionId",
		"ListInstanceAssociations":         account,
	}},
	{
		"sts.amazonaws.com",
		`requestParameters.roleArn sourceIdentity additionalEventData.MFAIdentifier
		responseElements.assumedRoleUser.arn requestParameters.roleSessionName
		responseElements.accessKeyId`,
		map[string]string{
			"AssumeRole":        "requestParameters.roleArn",
			"GetCallerIdentity": account,
		},
	},
	{"wafv2.amazonaws.com", "requestParameters.id responseElements.summary", map[string]string{
		"DeleteRuleGroup DeleteWebACL": "requestParameters.id",
	}},
}

// A target class says which entity field an id belongs to.
type targetClass uint8

const (
	targetOther targetClass = iota
	targetUser
	targetHost
	targetService
)

// resourceClasses classify the resource part of an ARN by what stands before
// its slash.
var resourceClasses = func() map[string]targetClass {
	m := map[string]targetClass{"instance": targetHost}
	for t := range strings.FieldsSeq("user role assumed-role federated-user instance-profile mfa serialNumber") {
		m[t] = targetUser
	}
	for t := range strings.FieldsSeq(`stack stack-set trail configuration-recorder file-system mount-target rule
		detector key function log-group log-stream alarm db cluster global-cluster trust-anchor
		resolver-query-log-config secret parameter document session webacl rulegroup ipset topic model
		loadbalancer table group policy security-group network-interface vpc subnet network-acl dhcp-options`) {
		m[t] = targetService
	}
	return m
}()

// servicePrefixes begin the ids of EC2 resources that are no hosts.
var servicePrefixes = []string{
	"sg-", "sgr-", "eni-", "vpc-", "subnet-", "acl-", "rtb-", "igw-", "nat-", "vpce-", "tgw-", "pcx-",
}

// classify says which entity field a target belongs to. A name that looks like
// an id is taken for one: a role called i-robot is a host.
func classify(target string) targetClass {
	if _, kind, ok := arnResource(target); ok {
		if serviceLinked(target) {
			return targetService
		}
		if c, ok := resourceClasses[kind]; ok {
			return c
		}
		if strings.HasPrefix(afterColons(target, 2), "s3:") {
			return targetService
		}
		return targetOther
	}
	switch {
	case strings.HasPrefix(target, "arn:"):
		return targetOther
	case len(target) == 20 && strings.HasPrefix(target, "AKIA"): // Java counts UTF-16 units; keys are ASCII
		return targetUser
	case strings.HasPrefix(target, "i-"):
		return targetHost
	}
	for _, p := range servicePrefixes {
		if strings.HasPrefix(target, p) {
			return targetService
		}
	}
	return targetOther
}

// afterColons is what follows the nth colon of s.
func afterColons(s string, n int) string {
	for range n {
		_, rest, ok := strings.Cut(s, ":")
		if !ok {
			return ""
		}
		s = rest
	}
	return s
}

// arnResource returns the sixth part of an ARN and what stands before its
// first slash; ok is false for what is no ARN of six parts.
func arnResource(s string) (resource, kind string, ok bool) {
	if !strings.HasPrefix(s, "arn:") || strings.Count(s, ":") < 5 {
		return "", "", false
	}
	resource, _, _ = strings.Cut(afterColons(s, 5), ":")
	kind = resource
	if slash := strings.IndexByte(resource, '/'); slash > 0 {
		kind = resource[:slash]
	}
	return resource, kind, true
}

// serviceLinked says that an ARN is of a role that a service acts by.
func serviceLinked(arn string) bool {
	return strings.Contains(arn, "/AWSServiceRoleFor") || strings.Contains(arn, "/aws-service-role/")
}

// instanceID is the bare id of a host target, or "".
func instanceID(target string) string {
	if strings.HasPrefix(target, "arn:") {
		resource, _, ok := arnResource(target)
		if !ok || !strings.HasPrefix(afterColons(target, 2), "ec2:") {
			return ""
		}
		if target, ok = strings.CutPrefix(resource, "instance/"); !ok {
			return ""
		}
	}
	if !strings.HasPrefix(target, "i-") {
		return ""
	}
	return target
}

// entities computes the entity fields of the record.
func (e *Event) entities() *entities {
	n := &e.entity
	if e.entityGen == e.gen {
		return n
	}
	e.entityGen = e.gen
	n.reset()
	if e.text(KeyEventName) == "" && !e.present(e.value(KeyEventName)) {
		return n
	}
	c := collector{e: e, n: n}
	c.collect()
	if c.threw {
		n.reset()
		n.threw = true
		return n
	}
	n.finish()
	e.actors(n, c.actor)
	return n
}

func (n *entities) reset() {
	n.threw = false
	n.related, n.target = nil, nil
	n.userTarget, n.hostTarget, n.hostTargetID, n.serviceTarget, n.otherTarget = nil, nil, nil, nil, nil
	n.actor, n.user, n.service, n.host, n.other = "", "", "", "", ""
	n.relatedSet, n.targetSet, n.scratch, n.listed = n.relatedSet[:0], n.targetSet[:0], n.scratch[:0], n.listed[:0]
	const keep = 4096
	if len(n.members) > keep {
		n.members = nil
	}
	if cap(n.relatedSet) > keep || cap(n.targetSet) > keep || cap(n.scratch) > 4*keep {
		n.relatedSet, n.targetSet, n.scratch, n.listed = nil, nil, nil, nil
	}
	clear(n.members)
}

// finish classifies the targets and adds them to what is related, sorted as in
// a Java TreeSet.
func (n *entities) finish() {
	n.target = sortJava(n.targetSet)
	for _, class := range [...]targetClass{targetUser, targetHost, targetService, targetOther} {
		from := len(n.scratch)
		for _, t := range n.target {
			if classify(t) == class {
				n.scratch = append(n.scratch, t)
			}
		}
		list := n.scratch[from:len(n.scratch):len(n.scratch)]
		switch class {
		case targetUser:
			n.userTarget = list
		case targetHost:
			n.hostTarget = list
		case targetService:
			n.serviceTarget = list
		case targetOther:
			n.otherTarget = list
		}
	}
	for _, t := range n.hostTarget {
		if id := instanceID(t); id != "" {
			n.listed = append(n.listed, id)
		}
	}
	n.hostTargetID = slices.Compact(sortJava(n.listed))
	n.relatedSet = append(n.relatedSet, n.target...)
	n.related = slices.Compact(sortJava(n.relatedSet))
}

// actors sorts the actor into the field of its kind. A role's sessions are one
// user: its ARN, not the session's.
func (e *Event) actors(n *entities, actor string) {
	if actor == "" {
		return
	}
	n.actor = actor
	user := actor
	kind := e.subText(subUserType)
	if kind == "AssumedRole" {
		if issuer := e.subText(subIssuerARN); issuer != "" {
			user = issuer
		}
	}
	switch {
	case kind == "AWSService" || serviceLinked(actor):
		n.service = actor
		return
	case kind == "IAMUser" || kind == "Root" || kind == "AssumedRole":
		n.user = user
		return
	}
	if _, part, ok := arnResource(actor); ok {
		switch part {
		case "user", "role", "assumed-role", "federated-user":
			n.user = user
			return
		case "instance":
			n.host = actor
			return
		}
	}
	if strings.HasPrefix(actor, "i-") {
		n.host = actor
		return
	}
	n.other = actor
}
