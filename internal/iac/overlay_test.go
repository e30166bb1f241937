package iac_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/iac"
)

// What the code declares takes the place of what has its ARN, a layer becomes the
// next version, and what it only adds to keeps all it has.
func TestOverlay(t *testing.T) {
	const at, account, region = "arn:aws:lambda:eu-west-1:111122223333:", "111122223333", "eu-west-1"
	live := lamina.Snapshot{
		Accounts: []lamina.Account{{ID: account}},
		Targets:  []lamina.Target{{Account: account, Region: region, Read: []string{"lambda:GetLayerVersion", "lambda:ListFunctions"}}},
		Layers: []lamina.LayerVersion{
			{ARN: at + "layer:utils:7", Account: account, Region: region, Name: "utils", Version: 7},
			{ARN: at + "layer:utils:8", Account: account, Region: region, Name: "utils", Version: 8, Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "old"}}}},
		},
		Functions: []lamina.Function{
			{ARN: at + "function:billing", Name: "billing", Layers: []string{at + "layer:utils:7"}, URLs: []lamina.FunctionURL{{AuthType: "AWS_IAM"}}, Role: "arn:role"},
			{ARN: at + "function:orders", Name: "orders", Layers: []string{at + "layer:utils:8"}},
		},
		Principals: []lamina.Principal{{ARN: "arn:aws:iam::111122223333:role/old", Account: account, Kind: "Role", Name: "old", Attached: []string{"arn:b"}}},
	}
	c := read(t, `
Resources:
  L: {Type: AWS::Lambda::LayerVersion, Properties: {LayerName: utils}}
  G: {Type: AWS::Lambda::LayerVersionPermission, Properties: {LayerVersionArn: 'arn:aws:lambda:eu-west-1:111122223333:layer:utils:8', Principal: '*'}}
  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: billing, Layers: [!Ref L]}}
  U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: orders, AuthType: NONE}}
  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: more, Roles: [old], PolicyDocument: {Statement: []}}}
`, iac.Options{Account: account, Region: region, Live: &live})
	s := c.Overlay(live)
	var got []string
	for _, l := range s.Layers {
		line := []string{l.ARN}
		if l.Policy != nil {
			for _, g := range l.Policy.Grants {
				line = append(line, g.StatementID)
			}
		}
		got = append(got, strings.Join(line, " "))
	}
	for _, f := range s.Functions {
		line := append([]string{f.ARN, f.Role}, f.Layers...)
		for _, u := range f.URLs {
			line = append(line, u.AuthType)
		}
		got = append(got, strings.Join(line, " "))
	}
	for _, p := range s.Principals {
		got = append(got, p.ARN+" "+p.Attached[0]+" "+p.Inline[0].Name)
	}
	if d := cmp.Diff([]string{
		at + "layer:utils:7", at + "layer:utils:8 old G", at + "layer:utils:9",
		at + "function:billing arn:role " + at + "layer:utils:9 AWS_IAM", at + "function:orders  " + at + "layer:utils:8 NONE",
		"arn:aws:iam::111122223333:role/old arn:b more",
	}, got); d != "" {
		t.Errorf("overlay differs (-want +got):\n%s", d)
	}
	want := []lamina.Target{{Account: account, Region: region, Read: []string{"lambda:ListFunctions"}, Gaps: []lamina.Gap{
		{Action: "lambda:GetLayerVersion", Resources: []string{at + "layer:utils:9"}, Reason: iac.NotInCode},
	}}}
	if d := cmp.Diff(want, s.Targets); d != "" {
		t.Errorf("targets differ (-want +got):\n%s", d)
	}
	if len(live.Layers) != 2 || len(live.Layers[1].Policy.Grants) != 1 || live.Functions[1].URLs != nil || len(live.Targets[0].Read) != 2 {
		t.Error("the live estate was changed")
	}
}

// Only what fails newly or worse is shown, with its place; what another service
// would have to see first is not.
func TestJudgeOverlay(t *testing.T) {
	c := read(t, "Resources:\n  L: {Type: AWS::Lambda::LayerVersion}\n", iac.Options{})
	fail := func(id, check, resource string, s lamina.Severity) lamina.Finding {
		return lamina.Finding{ID: id, Check: check, Resource: resource, Severity: s, Outcome: lamina.Fail}
	}
	before := []lamina.Finding{fail("F-1", "a", "old", lamina.Low), fail("F-2", "a", "old", lamina.Low)}
	after := []lamina.Finding{
		fail("F-1", "a", "old", lamina.Low), fail("F-2", "a", "old", lamina.High), fail("F-3", "a", "t.yaml#L", lamina.Low), fail("F-4", "seen", "t.yaml#L", lamina.Low),
		{ID: "F-5", Check: "a", Resource: "t.yaml#L", Outcome: lamina.Unknown},
	}
	var got []string
	j := c.JudgeOverlay(before, after, []iac.Check{{ID: "seen", Needs: []string{"access-analyzer:ListFindingsV2"}}})
	for _, f := range j.Findings {
		got = append(got, f.ID+" "+f.File)
	}
	if d := cmp.Diff([]string{"F-2 ", "F-3 t.yaml"}, got); d != "" || j.Estate != 3 {
		t.Errorf("%d of the estate, and\n%s", j.Estate, d)
	}
}
