package shsyntax

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// Limits of one script.
const (
	// MaxSource is the size in bytes up to which a script is read.
	MaxSource   = 2 << 20
	maxNested   = 12      // of substitutions, eval, sh -c and decoded text
	maxItems    = 512     // of each list of Facts
	maxText     = 1 << 18 // of a variable's or a stream's constant
	maxVars     = 1024
	maxCommands = 1 << 16
	maxWork     = 16 << 20
	maxCalls    = 256 // of functions
)

// Parse reads a script for a POSIX shell or bash.
func Parse(src []byte) *Facts {
	f := &Facts{Lines: bytes.Count(src, []byte{'\n'})}
	if len(src) > 0 && src[len(src)-1] != '\n' {
		f.Lines++
	}
	if len(src) > MaxSource {
		src, f.Truncated = src[:MaxSource], true
	}
	text := string(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))
	if strings.HasPrefix(text, "#!") {
		line, _, _ := strings.Cut(text[2:], "\n")
		f.Shebang = codeflow.Clean(strings.TrimSpace(line))
	}
	p := &parser{f: f, vars: map[string]value{}, files: map[string][]source{}, fds: map[string]value{}, funcs: map[string]string{}}
	p.script(text, 1, context{})
	return f
}

// source is a read of secrets.
type source struct {
	text string
	line int
}

// value is what is known of a word or a variable.
type value struct {
	text    string
	unknown bool // text has parts that only a run knows
	args    bool // it is the script's own arguments
	sources []source
	run     string // the command whose output is in it, of a substitution
	decodes bool
}

func (v *value) add(s ...source) {
	for _, x := range s {
		if len(v.sources) < 16 && !slices.Contains(v.sources, x) {
			v.sources = append(v.sources, x)
		}
	}
}

// context is where commands stand.
type context struct {
	depth   int
	subst   bool
	decoded bool
	fixed   int    // the line of all that is found, of text that was put together
	in      *value // what the body of a function is given on its standard input
}

type parser struct {
	f        *Facts
	vars     map[string]value
	files    map[string][]source // what was written to a file
	fds      map[string]value    // descriptors that lead to the network
	funcs    map[string]string   // the bodies of functions
	params   []value             // the arguments of the function at hand
	calls    int                 // of functions
	commands int
	work     int // bytes of variables and output put into words
}

// afford says whether n more bytes may be put into words.
func (p *parser) afford(n int) bool {
	if p.work += n; p.work > maxWork {
		p.f.Truncated = true
		return false
	}
	return true
}

// command is a simple command being read.
type command struct {
	line    int
	assigns []assign
	words   []value
	stdin   value
	hasIn   bool
	outs    []value // files that output goes to
}

type assign struct {
	name string
	v    value
}

// reader goes through the text of one script.
type reader struct {
	p    *parser
	s    string
	pos  int
	line int
	ctx  context
	// heredocs are those whose bodies begin behind the next newline.
	heredocs []heredoc
	pipeline []*command
	cur      *command
	cases    int
	pattern  bool // a pattern of case is expected
}

type heredoc struct {
	end   string
	tabs  bool
	plain bool
	cmd   *command
}

// script reads a whole script and returns what its output is known to be.
func (p *parser) script(s string, line int, ctx context) value {
	if ctx.depth > maxNested {
		p.f.Truncated = true
		return value{unknown: true}
	}
	r := &reader{p: p, s: s, line: line, ctx: ctx}
	var out value
	out.unknown = true
	for {
		v, more := r.next()
		if v != nil {
			out = *v
		}
		if !more {
			return out
		}
	}
}

func (r *reader) at(i int) byte {
	if r.pos+i < len(r.s) {
		return r.s[r.pos+i]
	}
	return 0
}

func (r *reader) lineNow() int {
	if r.ctx.fixed > 0 {
		return r.ctx.fixed
	}
	return r.line
}

func (r *reader) command() *command {
	if r.cur == nil {
		r.cur = &command{line: r.lineNow()}
	}
	return r.cur
}

// end closes the command at hand and puts it in the pipeline.
func (r *reader) end() {
	if r.cur != nil {
		r.pipeline = append(r.pipeline, r.cur)
		r.cur = nil
	}
}

