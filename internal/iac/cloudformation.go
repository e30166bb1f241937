package iac

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Limits of what resolving a template may cost: steps count values and, in
// kilobytes, texts. The same value may be asked for many times over.
const (
	maxSteps = 500_000
	maxText  = 1 << 20
)

// A template is a CloudFormation or SAM template while it is resolved.
type template struct {
	file string
	opt  *Options
	code *builder
	root value
	// account and region are where it is deployed.
	account, region string
	// traces are the places in the program that made the template, by logical id.
	traces map[string]lamina.Origin
	// beside reports whether a file beside the template is read as one of its own; nil
	// where none is.
	beside func(name string) bool
	open   map[string]bool // conditions and names being resolved
	sam    bool
	steps  int
	depth  int
}

// transform is the intrinsic function that calls a macro, or AWS::Include, whose
// answer is put where it stands, beside what is there.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-transform.html
const transform = "Fn::Transform"

// isTemplate reports whether a document is a template of CloudFormation.
func isTemplate(v value) bool {
	resources := v.get("Resources")
	if resources.kind != object {
		return false
	}
	if v.get("AWSTemplateFormatVersion").kind == text || v.get("Transform").kind != absent {
		return true
	}
	for _, r := range resources.fields {
		if t := r.get("Type"); t.kind == text && strings.Contains(t.text, "::") {
			return true
		}
	}
	return false
}

// newTemplate is a template that is deployed where the options say.
func newTemplate(b *builder, file string, root value) *template {
	t := &template{file: file, opt: b.opt, code: b, root: root, account: b.account, region: b.opt.Region, open: map[string]bool{}}
	for _, name := range root.get("Parameters").names() {
		b.parameters[name] = true
	}
	for _, macro := range root.get("Transform").each() {
		t.sam = t.sam || strings.HasPrefix(macro.text, "AWS::Serverless-")
	}
	return t
}

// read adds the template's resources to the builder.
func (t *template) read() {
	b := t.code
	skip := func(at lamina.Origin, why string) {
		b.skipped = append(b.skipped, lamina.Skipped{File: place(at), Offset: -1, Reason: why})
	}
	for _, macro := range t.root.get("Transform").each() {
		switch name := macro.text + macro.get("Name").text; {
		case name == "AWS::Include":
			skip(macro.at, "AWS::Include adds to the template when it is deployed")
		case !strings.HasPrefix(name, "AWS::"):
			skip(macro.at, "a macro changes the template when it is deployed")
		}
	}
	for _, section := range []string{"Parameters", "Mappings", "Conditions", "Globals"} {
		if own := t.root.get(section).fields[transform]; own.kind != absent {
			skip(own.at, transform+" adds to "+section+" when it is deployed")
		}
	}
	if own := t.root.fields[transform]; own.kind != absent {
		skip(own.at, transform+" adds to the template when it is deployed")
	}
	resources := t.root.get("Resources")
	for _, id := range resources.names() {
		r := resources.fields[id]
		if strings.HasPrefix(id, "Fn::") {
			skip(r.at, id+" is worked out when it is deployed")
			continue
		}
		if c := r.get("Condition"); c.kind == text {
			if yes, known := t.condition(c.text); known && !yes {
				continue
			}
		}
		if own := r.fields[transform]; own.kind != absent {
			skip(own.at, transform+" adds to the resource "+id+" when it is deployed")
			r.why = transform + " is worked out when it is deployed"
		}
		b.seen++
		d := resource{id: t.file + "#" + id, logical: id, kind: r.fields["Type"].text, at: r.at}
		if what := t.nested(d.kind, r); what != "" {
			skip(r.at, id+" is "+what+", whose resources are not here")
		}
		if !slices.Contains(templateTypes, d.kind) {
			continue
		}
		b.read++
		d.props = t.resolve(r.get("Properties"))
		if at, ok := t.traces[id]; ok {
			d.at, d.props = at, located(d.props, at)
		}
		if t.sam && strings.HasPrefix(d.kind, "AWS::Serverless::") {
			b.resources = append(b.resources, t.serverless(d)...)
			continue
		}
		b.resources = append(b.resources, d)
	}
}

