package awsfake_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// config is what every client of the SDK is made with.
func config(f *awsfake.Fake, c awsfake.Caller, region string) aws.Config {
	client, id, secret := f.Client(c)
	return aws.Config{
		Region: region, HTTPClient: client, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	}
}

// code is the code of the SDK's error, "" for none.
func code(err error) string {
	if e, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// must is for calls that only prepare a test.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func function(name string, layers ...string) awsfake.CreateFunctionInput {
	return awsfake.CreateFunctionInput{
		FunctionName: name, Role: "arn:aws:iam::111122223333:role/r", Runtime: "python3.12", Handler: "a.b", Layers: layers,
		Code: awsfake.Code{ZipFile: []byte("code of " + name)},
	}
}

// Published versions keep the layers they had, and are listed with ALL only.
func TestVersions_and_aliases(t *testing.T) {
	f := fake(t)
	s, ctx, ok := f.As(caller(owner), region), t.Context(), must[string](t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	ok(s.CreateFunction(function("f", layer+":1")))
	one := ok(s.PublishVersion(awsfake.PublishVersionInput{FunctionName: "f", Description: "first"}))
	if again := ok(s.PublishVersion(awsfake.PublishVersionInput{FunctionName: "f"})); one != "1" || again != "1" {
		t.Errorf("published %s, and without a change %s", one, again)
	}
	revision := ok(s.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "f", Layers: []string{}}))
	if _, err := sdk.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("f"), RevisionId: aws.String("old")}); code(err) != "PreconditionFailedException" {
		t.Errorf("a stale revision gives %v", err)
	}
	if out, err := sdk.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("f"), RevisionId: &revision}); err != nil || *out.Version != "2" {
		t.Errorf("got %v, %v", out, err)
	}
	list := func(in *lambda.ListFunctionsInput) (got []string) {
		out, err := sdk.ListFunctions(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range out.Functions {
			got = append(got, fmt.Sprintf("%s %s %d layers %s%s", *c.FunctionArn, *c.Version, len(c.Layers), aws.ToString(c.Description), c.State))
		}
		return got
	}
	const arn = "arn:aws:lambda:eu-west-1:111122223333:function:f"
	if d := cmp.Diff([]string{arn + " $LATEST 0 layers "}, list(&lambda.ListFunctionsInput{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{arn + ":$LATEST $LATEST 0 layers ", arn + ":1 1 1 layers first", arn + ":2 2 0 layers "},
		list(&lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})); d != "" {
		t.Error(d)
	}
	versions, err := sdk.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String(arn)})
	if err != nil || len(versions.Versions) != 3 || *versions.Versions[0].FunctionArn != arn+":$LATEST" {
		t.Errorf("versions %v, %v", versions, err)
	}

	ok(s.CreateAlias(awsfake.AliasInput{FunctionName: "f", Name: "live", FunctionVersion: "1"}))
	if _, err := s.CreateAlias(awsfake.AliasInput{FunctionName: "f", Name: "x", FunctionVersion: "9"}); status(err) != 404 {
		t.Errorf("an alias of a version that is not there: %v", err)
	}
	alias, err := sdk.UpdateAlias(ctx, &lambda.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdk.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), RevisionId: aws.String("old")}); code(err) != "PreconditionFailedException" {
		t.Errorf("a stale revision gives %v", err)
	}
	aliases, err := sdk.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: aws.String("f")})
	if err != nil || len(aliases.Aliases) != 1 {
		t.Fatal(aliases, err)
	}
	a := aliases.Aliases[0]
	if *a.AliasArn != arn+":live" || *a.FunctionVersion != "1" || a.RoutingConfig.AdditionalVersionWeights["2"] != 0.25 || *a.RevisionId != *alias.RevisionId {
		t.Errorf("alias %+v", a)
	}
	c, err := sdk.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f:live")})
	if err != nil || *c.Version != "1" || len(c.Layers) != 1 || c.State != types.StateActive {
		t.Errorf("configuration by alias %+v, %v", c, err)
	}
	if _, err := sdk.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}); code(err) != "ResourceConflictException" {
		t.Errorf("deleting a version that an alias has: %v", err)
	}
	if _, err := sdk.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")}); err != nil {
		t.Error(err)
	}
	if err := s.DeleteAlias("f", "live"); err != nil {
		t.Error(err)
	}
	if _, err := sdk.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("a deleted alias: %v", err)
	}
}

