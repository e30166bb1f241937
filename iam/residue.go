package iam

import (
	"fmt"
	"strings"
)

// A Residue is what an answer depends on: an expression over Needs. The request
// is allowed exactly when it holds.
type Residue struct{ root *formula }

// A Need is one thing that is not known: a condition of a statement, or, where
// Operator is "", the reason for which a part of a statement is uncertain.
type Need struct {
	Statement Ref
	// Operator, Key and Values are the condition as the policy has it.
	Operator, Key string
	Values        []string
	// Reason says what cannot be told, when it is more than the key's value.
	Reason string
}

// namesResource is the reason of a Need about an object without an ARN.
const namesResource = "the resource is one that the statement names"

// OfResource reports whether the need is that the object, of which no ARN was
// given, is one that the statement names.
func (n Need) OfResource() bool { return n.Operator == "" && n.Reason == namesResource }

// formula is an expression in which every leaf is a Need; yes and no are known.
type formula struct {
	op    formulaOp
	parts []*formula
	leaf  *leaf
}

type formulaOp uint8

const (
	opNo formulaOp = iota
	opYes
	opAnd
	opOr
	opNot
	opLeaf
)

// leaf is a Need with what is needed to try values for it.
type leaf struct {
	Need
	cond *condition // nil when no value of the key would settle it
	coin string     // then: leaves with the same coin are true together
}

var formulaYes, formulaNo = &formula{op: opYes}, &formula{op: opNo}

var symbolic = logic[*formula]{
	and: func(a, b *formula) *formula { return join(opAnd, opNo, opYes, a, b) },
	or:  func(a, b *formula) *formula { return join(opOr, opYes, opNo, a, b) },
	not: func(a *formula) *formula {
		switch a.op {
		case opYes:
			return formulaNo
		case opNo:
			return formulaYes
		case opNot:
			return a.parts[0]
		case opAnd, opOr, opLeaf:
		}
		return &formula{op: opNot, parts: []*formula{a}}
	},
}

// join makes a op b …, where zero decides it alone and unit changes nothing.
func join(op, zero, unit formulaOp, list ...*formula) *formula {
	out := &formula{op: op}
	for _, p := range list {
		switch {
		case p.op == zero:
			return p
		case p.op == unit || len(out.parts) > 0 && out.parts[len(out.parts)-1] == p:
		case p.op == op:
			out.parts = append(out.parts, p.parts...)
		default:
			out.parts = append(out.parts, p)
		}
	}
	switch len(out.parts) {
	case 0:
		return &formula{op: unit}
	case 1:
		return out.parts[0]
	}
	return out
}

// anyOf is whether one of the statements applies, by one way of reaching the
// caller or by any with way -1.
func (f *frame) anyOf(list []*statementOf, way int) *formula {
	parts := make([]*formula, 0, len(list))
	for _, st := range list {
		parts = append(parts, f.statementFormula(st, way))
	}
	return join(opOr, opYes, opNo, parts...)
}

func (f *formula) eval(leaf func(*leaf) tri) tri {
	switch f.op {
	case opYes:
		return yes
	case opLeaf:
		return leaf(f.leaf)
	case opNot:
		return yes - f.parts[0].eval(leaf)
	case opAnd:
		result := yes
		for _, p := range f.parts {
			if result = min(result, p.eval(leaf)); result == no {
				break
			}
		}
		return result
	case opOr:
		result := no
		for _, p := range f.parts {
			if result = max(result, p.eval(leaf)); result == yes {
				break
			}
		}
		return result
	case opNo:
	}
	return no
}

// leaves lists the different leaves, in the order of the expression.
func (f *formula) leaves() []*leaf {
	var out []*leaf
	seen := map[*leaf]bool{}
	var walk func(*formula)
	walk = func(f *formula) {
		if f.op == opLeaf && !seen[f.leaf] {
			seen[f.leaf] = true
			out = append(out, f.leaf)
		}
		for _, p := range f.parts {
			walk(p)
		}
	}
	walk(f)
	return out
}

// Needs lists what the answer depends on, in the order of the expression.
func (r *Residue) Needs() []Need {
	if r == nil {
		return nil
	}
	var out []Need
	for _, l := range r.root.leaves() {
		out = append(out, l.Need)
	}
	return out
}

