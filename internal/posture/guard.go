package posture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// A Probe is a call that a guardrail should stop.
type Probe struct {
	// Does says what the call would do, after "an administrator may".
	Does   string
	Action string
	// Object is what the call is about, in the account.
	Object func(account string) *iam.Object
	Keys   iam.Keys
}

// describeOrganization is the first of ServiceControl: it says whether there is
// an organisation.
const describeOrganization = "organizations:DescribeOrganization"

// Canary is the role that probes are made as. No exemption should name it.
const Canary = "lamina-canary"

// Probed makes the calls as a role of each account that its identity policy
// allows everything, under the account's service control policies, and makes a
// result of the accounts where they are stopped and where not. It simulates:
// what a policy looks like does not count. Accounts with the same answers are
// one result about the organisation.
func (in Input) Probed(found func(Result), probes ...Probe) {
	type answer struct {
		outcome        lamina.Outcome
		detail, reason string
	}
	resource := "arn:*:organizations:::" + cmp.Or(in.Estate.Snapshot.OrgID, "organization")
	for _, action := range ServiceControl {
		m, missing := in.Estate.Missing("", "", action, "")
		switch {
		case action != describeOrganization && in.Estate.Snapshot.OrgID == "":
			found(Result{Outcome: lamina.NotApplicable, Resource: resource, Detail: "the account is in no organisation"})
			return
		case missing:
			found(Result{
				Outcome: lamina.Unknown, Resource: resource, Detail: "which service control policies there are is not known", Reason: m.Why(), Settle: m.Settle(),
			})
			return
		}
	}
	groups := map[answer][]string{}
	statements := map[answer][]string{}
	for _, a := range in.Estate.Snapshot.Accounts {
		if a.Status != "" && a.Status != "ACTIVE" {
			continue
		}
		ans, by := in.probe(a, probes)
		k := answer{ans.Outcome, ans.Detail, ans.Reason}
		groups[k] = append(groups[k], a.ID)
		for _, s := range by {
			if !slices.Contains(statements[k], s) {
				statements[k] = append(statements[k], s)
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(x, y answer) int {
		return cmp.Or(cmp.Compare(x.outcome, y.outcome), cmp.Compare(x.detail, y.detail), cmp.Compare(x.reason, y.reason))
	})
	for _, k := range keys {
		accounts := groups[k]
		r := Result{
			Outcome: k.outcome, Resource: resource, Key: string(k.outcome) + k.detail + k.reason,
			Detail: k.detail + ": " + Count(len(accounts), "account"), Reason: k.reason,
		}
		for _, id := range accounts[:min(len(accounts), maxEvidence)] {
			r.Evidence = append(r.Evidence, "account: "+id)
		}
		if n := len(accounts) - maxEvidence; n > 0 {
			r.Evidence = append(r.Evidence, fmt.Sprintf("accounts: %d more", n))
		}
		slices.Sort(statements[k])
		for _, s := range statements[k][:min(len(statements[k]), maxEvidence)] {
			r.Evidence = append(r.Evidence, "statement: "+s)
		}
		if k.outcome == lamina.Unknown {
			r.Settle = "decide what the conditions named leave open"
		}
		found(r)
	}
}

// probe makes the calls in one account: the worst answer counts.
func (in Input) probe(a lamina.Account, probes []Probe) (worst Result, by []string) {
	if a.Management {
		return Result{Outcome: lamina.NotApplicable, Detail: "no service control policy applies to the management account"}, nil
	}
	docs := in.Estate.ServiceControl(a.ID)
	everything, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		return Result{Outcome: lamina.Unknown, Detail: "it was not tried", Reason: err.Error()}, nil
	}
	docs = append(docs, iam.Document{Policy: everything, Edge: iam.Identity, Name: Canary})
	org := iam.Absent()
	if in.Estate.Snapshot.OrgID != "" {
		org = iam.Is(in.Estate.Snapshot.OrgID)
	}
	subject := iam.NewSubject(iam.Caller{ARN: "arn:aws:iam::" + a.ID + ":role/" + Canary, OrgID: org, OtherTags: iam.Absent()}, iam.Compile(docs...))
	worst = Result{Outcome: lamina.Pass, Detail: "a service control policy stops it"}
	for _, p := range probes {
		d := (&iam.Request{Subject: subject, Action: p.Action, Object: p.Object(a.ID), Keys: p.Keys}).Evaluate()
		switch d.Result {
		case iam.Deny:
			for _, ref := range d.Denials {
				by = append(by, ref.String())
			}
		case iam.Allow:
			return Result{Outcome: lamina.Fail, Detail: "an administrator may " + p.Does}, nil
		case iam.Unknown:
			worst = Result{Outcome: lamina.Unknown, Detail: "whether an administrator may " + p.Does + " is not known", Reason: d.Residue.String()}
		}
	}
	return worst, by
}
