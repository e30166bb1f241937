package codeflow

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of the facts of one file, in items.
const (
	maxImports = 4096
	maxCalls   = 512
	maxPatches = 256
	maxEnv     = 256
	maxStrings = 512
	maxFlows   = 128
	maxDefs    = 512
	maxSteps   = 6_000_000 // evaluated nodes, all passes
	maxDepth   = 400       // of nested expressions
	maxPasses  = 256
	maxWork    = 32 << 20 // bytes folded in each of the first passes, and in all others together
	fullPasses = 4
)

// Analyze turns a tree into facts. It fills and returns t.Facts.
func Analyze(t *Tree, l *Lang) (f *Facts) {
	defer func() {
		// A defect here must not end a scan; the facts then say that they are not
		// whole.
		if p := recover(); p != nil {
			t.Facts.Partial = true
			t.Facts.Errors = append(t.Facts.Errors, Error{Message: fmt.Sprintf("defect in the analysis, please report it: %v", p)})
			f = t.Facts
		}
	}()
	e := &engine{lang: l, f: t.Facts, sourceOf: map[sourceKey]uint64{}}
	// The imports are complete after the first pass; flows need as many as values
	// have functions to go through against the order of the source. Few files need
	// ten; what is left then is not known.
	for e.pass = 1; ; e.pass++ {
		e.changed = false
		e.module(t.Body)
		if !e.changed || e.steps > maxSteps || len(e.sources) == 0 && !e.worth() {
			break
		}
		if e.pass == maxPasses {
			e.f.Truncated = true
			break
		}
	}
	e.finish()
	return e.f
}

// worth says whether another pass could find more although there is no source.
func (e *engine) worth() bool {
	return e.again && (e.hidden || len(e.f.Patches) > 0 || slices.ContainsFunc(e.f.Calls, func(c Call) bool {
		return c.Kind != CallLog && c.Kind != CallFile && c.Kind != CallHook && c.Kind != CallThread
	}))
}

type sourceKey struct {
	kind, name string
	line       int
}

type engine struct {
	folded map[foldKey]*Value

	xor      uint64 // the source that hiding gives, 0 before the first
	lang     *Lang
	f        *Facts
	pass     int
	changed  bool
	hidden   bool // what matters is handed to a local function
	again    bool // a pass more is worth it even without sources
	sources  []sourceKey
	sourceOf map[sourceKey]uint64
	steps    int
	depth    int
	inlined  int
	work     int
	line     int // of the statement at hand
	quiet    int
	args     []arg
	fr       *frame
	vals     []*Value
	values   []Value
	queue    []*Func
	top      *scope
	stars    []string          // modules whose names were all imported
	hosts    map[string]string // of a connection's factory
	seenStr  map[string]bool
	reported map[*Node]bool
	long     []longText
	joined   []joinedText
	said     map[nameKey]*said
}

// A longText is a text of many bytes and what classify says of it.
type longText struct{ text, kind string }

// A joinedText is a text of many bytes and what it was put together of.
type joinedText struct {
	of   []string
	text string
}

// arg is one argument of the call being evaluated.
type arg struct {
	name   string
	v      *Value
	spread bool
}

type scope struct {
	vars   map[string]*Value
	parent *scope
	class  *class
}

// A class holds what its methods put into the object's attributes.
type class struct {
	name  string
	attrs map[string]*Value
	bases []*Value
}

// frame is where evaluation stands.
type frame struct {
	fn       *Func
	scope    *scope
	class    *class
	name     string
	cond     int
	main     int
	loaded   bool // runs when the file is loaded
	outer    *frame
	returned *Value
	globals  map[string]bool // names that belong further out
}

// state is what is known of a function.
type state struct {
	scope   *scope
	outer   *frame
	class   *class
	name    string
	params  []*Value
	ret     *Value
	loaded  bool
	patched string // what it replaces
	wraps   bool   // calls what it was given or replaces
	handler bool
	queued  int
	size    int
	busy    bool
	missed  int // times that reading it for constants led nowhere
}

