// Package content is the contract of an analyzer and the runner of analyzers
// over a layer zip.
//
// The runner opens the archive through layerfs, computes its digest, and turns
// what analyzers say into findings. An archive that cannot be opened is UNKNOWN
// for every analyzer and is also reported as skipped; an analyzer that panics
// is UNKNOWN with its id. Nothing in the archive configures anything. This
// package names no analyzer; package analyzers holds them. Start with Run.
package content

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// An Analyzer looks for one thing in a layer.
type Analyzer struct {
	// ID is the file's name with hyphens ("duplicate-entry"); Ref its number in
	// the catalogue or "".
	ID, Ref string
	Title   string
	// Since is the release it came with.
	Since    string
	Severity lamina.Severity
	// Techniques are MITRE ATT&CK ids.
	Techniques []string
	// Citation is what the analyzer's reading rests on.
	Citation string
	// Remediation is what to do, in a sentence. Fixes are the fixes that plan it;
	// NoFix says why there is none.
	Remediation string
	Fixes       []string
	NoFix       string
	// Run looks at the layer and calls found for each place. A Run that calls
	// found never is a Pass. An error makes the analyzer UNKNOWN.
	Run func(l Layer, found func(Result)) error
}

// A Layer is an opened archive.
type Layer struct {
	// Name is the file as the user would type it, or the layer version's ARN.
	Name string
	// SHA256 is the lower-case hex digest of the archive.
	SHA256 string
	FS     *layerfs.Layer
}

// A Result is one place in a layer.
type Result struct {
	// Outcome is Fail, or Unknown with Reason and Settle.
	Outcome lamina.Outcome
	// File is the path in the layer, "" for the archive as a whole; Line is from
	// 1, 0 if there is none.
	File string
	Line int
	// Key tells apart several results of one analyzer at one place.
	Key string
	// Severity is "" for the analyzer's own.
	Severity       lamina.Severity
	Detail         string
	Evidence       []string
	Reason, Settle string
}

// Run opens the archive of size bytes in r and runs the analyzers over it,
// within layerfs.DefaultLimits. Findings are sorted by analyzer, file, line and id.
func Run(analyzers []Analyzer, name string, r io.ReaderAt, size int64) ([]lamina.Finding, []lamina.Skipped) {
	return RunWithin(layerfs.DefaultLimits, analyzers, name, r, size)
}

// RunWithin is Run with limits of the caller's.
func RunWithin(limits layerfs.Limits, analyzers []Analyzer, name string, r io.ReaderAt, size int64) ([]lamina.Finding, []lamina.Skipped) {
	var findings []lamina.Finding
	fs, err := layerfs.Open(r, size, limits)
	var sum string
	if err == nil {
		sum, err = digest(r, size)
	}
	if err != nil {
		for _, a := range analyzers {
			findings = append(findings, finding(a, name, Result{
				Outcome: lamina.Unknown, Detail: "the archive could not be opened", Reason: err.Error(),
				Settle: "an archive that follows the zip format within the limits",
			}))
		}
		return findings, []lamina.Skipped{{File: name, Offset: -1, Bytes: size, Reason: err.Error()}}
	}
	l := Layer{Name: name, SHA256: sum, FS: fs}
	for _, a := range analyzers {
		results, err := run(a, l)
		switch {
		case err != nil:
			results = append(results, Result{
				Outcome: lamina.Unknown, Detail: "the analyzer did not finish", Reason: err.Error(),
				Settle: "an archive whose entries read as its directory says",
			})
		case len(results) == 0:
			results = []Result{{Outcome: lamina.Pass, Detail: "nothing found", Evidence: []string{"sha256: " + sum}}}
		}
		for _, x := range results {
			findings = append(findings, finding(a, name, x))
		}
	}
	slices.SortStableFunc(findings, func(a, b lamina.Finding) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID))
	})
	return findings, nil
}

func digest(r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func run(a Analyzer, l Layer) (results []Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	err = a.Run(l, func(r Result) { results = append(results, r) })
	return results, err
}

func finding(a Analyzer, resource string, r Result) lamina.Finding {
	if err := r.valid(); err != nil {
		r.Outcome, r.Reason, r.Settle = lamina.Unknown, err.Error(), "this is a defect of lamina: please report it"
	}
	f := lamina.Finding{
		ID: lamina.ID("F", a.ID, resource, r.File, r.Key), Check: a.ID, Ref: a.Ref, Title: a.Title,
		Severity: cmp.Or(r.Severity, a.Severity), Outcome: r.Outcome, Resource: resource, File: r.File, Line: r.Line,
		Detail: r.Detail, Evidence: r.Evidence, Reason: r.Reason, Settle: r.Settle, Techniques: a.Techniques,
	}
	if r.Outcome == lamina.Fail {
		f.Remediation, f.Fixes = a.Remediation, a.Fixes
	}
	return f
}

func (r Result) valid() error {
	switch {
	case !r.Outcome.Valid():
		return fmt.Errorf("the analyzer gave the outcome %q", r.Outcome)
	case r.Outcome == lamina.Unknown && (r.Reason == "" || r.Settle == ""):
		return errors.New("the analyzer gave no reason, or nothing that would settle it")
	case r.Outcome == lamina.Fail && len(r.Evidence) == 0:
		return errors.New("the analyzer failed the layer without evidence")
	case strings.HasSuffix(r.Detail, "."):
		return errors.New("the analyzer's detail ends in a full stop")
	}
	return nil
}
