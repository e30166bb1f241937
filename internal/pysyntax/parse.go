package pysyntax

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// Limits of the parser.
const (
	maxNodes  = 1 << 20 // expressions of one file
	maxNested = 120     // of expressions and blocks
	maxChain  = 300     // of a.b().c()…
	maxErrors = 16
	maxItems  = 1 << 16 // of a list
)

type (
	node = codeflow.Node
	stmt = codeflow.Stmt
)

// parser makes the tree of a file, statement by statement. What it cannot read
// it skips to the end of the logical line, and says so.
type parser struct {
	lex     lexer
	tok     token
	arena   *codeflow.Arena
	f       *codeflow.Facts
	depth   int
	blocks  int
	pattern bool // in a case: "as" joins
	noIn    bool // in the target of for: "in" ends
	failed  bool // the statement at hand could not be read
}

func (p *parser) advance() { p.tok = p.lex.next() }

func (p *parser) op(s string) bool { return p.tok.kind == tOp && p.tok.text == s }

func (p *parser) word(s string) bool { return p.tok.kind == tName && p.tok.text == s }

func (p *parser) accept(s string) bool {
	if p.tok.kind == tOp && p.tok.text == s || p.tok.kind == tName && p.tok.text == s {
		p.advance()
		return true
	}
	return false
}

func (p *parser) fail(msg string) {
	if p.failed {
		return
	}
	p.failed = true
	if len(p.f.Errors) < maxErrors {
		p.f.Errors = append(p.f.Errors, codeflow.Error{Line: p.tok.line, Message: msg})
	} else {
		p.f.Truncated = true
	}
}

// skip goes to the end of the logical line.
func (p *parser) skip() {
	for p.tok.kind != tNewline && p.tok.kind != tEOF {
		p.advance()
	}
}

// at is the line of the token at hand.
func (p *parser) at() int32 { return int32(p.tok.line) } //nolint:gosec // there are fewer lines than bytes

func (p *parser) file() []stmt {
	p.advance()
	var out []stmt
	for p.tok.kind != tEOF {
		switch p.tok.kind { //nolint:exhaustive // a statement begins with any other
		case tNewline, tDedent:
			p.advance()
		case tIndent:
			// unexpected: read on as if it were not there
			p.fail("unexpected indentation")
			p.failed = false
			p.advance()
		default:
			out = p.statement(out)
		}
		if p.arena.Full() {
			p.f.Truncated = true
			break
		}
	}
	return out
}

// block reads what follows a colon.
func (p *parser) block() []stmt {
	if !p.accept(":") {
		p.fail("expected ':'")
		return nil
	}
	if p.tok.kind != tNewline {
		return p.simple(nil)
	}
	p.advance()
	if p.tok.kind != tIndent {
		p.fail("expected an indented block")
		p.failed = false
		return nil
	}
	p.advance()
	p.blocks++
	defer func() { p.blocks-- }()
	var out []stmt
	for p.tok.kind != tDedent && p.tok.kind != tEOF {
		switch {
		case p.tok.kind == tNewline:
			p.advance()
		case p.tok.kind == tIndent:
			p.fail("unexpected indentation")
			p.failed = false
			p.advance()
			// the matching dedent must not end this block
			for p.tok.kind != tDedent && p.tok.kind != tEOF {
				if p.tok.kind == tNewline || p.tok.kind == tIndent {
					p.advance()
					continue
				}
				out = p.statement(out)
			}
			if p.tok.kind == tDedent {
				p.advance()
			}
		case p.blocks > maxNested:
			p.f.Truncated = true
			p.skipBlock()
			return out
		default:
			out = p.statement(out)
		}
		if p.arena.Full() {
			return out
		}
	}
	if p.tok.kind == tDedent {
		p.advance()
	}
	return out
}

func (p *parser) skipBlock() {
	for depth := 1; depth > 0 && p.tok.kind != tEOF; p.advance() {
		switch p.tok.kind { //nolint:exhaustive // the others do not matter
		case tIndent:
			depth++
		case tDedent:
			if depth--; depth == 0 {
				p.advance()
				return
			}
		}
	}
}

