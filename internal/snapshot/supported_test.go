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
