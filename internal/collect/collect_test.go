package collect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

const (
	management = "111122223333"
	member     = "444455556666"
	suspended  = "777788889999"
	region     = "eu-west-1"
)

var start = time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC)

// world is an organisation with a bit of everything that is collected.
func world(t *testing.T) *awsfake.Fake {
	t.Helper()
	f := awsfake.New(1, start)
	f.Organization("o-exampleorgid", management, member, suspended)
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	f.Load(lamina.Snapshot{
		OrgID: "o-exampleorgid",
		Accounts: []lamina.Account{
			{ID: management, Name: "management", Status: "ACTIVE", ParentID: "r-1", Management: true},
			{ID: member, Name: "member", Status: "ACTIVE", ParentID: "ou-1-prod", Delegated: []string{"guardduty.amazonaws.com", "inspector2.amazonaws.com"}},
			{ID: suspended, Name: "old", Status: "SUSPENDED", ParentID: "ou-1-prod"},
		},
		OrganizationalUnits:  []lamina.OrganizationalUnit{{ID: "r-1", Name: "Root"}, {ID: "ou-1-prod", Name: "prod", ParentID: "r-1"}},
		OrganizationPolicies: []lamina.OrganizationPolicy{{ID: "p-1", Name: "full", Type: "SERVICE_CONTROL_POLICY", Document: allow, Targets: []string{"r-1"}}},
		Principals: []lamina.Principal{
			{
				ARN: "arn:aws:iam::" + member + ":role/app", Account: member, Kind: "Role", Name: "app", ID: "AROAEXAMPLEAPP", Path: "/", Created: start,
				Trust: allow, Inline: []lamina.InlinePolicy{{Name: "own", Document: allow}}, Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
			},
			{ARN: "arn:aws:iam::" + member + ":user/ann", Account: member, Kind: "User", Name: "ann", ID: "AIDAEXAMPLEANN", Path: "/", Created: start, Groups: []string{"arn:aws:iam::" + member + ":group/dev"}},
		},
		Groups:          []lamina.Group{{ARN: "arn:aws:iam::" + member + ":group/dev", Account: member, Name: "dev", Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}}},
		ManagedPolicies: []lamina.ManagedPolicy{{ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess", Name: "ReadOnlyAccess", Document: allow}},
		Trails: []lamina.Trail{{
			ARN: "arn:aws:cloudtrail:" + region + ":" + management + ":trail/org", Account: management, Name: "org", HomeRegion: region,
			MultiRegion: true, Organization: true, Logging: true, LogValidation: true, Bucket: "acme-trail", Management: "All",
		}},
		Alarms: []lamina.Alarm{{
			ARN: "arn:aws:cloudwatch:" + region + ":" + member + ":alarm:share", Account: member, Region: region, Name: "share", Namespace: "Sec", Metric: "Shares",
			ActionsEnabled: true, Actions: []string{"arn:aws:sns:" + region + ":" + member + ":alerts"}, Comparison: "GreaterThanThreshold", Threshold: 0,
		}},
		MetricFilters: []lamina.MetricFilter{{
			Account: member, Region: region, LogGroup: "trail", Name: "share", Pattern: `{ $.eventName = "AddLayerVersionPermission*" }`, Namespace: "Sec", Metric: "Shares",
		}},
		Topics: []lamina.Topic{{ARN: "arn:aws:sns:" + region + ":" + member + ":alerts", Confirmed: map[string]int{"email": 1}, Pending: map[string]int{"https": 1}}},
		EventRules: []lamina.EventRule{{
			ARN: "arn:aws:events:" + region + ":" + member + ":rule/share", Account: member, Region: region, Bus: "default", State: "ENABLED",
			Pattern: `{"source":["aws.lambda"]}`, Targets: []string{"arn:aws:sns:" + region + ":" + member + ":alerts"},
		}},
		Unscanned: []lamina.Unscanned{{Function: "arn:aws:lambda:" + region + ":" + member + ":function:fn-1", Reason: "EXCLUDED_BY_TAG"}},
		Buckets:   []lamina.Bucket{{Name: "acme-trail", Account: member, ObjectLock: true}, {Name: "acme-trail-2", Account: management}},
		Analyzers: []lamina.AccessAnalyzer{{ARN: "arn:aws:access-analyzer:" + region + ":" + member + ":analyzer/a", Account: member, Region: region, Type: "ACCOUNT", Status: "ACTIVE"}, {ARN: "arn:aws:access-analyzer:" + region + ":" + member + ":analyzer/unused", Account: member, Region: region, Type: "ACCOUNT_UNUSED_ACCESS", Status: "ACTIVE"}},
		AccessFindings: []lamina.AccessFinding{{
			ID: "f-3", Kind: "UnusedPermission", Analyzer: "arn:aws:access-analyzer:" + region + ":" + member + ":analyzer/unused", Resource: "arn:aws:iam::" + member + ":role/app", Status: "ACTIVE", Updated: start,
			Unused: []string{"lambda:InvokeFunction", "s3:*"},
		}, {
			ID: "f-2", Kind: "UnusedIAMRole", Analyzer: "arn:aws:access-analyzer:" + region + ":" + member + ":analyzer/unused", Resource: "arn:aws:iam::" + member + ":role/app", Status: "ACTIVE", Updated: start,
		}, {
			ID: "f-1", Analyzer: "arn:aws:access-analyzer:" + region + ":" + member + ":analyzer/a", Resource: "arn:aws:lambda:" + region + ":" + member + ":layer:layer-000:1",
			Status: "ACTIVE", Public: true, Principals: []string{"AWS:*"}, Updated: start,
		}},
		Services:        []lamina.ServiceStatus{{Account: member, Region: region, Feature: "guardduty:LAMBDA_NETWORK_LOGS", Enabled: true}, {Account: member, Region: region, Feature: "inspector2:LAMBDA", Enabled: true}, {Account: member, Region: region, Feature: "config:AWS::Lambda::Function", Enabled: true}, {Account: member, Region: region, Feature: "securityhub", Enabled: true}},
		ServiceFindings: said(),
		ConfigRecords:   []lamina.ConfigRecord{{Function: "arn:aws:lambda:" + region + ":" + member + ":function:fn-0", Captured: start}, {Function: "arn:aws:lambda:" + region + ":" + member + ":function:gone", Captured: start}},
		Subnets:         []lamina.Subnet{{ID: "subnet-1", Account: member, Region: region, VPC: "vpc-1", DefaultRoutes: []string{"nat-1"}}},
		SecurityGroups:  []lamina.SecurityGroup{{ID: "sg-1", Account: member, Region: region, VPC: "vpc-1", Egress: []string{"0.0.0.0/0", "pl-1", "sg-2"}}},
		VPCEndpoints:    []lamina.VPCEndpoint{{ID: "vpce-1", Account: member, Region: region, VPC: "vpc-1", Service: "com.amazonaws." + region + ".lambda", Policy: allow}},
		DNSFirewalls: []lamina.DNSFirewall{{
			ID: "rslvr-frgassoc-1", Account: member, Region: region, VPC: "vpc-1", Group: "rslvr-frg-1", Priority: 101,
			Rules: []lamina.DNSRule{{Action: "BLOCK", Domains: "rslvr-fdl-managed-1"}, {Action: "ALLOW", Domains: "rslvr-fdl-ours"}, {Action: "BLOCK", Domains: "rslvr-fdl-all", Every: true}},
		}},
		SigningProfiles: []lamina.SigningProfile{{
			VersionARN: "arn:aws:signer:" + region + ":" + member + ":/signing-profiles/ci/v1", Name: "ci", Account: member, Region: region, Status: "Active",
		}},
	})
	s := f.As(caller(member), region)
	for i := range 55 { // more than a page
		publish(t, s, fmt.Sprintf("layer-%03d", i))
	}
	share(t, s, "layer-000", 1, "everyone", "*")
	var signing awsfake.CodeSigningConfigInput
	signing.AllowedPublishers.SigningProfileVersionArns = []string{"arn:aws:signer:" + region + ":" + member + ":/signing-profiles/ci/v1"}
	csc, err := s.CreateCodeSigningConfig(signing)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		in := awsfake.CreateFunctionInput{
			FunctionName: fmt.Sprintf("fn-%d", i), Role: "arn:aws:iam::" + member + ":role/app", Runtime: "python3.12", Handler: "a.b",
			Layers: []string{"arn:aws:lambda:" + region + ":" + member + ":layer:layer-000:1"},
			Code:   awsfake.Code{ZipFile: fmt.Appendf(nil, "code %d", i/2)}, // two have the same
		}
		if i == 0 {
			in.VpcConfig = awsfake.VpcConfig{SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}}
		}
		if _, err := s.CreateFunction(in); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutFunctionCodeSigningConfig("fn-1", csc); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PublishVersion(awsfake.PublishVersionInput{FunctionName: "fn-1"}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutProvisionedConcurrency("fn-1", "1", 2); err != nil {
		t.Fatal(err)
	}
	// The layer of an account that is not collected.
	other := f.As(caller(suspended), region)
	publish(t, other, "platform")
	share(t, other, "platform", 1, "member", member)
	arn := "arn:aws:lambda:" + region + ":" + suspended + ":layer:platform:1"
	if _, err := s.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "fn-2", Layers: []string{arn}}); err != nil {
		t.Fatal(err)
	}
	return f
}