func (e *engine) module(body []Stmt) {
	e.f.Imports, e.f.Calls, e.f.Patches, e.f.Env, e.f.Strings, e.f.Flows, e.f.Defs = nil, nil, nil, nil, nil, nil, nil
	e.seenStr, e.reported, e.hosts = map[string]bool{}, map[*Node]bool{}, map[string]string{}
	e.queue = e.queue[:0]
	e.f.Measures.Folded, e.depth, e.inlined = 0, 0, 0
	if e.pass <= fullPasses {
		e.work = 0
	}
	e.fr = &frame{scope: &scope{vars: map[string]*Value{}}, loaded: true}
	if e.top != nil {
		e.fr.scope = e.top // what the pass before knew
	}
	e.top = e.fr.scope
	e.stmts(body)
	top := e.fr
	// A function is read once in a pass, after what surrounds it.
	for i := 0; i < len(e.queue); i++ { //nolint:intrange // the queue grows meanwhile
		e.function(e.queue[i])
	}
	e.fr = top
}

// finish sorts what the passes found.
func (e *engine) finish() {
	f := e.f
	slices.SortStableFunc(f.Imports, func(a, b Import) int { return cmp.Compare(a.Line, b.Line) })
	slices.SortStableFunc(f.Calls, func(a, b Call) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Callee, b.Callee)) })
	slices.SortStableFunc(f.Patches, func(a, b Patch) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Target, b.Target)) })
	slices.SortStableFunc(f.Env, func(a, b Env) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name)) })
	slices.SortStableFunc(f.Strings, func(a, b String) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Value, b.Value)) })
	slices.SortStableFunc(f.Defs, func(a, b Def) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name)) })
	slices.SortStableFunc(f.Flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.SinkLine, b.SinkLine), cmp.Compare(a.SourceLine, b.SourceLine), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.SourceName, b.SourceName), cmp.Compare(a.SinkName, b.SinkName))
	})
	f.Flows = slices.CompactFunc(f.Flows, func(a, b Flow) bool {
		return a.Source == b.Source && a.SourceLine == b.SourceLine && a.SourceName == b.SourceName && a.SinkLine == b.SinkLine && a.SinkName == b.SinkName && a.Host == b.Host
	})
	f.Calls = slices.CompactFunc(f.Calls, func(a, b Call) bool {
		return a.Line == b.Line && a.Callee == b.Callee && a.Kind == b.Kind && a.Target == b.Target && slices.Equal(a.Args, b.Args)
	})
	if e.steps > maxSteps {
		f.Truncated = true
	}
}

// add appends x to a list of facts unless it is full.
func add[T any](f *Facts, list *[]T, limit int, x T) {
	if len(*list) >= limit {
		f.Truncated = true
		return
	}
	*list = append(*list, x)
}

func (e *engine) where(line int) Where {
	return Where{Line: line, AtImport: e.fr.loaded && e.fr.main == 0, Func: e.fr.name}
}

// source returns the taint bit of a source.
func (e *engine) source(kind, name string, line int) uint64 {
	k := sourceKey{kind, name, line}
	if b, ok := e.sourceOf[k]; ok {
		return b
	}
	i := len(e.sources)
	// Each kind has its share of the bits; the last one stands for all that came
	// later, whose line is then that of the last.
	share, had, last := 18, 0, -1
	switch kind {
	case SourceEnv:
		share = 4
	case SourceRemote, SourceDecoded:
		share = 9
	case SourceEvent:
		share = 6
	case SourcePatched:
		share = 12
	}
	for j := range e.sources {
		if e.sources[j].kind == kind {
			had, last = had+1, j
		}
	}
	if had >= share || i >= maxTaints {
		if last >= 0 {
			return 1 << last
		}
		e.f.Truncated = true
		return 0
	}
	e.sources = append(e.sources, k)
	e.sourceOf[k] = 1 << i
	e.changed = true
	return 1 << i
}

// Statements.

func (e *engine) stmts(list []Stmt) {
	for i := range list {
		if e.steps++; e.steps > maxSteps {
			return
		}
		e.stmt(&list[i])
	}
}

