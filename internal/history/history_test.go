package history_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/history"
)

const (
	account  = "111122223333"
	function = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	layerA1  = "arn:aws:lambda:eu-west-1:111122223333:layer:a:1"
	layerB1  = "arn:aws:lambda:eu-west-1:111122223333:layer:b:1"
)

// raw is an Event of which only the bytes are asked for.
type raw []byte

func (r raw) Values(*ecs.Field) []string { return nil }
func (r raw) Exists(*ecs.Field) bool     { return false }
func (r raw) Raw() []byte                { return r }

// event writes a record after the API model: at is minutes after the epoch of
// the test, request and response are JSON or "".
func event(id, name string, at int, request, response string) raw {
	orNull := func(s string) json.RawMessage {
		if s == "" {
			return json.RawMessage("null")
		}
		return json.RawMessage(s)
	}
	b, err := json.Marshal(map[string]any{
		"eventID": id, "eventName": name, "eventSource": "lambda.amazonaws.com", "awsRegion": "eu-west-1",
		"recipientAccountId": account, "eventTime": minute(at).Format(time.RFC3339),
		"userIdentity":      map[string]string{"arn": "arn:aws:iam::111122223333:user/alice", "accountId": account},
		"requestParameters": orNull(request), "responseElements": orNull(response),
	})
	if err != nil {
		panic(err)
	}
	return b
}

