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
	malformed           string // the code of a request that cannot be read
	throttle            Error  // a call too many
	write               writer
}

func (p *protocol) slow() *Error {
	e := p.throttle
	return &e
}

// The protocols. What is not documented, as most codes of what is wrong with
// the credentials, follows what the services answer in public reports (derived).
var (
	restJSON = protocol{
		denied: "AccessDeniedException", status: http.StatusForbidden,
		token: "MissingAuthenticationTokenException", key: "UnrecognizedClientException", expired: "ExpiredTokenException",
		malformed: "ValidationException",
		throttle:  Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate exceeded"},
		write:     writeRESTJSON,
	}
	awsJSON = protocol{
		denied: "AccessDeniedException", status: http.StatusBadRequest,
		token: "MissingAuthenticationTokenException", key: "UnrecognizedClientException", expired: "ExpiredTokenException",
		malformed: "SerializationException",
		throttle:  Error{Status: http.StatusBadRequest, Code: "ThrottlingException", Message: "Rate exceeded"},
		write:     writeJSON,
	}
	query = protocol{
		denied: "AccessDenied", status: http.StatusForbidden,
		token: "MissingAuthenticationToken", key: "InvalidClientTokenId", expired: "ExpiredToken",
		malformed: "MalformedInput",
		throttle:  Error{Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"},
		write:     writeQuery,
	}
	topicQuery = protocol{
		denied: "AuthorizationError", status: http.StatusForbidden,
		token: "MissingAuthenticationToken", key: "InvalidClientTokenId", expired: "ExpiredToken",
		malformed: "MalformedInput",
		throttle:  Error{Status: http.StatusBadRequest, Code: "Throttled", Message: "Rate exceeded"},
		write:     writeQuery,
	}
	ec2Query = protocol{
		denied: "UnauthorizedOperation", status: http.StatusForbidden,
		token: "MissingAuthenticationToken", key: "AuthFailure", expired: "RequestExpired",
		malformed: "InvalidParameterValue",
		throttle:  Error{Status: http.StatusServiceUnavailable, Code: "RequestLimitExceeded", Message: "Request limit exceeded."},
		write:     writeEC2,
	}
	cbor = protocol{
		denied: "AccessDenied", status: http.StatusForbidden,
		token: "MissingAuthenticationToken", key: "InvalidClientTokenId", expired: "ExpiredToken",
		malformed: "SerializationException",
		throttle:  Error{Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"},
		write:     writeCBOR,
	}
	restXML = protocol{
		denied: "AccessDenied", status: http.StatusForbidden,
		token: "AccessDenied", key: "InvalidAccessKeyId", expired: "ExpiredToken",
		malformed: "InvalidRequest",
		throttle:  Error{Status: http.StatusServiceUnavailable, Code: "SlowDown", Message: "Please reduce your request rate."},
		write:     writeS3,
	}
)

// The services.
var (
	lambda          = service{"lambda", "lambda", "lambda.amazonaws.com", &restJSON}
	sts             = service{"sts", "sts", "sts.amazonaws.com", &query}
	iam             = service{"iam", "iam", "iam.amazonaws.com", &query}
	account         = service{"account", "account", "account.amazonaws.com", &restJSON}
	organizations   = service{"organizations", "organizations", "organizations.amazonaws.com", &awsJSON}
	cloudtrail      = service{"cloudtrail", "cloudtrail", "cloudtrail.amazonaws.com", &awsJSON}
	cloudwatch      = service{"monitoring", "cloudwatch", "monitoring.amazonaws.com", &cbor}
	cloudwatchJSON  = service{"monitoring", "cloudwatch", "monitoring.amazonaws.com", &awsJSON}
	cloudwatchQuery = service{"monitoring", "cloudwatch", "monitoring.amazonaws.com", &query}
	logs            = service{"logs", "logs", "logs.amazonaws.com", &awsJSON}
	sns             = service{"sns", "sns", "sns.amazonaws.com", &topicQuery}
	events          = service{"events", "events", "events.amazonaws.com", &awsJSON}
	accessAnalyzer  = service{"access-analyzer", "access-analyzer", "access-analyzer.amazonaws.com", &restJSON}
	inspector       = service{"inspector2", "inspector2", "inspector2.amazonaws.com", &restJSON}
	guardDuty       = service{"guardduty", "guardduty", "guardduty.amazonaws.com", &restJSON}
	securityHub     = service{"securityhub", "securityhub", "securityhub.amazonaws.com", &restJSON}
	config          = service{"config", "config", "config.amazonaws.com", &awsJSON}
	signer          = service{"signer", "signer", "signer.amazonaws.com", &restJSON}
	s3              = service{"s3", "s3", "s3.amazonaws.com", &restXML}
	dnsFirewall     = service{"route53resolver", "route53resolver", "route53resolver.amazonaws.com", &awsJSON}
	ec2             = service{"ec2", "ec2", "ec2.amazonaws.com", &ec2Query}
)

// deniedBy is the error of a call that a policy does not allow.
func (s Session) deniedBy(svc *service, action, resource, why string) *Error {
	e := &Error{Status: svc.speaks.status, Code: svc.speaks.denied}
	if svc == &ec2 {
		e.Message = fmt.Sprintf("You are not authorized to perform this operation. User: %s is not authorized to perform: %s %s", s.caller.arn(s.partition()), action, why)
		return e
	}
	e.Message = fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", s.caller.arn(s.partition()), action, resource, why)
	return e
}
