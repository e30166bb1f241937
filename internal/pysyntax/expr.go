package pysyntax

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

func (p *parser) node(op codeflow.Op, line int) *node { return p.arena.New(op, line) }

// enter counts nesting; it fails the statement when there is too much.
func (p *parser) enter() bool {
	if p.depth++; p.depth > maxNested {
		if !p.failed {
			p.f.Truncated = true
		}
		p.fail("nested too deep")
		return false
	}
	return true
}

// exprList reads expressions with commas: a tuple, or the one there is.
func (p *parser) exprList() *node {
	line := p.tok.line
	first := p.starExpr()
	if !p.op(",") {
		return first
	}
	l := p.node(codeflow.OpList, line)
	l.Args = append(l.Args, first)
	for p.accept(",") && !p.failed {
		if p.exprEnds() {
			break
		}
		x := p.starExpr()
		if len(l.Args) < maxItems {
			l.Args = append(l.Args, x)
		} else {
			p.f.Truncated = true
		}
	}
	return l
}

func (p *parser) exprEnds() bool {
	switch p.tok.kind {
	case tNewline, tEOF, tIndent, tDedent:
		return true
	case tOp:
		switch p.tok.op {
		case ')', ']', '}', ';', '=', ':':
			return true
		}
	case tName:
		return p.tok.text == "in" || p.tok.text == "for"
	case tNumber, tString:
	}
	return false
}

func (p *parser) starExpr() *node {
	if p.op("*") || p.op("**") {
		s := p.node(codeflow.OpSpread, p.tok.line)
		p.advance()
		s.X = p.binary(4)
		return s
	}
	return p.namedExpr()
}

// target reads the targets of for.
func (p *parser) target() *node {
	was := p.noIn
	p.noIn = true
	n := p.exprList()
	p.noIn = was
	return n
}

// primaryTarget reads the target of with … as.
func (p *parser) primaryTarget() *node { return p.postfix() }

// namedExpr is an expression with := allowed.
func (p *parser) namedExpr() *node {
	n := p.expr()
	if p.op(":=") {
		a := p.node(codeflow.OpAssign, p.tok.line)
		p.advance()
		a.Str = "="
		a.Args = []*node{n}
		a.X = p.expr()
		return a
	}
	return n
}

func (p *parser) expr() *node {
	var n *node
	if p.enter() {
		n = p.choice()
	}
	p.depth--
	return n
}

func (p *parser) choice() *node {
	if p.tok.kind == tName {
		switch p.tok.text {
		case "lambda":
			return p.lambda()
		case "yield":
			p.advance()
			p.accept("from")
			if p.exprEnds() {
				return nil
			}
			n := p.node(codeflow.OpYield, p.tok.line)
			n.Args = []*node{p.exprList()}
			return n
		}
	}
	n := p.binary(1)
	for p.pattern && p.word("as") {
		p.advance()
		p.advance()
	}
	if p.word("if") && !p.pattern {
		line := p.tok.line
		p.advance()
		cond := p.binary(1)
		if !p.accept("else") {
			p.fail("expected 'else'")
			return n
		}
		other := p.expr()
		o := p.node(codeflow.OpOther, line)
		o.Args = []*node{cond}
		either := p.node(codeflow.OpAny, line)
		either.Args = []*node{n, other, o}
		return either
	}
	return n
}

func (p *parser) lambda() *node {
	n := p.node(codeflow.OpFunc, p.tok.line)
	fn := &codeflow.Func{Line: p.at()}
	p.advance()
	fn.Params = p.params(":")
	if !p.accept(":") {
		p.fail("expected ':' after lambda")
		return nil
	}
	line := p.at()
	fn.Body = []stmt{{Op: codeflow.StReturn, Line: line, Value: p.expr()}}
	n.Fn = fn
	return n
}

