package rule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// clean is a rule that Lint has nothing to say about, but for its query.
const clean = head + `timestamp_override = "event.ingested"
note = "Ask who."
false_positives = ["None."]
query = '''
%s
'''
`

// queryLine is the line of clean that the query starts on.
var queryLine = strings.Count(clean[:strings.Index(clean, "%s")], "\n") + 1

// lintQuery lints a query and gives each problem as "line:col level code: message
// | hint | correction", lines counted in the query.
func lintQuery(t *testing.T, q string) []string {
	t.Helper()
	r := parse(t, fmt.Sprintf(clean, q))
	var out []string
	for _, p := range Lint(r, LintContext{Tests: 1}) {
		var s strings.Builder
		fmt.Fprintf(&s, "%d:%d %s %s: %s", p.Pos.Line-queryLine+1, p.Pos.Col, p.Level, p.Code, p.Msg)
		for _, x := range []string{p.Hint, p.Correction} {
			if x != "" {
				s.WriteString(" | " + x)
			}
		}
		out = append(out, s.String())
	}
	return out
}

func TestLintQuery(t *testing.T) {
	const base = `data_stream.dataset: "aws.cloudtrail" and event.provider: "lambda.amazonaws.com" and `
	for _, tc := range []struct {
		name, query string
		want        []string
	}{
		{"clean", base + `event.action: AddLayerVersionPermission* and event.outcome: "success"`, nil},
		{"syntax", `event.action: (a or`, []string{`2:1 error query: the query ends where a value should be | add a condition after or, or leave it out`}},
		{"unknown_field", `event.acton: x`, []string{`1:1 error cannot-fire: the rule cannot fire: no CloudTrail document satisfies event.acton: x`, `1:1 error unknown-field: unknown field "event.acton": no CloudTrail document has it | did you mean event.action? | event.action`}},
		{"unfilled_field", `event.action: * and process.name: "x" and user.id: y`, []string{
			`1:1 warning always-true: always true: every record has event.action`,
			`1:21 warning unfilled-field: process.name is mapped, but nothing fills it for CloudTrail`,
		}},
		{"enumeration_case", `event.outcome: "Success" and user.id: x`, []string{
			`1:1 error cannot-fire: the rule cannot fire: no value of event.outcome satisfies its query`,
			`1:16 warning never-true: never true: values are compared with their case, and event.outcome has "success" | "success"`,
		}},
		{"enumeration_value", `event.outcome: (success or failed) and user.id: x`, []string{
			`1:28 warning never-true: never true: event.outcome is never "failed" | its values are success, failure`,
		}},
		{"open_enumeration_case", `aws.cloudtrail.user_identity.type: "assumedrole" and user.id: x`, []string{
			`1:36 warning never-true: never true: values are compared with their case, and aws.cloudtrail.user_identity.type has "AssumedRole" | "AssumedRole"`,
		}},
		{"open_enumeration_new_value", `aws.cloudtrail.user_identity.type: "SomethingNew" and user.id: x`, nil},
		{"constant_wrong", `event.dataset: "aws.cloudwatch" and user.id: x`, []string{
			`1:1 error cannot-fire: the rule cannot fire: no CloudTrail document satisfies event.dataset: "aws.cloudwatch"`,
			`1:16 warning never-true: never true: event.dataset is "aws.cloudtrail" in every CloudTrail document | "aws.cloudtrail"`,
		}},
		{"constant_in_or", `event.dataset: "aws.cloudtrail" or user.id: x`, []string{
			`1:1 warning always-true: always true: event.dataset is "aws.cloudtrail" in every CloudTrail document`,
			`1:1 error matches-all: the query matches every event`,
		}},
		{"contradiction", `event.action: "A" and user.id: x and event.action: "B"`, []string{
			`1:38 error cannot-fire: the rule cannot fire: event.action has one value, and line 14 asks for event.action: "A"`,
		}},
		{"contradiction_of_patterns", `event.action: Delete* and user.id: x and event.action: Create*`, []string{
			`1:42 error cannot-fire: the rule cannot fire: event.action has one value, and line 14 asks for event.action: Delete*`,
		}},
		{"patterns_that_fit_together", `event.action: Delete* and user.id: x and event.action: *Layer`, nil},
		{"patterns_that_overlap", `event.action: Delete* and user.id: x and event.action: DeleteLay*`, nil},
		{"many_valued_field", `related.user: "A" and related.user: "B"`, nil},
		{"contradicting_not", `event.action: "A" and not event.action: (A or B)`, []string{
			`1:23 error cannot-fire: the rule cannot fire: event.action has one value, and line 14 asks for event.action: "A"`,
		}},
		{"not_and_exists", `user.id: * and not user.id: *`, []string{
			`1:16 error cannot-fire: the rule cannot fire: user.id has one value, and line 14 asks for user.id: *`,
		}},
		{"dead_branch", base + `event.outcome: success and (user.id: x or event.outcome: failure)`, []string{
			`1:128 warning dead-branch: this alternative is never true: what stands beside it asks for another event.outcome`,
		}},
		{"dead_branch_by_provider", base + `(event.action: A or (event.provider: "iam.amazonaws.com" and event.action: B))`, []string{
			`1:107 warning dead-branch: this alternative is never true: what stands beside it asks for another event.provider`,
		}},
		{"covered", base + `event.action: (DeleteFunction20150331 or DeleteFunction*)`, []string{
			`1:101 note covered: DeleteFunction20150331 is already matched by DeleteFunction*`,
		}},
		{"repeated", `user.id: (a or b or a)`, []string{`1:21 warning repeated: this operand of or is already at line 14`}},
		{"quoted_wildcard", base + `event.action: "AddLayer*"`, []string{
			`1:100 warning quoted-wildcard: in quotes the star is itself: only a value with a star in it is equal to "AddLayer*" | write it without quotes to match by pattern | AddLayer*`,
		}},
		{"question_mark", `user.id: A?C`, []string{
			`1:10 warning question-mark: KQL has no wildcard for one character: the question mark is itself | use * or list the values`,
		}},
		{"blanks", `user.id: " A"`, []string{`1:10 warning blanks: the value begins or ends with a blank: it is compared with it | "A"`}},
		{"empty_value", `user.id: ""`, []string{`1:10 warning never-true: never true: the mapping drops a value that is "" | a missing field is: not user.id: *`}},
		{"free_text", `AddLayerVersionPermission`, []string{`1:1 warning free-text: AddLayerVersionPermission names no field: it is looked for in all of them | write field: value`}},
		{"negation", `user.id: x and not user_agent.original: *curl*`, []string{
			`1:16 note not-missing: also true when user_agent.original is missing | if that is not meant, add: and user_agent.original: *`,
		}},
		{"negation_with_exists", `user_agent.original: (* and not *curl*)`, nil},
		{"negation_of_existence", `user.id: x and not aws.cloudtrail.error_code: *`, nil},
		{"negation_of_what_is_always_there", `user.id: x and not event.action: A`, nil},
		{"lambda_name", base + `event.action: "UpdateFunctionConfiguration"`, []string{
			`1:100 warning lambda-name: Lambda's records call this UpdateFunctionConfiguration20150331v2, so "UpdateFunctionConfiguration" never matches it | UpdateFunctionConfiguration*`,
		}},
		{"lambda_name_with_pattern", base + `event.action: (DeleteFunction or DeleteFunction20*)`, nil},
		{"iam_spelling", `event.action: "lambda:InvokeFunction"`, []string{
			`1:15 warning never-true: never true: event.action is the name of the call alone | lambda: is IAM's spelling; CloudTrail says event.provider: "lambda.amazonaws.com" | "InvokeFunction"`,
		}},
		{"provider", `event.provider: lambda and user.id: x`, []string{`1:17 warning never-true: never true: event.provider is the name of an endpoint | lambda.amazonaws.com`}},
		{"wrong_service", `event.provider: "iam.amazonaws.com" and event.action: (AddLayerVersionPermission* or "UpdateFunctionCode20150331v2" or CreateUser)`, []string{
			`1:56 warning never-true: never true: AddLayerVersionPermission is a call of lambda.amazonaws.com, and the query asks for iam.amazonaws.com`,
			`1:86 warning never-true: never true: UpdateFunctionCode is a call of lambda.amazonaws.com, and the query asks for iam.amazonaws.com`,
		}},
		{"data_event", base + `event.action: Invoke`, []string{`1:100 note data-event: Invoke is a data event: a trail records it only where it was told to`}},
		{"data_event_by_pattern", base + `event.action: Invoke*`, []string{`1:100 note data-event: Invoke* matches data events: a trail records them only where it was told to`}},
		{"flattened", `aws.cloudtrail.flattened.request_parameters.key: *.pem`, []string{
			`1:50 note flattened-wildcard: Elasticsearch compares a pattern with every key of aws.cloudtrail.flattened.request_parameters, not only with key | Lamina compares it with that key; --elastic-quirks does as Elasticsearch does`,
		}},
		{"geoip", `source.geo.country_iso_code: "XX"`, []string{
			`0:9 warning needs-data: the rule needs a GeoIP city database (source.geo.country_iso_code): without it conditions on these fields are false | give a MaxMind database with --geoip-city`,
		}},
		{"asn_excluded", `user.id: x and not source.as.organization.name: "Example"`, []string{
			`0:9 warning needs-data: the rule needs a GeoIP ASN database (source.as.organization.name): without it what the rule excludes by these fields gives alerts | give a MaxMind database with --geoip-asn`,
			`1:16 note not-missing: also true when source.as.organization.name is missing | if that is not meant, add: and source.as.organization.name: *`,
		}},
		{"object", `aws.cloudtrail.user_identity: x`, []string{`1:1 error cannot-fire: the rule cannot fire: no CloudTrail document satisfies aws.cloudtrail.user_identity: x`, `1:31 warning never-true: never true: aws.cloudtrail.user_identity has fields below it and no value of its own`}},
		{"second_line", "user.id: x\n  and event.acton: y", []string{`2:7 error cannot-fire: the rule cannot fire: no CloudTrail document satisfies event.acton: y`, `2:7 error unknown-field: unknown field "event.acton": no CloudTrail document has it | did you mean event.action? | event.action`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, lintQuery(t, tc.query)); d != "" {
				t.Errorf("%s (-want +got):\n%s", tc.query, d)
			}
		})
	}
}

