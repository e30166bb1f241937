package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
)

var requestText = ecs.Lookup("aws.cloudtrail.request_parameters")

// javaOf is the text of a JSON object as request parameters.
func javaOf(t *testing.T, object string) string {
	t.Helper()
	var e Event
	if err := e.Reset([]byte(`{"requestParameters":` + object + `}`)); err != nil {
		t.Fatal(err)
	}
	if v := e.Values(requestText); v != nil {
		return v[0]
	}
	return ""
}

func TestJavaText(t *testing.T) {
	t.Parallel()
	long := `{"a0":0,"a1":1,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7,"a8":8,"a9":9,"b0":0,"b1":1,"b2":%s}`
	tests := []struct{ name, object, want string }{
		{"order is the hash's", `{"zebra":1,"apple":2,"mango":3}`, "{zebra=1, apple=2, mango=3}"},
		{"strings are raw", `{"k":"a, b={c} \"d\" \n e\u00e9"}`, "{k=a, b={c} \"d\" \n eé}"},
		{"lists and nesting", `{"k":[1,"x",{"y":[true,false]}]}`, "{k=[1, x, {y=[true, false]}]}"},
		{"null removal", `{"a":null,"b":"","c":"-","d":"none","e":{},"f":[],"g":{"h":[null,{"i":""}]},"j":1}`, "{j=1}"},
		{"kept although alike", `{"a":" ","b":"None","c":0,"d":false,"e":"--"}`, "{a= , b=None, c=0, d=false, e=--}"},
		{"nothing left", `{"a":null}`, ""},
		{"a string", `"text"`, "text"},
		{"a list", `["x",null,["y"]]`, "[x, [y]]"},
		{"a number", `12`, "12"},
		{"removed", `"none"`, ""},
		{"integers", `{"a":-0,"b":9223372036854775808,"c":-17}`, "{a=0, b=9223372036854775808, c=-17}"},
		{"doubles", `{"a":1.0,"b":1e10,"c":1.5e-4,"d":100.25}`, "{a=1.0, b=1.0E10, c=1.5E-4, d=100.25}"},
		{"the last of two values stands first", `{"q":1,"g":2,"q":3}`, "{q=3, g=2}"},
		{"a repeated name that is dropped", `{"q":1,"q":null}`, ""},
		{"escaped names are names", `{"\u0061":1,"a":2}`, "{a=2}"},
		{"twelve names keep sixteen buckets", strings.Replace(fmt.Sprintf(long, "2"), `,"b2":2`, "", 1), "{a1=1, a2=2, a3=3, a4=4, a5=5, a6=6, a7=7, a8=8, a9=9, b0=0, a0=0, b1=1}"},
		{"a dropped name counts for the capacity", fmt.Sprintf(long, "null"), "{b0=0, a0=0, b1=1, a1=1, a2=2, a3=3, a4=4, a5=5, a6=6, a7=7, a8=8, a9=9}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, javaOf(t, tt.object)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// "Aa" and "BB" have one hash, so such names share a bucket whatever its number,
// and their order in the record decides.
func TestJavaText_follows_the_order_of_names_in_one_bucket(t *testing.T) {
	t.Parallel()
	names := []string{"AaAa", "AaBB", "BBAa", "BBBB"}
	for range 24 {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		var object, want []string
		for _, n := range names {
			object = append(object, `"`+n+`":"x"`)
			want = append(want, n+"=x")
		}
		got := javaOf(t, "{"+strings.Join(object, ",")+"}")
		if w := "{" + strings.Join(want, ", ") + "}"; got != w {
			t.Errorf("%s, want %s", got, w)
		}
	}
}

func TestJavaText_of_real_records_follows_colliding_names(t *testing.T) {
	t.Parallel()
	testdata(t, "cloudtrail")
	changed, tried := 0, 0
	for _, raw := range realRecords(t) {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		n := &naive{json: naiveDecode(d)}
		o, ok := n.at("requestParameters").(*ordered)
		if !ok || len(o.keys) < 2 {
			continue
		}
		tried++
		for range 3 {
			slices.Reverse(o.keys)
			var reversed strings.Builder
			reversed.WriteByte('{')
			for i, k := range o.keys {
				v, err := json.Marshal(plainOf(o.vals[k]))
				if err != nil {
					t.Fatal(err)
				}
				name, err := json.Marshal(k)
				if err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					reversed.WriteByte(',')
				}
				reversed.WriteString(string(name) + ":" + string(v))
			}
			reversed.WriteByte('}')
			d := json.NewDecoder(strings.NewReader(reversed.String()))
			d.UseNumber()
			again := naiveDecode(d)
			want := ""
			if c := naiveClean(again); c != any(gone{}) {
				want = naiveJava(c)
			}
			got := javaOf(t, reversed.String())
			if got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			if got != javaOf(t, string(field(t, raw, "requestParameters"))) {
				changed++
			}
			rand.Shuffle(len(o.keys), func(i, j int) { o.keys[i], o.keys[j] = o.keys[j], o.keys[i] })
		}
	}
	t.Logf("%d objects in three orders each: the text is another in %d", tried, changed)
	if changed == 0 {
		t.Error("no text depends on the order of names")
	}
}

// plainOf makes json.Marshal able to print an ordered value; inner order does
// not matter to the caller.
func plainOf(v any) any {
	switch v := v.(type) {
	case *ordered:
		m := map[string]any{}
		for k, e := range v.vals {
			m[k] = plainOf(e)
		}
		return m
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, plainOf(e))
		}
		return out
	}
	return v
}