// statement appends the statement at hand to out.
func (p *parser) statement(out []stmt) []stmt {
	p.failed = false
	line := p.at()
	if p.tok.kind == tOp && p.tok.op == '@' {
		return p.decorated(out)
	}
	if p.tok.kind == tName {
		switch p.tok.text {
		case "if", "while":
			loop := p.tok.text == "while"
			p.advance()
			cond := p.namedExpr()
			if !loop && isMain(cond) {
				body := p.block()
				out = append(out, stmt{Op: codeflow.StMain, Line: line, Body: body})
			} else {
				out = append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(cond)})
				out = append(out, stmt{Op: codeflow.StBlock, Line: line, Body: p.block()})
			}
			return p.line(out)
		case "elif":
			p.advance()
			cond := p.namedExpr()
			out = append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(cond)})
			out = append(out, stmt{Op: codeflow.StBlock, Line: line, Body: p.block()})
			return p.line(out)
		case "else", "try", "finally":
			p.advance()
			out = append(out, stmt{Op: codeflow.StBlock, Line: line, Body: p.block()})
			return p.line(out)
		case "except":
			p.advance()
			p.accept("*")
			s := stmt{Op: codeflow.StBlock, Line: line}
			if !p.op(":") {
				v := p.exprList()
				if p.accept("as") {
					t := p.target()
					s.Body = append(s.Body, stmt{Op: codeflow.StAssign, Line: line, Targets: []*node{t}})
				}
				_ = v
			}
			s.Body = append(s.Body, p.block()...)
			return p.line(append(out, s))
		case "for":
			p.advance()
			return p.forStmt(out, line)
		case "with":
			p.advance()
			return p.withStmt(out, line)
		case "def":
			p.advance()
			return p.def(out, line, nil)
		case "class":
			p.advance()
			return p.class(out, line, nil)
		case "async":
			save, tok := p.lex, p.tok
			p.advance()
			switch {
			case p.word("def"):
				p.advance()
				return p.def(out, line, nil)
			case p.word("for"):
				p.advance()
				return p.forStmt(out, line)
			case p.word("with"):
				p.advance()
				return p.withStmt(out, line)
			}
			p.lex, p.tok = save, tok // a name, as it was before 3.7
		case "match", "case":
			if s, ok := p.match(line); ok {
				return p.line(append(out, s...))
			}
		}
	}
	return p.simple(out)
}

// line ends a compound statement that could not be read.
func (p *parser) line(out []stmt) []stmt {
	if p.failed {
		p.skip()
		p.failed = false
	}
	return out
}

// evaluated is a condition as a statement of its own: a string alone would be
// taken for documentation.
func (p *parser) evaluated(n *node) *node {
	if n == nil || n.Op != codeflow.OpStr {
		return n
	}
	o := p.node(codeflow.OpOther, int(n.Line))
	o.Args = []*node{n}
	return o
}

func isMain(n *node) bool {
	if n == nil || n.Op != codeflow.OpOther || len(n.Args) != 2 {
		return false
	}
	a, b := n.Args[0], n.Args[1]
	if a != nil && a.Op == codeflow.OpStr {
		a, b = b, a
	}
	return a != nil && b != nil && n.Str == "==" && a.Op == codeflow.OpName && a.Str == "__name__" && b.Op == codeflow.OpStr && b.Str == "__main__"
}

func (p *parser) forStmt(out []stmt, line int32) []stmt {
	t := p.target()
	if !p.accept("in") {
		p.fail("expected 'in'")
	}
	it := p.exprList()
	return p.line(append(out, stmt{Op: codeflow.StIter, Line: line, Targets: []*node{t}, Value: it, Body: p.block()}))
}

func (p *parser) withStmt(out []stmt, line int32) []stmt {
	// Parentheses around the items look like a tuple until "as" is met.
	save, tok := p.lex, p.tok
	if p.op("(") {
		p.advance()
		items, ok := p.withItems(line, true)
		if ok && p.accept(")") && p.op(":") {
			out = append(out, items...)
			return p.line(append(out, p.block()...))
		}
		p.lex, p.tok = save, tok
		p.failed = false
	}
	items, _ := p.withItems(line, false)
	out = append(out, items...)
	return p.line(append(out, p.block()...))
}

func (p *parser) withItems(line int32, inside bool) ([]stmt, bool) {
	var out []stmt
	for !p.failed {
		if inside && p.op(")") {
			break
		}
		v := p.expr()
		if p.accept("as") {
			t := p.primaryTarget()
			out = append(out, stmt{Op: codeflow.StAssign, Line: line, Targets: []*node{t}, Value: v})
		} else {
			out = append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(v)})
		}
		if !p.accept(",") {
			break
		}
	}
	return out, !p.failed
}

func (p *parser) decorated(out []stmt) []stmt {
	var decorators []*node
	for p.op("@") {
		p.advance()
		decorators = append(decorators, p.namedExpr())
		if p.failed {
			p.skip()
			p.failed = false
		}
		if p.tok.kind == tNewline {
			p.advance()
		}
	}
	line := p.at()
	if p.word("async") {
		p.advance()
	}
	switch {
	case p.accept("def"):
		return p.def(out, line, decorators)
	case p.accept("class"):
		return p.class(out, line, decorators)
	}
	p.fail("expected a function or class after a decorator")
	p.skip()
	return out
}

