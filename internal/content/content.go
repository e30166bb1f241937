// Package content says what a layer holds and judges it: the facts of every
// file, the contract of an analyzer, and the runner of analyzers.
//
// It works in two steps. Read goes through a layer once, inflates each file
// once, and keeps its Facts: what the file's own bytes say (packages, secrets,
// code, binaries), small and without opinions. Judge then gives all layers of a
// Scan to analyzers, which are pure functions over facts and the merged /opt.
// The first step is what costs time and what a Cache saves; the second is where
// a new analyzer is added.
//
// A layer that cannot be opened is UNKNOWN for every analyzer and is also
// reported as skipped; so is an analyzer that panics. What could not be read
// makes a pass UNKNOWN. Nothing in a layer configures anything. This package
// names no analyzer; package analyzers holds them. Start with Read and Judge.
package content

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lamina-sec/lamina"
)

// An Analyzer looks for one thing.
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
	// Files says that it looks at files alone, wherever they are mounted, so that
	// it judges the function's own package, too.
	Files bool
	// Run judges one layer of the scan, s.Layers[layer], and calls found for each
	// place. A Run that calls found never is a Pass. An error makes the analyzer
	// UNKNOWN for this layer. It may look at the other layers, the function and
	// the merged view, and reports what concerns several layers at the one that
	// brings it about.
	Run func(s *Scan, layer int, found func(Result)) error
}

// A Result is one place in a layer.
type Result struct {
	// Outcome is Fail, Unknown with Reason and Settle, or NotApplicable with Detail.
	Outcome lamina.Outcome
	// File is the path in the layer, "" for the archive as a whole; Line is from
	// 1, 0 if there is none.
	File string
	Line int
	// Key tells apart several results of one analyzer at one place.
	Key string
	// Title is "" for the analyzer's own.
	Title string
	// Severity is "" for the analyzer's own.
	Severity       lamina.Severity
	Detail         string
	Evidence       []string
	Reason, Settle string
	// Suppressed is the reason for which a NotApplicable is not a Fail.
	Suppressed string
	// Remediation is "" for the analyzer's own.
	Remediation string
	// Vulnerability is what it is about, if it is about one.
	Vulnerability *lamina.Vulnerability
}

// Judge runs the analyzers over every layer of the scan, several at a time, and
// those of Files over the function's own package, last. Findings are sorted by
// layer, analyzer, file, line and id.
func Judge(analyzers []Analyzer, s *Scan) []lamina.Finding {
	var all []lamina.Finding
	for i, l := range s.Layers {
		if l.Err != nil {
			all = append(all, finding(unreadable, l, unopened(l)))
			continue
		}
		var findings []lamina.Finding
		results := judgeAll(analyzers, s, i)
		for n, a := range analyzers {
			for _, x := range results[n] {
				findings = append(findings, finding(a, l, x))
			}
		}
		slices.SortStableFunc(findings, byPlace)
		all = append(all, findings...)
	}
	return append(all, judgeFunction(analyzers, s)...)
}

// judgeFunction runs the analyzers that look at files alone over the function's
// own package.
func judgeFunction(analyzers []Analyzer, s *Scan) []lamina.Finding {
	if s.Function == nil || s.Function.Code == nil {
		return nil
	}
	code := s.Function.Code
	own := &Scan{
		Layers: []*Layer{code}, Advisories: s.Advisories, VEX: s.VEX, Hashes: s.Hashes, Now: s.Now,
		Function: &Function{Runtime: s.Function.Runtime, Architecture: s.Function.Architecture},
	}
	var all []lamina.Finding
	label := func(f lamina.Finding) lamina.Finding {
		f.Detail = strings.TrimSuffix("in the function's own package: "+f.Detail, ": ")
		return f
	}
	if code.Err != nil {
		return []lamina.Finding{label(finding(unreadable, code, unopened(code)))}
	}
	ofFiles := slices.DeleteFunc(slices.Clone(analyzers), func(a Analyzer) bool { return !a.Files })
	results := judgeAll(ofFiles, own, 0)
	for n, a := range ofFiles {
		for _, x := range results[n] {
			all = append(all, label(finding(a, code, x)))
		}
	}
	slices.SortStableFunc(all, byPlace)
	return all
}

// byPlace orders the findings of one layer.
func byPlace(a, b lamina.Finding) int {
	return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID))
}

// unopened is the result for a layer that could not be opened.
func unopened(l *Layer) Result {
	return Result{
		Outcome: lamina.Unknown, Detail: "the layer could not be opened, so that no analyzer could look", Reason: l.Err.Error(),
		Settle: "a zip or a folder: an archive that follows the zip format within the limits",
	}
}

// UnreadableLayer is the check of the one finding about a layer that could not be
// opened, where no analyzer could look.
const UnreadableLayer = "unreadable-layer"

// unreadable stands for all analyzers.
var unreadable = Analyzer{ID: UnreadableLayer, Title: "layer could not be opened", Severity: lamina.High}

