package cloudtrail

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
)

// Conflicts names the fields, sorted, whose value in the record is of a type
// that the index mapping cannot take: Elasticsearch would refuse the document.
// Lamina keeps and evaluates it, so the difference is one to count. The result
// is nil for nearly every record; finding that out walks through the whole
// mapping, so ask for records that matter.
func (e *Event) Conflicts() []string {
	if e.Check() != nil || e.raw == nil {
		return nil
	}
	var out []string
	for name, k := range topFields {
		if e.refuses(name, e.value(k)) {
			out = append(out, name)
		}
	}
	for name, n := range subFields {
		if e.refuses(name, e.below(n)) {
			out = append(out, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flatRoots)) {
		if n := e.flat(name); n != 0 && !e.onlyObjects(n) {
			out = append(out, name)
		}
	}
	resources := strings.TrimSuffix(resourcesField, ".")
	switch n := e.member(KeyResources); {
	case n == 0:
	case e.nodes[n].kind != nodeList && e.nodes[n].kind != nodeObject:
		out = append(out, resources)
	default:
		for _, r := range e.resourceNodes() {
			for _, m := range [...][2]string{{"ARN", "arn"}, {"accountId", "account_id"}, {"type", "type"}} {
				if c := e.resourceMember(r, m[0], m[1]); c != 0 && e.holdsObject(c) {
					out = append(out, resourcesField+m[1])
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// refuses says that a field of a scalar type cannot take a JSON value.
func (e *Event) refuses(name string, v []byte) bool {
	if !e.present(v) {
		return false
	}
	if v[0] == '{' || v[0] == '[' {
		return e.holdsObject(e.tree(v))
	}
	if ecs.Lookup(name).Type == ecs.Boolean {
		t, _ := e.scalar(v)
		return t != "true" && t != "false"
	}
	return false
}

// holdsObject says that a node is an object, or a list with one in it.
func (e *Event) holdsObject(n int32) bool {
	switch e.nodes[n].kind {
	case nodeObject:
		return true
	case nodeList:
		for c := range e.children(n) {
			if e.holdsObject(c) {
				return true
			}
		}
	case nodeNull, nodeBool, nodeText, nodeInteger, nodeDouble:
	}
	return false
}

// onlyObjects says that a node is an object, or a list of nothing else.
func (e *Event) onlyObjects(n int32) bool {
	if e.nodes[n].kind == nodeList {
		for c := range e.children(n) {
			if !e.onlyObjects(c) {
				return false
			}
		}
		return true
	}
	return e.nodes[n].kind == nodeObject
}
