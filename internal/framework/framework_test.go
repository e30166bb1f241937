package framework_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/framework"
)

// Every number of the catalogue, answered or not, bears on controls of the three
// frameworks that are not AWS's, and each id is written as its framework writes it.
func TestOf(t *testing.T) {
	forms := map[string]*regexp.Regexp{
		"aws-fsbp": regexp.MustCompile(`^[A-Z][A-Za-z0-9]+\.[0-9]+$`), "cis-aws": regexp.MustCompile(`^[1-5]\.[0-9]+$`),
		"nist-800-53": regexp.MustCompile(`^[A-Z]{2}-[0-9]+$`), "pci-dss": regexp.MustCompile(`^[0-9]{1,2}\.[0-9]+\.[0-9]+$`), "soc2": regexp.MustCompile(`^(CC|A)[0-9]\.[0-9]$`),
	}
	var refs []string
	for _, c := range checks.All {
		refs = append(refs, c.Ref)
	}
	for _, u := range checks.Unsupported {
		refs = append(refs, u.Ref)
	}
	for _, ref := range refs {
		of := map[string]bool{}
		for _, c := range framework.Of(ref) {
			of[c.Framework] = true
			if !forms[c.Framework].MatchString(c.ID) {
				t.Errorf("%s: %s has no control %q", ref, c.Framework, c.ID)
			}
		}
		for _, name := range []string{"nist-800-53", "pci-dss", "soc2"} {
			if !of[name] {
				t.Errorf("%s bears on nothing of %s", ref, name)
			}
		}
	}
	got := framework.Of("VIS-01", "cis-aws", "aws-fsbp")
	if d := cmp.Diff([]lamina.Control{{Framework: "aws-fsbp", ID: "CloudTrail.1"}, {Framework: "cis-aws", ID: "3.1"}}, got); d != "" {
		t.Error(d)
	}
	if !slices.IsSortedFunc(framework.Of("TOX-05"), func(a, b lamina.Control) int { return strings.Compare(a.Framework+a.ID, b.Framework+b.ID) }) || framework.Of("TOX-99") != nil {
		t.Error("not sorted, or controls of nothing")
	}
}
