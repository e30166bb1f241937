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
	rate                          float64
}

func (f *estateFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.content, "content", "", "of an estate: keep the layers' zips in `DIR`, or take them from there")
	fl.StringVar(&f.profile, "profile", "", "of AWS: a `NAME` of the AWS configuration files; else the default of the AWS CLI")
	fl.StringArrayVar(&f.regions, "region", nil, "of AWS: read `REGION` only; may be given several times")
	fl.BoolVar(&f.organization, "organization", false, "of AWS: read every active account of the organisation through --role-name")
	fl.StringVar(&f.roleName, "role-name", "", "of AWS: the role to assume in other accounts, by `NAME`")
	fl.Float64Var(&f.rate, "rate", collect.DefaultRate, "of AWS: make at most `N` calls of Lambda a second in one account and region")
	fl.StringVar(&f.externalID, "external-id", "", "of AWS: the external `ID` that the role's trust policy asks for")
}

// reads reports whether a flag about AWS was given.
func (f *estateFlags) reads() bool {
	return f.profile != "" || f.roleName != "" || f.externalID != "" || len(f.regions) > 0 || f.organization
}

// liveTarget is the target of scan that means all of AWS that can be read.
const liveTarget = "aws"

// An estateTarget is what scan judges as an estate.
type estateTarget struct {
	snapshot string   // a file
	layers   []string // ARNs
	live     bool
}

// isEstate reports whether scan takes the targets for an estate: one snapshot, all
// of AWS, or layers by their ARN.
func (a *app) isEstate(targets []string, f estateFlags) (t estateTarget, ok bool, err error) {
	snapshots := 0
	for _, target := range targets {
		switch {
		case target == liveTarget:
			t.live = true
		case strings.HasPrefix(target, "arn:"):
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
	kinds := snapshots + min(len(t.layers), 1)
	if t.live {
		kinds++
	}
	switch {
	case kinds == 0 && (f.reads() || f.content != ""):
		return t, false, usagef("aws is all that can be read, an ARN one layer, a snapshot what lamina collect wrote", "--content, --profile, --region, --organization, --role-name and --external-id are about AWS, and %s is not", targets[0])
	case kinds == 0:
		return t, false, nil
	case kinds > 1 || snapshots+len(t.layers) != len(targets) && !t.live || t.live && len(targets) > 1:
		return t, false, usagef("scan them in several runs", "an estate is one snapshot, aws, or ARNs of layers, and nothing beside it")
	case snapshots == 1 && f.reads():
		return t, false, usagef("leave them out", "--profile, --region, --organization, --role-name and --external-id are about AWS, and %s was collected", t.snapshot)
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
		in, err = a.readEstate(ctx, t, f.estate, zipstore.New(a.path(dir)))
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

// readEstate collects the layers, or everything.
func (a *app) readEstate(ctx context.Context, t estateTarget, f estateFlags, zips collect.Zips) (posture.Input, error) {
	if a.conf.yes("offline") {
		return posture.Input{}, &Error{Msg: "this scan reads AWS, and --offline forbids the network", Hint: "leave out --offline, or scan a snapshot", Code: Refused}
	}
	from := collectFlags{
		profile: f.profile, roleName: f.roleName, externalID: f.externalID, regions: f.regions, organization: f.organization,
		layers: t.layers, rate: f.rate,
	}
	if err := from.check(); err != nil {
		return posture.Input{}, err
	}
	opt := collect.Options{Now: a.std.Now().UTC(), Jobs: a.conf.num("jobs"), Only: from.only(), Zips: zips}
	if err := a.whom(ctx, from, &opt); err != nil {
		return posture.Input{}, err
	}
	s, err := a.gather(ctx, opt)
	if err != nil {
		return posture.Input{}, err
	}
	if arn := unread(s); arn != "" {
		return posture.Input{}, usagef("lamina scan aws reads all that there is", "there is no layer %s that these credentials may read", arn)
	}
	return a.input(s)
}
