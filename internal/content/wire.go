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

// The form in which a Cache writes facts: of a struct the exported fields that are
// not zero, each behind its number from 1, and a 0; numbers as varints, everything
// that has a length behind it, a pointer behind a byte that says whether it is nil.
// It says nothing of types; wireSchema says whether both sides have the same.
// encoding/gob takes ten times as long for the many small structs and digests of a
// layer.

var errWire = errors.New("kept facts end early or have lengths that cannot be")

// appendWire appends v, which must be of a type that wireSchema takes.
func appendWire(b []byte, v reflect.Value) []byte {
	switch v.Kind() { //nolint:exhaustive // wireSchema takes no others
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
		if v.Type().Elem().Kind() == reflect.Uint8 && v.CanAddr() {
			return append(b, v.Bytes()...)
		}
		for i := range v.Len() {
			b = appendWire(b, v.Index(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			return append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1) //nolint:gosec // a length is not negative
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return append(b, v.Bytes()...)
		}
		for i := range v.Len() {
			b = appendWire(b, v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			return append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(v.Len())+1) //nolint:gosec // a length is not negative
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			b = appendWire(appendWire(b, k), v.MapIndex(k))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return appendWire(append(b, 1), v.Elem())
	case reflect.Struct:
		for n, i := range wireFields(v.Type()) {
			if f := v.Field(i); !f.IsZero() {
				b = appendWire(binary.AppendUvarint(b, uint64(n)+1), f)
			}
		}
		b = append(b, 0)
	}
	return b
}

// A wireReader reads what appendWire wrote; strings share its data.
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
func (r *wireReader) read(v reflect.Value) {
	if r.err != nil {
		return
	}
	switch v.Kind() { //nolint:exhaustive // wireSchema takes no others
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
		if v.Type().Elem().Kind() == reflect.Uint8 {
			copy(v.Bytes(), r.take(uint64(v.Len()))) //nolint:gosec // a length is not negative
			return
		}
		for i := range v.Len() {
			r.read(v.Index(i))
		}
	case reflect.Slice:
		n := r.length()
		if n == 0 {
			return
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(r.take(uint64(n - 1)))) //nolint:gosec // not below 0
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		for i := range n - 1 {
			r.read(v.Index(i))
		}
	case reflect.Map:
		n := r.length()
		if n == 0 {
			return
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), n-1))
		for range n - 1 {
			k, x := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if r.read(k); r.err != nil {
				return
			}
			if r.read(x); r.err != nil {
				return
			}
			v.SetMapIndex(k, x)
		}
	case reflect.Pointer:
		if r.take(1) == "\x01" {
			v.Set(reflect.New(v.Type().Elem()))
			r.read(v.Elem())
		}
	case reflect.Struct:
		fields := wireFields(v.Type())
		for last := uint64(0); ; {
			n := r.uint()
			if n == 0 || r.err != nil {
				return
			}
			if n <= last || n > uint64(len(fields)) {
				r.err = errWire
				return
			}
			r.read(v.Field(fields[n-1]))
			last = n
		}
	}
}

// wireFieldsOf has the places of the exported fields of the structs met so far.
var wireFieldsOf sync.Map // of reflect.Type to []int

func wireFields(t reflect.Type) []int {
	if is, ok := wireFieldsOf.Load(t); ok {
		is, _ := is.([]int)
		return is
	}
	var is []int
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			is = append(is, i)
		}
	}
	wireFieldsOf.Store(t, is)
	return is
}

// wireSchema describes a type, so that facts of another type are told apart. It
// panics for types that have no form here, which a test would see.
func wireSchema(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the default is for all others
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float64, reflect.String:
		return t.Kind().String()
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), wireSchema(t.Elem()))
	case reflect.Slice:
		return "[]" + wireSchema(t.Elem())
	case reflect.Pointer:
		return "*" + wireSchema(t.Elem())
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return "map[string]" + wireSchema(t.Elem())
		}
	case reflect.Struct:
		var b strings.Builder
		for f := range t.Fields() {
			if f.IsExported() {
				b.WriteString(f.Name + " " + wireSchema(f.Type) + ";")
			}
		}
		return "{" + b.String() + "}"
	}
	panic("content: facts of type " + t.String() + " cannot be kept")
}
