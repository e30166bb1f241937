package iam_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// The oracle evaluates requests of which everything is known, one step after
// the other as AWS's flow chart has them, on documents as encoding/json gives
// them. It shares no code with the package: patterns become regular
// expressions, numbers fractions, addresses package net's. Where AWS documents
// nothing it tosses a coin, and its caller looks at both sides. Unknown keys are
// the caller's business too: it tries values.

type oDoc struct {
	edge, level, name string
	text              string
	version           string
	statements        []map[string]any
}

func oracleDoc(edge, level, name, text string) oDoc {
	d := oDoc{edge: edge, level: level, name: name, text: text, version: "2008-10-17"}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		panic(err)
	}
	if v, ok := doc["Version"].(string); ok {
		d.version = v
	}
	list, ok := doc["Statement"].([]any)
	if !ok {
		list = []any{doc["Statement"]}
	}
	for _, s := range list {
		d.statements = append(d.statements, object(spread(s)))
	}
	return d
}

func object(v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		panic("not an object in a test document")
	}
	return m
}

// spread makes every "string or list" a []string, and actions lower case.
func spread(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return strs(v)
	}
	for k, x := range m {
		if k == "Effect" || k == "Mystery" || x == "*" && strings.HasSuffix(k, "Principal") {
			continue
		}
		if k == "Action" || k == "NotAction" {
			m[k] = strings.Fields(strings.ToLower(strings.Join(strs(x), " ")))
			continue
		}
		m[k] = spread(x)
	}
	return m
}

type oRequest struct {
	kind, arn, session, account, name string
	uniqueID, service, federated      string
	base                              string // the user who began a federated session
	management, linked                bool
	action, resource, owner           string
	ownerIsManagement                 bool
	keys                              map[string][]string
	coin                              func(string) bool
}

func strs(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	case string:
		return []string{v}
	case bool:
		if v {
			return []string{"true"}
		}
		return []string{"false"}
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, strs(x)...)
		}
		return out
	}
	panic("unexpected value in a test document")
}

// The oracle is asked the same things again and again, so it remembers.
type question struct{ how, pattern, s string }

var oracleMemory sync.Map

func remembered(how, pattern, s string, answer func(pattern, s string) bool) bool {
	q := question{how, pattern, s}
	v, ok := oracleMemory.Load(q)
	if !ok {
		v = answer(pattern, s)
		oracleMemory.Store(q, v)
	}
	return v == true
}

func matchesExpression(expression, s string) bool {
	return regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(s)
}

// wildcard is a regular expression for a pattern whose * and ? have this reach.
func wildcard(pattern, star, mark string) string {
	out := regexp.QuoteMeta(pattern)
	out = strings.ReplaceAll(out, `\*`, star)
	return strings.ReplaceAll(out, `\?`, mark)
}

// hidden stand for *, ? and $ that are meant as characters.
const hiddenStar, hiddenMark, hiddenDollar = "\x01", "\x02", "\x03"

var (
	hider   = strings.NewReplacer("*", hiddenStar, "?", hiddenMark, "$", hiddenDollar)
	unhider = strings.NewReplacer(hiddenStar, "*", hiddenMark, "?", hiddenDollar, "$")
)

func unhide(s string) string { return unhider.Replace(s) }
func hide(s string) string   { return hider.Replace(s) }

var oracleVariable = regexp.MustCompile(`\$\{([^},]*)(, *'([^']*)')?\}`)

// fill puts variables in; ok is false when one has no value.
func (q *oRequest) fill(version, s string) (out string, ok bool) {
	if !strings.Contains(s, "$") {
		return s, true
	}
	if version != "2012-10-17" {
		return strings.ReplaceAll(s, "$", hiddenDollar), true
	}
	ok = true
	out = oracleVariable.ReplaceAllStringFunc(s, func(m string) string {
		parts := oracleVariable.FindStringSubmatch(m)
		switch parts[1] {
		case "*":
			return hiddenStar
		case "?":
			return hiddenMark
		case "$":
			return hiddenDollar
		}
		v := q.keys[strings.ToLower(parts[1])]
		if len(v) == 1 {
			return hide(v[0])
		}
		if len(v) == 0 && parts[2] != "" {
			return hide(parts[3])
		}
		ok = false
		return ""
	})
	return out, ok
}

