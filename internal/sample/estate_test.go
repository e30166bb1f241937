package sample_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/sample"
)

// A generated organisation has its size, everything that checks look for, and
// nothing that points nowhere but what is meant to.
func TestGenerated_estate(t *testing.T) {
	s := sample.Estate(1, sample.Large)
	ours, exists, roles := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, a := range s.Accounts {
		ours[a.ID] = true
	}
	scopes, owned := map[string]int{}, 0
	for _, v := range s.Layers {
		exists[v.ARN] = true
		if ours[v.Account] {
			owned++
		}
		if v.Policy != nil {
			for _, g := range v.Policy.Grants {
				scopes[g.StatementID]++
			}
		}
	}
	for _, p := range s.Principals {
		roles[p.ARN] = true
	}
	functions, seen := 0, map[string]int{}
	for _, f := range s.Functions {
		if f.Version == "$LATEST" {
			functions++
		} else {
			seen["published"]++
		}
		if !roles[f.Role] {
			t.Fatalf("%s has the role %s, which does not exist", f.ARN, f.Role)
		}
		for _, arn := range f.Layers {
			l, err := lamina.ParseLayerARN(arn)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !exists[arn] && ours[l.ARN.Account]:
				seen["ghost"]++
			case !exists[arn]:
				seen["revoked"]++
			case !ours[l.ARN.Account]:
				seen["foreign"]++
			case l.ARN.Account != f.Account:
				seen["other account"]++
			default:
				seen["own"]++
			}
		}
		for _, has := range []struct {
			what string
			is   bool
		}{
			{"image", f.PackageType == "Image"},
			{"signed", f.CodeSigningConfigARN != ""},
			{"alias", f.Aliases != nil},
			{"policy", f.Policies != nil},
			{"url", f.URLs != nil},
			{"queue", f.EventSources != nil},
			{"network", f.Subnets != nil},
			{"wrapper", f.Environment["AWS_LAMBDA_EXEC_WRAPPER"] != ""},
			{"five layers", len(f.Layers) == 5},
		} {
			if has.is {
				seen[has.what]++
			}
		}
	}
	if len(s.Accounts) != 200 || functions != 10_000 || owned != 2_000 {
		t.Errorf("%d accounts, %d functions, %d layer versions", len(s.Accounts), functions, owned)
	}
	for _, scope := range []string{"closed", "everyone", "organization", "other-organization", "ourselves", "partner-account", "unknown", "vendor"} {
		if scopes[scope] == 0 {
			t.Errorf("no grant of the scope %s", scope)
		}
	}
	for _, what := range []string{
		"published", "ghost", "revoked", "foreign", "other account", "own", "image", "signed", "alias", "policy", "url", "queue", "network", "wrapper", "five layers",
	} {
		if seen[what] == 0 {
			t.Errorf("no function with: %s", what)
		}
	}
	t.Logf("%d principals, %v, %v", len(s.Principals), scopes, seen)
	for what, n := range map[string]int{
		"units": len(s.OrganizationalUnits), "policies": len(s.OrganizationPolicies), "groups": len(s.Groups), "managed policies": len(s.ManagedPolicies), "trails": len(s.Trails),
		"filters": len(s.MetricFilters), "alarms": len(s.Alarms), "topics": len(s.Topics), "rules": len(s.EventRules), "analyzers": len(s.Analyzers), "findings": len(s.AccessFindings),
		"services": len(s.Services), "profiles": len(s.SigningProfiles), "buckets": len(s.Buckets), "subnets": len(s.Subnets), "security groups": len(s.SecurityGroups),
		"endpoints": len(s.VPCEndpoints), "firewalls": len(s.DNSFirewalls), "configurations": len(s.CodeSigningConfigs), "targets": len(s.Targets),
	} {
		if n == 0 {
			t.Errorf("no %s", what)
		}
	}
}

// What every service of AWS says is in the small one, too.
func TestGenerated_estate_has_findings(t *testing.T) {
	s := sample.Estate(1, sample.Small)
	got := map[string]int{}
	for _, x := range s.ServiceFindings {
		got[x.Service]++
	}
	for _, n := range s.FindingCounts {
		got["copies"] += n.Copies
		if n.Listed != n.Kept+n.Copies {
			t.Errorf("%+v", n)
		}
	}
	for _, x := range s.AccessFindings {
		got[x.Kind]++
	}
	for _, what := range []string{"inspector2", "guardduty", "securityhub", "copies", "UnusedPermission", "UnusedIAMRole"} {
		if got[what] == 0 {
			t.Errorf("nothing of %s: %v", what, got)
		}
	}
	if len(s.ConfigRecords) == 0 {
		t.Error("AWS Config has no record")
	}
}

