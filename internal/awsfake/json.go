package awsfake

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// An object is a JSON object in the order of its members, with the API's names.
// CloudTrail writes the same names with a small first letter.
type object []member

type member struct {
	name  string
	value any // string, int, int64, float64, bool, object, []object, []string, dict, or nil
	// trail leaves the member out of the API's answer, hidden out of the trail.
	trail, hidden bool
}

// A dict is a map whose keys are data.
type dict map[string]string

type dialect bool

const (
	api        dialect = false
	cloudTrail dialect = true
)

func (o object) append(b []byte, d dialect) []byte {
	b = append(b, '{')
	first := true
	for _, m := range o {
		if d == api && m.trail || d == cloudTrail && m.hidden {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		at := len(b)
		if b = appendString(b, m.name); d == cloudTrail && b[at+1] >= 'A' && b[at+1] <= 'Z' {
			b[at+1] += 'a' - 'A'
		}
		b = append(b, ':')
		b = appendValue(b, m.value, d)
	}
	return append(b, '}')
}

func appendValue(b []byte, v any, d dialect) []byte {
	switch v := v.(type) {
	case string:
		return appendString(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(b, "null"...)
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	case dict:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(append(appendString(b, k), ':'), v[k])
		}
		return append(b, '}')
	case object:
		return v.append(b, d)
	case []object:
		b = append(b, '[')
		for i, o := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = o.append(b, d)
		}
		return append(b, ']')
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			q, err := json.Marshal(s)
			if err != nil { // a string always marshals
				panic(err)
			}
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// optional adds the member only when v is not its zero value, as CloudTrail
// shows only what the caller sent.
func (o object) optional(name string, v any) object {
	switch x := v.(type) {
	case string:
		if x == "" {
			return o
		}
	case int:
		if x == 0 {
			return o
		}
	case bool:
		if !x {
			return o
		}
	case []string:
		if x == nil {
			return o
		}
	case []object:
		if x == nil {
			return o
		}
	case object:
		if x == nil {
			return o
		}
	case dict:
		if x == nil {
			return o
		}
	}
	return append(o, member{name: name, value: v})
}
