package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/query"
)

// MaxExport is the size above which a Kibana export is refused, in bytes; one
// line of it is at most MaxFile.
const MaxExport = 64 << 20

// A Bundle is what a Kibana export holds: rules, the exception lists they name,
// and whatever else was in the file. Lines counts the lines that are not blank:
// each of them is a rule, a list, an item, an other, a summary, or was refused.
type Bundle struct {
	Rules      []*Rule
	Exceptions Exceptions
	// Others are lines of a kind that is no rule: connectors, timelines.
	Others []Other
	Lines  int
}

// An Other is a line of an export that Lamina has no use for.
type Other struct {
	Pos  query.Pos
	Kind string // what the line says it is, or "unknown"
}

// ParseNDJSON reads rules as Kibana exports them: a JSON object a line in
// Kibana's names, then exception lists and items, then a line of counts. The
// Bundle has everything that could be read, the error (an Errors) the rest.
func ParseNDJSON(file string, data []byte) (*Bundle, error) {
	b := &Bundle{}
	if len(data) > MaxExport {
		return b, Errors{{File: file, Msg: fmt.Sprintf("the file has %d bytes, more than the %d an export may have", len(data), MaxExport)}}
	}
	t := newText(file, data)
	var errs Errors
	off := 0
	for line := range bytes.Lines(data) {
		start := off
		off += len(line)
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		b.Lines++
		if len(line) > MaxFile {
			errs = append(errs, &Error{File: file, Pos: t.pos(start, 0), Msg: fmt.Sprintf("the line has %d bytes, more than the %d a rule may have", len(line), MaxFile)})
			continue
		}
		v, err := parseJSON(t, start, line)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, b.add(t, v)...)
	}
	return b, errs.err()
}

// add sorts one object of an export.
func (b *Bundle) add(t *text, v *Value) Errors {
	bad := func(pos query.Pos, format string, args ...any) Errors {
		return Errors{{File: t.name, Pos: pos, Msg: fmt.Sprintf(format, args...)}}
	}
	has := func(name string) bool { return v.Get(name) != nil }
	switch {
	case v.Kind != Table:
		return bad(v.Pos, "a line of an export must be an object, not %s", v.Kind)
	case has("exported_count") || has("exported_rules_count") || has("exported_exception_list_count"):
		return b.summary(t, v)
	case has("entries"):
		item, errs := parseItem(t, v)
		if len(errs) > 0 {
			return errs
		}
		b.Exceptions.Items = append(b.Exceptions.Items, item)
	case has("rule_id"), has("risk_score"):
		r, err := decode(t, fromKibana(v))
		if err != nil {
			var errs Errors
			if !errors.As(err, &errs) {
				return bad(v.Pos, "%v", err)
			}
			return errs
		}
		b.Rules = append(b.Rules, r)
	case has("list_id"):
		b.Exceptions.Lists = append(b.Exceptions.Lists, parseList(v))
	default:
		kind := "unknown"
		if k := v.Get("type"); k != nil && k.Kind == String {
			kind = k.Text
		}
		b.Others = append(b.Others, Other{Pos: v.Pos, Kind: kind})
	}
	return nil
}

// summary compares the counts an export ends with to what was read.
func (b *Bundle) summary(t *text, v *Value) Errors {
	var errs Errors
	check := func(name string, got int) {
		x := v.Get(name)
		if x == nil || x.Kind != Integer {
			return
		}
		if n, err := x.Int(); err == nil && n != int64(got) {
			errs = append(errs, &Error{File: t.name, Pos: x.Pos, Msg: fmt.Sprintf("%s is %d, but the lines before it hold %d", name, n, got)})
		}
	}
	check("exported_rules_count", len(b.Rules))
	check("exported_exception_list_count", len(b.Exceptions.Lists))
	check("exported_exception_list_item_count", len(b.Exceptions.Items))
	return errs
}

