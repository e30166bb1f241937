package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/report"
)

// maxNotes is how many skipped records, and how many warnings, are named on
// standard error without -v; all of them are counted, and all are in the json
// format.
const maxNotes = 20

// results is the message stream of one run on its way to the writers of every
// -f. It counts what --fail-on asks for and ends in the exit code.
type results struct {
	a        *app
	w        report.Writer
	files    []*report.File
	names    []string
	toStdout bool
	skips    int // notes of skipped input; the others are warnings
	warnings int
	noted    int
	failOn   int // rank; above all severities for never
	show     int // rank
	hidden   int64
	failed   []string
	accepted string // why it counts as complete although it is not; "" if it does not
	done     bool
}

// An outlet is one -f FMT[=FILE]; an empty file is standard output.
type outlet struct{ format, file string }

// outlets are where the results of the run go.
func (a *app) outlets() ([]outlet, error) {
	formats, err := a.formats()
	if err != nil {
		return nil, err
	}
	return a.route(formats)
}

// formatFlag reports whether -f was given.
func (a *app) formatFlag() bool { return strings.HasPrefix(a.conf.by["format"].origin, "flag") }

// formats are the -f of the run, with --json applied.
func (a *app) formats() ([]string, error) {
	formats := a.conf.list("format")
	if !a.flags.json {
		return formats, nil
	}
	if a.formatFlag() && !slices.Equal(formats, []string{"json"}) {
		return nil, usagef("drop --json and add -f json", "--json and -f say different things")
	}
	return []string{"json"}, nil
}

// route gives each FMT[=FILE] its outlet, with -o applied.
func (a *app) route(formats []string) ([]outlet, error) {
	var out []outlet
	for _, f := range formats {
		name, file, _ := strings.Cut(f, "=")
		if file == "-" {
			file = ""
		}
		out = append(out, outlet{name, file})
	}
	if a.flags.output != "" {
		i := slices.IndexFunc(out, func(o outlet) bool { return o.file == "" })
		if i < 0 {
			return nil, usagef("drop -o", "every -f has its file already, so -o %q would stay empty", a.flags.output)
		}
		if a.flags.output != "-" {
			out[i].file = a.flags.output
		}
	}
	for i, o := range out {
		for _, before := range out[:i] {
			if o.file == "" && before.file == "" {
				return nil, usagef(fmt.Sprintf("give one of them a file: -f %s=FILE", o.format),
					"formats %s and %s both go to standard output", before.format, o.format)
			}
			if o.file != "" && a.path(o.file) == a.path(before.file) {
				return nil, usagef("give each format its own file", "formats %s and %s both go to %q", before.format, o.format, o.file)
			}
		}
	}
	return out, nil
}

// results opens the outputs and writes the version. The default of --fail-on is
// the setting's, unless the command has the annotation "fail-on".
func (a *app) results(cmd *cobra.Command) (*results, error) {
	v := version()
	v.Command, v.Run, v.Taken = commandName(cmd), a.run, a.taken
	return a.resultsOf(cmd, v)
}

// resultsOf is results for a stream that begins with v.
func (a *app) resultsOf(cmd *cobra.Command, v lamina.Version) (*results, error) {
	outlets, err := a.outlets()
	if err != nil {
		return nil, err
	}
	failOn := a.conf.text("fail_on")
	if own := cmd.Annotations["fail-on"]; own != "" && a.conf.by["fail_on"].origin == "default" {
		failOn = own
	}
	r := &results{a: a, failOn: len(lamina.Severities), show: lamina.Severity(a.conf.text("severity")).Rank()}
	if failOn != "never" {
		r.failOn = lamina.Severity(failOn).Rank()
	}
	var ws []report.Writer
	for _, o := range outlets {
		opt := report.Options{Width: a.width(), Verbose: a.flags.verbose, Live: a.live, Explain: a.again, Next: a.next}
		if o.format == "table" && (o.file != "" || a.knownWidth() == 0) {
			opt.Width = report.Unlimited // rows for grep and cut are not cut themselves
		}
		to := a.std.Out
		if o.file == "" {
			r.toStdout = true
			opt.Color = a.colored()
		} else {
			f, err := report.Create(a.path(o.file))
			if err != nil {
				return nil, errors.Join(a.outputError(o.file, err), r.Abort())
			}
			r.files, r.names = append(r.files, f), append(r.names, o.file)
			to = f
		}
		if v.Taken.IsZero() && (o.format == "ocsf" || o.format == "asff") {
			opt.Now = a.std.Now() // they want a time, and what was examined has none
		}
		w, err := report.New(o.format, to, opt)
		if err != nil {
			return nil, errors.Join(wrap(err, Usage, ""), r.Abort())
		}
		ws = append(ws, w)
	}
	ci, err := a.ciWriters(outlets)
	if err != nil {
		return nil, errors.Join(err, r.Abort())
	}
	r.w = report.Multi(append(ws, ci...)...)
	if err := r.w.Write(lamina.Message{Version: &v}); err != nil {
		return nil, errors.Join(err, r.Abort())
	}
	return r, nil
}

// wantsDocuments reports whether a format of the run prints the whole document
// of an alert.
func (a *app) wantsDocuments() bool {
	outlets, err := a.outlets()
	return err == nil && slices.ContainsFunc(outlets, func(o outlet) bool { return o.format == "json" || o.format == "ecs" })
}

