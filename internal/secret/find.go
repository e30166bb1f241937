package secret

import (
	"bytes"
	"strings"
)

// The functions of this file are formats' find: hand-made for anchors that are
// common in clean text, and for values no pattern of bounded size describes.
// Each looks at a bounded stretch, and never twice at the same one for a flood of
// anchors without a value between them.

// passwordInURL returns the password of scheme://user:password@host.
func passwordInURL(data []byte, at int) (begin, end int, ok bool) {
	i := bytes.Index(data[at:min(len(data), at+32)], []byte("://"))
	if i < 0 {
		return 0, 0, false
	}
	at += i + 3
	i = at
	for ; i < len(data) && i-at <= 128 && userinfo(data[i]) && data[i] != ':'; i++ {
	}
	if i >= len(data) || data[i] != ':' {
		return 0, 0, false
	}
	begin = i + 1
	for i = begin; i < len(data) && i-begin <= 256 && (userinfo(data[i]) && data[i] != ',' || data[i] == '^' || data[i] == '{' || data[i] == '}' || data[i] == '<' || data[i] == '>'); i++ {
	}
	if i == begin || i+1 >= len(data) || data[i] != '@' || !alnum(data[i+1]) && !within("[{$<%_", data[i+1]) {
		return 0, 0, false
	}
	return begin, i, true
}

// userinfo reports the bytes RFC 3986 allows there, colon included.
func userinfo(c byte) bool {
	return alnum(c) || within("-._~%!$&()*+,;=:", c)
}

// pemMax is the longest PEM block that is read, in bytes: an RSA key of 16384
// bits takes 13 KiB.
const pemMax = 16 << 10

// pemBlock returns a whole block. Its line ends may be escaped as in JSON.
func pemBlock(data []byte, at int) (begin, end int, ok bool) {
	head := bytes.Index(data[at+11:min(len(data), at+80)], []byte("-----"))
	if head < 0 {
		return 0, 0, false
	}
	label := data[at+11 : at+11+head]
	i := at + 11 + head + 5
	// Up to the next run of hyphens: in a block there is none before its end.
	n := bytes.Index(data[i:min(len(data), at+pemMax)], []byte("-----"))
	if n < 64 {
		return 0, 0, false
	}
	rest := data[i+n+5:]
	if !bytes.HasPrefix(rest, []byte("END ")) || !bytes.HasPrefix(rest[4:], label) || !bytes.HasPrefix(rest[4+len(label):], []byte("-----")) {
		return 0, 0, false
	}
	return at, i + n + 5 + 4 + len(label) + 5, true
}

// jwt returns three base64url parts with dots between them.
func jwt(data []byte, at int) (begin, end int, ok bool) {
	if !opens(data, at, "-.") {
		return 0, 0, false
	}
	i, dots := at, 0
	var dot [2]int
	for limit := min(len(data), at+8192); i < limit; i++ {
		if c := data[i]; c == '.' {
			if dots == 2 {
				break
			}
			dot[dots] = i
			dots++
		} else if !alnum(c) && c != '-' && c != '_' {
			break
		}
	}
	if dots < 2 || dot[1]-dot[0] < 10 || i-dot[1] < 20 {
		return 0, 0, false
	}
	return at, i, true
}

// secretBesideID returns a secret access key that stands, without a name of its
// own, within five lines of an access key id.
func secretBesideID(data []byte, at int) (begin, end int, ok bool) {
	if !isAccessKeyID(data, at) {
		return 0, 0, false
	}
	const reach = 512
	lines := 0
	for i := at + 20; i < min(len(data), at+reach) && lines <= 5; i++ {
		if data[i] == '\n' {
			lines++
		} else if n := secretRun(data, i); n == 40 && plausibleSecret(data[i:i+40]) {
			return i, i + 40, true
		} else if n > 0 {
			i += n - 1
		}
	}
	lines = 0
	for i := at - 1; i >= max(0, at-reach) && lines <= 5; i-- {
		if data[i] == '\n' {
			lines++
		} else if std64Byte(data[i]) && (i == 0 || !std64Byte(data[i-1])) {
			if n := secretRun(data, i); n == 40 && plausibleSecret(data[i:i+40]) {
				return i, i + 40, true
			}
		}
	}
	return 0, 0, false
}