func (p *parser) def(out []stmt, line int32, decorators []*node) []stmt {
	fn := &codeflow.Func{Line: line, Decorators: decorators}
	if p.tok.kind == tName {
		fn.Name = p.tok.text
		p.advance()
	} else {
		p.fail("expected a name after def")
	}
	p.typeParams()
	if p.op("(") {
		p.advance()
		fn.Params = p.params(")")
		if !p.accept(")") {
			p.fail("expected ')'")
		}
	}
	if p.accept("->") {
		p.exprList()
	}
	if p.failed {
		p.skipToColon()
	}
	fn.Body = p.block()
	return p.line(append(out, stmt{Op: codeflow.StFunc, Line: line, Fn: fn}))
}

// skipToColon gives up on a header and goes to the colon that ends its line.
func (p *parser) skipToColon() {
	for p.tok.kind != tNewline && p.tok.kind != tEOF {
		if p.op(":") && p.lex.depth == 0 {
			save, tok := p.lex, p.tok
			p.advance()
			if p.tok.kind == tNewline {
				p.lex, p.tok = save, tok
				p.failed = false
				return
			}
			continue
		}
		p.advance()
	}
}

func (p *parser) typeParams() {
	if !p.op("[") {
		return
	}
	for depth := 0; p.tok.kind != tEOF && p.tok.kind != tNewline; p.advance() {
		if p.op("[") {
			depth++
		} else if p.op("]") {
			if depth--; depth == 0 {
				p.advance()
				return
			}
		}
	}
}

func (p *parser) params(end string) []codeflow.Param {
	var out []codeflow.Param
	for !p.op(end) && p.tok.kind != tEOF && p.tok.kind != tNewline && !p.failed {
		var q codeflow.Param
		if p.op("*") || p.op("**") {
			q.Rest = true
			p.advance()
		}
		switch {
		case p.tok.kind == tName:
			q.Name = p.tok.text
			p.advance()
		case p.op("("): // Python 2: a pattern
			q.Pattern = p.atom()
		case p.op("/"), p.op(","), p.op(end):
			if p.op("/") {
				p.advance()
			}
			q.Rest = false
		default:
			p.fail("unexpected " + shown(p.tok) + " in parameters")
			return out
		}
		if end == ")" && p.accept(":") {
			if p.op("*") {
				p.advance()
			}
			p.expr()
		}
		if p.accept("=") {
			q.Default = p.expr()
		}
		if q.Name != "" || q.Pattern != nil {
			out = append(out, q)
		}
		if !p.accept(",") {
			break
		}
	}
	return out
}

func shown(t token) string {
	switch t.kind {
	case tEOF:
		return "end of file"
	case tNewline:
		return "end of line"
	case tIndent, tDedent:
		return "indentation"
	case tString:
		return "string"
	case tName, tNumber, tOp:
	}
	if len(t.text) > 24 {
		return "word"
	}
	return strconv.Quote(t.text)
}

func (p *parser) class(out []stmt, line int32, decorators []*node) []stmt {
	s := stmt{Op: codeflow.StClass, Line: line, Fn: &codeflow.Func{Line: line, Decorators: decorators}}
	if p.tok.kind == tName {
		s.Name = p.tok.text
		p.advance()
	} else {
		p.fail("expected a name after class")
	}
	p.typeParams()
	if p.op("(") {
		call := p.node(codeflow.OpCall, p.tok.line)
		p.advance()
		p.arguments(call)
		s.Value = p.node(codeflow.OpList, int(line))
		for _, a := range call.Args {
			if a != nil && a.Op != codeflow.OpKeyword && a.Op != codeflow.OpSpread {
				s.Value.Args = append(s.Value.Args, a)
			}
		}
	}
	s.Body = p.block()
	methods(s.Body)
	return p.line(append(out, s))
}

// methods marks the functions of a class that are given the object.
func methods(body []stmt) {
	for i := range body {
		if f := body[i].Fn; body[i].Op == codeflow.StFunc && f != nil {
			f.Method = true
			for _, d := range f.Decorators {
				if d != nil && d.Op == codeflow.OpName && d.Str == "staticmethod" {
					f.Method = false
				}
			}
		}
		if body[i].Op == codeflow.StBlock {
			methods(body[i].Body)
		}
	}
}

