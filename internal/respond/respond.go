// Package respond carries plans out: approved, journalled, verified, and undone
// when they do not do what they should.
//
// Every step is journalled before it is called and after; before it is called
// the resource is read and must be at the revision that the plan, or the step
// before, left. After the last step the check that failed is asked again. If a
// step fails or the check does, what was done is undone in reverse order, and
// the journal says where it stands. A call whose answer was lost is settled by
// reading, not by guessing.
//
// It decides nothing by itself: without an approval of exactly this plan it
// does not begin. Reading and checking are given to it, so that it can reach
// AWS only through the writer it is given. Start with Runner.Apply.
package respond

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awswrite"
)

// Errors that callers tell apart.
var (
	// ErrNotApproved says that the approval is not for this plan.
	ErrNotApproved = errors.New("the plan is not approved")
	// ErrDrifted says that a resource is not as the plan, or the journal, left it.
	ErrDrifted = errors.New("the resource changed since")
	// ErrNotFixed says that the check still fails after the last step.
	ErrNotFixed = errors.New("the check does not pass after the last step")
	// ErrStuck says that undoing failed: a person must look at the journal.
	ErrStuck = errors.New("not everything could be undone; the journal says what stands")
)

// An Approval says who agreed to which plan.
type Approval struct {
	By string
	// Plan is Digest of the plan as it was shown.
	Plan string
}

// Digest identifies a plan by all that it would do.
func Digest(p lamina.Plan) (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("plan %s: %w", p.ID, err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data)), nil
}

// A Runner carries plans out. None of its fields may be nil.
type Runner struct {
	// Write carries out a step, as awswrite.Client.Do does.
	Write func(ctx context.Context, s lamina.Step) error
	// Read returns the policy of a layer version, nil when it has none.
	Read func(ctx context.Context, resource string) (*lamina.LayerPolicy, error)
	// Check asks again whether what the plan is for still stands. Only Pass
	// means that it does not.
	Check func(ctx context.Context) (lamina.Outcome, error)
	// Journal receives one line an entry, each in one Write. If it has a Sync
	// method, that is called before every call that changes something.
	Journal io.Writer
	// Now is the clock.
	Now func() time.Time
}

var _ = Runner{Write: (*awswrite.Client)(nil).Do}

// Apply carries the plan out. On an error everything that was done has been
// undone, unless the error is ErrStuck as well.
func (r *Runner) Apply(ctx context.Context, p lamina.Plan, a Approval) error {
	digest, err := Digest(p)
	if err != nil {
		return err
	}
	if a.By == "" || a.Plan != digest {
		return fmt.Errorf("plan %s: %w", p.ID, ErrNotApproved)
	}
	j := &journal{r: r, plan: p.ID}
	if err := j.write(Entry{Kind: Approved, By: a.By, Digest: digest}); err != nil {
		return err
	}
	revisions := map[string]string{} // where our own steps left each resource
	var done []Entry
	for i, step := range p.Steps {
		e, err := r.step(ctx, j, i, step, revisions)
		if err != nil {
			err = fmt.Errorf("plan %s, step %d: %w", p.ID, i+1, err)
			return r.giveUp(ctx, j, done, err)
		}
		done = append(done, e)
	}
	outcome, err := r.Check(ctx)
	if err == nil && outcome != lamina.Pass {
		err = fmt.Errorf("%w: it is %s", ErrNotFixed, outcome)
	}
	if err != nil {
		return r.giveUp(ctx, j, done, fmt.Errorf("plan %s: %w", p.ID, err))
	}
	return j.write(Entry{Kind: Verified})
}

