package gate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// A Baseline is what a saved run, of the main line usually, found. Its findings
// stay visible; a policy may let only new ones decide. A finding is known if the
// baseline has it with the same content: a changed file is judged again. What
// an exception covered there is no debt, so that it decides when the exception
// has ended.
type Baseline struct {
	// Name is the file.
	Name     string
	findings []lamina.Finding
	byID     map[string][]int
	byPlace  map[[5]string][]int
}

// NewBaseline makes a baseline of the findings of a saved run.
func NewBaseline(name string, findings []lamina.Finding) *Baseline {
	b := &Baseline{Name: name, byID: map[string][]int{}, byPlace: map[[5]string][]int{}}
	for _, f := range findings {
		if f.Outcome != lamina.Fail || f.Exception != nil {
			continue
		}
		i := len(b.findings)
		b.findings = append(b.findings, f)
		b.byID[f.ID] = append(b.byID[f.ID], i)
		for _, m := range f.Members {
			b.byID[m.ID] = append(b.byID[m.ID], i)
		}
		b.byPlace[likeness(&f)] = append(b.byPlace[likeness(&f)], i)
	}
	return b
}

// likeness is what stays the same when the same layer is built elsewhere, under
// another name: a finding's id is made of the layer's name. The digest of the
// whole archive is left out, since few archives are built the same twice.
func likeness(f *lamina.Finding) [5]string {
	sha := f.SHA256
	if f.File == "" {
		sha = ""
	}
	return [5]string{f.Check, f.File, sha, f.Title, f.Detail}
}

// has reports whether the baseline knows the finding, and as no less severe.
func (b *Baseline) has(f *lamina.Finding) bool {
	if b == nil {
		return false
	}
	severe := func(i int) bool { return f.Severity.Rank() <= b.findings[i].Severity.Rank() }
	same := func(i int) bool {
		old := &b.findings[i]
		if f.File == "" {
			return old.Title == f.Title && old.Detail == f.Detail && severe(i)
		}
		return old.SHA256 == f.SHA256 && severe(i)
	}
	return slices.ContainsFunc(b.byID[f.ID], same) || slices.ContainsFunc(b.byPlace[likeness(f)], severe)
}

// Knows reports whether the baseline has the finding, which is about an estate,
// and as no less severe: each of its members, when it has several. What is counted
// or dated in its detail may have changed; account ids, which have twelve digits,
// may not.
func (b *Baseline) Knows(f *lamina.Finding) bool {
	known := func(id string) bool {
		return slices.ContainsFunc(b.byID[id], func(i int) bool {
			old := &b.findings[i]
			return f.Severity.Rank() <= old.Severity.Rank() && countless(old.Detail) == countless(f.Detail)
		})
	}
	if len(f.Members) == 0 {
		return known(f.ID)
	}
	return !slices.ContainsFunc(f.Members, func(m lamina.Member) bool { return !known(m.ID) })
}

// number is a run of digits, and what is counted by it.
var number = regexp.MustCompile(`([0-9]+)( [a-z]+)?`)

// countless is s without the numbers in it that are no account id.
func countless(s string) string {
	return number.ReplaceAllStringFunc(s, func(n string) string {
		digits, what, _ := strings.Cut(n, " ")
		if len(digits) == 12 {
			return n
		}
		return "#" + strings.TrimSuffix(what, "s")
	})
}

// gone are the findings of the baseline that no finding is like any more. One
// whose check could not answer now is not fixed; nobody knows.
func (b *Baseline) gone(findings []lamina.Finding, overrides map[string]Override) []lamina.Finding {
	if b == nil {
		return nil
	}
	ids, places, unknown := map[string]bool{}, map[[5]string]bool{}, map[string]bool{}
	for i := range findings {
		f := &findings[i]
		if f.Outcome == lamina.Fail {
			ids[f.ID], places[likeness(f)] = true, true
		}
		if f.Outcome == lamina.Unknown && f.Check == content.UnreadableLayer {
			return nil // of a layer that could not be opened nothing is known
		}
		if f.Outcome == lamina.Unknown || overrides[f.Check].Off {
			unknown[f.Check] = true
		}
	}
	var out []lamina.Finding
	for i := range b.findings {
		if f := &b.findings[i]; !ids[f.ID] && !places[likeness(f)] && !unknown[f.Check] {
			out = append(out, *f)
		}
	}
	return out
}
