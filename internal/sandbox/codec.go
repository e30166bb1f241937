package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// The form of a value is its fields one after the other, without names: whoever
// reads it is the same program. Numbers are varints, what has a length begins
// with it, plus one, so that nil stays nil. In front stands a digest of the type,
// so that no other form is read by chance. Strings are bytes, which JSON would
// change if they are not UTF-8. What gob makes of a few bytes can be any amount of
// memory; here what is made is counted before it is made.
//
// Exported fields are carried. Those of interface and function types are not.

// encode never fails on the types of this package; another type is a panic that
// the tests find.
func encode(v any) []byte {
	e := encoder{}
	e.text(shape(reflect.TypeOf(v), nil))
	e.value(reflect.ValueOf(v))
	return e.b
}

type encoder struct{ b []byte }

func (e *encoder) length(n int)  { e.b = binary.AppendUvarint(e.b, uint64(n)) } //nolint:gosec // never negative
func (e *encoder) text(s string) { e.length(len(s)); e.b = append(e.b, s...) }

func (e *encoder) value(v reflect.Value) {
	if v.Type() == timeType {
		t, _ := reflect.TypeAssert[time.Time](v)
		e.b = binary.AppendVarint(binary.AppendVarint(e.b, t.Unix()), int64(t.Nanosecond()))
		return
	}
	switch v.Kind() { //nolint:exhaustive // the rest has no form
	case reflect.Bool:
		n := 0
		if v.Bool() {
			n = 1
		}
		e.length(n)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.b = binary.AppendVarint(e.b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.b = binary.AppendUvarint(e.b, v.Uint())
	case reflect.Float32, reflect.Float64:
		e.b = binary.AppendUvarint(e.b, math.Float64bits(v.Float()))
	case reflect.String:
		e.text(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			e.length(0)
			return
		}
		e.length(1)
		e.value(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			e.length(0)
			return
		}
		e.length(v.Len() + 1)
		e.items(v)
	case reflect.Array:
		e.items(v)
	case reflect.Map:
		if v.IsNil() {
			e.length(0)
			return
		}
		e.length(v.Len() + 1)
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			e.text(k.String())
			e.value(v.MapIndex(k))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if carried(v.Type().Field(i)) {
				e.value(v.Field(i))
			}
		}
	default:
		panic("sandbox: no form for " + v.Type().String())
	}
}

func (e *encoder) items(v reflect.Value) {
	for i := range v.Len() {
		e.value(v.Index(i))
	}
}

var timeType = reflect.TypeFor[time.Time]()

// carried reports whether a field has a form.
func carried(f reflect.StructField) bool {
	return f.IsExported() && f.Type.Kind() != reflect.Interface && f.Type.Kind() != reflect.Func
}

// shape is a type in words.
func shape(t reflect.Type, above []reflect.Type) string {
	switch {
	case t == timeType:
		return "time"
	case slices.Contains(above, t):
		return "^" + t.String()
	}
	above = append(above, t)
	switch t.Kind() { //nolint:exhaustive // the rest is a word
	case reflect.Pointer:
		return "*" + shape(t.Elem(), above)
	case reflect.Slice:
		return "[]" + shape(t.Elem(), above)
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), shape(t.Elem(), above))
	case reflect.Map:
		return "map[" + t.Key().Kind().String() + "]" + shape(t.Elem(), above)
	case reflect.Struct:
		var b strings.Builder
		b.WriteByte('{')
		for f := range t.Fields() {
			if carried(f) {
				b.WriteString(f.Name + " " + shape(f.Type, above) + ";")
			}
		}
		return b.String() + "}"
	}
	return t.Kind().String()
}

// decode reads what encode wrote of a value of the type that to points to, and
// makes at most memory bytes of it. Everything that encode would not have written
// is an error.
func decode(data []byte, to any, memory int64) error {
	d := decoder{b: data, memory: memory}
	v := reflect.ValueOf(to).Elem()
	want := shape(v.Type(), nil)
	n, err := d.count(1)
	if err != nil {
		return err
	}
	if string(d.b[:n]) != want {
		return errors.New("it is of another form")
	}
	d.b = d.b[n:]
	if err := d.value(v, 0); err != nil {
		return err
	}
	if len(d.b) > 0 {
		return fmt.Errorf("%d bytes follow it", len(d.b))
	}
	return nil
}

type decoder struct {
	b      []byte
	memory int64
}

// maxNesting is how deep values may be in values.
const maxNesting = 100

var (
	errShort  = errors.New("it ends early")
	errNumber = errors.New("it has a number that does not fit")
	errMemory = errors.New("it is more than the memory that it may take")
	errDepth  = errors.New("it is nested too deep")
	errOrder  = errors.New("its keys are not in order")
)

