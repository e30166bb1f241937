package awsread

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lamina-sec/lamina"
)

// Regions returns the regions that the account has enabled, sorted.
func (c *Client) Regions(ctx context.Context) ([]string, error) {
	return c.regions(ctx, accounttypes.RegionOptStatusEnabled, accounttypes.RegionOptStatusEnabledByDefault)
}

// EveryRegion returns the regions that there are for the account, enabled or not,
// sorted.
func (c *Client) EveryRegion(ctx context.Context) ([]string, error) { return c.regions(ctx) }

// regions returns the regions in one of the states, or in any for none.
func (c *Client) regions(ctx context.Context, states ...accounttypes.RegionOptStatus) ([]string, error) {
	in := &account.ListRegionsInput{RegionOptStatusContains: states}
	var all []string
	for out, err := range pages(ctx, account.NewListRegionsPaginator(c.account, in)) {
		if err != nil {
			return all, fail("account:ListRegions", "*", err)
		}
		for _, r := range out.Regions {
			all = append(all, aws.ToString(r.RegionName))
		}
	}
	slices.Sort(all)
	return all, nil
}

// Authorization is what IAM holds of an account: who there is and which
// policies they have.
type Authorization struct {
	Principals      []lamina.Principal
	Groups          []lamina.Group
	ManagedPolicies []lamina.ManagedPolicy
}

