package estate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
)

func TestScope(t *testing.T) {
	const owner = "111122223333"
	told := estate.NewOrg("o-exampleorgid", []string{owner, "444455556666"}, func(a string) bool { return a == "123456789012" })
	untold := estate.NewOrg("", nil, nil)
	tests := map[string]struct {
		grant        lamina.Grant
		told, untold lamina.GrantScope
	}{
		"public":               {lamina.Grant{Principal: "*"}, lamina.ScopePublic, lamina.ScopePublic},
		"own_organisation":     {lamina.Grant{Principal: "*", OrganizationID: "o-exampleorgid"}, lamina.ScopeOwnOrganization, lamina.ScopeUndetermined},
		"foreign_organisation": {lamina.Grant{Principal: "*", OrganizationID: "o-anotherorgid"}, lamina.ScopeForeignOrganization, lamina.ScopeUndetermined},
		"own_account":          {lamina.Grant{Principal: owner}, lamina.ScopeOwnAccount, lamina.ScopeOwnAccount},
		"organisation_account": {lamina.Grant{Principal: "444455556666"}, lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined},
		"as_root_arn":          {lamina.Grant{Principal: "arn:aws-cn:iam::444455556666:root"}, lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined},
		"vendor":               {lamina.Grant{Principal: "123456789012"}, lamina.ScopeVendorAccount, lamina.ScopeUndetermined},
		"unknown_account":      {lamina.Grant{Principal: "777788889999"}, lamina.ScopeUnknownAccount, lamina.ScopeUndetermined},
		"hidden":               {lamina.Grant{}, lamina.ScopeUnknownPrincipal, lamina.ScopeUnknownPrincipal},
		"nonsense":             {lamina.Grant{Principal: "12345678901x"}, lamina.ScopeUndetermined, lamina.ScopeUndetermined},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := told.Scope(tt.grant, owner); got != tt.told {
				t.Errorf("told: got %s, want %s", got, tt.told)
			}
			if got := untold.Scope(tt.grant, owner); got != tt.untold {
				t.Errorf("untold: got %s, want %s", got, tt.untold)
			}
		})
	}
}

func TestEstate(t *testing.T) {
	const layer = "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"
	e := estate.New(lamina.Snapshot{
		Layers: []lamina.LayerVersion{{ARN: layer, Account: "111122223333"}},
		Functions: []lamina.Function{
			{ARN: "f1", Layers: []string{layer}},
			{ARN: "f2", Layers: []string{"other"}},
			{ARN: "f3", Layers: []string{"other", layer}},
		},
		Accounts: []lamina.Account{{ID: "1"}, {ID: "2"}, {ID: "3"}},
		Targets: []lamina.Target{
			{Account: "2", Region: "eu-west-1", Gaps: []lamina.Gap{
				{Action: "lambda:ListLayers", Denied: true, Reason: "denied"},
				{Action: "lambda:GetLayerVersionPolicy", Resources: []string{layer}, Reason: "throttled"},
			}},
			{Account: "1", Region: "eu-west-1", Read: []string{"lambda:ListLayers"}},
			{Account: "1", Region: "", Read: []string{"iam:GetAccountAuthorizationDetails"}},
		},
	}, nil)
	if _, ok := e.Layer(layer); !ok {
		t.Error("layer not found")
	}
	if _, ok := e.Layer("other"); ok {
		t.Error("found a layer that is not in the snapshot")
	}
	if vs := e.Versions("arn:aws:lambda:eu-west-1:111122223333:layer:utils"); len(vs) != 1 || vs[0].ARN != layer {
		t.Errorf("versions: %v", vs)
	}
	if f, ok := e.Function("f2"); !ok || f.ARN != "f2" {
		t.Error("function not found")
	}
	var users []string
	for _, f := range e.Users(layer) {
		users = append(users, f.ARN)
	}
	if d := cmp.Diff([]string{"f1", "f3"}, users); d != "" {
		t.Error(d)
	}
	want := []estate.Missing{
		{Account: "2", Region: "eu-west-1", Action: "lambda:ListLayers", Denied: true, Reason: "denied"},
		{Account: "3", Region: "*", Action: "lambda:ListLayers", Unasked: true, Reason: "the account was not collected"},
	}
	if d := cmp.Diff(want, e.Unread("lambda:ListLayers")); d != "" {
		t.Error(d)
	}
	for _, tt := range []struct {
		account, region, action, resource, why string
	}{
		{"1", "eu-west-1", "lambda:ListLayers", "", ""},
		{"1", "eu-west-1", "lambda:ListFunctions", "", "not collected"},
		{"2", "eu-west-1", "lambda:ListLayers", "any", "denied"},
		{"2", "eu-west-1", "lambda:GetLayerVersionPolicy", layer, "throttled"},
		{"2", "eu-west-1", "lambda:GetLayerVersionPolicy", "other", ""},
		{"2", "eu-west-1", "lambda:GetLayerVersionPolicy", "", "throttled"},
		{"3", "eu-west-1", "lambda:ListLayers", "", "not collected"},
	} {
		m, ok := e.Missing(tt.account, tt.region, tt.action, tt.resource)
		if ok != (tt.why != "") || m.Reason != tt.why {
			t.Errorf("%+v: got %v, %+v", tt, ok, m)
		}
	}
}