// Lists come in pages of at most 50, mappings of 100.
func TestPages(t *testing.T) {
	f := fake(t)
	s, ctx, ok := f.As(caller(owner), region), t.Context(), must[string](t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	for i := range 60 {
		ok(s.CreateFunction(function(fmt.Sprintf("f%02d", i))))
		ok(s.PublishVersion(awsfake.PublishVersionInput{FunctionName: fmt.Sprintf("f%02d", i)}))
		for range 2 {
			ok(s.CreateEventSourceMapping(awsfake.EventSourceMappingInput{FunctionName: fmt.Sprintf("f%02d", i), EventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:q"}))
		}
	}
	var sizes []int
	for p := lambda.NewListFunctionsPaginator(sdk, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, MaxItems: aws.Int32(1000)}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.Functions))
	}
	for p := lambda.NewListEventSourceMappingsPaginator(sdk, &lambda.ListEventSourceMappingsInput{}); p.HasMorePages(); {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.EventSourceMappings))
	}
	if d := cmp.Diff([]int{50, 50, 20, 100, 20}, sizes); d != "" {
		t.Error(d)
	}
	out, err := sdk.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("f07")})
	if err != nil || len(out.EventSourceMappings) != 2 || *out.EventSourceMappings[0].State != "Enabled" {
		t.Errorf("mappings of one function: %v, %v", out, err)
	}
}

func TestFunction_policies(t *testing.T) {
	f := fake(t)
	s, ctx, ok := f.As(caller(owner), region), t.Context(), must[string](t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	arn := ok(s.CreateFunction(function("f")))
	ok(s.PublishVersion(awsfake.PublishVersionInput{FunctionName: "f"}))
	get := func(qualifier string) string {
		in := &lambda.GetPolicyInput{FunctionName: aws.String("f")}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		out, err := sdk.GetPolicy(ctx, in)
		if err != nil {
			return code(err)
		}
		return *out.Policy
	}
	if got := get(""); got != "ResourceNotFoundException" {
		t.Errorf("no policy gives %s", got)
	}
	if _, err := sdk.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("bucket"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::acme"), SourceAccount: aws.String(owner),
	}); err != nil {
		t.Fatal(err)
	}
	ok(s.AddPermission(awsfake.AddPermissionInput{FunctionName: "f", Qualifier: "1", StatementID: "url", Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionURLAuthType: "NONE"}))
	if d := cmp.Diff(map[string]string{
		"":  `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"bucket","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn + `","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::acme"}}}]}`,
		"1": `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"url","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"` + arn + `:1","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}]}`,
	}, map[string]string{"": get(""), "1": get("1")}); d != "" {
		t.Error(d)
	}
	if _, err := s.AddPermission(awsfake.AddPermissionInput{FunctionName: "f", StatementID: "bucket", Action: "lambda:InvokeFunction", Principal: partner}); status(err) != 409 {
		t.Errorf("the same statement id again: %v", err)
	}
	if err := s.RemovePermission("f", "", "bucket", "old"); status(err) != 412 {
		t.Errorf("a stale revision: %v", err)
	}
	if err := s.RemovePermission("f", "", "bucket", ""); err != nil || get("") != "ResourceNotFoundException" {
		t.Errorf("after the last statement: %v, %s", err, get(""))
	}
	const whole = `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`
	ok(s.PutResourcePolicy(arn, whole, ""))
	out, err := sdk.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &arn})
	if err != nil || *out.Policy != whole || get("") != whole {
		t.Errorf("the whole policy: %v, %v", out, err)
	}
	if _, err := sdk.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: aws.String(layer + ":1")}); code(err) != "InvalidParameterValueException" {
		t.Errorf("a layer's: %v", err)
	}
	ok(s.AddPermission(awsfake.AddPermissionInput{FunctionName: "f", StatementID: "b", Action: "lambda:InvokeFunction", Principal: partner}))
	if err := s.RemovePermission("f", "", "a", ""); err != nil || !strings.Contains(get(""), partner) || strings.Contains(get(""), "Deny") {
		t.Errorf("statements of a whole policy can be changed: %s, %v", get(""), err)
	}
}

