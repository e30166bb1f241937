package codeflow

import (
	"slices"
	"strings"
)

// eval is what is known of an expression.
func (e *engine) eval(n *Node) *Value {
	if n == nil {
		return nil
	}
	if e.steps++; e.steps > maxSteps {
		return nil
	}
	if e.depth > maxDepth {
		e.f.Truncated = true
		return nil
	}
	e.depth++
	v := e.evalNode(n)
	e.depth--
	return v
}

func (e *engine) evalNode(n *Node) *Value {
	switch n.Op {
	case OpName:
		return e.lookup(n.Str)
	case OpStr:
		return e.constant(n)
	case OpNum:
		if n.known == nil {
			n.known = e.newValue()
			n.known.shape, n.known.num = shapeNum, n.Num
		}
		return n.known
	case OpAttr:
		if n.Str == "constructor" && e.methodOfLiteral(n.X) {
			return PathValue("Function").Folded()
		}
		return e.attr(e.eval(n.X), n.Str, int(n.Line))
	case OpIndex:
		return e.index(n)
	case OpSlice:
		return e.slice(n)
	case OpCall, OpNew:
		return e.call(n)
	case OpList:
		return e.list(n)
	case OpDict:
		return e.dict(n)
	case OpJoin:
		parts := make([]*Value, 0, len(n.Args))
		for _, a := range n.Args {
			parts = append(parts, e.use(e.eval(a), int(n.Line)))
		}
		return e.noteText(e.concat(parts), n.Line)
	case OpBin:
		return e.binary(n)
	case OpAny:
		var out *Value
		for _, a := range n.Args {
			out = join(out, e.eval(a))
		}
		return out
	case OpFunc:
		if n.Fn == nil {
			return nil
		}
		for _, p := range n.Fn.Params {
			if p.Default != nil {
				e.eval(p.Default)
			}
		}
		st := e.stateOf(n.Fn)
		if st.handler && e.quiet == 0 {
			d := Def{Name: st.name, Line: int(n.Fn.Line), Handler: true}
			for _, p := range n.Fn.Params[:min(len(n.Fn.Params), 16)] {
				d.Params = append(d.Params, Clean(p.Name))
			}
			add(e.f, &e.f.Defs, maxDefs, d)
		}
		return &Value{fn: n.Fn}
	case OpAssign:
		v := e.eval(n.X)
		if len(n.Args) == 1 {
			if n.Str != "=" && n.Str != ":=" {
				e.augment(n.Args[0], v, strings.TrimSuffix(n.Str, "="), int(n.Line))
				return e.eval(n.Args[0])
			}
			e.assign(n.Args[0], v, int(n.Line), false)
		}
		return v
	case OpComp:
		return e.comp(n)
	case OpThis:
		for f := e.fr; f != nil; f = f.outer {
			if f.class != nil {
				return &Value{class: f.class}
			}
		}
		return nil
	case OpKeyword, OpSpread:
		return e.use(e.eval(n.X), int(n.Line))
	case OpYield:
		// what is yielded is what the caller gets
		for _, a := range n.Args {
			e.fr.returned = join(e.fr.returned, onlyTaint(e.use(e.eval(a), int(n.Line))))
		}
		return nil
	case OpOther:
		for _, a := range n.Args {
			e.eval(a)
		}
		return nil
	}
	return nil
}

// constant is a string of the source.
func (e *engine) constant(n *Node) *Value {
	if n.known == nil {
		n.known = e.newValue()
		n.known.shape, n.known.text = shapeText, n.Str
		n.kind, n.known.marks = inspect(n.Str)
	}
	if n.kind != "" {
		e.noteKind(n.kind, n.Str, n.Line, false)
	}
	return n.known
}

// newValue makes values in chunks.
func (e *engine) newValue() *Value {
	if len(e.values) == 0 {
		e.values = make([]Value, 32)
	}
	v := &e.values[0]
	e.values = e.values[1:]
	return v
}

// note keeps a constant if it is of interest.
func (e *engine) note(s string, line int32, folded bool) {
	if e.quiet > 0 || len(s) < 4 {
		return
	}
	if kind := e.classify(s); kind != "" {
		e.noteKind(kind, s, line, folded)
	}
}

// classify is the function of that name, which remembers long texts: the one big
// constant of a bundle goes through many hands.
func (e *engine) classify(s string) string {
	if len(s) < 4096 {
		return classify(s)
	}
	for _, l := range e.long {
		if len(l.text) == len(s) && l.text == s {
			return l.kind
		}
	}
	k := classify(s)
	if len(e.long) == cap(e.long) {
		e.long = append(make([]longText, 0, 8), e.long[cap(e.long)/2:]...)
	}
	e.long = append(e.long, longText{s, k})
	return k
}

func (e *engine) noteKind(kind, s string, line int32, folded bool) {
	if e.quiet > 0 {
		return
	}
	x := String{Kind: kind, Bytes: len(s), Folded: folded, Where: e.where(int(line))}
	if kind != StringBlob {
		x.Value = Clean(s)
	}
	k := kind + x.Value + itoa(int64(line))
	if e.seenStr[k] {
		return
	}
	e.seenStr[k] = true
	if kind == StringBlob {
		x.Entropy = Entropy(s[:min(len(s), 1<<16)])
	}
	add(e.f, &e.f.Strings, maxStrings, x)
}

// noteText keeps what the code put together, if it is of interest.
func (e *engine) noteText(v *Value, line int32) *Value {
	switch {
	case v == nil:
	case v.shape == shapeText && (v.folded || v.joined):
		v.marks |= marksOf(v.text)
		e.note(v.text, line, v.folded)
	case v.shape == shapeTemplate:
		v.marks |= marksOf(v.text)
	}
	return v
}

func (e *engine) concat(parts []*Value) *Value {
	size := 0
	for _, p := range parts {
		if p != nil {
			size += len(p.text)
		}
	}
	if !e.afford(size) {
		var out *Value
		for _, p := range parts {
			out = out.carry(onlyTaint(p))
		}
		return out
	}
	return e.template(parts)
}

