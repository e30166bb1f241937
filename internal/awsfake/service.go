package awsfake

import (
	"fmt"
	"net/http"
)

// A service is one of AWS's, by the names that signatures, policies and trails
// have for it.
type service struct {
	scope  string // in the scope of a signature
	prefix string // of its IAM actions
	source string // eventSource of its records
	speaks *protocol
}

// A protocol is how a service takes calls and says no.
type protocol struct {
	denied string // the code of a call that no policy allows
	status int    // of that answer
	// token, key and expired are the codes of a call that is not signed, of one
	// whose credentials mean nothing, and of one whose credentials are over.
	token, key, expired string
	throttle            Error // a call too many
	write               writer
}

func (p *protocol) slow() *Error {
	e := p.throttle
	return &e
}

var restJSON = protocol{
	denied: "AccessDeniedException", status: http.StatusForbidden,
	token: "MissingAuthenticationTokenException", key: "UnrecognizedClientException", expired: "ExpiredTokenException",
	throttle: Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate exceeded"},
	write:    writeRESTJSON,
}

var (
	lambda = service{"lambda", "lambda", "lambda.amazonaws.com", &restJSON}
)

// deniedBy is the error of a call that a policy does not allow.
func (s Session) deniedBy(svc *service, action, resource, why string) *Error {
	e := &Error{Status: svc.speaks.status, Code: svc.speaks.denied}
	e.Message = fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", s.caller.arn(s.partition()), action, resource, why)
	return e
}
