package iam

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Value is what is known of a condition key in a request. The zero Value is
// Unknown: the key may be there or not, with any value.
type Value struct {
	state  state
	values []string
}

type state uint8

const (
	isUnknown state = iota
	isPresent       // there, with a value that is not known and not empty
	isAbsent
	isKnown
)

// Is is a key with this value, or with these values when it can have many. A
// key without a value is absent.
func Is(values ...string) Value {
	if len(values) == 0 {
		return Absent()
	}
	return Value{isKnown, slices.Clone(values)}
}

// Absent is a key that the request is known not to have.
func Absent() Value { return Value{state: isAbsent} }

// Present is a key that the request has, with a value that is not empty and not
// known.
func Present() Value { return Value{state: isPresent} }

// UnknownValue is a key of which nothing is known.
func UnknownValue() Value { return Value{} }

// Keys are condition keys. Names are in lower case; Set takes any spelling,
// since AWS's are not sensitive to case.
type Keys map[string]Value

// Set puts one key in and returns k.
func (k Keys) Set(name string, v Value) Keys {
	k[strings.ToLower(name)] = v
	return k
}

// A Caller is who makes a request. ARN is that of the IAM user, of the role
// whose session calls, of the account's root user, or of a federated user
// (arn:aws:sts::ACCOUNT:federated-user/NAME). A caller without an ARN is an AWS
// service or an identity provider when one of these is named, and anonymous
// otherwise.
type Caller struct {
	ARN string
	// Name is what its own policies are said to be of.
	Name string
	// Session is the ARN of the role's session, "" when any session is meant.
	Session string
	// UniqueID is the user's or role's AIDA… or AROA…, CanonicalID that of the
	// account in Amazon S3; "" when not known.
	UniqueID, CanonicalID string
	// Service is the service principal that calls, as "lambda.amazonaws.com".
	Service string
	// Federated is the identity provider in a call of AssumeRoleWithSAML or
	// AssumeRoleWithWebIdentity: an ARN or a host name.
	Federated string
	// Management says that the account is the organisation's management
	// account, which service control policies do not touch.
	Management bool
	// OrgID and OrgPaths are the values of aws:PrincipalOrgID and
	// aws:PrincipalOrgPaths.
	OrgID, OrgPaths Value
	// Tags are tags of the principal or its session. OtherTags is what holds of
	// those not in Tags: Absent when Tags is complete.
	Tags      map[string]string
	OtherTags Value
}

// A Resource is what a request is about.
type Resource struct {
	// ARN is "*" for a call that has no resource.
	ARN string
	// Account owns it, where the ARN does not say so; "" for not known.
	Account string
	// Management says that this is the organisation's management account, whose
	// resources no resource control policy touches.
	Management bool
	// OrgID and OrgPaths are the values of aws:ResourceOrgID and
	// aws:ResourceOrgPaths.
	OrgID, OrgPaths Value
	Tags            map[string]string
	OtherTags       Value
}

// A Subject is a caller with the policies that bear on what it does: those of
// edges Identity, Boundary, Session and SCP. It is immutable.
type Subject struct {
	Caller
	policies *Set
	kind     callerKind
	arn      lamina.ARN
	linked   bool // a service-linked role
	keys     Keys
}

// An Object is a resource with the policies that stand beside it: those of
// edges ResourcePolicy and RCP. It is immutable.
type Object struct {
	Resource
	policies *Set
	arn      lamina.ARN // zero for one that is no ARN
	owner    string
	keys     Keys
}

type callerKind uint8

const (
	anonymous callerKind = iota
	user
	role
	root
	federatedUser
	service
	provider
	strange // an ARN of no known kind
)

