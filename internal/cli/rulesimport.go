package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/rule"
)

func newRulesImport(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "turn a Kibana export into rule files",
		Example: "  lamina rules import export.ndjson --dir rules   # a file a rule, and the exceptions\n" +
			"  lamina rules import one.ndjson                  # a single rule, to standard output",
		Long: "Every key is kept, also those lamina has no use for; what TOML cannot say (null) is noted\n" +
			"in [metadata.lamina], so that rules export gives Kibana the same object back. Exceptions go\n" +
			"to exceptions.ndjson. Lines that are no rule (connectors) are counted and named. If a line\n" +
			"cannot be read, or a file exists, nothing is written.",
		Args: args(1, 1, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.importRules(args[0], dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "write a file a rule into `FOLDER`")
	return c
}

func (a *app) importRules(name, dir string) error {
	data, err := a.readRuleFile(name)
	if err != nil {
		return err
	}
	b, err := rule.ParseNDJSON(name, data)
	if err != nil {
		return wrap(err, Usage, "nothing was written: mend the lines or take them out")
	}
	for _, o := range b.Others {
		a.note("%s:%d: a line of kind %q is not imported", name, o.Pos.Line, o.Kind)
	}
	if len(b.Rules) == 0 && len(b.Exceptions.Items) == 0 {
		return usagef("in Kibana: Rules, select, Bulk actions, Export", "no rules in %s", name)
	}
	if dir == "" {
		if len(b.Rules) != 1 {
			return usagef("give a folder with --dir", "%s holds %s", name, count(len(b.Rules), "rule"))
		}
		return a.document([]string{"text"}, func(_ string, w io.Writer) error {
			_, err := w.Write(b.Rules[0].TOML())
			return err
		})
	}
	var files []newFile
	used := map[string]int{} // :: file name → how many rules asked for it, or 1 if it was made of another
	ids := map[string]string{}
	for _, r := range b.Rules {
		if before, ok := ids[r.ID]; ok {
			return usagef("nothing was written: mend the lines or take them out", "%s: the rules %q and %q both have the rule_id %s", name, before, r.Name, r.ID)
		}
		ids[r.ID] = r.Name
		base := slug(r.Name)
		file := base
		for used[file] > 0 {
			used[base]++
			file = fmt.Sprintf("%s-%d", base, used[base])
		}
		used[file]++
		files = append(files, newFile{filepath.Join(dir, file+".toml"), r.TOML()})
	}
	if len(b.Exceptions.Items)+len(b.Exceptions.Lists) > 0 {
		x := rule.Bundle{Exceptions: b.Exceptions}
		files = append(files, newFile{filepath.Join(dir, "exceptions.ndjson"), x.NDJSON()})
	}
	return a.writeNew(files)
}

// slug is a rule's name as a file name: lower case, words joined by hyphens.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	s := strings.Join(words, "-")
	if len(s) > 100 {
		s = strings.Trim(s[:100], "-")
	}
	if s == "" {
		return "rule"
	}
	return s
}
