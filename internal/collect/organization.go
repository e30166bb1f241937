package collect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// An Organization is what AWS Organizations says, and how much of it.
type Organization struct {
	ID       string
	Accounts []lamina.Account
	units    []lamina.OrganizationalUnit
	policies []lamina.OrganizationPolicy
	target   lamina.Target
}

func (o Organization) part() lamina.Snapshot {
	return lamina.Snapshot{Accounts: o.Accounts, OrganizationalUnits: o.units, OrganizationPolicies: o.policies, Targets: []lamina.Target{o.target}}
}

// organizationTarget is the Region of the target that holds the coverage of AWS
// Organizations: it has no region, and answers for more than its account.
const organizationTarget = "organization"

// policyTypes are the types of policies that decide about permissions.
var policyTypes = []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}

// Discover reads which organisation the account is in, which every member may
// ask, and, when whole is set, its accounts, units and policies, which only the
// management account and delegated administrators may. In an account of no
// organisation it returns one without id. A denied call is a gap, not an error.
func Discover(ctx context.Context, account string, c *awsread.Client, now time.Time, whole bool) (Organization, error) {
	d := &reader{coverage: newCoverage()}
	o := Organization{}
	id, management, err := c.Organization(ctx)
	if awsread.InNoOrganization(err) {
		err = nil
	}
	o.ID = id
	if d.note("organizations:DescribeOrganization", "", err) && id != "" && whole {
		o.Accounts, err = c.Accounts(ctx)
		d.note("organizations:ListAccounts", "", err)
		o.tree(ctx, c, d)
		o.control(ctx, c, d)
		o.delegated(ctx, c, d)
	}
	for i := range o.Accounts {
		o.Accounts[i].Management = o.Accounts[i].ID == management
	}
	read, gaps := d.target()
	o.target = lamina.Target{Account: account, Region: organizationTarget, Taken: now.UTC(), Read: read, Gaps: gaps}
	return o, ctx.Err()
}

func (o *Organization) tree(ctx context.Context, c *awsread.Client, d *reader) {
	roots, err := c.Roots(ctx)
	if d.note("organizations:ListRoots", "", err) {
		d.begin("organizations:ListOrganizationalUnitsForParent", "organizations:ListAccountsForParent")
	}
	o.units = roots
	seen := map[string]bool{}
	for _, r := range roots {
		seen[r.ID] = true
	}
	for i := 0; i < len(o.units); i++ { // grows while it goes
		parent := o.units[i].ID
		below, err := c.Units(ctx, parent)
		for _, u := range below {
			if seen[u.ID] {
				err = cmp.Or(err, fmt.Errorf("the answer has %s in it, which is elsewhere already", u.ID))
				continue
			}
			seen[u.ID] = true
			o.units = append(o.units, u)
		}
		d.note("organizations:ListOrganizationalUnitsForParent", parent, err)
		ids, err := c.AccountsIn(ctx, parent)
		d.note("organizations:ListAccountsForParent", parent, err)
		for _, id := range ids {
			at := slices.IndexFunc(o.Accounts, func(a lamina.Account) bool { return a.ID == id })
			if at < 0 { // joined while we read
				at = len(o.Accounts)
				o.Accounts = append(o.Accounts, lamina.Account{ID: id})
			}
			o.Accounts[at].ParentID = parent
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// delegated reads which accounts administer a service for the organisation.
func (o *Organization) delegated(ctx context.Context, c *awsread.Client, d *reader) {
	ids, err := c.Administrators(ctx)
	if d.note("organizations:ListDelegatedAdministrators", "", err) {
		d.begin("organizations:ListDelegatedServicesForAccount")
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return
		}
		services, err := c.Administers(ctx, id)
		d.note("organizations:ListDelegatedServicesForAccount", id, err)
		if at := slices.IndexFunc(o.Accounts, func(a lamina.Account) bool { return a.ID == id }); at >= 0 {
			o.Accounts[at].Delegated = services
		}
	}
}

func (o *Organization) control(ctx context.Context, c *awsread.Client, d *reader) {
	for _, kind := range policyTypes {
		list, err := c.OrganizationPolicies(ctx, kind)
		if d.note("organizations:ListPolicies", kind, err) {
			d.begin("organizations:DescribePolicy", "organizations:ListTargetsForPolicy")
		}
		for _, p := range list {
			if ctx.Err() != nil {
				return
			}
			p.Document, err = c.OrganizationPolicy(ctx, p.ID)
			d.note("organizations:DescribePolicy", p.ID, err)
			p.Targets, err = c.OrganizationPolicyTargets(ctx, p.ID)
			d.note("organizations:ListTargetsForPolicy", p.ID, err)
			o.policies = append(o.policies, p)
		}
	}
}
