package gate_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/gate"
)

var now = time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)

// layer is a layer of files: name, content, name, content.
func layer(t *testing.T, files ...string) gate.Layer {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return gate.Layer{Layer: content.Read("layer.zip", bytes.NewReader(b.Bytes()), int64(b.Len()), content.Options{})}
}

func fail(check string, s lamina.Severity, file string) lamina.Finding {
	return lamina.Finding{
		ID: lamina.ID("F", check, "layer.zip", file), Check: check, Title: "title of " + check, Severity: s, Outcome: lamina.Fail,
		Resource: "layer.zip", File: file, SHA256: strings.Repeat("a", 64), Detail: "it is", Evidence: []string{"x: y"},
	}
}

func as(f lamina.Finding, o lamina.Outcome) lamina.Finding {
	f.Outcome = o
	return f
}

func policy(t *testing.T, text string) gate.Policy {
	t.Helper()
	p, err := gate.ParsePolicy("p.toml", []byte(text), []string{"a", "b", "known-vulnerability"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func vulnerability(s lamina.Severity, evidence ...string) lamina.Finding {
	f := fail("known-vulnerability", s, "python/x.dist-info/METADATA")
	f.Evidence = evidence
	return f
}

// ids are the checks of the findings that decided.
func decided(d gate.Decision) string {
	var out []string
	for _, id := range d.Because {
		for _, f := range d.Findings {
			if f.ID == id {
				out = append(out, f.Check)
			}
		}
	}
	return strings.Join(out, " ")
}

func TestDecide(t *testing.T) {
	pass := as(fail("a", lamina.High, ""), lamina.Pass)
	unknown := as(fail("b", lamina.Low, ""), lamina.Unknown)
	for name, tt := range map[string]struct {
		policy   string
		findings []lamina.Finding
		want     lamina.Outcome
		because  string
	}{
		"clean":              {"", []lamina.Finding{pass}, lamina.Pass, ""},
		"below":              {"", []lamina.Finding{fail("a", lamina.Medium, "f")}, lamina.Pass, ""},
		"at":                 {"", []lamina.Finding{fail("a", lamina.High, "f")}, lamina.Fail, "a"},
		"lower_bar":          {`fail_on = "low"`, []lamina.Finding{fail("a", lamina.Medium, "f")}, lamina.Fail, "a"},
		"never":              {`fail_on = "never"`, []lamina.Finding{fail("a", lamina.Critical, "f")}, lamina.Pass, ""},
		"unknown":            {"", []lamina.Finding{pass, unknown}, lamina.Unknown, "b"},
		"unknown_may_pass":   {"require_complete = false", []lamina.Finding{pass, unknown}, lamina.Pass, ""},
		"fail_wins":          {"", []lamina.Finding{unknown, fail("a", lamina.High, "f")}, lamina.Fail, "a"},
		"no_analyzer_looks":  {"", nil, lamina.Unknown, ""},
		"raised":             {"[analyzers.a]\nseverity = \"high\"\nreason = \"r\"", []lamina.Finding{fail("a", lamina.Low, "f")}, lamina.Fail, "a"},
		"lowered":            {"[analyzers.a]\nseverity = \"low\"\nreason = \"r\"", []lamina.Finding{fail("a", lamina.Critical, "f")}, lamina.Pass, ""},
		"off":                {"[analyzers.a]\noff = true\nreason = \"r\"", []lamina.Finding{fail("a", lamina.Critical, "f")}, lamina.Pass, ""},
		"off_though_unknown": {"[analyzers.b]\noff = true\nreason = \"r\"", []lamina.Finding{pass, unknown}, lamina.Pass, ""},
		"vulnerable":         {"", []lamina.Finding{vulnerability(lamina.High)}, lamina.Fail, "known-vulnerability"},
		"tolerated":          {"[vulnerabilities]\nmax_severity = \"high\"", []lamina.Finding{vulnerability(lamina.High)}, lamina.Pass, ""},
		"above_tolerated":    {"[vulnerabilities]\nmax_severity = \"low\"", []lamina.Finding{vulnerability(lamina.Medium)}, lamina.Fail, "known-vulnerability"},
		"none_tolerated":     {"[vulnerabilities]\nmax_severity = \"none\"", []lamina.Finding{vulnerability(lamina.Info)}, lamina.Fail, "known-vulnerability"},
		"not_fixable":        {"[vulnerabilities]\nonly_fixable = true", []lamina.Finding{vulnerability(lamina.High, "fixed: none")}, lamina.Pass, ""},
		"fixable":            {"[vulnerabilities]\nonly_fixable = true", []lamina.Finding{vulnerability(lamina.High, "fixed in: 2.0.7")}, lamina.Fail, "known-vulnerability"},
	} {
		t.Run(name, func(t *testing.T) {
			d := gate.Decide(gate.Input{Policy: policy(t, tt.policy), Findings: tt.findings, Now: now})
			if d.Outcome != tt.want || decided(d) != tt.because {
				t.Errorf("got %s because of %q, want %s and %q", d.Outcome, decided(d), tt.want, tt.because)
			}
			if a := d.Answer(policy(t, tt.policy)); a.Asks != "gate: "+string(tt.want) || a.Outcome != tt.want {
				t.Errorf("%+v", a)
			}
		})
	}
}

// approvedUntil approves the layer's content for so many days.
func approvedUntil(l gate.Layer, days int) func(*gate.Input) {
	return func(in *gate.Input) {
		in.Approvals = &approval.Set{Now: now, Items: []approval.Item{{
			Kind: approval.Layer, ID: "a", Layer: "arn:aws:lambda:*:999999999999:layer:a:*", Digest: l.SHA256, Owner: "o", Expires: exception.Day(now).AddDate(0, 0, days),
		}}}
	}
}

// What the policy asks of a layer as a whole.
func TestDecide_requirements(t *testing.T) {
	python := layer(t,
		"python/lib/python3.12/site-packages/acme-1.dist-info/METADATA", "Name: acme\nVersion: 1\n",
		"python/lib/python3.12/site-packages/acme-1.dist-info/RECORD", "",
		"python/lib/python3.12/site-packages/zeta-1.dist-info/METADATA", "Name: zeta\nVersion: 1\n",
		"extensions/agent", "#!/bin/sh\n", "bin/tool", "\x7fELF\x02")
	reading := python
	reading.Architecture = func(f *content.File) string {
		if f.Kind == content.ELF {
			return "x86_64"
		}
		return ""
	}
	damaged := gate.Layer{Layer: content.Read("layer.zip", strings.NewReader("no zip"), 6, content.Options{})}
	listed := []lamina.Package{
		{Resource: "layer.zip", PURL: "pkg:pypi/acme@1", Name: "acme", Version: "1", Licenses: []string{"MIT OR GPL-3.0-only"}},
		{Resource: "layer.zip", PURL: "pkg:pypi/zeta@1", Name: "zeta", Version: "1", Licenses: []string{"Apache-2.0 AND (AGPL-3.0-only WITH X)"}},
		{Resource: "layer.zip", PURL: "pkg:pypi/bare@1", Name: "bare", Version: "1"},
		{Resource: "other.zip", PURL: "pkg:pypi/far@1", Name: "far", Version: "1", Licenses: []string{"AGPL-3.0-only"}},
	}
	said := func(text string) func(*gate.Input) {
		return func(in *gate.Input) {
			in.Packages = []lamina.Package{{Resource: "layer.zip", PURL: "pkg:pypi/psy@1", Name: "psy", Version: "1", LicenseText: text}}
		}
	}
	licensed := func(expression string) func(*gate.Input) {
		return func(in *gate.Input) {
			in.Packages = []lamina.Package{{Resource: "layer.zip", PURL: "pkg:pypi/psy@1", Name: "psy", Version: "1", Licenses: []string{expression}}}
		}
	}
	pure := layer(t, "python/acme.py", "")
	native := layer(t, "python/acme.cpython-311-x86_64-linux-gnu.so", "\x7fELF\x02")
	in312 := pure
	in312.Runtime = "python3.12"
	for name, tt := range map[string]struct {
		policy  string
		layer   gate.Layer
		change  func(*gate.Input)
		want    lamina.Outcome
		because string
	}{
		"nothing_asked":        {"", python, nil, lamina.Pass, ""},
		"few_files":            {"[layer]\nmax_files = 4", python, nil, lamina.Fail, "gate-files"},
		"enough_files":         {"[layer]\nmax_files = 5\nmax_unzipped_mb = 1", python, nil, lamina.Pass, ""},
		"forbidden":            {"[layer]\nforbidden_paths = [\"extensions/**\", \"**/tool\"]", python, nil, lamina.Fail, "gate-path gate-path"},
		"not_forbidden":        {"[layer]\nforbidden_paths = [\"**/*.pth\", \"agent\"]", python, nil, lamina.Pass, ""},
		"runtime":              {"[layer]\nruntimes = [\"nodejs*\", \"python3.13\"]", python, nil, lamina.Fail, "gate-runtime"},
		"runtime_fits":         {"[layer]\nruntimes = [\"python3.*\"]", python, nil, lamina.Pass, ""},
		"architecture_unread":  {"[layer]\narchitectures = [\"arm64\"]", python, nil, lamina.Unknown, "gate-architecture"},
		"architecture":         {"[layer]\narchitectures = [\"arm64\"]", reading, nil, lamina.Fail, "gate-architecture"},
		"architecture_fits":    {"[layer]\narchitectures = [\"arm64\", \"x86_64\"]", reading, nil, lamina.Pass, ""},
		"record":               {"[layer]\nrequire_record = true", python, nil, lamina.Fail, "gate-record"},
		"approval":             {"[layer]\nrequire_approval = true", python, nil, lamina.Fail, "gate-approval"},
		"approved":             {"[layer]\nrequire_approval = true", python, approvedUntil(python, 1), lamina.Pass, ""},
		"approval_ended":       {"[layer]\nrequire_approval = true", python, approvedUntil(python, -1), lamina.Fail, "gate-approval"},
		"another_approved":     {"[layer]\nrequire_approval = true", python, approvedUntil(native, 1), lamina.Fail, "gate-approval"},
		"packages_unlisted":    {"[licences]\ndenied = [\"AGPL-*\"]", python, func(in *gate.Input) { in.Listed = false }, lamina.Unknown, "gate-licence"},
		"denied":               {"[licences]\ndenied = [\"agpl-*\"]", python, nil, lamina.Fail, "gate-licence"},
		"one_choice_is_fine":   {"[licences]\ndenied = [\"GPL-*\"]", python, licensed("MIT OR GPL-3.0-only"), lamina.Pass, ""},
		"group_of_choices":     {"[licences]\ndenied = [\"GPL-*\"]", python, licensed("(MIT OR GPL-3.0-only) AND GPL-2.0-only"), lamina.Fail, "gate-licence"},
		"not_an_expression":    {"[licences]\ndenied = [\"GPL-*\"]", python, licensed("(MIT OR OR"), lamina.Unknown, "gate-licence"},
		"allowed":              {"[licences]\nallowed = [\"MIT\", \"Apache-2.0\"]", python, nil, lamina.Fail, "gate-licence"},
		"names_none":           {"[licences]\ndenied = [\"GPL-*\"]", python, nil, lamina.Unknown, "gate-licence"},
		"family_denied":        {"[licences]\ndenied = [\"LGPL-*\"]", python, said("LGPL with exceptions"), lamina.Fail, "gate-licence"},
		"family_denied_partly": {"[licences]\ndenied = [\"LGPL-3.0-*\"]", python, said("LGPL with exceptions"), lamina.Unknown, "gate-licence"},
		"family_not_denied":    {"[licences]\ndenied = [\"AGPL-*\"]", python, said("LGPL with exceptions"), lamina.Pass, ""},
		"family_allowed":       {"[licences]\nallowed = [\"BSD-*\", \"0BSD\"]", python, said("BSD License"), lamina.Pass, ""},
		"one_of_several":       {"[licences]\ndenied = [\"GPL-*\"]", python, said("MIT; GNU General Public License (GPL)"), lamina.Unknown, "gate-licence"},
		"text_not_understood":  {"[licences]\ndenied = [\"GPL-*\"]", python, said("see LICENSE"), lamina.Unknown, "gate-licence"},
		"runtime_of_module":    {"[layer]\nruntimes = [\"python3.12\"]", native, nil, lamina.Fail, "gate-runtime"},
		"runtime_of_function":  {"[layer]\nruntimes = [\"python3.12\"]", in312, nil, lamina.Pass, ""},
		"runtime_refused":      {"[layer]\nruntimes = [\"python3.13\"]", in312, nil, lamina.Fail, "gate-runtime"},
		"runtime_not_said":     {"[layer]\nruntimes = [\"python3.12\"]", pure, nil, lamina.Unknown, "gate-runtime"},
		"any_runtime_of_it":    {"[layer]\nruntimes = [\"python*\"]", pure, nil, lamina.Pass, ""},
		"no_runtime_of_it":     {"[layer]\nruntimes = [\"nodejs*\"]", pure, nil, lamina.Fail, "gate-runtime"},
		"runtime_of_nothing":   {"[layer]\nruntimes = [\"python*\"]", layer(t, "bin/tool", ""), nil, lamina.Unknown, "gate-runtime"},
		"no_data":              {"[vulnerabilities]\nmax_data_age_days = 7", python, nil, lamina.Unknown, "gate-vulnerability-data"},
		"old_data":             {"[vulnerabilities]\nmax_data_age_days = 7", python, func(in *gate.Input) { in.DataFrom = now.AddDate(0, 0, -8) }, lamina.Unknown, "gate-vulnerability-data"},
		"fresh_data":           {"[vulnerabilities]\nmax_data_age_days = 7", python, func(in *gate.Input) { in.DataFrom = now.AddDate(0, 0, -7) }, lamina.Pass, ""},
		"unreadable_not_asked": {"[layer]\nmax_files = 1\nrequire_record = true", damaged, nil, lamina.Pass, ""},
		"never_is_no_excuse":   {"fail_on = \"never\"\n[layer]\nmax_files = 1", python, nil, lamina.Fail, "gate-files"},
	} {
		t.Run(name, func(t *testing.T) {
			in := gate.Input{
				Policy: policy(t, tt.policy), Layers: []gate.Layer{tt.layer}, Findings: []lamina.Finding{as(fail("a", lamina.High, ""), lamina.Pass)},
				Packages: listed, Listed: true, Now: now,
			}
			if tt.change != nil {
				tt.change(&in)
			}
			d := gate.Decide(in)
			if d.Outcome != tt.want || decided(d) != tt.because {
				t.Errorf("got %s because of %q, want %s and %q", d.Outcome, decided(d), tt.want, tt.because)
			}
			ids := map[string]bool{}
			for _, f := range d.Findings {
				if ids[f.ID] {
					t.Errorf("two findings are %s", f.ID)
				}
				ids[f.ID] = true
				if f.Outcome == lamina.Unknown && (f.Reason == "" || f.Settle == "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestDecide_baseline(t *testing.T) {
	old := fail("a", lamina.High, "f")
	with := func(f lamina.Finding, change func(*lamina.Finding)) lamina.Finding {
		change(&f)
		return f
	}
	elsewhere := with(old, func(f *lamina.Finding) { f.ID, f.Resource = "F-ELSEWHERE", "dist/layer.zip" })
	wide := with(fail("a", lamina.High, ""), func(f *lamina.Finding) { f.SHA256 = strings.Repeat("b", 64) })
	for name, tt := range map[string]struct {
		policy     string
		main, here []lamina.Finding
		want       lamina.Outcome
		known, new int
		fixed      int
	}{
		"known":              {"", []lamina.Finding{old}, []lamina.Finding{old}, lamina.Pass, 1, 0, 0},
		"new":                {"", nil, []lamina.Finding{old}, lamina.Fail, 0, 1, 0},
		"changed_content":    {"", []lamina.Finding{old}, []lamina.Finding{with(old, func(f *lamina.Finding) { f.SHA256 = strings.Repeat("c", 64) })}, lamina.Fail, 0, 1, 0},
		"worse":              {"", []lamina.Finding{with(old, func(f *lamina.Finding) { f.Severity = lamina.Low })}, []lamina.Finding{old}, lamina.Fail, 0, 1, 0},
		"built_elsewhere":    {"", []lamina.Finding{elsewhere}, []lamina.Finding{old}, lamina.Pass, 1, 0, 0},
		"whole_archive":      {"", []lamina.Finding{fail("a", lamina.High, "")}, []lamina.Finding{wide}, lamina.Pass, 1, 0, 0},
		"debt_counts":        {"new_only = false", []lamina.Finding{old}, []lamina.Finding{old}, lamina.Fail, 1, 0, 0},
		"excepted_was_none":  {"", []lamina.Finding{with(old, func(f *lamina.Finding) { f.Exception = &lamina.Exception{} })}, []lamina.Finding{old}, lamina.Fail, 0, 1, 0},
		"fixed":              {"", []lamina.Finding{old}, []lamina.Finding{as(old, lamina.Pass)}, lamina.Pass, 0, 0, 1},
		"unknown_is_not":     {"", []lamina.Finding{old}, []lamina.Finding{as(fail("a", lamina.High, ""), lamina.Unknown)}, lamina.Unknown, 0, 0, 0},
		"turned_off_is_not":  {"[analyzers.a]\noff = true\nreason = \"r\"", []lamina.Finding{old}, []lamina.Finding{old}, lamina.Pass, 0, 0, 0},
		"unknown_stays_shut": {"", []lamina.Finding{as(old, lamina.Unknown)}, []lamina.Finding{as(old, lamina.Unknown)}, lamina.Unknown, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := gate.Decide(gate.Input{Policy: policy(t, tt.policy), Findings: tt.here, Baseline: gate.NewBaseline("main.json", tt.main), Now: now})
			if d.Outcome != tt.want || d.Known != tt.known || d.New != tt.new || len(d.Fixed) != tt.fixed {
				t.Errorf("got %s, %d known, %d new, %d fixed; want %+v", d.Outcome, d.Known, d.New, len(d.Fixed), tt)
			}
		})
	}
}

// A requirement of the policy is no debt.
// A baseline that has each member of a finding has the finding, whether it was
// saved as one or as many.
func TestBaseline_members(t *testing.T) {
	finding := func(detail string, members ...string) *lamina.Finding {
		f := &lamina.Finding{ID: "F-" + strings.Join(members, ""), Check: "c", Outcome: lamina.Fail, Severity: lamina.High, Detail: detail}
		if len(members) > 1 {
			for _, m := range members {
				f.Members = append(f.Members, lamina.Member{ID: "F-" + m})
			}
		}
		return f
	}
	b := gate.NewBaseline("b.json", []lamina.Finding{*finding("2 principals reach 1 function", "A", "B"), *finding("1 principal reaches 1 function", "C")})
	for name, tt := range map[string]struct {
		f    *lamina.Finding
		want bool
	}{
		"the_same":     {finding("2 principals reach 1 function", "A", "B"), true},
		"one_is_gone":  {finding("1 principal reach 1 function", "A"), true},
		"one_has_come": {finding("2 principals reach 2 functions", "A", "B", "D"), false},
		"more_severe": {func() *lamina.Finding {
			f := finding("2 principals reach 1 function", "A", "B")
			f.Severity = lamina.Critical
			return f
		}(), false},
		"other_words": {finding("everyone reaches it", "A", "B"), false},
	} {
		if got := b.Knows(tt.f); got != tt.want {
			t.Errorf("%s: known %t, want %t", name, got, tt.want)
		}
	}
}

func TestDecide_baseline_and_requirements(t *testing.T) {
	in := gate.Input{
		Policy: policy(t, "[layer]\nmax_files = 1"), Layers: []gate.Layer{layer(t, "a", "", "b", "")},
		Findings: []lamina.Finding{as(fail("a", lamina.High, ""), lamina.Pass)}, Now: now,
	}
	first := gate.Decide(in)
	in.Baseline = gate.NewBaseline("main.json", first.Findings)
	if d := gate.Decide(in); d.Outcome != lamina.Fail || d.Known != 1 {
		t.Errorf("%s, %d known", d.Outcome, d.Known)
	}
}

func TestDecide_exceptions(t *testing.T) {
	items := []exception.Item{{ID: "x", Match: exception.Match{Check: "a"}, Reason: "r", Owner: "o", Expires: now.AddDate(0, 0, 3)}}
	unknown := as(fail("a", lamina.Low, ""), lamina.Unknown)
	for name, f := range map[string]lamina.Finding{"failed": fail("a", lamina.Critical, "f"), "unknown": unknown} {
		d := gate.Decide(gate.Input{Policy: gate.Default(), Findings: []lamina.Finding{f}, Exceptions: items, Now: now})
		if d.Outcome != lamina.Pass || d.Exceptions != (exception.Counts{Suppressed: 1, Expiring: 1}) {
			t.Errorf("%s: %s, %+v", name, d.Outcome, d.Exceptions)
		}
		d = gate.Decide(gate.Input{Policy: gate.Default(), Findings: []lamina.Finding{f}, Exceptions: items, Now: now.AddDate(0, 0, 4)})
		if d.Outcome != f.Outcome || d.Exceptions != (exception.Counts{Expired: 1}) {
			t.Errorf("%s, later: %s, %+v", name, d.Outcome, d.Exceptions)
		}
	}
}

func TestAnswer(t *testing.T) {
	a := fail("a", lamina.High, "python/f.py")
	a.Line = 3
	d := gate.Decide(gate.Input{
		Policy: policy(t, "[analyzers.b]\nseverity = \"low\"\nreason = \"r\""), Findings: []lamina.Finding{a, fail("b", lamina.High, "g")},
		Baseline: gate.NewBaseline("main.json", []lamina.Finding{fail("known-vulnerability", lamina.High, "h")}), Now: now,
	})
	got := d.Answer(policy(t, "[analyzers.b]\nseverity = \"low\"\nreason = \"r\""))
	want := lamina.Answer{
		Question: "gate", Asks: "gate: FAIL", Outcome: lamina.Fail,
		Text: "1 finding decides; p.toml fails on high and above, b counts as low",
		Evidence: []string{
			a.ID + " high a: title of a in python/f.py:3",
			"fixed since the baseline: " + fail("known-vulnerability", "", "h").ID + " known-vulnerability: title of known-vulnerability in h",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A layer that cannot be opened is never let through.
func TestDecide_not_a_zip(t *testing.T) {
	l := content.Read("x.zip", strings.NewReader("no zip"), 6, content.Options{})
	analyzers := []content.Analyzer{{ID: "a", Run: func(*content.Scan, int, func(content.Result)) error { return errors.New("no") }}}
	findings := content.Judge(analyzers, &content.Scan{Layers: []*content.Layer{l}})
	if d := gate.Decide(gate.Input{Policy: gate.Default(), Layers: []gate.Layer{{Layer: l}}, Findings: findings, Now: now}); d.Outcome != lamina.Unknown {
		t.Errorf("got %s", d.Outcome)
	}
}
