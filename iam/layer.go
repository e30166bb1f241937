package iam

import (
	"fmt"
	"strings"

	"github.com/lamina-sec/lamina"
)

// LayerGrants reads the policy of a layer version, as GetLayerVersionPolicy
// returns it, into grants in document order. A layer's policy can only grant
// one action to an account, to an organisation, or to everyone; a statement of
// any other shape is an error, so that no grant is overlooked.
func LayerGrants(data []byte) ([]lamina.Grant, error) {
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	if problem, ok := p.Problem(); ok {
		return nil, fmt.Errorf("policy: %s", problem)
	}
	grants := make([]lamina.Grant, 0, len(p.Statements))
	for _, s := range p.Statements {
		if s.Effect != EffectAllow || len(s.Actions) != 1 || len(s.Principals) != 1 || len(s.Conditions) > 1 {
			return nil, fmt.Errorf("policy: statement %d (%q) is not a layer grant: want Allow with one action, one principal and at most one condition", s.Index, s.Sid)
		}
		g := lamina.Grant{StatementID: s.Sid, Action: s.Actions[0], Principal: s.Principals[0].ID}
		if a, err := lamina.ParseARN(g.Principal); err == nil && a.Service == "iam" && a.Resource == "root" {
			g.Principal = a.Account // stored as arn:P:iam::ACCOUNT:root
		}
		for _, c := range s.Conditions {
			if c.Operator != "StringEquals" || !strings.EqualFold(c.Key, "aws:PrincipalOrgID") || len(c.Values) != 1 {
				return nil, fmt.Errorf("policy: statement %d (%q) is not a layer grant: unknown condition %s", s.Index, s.Sid, c)
			}
			g.OrganizationID = c.Values[0]
		}
		grants = append(grants, g)
	}
	return grants, nil
}
