package ecs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
)

func TestDoc_values(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(`{
		"@timestamp": 1714557600123,
		"event": {"created": "2024-05-01T12:00:00+02:00", "action": ["b", "a", "b", null], "code": "", "kind": null},
		"event.outcome": "success",
		"source": {"as": {"number": 64512}, "geo": {}},
		"tags": [["x"], []],
		"aws.cloudtrail": {
			"read_only": true,
			"flattened": {"request_parameters": {"a.b": 1, "a": {"b": [2.50, "3"], "c": false}, "list": [{"x": 1}, {"x": 1e2}]}}
		},
		"user_agent": {"original": "Boto3"},
		"big": 12345678901234567890
	}`))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	doc := ecs.NewDoc(m, nil)
	for _, c := range []struct {
		name   string
		want   []string
		exists bool
	}{
		{"@timestamp", []string{"2024-05-01T10:00:00.123Z"}, true},
		{"event.created", []string{"2024-05-01T10:00:00.000Z"}, true},
		{"event.action", []string{"b", "a", "b"}, true},
		{"event.code", []string{""}, true},
		{"event.kind", nil, false},
		{"event.outcome", []string{"success"}, true},
		{"event", nil, true},
		{"source.as.number", []string{"64512"}, true},
		{"source", nil, true},
		{"source.geo", nil, false},
		{"tags", []string{"x"}, true},
		{"aws.cloudtrail.read_only", []string{"true"}, true},
		{"aws.cloudtrail.flattened.request_parameters.a.b", []string{"2.50", "3", "1"}, true},
		{"aws.cloudtrail.flattened.request_parameters.a", nil, true},
		{"aws.cloudtrail.flattened.request_parameters.list.x", []string{"1", "1e2"}, true},
		{"aws.cloudtrail.flattened.request_parameters", []string{"2.50", "3", "false", "1", "1", "1e2"}, true},
		{"user_agent.original.text", []string{"Boto3"}, true},
		{"event.dataset", []string{"aws.cloudtrail"}, true},
		{"big", []string{"12345678901234567890"}, true},
		{"user.name", nil, false},
	} {
		f := ecs.Lookup(c.name)
		if d := cmp.Diff(c.want, doc.Values(f)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if got := doc.Exists(f); got != c.exists {
			t.Errorf("%s exists: %v", c.name, got)
		}
	}
	if !json.Valid(doc.Raw()) || !strings.Contains(string(doc.Raw()), `"big":12345678901234567890`) {
		t.Errorf("raw: %s", doc.Raw())
	}
}

func TestDoc_numbers_print_as_JSON_does(t *testing.T) {
	doc := ecs.NewDoc(map[string]any{"a": []any{1.0, 2.5, 1e21, 1e-9, 3, int64(4), uint8(5)}}, nil)
	want := []string{"1", "2.5", "1e+21", "1e-9", "3", "4", "5"}
	if d := cmp.Diff(want, doc.Values(ecs.Lookup("a"))); d != "" {
		t.Error(d)
	}
}
