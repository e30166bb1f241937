package sample

import "github.com/lamina-sec/lamina"

// Management is the account that AWS Organizations belongs to. ACME's platform
// team works in it, which it should not.
const Management = Platform

// organization is what ACME has besides layers and functions: three accounts
// under one root without a guardrail, a trail over all of them, and an analyzer
// of one account.
func organization() lamina.Snapshot {
	return lamina.Snapshot{
		OrgID: OrgID,
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
		Analyzers: []lamina.AccessAnalyzer{{
			ARN: "arn:aws:access-analyzer:" + Region + ":" + Payments + ":analyzer/payments", Account: Payments, Region: Region, Type: "ACCOUNT", Status: "ACTIVE",
		}},
	}
}
