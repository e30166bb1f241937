package jssyntax

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2/js"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

type (
	node = codeflow.Node
	stmt = codeflow.Stmt
)

// Limits of the conversion.
const (
	maxNested = 500
	maxItems  = 1 << 16
	window    = 8192 // bytes in which the next token is looked for
)

// converter turns the parser's tree into codeflow's. It walks in the order of
// the source and follows it with a cursor, since the tree has no positions.
type converter struct {
	f     *Facts
	text  string
	pos   int
	line  int32
	depth int
	arena *codeflow.Arena
	// pre are statements that must stand before the one at hand: classes that are
	// expressions.
	pre     []stmt
	classes int
}

func (c *converter) convert(ast *js.AST) (body []stmt, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, fmt.Errorf("defect in the reading of JavaScript, please report it: %v", p)
		}
	}()
	return c.list(ast.List), nil
}

func (c *converter) node(op codeflow.Op) *node { return c.arena.New(op, int(c.line)) }

// Classes of bytes for seek.
const (
	byteOther = iota
	byteName
	byteLine
	byteQuote
	byteSlash
)

var byteClass = func() (t [256]uint8) {
	for c := range t {
		if identByte(byte(c)) {
			t[c] = byteName
		}
	}
	t['\n'], t['"'], t['\''], t['/'] = byteLine, byteQuote, byteQuote, byteSlash
	return t
}()

// seek moves the cursor behind the next place where the token stands, and
// returns the token as a part of the source.
func (c *converter) seek(tok []byte) string {
	if len(tok) == 0 {
		return ""
	}
	s, first, line := c.text, tok[0], c.line
	word := byteClass[first] == byteName
	for i, end := c.pos, min(len(c.text), c.pos+window); i < end; {
		ch := s[i]
		if !word && ch == first && len(s)-i >= len(tok) && s[i:i+len(tok)] == string(tok) {
			return c.found(i, len(tok), line)
		}
		switch byteClass[ch] {
		case byteName:
			j := i + 1
			for j < len(s) && byteClass[s[j]] == byteName {
				j++
			}
			if word && ch == first && (s[i:j] == string(tok) || ch >= '0' && ch <= '9' && strings.HasPrefix(s[i:], string(tok))) {
				return c.found(i, len(tok), line)
			}
			i = j
		case byteLine:
			line++
			i++
		case byteQuote:
			j := i + 1
			for j < end && s[j] != ch && s[j] != '\n' {
				if s[j] == '\\' {
					if j++; j < end && s[j] == '\n' {
						line++
					}
				}
				j++
			}
			if j < end && s[j] == '\n' {
				line++
			}
			i = j + 1
		case byteSlash:
			n := -1
			switch {
			case i+1 < len(s) && s[i+1] == '/' && first != '/':
				if n = strings.IndexByte(s[i:], '\n'); n < 0 {
					return string(tok)
				}
			case i+1 < len(s) && s[i+1] == '*':
				if n = strings.Index(s[i+2:], "*/"); n < 0 {
					return string(tok)
				}
				n += 4
			}
			if n < 0 {
				i++
				continue
			}
			line += int32(strings.Count(s[i:i+n], "\n")) //nolint:gosec // below MaxSource
			i += n
			end = min(len(s), i+window)
		default:
			i++
		}
	}
	return string(tok)
}

// found moves the cursor behind the n bytes at i, which stand on the given line.
func (c *converter) found(i, n int, line int32) string {
	s := c.text[i : i+n]
	c.pos, c.line = i+n, line
	if n > 2 && byteClass[s[0]] != byteName {
		c.line += int32(strings.Count(s, "\n")) //nolint:gosec // below MaxSource
	}
	return s
}

// name reads an identifier.
func (c *converter) name(tok []byte) string {
	s := c.seek(tok)
	m := &c.f.Measures
	m.Names++
	if len(s) >= 5 && s[0] == '_' && (strings.HasPrefix(s, "_0x") || strings.HasPrefix(s, "__0x")) {
		m.HexNames++
	} else if len(s) >= 6 && strings.Trim(s, "lI1O0o_i$") == "" && strings.Trim(s, "_$") != "" {
		m.ConfusingNames++
	}
	if strings.IndexByte(s, '\\') >= 0 {
		s, _ = unescape(s)
	}
	return s
}

