package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// maxValue is how many characters of one value the formats for people show.
const maxValue = 400

// text is the format for people: a block a result, the coverage line and the
// counts at the end. Skipped input and warnings are not results: the command
// sends them to standard error (see Note).
type text struct {
	*printer
	o      Options
	blocks int
	alerts int
	last   string // the id of the last alert
	// targets are what the command was given: files are shown by their place in
	// them.
	targets []string
	estate  estateText
	// undecided are the findings of the layer whose outcome is UNKNOWN: those for
	// one reason are one block behind the others.
	undecided [][]lamina.Finding
}

func newText(p *printer, o Options) Writer { return &text{printer: p, o: o} }

func (w *text) Write(m lamina.Message) error {
	switch {
	case m.Content != nil:
		w.content(m.Content)
	case m.Version != nil && m.Version.Run != nil && !w.o.Verbose:
		w.targets = m.Version.Run.Targets
	case m.Alert != nil:
		w.alert(m.Alert)
	case m.Finding != nil:
		if !w.hold(m.Finding) && !w.holdUndecided(m.Finding) {
			w.detailed(m.Finding)
		}
	case m.Exposure != nil:
		w.exposure(m.Exposure)
	case m.Answer != nil:
		w.answer(m.Answer)
	case m.Plan != nil:
		w.plan(m.Plan)
	case m.Summary != nil:
		w.release()
		w.releaseUndecided()
		w.summary(m.Summary)
	}
	return w.err
}

func (w *text) Close() error {
	w.release()
	w.releaseUndecided()
	return w.flush()
}

// content is the head of a layer's results.
func (w *text) content(c *lamina.Content) {
	w.releaseUndecided()
	w.block()
	w.str(w.paint("1", safe.Line(c.Resource, maxValue)), "\n")
	parts := []string{"read as: " + c.Kind}
	if len(c.SHA256) > 12 {
		parts = append(parts, "sha256:"+c.SHA256[:12]+"…")
	}
	size := Bytes(c.Inflated)
	if c.Size > 0 {
		size = Bytes(c.Size) + " → " + size
	}
	parts = append(parts, size, count(int64(c.Files), "file"))
	if c.Nested > 0 {
		parts[len(parts)-1] += fmt.Sprintf(" (%s in %s inside)", thousands(int64(c.Nested)), count(int64(c.Archives), "archive"))
	}
	w.wrap(2, strings.Join(append(parts, c.Runtimes...), summaryGap))
}

// Bytes is a number of bytes for people, in decimal units as AWS counts them.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	case n < 1_000_000_000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB"
}

func (w *text) alert(a *lamina.Alert) {
	w.block()
	w.head(a.Severity, strconv.Itoa(a.RiskScore), a.Rule.Name)
	w.excepted(a.Exception)
	w.rows(alertRows(a))
	w.wrap(2, a.Reason)
	if s := a.Suppression; s != nil {
		w.wrap(2, folded(s))
	}
	w.wrap(2, grant(a))
	w.wrap(2, where(a, w.shortened(a.File)))
	w.str("  ", w.dim(safe.Line(a.ID, 0)), "\n")
	w.alerts, w.last = w.alerts+1, a.ID
}

// explain is the command that says why an alert is there, to be pasted into a
// shell. It stands at the end, once: with what was read and the flags it is too
// long for every alert, and without them it would explain something else.
func (w *text) explain() {
	if w.alerts == 0 || len(w.o.Explain) == 0 {
		return
	}
	id := "ID"
	if w.alerts == 1 {
		id = safe.Line(w.last, 0)
	}
	w.str("explain   lamina explain ", id)
	for _, arg := range w.o.Explain {
		w.str(" ", ShellWord(safe.Terminal(arg)))
	}
	w.str("\n")
}

