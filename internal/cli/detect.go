package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/rule"
)

// detectFlags are the flags of detect that are no settings.
type detectFlags struct {
	schedule     string
	since, until string
	follow       bool
}

func newDetect(a *app) *cobra.Command {
	var f detectFlags
	c := &cobra.Command{
		Use:   "detect LOGS...",
		Short: "run rules over CloudTrail and print the alerts",
		Example: "  lamina detect trail/                             # our own rules\n" +
			"  lamina detect trail/ --rules builtin --rules elastic/rules/integrations/aws\n" +
			"  lamina detect 'AWSLogs/**/2026/06/*/*.json.gz' --since 2026-06-17 -f ndjson\n" +
			"  aws cloudtrail lookup-events | lamina detect -\n" +
			"  lamina detect trail/ --follow -f ndjson          # until Ctrl-C\n" +
			"  lamina detect trail/ --org-id o-a1b2c3d4e5 --account 111122223333 -f text -f sarif=out.sarif",
		Long: "LOGS are files, folders, globs or - for standard input: CloudTrail as it is stored\n" +
			"(.json.gz, AWSLogs layout), JSON lines, EventBridge and CloudWatch Logs envelopes,\n" +
			"LookupEvents output, Elastic documents with event.original.\n\n" +
			"--schedule replay runs each rule at its interval over its look-back, with max_signals\n" +
			"and suppression, as Elastic's engine would have; once takes the input as one window.",
		Args: args(1, -1, "LOGS"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.detect(cmd, args, f) },
	}
	a.settingFlag(c, explainSettings...)
	fl := c.Flags()
	fl.StringVar(&f.schedule, "schedule", "replay", "`HOW` rules are run over the input: replay or once")
	fl.StringVar(&f.since, "since", "", "only events from `TIME` on (2026-06-18, 2026-06-18T13:00:00Z, 24h)")
	fl.StringVar(&f.until, "until", "", "only events before `TIME`")
	fl.BoolVar(&f.follow, "follow", false, "go on with what is added to LOGS until interrupted; each event alerts on arrival")
	return c
}

// A detection is rules ready to run and what events need for them.
type detection struct {
	engine   *detect.Engine
	programs []*rule.Program
	newEvent func() *cloudtrail.Event
	enricher *enrich.Enricher
	// missing says what keeps the answer from being complete.
	missing  []string
	warnings []lamina.Warning
	close    func() error
}

// detection loads rules, exceptions, publishers and databases.
func (a *app) detection(schedule detect.Schedule) (*detection, error) {
	set, err := a.loadRules()
	if err != nil {
		return nil, err
	}
	programs, err := a.compileRules(set)
	if err != nil {
		return nil, err
	}
	d := &detection{programs: programs}
	registry, err := a.loadPublishers()
	if err != nil {
		return nil, err
	}
	d.enricher = enrich.New(enrich.Config{
		OrgID: a.conf.text("org_id"), Accounts: a.conf.list("accounts"), Publishers: registry,
	})
	geo, err := a.openGeo()
	if err != nil {
		return nil, err
	}
	d.close = func() error {
		if geo == nil {
			return nil
		}
		return geo.Close()
	}
	d.newEvent = func() *cloudtrail.Event {
		ev := &cloudtrail.Event{Derived: d.enricher.Values}
		if geo != nil {
			ev.Geo = geo
		}
		return ev
	}
	d.engine, err = detect.New(detect.Config{Programs: programs, Enricher: d.enricher, Schedule: schedule})
	if err != nil {
		return nil, errors.Join(wrap(err, Usage, ""), d.close())
	}
	d.needs(programs, a.conf.text("geoip_city") != "", a.conf.text("geoip_asn") != "", a.conf.list("rules"))
	d.unused(set, a.std.Now())
	return d, nil
}