// said is what services say: of a function with a layer, of the layer, and of a
// function that is not there any more.
func said() []lamina.ServiceFinding {
	const function, layer = "arn:aws:lambda:" + region + ":" + member + ":function:", "arn:aws:lambda:" + region + ":" + member + ":layer:layer-000:1"
	all := []lamina.ServiceFinding{{
		ID: "arn:aws:inspector2:" + region + ":" + member + ":finding/1", Service: "inspector2", Type: "PACKAGE_VULNERABILITY", Severity: "CRITICAL", Title: "CVE-2026-0001 - example",
		Resources: []string{function + "fn-0"}, Vulnerabilities: []string{"CVE-2026-0001"}, EPSS: 0.75, Exploit: true,
		Packages: []lamina.ServicePackage{{Name: "example", Version: "1.0", FixedIn: "1.1", Path: "python/example", Layer: layer}},
	}, {
		ID: "arn:aws:guardduty:" + region + ":" + member + ":detector/d/finding/1", Service: "guardduty", Type: "Backdoor:Lambda/C&CActivity.B", Severity: "HIGH", Title: "fn-1 calls a command server", Resources: []string{function + "fn-1:1"},
	}, {
		ID: "control/1", Service: "securityhub", Product: "aws/securityhub", Type: "Software and Configuration Checks", Severity: "MEDIUM", Title: "the layer is open", Resources: []string{layer},
	}, {
		ID: "control/2", Service: "securityhub", Product: "aws/securityhub", Type: "Software and Configuration Checks", Severity: "LOW", Title: "gone", Resources: []string{function + "gone"},
	}}
	for i := range all {
		all[i].Account, all[i].Region, all[i].First, all[i].Last = member, region, start.Add(-time.Hour), start
	}
	return all
}

