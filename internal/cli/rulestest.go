package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/query"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// rulesTestFlags are the flags of rules test.
type rulesTestFlags struct {
	mutate, strict, update bool
}

func newRulesTest(a *app) *cobra.Command {
	var f rulesTestFlags
	c := &cobra.Command{
		Use:   "test [RULE...]",
		Short: "run the tests that are kept beside rules",
		Example: "  lamina rules test rules/\n" +
			"  lamina rules test layer-shared --mutate    # which clauses no test would miss\n" +
			"  lamina rules test rules/ --update          # write alerts.golden again",
		Long: "The tests of rules/x.toml are rules/testdata/x.txtar (match/NAME.json, nomatch/NAME.json,\n" +
			"todo/, before/, options, implied, alerts.golden) and rules/x.test.ndjson, a line a case:\n" +
			"{\"name\": \"…\", \"expect\": \"hit|miss|todo\", \"event\": {…}}. A case may set org-id and account.\n\n" +
			"--mutate changes the query clause by clause (drops it, turns it round, widens it, swaps\n" +
			"and and or) and reports each change that no case notices, with the record to add.",
		Args: args(0, -1, "RULE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.testRules(args, f) },
	}
	fl := c.Flags()
	fl.BoolVar(&f.mutate, "mutate", false, "also change the query and see which changes the tests notice")
	fl.BoolVar(&f.strict, "strict", false, "fail on rules without tests, and on changes that no test notices")
	fl.BoolVar(&f.update, "update", false, "write alerts.golden as it came out")
	a.settingFlag(c, "rules", "org_id", "accounts", "publishers", "geoip_city", "geoip_asn", "elastic_quirks")
	return c
}

// A testedRule is what came out of one rule's tests.
type testedRule struct {
	File string `json:"file"`
	ID   string `json:"id"`
	// Outcome is pass, fail, untested, or skip when the rule cannot run yet.
	Outcome string       `json:"outcome"`
	Needs   string       `json:"needs,omitempty"`
	Cases   int          `json:"cases"`
	Todo    int          `json:"todo,omitempty"`
	Fixed   []string     `json:"fixed,omitempty"`
	Failed  []failedCase `json:"failed,omitempty"`
	// Golden is what alerts.golden should hold when it holds something else.
	Golden string `json:"golden,omitempty"`
	// Mutants counts the changes tried, Survivors are those no case noticed.
	Mutants   int           `json:"mutants,omitempty"`
	Survivors []mutantEntry `json:"survivors,omitempty"`
}

type failedCase struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Why  string `json:"why"`
}

type mutantEntry struct {
	Pos    query.Pos `json:"pos"`
	Change string    `json:"change"`
	Try    string    `json:"try"`
}

func (a *app) testRules(args []string, f rulesTestFlags) (err error) {
	set, err := a.selectRules(args)
	if err != nil {
		return err
	}
	programs, err := a.compileRules(set)
	if err != nil {
		return err
	}
	makeEvent, done, err := a.caseEvents()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	out := make([]testedRule, 0, len(programs))
	for _, p := range programs {
		// Exceptions are the user's: a rule's tests are about the rule.
		p.Exceptions = nil
		t, err := a.testRule(p, makeEvent, f)
		if err != nil {
			return err
		}
		out = append(out, t)
	}
	err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"rules": out})
		}
		return a.writeTests(w, out)
	})
	if err != nil {
		return err
	}
	return testStatus(out, f.strict)
}

func testStatus(out []testedRule, strict bool) error {
	failed, untested, survived := 0, 0, 0
	for _, t := range out {
		switch t.Outcome {
		case "fail":
			failed++
		case "untested":
			untested++
		}
		survived += len(t.Survivors)
	}
	switch {
	case failed > 0:
		return &statusError{code: Findings, why: count(failed, "rule") + " failed"}
	case strict && untested+survived > 0:
		return &statusError{code: Findings, why: fmt.Sprintf("--strict: %s without tests, %s that no test notices", count(untested, "rule"), count(survived, "change"))}
	}
	return nil
}

func (a *app) testRule(p *rule.Program, makeEvent rule.EventMaker, f rulesTestFlags) (testedRule, error) {
	t := testedRule{File: p.Rule.File, ID: p.Rule.ID, Outcome: "pass", Needs: p.Needs}
	suites, err := a.ruleSuites(p.Rule)
	if err != nil {
		return t, err
	}
	t.Cases = cases(suites)
	switch {
	case p.Predicate == nil:
		t.Outcome = "skip"
		return t, nil
	case t.Cases == 0:
		t.Outcome = "untested"
		return t, nil
	}
	all := &rule.Report{Program: p}
	for _, s := range suites {
		rep, err := rule.Test(p, s, makeEvent)
		if err != nil {
			return t, err
		}
		all.Results, all.Implied = append(all.Results, rep.Results...), append(all.Implied, rep.Implied...)
		if !rep.GoldenDiffers && (s.Golden != nil || !f.update || strings.HasSuffix(s.File, ".ndjson")) {
			continue
		}
		if f.update {
			if err := a.updateGolden(s, rep); err != nil {
				return t, err
			}
			continue
		}
		t.Outcome, t.Golden = "fail", string(rep.Alerts)
	}
	for _, r := range all.Results {
		switch {
		case r.Failed():
			t.Outcome = "fail"
			t.Failed = append(t.Failed, failedCase{r.Case.Name, r.Case.File, r.Case.Line, string(r.Case.Want), cmp.Or(string(r.Got), "an error"), why(r)})
		case r.Fixed():
			t.Fixed = append(t.Fixed, r.Case.Name)
		case r.Case.Want == rule.Todo:
			t.Todo++
		}
	}
	if f.mutate && t.Outcome == "pass" {
		all.Mutate()
		t.Mutants = len(all.Mutants)
		for _, m := range all.Survivors() {
			t.Survivors = append(t.Survivors, mutantEntry{m.Pos, m.Change, m.Try})
		}
	}
	return t, nil
}