func std64Byte(c byte) bool { return alnum(c) || c == '+' || c == '/' }

// secretRun is the length of the base64 run that begins at i, 0 if none does.
func secretRun(data []byte, i int) int {
	if !std64Byte(data[i]) {
		return 0
	}
	n := 0
	for i+n < len(data) && n <= 256 && std64Byte(data[i+n]) {
		n++
	}
	if i+n < len(data) && (data[i+n] == '=' || data[i+n] == '_' || data[i+n] == '-') {
		return n + 256
	}
	return n
}

func isAccessKeyID(data []byte, at int) bool {
	if len(data)-at < 20 || !opens(data, at, "/+=") || !closes(data, at+20, "/+=") {
		return false
	}
	for _, c := range data[at+4 : at+20] {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return !bytes.Contains(data[at:at+20], []byte("EXAMPLE"))
}

// connectionString returns the password of Server=…;Password=…; the anchor is
// the name with its equals sign, and a server has to be named nearby.
func connectionString(data []byte, at int) (begin, end int, ok bool) {
	if at > 0 && !within(";\"' &?\t", data[at-1]) {
		return 0, 0, false
	}
	begin = at + bytes.IndexByte(data[at:min(len(data), at+16)], '=') + 1
	end = begin
	for end < len(data) && end-begin <= 128 && data[end] > ' ' && !within(";\"'<>&\\`", data[end]) {
		end++
	}
	if end-begin < 4 || end-begin > 128 {
		return 0, 0, false
	}
	low := bytes.ToLower(data[max(0, at-300):min(len(data), end+200)])
	for _, server := range []string{"server=", "data source=", "host=", "addr=", "address=", "dsn="} {
		if found := bytes.Contains(low, []byte(server)); found && bytes.IndexByte(low, ';') >= 0 {
			return begin, end, true
		}
	}
	return 0, 0, false
}

// jwk returns the d member of the JSON object whose kty is at at.
func jwk(data []byte, at int) (begin, end int, ok bool) {
	// Neither way past another one: an object has one kty.
	mark := data[at : at+5]
	from := at - 1
	for from >= 0 && at-from <= 4096 && data[from] != '{' {
		if data[from] == '}' || data[from] == '"' && bytes.HasPrefix(data[from:], mark) {
			return 0, 0, false
		}
		from--
	}
	if from < 0 || data[from] != '{' {
		return 0, 0, false
	}
	near := data[at+5 : min(len(data), at+8192)]
	if i := bytes.Index(near, mark); i >= 0 {
		near = near[:i]
	}
	to := 5 + bytes.IndexByte(near, '}')
	if to < 5 {
		return 0, 0, false
	}
	object := data[from : at+to]
	i := bytes.Index(object, []byte(`"d"`))
	if i < 0 {
		return 0, 0, false
	}
	j := i + 3
	for j < len(object) && within(" \t\r\n:", object[j]) {
		j++
	}
	if j >= len(object) || object[j] != '"' {
		return 0, 0, false
	}
	n := bytes.IndexByte(object[j+1:], '"')
	if n < 40 || bytes.ContainsFunc(object[j+1:j+1+n], func(r rune) bool { return r > 0x7f || !alnum(byte(r)) && r != '-' && r != '_' }) {
		return 0, 0, false
	}
	return from + j + 1, from + j + 1 + n, true
}

// xmlKey returns the private exponent of the RSAKeyValue at at.
func xmlKey(data []byte, at int) (begin, end int, ok bool) {
	near := data[at+13 : min(len(data), at+6000)]
	if i := bytes.Index(near, data[at:at+13]); i >= 0 {
		near = near[:i]
	}
	i := bytes.Index(near, []byte("<D>"))
	if i < 0 {
		return 0, 0, false
	}
	n := bytes.Index(near[i:], []byte("</D>")) - 3
	if n < 100 || bytes.ContainsFunc(near[i+3:i+3+n], notBase64Text) {
		return 0, 0, false
	}
	return at + 13 + i + 3, at + 13 + i + 3 + n, true
}

// notBase64Text reports what is neither base64 nor white space.
func notBase64Text(r rune) bool {
	return r > 0x7e || !std64Byte(byte(r)) && !within("= \t\r\n", byte(r))
}

// puttyKey returns the private lines of the PuTTY key file at at.
func puttyKey(data []byte, at int) (begin, end int, ok bool) {
	near := data[at+20 : min(len(data), at+8192)]
	if i := bytes.Index(near, data[at:at+20]); i >= 0 {
		near = near[:i]
	}
	i := bytes.Index(near, []byte("Private-Lines: "))
	if i < 0 || !bytes.Contains(near[:i], []byte("Encryption: ")) {
		return 0, 0, false
	}
	for i += 15; i < len(near) && '0' <= near[i] && near[i] <= '9'; i++ {
	}
	for i < len(near) && within("\\rn \r\n", near[i]) {
		i++
	}
	n := 0
	for i+n < len(near) && (std64Byte(near[i+n]) || within("= \r\n", near[i+n])) {
		n++
	}
	// The lines end where the next header begins.
	if k := bytes.Index(near[i:i+n], []byte("\nPrivate")); k >= 0 {
		n = k
	}
	return at + 20 + i, at + 20 + i + n, n >= 40
}

// serviceAccountKey returns the id of a service account's key if the key is
// beside it: the key itself is found as a PEM block.
func serviceAccountKey(data []byte, at int) (begin, end int, ok bool) {
	near := data[max(0, at-1024):min(len(data), at+4096)]
	if !bytes.Contains(near, []byte("service_account")) || !bytes.Contains(near, []byte("PRIVATE KEY-----")) {
		return 0, 0, false
	}
	rest := data[at:min(len(data), at+128)]
	i := bytes.IndexByte(rest, ':')
	if i < 0 {
		return 0, 0, false
	}
	for i++; i < len(rest) && !hexDigit(rest[i]); i++ {
		if !within(" \t\"\\", rest[i]) {
			return 0, 0, false
		}
	}
	n := 0
	for i+n < len(rest) && hexDigit(rest[i+n]) {
		n++
	}
	return at + i, at + i + n, n == 40
}

// assignment returns what is assigned to a name that ends in, or goes on shortly
// after, the anchor: name = value, name: "value".
func assignment(data []byte, at int) (begin, end int, ok bool) {
	i := at
	for i < len(data) && i-at < 48 && (word(data[i]) || data[i] == '-' || data[i] == '.') {
		i++
	}
	if descriptive(data[at:i]) {
		return 0, 0, false
	}
	for i < len(data) && within("\"'` \t", data[i]) && i-at < 64 {
		i++
	}
	if i >= len(data) || data[i] != '=' && data[i] != ':' {
		return 0, 0, false
	}
	for i++; i < len(data) && within("=> \t", data[i]) && i-at < 80; i++ {
	}
	if i >= len(data) {
		return 0, 0, false
	}
	quote := byte(0)
	if within("\"'`", data[i]) {
		quote = data[i]
		i++
	}
	begin = i
	for i < len(data) && i-begin <= 128 && data[i] > ' ' && data[i] < 0x7f && data[i] != quote && (quote != 0 || !within(",;\"'`()[]", data[i])) {
		i++
	}
	if i-begin < 12 || i-begin > 128 || quote != 0 && (i >= len(data) || data[i] != quote) {
		return 0, 0, false
	}
	return begin, i, true
}

// descriptive reports whether a name that holds a word like secret goes on to say
// that the value only describes one: secret_name, token_url, key_id.
func descriptive(name []byte) bool {
	low := strings.ToLower(string(name))
	for _, w := range []string{
		"id", "ids", "name", "file", "path", "url", "uri", "endpoint", "type", "hash", "hint", "field", "length", "size", "policy",
		"version", "arn", "expiry", "ttl", "format", "class", "prefix", "header", "param", "parameter", "regex", "pattern", "label",
	} {
		if strings.HasSuffix(low, "_"+w) || strings.HasSuffix(low, "-"+w) || strings.HasSuffix(low, "."+w) {
			return true
		}
	}
	return false
}
