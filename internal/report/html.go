package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// page is one self-contained page for people: it needs no script, loads nothing,
// follows the reader's light or dark setting, and prints. What decides stands
// first: the gate's decision, the counts and the coverage; then the results,
// worst first, each with its evidence; then what is accepted and by whom, what
// could not be read, and which checks passed. All strings pass safe and
// html/template. The page is made at Close, so results are kept until then, of a
// kind at most maxOnPage; the rest is counted.
type page struct {
	*printer
	v      pageView
	left   map[string]int
	passed map[string]*passedCheck
	estate *grouping
}

// maxOnPage is how many results of one kind a page shows.
const maxOnPage = 2000

//go:embed html.tmpl
var pageText string

//go:embed html.css
var pageStyle string

// A pageView is what the template shows. Strings are made visible by the template
// function "line", so that none is forgotten.
type pageView struct {
	Style    template.CSS
	Version  lamina.Version
	Gate     *lamina.Answer
	Summary  *lamina.Summary
	Lines    []string
	Contents []*lamina.Content
	Tiles    []tile
	Results  []result
	// Flat says that there are results which stand in no group.
	Flat     bool
	Open     []result
	Accepted []result
	Answers  []*lamina.Answer
	Plans    []*lamina.Plan
	Packages []*lamina.Package
	// Locked counts packages that only a lock file names.
	Locked   int
	Skipped  []*lamina.Skipped
	Warnings []*lamina.Warning
	Passed   []*passedCheck
	NotShown []string
	// Estate is nil for a page about no estate.
	Estate *estateView
}

// A tile is one count at the top.
type tile struct {
	Name  string
	Count int
}

// A result is a finding, an alert or an exposure.
type result struct {
	ID, Severity, Check, Ref, Title, Where, Detail string
	Rank                                           int
	Failed                                         bool
	Rows                                           []lamina.FieldValues
	Evidence                                       []string
	Fix, Reason, Settle, SHA256                    string
	Techniques                                     []technique
	Owners, Controls                               []string
	Known                                          bool
	// Estate says that the finding is in a group.
	Estate    bool
	Exception *lamina.Exception
}

// A technique is a MITRE ATT&CK id and the part of its address after the site's.
type technique struct{ ID, Path string }

// A passedCheck is a check that found nothing, and where.
type passedCheck struct {
	Check, Title string
	Outcome      lamina.Outcome
	Resources    int
}

func newHTML(p *printer, _ Options) Writer {
	return &page{printer: p, left: map[string]int{}, passed: map[string]*passedCheck{}}
}

func (w *page) Write(m lamina.Message) error {
	switch {
	case m.Version != nil:
		w.v.Version = *m.Version
	case m.Content != nil:
		keep(w, &w.v.Contents, m.Content, "layers")
	case m.Package != nil && m.Package.How == string(sbom.Locked):
		w.v.Locked++ // it is not there
	case m.Package != nil:
		keep(w, &w.v.Packages, m.Package, "packages")
	case m.Alert != nil:
		a := m.Alert
		w.result(result{
			ID: a.ID, Severity: string(a.Severity), Rank: a.Severity.Rank(), Check: a.Rule.File, Title: a.Rule.Name, Where: where(a, a.File), Detail: a.Reason,
			Rows: slices.Clone(alertRows(a)), Exception: a.Exception, Techniques: techniques(a.Rule.Techniques),
		}, false)
	case m.Finding != nil:
		w.finding(m.Finding)
	case m.Exposure != nil:
		e := m.Exposure
		w.result(result{
			ID: e.ID, Severity: string(e.Severity), Rank: e.Severity.Rank(), Check: "exposure", Title: e.Title, Where: e.Resource,
			Detail: e.Who + " can reach it: " + strings.Join(e.Path, " → "), Evidence: e.Reasons,
		}, false)
	case m.Answer != nil && m.Answer.Question == gateQuestion:
		w.v.Gate = m.Answer
	case m.Answer != nil:
		keep(w, &w.v.Answers, m.Answer, "answers")
	case m.Plan != nil:
		keep(w, &w.v.Plans, m.Plan, "plans")
	case m.Skipped != nil:
		keep(w, &w.v.Skipped, m.Skipped, "skipped parts")
	case m.Warning != nil:
		keep(w, &w.v.Warnings, m.Warning, "warnings")
	case m.Summary != nil:
		w.v.Summary = m.Summary
	}
	return w.err
}

// keep adds a copy of v, or counts it.
func keep[T any](w *page, to *[]*T, v *T, kind string) {
	if len(*to) == maxOnPage {
		w.left[kind]++
		return
	}
	c := *v
	*to = append(*to, &c)
}

