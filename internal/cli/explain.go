package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/query"
	"github.com/lamina-sec/lamina/rule"
)

func newExplain(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "explain {RULE EVENT | ALERT FILE...}",
		Short: "say why a rule did or did not match an event",
		Example: "  lamina explain layer-shared trail/0618.json.gz#b2c4…      # RULE is a file, rule_id or name\n" +
			"  lamina explain rules/mine.toml event.json                 # a file with one record\n" +
			"  lamina explain A-3F2K results.json                        # an alert of detect -f json\n" +
			"  lamina explain A-3F2K trail/                              # the same, from the logs",
		Long: "EVENT is FILE#ID, where ID is the eventID or the start of it, or a file with one record;\n" +
			"FILE may be a folder. FILE#ID@ACCOUNT is for an id that several accounts have. All\n" +
			"events of FILE are read, so that fields about changes (lamina.layers.added) have the\n" +
			"values they had at that time; give all logs for that.\n" +
			"✓ and ✗ mark the clauses; what would have to be different for a match, how long a grant\n" +
			"stood, and which other rules match, is said below them.\n\n" +
			"A result that detect -f json saved names its logs and settings, which are used again;\n" +
			"logs and flags given here take their place.",
		Args: args(2, -1, "RULE and EVENT, or ALERT and FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := a.explain(cmd.Context(), args[0], args[1:])
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, x)
				}
				return a.writeExplanation(w, x)
			})
		},
	}
	a.settingFlag(c, explainSettings...)
	return c
}

// explainSettings are the settings that decide what explain finds.
var explainSettings = []string{"rules", "exceptions", "org_id", "accounts", "publishers", "geoip_city", "geoip_asn", "elastic_quirks", "max_inflated"}

// explainArgs are the arguments with which explain finds again what this
// command found in files: those, and the flags that were given. What came from
// the environment or a file of settings is still there. There are none when
// standard input was read, which is gone.
func (a *app) explainArgs(files ...string) []string {
	var out []string
	for _, f := range files {
		if f == source.Stdin {
			return nil
		}
		if strings.HasPrefix(f, "-") {
			f = "./" + f
		}
		out = append(out, f)
	}
	if f := a.flags.configFile; f != "" {
		out = append(out, "--config", f)
	}
	for _, s := range table {
		r := a.conf.by[s.key]
		if slices.Contains(explainSettings, s.key) && strings.HasPrefix(r.origin, "flag") {
			out = append(out, s.args(r.values)...)
		}
	}
	return out
}

// args are the flags that give a setting these values.
func (s *setting) args(values []string) []string {
	var out []string
	for _, v := range values {
		if s.kind == kindBool {
			out = append(out, "--"+s.flag+"="+v)
		} else {
			out = append(out, "--"+s.flag, v)
		}
	}
	return out
}

var alertID = regexp.MustCompile(`^A-[A-Z2-7]{2,}$`)

// An explanation is what the engine says, and what became of it later.
type explanation struct {
	detect.Explanation
	// Grant is how long what the event granted stood, nil if it granted nothing.
	Grant *lamina.GrantWindow `json:"grant,omitempty"`
	// Using are the logs and flags of the saved result that the alert was found
	// in, as explain would take them; From is that result. Empty without one.
	Using []string `json:"using,omitempty"`
	From  string   `json:"using_from,omitempty"`
	files int      // that were read
}

// grantWindow is the window of a layer version that an event opened, nil when
// the history does not hold it.
func (d *detection) grantWindow(layer, eventID string) *lamina.GrantWindow {
	for _, w := range d.enricher.History().GrantWindows(layer) {
		if w.FromEvent == eventID {
			return &lamina.GrantWindow{
				Layer: layer, StatementID: w.StatementID, From: w.From, Until: w.To, Ending: string(w.Ending), UntilEvent: w.ToEvent,
			}
		}
	}
	return nil
}

