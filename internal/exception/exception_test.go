package exception_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

var (
	now  = time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	hexA = strings.Repeat("ab", 32)
	hexB = strings.Repeat("cd", 32)
)

const whole = `# Reviewed every quarter.
[[exception]]
id      = "fixture-key"
match   = { check = "baked-secret", file = "python/**/fixtures/*.py" }
content = "sha256:abababababababababababababababababababababababababababababababab"
reason  = "a key of the documentation"
owner   = "platform@corp.example"
expires = 2027-02-01

[[exception]]
id = "old-urllib3"
match.cve = "CVE-2023-43804"
match.resource = "*.zip"
reason = "no redirect is followed"
owner = "web"
expires = "2026-11-30"
`

func parse(t *testing.T, data string) []exception.Item {
	t.Helper()
	f, err := exception.Parse("exceptions.toml", []byte(data), now)
	if err != nil {
		t.Fatal(err)
	}
	return f.Items
}

func TestParse(t *testing.T) {
	got := parse(t, whole)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	want := []exception.Item{
		{
			ID: "fixture-key", Match: exception.Match{Check: "baked-secret", File: "python/**/fixtures/*.py"}, Content: hexA,
			Reason: "a key of the documentation", Owner: "platform@corp.example", Expires: day(2027, 2, 1), File: "exceptions.toml", Line: 2,
		},
		{
			ID: "old-urllib3", Match: exception.Match{CVE: "CVE-2023-43804", Resource: "*.zip"},
			Reason: "no redirect is followed", Owner: "web", Expires: day(2026, 11, 30), File: "exceptions.toml", Line: 10,
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParse_errors(t *testing.T) {
	const ok = "id = \"x\"\nmatch = { check = \"c\" }\nreason = \"r\"\nowner = \"o\"\nexpires = 2026-12-01\n"
	without := func(key string) string {
		var out []string
		for l := range strings.Lines(ok) {
			if !strings.HasPrefix(l, key) {
				out = append(out, l)
			}
		}
		return strings.Join(out, "")
	}
	for name, tt := range map[string]struct{ in, want, hint string }{
		"no_id":         {without("id"), "x:1:3: an exception has no id", "give it a name"},
		"bad_id":        {"id = \"a b\"\n" + without("id"), `exception id "a b": want letters`, ""},
		"twice":         {ok + "[[exception]]\n" + ok, `x:8:6: exception "x" is there twice`, "give each"},
		"no_match":      {without("match"), `exception "x" does not say what it covers`, "write match"},
		"empty_match":   {without("match") + "match = {}\n", `exception "x" would cover everything`, "name a finding"},
		"star":          {without("match") + "match = { resource = \"*\", file = \"**/*\" }\n", `exception "x" would cover everything`, "name a finding"},
		"empty_key":     {without("match") + "match = { check = \"\", cve = \"CVE-1-2\" }\n", `exception "x": check is empty`, "leave the key out"},
		"both_words":    {without("match") + "match = { check = \"a\", rule = \"b\" }\n", "rule and check are the same", "keep one"},
		"stars":         {without("match") + "match = { check = \"a\", file = \"" + strings.Repeat("*a", 17) + "\" }\n", "a pattern with 17 stars", ""},
		"misspelt":      {without("match") + "match = { fnding = \"F-A\" }\n", `unknown key "fnding"`, "did you mean finding?"},
		"bad_content":   {ok + "content = \"9f2c\"\n", "content is not sha256: and 64 hex digits", "lamina except add"},
		"no_reason":     {without("reason"), `exception "x" has no reason`, "say why"},
		"blank_reason":  {without("reason") + "reason = \"  \"\n", `exception "x" has no reason`, "say why"},
		"no_owner":      {without("owner"), `exception "x" has no owner`, "say who"},
		"no_end":        {without("expires"), `exception "x" never ends`, "write expires = 2027-02-19"},
		"too_long":      {without("expires") + "expires = 2027-11-22\n", `x:6:11: exception "x" lasts until 2027-11-22`, "the longest is 365 days, until 2027-11-21"},
		"unknown_key":   {ok + "owners = \"o\"\n", `unknown key "owners"`, "did you mean owner?"},
		"unknown_table": {ok + "[exeption]\n", `unknown key "exeption"`, "did you mean exception?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := exception.Parse("x", []byte("[[exception]]\n"+tt.in), now)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if e, ok := errors.AsType[*tomlfile.Error](err); !ok || !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", e.Hint, tt.hint)
			}
		})
	}
}

