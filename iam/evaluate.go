package iam

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Request is what is asked of a policy.
type Request struct {
	// Action is "service:Name"; Resource an ARN.
	Action, Resource string
	// Principal is the caller's ARN, or an account id, or "" for an identity
	// policy, whose principal is whoever it is attached to.
	Principal string
	// Keys are the condition keys that are known, lower case, each with its one
	// value. A key that is known to be absent maps to nil.
	Keys map[string]*string
}

// A Decision is what a policy says about a request.
type Decision struct {
	Effect Effect
	// By are the statements that decided: the denying ones, else the allowing
	// ones, else those that would decide if the residue were known.
	By []Statement
	// Residue are the conditions that could not be evaluated.
	Residue []Condition
}

// An Effect is the answer of a policy.
type Effect string

// The effects. NotAllowed means that no statement speaks for the request.
const (
	Allowed    Effect = "ALLOWED"
	Denied     Effect = "DENIED"
	NotAllowed Effect = "NOT_ALLOWED"
	Unknown    Effect = "UNKNOWN"
)

type tri uint8

const (
	no tri = iota
	maybe
	yes
)

// Evaluate says what the policy alone says about r. An explicit Deny wins; a
// Deny that may match makes everything but a certain Deny Unknown.
func (p *Policy) Evaluate(r Request) Decision {
	var allow, deny, mayAllow, mayDeny []Statement
	var residueAllow, residueDeny []Condition
	for _, s := range p.Statements {
		t, residue := s.matches(r)
		switch {
		case t == yes && !s.Allow:
			deny = append(deny, s)
		case t == yes:
			allow = append(allow, s)
		case t == maybe && !s.Allow:
			mayDeny = append(mayDeny, s)
			residueDeny = append(residueDeny, residue...)
		case t == maybe:
			mayAllow = append(mayAllow, s)
			residueAllow = append(residueAllow, residue...)
		}
	}
	switch {
	case deny != nil:
		return Decision{Effect: Denied, By: deny}
	case mayDeny != nil && (allow != nil || mayAllow != nil):
		return Decision{Effect: Unknown, By: mayDeny, Residue: residueDeny}
	case allow != nil:
		return Decision{Effect: Allowed, By: allow}
	case mayAllow != nil:
		return Decision{Effect: Unknown, By: mayAllow, Residue: residueAllow}
	}
	return Decision{Effect: NotAllowed}
}

func (s Statement) matches(r Request) (tri, []Condition) {
	action := func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(r.Action)) }
	resource := func(p string) bool { return glob(p, r.Resource) }
	principal := func(p Principal) bool { return p.matches(r.Principal) }
	if s.Actions != nil && !slices.ContainsFunc(s.Actions, action) ||
		s.NotActions != nil && slices.ContainsFunc(s.NotActions, action) ||
		s.Resources != nil && !slices.ContainsFunc(s.Resources, resource) ||
		s.NotResources != nil && slices.ContainsFunc(s.NotResources, resource) ||
		s.Principals != nil && !slices.ContainsFunc(s.Principals, principal) ||
		s.NotPrincipals != nil && slices.ContainsFunc(s.NotPrincipals, principal) {
		return no, nil
	}
	result := yes
	var residue []Condition
	for _, c := range s.Conditions {
		switch c.eval(r.Keys) {
		case no:
			return no, nil
		case maybe:
			result, residue = maybe, append(residue, c)
		case yes:
		}
	}
	return result, residue
}

// matches says whether the entry covers the caller: everyone, the caller
// itself, or the caller's whole account by id or root ARN.
func (p Principal) matches(caller string) bool {
	if p.ID == "*" && (p.Kind == "*" || p.Kind == "AWS") {
		return true
	}
	if p.Kind != "AWS" || caller == "" {
		return false
	}
	account := caller
	if a, err := lamina.ParseARN(caller); err == nil {
		account = a.Account
	}
	if a, err := lamina.ParseARN(p.ID); err == nil && a.Service == "iam" && a.Resource == "root" {
		return a.Account == account
	}
	return p.ID == caller || p.ID == account
}

// eval follows
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html:
// negated operators and IfExists are true when the key is absent.
func (c Condition) eval(keys map[string]*string) tri {
	op, ifExists := strings.CutSuffix(c.Operator, "IfExists")
	value, known := keys[strings.ToLower(c.Key)]
	if !known || strings.ContainsRune(op, ':') {
		return maybe // ForAnyValue: and ForAllValues: need the many values
	}
	if op == "Null" {
		return tell(len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true") == (value == nil))
	}
	negated := strings.Contains(op, "Not")
	var one func(pattern, value string) bool
	switch op {
	case "StringEquals", "StringNotEquals":
		one = func(p, v string) bool { return p == v }
	case "StringLike", "StringNotLike":
		one = glob
	case "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals":
		one = globARN
	case "Bool":
		one = strings.EqualFold
	default:
		return maybe
	}
	if value == nil {
		return tell(negated || ifExists)
	}
	if slices.ContainsFunc(c.Values, func(p string) bool { return strings.Contains(p, "${") }) {
		return maybe // policy variables are not resolved
	}
	return tell(slices.ContainsFunc(c.Values, func(p string) bool { return one(p, *value) }) != negated)
}

func tell(b bool) tri {
	if b {
		return yes
	}
	return no
}

// globARN matches each of the six parts of an ARN on its own, as ArnLike does.
func globARN(pattern, value string) bool {
	ps, vs := strings.SplitN(pattern, ":", 6), strings.SplitN(value, ":", 6)
	if len(ps) != 6 || len(vs) != 6 {
		return false
	}
	for i := range ps {
		if !glob(ps[i], vs[i]) {
			return false
		}
	}
	return true
}

// glob matches * and ? in linear time and space: on a mismatch it goes back to
// the last * only, which is enough for this language.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
