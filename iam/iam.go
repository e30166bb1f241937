// Package iam is policy documents and what they allow.
//
// It parses documents as AWS writes them and evaluates a request against all
// policies that bear on it: identity policies, the permissions boundary,
// session policies, the service control policies of each node from the root to
// the account, resource control policies, the policy of the resource, and the
// policy of a VPC endpoint. There are three answers. Allow and Deny hold for
// every request that fits what was told; Unknown comes with the residue: the
// conditions, and the statements they stand in, on which the answer depends.
// Nothing that could not be read or is not documented is skipped: it makes the
// answer Unknown unless the answer is the same either way.
//
// It refuses calls to AWS, verdicts about layers (it reads the grants of one,
// LayerGrants, and lists the actions that concern them), and a guess where AWS
// documents nothing.
//
// Start with Parse and Compile, then Request.Evaluate. GroupSubjects and
// GroupObjects put together what nothing in the policies tells apart, which is
// what makes a whole organisation quick to ask.
//
// # What is evaluated, and from where
//
// The order of policy types, and which of them limits which, follows
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// for requests within an account and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
// for the others. Operators are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// and set operators those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
//
// # Limits
//
// A document has at most MaxPolicy bytes, MaxValues values and MaxDepth levels.
// Whether conditions on the same unknown key can be met together is decided
// exactly for up to 4096 combinations of its values; beyond that, and where a
// policy variable is unknown, the answer may be Unknown although it would be
// the same in every case. The other way round never happens.
package iam

import (
	"strconv"
	"strings"
)

// An Effect is what a statement does to the requests that it matches.
type Effect string

// The effects of a statement. A statement whose effect could not be read has
// EffectUnknown, and is treated as if it could do either.
const (
	EffectAllow   Effect = "Allow"
	EffectDeny    Effect = "Deny"
	EffectUnknown Effect = ""
)

// A Policy is a parsed document. This package does not change it.
type Policy struct {
	// Version is "2012-10-17" or "2008-10-17"; a document that names none has
	// the latter (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html),
	// which knows no policy variables.
	Version    string
	ID         string
	Statements []Statement
	// Problems are what could not be understood outside statements. They make
	// every statement uncertain.
	Problems []Problem
}

// A Statement is one statement with every "string or list" made a list.
type Statement struct {
	// Index counts statements from 1; Line is where it opens in the document.
	Index, Line int
	Sid         string
	Effect      Effect
	// Actions or NotActions, Resources or NotResources, Principals or
	// NotPrincipals: at most one of each pair is set. A policy of a principal
	// has no principals, a role's trust policy no resources.
	Actions, NotActions       []string
	Resources, NotResources   []string
	Principals, NotPrincipals []Principal
	Conditions                []Condition
	// Problems are what could not be understood. The statement is then one that
	// may match or not wherever its readable elements do not rule it out.
	Problems []Problem
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

// A Problem is something in a document that could not be understood, and where:
// line and column count from 1, the column in bytes.
type Problem struct {
	Line, Column int
	Text         string
}

func (p Problem) String() string {
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ": " + p.Text
}

// Problem reports the first problem of the document in order of position, or
// false when it was understood whole.
func (p *Policy) Problem() (Problem, bool) {
	var first Problem
	found := false
	take := func(ps []Problem) {
		for _, x := range ps {
			if !found || x.Line < first.Line || x.Line == first.Line && x.Column < first.Column {
				first, found = x, true
			}
		}
	}
	take(p.Problems)
	for _, s := range p.Statements {
		take(s.Problems)
	}
	return first, found
}

// Unreadable is the policy of which nothing is known but that it is there: a
// call that was denied, a document that Parse refused. It may allow and deny
// anything.
func Unreadable(reason string) *Policy {
	return &Policy{Version: version2012, Statements: []Statement{{Index: 1, Line: 1, Problems: []Problem{{Line: 1, Column: 1, Text: reason}}}}}
}
