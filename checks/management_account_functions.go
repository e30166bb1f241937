package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ManagementAccountFunctions finds functions and layers that no guardrail reaches.
var ManagementAccountFunctions = posture.Check{
	ID:          "management-account-functions",
	Ref:         "GRD-08",
	Title:       "management account hosts functions or layers",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1078.004"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html",
	Needs:       append(posture.ListLayers, "lambda:ListFunctions", "organizations:DescribeOrganization"),
	Lists:       append(posture.ListLayers, "lambda:ListFunctions", "organizations:DescribeOrganization"),
	Remediation: "move them to a member account",
	NoFix:       "moving functions to another account is for their owners",
	Run:         managementAccountFunctions,
}

func managementAccountFunctions(in posture.Input, found func(posture.Result)) {
	for _, a := range in.Estate.Snapshot.Accounts {
		if !a.Management {
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: "arn:*:organizations::" + a.ID + ":account", Detail: "the management account has neither functions nor layers"}
		var what []string
		for _, f := range in.Estate.Snapshot.Functions {
			if f.Account == a.ID {
				what = append(what, "function: "+f.ARN)
			}
		}
		for _, l := range in.Estate.Snapshot.Layers {
			if l.Account == a.ID {
				what = append(what, "layer: "+l.ARN)
			}
		}
		if len(what) > 0 {
			r.Outcome, r.Detail = lamina.Fail, "no service control policy applies to what it hosts: "+posture.Count(len(what), "thing")
			r.Evidence = what[:min(len(what), 5)]
		}
		if len(what) == 0 {
			for _, m := range in.Estate.Unread(append(posture.ListLayers, "lambda:ListFunctions")...) {
				if m.Account == a.ID {
					r = posture.Result{Outcome: lamina.Unknown, Resource: r.Resource, Detail: "what the management account hosts is not known", Reason: m.Why(), Settle: m.Settle()}
				}
			}
		}
		found(r)
	}
}
