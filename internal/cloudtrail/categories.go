package cloudtrail

import (
	"strings"
	"sync"
)

// Categorization names the version of the table below and of the mapping as a
// whole: rules that read event.category or event.type find more or less with
// another. It is printed with every result.
const Categorization = "elastic/integrations aws.cloudtrail default.yml@3ab428122032 (ECS 8.11.0, 91 actions)"

// categories are the actions that Elastic's pipeline classifies, by exact name
// (script_add_ecs_categorization of the version Categorization names). Any
// other action is of type info and has no category.
var categories = []struct{ category, types, actions string }{
	{"api", "info", `Converse DescribeRegions Publish`},
	{"authentication", "info", `AssumeRole ConsoleLogin GetCallerIdentity`},
	{"configuration", "change", `Subscribe`},
	{"configuration", "creation", `CreateTopic`},
	{"configuration", "deletion", `DeleteTrail`},
	{"configuration", "info", `DescribeTrails`},
	{"database", "info", `DescribeDBInstances ListTables`},
	{"file", "change", `PutObject`},
	{"file", "creation", `CreateBucket CreateDocument`},
	{"file", "deletion", `DeleteBucket DeleteObject`},
	{"file", "info", `GetObject HeadObject ListBuckets ListObjects`},
	{"host", "info", `DescribeInstances DescribeVolumes ListInstanceAssociations`},
	{"iam", "admin change", `SetDefaultPolicyVersion SetSecurityTokenServicePreferences UpdateAccountPasswordPolicy
		UpdateRole`},
	{"iam", "admin creation", `CreateKeyPair`},
	{"iam", "change", `AttachRolePolicy`},
	{"iam", "creation", `CreatePolicy`},
	{"iam", "group change", `AddUserToGroup AttachGroupPolicy DeleteGroupPolicy DetachGroupPolicy PutGroupPolicy
		RemoveUserFromGroup UpdateGroup`},
	{"iam", "group creation", `CreateGroup`},
	{"iam", "group deletion", `DeleteGroup`},
	{"iam", "group info", `GetGroup GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies ListGroups`},
	{"iam", "info", `GetPolicy ListAttachedRolePolicies ListRoles`},
	{"iam", "user change", `AttachUserPolicy ChangePassword CreateAccessKey CreateVirtualMFADevice DeactivateMFADevice
		DeleteAccessKey DeleteSSHPublicKey DeleteUserPermissionsBoundary DeleteUserPolicy
		DeleteVirtualMFADevice DetachUserPolicy EnableMFADevice PutUserPermissionsBoundary
		PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey
		UpdateUser`},
	{"iam", "user creation", `CreateUser`},
	{"iam", "user deletion", `DeleteUser`},
	{"iam", "user info", `GetUser GetUserPolicy ListAttachedUserPolicies ListGroupsForUser ListUserPolicies
		ListUserTags ListUsers`},
	{"network", "access", `AuthorizeSecurityGroupIngress`},
	{"network", "info", `DescribeLoadBalancers DescribeNetworkAcls DescribeNetworkInterfaces DescribeSecurityGroups
		DescribeVpcs`},
	{"package", "info", `ListFunctions`},
	{"process", "start", `SendCommand`},
	{"session", "end", `TerminateSession`},
	{"session", "start", `CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel StartSession`},
}

// A class is the ECS classification of an action.
type class struct{ category, types []string }

var typeInfo = []string{"info"}

var classes = sync.OnceValue(func() map[string]class {
	m := map[string]class{}
	for _, row := range categories {
		c := class{strings.Fields(row.category), strings.Fields(row.types)}
		for action := range strings.FieldsSeq(row.actions) {
			m[action] = c
		}
	}
	return m
})

// categorize returns event.category and event.type of an action. The slices
// are shared.
func categorize(action string) (category, types []string) {
	if c, ok := classes()[action]; ok {
		return c.category, c.types
	}
	return nil, typeInfo
}
