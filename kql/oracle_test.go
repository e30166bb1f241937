package kql_test

import (
	"errors"
	"math"
	"math/big"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
)

// The oracle evaluates a syntax tree over a document in the plainest way there
// is: it walks both, again for every question. It shares nothing with Compile
// but the tree and the table of fields, and is never made faster.
type oracle struct {
	doc    map[string]any
	quirks bool
}

var errOracle = errors.New("the value does not fit the field")

// check reports whether the query is an error whatever the document: a walk of
// the whole tree, because eval may stop early.
func (o oracle) check(n kql.Node) error {
	switch n := n.(type) {
	case *kql.Or:
		return o.checkAll(n.Of)
	case *kql.And:
		return o.checkAll(n.Of)
	case *kql.Not:
		return o.check(n.X)
	case *kql.Nested:
		return errOracle
	case *kql.Is:
		return o.checkValues(n, n.Value)
	case *kql.Range:
		for _, f := range o.fieldsOf(n.Field) {
			if _, err := o.compare(f, n); err != nil && (n.Field.Kind != kql.Wildcard || o.quirks) {
				return err
			}
		}
	}
	return nil
}

func (o oracle) checkAll(ns []kql.Node) error {
	for _, n := range ns {
		if err := o.check(n); err != nil {
			return err
		}
	}
	return nil
}

func (o oracle) checkValues(is *kql.Is, n kql.Node) error {
	of := []kql.Node{}
	switch n := n.(type) {
	case *kql.Or:
		of = n.Of
	case *kql.And:
		of = n.Of
	case *kql.Not:
		of = []kql.Node{n.X}
	case *kql.Literal:
		for _, f := range o.fieldsOf(is.Field) {
			if _, err := o.one(f, is.Field, n); err != nil {
				return err
			}
		}
	}
	for _, m := range of {
		if err := o.checkValues(is, m); err != nil {
			return err
		}
	}
	return nil
}

func (o oracle) eval(n kql.Node) (bool, error) {
	switch n := n.(type) {
	case *kql.Or:
		for _, m := range n.Of {
			if ok, _ := o.eval(m); ok {
				return true, nil
			}
		}
		return false, nil
	case *kql.And:
		for _, m := range n.Of {
			if ok, _ := o.eval(m); !ok {
				return false, nil
			}
		}
		return true, nil
	case *kql.Not:
		ok, err := o.eval(n.X)
		return !ok, err
	case *kql.Range:
		for _, f := range o.fieldsOf(n.Field) {
			ok, err := o.compare(f, n)
			if err != nil && (n.Field.Kind != kql.Wildcard || o.quirks) {
				return false, err
			}
			if ok && err == nil {
				return true, nil
			}
		}
		return false, nil
	case *kql.Is:
		return o.values(n.Field, n.Value)
	}
	return false, errOracle
}

func (o oracle) values(name *kql.Literal, n kql.Node) (bool, error) {
	switch n := n.(type) {
	case *kql.Or:
		for _, m := range n.Of {
			if ok, _ := o.values(name, m); ok {
				return true, nil
			}
		}
		return false, nil
	case *kql.And:
		for _, m := range n.Of {
			if ok, _ := o.values(name, m); !ok {
				return false, nil
			}
		}
		return true, nil
	case *kql.Not:
		ok, err := o.values(name, n.X)
		return !ok, err
	case *kql.Literal:
		if n.Lone() && (name == nil || name.Kind == kql.Null || name.Lone()) {
			return true, nil
		}
		for _, f := range o.fieldsOf(name) {
			if ok, err := o.one(f, name, n); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	return false, errOracle
}

func (o oracle) fieldsOf(name *kql.Literal) []*ecs.Field {
	if name == nil || name.Kind == kql.Null {
		return schema
	}
	if name.Kind != kql.Wildcard {
		return []*ecs.Field{lookup(name.Text())}
	}
	var fs []*ecs.Field
	for _, f := range schema {
		if f.Type != ecs.Object && glob(name).MatchString(f.Name) {
			fs = append(fs, f)
		}
	}
	return fs
}

// one is `f: lit`; an error is no match where fields are tried one after the other.
func (o oracle) one(f *ecs.Field, name, lit *kql.Literal) (bool, error) {
	free := name == nil || name.Kind == kql.Null
	if lit.Kind == kql.Null {
		return false, errOracle
	}
	ok, err := o.typed(f, lit, free)
	if err != nil && (free || name.Kind == kql.Wildcard && !o.quirks) {
		return false, nil
	}
	return ok, err
}

// at are the values of the document at a dotted path.
func at(v any, path string) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []any
		for _, e := range v {
			out = append(out, at(e, path)...)
		}
		return out
	case map[string]any:
		var out []any
		for k, e := range v {
			if k == path {
				out = append(out, at(e, "")...)
			} else if rest, ok := strings.CutPrefix(path, k+"."); ok {
				out = append(out, at(e, rest)...)
			}
		}
		return out
	}
	if path == "" {
		return []any{v}
	}
	return nil
}