// nested is what a resource is that stands for resources of a template which is not
// read: "" for any other.
func (t *template) nested(kind string, r value) string {
	var from value
	switch {
	case strings.HasSuffix(kind, "::MODULE"):
		return "a module of CloudFormation"
	case kind == "AWS::CloudFormation::Stack":
		from = r.get("Properties").get("TemplateURL")
	case kind == "AWS::Serverless::Application":
		from = r.get("Properties").get("Location")
	default:
		return ""
	}
	if asset := r.get("Metadata").get("aws:asset:path"); asset.kind == text { // of the CDK
		from = asset
	}
	if from = t.resolve(from); from.kind == text && t.beside != nil && t.beside(from.text) {
		return ""
	}
	return "a nested stack"
}

// condition is whether the condition with the name holds.
func (t *template) condition(name string) (yes, known bool) {
	key := "condition " + name
	if t.open[key] {
		return false, false
	}
	t.open[key] = true
	defer delete(t.open, key)
	c := t.root.get("Conditions").get(name)
	if c.kind == absent {
		return false, false
	}
	return truth(t.resolve(c))
}

func truth(v value) (yes, known bool) {
	return v.text == "true", v.kind == text && (v.text == "true" || v.text == "false")
}

// spend counts n against the limits and reports whether they allow it.
func (t *template) spend(n int) bool {
	t.steps += n
	return t.steps <= maxSteps && t.depth <= maxDepth
}

// resolve works out what is known of v before anything is deployed.
func (t *template) resolve(v value) value {
	t.depth++
	defer func() { t.depth-- }()
	if !t.spend(1 + len(v.text)>>10) {
		return unknownOf("the template asks for more than lamina works out", v.at)
	}
	switch v.kind {
	case text:
		if _, reference, ok := strings.Cut(v.text, "{{resolve:"); ok {
			c := cause{why: "a dynamic reference is looked up when it is deployed"}
			if reference, ok = strings.CutPrefix(reference, "ssm:"); ok {
				c.parameter, _, _ = strings.Cut(reference, "}}")
			}
			return unknownBy(c, v.at)
		}
		return v
	case list:
		out := value{kind: list, at: v.at}
		for _, item := range v.items {
			if r := t.resolve(item); r.kind != absent {
				out.items = append(out.items, r)
			}
		}
		return out
	case object:
		if len(v.fields) == 1 {
			for name, argument := range v.fields {
				if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
					r := t.call(name, argument, v.at)
					if r.kind == text && len(r.text) > maxText {
						return unknownOf("the text is longer than lamina works out", v.at)
					}
					r.at = v.at
					return r
				}
			}
		}
		out := value{kind: object, fields: make(map[string]value, len(v.fields)), at: v.at}
		for _, name := range v.names() {
			if name == transform { // what it gives is put beside the other fields
				out.why, out.at = name+" is worked out when it is deployed", v.fields[name].at
				continue
			}
			if r := t.resolve(v.fields[name]); r.kind != absent {
				out.fields[name] = r
			}
		}
		return out
	case absent, unknown:
	}
	return v
}

// call is the value of an intrinsic function
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
func (t *template) call(name string, arg value, at lamina.Origin) value {
	switch name {
	case "Ref":
		return t.ref(arg.text, at)
	case "Condition":
		if yes, known := t.condition(arg.text); known {
			return textOf(strconv.FormatBool(yes), at)
		}
		return unknownOf("the condition "+arg.text+" is not known", at)
	case "Fn::If":
		if len(arg.items) != 3 {
			break
		}
		yes, known := t.condition(arg.items[0].text)
		switch {
		case !known:
			return unknownOf("the condition "+arg.items[0].text+" is not known", at)
		case yes:
			return t.resolve(arg.items[1])
		}
		return t.resolve(arg.items[2])
	case "Fn::GetAtt":
		id, attribute, _ := strings.Cut(arg.text, ".")
		if len(arg.items) == 2 {
			a := t.resolve(arg.items[1])
			if d, doubt := a.doubt(); doubt {
				return d
			}
			id, attribute = arg.items[0].text, a.text
		}
		return t.attribute(id, attribute, at)
	case "Fn::Sub":
		return t.sub(arg, at)
	}
	v := t.resolve(arg)
	if d, doubt := v.doubt(); doubt && name != "Fn::Select" && name != "Fn::And" && name != "Fn::Or" {
		return d
	}
	if r, ok := t.pure(name, v); ok {
		return r
	}
	return unknownOf(name+" is worked out when it is deployed", at)
}

