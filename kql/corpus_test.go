package kql_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// testdata is a file of the data that is not in this repository.
func testdata(t *testing.T, elem ...string) string {
	t.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		t.Skip("needs LAMINA_TESTDATA, the folder of test data by others")
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

// lines are the queries of a file: its lines without empty ones and comments.
func lines(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(testdata(t, "kql", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(b)) {
		if l = strings.TrimSuffix(l, "\n"); l != "" && !strings.HasPrefix(l, "//") {
			out = append(out, l)
		}
	}
	return out
}

// Kibana's grammar rejects five of the lines that Elasticsearch's own parser
// accepts, and all that it rejects.
func TestParse_accepts_and_rejects_what_Kibana_does(t *testing.T) {
	accepted, rejected := 0, 0
	for _, src := range lines(t, "es-kql-supported-queries.txt") {
		_, err := kql.Parse(src)
		want := !strings.Contains(src, "NOT(") && !strings.Contains(src, `\\not`)
		if got := err == nil; got != want {
			t.Errorf("Parse(%q) = %v", src, err)
		}
		if want {
			accepted++
		} else {
			rejected++
			checkPosition(t, src, err)
		}
	}
	if accepted != 87 || rejected != 5 {
		t.Errorf("of the supported queries %d are accepted and %d rejected; want 87 and 5", accepted, rejected)
	}
	rejected = 0
	for _, src := range lines(t, "es-kql-unsupported-queries.txt") {
		_, err := kql.Parse(src)
		if err == nil {
			t.Errorf("Parse(%q) succeeded", src)
			continue
		}
		rejected++
		checkPosition(t, src, err)
	}
	if rejected != 22 {
		t.Errorf("%d unsupported queries are rejected; want 22", rejected)
	}
}

func checkPosition(t *testing.T, src string, err error) {
	t.Helper()
	e, ok := errors.AsType[*query.Error](err)
	if !ok {
		t.Errorf("Parse(%q) = %v, which has no position", src, err)
		return
	}
	if e.Pos.Line != 1 || e.Pos.Col != e.Pos.Offset+1 || e.Pos.Offset > len(src) {
		t.Errorf("Parse(%q): position %+v", src, e.Pos)
	}
	if e.Hint == "" {
		t.Errorf("Parse(%q) = %v, without a hint", src, err)
	}
}

func TestElastic_rules_compile(t *testing.T) {
	files, err := filepath.Glob(testdata(t, "elastic-aws-rules", "*.toml"))
	if err != nil {
		t.Fatal(err)
	}
	kuery := regexp.MustCompile(`(?m)^language = "kuery"`)
	quoted := regexp.MustCompile(`(?ms)^query = '''\n?(.*?)'''`)
	n := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := quoted.FindSubmatch(b)
		if !kuery.Match(b) || m == nil {
			continue
		}
		n++
		src := string(m[1])
		q, err := kql.Parse(src)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		roundTrip(t, q)
		for _, quirks := range []bool{false, true} {
			p, err := kql.Compile(q, kql.Options{Quirks: quirks})
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
			for _, f := range p.Fields(nil) {
				if f.Type == ecs.Unmapped {
					t.Logf("%s reads %s, which is not mapped", filepath.Base(file), f.Name)
				}
			}
		}
	}
	if n != 79 {
		t.Errorf("%d kuery rules; want 79", n)
	}
}

// The five KQL queries of geneve are those that parse here and are not EQL.
func TestGeneve_documents_match(t *testing.T) {
	b, err := os.ReadFile(testdata(t, "geneve", "documents_from_queries.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Query     string
		Documents [][]map[string]any
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) *ecs.Field {
		if name == "destination.ip" || name == "host.ip" {
			return &ecs.Field{Name: name, Type: ecs.IP, ID: -1}
		}
		if f := ecs.Lookup(name); f.Type != ecs.Unmapped {
			return f
		}
		return &ecs.Field{Name: name, Type: ecs.Keyword, IgnoreAbove: 1024, ID: -1}
	}
	n := 0
	for _, c := range cases {
		if strings.Contains(c.Query, " where ") || strings.Contains(c.Query, "_cardinality") {
			continue
		}
		q, err := kql.Parse(c.Query)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.Query, err)
			continue
		}
		n++
		p, err := kql.Compile(q, kql.Options{Lookup: lookup})
		if err != nil {
			t.Fatalf("Compile(%q): %v", c.Query, err)
		}
		for _, branch := range c.Documents {
			for _, doc := range branch {
				if ev := ecs.NewDoc(doc, lookup); !p.Match(ev) {
					t.Errorf("%s\ndoes not match %s", c.Query, ev.Raw())
				}
			}
		}
	}
	if n != 5 {
		t.Errorf("%d queries are KQL; want 5", n)
	}
}
