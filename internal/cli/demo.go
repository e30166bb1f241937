package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/fixes"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exposure"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/remedy"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/snapshot"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/internal/triage"
	"github.com/lamina-sec/lamina/internal/zipstore"
	"github.com/lamina-sec/lamina/questions"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// demoSeed makes the sample that everybody sees; demoDir is where the demo says
// its files are, so that its hints work after `lamina sample write acme`.
const (
	demoSeed = 1
	demoDir  = "acme"
)

func newDemo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "the whole story on a sample organisation: no AWS account, no network",
		Example: "  lamina demo                      # what is wrong at ACME, and what would close it\n" +
			"  lamina demo --severity low       # all of it\n" +
			"  lamina demo -f markdown=acme.md  # as a report",
		Long: "ACME is made up: three accounts, their layers and functions, nine days of CloudTrail,\n" +
			"in an AWS that runs inside this process. The demo collects it, checks it, looks into\n" +
			"its layers, runs the rules over its logs, answers what an analyst would ask, plans the\n" +
			"fix, rehearses it with its undoing, and proves that the rules see an attack. Findings\n" +
			"do not change the exit code. It reads no settings about the organisation.",
		Args: args(0, 0, ""),
		// A demo that ended in an error code would look like one that failed.
		Annotations: map[string]string{"fail-on": "never"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return a.demo(cmd) },
	}
}