// pure is the value of a function of its arguments alone.
func (t *template) pure(name string, v value) (value, bool) {
	n := len(v.items)
	switch {
	case name == "Fn::Join" && n == 2:
		parts := v.items[1].texts()
		if len(parts) < len(v.items[1].each()) {
			return value{}, false // a list in the list, which has no text
		}
		size := len(v.items[0].text) * len(parts)
		for _, p := range parts {
			size += len(p)
		}
		if size > maxText {
			return value{}, false
		}
		return textOf(strings.Join(parts, v.items[0].text), v.at), true
	case name == "Fn::Split" && n == 2 && v.items[0].text != "":
		out := value{kind: list, at: v.at}
		for p := range strings.SplitSeq(v.items[1].text, v.items[0].text) {
			out.items = append(out.items, textOf(p, v.at))
		}
		t.spend(len(out.items))
		return out, true
	case name == "Fn::Select" && n == 2:
		i, err := strconv.Atoi(v.items[0].text)
		if from := v.items[1]; err == nil && from.kind == list && i >= 0 && i < len(from.items) {
			return from.items[i], true
		}
		if d, doubt := v.doubt(); doubt {
			return d, true
		}
	case name == "Fn::FindInMap" && n >= 3:
		found := t.root.get("Mappings").get(v.items[0].text).get(v.items[1].text).get(v.items[2].text)
		if found.kind != absent {
			return found, true
		}
		if d := v.items[n-1].get("DefaultValue"); n == 4 && d.kind != absent {
			return d, true
		}
	case name == "Fn::Equals" && n == 2 && v.items[0].kind == text && v.items[1].kind == text:
		return textOf(strconv.FormatBool(v.items[0].text == v.items[1].text), v.at), true
	case name == "Fn::Not" && n == 1:
		if yes, known := truth(v.items[0]); known {
			return textOf(strconv.FormatBool(!yes), v.at), true
		}
	case name == "Fn::And" || name == "Fn::Or":
		sure := true
		for _, item := range v.items {
			yes, known := truth(item)
			if known && yes == (name == "Fn::Or") {
				return textOf(strconv.FormatBool(yes), v.at), true
			}
			sure = sure && known
		}
		return textOf(strconv.FormatBool(name == "Fn::And"), v.at), sure && n > 0
	case name == "Fn::Base64" && v.kind == text:
		return textOf(base64.StdEncoding.EncodeToString([]byte(v.text)), v.at), true
	case name == "Fn::Length" && v.kind == list:
		return textOf(strconv.Itoa(n), v.at), true
	}
	return value{}, false
}

// sub is Fn::Sub: ${Name}, ${Resource.Attribute}, ${!Literal}.
func (t *template) sub(arg value, at lamina.Origin) value {
	pattern, own := arg, value{}
	if arg.kind == list && len(arg.items) == 2 {
		pattern, own = arg.items[0], t.resolve(arg.items[1])
	}
	if pattern.kind != text {
		return unknownOf("Fn::Sub is worked out when it is deployed", at)
	}
	var b strings.Builder
	for rest := pattern.text; ; {
		before, after, ok := strings.Cut(rest, "${")
		b.WriteString(before)
		if !ok {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return unknownOf("a ${ of Fn::Sub is not closed", at)
		}
		rest = tail
		if literal, is := strings.CutPrefix(name, "!"); is {
			b.WriteString("${" + literal + "}")
			continue
		}
		v, given := own.fields[name]
		if !given {
			if id, attribute, dotted := strings.Cut(name, "."); dotted {
				v = t.attribute(id, attribute, at)
			} else {
				v = t.ref(name, at)
			}
		}
		if v.kind != text {
			if d, doubt := v.doubt(); doubt {
				return d
			}
			return unknownOf("${"+name+"} is no text", at)
		}
		b.WriteString(v.text)
		if !t.spend(1+len(v.text)>>10) || b.Len() > maxText {
			return unknownOf("the text is longer than lamina works out", at)
		}
	}
	return t.resolve(textOf(b.String(), at))
}

