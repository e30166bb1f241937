package lamina_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lamina-sec/lamina"

// may is the package graph: what each package may import of this module.
// "." is the root package, which holds the nouns. Every package must appear.
// Later lines may name earlier ones only, so the graph cannot grow a cycle and
// the table reads top to bottom like the data: nouns, languages, models,
// engines, catalogue, edges, shells.
var may = []struct{ pkg, imports string }{
	// nouns
	{".", ""},
	{"ecs", ""},
	{"internal/safe", ""},
	// languages
	{"query", "ecs"},
	{"kql", "ecs query"},
	{"eql", "ecs query"},
	{"esql", "ecs query"},
	{"iam", "."},
	{"rule", "ecs query kql eql esql"},
	// models: bytes in memory, indexed
	{"internal/layerfs", "."},
	{"internal/estate", ". iam"},
	{"internal/access", ". iam internal/estate"},
	{"internal/snapshot", "."},
	{"internal/zipstore", ""},
	{"internal/iac", "."},
	{"internal/metricfilter", ""},
	{"internal/eventpattern", "internal/metricfilter"},
	{"internal/sealed", ""},
	{"internal/vulndb", ". internal/sealed"},
	{"internal/tomlfile", "query"},
	{"internal/publishers", ". internal/tomlfile"},
	{"internal/exception", ". internal/tomlfile"},
	{"internal/framework", "."},
	{"internal/owners", ". internal/estate internal/exception internal/tomlfile"},
	{"internal/approval", ". internal/tomlfile internal/exception"},
	{"internal/codeflow", ""},
	{"internal/pysyntax", "internal/codeflow"},
	{"internal/jssyntax", "internal/codeflow"},
	{"internal/shsyntax", "internal/codeflow"},
	{"internal/bininfo", ""},
	{"internal/runtimes", ""},
	{"internal/opt", ". internal/layerfs internal/runtimes"},
	{"internal/sbom", ". internal/layerfs internal/bininfo"},
	{"internal/artefact", "internal/layerfs internal/opt internal/sbom internal/sealed"},
	{"internal/secret", "."},
	{"internal/source", ""},
	{"internal/cloudtrail", "ecs"},
	{"internal/history", ". ecs"},
	{"internal/enrich", ". ecs internal/estate internal/publishers internal/history"},
	// the only two packages that may link the AWS SDK
	{"internal/awsread", ". iam"},
	{"internal/awswrite", "."},
	// engines
	{"internal/detect", ". ecs query rule"},
	{"internal/ingest", ". ecs internal/source internal/cloudtrail internal/detect"},
	{"internal/posture", ". iam internal/approval internal/estate internal/access internal/publishers internal/history"},
	{"internal/content", ". internal/layerfs internal/opt internal/runtimes internal/sbom internal/artefact internal/secret internal/vulndb internal/codeflow internal/pysyntax internal/jssyntax internal/shsyntax internal/bininfo"},
	{"internal/triage", ". ecs internal/estate"},
	{"internal/exposure", ". iam internal/estate"},
	{"internal/remedy", ". internal/estate"},
	{"internal/respond", ". internal/awswrite"},
	{"internal/validate", ". internal/detect internal/awswrite"},
	{"internal/gate", ". internal/content internal/runtimes internal/sbom internal/tomlfile internal/exception internal/approval internal/awswrite"},
	{"internal/sensor", ""},
	// catalogue: one file an item; engines never import it
	{"rules", "rule"},
	{"checks", ". iam internal/posture internal/estate internal/access internal/publishers internal/history internal/metricfilter internal/eventpattern"},
	{"analyzers", ". internal/content internal/layerfs internal/opt internal/runtimes internal/sbom internal/artefact internal/secret internal/vulndb internal/codeflow internal/pysyntax internal/jssyntax internal/shsyntax internal/bininfo"},
	{"questions", ". ecs internal/triage internal/estate"},
	{"fixes", ". internal/remedy internal/estate"},
	{"attacks", ". internal/validate"},
	// edges
	{"internal/sandbox", ". internal/content"},
	{"internal/collect", ". internal/awsread"},
	{"internal/report", ". internal/safe internal/sbom"},
	{"internal/notify", "."},
	{"internal/store", "."},
	{"internal/store/storetest", ". internal/store"},
	{"internal/store/sqlite", ". internal/store"},
	{"internal/store/postgres", ". internal/store"},
	{"internal/awsfake", "."},
	{"internal/sample", ". internal/awsfake"},
	{"internal/sample/corpus", ""},
	{"internal/sample/layers", ""},
	// shells
	{"internal/serve", "*"},
	{"internal/cli", "*"},
	{"cmd/lamina", "internal/sandbox internal/cli"},
	// what make runs
	{"internal/tools/testsum", ""},
	{"internal/tools/newitem", "rule"},
	{"internal/tools/besidezcat", "internal/sample/corpus"},
	{"internal/tools/fetchlayers", ""},
	{"internal/tools/scalibroracle", ""},
	{"cmd/lamina-sensor", "internal/sensor"},
}

