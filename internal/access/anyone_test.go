package access

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/sample"
)

// Who is asked about with the others of a group has the answer of who is asked
// about alone, and statements of its own.
func TestOnAny_equals_each_asked_alone(t *testing.T) {
	s := sample.Estate(2, sample.Small)
	together := New(estate.New(s, nil))
	results := map[iam.Result]int{}
	for _, p := range s.Principals {
		one := s
		one.Principals = []lamina.Principal{p}
		alone := New(estate.New(one, nil))
		for _, action := range []string{"lambda:GetLayerVersion", "lambda:AddLayerVersionPermission", "lambda:PublishLayerVersion", "iam:PutRolePolicy"} {
			resource := "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + Canary + ":1"
			for _, want := range alone.OnAny(p.Account, action, resource) {
				for q, got := range together.OnAny(p.Account, action, resource) {
					if q.ARN != p.ARN {
						continue
					}
					results[got.Result]++
					if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Answer{})); d != "" {
						t.Errorf("%s by %s (-alone +together):\n%s", action, p.ARN, d)
					}
				}
			}
		}
	}
	if results[iam.Allow] == 0 || results[iam.Deny] == 0 {
		t.Errorf("nothing to compare: %v", results)
	}
}

// A guardrail on regions is no doubt where the account's regions are known.
func TestOnAny_asks_in_the_regions_of_the_account(t *testing.T) {
	guard := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":%q}}}]}`
	s := lamina.Snapshot{
		Accounts: []lamina.Account{{ID: "111122223333"}},
		Targets: []lamina.Target{
			{Region: "organization", Read: []string{"organizations:DescribeOrganization"}},
			{Account: "111122223333", Region: "eu-west-1"},
			{Account: "111122223333", Region: "us-east-1"},
		},
	}
	user := func(name, region string) {
		s.Principals = append(s.Principals, lamina.Principal{
			ARN: "arn:aws:iam::111122223333:user/" + name, Account: "111122223333", Kind: "User", Name: name, Path: "/",
			Inline: []lamina.InlinePolicy{{Name: "p", Document: fmt.Sprintf(guard, region)}},
		})
	}
	user("ann", "eu-west-1")
	user("bob", "us-east-1")
	user("eve", "ap-southeast-2")
	got := map[string]Answer{}
	for p, answer := range New(estate.New(s, nil)).OnAny("111122223333", "lambda:GetLayerVersion", "arn:PARTITION:lambda:REGION:ACCOUNT:layer:"+Canary+":1") {
		got[p.Name] = answer
	}
	want := map[string]Answer{
		"ann": {Result: iam.Allow, By: []string{"identity policy p of ann, statement 1, line 1"}},
		"bob": {Result: iam.Allow, By: []string{"identity policy p of bob, statement 1, line 1"}},
		"eve": {Result: iam.Deny},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Answer{})); d != "" {
		t.Error(d)
	}
}

// Principals with the same policies share them compiled, and each is named in what
// it may do by its own.
func TestSubject_shares_policies(t *testing.T) {
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"}]}`
	e := estate.New(lamina.Snapshot{}, nil)
	role := func(name, document string) *iam.Subject {
		return e.Subject(lamina.Principal{
			ARN: "arn:aws:iam::111122223333:role/team/" + name, Account: "111122223333", Kind: "Role", Name: name,
			Inline: []lamina.InlinePolicy{{Name: "app", Document: document}},
		})
	}
	a, b, c := role("a", doc), role("b", doc), role("c", doc+" ")
	if a.Policies() != b.Policies() || a.Policies() == c.Policies() {
		t.Error("a and b have the same policies, c has others")
	}
}
