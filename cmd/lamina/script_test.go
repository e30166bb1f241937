package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lamina-sec/lamina/internal/sandbox"
)

// TestMain makes this test binary the command that the scripts run, so that they
// test the very program without building it again. The others are lamina with a
// sandbox child that is killed, writes rubbish, or hangs.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lamina": main,
		"lamina-killed": child(func() {
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = p.Kill()
			}
			panic(err)
		}),
		"lamina-rubbish": child(func() { _, _ = os.Stdout.WriteString(`{"finding":{"outcome":"pass"}}`) }),
		"lamina-hanging": child(func() { <-time.After(time.Hour) }),
	})
}

// child is lamina whose child does something else.
func child(instead func()) func() {
	return func() {
		if len(os.Args) == 2 && os.Args[1] == sandbox.Verb {
			instead()
			return
		}
		main()
	}
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
			for _, v := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI", "TERM", "COLUMNS", "LAMINA_TESTDATA", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"} {
				e.Setenv(v, "")
			}
			e.Values[worldKey{}] = &world{}
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			// Scripts that read data by others skip with [!testdata].
			e.Setenv("LAMINA_TESTDATA", os.Getenv("LAMINA_TESTDATA"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "testdata" && os.Getenv("LAMINA_TESTDATA") != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  status,
			"lines":   lines,
			"layer":   layer,
			"capture": capture,
			"aws":     aws,
			"calls":   calls,
			"await":   await,
			"estate":  estate,
			"dated":   dated,
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

// layer packs the files of a folder into a zip, in order, at a fixed time:
//
//	layer layer.zip folder
//
// "AK IA" in a file stands for the prefix of a key, which no file of this
// repository holds whole.
func layer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: layer ZIP FOLDER")
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	dir := os.DirFS(ts.MkAbs(args[1]))
	ts.Check(fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return err
		}
		_, err = f.Write(bytes.ReplaceAll(data, []byte("AK IA"), []byte("AK"+"IA")))
		return err
	}))
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// capture sets a variable to what the group of a regular expression matches in a
// file:
//
//	capture ID '"id":"(F-[A-Z2-7]+)"' results.json
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture VARIABLE PATTERN FILE")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile(args[2]))
	if len(m) != 2 {
		ts.Fatalf("%s has no %s", args[2], args[1])
	}
	ts.Setenv(args[0], m[1])
}

// dated replaces IN-30-DAYS in files by that day.
//
//	dated FILE...
func dated(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: dated FILE...")
	}
	day := time.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), "IN-30-DAYS", day)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}
