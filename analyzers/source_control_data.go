package analyzers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// SourceControlData finds: layer carries a repository.
var SourceControlData = content.Analyzer{
	ID:          "source-control-data",
	Title:       "layer carries a repository",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1213.003"},
	Citation:    "https://git-scm.com/docs/gitrepository-layout",
	Remediation: "build from a clean export, publish a new version, and delete this one; take what the history holds for known where it was shared",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         sourceControlData,
}

// repositories are the folders that version control keeps everything in.
var repositories = []struct{ dir, what string }{{".git/", "git"}, {".svn/", "Subversion"}, {".hg/", "Mercurial"}}

func sourceControlData(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	first := map[string]string{}
	count := map[string]int{}
	for _, f := range l.Files {
		for _, r := range repositories {
			if !strings.Contains(f.Path, r.dir) {
				continue
			}
			if at, _, ok := strings.Cut("/"+f.Path, "/"+r.dir); ok {
				root := strings.TrimPrefix(at+"/"+strings.TrimSuffix(r.dir, "/"), "/")
				if count[root]++; count[root] == 1 {
					first[root] = r.what
				}
			}
		}
	}
	for _, root := range slices.Sorted(maps.Keys(first)) {
		found(content.Result{
			Outcome: lamina.Fail, File: root, Detail: fmt.Sprintf("a %s repository of %d files, with its history", first[root], count[root]),
			Evidence: []string{"folder: " + root, fmt.Sprintf("files: %d", count[root])},
		})
	}
	return nil
}
