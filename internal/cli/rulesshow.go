package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/rule"
)

func newRulesShow(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "show RULE...",
		Short: "show a rule: what it looks for, what it reads, what it needs",
		Example: "  lamina rules show layer-shared\n" +
			"  lamina rules show rules/mine.toml -f json      # as Kibana names the keys",
		Args: args(1, -1, "RULE"),
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
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					all := make([]map[string]any, 0, len(programs))
					for _, p := range programs {
						all = append(all, p.Rule.Kibana())
					}
					return writeJSON(w, map[string]any{"rules": all})
				}
				var b strings.Builder
				for i, p := range programs {
					if i > 0 {
						b.WriteString("\n")
					}
					showRule(&b, p, list[i])
				}
				_, err := io.WriteString(w, b.String())
				return err
			})
		},
	}
	a.settingFlag(c, "rules", "exceptions")
	return c
}

// maxShown is how much of one value of a rule is shown; the file has it whole.
const maxShown = 1000

// showRule writes a rule for a person: the facts in a column, then prose and
// query indented.
func showRule(b *strings.Builder, p *rule.Program, e ruleEntry) {
	r := p.Rule
	fmt.Fprintf(b, "%s\n\n", safe.Line(r.Name, maxShown))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-11s %s\n", name, safe.Line(value, maxShown))
		}
	}
	fact("file", r.File)
	fact("rule_id", r.ID)
	fact("severity", fmt.Sprintf("%s, risk score %d", r.Severity, r.RiskScore))
	for _, m := range mapped(r) {
		fact("", m)
	}
	fact("type", strings.TrimSuffix(fmt.Sprintf("%s in %s", r.Type, r.Language), " in "))
	fact("schedule", fmt.Sprintf("every %s, looks back %s", rule.FormatDuration(r.Interval), rule.FormatDuration(r.From-r.To)))
	fact("runs", map[bool]string{true: "yes", false: "no: needs " + e.Needs}[e.Runs])
	for _, d := range p.Data {
		fact("data", d.String())
	}
	for _, t := range r.Threat {
		var ids []string
		for _, q := range t.Techniques {
			ids = append(ids, q.ID+" "+q.Name)
		}
		fact("threat", strings.TrimSuffix(t.Tactic.ID+" "+t.Tactic.Name+": "+strings.Join(ids, ", "), ": "))
	}
	for _, x := range r.Exceptions {
		fact("exceptions", "list "+x.ListID)
	}
	fact("tests", count(e.Tests, "case"))
	fact("author", strings.Join(r.Author, ", ")+"; "+r.License)
	block := func(title, text string) {
		if text = strings.TrimSpace(text); text == "" {
			return
		}
		fmt.Fprintf(b, "\n%s\n", title)
		for _, l := range safe.Lines(text) {
			b.WriteString(strings.TrimRight("  "+shortWords(l), " ") + "\n")
		}
	}
	block("Description", r.Description)
	block("Query", r.Query)
	block("Reads", fieldList(p))
	for _, s := range r.FalsePositives {
		block("False positives", s)
	}
	block("Setup", r.Setup)
	block("Note", r.Note)
	block("References", strings.Join(r.References, "\n"))
}

// maxWord is more than any name, ARN or address that a person reads.
const maxWord = 400

// shortWords shortens the words of a line that nobody can mean to read: a rule
// may hold a field name of a megabyte. What is of an ordinary length stays as it
// is written.
func shortWords(line string) string {
	if len(line) <= maxWord {
		return line
	}
	words := strings.Split(line, " ")
	for i, w := range words {
		words[i] = safe.Line(w, maxWord)
	}
	return strings.Join(words, " ")
}

// mapped says which fields of the event override severity, risk score and name.
func mapped(r *rule.Rule) []string {
	var by []string
	for _, m := range r.SeverityMapping {
		by = append(by, m.Severity+" when "+m.Field+" is "+m.Value)
	}
	for _, m := range r.RiskScoreMapping {
		by = append(by, "risk score from "+m.Field)
	}
	if r.RuleNameOverride != "" {
		by = append(by, "name from "+r.RuleNameOverride)
	}
	return by
}

// fieldList is a line a field that the query reads: name, type, what it is.
func fieldList(p *rule.Program) string {
	if p.Predicate == nil {
		return ""
	}
	fields := p.Predicate.Fields(nil)
	wide := 0
	for _, f := range fields {
		wide = max(wide, utf8.RuneCountInString(safe.Line(f.Name, maxName)))
	}
	var b strings.Builder
	for _, f := range fields {
		doc := f.Doc
		switch {
		case f.Type == ecs.Unmapped:
			doc = "not mapped: no document has it"
		case f.Source == "" && f.Type != ecs.Object:
			doc += " (nothing fills it)"
		}
		fmt.Fprintf(&b, "%-*s  %s\n", wide, safe.Line(f.Name, maxName), doc)
	}
	return b.String()
}
