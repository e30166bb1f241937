package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/iac"
)

// codeFlags are the flags of scan that are about infrastructure code.
type codeFlags struct {
	onto, region string
	parameters   []string
}

func (f *codeFlags) register(a *app, c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.onto, "onto", "", "of infrastructure code: show what it newly exposes in the estate of `SNAPSHOT`")
	fl.StringVar(&f.region, "deploy-region", "", "of infrastructure code: the `REGION` it is deployed to")
	fl.StringArrayVar(&f.parameters, "parameter", nil, "of infrastructure code: a parameter or variable, `NAME=VALUE`; may be repeated")
	a.settingFlag(c, "org_id", "accounts", "publishers")
}

// isCode reports whether scan takes the targets for infrastructure code: all of
// them, or none. A folder is what its top level says; one that could be a layer as
// well is refused, so that a file put into a layer cannot hide the layer.
func (a *app) isCode(targets []string, f codeFlags) (bool, error) {
	code := 0
	for _, t := range targets {
		layer, is, err := a.looksLike(t)
		if err != nil {
			return false, err
		}
		if is && layer {
			return false, usagef("lamina content "+t+" reads it as a layer; to read it as infrastructure code give the template, a .tf file, or cdk.out",
				"%s could be a layer, and infrastructure code", t)
		}
		if is {
			code++
		}
	}
	switch {
	case code == len(targets):
		return true, nil
	case code > 0:
		return false, usagef("scan them in two runs", "some of these are infrastructure code, and some are layers")
	case f.onto != "" || len(f.parameters) > 0 || f.region != "":
		if _, err := os.Stat(a.path(targets[0])); err != nil && !strings.HasPrefix(targets[0], "arn:") {
			return false, a.missing(targets[0], err)
		}
		return false, usagef("--onto, --parameter and --deploy-region are about infrastructure code: CloudFormation, SAM, Terraform, or what the CDK synthesized", "%s is no infrastructure code", targets[0])
	}
	return false, nil
}

// looksLike says what a target looks like from its name and, of a folder, from
// the names at its top.
func (a *app) looksLike(target string) (layer, code bool, err error) {
	file := a.path(target)
	info, err := os.Stat(file)
	if err != nil {
		return false, false, nil //nolint:nilerr // who reads the target says what is wrong with it
	}
	if !info.IsDir() {
		return false, info.Mode().IsRegular() && a.codeFile(file), nil
	}
	d, err := os.Open(file) //nolint:gosec // the user named this folder
	if err != nil {
		return false, false, nil //nolint:nilerr // as above
	}
	const most = 10_000 // names at the top of a folder that are looked at
	entries, err := d.ReadDir(most)
	if err := errors.Join(ignoreEOF(err), d.Close()); err != nil {
		return false, false, a.missing(target, err)
	}
	for _, e := range entries {
		switch {
		case e.IsDir():
			layer = layer || slices.Contains([]string{"bin", "extensions", "java", "lib", "nodejs", "python", "ruby"}, e.Name())
			code = code || e.Name() == "cdk.out"
		case e.Type().IsRegular():
			code = code || a.codeFile(filepath.Join(file, e.Name()))
		}
	}
	return layer, code, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// codeFile reports whether the file looks like infrastructure code.
func (a *app) codeFile(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json", ".template", ".tf", ".yaml", ".yml":
	default:
		return false
	}
	data, err := readInput(file, iac.MaxDocument)
	return err == nil && iac.Recognises(file, data)
}