// addGrant gives an alert about a grant its window.
func (d *detection) addGrant(rec detect.Record, al *lamina.Alert) {
	if rec.Provider() != history.Provider || !strings.HasPrefix(rec.Action(), "AddLayerVersionPermission") {
		return
	}
	if c, _, ok := history.CallOf(rec); ok {
		if l, ok := c.Layer(); ok {
			al.Grant = d.grantWindow(l.String(), rec.ID())
		}
	}
}

func (a *app) explain(ctx context.Context, what string, rest []string) (explanation, error) {
	if id := strings.ToUpper(what); alertID.MatchString(id) && !exists(a.path(what)) {
		return a.explainAlert(ctx, id, rest)
	}
	if len(rest) > 1 {
		return explanation{}, usagef("one rule and one event", "unexpected argument %q", rest[1])
	}
	d, err := a.detection(detect.Once)
	if err != nil {
		return explanation{}, err
	}
	defer d.close() //nolint:errcheck // read only
	p, err := a.pickRule(d, what)
	if err != nil {
		return explanation{}, err
	}
	file, name := cutEvent(a, rest[0])
	return a.explainEvent(ctx, d, p, []string{file}, name)
}

// cutEvent splits FILE#ID and FILE#ID@ACCOUNT; a file whose name has a # and
// exists is a file.
func cutEvent(a *app, s string) (file string, name eventName) {
	i := strings.LastIndexByte(s, '#')
	if i < 0 || exists(a.path(s)) {
		return s, eventName{}
	}
	name.id = strings.TrimPrefix(s[i+1:], "eventID=")
	if at := strings.LastIndexByte(name.id, '@'); at >= 0 && validAccount(name.id[at+1:]) == nil {
		name.id, name.account = name.id[:at], name.id[at+1:]
	}
	return s[:i], name
}

// pickRule finds a rule of the set by file, rule_id, file name without ending,
// or name; a rule file that is in no set is read.
func (a *app) pickRule(d *detection, what string) (*rule.Program, error) {
	var names []string
	for _, p := range d.programs {
		r := p.Rule
		base := ruleName(r.File)
		if what == r.File || what == r.ID || what == base || what == r.Name {
			return p, nil
		}
		names = append(names, base)
	}
	if !exists(a.path(what)) {
		hint := "lamina rules ls names the rules; --rules adds some"
		if s := nearest(what, names); s != "" {
			hint = "did you mean " + s + "?"
		}
		return nil, usagef(hint, "no rule %q", what)
	}
	set, err := a.readRules(what)
	if err != nil {
		return nil, wrap(err, Usage, ruleHint(err))
	}
	if len(set.rules) != 1 {
		return nil, usagef("name one of them by its rule_id, with --rules "+what, "%s holds %s", what, count(len(set.rules), "rule"))
	}
	for _, p := range d.programs {
		if p.Rule.ID == set.rules[0].ID {
			return p, nil
		}
	}
	ps, err := a.compileRules(set)
	if err != nil {
		return nil, err
	}
	return ps[0], nil
}

// ruleName is the last part of a rule's file name without its ending.
func ruleName(file string) string {
	if i := strings.LastIndexAny(file, "/:\\"); i >= 0 {
		file = file[i+1:]
	}
	return strings.TrimSuffix(file, ".toml")
}

// An eventName says which event is to be explained.
type eventName struct {
	// id is the start of its event.id; "" stands for the only event there is.
	id string
	// account is its recipientAccountId, "" for any.
	account string
	// alert and rule are the ids of an alert and its rule, which the event must
	// have made; "" for none.
	alert, rule string
}

func (n eventName) is(account, id string) bool {
	return strings.HasPrefix(id, n.id) && (n.account == "" || n.account == account) &&
		(n.alert == "" || n.alert == lamina.ID("A", n.rule, account, id))
}

// ofAlert names the event of an alert.
func ofAlert(al lamina.Alert) eventName {
	return eventName{id: al.EventIDs[0], alert: al.ID, rule: al.Rule.ID}
}

