package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

const layer = "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"

func TestEvaluate(t *testing.T) {
	tests := map[string]struct {
		policy  string
		req     iam.Request
		want    iam.Effect
		residue string
	}{
		"everyone": {
			policy: `{"Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `"}}`,
			req:    iam.Request{Action: "lambda:getlayerversion", Resource: layer, Principal: "444455556666"},
			want:   iam.Allowed,
		},
		"account_root_covers_a_role": {
			policy: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:*","Resource":"*"}]}`,
			req:    iam.Request{Action: "lambda:GetLayerVersion", Resource: layer, Principal: "arn:aws:iam::444455556666:role/x"},
			want:   iam.Allowed,
		},
		"other_account": {
			policy: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"lambda:*","Resource":"*"}]}`,
			req:    iam.Request{Action: "lambda:GetLayerVersion", Resource: layer, Principal: "777788889999"},
			want:   iam.NotAllowed,
		},
		"organisation_not_known": {
			policy:  `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}`,
			req:     iam.Request{Action: "lambda:GetLayerVersion", Resource: layer},
			want:    iam.Unknown,
			residue: "StringEquals aws:PrincipalOrgID o-exampleorgid",
		},
		"organisation_known_absent": {
			policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}`,
			req:    iam.Request{Action: "lambda:GetLayerVersion", Resource: layer, Keys: map[string]*string{"aws:principalorgid": nil}},
			want:   iam.NotAllowed,
		},
		"negated_deny_is_true_when_absent": {
			policy: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"lambda:Add*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalArn":"x"}}}]}`,
			req:    iam.Request{Action: "lambda:AddLayerVersionPermission", Resource: layer, Keys: map[string]*string{"aws:principalarn": nil}},
			want:   iam.Denied,
		},
		"deny_that_may_match": {
			policy:  `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"ForAnyValue:StringNotLike":{"lambda:Layer":"arn:aws:lambda:*:111122223333:*"}}}]}`,
			req:     iam.Request{Action: "lambda:CreateFunction", Resource: "*", Keys: map[string]*string{"lambda:layer": new(layer)}},
			want:    iam.Unknown,
			residue: "ForAnyValue:StringNotLike lambda:Layer arn:aws:lambda:*:111122223333:*",
		},
		"arn_like": {
			policy: `{"Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::*:role/deploy-*"}}}]}`,
			req:    iam.Request{Action: "lambda:GetLayerVersion", Keys: map[string]*string{"aws:principalarn": new("arn:aws-cn:iam::111122223333:role/deploy-1")}},
			want:   iam.Allowed,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := iam.Parse([]byte(tt.policy))
			if err != nil {
				t.Fatal(err)
			}
			d := p.Evaluate(tt.req)
			if d.Effect != tt.want {
				t.Errorf("got %s, want %s", d.Effect, tt.want)
			}
			var residue strings.Builder
			for _, c := range d.Residue {
				residue.WriteString(c.String())
			}
			if residue := residue.String(); residue != tt.residue {
				t.Errorf("residue %q, want %q", residue, tt.residue)
			}
			if (d.Effect == iam.Unknown) != (len(d.Residue) > 0) {
				t.Errorf("%s with residue %v", d.Effect, d.Residue)
			}
		})
	}
}

func TestParse_refuses(t *testing.T) {
	for name, doc := range map[string]string{
		"not_json":        `{`,
		"no_statement":    `{"Version":"2012-10-17"}`,
		"unknown_effect":  `{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`,
		"unknown_element": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Unless":{}}}`,
		"no_action":       `{"Statement":{"Effect":"Allow","Resource":"*"}}`,
		"both_actions":    `{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}`,
		"trailing":        `{"Statement":{"Effect":"Allow","Action":"*"}} {}`,
		"bare_principal":  `{"Statement":{"Effect":"Allow","Action":"*","Principal":"111122223333"}}`,
		"nested_action":   `{"Statement":{"Effect":"Allow","Action":[["*"]]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := iam.Parse([]byte(doc)); err == nil {
				t.Errorf("accepted as %+v", p)
			}
		})
	}
}

func TestLayerGrants(t *testing.T) {
	got, err := iam.LayerGrants([]byte(`{"Version":"2012-10-17","Id":"default","Statement":[
		{"Sid":"everyone","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `"},
		{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}},
		{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"arn:aws-us-gov:iam::444455556666:root"},"Action":"lambda:GetLayerVersion","Resource":"` + layer + `"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []lamina.Grant{
		{StatementID: "everyone", Action: "lambda:GetLayerVersion", Principal: "*"},
		{StatementID: "org", Action: "lambda:GetLayerVersion", Principal: "*", OrganizationID: "o-exampleorgid"},
		{StatementID: "partner", Action: "lambda:GetLayerVersion", Principal: "444455556666"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("grants differ (-want +got):\n%s", d)
	}
}

// A condition of an unknown kind must not turn a limited grant into a public one.
func TestLayerGrants_refuses_what_it_would_lose(t *testing.T) {
	for name, statement := range map[string]string{
		"condition": `{"Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`,
		"deny":      `{"Effect":"Deny","Principal":"*","Action":"lambda:GetLayerVersion"}`,
		"two":       `{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"lambda:GetLayerVersion"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if g, err := iam.LayerGrants([]byte(`{"Statement":[` + statement + `]}`)); err == nil {
				t.Errorf("read as %+v", g)
			}
		})
	}
}

// Adding a Deny never allows more.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*"}}`), "lambda:GetLayerVersion")
	f.Add([]byte(`{"Statement":[{"Effect":"Deny","NotAction":"iam:*","NotResource":["a*b?"],"Condition":{"Null":{"k":"true"}}}]}`), "iam:PassRole")
	f.Fuzz(func(t *testing.T, doc []byte, action string) {
		p, err := iam.Parse(doc)
		if err != nil {
			return
		}
		r := iam.Request{Action: action, Resource: layer, Principal: "111122223333"}
		before := p.Evaluate(r).Effect
		p.Statements = append(p.Statements, iam.Statement{Actions: []string{"lambda:*"}})
		after := p.Evaluate(r).Effect
		if after == iam.Allowed && before != iam.Allowed {
			t.Errorf("%s became %s by a Deny", before, after)
		}
	})
}

func ExamplePolicy_Evaluate() {
	p, err := iam.Parse([]byte(`{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion", "Resource": "*",
		"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	d := p.Evaluate(iam.Request{Action: "lambda:GetLayerVersion", Resource: "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"})
	fmt.Println(d.Effect, d.Residue)
	// Output: UNKNOWN [StringEquals aws:PrincipalOrgID o-exampleorgid]
}
