package iam_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lamina-sec/lamina/iam"
)

const (
	accountA = "111122223333"
	accountB = "444455556666"
)

// A puzzle is a random request with random policies: as the package takes it,
// as the oracle does, and the keys that are unknown.
type puzzle struct {
	target
	docs                []oDoc
	own, beside, passed *iam.Set
	// rest is docs without the statements that the action or the resource rules
	// out, so that fewer keys have to be tried.
	rest    []oDoc
	known   oRequest
	request iam.Request
	// open are unknown keys, with what the oracle tries for them. hidden are
	// unknown facts about the caller and the resource.
	open   map[string][][]string
	hidden []func(*oRequest, int) // two sides each
	// blurred says that an unknown key stands as a variable, for which the package
	// promises no exactness, only that it is not wrong.
	blurred bool
}

type gen struct{ *rand.Rand }

func newRand(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

func pick[T any](g gen, list ...T) T { return list[g.IntN(len(list))] }

func (g gen) chance(percent int) bool { return g.IntN(100) < percent }

func (g gen) some(most int, list ...string) any {
	n := 1 + g.IntN(most)
	if n == 1 {
		return pick(g, list...)
	}
	var out []any
	for range n {
		out = append(out, pick(g, list...))
	}
	return out
}

var (
	roleA    = "arn:aws:iam::111122223333:role/dev"
	roleB    = "arn:aws:iam::444455556666:role/dev"
	userA    = "arn:aws:iam::111122223333:user/alice"
	sessionA = "arn:aws:sts::111122223333:assumed-role/dev/s1"
	userID   = "AIDA" + "EXAMPLEEXAMPLE01"
	roleID   = "AROA" + "EXAMPLEEXAMPLE01"
)

type target struct{ action, resource string }

var targets = []target{
	{"lambda:GetLayerVersion", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"},
	{"lambda:GetLayerVersion", "arn:aws:lambda:eu-west-1:444455556666:layer:utils:3"},
	{"lambda:UpdateFunctionConfiguration", "arn:aws:lambda:eu-west-1:111122223333:function:orders"},
	{"lambda:ListLayers", "*"},
	{"s3:GetObject", "arn:aws:s3:::bucket/a*b:c"},
	{"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1234"},
	{"sts:AssumeRole", "arn:aws:iam::111122223333:role/deploy"},
}

// values are what policies compare each key with, and tries what the oracle
// tries for it: enough that every way in which these values can be met or missed
// is among them.
type keyKind struct {
	key       string
	operators []string
	values    []string
	tries     []string
	several   bool // can have several values
}

var words = func() []string {
	out := []string{""}
	for from := 0; len(out[from]) < 2; from++ {
		for _, c := range "abA*x" {
			out = append(out, out[from]+string(c))
		}
	}
	return append(out, "aab", "axb", "abb", "aAb", "a*b", "AAb", "Axb", "xab", "xxb", "xxx", "abx", "axx", "aaaa", "abxb", "zzzzz",
		"alice", "dev", "xalice", "orders", "ALICE", "xALICE", "B", "AB", "aB", "?", "a?b", "A?b", "A?B", "a*B", "A*B", "*B", "x${*}", "X${*}",
		"${aws:username}", "${AWS:username}", "${aws:username, 'a'}", "${AWS:username, 'a'}")
}()

var arns = func() []string {
	out := []string{"z", ""}
	for _, s := range []string{"x", "y"} {
		for _, r := range []string{"r", "q", "q:r", "r:q", "r:r", "r:1", "q:r:1"} {
			for _, n := range []string{"1", "2"} {
				for _, x := range []string{"a", "ab", "b", "a:b", "xb", "abb", "1:ab", "1:b", "1:a"} {
					out = append(out, "arn:aws:"+s+":"+r+":"+n+":"+x)
				}
			}
		}
	}
	return out
}()

var (
	stringOperators = []string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}
	stringValues    = []string{"a", "b", "A", "ab", "a*", "*b", "?", "*", "a?b", "a*b", "x${*}", "${aws:username}", "${aws:username, 'a'}"}
	kinds           = []keyKind{
		{"aws:PrincipalTag/Team", stringOperators, stringValues, words, false},
		{"aws:PrincipalOrgID", stringOperators, stringValues, words, false},
		{"svc:Many", stringOperators, stringValues[:10], words, true},
		{"svc:Arn", []string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike"}, []string{"arn:aws:x:*:1:a*", "arn:aws:x:r:1:ab", "arn:aws:*:r:1:?b", "arn:aws:y:r:*:*"}, arns, false},
		{"aws:MultiFactorAuthPresent", []string{"Bool"}, []string{"true", "false"}, []string{"true", "false"}, false},
		{"svc:Number", []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}, []string{"1", "2", "10", "-1", "1.5"}, []string{"-2", "-1", "0", "1", "1.2", "1.5", "1.7", "2", "5", "10", "11"}, false},
		{"aws:CurrentTime", []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}, []string{"2026-01-01", "2026-01-01T00:00:00Z", "2026-06-01T12:00:00+02:00", "1767225600"}, []string{"1767225599", "2026-01-01", "2026-03-01", "2026-06-01T10:00:00Z", "2026-06-02"}, false},
		{"aws:SourceIp", []string{"IpAddress", "NotIpAddress"}, []string{"10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "2001:db8::/32"}, []string{"10.0.0.1", "10.1.0.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db9::1"}, false},
		{"svc:Blob", []string{"BinaryEquals"}, []string{"YQ==", "YWI="}, []string{"YQ==", "YWI=", "eA=="}, false},
		{"aws:PrincipalArn", []string{"ArnLike", "ArnNotLike", "StringEquals", "StringNotLike"}, []string{roleA, "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/${aws:username}"}, nil, false},
	}
)

func (g gen) conditions() map[string]any {
	block := map[string]any{}
	for range 1 + g.IntN(2) {
		k := pick(g, kinds...)
		op, values := pick(g, k.operators...), g.some(2, k.values...)
		switch n := g.IntN(100); {
		case n < 8:
			op, values = "Null", pick(g, "true", "false")
		case n < 10:
			op = "StringMatches"
		case k.several || n < 18:
			op = pick(g, "ForAnyValue:", "ForAllValues:") + op
		}
		if op != "Null" && g.chance(15) {
			op += "IfExists"
		}
		if keys, ok := block[op].(map[string]any); ok {
			keys[k.key] = values
		} else {
			block[op] = map[string]any{k.key: values}
		}
	}
	return block
}

func (g gen) statement(edge string, t target) map[string]any {
	s := map[string]any{"Effect": pick(g, "Allow", "Allow", "Allow", "Allow", "Allow", "Deny")}
	service, _, _ := strings.Cut(t.action, ":")
	actions := g.some(2, t.action, t.action, t.action, "*", "*", strings.ToUpper(service)+":*", service+":?et*", "ec2:*", service+":*e*")
	s["Action"] = actions
	if g.chance(8) {
		delete(s, "Action")
		s["NotAction"] = g.some(2, "ec2:*", "iam:*", t.action)
	}
	resources := []string{t.resource, t.resource, t.resource, "*", "*", "*", "*", t.resource[:len(t.resource)/2] + "*", "arn:aws:*:*:*:*", "arn:aws:lambda:*:*:layer:utils:?", "arn:aws:s3:::bucket/${aws:username}", "arn:aws:s3:::bucket/a${*}b:c", "arn:aws:lambda:*-1:111122223333:*", "arn:aws:lambda:eu*:3", "arn:aws:lambda:*:function:${aws:PrincipalTag/Team}"}
	if edge != "resource" || g.chance(70) {
		s[pick(g, "Resource", "Resource", "Resource", "Resource", "Resource", "Resource", "Resource", "NotResource")] = g.some(2, resources...)
	}
	if edge == "resource" || edge == "rcp" || edge == "endpoint" {
		ids := []string{"*", accountA, accountB, "arn:aws:iam::111122223333:root", roleA, roleB, userA, sessionA, userID, roleID, "arn:aws:sts::111122223333:federated-user/bob"}
		var p any
		switch g.IntN(8) {
		case 0, 1:
			p = "*"
		case 2:
			p = map[string]any{"Service": "lambda.amazonaws.com"}
		case 3:
			p = map[string]any{"Federated": "accounts.example.com", "AWS": pick(g, ids...)}
		default:
			p = map[string]any{"AWS": g.some(4, ids...)}
		}
		s[pick(g, "Principal", "Principal", "Principal", "Principal", "Principal", "NotPrincipal")] = p
	}
	if g.chance(45) {
		s["Condition"] = g.conditions()
	}
	if g.chance(2) {
		s["Mystery"] = "x"
	}
	if g.chance(1) {
		s["Effect"] = "Perhaps"
	}
	return s
}

func (g gen) document(edge, level string, n int, t target) oDoc {
	doc := map[string]any{"Version": pick(g, "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17")}
	var list []any
	for range 1 + g.IntN(2) {
		list = append(list, g.statement(edge, t))
	}
	if edge != "resource" && edge != "identity" && g.chance(50) {
		all := map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}
		if edge == "rcp" || edge == "endpoint" {
			all["Principal"] = "*"
		}
		list = append(list, all)
	}
	doc["Statement"] = list
	if len(list) == 1 && g.chance(50) {
		doc["Statement"] = list[0]
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return oracleDoc(edge, level, fmt.Sprintf("%s-%s-%d", edge, level, n), string(text))
}

var edgeOf = map[string]iam.Edge{
	"scp": iam.SCP, "rcp": iam.RCP, "resource": iam.ResourcePolicy, "identity": iam.Identity,
	"boundary": iam.Boundary, "session": iam.Session, "endpoint": iam.Endpoint,
}

// perSet is how many requests are made of the same policies.
const perSet = 8

// policies are the random policies of perSet puzzles.
func policies(seed, set uint64) *puzzle {
	g := gen{rand.New(rand.NewPCG(seed, set))}
	p := &puzzle{target: pick(g, targets...)}
	for _, x := range []struct {
		edge    string
		percent int
		levels  []string
	}{
		{"identity", 85, []string{""}},
		{"resource", 60, []string{""}},
		{"boundary", 25, []string{""}},
		{"session", 20, []string{""}},
		{"scp", 35, []string{"root", "ou"}},
		{"rcp", 15, []string{"root", "account"}},
		{"endpoint", 10, []string{""}},
	} {
		if g.chance(x.percent) {
			for i, level := range x.levels {
				p.docs = append(p.docs, g.document(x.edge, level, i, p.target))
			}
		}
	}
	p.compile()
	p.sift()
	return p
}

// ask makes one random request of the policies.
func (p *puzzle) ask(seed, n uint64) *puzzle {
	g := gen{rand.New(rand.NewPCG(^seed, n))}
	out := &puzzle{target: p.target, docs: p.docs, rest: p.rest, own: p.own, beside: p.beside, passed: p.passed, open: map[string][][]string{}}
	out.caller(g, p.target)
	out.keys(g)
	out.join()
	// Who a NotPrincipal spares when the caller is not known well is one doubt a
	// statement, however these hang together.
	out.blurred = out.blurred || len(out.hidden) > 0 && slices.ContainsFunc(p.docs, func(d oDoc) bool { return strings.Contains(d.text, "NotPrincipal") })
	return out
}

func newPuzzle(seed, n uint64) *puzzle { return policies(seed, n/perSet).ask(seed, n) }

func (p *puzzle) caller(g gen, t target) {
	q := &p.known
	q.action, q.resource, q.keys = t.action, t.resource, map[string][]string{}
	var c iam.Caller
	switch g.IntN(12) {
	case 0, 1, 2:
		q.kind, q.arn, q.name, q.uniqueID = "user", userA, "alice", userID
		q.keys["aws:username"] = []string{"alice"}
	case 3, 4, 5, 6:
		q.kind, q.arn, q.name, q.session, q.uniqueID = "role", roleA, "dev", sessionA, roleID
	case 7:
		q.kind, q.arn, q.session = "role", roleB, "arn:aws:sts::444455556666:assumed-role/dev/s2"
		q.uniqueID = "AROA" + "EXAMPLEEXAMPLE02"
	case 8:
		q.kind, q.arn = "root", "arn:aws:iam::111122223333:root"
	case 9:
		q.kind, q.arn = "federated", "arn:aws:sts::111122223333:federated-user/bob"
	case 10:
		q.kind, q.service = "service", "lambda.amazonaws.com"
	default:
		q.kind = pick(g, "anonymous", "provider")
		if q.kind == "provider" {
			q.federated = "accounts.example.com"
		}
	}
	if q.kind == "role" && g.chance(5) {
		q.arn, q.linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/dev", true
		q.session = "arn:aws:sts::111122223333:assumed-role/dev/s1"
	}
	if q.arn != "" {
		q.account = strings.Split(q.arn, ":")[4]
		q.keys["aws:principalarn"] = []string{q.arn}
	}
	q.management = g.chance(5)
	c = iam.Caller{ARN: q.arn, Session: q.session, UniqueID: q.uniqueID, Service: q.service, Federated: q.federated, Management: q.management}
	if q.kind == "federated" {
		p.hidden = append(p.hidden, func(q *oRequest, side int) { q.base = []string{userA, "other"}[side] })
	}
	if q.uniqueID != "" && g.chance(30) {
		c.UniqueID = ""
		id := map[string]string{"user": userID, "role": roleID}[q.kind]
		p.hidden = append(p.hidden, func(q *oRequest, side int) { q.uniqueID = []string{id, "another"}[side] })
	}
	if q.kind == "role" && g.chance(30) {
		c.Session = ""
		p.hidden = append(p.hidden, func(q *oRequest, side int) {
			if q.session = sessionA; side == 1 || q.account != accountA {
				q.session = "other"
			}
		})
	}
	o := iam.Resource{ARN: q.resource, Management: g.chance(5)}
	q.ownerIsManagement = o.Management
	if parts := strings.Split(q.resource, ":"); len(parts) > 5 {
		q.owner = parts[4]
	}
	if q.owner == "" && q.resource != "*" {
		q.owner = pick(g, accountA, accountB)
		if o.Account = q.owner; g.chance(40) {
			o.Account = ""
			p.hidden = append(p.hidden, func(q *oRequest, side int) { q.owner = []string{accountA, accountB}[side] })
		}
	}
	p.request = iam.Request{Subject: iam.NewSubject(c, nil), Action: pick(g, q.action, strings.ToLower(q.action)), Object: iam.NewObject(o, nil), Keys: iam.Keys{}}
}

func (p *puzzle) sift() {
	for _, d := range p.docs {
		q := oRequest{action: p.action}
		d.statements = slices.DeleteFunc(slices.Clone(d.statements), func(s map[string]any) bool {
			list, ok := s["Resource"]
			return !q.about(s) || ok && !slices.ContainsFunc(strs(list), func(r string) bool {
				return strings.Contains(r, "${") || oracleResource(r, p.resource)
			})
		})
		p.rest = append(p.rest, d)
	}
}

// keys decides what is known of each key.
func (p *puzzle) keys(g gen) {
	var written strings.Builder
	for _, d := range p.rest {
		b, err := json.Marshal(d.statements)
		if err != nil {
			panic(err)
		}
		written.Write(b)
	}
	text := written.String()
	unknown := 0
	for _, k := range kinds {
		name := strings.ToLower(k.key)
		if k.tries == nil {
			continue
		}
		state := g.IntN(4)
		if state < 2 && !strings.Contains(text, k.key) {
			p.request.Keys.Set(k.key, iam.UnknownValue()) // and it does not matter
			continue
		}
		if state < 2 && (unknown == 3 || unknown == 2 && g.chance(70)) {
			state = 2
		}
		switch state {
		case 0, 1:
			unknown++
			variable := strings.Contains(text, "${"+k.key)
			p.blurred = p.blurred || variable
			v := iam.UnknownValue()
			lists := p.completions(k, variable)
			if g.chance(20) {
				v = iam.Present()
				lists = slices.DeleteFunc(lists, func(l []string) bool { return l[0] == "" })
			} else {
				lists = append(lists, nil)
			}
			p.open[name] = lists
			p.request.Keys.Set(k.key, v)
		case 2:
			p.request.Keys.Set(k.key, iam.Absent())
		default:
			values := []string{pick(g, k.tries...)}
			for k.several && g.chance(50) && len(values) < 3 {
				values = append(values, pick(g, k.tries...))
			}
			p.known.keys[name] = values
			p.request.Keys.Set(k.key, iam.Is(values...))
		}
	}
}

// completions are values to try for a key: one for each set of the comparisons
// in the documents that a value can satisfy, found by trying all.
func (p *puzzle) completions(k keyKind, variable bool) [][]string {
	// A set operator says that a key of a service can have several values.
	several, plain := k.several, false
	for _, d := range p.docs {
		for _, s := range d.statements {
			block, _ := s["Condition"].(map[string]any)
			for op, keys := range block {
				several = several || strings.Contains(op, ":") && object(keys)[k.key] != nil && !strings.HasPrefix(k.key, "aws:")
			}
		}
	}
	type comparison struct{ version, operator, value string }
	var all []comparison
	for _, d := range p.rest {
		for _, s := range d.statements {
			block, _ := s["Condition"].(map[string]any)
			for _, op := range sortedKeys(block) {
				_, bare, found := strings.Cut(op, ":")
				if !found {
					bare = op
				}
				values := strs(object(block[op])[k.key])
				plain = plain || !found && values != nil && op != "Null"
				for _, v := range values {
					if op != "Null" {
						all = append(all, comparison{d.version, bare, v})
					}
				}
			}
		}
	}
	q := p.known
	q.coin = func(string) bool { return false }
	var tries []string
	seen := map[string]bool{}
	for _, v := range k.tries {
		q.keys = map[string][]string{strings.ToLower(k.key): {v}, "aws:username": p.known.keys["aws:username"]}
		verdict := strconv.AppendBool(nil, v == "")
		for _, c := range all {
			verdict = strconv.AppendBool(verdict, q.condition(c.version, "", c.operator, k.key, []string{c.value}))
		}
		if variable && slices.Contains([]string{"a", "orders", "dev", "xb"}, v) || !seen[string(verdict)] {
			seen[string(verdict)] = true
			tries = append(tries, v)
		}
	}
	var out [][]string
	for _, v := range tries {
		out = append(out, []string{v})
	}
	if several && plain {
		// What an operator without ForAny or ForAll does with two values is a doubt.
		p.blurred = true
		for _, v := range tries {
			out = append(out, []string{v, v})
		}
	}
	if several {
		// Of more values than these not all sets are tried.
		p.blurred = p.blurred || len(tries) > 8
		full := slices.DeleteFunc(slices.Clone(tries), func(v string) bool { return v == "" })
		for n := range 1 << min(len(full), 7) {
			var set []string
			for i, v := range full[:min(len(full), 7)] {
				if n>>i&1 == 1 {
					set = append(set, v)
				}
			}
			if len(set) > 1 {
				out = append(out, set)
			}
		}
	}
	return out
}

func (p *puzzle) compile() {
	var own, beside, passed []iam.Document
	for _, d := range p.docs {
		policy, err := iam.Parse([]byte(d.text))
		if err != nil {
			panic(err)
		}
		doc := iam.Document{Policy: policy, Edge: edgeOf[d.edge], Level: d.level, Name: d.name}
		switch d.edge {
		case "resource", "rcp":
			beside = append(beside, doc)
		case "endpoint":
			passed = append(passed, doc)
		default:
			own = append(own, doc)
		}
	}
	p.own, p.beside, p.passed = iam.Compile(own...), iam.Compile(beside...), nil
	if passed != nil {
		p.passed = iam.Compile(passed...)
	}
}

// join puts the policies beside caller and resource.
func (p *puzzle) join() {
	p.request.Subject = iam.NewSubject(p.request.Subject.Caller, p.own)
	p.request.Object = iam.NewObject(p.request.Object.Resource, p.beside)
	p.request.Endpoint = p.passed
}

// each calls f with every completion.
func (p *puzzle) each(f func(*oRequest) (goOn bool)) (whole bool) {
	names := sortedKeys(p.open)
	total := 1 << len(p.hidden)
	for _, n := range names {
		total *= len(p.open[n])
	}
	if total > 3_000 {
		return false
	}
	for n := range total {
		q := p.known
		q.keys = maps.Clone(p.known.keys)
		rest := n
		for _, k := range names {
			if v := p.open[k][rest%len(p.open[k])]; v != nil {
				q.keys[k] = v
			}
			rest /= len(p.open[k])
		}
		for _, h := range p.hidden {
			h(&q, rest%2)
			rest /= 2
		}
		if !f(&q) {
			break
		}
	}
	return true
}

// check compares the package with the oracle. It reports what is wrong, and
// whether the package said Unknown where the oracle found one answer only.
func (p *puzzle) check() (problem string, loose, skipped bool) {
	d := p.request.Evaluate()
	if got := p.request.Decide(); got != d.Result {
		return fmt.Sprintf("Decide says %s, Evaluate %s", got, d.Result), false, false
	}
	var allow, deny, tossed bool
	conditionsOnly := d.Residue != nil && !slices.ContainsFunc(d.Residue.Needs(), func(n iam.Need) bool { return n.Operator == "" || n.Reason != "" })
	whole := p.each(func(q *oRequest) bool {
		a, b, c := q.outcomes(p.rest)
		allow, deny, tossed = allow || a, deny || b, tossed || c
		if conditionsOnly && !p.blurred && !c {
			holds := d.Residue.Holds(func(n iam.Need) bool {
				return q.condition(p.version(n.Statement.Policy), "", n.Operator, n.Key, n.Values)
			})
			if holds != a {
				problem = fmt.Sprintf("the residue holds: %t, the oracle allows: %t, with %v", holds, a, q.keys)
				return false
			}
		}
		return !allow || !deny || conditionsOnly
	})
	switch {
	case !whole:
		return "", false, true
	case problem != "":
		return problem, false, false
	case d.Result == iam.Allow && deny, d.Result == iam.Deny && allow:
		return fmt.Sprintf("the package says %s; the oracle finds allow %t, deny %t", d.Result, allow, deny), false, false
	case d.Result == iam.Unknown && allow != deny && !p.blurred && !tossed:
		return fmt.Sprintf("the package says UNKNOWN; the oracle finds allow %t, deny %t", allow, deny), true, false
	case d.Result == iam.Unknown && allow != deny:
		return "", true, false
	case d.Result == iam.Unknown && len(d.Residue.Needs()) == 0:
		return "UNKNOWN without a need", false, false
	case d.Result == iam.Deny && len(d.Denials) == 0 && len(d.Missing) == 0:
		return "DENY without a reason", false, false
	case d.Result == iam.Allow && len(d.Allows) == 0 && p.known.kind != "root":
		return "ALLOW without a reason", false, false
	}
	return "", false, false
}

func (p *puzzle) version(name string) string {
	for _, d := range p.docs {
		if d.name == name {
			return d.version
		}
	}
	return ""
}

func (p *puzzle) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\nopen %v, hidden %d\n", p.known, sortedKeys(p.open), len(p.hidden))
	for _, d := range p.docs {
		fmt.Fprintf(&b, "%s: %s\n", d.name, d.text)
	}
	return b.String()
}

const seed = 20261122

// cases is how many random requests the oracle is asked: a million when
// LAMINA_LONG is set.
func cases() uint64 {
	if os.Getenv("LAMINA_LONG") != "" {
		return 1_000_000
	}
	return 20_000
}

// What the package says holds for every value of the unknown keys, it says
// Unknown exactly when values differ, and its residue holds exactly where the
// request is allowed.
func TestEvaluate_agrees_with_the_oracle(t *testing.T) {
	var next, loose, skipped, failed atomic.Uint64
	var counts [3]atomic.Uint64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for set := next.Add(1) - 1; set*perSet < cases() && failed.Load() < 5; set = next.Add(1) - 1 {
				all := policies(seed, set)
				for n := set * perSet; n < min(cases(), (set+1)*perSet); n++ {
					p := all.ask(seed, n)
					problem, l, s := p.check()
					if problem != "" {
						failed.Add(1)
						t.Errorf("seed %d, case %d: %s\n%s%s", seed, n, problem, p, p.request.Evaluate())
					}
					if l {
						loose.Add(1)
					}
					if s {
						skipped.Add(1)
					}
					counts[slices.Index([]iam.Result{iam.Allow, iam.Deny, iam.Unknown}, p.request.Decide())].Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("seed %d, %d cases: %d allow, %d deny, %d unknown, of these %d although one answer was found; %d with too many values to try",
		seed, cases(), counts[0].Load(), counts[1].Load(), counts[2].Load(), loose.Load(), skipped.Load())
	if 50*loose.Load() > cases() || 50*skipped.Load() > cases() {
		t.Errorf("more than two in a hundred cases were not compared exactly")
	}
}