// joinTexts puts texts one after the other, big ones once: a bundle puts its one big
// constant together anew in every pass.
func (e *engine) joinTexts(texts []string) string {
	big := false
	for _, t := range texts {
		big = big || len(t) >= foldOnce
	}
	if e == nil || !big || len(texts) == 1 {
		return strings.Join(texts, "")
	}
	for _, j := range e.joined {
		if slices.Equal(j.of, texts) {
			return j.text
		}
	}
	text := strings.Join(texts, "")
	if len(e.joined) == cap(e.joined) {
		e.joined = append(make([]joinedText, 0, 8), e.joined[cap(e.joined)/2:]...)
	}
	e.joined = append(e.joined, joinedText{slices.Clone(texts), text})
	return text
}

// afford says whether n more bytes or elements may be folded in this pass.
func (e *engine) afford(n int) bool {
	if e.work += n; e.work > maxWork {
		e.f.Truncated = true
		return false
	}
	return true
}

// attr is an attribute of a value.
func (e *engine) attr(base *Value, name string, line int) *Value {
	if base == nil {
		return nil
	}
	if base.class != nil {
		if v, ok := base.class.attrs[name]; ok {
			return v.carry(base)
		}
	}
	if base.has(name) {
		return base.Field(name)
	}
	if base.class != nil && name == "prototype" {
		return &Value{class: base.class}
	}
	if base.path != "" {
		if e.lang.Env(base.path) && !e.envMethod(base.path, name) {
			return e.readEnv(TextValue(name), line)
		}
		p := base.path
		if e.lang.Special(p, name) == ModuleDict {
			return base
		}
		return PathValue(e.path(p, name)).carry(base)
	}
	if name == "constructor" && e.lang.Join != nil {
		if base.fn != nil {
			return PathValue(e.path("constructor", name))
		}
		if base.shape != shapeNone {
			return PathValue(name)
		}
	}
	if base.taint != 0 || base.marks != 0 {
		return (*Value)(nil).carry(base)
	}
	return nil
}

// envMethod says whether a name is a method of the environment's mapping.
func (e *engine) envMethod(base, name string) bool {
	p := dotted(base, name)
	if e.lang.Special(p, name) != NotSpecial {
		return true
	}
	k, _ := e.lang.Source(p + "()")
	return k != ""
}

func (e *engine) index(n *Node) *Value {
	base := e.eval(n.X)
	var key *Value
	if len(n.Args) > 0 {
		key = e.eval(n.Args[0])
	}
	line := int(n.Line)
	if base == nil {
		if s, _ := key.Text(); s == "constructor" && e.methodOfLiteral(n.X) {
			return PathValue("Function").Folded()
		}
		return (*Value)(nil).carry(e.use(key, line))
	}
	if base.path != "" && e.lang.Env(base.path) {
		return e.readEnv(key, line)
	}
	if s, ok := key.Text(); ok {
		if base.path == "sys.modules" {
			return PathValue(s)
		}
		if base.path != "" && e.lang.Names != nil && e.lang.Names(base.path) {
			return e.lookup(s)
		}
		v := e.attr(base, s, line)
		if v != nil && (key.folded || key.joined) {
			return v.Folded()
		}
		return v
	}
	if i, ok := key.Int(); ok && (base.shape == shapeList || base.shape == shapeText) {
		if base.shape == shapeText {
			if i < 0 {
				i += int64(len(base.text))
			}
			if i >= 0 && i < int64(len(base.text)) {
				v := TextValue(base.text[i : i+1])
				v.folded = true
				return v
			}
			return nil
		}
		if i < 0 {
			i += int64(len(base.list))
		}
		if i >= 0 && i < int64(len(base.list)) {
			return base.list[i].carry(base)
		}
		return nil
	}
	if base.path != "" && strings.Contains(base.path, "(") {
		return PathValue(base.path + "[]").carry(base)
	}
	out := (*Value)(nil).carry(e.use(base, line))
	if base.shape == shapeDict {
		for _, f := range base.fields {
			if f.v != nil && (f.v.fn != nil || f.v.path != "") {
				out = join(out, f.v)
			}
		}
	}
	return out
}

// methodOfLiteral reports whether n is JavaScript's [].name or "".name: its
// constructor is Function.
func (e *engine) methodOfLiteral(n *Node) bool {
	if e.lang.Join == nil || n == nil || n.Op != OpAttr && n.Op != OpIndex || n.X == nil {
		return false
	}
	return n.X.Op == OpList || n.X.Op == OpStr
}

func (e *engine) slice(n *Node) *Value {
	base := e.use(e.eval(n.X), int(n.Line))
	bound := [3]*Value{}
	for i := range min(3, len(n.Args)) {
		bound[i] = e.eval(n.Args[i])
	}
	if base == nil {
		return nil
	}
	step := int64(1)
	if len(n.Args) > 2 && n.Args[2] != nil {
		s, ok := bound[2].Int()
		if !ok || s == 0 {
			return (*Value)(nil).carry(base)
		}
		step = s
	}
	length := int64(-1)
	switch base.shape { //nolint:exhaustive // the others are not cut
	case shapeText:
		length = int64(len(base.text))
	case shapeList:
		length = int64(len(base.list))
	}
	if length < 0 {
		return (*Value)(nil).carry(base)
	}
	from, to := int64(0), length
	if step < 0 {
		from, to = length-1, -1
	}
	for i, at := range []*int64{&from, &to} {
		if i >= len(n.Args) || n.Args[i] == nil {
			continue
		}
		x, ok := bound[i].Int()
		if !ok {
			return (*Value)(nil).carry(base)
		}
		if x < 0 {
			x += length
		}
		*at = min(max(x, -1), length)
		if step > 0 {
			*at = max(*at, 0)
		} else {
			*at = min(*at, length-1)
		}
	}
	if !e.afford(int(length)) {
		return (*Value)(nil).carry(base)
	}
	out := &Value{shape: base.shape}
	var b strings.Builder
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if base.shape == shapeText {
			b.WriteByte(base.text[i])
		} else {
			out.list = append(out.list, base.list[i])
		}
	}
	out.text = b.String()
	out.folded = base.folded || step != 1
	if step < 0 {
		e.f.Measures.Folded++
	}
	return e.noteText(out.carry(base), n.Line)
}

