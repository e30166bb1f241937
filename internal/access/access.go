// Package access says who may do what to layers and to the functions that load
// them, and what that lets them reach.
//
// It asks package iam about the users and roles of an estate, with every policy
// that bears on them, and joins the answers of one call to paths: update a
// function's configuration, with a layer of one's own, past code signing, and
// so run code as the function's role. Every answer is three-valued and names the
// statements that decide. It reads no policy by its text, calls nothing, and
// does not say whether something is bad: that is for checks. Start with New.
package access

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
)

// Canary is the name of what no policy names: only a statement about any
// function, layer or role takes it in.
const Canary = "lamina-canary"

// stranger is an account that is nobody's here, in an organisation that is not
// ours: its owner publishes what they like and grants it to whom they like.
const (
	stranger             = "999999999999"
	strangerOrganization = "o-laminacanary"
)

// A Kind says what kind of thing a principal is, as far as its trust policy and
// its credentials tell.
type Kind string

// The kinds of principals.
const (
	Person   Kind = "person"   // an IAM user with a password, or a role people sign in to
	Pipeline Kind = "pipeline" // a role that a build service or an identity provider of one takes
	Workload Kind = "workload" // a role that a service runs things as
	Other    Kind = "other"
)

// A Caller is a user or role and everything that bears on what it may do.
type Caller struct {
	Principal lamina.Principal
	Subject   *iam.Subject
	Kind      Kind
	Reach     Reach
	// May is how far it may make the calls that change functions and layers, by
	// IAM action.
	May map[string]Level

	crowd *crowd
}

// Access answers questions about one estate. It may be used from many goroutines.
type Access struct {
	estate  *estate.Estate
	org     iam.Value
	people  map[string][]person       // by account, in the snapshot's order
	groups  map[string]int            // of people, by ARN
	callers map[string][]*Caller      // by account, by ARN within
	crowds  map[string][]*crowd       // by account, by ARN of the first
	named   map[string]*Caller        // by ARN
	reach   map[string]Reach          // of roles that functions run as, by ARN
	names   []string                  // layers that policies name, as patterns of ARNs
	choosy  bool                      // some policy asks which layers are attached
	like    func(layer string) string // the same of layers that no policy's condition tells apart
	alike   []string                  // like, by place in the snapshot's layers
	targets func() []Target
	finders map[string]*finder // by account, made with the targets
	layers  attachable
	users   map[string][]lamina.Function // $LATEST by layer, unversioned
	regions map[string][]string          // where an account has functions or layers, or was asked for some, sorted
}

// A person is a user or a role that somebody can act as. Nothing in the policies
// tells people of one group apart, so what one may do the others may.
type person struct {
	lamina.Principal
	subject *iam.Subject
	group   int
}

// updateConfiguration sets layers, environment, handler and runtime.
const updateConfiguration = "lambda:UpdateFunctionConfiguration"

