package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/query"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

func newRulesLint(a *app) *cobra.Command {
	var strict, list bool
	c := &cobra.Command{
		Use:   "lint [RULE...]",
		Short: "find rules that cannot fire, and what else is probably not meant",
		Example: "  lamina rules lint rules/mine.toml\n" +
			"  lamina rules lint rules/ --strict          # warnings count too: for CI\n" +
			"  lamina rules lint elastic/ -v              # with notes\n" +
			"  lamina rules lint --list                   # what it looks for",
		Long: "Each problem has its place, and where there is one the text to write instead. Errors are\n" +
			"mistakes; warnings are probably mistakes (a value that never occurs, a field that nothing\n" +
			"fills, a clause that is always true, no tests); notes, shown with -v, are worth knowing\n" +
			"(a negation that a missing field satisfies, a data event). Errors exit with 1, with\n" +
			"--strict warnings do too. Queries in EQL and ES|QL are not looked at yet: a note says so.",
		Args: args(0, -1, "RULE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if list {
				return a.document([]string{"text", "json", "markdown"}, listChecks)
			}
			return a.lintRules(args, strict)
		},
	}
	c.Flags().BoolVar(&list, "list", false, "print what is looked for, instead of looking")
	c.Flags().BoolVar(&strict, "strict", false, "warnings fail as errors do")
	a.settingFlag(c, "rules", "exceptions", "geoip_city", "geoip_asn")
	return c
}

// listChecks prints what lint looks for.
func listChecks(format string, w io.Writer) error {
	switch format {
	case "json":
		return writeJSON(w, map[string]any{"checks": rule.Checks})
	case "markdown":
		var b strings.Builder
		b.WriteString("# What rules lint looks for\n\nMade by `lamina rules lint --list -f markdown`; do not edit.\n\n| check | level | what |\n| --- | --- | --- |\n")
		for _, c := range rule.Checks {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", safe.MarkdownCode(c.Code), c.Level, safe.Markdown(c.Doc))
		}
		fmt.Fprintf(&b, "\nThreats are checked against %s (%s), from %s.\n", "MITRE ATT&CK "+rule.AttackVersion, rule.AttackCovers, rule.AttackSource)
		_, err := io.WriteString(w, b.String())
		return err
	}
	rows := make([][]string, 0, len(rule.Checks))
	for _, c := range rule.Checks {
		rows = append(rows, []string{c.Code, string(c.Level), c.Doc})
	}
	return columns(w, []string{"CHECK", "LEVEL", "WHAT"}, rows)
}

// A lintResult is what lint found in one file.
type lintResult struct {
	problems []rule.Problem
	source   string // for the line of a problem
}

