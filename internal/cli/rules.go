package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

func newRules(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "list, check, test, write and convert detection rules",
		Example: "  lamina rules ls                                  # our own rules\n" +
			"  lamina rules ls elastic/rules/integrations/aws   # which of Elastic's run, what the others need\n" +
			"  lamina rules lint rules/ && lamina rules test --mutate rules/\n" +
			"  lamina rules import export.ndjson --dir rules    # from Kibana",
		Long: "A rule is an Elastic rule: a TOML file as in elastic/detection-rules, or a line of a\n" +
			"Kibana export. Where a command takes RULE, that is a file, a folder, builtin for our own\n" +
			"pack, or the file name, rule_id or name of one of the rules in force.",
	}
	group(c)
	c.AddCommand(newRulesLs(a), newRulesShow(a), newRulesLint(a), newRulesTest(a), newRulesNew(a), newRulesDocs(a), newRulesImport(a), newRulesExport(a))
	return c
}

// selectRules reads the rules that the arguments of a rules command name; all
// rules in force when there are none. Names are looked for among those.
func (a *app) selectRules(args []string) (ruleSet, error) {
	if len(args) == 0 {
		return a.loadRules()
	}
	var paths, names []string
	for _, arg := range args {
		if arg == builtinRules || exists(a.path(arg)) {
			paths = append(paths, arg)
		} else {
			names = append(names, arg)
		}
	}
	var out ruleSet
	var err error
	if len(paths) > 0 {
		if out, err = a.loadRulePaths(paths); err != nil || len(names) == 0 {
			return out, err
		}
	}
	all, err := a.loadRules()
	if err != nil {
		return out, err
	}
	if out.exceptions == nil {
		out.exceptions = all.exceptions
	}
	for _, name := range names {
		r, err := a.findRule(all.rules, name)
		if err != nil {
			return out, err
		}
		if !slices.ContainsFunc(out.rules, func(s *rule.Rule) bool { return s.ID == r.ID }) {
			out.rules = append(out.rules, r)
		}
	}
	return out, nil
}

// findRule finds a rule by its file, the file's name without ending, rule_id or
// name.
func (a *app) findRule(all []*rule.Rule, name string) (*rule.Rule, error) {
	var names []string
	for _, r := range all {
		base := ruleName(r.File)
		if name == r.File || name == base || name == r.ID || name == r.Name {
			return r, nil
		}
		names = append(names, base)
	}
	if strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".toml") || strings.HasSuffix(name, ".ndjson") {
		return nil, a.missing(name, fs.ErrNotExist)
	}
	hint := "lamina rules ls names the rules; --rules adds some"
	if s := nearest(name, names); s != "" {
		hint = "did you mean " + s + "?"
	}
	return nil, usagef(hint, "no rule %q", name)
}

// severe keeps the rules at or above --severity.
func (a *app) severe(all []*rule.Rule) []*rule.Rule {
	least, err := lamina.ParseSeverity(a.conf.text("severity"))
	if err != nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(r *rule.Rule) bool {
		s, err := lamina.ParseSeverity(r.Severity)
		return err == nil && s.Rank() < least.Rank()
	})
}

// maxTests is more than the tests of one rule need.
const maxTests = 64 << 20

// ruleSuites reads the tests that are kept beside a rule: none is no error.
func (a *app) ruleSuites(r *rule.Rule) ([]*rule.Suite, error) {
	read := func(name string) ([]byte, error) {
		data, err := readInput(a.path(name), maxTests)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, cause(err))
		}
		return data, nil
	}
	file, prefix := r.File, ""
	if rest, ok := strings.CutPrefix(r.File, rules.Prefix); ok {
		file, prefix, read = rest, rules.Prefix, rules.FS.ReadFile
	}
	var out []*rule.Suite
	var errs []error
	for _, kind := range []struct {
		name  string
		parse func(string, []byte) (*rule.Suite, error)
	}{{rule.TestFile(file), rule.ParseSuite}, {rule.TestLines(file), rule.ParseTestLines}} {
		data, err := read(kind.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s, err := kind.parse(prefix+kind.name, data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, s)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, wrap(err, Usage, ruleHint(err))
	}
	return out, nil
}

// cases counts the cases of suites.
func cases(suites []*rule.Suite) int {
	n := 0
	for _, s := range suites {
		n += len(s.Cases)
	}
	return n
}

// caseEvents returns what makes the event of a test case: the one that a run
// over the case's earlier records and its own, with its options, would see.
// Done closes the databases it uses.
func (a *app) caseEvents() (makeEvent rule.EventMaker, done func() error, err error) {
	registry, err := a.loadPublishers()
	if err != nil {
		return nil, nil, err
	}
	geo, err := a.openGeo()
	if err != nil {
		return nil, nil, err
	}
	done = func() error {
		if geo == nil {
			return nil
		}
		return geo.Close()
	}
	return func(c rule.Case) (ecs.Event, error) {
		cfg := enrich.Config{OrgID: a.conf.text("org_id"), Accounts: a.conf.list("accounts"), Publishers: registry}
		for name, values := range c.Options {
			switch {
			case name == "account":
				cfg.Accounts = values
			case name == "org-id" && len(values) == 1:
				cfg.OrgID = values[0]
			default:
				return nil, fmt.Errorf("a test cannot set the option %q to %q: org-id (once) and account are known", name, values)
			}
		}
		e := enrich.New(cfg)
		var ev *cloudtrail.Event
		for _, raw := range append(slices.Clone(c.Before), c.Record) {
			ev = &cloudtrail.Event{Derived: e.Values}
			if geo != nil {
				ev.Geo = geo
			}
			if err := ev.Reset(bytes.TrimSpace(raw)); err != nil {
				return nil, err
			}
			e.Observe(ev)
		}
		return ev, nil
	}, done, nil
}