// flush runs through the pipeline at hand.
func (r *reader) flush(background bool) *value {
	r.end()
	if len(r.pipeline) == 0 {
		return nil
	}
	l := r.pipeline
	r.pipeline = nil
	v := r.p.run(l, background, r.ctx)
	return &v
}

// next reads one token. It returns the output of a pipeline that ended with it.
func (r *reader) next() (out *value, more bool) {
	if r.pos >= len(r.s) {
		return r.flush(false), false
	}
	if r.p.commands > maxCommands {
		r.p.f.Truncated = true
		return r.flush(false), false
	}
	if r.pattern {
		r.casePattern()
		return nil, true
	}
	c := r.s[r.pos]
	switch c {
	case ' ', '\t', '\r':
		r.pos++
		return nil, true
	case '\\':
		if r.at(1) == '\n' {
			r.pos += 2
			r.line++
			return nil, true
		}
		if r.at(1) == '\r' && r.at(2) == '\n' {
			r.pos += 3
			r.line++
			return nil, true
		}
	case '\n':
		out = r.flush(false)
		r.pos++
		r.line++
		r.bodies()
		return out, true
	case '#':
		if i := strings.IndexByte(r.s[r.pos:], '\n'); i >= 0 {
			r.pos += i
		} else {
			r.pos = len(r.s)
		}
		return nil, true
	case ';':
		out = r.flush(false)
		r.pos++
		if r.at(0) == ';' || r.at(0) == '&' {
			r.pos++
			if r.at(0) == '&' {
				r.pos++
			}
			r.pattern = r.cases > 0
		}
		return out, true
	case '&':
		switch {
		case r.at(1) == '&':
			out = r.flush(false)
			r.pos += 2
		case r.at(1) == '>':
			r.pos++
			r.redirect("")
		default:
			out = r.flush(true)
			r.pos++
		}
		return out, true
	case '|':
		if r.at(1) == '|' {
			out = r.flush(false)
			r.pos += 2
			return out, true
		}
		r.end()
		r.pos++
		if r.at(0) == '&' {
			r.pos++
		}
		return nil, true
	case '(':
		if r.at(1) == '(' && r.cur == nil {
			// arithmetic
			if i := strings.Index(r.s[r.pos:min(len(r.s), r.pos+4096)], "))"); i >= 0 {
				r.line += strings.Count(r.s[r.pos:r.pos+i], "\n")
				r.pos += i + 2
				return nil, true
			}
		}
		if r.cur != nil && len(r.cur.words) == 1 && r.at(1) == ')' {
			// a function is defined: its name is no command, and its body is read as
			// if it stood by itself, and again where it is called
			name := r.cur.words[0].text
			r.cur = nil
			r.pos += 2
			if i := r.pos + len(r.s[r.pos:]) - len(strings.TrimLeft(r.s[r.pos:], " \t\r\n")); i < len(r.s) && r.s[i] == '{' && len(r.p.funcs) < maxVars {
				if end := closing(r.s, i+1, '{', '}'); end > 0 {
					r.p.funcs[name] = r.s[i+1 : end]
				}
			}
			return nil, true
		}
		out = r.flush(false)
		r.pos++
		return out, true
	case ')':
		out = r.flush(false)
		r.pos++
		return out, true
	case '<', '>':
		if r.at(1) != '(' {
			r.redirect("")
			return nil, true
		}
	}
	r.word()
	return out, true
}

