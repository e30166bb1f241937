package iac

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lamina-sec/lamina"
)

// isPlan reports whether a document is a plan as terraform show -json writes it
// (https://developer.hashicorp.com/terraform/internals/json-format).
func isPlan(v value) bool {
	return v.get("planned_values").kind == object && v.get("format_version").kind == text
}

// A plan is a plan while its resources are read.
type plan struct {
	b        *builder
	file     string
	unknowns map[string]value  // after_unknown, by address
	names    map[string]string // what stands for each resource, by address
	arns     map[string]string // its ARN as other resources see it
}

// terraformPlan adds a plan's resources to b. A plan has no lines, and not what
// its resources will be to each other: both are those of the code in the same
// folder, as far as that is there.
func terraformPlan(r *reader, name, shown string, root value) {
	p := &plan{b: r.b, file: shown, unknowns: map[string]value{}, names: map[string]string{}, arns: map[string]string{}}
	r.b.kinds["Terraform plan"] = true
	if root.get("errored").text == "true" {
		r.skip(name, errors.New("the plan ends with an error, so it does not have all there would be"))
	}
	for _, c := range root.get("resource_changes").items {
		p.unknowns[c.get("address").text] = c.get("change").get("after_unknown")
	}
	top := root.get("planned_values").get("root_module")
	p.name(top, 0)
	var written *module
	if dir := path.Dir(name); len(r.tfFiles(dir)) > 0 {
		before := r.b.files
		written = r.load(dir, r.tfFiles(dir))
		r.b.files = before
		written.root = &terraform{installed: r.installed(dir), functions: newFunctions(r, dir), ids: p.names}
		written.given = map[string]cty.Value{}
		declared := root.get("configuration").get("root_module").get("variables")
		for key, v := range root.get("variables").fields {
			if declared.fields[key].get("sensitive").text != "true" {
				written.given[key] = toCty(v.get("value"))
			}
		}
	}
	p.module(top, root.get("configuration").get("root_module"), "", written, 0)
}

// planned is what a resource will be, without what the plan marks as sensitive: a
// plan holds that in clear.
func planned(r value) value { return hidden(r.get("values"), r.get("sensitive_values"), 0) }

// hidden is v with what is marked unknown: a mark is true for all below it, or has
// the form of the value.
func hidden(v, marks value, depth int) value {
	all := marks.kind == text && marks.text == "true"
	switch {
	case marks.kind == absent, !all && marks.kind == text:
		return v
	case depth > maxDepth:
		return unknownOf("it is nested too deep", v.at)
	case v.kind == list:
		out := value{kind: list, at: v.at}
		for i, x := range v.items {
			m := marks
			if !all {
				m = item(marks, i)
			}
			out.items = append(out.items, hidden(x, m, depth+1))
		}
		return out
	case v.kind == object:
		out := value{kind: object, fields: make(map[string]value, len(v.fields)), at: v.at}
		for name, x := range v.fields {
			m := marks
			if !all {
				m = marks.fields[name]
			}
			out.fields[name] = hidden(x, m, depth+1)
		}
		return out
	case v.kind == text && all:
		return unknownOf("the plan marks it as sensitive, so it is not looked at", v.at)
	}
	return v
}

