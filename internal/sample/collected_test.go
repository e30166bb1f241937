package sample_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

// What is collected of the played organisation is the snapshot it was made of,
// but for what AWS makes up itself; and no more calls of Lambda are made than
// the plan of spec posture 2.5 needs. LAMINA_LONG does it with the large
// organisation too.
func TestPlay_is_collected(t *testing.T) {
	sizes := map[string]sample.Size{"small": sample.Small}
	if os.Getenv("LAMINA_LONG") != "" {
		sizes["large"] = sample.Large
	}
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) { playAndCollect(t, size) })
	}
}

func playAndCollect(t *testing.T, size sample.Size) {
	t.Helper()
	want := sample.Estate(5, size)
	fake, err := sample.Play(5, want)
	if err != nil {
		t.Fatal(err)
	}
	got := collectAll(t, fake, want)
	for _, target := range got.Targets {
		for _, gap := range target.Gaps {
			if gap.Action != "lambda:GetLayerVersion" || !strings.Contains(gap.Resources[0], ":"+sample.Stranger+":") {
				t.Errorf("%s %s: %+v", target.Account, target.Region, gap)
			}
		}
	}
	wanted, have := plain(want), plain(got)
	for what, d := range map[string]string{
		"accounts": cmp.Diff(wanted.Accounts, have.Accounts), "units": cmp.Diff(wanted.OrganizationalUnits, have.OrganizationalUnits),
		"policies": cmp.Diff(wanted.OrganizationPolicies, have.OrganizationPolicies), "layers": cmp.Diff(wanted.Layers, have.Layers),
		"functions": cmp.Diff(wanted.Functions, have.Functions), "configurations": cmp.Diff(wanted.CodeSigningConfigs, have.CodeSigningConfigs),
		"profiles": cmp.Diff(wanted.SigningProfiles, have.SigningProfiles), "principals": cmp.Diff(wanted.Principals, have.Principals),
		"groups": cmp.Diff(wanted.Groups, have.Groups), "managed": cmp.Diff(wanted.ManagedPolicies, have.ManagedPolicies),
		"trails": cmp.Diff(wanted.Trails, have.Trails), "filters": cmp.Diff(wanted.MetricFilters, have.MetricFilters), "alarms": cmp.Diff(wanted.Alarms, have.Alarms),
		"topics": cmp.Diff(wanted.Topics, have.Topics), "rules": cmp.Diff(wanted.EventRules, have.EventRules), "analyzers": cmp.Diff(wanted.Analyzers, have.Analyzers),
		"findings": cmp.Diff(wanted.AccessFindings, have.AccessFindings), "buckets": cmp.Diff(wanted.Buckets, have.Buckets),
		"unscanned": cmp.Diff(wanted.Unscanned, have.Unscanned), "what services say": cmp.Diff(wanted.ServiceFindings, have.ServiceFindings),
		"counts of findings": cmp.Diff(wanted.FindingCounts, have.FindingCounts), "records": cmp.Diff(wanted.ConfigRecords, have.ConfigRecords),
		"services": cmp.Diff(wanted.Services, have.Services), "subnets": cmp.Diff(wanted.Subnets, have.Subnets),
		"groups of networks": cmp.Diff(wanted.SecurityGroups, have.SecurityGroups), "endpoints": cmp.Diff(wanted.VPCEndpoints, have.VPCEndpoints),
		"firewalls": cmp.Diff(wanted.DNSFirewalls, have.DNSFirewalls),
	} {
		if d != "" {
			t.Errorf("%s differ (-generated +collected):\n%s", what, d)
		}
	}
	made := 0
	for c, n := range fake.Calls() {
		if strings.HasPrefix(c.Action, "lambda:") {
			made += n
		}
	}
	plan, formula := planned(want)
	if made > plan+plan/10 || made > formula+formula/10 {
		t.Errorf("%d calls of Lambda, %d are needed, and %d by the formula", made, plan, formula)
	}
}

