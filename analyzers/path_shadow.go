package analyzers

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// PathShadow finds: layer comes before the system on a search path.
var PathShadow = content.Analyzer{
	ID:          "path-shadow",
	Title:       "layer comes before the system on a search path",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.007"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	Remediation: "put /opt behind the folders of the system, where it is by default",
	NoFix:       "a published layer version cannot be changed",
	Run:         pathShadow,
}

func pathShadow(s *content.Scan, layer int, found func(content.Result)) error {
	for key, dir := range map[string]string{"PATH": "bin", "LD_LIBRARY_PATH": "lib"} {
		value, _ := s.View().Set(key)
		before := ahead(value)
		if before == "" {
			continue
		}
		var names []string
		for _, f := range s.Layers[layer].Files {
			if rest, ok := strings.CutPrefix("/opt/"+f.Path, before+"/"); ok && !f.Nested && !f.Hidden && !strings.Contains(rest, "/") {
				names = append(names, rest)
			}
		}
		if len(names) > 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: dir, Key: key, Detail: fmt.Sprintf("%s puts %s first: %s", key, before, strings.Join(names[:min(len(names), 5)], ", ")),
				Evidence: []string{"variable: " + key, "folder: " + before},
			})
		}
	}
	return nil
}

// ahead is the first folder below /opt that stands before a folder of the system
// in a search path, "" if there is none.
func ahead(path string) string {
	first := ""
	for dir := range strings.SplitSeq(path, ":") {
		switch {
		case strings.HasPrefix(dir, "/opt/") && first == "":
			first = strings.TrimRight(dir, "/")
		case strings.HasPrefix(dir, "/usr") || strings.HasPrefix(dir, "/bin") || strings.HasPrefix(dir, "/lib") || strings.HasPrefix(dir, "/var/lang"):
			return first
		}
	}
	return ""
}