func oracleGlob(pattern, s string) bool {
	return remembered("text", pattern, s, func(pattern, s string) bool {
		return matchesExpression(wildcard(pattern, ".*", "."), hide(s))
	})
}

func oracleARN(pattern, s string) bool {
	return remembered("arn", pattern, s, eachPart)
}

func eachPart(pattern, s string) bool {
	p, v := strings.SplitN(pattern, ":", 6), strings.SplitN(s, ":", 6)
	if len(p) != 6 || len(v) != 6 {
		return false
	}
	for i := range p {
		if !oracleGlob(p[i], v[i]) {
			return false
		}
	}
	return true
}

func oracleResource(pattern, s string) bool {
	return remembered("resource", pattern, s, eachSegment)
}

func eachSegment(pattern, s string) bool {
	segments := strings.SplitN(pattern, ":", 6)
	for i, seg := range segments {
		body, open := strings.CutSuffix(seg, "*")
		switch {
		case i == 5:
			segments[i] = wildcard(seg, ".*", ".")
		case open:
			segments[i] = wildcard(body, "[^:]*", "[^:]") + ".*"
		default:
			segments[i] = wildcard(seg, "[^:]*", "[^:]")
		}
	}
	return matchesExpression(strings.Join(segments, ":"), hide(s))
}

// allowed is the flow chart.
func (q *oRequest) allowed(docs []oDoc) bool {
	service, _, _ := strings.Cut(strings.ToLower(q.action), ":")
	isPrincipal := q.kind != "service" && q.kind != "anonymous" && q.kind != "provider"
	rcps := slices.Contains([]string{"s3", "sts", "kms", "sqs", "secretsmanager"}, service) && !q.ownerIsManagement && !q.linked
	scps := isPrincipal && !q.management && !q.linked
	bears := func(d oDoc) bool {
		switch d.edge {
		case "scp":
			return scps
		case "rcp":
			return rcps
		case "boundary", "session":
			return q.kind != "root"
		}
		return true
	}
	// 1. An explicit deny, anywhere.
	for _, d := range docs {
		for i := range d.statements {
			if bears(d) && q.applies(d, i, "Deny", "any") {
				return false
			}
		}
	}
	allow := func(edge, way string) bool {
		for _, d := range docs {
			for i := range d.statements {
				if d.edge == edge && q.applies(d, i, "Allow", way) {
					return true
				}
			}
		}
		return false
	}
	has := func(edge string) bool {
		return slices.ContainsFunc(docs, func(d oDoc) bool { return d.edge == edge })
	}
	everyLevel := func(edge string) bool {
		levels := map[string]bool{}
		for _, d := range docs {
			if d.edge == edge {
				levels[d.level] = levels[d.level] || false
				for i := range d.statements {
					if q.applies(d, i, "Allow", "any") {
						levels[d.level] = true
					}
				}
			}
		}
		for _, ok := range levels {
			if !ok {
				return false
			}
		}
		return true
	}
	// 2. and 3. Organisation policies, at every level.
	if rcps && !everyLevel("rcp") {
		return false
	}
	if scps && !everyLevel("scp") {
		return false
	}
	// A VPC endpoint lets through what its policy allows.
	if has("endpoint") && !allow("endpoint", "any") {
		return false
	}
	byBoundary := q.kind == "root" || !has("boundary") || allow("boundary", "any")
	bySession := q.kind == "root" || (!has("session") && q.kind != "federated") || allow("session", "any")
	byIdentity := q.kind == "root" || allow("identity", "any")
	if !isPrincipal {
		return allow("resource", "direct")
	}
	sole := strings.Contains(q.resource, ":key/") && strings.HasPrefix(q.resource, "arn:aws:kms:") || service == "sts" && strings.Contains(q.resource, ":role/")
	if q.account != q.owner && q.resource != "*" {
		// Across accounts both sides must allow.
		if !allow("resource", "direct") && !allow("resource", "role") && !allow("resource", "account") {
			return false
		}
		return byIdentity && byBoundary && bySession
	}
	// 4. The resource's policy can decide alone, for a session or a user.
	if allow("resource", "direct") {
		return true
	}
	if allow("resource", "role") && byBoundary && bySession {
		return true
	}
	// 5. to 7. Identity policies within their limits.
	if !byIdentity || !byBoundary || !bySession {
		return false
	}
	return !sole || allow("resource", "account")
}

