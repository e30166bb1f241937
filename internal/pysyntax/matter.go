package pysyntax

import "strings"

// wanted are the literals without which a file neither reads secrets, nor sends,
// nor runs what is hidden, nor changes another module. A file that builds all of
// these words from parts needs one of them to do so.
var wanted = []string{
	"exec", "eval", "compile(", "__import__", "import_module", "__builtins__", "builtins", "marshal", "os.system", "popen", "Popen", "subprocess",
	"posix_spawn", "import pty", "socket", "urlopen", "urlretrieve", "http.client", "httplib", "HTTPSConnection", "HTTPConnection", "requests", "httpx",
	"aiohttp", "urllib3", "smtplib", "ftplib", "boto3", "create_client(", "botocore.cred", "get_credentials", "getaddrinfo", "gethostbyname", "ctypes", "sys.modules",
	"meta_path", "path_hooks", "settrace", "setprofile", "wrapt", "setattr(", "/proc/", "169.254.", "b85decode", "fromhex",
	"codecs.decode", "rot13", "rot_13", "environ", "AWS_SE", "AWS_AC", "lambda_handler", "runtime/invocation", "stratum+", "pickle.load",
	"__subclasses__", "globals()[", "vars()[", "__getattribute__", "paramiko", "telnetlib", "pycurl", "websocket", "dns.resolver", "runpy", "imp.load", "SourceFileLoader",
	"addsitedir", "sys.path.", "LD_PRELOAD", "PYTHONPATH", "NODE_OPTIONS", "AWS_LAMBDA_R", "wrap_function", "sendall(", "sendto(", "put_object(", "put_events(", "getattr(",
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

// MayMatter says whether Parse could find anything but imports in src that a
// reader would want to know. It looks for literals and for assignments to
// attributes of imported modules, and is many times faster than Parse. A patch
// through a local alias of another module's object alone is not seen.
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
	if strings.HasPrefix(s, "#") && encoding(s) != "" || strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		return true
	}
	return patches(src, s) || strings.Contains(s, "from os import *")
}

// matters looks at what stands around a literal that is common.
func matters(s string, i int, w string) bool {
	rest := s[i+len(w):]
	before := byte(' ')
	if i > 0 {
		before = s[i-1]
	}
	inName := before == '.' || classOf[before] == cName || classOf[before] == cDigit
	switch w {
	case "getattr(":
		return computed(rest)
	case "setattr(":
		return !strings.HasPrefix(rest, "self")
	case "compile(":
		return !inName // re.compile
	case "exec", "eval":
		return !inName && (rest == "" || classOf[rest[0]] != cName && classOf[rest[0]] != cDigit)
	case "requests", "socket", "boto3", "httpx", "ctypes":
		return classOf[before] != cName && rest != "" && (rest[0] == '.' || rest[0] == '\n' || rest[0] == '\r' || rest[0] == ',' || rest[0] == ';' || strings.HasPrefix(rest, " as ") || strings.HasPrefix(rest, " import"))
	case "environ":
		// one plain variable says nothing; the whole, or a name that is computed, does
		var key string
		switch {
		case strings.HasPrefix(rest, "["):
			key = rest[1:]
		case strings.HasPrefix(rest, ".get("):
			key = rest[5:]
		case strings.HasPrefix(rest, ".setdefault("):
			key = rest[12:]
		default:
			return !strings.HasPrefix(rest, "ment") // environment
		}
		return key == "" || key[0] != '"' && key[0] != '\'' || strings.HasPrefix(key[1:], "AWS_")
	}
	return true
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
func patches(src []byte, s string) bool {
	names := map[string]bool{}
	for rest := s; rest != "" && len(names) < 1024; {
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
		for i < len(line) && (classOf[line[i]] == cName || classOf[line[i]] == cDigit) {
			i++
		}
		if i == from || i >= len(line) || line[i] != '.' {
			continue
		}
		name := line[from:i]
		if name == "self" || name == "cls" {
			continue
		}
		for i < len(line) && (classOf[line[i]] == cName || classOf[line[i]] == cDigit || line[i] == '.') {
			i++
		}
		if i < len(line) && line[i] == '[' {
			if j := strings.IndexByte(line[i:], ']'); j > 0 {
				i += j + 1
			}
		}
		for i < len(line) && line[i] == ' ' {
			i++
		}
		if i+1 < len(line) && line[i] == '=' && line[i+1] != '=' {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return false
	}
	for _, im := range Imports(src) {
		first, _, _ := strings.Cut(im.Module, ".")
		if names[im.As] || im.As == "" && len(im.Names) == 0 && names[first] {
			return true
		}
		for _, n := range im.Names {
			if names[n.As] || n.As == "" && names[n.Name] {
				return true
			}
		}
	}
	return false
}