func (c *converter) list(l []js.IStmt) []stmt {
	outer := c.pre
	c.pre = nil
	out := make([]stmt, 0, len(l))
	var fns []stmt
	for _, s := range l {
		before := len(out)
		out = c.stmt(out, s)
		if len(c.pre) > 0 {
			// what the statement needs stands before it
			tail := append([]stmt{}, out[before:]...)
			out = append(append(out[:before], c.pre...), tail...)
			c.pre = c.pre[:0]
		}
		if n := len(out) - 1; n >= before && out[n].Op == codeflow.StFunc {
			fns = append(fns, out[n]) // hoisted
			out = out[:n]
		}
		if c.arena.Full() {
			break
		}
	}
	c.pre = outer
	if len(fns) > 0 {
		return append(fns, out...)
	}
	return out
}

func (c *converter) block(s js.IStmt) []stmt {
	switch s := s.(type) {
	case nil:
		return nil
	case *js.BlockStmt:
		if s == nil {
			return nil
		}
		return c.list(s.List)
	default:
		return c.list([]js.IStmt{s})
	}
}

func (c *converter) enter() bool {
	if c.depth++; c.depth > maxNested {
		c.f.Truncated = true
		return false
	}
	return true
}

func (c *converter) stmt(out []stmt, s js.IStmt) []stmt {
	defer func() { c.depth-- }()
	if !c.enter() {
		return out
	}
	add := func(x stmt) { out = append(out, x) }
	value := func(op codeflow.StmtOp, e js.IExpr) {
		x := stmt{Op: op, Value: c.expr(e)}
		x.Line = c.line
		if x.Value != nil {
			x.Line = x.Value.Line
		}
		add(x)
	}
	switch s := s.(type) {
	case *js.BlockStmt:
		return append(out, c.list(s.List)...)
	case *js.ExprStmt:
		value(codeflow.StExpr, s.Value)
	case *js.VarDecl:
		out = c.decl(out, s)
	case *js.FuncDecl:
		fn := c.fn(s.Name, s.Params, &s.Body)
		add(stmt{Op: codeflow.StFunc, Line: fn.Line, Fn: fn})
	case *js.ClassDecl:
		name := ""
		if s.Name != nil {
			name = c.name(s.Name.Name())
		}
		add(c.class(s, name))
	case *js.IfStmt:
		cond := c.expr(s.Cond)
		main := isMain(cond)
		add(stmt{Op: codeflow.StExpr, Line: c.line, Value: cond})
		op := codeflow.StBlock
		if main {
			op = codeflow.StMain
		}
		line := c.line
		add(stmt{Op: op, Line: line, Body: c.block(s.Body)})
		if s.Else != nil {
			add(stmt{Op: codeflow.StBlock, Line: line, Body: c.block(s.Else)})
		}
	case *js.DoWhileStmt:
		add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.block(s.Body)})
		value(codeflow.StExpr, s.Cond)
	case *js.WhileStmt:
		value(codeflow.StExpr, s.Cond)
		add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.block(s.Body)})
	case *js.ForStmt:
		if d, ok := s.Init.(*js.VarDecl); ok {
			out = c.decl(out, d)
		} else if s.Init != nil {
			value(codeflow.StExpr, s.Init)
		}
		if s.Cond != nil {
			value(codeflow.StExpr, s.Cond)
		}
		if s.Post != nil {
			value(codeflow.StExpr, s.Post)
		}
		add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.list(s.Body.List)})
	case *js.ForInStmt:
		add(c.iterate(s.Init, s.Value, s.Body))
	case *js.ForOfStmt:
		add(c.iterate(s.Init, s.Value, s.Body))
	case *js.SwitchStmt:
		value(codeflow.StExpr, s.Init)
		for _, k := range s.List {
			if k.Cond != nil {
				value(codeflow.StExpr, k.Cond)
			}
			add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.list(k.List)})
		}
	case *js.ReturnStmt:
		if s.Value != nil {
			value(codeflow.StReturn, s.Value)
		}
	case *js.ThrowStmt:
		value(codeflow.StExpr, s.Value)
	case *js.WithStmt:
		value(codeflow.StExpr, s.Cond)
		add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.block(s.Body)})
	case *js.LabelledStmt:
		return c.stmt(out, s.Value)
	case *js.TryStmt:
		if s.Body != nil {
			add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.list(s.Body.List)})
		}
		if s.Catch != nil {
			if s.Binding != nil {
				c.binding(s.Binding)
			}
			add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.list(s.Catch.List)})
		}
		if s.Finally != nil {
			add(stmt{Op: codeflow.StBlock, Line: c.line, Body: c.list(s.Finally.List)})
		}
	case *js.ImportStmt:
		add(c.importStmt(s))
	case *js.ExportStmt:
		out = c.export(out, s)
	}
	return out
}