func (e *engine) list(n *Node) *Value {
	v := &Value{shape: shapeList}
	if len(n.Args) <= maxList {
		v.list = make([]*Value, 0, len(n.Args))
	}
	for _, a := range n.Args {
		if a == nil {
			v.list = append(v.list, nil)
			continue
		}
		x := e.use(e.eval(a), int(n.Line))
		if x != nil {
			v.taint |= x.taint
			v.marks |= x.marks
			v.via |= x.via
		}
		if a.Op == OpSpread {
			if l, ok := x.List(); ok && len(l)+len(v.list) <= maxList {
				v.list = append(v.list, l...)
			} else {
				v.list = append(v.list, nil)
			}
			continue
		}
		v.list = append(v.list, x)
	}
	return v
}

func (e *engine) dict(n *Node) *Value {
	v := &Value{shape: shapeDict}
	for i := 0; i+1 < len(n.Args); i += 2 {
		k, xn := n.Args[i], n.Args[i+1]
		var kv *Value
		if k != nil {
			kv = e.eval(k)
		}
		x := e.eval(xn)
		// Functions and paths keep their names in the dictionary; the taint of the
		// whole is that of the parts.
		u := e.use(x, int(n.Line))
		for _, p := range []*Value{u, e.use(kv, int(n.Line))} {
			if p != nil {
				v.taint |= p.taint
				v.marks |= p.marks
				v.via |= p.via
			}
		}
		if k == nil {
			if x != nil {
				for _, f := range x.fields {
					v.setField(f.key, f.v)
				}
			}
			continue
		}
		if s, ok := kv.Text(); ok {
			v.setField(s, u)
		}
	}
	return v
}

func (e *engine) comp(n *Node) *Value {
	line := int(n.Line)
	var gens []*Node
	if n.X != nil {
		gens = n.X.Args
	}
	// A comprehension over a constant list is computed, so that
	// "".join(chr(c ^ 5) for c in [...]) is known.
	if len(gens) == 2 && gens[0] != nil && gens[0].Op == OpName && len(n.Args) == 1 {
		it := e.eval(gens[1])
		var items []*Value
		switch {
		case it == nil:
		case it.shape == shapeList:
			items = it.list
		case it.shape == shapeText && len(it.text) <= 1<<14 && e.afford(64*len(it.text)):
			for i := range len(it.text) {
				if gens[1].Op == OpStr && gens[1].Num == 1 { // bytes
					items = append(items, IntValue(int64(it.text[i])))
				} else {
					items = append(items, &Value{shape: shapeText, text: it.text[i : i+1]})
				}
			}
		}
		if len(items) > 0 && len(items) <= 1<<14 && e.steps+len(items)*8 < maxSteps && e.afford(len(items)*32) {
			old, had := e.fr.scope.vars[gens[0].Str]
			out := &Value{shape: shapeList}
			known := true
			e.quiet++
			for i, x := range items {
				e.fr.scope.vars[gens[0].Str] = x
				y := e.use(e.eval(n.Args[0]), line)
				if i >= 8 && (y == nil || y.shape == shapeNone) {
					known = false
					break
				}
				out.list = append(out.list, y)
				if y != nil {
					out.taint |= y.taint
					out.marks |= y.marks
				}
			}
			e.quiet--
			if had {
				e.fr.scope.vars[gens[0].Str] = old
			} else {
				delete(e.fr.scope.vars, gens[0].Str)
			}
			if known {
				out.folded = true
				return out.carry(it)
			}
		}
	}
	var out *Value
	e.fr.cond++
	for i := 0; i+1 < len(gens); i += 2 {
		it := e.use(e.eval(gens[i+1]), line)
		if gens[i] != nil {
			e.assign(gens[i], element(it), line, false)
			out = out.carry(it)
		}
	}
	for _, a := range n.Args {
		out = (*Value)(nil).carry(e.use(e.eval(a), line)).carry(onlyTaint(out))
	}
	e.fr.cond--
	return out
}

func onlyTaint(v *Value) *Value { return (*Value)(nil).carry(v) }

func (e *engine) binary(n *Node) *Value {
	line := int(n.Line)
	if n.Str == "+" {
		parts := make([]*Value, 0, len(n.Args))
		ints, lists := true, true
		for _, a := range n.Args {
			v := e.use(e.eval(a), line)
			_, isInt := v.Int()
			_, isList := v.List()
			ints, lists = ints && isInt, lists && isList
			parts = append(parts, v)
		}
		switch {
		case ints && len(parts) > 0:
			var sum int64
			for _, p := range parts {
				sum += p.num
			}
			return IntValue(sum)
		case lists && len(parts) > 0:
			out := &Value{shape: shapeList}
			for _, p := range parts {
				if len(out.list)+len(p.list) <= maxList && e.afford(16*len(p.list)) {
					out.list = append(out.list, p.list...)
				}
				out = out.carry(p)
			}
			return out
		}
		return e.noteText(e.concat(parts), n.Line)
	}
	var vals []*Value
	for _, a := range n.Args {
		vals = append(vals, e.use(e.eval(a), line))
	}
	if len(vals) == 2 {
		a, b := vals[0], vals[1]
		x, okx := a.Int()
		y, oky := b.Int()
		if okx && oky {
			r, ok := arith(n.Str, x, y)
			switch {
			case !ok:
				return nil
			case n.Str == "^": // text that is made so was hidden so
				return IntValue(r).carry(&Value{taint: e.hiding(line)})
			}
			return IntValue(r)
		}
		if s, ok := a.Text(); ok && n.Str == "*" && oky && y >= 0 && int64(len(s))*y <= 1<<12 {
			return TextValue(strings.Repeat(s, int(y)))
		}
		if s, ok := a.Text(); ok && n.Str == "%" && e.afford(len(s)) {
			return e.noteText(e.percent(s, b).carry(onlyTaint(b)), n.Line)
		}
	}
	var out *Value
	for _, v := range vals {
		out = out.carry(onlyTaint(v))
	}
	return out
}

// hiding is the source of values that an exclusive or makes: one in a file, as
// checksums have many.
func (e *engine) hiding(line int) uint64 {
	if e.xor == 0 {
		e.xor = e.source(SourceDecoded, "^", line)
	}
	return e.xor
}

