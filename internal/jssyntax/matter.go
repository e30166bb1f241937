package jssyntax

import "strings"

// wanted are the literals without which a file neither reads secrets, nor sends,
// nor runs what is hidden, nor changes another module. Most count only with what
// stands around them: see around.
var wanted = []string{
	"eval(", "eval)", "eval`", "eval;", "eval,", "'eval'", "\"eval\"", "Function(", "Function (", "Function`", ".constructor(", "constructor.constructor", "'constructor'", "\"constructor\"", "child_process",
	"process.env", "process[", "= process", "=process", "env}", "execSync", "spawn(",
	"'http'", "\"http\"", "'https'", "\"https\"", "node:http", "http2", "'net'", "\"net\"", "node:net", "'tls'", "\"tls\"", "node:tls", "dgram", "'dns'", "\"dns\"", "'dns/", "\"dns/", "node:dns",
	"fetch(", "fetch)", "axios", "undici", "WebSocket", "'got'", "\"got\"", "'needle'", "\"needle\"", "superagent", "'request'", "\"request\"",
	"'vm'", "\"vm\"", "node:vm", "runInThis", "runInNew", "Module._", "_load", "require.cache", "prototype.require", "_compile(", "_extensions", "_resolveFilename", "createRequire",
	"getBuiltinModule", "process.binding", "dlopen", "\\x", "_0x", "new Proxy(", "/proc/", "169.254.1", "AWS_", "aws-sdk", "Object.assign(require",
	"globalThis", "global", "window", "self", "this[", "mainModule", "Reflect.apply", "Reflect.get(", "credential-provider", "stratum+", "worker_threads", "shimmer",
	"data:text/javascript", "data:application/javascript",
	"in-the-middle", "NODE_OPTIONS", "LD_PRELOAD", "runtime/invocation", "nodemailer", "require", "import(",
	"atob", "fromCharCode", "fromCodePoint", "base64", "'hex'", "\"hex\"", "unescape(", "Decipher", "inflate", "unzip", "Decompress",
	"//", "/*",
}

// A weight is what a literal says of its file.
type weight uint16

const (
	nothing weight = 0
	matter  weight = 1 << iota // enough by itself
	// A module's name that no import asks for counts where require goes by another
	// name, a method fetch where the global object does, and the name of what makes
	// code where something is decoded: code that stands there in clear has literals
	// of its own. A codeWord is such a name where programs that read JavaScript have
	// it too; these make characters of numbers as well.
	moduleName
	otherRequire
	fetchMethod
	otherGlobal
	codeName
	codeWord
	charCodes
	decoder
)

// pairsOf are weights that matter together.
var pairsOf = [...]weight{moduleName | otherRequire, fetchMethod | otherGlobal, codeName | charCodes, codeName | decoder, codeWord | decoder}

// MayMatter says whether Parse could find anything but plain imports in src that
// a reader would want to know. It looks for literals and for assignments to
// attributes of required modules, and is many times faster than Parse.
func MayMatter[S string | []byte](src S) bool {
	s := string(src)
	var seen weight
	refused := 0 // where the last comment ends that may be none
	for i := 0; i+1 < len(s); i++ {
		k := pairs[uint16(s[i])<<8|uint16(s[i+1])]
		if k == 0 {
			continue
		}
		if s[i] == '/' && (s[i+1] == '/' || s[i+1] == '*') {
			if i < refused {
				continue
			}
			end, sure := comment(s, i)
			if sure {
				i = end - 1
			} else {
				refused = end
			}
			continue
		}
		for _, w := range byPair[k] {
			if !strings.HasPrefix(s[i:], w) {
				continue
			}
			x := around(s, i, w)
			if x == matter {
				return true
			}
			seen |= x
		}
	}
	if seen&(codeName|codeWord) != 0 && seen&decoder == 0 && xors(s) {
		seen |= decoder
	}
	for _, both := range pairsOf {
		if seen&both == both {
			return true
		}
	}
	return patches(s)
}

// comment returns where the comment ends that begins at i, and whether it is one
// for sure. It is if only blanks stand before it on its line. It may stand in a
// template that began further up: then what would end the template must not be in
// it.
func comment(s string, i int) (end int, sure bool) {
	j := i
	for j > 0 && (s[j-1] == ' ' || s[j-1] == '\t') {
		j--
	}
	if j > 0 && s[j-1] != '\n' || j > 1 && (s[j-2] == '\\' || s[j-2] == '\r' && j > 2 && s[j-3] == '\\') {
		return i + 1, false
	}
	stop := "\n"
	if s[i+1] == '*' {
		stop = "*/"
	}
	n := strings.Index(s[i+2:], stop)
	if n < 0 {
		return len(s), false
	}
	text := s[i+2 : i+2+n]
	end = i + 2 + n
	if strings.IndexByte(text, '`') >= 0 || strings.Contains(text, "${") {
		return end, false
	}
	// other ends of a line than \n, and the end of a comment around this one
	return end, stop != "\n" || !strings.Contains(text, "*/") && strings.IndexByte(text, '\r') < 0 && !strings.Contains(text, "\u2028") && !strings.Contains(text, "\u2029")
}

