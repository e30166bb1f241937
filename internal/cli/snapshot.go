package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

func newSnapshot(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "what a snapshot holds, how two differ, and one without people in it",
		Example: "  lamina snapshot show snapshot.lamina\n" +
			"  lamina snapshot diff yesterday.lamina snapshot.lamina\n" +
			"  lamina snapshot redact snapshot.lamina -o share.lamina",
		Long: "A snapshot is what lamina collect wrote: one line of header, and JSON under zstd with its\n" +
			"digest. The same estate gives the same file. This version reads files of its own version\n" +
			"and of the two before.",
	}
	group(c)
	c.AddCommand(newSnapshotShow(a), newSnapshotDiff(a), newSnapshotRedact(a))
	return c
}

// readSnapshot reads and verifies the snapshot that the user named.
func (a *app) readSnapshot(file string) (lamina.Snapshot, error) {
	if a.std.Estate != nil {
		a.std.Estate()
	}
	in, err := openInput(a.path(file))
	if err != nil {
		return lamina.Snapshot{}, a.missing(file, err)
	}
	s, err := snapshot.Read(in)
	err = errors.Join(err, in.Close())
	if err != nil {
		hint := "a snapshot is what lamina collect writes"
		if errors.Is(err, snapshot.ErrCut) || errors.Is(err, snapshot.ErrDamaged) {
			hint = "copy it again from where it was made, or collect again"
		}
		return lamina.Snapshot{}, &Error{Msg: fmt.Sprintf("%s: %v", file, err), Hint: hint, Code: Usage, Err: err}
	}
	return s, nil
}

// shownSnapshot is readSnapshot for commands that show what a snapshot holds, or hand
// it on: without the credentials that people wrote into names and descriptions.
func (a *app) shownSnapshot(file string) (lamina.Snapshot, error) {
	s, err := a.readSnapshot(file)
	if err != nil {
		return s, err
	}
	return cleaner{}.snapshot(s)
}

// ownSnapshot is the snapshot of the arguments: that of this folder if there are
// none.
func ownSnapshot(args []string) string {
	if len(args) == 0 {
		return snapshotFile
	}
	return args[0]
}

func newSnapshotShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show [SNAPSHOT]",
		Short: "say what a snapshot holds, and what could not be read",
		Example: "  lamina snapshot show\n" +
			"  lamina snapshot show snapshot.lamina -f json | jq '.layers[].arn'   # all of it",
		Long: "Text is a summary: how much there is of what, and every gap. json is the whole content.\n" +
			"SNAPSHOT is " + snapshotFile + " of this folder if it is left out. Exit code 3 when\n" +
			"something could not be read.",
		Args: args(0, 1, "SNAPSHOT"),
		RunE: func(_ *cobra.Command, args []string) error {
			file := ownSnapshot(args)
			if err := a.keepInputs([]string{file}); err != nil {
				return err
			}
			s, err := a.shownSnapshot(file)
			if err != nil {
				return err
			}
			err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, s)
				}
				return a.writeSnapshot(w, s)
			})
			if err != nil {
				return err
			}
			return a.incomplete(gapsOf(s))
		},
	}
}

// incomplete is the exit code of a list that is not all there is.
func (a *app) incomplete(why []string) error {
	if len(why) == 0 || a.flags.allowIncomplete != "" {
		return nil
	}
	return &statusError{Incomplete, "exit 3: incomplete: " + reasons(why)}
}

