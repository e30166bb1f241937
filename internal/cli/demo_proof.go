package cli

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/attacks"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/fixes"
	"github.com/lamina-sec/lamina/internal/awswrite"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/respond"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/internal/validate"
)

// writer changes the account of a layer version in the sample's AWS.
func (d *story) writer(account string) *awswrite.Client {
	http, id, secret := d.org.Fake.Client(d.org.Responder(account))
	return awswrite.New(awswrite.Options{
		Region: sample.Region, AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1,
	})
}

// rehearse applies each plan to the sample's AWS, sees that the check passes,
// and undoes it again.
func (d *story) rehearse(ctx context.Context) error {
	for _, p := range d.plans {
		l, err := lamina.ParseLayerARN(p.Steps[0].Resource)
		if err != nil {
			return err
		}
		var journal bytes.Buffer
		reader := d.session(l.ARN.Account).In(sample.Region)
		runner := respond.Runner{
			Write: d.writer(l.ARN.Account).Do, Read: reader.Policy, Journal: &journal, Now: d.org.Fake.Now,
			Check: func(ctx context.Context) (lamina.Outcome, error) { return d.recheck(ctx, p) },
		}
		digest, err := respond.Digest(p)
		if err != nil {
			return err
		}
		before, err := reader.Policy(ctx, p.Steps[0].Resource)
		if err != nil {
			return err
		}
		if err := runner.Apply(ctx, p, respond.Approval{By: "demo", Plan: digest}); err != nil {
			return err
		}
		entries, err := respond.ReadJournal(&journal)
		if err != nil {
			return err
		}
		if err := runner.Rollback(ctx, entries); err != nil {
			return err
		}
		after, err := reader.Policy(ctx, p.Steps[0].Resource)
		if err != nil {
			return err
		}
		d.proofs = append(d.proofs, rehearsal(p, before, after, len(entries)))
	}
	return nil
}

// rehearsal is the answer that a rehearsed plan gives.
func rehearsal(p lamina.Plan, before, after *lamina.LayerPolicy, entries int) lamina.Answer {
	a := lamina.Answer{
		Question: "rehearsal", Asks: "Would plan " + p.ID + " work, and can it be undone?", Alert: p.Exposure, Outcome: lamina.Pass,
		Text:     count(len(p.Steps), "step") + " applied, the check passed, undone again: the grants are those of before",
		Evidence: []string{fmt.Sprintf("journal: %s, each with the digest of the one before", count(entries, "line")), "plan: " + p.ID},
	}
	if !slices.EqualFunc(grants(before), grants(after), func(a, b lamina.Grant) bool { return a == b }) {
		a.Outcome, a.Text = lamina.Fail, "undoing it left other grants than those of before"
	}
	return a
}

func grants(p *lamina.LayerPolicy) []lamina.Grant {
	if p == nil {
		return nil
	}
	return slices.SortedFunc(slices.Values(p.Grants), func(a, b lamina.Grant) int { return strings.Compare(a.StatementID, b.StatementID) })
}

// recheck reads the plan's layer again and asks the checks that its fix remedies.
func (d *story) recheck(ctx context.Context, p lamina.Plan) (lamina.Outcome, error) {
	l, err := lamina.ParseLayerARN(p.Steps[0].Resource)
	if err != nil {
		return "", err
	}
	s, err := d.read(ctx, l.ARN.Account)
	if err != nil {
		return "", err
	}
	var remedies []string
	for _, f := range fixes.All {
		if f.ID == p.Fix {
			remedies = f.Remedies
		}
	}
	outcome := lamina.Unknown // unless the finding is found again
	for _, f := range posture.Run(checks.All, posture.Input{Estate: estate.New(s, nil)}) {
		if f.Resource != p.Steps[0].Resource || !slices.Contains(remedies, f.Check) {
			continue
		}
		if outcome = f.Outcome; outcome != lamina.Pass {
			break
		}
	}
	return outcome, nil
}

// validate detonates the attacks on the sample's AWS and asks the rules.
func (d *story) validate(ctx context.Context) error {
	l, err := lamina.ParseLayerARN(d.org.Sandbox)
	if err != nil {
		return err
	}
	reader := d.session(l.ARN.Account).In(sample.Region)
	lab := validate.Lab{
		Target: validate.Target{Layer: d.org.Sandbox, Do: d.writer(l.ARN.Account).Do},
		State: func(ctx context.Context) (string, error) {
			p, err := reader.Policy(ctx, d.org.Sandbox)
			return fmt.Sprint(grants(p)), err
		},
		Records: func() [][]byte {
			var raw [][]byte
			for _, e := range d.org.Fake.Trail() {
				raw = append(raw, e.Raw)
			}
			return raw
		},
		Fired: func(records [][]byte) ([]string, error) { return d.fired(ctx, records) },
	}
	for _, attack := range attacks.All {
		r, err := validate.Run(ctx, attack, lab)
		if err != nil {
			return err
		}
		d.proofs = append(d.proofs, lamina.Answer{
			Question: "validation", Asks: "Would the rules see an intruder " + attack.Title + "?", Alert: attack.ID, Outcome: r.Outcome,
			Text:     verdict(r),
			Evidence: []string{"attack: " + attack.ID + " (" + attack.Technique + ")", "rules that fired: " + strings.Join(r.Fired, " ")},
			Reason:   r.Reason, Settle: map[bool]string{true: "a run with the rules"}[r.Outcome == lamina.Unknown],
		})
	}
	return nil
}

func verdict(r validate.Report) string {
	switch r.Outcome {
	case lamina.Pass:
		return fmt.Sprintf("yes: it was tried on the sample's AWS, %s, and reverted", count(len(r.Records), "record")+" gave the alert")
	case lamina.Fail:
		return "no: these rules did not fire: " + strings.Join(r.Missing, " ")
	case lamina.Unknown, lamina.NotApplicable:
	}
	return "not known"
}

// fired runs the rules over records and returns the file names of those that
// fired, without ".toml".
func (d *story) fired(ctx context.Context, records [][]byte) ([]string, error) {
	data := append([]byte(`{"Records":[`), bytes.Join(records, []byte(","))...)
	alerts, counts, err := d.run(ctx, []*source.Blob{source.Memory("validation", append(data, "]}"...))})
	if err != nil {
		return nil, err
	}
	if int(counts.Evaluated) != len(records) {
		return nil, fmt.Errorf("%d of %d records were evaluated", counts.Evaluated, len(records))
	}
	var ids []string
	for _, al := range alerts {
		ids = append(ids, strings.TrimSuffix(path.Base(strings.TrimPrefix(al.Rule.File, "builtin:")), ".toml"))
	}
	return ids, nil
}