// precedence of the operator at hand, 0 if it is none.
func (p *parser) precedence() int {
	switch p.tok.kind {
	case tName:
		switch p.tok.text {
		case "or":
			return 1
		case "and":
			return 2
		case "not": // not in
			return 4
		case "in":
			if p.noIn {
				return 0
			}
			return 4
		case "is":
			return 4
		}
	case tOp:
		switch p.tok.text {
		case "<", ">", "==", "!=", "<=", ">=", "<>":
			return 4
		case "|":
			return 5
		case "^":
			return 6
		case "&":
			return 7
		case "<<", ">>":
			return 8
		case "+", "-":
			return 9
		case "*", "/", "//", "%", "@":
			return 10
		}
	case tEOF, tNewline, tIndent, tDedent, tNumber, tString:
	}
	return 0
}

func (p *parser) binary(least int) *node {
	var left *node
	if p.word("not") && least <= 3 {
		line := p.tok.line
		p.advance()
		o := p.node(codeflow.OpOther, line)
		if p.depth++; p.depth > maxNested {
			p.fail("nested too deep")
		} else {
			o.Args = []*node{p.binary(3)}
		}
		p.depth--
		left = o
	} else {
		left = p.unary()
	}
	for !p.failed {
		prec := p.precedence()
		if prec == 0 || prec < least {
			return left
		}
		line, op := p.tok.line, p.tok.text
		p.advance()
		switch op {
		case "not":
			if !p.accept("in") {
				p.fail("expected 'in' after 'not'")
			}
		case "is":
			p.accept("not")
		}
		right := p.binary(prec + 1)
		var n *node
		switch prec {
		case 1, 2:
			if left != nil && left.Op == codeflow.OpAny && left.Str == op && len(left.Args) < maxItems {
				left.Args = append(left.Args, right)
				continue
			}
			n = p.node(codeflow.OpAny, line)
			n.Args = []*node{left, right}
		case 4:
			n = p.node(codeflow.OpOther, line)
			n.Args = []*node{left, right}
		default:
			if op == "+" && left != nil && left.Op == codeflow.OpBin && left.Str == "+" && left.Num == 0 && len(left.Args) < maxItems {
				left.Args = append(left.Args, right)
				continue
			}
			n = p.node(codeflow.OpBin, line)
			n.Args = []*node{left, right}
		}
		n.Str = op
		left = n
	}
	return left
}

func (p *parser) unary() *node {
	if p.tok.kind == tOp && (p.tok.text == "-" || p.tok.text == "+" || p.tok.text == "~") {
		op, line := p.tok.text, p.tok.line
		p.advance()
		if p.depth++; p.depth > maxNested {
			p.fail("nested too deep")
			p.depth--
			return nil
		}
		x := p.unary()
		p.depth--
		if x != nil && x.Op == codeflow.OpNum {
			switch op {
			case "-":
				x.Num = -x.Num
			case "~":
				x.Num = ^x.Num
			}
			return x
		}
		n := p.node(codeflow.OpOther, line)
		n.Args = []*node{x}
		return n
	}
	if p.word("await") {
		save, tok := p.lex, p.tok
		p.advance()
		if !p.exprEnds() && (p.tok.kind != tOp || strings.IndexByte("([{-", p.tok.op) >= 0) {
			return p.postfix()
		}
		p.lex, p.tok = save, tok
	}
	n := p.postfix()
	if p.op("**") {
		line := p.tok.line
		p.advance()
		b := p.node(codeflow.OpBin, line)
		b.Str = "**"
		if p.depth++; p.depth > maxNested {
			p.fail("nested too deep")
		} else {
			b.Args = []*node{n, p.unary()}
		}
		p.depth--
		return b
	}
	return n
}

func (p *parser) postfix() *node {
	n := p.atom()
	for chain := 0; !p.failed && p.tok.kind == tOp; chain++ {
		if chain > maxChain {
			p.f.Truncated = true
			n = nil
		}
		switch p.tok.op {
		case '.':
			if p.tok.text != "." {
				return n
			}
			line := p.tok.line
			p.advance()
			if p.tok.kind != tName {
				p.fail("expected a name after '.'")
				return n
			}
			a := p.node(codeflow.OpAttr, line)
			a.X, a.Str = n, p.tok.text
			p.advance()
			n = a
		case '(':
			c := p.node(codeflow.OpCall, p.tok.line)
			c.X = n
			p.advance()
			p.arguments(c)
			n = c
		case '[':
			n = p.subscript(n)
		default:
			return n
		}
	}
	return n
}

