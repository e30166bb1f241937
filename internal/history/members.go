package history

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"unicode/utf8"
)

// An object is a JSON object whose members are found when it is made and
// decoded when they are asked for. It is nil for anything else. The text must
// be valid JSON: ReadCall sees to that once for the whole record, since
// encoding/json would check and copy every level again for each level above it.
type object []member

type member struct {
	name string
	raw  []byte
}

// readObject finds the members of an object.
func readObject(raw []byte) object {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	o := make(object, 0, 16)
	for i := space(raw, 1); raw[i] != '}'; {
		end := skip(raw, i)
		name := unquote(raw[i:end])
		i = space(raw, space(raw, end)+1) // behind the colon
		end = skip(raw, i)
		o = append(o, member{name, raw[i:end]})
		if i = space(raw, end); raw[i] == ',' {
			i = space(raw, i+1)
		}
	}
	return o
}

// elements are the values of a list, or nothing for anything else.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(raw) == 0 || raw[0] != '[' {
			return
		}
		for i := space(raw, 1); raw[i] != ']'; {
			end := skip(raw, i)
			if !yield(raw[i:end]) {
				return
			}
			if i = space(raw, end); raw[i] == ',' {
				i = space(raw, i+1)
			}
		}
	}
}

// space is the index of the first byte from i on that is no white space.
func space(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// skip is the index behind the value that begins at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for ; ; i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			default:
			}
		}
	default:
		for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
			i++
		}
		return i
	}
}

// skipString is the index behind the string whose quote is at i.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		n := i
		for b[n-1] == '\\' {
			n--
		}
		if (i-n)%2 == 0 {
			return i + 1
		}
	}
}

// unquote decodes a JSON string.
func unquote(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// get is the value of a member. Of a repeated member the last counts.
func (o object) get(name string) (raw []byte, ok bool) {
	for _, v := range slices.Backward(o) {
		if v.name == name {
			return v.raw, true
		}
	}
	return nil, false
}

// text is the first of the members that is a string, number or boolean.
func (o object) text(names ...string) string {
	for _, n := range names {
		raw, ok := o.get(n)
		if !ok {
			continue
		}
		switch raw[0] {
		case '"':
			if s := unquote(raw); s != "" {
				return s
			}
		case '{', '[', 'n':
		default:
			return string(raw)
		}
	}
	return ""
}

func (o object) object(name string) object {
	raw, _ := o.get(name)
	return readObject(raw)
}