// reserved are words that begin no command of their own where a command begins.
func reserved(w string) bool {
	switch w {
	case "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "esac", "{", "}", "!", "time", "function", "coproc", "[[":
		return true
	}
	return false
}

// word reads a word and gives it its place in the command.
func (r *reader) word() {
	start := r.pos
	first := r.cur == nil || len(r.cur.words) == 0
	if first {
		if n := assignment(r.s[r.pos:]); n > 0 {
			name := strings.TrimSuffix(r.s[r.pos:r.pos+n-1], "+")
			if i := strings.IndexByte(name, '['); i >= 0 {
				name = name[:i]
			}
			cmd := r.command()
			r.pos += n
			var v value
			if r.at(0) == '(' {
				v = r.array()
			} else {
				v = r.text()
			}
			cmd.assigns = append(cmd.assigns, assign{name, v})
			return
		}
	}
	// a number before a redirection
	if c := r.s[r.pos]; c >= '0' && c <= '9' && (r.at(1) == '>' || r.at(1) == '<') {
		r.pos++
		r.redirect(r.s[r.pos-1 : r.pos])
		return
	}
	line := r.lineNow()
	v := r.text()
	if r.pos == start {
		r.pos++ // nothing that can be read
		return
	}
	if first && r.cur == nil {
		raw := r.s[start:r.pos]
		switch {
		case raw == "case":
			r.caseHead()
			return
		case raw == "esac":
			r.cases = max(0, r.cases-1)
			return
		case raw == "for" || raw == "select":
			r.forHead()
			return
		case reserved(raw):
			return
		}
	}
	cmd := r.command()
	if len(cmd.words) == 0 {
		cmd.line = line
	}
	if len(cmd.words) < 4096 {
		cmd.words = append(cmd.words, v)
	} else {
		r.p.f.Truncated = true
	}
}

// assignment is the length of NAME= or NAME[i]= or NAME+= at the start of s.
func assignment(s string) int {
	i := 0
	for i < len(s) && nameByte(s[i]) && (i > 0 || s[i] < '0' || s[i] > '9') {
		i++
	}
	if i == 0 || i >= len(s) {
		return 0
	}
	if s[i] == '[' {
		j := strings.IndexByte(s[i:min(len(s), i+64)], ']')
		if j < 0 {
			return 0
		}
		i += j + 1
	}
	if i < len(s) && s[i] == '+' {
		i++
	}
	if i < len(s) && s[i] == '=' {
		return i + 1
	}
	return 0
}

func nameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// array reads (a b c).
func (r *reader) array() value {
	var v value
	var words []string
	size := 0
	r.pos++
	for r.pos < len(r.s) {
		switch c := r.s[r.pos]; c {
		case ')':
			r.pos++
			v.text = strings.Join(words, " ")
			return v
		case '\n':
			r.line++
			r.pos++
		case ' ', '\t', '\r':
			r.pos++
		case '#':
			if i := strings.IndexByte(r.s[r.pos:], '\n'); i >= 0 {
				r.pos += i
			} else {
				r.pos = len(r.s)
			}
		default:
			before := r.pos
			x := r.text()
			if r.pos == before {
				r.pos++
				continue
			}
			v.args = v.args || x.args
			v.unknown = v.unknown || x.unknown
			v.add(x.sources...)
			if size += len(x.text) + 1; size < maxText {
				words = append(words, x.text)
			}
		}
	}
	r.p.fail("an array does not end")
	return v
}

func (p *parser) fail(msg string) {
	if p.f.Error == "" {
		p.f.Error = msg
	}
}

func (r *reader) caseHead() {
	for r.pos < len(r.s) && strings.IndexByte(" \t\n\\", r.s[r.pos]) >= 0 {
		if r.s[r.pos] == '\n' {
			r.line++
		}
		r.pos++
	}
	if r.pos < len(r.s) {
		r.text()
	}
	for r.pos < len(r.s) && strings.IndexByte(" \t\r\n", r.s[r.pos]) >= 0 {
		if r.s[r.pos] == '\n' {
			r.line++
		}
		r.pos++
	}
	if strings.HasPrefix(r.s[r.pos:], "in") {
		r.pos += 2
		r.cases++
		r.pattern = true
	}
}

// casePattern skips to the bracket that ends a pattern.
func (r *reader) casePattern() {
	r.pattern = false
	for r.pos < len(r.s) && (strings.IndexByte(" \t\r\n", r.s[r.pos]) >= 0 || r.s[r.pos] == '#') {
		if r.s[r.pos] == '#' {
			i := strings.IndexByte(r.s[r.pos:], '\n')
			if i < 0 {
				r.pos = len(r.s)
				return
			}
			r.pos += i
			continue
		}
		if r.s[r.pos] == '\n' {
			r.line++
		}
		r.pos++
	}
	if strings.HasPrefix(r.s[r.pos:], "esac") {
		return
	}
	if r.at(0) == '(' {
		r.pos++
	}
	for n := 0; r.pos < len(r.s) && n < 4096; n++ {
		switch c := r.s[r.pos]; c {
		case ')':
			r.pos++
			return
		case '\n':
			r.line++
			r.pos++
		case '\\':
			r.pos += 2
		case '"', '\'', '$', '`':
			before := r.pos
			r.text()
			if r.pos == before {
				r.pos++
			}
		default:
			r.pos++
		}
	}
	r.pos = min(r.pos, len(r.s))
}

// forHead reads NAME in words.
func (r *reader) forHead() {
	skip := func() {
		for r.pos < len(r.s) && (r.s[r.pos] == ' ' || r.s[r.pos] == '\t') {
			r.pos++
		}
	}
	skip()
	if r.at(0) == '(' {
		return // for ((;;))
	}
	from := r.pos
	for r.pos < len(r.s) && nameByte(r.s[r.pos]) {
		r.pos++
	}
	name := r.s[from:r.pos]
	skip()
	if !strings.HasPrefix(r.s[r.pos:], "in") || name == "" {
		return
	}
	r.pos += 2
	v := value{unknown: true, text: "$" + name}
	for r.pos < len(r.s) && r.s[r.pos] != '\n' && r.s[r.pos] != ';' {
		skip()
		before := r.pos
		if r.pos < len(r.s) && r.s[r.pos] != '\n' && r.s[r.pos] != ';' {
			x := r.text()
			v.add(x.sources...)
			if credential(x.text) {
				v.add(source{"$" + x.text, r.lineNow()})
			}
			if r.pos == before {
				r.pos++
			}
		}
	}
	r.p.set(name, v)
}

func (p *parser) set(name string, v value) {
	if _, ok := p.vars[name]; !ok && len(p.vars) >= maxVars {
		p.f.Truncated = true
		return
	}
	p.vars[name] = v
}

// redirect reads a redirection whose operator is at hand.
func (r *reader) redirect(fd string) {
	cmd := r.command()
	op := r.pos
	for r.pos < len(r.s) && r.pos-op < 3 && strings.IndexByte("<>&|-", r.s[r.pos]) >= 0 {
		if r.s[r.pos] == '-' && (r.pos-op != 2 || r.s[op] != '<') {
			break
		}
		r.pos++
	}
	o := r.s[op:r.pos]
	for r.pos < len(r.s) && (r.s[r.pos] == ' ' || r.s[r.pos] == '\t') {
		r.pos++
	}
	if r.pos >= len(r.s) || r.s[r.pos] == '\n' {
		return
	}
	switch {
	case strings.HasPrefix(o, "<<") && o != "<<<":
		from := r.pos
		v := r.text()
		raw := r.s[from:r.pos]
		end := strings.NewReplacer(`"`, "", "'", "", `\`, "").Replace(raw)
		_ = v
		if end != "" && len(r.heredocs) < 16 {
			r.heredocs = append(r.heredocs, heredoc{end: end, tabs: o == "<<-", plain: end != raw, cmd: cmd})
		}
	case o == "<<<":
		cmd.stdin, cmd.hasIn = r.text(), true
	default:
		line := r.lineNow()
		v := r.text()
		t := v.text
		switch {
		case strings.HasPrefix(t, "/dev/tcp/") || strings.HasPrefix(t, "/dev/udp/"):
			r.p.network(Network{Tool: t[:8], Host: devHost(t), Sends: o[0] == '>' || len(o) > 1, Line: line})
			cmd.outs = append(cmd.outs, v)
			if fd != "" {
				r.p.fds[fd] = v
			}
		case strings.IndexByte(o, '&') >= 0 && r.p.fds[t].text != "":
			if o[0] == '>' {
				cmd.outs = append(cmd.outs, r.p.fds[t])
			}
		case o[0] == '<' && len(o) == 1:
			cmd.stdin, cmd.hasIn = value{unknown: true}, true
			cmd.stdin.add(v.sources...)
			cmd.stdin.add(r.p.files[t]...)
		case strings.IndexByte(o, '&') >= 0 && (t == "1" || t == "2" || t == "-" || t == "0"):
		case o[0] == '>' || o[0] == '<' && strings.IndexByte(o, '>') > 0 || o[0] == '&':
			cmd.outs = append(cmd.outs, v)
			if t != "/dev/null" && t != "/dev/stderr" && t != "/dev/stdout" && t != "" {
				add(r.p.f, &r.p.f.Writes, Place{codeflow.Clean(t), line})
			}
		}
	}
}

func devHost(t string) string {
	parts := strings.Split(t, "/")
	if len(parts) < 4 {
		return ""
	}
	return codeflow.Clean(parts[3])
}

func add[T any](f *Facts, list *[]T, x T) {
	if len(*list) >= maxItems {
		f.Truncated = true
		return
	}
	*list = append(*list, x)
}

func (p *parser) network(n Network) { add(p.f, &p.f.Network, n) }

// bodies reads the here-documents that begin at the line at hand.
func (r *reader) bodies() {
	docs := r.heredocs
	r.heredocs = nil
	for _, d := range docs {
		from, start := r.pos, r.line
		for {
			if r.pos >= len(r.s) {
				r.p.fail("a here-document does not end")
				break
			}
			line, _, found := strings.Cut(r.s[r.pos:], "\n")
			at := r.pos
			r.pos += len(line)
			if found {
				r.pos++
				r.line++
			}
			if d.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			if strings.TrimSuffix(line, "\r") == d.end {
				r.document(d, r.s[from:at], start)
				break
			}
			if !found {
				r.p.fail("a here-document does not end")
				r.document(d, r.s[from:r.pos], start)
				break
			}
		}
	}
}

func (r *reader) document(d heredoc, text string, line int) {
	v := value{text: text}
	if !d.plain && len(text) < maxText {
		sub := &reader{p: r.p, s: text, line: line, ctx: r.ctx}
		v = sub.expand("")
	}
	// The pipeline was flushed at the newline: interpreters are looked at here.
	if len(d.cmd.words) > 0 {
		if name := base(d.cmd.words[0].text); interpreter(name) && !v.unknown && isShell(name) {
			ctx := r.ctx
			ctx.depth++
			r.p.script(v.text, line, ctx)
		}
		r.p.reads(v.sources)
		if n, ok := networkTool(base(d.cmd.words[0].text)); ok && len(v.sources) > 0 {
			r.p.flow(v.sources, n, hostOf(d.cmd.words), d.cmd.line)
		}
	}
}

func (p *parser) reads(s []source) {
	for _, x := range s {
		pl := Place{codeflow.Clean(x.text), x.line}
		if !slices.Contains(p.f.Secrets, pl) {
			add(p.f, &p.f.Secrets, pl)
		}
	}
}

func (p *parser) flow(from []source, sink, host string, line int) {
	for _, s := range from {
		x := Flow{Source: codeflow.Clean(s.text), SourceLine: s.line, Sink: sink, SinkLine: line, Host: host}
		if !slices.Contains(p.f.Flows, x) {
			add(p.f, &p.f.Flows, x)
		}
	}
}

// text reads a word: text, quotes and expansions up to a blank or operator.
func (r *reader) text() value { return r.expand(" \t\r\n;&|()<>") }

// expand reads up to one of the bytes of stop.
func (r *reader) expand(stop string) value {
	var v value
	var b strings.Builder
	put := func(x value) {
		if b.Len()+len(x.text) > maxText || !r.p.afford(len(x.text)) {
			v.unknown = true
			return
		}
		b.WriteString(x.text)
		v.unknown = v.unknown || x.unknown
		v.args = v.args || x.args
		v.decodes = v.decodes || x.decodes
		if x.run != "" {
			v.run = x.run
		}
		v.add(x.sources...)
	}
	for r.pos < len(r.s) {
		c := r.s[r.pos]
		if stop != "" && strings.IndexByte(stop, c) >= 0 {
			if (c == '<' || c == '>') && r.at(1) == '(' {
				// process substitution
				r.pos++
				put(r.substitution())
				continue
			}
			break
		}
		switch c {
		case '\\':
			if r.at(1) == '\n' {
				r.line++
			} else if r.pos+1 < len(r.s) {
				b.WriteByte(r.s[r.pos+1])
			}
			r.pos = min(r.pos+2, len(r.s))
		case '\'':
			if stop == "" {
				b.WriteByte(c)
				r.pos++
				continue
			}
			i := strings.IndexByte(r.s[r.pos+1:], '\'')
			if i < 0 {
				r.p.fail("a quote does not end")
				r.pos = len(r.s)
				break
			}
			in := r.s[r.pos+1 : r.pos+1+i]
			r.line += strings.Count(in, "\n")
			put(value{text: in})
			r.pos += i + 2
		case '"':
			if stop == "" {
				b.WriteByte(c)
				r.pos++
				continue
			}
			r.pos++
			put(r.quoted())
		case '`':
			i := strings.IndexByte(r.s[r.pos+1:], '`')
			if i < 0 {
				r.p.fail("a backtick does not end")
				r.pos = len(r.s)
				break
			}
			in := r.s[r.pos+1 : r.pos+1+i]
			line := r.line
			r.line += strings.Count(in, "\n")
			r.pos += i + 2
			put(r.output(strings.ReplaceAll(in, "\\`", "`"), line))
		case '$':
			put(r.dollar())
		case '\n':
			r.line++
			fallthrough
		default:
			b.WriteByte(c)
			r.pos++
		}
	}
	v.text = b.String()
	if s := secretText(v.text); s != "" {
		v.add(source{s, r.lineNow()})
	}
	return v
}

// quoted reads the inside of double quotes.
func (r *reader) quoted() value {
	var v value
	var b strings.Builder
	for r.pos < len(r.s) {
		c := r.s[r.pos]
		switch c {
		case '"':
			r.pos++
			v.text = b.String()
			return v
		case '\\':
			switch n := r.at(1); n {
			case '"', '\\', '$', '`':
				b.WriteByte(n)
			case '\n':
				r.line++
			case 0:
			default:
				b.WriteByte('\\')
				b.WriteByte(n)
			}
			r.pos = min(r.pos+2, len(r.s))
		case '$', '`':
			var x value
			if c == '$' {
				x = r.dollar()
			} else {
				i := strings.IndexByte(r.s[r.pos+1:], '`')
				if i < 0 {
					r.p.fail("a backtick does not end")
					r.pos = len(r.s)
					break
				}
				in := r.s[r.pos+1 : r.pos+1+i]
				line := r.line
				r.line += strings.Count(in, "\n")
				r.pos += i + 2
				x = r.output(in, line)
			}
			if b.Len()+len(x.text) < maxText && r.p.afford(len(x.text)) {
				b.WriteString(x.text)
			}
			v.unknown = v.unknown || x.unknown
			v.args = v.args || x.args
			v.decodes = v.decodes || x.decodes
			if x.run != "" {
				v.run = x.run
			}
			v.add(x.sources...)
		default:
			if c == '\n' {
				r.line++
			}
			b.WriteByte(c)
			r.pos++
		}
	}
	r.p.fail("a quote does not end")
	v.text = b.String()
	return v
}

// dollar reads what begins with $.
func (r *reader) dollar() value {
	r.pos++
	switch c := r.at(0); {
	case c == '(':
		if r.at(1) == '(' {
			if i := strings.Index(r.s[r.pos:min(len(r.s), r.pos+4096)], "))"); i >= 0 {
				r.pos += i + 2
				return value{text: "$((…))", unknown: true}
			}
		}
		return r.substitution()
	case c == '{':
		end := closing(r.s, r.pos+1, '{', '}')
		if end < 0 {
			r.p.fail("${ does not end")
			r.pos = len(r.s)
			return value{unknown: true}
		}
		in := r.s[r.pos+1 : end]
		r.line += strings.Count(in, "\n")
		r.pos = end + 1
		return r.parameter(in)
	case c == '\'':
		// $'…' with escapes
		i := r.pos + 1
		for i < len(r.s) && r.s[i] != '\'' {
			if r.s[i] == '\\' {
				i++
			}
			i++
		}
		i = min(i, len(r.s))
		in := r.s[r.pos+1 : max(i, r.pos+1)]
		r.line += strings.Count(in, "\n")
		r.pos = min(i+1, len(r.s))
		return value{text: ansi(in)}
	case c == '@' || c == '*':
		r.pos++
		return value{text: "$" + string(c), unknown: true, args: true}
	case c >= '0' && c <= '9' || c == '#' || c == '?' || c == '$' || c == '!' || c == '-':
		r.pos++
		if i := int(c - '1'); i >= 0 && i < len(r.p.params) {
			return r.p.params[i]
		}
		return value{text: "$" + string(c), unknown: true}
	case nameByte(c):
		from := r.pos
		for r.pos < len(r.s) && nameByte(r.s[r.pos]) {
			r.pos++
		}
		return r.variable(r.s[from:r.pos])
	}
	return value{text: "$"}
}

func ansi(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'x':
			n := 0
			for n < 2 && i+1+n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i+1+n]) >= 0 {
				n++
			}
			if d, err := hex.DecodeString(strings.Repeat("0", n%2) + s[i+1:i+1+n]); err == nil && n > 0 {
				b.Write(d)
				i += n
			}
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, n := 0, 0
			for n < 3 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
				v = v*8 + int(s[i+n]-'0')
				n++
			}
			b.WriteByte(byte(v))
			i += n - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func (r *reader) variable(name string) value {
	if v, ok := r.p.vars[name]; ok {
		return v
	}
	v := value{text: "$" + name, unknown: true}
	if credential(name) {
		v.add(source{"$" + name, r.lineNow()})
	}
	return v
}

