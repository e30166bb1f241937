package layers_test

import (
	"bytes"
	"testing"

	"github.com/lamina-sec/lamina/internal/sample/layers"
)

func TestAll(t *testing.T) {
	names := map[string]bool{}
	per := map[string]int{}
	again := layers.All()
	for i, s := range layers.All() {
		if names[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		names[s.Name] = true
		per[s.Technique]++
		if (s.Technique == "") != (len(s.Want) == 0) {
			t.Errorf("%s: an attack says what must find it, a clean layer has nothing to be found", s.Name)
		}
		if again[i].Name != s.Name || !bytes.Equal(again[i].Layers[0], s.Layers[0]) {
			t.Errorf("%s is built differently each time", s.Name)
		}
	}
	t.Logf("%d samples, by technique %v", len(names), per)
}
