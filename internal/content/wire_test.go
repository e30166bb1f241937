package content

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// wired is what comes back of a batch.
func wired(data string) (b batch, err error) {
	r := wireReader{data: data}
	if r.read(reflect.ValueOf(&b).Elem()); r.err == nil && r.data != "" {
		r.err = errWire
	}
	return b, r.err
}

// Every fact of every sample comes back as it was, in the same bytes each time.
func TestWire_carries_all_facts(t *testing.T) {
	for _, s := range layers.All() {
		for _, data := range s.Layers {
			l := Read("layer.zip", bytes.NewReader(data), int64(len(data)), Options{Imports: true})
			in := batch{Files: l.Files, Oddities: l.Oddities, Lost: []lost{{"a", "b"}}, Cost: layerfs.Cost{}}
			one := appendWire(nil, reflect.ValueOf(&in).Elem())
			if two := appendWire(nil, reflect.ValueOf(&in).Elem()); !bytes.Equal(one, two) {
				t.Fatalf("%s: other bytes the second time", s.Name)
			}
			out, err := wired(string(one))
			if err != nil {
				t.Fatalf("%s: %v", s.Name, err)
			}
			if d := cmp.Diff(in, out, cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
				t.Fatalf("%s: (-written +read)\n%s", s.Name, d)
			}
		}
	}
}

// Facts of other types are told apart, and all types that facts have can be kept.
func TestWire_schema(t *testing.T) {
	type a struct{ X, Y int }
	type b struct{ X, Z int }
	if wireSchema(reflect.TypeFor[a]()) == wireSchema(reflect.TypeFor[b]()) {
		t.Error("two structs have one schema")
	}
	if wireSchema(reflect.TypeFor[batch]()) == "" {
		t.Error("no schema")
	}
}

func FuzzWire(f *testing.F) {
	x := &batch{Files: []*File{{Path: "a", Facts: Facts{Text: "x", Suppressed: map[string]int{"y": 1}}}}, Lost: []lost{{"p", "r"}}}
	f.Add(string(appendWire(nil, reflect.ValueOf(x).Elem())))
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, data string) {
		b, err := wired(data)
		if err != nil {
			return
		}
		again, err := wired(string(appendWire(nil, reflect.ValueOf(&b).Elem())))
		if err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(b)
		if two, _ := json.Marshal(again); !bytes.Equal(one, two) {
			t.Errorf("%s\n%s", one, two)
		}
	})
}