// isMain recognises require.main === module.
func isMain(n *node) bool {
	if n == nil || n.Op != codeflow.OpOther || len(n.Args) != 2 {
		return false
	}
	a, b := n.Args[0], n.Args[1]
	if a != nil && a.Op == codeflow.OpName {
		a, b = b, a
	}
	return a != nil && b != nil && a.Op == codeflow.OpAttr && a.Str == "main" && b.Op == codeflow.OpName && b.Str == "module"
}

func (c *converter) iterate(init, value js.IExpr, body *js.BlockStmt) stmt {
	s := stmt{Op: codeflow.StIter, Line: c.line}
	if d, ok := init.(*js.VarDecl); ok && len(d.List) > 0 {
		s.Targets = []*node{c.binding(d.List[0].Binding)}
	} else {
		s.Targets = []*node{c.expr(init)}
	}
	s.Value = c.expr(value)
	if body != nil {
		s.Body = c.list(body.List)
	}
	return s
}

func (c *converter) decl(out []stmt, d *js.VarDecl) []stmt {
	for _, el := range d.List {
		t := c.binding(el.Binding)
		s := stmt{Op: codeflow.StAssign, Line: c.line, Name: "let", Targets: []*node{t}}
		if el.Default == nil {
			if d.TokenType != js.VarToken {
				out = append(out, s)
			}
			continue
		}
		s.Value = c.expr(el.Default)
		out = append(out, s)
	}
	return out
}

// binding is a pattern as a target.
func (c *converter) binding(b js.IBinding) *node {
	defer func() { c.depth-- }()
	if !c.enter() {
		return nil
	}
	switch b := b.(type) {
	case *js.Var:
		if b == nil {
			return nil
		}
		n := c.node(codeflow.OpName)
		n.Str = c.name(b.Name())
		n.Line = c.line
		return n
	case *js.BindingArray:
		n := c.node(codeflow.OpList)
		for _, el := range b.List {
			n.Args = append(n.Args, c.element(el))
		}
		if b.Rest != nil {
			r := c.node(codeflow.OpSpread)
			r.X = c.binding(b.Rest)
			n.Args = append(n.Args, r)
		}
		return n
	case *js.BindingObject:
		n := c.node(codeflow.OpDict)
		for _, it := range b.List {
			var k *node
			if it.Key != nil {
				k = c.key(it.Key)
				if v, ok := it.Value.Binding.(*js.Var); ok && v != nil && it.Key.IsIdent(v.Data) {
					// {a}: the name stands there once
					t := c.node(codeflow.OpName)
					t.Str = k.Str
					n.Args = append(n.Args, k, c.withDefault(t, it.Value.Default))
					continue
				}
			} else if v, ok := it.Value.Binding.(*js.Var); ok && v != nil {
				t := c.node(codeflow.OpName)
				t.Str = c.name(v.Name())
				k = c.node(codeflow.OpStr)
				k.Str = t.Str
				n.Args = append(n.Args, k, c.withDefault(t, it.Value.Default))
				continue
			}
			n.Args = append(n.Args, k, c.element(it.Value))
		}
		if b.Rest != nil {
			t := c.node(codeflow.OpName)
			t.Str = c.name(b.Rest.Name())
			n.Args = append(n.Args, nil, t)
		}
		return n
	}
	return nil
}

