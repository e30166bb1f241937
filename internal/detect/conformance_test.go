package detect_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/rule"
)

// data is the folder of test data by others; without it the test is skipped.
func data(tb testing.TB, path ...string) string {
	tb.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		tb.Skip("LAMINA_TESTDATA is not set: no recorded CloudTrail, no Elastic rules")
	}
	return filepath.Join(append([]string{dir}, path...)...)
}

// elastic compiles the rules of the pinned checkout.
func elastic(tb testing.TB) []*rule.Program {
	tb.Helper()
	files, err := filepath.Glob(data(tb, "elastic-aws-rules", "*.toml"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no rules: %v", err)
	}
	var out []*rule.Program
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		r, err := rule.Parse(filepath.Base(f), b)
		if err != nil {
			tb.Fatal(err)
		}
		p, err := r.Compile(rule.CompileOptions{})
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// recorded are the recorded CloudTrail records of all sets.
func recorded(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob(data(tb, "cloudtrail", "*.ndjson"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no records: %v", err)
	}
	var out [][]byte
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 4<<20)
		for s.Scan() {
			var line struct{ Event json.RawMessage }
			if err := json.Unmarshal(s.Bytes(), &line); err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			out = append(out, line.Event)
		}
		if err := f.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// Dispatch, lazy fields and two passes give what evaluating every rule on every
// whole document gives.
func TestRun_equals_every_rule_on_every_document(t *testing.T) {
	programs, records := elastic(t), recorded(t)
	want := map[string]int{}
	ev := &cloudtrail.Event{}
	runs := 0
	for _, p := range programs {
		if p.Needs == "" {
			runs++
		}
	}
	for _, raw := range records {
		if err := ev.Reset(raw); err != nil {
			t.Fatal(err)
		}
		doc := ecs.NewDoc(ev.Document(), nil)
		for _, p := range programs {
			if p.Needs == "" && p.Predicate.Match(doc) {
				want[p.Rule.ID]++
			}
		}
	}
	alerts, st := run(t, detect.Config{Programs: programs, Schedule: detect.Once}, 3, records)
	got := map[string]int{}
	for _, a := range alerts {
		got[a.Rule.ID]++
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("alerts by rule_id (-want +got):\n%s", d)
	}
	t.Logf("%d rules run of %d, %d records, %d candidates, %d alerts of %d rules", runs, len(programs), st.Events, st.Candidates, st.Alerts, len(got))
	ledger(t, got)
}

// ledger compares the alerts by rule with the counts that were reviewed last.
// The ids are facts; the rules' texts stay where they are.
func ledger(t *testing.T, got map[string]int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# alerts by rule_id: the rules of type query over the recorded CloudTrail sets, --schedule once\n")
	for _, id := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%s %d\n", id, got[id])
	}
	const name = "testdata/ledger.txt"
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("counts changed; review, then LAMINA_UPDATE=1 (-want +got):\n%s", d)
	}
}
