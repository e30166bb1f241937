package iam

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
)

// An Edge is where a policy stands, which is what it can do.
type Edge string

// The edges, in the order in which AWS describes them.
const (
	SCP            Edge = "service control policy"
	RCP            Edge = "resource control policy"
	ResourcePolicy Edge = "resource policy"
	Identity       Edge = "identity policy"
	Boundary       Edge = "permissions boundary"
	Session        Edge = "session policy"
	Endpoint       Edge = "VPC endpoint policy"
)

// edges lists them; an edge's position is how compiled policies name it.
var edges = []Edge{SCP, RCP, ResourcePolicy, Identity, Boundary, Session, Endpoint}

const (
	atSCP = iota
	atRCP
	atResource
	atIdentity
	atBoundary
	atSession
	atEndpoint
	atEnd
)

// A Document is a policy where it stands.
type Document struct {
	Policy *Policy
	Edge   Edge
	// Name is what people find it by: an ARN, or the name of an inline policy
	// with that of its role, user or group.
	Name string
	// Own says that it is an inline policy of the caller: what refers to it adds
	// the caller's name, so that callers with the same policies can share a Set.
	Own bool
	// Level is the node of the organisation that an SCP or RCP is attached to:
	// the root, an organisational unit, an account. Policies of one level are
	// alternatives; every level must allow
	// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html).
	Level string
}

// A Set is policies compiled once, for any number of requests, from any number
// of goroutines.
type Set struct {
	documents  []Document
	statements []statementOf
	// present says which edges have a document at all: an identity without a
	// boundary is not limited by one.
	present [atEnd]bool
	levels  [atEnd][]string
	hash    string
	keys    []string        // lower case, that conditions and variables ask for, sorted
	named   []string        // principals that are named one by one, sorted
	several map[string]bool // keys that a set operator says can have several values

	mu      sync.RWMutex
	actions map[string]*actionIndex
}

// actionIndex is the statements that may match one action.
type actionIndex struct {
	allow [atEnd][]*statementOf // all levels together
	deny  [atEnd][]*statementOf
	level [atEnd][][]*statementOf // allow, by level
}

// statementOf is a compiled statement. One whose effect is not known stands in
// a Set twice, once with each.
type statementOf struct {
	*Statement
	document   *Document
	allow      bool
	level      int
	edge       int
	actions    []pattern
	resources  []resourcePattern
	anything   bool // the resources could not be read whole, so they rule nothing out
	principals []principalPattern
	conditions []condition
	// doubt is why the statement may not be what it seems; "" for none.
	doubt string
	// digest is of all but the resources.
	digest string
}

type resourcePattern struct {
	pattern
	all bool
}

// principalPattern is one entry of a Principal element.
type principalPattern struct {
	Principal
	everyone  bool
	account   string // of an account id or a root ARN
	partition string // of an ARN
	doubt     string
}

// Compile joins documents. Levels of SCPs and RCPs are told apart by their
// names, whatever the order.
func Compile(documents ...Document) *Set {
	s := &Set{documents: slices.Clone(documents), actions: map[string]*actionIndex{}}
	for i := range s.documents {
		d := &s.documents[i]
		edge := slices.Index(edges, d.Edge)
		if edge < 0 {
			// An edge that nobody evaluates would be a policy that is skipped.
			panic(fmt.Sprintf("iam: policy %q has no edge: %q", d.Name, d.Edge))
		}
		if d.Policy == nil {
			d.Policy = Unreadable("no policy was given")
		}
		s.present[edge] = true
		if !slices.Contains(s.levels[edge], d.Level) {
			s.levels[edge] = append(s.levels[edge], d.Level)
		}
		for j := range d.Policy.Statements {
			s.add(compileStatement(d, edge, &d.Policy.Statements[j]))
		}
		if len(d.Policy.Problems) > 0 && len(d.Policy.Statements) == 0 {
			s.add(compileStatement(d, edge, &Unreadable(d.Policy.Problems[0].String()).Statements[0]))
		}
	}
	for i := range s.statements {
		st := &s.statements[i]
		st.level = slices.Index(s.levels[st.edge], st.document.Level)
	}
	s.describe()
	return s
}

// add takes a statement in, twice when it may have either effect.
func (s *Set) add(st statementOf) {
	if st.Effect == EffectUnknown {
		st.allow = false
		s.statements = append(s.statements, st)
	}
	st.allow = st.Effect != EffectDeny
	s.statements = append(s.statements, st)
}

func compileStatement(d *Document, edge int, in *Statement) statementOf {
	st := statementOf{Statement: in, document: d, edge: edge}
	vars := d.Policy.Version == version2012
	if ps := slices.Concat(in.Problems, d.Policy.Problems); len(ps) > 0 {
		st.doubt = ps[0].String()
	}
	suspect := func(format string, args ...any) {
		if st.doubt == "" {
			st.doubt = fmt.Sprintf(format, args...)
		}
	}
	for _, a := range slices.Concat(in.Actions, in.NotActions) {
		p, err := compilePattern(strings.ToLower(a), true, false)
		if err != nil {
			suspect("action %q: %v", a, err)
		}
		st.actions = append(st.actions, p)
	}
	for _, x := range slices.Concat(in.Resources, in.NotResources) {
		p, err := compilePattern(x, true, vars)
		if err != nil {
			suspect("resource %q: %v", x, err)
			st.anything = true
			continue
		}
		colons := 0
		for _, c := range p.runes {
			if c == ':' {
				colons++
			}
			if c <= variable0 && colons < 5 {
				suspect("resource %q: a policy variable can stand after the fifth colon only", x)
				st.anything = true
			}
		}
		st.resources = append(st.resources, resourcePattern{p, x == "*"})
	}
	for _, x := range slices.Concat(in.Principals, in.NotPrincipals) {
		st.principals = append(st.principals, compilePrincipal(x))
	}
	for i := range in.Conditions {
		st.conditions = append(st.conditions, compileCondition(&in.Conditions[i], vars))
	}
	has := in.Principals != nil || in.NotPrincipals != nil
	switch wants := edge == atResource || edge == atRCP || edge == atEndpoint; {
	case wants && !has:
		suspect("no Principal in a %s", d.Edge)
	case !wants && has:
		suspect("a Principal in a %s", d.Edge)
	}
	if edge != atResource && in.Resources == nil && in.NotResources == nil {
		suspect("no Resource in a %s", d.Edge)
	}
	return st
}

