package ecs

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A schema is the table of all mapped names.
type schema struct {
	fields  []Field // in order of name; the index is Field.ID
	byName  map[string]*Field
	below   [][]*Field // by ID of an Object: the fields with values below it
	twin    []*Field   // by ID of a Text multi-field: the keyword it is a copy of
	longest int        // bytes of the longest name
}

// mapped builds the schema once, on first use.
var mapped = sync.OnceValue(func() *schema {
	var all []Field
	for _, r := range rows {
		all = append(all, r.field())
	}
	for _, name := range textOf {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		all = append(all, Field{Name: name + ".text", Type: Text, Source: rows[i].source, Doc: rows[i].doc + ", analysed"})
	}
	all = append(all, laminaFields()...)
	all = append(all, objects(all)...)
	slices.SortFunc(all, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	s := &schema{
		fields: all,
		byName: make(map[string]*Field, len(all)),
		below:  make([][]*Field, len(all)),
		twin:   make([]*Field, len(all)),
	}
	for i := range all {
		all[i].ID = i
		s.byName[all[i].Name] = &all[i]
		s.longest = max(s.longest, len(all[i].Name))
	}
	for i := range all {
		f := &all[i]
		if f.Type == Object {
			continue
		}
		if base, ok := s.byName[strings.TrimSuffix(f.Name, ".text")]; ok && f.Type == Text && base != f {
			s.twin[f.ID] = base
			continue
		}
		for p := range prefixes(f.Name) {
			if o := s.byName[p]; o.Type == Object {
				s.below[o.ID] = append(s.below[o.ID], f)
			}
		}
	}
	return s
})

// objects are the inner nodes above the fields of all.
func objects(all []Field) []Field {
	known := make(map[string]bool, len(all))
	for _, f := range all {
		known[f.Name] = true
	}
	var out []Field
	for _, f := range all {
		for p := range prefixes(f.Name) {
			if !known[p] {
				known[p] = true
				out = append(out, Field{Name: p, Type: Object, Doc: "the fields below " + p})
			}
		}
	}
	return out
}

// prefixes are the names of the nodes above name, outermost first.
func prefixes(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '.' && !yield(name[:i]) {
				return
			}
		}
	}
}

// Lookup returns the field called name. It is never nil: a sub-key of a
// flattened field has Root and Key, a name the mapping does not have has Type
// Unmapped, and both have ID -1. Only those two allocate.
func Lookup(name string) *Field {
	s := mapped()
	if f, ok := s.byName[name]; ok {
		return f
	}
	for p := range prefixes(name) {
		if len(p) > s.longest {
			break // a name of a thousand dots would be hashed a thousand times
		}
		if r, ok := s.byName[p]; ok && r.Type == Flattened {
			return &Field{
				Name: name, Type: Flattened, ID: -1, Root: r, Key: name[len(p)+1:],
				Source: r.Source, Doc: "a key of " + p,
			}
		}
	}
	return &Field{Name: name, Type: Unmapped, ID: -1}
}

// All yields every mapped field in order of name, which is the order of ID.
func All() iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		s := mapped()
		for i := range s.fields {
			if !yield(&s.fields[i]) {
				return
			}
		}
	}
}

// Len is the number of mapped fields: every Field.ID is below it.
func Len() int { return len(mapped().fields) }

// Below returns the fields with values below an Object, in order of name,
// without the analysed twins of keywords; nil for any other field. The slice is
// shared: do not change it.
func (f *Field) Below() []*Field {
	if f.Type != Object || f.ID < 0 {
		return nil
	}
	return mapped().below[f.ID]
}

// Twin returns the keyword that a Text multi-field (name.text) is a copy of, or
// nil.
func (f *Field) Twin() *Field {
	if f.Type != Text || f.ID < 0 {
		return nil
	}
	return mapped().twin[f.ID]
}

// Indexed reports whether a query sees value in f: a keyword longer than
// IgnoreAbove UTF-16 units is kept in the document and nowhere else.
func (f *Field) Indexed(value string) bool {
	// No UTF-8 text has more UTF-16 units than bytes.
	if f.IgnoreAbove == 0 || len(value) <= f.IgnoreAbove {
		return true
	}
	return UTF16Len(value) <= f.IgnoreAbove
}

// UTF16Len is the length of s in UTF-16 units, which is how Elasticsearch and
// Java count.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff && r != utf8.RuneError {
			n++
		}
	}
	return n
}
