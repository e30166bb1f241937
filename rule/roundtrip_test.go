package rule

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain is a tree without positions, so that two readings of one thing compare
// equal. Order of keys does not count.
func plain(v *Value) any {
	switch v.Kind {
	case Array:
		out := []any{}
		for _, e := range v.Elems {
			out = append(out, plain(e))
		}
		return out
	case Table:
		out := map[string]any{}
		for _, e := range v.Keys {
			out[e.Name] = plain(e.Value)
		}
		return out
	case Integer:
		n, err := v.Int()
		if err != nil {
			return err.Error()
		}
		return n
	case Float:
		f, err := strconv.ParseFloat(strings.ReplaceAll(v.Text, "_", ""), 64)
		if err != nil || math.IsNaN(f) {
			return v.Text
		}
		return f
	case String, Bool, Time, Null:
	}
	return v.Kind.String() + " " + v.Text
}

// A rule written as TOML or as a Kibana export and read again has every key it
// had, and printing it a second time gives the same bytes.
func roundTrip(t *testing.T, r *Rule) {
	t.Helper()
	want := plain(r.Root())
	text := r.TOML()
	again, err := Parse("again.toml", text)
	if err != nil {
		t.Fatalf("own TOML: %v\n%s", err, text)
	}
	if d := cmp.Diff(want, plain(again.Root())); d != "" {
		t.Errorf("TOML lost something (-want +got):\n%s", d)
	}
	if got := again.TOML(); !bytes.Equal(got, text) {
		t.Errorf("TOML is not stable:\n%s\n---\n%s", text, got)
	}
	line := append(r.JSON(), '\n')
	if !json.Valid(line) {
		t.Fatalf("not JSON: %s", line)
	}
	b, err := ParseNDJSON("x.ndjson", line)
	if err != nil {
		t.Fatalf("own NDJSON: %v\n%s", err, line)
	}
	if len(b.Rules) != 1 {
		t.Fatalf("got %d rules", len(b.Rules))
	}
	if d := cmp.Diff(want, plain(b.Rules[0].Root())); d != "" {
		t.Errorf("NDJSON lost something (-want +got):\n%s", d)
	}
	if got := b.Rules[0].JSON(); !bytes.Equal(got, bytes.TrimSuffix(line, []byte("\n"))) {
		t.Errorf("NDJSON is not stable:\n%s\n---\n%s", line, got)
	}
}

func TestSharedRulesRoundTrip(t *testing.T) {
	for _, f := range sharedRules(t) {
		t.Run(filepath.Base(f), func(t *testing.T) { roundTrip(t, parseFile(t, f)) })
	}
}
