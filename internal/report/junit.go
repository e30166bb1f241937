package report

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// Accepted begins the line of a summary's Incomplete that says why what is
// incomplete counts as complete.
const Accepted = "accepted"

// junit is the XML that CI systems show as tests
// (https://github.com/testmoapp/junitxml describes what they agree on). A suite
// is a resource, a case is a finding, an alert or an exposure. What reached
// --fail-on, or what a gate decided by, is a failure; what is unknown is an
// error, so that it is never taken for a pass; what an exception covers is
// skipped with its reason; the rest passes and says in its output what it found.
// One more case says whether the run was complete. Counts stand at the head, so
// the cases are kept until Close.
type junit struct {
	*printer
	version lamina.Version
	suites  []*junitSuite
	skipped []string
	gate    *lamina.Answer
	summary *lamina.Summary
}

type junitSuite struct {
	name  string
	cases []junitCase
}

type junitCase struct {
	id, class, name, file string
	line                  int
	// kind is what the case is unless its id is among those that failed: "" for a
	// pass, "error", "skipped".
	kind, sort, message string
	body                []string
	// fails says that the case may be among those that failed.
	fails bool
}

func newJUnit(p *printer, _ Options) Writer { return &junit{printer: p} }

func (w *junit) Write(m lamina.Message) error {
	switch {
	case m.Version != nil:
		w.version = *m.Version
	case m.Alert != nil:
		w.alert(m.Alert)
	case m.Finding != nil:
		w.finding(m.Finding)
	case m.Exposure != nil:
		e := m.Exposure
		w.add(e.Resource, junitCase{
			id: e.ID, class: "exposure", name: e.Title + " " + e.ID, sort: string(e.Severity), message: e.Title, fails: true,
			body: append([]string{"who: " + e.Who, "path: " + strings.Join(e.Path, " → ")}, e.Reasons...),
		})
	case m.Answer != nil && m.Answer.Question == gateQuestion:
		a := *m.Answer
		w.gate = &a
	case m.Skipped != nil:
		if len(w.skipped) < maxNotifications {
			w.skipped = append(w.skipped, Note(m)[0])
		}
	case m.Summary != nil:
		w.summary = m.Summary
	}
	return w.err
}

// gateQuestion is the question of the answer that is a gate's decision.
const gateQuestion = "gate"

func (w *junit) add(suite string, c junitCase) {
	i := slices.IndexFunc(w.suites, func(s *junitSuite) bool { return s.name == suite })
	if i < 0 {
		i = len(w.suites)
		w.suites = append(w.suites, &junitSuite{name: suite})
	}
	w.suites[i].cases = append(w.suites[i].cases, c)
}

func (w *junit) alert(a *lamina.Alert) {
	c := junitCase{
		id: a.ID, class: a.Rule.ID, name: a.Rule.Name + " " + a.ID, sort: string(a.Severity), message: a.Reason, fails: a.Exception == nil,
		body: []string{a.Reason, where(a, a.File)},
	}
	for _, row := range alertRows(a) {
		c.body = append(c.body, row.Field+": "+strings.Join(row.Values, ", "))
	}
	if a.Exception != nil {
		c.kind, c.message = "skipped", accepted(a.Exception)
	}
	w.add("alerts", c)
}

func (w *junit) finding(f *lamina.Finding) {
	c := junitCase{id: f.ID, class: f.Check, name: f.Title, file: f.File, line: f.Line, sort: string(f.Severity), message: f.Detail}
	if f.Outcome != lamina.Pass {
		if f.File != "" {
			c.name += " in " + strings.TrimPrefix(place(f), f.Resource+" ")
		}
		c.name += " " + f.ID
		c.body = append([]string{f.Detail, "at " + place(f)}, f.Evidence...)
	}
	switch f.Outcome {
	case lamina.Fail:
		c.fails = f.Exception == nil
		if f.Remediation != "" {
			c.body = append(c.body, "fix: "+f.Remediation)
		}
	case lamina.Unknown:
		c.kind, c.sort, c.message = "error", "unknown", "unknown: "+f.Reason
		c.body = append(c.body, "because: "+f.Reason, "to settle: "+f.Settle)
	case lamina.NotApplicable:
		c.kind, c.message = "skipped", f.Detail
	case lamina.Pass:
	}
	if c.body != nil && len(f.Owners) > 0 {
		c.body = append(c.body, "owner: "+strings.Join(f.Owners, ", "))
	}
	if f.Exception != nil {
		c.kind, c.message = "skipped", accepted(f.Exception)
	}
	w.add(f.Resource, c)
}

