package rule

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/query"
)

const suite = `What the rule must catch.
-- options --
org-id = "o-example"
# a comment
-- match/shared.json --
{"event.provider": "lambda.amazonaws.com", "event.action": "AddLayerVersionPermission20181031", "event.outcome": "success"}
-- nomatch/denied.json --
{"event.provider": "lambda.amazonaws.com", "event.action": "AddLayerVersionPermission20181031", "event.outcome": "failure"}
-- before/1.json --
{}
-- todo/later.json --
{"event.provider": "lambda.amazonaws.com"}
-- alerts.golden --
11111111-2222-4333-8444-555555555555  shared.json  medium 47  Layer shared
`

func program(t *testing.T, q string) *Program {
	t.Helper()
	p, err := parse(t, fmt.Sprintf(clean, q)).Compile(CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRunsCases(t *testing.T) {
	s, err := ParseSuite("rules/testdata/mine.txtar", []byte(suite))
	if err != nil {
		t.Fatal(err)
	}
	p := program(t, `event.provider: "lambda.amazonaws.com" and event.action: AddLayerVersionPermission* and event.outcome: "success"`)
	rep, err := Test(p, s, fromCase)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rep.Results {
		got = append(got, fmt.Sprintf("%s:%d %s want %s got %s failed %t", r.Case.File, r.Case.Line, r.Case.Name, r.Case.Want, r.Got, r.Failed()))
	}
	want := []string{
		"rules/testdata/mine.txtar:5 shared.json want hit got hit failed false",
		"rules/testdata/mine.txtar:7 denied.json want miss got miss failed false",
		"rules/testdata/mine.txtar:11 later.json want todo got miss failed false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if rep.Failures() != 0 || rep.GoldenDiffers {
		t.Errorf("got %d failures; alerts:\n%s", rep.Failures(), rep.Alerts)
	}

	rep, err = Test(program(t, `event.outcome: "failure"`), s, fromCase)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Failures() != 3 || !rep.GoldenDiffers {
		t.Errorf("got %d failures, want two cases and the golden alerts", rep.Failures())
	}
	if m, ok := query.NearestMiss(rep.Results[0].Clause); !ok || m.First.Saw() != `event.outcome is "success"` {
		t.Errorf("the miss does not explain itself: %+v", m)
	}
	updated, err := ParseSuite(s.File, s.WithGolden(rep.Alerts))
	if err != nil || string(updated.Golden) != string(rep.Alerts) || len(updated.Cases) != 3 {
		t.Errorf("WithGolden: %v\n%s", err, updated.Golden)
	}
}

// Tests reach what only options and earlier records tell.
func TestCasesHaveContext(t *testing.T) {
	s, err := ParseSuite("x.txtar", []byte(suite))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Test(program(t, `lamina.grant.scope: own_organization and lamina.layers.previous_known: true`), s, fromCase)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rep.Results {
		if r.Got != Hit {
			t.Errorf("%s: %+v", r.Case.Name, r.Clause)
		}
	}
	if !rep.Results[2].Fixed() {
		t.Error("a todo that matches is not reported as fixed")
	}
}

func TestSuiteErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unknown", "-- matches/a.json --\n{}\n", "x.txtar:1:1: unknown file \"matches/a.json\" in the archive\nhint: put records under match/, nomatch/, todo/ or before/"},
		{"twice", "-- match/a.json --\n{}\n-- nomatch/a.json --\n{}\n", "x.txtar:3:1: a case called \"a.json\" is already at line 1"},
		{"implied", "-- implied --\nx\n", "x.txtar:2:1: write CLAUSE because REASON, not \"x\""},
		{"options", "-- options --\nx\n", "x.txtar:2:1: an option is written name = value, not \"x\""},
	} {
		_, err := ParseSuite("x.txtar", []byte(tc.text))
		if d := cmp.Diff(tc.want, render(err)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
	lines := `{"expect":"hit","event":{"event.action":"a"}}
{"name":"second","expect":"miss","event":{"event.action":"b"},"before":[{"x":1}],"options":{"org-id":["o-example"],"account":"111122223333"}}
`
	s, err := ParseTestLines("x.test.ndjson", []byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	want := []Case{
		{Name: "line 1", Want: Hit, Record: []byte(`{"event.action":"a"}`), File: "x.test.ndjson", Line: 1, Options: map[string][]string{}},
		{
			Name: "second", Want: Miss, Record: []byte(`{"event.action":"b"}`), Before: [][]byte{[]byte(`{"x":1}`)}, File: "x.test.ndjson", Line: 2,
			Options: map[string][]string{"org-id": {"o-example"}, "account": {"111122223333"}},
		},
	}
	if d := cmp.Diff(want, s.Cases); d != "" {
		t.Error(d)
	}
	_, err = ParseTestLines("x.test.ndjson", []byte("{\"expect\":\"hits\",\"evnt\":{}}\n{\"expect\":\"hit\"}\n[]\n"))
	wantErr := `x.test.ndjson:1:11: unknown expect "hits"
hint: did you mean "hit"?
x.test.ndjson:1:18: unknown key evnt
x.test.ndjson:2:1: event is missing
x.test.ndjson:3:1: a test must be an object, not a list`
	if d := cmp.Diff(wantErr, render(err)); d != "" {
		t.Error(d)
	}
}

// A change of the query that no case notices is reported where it is, and
// adding the record that is asked for makes it noticed.
func TestMutation(t *testing.T) {
	const q = `data_stream.dataset: "aws.cloudtrail" and event.action: (Add* or Put) and not user.name: "deployer"`
	hit := "-- match/add.json --\n{\"event.action\": \"AddX\", \"user.name\": \"alice\"}\n"
	survivors := func(archive string) []string {
		s, err := ParseSuite("x.txtar", []byte(archive))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := Test(program(t, q), s, fromCase)
		if err != nil || rep.Failures() > 0 {
			t.Fatalf("%v, %d failures", err, rep.Failures())
		}
		rep.Mutate()
		var out []string
		for _, m := range rep.Survivors() {
			out = append(out, fmt.Sprintf("%d: %s", m.Pos.Col, m.Change))
		}
		return out
	}
	first := survivors(hit)
	for _, must := range []string{"without Put", "with or instead of and", "with any value for Add*", `without not user.name: "deployer"`} {
		if !slices.ContainsFunc(first, func(s string) bool { return strings.HasSuffix(s, must) }) {
			t.Errorf("%q should survive one case; survivors: %q", must, first)
		}
	}
	all := hit + "-- match/put.json --\n{\"event.action\": \"Put\", \"user.name\": \"alice\"}\n" +
		"-- match/nobody.json --\n{\"event.action\": \"Put\"}\n" +
		"-- nomatch/other.json --\n{\"event.action\": \"Get\", \"user.name\": \"alice\"}\n" +
		"-- nomatch/deployer.json --\n{\"event.action\": \"Put\", \"user.name\": \"deployer\"}\n"
	if got := survivors(all); len(got) > 0 {
		t.Errorf("survivors: %q", got)
	}
	// What no record can show need not be noticed.
	n := len(first)
	if got := survivors(hit + "-- implied --\n# a comment\nPut because it is so\n"); len(got) >= n || slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, "without Put") }) {
		t.Errorf("implied changes survive: %q", got)
	}
}

func TestNeedsCannotBeTested(t *testing.T) {
	p, err := parse(t, strings.Replace(fmt.Sprintf(clean, "any where true"), `type = "query"`, `type = "eql"`, 1)).Compile(CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Test(p, &Suite{}, fromCase)
	if err == nil || err.Error() != "rules/mine.toml:9:8: the rule cannot be tested: it needs the EQL engine" {
		t.Errorf("got %v", err)
	}
}