// Authorization returns the account's roles, users, groups and the managed
// policies that it has or uses.
func (c *Client) Authorization(ctx context.Context) (Authorization, error) {
	const action = "iam:GetAccountAuthorizationDetails"
	var all Authorization
	members := map[string][]string{} // user ARN → names of groups
	for out, err := range pages(ctx, iam.NewGetAccountAuthorizationDetailsPaginator(c.iam, &iam.GetAccountAuthorizationDetailsInput{})) {
		if err != nil {
			return all, fail(action, "*", err)
		}
		for _, r := range out.RoleDetailList {
			role, err := principal("Role", aws.ToString(r.Arn), aws.ToString(r.RoleName), aws.ToString(r.RoleId), aws.ToString(r.Path), r.CreateDate, r.Tags)
			if err != nil {
				return all, fail(action, "*", err)
			}
			role.Inline, role.Attached, role.Boundary = inline(r.RolePolicyList), attached(r.AttachedManagedPolicies), boundary(r.PermissionsBoundary)
			role.Trust = document(r.AssumeRolePolicyDocument)
			if r.RoleLastUsed != nil {
				role.LastUsed = aws.ToTime(r.RoleLastUsed.LastUsedDate).UTC()
			}
			all.Principals = append(all.Principals, role)
		}
		for _, u := range out.UserDetailList {
			user, err := principal("User", aws.ToString(u.Arn), aws.ToString(u.UserName), aws.ToString(u.UserId), aws.ToString(u.Path), u.CreateDate, u.Tags)
			if err != nil {
				return all, fail(action, "*", err)
			}
			user.Inline, user.Attached, user.Boundary = inline(u.UserPolicyList), attached(u.AttachedManagedPolicies), boundary(u.PermissionsBoundary)
			members[user.ARN] = u.GroupList
			all.Principals = append(all.Principals, user)
		}
		for _, g := range out.GroupDetailList {
			arn, err := lamina.ParseARN(aws.ToString(g.Arn))
			if err != nil {
				return all, fail(action, "*", err)
			}
			all.Groups = append(all.Groups, lamina.Group{
				ARN: arn.String(), Account: arn.Account, Name: aws.ToString(g.GroupName), Inline: inline(g.GroupPolicyList), Attached: attached(g.AttachedManagedPolicies),
			})
		}
		for _, m := range out.Policies {
			i := slices.IndexFunc(m.PolicyVersionList, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
			if i < 0 {
				return all, fail(action, aws.ToString(m.Arn), fmt.Errorf("managed policy %s has no default version", aws.ToString(m.Arn)))
			}
			all.ManagedPolicies = append(all.ManagedPolicies, lamina.ManagedPolicy{
				ARN: aws.ToString(m.Arn), Name: aws.ToString(m.PolicyName), Document: document(m.PolicyVersionList[i].Document),
			})
		}
	}
	arns := map[string]string{}
	for _, g := range all.Groups {
		arns[g.Name] = g.ARN
	}
	for i, p := range all.Principals {
		for _, name := range members[p.ARN] {
			arn, ok := arns[name]
			if !ok {
				return all, fail(action, p.ARN, fmt.Errorf("user %s is in group %q, which is not listed", p.ARN, name))
			}
			all.Principals[i].Groups = append(all.Principals[i].Groups, arn)
		}
		slices.Sort(all.Principals[i].Groups)
	}
	return all, nil
}

func principal(kind, arn, name, id, path string, created *time.Time, tags []types.Tag) (lamina.Principal, error) {
	a, err := lamina.ParseARN(arn)
	if err != nil {
		return lamina.Principal{}, err
	}
	p := lamina.Principal{ARN: arn, Account: a.Account, Kind: kind, Name: name, ID: id, Path: path, Created: aws.ToTime(created).UTC()}
	for _, t := range tags {
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		p.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return p, nil
}

func inline(list []types.PolicyDetail) []lamina.InlinePolicy {
	var out []lamina.InlinePolicy
	for _, p := range list {
		out = append(out, lamina.InlinePolicy{Name: aws.ToString(p.PolicyName), Document: document(p.PolicyDocument)})
	}
	slices.SortFunc(out, func(a, b lamina.InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func attached(list []types.AttachedPolicy) []string {
	var out []string
	for _, p := range list {
		out = append(out, aws.ToString(p.PolicyArn))
	}
	slices.Sort(out)
	return out
}

func boundary(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return aws.ToString(b.PermissionsBoundaryArn)
}

// document decodes a policy, which IAM returns percent-encoded (RFC 3986). One
// that is not is kept as it is: what reads it will say so.
func document(s *string) string {
	if d, err := url.PathUnescape(aws.ToString(s)); err == nil {
		return d
	}
	return aws.ToString(s)
}

// reportPolls is how often a credential report that is being made is asked for.
const reportPolls = 15

// report returns the account's credential report, and has IAM make one when
// there is none of the last four hours: the one call here that is not a read.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
func (c *Client) report(ctx context.Context) ([]byte, error) {
	for poll := 0; ; poll++ {
		out, err := c.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
		if err == nil {
			return out.Content, nil
		}
		switch code(err) {
		case "ReportNotPresent", "ReportExpired", "ReportInProgress":
		default:
			return nil, fail("iam:GetCredentialReport", "*", err)
		}
		if poll == reportPolls {
			return nil, fail("iam:GetCredentialReport", "*", err)
		}
		made, err := c.iam.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
		if err != nil {
			return nil, fail("iam:GenerateCredentialReport", "*", err)
		}
		if made.State == types.ReportStateTypeComplete {
			continue
		}
		t := time.NewTimer(c.poll)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		}
	}
}

// Credentials returns how each user of the account can sign in, by ARN.
func (c *Client) Credentials(ctx context.Context) (map[string]lamina.Credentials, error) {
	const action = "iam:GetCredentialReport"
	content, err := c.report(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		return nil, fail(action, "*", err)
	}
	if len(rows) == 0 {
		return nil, fail(action, "*", errors.New("the report is empty"))
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, name := range []string{"arn", "mfa_active", "password_enabled", "access_key_1_active", "access_key_1_last_rotated", "access_key_2_active", "access_key_2_last_rotated"} {
		if _, ok := column[name]; !ok {
			return nil, fail(action, "*", fmt.Errorf("the report has no column %s", name))
		}
	}
	all := map[string]lamina.Credentials{}
	for _, row := range rows[1:] {
		cell := func(name string) string { return row[column[name]] }
		cr := lamina.Credentials{MFA: cell("mfa_active") == "true", Password: cell("password_enabled") == "true"}
		for _, key := range []string{"access_key_1", "access_key_2"} {
			if cell(key+"_active") != "true" {
				continue
			}
			at, err := time.Parse(time.RFC3339, cell(key+"_last_rotated"))
			if err != nil {
				return nil, fail(action, cell("arn"), fmt.Errorf("%s_last_rotated: %w", key, err))
			}
			cr.AccessKeys = append(cr.AccessKeys, at.UTC())
		}
		all[cell("arn")] = cr
	}
	return all, nil
}
