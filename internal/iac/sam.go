package iac

import (
	"cmp"
	"maps"
	"strings"

	"github.com/lamina-sec/lamina"
)

// SAM turns its resources into several of CloudFormation's
// (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html).

// serverless is what SAM makes of one resource of its own.
func (t *template) serverless(d resource) []resource {
	switch d.kind {
	case "AWS::Serverless::LayerVersion":
		d.kind = "AWS::Lambda::LayerVersion"
		d.props = with(d.props, "LayerName", t.layerName(d.logical, "AWS::Serverless::LayerVersion", d.props.get("LayerName")))
		return []resource{d}
	case "AWS::Serverless::Function":
		d.kind = "AWS::Lambda::Function"
		d.props = merge(t.resolve(t.root.get("Globals").get("Function")), d.props)
	default:
		return nil
	}
	out := []resource{d}
	add := func(suffix, kind string, at lamina.Origin, props map[string]value) {
		out = append(out, resource{
			id: d.id + suffix, logical: d.logical + suffix, kind: kind, at: at,
			props: value{kind: object, fields: props, at: at},
		})
	}
	name := textOf(t.functionARN(d), d.at)
	if url := d.props.get("FunctionUrlConfig"); url.kind != absent {
		add("Url", "AWS::Lambda::Url", url.at, map[string]value{"TargetFunctionArn": name, "AuthType": url.get("AuthType")})
	}
	if alias := d.props.get("AutoPublishAlias"); alias.kind != absent {
		add("Alias"+alias.text, "AWS::Lambda::Alias", alias.at, map[string]value{"FunctionName": name, "Name": alias})
	}
	if d.props.get("Role").kind == absent {
		// SAM makes the role, of the function's policies.
		arn, _ := t.code.role(d.id+"Role", value{}, value{})
		out[0].props = with(d.props, "Role", textOf(arn, d.at))
		add("Role", "AWS::IAM::Role", d.props.get("Policies").or(d.props).at, t.serverlessRole(d))
	}
	for _, event := range d.props.get("Events").names() {
		e := d.props.get("Events").get(event)
		source := e.get("Properties").get("Queue", "Stream")
		if source.kind == text {
			add(event, "AWS::Lambda::EventSourceMapping", e.at, map[string]value{"FunctionName": name, "EventSourceArn": source})
		}
	}
	return out
}

func (t *template) functionARN(d resource) string {
	arn, _ := t.code.function(d.id, d.props.get("FunctionName"))
	return arn
}

// implicit is what a template may ask of what SAM makes: the role of a function.
func (t *template) implicit(id, attribute string, otherwise value) value {
	owner, is := strings.CutSuffix(id, "Role")
	r := t.root.get("Resources").get(owner)
	if !t.sam || !is || r.get("Type").text != "AWS::Serverless::Function" {
		return otherwise
	}
	arn, name := t.code.role(t.file+"#"+id, value{}, value{})
	switch attribute {
	case "":
		return textOf(name, otherwise.at)
	case "Arn":
		return textOf(arn, otherwise.at)
	}
	return otherwise
}

// serverlessRole is the role of a function without one: what Lambda needs to
// write logs, and the function's policies.
func (t *template) serverlessRole(d resource) map[string]value {
	props := map[string]value{"Path": textOf("/", d.at)}
	attached := []value{textOf("arn:"+t.code.partition+":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", d.at)}
	var inline []value
	for _, p := range d.props.get("Policies").each() {
		switch {
		case p.kind == unknown, p.kind == text && strings.HasPrefix(p.text, "arn:"):
			attached = append(attached, p)
		case p.kind == text:
			attached = append(attached, textOf("arn:"+t.code.partition+":iam::aws:policy/"+p.text, p.at))
		case p.get("Statement").kind != absent:
			inline = append(inline, value{kind: object, at: p.at, fields: map[string]value{"PolicyName": textOf("Policies", p.at), "PolicyDocument": p}})
		default:
			for _, name := range p.names() {
				inline = append(inline, policyTemplate(name, p.fields[name]))
			}
		}
	}
	props["ManagedPolicyArns"] = value{kind: list, items: attached, at: d.at}
	props["Policies"] = value{kind: list, items: inline, at: d.at}
	if b := d.props.get("PermissionsBoundary"); b.kind != absent {
		props["PermissionsBoundary"] = b
	}
	return props
}

// with is v with one more field.
func with(v value, name string, field value) value {
	fields := maps.Clone(v.fields)
	if fields == nil {
		fields = map[string]value{}
	}
	fields[name] = field
	return value{kind: object, fields: fields, why: v.why, at: v.at}
}

// merge is what SAM makes of a global value and a resource's own: objects are
// merged, lists put one behind the other, everything else replaced
// (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html).
func merge(global, own value) value {
	switch {
	case own.kind == absent:
		return global
	case global.kind == object && own.kind == object:
		out := value{kind: object, fields: maps.Clone(global.fields), why: cmp.Or(own.why, global.why), at: own.at}
		for name, field := range own.fields {
			out.fields[name] = merge(global.fields[name], field)
		}
		return out
	case global.kind == list && own.kind == list:
		return value{kind: list, items: append(append([]value(nil), global.items...), own.items...), at: own.at}
	}
	return own
}