// Holds evaluates the expression: met says which needs are met.
func (r *Residue) Holds(met func(Need) bool) bool {
	return r.root.eval(func(l *leaf) tri { return tell(met(l.Need)) }) == yes
}

// String says in words when the request is allowed.
func (r *Residue) String() string {
	if r == nil {
		return ""
	}
	return "allowed if " + r.root.words(false)
}

func (f *formula) words(inner bool) string {
	switch f.op {
	case opYes:
		return "in any case"
	case opNo:
		return "never"
	case opLeaf:
		return f.leaf.words(false)
	case opNot:
		if p := f.parts[0]; p.op == opLeaf {
			return p.leaf.words(true)
		}
		return "not (" + f.parts[0].words(false) + ")"
	case opAnd, opOr:
	}
	word := " and "
	if f.op == opOr {
		word = " or "
	}
	var texts []string
	seen := map[string]bool{}
	for _, p := range f.parts {
		if w := p.words(true); !seen[w] {
			seen[w] = true
			texts = append(texts, w)
		}
	}
	out := strings.Join(texts, word)
	if inner && len(texts) > 1 {
		return "(" + out + ")"
	}
	return out
}

func (l *leaf) words(not bool) string {
	if l.Operator == "" {
		if not {
			return "it is not so that " + l.Reason
		}
		return l.Reason
	}
	name := l.Operator
	set := ""
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, set = rest, "a value of "
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, set = rest, "every value of "
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	op, known := operators[name]
	list := strings.Join(l.Values, " or ")
	var verb string
	switch {
	case !known:
		verb = fmt.Sprintf("satisfies %s %s", l.Operator, list)
	case op.family == ofPresence:
		absent := len(l.Values) == 1 && strings.EqualFold(l.Values[0], "true")
		return l.Key + " is " + map[bool]string{true: "absent", false: "present"}[absent != not]
	case op.family == ofStrings && op.fold:
		verb = "is, in any case of letters, " + list
	case op.wild:
		verb = "is like " + list
	case op.family == ofAddresses:
		verb = "is in " + list
	case op.compare == nil, strings.HasSuffix(name, "NotEquals"), name == "NumericEquals", name == "DateEquals":
		verb = "is " + list
	default:
		verb = map[string]string{"LessThan": "is below ", "LessThanEquals": "is at most ", "GreaterThan": "is above ", "GreaterThanEquals": "is at least "}[strings.TrimPrefix(strings.TrimPrefix(name, "Numeric"), "Date")] + list
	}
	text := set + l.Key + " " + verb
	if known && op.negated {
		text = set + l.Key + " " + strings.Replace(verb, "is", "is not", 1)
	}
	if ifExists {
		text += " or it is absent"
	}
	if not {
		if set == "" && !ifExists && known && op.negated {
			return set + l.Key + " " + verb
		}
		if set == "" && !ifExists && known {
			return set + l.Key + " " + strings.Replace(verb, "is", "is not", 1)
		}
		return "not (" + text + ")"
	}
	if ifExists {
		text = "(" + text + ")"
	}
	return text
}

// formula is the decision with what is not known left standing.
func (f *frame) formula() *formula {
	if f.Subject.kind == strange {
		return coin(Ref{}, fmt.Sprintf("the caller %q may do so (it is neither user, role, root nor federated user)", f.Subject.ARN), "caller")
	}
	grants := f.object.allow[atResource]
	p := parts[*formula]{
		identity: f.anyOf(f.subject.allow[atIdentity], -1),
		direct:   f.anyOf(grants, direct), asRole: f.anyOf(grants, asRole), account: f.anyOf(grants, account),
		boundary: f.levelsFormula(atBoundary), session: f.levelsFormula(atSession),
		scp: f.levelsFormula(atSCP), rcp: f.levelsFormula(atRCP), endpoint: f.levelsFormula(atEndpoint),
	}
	switch f.sameAccount() {
	case yes:
		p.same = formulaYes
	case no:
		p.same = formulaNo
	case maybe:
		p.same = coin(Ref{}, "the resource is in the caller's account", sameAccountCoin)
	}
	if f.Subject.kind == federatedUser && !f.limits(atSession) {
		p.session = formulaNo
	}
	if f.Subject.kind == root {
		p.identity = formulaYes
	}
	var denials []*statementOf
	for edge := range atEnd {
		if _, x := f.at(edge); f.counts(edge) {
			denials = append(denials, x.deny[edge]...)
		}
	}
	p.deny = f.anyOf(denials, -1)
	return decide(symbolic, p, f.principal(), f.soleAuthority())
}

