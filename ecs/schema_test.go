package ecs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		typ   ecs.Type
		limit int
		root  string
		key   string
	}{
		{"event.action", ecs.Keyword, 1024, "", ""},
		{"aws.cloudtrail.request_parameters", ecs.Keyword, 8191, "", ""},
		{"aws.cloudtrail.additional_eventdata", ecs.Keyword, 1024, "", ""},
		{"aws.cloudtrail.request_parameters.text", ecs.Text, 0, "", ""},
		{"aws.cloudtrail.user_identity", ecs.Object, 0, "", ""},
		{"aws.cloudtrail.resources", ecs.Object, 0, "", ""},
		{"source.geo", ecs.Object, 0, "", ""},
		{"source.geo.location", ecs.GeoPoint, 0, "", ""},
		{"source.ip", ecs.IP, 0, "", ""},
		{"destination.ip", ecs.IP, 0, "", ""},
		{"host.ip", ecs.IP, 0, "", ""},
		{"source.as.number", ecs.Long, 0, "", ""},
		{"aws.cloudtrail.read_only", ecs.Boolean, 0, "", ""},
		{"aws.cloudtrail.management_event", ecs.Keyword, 1024, "", ""},
		{"data_stream.dataset", ecs.ConstantKeyword, 0, "", ""},
		{"@timestamp", ecs.Date, 0, "", ""},
		{"url.full", ecs.Keyword, 0, "", ""},
		{"lamina.grant.scope", ecs.Keyword, 1024, "", ""},
		{"event.acton", ecs.Unmapped, 0, "", ""},
		{"", ecs.Unmapped, 0, "", ""},
		{"aws.cloudtrail.flattened.request_parameters", ecs.Flattened, 0, "", ""},
		{
			"aws.cloudtrail.flattened.request_parameters.ipPermissions.items.fromPort", ecs.Flattened, 0,
			"aws.cloudtrail.flattened.request_parameters", "ipPermissions.items.fromPort",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := ecs.Lookup(tt.name)
			if f.Name != tt.name || f.Type != tt.typ || f.IgnoreAbove != tt.limit || f.Key != tt.key {
				t.Errorf("got %+v", f)
			}
			if (f.Root == nil) != (tt.root == "") || f.Root != nil && f.Root.Name != tt.root {
				t.Errorf("root = %v, want %q", f.Root, tt.root)
			}
			if mapped := f.ID >= 0; mapped != (tt.typ != ecs.Unmapped && tt.root == "") {
				t.Errorf("id = %d", f.ID)
			}
			if f.ID >= 0 && ecs.Lookup(tt.name) != f {
				t.Error("two fields for one name")
			}
		})
	}
}

func TestSchema_is_dense_sorted_and_documented(t *testing.T) {
	t.Parallel()
	n, last := 0, ""
	for f := range ecs.All() {
		if f.ID != n {
			t.Errorf("%s: id %d, want %d", f.Name, f.ID, n)
		}
		if f.Name <= last {
			t.Errorf("%s after %s", f.Name, last)
		}
		if f.Doc == "" || strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: doc %q", f.Name, f.Doc)
		}
		if (f.Type == ecs.ConstantKeyword) != (f.Const != "") {
			t.Errorf("%s: constant %q", f.Name, f.Const)
		}
		if f.Type == ecs.Object && len(f.Below()) == 0 {
			t.Errorf("%s: nothing below it", f.Name)
		}
		n, last = n+1, f.Name
	}
	if n != ecs.Len() {
		t.Errorf("Len = %d, All yields %d", ecs.Len(), n)
	}
	if !slices.Contains(ecs.Lookup("source.geo").Below(), ecs.Lookup("source.geo.city_name")) {
		t.Error("source.geo does not know source.geo.city_name")
	}
	if got := ecs.Lookup("user.name.text").Twin(); got != ecs.Lookup("user.name") {
		t.Errorf("twin of user.name.text = %v", got)
	}
	if got := ecs.Lookup("message").Twin(); got != nil {
		t.Errorf("twin of message = %v", got)
	}
}

func TestIndexed_counts_UTF_16_units(t *testing.T) {
	t.Parallel()
	f := ecs.Lookup("event.action")
	tests := []struct {
		name  string
		value string
		want  bool
	}{
		{"at the limit", strings.Repeat("a", 1024), true},
		{"above it", strings.Repeat("a", 1025), false},
		{"two bytes a unit", strings.Repeat("é", 1024), true},
		{"two units a rune", strings.Repeat("😀", 512), true},
		{"two units a rune, above", strings.Repeat("😀", 512) + "a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := f.Indexed(tt.value); got != tt.want {
				t.Errorf("Indexed = %v", got)
			}
		})
	}
	if !ecs.Lookup("url.full").Indexed(strings.Repeat("a", 40_000)) {
		t.Error("a field without a limit loses a value")
	}
}

// Every field that a rule of ours or Elastic's names must be typed, so the
// names that CloudTrail rules use are held here.
func TestSchema_knows_what_rules_name(t *testing.T) {
	t.Parallel()
	names := strings.FieldsSeq(`@timestamp aws.cloudtrail.console_login.additional_eventdata.mfa_used
		aws.cloudtrail.error_code aws.cloudtrail.event_category aws.cloudtrail.recipient_account_id
		aws.cloudtrail.request_parameters aws.cloudtrail.resources.arn aws.cloudtrail.resources.account_id
		aws.cloudtrail.response_elements aws.cloudtrail.session_credential_from_console
		aws.cloudtrail.user_identity.access_key_id aws.cloudtrail.user_identity.arn
		aws.cloudtrail.user_identity.invoked_by aws.cloudtrail.user_identity.session_context.session_issuer.arn
		aws.cloudtrail.user_identity.type cloud.account.id cloud.region data_stream.dataset data_stream.namespace
		entity.target.id event.action event.dataset event.ingested event.kind event.outcome event.provider
		kibana.alert.risk_score kibana.alert.rule.name kibana.alert.rule.rule_id kibana.alert.rule.type
		kibana.alert.rule.tags kibana.alert.severity kibana.alert.workflow_status related.entity source.address
		source.as.number source.as.organization.name source.geo source.geo.city_name source.geo.country_iso_code
		source.geo.country_name source.ip tls.client.server_name user.changes.name user.entity.id user.id user.name
		user.target.name user_agent.name user_agent.original destination.ip host.ip host.os.type process.name
		process.pid network.direction dns.question.name file.path`)
	for n := range names {
		if ecs.Lookup(n).Type == ecs.Unmapped {
			t.Errorf("%s is not mapped", n)
		}
	}
}

// A rule may hold a name of half a million dots; finding out that nothing maps
// it takes no longer than reading it.
func TestLookup_of_a_name_of_dots_only(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("a.", 500_000) + "b"
	if f := ecs.Lookup(name); f.Type != ecs.Unmapped || f.ID != -1 {
		t.Errorf("field %+v, want an unmapped one", f)
	}
	name = "aws.cloudtrail.flattened.request_parameters" + strings.Repeat(".a", 500_000)
	if f := ecs.Lookup(name); f.Type != ecs.Flattened || len(f.Key) != 999_999 {
		t.Errorf("type %v, key of %d bytes, want a key of a flattened field", f.Type, len(f.Key))
	}
}
