package iam

import "strings"

// How a resource policy reaches a caller decides what else limits the grant
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html).
const (
	direct  = iota // names the user or the session, or everyone: nothing else limits it
	asRole         // names the role: boundary and session policies limit it
	account        // names the account, which delegates: identity policies decide
	reaches
)

// reach says how the caller is covered, for each way.
type reach [reaches]tri

func (x reach) any() tri { return max(x[direct], x[asRole], x[account]) }

// match says whether the statement applies, for each way in which it reaches
// the caller. A statement without principals reaches directly.
func (st *statementOf) match(r *Request) reach {
	x := st.reach(r.Subject)
	if x.any() == no {
		return x
	}
	rest := st.resource(r)
	for i := 0; i < len(st.conditions) && rest != no; i++ {
		rest = min(rest, st.conditions[i].eval(r))
	}
	if st.doubt != "" {
		rest = min(rest, maybe)
	}
	for i := range x {
		x[i] = min(x[i], rest)
	}
	return x
}

// applies is match where the way does not matter.
func (st *statementOf) applies(r *Request) tri { return st.match(r).any() }

func (st *statementOf) resource(r *Request) tri {
	if st.anything || st.Resources == nil && st.NotResources == nil {
		return yes
	}
	result := no
	for i := range st.resources {
		p := &st.resources[i]
		if p.all {
			result = yes
			break
		}
		if r.Object.ARN == "" {
			result = max(result, maybe)
			continue
		}
		runes, missing, doubt, frail := p.expand(p.runes, r)
		hit := globResource(runes, r.Object.ARN)
		switch {
		case (missing != "" || frail) && st.NotResources != nil:
			result = max(result, maybe)
		case missing != "" || !hit:
		case doubt != "":
			result = max(result, maybe)
		default:
			result = yes
		}
	}
	if st.NotResources != nil {
		return yes - result
	}
	return result
}

func (st *statementOf) reach(s *Subject) reach {
	if len(st.principals) == 0 {
		return reach{direct: yes}
	}
	var x reach
	for i := range st.principals {
		p := &st.principals[i]
		t, way := p.match(s)
		x[way] = max(x[way], t)
		if p.everyone {
			x = reach{yes, yes, yes}
		}
	}
	switch {
	case st.NotPrincipals == nil && x == reach{yes, yes, yes}:
		return reach{direct: yes}
	case st.NotPrincipals == nil:
		return x
	case st.allow:
		return reach{direct: outside(x)}
	}
	return reach{direct: yes - exempt(s.kind, x)}
}

// exempt says whether NotPrincipal in a Deny spares a caller. For one in an
// account, AWS may look at the account, then the role, then the session, and
// deny unless each is named
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html);
// which services do is not documented, so a part of the chain is not enough to
// know.
func exempt(kind callerKind, x reach) tri {
	switch kind {
	case service, provider, anonymous, root, strange:
		return x.any()
	case user, federatedUser, role:
	}
	whole := min(x[direct], x[account])
	if kind == role {
		whole = min(whole, x[asRole])
	}
	if whole != yes && max(x[direct], x[asRole]) != no {
		return maybe
	}
	return whole
}

// outside says whether NotPrincipal in an Allow grants to a caller: one that is
// named is left out; whether naming the account leaves its principals out is
// not documented.
func outside(x reach) tri {
	named := max(x[direct], x[asRole])
	if named == yes {
		return no
	}
	if named == maybe || x[account] != no {
		return maybe
	}
	return yes
}

// match says whether an entry of a Principal element covers the caller, and how
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
func (p *principalPattern) match(s *Subject) (tri, int) {
	switch {
	case p.everyone:
		return yes, direct
	case p.doubt != "":
		return maybe, direct
	case p.Kind == "Service":
		return tell(s.kind == service && s.Service == p.ID), direct
	case p.Kind == "Federated":
		return tell(s.kind == provider && s.Federated == p.ID), direct
	case s.kind == service || s.kind == provider || s.kind == anonymous:
		return no, direct
	case p.Kind == "CanonicalUser":
		if s.CanonicalID == "" {
			return maybe, account
		}
		return tell(s.CanonicalID == p.ID), account
	case s.kind == strange:
		return max(maybe, tell(p.ID == s.ARN)), direct
	case p.account != "":
		if p.account != s.arn.Account || p.partition != "" && p.partition != s.arn.Partition {
			return no, account
		}
		if s.kind == root {
			return yes, direct
		}
		return yes, account
	case p.partition == "":
		return p.matchID(s)
	}
	return p.matchARN(s)
}

