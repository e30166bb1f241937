package iac_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/iac"
)

// What the author of the code marks as sensitive is nowhere in what was read of it,
// and is not known; what is beside it is.
func TestRead_sensitive(t *testing.T) {
	const word = "hunter2-of-the-author"
	const function = `
resource "aws_lambda_function" "f" {
  function_name = "plain"
  role          = "arn:aws:iam::111122223333:role/${var.pw}"
  layers        = ["arn:aws:lambda:eu-west-1:999999999999:layer:${var.pw}:1"]
  environment { variables = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/${var.pw}" } }
}
`
	for name, project := range map[string]map[string]string{
		"terraform": {
			"main.tf":          `variable "pw" { sensitive = true }` + function,
			"terraform.tfvars": `pw = "` + word + `"`,
		},
		"terraform_default": {"main.tf": "variable \"pw\" {\n  sensitive = \"true\"\n  default = \"" + word + "\"\n}" + function},
		"plan": {"plan.json": `{"format_version": "1.2", "variables": {"pw": {"value": "` + word + `"}},
			"planned_values": {"root_module": {"resources": [{"address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function", "name": "f",
				"values": {"function_name": "plain", "role": "arn:aws:iam::111122223333:role/` + word + `",
					"layers": ["arn:aws:lambda:eu-west-1:999999999999:layer:` + word + `:1"], "environment": [{"variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/` + word + `"}}]},
				"sensitive_values": {"role": true, "layers": true, "environment": [{"variables": {"AWS_LAMBDA_EXEC_WRAPPER": true}}]}}]}}}`},
		"plan_and_code": {
			"main.tf": `variable "pw" { sensitive = true }` + function,
			"plan.json": `{"format_version": "1.2", "variables": {"pw": {"value": "` + word + `"}}, "configuration": {"root_module": {"variables": {"pw": {"sensitive": true}}}},
			"planned_values": {"root_module": {"resources": [{"address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function", "name": "f",
				"values": {"function_name": "plain"}, "sensitive_values": {}}]}},
			"resource_changes": [{"address": "aws_lambda_function.f", "change": {"after_unknown": {"role": true, "layers": true}}}]}`,
		},
		"cloudformation": {"t.yaml": `
Parameters: {Pw: {Type: String, NoEcho: True, Default: ` + word + `}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: plain
      Role: !Sub "arn:aws:iam::111122223333:role/${Pw}"
      Layers: [!Sub "arn:aws:lambda:eu-west-1:999999999999:layer:${Pw}:1"]
      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: !Sub "/opt/${Pw}"}}
`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := iac.Read(files(project), ".", "p", iac.Options{Keep: func(_, value string) string { return value }})
			if err != nil {
				t.Fatal(err)
			}
			all, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(all), word) {
				t.Errorf("%s", all)
			}
			if !strings.Contains(string(all), "plain") || len(c.Unresolved) == 0 {
				t.Errorf("%d unresolved: %s", len(c.Unresolved), all)
			}
		})
	}
}

// A document in which a name is there twice is not read: its readers do not agree on
// which of the two counts. What YAML merges in may be written over.
func TestRead_twice(t *testing.T) {
	for name, tt := range map[string]struct{ file, doc, want string }{
		"yaml":   {"t.yaml", "Resources:\n  P: {Type: AWS::Lambda::LayerVersionPermission}\n  P: {Type: AWS::SNS::Topic}\n", `line 3: "P" is there twice`},
		"json":   {"t.json", "{\"Resources\": {\"P\": {\"Type\": \"AWS::Lambda::LayerVersionPermission\"},\n\"P\": {\"Type\": \"AWS::SNS::Topic\"}}}", `line 2: "P" is there twice`},
		"deep":   {"t.yaml", "Resources:\n  P:\n    Type: AWS::SNS::Topic\n    Properties: {a: {b: 1, b: 2}}\n", `line 4: "b" is there twice`},
		"merged": {"t.yaml", "x: &x {Type: AWS::SNS::Topic}\nResources:\n  P:\n    <<: *x\n    Type: AWS::Lambda::LayerVersion\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := iac.Read(files(map[string]string{tt.file: tt.doc}), tt.file, tt.file, iac.Options{})
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
