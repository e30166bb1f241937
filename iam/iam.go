// Package iam is policy documents and what they allow.
//
// It parses a document as IAM's JSON grammar has it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html)
// and evaluates a request against it with three answers: a condition whose key
// is not known makes the answer Unknown and names the residue, never Allowed
// and never Denied. It refuses documents it cannot read whole: an element, an
// effect or a shape that it does not know is an error, because a statement
// skipped is a statement that says nothing.
//
// Start with Parse, then Policy.Evaluate; LayerGrants reads the policy of a
// Lambda layer version into nouns.
//
// # Limits
//
// A document has at most MaxPolicy bytes. One document is evaluated at a time:
// permission boundaries, service control policies, sessions and the meeting of
// identity and resource policies are not joined here. Of the condition
// operators StringEquals, StringNotEquals, StringLike, StringNotLike, ArnLike,
// ArnEquals, Bool and Null are evaluated, with IfExists; any other operator
// leaves a residue. Keys with many values leave a residue as well.
package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// MaxPolicy is the size in bytes above which Parse refuses a document. AWS's
// own limit on any policy is 20,480 characters.
const MaxPolicy = 1 << 20

// A Policy is a parsed document. Its fields are not changed by this package.
type Policy struct {
	Version    string
	ID         string
	Statements []Statement
}

// A Statement is one statement with every "string or list" made a list.
type Statement struct {
	Sid   string
	Allow bool
	// Actions or NotActions, Resources or NotResources, Principals or
	// NotPrincipals: at most one of each pair is set. In an identity policy
	// neither of the principals is, in a layer's policy resources may be absent.
	Actions, NotActions       []string
	Resources, NotResources   []string
	Principals, NotPrincipals []Principal
	Conditions                []Condition
}

// A Principal is one entry of a Principal element: Kind "AWS", "Service",
// "Federated" or "CanonicalUser", and "*" with Kind "*" for the bare string.
type Principal struct{ Kind, ID string }

// A Condition is one operator on one key.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}

func (c Condition) String() string {
	return c.Operator + " " + c.Key + " " + strings.Join(c.Values, ", ")
}

// Parse reads one document.
func Parse(data []byte) (*Policy, error) {
	if len(data) > MaxPolicy {
		return nil, fmt.Errorf("policy of %d bytes is above the limit of %d", len(data), MaxPolicy)
	}
	var doc struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := strict(data, &doc); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p := &Policy{Version: doc.Version, ID: doc.ID}
	raw := []json.RawMessage{doc.Statement}
	if t := bytes.TrimSpace(doc.Statement); len(t) == 0 {
		return nil, errors.New("policy has no Statement")
	} else if t[0] == '[' {
		raw = nil
		if err := json.Unmarshal(t, &raw); err != nil {
			return nil, fmt.Errorf("policy: Statement: %w", err)
		}
	}
	for i, r := range raw {
		s, err := parseStatement(r)
		if err != nil {
			return nil, fmt.Errorf("policy: statement %d: %w", i+1, err)
		}
		p.Statements = append(p.Statements, s)
	}
	return p, nil
}

func parseStatement(raw json.RawMessage) (Statement, error) {
	var in struct {
		Sid, Effect             string
		Action, NotAction       list
		Resource, NotResource   list
		Principal, NotPrincipal principals
		Condition               map[string]map[string]list
	}
	if err := strict(raw, &in); err != nil {
		return Statement{}, err
	}
	s := Statement{
		Sid: in.Sid, Allow: in.Effect == "Allow",
		Actions: in.Action, NotActions: in.NotAction,
		Resources: in.Resource, NotResources: in.NotResource,
		Principals: in.Principal, NotPrincipals: in.NotPrincipal,
	}
	if in.Effect != "Allow" && in.Effect != "Deny" {
		return s, fmt.Errorf("unknown Effect %q: want Allow or Deny", in.Effect)
	}
	if (s.Actions == nil) == (s.NotActions == nil) {
		return s, errors.New("want one of Action and NotAction")
	}
	if s.Resources != nil && s.NotResources != nil {
		return s, errors.New("both Resource and NotResource")
	}
	if s.Principals != nil && s.NotPrincipals != nil {
		return s, errors.New("both Principal and NotPrincipal")
	}
	for op, keys := range in.Condition {
		for key, values := range keys {
			s.Conditions = append(s.Conditions, Condition{Operator: op, Key: key, Values: values})
		}
	}
	slices.SortFunc(s.Conditions, func(a, b Condition) int { return strings.Compare(a.String(), b.String()) })
	return s, nil
}

// strict decodes one JSON value into v and refuses members v does not name and
// anything after the value.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// A list is a string, number or boolean, or an array of them.
type list []string

func (l *list) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	*l = list{}
	for _, item := range items {
		switch x := item.(type) {
		case string:
			*l = append(*l, x)
		case bool, json.Number:
			*l = append(*l, fmt.Sprint(x))
		default:
			return fmt.Errorf("want a string or a list of strings, got %s", data)
		}
	}
	return nil
}

type principals []Principal

func (p *principals) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		if s != "*" {
			return fmt.Errorf("principal %q: a bare string can only be *", s)
		}
		*p = principals{{Kind: "*", ID: "*"}}
		return nil
	}
	var m map[string]list
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*p = principals{}
	for kind, ids := range m {
		for _, id := range ids {
			*p = append(*p, Principal{Kind: kind, ID: id})
		}
	}
	slices.SortFunc(*p, func(a, b Principal) int { return strings.Compare(a.Kind+"\x00"+a.ID, b.Kind+"\x00"+b.ID) })
	return nil
}

// LayerGrants reads the policy of a layer version, as GetLayerVersionPolicy
// returns it, into grants in document order. A layer's policy can only grant
// one action to an account, to an organisation, or to everyone; a statement of
// any other shape is an error, so that no grant is overlooked.
func LayerGrants(data []byte) ([]lamina.Grant, error) {
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	grants := make([]lamina.Grant, 0, len(p.Statements))
	for i, s := range p.Statements {
		if !s.Allow || len(s.Actions) != 1 || len(s.Principals) != 1 || len(s.Conditions) > 1 {
			return nil, fmt.Errorf("statement %d (%q) is not a layer grant: want Allow with one action, one principal and at most one condition", i+1, s.Sid)
		}
		g := lamina.Grant{StatementID: s.Sid, Action: s.Actions[0], Principal: s.Principals[0].ID}
		if a, err := lamina.ParseARN(g.Principal); err == nil && a.Service == "iam" && a.Resource == "root" {
			g.Principal = a.Account // stored as arn:P:iam::ACCOUNT:root
		}
		for _, c := range s.Conditions {
			if c.Operator != "StringEquals" || !strings.EqualFold(c.Key, "aws:PrincipalOrgID") || len(c.Values) != 1 {
				return nil, fmt.Errorf("statement %d (%q) is not a layer grant: unknown condition %s", i+1, s.Sid, c)
			}
			g.OrganizationID = c.Values[0]
		}
		grants = append(grants, g)
	}
	return grants, nil
}