func (e *engine) stmt(s *Stmt) {
	if e.quiet == 0 {
		e.line = int(s.Line)
	}
	switch s.Op {
	case StExpr:
		if s.Value != nil && s.Value.Op == OpStr {
			return // documentation
		}
		e.eval(s.Value)
	case StAssign:
		v := e.eval(s.Value)
		for _, t := range s.Targets {
			e.assign(t, v, int(s.Line), s.Name != "")
		}
	case StAug:
		v := e.eval(s.Value)
		if len(s.Targets) == 1 {
			e.augment(s.Targets[0], v, s.Name, int(s.Line))
		}
	case StIter:
		it := e.use(e.eval(s.Value), int(s.Line))
		e.fr.cond++
		if len(s.Targets) == 1 {
			e.assign(s.Targets[0], element(it), int(s.Line), false)
		}
		e.stmts(s.Body)
		e.fr.cond--
	case StReturn:
		if s.Value != nil {
			e.fr.returned = join(e.fr.returned, e.use(e.eval(s.Value), int(s.Line)))
		}
	case StFunc:
		e.define(s.Fn)
	case StClass:
		e.classDef(s)
	case StBlock:
		e.fr.cond++
		e.stmts(s.Body)
		e.fr.cond--
	case StMain:
		e.fr.main++
		e.fr.cond++
		e.stmts(s.Body)
		e.fr.cond--
		e.fr.main--
	case StImport:
		if s.Import != nil && e.quiet == 0 {
			im := *s.Import
			im.Line = int(s.Line)
			im.Lazy = e.fr.fn != nil
			im.Conditional = e.fr.cond > 0
			if len(im.Names) == 1 && im.Names[0].Name == "*" && im.Level == 0 && len(e.stars) < 8 && !slices.Contains(e.stars, im.Module) {
				e.stars = append(e.stars, im.Module)
			}
			add(e.f, &e.f.Imports, maxImports, im)
		}
		for _, b := range s.Binds {
			e.bind(b.Name, PathValue(b.Path))
		}
	case StGlobal:
		if e.fr.globals == nil {
			e.fr.globals = map[string]bool{}
		}
		for _, b := range s.Binds {
			e.fr.globals[b.Name] = true
		}
	case StDelete:
		for _, t := range s.Targets {
			e.eval(t)
		}
	}
}

func (e *engine) classDef(s *Stmt) {
	c := &class{name: s.Name, attrs: map[string]*Value{}}
	if s.Value != nil {
		for _, b := range s.Value.Args {
			c.bases = append(c.bases, e.eval(b))
		}
	}
	v := &Value{class: c}
	// A class keeps the path of its base: an instance has the base's methods.
	for _, b := range c.bases {
		if b.Path() != "" {
			v.path = b.path
			break
		}
		if b != nil && b.class != nil {
			maps.Copy(c.attrs, b.class.attrs)
		}
	}
	if s.Fn != nil && s.Fn.state != nil && s.Fn.state.class != nil {
		c.attrs = s.Fn.state.class.attrs // of the pass before
	}
	if s.Fn != nil {
		if s.Fn.state == nil {
			s.Fn.state = &state{}
		}
		s.Fn.state.class = c
	}
	e.bind(s.Name, v)
	outer := e.fr
	e.fr = &frame{
		fn: outer.fn, scope: &scope{vars: map[string]*Value{}, parent: outer.scope, class: c}, class: c, name: dotted(outer.name, s.Name),
		cond: outer.cond, main: outer.main, loaded: outer.loaded, outer: outer,
	}
	e.stmts(s.Body)
	for k, x := range e.fr.scope.vars {
		c.attrs[k] = join(c.attrs[k], x)
	}
	e.fr = outer
	if s.Fn != nil {
		for _, d := range s.Fn.Decorators {
			e.eval(d)
		}
	}
}

func dotted(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	if len(a)+len(b) > maxPath {
		return a
	}
	return a + "." + b
}

// stateOf makes or finds what is known of a function, and puts it in the queue
// of the pass.
func (e *engine) stateOf(fn *Func) *state {
	st := fn.state
	if st == nil {
		st = &state{params: make([]*Value, len(fn.Params)), size: size(fn.Body)}
		name := fn.Name
		if name == "" {
			name = "(anonymous)"
		}
		st.name = dotted(e.fr.name, name)
		st.handler = e.lang.Handler(fn)
		fn.state = st
	}
	if st.queued != e.pass {
		st.queued = e.pass
		st.outer = e.fr
		if e.fr.class != nil && st.class == nil {
			st.class = e.fr.class
		}
		if e.quiet == 0 {
			e.queue = append(e.queue, fn)
		} else {
			st.queued = 0
		}
	}
	return st
}

func size(body []Stmt) int {
	n := len(body)
	for i := range body {
		n += size(body[i].Body)
	}
	return n
}

