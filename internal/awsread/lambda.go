package awsread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// lambdaTime is how Lambda writes times.
const lambdaTime = "2006-01-02T15:04:05.999Z0700"

// Layers returns the names of the account's layers in the order AWS lists them.
func (c *Client) Layers(ctx context.Context) ([]string, error) {
	var names []string
	for out, err := range pages(ctx, lambda.NewListLayersPaginator(c.lambda, &lambda.ListLayersInput{})) {
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
// what Describe and Policy add.
func (c *Client) LayerVersions(ctx context.Context, name string) ([]lamina.LayerVersion, error) {
	var vs []lamina.LayerVersion
	for out, err := range pages(ctx, lambda.NewListLayerVersionsPaginator(c.lambda, &lambda.ListLayerVersionsInput{LayerName: &name})) {
		if err != nil {
			return vs, fail("lambda:ListLayerVersions", name, err)
		}
		for _, item := range out.LayerVersions {
			v, err := layerVersion(aws.ToString(item.LayerVersionArn), aws.ToString(item.CreatedDate))
			if err != nil {
				return vs, fail("lambda:ListLayerVersions", name, err)
			}
			v.Description, v.LicenseInfo = aws.ToString(item.Description), aws.ToString(item.LicenseInfo)
			v.CompatibleRuntimes, v.CompatibleArchitectures = words(item.CompatibleRuntimes), words(item.CompatibleArchitectures)
			vs = append(vs, v)
		}
	}
	return vs, nil
}

func layerVersion(arn, created string) (lamina.LayerVersion, error) {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return lamina.LayerVersion{}, err
	}
	at, err := time.Parse(lambdaTime, created)
	if err != nil {
		return lamina.LayerVersion{}, fmt.Errorf("created: %w", err)
	}
	return lamina.LayerVersion{
		ARN: l.String(), Account: l.ARN.Account, Region: l.ARN.Region, Name: l.Name, Version: l.Version, Created: at.UTC(),
	}, nil
}

// Describe returns the layer version with the ARN, which may be another
// account's, as AWS describes it, without its policy. The content is not fetched.
func (c *Client) Describe(ctx context.Context, arn string) (lamina.LayerVersion, error) {
	v, _, err := c.Locate(ctx, arn)
	return v, err
}

// Locate is Describe, and says where the zip is to be had (Fetch).
func (c *Client) Locate(ctx context.Context, arn string) (lamina.LayerVersion, Location, error) {
	out, err := c.lambda.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &arn})
	if err != nil {
		return lamina.LayerVersion{}, Location{}, fail("lambda:GetLayerVersion", arn, err)
	}
	v, err := layerVersion(aws.ToString(out.LayerVersionArn), aws.ToString(out.CreatedDate))
	if err == nil && v.ARN != arn {
		// An emulator that does not know the call answers it with nothing, or
		// with another version.
		err = fmt.Errorf("the answer is about %s", v.ARN)
	}
	if err != nil {
		return lamina.LayerVersion{}, Location{}, fail("lambda:GetLayerVersion", arn, err)
	}
	v.Description, v.LicenseInfo = aws.ToString(out.Description), aws.ToString(out.LicenseInfo)
	v.CompatibleRuntimes, v.CompatibleArchitectures = words(out.CompatibleRuntimes), words(out.CompatibleArchitectures)
	var at Location
	if content := out.Content; content != nil {
		at.url = aws.ToString(content.Location)
		v.CodeSize, v.CodeSHA256 = content.CodeSize, aws.ToString(content.CodeSha256)
		v.SigningProfileVersionARN, v.SigningJobARN = aws.ToString(content.SigningProfileVersionArn), aws.ToString(content.SigningJobArn)
		if o := content.ResolvedS3Object; o != nil {
			v.Reference = &lamina.S3Object{Bucket: aws.ToString(o.S3Bucket), Key: aws.ToString(o.S3Key), VersionID: aws.ToString(o.S3ObjectVersion)}
		}
	}
	return v, at, nil
}

// Policy returns the layer version's policy, nil when it has none.
func (c *Client) Policy(ctx context.Context, arn string) (*lamina.LayerPolicy, error) {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return nil, err
	}
	n := int64(l.Version)
	out, err := c.lambda.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: aws.String(l.Unversioned()), VersionNumber: &n})
	if notFound(err) {
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

func notFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

// Functions returns the account's functions and their published versions.
func (c *Client) Functions(ctx context.Context) ([]lamina.Function, error) {
	var fs []lamina.Function
	in := &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll}
	for out, err := range pages(ctx, lambda.NewListFunctionsPaginator(c.lambda, in)) {
		if err != nil {
			return fs, fail("lambda:ListFunctions", "*", err)
		}
		for _, f := range out.Functions {
			fn, err := c.function(f)
			if err != nil {
				return fs, fail("lambda:ListFunctions", "*", err)
			}
			fs = append(fs, fn)
		}
	}
	return fs, nil
}

