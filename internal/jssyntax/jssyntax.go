// Package jssyntax reads what JavaScript does: what it imports, calls, replaces,
// and which value reaches which call.
//
// The syntax is read by tdewolff/parse; this package turns it into the tree of
// codeflow, finds the lines again (that parser keeps none), and owns what
// JavaScript's and Node's names mean. It runs nothing and judges nothing.
// Source that does not parse is reported in Facts.Errors and looked through for
// literals and require calls. Start with Parse.
package jssyntax

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

type (
	// Facts are those of codeflow.
	Facts = codeflow.Facts
	// Import is that of codeflow.
	Import = codeflow.Import
	// Flow is that of codeflow.
	Flow = codeflow.Flow
)

// MaxSource is the size in bytes up to which source is parsed. Of a larger file
// the literals are read; its Facts are Partial.
const MaxSource = 6 << 20

// maxNodes bounds the expressions of one file.
const maxNodes = 1 << 20

// Parse reads one file of source, a script or a module.
func Parse(src []byte) *Facts {
	f := &Facts{Language: "javascript"}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	text := string(src)
	measure(f, text)
	if len(src) > MaxSource {
		f.Truncated = true
		return literals(f, text)
	}
	// The parser writes a byte behind what it is given.
	buf := make([]byte, len(src), len(src)+1)
	copy(buf, src)
	ast, err := tree(buf, js.Options{})
	if err != nil && strings.Contains(err.Error(), "return") {
		// CommonJS may return outside of functions
		copy(buf, src)
		ast, err = tree(buf, js.Options{Inline: true})
	}
	if err != nil {
		f.Errors = append(f.Errors, problem(err))
		return literals(f, text)
	}
	c := converter{f: f, text: text, line: 1, arena: codeflow.NewArena(maxNodes)}
	body, err := c.convert(ast)
	if err != nil {
		f.Errors = append(f.Errors, problem(err))
		return literals(f, text)
	}
	if c.arena.Full() {
		f.Truncated = true
	}
	return codeflow.Analyze(&codeflow.Tree{Body: body, Facts: f}, &javascript)
}

// tree calls the parser, whose panics on hostile source end here.
func tree(buf []byte, o js.Options) (ast *js.AST, err error) {
	defer func() {
		if p := recover(); p != nil {
			ast, err = nil, fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	return js.Parse(parse.NewInputBytes(buf), o)
}

func problem(err error) codeflow.Error {
	if e, ok := err.(*parse.Error); ok { //nolint:errorlint // the parser returns it bare
		return codeflow.Error{Line: e.Line, Message: codeflow.Clean(e.Message)}
	}
	return codeflow.Error{Message: codeflow.Clean(err.Error())}
}

// literals looks through a file without a tree.
func literals(f *Facts, text string) *Facts {
	line, at := 1, 0
	for {
		i := strings.Index(text[at:], "require(")
		if i < 0 || len(f.Imports) >= 1024 {
			break
		}
		line += strings.Count(text[at:at+i], "\n")
		at += i
		rest := text[at+len("require("):]
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			if j := strings.IndexByte(rest[1:min(len(rest), 256)], rest[0]); j > 0 {
				f.Imports = append(f.Imports, Import{Kind: codeflow.ImportRequire, Module: codeflow.Clean(rest[1 : j+1]), Line: line})
			}
		}
		at += len("require(")
	}
	return codeflow.Literals(f, text)
}

// measure counts lines and what obfuscated code stands out by.
func measure(f *Facts, text string) {
	m := &f.Measures
	m.Bytes = len(text)
	for rest := text; rest != ""; {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		m.LongestLine = max(m.LongestLine, i)
		m.Lines++
		rest = rest[min(i+1, len(rest)):]
	}
	m.Minified = m.LongestLine > 1000
	m.Rotated = strings.Contains(text, "['push']") && strings.Contains(text, "['shift']") || rotates(text)
}

// rotates says whether the text pushes what it shifts off, as the prologue of an
// obfuscator's string array does.
func rotates(text string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], ".push(")
		if i < 0 {
			return false
		}
		at += i + len(".push(")
		if strings.Contains(text[at:min(len(text), at+48)], ".shift())") && strings.Contains(text[at:min(len(text), at+400)], "parseInt(") {
			return true
		}
	}
}

