package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailPublish finds accounts where any administrator may publish or delete layers.
var GuardrailPublish = posture.Check{
	ID:          "guardrail-publish",
	Ref:         "GRD-04",
	Title:       "no guardrail stops publishing and deleting layers",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1525", "T1485"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
	Needs:       posture.ServiceControl,
	Remediation: "deny PublishLayerVersion and DeleteLayerVersion to all but the pipeline",
	NoFix:       "a service control policy is the organisation's to attach, in a canary unit first",
	Run:         guardrailPublish,
}

func guardrailPublish(in posture.Input, found func(posture.Result)) {
	layer := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":layer:lamina-canary", Account: account}, nil)
	}
	version := func(account string) *iam.Object {
		return iam.NewObject(iam.Resource{ARN: "arn:aws:lambda:us-east-1:" + account + ":layer:lamina-canary:1", Account: account}, nil)
	}
	in.Probed(found,
		posture.Probe{Does: "publish versions of any layer", Action: "lambda:PublishLayerVersion", Object: layer},
		posture.Probe{Does: "delete any layer version", Action: "lambda:DeleteLayerVersion", Object: version},
	)
}
