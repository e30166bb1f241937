package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the command that the scripts run, so that they
// test the very program without building it again.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lamina": main})
}

// TestScript runs testdata/script/*.txtar. Each block of a script is headed by
// the sentence it proves, and says what stderr holds. LAMINA_UPDATE=1 rewrites
// files that cmp compares with output.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("LAMINA_UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			// Nothing of the developer's machine reaches a script: not the
			// settings, not the colours, not the CI it may run in.
			for _, v := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI", "TERM", "COLUMNS", "LAMINA_TESTDATA"} {
				e.Setenv(v, "")
			}
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			// Scripts that read data by others skip with [!testdata].
			e.Setenv("LAMINA_TESTDATA", os.Getenv("LAMINA_TESTDATA"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "testdata" && os.Getenv("LAMINA_TESTDATA") != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status,
			"lines":  lines,
		},
	})
}

// status runs lamina and wants the exit code of its first argument:
//
//	status 2 lamina detct
//
// exec only tells success from failure.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// lines wants stdout, or a file, to have at most so many lines:
//
//	lines 40 stdout
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || len(args[0]) > 4 {
		ts.Fatalf("usage: lines MAX FILE")
	}
	limit := 0
	for _, c := range args[0] {
		limit = 10*limit + int(c-'0')
	}
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); n > limit {
		ts.Fatalf("%s has %d lines, want at most %d", args[1], n, limit)
	}
}