// define binds a function to its name.
func (e *engine) define(fn *Func) {
	st := e.stateOf(fn)
	v := &Value{fn: fn}
	var names []string
	for _, d := range fn.Decorators {
		dv := e.eval(d)
		names = append(names, pathText(d, dv))
		e.decorate(fn, d, dv)
		if dv != nil && dv.fn != nil && dv.fn.state != nil {
			// the decorator is given the function: what it returns is called for it
			e.flowInto(dv.fn, 0, v)
		}
	}
	for _, p := range fn.Params {
		if p.Default != nil {
			e.eval(p.Default)
		}
	}
	if e.quiet == 0 && (len(names) > 0 || st.handler) {
		d := Def{Name: st.name, Line: int(fn.Line), Decorators: names, Handler: st.handler}
		for _, p := range fn.Params[:min(len(fn.Params), 16)] {
			d.Params = append(d.Params, Clean(p.Name))
		}
		add(e.f, &e.f.Defs, maxDefs, d)
	}
	if fn.Name != "" {
		e.bind(fn.Name, v)
	}
}

func pathText(n *Node, v *Value) string {
	if p := v.Path(); p != "" {
		return Clean(strings.TrimSuffix(p, "()"))
	}
	var parts []string
	for n != nil {
		switch n.Op { //nolint:exhaustive // a path ends at all others
		case OpCall:
			n = n.X
			continue
		case OpAttr:
			parts = append(parts, n.Str)
			n = n.X
			continue
		case OpName:
			parts = append(parts, n.Str)
		}
		break
	}
	slices.Reverse(parts)
	return Clean(strings.Join(parts, "."))
}

// decorate handles decorators that put the function in another module's place.
func (e *engine) decorate(fn *Func, d *Node, v *Value) {
	if d.Op != OpCall {
		return
	}
	p := strings.TrimSuffix(v.Path(), "()")
	if e.lang.Special(p, lastPart(p)) == WrapFunction {
		var parts []string
		for _, a := range d.Args {
			if s, ok := e.eval(a).Text(); ok {
				parts = append(parts, s)
			} else if p := e.eval(a).Path(); p != "" {
				parts = append(parts, p)
			}
		}
		e.patch(strings.Join(parts, "."), "", &Value{fn: fn}, int(d.Line))
	}
}

// function reads the body of a function with what is known of its parameters.
func (e *engine) function(fn *Func) {
	st := fn.state
	if st == nil || st.busy || e.steps > maxSteps {
		return
	}
	outer := st.outer
	if st.scope == nil {
		st.scope = &scope{vars: make(map[string]*Value, len(fn.Params)+4)}
	}
	st.scope.parent = outer.scope
	for st.scope.parent != nil && st.scope.parent.class != nil && st.scope.parent.parent != nil {
		st.scope.parent = st.scope.parent.parent // a class's names are not seen by its methods
	}
	fr := &frame{fn: fn, scope: st.scope, class: st.class, name: st.name, loaded: st.loaded, outer: outer}
	if st.class == nil {
		fr.class = outer.class
	}
	e.params(fn, st, fr)
	before := e.fr
	e.fr = fr
	st.busy = true
	e.stmts(fn.Body)
	st.busy = false
	e.fr = before
	e.returns(st, fr.returned)
}

func (e *engine) params(fn *Func, st *state, fr *frame) {
	for i := range fn.Params {
		p := &fn.Params[i]
		v := st.params[i]
		line := int(fn.Line)
		self := fn.self()
		if st.handler && (i == 0 && !self || i == 1 && self) {
			v = v.carry(&Value{taint: e.source(SourceEvent, cleanName(p.Name, "event"), line)})
		}
		if st.patched != "" && (i != 0 || !self) {
			v = v.carry(&Value{taint: e.source(SourcePatched, st.patched, line)})
		}
		if st.wraps && st.patched == "" && !st.handler {
			v = v.carry(&Value{taint: e.source(SourcePatched, "arguments of a wrapped function", line)})
		}
		if p.Default != nil && v == nil {
			was := e.fr
			e.fr = fr.outer
			v = e.eval(p.Default)
			e.fr = was
		}
		if i == 0 && fr.class != nil && self {
			v = (&Value{class: fr.class}).carry(v)
		}
		if p.Pattern != nil {
			was := e.fr
			e.fr = fr
			e.assign(p.Pattern, v, line, true)
			e.fr = was
			continue
		}
		fr.scope.vars[p.Name] = v
	}
	if st.patched != "" || st.wraps {
		name := cmp.Or(st.patched, "arguments of a wrapped function")
		fr.scope.vars["arguments"] = &Value{taint: e.source(SourcePatched, name, int(fn.Line))}
	}
}

