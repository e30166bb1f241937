package enrich_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// record is an Event of a raw record: what enrichment asks of one, no more.
type record []byte

func (r record) Values(f *ecs.Field) []string {
	var top struct {
		EventSource, EventName string
	}
	if json.Unmarshal(r, &top) != nil {
		return nil
	}
	switch {
	case f.Name == "event.provider" && top.EventSource != "":
		return []string{top.EventSource}
	case f.Name == "event.action" && top.EventName != "":
		return []string{top.EventName}
	}
	return nil
}
func (r record) Exists(f *ecs.Field) bool { return len(r.Values(f)) > 0 }
func (r record) Raw() []byte              { return r }

const account = "111122223333"

// event writes a record after the API model; request and response are JSON, or
// "" for null.
func event(id, provider, name string, minute int, request, response string) record {
	orNull := func(s string) json.RawMessage {
		if s == "" {
			return json.RawMessage("null")
		}
		return json.RawMessage(s)
	}
	b, err := json.Marshal(map[string]any{
		"eventID": id, "eventName": name, "eventSource": provider + ".amazonaws.com", "awsRegion": "eu-west-1",
		"recipientAccountId": account, "eventTime": time.Date(2026, 3, 1, 9, minute, 0, 0, time.UTC).Format(time.RFC3339),
		"userIdentity":      map[string]string{"arn": "arn:aws:iam::111122223333:user/alice", "accountId": account},
		"requestParameters": orNull(request), "responseElements": orNull(response),
	})
	if err != nil {
		panic(err)
	}
	return b
}

// fields are all derived fields that ev has, but for the API name.
func fields(e *enrich.Enricher, ev ecs.Event) map[string]string {
	out := map[string]string{}
	for f := range ecs.All() {
		if f.Source == "lamina" && f.Name != "lamina.api.name" {
			if v := e.Values(ev, f); v != nil {
				out[strings.TrimPrefix(f.Name, "lamina.")] = strings.Join(v, " ")
			}
		}
	}
	return out
}

func builtin(t *testing.T) *publishers.Registry {
	t.Helper()
	r, err := publishers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGrant(t *testing.T) {
	const api = "AddLayerVersionPermission20181031"
	told := enrich.Config{OrgID: "o-exampleorgid", Accounts: []string{account, "444455556666"}, Publishers: builtin(t)}
	untold := enrich.Config{Publishers: builtin(t)}
	grant := func(principal, more string) string {
		return `{"layerName":"utils","versionNumber":3,"statementId":"s","action":"lambda:GetLayerVersion","principal":"` + principal + `"` + more + `}`
	}
	const refused = "the API refuses a principal of this form: it takes 12 digits, * or arn:PARTITION:iam::ACCOUNT:root"
	tests := []struct {
		name, request    string
		told, untold     lamina.GrantScope
		account, publish string
		note             string
	}{
		{"public", grant("*", ""), lamina.ScopePublic, lamina.ScopePublic, "", "", ""},
		{"own_organisation", grant("*", `,"organizationId":"o-exampleorgid"`), lamina.ScopeOwnOrganization, lamina.ScopeUndetermined, "", "", ""},
		{"foreign_organisation", grant("*", `,"organizationId":"o-anotherorgid"`), lamina.ScopeForeignOrganization, lamina.ScopeUndetermined, "", "", ""},
		{"no_organisation_has_this_id", grant("*", `,"organizationId":"o-x"`), lamina.ScopeForeignOrganization, lamina.ScopeUndetermined, "", "", "no organisation has an id of this form: it is o- and 10 to 32 letters or digits"},
		{"own_account", grant(account, ""), lamina.ScopeOwnAccount, lamina.ScopeOwnAccount, account, "", ""},
		{"organisation_account", grant("444455556666", ""), lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined, "444455556666", "", ""},
		{"root_of_an_account", grant("arn:aws-us-gov:iam::444455556666:root", ""), lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined, "444455556666", "", ""},
		{"role", grant("arn:aws:iam::444455556666:role/x", ""), lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined, "444455556666", "", refused},
		{"session", grant("arn:aws:sts::444455556666:assumed-role/x/y", ""), lamina.ScopeOrganizationAccount, lamina.ScopeUndetermined, "444455556666", "", refused},
		{"vendor", grant("464622532012", ""), lamina.ScopeVendorAccount, lamina.ScopeVendorAccount, "464622532012", "Datadog", ""},
		{"unknown_account", grant("999999999999", ""), lamina.ScopeUnknownAccount, lamina.ScopeUndetermined, "999999999999", "", ""},
		{"organisation_beside_an_account", grant("999999999999", `,"organizationId":"o-exampleorgid"`), lamina.ScopeUnknownAccount, lamina.ScopeUndetermined, "999999999999", "", "the API takes an organisation id only beside the principal *"},
		{"service", grant("lambda.amazonaws.com", ""), lamina.ScopeUndetermined, lamina.ScopeUndetermined, "", "", "the API refuses a principal of this form, which names no account"},
		{"hidden", "", lamina.ScopeUnknownPrincipal, lamina.ScopeUnknownPrincipal, "", "", "the record hides the request parameters, as records of refused calls do"},
		{"without_principal", `{"layerName":"utils"}`, lamina.ScopeUnknownPrincipal, lamina.ScopeUnknownPrincipal, "", "", "the record names no principal"},
		{"last_of_repeated_members_counts", `{"layerName":"utils","versionNumber":3,"principal":"444455556666","principal":"*"}`, lamina.ScopePublic, lamina.ScopePublic, "", "", ""},
		{"members_are_matched_exactly", `{"layerName":"utils","versionNumber":3,"principal":"*","Principal":"444455556666","OrganizationId":"o-exampleorgid"}`, lamina.ScopePublic, lamina.ScopePublic, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := event("1", "lambda", api, 1, tt.request, "")
			got := fields(enrich.New(told), ev)
			if got["grant.scope"] != string(tt.told) || got["grant.account"] != tt.account || got["grant.publisher"] != tt.publish || got["grant.note"] != tt.note {
				t.Errorf("told: %v", got)
			}
			if got := fields(enrich.New(untold), ev)["grant.scope"]; got != string(tt.untold) {
				t.Errorf("untold: %s, want %s", got, tt.untold)
			}
		})
	}
}

