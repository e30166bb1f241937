package cloudtrail

import (
	"encoding/json"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzEnvelope puts any text into every envelope: what comes out must be the
// record when the text is one, and one quarantined record otherwise.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		`{"eventName":"a"}`, `{"eventName":"\ud800","x":["\\",{"y":"}"}]}`, ` {"eventID":1e400} `, `{}`, `[]`, ``, `"`, `{"eventName":"a"}{}`,
		`{"detail":{"eventName":"a"}}`, `{"message":"{\"eventID\":1}"}`, "{\"eventName\":\"\x00\"}", `{"Records":null}`, `{"index":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 1<<16 {
			return
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range []string{
			`{"Events":[{"EventId":"e","CloudTrailEvent":%}]}`,
			`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":%}]}`,
			`{"event":{"original":%}}`,
			`{"event.original":%}`,
			`{"hits":{"hits":[{"_source":{"event":{"original":%,"action":"x"}}}]}}`,
		} {
			in := replaceOne(frame, string(quoted))
			got := readAll(&dribble{in, len(in), io.EOF}, Limits{})
			checkResult(t, []byte(in), got)
			records, lost, ok := naiveSplit([]byte(in))
			if !ok {
				t.Fatalf("the oracle refuses %s", in)
			}
			if diff := cmp.Diff(records, got.Records); diff != "" {
				t.Errorf("%s: (-oracle +reader)\n%s", in, diff)
			}
			if int64(lost) != got.Counts.Quarantined {
				t.Errorf("%s: quarantined %d, oracle %d", in, got.Counts.Quarantined, lost)
			}
		}
	})
}

func replaceOne(frame, text string) string {
	for i := range len(frame) {
		if frame[i] == '%' {
			return frame[:i] + text + frame[i+1:]
		}
	}
	return frame
}
