package rules_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// docs/rules.md is made from the rules and the field table; LAMINA_UPDATE=1
// writes it.
func TestDocs_are_up_to_date(t *testing.T) {
	const name = "../docs/rules.md"
	want := page(t)
	if os.Getenv("LAMINA_UPDATE") == "1" {
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is not up to date (LAMINA_UPDATE=1 writes it), -want +got\n%s", name, d)
	}
}

func page(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Rules")
	p("")
	p("Generated from `rules/*.toml` and the field table; do not edit. `LAMINA_UPDATE=1 go test ./rules` writes it.")
	p("")
	p("Our rules are Elastic rule files in plain KQL, with ids, names and words of our own, under Apache-2.0. They read the")
	p("ECS fields of CloudTrail and the derived fields [below](#derived-fields). Each has a document beside it (what the")
	p("record shows and does not show, how severity is found) and tests. Exceptions are Kibana's; [an example](examples/rule-exceptions.ndjson).")
	p("")
	p("| id | name | severity | ATT&CK |")
	p("| --- | --- | --- | --- |")
	all := load(t)
	for i, r := range all {
		id := rules.List[i]
		p("| [%s](#%s) | %s | %s | %s |", id, id, r.Name, severities(r), strings.Join(r.Techniques(), ", "))
	}
	for i, r := range all {
		section(p, rules.List[i], r)
	}
	p("")
	p("## Derived fields")
	p("")
	p("CloudTrail does not have these; Lamina derives them from the record, from the options, from the publisher list and,")
	p("where the last column says so, from earlier events. A field that cannot be known is missing.")
	p("")
	p("| field | type | what it is | history |")
	p("| --- | --- | --- | --- |")
	for f := range ecs.All() {
		if f.Source != "lamina" {
			continue
		}
		history := ""
		if f.History {
			history = "yes"
		}
		p("| `%s` | %s | %s | %s |", f.Name, typeNames[f.Type], strings.ReplaceAll(f.Doc, "|", `\|`), history)
	}
	return b.String()
}

var typeNames = map[ecs.Type]string{ecs.Keyword: "keyword", ecs.Boolean: "boolean", ecs.Long: "long"}

func section(p func(string, ...any), id string, r *rule.Rule) {
	p("")
	p("## %s", id)
	p("")
	p("**%s**, %s. rule_id `%s`. [Document](../rules/%s.md), [file](../rules/%s.toml), [tests](../rules/testdata/%s.txtar).", r.Name, severities(r), r.ID, id, id, id)
	p("")
	p("%s", strings.TrimSpace(r.Description))
	p("")
	p("```kql\n%s\n```", strings.TrimSpace(r.Query))
	if len(r.SeverityMapping) > 0 {
		p("")
		p("Severity by value:")
		p("")
		for _, m := range r.SeverityMapping {
			p("- `%s: %s` is %s", m.Field, m.Value, m.Severity)
		}
	}
	p("")
	p("ATT&CK:")
	p("")
	for _, th := range r.Threat {
		for _, te := range th.Techniques {
			name := te.ID + " " + te.Name
			for _, s := range te.Subtechniques {
				name = s.ID + " " + te.Name + ": " + s.Name
			}
			p("- %s %s, %s", th.Tactic.ID, th.Tactic.Name, name)
		}
	}
	p("")
	p("False positives:")
	p("")
	for _, f := range r.FalsePositives {
		p("- %s", strings.Join(strings.Fields(f), " "))
	}
}

// severities are the rule's severity, or the range that its mapping gives.
func severities(r *rule.Rule) string {
	low, high := rank(r.Severity), rank(r.Severity)
	for _, m := range r.SeverityMapping {
		low, high = min(low, rank(m.Severity)), max(high, rank(m.Severity))
	}
	if low == high {
		return r.Severity
	}
	return rule.Severities[low].Name + " to " + rule.Severities[high].Name
}

func rank(severity string) int {
	for i, s := range rule.Severities {
		if s.Name == severity {
			return i
		}
	}
	return -1
}
