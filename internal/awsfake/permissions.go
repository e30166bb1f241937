package awsfake

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// permissionRoutes are the paths of function policies.
func permissionRoutes(handle router) {
	const path = "/2015-03-31/functions/{name}/policy"
	handle("GET "+path, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.functionPolicy(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
	handle("POST "+path, http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[AddPermissionInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName, in.Qualifier = r.PathValue("name"), r.URL.Query().Get("Qualifier")
		return s.grantFunction(in)
	})
	handle("DELETE "+path+"/{sid}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		q := r.URL.Query()
		return nil, s.RemovePermission(r.PathValue("name"), q.Get("Qualifier"), r.PathValue("sid"), q.Get("RevisionId"))
	})
	const whole = "/2026-07-09/resource-policy/{arn}"
	handle("GET "+whole, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getResourcePolicy(r.PathValue("arn"))
	})
	handle("PUT "+whole, http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[struct {
			Policy     string
			RevisionID string `json:"RevisionId"`
		}](body)
		if err != nil {
			return nil, err
		}
		return s.putResourcePolicy(r.PathValue("arn"), in.Policy, in.RevisionID)
	})
}

// A policy is that of a function, a version or an alias.
type policy struct {
	text       string      // when it was put as a whole
	statements []statement // otherwise
	revision   string
}

func (p *policy) document() string {
	if p.text != "" {
		return p.text
	}
	return document(p.statements)
}

// document is a policy as Lambda composes it from statements.
func document(statements []statement) string {
	texts := make([]string, len(statements))
	for i, st := range statements {
		texts[i] = st.text
	}
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(texts, ",") + "]}"
}

// AddPermissionInput are the parameters of AddPermission.
type AddPermissionInput struct {
	FunctionName          string `json:"-"`
	Qualifier             string `json:"-"`
	StatementID           string `json:"StatementId"`
	Action, Principal     string
	SourceArn             string
	SourceAccount         string
	EventSourceToken      string
	PrincipalOrgID        string
	FunctionURLAuthType   string `json:"FunctionUrlAuthType"` // "AWS_IAM" or "NONE"
	InvokedViaFunctionURL bool   `json:"InvokedViaFunctionUrl"`
	RevisionID            string `json:"RevisionId"`
}

var (
	functionAction   = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	servicePrincipal = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
	accountID        = regexp.MustCompile(`^\d{12}$`)
)

// AddPermission adds a statement to the policy of a function, or of the version
// or alias that the qualifier names, and returns the statement.
func (s Session) AddPermission(in AddPermissionInput) (statement string, err error) {
	out, err := s.grantFunction(in)
	return out.text("Statement"), err
}

func (s Session) grantFunction(in AddPermissionInput) (object, error) {
	params := object{
		{name: "FunctionName", value: in.FunctionName},
		{name: "StatementId", value: in.StatementID},
		{name: "Action", value: in.Action},
		{name: "Principal", value: in.Principal},
	}.optional("SourceArn", in.SourceArn).optional("SourceAccount", in.SourceAccount).optional("Qualifier", in.Qualifier).
		optional("PrincipalOrgID", in.PrincipalOrgID).optional("FunctionUrlAuthType", in.FunctionURLAuthType).
		optional("InvokedViaFunctionUrl", in.InvokedViaFunctionURL).optional("RevisionId", in.RevisionID)
	return s.do("AddPermission", s.functionResource(in.FunctionName, in.Qualifier), params, func() (object, *Error) {
		fn, b, _, arn := s.qualified(in.FunctionName, in.Qualifier)
		switch {
		case b == nil:
			return nil, noFunction(arn)
		case !word(in.StatementID, 100):
			return nil, invalid("statement id %q is not valid", in.StatementID)
		case !functionAction.MatchString(in.Action):
			return nil, invalid("action %q is not one of Lambda", in.Action)
		case in.Principal == "":
			return nil, invalid("the principal is missing")
		}
		q := s.policyKey(in.FunctionName, in.Qualifier)
		p := fn.policies[q]
		if p == nil {
			p = &policy{}
		}
		if in.RevisionID != "" && in.RevisionID != p.revision {
			return nil, stale()
		}
		statements := p.statements
		if p.text != "" {
			statements = parseStatements(p.text)
		}
		if slices.ContainsFunc(statements, func(st statement) bool { return st.sid == in.StatementID }) {
			return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", in.StatementID)
		}
		text := string(s.functionStatement(in, arn).append(nil, api))
		statements = append(slices.Clip(statements), statement{sid: in.StatementID, text: text})
		if len(document(statements)) > policyMax {
			return nil, &Error{Status: http.StatusBadRequest, Code: "PolicyLengthExceededException", Message: "The final policy size is bigger than the limit."}
		}
		fn.policies[q] = &policy{statements: statements, revision: s.f.uuid()}
		return object{{name: "Statement", value: text}}, nil
	})
}

