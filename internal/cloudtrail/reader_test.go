package cloudtrail

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// result is what a Reader made of an input.
type result struct {
	Records []string
	Offsets []int64
	Skips   []Skip
	Counts  Counts
	Err     error
}

// dribble hands out its text in pieces of n bytes.
type dribble struct {
	text string
	n    int
	end  error
}

func (d *dribble) Read(p []byte) (int, error) {
	if d.text == "" {
		return 0, d.end
	}
	n := copy(p, d.text[:min(d.n, len(d.text))])
	d.text = d.text[n:]
	return n, nil
}

func readAll(r io.Reader, lim Limits) result {
	var out result
	d := NewReader(r, lim)
	d.Skipped = func(s Skip) { out.Skips = append(out.Skips, s) }
	for {
		rec, err := d.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				out.Err = err
			}
			break
		}
		out.Records = append(out.Records, string(rec.Raw))
		out.Offsets = append(out.Offsets, rec.Offset)
	}
	out.Counts = d.Counts()
	return out
}

func rec(i int) string {
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventSource":"s3.amazonaws.com","eventName":"Get%d","resources":[{"ARN":"a"},{"ARN":"b"}],"requestParameters":{"x":["{",{"y":"}\\\""}]},"readOnly":true}`, i)
}

func TestReader_formats(t *testing.T) {
	r0, r1, r2 := rec(0), rec(1), rec(2)
	three := []string{r0, r1, r2}
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	for _, c := range []struct {
		name, in string
		want     []string
		skips    []string
		silent   int64
	}{
		{"empty file", "", nil, nil, 0},
		{"blank file", " \n\r\n\t", nil, nil, 0},
		{"compact records", `{"Records":[` + strings.Join(three, ",") + `]}`, three, nil, 0},
		{"records with white space", "{\n  \"Records\" : [\n    " + strings.Join(three, " ,\n    ") + "\n  ]\n}\n", three, nil, 0},
		{"records between other members", `{"a":{"Records":[1]},"b":[{"Records":[]}],"Records":[` + strings.Join(three, ",") + `],"c":{"d":{"e":[{}]}},"f":1}`, three, nil, 0},
		{"records twice", `{"Records":[` + r0 + `],"Records":[` + r1 + `]}`, three[:2], nil, 0},
		{"empty records", `{"Records":[]}`, nil, nil, 0},
		{"null records", `{"Records":null}`, nil, nil, 1},
		{"several files in one", `{"Records":[` + r0 + `]}{"Records":[` + r1 + `]}` + "\n" + `{"Records":[` + r2 + `]}`, three, nil, 0},
		{"lines", strings.Join(three, "\n") + "\n", three, nil, 0},
		{"lines with CRLF and blank lines", "\r\n" + strings.Join(three, "\r\n\r\n"), three, nil, 0},
		{"one after the other", strings.Join(three, ""), three, nil, 0},
		{"byte order mark", "\ufeff" + strings.Join(three, "\n"), three, nil, 0},
		{"list", "[" + strings.Join(three, ",\n") + "]", three, nil, 0},
		{"two lists", "[" + r0 + "]\n[" + r1 + "," + r2 + "]", three, nil, 0},
		{"list of envelopes", `[{"Records":[` + r0 + `]},{"Records":[` + r1 + `]},` + r2 + `]`, three, nil, 0},
		{"eventbridge", `{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":` + r0 + `}`, three[:1], nil, 0},
		{"eventbridge lines", `{"detail":` + r0 + "}\n" + `{"detail":` + r1 + `}`, three[:2], nil, 0},
		{"subscription", `{"messageType":"DATA_MESSAGE","owner":"111122223333","logEvents":[{"id":"1","timestamp":1,"message":` + quote(r0) + `},{"id":"2","message":` + quote(r1) + `}]}`, three[:2], nil, 0},
		{"control message", `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination."}]}`, nil, nil, 1},
		{"lookup events", "{\n    \"Events\": [\n        {\n            \"EventId\": \"x\",\n            \"CloudTrailEvent\": " + quote(r0) + "\n        }\n    ],\n    \"NextToken\": \"x\"\n}", three[:1], nil, 0},
		{"elastic nested", `{"@timestamp":"x","event":{"original":` + quote(r0) + `,"action":"x"},"message":"m"}`, three[:1], nil, 0},
		{"elastic dotted", `{"event.original":` + quote(r0) + `}`, three[:1], nil, 0},
		{"elastic hits", `{"took":1,"_shards":{"total":1},"hits":{"total":{"value":2},"hits":[{"_index":"x","_source":{"event":{"original":` + quote(r0) + `}}},{"_source":{"event.original":` + quote(r1) + `}}]}}`, three[:2], nil, 0},
		{"bulk", `{"create":{}}` + "\n" + `{"event":{"original":` + quote(r0) + "}}\n" + `{"index":{"_index":"x"}}` + "\n" + r1, three[:2], nil, 2},
		{"shipper", `{"event":{"dataset":"x"},"message":` + quote(r0) + `}`, three[:1], nil, 0},
		{"wrapped", `{"set":"x","line":1,"event":` + r0 + `}`, three[:1], nil, 0},
		{"mixed", r0 + "\n" + `{"Records":[` + r1 + "]}\n[" + r2 + "]", three, nil, 0},
		{"no object in a list", `{"Records":[` + r0 + `,1,"a,]",null,[{}],` + r1 + `,-1.5e3]}`, three[:2], []string{notObject, notObject, notObject, notObject, notObject}, 0},
		{"another document", `{"a":1}` + "\n" + r0, three[:1], []string{notRecord}, 0},
		{"text", "hello\nworld\n", nil, []string{"text that is no JSON object"}, 0},
		{"trailing text", `{"Records":[` + r0 + `]}xyz`, three[:1], []string{"text that is no JSON object"}, 0},
		{"truncated in a record", `{"Records":[` + r0 + `,` + r1[:60], three[:1], []string{"truncated: the input ends inside a record"}, 0},
		{"truncated after a record", `{"Records":[` + r0 + `,`, three[:1], []string{"truncated: the input ends inside a list of records; how many are missing cannot be known"}, 0},
		{"broken embedded text", `{"message":"{\"eventName\":}"}`, nil, []string{"message: invalid JSON at offset 13: a value was expected"}, 0},
		{"misplaced comma", `{"Records":[,` + r0 + `]}`, three[:1], []string{"a comma without a value before it"}, 0},
		{"missing comma", `{"Records":[` + r0 + r1 + `]}`, three[:2], []string{"a comma is missing between records"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, step := range []int{1 << 20, 1, 2, 3, 7, 64, 100} {
				got := readAll(&dribble{c.in, step, io.EOF}, Limits{Window: minWindow})
				if diff := cmp.Diff(c.want, got.Records); diff != "" {
					t.Errorf("in steps of %d: records differ (-want +got):\n%s", step, diff)
				}
				var reasons []string
				for _, s := range got.Skips {
					reasons = append(reasons, s.Reason)
				}
				if diff := cmp.Diff(c.skips, reasons); diff != "" {
					t.Errorf("in steps of %d: skips differ (-want +got):\n%s", step, diff)
				}
				if got.Counts.Silent != c.silent {
					t.Errorf("in steps of %d: %d silent, want %d", step, got.Counts.Silent, c.silent)
				}
				if got.Err != nil {
					t.Error(got.Err)
				}
			}
		})
	}
}

func TestReader_does_not_allocate_for_a_record(t *testing.T) {
	text := benchText()
	d := NewReader(nil, Limits{})
	src := strings.NewReader("")
	whole := string(text)
	n := 0
	allocs := testing.AllocsPerRun(5, func() {
		src.Reset(whole)
		d.Reset(src)
		for n = 0; ; n++ {
			if _, err := d.Next(); err != nil {
				break
			}
		}
	})
	if n != 3001 || allocs != 0 {
		t.Errorf("%v allocations for %d records", allocs, n)
	}
}