// self says whether the first parameter is the object of a method.
func (f *Func) self() bool {
	return len(f.Params) > 0 && (f.Method || f.Params[0].Name == "self" || f.Params[0].Name == "cls")
}

func cleanName(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return Clean(s)
}

func (e *engine) returns(st *state, v *Value) {
	j := join(st.ret, v)
	if differs(st.ret, j) {
		st.ret = j
		e.changed = true
		if j != nil && (j.shape == shapeText || j.path != "" || j.fn != nil) {
			e.again = true
		}
	}
}

func differs(a, b *Value) bool {
	if a == nil || b == nil {
		return a != b
	}
	return a.taint != b.taint || a.marks != b.marks || a.via != b.via || a.path != b.path || a.fn != b.fn || a.shape != b.shape
}

// flowInto says that a function is called with v as its i-th argument.
func (e *engine) flowInto(fn *Func, i int, v *Value) {
	st := fn.state
	if v == nil || st == nil || len(fn.Params) == 0 {
		return
	}
	if i >= len(fn.Params) {
		i = len(fn.Params) - 1
		if !fn.Params[i].Rest {
			return
		}
	}
	if fn.Params[i].Rest {
		v = (*Value)(nil).carry(v)
	}
	j := join(st.params[i], v)
	if v.Path() != "" && !e.hidden && e.lang.Kind(v.path, lastPart(v.path)) != "" {
		e.hidden = true
	}
	if differs(st.params[i], j) {
		st.params[i] = j
		e.changed = true
		if j != nil && (j.fn != nil || j.path != "" || j.shape != shapeNone) {
			e.again = e.again || j.taint != 0 || j.fn != nil || j.path != ""
		}
	}
}

// Names.

func (e *engine) lookup(name string) *Value {
	for s := e.fr.scope; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v
		}
	}
	for _, m := range e.stars {
		p := dotted(m, name)
		if e.lang.Kind(p, name) != "" || e.lang.Special(p, name) != NotSpecial {
			return PathValue(p)
		}
		if k, _ := e.lang.Source(p); k != "" || e.lang.Env(p) {
			return PathValue(p)
		}
	}
	if p := e.lang.Global(name); p != "" {
		return PathValue(p)
	}
	return nil
}

// bind sets a name in the scope at hand. Where the code may not run, the name
// keeps what it had as well.
func (e *engine) bind(name string, v *Value) {
	if name == "" {
		return
	}
	s := e.fr.scope
	if e.fr.globals[name] {
		for s.parent != nil {
			s = s.parent
			if _, ok := s.vars[name]; ok {
				break
			}
		}
		if j := join(s.vars[name], v); differs(s.vars[name], j) {
			s.vars[name] = j
			if e.news(s, name, j) {
				e.changed = true
				e.again = e.again || j != nil && j.path != ""
			}
		}
		return
	}
	old, ok := s.vars[name]
	if e.fr.cond > 0 && ok {
		v = join(old, v)
	}
	s.vars[name] = e.kept(s, name, v)
}

// kept is v with what functions put into the name in passes before: they may have
// run before whoever reads it next.
func (e *engine) kept(s *scope, name string, v *Value) *Value {
	if e.pass == 1 || len(e.said) == 0 {
		return v
	}
	was := e.said[nameKey{s, name}]
	if was == nil {
		return v
	}
	v = v.carry(&Value{taint: was.taint, marks: was.marks, via: was.via})
	if v == nil && len(was.paths) > 0 {
		return PathValue(was.paths[0])
	}
	if v == nil && len(was.fns) > 0 {
		return &Value{fn: was.fns[0]}
	}
	return v
}

