// Package awswrite is the only changer of AWS: one call for each reversible
// step of a plan, and every one of them guarded by a revision id where AWS has
// one.
//
// It decides nothing: a step comes from a plan that a person has seen, and
// respond calls it. It has no call that cannot be undone. Who may reach this
// package is a list in the import test of the module. Start with New, then Do.
package awswrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lamina-sec/lamina"
)

// Actions are the IAM actions of the steps that Do carries out, sorted.
var Actions = []string{
	"lambda:AddLayerVersionPermission",
	"lambda:RemoveLayerVersionPermission",
}

// Errors that callers tell apart; each is wrapped with the step's.
var (
	// ErrChanged says that the resource is no longer at the step's revision.
	ErrChanged = errors.New("the resource changed since the plan was made")
	// ErrExists says that what the step adds is there already.
	ErrExists = errors.New("it exists already")
	// ErrGone says that what the step removes is not there.
	ErrGone = errors.New("it does not exist")
	// ErrUnsupported says that there is no such step.
	ErrUnsupported = errors.New("not a step that lamina carries out")
)

// Options say in whose region changes are made.
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

// A Client changes one region of one account.
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

// Do carries out one step. Its resource is a layer version's ARN; a RevisionID
// of "" makes the call without a precondition, which AWS needs where there is
// no policy yet.
func (c *Client) Do(ctx context.Context, s lamina.Step) error {
	l, err := lamina.ParseLayerARN(s.Resource)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Action, err)
	}
	layer, version := aws.String(l.Unversioned()), aws.Int64(int64(l.Version))
	var revision, organization *string
	if s.RevisionID != "" {
		revision = &s.RevisionID
	}
	if o := s.Args["OrganizationId"]; o != "" {
		organization = &o
	}
	if n := s.Args["VersionNumber"]; n != "" && n != strconv.Itoa(l.Version) {
		return fmt.Errorf("%s: the step's VersionNumber %q is not that of %s", s.Action, n, s.Resource)
	}
	switch s.Action {
	case "lambda:RemoveLayerVersionPermission":
		_, err = c.sdk.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{
			LayerName: layer, VersionNumber: version, RevisionId: revision, StatementId: aws.String(s.Args["StatementId"]),
		})
	case "lambda:AddLayerVersionPermission":
		_, err = c.sdk.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
			LayerName: layer, VersionNumber: version, RevisionId: revision, StatementId: aws.String(s.Args["StatementId"]),
			Action: aws.String(s.Args["Action"]), Principal: aws.String(s.Args["Principal"]), OrganizationId: organization,
		})
	default:
		return fmt.Errorf("%s: %w", s.Action, ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("%s on %s: %w", s.Action, s.Resource, sentinel(err))
	}
	return nil
}

func sentinel(err error) error {
	var api apiError
	if !errors.As(err, &api) {
		return err
	}
	// The SDK's own wrapping names hosts and request ids.
	var is error
	switch api.ErrorCode() {
	case (&types.PreconditionFailedException{}).ErrorCode():
		is = ErrChanged
	case (&types.ResourceConflictException{}).ErrorCode():
		is = ErrExists
	case (&types.ResourceNotFoundException{}).ErrorCode():
		is = ErrGone
	default:
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	return fmt.Errorf("%w: %s: %s", is, api.ErrorCode(), api.ErrorMessage())
}

// apiError is what the SDK's service errors have.
type apiError interface {
	error
	ErrorCode() string
	ErrorMessage() string
}
