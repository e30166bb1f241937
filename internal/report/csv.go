package report

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// csvWriter is a row a finding or alert for spreadsheets (RFC 4180, with a header).
// A cell that a spreadsheet would take for a formula is made text. What passed is
// there with Options.Verbose; coverage and counts are in no row, because a sum
// over a column would take them for results.
type csvWriter struct {
	*printer
	o       Options
	started bool
}

func newCSV(p *printer, o Options) Writer { return &csvWriter{printer: p, o: o} }

var csvHeader = []string{
	"id", "severity", "outcome", "check", "number", "title", "accounts", "region", "resource", "file", "line", "detail", "because", "to settle", "fix",
	"owners", "controls", "techniques", "baseline", "exception", "exception until", "exception owner", "evidence",
}

func (w *csvWriter) Write(m lamina.Message) error {
	switch {
	case m.Finding != nil:
		f := m.Finding
		if (f.Outcome == lamina.Pass || f.Outcome == lamina.NotApplicable) && !w.o.Verbose {
			break
		}
		line, region := "", ""
		if f.Line > 0 {
			line = strconv.Itoa(f.Line)
		}
		if a, err := lamina.ParseARN(f.Resource); err == nil {
			region = a.Region
		}
		x := lamina.Exception{}
		if f.Exception != nil {
			x = *f.Exception
		}
		w.row(
			f.ID, string(f.Severity), string(f.Outcome), f.Check, f.Ref, f.Title, strings.Join(f.Accounts, " "), region, f.Resource, f.File, line, f.Detail, f.Reason, f.Settle,
			f.Remediation, strings.Join(f.Owners, "; "), strings.Join(controls(f.Controls), "; "), strings.Join(f.Techniques, " "), f.Baseline, x.ID, x.Expires, x.Owner,
			strings.Join(f.Evidence, "; "),
		)
	case m.Alert != nil:
		a := m.Alert
		x, at := lamina.Exception{}, ""
		if a.Exception != nil {
			x = *a.Exception
		}
		if !a.OriginalTime.IsZero() {
			at = "at " + a.OriginalTime.UTC().Format(time.RFC3339)
		}
		w.row(a.ID, string(a.Severity), "ALERT", a.Rule.ID, "", a.Rule.Name, "", "", "", a.File, "", a.Reason, "", "", "", "", "", strings.Join(a.Rule.Techniques, " "), "", x.ID, x.Expires, x.Owner, at)
	case m.Exposure != nil:
		e := m.Exposure
		w.row(e.ID, string(e.Severity), "EXPOSURE", "exposure", "", e.Title, "", "", e.Resource, "", "", e.Who+" can reach it: "+strings.Join(e.Path, " → "),
			"", "", "", "", "", "", "", "", "", "", strings.Join(e.Reasons, "; "))
	}
	return w.err
}

// row writes one row; the header stands above the first.
func (w *csvWriter) row(cells ...string) {
	if !w.started {
		w.started = true
		w.cells(csvHeader)
	}
	w.cells(cells)
}

func (w *csvWriter) cells(cells []string) {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = safe.CSV(c)
	}
	var b strings.Builder
	c := csv.NewWriter(&b)
	c.UseCRLF = true
	if err := c.Write(out); err != nil && w.err == nil {
		w.err = fmt.Errorf("write row: %w", err)
	}
	c.Flush()
	w.str(b.String())
}

func (w *csvWriter) Close() error {
	if !w.started {
		w.started = true
		w.cells(csvHeader)
	}
	return w.flush()
}