// rebind sets a name where it is bound (JavaScript's assignment), or here.
func (e *engine) rebind(name string, v *Value) {
	for s := e.fr.scope; s != nil; s = s.parent {
		if old, ok := s.vars[name]; ok {
			if s != e.fr.scope || e.fr.cond > 0 {
				v = join(old, v)
			}
			if s != e.fr.scope && differs(old, v) && e.news(s, name, v) {
				e.changed = true
			}
			s.vars[name] = v
			return
		}
	}
	e.bind(name, v)
}

// A said is all that any pass found a name to hold.
type said struct {
	taint  uint64
	marks  uint16
	via    uint16
	shapes uint16
	paths  []string
	fns    []*Func
}

type nameKey struct {
	scope *scope
	name  string
}

// news says whether v tells of a name what no assignment before told. A name that
// holds one thing after the other never comes to rest, but what it holds does.
func (e *engine) news(s *scope, name string, v *Value) bool {
	if v == nil {
		return false
	}
	k := nameKey{s, name}
	was := e.said[k]
	if was == nil {
		if e.said == nil {
			e.said = map[nameKey]*said{}
		}
		was = &said{}
		e.said[k] = was
	}
	fresh := v.taint&^was.taint != 0 || v.marks&^was.marks != 0 || v.via&^was.via != 0 || was.shapes&(1<<v.shape) == 0
	was.taint |= v.taint
	was.marks |= v.marks
	was.via |= v.via
	was.shapes |= 1 << v.shape
	if v.path != "" && len(was.paths) < maxFields && !slices.Contains(was.paths, v.path) {
		was.paths, fresh = append(was.paths, v.path), true
	}
	if v.fn != nil && len(was.fns) < maxFields && !slices.Contains(was.fns, v.fn) {
		was.fns, fresh = append(was.fns, v.fn), true
	}
	return fresh
}

// assign puts v into a target. declare says that names are new here.
func (e *engine) assign(t *Node, v *Value, line int, declare bool) {
	if t == nil {
		return
	}
	if e.steps++; e.steps > maxSteps || e.depth > maxDepth {
		return
	}
	e.depth++
	e.assignTo(t, v, line, declare)
	e.depth--
}

func (e *engine) assignTo(t *Node, v *Value, line int, declare bool) {
	if v != nil && v.fn != nil && v.fn.state != nil && v.fn.Name == "" && (t.Op == OpName || t.Op == OpAttr) {
		v.fn.state.name = dotted(parentName(v.fn.state.name), t.Str)
		v.fn.state.handler = v.fn.state.handler || (t.Str == "handler" || t.Str == "lambdaHandler") && len(v.fn.Params) > 0
	}
	switch t.Op { //nolint:exhaustive // nothing is assigned to the others
	case OpName:
		if declare || e.lang.Declares {
			e.bind(t.Str, v)
		} else {
			e.rebind(t.Str, v)
		}
	case OpAttr:
		if t.X != nil && (t.X.Op == OpThis || t.X.Op == OpName) {
			base := e.eval(t.X)
			if base != nil && base.class != nil {
				e.setAttr(base.class, t.Str, v)
				return
			}
			e.setPath(base, t.Str, v, line)
			if t.X.Op == OpName && base.Path() == "" {
				e.store(t.X.Str, t.Str, v)
			}
			return
		}
		e.setPath(e.eval(t.X), t.Str, v, line)
		if root := rootName(t.X); root != "" {
			e.taintName(root, v)
		}
	case OpIndex:
		base := e.eval(t.X)
		var key *Value
		if len(t.Args) > 0 {
			key = e.eval(t.Args[0])
		}
		name, ok := key.Text()
		if base.Path() != "" {
			if !ok {
				name = "{}"
			}
			e.setPath(base, name, v, line)
			return
		}
		if base != nil && base.class != nil && ok {
			e.setAttr(base.class, name, v)
			return
		}
		if root := rootName(t.X); root != "" {
			if ok && t.X.Op == OpName {
				e.store(root, name, v)
			} else {
				e.taintName(root, v)
			}
			e.taintName(root, key)
		}
	case OpList:
		l, ok := v.List()
		for i, x := range t.Args {
			switch {
			case x == nil:
			case x.Op == OpSpread:
				e.assign(x.X, (*Value)(nil).carry(v), line, declare)
			case ok && i < len(l):
				e.assign(x, l[i], line, declare)
			default:
				e.assign(x, element(e.use(v, line)), line, declare)
			}
		}
	case OpDict:
		for i := 0; i+1 < len(t.Args); i += 2 {
			k, x := t.Args[i], t.Args[i+1]
			var fv *Value
			if k != nil && k.Op == OpStr {
				fv = e.attr(v, k.Str, line)
			} else {
				fv = (*Value)(nil).carry(e.use(v, line))
			}
			e.assign(x, fv, line, declare)
		}
	case OpAssign: // a pattern with a default
		if len(t.Args) > 0 {
			if v == nil {
				v = e.eval(t.X)
			}
			e.assign(t.Args[0], v, line, declare)
		}
	case OpSpread:
		e.assign(t.X, v, line, declare)
	default:
		e.eval(t)
	}
}

