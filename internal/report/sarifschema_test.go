package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
)

// What sarif writes satisfies the schema that OASIS publishes. The schema is not
// kept here: LAMINA_SARIF_SCHEMA names a file of it.
func TestSARIF_schema(t *testing.T) {
	name := os.Getenv("LAMINA_SARIF_SCHEMA")
	if name == "" {
		t.Skip("LAMINA_SARIF_SCHEMA is not set: it names a file of the OASIS schema of SARIF 2.1.0")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
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
	for name, messages := range map[string][]lamina.Message{
		"mixed": golden(t), "gate": gated(), "nothing": {{Version: &lamina.Version{}}}, "hostile": hostile("a\x1b\"<\u202e%\n:\\"),
	} {
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
