package analyzers

import (
	"path"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// InstallHook finds: package runs commands when it is installed.
var InstallHook = content.Analyzer{
	ID:          "install-hook",
	Title:       "package runs commands when it is installed",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.npmjs.com/cli/v11/using-npm/scripts",
	Remediation: "build with --ignore-scripts and pin what you install by digest",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         installHook,
}

func installHook(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		for _, h := range f.Hooks {
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: h.Name, Severity: lamina.Low,
				Detail: "its " + h.Name + " script ran where the layer was built, unless scripts were off", Evidence: []string{h.Name + ": " + h.Command},
			}
			if fetches(h.Command) || pipesToShell(h.Command) {
				r.Severity, r.Detail = lamina.High, "its "+h.Name+" script fetches something where the layer is built"
			} else if word := decodes(h.Command); word != "" {
				r.Severity, r.Detail = lamina.High, "its "+h.Name+" script decodes what it runs ("+word+")"
			}
			found(r)
		}
		if f.Code == nil || path.Base(f.Path) != "setup.py" {
			continue
		}
		for i, c := range f.Code.Calls {
			switch {
			case c.Kind == codeflow.CallProcess && c.AtImport:
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: strconv.Itoa(i), Severity: lamina.Medium,
					Detail: "building the package starts " + c.Callee, Evidence: []string{"call: " + c.Callee + " " + c.Target},
				})
			case c.Kind == codeflow.CallHTTP || c.Kind == codeflow.CallSocket:
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: strconv.Itoa(i), Severity: lamina.Medium,
					Detail: "building the package talks to the network with " + c.Callee, Evidence: []string{"call: " + c.Callee + " " + c.Target},
				})
			}
		}
	}
	return nil
}

// decodes names the word by which a command runs what it decodes, "" if it has
// none.
func decodes(command string) string {
	for _, word := range []string{"eval(", "Function(", "exec(", "fromCharCode", "base64 -d", "base64 --decode", "b64decode", "fromhex", "xxd -r"} {
		if strings.Contains(command, word) {
			return word
		}
	}
	return ""
}