func compilePrincipal(p Principal) principalPattern {
	out := principalPattern{Principal: p}
	switch {
	case p.ID == "*" && (p.Kind == "*" || p.Kind == "AWS"):
		out.everyone = true
	case strings.ContainsAny(p.ID, "*?"):
		out.doubt = fmt.Sprintf("principal %q: a wildcard cannot be a part of a principal", p.ID)
	case p.Kind == "AWS" && isAccount(p.ID):
		out.account = p.ID
	case p.Kind == "AWS":
		a, err := lamina.ParseARN(p.ID)
		switch {
		case err == nil && a.Service == "iam" && a.Resource == "root":
			out.account, out.partition = a.Account, a.Partition
		case err == nil:
			out.partition = a.Partition
		case !isUniqueID(p.ID):
			out.doubt = fmt.Sprintf("principal %q is no account, ARN or unique id", p.ID)
		}
	}
	return out
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isUniqueID tells the ids that stand in place of principals that were deleted
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
func isUniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) && !strings.ContainsAny(s, ":/")
}

// describe fills in what the set is told from others by.
func (s *Set) describe() {
	h := sha256.New()
	write := func(parts ...string) {
		for _, p := range parts {
			var n [8]byte
			binary.BigEndian.PutUint64(n[:], uint64(len(p)))
			h.Write(n[:])
			h.Write([]byte(p))
		}
	}
	keys, named := map[string]bool{}, map[string]bool{}
	s.several = map[string]bool{}
	var digests []string
	for i := range s.statements {
		st := &s.statements[i]
		h.Reset()
		write(string(edges[st.edge]), st.document.Level, fmt.Sprint(st.allow, st.doubt != ""), st.document.Policy.Version)
		for _, list := range [][]string{st.Actions, st.NotActions} {
			write(fmt.Sprint(list != nil, len(list)))
			write(slices.Sorted(slices.Values(list))...)
		}
		for _, list := range [][]Principal{st.Principals, st.NotPrincipals} {
			write(fmt.Sprint(list != nil, len(list)))
			for _, p := range list {
				write(p.Kind, p.ID)
			}
		}
		for _, c := range st.Conditions {
			write(c.Operator, c.Key, strconv.Itoa(len(c.Values)))
			write(c.Values...)
		}
		st.digest = hex.EncodeToString(h.Sum(nil))
		for _, list := range [][]string{st.Resources, st.NotResources} {
			write(fmt.Sprint(list != nil, len(list)))
			write(slices.Sorted(slices.Values(list))...)
		}
		digests = append(digests, hex.EncodeToString(h.Sum(nil)))
		for _, p := range st.principals {
			if !p.everyone {
				named[p.ID] = true
			}
		}
		for j := range st.conditions {
			keys[st.conditions[j].key] = true
			s.several[st.conditions[j].key] = s.several[st.conditions[j].key] || st.conditions[j].quality != plain
			for _, p := range st.conditions[j].patterns {
				for _, v := range p.vars {
					keys[v.key] = true
				}
			}
		}
		for _, p := range st.resources {
			for _, v := range p.vars {
				keys[v.key] = true
			}
		}
	}
	slices.Sort(digests)
	h.Reset()
	for i, e := range edges {
		if s.present[i] {
			write(string(e))
			write(slices.Sorted(slices.Values(s.levels[i]))...)
		}
	}
	write(digests...)
	s.hash = hex.EncodeToString(h.Sum(nil))
	s.keys, s.named = slices.Sorted(maps.Keys(keys)), slices.Sorted(maps.Keys(named))
}

// Hash is the same for sets that say the same: names of policies, statement ids
// and the order of statements do not count.
func (s *Set) Hash() string { return s.hash }

// index finds the statements that may match an action, made once for each.
func (s *Set) index(action string) *actionIndex {
	s.mu.RLock()
	x := s.actions[action]
	s.mu.RUnlock()
	if x != nil {
		return x
	}
	x = &actionIndex{}
	for i := range s.levels {
		x.level[i] = make([][]*statementOf, len(s.levels[i]))
	}
	name := strings.ToLower(action)
	for i := range s.statements {
		st := &s.statements[i]
		hit := slices.ContainsFunc(st.actions, func(p pattern) bool { return glob(p.runes, name) })
		if st.Actions != nil && !hit || st.NotActions != nil && hit {
			continue
		}
		if !st.allow {
			x.deny[st.edge] = append(x.deny[st.edge], st)
			continue
		}
		x.allow[st.edge] = append(x.allow[st.edge], st)
		x.level[st.edge][st.level] = append(x.level[st.edge][st.level], st)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.actions) >= maxActions {
		clear(s.actions)
	}
	s.actions[action] = x
	return x
}

// maxActions bounds what a set remembers of the actions it was asked about.
const maxActions = 1000