// demo plays the story and writes it in the order in which it is best read.
func (a *app) demo(cmd *cobra.Command) error {
	ctx := cmd.Context()
	d, err := newStory(a)
	if err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{d.collect, d.look, d.detect, d.reason, d.rehearse, d.validate} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	a.run = &lamina.RunInfo{
		Targets:  []string{demoDir + "/AWSLogs"}, // which sample write writes
		Settings: map[string][]string{"org_id": {sample.OrgID}, "accounts": d.org.Accounts, "schedule": {detect.Once.String()}},
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	if a.conf.by["severity"].origin == "default" {
		r.show = lamina.High.Rank() // all of it is long; the summary counts the rest
	}
	if err := d.write(r, r.show); err != nil {
		return errors.Join(err, r.Abort())
	}
	if err := r.Finish(d.summary()); err != nil {
		return err
	}
	a.note("all of this is made up; lamina demo --severity low shows the rest")
	a.note("the same as files: lamina sample write %s && lamina detect %s/AWSLogs --org-id %s --account %s",
		demoDir, demoDir, sample.OrgID, strings.Join(d.org.Accounts, " --account "))
	return nil
}

// A story is the demo on its way: what each chapter hands to the next.
type story struct {
	a   *app
	org *sample.Org
	// trail are the files of CloudTrail.
	trail []sample.File
	det   *detection
	// registry is who publishes layers.
	registry *publishers.Registry

	est       *estate.Estate
	zips      zipstore.Memory
	snapshot  int // bytes of the file
	opened    int // layer versions
	findings  []lamina.Finding
	alerts    []lamina.Alert
	answers   map[string][]lamina.Answer // by alert
	exposures []lamina.Exposure
	plans     []lamina.Plan
	proofs    []lamina.Answer // of rehearsal and validation
	skipped   []lamina.Skipped
	counts    ingest.Counts
}

func newStory(a *app) (*story, error) {
	d := &story{a: a, org: sample.New(demoSeed), answers: map[string][]lamina.Answer{}}
	registry, err := publishers.Builtin()
	if err != nil {
		return nil, err
	}
	ours, err := rules.Load()
	if err != nil {
		return nil, err
	}
	var programs []*rule.Program
	for _, r := range ours {
		p, err := r.Compile(rule.CompileOptions{Now: sample.End})
		if err != nil {
			return nil, err
		}
		programs = append(programs, p)
	}
	d.det = &detection{
		programs: programs,
		enricher: enrich.New(enrich.Config{OrgID: sample.OrgID, Accounts: d.org.Accounts, Publishers: registry}),
	}
	d.det.newEvent = func() *cloudtrail.Event { return &cloudtrail.Event{Derived: d.det.enricher.Values} }
	d.registry = registry
	d.det.engine, err = detect.New(detect.Config{Programs: programs, Enricher: d.det.enricher, Schedule: detect.Once})
	return d, err
}

// reader reads one account of the sample.
func (d *story) session(account string) *awsread.Session {
	http, id, secret := d.org.Fake.Client(d.org.Reader(account))
	return awsread.New(awsread.Options{
		Region: sample.Region, AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1, Poll: 1,
	})
}

// read collects the accounts.
func (d *story) read(ctx context.Context, ids ...string) (lamina.Snapshot, error) {
	now := d.org.Fake.Now()
	found, err := collect.Discover(ctx, sample.Management, d.session(sample.Management).In(sample.Region), now, true)
	if err != nil {
		return lamina.Snapshot{}, err
	}
	o := collect.Options{Now: now, Organization: found, Zips: &d.zips}
	for _, id := range ids {
		o.Accounts = append(o.Accounts, collect.Account{ID: id, Session: d.session(id), Regions: []string{sample.Region}, Home: sample.Region})
	}
	return collect.Collect(ctx, o)
}

// collect reads the estate into a snapshot, and the snapshot through its file.
func (d *story) collect(ctx context.Context) error {
	s, err := d.read(ctx, d.org.Accounts...)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := snapshot.Write(&file, s); err != nil {
		return err
	}
	d.snapshot = file.Len()
	if s, err = snapshot.Read(&file); err != nil {
		return err
	}
	d.est = estate.New(s, func(account string) bool { _, ok := d.registry.Account(account); return ok })
	return nil
}

// offlineAnalyzers are those that need no data of others: the demo brings no
// vulnerability database.
func offlineAnalyzers() []content.Analyzer {
	return slices.DeleteFunc(slices.Clone(analyzers.All), func(a content.Analyzer) bool { return a.ID == analyzers.KnownVulnerability.ID })
}

// offlineChecks are those that rest on more than an analyzer that is left out.
func offlineChecks() []posture.Check {
	return slices.DeleteFunc(slices.Clone(checks.All), func(c posture.Check) bool {
		return slices.Equal(c.Analyzers, []string{analyzers.KnownVulnerability.ID})
	})
}

// look opens the layers and checks the estate.
func (d *story) look(ctx context.Context) error {
	inside, err := look{shelf: &d.zips, known: &content.Scan{}, analyzers: offlineAnalyzers(), jobs: d.a.jobs()}.all(ctx, d.est.Snapshot.Layers)
	if err != nil {
		return err
	}
	d.opened, d.findings = len(inside.contents), inside.findings()
	for _, arn := range slices.Sorted(maps.Keys(inside.skipped)) {
		d.skipped = append(d.skipped, inside.skipped[arn]...)
	}
	t, err := readLog(ctx, d.files(), ingest.Options{Jobs: d.a.jobs()})
	if err != nil {
		return err
	}
	in := posture.Input{Estate: d.est, Contents: inside.contents, Log: t.log, Publishers: d.registry}
	asked, _ := askable(offlineChecks(), in)
	d.findings = append(d.findings, posture.Run(asked, in)...)
	return nil
}

// files are the trail's, to be read once.
func (d *story) files() []*source.Blob {
	if d.trail == nil {
		d.trail = d.org.Trail()
	}
	var files []*source.Blob
	for _, f := range d.trail {
		files = append(files, source.Memory(demoDir+"/"+f.Name, f.Data))
	}
	return files
}

// detect runs our rules over the trail and triages what they find.
func (d *story) detect(ctx context.Context) error {
	var err error
	d.alerts, d.counts, err = d.run(ctx, d.files())
	if err != nil {
		return err
	}
	slices.SortStableFunc(d.alerts, func(a, b lamina.Alert) int { return b.Severity.Rank() - a.Severity.Rank() })
	for _, al := range d.alerts {
		for _, answer := range triage.Run(questions.All, al, d.est, d.est.Org) {
			if answer.Outcome != lamina.NotApplicable {
				d.answers[al.ID] = append(d.answers[al.ID], answer)
			}
		}
	}
	return nil
}

// run evaluates files in one window.
func (d *story) run(ctx context.Context, files []*source.Blob) ([]lamina.Alert, ingest.Counts, error) {
	var alerts []lamina.Alert
	run := d.det.engine.NewRun(d.det.open(), func(al lamina.Alert) error { alerts = append(alerts, al); return nil })
	run.Documents, run.Complete = d.a.wantsDocuments(), d.det.addGrant
	workers, counts, err := ingest.Run(ctx, files, d.det.engine, ingest.Options{
		Jobs: d.a.jobs(), NewEvent: d.det.newEvent,
		Skipped: func(s lamina.Skipped) error { d.skipped = append(d.skipped, s); return nil },
	})
	if err != nil {
		return nil, counts, err
	}
	return alerts, counts, run.Finish(workers...)
}

// reason joins findings into exposures and plans what closes them.
func (d *story) reason(context.Context) error {
	d.exposures = exposure.Build(d.est, d.findings)
	for _, e := range d.exposures {
		plans, err := remedy.Plans(fixes.All, d.est, e)
		if err != nil {
			return err
		}
		d.plans = append(d.plans, plans...)
	}
	return nil
}

// write writes the story as messages: worst first, each with what belongs to it.
// Answers have no severity of their own: they go with alerts of rank show and up.
func (d *story) write(w interface{ Write(m lamina.Message) error }, show int) error {
	var ms []lamina.Message
	for i := range d.alerts {
		ms = append(ms, lamina.Message{Alert: &d.alerts[i]})
		if answers := d.answers[d.alerts[i].ID]; d.alerts[i].Severity.Rank() >= show {
			for j := range answers {
				ms = append(ms, lamina.Message{Answer: &answers[j]})
			}
		}
	}
	slices.SortStableFunc(d.findings, func(a, b lamina.Finding) int {
		return cmp.Or(b.Severity.Rank()-a.Severity.Rank(), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Resource, b.Resource))
	})
	for i := range d.findings {
		ms = append(ms, lamina.Message{Finding: &d.findings[i]})
	}
	for i := range d.exposures {
		ms = append(ms, lamina.Message{Exposure: &d.exposures[i]})
		for j := range d.plans {
			if d.plans[j].Exposure == d.exposures[i].ID {
				ms = append(ms, lamina.Message{Plan: &d.plans[j]})
			}
		}
	}
	for i := range d.proofs {
		ms = append(ms, lamina.Message{Answer: &d.proofs[i]})
	}
	for i := range d.skipped {
		ms = append(ms, lamina.Message{Skipped: &d.skipped[i]})
	}
	for _, m := range ms {
		if err := w.Write(m); err != nil {
			return err
		}
	}
	return nil
}

