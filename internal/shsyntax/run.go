package shsyntax

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// run goes through the commands of a pipeline and returns its output, as far as
// that is known.
func (p *parser) run(l []*command, background bool, ctx context) value {
	var in value // what flows through the pipe
	in.unknown = true
	hasIn, from, decodes := false, "", false
	if ctx.in != nil {
		in, hasIn = *ctx.in, true
		from, decodes = in.run, in.decodes
	}
	for _, c := range l {
		p.commands++
		if c.hasIn {
			in, hasIn = c.stdin, true
			from = "text"
			if in.run != "" {
				from = in.run
			}
			decodes = decodes || in.decodes
		}
		out := p.one(c, in, hasIn, from, decodes, background, ctx)
		if len(c.words) > 0 {
			name := base(c.words[0].text)
			if decoder(c.words) {
				decodes = true
			} else if from == "" || name == "echo" || name == "printf" || name == "cat" {
				from = name
				if name == "echo" || name == "printf" {
					from = "text"
				}
			}
		}
		in, hasIn = out, true
	}
	in.decodes = in.decodes || decodes
	if in.run == "" {
		in.run = from
	}
	return in
}

// one looks at a simple command. in is its standard input.
func (p *parser) one(c *command, in value, hasIn bool, from string, decodes, background bool, ctx context) value {
	line := c.line
	exported := len(c.words) > 0 && (c.words[0].text == "export" || c.words[0].text == "declare" || c.words[0].text == "typeset" || c.words[0].text == "local" || c.words[0].text == "readonly")
	for _, a := range c.assigns {
		only := ""
		if len(c.words) > 0 {
			only = codeflow.Clean(base(c.words[0].text))
		}
		p.assign(a.name, a.v, false, only, line)
		if len(c.words) == 0 {
			p.set(a.name, a.v)
		}
		p.reads(a.v.sources)
	}
	if len(c.words) == 0 {
		return value{unknown: true}
	}
	words := c.words
	name := base(words[0].text)
	if exported {
		p.exports(words, line)
		if len(words) == 1 || len(words) == 2 && words[1].text == "-p" || name == "declare" && words[1].text == "-x" && len(words) == 2 {
			v := value{unknown: true}
			v.add(source{name, line})
			return v
		}
		return value{unknown: true}
	}
	// prefixes that run the rest
	for len(words) > 1 {
		switch name {
		case "command", "builtin", "nohup", "setsid", "sudo", "stdbuf", "nice", "timeout", "xargs", "busybox", "time", "chroot":
			words = words[1:]
			for len(words) > 1 && (strings.HasPrefix(words[0].text, "-") || name == "timeout" && strings.Trim(words[0].text, "0123456789smh.") == "") {
				words = words[1:]
			}
			name = base(words[0].text)
			continue
		case "env":
			rest := words[1:]
			for len(rest) > 0 {
				if n := assignment(rest[0].text); n > 0 {
					v := rest[0]
					v.text = v.text[n:]
					p.assign(rest[0].text[:n-1], v, false, "env", line)
				} else if !strings.HasPrefix(rest[0].text, "-") {
					break
				}
				rest = rest[1:]
			}
			if len(rest) > 0 {
				words = rest
				name = base(words[0].text)
				continue
			}
		}
		break
	}
	args := words[1:]
	if words[0].decodes {
		add(p.f, &p.f.Pipes, Pipe{From: "text", To: "command", Decodes: true, Line: line})
	}
	for _, o := range c.outs {
		if strings.HasPrefix(o.text, "/dev/tcp/") && (words[0].unknown || interpreter(name)) {
			add(p.f, &p.f.Pipes, Pipe{From: "/dev/tcp", To: codeflow.Clean(name), Line: line})
			break
		}
	}
	if body, ok := p.funcs[name]; ok && p.calls < maxCalls && (len(args) > 0 || hasIn) {
		return p.callOf(body, args, in, hasIn, line, ctx)
	}
	var given []source // what the arguments carry
	for _, w := range words {
		given = append(given, w.sources...)
		t := strings.TrimPrefix(w.text, "@")
		if i := strings.IndexByte(t, '@'); i >= 0 && strings.IndexByte(t, '=') >= 0 {
			t = t[i+1:] // -F f=@file
		} else if strings.HasPrefix(t, "--") {
			_, t, _ = strings.Cut(t, "=")
		}
		given = append(given, p.files[t]...)
		p.addresses(w.text, line)
	}
	p.reads(given)
	if !words[0].unknown || strings.HasPrefix(words[0].text, "/") {
		p.record(words, name, background, ctx, line)
	}
	if words[0].args {
		p.handOver(words, line)
	}
	out := value{unknown: true}
	all := append(slices.Clone(given), in.sources...)
	switch name {
	case "exec":
		if len(args) > 0 {
			if slices.ContainsFunc(args, func(w value) bool { return w.args }) {
				p.handOver(args, line)
			} else {
				p.f.ExecTarget = codeflow.Clean(args[0].text)
				if len(args) > 0 {
					rest := *c
					rest.words, rest.assigns = args, nil
					return p.one(&rest, in, hasIn, from, decodes, background, ctx)
				}
			}
		}
	case "uname", "arch":
		if name == "arch" || slices.ContainsFunc(args, func(w value) bool { return strings.Trim(w.text, "-mpia") == "" || w.text == "--machine" }) {
			p.f.Arch = true
		}
	case ".", "source":
		if len(args) > 0 {
			add(p.f, &p.f.Sources, Place{codeflow.Clean(args[0].text), line})
			if args[0].run != "" { // . <(curl …)
				add(p.f, &p.f.Pipes, Pipe{From: codeflow.Clean(args[0].run), To: name, Decodes: args[0].decodes, Line: line})
			}
		}
	case "set":
		if len(args) == 0 {
			out.add(source{"set", line})
		}
	case "env", "printenv":
		out.add(p.environment(name, args, line)...)
	case "echo", "printf":
		out = p.echo(name, args)
	case "cat", "strings", "head", "tail", "xxd", "od", "base64", "gzip", "tee", "sort", "grep", "sed", "awk", "cut", "tr", "jq", "hexdump", "dd", "paste", "openssl", "rev", "xargs", "gunzip", "fold", "split", "tar", "zip", "cp":
		out.add(all...)
		if text, ok := p.filter(words, in, hasIn); ok {
			out.text, out.unknown = text, false
		}
	case "eval":
		p.evaluate(words, line, ctx)
	case "unset":
	default:
		if tool, ok := networkTool(name); ok || name == "openssl" {
			if p.net(tool, args, all, hasIn, in, line) {
				out.add(source{"metadata endpoint", line})
			}
			break
		}
		if interpreter(name) {
			p.interpret(name, args, in, hasIn, from, decodes, line, ctx)
		}
	}
	p.reads(out.sources)
	for _, o := range c.outs {
		if strings.HasPrefix(o.text, "/dev/tcp/") || strings.HasPrefix(o.text, "/dev/udp/") {
			p.flow(append(slices.Clone(all), out.sources...), o.text[:8], devHost(o.text), line)
			continue
		}
		if len(out.sources) > 0 && len(p.files) < maxVars {
			p.files[o.text] = append(p.files[o.text], out.sources...)
		}
	}
	out.add(p.passes(name, all)...)
	if name == "cp" || name == "tee" {
		for _, w := range args {
			if len(all) > 0 && !strings.HasPrefix(w.text, "-") && len(p.files) < maxVars {
				p.files[w.text] = append(p.files[w.text], all...)
			}
		}
	}
	return out
}

