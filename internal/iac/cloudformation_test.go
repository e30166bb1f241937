package iac_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/iac"
)

// read reads one document named t.yaml.
func read(t *testing.T, doc string, opt iac.Options) *iac.Code {
	t.Helper()
	c, err := iac.Read(fstest.MapFS{"t.yaml": {Data: []byte(doc)}}, "t.yaml", "t.yaml", opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// resolved is the layers of all functions, then what is not resolved, and what
// was skipped.
func resolved(c *iac.Code) string {
	var b strings.Builder
	for _, f := range c.Snapshot.Functions {
		b.WriteString(strings.Join(f.Layers, " "))
	}
	for _, u := range c.Unresolved {
		b.WriteString("?" + u.Why)
	}
	for _, s := range c.Skipped {
		b.WriteString("!" + s.Reason)
	}
	return b.String()
}

// TestIntrinsics resolves one layer of a function. "?" before the text says that
// it is not known, and why.
func TestIntrinsics(t *testing.T) {
	const before = `
Parameters:
  Plain: {Type: String, Default: arn:one}
  Given: {Type: String}
  Open: {Type: String}
  Many: {Type: CommaDelimitedList, Default: 'arn:one, arn:two'}
  Newest: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /layers/newest}
Mappings:
  Layers: {eu-west-1: {Tool: 'arn:of-ireland'}}
Conditions:
  Yes: !Equals [a, a]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Condition No]
  Either: !Or [!Condition Yes, !Equals [!Ref Open, x]]
  Maybe: !Equals [!Ref Open, x]
  Circle: !Not [!Condition Circle]
Resources:
  L: {Type: AWS::Lambda::LayerVersion}
  T: {Type: AWS::DynamoDB::Table}
  G: {Type: AWS::Lambda::Function, Properties: {FunctionName: billing}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Layers: [`
	for _, tt := range []struct{ in, want string }{
		{`arn:literal`, "arn:literal"},
		{`!Ref Plain`, "arn:one"},
		{`{"Ref": "Given"}`, "arn:told"},
		{`!Ref Open`, "?parameter Open has no default"},
		{`!Ref Newest`, "?parameter Newest is read from the SSM parameter /layers/newest when it is deployed"},
		{`!Ref L`, "t.yaml#L"},
		{`!GetAtt L.LayerVersionArn`, "t.yaml#L"},
		{`!Ref G`, "billing"},
		{`!GetAtt G.Arn`, "t.yaml#G"},
		{`!Ref T`, "?T is not known before it is deployed"},
		{`!GetAtt T.Arn`, "?T.Arn is not known before it is deployed"},
		{`!Ref Nobody`, "?Nobody is not known before it is deployed"},
		{`!Select [1, !Ref Many]`, "arn:two"},
		{`!Select [7, !Ref Many]`, "?Fn::Select is worked out when it is deployed"},
		{`!Select [0, [!Ref Plain, !Ref Open]]`, "arn:one"},
		{`!Join [':', [arn, !Ref Plain]]`, "arn:arn:one"},
		{`!Join [':', [arn, !Ref Open]]`, "?parameter Open has no default"},
		{`!Select [1, !Split ['/', 'a/b/c']]`, "b"},
		{`!FindInMap [Layers, !Ref 'AWS::Region', Tool]`, "arn:of-ireland"},
		{`!FindInMap [Layers, mars, Tool]`, "?Fn::FindInMap is worked out when it is deployed"},
		{`!Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:layer:x:1'`, "arn:aws:lambda:eu-west-1:111122223333:layer:x:1"},
		{`!Sub 'a${!b}'`, "a${b}"},
		{`!Sub ['${X}-${Plain}', {X: !Ref L}]`, "t.yaml#L-arn:one"},
		{`!Sub '${T.Arn}'`, "?T.Arn is not known before it is deployed"},
		{`!Sub '${Open'`, "?a ${ of Fn::Sub is not closed"},
		{`!Join [':', [arn, !Ref Many]]`, "?Fn::Join is worked out when it is deployed"},
		{`!Join [':', !Ref Many]`, "arn:one:arn:two"},
		{`!If [Yes, a, b]`, "a"},
		{`!If [No, a, b]`, "b"},
		{`!If [Both, a, b]`, "b"},
		{`!If [Either, a, b]`, "a"},
		{`!If [Maybe, a, b]`, "?the condition Maybe is not known"},
		{`!If [Circle, a, b]`, "?the condition Circle is not known"},
		{`!If [Nothing, a, b]`, "?the condition Nothing is not known"},
		{`!ImportValue other-stack`, "?Fn::ImportValue is worked out when it is deployed"},
		{`'{{resolve:ssm:/layers/newest}}'`, "?a dynamic reference is looked up when it is deployed"},
		{`!Ref AWS::NoValue`, ""},
		{`!Transform {Name: Other}`, "?Fn::Transform is worked out when it is deployed"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			c := read(t, before+tt.in+"]\n", iac.Options{Account: "111122223333", Region: "eu-west-1", Parameters: map[string]string{"Given": "arn:told"}})
			if got := resolved(c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestParameters says which SSM parameters a layer is made of.
func TestParameters(t *testing.T) {
	for _, tt := range []struct{ name, layer, want string }{
		{"type", `!Ref Newest`, "arn:aws:ssm:eu-west-1:111122223333:parameter/layers/newest"},
		{"reference", `'{{resolve:ssm:/layers/newest}}'`, "arn:aws:ssm:eu-west-1:111122223333:parameter/layers/newest"},
		{"version", `'{{resolve:ssm:newest:12}}'`, "arn:aws:ssm:eu-west-1:111122223333:parameter/newest at 12"},
		{"of_aws", `'{{resolve:ssm:/aws/service/x}}'`, "arn:aws:ssm:eu-west-1::parameter/aws/service/x"},
		{"by_arn", `'{{resolve:ssm:arn:aws:ssm:eu-west-1:444455556666:parameter/shared}}'`, "arn:aws:ssm:eu-west-1:444455556666:parameter/shared"},
		{"part", `!Sub 'arn:aws:lambda:eu-west-1:111122223333:layer:x:{{resolve:ssm:/layers/${Stage}/x}}'`, "arn:aws:ssm:eu-west-1:111122223333:parameter/layers/prod/x"},
		{"joined", `!Join [':', ['arn:aws:lambda:eu-west-1:111122223333:layer:x', !Ref Newest]]`, "arn:aws:ssm:eu-west-1:111122223333:parameter/layers/newest"},
		{"secret", `'{{resolve:secretsmanager:x}}'`, ""},
		{"no_name", `'{{resolve:ssm:a b}}'`, ""},
		{"known", `arn:aws:lambda:eu-west-1:111122223333:layer:x:1`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := read(t, `
Parameters:
  Newest: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /layers/newest}
  Stage: {Type: String, Default: prod}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {Layers: [`+tt.layer+"]}\n", iac.Options{Account: "111122223333", Region: "eu-west-1"})
			if got := parameters(c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// parameters are the SSM parameters of all functions.
func parameters(c *iac.Code) string {
	var out []string
	for _, f := range c.Snapshot.Functions {
		for _, p := range f.LayerParameters {
			if p.Version != "" {
				p.ARN += " at " + p.Version
			}
			out = append(out, p.ARN)
		}
	}
	return strings.Join(out, ", ")
}

// TestSnapshot reads every type of resource once.
func TestSnapshot(t *testing.T) {
	c := read(t, `
Resources:
  Signing:
    Type: AWS::Lambda::CodeSigningConfig
    Properties:
      AllowedPublishers: {SigningProfileVersionArns: [arn:profile]}
      CodeSigningPolicies: {UntrustedArtifactOnDeployment: Enforce}
  Far:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: {Action: lambda:GetLayerVersion, LayerVersionArn: 'arn:aws:lambda:eu-west-1:444455556666:layer:far:1', Principal: 777788889999}
  L:
    Type: AWS::Lambda::LayerVersion
    Properties:
      LayerName: utils
      Content: {S3Bucket: b, S3Key: k, S3ObjectStorageMode: REFERENCE}
  Whoever:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: {Action: lambda:GetLayerVersion, LayerVersionArn: !Ref L, Principal: !ImportValue them}
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: runs
      AssumeRolePolicyDocument: {Statement: {Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}}
      Policies:
        - PolicyName: own
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: 's3:GetObject', Resource: !GetAtt Bucket.Arn}
  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [!Ref R]
      PolicyDocument: {Statement: {Effect: Allow, Action: 'lambda:*', Resource: '*'}}
  F:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: billing
      Role: !GetAtt R.Arn
      CodeSigningConfigArn: !Ref Signing
      Layers: [!Ref L]
      Environment: {Variables: {SECRET: hunter2, NODE_OPTIONS: --require /opt/x.js}}
  U:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !Ref F, AuthType: NONE}
  A:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref F, Name: live, FunctionVersion: 3}
  I:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !GetAtt F.Arn, Action: lambda:InvokeFunction, Principal: '*', FunctionUrlAuthType: NONE}
  E:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref F, EventSourceArn: arn:queue}
`, iac.Options{Keep: func(name, value string) string {
		if name == "NODE_OPTIONS" {
			return value
		}
		return ""
	}})
	const account, role = "000000000000", "arn:aws:iam::000000000000:role/runs"
	at := func(line int) *lamina.Origin { return &lamina.Origin{File: "t.yaml", Line: line} }
	want := lamina.Snapshot{
		Version:  1,
		Accounts: []lamina.Account{{ID: account}, {ID: "444455556666"}},
		Layers: []lamina.LayerVersion{
			{
				ARN: "arn:aws:lambda:eu-west-1:444455556666:layer:far:1", Account: "444455556666", Region: "eu-west-1", Name: "far", Version: 1, Origin: at(8),
				Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "Far", Action: "lambda:GetLayerVersion", Principal: "777788889999", Origin: at(8)}}},
			},
			{ARN: "t.yaml#L", Account: account, Name: "utils", Reference: &lamina.S3Object{Bucket: "b", Key: "k"}, Origin: at(11)},
		},
		Functions: []lamina.Function{{
			ARN: "t.yaml#F", Account: account, Name: "billing", Version: "$LATEST", Role: role, PackageType: "Zip", Layers: []string{"t.yaml#L"},
			Environment: map[string]string{"SECRET": "", "NODE_OPTIONS": "--require /opt/x.js"}, CodeSigningConfigARN: "t.yaml#Signing", Origin: at(35),
			Policies: []lamina.FunctionPolicy{{Document: `{"Statement":[{"Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}},"Effect":"Allow","Principal":"*","Resource":"t.yaml#F","Sid":"I"}],"Version":"2012-10-17"}`}},
			Aliases:  []lamina.Alias{{Name: "live", Version: "3"}}, URLs: []lamina.FunctionURL{{AuthType: "NONE"}},
			EventSources: []lamina.EventSourceMapping{{UUID: "t.yaml#E", SourceARN: "arn:queue"}},
		}},
		CodeSigningConfigs: []lamina.CodeSigningConfig{{ARN: "t.yaml#Signing", Account: account, UntrustedArtifact: "Enforce", AllowedPublishers: []string{"arn:profile"}}},
		Principals: []lamina.Principal{{
			ARN: role, Account: account, Kind: "Role", Name: "runs",
			Trust: `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}`,
			Inline: []lamina.InlinePolicy{
				{Name: "own", Document: `{"Statement":[{"Action":"s3:GetObject","Effect":"Allow","Resource":"*","t.yaml:28: Bucket.Arn is not known before it is deployed":""}],"Version":"2012-10-17"}`},
				{Name: "more", Document: `{"Statement":[{"Action":"lambda:*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`},
			},
		}},
	}
	got := c.Snapshot
	got.Targets = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("snapshot differs (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]iac.Unresolved{{
		Action: "lambda:GetLayerVersionPolicy", Resource: "t.yaml#L", Property: "Principal", At: lamina.Origin{File: "t.yaml", Line: 18}, Why: "Fn::ImportValue is worked out when it is deployed",
	}}, c.Unresolved); d != "" {
		t.Errorf("unresolved differ (-want +got):\n%s", d)
	}
	if c.Resources != 11 || c.Read != 11 {
		t.Errorf("%d of %d resources", c.Read, c.Resources)
	}
}

// A policy about a region and an account that are named says nothing certain while
// it is not known where the code is deployed.
func TestSnapshot_elsewhere(t *testing.T) {
	const doc = `
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - {PolicyName: a, PolicyDocument: {Statement: {Effect: Allow, Action: 'lambda:*', Resource: 'arn:aws:lambda:eu-west-1:111122223333:layer:*'}}}
        - {PolicyName: b, PolicyDocument: '{"Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":["arn:aws:lambda:eu-west-1:111122223333:layer:*"]}]}'}
        - {PolicyName: c, PolicyDocument: '{"Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":["arn:aws:lambda:*:*:layer:*"]}]}'}
`
	doubts := func(opt iac.Options) string {
		var out strings.Builder
		for _, p := range read(t, doc, opt).Snapshot.Principals[0].Inline {
			if strings.Contains(p.Document, "is not known") {
				out.WriteString(p.Name)
			}
		}
		return out.String()
	}
	if got := doubts(iac.Options{}); got != "ab" {
		t.Errorf("deployed somewhere: doubts about %q", got)
	}
	if got := doubts(iac.Options{Account: "111122223333", Region: "eu-west-1"}); got != "" {
		t.Errorf("deployed there: doubts about %q", got)
	}
}

// A bomb of aliases stays as small as its text, and resolving it ends.
func TestHostile(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		n, p := string(rune('a'+i)), string(rune('a'+i-1))
		bomb.WriteString(n + "0: &" + n + "0 [" + strings.TrimSuffix(strings.Repeat("*"+p+"0, ", 10), ", ") + "]\n")
	}
	bomb.WriteString("Resources:\n  F: {Type: AWS::Lambda::Function, Properties: {Layers: *l0}}\n")
	c := read(t, bomb.String(), iac.Options{})
	if len(c.Unresolved) == 0 {
		t.Error("a bomb of aliases is resolved")
	}
	for name, tt := range map[string]struct {
		doc string
		is  error
	}{
		"empty":       {"", nil},
		"no_template": {"a: b", iac.ErrNone},
		"itself":      {"a: &a [*a]\nResources: {}", nil},
		"two":         {"Resources: {}\n---\nResources: {}\n", nil},
		"deep_list":   {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), nil},
		"deep_map":    {strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000), nil},
		"json_two":    {`{"Resources":{}}{"Resources":{}}`, nil},
		"json_cut":    {`{"Resources":{`, nil},
		"long":        {strings.Repeat("#", iac.MaxDocument+1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := iac.Read(fstest.MapFS{"t.yaml": {Data: []byte(tt.doc)}}, "t.yaml", "t.yaml", iac.Options{})
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %v", err, tt.is)
			}
		})
	}
}

// What a deployment makes of a template before it is one is said, and not read.
func TestTemplate_skipped(t *testing.T) {
	c, err := iac.Read(fstest.MapFS{
		"t.yaml":       {Data: []byte("Transform: [AWS::LanguageExtensions, Ours]\nResources:\n  Fn::ForEach::Each: [x, [a], {L: {Type: AWS::Lambda::LayerVersion}}]\n")},
		"broken.yaml":  {Data: []byte("Resources: {F: {Type: AWS::Lambda::Function\n")},
		"main.tf.json": {Data: []byte("{}")},
		"other.yaml":   {Data: []byte("a: b\n")},
	}, ".", "infra", iac.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Skipped {
		got = append(got, s.File+": "+s.Reason)
	}
	if d := cmp.Diff([]string{
		"infra/broken.yaml: line 1: did not find expected ',' or '}'",
		"infra/t.yaml:1: a macro changes the template when it is deployed",
		"infra/t.yaml:3: Fn::ForEach::Each is worked out when it is deployed",
	}, got); d != "" {
		t.Errorf("skipped differ (-want +got):\n%s", d)
	}
}

// What a template takes from others that are not read is named; what is beside it in a
// folder that is scanned is read as a template of its own.
func TestTemplate_nested(t *testing.T) {
	const parent = `Resources:
  Far:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://example.com/t.yaml'}
  Near:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./sub/t.yaml}
  Outside:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ../t.yaml}
  Open:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: !Ref Url}
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: 'arn:x', SemanticVersion: 1.0.0}}
  Part:
    Type: Ours::Lambda::Layer::MODULE
`
	fsys := fstest.MapFS{
		"in/p.yaml":     {Data: []byte(parent)},
		"in/sub/t.yaml": {Data: []byte("Resources: {L: {Type: 'AWS::Lambda::LayerVersion'}}\n")},
		"t.yaml":        {Data: []byte("Resources: {L: {Type: 'AWS::Lambda::LayerVersion'}}\n")},
	}
	for name, want := range map[string][]string{
		"in": {
			"in/p.yaml:11: Open is a nested stack, whose resources are not here", "in/p.yaml:14: App is a nested stack, whose resources are not here",
			"in/p.yaml:17: Part is a module of CloudFormation, whose resources are not here", "in/p.yaml:2: Far is a nested stack, whose resources are not here",
			"in/p.yaml:8: Outside is a nested stack, whose resources are not here",
		},
		"in/p.yaml": {
			"in/p.yaml:11: Open is a nested stack, whose resources are not here", "in/p.yaml:14: App is a nested stack, whose resources are not here",
			"in/p.yaml:17: Part is a module of CloudFormation, whose resources are not here", "in/p.yaml:2: Far is a nested stack, whose resources are not here",
			"in/p.yaml:5: Near is a nested stack, whose resources are not here", "in/p.yaml:8: Outside is a nested stack, whose resources are not here",
		},
	} {
		c, err := iac.Read(fsys, name, name, iac.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range c.Skipped {
			got = append(got, s.File+": "+s.Reason)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: skipped differ (-want +got):\n%s", name, d)
		}
	}
}

// A URL of a function that is not known is one UNKNOWN at its line: it may be that of
// any function.
func TestURL_of_unknown_function(t *testing.T) {
	c := read(t, "Parameters: {Name: {Type: String}}\nResources:\n  U:\n    Type: AWS::Lambda::Url\n    Properties: {TargetFunctionArn: !Ref Name, AuthType: NONE}\n", iac.Options{})
	if len(c.Unresolved) != 1 || c.Unresolved[0].Property != "TargetFunctionArn" || c.Unresolved[0].At.Line != 5 || c.Unresolved[0].Why != "parameter Name has no default" {
		t.Errorf("%+v", c.Unresolved)
	}
}

// NoEcho is what YAML takes for true, in whatever spelling.
func TestParameter_without_echo(t *testing.T) {
	for spelling, hidden := range map[string]bool{"true": true, "'True'": true, "yes": true, "on": true, "false": false, "no": false} {
		c := read(t, "Parameters: {Layer: {Type: String, NoEcho: "+spelling+", Default: 'arn:secret'}}\nResources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Layers: [!Ref Layer]}\n", iac.Options{})
		if got := len(c.Unresolved) == 1; got != hidden {
			t.Errorf("NoEcho: %s: hidden %t, want %t", spelling, got, hidden)
		}
	}
}

// What Fn::Transform puts beside what is there is not known: nothing that it may
// add is taken for missing, and it is said wherever it stands.
func TestTransform(t *testing.T) {
	c := read(t, `
Transform: {Name: 'AWS::Include', Parameters: {Location: 's3://b/more.yaml'}}
Mappings:
  Fn::Transform: {Name: Ours}
Resources:
  Whole:
    Fn::Transform: {Name: 'AWS::Include'}
  Beside:
    Type: AWS::Lambda::Function
    Fn::Transform: {Name: 'AWS::Include'}
  F:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt R.Arn
      Fn::Transform: {Name: 'AWS::Include'}
      Environment: {Fn::Transform: {Name: Ours}, Variables: {A: b}}
      VpcConfig: {SubnetIds: [subnet-1, !ImportValue other], SecurityGroupIds: !ImportValue groups}
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument: {Statement: {Effect: Allow, Action: 'logs:*', Resource: '*', Fn::Transform: {Name: Ours}}}
`, iac.Options{Account: "111122223333", Region: "eu-west-1"})
	var skipped []string
	for _, s := range c.Skipped {
		skipped = append(skipped, s.File+": "+s.Reason)
	}
	if d := cmp.Diff([]string{
		"t.yaml:2: AWS::Include adds to the template when it is deployed",
		"t.yaml:4: Fn::Transform adds to Mappings when it is deployed",
		"t.yaml:7: Fn::Transform adds to the resource Whole when it is deployed",
		"t.yaml:10: Fn::Transform adds to the resource Beside when it is deployed",
	}, skipped, cmpopts.SortSlices(strings.Compare)); d != "" {
		t.Errorf("skipped differ (-want +got):\n%s", d)
	}
	var open []string
	for _, u := range c.Unresolved {
		if u.Resource == "t.yaml#F" {
			open = append(open, fmt.Sprintf("%s at %d: %s", u.Property, u.At.Line, u.Why))
		}
	}
	if d := cmp.Diff([]string{
		"CodeSigningConfigArn at 15: Fn::Transform is worked out when it is deployed",
		"Layers at 15: Fn::Transform is worked out when it is deployed",
	}, open); d != "" {
		t.Errorf("what is not known differs (-want +got):\n%s", d)
	}
	for _, f := range c.Snapshot.Functions {
		if f.ARN != "t.yaml#F" {
			continue
		}
		if d := cmp.Diff([]string{"subnet-1", "t.yaml:17"}, f.Subnets); d != "" || len(f.SecurityGroups) != 1 {
			t.Errorf("a network that is not known is taken for none: %v, %v", f.Subnets, f.SecurityGroups)
		}
	}
	if p := c.Snapshot.Principals; len(p) != 1 || !strings.Contains(p[0].Inline[0].Document, "t.yaml:23: Fn::Transform") {
		t.Errorf("the statement does not say that it may be another: %+v", p)
	}
}

// FuzzTemplate reads anything as a template: it ends, and everything it declares
// has a name and a place.
func FuzzTemplate(f *testing.F) {
	f.Add([]byte("Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Layers: [!Ref L]}}\nResources:\n  L: {Type: AWS::Serverless::LayerVersion}\n  F: {Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: NONE}, Policies: [S3ReadPolicy: {}]}}\n"))
	f.Add([]byte(`{"Resources":{"P":{"Type":"AWS::Lambda::LayerVersionPermission","Properties":{"Principal":{"Fn::Sub":"${AWS::AccountId}"}}}}}`))
	f.Add([]byte("Resources:\n  F: &f {Type: AWS::IAM::Role, Properties: {Policies: [PolicyDocument: {Statement: !If [x, *f, y]}]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := iac.Read(fstest.MapFS{"t.yaml": {Data: data}}, "t.yaml", "t.yaml", iac.Options{Region: "eu-west-1"})
		if err != nil {
			return
		}
		if c.Read > c.Resources {
			t.Errorf("%d of %d resources", c.Read, c.Resources)
		}
		for _, l := range c.Snapshot.Layers {
			if l.ARN == "" || l.Origin == nil {
				t.Errorf("a layer without a name or a place: %+v", l)
			}
		}
		for _, fn := range c.Snapshot.Functions {
			if fn.ARN == "" || fn.Origin == nil {
				t.Errorf("a function without a name or a place: %+v", fn)
			}
		}
	})
}
