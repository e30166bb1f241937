package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// lookAtQuery lints the query, or says why it cannot.
func (l *linter) lookAtQuery() {
	r := l.r
	p, err := r.Compile(CompileOptions{})
	if errs, ok := errors.AsType[Errors](err); ok {
		for _, e := range errs {
			l.add(Problem{Pos: e.Pos, Level: Wrong, Code: "query", Msg: e.Msg, Hint: e.Hint})
		}
		return
	}
	if p.Needs != "" {
		l.add(Problem{Pos: l.at("type"), Level: Note, Code: "needs", Msg: "the rule does not run yet: it needs " + p.Needs})
	}
	if p.Predicate == nil {
		if r.Query != "" {
			l.add(Problem{Pos: l.at("query"), Level: Note, Code: "not-linted", Msg: "the query is not linted: that needs " + p.Needs})
		}
		l.data(p)
		return
	}
	if p.Query.Root == nil {
		l.add(Problem{Pos: l.at("query"), Level: Wrong, Code: "matches-all", Msg: "the query is empty: it matches every event"})
		return
	}
	q := queryLinter{linter: l, p: p, all: clauses(p.Query.Root)}
	q.names()
	for _, c := range q.all {
		q.value(c)
	}
	if len(q.all) <= maxClauses {
		q.whole()
		q.branches(p.Query.Root, nil)
		q.negations(p.Query.Root)
	} else {
		l.add(Problem{
			Pos: l.at("query"), Level: Note, Code: "too-large",
			Msg: fmt.Sprintf("the query has %d values: how more than %d of them work together is not looked at", len(q.all), maxClauses),
		})
	}
	l.data(p)
}

// data says what the rule reads that is not at hand.
func (l *linter) data(p *Program) {
	for _, n := range p.Data {
		if n.Name == NeedCity && l.ctx.City || n.Name == NeedASN && l.ctx.ASN {
			continue
		}
		effect := "without it the rule sees these fields as missing"
		switch {
		case n.Excludes:
			effect = "without it what the rule excludes by these fields gives alerts"
		case p.Query != nil:
			effect = "without it conditions on these fields are false"
		}
		l.add(Problem{
			Pos: l.at("query"), Level: Warn, Code: "needs-data",
			Msg: fmt.Sprintf("the rule needs %s: %s", n, effect), Hint: dataHint(n.Name),
		})
	}
}

func dataHint(name string) string {
	switch name {
	case NeedCity:
		return "give a MaxMind database with --geoip-city"
	case NeedASN:
		return "give a MaxMind database with --geoip-asn"
	}
	return ""
}

// maxClauses bounds the checks that compare every clause with every other.
const maxClauses = 400

type queryLinter struct {
	*linter
	p   *Program
	all []clause
	// dead are places already reported as never true, so that one mistake is
	// one problem.
	dead []query.Pos
}

// at maps a place in the query to the file.
func (q *queryLinter) at(p query.Pos) query.Pos { return q.r.QueryPos(p) }

func (q *queryLinter) names() {
	seen := map[int]bool{}
	for _, c := range q.all {
		if c.field == nil || seen[c.field.At.Offset] {
			continue
		}
		seen[c.field.At.Offset] = true
		if c.field.Kind == kql.String {
			q.field(c.field.Text(), q.at(c.field.At), Wrong, false)
		}
	}
}

