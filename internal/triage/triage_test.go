package triage_test

import (
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/triage"
)

func TestRun(t *testing.T) {
	reply := func(r triage.Reply) func(triage.Case) triage.Reply {
		return func(triage.Case) triage.Reply { return r }
	}
	answer := triage.Reply{Outcome: lamina.Pass, Text: "x", Evidence: []string{"event: e-1"}}
	for name, tt := range map[string]struct {
		q    triage.Question
		raw  string
		want lamina.Outcome
	}{
		"answered":         {triage.Question{Run: reply(answer)}, `{}`, lamina.Pass},
		"without_evidence": {triage.Question{Run: reply(triage.Reply{Outcome: lamina.Pass})}, `{}`, lamina.Unknown},
		"without_outcome":  {triage.Question{Run: reply(triage.Reply{})}, `{}`, lamina.Unknown},
		"without_reason":   {triage.Question{Run: reply(triage.Reply{Outcome: lamina.Unknown})}, `{}`, lamina.Unknown},
		"panics":           {triage.Question{Run: func(triage.Case) triage.Reply { panic("boom") }}, `{}`, lamina.Unknown},
		"other_kind":       {triage.Question{Wants: func(triage.Record) bool { return false }}, `{}`, lamina.NotApplicable},
		"no_record":        {triage.Question{Run: reply(answer)}, ``, lamina.Unknown},
		"broken_record":    {triage.Question{Run: reply(answer)}, `{"eventID":1}`, lamina.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := triage.Run([]triage.Question{tt.q}, lamina.Alert{ID: "A-1", Raw: []byte(tt.raw)}, nil, estate.Org{})
			if len(got) != 1 || got[0].Outcome != tt.want || got[0].Alert != "A-1" {
				t.Fatalf("got %+v, want %s", got, tt.want)
			}
			if a := got[0]; a.Outcome == lamina.Unknown && (a.Reason == "" || a.Settle == "") {
				t.Errorf("unknown without reason: %+v", a)
			}
		})
	}
}

func FuzzRun(f *testing.F) {
	f.Add([]byte(`{"eventID":"e","requestParameters":{"principal":"*","versionNumber":7}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q := triage.Question{Run: func(c triage.Case) triage.Reply {
			return triage.Reply{Outcome: lamina.Pass, Text: c.Record.Text("principal") + c.Record.Text("versionNumber"), Evidence: []string{"event: " + c.Record.EventID}}
		}}
		if got := triage.Run([]triage.Question{q}, lamina.Alert{Raw: raw}, nil, estate.Org{}); len(got) != 1 || !got[0].Outcome.Valid() {
			t.Errorf("%+v", got)
		}
	})
}
