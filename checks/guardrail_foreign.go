package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailForeign finds accounts where strangers' layers may be read.
var GuardrailForeign = posture.Check{
	ID:          "guardrail-foreign",
	Ref:         "GRD-02",
	Title:       "no guardrail stops reading and attaching layers of foreign accounts",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
	Needs:       posture.ServiceControl,
	Remediation: "deny lambda:GetLayerVersion unless the owner is in the organisation or on a list of vendors",
	NoFix:       "a service control policy is the organisation's to attach, in a canary unit first",
	Run:         guardrailForeign,
}

func guardrailForeign(in posture.Input, found func(posture.Result)) {
	everyone, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + strangeLayer + `"}}`))
	if err != nil {
		found(posture.Result{Outcome: lamina.Unknown, Resource: strangeLayer, Detail: "it was not tried", Reason: err.Error(), Settle: "this is a defect of lamina: please report it"})
		return
	}
	public := iam.Compile(iam.Document{Policy: everyone, Edge: iam.ResourcePolicy, Name: "a public layer"})
	owner := func(org iam.Value) func(string) *iam.Object {
		return func(string) *iam.Object {
			return iam.NewObject(iam.Resource{ARN: strangeLayer, Account: "999999999999", OrgID: org}, public)
		}
	}
	in.Probed(found,
		posture.Probe{Does: "read a public layer of another organisation", Action: "lambda:GetLayerVersion", Object: owner(iam.Is("o-strangeorgid"))},
		posture.Probe{Does: "read a public layer of an account in no organisation", Action: "lambda:GetLayerVersion", Object: owner(iam.Absent())},
	)
}
