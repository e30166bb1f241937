package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of Parse. AWS's own limit on any policy is 20,480 characters.
const (
	MaxPolicy = 1 << 20 // bytes
	MaxValues = 50_000  // JSON values
	MaxDepth  = 16      // nested objects and lists
)

const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Parse reads one document as
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
// has it. What is not JSON, or above a limit, is an error that says where. What
// is JSON but not understood (an unknown element, a key given twice, an effect
// that is none) becomes a Problem of its statement or of the policy, with its
// position; the statement is kept, and evaluates to Unknown.
func Parse(data []byte) (*Policy, error) {
	root, err := readJSON(data)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if root.kind != '{' {
		return nil, fmt.Errorf("policy: %d:%d: want an object, got %s", root.line, root.column, root.what())
	}
	p := &Policy{Version: version2008}
	var bad reporter
	for _, m := range root.members {
		if m.again {
			bad.at(m.value, "element %q is given twice", m.name)
			continue
		}
		switch m.name {
		case "Version":
			p.Version = bad.text(m)
			if p.Version != version2012 && p.Version != version2008 {
				bad.at(m.value, "unknown Version %q: want 2012-10-17 or 2008-10-17", p.Version)
			}
		case "Id":
			p.ID = bad.text(m)
		case "Statement":
			statements := []*node{m.value}
			if m.value.kind == '[' {
				statements = m.value.items
			}
			for _, n := range statements {
				p.Statements = append(p.Statements, statement(n, len(p.Statements)+1))
			}
		default:
			bad.at(m.value, "unknown element %q", m.name)
		}
	}
	if !slices.ContainsFunc(root.members, func(m member) bool { return m.name == "Statement" }) {
		bad.at(root, "no Statement")
	}
	p.Problems = bad.found
	return p, nil
}

func statement(n *node, index int) Statement {
	s := Statement{Index: index, Line: n.line}
	var bad reporter
	if n.kind != '{' {
		bad.at(n, "want a statement, got %s", n.what())
		s.Problems = bad.found
		return s
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		if m.again {
			// Which of the two counts is not documented, so neither does.
			bad.at(m.value, "element %q is given twice", m.name)
			drop(&s, m.name)
			continue
		}
		seen[m.name] = true
		switch m.name {
		case "Sid":
			s.Sid = bad.text(m)
		case "Effect":
			s.Effect = Effect(bad.text(m))
			if s.Effect != EffectAllow && s.Effect != EffectDeny {
				bad.at(m.value, "unknown Effect %q: want Allow or Deny", s.Effect)
				s.Effect = EffectUnknown
			}
		case "Action":
			s.Actions = bad.actions(m)
		case "NotAction":
			s.NotActions = bad.actions(m)
		case "Resource":
			s.Resources = bad.list(m)
		case "NotResource":
			s.NotResources = bad.list(m)
		case "Principal":
			s.Principals = bad.principals(m)
		case "NotPrincipal":
			s.NotPrincipals = bad.principals(m)
		case "Condition":
			s.Conditions = bad.conditions(m)
		default:
			bad.at(m.value, "unknown element %q", m.name)
		}
	}
	if !seen["Effect"] {
		bad.at(n, "no Effect")
	}
	if !seen["Action"] && !seen["NotAction"] {
		bad.at(n, "no Action")
	}
	for _, name := range []string{"Action", "Resource", "Principal"} {
		if seen[name] && seen["Not"+name] {
			bad.at(n, "both %s and Not%s", name, name)
			drop(&s, name)
			drop(&s, "Not"+name)
		}
	}
	s.Problems = bad.found
	return s
}

// drop forgets an element that cannot be trusted.
func drop(s *Statement, name string) {
	switch name {
	case "Sid":
		s.Sid = ""
	case "Effect":
		s.Effect = EffectUnknown
	case "Action":
		s.Actions = nil
	case "NotAction":
		s.NotActions = nil
	case "Resource":
		s.Resources = nil
	case "NotResource":
		s.NotResources = nil
	case "Principal":
		s.Principals = nil
	case "NotPrincipal":
		s.NotPrincipals = nil
	case "Condition":
		s.Conditions = nil
	}
}

// A reporter collects problems while elements are read.
type reporter struct{ found []Problem }

func (b *reporter) at(n *node, format string, args ...any) {
	b.found = append(b.found, Problem{Line: n.line, Column: n.column, Text: fmt.Sprintf(format, args...)})
}

func (b *reporter) text(m member) string {
	if m.value.kind != '"' {
		b.at(m.value, "%s: want a string, got %s", m.name, m.value.what())
		return ""
	}
	if strings.ContainsRune(m.value.text, utf8.RuneError) {
		b.at(m.value, "%s: a character that cannot be read", m.name)
	}
	return m.value.text
}

// list reads a string, number or boolean, or a list of them. The result is not
// nil, so that an element that is there is told from one that is not, unless
// something in it could not be read: then it rules nothing out.
func (b *reporter) list(m member) []string {
	items := []*node{m.value}
	if m.value.kind == '[' {
		items = m.value.items
	}
	before := len(b.found)
	out := make([]string, 0, len(items))
	for _, n := range items {
		switch n.kind {
		case '"', '0', 't':
			if strings.ContainsRune(n.text, utf8.RuneError) {
				b.at(n, "%s: a character that cannot be read", m.name)
			}
			out = append(out, n.text)
		default:
			b.at(n, "%s: want a string or a list of strings, got %s", m.name, n.what())
		}
	}
	if len(items) == 0 {
		b.at(m.value, "%s: the list is empty", m.name)
	}
	if len(b.found) > before {
		return nil
	}
	return out
}