// ShellWord quotes s for a POSIX shell unless it needs none.
func ShellWord(s string) string {
	plain := func(r rune) bool {
		return r >= utf8.RuneSelf || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("/._-+=:,@", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// alertRows are the investigation fields in the rule's order, then the values
// the query read, by name, unless they are among the former.
func alertRows(a *lamina.Alert) []lamina.FieldValues {
	rows := slices.DeleteFunc(slices.Clone(a.Fields), func(f lamina.FieldValues) bool { return len(f.Values) == 0 })
	for _, name := range slices.Sorted(maps.Keys(a.Values)) {
		if !slices.ContainsFunc(rows, func(f lamina.FieldValues) bool { return f.Field == name }) && len(a.Values[name]) > 0 {
			rows = append(rows, lamina.FieldValues{Field: name, Values: a.Values[name]})
		}
	}
	return rows
}

// folded says what an alert stands for besides its own event.
func folded(s *lamina.Suppression) string {
	of := make([]string, len(s.Terms))
	for i, t := range s.Terms {
		of[i] = t.Field + " " + strings.Join(t.Values, ", ")
	}
	return fmt.Sprintf("stands for %s more events of %s, %s to %s", thousands(int64(s.DocsCount)), strings.Join(of, " and "),
		s.Start.UTC().Format(time.RFC3339), s.End.UTC().Format(time.RFC3339))
}

// grant says how long what the event granted stood, "" when that is not known.
func grant(a *lamina.Alert) string {
	if a.Grant == nil {
		return ""
	}
	return "the grant (statement " + a.Grant.StatementID + ") " + a.Grant.String()
}

// where says when the event happened, unless a row above says it, and where its
// record was read: a.File as it is to be shown.
func where(a *lamina.Alert, file string) string {
	var parts []string
	switch {
	case slices.ContainsFunc(a.Fields, func(f lamina.FieldValues) bool { return f.Field == "@timestamp" && len(f.Values) > 0 }):
	case a.OriginalTime.IsZero():
		parts = append(parts, "no time")
	default:
		parts = append(parts, a.OriginalTime.UTC().Format(time.RFC3339))
	}
	if file != "" {
		at := "in " + file
		if a.Offset >= 0 {
			at += ", byte " + strconv.FormatInt(a.Offset, 10)
		}
		parts = append(parts, at)
	}
	s := strings.Join(parts, " ")
	if s != "" {
		s += ", "
	}
	return s + "by " + a.Rule.File
}

// shortened is a file without the folders between a target and its own name, if
// it is too long for a line. -v and the formats for programs have it whole.
func (w *text) shortened(file string) string {
	if width(file) <= w.o.Width-len("  in ,") {
		return file
	}
	for _, t := range w.targets {
		if t = strings.TrimRight(t, "/"); t == "" || !strings.HasPrefix(file, t+"/") {
			continue
		}
		// Of an entry of an archive or envelope the name follows "!".
		rest := file[len(t)+1:]
		outer, _, _ := strings.Cut(rest, "!")
		if i := strings.LastIndexByte(outer, '/'); i > 0 {
			return t + "/…" + rest[i:]
		}
	}
	return file
}

// detailed is a finding with all that is known of it.
func (w *text) detailed(f *lamina.Finding) {
	if (f.Outcome == lamina.Pass || f.Outcome == lamina.NotApplicable) && !w.o.Verbose {
		return
	}
	w.block()
	label := f.Check
	if f.Ref != "" {
		label += " " + f.Ref
	}
	if f.Outcome == lamina.Fail {
		w.head(f.Severity, label, f.Title)
	} else {
		w.str(w.paint("1", string(f.Outcome)), "  ", w.dim(safe.Line(label, 0)), "  ", safe.Line(f.Title, maxValue), "\n")
	}
	w.excepted(f.Exception)
	w.wrap(2, place(f))
	w.wrap(2, f.Detail)
	for _, e := range f.Evidence {
		w.wrap(4, e)
	}
	if f.Outcome == lamina.Unknown {
		w.label("because", f.Reason)
		w.label("to settle", f.Settle)
	}
	if f.Outcome == lamina.Fail {
		w.label("fix", f.Remediation)
	}
	w.label("owner", strings.Join(f.Owners, ", "))
	w.label("controls", strings.Join(controls(f.Controls), ", "))
	if f.Baseline == "known" {
		w.wrap(2, "known: the baseline has it")
	}
	w.str("  ", w.dim(safe.Line(f.ID, 0)), "\n")
}

// maxUndecided is how many reasons of UNKNOWN findings are kept before they are
// printed.
const maxUndecided = 100

// holdUndecided keeps an UNKNOWN finding until those for the same reason are known.
func (w *text) holdUndecided(f *lamina.Finding) bool {
	if w.o.Verbose || w.o.Live || f.Outcome != lamina.Unknown || f.Exception != nil || f.Baseline == "known" {
		return false
	}
	why := func(f *lamina.Finding) [5]string {
		return [5]string{f.Resource, f.File, f.Detail, f.Reason, f.Settle}
	}
	i := slices.IndexFunc(w.undecided, func(group []lamina.Finding) bool { return why(&group[0]) == why(f) })
	if i < 0 {
		if len(w.undecided) == maxUndecided {
			w.releaseUndecided()
		}
		w.undecided, i = append(w.undecided, nil), len(w.undecided)
	}
	w.undecided[i] = append(w.undecided[i], *f)
	return true
}

// releaseUndecided prints what holdUndecided kept.
func (w *text) releaseUndecided() {
	for _, group := range w.undecided {
		f := &group[0]
		var checks []string
		for i := range group {
			checks = append(checks, group[i].Check)
		}
		slices.Sort(checks)
		if checks = slices.Compact(checks); len(checks) == 1 {
			for i := range group {
				w.detailed(&group[i])
			}
			continue
		}
		w.block()
		w.str(w.paint("1", string(f.Outcome)), "  ", count(int64(len(checks)), "check"), " without an answer\n")
		w.wrap(2, place(f))
		w.wrap(2, f.Detail)
		w.label("because", f.Reason)
		w.label("to settle", f.Settle)
		w.wrap(4, strings.Join(checks, ", "))
		w.wrap(2, "each with its id: --verbose")
	}
	w.undecided = nil
}

// controls are controls as words: "nist-800-53 AC-6".
func controls(list []lamina.Control) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Framework + " " + c.ID
	}
	return out
}

// place is the resource and the position in it.
func place(f *lamina.Finding) string {
	s := f.Resource
	if f.File != "" {
		s += " " + f.File
		if f.Line > 0 {
			s += ":" + strconv.Itoa(f.Line)
		}
	}
	return s
}

func (w *text) exposure(e *lamina.Exposure) {
	w.block()
	w.head(e.Severity, "", e.Title)
	w.wrap(2, e.Resource)
	w.label("who", e.Who)
	w.label("path", strings.Join(e.Path, " → "))
	for _, r := range e.Reasons {
		w.wrap(4, r)
	}
	w.label("findings", strings.Join(e.Findings, " "))
	w.str("  ", w.dim(safe.Line(e.ID, 0)), "\n")
}

func (w *text) answer(a *lamina.Answer) {
	w.block()
	w.str(w.paint("1", safe.Line(a.Asks, maxValue)), "\n")
	w.wrap(2, a.Text)
	for _, e := range a.Evidence {
		w.wrap(4, e)
	}
	if a.Outcome == lamina.Unknown {
		w.label("because", a.Reason)
		w.label("to settle", a.Settle)
	}
}

func (w *text) plan(p *lamina.Plan) {
	w.block()
	w.str(w.paint("1", "plan "+safe.Line(p.ID, 0)), "  ", safe.Line(p.Fix, 0), " for ", safe.Line(p.Exposure, 0), "\n")
	for i, s := range p.Steps {
		w.wrap(2, fmt.Sprintf("%d. %s on %s", i+1, s.Action, s.Resource))
		for _, k := range slices.Sorted(maps.Keys(s.Args)) {
			w.wrap(6, k+" = "+s.Args[k])
		}
		if s.Undo == nil {
			w.wrap(6, "cannot be undone")
		}
	}
	for _, b := range p.Breaks {
		w.label("may break", b)
	}
}

// summary ends every output: what was covered, then what was counted.
func (w *text) summary(s *lamina.Summary) {
	w.block()
	for _, l := range SummaryLines(s) {
		head, rest := l[:summaryLabel], strings.Split(safe.Terminal(l[summaryLabel:]), summaryGap)
		w.str(head)
		at := summaryLabel
		for i, part := range rest {
			if i > 0 && at+width(summaryGap)+width(part) > w.o.Width {
				w.str("\n", strings.Repeat(" ", summaryLabel))
				at = summaryLabel
			} else if i > 0 {
				w.str(summaryGap)
				at += width(summaryGap)
			}
			if at+width(part) > w.o.Width {
				w.flowWords(at, summaryLabel, part)
			} else {
				w.str(part)
			}
			at += width(part)
		}
		w.str("\n")
	}
	w.explain()
	w.next()
}

const (
	summaryLabel = 10 // columns of "coverage  "
	summaryGap   = " · "
)

// SummaryLines is the coverage line, the reasons it is incomplete, what is
// accepted of it, and the counts, each after a label of ten columns.
func SummaryLines(s *lamina.Summary) []string {
	state := "complete"
	switch {
	case !s.Complete:
		state = "INCOMPLETE"
	case len(s.Accepted) > 0:
		state = "complete but for what is accepted"
	}
	if s.Coverage != "" {
		state = s.Coverage + summaryGap + state
	}
	lines := []string{"coverage  " + state}
	for _, r := range s.Incomplete {
		lines = append(lines, "          "+r)
	}
	for i, r := range s.Accepted {
		label := "accepted  "
		if i > 0 {
			label = "          "
		}
		lines = append(lines, label+r)
	}
	if len(s.Counts) > 0 {
		parts := make([]string, 0, len(s.Counts))
		for _, k := range slices.SortedFunc(maps.Keys(s.Counts), byWeight) {
			parts = append(parts, strings.ReplaceAll(k, "_", " ")+" "+thousands(s.Counts[k]))
		}
		lines = append(lines, "counted   "+strings.Join(parts, summaryGap))
	}
	return lines
}

// byWeight orders names of counts: severities first, worst on top, then the others
// by name.
func byWeight(a, b string) int {
	weight := func(k string) int { return slices.Index(lamina.Severities, lamina.Severity(k)) }
	return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a, b))
}

