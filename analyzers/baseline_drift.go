package analyzers

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// BaselineDrift finds: layer differs from the version that is trusted.
var BaselineDrift = content.Analyzer{
	ID:          "baseline-drift",
	Title:       "layer differs from the version that is trusted",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Remediation: "read the difference; if it is wanted, make this version the baseline",
	NoFix:       "a published layer version cannot be changed",
	Run:         baselineDrift,
}

func baselineDrift(s *content.Scan, layer int, found func(content.Result)) error {
	if layer != 0 {
		return nil
	}
	l, b := s.Layers[0], s.Baseline
	if b == nil {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "no baseline was given"})
		return nil
	}
	if b.Err != nil {
		found(content.Result{Outcome: lamina.Unknown, Detail: "the baseline could not be opened", Reason: b.Err.Error(), Settle: "a baseline that can be read"})
		return nil //nolint:nilerr // the result says it
	}
	for _, f := range l.Files {
		old := b.File(f.Path)
		r := content.Result{Outcome: lamina.Fail, File: f.Path, Evidence: []string{"file sha256: " + f.SHA256.String()}}
		switch {
		case old == nil:
			r.Key, r.Detail = "added", "it is not in the baseline"
		case old.SHA256 != f.SHA256:
			r.Key, r.Detail = "changed", "its content differs from the baseline's"
			r.Evidence = append(r.Evidence, "baseline sha256: "+old.SHA256.String())
		case old.Mode != f.Mode:
			r.Key, r.Detail = "mode", fmt.Sprintf("its mode is %v, in the baseline %v", f.Mode, old.Mode)
		default:
			continue
		}
		if !runs(f) {
			r.Severity = lamina.Low
		}
		if strings.HasPrefix(f.Path, "extensions/") || f.Path == "bootstrap" {
			r.Severity = lamina.High
		}
		found(r)
	}
	for _, f := range b.Files {
		if l.File(f.Path) == nil {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "removed", Severity: lamina.Info, Detail: "it is in the baseline and not here",
				Evidence: []string{"baseline sha256: " + f.SHA256.String()},
			})
		}
	}
	return nil
}

// runs reports whether the file is of a kind that is executed or loaded.
func runs(f *content.File) bool {
	switch f.Kind {
	case content.Python, content.Pyc, content.PthFile, content.JavaScript, content.Shell, content.Script, content.Ruby, content.ELF, content.Class, content.Link:
		return true
	case content.Other, content.Foreign, content.Archive, content.JSON, content.Text:
	}
	return f.Mode&0o111 != 0
}
