package iac

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/lamina-sec/lamina"
)

// maxInput bounds what goes into one expression: the sizes of all values it
// names, as often as it names them.
const maxInput = 4 << 20

// eval is the value of an expression, DynamicVal when it is not known.
func (m *module) eval(e hclsyntax.Expression, s scope) cty.Value {
	ctx, ok := m.context(e, s)
	if !ok {
		return cty.DynamicVal
	}
	v, diags := e.Value(ctx)
	if diags.HasErrors() || size(v, maxInput) > maxText {
		return cty.DynamicVal
	}
	unmarked, _ := v.UnmarkDeep()
	return unmarked
}

// context holds what the expression names, or false if that is too much.
func (m *module) context(e hclsyntax.Expression, s scope) (*hcl.EvalContext, bool) {
	if loops(e) {
		return nil, false
	}
	groups := map[string]map[string]cty.Value{}
	put := func(group, name string, v cty.Value) {
		if groups[group] == nil {
			groups[group] = map[string]cty.Value{}
		}
		groups[group][name] = v
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: m.root.functions}
	total := 0
	for _, t := range e.Variables() {
		root := t.RootName()
		if v, ok := s[root]; ok {
			ctx.Variables[root] = v
			total += size(v, maxInput)
			continue
		}
		key, names := reference(t)
		if key == "" {
			continue
		}
		v := m.lookup(key)
		total += size(v, maxInput)
		switch {
		case len(names) == 1: // path, terraform
			put(root, names[0], v)
		case root == "data":
			put("data."+names[1], names[2], v)
		default:
			put(names[0], names[1], v)
		}
	}
	if total > maxInput {
		return nil, false
	}
	data := map[string]cty.Value{}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if kind, ok := strings.CutPrefix(g, "data."); ok {
			data[kind] = cty.ObjectVal(groups[g])
		} else {
			ctx.Variables[g] = cty.ObjectVal(groups[g])
		}
	}
	if len(data) > 0 {
		ctx.Variables["data"] = cty.ObjectVal(data)
	}
	return ctx, true
}

// reference is what a traversal refers to: "var.x", "data.aws_region.here",
// "aws_lambda_function.f", and its names.
func reference(t hcl.Traversal) (key string, names []string) {
	want := 2
	if t.RootName() == "data" {
		want = 3
	}
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		default:
			return "", nil
		}
		if len(names) == want {
			return strings.Join(names, "."), names
		}
	}
	return "", nil
}

// loops reports an expression whose loops within loops could go round too often.
func loops(e hclsyntax.Expression) bool {
	const long = 4 << 10
	w := &loopWalker{}
	_ = hclsyntax.Walk(e, w)
	r := e.Range()
	return w.most > 2 || w.most == 2 && r.End.Byte-r.Start.Byte > long
}

type loopWalker struct{ now, most int }

func (w *loopWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		w.now++
		w.most = max(w.most, w.now)
	}
	return nil
}

func (w *loopWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		w.now--
	}
	return nil
}

// size is about how many bytes a value has, counted up to limit.
func size(v cty.Value, limit int) int {
	if !v.IsKnown() || v.IsNull() || limit <= 0 || v.IsMarked() {
		return 1
	}
	switch t := v.Type(); {
	case t == cty.String:
		return len(v.AsString())
	case t.IsObjectType() || t.IsTupleType() || t.IsCollectionType():
		n := 1
		for _, e := range v.Elements() {
			if n += 8 + size(e, limit-n); n > limit {
				break
			}
		}
		return n
	}
	return 8
}

// lookup is the value of what an expression refers to.
func (m *module) lookup(key string) cty.Value {
	if v, ok := m.done[key]; ok {
		return v
	}
	if m.open[key] || len(m.open) > maxDepth {
		return cty.DynamicVal // made from itself, or by a chain that is too long
	}
	m.open[key] = true
	v := m.find(key)
	delete(m.open, key)
	m.done[key] = v
	return v
}

func (m *module) find(key string) cty.Value {
	kind, name, _ := strings.Cut(key, ".")
	switch kind {
	case "var":
		return m.variable(name)
	case "local":
		a := m.locals[name]
		if a == nil {
			return cty.DynamicVal
		}
		v := m.eval(a.Expr, nil)
		if !v.IsWhollyKnown() {
			m.why[key] = m.reason(a.Expr, nil)
		}
		return v
	case "path":
		if name == "module" || name == "root" || name == "cwd" {
			return cty.StringVal(map[string]string{"module": m.dir}[name])
		}
	case "module":
		return m.moduleValue(name)
	case "data":
		kind, name, _ = strings.Cut(name, ".")
		return m.dataValue(kind, name)
	case "terraform", "each", "count", "self":
		return cty.DynamicVal
	}
	if b := m.resources[key]; b != nil {
		return m.many(b, func(in instance) cty.Value { return m.object(b, in) })
	}
	return cty.DynamicVal
}

