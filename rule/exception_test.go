package rule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// item is an exception item on the rule of head with these entries.
func item(entries string) string {
	return `{"list_id":"11111111-2222-4333-8444-555555555555","item_id":"i","name":"n","type":"simple","namespace_type":"single","entries":[` + entries + `]}`
}

func TestExceptions(t *testing.T) {
	ev := doc{
		"event.action":                     {"AddLayerVersionPermission20181031"},
		"aws.cloudtrail.user_identity.arn": {"arn:aws:iam::111122223333:role/publisher"},
		"source.ip":                        {"192.0.2.7"},
		"aws.cloudtrail.read_only":         {"false"},
		"lamina.grant.risk_score":          {"73"},
		"related.user":                     {"alice", "bob"},
		"aws.cloudtrail.flattened.request_parameters.layerName": {"shared-utils"},
		"aws.cloudtrail.request_parameters":                     {"{layerName=shared-utils}"},
	}
	lists := map[string][]string{"known": {"alice", "carol"}, "networks": {"198.51.100.0/24", "192.0.2.1-192.0.2.9"}}
	for _, tc := range []struct {
		name, entries string
		want          bool
	}{
		{"match", `{"field":"aws.cloudtrail.user_identity.arn","type":"match","operator":"included","value":"arn:aws:iam::111122223333:role/publisher"}`, true},
		{"match_is_case_sensitive", `{"field":"related.user","type":"match","operator":"included","value":"Alice"}`, false},
		{"match_other", `{"field":"event.action","type":"match","operator":"included","value":"AddLayerVersionPermission"}`, false},
		{"match_any_of_many", `{"field":"related.user","type":"match","operator":"included","value":"bob"}`, true},
		{"match_missing_field", `{"field":"user.name","type":"match","operator":"included","value":"bob"}`, false},
		{"is_not", `{"field":"related.user","type":"match","operator":"excluded","value":"carol"}`, true},
		{"is_not_missing_field", `{"field":"user.name","type":"match","operator":"excluded","value":"bob"}`, true},
		{"match_any", `{"field":"related.user","type":"match_any","operator":"included","value":["x","alice"]}`, true},
		{"match_any_excluded", `{"field":"related.user","type":"match_any","operator":"excluded","value":["x","alice"]}`, false},
		{"wildcard_star", `{"field":"event.action","type":"wildcard","operator":"included","value":"AddLayer*"}`, true},
		{"wildcard_question_mark", `{"field":"related.user","type":"wildcard","operator":"included","value":"b?b"}`, true},
		{"wildcard_whole_value", `{"field":"event.action","type":"wildcard","operator":"included","value":"Layer*"}`, false},
		{"exists", `{"field":"source.ip","type":"exists","operator":"included"}`, true},
		{"exists_object", `{"field":"aws.cloudtrail.user_identity","type":"exists","operator":"included"}`, true},
		{"does_not_exist", `{"field":"user.name","type":"exists","operator":"excluded"}`, true},
		{"ip", `{"field":"source.ip","type":"match","operator":"included","value":"192.0.2.7"}`, true},
		{"ip_block", `{"field":"source.ip","type":"match","operator":"included","value":"192.0.2.0/24"}`, true},
		{"number", `{"field":"lamina.grant.risk_score","type":"match","operator":"included","value":73}`, true},
		{"boolean", `{"field":"aws.cloudtrail.read_only","type":"match","operator":"included","value":"false"}`, true},
		{"flattened", `{"field":"aws.cloudtrail.flattened.request_parameters.layerName","type":"match","operator":"included","value":"shared-utils"}`, true},
		{"text_phrase", `{"field":"aws.cloudtrail.request_parameters.text","type":"match","operator":"included","value":"Shared UTILS"}`, false},
		{"unmapped", `{"field":"no.such.field","type":"exists","operator":"included"}`, false},
		{"unmapped_excluded", `{"field":"no.such.field","type":"match","operator":"excluded","value":"x"}`, true},
		{"list", `{"field":"related.user","type":"list","operator":"included","list":{"id":"known","type":"keyword"}}`, true},
		{"list_of_networks", `{"field":"source.ip","type":"list","operator":"included","list":{"id":"networks","type":"ip_range"}}`, true},
		{"nested", `{"field":"aws.cloudtrail","type":"nested","entries":[{"field":"user_identity.arn","type":"wildcard","operator":"included","value":"*publisher"},{"field":"read_only","type":"match","operator":"included","value":"false"}]}`, true},
		{"entries_are_anded", `{"field":"related.user","type":"match","operator":"included","value":"bob"},{"field":"related.user","type":"match","operator":"included","value":"carol"}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, err := ParseExceptions("x.ndjson", []byte(item(tc.entries)))
			if err != nil {
				t.Fatal(err)
			}
			p, err := parse(t, with(`query = "event.action: *"`)).Compile(CompileOptions{Exceptions: x, ValueLists: lists})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Exceptions.Match(ev); got != tc.want {
				t.Errorf("got %t, want %t: %+v", got, tc.want, p.Exceptions.Explain(ev))
			}
		})
	}
}

// Items are or-ed; only those of the rule's lists, or that name the rule, and
// that have not expired, apply.
func TestExceptionsThatApply(t *testing.T) {
	r := parse(t, with("query = \"event.action: *\"\nexceptions_list = [{ id = \"x\", list_id = \"layers\", type = \"detection\", namespace_type = \"single\" }]"))
	lines := []string{
		`{"list_id":"layers","name":"Layers","type":"detection","namespace_type":"single"}`,
		`{"list_id":"layers","item_id":"a","entries":[{"field":"user.name","type":"match","operator":"included","value":"a"}]}`,
		`{"list_id":"other","item_id":"b","entries":[{"field":"user.name","type":"match","operator":"included","value":"b"}]}`,
		`{"list_id":"layers","item_id":"c","expire_time":"2026-01-01T00:00:00Z","entries":[{"field":"user.name","type":"match","operator":"included","value":"c"}]}`,
		strings.Replace(item(`{"field":"user.name","type":"match","operator":"included","value":"d"}`), `"i"`, `"d"`, 1),
	}
	x, err := ParseExceptions("x.ndjson", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time]string{
		{}:              "acd",
		time.Unix(0, 0): "acd",
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC): "ad",
	} {
		var items strings.Builder
		for _, i := range x.For(r, now) {
			items.WriteString(i.ItemID)
		}
		if got := items.String(); got != want {
			t.Errorf("at %v: got items %s, want %s", now, got, want)
		}
	}
	p, err := r.Compile(CompileOptions{Exceptions: x})
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true, "e": false} {
		if got := p.Exceptions.Match(doc{"user.name": {user}}); got != want {
			t.Errorf("user %s: got %t, want %t", user, got, want)
		}
	}
}

func TestExceptionErrors(t *testing.T) {
	for _, tc := range []struct{ name, line, want string }{
		{"no_json", `{"list_id":`, "x.ndjson:1:12: not JSON: the text ends in the middle of a value"},
		{"not_an_object", `[1]`, "x.ndjson:1:1: a line of an export must be an object, not a list"},
		{"key_twice", `{"list_id":"a","list_id":"b"}`, `x.ndjson:1:16: the key "list_id" is there twice`},
		{"entry_type", item(`{"field":"a","type":"matches","value":"x"}`), "x.ndjson:1:149: unknown entry type \"matches\"\nhint: did you mean \"match\"?"},
		{"no_entries", item(``), "x.ndjson:1:1: the exception has no entries: it would apply to nothing"},
		{"a_rule", `{"rule_id":"r","name":"n","description":"d","severity":"low","risk_score":1,"type":"query","query":"a: b"}`, "x.ndjson:1:1: this line is a rule, not an exception\nhint: give rules with --rules or as arguments"},
		{"unknown", `{"x":1}`, "x.ndjson:1:1: this line is neither an exception list nor an exception item"},
		{"deep", item(strings.Repeat("[", 200) + strings.Repeat("]", 200)), "x.ndjson:1:228: values nest more than 100 deep"},
		{"expiry", strings.Replace(item(`{"field":"a","type":"exists"}`), `"name"`, `"expire_time":"soon","name"`, 1), "x.ndjson:1:79: expire_time \"soon\" is not a time such as 2027-02-01T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseExceptions("x.ndjson", []byte(tc.line))
			if d := cmp.Diff(tc.want, render(err)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	x, err := ParseExceptions("x.ndjson", []byte(item(`{"field":"source.ip","type":"match","value":"here"},{"field":"a.b","type":"exists"},{"field":"user.name","type":"list","list":{"id":"gone","type":"keyword"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parse(t, with(`query = "event.action: *"`)).Compile(CompileOptions{Exceptions: x})
	want := "x.ndjson:1:129: source.ip: \"here\" is not an address\nx.ndjson:1:213: the value list \"gone\" is not at hand"
	if d := cmp.Diff(want, render(err)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestOverrides(t *testing.T) {
	r := parse(t, with(`query = "event.action: *"
rule_name_override = "event.action"
severity_mapping = [
  { field = "lamina.grant.scope", operator = "equals", value = "public", severity = "critical" },
  { field = "event.outcome", operator = "equals", value = "failure", severity = "low" },
  { field = "related.user", operator = "equals", value = "bob", severity = "high" },
]
risk_score_mapping = [{ field = "lamina.grant.risk_score", operator = "equals", value = "" }]`))
	for _, tc := range []struct {
		ev       doc
		severity string
		risk     int
		name     string
	}{
		{doc{}, "medium", 47, "Layer shared"},
		{doc{"lamina.grant.scope": {"public"}, "event.outcome": {"failure"}}, "critical", 47, "Layer shared"},
		{doc{"event.outcome": {"failure"}}, "low", 47, "Layer shared"},
		{doc{"related.user": {"alice", "bob"}, "event.outcome": {"failure"}}, "high", 47, "Layer shared"},
		{doc{"lamina.grant.risk_score": {"12", "99", "101", "-1", "x"}, "event.action": {"Do", "Re"}}, "medium", 99, "Do"},
		{doc{"lamina.grant.risk_score": {"101"}}, "medium", 47, "Layer shared"},
	} {
		if s, n, name := r.SeverityOf(tc.ev), r.RiskScoreOf(tc.ev), r.NameOf(tc.ev); s != tc.severity || n != tc.risk || name != tc.name {
			t.Errorf("%v: got %s %d %s, want %s %d %s", tc.ev, s, n, name, tc.severity, tc.risk, tc.name)
		}
	}
}