func collectAll(t *testing.T, fake *awsfake.Fake, s lamina.Snapshot) lamina.Snapshot {
	t.Helper()
	o := collect.Options{Now: fake.Now()}
	for _, a := range s.Accounts {
		if a.Status != "ACTIVE" {
			continue
		}
		http, id, secret := fake.Client((&sample.Org{}).Reader(a.ID))
		session := awsread.New(awsread.Options{
			Region: sample.Region, AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://aws.invalid", Attempts: 1, Poll: time.Nanosecond,
			Keep: func(_, value string) string { return value },
		})
		if a.Management {
			var err error
			if o.Organization, err = collect.Discover(t.Context(), a.ID, session.In(sample.Region), fake.Now(), true); err != nil {
				t.Fatal(err)
			}
		}
		o.Accounts = append(o.Accounts, collect.Account{ID: a.ID, Session: session, Regions: []string{sample.Region, "us-east-1", "eu-central-1"}, Home: sample.Region})
	}
	got, err := collect.Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// plain is the snapshot without what AWS makes up (ids, revisions, times) and
// what is not collected.
func plain(s lamina.Snapshot) lamina.Snapshot {
	s = snapshot.Canonical(s)
	ours := map[string]bool{}
	for i := range s.Accounts {
		s.Accounts[i].Tags = nil
		ours[s.Accounts[i].ID] = true
	}
	used := map[string]bool{} // layers of others are collected where they are used
	for i := range s.Functions {
		f := &s.Functions[i]
		for _, arn := range f.Layers {
			used[arn] = true
		}
		f.RevisionID, f.LastModified, f.ConfigSHA256, f.DetailsRead, f.Tags = "", time.Time{}, "", time.Time{}, nil
		if f.CodeSigningConfigARN != "" {
			f.CodeSigningConfigARN = "some"
		}
		for j := range f.Policies {
			f.Policies[j].RevisionID = ""
		}
		for j := range f.EventSources {
			f.EventSources[j].UUID = ""
		}
	}
	s.Layers = slices.DeleteFunc(s.Layers, func(v lamina.LayerVersion) bool { return !ours[v.Account] && !used[v.ARN] })
	for i := range s.Layers {
		v := &s.Layers[i]
		v.Created, v.PolicyRead = time.Time{}, time.Time{}
		if v.Policy != nil {
			v.Policy = &lamina.LayerPolicy{Grants: v.Policy.Grants}
		}
	}
	for i := range s.CodeSigningConfigs {
		s.CodeSigningConfigs[i].ARN = ""
	}
	slices.SortFunc(s.CodeSigningConfigs, func(a, b lamina.CodeSigningConfig) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for i := range s.Buckets {
		s.Buckets[i] = lamina.Bucket{Name: s.Buckets[i].Name, Policy: s.Buckets[i].Policy, Versioning: s.Buckets[i].Versioning, ObjectLock: s.Buckets[i].ObjectLock}
	}
	return s
}

// planned counts the calls of Lambda that a first collection needs: pages of
// lists, and one call of each kind for each layer version and function; and those
// of the formula in spec posture 2.5, which lists the versions of each function by
// a call of its own and asks for no policy of a version or an alias, nor for what is
// provisioned.
func planned(s lamina.Snapshot) (plan, formula int) {
	pages := func(n int) int { return max(1, (n+49)/50) }
	type place struct{ account, region string }
	layers, versions, functions, mappings := map[place]map[string]int{}, 0, map[place]int{}, map[place]int{}
	foreign, configs, calls, qualified, whole := map[string]bool{}, map[string]bool{}, 0, 0, 0
	loads := map[string]bool{} // functions of which a version loads a layer
	ours := map[string]bool{}
	for _, a := range s.Accounts {
		ours[a.ID] = true
		for _, region := range []string{sample.Region, "us-east-1", "eu-central-1"} {
			if a.Status == "ACTIVE" {
				layers[place{a.ID, region}] = map[string]int{}
			}
		}
	}
	for _, v := range s.Layers {
		if ours[v.Account] {
			layers[place{v.Account, v.Region}][v.Name]++
			versions++
		}
	}
	for _, f := range s.Functions {
		if len(f.Layers) > 0 {
			loads[strings.TrimSuffix(f.ARN, ":"+f.Version)] = true
		}
	}
	published := map[string]bool{}
	for _, f := range s.Functions {
		if arn := strings.TrimSuffix(f.ARN, ":"+f.Version); f.Version != "$LATEST" && loads[arn] && !published[arn] {
			published[arn] = true
			qualified++ // what is provisioned
		}
	}
	for _, f := range s.Functions {
		p := place{f.Account, f.Region}
		functions[p]++
		if f.Version == "$LATEST" {
			whole++
		}
		switch {
		case f.Version == "$LATEST" && loads[f.ARN]:
			qualified += len(f.Aliases)
		case f.Version != "$LATEST" && len(f.Layers) > 0:
			qualified++
		}
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil && !ours[l.ARN.Account] {
				foreign[f.Account+arn] = true
			}
		}
		if f.Version == "$LATEST" {
			calls += 3 // policy, aliases, URLs
			mappings[p] += len(f.EventSources)
			if f.PackageType != "Image" {
				calls++ // code signing
			}
			if f.CodeSigningConfigARN != "" {
				configs[f.CodeSigningConfigARN] = true
			}
		}
	}
	for p, names := range layers {
		calls += pages(len(names)) + pages(functions[p]) + max(1, (mappings[p]+99)/100)
		for _, n := range names {
			calls += pages(n)
		}
	}
	calls += 2*versions + len(foreign) + len(configs)
	return calls + qualified, calls + whole
}
