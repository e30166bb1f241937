package rule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lamina-sec/lamina/query"
)

// MaxFile is the size above which a rule file is refused, in bytes.
const MaxFile = 1 << 20

// MaxKeys is how many keys a table may have: each is compared with all before it.
const MaxKeys = 1_000

// MaxDepth is how deep tables and arrays may nest.
const MaxDepth = 100

// A Kind is the type of a Value.
type Kind uint8

// The kinds of values. Null occurs in JSON only.
const (
	String Kind = iota + 1
	Bool
	Integer
	Float
	Time
	Array
	Table
	Null
)

func (k Kind) String() string {
	return [...]string{"", "a string", "a boolean", "an integer", "a number", "a time", "a list", "a table", "null"}[k]
}

// A Value is one value of a rule file and where it was read.
type Value struct {
	Kind Kind
	// Text is the decoded text of a String and the text as written of every
	// other scalar.
	Text string
	// Elems are the elements of an Array.
	Elems []*Value
	// Keys are the entries of a Table in file order.
	Keys []Entry
	// Pos is where the value starts in the file.
	Pos query.Pos

	// raw is the string as written, with its quotes; f the file it stands in.
	raw    []byte
	f      *text
	header bool // the table was opened by a header of its own
	closed bool // written in line: nothing may be added to it
	tables bool // an Array made by [[headers]]
}

// An Entry is one key of a Table.
type Entry struct {
	Name  string
	Pos   query.Pos
	Value *Value
}

// Get returns the value at a path of keys below a table, or nil.
func (v *Value) Get(path ...string) *Value {
	for _, name := range path {
		if v == nil || v.Kind != Table {
			return nil
		}
		e := v.entry(name)
		if e == nil {
			return nil
		}
		v = e.Value
	}
	return v
}

func (v *Value) entry(name string) *Entry {
	for i := range v.Keys {
		if v.Keys[i].Name == name {
			return &v.Keys[i]
		}
	}
	return nil
}

func (v *Value) set(name string, pos query.Pos, val *Value) {
	v.Keys = append(v.Keys, Entry{Name: name, Pos: pos, Value: val})
}

// At maps a place in the decoded text of a String to the file: the offset off
// and the length n, both in bytes, of the text become the position and length
// of the bytes that wrote them, escapes included.
func (v *Value) At(off, n int) query.Pos {
	if v.f == nil || v.Kind != String {
		return v.Pos
	}
	from, to := rawOffset(v.raw, off), rawOffset(v.raw, off+n)
	return v.f.pos(v.Pos.Offset+from, max(to-from, 0))
}

// text is a file with its line starts, for positions.
type text struct {
	name  string
	data  []byte
	lines []int // offsets of the line starts
}

func newText(name string, data []byte) *text {
	t := &text{name: name, data: data, lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

func (t *text) pos(off, n int) query.Pos {
	off = min(max(off, 0), len(t.data))
	i, found := slices.BinarySearch(t.lines, off)
	if !found {
		i--
	}
	return query.Pos{Offset: off, Line: i + 1, Col: off - t.lines[i] + 1, Len: min(n, len(t.data)-off)}
}

// parseTOML reads a document into a tree with positions. The first violation of
// the grammar ends it; repeated keys do not.
func parseTOML(f *text) (*Value, Errors) {
	p := &tomlParser{f: f, root: &Value{Kind: Table, Pos: f.pos(0, 0), f: f}}
	p.table = p.root
	p.p.Reset(f.data)
	for p.p.NextExpression() {
		p.expression(p.p.Expression())
		if p.stop {
			break
		}
	}
	if err := p.p.Error(); err != nil {
		pos := f.pos(0, 0)
		if pe, ok := errors.AsType[*unstable.ParserError](err); ok {
			// A highlight is a subslice of the data, except where the
			// parser ran off its end.
			if off := cap(f.data) - cap(pe.Highlight); off >= 0 && off <= len(f.data) {
				pos = f.pos(off, len(pe.Highlight))
			}
			err = errors.New(pe.Message)
		}
		p.errs = append(p.errs, &Error{File: f.name, Pos: pos, Msg: "not TOML: " + err.Error()})
	}
	return p.root, p.errs
}

type tomlParser struct {
	f     *text
	p     unstable.Parser
	root  *Value
	table *Value // the table that keys go to; nil after a header that was wrong
	errs  Errors
	stop  bool
}

func (p *tomlParser) fail(pos query.Pos, format string, args ...any) {
	p.errs = append(p.errs, &Error{File: p.f.name, Pos: pos, Msg: fmt.Sprintf(format, args...)})
	p.stop = p.stop || len(p.errs) >= maxErrors
}

// set gives the table the key, and ends the reading when it has too many.
func (p *tomlParser) set(t *Value, k part, v *Value) {
	t.set(k.name, k.pos, v)
	if len(t.Keys) > MaxKeys && !p.stop {
		p.fail(k.pos, "a table has more than %d keys", MaxKeys)
		p.stop = true
	}
}

func (p *tomlParser) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable:
		p.table = p.open(n)
	case unstable.KeyValue:
		if p.table != nil {
			p.keyValue(p.table, n, 1)
		}
	case unstable.Invalid, unstable.Comment, unstable.Key, unstable.Array, unstable.InlineTable, unstable.String, unstable.Bool,
		unstable.Float, unstable.Integer, unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
		// Not expressions: comments are left out, the others are parts.
	}
}

