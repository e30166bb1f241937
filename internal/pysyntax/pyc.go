package pysyntax

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// How a .pyc file is checked against its source (PEP 552).
const (
	// PycTimestamp is valid while the source has the recorded time and size.
	PycTimestamp = "timestamp"
	// PycCheckedHash is valid while the source has the recorded hash.
	PycCheckedHash = "checked-hash"
	// PycUncheckedHash is always valid: the source is not looked at.
	PycUncheckedHash = "unchecked-hash"
)

// A Pyc is a file of compiled Python.
type Pyc struct {
	// Magic is the number of the bytecode's format, and Version the Python it
	// belongs to ("3.11"), "" if it is none we know.
	Magic   int    `json:"magic"`
	Version string `json:"version,omitempty"`
	// Mode is one of the Pyc constants.
	Mode string `json:"mode"`
	// MTime (seconds since 1970) and Size (bytes, modulo 2^32) are of the source,
	// in the timestamp mode; Hash is its SipHash in hexadecimal in the others.
	MTime uint32 `json:"mtime,omitempty"`
	Size  uint32 `json:"size,omitempty"`
	Hash  string `json:"hash,omitempty"`
	// File is the source's path as the compiler saw it, cleaned.
	File string `json:"file,omitempty"`
	// Names are the names the code uses, sorted: globals, attributes, modules.
	Names []string `json:"names,omitempty"`
	// Functions are the names of its functions and classes, sorted.
	Functions []string `json:"functions,omitempty"`
	// Facts has the imports (for versions 3.6 to 3.13) and the constants of interest.
	Facts *Facts `json:"facts,omitempty"`
	// Trailing is how many bytes follow the code.
	Trailing int `json:"trailing,omitempty"`
}

// Limits of the walk through a .pyc file.
const (
	pycDepth   = 64
	pycObjects = 1 << 20
	pycNames   = 4096
)

// ErrNotPyc says that a file does not begin like compiled Python.
var ErrNotPyc = errors.New("not compiled python")

// versions are the last magic numbers of each version of CPython, in order
// (Lib/importlib/_bootstrap_external.py lists them).
var versions = []struct {
	from, to int
	name     string
}{
	{3360, 3379, "3.6"},
	{3390, 3394, "3.7"},
	{3400, 3413, "3.8"},
	{3420, 3425, "3.9"},
	{3430, 3439, "3.10"},
	{3450, 3495, "3.11"},
	{3500, 3531, "3.12"},
	{3550, 3571, "3.13"},
	{3600, 3649, "3.14"},
	{62171, 62211, "2.7"},
}

// ReadPyc reads the header of a .pyc file and walks through its constants. It
// runs nothing. A Pyc is returned with an error of the walk if the header could
// be read.
func ReadPyc(data []byte) (*Pyc, error) {
	if len(data) < 8 || data[2] != '\r' || data[3] != '\n' {
		return nil, ErrNotPyc
	}
	p := &Pyc{Magic: int(binary.LittleEndian.Uint16(data)), Mode: PycTimestamp}
	for _, v := range versions {
		if p.Magic >= v.from && p.Magic <= v.to {
			p.Version = v.name
		}
	}
	header := 16
	switch {
	case p.Version == "2.7":
		header = 8
		p.MTime = binary.LittleEndian.Uint32(data[4:])
	case p.Version == "3.6":
		header = 12
		if len(data) < header {
			return nil, ErrNotPyc
		}
		p.MTime, p.Size = binary.LittleEndian.Uint32(data[4:]), binary.LittleEndian.Uint32(data[8:])
	case len(data) < header:
		return nil, ErrNotPyc
	default:
		flags := binary.LittleEndian.Uint32(data[4:])
		switch {
		case flags&1 == 0:
			p.MTime, p.Size = binary.LittleEndian.Uint32(data[8:]), binary.LittleEndian.Uint32(data[12:])
		case flags&2 != 0:
			p.Mode = PycCheckedHash
		default:
			p.Mode = PycUncheckedHash
		}
		if p.Mode != PycTimestamp {
			p.Hash = hex.EncodeToString(data[8:16])
		}
	}
	p.Facts = &Facts{Language: "python-bytecode"}
	p.Facts.Measures.Bytes = len(data)
	if p.Version == "" {
		p.Facts.Partial = true
		return p, fmt.Errorf("magic number %d is of no Python from 3.6 to 3.14: its constants are not read", p.Magic)
	}
	w := walker{data: data, pos: header, pyc: p, minor: minor(p.Version), names: map[string]bool{}, functions: map[string]bool{}}
	w.collect.Facts = p.Facts
	_, err := w.object(0)
	p.Names, p.Functions = keys(w.names), keys(w.functions)
	slices.SortStableFunc(p.Facts.Imports, func(a, b Import) int { return a.Line - b.Line })
	if err != nil {
		p.Facts.Partial = true
		return p, fmt.Errorf("python %s bytecode, byte %d: %w", p.Version, w.pos, err)
	}
	p.Trailing = len(data) - w.pos
	return p, nil
}

