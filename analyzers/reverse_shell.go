package analyzers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/shsyntax"
)

// ReverseShell finds: a shell is connected to the network.
var ReverseShell = content.Analyzer{
	ID:          "reverse-shell",
	Title:       "a shell is connected to the network",
	Since:       "0.2",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1059.004", "T1071"},
	Citation:    "https://attack.mitre.org/techniques/T1059/004/",
	Remediation: "stop using the version at once, rotate what its functions could read, and find out who published it",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         reverseShell,
}

func reverseShell(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if content.Test(f.Path) {
			continue
		}
		if f.Shell != nil {
			for i, n := range f.Shell.Network {
				if given := shellOn(f.Shell, n); given != "" {
					found(content.Result{
						Outcome: lamina.Fail, File: f.Path, Line: n.Line, Key: "sh" + strconv.Itoa(i),
						Detail: given + " is given to a connection", Evidence: []string{"connects: " + n.Tool + " " + n.Host, "file sha256: " + f.SHA256.String()},
					})
				}
			}
		}
		if f.Shell != nil {
			for i, p := range f.Shell.Pipes {
				if p.From == "/dev/tcp" {
					found(content.Result{
						Outcome: lamina.Fail, File: f.Path, Line: p.Line, Key: "pipe" + strconv.Itoa(i),
						Detail: "what a connection gives is run, and what it says goes back", Evidence: []string{"pipe: " + p.From + " | " + p.To, "file sha256: " + f.SHA256.String()},
					})
				}
			}
			for i, c := range f.Shell.Commands {
				if given := shellIn(f.Shell, c); given != "" {
					found(content.Result{
						Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "command" + strconv.Itoa(i),
						Detail: given, Evidence: []string{"command: " + c.Name, "file sha256: " + f.SHA256.String()},
					})
				}
			}
		}
		if f.Code == nil {
			continue
		}
		var shell, connect *codeflow.Call
		joined := false
		for i := range f.Code.Calls {
			c := &f.Code.Calls[i]
			switch {
			case c.Kind == codeflow.CallProcess && isShell(c):
				shell = c
			case c.Kind == codeflow.CallSocket && content.ReachOf(c.Target) != content.Local:
				connect = c
			}
			joined = joined || strings.HasSuffix(c.Callee, "dup2") || strings.HasSuffix(c.Callee, ".pipe") || strings.HasSuffix(c.Callee, "pty.spawn")
		}
		if shell != nil && connect != nil {
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: shell.Line, Key: "code", Severity: lamina.High,
				Detail:   fmt.Sprintf("it connects on line %d and starts a shell on line %d", connect.Line, shell.Line),
				Evidence: []string{"connects: " + connect.Callee + " " + connect.Target, "shell: " + shell.Callee, "file sha256: " + f.SHA256.String()},
			}
			if joined {
				r.Severity = lamina.Critical
			}
			found(r)
		}
	}
	return nil
}

// shellOn names the shell that a use of the network is joined to, "" if none.
func shellOn(sh *shsyntax.Facts, n shsyntax.Network) string {
	for _, c := range sh.Commands {
		if c.Line != n.Line {
			continue
		}
		switch c.Name {
		case "sh", "bash", "dash", "ash", "zsh", "ksh":
			if n.Tool == "/dev/tcp" || n.Tool == "/dev/udp" {
				return c.Name
			}
		case "nc", "ncat", "netcat", "socat":
			for _, a := range c.Args {
				if a == "-e" || a == "-c" || strings.HasPrefix(a, "--exec") || strings.Contains(strings.ToUpper(a), "EXEC:") {
					return "a program of " + c.Name
				}
			}
		}
	}
	return ""
}

// shellIn says how a command joins a shell to the network, "" if it does not: as
// one part of a pipe into a network tool, or in the one-line program of another
// interpreter.
func shellIn(sh *shsyntax.Facts, c shsyntax.Command) string {
	switch c.Name {
	case "sh", "bash", "dash", "ash", "zsh", "ksh":
		if !slices.Contains(c.Args, "-i") {
			return ""
		}
		for _, n := range sh.Network {
			switch n.Tool {
			case "nc", "ncat", "netcat", "socat", "telnet", "openssl":
				if n.Line == c.Line && content.ReachOf(n.Host) != content.Local {
					return "what " + c.Name + " says goes to " + n.Tool
				}
			}
		}
	case "perl", "python", "python3", "python2", "ruby", "php", "lua", "awk", "gawk", "node":
		code := strings.Join(c.Args, " ")
		if containsAny(code, "socket", "Socket", "/inet/tcp", "net.connect", "fsockopen") &&
			containsAny(code, "system", "exec", "pty", "spawn", "dup2", "/bin/sh", "/bin/bash", "fdopen", "getline") {
			return "a program of " + c.Name + " connects and runs commands"
		}
	}
	return ""
}

func containsAny(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// isShell reports whether the call starts a shell that reads commands.
func isShell(c *codeflow.Call) bool {
	for _, a := range c.Words() {
		for _, sh := range []string{"/bin/sh", "/bin/bash", "sh -i", "bash -i", "cmd.exe"} {
			if a == sh || strings.HasPrefix(a, sh+" ") {
				return true
			}
		}
		if a == "sh" || a == "bash" {
			return true
		}
	}
	return strings.HasSuffix(c.Callee, "pty.spawn")
}
