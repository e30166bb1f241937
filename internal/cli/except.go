package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/safe"
)

func newExcept(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "except",
		Short: "accepted risk: who accepted what, why, and until when",
		Example: "  lamina except add F-JRQW22LOMF --reason 'key of the documentation' --owner platform@corp.example\n" +
			"  lamina except ls\n" +
			"  lamina except lint --from results.json      # what has expired, is too broad, or of no use\n" +
			"  lamina except expiring --within 14d         # for a scheduled job",
		Long: "Exceptions stand in exceptions.toml, to be reviewed like code. Each has a reason, an\n" +
			"owner and an end, at most 365 days ahead; one for a secret, for malicious behaviour or\n" +
			"for drift holds for that content only. What is excepted stays in every output, marked.",
	}
	group(c)
	c.AddCommand(newExceptAdd(a), newExceptLs(a), newExceptLint(a), newExceptExpiring(a), newExceptSchema(a))
	return c
}

// An exceptAdd is what except add was asked for.
type exceptAdd struct {
	reason, owner, expires, from, file string
}

func newExceptAdd(a *app) *cobra.Command {
	var f exceptAdd
	c := &cobra.Command{
		Use:   "add FINDING...",
		Short: "accept findings of a saved result",
		Example: "  lamina gate layer.zip -f json=results.json\n" +
			"  lamina except add F-JRQW22LOMF --reason 'key of the documentation' --owner platform@corp.example\n" +
			"  lamina except add F-JRQW F-N5XG --reason 'fixed in March' --owner web --expires 2027-03-31",
		Long: "FINDING is the id of a finding in --from, or the beginning of one. The exception is for\n" +
			"that finding and for the content it was found in. The rest of the file stays as it is,\n" +
			"comments and order included; two that add at the same time wait for each other.",
		Args: args(1, -1, "FINDING"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.exceptAdd(cmd, args, f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.reason, "reason", "", "`WHY` the risk is accepted; required")
	fl.StringVar(&f.owner, "owner", "", "`WHO` decided it; required")
	fl.StringVar(&f.expires, "expires", "", "the last day it holds: `DATE` or 30d (default 90d, at most 365d)")
	fl.StringVar(&f.from, "from", "results.json", "the saved result, `FILE` of -f json")
	exceptFile(c, &f.file)
	return c
}

// exceptFile is the flag of the commands that read one file or change it.
func exceptFile(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "exceptions", ownExceptions, "the `FILE` of exceptions")
}

func (a *app) exceptAdd(cmd *cobra.Command, ids []string, f exceptAdd) error {
	for _, required := range []struct{ flag, value, hint string }{
		{"reason", f.reason, "say why the risk is accepted: --reason 'key of the documentation'"},
		{"owner", f.owner, "say whose decision it is: --owner platform@corp.example"},
	} {
		if strings.TrimSpace(required.value) == "" {
			return usagef(required.hint, "--%s is missing", required.flag)
		}
	}
	until, err := a.until(f.expires)
	if err != nil {
		return err
	}
	findings, err := a.savedFindings(f.from, nil)
	if err != nil {
		return err
	}
	var items []exception.Item
	for _, id := range ids {
		finding, err := pick(findings, id, f.from)
		if err != nil {
			return err
		}
		x, err := exception.For(finding, id)
		if err != nil {
			return wrap(err, Usage, "")
		}
		x.Reason, x.Owner, x.Expires = strings.TrimSpace(f.reason), strings.TrimSpace(f.owner), until
		items = append(items, x)
	}
	var added []exception.Item
	err = a.editFile(cmd.Context(), f.file, func(data []byte) ([]byte, error) {
		if err := a.alreadyCovered(f.file, data, items); err != nil {
			return nil, err
		}
		out, more, err := exception.Append(f.file, data, items, a.std.Now())
		added = more
		if err != nil {
			return nil, tomlError(err, "lamina except lint says what is wrong with the file")
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	for _, x := range added {
		fmt.Fprintf(a.std.Out, "%s: %s until %s\n", safe.Line(f.file, 0), x.ID, x.Expires.Format(time.DateOnly))
	}
	return nil
}

// alreadyCovered refuses an exception for what one in force covers.
func (a *app) alreadyCovered(name string, data []byte, items []exception.Item) error {
	f, err := exception.Parse(name, data, a.std.Now())
	if err != nil {
		return tomlError(err, "lamina except lint says what is wrong with the file")
	}
	for _, x := range items {
		for _, old := range f.Items {
			if old.Match == x.Match && old.Content == x.Content && !old.Expired(a.std.Now()) {
				return usagef(fmt.Sprintf("change expires in %s:%d", name, old.Line),
					"%s is accepted already, by %s until %s", x.Match.Finding, old.ID, old.Expires.Format(time.DateOnly))
			}
		}
	}
	return nil
}

// until is the day of --expires.
func (a *app) until(s string) (time.Time, error) {
	today := exception.Day(a.std.Now())
	d := today.AddDate(0, 0, exception.DefaultDays)
	if s != "" {
		var err error
		if d, err = time.Parse(time.DateOnly, s); err != nil {
			n, err := days("expires", s)
			if err != nil {
				return d, usagef("write 2027-03-31 or 30d", "--expires %q is no day", s)
			}
			d = today.Add(n)
		}
	}
	last := today.AddDate(0, 0, exception.MaxDays)
	switch {
	case d.Before(today):
		return d, usagef("it is the last day on which the exception holds", "--expires %s is in the past", d.Format(time.DateOnly))
	case d.After(last):
		return d, usagef("decide again then", "--expires %s is more than %d days ahead: at most %s", d.Format(time.DateOnly), exception.MaxDays, last.Format(time.DateOnly))
	}
	return d, nil
}

// pick is the finding whose id is id or, of what is wrong or unknown, begins with it.
func pick(findings []lamina.Finding, id, from string) (*lamina.Finding, error) {
	var found []*lamina.Finding
	ids := make([]string, len(findings))
	for i := range findings {
		f := &findings[i]
		ids[i] = f.ID
		if f.ID == id || slices.ContainsFunc(f.Members, func(m lamina.Member) bool { return m.ID == id }) {
			return f, nil
		}
		if len(id) >= 4 && strings.HasPrefix(f.ID, id) && (f.Outcome == lamina.Fail || f.Outcome == lamina.Unknown) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		hint := fmt.Sprintf("%s has %s", from, count(len(findings), "finding"))
		if g := nearest(id, ids); g != "" {
			hint = "did you mean " + g + "?"
		}
		return nil, usagef(hint, "no finding %q in %s", id, from)
	}
	var all []string
	for _, f := range found {
		all = append(all, f.ID)
	}
	return nil, usagef("write more of it: "+shorten(all), "%s begin with %q in %s", count(len(found), "finding"), id, from)
}

// readExceptionFile reads the file of a command about one file.
func (a *app) readExceptionFile(file string) ([]exception.Item, error) {
	if file == ownExceptions && !exists(a.path(file)) {
		return nil, usagef("lamina except add writes it; --exceptions names another", "no such file: %s", file)
	}
	return a.loadExceptions([]string{file})
}

func newExceptLs(a *app) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list the exceptions, those that end first on top",
		Example: "  lamina except ls\n  lamina except ls -f json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			items, err := a.readExceptionFile(file)
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				return a.writeExceptions(format, w, items)
			})
		},
	}
	exceptFile(c, &file)
	return c
}