func (a *app) writeSnapshot(w io.Writer, s lamina.Snapshot) error {
	var b strings.Builder
	fmt.Fprintf(&b, "taken         %s\n", s.Taken.UTC().Format(time.RFC3339))
	if s.OrgID != "" {
		fmt.Fprintf(&b, "organisation  %s\n", safe.Line(s.OrgID, 0))
	}
	oldest := s.Taken
	for _, l := range s.Layers {
		if !l.PolicyRead.IsZero() && l.PolicyRead.Before(oldest) {
			oldest = l.PolicyRead
		}
	}
	if oldest.Before(s.Taken) {
		fmt.Fprintf(&b, "oldest policy %s\n", oldest.UTC().Format(time.RFC3339))
	}
	b.WriteString("\n")
	// Every list of the noun, so that none is forgotten here.
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Slice || v.Field(i).Len() == 0 {
			continue
		}
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fmt.Fprintf(&b, "%7d  %s\n", v.Field(i).Len(), strings.ReplaceAll(name, "_", " "))
	}
	if lines := findingsLines(estate.New(s, nil)); len(lines) > 0 {
		b.WriteString("\n")
		for _, l := range lines {
			for i, line := range a.fold(2, safe.Line(l, 0)) {
				b.WriteString([]string{"", "  "}[min(i, 1)] + line + "\n")
			}
		}
	}
	gaps := gapsOf(s)
	if len(gaps) > 0 {
		fmt.Fprintf(&b, "\nnot read:\n")
		for _, g := range gaps {
			for i, line := range a.fold(4, safe.Line(g, 0)) {
				b.WriteString([]string{"  ", "    "}[min(i, 1)] + line + "\n")
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", coverageLine(s))
	_, err := io.WriteString(w, b.String())
	return err
}

// coverageLine ends what is said of a snapshot.
func coverageLine(s lamina.Snapshot) string {
	whole := 0
	for _, t := range s.Targets {
		if len(t.Gaps) == 0 {
			whole++
		}
	}
	return fmt.Sprintf("coverage  %d/%d accounts and regions read whole, as of %s", whole, len(s.Targets), s.Taken.UTC().Format("2006-01-02 15:04 UTC"))
}

func newSnapshotDiff(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "say what is new, gone or changed between two snapshots",
		Example: "  lamina snapshot diff yesterday.lamina snapshot.lamina\n" +
			"  lamina snapshot diff yesterday.lamina snapshot.lamina -f json",
		Long: "What only OLD holds is gone where NEW looked for it; where NEW was denied, or did not look,\n" +
			"it is \"not read\", counted by the reason, and the exit code is 3; json and csv name each. When\n" +
			"something was read is no difference.",
		Args: args(2, 2, "OLD NEW"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.keepInputs(args); err != nil {
				return err
			}
			from, err := a.shownSnapshot(args[0])
			if err != nil {
				return err
			}
			to, err := a.shownSnapshot(args[1])
			if err != nil {
				return err
			}
			changes, err := snapshot.Diff(from, to)
			if err != nil {
				return err
			}
			err = a.document([]string{"text", "json", "csv"}, func(format string, w io.Writer) error {
				return a.writeChanges(format, w, from, to, changes)
			})
			if err != nil {
				return err
			}
			var why []string
			for _, c := range changes {
				if c.What == "unread" && !slices.Contains(why, c.Reason) {
					why = append(why, c.Reason)
				}
			}
			return a.incomplete(why)
		},
	}
}

func (a *app) writeChanges(format string, w io.Writer, from, to lamina.Snapshot, changes []snapshot.Change) error {
	if format == "json" {
		if changes == nil {
			changes = []snapshot.Change{}
		}
		return writeJSON(w, map[string]any{"from": from.Taken, "to": to.Taken, "changes": changes})
	}
	signs := map[string]string{"added": "+", "removed": "-", "changed": "~"}
	var rows [][]string
	var b strings.Builder
	counts := map[string]int{}
	unread := map[string]map[string]int{} // how many of each kind, by reason
	for _, c := range changes {
		counts[c.What]++
		kind := strings.ReplaceAll(c.Kind, "_", " ")
		if c.What == "unread" {
			if unread[c.Reason] == nil {
				unread[c.Reason] = map[string]int{}
			}
			unread[c.Reason][kind]++
		} else {
			fmt.Fprintf(&b, "%s %s  %s\n", signs[c.What], kind, safe.Line(c.ID, 0))
		}
		for _, f := range c.Fields {
			fmt.Fprintf(&b, "    %s: %s\n", safe.Line(f.Field, 0), became(f.Old, f.New))
			rows = append(rows, []string{c.What, c.Kind, c.ID, f.Field, f.Old, f.New})
		}
		if len(c.Fields) == 0 {
			rows = append(rows, []string{c.What, c.Kind, c.ID, "", "", c.Reason})
		}
	}
	if format == "csv" {
		return writeCSV(w, []string{"what", "kind", "id", "field", "old", "new"}, rows)
	}
	for _, reason := range sortedKeys(unread) {
		var of []string
		for _, kind := range sortedKeys(unread[reason]) {
			of = append(of, strconv.Itoa(unread[reason][kind])+" "+kind)
		}
		for i, line := range a.fold(4, safe.Line("not read: "+strings.Join(of, ", ")+", because "+reason, 0)) {
			b.WriteString([]string{"? ", "    "}[min(i, 1)] + line + "\n")
		}
	}
	if len(changes) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%d new, %d gone, %d changed, %d not read, from %s to %s\n", counts["added"], counts["removed"], counts["changed"], counts["unread"],
		from.Taken.UTC().Format("2006-01-02 15:04"), to.Taken.UTC().Format("2006-01-02 15:04 UTC"))
	_, err := io.WriteString(w, b.String())
	return err
}