// value checks one value on its own.
func (q *queryLinter) value(c clause) {
	v, f := c.value, c.name()
	pos := q.at(v.At)
	text := v.Text()
	switch {
	case v.Quoted && strings.Contains(text, "*") && text != "*":
		q.add(Problem{
			Pos: pos, Level: Warn, Code: "quoted-wildcard",
			Msg:        "in quotes the star is itself: only a value with a star in it is equal to " + kql.Format(v),
			Hint:       "write it without quotes to match by pattern",
			Correction: kql.Format(&kql.Literal{Kind: kql.Wildcard, Parts: strings.Split(text, "*")}),
		})
		return
	case !v.Quoted && strings.Contains(text, "?"):
		q.add(Problem{
			Pos: pos, Level: Warn, Code: "question-mark",
			Msg: "KQL has no wildcard for one character: the question mark is itself", Hint: "use * or list the values",
		})
	}
	if v.Quoted && text != strings.TrimSpace(text) {
		q.add(Problem{
			Pos: pos, Level: Warn, Code: "blanks", Msg: "the value begins or ends with a blank: it is compared with it",
			Correction: kql.Format(&kql.Literal{Kind: kql.String, Quoted: true, Parts: []string{strings.TrimSpace(text)}}),
		})
		return
	}
	if f == nil {
		if c.field == nil {
			q.add(Problem{
				Pos: pos, Level: Warn, Code: "free-text",
				Msg: kql.Format(v) + " names no field: it is looked for in all of them", Hint: "write field: value",
			})
		}
		return
	}
	if _, isRange := c.node.(*kql.Range); isRange {
		return
	}
	switch {
	case f.Type == ecs.Object && !v.Lone():
		q.never(c, f.Name+" has fields below it and no value of its own", "", "")
	case v.Kind == kql.Wildcard && !v.Lone() && f.Root != nil:
		q.add(Problem{
			Pos: pos, Level: Note, Code: "flattened-wildcard",
			Msg:  fmt.Sprintf("Elasticsearch compares a pattern with every key of %s, not only with %s", f.Root.Name, f.Key),
			Hint: "Lamina compares it with that key; --elastic-quirks does as Elasticsearch does",
		})
	case v.Lone() && isAlways(f):
		q.always(c, "every record has "+f.Name)
	case f.Type == ecs.ConstantKeyword:
		q.constant(c, f)
	case v.Kind != kql.Wildcard:
		q.listed(c, f, text)
	}
	if f.IgnoreAbove > 0 && f.Type == ecs.Keyword && v.Kind != kql.Wildcard && ecs.UTF16Len(text) > f.IgnoreAbove {
		q.never(c, fmt.Sprintf("values of %s above %d characters are not indexed", f.Name, f.IgnoreAbove), "", "")
	}
	switch f.Name {
	case "event.provider":
		q.provider(c, text)
	case "event.action", "lamina.api.name":
		q.action(c, f, text)
	}
}

// never reports a clause that no record satisfies.
func (q *queryLinter) never(c clause, why, hint, correction string) {
	q.dead = append(q.dead, c.value.At)
	what := "never true"
	if c.negated {
		what = "never true, so its negation excludes nothing"
	}
	q.add(Problem{Pos: q.at(c.value.At), Level: Warn, Code: "never-true", Msg: what + ": " + why, Hint: hint, Correction: correction})
}

func (q *queryLinter) always(c clause, why string) {
	if c.negated {
		q.never(c, "the negation of what is always true: "+why, "", "")
		return
	}
	q.add(Problem{Pos: q.at(c.node.Pos()), Level: Warn, Code: "always-true", Msg: "always true: " + why})
}

// constant checks a clause on a field that is the same in every document. That
// every rule begins with data_stream.dataset is the custom: only where such a
// clause decides more than itself is it worth a word.
func (q *queryLinter) constant(c clause, f *ecs.Field) {
	p := condition(c.node)
	if p == nil {
		return
	}
	switch p.Fold(facts) {
	case query.False:
		if c.negated {
			q.always(clause{node: c.node, value: c.value}, fmt.Sprintf("%s is %q in every CloudTrail document", f.Name, f.Const))
			return
		}
		q.never(c, fmt.Sprintf("%s is %q in every CloudTrail document", f.Name, f.Const), "", sameQuotes(c.value, f.Const))
	case query.True:
		if c.either || c.negated {
			q.always(c, fmt.Sprintf("%s is %q in every CloudTrail document", f.Name, f.Const))
		}
	case query.Unknown:
	}
}

// sameQuotes writes text as a value the way v is written.
func sameQuotes(v *kql.Literal, text string) string {
	return kql.Format(&kql.Literal{Kind: kql.String, Quoted: v.Quoted, Parts: []string{text}})
}

// listed compares a value with those its field can have.
func (q *queryLinter) listed(c clause, f *ecs.Field, text string) {
	if text == "" || text == "-" {
		q.never(c, fmt.Sprintf("the mapping drops a value that is %q", text), "a missing field is: not "+f.Name+": *", "")
		return
	}
	d, ok := domainOf(f.Name)
	if !ok || slices.Contains(d.values, text) {
		return
	}
	if i := slices.IndexFunc(d.values, func(s string) bool { return strings.EqualFold(s, text) }); i >= 0 {
		q.never(c, fmt.Sprintf("values are compared with their case, and %s has %q", f.Name, d.values[i]), "", sameQuotes(c.value, d.values[i]))
		return
	}
	best := nearest(text, d.values)
	hint, correction := "its values are "+strings.Join(d.values, ", "), ""
	if best != "" {
		hint, correction = "did you mean "+best+"?", sameQuotes(c.value, best)
	}
	switch {
	case d.closed:
		q.never(c, fmt.Sprintf("%s is never %q", f.Name, text), hint, correction)
	case best != "":
		q.add(Problem{Pos: q.at(c.value.At), Level: Note, Code: "unlisted-value", Msg: fmt.Sprintf("AWS does not list %q as a value of %s", text, f.Name), Hint: hint, Correction: correction})
	}
}

