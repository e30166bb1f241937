package analyzers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// DownloadAndRun finds: code runs what it fetches.
var DownloadAndRun = content.Analyzer{
	ID:          "download-and-run",
	Title:       "code runs what it fetches",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1105", "T1059"},
	Citation:    "https://attack.mitre.org/techniques/T1105/",
	Remediation: "put what is fetched into the layer, where it can be seen and hashed",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         downloadAndRun,
}

func downloadAndRun(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if content.Test(f.Path) {
			continue
		}
		if f.Shell != nil {
			for i, p := range f.Shell.Pipes {
				if !fetches(p.From) && !p.Decodes {
					continue
				}
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: p.Line, Key: "sh" + strconv.Itoa(i),
					Detail: fmt.Sprintf("what %s gives is run by %s", p.From, p.To), Evidence: []string{"pipe: " + p.From + " | " + p.To, "file sha256: " + f.SHA256.String()},
				})
			}
		}
		if line, name := throughFile(f); name != "" {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: line, Key: "file",
				Detail: "what it fetches into " + name + " it runs", Evidence: []string{"file: " + name, "file sha256: " + f.SHA256.String()},
			})
		}
		if f.Code == nil {
			continue
		}
		for i, w := range f.Code.Flows {
			if w.Source == codeflow.SourceRemote && (w.Sink == codeflow.CallCode || w.Sink == codeflow.CallProcess || w.Sink == codeflow.CallNative) {
				r := content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: w.SinkLine, Key: "flow" + strconv.Itoa(i),
					Detail:   fmt.Sprintf("what was fetched on line %d is run by %s on line %d", w.SourceLine, w.SinkName, w.SinkLine),
					Evidence: []string{"source: " + w.SourceName, "sink: " + w.SinkName, "file sha256: " + f.SHA256.String()},
				}
				if strings.HasPrefix(w.SinkName, "WebAssembly.") {
					r.Severity = lamina.Low // compilers to WebAssembly write loaders like this
				}
				found(r)
			}
		}
		for i, c := range f.Code.Strings {
			if c.Kind == codeflow.StringCommand && fetches(c.Value) && pipesToShell(c.Value) {
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "text" + strconv.Itoa(i),
					Detail: "a command fetches code and runs it", Evidence: []string{"command: " + c.Value, "file sha256: " + f.SHA256.String()},
				})
			}
		}
	}
	return nil
}

// throughFile is the file that code fetches, and runs afterwards, and the line
// where it does; "" if there is none.
func throughFile(f *content.File) (line int, name string) {
	var fetched []string
	if f.Shell != nil {
		for _, c := range f.Shell.Commands {
			if c.Name == "curl" || c.Name == "wget" {
				for i, a := range c.Args {
					switch {
					case (a == "-o" || a == "-O" || a == "--output" || a == "--output-document") && i+1 < len(c.Args):
						fetched = append(fetched, c.Args[i+1])
					case strings.HasPrefix(a, "--output=") || strings.HasPrefix(a, "--output-document="):
						fetched = append(fetched, a[strings.IndexByte(a, '=')+1:])
					}
				}
				for _, w := range f.Shell.Writes {
					if w.Line == c.Line {
						fetched = append(fetched, w.Text)
					}
				}
				continue
			}
			for _, name := range fetched {
				if !strings.Contains(name, "/") || strings.HasPrefix(name, "/dev/") {
					continue
				}
				if c.Path == name || len(c.Args) > 0 && (c.Args[0] == name && (interprets(c.Name) || c.Name == "exec") || c.Name == "chmod" && slices.Contains(c.Args[1:], name) && executable(c.Args[0])) {
					return c.Line, name
				}
			}
		}
		for _, p := range f.Shell.Sources {
			if slices.Contains(fetched, p.Text) {
				return p.Line, p.Text
			}
		}
	}
	if f.Code == nil {
		return 0, ""
	}
	network := false
	for _, c := range f.Code.Calls {
		if c.Kind == codeflow.CallHTTP {
			network = true
			for _, a := range c.Args {
				if strings.HasPrefix(a, "/") {
					fetched = append(fetched, a)
				}
			}
		}
	}
	if !network {
		return 0, ""
	}
	for _, c := range f.Code.Calls {
		switch c.Kind {
		case codeflow.CallFile, codeflow.CallFileWrite:
			for _, a := range c.Words() {
				if strings.HasPrefix(a, "/tmp/") || strings.HasPrefix(a, "/var/tmp/") || strings.HasPrefix(a, "/dev/shm/") {
					fetched = append(fetched, a)
				}
			}
		}
	}
	for _, c := range f.Code.Calls {
		if c.Kind != codeflow.CallProcess && c.Kind != codeflow.CallNative {
			continue
		}
		for _, a := range c.Words() {
			first, _, _ := strings.Cut(a, " ")
			if first != "" && slices.Contains(fetched, first) {
				return c.Line, first
			}
		}
	}
	return 0, ""
}

// interprets reports whether a command runs the file that it is given.
func interprets(command string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh", "python", "python3", "node", "perl", "ruby", ".", "source"}, command)
}

// executable reports whether a mode of chmod lets a file be run.
func executable(mode string) bool {
	if strings.Trim(mode, "01234567") == "" {
		return strings.ContainsAny(mode, "157") // of one class at least
	}
	return strings.Contains(mode, "+") && strings.Contains(mode, "x")
}

// fetches reports whether a command brings something from the network.
func fetches(command string) bool {
	for _, tool := range []string{"curl", "wget", "fetch", "aria2c", "nc "} {
		if strings.HasPrefix(command, tool) || strings.Contains(command, " "+tool) {
			return true
		}
	}
	return false
}

// pipesToShell reports whether a command's output goes into an interpreter.
func pipesToShell(command string) bool {
	_, to, ok := strings.Cut(command, "|")
	if !ok {
		return false
	}
	to = strings.TrimLeft(to, " ")
	for _, sh := range []string{"sh", "bash", "python", "perl", "node", "/bin/sh", "/bin/bash", "sudo"} {
		if strings.HasPrefix(to, sh) {
			return true
		}
	}
	return false
}
