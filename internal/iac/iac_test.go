package iac_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/iac"
)

func TestParse(t *testing.T) {
	got, err := iac.Parse("t.json", []byte(`{"Resources":{
		"Open":   {"Type":"AWS::Serverless::LayerVersion","Properties":{"LayerName":"utils"}},
		"Made":   {"Type":"AWS::Lambda::LayerVersion","Properties":{"LayerName":{"Ref":"Name"}}},
		"Closed": {"Type":"AWS::Lambda::LayerVersion"},
		"P1":     {"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Action":"lambda:GetLayerVersion","LayerVersionArn":{"Ref":"Open"},"Principal":"*"}},
		"P2":     {"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Action":"lambda:GetLayerVersion","LayerVersionArn":{"Ref":"Open"},"Principal":"*","OrganizationId":"o-exampleorgid"}},
		"P3":     {"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Action":"lambda:GetLayerVersion","LayerVersionArn":{"Ref":"Made"},"Principal":{"Ref":"Who"}}},
		"P4":     {"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Action":"lambda:GetLayerVersion","LayerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:far:1","Principal":444455556666}},
		"Other":  {"Type":"AWS::S3::Bucket"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	grant := func(id, principal, org string) lamina.Grant {
		return lamina.Grant{StatementID: id, Action: "lambda:GetLayerVersion", Principal: principal, OrganizationID: org}
	}
	far := "arn:aws:lambda:eu-west-1:111122223333:layer:far:1"
	want := lamina.Snapshot{Version: 1, Targets: []lamina.Target{{
		Read: []string{"lambda:ListLayers", "lambda:ListLayerVersions"},
		Gaps: []lamina.Gap{{Action: "lambda:GetLayerVersionPolicy", Resources: []string{"t.json#Made"}, Reason: "t.json#P3: the grant is made by an intrinsic function"}},
	}}, Layers: []lamina.LayerVersion{
		{ARN: "t.json#Closed", Name: "Closed"},
		{ARN: "t.json#Made", Name: "Made"},
		{ARN: "t.json#Open", Name: "utils", Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{grant("P1", "*", ""), grant("P2", "*", "o-exampleorgid")}}},
		{ARN: far, Name: far, Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{grant("P4", "444455556666", "")}}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("snapshot differs (-want +got):\n%s", d)
	}
}

func TestParse_refuses(t *testing.T) {
	for name, tt := range map[string]struct {
		file, data string
		is         error
	}{
		"terraform":       {"main.tf", "", iac.ErrUnsupported},
		"yaml":            {"t.yaml", "Resources: {}", iac.ErrUnsupported},
		"not_a_template":  {"package.json", `{"name":"x"}`, nil},
		"broken":          {"t.json", `{"Resources":{`, nil},
		"two":             {"t.json", `{"Resources":{}}{"Resources":{}}`, nil},
		"list_properties": {"t.json", `{"Resources":{"L":{"Type":"AWS::Lambda::LayerVersion","Properties":[]}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := iac.Parse(tt.file, []byte(tt.data)); err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v", err, tt.is)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Resources":{"P":{"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Principal":"*"}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := iac.Parse("t.json", data)
		if err != nil {
			return
		}
		for _, l := range s.Layers {
			if l.ARN == "" {
				t.Error("a layer without a name")
			}
		}
	})
}