// A foundEvent is an event that has the name that was asked for.
type foundEvent struct {
	account, id string
	layer       string // that it is about, or ""
}

// maxFound is how many events of one name are told apart.
const maxFound = 1000

// explainEvent explains p for an event of the files.
func (a *app) explainEvent(ctx context.Context, d *detection, p *rule.Program, files []string, name eventName) (explanation, error) {
	var x explanation
	if p.Predicate == nil {
		return x, usagef("its query cannot be explained yet", "%s needs %s", p.Rule.File, p.Needs)
	}
	for i, f := range files {
		files[i] = a.target(f)
	}
	set, err := source.Find(ctx, files, source.Options{Stdin: a.std.In, Inflated: a.maxInflated()})
	if err != nil {
		return x, a.sourceError(err)
	}
	var found []foundEvent
	w := d.engine.Worker()
	w.Keep = func(rec detect.Record) bool {
		account, id := rec.RecipientAccount(), rec.ID()
		if !name.is(account, id) {
			return false
		}
		if len(found) < maxFound && !slices.ContainsFunc(found, func(e foundEvent) bool { return e.account == account && e.id == id }) {
			e := foundEvent{account: strings.Clone(account), id: strings.Clone(id)}
			if c, _, ok := history.CallOf(rec); ok {
				if l, ok := c.Layer(); ok {
					e.layer = l.String()
				}
			}
			found = append(found, e)
		}
		return true
	}
	c, err := ingest.Into(ctx, set.Blobs, w, ingest.Options{NewEvent: d.newEvent})
	if err != nil {
		return x, err
	}
	where := strings.Join(files, " ")
	e, err := a.pickEvent(found, where)
	switch {
	case err != nil:
		return x, err
	case len(found) == 0 && name.id == "":
		return x, usagef("a CloudTrail record, or a file of them", "no events in %s (%d records quarantined)", where, c.Quarantined)
	case len(found) == 0:
		return x, usagef("the id is the record's eventID", "no event %q among the %d of %s", name.id, c.Evaluated, where)
	}
	run := d.engine.NewRun(d.open(), nil)
	x.Explanation, _, err = run.Explain(p, e.account, e.id, w)
	x.files = len(set.Blobs)
	if e.layer != "" {
		x.Grant = d.grantWindow(e.layer, e.id)
	}
	return x, err
}

// pickEvent is the one event of a name. When accounts have the same id the
// --account of the run decides if it can.
func (a *app) pickEvent(found []foundEvent, where string) (foundEvent, error) {
	if len(found) <= 1 {
		return append(found, foundEvent{})[0], nil
	}
	slices.SortFunc(found, func(a, b foundEvent) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.account, b.account)) })
	if ours := a.conf.list("accounts"); found[0].id == found[len(found)-1].id {
		among := slices.DeleteFunc(slices.Clone(found), func(e foundEvent) bool { return !slices.Contains(ours, e.account) })
		if len(among) == 1 {
			return among[0], nil
		}
		var accounts []string
		for _, e := range found {
			accounts = append(accounts, cmp.Or(e.account, "(none)"))
		}
		return foundEvent{}, usagef(fmt.Sprintf("say which: #%s@%s, or --account with one of them", found[0].id, accounts[len(accounts)-1]),
			"event %s is in the trails of %d accounts in %s: %s", found[0].id, len(found), where, strings.Join(first(accounts, 5), ", "))
	}
	var ids []string
	for _, e := range found {
		ids = append(ids, e.id)
	}
	ids = slices.Compact(ids)
	hint := "add #ID of one of them: " + strings.Join(first(ids, 3), ", ")
	if len(ids) > 3 {
		hint += ", …"
	}
	return foundEvent{}, usagef(hint, "%d events in %s match", len(found), where)
}

