// Package tomlfile reads the TOML files that people write for Lamina strictly:
// every key is asked for by name and type, a key nobody asked for is an error
// with a guess at what was meant, and every error has its line and column.
//
// It knows no file's meaning: that is the reader's, who reports what is wrong
// with a value by Fail. Input is bounded and may be hostile. Start with Parse,
// ask the Table, end with Err.
package tomlfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lamina-sec/lamina/query"
)

// MaxFile is the size above which a file is refused, in bytes.
const MaxFile = 1 << 20

// maxKeys is how many different keys a document may have, without those of all
// but the last element of each array of tables: the decoder compares every key with
// all of them. maxParts is how many parts a key may have.
const (
	maxKeys  = 10_000
	maxParts = 100
)

// maxErrors is how many errors are kept; a file with more is no such file.
const maxErrors = 20

// An Error is one thing that is wrong with a file.
type Error struct {
	File string
	// Line and Col count from 1; Line is 0 when the place is not known.
	Line, Col int
	Msg       string
	Hint      string // what to do, or ""
	Err       error  // what it was made of, or nil
}

// Error is "file:line:col: message"; the hint is the caller's to print.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }

// A file is what the tables of one file share.
type file struct {
	name string
	data []byte
	errs []*Error
	keys int // that the decoder will compare, as maxKeys counts them
}

// A Table is one table: the file itself, [name], an element of [[name]], or {…}.
type Table struct {
	f      *file
	at     int // offset of its header
	values map[string]*value
	asked  []string
}

// A value is one value; one of text, items and table is set by its kind.
type value struct {
	key   int // offset of its key
	at    int // offset of the value, or of its key when the value does not say
	kind  unstable.Kind
	text  string
	items []*value
	table *Table
}

// Parse reads the syntax. The name is used in messages only.
func Parse(name string, data []byte) (*Table, error) {
	f := &file{name: name, data: data}
	root := &Table{f: f, values: map[string]*value{}}
	if len(data) > MaxFile {
		return nil, &Error{File: name, Msg: fmt.Sprintf("%d bytes is more than the %d such a file may have", len(data), MaxFile)}
	}
	err := root.fill(data)
	if much, ok := errors.AsType[*Error](err); ok {
		return nil, much
	}
	// The decoder knows what a document may say twice; the parser above knows
	// where it is said.
	var all map[string]any
	if err := toml.Unmarshal(data, &all); err != nil {
		if dec, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, col := dec.Position()
			return nil, &Error{File: name, Line: line, Col: col, Err: err, Msg: strings.TrimPrefix(dec.Error(), "toml: "), Hint: "such files are TOML"}
		}
		return nil, &Error{File: name, Err: err, Msg: err.Error(), Hint: "such files are TOML"}
	}
	if err != nil {
		return nil, &Error{File: name, Err: err, Msg: err.Error(), Hint: "such files are TOML"}
	}
	return root, nil
}

// much is the error for a document that the decoder would take too long over.
func (f *file) much(at int, format string, args ...any) error {
	line, col := f.place(at)
	return &Error{File: f.name, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
}

// add puts a new key into the table.
func (t *Table) add(name string, v *value) error {
	if t.f.keys++; t.f.keys > maxKeys {
		return t.f.much(v.key, "more than %d keys", maxKeys)
	}
	t.values[name] = v
	return nil
}

// size is how many keys are in the table and in what it holds.
func (t *Table) size() int {
	n := 0
	for _, v := range t.values {
		n++
		if v.table != nil {
			n += v.table.size()
		}
		for _, item := range v.items {
			if item.table != nil {
				n += item.table.size()
			}
		}
	}
	return n
}

// key is the parts of a key, of which there are not too many.
func (f *file) key(it unstable.Iterator) ([]*unstable.Node, error) {
	var parts []*unstable.Node
	for it.Next() {
		if parts = append(parts, it.Node()); len(parts) > maxParts {
			return nil, f.much(int(parts[0].Raw.Offset), "a key has more than %d parts", maxParts)
		}
	}
	return parts, nil
}

// fill builds the tree.
func (t *Table) fill(data []byte) error {
	var p unstable.Parser
	p.Reset(data)
	current := t
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind { //nolint:exhaustive // the other kinds are parts of these
		case unstable.Table, unstable.ArrayTable:
			c, err := t.open(e.Key(), e.Kind == unstable.ArrayTable)
			if err != nil {
				return err
			}
			current = c
		case unstable.KeyValue:
			if err := current.set(e); err != nil {
				return err
			}
		}
	}
	return p.Error()
}