// accepted is an exception in a line.
func accepted(e *lamina.Exception) string {
	return fmt.Sprintf("accepted by exception %s until %s: %s (%s)", e.ID, e.Expires, e.Reason, e.Owner)
}

func (w *junit) Close() error {
	failed := map[string]bool{}
	coverage := junitCase{class: "lamina", name: "everything was examined", kind: "error", sort: "cut-short", message: "the run was cut short: there is no summary"}
	if s := w.summary; s != nil {
		for _, id := range s.Failed {
			failed[id] = true
		}
		coverage.kind, coverage.body = "", SummaryLines(s)
		if !s.Complete {
			coverage.kind, coverage.sort, coverage.message = "error", "incomplete", strings.Join(s.Incomplete, "; ")
			if slices.ContainsFunc(s.Incomplete, func(r string) bool { return strings.HasPrefix(r, Accepted+" ") }) {
				coverage.kind = "skipped"
			}
		}
		coverage.body = append(coverage.body, w.skipped...)
	}
	w.add("lamina "+w.version.Command, coverage)
	var total [4]int
	var body strings.Builder
	for _, s := range w.suites {
		n, text := s.xml(failed)
		body.WriteString(`  <testsuite name="` + xmlAttr(s.name) + `"` + countsOf(n) + ">\n")
		if w.gate != nil {
			body.WriteString(`    <properties><property name="gate" value="` + xmlAttr(string(w.gate.Outcome)) + `"/></properties>` + "\n")
		}
		body.WriteString(text + "  </testsuite>\n")
		for i := range n {
			total[i] += n[i]
		}
	}
	w.str(`<?xml version="1.0" encoding="UTF-8"?>`, "\n", `<testsuites name="`, xmlAttr("lamina "+w.version.Command), `"`, countsOf(total), ">\n", body.String(), "</testsuites>\n")
	return w.flush()
}

func countsOf(n [4]int) string {
	return fmt.Sprintf(` tests="%d" failures="%d" errors="%d" skipped="%d"`, n[0], n[1], n[2], n[3])
}

// xml is the cases, and how many there are, failed, were errors, were skipped.
func (s *junitSuite) xml(failed map[string]bool) (n [4]int, text string) {
	var b strings.Builder
	for _, c := range s.cases {
		n[0]++
		b.WriteString(`    <testcase classname="` + xmlAttr(c.class) + `" name="` + xmlAttr(c.name) + `"`)
		if c.file != "" {
			b.WriteString(` file="` + xmlAttr(c.file) + `"`)
		}
		if c.line > 0 {
			b.WriteString(` line="` + strconv.Itoa(c.line) + `"`)
		}
		b.WriteString(">")
		kind := c.kind
		if c.fails && failed[c.id] {
			kind = "failure"
		}
		open := "<" + kind + ` message="` + xmlAttr(c.message) + `"`
		switch kind {
		case "failure", "error":
			if n[1]++; kind == "error" {
				n[1]--
				n[2]++
			}
			b.WriteString("\n      " + open + ` type="` + xmlAttr(c.sort) + `">` + xmlLines(c.body) + "</" + kind + ">\n    ")
		case "skipped":
			n[3]++
			b.WriteString("\n      " + open + "/>\n    ")
		default:
			if len(c.body) > 0 {
				b.WriteString("\n      <system-out>" + xmlLines(append([]string{c.sort}, c.body...)) + "</system-out>\n    ")
			}
		}
		b.WriteString("</testcase>\n")
	}
	return n, b.String()
}

// xmlAttr is s in an attribute: one visible line.
func xmlAttr(s string) string { return escapeXML(safe.Line(s, maxValue)) }

// xmlLines is lines as the text of an element.
func xmlLines(lines []string) string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = safe.Line(l, maxValue); l != "" {
			out = append(out, escapeXML(l))
		}
	}
	return strings.Join(out, "\n")
}

func escapeXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}
