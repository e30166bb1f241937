package checks_test

import (
	"fmt"
	"testing"

	"github.com/lamina-sec/lamina/checks"
)

// Each of the 101 numbers of the catalogue is a check, or is listed with the
// reason why it is none.
func TestCatalogue_is_whole(t *testing.T) {
	have := map[string]string{}
	for _, c := range checks.All {
		if before := have[c.Ref]; before != "" {
			t.Errorf("%s is both %s and %s", c.Ref, before, c.ID)
		}
		have[c.Ref] = c.ID
	}
	for _, u := range checks.Unsupported {
		if id := have[u.Ref]; id != "" {
			t.Errorf("%s is the check %s, or is there twice: take its line out of Unsupported", u.Ref, id)
		}
		have[u.Ref] = "unsupported"
		if u.Asks == "" || u.Reason == "" {
			t.Errorf("%s: no question, or no reason", u.Ref)
		}
	}
	for family, n := range map[string]int{"EXP": 11, "USE": 10, "INT": 10, "PTH": 14, "LIF": 11, "RUN": 7, "NET": 5, "GRD": 9, "VIS": 10, "WIN": 6, "TOX": 8} {
		for i := range n {
			ref := fmt.Sprintf("%s-%02d", family, i+1)
			if have[ref] == "" {
				t.Errorf("%s is neither a check nor in Unsupported", ref)
			}
			delete(have, ref)
		}
	}
	for ref, id := range have {
		t.Errorf("%s (%s) is no number of the catalogue", ref, id)
	}
}