// needs warns of rules that cannot run, or not as they were meant.
func (d *detection) needs(programs []*rule.Program, city, asn bool, rulePaths []string) {
	waiting := map[string]int{}
	n, dead := 0, 0
	for _, p := range programs {
		if p.Needs != "" {
			waiting[p.Needs]++
			n++
			continue
		}
		for _, need := range p.Data {
			if need.Name == rule.NeedCity && city || need.Name == rule.NeedASN && asn {
				continue
			}
			effect := "it cannot alert by them"
			if need.Excludes {
				effect = "it alerts more often than it should"
			}
			hint := map[string]string{rule.NeedCity: "give it with --geoip-city", rule.NeedASN: "give it with --geoip-asn"}[need.Name]
			verb := "stay"
			if len(need.Fields) == 1 {
				verb = "stays"
			}
			d.warnings = append(d.warnings, lamina.Warning{
				Subject: p.Rule.File,
				Text:    fmt.Sprintf("needs %s: %s %s empty, so %s", need.Name, strings.Join(need.Fields, ", "), verb, effect),
				Hint:    hint,
			})
		}
	}
	if k := len(d.warnings); k > 0 {
		d.missing = append(d.missing, count(k, "rule")+" without a GeoIP database")
	}
	for _, p := range programs {
		if p.Needs == "" && detect.CannotFire(p) {
			dead++
			d.warnings = append(d.warnings, lamina.Warning{
				Subject: p.Rule.File, Text: "no event satisfies its query, so it cannot alert",
				Hint: "lamina rules lint " + p.Rule.File,
			})
		}
	}
	if dead > 0 {
		d.missing = append(d.missing, count(dead, "rule")+" cannot fire")
	}
	if n == 0 {
		return
	}
	var parts []string
	for what, k := range waiting {
		parts = append(parts, fmt.Sprintf("%d: %s", k, what))
	}
	slices.Sort(parts)
	d.warnings = append(d.warnings, lamina.Warning{
		Text: fmt.Sprintf("%s not run, they need what does not exist yet (%s)", count(n, "rule"), strings.Join(parts, "; ")),
		Hint: strings.Join(append([]string{"lamina rules ls"}, rulePaths...), " ") + " names them",
	})
	d.missing = append(d.missing, count(n, "rule")+" not run")
}

// maxName is how much of a name from a file a message shows.
const maxName = 120

// maxPublishers is more than any list of publishers needs.
const maxPublishers = 16 << 20

// unused warns of exceptions that are of no rule, have expired by now, or ask
// for a field that nothing has: they do not do what somebody thinks they do.
func (d *detection) unused(set ruleSet, now time.Time) {
	var expired []string
	lists, unknown := map[string]bool{}, map[string]bool{}
	for _, r := range set.rules {
		lists[r.ID] = true
		for _, l := range r.Exceptions {
			lists[l.ListID] = true
		}
	}
	for _, x := range set.exceptions.Items {
		if !x.Expires.IsZero() && !now.Before(x.Expires) {
			expired = append(expired, fmt.Sprintf("%s:%d, since %s", x.File, x.Pos.Line, x.Expires.UTC().Format(time.RFC3339)))
			continue
		}
		for _, f := range x.UnknownFields() {
			if unknown[f.Name] {
				continue
			}
			unknown[f.Name] = true // said once
			w := lamina.Warning{
				Subject: fmt.Sprintf("%s:%d:%d", x.File, f.Pos.Line, f.Pos.Col),
				Text:    fmt.Sprintf("unknown field %q: no CloudTrail document has it, so the exception never applies", safe.Line(f.Name, maxName)),
			}
			if f.Excluded {
				w.Text = strings.Replace(w.Text, "the exception never applies", "this condition always holds", 1)
			}
			if f.Near != "" {
				w.Hint = "did you mean " + f.Near + "?"
			}
			d.warnings = append(d.warnings, w)
		}
		if lists[x.ListID] {
			continue
		}
		lists[x.ListID] = true // said once
		d.warnings = append(d.warnings, lamina.Warning{
			Subject: fmt.Sprintf("%s:%d", x.File, x.Pos.Line),
			Text:    fmt.Sprintf("no rule here uses the exception list %q: its exceptions do nothing", x.ListID),
			Hint:    "list_id is the rule_id of a rule, or a list that the rule names",
		})
	}
	if n := len(expired); n > 0 {
		d.warnings = append(d.warnings, lamina.Warning{
			Text: count(n, "exception") + " no longer in force: expired", Hint: strings.Join(first(expired, 3), "; "),
		})
	}
}

// loadPublishers reads the built-in registry and the files of --publishers.
func (a *app) loadPublishers() (*publishers.Registry, error) {
	builtin, err := publishers.Builtin()
	if err != nil {
		return nil, err
	}
	lists := []publishers.List{{Publishers: builtin.All()}}
	for _, name := range a.conf.list("publishers") {
		data, err := readInput(a.path(name), maxPublishers)
		if err != nil {
			return nil, a.missing(name, err)
		}
		list, err := publishers.Parse(name, data)
		if err != nil {
			return nil, wrap(err, Usage, "lamina publishers ls --toml prints the layout")
		}
		lists = append(lists, list)
	}
	r, err := publishers.New(lists...)
	hint := ""
	if e, ok := errors.AsType[*publishers.Error](err); ok {
		hint = e.Hint
	}
	return r, wrap(err, Usage, hint)
}

