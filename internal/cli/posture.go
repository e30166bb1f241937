package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/framework"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/report"
)

func newPosture(a *app) *cobra.Command {
	var f postureFlags
	c := &cobra.Command{
		Use:   "posture SNAPSHOT",
		Short: "say who can read, attach, change or lose each layer of a snapshot",
		Example: "  lamina posture snapshot.lamina\n" +
			"  lamina posture snapshot.lamina --check EXP-02 --severity high -f sarif=posture.sarif\n" +
			"  lamina posture snapshot.lamina --trail AWSLogs/  # also what happened\n" +
			"  lamina posture snapshot.lamina --content layers/ # also what is in the layers",
		Long: "SNAPSHOT is what lamina collect wrote. Every check answers FAIL, PASS or NOT_APPLICABLE for\n" +
			"each thing it looks at, or UNKNOWN with what would settle it: what could not be read never\n" +
			"passes. lamina posture checks lists the checks; those that need logs are asked with --trail,\n" +
			"those that need the layers' zips with --content, those that compare with --earlier.",
		Args: args(1, 1, "SNAPSHOT"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.posture(cmd, args[0], f) },
	}
	fl := c.Flags()
	fl.StringArrayVar(&f.only, "check", nil, "run only the check with this `ID` or number; may be given several times")
	fl.StringArrayVar(&f.logs, "trail", nil, "CloudTrail at `PATH`, as lamina detect reads it; may be given several times")
	fl.StringVar(&f.earlier, "earlier", "", "compare with `SNAPSHOT`, one of before")
	fl.StringVar(&f.content, "content", "", "look into the zips that lamina collect --content keeps in `DIR`")
	fl.BoolVar(&f.noCache, "no-cache", false, "read every zip again, and keep nothing for the next time")
	fl.StringArrayVar(&f.ids, "finding", nil, "show only the finding with this `ID`, or the start of it, whole; may be repeated")
	f.register(a, c)
	a.settingFlag(c, "approvals", "publishers", "pipelines", "rules", "db", "db_verify", "vex", "hashes")
	nameOnly(c, "db", "hashes", "no-cache", "verify", "vex")
	c.AddCommand(newPostureChecks(a))
	return c
}

func newPostureChecks(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "checks [CHECK]",
		Short:   "list the checks, or show one",
		Example: "  lamina posture checks\n  lamina posture checks layer-public",
		Args:    args(0, 1, "CHECK"),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := selectChecks(args)
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				switch {
				case format == "json":
					return writeChecksJSON(w, list, len(args) == 0)
				case len(args) == 1:
					doc, err := checks.Docs.ReadFile(strings.ReplaceAll(list[0].ID, "-", "_") + ".md")
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(w, "%s\nControls it bears on: %s\n", doc, joined(framework.Of(list[0].Ref)))
					return err
				}
				return a.writeChecks(w, list)
			})
		},
	}
}

// joined are controls in a line: "nist-800-53 AC-3, AC-6; soc2 CC6.1".
func joined(controls []lamina.Control) string {
	var b strings.Builder
	for i, c := range controls {
		switch {
		case i == 0:
			b.WriteString(c.Framework + " ")
		case c.Framework != controls[i-1].Framework:
			b.WriteString("; " + c.Framework + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(c.ID)
	}
	return b.String()
}

func (a *app) writeChecks(w io.Writer, list []posture.Check) error {
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{c.Ref, c.ID, string(c.Severity), c.Title})
	}
	if err := a.columns(w, []string{"NUMBER", "ID", "SEVERITY", "FINDS"}, rows); err != nil {
		return err
	}
	why := map[string][]checks.Absent{}
	for _, u := range checks.Unsupported {
		why[u.Reason] = append(why[u.Reason], u)
	}
	for i, reason := range sortedKeys(why) {
		if i == 0 {
			fmt.Fprintln(w, "\nNumbers of the catalogue that no check answers:")
		}
		fmt.Fprintf(w, "\n%s:\n", reason)
		for _, u := range why[reason] {
			fmt.Fprintf(w, "  %s  %s\n", u.Ref, u.Asks)
		}
	}
	answered := "the whole catalogue"
	if n := len(checks.Unsupported); n > 0 {
		answered = fmt.Sprintf("%d of the catalogue are not answered", n)
	}
	_, err := fmt.Fprintf(w, "\n%s; %s\n", count(len(list), "check"), answered)
	return err
}

