package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/query"
)

// parseJSON reads one JSON value, at offset base of the file, into a tree. A
// repeated key is an error: which of the two was meant cannot be known.
func parseJSON(f *text, base int, data []byte) (*Value, *Error) {
	p := jsonParser{f: f, base: base, data: data}
	if !utf8.Valid(data) {
		return nil, p.fail(0, "not UTF-8")
	}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, tail := p.dec.Token(); !errors.Is(tail, io.EOF) {
		return nil, p.fail(int(p.dec.InputOffset()), "more follows after the JSON value")
	}
	return v, nil
}

type jsonParser struct {
	f    *text
	base int
	data []byte
	dec  *json.Decoder
}

func (p *jsonParser) fail(off int, format string, args ...any) *Error {
	return &Error{File: p.f.name, Pos: p.f.pos(p.base+off, 1), Msg: fmt.Sprintf(format, args...)}
}

// token reads a token and says where it starts, in the line.
func (p *jsonParser) token() (json.Token, int, *Error) {
	tok, err := p.dec.Token()
	if err != nil {
		off := int(p.dec.InputOffset())
		if se, ok := errors.AsType[*json.SyntaxError](err); ok {
			off = max(int(se.Offset)-1, 0)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, off, p.fail(len(p.data), "not JSON: the text ends in the middle of a value")
		}
		return nil, off, p.fail(off, "not JSON: %v", err)
	}
	return tok, int(p.dec.InputOffset()), nil
}

func (p *jsonParser) value(depth int) (*Value, *Error) {
	start := int(p.dec.InputOffset())
	tok, end, err := p.token()
	if err != nil {
		return nil, err
	}
	// What lies between two tokens is blanks, a comma or a colon.
	for start < end && strings.IndexByte(" \t\r\n,:", p.data[start]) >= 0 {
		start++
	}
	if depth > MaxDepth {
		return nil, p.fail(start, "values nest more than %d deep", MaxDepth)
	}
	v := &Value{Pos: p.f.pos(p.base+start, end-start), f: p.f}
	switch t := tok.(type) {
	case nil:
		v.Kind = Null
	case bool:
		v.Kind, v.Text = Bool, strconv.FormatBool(t)
	case string:
		v.Kind, v.Text, v.raw = String, t, p.data[start:end]
	case json.Number:
		v.Kind, v.Text = Integer, t.String()
		if strings.ContainsAny(v.Text, ".eE") {
			v.Kind = Float
		} else if _, err := v.Int(); err != nil {
			return nil, p.fail(start, "%q does not fit in 64 bits", v.Text)
		}
	case json.Delim:
		if t == '[' {
			return v, p.array(v, depth)
		}
		return v, p.object(v, depth)
	}
	return v, nil
}

func (p *jsonParser) array(v *Value, depth int) *Error {
	v.Kind = Array
	for p.dec.More() {
		e, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.Elems = append(v.Elems, e)
	}
	_, _, err := p.token()
	return err
}

func (p *jsonParser) object(v *Value, depth int) *Error {
	v.Kind = Table
	seen := map[string]bool{}
	for p.dec.More() {
		start := int(p.dec.InputOffset())
		tok, end, err := p.token()
		if err != nil {
			return err
		}
		for start < end && p.data[start] != '"' {
			start++
		}
		name, ok := tok.(string)
		if !ok {
			return p.fail(start, "not JSON: a key must be a string")
		}
		if seen[name] {
			return p.fail(start, "the key %q is there twice", name)
		}
		if seen[name] = true; len(seen) > MaxKeys {
			return p.fail(start, "a table has more than %d keys", MaxKeys)
		}
		val, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.set(name, p.f.pos(p.base+start, end-start), val)
	}
	_, _, err := p.token()
	return err
}

// appendJSON writes v compactly, keys in the order they have.
func appendJSON(b []byte, v *Value) []byte {
	switch v.Kind {
	case String, Time:
		return appendJSONString(b, v.Text)
	case Bool:
		return append(b, v.Text...)
	case Integer:
		n, err := v.Int()
		if err != nil {
			return append(b, v.Text...)
		}
		return strconv.AppendInt(b, n, 10)
	case Float:
		if !finite(v) {
			return appendJSONString(b, v.Text)
		}
		return append(b, strings.TrimPrefix(strings.ReplaceAll(v.Text, "_", ""), "+")...)
	case Array:
		b = append(b, '[')
		for i, e := range v.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case Table:
		b = append(b, '{')
		for i, e := range v.Keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONString(b, e.Name), ':')
			b = appendJSON(b, e.Value)
		}
		return append(b, '}')
	case Null:
	}
	return append(b, "null"...)
}

// finite reports whether a Float is a number that JSON can write.
func finite(v *Value) bool {
	return !strings.Contains(v.Text, "inf") && !strings.Contains(v.Text, "nan")
}

func appendJSONString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	// A string cannot fail to encode; the encoder adds a newline.
	if err := enc.Encode(s); err != nil {
		return append(b, '"', '"')
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// Any is v in the types of encoding/json, numbers as json.Number.
func (v *Value) Any() any {
	switch v.Kind {
	case String, Time:
		return v.Text
	case Bool:
		return v.Text == "true"
	case Integer, Float:
		if v.Kind == Float && !finite(v) {
			return v.Text
		}
		return json.Number(appendJSON(nil, v))
	case Array:
		out := make([]any, 0, len(v.Elems))
		for _, e := range v.Elems {
			out = append(out, e.Any())
		}
		return out
	case Table:
		out := make(map[string]any, len(v.Keys))
		for _, e := range v.Keys {
			out[e.Name] = e.Value.Any()
		}
		return out
	case Null:
	}
	return nil
}

// made is a Value that no file wrote; it stands where pos says for messages.
func made(text string, pos query.Pos) *Value { return &Value{Kind: String, Text: text, Pos: pos} }
