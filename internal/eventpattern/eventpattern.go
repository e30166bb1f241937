// Package eventpattern is the pattern of a rule of Amazon EventBridge: parsed,
// and tried on an event.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
//
// An answer is Yes, No or Maybe: Maybe with the reason where the pattern has an
// operator that is not known here. What a rule is for is not known here, and
// nothing is read from AWS. Start with Parse.
package eventpattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/metricfilter"
)

// maxPattern is how long a pattern may be, in bytes: AWS allows 4,096 by default
// and more on demand.
const maxPattern = 64 << 10

// A Pattern is a parsed pattern. It may be used from many goroutines.
type Pattern struct{ root map[string]any }

// Parse reads a pattern: one JSON object.
func Parse(text string) (*Pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("event pattern: %d bytes are too many", len(text))
	}
	root, err := object([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("event pattern: %w", err)
	}
	return &Pattern{root}, nil
}

func object(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object")
	}
	return o, nil
}

// Match tries the pattern on an event, one JSON object.
func (p *Pattern) Match(event []byte) (metricfilter.Verdict, error) {
	e, err := object(event)
	if err != nil {
		return metricfilter.Verdict{}, fmt.Errorf("event: %w", err)
	}
	return all(p.root, e), nil
}

var (
	yes = metricfilter.Verdict{Answer: metricfilter.Yes}
	no  = metricfilter.Verdict{Answer: metricfilter.No}
)

func maybe(format string, args ...any) metricfilter.Verdict {
	return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: fmt.Sprintf(format, args...)}
}

func truth(b bool) metricfilter.Verdict {
	if b {
		return yes
	}
	return no
}

// all is whether every field of the pattern matches.
func all(pattern, event map[string]any) metricfilter.Verdict {
	worst := yes
	for name, want := range pattern {
		v := field(name, want, event)
		if v.Answer < worst.Answer || v.Answer == metricfilter.Maybe && worst.Answer == metricfilter.Maybe && v.Why < worst.Why {
			worst = v
		}
	}
	return worst
}

func field(name string, want any, event map[string]any) metricfilter.Verdict {
	if alternatives, ok := want.([]any); ok && name == "$or" {
		best := no
		for _, a := range alternatives {
			o, ok := a.(map[string]any)
			if !ok {
				return maybe("$or has something else than patterns")
			}
			best = better(best, all(o, event))
		}
		return best
	}
	have, exists := event[name]
	switch want := want.(type) {
	case map[string]any:
		inner, ok := have.(map[string]any)
		if !ok {
			inner = nil // exists: false is true of what is not there
		}
		return all(want, inner)
	case []any:
		values, list := have.([]any)
		if exists && !list {
			values = []any{have}
		}
		best := no
		for _, m := range want {
			best = better(best, one(m, values, exists))
		}
		return best
	}
	return maybe("the field %s is compared with no list", name)
}

func better(a, b metricfilter.Verdict) metricfilter.Verdict {
	if b.Answer > a.Answer {
		return b
	}
	return a
}

// one is whether a matcher takes one of the values.
func one(m any, values []any, exists bool) metricfilter.Verdict {
	o, ok := m.(map[string]any)
	if !ok {
		return truth(slices.ContainsFunc(values, func(v any) bool { return same(m, v) }))
	}
	if len(o) != 1 {
		return maybe("a matcher with %d operators", len(o))
	}
	best := no
	for op, arg := range o {
		if op == "exists" {
			want, ok := arg.(bool)
			if !ok {
				return maybe("exists without true or false")
			}
			return truth(want == exists)
		}
		for _, v := range values {
			best = better(best, operator(op, arg, v))
		}
	}
	return best
}

func same(a, b any) bool {
	x, xok := a.(json.Number)
	y, yok := b.(json.Number)
	if xok && yok {
		m, err1 := x.Float64()
		n, err2 := y.Float64()
		return err1 == nil && err2 == nil && m == n
	}
	switch a.(type) {
	case string, bool, nil:
		switch b.(type) {
		case string, bool, nil:
			return a == b
		}
	}
	return false
}

func operator(op string, arg, v any) metricfilter.Verdict {
	text, isText := v.(string)
	pattern, plain := arg.(string)
	if inner, ok := arg.(map[string]any); ok && len(inner) == 1 && (op == "prefix" || op == "suffix") {
		if s, ok := inner["equals-ignore-case"].(string); ok {
			pattern, text, plain = strings.ToLower(s), strings.ToLower(text), true
		}
	}
	switch op {
	case "prefix", "suffix", "equals-ignore-case", "wildcard", "cidr":
		if !plain {
			return maybe("%s with something else than text", op)
		}
		if !isText {
			return no
		}
	}
	switch op {
	case "prefix":
		return truth(strings.HasPrefix(text, pattern))
	case "suffix":
		return truth(strings.HasSuffix(text, pattern))
	case "equals-ignore-case":
		return truth(strings.EqualFold(text, pattern))
	case "wildcard":
		return wildcard(pattern, text)
	case "cidr":
		block, err := netip.ParsePrefix(pattern)
		if err != nil {
			return maybe("cidr %q", pattern)
		}
		ip, err := netip.ParseAddr(text)
		return truth(err == nil && block.Contains(ip))
	case "numeric":
		return numeric(arg, v)
	case "anything-but":
		return but(arg, v)
	}
	return maybe("the operator %q", op)
}

// wildcard is a text in which each star is any text; a backslash takes a star as
// it is.
func wildcard(pattern, s string) metricfilter.Verdict {
	if strings.Contains(pattern, `\`) {
		return maybe("a wildcard with a backslash")
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return truth(s == pattern)
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return no
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(s, part)
		if !found {
			return no
		}
		s = after
	}
	return truth(strings.HasSuffix(s, parts[len(parts)-1]))
}

func numeric(arg, v any) metricfilter.Verdict {
	list, ok := arg.([]any)
	if !ok || len(list)%2 != 0 || len(list) == 0 {
		return maybe("numeric without pairs")
	}
	number, isNumber := v.(json.Number)
	x, err := number.Float64()
	if !isNumber || err != nil {
		return no
	}
	for i := 0; i < len(list); i += 2 {
		op, isOp := list[i].(string)
		bound, isBound := list[i+1].(json.Number)
		n, err := bound.Float64()
		if !isOp || !isBound || err != nil {
			return maybe("numeric without operator and number")
		}
		var holds bool
		switch op {
		case "=":
			holds = x == n
		case "<":
			holds = x < n
		case "<=":
			holds = x <= n
		case ">":
			holds = x > n
		case ">=":
			holds = x >= n
		default:
			return maybe("the numeric operator %q", op)
		}
		if !holds {
			return no
		}
	}
	return yes
}

// but is anything-but: of a value, of each of a list, or of an operator.
func but(arg, v any) metricfilter.Verdict {
	inside := no
	switch arg := arg.(type) {
	case []any:
		for _, a := range arg {
			inside = better(inside, truth(same(a, v)))
		}
	case map[string]any:
		if len(arg) != 1 {
			return maybe("anything-but with %d operators", len(arg))
		}
		for op, inner := range arg {
			list, ok := inner.([]any)
			if !ok {
				list = []any{inner}
			}
			for _, a := range list {
				inside = better(inside, operator(op, a, v))
			}
		}
	default:
		inside = truth(same(arg, v))
	}
	inside.Answer = metricfilter.Yes - inside.Answer
	return inside
}
