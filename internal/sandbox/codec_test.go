package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/content"
)

// All kinds of what has a form, empty and not.
type everything struct {
	B             bool
	I             int
	I8            int8
	U             uint64
	F             float64
	S, T          string
	P, Nil        *int
	L, None, Zero []string
	A             [3]byte
	M, NoMap      map[string]int
	W             time.Time
	Mode          fs.FileMode
	Named         map[content.Kind][]byte
	Embedded
	left error
	Left error
}

type Embedded struct{ Deep *Embedded }

func TestEncode_and_decode(t *testing.T) {
	n := -7
	want := everything{
		B: true, I: math.MinInt64, I8: -128, U: math.MaxUint64, F: -0.5, S: "\xff\x00", P: &n, L: []string{"a", ""}, Zero: []string{},
		A: [3]byte{1, 2, 3}, M: map[string]int{"b": 1, "a": 2}, W: time.Unix(-5, 999).UTC(), Mode: fs.ModeSymlink | 0o777,
		Named: map[content.Kind][]byte{content.Python: nil, content.Pyc: {}}, Embedded: Embedded{&Embedded{}},
	}
	data := encode(want)
	var got everything
	if err := decode(data, &got, 1<<20); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); d != "" {
		t.Error(d)
	}
	if !bytes.Equal(encode(got), data) || got.left != nil || got.Left != nil {
		t.Error("it is written in another way again")
	}
	for i := range data {
		if err := decode(data[:i], new(everything), 1<<20); err == nil {
			t.Errorf("the first %d bytes are read", i)
		}
	}
	if err := decode(data, new(reply), 1<<20); err == nil {
		t.Error("it is read as another type")
	}
}

// What is not as encode writes it is refused.
func TestDecode_refuses(t *testing.T) {
	form := func(v any) []byte {
		return encode(v)[:len(binary.AppendUvarint(nil, uint64(len(shape(reflect.TypeOf(v), nil)))))+len(shape(reflect.TypeOf(v), nil))]
	}
	deep := bytes.Repeat([]byte{1}, 1000)
	for name, c := range map[string]struct {
		to   any
		form []byte
		data []byte
		want error
	}{
		"a bool of 2":          {new(bool), form(false), []byte{2}, errNumber},
		"a number too large":   {new(int8), form(int8(0)), []byte{0x80, 0x02}, errNumber},
		"a longer form":        {new(uint64), form(uint64(0)), []byte{0x80, 0x00}, errNumber},
		"11 bytes of a number": {new(uint64), form(uint64(0)), bytes.Repeat([]byte{0xff}, 11), errShort},
		"no number":            {new(float64), form(0.0), binary.AppendUvarint(nil, math.Float64bits(math.NaN())), errNumber},
		"a pointer to two":     {new(*int), form((*int)(nil)), []byte{2, 0}, errNumber},
		"a long list":          {new([]content.File), form([]content.File(nil)), binary.AppendUvarint(nil, 1<<40), errShort},
		"a large list":         {new([]content.File), form([]content.File(nil)), append([]byte{0xff, 0x07}, make([]byte, 2000)...), errMemory},
		"the largest length":   {new([]string), form([]string(nil)), binary.AppendUvarint(nil, math.MaxUint64), errShort},
		"keys twice":           {new(map[string]bool), form(map[string]bool(nil)), []byte{3, 1, 'a', 0, 1, 'a', 0}, errOrder},
		"depth":                {new(Embedded), form(Embedded{}), deep, errDepth},
		"a time":               {new(time.Time), form(time.Time{}), []byte{0, 1}, errNumber},
	} {
		if err := decode(append(c.form, c.data...), c.to, 64<<10); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// Any bytes are refused, or are the one form of what is read from them; memory is
// bounded.
func FuzzDecode(f *testing.F) {
	whole := encode(reply{Confined: []string{"limits"}, Err: "x", Layer: &content.Layer{Files: []*content.File{{Path: "a", Facts: content.Facts{Suppressed: map[string]int{"a": 1}}}}}})
	head := len(encode(reply{})) - 4
	f.Add(whole[head:])
	f.Add([]byte(strings.Repeat("\x01", 300)))
	f.Fuzz(func(t *testing.T, data []byte) {
		const memory = 4 << 20
		data = append(bytes.Clone(whole[:head]), data...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var a reply
		err := decode(data, &a, memory)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4*memory {
			t.Errorf("%d bytes of memory for %d", n, len(data))
		}
		if err == nil && !bytes.Equal(encode(a), data) {
			t.Error("there is another form of it")
		}
	})
}