// What Enforce refuses is refused when it is deployed, not before (spec posture F13).
func TestCode_signing(t *testing.T) {
	const profile, other = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/p/AbCdEfGhIj", "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/q/AbCdEfGhIj"
	f := fake(t)
	s, ctx, ok := f.As(caller(owner), region), t.Context(), must[string](t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	signed := func(name, profile string, until time.Time) string {
		f.PutObject("builds", name, awsfake.Object{Data: []byte("zip"), SigningProfileVersion: profile, SigningJob: "arn:aws:signer:eu-west-1:111122223333:/signing-jobs/j", SignatureExpires: until})
		in := awsfake.PublishLayerVersionInput{LayerName: name}
		in.Content.S3Bucket, in.Content.S3Key = "builds", name
		return ok(s.PublishLayerVersion(in))
	}
	good, wrong, late := signed("good", profile, time.Time{}), signed("wrong", other, time.Time{}), signed("late", profile, f.Now().Add(-time.Hour))
	in := awsfake.CodeSigningConfigInput{Description: "acme"}
	in.AllowedPublishers.SigningProfileVersionArns = []string{profile}
	config := ok(s.CreateCodeSigningConfig(in))
	ok(s.CreateFunction(function("f", layer+":1")))
	if out, err := sdk.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: aws.String("f")}); err != nil || aws.ToString(out.CodeSigningConfigArn) != "" {
		t.Errorf("without a configuration: %v, %v", out, err)
	}
	if _, err := sdk.PutFunctionCodeSigningConfig(ctx, &lambda.PutFunctionCodeSigningConfigInput{FunctionName: aws.String("f"), CodeSigningConfigArn: &config}); err != nil {
		t.Fatal(err)
	}
	attach := func(arn string) string {
		_, err := sdk.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Layers: []string{arn}})
		return code(err)
	}
	if got := attach(wrong); got != "" {
		t.Errorf("Warn, the default, refuses with %s", got)
	}
	in.CodeSigningPolicies.UntrustedArtifactOnDeployment = "Enforce"
	if err := s.UpdateCodeSigningConfig(config, in); err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]string{good: "", wrong: "CodeVerificationFailedException", late: "CodeVerificationFailedException", layer + ":1": "CodeVerificationFailedException"} {
		if got := attach(arn); got != want {
			t.Errorf("attaching %s gives %q, want %q", arn, got, want)
		}
	}
	if _, err := s.UpdateFunctionCode(awsfake.UpdateFunctionCodeInput{FunctionName: "f", Code: awsfake.Code{ZipFile: []byte("unsigned")}}); status(err) != 400 {
		t.Errorf("unsigned code: %v", err)
	}
	if _, err := s.UpdateFunctionCode(awsfake.UpdateFunctionCodeInput{FunctionName: "f", Code: awsfake.Code{S3Bucket: "builds", S3Key: "good"}}); err != nil {
		t.Error(err)
	}
	v, err := sdk.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &good})
	if err != nil || *v.Content.SigningProfileVersionArn != profile || v.Content.SigningJobArn == nil || v.Content.ResolvedS3Object != nil {
		t.Errorf("a signed layer: %+v, %v", v, err)
	}
	c, err := sdk.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || *c.Layers[0].SigningProfileVersionArn != profile || *c.SigningProfileVersionArn != profile {
		t.Errorf("a function with signed code and layer: %+v, %v", c, err)
	}
	list, err := sdk.ListCodeSigningConfigs(ctx, &lambda.ListCodeSigningConfigsInput{})
	if err != nil || len(list.CodeSigningConfigs) != 1 || list.CodeSigningConfigs[0].CodeSigningPolicies.UntrustedArtifactOnDeployment != types.CodeSigningPolicyEnforce {
		t.Errorf("configurations %v, %v", list, err)
	}
	users, err := sdk.ListFunctionsByCodeSigningConfig(ctx, &lambda.ListFunctionsByCodeSigningConfigInput{CodeSigningConfigArn: &config})
	if err != nil || !slices.Equal(users.FunctionArns, []string{"arn:aws:lambda:eu-west-1:111122223333:function:f"}) {
		t.Errorf("users %v, %v", users, err)
	}
	if err := s.DeleteCodeSigningConfig(config); status(err) != 409 {
		t.Errorf("deleting what is in use: %v", err)
	}
	if err := errors.Join(s.DeleteFunctionCodeSigningConfig("f"), s.DeleteCodeSigningConfig(config)); err != nil {
		t.Error(err)
	}
	if _, err := sdk.GetCodeSigningConfig(ctx, &lambda.GetCodeSigningConfigInput{CodeSigningConfigArn: &config}); code(err) != "ResourceNotFoundException" {
		t.Errorf("a deleted configuration: %v", err)
	}
}

