//go:build unix

package report

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A result goes through a pipe that somebody reads; one that nobody reads is refused
// at once, and not waited for.
func TestFile_pipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); !errors.Is(err, ErrNoReader) {
		t.Errorf("nobody reads: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 1<<20) // more than a pipe holds
	done := make(chan string)
	go func() {
		got, err := io.ReadAll(reader)
		if err != nil {
			t.Error(err)
		}
		done <- string(got)
	}()
	if _, err := io.WriteString(f, text); err != nil {
		t.Error(err)
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if got := <-done; got != text {
		t.Errorf("%d bytes came through, want %d", len(got), len(text))
	}
}