func TestGrant_names_the_layer(t *testing.T) {
	e := enrich.New(enrich.Config{})
	got := fields(e, event("1", "lambda", "AddLayerVersionPermission20181031", 1,
		`{"layerName":"arn:aws-cn:lambda:cn-north-1:444455556666:layer:utils","versionNumber":3,"statementId":"s","principal":"444455556666"}`, ""))
	want := map[string]string{
		"layer.arn": "arn:aws-cn:lambda:cn-north-1:444455556666:layer:utils:3", "layer.name": "utils", "layer.version": "3", "layer.account": "444455556666",
		"grant.statement_id": "s", "grant.principal": "444455556666", "grant.account": "444455556666",
		"grant.scope": "own_account", "grant.risk_score": "1", // the owner is the account of the layer, not of the trail
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// The five records of a third party's tests: one owner, one caller in another
// account.
func TestGrant_shared_records(t *testing.T) {
	var recs []record
	for _, ev := range shared(t, "lambda_layers.ndjson") {
		if strings.Contains(string(ev), "AddLayerVersionPermission") {
			recs = append(recs, ev)
		}
	}
	if len(recs) != 5 {
		t.Fatalf("%d records, want 5", len(recs))
	}
	var top struct {
		RecipientAccountID string
		UserIdentity       struct{ AccountID string }
	}
	if err := json.Unmarshal(recs[0], &top); err != nil {
		t.Fatal(err)
	}
	accounts := []string{top.RecipientAccountID, top.UserIdentity.AccountID}
	tests := []struct {
		name string
		cfg  enrich.Config
		want []string
	}{
		{"without_options", enrich.Config{Publishers: builtin(t)}, []string{"undetermined", "undetermined", "undetermined", "public", "undetermined"}},
		{"own_organisation", enrich.Config{OrgID: "o-exampleorgid", Accounts: accounts, Publishers: builtin(t)}, []string{"organization_account", "own_organization", "unknown_account", "public", "organization_account"}},
		{"another_organisation", enrich.Config{OrgID: "o-anotherorgid", Accounts: accounts, Publishers: builtin(t)}, []string{"organization_account", "foreign_organization", "unknown_account", "public", "organization_account"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := enrich.New(tt.cfg)
			var got []string
			for _, r := range recs {
				got = append(got, fields(e, r)["grant.scope"])
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if note := fields(e, recs[4])["grant.note"]; !strings.Contains(note, "refuses a principal of this form") {
				t.Errorf("record 5: note %q", note)
			}
		})
	}
}

// shared reads a set of records of the shared data.
func shared(t *testing.T, name string) []record {
	t.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		t.Skip("LAMINA_TESTDATA is not set: the records of others are not read")
	}
	f, err := os.Open(filepath.Join(dir, "cloudtrail", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	var out []record
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var line struct{ Event json.RawMessage }
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		out = append(out, record(line.Event))
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

const (
	fn     = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	own    = "arn:aws:lambda:eu-west-1:111122223333:layer:a:"
	own2   = "arn:aws:lambda:eu-west-1:111122223333:layer:b:"
	org    = "arn:aws:lambda:eu-west-1:444455556666:layer:shared:"
	dog    = "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:"
	fake   = "arn:aws:lambda:eu-west-1:464622532012:layer:datadog-extension:"
	nobody = "arn:aws:lambda:eu-west-1:999999999999:layer:x:"
	gone   = "arn:aws:lambda:eu-west-1:066549572091:layer:epsagon-node-layer:"
	aws    = "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:"
)

// update is UpdateFunctionConfiguration with a list of layers, or without one
// when layers is nil; result is the list of the answer.
func update(id string, minute int, layers, result []string) record {
	list := func(ls []string) string {
		b, err := json.Marshal(ls)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	req := `{"functionName":"orders","timeout":5}`
	if layers != nil {
		req = `{"functionName":"orders","layers":` + list(layers) + `}`
	}
	var items []string
	for _, l := range result {
		items = append(items, fmt.Sprintf(`{"arn":%q}`, l))
	}
	res := `{"functionArn":"` + fn + `"}`
	if len(items) > 0 {
		res = `{"functionArn":"` + fn + `","layers":[` + strings.Join(items, ",") + `]}`
	}
	return event(id, "lambda", "UpdateFunctionConfiguration20150331v2", minute, req, res)
}

func TestLayers(t *testing.T) {
	cfg := enrich.Config{Accounts: []string{account, "444455556666"}, Publishers: builtin(t)}
	tests := []struct {
		name   string
		before []string // nil: nothing is known
		known  bool
		now    []string // nil: not named
		want   map[string]string
	}{
		{"first_seen", nil, false, []string{own + "1", dog + "2"}, map[string]string{
			"layers.named": "true", "layers.current": own + "1 " + dog + "2", "layers.previous_known": "false",
			"layers.added":         own + "1 " + dog + "2",
			"layers.owner.account": account + " 464622532012", "layers.owner.scope": "own_account vendor",
			"layers.owner.publisher": "Datadog", "layers.owner.status": "active", "layers.trust": "trusted", "layers.risk_score": "21",
		}},
		{"added", []string{own + "1"}, true, []string{own + "1", org + "7"}, map[string]string{
			"layers.named": "true", "layers.current": own + "1 " + org + "7", "layers.previous_known": "true", "layers.previous": own + "1",
			"layers.added": org + "7", "layers.reordered": "false",
			"layers.owner.account": "444455556666", "layers.owner.scope": "organization_account", "layers.trust": "trusted", "layers.risk_score": "21",
		}},
		{"added_to_a_function_without_layers", []string{}, true, []string{aws + "38"}, map[string]string{
			"layers.named": "true", "layers.current": aws + "38", "layers.previous_known": "true",
			"layers.added": aws + "38", "layers.reordered": "false",
			"layers.owner.account": "580247275435", "layers.owner.scope": "aws", "layers.owner.publisher": "Amazon CloudWatch Lambda Insights", "layers.owner.status": "active", "layers.trust": "trusted", "layers.risk_score": "21",
		}},
		{"removed", []string{own + "1", dog + "2"}, true, []string{own + "1"}, map[string]string{
			"layers.named": "true", "layers.current": own + "1", "layers.previous_known": "true", "layers.previous": own + "1 " + dog + "2",
			"layers.removed": dog + "2", "layers.removed_publisher": "Datadog", "layers.reordered": "false",
		}},
		{"emptied", []string{own + "1"}, true, []string{}, map[string]string{
			"layers.named": "true", "layers.previous_known": "true", "layers.previous": own + "1",
			"layers.removed": own + "1", "layers.reordered": "false",
		}},
		{"emptied_without_history", nil, false, []string{}, map[string]string{
			"layers.named": "true", "layers.previous_known": "false",
		}},
		{"another_version", []string{own + "1", own2 + "1"}, true, []string{own + "2", own2 + "1"}, map[string]string{
			"layers.named": "true", "layers.current": own + "2 " + own2 + "1", "layers.previous_known": "true", "layers.previous": own + "1 " + own2 + "1",
			"layers.version_changed": own + "2", "layers.reordered": "false",
			"layers.owner.account": account, "layers.owner.scope": "own_account", "layers.trust": "trusted", "layers.risk_score": "21",
		}},
		{"reordered", []string{own + "1", own2 + "1"}, true, []string{own2 + "1", own + "1"}, map[string]string{
			"layers.named": "true", "layers.current": own2 + "1 " + own + "1", "layers.previous_known": "true", "layers.previous": own + "1 " + own2 + "1",
			"layers.reordered": "true",
		}},
		{"the_same_again", []string{own + "1"}, true, []string{own + "1"}, map[string]string{
			"layers.named": "true", "layers.current": own + "1", "layers.previous_known": "true", "layers.previous": own + "1",
			"layers.reordered": "false",
		}},
		{"not_named", []string{own + "1"}, true, nil, map[string]string{
			"layers.named": "false", "layers.current": own + "1",
		}},
		{"look_alike_name", []string{}, true, []string{fake + "1"}, map[string]string{
			"layers.named": "true", "layers.current": fake + "1", "layers.previous_known": "true", "layers.added": fake + "1", "layers.reordered": "false",
			"layers.owner.account": "464622532012", "layers.owner.scope": "unexpected_name", "layers.owner.publisher": "Datadog", "layers.owner.status": "active", "layers.trust": "suspect", "layers.risk_score": "73",
		}},
		{"worst_owner_counts", []string{}, true, []string{gone + "1", nobody + "1", own + "1"}, map[string]string{
			"layers.named": "true", "layers.current": gone + "1 " + nobody + "1 " + own + "1", "layers.previous_known": "true", "layers.added": gone + "1 " + nobody + "1 " + own + "1", "layers.reordered": "false",
			"layers.owner.account": "066549572091 999999999999 " + account, "layers.owner.scope": "vendor unverified own_account", "layers.owner.publisher": "Epsagon", "layers.owner.status": "defunct", "layers.trust": "suspect", "layers.risk_score": "73",
		}},
		{"legacy_layer_of_aws", []string{}, true, []string{"arn:aws:lambda:::awslayer:AmazonLinux1803"}, map[string]string{
			"layers.named": "true", "layers.current": "arn:aws:lambda:::awslayer:AmazonLinux1803", "layers.previous_known": "true", "layers.added": "arn:aws:lambda:::awslayer:AmazonLinux1803", "layers.reordered": "false",
			"layers.owner.scope": "aws", "layers.trust": "trusted", "layers.risk_score": "21",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := enrich.New(cfg)
			if tt.known {
				first := update("0", 0, nil, tt.before)
				e.Observe(first)
				if got := fields(e, first)["layers.added"]; got != "" {
					t.Errorf("a call that names no layers added %s", got)
				}
			}
			result := tt.now
			if result == nil {
				result = tt.before
			}
			ev := update("1", 1, tt.now, result)
			e.Observe(ev)
			got := fields(e, ev)
			for k := range got {
				if strings.HasPrefix(k, "function.") {
					delete(got, k)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			e.Observe(ev) // delivered again
			again := fields(e, ev)
			for k, v := range tt.want {
				if again[k] != v {
					t.Errorf("delivered again: %s = %q, want %q", k, again[k], v)
				}
			}
		})
	}
}

func TestLayers_of_a_new_function(t *testing.T) {
	e := enrich.New(enrich.Config{Accounts: []string{account}, Publishers: builtin(t)})
	ev := event("1", "lambda", "CreateFunction20150331", 1, `{"functionName":"orders","layers":["`+nobody+`1"]}`, `{"functionArn":"`+fn+`","layers":[{"arn":"`+nobody+`1"}]}`)
	e.Observe(ev)
	got := fields(e, ev)
	if got["layers.previous_known"] != "true" || got["layers.added"] != nobody+"1" || got["layers.trust"] != "unverified" {
		t.Errorf("got %v", got)
	}
}

func TestLayers_history_fields_belong_to_the_observed_event(t *testing.T) {
	e := enrich.New(enrich.Config{})
	one, two := update("1", 1, []string{own + "1"}, nil), update("2", 2, []string{own2 + "1"}, nil)
	f := ecs.Lookup("lamina.layers.added")
	if v := e.Values(one, f); v != nil {
		t.Errorf("before Observe: %v", v)
	}
	e.Observe(one)
	if v := e.Values(two, f); v != nil {
		t.Errorf("of an event that was not observed: %v", v)
	}
	e.Observe(two)
	if v := e.Values(one, f); v != nil {
		t.Errorf("of the event before: %v", v)
	}
	if v := e.Values(two, f); len(v) != 1 {
		t.Errorf("of the observed event: %v", v)
	}
	e.Observe(event("3", "lambda", "GetFunction20150331v2", 3, "", ""))
	if v := e.Values(two, f); v != nil {
		t.Errorf("after another call: %v", v)
	}
}

func TestLayers_from_the_snapshot(t *testing.T) {
	taken := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s := estate.New(lamina.Snapshot{Taken: taken, Functions: []lamina.Function{
		{ARN: fn + ":$LATEST", Version: "$LATEST", Layers: []string{own + "1"}},
		{ARN: fn + ":1", Version: "1", Layers: []string{own2 + "1"}},
	}}, nil)
	e := enrich.New(enrich.Config{Estate: s})
	ev := update("1", 1, []string{own2 + "1"}, nil)
	e.Observe(ev)
	got := fields(e, ev)
	if got["layers.removed"] != own+"1" || got["layers.added"] != own2+"1" {
		t.Errorf("got %v", got)
	}
}

func TestStratus_record_adds_its_layer(t *testing.T) {
	n := 0
	for _, ev := range shared(t, "stratus-red-team.ndjson") {
		e := enrich.New(enrich.Config{})
		e.Observe(ev)
		got := fields(e, ev)
		if got["layers.named"] != "true" {
			continue
		}
		n++
		if got["layers.added"] != got["layers.current"] || !strings.HasSuffix(got["layers.added"], ":layer:stratus-red-team-lambda-layer-my-lambda-extension:1") || got["layers.previous_known"] != "false" || got["layers.owner.scope"] != "own_account" {
			t.Errorf("got %v", got)
		}
	}
	if n != 1 {
		t.Errorf("%d calls name layers, want 1", n)
	}
}

func TestCalls(t *testing.T) {
	cfg := enrich.Config{Accounts: []string{account, "444455556666"}, Publishers: builtin(t)}
	tests := []struct {
		name, provider, api, request, response string
		want                                   map[string]string
	}{
		{"function_deleted", "lambda", "DeleteFunction20150331", `{"functionName":"orders"}`, "", map[string]string{"function.arn": fn, "function.name": "orders", "function.account": account, "function.deletion": "function"}},
		{"version_deleted", "lambda", "DeleteFunction20150331", `{"functionName":"orders","qualifier":"7"}`, "", map[string]string{"function.arn": fn, "function.name": "orders", "function.account": account, "function.qualifier": "7", "function.deletion": "version"}},
		{"version_deleted_by_arn", "lambda", "DeleteFunction20150331", `{"functionName":"` + fn + `:7"}`, "", map[string]string{"function.arn": fn, "function.name": "orders", "function.account": account, "function.qualifier": "7", "function.deletion": "version"}},
		{"deletion_denied", "lambda", "DeleteFunction20150331", "", "", map[string]string{}},
		{"cloudfront_has_functions_too", "cloudfront", "DeleteFunction2020_05_31", `{"functionName":"orders"}`, "", map[string]string{}},
		{"layer_published", "lambda", "PublishLayerVersion20181031", `{"layerName":"utils"}`, `{"layerVersionArn":"` + own + `4","version":4}`, map[string]string{"layer.arn": own + "4", "layer.name": "a", "layer.version": "4", "layer.account": account}},
		{"source_in_the_own_account", "lambda", "CreateEventSourceMapping20150331", `{"functionName":"orders","eventSourceArn":"arn:aws:sqs:eu-west-1:111122223333:q"}`, `{"uUID":"u","functionArn":"` + fn + `"}`, map[string]string{
			"event_source.risk_score": "21",
			"function.arn":            fn, "function.name": "orders", "function.account": account, "event_source.uuid": "u", "event_source.function": fn, "event_source.self_managed": "false",
			"event_source.arn": "arn:aws:sqs:eu-west-1:111122223333:q", "event_source.service": "sqs", "event_source.account": account, "event_source.region": "eu-west-1", "event_source.scope": "own_account",
		}},
		{"source_of_a_stranger", "lambda", "CreateEventSourceMapping20150331", `{"functionName":"orders","eventSourceArn":"arn:aws:kinesis:us-east-1:999999999999:stream/s","destinationConfig":{"onFailure":{"destination":"arn:aws:sqs:eu-west-1:999999999999:dead"}}}`, "", map[string]string{
			"event_source.risk_score": "73",
			"function.arn":            fn, "function.name": "orders", "function.account": account, "event_source.function": fn, "event_source.self_managed": "false",
			"event_source.arn": "arn:aws:kinesis:us-east-1:999999999999:stream/s", "event_source.service": "kinesis", "event_source.account": "999999999999", "event_source.region": "us-east-1", "event_source.scope": "unknown_account",
			"event_source.on_failure.arn": "arn:aws:sqs:eu-west-1:999999999999:dead", "event_source.on_failure.account": "999999999999", "event_source.on_failure.scope": "unknown_account",
		}},
		{"source_outside_aws", "lambda", "CreateEventSourceMapping20150331", `{"functionName":"orders","selfManagedEventSource":{"endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["kafka.example:9092","kafka2.example:9092"]}},"destinationConfig":{"onFailure":{"destination":"arn:aws:s3:::bucket"}}}`, "", map[string]string{
			"event_source.risk_score": "47",
			"function.arn":            fn, "function.name": "orders", "function.account": account, "event_source.function": fn, "event_source.self_managed": "true",
			"event_source.service": "self_managed_kafka", "event_source.endpoint": "kafka.example:9092 kafka2.example:9092",
			"event_source.on_failure.arn": "arn:aws:s3:::bucket", "event_source.on_failure.scope": "undetermined",
		}},
		{"source_creation_denied", "lambda", "CreateEventSourceMapping20150331", "", "", map[string]string{}},
		{"target_changed_without_history", "lambda", "UpdateEventSourceMapping20150331", `{"uUID":"u","functionName":"orders"}`, `{"uUID":"u","functionArn":"` + fn + `","eventSourceArn":"arn:aws:sqs:eu-west-1:444455556666:q"}`, map[string]string{
			"event_source.risk_score": "21",
			"function.arn":            fn, "function.name": "orders", "function.account": account, "event_source.uuid": "u", "event_source.function": fn, "event_source.repointed": "true",
			"event_source.arn": "arn:aws:sqs:eu-west-1:444455556666:q", "event_source.service": "sqs", "event_source.account": "444455556666", "event_source.region": "eu-west-1", "event_source.scope": "organization_account",
		}},
		{"mapping_paused", "lambda", "UpdateEventSourceMapping20150331", `{"uUID":"u","enabled":false}`, `{"uUID":"u","functionArn":"` + fn + `"}`, map[string]string{"function.arn": fn, "function.name": "orders", "function.account": account, "event_source.uuid": "u"}},
		{"signing_detached", "lambda", "DeleteFunctionCodeSigningConfig20200630", `{"functionName":"orders"}`, "", map[string]string{"code_signing.risk_score": "73", "function.arn": fn, "function.name": "orders", "function.account": account, "code_signing.change": "detached"}},
		{"signing_attached", "lambda", "PutFunctionCodeSigningConfig", `{"functionName":"orders","codeSigningConfigArn":"arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"}`, "", map[string]string{"code_signing.risk_score": "21", "function.arn": fn, "function.name": "orders", "function.account": account, "code_signing.change": "attached", "code_signing.arn": "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"}},
		{"signing_only_warns", "lambda", "UpdateCodeSigningConfig", `{"codeSigningConfigArn":"arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1","codeSigningPolicies":{"untrustedArtifactOnDeployment":"Warn"},"allowedPublishers":{"signingProfileVersionArns":["x"]}}`, "", map[string]string{"code_signing.risk_score": "47", "code_signing.change": "updated warn publishers_changed", "code_signing.policy": "Warn", "code_signing.arn": "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-1"}},
		{"signing_warns_by_default", "lambda", "CreateCodeSigningConfig", `{"allowedPublishers":{"signingProfileVersionArns":["x"]}}`, "", map[string]string{"code_signing.risk_score": "47", "code_signing.change": "created warn"}},
		{"signing_deleted", "lambda", "DeleteCodeSigningConfig", `{"codeSigningConfigArn":"c"}`, "", map[string]string{"code_signing.risk_score": "21", "code_signing.change": "deleted", "code_signing.arn": "c"}},
		{"guardrail_deleted", "bedrock", "DeleteGuardrail", `{"guardrailIdentifier":"g"}`, "", map[string]string{"guardrail.id": "g", "guardrail.change": "deleted"}},
		{"guardrail_version_deleted", "bedrock", "DeleteGuardrail", `{"guardrailIdentifier":"g","guardrailVersion":"2"}`, "", map[string]string{"guardrail.id": "g", "guardrail.change": "version_deleted"}},
		{"guardrail_updated", "bedrock", "UpdateGuardrail", `{"guardrailIdentifier":"g","name":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "", map[string]string{"guardrail.id": "g", "guardrail.change": "updated"}},
		{"guardrail_denied", "bedrock", "DeleteGuardrail", "", "", map[string]string{}},
		{"guardrail_no_longer_enforced", "bedrock", "DeleteEnforcedGuardrailConfiguration", `{"configId":"c"}`, "", map[string]string{"guardrail.change": "enforcement_removed"}},
		{"reasoning_deleted", "bedrock", "DeleteAutomatedReasoningPolicy", `{"policyArn":"arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p","force":true}`, "", map[string]string{"reasoning_policy.arn": "arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p", "reasoning_policy.change": "deleted"}},
		{"reasoning_version_deleted", "bedrock", "DeleteAutomatedReasoningPolicy", `{"policyArn":"arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p:2"}`, "", map[string]string{"reasoning_policy.arn": "arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p:2", "reasoning_policy.change": "version_deleted"}},
		{"reasoning_annotations", "bedrock", "UpdateAutomatedReasoningPolicyAnnotations", `{"policyArn":"arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p"}`, "", map[string]string{"reasoning_policy.arn": "arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p", "reasoning_policy.change": "annotations_updated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := enrich.New(cfg)
			ev := event("1", tt.provider, tt.api, 1, tt.request, tt.response)
			e.Observe(ev)
			if d := cmp.Diff(tt.want, fields(e, ev)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestRepointed_with_history(t *testing.T) {
	e := enrich.New(enrich.Config{})
	e.Observe(event("1", "lambda", "CreateEventSourceMapping20150331", 1, `{"functionName":"orders","eventSourceArn":"arn:aws:sqs:eu-west-1:111122223333:q"}`, `{"uUID":"u","functionArn":"`+fn+`"}`))
	same := event("2", "lambda", "UpdateEventSourceMapping20150331", 2, `{"uUID":"u","functionName":"orders","batchSize":5}`, "")
	e.Observe(same)
	if got := fields(e, same)["event_source.repointed"]; got != "false" {
		t.Errorf("the same target: repointed = %s", got)
	}
	other := event("3", "lambda", "UpdateEventSourceMapping20150331", 3, `{"uUID":"u","functionName":"thief"}`, "")
	e.Observe(other)
	got := fields(e, other)
	if got["event_source.repointed"] != "true" || got["event_source.previous_function"] != fn {
		t.Errorf("another target: %v", got)
	}
}

func TestValues_api_name(t *testing.T) {
	e := enrich.New(enrich.Config{})
	f := ecs.Lookup("lamina.api.name")
	if got := e.Values(event("1", "lambda", "UpdateFunctionCode20150331v2", 1, "", ""), f); len(got) != 1 || got[0] != "UpdateFunctionCode" {
		t.Errorf("got %v", got)
	}
	if got := e.Values(record(`{}`), f); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestWants(t *testing.T) {
	e := enrich.New(enrich.Config{})
	for action, want := range map[string]bool{
		"UpdateFunctionConfiguration20150331v2": true, "DeleteLayerVersion20181031": true, "AddLayerVersionPermission": true,
		"GetFunction20150331v2": false, "": false,
	} {
		if got := e.Wants("lambda.amazonaws.com", action); got != want {
			t.Errorf("Wants(%s) = %v", action, got)
		}
	}
	if e.Wants("bedrock.amazonaws.com", "CreateFunction") {
		t.Error("wants another provider's calls")
	}
}

// Every field of the table is filled by some call of these tests' kind, and no
// value is filled under a name that the table does not have.
func TestValues_fill_the_table(t *testing.T) {
	e := enrich.New(enrich.Config{Accounts: []string{account}, Publishers: builtin(t)})
	evs := []record{
		update("0", 0, []string{own + "1", own2 + "1", dog + "1"}, nil),
		update("1", 1, []string{dog + "1", own2 + "2", nobody + "1"}, nil),
		update("2", 2, []string{aws + "1"}, nil),
		event("3", "lambda", "AddLayerVersionPermission", 3, `{"layerName":"a","versionNumber":1,"statementId":"s","principal":"464622532012","organizationId":"o-x"}`, ""),
		event("4", "lambda", "CreateEventSourceMapping", 4, `{"functionName":"orders:live","eventSourceArn":"arn:aws:sqs:eu-west-1:999999999999:q","destinationConfig":{"onFailure":{"destination":"arn:aws:sqs:eu-west-1:999999999999:d"}}}`, `{"uUID":"u"}`),
		event("5", "lambda", "UpdateEventSourceMapping", 5, `{"uUID":"u","functionName":"thief"}`, ""),
		event("6", "lambda", "CreateEventSourceMapping", 6, `{"functionName":"orders","selfManagedEventSource":{"endpoints":{"k":["h:1"]}}}`, ""),
		event("7", "lambda", "DeleteFunction", 7, `{"functionName":"orders"}`, ""),
		event("8", "lambda", "UpdateCodeSigningConfig", 8, `{"codeSigningConfigArn":"c","codeSigningPolicies":{"untrustedArtifactOnDeployment":"Warn"}}`, ""),
		event("9", "bedrock", "DeleteGuardrail", 9, `{"guardrailIdentifier":"g"}`, ""),
		event("10", "bedrock", "DeleteAutomatedReasoningPolicy", 10, `{"policyArn":"arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/p"}`, ""),
	}
	filled := map[string]bool{"lamina.api.name": true}
	for _, ev := range evs {
		e.Observe(ev)
		for f := range fields(e, ev) {
			filled["lamina."+f] = true
		}
	}
	for f := range ecs.All() {
		if f.Source == "lamina" && !filled[f.Name] {
			t.Errorf("nothing fills %s", f.Name)
		}
	}
}

// Values may be asked for by several workers at once.
func TestValues_concurrently(t *testing.T) {
	e := enrich.New(enrich.Config{Publishers: builtin(t)})
	f := ecs.Lookup("lamina.grant.scope")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 200 {
				principal, want := "*", "public"
				if i%2 == 1 {
					principal, want = account, "own_account"
				}
				ev := event("1", "lambda", "AddLayerVersionPermission", 1, `{"layerName":"a","versionNumber":1,"principal":"`+principal+`"}`, "")
				if v := e.Values(ev, f); len(v) != 1 || v[0] != want {
					t.Errorf("got %v, want %s", v, want)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzValues(f *testing.F) {
	f.Add([]byte(update("1", 1, []string{own + "1", "x"}, nil)))
	f.Add([]byte(event("1", "lambda", "AddLayerVersionPermission20181031", 1, `{"layerName":"arn:aws:lambda:::awslayer:x","principal":"arn:aws:iam::1:root","organizationId":"o-"}`, `{"statement":"{\"Resource\":\"arn:aws:lambda:eu-west-1:111122223333:layer:a:1\"}"}`)))
	f.Add([]byte(event("1", "lambda", "CreateEventSourceMapping20150331", 1, `{"functionName":"a:b:c","eventSourceArn":"arn:","selfManagedEventSource":{"endpoints":[[[{}]]]}}`, `{"uuid":1}`)))
	f.Add([]byte(event("1", "bedrock", "DeleteAutomatedReasoningPolicy", 1, `{"policyArn":"arn:a:b:c:d:e"}`, "")))
	f.Add([]byte(`{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","requestParameters":{"layers":{}}}`))
	e := enrich.New(enrich.Config{OrgID: "o-exampleorgid", Accounts: []string{account}, Limits: history.Limits{Bytes: 1 << 20}})
	f.Fuzz(func(t *testing.T, data []byte) {
		ev := record(data)
		e.Observe(ev)
		for f := range ecs.All() {
			if f.Source != "lamina" {
				continue
			}
			for _, v := range e.Values(ev, f) {
				if v == "" {
					t.Errorf("%s has an empty value", f.Name)
				}
				if f.Type == ecs.Boolean && v != "true" && v != "false" {
					t.Errorf("%s = %q", f.Name, v)
				}
			}
		}
	})
}