// open is the table that a header names.
func (t *Table) open(key unstable.Iterator, array bool) (*Table, error) {
	parts, err := t.f.key(key)
	if err != nil {
		return nil, err
	}
	for i, n := range parts {
		name, at := string(n.Data), int(n.Raw.Offset)
		v := t.values[name]
		switch {
		case i == len(parts)-1 && array:
			if v == nil {
				v = &value{key: at, at: at, kind: unstable.Array}
				if err := t.add(name, v); err != nil {
					return nil, err
				}
			}
			if n := len(v.items); n > 0 && v.items[n-1].table != nil {
				t.f.keys -= v.items[n-1].table.size()
			}
			c := &Table{f: t.f, at: at, values: map[string]*value{}}
			v.items = append(v.items, &value{at: at, kind: unstable.InlineTable, table: c})
			return c, nil
		case v == nil:
			v = &value{key: at, at: at, kind: unstable.InlineTable, table: &Table{f: t.f, at: at, values: map[string]*value{}}}
			if err := t.add(name, v); err != nil {
				return nil, err
			}
		case v.kind == unstable.Array && len(v.items) > 0:
			v = v.items[len(v.items)-1]
		}
		if v.table == nil {
			return nil, fmt.Errorf("%q is no table", name)
		}
		t = v.table
	}
	return t, nil
}

// set puts a key's value into the table that its dots lead to.
func (t *Table) set(e *unstable.Node) error {
	parts, err := t.f.key(e.Key())
	if err != nil {
		return err
	}
	for i, n := range parts {
		name, at := string(n.Data), int(n.Raw.Offset)
		if i == len(parts)-1 {
			v, err := t.read(e.Value(), at)
			if err != nil {
				return err
			}
			v.key = at
			return t.add(name, v)
		}
		v := t.values[name]
		if v == nil {
			v = &value{key: at, at: at, kind: unstable.InlineTable, table: &Table{f: t.f, at: at, values: map[string]*value{}}}
			if err := t.add(name, v); err != nil {
				return err
			}
		}
		if v.table == nil {
			return fmt.Errorf("%q is no table", name)
		}
		t = v.table
	}
	return nil
}

