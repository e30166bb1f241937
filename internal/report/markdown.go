package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// markdown is a comment on a pull request: what was found, worst first, in a
// table, the details folded, the coverage at the end. It never grows over
// Options.MaxBytes: rows and details that do not fit are counted instead. Memory
// is bounded too, because a severity keeps no more than could be shown.
type markdown struct {
	*printer
	o       Options
	ranks   [8]mdBucket // by Severity.Rank, then the three below
	notes   int
	gate    *lamina.Answer
	summary *lamina.Summary
}

// Beside the five severities: findings that could not be decided, what has no
// severity (answers, plans), and what an exception covers.
const (
	unknownBucket  = 5
	otherBucket    = 6
	acceptedBucket = 7
)

type mdBucket struct {
	count int
	items []mdItem
	bytes int
}

type mdItem struct{ row, detail string }

func newMarkdown(p *printer, o Options) Writer { return &markdown{printer: p, o: o} }

func (w *markdown) Write(m lamina.Message) error {
	switch {
	case m.Alert != nil && m.Alert.Exception != nil:
		w.add(acceptedBucket, alertItem(m.Alert))
	case m.Finding != nil && m.Finding.Exception != nil:
		w.add(acceptedBucket, findingItem(m.Finding))
	case m.Alert != nil:
		w.add(m.Alert.Severity.Rank(), alertItem(m.Alert))
	case m.Finding != nil:
		f := m.Finding
		switch {
		case f.Outcome == lamina.Unknown:
			w.add(unknownBucket, findingItem(f))
		case f.Outcome == lamina.Fail || w.o.Verbose:
			w.add(f.Severity.Rank(), findingItem(f))
		}
	case m.Exposure != nil:
		w.add(m.Exposure.Severity.Rank(), exposureItem(m.Exposure))
	case m.Answer != nil && m.Answer.Question == gateQuestion:
		a := *m.Answer
		w.gate = &a
	case m.Answer != nil:
		a := m.Answer
		w.add(otherBucket, mdItem{
			row:    mdRow("ANSWER", safe.Markdown(a.Asks), safe.Markdown(safe.Line(a.Text, maxValue)), a.Question),
			detail: mdDetail(a.Asks, append([]string{a.Text}, a.Evidence...), nil),
		})
	case m.Plan != nil:
		w.add(otherBucket, planItem(m.Plan))
	case m.Skipped != nil, m.Warning != nil:
		w.notes++
	case m.Summary != nil:
		w.summary = m.Summary
	}
	return w.err
}

func (w *markdown) add(rank int, it mdItem) {
	if rank < 0 {
		rank = 0
	}
	b := &w.ranks[rank]
	b.count++
	if n := len(it.row) + len(it.detail); b.bytes+n <= 2*w.o.MaxBytes {
		b.items = append(b.items, it)
		b.bytes += n
	}
}

func mdRow(sev, what, where, id string) string {
	return "| " + sev + " | " + what + " | " + where + " | " + safe.MarkdownCode(id) + " |\n"
}

// mdDetail is a heading, lines of prose and a list of fields.
func mdDetail(title string, lines []string, rows []lamina.FieldValues) string {
	var b strings.Builder
	b.WriteString("#### " + safe.Markdown(safe.Line(title, maxValue)) + "\n\n")
	for _, l := range lines {
		if l != "" {
			b.WriteString("- " + safe.Markdown(safe.Line(l, maxValue)) + "\n")
		}
	}
	for _, r := range rows {
		vs := make([]string, len(r.Values))
		for i, v := range r.Values {
			vs[i] = safe.MarkdownCode(safe.Line(v, maxValue))
		}
		b.WriteString("- " + safe.MarkdownCode(r.Field) + ": " + strings.Join(vs, ", ") + "\n")
	}
	return b.String() + "\n"
}

func bold(s lamina.Severity) string { return "**" + strings.ToUpper(string(s)) + "**" }

