package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata returns the directory of other people's test data, which is not part
// of this module.
func testdata(tb testing.TB, sub string) string {
	tb.Helper()
	root := os.Getenv("LAMINA_TESTDATA")
	if root == "" {
		tb.Skip("LAMINA_TESTDATA is not set: it names the directory with " + sub)
	}
	dir := filepath.Join(root, sub)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		tb.Skip("there is no " + dir)
	}
	return dir
}

// notCompared are fields that depend on what is not in a record: databases, a
// version of a table of expressions, the collector's clock and settings.
var notCompared = []string{
	"source.geo", "source.as", "user_agent.version", "user_agent.device", "user_agent.os", "event.created", "tags",
}

// addedSince are fields that older versions of the package did not fill, so a
// document may lack them, and constants that the index adds.
var addedSince = []string{
	"cloud.provider", "cloud.service.name", "related", "actor", "target", "entity", "host", "service.entity", "service.target",
	"user.entity", "user.target.entity", "aws.cloudtrail.user_identity.session_context.creation_date",
	"data_stream", "event.dataset", "event.module", "event.ingested",
}

// replaced are the values of older packages that the mapping of Categorization
// gives otherwise.
var replaced = []struct{ document, field, reason string }{
	{"put-bucket-replication", "user.name", "a name was split at the @; now it is whole"},
	{"put-bucket-replication", "user.domain", "the part after the @; not filled any more"},
	{"put-bucket-replication", "related.user", "held the part before the @ and not the id"},
	{"get-password-data", "host.id", "became host.target.id"},
	{"tls-details", "related.entity", "came from before ids were chosen per service: no access key, no request parameters"},
	{"tls-details", "related.user", "did not hold the id"},
	{"console-login-1", "related.user", "did not hold the id"},
	{"console-login-2", "related.user", "did not hold the id"},
	{"update-lambda", "@timestamp", "the record has no eventTime; the document has the collector's clock"},
}

// flatten lists the leaves of a document by dotted name; lists are leaves.
func flatten(prefix string, v any, out map[string]any) {
	if m, ok := v.(map[string]any); ok && !strings.HasPrefix(prefix, "aws.cloudtrail.flattened.") {
		for k, v := range m {
			name := k
			if prefix != "" {
				name = prefix + "." + k
			}
			flatten(name, v, out)
		}
		return
	}
	out[prefix] = v
}

func under(name string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return name == r || strings.HasPrefix(name, r+".") })
}

// asSet sorts lists whose order Elastic's version decided.
func asSet(name string, v any) any {
	l, ok := v.([]any)
	if !ok || !strings.HasPrefix(name, "related.") {
		return v
	}
	l = slices.Clone(l)
	slices.SortFunc(l, func(a, b any) int {
		x, _ := a.(string)
		y, _ := b.(string)
		return strings.Compare(x, y)
	})
	return l
}

func decodeNumbers(tb testing.TB, b []byte, v any) {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		tb.Fatal(err)
	}
}

func TestDocument_reproduces_Elastic_documents(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testdata(t, "cloudtrail-ecs"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	documents := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == "ecs_categorization" {
			continue
		}
		documents++
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var pair struct {
			Raw      json.RawMessage `json:"input_raw"`
			Expected map[string]any  `json:"expected"`
		}
		decodeNumbers(t, b, &pair)
		raw := []byte(pair.Raw)
		if raw[0] == '"' {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			raw = []byte(s)
		}
		var e Event
		if err := e.Reset(raw); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, got := map[string]any{}, map[string]any{}
		flatten("", pair.Expected, want)
		flatten("", any(e.Document()), got)
		isReplaced := func(field string) bool {
			for _, r := range replaced {
				if r.document == name && r.field == field {
					used[name+" "+field] = true
					return true
				}
			}
			return false
		}
		compared := 0
		for field, w := range want {
			if under(field, notCompared) || isReplaced(field) {
				continue
			}
			compared++
			if d := cmp.Diff(asSet(field, w), asSet(field, got[field])); d != "" {
				t.Errorf("%s: %s differs (-Elastic +ours):\n%s", name, field, d)
			}
		}
		for field, g := range got {
			if _, ok := want[field]; !ok && !under(field, notCompared) && !under(field, addedSince) && !isReplaced(field) {
				t.Errorf("%s: %s = %v, which Elastic does not have", name, field, g)
			}
		}
		t.Logf("%s: %d fields equal", name, compared)
	}
	if documents != 13 {
		t.Errorf("%d documents, want 13", documents)
	}
	for _, r := range replaced {
		if !used[r.document+" "+r.field] {
			t.Errorf("%s: %s is listed as replaced but was never met", r.document, r.field)
		}
	}
}