// matchID compares unique ids. A policy shows one when the principal it named
// is deleted; a new principal of that name has another id.
func (p *principalPattern) matchID(s *Subject) (tri, int) {
	way, prefix := direct, "AIDA"
	if s.kind == role {
		way, prefix = asRole, "AROA"
	}
	switch {
	case s.kind != user && s.kind != role || !strings.HasPrefix(p.ID, prefix):
		return no, way
	case s.UniqueID == "":
		return maybe, way
	}
	return tell(s.UniqueID == p.ID), way
}

func (p *principalPattern) matchARN(s *Subject) (tri, int) {
	switch s.kind {
	case role:
		if p.ID == s.ARN {
			return yes, asRole
		}
		if s.Session != "" {
			return tell(p.ID == s.Session), direct
		}
		name := s.arn.Resource[strings.LastIndexByte(s.arn.Resource, '/')+1:]
		prefix := "arn:" + s.arn.Partition + ":sts::" + s.arn.Account + ":assumed-role/" + name + "/"
		if strings.HasPrefix(p.ID, prefix) {
			return maybe, direct
		}
	case federatedUser:
		if p.ID == s.ARN {
			return yes, direct
		}
		// The name of the session does not tell which user of the account began it.
		if strings.HasPrefix(p.ID, "arn:"+s.arn.Partition+":iam::"+s.arn.Account+":user/") {
			return maybe, asRole
		}
	case user, root:
		return tell(p.ID == s.ARN), direct
	case service, provider, anonymous, strange:
	}
	return no, direct
}

// A frame is one request with the statements of its sets that may match.
type frame struct {
	*Request
	subject, object, endpoint *actionIndex
	sets                      [3]*Set
}

var nothing = &actionIndex{}

func (r *Request) frame() frame {
	f := frame{Request: r, subject: nothing, object: nothing, endpoint: nothing, sets: [3]*Set{r.Subject.policies, r.Object.policies, r.Endpoint}}
	if f.sets[0] != nil {
		f.subject = f.sets[0].index(r.Action)
	}
	if f.sets[1] != nil {
		f.object = f.sets[1].index(r.Action)
	}
	if f.sets[2] != nil {
		f.endpoint = f.sets[2].index(r.Action)
	}
	return f
}

// at is where policies of an edge are looked for.
func (f *frame) at(edge int) (*Set, *actionIndex) {
	switch edge {
	case atResource, atRCP:
		return f.sets[1], f.object
	case atEndpoint:
		return f.sets[2], f.endpoint
	}
	return f.sets[0], f.subject
}

// counts says whether policies of an edge bear on the request at all.
func (f *frame) counts(edge int) bool {
	s := f.Subject
	switch edge {
	case atSCP:
		return s.arn.Account != "" && !s.Management && !s.linked
	case atRCP:
		name, _, _ := strings.Cut(f.Action, ":")
		return rcpServices[strings.ToLower(name)] && !f.Object.Management && !s.linked
	case atBoundary, atSession:
		return s.kind != root
	}
	return true
}

// limits says whether an edge has policies that must allow.
func (f *frame) limits(edge int) bool {
	set, _ := f.at(edge)
	return set != nil && set.present[edge] && f.counts(edge)
}

// sameAccount says whether caller and resource are in one account. A call that
// has no resource is about the caller's own account.
func (f *frame) sameAccount() tri {
	switch {
	case f.Object.ARN == "*":
		return yes
	case !f.principal():
		return no
	case f.Object.owner == "" || f.Subject.arn.Account == "":
		return maybe
	}
	return tell(f.Object.owner == f.Subject.arn.Account)
}

// soleAuthority says whether identity policies count only as far as the policy
// of the resource lets them: for KMS keys
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html)
// and for the trust policies of roles.
func (f *frame) soleAuthority() bool {
	switch a := &f.Object.arn; a.Service {
	case "kms":
		return strings.HasPrefix(a.Resource, "key/")
	case "iam":
		return strings.HasPrefix(a.Resource, "role/") && len(f.Action) > 4 && strings.EqualFold(f.Action[:4], "sts:")
	}
	return false
}