func arith(op string, x, y int64) (int64, bool) {
	switch op {
	case "-":
		return x - y, true
	case "*":
		return x * y, true
	case "^":
		return x ^ y, true
	case "&":
		return x & y, true
	case "|":
		return x | y, true
	case "<<":
		if y >= 0 && y < 32 {
			return x << y, true
		}
	case ">>":
		if y >= 0 && y < 64 {
			return x >> y, true
		}
	case "%":
		if y != 0 {
			r := x % y
			if r != 0 && (r < 0) != (y < 0) {
				r += y
			}
			return r, true
		}
	case "//", "/":
		if y != 0 && x%y == 0 {
			return x / y, true
		}
		if y != 0 && op == "//" && x >= 0 && y > 0 {
			return x / y, true
		}
	}
	return 0, false
}

// percent is Python's "…%s…" % v.
func (e *engine) percent(format string, v *Value) *Value {
	items := []*Value{v}
	if l, ok := v.List(); ok {
		items = l
	}
	var parts []*Value
	for i := 0; i < len(format); {
		j := strings.IndexByte(format[i:], '%')
		if j < 0 || i+j+1 >= len(format) {
			parts = append(parts, TextValue(format[i:]))
			break
		}
		if j > 0 {
			parts = append(parts, TextValue(format[i:i+j]))
		}
		i += j + 1
		if format[i] == '%' {
			parts = append(parts, TextValue("%"))
			i++
			continue
		}
		if format[i] == '(' {
			k := strings.IndexByte(format[i:], ')')
			if k < 0 {
				break
			}
			parts = append(parts, v.Field(format[i+1:i+k]))
			i += k + 1
			for i < len(format) && strings.IndexByte("#0- +.123456789", format[i]) >= 0 {
				i++
			}
			i++
			continue
		}
		plain := true
		for i < len(format) && strings.IndexByte("#0- +.123456789", format[i]) >= 0 {
			plain = false
			i++
		}
		i++
		var x *Value
		if len(items) > 0 {
			x, items = items[0], items[1:]
		}
		if !plain {
			x = onlyTaint(x)
		}
		parts = append(parts, x)
	}
	return (*engine)(nil).template(parts)
}

// Format is Python's str.format of constants and unknown values, with taint.
func Format(format string, args []*Value, named func(string) *Value) *Value {
	var parts []*Value
	next := 0
	for i := 0; i < len(format); {
		j := strings.IndexAny(format[i:], "{}")
		if j < 0 {
			parts = append(parts, TextValue(format[i:]))
			break
		}
		if j > 0 {
			parts = append(parts, TextValue(format[i:i+j]))
		}
		i += j
		c := format[i]
		if i+1 < len(format) && format[i+1] == c {
			parts = append(parts, TextValue(string(c)))
			i += 2
			continue
		}
		if c == '}' {
			i++
			continue
		}
		k := strings.IndexByte(format[i:], '}')
		if k < 0 {
			break
		}
		name := format[i+1 : i+k]
		i += k + 1
		name, _, _ = strings.Cut(name, ":")
		name, _, _ = strings.Cut(name, "!")
		var x *Value
		switch {
		case name == "":
			if next < len(args) {
				x = args[next]
			}
			next++
		case name[0] >= '0' && name[0] <= '9' && len(name) < 3:
			n := int(name[0] - '0')
			if len(name) == 2 {
				n = n*10 + int(name[1]-'0')
			}
			if n >= 0 && n < len(args) {
				x = args[n]
			}
		default:
			x = named(name)
		}
		parts = append(parts, x)
	}
	return (*engine)(nil).template(parts)
}

func (e *engine) argAt(base, i int) *Value {
	for j := base; j < len(e.args); j++ {
		if e.args[j].name == "" && !e.args[j].spread {
			if i == 0 {
				return e.args[j].v
			}
			i--
		}
	}
	return nil
}

func (e *engine) argNamed(base int, name string) *Value {
	for j := base; j < len(e.args); j++ {
		if e.args[j].name == name {
			return e.args[j].v
		}
	}
	return nil
}

// call evaluates a call and says what is known of its result.
func (e *engine) call(n *Node) *Value {
	line := int(n.Line)
	var recv, callee *Value
	method := ""
	switch {
	case n.X == nil:
		return nil
	case n.X.Op == OpAttr:
		recv = e.eval(n.X.X)
		method = n.X.Str
		callee = e.attr(recv, method, line)
	case n.X.Op == OpIndex && len(n.X.Args) == 1:
		callee = e.eval(n.X)
		if k, ok := e.evalQuiet(n.X.Args[0]).Text(); ok {
			method = k
			recv = e.evalQuiet(n.X.X)
		}
	default:
		callee = e.eval(n.X)
		method = lastPart(callee.Path())
	}
	if e.fr.fn != nil && e.quiet == 0 {
		switch {
		case n.X.Op == OpName:
			e.wrapper(n, n.X.Str)
		case n.X.Op == OpAttr && (n.X.Str == "apply" || n.X.Str == "call") && n.X.X != nil && n.X.X.Op == OpName:
			e.wrapper(n, n.X.X.Str)
		}
	}
	base := len(e.args)
	for _, a := range n.Args {
		switch {
		case a == nil:
		case a.Op == OpKeyword:
			e.args = append(e.args, arg{name: a.Str, v: e.eval(a.X), spread: a.Str == ""})
		case a.Op == OpSpread:
			v := e.eval(a.X)
			if l, ok := v.List(); ok && len(l) <= 16 {
				for _, x := range l {
					e.args = append(e.args, arg{v: x})
				}
				continue
			}
			e.args = append(e.args, arg{v: v, spread: true})
		default:
			e.args = append(e.args, arg{v: e.eval(a)})
		}
	}
	v := e.called(n, recv, callee, method, base, line)
	e.args = e.args[:base]
	return v
}

func (e *engine) evalQuiet(n *Node) *Value {
	e.quiet++
	v := e.eval(n)
	e.quiet--
	return v
}

