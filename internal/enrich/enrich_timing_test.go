package enrich_test

import (
	"testing"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/enrich"
)

// What a rule pays for a derived field: nothing on calls that have none, one
// decoded record on those that have.
func BenchmarkValues(b *testing.B) {
	for _, bm := range []struct {
		name string
		ev   record
	}{
		{"another_service", event("1", "s3", "GetObject", 1, `{"bucketName":"b"}`, "")},
		{"a_call_without_fields", event("1", "lambda", "GetFunction20150331v2", 1, `{"functionName":"orders"}`, "")},
		{"grant", event("1", "lambda", "AddLayerVersionPermission20181031", 1, `{"layerName":"utils","versionNumber":3,"statementId":"s","principal":"*"}`, `{"statement":"{}"}`)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			e := enrich.New(enrich.Config{})
			f := ecs.Lookup("lamina.grant.scope")
			ev := &cloudtrail.Event{}
			other := &cloudtrail.Event{}
			if err := ev.Reset(bm.ev); err != nil {
				b.Fatal(err)
			}
			if err := other.Reset(append([]byte(" "), bm.ev...)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(bm.ev)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				// Two records in turn, so that each is decoded anew.
				if i%2 == 0 {
					e.Values(ev, f)
				} else {
					e.Values(other, f)
				}
			}
		})
	}
}

// What history costs a candidate.
func BenchmarkObserve(b *testing.B) {
	e := enrich.New(enrich.Config{})
	evs := make([]record, 512)
	for i := range evs {
		evs[i] = update(string(rune('a'+i%26))+string(rune('a'+i/26)), i%60, []string{own + "1", own2 + "2"}, []string{own + "1"})
	}
	ev := &cloudtrail.Event{}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := ev.Reset(evs[i%len(evs)]); err != nil {
			b.Fatal(err)
		}
		e.Observe(ev)
	}
}

// A call that has no derived fields costs no memory.
func TestValues_allocate_nothing_for_other_calls(t *testing.T) {
	e := enrich.New(enrich.Config{})
	f := ecs.Lookup("lamina.grant.scope")
	for _, rec := range []record{
		event("1", "s3", "GetObject", 1, `{"bucketName":"b"}`, ""),
		event("1", "lambda", "GetFunction20150331v2", 1, `{"functionName":"orders"}`, ""),
	} {
		ev := &cloudtrail.Event{}
		if err := ev.Reset(rec); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { e.Values(ev, f) }); n > 0 {
			t.Errorf("%g allocations", n)
		}
	}
}
