package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/rule"
)

func newRulesLs(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ls [RULE...]",
		Short: "list rules, and what those that do not run need",
		Example: "  lamina rules ls\n" +
			"  lamina rules ls builtin elastic/rules/integrations/aws --severity high\n" +
			"  lamina rules ls rules/ -f json",
		Long: "RUNS says yes, or what has to exist first. A rule that runs may still read data that\n" +
			"somebody has to supply (a GeoIP database): that is said too.",
		Args: args(0, -1, "RULE"),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := a.selectRules(args)
			if err != nil {
				return err
			}
			set.rules = a.severe(set.rules)
			programs, err := a.compileRules(set)
			if err != nil {
				return err
			}
			list, err := a.ruleEntries(programs)
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, map[string]any{"rules": list})
				}
				return listRules(w, list, a.knownWidth())
			})
		},
	}
	a.settingFlag(c, "rules", "exceptions")
	return c
}

// A ruleEntry is a rule as lists show it.
type ruleEntry struct {
	File      string `json:"file"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Language  string `json:"language,omitempty"`
	Severity  string `json:"severity"`
	RiskScore int    `json:"risk_score"`
	// Runs is whether an engine for the rule exists; Needs names it otherwise.
	Runs  bool            `json:"runs"`
	Needs string          `json:"needs,omitempty"`
	Data  []rule.DataNeed `json:"data,omitempty"`
	// Techniques are ATT&CK ids, Tests the number of its test cases.
	Techniques []string `json:"techniques,omitempty"`
	Tests      int      `json:"tests"`
}

func (a *app) ruleEntries(programs []*rule.Program) ([]ruleEntry, error) {
	list := make([]ruleEntry, 0, len(programs))
	for _, p := range programs {
		suites, err := a.ruleSuites(p.Rule)
		if err != nil {
			return nil, err
		}
		r := p.Rule
		list = append(list, ruleEntry{
			File: r.File, ID: r.ID, Name: r.Name, Type: string(r.Type), Language: string(r.Language),
			Severity: r.Severity, RiskScore: r.RiskScore, Runs: p.Needs == "", Needs: p.Needs, Data: p.Data,
			Techniques: r.Techniques(), Tests: cases(suites),
		})
	}
	return list, nil
}

// listRules prints a table, or two lines a rule when the table is wider than
// width (0 for no limit).
func listRules(w io.Writer, list []ruleEntry, width int) error {
	rows := make([][]string, 0, len(list))
	for _, e := range list {
		var runs strings.Builder
		if e.Runs {
			runs.WriteString("yes")
		} else {
			runs.WriteString("needs " + e.Needs)
		}
		for _, d := range e.Data {
			runs.WriteString(", reads " + d.Name)
		}
		rows = append(rows, []string{ruleName(e.File), e.Type, e.Severity, strconv.Itoa(e.RiskScore), strconv.Itoa(e.Tests), runs.String()})
	}
	var b strings.Builder
	if err := columns(&b, []string{"RULE", "TYPE", "SEVERITY", "RISK", "TESTS", "RUNS"}, rows); err != nil {
		return err
	}
	wide := func(l string) bool { return width > 0 && utf8.RuneCountInString(strings.TrimSuffix(l, "\n")) > width }
	for l := range strings.Lines(b.String()) {
		if wide(l) {
			b.Reset()
			for i, r := range rows {
				what := fmt.Sprintf("%s, %s %s, %s, %s", r[1], r[2], r[3], count(list[i].Tests, "test"), strings.Replace(r[5], "yes", "runs", 1))
				b.WriteString(safe.Line(r[0], width) + "\n" + fold(safe.Line(what, 0), "  ", width))
			}
			break
		}
	}
	b.WriteString("\n")
	if t := tally(list); wide(t) {
		b.WriteString(fold(t, "", width))
	} else {
		b.WriteString(t + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fold breaks s between words into lines of at most width columns.
func fold(s, indent string, width int) string {
	var b strings.Builder
	at := 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
			b.WriteString(indent)
			at = len(indent)
		case at+1+n > width:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String() + "\n"
}

// tally is "115 rules: 51 run, 64 need what does not exist yet (20: the ES|QL
// engine; …)".
func tally(list []ruleEntry) string {
	run, data, needs := 0, 0, map[string]int{}
	for _, e := range list {
		if e.Runs {
			run++
			if len(e.Data) > 0 {
				data++
			}
			continue
		}
		needs[e.Needs]++
	}
	s := fmt.Sprintf("%s: %d run", count(len(list), "rule"), run)
	if data > 0 {
		s += fmt.Sprintf(" (%d read data that has to be supplied)", data)
	}
	if run == len(list) {
		return s
	}
	engines := sortedKeys(needs)
	slices.SortStableFunc(engines, func(x, y string) int { return needs[y] - needs[x] })
	parts := make([]string, 0, len(engines))
	for _, what := range engines {
		parts = append(parts, fmt.Sprintf("%d: %s", needs[what], what))
	}
	return s + fmt.Sprintf(", %d need what does not exist yet (%s)", len(list)-run, strings.Join(parts, "; "))
}
