package checks

import (
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SigningWeakener finds code signing that users and roles may take away.
var SigningWeakener = posture.Check{
	ID:          "signing-weakener",
	Ref:         "INT-06",
	Title:       "code signing can be weakened by more than administrators",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1562", "T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListFunctions, "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "iam:GetAccountAuthorizationDetails"),
	Uses:        posture.ServiceControl,
	Lists:       append(posture.ListFunctions, "iam:GetAccountAuthorizationDetails"),
	Remediation: "deny lambda:UpdateCodeSigningConfig, DeleteCodeSigningConfig and DeleteFunctionCodeSigningConfig to all but one role",
	NoFix:       "who administers signing is the organisation's to say: lamina guardrails prints the policy",
	Run:         signingWeakener,
}

func signingWeakener(in posture.Input, found func(posture.Result)) {
	plain := map[string]people{}
	seen := map[string]bool{}
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" || f.PackageType == "Image" {
			continue
		}
		if missing, ok := in.Missing(f.Account, f.Region, f.ARN, "lambda:GetFunctionCodeSigningConfig"); ok {
			missing.Detail = "whether it checks signatures is not known"
			found(missing)
			continue
		}
		arn := f.CodeSigningConfigARN
		if arn == "" || seen[arn] {
			continue
		}
		seen[arn] = true
		if missing, ok := in.Missing(f.Account, f.Region, arn, "lambda:GetCodeSigningConfig"); ok {
			missing.Detail = "what the code signing configuration says is not known"
			found(missing)
			continue
		}
		if c, ok := in.Estate.CodeSigningConfig(arn); ok && c.UntrustedArtifact != "Enforce" {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: arn, Detail: "it refuses nothing that could be weakened"})
			continue
		}
		if m, missing := in.Estate.Missing(f.Account, "", "iam:GetAccountAuthorizationDetails", ""); missing {
			found(posture.Result{Outcome: lamina.Unknown, Resource: arn, Detail: "who may weaken it is not known", Reason: m.Why(), Settle: m.Settle()})
			continue
		}
		if _, done := plain[f.Account]; !done {
			plain[f.Account] = peopleOf(in.Access().Plain(f.Account))
		}
		found(weakened(plain[f.Account], arn, f))
	}
}

// people are users and roles, and the groups of them whom no policy tells apart.
type people struct {
	all    []*iam.Subject
	groups [][]int
	group  []int // of each
}

func peopleOf(all []*iam.Subject) people {
	p := people{all: all, groups: iam.GroupSubjects(all, nil), group: make([]int, len(all))}
	for n, group := range p.groups {
		for _, i := range group {
			p.group[i] = n
		}
	}
	return p
}

// weakened says who of them may change the configuration, or take it off the
// function.
func weakened(who people, arn string, f lamina.Function) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "only administrators may weaken it"}
	config := iam.NewObject(iam.Resource{ARN: arn, Account: f.Account}, nil)
	function := iam.NewObject(iam.Resource{ARN: f.ARN, Account: f.Account}, nil)
	able := 0
	type saying struct {
		answer iam.Result
		why    string
	}
	said := make([]saying, len(who.groups))
	for i, group := range who.groups {
		s := who.all[group[0]]
		answer, why := posture.Any(s, config, "lambda:UpdateCodeSigningConfig", "lambda:DeleteCodeSigningConfig")
		if answer != iam.Allow {
			if off, doubt := posture.Any(s, function, "lambda:DeleteFunctionCodeSigningConfig"); off != iam.Deny {
				answer, why = off, doubt
			}
		}
		said[i] = saying{answer, why}
	}
	for i, s := range who.all {
		answer, why := said[who.group[i]].answer, said[who.group[i]].why
		switch answer {
		case iam.Allow:
			able++
			if len(r.Evidence) < maxWriters {
				r.Evidence = append(r.Evidence, "may weaken it: "+s.ARN)
			}
		case iam.Unknown:
			if able == 0 {
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who may weaken it is not known", why, "decide what the conditions named leave open"
			}
		case iam.Deny:
		}
	}
	if able > 0 {
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Fail, strconv.Itoa(able)+" of the users and roles that are no administrators may weaken it", "", ""
	}
	return r
}
