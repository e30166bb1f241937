package analyzers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// JavaClassShadow finds: two jars have a class of the same name.
var JavaClassShadow = content.Analyzer{
	ID:          "java-class-shadow",
	Title:       "two jars have a class of the same name",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/java-package.html",
	Remediation: "keep one of the two jars",
	NoFix:       "a published layer version cannot be changed",
	Run:         javaClassShadow,
}

func javaClassShadow(s *content.Scan, layer int, found func(content.Result)) error {
	type class struct {
		jar  string
		file *content.File
	}
	l := s.Layers[layer]
	first := map[string]class{}
	differ, same := map[string]int{}, map[string]int{}
	example := map[string]string{}
	services := map[string][]*content.File{}
	for _, f := range l.Files {
		if i := strings.Index(f.Path, "!/META-INF/services/java"); i >= 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Detail: "it offers itself as a part of Java: " + f.Path[strings.LastIndexByte(f.Path, '/')+1:],
				Evidence: []string{"file sha256: " + f.SHA256.String()},
			})
		}
		if i := strings.Index(f.Path, "!/META-INF/services/"); i >= 0 {
			service := f.Path[i+len("!/META-INF/services/"):]
			services[service] = append(services[service], f)
		}
		jar, name, ok := sbom.Class(f.Path)
		if !ok || name == "module-info" || strings.HasSuffix(name, "package-info") {
			continue
		}
		old, ok := first[name]
		if !ok {
			first[name] = class{jar, f}
			continue
		}
		if old.jar == jar {
			continue
		}
		pair := old.jar + " and " + jar
		example[pair] = name
		if old.file.SHA256 == f.SHA256 {
			same[pair]++
		} else {
			differ[pair]++
		}
	}
	// Several providers of a service are normal. Which is asked first, the names of
	// the jars decide.
	for _, name := range slices.Sorted(maps.Keys(services)) {
		all := services[name]
		if len(all) < 2 || strings.HasPrefix(name, "java") {
			continue
		}
		r := content.Result{
			Outcome: lamina.Fail, File: all[0].Path, Key: "service " + name, Severity: lamina.Low,
			Detail: fmt.Sprintf("%d jars offer themselves as %s: the first by name is asked first", len(all), name),
		}
		for _, f := range all[:min(len(all), 10)] {
			r.Evidence = append(r.Evidence, "jar: "+f.Path[:strings.Index(f.Path, "!/")])
		}
		found(r)
	}
	for _, pair := range slices.Sorted(maps.Keys(example)) {
		r := content.Result{
			Outcome: lamina.Fail, File: pair[:strings.Index(pair, " and ")], Key: pair, Severity: lamina.Medium,
			Detail:   fmt.Sprintf("%d classes differ between %s, among them %s: the first by name wins", differ[pair], pair, example[pair]),
			Evidence: []string{fmt.Sprintf("different: %d", differ[pair]), fmt.Sprintf("same: %d", same[pair])},
		}
		if differ[pair] == 0 {
			r.Severity, r.Detail = lamina.Low, fmt.Sprintf("%d classes are in both %s", same[pair], pair)
		}
		found(r)
	}
	return nil
}