// arguments reads the arguments of a call behind its bracket.
func (p *parser) arguments(c *node) {
	was := p.noIn
	p.noIn = false
	defer func() { p.noIn = was }()
	for !p.op(")") && !p.failed {
		line := p.tok.line
		switch {
		case p.op("*"):
			s := p.node(codeflow.OpSpread, line)
			p.advance()
			s.X = p.expr()
			c.Args = append(c.Args, s)
		case p.op("**"):
			s := p.node(codeflow.OpKeyword, line)
			p.advance()
			s.X = p.expr()
			c.Args = append(c.Args, s)
		default:
			x := p.namedExpr()
			switch {
			case p.op("=") && x != nil && x.Op == codeflow.OpName:
				k := p.node(codeflow.OpKeyword, line)
				k.Str = x.Str
				p.advance()
				k.X = p.expr()
				x = k
			case p.word("for") || p.word("async"):
				x = p.comprehension(x, nil, line)
			}
			if len(c.Args) < maxItems {
				c.Args = append(c.Args, x)
			} else {
				p.f.Truncated = true
			}
		}
		if !p.accept(",") {
			break
		}
	}
	if !p.accept(")") {
		p.fail("expected ')' instead of " + shown(p.tok))
	}
}

func (p *parser) subscript(x *node) *node {
	was := p.noIn
	p.noIn = false
	defer func() { p.noIn = was }()
	line := p.tok.line
	p.advance()
	n := p.node(codeflow.OpIndex, line)
	n.X = x
	var parts [3]*node
	slice, at, many := false, 0, false
	for !p.op("]") && !p.failed {
		switch {
		case p.op(":") || p.op(":="):
			slice = true
			p.advance()
			at++
		case p.op(","):
			many = true
			p.advance()
		default:
			v := p.starOrNamed()
			if at < 3 {
				parts[at] = v
			}
		}
		if at > 2 && !many {
			p.fail("unexpected ':'")
		}
	}
	if !p.accept("]") {
		p.fail("expected ']'")
		return n
	}
	switch {
	case many:
		l := p.node(codeflow.OpList, line)
		l.Args = parts[:1]
		n.Args = []*node{l}
	case slice:
		n.Op = codeflow.OpSlice
		n.Args = []*node{parts[0], parts[1], parts[2]}
	default:
		n.Args = []*node{parts[0]}
	}
	return n
}

func (p *parser) starOrNamed() *node {
	if p.op("*") {
		return p.starExpr()
	}
	return p.namedExpr()
}

// comprehension reads the for and if clauses behind the element.
func (p *parser) comprehension(x, value *node, line int) *node {
	n := p.node(codeflow.OpComp, line)
	n.Args = []*node{x}
	if value != nil {
		n.Args = append(n.Args, value)
	}
	gens := p.node(codeflow.OpList, line)
	n.X = gens
	for !p.failed {
		switch {
		case p.word("async"):
			p.advance()
		case p.word("for"):
			p.advance()
			t := p.target()
			if !p.accept("in") {
				p.fail("expected 'in'")
				return n
			}
			it := p.binary(1)
			gens.Args = append(gens.Args, t, it)
		case p.word("if"):
			p.advance()
			gens.Args = append(gens.Args, nil, p.condition())
		default:
			return n
		}
	}
	return n
}

// condition is the condition of a comprehension: no choice without brackets.
func (p *parser) condition() *node {
	if p.word("lambda") {
		return p.lambda()
	}
	n := p.binary(1)
	if p.op(":=") {
		p.advance()
		a := p.node(codeflow.OpAssign, p.tok.line)
		a.Str, a.Args = "=", []*node{n}
		a.X = p.binary(1)
		return a
	}
	return n
}