// around weighs a literal by what stands around it.
func around(s string, i int, w string) weight {
	end := i + len(w)
	rest := s[end:]
	first := i == 0 || !identByte(s[i-1])
	is := func(yes bool) weight {
		if yes {
			return matter
		}
		return nothing
	}
	switch w {
	case "require":
		return requires(s, i, end)
	case "import(":
		return is(first && (i == 0 || s[i-1] != '.') && computed(rest) && !strings.HasPrefix(rest, ")"))
	case "process.env":
		return is(!plainVariable(rest))
	case "AWS_":
		return is(rest == "" || !identByte(rest[0]) || awsSecret(rest))
	case "169.254.1":
		return is(rest == "" || rest[0] < '0' || rest[0] > '9' || strings.HasPrefix(rest, "69.254") || strings.HasPrefix(rest, "70.2"))
	case `\x`:
		return is(escapedWord(rest))
	case "this[":
		return is(computed(rest) && (strings.HasPrefix(rest, "\"") || strings.HasPrefix(rest, "'")))
	case "= process", "=process":
		return is(rest == "" || !identByte(rest[0]) && rest[0] != '.')
	case "eval(", "_compile(":
		return is(first && !declares(rest) && !inClear(rest))
	case "Function(", "Function (":
		return is(first && !inClear(rest))
	case "spawn(":
		return is(first)
	case "eval`", "Function`":
		return is(first && (i == 0 || s[i-1] != '`'))
	case "eval)", "eval;", "eval,", "fetch)":
		return is(first && i > 0)
	case "fetch(":
		return fetches(s, i, rest)
	case ".constructor(":
		return is(!strings.HasSuffix(s[:i], "this"))
	case "prototype.require", "_load":
		return is(rest == "" || !identByte(rest[0]))
	case "'eval'", `"eval"`, "'constructor'", `"constructor"`:
		switch {
		case compared(s, i, end):
			return nothing
		case strings.HasSuffix(strings.TrimRight(s[max(0, i-8):i], " "), "["):
			return matter
		case spoken(s, i, end):
			return codeWord
		}
		return codeName
	case "fromCharCode", "fromCodePoint":
		return charCodes
	case "atob", "base64", "'hex'", `"hex"`, "unescape(", "Decipher", "inflate", "unzip", "Decompress":
		return decoder
	case "globalThis", "global", "window", "self":
		return globalObject(s, i, end)
	case "'http'", `"http"`, "'https'", `"https"`, "'net'", `"net"`, "'tls'", `"tls"`, "'dns'", `"dns"`, "'dns/", `"dns/`, "'got'", `"got"`, "'needle'", `"needle"`, "'request'", `"request"`, "'vm'", `"vm"`:
		if asked(s, i) {
			return matter
		}
		return moduleName
	}
	return matter
}

// requires weighs the word require: called with a name that is computed, indexed,
// or handed on under another name.
func requires(s string, i, end int) weight {
	if i > 0 && identByte(s[i-1]) || end < len(s) && identByte(s[end]) {
		return nothing
	}
	member := i > 0 && s[i-1] == '.' && !strings.HasSuffix(s[:i], "...")
	if member && !strings.HasSuffix(s[:i], "module.") {
		return nothing
	}
	k := blanks(s, end)
	switch {
	case k >= len(s):
		return otherRequire
	case s[k] == '(':
		if !member && k == end && computed(s[k+1:]) && !strings.HasPrefix(s[k+1:], ")") {
			return matter
		}
	case s[k] == '[', s[k] == ')' && k == end:
		return matter
	case strings.IndexByte(";,)]}|&?:", s[k]) >= 0:
		return otherRequire
	case k > end && strings.IndexByte(s[end:k], '\n') >= 0:
		return otherRequire // a statement may end there
	}
	return nothing
}

// globalObject weighs a name of the global object: indexed by what may be a name,
// or handed on under another name.
func globalObject(s string, i, end int) weight {
	if i > 0 && (identByte(s[i-1]) || s[i-1] == '.') || end < len(s) && identByte(s[end]) {
		return nothing
	}
	name, rest := s[i:end], s[end:]
	switch {
	case strings.HasPrefix(rest, "["), strings.HasPrefix(rest, "?.["):
		if name == "global" || name == "globalThis" {
			return matter
		}
	case strings.HasPrefix(rest, ".fetch") && name == "globalThis":
		return matter
	case strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "?."):
		return nothing
	}
	return otherGlobal
}

