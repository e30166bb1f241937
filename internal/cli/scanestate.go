package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// estateFlags are the flags of scan that are about AWS and snapshots of it.
type estateFlags struct {
	profile, roleName, externalID string
	regions                       []string
	organization                  bool
	content                       string
	functionCode                  bool
	rate                          float64
}

func (f *estateFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.content, "content", "", "of an estate: keep the layers' zips in `DIR`, or take them from there")
	fl.BoolVar(&f.functionCode, "function-code", false, "of AWS: also functions' own packages (needs lambda:GetFunction)")
	fl.StringVar(&f.profile, "profile", "", "of AWS: a `NAME` of the AWS configuration files; else the default of the AWS CLI")
	fl.StringArrayVar(&f.regions, "region", nil, "of AWS: read `REGION` only; may be given several times")
	fl.BoolVar(&f.organization, "organization", false, "of AWS: read every active account of the organisation through --role-name")
	fl.StringVar(&f.roleName, "role-name", "", "of AWS: the role to assume in other accounts, by `NAME`")
	fl.Float64Var(&f.rate, "rate", collect.DefaultRate, "of AWS: make at most `N` calls of Lambda a second in one account and region")
	fl.StringVar(&f.externalID, "external-id", "", "of AWS: the external `ID` that the role's trust policy asks for")
}

// reads reports whether a flag about AWS was given.
func (f *estateFlags) reads() bool {
	return f.profile != "" || f.roleName != "" || f.externalID != "" || len(f.regions) > 0 || f.organization || f.functionCode
}

// ofAWS names the flags of reads.
const ofAWS = "--profile, --region, --organization, --role-name, --external-id and --function-code"

// liveTarget is the target of scan that means all of AWS that can be read.
const liveTarget = "aws"

// An estateTarget is what scan judges as an estate.
type estateTarget struct {
	snapshot          string   // a file
	layers, functions []string // ARNs
	live              bool
}

// isEstate reports whether scan takes the targets for an estate: one snapshot, all
// of AWS, or layers and functions by their ARN.
func (a *app) isEstate(targets []string, f estateFlags) (t estateTarget, ok bool, err error) {
	snapshots := 0
	for _, target := range targets {
		switch {
		case target == liveTarget:
			t.live = true
		case strings.HasPrefix(target, "arn:"):
			if _, ok := functionARN(target); ok {
				t.functions = append(t.functions, target)
				continue
			}
			l, err := lamina.ParseLayerARN(target)
			if err != nil {
				return t, false, usagef("as in arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7", "%s", err)
			}
			if l.Legacy {
				return t, false, usagef("give an ARN with an account", "%s has no account to read it from", target)
			}
			t.layers = append(t.layers, target)
		case a.isSnapshot(target):
			t.snapshot = target
			snapshots++
		}
	}
	named := len(t.layers) + len(t.functions)
	kinds := snapshots + min(named, 1)
	if t.live {
		kinds++
	}
	switch {
	case kinds == 0 && (f.reads() || f.content != ""):
		return t, false, usagef("aws is all that can be read, an ARN one layer or function, a snapshot what lamina collect wrote", "--content, "+ofAWS+" are about AWS, and %s is not", targets[0])
	case kinds == 0:
		return t, false, nil
	case kinds > 1 || snapshots+named != len(targets) && !t.live || t.live && len(targets) > 1:
		return t, false, usagef("scan them in several runs", "an estate is one snapshot, aws, or ARNs of layers and functions, and nothing beside it")
	case snapshots == 1 && f.reads():
		return t, false, usagef("leave them out", ofAWS+" are about AWS, and %s was collected", t.snapshot)
	}
	return t, true, nil
}

// isSnapshot reports whether the file begins as a snapshot does.
func (a *app) isSnapshot(target string) bool {
	info, err := os.Stat(a.path(target))
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(a.path(target))
	if err != nil {
		return false
	}
	head := make([]byte, len(snapshotMagic))
	n, err := f.ReadAt(head, 0)
	return errors.Join(err, f.Close()) == nil && string(head[:n]) == snapshotMagic
}

// snapshotMagic is how the file of a snapshot begins.
const snapshotMagic = "lamina-snapshot "

