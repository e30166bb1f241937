package analyzers

import (
	"fmt"
	"slices"
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
	Files:       true,
	Run:         importHook,
}

// A hook is one place where code replaces what others load.
type hook struct {
	file *content.File
	line int
	what string
	// early says that it is done when the file is loaded, and to something that
	// matters to all others.
	early bool
}

func importHook(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	// Libraries do this, too, to themselves and as polyfills. What a package's
	// metadata lists with its very bytes, or what stays in a function until it is
	// called, is counted in one line; every other place is a finding.
	var counted []hook
	for _, f := range l.Files {
		if f.Code == nil || content.Test(f.Path) {
			continue
		}
		var early []hook
		for _, h := range hooks(f) {
			if h.early && !l.Listed(f) && !polyfill(f, h) {
				early = append(early, h)
			} else {
				counted = append(counted, h)
			}
		}
		if len(early) == 0 {
			continue
		}
		r := content.Result{
			Outcome: lamina.Fail, File: f.Path, Line: early[0].line,
			Detail: early[0].what + " when the file is loaded", Evidence: []string{"file sha256: " + f.SHA256.String()},
		}
		for _, h := range early[1:min(len(early), 10)] {
			r.Evidence = append(r.Evidence, fmt.Sprintf("line %d: %s", h.line, h.what))
		}
		if more := len(early) - 1; more > 0 {
			r.Detail += fmt.Sprintf(", and %d more", more)
		}
		found(r)
	}
	if len(counted) == 0 {
		return nil
	}
	files := map[string]bool{}
	r := content.Result{Outcome: lamina.Fail, File: counted[0].file.Path, Line: counted[0].line, Key: "counted", Severity: lamina.Info}
	for _, h := range counted {
		files[h.file.Path] = true
		if len(r.Evidence) < 20 {
			r.Evidence = append(r.Evidence, fmt.Sprintf("%s, line %d: %s", h.file.Path, h.line, h.what))
		}
	}
	r.Detail = fmt.Sprintf("%s of %s replace something of another module later, or as the package that lists them published them", content.Count(len(counted), "place"), content.Count(len(files), "file"))
	found(r)
	return nil
}

// hooks are the places of a file, in the order of kinds and lines.
func hooks(f *content.File) []hook {
	var out []hook
	for _, p := range f.Code.Patches {
		switch {
		case p.Kind == codeflow.PatchImport, p.Kind == codeflow.PatchBuiltin, network(p.Target) && p.AtImport:
			out = append(out, hook{f, p.Line, p.Target + " is replaced", p.AtImport && (p.Kind == codeflow.PatchImport || network(p.Target))})
		}
	}
	for _, c := range f.Code.Calls {
		if c.Kind == codeflow.CallImport && (strings.Contains(c.Callee, "meta_path") || strings.Contains(c.Callee, "path_hooks")) {
			out = append(out, hook{f, c.Line, c.Callee + " changes how modules are found", c.AtImport})
		}
	}
	return out
}

// polyfill reports whether a place is one of those that well-known packages have:
// six puts its moved modules on the path, in every copy.
func polyfill(f *content.File, h hook) bool {
	if strings.HasSuffix(f.Path, "/six.py") && strings.HasPrefix(h.what, "sys.meta_path.append") {
		return !slices.ContainsFunc(f.Code.Calls, func(c codeflow.Call) bool {
			return c.Kind == codeflow.CallProcess || c.Kind == codeflow.CallHTTP || c.Kind == codeflow.CallSocket || c.Decoded
		})
	}
	return false
}

// network reports whether a patched path is of a module that others use to talk
// to the outside.
func network(target string) bool {
	for _, m := range []string{"http", "https", "urllib", "urllib3", "requests", "socket", "ssl", "net", "tls", "botocore", "boto3", "undici", "events.prototype.emit", "fetch", "global.fetch", "globalThis.fetch", "builtins.__import__", "builtins.open", "builtins.exec", "require"} {
		if target == m || strings.HasPrefix(target, m+".") {
			return true
		}
	}
	return false
}