// match reads a match or case statement, if it is one.
func (p *parser) match(line int32) ([]stmt, bool) {
	save, tok, errs := p.lex, p.tok, len(p.f.Errors)
	word := p.tok.text
	p.advance()
	back := func() ([]stmt, bool) {
		p.lex, p.tok, p.failed = save, tok, false
		p.f.Errors = p.f.Errors[:min(errs, len(p.f.Errors))]
		p.pattern = false
		return nil, false
	}
	switch p.tok.kind { //nolint:exhaustive // the default is meant for all others
	case tName, tString, tNumber:
		if p.tok.kind == tName {
			switch p.tok.text {
			case "in", "is", "and", "or", "if", "else", "for":
				return back()
			}
		}
	case tOp:
		if strings.IndexByte("([{-*.", p.tok.op) < 0 || p.op(".") || p.tok.text == "*=" || p.tok.text == "-=" {
			return back()
		}
	default:
		return back()
	}
	var out []stmt
	p.pattern = word == "case"
	v := p.exprList()
	p.pattern = false
	if word == "case" && !p.failed && p.accept("if") {
		out = append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(p.namedExpr())})
	}
	if p.failed || !p.op(":") {
		return back()
	}
	if word == "match" {
		peek, at := p.lex, p.tok
		p.advance()
		if p.tok.kind != tNewline {
			return back()
		}
		p.lex, p.tok = peek, at
		out = append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(v)})
	}
	return append(out, stmt{Op: codeflow.StBlock, Line: line, Body: p.block()}), true
}

// simple reads the simple statements up to the end of the line.
func (p *parser) simple(out []stmt) []stmt {
	for {
		p.failed = false
		before := p.tok.pos
		if p.tok.kind != tNewline && p.tok.kind != tEOF && !p.op(";") {
			out = p.small(out)
		}
		if p.failed {
			p.skip()
			p.failed = false
		}
		switch {
		case p.accept(";"):
			continue
		case p.tok.kind == tNewline:
			p.advance()
			return out
		case p.tok.kind == tEOF || p.tok.kind == tDedent || p.tok.kind == tIndent:
			if p.tok.pos == before && p.tok.kind == tIndent {
				p.advance()
			}
			return out
		}
		p.fail("unexpected " + shown(p.tok))
		p.skip()
		p.failed = false
	}
}

func (p *parser) small(out []stmt) []stmt {
	line := p.at()
	if p.tok.kind == tName {
		switch p.tok.text {
		case "import":
			p.advance()
			return p.importStmt(out, line)
		case "from":
			p.advance()
			return p.fromStmt(out, line)
		case "return":
			p.advance()
			s := stmt{Op: codeflow.StReturn, Line: line}
			if !p.ends() {
				s.Value = p.exprList()
			}
			return append(out, s)
		case "pass", "break", "continue":
			p.advance()
			if p.ends() {
				return out
			}
			p.fail("unexpected " + shown(p.tok))
			return out
		case "global", "nonlocal":
			p.advance()
			s := stmt{Op: codeflow.StGlobal, Line: line}
			for p.tok.kind == tName {
				s.Binds = append(s.Binds, codeflow.Bind{Name: p.tok.text})
				p.advance()
				if !p.accept(",") {
					break
				}
			}
			return append(out, s)
		case "del":
			p.advance()
			return append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(p.exprList())})
		case "assert", "raise":
			p.advance()
			if p.ends() {
				return out
			}
			v := p.exprList()
			if p.accept("from") {
				p.expr()
			}
			return append(out, stmt{Op: codeflow.StExpr, Line: line, Value: p.evaluated(v)})
		case "print", "exec":
			if s, ok := p.python2(line); ok {
				return append(out, s)
			}
		case "type":
			save, tok := p.lex, p.tok
			p.advance()
			if p.tok.kind == tName {
				p.advance()
				p.typeParams()
				if p.accept("=") {
					p.expr()
					return out
				}
			}
			p.lex, p.tok, p.failed = save, tok, false
		}
	}
	first := p.exprList()
	if p.failed {
		return out
	}
	switch {
	case p.op("="):
		s := stmt{Op: codeflow.StAssign, Line: line, Targets: []*node{first}}
		for p.accept("=") {
			v := p.exprList()
			s.Targets = append(s.Targets, v)
			if p.failed {
				break
			}
		}
		n := len(s.Targets) - 1
		s.Value, s.Targets = s.Targets[n], s.Targets[:n]
		return append(out, s)
	case p.op(":"): // an annotation
		p.advance()
		p.expr()
		if p.accept("=") {
			return append(out, stmt{Op: codeflow.StAssign, Line: line, Targets: []*node{first}, Value: p.exprList()})
		}
		return out
	case p.tok.kind == tOp && len(p.tok.text) > 1 && p.tok.text[len(p.tok.text)-1] == '=' && p.tok.text != "==" && p.tok.text != "!=" && p.tok.text != "<=" && p.tok.text != ">=" && p.tok.text != ":=":
		op := strings.TrimSuffix(p.tok.text, "=")
		p.advance()
		return append(out, stmt{Op: codeflow.StAug, Line: line, Name: op, Targets: []*node{first}, Value: p.exprList()})
	}
	return append(out, stmt{Op: codeflow.StExpr, Line: line, Value: first})
}