// functionStatement is the statement that AWS makes of the parameters.
func (s Session) functionStatement(in AddPermissionInput, arn string) object {
	o := object{{name: "Sid", value: in.StatementID}, {name: "Effect", value: "Allow"}}
	switch {
	case in.Principal == "*":
		o = append(o, member{name: "Principal", value: "*"})
	case servicePrincipal.MatchString(in.Principal):
		o = append(o, member{name: "Principal", value: object{{name: "Service", value: in.Principal}}})
	case accountID.MatchString(in.Principal):
		o = append(o, member{name: "Principal", value: object{{name: "AWS", value: "arn:" + s.partition() + ":iam::" + in.Principal + ":root"}}})
	default:
		o = append(o, member{name: "Principal", value: object{{name: "AWS", value: in.Principal}}})
	}
	o = append(o, member{name: "Action", value: in.Action}, member{name: "Resource", value: arn})
	equals := object{}.optional("AWS:SourceAccount", in.SourceAccount).optional("lambda:EventSourceToken", in.EventSourceToken).
		optional("aws:PrincipalOrgID", in.PrincipalOrgID).optional("lambda:FunctionUrlAuthType", in.FunctionURLAuthType)
	var condition object
	if len(equals) > 0 {
		condition = append(condition, member{name: "StringEquals", value: equals})
	}
	if in.InvokedViaFunctionURL {
		condition = append(condition, member{name: "Bool", value: object{{name: "lambda:InvokedViaFunctionUrl", value: "true"}}})
	}
	if in.SourceArn != "" {
		condition = append(condition, member{name: "ArnLike", value: object{{name: "AWS:SourceArn", value: in.SourceArn}}})
	}
	return o.optional("Condition", condition)
}

// policyKey is the qualifier that a policy belongs to: an alias is not resolved.
func (s Session) policyKey(nameOrARN, qualifier string) string {
	if qualifier == "" {
		_, qualifier, _, _ = s.split(nameOrARN)
	}
	return qualifier
}

// policyOf finds a policy; the lock must be held.
func (s Session) policyOf(nameOrARN, qualifier string) (*function, *policy, string, *Error) {
	fn, b, _, arn := s.qualified(nameOrARN, qualifier)
	if b == nil {
		return nil, nil, "", noFunction(arn)
	}
	q := s.policyKey(nameOrARN, qualifier)
	p := fn.policies[q]
	if p == nil {
		return fn, nil, q, notFound("The resource you requested does not exist.")
	}
	return fn, p, q, nil
}

// RemovePermission removes a statement. qualifier and revision may be "".
func (s Session) RemovePermission(nameOrARN, qualifier, sid, revision string) error {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "StatementId", value: sid}}.
		optional("Qualifier", qualifier).optional("RevisionId", revision)
	_, err := s.do("RemovePermission", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		fn, p, q, err := s.policyOf(nameOrARN, qualifier)
		if err != nil {
			return nil, err
		}
		statements := p.statements
		if p.text != "" {
			statements = parseStatements(p.text)
		}
		i := slices.IndexFunc(statements, func(st statement) bool { return st.sid == sid })
		switch {
		case i < 0:
			return nil, notFound("Statement %s is not found in resource policy.", sid)
		case revision != "" && revision != p.revision:
			return nil, stale()
		}
		fn.policies[q] = &policy{statements: slices.Delete(slices.Clone(statements), i, i+1), revision: s.f.uuid()}
		if len(statements) == 1 {
			delete(fn.policies, q)
		}
		return nil, nil
	})
	return err
}

func (s Session) functionPolicy(nameOrARN, qualifier string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	return s.do("GetPolicy", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		_, p, _, err := s.policyOf(nameOrARN, qualifier)
		if err != nil {
			return nil, err
		}
		return object{{name: "Policy", value: p.document()}, {name: "RevisionId", value: p.revision}}, nil
	})
}

// PutResourcePolicy sets the whole policy of a function, version or alias, with
// Deny statements and any condition, and returns its revision.
func (s Session) PutResourcePolicy(arn, text, revision string) (string, error) {
	out, err := s.putResourcePolicy(arn, text, revision)
	return out.text("RevisionId"), err
}

func (s Session) putResourcePolicy(arn, text, revision string) (object, error) {
	params := object{{name: "ResourceArn", value: arn}, {name: "Policy", value: text}}.optional("RevisionId", revision)
	return s.do("PutResourcePolicy", arn, params, func() (object, *Error) {
		if err := functionOnly(arn); err != nil {
			return nil, err
		}
		fn, b, _, arn := s.qualified(arn, "")
		switch {
		case b == nil:
			return nil, noFunction(arn)
		case !json.Valid([]byte(text)):
			return nil, invalid("the policy is not JSON")
		case len(text) > policyMax:
			return nil, &Error{Status: http.StatusBadRequest, Code: "PolicyLengthExceededException", Message: "The final policy size is bigger than the limit."}
		}
		q := s.policyKey(arn, "")
		if p := fn.policies[q]; revision != "" && (p == nil || p.revision != revision) {
			return nil, stale()
		}
		p := &policy{text: text, revision: s.f.uuid()}
		fn.policies[q] = p
		return object{{name: "Policy", value: text}, {name: "RevisionId", value: p.revision}}, nil
	})
}

func (s Session) getResourcePolicy(arn string) (object, error) {
	return s.do("GetResourcePolicy", arn, object{{name: "ResourceArn", value: arn}}, func() (object, *Error) {
		if err := functionOnly(arn); err != nil {
			return nil, err
		}
		_, p, _, err := s.policyOf(arn, "")
		if err != nil {
			return nil, err
		}
		return object{{name: "Policy", value: p.document()}, {name: "RevisionId", value: p.revision}}, nil
	})
}

// functionOnly refuses what has no resource policy of the newer kind: layers
// keep the policy that can only grant (spec posture 2.1).
func functionOnly(arn string) *Error {
	if a, err := lamina.ParseARN(arn); err != nil || !strings.HasPrefix(a.Resource, "function:") {
		return invalid("%q is not the ARN of a function", arn)
	}
	return nil
}

// parseStatements takes a policy that was put as a whole apart. One that has no
// list of statements has none.
func parseStatements(text string) []statement {
	var doc struct{ Statement []json.RawMessage }
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	var all []statement
	for _, raw := range doc.Statement {
		var st struct{ Sid string }
		if json.Unmarshal(raw, &st) == nil {
			all = append(all, statement{sid: st.Sid, text: string(raw)})
		}
	}
	return all
}
