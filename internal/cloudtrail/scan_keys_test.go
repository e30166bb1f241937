package cloudtrail

import "testing"

func TestKeys_hash_is_perfect(t *testing.T) {
	for k := KeyOther + 1; k < NumKeys; k++ {
		if got := lookupKey([]byte(k.String()), false); got != k {
			t.Errorf("lookupKey(%q) = %d (%v), want %d", k, got, got, k)
		}
	}
	for _, name := range []string{"", "a", "eventName2", "eventname", "eventNames", "eventNam", "xxxxxxxx"} {
		if got := lookupKey([]byte(name), false); got != KeyOther {
			t.Errorf("lookupKey(%q) = %v, want none", name, got)
		}
	}
	if got := lookupKey([]byte(`event\u004eame`), true); got != KeyEventName {
		t.Errorf("escaped eventName is %v", got)
	}
}
