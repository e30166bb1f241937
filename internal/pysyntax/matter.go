package pysyntax

import "strings"

// wanted are the literals without which a file neither reads secrets, nor sends,
// nor runs what is hidden, nor changes another module. A file that builds all of
// these words from parts needs one of them to do so.
var wanted = []string{
	"exec(", "eval(", "exec ", "compile(", "__import__", "import_module", "__builtins__", "builtins", "marshal", "os.system", "popen", "Popen", "subprocess",
	"posix_spawn", "import pty", "socket", "urlopen", "urlretrieve", "http.client", "httplib", "HTTPSConnection", "HTTPConnection", "requests", "httpx",
	"aiohttp", "urllib3", "smtplib", "ftplib", "boto3", "botocore", "get_credentials", "getaddrinfo", "gethostbyname", "ctypes", "sys.modules",
	"meta_path", "path_hooks", "settrace", "setprofile", "wrapt", "setattr(", "/proc/", "169.254.", "b64decode", "b85decode", "b32decode", "fromhex",
	"unhexlify", "a2b_", "codecs.decode", "rot13", "rot_13", "environ", "AWS_SE", "AWS_AC", "lambda_handler", "runtime/invocation", "stratum+", "pickle",
	"__subclasses__", "globals()[", "vars()[", "__getattribute__", "paramiko", "telnetlib", "pycurl", "websocket", "dns.resolver", "runpy", "imp.load", "SourceFileLoader",
	"addsitedir", "sys.path", "LD_PRELOAD", "wrap_function",
}

// pairs has the first two bytes of the literals; begin the literals by their
// first byte.
var pairs, begin = func() (p [1 << 16 / 64]uint64, b [256][]string) {
	for _, w := range wanted {
		i := uint16(w[0])<<8 | uint16(w[1])
		p[i/64] |= 1 << (i % 64)
		b[w[0]] = append(b[w[0]], w)
	}
	i := uint16('g')<<8 | 'e'
	p[i/64] |= 1 << (i % 64)
	b['g'] = append(b['g'], "getattr(")
	return p, b
}()

// MayMatter says whether Parse could find anything but imports in src that a
// reader would want to know. It looks for literals and for assignments to
// attributes of imported modules, and is many times faster than Parse.
func MayMatter(src []byte) bool {
	s := string(src)
	for i := 0; i+1 < len(s); i++ {
		k := uint16(s[i])<<8 | uint16(s[i+1])
		if pairs[k/64]&(1<<(k%64)) == 0 {
			continue
		}
		for _, w := range begin[s[i]] {
			if strings.HasPrefix(s[i:], w) && (w != "getattr(" || computed(s[i+len(w):])) {
				return true
			}
		}
	}
	if strings.HasPrefix(s, "#") && encoding(s) != "" || strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		return true
	}
	return patches(s) || strings.Contains(s, "from os import *")
}

// computed says whether the arguments of getattr are put together.
func computed(s string) bool {
	s = s[:min(len(s), 120)]
	if i := strings.IndexAny(s, "\n)"); i >= 0 && s[i] == '\n' {
		s = s[:i]
	}
	return strings.Contains(s, "'+") || strings.Contains(s, "' +") || strings.Contains(s, `"+`) || strings.Contains(s, `" +`) ||
		strings.Contains(s, "[::") || strings.Contains(s, "chr(") || strings.Contains(s, "join(") || strings.Contains(s, "\\x")
}

// patches says whether a line begins like an assignment to an attribute of
// something that the file imports.
func patches(s string) bool {
	tried := map[string]bool{}
	for rest := s; rest != ""; {
		line := rest
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		i := 0
		for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
			i++
		}
		from := i
		for i < len(line) && classOf[line[i]] == cName {
			i++
		}
		if i == from || i >= len(line) || line[i] != '.' {
			continue
		}
		name := line[from:i]
		if name == "self" || name == "cls" || tried[name] || len(tried) > 64 {
			continue
		}
		for i < len(line) && (classOf[line[i]] == cName || classOf[line[i]] == cDigit || line[i] == '.') {
			i++
		}
		for i < len(line) && line[i] == ' ' {
			i++
		}
		if i+1 >= len(line) || line[i] != '=' || line[i+1] == '=' {
			continue
		}
		tried[name] = true
		if imports(s, name) {
			return true
		}
	}
	return false
}

// imports says whether a name stands behind import or as.
func imports(s, name string) bool {
	for _, before := range []string{"import ", " as ", ", "} {
		for at := 0; ; {
			i := strings.Index(s[at:], before+name)
			if i < 0 {
				break
			}
			at += i + len(before) + len(name)
			if at < len(s) && (classOf[s[at]] == cName || classOf[s[at]] == cDigit) {
				continue
			}
			line := s[strings.LastIndexByte(s[:at], '\n')+1 : at]
			if strings.Contains(line, "import") {
				return true
			}
		}
	}
	return false
}
