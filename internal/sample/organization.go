package sample

import (
	"strings"

	"github.com/lamina-sec/lamina"
)

// Management is the account that AWS Organizations belongs to. ACME's platform
// team works in it, which it should not.
const Management = Platform

// organization is what ACME has besides layers and functions: three accounts
// under one root without a guardrail, a trail over all of them, and an analyzer
// of one account.
func organization() lamina.Snapshot {
	return lamina.Snapshot{
		Principals:      roles(),
		ManagedPolicies: []lamina.ManagedPolicy{{ARN: logs, Name: "AWSLambdaBasicExecutionRole", Document: allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")}},
		OrgID:           OrgID,
		Accounts: []lamina.Account{
			{ID: Platform, Name: "platform", Status: "ACTIVE", ParentID: "r-acme", Management: true},
			{ID: Payments, Name: "payments", Status: "ACTIVE", ParentID: "ou-acme-prod"},
			{ID: Data, Name: "data", Status: "ACTIVE", ParentID: "ou-acme-prod"},
		},
		OrganizationalUnits: []lamina.OrganizationalUnit{{ID: "r-acme", Name: "Root"}, {ID: "ou-acme-prod", Name: "prod", ParentID: "r-acme"}},
		OrganizationPolicies: []lamina.OrganizationPolicy{{
			ID: "p-FullAWSAccess", Name: "FullAWSAccess", Type: "SERVICE_CONTROL_POLICY", Targets: []string{"ou-acme-prod", "r-acme"},
			Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		}},
		Trails: []lamina.Trail{{
			ARN: "arn:aws:cloudtrail:" + Region + ":" + Platform + ":trail/acme", Account: Platform, Name: "acme", HomeRegion: Region,
			MultiRegion: true, Organization: true, Logging: true, LogValidation: true, Bucket: "acme-cloudtrail", Management: "All",
		}},
		Buckets: []lamina.Bucket{{Name: "acme-cloudtrail", Account: Data, ObjectLock: true}},
		Analyzers: []lamina.AccessAnalyzer{{
			ARN: "arn:aws:access-analyzer:" + Region + ":" + Payments + ":analyzer/payments", Account: Payments, Region: Region, Type: "ACCOUNT", Status: "ACTIVE",
		}},
	}
}

// logs is the managed policy that lets a function write its logs.
const logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

// roles are those that functions run as, and those that people and pipelines
// take. Developers may change any function: that is how layers get attached by
// hand.
func roles() []lamina.Principal {
	var out []lamina.Principal
	add := func(account, name, trusted string, attached []string, inline ...lamina.InlinePolicy) {
		out = append(out, lamina.Principal{
			ARN: "arn:aws:iam::" + account + ":role/" + name, Account: account, Kind: "Role", Name: name, ID: "AROAACME" + account[:4] + name, Path: "/", Created: Start.AddDate(-1, 0, 0),
			Trust:  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"` + trusted + `"}}]}`,
			Inline: inline, Attached: attached,
		})
	}
	for _, account := range []string{Platform, Payments, Data} {
		for _, s := range services {
			add(account, s, "lambda.amazonaws.com", []string{logs})
		}
		add(account, "ci-deployer", "codebuild.amazonaws.com", nil, lamina.InlinePolicy{Name: "deploy", Document: allow("lambda:*")})
		add(account, "AWSReservedSSO_Developer_0123456789abcdef", "sso.amazonaws.com", nil, lamina.InlinePolicy{
			Name: "develop", Document: allow("lambda:Get*", "lambda:List*", "lambda:UpdateFunction*", "logs:*"),
		})
	}
	return out
}

// allow is a policy that allows the actions on everything.
func allow(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}
