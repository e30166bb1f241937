// Package sandbox reads a layer in a child process that can do nothing but read
// it.
//
// Read starts this very program again with the hidden verb Verb as its only
// argument, an empty environment, and the opened layer as file descriptor 3; that
// verb is in no help, and nobody types it. The child learns on standard input
// what to read, limits itself before it looks at a byte of the layer (see
// Limits), reads it with content.Read, and writes the facts to standard output.
//
// What is in force depends on the system. Linux: limits on memory, address space,
// CPU time, files and file size, no core dump, no new privileges, and, on amd64
// and arm64, a seccomp filter that leaves it memory, threads, and reading and
// writing what is open: no file can be opened, no socket made, no program
// started. Where the program was built without cgo, Landlock takes the file
// system and TCP away as well. A child that reads a folder must open files: the filter lets it open
// for reading only, and Landlock only below that folder. macOS: limits on CPU
// time, files, file size and processes, of memory only what Go's collector keeps
// to. Everywhere else there is none, and Read refuses.
//
// What comes back is hostile: it is bounded, decoded by a form of its own
// (decode), and held against what any reading of this layer could be. A child
// that is killed, hangs, stops early or writes something else makes a layer that
// could not be opened, with the reason and the limit; it never makes an empty
// one. A child that an attacker took over can still lie about the layer it was
// given, and about no other: its facts go into no cache.
//
// It judges nothing, and it runs nothing but this program. Start with Enter and
// Read.
package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// Verb is the argument with which the program is its own child.
const Verb = "__sandbox-child"

// ErrUnavailable is in every error of Read and Available on a system that has
// nothing to confine a child with.
var ErrUnavailable = errors.New("there is no sandbox on this system")

// Limits are what a child may use.
type Limits struct {
	// Memory is bytes of memory that can be written to, beyond what the program
	// needs to start.
	Memory int64
	// CPU is time of all cores together, Wall time on the clock.
	CPU, Wall time.Duration
	// Files are open files.
	Files int
	// Reply is bytes of what comes back, Decoded bytes of memory that it may
	// become.
	Reply, Decoded int64
}

// DefaultLimits are several times what the largest real layers take: 250 MB of
// Python in native code is read in 5 s of CPU time and 110 MiB, and its facts are
// 2 MiB.
var DefaultLimits = Limits{
	Memory: 1 << 30, CPU: time.Minute, Wall: 5 * time.Minute, Files: 64, Reply: 64 << 20, Decoded: 256 << 20,
}

// A Target is what Read reads.
type Target struct {
	// Name is the layer as the user typed it.
	Name string
	// File is the archive or the folder, opened for reading.
	File *os.File
	// Imports and Key are those of content.Options.
	Imports bool
	Key     []byte
}

// canBeChild says that Enter was called: another program would run itself.
var canBeChild atomic.Bool

// Enter is the first call of a program that uses Read. If the program was started
// as a child it does the child's work and returns its exit code and true.
func Enter(args []string) (code int, child bool) {
	if len(args) == 2 && args[1] == Verb {
		return serveRequest(), true
	}
	canBeChild.Store(true)
	return 0, false
}

// Available says whether Read can confine a child here: nil, or ErrUnavailable.
func Available() error {
	switch {
	case !supported:
		return ErrUnavailable
	case !canBeChild.Load():
		return fmt.Errorf("%w: this program cannot start itself as its child", ErrUnavailable)
	}
	return nil
}

// Read reads the layer in a child, and returns what content.Read or
// content.ReadDir would, or, if the child failed, a layer with Err. Confined names
// what was in force. The error is the context's, or says that no child could be
// confined.
func Read(ctx context.Context, t Target) (l *content.Layer, confined []string, err error) {
	if err := Available(); err != nil {
		return nil, nil, err
	}
	return runner{verb: Verb, limits: DefaultLimits}.read(ctx, t)
}

// A runner starts children. Tests start others than Verb.
type runner struct {
	verb   string
	limits Limits
}

// A request is what the child reads on standard input.
type request struct {
	Name    string
	Size    int64
	Dir     bool
	Imports bool
	Key     []byte
	Limits  Limits
}

// A reply is what the child writes. Unconfined is why it could not confine itself;
// it has read nothing then.
type reply struct {
	Unconfined string
	Confined   []string
	// Err is that of the Layer.
	Err   string
	Layer *content.Layer
}

// maxRequest bounds the request: a name, and numbers.
const maxRequest = 1 << 16

