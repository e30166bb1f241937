package codeflow

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of values.
const (
	maxText   = 1 << 20 // bytes of one folded string
	maxList   = 1 << 16 // elements of one folded list
	maxPath   = 200     // bytes of a dotted path
	maxFields = 64      // of one dictionary
	maxTaints = 64
)

type shape uint8

const (
	shapeNone     shape = iota
	shapeText           // text is the value
	shapeTemplate       // text is the value with {} for what is not known
	shapeNum
	shapeList
	shapeOneOf // one of list, which one is not known
	shapeDict
)

// A Value is what is known of a value. nil is a value of which nothing is known.
type Value struct {
	path   string
	text   string
	num    int64
	list   []*Value
	fields []field
	fn     *Func
	class  *class
	taint  uint64
	marks  uint16
	via    uint16
	shape  shape
	folded bool // put together by chr, reversal, join, decoding …
	joined bool // put together by + or formatting
}

type field struct {
	key string
	v   *Value
}

// Text returns a constant string and whether it is one.
func (v *Value) Text() (string, bool) {
	if v == nil || v.shape != shapeText {
		return "", false
	}
	return v.text, true
}

// Int returns a constant integer and whether it is one.
func (v *Value) Int() (int64, bool) {
	if v == nil || v.shape != shapeNum {
		return 0, false
	}
	return v.num, true
}

// List returns the elements of a list and whether it is one.
func (v *Value) List() ([]*Value, bool) {
	if v == nil || v.shape != shapeList {
		return nil, false
	}
	return v.list, true
}

// Path returns the dotted path of an object, or "".
func (v *Value) Path() string {
	if v == nil {
		return ""
	}
	return v.path
}

// Folded returns a copy of v that is marked as put together by the code.
func (v *Value) Folded() *Value {
	if v == nil {
		return nil
	}
	c := *v
	c.folded = true
	return &c
}

// TextValue is a constant string; nil if it is too long to keep.
func TextValue(s string) *Value {
	if len(s) > maxText {
		return nil
	}
	return &Value{shape: shapeText, text: s}
}

// IntValue is a constant integer.
func IntValue(n int64) *Value { return &Value{shape: shapeNum, num: n} }

// ListValue is a list.
func ListValue(l []*Value) *Value {
	if len(l) > maxList {
		return nil
	}
	return &Value{shape: shapeList, list: l}
}

// PathValue is the object at a dotted path.
func PathValue(p string) *Value {
	if p == "" || len(p) > maxPath {
		return nil
	}
	return &Value{path: p}
}

// Field returns the value of a dictionary's constant key.
func (v *Value) Field(key string) *Value {
	if v == nil {
		return nil
	}
	for _, f := range v.fields {
		if f.key == key {
			return f.v
		}
	}
	return nil
}

// has says whether a dictionary has a constant key, whatever is under it.
func (v *Value) has(key string) bool {
	return v != nil && slices.ContainsFunc(v.fields, func(f field) bool { return f.key == key })
}

// carry returns v with the taint, marks and wrappers of from added.
func (v *Value) carry(from *Value) *Value {
	if from == nil || from.taint == 0 && from.marks == 0 && from.via == 0 {
		return v
	}
	if v == nil {
		return &Value{taint: from.taint, marks: from.marks, via: from.via}
	}
	if v.taint|from.taint == v.taint && v.marks|from.marks == v.marks && v.via|from.via == v.via {
		return v
	}
	c := *v
	c.taint |= from.taint
	c.marks |= from.marks
	c.via |= from.via
	return &c
}

// join is a value that is a or b.
func join(a, b *Value) *Value {
	switch {
	case a == nil || a == b:
		return b
	case b == nil:
		return a
	}
	c := *a
	c.taint |= b.taint
	c.marks |= b.marks
	c.via |= b.via
	if c.path == "" {
		c.path = b.path
	}
	if c.fn == nil {
		c.fn = b.fn
	}
	if c.class == nil {
		c.class = b.class
	}
	switch {
	case c.shape == shapeNone:
		c.shape, c.text, c.num, c.list, c.fields, c.folded = b.shape, b.text, b.num, b.list, b.fields, b.folded
	case b.shape == shapeNone:
	case c.shape == shapeText && b.shape == shapeText && c.text == b.text, c.shape == shapeNum && b.shape == shapeNum && c.num == b.num:
	case c.shape == shapeText && b.shape == shapeText:
		c.shape, c.list = shapeOneOf, []*Value{{shape: shapeText, text: a.text}, {shape: shapeText, text: b.text}}
	case c.shape == shapeOneOf && b.shape == shapeText && len(c.list) < 32:
		for _, x := range c.list {
			if x.text == b.text {
				return &c
			}
		}
		c.list = append(slices.Clip(c.list), &Value{shape: shapeText, text: b.text})
	case c.shape == shapeDict && b.shape == shapeDict:
		c.fields = slices.Clone(c.fields)
		for _, f := range b.fields {
			c.setField(f.key, join(c.Field(f.key), f.v))
		}
	}
	return &c
}

func (v *Value) setField(key string, x *Value) {
	for i, f := range v.fields {
		if f.key == key {
			v.fields[i].v = x
			return
		}
	}
	if len(v.fields) < maxFields {
		v.fields = append(v.fields, field{key, x})
	}
}

// template puts parts one after the other. Without an engine nothing is remembered.
func (e *engine) template(parts []*Value) *Value {
	var v Value
	v.shape = shapeText
	size := 0
	for _, p := range parts {
		if p != nil {
			v.taint |= p.taint
			v.marks |= p.marks
			v.via |= p.via
			v.folded = v.folded || p.folded
			size += len(p.text)
		}
	}
	if size > maxText {
		v.shape, v.folded = shapeNone, false
		return &v
	}
	var room [8]string
	texts := room[:0]
	for _, p := range parts {
		text := "{}"
		switch {
		case p != nil && p.shape == shapeText:
			text = p.text
		case p != nil && p.shape == shapeNum:
			text = itoa(p.num)
		case p != nil && p.shape == shapeTemplate:
			v.shape, text = shapeTemplate, p.text
		default:
			v.shape = shapeTemplate
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	v.text = e.joinTexts(texts)
	v.joined = len(parts) > 1
	if v.shape == shapeTemplate && strings.Trim(v.text, "{}") == "" {
		v.shape, v.text = shapeNone, ""
		if v.taint == 0 && v.marks == 0 && v.via == 0 {
			return nil
		}
	}
	return &v
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