// LocateFunction says where the function's own package is to be had (Fetch), which
// is that of f's digest and size. Of what else AWS answers, values of environment
// variables among it, nothing is kept.
func (c *Client) LocateFunction(ctx context.Context, f lamina.Function) (Location, error) {
	out, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &f.ARN})
	if err != nil {
		return Location{}, fail("lambda:GetFunction", f.ARN, err)
	}
	if out.Configuration == nil || aws.ToString(out.Configuration.CodeSha256) != f.CodeSHA256 {
		return Location{}, fail("lambda:GetFunction", f.ARN, errors.New("the function's code was changed while it was read"))
	}
	if out.Code == nil {
		return Location{}, nil
	}
	return Location{url: aws.ToString(out.Code.Location)}, nil
}

// CodeStorage returns how many bytes of code Lambda keeps for the account in the
// region, and how many it may.
func (c *Client) CodeStorage(ctx context.Context) (used, limit int64, err error) {
	out, err := c.lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return 0, 0, fail("lambda:GetAccountSettings", "*", err)
	}
	if out.AccountUsage == nil || out.AccountLimit == nil {
		return 0, 0, fail("lambda:GetAccountSettings", "*", errors.New("the answer has no usage, or no limit"))
	}
	return out.AccountUsage.TotalCodeSize, out.AccountLimit.TotalCodeSize, nil
}

func (c *Client) function(f types.FunctionConfiguration) (lamina.Function, error) {
	arn, err := lamina.ParseARN(aws.ToString(f.FunctionArn))
	if err != nil {
		return lamina.Function{}, err
	}
	fn := lamina.Function{
		ARN: arn.String(), Account: arn.Account, Region: arn.Region, Name: aws.ToString(f.FunctionName),
		Version: aws.ToString(f.Version), Role: aws.ToString(f.Role), Runtime: string(f.Runtime), Handler: aws.ToString(f.Handler),
		PackageType: string(f.PackageType), Architectures: words(f.Architectures),
		CodeSHA256: aws.ToString(f.CodeSha256), CodeSize: f.CodeSize, ConfigSHA256: aws.ToString(f.ConfigSha256),
		RevisionID: aws.ToString(f.RevisionId), KMSKeyARN: aws.ToString(f.KMSKeyArn), MasterARN: aws.ToString(f.MasterArn),
	}
	if fn.Version == latest {
		// With FunctionVersion=ALL the ARN of $LATEST ends in it; the plain ARN is
		// what every other place of a function uses.
		fn.ARN = strings.TrimSuffix(fn.ARN, ":"+latest)
	}
	if s := aws.ToString(f.LastModified); s != "" {
		at, err := time.Parse(lambdaTime, s)
		if err != nil {
			return lamina.Function{}, fmt.Errorf("%s: last modified: %w", fn.ARN, err)
		}
		fn.LastModified = at.UTC()
	}
	for _, l := range f.Layers {
		fn.Layers = append(fn.Layers, aws.ToString(l.Arn))
	}
	if e := f.Environment; e != nil {
		fn.Environment = c.environment(e.Variables)
		if e.Error != nil {
			fn.EnvironmentError = aws.ToString(e.Error.ErrorCode)
		}
	}
	if f.SnapStart != nil {
		fn.SnapStart = string(f.SnapStart.ApplyOn)
	}
	if f.VpcConfig != nil {
		fn.Subnets, fn.SecurityGroups = f.VpcConfig.SubnetIds, f.VpcConfig.SecurityGroupIds
	}
	return fn, nil
}

// latest is the version of a function that is not published.
const latest = "$LATEST"

// environment keeps the names, and of values what Options.Keep allows.
func (c *Client) environment(in map[string]string) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for name, value := range in {
		out[name] = ""
		if c.keep != nil {
			out[name] = c.keep(name, value)
		}
	}
	return out
}

// FunctionPolicy returns the resource policy of the function, or of the version
// or alias that qualifier names; nil when it has none.
func (c *Client) FunctionPolicy(ctx context.Context, arn, qualifier string) (*lamina.FunctionPolicy, error) {
	in := &lambda.GetPolicyInput{FunctionName: &arn}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	out, err := c.lambda.GetPolicy(ctx, in)
	if notFound(err) {
		return nil, nil //nolint:nilnil // no policy is an answer, not an error
	}
	if err != nil {
		return nil, fail("lambda:GetPolicy", arn, err)
	}
	return &lamina.FunctionPolicy{Qualifier: qualifier, RevisionID: aws.ToString(out.RevisionId), Document: aws.ToString(out.Policy)}, nil
}

// CodeSigning returns the ARN of the function's code signing configuration, ""
// when it has none.
func (c *Client) CodeSigning(ctx context.Context, arn string) (string, error) {
	out, err := c.lambda.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: &arn})
	switch {
	case notFound(err):
		return "", nil
	case err != nil:
		return "", fail("lambda:GetFunctionCodeSigningConfig", arn, err)
	}
	return aws.ToString(out.CodeSigningConfigArn), nil
}

