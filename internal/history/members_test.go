package history

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzMembers compares the members found with what encoding/json finds.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "a" : 1 , "b":[1,{"c":"}"}], "a":"2" } `, `{"\u0061":"x\\\"y","":null,"n":-1.5e3,"o":{"p":{}}}`,
		`{"l":["arn:aws:lambda:eu-west-1:111122223333:layer:a:1",{"arn":"b"},[],""]}`, "{\"\xff\":\"\xfe\"}", `[1,"]",[[]]]`, `"\ud800"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = bytes.TrimSpace(raw)
		if !json.Valid(raw) {
			return
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && raw[0] == '[' {
			var got []string
			for it := range elements(raw) {
				got = append(got, string(it))
			}
			var want []string
			for _, it := range list {
				want = append(want, string(it))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%q (-want +got):\n%s", raw, d)
			}
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(raw, &want) != nil || raw[0] != '{' {
			if o := readObject(raw); o != nil {
				t.Errorf("%q has members %v", raw, o)
			}
			return
		}
		o := readObject(raw)
		for name, v := range want {
			got, ok := o.get(name)
			if !ok || !bytes.Equal(got, v) {
				t.Errorf("%q: member %q is %q, want %q", raw, name, got, v)
			}
		}
		if len(o) < len(want) {
			t.Errorf("%q: %d members, want at least %d", raw, len(o), len(want))
		}
	})
}
