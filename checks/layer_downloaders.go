package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerDownloaders counts who may download any layer of an account.
var LayerDownloaders = posture.Check{
	ID:          "layer-downloaders",
	Ref:         "EXP-08",
	Title:       "users and roles that may download any layer of the account",
	Since:       "0.1",
	Severity:    lamina.Info,
	Techniques:  []string{"T1530"},
	Citation:    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ReadOnlyAccess.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails"},
	Uses:        append([]string{"iam:GetCredentialReport"}, posture.ServiceControl...),
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "deny lambda:GetLayerVersion to those who only look: a read-only policy of AWS includes it, and what it gives is the whole zip",
	NoFix:       "who needs to read layer code is known to the owners of the roles",
	Run:         layerDownloaders,
}

func layerDownloaders(in posture.Input, found func(posture.Result)) {
	for _, account := range in.Access().Accounts() {
		if !in.Estate.Org.Ours(account) {
			continue
		}
		var at struct {
			may, unknown, people int
			evidence             []string
			why                  string
		}
		for p, answer := range in.Access().OnAny(account, "lambda:GetLayerVersion", anyLayer) {
			switch answer.Result {
			case iam.Allow:
				at.may++
				if p.Credentials != nil && p.Credentials.Password || strings.HasPrefix(p.Name, "AWSReservedSSO_") {
					at.people++
				}
				if len(answer.By) > 0 {
					at.evidence = append(at.evidence, p.ARN+": "+answer.By[0])
				}
			case iam.Unknown:
				at.unknown++
				at.why = answer.Why
			case iam.Deny:
			}
		}
		r := posture.Result{Resource: "arn:*:lambda:*:" + account + ":layer:*", Evidence: posture.Calls(at.evidence)}
		switch {
		case at.may > 0:
			r.Outcome, r.Detail = lamina.Fail, posture.Count(at.may, "user or role")+" may download any layer of the account"
			if at.may > 1 {
				r.Detail = fmt.Sprintf("%d users and roles may download any layer of the account", at.may)
			}
			if at.people > 0 {
				r.Detail += fmt.Sprintf(", %d of them people's", at.people)
			}
			if arn := secretIn(in, account); arn != "" {
				r.Severity = lamina.Medium
				r.Evidence = append(r.Evidence, "holds a secret: "+arn)
			}
		case at.unknown > 0:
			r.Outcome, r.Detail = lamina.Unknown, fmt.Sprintf("whether %s may download any layer is not known", posture.Count(at.unknown, "user or role"))
			r.Reason, r.Settle = at.why, "decide what the conditions named leave open"
		default:
			r.Outcome, r.Detail = lamina.Pass, "no user or role may download any layer of the account"
		}
		found(r)
	}
}

// secretIn is a layer version of the account in which a secret was found, or "".
func secretIn(in posture.Input, account string) string {
	for l := range in.Estate.OurLayers() {
		if l.Account == account && slices.ContainsFunc(in.Contents[l.ARN].Findings, func(f lamina.Finding) bool {
			return slices.Contains(secretAnalyzers, f.Check) && f.Outcome == lamina.Fail
		}) {
			return l.ARN
		}
	}
	return ""
}
