package ecs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Doc is an Event over a JSON document in memory: what an Elastic index would
// return as _source, or what a test writes. It is not safe for concurrent use.
type Doc struct {
	source map[string]any
	lookup func(string) *Field
	values map[string][]string
	nodes  map[string]bool // every name with a value at or below it
	raw    []byte
}

// NewDoc reads a document whose names are nested, dotted, or both. Values are
// what encoding/json makes of JSON, json.Number included; null, empty lists and
// empty objects are no values. Lookup is Lookup when nil.
//
// A date that is written in RFC 3339 or as milliseconds becomes the form that
// Event promises; any other value is kept as it is written.
func NewDoc(source map[string]any, lookup func(string) *Field) *Doc {
	if lookup == nil {
		lookup = Lookup
	}
	d := &Doc{source: source, lookup: lookup, values: map[string][]string{}, nodes: map[string]bool{}}
	d.walk("", source)
	return d
}

// walk collects the values at and below name. Objects in lists add to the same
// names, as they do in an index.
func (d *Doc) walk(name string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if name == "" {
				d.walk(k, v[k])
			} else {
				d.walk(name+"."+k, v[k])
			}
		}
	case []any:
		for _, e := range v {
			d.walk(name, e)
		}
	case []string:
		for _, e := range v {
			d.walk(name, e)
		}
	default:
		d.add(name, v)
	}
}

func (d *Doc) add(name string, v any) {
	f := d.lookup(name)
	text := scalar(v)
	if f.Type == Date {
		text = dateText(text)
	}
	d.values[name] = append(d.values[name], text)
	d.nodes[name] = true
	for p := range prefixes(name) {
		d.nodes[p] = true
	}
	if f.Root != nil {
		d.values[f.Root.Name] = append(d.values[f.Root.Name], text)
	}
}

// scalar is v as JSON prints it, without the quotes of a string.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.Trim(string(b), `"`)
}

func dateText(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil || len(s) < 5 { // four digits are a year
			return s
		}
		t = time.UnixMilli(ms)
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Values returns what Event promises. The root of a flattened field has the
// values of all its keys, the analysed twin of a keyword has the keyword's, and
// a constant has its value in every document.
func (d *Doc) Values(f *Field) []string {
	if v, ok := d.values[f.Name]; ok {
		return v
	}
	switch {
	case f.Type == Text && strings.HasSuffix(f.Name, ".text"):
		return d.values[strings.TrimSuffix(f.Name, ".text")]
	case f.Type == ConstantKeyword && f.Const != "":
		d.values[f.Name] = []string{f.Const}
		return d.values[f.Name]
	}
	return nil
}

// Exists returns what Event promises.
func (d *Doc) Exists(f *Field) bool { return d.nodes[f.Name] || len(d.Values(f)) > 0 }

// Raw is the document as JSON.
func (d *Doc) Raw() []byte {
	if d.raw == nil {
		b, err := json.Marshal(d.source)
		if err != nil {
			return nil
		}
		d.raw = b
	}
	return d.raw
}
