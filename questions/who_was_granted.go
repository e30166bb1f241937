package questions

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/triage"
)

// WhoWasGranted answers from the record of a grant what was granted and to whom.
var WhoWasGranted = triage.Question{
	ID:    "who-was-granted",
	Asks:  "What was granted, and to whom?",
	Since: "0.1",
	Wants: func(r triage.Record) bool { return strings.HasPrefix(r.EventName, "AddLayerVersionPermission") },
	Run:   whoWasGranted,
}

func whoWasGranted(c triage.Case) triage.Reply {
	r := c.Record
	event := []string{"event: " + r.EventID}
	if r.RequestParameters == nil {
		return triage.Reply{
			Outcome: lamina.Unknown, Text: "not observable: the record of a call that was refused does not say what was asked for",
			Evidence: event, Reason: "requestParameters is null, errorCode is " + r.ErrorCode,
			Settle: "the caller's own logs",
		}
	}
	g := lamina.Grant{
		StatementID: r.Text("statementId"), Action: r.Text("action"),
		Principal: r.Text("principal"), OrganizationID: r.Text("organizationId"),
	}
	what := fmt.Sprintf("%s on layer %s version %s", g.Action, r.Text("layerName"), r.Text("versionNumber"))
	owner := r.RecipientAccountID
	if l, err := lamina.ParseLayerARN(r.Text("layerName")); err == nil {
		owner = l.ARN.Account // the name may be an ARN
	}
	scope := c.Org.Scope(g, owner)
	reply := triage.Reply{
		Outcome: lamina.Fail, Text: what + " to " + grantee(g, scope), Evidence: append(event, "statement: "+g.StatementID, "scope: "+string(scope)),
	}
	if r.ErrorCode != "" {
		reply.Outcome = lamina.Pass
		reply.Text = "nothing: the call failed with " + r.ErrorCode + "; asked for was " + reply.Text
		return reply
	}
	switch scope {
	case lamina.ScopeOwnAccount, lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount:
		reply.Outcome = lamina.Pass
	case lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
		reply.Outcome = lamina.Unknown
		reply.Reason, reply.Settle = "whether that is inside the organisation is not known here", settle(c.Org, g)
	case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
	}
	return reply
}

func grantee(g lamina.Grant, scope lamina.GrantScope) string {
	switch scope {
	case lamina.ScopePublic:
		return "everyone (*)"
	case lamina.ScopeOwnOrganization:
		return "every account of this organisation (" + g.OrganizationID + ")"
	case lamina.ScopeForeignOrganization:
		return "every account of another organisation (" + g.OrganizationID + ")"
	case lamina.ScopeOwnAccount:
		return "the layer's own account (" + g.Principal + ")"
	case lamina.ScopeOrganizationAccount:
		return "an account of this organisation (" + g.Principal + ")"
	case lamina.ScopeVendorAccount:
		return "a listed vendor's account (" + g.Principal + ")"
	case lamina.ScopeUnknownAccount:
		return "an account outside this organisation (" + g.Principal + ")"
	case lamina.ScopeUnknownPrincipal:
		return "a principal that the record does not name"
	case lamina.ScopeUndetermined:
	}
	if g.OrganizationID != "" {
		return "every account of organisation " + g.OrganizationID
	}
	return g.Principal
}

func settle(o estate.Org, g lamina.Grant) string {
	switch {
	case g.OrganizationID != "" && o.ID == "":
		return "--org-id with this organisation's id"
	case g.Principal == "":
		return "the layer version's policy as it is now"
	}
	return "--account with this organisation's accounts"
}