func minute(n int) time.Time {
	return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

// configured is the answer to a call that leaves the function with layers.
func configured(layers ...string) string {
	var items []string
	for _, l := range layers {
		items = append(items, fmt.Sprintf(`{"arn":%q,"codeSize":1}`, l))
	}
	return fmt.Sprintf(`{"functionArn":%q,"layers":[%s]}`, function, strings.Join(items, ","))
}

func TestAPIName(t *testing.T) {
	tests := map[string]string{
		"AddLayerVersionPermission":              "AddLayerVersionPermission",
		"AddLayerVersionPermission20181031":      "AddLayerVersionPermission",
		"UpdateFunctionCode20150331v2":           "UpdateFunctionCode",
		"DeleteFunctionCodeSigningConfig":        "DeleteFunctionCodeSigningConfig",
		"DeleteFunctionConcurrency20171031":      "DeleteFunctionConcurrency",
		"TagResource20170331v2":                  "TagResource",
		"CreateDistribution2020_05_31":           "CreateDistribution2020_05_31",
		"20181031":                               "20181031",
		"v2":                                     "v2",
		"":                                       "",
		"Invoke99999999":                         "Invoke99999999",
		"ListV2":                                 "ListV2",
		"RemoveLayerVersionPermission20181031v3": "RemoveLayerVersionPermission",
	}
	for in, want := range tests {
		if got := history.APIName(in); got != want {
			t.Errorf("APIName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLayers(t *testing.T) {
	type step struct {
		ev     raw
		before []string
		known  bool
	}
	tests := []struct {
		name   string
		steps  []step
		after  []string
		known  bool
		lookup string
	}{
		{
			name: "the_first_event_has_nothing_before_it",
			steps: []step{
				{event("1", "UpdateFunctionConfiguration20150331v2", 1, `{"functionName":"orders","layers":["`+layerA1+`"]}`, configured(layerA1)), nil, false},
				{event("2", "UpdateFunctionConfiguration20150331v2", 2, `{"functionName":"orders","timeout":3}`, configured(layerA1)), []string{layerA1}, true},
			},
			after: []string{layerA1}, known: true,
		},
		{
			name: "an_answer_tells_the_layers_that_the_call_did_not_touch",
			steps: []step{
				{event("1", "UpdateFunctionConfiguration20150331v2", 1, `{"functionName":"orders","timeout":3}`, configured(layerA1, layerB1)), nil, false},
				{event("2", "UpdateFunctionConfiguration20150331v2", 2, `{"functionName":"orders","layers":[]}`, configured()), []string{layerA1, layerB1}, true},
			},
			after: nil, known: true,
		},
		{
			name: "code_updates_and_published_versions_tell_it_too",
			steps: []step{
				{event("1", "UpdateFunctionCode20150331v2", 1, `{"functionName":"`+function+`","publish":true}`, strings.Replace(configured(layerA1), function, function+":7", 1)), nil, false},
				{event("2", "DeleteFunction20150331", 2, `{"functionName":"orders","qualifier":"7"}`, ""), []string{layerA1}, true},
			},
			after: []string{layerA1}, known: true,
		},
		{
			name: "a_deleted_function_has_no_layers",
			steps: []step{
				{event("1", "CreateFunction20150331", 1, `{"functionName":"orders","layers":["`+layerA1+`"]}`, configured(layerA1)), nil, false},
				{event("2", "DeleteFunction20150331", 2, `{"functionName":"`+account+`:function:orders"}`, ""), []string{layerA1}, true},
			},
			after: nil, known: true,
		},
		{
			name: "a_refused_call_changes_nothing",
			steps: []step{
				{event("1", "UpdateFunctionConfiguration20150331v2", 1, `{"functionName":"orders","layers":["`+layerA1+`"]}`, configured(layerA1)), nil, false},
				{raw(strings.Replace(string(event("2", "UpdateFunctionConfiguration20150331v2", 2, `{"functionName":"orders","layers":["`+layerB1+`"]}`, "")), `"eventID"`, `"errorCode":"AccessDenied","eventID"`, 1)), []string{layerA1}, true},
			},
			after: []string{layerA1}, known: true,
		},
		{
			name: "another_service_does_not_count",
			steps: []step{
				{raw(strings.Replace(string(event("1", "CreateFunction20150331", 1, `{"functionName":"orders"}`, configured())), "lambda.amazonaws.com", "cloudfront.amazonaws.com", 1)), nil, false},
			},
		},
		{
			name: "a_record_without_a_time_is_not_remembered",
			steps: []step{
				{raw(strings.Replace(string(event("1", "CreateFunction20150331", 1, `{"functionName":"orders"}`, configured())), `"eventTime":"2026`, `"eventTime":"20 26`, 1)), nil, false},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, again := range []bool{false, true} {
				h := history.New(history.Limits{})
				for i, s := range tt.steps {
					h.Observe(s.ev)
					if again {
						h.Observe(s.ev)
					}
					c, ok := history.ReadCall(s.ev)
					if !ok {
						t.Fatalf("step %d: not a record", i)
					}
					got, known := h.LayersBefore(function, c.Time, c.ID)
					if d := cmp.Diff(s.before, got); d != "" || known != s.known {
						t.Errorf("before step %d (again %v): known %v, -want +got\n%s", i, again, known, d)
					}
				}
				got, known := h.PreviousLayers(function)
				if d := cmp.Diff(tt.after, got); d != "" || known != tt.known {
					t.Errorf("after (again %v): known %v, -want +got\n%s", again, known, d)
				}
			}
		})
	}
}

func TestLayers_from_a_snapshot(t *testing.T) {
	h := history.New(history.Limits{})
	h.SeeLayers(function, []string{layerA1}, minute(5))
	if _, known := h.LayersBefore(function, minute(4), "x"); known {
		t.Error("a snapshot tells nothing of the time before it")
	}
	if got, known := h.LayersBefore(function, minute(6), "x"); !known || !cmp.Equal(got, []string{layerA1}) {
		t.Errorf("got %v %v", got, known)
	}
}

func TestGrantWindows(t *testing.T) {
	const version = "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"
	add := func(id, sid, principal string, at int) raw {
		return event(id, "AddLayerVersionPermission20181031", at, fmt.Sprintf(`{"layerName":"utils","versionNumber":3,"statementId":%q,"principal":%q,"action":"lambda:GetLayerVersion"}`, sid, principal), `{"revisionId":"r"}`)
	}
	remove := func(id, sid string, at int) raw {
		return event(id, "RemoveLayerVersionPermission20181031", at, fmt.Sprintf(`{"layerName":"arn:aws:lambda:eu-west-1:111122223333:layer:utils","versionNumber":3,"statementId":%q}`, sid), "")
	}
	remove2 := func(id string, at int) raw {
		return event(id, "DeleteLayerVersion20181031", at, `{"layerName":"utils","versionNumber":3}`, "")
	}
	open := func(sid, principal, ev string, at int) history.Window {
		return history.Window{LayerVersion: version, StatementID: sid, Principal: principal, From: minute(at), FromEvent: ev, Ending: history.Open}
	}
	closed := func(w history.Window, how history.Ending, ev string, at int) history.Window {
		w.Ending, w.ToEvent, w.To = how, ev, minute(at)
		return w
	}
	tests := []struct {
		name   string
		events []raw
		want   []history.Window
	}{
		{"open", []raw{add("1", "s", "*", 1)}, []history.Window{open("s", "*", "1", 1)}},
		{"removed", []raw{add("1", "s", "*", 1), remove("2", "s", 9)}, []history.Window{closed(open("s", "*", "1", 1), history.Removed, "2", 9)}},
		{"granted_again", []raw{add("1", "s", "*", 1), remove("2", "s", 9), add("3", "s", "*", 10)}, []history.Window{closed(open("s", "*", "1", 1), history.Removed, "2", 9), open("s", "*", "3", 10)}},
		{"deleted_version_ends_all", []raw{add("1", "s", "*", 1), add("2", "t", "444455556666", 2), remove2("3", 9)}, []history.Window{closed(open("s", "*", "1", 1), history.Deleted, "3", 9), closed(open("t", "444455556666", "2", 2), history.Deleted, "3", 9)}},
		{"older_than_the_log", []raw{remove("2", "s", 9)}, []history.Window{{LayerVersion: version, StatementID: "s", To: minute(9), ToEvent: "2", Ending: history.Removed}}},
		{"end_not_in_the_log", []raw{add("1", "s", "*", 1), add("2", "s", "444455556666", 9)}, []history.Window{closed(open("s", "*", "1", 1), history.Unseen, "2", 9), open("s", "444455556666", "2", 9)}},
		{"another_version", []raw{raw(strings.Replace(string(add("1", "s", "*", 1)), `"versionNumber":3`, `"versionNumber":4`, 1))}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				h := history.New(history.Limits{})
				evs := append(append([]raw{}, tt.events...), tt.events...)
				rng.Shuffle(len(evs), func(i, j int) { evs[i], evs[j] = evs[j], evs[i] })
				for _, ev := range evs {
					h.Observe(ev)
				}
				if d := cmp.Diff(tt.want, h.GrantWindows(version)); d != "" {
					t.Fatalf("-want +got\n%s", d)
				}
			}
		})
	}
}

func TestMapping(t *testing.T) {
	h := history.New(history.Limits{})
	create := event("1", "CreateEventSourceMapping20150331", 1, `{"functionName":"orders","eventSourceArn":"arn:aws:sqs:eu-west-1:111122223333:q"}`, `{"uUID":"u-1","functionArn":"`+function+`"}`)
	update := event("2", "UpdateEventSourceMapping20150331", 2, `{"uUID":"u-1","functionName":"other"}`, `{"uUID":"u-1","functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:other"}`)
	h.Observe(create)
	h.Observe(update)
	if got, known := h.TargetBefore("u-1", minute(2), "2"); !known || got != function {
		t.Errorf("before the update: %q %v", got, known)
	}
	if got, known := h.TargetBefore("u-1", minute(1), "1"); known {
		t.Errorf("before the creation: %q", got)
	}
}

// Order and repetition of what is shown make no difference.
func TestObserve_is_a_function_of_the_set_of_events(t *testing.T) {
	var evs []raw
	for i := range 40 {
		layers := fmt.Sprintf(`["arn:aws:lambda:eu-west-1:111122223333:layer:a:%d"]`, i+1)
		evs = append(evs, event(fmt.Sprint("e", i), "UpdateFunctionConfiguration20150331v2", i/3, `{"functionName":"orders","layers":`+layers+`}`, ""))
	}
	result := func(evs []raw) []string {
		h := history.New(history.Limits{})
		for _, ev := range evs {
			h.Observe(ev)
		}
		var out []string
		for i := range 20 {
			l, known := h.LayersBefore(function, minute(i), "e20")
			out = append(out, fmt.Sprint(l, known))
		}
		return out
	}
	want := result(evs)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		mixed := append(append([]raw{}, evs...), evs[:20]...)
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if d := cmp.Diff(want, result(mixed)); d != "" {
			t.Fatalf("-want +got\n%s", d)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		h := history.New(history.Limits{Bytes: 64 << 10})
		for i := range 2000 {
			h.Observe(event(strconv.Itoa(i), "CreateFunction20150331", i, fmt.Sprintf(`{"functionName":"f%d","layers":["%s"]}`, i, layerA1), ""))
		}
		s := h.Stats()
		if s.Bytes > 64<<10 || s.Evicted == 0 || s.Keys+s.Evicted != 2000 {
			t.Errorf("got %+v", s)
		}
		if _, known := h.PreviousLayers("arn:aws:lambda:eu-west-1:111122223333:function:f0"); known {
			t.Error("what was forgotten is known")
		}
		if _, known := h.PreviousLayers("arn:aws:lambda:eu-west-1:111122223333:function:f1999"); !known {
			t.Error("the newest is not known")
		}
	})
	t.Run("per_key", func(t *testing.T) {
		h := history.New(history.Limits{PerKey: 3})
		for i := range 10 {
			h.Observe(event(fmt.Sprint("e", i), "CreateFunction20150331", i, `{"functionName":"orders"}`, configured(layerA1)))
		}
		if s := h.Stats(); s.Evicted != 7 || s.Keys != 1 {
			t.Errorf("got %+v", s)
		}
		if _, known := h.LayersBefore(function, minute(2), ""); known {
			t.Error("what was forgotten is known")
		}
	})
	t.Run("one_record_cannot_fill_the_memory", func(t *testing.T) {
		h := history.New(history.Limits{})
		big := `["` + strings.Repeat(layerA1+`","`, 100000) + `"]`
		h.Observe(event("1", "CreateFunction20150331", 1, `{"functionName":"orders","layers":`+big+`}`, ""))
		h.Observe(event("2", "CreateFunction20150331", 2, `{"functionName":"orders","layers":["`+strings.Repeat("a", 1<<20)+`"]}`, ""))
		if s := h.Stats(); s.Bytes > 16<<10 {
			t.Errorf("%d bytes", s.Bytes)
		}
	})
}

func TestCall_forms(t *testing.T) {
	tests := []struct {
		name, request, response, region string
		layer, function                 string
	}{
		{"layer_by_name", `{"layerName":"utils","versionNumber":3}`, "", "eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3", ""},
		{"layer_by_arn", `{"layerName":"arn:aws-cn:lambda:cn-north-1:444455556666:layer:utils","versionNumber":3}`, "", "cn-north-1", "arn:aws-cn:lambda:cn-north-1:444455556666:layer:utils:3", ""},
		{"layer_in_govcloud", `{"layerName":"utils","versionNumber":"3"}`, "", "us-gov-west-1", "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:layer:utils:3", ""},
		{"layer_in_an_odd_region", `{"layerName":"utils"}`, "", "eugov-eastcentral-1r", "arn:aws:lambda:eugov-eastcentral-1r:111122223333:layer:utils", ""},
		{"layer_published", `{"layerName":"utils"}`, `{"layerVersionArn":"arn:aws:lambda:eu-west-1:111122223333:layer:utils:4"}`, "eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:4", ""},
		{"layer_in_the_answered_statement", `{"layerName":"utils","versionNumber":3}`, `{"statement":"{\"Resource\":\"arn:aws-eusc:lambda:eusc-de-east-1:111122223333:layer:utils:3\"}"}`, "eusc-de-east-1", "arn:aws-eusc:lambda:eusc-de-east-1:111122223333:layer:utils:3", ""},
		{"layer_nonsense", `{"layerName":"arn:x"}`, "", "eu-west-1", "", ""},
		{"layer_version_nonsense", `{"layerName":"utils","versionNumber":-3}`, "", "eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:layer:utils", ""},
		{"function_by_name", `{"functionName":"f:live"}`, "", "eu-west-1", "", "arn:aws:lambda:eu-west-1:111122223333:function:f live"},
		{"function_by_partial_arn", `{"functionName":"444455556666:function:f"}`, "", "eu-west-1", "", "arn:aws:lambda:eu-west-1:444455556666:function:f "},
		{"function_by_arn", `{"functionName":"arn:aws-us-gov:lambda:us-gov-east-1:444455556666:function:f:3"}`, "", "us-gov-east-1", "", "arn:aws-us-gov:lambda:us-gov-east-1:444455556666:function:f 3"},
		{"function_with_qualifier", `{"functionName":"f","qualifier":"3"}`, "", "eu-west-1", "", "arn:aws:lambda:eu-west-1:111122223333:function:f 3"},
		{"function_of_the_answer", `{"functionName":"f"}`, `{"functionArn":"arn:aws-cn:lambda:cn-north-1:111122223333:function:f:9"}`, "cn-north-1", "", "arn:aws-cn:lambda:cn-north-1:111122223333:function:f "},
		{"function_of_another_service", `{"functionName":"arn:aws:sqs:eu-west-1:111122223333:f"}`, "", "eu-west-1", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := strings.Replace(string(event("1", "X", 1, tt.request, tt.response)), `"awsRegion":"eu-west-1"`, `"awsRegion":"`+tt.region+`"`, 1)
			if tt.region != "eu-west-1" {
				rec = strings.Replace(rec, `"arn":"arn:aws:iam::111122223333:user/alice"`, `"arn":""`, 1)
			}
			c, ok := history.ReadCall([]byte(rec))
			if !ok {
				t.Fatal("not a record")
			}
			layer := ""
			if l, ok := c.Layer(); ok {
				layer = l.String()
			}
			fn := ""
			if f, ok := c.Function(); ok {
				fn = f.ARN + " " + f.Qualifier
			}
			if layer != tt.layer || fn != tt.function {
				t.Errorf("got  %q %q\nwant %q %q", layer, fn, tt.layer, tt.function)
			}
		})
	}
}