// changes are the calls that put code into functions, or take it from them: who
// may make none of them is no Caller.
var changes = []probe{
	{updateConfiguration, "arn:PARTITION:lambda:REGION:ACCOUNT:function:" + Canary},
	{"lambda:UpdateFunctionCode", "arn:PARTITION:lambda:REGION:ACCOUNT:function:" + Canary},
	{"lambda:PublishLayerVersion", "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + Canary},
	{"lambda:DeleteLayerVersion", "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + Canary + ":1"},
	{"lambda:AddLayerVersionPermission", "arn:PARTITION:lambda:REGION:ACCOUNT:layer:" + Canary + ":1"},
}

// New looks once at every user and role of e, once for those of which no policy
// tells one from another.
func New(e *estate.Estate) *Access {
	a := &Access{
		estate: e, org: orgOf(e), people: map[string][]person{}, groups: map[string]int{}, callers: map[string][]*Caller{}, crowds: map[string][]*crowd{}, named: map[string]*Caller{}, reach: map[string]Reach{},
		finders: map[string]*finder{}, users: map[string][]lamina.Function{}, regions: map[string][]string{},
	}
	running, at := map[string]bool{}, map[string]string{}
	for _, f := range e.Snapshot.Functions {
		running[f.Role] = true
		at[f.Account] = cmp.Or(at[f.Account], f.Region)
		a.settled(f.Account, f.Region)
		if f.Version != "$LATEST" {
			continue
		}
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil {
				a.users[l.Unversioned()] = append(a.users[l.Unversioned()], f)
			}
		}
	}
	for _, l := range e.Snapshot.Layers {
		a.settled(l.Account, l.Region)
	}
	for _, t := range e.Snapshot.Targets {
		a.settled(t.Account, t.Region)
	}
	var asked []string
	a.names, asked, a.choosy = layerPatterns(e)
	a.like = iam.Alike(asked)
	for _, l := range e.Snapshot.Layers {
		a.alike = append(a.alike, a.like(l.ARN))
	}
	a.layers = attachables(e)
	var subjects []*iam.Subject
	var principals []lamina.Principal
	for _, p := range e.Snapshot.Principals {
		if !strings.HasPrefix(p.Path, "/aws-service-role/") { // AWS's own, which nobody can act as
			principals, subjects = append(principals, p), append(subjects, e.Subject(p))
		}
	}
	// What is found out of the first of a group holds for all of it.
	type findings struct {
		may   map[string]Level
		reach *Reach
	}
	group, found := make([]int, len(subjects)), []findings{}
	for n, members := range iam.GroupSubjects(subjects, nil) {
		for _, i := range members {
			group[i] = n
		}
		i := members[0]
		found = append(found, findings{may: a.may(subjects[i], principals[i], cmp.Or(at[principals[i].Account], "us-east-1"))})
	}
	for i, p := range principals {
		a.people[p.Account] = append(a.people[p.Account], person{p, subjects[i], group[i]})
		a.groups[p.ARN] = group[i]
		its := &found[group[i]]
		if len(its.may) == 0 && !running[p.ARN] {
			continue
		}
		if its.reach == nil {
			its.reach = new(reachOf(subjects[i], p, cmp.Or(at[p.Account], "us-east-1")))
		}
		if running[p.ARN] {
			a.reach[p.ARN] = *its.reach
		}
		if len(its.may) > 0 {
			a.callers[p.Account] = append(a.callers[p.Account], &Caller{Principal: p, Subject: subjects[i], Kind: KindOf(p), Reach: *its.reach, May: its.may})
		}
	}
	for account, list := range a.callers {
		slices.SortFunc(list, func(x, y *Caller) int { return cmp.Compare(x.Principal.ARN, y.Principal.ARN) })
		a.crowds[account] = crowdsOf(list, a.groups)
		for _, c := range list {
			a.named[c.Principal.ARN] = c
		}
	}
	a.targets = sync.OnceValue(a.makeTargets)
	return a
}

// settled notes that the account may have something in the region.
func (a *Access) settled(account, region string) {
	if i, there := slices.BinarySearch(a.regions[account], region); !there && region != "" {
		a.regions[account] = slices.Insert(a.regions[account], i, region)
	}
}

// may is how far the subject may make the changes.
func (a *Access) may(s *iam.Subject, p lamina.Principal, region string) map[string]Level {
	keys, some := direct(region).Set("lambda:Layer", iam.Absent()), a.object("", p.Account, a.org, nil)
	may := map[string]Level{}
	for _, c := range changes {
		if l := level(s, c.action, fill(c.resource, p, region), some, keys); l != None {
			may[c.action] = l
		}
	}
	if _, ok := may[updateConfiguration]; !ok && a.choosy { // with an approved layer it may be allowed
		if l := level(s, updateConfiguration, fill(changes[0].resource, p, region), some, direct(region)); l != None {
			may[updateConfiguration] = l
		}
	}
	return may
}

// orgOf is the organisation that the estate's accounts are in.
func orgOf(e *estate.Estate) iam.Value {
	_, missing := e.Missing("", "", "organizations:DescribeOrganization", "")
	switch {
	case e.Snapshot.OrgID != "":
		return iam.Is(e.Snapshot.OrgID)
	case missing:
		return iam.UnknownValue()
	}
	return iam.Absent()
}

// Callers returns the users and roles of the account that may, or perhaps may,
// change functions or layers, by ARN. Roles that only AWS services can take
// (service-linked roles) are not among them.
func (a *Access) Callers(account string) []*Caller { return a.callers[account] }

func (a *Access) object(arn, account string, org iam.Value, policies *iam.Set) *iam.Object {
	return iam.NewObject(iam.Resource{ARN: arn, Account: account, OrgID: org, OtherTags: iam.Absent()}, policies)
}

// function is the function as the object of a call, with its resource policy as
// far as users and roles are concerned, and its tags.
func (a *Access) function(f lamina.Function) *iam.Object {
	var docs []iam.Document
	for _, p := range f.Policies {
		if policy := a.estate.Policy(p.Document); p.Qualifier == "" && !servicesOnly(policy) {
			docs = append(docs, iam.Document{Policy: policy, Edge: iam.ResourcePolicy, Name: f.ARN})
		}
	}
	var set *iam.Set
	if len(docs) > 0 {
		set = iam.Compile(docs...)
	}
	r := iam.Resource{ARN: f.ARN, Account: f.Account, OrgID: a.org, Tags: f.Tags, OtherTags: iam.Absent()}
	if _, missing := a.estate.Missing(f.Account, f.Region, "lambda:ListTags", f.ARN); missing {
		r.OtherTags = iam.UnknownValue()
	}
	return iam.NewObject(r, set)
}

// servicesOnly reports whether the policy speaks of AWS services and of nobody
// else, as those of event sources do.
func servicesOnly(p *iam.Policy) bool {
	if len(p.Problems) > 0 {
		return false
	}
	for _, s := range p.Statements {
		if len(s.Problems) > 0 || len(s.Principals) == 0 || slices.ContainsFunc(s.Principals, func(p iam.Principal) bool { return p.Kind != "Service" }) {
			return false
		}
	}
	return true
}

// direct are the keys of a call that somebody makes themselves, over TLS.
func direct(region string) iam.Keys {
	return iam.Keys{}.Set("aws:RequestedRegion", iam.Is(region)).Set("aws:SecureTransport", iam.Is("true")).Set("aws:ViaAWSService", iam.Is("false"))
}

// An Answer is whether a call is allowed.
type Answer struct {
	Result iam.Result
	// By are the statements that allow it, sorted; of service control policies
	// and boundaries none, since these allow by default.
	By []string
	// refs are the same statements.
	refs []iam.Ref
	// Why says what an Unknown depends on.
	Why string
}

func ask(s *iam.Subject, action string, o *iam.Object, keys iam.Keys) Answer {
	q := &iam.Request{Subject: s, Action: action, Object: o, Keys: keys}
	if q.Decide() == iam.Deny {
		return Answer{Result: iam.Deny}
	}
	d := q.Evaluate()
	out := Answer{Result: d.Result}
	for _, ref := range d.Allows {
		if mine(ref) {
			out.refs = append(out.refs, ref)
		}
	}
	if d.Result == iam.Unknown {
		out.Why = d.Residue.String()
		if len(out.refs) == 0 { // the statement whose condition is open
			for _, n := range d.Residue.Needs() {
				if mine(n.Statement) {
					out.refs = append(out.refs, n.Statement)
				}
			}
		}
	}
	slices.SortFunc(out.refs, func(x, y iam.Ref) int { return cmp.Compare(x.String(), y.String()) })
	out.refs = slices.Compact(out.refs)
	for _, ref := range out.refs {
		out.By = append(out.By, ref.String())
	}
	return out
}

// mine reports whether the statement is one that gives the caller the call: its
// own, or one of a function's policy.
func mine(ref iam.Ref) bool {
	return ref.Edge == iam.Identity || ref.Edge == iam.ResourcePolicy && strings.HasPrefix(ref.Policy, "arn:")
}

// and is the answer to two calls that are both needed.
func (x Answer) and(y Answer) Answer {
	out := Answer{Result: worse(x.Result, y.Result), By: slices.Concat(x.By, y.By), refs: slices.Concat(x.refs, y.refs), Why: cmp.Or(x.Why, y.Why)}
	if x.Why != "" && y.Why != "" && x.Why != y.Why {
		out.Why = x.Why + "; and " + y.Why
	}
	if out.Result == iam.Deny {
		return Answer{Result: iam.Deny}
	}
	return out
}

func worse(x, y iam.Result) iam.Result {
	for _, r := range []iam.Result{iam.Deny, iam.Unknown} {
		if x == r || y == r {
			return r
		}
	}
	return iam.Allow
}

// OfPipelines reports whether the identity provider is one of OpenID Connect
// that pipelines get tokens from: any but those of EKS clusters, which stand for
// workloads.
func OfPipelines(provider string) bool {
	_, host, ok := strings.Cut(provider, ":oidc-provider/")
	return ok && !strings.HasPrefix(host, "oidc.eks.")
}

// KindOf judges by who may take a role, and by what its name says of sign-in.
func KindOf(p lamina.Principal) Kind {
	if p.Kind == "User" {
		if p.Credentials != nil && p.Credentials.Password {
			return Person
		}
		return Other
	}
	if strings.HasPrefix(p.Name, "AWSReservedSSO_") { // IAM Identity Center makes these for people
		return Person
	}
	trust, err := iam.Parse([]byte(p.Trust))
	if err != nil {
		return Other
	}
	kind := Other
	for _, s := range trust.Statements {
		for _, who := range s.Principals {
			switch {
			case who.Kind == "Federated" && OfPipelines(who.ID),
				who.Kind == "Service" && (strings.HasPrefix(who.ID, "codebuild.") || strings.HasPrefix(who.ID, "codepipeline.")):
				return Pipeline
			case who.Kind == "Federated" && strings.Contains(who.ID, ":saml-provider/"):
				kind = Person
			case kind == Other && (who.Kind == "Service" || who.Kind == "Federated" && strings.Contains(who.ID, ":oidc-provider/")):
				kind = Workload
			}
		}
	}
	return kind
}

// Alike returns the same number for users and roles of which no policy tells one
// from another; ok says that the principal was read.
func (a *Access) Alike(arn string) (group int, ok bool) {
	group, ok = a.groups[arn]
	return group, ok
}

// Reach is how far a role that functions run as gets; ok says that it was read.
func (a *Access) Reach(role string) (r Reach, ok bool) {
	r, ok = a.reach[role]
	return r, ok
}

// ServicesInvoke reports whether the policy of the unpublished function, or of an
// alias of it, lets an AWS service invoke it: a schedule, a bucket, a topic.
func (a *Access) ServicesInvoke(f lamina.Function) bool {
	leads := estate.Qualifiers(f, "$LATEST")
	for _, doc := range f.Policies {
		if !slices.Contains(leads, doc.Qualifier) {
			continue
		}
		for _, s := range a.estate.Policy(doc.Document).Statements {
			if s.Effect == iam.EffectAllow && slices.ContainsFunc(s.Principals, func(p iam.Principal) bool { return p.Kind == "Service" }) {
				return true
			}
		}
	}
	return false
}

// WithoutMFA is whether the caller may change functions or layers in any of the
// ways of May with no second factor, and the statements that let it: what an
// access key does alone. The key aws:MultiFactorAuthPresent is absent then
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
func (a *Access) WithoutMFA(c *Caller) (result iam.Result, by []string, why string) {
	result = iam.Deny
	for _, x := range changes {
		if c.May[x.action] == None {
			continue
		}
		o := a.object(fill(x.resource, c.Principal, "us-east-1"), c.Principal.Account, a.org, nil)
		if c.May[x.action] != Any {
			o = a.object("", c.Principal.Account, a.org, nil) // one that a policy names
		}
		keys := direct("us-east-1").Set("aws:MultiFactorAuthPresent", iam.Absent()).Set("aws:MultiFactorAuthAge", iam.Absent())
		keys["aws:requestedregion"] = iam.Present()
		d := (&iam.Request{Subject: c.Subject, Action: x.action, Object: o, Keys: keys}).Evaluate()
		if d.Result == iam.Unknown && d.Residue.Holds(iam.Need.OfResource) {
			d.Result = iam.Allow
		}
		switch {
		case d.Result == iam.Allow:
			result = iam.Allow
			for _, ref := range d.Allows {
				if mine(ref) {
					by = append(by, "statement: "+ref.String())
				}
			}
			for _, n := range d.Residue.Needs() {
				if mine(n.Statement) {
					by = append(by, "statement: "+n.Statement.String())
				}
			}
		case d.Result == iam.Unknown && result == iam.Deny:
			result, why = iam.Unknown, d.Residue.String()
		}
	}
	slices.Sort(by)
	return result, slices.Compact(by), why
}

// Anybody is a role of an account that is nobody's here.
const Anybody = "arn:aws:iam::" + stranger + ":role/" + Canary

// Stranger is a principal of an account not of ours, whose owner lets it do
// anything: a user, a role, or for an account's root ARN a role of that account.
func Stranger(arn string) *iam.Subject {
	if account, ok := strings.CutSuffix(arn, ":root"); ok {
		arn = account + ":role/" + Canary
	}
	everything := &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{{Index: 1, Line: 1, Effect: iam.EffectAllow, Actions: []string{"*"}, Resources: []string{"*"}}}}
	return iam.NewSubject(iam.Caller{ARN: arn, OrgID: iam.Is(strangerOrganization), OtherTags: iam.UnknownValue()}, iam.Compile(iam.Document{Policy: everything, Edge: iam.Identity, Name: Canary}))
}

