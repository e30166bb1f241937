package collect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
)

// Without regions, those are read that each account has enabled: one that it opted
// in to is read there and nowhere else, one that is off is not asked.
func TestCollect_regions(t *testing.T) {
	f := world(t)
	f.OptIn(member, "eu-south-1")
	publish(t, f.As(caller(member), "eu-south-1"), "far")
	o := options(t, f)
	for i := range o.Accounts {
		o.Accounts[i].Regions = nil
	}
	s := collected(t, o)
	read := map[string]bool{}
	for _, target := range s.Targets {
		read[target.Account+" "+target.Region] = true
		if len(target.Gaps) > 0 {
			t.Errorf("%s %s: %+v", target.Account, target.Region, target.Gaps)
		}
	}
	for place, want := range map[string]bool{
		member + " eu-south-1": true, management + " eu-south-1": false, member + " sa-east-1": true, management + " sa-east-1": true, member + " me-south-1": false,
	} {
		if read[place] != want {
			t.Errorf("%s was read: %t", place, read[place])
		}
	}
	if !slices.ContainsFunc(s.Layers, func(l lamina.LayerVersion) bool { return l.Region == "eu-south-1" }) {
		t.Error("the layer of the region is not there")
	}
}

// A region that a service control policy closes is a gap for every action that was
// asked there, and nothing there counts as read; the other regions are read whole.
func TestCollect_closed_region(t *testing.T) {
	f := world(t)
	const closed = "us-east-1"
	f.DenySCP(func(c awsfake.Call) bool { return c.Region == closed })
	o := options(t, f)
	for i := range o.Accounts {
		o.Accounts[i].Regions = []string{region, closed}
	}
	for _, target := range collected(t, o).Targets {
		if target.Region != closed {
			if len(target.Gaps) > 0 {
				t.Errorf("%s %s: %+v", target.Account, target.Region, target.Gaps)
			}
			continue
		}
		listed := slices.ContainsFunc(target.Gaps, func(g lamina.Gap) bool { return g.Action == "lambda:ListLayers" }) &&
			slices.ContainsFunc(target.Gaps, func(g lamina.Gap) bool { return g.Action == "lambda:ListFunctions" })
		for _, g := range target.Gaps {
			if !g.Denied || len(g.Resources) > 0 {
				t.Errorf("%s: gap %+v", target.Account, g)
			}
		}
		for _, action := range target.Read {
			if !strings.HasPrefix(action, "s3:Get") { // there is no layer whose bucket could be asked for
				t.Errorf("%s: %s was read in a closed region", target.Account, action)
			}
		}
		if !listed {
			t.Errorf("%s: %+v", target.Account, target.Gaps)
		}
	}
}

// The other partitions are read as the first: every ARN is of the partition, and the
// regions are its own.
func TestCollect_partitions(t *testing.T) {
	for partition, home := range map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"} {
		f := awsfake.New(1, start)
		f.Partition(partition, member)
		s := f.As(caller(member), home)
		publish(t, s, "layer")
		share(t, s, "layer", 1, "everyone", "*")
		layer := "arn:" + partition + ":lambda:" + home + ":" + member + ":layer:layer:1"
		if _, err := s.CreateFunction(awsfake.CreateFunctionInput{
			FunctionName: "fn", Role: "arn:" + partition + ":iam::" + member + ":role/app", Runtime: "python3.12", Handler: "a.b", Layers: []string{layer},
		}); err != nil {
			t.Fatal(err)
		}
		http, key, secret := f.Client(caller(member))
		session := awsread.New(awsread.Options{Region: home, AccessKeyID: key, SecretAccessKey: secret, HTTP: http, Endpoint: "https://aws.invalid", Attempts: 1, Poll: 1})
		me, err := session.Identity(t.Context())
		if err != nil || me.Partition != partition {
			t.Fatalf("%+v, %v", me, err)
		}
		got := collected(t, collect.Options{Now: f.Now(), Accounts: []collect.Account{{ID: member, Session: session, Home: home}}})
		if len(got.Layers) != 1 || got.Layers[0].ARN != layer || got.Layers[0].Policy == nil || len(got.Functions) != 1 || !slices.Equal(got.Functions[0].Layers, []string{layer}) {
			t.Errorf("%s: %+v %+v", partition, got.Layers, got.Functions)
		}
		regions := 0
		for _, target := range got.Targets {
			if len(target.Gaps) > 0 {
				t.Errorf("%s %s: %+v", partition, target.Region, target.Gaps)
			}
			if target.Region != "" {
				regions++
				if prefix, _, _ := strings.Cut(home, "-"); !strings.HasPrefix(target.Region, prefix+"-") {
					t.Errorf("%s has a region %s", partition, target.Region)
				}
			}
		}
		if regions != 2 {
			t.Errorf("%s: %d regions", partition, regions)
		}
	}
}
