package rule

import (
	"time"

	"github.com/lamina-sec/lamina/query"
)

// A Type is how a rule's query becomes alerts.
type Type string

// The rule types that Elastic's detection engine has.
const (
	TypeQuery           Type = "query"
	TypeSavedQuery      Type = "saved_query"
	TypeThreshold       Type = "threshold"
	TypeNewTerms        Type = "new_terms"
	TypeEQL             Type = "eql"
	TypeESQL            Type = "esql"
	TypeMachineLearning Type = "machine_learning"
	TypeThreatMatch     Type = "threat_match"
)

// Types lists the rule types.
var Types = []Type{TypeQuery, TypeThreshold, TypeNewTerms, TypeEQL, TypeESQL, TypeMachineLearning, TypeThreatMatch, TypeSavedQuery}

// A Language is what a query is written in.
type Language string

// The query languages.
const (
	Kuery  Language = "kuery"
	Lucene Language = "lucene"
	EQL    Language = "eql"
	ESQL   Language = "esql"
)

// Languages lists the query languages.
var Languages = []Language{Kuery, Lucene, EQL, ESQL}

// Severities lists Elastic's severities from least to most, with the risk score
// that Elastic's rules carry beside each.
var Severities = []struct {
	Name string
	Risk int
}{{"low", 21}, {"medium", 47}, {"high", 73}, {"critical", 99}}

// Defaults of Elastic's detection engine for keys that a rule leaves out
// (Kibana, detection_engine rule schema).
const (
	DefaultFrom       = 6 * time.Minute
	DefaultInterval   = 5 * time.Minute
	DefaultMaxSignals = 100
)

// A Rule is a rule file as written. Nothing changes it after Parse.
type Rule struct {
	// File is the name Parse was given: what a person would type.
	File string
	// ID is rule_id, usually a UUID.
	ID          string
	Name        string
	Description string
	Type        Type
	// Language is "" for a machine_learning rule.
	Language Language
	// Query is the query's text, QueryValue where it stands; nil if there is none.
	Query      string
	QueryValue *Value
	Severity   string
	// RiskScore is 0..100.
	RiskScore int
	// Enabled is false only if the file says so.
	Enabled bool
	Version int

	Index      []string
	DataViewID string
	// From is how far a run looks back, To how far its window ends before now;
	// both are positive. Interval is the time between runs.
	From, To, Interval time.Duration
	MaxSignals         int

	TimestampOverride                 string
	TimestampOverrideFallbackDisabled bool
	TimestampField                    string
	EventCategoryOverride             string
	TiebreakerField                   string

	Threshold        *Threshold
	NewTerms         *NewTerms
	Suppression      *Suppression
	AnomalyThreshold int
	MLJobs           []string

	Threat              []Threat
	InvestigationFields []string
	Exceptions          []ExceptionRef
	SeverityMapping     []Mapping
	RiskScoreMapping    []Mapping
	RuleNameOverride    string
	BuildingBlockType   string
	// Filters are Kibana's saved filters, verbatim.
	Filters []*Value

	Author         []string
	License        string
	Tags           []string
	References     []string
	FalsePositives []string
	Note           string
	Setup          string
	Metadata       Metadata

	// Extra are the keys no field above comes from and Kibana does not know,
	// with their dotted path.
	Extra []Extra

	root *Value // metadata, rule and whatever else the file has
	text *text
}

// Metadata is the [metadata] table of elastic/detection-rules.
type Metadata struct {
	CreationDate, UpdatedDate string // 2026/06/18
	Maturity                  string
	Integration               []string
	MinStackVersion           string
	MinStackComments          string
}

// A Threshold is what a threshold rule counts.
type Threshold struct {
	// Fields group the matching events; no fields means one group.
	Fields []string
	// Value is how many events a group needs.
	Value int
	// Cardinality is how many distinct values of a field a group needs.
	Cardinality []Cardinality
}

// A Cardinality asks for Value distinct values of Field.
type Cardinality struct {
	Field string
	Value int
}

// A NewTerms is what must be new.
type NewTerms struct {
	// Fields are one to three fields whose combination must be new.
	Fields []string
	// History is how far back a combination counts as seen, from now.
	History time.Duration
}

// A Suppression folds alerts into one.
type Suppression struct {
	GroupBy []string
	// Duration is how long later alerts join; 0 means within one run.
	Duration time.Duration
	// Missing is "suppress" or "doNotSuppress": what happens to events
	// without one of the fields.
	Missing string
}

// A Threat maps a rule to one ATT&CK tactic.
type Threat struct {
	Framework  string
	Tactic     ThreatRef
	Techniques []Technique
}

// A Technique is an ATT&CK technique and its sub-techniques.
type Technique struct {
	ThreatRef
	Subtechniques []ThreatRef
}

// A ThreatRef names a tactic, technique or sub-technique.
type ThreatRef struct {
	ID, Name, Reference string
	IDPos, NamePos      query.Pos
}

// An ExceptionRef names an exception list.
type ExceptionRef struct {
	ID, ListID, Type, Namespace string
}

// A Mapping overrides severity or risk score by the value of an event's field.
type Mapping struct {
	Field    string
	Operator string // "equals"
	Value    string
	// Severity is the severity given, in a severity mapping.
	Severity string
	// RiskScore is the score given, in a risk score mapping; -1 means the
	// field's own value.
	RiskScore int
}

// An Extra is a key that nobody knows.
type Extra struct {
	Path string // dotted, from the file's root
	Pos  query.Pos
	// Hint is the known key that is nearest to it, or "".
	Hint  string
	Value *Value
}

// Root is the file's tree: the tables metadata and rule, and whatever else
// stands in it. It must not be changed.
func (r *Rule) Root() *Value { return r.root }

// Pos is where the value at a path below [rule] starts, e.g. Pos("threshold",
// "field"), or the zero Pos when the file has no such key.
func (r *Rule) Pos(path ...string) query.Pos {
	if v := r.root.Get(append([]string{"rule"}, path...)...); v != nil {
		return v.Pos
	}
	return query.Pos{}
}

// QueryPos maps a place in the query to the file.
func (r *Rule) QueryPos(p query.Pos) query.Pos {
	if r.QueryValue == nil {
		return p
	}
	return r.QueryValue.At(p.Offset, p.Len)
}

// Source is the file the rule was read from; of a Kibana export it is all of it.
// It must not be changed.
func (r *Rule) Source() []byte { return r.text.data }

// Line is the text of a line of the file, from 1, without its newline; "" when
// there is no such line. Messages show it above a caret.
func (r *Rule) Line(n int) string { return r.text.line(n) }

func (t *text) line(n int) string {
	if n < 1 || n > len(t.lines) {
		return ""
	}
	end := len(t.data)
	if n < len(t.lines) {
		end = t.lines[n] - 1
	}
	line := t.data[t.lines[n-1]:end]
	if k := len(line); k > 0 && line[k-1] == '\r' {
		line = line[:k-1]
	}
	return string(line)
}

// Techniques are the ids of the rule's techniques and sub-techniques, in file
// order, each once.
func (r *Rule) Techniques() []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		if id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, t := range r.Threat {
		for _, q := range t.Techniques {
			add(q.ID)
			for _, s := range q.Subtechniques {
				add(s.ID)
			}
		}
	}
	return ids
}
