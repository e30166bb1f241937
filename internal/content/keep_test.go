package content

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// Whatever a layer says, what is kept of it takes less than this, in bytes, beside
// what its directory takes.
const mostKept = 40 << 20

// A layer that says very much costs the memory that the budget allows, is
// incomplete, and passes nothing.
func TestRead_bounds_what_is_kept(t *testing.T) {
	for _, tt := range []struct {
		name  string
		n     int
		file  func(i int) (name, body string)
		lacks string
	}{
		{"imports", 250, func(i int) (string, string) {
			return fmt.Sprintf("python/%d.pth", i), strings.Repeat("import os;", 2000) + "\n"
		}, "facts of more than"},
		{"packages", 30_000, func(i int) (string, string) {
			return fmt.Sprintf("python/p%d-1.dist-info/METADATA", i), fmt.Sprintf("Name: p%d\nVersion: 1\n", i)
		}, "more than 20000 in one layer"},
		{"names", 20_000, func(i int) (string, string) {
			return fmt.Sprintf("etc/%s/%d", strings.Repeat("n", 200)+"/"+strings.Repeat("m", 500), i), ""
		}, "names of more than"},
		{"damaged archives", 7_000, func(i int) (string, string) { return fmt.Sprintf("lib/%d.whl", i), "PK\x03\x04 damaged" }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := make([]layers.File, tt.n)
			for i := range files {
				files[i].Name, files[i].Body = tt.file(i)
			}
			data := layers.Zip(files...)
			before := live()
			l := Read("l.zip", bytes.NewReader(data), int64(len(data)), Options{})
			if kept := live() - before; kept > mostKept {
				t.Errorf("%d bytes are kept", kept)
			}
			if len(l.Skipped) == 0 {
				t.Fatal("the layer is complete")
			}
			if last := l.Skipped[len(l.Skipped)-1].Reason; tt.lacks != "" && !strings.Contains(last, tt.lacks) && !strings.Contains(l.Skipped[0].Reason, tt.lacks) {
				t.Errorf("%q, want %q", last, tt.lacks)
			}
			quiet := Analyzer{ID: "quiet", Severity: lamina.High, Run: func(*Scan, int, func(Result)) error { return nil }}
			if f := Judge([]Analyzer{quiet}, &Scan{Layers: []*Layer{l}}); len(f) != 1 || f[0].Outcome != lamina.Unknown {
				t.Errorf("%+v", f)
			}
			runtime.KeepAlive(data)
			runtime.KeepAlive(files)
		})
	}
}

// live is how many bytes of the heap are in use.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Layers of one scan share the budget.
func TestRead_shared_budget(t *testing.T) {
	var files []layers.File
	for i := range 20 {
		files = append(files, layers.File{Name: fmt.Sprintf("python/%d.pth", i), Body: strings.Repeat("import os;", 2000) + "\n"})
	}
	data := layers.Zip(files...)
	b := NewBudget()
	var whole int
	for range 8 {
		if l := Read("l.zip", bytes.NewReader(data), int64(len(data)), Options{Budget: b}); len(l.Skipped) == 0 {
			whole++
		}
	}
	if whole == 0 || whole == 8 {
		t.Errorf("%d of 8 layers are whole", whole)
	}
}

// What analyzers find in a layer that was made to have much is bounded, and the
// worst of it is kept.
func TestJudge_bounds_results(t *testing.T) {
	flood := Analyzer{ID: "flood", Severity: lamina.Low, Run: func(_ *Scan, _ int, found func(Result)) error {
		for i := range 5000 {
			r := Result{Outcome: lamina.Fail, File: strconv.Itoa(i), Evidence: []string{"x: y"}}
			if i == 4000 {
				r.Severity = lamina.Critical
			}
			found(r)
		}
		return nil
	}}
	got := Judge([]Analyzer{flood}, &Scan{Layers: []*Layer{{Name: "l"}}})
	critical, more := 0, ""
	for _, f := range got {
		if f.Severity == lamina.Critical {
			critical++
		}
		if strings.Contains(f.Detail, "more result") {
			more = f.Detail
		}
	}
	if len(got) != maxResults+1 || critical != 1 || !strings.Contains(more, "4000 more results") {
		t.Errorf("%d findings, %d critical, %q", len(got), critical, more)
	}
}

// Every text that facts can hold is one that clean reaches.
func TestClean_reaches_all(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, at string) {
		if seen[typ] || plain(typ) {
			return
		}
		seen[typ] = true
		switch typ.Kind() { //nolint:exhaustive // the default is meant for all others
		case reflect.String:
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(typ.Elem(), at+"[]")
		case reflect.Struct:
			for f := range typ.Fields() {
				if !f.IsExported() && !plain(f.Type) {
					t.Errorf("%s.%s cannot be set", at, f.Name)
				}
				walk(f.Type, at+"."+f.Name)
			}
		default:
			t.Errorf("%s is a %s, which is not cleaned", at, typ)
		}
	}
	walk(reflect.TypeFor[Facts](), "Facts")
	walk(reflect.TypeFor[layerfs.Oddity](), "Oddity")
}

// Two files whose names differ only in a credential are not told apart, and that is
// said.
func TestRead_names_alike(t *testing.T) {
	token := func(c string) string { return "gh" + "p_" + strings.Repeat(c+"x7Q", 8) + "abcd" }
	data := layers.Zip(layers.File{Name: "python/" + token("a") + ".py"}, layers.File{Name: "python/" + token("b") + ".py"})
	l := Read("l.zip", bytes.NewReader(data), int64(len(data)), Options{})
	if len(l.Files) != 2 || len(l.Skipped) != 1 || !strings.Contains(l.Skipped[0].Reason, "only in a credential") {
		t.Errorf("%d files, %+v", len(l.Files), l.Skipped)
	}
}