func minor(version string) int {
	major, m, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(m)
	if err != nil || major != "3" {
		return 0
	}
	return n
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out[:min(len(out), pycNames)]
}

// object is one marshalled object (Python/marshal.c). Strings keep their bytes
// where they are.
type object struct {
	kind  byte // 's' bytes, 'u' text, 'i' integer, '(' sequence, 'c' code, 0 other
	bytes []byte
	num   int64
	items []object
}

type walker struct {
	data      []byte
	pos       int
	pyc       *Pyc
	minor     int // 0 is Python 2.7
	refs      []object
	strings2  []object // interned strings of Python 2
	objects   int
	collect   codeflow.Collector
	names     map[string]bool
	functions map[string]bool
}

var errShort = errors.New("the file ends in an object")

func (w *walker) byte() (byte, error) {
	if w.pos >= len(w.data) {
		return 0, errShort
	}
	w.pos++
	return w.data[w.pos-1], nil
}

func (w *walker) take(n int) ([]byte, error) {
	if n < 0 || n > len(w.data)-w.pos {
		return nil, errShort
	}
	w.pos += n
	return w.data[w.pos-n : w.pos], nil
}

func (w *walker) int32() (int, error) {
	b, err := w.take(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.LittleEndian.Uint32(b))), nil //nolint:gosec // marshal writes the sign so
}

func (w *walker) sized() ([]byte, error) {
	n, err := w.int32()
	if err != nil {
		return nil, err
	}
	return w.take(n)
}

func (w *walker) object(depth int) (object, error) {
	if depth > pycDepth {
		return object{}, errors.New("objects are nested too deep")
	}
	if w.objects++; w.objects > pycObjects {
		return object{}, errors.New("too many objects")
	}
	t, err := w.byte()
	if err != nil {
		return object{}, err
	}
	ref := -1
	if t&0x80 != 0 && w.minor > 0 {
		t &= 0x7f
		ref = len(w.refs)
		w.refs = append(w.refs, object{})
	}
	o, err := w.typed(t, depth)
	if err != nil {
		return object{}, err
	}
	if ref >= 0 {
		w.refs[ref] = o
	}
	return o, nil
}

func (w *walker) typed(t byte, depth int) (object, error) {
	var o object
	var err error
	switch t {
	case '0', 'N', 'F', 'T', 'S', '.':
	case 'i':
		var n int
		n, err = w.int32()
		o = object{kind: 'i', num: int64(n)}
	case 'I', 'g':
		_, err = w.take(8)
	case 'y':
		_, err = w.take(16)
	case 'f':
		err = w.short()
	case 'x':
		if err = w.short(); err == nil {
			err = w.short()
		}
	case 'l':
		var n int
		if n, err = w.int32(); err == nil {
			_, err = w.take(2 * max(n, -n))
		}
	case 's':
		o.kind = 's'
		o.bytes, err = w.sized()
	case 't', 'u', 'a', 'A':
		o.kind = 'u'
		o.bytes, err = w.sized()
		if t == 't' && w.minor == 0 && err == nil {
			w.strings2 = append(w.strings2, o)
		}
	case 'z', 'Z':
		var n byte
		o.kind = 'u'
		if n, err = w.byte(); err == nil {
			o.bytes, err = w.take(int(n))
		}
	case 'r', 'R':
		var n int
		if n, err = w.int32(); err != nil {
			return o, err
		}
		list := w.refs
		if t == 'R' {
			list = w.strings2
		}
		if n < 0 || n >= len(list) {
			return o, fmt.Errorf("reference %d to an object that is not there", n)
		}
		o = list[n]
		if o.kind == '(' {
			o.items = o.items[:min(len(o.items), 64)]
		}
	case ')', '(', '[', '<', '>':
		var n int
		if t == ')' {
			var b byte
			b, err = w.byte()
			n = int(b)
		} else {
			n, err = w.int32()
		}
		if err == nil && (n < 0 || n > len(w.data)-w.pos) {
			err = errShort
		}
		if err != nil {
			return o, err
		}
		o.kind = '('
		for range n {
			x, err := w.object(depth + 1)
			if err != nil {
				return o, err
			}
			o.items = append(o.items, x)
		}
	case '{':
		for {
			if w.pos < len(w.data) && w.data[w.pos] == '0' {
				w.pos++
				break
			}
			for range 2 {
				if _, err = w.object(depth + 1); err != nil {
					return o, err
				}
			}
		}
	case ':':
		for range 3 {
			if _, err = w.object(depth + 1); err != nil {
				return o, err
			}
		}
	case 'c':
		return w.code(depth)
	default:
		err = fmt.Errorf("no object begins with byte 0x%02x", t)
	}
	return o, err
}

