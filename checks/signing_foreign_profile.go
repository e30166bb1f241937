package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SigningForeignProfile finds code signing that lets others sign for us.
var SigningForeignProfile = posture.Check{
	ID:          "signing-foreign-profile",
	Ref:         "INT-05",
	Title:       "code signing configuration trusts a signing profile outside the organisation",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListFunctions, "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig"),
	Uses:        []string{"organizations:ListAccounts"},
	Lists:       posture.ListFunctions,
	Remediation: "remove the profile version from the allowed publishers",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         signingForeignProfile,
}

func signingForeignProfile(in posture.Input, found func(posture.Result)) {
	for _, m := range in.Estate.Unread("lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig") {
		found(posture.Result{
			Outcome: lamina.Unknown, Resource: "arn:*:lambda:" + m.Region + ":" + m.Account + ":code-signing-config:*", Key: m.Action,
			Detail: "not every code signing configuration is known", Reason: m.Why(), Settle: m.Settle(),
		})
	}
	for _, c := range in.Estate.Snapshot.CodeSigningConfigs {
		r := posture.Result{Outcome: lamina.Pass, Resource: c.ARN, Detail: "it trusts profiles of ours only"}
		for _, p := range c.AllowedPublishers {
			if a, err := lamina.ParseARN(p); err != nil || !in.Estate.Org.Ours(a.Account) {
				r.Outcome, r.Detail = lamina.Fail, "it trusts a signing profile of an account that is not known to be ours"
				r.Evidence = append(r.Evidence, "allowed publisher: "+p)
			}
		}
		found(r)
	}
}
