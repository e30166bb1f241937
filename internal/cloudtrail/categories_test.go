package cloudtrail

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCategorize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		action          string
		category, types []string
	}{
		{"AssumeRole", []string{"authentication"}, []string{"info"}},
		{"AttachUserPolicy", []string{"iam"}, []string{"user", "change"}},
		{"PutObject", []string{"file"}, []string{"change"}},
		{"CreateFunction20150331", nil, []string{"info"}},
		{"assumerole", nil, []string{"info"}},
		{"", nil, []string{"info"}},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			category, types := categorize(tt.action)
			if d := cmp.Diff([][]string{tt.category, tt.types}, [][]string{category, types}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestCategories_are_those_of_the_pinned_version(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(testdata(t, "cloudtrail-ecs"), "ecs_categorization.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var source string
	if err := json.Unmarshal(file["_source"], &source); err != nil {
		t.Fatal(err)
	}
	delete(file, "_source")
	if _, version, _ := strings.Cut(source, "@"); !strings.Contains(Categorization, version[:12]) {
		t.Errorf("%s is pinned, the data is of %s", Categorization, source)
	}
	want, got := map[string][][]string{}, map[string][][]string{}
	for action, raw := range file {
		var lists [][]string
		if err := json.Unmarshal(raw, &lists); err != nil {
			t.Fatal(err)
		}
		want[action] = lists
	}
	for action, c := range classes() {
		got[action] = [][]string{c.category, c.types}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-data +table):\n%s", d)
	}
	if len(got) != 91 {
		t.Errorf("%d actions", len(got))
	}
}