// wanted are the literals without which a file neither reads secrets, nor sends,
// nor runs what is hidden, nor changes another module. Some count only with
// what follows: see matters.
var wanted = []string{
	"eval(", "eval)", "eval`", "'eval", "\"eval", "Function(", "Function (", "Function`", ".constructor(", "constructor.constructor", "'constructor'", "\"constructor\"", "child_process",
	"process.env", "process[", "= process", "=process", "env}", "execSync", "spawn(",
	"'http'", "\"http\"", "'https'", "\"https\"", "node:http", "http2", "'net'", "\"net\"", "node:net", "'tls'", "\"tls\"", "node:tls", "dgram", "'dns", "\"dns", "node:dns",
	"fetch(", "fetch)", "axios", "undici", "WebSocket", "'got'", "\"got\"", "'needle'", "\"needle\"", "superagent", "'request'", "\"request\"",
	"'vm'", "\"vm\"", "node:vm", "runInThis", "runInNew", "Module._", "_load", "require.cache", "prototype.require", "_compile(", "_extensions", "_resolveFilename", "createRequire",
	"getBuiltinModule", "process.binding", "dlopen", "\\x", "_0x", "new Proxy(", "/proc/", "169.254.1", "AWS_", "aws-sdk", "Object.assign(require",
	"globalThis[", "globalThis.fetch", "global[", "this[", "mainModule", "Reflect.apply", "Reflect.get(", "credential-provider", "stratum+", "worker_threads", "shimmer",
	"in-the-middle", "NODE_OPTIONS", "LD_PRELOAD", "runtime/invocation", "nodemailer", "require(", "import(", "require[", "require)",
	"data:text/javascript", "data:application/javascript",
}

// MayMatter says whether Parse could find anything but plain imports in src that
// a reader would want to know. It looks for literals and for assignments to
// attributes of required modules, and is many times faster than Parse.
func MayMatter(src []byte) bool {
	s := string(src)
	for i := 0; i+1 < len(s); i++ {
		k := pairs[uint16(s[i])<<8|uint16(s[i+1])]
		if k == 0 {
			continue
		}
		for _, w := range byPair[k] {
			if strings.HasPrefix(s[i:], w) && matters(s, i, w) {
				return true
			}
		}
	}
	return patches(s)
}

// matters looks at what stands around a literal that is common.
func matters(s string, i int, w string) bool {
	rest := s[i+len(w):]
	switch w {
	case "require(", "import(":
		return (i == 0 || !identByte(s[i-1]) && s[i-1] != '.') && computed(rest)
	case "process.env":
		// a plain variable says nothing; the whole, or a name that is computed, does
		return !strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, ".AWS_")
	case `\x`:
		// one escape says nothing, a word of them does
		for n := range 4 {
			if len(rest) < 4 || rest[0] < '2' || rest[0] > '7' || n < 3 && (rest[2] != '\\' || rest[3] != 'x') {
				return false
			}
			rest = rest[4:]
		}
		return true
	case "this[":
		return computed(rest) && (strings.HasPrefix(rest, "\"") || strings.HasPrefix(rest, "'"))
	case "= process", "=process":
		return rest == "" || !identByte(rest[0]) && rest[0] != '.'
	case "eval(", "fetch(":
		return i == 0 || !identByte(s[i-1])
	case "fetch)":
		return i > 0 && !identByte(s[i-1])
	}
	return true
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
		chain := s[j:end]
		name, _, dot := strings.Cut(chain, ".")
		if dot && (names[name] || globals[name] == name && strings.Contains(chain, ".prototype.") || name == "console" || name == "JSON" || name == "process" && !strings.HasPrefix(chain, "process.env")) {
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
