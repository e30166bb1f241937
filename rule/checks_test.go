package rule

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Checks lists each code once, in order, and each code that the source has.
func TestChecks_are_complete(t *testing.T) {
	used := map[string]bool{}
	re := regexp.MustCompile(`Code: +"([a-z-]+)"`)
	for _, pattern := range []string{"*.go", "../internal/cli/rules*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range re.FindAllSubmatch(data, -1) {
				used[string(m[1])] = true
			}
		}
	}
	var listed []string
	for _, c := range Checks {
		listed = append(listed, c.Code)
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(used)), listed); d != "" {
		t.Errorf("used, and listed in Checks (-used +listed):\n%s", d)
	}
}