// count is a number of things: "1 record", "2,048 bytes".
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(n) + " " + thing
}

// thousands groups digits by three with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := len(s) - len(strings.TrimLeft(s, "-"))
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// block puts an empty line between blocks.
func (w *text) block() {
	if w.blocks++; w.blocks > 1 {
		w.str("\n")
	}
}

func (w *text) head(s lamina.Severity, label, title string) {
	w.str(w.paint(severityColor(s), strings.ToUpper(string(s))))
	if label != "" {
		w.str(" ", safe.Line(label, 0))
	}
	w.str("  ", w.paint("1", safe.Line(title, maxValue)), "\n")
}

func (w *text) excepted(s *lamina.Exception) {
	if s != nil {
		w.wrap(2, fmt.Sprintf("accepted by exception %s until %s: %s (%s)", s.ID, s.Expires, s.Reason, s.Owner))
	}
}

func (w *text) label(name, value string) {
	if value != "" {
		w.wrap(2, name+": "+value)
	}
}

// rows prints names and values in two columns; a name too long for its column
// gets a line of its own.
func (w *text) rows(rows []lamina.FieldValues) {
	col := 0
	limit := max(20, w.o.Width/2)
	for _, r := range rows {
		if n := width(r.Field); n <= limit {
			col = max(col, n)
		}
	}
	for _, r := range rows {
		name := safe.Line(r.Field, 0)
		if n := width(name); n > col {
			w.str("  ", w.dim(name), "\n", strings.Repeat(" ", col+4))
		} else {
			w.str("  ", w.dim(name), strings.Repeat(" ", col-n+2))
		}
		vs := make([]string, len(r.Values))
		for i, v := range r.Values {
			vs[i] = safe.Line(v, maxValue)
		}
		w.flow(col+4, col+4, strings.Join(vs, ", "))
	}
}

