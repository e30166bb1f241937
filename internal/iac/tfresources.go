package iac

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lamina-sec/lamina"
)

// A terraformType says how a resource of Terraform is written in CloudFormation's
// words: the type, and the property of each attribute, "A.B" for one in another.
type terraformType struct {
	kind  string
	props map[string]string
}

// terraformTypes are the types that bear on layers
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs).
var terraformTypes = map[string]terraformType{
	"aws_lambda_layer_version": {"AWS::Lambda::LayerVersion", map[string]string{
		"layer_name": "LayerName", "description": "Description", "license_info": "LicenseInfo",
		"compatible_runtimes": "CompatibleRuntimes", "compatible_architectures": "CompatibleArchitectures",
	}},
	"aws_lambda_layer_version_permission": {"AWS::Lambda::LayerVersionPermission", map[string]string{
		"layer_name": "LayerVersionArn", "version_number": "VersionNumber", "statement_id": "StatementId", "action": "Action",
		"principal": "Principal", "organization_id": "OrganizationId",
	}},
	"aws_lambda_function": {"AWS::Lambda::Function", map[string]string{
		"function_name": "FunctionName", "role": "Role", "runtime": "Runtime", "handler": "Handler", "layers": "Layers", "package_type": "PackageType",
		"architectures": "Architectures", "code_signing_config_arn": "CodeSigningConfigArn", "kms_key_arn": "KmsKeyArn", "tags": "Tags",
		"environment.variables": "Environment.Variables", "snap_start.apply_on": "SnapStart.ApplyOn",
		"vpc_config.subnet_ids": "VpcConfig.SubnetIds", "vpc_config.security_group_ids": "VpcConfig.SecurityGroupIds",
	}},
	"aws_lambda_function_url": {"AWS::Lambda::Url", map[string]string{
		"function_name": "TargetFunctionArn", "authorization_type": "AuthType", "qualifier": "Qualifier",
	}},
	"aws_lambda_permission": {"AWS::Lambda::Permission", map[string]string{
		"function_name": "FunctionName", "action": "Action", "principal": "Principal", "source_arn": "SourceArn", "source_account": "SourceAccount",
		"principal_org_id": "PrincipalOrgID", "function_url_auth_type": "FunctionUrlAuthType",
	}},
	"aws_lambda_alias": {"AWS::Lambda::Alias", map[string]string{"name": "Name", "function_name": "FunctionName", "function_version": "FunctionVersion"}},
	"aws_lambda_event_source_mapping": {"AWS::Lambda::EventSourceMapping", map[string]string{
		"function_name": "FunctionName", "event_source_arn": "EventSourceArn",
	}},
	"aws_lambda_code_signing_config": {"AWS::Lambda::CodeSigningConfig", map[string]string{
		"allowed_publishers.signing_profile_version_arns": "AllowedPublishers.SigningProfileVersionArns",
		"policies.untrusted_artifact_on_deployment":       "CodeSigningPolicies.UntrustedArtifactOnDeployment",
	}},
	"aws_iam_role": {"AWS::IAM::Role", map[string]string{
		"name": "RoleName", "path": "Path", "assume_role_policy": "AssumeRolePolicyDocument", "managed_policy_arns": "ManagedPolicyArns",
		"permissions_boundary": "PermissionsBoundary", "inline_policy": "Policies",
	}},
	"aws_iam_role_policy":            {"AWS::IAM::RolePolicy", map[string]string{"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}},
	"aws_iam_policy":                 {"AWS::IAM::ManagedPolicy", map[string]string{"name": "ManagedPolicyName", "policy": "PolicyDocument"}},
	"aws_iam_role_policy_attachment": {"AWS::IAM::Policy", map[string]string{"role": "Roles", "policy_arn": "ManagedPolicyArns"}},
	"aws_iam_policy_attachment":      {"AWS::IAM::Policy", map[string]string{"roles": "Roles", "policy_arn": "ManagedPolicyArns"}},
}

// put sets the property "A.B" of an object.
func put(props map[string]value, name string, v value) {
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		props[name] = v
		return
	}
	o := props[outer]
	if o.kind != object {
		o = value{kind: object, fields: map[string]value{}, at: v.at}
	}
	o.fields[inner] = v
	props[outer] = o
}

// translated is a resource of Terraform, with attributes and blocks by their
// names, in CloudFormation's words.
func (b *builder) translated(kind string, r resource, attributes value) resource {
	t := terraformTypes[kind]
	r.kind = t.kind
	r.props = value{kind: object, fields: map[string]value{}, at: r.at}
	for from, to := range t.props {
		outer, inner, nested := strings.Cut(from, ".")
		v := attributes.get(outer)
		if nested {
			if v.kind == list && len(v.items) > 0 {
				v = v.items[0] // a block that there is once
			}
			v = v.get(inner)
		}
		if v.kind != absent {
			put(r.props.fields, to, v)
		}
	}
	if kind == "aws_iam_role" {
		var policies []value
		for _, p := range r.props.get("Policies").each() {
			policies = append(policies, value{kind: object, at: p.at, fields: map[string]value{"PolicyName": p.get("name"), "PolicyDocument": p.get("policy")}})
		}
		r.props.fields["Policies"] = value{kind: list, items: policies, at: r.at}
	}
	if kind == "aws_lambda_layer_version_permission" {
		r.props.fields["LayerVersionArn"] = b.layerReference(r.props.get("LayerVersionArn"), r.props.get("VersionNumber"))
	}
	return r
}

// layerReference is the layer version that a permission names by the layer and
// the version's number: one that the code declares keeps its name or ARN.
func (b *builder) layerReference(layer, version value) value {
	if layer.kind != text || version.kind != text {
		return layer
	}
	if _, err := lamina.ParseLayerARN(layer.text); err == nil {
		return textOf(layer.text+":"+version.text, layer.at)
	}
	for ; b.looked < len(b.resources); b.looked++ {
		if r := b.resources[b.looked]; r.kind == "AWS::Lambda::LayerVersion" {
			b.layerNames[r.props.get("LayerName").text] = true
		}
	}
	if !strings.Contains(layer.text, "#") && !b.layerNames[layer.text] {
		return textOf(b.lambda("layer:"+layer.text+":"+version.text), layer.at)
	}
	return layer
}

// id stands for an instance of a block.
func (m *module) id(b *hclsyntax.Block, in instance) string {
	if id := m.root.ids[m.address+strings.Join(b.Labels, ".")+in.key]; id != "" {
		return id
	}
	return b.DefRange().Filename + "#" + m.address + strings.Join(b.Labels, ".") + in.key
}

// declare adds an instance of a resource.
func (m *module) declare(b *hclsyntax.Block, in instance) {
	r := resource{
		id: m.id(b, in), logical: m.address + strings.Join(b.Labels, ".") + in.key, at: m.origin(b.DefRange()),
	}
	m.b.resources = append(m.b.resources, m.b.translated(b.Labels[0], r, m.body(b.Body, in.scope, 0)))
}

// body is the attributes and blocks of a body, by name. A block is a list of as
// many as there are.
func (m *module) body(b *hclsyntax.Body, s scope, depth int) value {
	out := value{kind: object, fields: map[string]value{}, at: m.origin(b.SrcRange)}
	for name, a := range b.Attributes {
		if repeats(name) && depth == 0 { // worked out once, not once for each that it makes
			continue
		}
		v := m.written(a.Expr, s, 0)
		v.at = m.origin(a.NameRange)
		out.fields[name] = v
	}
	add := func(name string, v value) {
		l := out.fields[name]
		out.fields[name] = value{kind: list, items: append(l.items, v), at: v.at}
	}
	for _, inner := range b.Blocks {
		switch {
		case depth > maxLevels:
		case inner.Type == "dynamic" && len(inner.Labels) == 1:
			for _, v := range m.dynamic(inner, s, depth) {
				add(inner.Labels[0], v)
			}
		default:
			add(inner.Type, m.body(inner.Body, s, depth+1))
		}
	}
	return out
}

// repeats reports whether the argument says how many a block makes.
func repeats(name string) bool { return name == "count" || name == "for_each" }

// dynamic is the blocks that a dynamic block makes.
func (m *module) dynamic(b *hclsyntax.Block, s scope, depth int) []value {
	a := b.Body.Attributes["for_each"]
	at := m.origin(b.DefRange())
	var content *hclsyntax.Block
	for _, inner := range b.Body.Blocks {
		if inner.Type == "content" {
			content = inner
		}
	}
	if a == nil || content == nil {
		return nil
	}
	name := b.Labels[0]
	if i := b.Body.Attributes["iterator"]; i != nil {
		name = traversalRoot(i.Expr)
	}
	v := m.eval(a.Expr, s)
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return []value{unknownBy(m.reason(a.Expr, s), at)}
	}
	var out []value
	m.atMost(b, v.LengthInt())
	for k, e := range v.Elements() {
		if len(out) == maxInstances {
			break
		}
		in := scope{name: cty.ObjectVal(map[string]cty.Value{"key": k, "value": e})}
		for n, outer := range s {
			if n != name {
				in[n] = outer
			}
		}
		out = append(out, m.body(content.Body, in, depth+1))
	}
	return out
}