// part is one part of a dotted key.
type part struct {
	name string
	pos  query.Pos
}

func (p *tomlParser) key(it unstable.Iterator) []part {
	var parts []part
	for it.Next() {
		k := it.Node()
		parts = append(parts, part{string(k.Data), p.f.pos(int(k.Raw.Offset), int(k.Raw.Length))})
	}
	return parts
}

// open finds or makes the table that a header names.
func (p *tomlParser) open(n *unstable.Node) *Value {
	parts := p.key(n.Key())
	if len(parts) > MaxDepth {
		p.fail(parts[0].pos, "a key has more than %d parts", MaxDepth)
		return nil
	}
	t := p.root
	for i, k := range parts {
		last := i == len(parts)-1
		e := t.entry(k.name)
		switch {
		case e == nil && last && n.Kind == unstable.ArrayTable:
			item := &Value{Kind: Table, Pos: k.pos, f: p.f, header: true}
			p.set(t, k, &Value{Kind: Array, Pos: k.pos, f: p.f, tables: true, Elems: []*Value{item}})
			return item
		case e == nil:
			next := &Value{Kind: Table, Pos: k.pos, f: p.f, header: last}
			p.set(t, k, next)
			t = next
		case e.Value.tables && last && n.Kind == unstable.ArrayTable:
			item := &Value{Kind: Table, Pos: k.pos, f: p.f, header: true}
			e.Value.Elems = append(e.Value.Elems, item)
			return item
		case e.Value.tables && !last:
			t = e.Value.Elems[len(e.Value.Elems)-1]
		case e.Value.Kind == Table && !e.Value.closed && (!last || n.Kind == unstable.Table && !e.Value.header):
			t = e.Value
			t.header = t.header || last
		default:
			p.fail(k.pos, "%s is already defined at line %d", k.name, e.Pos.Line)
			return nil
		}
	}
	return t
}

func (p *tomlParser) keyValue(t *Value, n *unstable.Node, depth int) {
	parts := p.key(n.Key())
	if depth+len(parts) > MaxDepth {
		p.fail(parts[0].pos, "values nest more than %d deep", MaxDepth)
		return
	}
	for _, k := range parts[:len(parts)-1] {
		e := t.entry(k.name)
		switch {
		case e == nil:
			next := &Value{Kind: Table, Pos: k.pos, f: p.f}
			p.set(t, k, next)
			t = next
		case e.Value.Kind == Table && !e.Value.closed && !e.Value.header:
			t = e.Value
		default:
			p.fail(k.pos, "%s is already defined at line %d", k.name, e.Pos.Line)
			return
		}
	}
	last := parts[len(parts)-1]
	if e := t.entry(last.name); e != nil {
		p.fail(last.pos, "%s is already defined at line %d", last.name, e.Pos.Line)
		return
	}
	// The parser gives arrays no range of their own: the value starts after
	// the key's equals sign.
	off := last.pos.Offset + last.pos.Len
	for off < len(p.f.data) && strings.IndexByte(" \t=", p.f.data[off]) >= 0 {
		off++
	}
	if v := p.value(n.Value(), off, depth+len(parts)); v != nil {
		p.set(t, last, v)
	}
}

