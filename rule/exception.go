package rule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// Exceptions are exception lists and their items, as Kibana exports them.
type Exceptions struct {
	Lists []ExceptionList
	Items []ExceptionItem
}

// An ExceptionList is the container that rules name by its ListID.
type ExceptionList struct {
	ListID, Name, Type, Namespace string
	raw                           *Value
}

// An ExceptionItem is one exception: it applies when all of its entries do. An
// event that one item of a rule's lists applies to gives no alert.
type ExceptionItem struct {
	// ListID is the list the item belongs to. Lamina also takes a rule's own
	// rule_id here, so that an exception can name its rule without a list.
	ListID, ItemID, Name string
	// Expires is when the item stops to apply; zero means never.
	Expires time.Time
	Entries []ExceptionEntry
	File    string
	Pos     query.Pos
	raw     *Value
}

// An EntryType is how an exception entry compares.
type EntryType string

// The types of entries (Kibana, kbn-securitysolution-io-ts-list-types).
const (
	EntryMatch    EntryType = "match"     // the field has the value
	EntryMatchAny EntryType = "match_any" // the field has one of the values
	EntryWildcard EntryType = "wildcard"  // a value matches a pattern with * and ?
	EntryExists   EntryType = "exists"    // the field has any value
	EntryList     EntryType = "list"      // the field has a value of a value list
	EntryNested   EntryType = "nested"    // all of Entries, below Field
)

// An ExceptionEntry is one condition.
type ExceptionEntry struct {
	Field string
	Type  EntryType
	// Excluded turns the condition round ("is not").
	Excluded bool
	// Values are one value for match and wildcard, the values of match_any.
	Values []string
	// ListID and ListType name a value list.
	ListID, ListType string
	// Entries are those of a nested entry, with Field below the outer one.
	Entries []ExceptionEntry
	Pos     query.Pos
}

// ParseExceptions reads exception lists and items as Kibana exports them, one
// object a line. The error is an Errors; a line that is a rule is one.
func ParseExceptions(file string, data []byte) (*Exceptions, error) {
	b, err := ParseNDJSON(file, data)
	var errs Errors
	if err != nil && !errors.As(err, &errs) {
		return nil, err
	}
	for _, r := range b.Rules {
		errs = append(errs, &Error{
			File: file, Pos: r.root.Pos, Msg: "this line is a rule, not an exception",
			Hint: "give rules with --rules or as arguments",
		})
	}
	for _, o := range b.Others {
		errs = append(errs, &Error{File: file, Pos: o.Pos, Msg: "this line is neither an exception list nor an exception item"})
	}
	return &b.Exceptions, errs.err()
}

func parseList(v *Value) ExceptionList {
	text := func(name string) string {
		if x := v.Get(name); x != nil && x.Kind == String {
			return x.Text
		}
		return ""
	}
	return ExceptionList{ListID: text("list_id"), Name: text("name"), Type: text("type"), Namespace: text("namespace_type"), raw: v}
}

func parseItem(t *text, v *Value) (ExceptionItem, Errors) {
	d := decoder{t: t}
	item := ExceptionItem{
		ListID: d.need(v, "list_id", "list_id"),
		ItemID: d.str(v, "item_id", "item_id"),
		Name:   d.str(v, "name", "name"),
		File:   t.name,
		Pos:    v.Pos,
		raw:    v,
	}
	if s := d.str(v, "expire_time", "expire_time"); s != "" {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			d.fail(v.Get("expire_time").Pos, "", "expire_time %q is not a time such as 2027-02-01T00:00:00Z", s)
		}
		item.Expires = at
	}
	item.Entries = d.entries(v, false)
	if len(item.Entries) == 0 && len(d.errs) == 0 {
		d.fail(v.Pos, "", "the exception has no entries: it would apply to nothing")
	}
	return item, d.errs
}