// NDJSON prints rules and exceptions as Kibana imports them, the line of counts
// last.
func (b *Bundle) NDJSON() []byte {
	var out []byte
	for _, r := range b.Rules {
		out = append(append(out, r.JSON()...), '\n')
	}
	for _, l := range b.Exceptions.Lists {
		out = append(appendJSON(out, l.raw), '\n')
	}
	for _, i := range b.Exceptions.Items {
		out = append(appendJSON(out, i.raw), '\n')
	}
	n, l, i := len(b.Rules), len(b.Exceptions.Lists), len(b.Exceptions.Items)
	return fmt.Appendf(out, `{"exported_count":%d,"exported_rules_count":%d,"missing_rules":[],"missing_rules_count":0,`+
		`"exported_exception_list_count":%d,"exported_exception_list_item_count":%d,"missing_exception_list_item_count":0,`+
		`"missing_exception_list_items":[],"missing_exception_lists":[],"missing_exception_lists_count":0}`+"\n", n+l+i, n, l, i)
}

// JSON is the rule as Kibana's API names its keys, on one line. What Kibana has
// no key for (the [metadata] table, tables beside [rule]) travels in
// meta.lamina, so that reading it back gives the same file.
func (r *Rule) JSON() []byte { return appendJSON(nil, r.kibana()) }

// Kibana is JSON as a tree of Go values.
func (r *Rule) Kibana() map[string]any {
	m, ok := r.kibana().Any().(map[string]any)
	if !ok {
		return map[string]any{}
	}
	return m
}

// The keys of meta.lamina.
const (
	ownKey   = "lamina" // below meta, and below metadata
	restKey  = "root"   // the file's tables other than rule
	rawKey   = "rule"   // keys of [rule] that Kibana's form cannot hold
	typesKey = "types"  // values whose type JSON lacks: pointer → "time" or "number"
	nullKey  = "null"   // metadata.lamina.null: pointers of nulls, which TOML lacks
	termsKey = "new_terms"
)