func (q *oRequest) applies(d oDoc, i int, effect, way string) bool {
	s := d.statements[i]
	id := d.name + string(rune('0'+i))
	written, _ := s["Effect"].(string)
	if written != "Allow" && written != "Deny" {
		if !q.coin(id + "effect" + effect) {
			return false
		}
	} else if written != effect {
		return false
	}
	if !q.about(s) {
		return false
	}
	if v, ok := s["Principal"]; ok && !q.named(v, way) {
		return false
	}
	if v, ok := s["NotPrincipal"]; ok {
		if way != "direct" && way != "any" {
			return false
		}
		if effect == "Deny" && q.spared(v, id) || effect == "Allow" && q.leftOut(v, id) {
			return false
		}
	}
	if v, ok := s["Resource"]; ok && !slices.ContainsFunc(strs(v), func(p string) bool {
		p, ok := q.fill(d.version, p)
		return ok && oracleResource(p, q.resource)
	}) {
		return false
	}
	if v, ok := s["NotResource"]; ok {
		for _, p := range strs(v) {
			p, ok := q.fill(d.version, p)
			if ok && oracleResource(p, q.resource) || !ok && q.coin(effect+"notresource"+strings.Join(strs(v), " ")) {
				return false
			}
		}
	}
	if _, ok := s["Mystery"]; ok && !q.coin(id+"mystery") {
		return false
	}
	block, _ := s["Condition"].(map[string]any)
	for op, keys := range block {
		for key, values := range object(keys) {
			if !q.condition(d.version, effect, op, key, strs(values)) {
				return false
			}
		}
	}
	return true
}

// about says whether a statement is about the action.
func (q *oRequest) about(s map[string]any) bool {
	anyAction := func(v any) bool {
		for _, p := range strs(v) {
			if oracleGlob(p, strings.ToLower(q.action)) {
				return true
			}
		}
		return false
	}
	if v, ok := s["Action"]; ok && !anyAction(v) {
		return false
	}
	v, ok := s["NotAction"]
	return !ok || !anyAction(v)
}

// named says whether a Principal element covers the caller in this way.
func (q *oRequest) named(v any, way string) bool {
	has := map[string]bool{}
	entries, ok := v.(map[string]any)
	if !ok {
		entries = map[string]any{"AWS": "*"}
	}
	for kind, ids := range entries {
		for _, id := range strs(ids) {
			switch {
			case kind == "AWS" && id == "*":
				has["direct"] = true
			case kind == "Service":
				has["direct"] = has["direct"] || q.kind == "service" && id == q.service
			case kind == "Federated":
				has["direct"] = has["direct"] || q.kind == "provider" && id == q.federated
			case q.kind == "service" || q.kind == "provider" || q.kind == "anonymous":
			case id == q.account || id == "arn:aws:iam::"+q.account+":root":
				if q.kind == "root" {
					has["direct"] = true
				} else {
					has["account"] = true
				}
			case q.kind == "role" && (id == q.arn || id == q.uniqueID), q.kind == "federated" && id == q.base:
				has["role"] = true
			case q.kind == "role" && id == q.session, q.kind != "role" && (id == q.arn || q.kind == "user" && id == q.uniqueID):
				has["direct"] = true
			}
		}
	}
	if way == "any" {
		return len(has) > 0 && (has["direct"] || has["role"] || has["account"])
	}
	return has[way]
}

func (q *oRequest) spared(v any, id string) bool {
	if !q.named(v, "any") {
		return false
	}
	switch q.kind {
	case "service", "provider", "anonymous", "root":
		return true
	}
	if v == "*" || slices.Contains(strs(object(v)["AWS"]), "*") {
		return true
	}
	whole := q.named(v, "direct") && q.named(v, "account") && (q.kind != "role" || q.named(v, "role"))
	if whole {
		return true
	}
	if q.named(v, "direct") || q.named(v, "role") {
		return q.coin(id + "spared")
	}
	return false
}

func (q *oRequest) leftOut(v any, id string) bool {
	if q.named(v, "direct") || q.named(v, "role") {
		return true
	}
	return q.named(v, "account") && q.coin(id+"left out")
}

