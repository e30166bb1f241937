package iac_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/lamina-sec/lamina/internal/iac"
)

// Twice as many resources make at most about twice as much work, however they name
// one another. Work is what is allocated.
func TestRead_grows_with_the_resources(t *testing.T) {
	type object = map[string]any
	template := func(resources object) any {
		return object{"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
	}
	role := func() object {
		return object{"Type": "AWS::IAM::Role", "Properties": object{"AssumeRolePolicyDocument": object{"Version": "2012-10-17", "Statement": []any{}}}}
	}
	for name, document := range map[string]func(n int) any{
		"grants of layers": func(n int) any {
			r := object{}
			for i := range n {
				r[fmt.Sprintf("L%d", i)] = object{"Type": "AWS::Lambda::LayerVersion", "Properties": object{"LayerName": fmt.Sprintf("l%d", i)}}
				r[fmt.Sprintf("P%d", i)] = object{"Type": "AWS::Lambda::LayerVersionPermission", "Properties": object{"LayerVersionArn": object{"Ref": fmt.Sprintf("L%d", i)}, "Action": "lambda:GetLayerVersion", "Principal": "*"}}
			}
			return template(r)
		},
		"policies of roles": func(n int) any {
			r := object{}
			for i := range n {
				r[fmt.Sprintf("R%d", i)] = role()
				r[fmt.Sprintf("P%d", i)] = object{"Type": "AWS::IAM::ManagedPolicy", "Properties": object{"Roles": []any{object{"Ref": fmt.Sprintf("R%d", i)}}, "PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{}}}}
			}
			return template(r)
		},
		"policies of roles elsewhere": func(n int) any {
			r := object{}
			for i := range n {
				r[fmt.Sprintf("P%d", i)] = object{"Type": "AWS::IAM::Policy", "Properties": object{"PolicyName": "p", "Roles": []any{fmt.Sprintf("role-%d", i)}, "PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{}}}}
			}
			return template(r)
		},
		"permissions of functions elsewhere": func(n int) any {
			r := object{}
			for i := range n {
				r[fmt.Sprintf("P%d", i)] = object{"Type": "AWS::Lambda::Permission", "Properties": object{"FunctionName": fmt.Sprintf("f%d", i), "Action": "lambda:InvokeFunction", "Principal": "*"}}
			}
			return template(r)
		},
		"rows of a plan": func(n int) any {
			var rows, changes []any
			for i := range n {
				for _, x := range []struct {
					kind   string
					values object
				}{
					{"aws_lambda_layer_version", object{"layer_name": fmt.Sprintf("l%d", i)}},
					{"aws_lambda_layer_version_permission", object{"layer_name": fmt.Sprintf("l%d", i), "version_number": 1, "principal": "*", "action": "lambda:GetLayerVersion", "statement_id": "s"}},
					{"aws_iam_role", object{"name": fmt.Sprintf("r%d", i), "assume_role_policy": "{}"}},
					{"aws_iam_role_policy_attachment", object{"role": fmt.Sprintf("r%d", i), "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}},
				} {
					address := fmt.Sprintf("%s.x%d", x.kind, i)
					rows = append(rows, object{"address": address, "mode": "managed", "type": x.kind, "name": fmt.Sprintf("x%d", i), "values": x.values})
					changes = append(changes, object{"address": address, "mode": "managed", "type": x.kind, "name": fmt.Sprintf("x%d", i), "change": object{"actions": []any{"create"}, "after": x.values, "after_unknown": object{}}})
				}
			}
			return object{"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": object{"root_module": object{"resources": rows}}, "resource_changes": changes, "configuration": object{"root_module": object{}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			work := func(n int) float64 {
				data, err := json.Marshal(document(n))
				if err != nil {
					t.Fatal(err)
				}
				root := fstest.MapFS{"code.json": &fstest.MapFile{Data: data}}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				code, err := iac.Read(root, "code.json", "code.json", iac.Options{})
				if err != nil {
					t.Fatal(err)
				}
				code.Judge(nil, nil)
				runtime.ReadMemStats(&after)
				if code.Read < n {
					t.Fatalf("%d resources bear on layers, want at least %d", code.Read, n)
				}
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			work(10)
			few, many := work(300), work(600)
			if r := many / few; r > 2.6 {
				t.Errorf("300 take %.0f bytes, 600 take %.0f: %.2f times as many", few, many, r)
			}
		})
	}
}