func (w *walker) short() error {
	n, err := w.byte()
	if err == nil {
		_, err = w.take(int(n))
	}
	return err
}

// code reads a code object; its layout depends on the version.
func (w *walker) code(depth int) (object, error) {
	ints := 5
	switch {
	case w.minor == 0:
		ints = 4
	case w.minor >= 8 && w.minor <= 10:
		ints = 6
	}
	if _, err := w.take(4 * ints); err != nil {
		return object{}, err
	}
	// code, consts, names, then the local names, file and name
	count := 8
	if w.minor >= 11 {
		count = 8 // localsplusnames, localspluskinds, filename, name, qualname
	}
	var parts [8]object
	for i := range count {
		o, err := w.object(depth + 1)
		if err != nil {
			return object{}, err
		}
		parts[i] = o
	}
	line, err := w.int32()
	if err != nil {
		return object{}, err
	}
	tables := 1
	if w.minor >= 11 {
		tables = 2
	}
	for range tables {
		if _, err := w.object(depth + 1); err != nil {
			return object{}, err
		}
	}
	file, name := parts[6], parts[7]
	if w.minor >= 11 {
		file, name = parts[5], parts[7] // the qualified name
	}
	fn := codeflow.Clean(string(name.bytes[:min(len(name.bytes), 200)]))
	top := fn == "<module>"
	if top {
		fn = ""
		w.pyc.File = codeflow.Clean(string(file.bytes[:min(len(file.bytes), 400)]))
	} else if len(w.functions) < pycNames {
		w.functions[fn] = true
	}
	for _, n := range parts[2].items {
		if len(w.names) < pycNames && len(n.bytes) <= 200 {
			w.names[codeflow.Clean(string(n.bytes))] = true
		}
	}
	where := codeflow.Where{Line: max(line, 0), AtImport: top, Func: fn}
	for _, c := range parts[1].items {
		w.constant(c, where, 0)
	}
	w.imports(parts[0].bytes, parts[1].items, parts[2].items, line, !top)
	return object{kind: 'c'}, nil
}

func (w *walker) constant(o object, where codeflow.Where, depth int) {
	switch o.kind {
	case 's', 'u':
		m := &w.pyc.Facts.Measures
		m.LongestString = max(m.LongestString, len(o.bytes))
		m.StringBytes += len(o.bytes)
		w.collect.Add(string(o.bytes[:min(len(o.bytes), 1<<17)]), where)
	case '(':
		if depth < 4 {
			for _, x := range o.items {
				w.constant(x, where, depth+1)
			}
		}
	}
}

// imports reads the import instructions of wordcode. The numbers of the
// instructions are known up to 3.13.
func (w *walker) imports(code []byte, consts, names []object, line int, lazy bool) {
	importName, extended, loadConst := byte(108), byte(144), byte(100)
	switch {
	case w.minor == 13:
		importName, extended, loadConst = 75, 71, 83
	case w.minor < 6 || w.minor > 13:
		return
	}
	arg := 0
	var last [2]object // the level and the names asked for
	for i := 0; i+1 < len(code); i += 2 {
		arg = arg<<8 | int(code[i+1])
		switch code[i] {
		case extended:
			arg &= 0xffffff
			continue
		case loadConst:
			last[0] = last[1]
			last[1] = object{}
			if arg < len(consts) {
				last[1] = consts[arg]
			}
		case importName:
			if arg < len(names) && len(w.pyc.Facts.Imports) < maxImports {
				im := Import{Kind: codeflow.ImportPlain, Module: codeflow.Clean(string(names[arg].bytes)), Line: max(line, 0), Lazy: lazy}
				if last[0].kind == 'i' && last[0].num > 0 && last[0].num < 64 {
					im.Level = int(last[0].num)
				}
				if last[1].kind == '(' {
					im.Kind = codeflow.ImportFrom
					for _, n := range last[1].items[:min(len(last[1].items), 256)] {
						im.Names = append(im.Names, codeflow.Name{Name: codeflow.Clean(string(n.bytes))})
					}
				}
				w.pyc.Facts.Imports = append(w.pyc.Facts.Imports, im)
			}
		}
		arg = 0
	}
}
