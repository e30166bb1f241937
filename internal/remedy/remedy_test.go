package remedy_test

import (
	"errors"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/remedy"
)

func TestPlans(t *testing.T) {
	good := lamina.Plan{Steps: []lamina.Step{{Action: "x", RevisionID: "r", Undo: &lamina.Step{Action: "y"}}}, Breaks: []string{"b"}}
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		plan lamina.Plan
		err  error
		n    int
		ok   bool
	}{
		"good":           {good, nil, 1, true},
		"not_applicable": {lamina.Plan{}, remedy.ErrNotApplicable, 0, true},
		"fails":          {lamina.Plan{}, boom, 0, false},
		"no_steps":       {lamina.Plan{Breaks: []string{"b"}}, nil, 0, false},
		"no_breaks":      {lamina.Plan{Steps: good.Steps}, nil, 0, false},
		"no_undo":        {lamina.Plan{Steps: []lamina.Step{{RevisionID: "r"}}, Breaks: []string{"b"}}, nil, 0, false},
		"no_revision":    {lamina.Plan{Steps: []lamina.Step{{Undo: &lamina.Step{}}}, Breaks: []string{"b"}}, nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			fix := remedy.Fix{ID: "f", Plan: func(*estate.Estate, lamina.Exposure) (lamina.Plan, error) { return tt.plan, tt.err }}
			plans, err := remedy.Plans([]remedy.Fix{fix}, nil, lamina.Exposure{ID: "E-1"})
			if (err == nil) != tt.ok || len(plans) != tt.n {
				t.Fatalf("got %v, %v", plans, err)
			}
			if len(plans) == 1 && (plans[0].ID != lamina.ID("P", "f", "E-1") || plans[0].Fix != "f" || plans[0].Exposure != "E-1") {
				t.Errorf("%+v", plans[0])
			}
		})
	}
}
