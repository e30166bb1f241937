package analyzers

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// ImportHook finds: code replaces what other modules load.
var ImportHook = content.Analyzer{
	ID:          "import-hook",
	Title:       "code replaces what other modules load",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.python.org/3/reference/import.html",
	Remediation: "read the code: a monitoring tool does this too, but then it says so and comes from its vendor",
	NoFix:       "a published layer version cannot be changed",
	Run:         importHook,
}

func importHook(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Code == nil || content.Test(f.Path) {
			continue
		}
		for i, p := range f.Code.Patches {
			if p.Kind != codeflow.PatchImport && p.Kind != codeflow.PatchBuiltin && (p.Kind != codeflow.PatchModule || !p.AtImport || !network(p.Target)) {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: p.Line, Key: strconv.Itoa(i), Severity: lamina.Low,
				Detail:   p.Target + " is replaced",
				Evidence: []string{"patch: " + p.Target + " (" + p.Kind + ")", "file sha256: " + f.SHA256.String()},
			}
			if p.AtImport && (p.Kind == codeflow.PatchImport || network(p.Target)) {
				r.Severity = lamina.Medium
				r.Detail += " when the file is loaded"
			}
			found(r)
		}
		for i, c := range f.Code.Calls {
			if c.Kind != codeflow.CallImport || !strings.Contains(c.Callee, "meta_path") && !strings.Contains(c.Callee, "path_hooks") {
				continue
			}
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "call" + strconv.Itoa(i), Severity: lamina.Low,
				Detail: c.Callee + " changes how modules are found", Evidence: []string{"call: " + c.Callee, "file sha256: " + f.SHA256.String()},
			}
			if c.AtImport {
				r.Severity = lamina.Medium
				r.Detail += ", when the file is loaded"
			}
			found(r)
		}
	}
	return nil
}

// network reports whether a patched path is of a module that others use to talk
// to the outside.
func network(target string) bool {
	for _, m := range []string{"http", "https", "urllib", "urllib3", "requests", "socket", "ssl", "net", "tls", "botocore", "boto3", "undici", "fetch", "global.fetch", "globalThis.fetch", "builtins.__import__", "builtins.open", "builtins.exec", "require"} {
		if target == m || strings.HasPrefix(target, m+".") {
			return true
		}
	}
	return false
}