func (e *engine) called(n *Node, recv, callee *Value, method string, base, line int) *Value {
	path := callee.Path()
	if p, ok := strings.CutSuffix(path, ".__call__"); ok {
		path, method = p, lastPart(p)
	}
	name := method
	if path == "" && n.X.Op == OpName {
		name = n.X.Str
	}
	if sp := e.lang.Special(path, name); sp != NotSpecial {
		if v, done := e.special(sp, n, recv, callee, path, base, line); done {
			return v
		}
	}
	args := e.args[base:]
	// What the arguments carry, and the receiver.
	in := onlyTaint(e.use(recv, line))
	var given *Value
	for i := range args {
		u := e.use(args[i].v, line)
		given = given.carry(onlyTaint(u))
	}
	if in != nil && recv.Path() != "" && strings.Contains(recv.path, "(") {
		// a client or connection made with credentials does not leak them by being used
		k, _ := e.lang.Source(recv.path)
		if k == "" && e.lang.Kind(path, method) != "" {
			in = nil
		}
	}
	all := onlyTaint(in.carry(given))

	if folded := e.fold(path, method, recv, args); folded != nil {
		if folded.folded && e.quiet == 0 {
			e.f.Measures.Folded++
		}
		folded = folded.carry(all)
		if e.lang.Decodes(path, method) {
			folded = folded.carry(&Value{taint: e.source(SourceDecoded, Clean(lastOf(path, method)), line)})
			e.record(n, CallDecode, path, method, callee, base, line)
		}
		return e.noteText(folded, n.Line)
	}

	if v := e.mapList(method, recv, args, line); v != nil {
		return v.carry(all)
	}

	kind := e.lang.Kind(path, method)
	if kind != "" {
		for i := range args {
			if kind == CallProcess {
				break
			}
			if t := e.target(kind, args[i].name, args[i].v); t != "" && path != "" && len(e.hosts) < 256 {
				e.hosts[root(path)] = t
				break
			}
		}
		e.record(n, kind, path, method, callee, base, line)
		e.sink(kind, path, method, recv, base, line)
	}

	var out *Value
	if callee != nil && callee.fn != nil {
		out = e.callLocal(callee.fn, args, line)
	} else if callee != nil && callee.class != nil {
		out = e.construct(callee, args)
	}
	e.handOver(base, args, recv, all, path, method, kind, line)

	for i := range args {
		// what a callback returns may be in the result
		if f := args[i].v; f != nil && f.fn != nil && f.fn.state != nil && (callee == nil || callee.fn == nil) && kind == "" {
			out = out.carry(onlyTaint(f.fn.state.ret))
		}
	}
	via := e.lang.Via(path, method)
	switch kind {
	case CallProcess, CallHTTP, CallSocket, CallDNS, CallAWS, CallMail, CallListen, CallSDK, CallThread, CallLog:
		// an answer is not what was sent
	default:
		if callee == nil || callee.fn == nil {
			out = out.carry(all)
		}
	}
	if kind == CallProcess && e.printsEnv(base) {
		out = out.carry(&Value{taint: e.source(SourceEnvAll, "the command env", line)})
	}
	if via != 0 && out != nil {
		out = out.carry(&Value{via: via})
	}
	if e.lang.Decodes(path, method) && all != nil || kind == CallDecode {
		out = out.carry(&Value{taint: e.source(SourceDecoded, Clean(lastOf(path, method)), line)})
	}
	if e.lang.Mutates(method) && given != nil && n.X.Op == OpAttr {
		e.mutated(n.X.X, given)
	}
	// A constant that leads somewhere makes the result a source.
	if given != nil && given.marks != 0 || in != nil && in.marks != 0 {
		m := all.marks
		for _, mk := range markKinds {
			if m&mk.mark != 0 && (kind == CallHTTP || kind == CallFile || kind == CallProcess || kind == CallSocket) {
				out = out.carry(&Value{taint: e.source(mk.kind, mk.name, line)})
			}
		}
	} else if kind == CallHTTP {
		out = out.carry(&Value{taint: e.source(SourceRemote, Clean(lastOf(path, method)), line)})
	}
	if path != "" && (callee.fn == nil) {
		rp := path + "()"
		if e.lang.Factory(path) {
			if s, ok := e.argAt(base, 0).Text(); ok && plainWord(s) {
				rp = path + "(" + s + ")"
			}
		}
		r := PathValue(rp)
		if r != nil {
			out = r.carry(out)
		}
	}
	if out != nil && callee != nil && callee.folded && out.path != "" {
		out = out.Folded()
	}
	return out
}

// mapList computes list.map(f) of constants.
func (e *engine) mapList(method string, recv *Value, args []arg, line int) *Value {
	if method != "map" || len(args) == 0 || args[0].v == nil || args[0].v.fn == nil {
		return nil
	}
	l, ok := recv.List()
	fn := args[0].v.fn
	if !ok || len(l) == 0 || len(l) > 1<<12 || fn.state == nil || fn.state.busy || size(fn.Body) > 8 || e.inlined > 1<<14 {
		return nil
	}
	out := &Value{shape: shapeList, folded: true}
	for i, x := range l {
		y := e.inline(fn, []arg{{v: x}, {v: IntValue(int64(i))}}, 0, line)
		if y == nil || y.shape == shapeNone {
			return nil
		}
		out.list = append(out.list, y)
	}
	return out
}

// mutated puts what a method was given into its object.
func (e *engine) mutated(obj *Node, given *Value) {
	if obj.Op == OpAttr && obj.X != nil && (obj.X.Op == OpThis || obj.X.Op == OpName) {
		if b := e.evalQuiet(obj.X); b != nil && b.class != nil {
			e.setAttr(b.class, obj.Str, b.class.attrs[obj.Str].carry(given))
			return
		}
	}
	if root := rootName(obj); root != "" {
		e.taintName(root, given)
	}
}

// commandLine is the command that a call starts, as far as it is constant.
func (e *engine) commandLine(base int) string {
	first := e.argAt(base, 0)
	for _, name := range []string{"args", "cmd", "command"} {
		if first == nil {
			first = e.argNamed(base, name)
		}
	}
	c := e.target(CallProcess, "", first)
	if c == "" {
		return ""
	}
	if l, ok := e.argAt(base, 1).List(); ok {
		c = strings.TrimSpace(c + " " + Clean(joinTexts(l)))
	}
	return c[:min(len(c), 2*maxClean)]
}

// printsEnv says whether the command of a call shows the environment.
func (e *engine) printsEnv(base int) bool {
	c := e.target(CallProcess, "", e.argAt(base, 0))
	name, _, _ := strings.Cut(strings.TrimSpace(c), " ")
	switch name {
	case "env", "printenv", "/usr/bin/env", "/usr/bin/printenv", "set", "export":
		return true
	}
	return false
}