// NewSubject joins a caller with its policies; nil is none.
func NewSubject(c Caller, policies *Set) *Subject {
	s := &Subject{Caller: c, policies: policies, keys: make(Keys, 16)}
	k := s.keys
	a, err := lamina.ParseARN(c.ARN)
	name := a.Resource[strings.LastIndexByte(a.Resource, '/')+1:]
	switch {
	case c.ARN == "" && c.Service != "":
		s.kind = service
	case c.ARN == "" && c.Federated != "":
		s.kind = provider
	case c.ARN == "":
		s.kind = anonymous
	case err != nil:
		s.kind = strange
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "user/"):
		s.kind = user
		k["aws:username"], k["aws:principaltype"] = Is(name), Is("User")
		k["aws:userid"] = Present()
		if c.UniqueID != "" {
			k["aws:userid"] = Is(c.UniqueID)
		}
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "role/"):
		s.kind = role
		s.linked = strings.HasPrefix(a.Resource, "role/aws-service-role/")
		k["aws:username"], k["aws:principaltype"] = Absent(), Is("AssumedRole")
		k["aws:userid"] = Present()
		if session := c.Session[strings.LastIndexByte(c.Session, '/')+1:]; c.UniqueID != "" && session != "" {
			k["aws:userid"] = Is(c.UniqueID + ":" + session)
		}
		k["aws:tokenissuetime"] = Present()
	case a.Service == "iam" && a.Resource == "root":
		s.kind = root
		k["aws:username"], k["aws:principaltype"], k["aws:userid"] = Absent(), Is("Account"), Is(a.Account)
	case a.Service == "sts" && strings.HasPrefix(a.Resource, "federated-user/"):
		s.kind = federatedUser
		k["aws:username"], k["aws:principaltype"], k["aws:userid"] = Absent(), Is("FederatedUser"), Is(a.Account+":"+name)
		k["aws:tokenissuetime"] = Present()
	default:
		s.kind = strange
	}
	if s.kind == service || s.kind == provider || s.kind == anonymous {
		for _, key := range []string{"aws:principalarn", "aws:principalaccount", "aws:username", "aws:userid", "aws:principalorgid", "aws:principalorgpaths"} {
			k[key] = Absent()
		}
		if s.kind == anonymous {
			k["aws:principaltype"] = Is("Anonymous")
		}
		s.OtherTags = Absent()
	} else {
		s.arn = a
		k["aws:principalarn"] = Is(c.ARN)
		k["aws:principalorgid"], k["aws:principalorgpaths"] = c.OrgID, c.OrgPaths
		if s.kind != strange {
			k["aws:principalaccount"] = Is(a.Account)
			// These four are there only when a service calls for a resource's
			// owner, that is, when the caller is a service
			// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
			for _, key := range []string{"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"} {
				k[key] = Absent()
			}
		}
	}
	if s.kind == service {
		k["aws:principalisawsservice"], k["aws:principalservicename"] = Is("true"), Is(c.Service)
	} else if s.kind != strange {
		k["aws:principalisawsservice"], k["aws:principalservicename"], k["aws:principalservicenameslist"] = Is("false"), Absent(), Absent()
	}
	for tag, v := range c.Tags {
		k.Set("aws:PrincipalTag/"+tag, Is(v))
	}
	return s
}

// Policies are those that the subject was joined with, or nil.
func (s *Subject) Policies() *Set { return s.policies }

// NewObject joins a resource with its policies; nil is none.
func NewObject(r Resource, policies *Set) *Object {
	o := &Object{Resource: r, policies: policies, owner: r.Account, keys: Keys{}}
	if a, err := lamina.ParseARN(r.ARN); err == nil {
		o.arn = a
		if o.owner == "" {
			o.owner = a.Account
		}
	}
	if o.owner != "" {
		o.keys["aws:resourceaccount"] = Is(o.owner)
	}
	o.keys["aws:resourceorgid"], o.keys["aws:resourceorgpaths"] = r.OrgID, r.OrgPaths
	for tag, v := range r.Tags {
		o.keys.Set("aws:ResourceTag/"+tag, Is(v))
	}
	return o
}

// A Request is one question: may Subject do Action to Object?
type Request struct {
	Subject *Subject
	// Action is "service:Name", in any case.
	Action string
	Object *Object
	// Endpoint is the policy of the VPC endpoint that the request passes, with
	// edge Endpoint; nil when it passes none.
	Endpoint *Set
	// Keys are condition keys of this request. They go before those that follow
	// from the subject, the object and the action.
	Keys Keys
	// Rest holds of every key that nothing is said about: UnknownValue, the zero
	// value, or Absent.
	Rest Value
}

// lookup finds a key in lower case.
func (r *Request) lookup(key string) Value {
	if v, ok := r.Keys[key]; ok {
		return v
	}
	if v, ok := r.Subject.keys[key]; ok {
		return v
	}
	if v, ok := r.Object.keys[key]; ok {
		return v
	}
	switch {
	case strings.HasPrefix(key, "aws:principaltag/"):
		return r.Subject.OtherTags
	case strings.HasPrefix(key, "aws:resourcetag/"):
		return r.Object.OtherTags
	}
	if actions, ok := keysOfActions[key]; ok && !slices.ContainsFunc(actions, func(a string) bool { return strings.EqualFold(a, r.Action) }) {
		return Absent()
	}
	return r.Rest
}
