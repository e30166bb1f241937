package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/snapshot"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// collectFlags are the flags of collect that are no settings.
type collectFlags struct {
	profile, roleName, externalID string
	regions, accounts             []string
	layers, functions             []string
	organization, resume, full    bool
	replace                       bool
	rate                          float64
	content                       string
	functionCode                  bool
	exceptions                    []string
}

const snapshotFile = "snapshot.lamina"

func newCollect(a *app) *cobra.Command {
	var f collectFlags
	c := &cobra.Command{
		Use:   "collect",
		Short: "read an AWS account or organisation into a snapshot; changes nothing",
		Example: "  lamina collect --profile audit -o snapshot.lamina\n" +
			"  lamina collect --organization --role-name lamina-collect --external-id ID\n" +
			"  lamina collect --content layers         # the layers' zips, too\n" +
			"  lamina collect --layer arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7 -o auth.lamina\n" +
			"  lamina collect --resume                 # go on where Ctrl-C stopped it",
		Long: "Reads layers, their policies, functions, IAM, AWS Organizations and what would notice a\n" +
			"change, in every enabled region, and writes " + snapshotFile + " (or -o FILE). Every call only\n" +
			"looks; lamina iam policy collect prints the exact policy it needs. A call that is denied\n" +
			"is a gap in the coverage, and what rests on it is UNKNOWN, never PASS (exit 3).\n\n" +
			"When FILE is there already, what cannot have changed is not read again, and a run that would\n" +
			"leave out what FILE holds (regions, accounts, layers) is refused: another -o, or --replace.\n" +
			"A run that is interrupted leaves FILE.part. With --content DIR zips are kept in DIR, each\n" +
			"fetched once; with --layer or --function only that is read, what loads it and what it loads.",
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.collect(cmd, f) },
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.exceptions, "exceptions", nil, "accepted gaps: `FILE`, else ./exceptions.toml if it is there; may be repeated")
	fl.StringVar(&f.profile, "profile", "", "a `NAME` of the AWS configuration files; else the default of the AWS CLI")
	fl.StringArrayVar(&f.regions, "region", nil, "read `REGION` only, or all; may be given several times (default: all that are enabled)")
	fl.BoolVar(&f.organization, "organization", false, "read the organisation, and every active account of it through --role-name")
	fl.StringVar(&f.roleName, "role-name", "", "the role to assume in other accounts, by `NAME`")
	fl.StringVar(&f.externalID, "external-id", "", "the external `ID` that the role's trust policy asks for")
	fl.StringArrayVar(&f.accounts, "account", nil, "read the account `ID` only; may be given several times")
	fl.StringArrayVar(&f.layers, "layer", nil, "read only the layer, or version of one, `ARN`; may be given several times")
	fl.StringArrayVar(&f.functions, "function", nil, "read only the function `ARN`, and its layers; may be given several times")
	fl.BoolVar(&f.resume, "resume", false, "go on with a collection that was interrupted")
	fl.BoolVar(&f.full, "full", false, "read everything again, whatever an earlier snapshot says")
	fl.BoolVar(&f.replace, "replace", false, "write over FILE, whatever it holds")
	fl.StringVar(&f.content, "content", "", "fetch the zips of layers, also those of others that functions load, into `DIR`")
	fl.BoolVar(&f.functionCode, "function-code", false, "with --content: also functions' own packages (needs lambda:GetFunction)")
	fl.Float64Var(&f.rate, "rate", collect.DefaultRate, "make at most `N` calls of Lambda a second in one account and region (AWS allows 15)")
	nameOnly(c, "exceptions", "external-id", "full", "rate")
	return c
}