// An exceptionRow is an exception in ls and expiring.
type exceptionRow struct {
	exception.Item
	Expires string `json:"expires"`
	State   string `json:"state"`
	Days    int    `json:"days"`
}

func (a *app) writeExceptions(format string, w io.Writer, items []exception.Item) error {
	slices.SortStableFunc(items, func(x, y exception.Item) int { return x.Expires.Compare(y.Expires) })
	rows := make([]exceptionRow, len(items))
	var cells [][]string
	for i, x := range items {
		n := int(x.Expires.Sub(exception.Day(a.std.Now())) / (24 * time.Hour))
		state := lasting(n)
		rows[i] = exceptionRow{x, x.Expires.Format(time.DateOnly), state, n}
		cells = append(cells, []string{x.ID, rows[i].Expires, state, x.Owner, x.Match.String(), x.Reason})
	}
	if format == "json" {
		return writeJSON(w, map[string]any{"exceptions": rows})
	}
	if len(rows) == 0 {
		_, err := io.WriteString(w, "no exceptions\n")
		return err
	}
	return a.columns(w, []string{"ID", "EXPIRES", "STATE", "OWNER", "COVERS", "REASON"}, cells)
}

// lasting says of what ends in n days whether it holds.
func lasting(n int) string {
	switch {
	case n < 0:
		return "expired"
	case n <= exception.SoonDays:
		return "ends soon"
	}
	return "in force"
}

