package codeflow

import "strings"

// special carries out what a special callable does. It says whether that is all
// there is to the call.
func (e *engine) special(sp Special, n *Node, recv, callee *Value, path string, base, line int) (*Value, bool) {
	first, second := e.argAt(base, 0), e.argAt(base, 1)
	switch sp {
	case GetAttr:
		name, ok := second.Text()
		if !ok {
			return onlyTaint(e.use(first, line)), true
		}
		v := e.attr(first, name, line)
		if v != nil && (second.folded || second.joined) {
			v = v.Folded()
		}
		return v, true
	case SetAttr:
		name, ok := second.Text()
		if !ok {
			name = "{}"
		}
		v := e.argAt(base, 2)
		switch {
		case first == nil:
		case first.class != nil:
			e.setAttr(first.class, name, v)
		case first.path != "":
			e.patch(first.path, name, v, line)
		}
		return nil, true
	case ImportModule:
		return e.importModule(n, first, path, base, line), true
	case ModuleDict:
		if recv != nil && first == nil {
			return recv, true
		}
		return first, true
	case EnvGet:
		key := first
		if key == nil {
			key = e.argNamed(base, "key")
		}
		v := e.readEnv(key, line)
		if second != nil {
			v = v.carry(onlyTaint(second))
		}
		return v, true
	case EnvSet:
		name, ok := first.Text()
		if !ok {
			name = ""
		}
		e.setEnv(name, second, line)
		return nil, true
	case EnvUpdate:
		if first != nil {
			for _, f := range first.fields {
				e.setEnv(f.key, f.v, line)
			}
		}
		for _, a := range e.args[base:] {
			if a.name != "" {
				e.setEnv(a.name, a.v, line)
			}
		}
		return nil, true
	case WrapFunction:
		var parts []string
		var by *Value
		for _, a := range e.args[base:] {
			switch s, ok := a.v.Text(); {
			case ok:
				parts = append(parts, s)
			case a.v != nil && a.v.fn != nil:
				by = a.v
			case a.v.Path() != "" && by == nil:
				parts = append(parts, a.v.path)
			}
		}
		if len(parts) > 0 {
			if by != nil {
				e.stateOf(by.fn)
				by.fn.state.wraps = true
			}
			e.patch(strings.Join(parts[:min(len(parts), 2)], "."), "", by, line)
		}
		return nil, true
	case Partial:
		v := first
		if recv != nil && strings.HasSuffix(path, ".bind") || recv != nil && recv.fn != nil {
			v = recv
		}
		for _, a := range e.args[base:] {
			if a.v != nil && a.v != v {
				v = v.carry(onlyTaint(e.use(a.v, line)))
			}
		}
		if v != nil && v.fn != nil {
			st := e.stateOf(v.fn)
			for i, a := range e.args[base:] {
				if i > 0 {
					e.flowInto(v.fn, i-1, e.use(a.v, line))
				}
			}
			_ = st
		}
		return v, true
	case CallMethod, ApplyMethod:
		target := recv
		args := e.args[base:]
		if strings.HasPrefix(path, "Reflect.") && len(args) > 0 {
			target = args[0].v
			args = args[1:]
		}
		if target == nil {
			return nil, false
		}
		if len(args) > 0 {
			args = args[1:]
		}
		at := len(e.args)
		for _, a := range args {
			if l, ok := a.v.List(); ok && sp == ApplyMethod {
				for _, x := range l[:min(len(l), 16)] {
					e.args = append(e.args, arg{v: x})
				}
				continue
			}
			e.args = append(e.args, a)
		}
		v := e.called(n, nil, target, lastPart(target.Path()), at, line)
		e.args = e.args[:at]
		return v, true
	case DefineProperty:
		name, ok := second.Text()
		if !ok {
			name = "{}"
		}
		desc := e.argAt(base, 2)
		v := desc.Field("value")
		if v == nil {
			v = desc.Field("get")
		}
		if first != nil && first.class != nil {
			e.setAttr(first.class, name, v)
		} else if first.Path() != "" {
			e.patch(first.path, name, v, line)
		}
		return first, true
	case AssignAll:
		out := first
		for _, a := range e.args[base:] {
			if a.v == nil || a.v == first {
				continue
			}
			if first != nil && first.path != "" {
				if e.lang.Env(first.path) {
					for _, f := range a.v.fields {
						e.setEnv(f.key, f.v, line)
					}
				} else {
					for _, f := range a.v.fields {
						e.patch(first.path, f.key, f.v, line)
					}
				}
			}
			out = out.carry(onlyTaint(e.use(a.v, line)))
		}
		return out, true
	case ProxyOf:
		if first != nil && second != nil {
			for _, f := range second.fields {
				if f.v != nil && f.v.fn != nil && (first.path != "" || first.fn != nil) {
					st := e.stateOf(f.v.fn)
					name := first.path
					if name == "" {
						name = "arguments of a wrapped function"
					}
					if st.patched == "" {
						st.patched, st.wraps = Clean(name), true
						e.changed, e.again = true, true
					}
				}
			}
		}
		if first != nil && second != nil && len(second.fields) > 0 {
			c := *first
			for _, f := range second.fields {
				if f.v != nil && f.v.fn != nil {
					c.fn = f.v.fn
				}
			}
			return &c, true
		}
		return first, true
	case Identity:
		v := first
		if recv != nil && len(e.args) == base {
			v = recv
		}
		v = e.use(v, line)
		switch enc, _ := second.Text(); enc {
		case "base64", "base64url", "hex":
			v = v.carry(&Value{taint: e.source(SourceDecoded, Clean(path), line)})
			e.record(n, CallDecode, path, lastPart(path), callee, base, line)
		}
		for _, a := range e.args[base:] {
			if a.v != nil && a.v != first {
				v = v.carry(onlyTaint(e.use(a.v, line)))
			}
		}
		if folded := e.fold(path, lastPart(path), recv, e.args[base:]); folded != nil {
			return e.noteText(folded.carry(v), n.Line), true
		}
		return v, true
	case Sanitise:
		for _, a := range e.args[base:] {
			e.use(a.v, line)
		}
		return nil, true
	case RequireFactory:
		return PathValue("require"), true
	case Then:
		if first != nil && first.fn != nil {
			e.stateOf(first.fn)
			e.flowInto(first.fn, 0, e.use(recv, line))
			if e.fr.loaded && e.fr.main == 0 && !first.fn.state.loaded {
				first.fn.state.loaded = true
				e.changed, e.again = true, true
			}
			if second != nil && second.fn != nil {
				e.stateOf(second.fn)
			}
			return first.fn.state.ret, true
		}
		return recv, true
	case WrapHandler:
		for _, a := range e.args[base:] {
			if a.v != nil && a.v.fn != nil {
				st := e.stateOf(a.v.fn)
				if !st.handler {
					st.handler = true
					e.changed, e.again = true, true
				}
			}
		}
		return nil, false
	case NotSpecial:
	}
	return nil, false
}

func (e *engine) importModule(n *Node, name *Value, path string, base, line int) *Value {
	if name == nil {
		name = e.argNamed(base, "name")
	}
	s, ok := name.Text()
	if e.quiet == 0 && !e.reported[n] {
		e.reported[n] = true
		im := Import{Kind: ImportDynamic, Line: line, Lazy: e.fr.fn != nil, Conditional: e.fr.cond > 0}
		if n.Op == OpCall && n.Num == 1 {
			im.Kind = ImportRequire
		}
		if ok {
			im.Module = Clean(s)
			im.Folded = name.folded || name.joined
		}
		add(e.f, &e.f.Imports, maxImports, im)
	}
	if !ok {
		// a module that is not known
		return PathValue(path + "()").carry(e.use(name, line))
	}
	v := PathValue(e.lang.Module(s))
	if name.folded || name.joined {
		v = v.Folded()
	}
	return v
}