func (d *decoder) unsigned() (uint64, error) {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		return 0, errShort
	}
	if size > 1 && d.b[size-1] == 0 {
		return 0, errNumber // there is a shorter form
	}
	d.b = d.b[size:]
	return n, nil
}

func (d *decoder) signed() (int64, error) {
	u, err := d.unsigned()
	n := int64(u >> 1)
	if u&1 != 0 {
		n = ^n
	}
	return n, err
}

// count reads a length, which is no larger than the bytes that are left, and pays
// for so many things of a size.
func (d *decoder) count(size uintptr) (int, error) {
	n, err := d.unsigned()
	if err != nil {
		return 0, err
	}
	return d.pay(n, size)
}

func (d *decoder) pay(n uint64, size uintptr) (int, error) {
	if n > uint64(len(d.b)) {
		return 0, errShort
	}
	cost := int64(n) * int64(max(size, 1)) //nolint:gosec // both are far below 1<<31
	if d.memory -= cost; d.memory < 0 {
		return 0, errMemory
	}
	return int(n), nil //nolint:gosec // not above the length of a slice
}

// some reads a length plus one; ok is false for nil.
func (d *decoder) some(size uintptr) (n int, ok bool, err error) {
	u, err := d.unsigned()
	if err != nil || u == 0 {
		return 0, false, err
	}
	n, err = d.pay(u-1, size)
	return n, true, err
}

func (d *decoder) text() (string, error) {
	n, err := d.count(1)
	if err != nil {
		return "", err
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s, nil
}

func (d *decoder) value(v reflect.Value, depth int) error {
	if depth > maxNesting {
		return errDepth
	}
	if v.Type() == timeType {
		sec, err := d.signed()
		if err != nil {
			return err
		}
		nano, err := d.signed()
		if err != nil {
			return err
		}
		if nano < 0 || nano >= int64(time.Second) || sec < -1<<40 || sec > 1<<40 {
			return errNumber
		}
		v.Set(reflect.ValueOf(time.Unix(sec, nano).UTC()))
		return nil
	}
	switch v.Kind() { //nolint:exhaustive // the rest has no form
	case reflect.Bool, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return d.number(v)
	case reflect.String:
		s, err := d.text()
		v.SetString(s)
		return err
	case reflect.Pointer:
		return d.pointer(v, depth)
	case reflect.Slice:
		n, ok, err := d.some(v.Type().Elem().Size())
		if err != nil || !ok {
			return err
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		return d.items(v, depth)
	case reflect.Array:
		return d.items(v, depth)
	case reflect.Map:
		return d.mapping(v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if carried(v.Type().Field(i)) {
				if err := d.value(v.Field(i), depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return fmt.Errorf("no form for %v", v.Type())
}

func (d *decoder) number(v reflect.Value) error {
	if v.CanInt() {
		n, err := d.signed()
		if err == nil && v.OverflowInt(n) {
			err = errNumber
		}
		v.SetInt(n)
		return err
	}
	n, err := d.unsigned()
	if err != nil {
		return err
	}
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(n == 1)
		if n > 1 {
			return errNumber
		}
	case v.CanFloat():
		f := math.Float64frombits(n)
		if math.IsNaN(f) || v.OverflowFloat(f) {
			return errNumber
		}
		v.SetFloat(f)
	case v.OverflowUint(n):
		return errNumber
	default:
		v.SetUint(n)
	}
	return nil
}

func (d *decoder) pointer(v reflect.Value, depth int) error {
	n, err := d.unsigned()
	if err != nil || n == 0 {
		return err
	}
	if n > 1 {
		return errNumber
	}
	if d.memory -= int64(v.Type().Elem().Size()); d.memory < 0 { //nolint:gosec // the size of a type
		return errMemory
	}
	v.Set(reflect.New(v.Type().Elem()))
	return d.value(v.Elem(), depth+1)
}

func (d *decoder) items(v reflect.Value, depth int) error {
	for i := range v.Len() {
		if err := d.value(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads a map with keys of strings. It grows as it is read.
func (d *decoder) mapping(v reflect.Value, depth int) error {
	t := v.Type()
	n, ok, err := d.some(2 * (t.Key().Size() + t.Elem().Size()))
	if err != nil || !ok {
		return err
	}
	v.Set(reflect.MakeMapWithSize(t, n))
	before := ""
	for i := range n {
		key, err := d.text()
		if err != nil {
			return err
		}
		if i > 0 && key <= before {
			return errOrder
		}
		before = key
		elem := reflect.New(t.Elem()).Elem()
		if err := d.value(elem, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), elem)
	}
	return nil
}
