package checks

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSharer finds users and roles that may share any layer of their account.
var LayerSharer = posture.Check{
	ID:          "layer-sharer",
	Ref:         "PTH-10",
	Title:       "user or role may share any layer of the account with anyone",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails"},
	Uses:        append([]string{"iam:GetCredentialReport", "access-analyzer:ListFindings"}, posture.ServiceControl...),
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "allow lambda:AddLayerVersionPermission to one role that shares on purpose, on the layers that are meant to be shared",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerSharer,
}

func layerSharer(in posture.Input, found func(posture.Result)) {
	unused := map[string][]string{}
	for _, f := range in.Estate.Snapshot.AccessFindings {
		if f.Kind != "" && f.Status == "ACTIVE" {
			unused[f.Resource] = append(unused[f.Resource], "Access Analyzer: "+f.Kind)
		}
	}
	for _, account := range in.Access().Accounts() {
		quiet := true
		for p, answer := range in.Access().OnAny(account, "lambda:AddLayerVersionPermission", anyLayer) {
			r := posture.Result{Resource: p.ARN, Evidence: slices.Concat(posture.Statements(answer.By), unused[p.ARN])}
			switch answer.Result {
			case iam.Deny:
				continue
			case iam.Allow:
				r.Outcome, r.Detail = lamina.Fail, "it may share any layer of account "+p.Account+" with anyone"
				if c := p.Credentials; c != nil && c.Password && !c.MFA {
					r.Severity, r.Detail = lamina.High, r.Detail+", and signs in without MFA"
				}
			case iam.Unknown:
				r.Outcome, r.Detail, r.Reason = lamina.Unknown, "whether it may share any layer of the account is not known", answer.Why
				r.Settle = "decide what the conditions named leave open"
			}
			quiet = false
			found(r)
		}
		if quiet && in.Estate.Org.Ours(account) {
			found(posture.Result{Outcome: lamina.Pass, Resource: "arn:*:iam::" + account + ":*", Detail: "no user or role may share any layer"})
		}
	}
}

// anyLayer is a layer version that nobody has named: only statements about any
// layer take it in.
const anyLayer = "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + access.Canary + ":1"