func parentName(s string) string {
	if i := strings.LastIndexByte(s, '.'); i >= 0 {
		return s[:i]
	}
	return ""
}

func (e *engine) setAttr(c *class, name string, v *Value) {
	j := join(c.attrs[name], v)
	if len(c.attrs) < 1024 && differs(c.attrs[name], j) {
		c.attrs[name] = j
		e.changed = true
		if j != nil && (j.path != "" || j.taint != 0) {
			e.again = true
		}
	}
}

// store puts v under a key of the dictionary or object that a name holds.
func (e *engine) store(name, key string, v *Value) {
	if v == nil {
		return
	}
	old := e.lookup(name)
	var c Value
	if old != nil {
		c = *old
	}
	if c.shape == shapeNone {
		c.shape = shapeDict
	}
	if c.shape == shapeDict {
		c.fields = slices.Clone(c.fields)
		c.setField(key, v)
	}
	u := e.use(v, 0)
	if u != nil {
		c.taint |= u.taint
		c.marks |= u.marks
		c.via |= u.via
	}
	e.put(name, &c)
}

// put replaces the value of a name where it is bound.
func (e *engine) put(name string, v *Value) {
	for s := e.fr.scope; s != nil; s = s.parent {
		if old, ok := s.vars[name]; ok {
			if s != e.fr.scope && differs(old, v) && e.news(s, name, v) {
				e.changed = true
			}
			s.vars[name] = v
			return
		}
	}
	e.fr.scope.vars[name] = v
}

// taintName adds the taint of v to what a name holds.
func (e *engine) taintName(name string, v *Value) {
	v = e.use(v, 0)
	if v == nil || v.taint == 0 && v.marks == 0 {
		return
	}
	if old := e.lookup(name); old.Path() == "" || strings.Contains(old.path, "(") {
		e.put(name, old.carry(v))
	}
}

func rootName(n *Node) string {
	for range maxDepth {
		if n == nil {
			return ""
		}
		switch n.Op { //nolint:exhaustive // the others have no root
		case OpName:
			return n.Str
		case OpAttr, OpIndex, OpSlice, OpCall:
			n = n.X
		default:
			return ""
		}
	}
	return ""
}

func (e *engine) augment(t *Node, v *Value, op string, line int) {
	old := e.eval(t)
	if op == "+" && t.Op == OpName {
		if l, ok := old.List(); ok {
			if r, ok := v.List(); ok && len(l)+len(r) <= maxList && e.afford(16*(len(l)+len(r))) {
				e.assign(t, ListValue(append(slices.Clip(l), r...)), line, false)
				return
			}
		}
		if e.fr.cond == 0 {
			e.assign(t, e.concat([]*Value{e.use(old, line), e.use(v, line)}), line, false)
			return
		}
	}
	if root := rootName(t); root != "" {
		e.taintName(root, v)
	}
	if t.Op == OpIndex || t.Op == OpAttr {
		e.assign(t, v, line, false)
	}
}

// setPath is an assignment to an attribute or item of an object with a path.
func (e *engine) setPath(base *Value, name string, v *Value, line int) {
	p := base.Path()
	if p == "" {
		return
	}
	e.patch(p, name, v, line)
}

