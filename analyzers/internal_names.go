package analyzers

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// InternalNames finds: file names things of one organisation.
var InternalNames = content.Analyzer{
	ID:          "internal-names",
	Title:       "file names things of one organisation",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1592"},
	Citation:    "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html",
	Remediation: "keep them in the environment or in a parameter store, not in what is shared",
	NoFix:       "a published layer version cannot be changed",
	Run:         internalNames,
}

func internalNames(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Code == nil || strings.Contains(f.Path, "node_modules/") || strings.Contains(f.Path, "site-packages/") || content.Test(f.Path) {
			continue
		}
		var names []string
		line := 0
		for _, x := range f.Code.Strings {
			if name := internalName(x); name != "" && !slices.Contains(names, name) {
				if names = append(names, name); line == 0 {
					line = x.Line
				}
			}
		}
		if len(names) > 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: line, Detail: "it names " + strings.Join(names[:min(len(names), 3)], ", "),
				Evidence: names[:min(len(names), 10)],
			})
		}
	}
	return nil
}

// internalName is what a constant tells of an organisation, "" if nothing.
func internalName(x codeflow.String) string {
	switch x.Kind {
	case codeflow.StringARN:
		if parts := strings.SplitN(x.Value, ":", 6); len(parts) == 6 && len(parts[4]) == 12 && strings.Trim(parts[4], "0123456789") == "" {
			return "account " + parts[4]
		}
	case codeflow.StringHost, codeflow.StringURL:
		host := x.Value
		if _, rest, ok := strings.Cut(host, "://"); ok {
			host = rest
		}
		host, _, _ = strings.Cut(host, "/")
		host, _, _ = strings.Cut(host, ":")
		for _, suffix := range []string{".internal", ".corp", ".local", ".lan", ".intra", ".intranet"} {
			if strings.HasSuffix(host, suffix) && !strings.HasSuffix(host, "compute.internal") && !strings.HasSuffix(host, "google.internal") {
				return "host " + host
			}
		}
	}
	return ""
}