// best is whether any of the statements applies.
func (f *frame) best(list []*statementOf) tri {
	result := no
	for _, st := range list {
		if result = max(result, st.applies(f.Request)); result == yes {
			break
		}
	}
	return result
}

// everyLevel is whether each level of an edge has a statement that applies;
// true where the edge limits nothing.
func (f *frame) everyLevel(edge int) tri {
	if !f.limits(edge) {
		return yes
	}
	result := yes
	_, x := f.at(edge)
	for _, level := range x.level[edge] {
		if result = min(result, f.best(level)); result == no {
			break
		}
	}
	return result
}

// granted is what the resource policy allows, by how it reaches the caller.
func (f *frame) granted() reach {
	var x reach
	for _, st := range f.object.allow[atResource] {
		y := st.match(f.Request)
		for i := range x {
			x[i] = max(x[i], y[i])
		}
	}
	return x
}

func (f *frame) denied() tri {
	result := no
	for edge := range atEnd {
		if _, x := f.at(edge); len(x.deny[edge]) > 0 && f.counts(edge) {
			if result = max(result, f.best(x.deny[edge])); result == yes {
				break
			}
		}
	}
	return result
}

// identity is what identity policies allow. The root user needs none.
func (f *frame) identity() tri {
	if f.Subject.kind == root {
		return yes
	}
	return f.best(f.subject.allow[atIdentity])
}

// session is what session policies allow. A federated user has what its session
// policy says and nothing without one.
func (f *frame) session() tri {
	if f.Subject.kind == federatedUser && !f.limits(atSession) {
		return no
	}
	return f.everyLevel(atSession)
}

// parts are the answers that the decision is made from.
type parts[T any] struct {
	deny, scp, rcp, endpoint    T
	identity, boundary, session T
	direct, asRole, account     T
	same                        T // caller and resource are in one account
}

// logic is how answers are joined.
type logic[T any] struct {
	and, or func(a, b T) T
	not     func(a T) T
}

// decide is the whole of the evaluation: what AWS's pages say in words and flow
// charts, in one expression. It is monotone in everything but the denials.
func decide[T any](l logic[T], p parts[T], principal, sole bool) T {
	access := p.direct
	if principal {
		limits := l.and(p.boundary, p.session)
		own := l.and(p.identity, limits)
		within := own
		if sole {
			within = l.and(own, p.account)
		}
		within = l.or(within, l.or(p.direct, l.and(p.asRole, limits)))
		across := l.and(own, l.or(p.direct, l.or(p.asRole, p.account)))
		access = l.or(l.and(p.same, within), l.and(l.not(p.same), across))
	}
	return l.and(l.not(p.deny), l.and(l.and(p.scp, p.rcp), l.and(p.endpoint, access)))
}

var threeValued = logic[tri]{
	and: func(a, b tri) tri { return min(a, b) },
	or:  func(a, b tri) tri { return max(a, b) },
	not: func(a tri) tri { return yes - a },
}

// principal says whether the caller is one that identity policies belong to.
func (f *frame) principal() bool {
	return f.Subject.kind != service && f.Subject.kind != provider && f.Subject.kind != anonymous
}

// quick is the answer as far as it needs no look at how unknown keys hang
// together: Unknown may still turn out to be the same in every case.
func (f *frame) quick() tri {
	if f.Subject.kind == strange {
		return maybe
	}
	p := parts[tri]{same: f.sameAccount()}
	g := f.granted()
	p.direct, p.asRole, p.account = g[direct], g[asRole], g[account]
	if (p.same == no || !f.principal()) && g.any() == no {
		return no // most pairs of an organisation end here
	}
	if f.principal() {
		p.identity, p.boundary, p.session = f.identity(), f.everyLevel(atBoundary), f.session()
	}
	p.scp, p.rcp, p.endpoint = f.everyLevel(atSCP), f.everyLevel(atRCP), f.everyLevel(atEndpoint)
	if t := decide(threeValued, p, f.principal(), f.soleAuthority()); t == no {
		return no
	}
	p.deny = f.denied()
	return decide(threeValued, p, f.principal(), f.soleAuthority())
}
