package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/eql"
	"github.com/lamina-sec/lamina/esql"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// A Program is a rule ready to run: immutable, safe for concurrent use.
type Program struct {
	Rule *Rule
	// Query is the parsed query of a rule in KQL, nil otherwise.
	Query *kql.Query
	// Predicate is the query's condition on one event; nil when no engine here
	// reads its language. Of a threshold or new_terms rule it is the filter
	// whose matches the engine counts.
	Predicate query.Predicate
	// Exceptions is true for events that exceptions take out; nil when none
	// apply to the rule.
	Exceptions query.Predicate
	// Needs names what must exist before the rule can run ("the EQL engine");
	// "" when it runs.
	Needs string
	// Data is what the rule reads that somebody has to supply.
	Data []DataNeed

	quirks bool
}

// A DataNeed is data from outside that some fields of a rule come from. A rule
// runs without it, as if those fields were missing.
type DataNeed struct {
	// Name is "a GeoIP city database" and the like.
	Name string
	// Fields are the fields that stay empty without it, sorted.
	Fields []string
	// Excludes says that the rule only excludes by these fields, so that without
	// the data it alerts more often instead of never.
	Excludes bool
}

// Names of data needs.
const (
	NeedCity   = "a GeoIP city database"
	NeedASN    = "a GeoIP ASN database"
	NeedAlerts = "the index of earlier alerts"
)

// CompileOptions are what a rule is compiled with beside itself.
type CompileOptions struct {
	// Exceptions are all exceptions at hand; those that apply are picked.
	Exceptions *Exceptions
	// ValueLists are the value lists that exceptions may name, by id.
	ValueLists map[string][]string
	// Now decides which exceptions have expired; zero keeps them all.
	Now time.Time
	// Quirks follows Elasticsearch where it does what no author can have meant
	// (docs/elastic-differences.md).
	Quirks bool
}

// Compile reads the query. A rule whose engine does not exist compiles too and
// says in Program.Needs what it waits for. The error is an Errors, with
// positions in the rule's file or in the exceptions'.
func (r *Rule) Compile(opt CompileOptions) (*Program, error) {
	p := &Program{Rule: r, Needs: r.needs(), quirks: opt.Quirks}
	var errs Errors
	if r.Language == Kuery && r.QueryValue != nil {
		q, err := kql.Parse(r.Query)
		if err == nil {
			p.Query = q
			p.Predicate, err = kql.Compile(q, kql.Options{Quirks: opt.Quirks})
		}
		if err != nil {
			errs = append(errs, r.queryError(err))
		}
	}
	items := opt.Exceptions.For(r, opt.Now)
	if len(items) > 0 {
		var bad Errors
		p.Exceptions, bad = compileItems(items, opt.ValueLists)
		errs = append(errs, bad...)
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	p.Data = r.data(p)
	return p, nil
}

// needs says what the rule waits for, "" if nothing.
func (r *Rule) needs() string {
	var all []string
	switch r.Type {
	case TypeQuery:
	case TypeNewTerms:
		all = append(all, "the new_terms engine")
	case TypeThreshold:
		all = append(all, "the threshold engine")
	case TypeEQL:
		all = append(all, eql.Needs)
	case TypeESQL:
		all = append(all, esql.Needs)
	case TypeMachineLearning:
		all = append(all, "Elastic's machine learning jobs")
	case TypeThreatMatch:
		all = append(all, "the indicator match engine")
	case TypeSavedQuery:
		all = append(all, "Kibana's saved queries")
	}
	if r.Language == Lucene {
		all = append(all, "the Lucene query language")
	}
	if len(r.Filters) > 0 {
		all = append(all, "Kibana's saved filters")
	}
	return strings.Join(all, " and ")
}

// queryError gives an error of the query its place in the file.
func (r *Rule) queryError(err error) *Error {
	var q *query.Error
	if !errors.As(err, &q) {
		return &Error{File: r.File, Pos: r.QueryValue.Pos, Msg: err.Error(), Err: err}
	}
	return &Error{File: r.File, Pos: r.QueryPos(q.Pos), Msg: q.Msg, Hint: q.Hint, Err: err}
}

// reads are the fields the rule reads: those of its query, and those its engine
// groups by. For a query in a language that nothing here parses they are the
// dotted names in its text that the mapping knows.
func (r *Rule) reads(p *Program) []*ecs.Field {
	var fields []*ecs.Field
	add := func(name string) {
		f := ecs.Lookup(name)
		if f.Type != ecs.Unmapped && !slices.ContainsFunc(fields, func(g *ecs.Field) bool { return g.Name == f.Name }) {
			fields = append(fields, f)
		}
	}
	if p.Query != nil {
		// Not Predicate.Fields: a value without a field reads all of them, and
		// needs none.
		if p.Query.Root != nil {
			for _, c := range clauses(p.Query.Root) {
				if f := c.name(); f != nil {
					add(f.Name)
				}
			}
		}
	} else {
		for w := range strings.FieldsFuncSeq(r.Query, func(c rune) bool { return !fieldRune(c) }) {
			if w = strings.Trim(w, "."); strings.Contains(w, ".") {
				add(w)
			}
		}
	}
	if r.Threshold != nil {
		for _, f := range r.Threshold.Fields {
			add(f)
		}
		for _, c := range r.Threshold.Cardinality {
			add(c.Field)
		}
	}
	if r.NewTerms != nil {
		for _, f := range r.NewTerms.Fields {
			add(f)
		}
	}
	return fields
}

// fieldRune reports whether c may stand in a field's name.
func fieldRune(c rune) bool {
	return c == '.' || c == '_' || c == '-' || c == '@' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// data lists what the fields of the rule come from besides the log.
func (r *Rule) data(p *Program) []DataNeed {
	var needs []DataNeed
	add := func(name, field string) {
		i := slices.IndexFunc(needs, func(n DataNeed) bool { return n.Name == name })
		if i < 0 {
			needs = append(needs, DataNeed{Name: name})
			i = len(needs) - 1
		}
		needs[i].Fields = append(needs[i].Fields, field)
	}
	for _, f := range r.reads(p) {
		switch {
		case f.Source == "geoip" && strings.HasPrefix(f.Name, "source.as."):
			add(NeedASN, f.Name)
		case f.Source == "geoip":
			add(NeedCity, f.Name)
		case f.Source == "alert":
			add(NeedAlerts, f.Name)
		}
	}
	for i := range needs {
		slices.Sort(needs[i].Fields)
		needs[i].Excludes = p.Query != nil && onlyExcludes(p.Query, needs[i].Fields) &&
			(r.NewTerms == nil || !overlap(r.NewTerms.Fields, needs[i].Fields))
	}
	slices.SortFunc(needs, func(a, b DataNeed) int { return strings.Compare(a.Name, b.Name) })
	return needs
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (n DataNeed) String() string {
	return fmt.Sprintf("%s (%s)", n.Name, strings.Join(n.Fields, ", "))
}