func secret(id, sha string) lamina.Finding {
	return lamina.Finding{
		ID: id, Check: "baked-secret", Ref: "SEC-01", Outcome: lamina.Fail, Severity: lamina.Critical, Resource: "build/layer.zip",
		File: "python/app/fixtures/keys.py", SHA256: sha, Techniques: []string{"T1552.001"},
	}
}

func vulnerability(cve string) lamina.Finding {
	return lamina.Finding{
		ID: "F-V", Check: "known-vulnerability", Outcome: lamina.Fail, Severity: lamina.High, Resource: "build/layer.zip", SHA256: hexB,
		File: "python/urllib3-1.26.16.dist-info/METADATA", Title: "urllib3 1.26.16 has a known vulnerability", Evidence: []string{"advisory: GHSA-v845-jxx5-vc9f, " + cve},
		Techniques: []string{"T1195.001"},
	}
}

func TestApply(t *testing.T) {
	item := func(m exception.Match, content, expires string) exception.Item {
		d, err := time.Parse(time.DateOnly, expires)
		if err != nil {
			t.Fatal(err)
		}
		return exception.Item{ID: "x", Match: m, Content: content, Reason: "r", Owner: "o", Expires: d}
	}
	pass := secret("F-1", hexA)
	pass.Outcome = lamina.Pass
	for name, tt := range map[string]struct {
		finding  lamina.Finding
		item     exception.Item
		covered  bool
		want     exception.Counts
		evidence string
		unused   int
	}{
		"by_id":            {secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, hexA, "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"other_id":         {secret("F-1", hexA), item(exception.Match{Finding: "F-2"}, hexA, "2027-01-01"), false, exception.Counts{}, "", 1},
		"by_number":        {secret("F-1", hexA), item(exception.Match{Check: "SEC-01"}, hexA, "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"by_file":          {secret("F-1", hexA), item(exception.Match{Check: "baked-secret", File: "python/**/*.py"}, hexA, "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"by_resource":      {secret("F-1", hexA), item(exception.Match{Check: "baked-secret", Resource: "*layer.zip"}, hexA, "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"by_technique":     {secret("F-1", hexA), item(exception.Match{Technique: "T1552"}, hexA, "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"no_sub_technique": {secret("F-1", hexA), item(exception.Match{Technique: "T1552.00"}, hexA, "2027-01-01"), false, exception.Counts{}, "", 1},
		"all_must_fit":     {secret("F-1", hexA), item(exception.Match{Finding: "F-1", File: "nodejs/**"}, hexA, "2027-01-01"), false, exception.Counts{}, "", 1},
		"changed_content": {
			secret("F-1", hexB), item(exception.Match{Finding: "F-1"}, hexA, "2027-01-01"), false,
			exception.Counts{Changed: 1},
			"re-opened: exception x (o) is for sha256:abababababab…, the content has changed", 0,
		},
		"content_needed": {
			secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, "", "2027-01-01"), false,
			exception.Counts{},
			"not covered: exception x (o) names no content, which a finding of baked-secret needs", 0,
		},
		"last_day":       {secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, hexA, "2026-11-21"), true, exception.Counts{Suppressed: 1, Expiring: 1}, "", 0},
		"soon":           {secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, hexA, "2026-12-05"), true, exception.Counts{Suppressed: 1, Expiring: 1}, "", 0},
		"not_soon":       {secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, hexA, "2026-12-06"), true, exception.Counts{Suppressed: 1}, "", 0},
		"expired":        {secret("F-1", hexA), item(exception.Match{Finding: "F-1"}, hexA, "2026-11-20"), false, exception.Counts{Expired: 1}, "re-opened: exception x (o) expired on 2026-11-20", 0},
		"vulnerability":  {vulnerability("CVE-2023-43804"), item(exception.Match{CVE: "cve-2023-43804"}, "", "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"by_its_alias":   {vulnerability("CVE-2023-43804"), item(exception.Match{CVE: "GHSA-v845-jxx5-vc9f"}, "", "2027-01-01"), true, exception.Counts{Suppressed: 1}, "", 0},
		"another":        {vulnerability("CVE-2023-43804"), item(exception.Match{CVE: "CVE-2023-4380"}, "", "2027-01-01"), false, exception.Counts{}, "", 1},
		"passed_is_none": {pass, item(exception.Match{Finding: "F-1"}, hexA, "2027-01-01"), false, exception.Counts{}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			findings := []lamina.Finding{tt.finding}
			got, unused := exception.Apply([]exception.Item{tt.item}, findings, now)
			if got != tt.want || len(unused) != tt.unused || (findings[0].Exception != nil) != tt.covered {
				t.Errorf("counts %+v, %d unused, exception %v; want %+v, %d, %t", got, len(unused), findings[0].Exception, tt.want, tt.unused, tt.covered)
			}
			last := ""
			if n := len(findings[0].Evidence); n > len(tt.finding.Evidence) {
				last = findings[0].Evidence[n-1]
			}
			if last != tt.evidence {
				t.Errorf("evidence %q, want %q", last, tt.evidence)
			}
		})
	}
}

// Of two exceptions the one that holds decides, and of two that hold the longer.
func TestApply_several(t *testing.T) {
	items := parse(t, strings.ReplaceAll(`
[[exception]]
id = "old"
match = { finding = "F-1" }
content = "sha256:HEX"
reason = "r"
owner = "o"
expires = 2026-11-01
[[exception]]
id = "short"
match = { check = "baked-secret" }
content = "sha256:HEX"
reason = "r"
owner = "o"
expires = 2026-11-25
[[exception]]
id = "long"
match = { check = "baked-secret" }
content = "sha256:HEX"
reason = "r"
owner = "o"
expires = 2027-01-25
`, "HEX", hexA))
	findings := []lamina.Finding{secret("F-1", hexA)}
	c, unused := exception.Apply(items, findings, now)
	if c != (exception.Counts{Suppressed: 1}) || unused != nil || findings[0].Exception.ID != "long" {
		t.Errorf("%+v, %v, %+v", c, unused, findings[0].Exception)
	}
}

// A finding about several things is covered when each of them is, or when the
// exception names it: the id is another when one comes.
func TestApply_members(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/"
	for name, tt := range map[string]struct {
		match exception.Match
		want  bool
	}{
		"all":        {exception.Match{Check: "c", Resource: role + "orders-*"}, true},
		"some":       {exception.Match{Check: "c", Resource: role + "orders-a"}, false},
		"the_common": {exception.Match{Check: "c", Resource: role + "*"}, true},
		"by_id":      {exception.Match{Finding: "F-GROUP"}, true},
		"of_one":     {exception.Match{Finding: "F-A"}, false},
		"other":      {exception.Match{Finding: "F-OTHER"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			findings := []lamina.Finding{{
				ID: "F-GROUP", Check: "c", Outcome: lamina.Fail, Resource: role + "*",
				Members: []lamina.Member{{ID: "F-A", Resource: role + "orders-a"}, {ID: "F-B", Resource: role + "orders-b"}},
			}}
			now := time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC)
			exception.Apply([]exception.Item{{ID: "x", Match: tt.match, Owner: "o", Reason: "r", Expires: now.AddDate(0, 1, 0)}}, findings, now)
			if got := findings[0].Exception != nil; got != tt.want {
				t.Errorf("covered: %t, want %t", got, tt.want)
			}
		})
	}
}

// Exceptions about some members cover those: they become a finding of their own,
// what is left says so, and no member is lost.
func TestDivide(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/"
	now := time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC)
	group := lamina.Finding{
		ID: "F-GROUP", Check: "c", Outcome: lamina.Fail, Resource: role + "*", Evidence: []string{"x: y"},
		Members: []lamina.Member{{ID: "F-A", Resource: role + "a"}, {ID: "F-B", Resource: role + "b"}, {ID: "F-C", Resource: role + "c"}},
	}
	passed := group
	passed.Outcome = lamina.Pass
	item := func(id string, days int, m exception.Match) exception.Item {
		return exception.Item{ID: id, Match: m, Owner: "o", Reason: "r", Expires: now.AddDate(0, 0, days)}
	}
	part := func(f lamina.Finding, members []lamina.Member) lamina.Finding {
		f.ID, f.Members = "F", members
		for _, m := range members {
			f.ID += strings.TrimPrefix(m.ID, "F")
		}
		return f
	}
	for name, tt := range map[string]struct {
		of    lamina.Finding
		items []exception.Item
		want  []string
	}{
		"none": {group, nil, []string{"F-GROUP [x: y]"}},
		"one": {group, []exception.Item{item("a", 1, exception.Match{Resource: role + "a"})}, []string{
			"F-B-C [x: y; accepted: 1 of 3, by exception a]", "F-A by a [x: y]",
		}},
		"one_by_its_id": {group, []exception.Item{item("a", 1, exception.Match{Finding: "F-A"})}, []string{
			"F-B-C [x: y; accepted: 1 of 3, by exception a]", "F-A by a [x: y]",
		}},
		"two_by_two": {group, []exception.Item{item("a", 1, exception.Match{Resource: role + "a"}), item("b", 1, exception.Match{Resource: role + "b"})}, []string{
			"F-C [x: y; accepted: 2 of 3, by exception a, b]", "F-A by a [x: y]", "F-B by b [x: y]",
		}},
		"what_is_left_by_its_id": {group, []exception.Item{item("a", 1, exception.Match{Resource: role + "a"}), item("rest", 1, exception.Match{Finding: "F-B-C"})}, []string{
			"F-B-C by rest [x: y; accepted: 1 of 3, by exception a]", "F-A by a [x: y]",
		}},
		"two_of_one_id_in_two_files": {group, []exception.Item{{ID: "x", File: "a.toml", Match: exception.Match{Finding: "F-A"}, Owner: "o", Expires: now}, {ID: "x", File: "b.toml", Match: exception.Match{Finding: "F-B"}, Owner: "o", Expires: now}}, []string{
			"F-C [x: y; accepted: 2 of 3, by exception x, x]", "F-A by x [x: y]", "F-B by x [x: y]",
		}},
		"all_by_one":           {group, []exception.Item{item("all", 1, exception.Match{Resource: role + "*"}), item("a", 1, exception.Match{Finding: "F-A"})}, []string{"F-GROUP by all [x: y]"}},
		"the_whole_by_its_id":  {group, []exception.Item{item("all", 1, exception.Match{Finding: "F-GROUP"}), item("a", 9, exception.Match{Finding: "F-A"})}, []string{"F-GROUP by all [x: y]"}},
		"one_that_has_expired": {group, []exception.Item{item("a", -1, exception.Match{Finding: "F-A"})}, []string{"F-B-C [x: y]", "F-A [x: y; re-opened: exception a (o) expired on 2026-06-19]"}},
		"what_passed":          {passed, []exception.Item{item("a", 1, exception.Match{Finding: "F-A"})}, []string{"F-GROUP [x: y]"}},
	} {
		t.Run(name, func(t *testing.T) {
			findings := exception.Divide(tt.items, []lamina.Finding{tt.of}, part, now)
			exception.Apply(tt.items, findings, now)
			var got []string
			members := 0
			for _, f := range findings {
				line := f.ID
				if f.Exception != nil {
					line += " by " + f.Exception.ID
				}
				got = append(got, line+" ["+strings.Join(f.Evidence, "; ")+"]")
				members += len(f.Members)
			}
			if d := cmp.Diff(tt.want, got); d != "" || members != 3 {
				t.Errorf("%d members (-want +got):\n%s", members, d)
			}
		})
	}
}