func (p *parser) ends() bool {
	return p.tok.kind == tNewline || p.tok.kind == tEOF || p.tok.kind == tDedent || p.op(";")
}

// python2 reads the print and exec statements of Python 2, if it is one.
func (p *parser) python2(line int32) (stmt, bool) {
	save, tok := p.lex, p.tok
	word := p.tok.text
	p.advance()
	start := p.tok.kind == tName || p.tok.kind == tString || p.tok.kind == tNumber || word == "print" && p.op(">>") || p.op("`") ||
		word == "print" && p.op("-")
	if p.tok.kind == tName {
		switch p.tok.text {
		case "in", "is", "and", "or", "if", "else", "for", "not":
			start = p.tok.text == "not"
		}
	}
	if !start {
		p.lex, p.tok = save, tok
		return stmt{}, false
	}
	call := p.node(codeflow.OpCall, int(line))
	call.X = p.node(codeflow.OpName, int(line))
	call.X.Str = word
	p.accept(">>")
	for !p.ends() && !p.failed {
		call.Args = append(call.Args, p.expr())
		if !p.accept(",") && !p.accept("in") {
			break
		}
	}
	return stmt{Op: codeflow.StExpr, Line: line, Value: call}, true
}

func (p *parser) dotted() string {
	if p.tok.kind != tName {
		return ""
	}
	from, name := p.tok.pos, p.tok.text
	p.advance()
	if !p.op(".") {
		return name
	}
	var b strings.Builder
	b.WriteString(name)
	for p.op(".") {
		p.advance()
		if p.tok.kind != tName {
			break
		}
		b.WriteByte('.')
		b.WriteString(p.tok.text)
		p.advance()
	}
	_ = from
	return b.String()
}

func (p *parser) importStmt(out []stmt, line int32) []stmt {
	for {
		name := p.dotted()
		if name == "" {
			p.fail("expected a module's name")
			return out
		}
		im := &codeflow.Import{Kind: codeflow.ImportPlain, Module: name, Line: int(line)}
		s := stmt{Op: codeflow.StImport, Line: line, Import: im}
		if p.accept("as") && p.tok.kind == tName {
			im.As = p.tok.text
			s.Binds = []codeflow.Bind{{Name: im.As, Path: name}}
			p.advance()
		} else {
			top, _, _ := strings.Cut(name, ".")
			s.Binds = []codeflow.Bind{{Name: top, Path: top}}
		}
		out = append(out, s)
		if !p.accept(",") {
			return out
		}
	}
}

func (p *parser) fromStmt(out []stmt, line int32) []stmt {
	im := &codeflow.Import{Kind: codeflow.ImportFrom, Line: int(line)}
	for p.tok.kind == tOp && p.tok.op == '.' {
		im.Level += len(p.tok.text)
		p.advance()
	}
	if im.Level == 0 || !p.word("import") {
		im.Module = p.dotted()
	}
	if !p.accept("import") || im.Module == "" && im.Level == 0 {
		p.fail("expected 'import'")
		return out
	}
	s := stmt{Op: codeflow.StImport, Line: line, Import: im}
	base := strings.Repeat(".", im.Level) + im.Module
	if p.accept("*") {
		im.Names = []codeflow.Name{{Name: "*"}}
		return append(out, s)
	}
	paren := p.accept("(")
	for p.tok.kind == tName {
		n := codeflow.Name{Name: p.tok.text}
		p.advance()
		if p.accept("as") && p.tok.kind == tName {
			n.As = p.tok.text
			p.advance()
		}
		local := n.As
		if local == "" {
			local = n.Name
		}
		path := base + "." + n.Name
		if im.Module == "" {
			path = base + n.Name
		}
		im.Names = append(im.Names, n)
		s.Binds = append(s.Binds, codeflow.Bind{Name: local, Path: path})
		if !p.accept(",") {
			break
		}
	}
	if paren && !p.accept(")") {
		p.fail("expected ')'")
	}
	if len(im.Names) == 0 {
		p.fail("expected a name after import")
		return out
	}
	return append(out, s)
}