// below are all values at and below a node.
func below(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []any
		for _, e := range v {
			out = append(out, below(e)...)
		}
		return out
	case map[string]any:
		var out []any
		for _, e := range v {
			out = append(out, below(e)...)
		}
		return out
	}
	return []any{v}
}

func (o oracle) texts(f *ecs.Field) []string {
	vs := at(o.doc, f.Name)
	if f.Type == ecs.Flattened && f.Root == nil {
		vs = below(o.doc[f.Name])
	}
	var out []string
	for _, v := range vs {
		s := oracleText(v)
		if f.IgnoreAbove > 0 && len(utf16.Encode([]rune(s))) > f.IgnoreAbove {
			continue
		}
		out = append(out, s)
	}
	return out
}

func oracleText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case int:
		return big.NewInt(int64(v)).String()
	}
	panic("the generator makes strings, booleans and integers")
}

func glob(lit *kql.Literal) *regexp.Regexp {
	parts := slices.Clone(lit.Parts)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
}

func globText(s string) *regexp.Regexp {
	return glob(&kql.Literal{Kind: kql.Wildcard, Parts: strings.Split(s, "*")})
}

func anyOf(values []string, test func(string) bool) bool { return slices.ContainsFunc(values, test) }

func (o oracle) typed(f *ecs.Field, lit *kql.Literal, free bool) (bool, error) {
	values := o.texts(f)
	text := lit.Text()
	wild := lit.Kind == kql.Wildcard
	switch f.Type {
	case ecs.Unmapped:
		return false, nil
	case ecs.Object:
		return lit.Lone() && !free && slices.ContainsFunc(schema, func(g *ecs.Field) bool {
			return strings.HasPrefix(g.Name, f.Name+".") && len(at(o.doc, g.Name)) > 0
		}), nil
	case ecs.ConstantKeyword:
		if wild {
			return slices.ContainsFunc(oraclePieces(lit), func(p oraclePiece) bool {
				return globText(strings.ReplaceAll(p.text, wildMark, "*")).MatchString(f.Const)
			}), nil
		}
		return globText(text).MatchString(f.Const), nil
	case ecs.Keyword, ecs.Flattened:
		keyed := f.Type == ecs.Flattened && f.Root != nil
		switch {
		case lit.Lone():
			return len(values) > 0, nil
		case keyed && wild && o.quirks:
			return o.keyed(f, lit), nil
		case wild && (free || f.Type == ecs.Flattened && o.quirks):
			return splitMatch(values, lit, func(v string, p oraclePiece) bool { return p.re.MatchString(v) }), nil
		case wild:
			return anyOf(values, glob(lit).MatchString), nil
		}
		return slices.Contains(values, text), nil
	case ecs.Text:
		switch {
		case lit.Lone():
			return len(values) > 0, nil
		case wild:
			return splitMatch(values, lit, func(v string, p oraclePiece) bool {
				if p.wild {
					return slices.ContainsFunc(oracleTokens(v), p.lower.MatchString)
				}
				return oracleWords(v, p.text, false)
			}), nil
		}
		return anyOf(values, func(v string) bool { return oracleWords(v, text, lit.Quoted) }), nil
	case ecs.GeoPoint:
		if lit.Lone() && !free {
			return len(values) > 0, nil
		}
		return false, errOracle
	case ecs.IP, ecs.Boolean, ecs.Long, ecs.Double, ecs.Date:
	}
	if lit.Lone() {
		return anyOf(values, func(v string) bool { _, ok := parseTyped(f.Type, v, false); return ok }), nil
	}
	if wild {
		return false, errOracle
	}
	if f.Type == ecs.IP && strings.Contains(text, "/") {
		_, block, err := net.ParseCIDR(text)
		if err != nil {
			return false, errOracle
		}
		return anyOf(values, func(v string) bool { a := net.ParseIP(v); return a != nil && block.Contains(a) }), nil
	}
	lo, ok1 := parseTyped(f.Type, text, false)
	hi, ok2 := parseTyped(f.Type, text, f.Type == ecs.Date)
	if !ok1 || !ok2 {
		return false, errOracle
	}
	return anyOf(values, func(v string) bool {
		x, ok := parseTyped(f.Type, v, false)
		return ok && x.Cmp(lo) >= 0 && x.Cmp(hi) <= 0
	}), nil
}

// keyed is what Elasticsearch does with a wildcard on a flattened key.
func (o oracle) keyed(f *ecs.Field, lit *kql.Literal) bool {
	for _, p := range oraclePieces(lit) {
		raw := strings.Split(p.text, wildMark)
		switch {
		case !p.wild:
			if slices.Contains(o.texts(f), p.text) {
				return true
			}
		case len(raw) == 2 && raw[1] == "":
			if anyOf(o.texts(f), func(v string) bool { return strings.HasPrefix(v, raw[0]) }) {
				return true
			}
		case raw[0] == "":
			if anyOf(o.texts(f.Root), p.re.MatchString) {
				return true
			}
		}
	}
	return false
}

type oraclePiece struct {
	text      string // wildMark for an unescaped star
	wild      bool
	re, lower *regexp.Regexp
}

// wildMark stands for an unescaped star; the generator never writes it.
const wildMark = "\u0001"

