package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/query"
)

func reportFormats() []report.Format { return report.Formats() }

// with runs Main with one more command in the list, which does what f does.
func with(t *testing.T, f func(context.Context, *app) error) (code int, out, errs string) {
	t.Helper()
	return withContext(t, t.Context(), nil, f)
}

func withContext(t *testing.T, ctx context.Context, args []string, f func(context.Context, *app) error) (code int, out, errs string) { //nolint:revive // t comes first in tests
	t.Helper()
	saved := commands
	defer func() { commands = saved }()
	commands = append(slices.Clip(commands), commandGroup{groupAbout + "-test", "Test:", false, []func(*app) *cobra.Command{
		func(a *app) *cobra.Command { //nolint:contextcheck // a command's context is the one Main gives it
			return &cobra.Command{Use: "try", Short: "try", RunE: func(cmd *cobra.Command, _ []string) error { return f(cmd.Context(), a) }}
		},
	}})
	std, o, e := stdio(t)
	code = Main(ctx, append([]string{"try"}, args...), std)
	return code, o.String(), e.String()
}

func TestMain_exit_codes(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		code   Code
		stderr string
	}{
		{"nothing", nil, OK, ""},
		{"plain", errors.New("disk full"), CannotRun, "lamina: error: disk full\n"},
		{"usage", usagef("try this", "bad %q", "x"), Usage, "lamina: error: bad \"x\"\nlamina: hint: try this\n"},
		{"refused", &Error{Msg: "plan drifted", Code: Refused}, Refused, "lamina: error: plan drifted\n"},
		{"wrapped", wrap(errors.New("a"), Usage, "b"), Usage, "lamina: error: a\nlamina: hint: b\n"},
		{"query", &query.Error{Msg: "rules/x.toml:1:2: unknown field", Hint: "did you mean y?"}, Usage, "lamina: error: rules/x.toml:1:2: unknown field\nlamina: hint: did you mean y?\n"},
		{"lines", errors.New("x.toml:1:1: bad\n1 | a\n    ^"), CannotRun, "lamina: error: x.toml:1:1: bad\n    1 | a\n        ^\n"},
		{"forged", errors.New("a\nlamina: error: b\x1b[2J"), CannotRun, "lamina: error: a\n    lamina: error: b\\x1b[2J\n"},
		{"findings", &statusError{Findings, "exit 1: F"}, Findings, "lamina: exit 1: F\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := with(t, func(context.Context, *app) error { return tt.err })
			if code != int(tt.code) || errs != tt.stderr || out != "" {
				t.Errorf("got %d, stdout %q, stderr %q; want %d, %q", code, out, errs, tt.code, tt.stderr)
			}
		})
	}
}

// Ctrl-C ends in 130, whatever the command made of it.
func TestMain_interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	code, _, errs := withContext(t, ctx, nil, func(ctx context.Context, _ *app) error {
		cancel()
		return errors.Join(errors.New("read trail"), ctx.Err())
	})
	if code != int(Interrupted) || errs != "lamina: interrupted\n" {
		t.Errorf("got %d, %q", code, errs)
	}
}

// A bug is exit code 4 and a message, not a crash; -v shows where.
func TestMain_panic(t *testing.T) {
	code, _, errs := with(t, func(context.Context, *app) error { panic("boom") })
	if code != int(CannotRun) || !strings.HasPrefix(errs, "lamina: error: internal error: boom\nlamina: hint: ") || strings.Contains(errs, "goroutine") {
		t.Errorf("got %d, %q", code, errs)
	}
	code, _, errs = withContext(t, t.Context(), []string{"-v"}, func(context.Context, *app) error { panic("boom") })
	if code != int(CannotRun) || !strings.Contains(errs, "goroutine") {
		t.Errorf("got %d, %q", code, errs)
	}
}