func (c *converter) element(el js.BindingElement) *node {
	if el.Binding == nil {
		return nil
	}
	return c.withDefault(c.binding(el.Binding), el.Default)
}

func (c *converter) withDefault(t *node, def js.IExpr) *node {
	if def == nil {
		return t
	}
	a := c.node(codeflow.OpAssign)
	a.Str, a.Args = "=", []*node{t}
	a.X = c.expr(def)
	return a
}

func (c *converter) key(p *js.PropertyName) *node {
	if p.IsComputed() {
		return c.expr(p.Computed)
	}
	n := c.node(codeflow.OpStr)
	lit := c.seek(p.Literal.Data)
	if p.Literal.TokenType == js.StringToken {
		n.Str, _ = unescape(strings.Trim(lit, lit[:1]))
	} else {
		n.Str = lit
	}
	n.Line = c.line
	return n
}

func (c *converter) fn(name *js.Var, params js.Params, body *js.BlockStmt) *codeflow.Func {
	fn := &codeflow.Func{}
	if name != nil {
		fn.Name = c.name(name.Name())
	}
	fn.Line = c.line
	for i, el := range params.List {
		var p codeflow.Param
		t := c.element(el)
		if i == 0 && fn.Line != c.line && fn.Name == "" {
			fn.Line = c.line
		}
		if t != nil && t.Op == codeflow.OpAssign {
			p.Default = t.X
			t = t.Args[0]
		}
		if t != nil && t.Op == codeflow.OpName {
			p.Name = t.Str
		} else {
			p.Pattern = t
		}
		fn.Params = append(fn.Params, p)
	}
	if params.Rest != nil {
		t := c.binding(params.Rest)
		p := codeflow.Param{Rest: true}
		if t != nil && t.Op == codeflow.OpName {
			p.Name = t.Str
		} else {
			p.Pattern = t
		}
		fn.Params = append(fn.Params, p)
	}
	fn.Body = c.list(body.List)
	return fn
}

func (c *converter) class(d *js.ClassDecl, name string) stmt {
	s := stmt{Op: codeflow.StClass, Line: c.line, Name: name, Fn: &codeflow.Func{}}
	if d.Extends != nil {
		s.Value = c.node(codeflow.OpList)
		s.Value.Args = []*node{c.expr(d.Extends)}
	}
	for i := range d.List {
		el := &d.List[i]
		switch {
		case el.StaticBlock != nil:
			s.Body = append(s.Body, c.list(el.StaticBlock.List)...)
		case el.Method != nil:
			key := c.member(&el.Method.Name)
			fn := c.fn(nil, el.Method.Params, &el.Method.Body)
			fn.Name = key
			s.Body = append(s.Body, stmt{Op: codeflow.StFunc, Line: fn.Line, Fn: fn})
		default:
			key := c.member(&el.Name)
			if el.Init != nil {
				t := c.node(codeflow.OpName)
				t.Str = key
				s.Body = append(s.Body, stmt{Op: codeflow.StAssign, Line: c.line, Name: "let", Targets: []*node{t}, Value: c.expr(el.Init)})
			}
		}
	}
	return s
}

func (c *converter) member(n *js.ClassElementName) string {
	if n.Private != nil {
		return c.name(n.Private.Name())
	}
	if k := c.key(&n.PropertyName); k != nil && k.Op == codeflow.OpStr {
		return k.Str
	}
	return ""
}

