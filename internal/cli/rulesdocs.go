package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/rule"
)

func newRulesDocs(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "docs [RULE...]",
		Short: "write rules as Markdown, from their own fields",
		Example: "  lamina rules docs rules/mine.toml\n" +
			"  lamina rules docs builtin -o rules.md",
		Long: "One section a rule: what it is, its query, the fields it reads, false positives, threats\n" +
			"and tests. Text of a rule is shown as text: nothing in it becomes a link or HTML.",
		Args: args(0, -1, "RULE"),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := a.selectRules(args)
			if err != nil {
				return err
			}
			programs, err := a.compileRules(set)
			if err != nil {
				return err
			}
			list, err := a.ruleEntries(programs)
			if err != nil {
				return err
			}
			return a.document([]string{"markdown"}, func(_ string, w io.Writer) error {
				return documentRules(w, programs, list)
			})
		},
	}
	a.settingFlag(c, "rules")
	return c
}

func documentRules(w io.Writer, programs []*rule.Program, list []ruleEntry) error {
	var b strings.Builder
	if len(programs) > 1 {
		fmt.Fprintf(&b, "# Rules\n\n%s\n\n| rule | severity | risk | tests | runs |\n| --- | --- | --- | --- | --- |\n", safe.Markdown(tally(list)))
		for _, e := range list {
			runs := "yes"
			if !e.Runs {
				runs = "needs " + e.Needs
			}
			fmt.Fprintf(&b, "| %s: %s | %s | %d | %d | %s |\n", safe.MarkdownCode(ruleName(e.File)), safe.Markdown(e.Name), e.Severity, e.RiskScore, e.Tests, safe.Markdown(runs))
		}
		b.WriteString("\n")
	}
	for i, p := range programs {
		documentRule(&b, p, list[i], len(programs) > 1)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func documentRule(b *strings.Builder, p *rule.Program, e ruleEntry, many bool) {
	r := p.Rule
	level := "#"
	if many {
		level = "##"
	}
	fmt.Fprintf(b, "%s %s\n\n", level, safe.Markdown(r.Name))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "- %s: %s\n", name, value)
		}
	}
	fact("rule", safe.MarkdownCode(ruleName(r.File))+", "+safe.MarkdownCode(r.ID))
	fact("severity", safe.Markdown(strings.Join(append([]string{fmt.Sprintf("%s, risk score %d", r.Severity, r.RiskScore)}, mapped(r)...), "; ")))
	fact("type", safe.Markdown(strings.TrimSuffix(fmt.Sprintf("%s in %s", r.Type, r.Language), " in ")))
	fact("schedule", fmt.Sprintf("every %s, looks back %s", rule.FormatDuration(r.Interval), rule.FormatDuration(r.From-r.To)))
	if !e.Runs {
		fact("does not run yet", safe.Markdown("it needs "+e.Needs))
	}
	for _, d := range p.Data {
		fact("data to supply", safe.Markdown(d.String()))
	}
	for _, t := range r.Threat {
		var ids []string
		for _, q := range t.Techniques {
			ids = append(ids, q.ID+" "+q.Name)
			for _, s := range q.Subtechniques {
				ids = append(ids, s.ID+" "+s.Name)
			}
		}
		fact("threat", safe.Markdown(strings.TrimSuffix(t.Tactic.ID+" "+t.Tactic.Name+": "+strings.Join(ids, ", "), ": ")))
	}
	fact("tests", count(e.Tests, "case"))
	b.WriteString("\n")
	prose(b, r.Description)
	if r.Query != "" {
		lines := safe.Lines(strings.Trim(r.Query, "\n"))
		for i, l := range lines {
			lines[i] = shortWords(l)
		}
		fence := "```"
		for strings.Contains(r.Query, fence) {
			fence += "`"
		}
		fmt.Fprintf(b, "%s%s\n%s\n%s\n\n", fence, safe.Markdown(string(r.Language)), strings.Join(lines, "\n"), fence)
	}
	if p.Predicate != nil {
		b.WriteString("| it reads | which is |\n| --- | --- |\n")
		for _, f := range p.Predicate.Fields(nil) {
			fmt.Fprintf(b, "| %s | %s |\n", safe.MarkdownCode(safe.Line(f.Name, maxName)), safe.Markdown(f.Doc))
		}
		b.WriteString("\n")
	}
	if len(r.FalsePositives) > 0 {
		fmt.Fprintf(b, "%s# False positives\n\n", level)
		for _, s := range r.FalsePositives {
			prose(b, s)
		}
	}
}

// prose writes paragraphs as text. Code spans in back quotes stay code.
func prose(b *strings.Builder, text string) {
	for p := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n"), "\n\n") {
		p = strings.Join(strings.Fields(p), " ")
		if p == "" {
			continue
		}
		parts := strings.Split(p, "`")
		for i, s := range parts {
			switch {
			case i%2 == 0:
				b.WriteString(keepEnds(s, safe.Markdown))
			case i == len(parts)-1:
				b.WriteString(safe.Markdown("`" + s))
			default:
				b.WriteString(safe.MarkdownCode(s))
			}
		}
		b.WriteString("\n\n")
	}
}

// keepEnds applies f to s without the blanks around it, and puts those back.
func keepEnds(s string, f func(string) string) string {
	t := strings.Trim(s, " ")
	if t == "" {
		return s
	}
	i := strings.Index(s, t)
	return s[:i] + f(t) + s[i+len(t):]
}
