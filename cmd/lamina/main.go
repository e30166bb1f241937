// Command lamina is the security system for AWS Lambda layers. See internal/cli
// for what it does; this file only connects it to the process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/lamina-sec/lamina/internal/cli"
	"github.com/lamina-sec/lamina/internal/sandbox"
)

func main() { os.Exit(run()) }

func run() int {
	if os.Getenv("GOGC") == "" {
		tuneGC()
	}
	if code, child := sandbox.Enter(os.Args); child {
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	std := cli.Stdio{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Env:    os.Getenv,
		Dir:    dir,
		Now:    time.Now,
	}
	if os.Getenv("GOGC") == "" {
		std.Estate = allowEstate
	}
	if std.OutTTY {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			std.Width = w
		}
	}
	return cli.Main(ctx, os.Args[1:], std)
}
