package rule

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/query"
)

// Parse reads a rule file in TOML. file is the name errors carry. The error is
// an Errors with every violation found, each with its position; a key that
// nobody knows is no violation, it is kept in Rule.Extra and Lint reports it.
//
// Parse does not read the query; Compile does.
func Parse(file string, data []byte) (*Rule, error) {
	t := newText(file, data)
	if len(data) > MaxFile {
		return nil, Errors{{File: file, Msg: fmt.Sprintf("the file has %d bytes, more than the %d a rule may have", len(data), MaxFile)}}
	}
	root, errs := parseTOML(t)
	if len(errs) > 0 {
		return nil, errs.err()
	}
	return decode(t, root)
}

// decode fills a Rule from a tree in the shape of a TOML rule file.
func decode(t *text, root *Value) (*Rule, error) {
	d := decoder{t: t}
	r := &Rule{
		File: t.name, root: root, text: t,
		Enabled: true, From: DefaultFrom, Interval: DefaultInterval, MaxSignals: DefaultMaxSignals,
	}
	if len(root.Keys) == 0 {
		d.fail(root.Pos, "", "the file is empty: a rule needs a [rule] table")
		return nil, d.errs.err()
	}
	m := d.table(root, "metadata", "metadata")
	v := d.table(root, "rule", "rule")
	if v == nil {
		if len(d.errs) == 0 {
			names := make([]string, 0, len(root.Keys))
			for _, e := range root.Keys {
				names = append(names, e.Name)
			}
			hint := ""
			if best := nearest("rule", names); best != "" {
				hint = fmt.Sprintf("did you mean [rule] where the file has %s?", best)
			}
			d.fail(root.Pos, hint, "the file has no [rule] table")
		}
		return nil, d.errs.err()
	}
	d.metadata(r, m)
	d.identity(r, v)
	d.query(r, v)
	d.schedule(r, v)
	d.engine(r, v)
	d.context(r, v)
	d.threats(r, v)
	d.overrides(r, v)
	r.Extra = extras(root)
	if err := d.errs.err(); err != nil {
		return nil, err
	}
	return r, nil
}

// decoder reads values out of a tree and collects what is wrong with them. A
// path is the dotted name messages use.
type decoder struct {
	t    *text
	errs Errors
}