// condition says whether one line of a Condition block holds.
func (q *oRequest) condition(version, effect, operator, key string, values []string) bool {
	have := q.keys[strings.ToLower(key)]
	id := operator + key + strings.Join(values, ",")
	op := operator
	set := ""
	for _, s := range []string{"ForAnyValue:", "ForAllValues:"} {
		if rest, ok := strings.CutPrefix(op, s); ok {
			op, set = rest, s
		}
	}
	op, ifExists := strings.CutSuffix(op, "IfExists")
	negated := strings.Contains(op, "Not")
	nothing := len(have) == 0 || len(have) == 1 && have[0] == ""
	if op == "Null" {
		return slices.ContainsFunc(values, func(v string) bool { return (strings.ToLower(v) == "true") == nothing })
	}
	if op == "StringMatches" {
		return q.coin(id) // there is no such operator
	}
	if len(have) == 0 && ifExists {
		return true
	}
	// holds tells whether one value of the request satisfies the operator.
	holds := func(v string) bool {
		hit, open := false, false
		for _, want := range values {
			switch family := strings.ReplaceAll(op, "Not", ""); family {
			case "StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike":
				w, ok := q.fill(version, want)
				if !ok {
					open = open || negated
					continue
				}
				switch family {
				case "StringEquals":
					hit = hit || unhide(w) == v
				case "StringEqualsIgnoreCase":
					hit = hit || strings.EqualFold(unhide(w), v)
				case "StringLike":
					hit = hit || oracleGlob(w, v)
				default:
					hit = hit || oracleARN(w, v)
				}
			case "Bool":
				hit = hit || strings.EqualFold(want, v)
			case "BinaryEquals":
				a, _ := base64.StdEncoding.DecodeString(want)
				b, _ := base64.StdEncoding.DecodeString(v)
				hit = hit || string(a) == string(b)
			case "IpAddress":
				if !strings.Contains(want, "/") {
					hit = hit || net.ParseIP(want).Equal(net.ParseIP(v))
					continue
				}
				_, network, err := net.ParseCIDR(want)
				hit = hit || err == nil && network.Contains(net.ParseIP(v))
			default:
				hit = hit || compares(family, v, want)
			}
		}
		if open && !hit {
			return q.coin(effect + id)
		}
		return hit != negated
	}
	switch set {
	case "ForAnyValue:":
		return !nothing && slices.ContainsFunc(have, holds)
	case "ForAllValues:":
		return nothing || !slices.ContainsFunc(have, func(v string) bool { return !holds(v) })
	}
	switch len(have) {
	case 0:
		return negated
	case 1:
		return holds(have[0])
	}
	return q.coin(id)
}

func compares(op, v, want string) bool {
	number := func(s string) *big.Rat {
		if strings.HasPrefix(op, "Date") {
			for _, form := range []string{"2006-01-02", time.RFC3339} {
				if t, err := time.Parse(form, s); err == nil {
					return new(big.Rat).SetInt64(t.Unix())
				}
			}
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			panic("not a number in a test document: " + s)
		}
		return r
	}
	c := number(v).Cmp(number(want))
	switch strings.TrimPrefix(strings.TrimPrefix(op, "Numeric"), "Date") {
	case "Equals":
		return c == 0
	case "LessThan":
		return c < 0
	case "LessThanEquals":
		return c <= 0
	case "GreaterThan":
		return c > 0
	case "GreaterThanEquals":
		return c >= 0
	}
	panic("unexpected operator " + op)
}

// outcomes runs the flow chart for every way in which coins can fall.
func (q *oRequest) outcomes(docs []oDoc) (allow, deny, tossed bool) {
	var script []bool
	for {
		fallen := map[string]bool{}
		used := 0
		q.coin = func(id string) bool {
			if v, ok := fallen[id]; ok {
				return v
			}
			if used == len(script) {
				script = append(script, false)
			}
			fallen[id] = script[used]
			used++
			tossed = true
			return fallen[id]
		}
		if q.allowed(docs) {
			allow = true
		} else {
			deny = true
		}
		script = script[:used]
		for used > 0 && script[used-1] {
			used--
		}
		if used == 0 || allow && deny {
			return allow, deny, tossed
		}
		script = append(script[:used-1], true)
	}
}

// sortedKeys is here because a test must not depend on the order of a map.
func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