// Reads return the environment, the trail never does.
func TestEnvironment_urls_tags_and_settings(t *testing.T) {
	f := fake(t)
	s, ctx, ok := f.As(caller(owner), region), t.Context(), must[string](t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	in := function("f")
	in.Environment.Variables = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}
	in.VpcConfig = awsfake.VpcConfig{SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}}
	in.Tags = map[string]string{"team": "pay"}
	arn := ok(s.CreateFunction(in))
	if strings.Contains(trailOf(t, f, -1), "WRAPPER") {
		t.Errorf("the trail shows the environment: %s", trailOf(t, f, -1))
	}
	out, err := sdk.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in.Environment.Variables, out.Configuration.Environment.Variables); d != "" {
		t.Error(d)
	}
	if out.Tags["team"] != "pay" || out.Configuration.VpcConfig.SubnetIds[0] != "subnet-1" {
		t.Errorf("function %+v", out)
	}
	fetch := func() string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, *out.Code.Location, nil)
		if err != nil {
			t.Fatal(err)
		}
		client, _, _ := f.Client(caller(stranger))
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return string(must[[]byte](t)(io.ReadAll(res.Body)))
	}
	if got := fetch(); got != "code of f" {
		t.Errorf("code %q", got)
	}
	f.Advance(11 * time.Minute)
	if got := fetch(); got == "code of f" {
		t.Error("the URL is valid after ten minutes")
	}
	if d := cmp.Diff(map[string]int{arn + ":$LATEST": 1}, f.Downloads()); d != "" {
		t.Error(d)
	}

	url := awsfake.FunctionURLInput{FunctionName: "f", AuthType: "NONE"}
	url.Cors.AllowOrigins = []string{"*"}
	ok(s.CreateFunctionURLConfig(url))
	urls, err := sdk.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: aws.String("f")})
	if err != nil || len(urls.FunctionUrlConfigs) != 1 || urls.FunctionUrlConfigs[0].AuthType != types.FunctionUrlAuthTypeNone || urls.FunctionUrlConfigs[0].Cors.AllowOrigins[0] != "*" {
		t.Errorf("urls %v, %v", urls, err)
	}
	if err := s.DeleteFunctionURLConfig("f", ""); err != nil {
		t.Error(err)
	}
	if _, err := sdk.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: aws.String("f")}); code(err) != "ResourceNotFoundException" {
		t.Errorf("a deleted URL: %v", err)
	}
	tags, err := sdk.ListTags(ctx, &lambda.ListTagsInput{Resource: &arn})
	if err != nil || tags.Tags["team"] != "pay" {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := sdk.ListTags(ctx, &lambda.ListTagsInput{Resource: aws.String(layer + ":1")}); code(err) != "InvalidParameterValueException" {
		t.Errorf("tags of a layer: %v", err)
	}
	if err := s.PutFunctionConcurrency("f", 0); err != nil {
		t.Error(err)
	}
	reserved, err := sdk.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String("f")})
	if err != nil || *reserved.ReservedConcurrentExecutions != 0 {
		t.Errorf("concurrency %v, %v", reserved, err)
	}
	settings, err := sdk.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || settings.AccountLimit.TotalCodeSize != 300<<30 || settings.AccountUsage.FunctionCount != 1 {
		t.Errorf("settings %+v, %v", settings, err)
	}
	if out, err := sdk.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: aws.String("f")}); err != nil || out.UpdateRuntimeOn != types.UpdateRuntimeOnAuto {
		t.Errorf("runtime management %v, %v", out, err)
	}
}

