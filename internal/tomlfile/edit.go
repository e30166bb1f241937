package tomlfile

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Append is data with a block of lines at its end, after an empty line. All that
// was there stays as it is, and lines end as they did.
func Append(data []byte, block string) []byte {
	newline := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		newline = "\r\n"
	}
	out := bytes.Clone(data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, newline...)
	}
	if len(out) > 0 {
		out = append(out, newline...)
	}
	return append(out, strings.ReplaceAll(block, "\n", newline)...)
}

// Quote is s as a basic string of TOML, whose escapes are those of JSON; TOML
// forbids a bare DEL as well (https://toml.io/en/v1.0.0#string).
func Quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}