// openGeo opens the user's GeoIP databases; nil when there are none.
func (a *app) openGeo() (*cloudtrail.GeoDB, error) {
	var files []string
	for _, key := range []string{"geoip_city", "geoip_asn"} {
		if f := a.conf.text(key); f != "" {
			if !exists(a.path(f)) {
				return nil, a.missing(f, fs.ErrNotExist)
			}
			files = append(files, a.path(f))
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	g, err := cloudtrail.OpenGeo(files...)
	return g, wrap(err, Usage, "a MaxMind database ends in .mmdb")
}

// count is "1 rule", "2 rules", "3 matches".
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// compileRules compiles all rules and reports all errors at once.
func (a *app) compileRules(set ruleSet) ([]*rule.Program, error) {
	var out []*rule.Program
	var errs []error
	for _, r := range set.rules {
		p, err := r.Compile(rule.CompileOptions{Exceptions: set.exceptions, Now: a.std.Now(), Quirks: a.conf.yes("elastic_quirks")})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, wrap(err, Usage, ruleHint(err))
	}
	return out, nil
}

func (a *app) detect(cmd *cobra.Command, targets []string, f detectFlags) (err error) {
	schedule, err := detect.ParseSchedule(f.schedule)
	if err != nil {
		return usagef("replay is what Elastic would have done, once takes the input as one window", "%v", err)
	}
	if f.follow {
		if cmd.Flags().Changed("schedule") && schedule == detect.Replay {
			return usagef("drop one of them", "--follow has no windows to replay: each event alerts on arrival")
		}
		schedule, a.live = detect.Once, true
	}
	since, err := a.time("since", f.since)
	if err != nil {
		return err
	}
	until, err := a.time("until", f.until)
	if err != nil {
		return err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return usagef("the window begins with --since and ends before --until",
			"--since %s is not before --until %s", since.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	d, err := a.detection(schedule)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	a.again = a.explainArgs(targets...)
	a.run = a.runInfo(targets, map[string]string{"schedule": schedule.String(), "since": stamp(since), "until": stamp(until)})
	for i, t := range targets {
		targets[i] = a.target(t)
	}
	find := source.Options{Since: since, Until: until, Stdin: a.std.In, Inflated: a.maxInflated()}
	files := &source.Set{}
	if !f.follow {
		if files, err = source.Find(cmd.Context(), targets, find); err != nil {
			return a.sourceError(err)
		}
	}
	if err := a.keepInputs(a.inputs(files.Blobs)); err != nil {
		return err
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	for _, w := range d.warnings {
		if err := r.Write(lamina.Message{Warning: &w}); err != nil {
			return err
		}
	}
	ctx := cmd.Context()
	if f.follow {
		ctx = context.WithoutCancel(ctx) // an event that was read is judged
	}
	undetermined, inflated := 0, 0
	run := d.engine.NewRun(cancelled(ctx, d.open()), func(al lamina.Alert) error {
		if scopeUndetermined(al) {
			undetermined++
		}
		return cmp.Or(ctx.Err(), r.Write(lamina.Message{Alert: &al}))
	})
	run.Documents, run.Complete = a.wantsDocuments(), d.addGrant
	opt := ingest.Options{
		Jobs: a.jobs(), NewEvent: d.newEvent, Since: since, Until: until,
		Skipped: func(s lamina.Skipped) error {
			if strings.HasPrefix(s.Reason, "inflates to more than ") {
				inflated++
			}
			return r.Write(lamina.Message{Skipped: &s})
		},
	}
	if f.follow {
		return a.follow(cmd.Context(), d, targets, find, run, opt, r)
	}
	total, err := a.once(cmd.Context(), d, files, run, opt)
	if err != nil {
		return err
	}
	if undetermined > 0 {
		if err := r.Write(lamina.Message{Warning: &lamina.Warning{
			Text: count(undetermined, "alert") + " with a scope that is undetermined: whose accounts are ours was not said",
			Hint: "add --org-id and --account, or set org_id and accounts in lamina.toml",
		}}); err != nil {
			return err
		}
	}
	if inflated > 0 {
		if err := r.Write(lamina.Message{Warning: &lamina.Warning{
			Text: count(inflated, "file") + " with more text than --max-inflated " + a.conf.text("max_inflated") + " lets through",
			Hint: "if that is no bomb but a large log, give it more: --max-inflated 4GiB",
		}}); err != nil {
			return err
		}
	}
	if n := run.Stats.Differing; n > 0 {
		at := run.Stats.DifferingAt
		if err := r.Write(lamina.Message{Warning: &lamina.Warning{
			Subject: fmt.Sprintf("%s, byte %d", at.Name, at.Offset),
			Text:    count(int(n), "record") + " with the account and eventID of another, but not the same byte for byte: only one of them was judged",
			Hint:    "CloudTrail writes an eventID once; if only spacing differs, two deliveries of one event were read",
		}}); err != nil {
			return err
		}
	}
	if why := nothing(files, total); why != "" {
		d.missing = append(d.missing, why)
	}
	if w := elsewhen(targets, files, total); w != nil {
		if err := r.Write(lamina.Message{Warning: w}); err != nil {
			return err
		}
	}
	return r.Finish(d.summary(files, total, run.Stats))
}

// elsewhen warns when the time window left out all there was: a wrong --since
// would look like a quiet night.
func elsewhen(targets []string, files *source.Set, c ingest.Counts) *lamina.Warning {
	if c.Evaluated > 0 || c.Outside == 0 && files.Pruned == 0 {
		return nil
	}
	return &lamina.Warning{
		Text: "no CloudTrail records in " + strings.Join(targets, " ") + " between --since and --until",
		Hint: "of another time: " + count(int(c.Outside), "record") + ", and " + count(files.Pruned, "file") + " by their names",
	}
}

// follow evaluates what there is and what is added, until it is interrupted;
// the summary is written then.
func (a *app) follow(ctx context.Context, d *detection, targets []string, find source.Options, run *detect.Run, opt ingest.Options, r *results) error {
	files := &source.Set{}
	f := source.Follow(targets, find, source.FollowOptions{Skipped: func(s source.Skip) { files.Skipped = append(files.Skipped, s) }})
	defer f.Close()
	w := d.engine.Worker()
	var total ingest.Counts
	told := 0
	for {
		b, err := f.Next(ctx)
		if ctx.Err() != nil {
			var judged *statusError
			if err := r.Finish(d.summary(files, total, run.Stats)); err != nil && !errors.As(err, &judged) {
				return err
			}
			return ctx.Err() // the interruption is the exit code, the summary has the rest
		}
		if err != nil {
			return a.sourceError(err)
		}
		for ; told < len(files.Skipped); told++ {
			s := files.Skipped[told]
			if err := opt.Skipped(lamina.Skipped{File: s.Name, Offset: -1, Reason: s.Reason}); err != nil {
				return err
			}
		}
		// A file that has begun is finished: half of it would be counted as all.
		c, err := ingest.Into(context.WithoutCancel(ctx), []*source.Blob{b}, w, opt)
		total.Add(c)
		if err == nil {
			err = run.Finish(w)
		}
		if err != nil {
			return err
		}
	}
}

// scopeUndetermined reports whether the alert is about a grant whose reach could
// not be told for want of the organisation.
func scopeUndetermined(al lamina.Alert) bool {
	return slices.ContainsFunc(al.Fields, func(f lamina.FieldValues) bool {
		return f.Field == "lamina.grant.scope" && slices.Contains(f.Values, string(lamina.ScopeUndetermined))
	})
}

// once evaluates the files there are.
func (a *app) once(ctx context.Context, d *detection, files *source.Set, run *detect.Run, opt ingest.Options) (ingest.Counts, error) {
	var size int64
	for _, b := range files.Blobs {
		size += max(b.Size, 0)
	}
	bar := a.progress("detect", size)
	opt.Progress = func(_ int, bytes int64) { bar.set(bytes) }
	for _, s := range files.Skipped {
		if err := opt.Skipped(lamina.Skipped{File: s.Name, Offset: -1, Reason: s.Reason}); err != nil {
			return ingest.Counts{}, err
		}
	}
	workers, total, err := ingest.Run(ctx, files.Blobs, d.engine, opt)
	bar.done()
	if err != nil {
		return total, err
	}
	return total, run.Finish(workers...)
}

// open returns a function that makes a record of bytes a worker kept, reusing
// one event.
func (d *detection) open() func([]byte) (detect.Record, error) {
	ev := d.newEvent()
	return func(raw []byte) (detect.Record, error) { return ev, ev.Reset(raw) }
}

// cancelled makes the second pass, which may open a million records, end with ctx.
func cancelled(ctx context.Context, open func([]byte) (detect.Record, error)) func([]byte) (detect.Record, error) {
	return func(raw []byte) (detect.Record, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return open(raw)
	}
}

// nothing says why there was nothing to evaluate, "" if there was something or
// the time window left it out.
func nothing(files *source.Set, c ingest.Counts) string {
	switch {
	case len(files.Blobs) == 0 && files.Pruned == 0 && len(files.Ignored) > 0:
		return "no log files: " + count(len(files.Ignored), "file") + " there are not logs by name and content"
	case len(files.Blobs) == 0 && files.Pruned == 0 && len(files.Skipped) == 0:
		return "no log files"
	case c.Files > 0 && c.Bytes == 0 && c.Skips == 0:
		return "the input is empty"
	}
	return ""
}

// summary says what was counted and how complete the answer is.
func (d *detection) summary(files *source.Set, c ingest.Counts, st detect.Stats) lamina.Summary {
	s := lamina.Summary{
		Command: "detect",
		Counts: map[string]int64{
			"files": c.Files, "records": c.Records, "evaluated": c.Evaluated, "quarantined": c.Quarantined,
			"rules": int64(d.engine.Rules()), "alerts": st.Alerts,
		},
		Incomplete: slices.Clone(d.missing),
	}
	for name, n := range map[string]int64{
		"digests": c.Digests, "outside_window": c.Outside, "files_failed": c.FailedFiles, "files_pruned": int64(files.Pruned),
		"suppressed": st.Suppressed, "excepted": st.Excepted, "duplicates": st.Duplicates, "duplicates_that_differ": st.Differing, "without_time": st.Untimed,
		"history_evicted": d.enricher.History().Stats().Evicted, "between_runs": st.Unscheduled, "over_max_signals": st.OverMaxSignals,
	} {
		if n > 0 {
			s.Counts[name] = n
		}
	}
	add := func(n int64, noun, rest string) {
		if n > 0 {
			s.Incomplete = append(s.Incomplete, count(int(n), noun)+" "+rest)
		}
	}
	add(c.Quarantined, "record", "quarantined")
	add(c.FailedFiles, "file", "not read to the end")
	if c.Quarantined == 0 && c.FailedFiles == 0 {
		add(c.Skips, "part", "of a file set aside; nobody knows how many records it held")
	}
	add(int64(len(files.Skipped)), "file", "not opened")
	add(st.Untimed, "event", "without a valid time, which rules about changes over time do not see")
	add(d.enricher.History().Stats().Evicted, "past state", "forgotten for want of memory: later changes to those functions and grants read as first sight")
	add(st.OverMaxSignals, "match", "beyond max_signals, as in Elastic (--schedule once shows them)")
	add(st.Unscheduled, "match", "between two runs of the rule, as in Elastic (--schedule once shows them)")
	s.Complete = len(s.Incomplete) == 0
	s.Coverage = fmt.Sprintf("%d/%d records evaluated by %s in %s", c.Evaluated+c.Outside+c.Digests, c.Records,
		count(d.engine.Rules(), "rule"), count(int(c.Files), "file"))
	return s
}

// time reads a flag that is a point in time: a date, an RFC 3339 time, or a
// duration before now.
func (a *app) time(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006/01/02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if d, err := rule.ParseDuration(s); err == nil {
		return a.std.Now().Add(-d).UTC(), nil
	}
	return time.Time{}, usagef("write 2026-06-18, 2026-06-18T13:00:00Z or 24h; times are UTC", "--%s %q is no time", flag, s)
}

// target is a log target as the user typed it, from the working folder. It stays
// as typed when the process is in that folder, since results name it.
func (a *app) target(t string) string {
	if wd, err := os.Getwd(); t == source.Stdin || err == nil && wd == a.std.Dir {
		return t
	}
	return a.path(t)
}

// sourceError reports a target that cannot be read.
func (a *app) sourceError(err error) error {
	if t, ok := errors.AsType[*source.TargetError](err); ok {
		if t.Hint == "" && errors.Is(err, fs.ErrNotExist) {
			return a.missing(t.Target, err)
		}
		return &Error{Msg: t.Error(), Hint: t.Hint, Code: Usage, Err: err}
	}
	return err
}

// jobs is how many things may be worked on at once.
func (a *app) jobs() int {
	if n := a.conf.num("jobs"); n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// maxInflated is how much text a compressed file may hold, for source.Options.
func (a *app) maxInflated() int64 {
	n, err := parseSize(a.conf.text("max_inflated"))
	if err != nil {
		return 0 // checked before: the default
	}
	if n == 0 {
		return -1
	}
	return n
}
