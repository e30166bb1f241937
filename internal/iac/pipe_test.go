//go:build unix

package iac_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lamina-sec/lamina/internal/iac"
)

// A pipe that code names is no file, and nobody waits for who would write to it.
func TestRead_pipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	code := "resource \"aws_lambda_function\" \"f\" { layers = [file(\"pipe\")] }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := iac.Read(os.DirFS(dir), ".", ".", iac.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := resolved(c); got != "?it is worked out when it is deployed" {
		t.Errorf("got %q", got)
	}
}
