package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
)

// The JSON Schema of the json format is made from the nouns and kept beside the
// documents. `make docs` writes it again; a change that is not additive needs a
// new MessageVersion.
func TestDocsSchema(t *testing.T) {
	name := filepath.Join("..", "..", "docs", fmt.Sprintf("messages.v%d.schema.json", lamina.MessageVersion))
	defs := map[string]any{}
	message := schemaOf(reflect.TypeFor[lamina.Message](), defs)
	doc := map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "what lamina -f json writes",
		"description": "messages: exactly one property each; the first is version, the last summary, a rule stands before its alerts",
		"type":        "object",
		"required":    []string{"version", "messages"},
		"properties": map[string]any{
			"version":  map[string]any{"const": lamina.MessageVersion},
			"messages": map[string]any{"type": "array", "items": message},
		},
		"$defs": defs,
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), string(got)); diff != "" {
		t.Errorf("%s is not what the nouns say; run make docs (-want +got):\n%s", name, diff)
	}
}

// schemaOf is the schema of a Go type as encoding/json writes it; structs become
// $defs.
func schemaOf(t reflect.Type, defs map[string]any) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[lamina.Severity]():
		return map[string]any{"enum": lamina.Severities}
	case t == reflect.TypeFor[lamina.Outcome]():
		return map[string]any{"enum": []lamina.Outcome{lamina.Fail, lamina.Pass, lamina.Unknown, lamina.NotApplicable}}
	}
	switch t.Kind() { //nolint:exhaustive // the nouns use these kinds; another fails below
	case reflect.Pointer:
		return schemaOf(t.Elem(), defs)
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), defs)}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem(), defs)}
	case reflect.Struct:
		ref := map[string]any{"$ref": "#/$defs/" + t.Name()}
		if _, ok := defs[t.Name()]; ok {
			return ref
		}
		def := map[string]any{"type": "object"}
		defs[t.Name()] = def // before its fields: a Step has an Undo
		props, required := map[string]any{}, []string{}
		for f := range t.Fields() {
			name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			props[name] = schemaOf(f.Type, defs)
			if !strings.Contains(opts, "omit") {
				required = append(required, name)
			}
		}
		def["properties"] = props
		if len(required) > 0 {
			def["required"] = required
		}
		if t == reflect.TypeFor[lamina.Message]() {
			def["minProperties"], def["maxProperties"] = 1, 1
		}
		return ref
	}
	panic("no schema for " + t.String())
}

// Results saved by each version of the stream stay readable: a file of a version
// is never changed and never removed while readers accept it.
func TestRead_saved_versions(t *testing.T) {
	for v := max(1, lamina.MessageVersion-2); v <= lamina.MessageVersion; v++ {
		f, err := os.Open(filepath.Join("testdata", fmt.Sprintf("saved.v%d.json", v)))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := Read(f, func(lamina.Message) error { n++; return nil }); err != nil || n < 10 {
			t.Errorf("version %d: %d messages, %v", v, n, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
