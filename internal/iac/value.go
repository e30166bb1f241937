package iac

import (
	"maps"
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
)

// kind is what a value is.
type kind uint8

const (
	absent  kind = iota // not there, null, or AWS::NoValue
	text                // a string, a number or a boolean, as text
	list                // items
	object              // fields
	unknown             // why it is not known
)

// A value is one value of a template, before or after it was resolved.
type value struct {
	kind   kind
	text   string
	items  []value
	fields map[string]value
	// why says, of an unknown value, why it is not known until it is deployed; of an
	// object, why it may get more fields than it has.
	why string
	// parameter is the SSM parameter, "NAME" or "NAME:VERSION", that an unknown value
	// is made of.
	parameter string
	// bare says of a text that it is a number or a boolean of JSON, and no string.
	bare bool
	at   lamina.Origin
}

func textOf(s string, at lamina.Origin) value { return value{kind: text, text: s, at: at} }

func unknownOf(why string, at lamina.Origin) value { return value{kind: unknown, why: why, at: at} }

// A cause is why a value is not known.
type cause struct {
	why       string // without a full stop
	parameter string // the SSM parameter that it is made of, or ""
}

func unknownBy(c cause, at lamina.Origin) value {
	return value{kind: unknown, why: c.why, parameter: c.parameter, at: at}
}

// get is the field with the first of the names that is there. What is asked of
// something unknown is unknown.
func (v value) get(names ...string) value {
	if v.kind == unknown {
		return v
	}
	for _, n := range names {
		if f, ok := v.fields[n]; ok && f.kind != absent {
			return f
		}
	}
	if v.kind == object && v.why != "" {
		return unknownOf(v.why, v.at)
	}
	return value{at: v.at}
}

// known returns the text of v; "" with true when it is absent.
func (v value) known() (string, bool) { return v.text, v.kind == text || v.kind == absent }

// or is v, or other when v is absent.
func (v value) or(other value) value {
	if v.kind == absent {
		return other
	}
	return v
}

// each is the items of a list, and of anything else but nothing the one thing.
func (v value) each() []value {
	switch v.kind {
	case absent:
		return nil
	case list:
		return v.items
	case text, object, unknown:
	}
	return []value{v}
}

// texts are the items that are known texts.
func (v value) texts() []string {
	var out []string
	for _, item := range v.each() {
		if item.kind == text {
			out = append(out, item.text)
		}
	}
	return out
}

// names are the fields of an object, sorted.
func (v value) names() []string { return slices.Sorted(maps.Keys(v.fields)) }

// doubt is the first unknown value in v, or false.
func (v value) doubt() (value, bool) {
	switch v.kind {
	case unknown:
		return v, true
	case list:
		for _, item := range v.items {
			if d, ok := item.doubt(); ok {
				return d, true
			}
		}
	case object:
		for _, name := range v.names() {
			if d, ok := v.fields[name].doubt(); ok {
				return d, true
			}
		}
		return unknownOf(v.why, v.at), v.why != ""
	case absent, text:
	}
	return value{}, false
}

// place is where something is, as people write it.
func place(o lamina.Origin) string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}
