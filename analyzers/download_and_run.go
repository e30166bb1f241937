package analyzers

import (
	"fmt"
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
