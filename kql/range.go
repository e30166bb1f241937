package kql

import (
	"fmt"
	"math"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// rangeOn compiles `f < value`. A star in the value is a character; a bound of
// null is no bound (ES RangeQueryBuilder), which leaves that the field exists.
func (c *compiler) rangeOn(f *ecs.Field, n *Range) (query.Predicate, error) {
	at := c.at(n)
	if n.Value.Kind == Null {
		return c.value(f, &Is{At: n.At, Field: n.Field}, &Literal{At: n.Value.At, Kind: Wildcard, Parts: []string{"", ""}})
	}
	switch f.Type {
	case ecs.Unmapped:
		return query.Fixed(false, f, at, "no field of this name is mapped, so no record has it"), nil
	case ecs.Object:
		return query.Fixed(false, f, at, "an object has no value of its own, only the fields below it have"), nil
	case ecs.ConstantKeyword:
		if f.Const != "" {
			lo, hi := bounds(n.Op, n.Value.Text())
			in := query.TextRange(lo, hi).Match(f.Const)
			return query.Fixed(in, f, at, fmt.Sprintf("the value is %q in every document", f.Const)), nil
		}
	case ecs.Flattened:
		if c.opt.Quirks && f.Root != nil {
			return nil, wrongValue(n.Value, "KQL cannot write that; leave out --elastic-quirks", "%s is a key of a flattened field, which needs both bounds in one query", f.Name)
		}
	case ecs.Keyword, ecs.Text, ecs.IP, ecs.Boolean, ecs.Long, ecs.Double, ecs.Date, ecs.GeoPoint:
	}
	t, err := rangeTest(f, n)
	if err != nil {
		return nil, err
	}
	return query.On(f, t, at), nil
}

func rangeTest(f *ecs.Field, n *Range) (query.Test, error) {
	text := n.Value.Text()
	lo, hi := bounds(n.Op, text)
	switch f.Type {
	case ecs.Keyword, ecs.Flattened, ecs.ConstantKeyword:
		return query.TextRange(lo, hi), nil
	case ecs.Text:
		return query.WordRange(lo, hi), nil
	case ecs.Boolean:
		if text != "true" && text != "false" {
			return nil, wrongValue(n.Value, "", "%s is true or false, not %s", f.Name, quote(text))
		}
		in := query.TextRange(lo, hi) // "false" stands before "true" in either spelling
		return query.Bool(in.Match("true"), in.Match("false")), nil
	case ecs.Long:
		t, ok := query.LongRange(lo, hi)
		if !ok {
			return nil, wrongValue(n.Value, "", "%s is a whole number, not %s", f.Name, quote(text))
		}
		return t, nil
	case ecs.Double:
		v, ok := query.ParseDouble(text)
		if !ok {
			return nil, wrongValue(n.Value, "", "%s is a number, not %s", f.Name, quote(text))
		}
		l, h := bounds(n.Op, v)
		return query.Double(l, h), nil
	case ecs.Date:
		return dateRange(n)
	case ecs.IP:
		a, ok := query.ParseIP(text)
		if !ok {
			return nil, wrongValue(n.Value, "write an address such as 10.0.0.1; a block goes with a colon, not with < or >",
				"%s is an ip: %s is not an address", f.Name, quote(text))
		}
		l, h := bounds(n.Op, a)
		return query.IPRange(l, h), nil
	case ecs.GeoPoint, ecs.Unmapped, ecs.Object:
	}
	return nil, wrongValue(n.Value, "", "%s is a %s, which has no order", f.Name, typeName(f.Type))
}

// dateRange rounds as Elasticsearch does: what is missing of the date is filled
// up for > and <=, down for < and >= (ES DateFieldType.dateRangeQuery).
func dateRange(n *Range) (query.Test, error) {
	ms, err := dateBound(n.Value, n.Op == Greater || n.Op == LessEqual)
	if err != nil {
		return nil, err
	}
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	switch n.Op {
	case Greater:
		lo = ms + 1
	case GreaterEqual:
		lo = ms
	case Less:
		hi = ms - 1
	case LessEqual:
		hi = ms
	}
	return query.Dates(lo, hi), nil
}

func bounds[T any](op Op, v T) (lo, hi query.Bound[T]) {
	b := query.Bound[T]{Value: v, Set: true, Open: op == Less || op == Greater}
	if op == Less || op == LessEqual {
		return query.Bound[T]{}, b
	}
	return b, query.Bound[T]{}
}
