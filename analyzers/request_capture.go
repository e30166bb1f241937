package analyzers

import (
	"fmt"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// RequestCapture finds: code sends what the function is given or asks for to a third party.
var RequestCapture = content.Analyzer{
	ID:          "request-capture",
	Title:       "code sends what the function is given or asks for to a third party",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1056", "T1041"},
	Citation:    "https://attack.mitre.org/techniques/T1056/",
	Remediation: "read the code; if the receiver is not one of yours, stop using the version and take what the functions handled since for known",
	NoFix:       "a published layer version cannot be changed",
	Run:         requestCapture,
}

func requestCapture(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Code == nil || content.Test(f.Path) {
			continue
		}
		for i, w := range f.Code.Flows {
			if w.Source != codeflow.SourceEvent && w.Source != codeflow.SourcePatched || w.Sink == codeflow.CallProcess || !content.Leaves(w.Sink) {
				continue
			}
			reach := content.ReachOf(w.Host)
			if reach == content.Local || reach == content.AWS {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: w.SinkLine, Key: strconv.Itoa(i), Severity: lamina.Low,
				Detail: fmt.Sprintf("%s, from line %d, reaches %s on line %d", w.SourceName, w.SourceLine, w.SinkName, w.SinkLine),
				Evidence: []string{
					fmt.Sprintf("source: %s (%s), line %d", w.SourceName, w.Source, w.SourceLine),
					fmt.Sprintf("sink: %s (%s), line %d", w.SinkName, w.Sink, w.SinkLine), "file sha256: " + f.SHA256.String(),
				},
			}
			if reach == content.Elsewhere {
				r.Severity = lamina.High
				r.Evidence = append(r.Evidence, "to: "+w.Host)
			}
			found(r)
		}
	}
	return nil
}