func newExceptExpiring(a *app) *cobra.Command {
	var file, within string
	c := &cobra.Command{
		Use:   "expiring",
		Short: "list the exceptions that have ended or end soon",
		Example: "  lamina except expiring                       # within 14 days\n" +
			"  lamina except expiring --within 30d -f json",
		Long: "Exit code 1 when there is one, so that a scheduled job can tell their owners.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			d, err := days("within", within)
			if err != nil {
				return err
			}
			items, err := a.readExceptionFile(file)
			if err != nil {
				return err
			}
			now := a.std.Now()
			items = slices.DeleteFunc(items, func(x exception.Item) bool { return !x.Expired(now) && !x.Within(now, d) })
			err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				return a.writeExceptions(format, w, items)
			})
			if err == nil && len(items) > 0 {
				return &statusError{Findings, fmt.Sprintf("exit 1: %s within %s", count(len(items), "exception")+" ended or ending", within)}
			}
			return err
		},
	}
	c.Flags().StringVar(&within, "within", "14d", "how soon: `DAYS` (14d, 2w)")
	exceptFile(c, &file)
	return c
}

func newExceptLint(a *app) *cobra.Command {
	var file, from string
	var strict bool
	c := &cobra.Command{
		Use:   "lint",
		Short: "find exceptions that are wrong, expired, too broad, overlapping or unused",
		Example: "  lamina except lint\n" +
			"  lamina except lint --from results.json --strict   # unused ones too; warnings fail",
		Long: "A file that is wrong (no owner, no end, an unknown key) is exit code 2, with all that is\n" +
			"wrong. An expired exception is exit code 1. One that is too broad, names no check that there\n" +
			"is, that another covers, or, with --from, that is about none of the findings is a warning;\n" +
			"--strict makes it exit code 1.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error { return a.exceptLint(file, from, strict) },
	}
	c.Flags().StringVar(&from, "from", "", "a saved result, `FILE` of -f json: tells which exceptions are of use")
	c.Flags().BoolVar(&strict, "strict", false, "warnings fail too")
	exceptFile(c, &file)
	return c
}

// isCheck reports whether findings of a check with the name can be.
func isCheck(name string) bool {
	return strings.HasPrefix(name, gate.Own) || slices.Contains(analyzerIDs(), name) ||
		slices.ContainsFunc(checks.All, func(c posture.Check) bool { return c.ID == name || c.Ref == name })
}

func (a *app) exceptLint(file, from string, strict bool) error {
	items, err := a.readExceptionFile(file)
	if err != nil {
		return err
	}
	var findings []lamina.Finding
	if from != "" {
		if findings, err = a.savedFindings(from, nil); err != nil {
			return err
		}
		for i := range findings {
			findings[i].Exception = nil // what covers it is asked again
		}
		if findings == nil {
			findings = []lamina.Finding{}
		}
	}
	var problems []lintProblem
	for _, p := range exception.Lint(items, isCheck, findings, a.std.Now()) {
		problems = append(problems, lintProblem{p.ID, p.File, p.Line, p.Kind, p.Msg, p.Hint})
	}
	return a.lintReport(len(items), "exception", "expired", problems, strict)
}

// A lintProblem is what is wrong with one decision of a file: an exception, or an
// approval.
type lintProblem struct {
	ID   string `json:"id"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Kind is expired, or that of a warning.
	Kind string `json:"kind"`
	Msg  string `json:"message"`
	Hint string `json:"hint,omitempty"`
}

// lintReport writes what is wrong with so many decisions of a kind, and ends the
// command by it: those that expired fail it, the rest where it is strict.
func (a *app) lintReport(decisions int, kind, expired string, problems []lintProblem, strict bool) error {
	ended := 0
	for _, p := range problems {
		if p.Kind == "expired" {
			ended++
		}
	}
	err := a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"problems": append([]lintProblem{}, problems...)})
		}
		for _, p := range problems {
			level := "warning"
			if p.Kind == "expired" {
				level = "error"
			}
			fmt.Fprintf(w, "%s:%d: %s: %s: %s (%s)\n  hint: %s\n", safe.Line(p.File, 0), p.Line, level, p.ID, safe.Line(p.Msg, 0), p.Kind, safe.Line(p.Hint, 0))
		}
		_, err := fmt.Fprintf(w, "%s: %s, %s\n", count(decisions, kind), count(ended, "error"), count(len(problems)-ended, "warning"))
		return err
	})
	switch {
	case err != nil:
		return err
	case ended > 0:
		return &statusError{Findings, "exit 1: " + count(ended, kind) + " " + expired}
	case strict && len(problems) > 0:
		return &statusError{Findings, "exit 1: " + count(len(problems), "warning") + ", which --strict takes for errors"}
	}
	return nil
}

func newExceptSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "print the JSON Schema of exceptions.toml",
		Example: "  lamina except schema -o exceptions.schema.json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"json"}, func(_ string, w io.Writer) error {
				return writeJSON(w, exception.Schema())
			})
		},
	}
}

// readOrEmpty is the content of a file, empty if it is not there yet.
func readOrEmpty(path string, limit int64) ([]byte, error) {
	data, err := readInput(path, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