// kibana makes the JSON tree of the rule.
func (r *Rule) kibana() *Value {
	src := r.root.Get("rule")
	out := &Value{Kind: Table, Pos: src.Pos}
	own := &Value{Kind: Table}
	types := &Value{Kind: Table}
	names := make([]string, 0, len(src.Keys))
	for _, e := range src.Keys {
		names = append(names, e.Name)
	}
	order(names, ruleKeys)
	for _, n := range names {
		v := src.Get(n)
		if n == termsKey && r.NewTerms != nil {
			out.set("new_terms_fields", v.Pos, v.Get("value"))
			out.set("history_window_start", v.Pos, v.Get("history_window_start").Elems[0].Get("value"))
			if !plainTerms(v) {
				raw := &Value{Kind: Table}
				raw.set(n, v.Pos, v)
				own.set(rawKey, v.Pos, raw)
			}
			continue
		}
		out.set(n, v.Pos, v)
	}
	var nulls *Value
	rest := &Value{Kind: Table}
	for _, e := range r.root.Keys {
		switch e.Name {
		case "rule":
		case "metadata":
			nulls = e.Value.Get(ownKey, nullKey)
			if m := withoutNulls(e.Value); len(m.Keys) > 0 {
				rest.set(e.Name, e.Pos, m)
			}
		default:
			rest.set(e.Name, e.Pos, e.Value)
		}
	}
	markTypes(types, src, "/rule")
	markTypes(types, rest, "")
	if len(rest.Keys) > 0 {
		own.set(restKey, query.Pos{}, rest)
	}
	if len(types.Keys) > 0 {
		slices.SortFunc(types.Keys, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
		own.set(typesKey, query.Pos{}, types)
	}
	if len(own.Keys) > 0 {
		meta := &Value{Kind: Table}
		if m := out.entry("meta"); m != nil && m.Value.Kind == Table {
			meta.Keys = slices.Clone(m.Value.Keys)
			m.Value = meta
		} else if m == nil {
			out.set("meta", query.Pos{}, meta)
		}
		meta.set(ownKey, query.Pos{}, own)
	}
	return restoreNulls(out, nulls)
}

// plainTerms reports whether a new_terms table has nothing beyond what Kibana's
// two keys hold.
func plainTerms(v *Value) bool {
	w := v.Get("history_window_start")
	f, wf := v.Get("field"), w.Elems[0].Get("field")
	return len(v.Keys) == 3 && f != nil && f.Text == "new_terms_fields" &&
		len(w.Elems[0].Keys) == 2 && wf != nil && wf.Text == "history_window_start"
}

// markTypes notes the values below v whose type JSON cannot say.
func markTypes(types, v *Value, pointer string) {
	switch v.Kind {
	case Time:
		types.set(pointer, v.Pos, made("time", v.Pos))
	case Float:
		if !finite(v) {
			types.set(pointer, v.Pos, made("number", v.Pos))
		}
	case Array:
		for i, e := range v.Elems {
			markTypes(types, e, pointer+"/"+strconv.Itoa(i))
		}
	case Table:
		for _, e := range v.Keys {
			markTypes(types, e.Value, pointer+"/"+pointerEscape(e.Name))
		}
	case String, Bool, Integer, Null:
	}
}

// pointerEscape writes a key as a part of a JSON pointer (RFC 6901).
func pointerEscape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

func pointerParts(s string) []string {
	parts := strings.Split(strings.TrimPrefix(s, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// withoutNulls is metadata without our list of nulls.
func withoutNulls(m *Value) *Value {
	if m.Kind != Table || m.Get(ownKey, nullKey) == nil {
		return m
	}
	out := &Value{Kind: Table, Pos: m.Pos}
	for _, e := range m.Keys {
		if e.Name != ownKey {
			out.Keys = append(out.Keys, e)
			continue
		}
		own := &Value{Kind: Table, Pos: e.Value.Pos}
		for _, o := range e.Value.Keys {
			if o.Name != nullKey {
				own.Keys = append(own.Keys, o)
			}
		}
		if len(own.Keys) > 0 {
			out.set(ownKey, e.Pos, own)
		}
	}
	return out
}

// restoreNulls puts a null at each pointer, in order, copying what it changes.
func restoreNulls(v, pointers *Value) *Value {
	if pointers == nil || pointers.Kind != Array {
		return v
	}
	for _, p := range pointers.Elems {
		if p.Kind == String {
			v = withNull(v, pointerParts(p.Text))
		}
	}
	return v
}

func withNull(v *Value, path []string) *Value {
	c := *v
	null := &Value{Kind: Null}
	switch {
	case v.Kind == Table && v.entry(path[0]) == nil && len(path) == 1:
		c.Keys = append(slices.Clone(v.Keys), Entry{Name: path[0], Value: null})
	case v.Kind == Table && v.entry(path[0]) != nil && len(path) > 1:
		c.Keys = slices.Clone(v.Keys)
		e := c.entry(path[0])
		e.Value = withNull(e.Value, path[1:])
	case v.Kind == Array:
		i, err := strconv.Atoi(path[0])
		switch {
		case err != nil || i < 0 || i > len(v.Elems):
		case len(path) == 1:
			c.Elems = slices.Insert(slices.Clone(v.Elems), i, null)
		case i < len(v.Elems):
			c.Elems = slices.Clone(v.Elems)
			c.Elems[i] = withNull(c.Elems[i], path[1:])
		}
	}
	return &c
}

// fromKibana turns a rule in Kibana's form into the tree of a TOML rule file.
func fromKibana(v *Value) *Value {
	root := &Value{Kind: Table, Pos: v.Pos, f: v.f}
	rule := &Value{Kind: Table, Pos: v.Pos, f: v.f}
	own := v.Get("meta", ownKey)
	var nulls []string
	for _, e := range v.Keys {
		val := e.Value
		if e.Name == "meta" && own != nil {
			if val = without(val, ownKey); len(val.Keys) == 0 {
				continue
			}
		}
		if (e.Name == "new_terms_fields" || e.Name == "history_window_start") && val.Kind != Null {
			continue // termsTable has them
		}
		if val = dropNulls(val, "/"+pointerEscape(e.Name), &nulls); val != nil {
			rule.set(e.Name, e.Pos, val)
		}
	}
	if terms := termsTable(v); terms != nil && rule.entry(termsKey) == nil {
		rule.set(termsKey, terms.Pos, terms)
	}
	if raw := own.Get(rawKey); raw != nil && raw.Kind == Table {
		for _, e := range raw.Keys {
			if x := rule.entry(e.Name); x != nil {
				x.Value = e.Value
			}
		}
	}
	if rest := own.Get(restKey); rest != nil && rest.Kind == Table {
		for _, e := range rest.Keys {
			if e.Name != "rule" {
				root.Keys = append(root.Keys, e)
			}
		}
	}
	root.set("rule", v.Pos, rule)
	if types := own.Get(typesKey); types != nil && types.Kind == Table {
		for _, e := range types.Keys {
			retype(root, pointerParts(e.Name), e.Value.Text)
		}
	}
	if len(nulls) > 0 {
		addNulls(root, nulls)
	}
	return root
}

// termsTable makes the TOML form of Kibana's two new-terms keys, or nil.
func termsTable(v *Value) *Value {
	present := func(name string) *Value {
		if x := v.Get(name); x != nil && x.Kind != Null {
			return x
		}
		return nil
	}
	fields, start := present("new_terms_fields"), present("history_window_start")
	if fields == nil && start == nil {
		return nil
	}
	pos := fields.orPos(v)
	t := &Value{Kind: Table, Pos: pos}
	t.set("field", pos, made("new_terms_fields", pos))
	if fields != nil {
		t.set("value", pos, fields)
	}
	if start != nil {
		w := &Value{Kind: Table, Pos: start.Pos}
		w.set("field", start.Pos, made("history_window_start", start.Pos))
		w.set("value", start.Pos, start)
		t.set("history_window_start", start.Pos, &Value{Kind: Array, Pos: start.Pos, Elems: []*Value{w}})
	}
	return t
}

func without(v *Value, name string) *Value {
	if v.Kind != Table {
		return v
	}
	c := *v
	c.Keys = slices.DeleteFunc(slices.Clone(v.Keys), func(e Entry) bool { return e.Name == name })
	return &c
}

// dropNulls is v without the nulls in it, whose pointers go to out in the order
// in which putting them back works; nil when v is null itself.
func dropNulls(v *Value, pointer string, out *[]string) *Value {
	switch v.Kind {
	case Null:
		*out = append(*out, pointer)
		return nil
	case Array:
		c := *v
		c.Elems = nil
		for i, e := range v.Elems {
			if x := dropNulls(e, pointer+"/"+strconv.Itoa(i), out); x != nil {
				c.Elems = append(c.Elems, x)
			}
		}
		return &c
	case Table:
		c := *v
		c.Keys = nil
		for _, e := range v.Keys {
			if x := dropNulls(e.Value, pointer+"/"+pointerEscape(e.Name), out); x != nil {
				c.set(e.Name, e.Pos, x)
			}
		}
		return &c
	case String, Bool, Integer, Float, Time:
	}
	return v
}

// addNulls keeps the pointers in one order, in which those into one list ascend.
func addNulls(root *Value, nulls []string) {
	slices.SortFunc(nulls, func(a, b string) int {
		return slices.CompareFunc(pointerParts(a), pointerParts(b), func(x, y string) int {
			i, errX := strconv.Atoi(x)
			j, errY := strconv.Atoi(y)
			if errX == nil && errY == nil {
				return i - j
			}
			return strings.Compare(x, y)
		})
	})
	list := &Value{Kind: Array}
	for _, p := range nulls {
		list.Elems = append(list.Elems, made(p, query.Pos{}))
	}
	table := func(t *Value, name string) *Value {
		if v := t.Get(name); v != nil && v.Kind == Table {
			return v
		}
		v := &Value{Kind: Table}
		t.Keys = slices.DeleteFunc(t.Keys, func(e Entry) bool { return e.Name == name })
		t.set(name, query.Pos{}, v)
		return v
	}
	table(table(root, "metadata"), ownKey).set(nullKey, query.Pos{}, list)
}

func retype(v *Value, path []string, kind string) {
	for _, p := range path {
		switch {
		case v == nil:
			return
		case v.Kind == Array:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(v.Elems) {
				return
			}
			v = v.Elems[i]
		default:
			v = v.Get(p)
		}
	}
	if v == nil || v.Kind != String || !tomlScalar(v.Text, kind) {
		return
	}
	v.Kind = map[string]Kind{"time": Time, "number": Float}[kind]
}

// tomlScalar reports whether s may be written bare as a TOML time or number:
// what claims to be one comes from a file by others.
func tomlScalar(s, kind string) bool {
	v, errs := parseTOML(newText("", []byte("x = "+s)))
	if len(errs) > 0 || len(v.Keys) != 1 {
		return false
	}
	return kind == "time" && v.Keys[0].Value.Kind == Time || kind == "number" && v.Keys[0].Value.Kind == Float
}

// IsJSON guesses whether data is a Kibana export rather than TOML: its first
// byte that is not blank opens an object.
func IsJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{' && (len(data) < 2 || json.Valid(bytes.SplitN(data, []byte("\n"), 2)[0]) || data[1] == '"')
}
