package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lamina-sec/lamina/internal/content"
)

// try is a child that tries what it may not, and says as skipped parts how that
// went.
func try() {
	req, err := readRequest()
	if err != nil {
		os.Exit(1)
	}
	open, _ := os.ReadDir("/proc/self/fd")
	confined, err := confine(req)
	if err != nil {
		say(encode(reply{Unconfined: err.Error()}))
		return
	}
	a := reply{Confined: confined, Err: "as asked for", Layer: &content.Layer{}}
	a.Confined = append(a.Confined, fmt.Sprintf("environment of %d", len(os.Environ())))
	for _, e := range open {
		a.Confined = append(a.Confined, "open "+e.Name())
	}
	for what, f := range attempts {
		a.Confined = append(a.Confined, fmt.Sprintf("%s: %v", what, f()))
	}
	slices.Sort(a.Confined)
	a.Layer = content.Read(req.Name, os.NewFile(layerFD, "layer"), req.Size, content.Options{})
	a.Err = ""
	say(encode(a))
}

// attempts are what an attacker would try first.
var attempts = map[string]func() error{
	"read a file":   func() error { _, err := os.ReadFile("/etc/hostname"); return err },
	"list a folder": func() error { _, err := os.ReadDir("/"); return err },
	"write a file": func() error {
		return os.WriteFile(filepath.Join(os.TempDir(), "lamina-sandbox-test"), []byte("x"), 0o600)
	},
	"TCP":           func() error { _, err := net.Dial("tcp", "127.0.0.1:1"); return err },
	"UDP":           func() error { _, err := net.Dial("udp", "127.0.0.1:1"); return err },
	"unix":          func() error { _, err := net.Dial("unix", "/run/x"); return err },
	"run a program": func() error { return exec.Command("/bin/true").Run() },
	"fork": func() error {
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if errno == 0 && pid == 0 {
			_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
		}
		return none(errno)
	},
	"signal the parent":    func() error { return syscall.Kill(os.Getppid(), 0) },
	"look into the parent": func() error { return syscall.PtraceAttach(os.Getppid()) },
	"raise a limit":        func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1000, Max: 1000}) },
	"make memory that runs": func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return err
	},
	"be told of input": func() error { _, err := unix.FcntlInt(1, unix.F_SETOWN, os.Getppid()); return err },
}

func none(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// A confined child has the layer, three pipes, no environment, and can do
// nothing of what an attacker would try.
func TestConfine(t *testing.T) {
	t.Setenv("LAMINA_SECRET_OF_PARENT", "x")
	// Go would keep it from the child; a file that a shell left open is like this one.
	leak, err := unix.Open(t.TempDir(), unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak) //nolint:errcheck // a folder
	limits := small
	limits.CPU = DefaultLimits.CPU
	l, said, err := runner{verb: "try", limits: limits}.read(t.Context(), Target{Name: "a.zip", File: sample(t)})
	if err != nil || l.Err != nil {
		t.Fatal(err, l.Err)
	}
	if !slices.Contains(said, "seccomp") {
		t.Skip("this kernel has no seccomp: ", said)
	}
	var open []string
	for _, s := range said {
		what, how, tried := strings.Cut(s, ": ")
		switch {
		case strings.HasPrefix(s, "open "):
			open = append(open, s)
		case s == "environment of 0", s == "limits", s == "seccomp", s == "landlock":
		case !tried || attempts[what] == nil:
			t.Errorf("the child said %q", s)
		case !strings.Contains(how, "not permitted") && !strings.Contains(how, "permission denied"):
			t.Errorf("%s: %s", what, how)
		}
	}
	// The fourth is the folder that was listed; what else was there is Go's own.
	if len(open) < 4 || len(open) > 7 || !slices.Contains(open, "open 3") {
		t.Errorf("the child has open: %v", open)
	}
	if _, err := os.Stat(filepath.Join(os.TempDir(), "lamina-sandbox-test")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
}

// A child that reads a folder can read, and cannot write or go elsewhere.
func TestConfine_folder(t *testing.T) {
	limits := small
	limits.CPU = DefaultLimits.CPU
	_, said, err := runner{verb: "try", limits: limits}.read(t.Context(), Target{Name: "d", File: opened(t, t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range said {
		what, how, tried := strings.Cut(s, ": ")
		if !tried || strings.Contains(how, "not permitted") || strings.Contains(how, "permission denied") {
			continue
		}
		if what != "read a file" && what != "list a folder" || slices.Contains(said, "landlock") {
			t.Errorf("%s: %s", what, how)
		}
	}
}