// why says what made a case come out as it did.
func why(r rule.Result) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	m, missed := query.NearestMiss(r.Clause)
	if !missed {
		return "every clause holds"
	}
	needs := make([]string, 0, len(m.Need))
	for _, n := range m.Need {
		needs = append(needs, fmt.Sprintf("%s (%s)", n, n.Saw()))
	}
	return "would match if " + strings.Join(needs, " and ")
}

// updateGolden writes a suite's alerts.golden.
func (a *app) updateGolden(s *rule.Suite, rep *rule.Report) error {
	if strings.HasPrefix(s.File, rules.Prefix) {
		return usagef("run it on the folder rules/ of the source", "%s is part of the program", s.File)
	}
	if bytes.Equal(s.Golden, rep.Alerts) {
		return nil
	}
	info, err := os.Stat(a.path(s.File))
	if err != nil {
		return a.missing(s.File, err)
	}
	if err := os.WriteFile(a.path(s.File), s.WithGolden(rep.Alerts), info.Mode().Perm()); err != nil {
		return a.outputError(s.File, err)
	}
	a.note("wrote %s", s.File)
	return nil
}

func (a *app) writeTests(w io.Writer, out []testedRule) error {
	var b strings.Builder
	counts := map[string]int{}
	total, mutants, survivors := 0, 0, 0
	for _, t := range out {
		counts[t.Outcome]++
		total += t.Cases
		mutants += t.Mutants
		survivors += len(t.Survivors)
		writeTested(&b, t)
	}
	parts := []string{}
	for _, k := range []struct{ outcome, word string }{{"pass", "passed"}, {"fail", "failed"}, {"untested", "without tests"}, {"skip", "skipped"}} {
		if n := counts[k.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k.word))
		}
	}
	fmt.Fprintf(&b, "%s: %s; %s", count(len(out), "rule"), strings.Join(parts, ", "), count(total, "case"))
	if mutants > 0 {
		fmt.Fprintf(&b, "; %d of %s noticed", mutants-survivors, count(mutants, "change"))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTested(b *strings.Builder, t testedRule) {
	word := map[string]string{"pass": "ok", "fail": "FAIL", "untested": "-", "skip": "skip"}[t.Outcome]
	line := fmt.Sprintf("%-5s %s", word, safe.Line(t.File, 0))
	switch t.Outcome {
	case "untested":
		line += ": no tests"
	case "skip":
		line += ": needs " + t.Needs
	default:
		line += ": " + count(t.Cases, "case")
		if t.Todo > 0 {
			line += fmt.Sprintf(", %d of them todo", t.Todo)
		}
		if t.Mutants > 0 {
			line += fmt.Sprintf(", %d of %s noticed", t.Mutants-len(t.Survivors), count(t.Mutants, "change"))
		}
	}
	b.WriteString(line + "\n")
	for _, c := range t.Failed {
		fmt.Fprintf(b, "      %s:%d: %s: want %s, got %s\n          %s\n", safe.Line(c.File, 0), c.Line, safe.Line(c.Name, 0), c.Want, c.Got, safe.Line(c.Why, 0))
	}
	for _, name := range t.Fixed {
		fmt.Fprintf(b, "      %s matches now: move it to match/\n", safe.Line(name, 0))
	}
	if t.Golden != "" {
		b.WriteString("      alerts.golden differs; it came out as\n")
		for _, l := range safe.Lines(strings.TrimRight(t.Golden, "\n")) {
			b.WriteString("          " + l + "\n")
		}
	}
	for i, m := range t.Survivors {
		if i > 0 && m.Pos == t.Survivors[i-1].Pos {
			continue // one change a clause says enough
		}
		same := 0 // other changes of the clause
		for _, n := range t.Survivors[i+1:] {
			if n.Pos == m.Pos {
				same++
			}
		}
		more := ""
		if same > 0 {
			more = fmt.Sprintf(" (nor %s of this clause)", count(same, "other change"))
		}
		fmt.Fprintf(b, "      %s:%d:%d: no test notices the query %s%s\n          add %s\n",
			safe.Line(t.File, 0), m.Pos.Line, m.Pos.Col, safe.Line(m.Change, 0), more, safe.Line(m.Try, 0))
	}
}