// provider checks the form of event.provider: the host name of a service.
func (q *queryLinter) provider(c clause, text string) {
	if c.value.Kind == kql.Wildcard || strings.HasSuffix(text, ".amazonaws.com") || strings.HasSuffix(text, ".amazon.com") || text == "" {
		return
	}
	if strings.EqualFold(text, strings.TrimSpace(text)) && !strings.Contains(text, ".") {
		q.never(c, "event.provider is the name of an endpoint", "", sameQuotes(c.value, strings.ToLower(text)+".amazonaws.com"))
		return
	}
	q.add(Problem{Pos: q.at(c.value.At), Level: Note, Code: "provider-form", Msg: fmt.Sprintf("%q does not look like an AWS service: those end in .amazonaws.com", text)})
}

// action checks event.action: names of Lambda calls, IAM's spelling, events
// that a default trail does not record.
func (q *queryLinter) action(c clause, f *ecs.Field, text string) {
	q.service(c)
	if c.value.Kind == kql.Wildcard {
		if first := c.value.Parts[0]; !c.negated && first != "" && dataEventBegins(q.providers(), first) {
			q.add(Problem{
				Pos: q.at(c.value.At), Level: Note, Code: "data-event",
				Msg: kql.Format(c.value) + " matches data events: a trail records them only where it was told to",
			})
		}
		return
	}
	if service, name, ok := strings.Cut(text, ":"); ok {
		q.never(c, "event.action is the name of the call alone", fmt.Sprintf("%s: is IAM's spelling; CloudTrail says event.provider: %q", service, service+".amazonaws.com"), sameQuotes(c.value, name))
		return
	}
	lambda := q.requires("event.provider", "lambda.amazonaws.com")
	if f.Name == "event.action" && lambda {
		if full, ok := lambdaActions[text]; ok && !q.alternative(c, full) {
			q.add(Problem{
				Pos: q.at(c.value.At), Level: Warn, Code: "lambda-name",
				Msg:        fmt.Sprintf("Lambda's records call this %s, so %s never matches it", full, kql.Format(c.value)),
				Correction: text + "*",
			})
			return
		}
	}
	if !c.negated && dataEvent(q.providers(), text) {
		q.add(Problem{
			Pos: q.at(c.value.At), Level: Note, Code: "data-event",
			Msg: text + " is a data event: a trail records it only where it was told to",
		})
	}
}

// service reports a call that the service the query asks for does not have.
func (q *queryLinter) service(c clause) {
	name := undated(c.value.Parts[0])
	if len(c.value.Parts) > 2 || len(c.value.Parts) == 2 && c.value.Parts[1] != "" {
		return
	}
	want, ok := callsOf[name]
	providers := q.providers()
	if !ok || c.negated || len(providers) == 0 || slices.ContainsFunc(providers, func(p string) bool { return strings.HasPrefix(p, strings.TrimSuffix(want, ".amazonaws.com")) }) {
		return
	}
	q.never(c, fmt.Sprintf("%s is a call of %s, and the query asks for %s", name, want, strings.Join(providers, ", ")), "", "")
}

// requires reports whether the query is true only for records with this value.
func (q *queryLinter) requires(field, value string) bool {
	exact, prefixes, ok := query.Required(q.p.Predicate, ecs.Lookup(field))
	return ok && len(prefixes) == 0 && len(exact) == 1 && exact[0] == value
}

// providers are the services the query requires, nil if it requires none.
func (q *queryLinter) providers() []string {
	exact, _, ok := query.Required(q.p.Predicate, ecs.Lookup("event.provider"))
	if !ok {
		return nil
	}
	return exact
}