// callOf goes through the body of a function with the arguments of one call.
func (p *parser) callOf(body string, args []value, in value, hasIn bool, line int, ctx context) value {
	p.calls++
	before := p.params
	p.params = args[:min(len(args), 9)]
	ctx.depth++
	ctx.fixed = line
	ctx.in = nil
	if hasIn {
		ctx.in = &in
	}
	out := p.script(body, line, ctx)
	p.params = before
	return out
}

// passes says what of its input and arguments a command that is not known may
// put out: all of it.
func (p *parser) passes(name string, all []source) []source {
	switch name {
	case "echo", "printf", "rm", "mkdir", "chmod", "test", "[", "true", "false", "exit", "return", "sleep", "kill":
		return nil
	}
	if _, ok := networkTool(name); ok {
		return nil
	}
	return all
}

func (p *parser) assign(name string, v value, export bool, only string, line int) {
	if len(name) > 128 {
		return
	}
	add(p.f, &p.f.Assigns, Assign{Name: codeflow.Clean(name), Value: codeflow.Clean(v.text), Export: export, Command: only, Line: line})
	p.addresses(v.text, line)
}

// exports reads the arguments of export and its relatives.
func (p *parser) exports(words []value, line int) {
	export := words[0].text == "export"
	for _, w := range words[1:] {
		switch {
		case strings.HasPrefix(w.text, "-"):
			export = export || strings.Contains(w.text, "x")
		case assignment(w.text) > 0:
			n := assignment(w.text)
			v := w
			v.text = w.text[n:]
			name := strings.TrimSuffix(w.text[:n-1], "+")
			p.assign(name, v, export, "", line)
			p.set(name, v)
			p.reads(v.sources)
		case export && w.text != "" && !w.unknown:
			// what was set before is exported now
			for i := range p.f.Assigns {
				if p.f.Assigns[i].Name == w.text && p.f.Assigns[i].Command == "" {
					p.f.Assigns[i].Export = true
				}
			}
		}
	}
}