// parameter is ${…}.
func (r *reader) parameter(in string) value {
	in = strings.TrimPrefix(in, "#")
	n := 0
	for n < len(in) && nameByte(in[n]) {
		n++
	}
	name, rest := in[:n], in[n:]
	if strings.HasPrefix(in, "@") || strings.HasPrefix(in, "*") {
		return value{text: "$@", unknown: true, args: true}
	}
	if strings.HasPrefix(in, "!") {
		// the variable that a variable names
		v := value{text: "${" + in + "}", unknown: true}
		inner := r.variable(strings.TrimPrefix(in, "!"))
		v.add(inner.sources...)
		if credential(inner.text) {
			v.add(source{"$" + inner.text, r.lineNow()})
		}
		return v
	}
	v := r.variable(name)
	switch {
	case rest == "" || strings.HasPrefix(rest, "[@]") || strings.HasPrefix(rest, "[*]"):
		return v
	case strings.HasPrefix(rest, ":-") || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, ":=") || strings.HasPrefix(rest, "="):
		if _, ok := r.p.vars[name]; ok {
			return v
		}
		v.text = "${" + in + "}"
		return v
	case strings.HasPrefix(rest, ":") && !v.unknown:
		return slice(v, rest[1:])
	}
	v.text, v.unknown = "${"+in+"}", true
	return v
}