// alternative reports whether some clause on the same field matches value.
func (q *queryLinter) alternative(c clause, value string) bool {
	f := c.name()
	return slices.ContainsFunc(q.all, func(d clause) bool {
		g := d.name()
		if g == nil || g.Name != f.Name || d.negated != c.negated {
			return false
		}
		p := condition(d.node)
		return p != nil && p.Fold(assume(f.Name, []string{value})) == query.True
	})
}

// whole asks whether the query as a whole can be true, and can be false.
func (q *queryLinter) whole() {
	root := q.p.Query.Root
	switch q.p.Predicate.Fold(facts) {
	case query.False:
		// The whole is false because of one operand, if it is an and.
		culprit := root
		if and, ok := root.(*kql.And); ok {
			for _, x := range and.Of {
				if p := condition(x); p != nil && p.Fold(facts) == query.False {
					culprit = x
					break
				}
			}
		}
		q.add(Problem{
			Pos: q.at(culprit.Pos()), Level: Wrong, Code: "cannot-fire",
			Msg: "the rule cannot fire: no CloudTrail document satisfies " + short(kql.Format(culprit)),
		})
		return
	case query.True:
		q.add(Problem{Pos: q.at(root.Pos()), Level: Wrong, Code: "matches-all", Msg: "the query matches every event"})
		return
	case query.Unknown:
	}
	for _, f := range q.fieldsIn(root) {
		if q.possible(q.p.Predicate, f) {
			continue
		}
		p := Problem{
			Pos: q.at(root.Pos()), Level: Wrong, Code: "cannot-fire",
			Msg: fmt.Sprintf("the rule cannot fire: no value of %s satisfies its query", f.Name),
		}
		if a, b := q.conflict(root, f); b != nil {
			p.Pos = q.at(b.Pos())
			p.Msg = fmt.Sprintf("the rule cannot fire: %s has one value, and line %d asks for %s", f.Name, q.at(a.Pos()).Line, short(kql.Format(a)))
		} else if b := q.impossible(root, f); b != nil {
			p.Pos = q.at(b.Pos())
		}
		q.add(p)
		q.dead = append(q.dead, root.Pos())
		return
	}
}