// A checkJSON is a check in the json form of the list.
type checkJSON struct {
	ID          string          `json:"id"`
	Ref         string          `json:"ref"`
	Title       string          `json:"title"`
	Severity    lamina.Severity `json:"severity"`
	Needs       []string        `json:"needs"`
	Uses        []string        `json:"uses,omitempty"`
	Techniques  []string        `json:"techniques,omitempty"`
	Citation    string          `json:"citation"`
	Remediation string          `json:"remediation"`
	Fixes       []string        `json:"fixes,omitempty"`

	Controls []lamina.Control `json:"controls,omitempty"`
}

// An absentJSON is a number of the catalogue without a check.
type absentJSON struct {
	Ref    string `json:"ref"`
	Asks   string `json:"asks"`
	Reason string `json:"reason"`
}

func writeChecksJSON(w io.Writer, list []posture.Check, all bool) error {
	var out []checkJSON
	for _, c := range list {
		out = append(out, checkJSON{c.ID, c.Ref, c.Title, c.Severity, c.Needs, c.Uses, c.Techniques, c.Citation, c.Remediation, c.Fixes, framework.Of(c.Ref)})
	}
	doc := map[string]any{"checks": out}
	if all {
		absent := []absentJSON{}
		for _, u := range checks.Unsupported {
			absent = append(absent, absentJSON(u))
		}
		doc["not_answered"] = absent
	}
	return writeJSON(w, doc)
}

// postureFlags are the flags of posture that are no settings.
type postureFlags struct {
	markFlags
	only, logs []string
	ids        []string
	content    string
	earlier    string
	noCache    bool
}

func (a *app) posture(cmd *cobra.Command, file string, f postureFlags) (err error) {
	same := "lamina posture " + report.ShellWord(file) + sameFlags(cmd)
	list, err := selectChecks(f.only)
	if err != nil {
		return err
	}
	j, err := a.marks(f.markFlags, file)
	if err != nil {
		return err
	}
	list = j.asked(list)
	in, err := a.openEstate(file)
	if err != nil {
		return err
	}
	if in.Alerting, err = a.alerting(in); err != nil {
		return err
	}
	compared := ""
	if f.earlier != "" {
		if compared, err = a.openEarlier(&in, f.earlier); err != nil {
			return err
		}
	}
	set, err := a.findTrail(cmd.Context(), f.logs)
	if err != nil {
		return err
	}
	inputs := append(slices.Concat(j.files, a.approvalFiles()), file)
	if f.earlier != "" {
		inputs = append(inputs, f.earlier)
	}
	if set != nil {
		inputs = append(inputs, a.inputs(set.Blobs)...)
	}
	if err := a.keepInputs(inputs); err != nil {
		return err
	}
	a.next = []string{
		same + " --finding ID           # one finding with its evidence and its fix; -v: all",
		same + " -f html=posture.html   # the same to read in a browser, or to print",
	}
	a.taken = in.Estate.Snapshot.Taken
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	var t trail
	if set != nil {
		t, err = a.readTrail(cmd.Context(), set, func(s lamina.Skipped) error { return r.Write(lamina.Message{Skipped: &s}) })
		if err != nil {
			return err
		}
	}
	in.Log = t.log
	inside, err := a.lookInside(cmd.Context(), in.Estate, f.content, scanFlags{noCache: f.noCache})
	if err != nil {
		return err
	}
	in.Contents = inside.all()
	if _, unasked := askable(list, in); len(f.only) > 0 && len(unasked) > 0 {
		d, _ := in.Lacks(unasked[0])
		return usagef(give(d), "check %s needs %s", unasked[0].ID, d)
	}
	j.ids, j.target = f.ids, file
	sum, err := a.judgeEstate(cmd.Context(), r, list, in, inside, j)
	if err != nil {
		return err
	}
	sum.Coverage += t.coverage() + compared
	sum.Incomplete = append(sum.Incomplete, t.missing...)
	sum.Complete = len(sum.Incomplete) == 0
	return r.Finish(sum)
}

