package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/rule"
)

func newRulesExport(a *app) *cobra.Command {
	var asTOML bool
	c := &cobra.Command{
		Use:   "export [RULE...]",
		Short: "write rules as Kibana imports them",
		Example: "  lamina rules export builtin -o lamina.ndjson      # for Kibana: Rules, Import\n" +
			"  lamina rules export rules/ --exceptions exceptions.ndjson > all.ndjson\n" +
			"  lamina rules export rules/mine.toml --toml        # in lamina's own layout",
		Long: "NDJSON: a rule a line in Kibana's names, the exceptions of --exceptions that apply to\n" +
			"them, and a line of counts. What Kibana has no key for travels in meta.lamina. Rules that\n" +
			"read fields lamina.* need lamina's enrichment: in Kibana they find nothing without it.",
		Args: args(0, -1, "RULE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.exportRules(args, asTOML) },
	}
	c.Flags().BoolVar(&asTOML, "toml", false, "write one rule as TOML in lamina's own layout")
	a.settingFlag(c, "rules", "exceptions")
	return c
}

func (a *app) exportRules(args []string, asTOML bool) error {
	set, err := a.selectRules(args)
	if err != nil {
		return err
	}
	if asTOML {
		if len(set.rules) != 1 {
			return usagef("name one", "--toml writes one rule, these are %s", count(len(set.rules), "rule"))
		}
		return a.document([]string{"text"}, func(_ string, w io.Writer) error {
			_, err := w.Write(set.rules[0].TOML())
			return err
		})
	}
	b := rule.Bundle{Rules: set.rules, Exceptions: *set.exceptions.Of(set.rules)}
	return a.document([]string{"ndjson"}, func(_ string, w io.Writer) error {
		_, err := w.Write(safe.JSON(b.NDJSON()))
		return err
	})
}