func excepted(cell string, e *lamina.Exception) string {
	if e == nil {
		return cell
	}
	return "~~" + cell + "~~ accepted until " + safe.Markdown(e.Expires)
}

func alertItem(a *lamina.Alert) mdItem {
	at := "no time"
	if !a.OriginalTime.IsZero() {
		at = a.OriginalTime.UTC().Format(time.RFC3339)
	}
	return mdItem{
		row:    mdRow(excepted(bold(a.Severity), a.Exception), safe.Markdown(safe.Line(a.Rule.Name, 120)), safe.Markdown(at)+about(a), a.ID),
		detail: mdDetail(a.Rule.Name+" "+a.ID, slices.DeleteFunc([]string{a.Reason, grant(a), where(a, a.File)}, func(l string) bool { return l == "" }), alertRows(a)),
	}
}

// about tells alerts of one rule apart: the layer or function that was derived,
// else the user.
func about(a *lamina.Alert) string {
	user := ""
	for _, f := range a.Fields {
		switch {
		case len(f.Values) == 0:
		case strings.HasPrefix(f.Field, "lamina.") && strings.HasSuffix(f.Field, ".arn"):
			return " " + safe.MarkdownCode(safe.Line(f.Values[0], 160))
		case f.Field == "user.name":
			user = " " + safe.MarkdownCode(safe.Line(f.Values[0], 160))
		}
	}
	return user
}

func findingItem(f *lamina.Finding) mdItem {
	sev := bold(f.Severity)
	lines := []string{f.Detail, "at " + place(f)}
	switch f.Outcome {
	case lamina.Fail:
		if f.Remediation != "" {
			lines = append(lines, "fix: "+f.Remediation)
		}
	case lamina.Unknown:
		sev = "UNKNOWN"
		lines = append(lines, "because: "+f.Reason, "to settle: "+f.Settle)
	case lamina.Pass, lamina.NotApplicable:
		sev = string(f.Outcome)
	}
	if len(f.Owners) > 0 {
		lines = append(lines, "owner: "+strings.Join(f.Owners, ", "))
	}
	if len(f.Controls) > 0 {
		lines = append(lines, "controls: "+strings.Join(controls(f.Controls), ", "))
	}
	if f.Baseline == "known" {
		lines = append(lines, "known: the baseline has it")
	}
	return mdItem{
		row:    mdRow(excepted(sev, f.Exception), safe.Markdown(safe.Line(f.Title, 120)), safe.MarkdownCode(safe.Line(place(f), 160)), f.ID),
		detail: mdDetail(f.Title+" "+f.ID, append(lines, f.Evidence...), nil),
	}
}

func exposureItem(e *lamina.Exposure) mdItem {
	return mdItem{
		row:    mdRow(bold(e.Severity), safe.Markdown(safe.Line(e.Title, 120)), safe.MarkdownCode(safe.Line(e.Resource, 160)), e.ID),
		detail: mdDetail(e.Title+" "+e.ID, append([]string{"who: " + e.Who, "path: " + strings.Join(e.Path, " → ")}, e.Reasons...), nil),
	}
}

func planItem(p *lamina.Plan) mdItem {
	var lines []string
	for _, s := range p.Steps {
		parts := []string{s.Action + " on " + s.Resource}
		for _, k := range slices.Sorted(maps.Keys(s.Args)) {
			parts = append(parts, k+" = "+s.Args[k])
		}
		lines = append(lines, strings.Join(parts, ", "))
	}
	for _, b := range p.Breaks {
		lines = append(lines, "may break: "+b)
	}
	return mdItem{
		row:    mdRow("PLAN", safe.Markdown(p.Fix), safe.MarkdownCode(p.Exposure), p.ID),
		detail: mdDetail("Plan "+p.ID, lines, nil),
	}
}

