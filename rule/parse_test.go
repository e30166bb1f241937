package rule

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/query"
)

// head is a rule without a query and what a query rule needs beside it.
const head = `[metadata]
creation_date = "2026/01/01"
[rule]
rule_id = "11111111-2222-4333-8444-555555555555"
name = "Layer shared"
description = "A layer was shared."
severity = "medium"
risk_score = 47
type = "query"
`

// with is head and more lines of [rule].
func with(lines string) string { return head + lines }

func parse(tb testing.TB, text string) *Rule {
	tb.Helper()
	r, err := Parse("rules/mine.toml", []byte(text))
	if err != nil {
		tb.Fatalf("%v\n%s", err, text)
	}
	return r
}

func TestDefaults(t *testing.T) {
	r := parse(t, with(`query = "event.action: x"`))
	got := []any{r.Language, r.From, r.To, r.Interval, r.MaxSignals, r.Enabled, r.RiskScore, r.Metadata.CreationDate}
	want := []any{Kuery, 6 * time.Minute, time.Duration(0), 5 * time.Minute, 100, true, 47, "2026/01/01"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEverything(t *testing.T) {
	r := parse(t, strings.Replace(with(`query = "event.action: x"
language = "kuery"
index = ["logs-aws.cloudtrail-*"]
from = "now-1h"
to = "now-5m"
interval = "30m"
max_signals = 7
enabled = false
version = 3
timestamp_override = "event.ingested"
timestamp_override_fallback_disabled = true
rule_name_override = "event.action"
building_block_type = "default"
severity_mapping = [{ field = "lamina.grant.scope", operator = "equals", value = "public", severity = "critical" }]
risk_score_mapping = [{ field = "lamina.grant.risk_score", operator = "equals", value = "" }]
exceptions_list = [{ id = "a", list_id = "shared-layers", type = "detection", namespace_type = "single" }]
filters = [{ meta = { negate = false } }]
surprise = { deep = [1, 2.5, 2026-01-01] }
[rule.threshold]
field = ["cloud.account.id"]
value = 10
cardinality = [{ field = "event.id", value = 40 }]
[rule.alert_suppression]
group_by = ["source.ip"]
duration = { value = 5, unit = "m" }
missing_fields_strategy = "doNotSuppress"
[rule.investigation_fields]
field_names = ["@timestamp"]
[[rule.threat]]
framework = "MITRE ATT&CK"
tactic = { id = "TA0002", name = "Execution", reference = "https://attack.mitre.org/tactics/TA0002/" }
technique = [{ id = "T1578", name = "Modify Cloud Compute Infrastructure", reference = "", subtechnique = [{ id = "T1578.005", name = "Modify Cloud Compute Configurations" }] }]
`), `type = "query"`, `type = "threshold"`, 1))
	got := []any{
		r.From, r.To, r.Interval, r.MaxSignals, r.Enabled, r.Version, r.Threshold, r.Suppression, r.SeverityMapping, r.RiskScoreMapping,
		r.Exceptions, r.InvestigationFields, r.Techniques(), len(r.Filters), r.TimestampOverrideFallbackDisabled,
	}
	want := []any{
		time.Hour, 5 * time.Minute, 30 * time.Minute, 7, false, 3,
		&Threshold{Fields: []string{"cloud.account.id"}, Value: 10, Cardinality: []Cardinality{{"event.id", 40}}},
		&Suppression{GroupBy: []string{"source.ip"}, Duration: 5 * time.Minute, Missing: "doNotSuppress"},
		[]Mapping{{Field: "lamina.grant.scope", Operator: "equals", Value: "public", Severity: "critical"}},
		[]Mapping{{Field: "lamina.grant.risk_score", Operator: "equals", RiskScore: -1}},
		[]ExceptionRef{{ID: "a", ListID: "shared-layers", Type: "detection", Namespace: "single"}},
		[]string{"@timestamp"},
		[]string{"T1578", "T1578.005"},
		1, true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(r.Extra) != 1 || r.Extra[0].Path != "rule.surprise" {
		t.Errorf("extra: %v", r.Extra)
	}
	roundTrip(t, r)
}

// Each error names the file, the line and the column, and several are reported
// at once.
func TestErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "rules/mine.toml:1:1: the file is empty: a rule needs a [rule] table"},
		{"no_rule", "[metadata]\na = 1\n", "rules/mine.toml:1:1: the file has no [rule] table"},
		{"misspelt_table", "[rules]\na = 1\n", "rules/mine.toml:1:1: the file has no [rule] table\nhint: did you mean [rule] where the file has rules?"},
		{"syntax", "[rule]\nname = \n", "rules/mine.toml:2:8: not TOML: unexpected character U+000A at start of value"},
		{"unterminated", "[rule]\nquery = '''\nabc\n", "rules/mine.toml:3:4: not TOML: multiline literal string not terminated by '''"},
		{"twice", with("query = \"a: b\"\nname = \"x\"\n"), "rules/mine.toml:11:1: name is already defined at line 5"},
		{"table_twice", with("query = \"a: b\"\n[rule]\n"), "rules/mine.toml:11:2: rule is already defined at line 3"},
		{"types", with("query = 5\nindex = \"x\"\ntags = [1]\nfrom = 6\n"), `rules/mine.toml:10:9: rule.query must be a string, not an integer
rules/mine.toml:12:9: rule.tags must be a list of strings; this is an integer
rules/mine.toml:13:8: rule.from must be a string, not an integer`},
		{
			"enumerations", strings.NewReplacer(`"medium"`, `"Medium"`, `"query"`, `"querry"`).Replace(with("query = \"a: b\"\nlanguage = \"kql\"\n")),
			`rules/mine.toml:7:12: unknown severity "Medium"
hint: did you mean "medium"?
rules/mine.toml:9:8: unknown rule type "querry"
hint: did you mean "query"?
rules/mine.toml:11:12: unknown language "kql"
hint: did you mean "eql"?`,
		},
		{"missing", "[rule]\ntype = \"query\"\nquery = \"\"\n", `rules/mine.toml:1:2: rule.rule_id is missing
rules/mine.toml:1:2: rule.name is missing
rules/mine.toml:1:2: rule.description is missing
rules/mine.toml:1:2: rule.severity is missing
rules/mine.toml:1:2: rule.risk_score is missing
rules/mine.toml:3:9: rule.query is empty`},
		{"risk", strings.Replace(with("query = \"a: b\""), "47", "101", 1), "rules/mine.toml:8:14: rule.risk_score is 101; it must be between 0 and 100"},
		{"schedule", with("query = \"a: b\"\nfrom = \"6m\"\ninterval = \"5 minutes\"\n"), `rules/mine.toml:11:8: rule.from: "6m" is not a time relative to now such as now-6m
rules/mine.toml:12:12: rule.interval: "5 minutes" is not a duration such as 5m`},
		{"future", with("query = \"a: b\"\nfrom = \"now+6m\"\n"), `rules/mine.toml:11:8: rule.from: "now+6m" is in the future`},
		{"nothing_to_see", with("query = \"a: b\"\nfrom = \"now-5m\"\nto = \"now-5m\"\n"), "rules/mine.toml:11:8: rule.from is not before rule.to: the rule would look at nothing"},
		{"language", with("query = \"a: b\"\nlanguage = \"eql\"\n"), "rules/mine.toml:11:12: a rule of type query is written in kuery or lucene, not eql"},
		{
			"new_terms", strings.Replace(with("query = \"a: b\"\n[rule.new_terms]\nvalue = []\n"), `"query"`, `"new_terms"`, 1),
			"rules/mine.toml:11:7: rule.new_terms needs one history_window_start\nrules/mine.toml:12:9: rule.new_terms.value needs one to three fields, not 0",
		},
		{"big_integer", with("query = \"a: b\"\nversion = 99999999999999999999\n"), `rules/mine.toml:11:11: "99999999999999999999" does not fit in 64 bits`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("rules/mine.toml", []byte(tc.text))
			if d := cmp.Diff(tc.want, render(err)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// render is an error with the hints of its parts.
func render(err error) string {
	var errs Errors
	if !errors.As(err, &errs) {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	var lines []string
	for _, e := range errs {
		lines = append(lines, e.Error())
		if e.Hint != "" {
			lines = append(lines, "hint: "+e.Hint)
		}
	}
	return strings.Join(lines, "\n")
}

func TestLimits(t *testing.T) {
	if _, err := Parse("big.toml", make([]byte, MaxFile+1)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("big file: %v", err)
	}
	for name, text := range map[string]string{
		"arrays": with("query = \"a: b\"\nx = " + strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)),
		"tables": with("query = \"a: b\"\nx = " + strings.Repeat("{ a = ", MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1)),
		"keys":   with("query = \"a: b\"\n" + strings.Repeat("a.", MaxDepth+1) + "a = 1\n"),
		"header": "[" + strings.Repeat("a.", MaxDepth+1) + "a]\n",
	} {
		if _, err := Parse("deep.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), "more than 100") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var keys, inline, headers, members strings.Builder
	for i := range MaxKeys + 1 {
		fmt.Fprintf(&keys, "k%d = 1\n", i)
		fmt.Fprintf(&inline, "k%d = 1, ", i)
		fmt.Fprintf(&headers, "[h%d]\n", i)
		fmt.Fprintf(&members, "\"k%d\": 1, ", i)
	}
	for name, text := range map[string]string{
		"many_keys.toml":    "[rule]\n" + keys.String() + "[x\n",
		"many_inline.toml":  "x = { " + inline.String() + "z = 1 }\n",
		"many_headers.toml": headers.String(),
		"many.ndjson":       "{" + members.String() + "\"z\": 1}\n",
	} {
		_, err := Parse(name, []byte(text))
		if strings.HasSuffix(name, ".ndjson") {
			_, err = ParseNDJSON(name, []byte(text))
		}
		if err == nil || !strings.Contains(err.Error(), "more than 1000 keys") {
			t.Errorf("%s: %.300v", name, err)
		}
	}
	many := "[rule]\n" + strings.Repeat("a = 1\n", 1000)
	_, err := Parse("many.toml", []byte(many))
	var errs Errors
	if !errors.As(err, &errs) || len(errs) > maxErrors {
		t.Errorf("got %d errors, want at most %d", len(errs), maxErrors)
	}
}

// An error in the query points into the TOML file, whatever kind of string the
// query is.
func TestQueryPositions(t *testing.T) {
	for _, tc := range []struct{ name, query, want string }{
		{"literal_block", "query = '''\nevent.action: a\n  and event.action: (b or\n'''", "13:1"},
		{"literal_block_same_line", "query = '''event.action: (b or'''", "10:26"},
		{"literal", "query = 'event.action: (b or'", "10:24"},
		{"basic", `query = "event.action: (b or"`, "10:24"},
		{"basic_with_escapes", `query = "event.action: \"a\" and b: (b or"`, "10:37"},
		{"basic_with_line_escapes", `query = "event.action: a\n  and b: (b or"`, "10:36"},
		{"basic_with_unicode", `query = "event.action: \u00e9 and b: (b or"`, "10:38"},
		{"basic_block", "query = \"\"\"\nevent.action: a\n  and b: \\\n   (b or\"\"\"", "13:4"},
		{"crlf", "query = '''\r\nevent.action: a\r\n  and b: (b or\r\n'''", "13:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := parse(t, with(tc.query))
			_, err := r.Compile(CompileOptions{})
			if _, ok := errors.AsType[*query.Error](err); !ok {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(err.Error(), "rules/mine.toml:"+tc.want+": ") {
				t.Errorf("got %v, want it at %s", err, tc.want)
			}
		})
	}
}

// Every byte of a decoded string maps to the bytes that wrote it.
func TestAt(t *testing.T) {
	for _, raw := range []string{
		`"plain"`, `'plain'`, `"a\tb\"c\\d"`, `"\u00e9\U0001F600x\x41"`, "'''\nab\ncd'''", "'''ab'''", "\"\"\"\nab\\\n   cd\\u0041\"\"\"",
	} {
		r := parse(t, with("query = \"event.action: x\"\nname2 = "+raw))
		v := r.Root().Get("rule", "name2")
		for i := range len(v.Text) {
			p := v.At(i, 1)
			if p.Offset < v.Pos.Offset || p.Offset >= v.Pos.Offset+v.Pos.Len {
				t.Fatalf("%s: byte %d maps to %+v, outside %+v", raw, i, p, v.Pos)
			}
			got, want := r.text.data[p.Offset], v.Text[i]
			if got != want && got != '\\' {
				t.Errorf("%s: byte %d is %q, the file has %q there", raw, i, want, got)
			}
		}
	}
}

func TestDateMath(t *testing.T) {
	for in, want := range map[string]string{
		"now": "0s", "now-6m": "6m", "now-1h+5m": "55m", "now-7d": "7d", "now-h": "1h", "now+1d": "-86400s", "now-2w": "14d",
	} {
		got, err := ParseAgo(in)
		if err != nil || FormatDuration(got) != want {
			t.Errorf("%s: got %s, %v, want %s", in, FormatDuration(got), err, want)
		}
	}
	for _, in := range []string{"", "6m", "now-", "now-6", "now-6x", "now/d", "now-1M", "now-1y", "now--6m", "now-99999999999999999999d", "now-9999999999d", "2026-01-01"} {
		if d, err := ParseAgo(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, d)
		}
	}
	for _, in := range []string{"", "m", "-5m", "+5m", "5", "5 m", "1M", "99999999999999999d"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, d)
		}
	}
}

// The whole file stays: what nobody knows, values of every type, odd keys.
func TestNothingIsLost(t *testing.T) {
	roundTrip(t, parse(t, `top = 1
[other]
x = true
[metadata]
created = 2026-01-01T10:00:00Z
day = 2026-01-01
[metadata.lamina]
own = "kept"
[rule]
rule_id = "r"
name = "quotes \" and \\ and \u0007 and é"
description = """
It's '''tricky''' \\ here
"""
severity = "low"
risk_score = 21
type = "new_terms"
query = 'a.b: "c"'
"odd key" = 'x'
"" = 'empty key'
floats = [1.0, -1e10, inf, nan, 6.626e-34, 1_000.5]
ints = [0x1F, 1_000, -5, +7]
mixed = [[1, 2], ["a"], { b = [] }, {}]
empty = []
none = {}
meta = { mine = "x", when = 2026-01-01 }
[rule.new_terms]
field = "new_terms_fields"
value = ["user.name"]
extra = "kept too"
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-10d"
[[rule.threat]]
framework = "MITRE ATT&CK"
more = 5
[rule.threat.tactic]
id = "TA0001"
name = "Initial Access"
[[rule.deep.list]]
a = 1
[[rule.deep.list]]
b.c.d = 2
`))
}

func TestSharedRulesStayWhole(t *testing.T) {
	for _, f := range sharedRules(t) {
		r := parseFile(t, f)
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if r.QueryValue == nil {
			continue
		}
		// The query's first and last characters are where the file has them.
		text := strings.TrimRight(r.Query, "\n")
		for _, i := range []int{0, len(text) - 1} {
			if p := r.QueryPos(query.Pos{Offset: i, Len: 1}); data[p.Offset] != text[i] {
				t.Errorf("%s: byte %d of the query maps to line %d column %d", filepath.Base(f), i, p.Line, p.Col)
			}
		}
	}
}