func (p *parser) atom() *node {
	line := p.tok.line
	switch p.tok.kind {
	case tName:
		n := p.node(codeflow.OpName, line)
		n.Str = p.tok.text
		switch n.Str {
		case "None", "True", "False":
			n.Op = codeflow.OpOther
		case "if", "else", "elif", "for", "while", "def", "class", "import", "from", "return", "in", "is", "and", "or", "with", "as", "try",
			"except", "finally", "raise", "pass", "break", "continue", "del", "global", "lambda", "assert":
			if n.Str == "lambda" {
				return p.lambda()
			}
			p.fail("unexpected " + shown(p.tok))
			return nil
		}
		p.advance()
		return n
	case tNumber:
		n := p.node(codeflow.OpNum, line)
		if v, ok := number(p.tok.text); ok {
			n.Num = v
		} else {
			n.Op = codeflow.OpOther
		}
		p.advance()
		return n
	case tString:
		return p.strings()
	case tOp:
		switch p.tok.op {
		case '(', '[', '{':
			return p.brackets()
		case '`':
			p.advance()
			o := p.node(codeflow.OpAny, line)
			o.Args = []*node{p.exprList()}
			if !p.accept("`") {
				p.fail("expected '`'")
			}
			return o
		case '.':
			if p.tok.text == "..." {
				p.advance()
				return p.node(codeflow.OpOther, line)
			}
		case '*':
			if p.pattern {
				return p.starExpr()
			}
		}
	case tEOF, tNewline, tIndent, tDedent:
	}
	p.fail("unexpected " + shown(p.tok))
	return nil
}

func number(s string) (int64, bool) {
	if len(s) == 1 {
		return int64(s[0] - '0'), s[0] <= '9'
	}
	s = strings.TrimRight(s, "lL")
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		n, err := strconv.ParseInt(s, 8, 64)
		return n, err == nil
	}
	n, err := strconv.ParseInt(s, 0, 64)
	return n, err == nil
}

// brackets reads what begins with a bracket.
func (p *parser) brackets() *node {
	was := p.noIn
	p.noIn = false
	var n *node
	if p.enter() {
		n = p.bracketed()
	}
	p.depth--
	p.noIn = was
	return n
}

func (p *parser) bracketed() *node {
	open, line := p.tok.op, p.tok.line
	end := ")"
	switch open {
	case '[':
		end = "]"
	case '{':
		end = "}"
	}
	p.advance()
	if p.accept(end) {
		if open == '{' {
			return p.node(codeflow.OpDict, line)
		}
		return p.node(codeflow.OpList, line)
	}
	var n *node
	comma, dict := false, false
	var items []*node
	for !p.op(end) && !p.failed {
		at := p.tok.line
		var x, v *node
		switch {
		case open == '{' && p.op("**"):
			dict = true
			p.advance()
			v = p.expr()
			items = append(items, nil, v)
		case open == '(' && p.word("yield"):
			x = p.expr()
			items = append(items, x)
		default:
			x = p.starOrNamed()
			if open == '{' && p.op(":") {
				dict = true
				p.advance()
				v = p.namedExpr()
			}
			if (p.word("for") || p.word("async")) && len(items) == 0 {
				n = p.comprehension(x, v, at)
			}
			if n == nil && len(items) < 2*maxItems {
				items = append(items, x)
				if dict {
					items = append(items, v)
				}
			}
		}
		if !p.accept(",") {
			break
		}
		comma = true
	}
	if !p.accept(end) {
		p.fail("expected '" + end + "' instead of " + shown(p.tok))
		return nil
	}
	switch {
	case n != nil:
		return n
	case dict:
		n = p.node(codeflow.OpDict, line)
		n.Args = items
	case open == '(' && !comma && len(items) == 1:
		n = items[0]
		if n != nil && n.Op == codeflow.OpBin {
			n.Num = 1 // (a + b) is not joined with what follows
		}
	default:
		n = p.node(codeflow.OpList, line)
		n.Args = items
	}
	if p.f.Measures.StringArray < len(items) && allStrings(items) {
		p.f.Measures.StringArray = len(items)
	}
	return n
}

