package report

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
)

// gated is the stream of a gate: the decision, a layer in a folder and one in an
// archive, one finding that decides, one below, one accepted, one unknown.
func gated() []lamina.Message {
	finding := func(id, check string, s lamina.Severity, o lamina.Outcome, resource, file string, line int) lamina.Message {
		f := &lamina.Finding{
			ID: id, Check: check, Title: "title of " + check, Severity: s, Outcome: o, Resource: resource, File: file, Line: line,
			Detail: "what was seen", SHA256: strings.Repeat("ab", 32), Techniques: []string{"T1552.001", "none"},
		}
		switch o {
		case lamina.Unknown:
			f.Reason, f.Settle = "nobody could read it", "a file that reads"
		case lamina.Fail:
			f.Evidence, f.Remediation = []string{"kind: value"}, "do this: rotate, then publish"
		case lamina.Pass, lamina.NotApplicable:
		}
		return lamina.Message{Finding: f}
	}
	accepted := finding("F-ACCEPTED", "baked-secret", lamina.Critical, lamina.Fail, "layer.zip", "python/fixture.py", 3)
	accepted.Finding.Exception = &lamina.Exception{ID: "fixture", Reason: "a key of the documentation", Owner: "platform@corp.example", Expires: "2027-02-01"}
	return []lamina.Message{
		{Version: &lamina.Version{Messages: 1, Lamina: "0.1.0-test", Command: "gate"}},
		{Answer: &lamina.Answer{
			Question: "gate", Asks: "gate: FAIL", Outcome: lamina.Fail, Text: "1 finding decides; p.toml fails on high and above",
			Evidence: []string{"F-DECIDES critical baked-secret: title of baked-secret in python/a.py:7"},
		}},
		{Content: &lamina.Content{Resource: "layer.zip", Kind: "layer zip", SHA256: strings.Repeat("cd", 32), Size: 1300, Inflated: 5000, Files: 3, Read: 2, Runtimes: []string{"python3.12"}}},
		{Package: &lamina.Package{Resource: "layer.zip", PURL: "pkg:pypi/acme@1", Ecosystem: "PyPI", Name: "acme", Version: "1", Licenses: []string{"MIT"}, How: "installed"}},
		finding("F-DECIDES", "baked-secret", lamina.Critical, lamina.Fail, "layer.zip", "python/a.py", 7),
		finding("F-BELOW", "source-map", lamina.Low, lamina.Fail, "build/layer", "nodejs/x, y: 100%.js", 12),
		finding("F-MEDIUM", "install-hook", lamina.Medium, lamina.Fail, "build/layer", "package.json", 0),
		finding("F-WHOLE", "gate-size", lamina.High, lamina.Fail, "layer.zip", "", 0),
		accepted,
		finding("F-UNKNOWN", "known-vulnerability", lamina.High, lamina.Unknown, "arn:aws:lambda:eu-west-1:111122223333:layer:x:1", "python/b.py", 0),
		finding("F-PASSED", "miner", lamina.High, lamina.Pass, "layer.zip", "", 0),
		finding("F-NONE", "wrong-architecture", lamina.High, lamina.NotApplicable, "layer.zip", "", 0),
		{Skipped: &lamina.Skipped{File: "layer.zip!/python/b.py", Offset: -1, Reason: "checksum differs"}},
		{Summary: &lamina.Summary{
			Command: "gate", Counts: map[string]int64{"layers": 2, "critical": 1}, Incomplete: []string{"layer.zip!/python/b.py: checksum differs"},
			Failed: []string{"F-DECIDES"}, Coverage: "2/3 files of 1 layer read",
		}},
	}
}

var later = []struct{ format, ext string }{{"junit", "xml"}, {"html", "html"}, {"github", "txt"}, {"markdown", "md"}, {"sarif", "sarif"}, {"table", "table"}}

