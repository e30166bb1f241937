package kql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

func compile(tb testing.TB, src string) query.Predicate {
	tb.Helper()
	q, err := kql.Parse(src)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := kql.Compile(q, options(false))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func document(tb testing.TB, src string) *ecs.Doc {
	tb.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(src), &m); err != nil {
		tb.Fatal(err)
	}
	return ecs.NewDoc(m, lookup)
}

const everything = `{
	"kw": ["first value", "arn:aws:iam::111122223333:role/admin"], "kw2": "x", "short": "123456789",
	"txt": "The Quick brown-fox, jumps", "ip": ["10.0.0.1", "2001:db8::1"], "bool": true, "long": [7, 443],
	"double": 0.5, "date": "2024-05-01T10:00:00.000Z", "flat": {"a": {"b": ["x", "id.pem"]}}, "obj": {"long": 3}
}`

func TestMatch_does_not_allocate(t *testing.T) {
	ev := document(t, everything)
	for _, src := range []string{
		"kw: a and kw2: b", "kw: (a or b or c or x)", "not kw: zz and not kw2: zz", "kw: *role* and kw: arn* and kw: *admin and kw: a*b*c",
		"kw: " + list(50), "short: *", "kw: *", "const: aws*", "txt: jumps", `txt: "brown fox jumps"`, "txt: ju*s", "txt >= z",
		"ip: 10.0.0.9", `ip: "2001:db8::/32"`, "ip > 9.0.0.0", "bool: false", "long: 9", "long > 5", "double: 0.7", "double < 0",
		`date: "2024"`, "date < 5", "flat.a.b: y", "flat.a.b: *pem", "flat: z", "obj: *", "geo: *", "nothing: a", "alpha", "alph*", "kw*: z", "kw < a",
	} {
		p := compile(t, src)
		p.Match(ev) // the document keeps the constant after the first question
		if n := testing.AllocsPerRun(100, func() { p.Match(ev) }); n != 0 {
			t.Errorf("%s: %v allocations", src, n)
		}
		if n := testing.AllocsPerRun(100, func() { p.Fold(func(f *ecs.Field) ([]string, bool) { return nil, f.ID%2 == 0 }) }); n != 0 {
			t.Errorf("%s: Fold: %v allocations", src, n)
		}
	}
}

func list(n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint("value", i)
	}
	return "(" + strings.Join(s, " or ") + ")"
}

func TestExplain_prints_leaves_as_written(t *testing.T) {
	p := compile(t, "kw: (a or arn*) and not (ip: 10.0.0.1 or txt: quick)")
	got := p.Explain(document(t, everything))
	want := query.Clause{
		Text: "and", Pos: query.Pos{Line: 1, Col: 1, Len: 15},
		Clauses: []query.Clause{
			{
				Text: "kw: (a or arn*)", Match: true, Field: "kw",
				Values: []string{"first value", "arn:aws:iam::111122223333:role/admin"}, Pos: query.Pos{Line: 1, Col: 1, Len: 15},
			},
			{Text: "not", Pos: query.Pos{Offset: 25, Line: 1, Col: 26, Len: 12}, Clauses: []query.Clause{
				{Text: "or", Match: true, Pos: query.Pos{Offset: 25, Line: 1, Col: 26, Len: 12}, Clauses: []query.Clause{
					{Text: "ip: 10.0.0.1", Match: true, Field: "ip", Values: []string{"10.0.0.1", "2001:db8::1"}, Pos: query.Pos{Offset: 25, Line: 1, Col: 26, Len: 12}},
					{Text: "txt: quick", Match: true, Field: "txt", Values: []string{"The Quick brown-fox, jumps"}, Pos: query.Pos{Offset: 41, Line: 1, Col: 42, Len: 10}},
				}},
			}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestExplain_notes(t *testing.T) {
	ev := document(t, everything)
	for src, want := range map[string]string{
		"short: 1*":   "a value of 9 characters is longer than ignore_above 8, so queries do not see it",
		"nothing: a":  "no field of this name is mapped, so no record has it",
		"obj: a":      "an object has no value of its own, only the fields below it have",
		"const: aws":  `the value is "aws.cloudtrail" in every document`,
		"nothing*: a": "no mapped field is called nothing*",
		"kw*: zzz":    "none of 2 fields matches",
	} {
		if got := compile(t, src).Explain(ev); got.Note != want || got.Match {
			t.Errorf("%s: %+v, want the note %q", src, got, want)
		}
	}
}

// The dispatcher of detect asks what provider and action a rule needs.
func TestRequired_of_a_rule(t *testing.T) {
	p := compile(t, `const: aws.cloudtrail and kw: (lambda or "iam") and kw2: (AddLayerVersionPermission* or DeleteFunction or DeleteFunction20*) and not short: x`)
	for _, c := range []struct {
		field           string
		exact, prefixes []string
		ok              bool
	}{
		{"kw", []string{"iam", "lambda"}, nil, true},
		{"kw2", []string{"DeleteFunction"}, []string{"AddLayerVersionPermission", "DeleteFunction20"}, true},
		{"short", nil, nil, false},
		{"txt", nil, nil, false},
	} {
		exact, prefixes, ok := query.Required(p, lookup(c.field))
		if d := cmp.Diff([]any{c.exact, c.prefixes, c.ok}, []any{nilIfEmpty(exact), nilIfEmpty(prefixes), ok}); d != "" {
			t.Errorf("%s: %s", c.field, d)
		}
	}
}

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func BenchmarkMatch(b *testing.B) {
	ev := document(b, everything)
	for _, c := range []struct{ name, src string }{
		{"term", "kw: nothing"},
		{"list_of_8", "kw: " + list(8)},
		{"list_of_50", "kw: " + list(50)},
		{"prefix", "kw: arn:aws:lambda*"},
		{"contains", "kw: *assumed-role*"},
		{"three_parts", "kw: arn*role*user"},
		{"ip_block", `ip: "192.168.0.0/16"`},
		{"text", "txt: zebra"},
		{"date", "date < 5"},
		{"rule", `const: aws.cloudtrail and kw2: x and kw: (a or b or c) and not txt: fox`},
	} {
		src := strings.ReplaceAll(c.src, "arn:", `arn\:`)
		p := compile(b, strings.ReplaceAll(src, "aws:", `aws\:`))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(ev)
			}
		})
	}
}

func BenchmarkParse_and_Compile(b *testing.B) {
	src := `const: aws.cloudtrail and kw2: x and kw: ` + list(20) + ` and not txt: fox`
	for b.Loop() {
		compile(b, src)
	}
}
