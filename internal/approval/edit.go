package approval

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// Append is data, a file of approvals, with one more at its end. All that was
// there stays as it is: order, comments, white space. The result reads as it
// should, or the error says why not.
func Append(name string, data []byte, x Item, now time.Time) ([]byte, error) {
	f, err := Parse(name, data, now)
	if err != nil {
		return nil, err
	}
	// What is wrong with x has no place in the file yet.
	wrong := func(msg, hint string) error { return &tomlfile.Error{File: name, Msg: msg, Hint: hint} }
	if msg, hint := checkLayer(x); msg != "" {
		return nil, wrong(msg, hint)
	}
	if x.Kind == Share && !to().MatchString(x.To) {
		return nil, wrong(fmt.Sprintf("%q is nobody", x.To), toHint)
	}
	if i := slices.IndexFunc(f.Items, func(old Item) bool { return old.ID == x.ID }); i >= 0 {
		return nil, wrong(fmt.Sprintf("approval %q is there already, in line %d", x.ID, f.Items[i].Line), "change its end there, or give this one another name with --id")
	}
	out := tomlfile.Append(data, x.text())
	if _, err := Parse(name, out, now); err != nil {
		return nil, err
	}
	return out, nil
}

// text is x as it stands in a file.
func (x Item) text() string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%-7s = %s\n", key, value) }
	fmt.Fprintf(&b, "[[%s]]\n", x.Kind)
	line("id", tomlfile.Quote(x.ID))
	line("layer", tomlfile.Quote(x.Layer))
	if x.Digest != "" {
		line("digest", tomlfile.Quote("sha256:"+x.Digest))
	}
	if x.To != "" {
		line("to", tomlfile.Quote(x.To))
	}
	if len(x.Scope) > 0 {
		var all []string
		for _, s := range x.Scope {
			all = append(all, tomlfile.Quote(s))
		}
		line("scope", "["+strings.Join(all, ", ")+"]")
	}
	line("reason", tomlfile.Quote(x.Reason))
	line("owner", tomlfile.Quote(x.Owner))
	line("expires", x.Expires.Format(time.DateOnly))
	return b.String()
}

// Schema is the JSON Schema of approvals.toml, for editors.
func Schema() map[string]any {
	text := func(doc string) map[string]any {
		return map[string]any{"type": "string", "minLength": 1, "description": doc}
	}
	list := func(required []string, more map[string]any) map[string]any {
		properties := map[string]any{
			"id":      map[string]any{"type": "string", "pattern": isID().String(), "description": "a name of its own"},
			"digest":  map[string]any{"type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "the SHA-256 that the zip must have"},
			"reason":  text("what it is for"),
			"owner":   text("whose decision it is"),
			"expires": map[string]any{"type": "string", "format": "date", "description": fmt.Sprintf("the last day on which it holds, at most %d days ahead", exception.MaxDays)},
			"layer":   text("the layer version's ARN; * stands for any characters, but not in the account"),
		}
		maps.Copy(properties, more)
		return map[string]any{"type": "array", "items": map[string]any{
			"type": "object", "additionalProperties": false, "required": append([]string{"id", "layer", "reason", "owner", "expires"}, required...), "properties": properties,
		}}
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "approvals.toml",
		"type":    "object", "additionalProperties": false,
		"properties": map[string]any{
			Layer: list(nil, map[string]any{"scope": map[string]any{
				"type": "array", "minItems": 1, "items": map[string]any{"type": "string", "pattern": scope().String()},
				"description": "accounts, organisational units or patterns for ARNs of functions that may load it; all of ours without it",
			}}),
			Share: list([]string{"to"}, map[string]any{"to": map[string]any{
				"type": "string", "pattern": to().String(), "description": "an account id, an organisation's id, or everyone",
			}}),
		},
	}
}