// sdk names the third-party imports that only some packages may use.
var sdk = []struct{ prefix, only string }{
	{"github.com/aws/aws-sdk-go-v2", "internal/awsread internal/awswrite internal/source/s3 internal/source/sqs internal/notify"},
	{"github.com/aws/smithy-go", "internal/awsread"},
	{"github.com/hashicorp/hcl", "internal/iac"},
	{"github.com/zclconf/go-cty", "internal/iac"},
	{"modernc.org/sqlite", "internal/store/sqlite"},
	{"github.com/jackc/pgx", "internal/store/postgres"},
	{"net/http", "internal/awsread internal/awswrite internal/awsfake internal/serve internal/notify internal/vulndb internal/sensor"},
	{"os/exec", "internal/gate internal/sandbox internal/tools/besidezcat internal/tools/fetchlayers internal/tools/scalibroracle"},
	{"unsafe", "ecs internal/cloudtrail internal/sandbox"},
}

// stdOnly are the packages that import nothing outside the standard library and
// this module: what others may take, and what must stay small.
var stdOnly = ". ecs query kql eql esql iam internal/safe internal/sensor"

// writers are the packages from which AWS can be changed. A package outside
// this set that reaches awswrite, however indirectly, fails the test: that the
// collector cannot write is a property of the linked program.
var writers = "internal/awswrite internal/respond internal/validate internal/gate attacks internal/serve internal/cli cmd/lamina"

func TestArchitecture(t *testing.T) {
	graph := map[string][]string{}
	documented := map[string]bool{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d.Name() == "testdata" {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(p))
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		documented[dir] = documented[dir] || f.Doc != nil
		for _, s := range f.Imports {
			ip := strings.Trim(s.Path.Value, `"`)
			for _, x := range sdk {
				if (ip == x.prefix || strings.HasPrefix(ip, x.prefix+"/")) && !slices.Contains(strings.Fields(x.only), dir) {
					t.Errorf("%s: imports %s; only %s may", fset.Position(s.Pos()), ip, x.only)
				}
			}
			if first, _, _ := strings.Cut(ip, "/"); strings.Contains(first, ".") && ip != module && !strings.HasPrefix(ip, module+"/") &&
				slices.Contains(strings.Fields(stdOnly), dir) {
				t.Errorf("%s: imports %s; %s imports the standard library only", fset.Position(s.Pos()), ip, dir)
			}
			if ip == module {
				ip += "/."
			}
			if rest, ok := strings.CutPrefix(ip, module+"/"); ok && !slices.Contains(graph[dir], rest) {
				graph[dir] = append(graph[dir], rest)
			}
		}
		if graph[dir] == nil {
			graph[dir] = []string{}
		}
		for _, decl := range f.Decls {
			if fd, ok := decl.(*ast.FuncDecl); ok && fd.Recv == nil && fd.Name.Name == "init" {
				t.Errorf("%s: init functions hide work; call it from the command", fset.Position(fd.Pos()))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rank := map[string]int{}
	for i, r := range may {
		rank[r.pkg] = i
	}
	edges := 0
	for pkg, imports := range graph {
		i, ok := rank[pkg]
		if !ok {
			t.Errorf("package %s is not in the graph: add it to may in arch_test.go and to ARCHITECTURE.md", pkg)
			continue
		}
		if !documented[pkg] {
			t.Errorf("package %s has no package comment", pkg)
		}
		switch path.Base(pkg) {
		case "util", "utils", "common", "helpers", "misc", "shared", "types", "base":
			t.Errorf("package %s: name it after what it owns", pkg)
		}
		allowed := strings.Fields(may[i].imports)
		for _, im := range imports {
			edges++
			if j, ok := rank[im]; ok && j >= i {
				t.Errorf("%s imports %s, which is above it", pkg, im)
			}
			if may[i].imports != "*" && !slices.Contains(allowed, im) {
				t.Errorf("%s imports %s; it may import only [%s]", pkg, im, may[i].imports)
			}
		}
		if reaches(graph, pkg, "internal/awswrite") && !slices.Contains(strings.Fields(writers), pkg) {
			t.Errorf("%s reaches internal/awswrite but is not in writers", pkg)
		}
	}
	depth := 0
	for p := range graph {
		depth = max(depth, longest(graph, p))
	}
	per := float64(edges) / float64(len(graph))
	t.Logf("%d packages, %.1f imports a package, %d deep", len(graph), per, depth)
	if per > 3.5 || depth > 9 {
		t.Errorf("budget: at most 3.5 imports a package and 9 deep; got %.1f and %d", per, depth)
	}
}

func reaches(g map[string][]string, from, to string) bool {
	return from == to || slices.ContainsFunc(g[from], func(n string) bool { return reaches(g, n, to) })
}

func longest(g map[string][]string, p string) int {
	n := 0
	for _, c := range g[p] {
		n = max(n, longest(g, c))
	}
	return n + 1
}
