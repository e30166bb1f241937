package rule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const export = `{"id":"0d1e","updated_at":"2026-01-01T00:00:00.000Z","created_by":"elastic","name":"New role","tags":[],"interval":"5m","enabled":true,"revision":0,"description":"d","risk_score":47,"severity":"medium","license":"","output_index":"","meta":{"from":"1m","kibana_siem_app_url":"https://example.invalid"},"author":[],"false_positives":[],"from":"now-360s","rule_id":"44444444-2222-4333-8444-555555555555","max_signals":100,"risk_score_mapping":[],"severity_mapping":[],"threat":[],"to":"now","references":[],"version":1,"exceptions_list":[{"id":"e","list_id":"roles","type":"detection","namespace_type":"single"}],"immutable":false,"rule_source":{"type":"internal"},"related_integrations":[],"required_fields":[],"setup":"","type":"new_terms","query":"event.action: \"CreateRole\"\n  and user.name: *","new_terms_fields":["user.name"],"history_window_start":"now-7d","language":"kuery","index":["logs-*"],"filters":[{"meta":{"alias":null,"negate":false,"params":[null,{"query":"x"},null]},"query":{}}],"actions":[]}
{"_version":"WzE=","list_id":"roles","name":"Roles","type":"detection","namespace_type":"single","description":"d","tags":[],"os_types":[]}

{"_version":"WzI=","item_id":"i","list_id":"roles","type":"simple","name":"Deployer","namespace_type":"single","entries":[{"type":"match","field":"user.name","value":"deployer","operator":"included"}],"comments":[]}
{"id":"c","type":"action","attributes":{"name":"Mail"}}
{"exported_count":3,"exported_rules_count":1,"missing_rules":[],"missing_rules_count":0,"exported_exception_list_count":1,"exported_exception_list_item_count":1}
`

func TestKibanaExport(t *testing.T) {
	b, err := ParseNDJSON("export.ndjson", []byte(export))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Rules) != 1 || len(b.Exceptions.Lists) != 1 || len(b.Exceptions.Items) != 1 || len(b.Others) != 1 || b.Lines != 5 {
		t.Fatalf("got %d rules, %d lists, %d items, %d others of %d lines", len(b.Rules), len(b.Exceptions.Lists), len(b.Exceptions.Items), len(b.Others), b.Lines)
	}
	r := b.Rules[0]
	if r.NewTerms == nil || r.NewTerms.History != 7*24*time.Hour || r.From != 6*time.Minute || len(r.Extra) > 0 {
		t.Errorf("got %+v, from %v, extra %v", r.NewTerms, r.From, r.Extra)
	}
	roundTrip(t, r)

	// To TOML, back, and out again: the same JSON object, nulls included.
	again, err := Parse("x.toml", r.TOML())
	if err != nil {
		t.Fatalf("%v\n%s", err, r.TOML())
	}
	var want, got map[string]any
	line, _, _ := strings.Cut(export, "\n")
	for text, into := range map[string]*map[string]any{line: &want, string(again.JSON()): &got} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !reflect.DeepEqual(got["filters"], want["filters"]) {
		t.Error("filters differ")
	}

	// The bundle as a whole, without the connector.
	out, err := ParseNDJSON("out.ndjson", b.NDJSON())
	if err != nil || len(out.Rules) != 1 || len(out.Exceptions.Items) != 1 || out.Lines != 4 {
		t.Errorf("%v, %d lines", err, out.Lines)
	}
	if !bytes.Equal(out.NDJSON(), b.NDJSON()) {
		t.Error("NDJSON is not stable")
	}
}

// Errors point into the line, also inside the query; what could be read is
// there beside them.
func TestKibanaExportErrors(t *testing.T) {
	rule := `{"rule_id":"r","name":"n","description":"d","severity":"low","risk_score":1,"type":"query","query":%q}` + "\n"
	text := fmt.Sprintf(rule, "event.action: a") +
		"not json\n" +
		`{"rule_id":"r"}` + "\n" +
		`{"exported_rules_count":2}` + "\n"
	b, err := ParseNDJSON("x.ndjson", []byte(text))
	want := `x.ndjson:2:2: not JSON: invalid character 'o' in literal null (expecting 'u')
x.ndjson:3:1: rule.name is missing
x.ndjson:3:1: rule.description is missing
x.ndjson:3:1: rule.severity is missing
x.ndjson:3:1: rule.risk_score is missing
x.ndjson:3:1: rule.type is missing
x.ndjson:4:25: exported_rules_count is 2, but the lines before it hold 1`
	if d := cmp.Diff(want, render(err)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(b.Rules) != 1 || b.Lines != 4 {
		t.Errorf("got %d rules of %d lines", len(b.Rules), b.Lines)
	}

	b, err = ParseNDJSON("x.ndjson", fmt.Appendf(nil, rule, "a: \"é\u2028\"\n and b: (c or"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Rules[0].Compile(CompileOptions{})
	line := string(fmt.Appendf(nil, rule, "a: \"é\u2028\"\n and b: (c or"))
	if want := fmt.Sprintf("x.ndjson:1:%d:", strings.Index(line, "(c or")+1); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want it at %s", err, want)
	}
}
