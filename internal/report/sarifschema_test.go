package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
)

// schemaFile is the schema of SARIF 2.1.0, which is not kept here: the file that
// LAMINA_SARIF_SCHEMA names, or the one that make fetch-layers left among the
// layers. Without one the test is skipped.
func schemaFile(t *testing.T) []byte {
	t.Helper()
	name := os.Getenv("LAMINA_SARIF_SCHEMA")
	layers := os.Getenv("LAMINA_LAYERS")
	if name == "" && layers != "" {
		name = filepath.Join(layers, "sarif-schema-2.1.0.json")
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			name = ""
		}
	}
	if name == "" {
		t.Skip("there is no schema: make fetch-layers brings it into LAMINA_LAYERS, or LAMINA_SARIF_SCHEMA names a file of it")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// scanned is the stream of a scan: what was read, what could not be, and findings
// of every outcome.
func scanned(complete bool) []lamina.Message {
	m := []lamina.Message{
		{Version: &lamina.Version{Messages: 1, Lamina: "1", Command: "scan"}},
		{Content: &lamina.Content{Resource: "a.zip", Kind: "layer zip", SHA256: strings.Repeat("ab", 32), Size: 1, Files: 2, Read: 1}},
		{Package: &lamina.Package{Resource: "a.zip", PURL: "pkg:pypi/a@1", Ecosystem: "PyPI", Name: "a", Version: "1", Files: []string{"python/a"}}},
	}
	sum := lamina.Summary{Command: "scan", Complete: complete, Coverage: "1/2 files", Counts: map[string]int64{"files": 1}}
	if !complete {
		m = append(m, lamina.Message{Skipped: &lamina.Skipped{File: "a.zip!/b", Offset: -1, Reason: "it is encrypted"}})
		sum.Incomplete = []string{"a.zip!/b: it is encrypted"}
	}
	for i, o := range []lamina.Outcome{lamina.Fail, lamina.Pass, lamina.NotApplicable, lamina.Unknown} {
		m = append(m, lamina.Message{Finding: &lamina.Finding{
			ID: fmt.Sprintf("F-%d", i), Check: "pth-code", Title: "t", Severity: lamina.Low, Outcome: o, Resource: "a.zip", File: "python/ü #%?.pth", Line: i,
			Detail: "d", Reason: "r", Settle: "s", Evidence: []string{"e: 1"},
		}})
	}
	return append(m, lamina.Message{Summary: &sum})
}

// What sarif writes satisfies the schema that OASIS publishes.
func TestSARIF_schema(t *testing.T) {
	data := schemaFile(t)
	var schema any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	check := func(doc string) []string {
		var v any
		if err := json.Unmarshal([]byte(doc), &v); err != nil {
			return []string{err.Error()}
		}
		s := schemaCheck{root: schema, known: schemaWords}
		s.check(schema, v, "")
		return s.problems
	}
	streams := map[string][]lamina.Message{
		"mixed": golden(t), "gate": gated(), "scan": scanned(true), "incomplete scan": scanned(false), "nothing": {{Version: &lamina.Version{}}},
		"empty": {{Version: &lamina.Version{Command: "detect"}}, {Summary: &lamina.Summary{Command: "detect", Complete: true}}},
	}
	for _, evil := range []string{"a\x1b\"<\u202e%\n:\\", "", "\xff\xfe", "//host/a b", "C:\\a", "file:///etc/passwd", "%zz", "#", strings.Repeat("ä/", 3000)} {
		streams[fmt.Sprintf("hostile %.20q", evil)] = hostile(evil)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		streams[name] = parseMessages(t, section(ar, "messages"))
	}
	for name, messages := range streams {
		for _, p := range check(render(t, "sarif", Options{}, messages)) {
			t.Errorf("%s: %s", name, p)
		}
	}
	// The check itself sees what is wrong.
	for _, wrong := range []string{
		`{}`, `{"version":"2.0.0","runs":[]}`, `{"version":"2.1.0","runs":[{}]}`, `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"more":1}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"t"},"level":"bad"}]}]}`,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{}}]}]}`,
	} {
		if check(wrong) == nil {
			t.Errorf("%s satisfies the schema", wrong)
		}
	}
}

// schemaWords are the words of JSON Schema that schemaCheck judges, or that judge
// nothing; another one in a schema is a problem, so that none is passed over.
var schemaWords = strings.Fields(`$ref type enum properties required additionalProperties items minItems maxItems uniqueItems minimum maximum
	minLength pattern anyOf oneOf allOf not format description title default $schema $id id definitions $comment`)

// A schemaCheck holds a document against a JSON Schema, draft 4 to 7, as far as
// the schema of SARIF uses it.
type schemaCheck struct {
	root     any
	known    []string
	problems []string
}

func (c *schemaCheck) fail(at, format string, args ...any) {
	c.problems = append(c.problems, at+": "+fmt.Sprintf(format, args...))
}

// fits reports whether v satisfies the schema, without noting why not.
func (c *schemaCheck) fits(schema, v any) bool {
	probe := schemaCheck{root: c.root, known: c.known}
	probe.check(schema, v, "")
	return len(probe.problems) == 0
}

func (c *schemaCheck) check(schema, v any, at string) {
	s, ok := schema.(map[string]any)
	if !ok {
		if schema == false {
			c.fail(at, "nothing may be here")
		}
		return
	}
	for word := range s {
		if !slices.Contains(c.known, word) {
			c.fail(at, "the schema has %q, which this test does not know", word)
		}
	}
	if ref, ok := s["$ref"].(string); ok {
		to := c.root
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			m, _ := to.(map[string]any)
			to = m[part]
		}
		if to == nil {
			c.fail(at, "the schema's %s leads nowhere", ref)
		}
		c.check(to, v, at)
		return
	}
	if want := s["type"]; want != nil && !isType(want, v) {
		c.fail(at, "%v is no %v", v, want)
		return
	}
	if enum, ok := s["enum"].([]any); ok && !slices.ContainsFunc(enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		c.fail(at, "%v is none of %v", v, enum)
	}
	switch v := v.(type) {
	case map[string]any:
		c.object(s, v, at)
	case []any:
		c.array(s, v, at)
	case string:
		if n, ok := s["minLength"].(float64); ok && float64(len([]rune(v))) < n {
			c.fail(at, "%q is too short", v)
		}
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			c.fail(at, "%q is not %s", v, p)
		}
	case float64:
		if n, ok := s["minimum"].(float64); ok && v < n {
			c.fail(at, "%v is below %v", v, n)
		}
		if n, ok := s["maximum"].(float64); ok && v > n {
			c.fail(at, "%v is above %v", v, n)
		}
	}
	c.combined(s, v, at)
}

func (c *schemaCheck) combined(s map[string]any, v any, at string) {
	count := func(list any) (fit, all int) {
		subs, _ := list.([]any)
		for _, sub := range subs {
			if c.fits(sub, v) {
				fit++
			}
		}
		return fit, len(subs)
	}
	if fit, all := count(s["anyOf"]); all > 0 && fit == 0 {
		c.fail(at, "it is none of anyOf: %v", s["anyOf"])
	}
	if fit, all := count(s["oneOf"]); all > 0 && fit != 1 {
		c.fail(at, "it is %d of oneOf", fit)
	}
	if fit, all := count(s["allOf"]); fit != all {
		c.fail(at, "it is not all of allOf")
	}
	if not, ok := s["not"]; ok && c.fits(not, v) {
		c.fail(at, "it is what it may not be")
	}
}

func (c *schemaCheck) object(s, v map[string]any, at string) {
	required, _ := s["required"].([]any)
	for _, r := range required {
		if name, ok := r.(string); ok && v[name] == nil {
			c.fail(at, "%s is missing", name)
		}
	}
	props, _ := s["properties"].(map[string]any)
	for name, value := range v {
		if sub, ok := props[name]; ok {
			c.check(sub, value, at+"/"+name)
			continue
		}
		if more, ok := s["additionalProperties"]; ok {
			if more == false {
				c.fail(at, "%s may not be here", name)
				continue
			}
			c.check(more, value, at+"/"+name)
		}
	}
}

func (c *schemaCheck) array(s map[string]any, v []any, at string) {
	if n, ok := s["minItems"].(float64); ok && float64(len(v)) < n {
		c.fail(at, "%d items, want %v", len(v), n)
	}
	if s["uniqueItems"] == true {
		for i := range v {
			for j := range i {
				if reflect.DeepEqual(v[i], v[j]) {
					c.fail(at, "items %d and %d are the same", j, i)
				}
			}
		}
	}
	for i, item := range v {
		if sub, ok := s["items"]; ok {
			c.check(sub, item, fmt.Sprintf("%s/%d", at, i))
		}
	}
}

func isType(want, v any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return isType(w, v) })
	}
	switch v := v.(type) {
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && v == math.Trunc(v)
	}
	return want == "null"
}