func (c *converter) importStmt(s *js.ImportStmt) stmt {
	im := &Import{Kind: codeflow.ImportPlain}
	out := stmt{Op: codeflow.StImport, Import: im}
	type local struct{ name, as string }
	var locals []local
	if s.Default != nil {
		locals = append(locals, local{"", c.name(s.Default)})
	}
	for _, a := range s.List {
		switch {
		case string(a.Name) == "*":
			locals = append(locals, local{"", c.name(a.Binding)})
		case a.Name != nil:
			n := strings.Trim(c.seek(a.Name), `"'`)
			locals = append(locals, local{n, c.name(a.Binding)})
			im.Names = append(im.Names, codeflow.Name{Name: n, As: locals[len(locals)-1].as})
			im.Kind = codeflow.ImportFrom
		case a.Binding != nil:
			n := c.name(a.Binding)
			locals = append(locals, local{n, n})
			im.Names = append(im.Names, codeflow.Name{Name: n})
			im.Kind = codeflow.ImportFrom
		}
	}
	im.Module = codeflow.Clean(quoted(c.seek(s.Module)))
	out.Line = c.line
	base := moduleOf(im.Module)
	for _, l := range locals {
		if l.name == "" || l.name == "default" {
			if im.As == "" {
				im.As = l.as
			}
			out.Binds = append(out.Binds, codeflow.Bind{Name: l.as, Path: base})
			continue
		}
		out.Binds = append(out.Binds, codeflow.Bind{Name: l.as, Path: join(base, l.name)})
	}
	return out
}

func (c *converter) export(out []stmt, s *js.ExportStmt) []stmt {
	if s.Decl != nil {
		switch d := s.Decl.(type) {
		case *js.VarDecl:
			return c.decl(out, d)
		case *js.FuncDecl:
			fn := c.fn(d.Name, d.Params, &d.Body)
			return append(out, stmt{Op: codeflow.StFunc, Line: fn.Line, Fn: fn})
		case *js.ClassDecl:
			name := ""
			if d.Name != nil {
				name = c.name(d.Name.Name())
			}
			return append(out, c.class(d, name))
		}
		v := c.expr(s.Decl)
		t := c.node(codeflow.OpName)
		t.Str = "default"
		return append(out, stmt{Op: codeflow.StAssign, Line: c.line, Name: "let", Targets: []*node{t}, Value: v})
	}
	if s.Module == nil {
		for _, a := range s.List {
			c.seek(a.Binding)
		}
		return out
	}
	im := &Import{Kind: codeflow.ImportExport}
	for _, a := range s.List {
		n := a.Name
		if n == nil {
			n = a.Binding
		}
		im.Names = append(im.Names, codeflow.Name{Name: codeflow.Clean(string(n))})
	}
	im.Module = codeflow.Clean(quoted(c.seek(s.Module)))
	return append(out, stmt{Op: codeflow.StImport, Line: c.line, Import: im})
}

func quoted(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') {
		s, _ = unescape(s[1 : len(s)-1])
	}
	return s
}