// fetches weighs a call of fetch: of the function, or of a method of that name.
func fetches(s string, i int, rest string) weight {
	switch {
	case i > 0 && identByte(s[i-1]) || declares(rest):
		return nothing
	case i == 0 || s[i-1] != '.' || strings.HasSuffix(s[:i], "..."):
		return matter
	}
	object := strings.TrimSuffix(s[:i-1], "?")
	switch {
	case strings.HasSuffix(object, "this"), strings.HasSuffix(object, "super"):
		return nothing
	case strings.HasSuffix(object, "global"), strings.HasSuffix(object, "window"), strings.HasSuffix(object, "self"), strings.HasSuffix(object, "globalThis"):
		return matter
	}
	return fetchMethod
}

// declares says whether what follows "name(" are parameters and a body.
func declares(s string) bool {
	s = s[:min(len(s), 1024)]
	for i, depth := 0, 0; i < len(s); i++ {
		switch s[i] {
		case '"', '\'', '`':
			return false
		case '/':
			stop := "\n"
			switch {
			case strings.HasPrefix(s[i:], "/*"):
				stop = "*/"
			case !strings.HasPrefix(s[i:], "//"):
				return false
			}
			n := strings.Index(s[i:], stop)
			if n < 0 {
				return false
			}
			i += n + len(stop) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return strings.HasPrefix(strings.TrimLeft(s[i+1:], " "), "{")
			}
		}
	}
	return false
}

// inClear says whether the only argument of a call is one plain string that calls
// nothing: 'return this'.
func inClear(rest string) bool {
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return false
	}
	j := strings.IndexByte(rest[1:], rest[0])
	return j >= 0 && j+2 < len(rest) && rest[j+2] == ')' && !strings.ContainsAny(rest[1:j+1], "\\(`.")
}

// plainVariable says whether behind process.env stands the name of one variable
// that holds no secret, or only a question whether there is an environment.
func plainVariable(rest string) bool {
	rest = strings.TrimPrefix(rest, "?")
	switch {
	case strings.HasPrefix(rest, ".["):
		return false
	case strings.HasPrefix(rest, "."):
		return !strings.HasPrefix(rest, ".AWS_")
	case strings.HasPrefix(rest, " &&"), strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, " ==="), strings.HasPrefix(rest, " !=="):
		return true
	case strings.HasPrefix(rest, "['") || strings.HasPrefix(rest, `["`):
		j := strings.IndexByte(rest[2:], rest[1])
		return j > 0 && j+3 < len(rest) && rest[j+3] == ']' && !strings.HasPrefix(rest[2:], "AWS_") && strings.IndexByte(rest[2:2+j], '\\') < 0
	}
	return false
}

// awsSecret says whether what follows AWS_ is the rest of a variable that leads to
// secrets or decides what is loaded.
func awsSecret(rest string) bool {
	for _, p := range []string{"ACCESS_KEY", "SECRET", "SESSION_TOKEN", "SECURITY_TOKEN", "CONTAINER_", "WEB_IDENTITY", "LAMBDA_RUNTIME_API", "LAMBDA_EXEC_WRAPPER", "CA_BUNDLE"} {
		if strings.HasPrefix(rest, p) {
			return true
		}
	}
	return false
}

// escapedWord says whether at least four letters in a row are written as \x41.
func escapedWord(rest string) bool {
	for n := range 4 {
		if len(rest) < 4 || rest[0] < '2' || rest[0] > '7' || n < 3 && (rest[2] != '\\' || rest[3] != 'x') {
			return false
		}
		rest = rest[4:]
	}
	return true
}

// compared says whether a string is only compared with something.
func compared(s string, i, end int) bool {
	before := strings.TrimRight(s[max(0, i-16):i], " ")
	k := blanks(s, end)
	return strings.HasSuffix(before, "==") || strings.HasSuffix(before, "!=") || strings.HasSuffix(before, "case") ||
		strings.HasPrefix(s[k:], "==") || strings.HasPrefix(s[k:], "!=")
}

// spoken says whether a string is returned, assigned without being declared, or the
// last argument of several.
func spoken(s string, i, end int) bool {
	before := strings.TrimRight(s[max(0, i-256):i], " ")
	k := blanks(s, end)
	switch {
	case strings.HasSuffix(before, "return"):
		return true
	case strings.HasSuffix(before, ","):
		return strings.HasPrefix(s[k:], ")")
	case strings.HasSuffix(before, "="):
		name := strings.TrimRight(before[:len(before)-1], " ")
		j := len(name)
		for j > 0 && (identByte(name[j-1]) || name[j-1] == '.') {
			j--
		}
		name = strings.TrimRight(name[:j], " \t\r\n")
		// a declaration has a word or a comma before the name
		return name != "" && strings.IndexByte(";{})", name[len(name)-1]) >= 0
	}
	return false
}