// A layer version may leave its zip in the customer's bucket (spec posture F18).
func TestReferenced_layers(t *testing.T) {
	f := fake(t)
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	f.PutObject("builds", "utils.zip", awsfake.Object{Data: []byte("zip")})
	v, err := sdk.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("utils"),
		Content:   &types.LayerVersionContentInput{S3Bucket: aws.String("builds"), S3Key: aws.String("utils.zip"), S3ObjectVersion: aws.String("v1"), S3ObjectStorageMode: types.S3ObjectStorageModeReference},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := v.Content.ResolvedS3Object
	if o == nil || *o.S3Bucket != "builds" || *o.S3Key != "utils.zip" || *o.S3ObjectVersion != "v1" || v.Content.CodeSize != 3 {
		t.Errorf("content %+v", v.Content)
	}
}

// The quotas hold under the virtual clock once they are asked for.
func TestThrottle(t *testing.T) {
	f := fake(t)
	f.Throttle()
	ctx := t.Context()
	sdk := lambda.NewFromConfig(config(f, caller(owner), region))
	burst := func(n int, call func() error) (refused int) {
		for range n {
			if err := call(); code(err) == "TooManyRequestsException" {
				refused++
			}
		}
		return refused
	}
	list := func() error { _, err := sdk.ListLayers(ctx, &lambda.ListLayersInput{}); return err }
	policy := func() error {
		_, err := sdk.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String("f")})
		return err
	}
	get := func() error {
		_, err := sdk.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("f")})
		return err
	}
	got := []int{burst(20, list), burst(20, policy), burst(110, get)}
	f.Advance(200 * time.Millisecond)
	got = append(got, burst(5, list))
	other := lambda.NewFromConfig(config(f, caller(owner), "us-east-1"))
	got = append(got, burst(15, func() error { _, err := other.ListLayers(ctx, &lambda.ListLayersInput{}); return err }))
	if d := cmp.Diff([]int{5, 5, 10, 2, 0}, got); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[awsfake.Count]int{
		{Account: owner, Region: region, Action: "lambda:PublishLayerVersion"}: 1,
		{Account: owner, Region: region, Action: "lambda:ListLayers"}:          25,
		{Account: owner, Region: region, Action: "lambda:GetPolicy"}:           20,
		{Account: owner, Region: region, Action: "lambda:GetFunction"}:         110,
		{Account: owner, Region: "us-east-1", Action: "lambda:ListLayers"}:     15,
	}, f.Calls()); d != "" {
		t.Errorf("counted (-want +got):\n%s", d)
	}
}