func (f *frame) levelsFormula(edge int) *formula {
	if !f.limits(edge) {
		return formulaYes
	}
	out := formulaYes
	_, x := f.at(edge)
	for _, level := range x.level[edge] {
		out = symbolic.and(out, f.anyOf(level, -1))
	}
	return out
}

// statementFormula is whether a statement applies, by one way of reaching the
// caller, or by any with way -1.
func (f *frame) statementFormula(st *statementOf, way int) *formula {
	x := st.match(f.Request)
	t := x.any()
	if way >= 0 {
		t = x[way]
	}
	switch t {
	case yes:
		return formulaYes
	case no:
		return formulaNo
	case maybe:
	}
	out := formulaYes
	and := func(g *formula) { out = symbolic.and(out, g) }
	ref := f.ref(st)
	id := fmt.Sprintf("%p", st.Statement)
	reached := st.reach(f.Subject)
	if r := reached.any(); way >= 0 && reached[way] == maybe || way < 0 && r == maybe {
		and(f.principalFormula(st, way))
	}
	if st.resource(f.Request) == maybe {
		and(coin(ref, namesResource, fmt.Sprintf("resource %q %q %t", st.Resources, st.NotResources, st.NotResources != nil && st.allow)))
	}
	if st.doubt != "" {
		reason := fmt.Sprintf("the statement applies (%s)", st.doubt)
		if st.Effect == EffectUnknown {
			reason = fmt.Sprintf("the statement applies as %s (%s)", map[bool]Effect{true: EffectAllow, false: EffectDeny}[st.allow], st.doubt)
		}
		and(coin(ref, reason, fmt.Sprint(id, "statement", st.allow && st.Effect == EffectUnknown)))
	}
	for i := range st.conditions {
		c := &st.conditions[i]
		if c.eval(f.Request) != maybe {
			continue
		}
		l := &leaf{Need: Need{Statement: ref, Operator: c.Operator, Key: c.Key, Values: c.Values, Reason: c.problem}}
		if state := f.lookup(c.key).state; c.problem != "" || state == isKnown || state == isAbsent || c.waits(f.Request) {
			l.coin = fmt.Sprintf("%s %t", c.Condition, c.negated && st.allow)
			if l.Reason == "" && state == isKnown {
				l.Reason = "AWS does not document what this operator does with the key's value"
			}
		} else {
			l.cond = c
		}
		and(&formula{op: opLeaf, leaf: l})
	}
	return out
}

const sameAccountCoin = "same account"

func coin(ref Ref, reason, id string) *formula {
	return &formula{op: opLeaf, leaf: &leaf{Need: Need{Statement: ref, Reason: reason}, coin: id}}
}

// principalFormula is whether the caller is one that the statement names, where
// that is open. Statements that name the same principal share the doubt.
func (f *frame) principalFormula(st *statementOf, way int) *formula {
	if st.NotPrincipals != nil {
		return coin(f.ref(st), "the caller is not spared by NotPrincipal", fmt.Sprintf("%p NotPrincipal", st.Statement))
	}
	out := formulaNo
	for i := range st.principals {
		p := &st.principals[i]
		if t, w := p.match(f.Subject); t == maybe && (way < 0 || w == way) {
			reason := "the caller is " + p.Kind + " " + p.ID
			if p.doubt != "" {
				reason = p.doubt
			}
			out = symbolic.or(out, coin(f.ref(st), reason, "principal "+p.Kind+" "+p.ID))
		}
	}
	return out
}

// waits says that a value of the policy has a variable that is not known.
func (c *condition) waits(r *Request) bool {
	for _, p := range c.patterns {
		for _, v := range p.vars {
			switch value := r.lookup(v.key); {
			case value.state == isUnknown, value.state == isPresent, len(value.values) > 1:
				return true
			}
		}
	}
	return false
}