// explainAlert finds an alert in a saved result or by running the rules over
// logs, and explains its rule for its event.
func (a *app) explainAlert(ctx context.Context, id string, files []string) (explanation, error) {
	var x explanation
	saved, err := a.savedResult(files[0])
	if err != nil {
		return x, err
	}
	if saved != nil {
		return a.explainSaved(ctx, id, saved, files[1:])
	}
	d, err := a.detection(detect.Once)
	if err != nil {
		return x, err
	}
	defer d.close() //nolint:errcheck // read only
	alerts, c, err := a.alertsOf(ctx, d, files)
	if err != nil {
		return x, err
	}
	// Why an id that detect printed may not be there.
	hint := "give the logs and the flags of the run that found it: --rules, --exceptions, --org-id, --account"
	if c.Evaluated == 0 {
		hint = "explain reads logs, and results that detect -f json wrote"
	}
	al, err := pickAlert(alerts, id, strings.Join(files, " "), hint)
	if err != nil {
		return x, err
	}
	p, err := d.ruleOf(al)
	if err != nil {
		return x, err
	}
	return a.explainEvent(ctx, d, p, files, ofAlert(al))
}

// pickAlert is the alert whose id begins with id; where names what holds alerts.
func pickAlert(alerts []lamina.Alert, id, where, hint string) (lamina.Alert, error) {
	var hits []lamina.Alert
	for _, al := range alerts {
		if strings.HasPrefix(al.ID, id) {
			hits = append(hits, al)
		}
	}
	switch {
	case len(hits) == 0:
		return lamina.Alert{}, usagef(hint, "no alert %s in %s", id, where)
	case len(hits) > 1:
		return lamina.Alert{}, usagef("give the whole id, as detect prints it", "%s begin with %s in %s", count(len(hits), "alert"), id, where)
	case len(hits[0].EventIDs) == 0:
		return lamina.Alert{}, usagef("", "the alert %s in %s names no event", hits[0].ID, where)
	}
	return hits[0], nil
}

// ruleOf is the rule of an alert among those that were loaded.
func (d *detection) ruleOf(al lamina.Alert) (*rule.Program, error) {
	for _, p := range d.programs {
		if p.Rule.ID == al.Rule.ID {
			return p, nil
		}
	}
	return nil, usagef("add --rules "+al.Rule.File, "the rule of %s is not among those loaded: %s %s", al.ID, al.Rule.ID, al.Rule.Name)
}

// alertsOf runs the rules over logs.
func (a *app) alertsOf(ctx context.Context, d *detection, files []string) ([]lamina.Alert, ingest.Counts, error) {
	for i, f := range files {
		files[i] = a.target(f)
	}
	set, err := source.Find(ctx, files, source.Options{Stdin: a.std.In, Inflated: a.maxInflated()})
	if err != nil {
		return nil, ingest.Counts{}, a.sourceError(err)
	}
	var alerts []lamina.Alert
	run := d.engine.NewRun(d.open(), func(al lamina.Alert) error {
		alerts = append(alerts, al)
		return nil
	})
	ws, c, err := ingest.Run(ctx, set.Blobs, d.engine, ingest.Options{Jobs: a.jobs(), NewEvent: d.newEvent})
	if err != nil {
		return nil, c, err
	}
	return alerts, c, run.Finish(ws...)
}