// scanCode judges infrastructure code.
func (a *app) scanCode(cmd *cobra.Command, targets []string, f scanFlags) (err error) {
	files := a.exceptionFiles(f.exceptions, targets)
	accepted, err := a.loadExceptions(files, targets...)
	if err != nil {
		return err
	}
	if err := a.keepInputs(slices.Concat(targets, files, slices.DeleteFunc([]string{f.code.onto}, func(s string) bool { return s == "" }))); err != nil {
		return err
	}
	opt, err := a.codeOptions(f.code)
	if err != nil {
		return err
	}
	if a.std.Estate != nil { // code can make as much as an organisation has
		a.std.Estate()
	}
	var codes []*iac.Code
	for _, t := range targets {
		c, err := a.readCode(t, opt)
		if err != nil {
			return err
		}
		codes = append(codes, c)
	}
	if err := parametersOf(codes, opt.Parameters); err != nil {
		return err
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	sum := lamina.Summary{Command: commandName(cmd), Counts: map[string]int64{"checks": int64(len(checks.All)), "findings": 0}}
	var findings []lamina.Finding
	asked := 0
	words := cleaner{}
	for _, c := range codes {
		j, err := a.judgeCode(cmd.Context(), c, opt.Live, targets)
		if err != nil {
			return err
		}
		findings = append(findings, j.Findings...)
		asked += j.Estate
		for _, s := range c.Skipped {
			words.strings(&s.File, &s.Reason)
			if err := r.Write(lamina.Message{Skipped: &s}); err != nil {
				return err
			}
			sum.Incomplete = append(sum.Incomplete, s.File+": "+s.Reason)
		}
	}
	covered, _ := exception.Apply(accepted, findings, a.std.Now())
	slices.SortStableFunc(findings, func(x, y lamina.Finding) int {
		return cmp.Or(failedFirst(&x)-failedFirst(&y), y.Severity.Rank()-x.Severity.Rank(), cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.ID, y.ID))
	})
	for _, f := range findings {
		words.finding(&f)
		if err := r.Write(lamina.Message{Finding: &f}); err != nil {
			return err
		}
	}
	if covered.Suppressed > 0 {
		sum.Counts["suppressed"] = int64(covered.Suppressed)
	}
	summarizeCode(&sum, codes, findings, f.code.onto, asked)
	return r.Finish(sum)
}

// parametersOf refuses parameters that none of the codes has: a misspelt one would
// leave its default in place.
func parametersOf(codes []*iac.Code, given map[string]string) error {
	var all []string
	for _, c := range codes {
		all = append(all, c.Parameters...)
	}
	for _, name := range sortedKeys(given) {
		if !slices.Contains(all, name) {
			hint := "it has none"
			if len(all) > 0 {
				hint = cmp.Or(didYouMean(name, all), "it has "+strings.Join(all[:min(len(all), 20)], ", "))
			}
			return usagef(hint, "the code has no parameter or variable %q", name)
		}
	}
	return nil
}

// regionName is what names of regions look like: us-gov-west-1.
var regionName = regexp.MustCompile(`^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$`)

// codeOptions is what the flags say of where the code is deployed.
func (a *app) codeOptions(f codeFlags) (iac.Options, error) {
	opt := iac.Options{Region: f.region, Accounts: a.conf.list("accounts"), OrgID: a.conf.text("org_id"), Parameters: map[string]string{}, Keep: keepVariable}
	if f.region != "" && !regionName.MatchString(f.region) {
		return opt, usagef("as in eu-west-1", "--deploy-region %q is no region", f.region)
	}
	for _, p := range f.parameters {
		name, v, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return opt, usagef("write --parameter NAME=VALUE", "--parameter %q has no value", p)
		}
		opt.Parameters[name] = v
	}
	if len(opt.Accounts) == 1 {
		opt.Account = opt.Accounts[0]
	}
	if f.onto == "" {
		return opt, nil
	}
	e, err := a.openEstate(f.onto)
	if err != nil {
		return opt, err
	}
	live := e.Estate.Snapshot
	opt.Live = &live
	accounts, regions := map[string]bool{}, map[string]bool{}
	for _, t := range live.Targets {
		if t.Account != "" && t.Region != "" && slices.Contains(t.Read, "lambda:ListFunctions") {
			accounts[t.Account], regions[t.Region] = true, true
		}
	}
	if opt.Account == "" && len(accounts) == 1 {
		opt.Account = slices.Collect(maps.Keys(accounts))[0]
	}
	if opt.Region == "" && len(regions) == 1 {
		opt.Region = slices.Collect(maps.Keys(regions))[0]
	}
	if opt.Account == "" || opt.Region == "" {
		return opt, usagef("say where the code is deployed: --account ID --deploy-region REGION", "%s has %s and %s", f.onto, count(len(accounts), "account"), count(len(regions), "region"))
	}
	return opt, nil
}

