package posture_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

func TestRun_joins_resources_that_are_alike(t *testing.T) {
	role := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, "arn:aws:iam::111122223333:role/"+n)
		}
		return out
	}
	check := posture.Check{ID: "c", Severity: lamina.High, Run: func(_ posture.Input, found func(posture.Result)) {
		found(posture.Result{Outcome: lamina.Fail, Resources: role("g", "b", "c", "d", "e", "f", "a"), Key: "k", Detail: "d", Evidence: []string{"x: y"}})
		found(posture.Result{Outcome: lamina.Fail, Resources: role("alone"), Key: "k", Detail: "d", Evidence: []string{"x: y"}})
		found(posture.Result{Outcome: lamina.Fail, Resources: []string{"arn:aws:lambda:eu-west-1:1:layer:l:1", "arn:aws:lambda:us-east-1:1:layer:l:2"}, Evidence: []string{"x: y"}})
		found(posture.Result{Outcome: lamina.Fail, Resource: role("alone")[0], Key: "other", Evidence: []string{"x: y"}})
	}}
	fs := posture.Run([]posture.Check{check}, posture.Input{Estate: estate.New(lamina.Snapshot{Accounts: []lamina.Account{{ID: "111122223333"}}}, nil)})
	type result struct {
		Resource string
		Members  int
		Evidence []string
	}
	got := map[string]result{}
	for _, f := range fs {
		got[f.ID] = result{f.Resource, len(f.Members), f.Evidence}
		for _, m := range f.Members {
			if want := lamina.ID("F", "c", m.Resource, map[bool]string{true: "k"}[strings.Contains(m.Resource, "role")]); m.ID != want {
				t.Errorf("%s: member id %s, want %s", m.Resource, m.ID, want)
			}
		}
	}
	ids := []string{"c", ""}
	for _, arn := range role("a", "b", "c", "d", "e", "f", "g") {
		ids = append(ids, lamina.ID("F", "c", arn, "k"))
	}
	want := map[string]result{
		lamina.ID("F", ids...): {"arn:aws:iam::111122223333:role/*", 7, []string{
			"role: " + role("a")[0], "role: " + role("b")[0], "role: " + role("c")[0], "role: " + role("d")[0], "role: " + role("e")[0], "roles: 2 more", "x: y",
		}},
		lamina.ID("F", "c", role("alone")[0], "k"):     {role("alone")[0], 0, []string{"x: y"}},
		lamina.ID("F", "c", role("alone")[0], "other"): {role("alone")[0], 0, []string{"x: y"}},
		lamina.ID("F", "c", "", lamina.ID("F", "c", "arn:aws:lambda:eu-west-1:1:layer:l:1", ""), lamina.ID("F", "c", "arn:aws:lambda:us-east-1:1:layer:l:2", "")): {
			"arn:aws:lambda:*:1:layer:l:*", 2, []string{"layer version: arn:aws:lambda:eu-west-1:1:layer:l:1", "layer version: arn:aws:lambda:us-east-1:1:layer:l:2", "x: y"},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A part of a finding is the finding that the check would have made of its members
// alone.
func TestInput_Part(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/"
	names := []string{role + "a", role + "b", role + "c", role + "d", role + "e", role + "f", role + "team/g", "arn:aws:iam::444455556666:role/h"}
	in := posture.Input{Estate: estate.New(lamina.Snapshot{Accounts: []lamina.Account{{ID: "111122223333"}, {ID: "444455556666"}}}, nil)}
	run := func(resources []string) lamina.Finding {
		fs := posture.Run([]posture.Check{{ID: "c", Severity: lamina.High, Run: func(_ posture.Input, found func(posture.Result)) {
			found(posture.Result{Outcome: lamina.Fail, Resources: slices.Clone(resources), Key: "k", Detail: "d", Evidence: []string{"x: y", "z: y"}})
		}}}, in)
		return fs[0]
	}
	all := run(names)
	before := slices.Clone(all.Evidence)
	for _, of := range [][2]int{{0, 1}, {0, 2}, {0, 6}, {1, 7}, {6, 8}, {7, 8}, {0, 8}} {
		if d := cmp.Diff(run(names[of[0]:of[1]]), in.Part(all, membersOf(all, names[of[0]:of[1]]))); d != "" {
			t.Errorf("%v (-want +got):\n%s", of, d)
		}
	}
	if d := cmp.Diff(before, all.Evidence); d != "" {
		t.Errorf("the finding was changed:\n%s", d)
	}
}

func membersOf(f lamina.Finding, resources []string) []lamina.Member {
	var out []lamina.Member
	for _, m := range f.Members {
		if slices.Contains(resources, m.Resource) {
			out = append(out, m)
		}
	}
	return out
}

func TestGrants_says_what_policy_was_read(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy *lamina.LayerPolicy
		want   string
	}{
		{"none", nil, "policy: none"},
		{"one statement", &lamina.LayerPolicy{RevisionID: "r-1", Grants: make([]lamina.Grant, 1)}, "policy: 1 statement at revision r-1"},
		{"several", &lamina.LayerPolicy{RevisionID: "r-1", Grants: make([]lamina.Grant, 2)}, "policy: 2 statements at revision r-1"},
		{"of code that is not deployed", &lamina.LayerPolicy{Grants: make([]lamina.Grant, 1)}, "policy: 1 statement"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const account, region = "111122223333", "eu-west-1"
			in := posture.Input{Estate: estate.New(lamina.Snapshot{Targets: []lamina.Target{{Account: account, Region: region, Read: []string{"lambda:GetLayerVersionPolicy"}}}}, nil)}
			r := in.Grants(lamina.LayerVersion{Account: account, Region: region, Policy: tt.policy}, "fine", func(lamina.Grant, lamina.GrantScope) (posture.Result, bool) {
				return posture.Result{}, false
			})
			if d := cmp.Diff([]string{tt.want}, r.Evidence); d != "" {
				t.Error(d)
			}
		})
	}
}