// ref is what Ref gives: a pseudo parameter, a parameter, or a resource's name.
func (t *template) ref(name string, at lamina.Origin) value {
	switch name {
	case "AWS::AccountId":
		return textOf(t.account, at)
	case "AWS::Region":
		return textOf(t.region, at)
	case "AWS::Partition":
		return textOf(t.code.partition, at)
	case "AWS::URLSuffix":
		suffix := "amazonaws.com"
		if t.code.partition == "aws-cn" {
			suffix += ".cn"
		}
		return textOf(suffix, at)
	case "AWS::NoValue":
		return value{at: at}
	case "AWS::StackName", "AWS::StackId", "AWS::NotificationARNs":
		return unknownOf(name+" is not known before it is deployed", at)
	}
	if p := t.root.get("Parameters").get(name); p.kind == object {
		return t.parameter(name, p, at)
	}
	return t.attribute(name, "", at)
}

// parameter is the value that was given for a parameter, or its default.
func (t *template) parameter(name string, p value, at lamina.Origin) value {
	kind := p.get("Type").text
	own, given := t.opt.Parameters[name]
	v := textOf(own, at)
	if !given {
		v = p.get("Default")
	}
	switch {
	case !slices.Contains([]string{"", "false", "no", "off"}, strings.ToLower(p.get("NoEcho").text)) || p.get("NoEcho").kind > text:
		return unknownOf("parameter "+name+" has NoEcho, so its value is not looked at", at)
	case strings.HasPrefix(kind, "AWS::SSM::Parameter::Value<") && !given:
		return unknownBy(cause{"parameter " + name + " is read from the SSM parameter " + cmp.Or(v.text, "that is given") + " when it is deployed", v.text}, at)
	case v.kind == absent:
		return unknownOf("parameter "+name+" has no default", at)
	case v.kind == text && (kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")):
		out := value{kind: list, at: at}
		for item := range strings.SplitSeq(v.text, ",") {
			out.items = append(out.items, textOf(strings.TrimSpace(item), at))
		}
		t.spend(len(out.items))
		return out
	}
	return v
}

// attribute is what Fn::GetAtt gives, and Ref for the attribute "".
func (t *template) attribute(id, attribute string, at lamina.Origin) value {
	r := t.root.get("Resources").get(id)
	whole := id
	if attribute != "" {
		whole += "." + attribute
	}
	why := whole + " is not known before it is deployed"
	if r.kind != object {
		return t.implicit(id, attribute, unknownOf(why, at))
	}
	key := "resource " + id
	if t.open[key] {
		return unknownOf(id+" is made from itself", at)
	}
	t.open[key] = true
	defer delete(t.open, key)
	kind, props := r.get("Type").text, r.get("Properties")
	name := func(property string) value { return t.resolve(props.get(property)) }
	switch kind {
	case "AWS::Lambda::Function", "AWS::Serverless::Function":
		arn, short := t.code.function(t.file+"#"+id, name("FunctionName"))
		switch attribute {
		case "":
			return textOf(short, at)
		case "Arn":
			return textOf(arn, at)
		}
	case "AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion":
		if attribute == "" || attribute == "LayerVersionArn" || attribute == "Arn" {
			return textOf(t.code.layer(t.file+"#"+id, t.layerName(id, kind, name("LayerName"))), at)
		}
	case "AWS::IAM::Role":
		arn, short := t.code.role(t.file+"#"+id, name("RoleName"), name("Path"))
		switch attribute {
		case "":
			return textOf(short, at)
		case "Arn":
			return textOf(arn, at)
		}
	case "AWS::IAM::ManagedPolicy":
		if attribute == "" || attribute == "PolicyArn" {
			return textOf(t.code.managed(t.file+"#"+id, name("ManagedPolicyName")), at)
		}
	case "AWS::Lambda::CodeSigningConfig":
		if attribute == "" || attribute == "CodeSigningConfigArn" {
			return textOf(t.file+"#"+id, at)
		}
	case "AWS::Lambda::Alias", "AWS::Lambda::Version":
		if attribute == "" || attribute == "AliasArn" || attribute == "FunctionArn" {
			// What is said of an alias or version is said of its function.
			return name("FunctionName")
		}
	}
	return unknownOf(why, at)
}

// layerName is the name of a layer: SAM takes the logical id where none is given.
func (t *template) layerName(id, kind string, name value) value {
	if kind == "AWS::Serverless::LayerVersion" {
		return name.or(textOf(id, name.at))
	}
	return name
}
