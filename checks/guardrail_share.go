package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailShare finds accounts where any administrator may share layers.
var GuardrailShare = posture.Check{
	ID:          "guardrail-share",
	Ref:         "GRD-03",
	Title:       "no guardrail stops sharing layers",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
	Needs:       posture.ServiceControl,
	Remediation: "deny Add- and RemoveLayerVersionPermission to all but the role that shares on purpose",
	NoFix:       "a service control policy is the organisation's to attach, in a canary unit first",
	Run:         guardrailShare,
}

func guardrailShare(in posture.Input, found func(posture.Result)) {
	layer := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":layer:lamina-canary:1", Account: account}, nil)
	}
	in.Probed(found, posture.Probe{Does: "share any layer with anyone", Action: "lambda:AddLayerVersionPermission", Object: layer})
}
