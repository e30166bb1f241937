package awsfake_test

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"acme-1"}}}]}`

// A role is assumed by whom its trust policy names, with the external id, until
// its session ends.
func TestAssumeRole(t *testing.T) {
	f := awsfake.New(1, start)
	f.Load(lamina.Snapshot{Principals: []lamina.Principal{
		{ARN: "arn:aws:iam::444455556666:role/lamina", Account: partner, Kind: "Role", Name: "lamina", Trust: trust},
	}})
	ctx := t.Context()
	me := sts.NewFromConfig(config(f, caller(owner), region))
	id, err := me.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *id.Account != owner || *id.Arn != "arn:aws:sts::111122223333:assumed-role/deployer/ci" {
		t.Errorf("identity %s, %v", aws.ToString(id.Arn), err)
	}
	in := func(role, external string) *sts.AssumeRoleInput {
		i := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/" + role), RoleSessionName: aws.String("audit")}
		if external != "" {
			i.ExternalId = &external
		}
		return i
	}
	for name, tt := range map[string]struct {
		from           string
		role, external string
		want           string
	}{
		"with_the_id":  {owner, "lamina", "acme-1", ""},
		"without_it":   {owner, "lamina", "", "AccessDenied"},
		"another_id":   {owner, "lamina", "acme-2", "AccessDenied"},
		"not_there":    {owner, "other", "acme-1", "AccessDenied"},
		"someone_else": {stranger, "lamina", "acme-1", "AccessDenied"},
	} {
		_, err := sts.NewFromConfig(config(f, caller(tt.from), region)).AssumeRole(ctx, in(tt.role, tt.external))
		if code(err) != tt.want {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	out, err := me.AssumeRole(ctx, in("lamina", "acme-1"))
	if err != nil {
		t.Fatal(err)
	}
	if !out.Credentials.Expiration.Equal(start.Add(time.Hour)) {
		t.Errorf("the session ends at %s", out.Credentials.Expiration)
	}
	if raw := trailOf(t, f, -1); !strings.Contains(raw, `"eventName":"AssumeRole"`) || !strings.Contains(raw, `"externalId":"acme-1"`) || strings.Contains(raw, "secretAccessKey") {
		t.Errorf("recorded as %s", raw)
	}
	cfg := config(f, caller(owner), region)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	there := sts.NewFromConfig(cfg)
	if id, err := there.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil || *id.Arn != "arn:aws:sts::444455556666:assumed-role/lamina/audit" {
		t.Errorf("identity %s, %v", aws.ToString(id.Arn), err)
	}
	f.Advance(61 * time.Minute)
	if _, err := there.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); code(err) != "ExpiredToken" {
		t.Errorf("after its end the session gives %v", err)
	}
	if _, err := lambda.NewFromConfig(cfg).ListLayers(ctx, &lambda.ListLayersInput{}); code(err) != "ExpiredTokenException" {
		t.Errorf("after its end the session gives %v", err)
	}
	f.SessionsEnd(start.AddDate(50, 0, 0))
	if out, err := me.AssumeRole(ctx, in("lamina", "acme-1")); err != nil || !out.Credentials.Expiration.Equal(start.AddDate(50, 0, 0)) {
		t.Errorf("got %v, %v", out, err)
	}
}

// organization has 25 accounts in two units, and a policy.
func organization() lamina.Snapshot {
	s := lamina.Snapshot{
		OrgID: org,
		OrganizationalUnits: []lamina.OrganizationalUnit{
			{ID: "r-ab12", Name: "Root"}, {ID: "ou-ab12-prod", Name: "prod", ParentID: "r-ab12"}, {ID: "ou-ab12-dev", Name: "dev", ParentID: "r-ab12"},
		},
		OrganizationPolicies: []lamina.OrganizationPolicy{
			{ID: "p-FullAWSAccess", Name: "FullAWSAccess", Type: "SERVICE_CONTROL_POLICY", Document: `{"Statement":[]}`, Targets: []string{"111122223333", "ou-ab12-prod", "r-ab12"}},
			{ID: "p-11112222", Name: "regions", Type: "SERVICE_CONTROL_POLICY", Document: `{"Statement":[{"Effect":"Deny"}]}`, Targets: []string{"ou-ab12-prod"}},
			{ID: "p-33334444", Name: "buckets", Type: "RESOURCE_CONTROL_POLICY", Document: `{}`},
		},
		Accounts: []lamina.Account{{ID: owner, Name: "root", Status: "ACTIVE", ParentID: "r-ab12", Management: true}},
	}
	for i := range 24 {
		s.Accounts = append(s.Accounts, lamina.Account{ID: fmt.Sprintf("%012d", i+1), Name: fmt.Sprintf("a%d", i), Status: "ACTIVE", ParentID: []string{"ou-ab12-prod", "ou-ab12-dev"}[i%2]})
	}
	return s
}

func TestOrganizations(t *testing.T) {
	f := awsfake.New(1, start)
	want := organization()
	f.Load(want)
	ctx := t.Context()
	client := func(id string) *organizations.Client {
		return organizations.NewFromConfig(config(f, caller(id), "us-east-1"))
	}
	sdk := client(owner)
	described, err := client("000000000001").DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil || *described.Organization.Id != org || *described.Organization.MasterAccountId != owner {
		t.Errorf("organisation %+v, %v", described, err)
	}
	if _, err := client(stranger).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{}); code(err) != "AWSOrganizationsNotInUseException" {
		t.Errorf("outside it: %v", err)
	}
	if _, err := client("000000000001").ListAccounts(ctx, &organizations.ListAccountsInput{}); code(err) != "AccessDeniedException" {
		t.Errorf("a member lists accounts: %v", err)
	}
	f.Delegate("access-analyzer.amazonaws.com", "000000000001")
	sizes := []int{}
	for p := organizations.NewListAccountsPaginator(client("000000000001"), &organizations.ListAccountsInput{}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.Accounts))
	}
	if d := cmp.Diff([]int{20, 5}, sizes); d != "" {
		t.Errorf("pages of accounts: %s", d)
	}
	delegated, err := sdk.ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String("access-analyzer.amazonaws.com")})
	if err != nil || len(delegated.DelegatedAdministrators) != 1 || *delegated.DelegatedAdministrators[0].Id != "000000000001" {
		t.Errorf("delegated administrators %+v, %v", delegated, err)
	}
	roots, err := sdk.ListRoots(ctx, &organizations.ListRootsInput{})
	if err != nil || len(roots.Roots) != 1 || *roots.Roots[0].Id != "r-ab12" {
		t.Errorf("roots %+v, %v", roots, err)
	}
	units, err := sdk.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String("r-ab12")})
	if err != nil || len(units.OrganizationalUnits) != 2 || *units.OrganizationalUnits[0].Name != "prod" {
		t.Errorf("units %+v, %v", units, err)
	}
	below, err := sdk.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String("ou-ab12-dev")})
	if err != nil || len(below.Accounts) != 12 || below.Accounts[0].State != orgtypes.AccountStateActive {
		t.Errorf("accounts of a unit %+v, %v", below, err)
	}
	if _, err := sdk.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String("ou-none")}); code(err) != "ParentNotFoundException" {
		t.Errorf("accounts of no unit: %v", err)
	}
	policies, err := sdk.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: orgtypes.PolicyTypeServiceControlPolicy})
	if err != nil || len(policies.Policies) != 2 {
		t.Errorf("policies %+v, %v", policies, err)
	}
	on, err := sdk.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: aws.String(owner), Filter: orgtypes.PolicyTypeServiceControlPolicy})
	if err != nil || len(on.Policies) != 1 || !on.Policies[0].AwsManaged {
		t.Errorf("policies of an account %+v, %v", on, err)
	}
	targets, err := sdk.ListTargetsForPolicy(ctx, &organizations.ListTargetsForPolicyInput{PolicyId: aws.String("p-FullAWSAccess")})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, x := range targets.Targets {
		kinds = append(kinds, string(x.Type))
	}
	if d := cmp.Diff([]string{"ACCOUNT", "ORGANIZATIONAL_UNIT", "ROOT"}, kinds); d != "" {
		t.Error(d)
	}
	p, err := sdk.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: aws.String("p-11112222")})
	if err != nil || *p.Policy.Content != want.OrganizationPolicies[1].Document {
		t.Errorf("policy %+v, %v", p, err)
	}
	if _, err := sdk.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: aws.String("p-none")}); code(err) != "PolicyNotFoundException" {
		t.Errorf("no policy: %v", err)
	}
}

func TestIAM(t *testing.T) {
	f := awsfake.New(1, start)
	rotated := start.AddDate(0, -4, 0)
	s := lamina.Snapshot{
		Groups: []lamina.Group{{ARN: "arn:aws:iam::111122223333:group/ops", Account: owner, Name: "ops", Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}}},
		ManagedPolicies: []lamina.ManagedPolicy{
			{ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess", Name: "ReadOnlyAccess", Document: `{"Version":"2012-10-17","Statement":[]}`},
			{ARN: "arn:aws:iam::aws:policy/PowerUserAccess", Name: "PowerUserAccess", Document: `{}`},
			{ARN: "arn:aws:iam::111122223333:policy/x/layers", Name: "layers", Document: `{"Statement":[{"Action":"lambda:* & <more>"}]}`},
			{ARN: "arn:aws:iam::999999999999:policy/theirs", Name: "theirs", Document: `{}`},
		},
		Principals: []lamina.Principal{
			{
				ARN: "arn:aws:iam::111122223333:user/div/ann", Account: owner, Kind: "User", Name: "ann", Created: start.AddDate(-1, 0, 0), Tags: map[string]string{"team": "pay"},
				Groups: []string{"arn:aws:iam::111122223333:group/ops"}, Credentials: &lamina.Credentials{MFA: true, Password: true, AccessKeys: []time.Time{rotated}},
				Boundary: "arn:aws:iam::111122223333:policy/x/layers",
			},
		},
	}
	for i := range 150 {
		name := fmt.Sprintf("role%03d", i)
		s.Principals = append(s.Principals, lamina.Principal{
			ARN: "arn:aws:iam::111122223333:role/" + name, Account: owner, Kind: "Role", Name: name, Trust: trust, LastUsed: rotated,
			Inline: []lamina.InlinePolicy{{Name: "in", Document: `{"Statement":[{"Sid":"a b+c"}]}`}},
		})
	}
	f.Load(s)
	ctx := t.Context()
	sdk := iam.NewFromConfig(config(f, caller(owner), "us-east-1"))
	var users []iamtypes.UserDetail
	var policies, pages []string
	roles := 0
	for p := iam.NewGetAccountAuthorizationDetailsPaginator(sdk, &iam.GetAccountAuthorizationDetailsInput{}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strconv.Itoa(len(out.UserDetailList)+len(out.GroupDetailList)+len(out.RoleDetailList)+len(out.Policies)))
		users = append(users, out.UserDetailList...)
		roles += len(out.RoleDetailList)
		for _, r := range out.RoleDetailList {
			doc, err := url.PathUnescape(*r.RolePolicyList[0].PolicyDocument)
			if err != nil || doc != `{"Statement":[{"Sid":"a b+c"}]}` || strings.Contains(*r.AssumeRolePolicyDocument, "{") || !r.RoleLastUsed.LastUsedDate.Equal(rotated) {
				t.Fatalf("role %+v", r)
			}
		}
		for _, m := range out.Policies {
			policies = append(policies, *m.PolicyName)
		}
	}
	if d := cmp.Diff([]string{"100", "54"}, pages); d != "" {
		t.Errorf("pages: %s", d)
	}
	if d := cmp.Diff([]string{"ReadOnlyAccess", "layers"}, policies); d != "" || roles != 150 {
		t.Errorf("%d roles, policies: %s", roles, d)
	}
	if u := users[0]; *u.UserName != "ann" || *u.Path != "/div/" || u.GroupList[0] != "ops" || *u.Tags[0].Value != "pay" || u.PermissionsBoundary == nil {
		t.Errorf("user %+v", u)
	}
	only, err := sdk.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []iamtypes.EntityType{iamtypes.EntityTypeGroup}})
	if err != nil || len(only.GroupDetailList) != 1 || len(only.RoleDetailList) != 0 {
		t.Errorf("a filter gives %+v, %v", only, err)
	}

	if _, err := sdk.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); code(err) != "ReportNotPresent" {
		t.Errorf("before there is a report: %v", err)
	}
	var states []string
	for range 2 {
		out, err := sdk.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, string(out.State))
	}
	if d := cmp.Diff([]string{"STARTED", "COMPLETE"}, states); d != "" {
		t.Error(d)
	}
	report, err := sdk.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(report.Content)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "<root_account>,") ||
		!strings.HasPrefix(lines[2], "ann,arn:aws:iam::111122223333:user/div/ann,2025-06-18T13:02:11Z,true,N/A,N/A,N/A,true,true,2026-02-18T13:02:11Z,") {
		t.Errorf("report:\n%s", report.Content)
	}
	f.Advance(5 * time.Hour)
	if _, err := sdk.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); code(err) != "ReportExpired" {
		t.Errorf("an old report: %v", err)
	}
}

// A region that is off refuses everybody; Account Management says which are on.
func TestRegions(t *testing.T) {
	f := awsfake.New(1, start)
	f.OptIn(owner, "eu-south-1")
	ctx := t.Context()
	list := func(id string) []string {
		in := &account.ListRegionsInput{RegionOptStatusContains: []accounttypes.RegionOptStatus{accounttypes.RegionOptStatusEnabled, accounttypes.RegionOptStatusEnabledByDefault}}
		var all []string
		for p := account.NewListRegionsPaginator(account.NewFromConfig(config(f, caller(id), "us-east-1")), in); p.HasMorePages(); {
			out, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range out.Regions {
				all = append(all, *r.RegionName)
			}
		}
		return all
	}
	mine, theirs := list(owner), list(stranger)
	if len(mine) != 18 || len(theirs) != 17 || !slices.Contains(mine, "eu-south-1") || slices.Contains(mine, "me-south-1") {
		t.Errorf("regions %v and %v", mine, theirs)
	}
	for id, want := range map[string]string{owner: "", stranger: "UnrecognizedClientException"} {
		_, err := lambda.NewFromConfig(config(f, caller(id), "eu-south-1")).ListLayers(ctx, &lambda.ListLayersInput{})
		if code(err) != want {
			t.Errorf("%s gets %v", id, err)
		}
	}
}