func (d *story) summary() lamina.Summary {
	s := lamina.Summary{
		Command: "demo",
		Counts: map[string]int64{
			"accounts": int64(len(d.org.Accounts)), "functions": int64(len(d.est.Snapshot.Functions)), "layer_versions": int64(len(d.est.Snapshot.Layers)),
			"records": d.counts.Records, "evaluated": d.counts.Evaluated, "quarantined": d.counts.Quarantined, "files": d.counts.Files,
			"rules": int64(d.det.engine.Rules()), "alerts": int64(len(d.alerts)), "exposures": int64(len(d.exposures)), "plans": int64(len(d.plans)),
		},
	}
	for _, f := range d.findings {
		s.Counts["findings_"+map[lamina.Outcome]string{
			lamina.Fail: "failed", lamina.Pass: "passed", lamina.Unknown: "unknown", lamina.NotApplicable: "not_applicable",
		}[f.Outcome]]++
	}
	for _, t := range d.est.Snapshot.Targets {
		for _, g := range t.Gaps {
			s.Incomplete = append(s.Incomplete, g.Action+" in "+t.Account+": "+g.Reason)
		}
	}
	if n := len(d.skipped); n > 0 {
		s.Incomplete = append(s.Incomplete, count(n, "part")+" of the input skipped")
	}
	if n := s.Counts["findings_unknown"]; n > 0 {
		s.Incomplete = append(s.Incomplete, count(int(n), "finding")+" unknown")
	}
	s.Complete = len(s.Incomplete) == 0
	s.Coverage = fmt.Sprintf("%d/%d records of %s, %d/%d layer versions opened, %s read; all of it made up",
		d.counts.Evaluated, d.counts.Records, count(int(d.counts.Files), "file"), d.opened, len(d.est.Snapshot.Layers), count(len(d.org.Accounts), "account"))
	return s
}

func newSample(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "sample",
		Short: "the sample organisation as files",
		Example: "  lamina sample write acme\n" +
			"  lamina detect acme/AWSLogs --org-id o-exampleorgid \\\n" +
			"      --account 111122223333 --account 444455556666 --account 777788889999",
		Long: "ACME is the made-up organisation of the demo.",
	}
	group(c)
	c.AddCommand(&cobra.Command{
		Use:     "write DIR",
		Short:   "write the sample's CloudTrail files and layer zips into a new folder",
		Example: "  lamina sample write acme && lamina detect acme/AWSLogs",
		Args:    args(1, 1, "DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef("give a folder that is not there yet", "the name of the folder is empty")
			}
			if entries, err := os.ReadDir(a.path(args[0])); len(entries) > 0 || err != nil && exists(a.path(args[0])) {
				what := " is not empty"
				if err != nil {
					what = " is no folder"
				}
				return &Error{Msg: args[0] + what + ", and nothing that exists is written to", Hint: "give a folder that is not there yet", Code: Refused}
			}
			org := sample.New(demoSeed)
			if err := org.Write(a.path(args[0])); err != nil {
				return &Error{Msg: fmt.Sprintf("write %s: %v", args[0], cause(err)), Hint: "give a folder that is not there yet", Code: CannotRun, Err: err}
			}
			_, err := fmt.Fprintf(a.std.Out, "%s: %d files of CloudTrail with %d events, %d layer zips\n", args[0], len(org.Trail()), len(org.Events()), len(org.Layers()))
			return err
		},
	})
	return c
}
