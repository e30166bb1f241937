// Package cli is the command line: one file a command, flags, settings, exit
// codes, and the wiring of engines to the writers of internal/report. It decides
// nothing about layers or logs.
//
// Main runs one command line in process and touches nothing of the process: it
// reads, writes, asks the environment, the folder and the clock through Stdio.
//
// # Adding a command
//
//  1. Write NAME.go with func newNAME(a *app) *cobra.Command and add it to the
//     list in commands.go, under its group. Examples come first in the help, the
//     Short text is lower case without a full stop, and the whole help fits 40
//     lines (tested). Say how many arguments it takes with a.args.
//  2. A command that judges something produces the message stream: ask for
//     results with a.results(cmd), Write each message, return the error of
//     Finish(summary). Results opens the writers of every -f, applies --severity
//     and --fail-on, sends skipped input and warnings to standard error, and
//     turns the summary into the exit code. Before returning any other error
//     call Abort (defer it: after Finish it does nothing), so that no half
//     written file is left.
//  3. A command that shows a thing (a list, a schema) calls a.document with the
//     formats it can write; the first is the default. columns prints a table.
//  4. A value that may also come from lamina.toml or the environment is a row of
//     the table in settings.go; the command makes its flag with a.settingFlag
//     and reads it with a.conf.text, list, num, yes. Other flags are ordinary
//     flags of the command.
//  5. Paths the user typed go through a.path before they are opened, and a file
//     that is not there is reported with a.missing, which guesses the name.
//  6. Errors: return *Error (usagef, wrap) to choose the exit code and a hint.
//     Any other error is exit code 4, or 2 if it is a *query.Error. One line,
//     lower case, no full stop, what the user typed in %q.
//  7. Add a script to cmd/lamina/testdata/script, headed by the sentence it
//     proves, and run `make docs`.
//
// # Exit codes
//
// See Code. They are the same for every command and format.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/safe"
)

// Stdio is everything a command may know of the process it runs in.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	// InTTY, OutTTY and ErrTTY say which of the three are terminals, Width how
	// many columns the terminal has (0 if there is none).
	InTTY, OutTTY, ErrTTY bool
	Width                 int
	// Env returns an environment variable, "" if it is not set. Never nil.
	Env func(string) string
	// Dir is the working folder: relative paths start there.
	Dir string
	// Now is the clock. Never nil.
	Now func() time.Time
	// Estate is called before an organisation is held in memory; nil for nothing to
	// be done then.
	Estate func()
}

// A Code is an exit code. Their meaning never changes.
type Code int

// The exit codes, for every command and format. Findings win over Incomplete.
const (
	OK          Code = 0   // done, coverage complete, nothing at or above --fail-on
	Findings    Code = 1   // results at or above --fail-on
	Usage       Code = 2   // usage, config or rule error; nothing was examined
	Incomplete  Code = 3   // done, but something could not be examined
	CannotRun   Code = 4   // could not run: I/O, network, a bug
	Refused     Code = 5   // refused for safety
	Interrupted Code = 130 // Ctrl-C
)

// app is one run of Main.
type app struct {
	std   Stdio
	flags globals
	conf  *settings
	// cancel ends the context of --timeout; nil without one.
	cancel context.CancelFunc
	// live says that results are wanted while the command goes on.
	live bool
	// again is what explain needs beside an id to find the results of this
	// command again; empty when it cannot (see report.Options.Explain).
	again []string
	// next are commands that show more of the same (see report.Options.Next).
	next []string
	// taken is when the estate was read that the command is about.
	taken time.Time
	// run is what the command examines, for those who read its result later.
	run *lamina.RunInfo
	// caches may still be written to.
	caches []*content.Cache
}

// Main runs the command line args (without the program's name) and returns the
// exit code. It never panics and never exits the process.
func Main(ctx context.Context, args []string, std Stdio) (code int) {
	a := &app{std: std}
	defer func() {
		if r := recover(); r != nil {
			a.fail(&Error{
				Msg:  fmt.Sprintf("internal error: %v", r),
				Hint: "this is a bug in lamina: run again with -v and report what it prints",
			})
			if a.flags.verbose {
				for _, l := range safe.Lines(string(debug.Stack())) {
					fmt.Fprintln(std.Err, "    "+l)
				}
			}
			code = int(CannotRun)
		}
	}()
	root := a.root() //nolint:contextcheck // a command's context is the one ExecuteContext gives it
	root.SetArgs(args)
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	err := root.ExecuteContext(ctx)
	for _, c := range a.caches {
		if err := c.Err(); err != nil && a.flags.verbose {
			a.note("warning: %v", err)
		}
	}
	if a.cancel != nil {
		a.cancel()
	}
	if err == nil {
		return int(OK)
	}
	if status, ok := errors.AsType[*statusError](err); ok {
		if status.why != "" && !a.flags.quiet {
			fmt.Fprintln(std.Err, "lamina: "+safe.Terminal(status.why))
		}
		return int(status.code)
	}
	if errors.Is(err, context.DeadlineExceeded) && a.cancel != nil {
		err = &Error{
			Msg:  "stopped after " + a.conf.text("timeout") + ", as --timeout says",
			Hint: "give it more time, or 0 for no limit", Code: CannotRun, Err: err,
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(std.Err, "lamina: interrupted")
		return int(Interrupted)
	}
	return int(a.fail(err))
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lamina",
		Short: "the security system for AWS Lambda layers",
		Long: "Lamina says who can read, attach or change each Lambda layer, what is inside it,\n" +
			"what happened to it, and what would have been noticed.",
		Example:           rootExample,
		Version:           programVersion,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	group(root)
	root.SetVersionTemplate("lamina {{.Version}}\n")
	a.globalFlags(root)
	for _, g := range commands {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, newCommand := range g.make {
			c := newCommand(a)
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommand(newHelp(a))
	root.SetHelpCommandGroupID(groupAbout)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetFlagErrorFunc(flagError)
	return root
}

// path is a path as the user typed it, from the working folder.
func (a *app) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.std.Dir, p)
}

// note prints one line to standard error unless --quiet.
func (a *app) note(format string, args ...any) {
	if !a.flags.quiet {
		fmt.Fprintln(a.std.Err, "lamina: "+clip(safe.Terminal(fmt.Sprintf(format, args...))))
	}
}

// group makes c a command that only holds others: alone it shows its help, and
// an argument it does not know is an error with a guess.
func group(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
			names = append(names, c.Aliases...)
		}
	}
	hint := "run " + cmd.CommandPath() + " --help to see the commands"
	if s := nearest(name, names); s != "" {
		hint = "did you mean " + cmd.CommandPath() + " " + s + "?"
	}
	return &Error{Msg: fmt.Sprintf("unknown command %q", strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), "lamina")+" "+name)), Hint: hint, Code: Usage}
}