// A row of a table is one line that fits, whatever is in it, and every result has
// one.
func TestTable_rows(t *testing.T) {
	messages := append(gated(), hostile("\x1b[2J wide 漢字 "+strings.Repeat("long ", 200))...)
	for _, columns := range []int{40, 80, 120} {
		out := render(t, "table", Options{Width: columns}, messages)
		for line := range strings.Lines(out[strings.Index(out, "SEVERITY"):strings.Index(out, "\ncoverage")]) {
			if n := width(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d columns in %d: %s", n, columns, line)
			}
		}
		for _, id := range []string{"F-DECIDES", "F-BELOW", "F-MEDIUM", "F-WHOLE", "F-ACCEPTED", "F-UNKNOWN"} {
			if strings.Count(out, id+"\n") != 1 {
				t.Errorf("%s is in %d rows", id, strings.Count(out, id+"\n"))
			}
		}
	}
}

// LAMINA_UPDATE=1 rewrites what is expected.
func TestFormats_golden(t *testing.T) {
	for _, f := range later {
		for name, messages := range map[string][]lamina.Message{"mixed": golden(t), "gate": gated()} {
			if name == "mixed" && (f.format == "markdown" || f.format == "sarif" || f.format == "table") {
				continue // in testdata/mixed.txtar
			}
			file := filepath.Join("testdata", "formats", name+"."+f.ext)
			got := render(t, f.format, Options{}, messages)
			if os.Getenv("LAMINA_UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got), LAMINA_UPDATE=1 accepts:\n%s", file, d)
			}
		}
	}
}