// slice is ${NAME:offset:length} of a constant.
func slice(v value, spec string) value {
	off, length, two := strings.Cut(strings.TrimSpace(spec), ":")
	number := func(s string) (int, bool) {
		n := 0
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' || n > 1<<20 {
				return 0, false
			}
			n = n*10 + int(s[i]-'0')
		}
		return n, s != ""
	}
	from, ok := number(strings.TrimSpace(off))
	if !ok || from > len(v.text) {
		return value{text: "${…}", unknown: true, sources: v.sources}
	}
	to := len(v.text)
	if two {
		n, ok := number(strings.TrimSpace(length))
		if !ok {
			return value{text: "${…}", unknown: true, sources: v.sources}
		}
		to = min(to, from+n)
	}
	v.text = v.text[from:to]
	return v
}

// closing is where the bracket that begins before i ends, -1 if it does not.
func closing(s string, i int, left, right byte) int {
	depth := 1
	for limit := min(len(s), i+maxText); i < limit; i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			if left == '{' {
				continue
			}
			j := strings.IndexByte(s[i+1:limit], '\'')
			if j < 0 {
				return -1
			}
			i += j + 1
		case '"':
			for i++; i < limit && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case left:
			depth++
		case right:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// substitution reads $( … ); the bracket is at hand.
func (r *reader) substitution() value {
	end := closing(r.s, r.pos+1, '(', ')')
	if end < 0 {
		r.p.fail("$( does not end")
		r.pos = len(r.s)
		return value{unknown: true}
	}
	in, line := r.s[r.pos+1:end], r.line
	r.line += strings.Count(in, "\n")
	r.pos = end + 1
	return r.output(in, line)
}

// output is what the commands of a substitution print.
func (r *reader) output(in string, line int) value {
	ctx := r.ctx
	ctx.depth++
	ctx.subst = true
	v := r.p.script(in, line, ctx)
	if v.unknown {
		v.text = "$(…)"
	} else {
		v.text = strings.TrimRight(v.text, "\n")
	}
	return v
}

func base(s string) string {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[i+1:]
	}
	return s
}