func (r runner) read(ctx context.Context, t Target) (*content.Layer, []string, error) {
	info, err := t.File.Stat()
	if err != nil {
		return nil, nil, err
	}
	req := request{Name: t.Name, Dir: info.IsDir(), Imports: t.Imports, Key: t.Key, Limits: r.limits}
	if !req.Dir {
		req.Size = info.Size()
	}
	out, err := r.run(ctx, t.File, encode(req))
	if err != nil && ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	var a reply
	if err == nil {
		a, err = accept(out, req, t.File)
	}
	switch {
	case errors.Is(err, errNotStarted) || errors.Is(err, errUnconfined):
		return nil, nil, err
	case err != nil:
		l := &content.Layer{Name: req.Name, Size: req.Size, Err: fmt.Errorf("the sandboxed reader %w", err)}
		l.Skipped = []lamina.Skipped{{File: l.Name, Offset: -1, Bytes: l.Size, Reason: l.Err.Error()}}
		return l, nil, nil
	}
	return a.Layer, a.Confined, nil
}

var (
	errNotStarted = errors.New("the sandboxed reader could not be started")
	errUnconfined = errors.New("the sandboxed reader could not be confined")
	errWall       = errors.New("wall time")
	errReply      = errors.New("reply too large")
)

// run starts the child and returns what it wrote. The error completes the
// sentence that begins with "the sandboxed reader".
func (r runner) run(ctx context.Context, in *os.File, req []byte) ([]byte, error) {
	// What the child dies with, where there is such a thing, is this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	wall := time.AfterFunc(r.limits.Wall, func() { stop(errWall) })
	defer wall.Stop()
	out := &capped{limit: r.limits.Reply, over: func() { stop(errReply) }}
	said := &capped{limit: 4096}
	self, err := program()
	if err == nil {
		err = keepOpenFiles()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotStarted, err)
	}
	c := exec.CommandContext(ctx, self) //nolint:gosec // this program
	c.Args = []string{os.Args[0], r.verb}
	c.Env, c.Dir = []string{}, "/"
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(req), out, said
	c.ExtraFiles = []*os.File{in}
	c.SysProcAttr = attributes()
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotStarted, err)
	}
	err = c.Wait()
	used := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errWall):
		return nil, fmt.Errorf("was stopped after %v, its limit of time", r.limits.Wall)
	case errors.Is(cause, errReply):
		return nil, fmt.Errorf("wrote more than %d bytes, its limit", r.limits.Reply)
	case err == nil:
		return out.kept, nil
	case c.ProcessState.ExitCode() == exitCPU || killed(c.ProcessState) && used >= r.limits.CPU:
		return nil, fmt.Errorf("used more than %v of CPU time, its limit", r.limits.CPU)
	case outOfMemory(string(said.kept)):
		return nil, fmt.Errorf("needed more than %d MiB of memory, its limit", r.limits.Memory>>20)
	case killed(c.ProcessState):
		return nil, fmt.Errorf("was killed (%v): the system may be short of memory", c.ProcessState)
	}
	// What it said is from a process that foreign bytes may have taken over.
	return nil, fmt.Errorf("failed (%v)", c.ProcessState)
}

// outOfMemory recognises how Go's runtime, and the C library below it, end when
// the system gives no more memory.
func outOfMemory(said string) bool {
	for _, s := range []string{"out of memory", "cannot allocate memory", "failed to create new OS thread", "pthread_create failed"} {
		if strings.Contains(said, s) {
			return true
		}
	}
	return false
}

// A capped keeps the first bytes that are written to it. Not locked: a Cmd writes
// each from one goroutine.
type capped struct {
	kept  []byte
	limit int64
	over  func() // nil if the rest is of no interest
}

func (c *capped) Write(p []byte) (int, error) {
	rest := c.limit - int64(len(c.kept))
	if int64(len(p)) > rest && c.over != nil {
		c.over()
		return 0, errReply
	}
	c.kept = append(c.kept, p[:min(int64(len(p)), rest)]...)
	return len(p), nil
}

// accept holds a reply against what any reading of this layer could be.
func accept(out []byte, req request, in *os.File) (reply, error) {
	var a reply
	if err := decode(out, &a, req.Limits.Decoded); err != nil {
		return a, fmt.Errorf("wrote what is no reply: %w", err)
	}
	if a.Unconfined != "" {
		return a, fmt.Errorf("%w: %s", errUnconfined, a.Unconfined)
	}
	l := a.Layer
	if l == nil {
		return a, errors.New("wrote a reply without a layer")
	}
	l.Name, l.Size, l.Imports, l.Cached = req.Name, req.Size, req.Imports && a.Err == "", 0
	if a.Err != "" {
		l.Err = errors.New(a.Err)
	}
	if l.Err == nil && !req.Dir {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(in, 0, req.Size)); err != nil {
			return a, fmt.Errorf("was not checked: %w", err)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != l.SHA256 {
			return a, fmt.Errorf("says that it read other bytes: SHA-256 %.64q, not %s", l.SHA256, got)
		}
	}
	if err := l.Restore(); err != nil {
		return a, fmt.Errorf("wrote what no reading gives: %w", err)
	}
	return a, nil
}