// entries reads the entries of an item or of a nested entry.
func (d *decoder) entries(v *Value, nested bool) []ExceptionEntry {
	var out []ExceptionEntry
	for _, t := range d.tables(v, "entries", "entries") {
		e := ExceptionEntry{
			Field: d.need(t, "entries.field", "field"),
			Type:  EntryType(d.need(t, "entries.type", "type")),
			Pos:   t.Pos,
		}
		d.oneOf(t, "entry type", "type", string(e.Type), texts([]EntryType{EntryMatch, EntryMatchAny, EntryWildcard, EntryExists, EntryList, EntryNested}))
		op := d.str(t, "entries.operator", "operator")
		d.oneOf(t, "operator", "operator", op, []string{"included", "excluded"})
		e.Excluded = op == "excluded"
		switch e.Type {
		case EntryMatch, EntryWildcard:
			e.Values = []string{d.scalar(t, "entries.value", "value")}
		case EntryMatchAny:
			e.Values = d.list(t, "entries.value", "value", true)
			if len(e.Values) == 0 {
				d.fail(t.Get("value").orPos(t), "", "entries.value of match_any needs at least one value")
			}
		case EntryList:
			if l := d.table(t, "entries.list", "list"); l != nil {
				e.ListID, e.ListType = d.need(l, "entries.list.id", "id"), d.str(l, "entries.list.type", "type")
			} else {
				d.fail(t.Pos, "", "entries.list is missing")
			}
		case EntryNested:
			if nested {
				d.fail(t.Pos, "", "nested entries do not nest")
				break
			}
			e.Entries = d.entries(t, true)
		case EntryExists:
		}
		out = append(out, e)
	}
	return out
}

// scalar reads a string, number or boolean as text.
func (d *decoder) scalar(t *Value, path, name string) string {
	v := t.Get(name)
	switch {
	case v == nil:
		d.fail(t.Pos, "", "%s is missing", path)
	case v.Kind == String, v.Kind == Integer, v.Kind == Float, v.Kind == Bool:
		return v.Text
	default:
		d.fail(v.Pos, "", "%s must be a value, not %s", path, v.Kind)
	}
	return ""
}

// For returns the items that apply to rule r at time now: those of the lists it
// names and those that name it, without the expired ones. A zero now keeps them
// all.
func (x *Exceptions) For(r *Rule, now time.Time) []ExceptionItem {
	if x == nil {
		return nil
	}
	var out []ExceptionItem
	for _, i := range x.Items {
		named := i.ListID == r.ID || slices.ContainsFunc(r.Exceptions, func(e ExceptionRef) bool { return e.ListID == i.ListID })
		if named && (now.IsZero() || i.Expires.IsZero() || i.Expires.After(now)) {
			out = append(out, i)
		}
	}
	return out
}

func (e ExceptionEntry) String() string {
	op := ""
	if e.Excluded {
		op = "not "
	}
	switch e.Type {
	case EntryExists:
		return op + e.Field + ": *"
	case EntryList:
		return op + e.Field + " in list " + e.ListID
	case EntryNested:
		return fmt.Sprintf("%s%s: %v", op, e.Field, e.Entries)
	case EntryMatch, EntryMatchAny, EntryWildcard:
	}
	return fmt.Sprintf("%s%s: %q", op, e.Field, e.Values)
}

// Of returns the lists and items that apply to one of the rules.
func (x *Exceptions) Of(rules []*Rule) *Exceptions {
	out := &Exceptions{}
	if x == nil {
		return out
	}
	for _, l := range x.Lists {
		if slices.ContainsFunc(rules, func(r *Rule) bool {
			return slices.ContainsFunc(r.Exceptions, func(e ExceptionRef) bool { return e.ListID == l.ListID })
		}) {
			out.Lists = append(out.Lists, l)
		}
	}
	for _, i := range x.Items {
		one := &Exceptions{Items: []ExceptionItem{i}}
		if slices.ContainsFunc(rules, func(r *Rule) bool { return len(one.For(r, time.Time{})) > 0 }) {
			out.Items = append(out.Items, i)
		}
	}
	return out
}

// An UnknownField is a field of an exception that no CloudTrail document has.
type UnknownField struct {
	// Name is the whole name, Near the mapped field it probably means, or "".
	Name, Near string
	// Excluded says that the condition is turned round, and so always true.
	Excluded bool
	Pos      query.Pos
}

// UnknownFields are the fields of an item that no document has, in order.
func (x *ExceptionItem) UnknownFields() []UnknownField {
	var out []UnknownField
	var walk func(es []ExceptionEntry, prefix string)
	walk = func(es []ExceptionEntry, prefix string) {
		for _, e := range es {
			name := prefix + e.Field
			if e.Type == EntryNested {
				walk(e.Entries, name+".")
			} else if ecs.Lookup(name).Type == ecs.Unmapped {
				out = append(out, UnknownField{Name: name, Near: nearestField(name), Excluded: e.Excluded, Pos: e.Pos})
			}
		}
	}
	walk(x.Entries, "")
	return out
}
