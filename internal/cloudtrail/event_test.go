package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
)

func reset(tb testing.TB, raw string) *Event {
	tb.Helper()
	var e Event
	if err := e.Reset([]byte(raw)); err != nil {
		tb.Fatalf("%s: %v", raw, err)
	}
	return &e
}

func TestReset_refuses_what_is_no_record(t *testing.T) {
	t.Parallel()
	tests := []struct {
		raw    string
		offset int
		msg    string
	}{
		{"", 0, "the record is not an object"},
		{"   ", 3, "the record is not an object"},
		{"[]", 0, "the record is not an object"},
		{`{`, 1, "the record ends inside a value"},
		{`{"a"`, 4, "the record ends inside a value"},
		{`{"a":`, 5, "the record ends inside a value"},
		{`{"a":1`, 6, "the record ends inside a value"},
		{`{"a":1,`, 7, "the record ends inside a value"},
		{`{"a":1,}`, 7, "a member name was expected"},
		{`{,}`, 1, "a member name was expected"},
		{`{"a" 1}`, 5, "a colon was expected after a member name"},
		{`{"a":1 "b":2}`, 7, "a comma or the end of the list or object was expected"},
		{`{"a":}`, 5, "a value was expected"},
		{`{"a":tru}`, 5, "a value was expected"},
		{`{"a":NaN}`, 5, "a value was expected"},
		{`{"a":01}`, 5, "a number is malformed"},
		{`{"a":-}`, 6, "a number is malformed"},
		{`{"a":1.}`, 6, "a number is malformed"},
		{`{"a":1e}`, 7, "a number is malformed"},
		{`{"a":[1,]}`, 8, "a value was expected"},
		{`{"a":[1 2]}`, 8, "a comma or the end of the list or object was expected"},
		{`{"a":[1}`, 7, "a comma or the end of the list or object was expected"},
		{`{"a":{"b":1]}`, 11, "a comma or the end of the list or object was expected"},
		{`{"a":{"b" 1}}`, 10, "a colon was expected after a member name"},
		{`{"a":{1:2}}`, 6, "a member name was expected"},
		{"{\"a\":\"x\ny\"}", 7, "a control character stands unescaped in a string"},
		{"{\"a\":{\"b\":\"x\x00y\"}}", 12, "a control character stands unescaped in a string"},
		{`{"a":"\x"}`, 6, "a string has an unknown escape"},
		{`{"a":"\u12g4"}`, 6, "a string has an unknown escape"},
		{`{"a":"x}`, 8, "the record ends inside a value"},
		{`{"a":"\`, 7, "the record ends inside a value"},
		{`{"a":"\u12`, 10, "the record ends inside a value"},
		{`{"a":1} x`, 8, "something follows the record's closing brace"},
		{`{"a":1}{}`, 7, "something follows the record's closing brace"},
		{strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64), -1, ""},
		{strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), 320, "objects and lists are nested more than 64 deep"},
		{`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, -1, ""},
		{`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, 68, "objects and lists are nested more than 64 deep"},
		{" {\r\n\t\"a\" : [ 1 , { \"b\" : true } ] , \"c\" : { } }\n", -1, ""},
		{`{}`, -1, ""},
	}
	for _, tt := range tests {
		name := tt.raw
		if len(name) > 40 {
			name = name[:40]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e Event
			err := e.Reset([]byte(tt.raw))
			if tt.msg == "" {
				if err != nil {
					t.Errorf("err = %v", err)
				}
				return
			}
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("err = %v", err)
			}
			if d := cmp.Diff(&SyntaxError{Offset: tt.offset, Msg: tt.msg}, syntax); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if want := fmt.Sprintf("invalid JSON at offset %d: %s", tt.offset, tt.msg); err.Error() != want {
				t.Errorf("%q, want %q", err, want)
			}
			if e.Raw() != nil || e.Action() != "" || e.Check() == nil || len(e.Document()) != 0 {
				t.Error("a refused record is half there")
			}
		})
	}
}

// What is left out of an indexed document by cutting it anywhere must be seen.
func TestReset_sees_every_cut_and_every_changed_byte(t *testing.T) {
	t.Parallel()
	raw := generatedRecords(1)[0]
	var e Event
	for i := range raw {
		if err := e.Reset(raw[:i]); err == nil {
			t.Fatalf("cut at %d is accepted", i)
		}
		for _, c := range []byte{0, '"', '\\', '{', ']', ',', 'x', 0xff} {
			changed := slices.Clone(raw)
			changed[i] = c
			if err := e.Reset(changed); (err == nil) != json.Valid(changed) {
				t.Fatalf("%q at %d: err = %v", c, i, err)
			}
		}
	}
}

