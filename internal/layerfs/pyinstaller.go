package layerfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// What PyInstaller appends to its bootloader, as its documentation describes it
// (https://pyinstaller.org/en/stable/advanced-topics.html, "CArchive" and
// "ZlibArchive"): a cookie near the end, which says where a table of contents is,
// and files, most of them behind zlib; one of them is the PYZ with the modules.

const (
	cookieLen    = 8 + 4*4 + 64
	cookieLenOld = 8 + 4*4 // before version 2.1
	tocLen       = 4*4 + 2
	// maxTOC bounds a table of contents: a thousand times what real ones have.
	maxTOC = 4 << 20
)

// readCArchive reads the table of the archive whose cookie is at the offset.
func (l *Layer) readCArchive(cookie int64) error {
	c := make([]byte, cookieLen)
	n, _ := l.r.ReadAt(c, cookie)
	if n < cookieLenOld {
		return errors.New("cookie is cut off")
	}
	length, at, size := be32(c[8:]), be32(c[12:]), be32(c[16:])
	// The archive ends with the cookie; which of the two it is shows in where that
	// puts the table.
	var start int64
	var toc []byte
	for _, cl := range []int64{cookieLen, cookieLenOld} {
		s := cookie + cl - length
		if s < 0 || at+size > length || cookie+cl > l.size {
			continue
		}
		if size > maxTOC {
			return fmt.Errorf("table of %d bytes is %w of %d", size, ErrLimit, maxTOC)
		}
		b := make([]byte, size)
		if n, _ := l.r.ReadAt(b, s+at); n < len(b) || len(b) < tocLen || be32(b) < tocLen || be32(b) > size {
			continue
		}
		start, toc = s, b
		break
	}
	if toc == nil {
		return fmt.Errorf("no table of %d bytes at %d in an archive of %d bytes", size, at, length)
	}
	magic := l.pycMagic(start, toc)
	for len(toc) > 0 {
		n := be32(toc[:min(4, len(toc))])
		if len(toc) < tocLen || n < tocLen || n > int64(len(toc)) {
			return l.cut(fmt.Errorf("table entry %d is cut off", len(l.entries)+1))
		}
		rec := toc[:n]
		toc = toc[n:]
		name := rec[tocLen:]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		e := Entry{
			Name: string(name[:min(len(name), l.limits.Name+1)]), Mode: 0o644, Compressed: be32(rec[8:]), Size: be32(rec[12:]),
			method: store, start: start + be32(rec[4:]),
		}
		if rec[16] != 0 {
			e.method = zlibMethod
		}
		switch rec[17] {
		case 's', 'm', 'M': // code without the header of a .pyc
			e.Name += ".pyc"
			e.head = magic
		case 'b':
			e.Mode = 0o755
		case 'n':
			e.Mode = fs.ModeSymlink | 0o777
		case 'o', 'd': // an option of the interpreter, or a name of another archive
			continue
		}
		if err := l.member(e); err != nil {
			return err
		}
	}
	return nil
}

// member adds an entry of which nothing but the archive's size bounds the place.
func (l *Layer) member(e Entry) error {
	if e.start < 0 || e.Compressed < 0 || e.start > l.size || e.Compressed > l.size-e.start {
		e.bad = fmt.Errorf("%d bytes at %d are outside the archive", e.Compressed, e.start)
	}
	if err := l.append(e); err != nil {
		return err
	}
	if e.bad != nil {
		l.odd(Unreadable, len(l.entries)-1, -1, "%q: %v", e.Name, e.bad)
	}
	return nil
}

// cut ends a table that cannot be read further.
func (l *Layer) cut(err error) error {
	if len(l.entries) == 0 {
		return err
	}
	l.odd(EndRecord, -1, -1, "after %d entries: %v", len(l.entries), err)
	l.lost = append(l.lost, loss{"", fmt.Errorf("entries behind the first %d: %w", len(l.entries), err)})
	return nil
}

// pycMagic returns the header that the archive's code objects would have as files:
// the interpreter's magic number is in the PYZ, and the rest says that there is no
// source to compare with.
func (l *Layer) pycMagic(start int64, toc []byte) string {
	for len(toc) >= tocLen {
		n := be32(toc)
		if n < tocLen || n > int64(len(toc)) {
			break
		}
		if toc[17] == 'z' && toc[16] == 0 {
			var h [8]byte
			if n, _ := l.r.ReadAt(h[:], start+be32(toc[4:])); n == len(h) && string(h[:4]) == "PYZ\x00" {
				return pycHead(h[4:])
			}
		}
		toc = toc[n:]
	}
	return pycHead([]byte{0, 0, '\r', '\n'})
}

func pycHead(magic []byte) string { return string(magic) + strings.Repeat("\x00", 12) }