// expr converts an expression.
func (c *converter) expr(e js.IExpr) *node {
	defer func() { c.depth-- }()
	if !c.enter() || e == nil {
		return nil
	}
	switch e := e.(type) {
	case *js.Var:
		n := c.node(codeflow.OpName)
		n.Str = c.name(e.Name())
		n.Line = c.line
		return n
	case *js.LiteralExpr:
		return c.literal(e)
	case js.LiteralExpr:
		return c.literal(&e)
	case *js.GroupExpr:
		return c.expr(e.X)
	case *js.DotExpr:
		x := c.expr(e.X)
		n := c.node(codeflow.OpAttr)
		n.X = x
		switch y := e.Y.(type) {
		case js.LiteralExpr:
			n.Str = c.name(y.Data)
		case *js.LiteralExpr:
			n.Str = c.name(y.Data)
		case *js.Var:
			n.Str = c.name(y.Name())
		}
		n.Line = c.line
		return n
	case *js.IndexExpr:
		x := c.expr(e.X)
		n := c.node(codeflow.OpIndex)
		n.X = x
		n.Args = []*node{c.expr(e.Y)}
		n.Line = c.line
		return n
	case *js.CallExpr:
		x := c.expr(e.X)
		n := c.node(codeflow.OpCall)
		n.X = x
		if x != nil && x.Op == codeflow.OpName && x.Str == "require" {
			n.Num = 1
		}
		c.args(n, e.Args.List)
		return n
	case *js.NewExpr:
		x := c.expr(e.X)
		n := c.node(codeflow.OpNew)
		n.X = x
		if e.Args != nil {
			c.args(n, e.Args.List)
		}
		return n
	case *js.TemplateExpr:
		return c.template(e)
	case *js.ArrayExpr:
		n := c.node(codeflow.OpList)
		texts := true
		for _, el := range e.List {
			x := c.expr(el.Value)
			if el.Spread {
				s := c.node(codeflow.OpSpread)
				s.X = x
				x = s
			}
			texts = texts && x != nil && x.Op == codeflow.OpStr
			if len(n.Args) < maxItems {
				n.Args = append(n.Args, x)
			} else {
				c.f.Truncated = true
			}
		}
		if texts {
			c.f.Measures.StringArray = max(c.f.Measures.StringArray, len(n.Args))
		}
		return n
	case *js.ObjectExpr:
		return c.object(e)
	case *js.UnaryExpr:
		return c.unary(e)
	case *js.BinaryExpr:
		return c.binary(e)
	case *js.CondExpr:
		o := c.node(codeflow.OpOther)
		o.Args = []*node{c.expr(e.Cond)}
		n := c.node(codeflow.OpAny)
		x := c.expr(e.X)
		n.Args = []*node{x, c.expr(e.Y), o}
		return n
	case *js.YieldExpr:
		n := c.node(codeflow.OpYield)
		n.Args = []*node{c.expr(e.X)}
		return n
	case *js.ArrowFunc:
		n := c.node(codeflow.OpFunc)
		n.Fn = c.fn(nil, e.Params, &e.Body)
		return n
	case *js.FuncDecl:
		n := c.node(codeflow.OpFunc)
		n.Fn = c.fn(e.Name, e.Params, &e.Body)
		return n
	case *js.MethodDecl:
		n := c.node(codeflow.OpFunc)
		key := c.member(&e.Name)
		n.Fn = c.fn(nil, e.Params, &e.Body)
		n.Fn.Name = key
		return n
	case *js.ClassDecl:
		c.classes++
		name := "(class " + strconv.Itoa(c.classes) + ")"
		if e.Name != nil {
			c.name(e.Name.Name())
		}
		s := c.class(e, name)
		c.pre = append(c.pre, s)
		n := c.node(codeflow.OpName)
		n.Str = name
		return n
	case *js.CommaExpr:
		// the value is the last one; the others are evaluated
		o := c.node(codeflow.OpOther)
		for i, x := range e.List {
			v := c.expr(x)
			if i == len(e.List)-1 {
				n := c.node(codeflow.OpAny)
				n.Args = []*node{o, v}
				return n
			}
			o.Args = append(o.Args, v)
		}
	case *js.VarDecl:
		n := c.node(codeflow.OpOther)
		for _, s := range c.decl(nil, e) {
			a := c.node(codeflow.OpAssign)
			a.Str, a.Args, a.X = "=", s.Targets, s.Value
			n.Args = append(n.Args, a)
		}
		return n
	}
	return nil
}

func (c *converter) args(n *node, l []js.Arg) {
	for _, a := range l {
		x := c.expr(a.Value)
		if a.Rest {
			s := c.node(codeflow.OpSpread)
			s.X = x
			x = s
		}
		if len(n.Args) < maxItems {
			n.Args = append(n.Args, x)
		}
	}
}

func (c *converter) object(e *js.ObjectExpr) *node {
	n := c.node(codeflow.OpDict)
	for i := range e.List {
		p := &e.List[i]
		if len(n.Args) > 2*maxItems {
			c.f.Truncated = true
			break
		}
		switch {
		case p.Spread:
			n.Args = append(n.Args, nil, c.expr(p.Value))
			continue
		case p.Name == nil:
			if m, ok := p.Value.(*js.MethodDecl); ok {
				v := c.expr(m)
				k := c.node(codeflow.OpStr)
				if v != nil && v.Fn != nil {
					k.Str = v.Fn.Name
				}
				n.Args = append(n.Args, k, v)
				continue
			}
			v := c.expr(p.Value)
			k := c.node(codeflow.OpStr)
			if v != nil {
				k.Str = v.Str
			}
			n.Args = append(n.Args, k, v)
			continue
		}
		if v, ok := p.Value.(*js.Var); ok && p.Name.IsIdent(v.Data) {
			x := c.expr(v) // {a}: the name stands there once
			k := c.node(codeflow.OpStr)
			if x != nil {
				k.Str = x.Str
			}
			n.Args = append(n.Args, k, c.withDefault(x, p.Init))
			continue
		}
		k := c.key(p.Name)
		n.Args = append(n.Args, k, c.withDefault(c.expr(p.Value), p.Init))
	}
	return n
}