// patch records an assignment to base.name, if that belongs to another module.
func (e *engine) patch(base, name string, v *Value, line int) {
	if e.lang.Env(base) {
		e.setEnv(name, v, line)
		return
	}
	target := e.path(base, name)
	kind := e.lang.Foreign(base, target)
	if kind == "" {
		return
	}
	var by string
	calls := false
	if v != nil && v.fn != nil && v.fn.state == nil {
		e.stateOf(v.fn)
	}
	if v != nil && v.fn != nil {
		st := v.fn.state
		if st.patched == "" {
			st.patched = Clean(target)
			e.changed, e.again = true, true
		}
		by, calls = Clean(st.name), st.wraps
	} else {
		by = Clean(v.Path())
		if v != nil && v.class != nil {
			by = Clean(v.class.name)
		}
	}
	if e.quiet > 0 {
		return
	}
	add(e.f, &e.f.Patches, maxPatches, Patch{Kind: kind, Target: Clean(target), By: by, Calls: calls, Where: e.where(line)})
}

func (e *engine) setEnv(name string, v *Value, line int) {
	if e.quiet > 0 {
		return
	}
	if name == "{}" {
		name = ""
	}
	value := ""
	if s, ok := v.Text(); ok && (loaderEnv(name) || classify(s) == StringURL || strings.HasPrefix(s, "/")) {
		value = Clean(s)
	}
	add(e.f, &e.f.Env, maxEnv, Env{Name: Clean(name), Write: true, Value: value, Where: e.where(line)})
}

// readEnv is a read of a variable: key may be a constant, one of several, or not
// known.
func (e *engine) readEnv(key *Value, line int) *Value {
	var names []string
	switch {
	case key == nil:
	case key.shape == shapeText:
		names = []string{key.text}
	case key.shape == shapeOneOf:
		for _, x := range key.list {
			if s, ok := x.Text(); ok {
				names = append(names, s)
			}
		}
	}
	if len(names) == 0 {
		if key != nil && e.hasSource(key.taint, SourceEnvAll) {
			return onlyTaint(key) // one after the other, by their own names
		}
		return &Value{taint: e.source(SourceEnv, "", line)}
	}
	var out *Value
	for _, n := range names[:min(len(names), 64)] {
		if e.quiet == 0 && (CredentialEnv(n) || loaderEnv(n)) && n != "PATH" {
			add(e.f, &e.f.Env, maxEnv, Env{Name: n, Where: e.where(line)})
		}
		switch {
		case CredentialEnv(n):
			out = out.carry(&Value{taint: e.source(SourceEnvSecret, n, line)})
		case n == "AWS_LAMBDA_RUNTIME_API":
			out = out.carry(&Value{marks: markRuntimeAPI})
		case n == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" || n == "AWS_CONTAINER_CREDENTIALS_FULL_URI":
			out = out.carry(&Value{marks: markMetadata})
		}
	}
	return out
}

// use is v as it is when it is handed on: an object that is a source taints.
func (e *engine) use(v *Value, line int) *Value {
	if v == nil || v.path == "" {
		return v
	}
	kind, name := e.lang.Source(v.path)
	if kind == "" {
		return v
	}
	if line == 0 {
		line = e.line
	}
	if kind == SourceEnvAll && e.quiet == 0 {
		k := "env-all" + itoa(int64(line))
		if !e.seenStr[k] {
			e.seenStr[k] = true
			add(e.f, &e.f.Env, maxEnv, Env{Where: e.where(line)})
		}
	}
	return v.carry(&Value{taint: e.source(kind, name, line)})
}

// element is one of the elements of a list.
func element(v *Value) *Value {
	if v == nil {
		return nil
	}
	out := &Value{taint: v.taint, marks: v.marks, via: v.via}
	if (v.shape == shapeList || v.shape == shapeOneOf) && len(v.list) > 0 && len(v.list) <= 64 {
		texts := true
		var j *Value
		for _, x := range v.list {
			_, ok := x.Text()
			texts = texts && ok
			if x != nil && (x.path != "" || x.fn != nil) {
				j = join(j, x)
			}
		}
		if texts {
			out.shape, out.list = shapeOneOf, v.list
		} else if j != nil {
			return j.carry(out)
		}
	}
	if out.taint == 0 && out.marks == 0 && out.via == 0 && out.shape == shapeNone {
		return nil
	}
	return out
}

// path is that of an attribute.
func (e *engine) path(base, name string) string {
	if e.lang.Join != nil {
		if p := e.lang.Join(base, name); len(p) <= maxPath {
			return p
		}
		return base
	}
	return dotted(base, name)
}

func lastPart(p string) string {
	if i := strings.LastIndexByte(p, '.'); i >= 0 {
		return p[i+1:]
	}
	return p
}
