package checks

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailExemption finds guardrails about layers that too many are exempt from.
var GuardrailExemption = posture.Check{
	ID:          "guardrail-exemption",
	Ref:         "GRD-07",
	Title:       "guardrail about layers exempts whoever takes the name or the tag",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1562"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
	Needs:       []string{"organizations:DescribeOrganization", "organizations:ListPolicies", "organizations:DescribePolicy"},
	Uses:        []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "exempt one role by its whole ARN, and deny iam:CreateRole and iam:TagRole for what exempts",
	NoFix:       "a service control policy is the organisation's to change, in a canary unit first",
	Run:         guardrailExemption,
}

func guardrailExemption(in posture.Input, found func(posture.Result)) {
	for _, action := range []string{"organizations:DescribeOrganization", "organizations:ListPolicies", "organizations:DescribePolicy"} {
		m, missing := in.Estate.Missing("", "", action, "")
		if missing && (action == "organizations:DescribeOrganization" || in.Estate.Snapshot.OrgID != "") {
			found(posture.Result{Outcome: lamina.Unknown, Resource: "arn:*:organizations:::policy", Key: action, Detail: "not every service control policy is known", Reason: m.Why(), Settle: m.Settle()})
			return
		}
	}
	who, doubt := taggers(in)
	for _, p := range in.Estate.Snapshot.OrganizationPolicies {
		policy, err := iam.Parse([]byte(p.Document))
		if err != nil || p.Type != "SERVICE_CONTROL_POLICY" {
			continue // GRD-06 says of one that cannot be read
		}
		for _, s := range policy.Statements {
			if s.Effect != iam.EffectDeny || !ofLayers(s) {
				continue
			}
			r := posture.Result{
				Outcome: lamina.Pass, Resource: "arn:*:organizations:::policy/" + p.ID, Key: strconv.Itoa(s.Index),
				Detail:   "statement " + strconv.Itoa(s.Index) + " of " + p.Name + " exempts nobody, or roles by their names or by a tag that administrators set",
				Evidence: []string{"statement: " + cmp.Or(s.Sid, strconv.Itoa(s.Index))},
			}
			for _, c := range s.Conditions {
				wide, byTag := exempts(c)
				switch {
				case wide != "":
					r.Outcome, r.Detail = lamina.Fail, "statement "+strconv.Itoa(s.Index)+" of "+p.Name+" exempts every role whose name fits "+wide
				case byTag && len(who) > 0:
					r.Outcome, r.Detail = lamina.Fail, "statement "+strconv.Itoa(s.Index)+" of "+p.Name+" exempts by a tag, and others than administrators may tag roles"
					r.Evidence = append(r.Evidence, who...)
				case byTag && doubt.Reason != "" && r.Outcome == lamina.Pass:
					r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "statement "+strconv.Itoa(s.Index)+" of "+p.Name+" exempts by a tag, and who may tag roles is not known", doubt.Reason, doubt.Settle
				}
			}
			if r.Outcome == lamina.Fail {
				r.Reason, r.Settle = "", ""
			}
			found(r)
		}
	}
}

// exempts says which names of roles a condition of a Deny lets off, when they
// have a wildcard, and whether it lets off who has a tag.
func exempts(c iam.Condition) (names string, byTag bool) {
	key := strings.ToLower(c.Key)
	if !strings.Contains(c.Operator, "Not") {
		return "", false
	}
	if strings.HasPrefix(key, "aws:principaltag/") {
		return "", true
	}
	if key != "aws:principalarn" {
		return "", false
	}
	for _, v := range c.Values {
		name := v
		if a, err := lamina.ParseARN(v); err == nil {
			name = a.Resource
		}
		// AWSReservedSSO_ roles are made by IAM Identity Center alone, with a suffix.
		path, last := name[:strings.LastIndexByte(name, '/')+1], name[strings.LastIndexByte(name, '/')+1:]
		sso := strings.HasPrefix(path, "role/aws-reserved/") && strings.HasPrefix(last, "AWSReservedSSO_")
		if strings.ContainsAny(last, "*?") && !sso {
			return v, false
		}
	}
	return "", false
}

// taggers are those that may set a tag on a role of their account and are no
// administrators, as evidence; doubt has the reason when not all are known.
func taggers(in posture.Input) (who []string, doubt posture.Result) {
	for _, m := range in.Estate.Unread("iam:GetAccountAuthorizationDetails") {
		doubt.Reason, doubt.Settle = m.Why(), m.Settle()
	}
	for _, a := range in.Estate.Snapshot.Accounts {
		if a.Status != "" && a.Status != "ACTIVE" || a.Management {
			continue
		}
		role := iam.NewObject(iam.Resource{ARN: "arn:aws:iam::" + a.ID + ":role/" + posture.Canary, Account: a.ID}, nil)
		for _, s := range in.Access().Plain(a.ID) {
			switch answer, why := posture.Any(s, role, "iam:TagRole", "iam:TagUser"); answer {
			case iam.Allow:
				if len(who) < maxWriters {
					who = append(who, "may tag roles: "+s.ARN)
				}
			case iam.Unknown:
				doubt.Reason, doubt.Settle = why, "decide what the conditions named leave open"
			case iam.Deny:
			}
		}
	}
	return who, doubt
}
