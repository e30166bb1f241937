package analyzers

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// UnusedPackage finds: package that the function does not come to.
var UnusedPackage = content.Analyzer{
	ID:          "unused-package",
	Title:       "layer brings packages that the function does not import",
	Since:       "0.2",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html",
	Remediation: "take them out of the layer where no other function needs them, and run the function's tests",
	NoFix:       "whether another function needs them is not known",
	Run:         unusedPackage,
}

// The words for uses, from certain to uncertain.
var useWords = []struct {
	use  content.Use
	word string
}{
	{content.Used, "used"},
	{content.Transitive, "only transitively"},
	{content.Declared, "declared, not imported"},
	{content.Unreached, "never reachable"},
	{content.Undecided, "unknown (dynamic)"},
}

func unusedPackage(s *content.Scan, layer int, found func(content.Result)) error {
	u := s.Usage()
	if u.Unknown != "" {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: u.Unknown})
		return nil
	}
	l := s.Layers[layer]
	by := map[content.Use][]*sbom.Component{}
	for i := range l.Packages() {
		if c := &l.Packages()[i]; u.Covers(c) {
			use, _ := u.Of(layer, c)
			by[use] = append(by[use], c)
		}
	}
	var counts []string
	for _, w := range useWords {
		if len(by[w.use]) > 0 {
			counts = append(counts, fmt.Sprintf("%s: %d", w.word, len(by[w.use])))
		}
	}
	removable := func(use content.Use) (size int64, vulnerabilities int, evidence []string) {
		list := by[use]
		slices.SortStableFunc(list, func(a, b *sbom.Component) int {
			return cmp.Or(cmp.Compare(l.Bytes(b.Root), l.Bytes(a.Root)), cmp.Compare(a.Name, b.Name))
		})
		for _, c := range list {
			n, known := l.Bytes(c.Root), 0
			if s.Advisories != nil && c.Version != "" {
				known = len(s.Advisories.Lookup(c.Ecosystem, c.Name, c.Version))
			}
			size, vulnerabilities = size+n, vulnerabilities+known
			line := c.PURL() + ": " + content.Bytes(n)
			if known > 0 {
				line += fmt.Sprintf(", %d known vulnerabilities", known)
			}
			if _, who := u.Of(layer, c); who != "" {
				line += ", declared by " + who
			}
			if len(evidence) < 30 {
				evidence = append(evidence, line)
			}
		}
		return size, vulnerabilities, evidence
	}
	for _, w := range useWords[2:] {
		list := by[w.use]
		if len(list) == 0 {
			continue
		}
		size, known, evidence := removable(w.use)
		r := content.Result{Outcome: lamina.Fail, File: list[0].File, Key: string(w.use), Evidence: append(slices.Clone(counts), evidence...)}
		what := content.Count(len(list), "package") + " of " + content.Bytes(size)
		if known > 0 {
			what += fmt.Sprintf(" with %d known vulnerabilities", known)
		}
		switch w.use {
		case content.Declared:
			r.Severity, r.Detail = lamina.Info, what+" declared, not imported: what is used says that it needs them"
		case content.Unreached:
			r.Severity, r.Detail = lamina.Low, what+" never reachable from the function: they could go"
		case content.Undecided:
			r.Outcome, r.File, r.Detail = lamina.Unknown, "", what+" may be unused: code computes what it imports"
			r.Reason, r.Settle = u.Doubts[0], "imports by names that stand in the code, in a package that can be read whole"
			r.Evidence = append(r.Evidence, u.Doubts...)
		case content.Used, content.Transitive:
		}
		found(r)
	}
	return nil
}
