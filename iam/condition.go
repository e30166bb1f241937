package iam

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// tri is an answer that may be open. The order matters: and is min, or is max.
type tri uint8

const (
	no tri = iota
	maybe
	yes
)

func tell(b bool) tri {
	if b {
		return yes
	}
	return no
}

// family is what kind of value an operator compares.
type family uint8

const (
	ofStrings family = iota
	ofARNs
	ofNumbers
	ofDates
	ofBools
	ofBytes
	ofAddresses
	ofPresence // Null
)

// qualifier is a set operator, or none.
type qualifier uint8

const (
	plain qualifier = iota
	forAny
	forAll
)

// condition is a compiled Condition.
type condition struct {
	*Condition
	key      string // lower case
	family   family
	quality  qualifier
	ifExists bool
	negated  bool
	// compare accepts the sign of "value of the request minus value of the
	// policy", for numbers and dates.
	compare  func(sign int) bool
	wild     bool // StringLike
	fold     bool // …IgnoreCase
	patterns []pattern
	arns     [][6][]rune // of patterns without variables
	numbers  []float64
	prefixes []netip.Prefix
	texts    []string // booleans, and decoded bytes
	// problem is why the condition cannot be evaluated whatever the request.
	problem string
}

type operator struct {
	family  family
	negated bool
	wild    bool
	fold    bool
	compare func(int) bool
}

// operators are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
// An operator that is not here is Unknown, never false: a misspelt operator in
// a Deny must not look like no Deny.
var operators = map[string]operator{
	"StringEquals":              {family: ofStrings},
	"StringNotEquals":           {family: ofStrings, negated: true},
	"StringEqualsIgnoreCase":    {family: ofStrings, fold: true},
	"StringNotEqualsIgnoreCase": {family: ofStrings, fold: true, negated: true},
	"StringLike":                {family: ofStrings, wild: true},
	"StringNotLike":             {family: ofStrings, wild: true, negated: true},
	"ArnEquals":                 {family: ofARNs, wild: true},
	"ArnLike":                   {family: ofARNs, wild: true},
	"ArnNotEquals":              {family: ofARNs, wild: true, negated: true},
	"ArnNotLike":                {family: ofARNs, wild: true, negated: true},
	"NumericEquals":             {family: ofNumbers, compare: equal},
	"NumericNotEquals":          {family: ofNumbers, compare: equal, negated: true},
	"NumericLessThan":           {family: ofNumbers, compare: less},
	"NumericLessThanEquals":     {family: ofNumbers, compare: atMost},
	"NumericGreaterThan":        {family: ofNumbers, compare: greater},
	"NumericGreaterThanEquals":  {family: ofNumbers, compare: atLeast},
	"DateEquals":                {family: ofDates, compare: equal},
	"DateNotEquals":             {family: ofDates, compare: equal, negated: true},
	"DateLessThan":              {family: ofDates, compare: less},
	"DateLessThanEquals":        {family: ofDates, compare: atMost},
	"DateGreaterThan":           {family: ofDates, compare: greater},
	"DateGreaterThanEquals":     {family: ofDates, compare: atLeast},
	"Bool":                      {family: ofBools},
	"BinaryEquals":              {family: ofBytes},
	"IpAddress":                 {family: ofAddresses},
	"NotIpAddress":              {family: ofAddresses, negated: true},
	"Null":                      {family: ofPresence},
}

func equal(sign int) bool   { return sign == 0 }
func less(sign int) bool    { return sign < 0 }
func atMost(sign int) bool  { return sign <= 0 }
func greater(sign int) bool { return sign > 0 }
func atLeast(sign int) bool { return sign >= 0 }

