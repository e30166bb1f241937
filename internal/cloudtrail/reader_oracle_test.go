package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// The oracle: what a Reader must make of an input that is a sequence of valid
// JSON objects and lists, by plain recursive descent over the whole input.

// A tree is one JSON value as it is written.
type tree struct {
	raw     []byte
	names   [][]byte // raw names of an object's members, without quotes
	members []tree   // an object's values or a list's elements
	depth   int      // of the deepest bracket, 1 for {}
}

func (t tree) kind() byte { return t.raw[0] }

// member is the last member with the raw name.
func (t tree) member(name string) (tree, bool) {
	for i, v := range slices.Backward(t.names) {
		if string(v) == name {
			return t.members[i], true
		}
	}
	return tree{raw: []byte{0}}, false
}

func naiveBlank(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// naiveTree parses the value at the start of b, which is valid.
func naiveTree(b []byte) (t tree, rest []byte) {
	all := b
	switch b[0] {
	case '{', '[':
		object := b[0] == '{'
		t.depth = 1
		b = naiveBlank(b[1:])
		for b[0] != '}' && b[0] != ']' {
			if object {
				var name tree
				name, b = naiveTree(b)
				t.names = append(t.names, name.raw[1:len(name.raw)-1])
				b = naiveBlank(naiveBlank(b)[1:])
			}
			var v tree
			v, b = naiveTree(b)
			t.members = append(t.members, v)
			t.depth = max(t.depth, v.depth+1)
			if b = naiveBlank(b); b[0] == ',' {
				b = naiveBlank(b[1:])
			}
		}
		b = b[1:]
	case '"':
		b = b[1:]
		for b[0] != '"' {
			if b[0] == '\\' {
				b = b[1:]
			}
			b = b[1:]
		}
		b = b[1:]
	default:
		for len(b) > 0 && strings.IndexByte(",]} \t\r\n", b[0]) < 0 {
			b = b[1:]
		}
	}
	t.raw = all[:len(all)-len(b)]
	return t, b
}

// naiveSplit gives the records, and how many were given up. ok is false when
// the input is not what the oracle speaks of.
func naiveSplit(b []byte) (records []string, lost int, ok bool) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(b))
	for {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return records, lost, true
		}
		if err != nil {
			return nil, 0, false
		}
		t, _ := naiveTree(raw)
		if t.depth > defaultDepth {
			return nil, 0, false
		}
		take := func(t tree, envelope bool) {
			if envelope {
				if items, is := naiveItems(t); is {
					for _, i := range items {
						naiveTake(i, &records, &lost)
					}
					return
				}
			}
			naiveTake(t, &records, &lost)
		}
		switch t.kind() {
		case '{':
			take(t, true)
		case '[':
			for _, m := range t.members {
				take(m, true)
			}
		default:
			return nil, 0, false
		}
	}
}

// naiveItems gives the elements of the lists for which an object is an
// envelope.
func naiveItems(t tree) (items []tree, is bool) {
	if t.kind() != '{' {
		return nil, false
	}
	for i, name := range t.names {
		m := t.members[i]
		switch string(name) {
		case "Records", "Events", "logEvents":
			if m.kind() == '[' {
				items, is = append(items, m.members...), true
			}
		case "hits":
			if m.kind() != '{' || is {
				continue
			}
			for j, name := range m.names {
				if string(name) == "hits" && m.members[j].kind() == '[' {
					items, is = append(items, m.members[j].members...), true
					break
				}
			}
		}
	}
	return items, is
}

func naiveTake(t tree, records *[]string, lost *int) {
	if t.kind() != '{' {
		*lost++
		return
	}
	raw, silent := naiveRecord(t, 0, false)
	switch {
	case raw != nil:
		*records = append(*records, string(raw))
	case !silent:
		*lost++
	}
}

// naiveRecord unwraps an object.
func naiveRecord(t tree, level int, inEvent bool) (raw []byte, silent bool) {
	has := func(names ...string) bool {
		for _, want := range names {
			for _, n := range t.names {
				var s string
				if json.Unmarshal(append(append([]byte{'"'}, n...), '"'), &s) == nil && s == want {
					return true
				}
			}
		}
		return false
	}
	if has("insightDetails", "eventType", "eventName", "eventSource", "eventVersion", "eventID") || has("digestStartTime") && has("logFiles") {
		return t.raw, false
	}
	if level == maxUnwrap {
		return nil, false
	}
	text := func(m tree) ([]byte, bool) {
		var s string
		if json.Unmarshal(m.raw, &s) != nil {
			return nil, false
		}
		b := bytes.Trim([]byte(s), " \t\r\n")
		if !json.Valid(b) || b[0] != '{' {
			return nil, true // not a record
		}
		in, _ := naiveTree(b)
		if in.depth > defaultDepth {
			return nil, true
		}
		r, silent := naiveRecord(in, level+1, false)
		return r, !silent
	}
	first := func(name string, kind byte) (tree, bool) {
		m, ok := t.member(name)
		return m, ok && m.kind() == kind
	}
	if m, ok := first("detail", '{'); ok {
		return naiveRecord(m, level+1, false)
	}
	if m, ok := first("CloudTrailEvent", '"'); ok {
		r, lost := text(m)
		return r, !lost
	}
	if m, ok := first("event.original", '"'); ok {
		r, lost := text(m)
		return r, !lost
	}
	if m, ok := first("original", '"'); ok && inEvent {
		r, lost := text(m)
		return r, !lost
	}
	if m, ok := first("_source", '{'); ok {
		return naiveRecord(m, level+1, false)
	}
	message, isMessage := first("message", '"')
	if m, ok := first("event", '{'); ok {
		_, original := m.member("original")
		wrapped := original
		for _, n := range m.names {
			wrapped = wrapped || lookupKey(n, false) == KeyEventName
		}
		if !isMessage || wrapped {
			return naiveRecord(m, level+1, true)
		}
	}
	if isMessage {
		if bytes.HasPrefix(message.raw, []byte(`"`+controlMessage)) {
			return nil, true
		}
		r, lost := text(message)
		return r, !lost
	}
	for i, v := range slices.Backward(t.names) {
		if n := string(v); n == "Records" || n == "Events" || n == "logEvents" {
			if t.members[i].kind() == 'n' {
				return nil, true
			}
			break
		}
	}
	if len(t.names) == 1 {
		switch string(t.names[0]) {
		case "create", "index", "update", "delete":
			return nil, t.members[0].kind() == '{'
		}
	}
	return nil, false
}