// variable is the value that was given for a variable, or its default.
func (m *module) variable(name string) cty.Value {
	v, ok := m.given[name]
	b := m.variables[name]
	if b != nil && b.Body.Attributes["sensitive"] != nil && !m.eval(b.Body.Attributes["sensitive"].Expr, nil).RawEquals(cty.False) {
		m.why["var."+name] = cause{why: "variable " + name + " is sensitive, so its value is not looked at"}
		return cty.DynamicVal
	}
	if !ok {
		if b == nil || b.Body.Attributes["default"] == nil {
			m.why["var."+name] = cause{why: "variable " + name + " has no value"}
			return cty.DynamicVal
		}
		v = m.eval(b.Body.Attributes["default"].Expr, nil)
	}
	if b != nil && b.Body.Attributes["type"] != nil {
		t := map[string]cty.Type{"string": cty.String, "number": cty.Number, "bool": cty.Bool}[hcl.ExprAsKeyword(b.Body.Attributes["type"].Expr)]
		if t != cty.NilType {
			if c, err := convert.Convert(v, t); err == nil {
				return c
			}
		}
	}
	return v
}

// moduleValue is the outputs of a module.
func (m *module) moduleValue(name string) cty.Value {
	call := m.calls[name]
	if call == nil {
		return cty.DynamicVal
	}
	children := m.called(name)
	if len(children) == 0 {
		m.why["module."+name] = cause{why: "module " + name + " was not read"}
		return cty.DynamicVal
	}
	return m.many(call, func(in instance) cty.Value {
		child := children[in.key]
		if child == nil {
			return cty.DynamicVal
		}
		out := map[string]cty.Value{}
		for key, b := range child.outputs {
			if a := b.Body.Attributes["value"]; a != nil {
				out[key] = child.eval(a.Expr, nil)
			}
		}
		return cty.ObjectVal(out)
	})
}

// many is the value of a block with count or for_each, or of one without.
func (m *module) many(b *hclsyntax.Block, one func(instance) cty.Value) cty.Value {
	all := m.instances(b)
	switch {
	case len(all) == 1 && all[0].key == "":
		return one(all[0])
	case len(all) == 1 && all[0].key == "[?]":
		return cty.DynamicVal
	case b.Body.Attributes["count"] != nil:
		var items []cty.Value
		for _, in := range all {
			items = append(items, one(in))
		}
		return cty.TupleVal(items)
	}
	items := map[string]cty.Value{}
	for _, in := range all {
		if in.index.Type() == cty.String && in.index.IsKnown() && !in.index.IsNull() {
			items[in.index.AsString()] = one(in)
		}
	}
	return cty.ObjectVal(items)
}

// object is what other expressions see of a resource: the attributes that are
// written, and those of which AWS's answer is known or stood for.
func (m *module) object(b *hclsyntax.Block, in instance) cty.Value {
	out := map[string]cty.Value{}
	for name, a := range b.Body.Attributes {
		if !repeats(name) {
			out[name] = m.eval(a.Expr, in.scope)
		}
	}
	kind, id := b.Labels[0], m.id(b, in)
	name := func(attribute string) value {
		if v, ok := out[attribute]; ok && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			return textOf(v.AsString(), lamina.Origin{})
		}
		return value{}
	}
	set := func(v string, names ...string) {
		for _, n := range names {
			out[n] = cty.StringVal(v)
		}
	}
	switch kind {
	case "aws_lambda_layer_version":
		set(m.b.layer(id, name("layer_name")), "arn", "id", "layer_arn")
	case "aws_lambda_function":
		arn, short := m.b.function(id, name("function_name"))
		set(arn, "arn")
		set(short, "function_name", "id")
	case "aws_iam_role":
		arn, short := m.b.role(id, name("name"), name("path"))
		set(arn, "arn")
		set(short, "name", "id")
	case "aws_iam_policy":
		set(m.b.managed(id, name("name")), "arn", "id")
	case "aws_lambda_code_signing_config":
		set(id, "arn", "id")
	}
	return cty.ObjectVal(out)
}

// dataValue is what is known of a data source.
func (m *module) dataValue(kind, name string) cty.Value {
	switch kind {
	case "aws_caller_identity":
		return cty.ObjectVal(map[string]cty.Value{"account_id": cty.StringVal(m.b.account), "id": cty.StringVal(m.b.account)})
	case "aws_region":
		region := cty.StringVal(m.b.opt.Region)
		return cty.ObjectVal(map[string]cty.Value{"name": region, "id": region, "region": region})
	case "aws_partition":
		suffix := "amazonaws.com"
		if m.b.partition == "aws-cn" {
			suffix += ".cn"
		}
		return cty.ObjectVal(map[string]cty.Value{"partition": cty.StringVal(m.b.partition), "id": cty.StringVal(m.b.partition), "dns_suffix": cty.StringVal(suffix)})
	}
	c := cause{why: "data " + kind + "." + name + " is read when it is deployed"}
	if b := m.data[kind+"."+name]; b != nil && kind == "aws_ssm_parameter" && b.Body.Attributes["name"] != nil {
		if v := m.eval(b.Body.Attributes["name"].Expr, nil); v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			c.parameter = v.AsString()
		}
	}
	m.why["data."+kind+"."+name] = c
	return cty.DynamicVal
}

