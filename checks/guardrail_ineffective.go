package checks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardrailIneffective finds guardrails about layers that do not do what they
// are written for.
var GuardrailIneffective = posture.Check{
	ID:          "guardrail-ineffective",
	Ref:         "GRD-06",
	Title:       "guardrail about layers does not do what it is written for",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1562"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
	Needs:       []string{"organizations:DescribeOrganization", "organizations:ListPolicies", "organizations:DescribePolicy"},
	Remediation: "replace the statement: the evidence has one that does it",
	NoFix:       "a service control policy is the organisation's to change, in a canary unit first",
	Run:         guardrailIneffective,
}

func guardrailIneffective(in posture.Input, found func(posture.Result)) {
	org := in.Estate.Snapshot.OrgID
	for _, action := range []string{"organizations:DescribeOrganization", "organizations:ListPolicies", "organizations:DescribePolicy"} {
		m, missing := in.Estate.Missing("", "", action, "")
		if missing && (action == "organizations:DescribeOrganization" || org != "") {
			found(posture.Result{Outcome: lamina.Unknown, Resource: "arn:*:organizations:::policy", Key: action, Detail: "not every service control policy is known", Reason: m.Why(), Settle: m.Settle()})
			return
		}
	}
	for _, p := range in.Estate.Snapshot.OrganizationPolicies {
		if p.Type != "SERVICE_CONTROL_POLICY" {
			continue
		}
		resource := "arn:*:organizations:::policy/" + p.ID
		policy, err := iam.Parse([]byte(p.Document))
		if err != nil {
			found(posture.Result{Outcome: lamina.Unknown, Resource: resource, Detail: p.Name + " could not be read", Reason: err.Error(), Settle: "the document as AWS Organizations holds it"})
			continue
		}
		speaks := false
		wrong := 0
		for _, s := range policy.Statements {
			if s.Effect != iam.EffectDeny || !ofLayers(s) {
				continue
			}
			speaks = true
			why, instead := ineffective(policy, s, org)
			if why == "" {
				continue
			}
			wrong++
			r := posture.Result{
				Outcome: lamina.Fail, Resource: resource, Key: strconv.Itoa(s.Index), Detail: fmt.Sprintf("statement %d of %s %s", s.Index, p.Name, why),
				Evidence: []string{fmt.Sprintf("statement: %s, line %d", cmp.Or(s.Sid, strconv.Itoa(s.Index)), s.Line)},
			}
			if instead != "" {
				r.Evidence = append(r.Evidence, "instead: "+instead)
			}
			found(r)
		}
		if speaks && wrong == 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: resource, Detail: "what " + p.Name + " denies of layers was tried, and it does"})
		}
	}
}

// ofLayers reports whether the statement is about layers: it names an action of
// theirs, or the key that lists them.
func ofLayers(s iam.Statement) bool {
	return slices.ContainsFunc(s.Actions, func(a string) bool { return strings.Contains(strings.ToLower(a), "layer") }) || onKey(s, "lambda:Layer")
}

func onKey(s iam.Statement, key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool { return strings.EqualFold(c.Key, key) })
}

// ineffective says what is wrong with a Deny about layers, "" if nothing that is
// known, and a statement that does what was meant.
func ineffective(p *iam.Policy, s iam.Statement, org string) (why, instead string) {
	if len(s.Problems) > 0 {
		return "is not understood: " + s.Problems[0].String(), ""
	}
	for _, a := range s.Actions {
		service, name, _ := strings.Cut(a, ":")
		if !strings.EqualFold(service, "lambda") || !strings.Contains(strings.ToLower(name), "layer") || strings.ContainsAny(name, "*?") {
			continue
		}
		if !slices.ContainsFunc(iam.LayerActions, func(known string) bool { return strings.EqualFold(known, a) }) && !strings.EqualFold(a, "lambda:GetLayerVersionPolicy") {
			return "denies " + a + ", which is no action of Lambda", `{"Effect":"Deny","Action":["lambda:AddLayerVersionPermission","lambda:RemoveLayerVersionPermission"],"Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/BROKER"}}}`
		}
	}
	only := &iam.Policy{Version: p.Version, Statements: []iam.Statement{s}}
	everything, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		return "", ""
	}
	subject := iam.NewSubject(iam.Caller{ARN: "arn:aws:iam::111122223333:role/" + posture.Canary, OrgID: iam.Is(org), OtherTags: iam.Absent()}, iam.Compile(
		iam.Document{Policy: everything, Edge: iam.SCP, Name: "all", Level: "r"}, iam.Document{Policy: only, Edge: iam.SCP, Name: "this", Level: "r"},
		iam.Document{Policy: everything, Edge: iam.Identity, Name: "all"},
	))
	ask := func(action, arn string, keys iam.Keys) iam.Result {
		return (&iam.Request{Subject: subject, Action: action, Object: iam.NewObject(iam.Resource{ARN: arn, Account: "111122223333", OrgID: iam.Is(org)}, nil), Keys: keys}).Decide()
	}
	if (onKey(s, "aws:SourceAccount") || onKey(s, "aws:SourceArn")) && ask("lambda:GetLayerVersion", "arn:aws:lambda:us-east-1:111122223333:layer:own:1", nil) == iam.Deny {
		return "denies every reading of a layer, own ones included: no call of a user or role has the key that it asks for",
			`{"Effect":"Deny","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"` + org + `","aws:ResourceAccount":["VENDOR"]}}}`
	}
	for _, c := range s.Conditions {
		if !strings.EqualFold(c.Key, "lambda:Layer") || len(c.Values) == 0 {
			continue
		}
		approved := strings.NewReplacer("*", "1", "?", "1").Replace(c.Values[0])
		mixed := iam.Keys{}.Set("lambda:Layer", iam.Is(approved, strangeLayer))
		if ask("lambda:UpdateFunctionConfiguration", "arn:aws:lambda:us-east-1:111122223333:function:f", mixed) == iam.Allow {
			layers, err := json.Marshal(c.Values)
			if err != nil {
				layers = []byte(`["LAYER"]`)
			}
			return "lets a strange layer through beside an approved one",
				`{"Effect":"Deny","Action":["lambda:CreateFunction","lambda:UpdateFunctionConfiguration"],"Resource":"*","Condition":{"ForAnyValue:StringNotLike":{"lambda:Layer":` + string(layers) + `}}}`
		}
	}
	return "", ""
}