func (w *page) finding(f *lamina.Finding) {
	if ofEstate(f) {
		if w.estate == nil {
			w.estate = newGrouping()
		}
		w.estate.add(f)
		if f.Outcome == lamina.Unknown && f.Exception == nil {
			return // many have one reason
		}
	}
	if f.Outcome == lamina.Pass || f.Outcome == lamina.NotApplicable {
		key := f.Check + "\x00" + string(f.Outcome)
		if w.passed[key] == nil {
			w.passed[key] = &passedCheck{Check: f.Check, Title: f.Title, Outcome: f.Outcome}
		}
		w.passed[key].Resources++
		return
	}
	w.result(result{
		ID: f.ID, Severity: string(f.Severity), Rank: f.Severity.Rank(), Check: f.Check, Ref: f.Ref, Title: f.Title, Where: place(f), Detail: f.Detail,
		Evidence: f.Evidence, Fix: f.Remediation, Reason: f.Reason, Settle: f.Settle, SHA256: f.SHA256, Exception: f.Exception,
		Techniques: techniques(f.Techniques), Owners: f.Owners, Controls: controls(f.Controls), Known: f.Baseline == "known", Estate: ofEstate(f),
	}, f.Outcome == lamina.Unknown)
}

func (w *page) result(r result, unknown bool) {
	to, kind := &w.v.Results, "results"
	switch {
	case r.Exception != nil:
		to, kind = &w.v.Accepted, "accepted results"
	case unknown:
		r.Severity = "unknown"
		to, kind = &w.v.Open, "unknown answers"
	}
	// The worst are kept: a page full of notes does not hide a leak.
	if len(*to) >= 2*maxOnPage {
		w.trim(to, kind)
	}
	*to = append(*to, r)
}

// trim sorts results, worst first, and keeps as many as are shown.
func (w *page) trim(rs *[]result, kind string) {
	slices.SortStableFunc(*rs, func(a, b result) int { return cmp.Compare(b.Rank, a.Rank) })
	if n := len(*rs) - maxOnPage; n > 0 {
		w.left[kind] += n
		*rs = slices.Clip((*rs)[:maxOnPage])
	}
}

// techniques are those ids that are ATT&CK's: T1552.001 is …/T1552/001.
func techniques(ids []string) []technique {
	var out []technique
	for _, id := range ids {
		digits := strings.Replace(strings.TrimPrefix(id, "T"), ".", "", 1)
		if len(id) < 5 || id[0] != 'T' || strings.Trim(digits, "0123456789") != "" {
			continue
		}
		out = append(out, technique{id, strings.Replace(id, ".", "/", 1)})
	}
	return out
}

func (w *page) Close() error {
	w.v.Style = template.CSS(pageStyle) //nolint:gosec // ours
	counts := map[string]int{}
	for _, k := range []struct {
		rs   *[]result
		kind string
	}{{&w.v.Results, "results"}, {&w.v.Open, "unknown answers"}, {&w.v.Accepted, "accepted results"}} {
		w.trim(k.rs, k.kind)
	}
	if s := w.v.Summary; s != nil {
		w.v.Lines = SummaryLines(s)
		for i, r := range w.v.Results {
			w.v.Results[i].Failed = slices.Contains(s.Failed, r.ID)
		}
	}
	for _, r := range w.v.Results {
		counts[r.Severity]++
		w.v.Flat = w.v.Flat || !r.Estate
	}
	unknown := len(w.v.Open)
	if w.estate != nil {
		shown := map[string]bool{}
		for _, r := range w.v.Results {
			shown[r.ID] = true
		}
		w.v.Estate = w.estate.view(shown)
		for _, u := range w.v.Estate.Open {
			unknown += u.Count
		}
	}
	for _, s := range slices.Backward(lamina.Severities) {
		w.v.Tiles = append(w.v.Tiles, tile{string(s), counts[string(s)]})
	}
	w.v.Tiles = append(w.v.Tiles, tile{"unknown", unknown}, tile{"accepted", len(w.v.Accepted)})
	for _, k := range slices.Sorted(maps.Keys(w.passed)) {
		w.v.Passed = append(w.v.Passed, w.passed[k])
	}
	for _, k := range slices.Sorted(maps.Keys(w.left)) {
		w.v.NotShown = append(w.v.NotShown, fmt.Sprintf("%s more %s; the json format has all of them", thousands(int64(w.left[k])), k))
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"line":  func(s any) string { return safe.Line(fmt.Sprint(s), 0) },
		"lines": func(ss []string) string { return safe.Line(strings.Join(ss, ", "), 0) },
		"bytes": Bytes,
		"upper": strings.ToUpper,
		"short": func(s string) string { return s[:min(len(s), 12)] },
		"title": func(v pageView) string { return strings.TrimSpace("Lamina " + v.Version.Command) },
		"n":     func(n int) string { return thousands(int64(n)) },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("page template: %w", err)
	}
	if w.err == nil {
		w.err = t.Execute(pageOut{w}, w.v)
	}
	return w.flush()
}

// pageOut gives what the template writes to the printer.
type pageOut struct{ w *page }

func (o pageOut) Write(b []byte) (int, error) {
	o.w.bytes(b)
	return len(b), o.w.err
}