// read is a value; at is where its key is, for values that do not say.
func (t *Table) read(n *unstable.Node, at int) (*value, error) {
	if n.Raw.Length > 0 {
		at = int(n.Raw.Offset)
	}
	v := &value{at: at, kind: n.Kind, text: string(n.Data)}
	switch n.Kind { //nolint:exhaustive // the other kinds are their text
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			item, err := t.read(it.Node(), at)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, item)
		}
	case unstable.InlineTable:
		v.table = &Table{f: t.f, at: at, values: map[string]*value{}}
		for it := n.Children(); it.Next(); {
			if err := v.table.set(it.Node()); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// Fail notes that something is wrong with the value of key, or with the table
// when it has no such key.
func (t *Table) Fail(key, hint, format string, args ...any) {
	at := t.at
	if v := t.values[key]; v != nil {
		at = v.at
	}
	t.f.fail(at, hint, fmt.Sprintf(format, args...))
}

func (f *file) fail(at int, hint, msg string) {
	if len(f.errs) >= maxErrors {
		return
	}
	line, col := f.place(at)
	f.errs = append(f.errs, &Error{File: f.name, Line: line, Col: col, Msg: msg, Hint: hint})
}

// place is the line and column of an offset.
func (f *file) place(at int) (line, col int) {
	before := f.data[:min(at, len(f.data))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// Line is the line of key's value, or of the table when it has no such key.
func (t *Table) Line(key string) int {
	at := t.at
	if v := t.values[key]; v != nil {
		at = v.at
	}
	line, _ := t.f.place(at)
	return line
}

// Has reports whether the table has the key. It does not count as asking.
func (t *Table) Has(key string) bool { return t.values[key] != nil }

// get is the value of key if it is of a kind that is wanted. A value of another
// kind is an error.
func (t *Table) get(key string, want ...unstable.Kind) *value {
	t.asked = append(t.asked, key)
	v := t.values[key]
	if v == nil {
		return nil
	}
	if !slices.Contains(want, v.kind) {
		t.f.fail(v.at, "", fmt.Sprintf("%s: want %s, got %s", key, word(want[0]), word(v.kind)))
		return nil
	}
	return v
}

// Text is the text of key, "" if there is none.
func (t *Table) Text(key string) string {
	if v := t.get(key, unstable.String); v != nil {
		return v.text
	}
	return ""
}

// Word is Text that must be one of allowed; the first stands for a missing key.
func (t *Table) Word(key string, allowed ...string) string {
	v := t.get(key, unstable.String)
	if v == nil {
		return allowed[0]
	}
	if !slices.Contains(allowed, v.text) {
		hint := "want one of " + strings.Join(allowed, ", ")
		if g := query.Nearest(v.text, slices.Values(allowed)); g != "" {
			hint = "did you mean " + g + "?"
		}
		t.f.fail(v.at, hint, fmt.Sprintf("%s: unknown value %q", key, v.text))
		return allowed[0]
	}
	return v.text
}

// Texts is the list of texts of key, nil if there is none. An empty list is an
// error: leave the key out.
func (t *Table) Texts(key string) []string {
	v := t.get(key, unstable.Array)
	if v == nil {
		return nil
	}
	if len(v.items) == 0 {
		t.f.fail(v.at, "leave the key out", key+": the list is empty")
	}
	var out []string
	for _, item := range v.items {
		if item.kind != unstable.String || item.text == "" {
			t.f.fail(item.at, "", fmt.Sprintf("%s: want a list of texts, got %s in it", key, word(item.kind)))
			return nil
		}
		out = append(out, item.text)
	}
	return out
}

// Int is the number of key, which must not be negative; 0 if there is none.
func (t *Table) Int(key string) int64 {
	v := t.get(key, unstable.Integer)
	if v == nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(v.text, "_", ""), 0, 64)
	if err != nil || n < 0 {
		t.f.fail(v.at, "", fmt.Sprintf("%s: %s is no number from 0 on", key, v.text))
		return 0
	}
	return n
}

// Bool is the truth of key, or what it is without it.
func (t *Table) Bool(key string, without bool) bool {
	if v := t.get(key, unstable.Bool); v != nil {
		return v.text == "true"
	}
	return without
}

// Date is the day of key at midnight UTC, zero if there is none. A text in the
// same form is taken too.
func (t *Table) Date(key string) time.Time {
	v := t.get(key, unstable.LocalDate, unstable.String)
	if v == nil {
		return time.Time{}
	}
	d, err := time.Parse(time.DateOnly, v.text)
	if err != nil {
		t.f.fail(v.at, "write YYYY-MM-DD", fmt.Sprintf("%s: %q is no date", key, v.text))
	}
	return d
}

// Table is the table of key, or nil.
func (t *Table) Table(key string) *Table {
	if v := t.get(key, unstable.InlineTable); v != nil {
		return v.table
	}
	return nil
}

// Tables are the elements of [[key]], in order.
func (t *Table) Tables(key string) []*Table {
	v := t.get(key, unstable.Array)
	if v == nil {
		return nil
	}
	var out []*Table
	for _, item := range v.items {
		if item.table == nil {
			t.f.fail(item.at, "write [["+key+"]]", fmt.Sprintf("%s: want tables, got %s in it", key, word(item.kind)))
			return nil
		}
		out = append(out, item.table)
	}
	return out
}

// Keys are the keys of the table, sorted. Asking for them asks for all.
func (t *Table) Keys() []string {
	keys := slices.Sorted(maps.Keys(t.values))
	t.asked = append(t.asked, keys...)
	return keys
}

// Done ends the questions to this table: any other key in it is an error. It
// reports whether there was none.
func (t *Table) Done() bool {
	ok := true
	for _, key := range slices.SortedFunc(maps.Keys(t.values), func(a, b string) int {
		return cmp.Compare(t.values[a].key, t.values[b].key)
	}) {
		if slices.Contains(t.asked, key) {
			continue
		}
		ok = false
		hint := "known keys: " + strings.Join(t.asked, ", ")
		if g := query.Nearest(key, slices.Values(t.asked)); g != "" {
			hint = "did you mean " + g + "?"
		}
		t.f.fail(t.values[key].key, hint, fmt.Sprintf("unknown key %q", key))
	}
	return ok
}

// Only is Done after asking for the keys whatever they hold.
func (t *Table) Only(keys ...string) bool {
	t.asked = append(t.asked, keys...)
	return t.Done()
}

// Err is everything that is wrong with the whole file, in the order of the file,
// as an error whose parts are *Error; nil if nothing is.
func (t *Table) Err() error {
	slices.SortStableFunc(t.f.errs, func(a, b *Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col)) })
	errs := make([]error, len(t.f.errs))
	for i, e := range t.f.errs {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// word is what a person calls a kind of value.
func word(k unstable.Kind) string {
	switch k { //nolint:exhaustive // the rest are dates, and parts of a document that are no value
	case unstable.String:
		return "a text in quotes"
	case unstable.Integer:
		return "a whole number"
	case unstable.Bool:
		return "true or false"
	case unstable.Float:
		return "a fraction"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	case unstable.LocalDate:
		return "a date"
	}
	return "a time"
}