// toCty is a value of JSON as a value of cty.
func toCty(v value) cty.Value {
	switch v.kind {
	case text:
		if v.bare && (v.text == "true" || v.text == "false") {
			return cty.BoolVal(v.text == "true")
		}
		if v.bare && len(v.text) <= 100 { // no longer number is one that anybody wrote
			if n, err := cty.ParseNumberVal(v.text); err == nil {
				return n
			}
		}
		return cty.StringVal(v.text)
	case list:
		items := make([]cty.Value, 0, len(v.items))
		for _, item := range v.items {
			items = append(items, toCty(item))
		}
		return cty.TupleVal(items)
	case object:
		fields := make(map[string]cty.Value, len(v.fields))
		for name, f := range v.fields {
			fields[name] = toCty(f)
		}
		return cty.ObjectVal(fields)
	case absent, unknown:
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// name notes what stands for each resource: its ARN when it has one already.
func (p *plan) name(m value, depth int) {
	for _, r := range m.get("resources").items {
		address := r.get("address").text
		id := p.file + "#" + address
		values := planned(r)
		if arn := values.get("arn"); arn.kind == text {
			id = arn.text
		}
		p.names[address] = id
		switch r.get("type").text {
		case "aws_lambda_layer_version":
			p.arns[address] = p.b.layer(id, values.get("layer_name"))
		case "aws_lambda_function":
			p.arns[address], _ = p.b.function(id, values.get("function_name"))
		case "aws_iam_role":
			p.arns[address], _ = p.b.role(id, values.get("name"), values.get("path"))
		case "aws_iam_policy":
			p.arns[address] = p.b.managed(id, values.get("name"))
		case "aws_lambda_code_signing_config":
			p.arns[address] = id
		}
	}
	for _, child := range m.get("child_modules").items {
		if depth < maxLevels {
			p.name(child, depth+1)
		}
	}
}

func (p *plan) module(m, configuration value, address string, code *module, depth int) {
	expressions := map[string]value{}
	for _, r := range configuration.get("resources").items {
		expressions[r.get("address").text] = r.get("expressions")
	}
	for _, r := range m.get("resources").items {
		if r.get("mode").text != "managed" {
			continue
		}
		p.b.seen++
		kind := r.get("type").text
		if _, ok := terraformTypes[kind]; !ok {
			continue
		}
		p.b.read++
		full, plain := r.get("address").text, kind+"."+r.get("name").text
		in := resource{id: p.names[full], logical: full, at: r.at}
		var written value
		if code != nil && code.resources[plain] != nil {
			b := code.resources[plain]
			in.at = code.origin(b.DefRange())
			written = code.body(b.Body, code.scopeOf(b, strings.TrimPrefix(full, address+plain)), 0)
		}
		values := p.merge(planned(r), p.unknowns[full], expressions[plain], written, planAt{address, in.at}, 0)
		p.b.resources = append(p.b.resources, p.b.translated(kind, in, values))
	}
	for _, child := range m.get("child_modules").items {
		full := child.get("address").text
		rest := strings.TrimPrefix(strings.TrimPrefix(full, address), "module.")
		call, _, _ := strings.Cut(rest, "[")
		var inner *module
		if code != nil {
			inner = code.called(call)[strings.TrimPrefix(rest, call)]
		}
		if depth < maxLevels {
			p.module(child, configuration.get("module_calls").get(call).get("module"), full+".", inner, depth+1)
		}
	}
}

// scopeOf is what an instance of a block sees, by its key.
func (m *module) scopeOf(b *hclsyntax.Block, key string) scope {
	for _, in := range m.instances(b) {
		if in.key == key {
			return in.scope
		}
	}
	return nil
}

// A planAt is where a value of a plan is: in which module, and at which place.
type planAt struct {
	address string
	lamina.Origin
}

// merge is a planned value, with what is not known before the plan is applied
// taken of the code, else of the one resource that the configuration names, and
// with the lines of the code.
func (p *plan) merge(v, unknowns, expression, written value, at planAt, depth int) value {
	switch {
	case depth > maxDepth:
		return v
	case unknowns.kind == text && unknowns.text == "true":
		if written.kind != absent {
			return written
		}
		if refs := p.references(expression, at.address); len(refs) == 1 {
			return textOf(refs[0], at.Origin)
		}
		return unknownOf("it is not known before the plan is applied", at.Origin)
	case v.kind == list || unknowns.kind == list:
		out := value{kind: list, at: at.Origin}
		for i := range max(len(v.items), len(unknowns.items)) {
			out.items = append(out.items, p.merge(item(v, i), item(unknowns, i), item(expression, i), item(written, i), at.of(item(written, i)), depth+1))
		}
		return out
	case v.kind == object || unknowns.kind == object:
		out := value{kind: object, fields: map[string]value{}, at: at.Origin}
		for _, fields := range []map[string]value{v.fields, unknowns.fields} {
			for name := range fields {
				w := written.fields[name]
				if expression.kind == object && expression.fields[name].kind == absent && w.kind == absent && v.fields[name].kind == absent {
					continue // the provider fills it in, and nobody has set it
				}
				if f := p.merge(v.fields[name], unknowns.fields[name], expression.fields[name], w, at.of(w), depth+1); f.kind != absent {
					out.fields[name] = f
				}
			}
		}
		return out
	}
	v.at = at.Origin
	return v
}

// of is the place of what is written, where it has one.
func (at planAt) of(written value) planAt {
	if written.at.Line != 0 {
		at.Origin = written.at
	}
	return at
}

// item is the item of a list, absent where it has none.
func item(v value, i int) value {
	if i < len(v.items) {
		return v.items[i]
	}
	return value{}
}

// references are the resources whose ARN or name an expression takes, as what
// stands for them; nil if it takes something else as well.
func (p *plan) references(expression value, address string) []string {
	var out []string
	for _, ref := range expression.get("references").texts() {
		i := strings.LastIndex(ref, ".")
		if i < 0 {
			return nil
		}
		if _, whole := p.names[address+ref]; whole {
			continue // the resource itself, which follows what is taken of it
		}
		arn, ok := p.arns[address+ref[:i]]
		if !ok || !slices.Contains([]string{"arn", "id", "layer_arn", "layer_name", "name", "function_name"}, ref[i+1:]) {
			return nil
		}
		out = append(out, arn)
	}
	return out
}

// located is a copy of v of which everything is at one place.
func located(v value, at lamina.Origin) value {
	out := v
	out.at = at
	if v.items != nil {
		out.items = make([]value, len(v.items))
		for i, item := range v.items {
			out.items[i] = located(item, at)
		}
	}
	if v.fields != nil {
		out.fields = make(map[string]value, len(v.fields))
		for name, f := range v.fields {
			out.fields[name] = located(f, at)
		}
	}
	return out
}