// step carries one step out and returns its Done entry.
func (r *Runner) step(ctx context.Context, j *journal, i int, s lamina.Step, revisions map[string]string) (Entry, error) {
	before, err := r.Read(ctx, s.Resource)
	if err != nil {
		return Entry{}, err
	}
	want, ours := revisions[s.Resource]
	if s.RevisionID != "" && !ours {
		want = s.RevisionID
	}
	if got := revision(before); got != want {
		return Entry{}, fmt.Errorf("%s: %w: revision %q is now %q", s.Resource, ErrDrifted, want, got)
	}
	s.RevisionID = want
	if err := j.write(Entry{Kind: Doing, Step: i + 1, Call: &s, State: state(before)}); err != nil {
		return Entry{}, err
	}
	failed := r.Write(ctx, s)
	after, err := r.Read(context.WithoutCancel(ctx), s.Resource)
	if err != nil {
		return Entry{}, errors.Join(failed, err, ErrStuck)
	}
	if failed != nil && state(after) == state(before) {
		return Entry{}, errors.Join(failed, j.write(Entry{Kind: Failed, Step: i + 1, Error: failed.Error()}))
	}
	// Either it was carried out, or it was and the answer was lost.
	revisions[s.Resource] = revision(after)
	e := Entry{Kind: Done, Step: i + 1, Call: &s, State: state(after)}
	return e, j.write(e)
}

// giveUp undoes what was done and returns why.
func (r *Runner) giveUp(ctx context.Context, j *journal, done []Entry, why error) error {
	if err := r.undo(context.WithoutCancel(ctx), j, done); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// Rollback undoes the steps that the journal says were done and not undone, in
// reverse order. The journal goes on where it ended.
func (r *Runner) Rollback(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return errors.New("the journal is empty")
	}
	j := &journal{r: r, plan: entries[0].Plan, seq: len(entries), prev: entries[len(entries)-1].hash}
	var done []Entry
	for _, e := range entries {
		switch e.Kind {
		case Done:
			done = append(done, e)
		case Undone:
			done = slices.DeleteFunc(done, func(d Entry) bool { return d.Step == e.Step })
		case Approved, Doing, Failed, Verified, Undoing:
		}
	}
	return r.undo(ctx, j, done)
}

func (r *Runner) undo(ctx context.Context, j *journal, done []Entry) error {
	for _, e := range slices.Backward(done) {
		if err := r.undoOne(ctx, j, e); err != nil {
			return fmt.Errorf("undo step %d: %w: %w", e.Step, ErrStuck, err)
		}
	}
	return nil
}

func (r *Runner) undoOne(ctx context.Context, j *journal, e Entry) error {
	if e.Call == nil || e.Call.Undo == nil {
		return errors.New("the step has no undo")
	}
	call := *e.Call.Undo
	now, err := r.Read(ctx, call.Resource)
	if err != nil {
		return err
	}
	if state(now) != e.State {
		return fmt.Errorf("%s: %w: it is not as step %d left it", call.Resource, ErrDrifted, e.Step)
	}
	call.RevisionID = revision(now)
	if err := j.write(Entry{Kind: Undoing, Step: e.Step, Call: &call, State: state(now)}); err != nil {
		return err
	}
	failed := r.Write(ctx, call)
	after, err := r.Read(ctx, call.Resource)
	if err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil && state(after) == state(now) {
		return failed
	}
	return j.write(Entry{Kind: Undone, Step: e.Step, State: state(after)})
}

func revision(p *lamina.LayerPolicy) string {
	if p == nil {
		return ""
	}
	return p.RevisionID
}

// state is a digest of the grants in any order: a statement that was removed
// and added again is the same policy, at another revision.
func state(p *lamina.LayerPolicy) string {
	if p == nil {
		return "none"
	}
	grants := slices.SortedFunc(slices.Values(p.Grants), func(a, b lamina.Grant) int {
		return cmp.Compare(a.StatementID, b.StatementID)
	})
	h := sha256.New()
	for _, g := range grants {
		fmt.Fprintf(h, "%q %q %q %q\n", g.StatementID, g.Action, g.Principal, g.OrganizationID)
	}
	return hex.EncodeToString(h.Sum(nil))
}