// handOver notes that the script gives way to its arguments.
func (p *parser) handOver(words []value, line int) {
	p.f.Exec, p.f.ExecLine = true, line
	for _, w := range words {
		if w.args {
			break
		}
		if n := assignment(w.text); n > 0 { // env NAME=VALUE "$@"
			v := w
			v.text = w.text[n:]
			p.assign(w.text[:n-1], v, false, "env", line)
		}
		if len(p.f.ExecPrefix) < 32 {
			p.f.ExecPrefix = append(p.f.ExecPrefix, codeflow.Clean(w.text))
		}
	}
}

func (p *parser) record(words []value, name string, background bool, ctx context, line int) {
	switch name {
	case "echo", "printf", "[", "test", "true", "false", ":", "exit", "return", "local", "shift", "cd", "set", "]]", "break", "continue":
		return
	}
	c := Command{Name: codeflow.Clean(name), Line: line, Background: background, Substituted: ctx.subst, Decoded: ctx.decoded}
	if t := words[0].text; t != name {
		c.Path = codeflow.Clean(t)
	}
	for _, w := range words[1:min(len(words), 25)] {
		c.Args = append(c.Args, codeflow.Clean(w.text))
	}
	add(p.f, &p.f.Commands, c)
}

// addresses keeps the URLs of a word.
func (p *parser) addresses(s string, line int) {
	if i := strings.Index(s, "://"); i > 0 && len(s) < 4096 {
		j := i
		for j > 0 && (s[j-1] >= 'a' && s[j-1] <= 'z' || s[j-1] == '+' || s[j-1] >= '0' && s[j-1] <= '9') {
			j--
		}
		u := Place{codeflow.Clean(firstField(s[j:])), line}
		if !slices.Contains(p.f.URLs, u) {
			add(p.f, &p.f.URLs, u)
		}
	}
}

func (p *parser) environment(name string, args []value, line int) []source {
	var plain []value
	for _, a := range args {
		if !strings.HasPrefix(a.text, "-") {
			plain = append(plain, a)
		}
	}
	if len(plain) == 0 {
		return []source{{name, line}}
	}
	var out []source
	if name == "printenv" {
		for _, a := range plain {
			if credential(a.text) || a.unknown {
				out = append(out, source{"$" + a.text, line})
			}
		}
	}
	return out
}