func lastOf(path, method string) string {
	if path != "" {
		return path
	}
	return method
}

// fold computes calls of constants.
func (e *engine) fold(path, method string, recv *Value, args []arg) *Value {
	if path == "" && recv == nil {
		return nil
	}
	if path != "" && len(args) == 0 && recv.Path() != "" {
		return nil
	}
	cost := 0
	reads := e.lang.Folds == nil || e.lang.Folds(path, method)
	for i := range args {
		if v := args[i].v; v != nil {
			if cost += 32 * len(v.list); reads {
				cost += len(v.text)
			}
		}
	}
	if recv != nil {
		if cost += 32 * len(recv.list); reads {
			cost += len(recv.text)
		}
	}
	key, big := e.bigFold(path, method, recv, args, cost)
	if v, done := e.folded[key]; big && done {
		return v
	}
	if !e.afford(cost) {
		return nil
	}
	v := e.compute(path, method, recv, args)
	if big {
		if e.folded == nil {
			e.folded = map[foldKey]*Value{}
		}
		e.folded[key] = v
	}
	return v
}

// A foldKey is a call of constants that is dear enough to be done once only: a
// bundle decodes its one big constant again in every pass.
type foldKey struct {
	path, method, recv string
	args               [2]string
	n                  int
}

// foldOnce is from how many bytes on a call is remembered.
const foldOnce = 64 << 10

// bigFold returns the key of a call that is worth remembering: of plain texts, one
// of them big.
func (e *engine) bigFold(path, method string, recv *Value, args []arg, cost int) (k foldKey, ok bool) {
	k = foldKey{path: path, method: method, n: len(args)}
	if cost < foldOnce || len(args) > len(k.args) {
		return foldKey{}, false
	}
	plain := func(v *Value) bool { return v != nil && v.list == nil && v.taint == 0 && v.marks == 0 && v.via == 0 }
	if recv != nil {
		if !plain(recv) {
			return foldKey{}, false
		}
		if k.recv, ok = recv.Text(); !ok {
			return foldKey{}, false
		}
	}
	for i, a := range args {
		if a.spread || a.name != "" || !plain(a.v) {
			return foldKey{}, false
		}
		if k.args[i], ok = a.v.Text(); !ok {
			return foldKey{}, false
		}
	}
	return k, true
}

// compute folds a call of constants that can be afforded.
func (e *engine) compute(path, method string, recv *Value, args []arg) *Value {
	at := len(e.vals)
	defer func() { e.vals = e.vals[:at] }()
	for i := range args {
		if args[i].spread {
			return nil
		}
		if args[i].name != "" {
			if method == "format" {
				continue
			}
			return nil
		}
		e.vals = append(e.vals, e.use(args[i].v, 0))
	}
	vals := e.vals[at:]
	if s, ok := recv.Text(); ok && method == "format" {
		return Format(s, vals, func(name string) *Value {
			for i := range args {
				if args[i].name == name {
					return args[i].v
				}
			}
			return nil
		})
	}
	return e.lang.Fold(path, method, recv, vals)
}

// record keeps a call.
func (e *engine) record(n *Node, kind, path, method string, callee *Value, base, line int) {
	if e.quiet > 0 || e.reported[n] {
		return
	}
	if len(e.f.Calls) >= maxCalls {
		e.f.Truncated = true
		return
	}
	c := Call{Kind: kind, Callee: Clean(path), Where: e.where(line)}
	if path == "" {
		c.Callee = Clean("?." + method)
	}
	if callee != nil && callee.folded {
		c.Folded, c.Named = true, true
	}
	args := e.args[base:]
	interesting := kind != CallFile && kind != CallFileWrite && kind != CallLog && kind != CallDecode
	for i := range min(len(args), 8) {
		a := &args[i]
		text, known := a.v.Text()
		shown := ""
		if !known && a.v != nil && a.v.shape == shapeTemplate {
			text, known = a.v.text, true
		}
		if !known {
			if l, ok := a.v.List(); ok {
				text, known = joinTexts(l), true
			}
		}
		if known && !secretAssign(a.name) {
			shown = argument(kind, text)
			if (kind == CallFile || kind == CallFileWrite) && (classify(text) == StringPath || marksOf(text) != 0) {
				interesting = true
			}
		}
		if a.v != nil && a.v.folded && known {
			c.Folded = true
			if kind == CallCode || kind == CallProcess {
				c.DecodedBytes = max(c.DecodedBytes, len(text))
			}
		}
		if a.v != nil && e.hasSource(a.v.taint, SourceDecoded) {
			c.Decoded = true
		}
		if a.name != "" {
			if shown != "" {
				c.Args = append(c.Args, Clean(a.name)+"="+shown)
			}
		} else {
			c.Args = append(c.Args, shown)
		}
		if c.Target == "" && kind != CallProcess {
			c.Target = e.target(kind, a.name, a.v)
		}
	}
	if kind == CallProcess {
		c.Target = e.commandLine(base)
	}
	for len(c.Args) > 0 && c.Args[len(c.Args)-1] == "" {
		c.Args = c.Args[:len(c.Args)-1]
	}
	if len(c.Args) == 0 {
		c.Args = nil
	}
	if kind == CallDecode && !c.Decoded && c.DecodedBytes == 0 {
		// kept: how much is decoded
		if s, ok := e.argAt(base, 0).Text(); ok {
			c.DecodedBytes = len(s)
			interesting = len(s) >= 64
		}
	}
	if !interesting && c.Target == "" {
		return
	}
	e.reported[n] = true
	add(e.f, &e.f.Calls, maxCalls, c)
}

func joinTexts(l []*Value) string {
	var b strings.Builder
	for i, x := range l[:min(len(l), 32)] {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch {
		case x == nil:
			b.WriteString("{}")
		case x.shape == shapeText || x.shape == shapeTemplate:
			b.WriteString(x.text[:min(len(x.text), 512)])
		case x.shape == shapeNum:
			b.WriteString(itoa(x.num))
		default:
			b.WriteString("{}")
		}
	}
	return b.String()
}

func (e *engine) hasSource(taint uint64, kind string) bool {
	if taint == 0 {
		return false
	}
	for i, s := range e.sources {
		if taint&(1<<i) != 0 && s.kind == kind {
			return true
		}
	}
	return false
}

