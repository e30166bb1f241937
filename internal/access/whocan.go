package access

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
)

// A Verdict answers whether somebody may do something.
type Verdict string

// The verdicts. OnlyIf says that the call is allowed under conditions that
// belong to it, such as a second factor; NotKnown that a policy was not read, or
// is not understood.
const (
	Yes      Verdict = "yes"
	OnlyIf   Verdict = "only if"
	NotKnown Verdict = "unknown"
	No       Verdict = "no"
)

// Verdicts lists all verdicts, from most to least.
var Verdicts = []Verdict{Yes, OnlyIf, NotKnown, No}

// A Question is who may make a call about a layer version.
type Question struct {
	// Action is the IAM action, one of Actions.
	Action string
	Layer  lamina.LayerARN
	// Function is what the call is made on where it is one on functions: Layer is
	// then what is attached. nil means any function of the layer's account.
	Function *lamina.Function
}

// A Standing is the answer for one user or role.
type Standing struct {
	Principal string  `json:"principal"`
	Account   string  `json:"account"`
	Kind      Kind    `json:"kind"`
	Verdict   Verdict `json:"answer"`
	// Statements are those that decide: what allows, what denies, what it hangs on.
	Statements []string `json:"statements,omitempty"`
	// Missing are the kinds of policy of which none allows it.
	Missing []string `json:"missing,omitempty"`
	// Condition is what it depends on.
	Condition string `json:"condition,omitempty"`
}

// onFunction are the calls on a function, layers those on a layer without its
// version, and anything those that name nothing; the others are on a version.
var (
	onFunction = []string{"lambda:UpdateFunctionConfiguration", "lambda:CreateFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:PutFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig"}
	onLayer    = []string{"lambda:PublishLayerVersion"}
	onVersion  = []string{"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "lambda:DeleteLayerVersion", "lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission"}
	onNothing  = []string{"lambda:ListLayers", "lambda:ListLayerVersions"}
)

// Actions are the actions that can be asked about, sorted.
func Actions() []string {
	return slices.Sorted(slices.Values(slices.Concat(onFunction, onLayer, onVersion, onNothing)))
}

// OnFunction reports whether the action is one on functions.
func OnFunction(action string) bool { return slices.Contains(onFunction, action) }

// WhoCan answers the question for every user and role of the estate, by ARN.
func WhoCan(e *estate.Estate, q Question) []Standing {
	a := &Access{estate: e, org: orgOf(e)}
	calls := a.calls(q)
	var out []Standing
	for _, p := range e.Snapshot.Principals {
		subject := e.Subject(p)
		s := Standing{Principal: p.ARN, Account: p.Account, Kind: KindOf(p), Verdict: Yes}
		for _, c := range calls {
			if c.home == p.Account { // within the layer's own account the change alone counts
				continue
			}
			s.add((&iam.Request{Subject: subject, Action: c.action, Object: c.object, Keys: c.keys}).Evaluate(), len(calls) > 1, c.action)
			if c.lent {
				s.lend()
			}
		}
		slices.Sort(s.Statements)
		s.Statements = slices.Compact(s.Statements)
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y Standing) int { return cmp.Compare(x.Principal, y.Principal) })
	return out
}

// A call is one of those that a question takes.
type call struct {
	action string
	object *iam.Object
	keys   iam.Keys
	// home is the account whose own principals need not make it.
	home string
	// lent says that it is on a layer of others, whose policy nobody but they can
	// read: the call is asked as if they granted it.
	lent bool
}

func (a *Access) calls(q Question) []call {
	l, keys := q.Layer, direct(q.Layer.ARN.Region)
	version := call{action: q.Action, object: a.layer(l), keys: keys, lent: !a.estate.Org.Ours(l.ARN.Account)}
	switch {
	case slices.Contains(onLayer, q.Action):
		return []call{{action: q.Action, object: a.object(l.Unversioned(), l.ARN.Account, a.orgOf(l.ARN.Account), nil), keys: keys}}
	case slices.Contains(onNothing, q.Action):
		return []call{{action: q.Action, object: a.object("*", "", iam.Absent(), nil), keys: keys}}
	case !OnFunction(q.Action):
		return []call{version}
	}
	f := lamina.Function{ARN: fill("arn:PARTITION:lambda:REGION:ACCOUNT:function:"+Canary, lamina.Principal{ARN: l.ARN.String(), Account: l.ARN.Account}, l.ARN.Region), Account: l.ARN.Account, Region: l.ARN.Region}
	if q.Function != nil {
		f = *q.Function
	}
	out := []call{{action: q.Action, object: a.function(f), keys: direct(f.Region)}}
	if q.Action == updateConfiguration || q.Action == "lambda:CreateFunction" {
		out[0].keys.Set("lambda:Layer", iam.Is(l.Versioned()))
		version.action, version.home = "lambda:GetLayerVersion", l.ARN.Account
		out = append(out, version) // what attaching another's layer takes besides
	}
	return out
}