func caller(account string) awsfake.Caller {
	return awsfake.Caller{Account: account, Role: "lamina-collect", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}
}

func publish(t *testing.T, s awsfake.Session, name string) {
	t.Helper()
	in := awsfake.PublishLayerVersionInput{LayerName: name}
	in.Content.ZipFile = []byte("zip of " + name)
	if _, err := s.PublishLayerVersion(in); err != nil {
		t.Fatal(err)
	}
}

func share(t *testing.T, s awsfake.Session, name string, version int, sid, principal string) {
	t.Helper()
	if _, err := s.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: name, VersionNumber: version, StatementID: sid, Action: "lambda:GetLayerVersion", Principal: principal,
	}); err != nil {
		t.Fatal(err)
	}
}

// options collects both accounts as their own collectors.
func options(t *testing.T, f *awsfake.Fake) collect.Options {
	t.Helper()
	o := collect.Options{Now: f.Now(), Jobs: 4}
	for _, id := range []string{management, member} {
		http, key, secret := f.Client(caller(id))
		s := awsread.New(awsread.Options{Region: region, AccessKeyID: key, SecretAccessKey: secret, HTTP: http, Endpoint: "https://aws.invalid", Attempts: 1, Poll: 1})
		if id == management {
			var err error
			if o.Organization, err = collect.Discover(t.Context(), id, s.In(region), f.Now(), true); err != nil {
				t.Fatal(err)
			}
		}
		o.Accounts = append(o.Accounts, collect.Account{ID: id, Session: s, Regions: []string{region}, Home: region})
	}
	return o
}

