package exception

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// Append is data, a file of exceptions, with more exceptions at its end. All that
// was there stays as it is: order, comments, white space. An id that is taken
// gets a number. The result reads as it should, or the error says why not.
func Append(name string, data []byte, more []Item, now time.Time) ([]byte, []Item, error) {
	f, err := Parse(name, data, now)
	if err != nil {
		return nil, nil, err
	}
	taken := map[string]bool{}
	for _, x := range f.Items {
		taken[x.ID] = true
	}
	out := data
	for i := range more {
		x := &more[i]
		for n, base := 2, x.ID; taken[x.ID]; n++ {
			x.ID = base + "-" + strconv.Itoa(n)
		}
		taken[x.ID] = true
		out = tomlfile.Append(out, x.text())
	}
	if _, err := Parse(name, out, now); err != nil {
		return nil, nil, err
	}
	return out, more, nil
}

// text is x as it stands in a file.
func (x Item) text() string {
	var b strings.Builder
	b.WriteString("[[exception]]\nid      = " + tomlfile.Quote(x.ID) + "\nmatch   = { ")
	sep := ""
	for _, k := range x.Match.keys() {
		if *k.value != "" {
			b.WriteString(sep + k.name + " = " + tomlfile.Quote(*k.value))
			sep = ", "
		}
	}
	b.WriteString(" }\n")
	if x.Content != "" {
		b.WriteString("content = " + tomlfile.Quote("sha256:"+x.Content) + "\n")
	}
	fmt.Fprintf(&b, "reason  = %s\nowner   = %s\nexpires = %s\n", tomlfile.Quote(x.Reason), tomlfile.Quote(x.Owner), x.Expires.Format(time.DateOnly))
	return b.String()
}

// Schema is the JSON Schema of exceptions.toml, for editors.
func Schema() map[string]any {
	text := func(doc string) map[string]any {
		return map[string]any{"type": "string", "minLength": 1, "description": doc}
	}
	match := map[string]any{
		"type": "object", "additionalProperties": false, "minProperties": 1,
		"description": "what is covered: findings that satisfy all of it",
		"properties": map[string]any{
			"finding":   text("the id of one finding, F-…"),
			"check":     text("the id or the catalogue number of a check or analyzer"),
			"rule":      text("the same as check, in SARIF's word"),
			"resource":  text("the layer; * stands for any characters"),
			"file":      text("the path in the layer; * stops at a slash, ** does not"),
			"technique": text("a MITRE ATT&CK id; T1552 means its sub-techniques too"),
			"cve":       text("the id of a vulnerability"),
		},
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "exceptions.toml",
		"type":    "object", "additionalProperties": false,
		"properties": map[string]any{"coverage": coverageSchema(text), "exception": map[string]any{
			"type": "array",
			"items": map[string]any{
				"type": "object", "additionalProperties": false,
				"required": []string{"id", "match", "reason", "owner", "expires"},
				"properties": map[string]any{
					"id":      map[string]any{"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$", "description": "a name of its own"},
					"match":   match,
					"content": map[string]any{"type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "the digest of the file it holds for; required for secrets, malicious behaviour and drift"},
					"reason":  text("why the risk is accepted"),
					"owner":   text("whose decision it is"),
					"expires": map[string]any{"type": "string", "format": "date", "description": fmt.Sprintf("the last day on which it holds, at most %d days ahead", MaxDays)},
				},
			},
		}},
	}
}

func coverageSchema(text func(string) map[string]any) map[string]any {
	return map[string]any{
		"type": "array", "description": "what need not be examined: calls that the collector may go without",
		"items": map[string]any{
			"type": "object", "additionalProperties": false,
			"required": []string{"id", "match", "reason", "owner", "expires"},
			"properties": map[string]any{
				"id": map[string]any{"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$", "description": "a name of its own"},
				"match": map[string]any{
					"type": "object", "additionalProperties": false, "minProperties": 1, "description": "which calls: those that satisfy all of it; * stands for any characters",
					"properties": map[string]any{"account": text("an account id"), "region": text("a region"), "action": text("an IAM action")},
				},
				"reason":  text("why it is accepted"),
				"owner":   text("whose decision it is"),
				"expires": map[string]any{"type": "string", "format": "date", "description": fmt.Sprintf("the last day on which it holds, at most %d days ahead", MaxDays)},
			},
		},
	}
}
