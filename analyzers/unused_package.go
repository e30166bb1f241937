package analyzers

import (
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// UnusedPackage finds: package that the function does not come to.
var UnusedPackage = content.Analyzer{
	ID:          "unused-package",
	Title:       "layer brings a package that the function does not import",
	Since:       "0.2",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html",
	Remediation: "take it out of the layer where no other function needs it, and run the function's tests",
	NoFix:       "whether another function needs it is not known",
	Run:         unusedPackage,
}

func unusedPackage(s *content.Scan, layer int, found func(content.Result)) error {
	u := s.Usage()
	if u.Unknown != "" {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: u.Unknown})
		return nil
	}
	l := s.Layers[layer]
	counts := map[content.Use]int{}
	for i := range l.Packages() {
		if c := &l.Packages()[i]; u.Covers(c) {
			use, _ := u.Of(layer, c)
			counts[use]++
		}
	}
	undecided, bytes := 0, int64(0)
	for i := range l.Packages() {
		c := &l.Packages()[i]
		if !u.Covers(c) {
			continue
		}
		use, by := u.Of(layer, c)
		r := content.Result{Outcome: lamina.Fail, File: c.File, Key: "package " + c.Root, Evidence: []string{
			"package: " + c.PURL(), "bytes: " + content.Bytes(l.Bytes(c.Root)),
			fmt.Sprintf("packages here: %d imported, %d by other packages, %d only declared, %d not reached", counts[content.Used], counts[content.Transitive], counts[content.Declared], counts[content.Unreached]+counts[content.Undecided]),
		}}
		switch use {
		case content.Used, content.Transitive:
			continue
		case content.Declared:
			r.Severity = lamina.Info
			r.Detail = fmt.Sprintf("%s says that it needs %s, and nothing that the function comes to imports it", by, c.Name)
		case content.Unreached:
			r.Severity = lamina.Low
			r.Detail = fmt.Sprintf("nothing that the function comes to imports or needs %s: %s could go", c.Name, content.Bytes(l.Bytes(c.Root)))
		case content.Undecided:
			undecided++
			bytes += l.Bytes(c.Root)
			continue
		}
		found(r)
	}
	if undecided > 0 {
		found(content.Result{
			Outcome: lamina.Unknown, Key: "undecided", Detail: fmt.Sprintf("%s of %s may be unused", content.Count(undecided, "package"), content.Bytes(bytes)), Evidence: u.Doubts,
			Reason: u.Doubts[0], Settle: "imports by names that stand in the code, in a package that can be read whole",
		})
	}
	return nil
}
