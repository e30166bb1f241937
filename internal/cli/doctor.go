package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/safe"
)

func newDoctor(a *app) *cobra.Command {
	var profile, region string
	var functionCode bool
	c := &cobra.Command{
		Use:   "doctor [aws]",
		Short: "say what works here, what does not, and what to do about it",
		Example: "  lamina doctor                     # files and data; no network\n" +
			"  lamina doctor aws --profile audit --region eu-west-1",
		Long: "Each line is ok, warn or fail, with a hint. With aws it also asks who the credentials are,\n" +
			"whether the clock is right, and tries every action that lamina collect uses, in one\n" +
			"region: all of them only look, most of them at something that does not exist. A denied\n" +
			"action is a warning that says what will be UNKNOWN. Exit code 1 when a line is fail.",
		Args: args(0, 1, "aws"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] != "aws" {
				return usagef("lamina doctor, or lamina doctor aws", "lamina doctor %q: only aws can be examined besides", args[0])
			}
			if len(args) == 1 && a.conf.yes("offline") {
				return &Error{Msg: "doctor aws asks AWS, and --offline forbids the network", Hint: "leave out aws, or --offline", Code: Refused}
			}
			d := &diagnosis{}
			a.examineFiles(d)
			if len(args) == 1 {
				if err := a.examineAWS(cmd.Context(), d, profile, region, functionCode); err != nil {
					return err
				}
			}
			return a.tell(d)
		},
	}
	c.Flags().StringVar(&profile, "profile", "", "a `NAME` of the AWS configuration files; else the default of the AWS CLI")
	c.Flags().StringVar(&region, "region", "", "try in `REGION`; else that of the profile, or AWS_REGION")
	c.Flags().BoolVar(&functionCode, "function-code", false, "also try what lamina collect --function-code calls")
	a.settingFlag(c, "db", "db_verify", "db_max_age", "approvals", "publishers")
	return c
}

// A diagnosis is the lines of doctor.
type diagnosis struct {
	Lines []symptom `json:"lines"`
}

// A symptom is a line of it.
type symptom struct {
	State string `json:"state"` // "ok", "warn" or "fail"
	What  string `json:"what"`
	Says  string `json:"says"`
	Hint  string `json:"hint,omitempty"`
}

func (d *diagnosis) add(state, what, says, hint string) {
	d.Lines = append(d.Lines, symptom{state, what, says, hint})
}