// echo is the output of echo and printf.
func (p *parser) echo(name string, args []value) value {
	var v value
	var parts []string
	for i, a := range args {
		if name == "echo" && i == 0 && (a.text == "-n" || a.text == "-e" || a.text == "-ne" || a.text == "-en") {
			continue
		}
		v.unknown = v.unknown || a.unknown
		v.add(a.sources...)
		parts = append(parts, a.text)
	}
	if name == "printf" && len(parts) > 0 {
		f := parts[0]
		switch {
		case f == "%s" || f == "%s\\n" || f == "%b":
			parts = parts[1:]
		case strings.IndexByte(f, '%') >= 0:
			v.unknown = true
		}
		if f == "%b" || len(parts) == 1 && len(args) == 1 {
			for i := range parts {
				if plain := ansi(parts[i]); plain != parts[i] {
					v.decodes = v.decodes || spelt(parts[i])
					parts[i] = plain
				}
			}
		}
	}
	v.text = strings.Join(parts, " ")
	if len(v.text) > maxText {
		v.text, v.unknown = "", true
	}
	return v
}

// spelt reports whether letters that could be written as such are written as
// escapes.
func spelt(s string) bool {
	n := 0
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' && (s[i+1] == 'x' || s[i+1] >= '0' && s[i+1] <= '1') {
			n++
		}
	}
	return n >= 3
}

// filter is the output of a command that only changes constant text.
func (p *parser) filter(words []value, in value, hasIn bool) (string, bool) {
	if !hasIn || in.unknown {
		return "", false
	}
	if decoder(words) {
		return decodeStream(words, in.text)
	}
	if base(words[0].text) == "cat" && (len(words) == 1 || words[1].text == "-") {
		return in.text, true
	}
	return "", false
}

// evaluate is eval.
func (p *parser) evaluate(words []value, line int, ctx context) {
	var v value
	var parts []string
	for _, w := range words[1:] {
		v.unknown = v.unknown || w.unknown
		v.decodes = v.decodes || w.decodes
		if w.run != "" {
			v.run = w.run
		}
		parts = append(parts, w.text)
	}
	text := strings.Join(parts, " ")
	if v.run != "" || v.decodes || v.unknown {
		from := v.run
		if from == "" {
			from = "text"
		}
		add(p.f, &p.f.Pipes, Pipe{From: codeflow.Clean(from), To: "eval", Decodes: v.decodes, Line: line})
	}
	if !v.unknown {
		ctx.depth++
		ctx.fixed = line
		ctx.decoded = ctx.decoded || v.decodes
		p.script(text, line, ctx)
	}
}

// interpret is a call of a shell or another interpreter.
func (p *parser) interpret(name string, args []value, in value, hasIn bool, from string, decodes bool, line int, ctx context) {
	script := false
	for i, a := range args {
		if (a.text == "-c" || a.text == "-ec" || a.text == "-lc" || a.text == "-e" && !isShell(name)) && i+1 < len(args) {
			script = true
			code := args[i+1]
			if code.run != "" || code.decodes {
				from := code.run
				if from == "" {
					from = "text"
				}
				add(p.f, &p.f.Pipes, Pipe{From: codeflow.Clean(from), To: name, Decodes: code.decodes, Line: line})
			}
			if isShell(name) && !code.unknown {
				ctx.depth++
				ctx.fixed = line
				ctx.decoded = ctx.decoded || code.decodes
				p.script(code.text, line, ctx)
			}
			break
		}
		if !strings.HasPrefix(a.text, "-") {
			script = true
			if a.run != "" { // bash <(curl …)
				add(p.f, &p.f.Pipes, Pipe{From: codeflow.Clean(a.run), To: name, Decodes: a.decodes, Line: line})
			}
			break
		}
	}
	if script && !slices.ContainsFunc(args, func(a value) bool { return a.text == "-s" || a.text == "-" }) || !hasIn {
		return
	}
	if from != "text" || decodes || !in.unknown {
		add(p.f, &p.f.Pipes, Pipe{From: codeflow.Clean(from), To: name, Decodes: decodes, Line: line})
	}
	if isShell(name) && !in.unknown {
		ctx.depth++
		ctx.fixed = line
		ctx.decoded = ctx.decoded || decodes
		p.script(in.text, line, ctx)
	}
}

