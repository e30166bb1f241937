package history

import (
	"encoding/json"
	"maps"
	"slices"
)

// texts collects the strings anywhere in a JSON value.
func texts(raw json.RawMessage, dst []string) []string {
	return collect(raw, dst, 0)
}

func collect(raw json.RawMessage, dst []string, depth int) []string {
	if len(raw) == 0 || depth > maxNest || len(dst) >= maxTexts {
		return dst
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil && s != "" && len(s) <= maxText {
			dst = append(dst, s)
		}
	case '[':
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return dst
		}
		for _, it := range items {
			dst = collect(it, dst, depth+1)
		}
	case '{':
		var o object
		if json.Unmarshal(raw, &o) != nil {
			return dst
		}
		for _, k := range slices.Sorted(maps.Keys(o)) {
			dst = collect(o[k], dst, depth+1)
		}
	default:
		// Numbers, booleans and null are no texts.
	}
	return dst
}