// wrap prints s, made safe, indented and wrapped. Nothing is printed for "".
func (w *text) wrap(indent int, s string) {
	if s == "" {
		return
	}
	w.str(strings.Repeat(" ", indent))
	w.flow(indent, indent, safe.Terminal(s))
}

// flow prints s in words from column at, continuing at column indent.
func (w *text) flow(at, indent int, s string) {
	w.flowWords(at, indent, s)
	w.str("\n")
}

// flowWords is flow without the end of the line; it returns the column it stops at.
func (w *text) flowWords(at, indent int, s string) int {
	for first := true; s != ""; first = false {
		word, rest, _ := strings.Cut(s, " ")
		n := width(word)
		switch {
		case first:
		case at+1+n > w.o.Width:
			w.str("\n", strings.Repeat(" ", indent))
			at = indent
		default:
			w.str(" ")
			at++
		}
		w.str(word)
		at += n
		s = rest
	}
	return at
}

func (w *text) paint(code, s string) string {
	if !w.o.Color || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (w *text) dim(s string) string { return w.paint("2", s) }

// severityColor is the ANSI code of a severity; the word beside it says the same.
func severityColor(s lamina.Severity) string {
	switch s {
	case lamina.Critical:
		return "1;31"
	case lamina.High:
		return "31"
	case lamina.Medium:
		return "33"
	case lamina.Low:
		return "36"
	case lamina.Info:
		return "2"
	}
	return ""
}

// width is the number of columns of s, which safe has made one line of plain
// characters: wide East Asian characters and emoji take two, marks none.
func width(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n += runeWidth(r)
		i += size
	}
	return n
}

// Note returns how a message that is no result reads on standard error, in
// lines: the first is the message, the others hints. It is nil for results.
func Note(m lamina.Message) []string {
	switch {
	case m.Skipped != nil:
		s := m.Skipped
		line := "skipped " + s.File
		if s.Offset >= 0 {
			line += " at byte " + strconv.FormatInt(s.Offset, 10)
		}
		if s.Bytes > 0 {
			line += ", " + count(s.Bytes, "byte")
		}
		if s.Records > 0 {
			line += ", " + count(int64(s.Records), "record")
		}
		return []string{safe.Terminal(line + ": " + s.Reason)}
	case m.Warning != nil:
		line := m.Warning.Text
		if m.Warning.Subject != "" {
			line = m.Warning.Subject + ": " + line
		}
		if m.Warning.Hint == "" {
			return []string{safe.Terminal(line)}
		}
		return []string{safe.Terminal(line), safe.Terminal(m.Warning.Hint)}
	}
	return nil
}
