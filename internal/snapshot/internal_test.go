package snapshot

import "testing"

// A program reads its own version and the two before, as far as there are any.
func TestSupported(t *testing.T) {
	for program := range 6 {
		for file := range 8 {
			want := program > 0 && file > 0 && file <= program && file >= program-2
			if got := supported(file, program) == nil; got != want {
				t.Errorf("a program of version %d, a file of version %d: read %t", program, file, got)
			}
		}
	}
}

// Values are counted where they are some, and not in texts.
func TestBounded(t *testing.T) {
	for _, tt := range []struct {
		in              string
		objects, values int // the least that it is let through with
	}{
		{`{}`, 1, 0},
		{`[{},{},{"a":[1,2]}]`, 3, 3},
		{`["{,{,","a\\",{"b\"{,":"\\"}]`, 1, 2},
		{`"\`, 0, 0},
		{`{"`, 1, 0},
	} {
		if err := bounded([]byte(tt.in), tt.objects, tt.values); err != nil {
			t.Errorf("%s: %v", tt.in, err)
		}
		if bounded([]byte(tt.in), tt.objects-1, tt.values) == nil || bounded([]byte(tt.in), tt.objects, tt.values-1) == nil {
			t.Errorf("%s has fewer than %d objects or %d values that follow others", tt.in, tt.objects, tt.values)
		}
	}
}
