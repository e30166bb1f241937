package report

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// table is a line a result: how severe, what, where, its id. The details are in
// the other formats. What is longer than its column ends in "…" where the width
// is known, so that a line stays a line; the id and the place are kept whole as
// far as they fit.
type table struct {
	*text
	rows []tableRow
	cols [3]int // of severity, what, where; 0 until the first rows are written
	// only is the layer if there is one, "" if there are several.
	only   string
	layers int
}

type tableRow struct {
	color                     string
	severity, what, where, id string
}

// tableRows is how many rows decide how wide the columns are.
const tableRows = 2000

// widest is how wide a column is at most where the width is not known.
const widest = 120

func newTable(p *printer, o Options) Writer { return &table{text: &text{printer: p, o: o}} }

func (w *table) Write(m lamina.Message) error {
	switch {
	case m.Content != nil:
		if w.layers++; w.layers == 1 {
			w.only = m.Content.Resource
		} else {
			w.only = ""
		}
		w.content(m.Content)
	case m.Alert != nil:
		a := m.Alert
		at := ""
		if !a.OriginalTime.IsZero() {
			at = a.OriginalTime.UTC().Format(time.RFC3339)
		}
		w.row(a.Severity, strings.ToUpper(string(a.Severity)), a.Exception, a.Rule.Name+": "+a.Reason, at, a.ID)
		w.alerts, w.last = w.alerts+1, a.ID
	case m.Finding != nil:
		f := m.Finding
		outcome := string(f.Outcome)
		if f.Outcome == lamina.Fail {
			outcome = strings.ToUpper(string(f.Severity))
		} else if f.Outcome != lamina.Unknown && !w.o.Verbose {
			break
		}
		what := f.Check + ": " + cmp.Or(f.Detail, f.Title)
		if f.Vulnerability != nil || strings.HasPrefix(f.Check, gateQuestion+"-") {
			what = f.Title // it names what it is about
		}
		if f.Outcome == lamina.Unknown {
			what += ", because " + f.Reason
		}
		w.row(f.Severity, outcome, f.Exception, what, w.place(f), f.ID)
	case m.Exposure != nil:
		e := m.Exposure
		w.row(e.Severity, strings.ToUpper(string(e.Severity)), nil, e.Title, e.Resource, e.ID)
	case m.Summary != nil:
		w.lay()
		w.summary(m.Summary)
	default:
		return w.text.Write(m)
	}
	return w.err
}

func (w *table) Close() error {
	w.lay()
	return w.flush()
}

// place is where a finding is, without the layer's name if it is the only one.
func (w *table) place(f *lamina.Finding) string {
	if f.File == "" || f.Resource != w.only {
		return place(f)
	}
	if f.Line > 0 {
		return f.File + ":" + strconv.Itoa(f.Line)
	}
	return f.File
}

func (w *table) row(sev lamina.Severity, outcome string, x *lamina.Exception, what, where, id string) {
	if x != nil {
		outcome = "accepted"
	}
	r := tableRow{severityColor(sev), outcome, safe.Line(what, 0), safe.Line(where, 0), safe.Line(id, 0)}
	if outcome != strings.ToUpper(string(sev)) {
		r.color = ""
	}
	w.rows = append(w.rows, r)
	if len(w.rows) >= tableRows || w.o.Live {
		w.lay()
	}
}

// lay writes the rows that wait. The first decide the columns.
func (w *table) lay() {
	if len(w.rows) == 0 {
		return
	}
	if w.cols[0] == 0 {
		w.block()
		w.cols = [3]int{len("CRITICAL"), len("WHAT"), len("WHERE")}
		id := len("ID")
		for _, r := range w.rows {
			w.cols[1], w.cols[2] = max(w.cols[1], width(r.what)), max(w.cols[2], width(r.where))
			id = max(id, width(r.id))
		}
		limit := widest
		if w.o.Width < Unlimited {
			// Of what remains the place takes up to half.
			rest := w.o.Width - w.cols[0] - id - 3*len("  ")
			w.cols[2] = max(min(w.cols[2], rest/2), len("WHERE"))
			limit = max(rest-w.cols[2], len("WHAT"))
		}
		w.cols[1] = min(w.cols[1], limit)
		w.line(tableRow{severity: "SEVERITY", what: "WHAT", where: "WHERE", id: "ID"})
	}
	for _, r := range w.rows {
		w.line(r)
	}
	w.rows = w.rows[:0]
}

func (w *table) line(r tableRow) {
	if w.o.Width < Unlimited {
		r.what, r.where = cut(r.what, w.cols[1]), cutFront(r.where, w.cols[2])
	}
	w.str(w.paint(r.color, r.severity), pad(r.severity, w.cols[0]), r.what, pad(r.what, w.cols[1]), r.where, pad(r.where, w.cols[2]), r.id, "\n")
}

// pad fills a column, with the gap to the next.
func pad(s string, col int) string { return strings.Repeat(" ", max(col-width(s), 0)+2) }

// cut shortens s to a number of columns, cutFront from its beginning: of a path the
// end says most.
func cut(s string, col int) string {
	if width(s) <= col {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > col-1 {
			return s[:i] + "…"
		}
	}
	return s
}

func cutFront(s string, col int) string {
	for n := width(s); n > col; {
		for i, r := range s {
			if n -= runeWidth(r); n <= col-1 {
				return "…" + s[i+len(string(r)):]
			}
		}
	}
	return s
}
