package awsread

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/lamina-sec/lamina"
)

// Organization returns the organisation's id and its management account.
func (c *Client) Organization(ctx context.Context) (id, management string, err error) {
	out, err := c.organizations.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return "", "", fail("organizations:DescribeOrganization", "*", err)
	}
	if out.Organization == nil {
		return "", "", nil
	}
	return aws.ToString(out.Organization.Id), aws.ToString(out.Organization.MasterAccountId), nil
}

// InNoOrganization reports whether the error says that the account is in none.
func InNoOrganization(err error) bool { return code(err) == "AWSOrganizationsNotInUseException" }

// Accounts returns the organisation's accounts without their place in it.
func (c *Client) Accounts(ctx context.Context) ([]lamina.Account, error) {
	var all []lamina.Account
	for out, err := range pages(ctx, organizations.NewListAccountsPaginator(c.organizations, &organizations.ListAccountsInput{})) {
		if err != nil {
			return all, fail("organizations:ListAccounts", "*", err)
		}
		for _, a := range out.Accounts {
			if id := aws.ToString(a.Id); len(id) != 12 || strings.Trim(id, "0123456789") != "" {
				return all, fail("organizations:ListAccounts", "*", fmt.Errorf("%q is no id of an account", id))
			}
			// State replaces Status; accounts read through older endpoints have only that.
			status := string(a.State)
			if status == "" {
				status = string(a.Status)
			}
			all = append(all, lamina.Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Status: status})
		}
	}
	return all, nil
}

// Administrators returns the ids of the accounts that administer a service for the
// organisation, its management account not among them.
func (c *Client) Administrators(ctx context.Context) ([]string, error) {
	var ids []string
	for out, err := range pages(ctx, organizations.NewListDelegatedAdministratorsPaginator(c.organizations, &organizations.ListDelegatedAdministratorsInput{})) {
		if err != nil {
			return ids, fail("organizations:ListDelegatedAdministrators", "*", err)
		}
		for _, a := range out.DelegatedAdministrators {
			ids = append(ids, aws.ToString(a.Id))
		}
	}
	return ids, nil
}

// Administers returns the service principals of the services that the account
// administers for the organisation, sorted.
func (c *Client) Administers(ctx context.Context, account string) ([]string, error) {
	var services []string
	in := &organizations.ListDelegatedServicesForAccountInput{AccountId: &account}
	for out, err := range pages(ctx, organizations.NewListDelegatedServicesForAccountPaginator(c.organizations, in)) {
		if err != nil {
			return services, fail("organizations:ListDelegatedServicesForAccount", account, err)
		}
		for _, s := range out.DelegatedServices {
			services = append(services, aws.ToString(s.ServicePrincipal))
		}
	}
	slices.Sort(services)
	return services, nil
}

// Roots returns the organisation's root.
func (c *Client) Roots(ctx context.Context) ([]lamina.OrganizationalUnit, error) {
	var all []lamina.OrganizationalUnit
	for out, err := range pages(ctx, organizations.NewListRootsPaginator(c.organizations, &organizations.ListRootsInput{})) {
		if err != nil {
			return all, fail("organizations:ListRoots", "*", err)
		}
		for _, r := range out.Roots {
			all = append(all, lamina.OrganizationalUnit{ID: aws.ToString(r.Id), Name: aws.ToString(r.Name)})
		}
	}
	return all, nil
}

// Units returns the organisational units directly below the parent.
func (c *Client) Units(ctx context.Context, parent string) ([]lamina.OrganizationalUnit, error) {
	var all []lamina.OrganizationalUnit
	in := &organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent}
	for out, err := range pages(ctx, organizations.NewListOrganizationalUnitsForParentPaginator(c.organizations, in)) {
		if err != nil {
			return all, fail("organizations:ListOrganizationalUnitsForParent", parent, err)
		}
		for _, u := range out.OrganizationalUnits {
			all = append(all, lamina.OrganizationalUnit{ID: aws.ToString(u.Id), Name: aws.ToString(u.Name), ParentID: parent})
		}
	}
	return all, nil
}

// AccountsIn returns the ids of the accounts directly below the parent.
func (c *Client) AccountsIn(ctx context.Context, parent string) ([]string, error) {
	var all []string
	in := &organizations.ListAccountsForParentInput{ParentId: &parent}
	for out, err := range pages(ctx, organizations.NewListAccountsForParentPaginator(c.organizations, in)) {
		if err != nil {
			return all, fail("organizations:ListAccountsForParent", parent, err)
		}
		for _, a := range out.Accounts {
			all = append(all, aws.ToString(a.Id))
		}
	}
	return all, nil
}

// OrganizationPolicies returns the organisation's policies of one type without
// document and targets.
func (c *Client) OrganizationPolicies(ctx context.Context, kind string) ([]lamina.OrganizationPolicy, error) {
	var all []lamina.OrganizationPolicy
	in := &organizations.ListPoliciesInput{Filter: types.PolicyType(kind)}
	for out, err := range pages(ctx, organizations.NewListPoliciesPaginator(c.organizations, in)) {
		if err != nil {
			return all, fail("organizations:ListPolicies", kind, err)
		}
		for _, s := range out.Policies {
			all = append(all, lamina.OrganizationPolicy{ID: aws.ToString(s.Id), Name: aws.ToString(s.Name), Type: string(s.Type)})
		}
	}
	return all, nil
}

// OrganizationPolicy returns the document of the policy with the id.
func (c *Client) OrganizationPolicy(ctx context.Context, id string) (string, error) {
	out, err := c.organizations.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: &id})
	if err != nil {
		return "", fail("organizations:DescribePolicy", id, err)
	}
	if out.Policy == nil {
		return "", nil
	}
	return aws.ToString(out.Policy.Content), nil
}

// OrganizationPolicyTargets returns the ids that the policy is attached to, sorted.
func (c *Client) OrganizationPolicyTargets(ctx context.Context, id string) ([]string, error) {
	var all []string
	in := &organizations.ListTargetsForPolicyInput{PolicyId: &id}
	for out, err := range pages(ctx, organizations.NewListTargetsForPolicyPaginator(c.organizations, in)) {
		if err != nil {
			return all, fail("organizations:ListTargetsForPolicy", id, err)
		}
		for _, t := range out.Targets {
			all = append(all, aws.ToString(t.TargetId))
		}
	}
	slices.Sort(all)
	return all, nil
}
