package metricfilter

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A condition compares what a selector finds.
type condition struct {
	at selector
	op string
	v  value
}

func (c condition) String() string { return c.at.String() + " " + c.op + " " + c.v.String() }

func (c condition) match(e Event) Verdict {
	found := c.at.find(e.root)
	if len(found) == 0 {
		if c.op == "!=" {
			return Verdict{Maybe, "AWS does not say whether " + c.String() + " is true of a record without the field"}
		}
		return Verdict{Answer: No}
	}
	least, greatest := Yes, No
	for _, x := range found {
		a := c.compare(x)
		least, greatest = min(least, a), max(greatest, a)
	}
	if c.op == "!=" && least != greatest {
		greatest = Maybe // of any, or of all?
	}
	if greatest == Maybe {
		return Verdict{Maybe, "AWS does not say what " + c.String() + " is of such a value"}
	}
	return Verdict{Answer: greatest}
}

// compare compares one value of the event. Nothing is true of lists and objects.
func (c condition) compare(x any) Answer {
	if c.op == "!=" {
		switch x.(type) {
		case map[string]any, []any:
			return No
		}
		return Yes - c.equal(x)
	}
	if c.op == "=" {
		return c.equal(x)
	}
	var n float64
	var err error
	sure := Yes
	switch x := x.(type) {
	case json.Number:
		n, err = x.Float64()
	case string: // a number in quotes
		sure = Maybe
		n, err = strconv.ParseFloat(x, 64)
	default:
		return No
	}
	if err != nil {
		return No
	}
	var holds bool
	switch c.op {
	case "<":
		holds = n < *c.v.number
	case "<=":
		holds = n <= *c.v.number
	case ">":
		holds = n > *c.v.number
	case ">=":
		holds = n >= *c.v.number
	}
	if !holds {
		return No
	}
	return sure
}

func (c condition) equal(x any) Answer {
	switch x := x.(type) {
	case string:
		a := c.v.like(x)
		if n, err := strconv.ParseFloat(x, 64); a == No && c.v.number != nil && err == nil && n == *c.v.number {
			return Maybe // the same number in other digits
		}
		return a
	case json.Number:
		n, err := x.Float64()
		switch {
		case c.v.number != nil && err == nil && n == *c.v.number, c.v.text == "*":
			return Yes
		case c.v.number != nil:
			return No
		}
		return min(Maybe, c.v.like(x.String()))
	case bool:
		return min(Maybe, c.v.like(strconv.FormatBool(x)))
	case nil:
		return min(Maybe, c.v.like("null"))
	}
	return No
}

// like compares a string: a star at either end stands for any text. Whether one
// in the middle does is told in two ways by AWS's own pages.
func (v value) like(s string) Answer {
	if v.expr != nil {
		if v.expr.MatchString(s) {
			return Yes
		}
		return No
	}
	core, open := strings.CutPrefix(v.text, "*")
	core, end := strings.CutSuffix(core, "*")
	var literal bool
	switch {
	case v.text == "*", open && end:
		literal = strings.Contains(s, core)
	case open:
		literal = strings.HasSuffix(s, core)
	case end:
		literal = strings.HasPrefix(s, core)
	default:
		literal = s == core
	}
	switch {
	case literal:
		return Yes
	case strings.Contains(core, "*") && glob(v.text, s):
		return Maybe
	}
	return No
}

// glob reports whether s is the pattern, in which each star is any text.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}

// A state is IS NULL, IS TRUE, IS FALSE or NOT EXISTS.
type state struct {
	at selector
	is string
}

func (s state) String() string { return s.at.String() + " " + s.is }

func (s state) match(e Event) Verdict {
	found := s.at.find(e.root)
	holds := s.is == "NOT EXISTS" && len(found) == 0
	for _, x := range found {
		switch b, boolean := x.(bool); s.is {
		case "IS NULL":
			holds = holds || x == nil
		case "IS TRUE":
			holds = holds || boolean && b
		case "IS FALSE":
			holds = holds || boolean && !b
		}
	}
	if holds {
		return Verdict{Answer: Yes}
	}
	return Verdict{Answer: No}
}

// find returns what the selector leads to: nothing, one value, or with a star
// any number.
func (s selector) find(root any) []any {
	at := []any{root}
	for _, st := range s {
		var next []any
		for _, v := range at {
			switch v := v.(type) {
			case map[string]any:
				if st.kind == '*' {
					for _, x := range v {
						next = append(next, x)
					}
				} else if x, ok := v[st.name]; ok && st.kind == 'n' {
					next = append(next, x)
				}
			case []any:
				if st.kind == '*' {
					next = append(next, v...)
				} else if st.kind == 'i' && st.index < len(v) {
					next = append(next, v[st.index])
				}
			}
		}
		at = next
	}
	return at
}