// credential says whether a variable holds or leads to credentials.
func credential(name string) bool { return codeflow.CredentialEnv(name) }

// secretText is the place that a word names and that holds secrets, or "".
func secretText(s string) string {
	switch {
	case strings.Contains(s, "/proc/") && (strings.Contains(s, "/environ") || strings.HasSuffix(s, "/mem")):
		i := strings.Index(s, "/proc/")
		return firstField(s[i:])
	case strings.Contains(s, ".aws/credentials"):
		return firstField(s)
	case strings.Contains(s, "169.254.170.2") || strings.Contains(s, "169.254.169.254"):
		return "metadata endpoint"
	}
	return ""
}

func firstField(s string) string {
	if i := strings.IndexAny(s, " \t\n\"'"); i >= 0 {
		return s[:i]
	}
	return s
}

func isShell(name string) bool {
	switch name {
	case "sh", "bash", "dash", "ash", "zsh", "ksh", "eval", "source", ".":
		return true
	}
	return false
}

func interpreter(name string) bool {
	if isShell(name) || strings.HasPrefix(name, "python") {
		return true
	}
	switch name {
	case "node", "perl", "ruby", "php", "lua":
		return true
	}
	return false
}

func networkTool(name string) (string, bool) {
	switch name {
	case "curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "dig", "nslookup", "host", "drill", "ssh", "scp", "sftp", "ftp", "tftp", "rsync", "aws", "s_client", "httpie", "aria2c", "lynx":
		return name, true
	}
	return "", false
}