// A lintCount counts problems by level.
type lintCount struct {
	Rules    int `json:"rules"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
}

func (c *lintCount) add(l rule.Level) {
	switch l {
	case rule.Wrong:
		c.Errors++
	case rule.Warn:
		c.Warnings++
	case rule.Note:
		c.Notes++
	}
}

func (a *app) lintRules(args []string, strict bool) error {
	results, n, err := a.lint(args)
	if err != nil {
		return err
	}
	for _, r := range results {
		for _, p := range r.problems {
			n.add(p.Level)
		}
	}
	err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			all := []rule.Problem{}
			for _, r := range results {
				all = append(all, r.problems...)
			}
			return writeJSON(w, map[string]any{"problems": all, "counts": n})
		}
		return a.writeLint(w, results, n)
	})
	switch {
	case err != nil:
		return err
	case n.Errors > 0:
		return &statusError{code: Findings}
	case strict && n.Warnings > 0:
		return &statusError{code: Findings, why: count(n.Warnings, "warning") + ", which --strict takes for errors"}
	}
	return nil
}

// lint reads each file on its own: one that cannot be read is a result too, and
// the others are linted.
func (a *app) lint(args []string) ([]lintResult, lintCount, error) {
	var out []lintResult
	var n lintCount
	ctx := rule.LintContext{City: a.conf.text("geoip_city") != "", ASN: a.conf.text("geoip_asn") != ""}
	if paths := a.conf.list("exceptions"); len(paths) > 0 {
		ctx.Exceptions = &rule.Exceptions{}
		for _, p := range paths {
			x, err := a.readExceptions(p)
			if err != nil {
				return nil, n, wrap(err, Usage, errorHint(err))
			}
			ctx.Exceptions.Items = append(ctx.Exceptions.Items, x.Items...)
		}
	}
	one := func(r *rule.Rule) {
		n.Rules++
		c := ctx
		suites, err := a.ruleSuites(r)
		c.Tests = cases(suites)
		res := lintResult{problems: rule.Lint(r, c), source: string(r.Source())}
		if err != nil {
			res.problems = append(res.problems, problemsOf(err)...)
		}
		out = append(out, res)
	}
	sources, err := a.lintSources(args)
	if err != nil {
		return nil, n, err
	}
	seen := map[string]string{}
	for _, s := range sources {
		some, err := s.read()
		for _, r := range some {
			one(r)
			if before, ok := seen[r.ID]; ok {
				out = append(out, lintResult{problems: []rule.Problem{{
					File: r.File, Pos: r.Pos("rule_id"), Level: rule.Wrong, Code: "same-id", Msg: fmt.Sprintf("rule_id %s is already the one of %s", r.ID, before),
				}}, source: string(r.Source())})
			}
			seen[r.ID] = r.File
		}
		if err == nil {
			continue
		}
		if _, ok := errors.AsType[*Error](err); ok {
			return nil, n, err
		}
		n.Rules++
		data, readErr := a.readRuleFile(s.name)
		if readErr != nil {
			return nil, n, readErr
		}
		out = append(out, lintResult{problems: problemsOf(err), source: string(data)})
	}
	return out, n, nil
}

// problemsOf are the errors of a file that could not be read.
func problemsOf(err error) []rule.Problem {
	var out []rule.Problem
	if errs, ok := errors.AsType[rule.Errors](err); ok {
		for _, e := range errs {
			out = append(out, rule.Problem{File: e.File, Pos: e.Pos, Level: rule.Wrong, Code: "parse", Msg: e.Msg, Hint: e.Hint})
		}
	}
	return out
}

// A lintSource is a file of rules, or rules that are read already.
type lintSource struct {
	name string
	read func() ([]*rule.Rule, error)
}

func (a *app) lintSources(args []string) ([]lintSource, error) {
	if len(args) == 0 {
		args = a.conf.list("rules")
	}
	if len(args) == 0 {
		args = []string{builtinRules}
	}
	var out []lintSource
	for _, arg := range args {
		switch {
		case arg == builtinRules:
			out = append(out, lintSource{arg, rules.Load})
		case exists(a.path(arg)):
			files, err := a.ruleFiles(arg)
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				out = append(out, lintSource{f, func() ([]*rule.Rule, error) {
					set, err := a.readRules(f)
					return set.rules, err
				}})
			}
		default:
			set, err := a.selectRules([]string{arg})
			if err != nil {
				return nil, err
			}
			out = append(out, lintSource{arg, func() ([]*rule.Rule, error) { return set.rules, nil }})
		}
	}
	return out, nil
}

// fewUntested is up to how many rules without tests are named one by one: in a
// folder of rules that has none, nothing else would be seen.
const fewUntested = 3

func (a *app) writeLint(w io.Writer, results []lintResult, n lintCount) error {
	var b strings.Builder
	untested := 0
	for _, r := range results {
		for _, p := range r.problems {
			if p.Code == "no-tests" {
				untested++
			}
		}
	}
	for _, r := range results {
		for _, p := range r.problems {
			switch {
			case p.Level == rule.Note && !a.flags.verbose:
			case p.Code == "no-tests" && untested > fewUntested && !a.flags.verbose:
			default:
				writeProblem(&b, p, r.source)
			}
		}
	}
	if untested > fewUntested && !a.flags.verbose {
		fmt.Fprintf(&b, "warning: %d of %s have no tests (no-tests)\n  hint: -v names them, and where their tests go\n\n", untested, count(n.Rules, "rule"))
	}
	fmt.Fprintf(&b, "%s: %s, %s, %s", count(n.Rules, "rule"), count(n.Errors, "error"), count(n.Warnings, "warning"), count(n.Notes, "note"))
	if n.Notes > 0 && !a.flags.verbose {
		b.WriteString(" (shown with -v)")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeProblem prints a problem with the line it is on and what to write
// instead.
func writeProblem(b *strings.Builder, p rule.Problem, source string) {
	e := query.Error{Pos: p.Pos, Msg: fmt.Sprintf("%s: %s (%s)", p.Level, shortWords(p.Msg), p.Code)}
	lines := safe.Lines(e.Format(p.File, source))
	for i, l := range lines {
		lines[i] = shortWords(l)
	}
	if p.Pos.Len == 0 && len(lines) > 1 {
		lines = lines[:1] // something is missing: no place to point at
	}
	if p.Hint != "" {
		lines = append(lines, "  hint: "+safe.Line(p.Hint, maxShown))
	}
	if p.Correction != "" {
		word := "write: "
		if p.Pos.Len == 0 {
			word = "add: "
		}
		lines = append(lines, "  "+word+safe.Line(p.Correction, maxLine))
	}
	b.WriteString(strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n") + "\n\n")
}