func TestLint(t *testing.T) {
	items := parse(t, strings.ReplaceAll(`
[[exception]]
id = "gone"
match = { check = "a" }
reason = "r"
owner = "o"
expires = 2026-11-01
[[exception]]
id = "broad"
match = { resource = "*.zip" }
reason = "r"
owner = "o"
expires = 2027-01-01
[[exception]]
id = "narrow"
match = { check = "b", resource = "layer.zip" }
reason = "r"
owner = "o"
expires = 2026-12-01
[[exception]]
id = "same"
match = { check = "b", resource = "layer.zip" }
reason = "r"
owner = "o"
expires = 2026-12-01
[[exception]]
id = "bound"
match = { check = "b", resource = "layer.zip" }
content = "sha256:HEX"
reason = "r"
owner = "o"
expires = 2026-12-01
[[exception]]
id = "misspelt"
match = { check = "c" }
reason = "r"
owner = "o"
expires = 2026-12-01
[[coverage]]
id = "all-of-lambda"
match = { action = "lambda:*" }
reason = "r"
owner = "o"
expires = 2026-12-01
`, "HEX", hexA))
	isCheck := func(name string) bool { return name == "a" || name == "b" }
	var got []string
	for _, p := range exception.Lint(items, isCheck, []lamina.Finding{}, now) {
		got = append(got, p.ID+" "+p.Kind)
	}
	want := []string{
		"gone expired", "gone unused", "broad broad", "broad unused", "narrow overlapping", "narrow unused",
		"same overlapping", "same unused", "bound unused",
		"misspelt unknown", "misspelt unused", "all-of-lambda broad",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := len(exception.Lint(items, isCheck, nil, now)); n != 6 {
		t.Errorf("%d problems without findings", n)
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		path, want bool
	}{
		{"a", "a", true, true},
		{"a", "ab", true, false},
		{"", "", true, true},
		{"*", "a.b", true, true},
		{"*", "a/b", true, false},
		{"*", "a/b", false, true},
		{"**", "a/b", true, true},
		{"**/x", "x", true, true},
		{"**/x", "a/b/x", true, true},
		{"**/x", "a/bx", true, false},
		{"a/**", "a/b/c", true, true},
		{"a/**", "ab/c", true, false},
		{"a/**/z.py", "a/z.py", true, true},
		{"a/**/z.py", "a/b/c/z.py", true, true},
		{"a/*/z.py", "a/b/c/z.py", true, false},
		{"*.py", "é.py", true, true},
		{"arn:aws:lambda:*:111122223333:layer:x-*", "arn:aws:lambda:eu-west-1:111122223333:layer:x-y:3", false, true},
		{"?", "a", true, false},
		{"[a]", "a", true, false},
	} {
		if got := exception.Glob(tt.pattern, tt.s, tt.path); got != tt.want {
			t.Errorf("%q, %q, path %t: got %t", tt.pattern, tt.s, tt.path, got)
		}
	}
}

// The file keeps all it had; what is added reads back as it was.
func TestAppend(t *testing.T) {
	f := secret("F-1", hexA)
	x, err := exception.For(&f, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	x.Reason, x.Owner, x.Expires = "line one\nline \"two\" \\ \x7f\u202e", "o", exception.Day(now).AddDate(0, 0, 90)
	for name, before := range map[string]string{
		"new": "", "after": whole, "no_end": strings.TrimSuffix(whole, "\n"), "windows": strings.ReplaceAll(whole, "\n", "\r\n"),
		"comment_last": whole + "# the end",
	} {
		t.Run(name, func(t *testing.T) {
			data, first, err := exception.Append("f", []byte(before), []exception.Item{x}, now)
			if err != nil {
				t.Fatal(err)
			}
			data, second, err := exception.Append("f", data, []exception.Item{x}, now)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(data), before) {
				t.Errorf("what was there has changed:\n%s", data)
			}
			if first[0].ID != "baked-secret-F-1" || second[0].ID != "baked-secret-F-1-2" {
				t.Errorf("ids %s and %s", first[0].ID, second[0].ID)
			}
			items := parse(t, string(data))
			got := items[len(items)-1]
			if got.Reason != x.Reason || got.Content != hexA || got.Match.Finding != "F-1" || !got.Expires.Equal(x.Expires) {
				t.Errorf("%+v", got)
			}
			if strings.Contains(string(data), "\r\n") && strings.Count(string(data), "\n") != strings.Count(string(data), "\r\n") {
				t.Errorf("line ends are mixed: %q", data)
			}
		})
	}
	if _, _, err := exception.Append("f", []byte("exception = 1"), []exception.Item{x}, now); err == nil {
		t.Error("a file that does not read was added to")
	}
}

// The schema names the keys that the parser reads: one that the parser does not
// know would be an error in the file that the editor calls right.
func TestSchema(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Items struct {
				Properties map[string]struct{ Properties map[string]any }
			}
		}
	}
	b, err := json.Marshal(exception.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	item := s.Properties["exception"].Items.Properties
	for at, keys := range map[string][]string{
		"[[exception]]":                    slices.Sorted(maps.Keys(item)),
		"[[exception]]\n[exception.match]": slices.Sorted(maps.Keys(item["match"].Properties)),
	} {
		_, err := exception.Parse("x", []byte(at+"\nzzzzzzzzzzzz = 1\n"), now)
		var known []string
		joined, ok := err.(interface{ Unwrap() []error }) // all parts are wanted
		if !ok {
			t.Fatalf("%s: got %v, want several errors", at, err)
		}
		for _, e := range joined.Unwrap() {
			if te, ok := errors.AsType[*tomlfile.Error](e); ok && strings.Contains(te.Msg, "zzzz") {
				known = strings.Split(strings.TrimPrefix(te.Hint, "known keys: "), ", ")
			}
		}
		slices.Sort(known)
		if d := cmp.Diff(keys, known); d != "" {
			t.Errorf("%s (-schema +parser):\n%s", at, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("[[exception]]\nmatch = { file = \"**/*/**\" }\n")
	finding := secret("F-1", hexA)
	f.Fuzz(func(t *testing.T, data string) {
		file, err := exception.Parse("x", []byte(data), now)
		if err != nil {
			return
		}
		for _, x := range file.Items {
			if x.Reason == "" || x.Owner == "" || x.Expires.IsZero() || x.Match == (exception.Match{}) {
				t.Errorf("%+v was accepted", x)
			}
		}
		exception.Apply(file.Items, []lamina.Finding{finding}, now)
		exception.Lint(file.Items, func(string) bool { return true }, nil, now)
		if _, _, err := exception.Append("x", []byte(data), nil, now); err != nil {
			t.Error(err)
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a/**/b*", "a/x/y/bc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 100 || len(s) > 100 {
			return
		}
		if !exception.Glob("**", s, true) || !exception.Glob("*", s, false) {
			t.Errorf("%q is not matched by all", s)
		}
		if !strings.Contains(pattern, "*") && exception.Glob(pattern, s, true) != (pattern == s) {
			t.Errorf("%q, %q", pattern, s)
		}
		if got, want := exception.Glob(pattern, s, false), naive(pattern, s); got != want {
			t.Errorf("%q, %q: got %t, want %t", pattern, s, got, want)
		}
	})
}

// naive is Glob where a star stands for anything.
func naive(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
