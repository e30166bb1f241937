package snapshot_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

func TestDiff(t *testing.T) {
	const ours, other = "111122223333", "444455556666"
	at := func(account, region string, gaps ...lamina.Gap) lamina.Target {
		return lamina.Target{Account: account, Region: region, Gaps: gaps}
	}
	layer := func(account, name string) lamina.LayerVersion {
		return lamina.LayerVersion{ARN: "arn:aws:lambda:eu-west-1:" + account + ":layer:" + name + ":1", Account: account, Region: "eu-west-1", Name: name, Version: 1}
	}
	shared := layer(ours, "utils")
	shared.Policy = &lamina.LayerPolicy{RevisionID: "r", Grants: []lamina.Grant{{StatementID: "s", Principal: "*"}}}
	aged := layer(ours, "utils")
	aged.PolicyRead = time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC)
	said := func(service string) lamina.ServiceFinding {
		return lamina.ServiceFinding{ID: "1", Account: ours, Region: "eu-west-1", Service: service, Resources: []string{"arn:aws:lambda:eu-west-1:" + ours + ":function:f"}}
	}
	again := func(f lamina.ServiceFinding) lamina.ServiceFinding { // when it was last seen is no difference
		f.Last = time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC)
		return f
	}
	denied := lamina.Gap{Action: "lambda:ListLayers", Denied: true, Reason: "AccessDenied"}
	tests := map[string]struct {
		a, b lamina.Snapshot
		want string
	}{
		"same": {lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "utils")}}, lamina.Snapshot{Layers: []lamina.LayerVersion{aged}}, ""},
		"shared": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "utils")}},
			lamina.Snapshot{Layers: []lamina.LayerVersion{shared}},
			`changed layers arn:aws:lambda:eu-west-1:111122223333:layer:utils:1 policy: "" → {"revision_id":"r","grants":[{"statement_id":"s","action":"","principal":"*"}]}`,
		},
		"added_and_removed": {
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1")}, Layers: []lamina.LayerVersion{layer(ours, "old")}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1")}, Layers: []lamina.LayerVersion{layer(ours, "new")}},
			"added layers arn:aws:lambda:eu-west-1:111122223333:layer:new:1\nremoved layers arn:aws:lambda:eu-west-1:111122223333:layer:old:1",
		},
		"denied_is_not_removed": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "old")}, Targets: []lamina.Target{at(ours, "eu-west-1", denied)}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1", denied)}},
			"unread layers arn:aws:lambda:eu-west-1:111122223333:layer:old:1 (lambda:ListLayers: AccessDenied)",
		},
		"another_account_is_not_removed": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "old")}, Targets: []lamina.Target{at(ours, "eu-west-1"), at(other, "eu-west-1")}},
			lamina.Snapshot{Targets: []lamina.Target{at(other, "eu-west-1")}},
			"unread layers arn:aws:lambda:eu-west-1:111122223333:layer:old:1 (nothing was read of 111122223333 eu-west-1)\nremoved targets 111122223333 eu-west-1",
		},
		"a_publishers_layer_is_removed_when_no_function_loads_it": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(other, "vendor")}, Targets: []lamina.Target{at(ours, "eu-west-1")}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1")}},
			"removed layers arn:aws:lambda:eu-west-1:444455556666:layer:vendor:1",
		},
		"managed_policy_of_aws": {
			lamina.Snapshot{ManagedPolicies: []lamina.ManagedPolicy{{ARN: "arn:aws:iam::aws:policy/X"}}, Targets: []lamina.Target{at(ours, "")}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "")}},
			"removed managed_policies arn:aws:iam::aws:policy/X",
		},
		"a_policy_that_was_not_read_is_not_removed": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{shared}, Targets: []lamina.Target{at(ours, "eu-west-1")}},
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "utils")}, Targets: []lamina.Target{at(ours, "eu-west-1", lamina.Gap{Action: "lambda:GetLayerVersionPolicy", Denied: true, Reason: "denied"})}},
			"unread layers arn:aws:lambda:eu-west-1:111122223333:layer:utils:1 (policy: lambda:GetLayerVersionPolicy: denied)\n" +
				`changed targets 111122223333 eu-west-1 gaps: "" → [{"action":"lambda:GetLayerVersionPolicy","denied":true,"reason":"denied"}]`,
		},
		"a_policy_that_was_removed_is": {
			lamina.Snapshot{Layers: []lamina.LayerVersion{shared}, Targets: []lamina.Target{at(ours, "eu-west-1")}},
			lamina.Snapshot{Layers: []lamina.LayerVersion{layer(ours, "utils")}, Targets: []lamina.Target{at(ours, "eu-west-1")}},
			`changed layers arn:aws:lambda:eu-west-1:111122223333:layer:utils:1 policy: {"revision_id":"r","grants":[{"statement_id":"s","action":"","principal":"*"}]} → ""`,
		},
		"an_organisation_that_was_not_asked_is_not_removed": {
			lamina.Snapshot{Accounts: []lamina.Account{{ID: ours, Name: "ours"}, {ID: other}}, Targets: []lamina.Target{{Account: ours, Region: "organization", Read: []string{"organizations:ListAccounts"}}}},
			lamina.Snapshot{Accounts: []lamina.Account{{ID: ours}}, Targets: []lamina.Target{{Account: ours, Region: "organization", Read: []string{"organizations:DescribeOrganization"}}}},
			"unread accounts 111122223333 (name: organizations:ListAccounts: not asked)\n" +
				"unread accounts 444455556666 (organizations:ListAccounts: not asked)\n" +
				`changed targets 111122223333 organization read: ["organizations:ListAccounts"] → ["organizations:DescribeOrganization"]`,
		},
		"storage_of_two_regions": {
			lamina.Snapshot{CodeStorage: []lamina.CodeStorage{{Account: ours, Region: "eu-west-1", Used: 1}, {Account: ours, Region: "us-east-1", Used: 1}}},
			lamina.Snapshot{CodeStorage: []lamina.CodeStorage{{Account: ours, Region: "eu-west-1", Used: 2}, {Account: ours, Region: "us-east-1", Used: 1}}},
			"changed code_storage 111122223333 eu-west-1 used: 1 → 2",
		},
		"a_finding_that_was_not_read_is_not_removed": {
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1")}, ServiceFindings: []lamina.ServiceFinding{said("inspector2"), said("guardduty"), said("securityhub")}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1", lamina.Gap{Action: "guardduty:GetFindings", Denied: true, Reason: "denied"})}, ServiceFindings: []lamina.ServiceFinding{again(said("securityhub"))}},
			"unread service_findings 111122223333 eu-west-1 guardduty 1 (guardduty:GetFindings: denied)\n" +
				"removed service_findings 111122223333 eu-west-1 inspector2 1\n" +
				`changed targets 111122223333 eu-west-1 gaps: "" → [{"action":"guardduty:GetFindings","denied":true,"reason":"denied"}]`,
		},
		"a_record_of_config_that_was_not_read_is_not_removed": {
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1"), at(ours, "us-east-1")}, ConfigRecords: []lamina.ConfigRecord{{Function: "arn:aws:lambda:eu-west-1:" + ours + ":function:f"}, {Function: "arn:aws:lambda:us-east-1:" + ours + ":function:f"}}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "eu-west-1"), at(ours, "us-east-1", lamina.Gap{Action: "config:SelectResourceConfig", Denied: true, Reason: "denied"})}},
			"removed config_records arn:aws:lambda:eu-west-1:111122223333:function:f\n" +
				"unread config_records arn:aws:lambda:us-east-1:111122223333:function:f (config:SelectResourceConfig: denied)\n" +
				`changed targets 111122223333 us-east-1 gaps: "" → [{"action":"config:SelectResourceConfig","denied":true,"reason":"denied"}]`,
		},
		"organisation": {
			lamina.Snapshot{Accounts: []lamina.Account{{ID: other}}, Targets: []lamina.Target{at(ours, "organization")}},
			lamina.Snapshot{Targets: []lamina.Target{at(ours, "organization", lamina.Gap{Action: "organizations:ListAccounts", Reason: "AccessDenied"})}},
			"unread accounts 444455556666 (organizations:ListAccounts: AccessDenied)\n" +
				`changed targets 111122223333 organization gaps: "" → [{"action":"organizations:ListAccounts","reason":"AccessDenied"}]`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes, err := snapshot.Diff(tt.a, tt.b)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				parts := []string{c.What, c.Kind, c.ID}
				for _, f := range c.Fields {
					parts = append(parts, f.Field+": "+or(f.Old)+" → "+or(f.New))
				}
				if c.Reason != "" {
					parts = append(parts, "("+c.Reason+")")
				}
				got = append(got, strings.Join(parts, " "))
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "\n")); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func or(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// Whatever list a snapshot has, Diff sees what is new in it.
func TestDiff_sees_every_list(t *testing.T) {
	kind := reflect.TypeFor[lamina.Snapshot]()
	for i := range kind.NumField() {
		f := kind.Field(i)
		if f.Type.Kind() != reflect.Slice || f.Type.Elem().Kind() != reflect.Struct {
			continue
		}
		var s lamina.Snapshot
		list := reflect.ValueOf(&s).Elem().Field(i)
		element := reflect.New(f.Type.Elem()).Elem()
		for _, text := range element.Fields() {
			if text.Kind() == reflect.String {
				text.SetString("x")
			}
		}
		list.Set(reflect.Append(list, element))
		changes, err := snapshot.Diff(lamina.Snapshot{}, s)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if len(changes) != 1 || changes[0].Kind != name || changes[0].What != "added" || strings.Trim(changes[0].ID, "x ") != "" {
			t.Errorf("%s: %+v", f.Name, changes)
		}
	}
}

func TestRedact(t *testing.T) {
	const ours, grantee, vendor = "111122223333", "444455556666", "464622532012"
	person := "arn:aws:iam::" + ours + ":user/staff/ann@corp.example"
	in := lamina.Snapshot{
		OrgID:    "o-a1b2c3d4e5",
		Accounts: []lamina.Account{{ID: ours, Name: "Secret Project", Tags: map[string]string{"owner": "ann@corp.example"}}},
		Layers: []lamina.LayerVersion{{
			ARN: "arn:aws:lambda:eu-west-1:" + ours + ":layer:utils:1", Account: ours, Region: "eu-west-1", Name: "utils", Version: 1, Description: "by Ann",
			CodeSHA256: "p+123456789012/", Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "s", Principal: grantee}}},
		}},
		Functions: []lamina.Function{{
			ARN: "arn:aws:lambda:eu-west-1:" + ours + ":function:api", Account: ours, Name: "api", Version: "$LATEST",
			Layers: []string{"arn:aws:lambda:eu-west-1:" + vendor + ":layer:Datadog-Extension:65"}, CodeSize: 1 << 60,
		}},
		Principals: []lamina.Principal{
			{ARN: person, Account: ours, Kind: "User", Name: "ann@corp.example", Path: "/staff/"},
			{ARN: "arn:aws:iam::" + ours + ":role/app", Account: ours, Kind: "Role", Name: "app", Trust: `{"Principal":{"AWS":["` + person + `","arn:aws:iam::` + ours + `:user/dev-*"]},"o":"o-a1b2c3d4e5"}`},
		},
	}
	in.ServiceFindings = []lamina.ServiceFinding{{
		ID: "arn:aws:inspector2:eu-west-1:" + ours + ":finding/1", Account: ours, Region: "eu-west-1", Service: "inspector2", Severity: "HIGH", Title: "for Ann", Product: ours + "/default",
		Resources: []string{in.Functions[0].ARN}, Vulnerabilities: []string{"CVE-2099-0001"},
	}}
	before := write(t, in)
	got, err := snapshot.Redact(in, func(account string) bool { return account == vendor })
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(write(t, in)) {
		t.Error("Redact changed its argument")
	}
	want := snapshot.Canonical(lamina.Snapshot{
		OrgID:    "o-0000000001",
		Accounts: []lamina.Account{{ID: "000000000001"}},
		Layers: []lamina.LayerVersion{{
			ARN: "arn:aws:lambda:eu-west-1:000000000001:layer:utils:1", Account: "000000000001", Region: "eu-west-1", Name: "utils", Version: 1,
			CodeSHA256: "p+123456789012/", Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "s", Principal: "000000000002"}}},
		}},
		Functions: []lamina.Function{{
			ARN: "arn:aws:lambda:eu-west-1:000000000001:function:api", Account: "000000000001", Name: "api", Version: "$LATEST",
			Layers: []string{"arn:aws:lambda:eu-west-1:" + vendor + ":layer:Datadog-Extension:65"}, CodeSize: 1 << 60,
		}},
		Principals: []lamina.Principal{
			{ARN: "arn:aws:iam::000000000001:user/user-1", Account: "000000000001", Kind: "User", Name: "user-1", Path: "/"},
			{ARN: "arn:aws:iam::000000000001:role/app", Account: "000000000001", Kind: "Role", Name: "app", Trust: `{"Principal":{"AWS":["arn:aws:iam::000000000001:user/user-1","arn:aws:iam::000000000001:user/dev-*"]},"o":"o-0000000001"}`},
		},
	})
	want.ServiceFindings = []lamina.ServiceFinding{{
		ID: "arn:aws:inspector2:eu-west-1:000000000001:finding/1", Account: "000000000001", Region: "eu-west-1", Service: "inspector2", Severity: "HIGH", Product: "000000000001/default",
		Resources: []string{want.Functions[0].ARN}, Vulnerabilities: []string{"CVE-2099-0001"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
