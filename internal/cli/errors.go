package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/query"
)

// An Error is a message to a person with the exit code it ends in. The first
// line of Msg follows "lamina: error:", further lines are indented under it.
type Error struct {
	Msg string
	// Hint is a guess at the intent or a command to paste, or "".
	Hint string
	// Code is CannotRun when it is 0.
	Code Code
	// Err is what Msg was made from, for errors.Is; it is not printed.
	Err error
}

func (e *Error) Error() string { return e.Msg }

func (e *Error) Unwrap() error { return e.Err }

// usagef is an error in what the user typed, with a hint.
func usagef(hint, format string, args ...any) *Error {
	return &Error{Msg: fmt.Sprintf(format, args...), Hint: hint, Code: Usage}
}

// wrap gives err an exit code and a hint. The message stays err's. A nil err
// stays nil.
func wrap(err error, code Code, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Msg: err.Error(), Hint: hint, Code: code, Err: err}
}

// A statusError ends a run that has said everything: nothing is printed but why,
// which says what decided the exit code.
type statusError struct {
	code Code
	why  string
}

func (e *statusError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// fail prints err as style demands and returns its exit code.
func (a *app) fail(err error) Code {
	code, hint := CannotRun, ""
	var e *Error
	var q *query.Error
	switch {
	case errors.As(err, &e):
		hint = e.Hint
		if e.Code != 0 {
			code = e.Code
		}
	case errors.As(err, &q):
		code, hint = Usage, q.Hint
	}
	// A message may quote what it is about: a file's text, a value that was typed.
	lines := safe.Lines(content.Clean(strings.TrimRight(err.Error(), "\n")))
	fmt.Fprintln(a.std.Err, "lamina: error: "+clip(lines[0]))
	for _, l := range lines[1:] {
		fmt.Fprintln(a.std.Err, "    "+clip(l))
	}
	if hint != "" {
		fmt.Fprintln(a.std.Err, "lamina: hint: "+safe.Terminal(content.Clean(hint)))
	}
	return code
}

// maxLine is how much of a line of an error is printed: a name in it may be as
// long as the file it stands in.
const maxLine = 2000

func clip(line string) string {
	if len(line) <= maxLine {
		return line
	}
	return strings.ToValidUTF8(line[:maxLine], "") + "…"
}

// missing is the error for a path that cannot be opened: for one that is not
// there it guesses which name in that folder was meant. shown is the path as the
// user typed it. code is Usage for inputs.
func (a *app) missing(shown string, err error) error {
	if errors.Is(err, errNoFile) {
		return &Error{Msg: shown + " " + cause(err).Error(), Hint: "give a file; a shell's <(command) is fine, too", Code: Usage, Err: err}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		hint := ""
		if errors.Is(err, fs.ErrPermission) {
			hint = "ls -l says who may read it; a new snapshot is its owner's alone"
		}
		return wrap(fmt.Errorf("open %s: %w", shown, cause(err)), CannotRun, hint)
	}
	if strings.HasPrefix(shown, "arn:") {
		return &Error{
			Msg: "no such file: " + shown, Code: Usage, Err: err,
			Hint: "nothing is fetched: aws lambda get-layer-version-by-arn --query Content.Location --arn ARN says where the layer's zip is",
		}
	}
	hint := "nothing with that name is in " + filepath.Dir(a.path(shown))
	if entries, readErr := os.ReadDir(filepath.Dir(a.path(shown))); readErr != nil {
		hint = "the folder " + filepath.Dir(shown) + " is not there either"
	} else {
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.Name()
		}
		if s := nearest(filepath.Base(shown), names); s != "" {
			hint = "did you mean " + filepath.Join(filepath.Dir(shown), s) + "?"
		} else if filepath.Dir(shown) == "." {
			hint = "paths start in the folder you run lamina in"
		}
	}
	return &Error{Msg: "no such file: " + shown, Hint: hint, Code: Usage, Err: err}
}

// cause is the reason in a PathError, whose operation and path are said already.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// args checks how many arguments a command got: lo to hi, hi < 0 for any number.
// what names them as the usage line does.
func args(lo, hi int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		help := "see " + cmd.CommandPath() + " --help"
		switch {
		case len(args) < lo:
			return usagef(help, "missing %s: %s", what, cmd.UseLine())
		case hi >= 0 && len(args) > hi:
			return usagef(help, "unexpected argument %q: %s", args[hi], cmd.UseLine())
		}
		return nil
	}
}

// flagError turns pflag's errors into ours. A command that does not exist is
// reported before the flags it was given.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if cmd.HasSubCommands() && !strings.Contains(cmd.Use, " ") { // one that takes arguments of its own has any word
		if rest := cmd.Flags().Args(); len(rest) > 0 {
			return unknownCommand(cmd, rest[0])
		}
	}
	hint := "see " + cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	var required *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return usagef(hint, "unknown flag -%s", name)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if s := nearest(name, names); s != "" {
			hint = "did you mean --" + s + "?"
		}
		return usagef(hint, "unknown flag --%s", name)
	case errors.As(err, &required):
		return usagef(hint, "flag --%s needs a value", required.GetFlag().Name)
	case errors.As(err, &invalid):
		if errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange) {
			return usagef(hint, "--%s %q: want a number", invalid.GetFlag().Name, invalid.GetValue())
		}
		return usagef(hint, "--%s %q: %v", invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap())
	}
	return usagef(hint, "%v", err)
}
