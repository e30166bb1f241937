package main

import (
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

// externalID is what the role that scripts assume asks for.
const externalID = "the-customer-chose-this-one"

// aws starts an AWS for the rest of the script, with the small generated
// organisation in it, and makes the script an administrator's role of the account
// with the name, the management account if none is named; each account has a role
// lamina-collect that it may assume.
//
//	aws [as ACCOUNT] [closed REGION] [deny ACTION...]
//
// A service control policy denies everything in a region that is closed. Denied
// actions are denied to everyone. MANAGEMENT is the account's id, PLATFORM and MEMBER
// are those of two others.
func aws(ts *testscript.TestScript, neg bool, args []string) {
	name := "management"
	if len(args) > 1 && args[0] == "as" {
		name, args = args[1], args[2:]
	}
	closed := ""
	if len(args) > 1 && args[0] == "closed" {
		closed, args = args[1], args[2:]
	}
	if neg || len(args) > 0 && args[0] != "deny" {
		ts.Fatalf("usage: aws [as ACCOUNT] [closed REGION] [deny ACTION...]")
	}
	s := sample.Estate(1, sample.Small)
	caller := ""
	for _, a := range s.Accounts {
		if a.Name == name {
			caller = a.ID
		}
	}
	if caller == "" {
		ts.Fatalf("there is no account %s", name)
	}
	for _, a := range s.Accounts {
		s.Principals = append(s.Principals, lamina.Principal{
			ARN: "arn:aws:iam::" + a.ID + ":role/lamina-collect", Account: a.ID, Kind: "Role", Name: "lamina-collect", ID: "AROACOLLECT" + a.ID, Path: "/", Created: s.Taken,
			Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + caller +
				`:root"},"Condition":{"StringEquals":{"sts:ExternalId":"` + externalID + `"}}}]}`,
		})
	}
	fake, err := sample.Play(1, s)
	ts.Check(err)
	fake.DenySCP(func(c awsfake.Call) bool { return closed != "" && c.Region == closed })
	fake.SessionsEnd(time.Now().Add(time.Hour))
	if len(args) > 0 {
		fake.Deny(func(c awsfake.Call) bool { return slices.Contains(args[1:], c.Action) })
	}
	world, ok := ts.Value(worldKey{}).(*world)
	if !ok {
		ts.Fatalf("the script has no world")
	}
	world.fake = fake
	server := httptest.NewServer(fake)
	ts.Defer(server.Close)
	id, secret := fake.Credentials((&sample.Org{}).Reader(caller))
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": sample.Region,
		"AWS_EC2_METADATA_DISABLED": "true", "EXTERNAL_ID": externalID, "MANAGEMENT": caller, "PLATFORM": s.Accounts[1].ID, "MEMBER": s.Accounts[2].ID,
	} {
		ts.Setenv(name, value)
	}
}

// A world is the AWS of a script, nil before it is started.
type world struct{ fake *awsfake.Fake }

type worldKey struct{}

// calls wants an action to have been called so often by anyone since the script
// began or forgot, or zips to have been fetched so often:
//
//	calls 24 lambda:GetLayerVersion
//	calls 24 zips
//	calls forget
func calls(ts *testscript.TestScript, neg bool, args []string) {
	world, ok := ts.Value(worldKey{}).(*world)
	if !ok || world.fake == nil || neg {
		ts.Fatalf("usage: aws, then calls N ACTION|zips, or calls forget")
	}
	if len(args) == 1 && args[0] == "forget" {
		world.fake.Forget()
		return
	}
	if len(args) != 2 {
		ts.Fatalf("usage: calls N ACTION|zips, or calls forget")
	}
	got := 0
	if args[1] == "zips" {
		for _, n := range world.fake.Downloads() {
			got += n
		}
	}
	for c, n := range world.fake.Calls() {
		if c.Action == args[1] {
			got += n
		}
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%d calls of %s, want %s", got, args[1], args[0])
	}
}

// await waits until an action was called so often.
//
//	await 3 lambda:GetLayerVersion
func await(ts *testscript.TestScript, neg bool, args []string) {
	world, ok := ts.Value(worldKey{}).(*world)
	if !ok || world.fake == nil || neg || len(args) != 2 {
		ts.Fatalf("usage: aws, then await N ACTION")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range 6000 {
		made := 0
		for c, times := range world.fake.Calls() {
			if c.Action == args[1] {
				made += times
			}
		}
		if made >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s was not called %d times", args[1], n)
}

// estate writes the small generated organisation as a snapshot.
//
//	estate FILE [deny REGION ACTION...]
//
// Denied actions were refused there in every account, as by a service control
// policy.
func estate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 1 && (args[1] != "deny" || len(args) < 4) {
		ts.Fatalf("usage: estate FILE [deny REGION ACTION...]")
	}
	s := sample.Estate(1, sample.Small)
	if len(args) > 1 {
		for i := range s.Targets {
			t := &s.Targets[i]
			if t.Region != args[2] {
				continue
			}
			t.Read = slices.DeleteFunc(slices.Clone(t.Read), func(a string) bool { return slices.Contains(args[3:], a) })
			for _, a := range args[3:] {
				t.Gaps = append(t.Gaps, lamina.Gap{Action: a, Denied: true, Reason: "AccessDeniedException: with an explicit deny in a service control policy"})
			}
		}
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(snapshot.Write(f, s))
	ts.Check(f.Close())
}