func TestGenerated_estate_is_reproducible(t *testing.T) {
	file := func(seed uint64) []byte {
		b, err := json.Marshal(sample.Estate(seed, sample.Small))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(file(1), file(1)) {
		t.Error("the same seed gives another estate")
	}
	if bytes.Equal(file(1), file(2)) {
		t.Error("another seed gives the same estate")
	}
}

// The generated coverage has every call that the collector can make.
func TestGenerated_estate_covers_the_collector(t *testing.T) {
	read := map[string]bool{}
	for _, target := range sample.Estate(1, sample.Small).Targets {
		for _, a := range target.Read {
			read[a] = true
		}
	}
	for _, c := range awsread.Calls {
		if !read[c.Action] && c.Action != "sts:GetCallerIdentity" {
			t.Errorf("no target has read %s", c.Action)
		}
	}
}

// Asked through the SDK, the played organisation has the layers and functions of
// the snapshot it was made of.
func TestPlay(t *testing.T) {
	s := sample.Estate(3, sample.Small)
	fake, err := sample.Play(3, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(fake.Calls()) > 0 || len(fake.Trail()) > 0 {
		t.Error("making it shows")
	}
	want, got := map[string]string{}, map[string]string{}
	places := map[[2]string]bool{}
	ours := map[string]bool{}
	for _, a := range s.Accounts {
		ours[a.ID] = true
	}
	for _, v := range s.Layers {
		if ours[v.Account] {
			var grants []string
			if v.Policy != nil {
				for _, g := range v.Policy.Grants {
					grants = append(grants, g.StatementID)
				}
			}
			want[v.ARN] = fmt.Sprint(v.CodeSHA256, v.SigningProfileVersionARN, v.Reference != nil, grants)
			places[[2]string{v.Account, v.Region}] = true
		}
	}
	for _, f := range s.Functions {
		want[f.ARN] = fmt.Sprint(f.Version, f.Role, f.Runtime, f.Layers, f.CodeSHA256, slices.Sorted(maps.Keys(f.Environment)), f.Subnets)
		places[[2]string{f.Account, f.Region}] = true
	}
	for p := range places {
		http, id, secret := fake.Client((&sample.Org{}).Reader(p[0]))
		sdk := lambda.New(lambda.Options{Region: p[1], HTTPClient: http, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
		collectLayers(t, sdk, got)
		for pages := lambda.NewListFunctionsPaginator(sdk, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll}); pages.HasMorePages(); {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range out.Functions {
				var layers, names []string
				for _, l := range f.Layers {
					layers = append(layers, *l.Arn)
				}
				if f.Environment != nil {
					names = slices.Sorted(maps.Keys(f.Environment.Variables))
				}
				var subnets []string
				if f.VpcConfig != nil {
					subnets = f.VpcConfig.SubnetIds
				}
				got[strings.TrimSuffix(*f.FunctionArn, ":$LATEST")] = fmt.Sprint(*f.Version, *f.Role, f.Runtime, layers, *f.CodeSha256, names, subnets)
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("played differs (-snapshot +played):\n%s", d)
	}
}

func collectLayers(t *testing.T, sdk *lambda.Client, got map[string]string) {
	t.Helper()
	layers, err := sdk.ListLayers(t.Context(), &lambda.ListLayersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers.Layers {
		for pages := lambda.NewListLayerVersionsPaginator(sdk, &lambda.ListLayerVersionsInput{LayerName: l.LayerName}); pages.HasMorePages(); {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range out.LayerVersions {
				v, err := sdk.GetLayerVersionByArn(t.Context(), &lambda.GetLayerVersionByArnInput{Arn: item.LayerVersionArn})
				if err != nil {
					t.Fatal(err)
				}
				var grants []string
				if p, err := sdk.GetLayerVersionPolicy(t.Context(), &lambda.GetLayerVersionPolicyInput{LayerName: l.LayerName, VersionNumber: &item.Version}); err == nil {
					var doc struct{ Statement []struct{ Sid string } }
					if err := json.Unmarshal([]byte(*p.Policy), &doc); err != nil {
						t.Fatal(err)
					}
					for _, st := range doc.Statement {
						grants = append(grants, st.Sid)
					}
				}
				got[*item.LayerVersionArn] = fmt.Sprint(*v.Content.CodeSha256, aws.ToString(v.Content.SigningProfileVersionArn), v.Content.ResolvedS3Object != nil, grants)
			}
		}
	}
}