// target is the host, bucket, path or command that an argument names.
func (e *engine) target(kind, name string, v *Value) string {
	if v == nil {
		return ""
	}
	text := v.text
	if v.shape != shapeText && v.shape != shapeTemplate {
		text = ""
	}
	switch kind {
	case CallHTTP, CallSocket, CallDNS, CallMail, CallListen:
		if text != "" && secretAssign(name) {
			return ""
		}
		if h := hostOf(text); h != "" {
			return h
		}
		if l, ok := v.List(); ok { // (host, port)
			for _, x := range l[:min(len(l), 4)] {
				if x != nil && (x.shape == shapeText || x.shape == shapeTemplate) {
					if h := hostOf(x.text); h != "" {
						return h
					}
				}
			}
		}
		for _, k := range []string{"url", "host", "hostname", "uri", "baseURL", "href"} {
			if f := v.Field(k); f != nil && (f.shape == shapeText || f.shape == shapeTemplate) {
				if h := hostOf(f.text); h != "" {
					return h
				}
				if hostLike(f.text) {
					return Clean(f.text)
				}
			}
		}
	case CallProcess:
		if text == "" {
			if l, ok := v.List(); ok {
				text = joinTexts(l)
			}
		}
		return Clean(text)
	case CallFile, CallFileWrite:
		if classify(text) == StringPath || marksOf(text) != 0 {
			return Clean(text)
		}
	case CallAWS, CallSDK:
		for _, k := range awsTargets {
			if strings.EqualFold(name, k) && text != "" {
				return Clean(accountText(text))
			}
			if f := v.Field(k); f != nil && (f.shape == shapeText || f.shape == shapeTemplate) {
				return Clean(accountText(f.text))
			}
		}
	case CallImport, CallNative, CallHook:
		if text != "" && (plainWord(text) && len(text) <= 80 || strings.HasPrefix(text, "/")) {
			return Clean(text)
		}
	}
	return ""
}

// accountText is a bucket, queue URL, topic or function name.
func accountText(s string) string { return s[:min(len(s), 200)] }

var awsTargets = []string{
	"Bucket", "QueueUrl", "TopicArn", "TargetArn", "FunctionName", "StreamName", "DeliveryStreamName", "TableName", "EventBusName", "Entries",
	"logGroupName", "Name", "RoleArn", "stateMachineArn", "Destination", "endpoint_url", "endpoint", "region_name",
}

// sink reports which sources reach a call.
func (e *engine) sink(kind, path, method string, recv *Value, base, line int) {
	if e.quiet > 0 || len(e.sources) == 0 {
		return
	}
	n, names := e.lang.DataArgs(kind, path)
	args := e.args[base:]
	var taint uint64
	var via uint16
	host := ""
	pos := 0
	for i := range args {
		a := &args[i]
		if host == "" && kind != CallProcess {
			host = e.target(kind, a.name, a.v)
		}
		if a.name == "" {
			pos++
			if n >= 0 && pos > n && !a.spread || kind == CallProcess && a.v != nil && a.v.shape == shapeDict {
				continue
			}
		} else if n >= 0 && !slices.Contains(names, a.name) {
			continue
		}
		if u := e.use(a.v, line); u != nil {
			taint |= u.taint
			via |= u.via
		}
	}
	if taint == 0 {
		return
	}
	if kind == CallProcess {
		host = e.commandLine(base)
	} else if host == "" && recv != nil && recv.Path() != "" {
		host = e.hosts[root(recv.path)]
	}
	for i, s := range e.sources {
		if taint&(1<<i) == 0 || !pair(s.kind, kind) || s.kind == SourcePatched && s.name == Clean(path) {
			continue // a wrapper calls what it wraps
		}
		f := Flow{
			Source: s.kind, SourceLine: s.line, SourceName: s.name, Sink: kind, SinkLine: line, SinkName: Clean(path), Host: host,
			AtImport: e.fr.loaded && e.fr.main == 0, Func: e.fr.name,
		}
		if path == "" {
			f.SinkName = Clean("?." + method)
		}
		for _, v := range viaNames {
			if via&v.bit != 0 {
				f.Via = append(f.Via, v.name)
			}
		}
		add(e.f, &e.f.Flows, maxFlows, f)
	}
}

func root(p string) string {
	if before, _, ok := strings.Cut(p, "("); ok {
		return before
	}
	return p
}

// pair says which sources matter at which sinks.
func pair(source, sink string) bool {
	switch sink {
	case CallHTTP, CallSocket, CallDNS, CallMail, CallAWS:
		return source != SourceDecoded && source != SourceRemote
	case CallProcess:
		return source != SourceEnv
	case CallCode:
		return source == SourceDecoded || source == SourceRemote || source == SourceEvent || source == SourceEnvAll || source == SourceMetadata || source == SourceFile || source == SourceEnv
	case CallFileWrite:
		return source != SourceEnv && source != SourceDecoded
	case CallNative, CallImport:
		return source == SourceDecoded || source == SourceRemote
	case CallLog:
		return source == SourceEnvAll || source == SourceEnvSecret || source == SourceCredentials || source == SourceProcEnviron || source == SourceMetadata
	}
	return false
}

// callLocal is a call of a function of the file.
func (e *engine) callLocal(fn *Func, args []arg, line int) *Value {
	st := fn.state
	if st == nil {
		st = e.stateOf(fn)
	}
	offset := 0
	if fn.self() {
		offset = 1
	}
	if e.fr.loaded && e.fr.main == 0 && !st.loaded {
		st.loaded = true
		e.changed, e.again = true, true
	}
	constant := false
	i := offset
	for k := range args {
		u := e.use(args[k].v, line)
		if _, ok := u.Text(); ok || u != nil && (u.shape == shapeList || u.shape == shapeNum) {
			constant = true
		}
		if args[k].name != "" {
			for j := range fn.Params {
				if fn.Params[j].Name == args[k].name {
					e.flowInto(fn, j, u)
				}
			}
			continue
		}
		if args[k].spread {
			for j := i; j < len(fn.Params); j++ {
				e.flowInto(fn, j, onlyTaint(u))
			}
			continue
		}
		e.flowInto(fn, i, u)
		i++
	}
	ret := st.ret
	if constant && st.size <= 24 && st.missed < 3 && !st.busy && e.inlined < 512 && e.quiet < 4 {
		if v := e.inline(fn, args, offset, line); v != nil && (v.shape != shapeNone || v.path != "") {
			return v.carry(onlyTaint(ret))
		}
		st.missed++
	}
	return ret
}