// judgeAll is what each of the analyzers says of one layer, in their order.
func judgeAll(analyzers []Analyzer, s *Scan, layer int) [][]Result {
	results := make([][]Result, len(analyzers))
	var next atomic.Int64
	var work sync.WaitGroup
	// What most analyzers ask for is made side by side; else whoever asks first
	// makes it, and the others wait. A panic is told to each that asks.
	for _, prepare := range []func(){func() { s.Layers[layer].inventory() }, func() { s.View() }} {
		work.Go(func() {
			defer func() { _ = recover() }()
			prepare()
		})
	}
	work.Wait()
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(analyzers)); i = next.Add(1) - 1 {
				results[i] = judge(analyzers[i], s, layer)
			}
		})
	}
	work.Wait()
	return results
}

// judge is what one analyzer says of one layer: at least one result.
func judge(a Analyzer, s *Scan, layer int) []Result {
	l := s.Layers[layer]
	results, err := run(a, s, layer)
	switch {
	case err != nil:
		return append(results, Result{
			Outcome: lamina.Unknown, Detail: "the analyzer did not finish", Reason: err.Error(),
			Settle: "an archive whose entries read as its directory says",
		})
	case len(results) > 0:
		return results
	case len(l.Skipped) > 0:
		return []Result{{
			Outcome: lamina.Unknown, Detail: fmt.Sprintf("nothing found in the %s that could be read", Count(len(l.Files), "file")),
			Reason: Count(len(l.Skipped), "part") + " of the layer could not be read",
			Settle: "a layer that can be read whole: the skipped parts are listed",
		}}
	}
	return []Result{{Outcome: lamina.Pass, Detail: "nothing found", Evidence: []string{"sha256: " + l.SHA256}}}
}

func run(a Analyzer, s *Scan, layer int) (results []Result, err error) {
	var most worst
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %s", Clean(fmt.Sprint(p)))
		}
		results = most.results()
	}()
	return nil, a.Run(s, layer, func(r Result) { most.add(a, r) })
}

// maxResults is how many results of one analyzer a layer has. What has more is made
// to have: the rest are one result that counts them.
const maxResults = 1000

// A worst keeps the maxResults most severe of any number of results, the first of
// those that are as severe.
type worst struct {
	kept  []Result
	rank  []int // of kept
	least int   // the lowest rank of kept when it is full
	more  int
	rest  Result // the most severe that is not kept
	top   int    // its rank
}

// urgency of a result: a failure before what is unknown before what is not.
func urgency(a Analyzer, r Result) int {
	switch r.Outcome {
	case lamina.Fail:
		return 2 + cmp.Or(r.Severity, a.Severity).Rank()
	case lamina.Unknown:
		return 1
	case lamina.Pass, lamina.NotApplicable:
	}
	return 0
}

func (w *worst) add(a Analyzer, r Result) {
	n := urgency(a, r)
	if len(w.kept) == maxResults {
		if n <= w.least {
			w.leave(r, n)
			return
		}
		i := maxResults - 1 // it takes the place of the last of the least
		for w.rank[i] != w.least {
			i--
		}
		w.leave(w.kept[i], w.rank[i])
		w.kept, w.rank = slices.Delete(w.kept, i, i+1), slices.Delete(w.rank, i, i+1)
	}
	w.kept, w.rank = append(w.kept, r), append(w.rank, n)
	if len(w.kept) == maxResults {
		w.least = slices.Min(w.rank)
	}
}

// leave counts a result that is not kept.
func (w *worst) leave(r Result, n int) {
	if w.more++; w.more == 1 || n > w.top {
		w.rest, w.top = r, n
	}
}

func (w *worst) results() []Result {
	if w.more == 0 {
		return w.kept
	}
	r := w.rest
	return append(w.kept, Result{
		Outcome: r.Outcome, File: r.File, Key: "more", Severity: r.Severity, Reason: r.Reason, Settle: r.Settle,
		Detail:   fmt.Sprintf("and %s like this or less severe: %d are listed", Count(w.more, "more result"), maxResults),
		Evidence: []string{fmt.Sprintf("results: %d", maxResults+w.more)},
	})
}

func finding(a Analyzer, l *Layer, r Result) lamina.Finding {
	resource := l.Name
	if err := r.valid(); err != nil {
		r.Outcome, r.Reason, r.Settle = lamina.Unknown, err.Error(), "this is a defect of lamina: please report it"
	}
	f := lamina.Finding{
		ID: lamina.ID("F", a.ID, resource, r.File, r.Key), Check: a.ID, Ref: a.Ref, Title: cmp.Or(r.Title, a.Title),
		Severity: cmp.Or(r.Severity, a.Severity), Outcome: r.Outcome, Resource: resource, File: r.File, Line: r.Line,
		Detail: r.Detail, Evidence: r.Evidence, Reason: r.Reason, Settle: r.Settle, Suppressed: r.Suppressed, Techniques: a.Techniques, Vulnerability: r.Vulnerability,
	}
	if r.File == "" {
		f.SHA256 = l.SHA256
	} else if file := l.File(r.File); file != nil {
		f.SHA256 = file.SHA256.String()
	}
	if r.Outcome == lamina.Fail {
		f.Remediation, f.Fixes = cmp.Or(r.Remediation, a.Remediation), a.Fixes
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
