package iam_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/iam"
)

const (
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	approved   = "arn:aws:lambda:eu-west-1:111122223333:layer:approved-utils:3"
	ownOrg     = "o-exampleorgid"
)

// seedDeny is what the blog that Lamina grew from proposes against foreign
// layers.
const seedDeny = `{"Effect":"Deny","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceAccount":"111122223333"}}}`

// member is a role or user of a member account with every permission of its
// own, under FullAWSAccess at the root and this policy at its unit.
func member(t *testing.T, arn, scp string) *iam.Subject {
	t.Helper()
	return iam.NewSubject(iam.Caller{ARN: arn, OrgID: iam.Is(ownOrg)}, iam.Compile(
		iam.Document{Policy: parse(t, one(everything)), Edge: iam.Identity, Name: "admin"},
		iam.Document{Policy: parse(t, one(everything)), Edge: iam.SCP, Level: "root", Name: "FullAWSAccess"},
		iam.Document{Policy: parse(t, one(everything)), Edge: iam.SCP, Level: "ou", Name: "FullAWSAccess"},
		iam.Document{Policy: parse(t, scp), Edge: iam.SCP, Level: "ou", Name: "guardrail"},
	))
}

// granted is a layer version with this grant; org is its owner's organisation.
func granted(t *testing.T, arn, org, grant string) *iam.Object {
	t.Helper()
	r := iam.Resource{ARN: arn, OrgID: iam.Absent()}
	if org != "" {
		r.OrgID = iam.Is(org)
	}
	if grant == "" {
		return iam.NewObject(r, nil)
	}
	return iam.NewObject(r, iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: "layer policy", Policy: parse(t, one(grant))}))
}

const (
	toEveryone = `{"Sid":"g","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"*"}`
	toOrg      = `{"Sid":"g","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"` + ownOrg + `"}}}`
	toOtherOrg = `{"Sid":"g","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-anotherone1"}}}`
	toAccount  = `{"Sid":"g","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:GetLayerVersion","Resource":"*"}`
)

// The vectors on which another simulator was tried before this package was
// written; it was wrong on two of them.
func TestVectors(t *testing.T) {
	p1, p2 := guardrail(t, "p1-only-approved-layers"), guardrail(t, "p2-no-foreign-layers")
	none := one(everything)
	across := "arn:aws:iam::444455556666:role/dev"
	// No answer depends on a key that is not said.
	for name, tt := range map[string]struct {
		caller, scp, own string
		action           string
		object           *iam.Object
		layers           []string
		want             iam.Result
	}{
		"across_accounts_without_a_grant":             {across, none, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, ""), nil, iam.Deny},
		"across_accounts_granted_to_our_organisation": {across, none, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, toOrg), nil, iam.Allow},
		"across_accounts_granted_to_another":          {across, none, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, toOtherOrg), nil, iam.Deny},
		"across_accounts_granted_to_everyone":         {across, none, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, toEveryone), nil, iam.Allow},
		"across_accounts_granted_to_the_account":      {across, none, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, toAccount), nil, iam.Allow},
		"own_layer_under_the_seed_as_identity_policy": {dev, none, one(seedDeny), "lambda:GetLayerVersion", granted(t, layer, ownOrg, ""), nil, iam.Deny},
		"own_layer_under_the_seed_as_scp":             {dev, one(seedDeny), "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, ""), nil, iam.Deny},
		"p2_reads_a_layer_of_the_organisation":        {across, p2, "", "lambda:GetLayerVersion", granted(t, layer, ownOrg, toOrg), nil, iam.Allow},
		"p2_reads_no_foreign_layer":                   {dev, p2, "", "lambda:GetLayerVersion", granted(t, foreign, "o-anotherone1", toEveryone), nil, iam.Deny},
		"p1_attaches_nothing":                         {dev, p1, "", "lambda:UpdateFunctionConfiguration", granted(t, fn, ownOrg, ""), []string{}, iam.Allow},
		"p1_attaches_an_approved_layer":               {dev, p1, "", "lambda:UpdateFunctionConfiguration", granted(t, fn, ownOrg, ""), []string{approved}, iam.Allow},
		"p1_attaches_an_approved_and_a_foreign_one":   {dev, p1, "", "lambda:UpdateFunctionConfiguration", granted(t, fn, ownOrg, ""), []string{approved, foreign}, iam.Deny},
		"p1_attaches_a_foreign_one":                   {dev, p1, "", "lambda:UpdateFunctionConfiguration", granted(t, fn, ownOrg, ""), []string{foreign}, iam.Deny},
	} {
		t.Run(name, func(t *testing.T) {
			subject := member(t, tt.caller, tt.scp)
			if tt.own != "" {
				subject = iam.NewSubject(subject.Caller, iam.Compile(
					iam.Document{Policy: parse(t, one(everything)), Edge: iam.Identity, Name: "admin"},
					iam.Document{Policy: parse(t, tt.own), Edge: iam.Identity, Name: "own"}))
			}
			r := iam.Request{Subject: subject, Action: tt.action, Object: tt.object, Keys: iam.Keys{}}
			if tt.layers != nil {
				r.Keys.Set("lambda:Layer", iam.Is(tt.layers...))
			}
			if d := r.Evaluate(); d.Result != tt.want {
				t.Errorf("want %s, got %s", tt.want, d)
			}
		})
	}
}

