// Package validate is the contract of an attack and the runner that proves
// that what should be seen is seen.
//
// An attack is detonated against a target that the caller gives, the records it
// left are shown to the rules, and it is reverted; the report says which rules
// were expected and which fired, and whether the state before came back. The
// runner does not choose the target: in tests and in the demo it is a fake AWS.
// This package names no attack; package attacks holds them. Start with Run.
package validate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awswrite"
)

// An Attack is one thing an intruder does.
type Attack struct {
	// ID is the file's name with hyphens ("share-layer-publicly").
	ID    string
	Title string
	// Since is the release it came with.
	Since string
	// Technique is the MITRE ATT&CK id.
	Technique string
	// Needs are the IAM actions that detonating and reverting call.
	Needs []string
	// Expect are the rules that must fire, by file name without ".toml".
	Expect []string
	// Detonate does it, Revert undoes it. Revert must also work after a Detonate
	// that failed half way.
	Detonate func(ctx context.Context, t Target) error
	Revert   func(ctx context.Context, t Target) error
}

// A Target is what an attack is detonated on.
type Target struct {
	// Layer is the ARN of a layer version that may be shared for a moment.
	Layer string
	// Do carries out one step.
	Do func(ctx context.Context, s lamina.Step) error
}

var _ = Target{Do: (*awswrite.Client)(nil).Do}

// A Lab is what the runner needs beside the target.
type Lab struct {
	Target Target
	// State is a digest of what the attack may touch.
	State func(ctx context.Context) (string, error)
	// Records are the CloudTrail records that exist, oldest first.
	Records func() [][]byte
	// Fired returns the rules that fire on the records, by file name without
	// ".toml". nil says that no detection engine is at hand.
	Fired func(records [][]byte) ([]string, error)
}

// A Report says what an attack showed.
type Report struct {
	Attack string
	// Outcome is Pass when every expected rule fired and the state came back,
	// Unknown with Reason when one of them could not be told.
	Outcome lamina.Outcome
	Reason  string
	// Fired are the rules that fired, sorted; Missing were expected and did not.
	Fired, Missing []string
	// Records are what the attack itself left, without its reverting.
	Records  [][]byte
	Restored bool
}

// Run detonates the attack, reads what it left, and reverts it whatever
// happened. The error is for a target that was not restored or could not be
// used at all; what the rules did is in the Report.
func Run(ctx context.Context, a Attack, lab Lab) (Report, error) {
	r := Report{Attack: a.ID, Outcome: lamina.Unknown}
	before, err := lab.State(ctx)
	if err != nil {
		return r, fmt.Errorf("attack %s: read the state before: %w", a.ID, err)
	}
	old := len(lab.Records())
	detonated := a.Detonate(ctx, lab.Target)
	r.Records = slices.Clone(lab.Records()[old:])
	// Reverting must not be stopped by what stopped the attack.
	if err := a.Revert(context.WithoutCancel(ctx), lab.Target); err != nil {
		return r, fmt.Errorf("attack %s: revert: %w", a.ID, errors.Join(err, detonated))
	}
	after, err := lab.State(context.WithoutCancel(ctx))
	if err != nil {
		return r, fmt.Errorf("attack %s: read the state after: %w", a.ID, err)
	}
	if r.Restored = after == before; !r.Restored {
		return r, fmt.Errorf("attack %s: the state after reverting is not the state before", a.ID)
	}
	if detonated != nil {
		return r, fmt.Errorf("attack %s: %w", a.ID, detonated)
	}
	if lab.Fired == nil {
		r.Reason = "no detection engine is at hand"
		return r, nil
	}
	fired, err := lab.Fired(r.Records)
	if err != nil {
		r.Reason = "the records were not evaluated: " + err.Error()
		return r, nil //nolint:nilerr // the attack ran and was undone: what nobody could ask is UNKNOWN, with its reason
	}
	r.Fired = slices.Compact(slices.Sorted(slices.Values(fired)))
	r.Outcome = lamina.Pass
	for _, id := range a.Expect {
		if !slices.Contains(r.Fired, id) {
			r.Missing = append(r.Missing, id)
			r.Outcome = lamina.Fail
		}
	}
	return r, nil
}
