package iac

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Terraform's JSON syntax says the same as the native one: an object is a block or
// the value of an argument, a text a template
// (https://developer.hashicorp.com/terraform/language/syntax/json).

// labels are how many labels the blocks that are read have.
var labels = map[string]int{"data": 2, "locals": 0, "module": 1, "output": 1, "resource": 2, "variable": 1}

// comment is the property that Terraform ignores wherever blocks are.
const comment = "//"

// parseTFJSON is parseHCL for a file of the JSON syntax.
func parseTFJSON(shown string, data []byte) (*hclsyntax.Body, error) {
	if len(data) > maxHCL {
		return nil, fmt.Errorf("%d bytes are %w of %d", len(data), errLimit, maxHCL)
	}
	v, err := readJSON(shown, data)
	if err != nil {
		return nil, err
	}
	out := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: lined(v.at.File, v.at.Line, 0)}
	for _, file := range v.each() {
		if file.kind != object {
			return nil, notObject("the file", file)
		}
		for _, kind := range file.names() {
			want, read := labels[kind]
			if !read {
				continue
			}
			if err := jsonBlocks(out, kind, file.fields[kind], nil, want); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func notObject(what string, v value) error {
	return fmt.Errorf("line %d: %s is no object", v.at.Line, what)
}

// lined is a range of n bytes on one line of a file.
func lined(file string, line, n int) hcl.Range {
	return hcl.Range{Filename: file, Start: hcl.Pos{Line: line, Column: 1}, End: hcl.Pos{Line: line, Column: 1 + n, Byte: n}}
}

// jsonBlocks adds the blocks of a kind to the body: an object for each label, in the
// last of them the block. A list is as many objects side by side.
func jsonBlocks(out *hclsyntax.Body, kind string, v value, named []string, want int) error {
	for _, x := range v.each() {
		if x.kind != object {
			return notObject(strings.Join(append([]string{kind}, named...), "."), x)
		}
		if len(named) < want {
			for _, name := range x.names() {
				if name == comment {
					continue
				}
				if err := jsonBlocks(out, kind, x.fields[name], append(slices.Clip(named), name), want); err != nil {
					return err
				}
			}
			continue
		}
		body, err := jsonBody(kind, x)
		if err != nil {
			return err
		}
		out.Blocks = append(out.Blocks, &hclsyntax.Block{Type: kind, Labels: named, Body: body, TypeRange: lined(x.at.File, x.at.Line, 0)})
	}
	return nil
}

// jsonBody is the body of a block. What is a block in it and what an argument only a
// provider's schema says: body reads both alike, so that an object is an argument
// unless it makes blocks.
func jsonBody(kind string, v value) (*hclsyntax.Body, error) {
	out := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: lined(v.at.File, v.at.Line, 0)}
	for _, name := range v.names() {
		field := v.fields[name]
		var err error
		switch {
		case name == comment:
		case name == "dynamic" && (kind == "resource" || kind == "data" || kind == "content"):
			err = jsonBlocks(out, "dynamic", field, nil, 1)
		case name == "content" && kind == "dynamic":
			err = jsonBlocks(out, "content", field, nil, 0)
		case (kind == "resource" || kind == "data" || kind == "content") && makesBlocks(field):
			for _, x := range field.each() {
				body, failed := jsonBody(kind, x)
				if failed != nil {
					return nil, failed
				}
				out.Blocks = append(out.Blocks, &hclsyntax.Block{Type: name, Body: body, TypeRange: lined(x.at.File, x.at.Line, 0)})
			}
		default:
			a := &hclsyntax.Attribute{Name: name, NameRange: lined(field.at.File, field.at.Line, 0)}
			if a.Expr, err = jsonArgument(kind, name, field); err == nil {
				out.Attributes[name] = a
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// makesBlocks reports whether objects have a dynamic block in them.
func makesBlocks(v value) bool {
	items := v.each()
	if slices.ContainsFunc(items, func(x value) bool { return x.kind != object }) {
		return false
	}
	return slices.ContainsFunc(items, func(x value) bool {
		return slices.ContainsFunc(x.names(), func(name string) bool { return name == "dynamic" || makesBlocks(x.fields[name]) })
	})
}

// jsonArgument is the expression of an argument. Some are no templates.
func jsonArgument(kind, name string, v value) (hclsyntax.Expression, error) {
	switch kind + "." + name {
	case "variable.type", "dynamic.iterator":
		e, diags := hclsyntax.ParseExpression([]byte(v.text), v.at.File, hcl.Pos{Line: v.at.Line, Column: 1})
		if v.kind != text || deep(hclsyntax.LexExpression, v) || diags.HasErrors() {
			return nil, fmt.Errorf("line %d: %s.%s is no expression", v.at.Line, kind, name)
		}
		return e, nil
	case "variable.default":
		return &hclsyntax.LiteralValueExpr{Val: toCty(v), SrcRange: lined(v.at.File, v.at.Line, 0)}, nil
	}
	e, _, err := jsonExpression(v)
	return e, err
}

// jsonExpression is a value as an expression, and how many bytes its texts have.
func jsonExpression(v value) (e hclsyntax.Expression, size int, err error) {
	switch v.kind {
	case list:
		out := &hclsyntax.TupleConsExpr{}
		for _, item := range v.items {
			x, n, err := jsonExpression(item)
			if err != nil {
				return nil, 0, err
			}
			out.Exprs = append(out.Exprs, x)
			size += n
		}
		out.SrcRange = lined(v.at.File, v.at.Line, size)
		return out, size, nil
	case object:
		out := &hclsyntax.ObjectConsExpr{}
		for _, name := range v.names() {
			field := v.fields[name]
			key, n, err := jsonExpression(textOf(name, field.at))
			if err != nil {
				return nil, 0, err
			}
			x, m, err := jsonExpression(field)
			if err != nil {
				return nil, 0, err
			}
			out.Items = append(out.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: x})
			size += n + m
		}
		out.SrcRange = lined(v.at.File, v.at.Line, size)
		return out, size, nil
	case text:
		if !v.bare && (strings.Contains(v.text, "${") || strings.Contains(v.text, "%{")) {
			e, err := jsonTemplate(v)
			return e, len(v.text), err
		}
	case absent, unknown:
	}
	return &hclsyntax.LiteralValueExpr{Val: toCty(v), SrcRange: lined(v.at.File, v.at.Line, len(v.text))}, len(v.text), nil
}

// A jsonText is the template in a text of JSON.
type jsonText struct {
	hclsyntax.Expression
	at hcl.Range
	// broken says that the text has lines of its own, all of which are on one of the file.
	broken bool
}

func (t jsonText) Range() hcl.Range      { return t.at }
func (t jsonText) StartRange() hcl.Range { return t.at }

func jsonTemplate(v value) (hclsyntax.Expression, error) {
	if deep(hclsyntax.LexTemplate, v) {
		return nil, fmt.Errorf("line %d: it is nested or chained deeper than lamina reads", v.at.Line)
	}
	e, diags := hclsyntax.ParseTemplate([]byte(v.text), v.at.File, hcl.Pos{Line: v.at.Line, Column: 1})
	if diags.HasErrors() {
		_, why, _ := strings.Cut(diagnosed(diags).Error(), ": ")
		return nil, fmt.Errorf("line %d: %s", v.at.Line, why)
	}
	return jsonText{e, lined(v.at.File, v.at.Line, len(v.text)), strings.Contains(v.text, "\n")}, nil
}

// deep reports a text that the parser or the evaluator would go too deep for.
func deep(lex func([]byte, string, hcl.Pos) (hclsyntax.Tokens, hcl.Diagnostics), v value) bool {
	tokens, _ := lex([]byte(v.text), v.at.File, hcl.InitialPos)
	_, deep := tooDeep(tokens)
	return deep
}

// isTFJSON reports whether the file is a configuration in JSON.
func isTFJSON(name string) bool { return strings.HasSuffix(name, ".tf.json") }

// parseTerraform reads a file of either syntax.
func parseTerraform(name, shown string, data []byte) (*hclsyntax.Body, error) {
	if isTFJSON(name) {
		return parseTFJSON(shown, data)
	}
	return parseHCL(shown, data)
}
