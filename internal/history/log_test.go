package history_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/history"
)

// observe gives records to n collectors by turns.
func observe(t *testing.T, n int, records ...raw) *history.Log {
	t.Helper()
	cs := make([]*history.Collector, n)
	for i := range cs {
		cs[i] = history.NewCollector()
	}
	for i, r := range records {
		ev := &cloudtrail.Event{}
		if err := ev.Reset(r); err != nil {
			t.Fatal(err)
		}
		if err := cs[i%n].Observe(ev); err != nil {
			t.Fatal(err)
		}
	}
	l, err := history.Join(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func records() []raw {
	const layer = `"layerName":"a","versionNumber":1`
	return []raw{
		event("1", "AddLayerVersionPermission20181031", 1, `{`+layer+`,"statementId":"s","principal":"*"}`, ""),
		event("2", "GetLayerVersion20181031", 2, `{`+layer+`}`, ""),
		event("3", "UpdateFunctionConfiguration20150331v2", 3, `{"functionName":"orders","layers":["`+layerB1+`","`+layerA1+`"]}`, configured(layerB1, layerA1)),
		event("4", "UpdateFunctionConfiguration20150331v2", 4, `{"functionName":"orders","timeout":3}`, configured(layerB1, layerA1)), // says nothing of layers
		event("5", "RemoveLayerVersionPermission20181031", 5, `{`+layer+`,"statementId":"s"}`, ""),
		event("6", "ListLayers20181031", 6, `{}`, ""),
		event("7", "Invoke", 7, `{}`, ""),
	}
}

func TestLog(t *testing.T) {
	l := observe(t, 1, records()...)
	if l.Records != 7 || !l.From.Equal(minute(1)) || !l.To.Equal(minute(7)) || len(l.Entries) != 5 {
		t.Errorf("%d records from %s to %s, %d entries", l.Records, l.From, l.To, len(l.Entries))
	}
	if !l.Covers(account, "eu-west-1") || l.Covers(account, "eu-west-2") || l.Covers("444455556666", "eu-west-1") {
		t.Error("what is covered is wrong")
	}
	var about []string
	for _, e := range l.About(layerA1) {
		about = append(about, e.ID+" "+e.API+" "+e.Function)
	}
	want := []string{"1 AddLayerVersionPermission ", "2 GetLayerVersion ", "3 UpdateFunctionConfiguration " + function, "5 RemoveLayerVersionPermission "}
	if d := cmp.Diff(want, about); d != "" {
		t.Error(d)
	}
	window := []history.Window{{
		LayerVersion: layerA1, StatementID: "s", Principal: "*", From: minute(1), To: minute(5), FromEvent: "1", ToEvent: "5", Ending: history.Removed,
	}}
	if d := cmp.Diff(window, l.Windows(layerA1)); d != "" {
		t.Error(d)
	}
	if e, ok := l.Entry("3"); !ok || e.Caller != "arn:aws:iam::111122223333:user/alice" || e.CallerAccount != account {
		t.Errorf("%+v", e)
	}
}

// A refusal hides what was asked for; the sentence of AWS says which layer it was.
func TestLog_refused(t *testing.T) {
	const sentence = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: lambda:GetLayerVersion on resource: " + layerB1 +
		" because no resource-based policy allows the lambda:GetLayerVersion action"
	r := raw(`{"eventID":"1","eventName":"UpdateFunctionConfiguration20150331v2","eventSource":"lambda.amazonaws.com","awsRegion":"eu-west-1","recipientAccountId":"` + account +
		`","eventTime":"2026-03-01T09:01:00Z","errorCode":"AccessDenied","errorMessage":"` + sentence + `","requestParameters":null}`)
	l := observe(t, 1, r)
	if len(l.Entries) != 1 || !l.Entries[0].Refused || l.Entries[0].Layer != layerB1 || len(l.Windows(layerB1)) != 0 {
		t.Errorf("%+v", l.Entries)
	}
}

// Which file is read by which goroutine, in which order, and how often, makes no
// difference.
func TestJoin_is_a_function_of_the_set_of_records(t *testing.T) {
	want := observe(t, 1, records()...)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 5 {
		again := append(records(), records()[:4]...)
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		got := observe(t, n+1, again...)
		if d := cmp.Diff(want.Entries, got.Entries); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(want.Windows(layerA1), got.Windows(layerA1)); d != "" {
			t.Fatal(d)
		}
	}
}

func TestWho(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:sts::111122223333:assumed-role/ci/build-1": "arn:aws:iam::111122223333:role/ci",
		"arn:aws:iam::111122223333:user/ann":                "arn:aws:iam::111122223333:user/ann",
		"arn:aws:sts::111122223333:federated-user/ann":      "arn:aws:sts::111122223333:federated-user/ann",
		"": "",
	} {
		if got := history.Who(arn); got != want {
			t.Errorf("%s: got %s, want %s", arn, got, want)
		}
	}
}

func FuzzCollector(f *testing.F) {
	for _, r := range records() {
		f.Add([]byte(r))
	}
	f.Add([]byte(`{"eventSource":"lambda.amazonaws.com","eventName":"GetLayerVersionByArn","errorMessage":"lambda:GetLayerVersion on resource: arn:aws:lambda:r:1:layer:x:1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ev := &cloudtrail.Event{}
		if ev.Reset(data) != nil {
			return
		}
		c := history.NewCollector()
		if err := c.Observe(ev); err != nil {
			t.Fatal(err)
		}
		l, err := history.Join(c, c)
		if err != nil || len(l.Entries) > 1 {
			t.Fatalf("%d entries, %v", len(l.Entries), err)
		}
		for _, e := range l.Entries {
			l.Windows(e.Layer)
			if e.At.Equal(time.Time{}) {
				t.Error("an entry without a time")
			}
		}
	})
}