func allStrings(l []*node) bool {
	for _, n := range l {
		if n == nil || n.Op != codeflow.OpStr {
			return false
		}
	}
	return true
}

// strings reads one or more strings that stand side by side.
func (p *parser) strings() *node {
	line := p.tok.line
	var parts []*node
	plain := true
	for p.tok.kind == tString {
		s, raw, bytes, format := body(p.tok.text)
		at := p.tok.line
		p.advance()
		if format {
			plain = false
			parts = p.format(parts, s, raw, at)
			continue
		}
		n := p.text(s, raw, bytes, at)
		parts = append(parts, n)
	}
	if plain {
		if len(parts) == 1 {
			return parts[0]
		}
		var b strings.Builder
		for _, x := range parts {
			b.WriteString(x.Str)
		}
		parts[0].Str = b.String()
		p.measure(len(parts[0].Str), parts[0].Str)
		return parts[0]
	}
	n := p.node(codeflow.OpJoin, line)
	n.Args = parts
	return n
}

func (p *parser) text(s string, raw, bytes bool, line int) *node {
	n := p.node(codeflow.OpStr, line)
	m := &p.f.Measures
	if raw {
		n.Str = s
	} else {
		var escaped int
		n.Str, escaped = unescape(s, bytes)
		m.EscapedBytes += escaped
	}
	m.StringBytes += len(n.Str)
	p.measure(len(n.Str), n.Str)
	if bytes {
		n.Num = 1
	}
	return n
}

func (p *parser) measure(n int, s string) {
	m := &p.f.Measures
	m.LongestString = max(m.LongestString, n)
	if n >= 256 && strings.IndexByte(s[:256], ' ') < 0 {
		m.MaxEntropy = max(m.MaxEntropy, codeflow.Entropy(s[:min(n, 1<<16)]))
	}
}

// format splits the body of an f-string into text and expressions.
func (p *parser) format(parts []*node, s string, raw bool, line int) []*node {
	from := 0
	text := func(to int) {
		if to > from {
			t := strings.ReplaceAll(strings.ReplaceAll(s[from:to], "{{", "{"), "}}", "}")
			parts = append(parts, p.text(t, raw, false, line))
		}
	}
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			i++
			if i < len(s) && s[i] == 'N' && i+1 < len(s) && s[i+1] == '{' && !raw {
				if j := strings.IndexByte(s[i:], '}'); j >= 0 {
					i += j
				}
			}
		case '{':
			if i+1 < len(s) && s[i+1] == '{' {
				i += 2
				continue
			}
			text(i)
			end, lines, ok := skipField(s, i+1, true, 0, 1, &p.lex.waste)
			if !ok {
				from = len(s)
				return parts
			}
			parts = append(parts, p.field(s[i+1:end-1], line))
			line += lines
			i, from = end, end
			continue
		case '\n':
			line++
		}
		i++
	}
	text(len(s))
	return parts
}

// field parses one replacement field.
func (p *parser) field(s string, line int) *node {
	expr := strings.TrimLeft(s, " \t\r\n\f")
	n := p.node(codeflow.OpAny, line)
	if p.depth > maxNested/2 {
		p.f.Truncated = true
		return n
	}
	sub := parser{lex: newLexer(expr, &p.f.Measures), arena: p.arena, f: p.f, depth: p.depth + 4}
	sub.lex.part, sub.lex.start, sub.lex.line = true, false, line
	errs := len(p.f.Errors)
	sub.advance()
	x := sub.exprList()
	p.f.Errors = p.f.Errors[:errs] // a broken field says nothing about the file
	n.Args = []*node{x}
	if sub.op(":") && x != nil {
		// fields in the format; what is formatted is not shown as a constant
		rest := expr[min(sub.tok.pos+1, len(expr)):]
		if strings.IndexByte(rest, '{') >= 0 {
			n.Args = append(n.Args, p.format(nil, rest, true, line)...)
		}
	}
	return n
}
