package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailSigning finds accounts where any administrator may take code signing off.
var GuardrailSigning = posture.Check{
	ID:          "guardrail-signing",
	Ref:         "GRD-05",
	Title:       "no guardrail keeps code signing on",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
	Needs:       posture.ServiceControl,
	Remediation: "deny DeleteFunctionCodeSigningConfig, UpdateCodeSigningConfig and DeleteCodeSigningConfig to all but the administrator of signing",
	NoFix:       "a service control policy is the organisation's to attach, in a canary unit first",
	Run:         guardrailSigning,
}

func guardrailSigning(in posture.Input, found func(posture.Result)) {
	function := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":function:lamina-canary", Account: account}, nil)
	}
	config := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":code-signing-config:csc-0d4518bd353a0a7c6", Account: account}, nil)
	}
	in.Probed(found,
		posture.Probe{Does: "take code signing off a function", Action: "lambda:DeleteFunctionCodeSigningConfig", Object: function},
		posture.Probe{Does: "make a code signing configuration only warn", Action: "lambda:UpdateCodeSigningConfig", Object: config},
	)
}
