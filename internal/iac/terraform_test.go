package iac_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
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

// Values of variables in JSON are read, with the types that they have there.
func TestTerraform_JSON_values(t *testing.T) {
	c, err := iac.Read(files(map[string]string{
		"main.tf":                   "variable \"layer\" {}\nvariable \"n\" {}\nvariable \"on\" {}\nresource \"aws_lambda_function\" \"f\" {\n  count = var.n == 1 && var.on == true ? 1 : 2\n  layers = [var.layer]\n}\nmodule \"m\" { source = \"./mod\" }\n",
		"terraform.tfvars":          "layer = \"arn:plain\"\n",
		"terraform.tfvars.json":     `{"layer": "arn:json", "n": 1, "on": true}`,
		"z.auto.tfvars.json":        `{"layer": "arn:last"}`,
		"mod/main.tf":               "",
		"broken/main.tf":            "",
		"broken/x.auto.tfvars.json": "{",
		"said/main.tf":              "variable \"layer\" { default = \"arn:else\" }\nresource \"aws_lambda_function\" \"g\" { layers = [var.layer] }\n",
		"said/terraform.tfvars":     "layer = nobody.knows\n",
	}), ".", ".", iac.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := resolved(c), "arn:last?var.layer is not known before it is deployed!line 1: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !iac.Recognises("main.tf.json", nil) {
		t.Error("a configuration in JSON is not seen to be one")
	}
}

// nativeSyntax and jsonSyntax say the same, on other lines.
const (
	nativeSyntax = `
variable "on" {
  type    = bool
  default = true
}
variable "words" { default = "$${not.a.template}" }
variable "quiet" {
  default   = "x"
  sensitive = true
}
variable "loud" {
  default   = "arn:loud"
  sensitive = false
}
locals { own = "arn:own-${var.on ? "on" : "off"}" }
data "aws_iam_policy_document" "d" {
  dynamic "statement" {
    for_each = ["lambda:PublishLayerVersion", "lambda:*"]
    iterator = a
    content {
      actions   = [a.value]
      resources = ["*"]
      condition {
        test     = "StringEquals"
        variable = "aws:RequestedRegion"
        values   = ["eu-west-1"]
      }
    }
  }
}
resource "aws_lambda_layer_version" "l" {
  for_each   = { one = "l-1", two = "l-2" }
  layer_name = each.value
}
resource "aws_lambda_layer_version_permission" "p" {
  layer_name     = "l-1"
  version_number = 1
  principal      = "*"
  statement_id   = "all"
  action         = "lambda:GetLayerVersion"
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
  inline_policy {
    name   = "a"
    policy = data.aws_iam_policy_document.d.json
  }
}
resource "aws_lambda_function" "f" {
  count         = 2
  function_name = "f${count.index}"
  role          = aws_iam_role.r.arn
  layers        = [local.own, var.words, var.quiet, var.loud, module.m.out, aws_lambda_layer_version.l["one"].arn]
  environment {
    variables = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/x" }
  }
}
module "m" {
  source = "./mod"
  in     = 7
}
`
	jsonSyntax = `{
 "//": {"metadata": {"version": "1"}},
 "terraform": {"required_version": ">= 1.0"},
 "variable": {
  "on": {"type": "bool", "default": true},
  "words": [{"default": "${not.a.template}"}],
  "quiet": {"default": "x", "sensitive": true},
  "loud": {"default": "arn:loud", "sensitive": false}
 },
 "locals": [{"own": "arn:own-${var.on ? \"on\" : \"off\"}"}],
 "data": {"aws_iam_policy_document": {"d": {
  "//": "as in the console",
  "dynamic": {"statement": [{
   "for_each": ["lambda:PublishLayerVersion", "lambda:*"],
   "iterator": "a",
   "content": {
    "actions": ["${a.value}"],
    "resources": ["*"],
    "condition": [{"test": "StringEquals", "variable": "aws:RequestedRegion", "values": ["eu-west-1"]}]
   }
  }]}
 }}},
 "resource": [
  {"aws_lambda_layer_version": {"l": {"for_each": {"one": "l-1", "two": "l-2"}, "layer_name": "${each.value}"}}},
  {
   "aws_lambda_layer_version_permission": {
    "p": [{
     "layer_name": "l-1",
     "version_number": 1,
     "principal": "*",
     "statement_id": "all",
     "action": "lambda:GetLayerVersion"
    }]
   },
   "aws_iam_role": {"r": {
    "name": "r",
    "assume_role_policy": "${jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"lambda.amazonaws.com\" } }] })}",
    "inline_policy": {"name": "a", "policy": "${data.aws_iam_policy_document.d.json}"}
   }},
   "aws_lambda_function": {"f": {
    "count": 2,
    "function_name": "f${count.index}",
    "role": "${aws_iam_role.r.arn}",
    "layers": [
     "${local.own}",
     "${var.words}",
     "${var.quiet}",
     "${var.loud}",
     "${module.m.out}",
     "${aws_lambda_layer_version.l[\"one\"].arn}"
    ],
    "environment": [{"variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/x"}}]
   }}
  }
 ],
 "module": {"m": {"source": "./mod", "in": 7}}
}
`
	calledModule = "variable \"in\" {}\noutput \"out\" { value = var.in == 7 ? \"arn:seven\" : \"arn:other\" }\n"
)