// xors says whether the exclusive or of two values is taken anywhere.
func xors(s string) bool {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '^')
		if i < 0 {
			return false
		}
		at += i + 1
		j := at - 1
		for j > 0 && s[j-1] == ' ' {
			j--
		}
		if j > 0 && (identByte(s[j-1]) || s[j-1] == ')' || s[j-1] == ']') {
			return true
		}
	}
}

// asked says whether the string that begins at i is what an import or a call of
// require asks for.
func asked(s string, i int) bool {
	j := i
	for j > 0 && (s[j-1] == ' ' || s[j-1] == '\t' || s[j-1] == '\n' || s[j-1] == '\r') {
		j--
	}
	call := j > 0 && s[j-1] == '('
	if call {
		j--
	}
	end := j
	for j > 0 && identByte(s[j-1]) {
		j--
	}
	switch word := s[j:end]; {
	case call:
		return strings.Contains(word, "equire") || word == "import" || word == "_load" || word == "binding" || word == "getBuiltinModule"
	case word == "from", word == "import":
		return true
	default:
		return j == end && j > 0 && s[j-1] == '/' // a comment stands between
	}
}

// computed says whether the argument of require is anything but one literal.
func computed(s string) bool {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return true
	}
	i := strings.IndexByte(s[1:], s[0])
	return i < 0 || i+2 >= len(s) || s[i+2] != ')' && s[i+2] != ','
}

// patches says whether the file assigns to an attribute of a name that it
// requires or imports: x.y = …, x.y.z = ….
func patches(s string) bool {
	names := map[string]bool{}
	for at := 0; len(names) < 64; {
		i := strings.Index(s[at:], "require(")
		if i < 0 {
			break
		}
		at += i
		if rest := s[at+len("require("):]; len(rest) > 1 && rest[1] == '.' {
			at += len("require(")
			continue // a file of the same package
		}
		before := strings.TrimRight(s[max(0, at-256):at], " =")
		if k := strings.LastIndexByte(before, '{'); k >= 0 && strings.HasSuffix(before, "}") {
			for n := range strings.FieldsFuncSeq(before[k:], func(r rune) bool { return r >= 0x80 || !identByte(byte(r)) }) { //nolint:gosec // below 0x80
				names[n] = true
			}
		}
		j := len(before)
		for j > 0 && identByte(before[j-1]) {
			j--
		}
		if j < len(before) {
			names[before[j:]] = true
		}
		at += len("require(")
	}
	for at := 0; len(names) < 1024; {
		i := strings.Index(s[at:], "import ")
		if i < 0 {
			break
		}
		at += i + len("import ")
		if i := at - len("import "); i > 0 && s[i-1] != '\n' && s[i-1] != ';' {
			continue
		}
		rest := s[at:min(len(s), at+1024)]
		if before, _, ok := strings.Cut(rest, "from"); ok {
			for n := range strings.FieldsFuncSeq(before, func(r rune) bool { return r >= 0x80 || !identByte(byte(r)) }) { //nolint:gosec // below 0x80
				names[n] = true
			}
		}
	}
	for at := 0; ; {
		i := strings.Index(s[at:], "defineProperty(")
		if i < 0 {
			break
		}
		at += i + len("defineProperty(")
		j := at
		for j < len(s) && identByte(s[j]) {
			j++
		}
		if name := s[at:j]; names[name] || name == "require" || name != "exports" && name != "module" && globals[name] != "" {
			return true
		}
	}
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '=')
		if i < 0 {
			return false
		}
		at += i + 1
		if at < len(s) && (s[at] == '=' || s[at] == '>') || at >= 2 && strings.IndexByte("=!<>", s[at-2]) >= 0 {
			continue
		}
		j := at - 1
		for j > 0 && s[j-1] == ' ' {
			j--
		}
		end := j
		for j > 0 && (identByte(s[j-1]) || s[j-1] == '.') {
			j--
		}
		chain := strings.TrimPrefix(s[j:end], "this.")
		name, attr, dot := strings.Cut(chain, ".")
		if dot && (globals[name] == "globalThis" && (globals[attr] != "" || strings.Contains(attr, ".")) || names[name] || globals[name] == name && strings.Contains(chain, ".prototype.") || name == "console" || name == "JSON" || name == "process" && !strings.HasPrefix(chain, "process.env")) {
			return true
		}
	}
}

func identByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// byPair has the literals by their first two bytes: pairs gives the place in it,
// 0 is none.
var pairs, byPair = func() (p [1 << 16]uint8, l [][]string) {
	l = append(l, nil)
	for _, w := range wanted {
		i := uint16(w[0])<<8 | uint16(w[1])
		if p[i] == 0 {
			p[i] = uint8(len(l))
			l = append(l, nil)
		}
		l[p[i]] = append(l[p[i]], w)
	}
	return p, l
}()
