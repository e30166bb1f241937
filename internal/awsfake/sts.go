package awsfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// SessionsEnd makes AssumeRole say that its credentials end at t, for SDKs that
// compare it with the machine's clock instead of the virtual one. They stop
// working as asked for under the virtual clock all the same.
func (f *Fake) SessionsEnd(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessionsEnd = t
}

func (f *Fake) stsOperations() map[string]rpc {
	return map[string]rpc{
		"GetCallerIdentity": {do: func(s Session, _ input) (object, *Error) {
			id := s.f.idsOf(s.caller).principal
			if s.caller.Role != "" {
				id += ":" + s.caller.Session
			}
			return object{{name: "Arn", value: s.caller.arn(s.partition())}, {name: "UserId", value: id}, {name: "Account", value: s.caller.Account}}, nil
		}},
		"AssumeRole": {do: Session.assumeRole, of: "RoleArn"},
	}
}

// assumeRole asks the role's trust policy only: the caller's own policies are not
// evaluated.
func (s Session) assumeRole(in input) (object, *Error) {
	role := in.text("RoleArn")
	p := slices.IndexFunc(s.f.estate.Principals, func(p lamina.Principal) bool { return p.Kind == "Role" && p.ARN == role })
	if p < 0 || !s.trusted(s.f.estate.Principals[p].Trust, in.text("ExternalId")) {
		return nil, &Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "User: " + s.caller.arn(s.partition()) + " is not authorized to perform: sts:AssumeRole on resource: " + role}
	}
	seconds := in.number("DurationSeconds")
	switch {
	case seconds == 0:
		seconds = 3600
	case seconds < 900 || seconds > 43200:
		return nil, &Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: "DurationSeconds is between 900 and 43200"}
	}
	a := s.f.estate.Principals[p]
	c := s.caller
	c.Account, c.Role, c.Session, c.User, c.Service = a.Account, a.Name, in.text("RoleSessionName"), "", ""
	ids := s.f.idsOf(c)
	ends := s.f.now.Add(time.Duration(seconds) * time.Second)
	s.f.keys[ids.accessKey] = key{c, ends}
	if !s.f.sessionsEnd.IsZero() {
		ends = s.f.sessionsEnd
	}
	return object{
		{name: "Credentials", value: object{
			{name: "AccessKeyId", value: ids.accessKey},
			{name: "SecretAccessKey", value: "not-verified", hidden: true},
			{name: "SessionToken", value: "not-verified-either"},
			{name: "Expiration", value: ends.UTC().Format(time.RFC3339), hidden: true},
			{name: "Expiration", value: ends.UTC().Format("Jan 2, 2006, 3:04:05 PM"), trail: true},
		}},
		{name: "AssumedRoleUser", value: object{
			{name: "AssumedRoleId", value: ids.principal + ":" + c.Session},
			{name: "Arn", value: c.arn(s.partition())},
		}},
	}, nil
}

// trusted evaluates the little of a trust policy that cross-account roles use:
// statements that allow sts:AssumeRole to an account or a principal, under
// conditions on sts:ExternalId and aws:PrincipalOrgID. A condition it does not
// know is not met.
func (s Session) trusted(document, externalID string) bool {
	var doc struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS words }
			Action    words
			Condition map[string]map[string]words
		}
	}
	if json.Unmarshal([]byte(document), &doc) != nil {
		return false
	}
	account, me := s.caller.Account, s.caller.arn(s.partition())
	root := "arn:" + s.partition() + ":iam::" + account + ":"
	who := []string{"*", account, root + "root", root + "role/" + s.caller.Role, me}
	known := map[string]string{"sts:ExternalId": externalID, "aws:PrincipalOrgID": s.f.orgs[account]}
	for _, st := range doc.Statement {
		ok := st.Effect == "Allow" && slices.ContainsFunc(st.Action, func(a string) bool { return a == "sts:AssumeRole" || a == "sts:*" || a == "*" }) &&
			slices.ContainsFunc(st.Principal.AWS, func(p string) bool { return slices.Contains(who, p) })
		for operator, keys := range st.Condition {
			for k, values := range keys {
				ok = ok && strings.HasPrefix(operator, "StringEquals") && known[k] != "" && slices.Contains(values, known[k])
			}
		}
		if ok {
			return true
		}
	}
	return false
}

// words are one string or a list of them.
type words []string

// UnmarshalJSON reads both.
func (w *words) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}