func TestEvent_top_level(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw                     string
		provider, action, account, id string
		time                          string
	}{
		{
			"usual", `{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","recipientAccountId":"111122223333","eventID":"e1","eventTime":"2024-05-01T10:00:00Z"}`,
			"lambda.amazonaws.com", "Invoke", "111122223333", "e1", "2024-05-01T10:00:00Z",
		},
		{"missing", `{}`, "", "", "", "content-44136fa355b3678a1146ad16f7e8649e", ""},
		{"dropped", `{"eventSource":"-","eventName":"none","eventID":""}`, "", "", "", "content-941e5ec50b49b60519b82ddb5fa58536", ""},
		{"the last of two", `{"eventName":"A","eventName":"B","eventID":"x"}`, "", "B", "", "x", ""},
		{"escaped names and values", `{"event\u004eame":"G\u0065t","eventID":"\u00e9\ud83d\ude00"}`, "", "Get", "", "é😀", ""},
		{"inside it is another's", `{"requestParameters":{"eventName":"A"},"eventID":"x"}`, "", "", "", "x", ""},
		{"a name in a string", `{"userAgent":"\"eventName\":\"A\"","eventID":"x"}`, "", "", "", "x", ""},
		{"not text", `{"eventName":17,"eventSource":["a"],"eventID":true}`, "", "17", "", "true", ""},
		{"names are exact", `{"EventName":"A","eventname":"B","eventID":"x"}`, "", "", "", "x", ""},
		{"digest", `{"digestEndTime":"2024-05-01T11:00:00Z","eventTime":"2020-01-01T00:00:00Z","eventID":"x"}`, "", "", "", "x", "2024-05-01T11:00:00Z"},
		{"zone and fraction", `{"eventTime":"2024-05-01T12:00:00.123999+02:00","eventID":"x"}`, "", "", "", "x", "2024-05-01T10:00:00.123Z"},
		{"no time", `{"eventTime":"yesterday","eventID":"x"}`, "", "", "", "x", ""},
		{"no such day", `{"eventTime":"2024-02-30T10:00:00Z","eventID":"x"}`, "", "", "", "x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := reset(t, tt.raw)
			at := ""
			if when, ok := e.Time(); ok {
				at = when.Format(time.RFC3339Nano)
			}
			want := []string{tt.provider, tt.action, tt.account, tt.id, tt.time}
			if d := cmp.Diff(want, []string{e.Provider(), e.Action(), e.RecipientAccount(), e.ID(), at}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestEvent_content_id_ignores_layout(t *testing.T) {
	t.Parallel()
	a := reset(t, `{"eventName":"A b","requestParameters":{"k":[1,"x y"]}}`).ID()
	for raw, same := range map[string]bool{
		"{ \"eventName\" : \"A b\",\n\t\"requestParameters\":{\"k\":[1, \"x y\"]}}\n": true,
		`{"eventName":"Ab","requestParameters":{"k":[1,"x y"]}}`:                      false,
		`{"eventName":"A b","requestParameters":{"k":[1,"xy"]}}`:                      false,
	} {
		if got := reset(t, raw).ID(); (got == a) != same {
			t.Errorf("%s: id %s and %s, same should be %v", raw, got, a, same)
		}
	}
}

// An Event is reused: nothing of the record before may show.
func TestReset_forgets_the_record_before(t *testing.T) {
	t.Parallel()
	full := generatedRecords(1)[0]
	var e Event
	if err := e.Reset(full); err != nil {
		t.Fatal(err)
	}
	for f := range ecs.All() {
		e.Values(f)
	}
	if err := e.Reset([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	var fresh Event
	if err := fresh.Reset([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	for f := range ecs.All() {
		if d := cmp.Diff(fresh.Values(f), e.Values(f)); d != "" {
			t.Errorf("%s (-fresh +reused):\n%s", f.Name, d)
		}
	}
}

func TestReset_survives_the_wrap_of_its_counter(t *testing.T) {
	t.Parallel()
	action := ecs.Lookup("event.action")
	arn := ecs.Lookup("aws.cloudtrail.user_identity.arn")
	var e Event
	if err := e.Reset([]byte(`{"eventName":"A","userIdentity":{"arn":"x"}}`)); err != nil {
		t.Fatal(err)
	}
	e.Values(action)
	e.Values(arn)
	e.gen = math.MaxUint32
	if err := e.Reset([]byte(`{"eventName":"B","userIdentity":{"arn":"y"}}`)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"B", "y"}, slices.Concat(e.Values(action), e.Values(arn))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestClone_outlives_the_buffer(t *testing.T) {
	t.Parallel()
	buf := generatedRecords(1)[0]
	var e Event
	if err := e.Reset(buf); err != nil {
		t.Fatal(err)
	}
	want := e.Document()
	kept := e.Clone()
	for i := range buf {
		buf[i] = 'x'
	}
	if d := cmp.Diff(want, kept.Document()); d != "" {
		t.Errorf("(-before +after):\n%s", d)
	}
	if kept.Check() != nil {
		t.Error(kept.Check())
	}
}

func TestDerived_is_asked_once_unless_it_depends_on_history(t *testing.T) {
	t.Parallel()
	scope, added := ecs.Lookup("lamina.grant.scope"), ecs.Lookup("lamina.layers.added")
	asked := map[string]int{}
	var e Event
	e.Derived = func(ev ecs.Event, f *ecs.Field) []string {
		if ev != &e {
			t.Error("another event")
		}
		asked[f.Name]++
		return []string{fmt.Sprint(f.Name, " ", asked[f.Name])}
	}
	if got := e.Values(scope); got != nil {
		t.Errorf("%q without a record", got)
	}
	if err := e.Reset([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	got := slices.Concat(e.Values(scope), e.Values(scope), e.Values(added), e.Values(added))
	want := []string{"lamina.grant.scope 1", "lamina.grant.scope 1", "lamina.layers.added 1", "lamina.layers.added 2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !e.Exists(ecs.Lookup("lamina.grant")) || reset(t, `{}`).Exists(ecs.Lookup("lamina")) {
		t.Error("an object exists when a field below it does")
	}
}

func TestResetRecord_checks_before_it_answers(t *testing.T) {
	t.Parallel()
	arn := ecs.Lookup("aws.cloudtrail.user_identity.arn")
	parameters := ecs.Lookup("aws.cloudtrail.flattened.request_parameters.a")
	record := func(raw string) *Record {
		rec := &Record{Raw: []byte(raw)}
		var e Event
		w := walker{buf: rec.Raw}
		if e.members(&w, 0); w.fault == noFault {
			rec.Top = e.top
		}
		return rec
	}
	good := record(`{"eventSource":"s3.amazonaws.com","eventName":"G\u0065t","userIdentity":{"arn":"x"},"requestParameters":{"a":1}}`)
	var e Event
	e.ResetRecord(good)
	provider, action := e.Provider(), e.Action()
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	got := slices.Concat([]string{provider, action}, e.Values(arn), e.Values(parameters))
	if d := cmp.Diff([]string{"s3.amazonaws.com", "Get", "x", "1"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// The Reader vouches for the top level only.
	for _, bad := range []string{`{"a" 1}`, `{"a":tru}`, `{"a":"\x"}`, `[1,,2]`, `{"a":1]`, `{"a":"`, `{`} {
		raw := `{"eventName":"Get","userIdentity":{"arn":"x"},"requestParameters":` + bad + `}`
		broken := &Record{Raw: []byte(raw)}
		for k, v := range map[Key]string{KeyEventName: `"Get"`, KeyUserIdentity: `{"arn":"x"}`, KeyRequestParameters: bad} {
			at := uint32(strings.Index(raw, v))
			broken.Top[k] = Span{at, at + uint32(len(v))}
		}
		for _, ask := range []func(){
			func() { _ = e.Check() }, func() { e.Values(arn) }, func() { e.Values(parameters) }, func() { e.Exists(parameters) },
			func() { e.Document() }, func() { e.Exists(ecs.Lookup("aws")) },
		} {
			e.ResetRecord(broken)
			if e.Action() != "Get" {
				t.Error("no action")
			}
			ask()
			if _, ok := errors.AsType[*SyntaxError](e.Check()); !ok {
				t.Errorf("%s: err = %v", bad, e.Check())
			}
			if e.Values(arn) != nil || e.Exists(parameters) || len(e.Document()) > 0 {
				t.Errorf("%s: a broken record has values", bad)
			}
		}
	}
}

// The hard rule of the hot path: an event that matches no rule costs no memory.
func TestEvent_allocates_nothing(t *testing.T) {
	recs := generatedRecords(64)
	recs = append(recs, []byte(`{"eventName":"x"}`), []byte(`{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","sourceIPAddress":"autoscaling.amazonaws.com"}`))
	scalars := []string{
		"event.provider", "event.action", "event.outcome", "event.category", "event.type", "event.kind", "event.id", "@timestamp", "data_stream.dataset",
		"aws.cloudtrail.user_identity.type", "aws.cloudtrail.user_identity.arn", "aws.cloudtrail.user_identity.access_key_id",
		"aws.cloudtrail.user_identity.session_context.session_issuer.arn", "aws.cloudtrail.error_code", "aws.cloudtrail.read_only",
		"cloud.account.id", "cloud.region", "cloud.service.name", "user.name", "user.id", "source.ip", "source.address", "user_agent.original",
		"user_agent.name", "tls.client.server_name", "aws.cloudtrail.request_parameters", "aws.cloudtrail.flattened.request_parameters",
		"aws.cloudtrail.response_elements", "aws.cloudtrail.resources.arn", "related.user", "related.entity", "entity.target.id", "user.entity.id",
	}
	key := ecs.Lookup("aws.cloudtrail.flattened.request_parameters.principal")
	var fields []*ecs.Field
	for _, n := range scalars {
		fields = append(fields, ecs.Lookup(n))
	}
	var e Event
	i := 0
	hot := func() {
		if err := e.Reset(recs[i%len(recs)]); err != nil {
			t.Fatal(err)
		}
		i++
		if e.Action() == "" {
			t.Fatal("no action")
		}
		e.Provider()
	}
	for range 4 * len(recs) { // the scratch has grown to what records need
		hot()
		for _, f := range fields {
			e.Values(f)
		}
		e.Values(key)
	}
	if n := testing.AllocsPerRun(1000, hot); n != 0 {
		t.Errorf("Reset, Provider, Action: %v allocations", n)
	}
	for _, f := range append(fields, key) {
		if n := testing.AllocsPerRun(200, func() {
			hot()
			e.Values(f)
			e.Exists(f)
		}); n != 0 {
			t.Errorf("%s: %v allocations", f.Name, n)
		}
	}
}

// What one huge record needed is not kept for the next. Were anything here
// quadratic, the test would not end.
func TestEvent_bounds_what_it_keeps(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"eventName":"A","requestParameters":{`)
	for i := range 50_000 {
		fmt.Fprintf(&b, `"k%d":["%d"],`, i, i)
	}
	b.WriteString(`"instanceIds":[`)
	for i := range 40_000 {
		fmt.Fprintf(&b, `"i-%08d",`, i)
	}
	b.WriteString(`"i-00000000"]},"resources":[`)
	for i := range 20_000 {
		fmt.Fprintf(&b, `{"ARN":"arn:aws:s3:::b/%d"},`, i)
	}
	b.WriteString(`{"ARN":"x"}],"eventSource":"s3.amazonaws.com"}`)
	var e Event
	if err := e.Reset([]byte(b.String())); err != nil {
		t.Fatal(err)
	}
	if got := len(e.Values(ecs.Lookup("aws.cloudtrail.resources.arn"))); got != 20_001 {
		t.Errorf("%d resources", got)
	}
	if got := len(e.Values(ecs.Lookup("related.entity"))); got != 20_001 {
		t.Errorf("%d entities", got)
	}
	if got := len(e.Values(ecs.Lookup("related.hosts"))); got != 40_000 {
		t.Errorf("%d hosts", got)
	}
	e.Values(requestText)
	e.Document()
	if err := e.Reset([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if cap(e.arena) > keepArena || cap(e.nodes) > keepArena/32 || cap(e.list) > keepArena/16 || cap(e.hashes) > keepArena/8 || len(e.seen) > 0 {
		t.Errorf("kept: arena %d, nodes %d, list %d, hashes %d, names %d", cap(e.arena), cap(e.nodes), cap(e.list), cap(e.hashes), len(e.seen))
	}
}

// What a Reader hands over is what Reset finds, whatever the record is wrapped
// in.
func TestResetRecord_agrees_with_Reset(t *testing.T) {
	t.Parallel()
	raws := generatedRecords(20)
	if more := realRecords(t); more != nil {
		raws = append(raws, more...)
	}
	for name, input := range map[string][]byte{
		"lines": bytes.Join(raws, []byte("\n")),
		"file":  slices.Concat([]byte(`{"Records":[`), bytes.Join(raws, []byte(",")), []byte("]}")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(bytes.NewReader(input), Limits{})
			var handed, read Event
			for i, raw := range raws {
				rec, err := r.Next()
				if err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
				handed.ResetRecord(rec)
				if err := read.Reset(raw); err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
				if handed.Provider() != read.Provider() || handed.Action() != read.Action() || handed.ID() != read.ID() {
					t.Fatalf("record %d: %s %s %s", i, handed.Provider(), handed.Action(), handed.ID())
				}
				if err := handed.Check(); err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
				for f := range ecs.All() {
					if strings.HasPrefix(f.Name, "user_agent.") {
						continue // the table takes its time, and reads one field
					}
					if !slices.Equal(handed.Values(f), read.Values(f)) {
						t.Fatalf("record %d: %s is %q, after Reset %q", i, f.Name, handed.Values(f), read.Values(f))
					}
				}
			}
		})
	}
}
