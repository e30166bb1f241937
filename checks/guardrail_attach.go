package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailAttach finds accounts where any layer may be attached.
var GuardrailAttach = posture.Check{
	ID:          "guardrail-attach",
	Ref:         "GRD-01",
	Title:       "no guardrail stops attaching an unapproved layer",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1648", "T1525"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
	Needs:       posture.ServiceControl,
	Remediation: "deny CreateFunction and UpdateFunctionConfiguration for layers that are not approved, by ForAnyValue:StringNotLike on lambda:Layer",
	NoFix:       "a service control policy is the organisation's to attach, in a canary unit first",
	Run:         guardrailAttach,
}

func guardrailAttach(in posture.Input, found func(posture.Result)) {
	layers := iam.Keys{}.Set("lambda:Layer", iam.Is(strangeLayer))
	function := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:lamina-canary", Account: account}, nil)
	}
	in.Probed(found,
		posture.Probe{Does: "attach any layer to a function", Action: "lambda:UpdateFunctionConfiguration", Object: function, Keys: layers},
		posture.Probe{Does: "create a function with any layer", Action: "lambda:CreateFunction", Object: function, Keys: layers},
	)
}

// strangeLayer is a layer version that nobody has approved: of an account that
// only documentation uses.
const strangeLayer = "arn:aws:lambda:us-east-1:999999999999:layer:lamina-canary:1"