func (c *converter) template(e *js.TemplateExpr) *node {
	var tag *node
	if e.Tag != nil {
		tag = c.expr(e.Tag)
	}
	n := c.node(codeflow.OpJoin)
	part := func(tok []byte) {
		s := c.seek(tok)
		s = strings.TrimSuffix(strings.TrimSuffix(strings.TrimLeft(s[:1], "`}")+s[1:], "`"), "${")
		if s == "" {
			return
		}
		t := c.node(codeflow.OpStr)
		t.Str = c.constant(s)
		n.Args = append(n.Args, t)
	}
	for _, p := range e.List {
		part(p.Value)
		n.Args = append(n.Args, c.expr(p.Expr))
	}
	if len(e.Tail) > 0 {
		part(e.Tail)
	}
	if len(n.Args) == 0 {
		n.Op = codeflow.OpStr
	}
	if tag != nil {
		call := c.node(codeflow.OpCall)
		call.X, call.Args = tag, []*node{n}
		return call
	}
	if len(n.Args) == 1 && n.Args[0] != nil && n.Args[0].Op == codeflow.OpStr {
		return n.Args[0]
	}
	return n
}

// constant decodes the escapes of a string and measures it.
func (c *converter) constant(s string) string {
	m := &c.f.Measures
	s, escaped := unescape(s)
	m.EscapedBytes += escaped
	m.StringBytes += len(s)
	m.LongestString = max(m.LongestString, len(s))
	if len(s) >= 256 && strings.IndexByte(s[:256], ' ') < 0 {
		m.MaxEntropy = max(m.MaxEntropy, codeflow.Entropy(s[:min(len(s), 1<<16)]))
	}
	return s
}

func (c *converter) literal(e *js.LiteralExpr) *node {
	s := c.seek(e.Data)
	switch e.TokenType { //nolint:exhaustive // the others are no literals with a value
	case js.StringToken:
		n := c.node(codeflow.OpStr)
		if len(s) >= 2 {
			n.Str = c.constant(s[1 : len(s)-1])
		}
		return n
	case js.ThisToken:
		return c.node(codeflow.OpThis)
	case js.DecimalToken, js.IntegerToken, js.HexadecimalToken, js.OctalToken, js.BinaryToken, js.NumericToken:
		t := strings.TrimSuffix(strings.ReplaceAll(s, "_", ""), "n")
		v, err := strconv.ParseInt(t, 0, 64)
		if err != nil {
			if f, ferr := strconv.ParseFloat(t, 64); ferr == nil && f == float64(int64(f)) {
				v, err = int64(f), nil
			}
		}
		if err != nil {
			return c.node(codeflow.OpOther)
		}
		n := c.node(codeflow.OpNum)
		n.Num = v
		return n
	case js.ImportToken, js.SuperToken:
		n := c.node(codeflow.OpName)
		n.Str = s
		return n
	case js.TemplateToken:
		n := c.node(codeflow.OpStr)
		n.Str = c.constant(strings.Trim(s, "`"))
		return n
	}
	return c.node(codeflow.OpOther)
}

func (c *converter) unary(e *js.UnaryExpr) *node {
	x := c.expr(e.X)
	switch e.Op { //nolint:exhaustive // the others give unknown values
	case js.AwaitToken:
		return x
	case js.NegToken, js.SubToken:
		if x != nil && x.Op == codeflow.OpNum {
			x.Num = -x.Num
			return x
		}
	case js.BitNotToken:
		if x != nil && x.Op == codeflow.OpNum {
			x.Num = ^x.Num
			return x
		}
	case js.PosToken, js.AddToken:
		return x
	}
	n := c.node(codeflow.OpOther)
	n.Args = []*node{x}
	return n
}