// became says how a value changed: of a list of words, which came and went.
func became(from, to string) string {
	var was, is []string
	if json.Unmarshal([]byte(from), &was) != nil || json.Unmarshal([]byte(to), &is) != nil {
		return brief(from) + " → " + brief(to)
	}
	var words []string
	for _, w := range was {
		if !slices.Contains(is, w) {
			words = append(words, "-"+safe.Line(w, 0))
		}
	}
	for _, w := range is {
		if !slices.Contains(was, w) {
			words = append(words, "+"+safe.Line(w, 0))
		}
	}
	if len(words) == 0 {
		return "in another order: " + brief(to)
	}
	return strings.Join(words, " ")
}

// brief is a value of a field for a line: what is long is in json.
func brief(value string) string {
	const limit = 200
	if value == "" {
		return "none"
	}
	if s, err := strconv.Unquote(value); err == nil {
		value = s
	}
	return safe.Line(value, limit)
}

func newSnapshotRedact(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "redact SNAPSHOT",
		Short:   "write a snapshot that names no account, no user and no owner",
		Example: "  lamina snapshot redact snapshot.lamina -o share.lamina",
		Long: "Ids of accounts and of organisations become numbers, names of IAM users too; e-mail\n" +
			"addresses, tags, descriptions, titles of findings and names of accounts and units are left\n" +
			"out. The same becomes the same everywhere, so that checks find what they found. Accounts\n" +
			"of known publishers stay, and so do names of functions, layers, roles and policies: look\n" +
			"at the file before you share it (lamina snapshot show FILE -f json).",
		Args: args(1, 1, "SNAPSHOT"),
		RunE: func(_ *cobra.Command, args []string) error { return a.snapshotRedact(args[0]) },
	}
	a.settingFlag(c, "publishers")
	return c
}

func (a *app) snapshotRedact(file string) error {
	to := a.flags.output
	if to == "" || to == "-" {
		return usagef("give a file: -o share.lamina", "a snapshot is not written to standard output")
	}
	if err := a.keepInputs([]string{file}); err != nil {
		return err
	}
	s, err := a.shownSnapshot(file)
	if err != nil {
		return err
	}
	registry, err := a.loadPublishers()
	if err != nil {
		return err
	}
	s, err = snapshot.Redact(s, func(account string) bool {
		_, ok := registry.Account(account)
		return ok
	})
	if err != nil {
		return err
	}
	var data bytes.Buffer
	if err := snapshot.Write(&data, s); err != nil {
		return err
	}
	out, err := report.Create(a.path(to))
	if err != nil {
		return a.outputError(to, err)
	}
	if _, err := out.Write(data.Bytes()); err != nil {
		return errors.Join(a.outputError(to, err), out.Abort())
	}
	if err := out.Commit(); err != nil {
		return a.outputError(to, err)
	}
	a.note("wrote %s", to)
	return nil
}
