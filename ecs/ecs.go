// Package ecs is one log record seen through Elastic Common Schema names: which
// fields exist, what type the index mapping gives each, which values a record
// has for them, and who may keep the record's bytes.
//
// It holds names and types, never a parser: internal/cloudtrail makes Events
// from bytes, and the languages (kql, eql, esql) read them. Start with Lookup,
// then Event.Values.
package ecs

// A Type is the Elasticsearch mapping type of a field. It decides what a query
// on the field means (https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/field-data-types).
type Type uint8

// The mapping types that the CloudTrail data stream uses.
const (
	// Unmapped is a name the index has no mapping for: no document ever has it.
	Unmapped Type = iota
	// Keyword is matched whole, case-sensitively, up to Field.IgnoreAbove UTF-16 units.
	Keyword
	// ConstantKeyword has one value in every document of the index.
	ConstantKeyword
	// Text is analysed into lower-cased tokens.
	Text
	// IP is an address; queries may name a CIDR block.
	IP
	// Boolean is "true" or "false".
	Boolean
	// Long is a 64-bit integer.
	Long
	// Double is a 64-bit float.
	Double
	// Date is a time; its text is RFC 3339 in UTC with milliseconds.
	Date
	// Flattened is a JSON object whose leaves are keywords under dotted keys.
	Flattened
	// GeoPoint is a place; no query of ours reads it.
	GeoPoint
	// Object is an inner node of the document: it has no values of its own, but
	// it exists when any field below it does.
	Object
)

// A Field is one name of the schema. There is one *Field per mapped name, so
// fields may be compared as pointers; a sub-key of a flattened field gets a
// Field of its own from Lookup, equal in Name but not in address.
type Field struct {
	// Name is the dotted ECS name, e.g. "event.action".
	Name string
	// Type is the mapping type. A sub-key of a flattened field is Flattened too.
	Type Type
	// IgnoreAbove is the length in UTF-16 units above which a keyword value is
	// neither indexed nor in doc values, so that queries do not see it; 0 means
	// no limit.
	IgnoreAbove int
	// ID is the dense index of a mapped field in All, or -1 for a sub-key of a
	// flattened field and for an unmapped name.
	ID int
	// Root is the flattened field this is a sub-key of, or nil.
	Root *Field
	// Key is the dotted path below Root, e.g. "ipPermissions.items.fromPort".
	Key string
	// History says that the value depends on events seen before this one
	// (lamina.layers.*), so it is known only after events are ordered by time.
	History bool
	// Source says who fills the field: "cloudtrail", "geoip", "useragent",
	// "lamina", "alert"; "" for a mapped field that nothing here ever fills.
	Source string
	// Const is the one value of a ConstantKeyword.
	Const string
	// Doc is a short description.
	Doc string
}

// An Event is one record.
//
// An Event handed to a callback is reused for the next record: keep nothing of
// it, not even a string, past the callback. What must outlive it is cloned by
// its maker. An Event is not safe for concurrent use, programs never write to it.
type Event interface {
	// Values returns the values of f as text, in document order, or nil when
	// the record has none. Numbers print as JSON prints them, booleans as
	// "true" and "false", dates as RFC 3339 UTC with milliseconds. It must
	// return a value as the document holds it: that a value longer than
	// f.IgnoreAbove is invisible to queries is the reader's business, see
	// Indexed. For an Object field it returns nil; use Exists. For the root of a
	// flattened field it returns the values of all its keys, for a sub-key those
	// of exactly that key, for an analysed twin (Field.Twin) its keyword's.
	//
	// The slice and the strings are valid until the next record.
	Values(f *Field) []string
	// Exists says whether the record has a value at f or below it.
	Exists(f *Field) bool
	// Raw is the record's bytes as they were read, valid until the next record.
	// Enrichment reads from it what the mapping drops, e.g. an empty layer list.
	Raw() []byte
}