// The page loads nothing, runs nothing, and every reader finds its way: each
// table has a caption and scoped headers, each link in the page leads somewhere,
// no id is there twice.
func TestHTML_stands_alone(t *testing.T) {
	for _, messages := range [][]lamina.Message{golden(t), gated(), estateMessages(t), {{Version: &lamina.Version{}}}} {
		out := render(t, "html", Options{}, messages)
		for _, no := range []string{"<script", "src=", "@import", "url(", "<link", "<img", "<iframe", " on", "style=\""} {
			if i := strings.Index(strings.ToLower(tagsOf(out)), no); i >= 0 {
				t.Errorf("the page has %q", no)
			}
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(out, -1) {
			if ids[m[1]] {
				t.Errorf("id %s is there twice", m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(out, -1) {
			to, inPage := strings.CutPrefix(m[1], "#")
			if inPage && !ids[to] || !inPage && !strings.HasPrefix(to, "https://attack.mitre.org/techniques/T") {
				t.Errorf("a link leads to %s", m[1])
			}
		}
		if tables := strings.Count(out, "<table>"); tables != strings.Count(out, "<caption>") {
			t.Errorf("%d tables, %d captions", tables, strings.Count(out, "<caption>"))
		}
		if strings.Contains(out, "<th>") || !strings.Contains(out, `<html lang="en">`) {
			t.Error("a header without scope, or a page without a language")
		}
		for _, tag := range []string{"section", "article", "table", "ul", "dl", "div", "main", "p", "li", "tr", "td"} {
			open, closed := len(regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(out, -1)), strings.Count(out, "</"+tag+">")
			if open != closed {
				t.Errorf("%d <%s>, %d closed", open, tag, closed)
			}
		}
	}
}

// tagsOf is all that stands between < and > and in no quoted value, where an
// attack would have to be.
func tagsOf(page string) string {
	tags := strings.Join(regexp.MustCompile(`<[^!](?:"[^"]*"|[^>"])*>`).FindAllString(page, -1), "\n")
	return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tags, `""`)
}

// hostile is a stream with one string in every place that is not ours.
func hostile(evil string) []lamina.Message {
	return []lamina.Message{
		{Version: &lamina.Version{Messages: 1, Lamina: evil, Command: evil}},
		{Answer: &lamina.Answer{Question: "gate", Asks: evil, Text: evil, Outcome: lamina.Fail, Evidence: []string{evil}}},
		{Content: &lamina.Content{Resource: evil, Kind: evil, SHA256: evil, Runtimes: []string{evil}}},
		{Package: &lamina.Package{Resource: evil, PURL: evil, Ecosystem: evil, Name: evil, Version: evil, Licenses: []string{evil}, How: evil, Files: []string{evil}}},
		{Finding: &lamina.Finding{
			ID: evil, Check: evil, Ref: evil, Title: evil, Severity: lamina.High, Outcome: lamina.Fail, Resource: evil, File: evil, Line: 1, SHA256: evil,
			Detail: evil, Evidence: []string{evil}, Techniques: []string{evil, "T" + evil}, Remediation: evil,
			Exception: &lamina.Exception{ID: evil, Reason: evil, Owner: evil, Expires: evil},
		}},
		{Finding: &lamina.Finding{
			ID: "F-1", Check: evil, Title: evil, Severity: lamina.High, Outcome: lamina.Fail, Resource: evil, File: evil, Detail: evil, Evidence: []string{evil}, Remediation: evil,
		}},
		{Finding: &lamina.Finding{ID: evil + "2", Check: evil, Title: evil, Severity: lamina.Low, Outcome: lamina.Unknown, Resource: evil, File: evil, Detail: evil, Reason: evil, Settle: evil}},
		{Finding: &lamina.Finding{ID: evil + "3", Check: evil, Title: evil, Severity: lamina.Low, Outcome: lamina.Pass, Resource: evil}},
		{Alert: &lamina.Alert{
			ID: evil + "4", Rule: lamina.RuleRef{ID: evil, File: evil, Name: evil, Techniques: []string{evil}}, Severity: lamina.High, Reason: evil,
			Fields: []lamina.FieldValues{{Field: evil, Values: []string{evil}}}, File: evil,
		}},
		{Exposure: &lamina.Exposure{ID: evil + "5", Title: evil, Severity: lamina.Info, Resource: evil, Who: evil, Path: []string{evil}, Reasons: []string{evil}}},
		{Answer: &lamina.Answer{Asks: evil, Text: evil, Evidence: []string{evil}, Outcome: lamina.Unknown, Reason: evil, Settle: evil}},
		{Plan: &lamina.Plan{ID: evil, Fix: evil, Exposure: evil, Steps: []lamina.Step{{Action: evil, Resource: evil, Args: map[string]string{evil: evil}}}, Breaks: []string{evil}}},
		{Skipped: &lamina.Skipped{File: evil, Reason: evil}},
		{Warning: &lamina.Warning{Subject: evil, Text: evil, Hint: evil}},
		{Summary: &lamina.Summary{Command: evil, Coverage: evil, Incomplete: []string{evil}, Counts: map[string]int64{evil: 1}, Failed: []string{"F-1", evil}}},
	}
}

// No string from outside becomes markup, a command or something that cannot be
// seen, in any of these formats.
func TestFormats_hostile(t *testing.T) {
	for _, evil := range []string{
		`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</style><img src=x onerror=alert(1)>`, `]]><x/>`, `--><i>`,
		"a\n::error file=x::forged", "%0A::error::forged", "a\x1b[2J\u202e\u200b\u009b\x00\xff\r\nz", "{{.Style}}", "<!doctype", "&lt;script&gt;",
	} {
		messages := hostile(evil)
		page := render(t, "html", Options{}, messages)
		tags := tagsOf(page)
		for _, no := range []string{"<script", "<img", "<i>", " onmouseover", " onerror"} {
			if strings.Contains(tags, no) {
				t.Errorf("%q: the page has %s", evil, no)
			}
		}
		if strings.Contains(page, `href="javascript`) {
			t.Errorf("%q: a link runs", evil)
		}
		if n := strings.Count(page, "</style>"); n != 1 {
			t.Errorf("%q: %d ends of style", evil, n)
		}
		doc := render(t, "junit", Options{}, messages)
		var suites struct{}
		if err := xml.Unmarshal([]byte(doc), &suites); err != nil {
			t.Errorf("%q: junit is no XML: %v", evil, err)
		}
		commands := render(t, "github", Options{}, messages)
		for l := range strings.Lines(commands) {
			if !regexp.MustCompile(`^::(error|warning|notice) `).MatchString(l) || strings.HasPrefix(l, "::error file=x::") {
				t.Errorf("%q: a command is forged: %q", evil, l)
			}
		}
		if strings.Contains(commands, "%0A") && !strings.Contains(evil, "%0A") || strings.Contains(commands, "file=%0A") {
			t.Errorf("%q: %q", evil, commands)
		}
		for name, out := range map[string]string{"html": page, "junit": doc, "github": commands} {
			if i := strings.IndexFunc(out, invisible); i >= 0 {
				t.Errorf("%q in %s: %q", evil, name, out[max(0, i-20):min(len(out), i+20)])
			}
		}
	}
}

// invisible reports whether a character has no place in an output.
func invisible(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar)
}

// JUnit's counts are those of its cases, and what is unknown is no success.
func TestJUnit_counts(t *testing.T) {
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var doc struct {
		counts
		Suites []struct {
			counts
			Cases []struct {
				Failure, Error, Skipped *struct{}
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	// encoding/xml matches elements by the names of fields.
	out := strings.NewReplacer("<failure", "<Failure", "</failure", "</Failure", "<error", "<Error", "</error", "</Error", "<skipped", "<Skipped").Replace(render(t, "junit", Options{}, gated()))
	if err := xml.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	var total counts
	for _, s := range doc.Suites {
		var got counts
		for _, c := range s.Cases {
			got.Tests++
			if c.Failure != nil {
				got.Failures++
			}
			if c.Error != nil {
				got.Errors++
			}
			if c.Skipped != nil {
				got.Skipped++
			}
		}
		if got != s.counts {
			t.Errorf("counts %+v, cases %+v", s.counts, got)
		}
		total.Tests, total.Failures, total.Errors, total.Skipped = total.Tests+got.Tests, total.Failures+got.Failures, total.Errors+got.Errors, total.Skipped+got.Skipped
	}
	if want := (counts{9, 1, 2, 2}); total != want || doc.counts != want {
		t.Errorf("%+v, at the head %+v, want %+v", total, doc.counts, want)
	}
}

// GitHub shows ten annotations of a kind; the worst are written, and how many
// there are.
func TestGitHub_is_capped(t *testing.T) {
	messages := []lamina.Message{{Version: &lamina.Version{}}}
	summary := lamina.Summary{Complete: true, Coverage: "all"}
	for i := range 500 {
		id := fmt.Sprintf("F-%d", i)
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{ID: id, Title: id, Severity: lamina.Severities[i%5], Outcome: lamina.Fail, Resource: "l.zip"}})
		if i%5 == 4 {
			summary.Failed = append(summary.Failed, id)
		}
	}
	out := render(t, "github", Options{}, append(messages, lamina.Message{Summary: &summary}))
	if n := strings.Count(out, "::error "); n != 9 {
		t.Errorf("%d errors", n)
	}
	if n := strings.Count(out, "::warning "); n != 10 || !strings.Contains(out, "::282 more; ") {
		t.Errorf("%d warnings:\n%s", n, out)
	}
}

// A page holds the worst results and says how many it left out.
func TestHTML_is_capped(t *testing.T) {
	messages := []lamina.Message{{Version: &lamina.Version{}}}
	for i := range 3*maxOnPage + 1 {
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{
			ID: fmt.Sprintf("F-%d", i), Title: "t", Severity: lamina.Severities[i%5], Outcome: lamina.Fail, Resource: "l.zip",
		}})
	}
	out := render(t, "html", Options{}, append(messages, lamina.Message{Summary: &lamina.Summary{}}))
	if n := strings.Count(out, "<article"); n != maxOnPage {
		t.Errorf("%d results", n)
	}
	if !strings.Contains(out, "4,001 more results; the json format has all of them") || strings.Contains(out, `badge low"`) {
		t.Error("the page keeps what is harmless, or does not say what it left out")
	}
}

// A finding in a folder is at a file of the repository, one in an archive at a
// path in it; both have the digest of the content.
func TestSARIF_places(t *testing.T) {
	out := render(t, "sarif", Options{}, gated())
	for _, want := range []string{
		`"uri":"layer.zip%21/python/a.py","uriBaseId":"%SRCROOT%"},"region":{"startLine":7}`,
		`"uri":"build/layer/nodejs/x%2C%20y:%20100%25.js","uriBaseId":"%SRCROOT%"},"region":{"startLine":12}`,
		`"uri":"python/b.py"`,
		`"partialFingerprints":{"contentSha256/v1":"` + strings.Repeat("ab", 32) + `","laminaId/v1":"F-DECIDES"}`,
		`"justification":"a key of the documentation"`,
		`"gate":"FAIL"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