// --timeout ends the context the command was given.
func TestMain_timeout(t *testing.T) {
	code, _, errs := withContext(t, t.Context(), []string{"--timeout", "1ms"}, func(ctx context.Context, _ *app) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if code != int(CannotRun) || errs != "lamina: error: stopped after 1ms, as --timeout says\nlamina: hint: give it more time, or 0 for no limit\n" {
		t.Errorf("got %d, %q", code, errs)
	}
}

// Skipped records are all counted and at most maxNotes are named without -v.
func TestResults_names_skipped_records(t *testing.T) {
	run := func(args ...string) string {
		_, _, errs := withContext(t, t.Context(), args, func(_ context.Context, a *app) error {
			r, err := a.results(&cobra.Command{Use: "try"})
			if err != nil {
				return err
			}
			for range maxNotes + 7 {
				if err := r.Write(lamina.Message{Skipped: &lamina.Skipped{File: "x\x1b", Offset: 1, Reason: "bad"}}); err != nil {
					return err
				}
			}
			return r.Finish(lamina.Summary{Complete: true})
		})
		return errs
	}
	if errs := run(); strings.Count(errs, `skipped x\x1b at byte 1: bad`) != maxNotes || !strings.HasSuffix(errs, "lamina: warning: 7 more like these; -v shows them\n") {
		t.Error(errs)
	}
	if errs := run("-v"); strings.Count(errs, "skipped") != maxNotes+7 {
		t.Error(errs)
	}
	if errs := run("-q"); errs != "" {
		t.Error(errs)
	}
}

// Results under an exception are shown and do not fail the run; unknown ones are
// neither hidden by --severity nor counted.
func TestResults_exceptions(t *testing.T) {
	code, out, errs := withContext(t, t.Context(), []string{"--severity", "critical", "--fail-on", "info"}, func(_ context.Context, a *app) error {
		r, err := a.results(&cobra.Command{Use: "try"})
		if err != nil {
			return err
		}
		for _, m := range []lamina.Message{
			{Alert: &lamina.Alert{ID: "A-1", Severity: lamina.Critical, Exception: &lamina.Exception{ID: "e", Expires: "2027-01-01"}}},
			{Finding: &lamina.Finding{ID: "F-1", Severity: lamina.Low, Outcome: lamina.Unknown, Title: "low unknown"}},
		} {
			if err := r.Write(m); err != nil {
				return err
			}
		}
		return r.Finish(lamina.Summary{Complete: true})
	})
	if code != 0 || errs != "" || !strings.Contains(out, "accepted by exception e until 2027-01-01") || !strings.Contains(out, "low unknown") {
		t.Errorf("exit %d, stderr %q, stdout:\n%s", code, errs, out)
	}
}

// A run that fails or is interrupted leaves neither half a result nor a
// temporary file, and what was there before stays.
func TestResults_leave_nothing_behind(t *testing.T) {
	for name, end := range map[string]func(context.CancelFunc) error{
		"fails":       func(context.CancelFunc) error { return errors.New("read trail") },
		"panics":      func(context.CancelFunc) error { panic("boom") },
		"interrupted": func(cancel context.CancelFunc) error { cancel(); return context.Canceled },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old := filepath.Join(dir, "old.sarif")
			if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			code, _, _ := withContext(t, ctx, []string{"-f", "sarif=" + old, "-f", "json=" + filepath.Join(dir, "new.json")}, func(_ context.Context, a *app) (err error) {
				r, err := a.results(&cobra.Command{Use: "try"})
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, r.Abort()) }()
				if err := r.Write(lamina.Message{Alert: &lamina.Alert{ID: "A-1", Severity: lamina.High}}); err != nil {
					return err
				}
				return end(cancel)
			})
			if code == 0 {
				t.Error("exit 0")
			}
			entries, err := os.ReadDir(dir)
			b, readErr := os.ReadFile(old)
			if err != nil || len(entries) != 1 || string(b) != "old" {
				t.Errorf("left %v, %v; old is %q, %v", entries, err, b, readErr)
			}
		})
	}
}

func TestColored(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		tty  bool
		want bool
	}{
		{"terminal", nil, nil, true, true},
		{"pipe", nil, nil, false, false},
		{"no_color", map[string]string{"NO_COLOR": "1"}, nil, true, false},
		{"no_color_empty", map[string]string{"NO_COLOR": ""}, nil, true, true},
		{"force", map[string]string{"CLICOLOR_FORCE": "1"}, nil, false, true},
		{"force_zero", map[string]string{"CLICOLOR_FORCE": "0"}, nil, false, false},
		{"no_color_beats_force", map[string]string{"NO_COLOR": "1", "FORCE_COLOR": "1"}, nil, true, false},
		{"flag_beats_no_color", map[string]string{"NO_COLOR": "1"}, []string{"--color", "always"}, false, true},
		{"flag_never", map[string]string{"FORCE_COLOR": "1"}, []string{"--no-color"}, true, false},
		{"dumb", map[string]string{"TERM": "dumb"}, nil, true, false},
		{"ci_environment", map[string]string{"CI": "true"}, nil, true, false},
		{"setting", map[string]string{"LAMINA_COLOR": "always"}, nil, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			std, _, _ := stdio(t)
			std.OutTTY = tt.tty
			std.Env = func(k string) string { return tt.env[k] }
			a := &app{std: std}
			root := a.root()
			if err := root.ParseFlags(tt.args); err != nil {
				t.Fatal(err)
			}
			if err := a.prepare(root); err != nil {
				t.Fatal(err)
			}
			if got := a.colored(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"detect", "demo", "render", "config", "rules"}
	tests := []struct{ typed, want string }{
		{"detcet", "detect"},
		{"dtect", "detect"},
		{"rule", "rules"},
		{"conf", "config"},
		{"detect", ""},
		{"xyzzy", ""},
		{"", ""},
		{"d", ""},
		{strings.Repeat("detect", 1000), ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.typed, names); got != tt.want {
			t.Errorf("nearest(%.20q): got %q, want %q", tt.typed, got, tt.want)
		}
	}
}

// A settings file is foreign bytes when a repository brings it: any bytes give
// settings that pass the checks, or an error with the file's name.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"", "jobs = 2\n", "rules = [\"a\", \"b\"]", "format = [\"json=x\"]\n[detect]", "a.b = 1", "jobs = 1\njobs = 2",
		"severity = 'low'", "= 1", "jobs = 1979-05-27", "\"jobs\" = 0x10", "fail_on = \"\"\"never\"\"\"", "rules = [[]]",
		"offline = true # x", "\xff = 1", "jobs = {", "[[x]]", "jobs", "jobs = 99999999999999999999",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseConfig("lamina.toml", "/d", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "lamina.toml:") {
				t.Errorf("%q: %v", b, err)
			}
			return
		}
		for key, v := range m {
			for _, text := range v.values {
				if err := settingByKey(key).check(text); err != nil {
					t.Errorf("%q: %s = %q: %v", b, key, text, err)
				}
			}
		}
	})
}

// What may not be read says where to look, and is not called missing.
func TestMissing_permission(t *testing.T) {
	std, _, _ := stdio(t)
	err := (&app{std: std}).missing("estate.lamina", &fs.PathError{Op: "open", Path: "/x/estate.lamina", Err: fs.ErrPermission})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != CannotRun || e.Msg != "open estate.lamina: permission denied" || !strings.Contains(e.Hint, "ls -l") {
		t.Errorf("%#v", err)
	}
}