// reason says why an expression is not known: what it names that is not.
func (m *module) reason(e hclsyntax.Expression, s scope) cause {
	for _, t := range e.Variables() {
		key, _ := reference(t)
		if _, scoped := s[t.RootName()]; key == "" || scoped {
			continue
		}
		ctx, ok := m.context(&hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: t.SourceRange()}, s)
		if !ok {
			continue
		}
		if v, diags := t.TraverseAbs(ctx); !diags.HasErrors() && v.IsWhollyKnown() {
			continue
		}
		if c, ok := m.why[key]; ok {
			return c
		}
		return cause{why: strings.TrimSpace(traversed(t)) + " is not known before it is deployed"}
	}
	return cause{why: "it is worked out when it is deployed"}
}

// traversed is a traversal as it is written.
func traversed(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		default:
			b.WriteString("[…]")
		}
	}
	return b.String()
}

// written is the value of an expression with the lines of what it is made of: of
// a list in the code each item has its own.
func (m *module) written(e hclsyntax.Expression, s scope, depth int) value {
	at := m.origin(e.Range())
	switch x := e.(type) {
	case *hclsyntax.TupleConsExpr:
		out := value{kind: list, at: at}
		for _, item := range x.Exprs {
			out.items = append(out.items, m.written(item, s, depth+1))
		}
		return out
	case *hclsyntax.ObjectConsExpr:
		out := value{kind: object, fields: map[string]value{}, at: at}
		for _, item := range x.Items {
			key := m.eval(item.KeyExpr, s)
			if key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
				return unknownOf("the name of a field is not known", at)
			}
			field := m.written(item.ValueExpr, s, depth+1)
			field.at = m.origin(item.KeyExpr.Range())
			out.fields[key.AsString()] = field
		}
		return out
	case *hclsyntax.ParenthesesExpr:
		return m.written(x.Expression, s, depth+1)
	case jsonText:
		v := m.written(x.Expression, s, depth+1)
		if x.broken {
			v = located(v, at)
		}
		return v
	case *hclsyntax.TemplateWrapExpr:
		return m.written(x.Wrapped, s, depth+1)
	case *hclsyntax.FunctionCallExpr:
		if x.Name == "jsonencode" && len(x.Args) == 1 && !x.ExpandFinal {
			return m.written(x.Args[0], s, depth+1)
		}
	case *hclsyntax.ScopeTraversalExpr:
		// A document of this module is seen with its statements.
		key, names := reference(x.Traversal)
		if b := m.data[strings.TrimPrefix(key, "data.")]; b != nil && names[1] == "aws_iam_policy_document" && len(x.Traversal) == 4 && depth < maxLevels {
			return m.policyDocument(b, depth)
		}
		if a := m.locals[strings.TrimPrefix(key, "local.")]; a != nil && names[0] == "local" && len(x.Traversal) == 2 && depth < maxLevels {
			return m.written(a.Expr, nil, depth+1)
		}
	}
	v := m.eval(e, s)
	if !v.IsWhollyKnown() {
		if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
			return unknownBy(m.reason(e, s), at)
		}
	}
	var why cause
	if !v.IsWhollyKnown() {
		why = m.reason(e, s)
	}
	return fromCty(v, at, why, 0)
}

// fromCty is a value of cty as a value of ours.
func fromCty(v cty.Value, at lamina.Origin, why cause, depth int) value {
	switch {
	case !v.IsKnown() || depth > maxDepth:
		return unknownBy(why, at)
	case v.IsNull():
		return value{at: at}
	}
	t := v.Type()
	switch {
	case t.IsPrimitiveType():
		s, err := convert.Convert(v, cty.String)
		if err != nil {
			return unknownOf("it is no text", at)
		}
		return textOf(s.AsString(), at)
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		out := value{kind: list, at: at}
		for _, e := range v.Elements() {
			out.items = append(out.items, fromCty(e, at, why, depth+1))
		}
		return out
	case t.IsObjectType() || t.IsMapType():
		out := value{kind: object, fields: map[string]value{}, at: at}
		for k, e := range v.Elements() {
			out.fields[k.AsString()] = fromCty(e, at, why, depth+1)
		}
		return out
	}
	return unknownOf("it is of a type that lamina does not read", at)
}