func (b *reporter) actions(m member) []string {
	out := b.list(m)
	for _, a := range out {
		if a != "*" && !strings.Contains(a, ":") {
			b.at(m.value, "%s: %q names no service: want service:Name or *", m.name, a)
			return nil
		}
	}
	return out
}

func (b *reporter) principals(m member) []Principal {
	if m.value.kind == '"' {
		if m.value.text != "*" {
			b.at(m.value, "%s: a bare string can only be *, got %q", m.name, m.value.text)
			return nil
		}
		return []Principal{{Kind: "*", ID: "*"}}
	}
	if m.value.kind != '{' || len(m.value.members) == 0 {
		b.at(m.value, "%s: want * or an object of kinds, got %s", m.name, m.value.what())
		return nil
	}
	before := len(b.found)
	out := []Principal{}
	for _, k := range m.value.members {
		switch {
		case k.again:
			b.at(k.value, "%s: %q is given twice", m.name, k.name)
		case !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, k.name):
			b.at(k.value, "%s: unknown kind %q", m.name, k.name)
		}
		for _, id := range b.list(k) {
			out = append(out, Principal{Kind: k.name, ID: id})
		}
	}
	if len(b.found) > before {
		return nil
	}
	return out
}

func (b *reporter) conditions(m member) []Condition {
	if m.value.kind != '{' {
		b.at(m.value, "Condition: want an object of operators, got %s", m.value.what())
		return nil
	}
	before := len(b.found)
	var out []Condition
	for _, op := range m.value.members {
		if op.again {
			b.at(op.value, "Condition: operator %q is given twice", op.name)
		}
		if op.value.kind != '{' {
			b.at(op.value, "Condition: %s: want an object of keys, got %s", op.name, op.value.what())
			continue
		}
		for _, key := range op.value.members {
			if key.again {
				b.at(key.value, "Condition: %s: key %q is given twice", op.name, key.name)
			}
			out = append(out, Condition{Operator: op.name, Key: key.name, Values: b.list(key)})
		}
	}
	if len(b.found) > before {
		return nil
	}
	return out
}

// A node is one JSON value with its position. kind is '{', '[', '"', '0' for a
// number, 't' for a boolean or 'n' for null.
type node struct {
	kind         byte
	text         string
	line, column int
	members      []member
	items        []*node
}

// A member is one key of an object; again says that it stood there before.
type member struct {
	name  string
	again bool
	value *node
}

func (n *node) what() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't':
		return "a boolean"
	}
	return "null"
}

type jsonReader struct {
	data   []byte
	dec    *json.Decoder
	values int
	// line and lineStart belong to offset, which only grows.
	offset, line, lineStart int
}

func readJSON(data []byte) (*node, error) {
	if len(data) > MaxPolicy {
		return nil, fmt.Errorf("%d bytes are above the limit of %d", len(data), MaxPolicy)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, _, err := r.token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%d:%d: something follows the document", r.line, r.offset-r.lineStart+1)
	}
	return n, nil
}

// token returns the next token and a node that holds its position.
func (r *jsonReader) token() (json.Token, *node, error) {
	start := int(r.dec.InputOffset())
	for start < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[start]) >= 0 {
		start++
	}
	for ; r.offset < start; r.offset++ {
		if r.data[r.offset] == '\n' {
			r.line, r.lineStart = r.line+1, r.offset+1
		}
	}
	n := &node{line: r.line, column: start - r.lineStart + 1}
	t, err := r.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%d:%d: %w", n.line, n.column, err)
	}
	return t, n, err
}

func (r *jsonReader) value(depth int) (*node, error) {
	t, n, err := r.token()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the document ends early")
	}
	if err != nil {
		return nil, err
	}
	if r.values++; r.values > MaxValues {
		return nil, fmt.Errorf("more than %d values", MaxValues)
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == MaxDepth {
			return nil, fmt.Errorf("%d:%d: nested deeper than %d", n.line, n.column, MaxDepth)
		}
		n.kind = '['
		if t == '{' {
			n.kind = '{'
		}
		return n, r.fill(n, depth)
	case string:
		n.kind, n.text = '"', t
	case json.Number:
		n.kind, n.text = '0', t.String()
	case bool:
		n.kind, n.text = 't', strconv.FormatBool(t)
	default:
		n.kind = 'n'
	}
	return n, nil
}

// fill reads what is inside an object or a list, and its end.
func (r *jsonReader) fill(n *node, depth int) error {
	seen := map[string]bool{}
	for r.dec.More() {
		if n.kind == '[' {
			v, err := r.value(depth + 1)
			if err != nil {
				return err
			}
			n.items = append(n.items, v)
			continue
		}
		t, _, err := r.token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return fmt.Errorf("%d:%d: a key that is no string", r.line, r.offset-r.lineStart+1)
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.members = append(n.members, member{name: name, again: seen[name], value: v})
		seen[name] = true
	}
	if _, _, err := r.token(); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the document ends early")
		}
		return err
	}
	return nil
}
