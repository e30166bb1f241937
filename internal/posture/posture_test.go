package posture_test

import (
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

func TestRun_trusts_no_check(t *testing.T) {
	check := func(id string, run func(posture.Input, func(posture.Result))) posture.Check {
		return posture.Check{ID: id, Severity: lamina.High, Run: run}
	}
	result := func(r posture.Result) func(posture.Input, func(posture.Result)) {
		return func(_ posture.Input, found func(posture.Result)) { found(r) }
	}
	fs := posture.Run([]posture.Check{
		check("z-panics", func(_ posture.Input, found func(posture.Result)) {
			found(posture.Result{Outcome: lamina.Pass, Resource: "a"})
			panic("boom")
		}),
		check("no-outcome", result(posture.Result{Resource: "a"})),
		check("no-evidence", result(posture.Result{Outcome: lamina.Fail, Resource: "a"})),
		check("no-reason", result(posture.Result{Outcome: lamina.Unknown, Resource: "a"})),
		check("fine", result(posture.Result{Outcome: lamina.Fail, Resource: "a", Evidence: []string{"x: y"}, Severity: lamina.Low})),
	}, posture.Input{Estate: estate.New(lamina.Snapshot{}, nil)})
	var got []string
	for _, f := range fs {
		got = append(got, f.Check+" "+f.Resource+" "+string(f.Outcome)+" "+string(f.Severity))
		if f.Outcome == lamina.Unknown && (f.Reason == "" || f.Settle == "") {
			t.Errorf("%s: unknown without reason: %+v", f.Check, f)
		}
	}
	want := "fine a FAIL low\nno-evidence a UNKNOWN high\nno-outcome a UNKNOWN high\nno-reason a UNKNOWN high\nz-panics a PASS high\nz-panics check:z-panics UNKNOWN high"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}
