package analyzers

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// RuntimeApiProxy finds: code stands between Lambda and the runtime.
var RuntimeApiProxy = content.Analyzer{
	ID:          "runtime-api-proxy",
	Title:       "code stands between Lambda and the runtime",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1557", "T1055"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
	Remediation: "read the code: whoever answers for the runtime API sees every event and can change every answer",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         runtimeApiProxy,
}

func runtimeApiProxy(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		var severity lamina.Severity
		var line int
		detail := ""
		if f.Code != nil {
			writes, listens := 0, 0
			for _, e := range f.Code.Env {
				if e.Write && e.Name == runtimeAPI {
					writes = max(e.Line, 1)
				}
			}
			for _, p := range f.Code.Patches {
				if p.Kind == codeflow.PatchEnv && strings.HasSuffix(p.Target, runtimeAPI) {
					writes = max(p.Line, 1)
				}
			}
			for _, c := range f.Code.Calls {
				if c.Kind == codeflow.CallListen {
					listens = max(c.Line, 1)
				}
			}
			switch {
			case writes > 0:
				severity, line, detail = lamina.Critical, writes, "it points "+runtimeAPI+" elsewhere"
			case listens > 0 && slices.Contains(f.Marks, content.RuntimeAPI) && slices.Contains(f.Marks, content.RuntimePath):
				severity, line, detail = lamina.High, listens, "it listens, and asks the runtime API for events"
			}
		}
		if f.Shell != nil {
			for _, a := range f.Shell.Assigns {
				if a.Name == runtimeAPI {
					severity, line, detail = lamina.Critical, a.Line, "it points "+runtimeAPI+" to "+a.Value
				}
			}
		}
		if slices.Contains(f.Marks, content.Listens) && slices.Contains(f.Marks, content.RuntimeAPI) && slices.Contains(f.Marks, content.RuntimePath) {
			severity, detail = lamina.High, "it listens, and knows the runtime API"
		}
		if f.Binary != nil && slices.Contains(f.Marks, content.WriteMemory) && slices.Contains(f.Marks, content.RuntimePath) {
			severity, detail = lamina.Critical, "it can write into other processes, and knows the runtime API's paths"
		}
		if severity != "" {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: line, Severity: severity, Detail: detail,
				Evidence: []string{"file sha256: " + f.SHA256.String()},
			})
		}
	}
	return nil
}

const runtimeAPI = "AWS_LAMBDA_RUNTIME_API"