// guardrail reads a policy of testdata.
func guardrail(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/guardrails/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each guardrail denies an administrator what it is against, lets through what
// it is not against and whom it exempts, and nothing that is unknown about the
// request changes that. It names itself in the answer.
func TestGuardrails_are_effective(t *testing.T) {
	const (
		broker   = "arn:aws:iam::444455556666:role/lamina-layer-broker"
		glass    = "arn:aws:iam::111122223333:role/break-glass"
		pipeline = "arn:aws:iam::111122223333:role/layer-pipeline"
		signer   = "arn:aws:iam::111122223333:role/signing-admin"
		csc      = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
	)
	keys := func(name string, values ...string) iam.Keys { return iam.Keys{}.Set(name, iam.Is(values...)) }
	unpinned := "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:66"
	pinned := "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:65"
	bare := "arn:aws:lambda:eu-west-1:111122223333:layer:utils"
	for _, tt := range []struct {
		policy, caller, action, resource string
		keys                             iam.Keys
		want                             iam.Result
	}{
		{"p1-only-approved-layers", dev, "lambda:CreateFunction", fn, keys("lambda:Layer", foreign), iam.Deny},
		{"p1-only-approved-layers", dev, "lambda:UpdateFunctionConfiguration", fn, keys("lambda:Layer", approved, unpinned), iam.Deny},
		{"p1-only-approved-layers", dev, "lambda:UpdateFunctionConfiguration", fn, keys("lambda:Layer", approved, pinned), iam.Allow},
		{"p1-only-approved-layers", dev, "lambda:UpdateFunctionConfiguration", fn, keys("lambda:Layer"), iam.Allow},
		{"p1-only-approved-layers", dev, "lambda:UpdateFunctionConfiguration", fn, nil, iam.Unknown},
		{"p1-only-approved-layers", glass, "lambda:UpdateFunctionConfiguration", fn, keys("lambda:Layer", foreign), iam.Allow},
		{"p1-only-approved-layers", dev, "lambda:InvokeFunction", fn, nil, iam.Allow},
		{"p2-no-foreign-layers", dev, "lambda:GetLayerVersion", layer, nil, iam.Allow},
		{"p2-no-foreign-layers", dev, "lambda:GetLayerVersion", foreign, nil, iam.Deny},
		{"p2-no-foreign-layers", dev, "lambda:GetLayerVersion", pinned, nil, iam.Allow},
		{"p3-only-the-broker-shares", dev, "lambda:AddLayerVersionPermission", layer, nil, iam.Deny},
		{"p3-only-the-broker-shares", dev, "lambda:RemoveLayerVersionPermission", layer, nil, iam.Deny},
		{"p3-only-the-broker-shares", broker, "lambda:AddLayerVersionPermission", "arn:aws:lambda:eu-west-1:444455556666:layer:x:1", nil, iam.Allow},
		{"p3-only-the-broker-shares", dev, "lambda:GetLayerVersionPolicy", layer, nil, iam.Allow},
		{"p4-only-the-pipeline-publishes", dev, "lambda:PublishLayerVersion", bare, nil, iam.Deny},
		{"p4-only-the-pipeline-publishes", dev, "lambda:DeleteLayerVersion", layer, nil, iam.Deny},
		{"p4-only-the-pipeline-publishes", pipeline, "lambda:PublishLayerVersion", bare, nil, iam.Allow},
		{"p4-only-the-pipeline-publishes", dev, "lambda:ListLayers", "*", nil, iam.Allow},
		{"p5-code-signing-stays", dev, "lambda:CreateFunction", fn, keys("lambda:CodeSigningConfigArn"), iam.Deny},
		{"p5-code-signing-stays", dev, "lambda:CreateFunction", fn, keys("lambda:CodeSigningConfigArn", strings.Replace(csc, "0f0", "0f1", 1)+"x"), iam.Deny},
		{"p5-code-signing-stays", dev, "lambda:CreateFunction", fn, keys("lambda:CodeSigningConfigArn", csc), iam.Allow},
		{"p5-code-signing-stays", dev, "lambda:DeleteFunctionCodeSigningConfig", fn, nil, iam.Deny},
		{"p5-code-signing-stays", dev, "lambda:UpdateCodeSigningConfig", csc, nil, iam.Deny},
		{"p5-code-signing-stays", signer, "lambda:DeleteFunctionCodeSigningConfig", fn, nil, iam.Allow},
	} {
		object := granted(t, tt.resource, ownOrg, "")
		if strings.Contains(tt.resource, "999999999999") || strings.Contains(tt.resource, "464622532012") {
			object = granted(t, tt.resource, "o-anotherone1", toEveryone)
		}
		r := iam.Request{Subject: member(t, tt.caller, guardrail(t, tt.policy)), Action: tt.action, Object: object, Keys: tt.keys}
		d := r.Evaluate()
		if d.Result != tt.want {
			t.Errorf("%s: %s by %s on %s: want %s, got %s", tt.policy, tt.action, tt.caller, tt.resource, tt.want, d)
		}
		if d.Result == iam.Deny && (len(d.Denials) != 1 || d.Denials[0].Policy != "guardrail" || d.Denials[0].Sid == "") {
			t.Errorf("%s: %s by %s: the guardrail does not name itself: %s", tt.policy, tt.action, tt.caller, d)
		}
	}
}

// A guardrail binds neither the management account nor service-linked roles.
func TestGuardrails_end_at_the_management_account(t *testing.T) {
	p3 := guardrail(t, "p3-only-the-broker-shares")
	s := member(t, dev, p3)
	management := s.Caller
	management.Management = true
	policies := iam.Compile(
		iam.Document{Policy: parse(t, one(everything)), Edge: iam.Identity, Name: "admin"},
		iam.Document{Policy: parse(t, p3), Edge: iam.SCP, Level: "root", Name: "guardrail"})
	linked := iam.Caller{ARN: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"}
	for _, c := range []iam.Caller{management, linked} {
		r := iam.Request{Subject: iam.NewSubject(c, policies), Action: "lambda:AddLayerVersionPermission", Object: granted(t, layer, ownOrg, "")}
		if d := r.Evaluate(); d.Result != iam.Allow {
			t.Errorf("%s: %s", c.ARN, d)
		}
	}
}

// The blog's Deny denies every reader every layer version, its own included,
// whatever else is true of the request: the key is there only when a service
// calls, and a negated operator is true of a key that is not there.
func TestSeedDeny_denies_everyone_everything(t *testing.T) {
	callers := []string{dev, outside, "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/lamina-scanner"}
	layers := []*iam.Object{
		granted(t, layer, ownOrg, toEveryone), granted(t, "arn:aws:lambda:eu-west-1:444455556666:layer:b:1", ownOrg, toOrg),
		granted(t, foreign, "o-anotherone1", toEveryone), granted(t, foreign, "", toEveryone),
	}
	for _, caller := range callers {
		for _, o := range layers {
			r := iam.Request{Subject: member(t, caller, one(seedDeny)), Action: "lambda:GetLayerVersion", Object: o}
			if d := r.Evaluate(); d.Result != iam.Deny || d.InEveryCase || len(d.Denials) != 1 {
				t.Errorf("%s reads %s: %s", caller, o.ARN, d)
			}
		}
		// Without it each reads its own account's layer.
		r := iam.Request{Subject: member(t, caller, one(everything)), Action: "lambda:GetLayerVersion", Object: granted(t, strings.Replace(layer, "111122223333", strings.Split(caller, ":")[4], 1), ownOrg, "")}
		if d := r.Evaluate(); d.Result != iam.Allow {
			t.Errorf("%s reads its own layer: %s", caller, d)
		}
	}
}

// Guardrails that look right and are not: what GRD-06 is about.
func TestGuardrails_that_do_not_hold(t *testing.T) {
	mixed := iam.Keys{}.Set("lambda:Layer", iam.Is(approved, foreign))
	list := `["arn:aws:lambda:*:111122223333:layer:approved-*:*"]`
	deny := func(action, resource, condition string) string {
		return one(`{"Sid":"x","Effect":"Deny","Action":"` + action + `","Resource":"` + resource + `","Condition":` + condition + `}`)
	}
	for name, tt := range map[string]struct {
		scp, action, resource string
		want                  iam.Result
	}{
		"all_values_must_be_foreign":          {deny("lambda:*", "*", `{"ForAllValues:StringNotLike":{"lambda:Layer":`+list+`}}`), "lambda:UpdateFunctionConfiguration", fn, iam.Allow},
		"a_set_operator_that_does_not_exist":  {deny("lambda:*", "*", `{"ForAnyValues:StringNotLike":{"lambda:Layer":`+list+`}}`), "lambda:UpdateFunctionConfiguration", fn, iam.Unknown},
		"several_values_without_set_operator": {deny("lambda:*", "*", `{"StringNotLike":{"lambda:Layer":`+list+`}}`), "lambda:UpdateFunctionConfiguration", fn, iam.Unknown},
		"an_action_that_does_not_exist":       {deny("lambda:AddLayerPermission", "*", `{"Null":{"aws:PrincipalArn":"false"}}`), "lambda:AddLayerVersionPermission", layer, iam.Allow},
		"a_resource_without_version":          {deny("lambda:DeleteLayerVersion", "arn:aws:lambda:eu-west-1:111122223333:layer:utils", `{"Null":{"aws:PrincipalArn":"false"}}`), "lambda:DeleteLayerVersion", layer, iam.Allow},
	} {
		t.Run(name, func(t *testing.T) {
			r := iam.Request{Subject: member(t, dev, tt.scp), Action: tt.action, Object: granted(t, tt.resource, ownOrg, ""), Keys: mixed}
			if d := r.Evaluate(); d.Result != tt.want {
				t.Errorf("want %s, got %s", tt.want, d)
			}
		})
	}
	// A resource control policy reaches no layer.
	object := iam.NewObject(iam.Resource{ARN: layer}, iam.Compile(
		iam.Document{Edge: iam.RCP, Level: "root", Name: "rcp", Policy: parse(t, one(`{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}`))}))
	r := iam.Request{Subject: member(t, dev, one(everything)), Action: "lambda:GetLayerVersion", Object: object}
	if d := r.Evaluate(); d.Result != iam.Allow {
		t.Errorf("a resource control policy over Lambda: %s", d)
	}
}
