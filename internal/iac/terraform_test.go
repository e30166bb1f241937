package iac_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/iac"
)

// files is a file system of a txtar-like map.
func files(m map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, data := range m {
		out[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return out
}

// TestExpressions resolves the layers of a function. "?" before the text says that
// it is not known, and why.
func TestExpressions(t *testing.T) {
	const before = `
variable "plain" { default = "arn:one" }
variable "given" {}
variable "file" {}
variable "open" {}
variable "many" {
  type = list(string)
}
locals {
  name   = "x-${var.plain}"
  circle = local.circle
  twice  = "${local.long}${local.long}"
  long   = join("", [for i in range(1024) : format("%999d", i)])
  layers = { eu = "arn:eu", us = "arn:us" }
}
data "aws_region" "here" {}
data "aws_caller_identity" "me" {}
data "aws_partition" "p" {}
data "aws_ssm_parameter" "newest" { name = "/layers/newest" }
resource "aws_lambda_layer_version" "l" { layer_name = "l" }
resource "aws_lambda_layer_version" "n" {
  count      = 2
  layer_name = "n${count.index}"
}
resource "aws_lambda_layer_version" "e" {
  for_each   = local.layers
  layer_name = each.key
}
resource "aws_s3_bucket" "b" { bucket = "b" }
module "m" {
  source = "./mod"
  in     = var.plain
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  layers = `
	for _, tt := range []struct{ in, want string }{
		{`["arn:literal"]`, "arn:literal"},
		{`[var.plain, var.given]`, "arn:one arn:told"},
		{`[var.file]`, "arn:from-file"},
		{`var.many`, "a b"},
		{`[var.open]`, "?variable open has no value"},
		{`[var.plain, var.open]`, "arn:one?variable open has no value"},
		{`concat([var.plain], [var.open])`, "arn:one?variable open has no value"},
		{`[local.name]`, "x-arn:one"},
		{`[local.circle]`, "?local.circle is not known before it is deployed"},
		{`[local.twice]`, "?it is worked out when it is deployed"},
		{`[aws_lambda_layer_version.l.arn]`, "main.tf#aws_lambda_layer_version.l"},
		{`[aws_lambda_layer_version.l.version]`, "?aws_lambda_layer_version.l.version is not known before it is deployed"},
		{`aws_lambda_layer_version.n[*].arn`, "main.tf#aws_lambda_layer_version.n[0] main.tf#aws_lambda_layer_version.n[1]"},
		{`[aws_lambda_layer_version.n[1].arn]`, "main.tf#aws_lambda_layer_version.n[1]"},
		{`[for k, l in aws_lambda_layer_version.e : l.arn]`, `main.tf#aws_lambda_layer_version.e["eu"] main.tf#aws_lambda_layer_version.e["us"]`},
		{`[aws_s3_bucket.b.bucket, aws_s3_bucket.b.arn]`, "b?aws_s3_bucket.b.arn is not known before it is deployed"},
		{`["arn:${data.aws_partition.p.partition}:lambda:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:layer:x:1"]`, "arn:aws:lambda:eu-west-1:111122223333:layer:x:1"},
		{`[data.aws_ssm_parameter.newest.value]`, "?data aws_ssm_parameter.newest is read when it is deployed"},
		{`[module.m.out]`, "in-arn:one"},
		{`[module.m.nothing]`, "?module.m.nothing is not known before it is deployed"},
		{`[upper(var.plain), lookup(local.layers, "eu", "")]`, "ARN:ONE arn:eu"},
		{`[timestamp()]`, "?it is worked out when it is deployed"},
		{`var.plain == "arn:one" ? ["yes"] : ["no"]`, "yes"},
		{`var.open == "x" ? ["yes"] : ["no"]`, "?variable open has no value"},
		{`[file("layer.txt")]`, "arn:in-a-file"},
		{`[file("../outside")]`, "?it is worked out when it is deployed"},
		{`[format("%99999999s", "x")]`, "?it is worked out when it is deployed"},
		{`[for a in range(1024) : [for b in range(1024) : [for c in range(1024) : a]]]`, "?it is worked out when it is deployed"},
		{`[replace(local.long, "", local.long)]`, "?it is worked out when it is deployed"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			root := files(map[string]string{
				"main.tf": before + tt.in + "\n}\n", "layer.txt": "arn:in-a-file", "terraform.tfvars": `file = "arn:from-file"`,
				"mod/main.tf": "variable \"in\" {}\noutput \"out\" { value = \"in-${var.in}\" }\n",
			})
			c, err := iac.Read(root, ".", ".", iac.Options{Account: "111122223333", Region: "eu-west-1", Parameters: map[string]string{"given": "arn:told", "many": `["a", "b"]`}})
			if err != nil {
				t.Fatal(err)
			}
			if got := resolved(c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTerraform_parameters says which SSM parameters a layer is made of, through
// locals and modules.
func TestTerraform_parameters(t *testing.T) {
	c, err := iac.Read(files(map[string]string{"main.tf": `
variable "stage" { default = "prod" }
data "aws_ssm_parameter" "newest" { name = "/layers/${var.stage}/newest" }
data "aws_ssm_parameter" "open" { name = aws_ssm_parameter.x.name }
locals { layers = [data.aws_ssm_parameter.newest.value] }
resource "aws_lambda_function" "f" {
  layers = concat(local.layers, ["arn:one"])
}
resource "aws_lambda_function" "g" {
  layers = [data.aws_ssm_parameter.open.value]
}
module "m" {
  source = "./mod"
  layer  = data.aws_ssm_parameter.newest.value
}
`, "mod/main.tf": `
variable "layer" {}
resource "aws_lambda_function" "h" { layers = [var.layer] }
`}), ".", ".", iac.Options{Account: "111122223333", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	const newest = "arn:aws:ssm:eu-west-1:111122223333:parameter/layers/prod/newest"
	if got := parameters(c); got != newest+", "+newest {
		t.Errorf("got %q, want that of f and that of h", got)
	}
}

// TestTerraform_resources reads every type of resource once, with policies whose
// statements keep what is known of them.
func TestTerraform_resources(t *testing.T) {
	c, err := iac.Read(files(map[string]string{"main.tf": `
data "aws_iam_policy_document" "own" {
  statement {
    actions   = ["dynamodb:GetItem"]
    resources = [aws_dynamodb_table.t.arn]
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = ["o-exampleorgid"]
    }
  }
}
resource "aws_iam_role" "r" {
  name               = "runs"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "own" {
  name   = "own"
  role   = aws_iam_role.r.name
  policy = data.aws_iam_policy_document.own.json
}
resource "aws_iam_policy" "wide" {
  name   = "wide"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "lambda:*", Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "wide" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.wide.arn
}
resource "aws_lambda_layer_version" "l" { layer_name = "utils" }
resource "aws_lambda_layer_version_permission" "p" {
  layer_name     = "utils"
  version_number = aws_lambda_layer_version.l.version
  statement_id   = "all"
  action         = "lambda:GetLayerVersion"
  principal      = "*"
}
resource "aws_lambda_layer_version_permission" "far" {
  layer_name     = "far"
  version_number = 4
  statement_id   = "far"
  action         = "lambda:GetLayerVersion"
  principal      = "444455556666"
}
resource "aws_lambda_code_signing_config" "c" {
  allowed_publishers {
    signing_profile_version_arns = ["arn:profile"]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}
resource "aws_lambda_function" "f" {
  function_name           = "billing"
  role                    = aws_iam_role.r.arn
  code_signing_config_arn = aws_lambda_code_signing_config.c.arn
  environment {
    variables = { SECRET = "hunter2" }
  }
}
resource "aws_lambda_function_url" "u" {
  function_name      = aws_lambda_function.f.function_name
  authorization_type = "NONE"
}
resource "aws_lambda_alias" "a" {
  name             = "live"
  function_name    = aws_lambda_function.f.arn
  function_version = "3"
}
resource "aws_dynamodb_table" "t" { name = "t" }
`}), ".", "infra", iac.Options{Account: "111122223333", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	const account, region, role = "111122223333", "eu-west-1", "arn:aws:iam::111122223333:role/runs"
	at := func(line int) *lamina.Origin { return &lamina.Origin{File: "infra/main.tf", Line: line} }
	want := lamina.Snapshot{
		Version:  1,
		Accounts: []lamina.Account{{ID: account}},
		Layers: []lamina.LayerVersion{
			{
				ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:far:4", Account: account, Region: region, Name: "far", Version: 4, Origin: at(43),
				Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "far", Action: "lambda:GetLayerVersion", Principal: "444455556666", Origin: at(43)}}},
			},
			{
				ARN: "infra/main.tf#aws_lambda_layer_version.l", Account: account, Region: region, Name: "utils", Origin: at(35),
				Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "all", Action: "lambda:GetLayerVersion", Principal: "*", Origin: at(36)}}},
			},
		},
		Functions: []lamina.Function{{
			ARN: "infra/main.tf#aws_lambda_function.f", Account: account, Region: region, Name: "billing", Version: "$LATEST", Role: role, PackageType: "Zip",
			Environment: map[string]string{"SECRET": ""}, CodeSigningConfigARN: "infra/main.tf#aws_lambda_code_signing_config.c",
			Aliases: []lamina.Alias{{Name: "live", Version: "3"}}, URLs: []lamina.FunctionURL{{AuthType: "NONE"}}, Origin: at(58),
		}},
		CodeSigningConfigs: []lamina.CodeSigningConfig{{
			ARN: "infra/main.tf#aws_lambda_code_signing_config.c", Account: account, Region: region, UntrustedArtifact: "Enforce", AllowedPublishers: []string{"arn:profile"},
		}},
		Principals: []lamina.Principal{{
			ARN: role, Account: account, Kind: "Role", Name: "runs", Attached: []string{"infra/main.tf#aws_iam_policy.wide"},
			Trust: `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}`,
			Inline: []lamina.InlinePolicy{{Name: "own", Document: `{"Statement":[` +
				`{"Action":["dynamodb:GetItem"],"Effect":"Allow","Resource":"*","infra/main.tf:5: aws_dynamodb_table.t.arn is not known before it is deployed":""},` +
				`{"Action":["s3:*"],"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-exampleorgid"]}},"Effect":"Deny","Resource":["*"]}],"Version":"2012-10-17"}`}},
		}},
		ManagedPolicies: []lamina.ManagedPolicy{{
			ARN: "infra/main.tf#aws_iam_policy.wide", Name: "aws_iam_policy.wide",
			Document: `{"Statement":[{"Action":"lambda:*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`,
		}},
	}
	got := c.Snapshot
	got.Targets = nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("snapshot differs (-want +got):\n%s", d)
	}
	if len(c.Unresolved)+len(c.Skipped) > 0 || c.Resources != 12 || c.Read != 11 {
		t.Errorf("unresolved %v, skipped %v, %d of %d resources", c.Unresolved, c.Skipped, c.Read, c.Resources)
	}
}

// What a module is made of and is not here is said, and what is broken.
func TestTerraform_skipped(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"registry":    {`module "m" { source = "acme/layer/aws" }`, "main.tf:1 module m: its source is not here: terraform init fetches it; or scan the plan (terraform show -json)"},
		"outside":     {`module "m" { source = "../../elsewhere" }`, "main.tf:1 module m: its source is outside the folder that is scanned"},
		"empty":       {`module "m" { source = "./nothing" }`, "main.tf:1 module m: its source has no .tf files"},
		"computed":    {`module "m" { source = var.x }`, "main.tf:1 module m: its source is no plain text"},
		"itself":      {`module "m" { source = "./." }`, "main.tf:1 more than 200 modules, or 10 levels of them, are not read"},
		"syntax":      {"resource \"x\" \"y\" {\n", "main.tf line 1: unclosed configuration block"},
		"deep":        {"x = " + strings.Repeat("(", 20_000), "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"chain":       {"x = " + strings.Repeat("1+", 20_000) + "1", "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"negations":   {"x = " + strings.Repeat("!", 20_000) + "true", "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"conditional": {"x = " + strings.Repeat("true ? 1 : ", 10_000) + "1", "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"indexes":     {"x = a" + strings.Repeat("[b]", 20_000), "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"templates":   {"x = " + strings.Repeat(`"${`, 10_000), "main.tf line 1: it is nested or chained deeper than lamina reads"},
		"long":        {strings.Repeat("#", 1<<20+1), "main.tf 1048577 bytes are above a limit of 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := iac.Read(files(map[string]string{"main.tf": tt.file}), ".", ".", iac.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Skipped) == 0 {
				t.Fatal("nothing is skipped")
			}
			if got := c.Skipped[0].File + " " + c.Skipped[0].Reason; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Values of variables in JSON are read; configurations in JSON are named, in
// modules too.
func TestTerraform_JSON(t *testing.T) {
	c, err := iac.Read(files(map[string]string{
		"main.tf":                   "variable \"layer\" {}\nvariable \"n\" { type = number }\nresource \"aws_lambda_function\" \"f\" {\n  count = var.n\n  layers = [var.layer]\n}\nmodule \"m\" { source = \"./mod\" }\nmodule \"j\" { source = \"./json\" }\n",
		"terraform.tfvars":          "layer = \"arn:plain\"\n",
		"terraform.tfvars.json":     `{"layer": "arn:json", "n": 1}`,
		"z.auto.tfvars.json":        `{"layer": "arn:last"}`,
		"mod/main.tf":               "",
		"mod/more.tf.json":          `{"resource": {}}`,
		"json/main.tf.json":         `{}`,
		"broken/main.tf":            "",
		"broken/x.auto.tfvars.json": "{",
	}), ".", ".", iac.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const why = "!configurations in JSON are not read: scan the plan (terraform show -json)"
	if got := resolved(c); !strings.HasPrefix(got, "arn:last!") || strings.Count(got, why) != 2 || len(c.Skipped) != 3 {
		t.Errorf("got %q", got)
	}
	if !iac.Recognises("main.tf.json", nil) {
		t.Error("a configuration in JSON is not seen to be one")
	}
}

// FuzzTerraform reads anything as a configuration: it ends, and everything it
// declares has a name and a place.
func FuzzTerraform(f *testing.F) {
	f.Add([]byte("resource \"aws_lambda_function\" \"f\" {\n  for_each = toset([\"a\"])\n  layers = [each.key, var.x, \"${local.y}\"]\n}\nlocals { y = jsonencode({ a = [1] }) }\n"))
	f.Add([]byte("resource \"aws_iam_role\" \"r\" {\n  dynamic \"inline_policy\" {\n    for_each = [1]\n    content { policy = data.aws_iam_policy_document.d.json }\n  }\n}\ndata \"aws_iam_policy_document\" \"d\" {}\n"))
	f.Add([]byte("module \"m\" {\n  source = \"./.\"\n  count = 3\n}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := iac.Read(fstest.MapFS{"main.tf": {Data: data}}, ".", ".", iac.Options{Region: "eu-west-1"})
		if err != nil {
			return
		}
		if c.Read > c.Resources {
			t.Errorf("%d of %d resources", c.Read, c.Resources)
		}
		for _, fn := range c.Snapshot.Functions {
			if fn.ARN == "" || fn.Origin == nil || fn.Origin.Line == 0 {
				t.Errorf("a function without a name or a place: %+v", fn)
			}
		}
	})
}

// FuzzPlan reads anything as a plan, with code beside it.
func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"aws_lambda_function.f","mode":"managed","type":"aws_lambda_function","name":"f","values":{"layers":["a",null],"environment":[{"variables":{"A":"b"}}]}}]}},"resource_changes":[{"address":"aws_lambda_function.f","change":{"after_unknown":{"layers":[false,true],"role":true}}}],"configuration":{"root_module":{"resources":[{"address":"aws_lambda_function.f","expressions":{"role":{"references":["aws_iam_role.r.arn","aws_iam_role.r"]}}}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := iac.Read(fstest.MapFS{"plan.json": {Data: data}, "main.tf": {Data: []byte("resource \"aws_lambda_function\" \"f\" {\n  layers = [var.a, var.b]\n}\n")}}, "plan.json", "plan.json", iac.Options{})
		if err == nil && c.Read > c.Resources {
			t.Errorf("%d of %d resources", c.Read, c.Resources)
		}
	})
}

// FuzzAssembly reads anything as the manifest of the CDK, and stays in its folder.
func FuzzAssembly(f *testing.F) {
	f.Add([]byte(`{"version":"36.0.0","artifacts":{"S":{"type":"aws:cloudformation:stack","environment":"aws://111122223333/eu-west-1","properties":{"templateFile":"S.template.json"},"metadata":{"/S/L":[{"type":"aws:cdk:logicalId","data":"L","trace":["new S (/x/lib/a.ts:3:4)"]}]}},"N":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := iac.Read(fstest.MapFS{
			"cdk.out/manifest.json": {Data: data}, "lib/a.ts": {Data: []byte("\n\n\n")}, "secret.json": {Data: []byte(`{"Resources":{}}`)},
			"cdk.out/S.template.json": {Data: []byte(`{"Resources":{"L":{"Type":"AWS::Lambda::LayerVersion"}}}`)},
		}, "cdk.out", "cdk.out", iac.Options{})
		if err != nil {
			return
		}
		for _, file := range c.Files {
			if !strings.HasPrefix(file, "cdk.out/") {
				t.Errorf("%s was read", file)
			}
		}
	})
}