// outputError is what is wrong with a file to be written.
func (a *app) outputError(shown string, err error) error {
	switch {
	case errors.Is(err, report.ErrReadOnly):
		return &Error{Msg: fmt.Sprintf("write %s: it is read-only", shown), Hint: "chmod u+w " + shown + ", or give the result another name", Code: Refused, Err: err}
	case errors.Is(err, report.ErrNoReader):
		return &Error{Msg: fmt.Sprintf("write %s: it is a pipe that nobody reads", shown), Hint: "start what reads it first", Code: CannotRun, Err: err}
	case errors.Is(err, fs.ErrExist):
		return &Error{Msg: shown + " exists, and nothing that exists is overwritten", Hint: "choose another name or folder", Code: Refused, Err: err}
	}
	return &Error{Msg: fmt.Sprintf("write %s: %v", shown, cause(err)), Hint: "the folder must exist and be writable", Code: CannotRun, Err: err}
}

// width is how many columns text may use.
func (a *app) width() int {
	if n := a.knownWidth(); n > 0 {
		return n
	}
	return 100
}

// knownWidth is how many columns text has: what --width, the terminal or
// COLUMNS says, 0 when none of them does.
func (a *app) knownWidth() int {
	n := a.flags.width
	if n <= 0 && a.std.OutTTY {
		n = a.std.Width
	}
	if n <= 0 {
		if _, err := fmt.Sscan(a.std.Env("COLUMNS"), &n); err != nil || n <= 0 {
			return 0
		}
	}
	return min(max(n, 40), 160)
}

// commandName is the command without the program: "rules test".
func commandName(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	return name
}

// Write passes m on. Results below --severity are judged but not shown. The
// stream's version and summary are written by results itself.
func (r *results) Write(m lamina.Message) error {
	if lines := report.Note(m); lines != nil {
		n := &r.warnings
		if m.Skipped != nil {
			n = &r.skips
		}
		r.note(n, lines)
	}
	sev, id, counts := judged(m)
	if counts && sev.Rank() >= r.failOn {
		r.failed = append(r.failed, id)
	}
	if sev != "" && sev.Rank() < r.show {
		r.hidden++
		return nil
	}
	return r.w.Write(m)
}

// judged is the severity of a result, its id, and whether it can fail the run.
// Severity is "" for what is always shown: an outcome that is not Fail, an
// answer, a warning.
func judged(m lamina.Message) (sev lamina.Severity, id string, counts bool) {
	switch {
	case m.Alert != nil:
		return m.Alert.Severity, m.Alert.ID, m.Alert.Exception == nil
	case m.Exposure != nil:
		return m.Exposure.Severity, m.Exposure.ID, true
	case m.Finding != nil && m.Finding.Outcome == lamina.Fail:
		return m.Finding.Severity, m.Finding.ID, m.Finding.Exception == nil && m.Finding.Baseline != "known"
	}
	return "", "", false
}

// note prints a skipped record or a warning to standard error, at most maxNotes
// of a kind, counted in n, without -v: a warning is not lost among a thousand
// broken records.
func (r *results) note(n *int, lines []string) {
	if *n++; *n > maxNotes && !r.a.flags.verbose {
		return
	}
	r.noted++
	r.a.note("warning: %s", lines[0])
	for _, hint := range lines[1:] {
		r.a.note("hint: %s", hint)
	}
}

// Finish writes the summary, makes the files visible and returns the error that
// ends the run: nil for exit code 0. It fills Failed itself.
func (r *results) Finish(s lamina.Summary) error {
	s.Failed = r.failed
	if r.hidden > 0 {
		counts := map[string]int64{"below_severity": r.hidden}
		maps.Copy(counts, s.Counts)
		s.Counts = counts
	}
	reason := r.accepted
	if flag := r.a.flags.allowIncomplete; flag != "" {
		reason = "with --allow-incomplete: " + flag
	}
	if !s.Complete && reason != "" {
		s.Incomplete = append(slices.Clone(s.Incomplete), report.Accepted+" "+reason)
	}
	err := r.w.Write(lamina.Message{Summary: &s})
	if err = cmp.Or(err, r.w.Close()); err != nil {
		return errors.Join(fmt.Errorf("write result: %w", err), r.Abort())
	}
	if err := r.commit(); err != nil {
		return err
	}
	if rest := r.skips + r.warnings - r.noted; rest > 0 {
		r.a.note("warning: %d more like these; -v shows them", rest)
	}
	if !r.toStdout {
		for _, l := range report.SummaryLines(&s) {
			r.a.note("%s", l)
		}
	}
	switch {
	case len(r.failed) > 0:
		return &statusError{Findings, fmt.Sprintf("exit 1: %s at or above --fail-on %s", shorten(r.failed), lamina.Severities[r.failOn])}
	case !s.Complete && reason == "":
		return &statusError{Incomplete, "exit 3: incomplete: " + reasons(s.Incomplete)}
	}
	return nil
}

// shorten lists ids, the first five.
func shorten(ids []string) string {
	s := strings.Join(first(ids, 5), " ")
	if n := len(ids) - 5; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// reasons lists what is incomplete, or would be lost, the first three.
func reasons(all []string) string {
	s := strings.Join(first(all, 3), "; ")
	if n := len(all) - 3; n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return s
}

func first[T any](s []T, n int) []T { return s[:min(n, len(s))] }

func (r *results) commit() error {
	r.done = true
	for i, f := range r.files {
		if err := f.Commit(); err != nil {
			for _, g := range r.files[i+1:] {
				err = errors.Join(err, g.Abort())
			}
			return r.a.outputError(r.names[i], err)
		}
		r.a.note("wrote %s", r.names[i])
	}
	return nil
}

// Abort forgets the files that Finish has not made visible. What went to
// standard output stays there: it has no summary, which readers check.
func (r *results) Abort() error {
	if r.done {
		return nil
	}
	r.done = true
	var err error
	for _, f := range r.files {
		err = errors.Join(err, f.Abort())
	}
	return err
}