// judgeEstate runs the checks that can be asked and writes what they find, with
// what was found in the layers when that is a result of its own.
func (a *app) judgeEstate(ctx context.Context, r *results, list []posture.Check, in posture.Input, inside *inside, j *marks) (lamina.Summary, error) {
	list, unasked := askable(list, in)
	findings, err := runChecks(ctx, list, in)
	if err != nil {
		return lamina.Summary{}, err
	}
	findings = append(findings, posture.Said(unasked, in)...)
	if inside.shown {
		findings = append(findings, inside.findings()...)
	}
	findings = exception.Divide(j.accepted, findings, in.Part, a.std.Now())
	j.apply(in.Estate, list, findings, a.std.Now())
	shown, err := j.picked(findings, in, unasked)
	if err != nil {
		return lamina.Summary{}, err
	}
	words := cleaner{}
	if err := writeLayers(r, in.Estate, shown, words); err != nil {
		return lamina.Summary{}, err
	}
	for _, f := range worstFirst(shown) {
		f := *f
		words.finding(&f)
		if err := r.Write(lamina.Message{Finding: &f}); err != nil {
			return lamina.Summary{}, err
		}
	}
	sum := a.postureSummary(in.Estate, list, findings, j)
	sum.Coverage += inside.coverage()
	noteUnasked(&sum, in, unasked)
	return sum, nil
}

// runChecks runs the checks, or returns as soon as ctx is done: a check of a huge
// estate takes long, and cannot be asked to stop.
func runChecks(ctx context.Context, list []posture.Check, in posture.Input) ([]lamina.Finding, error) {
	done := make(chan []lamina.Finding, 1)
	go func() { done <- posture.Run(list, in) }()
	select {
	case findings := <-done:
		return findings, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// sameFlags are the flags of the command that were given, for the same question
// again; those of all commands and --finding are left out.
func sameFlags(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed || f.Name == "finding" {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			b.WriteString(" --" + f.Name)
			if f.Value.Type() != "bool" {
				b.WriteString(" " + report.ShellWord(v))
			}
		}
	})
	return b.String()
}

// picked are the findings with the ids, all for none. One that is not there may be
// of a check that was not asked.
func (j *marks) picked(findings []lamina.Finding, in posture.Input, unasked []posture.Check) ([]lamina.Finding, error) {
	if len(j.ids) == 0 {
		return findings, nil
	}
	var out []lamina.Finding
	for _, id := range j.ids {
		f, err := pick(findings, id, j.target)
		if e, ok := errors.AsType[*Error](err); ok && len(unasked) > 0 && !strings.HasPrefix(e.Hint, "did you mean") {
			var ways []string
			for _, c := range unasked {
				if d, _ := in.Lacks(c); !slices.Contains(ways, give(d)) {
					ways = append(ways, give(d))
				}
			}
			e.Hint = "it may be of one of the " + count(len(unasked), "check") + " not asked: " + strings.Join(ways, "; ")
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *f)
	}
	return out, nil
}