// readCode reads a file or a folder of infrastructure code.
func (a *app) readCode(target string, opt iac.Options) (c *iac.Code, err error) {
	file := a.path(target)
	info, err := os.Stat(file)
	if err != nil {
		return nil, a.missing(target, err)
	}
	dir, name := file, "."
	if !info.IsDir() || filepath.Base(file) == "cdk.out" { // the program that made it is beside it
		dir, name = filepath.Dir(file), filepath.Base(file)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, a.missing(target, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	c, err = iac.Read(root.FS(), name, filepath.ToSlash(target), opt)
	if err != nil {
		return nil, wrap(err, Usage, "infrastructure code is CloudFormation, SAM, Terraform or its plan (terraform show -json), or cdk.out")
	}
	return c, nil
}

// judgeCode runs the checks over the code, alone or on the live estate.
func (a *app) judgeCode(ctx context.Context, c *iac.Code, live *lamina.Snapshot, targets []string) (iac.Judgement, error) {
	var facts []iac.Check
	for _, k := range checks.All {
		facts = append(facts, iac.Check{ID: k.ID, Ref: k.Ref, Title: k.Title, Severity: k.Severity, Needs: k.Needs})
	}
	run := func(s lamina.Snapshot) ([]lamina.Finding, error) {
		in, err := a.input(s, targets...)
		if err != nil {
			return nil, err
		}
		in.Apart = true
		list, _ := askable(checks.All, in)
		return runChecks(ctx, list, in)
	}
	if live == nil {
		alone, err := run(c.Snapshot)
		return c.Judge(alone, facts), err
	}
	before, err := run(*live)
	if err != nil {
		return iac.Judgement{}, err
	}
	after, err := run(c.Overlay(*live))
	return c.JudgeOverlay(before, after, facts), err
}

// summarizeCode counts what was read and found.
func summarizeCode(sum *lamina.Summary, codes []*iac.Code, findings []lamina.Finding, onto string, asked int) {
	unknown, files, resources, read, kinds := 0, 0, 0, 0, map[string]bool{}
	for _, c := range codes {
		files, resources, read = files+len(c.Files), resources+c.Resources, read+c.Read
		for _, k := range c.Kinds {
			kinds[k] = true
		}
		sum.Counts["layer_versions"] += int64(len(c.Snapshot.Layers))
		sum.Counts["functions"] += int64(len(c.Snapshot.Functions))
	}
	for _, f := range findings {
		switch f.Outcome {
		case lamina.Fail:
			sum.Counts["findings"]++
		case lamina.Unknown:
			unknown++
		case lamina.Pass:
			sum.Counts["passed"]++
		case lamina.NotApplicable:
			sum.Counts["not_applicable"]++
		}
	}
	if unknown > 0 {
		sum.Counts["unknown"] = int64(unknown)
		sum.Incomplete = append([]string{count(unknown, "answer") + " unknown"}, sum.Incomplete...)
	}
	sum.Complete = len(sum.Incomplete) == 0
	sum.Coverage = fmt.Sprintf("%s over %s of %s, %d of %s bear on layers", count(len(checks.All), "check"), count(files, "file"),
		cmp.Or(strings.Join(slices.Sorted(maps.Keys(kinds)), " and "), "infrastructure code"), read, count(resources, "resource"))
	if onto != "" {
		sum.Coverage += ", what they newly expose in " + onto
	} else if asked > 0 {
		sum.Coverage += fmt.Sprintf(", %s that only the live estate has (--onto SNAPSHOT)", count(asked, "answer"))
	}
}
