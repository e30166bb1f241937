package checks

import (
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ChangeWithoutMFA finds users who change layers or functions with a key or a
// password alone.
var ChangeWithoutMFA = posture.Check{
	ID:          "change-without-mfa",
	Ref:         "PTH-11",
	Title:       "user may publish, attach or share layers without a second factor",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1078.004"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "let people take a role instead, or ask for aws:MultiFactorAuthPresent in the policy, and take keys that nobody rotates away",
	NoFix:       "tightening a policy that people work with needs its owner",
	Run:         changeWithoutMFA,
}

// oldKey is how long an access key may go unrotated
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html).
const oldKey = 90 * 24 * time.Hour

func changeWithoutMFA(in posture.Input, found func(posture.Result)) {
	for _, account := range in.Estate.Snapshot.Accounts {
		n := 0
		for _, c := range in.Access().Callers(account.ID) {
			if c.Principal.Kind == "User" {
				n++
				found(withoutMFA(in, c))
			}
		}
		if n == 0 {
			r := posture.Result{Outcome: lamina.Pass, Resource: "arn:*:iam::" + account.ID + ":user/*", Detail: "no user may change layers or functions"}
			if m, missing := in.Missing(account.ID, "", r.Resource, "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"); missing {
				r = m
			}
			found(r)
		}
	}
}

func withoutMFA(in posture.Input, c *access.Caller) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: c.Principal.ARN, Detail: "it changes layers and functions with a second factor alone"}
	creds := c.Principal.Credentials
	if creds == nil {
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "how it signs in is not known", "it is not in the credential report", "allow iam:GetCredentialReport to the collector in "+c.Principal.Account
		return r
	}
	if len(creds.AccessKeys) == 0 && (!creds.Password || creds.MFA) {
		r.Detail = "it has no access key, and no password without a second factor"
		return r
	}
	answer, by, why := in.Access().WithoutMFA(c)
	switch answer {
	case iam.Deny:
	case iam.Unknown:
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether it may change layers or functions without a second factor is not known", why, "decide what the conditions named leave open"
	case iam.Allow:
		r.Outcome, r.Detail = lamina.Fail, "with an access key alone it "+does(c)
		if len(creds.AccessKeys) == 0 {
			r.Detail = "with a password alone it " + does(c)
		}
		for _, key := range slices.SortedFunc(slices.Values(creds.AccessKeys), time.Time.Compare) {
			line := "access key: rotated " + key.UTC().Format("2006-01-02")
			if in.Estate.Snapshot.Taken.Sub(key) > oldKey {
				r.Severity = lamina.High
				line += ", more than 90 days before the snapshot"
			}
			r.Evidence = append(r.Evidence, line)
		}
		if creds.Password && !creds.MFA {
			r.Severity = lamina.High
			r.Evidence = append(r.Evidence, "password: without MFA")
		}
		r.Evidence = append(r.Evidence, first(by)...)
	}
	return r
}
