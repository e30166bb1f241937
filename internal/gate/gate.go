// Package gate decides whether a layer may go on: built, judged, and later
// signed and published.
//
// So far it judges: the analyzers' findings about a zip against a threshold.
// An analyzer that could not answer keeps the gate shut with UNKNOWN, which is
// never a pass. Nothing in the layer configures the gate. Building, signing and
// publishing, for which it may reach awswrite and os/exec, are not there yet.
// Start with Judge.
package gate

import (
	"io"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// A Verdict is the gate's decision.
type Verdict struct {
	// Outcome is Pass, Fail or Unknown; Fail wins over Unknown.
	Outcome lamina.Outcome
	// Because are the ids of the findings that decided, in their order.
	Because  []string
	Findings []lamina.Finding
	Skipped  []lamina.Skipped
}

// Judge runs the analyzers over the zip of size bytes in r. A finding at or
// above failOn fails it.
func Judge(name string, r io.ReaderAt, size int64, analyzers []content.Analyzer, failOn lamina.Severity) Verdict {
	v := Verdict{Outcome: lamina.Pass}
	v.Findings, v.Skipped = content.Run(analyzers, name, r, size, content.Options{})
	var failed, unknown []string
	for _, f := range v.Findings {
		switch f.Outcome {
		case lamina.Fail:
			if f.Severity.Rank() >= failOn.Rank() {
				failed = append(failed, f.ID)
			}
		case lamina.Unknown:
			unknown = append(unknown, f.ID)
		case lamina.Pass, lamina.NotApplicable:
		}
	}
	switch {
	case failed != nil:
		v.Outcome, v.Because = lamina.Fail, failed
	case unknown != nil:
		v.Outcome, v.Because = lamina.Unknown, unknown
	case len(v.Findings) == 0: // no analyzer looked
		v.Outcome = lamina.Unknown
	}
	return v
}