// writeExplanation prints the clause tree, with what was seen at the right.
func (a *app) writeExplanation(w io.Writer, x explanation) error {
	var b strings.Builder
	verdict := "NO MATCH"
	switch {
	case x.Match:
		verdict = "MATCH"
	case x.Exception != nil:
		verdict = "EXCEPTED"
	}
	fmt.Fprintf(&b, "%s  %s  on  %s", verdict, safe.Line(x.Rule.Name, 0), safe.Line(x.Action, 0))
	if !x.Time.IsZero() {
		b.WriteString("  " + x.Time.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(&b, "\n  rule   %s (%s)\n  event  %s in %s\n", safe.Line(x.Rule.File, 0), safe.Line(x.Rule.ID, 0), safe.Line(x.EventID, 0), safe.Line(x.File, 0))
	if len(x.Using) > 0 {
		fmt.Fprintf(&b, "  using  %s, as %s says\n", safe.Line(strings.Join(x.Using, " "), 0), safe.Line(x.From, 0))
	}
	b.WriteString("\n")
	writeTree(&b, x.Clause, a.width())
	if x.Exception != nil {
		b.WriteString("\n  taken out by the exception\n")
		writeTree(&b, *x.Exception, a.width())
	}
	b.WriteString("\n")
	if m, missed := query.NearestMiss(x.Clause); missed {
		fmt.Fprintf(&b, "  %d of %s failed, the first: %s\n", m.Failed, count(m.Total, "clause"), safe.Line(m.First.Clause.Text, maxClause))
		for i, n := range m.Need {
			word := "would match if"
			if i > 0 {
				word = "          and"
			}
			fmt.Fprintf(&b, "  %s %s  (%s)\n", word, safe.Line(n.String(), maxClause), safe.Line(n.Saw(), maxClause))
		}
	} else if x.Match {
		fmt.Fprintf(&b, "  alerts with severity %s, risk score %d\n", x.Severity, x.RiskScore)
	}
	if x.Grant != nil {
		said := fmt.Sprintf("the grant (statement %s) %s", x.Grant.StatementID, x.Grant)
		if x.Grant.Until.IsZero() {
			said += ": nothing in " + count(x.files, "file") + " ends it"
		}
		fmt.Fprintf(&b, "  %s\n", safe.Line(said, 0))
	}
	if x.Needs != "" {
		fmt.Fprintf(&b, "  the rule is not run: it needs %s; its query alone was evaluated\n", x.Needs)
	}
	if len(x.Others) == 0 {
		b.WriteString("  no other rule matches this event\n")
	}
	for i, o := range x.Others {
		word := "other rules that match:"
		if i > 0 {
			word = "                       "
		}
		fmt.Fprintf(&b, "  %s %s (%s)\n", word, safe.Line(o.Name, 0), safe.Line(ruleName(o.File), 0))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// maxClause is how much of a clause is shown.
const maxClause = 400

// A treeLine is one clause as it is printed.
type treeLine struct {
	text string
	leaf bool
	c    query.Clause
}

// writeTree prints a clause tree; values stand in a column.
func writeTree(b *strings.Builder, c query.Clause, width int) {
	var lines []treeLine
	var walk func(c query.Clause, head, tail string)
	walk = func(c query.Clause, head, tail string) {
		lines = append(lines, treeLine{head + safe.Line(c.Text, maxClause), len(c.Clauses) == 0, c})
		for i, d := range c.Clauses {
			if i == len(c.Clauses)-1 {
				walk(d, tail+"└─ ", tail+"   ")
			} else {
				walk(d, tail+"├─ ", tail+"│  ")
			}
		}
	}
	walk(c, "  ", "  ")
	col := 0
	for _, l := range lines {
		col = max(col, min(len([]rune(l.text)), width*3/5))
	}
	for _, l := range lines {
		mark := "✗"
		if l.c.Match {
			mark = "✓"
		}
		saw := ""
		if l.leaf {
			saw = seen(l.c)
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %s  %s", col, l.text, mark, saw), " ") + "\n")
	}
}

// seen is what a leaf saw, on one line.
func seen(c query.Clause) string {
	var parts []string
	for i, v := range c.Values {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(c.Values)-i))
			break
		}
		parts = append(parts, safe.Line(v, 120))
	}
	if len(parts) == 0 && c.Field != "" {
		parts = append(parts, "(missing)")
	}
	saw := strings.Join(parts, ", ")
	if c.Note != "" {
		saw += " (" + safe.Line(c.Note, 0) + ")"
	}
	return strings.TrimLeft(saw, " ")
}
