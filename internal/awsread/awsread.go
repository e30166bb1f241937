// Package awsread is the only reader of AWS: what it can call is a table, and
// every call in it begins with Get, BatchGet, List, Describe, Lookup or Select, but
// for the one that asks IAM to make a credential report.
//
// A Session is an identity in a partition; In gives a Client, which reads one
// region of its account and returns nouns of package lamina. Pages and retries
// are its business, what is read in which order is collect's. It has no way to
// change anything: a test reads this package's source and allows no method of
// the SDK that is not in Calls, and an import test keeps awswrite out of its
// reach. It keeps no secret: values of environment variables are dropped unless
// Options.Keep returns what may be kept of them, and endpoints of subscriptions
// are only counted. Zips are fetched from where AWS says they are (Fetch), if that
// is S3. Start with Connect, or New for credentials at hand.
package awsread

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/signer"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/lamina-sec/lamina"
)

// Options say who reads and how.
type Options struct {
	// Region is where the session itself calls (STS); In chooses another.
	Region string
	// Profile is a profile of the AWS configuration files, "" for the default.
	Profile string
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials; "" takes
	// the SDK's default chain.
	AccessKeyID, SecretAccessKey, SessionToken string
	// HTTP carries the requests; nil is the SDK's own client.
	HTTP *http.Client
	// Endpoint replaces every service's endpoint when it is not "".
	Endpoint string
	// Attempts are the tries of one call, 0 for five.
	Attempts int
	// Wait is called before every attempt of a call and may hold it back; nil
	// holds nothing back. service is the IAM prefix ("lambda").
	Wait func(ctx context.Context, account, region, service string) error
	// Poll is how long to wait before asking again for something that AWS makes in
	// the background, 0 for two seconds.
	Poll time.Duration
	// MaxAnswers is how many bytes one account may answer in one region, 0 for 512
	// MiB; what goes over it is an error of the call.
	MaxAnswers int64
	// Warn is told what the SDK would write to standard error, such as that it falls
	// back to an older way to get credentials; nil for nobody. It may be called from
	// many goroutines.
	Warn func(text string)
	// Keep returns what of an environment variable's value may be kept; nil keeps
	// nothing of any.
	Keep func(name, value string) string
}

// A Session is an identity that can read.
type Session struct {
	cfg     aws.Config
	opt     Options
	account string
	zips    *http.Client
}

// ErrNoRegion says that neither the options nor the machine's configuration
// name a region.
var ErrNoRegion = errors.New("AWS configuration: no region")

// Connect makes a session from the AWS configuration of the machine, or from
// the credentials of o. It calls nothing but what the configuration asks for.
func Connect(ctx context.Context, o Options) (*Session, error) {
	load := []func(*config.LoadOptions) error{config.WithLogger(warnings(o.Warn))}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.HTTP != nil {
		load = append(load, config.WithHTTPClient(o.HTTP))
	}
	if o.AccessKeyID != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken)))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, ErrNoRegion
	}
	return session(cfg, o), nil
}

// New makes a session from the credentials of o alone. It calls nothing.
func New(o Options) *Session {
	cfg := aws.Config{
		Region:      o.Region,
		Logger:      warnings(o.Warn),
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
	}
	if o.HTTP != nil {
		cfg.HTTPClient = o.HTTP
	}
	return session(cfg, o)
}

// warnings gives warn what the SDK has to say, and standard error nothing.
func warnings(warn func(string)) logging.Logger {
	if warn == nil {
		return logging.Nop{}
	}
	return logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) { warn(fmt.Sprintf(format, v...)) })
}

func session(cfg aws.Config, o Options) *Session {
	if o.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(o.Endpoint)
	}
	attempts := o.Attempts
	if attempts == 0 {
		attempts = 5
	}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewAdaptiveMode(func(a *retry.AdaptiveModeOptions) {
			a.StandardOptions = append(a.StandardOptions, func(s *retry.StandardOptions) { s.MaxAttempts = attempts })
		})
	}
	cfg.APIOptions = append(cfg.APIOptions, onward)
	return &Session{cfg: cfg, opt: o, zips: zipClient(o.HTTP, o.Endpoint)}
}

