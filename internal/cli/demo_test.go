package cli

import (
	"bufio"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/report"
)

// The demo is complete, ends well, and gives the same bytes each time.
func TestDemo(t *testing.T) {
	var first string
	for range 2 {
		std, out, errs := stdio(t)
		start := time.Now()
		if code := Main(t.Context(), []string{"demo"}, std); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		t.Logf("the demo took %s", time.Since(start).Round(time.Millisecond))
		if first == "" {
			first = out.String()
		}
		if out.String() != first {
			t.Fatal("two demos differ")
		}
	}
	for _, want := range []string{
		"layer:acme-auth:7", "to everyone (*)", "baked-secret", "plan P-", "undone again: the grants are those of before",
		"rules that fired: layer-shared", "complete\n",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	if strings.Contains(first, "BTX3GSDSQBNDZV4R") || strings.Contains(first, "nM0pLkJhGfDsAe7Y") {
		t.Error("the demo shows a credential")
	}
}

// As JSON the demo is a message stream that adds up, with every kind of result
// in it, and everything of the story that is to be seen.
func TestDemo_json(t *testing.T) {
	std, out, errs := stdio(t)
	if code := Main(t.Context(), []string{"demo", "--json", "--severity", "info"}, std); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	kinds, failed, scopes := map[string]int{}, map[string]int{}, map[string]bool{}
	var summary lamina.Summary
	err := report.Read(bufio.NewReader(out), func(m lamina.Message) error {
		switch {
		case m.Alert != nil:
			kinds["alert"]++
			for _, f := range m.Alert.Fields {
				if f.Field == "lamina.grant.scope" && strings.HasSuffix(m.Alert.Rule.File, "layer-shared.toml") {
					scopes[strings.Join(f.Values, " ")] = true
				}
			}
		case m.Finding != nil:
			kinds["finding "+string(m.Finding.Outcome)]++
			if m.Finding.Outcome == lamina.Fail {
				failed[m.Finding.Check]++
			}
		case m.Exposure != nil:
			kinds["exposure"]++
		case m.Plan != nil:
			kinds["plan"]++
		case m.Answer != nil:
			kinds["answer "+string(m.Answer.Outcome)]++
		case m.Summary != nil:
			summary = *m.Summary
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"public", "vendor_account", "own_organization", "organization_account", "unknown_account"} {
		if !scopes[scope] {
			t.Errorf("no grant of scope %s was reported: %v", scope, scopes)
		}
	}
	if scopes["own_account"] {
		t.Error("a grant to the owner's own account was reported")
	}
	if kinds["answer UNKNOWN"] == 0 || failed["baked-secret"] != 2 || failed["credential-theft"] != 1 || failed["duplicate-entry"] != 1 || failed["layer-public"] != 1 || kinds["plan"] != 1 {
		t.Errorf("%v, %v", kinds, failed) // the denied attempt hides who was meant
	}
	c := summary.Counts
	if !summary.Complete || c["records"] != c["evaluated"]+c["quarantined"] || int64(kinds["alert"]) != c["alerts"] {
		t.Errorf("%+v, %v", summary, kinds)
	}
}

// What sample write leaves is what the demo saw: detect finds the same alerts.
func TestSampleWrite(t *testing.T) {
	std, out, errs := stdio(t)
	if code := Main(t.Context(), []string{"sample", "write", "acme"}, std); code != 0 || !strings.Contains(out.String(), "216 files") {
		t.Fatalf("exit %d: %s %s", code, out, errs)
	}
	if code := Main(t.Context(), []string{"sample", "write", "acme"}, std); code != int(Refused) {
		t.Errorf("writing into it again: exit %d", code)
	}
	alerts := func(args ...string) string {
		out.Reset()
		if code := Main(t.Context(), append(args, "-f", "ndjson", "--severity", "info", "--fail-on", "never"), std); code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, errs)
		}
		var ids []string
		for line := range strings.SplitSeq(out.String(), "\n") {
			var a struct {
				ID string `json:"alert.id"`
			}
			if json.Unmarshal([]byte(line), &a) == nil && a.ID != "" {
				ids = append(ids, a.ID)
			}
		}
		slices.Sort(ids)
		return strings.Join(ids, "\n")
	}
	want := alerts("demo")
	got := alerts("detect", filepath.Join("acme", "AWSLogs"), "--schedule", "once", "--org-id", "o-exampleorgid",
		"--account", "111122223333", "--account", "444455556666", "--account", "777788889999")
	if got != want || want == "" {
		t.Errorf("detect finds\n%s\nthe demo\n%s", got, want)
	}
}
