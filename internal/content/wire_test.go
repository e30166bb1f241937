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

// Every fact of every sample comes back as it was, in the same bytes each time.
func TestWire_carries_all_facts(t *testing.T) {
	for _, s := range layers.All() {
		for _, data := range s.Layers {
			l := Read("layer.zip", bytes.NewReader(data), int64(len(data)), Options{Imports: true})
			in := batch{Files: l.Files, Oddities: l.Oddities, Lost: []lost{{"a", "b"}}, Cost: layerfs.Cost{}}
			one := in.encode()
			if two := in.encode(); !bytes.Equal(one, two) {
				t.Fatalf("%s: other bytes the second time", s.Name)
			}
			var out batch
			if err := out.decode(string(one)); err != nil {
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
	if newWire(reflect.TypeFor[a]()).schema() == newWire(reflect.TypeFor[b]()).schema() {
		t.Error("two structs have one schema")
	}
	if batchWire().schema() == "" {
		t.Error("no schema")
	}
}

func FuzzWire(f *testing.F) {
	x := &batch{Files: []*File{{Path: "a", Facts: Facts{Text: "x", Suppressed: map[string]int{"y": 1}}}}, Lost: []lost{{"p", "r"}}}
	f.Add(string(x.encode()))
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, data string) {
		var b, again batch
		if b.decode(data) != nil {
			return
		}
		if err := again.decode(string(b.encode())); err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(b)
		if two, _ := json.Marshal(again); !bytes.Equal(one, two) {
			t.Errorf("%s\n%s", one, two)
		}
	})
}