func oraclePieces(lit *kql.Literal) []oraclePiece {
	var out []oraclePiece
	for w := range strings.FieldsSeq(strings.Join(lit.Parts, wildMark)) {
		wild := strings.Contains(w, wildMark)
		if n := len(out); n > 0 && !wild && !out[n-1].wild {
			out[n-1].text += " " + w
			continue
		}
		out = append(out, oraclePiece{text: w, wild: wild})
	}
	for i := range out {
		parts := strings.Split(out[i].text, wildMark)
		out[i].re = glob(&kql.Literal{Parts: parts})
		for j := range parts {
			parts[j] = strings.ToLower(parts[j])
		}
		out[i].lower = glob(&kql.Literal{Parts: parts})
	}
	return out
}

func splitMatch(values []string, lit *kql.Literal, one func(string, oraclePiece) bool) bool {
	for _, p := range oraclePieces(lit) {
		if anyOf(values, func(v string) bool { return one(v, p) }) {
			return true
		}
	}
	return false
}

// oracleTokens is right for the generator's texts: words between other characters.
func oracleTokens(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func oracleWords(v, want string, phrase bool) bool {
	have, words := oracleTokens(v), oracleTokens(want)
	if len(words) == 0 {
		return false
	}
	if phrase {
		for i := range have {
			if i+len(words) <= len(have) && slices.Equal(have[i:i+len(words)], words) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(have, w) })
}

var (
	maxLong = big.NewRat(math.MaxInt64, 1)
	minLong = big.NewRat(math.MinInt64, 1)
)

// parseTyped turns a value of a type with an order into a number.
func parseTyped(t ecs.Type, s string, up bool) (*big.Rat, bool) {
	switch t {
	case ecs.Boolean:
		switch s {
		case "true":
			return big.NewRat(1, 1), true
		case "false":
			return big.NewRat(0, 1), true
		}
	case ecs.Long, ecs.Double:
		if strings.ContainsAny(s, "/xXpP_") {
			return nil, false
		}
		r, ok := new(big.Rat).SetString(s)
		if ok && t == ecs.Long && (r.Cmp(maxLong) > 0 || r.Cmp(minLong) < 0) {
			return nil, false
		}
		return r, ok
	case ecs.IP:
		if a := net.ParseIP(s); a != nil {
			return new(big.Rat).SetInt(new(big.Int).SetBytes(a.To16())), true
		}
	case ecs.Date:
		layouts := []struct {
			layout string
			rest   time.Duration
		}{
			{"2006-01-02T15:04:05.000Z07:00", time.Millisecond},
			{"2006-01-02T15:04:05Z07:00", time.Second},
			{"2006-01-02T15:04Z07:00", time.Minute},
			{"2006-01-02T15:04:05", time.Second},
			{"2006-01-02T15", time.Hour},
			{"2006-01-02", 24 * time.Hour},
			{"2006-01", 24 * time.Hour}, // the first day only
			{"2006", 24 * time.Hour},
		}
		for _, l := range layouts {
			if d, err := time.Parse(l.layout, s); err == nil {
				if up {
					d = d.Add(l.rest - time.Millisecond)
				}
				return big.NewRat(d.UnixMilli(), 1), true
			}
		}
	case ecs.Unmapped, ecs.Keyword, ecs.ConstantKeyword, ecs.Text, ecs.Flattened, ecs.GeoPoint, ecs.Object:
	}
	return nil, false
}

func (o oracle) compare(f *ecs.Field, n *kql.Range) (bool, error) {
	if n.Value.Kind == kql.Null {
		return o.one(f, n.Field, &kql.Literal{Kind: kql.Wildcard, Parts: []string{"", ""}})
	}
	text := n.Value.Text()
	order := func(c int) bool {
		switch n.Op {
		case kql.Less:
			return c < 0
		case kql.LessEqual:
			return c <= 0
		case kql.Greater:
			return c > 0
		case kql.GreaterEqual:
			return c >= 0
		}
		return false
	}
	values := o.texts(f)
	switch f.Type {
	case ecs.Unmapped, ecs.Object:
		return false, nil
	case ecs.ConstantKeyword:
		return order(strings.Compare(f.Const, text)), nil
	case ecs.Flattened, ecs.Keyword:
		if f.Root != nil && o.quirks {
			return false, errOracle
		}
		return anyOf(values, func(v string) bool { return order(strings.Compare(v, text)) }), nil
	case ecs.Text:
		return anyOf(values, func(v string) bool {
			return slices.ContainsFunc(oracleTokens(v), func(w string) bool { return order(strings.Compare(w, text)) })
		}), nil
	case ecs.GeoPoint:
		return false, errOracle
	case ecs.IP, ecs.Boolean, ecs.Long, ecs.Double, ecs.Date:
	}
	up := f.Type == ecs.Date && (n.Op == kql.Greater || n.Op == kql.LessEqual)
	bound, ok := parseTyped(f.Type, text, up)
	if !ok {
		return false, errOracle
	}
	return anyOf(values, func(v string) bool {
		x, ok := parseTyped(f.Type, v, false)
		return ok && order(x.Cmp(bound))
	}), nil
}