func (p *tomlParser) value(n *unstable.Node, off, depth int) *Value {
	if depth > MaxDepth {
		p.fail(p.f.pos(off, 1), "values nest more than %d deep", MaxDepth)
		return nil
	}
	if n.Raw.Length > 0 {
		off = int(n.Raw.Offset)
	}
	v := &Value{Pos: p.f.pos(off, int(n.Raw.Length)), f: p.f, Text: string(n.Data)}
	switch n.Kind {
	case unstable.String:
		v.Kind = String
		v.raw = p.p.Raw(n.Raw)
	case unstable.Bool:
		v.Kind = Bool
	case unstable.Integer:
		v.Kind = Integer
		if _, err := v.Int(); err != nil {
			p.fail(v.Pos, "%q does not fit in 64 bits", v.Text)
			return nil
		}
	case unstable.Float:
		v.Kind = Float
	case unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
		v.Kind = Time
	case unstable.Array:
		v.Kind, v.closed = Array, true
		for it := n.Children(); it.Next(); {
			e := p.value(it.Node(), off, depth+1)
			if e == nil {
				return nil
			}
			v.Elems = append(v.Elems, e)
		}
	case unstable.InlineTable:
		v.Kind, v.Text = Table, ""
		for it := n.Children(); it.Next() && !p.stop; {
			p.keyValue(v, it.Node(), depth+1)
		}
		v.close()
	case unstable.Invalid, unstable.Comment, unstable.Key, unstable.Table, unstable.ArrayTable, unstable.KeyValue:
		p.fail(v.Pos, "unexpected %s", n.Kind)
		return nil
	}
	return v
}

// close forbids later headers and dotted keys to add to an inline table.
func (v *Value) close() {
	v.closed = true
	for _, e := range v.Keys {
		if e.Value.Kind == Table {
			e.Value.close()
		}
	}
}

// Int is the value of an Integer, or of a Float without a fraction.
func (v *Value) Int() (int64, error) {
	s := strings.ReplaceAll(v.Text, "_", "")
	if v.Kind == Float {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return 0, fmt.Errorf("%q is not an integer", v.Text)
		}
		return int64(f), nil
	}
	s = strings.TrimPrefix(s, "+")
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		// ParseInt would read a leading zero as octal.
		return 0, fmt.Errorf("%q is not an integer", v.Text)
	}
	return strconv.ParseInt(s, 0, 64)
}

// rawOffset is the offset in a written string of the byte that makes byte off
// of the decoded text. It knows the four TOML strings and the JSON one.
func rawOffset(raw []byte, off int) int {
	i, basic, multi := 1, raw[0] == '"', false
	if len(raw) >= 6 && raw[1] == raw[0] && raw[2] == raw[0] {
		i, multi = 3, true
		switch {
		case raw[i] == '\n':
			i++
		case raw[i] == '\r' && raw[i+1] == '\n':
			i += 2
		}
	}
	if !basic {
		return min(i+off, len(raw))
	}
	for i < len(raw) {
		if raw[i] != '\\' {
			if off <= 0 {
				return i
			}
			off--
			i++
			continue
		}
		n, size := escape(raw[i:], multi)
		if off < size || off <= 0 && size > 0 {
			return i
		}
		off -= size
		i += n
	}
	return len(raw)
}

// escape returns how many bytes the escape at the start of b takes, and how
// many bytes of text it stands for.
func escape(b []byte, multi bool) (n, size int) {
	if len(b) < 2 {
		return len(b), 0
	}
	var digits int
	switch b[1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case ' ', '\t', '\r', '\n':
		if multi {
			n = 1
			for n < len(b) && strings.IndexByte(" \t\r\n", b[n]) >= 0 {
				n++
			}
			return n, 0
		}
		return 2, 1
	default:
		return 2, 1
	}
	r := hexRune(b, 2, digits)
	n = 2 + digits
	// JSON writes a rune above U+FFFF as two escapes.
	if r >= 0xD800 && r < 0xDC00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low := hexRune(b, 8, 4); low >= 0xDC00 && low < 0xE000 {
			return 12, 4
		}
	}
	if size = utf8.RuneLen(r); size < 0 {
		size = utf8.RuneLen(utf8.RuneError)
	}
	return min(n, len(b)), size
}

func hexRune(b []byte, from, digits int) rune {
	if from+digits > len(b) {
		return utf8.RuneError
	}
	r, err := strconv.ParseUint(string(b[from:from+digits]), 16, 32)
	if err != nil || r > math.MaxInt32 {
		return utf8.RuneError
	}
	return rune(r)
}