func FuzzObserve(f *testing.F) {
	f.Add([]byte(event("1", "CreateFunction20150331", 1, `{"functionName":"orders","layers":["`+layerA1+`"]}`, configured(layerA1))))
	f.Add([]byte(event("1", "AddLayerVersionPermission20181031", 1, `{"layerName":"utils","versionNumber":3,"principal":"*","statementId":"s"}`, `{"statement":"{}"}`)))
	f.Add([]byte(event("2", "DeleteLayerVersion20181031", 1, `{"layerName":"utils","versionNumber":3}`, "")))
	f.Add([]byte(event("1", "UpdateEventSourceMapping20150331", 1, `{"uUID":"u","functionName":"orders"}`, "")))
	f.Add([]byte(`{"eventSource":"lambda.amazonaws.com","eventName":"CreateFunction","requestParameters":[],"responseElements":"x"}`))
	f.Add([]byte(`null`))
	h := history.New(history.Limits{Bytes: 256 << 10})
	f.Fuzz(func(t *testing.T, data []byte) {
		h.Observe(raw(data))
		if s := h.Stats(); s.Bytes > 256<<10 && s.Keys > 1 || s.Bytes < 0 {
			t.Errorf("%+v", s)
		}
		if c, ok := history.ReadCall(data); ok {
			c.ParamTexts("layers")
			if l, ok := c.Layer(); ok {
				h.GrantWindows(l.String())
			}
			c.Mapping()
			c.RequestedLayers()
		}
	})
}
