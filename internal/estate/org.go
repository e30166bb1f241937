package estate

import (
	"strings"

	"github.com/lamina-sec/lamina"
)

// An Org is what is known of the organisation that Lamina looks for. Everything
// that is not known makes scopes less definite, never narrower.
type Org struct {
	ID       string
	accounts map[string]bool
	vendor   func(account string) bool
}

// NewOrg makes an Org. id may be "", accounts may be empty, vendor may be nil.
func NewOrg(id string, accounts []string, vendor func(account string) bool) Org {
	o := Org{ID: id, accounts: make(map[string]bool, len(accounts)), vendor: vendor}
	for _, a := range accounts {
		o.accounts[a] = true
	}
	return o
}

// Ours reports whether the account is one of the organisation's.
func (o Org) Ours(account string) bool { return o.accounts[account] }

// Scope says how far a grant of a layer version owned by the account owner
// reaches (DESIGN §4 lists the scopes).
func (o Org) Scope(g lamina.Grant, owner string) lamina.GrantScope {
	principal := g.Principal
	if a, err := lamina.ParseARN(principal); err == nil && a.Service == "iam" && a.Account != "" {
		principal = a.Account
	}
	switch {
	case principal == "":
		return lamina.ScopeUnknownPrincipal
	case principal == "*" && g.OrganizationID == "":
		return lamina.ScopePublic
	case principal == "*" && o.ID == "":
		return lamina.ScopeUndetermined
	case principal == "*" && g.OrganizationID == o.ID:
		return lamina.ScopeOwnOrganization
	case principal == "*":
		return lamina.ScopeForeignOrganization
	case len(principal) != 12 || strings.Trim(principal, "0123456789") != "":
		return lamina.ScopeUndetermined // no form that AWS stores
	case principal == owner:
		return lamina.ScopeOwnAccount
	case o.accounts[principal]:
		return lamina.ScopeOrganizationAccount
	case o.vendor != nil && o.vendor(principal):
		return lamina.ScopeVendorAccount
	case len(o.accounts) == 0:
		return lamina.ScopeUndetermined
	}
	return lamina.ScopeUnknownAccount
}
