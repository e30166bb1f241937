package cloudtrail

import (
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var readerSeeds = []string{
	``, ` `, `{}`, `[]`, `{"Records":[]}`, `{"Records":null}`, "\ufeff{}",
	`{"Records":[{"eventName":"a"},{"eventName":"b","x":{"y":[1,{"z":null}]}}]}`,
	"{\n \"Records\" : [ {\"eventName\":\"a\"} , 1, \"x\", [ ] ]\n}",
	`{"eventName":"a"}` + "\n" + `{"eventName":"b"}`,
	`[{"eventName":"a"},{"Records":[{"eventID":"b"}]}]`,
	`{"detail":{"eventName":"a"}}`,
	`{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\\u0061\"}"}]}`,
	`{"messageType":"DATA_MESSAGE","logEvents":[{"message":"{\"eventName\":1}"},{"message":"CWL CONTROL MESSAGE: x"}]}`,
	`{"hits":{"hits":[{"_source":{"event":{"original":"{\"eventID\":\"\"}"}}}]}}`,
	`{"event.original":"{\"detail\":{\"eventName\":[]}}"}` + "\n" + `{"index":{}}`,
	`{"Records":[{"eventVersion":"1","resources":[{"ARN":"a"},{"eventVersion":"1","eventName":"b"},{"eventVersion":"1"}]}]}`,
	`{"Records":[{"eventVersion":"1","resources":[{"ARN":"a"},{"eventVersion":"1"},{"eventVersion":"1"}]}`,
	"{\"eventVersion\":\"a\x00b\"}\n{\"eventVersion\":\"c\n{\"eventVersion\":\"d\"}",
	`{"Records":[{"eventVersion":"aws},{"eventVersion":"b"},{"eventVersion":"c"}]}`,
	`{"Records":[{"eventName":"a"}]}xyz{"eventVersion":"b"}`,
	`{"awsAccountId":"111122223333","digestStartTime":"x","logFiles":[{"s3Object":"a"}]}`,
}

func FuzzReader(f *testing.F) {
	for _, s := range readerSeeds {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		lim := Limits{Window: minWindow, Record: 1 << 10}
		got := readAll(&dribble{string(in), len(in) + 1, io.EOF}, lim)
		checkResult(t, in, got)
		again := readAll(&dribble{string(in), int(step) + 1, io.EOF}, lim)
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("in steps of %d: (-whole +steps)\n%s", int(step)+1, diff)
		}
		if len(in) >= lim.Record || !utf8.Valid(in) {
			return // the oracle knows no limits, and encoding/json replaces bytes
		}
		if records, lost, ok := naiveSplit(in); ok {
			if diff := cmp.Diff(records, got.Records); diff != "" {
				t.Errorf("records: (-oracle +reader)\n%s", diff)
			}
			if int64(lost) != got.Counts.Quarantined {
				t.Errorf("quarantined %d, oracle %d", got.Counts.Quarantined, lost)
			}
		}
	})
}

// checkResult checks what holds for every input.
func checkResult(t *testing.T, in []byte, got result) {
	t.Helper()
	if got.Err != nil {
		t.Errorf("error %v", got.Err)
	}
	last := int64(-1)
	for _, o := range got.Offsets {
		if o <= last || o >= int64(len(in)) {
			t.Errorf("offset %d after %d in %d bytes", o, last, len(in))
		}
		last = o
	}
	last = 0
	var lost, skips int64
	for _, s := range got.Skips {
		if s.Offset < last || s.Bytes < 0 || s.Offset+s.Bytes > int64(len(in)) || s.Reason == "" || s.Records < 0 {
			t.Errorf("skip %+v after %d in %d bytes", s, last, len(in))
		}
		last = s.Offset + s.Bytes
		lost += int64(s.Records)
		skips++
		// No record starts inside what was skipped.
		if i, found := slices.BinarySearch(got.Offsets, s.Offset); s.Bytes > 0 && (found || i < len(got.Offsets) && got.Offsets[i] < last) {
			t.Errorf("skip %+v covers a record at %d", s, got.Offsets[i])
		}
	}
	if c := got.Counts; c.Records != int64(len(got.Records)) || c.Quarantined != lost || c.Skips != skips {
		t.Errorf("counts %+v; %d records, %d quarantined, %d skips", c, len(got.Records), lost, skips)
	}
	for i, r := range got.Records {
		if err := balanced([]byte(r), defaultDepth, make([]uint32, 64)); err != nil {
			t.Errorf("record %d is not balanced: %v\n%s", i, err, r)
		}
	}
}