func collected(t *testing.T, o collect.Options) lamina.Snapshot {
	t.Helper()
	s, err := collect.Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func file(t *testing.T, s lamina.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := snapshot.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What there is comes back, nothing is missing, and the same estate gives the
// same bytes however many targets are read at the same time.
func TestCollect(t *testing.T) {
	f := world(t)
	o := options(t, f)
	s := collected(t, o)
	for _, target := range s.Targets {
		if len(target.Gaps) > 0 {
			t.Errorf("%s %s: %+v", target.Account, target.Region, target.Gaps)
		}
	}
	if len(s.Targets) != 5 || len(s.Layers) != 56 || len(s.Functions) != 4 || len(s.Principals) < 2 || s.OrgID != "o-exampleorgid" {
		t.Errorf("%d targets, %d layers, %d functions, %d principals, %s", len(s.Targets), len(s.Layers), len(s.Functions), len(s.Principals), s.OrgID)
	}
	var want lamina.Snapshot
	f.Edit(func(in *lamina.Snapshot) { want = snapshot.Canonical(*in) })
	got := snapshot.Canonical(s)
	for name, d := range map[string]string{
		"accounts": cmp.Diff(want.Accounts, got.Accounts), "units": cmp.Diff(want.OrganizationalUnits, got.OrganizationalUnits),
		"policies": cmp.Diff(want.OrganizationPolicies, got.OrganizationPolicies), "groups": cmp.Diff(want.Groups, got.Groups),
		"managed": cmp.Diff(want.ManagedPolicies, got.ManagedPolicies), "trails": cmp.Diff(want.Trails, got.Trails), "alarms": cmp.Diff(want.Alarms, got.Alarms),
		"filters": cmp.Diff(want.MetricFilters, got.MetricFilters), "topics": cmp.Diff(want.Topics, got.Topics), "rules": cmp.Diff(want.EventRules, got.EventRules),
		"analyzers": cmp.Diff(want.Analyzers, got.Analyzers), "access findings": cmp.Diff(want.AccessFindings, got.AccessFindings),
		"unscanned": cmp.Diff(want.Unscanned, got.Unscanned), "service findings": cmp.Diff(want.ServiceFindings, got.ServiceFindings),
		"records":  cmp.Diff(want.ConfigRecords, got.ConfigRecords),
		"buckets":  cmp.Diff(want.Buckets[:1], got.Buckets), // of another account than the trail; the other is no trail's
		"profiles": cmp.Diff(want.SigningProfiles, got.SigningProfiles), "subnets": cmp.Diff(want.Subnets, got.Subnets),
		"security groups": cmp.Diff(want.SecurityGroups, got.SecurityGroups), "endpoints": cmp.Diff(want.VPCEndpoints, got.VPCEndpoints),
		"firewalls": cmp.Diff(want.DNSFirewalls, got.DNSFirewalls),
	} {
		if d != "" {
			t.Errorf("%s differ (-loaded +collected):\n%s", name, d)
		}
	}
	o.Jobs = 1
	if !bytes.Equal(file(t, s), file(t, collected(t, o))) {
		t.Error("the number of jobs shows in the snapshot")
	}
}

// lambdaCalls counts the calls of Lambda by action.
func lambdaCalls(f *awsfake.Fake, before map[awsfake.Count]int) map[string]int {
	out := map[string]int{}
	for c, n := range f.Calls() {
		if n -= before[c]; n > 0 && c.Account == member && strings.HasPrefix(c.Action, "lambda:") {
			out[c.Action] += n
		}
	}
	return out
}

// A first run makes the calls of the plan and no more; a second reads again the
// policies that CloudTrail names and the oldest tenth, and no content.
func TestCollect_calls(t *testing.T) {
	f := world(t)
	before := maps.Clone(f.Calls())
	first := collected(t, options(t, f))
	const layers, functions = 55, 3
	want := map[string]int{
		"lambda:ListLayers": 2, "lambda:ListLayerVersions": layers, "lambda:GetLayerVersionPolicy": layers,
		"lambda:GetLayerVersion":    layers + 1, // and the other account's layer
		"lambda:GetAccountSettings": 1,
		"lambda:ListFunctions":      1, "lambda:ListEventSourceMappings": 1,
		"lambda:GetPolicy": functions + 1, "lambda:ListProvisionedConcurrencyConfigs": 1, "lambda:ListAliases": functions, "lambda:ListFunctionUrlConfigs": functions,
		"lambda:GetFunctionCodeSigningConfig": functions, "lambda:GetCodeSigningConfig": 1,
	}
	if d := cmp.Diff(want, lambdaCalls(f, before)); d != "" {
		t.Errorf("first run (-want +made):\n%s", d)
	}
	f.Advance(24 * time.Hour)
	s := f.As(caller(member), region)
	share(t, s, "layer-001", 1, "late", "*")
	if err := s.RemoveLayerVersionPermission("layer-000", 1, "everyone", ""); err != nil {
		t.Fatal(err)
	}
	publish(t, s, "layer-new")
	f.Advance(24 * time.Hour)
	before = maps.Clone(f.Calls())
	o := options(t, f)
	o.Previous = &first
	second := collected(t, o)
	want["lambda:ListLayerVersions"] = layers + 1
	want["lambda:GetLayerVersion"] = 1 + 1               // the new version, and the other account's
	want["lambda:GetLayerVersionPolicy"] = 6 + 2 - 2 + 1 // the oldest tenth, in which the two named are, and the new one
	if d := cmp.Diff(want, lambdaCalls(f, before)); d != "" {
		t.Errorf("second run (-want +made):\n%s", d)
	}
	o.Previous = nil
	whole := collected(t, o)
	ages := 0
	for i, l := range second.Layers {
		if l.Account == member && l.PolicyRead.Before(second.Taken) {
			ages++
		}
		second.Layers[i].PolicyRead = whole.Layers[i].PolicyRead
	}
	if ages != layers-6 {
		t.Errorf("%d policies are of the first run, want %d", ages, layers-6)
	}
	for i := range whole.Targets { // the second run read CloudTrail besides
		second.Targets[i].Read = slices.DeleteFunc(second.Targets[i].Read, func(a string) bool { return a == "cloudtrail:LookupEvents" })
	}
	if d := cmp.Diff(snapshot.Canonical(whole), snapshot.Canonical(second)); d != "" {
		t.Errorf("reading again differs from reading whole (-whole +again):\n%s", d)
	}
}

// Where a second run may not read CloudTrail, or the first is older than what
// CloudTrail keeps, it reads every policy again.
func TestCollect_calls_without_a_trail(t *testing.T) {
	f := world(t)
	first := collected(t, options(t, f))
	policies := func() int {
		before := maps.Clone(f.Calls())
		o := options(t, f)
		o.Previous = &first
		collected(t, o)
		return lambdaCalls(f, before)["lambda:GetLayerVersionPolicy"]
	}
	f.Advance(24 * time.Hour)
	if n := policies(); n != 6 {
		t.Errorf("with the trail %d policies were read, want the oldest tenth, 6", n)
	}
	f.Deny(func(c awsfake.Call) bool { return c.Action == "cloudtrail:LookupEvents" })
	if n := policies(); n != 55 {
		t.Errorf("without the trail %d policies were read, want all 55", n)
	}
	f.Deny(nil)
	f.Advance(90 * 24 * time.Hour)
	if n := policies(); n != 55 {
		t.Errorf("after 91 days %d policies were read, want all 55", n)
	}
}

// Whatever action is denied is in the coverage of every target that asked for
// it, and in no list of what was read.
func TestCollect_denied(t *testing.T) {
	f := world(t)
	asked := map[string]bool{}
	collected(t, options(t, f))
	for c := range f.Calls() {
		asked[c.Action] = true
	}
	for _, call := range awsread.Calls {
		if !asked[call.Action] && call.Action != "cloudtrail:LookupEvents" && call.Action != "account:ListRegions" && call.Action != "sts:GetCallerIdentity" && !strings.HasPrefix(call.Action, "s3:") {
			t.Errorf("%s is never called here", call.Action)
		}
	}
	for action := range asked {
		if !slices.ContainsFunc(awsread.Calls, func(c awsread.Call) bool { return c.Action == action }) {
			continue // a call that built the world
		}
		f := f
		if action == "iam:GenerateCredentialReport" {
			f = world(t) // where there is no report yet
		}
		f.Deny(func(c awsfake.Call) bool { return c.Action == action })
		s := collected(t, options(t, f))
		f.Deny(nil)
		gaps := 0
		for _, target := range s.Targets {
			for _, g := range target.Gaps {
				if g.Action != action && action != "iam:GenerateCredentialReport" || !g.Denied && g.Action == action || len(g.Resources) > 0 {
					t.Errorf("without %s: gap %+v in %s %s", action, g, target.Account, target.Region)
				}
				gaps++
			}
			if slices.Contains(target.Read, action) && !strings.HasPrefix(action, "s3:") && gaps == 0 && target.Region == region && target.Account == member {
				t.Errorf("without %s: %s %s read it", action, target.Account, target.Region)
			}
		}
		if gaps == 0 {
			t.Errorf("without %s: no gap", action)
		}
	}
}

// A run that is broken off at any point goes on from its journal, makes no call
// for a policy twice, and ends in the snapshot of a run in one go.
func TestCollect_resume(t *testing.T) {
	f := world(t)
	want := file(t, collected(t, options(t, f)))
	for _, stop := range []int{1, 7, 60, 100, 150} {
		var journal bytes.Buffer
		o := options(t, f)
		if err := collect.WriteHeader(&journal, collect.Header{Now: o.Now, Asked: "x"}); err != nil {
			t.Fatal(err)
		}
		o.Journal = func(e collect.Entry) error { return collect.WriteEntry(&journal, e) }
		ctx, cancel := context.WithCancel(t.Context())
		left := stop
		f.Deny(func(awsfake.Call) bool {
			if left--; left < 0 {
				cancel()
			}
			return false
		})
		if _, err := collect.Collect(ctx, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d calls: %v", stop, err)
		}
		f.Deny(nil)
		journal.WriteString(`{"part":{"lay`) // killed while it wrote
		h, entries, _, err := collect.ReadJournal(&journal)
		if err != nil || h.Asked != "x" || !h.Now.Equal(o.Now) {
			t.Fatal(h, err)
		}
		o = options(t, f)
		o.Resume = entries
		if got := file(t, collected(t, o)); !bytes.Equal(want, got) {
			t.Errorf("stopped after %d calls: the snapshot differs", stop)
		}
	}
}

// What was refused before a run was broken off is a gap of the run that goes on.
func TestCollect_resume_keeps_gaps(t *testing.T) {
	f := world(t)
	refuse := func(c awsfake.Call) bool { return c.Action == "lambda:GetPolicy" }
	f.Deny(refuse)
	want := file(t, collected(t, options(t, f)))
	f.Deny(nil)
	o := options(t, f)
	o.Journal = func(e collect.Entry) error {
		if len(e.Part.Targets) == 0 {
			o.Resume = append(o.Resume, e)
		}
		return nil
	}
	f.Deny(refuse)
	collected(t, o)
	o.Journal = nil
	if got := file(t, collected(t, o)); !bytes.Equal(want, got) {
		t.Error("the snapshot differs from one that was read in one go")
	}
}

// The policies of aliases and versions are read where a layer is loaded, or would
// be attached.
func TestCollect_qualified_policies(t *testing.T) {
	f := world(t)
	s := f.As(caller(member), region)
	if _, err := s.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "fn-0", Layers: []string{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PublishVersion(awsfake.PublishVersionInput{FunctionName: "fn-0"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fn-0", "fn-1"} { // fn-1 loads a layer
		for alias, version := range map[string]string{"live": "1", "dev": "$LATEST"} {
			if _, err := s.CreateAlias(awsfake.AliasInput{FunctionName: name, Name: alias, FunctionVersion: version}); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []string{"", "1", "live", "dev"} {
			if _, err := s.AddPermission(awsfake.AddPermissionInput{
				FunctionName: name, Qualifier: q, StatementID: "s3", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com",
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string][]string{}
	for _, fn := range collected(t, options(t, f)).Functions {
		if fn.ARN == "arn:aws:lambda:"+region+":"+member+":function:fn-1" && !slices.Equal(fn.Provisioned, []lamina.Provisioned{{Qualifier: "1", Instances: 2}}) {
			t.Errorf("provisioned %+v", fn.Provisioned)
		}
		for _, p := range fn.Policies {
			got[fn.Name] = append(got[fn.Name], p.Qualifier)
		}
	}
	if d := cmp.Diff(map[string][]string{"fn-0": {"", "dev"}, "fn-1": {"", "1", "dev", "live"}}, got); d != "" {
		t.Errorf("-want +collected:\n%s", d)
	}
}

func TestReadJournal_refuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "other": "{}\n", "newer": `{"lamina_collect_journal":2}` + "\n", "no_line": `{"lamina_collect_journal":1}`,
		"entry": `{"lamina_collect_journal":1}` + "\n{\"x\":1}\n", "field": `{"lamina_collect_journal":1,"y":2}` + "\n",
	} {
		if _, _, _, err := collect.ReadJournal(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"lamina_collect_journal":1,"now":"2026-06-18T12:00:00Z","asked":""}` + "\n" + `{"part":{"version":0,"taken":"0001-01-01T00:00:00Z","accounts":null,"targets":null,"layers":null,"functions":null}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, entries, size, err := collect.ReadJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		if size > int64(len(data)) {
			t.Fatal(size)
		}
		_, again, _, err := collect.ReadJournal(bytes.NewReader(data[:size]))
		if err != nil || len(again) != len(entries) {
			t.Fatal(err)
		}
	})
}