func (a *app) collect(cmd *cobra.Command, f collectFlags) (err error) {
	ctx := cmd.Context()
	if a.conf.yes("offline") {
		return &Error{Msg: "collect reads AWS, and --offline forbids the network", Hint: "leave out --offline", Code: Refused}
	}
	if err := f.check(); err != nil {
		return err
	}
	file := a.flags.output
	switch file {
	case "":
		file = snapshotFile
	case "-":
		return usagef("give a file: -o "+snapshotFile, "a snapshot is not written to standard output")
	}
	a.flags.output = "" // the result stream goes where -f says
	if info, err := os.Stat(a.path(f.content)); f.content != "" && err == nil && !info.IsDir() {
		return usagef("give the name of a folder: it is made if it is not there", "--content %s is no folder", f.content)
	}
	accepted, err := a.loadExceptions(a.exceptionFiles(f.exceptions, nil))
	if err != nil {
		return err
	}
	j, err := a.openJournal(file, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	opt := collect.Options{Now: j.header.Now, Jobs: a.conf.num("jobs"), Resume: j.entries, Journal: j.write}
	opt.Only = f.only()
	if f.content != "" {
		opt.Zips, opt.FunctionCode = zipstore.New(a.path(f.content)), f.functionCode
	}
	var had *lamina.Snapshot
	if !f.replace {
		if had, err = a.previous(file); err != nil {
			return err
		}
	}
	if !f.full {
		opt.Previous = had
	}
	if err := a.whom(ctx, f, &opt); err != nil {
		return err
	}
	if had != nil {
		if lost := collect.Lost(*had, opt); lost != nil {
			return &Error{
				Msg:  fmt.Sprintf("%s holds what would not be read now, and be lost: %s", file, reasons(lost)),
				Hint: "give another file with -o; --replace writes over this one", Code: Refused,
			}
		}
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	s, err := a.gather(ctx, opt)
	if err != nil {
		if ctx.Err() != nil && j.holds() {
			a.note("what was read is in %s; go on with: lamina collect --resume%s", file+partSuffix, f.again(file))
		}
		return err
	}
	if arn := unread(s); arn != "" {
		return errors.Join(usagef("lamina collect without --layer and --function reads all that there is", "there is no %s that these credentials may read", arn), j.remove())
	}
	out, err := report.CreatePrivate(a.path(file))
	if err != nil {
		return a.outputError(file, err)
	}
	if err := snapshot.Write(out, s); err != nil {
		return errors.Join(err, out.Abort())
	}
	if err := out.Commit(); err != nil {
		return a.outputError(file, err)
	}
	if err := j.remove(); err != nil {
		return err
	}
	a.note("wrote %s", file)
	return r.Finish(collectSummary(s, accepted, a.std.Now()))
}

func (f collectFlags) check() error {
	for _, id := range f.accounts {
		if err := validAccount(id); err != nil {
			return usagef("twelve digits, as in 111122223333", "--account %q: %s", id, err)
		}
	}
	for _, arn := range f.layers {
		const hint = "as in arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7"
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			return usagef(hint, "--layer: %s", err)
		}
		if err := validAccount(l.ARN.Account); err != nil && !l.Legacy {
			return usagef(hint, "%q: account %q: %s", arn, l.ARN.Account, err)
		}
	}
	for _, arn := range f.functions {
		const hint = "as in arn:aws:lambda:eu-west-1:111122223333:function:billing"
		fn, ok := functionARN(arn)
		if !ok {
			return usagef(hint, "--function %q is no ARN of a function", arn)
		}
		if err := validAccount(fn.Account); err != nil {
			return usagef(hint, "%q: account %q: %s", arn, fn.Account, err)
		}
	}
	switch {
	case f.organization && f.roleName == "":
		return usagef("name the role that every account has for this: --role-name lamina-collect", "--organization reads other accounts, and needs a role there")
	case len(f.accounts) > 0 && f.roleName == "" && !f.organization && len(f.accounts) > 1:
		return usagef("name the role that every account has for this: --role-name lamina-collect", "%d accounts cannot be read without a role to assume", len(f.accounts))
	case f.externalID != "" && f.roleName == "":
		return usagef("add --role-name", "--external-id is for assuming a role")
	case f.functionCode && f.content == "":
		return usagef("add --content DIR", "--function-code fetches packages, and there is no folder to keep them in")
	case f.rate <= 0:
		return usagef("a number above 0", "--rate %g holds back every call", f.rate)
	case slices.ContainsFunc(f.regions, notRegion):
		return usagef("as in eu-west-1, or all", "--region %q is no name of a region", f.regions[slices.IndexFunc(f.regions, notRegion)])
	case slices.Contains(f.regions, "all") && len(f.regions) > 1:
		return usagef("give all or the regions", "--region all and other regions")
	}
	return nil
}

// notRegion reports whether a value of --region can be neither a region nor all.
func notRegion(name string) bool { return name != "all" && !regionName.MatchString(name) }

// functionARN is the ARN of a function, or of a version or alias of one.
func functionARN(arn string) (lamina.ARN, bool) {
	a, err := lamina.ParseARN(arn)
	return a, err == nil && a.Service == "lambda" && strings.HasPrefix(a.Resource, "function:")
}

// asked is what a run was asked for, in the form of its flags.
func (f collectFlags) asked() string {
	s := fmt.Sprintf("profile=%s organization=%t role-name=%s accounts=%s regions=%s",
		f.profile, f.organization, f.roleName, strings.Join(f.accounts, ","), strings.Join(f.regions, ","))
	if f.content != "" {
		s += " content=" + f.content
	}
	if f.functionCode {
		s += " function-code"
	}
	if only := f.only(); only != nil {
		s += " only=" + strings.Join(only, ",")
	}
	return s
}

// only is what the collection is restricted to, nil for everything.
func (f collectFlags) only() []string { return slices.Concat(f.layers, f.functions) }

// where are the regions that are read, nil for all that are enabled: those of what
// was asked for, when no others are named.
func (f collectFlags) where() []string {
	if slices.Equal(f.regions, []string{"all"}) {
		return nil
	}
	if len(f.regions) > 0 {
		return slices.Clone(f.regions)
	}
	var regions []string
	for _, arn := range f.only() {
		if a, err := lamina.ParseARN(arn); err == nil && a.Region != "" {
			regions = append(regions, a.Region)
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// again is the flags to go on with.
func (f collectFlags) again(file string) string {
	var b strings.Builder
	flag := func(name, value string) {
		if value != "" {
			b.WriteString(" --" + name + " " + value)
		}
	}
	flag("profile", f.profile)
	if f.organization {
		b.WriteString(" --organization")
	}
	flag("role-name", f.roleName)
	if f.externalID != "" {
		flag("external-id", "ID")
	}
	for _, id := range f.accounts {
		flag("account", id)
	}
	for _, region := range f.regions {
		flag("region", region)
	}
	for _, arn := range f.layers {
		flag("layer", arn)
	}
	for _, arn := range f.functions {
		flag("function", arn)
	}
	if f.replace {
		b.WriteString(" --replace")
	}
	flag("content", f.content)
	if f.functionCode {
		b.WriteString(" --function-code")
	}
	if file != snapshotFile {
		b.WriteString(" -o " + file)
	}
	return b.String()
}

// whom finds out which accounts are read, and by whom.
func (a *app) whom(ctx context.Context, f collectFlags, opt *collect.Options) error {
	region := ""
	f.regions = f.where()
	if len(f.regions) > 0 {
		region = f.regions[0]
	}
	limits := collect.NewLimits(f.rate)
	s, err := awsread.Connect(ctx, awsread.Options{
		Profile: f.profile, Region: region, Endpoint: a.std.Env("AWS_ENDPOINT_URL"), Wait: limits.Wait, Warn: a.sdkSays(), Keep: keepVariable,
	})
	switch {
	case errors.Is(err, awsread.ErrNoRegion):
		return wrap(err, CannotRun, "give --region, or set AWS_REGION")
	case err != nil:
		return wrap(err, CannotRun, "aws configure, or aws sso login, makes a profile; --profile names it")
	}
	me, err := s.Identity(ctx)
	if err != nil {
		return wrap(err, CannotRun, cmp.Or(unreachable(err), "aws sso login or aws configure makes credentials; what AWS takes them for: aws sts get-caller-identity"+strings.TrimSuffix(" --profile "+f.profile, " --profile ")))
	}
	a.note("reading as %s", me.ARN)
	home := cmp.Or(region, s.Region())
	if err := thereIs(ctx, s.In(home), f.regions); err != nil {
		return err
	}
	if opt.Organization, err = collect.Discover(ctx, me.Account, s.In(home), opt.Now, f.organization); err != nil {
		return err
	}
	if f.organization {
		a.sayOrganization(opt.Organization, me.Account)
	}
	ids := f.accounts
	if len(ids) == 0 {
		for _, acc := range opt.Organization.Accounts {
			if acc.Status == "" || acc.Status == "ACTIVE" {
				ids = append(ids, acc.ID)
			}
		}
	}
	if len(ids) == 0 {
		ids = []string{me.Account}
	}
	for _, id := range ids {
		session := s
		if id != me.Account {
			if f.roleName == "" {
				return usagef("add --role-name", "account %s is not that of the credentials (%s), and no role to assume there was given", id, me.Account)
			}
			session = s.Assume(id, fmt.Sprintf("arn:%s:iam::%s:role/%s", me.Partition, id, f.roleName), f.externalID, "lamina-collect")
		}
		opt.Accounts = append(opt.Accounts, collect.Account{ID: id, Session: session, Regions: f.regions, Home: home})
	}
	return nil
}

// sayOrganization says as what the organisation is read.
func (a *app) sayOrganization(o collect.Organization, account string) {
	i := slices.IndexFunc(o.Accounts, func(x lamina.Account) bool { return x.ID == account })
	switch {
	case o.ID == "":
		a.note("account %s is in no organisation, or may not ask", account)
	case i < 0:
		a.note("the accounts of organisation %s could not be listed: the management account and delegated administrators may; reading account %s alone", o.ID, account)
	case o.Accounts[i].Management:
		a.note("reading organisation %s as its management account", o.ID)
	case len(o.Accounts[i].Delegated) > 0:
		a.note("reading organisation %s as a delegated administrator (%s)", o.ID, strings.Join(o.Accounts[i].Delegated, ", "))
	}
}

// unreachable is the hint for a call that nobody answered, "" for another error.
func unreachable(err error) string {
	if e, ok := errors.AsType[*awsread.Error](err); ok && e.Unreachable {
		return "the region may not exist, or the network or a proxy (HTTPS_PROXY, AWS_ENDPOINT_URL) is in the way"
	}
	return ""
}

// thereIs refuses regions that AWS does not have, where it says which it has: a
// misspelt one would be read as one without anything in it.
func thereIs(ctx context.Context, c *awsread.Client, regions []string) error {
	if len(regions) == 0 {
		return nil
	}
	all, err := c.EveryRegion(ctx)
	if err != nil || len(all) == 0 {
		return nil //nolint:nilerr // then the calls in the region will tell
	}
	for _, r := range regions {
		if !slices.Contains(all, r) {
			return usagef(cmp.Or(didYouMean(r, all), "without --region all that the account has enabled are read"), "there is no region %q", r)
		}
	}
	return nil
}

// unread is what was asked for by name and is not there, "" for nothing. Where
// something could not be read, that is the reason, and stands in the coverage.
func unread(s lamina.Snapshot) string {
	if slices.ContainsFunc(s.Targets, func(t lamina.Target) bool { return len(t.Gaps) > 0 }) {
		return ""
	}
	for _, arn := range s.Only {
		is := func(have string) bool { return have == arn || strings.HasPrefix(have, arn+":") }
		if !slices.ContainsFunc(s.Layers, func(l lamina.LayerVersion) bool { return is(l.ARN) }) &&
			!slices.ContainsFunc(s.Functions, func(f lamina.Function) bool { return is(f.ARN) }) {
			return arn
		}
	}
	return ""
}

// sdkSays is told what the AWS SDK would write to standard error: -v shows it, each
// sentence once.
func (a *app) sdkSays() func(text string) {
	if !a.flags.verbose {
		return nil
	}
	var mu sync.Mutex
	said := map[string]bool{}
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if !said[text] {
			said[text] = true
			a.note("the AWS SDK says: %s", safe.Line(text, 0))
		}
	}
}

// keepVariable keeps the values of variables that make a runtime load code: the
// checks of what a layer can hijack rest on them. What looks like a secret in
// them is taken out.
func keepVariable(name, value string) string {
	if _, ok := runtimes.LoaderByKey(name); !ok {
		return ""
	}
	return codeflow.Clean(value)
}

// gather collects under a progress bar.
func (a *app) gather(ctx context.Context, opt collect.Options) (lamina.Snapshot, error) {
	bar := a.progress("collect", 1)
	defer bar.done()
	opt.Progress = func(p collect.Progress) {
		// A target counts as ten readings: there are its lists besides.
		bar.of(int64(p.Done+10*p.TargetsDone), int64(p.Known+10*p.Targets))
	}
	return collect.Collect(ctx, opt)
}

// previous reads an earlier snapshot from the file, nil if there is none.
func (a *app) previous(file string) (*lamina.Snapshot, error) {
	in, err := openInput(a.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if errors.Is(err, errNoFile) {
		return nil, usagef("give a file: -o "+snapshotFile, "%s %s", file, cause(err))
	}
	if err != nil {
		return nil, wrap(err, CannotRun, "")
	}
	s, err := snapshot.Read(in)
	err = errors.Join(err, in.Close())
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf("%s: %v", file, err), Hint: "give another file with -o; --replace writes over this one", Code: Refused, Err: err}
	}
	return &s, nil
}

// partSuffix ends the name of a journal.
const partSuffix = ".part"

// A journal is what is left of a run that is broken off.
type journal struct {
	file    *os.File
	header  collect.Header
	entries []collect.Entry // that it had
	written int             // entries of this run
}

// holds reports whether there is something to go on with.
func (j *journal) holds() bool { return j.written+len(j.entries) > 0 }

// openJournal makes the journal of a run, or opens that of the run to go on with.
func (a *app) openJournal(file string, f collectFlags) (*journal, error) {
	name := a.path(file + partSuffix)
	if f.resume {
		info, err := os.Stat(name)
		var in *os.File
		switch {
		case err == nil && !info.Mode().IsRegular(): // a pipe would be waited for
			return nil, usagef("delete it, and collect without --resume", "%s is no journal of lamina collect", file+partSuffix)
		case err == nil:
			in, err = os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // beside the file that the user named
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("leave out --resume", "there is nothing to go on with: no %s", file+partSuffix)
		}
		if err != nil {
			return nil, wrap(err, CannotRun, "")
		}
		j := &journal{file: in}
		var size int64
		if j.header, j.entries, size, err = collect.ReadJournal(in); err != nil {
			return nil, errors.Join(&Error{Msg: fmt.Sprintf("%s: %v", file+partSuffix, err), Hint: "delete it, and collect without --resume", Code: Usage}, in.Close())
		}
		if j.header.Asked != f.asked() {
			return nil, errors.Join(usagef("give the flags of then, or delete it and collect without --resume",
				"%s is of a collection that was asked for something else: %s", file+partSuffix, j.header.Asked), in.Close())
		}
		if err := in.Truncate(size); err != nil {
			return nil, errors.Join(wrap(err, CannotRun, ""), in.Close())
		}
		_, err = in.Seek(size, io.SeekStart)
		return j, err
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		return nil, &Error{
			Msg:  file + partSuffix + " is there: a collection was interrupted, or is running",
			Hint: "go on with --resume, or delete it", Code: Usage,
		}
	}
	if err != nil {
		return nil, a.outputError(file+partSuffix, err)
	}
	j := &journal{file: out, header: collect.Header{Now: a.std.Now().UTC().Truncate(time.Second), Asked: f.asked()}}
	if err := collect.WriteHeader(out, j.header); err != nil {
		return nil, errors.Join(err, j.remove())
	}
	return j, nil
}

func (j *journal) write(e collect.Entry) error {
	if err := collect.WriteEntry(j.file, e); err != nil {
		return err
	}
	j.written++
	return j.file.Sync()
}

// close lets go of the journal; one that holds nothing is removed.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	if err == nil && !j.holds() {
		err = os.Remove(j.file.Name())
	}
	j.file = nil
	return err
}

// remove deletes the journal of a run that is done.
func (j *journal) remove() error {
	name := j.file.Name()
	err := j.file.Close()
	j.file = nil
	return errors.Join(err, os.Remove(name))
}

func collectSummary(s lamina.Snapshot, items []exception.Item, now time.Time) lamina.Summary {
	sum := lamina.Summary{Command: "collect", Counts: map[string]int64{
		"accounts": int64(len(s.Accounts)), "targets": int64(len(s.Targets)), "layer_versions": int64(len(s.Layers)),
		"functions": int64(len(s.Functions)), "principals": int64(len(s.Principals)),
	}}
	sum.Incomplete, sum.Accepted = gapsUnder(s, items, now)
	sum.Complete = len(sum.Incomplete) == 0
	whole := 0
	for _, t := range s.Targets {
		if len(t.Gaps) == 0 {
			whole++
		}
	}
	sum.Coverage = fmt.Sprintf("%d/%d accounts and regions read whole, %s, %s, %s",
		whole, len(s.Targets), count(len(s.Layers), "layer version"), count(len(s.Functions), "function"), count(len(s.Principals), "principal"))
	return sum
}
