package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
)

// depthOf is how deep valid JSON nests.
func depthOf(raw []byte) int {
	d := json.NewDecoder(bytes.NewReader(raw))
	deep, most := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return most
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			deep++
			most = max(most, deep)
		case json.Delim('}'), json.Delim(']'):
			deep--
		}
	}
}

// leafTexts lists the scalars of a document as text.
func leafTexts(v any) []string {
	switch v := v.(type) {
	case map[string]any:
		var out []string
		for _, e := range v {
			out = append(out, leafTexts(e)...)
		}
		return out
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, leafTexts(e)...)
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}

// checkDocument holds Values to Document: each field's values are the leaves of
// the document under its name.
func checkDocument(t *testing.T, e *Event) {
	t.Helper()
	doc := e.Document()
	if _, err := json.Marshal(doc); err != nil {
		t.Errorf("the document is no JSON: %v", err)
	}
	for f := range ecs.All() {
		if f.Type == ecs.Object || f.Type == ecs.GeoPoint || f.Twin() != nil || strings.HasPrefix(f.Name, resourcesField) {
			continue
		}
		var at any = doc
		for p := range strings.SplitSeq(f.Name, ".") {
			m, _ := at.(map[string]any)
			at = m[p]
		}
		var got []string
		if at != nil {
			got = leafTexts(at)
		}
		want := slices.Clone(e.Values(f))
		slices.Sort(got)
		slices.Sort(want)
		if f.Type == ecs.Flattened {
			want, got = slices.Compact(want), slices.Compact(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: document %q, values %q", f.Name, got, want)
		}
		if e.Exists(f) != (len(want) > 0) {
			t.Errorf("Exists(%s) = %v with values %q", f.Name, e.Exists(f), want)
		}
	}
}

func FuzzEvent(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"eventName":"A","eventName":"B"}`, `{"a":[{"b":[]}]}`, `{"eventSource":"s3.amazonaws.com","resources":[{"ARN":"x"},{"ARN":"x"},3]}`,
		`{"eventName":"CreateUser","eventSource":"iam.amazonaws.com","requestParameters":{"userName":5}}`,
		`{"eventN\u0061me":"x","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/a@b","sessionContext":{"sessionIssuer":{"userName":"r"}}}}`,
		`{"requestParameters":{"a":1.5e300,"b":-0,"c":1e400,"d":[1,[2,{"e":null}]],"f":"\ud83d\ude00\ud83d","g.h":1,"g":{"h":2}}}`,
		`{"requestParameters":{"AaAa":1,"BBBB":2,"AaBB":3,"BBAa":4,"AaAa":5}}`,
		`{"eventTime":"2024-01-01T00:00:00Z","digestEndTime":"2024-02-30T00:00:00Z","logFiles":[{"s3Object":"k"}],"previousDigestHashValue":"ab"}`,
		`{"eventName":"none","eventSource":"-","errorCode":"","userIdentity":{"arn":"-","type":"none"},"requestParameters":{"a":"-","b":{"c":["none",{}]}},"resources":"-"}`,
		`{"tlsDetails":{"tlsVersion":"TLSv1.2"},"sourceIPAddress":"2001:db8::1","userAgent":"[aws-cli/2.0.1 x]"}`,
		`{"eventName":"SendCommand","eventSource":"ssm.amazonaws.com","requestParameters":{"targets":[{"values":["*"]}]},"recipientAccountId":"111122223333"}`,
		`{"eventName":"UserAuthentication","additionalEventData":{"UserName":"u","x":"y"}}`,
		"{\"x\":\"\xff\xfe\"}", "{\"x\":\"a\nb\"}", `[]`, `nul`, "", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65),
	} {
		f.Add([]byte(s))
	}
	for _, r := range generatedRecords(2) {
		f.Add(r)
	}
	var e Event
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := e.Reset(raw)
		trimmed := bytes.TrimLeft(raw, " \t\r\n")
		valid := json.Valid(raw) && len(trimmed) > 0 && trimmed[0] == '{' && depthOf(raw) <= maxDepth
		if (err == nil) != valid {
			t.Fatalf("Reset = %v, valid = %v", err, valid)
		}
		if err != nil {
			for f := range ecs.All() {
				if e.Exists(f) {
					t.Fatalf("%s exists in a refused record", f.Name)
				}
			}
			return
		}
		again := e.Clone()
		checkDocument(t, &e)
		for f := range ecs.All() {
			if !slices.Equal(e.Values(f), again.Values(f)) {
				t.Errorf("%s: %q, and %q of the clone", f.Name, e.Values(f), again.Values(f))
			}
		}
		compareWithOracle(t, &e, raw)
	})
}
