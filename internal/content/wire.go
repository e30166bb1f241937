package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A wire is the form in which a Cache writes facts of one type: of a struct the
// exported fields that are not zero, each behind its number from 1, and a 0; numbers as
// varints, everything that has a length behind it, a pointer behind a byte that says
// whether it is nil. The bytes say nothing of types; schema says whether both sides have
// the same. encoding/gob takes ten times as long for the many small structs and digests
// of a layer.
type wire struct {
	kind   reflect.Kind
	typ    reflect.Type
	bytes  bool        // an array or slice of bytes
	elem   *wire       // of an array, a slice, a map or a pointer
	fields []wireField // of a struct
}

type wireField struct {
	name  string
	place int // among all fields
	wire  *wire
}

var errWire = errors.New("kept facts end early or have lengths that cannot be")

// batchWire is the form of a batch.
var batchWire = sync.OnceValue(func() *wire { return newWire(reflect.TypeFor[batch]()) })

func (b *batch) encode() []byte { return batchWire().append(nil, reflect.ValueOf(b).Elem()) }

// decode fills b, which must be zero; its strings share data.
func (b *batch) decode(data string) error {
	r := wireReader{data: data}
	if r.read(batchWire(), reflect.ValueOf(b).Elem()); r.err == nil && r.data != "" {
		r.err = errWire
	}
	return r.err
}

// newWire panics for types that have no form here, which a test would see.
func newWire(t reflect.Type) *wire {
	w := &wire{kind: t.Kind(), typ: t}
	switch w.kind { //nolint:exhaustive // the default is for all others
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float64, reflect.String:
		return w
	case reflect.Array, reflect.Slice, reflect.Pointer:
		w.elem = newWire(t.Elem())
		w.bytes = w.kind != reflect.Pointer && w.elem.kind == reflect.Uint8
		return w
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			w.elem = newWire(t.Elem())
			return w
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				w.fields = append(w.fields, wireField{f.Name, i, newWire(f.Type)})
			}
		}
		return w
	}
	panic("content: facts of type " + t.String() + " cannot be kept")
}

// schema describes the type, so that facts of another type are told apart.
func (w *wire) schema() string {
	switch w.kind { //nolint:exhaustive // the others are what they are called
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", w.typ.Len(), w.elem.schema())
	case reflect.Slice:
		return "[]" + w.elem.schema()
	case reflect.Pointer:
		return "*" + w.elem.schema()
	case reflect.Map:
		return "map[string]" + w.elem.schema()
	case reflect.Struct:
		var b strings.Builder
		for _, f := range w.fields {
			b.WriteString(f.name + " " + f.wire.schema() + ";")
		}
		return "{" + b.String() + "}"
	}
	return w.kind.String()
}

// append appends v to b.
func (w *wire) append(b []byte, v reflect.Value) []byte {
	switch w.kind { //nolint:exhaustive // newWire takes no others
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint())
	case reflect.Float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case reflect.String:
		b = binary.AppendUvarint(b, uint64(v.Len())) //nolint:gosec // a length is not negative
		return append(b, v.String()...)
	case reflect.Array:
		if w.bytes && v.CanAddr() {
			return append(b, v.Bytes()...)
		}
		for i := range v.Len() {
			b = w.elem.append(b, v.Index(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			return append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1) //nolint:gosec // a length is not negative
		if w.bytes {
			return append(b, v.Bytes()...)
		}
		for i := range v.Len() {
			b = w.elem.append(b, v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			return append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1) //nolint:gosec // a length is not negative
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			b = binary.AppendUvarint(b, uint64(k.Len())) //nolint:gosec // a length is not negative
			b = w.elem.append(append(b, k.String()...), v.MapIndex(k))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return w.elem.append(append(b, 1), v.Elem())
	case reflect.Struct:
		for n := range w.fields {
			f := &w.fields[n]
			if x := v.Field(f.place); !x.IsZero() {
				b = f.wire.append(binary.AppendUvarint(b, uint64(n)+1), x)
			}
		}
		b = append(b, 0)
	}
	return b
}

// A wireReader reads what wire.append wrote; strings share its data.
type wireReader struct {
	data string
	err  error
}

func (r *wireReader) take(n uint64) string {
	if r.err != nil || n > uint64(len(r.data)) {
		r.err = errWire
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

func (r *wireReader) uint() uint64 {
	var x uint64
	for shift := 0; shift < 64 && r.err == nil && r.data != ""; shift += 7 {
		c := r.data[0]
		r.data = r.data[1:]
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	r.err = errWire
	return 0
}

// length is a number of things, each of which takes at least one byte unless it
// takes none.
func (r *wireReader) length() int {
	n := r.uint()
	if n > uint64(len(r.data)) {
		r.err = errWire
		return 0
	}
	return int(n) //nolint:gosec // not above the length of a string
}

// read fills v, which must be settable and zero.
func (r *wireReader) read(w *wire, v reflect.Value) {
	if r.err != nil {
		return
	}
	switch w.kind { //nolint:exhaustive // newWire takes no others
	case reflect.Bool:
		v.SetBool(r.take(1) == "\x01")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		u := r.uint()
		x := int64(u >> 1)
		if u&1 != 0 {
			x = ^x
		}
		v.SetInt(x)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.uint())
	case reflect.Float64:
		if s := r.take(8); r.err == nil {
			v.SetFloat(math.Float64frombits(binary.BigEndian.Uint64([]byte(s))))
		}
	case reflect.String:
		v.SetString(r.take(r.uint()))
	case reflect.Array:
		if w.bytes {
			copy(v.Bytes(), r.take(uint64(v.Len()))) //nolint:gosec // a length is not negative
			return
		}
		for i := range v.Len() {
			r.read(w.elem, v.Index(i))
		}
	case reflect.Slice:
		n := r.length()
		if n == 0 {
			return
		}
		if w.bytes {
			v.SetBytes([]byte(r.take(uint64(n - 1)))) //nolint:gosec // not below 0
			return
		}
		v.Set(reflect.MakeSlice(w.typ, n-1, n-1))
		for i := range n - 1 {
			r.read(w.elem, v.Index(i))
		}
	case reflect.Map:
		n := r.length()
		if n == 0 {
			return
		}
		v.Set(reflect.MakeMapWithSize(w.typ, n-1))
		for range n - 1 {
			k, x := reflect.ValueOf(r.take(r.uint())), reflect.New(w.elem.typ).Elem()
			if r.read(w.elem, x); r.err != nil {
				return
			}
			v.SetMapIndex(k.Convert(w.typ.Key()), x)
		}
	case reflect.Pointer:
		if r.take(1) == "\x01" {
			v.Set(reflect.New(w.elem.typ))
			r.read(w.elem, v.Elem())
		}
	case reflect.Struct:
		for last := uint64(0); ; {
			n := r.uint()
			if n == 0 || r.err != nil {
				return
			}
			if n <= last || n > uint64(len(w.fields)) {
				r.err = errWire
				return
			}
			f := &w.fields[n-1]
			r.read(f.wire, v.Field(f.place))
			last = n
		}
	}
}
