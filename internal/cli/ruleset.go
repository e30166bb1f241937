package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// builtinRules is what --rules calls our own pack.
const builtinRules = "builtin"

// A ruleSet is rules, each with its own rule_id, and the exceptions that came
// with them or by --exceptions.
type ruleSet struct {
	rules      []*rule.Rule
	exceptions *rule.Exceptions
}

func (s *ruleSet) add(t ruleSet) {
	s.rules = append(s.rules, t.rules...)
	if t.exceptions != nil {
		s.exceptions.Lists = append(s.exceptions.Lists, t.exceptions.Lists...)
		s.exceptions.Items = append(s.exceptions.Items, t.exceptions.Items...)
	}
}

// loadRules reads the rules of --rules: files and folders of Elastic TOML or
// Kibana NDJSON, and "builtin" for our own pack, which is also the default. All
// errors of all files are reported at once; nothing runs with half of the rules.
func (a *app) loadRules() (ruleSet, error) {
	paths := a.conf.list("rules")
	if len(paths) == 0 {
		paths = []string{builtinRules}
	}
	return a.loadRulePaths(paths)
}

// loadRulePaths reads the rules at paths and the exceptions of --exceptions.
func (a *app) loadRulePaths(paths []string) (ruleSet, error) {
	out := ruleSet{exceptions: &rule.Exceptions{}}
	var errs []error
	for _, p := range paths {
		if p == builtinRules || filepath.Base(p) == builtinRules && !exists(a.path(p)) {
			ours, err := rules.Load()
			out.rules, errs = append(out.rules, ours...), append(errs, err)
			continue
		}
		files, err := a.ruleFiles(p)
		if err != nil {
			return out, err
		}
		for _, f := range files {
			some, err := a.readRules(f)
			out.add(some)
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return out, wrap(err, Usage, ruleHint(err))
	}
	errs = nil
	for _, p := range a.conf.list("exceptions") {
		x, err := a.readExceptions(p)
		out.add(ruleSet{exceptions: x})
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return out, wrap(err, Usage, errorHint(err))
	}
	byID := map[string]string{}
	for _, r := range out.rules {
		if before, ok := byID[r.ID]; ok && r.ID != "" {
			return out, usagef("every rule needs a rule_id of its own", "%s: rule_id %s is already the one of %s", r.File, r.ID, before)
		}
		byID[r.ID] = r.File
	}
	return out, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// ruleHint is the hint of the first error that has one, or where there is more.
func ruleHint(err error) string {
	return cmp.Or(errorHint(err), "lamina rules lint FILE says more")
}

// errorHint is the hint of the first error that has one.
func errorHint(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hint
	}
	if many, ok := errors.AsType[rule.Errors](err); ok {
		for _, e := range many {
			if e.Hint != "" {
				return e.Hint
			}
		}
	}
	return ""
}

// ruleFiles are the rule files at p, in order of name: p itself, or what ends
// in .toml or .ndjson below it.
func (a *app) ruleFiles(p string) ([]string, error) {
	info, err := os.Stat(a.path(p))
	if err != nil {
		return nil, a.missing(p, err)
	}
	if !info.IsDir() {
		return []string{p}, nil
	}
	var files []string
	err = fs.WalkDir(os.DirFS(a.path(p)), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && slices.Contains([]string{".toml", ".ndjson"}, filepath.Ext(name)) {
			files = append(files, filepath.Join(p, filepath.FromSlash(name)))
		}
		return nil
	})
	if err != nil {
		return nil, wrap(fmt.Errorf("read %s: %w", p, cause(err)), CannotRun, "")
	}
	if len(files) == 0 {
		return nil, usagef("rules end in .toml (Elastic) or .ndjson (a Kibana export)", "no rules in %s", p)
	}
	return files, nil
}

// readRules reads one file: a rule in TOML, or a Kibana export.
func (a *app) readRules(name string) (ruleSet, error) {
	data, err := a.readRuleFile(name)
	if err != nil {
		return ruleSet{}, err
	}
	if rule.IsJSON(data) {
		b, err := rule.ParseNDJSON(name, data)
		if b == nil {
			return ruleSet{}, err
		}
		return ruleSet{b.Rules, &b.Exceptions}, err
	}
	r, err := rule.Parse(name, data)
	if err != nil {
		return ruleSet{}, err
	}
	return ruleSet{rules: []*rule.Rule{r}}, nil
}

func (a *app) readExceptions(name string) (*rule.Exceptions, error) {
	data, err := a.readRuleFile(name)
	if err != nil {
		return nil, err
	}
	return rule.ParseExceptions(name, data)
}

// readRuleFile reads a whole file of rules or exceptions, which have a limit.
func (a *app) readRuleFile(name string) ([]byte, error) {
	data, err := readInput(a.path(name), rule.MaxExport)
	switch {
	case errors.Is(err, errBig):
		return nil, usagef("split it", "%s: larger than %d MiB", name, rule.MaxExport>>20)
	case err != nil:
		return nil, a.missing(name, err)
	}
	return data, nil
}
