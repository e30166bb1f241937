// Package awsread is the only reader of AWS: what it can call is a table, and
// every call in it begins with Get or List.
//
// A Client reads one region of one account and returns nouns of package lamina;
// pages and retries are its business, what is read in which order is collect's.
// It has no way to change anything: a test reads this package's source and
// allows no method of the SDK that is not in Calls, and an import test keeps
// awswrite out of its reach. Environment variables of functions are dropped
// before anything else sees them. Start with New.
package awsread

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// A Call is a method of the SDK and the IAM action it needs.
type Call struct{ Method, Action string }

// Calls are all calls this package can make, sorted. The role's policy is made
// from it.
var Calls = []Call{
	{"GetLayerVersionByArn", "lambda:GetLayerVersion"},
	{"GetLayerVersionPolicy", "lambda:GetLayerVersionPolicy"},
	{"ListFunctions", "lambda:ListFunctions"},
	{"ListLayerVersions", "lambda:ListLayerVersions"},
	{"ListLayers", "lambda:ListLayers"},
}

// Options say whose region is read and how.
type Options struct {
	Region string
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials.
	AccessKeyID, SecretAccessKey, SessionToken string
	// HTTP carries the requests; nil is the SDK's own client.
	HTTP *http.Client
	// Endpoint replaces the service's endpoint when it is not "".
	Endpoint string
	// Attempts are the tries of one call, 0 for the SDK's three.
	Attempts int
}

// A Client reads one region of one account. It may be used from many goroutines.
type Client struct {
	sdk *lambda.Client
}

// New makes a client. It calls nothing.
func New(o Options) *Client {
	opt := lambda.Options{
		Region:           o.Region,
		Credentials:      credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken),
		RetryMaxAttempts: o.Attempts,
	}
	if o.HTTP != nil {
		opt.HTTPClient = o.HTTP
	}
	if o.Endpoint != "" {
		opt.BaseEndpoint = aws.String(o.Endpoint)
	}
	return &Client{sdk: lambda.New(opt)}
}

// An Error is a call that failed.
type Error struct {
	Action   string // the IAM action
	Resource string // what was read
	// Denied says that AWS refused the call for want of a permission.
	Denied bool
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s on %s: %s", e.Action, e.Resource, e.Err)
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

func fail(action, resource string, err error) error {
	e := &Error{Action: action, Resource: resource, Err: err}
	if api, ok := errors.AsType[apiError](err); ok {
		e.Denied = strings.HasPrefix(api.ErrorCode(), "AccessDenied")
		e.Err = fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage()) // without the SDK's wrapping, which names hosts and request ids
	}
	return e
}

// Layers returns the names of the account's layers in the order AWS lists them.
func (c *Client) Layers(ctx context.Context) ([]string, error) {
	var names []string
	for p := lambda.NewListLayersPaginator(c.sdk, &lambda.ListLayersInput{}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			return names, fail("lambda:ListLayers", "*", err)
		}
		for _, l := range out.Layers {
			names = append(names, aws.ToString(l.LayerName))
		}
	}
	return names, nil
}

// LayerVersions returns the versions of the layer that are not deleted, without
// their policy, size and digest.
func (c *Client) LayerVersions(ctx context.Context, name string) ([]lamina.LayerVersion, error) {
	var vs []lamina.LayerVersion
	for p := lambda.NewListLayerVersionsPaginator(c.sdk, &lambda.ListLayerVersionsInput{LayerName: &name}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			return vs, fail("lambda:ListLayerVersions", name, err)
		}
		for _, item := range out.LayerVersions {
			v, err := version(item)
			if err != nil {
				return vs, fail("lambda:ListLayerVersions", name, err)
			}
			vs = append(vs, v)
		}
	}
	return vs, nil
}

func version(item types.LayerVersionsListItem) (lamina.LayerVersion, error) {
	arn, err := lamina.ParseLayerARN(aws.ToString(item.LayerVersionArn))
	if err != nil {
		return lamina.LayerVersion{}, err
	}
	created, err := time.Parse("2006-01-02T15:04:05.999Z0700", aws.ToString(item.CreatedDate))
	if err != nil {
		return lamina.LayerVersion{}, fmt.Errorf("created: %w", err)
	}
	return lamina.LayerVersion{
		ARN: arn.String(), Account: arn.ARN.Account, Region: arn.ARN.Region, Name: arn.Name, Version: arn.Version, Created: created.UTC(),
	}, nil
}

// Describe returns the size of the layer version's zip and its SHA-256 in base64,
// as AWS states them. The content itself is not fetched.
func (c *Client) Describe(ctx context.Context, arn string) (size int64, sha256 string, err error) {
	out, err := c.sdk.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &arn})
	if err != nil {
		return 0, "", fail("lambda:GetLayerVersion", arn, err)
	}
	if out.Content == nil {
		return 0, "", nil
	}
	return out.Content.CodeSize, aws.ToString(out.Content.CodeSha256), nil
}

// Policy returns the layer version's policy, nil when it has none.
func (c *Client) Policy(ctx context.Context, arn string) (*lamina.LayerPolicy, error) {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return nil, err
	}
	n := int64(l.Version)
	out, err := c.sdk.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: aws.String(l.Unversioned()), VersionNumber: &n})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return nil, nil //nolint:nilnil // no policy is an answer, not an error
	}
	if err != nil {
		return nil, fail("lambda:GetLayerVersionPolicy", arn, err)
	}
	grants, err := iam.LayerGrants([]byte(aws.ToString(out.Policy)))
	if err != nil {
		return nil, fail("lambda:GetLayerVersionPolicy", arn, err)
	}
	return &lamina.LayerPolicy{RevisionID: aws.ToString(out.RevisionId), Grants: grants}, nil
}

// Functions returns the account's functions and their published versions.
func (c *Client) Functions(ctx context.Context) ([]lamina.Function, error) {
	var fs []lamina.Function
	in := &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll}
	for p := lambda.NewListFunctionsPaginator(c.sdk, in); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			return fs, fail("lambda:ListFunctions", "*", err)
		}
		for _, f := range out.Functions {
			fn, err := function(f)
			if err != nil {
				return fs, fail("lambda:ListFunctions", "*", err)
			}
			fs = append(fs, fn)
		}
	}
	return fs, nil
}

func function(f types.FunctionConfiguration) (lamina.Function, error) {
	arn, err := lamina.ParseARN(aws.ToString(f.FunctionArn))
	if err != nil {
		return lamina.Function{}, err
	}
	fn := lamina.Function{
		ARN: arn.String(), Account: arn.Account, Region: arn.Region, Name: aws.ToString(f.FunctionName),
		Version: aws.ToString(f.Version), Role: aws.ToString(f.Role), Runtime: string(f.Runtime),
	}
	for _, l := range f.Layers {
		fn.Layers = append(fn.Layers, aws.ToString(l.Arn))
	}
	// With FunctionVersion=ALL the ARN of $LATEST ends in it; the plain ARN is
	// what every other place of a function uses.
	if _, err := strconv.Atoi(fn.Version); err != nil {
		fn.ARN = strings.TrimSuffix(fn.ARN, ":"+fn.Version)
	}
	return fn, nil
}

// apiError is what the SDK's service errors have.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}