// worstFirst puts findings in the order in which they are shown: what failed by
// severity, what is not known, the rest.
func worstFirst(findings []lamina.Finding) []*lamina.Finding {
	out := make([]*lamina.Finding, len(findings))
	for i := range findings {
		out[i] = &findings[i]
	}
	slices.SortStableFunc(out, func(x, y *lamina.Finding) int {
		return cmp.Or(failedFirst(x)-failedFirst(y), y.Severity.Rank()-x.Severity.Rank(), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// failedFirst orders outcomes: what is wrong, what is not known, the rest.
func failedFirst(f *lamina.Finding) int {
	return slices.Index([]lamina.Outcome{lamina.Fail, lamina.Unknown, lamina.Pass, lamina.NotApplicable}, f.Outcome)
}

// selectChecks returns the checks with the ids or numbers, all for none.
func selectChecks(only []string) ([]posture.Check, error) {
	if len(only) == 0 {
		return checks.All, nil
	}
	var out []posture.Check
	for _, id := range only {
		i := slices.IndexFunc(checks.All, func(c posture.Check) bool { return c.ID == id || strings.EqualFold(c.Ref, id) })
		if i < 0 {
			for _, u := range checks.Unsupported {
				if strings.EqualFold(u.Ref, id) {
					return nil, usagef("lamina posture checks lists those that are answered", "%s (%s) is not answered: it %s", u.Ref, u.Asks, u.Reason)
				}
			}
			var ids []string
			for _, c := range checks.All {
				ids = append(ids, c.ID, c.Ref)
			}
			hint := "lamina posture checks lists them"
			return nil, usagef(cmp.Or(didYouMean(id, ids), hint), "there is no check %q", id)
		}
		out = append(out, checks.All[i])
	}
	return out, nil
}

// openEstate reads a snapshot, and indexes it for checks.
func (a *app) openEstate(file string) (posture.Input, error) {
	s, err := a.readSnapshot(file)
	if err != nil {
		return posture.Input{}, err
	}
	return a.input(s, file)
}

// keptEstate is openEstate for a command whose output must not take the file's place.
func (a *app) keptEstate(file string) (posture.Input, error) {
	if err := a.keepInputs([]string{file}); err != nil {
		return posture.Input{}, err
	}
	return a.openEstate(file)
}

// shownEstate is keptEstate for commands that show what there is, and judge nothing.
func (a *app) shownEstate(file string) (posture.Input, error) {
	if err := a.keepInputs([]string{file}); err != nil {
		return posture.Input{}, err
	}
	s, err := a.shownSnapshot(file)
	if err != nil {
		return posture.Input{}, err
	}
	return a.input(s, file)
}

// input indexes a snapshot for checks. targets are the files it comes from.
func (a *app) input(s lamina.Snapshot, targets ...string) (posture.Input, error) {
	registry, err := a.loadPublishers()
	if err != nil {
		return posture.Input{}, err
	}
	approvals, err := a.readApprovals(a.approvalFiles(targets...), targets...)
	if err != nil {
		return posture.Input{}, err
	}
	return posture.Input{Approvals: approvals, Publishers: registry, Pipeline: matcher(a.conf.list("pipelines")), Estate: estate.New(s, func(account string) bool {
		_, ok := registry.Account(account)
		return ok
	})}, nil
}

// matcher matches any of the patterns; nil for none.
func matcher(patterns []string) func(string) bool {
	if len(patterns) == 0 {
		return nil
	}
	return func(arn string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return exception.Glob(p, arn, false) })
	}
}

func (a *app) postureSummary(e *estate.Estate, list []posture.Check, findings []lamina.Finding, j *marks) lamina.Summary {
	s := lamina.Summary{Command: "posture", Counts: map[string]int64{
		"checks": int64(len(list)), "layer_versions": int64(len(e.Snapshot.Layers)), "functions": int64(len(e.Snapshot.Functions)),
		"accounts": int64(len(e.Snapshot.Accounts)), "findings": 0,
	}}
	unknown := 0
	for _, f := range findings {
		switch f.Outcome {
		case lamina.Fail:
			if f.Exception == nil {
				s.Counts["findings"]++
			}
		case lamina.Unknown:
			if f.Exception == nil {
				unknown++
			}
		case lamina.Pass:
			s.Counts["passed"]++
		case lamina.NotApplicable:
			s.Counts["not_applicable"]++
		}
	}
	j.summarise(&s)
	s.Incomplete, s.Accepted = gapsUnder(e.Snapshot, j.accepted, a.std.Now())
	if unknown > 0 {
		s.Counts["unknown"] = int64(unknown)
		s.Incomplete = append([]string{count(unknown, "answer") + " unknown"}, s.Incomplete...)
	}
	s.Complete = len(s.Incomplete) == 0
	whole := 0
	for _, t := range e.Snapshot.Targets {
		if len(t.Gaps) == 0 {
			whole++
		}
	}
	s.Coverage = fmt.Sprintf("%s over %s and %s, %d/%d accounts and regions read whole, as of %s",
		count(len(list), "check"), count(len(e.Snapshot.Layers), "layer version"), count(len(e.Snapshot.Functions), "function"),
		whole, len(e.Snapshot.Targets), e.Snapshot.Taken.UTC().Format("2006-01-02 15:04 UTC"))
	return s
}