func TestLintRule(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		ctx        LintContext
		want       []string
	}{
		{"clean", fmt.Sprintf(clean, "user.id: x"), LintContext{Tests: 1}, nil},
		{
			"bare", with("query = \"user.id: x\"\n"),
			LintContext{},
			[]string{
				"3:2 note no-false-positives: the rule names no false positives",
				"3:2 note no-note: the rule has no investigation guide (note)",
				"3:2 warning no-tests: the rule has no tests | put records into rules/testdata/mine.txtar",
				"3:2 warning no-timestamp-override: no timestamp_override: CloudTrail arrives up to 15 minutes late, and Elastic would look for events by the time of the call | timestamp_override = \"event.ingested\"",
			},
		},
		{
			"unknown_keys", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "refrences = []\nnote =", 1) + "[rule.threshold]\nfields = []\n", //nolint:misspell // the misspelt key is what is tested
			LintContext{Tests: 1},
			[]string{"11:1 warning unknown-key: unknown key rule.refrences | did you mean references? | references", "18:1 warning unknown-key: unknown key rule.threshold.fields | did you mean field? | field"},
		},
		{
			"schedule_gap", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "interval = \"1h\"\nfrom = \"now-30m\"\nnote =", 1),
			LintContext{Tests: 1},
			[]string{"12:8 error schedule-gap: the rule runs every 1h and looks at 30m: events in the 30m between are never looked at | \"now-61m\""},
		},
		{
			"schedule_gap_by_default", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "interval = \"10m\"\nnote =", 1),
			LintContext{Tests: 1},
			[]string{"3:2 error schedule-gap: the rule runs every 10m and looks at 6m: events in the 4m between are never looked at | from = \"now-11m\""},
		},
		{
			"schedule_tight", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "from = \"now-5m\"\nnote =", 1),
			LintContext{Tests: 1},
			[]string{"11:8 note schedule-tight: the rule looks at exactly one interval: an event that arrives late by a second is never looked at | \"now-6m\""},
		},
		{
			"odd", strings.NewReplacer("risk_score = 47", "risk_score = 90", `"11111111-2222-4333-8444-555555555555"`, `"mine"`, `note = "`, `note = "`+Unfinished+" ").
				Replace(fmt.Sprintf(clean, "user.id: x")) + "[rule.investigation_fields]\nfield_names = [\"user.nmae\"]\n",
			LintContext{Tests: 1},
			[]string{
				"4:11 note rule-id: rule_id is not a UUID in lower case | Kibana takes it, other tools may not",
				"8:14 note severity-risk: risk_score 90 is in the band of severity critical, the rule says medium",
				"11:9 error unfinished: the text of the template is still there",
				`17:16 warning unknown-field: unknown field "user.nmae": no CloudTrail document has it | did you mean user.name? | "user.name"`,
			},
		},
		{
			"other_index", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "index = [\"logs-okta*\"]\nnote =", 1),
			LintContext{Tests: 1},
			[]string{"11:9 warning other-index: none of the index patterns reads CloudTrail (logs-aws.cloudtrail-*) | Lamina evaluates the rule over CloudTrail all the same"},
		},
		{
			"exceptions", strings.Replace(fmt.Sprintf(clean, "user.id: x"), "note =", "exceptions_list = [{ list_id = \"l\" }]\nnote =", 1),
			LintContext{Tests: 1, Exceptions: &Exceptions{}},
			[]string{`11:20 warning exceptions-missing: no exception of the list "l" is at hand: its events give alerts | give the list with --exceptions`},
		},
		{
			"threats", fmt.Sprintf(clean, "user.id: x") + `[[rule.threat]]
framework = "MITRE ATT&CK"
tactic = { id = "TA0002", name = "Executing" }
[[rule.threat.technique]]
id = "T1648"
name = "Serverless"
subtechnique = [{ id = "T1578.005", name = "Modify Cloud Compute Configurations" }]
[[rule.threat]]
framework = "MITRE ATT&CK"
tactic = { id = "TA0005", name = "Stealth" }
technique = [{ id = "T1685", name = "Disable or Modify Tools" }, { id = "T1002", name = "Data Compressed" }]
`,
			LintContext{Tests: 1},
			[]string{
				`18:34 error threat-name: tactic TA0002 is Execution, not "Executing" | "Execution"`,
				`21:8 error threat-name: technique T1648 is Serverless Execution, not "Serverless" | "Serverless Execution"`,
				"22:24 error threat-parent: T1578.005 is not a sub-technique of T1648",
				"22:24 warning threat-tactic: ATT&CK 18.1 lists technique T1578.005 under TA0005, not under TA0002",
				`26:21 warning threat-unlisted: technique "T1685" is not in the embedded list | the list covers ` + AttackCovers,
				"26:73 warning threat-retired: technique T1002 is revoked in ATT&CK 18.1",
			},
		},
		{
			"eql", strings.Replace(fmt.Sprintf(clean, "any where true"), `type = "query"`, `type = "eql"`, 1),
			LintContext{Tests: 1},
			[]string{"9:8 note needs: the rule does not run yet: it needs the EQL engine", "13:9 note not-linted: the query is not linted: that needs the EQL engine"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, p := range Lint(parse(t, tc.text), tc.ctx) {
				var s strings.Builder
				fmt.Fprintf(&s, "%d:%d %s %s: %s", p.Pos.Line, p.Pos.Col, p.Level, p.Code, p.Msg)
				for _, x := range []string{p.Hint, p.Correction} {
					if x != "" {
						s.WriteString(" | " + x)
					}
				}
				got = append(got, s.String())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A query of any size is linted and mutated in a time that a person waits.
func TestLintIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: not with -short")
	}
	for name, q := range map[string]string{
		"wide_and":  strings.Repeat("user.id: x and ", 2000) + "user.id: x",
		"wide_or":   strings.Repeat("(event.action: x and user.id: y*) or ", 800) + "user.id: x",
		"at_limit":  strings.Repeat("(event.action: x or event.provider: y*) and ", maxClauses/2-1) + "not user.id: x",
		"deep":      strings.Repeat("not (user.id: x and ", 100) + "user.id: y" + strings.Repeat(")", 100),
		"long_list": "event.action: (" + strings.Repeat("a* or ", 3000) + "b)",
	} {
		start := time.Now()
		r := parse(t, fmt.Sprintf(clean, q))
		Lint(r, LintContext{})
		p, err := r.Compile(CompileOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rep, err := Test(p, &Suite{Cases: []Case{{Name: "a", Want: Miss, Record: []byte("{}")}}}, fromCase)
		if err != nil {
			t.Fatal(err)
		}
		rep.Mutate()
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: %v", name, d)
		} else {
			t.Log(name, d, len(rep.Mutants))
		}
	}
}