func traversalRoot(e hclsyntax.Expression) string {
	if t, ok := e.(*hclsyntax.ScopeTraversalExpr); ok {
		return t.Traversal.RootName()
	}
	return ""
}

// policyDocument is the data source aws_iam_policy_document as a document.
func (m *module) policyDocument(b *hclsyntax.Block, depth int) value {
	body := m.body(b.Body, nil, depth+1)
	out := value{kind: object, fields: map[string]value{"Version": textOf("2012-10-17", body.at)}, at: m.origin(b.DefRange())}
	statements := value{kind: list, at: body.at}
	for _, name := range []string{"source_policy_documents", "override_policy_documents", "source_json", "override_json"} {
		if v := body.get(name); v.kind != absent {
			statements.items = append(statements.items, unknownOf("the document is made of others", v.at))
		}
	}
	for _, s := range body.get("statement").each() {
		if s.kind != object {
			statements.items = append(statements.items, s)
			continue
		}
		st := value{kind: object, fields: map[string]value{"Effect": s.get("effect").or(textOf("Allow", s.at))}, at: s.at}
		for from, to := range map[string]string{
			"sid": "Sid", "actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
		} {
			if v := s.get(from); v.kind != absent {
				st.fields[to] = v
			}
		}
		for from, to := range map[string]string{"principals": "Principal", "not_principals": "NotPrincipal"} {
			for _, p := range s.get(from).each() {
				if kind := p.get("type"); kind.kind == text && kind.text != "*" {
					put(st.fields, to+"."+kind.text, p.get("identifiers"))
				} else {
					st.fields[to] = kind
				}
			}
		}
		for _, c := range s.get("condition").each() {
			test, key := c.get("test"), c.get("variable")
			if test.kind != text || key.kind != text {
				st.fields["Condition"] = unknownOf("a condition is not known", c.at)
				break
			}
			operators := st.fields["Condition"]
			if operators.kind != object {
				operators = value{kind: object, fields: map[string]value{}, at: c.at}
			}
			keys := operators.fields[test.text]
			if keys.kind != object {
				keys = value{kind: object, fields: map[string]value{}, at: c.at}
			}
			keys.fields[key.text] = c.get("values")
			operators.fields[test.text] = keys
			st.fields["Condition"] = operators
		}
		statements.items = append(statements.items, st)
	}
	out.fields["Statement"] = statements
	return out
}