func field(t *testing.T, raw []byte, name string) json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m[name]
}

// The order of any set of names is that of a HashMap simulated with buckets.
func TestJavaOrder_agrees_with_a_simulated_map(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"Aa", "BB", "C#", "a", "b", "é", "😀", "x-amz-", "z"}
	for range 3000 {
		var names []string
		for range r.IntN(120) {
			var name strings.Builder
			for range 1 + r.IntN(4) {
				name.WriteString(alphabet[r.IntN(len(alphabet))])
			}
			if n := name.String(); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		var m naiveMap
		var hashes []uint64
		for _, n := range names {
			m.put(n)
			hashes = append(hashes, uint64(javaHash(n)))
		}
		javaOrder(hashes)
		var got []string
		for _, h := range hashes {
			got = append(got, names[uint32(h)])
		}
		if d := cmp.Diff(m.keys(), got); len(names) > 0 && d != "" {
			t.Fatalf("%q (-simulated +ours):\n%s", names, d)
		}
	}
}

// Values of Double.toString in the documentation and tests of OpenJDK 19 and
// later.
func TestJavaDouble(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1, "1.0"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{100, "100.0"},
		{0.001, "0.001"},
		{0.00099, "9.9E-4"},
		{9999999, "9999999.0"},
		{1e7, "1.0E7"},
		{1e10, "1.0E10"},
		{12345678.9, "1.23456789E7"},
		{1e23, "1.0E23"},
		{2e23, "2.0E23"},
		{2.2250738585072014e-308, "2.2250738585072014E-308"},
		{math.SmallestNonzeroFloat64, "4.9E-324"},
		{math.MaxFloat64, "1.7976931348623157E308"},
		{2 * math.SmallestNonzeroFloat64, "9.9E-324"},
		{math.Inf(1), "Infinity"},
		{math.Inf(-1), "-Infinity"},
		{1.0 / 3, "0.3333333333333333"},
		{123456.789, "123456.789"},
	}
	for _, tt := range tests {
		if got := string(appendJavaDouble(nil, tt.f)); got != tt.want {
			t.Errorf("%g: %s, want %s", tt.f, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) {
			continue
		}
		if got, want := string(appendJavaDouble(nil, f)), naiveDouble(f); got != want {
			t.Fatalf("%g: %s, by the definition %s", f, got, want)
		}
	}
}

func TestCompareUTF16(t *testing.T) {
	t.Parallel()
	sorted := []string{"", "A", "a", "aa", "ab", "é", "\u20ac", "😀", "\ue000", "\uffee"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := compareUTF16(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compare %q with %q = %d", a, b, got)
			}
		}
	}
}
