package analyzers

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// PrivateCode finds: source code of no public package.
var PrivateCode = content.Analyzer{
	ID:          "private-code",
	Title:       "layer holds code that is in no known package",
	Since:       "0.2",
	Severity:    lamina.Info,
	Techniques:  []string{"T1213"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html",
	Remediation: "share the layer with those only who may read this code",
	NoFix:       "whether code may be read by others is its owner's decision",
	Run:         privateCode,
}

// codeSum is the code of one folder.
type codeSum struct {
	files, compiled int
	bytes           int64
	first           string
	kinds           map[content.Kind]int
}

func privateCode(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	sums := map[string]*codeSum{}
	for _, f := range l.Files {
		source := false
		switch f.Kind {
		case content.Python, content.JavaScript, content.Shell, content.Script, content.Ruby, content.PthFile:
			source = true
		case content.Class, content.Pyc, content.ELF:
		case content.Other, content.Foreign, content.Archive, content.JSON, content.Text, content.Link:
			continue
		}
		if f.Nested || f.Hidden || f.Size == 0 {
			continue
		}
		if c, _ := l.Owner(f.Path); c != nil && c.How != sbom.Own {
			continue
		}
		if f.Binary != nil && f.Components != nil {
			continue // it says which public packages it was built of
		}
		top := topFolder(l, f.Path)
		sum := sums[top]
		if sum == nil {
			sum = &codeSum{first: f.Path, kinds: map[content.Kind]int{}}
			sums[top] = sum
		}
		sum.kinds[f.Kind]++
		if source {
			sum.files++
			sum.bytes += f.Size
		} else {
			sum.compiled++
		}
	}
	for _, top := range slices.Sorted(maps.Keys(sums)) {
		sum := sums[top]
		r := content.Result{
			Outcome: lamina.Fail, File: sum.first, Key: top,
			Detail: fmt.Sprintf("%s holds %s (%s) and %s of no known package", top, content.Count(sum.files, "source file"), content.Bytes(sum.bytes), content.Count(sum.compiled, "compiled file")),
		}
		for _, k := range slices.Sorted(maps.Keys(sum.kinds)) {
			r.Evidence = append(r.Evidence, fmt.Sprintf("%s files: %d", k, sum.kinds[k]))
		}
		if sum.files > 0 {
			r.Severity = lamina.Low
		}
		found(r)
	}
	return nil
}

// topFolder is the folder that people would name a file's code by: of Python the
// top-level package, of Node's the package, else the first two folders.
func topFolder(l *content.Layer, name string) string {
	if l.Site(name) != "" {
		return pythonTop(l, name)
	}
	if dir, _, ok := content.NodePackage(name); ok {
		return dir
	}
	parts := strings.Split(path.Dir(name), "/")
	return strings.Join(parts[:min(len(parts), 2)], "/")
}
