// Package remedy is the contract of a fix: from an exposure to a plan, without
// a network.
//
// A fix is pure: it reads the estate and returns data. It never reaches
// awswrite, and a test of the import graph keeps it so. Carrying a plan out,
// and undoing it, is respond's. This package names no fix; package fixes holds
// them. Start with Plans.
//
// In a plan, Step.RevisionID is the revision the step expects to find. "" means
// the one that the step before left on the same resource, or, in an undo,
// whatever is there: respond reads it before it calls.
package remedy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
)

// PlanVersion is the version of the plans that fixes make.
const PlanVersion = 1

// A Fix can plan the end of an exposure.
type Fix struct {
	// ID is the file's name with hyphens ("remove-public-grant").
	ID    string
	Title string
	// Since is the release it came with.
	Since string
	// Remedies are ids of the checks whose failing findings it ends.
	Remedies []string
	// Effort is what it costs a person, in a few words.
	Effort string
	// Plan makes the plan; ErrNotApplicable says that the fix has nothing to do
	// for this exposure. It must not change the estate.
	Plan func(est *estate.Estate, e lamina.Exposure) (lamina.Plan, error)
}

// ErrNotApplicable is returned by a fix that has nothing to do for an exposure.
var ErrNotApplicable = errors.New("the fix does not apply to the exposure")

// Plans asks every fix for a plan for the exposure and returns them in the order
// of the fixes. Each plan is checked: a step without an undo, or one that says
// nothing of what it could break, is an error.
func Plans(fixes []Fix, est *estate.Estate, e lamina.Exposure) ([]lamina.Plan, error) {
	var plans []lamina.Plan
	for _, f := range fixes {
		p, err := f.Plan(est, e)
		if errors.Is(err, ErrNotApplicable) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("fix %s for %s: %w", f.ID, e.ID, err)
		}
		p.Version, p.Fix, p.Exposure = PlanVersion, f.ID, e.ID
		p.ID = lamina.ID("P", f.ID, e.ID)
		if err := valid(p); err != nil {
			return nil, fmt.Errorf("fix %s for %s: %w", f.ID, e.ID, err)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func valid(p lamina.Plan) error {
	switch {
	case len(p.Steps) == 0:
		return errors.New("the plan has no steps")
	case len(p.Breaks) == 0:
		return errors.New("the plan does not say what it could break")
	case slices.ContainsFunc(p.Steps, func(s lamina.Step) bool { return s.Undo == nil }):
		return errors.New("the plan has a step without an undo")
	case p.Steps[0].RevisionID == "":
		return errors.New("the plan's first step has no revision to expect")
	}
	return nil
}