func (c *converter) binary(e *js.BinaryExpr) *node {
	switch e.Op { //nolint:exhaustive // the others assign nothing
	case js.EqToken, js.AddEqToken, js.SubEqToken, js.MulEqToken, js.DivEqToken, js.ModEqToken, js.ExpEqToken, js.LtLtEqToken, js.GtGtEqToken,
		js.GtGtGtEqToken, js.BitAndEqToken, js.BitOrEqToken, js.BitXorEqToken, js.AndEqToken, js.OrEqToken, js.NullishEqToken:
		t := c.expr(e.X)
		a := c.node(codeflow.OpAssign)
		a.Args = []*node{t}
		a.Str = e.Op.String()
		if e.Op == js.AndEqToken || e.Op == js.OrEqToken || e.Op == js.NullishEqToken {
			a.Str = "="
		}
		a.X = c.expr(e.Y)
		if t != nil {
			a.Line = t.Line
		}
		return a
	}
	// Long chains of + lean to the left: they are taken apart in a loop.
	if e.Op == js.AddToken {
		var parts []js.IExpr
		var x js.IExpr = e
		for {
			b, ok := x.(*js.BinaryExpr)
			if !ok || b.Op != js.AddToken || len(parts) > maxItems {
				parts = append(parts, x)
				break
			}
			parts = append(parts, b.Y)
			x = b.X
		}
		n := c.node(codeflow.OpBin)
		n.Str = "+"
		for _, part := range slices.Backward(parts) {
			n.Args = append(n.Args, c.expr(part))
		}
		return n
	}
	x := c.expr(e.X)
	var n *node
	switch e.Op { //nolint:exhaustive // the default is meant for all others
	case js.OrToken, js.AndToken, js.NullishToken:
		n = c.node(codeflow.OpAny)
	case js.SubToken, js.MulToken, js.DivToken, js.ModToken, js.BitAndToken, js.BitOrToken, js.BitXorToken, js.LtLtToken, js.GtGtToken:
		n = c.node(codeflow.OpBin)
	default:
		n = c.node(codeflow.OpOther)
	}
	n.Str = e.Op.String()
	n.Args = []*node{x, c.expr(e.Y)}
	return n
}

// unescape decodes the escapes of a string literal, and counts those that stand
// for plain characters.
func unescape(s string) (string, int) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	escaped := 0
	for i := 0; i < len(s); {
		ch := s[i]
		i++
		if ch != '\\' || i >= len(s) {
			b.WriteByte(ch)
			continue
		}
		ch = s[i]
		i++
		digits := 0
		switch ch {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte(8)
		case 'f':
			b.WriteByte(12)
		case 'v':
			b.WriteByte(11)
		case '0':
			b.WriteByte(0)
		case '\n':
		case '\r':
			if i < len(s) && s[i] == '\n' {
				i++
			}
		case 'x':
			digits = 2
		case 'u':
			digits = 4
			if i < len(s) && s[i] == '{' {
				if j := strings.IndexByte(s[i:], '}'); j > 1 && j <= 8 {
					if v, err := strconv.ParseUint(s[i+1:i+j], 16, 32); err == nil {
						escaped += plain(&b, rune(v)) //nolint:gosec // of at most 28 bits
						i += j + 1
						continue
					}
				}
			}
		default:
			b.WriteByte(ch)
		}
		if digits > 0 {
			if i+digits <= len(s) {
				if v, err := strconv.ParseUint(s[i:i+digits], 16, 32); err == nil {
					escaped += plain(&b, rune(v)) //nolint:gosec // of at most 28 bits
					i += digits
					continue
				}
			}
			b.WriteByte(ch)
		}
	}
	return b.String(), escaped
}

func plain(b *strings.Builder, r rune) int {
	if !utf8.ValidRune(r) {
		r = utf8.RuneError
	}
	b.WriteRune(r)
	if r >= 0x20 && r < 0x7f {
		return 1
	}
	return 0
}