// inline evaluates a small function for the constants of one call, so that what
// a decoder of strings yields is known.
func (e *engine) inline(fn *Func, args []arg, offset, line int) *Value {
	st := fn.state
	e.inlined++
	e.quiet++
	before := e.fr
	sc := &scope{vars: make(map[string]*Value, len(fn.Params))}
	if st.outer != nil {
		sc.parent = st.outer.scope
	} else {
		sc.parent = e.top
	}
	for sc.parent != nil && sc.parent.class != nil {
		sc.parent = sc.parent.parent
	}
	i := offset
	for k := range args {
		if args[k].name != "" || args[k].spread {
			continue
		}
		if i < len(fn.Params) {
			if fn.Params[i].Rest {
				break
			}
			sc.vars[fn.Params[i].Name] = e.use(args[k].v, line)
		}
		i++
	}
	for j := range fn.Params {
		if _, ok := sc.vars[fn.Params[j].Name]; !ok && fn.Params[j].Default != nil {
			sc.vars[fn.Params[j].Name] = e.eval(fn.Params[j].Default)
		}
	}
	e.fr = &frame{fn: fn, scope: sc, class: st.class, name: st.name, outer: st.outer, loaded: before.loaded}
	st.busy = true
	limit := e.steps + 200_000
	e.stmtsWithin(fn.Body, limit)
	st.busy = false
	v := e.fr.returned
	e.fr = before
	e.quiet--
	return v
}

func (e *engine) stmtsWithin(list []Stmt, limit int) {
	for i := range list {
		if e.steps > limit {
			return
		}
		e.stmt(&list[i])
	}
}

// construct is the making of an object of a class of the file.
func (e *engine) construct(c *Value, args []arg) *Value {
	v := &Value{class: c.class}
	for _, name := range []string{"__init__", "constructor"} {
		if m := c.class.attrs[name]; m != nil && m.fn != nil {
			e.callLocal(m.fn, args, 0)
		}
	}
	if c.path != "" {
		v.path = c.path + "()"
	}
	for i := range args {
		v = v.carry(onlyTaint(args[i].v))
	}
	return v
}

// handOver gives functions that are arguments what the call is given: a callback
// sees the data of its receiver, a thread's target its arguments.
func (e *engine) handOver(base int, args []arg, recv, all *Value, path, method, kind string, line int) {
	for i := range args {
		v := args[i].v
		fns := [4]*Value{v}
		n := 1
		if v != nil && v.shape == shapeDict {
			n = 0
			for _, f := range v.fields {
				if f.v != nil && f.v.fn != nil && n < len(fns) {
					fns[n] = f.v
					n++
				}
			}
		}
		for _, fv := range fns[:n] {
			if fv == nil || fv.fn == nil {
				continue
			}
			if fv.fn.state == nil {
				e.stateOf(fv.fn)
			}
			st := fv.fn.state
			if e.fr.loaded && e.fr.main == 0 && !st.loaded {
				st.loaded = true
				e.changed, e.again = true, true
			}
			var other *Value
			other = other.carry(onlyTaint(e.use(recv, line)))
			for j := range args {
				if j != i {
					other = other.carry(onlyTaint(e.use(args[j].v, line)))
				}
			}
			if all != nil {
				other = other.carry(&Value{taint: all.taint &^ onlyBits(v)})
			}
			marks := uint16(0)
			if all != nil {
				marks = all.marks
			}
			switch kind {
			case CallHTTP, CallFile, CallProcess, CallSocket:
				for _, mk := range markKinds {
					if marks&mk.mark != 0 {
						other = other.carry(&Value{taint: e.source(mk.kind, mk.name, line)})
					}
				}
			}
			if kind == CallProcess && e.printsEnv(base) {
				other = other.carry(&Value{taint: e.source(SourceEnvAll, "the command env", line)})
			}
			if kind == "" && e.receives(recv, method, base) && (other == nil || !e.hasSource(other.taint, SourceRemote)) {
				other = other.carry(&Value{taint: e.source(SourceRemote, Clean(lastOf(path, method)), line)})
			}
			if kind == CallHTTP {
				if marks == 0 {
					other = other.carry(&Value{taint: e.source(SourceRemote, Clean(lastOf(path, method)), line)})
				}
				if p := PathValue(path + "()"); p != nil {
					other = p.carry(other)
				}
			}
			for k := range fv.fn.Params {
				e.flowInto(fv.fn, k, other)
			}
		}
	}
}

// receives reports whether a callback is given what comes in on a connection:
// socket.on("data", f).
func (e *engine) receives(recv *Value, method string, base int) bool {
	p, ok := strings.CutSuffix(recv.Path(), "()")
	if !ok || method != "on" && method != "once" && method != "addListener" {
		return false
	}
	event, _ := e.argAt(base, 0).Text()
	kind := e.lang.Kind(p, lastPart(p))
	return (event == "data" || event == "message" || event == "line") && (kind == CallHTTP || kind == CallSocket)
}

func onlyBits(v *Value) uint64 {
	if v == nil {
		return 0
	}
	return v.taint
}

// wrapper looks whether the function at hand hands its own arguments on to a
// function that the function around it was given: then it wraps that function.
func (e *engine) wrapper(n *Node, name string) {
	st, outer := e.fr.fn.state, e.fr.outer
	if st == nil || st.wraps || outer == nil || outer.fn == nil || st.outer == nil {
		return
	}
	given := func(fn *Func, name string) bool {
		return slices.ContainsFunc(fn.Params, func(p Param) bool { return p.Name == name })
	}
	if !given(outer.fn, name) || given(e.fr.fn, name) {
		return
	}
	for _, a := range n.Args {
		if a != nil && (a.Op == OpSpread || a.Op == OpKeyword && a.Str == "") {
			a = a.X
		}
		if a != nil && a.Op == OpName && (given(e.fr.fn, a.Str) || a.Str == "arguments") {
			st.wraps = true
			e.changed, e.again = true, true
			return
		}
	}
}
