package rule

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// A Level says how bad a Problem is.
type Level string

// The levels of problems.
const (
	// Wrong is a mistake: the rule does not do what it says.
	Wrong Level = "error"
	// Warn is probably a mistake.
	Warn Level = "warning"
	// Note is something a reader of the rule should know.
	Note Level = "note"
)

// A Problem is one thing Lint found.
type Problem struct {
	File  string    `json:"file"`
	Pos   query.Pos `json:"pos"`
	Level Level     `json:"level"`
	// Code names the check, e.g. "quoted-wildcard".
	Code string `json:"code"`
	// Msg says what is wrong, Hint what to do about it, or "".
	Msg  string `json:"msg"`
	Hint string `json:"hint,omitempty"`
	// Correction is the text to put in the place of the Pos.Len bytes at Pos;
	// where Pos.Len is 0 it is a line to add. "" when there is none to offer.
	Correction string `json:"correction,omitempty"`
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s (%s)", p.File, p.Pos.Line, p.Pos.Col, p.Level, p.Msg, p.Code)
}

// A LintContext is what is known beside the rule.
type LintContext struct {
	// Tests is how many test cases the rule has; -1 when nobody looked.
	Tests int
	// City and ASN say that these GeoIP databases are at hand.
	City, ASN bool
	// Exceptions are the exceptions at hand; nil when nobody looked.
	Exceptions *Exceptions
}

// Lint looks for what is probably not meant: rules that cannot fire, fields
// that nothing fills, conditions that are always true, negations that a missing
// field satisfies, gaps in the schedule, threats that do not exist. Problems
// come in file order.
//
// The query of a rule in a language that nothing here parses is not looked at,
// and a Problem says so.
func Lint(r *Rule, ctx LintContext) []Problem {
	l := linter{r: r, ctx: ctx}
	l.keys()
	l.schedule()
	l.context()
	l.threats()
	l.fields()
	l.lookAtQuery()
	slices.SortStableFunc(l.out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Offset, b.Pos.Offset), strings.Compare(a.Code, b.Code), strings.Compare(a.Msg, b.Msg))
	})
	return slices.Compact(l.out)
}

type linter struct {
	r   *Rule
	ctx LintContext
	out []Problem
}

func (l *linter) add(p Problem) {
	p.File = l.r.File
	l.out = append(l.out, p)
}

// at is the place of a key of [rule], or of the table when it has no such key.
func (l *linter) at(path ...string) query.Pos {
	if p := l.r.Pos(path...); p.Line > 0 {
		return p
	}
	return l.missingAt()
}