// Region is where the session itself calls.
func (s *Session) Region() string { return s.cfg.Region }

// An Identity is who a session is.
type Identity struct {
	Account, ARN, Partition string
	// Skew is how far AWS's clock is ahead of ours, 0 when AWS did not say.
	Skew time.Duration
}

// Identity asks AWS who the session is, and makes it a session of that account.
func (s *Session) Identity(ctx context.Context) (Identity, error) {
	c := s.In(s.cfg.Region)
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, fail("sts:GetCallerIdentity", "the caller", err)
	}
	arn, err := lamina.ParseARN(aws.ToString(out.Arn))
	if err != nil {
		return Identity{}, fail("sts:GetCallerIdentity", "the caller", err)
	}
	s.account = aws.ToString(out.Account)
	skew, _ := awsmiddleware.GetAttemptSkew(out.ResultMetadata)
	return Identity{Account: s.account, ARN: arn.String(), Partition: arn.Partition, Skew: skew}, nil
}

// Assume makes a session of another account by assuming the role there, with
// the external id when it is not "". Nothing is called until the session reads.
func (s *Session) Assume(accountID, roleARN, externalID, name string) *Session {
	c := s.In(s.cfg.Region)
	cfg := s.cfg.Copy()
	cfg.Credentials = aws.NewCredentialsCache(assumed{accountID, stscreds.NewAssumeRoleProvider(c.sts, roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = name
		if externalID != "" {
			o.ExternalID = &externalID
		}
	})})
	return &Session{cfg: cfg, opt: s.opt, account: accountID, zips: s.zips}
}

// assumed gives the credentials of a role, if they are of the account that they were
// asked for.
type assumed struct {
	account string
	role    aws.CredentialsProvider
}

func (a assumed) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := a.role.Retrieve(ctx)
	if err == nil && c.AccountID != "" && c.AccountID != a.account {
		return aws.Credentials{}, &otherAccountError{c.AccountID}
	}
	return c, err
}

// An otherAccountError is a role that turned out to be of another account.
type otherAccountError struct{ account string }

func (e *otherAccountError) Error() string {
	return "the role could not be assumed: the answer is about account " + e.account
}

// In makes a client of one region. It calls nothing.
func (s *Session) In(region string) *Client {
	read := new(atomic.Int64)
	cfg := func(service string) aws.Config {
		c := s.cfg.Copy()
		c.Region = region
		if c.HTTPClient == nil {
			c.HTTPClient = http.DefaultClient
		}
		c.HTTPClient = metered{next: c.HTTPClient, limit: cmp.Or(s.opt.MaxAnswers, maxAnswers), read: read}
		if s.opt.Wait != nil {
			c.HTTPClient = paced{next: c.HTTPClient, wait: func(ctx context.Context) error { return s.opt.Wait(ctx, s.account, region, service) }}
		}
		return c
	}
	return &Client{
		Region:   region,
		keep:     s.opt.Keep,
		poll:     cmp.Or(s.opt.Poll, 2*time.Second),
		endpoint: s.opt.Endpoint,
		zips:     s.zips,

		accessanalyzer: accessanalyzer.NewFromConfig(cfg("access-analyzer")),
		account:        account.NewFromConfig(cfg("account")),
		cloudtrail:     cloudtrail.NewFromConfig(cfg("cloudtrail")),
		cloudwatch:     cloudwatch.NewFromConfig(cfg("cloudwatch")),
		configservice:  configservice.NewFromConfig(cfg("config")),
		ec2:            ec2.NewFromConfig(cfg("ec2")),
		events:         eventbridge.NewFromConfig(cfg("events")),
		guardduty:      guardduty.NewFromConfig(cfg("guardduty")),
		iam:            iam.NewFromConfig(cfg("iam")),
		inspector:      inspector2.NewFromConfig(cfg("inspector2")),
		lambda:         lambda.NewFromConfig(cfg("lambda")),
		logs:           cloudwatchlogs.NewFromConfig(cfg("logs")),
		organizations:  organizations.NewFromConfig(cfg("organizations")),
		resolver:       route53resolver.NewFromConfig(cfg("route53resolver")),
		s3:             s3.NewFromConfig(cfg("s3"), func(o *s3.Options) { o.UsePathStyle = s.opt.Endpoint != "" }),
		securityhub:    securityhub.NewFromConfig(cfg("securityhub")),
		signer:         signer.NewFromConfig(cfg("signer")),
		sns:            sns.NewFromConfig(cfg("sns")),
		sts:            sts.NewFromConfig(cfg("sts")),
	}
}

