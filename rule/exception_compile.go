package rule

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// compileItems makes the condition "one of the items applies". Items are OR-ed,
// the entries of an item AND-ed (Kibana, build_exception_filter).
func compileItems(items []ExceptionItem, lists map[string][]string) (query.Predicate, Errors) {
	var errs Errors
	ps := make([]query.Predicate, 0, len(items))
	for _, item := range items {
		c := entryCompiler{file: item.File, lists: lists}
		p := c.all(item.Entries, "")
		errs = append(errs, c.errs...)
		ps = append(ps, p)
	}
	return query.Or(ps...), errs
}

type entryCompiler struct {
	file  string
	lists map[string][]string
	errs  Errors
}

func (c *entryCompiler) fail(e ExceptionEntry, format string, args ...any) {
	c.errs = append(c.errs, &Error{File: c.file, Pos: e.Pos, Msg: fmt.Sprintf(format, args...)})
}

// all is the conjunction of entries whose fields stand below prefix.
func (c *entryCompiler) all(entries []ExceptionEntry, prefix string) query.Predicate {
	ps := make([]query.Predicate, 0, len(entries))
	for _, e := range entries {
		p := c.entry(e, prefix)
		if e.Excluded {
			p = query.Not(p)
		}
		ps = append(ps, p)
	}
	return query.And(ps...)
}

func (c *entryCompiler) entry(e ExceptionEntry, prefix string) query.Predicate {
	name := e.Field
	if prefix != "" {
		name = prefix + "." + e.Field
	}
	f := ecs.Lookup(name)
	plain := e
	plain.Excluded = false
	at := query.At{Text: plain.String(), Pos: e.Pos}
	if f.Type == ecs.Unmapped && e.Type != EntryNested {
		return query.Fixed(false, f, at, "the field is not mapped: no document has it")
	}
	switch e.Type {
	case EntryMatch, EntryMatchAny:
		return c.values(f, e, e.Values, at)
	case EntryWildcard:
		if f.Type == ecs.Text {
			return query.On(f, query.WordTest(e.Values[0]), at)
		}
		return query.On(f, query.Wildcard(e.Values[0], query.CaseSensitive), at)
	case EntryExists:
		if f.Type == ecs.Object {
			return query.Exists(f, at)
		}
		return query.On(f, query.Any(), at)
	case EntryList:
		values, ok := c.lists[e.ListID]
		if !ok {
			c.fail(e, "the value list %q is not at hand", e.ListID)
			return query.Const(false)
		}
		return c.values(f, e, values, at)
	case EntryNested:
		// CloudTrail has no field of type nested: as on any other index, the
		// inner conditions hold for the document as a whole.
		return c.all(e.Entries, name)
	}
	return query.Const(false)
}

// values is "f has one of the values", by the type of f: what Elasticsearch's
// match_phrase means on it.
func (c *entryCompiler) values(f *ecs.Field, e ExceptionEntry, values []string, at query.At) query.Predicate {
	tests := make([]query.Test, 0, len(values))
	for _, v := range values {
		t, err := valueTest(f, v)
		if err != nil {
			c.fail(e, "%s: %v", f.Name, err)
			continue
		}
		tests = append(tests, t)
	}
	if f.Type == ecs.Object || f.Type == ecs.GeoPoint {
		return query.Fixed(false, f, at, "the field has no values of its own")
	}
	return query.On(f, query.Some(tests...), at)
}

// valueTest is equality with v on a field of f's type.
func valueTest(f *ecs.Field, v string) (query.Test, error) {
	switch f.Type {
	case ecs.IP:
		return ipTest(v)
	case ecs.Boolean:
		if v != "true" && v != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", v)
		}
		return query.Terms(v), nil
	case ecs.Long:
		at := query.Bound[string]{Value: v, Set: true}
		t, ok := query.LongRange(at, at)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", v)
		}
		return t, nil
	case ecs.Double:
		n, ok := query.ParseDouble(v)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", v)
		}
		at := query.Bound[float64]{Value: n, Set: true}
		return query.Double(at, at), nil
	case ecs.Date:
		ms, err := query.ParseQueryDate(v, false)
		if err != nil {
			return nil, err
		}
		return query.Terms(query.FormatDate(ms)), nil
	case ecs.Text:
		return query.Words(v, true), nil
	case ecs.Keyword, ecs.ConstantKeyword, ecs.Flattened, ecs.Unmapped, ecs.GeoPoint, ecs.Object:
	}
	return query.Terms(v), nil
}

// ipTest reads an address, a block (10.0.0.0/8) or, as value lists of type
// ip_range hold, two addresses with a hyphen.
func ipTest(v string) (query.Test, error) {
	if from, to, ok := strings.Cut(v, "-"); ok {
		a, okA := query.ParseIP(strings.TrimSpace(from))
		b, okB := query.ParseIP(strings.TrimSpace(to))
		if okA && okB {
			return query.IPRange(query.Bound[netip.Addr]{Value: a, Set: true}, query.Bound[netip.Addr]{Value: b, Set: true}), nil
		}
	}
	if p, ok := query.ParseCIDR(v); ok {
		return query.IPs(p), nil
	}
	a, ok := query.ParseIP(v)
	if !ok {
		return nil, fmt.Errorf("%q is not an address", v)
	}
	return query.IPs(netip.PrefixFrom(a, a.BitLen())), nil
}