// readPYZ reads the table of a PYZ: a marshalled list of names, each with its type,
// place and length.
func (l *Layer) readPYZ() error {
	var h [12]byte
	if n, _ := l.r.ReadAt(h[:], 0); n < len(h) {
		return errors.New("header is cut off")
	}
	at := be32(h[8:])
	if at < int64(len(h)) || at > l.size {
		return fmt.Errorf("table at %d is outside the archive", at)
	}
	if l.size-at > maxTOC {
		return fmt.Errorf("table of %d bytes is %w of %d", l.size-at, ErrLimit, maxTOC)
	}
	b := make([]byte, l.size-at)
	if n, err := l.r.ReadAt(b, at); n < len(b) {
		return cutOff(err)
	}
	m := unmarshal{b: b}
	toc, err := m.value(0)
	if err != nil {
		return fmt.Errorf("table at %d: after %d bytes: %w", at, len(b)-len(m.b), err)
	}
	items, _ := toc.([]any)
	for i, item := range items {
		name, kind, start, length, ok := tocItem(item)
		if !ok {
			return l.cut(fmt.Errorf("table entry %d is not a name with type, place and length", i+1))
		}
		e := Entry{
			Name: strings.ReplaceAll(name, ".", "/"), Mode: 0o644, Compressed: length, Size: -1,
			method: zlibMethod, start: start, head: pycHead(h[4:8]),
		}
		switch kind {
		case 0:
			e.Name += ".pyc"
		case 1:
			e.Name += "/__init__.pyc"
		case 3:
			continue // a namespace package, which has no code
		default:
			e.Name, e.head = name, ""
		}
		e.Name = e.Name[:min(len(e.Name), l.limits.Name+1)]
		if err := l.member(e); err != nil {
			return err
		}
	}
	return nil
}

// tocItem reads (name, (type, place, length)).
func tocItem(item any) (name string, kind, start, length int64, ok bool) {
	pair, _ := item.([]any)
	if len(pair) != 2 {
		return "", 0, 0, 0, false
	}
	name, _ = pair[0].(string)
	v, _ := pair[1].([]any)
	if name == "" || len(v) != 3 {
		return "", 0, 0, 0, false
	}
	var n [3]int64
	for i := range v {
		if n[i], ok = v[i].(int64); !ok {
			return "", 0, 0, 0, false
		}
	}
	return name, n[0], n[1], n[2], true
}

func be32(b []byte) int64 {
	if len(b) < 4 {
		return 0
	}
	return int64(binary.BigEndian.Uint32(b))
}

// An unmarshal reads the part of Python's marshal format that a table of contents
// is written in: lists, tuples, dictionaries, strings and integers, with references
// (https://docs.python.org/3/library/marshal.html; the codes are in CPython's
// Python/marshal.c). Lists, tuples and the items of a dictionary are []any.
type unmarshal struct {
	b    []byte
	refs []any
	n    int
}

func (m *unmarshal) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(m.b)) {
		return nil, io.ErrUnexpectedEOF
	}
	b := m.b[:n]
	m.b = m.b[n:]
	return b, nil
}

func (m *unmarshal) int(n int64) (int64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	if n == 1 {
		return int64(b[0]), nil
	}
	return int64(int32(binary.LittleEndian.Uint32(b))), nil //nolint:gosec // the format is signed
}

// maxValues bounds the values of a table.
const maxValues = 1 << 18

func (m *unmarshal) value(depth int) (any, error) {
	if m.n++; m.n > maxValues || depth > 8 {
		return nil, fmt.Errorf("table of more than %d values or 8 levels is %w", maxValues, ErrLimit)
	}
	c, err := m.take(1)
	if err != nil {
		return nil, err
	}
	code, slot := c[0]&^0x80, -1
	if c[0]&0x80 != 0 {
		slot = len(m.refs)
		m.refs = append(m.refs, nil)
	}
	v, err := m.body(code, depth)
	if err != nil {
		return nil, err
	}
	if slot >= 0 {
		m.refs[slot] = v
	}
	return v, nil
}

func (m *unmarshal) body(code byte, depth int) (any, error) {
	switch code {
	case 'N', 'T', 'F', '.', 'S':
		return nil, nil //nolint:nilnil // the values of the language that have none
	case 'i':
		return m.int(4)
	case 'l': // digits of 15 bits
		n, err := m.int(4)
		if err != nil || n < 0 || n > 4 {
			return nil, errors.New("integer is cut off or too large")
		}
		d, err := m.take(2 * n)
		if err != nil {
			return nil, err
		}
		v := int64(0)
		for i := range n {
			v |= int64(binary.LittleEndian.Uint16(d[2*i:])) << (15 * i)
		}
		return v, nil
	case 's', 't', 'u', 'a', 'A', 'z', 'Z':
		width := int64(4)
		if code == 'z' || code == 'Z' {
			width = 1
		}
		n, err := m.int(width)
		if err != nil {
			return nil, err
		}
		b, err := m.take(n)
		return string(b), err
	case '(', '[', ')':
		width := int64(4)
		if code == ')' {
			width = 1
		}
		n, err := m.int(width)
		if err != nil {
			return nil, err
		}
		if n < 0 || n > int64(len(m.b)) {
			return nil, io.ErrUnexpectedEOF
		}
		return m.list(n, depth)
	case '{': // pairs up to a 0
		var items []any
		for {
			if len(m.b) > 0 && m.b[0] == '0' {
				m.b = m.b[1:]
				return items, nil
			}
			pair, err := m.list(2, depth)
			if err != nil {
				return nil, err
			}
			items = append(items, pair)
		}
	case 'r':
		i, err := m.int(4)
		if err != nil || i < 0 || i >= int64(len(m.refs)) {
			return nil, errors.New("reference to nothing")
		}
		return m.refs[i], nil
	}
	return nil, fmt.Errorf("value of the code %q is %w", code, ErrUnsupported)
}

func (m *unmarshal) list(n int64, depth int) (any, error) {
	items := make([]any, 0, min(n, 1024))
	for range n {
		v, err := m.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}