// Publish is whether the caller may publish a version of the layer.
func (a *Access) Publish(c *Caller, l lamina.LayerARN) Answer {
	return ask(c.Subject, "lambda:PublishLayerVersion", a.object(l.Unversioned(), l.ARN.Account, a.org, nil), direct(l.ARN.Region))
}

// Destroy is whether the caller may take the layer version away from its users:
// delete it, or delete the object that Lambda reads it from.
func (a *Access) Destroy(c *Caller, l lamina.LayerARN) Answer {
	best := ask(c.Subject, "lambda:DeleteLayerVersion", a.object(l.Versioned(), l.ARN.Account, a.org, nil), direct(l.ARN.Region))
	v, _ := a.estate.Layer(l.Versioned())
	if v.Reference == nil || best.Result == iam.Allow {
		return best
	}
	object := a.object("arn:"+l.ARN.Partition+":s3:::"+v.Reference.Bucket+"/"+v.Reference.Key, l.ARN.Account, a.org, nil)
	action := "s3:DeleteObject"
	if v.Reference.VersionID != "" {
		action = "s3:DeleteObjectVersion"
	}
	if other := ask(c.Subject, action, object, direct(l.ARN.Region)); best.Result == iam.Deny || other.Result == iam.Allow {
		return other
	}
	return best
}
