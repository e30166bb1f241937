package cloudtrail

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
)

// listed are the fields that are lists in documents even with one value.
var listed = map[string]bool{
	"tags": true, "event.type": true, "event.category": true,
	"related.entity": true, "related.hash": true, "related.hosts": true, "related.ip": true, "related.user": true,
	"actor.entity.id": true, "target.entity.id": true, "entity.id": true, "entity.target.id": true,
	"user.entity.id": true, "user.target.entity.id": true,
	"host.entity.id": true, "host.target.entity.id": true, "host.target.id": true,
	"service.entity.id": true, "service.target.entity.id": true,
}

// Document is the whole ECS document, nested, as Elasticsearch would store it:
// strings, bools, json.Numbers, lists and maps. It owns everything in it and
// allocates; it is for output. Derived fields (lamina.*) are in it when
// e.Derived gives them.
func (e *Event) Document() map[string]any {
	doc := map[string]any{}
	if e.Check() != nil || e.raw == nil {
		return doc
	}
	for f := range ecs.All() {
		switch {
		case f.Type == ecs.Object, f.Type == ecs.Text && f.Twin() != nil, f.Source == "", f.Source == "alert":
		case strings.HasPrefix(f.Name, resourcesField):
		case f.Type == ecs.Flattened:
			if v := e.flatDocument(f.Name); v != nil {
				put(doc, f.Name, v)
			}
		default:
			if vs := e.Values(f); len(vs) > 0 {
				put(doc, f.Name, fieldValue(f, vs))
			}
		}
	}
	if r := e.resourceDocument(); r != nil {
		put(doc, strings.TrimSuffix(resourcesField, "."), r)
	}
	return doc
}

const resourcesField = "aws.cloudtrail.resources."

// put sets a dotted name in a nested document.
func put(doc map[string]any, name string, v any) {
	for {
		head, rest, nested := strings.Cut(name, ".")
		if !nested {
			doc[head] = v
			return
		}
		next, ok := doc[head].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[head] = next
		}
		doc, name = next, rest
	}
}

// fieldValue is the value of a field in a document.
func fieldValue(f *ecs.Field, vs []string) any {
	if len(vs) == 1 && !listed[f.Name] {
		return typedValue(f, vs[0])
	}
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = typedValue(f, v)
	}
	return out
}

func typedValue(f *ecs.Field, v string) any {
	switch {
	case f.Type == ecs.Boolean && (v == "true" || v == "false"):
		return v == "true"
	case f.Type == ecs.Long || f.Type == ecs.Double:
		if _, err := strconv.ParseFloat(v, 64); err == nil {
			return json.Number(strings.Clone(v))
		}
	case f.Type == ecs.GeoPoint:
		if lat, lon, ok := strings.Cut(v, ","); ok {
			return map[string]any{"lat": json.Number(lat), "lon": json.Number(lon)}
		}
	}
	return strings.Clone(v)
}

// flatDocument is a flattened field as an object, or nil.
func (e *Event) flatDocument(name string) any {
	if name != flatDigest {
		if n := e.flat(name); n != 0 {
			return e.plainValue(n)
		}
		return nil
	}
	if !e.mayBeDigest() {
		return nil
	}
	out := map[string]any{}
	for _, d := range digestNames {
		n := e.digest(d.member)
		switch {
		case n == 0:
		case !d.date:
			out[d.key] = e.plainValue(n)
		default:
			if v := e.digestDate(n); v != "" {
				out[d.key] = strings.Clone(v)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// plainValue copies a decoded value without what null removal drops.
func (e *Event) plainValue(n int32) any {
	nd := e.nodes[n]
	switch nd.kind {
	case nodeObject:
		m := map[string]any{}
		for c := range e.children(n) {
			m[strings.Clone(e.nodes[c].key)] = e.plainValue(c)
		}
		return m
	case nodeList:
		l := []any{}
		for c := range e.children(n) {
			l = append(l, e.plainValue(c))
		}
		return l
	case nodeBool:
		return nd.text == "true"
	case nodeInteger, nodeDouble:
		if strings.HasSuffix(nd.text, "Infinity") {
			return strings.Clone(nd.text) // no JSON number; Elasticsearch quotes it
		}
		return json.Number(strings.Clone(nd.text))
	case nodeText:
		return strings.Clone(nd.text)
	case nodeNull:
	}
	return nil
}

// resourceDocument is aws.cloudtrail.resources, or nil.
func (e *Event) resourceDocument() any {
	n := e.member(KeyResources)
	if n == 0 {
		return nil
	}
	if e.nodes[n].kind != nodeList {
		return e.plainValue(n)
	}
	var out []any
	for _, r := range e.resourceNodes() {
		m, ok := e.plainValue(r).(map[string]any)
		if !ok {
			continue
		}
		for _, renamed := range [...][2]string{{"ARN", "arn"}, {"accountId", "account_id"}} {
			if v, ok := m[renamed[0]]; ok {
				delete(m, renamed[0])
				m[renamed[1]] = v
			}
		}
		out = append(out, m)
	}
	if out == nil {
		return nil
	}
	return out
}

// ID is event.id. A record without one gets an id made of its content, the same
// however the record is laid out or wrapped: "content-" and half of the SHA-256
// of its JSON without white space. Order of members counts.
func (e *Event) ID() string {
	if id := e.text(KeyEventID); id != "" {
		return id
	}
	h := sha256.New()
	b := e.raw
	w := walker{buf: b}
	for i := 0; i < len(b); {
		from := i
		switch b[i] {
		case ' ', '\n', '\r', '\t':
			i++
			continue
		case '"':
			if i = w.text(i + 1); i < 0 {
				i = len(b)
			}
		default:
			i++
		}
		h.Write(b[from:i])
	}
	sum := h.Sum(nil)
	return "content-" + hex.EncodeToString(sum[:16])
}
