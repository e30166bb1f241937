package rule

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// TOML prints the rule in Lamina's own layout: known keys in one order, prose
// and queries as blocks, tables after the plain keys of their table. Printing
// what it printed gives the same bytes. Comments are not kept.
func (r *Rule) TOML() []byte {
	w := tomlWriter{}
	w.table(r.root, nil, "")
	return []byte(strings.TrimLeft(w.b.String(), "\n"))
}

type tomlWriter struct{ b strings.Builder }

// headed reports whether v is written under a header of its own.
func headed(v *Value) bool {
	if v.Kind == Table {
		return true
	}
	return v.Kind == Array && len(v.Elems) > 0 && !slices.ContainsFunc(v.Elems, func(e *Value) bool { return e.Kind != Table })
}

// table writes the entries of v, which stands at keys (for headers) and path
// (for the order of its keys).
func (w *tomlWriter) table(v *Value, keys []string, path string) {
	entries := v.Keys
	if known, ok := subKeys[path]; ok {
		names := make([]string, 0, len(entries))
		for _, e := range entries {
			names = append(names, e.Name)
		}
		order(names, known)
		entries = make([]Entry, 0, len(names))
		for _, n := range names {
			entries = append(entries, *v.entry(n))
		}
	}
	for _, e := range entries {
		if !headed(e.Value) {
			fmt.Fprintf(&w.b, "%s = %s\n", tomlKey(e.Name), tomlValue(e.Value, e.Name))
		}
	}
	for _, e := range entries {
		if !headed(e.Value) {
			continue
		}
		sub := append(slices.Clone(keys), tomlKey(e.Name))
		p := strings.TrimPrefix(path+"."+e.Name, ".")
		if e.Value.Kind == Table {
			fmt.Fprintf(&w.b, "\n[%s]\n", strings.Join(sub, "."))
			w.table(e.Value, sub, p)
			continue
		}
		for _, item := range e.Value.Elems {
			fmt.Fprintf(&w.b, "\n[[%s]]\n", strings.Join(sub, "."))
			w.table(item, sub, p)
		}
	}
}

func tomlKey(s string) string {
	bare := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
	if bare {
		return s
	}
	return tomlBasic(s)
}

// width is the line length lists are wrapped at.
const width = 120

func tomlValue(v *Value, key string) string {
	switch v.Kind {
	case String:
		if strings.Contains(v.Text, "\n") || key == "query" {
			return tomlBlock(v.Text)
		}
		return tomlBasic(v.Text)
	case Array:
		items := make([]string, 0, len(v.Elems))
		n := len(key) + 5
		for _, e := range v.Elems {
			s := tomlValue(e, "")
			n += len(s) + 2
			if strings.Contains(s, "\n") {
				n = width + 1
			}
			items = append(items, s)
		}
		if n <= width {
			return "[" + strings.Join(items, ", ") + "]"
		}
		return "[\n    " + strings.Join(items, ",\n    ") + ",\n]"
	case Table:
		items := make([]string, 0, len(v.Keys))
		for _, e := range v.Keys {
			// An inline table stays on one line: blocks are for readers of
			// top-level keys.
			s := tomlBasic(e.Value.Text)
			if e.Value.Kind != String {
				s = tomlValue(e.Value, "")
			}
			items = append(items, tomlKey(e.Name)+" = "+s)
		}
		if len(items) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(items, ", ") + " }"
	case Bool, Integer, Float, Time, Null:
	}
	return v.Text
}

// tomlBlock is s between triple quotes on lines of their own, as written where
// a literal can hold it.
func tomlBlock(s string) string {
	literal := !strings.Contains(s, "'''") && !strings.HasSuffix(s, "'") && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r) || r == unicode.ReplacementChar
	})
	if literal {
		return "'''\n" + s + "'''"
	}
	var b strings.Builder
	b.WriteString("\"\"\"\n")
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		q := tomlBasic(line)
		b.WriteString(q[1 : len(q)-1])
	}
	b.WriteString(`"""`)
	return b.String()
}

func tomlBasic(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