// compileCondition never fails: what cannot be evaluated has a problem.
func compileCondition(c *Condition, vars bool) condition {
	out := condition{Condition: c, key: strings.ToLower(c.Key)}
	name := c.Operator
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, out.quality = rest, forAny
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, out.quality = rest, forAll
	}
	name, out.ifExists = strings.CutSuffix(name, "IfExists")
	op, ok := operators[name]
	if !ok || op.family == ofPresence && (out.ifExists || out.quality != plain) {
		out.problem = fmt.Sprintf("unknown condition operator %q", c.Operator)
		return out
	}
	out.family, out.negated, out.wild, out.fold, out.compare = op.family, op.negated, op.wild, op.fold, op.compare
	if len(c.Values) == 0 {
		out.problem = c.Operator + ": no value"
	}
	for _, v := range c.Values {
		if problem := out.value(v, vars); problem != "" {
			out.problem = fmt.Sprintf("%s: %s", c.Operator, problem)
			return out
		}
	}
	return out
}

// value compiles one value of the policy, or says what is wrong with it.
func (c *condition) value(v string, vars bool) (problem string) {
	if c.family != ofStrings && c.family != ofARNs && vars && strings.Contains(v, "${") {
		return "policy variables can stand with operators of strings and ARNs only"
	}
	switch c.family {
	case ofStrings, ofARNs:
		p, err := compilePattern(v, c.wild, vars)
		if err != nil {
			return err.Error()
		}
		c.patterns = append(c.patterns, p)
		if c.family == ofARNs {
			parts, ok := splitARN(p.runes)
			if !ok {
				return fmt.Sprintf("%q is not an ARN of six parts", v)
			}
			c.arns = append(c.arns, parts)
		}
	case ofNumbers:
		n, ok := readNumber(v)
		if !ok {
			return fmt.Sprintf("%q is not a number", v)
		}
		c.numbers = append(c.numbers, n)
	case ofDates:
		n, ok := readDate(v)
		if !ok {
			return fmt.Sprintf("%q is not a date", v)
		}
		c.numbers = append(c.numbers, n)
	case ofBools, ofPresence:
		b := strings.ToLower(v)
		if b != "true" && b != "false" {
			return fmt.Sprintf("%q is neither true nor false", v)
		}
		c.texts = append(c.texts, b)
	case ofBytes:
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return fmt.Sprintf("%q is not base64", v)
		}
		c.texts = append(c.texts, string(b))
	case ofAddresses:
		p, ok := readPrefix(v)
		if !ok {
			return fmt.Sprintf("%q is neither an address nor a range", v)
		}
		c.prefixes = append(c.prefixes, p)
	}
	return ""
}

// readNumber takes integers and decimals that a float64 holds exactly enough to
// compare: 15 digits.
func readNumber(s string) (float64, bool) {
	digits := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
		} else if c != '.' && c != '-' && c != '+' {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && digits <= 15
}

// dateForms are the forms of https://www.w3.org/TR/NOTE-datetime.
var dateForms = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"}

// readDate gives seconds since 1970, of a date or of an epoch time. Four digits
// are a year.
func readDate(s string) (float64, bool) {
	if len(s) == 4 {
		t, err := time.Parse("2006", s)
		return float64(t.Unix()), err == nil
	}
	if n, ok := readNumber(s); ok {
		return n, true
	}
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return float64(t.Unix()) + float64(t.Nanosecond())/1e9, true
		}
	}
	return 0, false
}