// scanEstate judges an estate and what is in its layers.
func (a *app) scanEstate(cmd *cobra.Command, t estateTarget, f scanFlags) (err error) {
	if f.against != "" || f.function != "" || f.handler != "" || f.runtime != "" || f.arch != "" || len(f.env) > 0 {
		return usagef("leave them out: the estate says which function loads which layer", "--against, --function, --handler, --runtime, --arch and --env are about layer files")
	}
	if f.sandbox {
		return usagef("give the zips themselves: lamina scan --sandbox "+cmp.Or(f.estate.content, "DIR")+"/*.zip", "--sandbox is about layer files")
	}
	accounts, err := a.estateAccounts(cmd, t)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	j, err := a.marks(markFlags{exceptions: f.exceptions}, nonEmpty(t.snapshot)...)
	if err != nil {
		return err
	}
	if err := a.keepInputs(slices.Concat(j.files, nonEmpty(t.snapshot), a.approvalFiles(), a.knownFiles())); err != nil {
		return err
	}
	dir := f.estate.content
	var in posture.Input
	if t.snapshot != "" {
		in, err = a.openEstate(t.snapshot)
	} else {
		if dir == "" {
			if dir = a.zipsDir(); dir == "" {
				return usagef("give one with --content DIR, or set HOME", "there is no folder to keep zips in")
			}
		}
		in, err = a.readEstate(ctx, collectFlags{
			profile: f.estate.profile, roleName: f.estate.roleName, externalID: f.estate.externalID, regions: f.estate.regions,
			organization: f.estate.organization, accounts: accounts, layers: t.layers, functions: t.functions,
			content: dir, functionCode: f.estate.functionCode, rate: f.estate.rate,
		})
	}
	if err != nil {
		return err
	}
	if in.Alerting, err = a.alerting(in); err != nil {
		return err
	}
	inside, err := a.lookInside(ctx, in.Estate, dir, f)
	if err != nil {
		return err
	}
	in.Contents, inside.shown = inside.all(), true
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	if err := inside.write(r); err != nil {
		return err
	}
	sum, err := a.judgeEstate(ctx, r, checks.All, in, inside, j)
	if err != nil {
		return err
	}
	sum.Command = commandName(cmd)
	for _, arn := range slices.Sorted(maps.Keys(inside.skipped)) {
		for _, s := range inside.skipped[arn] {
			sum.Counts["skipped"]++
			sum.Incomplete = append(sum.Incomplete, s.File+": "+s.Reason)
		}
	}
	sum.Counts["packages"] = int64(inside.packages)
	sum.Complete = len(sum.Incomplete) == 0
	return r.Finish(sum)
}

// estateAccounts are the accounts to read, which are those of the flag alone: the
// setting says whose layers are ours where nobody else does, of infrastructure code.
func (a *app) estateAccounts(cmd *cobra.Command, t estateTarget) ([]string, error) {
	given := cmd.Flags().Changed("account")
	if cmd.Flags().Changed("org-id") || given && t.snapshot != "" {
		return nil, usagef("leave them out: what is collected says whose it is", "--org-id is about infrastructure code, --account about that and AWS")
	}
	if !given {
		return nil, nil
	}
	return a.conf.list("accounts"), nil
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// zipsDir is where zips are kept that were fetched for a scan, "" if there is no
// place. It holds nothing that AWS would not give again.
func (a *app) zipsDir() string {
	if dir := a.cacheDir(); dir != "" {
		return filepath.Join(dir, "zips")
	}
	return ""
}

// readEstate collects what is asked for.
func (a *app) readEstate(ctx context.Context, f collectFlags) (posture.Input, error) {
	if a.conf.yes("offline") {
		return posture.Input{}, &Error{Msg: "this scan reads AWS, and --offline forbids the network", Hint: "leave out --offline, or scan a snapshot", Code: Refused}
	}
	if err := f.check(); err != nil {
		return posture.Input{}, err
	}
	opt := collect.Options{
		Now: a.std.Now().UTC(), Jobs: a.conf.num("jobs"), Only: f.only(), Zips: zipstore.New(a.path(f.content)), FunctionCode: f.functionCode,
	}
	if err := a.whom(ctx, f, &opt); err != nil {
		return posture.Input{}, err
	}
	s, err := a.gather(ctx, opt)
	if err != nil {
		return posture.Input{}, err
	}
	if arn := unread(s); arn != "" {
		return posture.Input{}, usagef("lamina scan aws reads all that there is", "there is no %s that these credentials may read", arn)
	}
	return a.input(s)
}