func (w *markdown) Close() error {
	foot := w.foot()
	total := 0
	for _, b := range w.ranks {
		total += b.count
	}
	w.str(w.decision(), w.title(total))
	// What is left for rows and details once head and foot, the frame around the
	// details and the sentence about what is missing have their place.
	left := w.o.MaxBytes - int(w.n) - len(foot) - 300
	rows, shown := w.table(left * 6 / 10)
	if rows != "" {
		w.str(rows)
		left -= len(rows)
	}
	if details := w.details(left); details != "" {
		w.str("<details><summary>Details</summary>\n\n", details, "</details>\n\n")
	}
	if total > shown {
		w.str(fmt.Sprintf("%s of %s results are shown; the json and sarif formats hold all of them.\n\n",
			thousands(int64(shown)), thousands(int64(total))))
	}
	w.str(foot)
	return w.flush()
}

// decision is the gate's answer, which stands above everything. It takes no more
// than a quarter of the page.
func (w *markdown) decision() string {
	if w.gate == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Lamina gate: " + safe.Markdown(string(w.gate.Outcome)) + "\n\n" + safe.Markdown(safe.Line(w.gate.Text, maxValue)) + "\n\n")
	for i, e := range w.gate.Evidence {
		l := "- " + safe.Markdown(safe.Line(e, maxValue)) + "\n"
		if b.Len()+len(l) > w.o.MaxBytes/4 {
			fmt.Fprintf(&b, "- and %d more\n", len(w.gate.Evidence)-i)
			break
		}
		b.WriteString(l)
	}
	if len(w.gate.Evidence) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func (w *markdown) title(total int) string {
	if total == 0 && w.gate != nil {
		return ""
	}
	if total == 0 {
		return "## Lamina: nothing found\n\n"
	}
	var parts []string
	for i, s := range slices.Backward(lamina.Severities) {
		if n := w.ranks[i].count; n > 0 {
			parts = append(parts, thousands(int64(n))+" "+string(s))
		}
	}
	if n := w.ranks[unknownBucket].count; n > 0 {
		parts = append(parts, thousands(int64(n))+" unknown")
	}
	if n := w.ranks[acceptedBucket].count; n > 0 {
		parts = append(parts, thousands(int64(n))+" accepted")
	}
	if n := w.ranks[otherBucket].count; n > 0 {
		parts = append(parts, thousands(int64(n))+" answers and plans")
	}
	head := "## Lamina: "
	if w.gate != nil {
		head = "### Found: "
	}
	return head + strings.Join(parts, ", ") + "\n\n"
}

// each calls f with the items, worst first, then what is unknown, then what is
// accepted, until it says stop.
func (w *markdown) each(f func(mdItem) bool) {
	for _, i := range []int{otherBucket, 4, 3, 2, 1, 0, unknownBucket, acceptedBucket} {
		for _, it := range w.ranks[i].items {
			if !f(it) {
				return
			}
		}
	}
}

func (w *markdown) table(limit int) (text string, shown int) {
	const head = "| severity | what | where | id |\n| --- | --- | --- | --- |\n"
	var b strings.Builder
	w.each(func(it mdItem) bool {
		if len(head)+b.Len()+len(it.row) > limit {
			return false
		}
		b.WriteString(it.row)
		shown++
		return true
	})
	if shown == 0 {
		return "", 0
	}
	return head + b.String() + "\n", shown
}

func (w *markdown) details(limit int) string {
	var b strings.Builder
	w.each(func(it mdItem) bool {
		if b.Len()+len(it.detail) > limit {
			return false
		}
		b.WriteString(it.detail)
		return true
	})
	return b.String()
}

// foot is the coverage and the counts. Its length is bounded by what engines put
// into a summary; a reason is one line.
func (w *markdown) foot() string {
	if w.summary == nil {
		return "**The run was cut short: there is no summary.**\n"
	}
	var b strings.Builder
	for i, l := range SummaryLines(w.summary) {
		if i == 20 {
			b.WriteString("…\n")
			break
		}
		b.WriteString(safe.Markdown(safe.Line(l, maxValue)) + "  \n")
	}
	if w.notes > 0 {
		b.WriteString(safe.Markdown(count(int64(w.notes), "warning")+"; see the json format or standard error") + "\n")
	}
	return b.String()
}