func (d *decoder) fail(pos query.Pos, hint, format string, args ...any) {
	d.errs = append(d.errs, &Error{File: d.t.name, Pos: pos, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// get returns the value at name below t if it is of kind k; anything else that
// is not missing or null is an error.
func (d *decoder) get(t *Value, path, name string, k Kind) *Value {
	v := t.Get(name)
	if v == nil || v.Kind == Null {
		return nil
	}
	if v.Kind != k {
		d.fail(v.Pos, "", "%s must be %s, not %s", path, k, v.Kind)
		return nil
	}
	return v
}

func (d *decoder) table(t *Value, path, name string) *Value { return d.get(t, path, name, Table) }

func (d *decoder) str(t *Value, path, name string) string {
	if v := d.get(t, path, name, String); v != nil {
		return v.Text
	}
	return ""
}

func (d *decoder) boolean(t *Value, path, name string, def bool) bool {
	if v := d.get(t, path, name, Bool); v != nil {
		return v.Text == "true"
	}
	return def
}

// integer reads a number between lo and hi, def if there is none.
func (d *decoder) integer(t *Value, path, name string, def, lo, hi int) int {
	v := t.Get(name)
	if v == nil || v.Kind == Null {
		return def
	}
	if v.Kind != Integer && v.Kind != Float {
		d.fail(v.Pos, "", "%s must be %s, not %s", path, Integer, v.Kind)
		return def
	}
	n, err := v.Int()
	switch {
	case err != nil:
		d.fail(v.Pos, "", "%s: %v", path, err)
		return def
	case n < int64(lo) || n > int64(hi):
		if hi == math.MaxInt32 && n < int64(lo) {
			d.fail(v.Pos, "", "%s is %d; it must be at least %d", path, n, lo)
		} else {
			d.fail(v.Pos, "", "%s is %d; it must be between %d and %d", path, n, lo, hi)
		}
		return def
	}
	return int(n)
}

// list reads a list of strings. Where one is set, a bare string is a list of it.
func (d *decoder) list(t *Value, path, name string, one bool) []string {
	v := t.Get(name)
	if v == nil || v.Kind == Null {
		return nil
	}
	if one && v.Kind == String {
		return []string{v.Text}
	}
	if v.Kind != Array {
		d.fail(v.Pos, "", "%s must be %s of strings, not %s", path, Array, v.Kind)
		return nil
	}
	out := make([]string, 0, len(v.Elems))
	for _, e := range v.Elems {
		if e.Kind != String {
			d.fail(e.Pos, "", "%s must be %s of strings; this is %s", path, Array, e.Kind)
			continue
		}
		out = append(out, e.Text)
	}
	return out
}

// tables reads a list of tables.
func (d *decoder) tables(t *Value, path, name string) []*Value {
	v := d.get(t, path, name, Array)
	if v == nil {
		return nil
	}
	out := make([]*Value, 0, len(v.Elems))
	for _, e := range v.Elems {
		if e.Kind != Table {
			d.fail(e.Pos, "", "%s must be %s of tables; this is %s", path, Array, e.Kind)
			continue
		}
		out = append(out, e)
	}
	return out
}

// need is str for a key that must be there.
func (d *decoder) need(t *Value, path, name string) string {
	d.present(t, path, name)
	return d.str(t, path, name)
}

// present reports a key that is missing or an empty string.
func (d *decoder) present(t *Value, path, name string) {
	v := t.Get(name)
	switch {
	case v == nil || v.Kind == Null:
		d.fail(t.Pos, "", "%s is missing", path)
	case v.Kind == String && strings.TrimSpace(v.Text) == "":
		d.fail(v.Pos, "", "%s is empty", path)
	}
}

func (d *decoder) oneOf(t *Value, path, name, value string, allowed []string) {
	if value == "" || slices.Contains(allowed, value) {
		return
	}
	hint := "use one of " + strings.Join(allowed, ", ")
	if best := nearest(value, allowed); best != "" {
		hint = fmt.Sprintf("did you mean %q?", best)
	}
	d.fail(t.Get(name).Pos, hint, "unknown %s %q", path, value)
}

func (d *decoder) metadata(r *Rule, m *Value) {
	if m == nil {
		return
	}
	// Dates may be strings (elastic/detection-rules) or TOML dates.
	date := func(name string) string {
		if v := m.Get(name); v != nil && v.Kind == Time {
			return v.Text
		}
		return d.str(m, "metadata."+name, name)
	}
	r.Metadata = Metadata{
		CreationDate:     date("creation_date"),
		UpdatedDate:      date("updated_date"),
		Maturity:         d.str(m, "metadata.maturity", "maturity"),
		Integration:      d.list(m, "metadata.integration", "integration", true),
		MinStackVersion:  d.str(m, "metadata.min_stack_version", "min_stack_version"),
		MinStackComments: d.str(m, "metadata.min_stack_comments", "min_stack_comments"),
	}
}

func (d *decoder) identity(r *Rule, v *Value) {
	r.ID = d.need(v, "rule.rule_id", "rule_id")
	r.Name = d.need(v, "rule.name", "name")
	r.Description = d.need(v, "rule.description", "description")
	r.Severity = d.need(v, "rule.severity", "severity")
	d.oneOf(v, "severity", "severity", r.Severity, severityNames())
	if x := v.Get("risk_score"); x == nil {
		d.fail(v.Pos, "", "rule.risk_score is missing")
	}
	r.RiskScore = d.integer(v, "rule.risk_score", "risk_score", 0, 0, 100)
	r.Enabled = d.boolean(v, "rule.enabled", "enabled", true)
	r.Version = d.integer(v, "rule.version", "version", 0, 0, math.MaxInt32)
	r.Author = d.list(v, "rule.author", "author", true)
	r.License = d.str(v, "rule.license", "license")
	r.BuildingBlockType = d.str(v, "rule.building_block_type", "building_block_type")
}

func severityNames() []string {
	names := make([]string, 0, len(Severities))
	for _, s := range Severities {
		names = append(names, s.Name)
	}
	return names
}

// texts turns a list of string constants into strings.
func texts[S ~string](list []S) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

func (d *decoder) query(r *Rule, v *Value) {
	r.Type = Type(d.need(v, "rule.type", "type"))
	d.oneOf(v, "rule type", "type", string(r.Type), texts(Types))
	r.Language = Language(d.str(v, "rule.language", "language"))
	d.oneOf(v, "language", "language", string(r.Language), texts(Languages))
	r.Query = d.str(v, "rule.query", "query")
	if x := v.Get("query"); x != nil && x.Kind == String {
		r.QueryValue = x
	}
	r.Index = d.list(v, "rule.index", "index", true)
	r.DataViewID = d.str(v, "rule.data_view_id", "data_view_id")
	if x := d.get(v, "rule.filters", "filters", Array); x != nil {
		r.Filters = x.Elems
	}
	want := map[Type]Language{TypeEQL: EQL, TypeESQL: ESQL}[r.Type]
	switch r.Type {
	case TypeEQL, TypeESQL:
		if r.Language == "" {
			r.Language = want
		}
		if r.Language != want && slices.Contains(Languages, r.Language) {
			d.fail(v.Get("language").Pos, "", "a rule of type %s is written in %s, not %s", r.Type, want, r.Language)
		}
		d.present(v, "rule.query", "query")
	case TypeQuery, TypeThreshold, TypeNewTerms, TypeThreatMatch:
		if r.Language == "" {
			r.Language = Kuery
		}
		if r.Language == EQL || r.Language == ESQL {
			d.fail(v.Get("language").Pos, "", "a rule of type %s is written in kuery or lucene, not %s", r.Type, r.Language)
		}
		d.present(v, "rule.query", "query")
	case TypeMachineLearning, TypeSavedQuery:
	}
}

func (d *decoder) schedule(r *Rule, v *Value) {
	ago := func(name string, def time.Duration) time.Duration {
		x := d.get(v, "rule."+name, name, String)
		if x == nil {
			return def
		}
		t, err := ParseAgo(x.Text)
		if err == nil && t < 0 {
			err = fmt.Errorf("%q is in the future", x.Text)
		}
		if err != nil {
			d.fail(x.Pos, "", "rule.%s: %v", name, err)
			return def
		}
		return t
	}
	r.From, r.To = ago("from", DefaultFrom), ago("to", 0)
	if x := d.get(v, "rule.interval", "interval", String); x != nil {
		t, err := ParseDuration(x.Text)
		if err == nil && t <= 0 {
			err = fmt.Errorf("%q is no time at all", x.Text)
		}
		if err != nil {
			d.fail(x.Pos, "", "rule.interval: %v", err)
		} else {
			r.Interval = t
		}
	}
	if r.From <= r.To {
		pos := v.Pos
		if x := v.Get("from"); x != nil {
			pos = x.Pos
		}
		d.fail(pos, "", "rule.from is not before rule.to: the rule would look at nothing")
	}
	r.MaxSignals = d.integer(v, "rule.max_signals", "max_signals", DefaultMaxSignals, 1, math.MaxInt32)
	r.TimestampOverride = d.str(v, "rule.timestamp_override", "timestamp_override")
	r.TimestampOverrideFallbackDisabled = d.boolean(v, "rule.timestamp_override_fallback_disabled", "timestamp_override_fallback_disabled", false)
	r.TimestampField = d.str(v, "rule.timestamp_field", "timestamp_field")
	r.EventCategoryOverride = d.str(v, "rule.event_category_override", "event_category_override")
	r.TiebreakerField = d.str(v, "rule.tiebreaker_field", "tiebreaker_field")
}

// engine reads what the stateful types need.
func (d *decoder) engine(r *Rule, v *Value) {
	if t := d.table(v, "rule.threshold", "threshold"); t != nil {
		r.Threshold = &Threshold{
			Fields: d.list(t, "rule.threshold.field", "field", true),
			Value:  d.integer(t, "rule.threshold.value", "value", 1, 1, math.MaxInt32),
		}
		// Kibana writes "no grouping" as [""] or "".
		r.Threshold.Fields = slices.DeleteFunc(r.Threshold.Fields, func(s string) bool { return s == "" })
		for _, c := range d.tables(t, "rule.threshold.cardinality", "cardinality") {
			r.Threshold.Cardinality = append(r.Threshold.Cardinality, Cardinality{
				Field: d.need(c, "rule.threshold.cardinality.field", "field"),
				Value: d.integer(c, "rule.threshold.cardinality.value", "value", 1, 1, math.MaxInt32),
			})
		}
	} else if r.Type == TypeThreshold {
		d.fail(v.Pos, "", "a threshold rule needs [rule.threshold]")
	}
	if t := d.table(v, "rule.new_terms", "new_terms"); t != nil {
		d.newTerms(r, t)
	} else if r.Type == TypeNewTerms {
		d.fail(v.Pos, "", "a new_terms rule needs [rule.new_terms]")
	}
	if t := d.table(v, "rule.alert_suppression", "alert_suppression"); t != nil {
		s := &Suppression{GroupBy: d.list(t, "rule.alert_suppression.group_by", "group_by", true)}
		s.Missing = d.str(t, "rule.alert_suppression.missing_fields_strategy", "missing_fields_strategy")
		d.oneOf(t, "missing_fields_strategy", "missing_fields_strategy", s.Missing, []string{"suppress", "doNotSuppress"})
		if s.Missing == "" {
			s.Missing = "suppress"
		}
		if u := d.table(t, "rule.alert_suppression.duration", "duration"); u != nil {
			n := d.integer(u, "rule.alert_suppression.duration.value", "value", 1, 1, math.MaxInt32)
			unit := d.need(u, "rule.alert_suppression.duration.unit", "unit")
			d.oneOf(u, "unit", "unit", unit, []string{"s", "m", "h"})
			if t, err := ParseDuration(strconv.Itoa(n) + unit); err == nil {
				s.Duration = t
			}
		}
		r.Suppression = s
	}
	r.MLJobs = d.list(v, "rule.machine_learning_job_id", "machine_learning_job_id", true)
	r.AnomalyThreshold = d.integer(v, "rule.anomaly_threshold", "anomaly_threshold", 0, 0, 100)
	if r.Type == TypeMachineLearning && len(r.MLJobs) == 0 {
		d.fail(v.Pos, "", "a machine_learning rule needs machine_learning_job_id")
	}
}

// newTerms reads elastic/detection-rules' form of the table, in which the names
// of Kibana's two keys are values: field = "new_terms_fields", value = […].
func (d *decoder) newTerms(r *Rule, t *Value) {
	n := &NewTerms{Fields: d.list(t, "rule.new_terms.value", "value", false)}
	if len(n.Fields) < 1 || len(n.Fields) > 3 {
		pos := t.Pos
		if v := t.Get("value"); v != nil {
			pos = v.Pos
		}
		d.fail(pos, "", "rule.new_terms.value needs one to three fields, not %d", len(n.Fields))
	}
	windows := d.tables(t, "rule.new_terms.history_window_start", "history_window_start")
	if len(windows) != 1 {
		d.fail(t.Pos, "", "rule.new_terms needs one history_window_start")
		return
	}
	start := d.need(windows[0], "rule.new_terms.history_window_start.value", "value")
	if start == "" {
		return
	}
	ago, err := ParseAgo(start)
	if err != nil {
		d.fail(windows[0].Get("value").orPos(windows[0]), "", "rule.new_terms.history_window_start: %v", err)
		return
	}
	if ago <= r.From {
		d.fail(windows[0].Get("value").Pos, "", "rule.new_terms.history_window_start is not before rule.from: everything would be new")
	}
	n.History = ago
	r.NewTerms = n
}

// orPos is v's position, or that of the table it is missing from.
func (v *Value) orPos(table *Value) query.Pos {
	if v == nil {
		return table.Pos
	}
	return v.Pos
}

func (d *decoder) context(r *Rule, v *Value) {
	r.Tags = d.list(v, "rule.tags", "tags", false)
	r.References = d.list(v, "rule.references", "references", false)
	r.FalsePositives = d.list(v, "rule.false_positives", "false_positives", false)
	r.Note = d.str(v, "rule.note", "note")
	r.Setup = d.str(v, "rule.setup", "setup")
	if t := d.table(v, "rule.investigation_fields", "investigation_fields"); t != nil {
		r.InvestigationFields = d.list(t, "rule.investigation_fields.field_names", "field_names", false)
	}
	for _, t := range d.tables(v, "rule.exceptions_list", "exceptions_list") {
		r.Exceptions = append(r.Exceptions, ExceptionRef{
			ID:        d.str(t, "rule.exceptions_list.id", "id"),
			ListID:    d.need(t, "rule.exceptions_list.list_id", "list_id"),
			Type:      d.str(t, "rule.exceptions_list.type", "type"),
			Namespace: d.str(t, "rule.exceptions_list.namespace_type", "namespace_type"),
		})
	}
}

func (d *decoder) threats(r *Rule, v *Value) {
	ref := func(t *Value, path string) ThreatRef {
		x := ThreatRef{
			ID:        d.need(t, path+".id", "id"),
			Name:      d.need(t, path+".name", "name"),
			Reference: d.str(t, path+".reference", "reference"),
		}
		x.IDPos, x.NamePos = t.Get("id").orPos(t), t.Get("name").orPos(t)
		return x
	}
	for _, t := range d.tables(v, "rule.threat", "threat") {
		th := Threat{Framework: d.need(t, "rule.threat.framework", "framework")}
		if x := d.table(t, "rule.threat.tactic", "tactic"); x != nil {
			th.Tactic = ref(x, "rule.threat.tactic")
		} else {
			d.fail(t.Pos, "", "rule.threat.tactic is missing")
		}
		for _, q := range d.tables(t, "rule.threat.technique", "technique") {
			te := Technique{ThreatRef: ref(q, "rule.threat.technique")}
			for _, s := range d.tables(q, "rule.threat.technique.subtechnique", "subtechnique") {
				te.Subtechniques = append(te.Subtechniques, ref(s, "rule.threat.technique.subtechnique"))
			}
			th.Techniques = append(th.Techniques, te)
		}
		r.Threat = append(r.Threat, th)
	}
}

func (d *decoder) overrides(r *Rule, v *Value) {
	r.RuleNameOverride = d.str(v, "rule.rule_name_override", "rule_name_override")
	for _, t := range d.tables(v, "rule.severity_mapping", "severity_mapping") {
		m := Mapping{
			Field:    d.need(t, "rule.severity_mapping.field", "field"),
			Operator: d.str(t, "rule.severity_mapping.operator", "operator"),
			Value:    d.str(t, "rule.severity_mapping.value", "value"),
			Severity: d.need(t, "rule.severity_mapping.severity", "severity"),
		}
		d.oneOf(t, "severity", "severity", m.Severity, severityNames())
		d.oneOf(t, "operator", "operator", m.Operator, []string{"equals"})
		r.SeverityMapping = append(r.SeverityMapping, m)
	}
	for _, t := range d.tables(v, "rule.risk_score_mapping", "risk_score_mapping") {
		m := Mapping{
			Field:     d.need(t, "rule.risk_score_mapping.field", "field"),
			Operator:  d.str(t, "rule.risk_score_mapping.operator", "operator"),
			Value:     d.str(t, "rule.risk_score_mapping.value", "value"),
			RiskScore: d.integer(t, "rule.risk_score_mapping.risk_score", "risk_score", -1, 0, 100),
		}
		d.oneOf(t, "operator", "operator", m.Operator, []string{"equals"})
		r.RiskScoreMapping = append(r.RiskScoreMapping, m)
	}
}

// subKeys are the keys of the tables below [rule] that have a fixed shape, by
// path.
var subKeys = map[string][]string{
	"":                        rootKeys,
	"metadata":                metadataKeys,
	"rule":                    ruleKeys,
	"rule.threat":             {"framework", "tactic", "technique"},
	"rule.threat.tactic":      {"id", "name", "reference"},
	"rule.threat.technique":   {"id", "name", "reference", "subtechnique"},
	"rule.threshold":          {"field", "value", "cardinality"},
	"rule.alert_suppression":  {"group_by", "duration", "missing_fields_strategy"},
	"rule.new_terms":          {"field", "value", "history_window_start"},
	"rule.exceptions_list":    {"id", "list_id", "type", "namespace_type"},
	"rule.severity_mapping":   {"field", "operator", "value", "severity"},
	"rule.risk_score_mapping": {"field", "operator", "value", "risk_score"},

	"rule.threat.technique.subtechnique":  {"id", "name", "reference"},
	"rule.threshold.cardinality":          {"field", "value"},
	"rule.alert_suppression.duration":     {"value", "unit"},
	"rule.new_terms.history_window_start": {"field", "value"},
	"rule.investigation_fields":           {"field_names"},
}

// extras lists the keys that no table of subKeys has.
func extras(root *Value) []Extra {
	var out []Extra
	var walk func(v *Value, path string)
	walk = func(v *Value, path string) {
		switch v.Kind {
		case Array:
			for _, e := range v.Elems {
				walk(e, path)
			}
		case Table:
			known, ok := subKeys[path]
			if !ok {
				return
			}
			for _, e := range v.Keys {
				p := strings.TrimPrefix(path+"."+e.Name, ".")
				if !slices.Contains(known, e.Name) {
					out = append(out, Extra{Path: p, Pos: e.Pos, Hint: nearest(e.Name, known), Value: e.Value})
					continue
				}
				walk(e.Value, p)
			}
		case String, Bool, Integer, Float, Time, Null:
		}
	}
	walk(root, "")
	return out
}