// readPrefix takes CIDR ranges and single addresses.
func readPrefix(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err == nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// eval evaluates the condition on what the request says of its key.
func (c *condition) eval(r *Request) tri {
	if c.problem != "" {
		return maybe
	}
	v := r.lookup(c.key)
	switch v.state {
	case isAbsent:
		return c.of(nil, r)
	case isKnown:
		return c.of(v.values, r)
	case isPresent:
		if c.family == ofPresence {
			return c.of(present, r)
		}
	case isUnknown:
	}
	return maybe
}

// present stands for a value where only its presence counts.
var present = []string{"present"}

// of evaluates the condition on these values of its key; none is an absent key.
// A key that is missing makes a comparison false and a negated one true, and
// with IfExists anything true. ForAllValues is true of nothing and ForAnyValue
// false, and an empty string is nothing to both and to Null.
func (c *condition) of(values []string, r *Request) tri {
	empty := len(values) == 0 || len(values) == 1 && values[0] == ""
	if c.family == ofPresence {
		return tell(slices.Contains(c.texts, strconv.FormatBool(empty)))
	}
	if len(values) == 0 && c.ifExists {
		return yes
	}
	switch c.quality {
	case forAny:
		result := no
		if !empty {
			for _, v := range values {
				result = max(result, c.one(v, r))
			}
		}
		return result
	case forAll:
		result := yes
		if !empty {
			for _, v := range values {
				result = min(result, c.one(v, r))
			}
		}
		return result
	case plain:
	}
	switch len(values) {
	case 0:
		return tell(c.negated)
	case 1:
		return c.one(values[0], r)
	}
	return maybe // what an operator without ForAny or ForAll does with several values is not documented
}

// one evaluates the condition on one value: whether it matches any of the
// policy's, or none of them when the operator is negated.
func (c *condition) one(v string, r *Request) tri {
	result := no
	switch c.family {
	case ofStrings, ofARNs:
		for i := range c.patterns {
			result = max(result, c.matches(i, v, r))
		}
	case ofNumbers, ofDates:
		read := readNumber
		if c.family == ofDates {
			read = readDate
		}
		n, ok := read(v)
		if !ok {
			return maybe
		}
		for _, m := range c.numbers {
			sign := 0
			if n < m {
				sign = -1
			} else if n > m {
				sign = 1
			}
			result = max(result, tell(c.compare(sign)))
		}
	case ofBools:
		b := strings.ToLower(v)
		if b != "true" && b != "false" {
			return maybe
		}
		result = tell(slices.Contains(c.texts, b))
	case ofBytes:
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return maybe
		}
		result = tell(slices.Contains(c.texts, string(b)))
	case ofAddresses:
		a, err := netip.ParseAddr(v)
		if err != nil {
			return maybe
		}
		a = a.Unmap().WithZone("")
		for _, p := range c.prefixes {
			result = max(result, tell(p.Contains(a)))
		}
	case ofPresence:
	}
	if c.negated {
		return yes - result
	}
	return result
}

// matches compares with the pattern of index i. What a negated comparison with
// a variable that has no value does is not documented, so it is open.
func (c *condition) matches(i int, v string, r *Request) tri {
	p := &c.patterns[i]
	if len(p.vars) == 0 {
		switch {
		case c.family == ofARNs:
			return tell(globARN(&c.arns[i], v))
		case c.wild:
			return tell(glob(p.runes, v))
		case c.fold:
			return tell(strings.EqualFold(p.text, v))
		}
		return tell(p.text == v)
	}
	var missing, doubt string
	var hit, frail bool
	if c.family == ofARNs {
		parts := c.arns[i]
		for j := range parts {
			part, m, d, f := p.expand(parts[j], r)
			parts[j], missing, doubt, frail = part, missing+m, doubt+d, frail || f
		}
		hit = globARN(&parts, v)
	} else {
		var runes []rune
		runes, missing, doubt, frail = p.expand(p.runes, r)
		if c.fold {
			runes, v = lower(runes), strings.ToLower(v)
		}
		hit = glob(runes, v)
		if !c.wild && missing+doubt == "" {
			hit = literal(runes, v)
		}
	}
	switch {
	case (missing != "" || frail) && c.negated:
		return maybe
	case missing != "" || !hit:
		return no
	case doubt != "":
		return maybe
	}
	return yes
}

func lower(runes []rune) []rune {
	out := make([]rune, len(runes))
	for i, c := range runes {
		out[i] = c
		if c >= 0 {
			out[i] = unicode.ToLower(c)
		}
	}
	return out
}