// missingAt is where a missing key would go: the [rule] header.
func (l *linter) missingAt() query.Pos {
	p := l.r.root.Get("rule").Pos
	p.Len = 0
	return p
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Unfinished marks the places a person has to fill in a rule that Template made.
const Unfinished = "CHANGE ME"

func (l *linter) keys() {
	for _, x := range l.r.Extra {
		p := Problem{Pos: x.Pos, Level: Warn, Code: "unknown-key", Msg: "unknown key " + x.Path}
		if x.Hint != "" {
			p.Hint, p.Correction = "did you mean "+x.Hint+"?", x.Hint
		}
		l.add(p)
	}
	if !uuid.MatchString(l.r.ID) {
		l.add(Problem{Pos: l.at("rule_id"), Level: Note, Code: "rule-id", Msg: "rule_id is not a UUID in lower case", Hint: "Kibana takes it, other tools may not"})
	}
	var walk func(v *Value)
	walk = func(v *Value) {
		if v.Kind == String {
			if i := strings.Index(v.Text, Unfinished); i >= 0 {
				l.add(Problem{Pos: v.At(i, len(Unfinished)), Level: Wrong, Code: "unfinished", Msg: "the text of the template is still there"})
			}
		}
		for _, e := range v.Elems {
			walk(e)
		}
		for _, e := range v.Keys {
			walk(e.Value)
		}
	}
	walk(l.r.root)
	l.severity()
}

// severity compares severity and risk score: Elastic's bands are 0-21, 22-47,
// 48-73 and 74-100 (Kibana, default risk scores of the severity selector).
func (l *linter) severity() {
	band := 0
	for band < len(Severities)-1 && l.r.RiskScore > Severities[band].Risk {
		band++
	}
	want := Severities[band].Name
	if want != l.r.Severity {
		l.add(Problem{
			Pos: l.at("risk_score"), Level: Note, Code: "severity-risk",
			Msg: fmt.Sprintf("risk_score %d is in the band of severity %s, the rule says %s", l.r.RiskScore, want, l.r.Severity),
		})
	}
}

func (l *linter) schedule() {
	r := l.r
	window := r.From - r.To
	if window < r.Interval {
		l.add(Problem{
			Pos: l.at("from"), Level: Wrong, Code: "schedule-gap",
			Msg: fmt.Sprintf("the rule runs every %s and looks at %s: events in the %s between are never looked at",
				FormatDuration(r.Interval), FormatDuration(window), FormatDuration(r.Interval-window)),
			Correction: correctionLine(r, "from", fmt.Sprintf(`"now-%s"`, FormatDuration(r.Interval+r.To+DefaultFrom-DefaultInterval))),
		})
	} else if window == r.Interval && r.Type != TypeMachineLearning {
		l.add(Problem{
			Pos: l.at("from"), Level: Note, Code: "schedule-tight",
			Msg:        "the rule looks at exactly one interval: an event that arrives late by a second is never looked at",
			Correction: correctionLine(r, "from", fmt.Sprintf(`"now-%s"`, FormatDuration(r.Interval+r.To+DefaultFrom-DefaultInterval))),
		})
	}
	if r.TimestampOverride == "" && r.Type != TypeMachineLearning {
		l.add(Problem{
			Pos: l.missingAt(), Level: Warn, Code: "no-timestamp-override",
			Msg:        "no timestamp_override: CloudTrail arrives up to 15 minutes late, and Elastic would look for events by the time of the call",
			Correction: `timestamp_override = "event.ingested"`,
		})
	}
	if r.MaxSignals > 1000 {
		l.add(Problem{Pos: l.at("max_signals"), Level: Note, Code: "max-signals", Msg: "Kibana cuts max_signals at 1000 unless its own limit is raised"})
	}
}

// correctionLine is value where the key is there to be replaced, else the whole
// line to add.
func correctionLine(r *Rule, key, value string) string {
	if r.Pos(key).Line > 0 {
		return value
	}
	return key + " = " + value
}

func (l *linter) context() {
	r := l.r
	if l.ctx.Tests == 0 {
		l.add(Problem{
			Pos: l.missingAt(), Level: Warn, Code: "no-tests", Msg: "the rule has no tests",
			Hint: "put records into " + TestFile(r.File),
		})
	}
	if r.Note == "" {
		l.add(Problem{Pos: l.missingAt(), Level: Note, Code: "no-note", Msg: "the rule has no investigation guide (note)"})
	}
	if len(r.FalsePositives) == 0 {
		l.add(Problem{Pos: l.missingAt(), Level: Note, Code: "no-false-positives", Msg: "the rule names no false positives"})
	}
	if len(r.Index) > 0 && r.Type != TypeMachineLearning && !slices.ContainsFunc(r.Index, readsTrail) {
		l.add(Problem{
			Pos: l.at("index"), Level: Warn, Code: "other-index",
			Msg: "none of the index patterns reads CloudTrail (logs-aws.cloudtrail-*)", Hint: "Lamina evaluates the rule over CloudTrail all the same",
		})
	}
	if l.ctx.Exceptions != nil {
		for i, x := range r.Exceptions {
			if !slices.ContainsFunc(l.ctx.Exceptions.Items, func(e ExceptionItem) bool { return e.ListID == x.ListID }) {
				l.add(Problem{
					Pos: r.root.Get("rule", "exceptions_list").Elems[i].Pos, Level: Warn, Code: "exceptions-missing",
					Msg: fmt.Sprintf("no exception of the list %q is at hand: its events give alerts", x.ListID), Hint: "give the list with --exceptions",
				})
			}
		}
	}
}

// readsTrail reports whether an index pattern matches the CloudTrail data
// stream of the default name space.
func readsTrail(pattern string) bool {
	return query.Wildcard(pattern, query.CaseSensitive).Match("logs-aws.cloudtrail-default") || pattern == "filebeat-*"
}

// fields checks the names of fields outside the query.
func (l *linter) fields() {
	r := l.r
	check := func(v *Value, level Level) {
		if v == nil {
			return
		}
		list := v.Elems
		if v.Kind == String {
			list = []*Value{v}
		}
		for _, e := range list {
			// An ES|QL rule makes fields of its own.
			if e.Kind == String && e.Text != "" && (r.Language != ESQL || !madeByQuery(e.Text)) {
				l.field(e.Text, e.Pos, level, true)
			}
		}
	}
	rule := r.root.Get("rule")
	check(rule.Get("investigation_fields", "field_names"), Warn)
	check(rule.Get("threshold", "field"), Wrong)
	check(rule.Get("new_terms", "value"), Wrong)
	check(rule.Get("alert_suppression", "group_by"), Wrong)
	check(rule.Get("timestamp_override"), Wrong)
	check(rule.Get("rule_name_override"), Wrong)
	for _, key := range []string{"severity_mapping", "risk_score_mapping"} {
		if v := rule.Get(key); v != nil {
			for _, e := range v.Elems {
				check(e.Get("field"), Wrong)
			}
		}
	}
}

// madeByQuery reports whether a column is one that an ES|QL query makes:
// Elastic's convention is the prefix Esql.
func madeByQuery(name string) bool {
	return strings.HasPrefix(name, "Esql.") || strings.HasPrefix(name, "Esql_priv.") || !strings.Contains(name, ".")
}

// field checks one field's name; plain is for a name that stands in the file as
// such, rather than in the query.
func (l *linter) field(name string, pos query.Pos, level Level, plain bool) {
	f := ecs.Lookup(name)
	switch {
	case f.Type == ecs.Unmapped:
		p := Problem{Pos: pos, Level: level, Code: "unknown-field", Msg: fmt.Sprintf("unknown field %q: no CloudTrail document has it", name)}
		if best := nearestField(name); best != "" {
			p.Hint, p.Correction = "did you mean "+best+"?", best
			if plain {
				p.Correction = tomlBasic(best)
			}
		}
		l.add(p)
	case f.Source == "" && f.Type != ecs.Object:
		l.add(Problem{
			Pos: pos, Level: Warn, Code: "unfilled-field",
			Msg: name + " is mapped, but nothing fills it for CloudTrail",
		})
	}
}

// nearestField is the mapped field whose name is nearest to name, or "".
func nearestField(name string) string {
	return query.Nearest(name, func(yield func(string) bool) {
		for f := range ecs.All() {
			if f.Type != ecs.Object && !yield(f.Name) {
				return
			}
		}
	})
}
