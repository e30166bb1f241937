package history

import (
	"slices"
	"strings"
)

// texts collects the strings anywhere in a JSON value.
func texts(raw []byte, dst []string) []string {
	return collect(raw, dst, 0)
}

func collect(raw []byte, dst []string, depth int) []string {
	if len(raw) == 0 || depth > maxNest || len(dst) >= maxTexts {
		return dst
	}
	switch raw[0] {
	case '"':
		if s := unquote(raw); s != "" && len(s) <= maxText {
			dst = append(dst, s)
		}
	case '[':
		for it := range elements(raw) {
			dst = collect(it, dst, depth+1)
		}
	case '{':
		o := readObject(raw)
		slices.SortStableFunc(o, func(a, b member) int { return strings.Compare(a.name, b.name) })
		for i, m := range o {
			if i+1 == len(o) || o[i+1].name != m.name { // the last of a name counts
				dst = collect(m.raw, dst, depth+1)
			}
		}
	default:
		// Numbers, booleans and null are no texts.
	}
	return dst
}
