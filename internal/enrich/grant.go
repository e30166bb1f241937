package enrich

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
)

// grantRisk is the risk of a grant by how far it reaches, on Elastic's scale
// (21 low, 47 medium, 73 high, 99 critical).
var grantRisk = map[lamina.GrantScope]int{
	lamina.ScopePublic:              99,
	lamina.ScopeForeignOrganization: 73,
	lamina.ScopeUnknownAccount:      73,
	lamina.ScopeVendorAccount:       47,
	lamina.ScopeUndetermined:        47,
	lamina.ScopeUnknownPrincipal:    47,
	lamina.ScopeOwnOrganization:     21,
	lamina.ScopeOrganizationAccount: 21,
	lamina.ScopeOwnAccount:          1,
}

// layer fills lamina.layer.* and the statement of a layer call.
func (e *Enricher) layer(c *history.Call, out fields) {
	if l, ok := c.Layer(); ok {
		out.set("lamina.layer.arn", l.String())
		out.set("lamina.layer.name", l.Name)
		out.set("lamina.layer.account", l.ARN.Account)
		if l.Version > 0 {
			out.set("lamina.layer.version", strconv.Itoa(l.Version))
		}
	}
	out.set("lamina.grant.statement_id", c.Param("statementId"))
}

// grant fills lamina.grant.* of AddLayerVersionPermission.
func (e *Enricher) grant(c *history.Call, out fields) {
	e.layer(c, out)
	owner := c.Account
	if l, ok := c.Layer(); ok && l.ARN.Account != "" {
		owner = l.ARN.Account
	}
	g := lamina.Grant{Principal: c.Param("principal"), OrganizationID: c.Param("organizationId")}
	out.set("lamina.grant.principal", g.Principal)
	out.set("lamina.grant.organization_id", g.OrganizationID)

	account, notes := grantee(g, c.Hidden())
	if account != "" {
		out.set("lamina.grant.account", account)
		if p, ok := e.publishers.Account(account); ok {
			out.set("lamina.grant.publisher", p.Name)
		}
		g.Principal = account
	}
	out.set("lamina.grant.note", notes...)
	scope := e.org.Scope(g, owner)
	out.set("lamina.grant.scope", string(scope))
	out.set("lamina.grant.risk_score", strconv.Itoa(grantRisk[scope]))
}

// grantee is the account a grant's principal stands for, and what is odd about
// the grant. The API takes 12 digits, * or the root of an account, and an
// organisation id beside * only
// (https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html);
// whatever else stands in a record is classified by its account all the same.
func grantee(g lamina.Grant, hidden bool) (account string, notes []string) {
	arn, err := lamina.ParseARN(g.Principal)
	switch {
	case g.Principal == "" && hidden:
		notes = append(notes, "the record hides the request parameters, as records of refused calls do")
	case g.Principal == "":
		notes = append(notes, "the record names no principal")
	case g.Principal == "*":
	case isAccount(g.Principal):
		account = g.Principal
	case err == nil && isAccount(arn.Account):
		account = arn.Account
		if arn.Service != "iam" || arn.Resource != "root" {
			notes = append(notes, "the API refuses a principal of this form: it takes 12 digits, * or arn:PARTITION:iam::ACCOUNT:root")
		}
	default:
		notes = append(notes, "the API refuses a principal of this form, which names no account")
	}
	if g.OrganizationID != "" {
		if g.Principal != "*" {
			notes = append(notes, "the API takes an organisation id only beside the principal *")
		}
		if !isOrgID(g.OrganizationID) {
			notes = append(notes, "no organisation has an id of this form: it is o- and 10 to 32 letters or digits")
		}
	}
	return account, notes
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// isOrgID says whether s has the form of an organisation's id, o-[a-z0-9]{10,32}.
func isOrgID(s string) bool {
	id, ok := strings.CutPrefix(s, "o-")
	return ok && len(id) >= 10 && len(id) <= 32 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}
