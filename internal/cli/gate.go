package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// gateFlags are the flags of gate that are no settings.
type gateFlags struct {
	scanFlags
	policy, baseline string
	each             bool
}

func newGate(a *app) *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use:   "gate LAYER...",
		Short: "decide by a policy whether layers may go on",
		Example: "  lamina gate layer.zip --policy layer-policy.toml\n" +
			"  lamina gate layer.zip --baseline main.json       # only what main has not decides\n" +
			"  lamina gate *.zip --each --ci -f text -f junit=lamina.xml -f sarif=lamina.sarif\n" +
			"  lamina gate layer.zip -f html=report.html -f json=results.json",
		Long: "LAYER is a layer zip or a folder; several are one /opt, or with --each judged one by one.\n" +
			"The decision comes first: exit code 0 is PASS, 1 FAIL, 3 UNKNOWN. Without a policy --fail-on decides.\n" +
			"Accepted risk, and what the baseline has too, is shown and decides nothing. No LAYER brings such files.",
		Args: args(1, -1, "LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.gate(cmd, args, f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.policy, "policy", "", "decide by `FILE` (see lamina gate schema)")
	fl.StringVar(&f.baseline, "baseline", "", "what the main line has: `FILE` of -f json; only new findings decide")
	fl.BoolVar(&f.each, "each", false, "judge each layer for itself, not as one /opt")
	f.register(a, c)
	c.AddCommand(newGateSchema(a))
	return c
}

func newGateSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "print the JSON Schema of layer-policy.toml",
		Example: "  lamina gate schema -o layer-policy.schema.json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"json"}, func(_ string, w io.Writer) error {
				return writeJSON(w, gate.Schema(analyzerIDs()))
			})
		},
	}
}

func analyzerIDs() []string {
	ids := make([]string, len(analyzers.All))
	for i, a := range analyzers.All {
		ids[i] = a.ID
	}
	slices.Sort(ids)
	return ids
}

func (a *app) gate(cmd *cobra.Command, targets []string, f gateFlags) (err error) {
	policy, err := a.policy(cmd, f.policy, targets)
	if err != nil {
		return err
	}
	if policy.NewOnly != nil && *policy.NewOnly && f.baseline == "" {
		return usagef("give --baseline FILE, which lamina gate -f json wrote on the main line",
			"%s lets only new findings decide (new_only), and there is no baseline", f.policy)
	}
	in := gate.Input{Policy: policy, Now: a.std.Now()}
	files := a.exceptionFiles(f.exceptions, targets)
	if in.Exceptions, err = a.loadExceptions(files, targets...); err != nil {
		return err
	}
	if in.Approvals, err = a.readApprovals(a.approvalFiles(targets...), targets...); err != nil {
		return err
	}
	files = append(slices.Clone(files), a.approvalFiles()...)
	if f.baseline != "" {
		findings, err := a.savedFindings(f.baseline, targets)
		if err != nil {
			return err
		}
		in.Baseline = gate.NewBaseline(f.baseline, findings)
	}
	inputs := slices.Concat(targets, f.inputs(), files, a.knownFiles(), []string{f.policy, f.baseline})
	if err := a.keepInputs(slices.DeleteFunc(inputs, func(s string) bool { return s == "" })); err != nil {
		return err
	}
	s, err := a.known(targets)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeKnown(s)) }()
	if in.Findings, err = a.judgeLayers(cmd.Context(), s, targets, f); err != nil {
		return err
	}
	for _, l := range s.Layers {
		in.Layers = append(in.Layers, gate.Layer{Layer: l, Runtime: f.runtime, Architecture: architectureOf})
		in.Packages = append(in.Packages, packagesOf(l)...)
	}
	in.Listed = true
	if s.Advisories != nil {
		in.DataFrom = s.Advisories.Info().Newest
	}
	a.warnOfOldData(s)
	return a.decide(cmd, in, s)
}

// architectureOf is what a file of a layer runs on, "" if it runs anywhere.
func architectureOf(f *content.File) string {
	if f.Binary == nil {
		return ""
	}
	return cmp.Or(f.Binary.Arch, f.Binary.Format)
}

