package cloudtrail

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entityFields are the fields of the enrichment script.
var entityFields = []string{
	"related.entity", "target.entity.id", "user.target.entity.id", "host.target.entity.id", "host.target.id",
	"service.target.entity.id", "entity.target.id", "actor.entity.id", "user.entity.id", "service.entity.id", "host.entity.id", "entity.id",
}

func TestEntities(t *testing.T) {
	t.Parallel()
	const user = `"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/u"},"recipientAccountId":"111122223333",`
	const who = "arn:aws:iam::1:user/u"
	as := func(want map[string]string) map[string]string {
		out := map[string]string{"actor.entity.id": who, "user.entity.id": who, "related.entity": who}
		maps.Copy(out, want)
		return out
	}
	tests := []struct {
		name, raw string
		want      map[string]string
	}{
		{"no action, no entities", `{` + user + `"eventSource":"s3.amazonaws.com"}`, map[string]string{}},
		{
			"a bare role name is nothing in particular", `{` + user + `"eventSource":"iam.amazonaws.com","eventName":"AttachRolePolicy","requestParameters":{"roleName":"deploy","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}}`,
			as(map[string]string{
				"target.entity.id": "deploy", "entity.target.id": "deploy",
				"related.entity": "arn:aws:iam::1:user/u|arn:aws:iam::aws:policy/AdministratorAccess|deploy",
			}),
		},
		{
			"a role called like an instance is a host", `{` + user + `"eventSource":"iam.amazonaws.com","eventName":"UpdateAssumeRolePolicy","requestParameters":{"roleName":"i-robot"}}`,
			as(map[string]string{"target.entity.id": "i-robot", "host.target.entity.id": "i-robot", "host.target.id": "i-robot", "related.entity": who + "|i-robot"}),
		},
		{
			"a key is a user, a policy a service's", `{` + user + `"eventSource":"iam.amazonaws.com","eventName":"AttachUserPolicy","requestParameters":{"policyArn":"arn:aws:iam::aws:policy/X","userName":"AKIAIOSFODNN7EXAMPLE"}}`,
			as(map[string]string{
				"target.entity.id":      "AKIAIOSFODNN7EXAMPLE|arn:aws:iam::aws:policy/X",
				"user.target.entity.id": "AKIAIOSFODNN7EXAMPLE", "service.target.entity.id": "arn:aws:iam::aws:policy/X",
				"related.entity": "AKIAIOSFODNN7EXAMPLE|arn:aws:iam::1:user/u|arn:aws:iam::aws:policy/X",
			}),
		},
		{
			"lambda's names have dates", `{` + user + `"eventSource":"lambda.amazonaws.com","eventName":"AddPermission20150331v2","requestParameters":{"functionName":"arn:aws:lambda:r:1:function:f"}}`,
			as(map[string]string{
				"target.entity.id": "arn:aws:lambda:r:1:function:f", "service.target.entity.id": "arn:aws:lambda:r:1:function:f",
				"related.entity": who + "|arn:aws:lambda:r:1:function:f",
			}),
		},
		{
			"a layer is shared with nobody the script knows", `{` + user + `"eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031","requestParameters":{"layerName":"l"}}`,
			as(nil),
		},
		{
			"functions are of the account", `{` + user + `"eventSource":"lambda.amazonaws.com","eventName":"ListFunctions20150331"}`,
			as(map[string]string{"target.entity.id": "111122223333", "entity.target.id": "111122223333", "related.entity": "111122223333|" + who}),
		},
		{
			"a list added at once stops at what was there", `{` + user + `"eventSource":"lambda.amazonaws.com","eventName":"UpdateFunctionCode20150331v2","responseElements":{"vpcConfig":{"securityGroupIds":["sg-1","sg-1","sg-2"],"subnetIds":["subnet-1"]}}}`,
			as(map[string]string{"related.entity": who + "|sg-1|subnet-1"}),
		},
		{
			"so do the ids of a rule", `{` + user + `"eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","requestParameters":{"groupId":"sg-1"},"responseElements":{"securityGroupRuleSet":{"items":[{"groupId":"sg-1","securityGroupRuleId":"sgr-1"},{"groupId":"sg-2","referencedGroupInfo":{"groupId":"sg-3"},"securityGroupRuleId":"sgr-2"},{"groupId":"sg-4","securityGroupRuleId":"sgr-4"}]}}}`,
			as(map[string]string{
				"target.entity.id": "sg-1|sgr-1|sgr-2|sgr-4", "service.target.entity.id": "sg-1|sgr-1|sgr-2|sgr-4",
				"related.entity": who + "|sg-1|sg-2|sg-3|sg-4|sgr-1|sgr-2|sgr-4",
			}),
		},
		{
			"instances started", `{` + user + `"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","responseElements":{"groupSet":{"items":[{"groupId":"sg-9"}]},"instancesSet":{"items":[{"subnetId":"subnet-1","vpcId":"vpc-1","instanceId":"i-1","imageId":"ami-1","iamInstanceProfile":{"arn":"arn:p"},"networkInterfaceSet":{"items":[{"networkInterfaceId":"eni-1","vpcId":"vpc-2","subnetId":"subnet-2","groupSet":{"items":[{"groupId":"sg-1"}]}}]}}]}},"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-2"}]},"groupSet":{"items":[{"groupId":"sg-8"}]},"revokedSecurityGroupRuleSet":{"items":[{"securityGroupRuleId":"sgr-1","groupId":"sg-7"}]}}}`,
			as(map[string]string{"related.entity": "ami-1|arn:aws:iam::1:user/u|arn:p|eni-1|i-1|i-2|sg-1|sg-7|sg-8|sg-9|sgr-1|subnet-1|subnet-2|vpc-1|vpc-2"}),
		},
		{
			"a number counts where its text is asked for", `{` + user + `"eventSource":"ec2.amazonaws.com","eventName":"DeleteNetworkAclEntry","requestParameters":{"networkAclId":"acl-1","ruleNumber":100}}`,
			as(map[string]string{"target.entity.id": "100|acl-1", "entity.target.id": "100", "service.target.entity.id": "acl-1", "related.entity": "100|acl-1|" + who}),
		},
		{
			"and fails the script elsewhere", `{` + user + `"eventSource":"iam.amazonaws.com","eventName":"CreateUser","requestParameters":{"userName":5}}`,
			map[string]string{},
		},
		{
			"a list where text belongs fails it too", `{` + user + `"eventSource":"lambda.amazonaws.com","eventName":"Invoke","requestParameters":{"functionName":["f"]}}`,
			map[string]string{},
		},
		{
			"resources", `{` + user + `"eventSource":"s3.amazonaws.com","eventName":"PutObject","resources":[{"ARN":"arn:aws:s3:::b/k"},{"type":"AWS::S3::Bucket"},{"ARN":"arn:aws-cn:s3:::b"}],"requestParameters":{"bucketName":"b"}}`,
			as(map[string]string{
				"target.entity.id": "arn:aws-cn:s3:::b|arn:aws:s3:::b/k", "service.target.entity.id": "arn:aws-cn:s3:::b|arn:aws:s3:::b/k",
				"related.entity": "arn:aws-cn:s3:::b|" + who + "|arn:aws:s3:::b/k|b",
			}),
		},
		{"resources that are text fail the script", `{` + user + `"eventSource":"s3.amazonaws.com","eventName":"PutObject","resources":["arn:aws:s3:::b"]}`, map[string]string{}},
		{
			"commands for instances", `{` + user + `"eventSource":"ssm.amazonaws.com","eventName":"SendCommand","requestParameters":{"instanceIds":["i-1","mi-2"]}}`,
			as(map[string]string{"target.entity.id": "i-1|mi-2", "host.target.entity.id": "i-1", "host.target.id": "i-1", "entity.target.id": "mi-2", "related.entity": who + "|i-1|mi-2"}),
		},
		{
			"commands for tagged instances", `{` + user + `"eventSource":"ssm.amazonaws.com","eventName":"SendCommand","requestParameters":{"targets":[{"key":"tag:a","values":["x","y"]},{"key":"tag:b","values":["z"]}]}}`,
			as(map[string]string{"target.entity.id": "x|y|z", "entity.target.id": "x|y|z", "related.entity": who + "|x|y|z"}),
		},
		{
			"commands for all", `{` + user + `"eventSource":"ssm.amazonaws.com","eventName":"SendCommand","requestParameters":{"targets":[{"key":"InstanceIds","values":["*"]}]}}`,
			as(map[string]string{"target.entity.id": "111122223333", "entity.target.id": "111122223333", "related.entity": "111122223333|" + who}),
		},
		{
			"a session's actor is the session, its user the role", `{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/s","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/r","userName":"r"}}},"eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances"}`,
			map[string]string{
				"actor.entity.id": "arn:aws:sts::1:assumed-role/r/s", "user.entity.id": "arn:aws:iam::1:role/r",
				"related.entity": "arn:aws:iam::1:role/r|arn:aws:sts::1:assumed-role/r/s|r",
			},
		},
		{
			"a service-linked role is a service", `{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForECS/s","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}}},"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX"}}`,
			map[string]string{
				"actor.entity.id":   "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
				"service.entity.id": "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
				"target.entity.id":  "arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX", "service.target.entity.id": "arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX",
				"related.entity": "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS|arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX|arn:aws:sts::1:assumed-role/AWSServiceRoleForECS/s",
			},
		},
		{
			"who asks who he is", `{"userIdentity":{"type":"IAMUser","arn":"` + who + `"},"recipientAccountId":"111122223333","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity"}`,
			as(map[string]string{"target.entity.id": "111122223333", "entity.target.id": "111122223333", "related.entity": "111122223333|" + who}),
		},
		{
			"an Identity Center user is somebody else", `{"userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:s"}},"eventSource":"sso.amazonaws.com","eventName":"Authenticate"}`,
			map[string]string{"actor.entity.id": "u-1", "entity.id": "u-1", "related.entity": "arn:s"},
		},
		{
			"an instance that acts", `{"userIdentity":{"type":"Unknown","arn":"arn:aws:ec2:r:1:instance/i-1"},"eventSource":"x","eventName":"Y"}`,
			map[string]string{"actor.entity.id": "arn:aws:ec2:r:1:instance/i-1", "host.entity.id": "arn:aws:ec2:r:1:instance/i-1", "related.entity": "arn:aws:ec2:r:1:instance/i-1"},
		},
		{
			"a federated user by his ARN", `{"userIdentity":{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/f"},"eventSource":"x","eventName":"Y"}`,
			map[string]string{"actor.entity.id": "arn:aws:sts::1:federated-user/f", "user.entity.id": "arn:aws:sts::1:federated-user/f", "related.entity": "arn:aws:sts::1:federated-user/f"},
		},
		{"nobody", `{"userIdentity":{"type":"AWSService"},"eventSource":"sts.amazonaws.com","eventName":"AssumeRole"}`, map[string]string{}},
		{"the origin of a session", `{"sourceIdentity":"ann","eventSource":"sts.amazonaws.com","eventName":"X"}`, map[string]string{"related.entity": "ann"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := reset(t, tt.raw)
			if d := cmp.Diff(tt.want, valuesOf(e, entityFields)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			failed := strings.Contains(tt.name, "fail")
			if got := slices.Contains(e.errors(), "an entity field has a value of another type"); got != failed {
				t.Errorf("the script failed: %v, want %v", got, failed)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]targetClass{
		"arn:aws:iam::1:user/u":                        targetUser,
		"arn:aws:iam::1:role/r":                        targetUser,
		"arn:aws:iam::1:mfa/m":                         targetUser,
		"arn:aws:ec2:r:1:instance/i-1":                 targetHost,
		"arn:aws:lambda:r:1:function:f":                targetService,
		"arn:aws:s3:::bucket":                          targetService,
		"arn:aws:s3:::bucket/key":                      targetService,
		"arn:aws:kms:r:1:key/k":                        targetService,
		"arn:aws:states:r:1:stateMachine:m":            targetOther,
		"arn:aws:iam::1:role/aws-service-role/x/y":     targetService,
		"arn:aws:iam::1:role/x/AWSServiceRoleForThing": targetService,
		"arn:short":             targetOther,
		"AKIAIOSFODNN7EXAMPLE":  targetUser,
		"AKIAIOSFODNN7EXAMPLE1": targetOther,
		"ASIAIOSFODNN7EXAMPLE":  targetOther,
		"i-0123":                targetHost,
		"sg-1":                  targetService,
		"vpce-1":                targetService,
		"subnet-1":              targetService,
		"deploy":                targetOther,
		"":                      targetOther,
	} {
		if got := classify(target); got != want {
			t.Errorf("%q: class %d, want %d", target, got, want)
		}
	}
}

// A set finds what it holds whether it is short or long.
func TestEntities_of_long_lists(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 31, 32, 33, 500} {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"ARN":"arn:aws:s3:::b/%03d"}`, i))
		}
		list = append(list, list...)
		e := reset(t, `{"eventSource":"s3.amazonaws.com","eventName":"PutObject","resources":[`+strings.Join(list, ",")+`]}`)
		if got := len(e.entities().target); got != n {
			t.Errorf("%d targets, want %d", got, n)
		}
		if got := len(e.entities().related); got != n {
			t.Errorf("%d related, want %d", got, n)
		}
	}
}