// A Client reads one region of one account. It may be used from many goroutines.
type Client struct {
	Region   string
	keep     func(name, value string) string
	poll     time.Duration
	endpoint string
	zips     *http.Client

	accessanalyzer *accessanalyzer.Client
	account        *account.Client
	cloudtrail     *cloudtrail.Client
	cloudwatch     *cloudwatch.Client
	configservice  *configservice.Client
	ec2            *ec2.Client
	events         *eventbridge.Client
	guardduty      *guardduty.Client
	iam            *iam.Client
	inspector      *inspector2.Client
	lambda         *lambda.Client
	logs           *cloudwatchlogs.Client
	organizations  *organizations.Client
	resolver       *route53resolver.Client
	s3             *s3.Client
	securityhub    *securityhub.Client
	signer         *signer.Client
	sns            *sns.Client
	sts            *sts.Client
}

// paced holds back every attempt, retries among them.
type paced struct {
	next aws.HTTPClient
	wait func(context.Context) error
}

func (p paced) Do(r *http.Request) (*http.Response, error) {
	if err := p.wait(r.Context()); err != nil {
		return nil, err
	}
	return p.next.Do(r)
}

// An Error is a call that failed.
type Error struct {
	Action   string // the IAM action
	Resource string // what was read
	// Denied says that AWS refused the call for want of a permission.
	Denied bool
	// Gone says that there is no such thing, or none any more.
	Gone bool
	// Unreachable says that there was no answer at all.
	Unreachable bool
	Err         error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s on %s: %s", e.Action, e.Resource, e.Err)
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// denials are the error codes by which services say that a permission is wanting.
var denials = []string{"AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized", "AccessDeniedForDependency"}

func fail(action, resource string, err error) error {
	e := &Error{Action: action, Resource: resource, Err: err}
	if other, ok := errors.AsType[*otherAccountError](err); ok {
		e.Err = other
		return e
	}
	if strings.Contains(err.Error(), "failed to refresh cached credentials") && code(err) == "" {
		e.Err = errors.New("no credentials were found") // the SDK lists every place where it looked
		return e
	}
	e.Gone = notFound(err)
	if u, ok := errors.AsType[*url.Error](err); ok { // without the SDK's wrapping, which buries it
		e.Unreachable = true
		e.Err = fmt.Errorf("no answer: %w", u.Err)
		if at, err := url.Parse(u.URL); err == nil {
			e.Err = fmt.Errorf("no answer from %s: %w", at.Host, u.Err)
		}
	}
	if much, ok := errors.AsType[*tooMuchError](err); ok {
		e.Err = much
		return e
	}
	for _, unending := range []error{errCircle, errEndless} {
		if errors.Is(err, unending) {
			e.Err = unending
			return e
		}
	}
	if api, ok := errors.AsType[apiError](err); ok {
		for _, d := range denials {
			e.Denied = e.Denied || strings.HasPrefix(api.ErrorCode(), d)
		}
		e.Err = fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage()) // without the SDK's wrapping, which names hosts and request ids
		if strings.Contains(err.Error(), "STS: AssumeRole") {             // not the call was refused, but the session that makes it
			e.Denied, e.Err = false, errors.New("the role could not be assumed: "+api.ErrorCode())
		}
	}
	return e
}

// apiError is what the SDK's service errors have.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// code is the service's error code, "" for an error that is none of a service.
func code(err error) string {
	if api, ok := errors.AsType[apiError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// words makes strings of an enumeration of the SDK.
func words[T ~string](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}