// short cuts a long condition for a message.
func short(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// fieldsIn lists the fields that the clauses below n name, each once.
func (q *queryLinter) fieldsIn(n kql.Node) []*ecs.Field {
	var out []*ecs.Field
	for _, c := range clauses(n) {
		if f := c.name(); f != nil && !slices.ContainsFunc(out, func(g *ecs.Field) bool { return g.Name == f.Name }) {
			out = append(out, f)
		}
	}
	return out
}

// possible reports whether some value of f leaves p a chance to be true; also
// when that cannot be told.
func (q *queryLinter) possible(p query.Predicate, f *ecs.Field) bool {
	values, ok := candidates(f, q.all)
	if !ok || p == nil {
		return true
	}
	return slices.ContainsFunc(values, func(v []string) bool { return p.Fold(assume(f.Name, v)) != query.False })
}

// conflict finds the first two operands of the outermost and that no value of f
// satisfies together.
func (q *queryLinter) conflict(root kql.Node, f *ecs.Field) (a, b kql.Node) {
	and, ok := root.(*kql.And)
	if !ok {
		return nil, nil
	}
	for i, x := range and.Of {
		for _, y := range and.Of[:i] {
			px, py := condition(x), condition(y)
			if px != nil && py != nil && q.possible(px, f) && q.possible(py, f) && !q.possible(query.And(py, px), f) {
				return y, x
			}
		}
	}
	return nil, nil
}

// impossible finds the first operand of the outermost and that no value of f
// satisfies.
func (q *queryLinter) impossible(root kql.Node, f *ecs.Field) kql.Node {
	and, ok := root.(*kql.And)
	if !ok {
		return root
	}
	for _, x := range and.Of {
		if p := condition(x); p != nil && !q.possible(p, f) {
			return x
		}
	}
	return nil
}

// branches looks for operands of an or that are never true given what stands
// beside the or, or that another operand covers. context are the conditions
// that hold around n.
func (q *queryLinter) branches(n kql.Node, context []query.Predicate) {
	switch n := n.(type) {
	case *kql.And:
		q.repeated(n.Of, "and")
		for i, x := range n.Of {
			around := slices.Clone(context)
			for j, y := range n.Of {
				if p := condition(y); i != j && p != nil {
					around = append(around, p)
				}
			}
			q.branches(x, around)
		}
	case *kql.Or:
		q.repeated(n.Of, "or")
		for _, x := range n.Of {
			q.branch(x, context)
			q.branches(x, context)
		}
	case *kql.Is:
		if or, ok := n.Value.(*kql.Or); ok && n.Field != nil {
			q.repeated(or.Of, "or")
			q.covered(n.Field, or)
			for _, x := range or.Of {
				q.branch(&kql.Is{At: x.Pos(), Field: n.Field, Value: x}, context)
			}
		}
	case *kql.Not:
		// What is excluded may well be impossible here: it costs nothing.
		q.branches(n.X, nil)
	default:
	}
}

// branch reports an alternative that cannot be true in its context.
func (q *queryLinter) branch(n kql.Node, context []query.Predicate) {
	p := condition(n)
	if p == nil || slices.ContainsFunc(q.dead, func(d query.Pos) bool { return overlaps(d, n.Pos()) || overlaps(n.Pos(), d) }) {
		return
	}
	// A branch that is impossible by itself has been reported as such.
	for _, f := range q.fieldsIn(n) {
		if q.possible(p, f) && !q.possible(query.And(append(slices.Clone(context), p)...), f) {
			q.add(Problem{
				Pos: q.at(n.Pos()), Level: Warn, Code: "dead-branch",
				Msg: "this alternative is never true: what stands beside it asks for another " + f.Name,
			})
			return
		}
	}
}

// overlaps reports whether outer holds the place of inner.
func overlaps(inner, outer query.Pos) bool {
	return inner.Offset >= outer.Offset && inner.Offset+inner.Len <= outer.Offset+outer.Len
}

// repeated reports operands that are there twice.
func (q *queryLinter) repeated(of []kql.Node, word string) {
	seen := map[string]kql.Node{}
	for _, x := range of {
		text := kql.Format(x)
		if first, ok := seen[text]; ok {
			q.add(Problem{
				Pos: q.at(x.Pos()), Level: Warn, Code: "repeated",
				Msg: fmt.Sprintf("this operand of %s is already at line %d", word, q.at(first.Pos()).Line),
			})
			continue
		}
		seen[text] = x
	}
}

// covered reports values of a list that another value's pattern matches.
func (q *queryLinter) covered(field *kql.Literal, or *kql.Or) {
	f := ecs.Lookup(field.Text())
	if f.Type != ecs.Keyword {
		return
	}
	for _, x := range or.Of {
		v, ok := x.(*kql.Literal)
		if !ok || v.Kind == kql.Wildcard {
			continue
		}
		for _, y := range or.Of {
			w, ok := y.(*kql.Literal)
			if !ok || w.Kind != kql.Wildcard {
				continue
			}
			p := condition(&kql.Is{Field: field, Value: w})
			if p != nil && p.Fold(assume(f.Name, []string{v.Text()})) == query.True {
				q.add(Problem{
					Pos: q.at(v.At), Level: Note, Code: "covered",
					Msg: fmt.Sprintf("%s is already matched by %s", kql.Format(v), kql.Format(w)),
				})
				break
			}
		}
	}
}

// negations reports each not that is also true because its field is missing,
// where a record with the field missing can still match the query.
func (q *queryLinter) negations(n kql.Node) {
	switch n := n.(type) {
	case *kql.And:
		for _, x := range n.Of {
			q.negations(x)
		}
	case *kql.Or:
		for _, x := range n.Of {
			q.negations(x)
		}
	case *kql.Not:
		q.negation(n)
	default:
	}
}

func (q *queryLinter) negation(n *kql.Not) {
	for _, f := range q.fieldsIn(n.X) {
		if isAlways(f) || f.Type == ecs.Unmapped || q.p.Predicate.Fold(assume(f.Name, nil)) == query.False {
			continue
		}
		// not f: * asks for the field to be missing.
		if p := condition(n); p == nil || p.Fold(assume(f.Name, nil)) != query.True || asksMissing(n, f) {
			continue
		}
		q.add(Problem{
			Pos: q.at(n.At), Level: Note, Code: "not-missing",
			Msg:  fmt.Sprintf("also true when %s is missing", f.Name),
			Hint: fmt.Sprintf("if that is not meant, add: and %s: *", f.Name),
		})
	}
}

// asksMissing reports whether n negates the existence of f.
func asksMissing(n *kql.Not, f *ecs.Field) bool {
	return slices.ContainsFunc(clauses(n.X), func(c clause) bool {
		g := c.name()
		return g != nil && g.Name == f.Name && c.value.Lone() && !c.negated
	})
}