// check adds ok, or the error with its hint.
func (d *diagnosis) check(what, ok string, err error, hint string) {
	if err == nil {
		d.add("ok", what, ok, "")
		return
	}
	if e, found := errors.AsType[*Error](err); found {
		hint = cmp.Or(e.Hint, hint)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	d.add("fail", what, line, hint)
}

// examineFiles looks at what commands read of this folder and of the user's.
func (a *app) examineFiles(d *diagnosis) {
	d.add("ok", "lamina", programVersion, "")
	registry, err := a.loadPublishers()
	if err == nil {
		d.add("ok", "publishers", fmt.Sprintf("%d publishers, %d accounts", registry.Len(), registry.Accounts()), "")
	} else {
		d.check("publishers", "", err, "lamina publishers ls --toml prints the layout")
	}
	if exists(a.path(ownExceptions)) {
		items, err := a.loadExceptions([]string{ownExceptions})
		expired := 0
		for _, x := range items {
			if x.Expired(a.std.Now()) {
				expired++
			}
		}
		if err == nil && expired > 0 {
			d.add("warn", ownExceptions, fmt.Sprintf("%s, %d of them expired", count(len(items), "exception"), expired), "lamina except lint names them")
		} else {
			d.check(ownExceptions, count(len(items), "exception"), err, "lamina except lint says what is wrong with the file")
		}
	}
	if files := a.approvalFiles(); len(files) > 0 {
		set, err := a.readApprovals(files)
		says, expired := "", 0
		if err == nil {
			says = count(len(set.Items), "approval")
			for _, x := range set.Items {
				if x.Expired(set.Now) {
					expired++
				}
			}
		}
		if expired > 0 {
			d.add("warn", "approvals", fmt.Sprintf("%s, %d of them ended", says, expired), "lamina approve lint names them")
		} else {
			d.check("approvals", says, err, "lamina approve lint says what is wrong with the file")
		}
	}
	a.examineDB(d)
	if exists(a.path(snapshotFile)) {
		s, err := a.readSnapshot(snapshotFile)
		age := a.std.Now().Sub(s.Taken)
		switch {
		case err == nil && age > 7*24*time.Hour:
			d.add("warn", snapshotFile, fmt.Sprintf("taken %d days ago", age/(24*time.Hour)), "lamina collect reads what changed since")
		case err == nil && len(gapsOf(s)) > 0:
			d.add("warn", snapshotFile, strings.TrimPrefix(coverageLine(s), "coverage  "), "lamina snapshot show says what was not read")
		default:
			d.check(snapshotFile, strings.TrimPrefix(coverageLine(s), "coverage  "), err, "a snapshot is what lamina collect writes")
		}
	}
	if exists(a.path(snapshotFile + partSuffix)) {
		d.add("warn", snapshotFile+partSuffix, "a collection was interrupted, or is running", "lamina collect --resume goes on with it")
	}
}

func (a *app) examineDB(d *diagnosis) {
	const what = "vulnerabilities"
	db, err := a.openDB()
	if errors.Is(err, errNoDB) {
		d.add("warn", what, err.Error()+": known vulnerabilities are UNKNOWN", dbHint)
		return
	}
	if err != nil {
		d.check(what, "", err, dbHint)
		return
	}
	info := db.Info()
	says := a.dbAge(&info)
	limit, _ := parseDays(a.conf.text("db_max_age"))
	switch old := limit > 0 && a.std.Now().Sub(info.Newest) > limit; {
	case old:
		d.add("warn", what, says, "lamina db update --from URL, or lamina db build of a newer export")
	default:
		d.add("ok", what, says, "")
	}
	if err := db.Close(); err != nil {
		d.check(what, "", err, "")
	}
}

// maxSkew is how wrong a clock may be: AWS refuses signatures that are five
// minutes off (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html).
const maxSkew = 5 * time.Minute

func (a *app) examineAWS(ctx context.Context, d *diagnosis, profile, region string, functionCode bool) error {
	limits := collect.NewLimits(collect.DefaultRate)
	s, err := awsread.Connect(ctx, awsread.Options{
		Profile: profile, Region: region, Endpoint: a.std.Env("AWS_ENDPOINT_URL"), Wait: limits.Wait, Warn: a.sdkSays(), Attempts: 2,
	})
	hint := "aws configure, or aws sso login, makes a profile; --profile names it"
	if errors.Is(err, awsread.ErrNoRegion) {
		hint = "give --region, or set AWS_REGION"
	}
	if err != nil {
		d.check("region", "", err, hint)
		return nil
	}
	d.add("ok", "region", s.Region(), "")
	me, err := s.Identity(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		d.check("credentials", "", err, cmp.Or(unreachable(err), "aws sso login or aws configure makes credentials"))
		return nil
	}
	d.add("ok", "credentials", me.ARN, "")
	if strings.HasSuffix(me.ARN, ":root") {
		d.add("warn", "credentials", "they are the account's root user's", "read as a role: lamina iam policy collect prints what it needs")
	}
	skew := me.Skew.Round(time.Second)
	switch {
	case skew.Abs() > maxSkew:
		d.add("fail", "clock", fmt.Sprintf("%s off AWS's", skew), "set the clock: AWS refuses calls that are signed five minutes off")
	case skew.Abs() > maxSkew/5:
		d.add("warn", "clock", fmt.Sprintf("%s off AWS's", skew), "set the clock before it is five minutes")
	default:
		d.add("ok", "clock", fmt.Sprintf("%s off AWS's", skew), "")
	}
	bar := a.progress("try", 1)
	calls := awsread.Calls
	if functionCode {
		calls = slices.Concat(calls, awsread.CodeCalls)
	}
	trials, err := s.In(s.Region()).Try(ctx, calls, me.Account, me.Partition, func(done, of int) { bar.of(int64(done), int64(of)) })
	bar.done()
	if err != nil {
		return err
	}
	answered, untried := 0, []string{}
	for _, t := range trials {
		switch {
		case !t.Tried:
			untried = append(untried, t.Action+", because "+t.Reason)
		case t.Denied:
			d.add("warn", t.Action, "denied; without it is not known: "+t.Without, "lamina iam policy collect prints the policy that allows it")
		case t.Reason != "":
			d.add("warn", t.Action, "no clear answer: "+t.Reason, "without it is not known: "+t.Without)
		default:
			answered++
		}
	}
	d.add("ok", "permissions", fmt.Sprintf("%s allowed of %d tried", count(answered, "action"), len(trials)-len(untried)), "")
	if len(untried) > 0 {
		d.add("ok", "not tried", strings.Join(untried, "; "), "")
	}
	return nil
}

func (a *app) tell(d *diagnosis) error {
	states := map[string]int{}
	wide := 0
	for _, l := range d.Lines {
		states[l.State]++
		wide = max(wide, len(l.What))
	}
	err := a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, d)
		}
		var b strings.Builder
		for _, l := range d.Lines {
			indent := 6 + wide + 2
			for i, line := range a.fold(indent, safe.Line(l.Says, 0)) {
				if i == 0 {
					fmt.Fprintf(&b, "%-4s  %-*s  %s\n", l.State, wide, safe.Line(l.What, 0), line)
				} else {
					b.WriteString(strings.Repeat(" ", indent) + line + "\n")
				}
			}
			if l.Hint != "" {
				for i, line := range a.fold(12, safe.Line(l.Hint, 0)) {
					b.WriteString(map[bool]string{true: "      hint: ", false: "            "}[i == 0] + line + "\n")
				}
			}
		}
		fmt.Fprintf(&b, "\n%d ok, %d warn, %d fail\n", states["ok"], states["warn"], states["fail"])
		_, err := io.WriteString(w, b.String())
		return err
	})
	if err == nil && states["fail"] > 0 {
		return &statusError{Findings, fmt.Sprintf("exit 1: %d of %d failed", states["fail"], len(d.Lines))}
	}
	return err
}