// decoder says whether a command decodes its input.
func decoder(words []value) bool {
	if len(words) == 0 {
		return false
	}
	flag := func(list ...string) bool {
		return slices.ContainsFunc(words[1:], func(w value) bool { return slices.Contains(list, w.text) })
	}
	switch base(words[0].text) {
	case "base64", "base32":
		return flag("-d", "--decode", "-D", "-di", "-id")
	case "xxd":
		return flag("-r", "-rp", "-pr")
	case "gunzip", "zcat", "bunzip2", "unxz", "xzcat", "rev", "tr", "uudecode", "zstdcat", "brotli":
		return true
	case "gzip", "xz", "bzip2", "zstd":
		return flag("-d", "-dc", "-cd", "--decompress")
	case "openssl":
		return flag("-d")
	}
	return false
}

// decodeStream computes a decoder over constant text.
func decodeStream(words []value, in string) (string, bool) {
	switch base(words[0].text) {
	case "base64":
		s := strings.Join(strings.Fields(in), "")
		d, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			d, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
		}
		return string(d), err == nil
	case "xxd":
		d, err := hex.DecodeString(strings.Join(strings.Fields(in), ""))
		return string(d), err == nil
	case "rev":
		lines := strings.Split(in, "\n")
		for i, l := range lines {
			rs := []rune(l)
			slices.Reverse(rs)
			lines[i] = string(rs)
		}
		return strings.Join(lines, "\n"), true
	case "tr":
		if len(words) == 3 && len(words[1].text) >= 7 && strings.HasPrefix(words[2].text, "N-Z") {
			return strings.Map(func(c rune) rune {
				switch {
				case c >= 'a' && c <= 'z':
					return 'a' + (c-'a'+13)%26
				case c >= 'A' && c <= 'Z':
					return 'A' + (c-'A'+13)%26
				}
				return c
			}, in), true
		}
	}
	return "", false
}