// A configuration in JSON is what it is in the native syntax, at its own lines.
func TestTerraform_JSON(t *testing.T) {
	read := func(main, text string) *iac.Code {
		c, err := iac.Read(files(map[string]string{main: text, "mod/main.tf": calledModule}), ".", ".", iac.Options{
			Account: "111122223333", Region: "eu-west-1", Keep: func(name, value string) string { return value },
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	native, c := read("main.tf", nativeSyntax), read("main.tf.json", jsonSyntax)
	if len(c.Skipped) > 0 || c.Resources != native.Resources || c.Read != native.Read {
		t.Errorf("skipped %v, %d of %d resources, want %d of %d", c.Skipped, c.Read, c.Resources, native.Read, native.Resources)
	}
	// But for places and the name of the file the two are one.
	plain := func(s lamina.Snapshot) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`"line":\d+|main\.tf(\.json)?(:\d+)?`).ReplaceAllString(string(text), "…")
	}
	if d := cmp.Diff(plain(native.Snapshot), plain(c.Snapshot)); d != "" {
		t.Errorf("-native +json\n%s", d)
	}
	if got, want := resolved(c), strings.ReplaceAll(resolved(native), "main.tf", "main.tf.json"); got != want || !strings.Contains(got, "arn:own-on ${not.a.template} arn:loud arn:seven main.tf.json#") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	lines := strings.Split(jsonSyntax, "\n")
	for _, tt := range []struct {
		resource, evidence string
		line               string // how the line begins
	}{
		{"main.tf.json#aws_lambda_function.f[1]", "foreign layer: arn:loud", `"${var.loud}"`},
		{"main.tf.json#aws_lambda_function.f[1]", "environment: AWS_LAMBDA_EXEC_WRAPPER", `"environment"`},
		{"main.tf.json#aws_lambda_function.f[0]", "", `"aws_lambda_function"`},
		{`main.tf.json#aws_lambda_layer_version.l["one"]`, "", `{"aws_lambda_layer_version"`},
		{`main.tf.json#aws_lambda_layer_version.l["one"]`, "statement: all", `"principal"`},
		{"arn:aws:iam::111122223333:role/r", "statement: identity policy a of r, statement 2", `"content"`},
	} {
		f := lamina.Finding{Resource: tt.resource}
		if tt.evidence != "" {
			f.Evidence = []string{tt.evidence}
		}
		at, ok := c.Place(f)
		if !ok || at.File != "main.tf.json" || !strings.HasPrefix(strings.TrimSpace(lines[at.Line-1]), tt.line) {
			t.Errorf("%s, %s: at %v %t, want the line of %s", tt.resource, tt.evidence, at, ok, tt.line)
		}
	}
}

// What is no configuration is named with its line, and what is too deep to be read.
func TestTerraform_JSON_skipped(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"syntax":      {"{\n\"resource\": [}", "main.tf.json line 2: invalid character '}' looking for beginning of value"},
		"text":        {`"x"`, "main.tf.json line 1: the file is no object"},
		"label":       {"{\"resource\": {\"aws_lambda_function\":\n3}}", "main.tf.json line 1: resource.aws_lambda_function is no object"},
		"twice":       {"{\"resource\": {},\n\"resource\": {}}", `main.tf.json line 2: "resource" is there twice, and which of them counts depends on who reads it`},
		"template":    {"{\"locals\": {\"a\":\n\"${\"}}", "main.tf.json line 1: missing expression"},
		"second_line": {"{\"locals\": {\"a\": [1,\n\"\\n\\n${)}\"]}}", "main.tf.json line 2: invalid expression"},
		"type":        {`{"variable": {"a": {"type": "("}}}`, "main.tf.json line 1: variable.type is no expression"},
		"deep":        {`{"locals": {"a": "${` + strings.Repeat("(", 20_000) + `}"}}`, "main.tf.json line 1: it is nested or chained deeper than lamina reads"},
		"deep_type":   {`{"variable": {"a": {"type": "` + strings.Repeat("(", 20_000) + `"}}}`, "main.tf.json line 1: variable.type is no expression"},
		"deep_lists":  {`{"locals": {"a": ` + strings.Repeat("[", 20_000), "main.tf.json line 1: 1000000 values or 200 levels are above a limit"},
		"long":        {strings.Repeat(" ", 1<<20+1), "main.tf.json 1048577 bytes are above a limit of 1048576"},
		"module":      {`{"module": {"m": {"source": "../.."}}}`, "main.tf.json:1 module m: its source is outside the folder that is scanned"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := iac.Read(files(map[string]string{"main.tf.json": tt.file}), ".", ".", iac.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Skipped) != 1 {
				t.Fatalf("skipped %v", c.Skipped)
			}
			if got := c.Skipped[0].File + " " + c.Skipped[0].Reason; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What overrides say takes the place of what the other files say, argument by
// argument and never more, whatever the names of the files.
func TestTerraform_overrides(t *testing.T) {
	const layer = "resource \"aws_lambda_function\" \"f\" {\n  layers  = [\"arn:main\"]\n  runtime = \"python3.13\"\n  environment {\n    variables = { A = \"1\" }\n  }\n}\n"
	for _, tt := range []struct{ name, file, text, want string }{
		{"other_argument", "override.tf", "resource \"aws_lambda_function\" \"f\" { runtime = \"nodejs24.x\" }\n", "arn:main nodejs24.x A"},
		{"sorts_first", "a_override.tf", "resource \"aws_lambda_function\" \"f\" { layers = [\"arn:over\"] }\n", "arn:over python3.13 A"},
		{"json", "z_override.tf.json", `{"resource": {"aws_lambda_function": {"f": {"layers": ["arn:over"], "environment": {"variables": {"B": "2"}}}}}}`, "arn:over python3.13 B"},
		{"block", "override.tf", "resource \"aws_lambda_function\" \"f\" {\n  environment {\n    variables = { C = \"3\" }\n  }\n}\n", "arn:main python3.13 C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := iac.Read(files(map[string]string{"main.tf": layer, tt.file: tt.text}), ".", ".", iac.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Snapshot.Functions) != 1 || len(c.Skipped) > 0 {
				t.Fatalf("functions %v, skipped %v", c.Snapshot.Functions, c.Skipped)
			}
			f := c.Snapshot.Functions[0]
			if got := strings.Join(slices.Concat(f.Layers, []string{f.Runtime}, slices.Sorted(maps.Keys(f.Environment))), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The folder that was named is read as what is deployed, also when an example beside
// it calls it with other values; and what calls itself in a circle is not passed over.
func TestTerraform_roots(t *testing.T) {
	const root = "variable \"layers\" { default = [\"arn:root\"] }\nresource \"aws_lambda_function\" \"f\" { layers = var.layers }\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"example", map[string]string{"main.tf": root, "examples/a/main.tf": "module \"x\" {\n  source = \"../..\"\n  layers = []\n}\n"}, "arn:root"},
		{"circle", map[string]string{"README.md": "", "a/main.tf": root + "module \"b\" {\n  source = \"../b\"\n  count  = 0\n}\n", "b/main.tf": "module \"a\" {\n  source = \"../a\"\n  count  = 0\n}\n"}, "arn:root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := iac.Read(files(tt.files), ".", ".", iac.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(resolved(c)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A file that OpenTofu alone reads is named: it may be deployed, and hide nothing of
// what Terraform reads.
func TestTerraform_tofu(t *testing.T) {
	const main = "resource \"aws_lambda_function\" \"f\" { layers = [\"arn:main\"] }\nmodule \"m\" { source = \"./mod\" }\n"
	c, err := iac.Read(files(map[string]string{"main.tf": main, "main.tofu": "", "mod/main.tf": "", "mod/x.tofu.json": "{}"}), ".", ".", iac.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const why = "a file of OpenTofu alone is not read: scan the plan (tofu show -json)"
	if got := resolved(c); got != "arn:main!"+why+"!"+why || len(c.Skipped) != 2 || c.Skipped[0].File != "main.tofu" || c.Skipped[1].File != "mod/x.tofu.json" {
		t.Errorf("got %q, skipped %v", got, c.Skipped)
	}
}

// What is more than is read is named: what rests on the rest is not known.
func TestTerraform_instances(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"count":    {"resource \"aws_lambda_function\" \"f\" { count = 501 }\n", "main.tf:1 it makes more than 500 of aws_lambda_function.f, and the rest is not read"},
		"for_each": {"resource \"aws_lambda_function\" \"f\" {\n  for_each = toset([for i in range(501) : tostring(i)])\n}\n", "main.tf:1 it makes more than 500 of aws_lambda_function.f, and the rest is not read"},
		"dynamic":  {"resource \"aws_iam_role\" \"r\" {\n  dynamic \"inline_policy\" {\n    for_each = range(501)\n    content { name = inline_policy.key }\n  }\n}\n", "main.tf:2 it makes more than 500 of inline_policy, and the rest is not read"},
		"enough":   {"resource \"aws_lambda_function\" \"f\" { count = 500 }\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := iac.Read(files(map[string]string{"main.tf": tt.in}), ".", ".", iac.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var skipped []string
			for _, s := range c.Skipped {
				skipped = append(skipped, s.File+" "+s.Reason)
			}
			if got := strings.Join(skipped, "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzTerraformJSON reads anything as a configuration in JSON: it ends, and
// everything it declares has a name and a place.
func FuzzTerraformJSON(f *testing.F) {
	f.Add([]byte(jsonSyntax))
	f.Add([]byte(`[{"resource": {"aws_lambda_function": {"f": {"dynamic": {"environment": [{"for_each": "${x}", "content": []}]}}}}}]`))
	f.Add([]byte(`{"variable": {"a": {"type": "bool", "default": null}}, "locals": {"a": "%{ if true }x%{ endif }"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := iac.Read(files(map[string]string{"main.tf.json": string(data)}), "main.tf.json", "main.tf.json", iac.Options{})
		if err != nil {
			return
		}
		for _, x := range c.Snapshot.Functions {
			if x.ARN == "" || x.Origin == nil || x.Origin.Line < 1 {
				t.Errorf("%+v", x)
			}
		}
	})
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

// A policy that goes to a role which is not known is UNKNOWN at its line, unless it is
// one with which nobody changes anything.
func TestTerraform_role_not_known(t *testing.T) {
	c, err := iac.Read(files(map[string]string{"main.tf": `variable "role" {}
resource "aws_iam_role_policy" "own" {
  role   = var.role
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "lambda:*", Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "admin" {
  role       = var.role
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
resource "aws_iam_role_policy_attachment" "logs" {
  role       = var.role
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
resource "aws_iam_policy_attachment" "other" {
  name       = "other"
  roles      = ["known", var.role]
  policy_arn = "arn:aws:iam::111122223333:policy/other"
}
`}), ".", "", iac.Options{Account: "111122223333", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, u := range c.Unresolved {
		if u.Action != "iam:GetAccountAuthorizationDetails" || !strings.Contains(u.Why, "role") {
			t.Errorf("%+v", u)
		}
		lines = append(lines, u.At.Line)
	}
	if d := cmp.Diff([]int{3, 7, 16}, lines); d != "" {
		t.Errorf("lines of roles that are not known (-want +got):\n%s", d)
	}
	j := c.Judge(nil, []iac.Check{{ID: "layer-attach-path"}})
	if len(j.Findings) != 3 || slices.ContainsFunc(j.Findings, func(f lamina.Finding) bool { return f.Outcome != lamina.Unknown }) {
		t.Errorf("%+v", j.Findings)
	}
}
