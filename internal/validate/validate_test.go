package validate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/validate"
)

func TestRun(t *testing.T) {
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		detonate, revert error
		stays            bool
		fired            []string
		engine           error
		noEngine         bool
		want             lamina.Outcome
		err              bool
	}{
		"seen":           {fired: []string{"other", "rule"}, want: lamina.Pass},
		"not_seen":       {fired: []string{"other"}, want: lamina.Fail},
		"engine_fails":   {engine: boom, want: lamina.Unknown},
		"no_engine":      {noEngine: true, want: lamina.Unknown},
		"attack_fails":   {detonate: boom, want: lamina.Unknown, err: true},
		"revert_fails":   {revert: boom, want: lamina.Unknown, err: true},
		"does_not_leave": {stays: true, fired: []string{"rule"}, want: lamina.Unknown, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			state, reverted := "before", false
			records := [][]byte{[]byte("old")}
			a := validate.Attack{
				ID: "a", Expect: []string{"rule"},
				Detonate: func(context.Context, validate.Target) error {
					state, records = "after", append(records, []byte("attack"))
					return tt.detonate
				},
				Revert: func(ctx context.Context, _ validate.Target) error {
					reverted, records = true, append(records, []byte("revert"))
					if !tt.stays {
						state = "before"
					}
					return errors.Join(tt.revert, ctx.Err())
				},
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // reverting must go on
			lab := validate.Lab{
				State:   func(context.Context) (string, error) { return state, nil },
				Records: func() [][]byte { return records },
				Fired:   func([][]byte) ([]string, error) { return tt.fired, tt.engine },
			}
			if tt.noEngine {
				lab.Fired = nil
			}
			r, err := validate.Run(ctx, a, lab)
			if (err != nil) != tt.err || r.Outcome != tt.want || !reverted {
				t.Errorf("got %+v, %v; reverted %v", r, err, reverted)
			}
			if len(r.Records) != 1 || string(r.Records[0]) != "attack" {
				t.Errorf("records %q", r.Records)
			}
			if r.Outcome == lamina.Unknown && err == nil && r.Reason == "" {
				t.Error("unknown without reason")
			}
		})
	}
}