// decide judges and writes: the decision, then what it rests on.
func (a *app) decide(cmd *cobra.Command, in gate.Input, s *content.Scan) (err error) {
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	d := gate.Decide(in)
	answer := d.Answer(in.Policy)
	if err := r.Write(lamina.Message{Answer: &answer}); err != nil {
		return err
	}
	r.failOn = len(lamina.Severities) // the policy decides, not the severity alone
	if err := writeScan(r, s, d.Findings); err != nil {
		return err
	}
	r.failed = d.Because
	if d.Outcome != lamina.Fail {
		r.failed = nil
	}
	r.failOn = max(0, in.Policy.FailOn.Rank())
	sum := a.gateSummary(s, d, in)
	if d.Outcome == lamina.Pass && !sum.Complete {
		r.accepted = "by exceptions that cover what is unknown"
		if !in.Policy.RequireComplete {
			r.accepted = "by " + in.Policy.Name + ", which says require_complete = false"
		}
	}
	err = r.Finish(sum)
	if status, ok := errors.AsType[*statusError](err); ok && status.code == Findings {
		return &statusError{Findings, "exit 1: gate: FAIL: " + decided(d)}
	}
	return err
}

// decided names the findings that decided, the first three.
func decided(d gate.Decision) string {
	var named []string
	for _, id := range first(d.Because, 3) {
		i := slices.IndexFunc(d.Findings, func(f lamina.Finding) bool { return f.ID == id })
		named = append(named, safe.Line(d.Findings[i].Title, maxTitle)+" ("+id+")")
	}
	s := strings.Join(named, ", ")
	if n := len(d.Because) - len(named); n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// maxTitle is how many characters of a title a line shows beside others.
const maxTitle = 80

// gateSummary is the summary of the scan with what the gate counted.
func (a *app) gateSummary(s *content.Scan, d gate.Decision, in gate.Input) lamina.Summary {
	sum := scanSummary("gate", s, d.Findings)
	sum.Coverage += a.advisoryAge(s) + hashCoverage(s)
	for _, sev := range lamina.Severities {
		delete(sum.Counts, string(sev))
	}
	for _, f := range d.Findings {
		if f.Outcome == lamina.Fail && f.Exception == nil {
			sum.Counts[string(f.Severity)]++
		}
	}
	if in.Exceptions != nil {
		sum.Counts["suppressed"] = int64(d.Exceptions.Suppressed)
	}
	for name, n := range map[string]int{
		"suppressed_ending_in_14_days": d.Exceptions.Expiring, "reopened_expired": d.Exceptions.Expired, "reopened_changed": d.Exceptions.Changed,
	} {
		if n > 0 {
			sum.Counts[name] = int64(n)
		}
	}
	if in.Baseline != nil {
		sum.Counts["new"], sum.Counts["known"], sum.Counts["fixed"] = int64(d.New), int64(d.Known), int64(len(d.Fixed))
	}
	if d.Outcome == lamina.Unknown && sum.Complete {
		sum.Complete, sum.Incomplete = false, []string{"the gate's answer is unknown"}
	}
	return sum
}

// judgeLayers adds the layers to s and asks the analyzers.
func (a *app) judgeLayers(ctx context.Context, s *content.Scan, targets []string, f gateFlags) ([]lamina.Finding, error) {
	if !f.each {
		if err := a.scanLayers(ctx, s, targets, f.scanFlags); err != nil {
			return nil, err
		}
		return content.Judge(analyzers.All, s), nil
	}
	var findings []lamina.Finding
	for _, t := range targets {
		one := &content.Scan{Now: s.Now, Advisories: s.Advisories, VEX: s.VEX, Hashes: s.Hashes}
		if err := a.scanLayers(ctx, one, []string{t}, f.scanFlags); err != nil {
			return nil, err
		}
		s.Layers = append(s.Layers, one.Layers...)
		findings = append(findings, content.Judge(analyzers.All, one)...)
	}
	return findings, nil
}

// policy is the policy of --policy, or the one that --fail-on makes. A flag wins
// over the file.
func (a *app) policy(cmd *cobra.Command, name string, targets []string) (gate.Policy, error) {
	p := gate.Default()
	if name != "" {
		data, err := a.readOwn(name, targets)
		if err != nil {
			return p, err
		}
		if p, err = gate.ParsePolicy(name, data, analyzerIDs()); err != nil {
			return p, tomlError(err, "lamina gate schema says what a policy may hold")
		}
		if !cmd.Flags().Changed("fail-on") {
			return p, nil
		}
	}
	p.FailOn = lamina.Severity(a.conf.text("fail_on"))
	if p.FailOn == "never" {
		p.FailOn = ""
	}
	return p, nil
}

// tomlError is what is wrong with a file of ours: all of it, with the first hint.
func tomlError(err error, otherwise string) error {
	hint := otherwise
	if e, ok := errors.AsType[*tomlfile.Error](err); ok {
		hint = cmp.Or(e.Hint, otherwise)
	}
	return wrap(err, Usage, hint)
}

// notExamined refuses a file inside one of the targets: what is examined
// configures nothing.
func (a *app) notExamined(name string, targets []string) error {
	for _, t := range targets {
		if within(a.path(name), a.path(t)) {
			return &Error{
				Msg:  fmt.Sprintf("%s lies inside %s, which is examined: what is examined configures nothing", name, t),
				Hint: "move the file out of that folder", Code: Refused,
			}
		}
	}
	return nil
}

// readOwn reads a file that configures a run.
func (a *app) readOwn(name string, targets []string) ([]byte, error) {
	if err := a.notExamined(name, targets); err != nil {
		return nil, err
	}
	data, err := readInput(a.path(name), tomlfile.MaxFile)
	switch {
	case errors.Is(err, errBig):
		return nil, usagef("such files are small", "%s: larger than %d MiB", name, tomlfile.MaxFile>>20)
	case err != nil:
		return nil, a.missing(name, err)
	}
	return data, nil
}

// within reports whether the file lies in the folder, with links followed.
func within(file, dir string) bool {
	follow := func(p string) string {
		if to, err := filepath.EvalSymlinks(p); err == nil {
			p = to
		}
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		return p
	}
	dir = follow(dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	rel, err := filepath.Rel(dir, follow(file))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// ownExceptions is where accepted risk is written down when nothing else is said.
const ownExceptions = "exceptions.toml"

// exceptionFiles are the files of --exceptions, or exceptions.toml of the working
// folder if it is there and in no target.
func (a *app) exceptionFiles(asked, targets []string) []string {
	if len(asked) > 0 || !exists(a.path(ownExceptions)) {
		return asked
	}
	if slices.ContainsFunc(targets, func(t string) bool { return within(a.path(ownExceptions), a.path(t)) }) {
		a.note("warning: %s is not used: it lies inside what is examined", ownExceptions)
		return nil
	}
	return []string{ownExceptions}
}

// loadExceptions reads files of exceptions. An id is of one file only.
func (a *app) loadExceptions(files []string, targets ...string) ([]exception.Item, error) {
	var out []exception.Item
	var errs []error
	for _, name := range files {
		data, err := a.readOwn(name, targets)
		if err != nil {
			return nil, err
		}
		f, err := exception.Parse(name, data, a.std.Now())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, f.Items...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, tomlError(err, "lamina except schema says what an exception may hold")
	}
	return out, nil
}

// maxSaved is more findings than a run of ours has.
const maxSaved = 250_000

// savedFindings are the findings of a saved result. A result that was cut short
// is refused.
func (a *app) savedFindings(name string, targets []string) ([]lamina.Finding, error) {
	if err := a.notExamined(name, targets); err != nil {
		return nil, err
	}
	in, err := openInput(a.path(name))
	if err != nil {
		return nil, a.missing(name, err)
	}
	defer in.Close() //nolint:errcheck // read only
	var out []lamina.Finding
	err = report.Read(in, func(m lamina.Message) error {
		if m.Finding == nil {
			return nil
		}
		if len(out) == maxSaved {
			return fmt.Errorf("more than %d findings", maxSaved)
		}
		out = append(out, *m.Finding)
		return nil
	})
	if err != nil {
		return nil, wrap(fmt.Errorf("%s: %w", name, err), Usage, "it is what an earlier run wrote with -f json="+filepath.Base(name))
	}
	return out, nil
}

// days reads a number of days of a flag.
func days(flag, s string) (time.Duration, error) {
	if d, ok := parseDays(s); ok {
		return d, nil
	}
	return 0, usagef("write 14d or 2w", "--%s %q is no number of days", flag, s)
}

// parseDays reads a number of days: 14d, 2w, 36h.
func parseDays(s string) (time.Duration, bool) {
	for unit, d := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "h": time.Hour} {
		rest, ok := strings.CutSuffix(s, unit)
		if n, err := strconv.Atoi(rest); ok && err == nil && n >= 0 && n <= 100_000 {
			return time.Duration(n) * d, true
		}
	}
	return 0, false
}
