package checks_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/sample"
)

// With an action that a check needs denied to the collector in every account,
// the check passes nothing, and something is unknown. This is TestWithoutAction
// with the collector between.
func TestDenied(t *testing.T) {
	registry, err := publishers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := sample.Estate(3, sample.Small)
	fake, err := sample.Play(3, s)
	if err != nil {
		t.Fatal(err)
	}
	var needs []string
	for _, c := range checks.All {
		needs = append(needs, c.Needs...)
	}
	slices.Sort(needs)
	answered := map[string]int{} // with every permission, by check
	for _, f := range posture.Run(checks.All, posture.Input{Estate: estate.New(collected(t, fake, s), nil), Publishers: registry}) {
		if f.Outcome == lamina.Fail || f.Outcome == lamina.Pass {
			answered[f.Check]++
		}
	}
	if len(answered) < len(checks.All)/2 {
		t.Fatalf("with every permission: %v", answered)
	}
	for _, action := range slices.Compact(needs) {
		var needing []posture.Check
		for _, c := range checks.All {
			if slices.Contains(c.Needs, action) {
				needing = append(needing, c)
			}
		}
		fake.Deny(func(c awsfake.Call) bool { return c.Action == action })
		denied := collected(t, fake, s)
		fake.Deny(nil)
		for _, c := range needing {
			unknown := 0
			for _, f := range posture.Run([]posture.Check{c}, posture.Input{Estate: estate.New(denied, nil), Publishers: registry}) {
				if f.Outcome == lamina.Pass {
					t.Errorf("%s without %s: %s passes: %s", c.ID, action, f.Resource, f.Detail)
				}
				if f.Outcome == lamina.Unknown {
					unknown++
				}
			}
			if unknown == 0 && answered[c.ID] > 0 {
				t.Errorf("%s without %s: nothing is unknown", c.ID, action)
			}
		}
	}
}

// collected collects the organisation that s describes and fake plays.
func collected(t *testing.T, fake *awsfake.Fake, s lamina.Snapshot) lamina.Snapshot {
	t.Helper()
	o := collect.Options{Now: fake.Now()}
	for _, a := range s.Accounts {
		if a.Status != "ACTIVE" {
			continue
		}
		http, id, secret := fake.Client((&sample.Org{}).Reader(a.ID))
		session := awsread.New(awsread.Options{
			Region: sample.Region, AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://aws.invalid", Attempts: 1, Poll: time.Nanosecond,
		})
		if a.Management {
			var err error
			if o.Organization, err = collect.Discover(t.Context(), a.ID, session.In(sample.Region), fake.Now(), true); err != nil {
				t.Fatal(err)
			}
		}
		o.Accounts = append(o.Accounts, collect.Account{ID: a.ID, Session: session, Regions: []string{sample.Region, "us-east-1"}, Home: sample.Region})
	}
	got, err := collect.Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
