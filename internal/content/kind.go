package content

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// MarshalText writes the digest in lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 64 hex digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("digest of %d characters: want 64", len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// magics are first bytes that say what a file is whatever its name is.
var magics = []struct {
	magic string
	kind  Kind
}{
	{"\x7fELF", ELF},
	{"MZ", Foreign},
	{"\xfe\xed\xfa\xce", Foreign},
	{"\xfe\xed\xfa\xcf", Foreign},
	{"\xce\xfa\xed\xfe", Foreign},
	{"\xcf\xfa\xed\xfe", Foreign},
	{"PK\x03\x04", Archive},
	{"PK\x05\x06", Archive},
	{"\x1f\x8b", Archive},
	{"\x28\xb5\x2f\xfd", Archive},
	{"BZh", Archive},
	{"\xfd7zXZ\x00", Archive},
}

// extensions are consulted when the first bytes say nothing.
var extensions = map[string]Kind{
	".py": Python, ".pyw": Python, ".pyi": Text, ".pyc": Pyc, ".pyo": Pyc, ".pth": PthFile,
	".js": JavaScript, ".mjs": JavaScript, ".cjs": JavaScript, ".jsx": JavaScript,
	".ts": Text, ".mts": Text, ".cts": Text, ".map": JSON, ".json": JSON,
	".sh": Shell, ".bash": Shell, ".rb": Ruby, ".gemspec": Ruby, ".class": Class,
	".br": Archive, ".tar": Archive,
}

// kindOf tells the kind of a regular file from its path and its first bytes.
func kindOf(name string, head []byte) Kind {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	if bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) {
		// Java's classes and Mach-O's fat binaries begin alike; a class file's
		// version is above any number of architectures.
		if len(head) >= 8 && head[6] == 0 && head[7] >= 45 {
			return Class
		}
		return Foreign
	}
	ext := strings.ToLower(path.Ext(name))
	if line, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		return interpreter(line)
	}
	if k, ok := extensions[ext]; ok {
		return k
	}
	if isText(head) {
		return Text
	}
	return Other
}

// interpreter is the kind of a script by what stands after "#!".
func interpreter(line []byte) Kind {
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	for word := range strings.FieldsSeq(string(line[:min(len(line), 256)])) {
		base := path.Base(word)
		switch {
		case base == "env" || strings.HasPrefix(base, "-") || strings.Contains(base, "="):
			continue
		case strings.HasPrefix(base, "python"):
			return Python
		case strings.HasPrefix(base, "node"):
			return JavaScript
		case base == "sh" || base == "bash" || base == "dash" || base == "ash" || base == "ksh" || base == "zsh":
			return Shell
		case strings.HasPrefix(base, "ruby"):
			return Ruby
		}
		return Script
	}
	return Script
}

// isText reports whether the bytes are UTF-8 without control characters that
// text does not have. The last rune may be cut off.
func isText(head []byte) bool {
	if len(head) == 0 {
		return false
	}
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n == 1:
			return len(head) < utf8.UTFMax && !utf8.FullRune(head)
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != 0x1b:
			return false
		}
		head = head[n:]
	}
	return true
}