// CodeSigningConfig returns the code signing configuration with the ARN.
func (c *Client) CodeSigningConfig(ctx context.Context, arn string) (lamina.CodeSigningConfig, error) {
	a, err := lamina.ParseARN(arn)
	if err != nil {
		return lamina.CodeSigningConfig{}, err
	}
	out, err := c.lambda.GetCodeSigningConfig(ctx, &lambda.GetCodeSigningConfigInput{CodeSigningConfigArn: &arn})
	if err != nil {
		return lamina.CodeSigningConfig{}, fail("lambda:GetCodeSigningConfig", arn, err)
	}
	csc := lamina.CodeSigningConfig{ARN: arn, Account: a.Account, Region: a.Region}
	if p := out.CodeSigningConfig; p != nil {
		if p.CodeSigningPolicies != nil {
			csc.UntrustedArtifact = string(p.CodeSigningPolicies.UntrustedArtifactOnDeployment)
		}
		if p.AllowedPublishers != nil {
			csc.AllowedPublishers = slices.Sorted(slices.Values(p.AllowedPublishers.SigningProfileVersionArns))
		}
	}
	return csc, nil
}

// Aliases returns the function's aliases.
func (c *Client) Aliases(ctx context.Context, arn string) ([]lamina.Alias, error) {
	var all []lamina.Alias
	for out, err := range pages(ctx, lambda.NewListAliasesPaginator(c.lambda, &lambda.ListAliasesInput{FunctionName: &arn})) {
		if err != nil {
			return all, fail("lambda:ListAliases", arn, err)
		}
		for _, a := range out.Aliases {
			alias := lamina.Alias{Name: aws.ToString(a.Name), Version: aws.ToString(a.FunctionVersion)}
			if a.RoutingConfig != nil {
				alias.Weights = a.RoutingConfig.AdditionalVersionWeights
			}
			all = append(all, alias)
		}
	}
	return all, nil
}

// URLs returns the function's URLs.
func (c *Client) URLs(ctx context.Context, arn string) ([]lamina.FunctionURL, error) {
	var all []lamina.FunctionURL
	for out, err := range pages(ctx, lambda.NewListFunctionUrlConfigsPaginator(c.lambda, &lambda.ListFunctionUrlConfigsInput{FunctionName: &arn})) {
		if err != nil {
			return all, fail("lambda:ListFunctionUrlConfigs", arn, err)
		}
		for _, u := range out.FunctionUrlConfigs {
			all = append(all, lamina.FunctionURL{Qualifier: qualifier(aws.ToString(u.FunctionArn)), AuthType: string(u.AuthType)})
		}
	}
	return all, nil
}

// Provisioned returns the versions and aliases of the function that are kept
// initialised.
func (c *Client) Provisioned(ctx context.Context, arn string) ([]lamina.Provisioned, error) {
	var all []lamina.Provisioned
	in := &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &arn}
	for out, err := range pages(ctx, lambda.NewListProvisionedConcurrencyConfigsPaginator(c.lambda, in)) {
		if err != nil {
			return all, fail("lambda:ListProvisionedConcurrencyConfigs", arn, err)
		}
		for _, x := range out.ProvisionedConcurrencyConfigs {
			all = append(all, lamina.Provisioned{Qualifier: qualifier(aws.ToString(x.FunctionArn)), Instances: int(aws.ToInt32(x.RequestedProvisionedConcurrentExecutions))})
		}
	}
	return all, nil
}

// EventSources returns the account's event source mappings by the ARN of the
// function they feed, without version or alias.
func (c *Client) EventSources(ctx context.Context) (map[string][]lamina.EventSourceMapping, error) {
	all := map[string][]lamina.EventSourceMapping{}
	for out, err := range pages(ctx, lambda.NewListEventSourceMappingsPaginator(c.lambda, &lambda.ListEventSourceMappingsInput{})) {
		if err != nil {
			return all, fail("lambda:ListEventSourceMappings", "*", err)
		}
		for _, m := range out.EventSourceMappings {
			fn := aws.ToString(m.FunctionArn)
			q := qualifier(fn)
			fn = strings.TrimSuffix(fn, ":"+q)
			all[fn] = append(all[fn], lamina.EventSourceMapping{
				UUID: aws.ToString(m.UUID), Qualifier: q, SourceARN: aws.ToString(m.EventSourceArn), State: aws.ToString(m.State),
			})
		}
	}
	return all, nil
}

// qualifier is the version or alias at the end of a function's ARN, or "".
func qualifier(arn string) string {
	a, err := lamina.ParseARN(arn)
	if err != nil {
		return ""
	}
	p := strings.Split(a.Resource, ":") // function:NAME:QUALIFIER
	if len(p) < 3 {
		return ""
	}
	return p[2]
}
