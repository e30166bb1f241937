package detect_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/rule"
)

// record is a CloudTrail record with what the tests vary.
func record(id, at, provider, action string, extra ...string) []byte {
	m := map[string]any{
		"eventVersion": "1.11", "eventID": id, "eventTime": at, "eventSource": provider, "eventName": action,
		"recipientAccountId": "111122223333", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1",
		"userIdentity": map[string]any{"type": "IAMUser", "userName": "alice", "accountId": "111122223333"},
	}
	for _, kv := range extra {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// program compiles a rule of the query and the keys given as TOML lines.
func program(tb testing.TB, id, query string, lines ...string) *rule.Program {
	tb.Helper()
	src := fmt.Sprintf("[rule]\nrule_id = %q\nname = \"rule %s\"\ndescription = \"d\"\ntype = \"query\"\nlanguage = \"kuery\"\nseverity = \"low\"\nrisk_score = 21\nquery = '''\n%s\n'''\n%s\n",
		id, id, query, strings.Join(lines, "\n"))
	r, err := rule.Parse(id+".toml", []byte(src))
	if err != nil {
		tb.Fatal(err)
	}
	p, err := r.Compile(rule.CompileOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// run gives raw records to so many workers and returns what was decided.
func run(tb testing.TB, cfg detect.Config, workers int, raw [][]byte) ([]lamina.Alert, detect.Stats) {
	tb.Helper()
	eng, err := detect.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	newEvent := func() *cloudtrail.Event {
		ev := &cloudtrail.Event{}
		if h, ok := cfg.Enricher.(*lastLayer); ok {
			ev.Derived = h.values
		}
		return ev
	}
	ws := make([]*detect.Worker, workers)
	for i := range ws {
		ws[i] = eng.Worker()
	}
	ev := newEvent()
	for i, b := range raw {
		if err := ev.Reset(slices.Clone(b)); err != nil {
			tb.Fatal(err)
		}
		if err := ws[i%workers].Event(ev, detect.Place{Name: "test", Offset: int64(i)}); err != nil {
			tb.Fatal(err)
		}
	}
	var alerts []lamina.Alert
	again := newEvent()
	r := eng.NewRun(func(b []byte) (detect.Record, error) { return again, again.Reset(b) },
		func(a lamina.Alert) error { alerts = append(alerts, a); return nil })
	r.Documents = true
	if err := r.Finish(ws...); err != nil {
		tb.Fatal(err)
	}
	return alerts, r.Stats
}

func ids(alerts []lamina.Alert) []string {
	var out []string
	for _, a := range alerts {
		out = append(out, a.Rule.ID+" "+a.EventIDs[0])
	}
	return out
}

const day = "2026-06-18T"

func TestRun_alerts_in_time_order_once_each(t *testing.T) {
	cfg := detect.Config{Schedule: detect.Once, Programs: []*rule.Program{
		program(t, "share", `event.provider: "lambda.amazonaws.com" and event.action: AddLayerVersionPermission*`),
		program(t, "any-lambda", `event.provider: "lambda.amazonaws.com"`),
		program(t, "user", `user.name: alice and event.action: CreateUser`),
	}}
	raw := [][]byte{
		record("3", day+"13:00:03Z", "iam.amazonaws.com", "CreateUser"),
		record("2", day+"13:00:02Z", "lambda.amazonaws.com", "GetFunction20150331v2"),
		record("1", day+"13:00:01Z", "lambda.amazonaws.com", "AddLayerVersionPermission20181031"),
		record("2", day+"13:00:02Z", "lambda.amazonaws.com", "GetFunction20150331v2"), // delivered again
		record("4", day+"13:00:04Z", "ec2.amazonaws.com", "RunInstances"),
	}
	want := []string{"any-lambda 1", "share 1", "any-lambda 2", "user 3"}
	alerts, st := run(t, cfg, 2, raw)
	if d := cmp.Diff(want, ids(alerts)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if st.Duplicates != 1 || st.Events != 5 || st.Matches != 4 {
		t.Errorf("stats = %+v", st)
	}
}

// Re-delivery and re-order change nothing: every permutation and every split
// over workers gives the same alerts.
func TestRun_does_not_depend_on_delivery(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var raw [][]byte
	for i := range 60 {
		at := time.Date(2026, 6, 18, 13, 0, rng.IntN(900), 0, time.UTC).Format(time.RFC3339)
		raw = append(raw, record(fmt.Sprint("e", i), at, "lambda.amazonaws.com", "Invoke", "requestID="+strconv.Itoa(rng.IntN(3))))
	}
	for _, schedule := range []detect.Schedule{detect.Once, detect.Replay} {
		cfg := detect.Config{Schedule: schedule, Programs: []*rule.Program{
			program(t, "all", `event.provider: lambda*`, "max_signals = 7"),
			program(t, "folded", `event.provider: lambda*`, "[rule.alert_suppression]", `group_by = ["aws.cloudtrail.request_id"]`, `missing_fields_strategy = "suppress"`, "[rule.alert_suppression.duration]", "value = 10", `unit = "m"`),
			program(t, "layers", `lamina.layers.previous: *`),
		}}
		var first string
		for round := range 20 {
			cfg.Enricher = &lastLayer{}
			shuffled := append(slices.Clone(raw), raw[:round]...)
			rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			got, _ := run(t, cfg, 1+round%4, shuffled)
			for i := range got {
				got[i].Offset = 0
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				first = string(text)
				if len(got) == 0 {
					t.Fatal("no alerts: the test shows nothing")
				}
			} else if d := cmp.Diff(first, string(text)); d != "" {
				t.Fatalf("%s: round %d differs (-first +got):\n%s", schedule, round, d)
			}
		}
	}
}

// lastLayer is an enricher whose history field is the request id of the event
// before.
type lastLayer struct {
	now, before string
	raw         []byte
}

func (h *lastLayer) Wants(provider, _ string) bool { return provider == "lambda.amazonaws.com" }

func (h *lastLayer) Observe(ev ecs.Event) {
	h.before, h.now, h.raw = h.now, ev.Values(ecs.Lookup("event.id"))[0], slices.Clone(ev.Raw())
	h.now = strings.Clone(h.now)
}

func (h *lastLayer) values(ev ecs.Event, f *ecs.Field) []string {
	if f.Name != "lamina.layers.previous" || h.before == "" || string(ev.Raw()) != string(h.raw) {
		return nil
	}
	return []string{h.before}
}

func TestRun_history_fields_are_those_of_the_events_turn(t *testing.T) {
	cfg := detect.Config{Schedule: detect.Once, Enricher: &lastLayer{}, Programs: []*rule.Program{
		program(t, "after-1", `lamina.layers.previous: e1 and event.action: Invoke`),
		program(t, "first", `not lamina.layers.previous: *`),
	}}
	alerts, _ := run(t, cfg, 2, [][]byte{
		record("e2", day+"13:00:02Z", "lambda.amazonaws.com", "Invoke"),
		record("e1", day+"13:00:01Z", "lambda.amazonaws.com", "GetFunction"),
		record("e3", day+"13:00:03Z", "lambda.amazonaws.com", "Invoke"),
	})
	if d := cmp.Diff([]string{"first e1", "after-1 e2"}, ids(alerts)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	doc, _ := alerts[1].Document["lamina"].(map[string]any)
	layers, _ := doc["layers"].(map[string]any)
	if layers["previous"] != "e1" {
		t.Errorf("document has lamina.layers.previous %v, want e1", layers["previous"])
	}
}

// An event without a valid time alerts by itself; rules that depend on what was
// before do not see it, and it is counted.
func TestRun_events_without_a_time(t *testing.T) {
	for _, schedule := range []detect.Schedule{detect.Once, detect.Replay} {
		cfg := detect.Config{Schedule: schedule, Enricher: &lastLayer{}, Programs: []*rule.Program{
			program(t, "any", `event.action: Invoke`),
			program(t, "history", `not lamina.layers.previous: *`),
		}}
		alerts, st := run(t, cfg, 1, [][]byte{
			record("e1", "yesterday", "lambda.amazonaws.com", "Invoke"),
			record("e2", day+"13:00:00Z", "lambda.amazonaws.com", "Invoke"),
		})
		if d := cmp.Diff([]string{"any e1", "any e2", "history e2"}, ids(alerts)); d != "" {
			t.Errorf("%s: alerts (-want +got):\n%s", schedule, d)
		}
		if st.Untimed != 1 {
			t.Errorf("%s: %d events without a time, want 1", schedule, st.Untimed)
		}
	}
}

// The schedule is compared with one that asks every run for its window, as the
// detection engine does.
func TestReplay_equals_running_every_window(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 300 {
		interval, from := 1+rng.IntN(6), 1+rng.IntN(9)
		limit := 1 + rng.IntN(5)
		type ev struct {
			id string
			at time.Time
		}
		var evs []ev
		for i := range 1 + rng.IntN(40) {
			evs = append(evs, ev{fmt.Sprintf("e%02d", i), time.Date(2026, 6, 18, 13, rng.IntN(40), rng.IntN(60), 0, time.UTC)})
		}
		sort.Slice(evs, func(i, j int) bool {
			if !evs[i].at.Equal(evs[j].at) {
				return evs[i].at.Before(evs[j].at)
			}
			return evs[i].id < evs[j].id
		})
		done := map[string]bool{}
		var want []string
		for now := range 180 { // every minute, to find multiples without cleverness
			at := time.Date(2026, 6, 18, 12, now, 0, 0, time.UTC)
			if at.Unix()%int64(interval*60) != 0 {
				continue
			}
			room := limit
			for _, e := range evs {
				if room > 0 && !done[e.id] && !e.at.After(at) && !e.at.Before(at.Add(-time.Duration(from)*time.Minute)) {
					done[e.id] = true
					room--
				}
			}
		}
		raw := make([][]byte, 0, len(evs))
		for _, e := range evs {
			raw = append(raw, record(e.id, e.at.Format(time.RFC3339), "lambda.amazonaws.com", "Invoke"))
			if done[e.id] {
				want = append(want, "r "+e.id)
			}
		}
		p := program(t, "r", `event.action: Invoke`, fmt.Sprintf("max_signals = %d", limit), fmt.Sprintf("interval = \"%dm\"", interval), fmt.Sprintf("from = \"now-%dm\"", from))
		alerts, st := run(t, detect.Config{Programs: []*rule.Program{p}}, 1, raw)
		if d := cmp.Diff(want, ids(alerts)); d != "" {
			t.Fatalf("round %d (interval %d, from %d, limit %d) (-want +got):\n%s", round, interval, from, limit, d)
		}
		if got := st.Alerts + st.Unscheduled + st.OverMaxSignals + st.Suppressed; got != st.Matches {
			t.Fatalf("round %d: %d matches, %d accounted for: %+v", round, st.Matches, got, st)
		}
	}
}

func TestReplay_suppresses_within_the_duration(t *testing.T) {
	p := program(t, "r", `event.action: Invoke`, "[rule.alert_suppression]", `group_by = ["aws.cloudtrail.request_id"]`, `missing_fields_strategy = "doNotSuppress"`, "[rule.alert_suppression.duration]", "value = 20", `unit = "m"`)
	at := func(id, clock string, extra ...string) []byte {
		return record(id, day+clock+"Z", "lambda.amazonaws.com", "Invoke", extra...)
	}
	alerts, st := run(t, detect.Config{Programs: []*rule.Program{p}}, 1, [][]byte{
		at("a1", "13:00:10", "requestID=A"),
		at("a2", "13:01:00", "requestID=A"),
		at("b1", "13:02:00", "requestID=B"),
		at("a3", "13:12:00", "requestID=A"),
		at("n1", "13:12:01"),
		at("n2", "13:12:02"),
		at("a4", "13:40:00", "requestID=A"),
	})
	if d := cmp.Diff([]string{"r a1", "r b1", "r n1", "r n2", "r a4"}, ids(alerts)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if st.Suppressed != 2 {
		t.Errorf("%d suppressed, want 2", st.Suppressed)
	}
	s := alerts[0].Suppression
	if s == nil || s.DocsCount != 2 || s.End.Format("15:04:05") != "13:12:00" {
		t.Errorf("suppression of a1 = %+v", s)
	}
}

func TestWorker_allocates_nothing_for_events_that_match_no_rule(t *testing.T) {
	eng, err := detect.New(detect.Config{Enricher: &lastLayer{}, Programs: []*rule.Program{
		program(t, "pinned", `event.provider: "s3.amazonaws.com" and event.action: PutBucketPolicy and aws.cloudtrail.request_parameters: *Principal*`),
		program(t, "unpinned", `user.name: BedrockAPIKey-* and not source.ip: "10.0.0.0/8"`),
		program(t, "history", `lamina.layers.previous: x and event.action: PutBucketPolicy and event.outcome: failure`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := eng.Worker()
	ev := &cloudtrail.Event{}
	raw := [][]byte{
		record("1", day+"13:00:00Z", "s3.amazonaws.com", "PutBucketPolicy"),
		record("2", day+"13:00:00Z", "ec2.amazonaws.com", "RunInstances"),
	}
	all := func() {
		for _, b := range raw {
			if err := ev.Reset(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Event(ev, detect.Place{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	all()
	if n := testing.AllocsPerRun(1000, all); n != 0 {
		t.Errorf("%v allocations for two events that match no rule, want 0", n)
	}
}

// Names that nobody uses fill the dispatch cache and no more.
func TestWorker_bounds_classes(t *testing.T) {
	cfg := detect.Config{Schedule: detect.Once, Programs: []*rule.Program{program(t, "last", `event.action: Name19999 and event.provider: *`)}}
	var raw [][]byte
	for i := range 20_000 {
		raw = append(raw, record(strconv.Itoa(i), day+"13:00:00Z", "made-up", fmt.Sprintf("Name%d", i)))
	}
	alerts, _ := run(t, cfg, 1, raw)
	if d := cmp.Diff([]string{"last 19999"}, ids(alerts)); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
}

func TestNew_refuses_two_rules_with_one_id(t *testing.T) {
	p := program(t, "same", `event.action: a`)
	if _, err := detect.New(detect.Config{Programs: []*rule.Program{p, p}}); err == nil {
		t.Error("two rules with one rule_id were accepted")
	}
}

// Two records with one id, time and account that differ in the rest: which of
// them counts does not depend on which was read first.
func TestRun_order_of_delivery_does_not_choose_between_records_of_one_id(t *testing.T) {
	cfg := detect.Config{Schedule: detect.Once, Programs: []*rule.Program{program(t, "p", "user_agent.original: *")}}
	a := record("1", day+"13:00:00Z", "lambda.amazonaws.com", "Invoke", "userAgent=a")
	b := record("1", day+"13:00:00Z", "lambda.amazonaws.com", "Invoke", "userAgent=b")
	other := record("1", day+"13:00:00Z", "lambda.amazonaws.com", "Invoke", "userAgent=c", "recipientAccountId=444455556666")
	var want []string
	for _, raw := range [][][]byte{{a, b, other}, {b, a, other}, {other, b, a}, {a, other, b}} {
		alerts, st := run(t, cfg, 1, raw)
		var got []string
		for _, al := range alerts {
			got = append(got, al.ID+" "+al.Values["user_agent.original"][0])
		}
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" || len(got) != 2 || st.Duplicates != 0 || st.Differing != 1 {
			t.Errorf("%d duplicates, %d that differ, alerts (-first order +this order):\n%s", st.Duplicates, st.Differing, d)
		}
	}
}