// net is a use of a network tool. It says whether that asks for credentials.
func (p *parser) net(tool string, args []value, given []source, hasIn bool, in value, line int) bool {
	n := Network{Tool: tool, Host: hostOf(args), Line: line}
	meta := n.Host != "" && (strings.HasPrefix(n.Host, "169.254.") || n.Host == "localhost" || strings.HasPrefix(n.Host, "127."))
	for i, a := range args {
		switch t := a.text; tool {
		case "curl":
			if t == "-d" || t == "-F" || t == "-T" || t == "--json" || strings.HasPrefix(t, "--data") || strings.HasPrefix(t, "--form") || t == "--upload-file" ||
				strings.HasPrefix(t, "-d") && len(t) > 2 && !strings.HasPrefix(t, "--") {
				n.Sends = true
			}
			if (t == "-X" || t == "--request") && i+1 < len(args) && (args[i+1].text == "POST" || args[i+1].text == "PUT") {
				n.Sends = true
			}
		case "wget":
			n.Sends = n.Sends || strings.HasPrefix(t, "--post") || strings.HasPrefix(t, "--body")
		case "scp", "rsync", "sftp":
			n.Sends = true
		case "aws":
			n.Sends = n.Sends || t == "cp" || t == "put-object" || t == "send-message" || t == "publish" || t == "invoke" || t == "put-events" || t == "sync"
		}
		if a.run != "" && len(a.sources) > 0 {
			n.Sends = true
		}
	}
	var flows []source
	for _, s := range given {
		if meta && (s.text == "metadata endpoint" || strings.HasPrefix(s.text, "$AWS_CONTAINER")) {
			continue // what is asked is not what is sent
		}
		if s.text == "metadata endpoint" && s.line == line && !n.Sends {
			continue
		}
		flows = append(flows, s)
	}
	if hasIn && len(in.sources) > 0 && (tool == "nc" || tool == "ncat" || tool == "netcat" || tool == "socat" || tool == "telnet" || tool == "ssh" || tool == "curl" || tool == "aws") {
		n.Sends = true
	}
	if len(flows) > 0 {
		n.Sends = true
		p.flow(flows, tool, n.Host, line)
	}
	p.network(n)
	return meta && slices.ContainsFunc(given, func(s source) bool { return s.text == "metadata endpoint" })
}

// hostOf is the host that the arguments of a network tool name.
func hostOf(args []value) string {
	skip := false
	for _, a := range args {
		t := a.text
		if skip {
			skip = false
			continue
		}
		switch {
		case t == "-H" || t == "-d" || t == "-o" || t == "-A" || t == "--header" || t == "--data" || t == "-X" || t == "-F" || t == "-T" || t == "--data-binary" || t == "-w" || t == "-p" || t == "-m" || t == "--max-time" || t == "-e" || t == "--data-raw" || t == "-u" || t == "-c":
			skip = true
			continue
		case strings.HasPrefix(t, "-") || strings.HasPrefix(t, "+") || t == "":
			continue
		case strings.HasPrefix(t, "@"):
			t = t[1:]
		}
		if strings.HasPrefix(t, "s3://") {
			return codeflow.Clean(firstField(t))
		}
		for _, p := range []string{"TCP:", "TCP4:", "UDP:", "OPENSSL:", "tcp:", "udp:", "exec:"} {
			t = strings.TrimPrefix(t, p)
		}
		if i := strings.IndexByte(t, '@'); i >= 0 && !strings.Contains(t, "://") {
			t = t[i+1:]
		}
		if a.unknown && !strings.Contains(t, ".") {
			continue
		}
		for _, u := range []string{"$(…)", "$@"} {
			t = strings.ReplaceAll(t, u, "{}")
		}
		for i := strings.IndexByte(t, '$'); i >= 0; i = strings.IndexByte(t, '$') {
			j := i + 1
			if j < len(t) && t[j] == '{' {
				if k := strings.IndexByte(t[j:], '}'); k > 0 {
					j += k + 1
				}
			}
			for j < len(t) && nameByte(t[j]) {
				j++
			}
			t = t[:i] + "{}" + t[j:]
		}
		if h := codeflow.Host(t); h != "" {
			return h
		}
		if i := strings.IndexByte(t, '/'); i > 0 {
			if h := codeflow.Host(t[:i]); h != "" {
				return h
			}
		}
	}
	return ""
}