// layer is the layer version as the object of a call, with its grants; one of
// others as if it were granted to everyone.
func (a *Access) layer(l lamina.LayerARN) *iam.Object {
	account := l.ARN.Account
	v, known := a.estate.Layer(l.Versioned())
	name := "policy of " + l.Versioned()
	var set *iam.Set
	_, missing := a.estate.Missing(account, l.ARN.Region, "lambda:GetLayerVersionPolicy", l.Versioned())
	switch {
	case !a.estate.Org.Ours(account):
		set = grantedTo("*")
	case !known || missing && v.Policy == nil && v.Origin == nil:
		set = iam.Compile(iam.Document{Policy: iam.Unreadable("the layer's policy was not read"), Edge: iam.ResourcePolicy, Name: name})
	case v.Policy != nil:
		p := &iam.Policy{Version: "2012-10-17"}
		for i, g := range v.Policy.Grants {
			s := iam.Statement{Index: i + 1, Line: 1, Sid: g.StatementID, Effect: iam.EffectAllow, Actions: []string{g.Action}, Resources: []string{l.Versioned()}, Principals: []iam.Principal{{Kind: "AWS", ID: g.Principal}}}
			if g.Principal == "*" {
				s.Principals[0].Kind = "*"
			}
			if g.OrganizationID != "" {
				s.Conditions = []iam.Condition{{Operator: "StringEquals", Key: "aws:PrincipalOrgID", Values: []string{g.OrganizationID}}}
			}
			p.Statements = append(p.Statements, s)
		}
		set = iam.Compile(iam.Document{Policy: p, Edge: iam.ResourcePolicy, Name: name})
	}
	return a.object(l.Versioned(), account, a.orgOf(account), set)
}

// orgOf is the organisation of an account's resources: ours, or not known.
func (a *Access) orgOf(account string) iam.Value {
	if a.estate.Org.Ours(account) {
		return a.org
	}
	return iam.UnknownValue()
}

// lend makes of what was asked as if the layer's owner granted it what it is.
func (s *Standing) lend() {
	if s.Verdict == No {
		return
	}
	if s.Verdict == Yes {
		s.Verdict = OnlyIf
	}
	s.Statements = slices.DeleteFunc(s.Statements, func(st string) bool { return strings.Contains(st, grantName) })
	s.hang("allowed if the layer's owner grants it")
}

// hang adds what the answer depends on, each thing once.
func (s *Standing) hang(on string) {
	const and = "; and "
	for part := range strings.SplitSeq(on, and) {
		if part != "" && !slices.Contains(strings.Split(s.Condition, and), part) {
			s.Condition = strings.TrimPrefix(s.Condition+and+part, and)
		}
	}
}

// add takes the decision about one call into the standing: the least counts.
func (s *Standing) add(d iam.Decision, several bool, action string) {
	verdict := No
	var refs []string
	say := func(ref iam.Ref) {
		text := ref.String()
		if several {
			text = action + ": " + text
		}
		refs = append(refs, text)
	}
	switch d.Result {
	case iam.Allow:
		verdict = Yes
		for _, ref := range d.Allows {
			if ref.Edge == iam.Identity || ref.Edge == iam.ResourcePolicy {
				say(ref)
			}
		}
	case iam.Deny:
		for _, ref := range d.Denials {
			say(ref)
		}
	case iam.Unknown:
		verdict = OnlyIf
		for _, n := range d.Residue.Needs() {
			if n.Operator == "" || n.Reason != "" {
				verdict = NotKnown
			}
			if n.Statement != (iam.Ref{}) {
				say(n.Statement)
			}
		}
	}
	was := s.Verdict
	if slices.Index(Verdicts, verdict) > slices.Index(Verdicts, was) {
		s.Verdict = verdict
	}
	if s.Verdict == No { // what denies is the reason, and what would allow is not
		if was != No {
			s.Statements, s.Missing, s.Condition = nil, nil, ""
		}
		if verdict != No {
			return
		}
		for _, l := range d.Missing {
			s.Missing = append(s.Missing, l.String())
		}
	}
	s.Statements = append(s.Statements, refs...)
	if d.Residue != nil {
		s.hang(d.Residue.String())
	}
}
