package codeflow

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxClean is the longest string a fact holds, in bytes.
const maxClean = 240

// Clean makes a string of the source fit for a fact: what looks like a secret is
// replaced by "…": the user of a URL and the values of its query, what follows a
// word like password, and every run of characters that looks random. Control
// characters are dropped, invalid UTF-8 is replaced, long text is cut.
func Clean(s string) string {
	cut := len(s) > 4*maxClean
	if cut {
		s = s[:4*maxClean]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = cleanURL(s)
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && tokenByte(s[j]) {
			j++
		}
		if j == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		run := s[i:j]
		switch {
		case randomRun(run):
			b.WriteString("…")
		default:
			b.WriteString(run)
			if n := secretWord(s, run, j); n > j {
				b.WriteString(s[j:j+1] + "…")
				j = n
			}
		}
		i = j
	}
	s = b.String()
	if len(s) > maxClean {
		s, cut = s[:maxClean], true
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	if cut && !strings.HasSuffix(s, "…") {
		s += "…"
	}
	return s
}

func tokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' || c == '/' || c == '=' || c == '.' || c == '~'
}

// cleanURL takes the user and the values of the query out of every URL in s.
func cleanURL(s string) string {
	for at := 0; ; {
		i := strings.Index(s[at:], "://")
		if i < 0 {
			return s
		}
		from := at + i + 3
		end := from
		for end < len(s) && s[end] != ' ' && s[end] != '"' && s[end] != '\'' && s[end] != '<' && s[end] != '>' && s[end] != ')' {
			end++
		}
		u := s[from:end]
		slash := strings.IndexAny(u, "/?#")
		if slash < 0 {
			slash = len(u)
		}
		if user := strings.LastIndexByte(u[:slash], '@'); user >= 0 {
			u = u[user+1:]
		}
		if q := strings.IndexByte(u, '?'); q >= 0 {
			u = u[:q] + cleanQuery(u[q:])
		}
		s = s[:from] + u + s[end:]
		at = from + len(u)
	}
}

func cleanQuery(q string) string {
	var b strings.Builder
	value := false
	for _, r := range q {
		switch {
		case r == '=' && !value:
			value = true
			b.WriteString("=…")
		case r == '&':
			value = false
			b.WriteRune(r)
		case !value:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// secretWord returns where the value ends that follows a word like password and
// a colon, equals sign or blank; from if there is none.
func secretWord(s, run string, from int) int {
	l := strings.ToLower(strings.TrimRight(run, "="))
	i := max(strings.LastIndexByte(l, '='), strings.LastIndexByte(l, '/'))
	l = l[i+1:]
	if !slices.ContainsFunc([]string{"password", "passwd", "secret", "token", "bearer", "basic", "apikey", "api_key", "api-key", "authorization", "pwd"}, func(w string) bool {
		return strings.HasSuffix(l, w)
	}) {
		return from
	}
	j := from
	for j < len(s) && strings.IndexByte(" :='\"", s[j]) >= 0 {
		j++
	}
	if j == from || j-from > 4 {
		return from
	}
	for j < len(s) && strings.IndexByte(" '\"&,;", s[j]) < 0 {
		j++
	}
	return j
}

// randomRun says whether a run of token characters looks like a key, a digest or
// encoded data.
func randomRun(run string) bool {
	if i := strings.IndexByte(run, '='); i > 0 && i < len(run)-2 {
		return secretAssign(run[:i]) || randomRun(run[:i]) || randomRun(run[i+1:])
	}
	for part := range strings.FieldsFuncSeq(run, func(r rune) bool { return r == '/' || r == '.' || r == '-' || r == '_' || r == '+' }) {
		if randomWord(part) {
			return true
		}
	}
	// what is only cut up by separators, as base64 is
	for part := range strings.SplitSeq(run, ".") {
		if len(part) >= 20 && strings.Count(part, "/")+strings.Count(part, "+") > 0 && classes(part) == 3 && Entropy(part) > 4.2 {
			return true
		}
	}
	return false
}

func secretAssign(name string) bool {
	l := strings.ToLower(name)
	return strings.Contains(l, "passw") || strings.HasSuffix(l, "pwd") || strings.Contains(l, "secret") || strings.Contains(l, "token") || strings.Contains(l, "api_key") || strings.Contains(l, "apikey")
}

func randomWord(w string) bool {
	n := len(w)
	if n < 8 {
		return false
	}
	digits, upper, lower, hex, turns := 0, 0, 0, true, 0
	var last byte
	for i := range n {
		c := w[i]
		var k byte
		switch {
		case c >= '0' && c <= '9':
			digits++
			k = 'd'
		case c >= 'a' && c <= 'z':
			lower++
			k = 'l'
			hex = hex && c <= 'f'
		case c >= 'A' && c <= 'Z':
			upper++
			k = 'u'
			hex = hex && c <= 'F'
		default:
			k = 'o'
			hex = false
		}
		if k != last && i > 0 {
			turns++
		}
		last = k
	}
	letters := upper + lower
	switch {
	case hex && n >= 16 && digits > 0:
		return true
	case n >= 16 && digits > 0 && letters > 0 && turns*4 >= n:
		return true
	case n >= 16 && digits >= 2 && upper >= 2 && lower == 0:
		return true // access key ids
	case n >= 18 && lower == 0 && upper > 0:
		return true
	case n >= 8 && digits > 0 && upper > 0 && lower > 0 && turns*3 >= n:
		return true
	case n >= 20 && digits == 0 && upper > 0 && lower > 0 && turns*5 >= 2*n:
		return true
	case n >= 16 && consonants(w) >= 7:
		return true
	case n >= 24 && Entropy(w) > 4:
		return true
	}
	return n >= 40
}

// consonants is the longest run of letters without a vowel.
func consonants(w string) int {
	longest, run := 0, 0
	for i := range len(w) {
		switch c := w[i] | 0x20; {
		case c < 'a' || c > 'z', strings.IndexByte("aeiouy", c) >= 0:
			run = 0
		default:
			run++
			longest = max(longest, run)
		}
	}
	return longest
}

func classes(s string) int {
	var d, u, l int
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d = 1
		case c >= 'a' && c <= 'z':
			l = 1
		case c >= 'A' && c <= 'Z':
			u = 1
		}
	}
	return d + u + l
}

// Entropy is Shannon's, of the bytes of s, in bits a byte.
func Entropy(s string) float64 {
	if len(s) == 0 {
		return 0
	}
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	var h float64
	n := float64(len(s))
	for _, c := range count {
		if c > 0 {
			p := float64(c) / n
			h -= p * math.Log2(p)
		}
	}
	return math.Round(h*100) / 100
}

// CredentialEnv says whether an environment variable's name is one that holds or
// leads to credentials of a Lambda function.
func CredentialEnv(name string) bool {
	switch name {
	case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE":
		return true
	}
	return false
}

// loaderEnv are variables that decide what code runs.
func loaderEnv(name string) bool {
	switch name {
	case "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_EXEC_WRAPPER", "NODE_OPTIONS", "NODE_PATH", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "LD_PRELOAD",
		"LD_AUDIT", "LD_LIBRARY_PATH", "JAVA_TOOL_OPTIONS", "DOTNET_STARTUP_HOOKS", "RUBYOPT", "RUBYLIB", "PERL5OPT", "GCONV_PATH",
		"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NODE_TLS_REJECT_UNAUTHORIZED",
		"_HANDLER", "PATH", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "LAMBDA_TASK_ROOT":
		return true
	}
	return false
}

// Marks are what a constant text leads to when it is opened or fetched.
const (
	markProcEnviron uint16 = 1 << iota
	markMetadata
	markRuntimeAPI
	markFile
	markProcMem
)

var markKinds = []struct {
	mark uint16
	kind string
	name string
}{
	{markProcEnviron, SourceProcEnviron, "/proc/*/environ"},
	{markMetadata, SourceMetadata, "metadata endpoint"},
	{markRuntimeAPI, SourceRuntimeAPI, "runtime API"},
	{markFile, SourceFile, "credential file"},
	{markProcMem, SourceFile, "/proc/*/mem"},
}

// marksOf looks at a constant.
func marksOf(s string) uint16 {
	if len(s) < 8 || len(s) > 4096 || strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '.') < 0 {
		return 0
	}
	var m uint16
	if strings.Contains(s, "/proc/") {
		switch {
		case strings.HasSuffix(s, "/environ") || strings.Contains(s, "/environ "):
			m |= markProcEnviron
		case strings.HasSuffix(s, "/mem") || strings.HasSuffix(s, "/maps"):
			m |= markProcMem
		}
	}
	if strings.Contains(s, "169.254.1") && (strings.Contains(s, "169.254.169.254") || strings.Contains(s, "169.254.170.2")) ||
		strings.Contains(s, "/latest/meta-data") || strings.Contains(s, "fd00:ec2::") {
		m |= markMetadata
	}
	if strings.Contains(s, "/runtime/invocation") || strings.Contains(s, "-01/runtime/") {
		m |= markRuntimeAPI
	}
	if strings.Contains(s, ".aws/credentials") || strings.HasSuffix(s, "/.aws/config") || strings.HasSuffix(s, ".ssh/id_rsa") ||
		strings.HasSuffix(s, "/.npmrc") || strings.HasSuffix(s, "/.docker/config.json") {
		m |= markFile
	}
	return m
}

// maxURL is the size in bytes above which a text is no URL, host, path or command.
const maxURL = 4096

// classify says which kind of interesting a constant is, or "".
func classify(s string) string {
	n := len(s)
	if n < 4 {
		return ""
	}
	if n <= maxURL {
		if i := strings.Index(s, "://"); i > 0 && i < 40 {
			switch scheme := strings.ToLower(s[:i]); {
			case strings.HasPrefix(scheme, "stratum"):
				return StringWallet
			case scheme == "http" || scheme == "https" || scheme == "ws" || scheme == "wss" || scheme == "ftp" || scheme == "tcp" || scheme == "udp" || scheme == "socks5":
				return StringURL
			}
		}
		switch s[0] {
		case '/', '~':
			if isCommand(s) {
				return StringCommand
			}
			for _, p := range []string{"/proc/", "/opt/", "/tmp/", "/dev/tcp/", "/dev/udp/", "/dev/shm/", "/var/runtime", "/var/task", "/var/lang", "/etc/passwd", "/etc/shadow", "/etc/ld.so", "/root/", "~/.aws", "~/.ssh"} {
				if strings.HasPrefix(s, p) {
					return StringPath
				}
			}
			if marksOf(s) != 0 {
				return StringPath
			}
		case 'a':
			if strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5 {
				return StringARN
			}
		}
		if c := s[0]; c >= 'A' && c <= 'Z' || c == '_' {
			if CredentialEnv(s) || loaderEnv(s) && s != "PATH" {
				return StringEnv
			}
		}
		if n <= 260 && strings.IndexByte(s, '.') > 0 {
			if isIP(s) {
				return StringIP
			}
			if isHost(s) {
				return StringHost
			}
		}
		if isCommand(s) {
			return StringCommand
		}
		if marksOf(s) != 0 {
			return StringPath
		}
	}
	if w := attackWord(s); w != "" {
		return w
	}
	if n >= 200 && blobText(s) {
		return StringBlob
	}
	return ""
}

// attackWords stand in tools for mining and attack, and hardly anywhere else.
var attackWords = []struct{ word, kind string }{
	{"xmrig", StringWallet},
	{"cryptonight", StringWallet},
	{"minexmr", StringWallet},
	{"supportxmr", StringWallet},
	{"nicehash", StringWallet},
	{"monerohash", StringWallet},
	{"coinhive", StringWallet},
	{"randomx", StringWallet},
	{"meterpreter", StringWord},
	{"reverse shell", StringWord},
	{"reverse_shell", StringWord},
	{"revshell", StringWord},
	{"keylogger", StringWord},
	{"metasploit", StringWord},
	{"cobaltstrike", StringWord},
	{"pyarmor_runtime", StringWord},
}

// attackFirst has the first two bytes of attackWords, in lower case.
var attackFirst = func() (t [256][4]byte) {
	n := [256]int{}
	for _, w := range attackWords {
		c := w.word[0]
		for i := range n[c] {
			if t[c][i] == w.word[1] {
				n[c]--
				break
			}
		}
		t[c][n[c]] = w.word[1]
		n[c]++
	}
	return t
}()

func attackWord(s string) string {
	s = s[:min(len(s), 1<<16)]
	for i := 0; i+4 < len(s); i++ {
		c, d := s[i]|0x20, s[i+1]|0x20
		first := &attackFirst[c]
		if first[0] == 0 || first[0] != d && first[1] != d && first[2] != d && first[3] != d {
			continue
		}
		for _, w := range attackWords {
			if len(s)-i >= len(w.word) && w.word[0] == c && strings.EqualFold(s[i:i+len(w.word)], w.word) {
				return w.kind
			}
		}
	}
	return ""
}

// inspect is classify and marksOf of a constant; most are passed over at once.
func inspect(s string) (kind string, marks uint16) {
	if len(s) < 4 {
		return "", 0
	}
	special := false
	for i := range min(len(s), 512) {
		switch s[i] {
		case '/', '.', ':', '|', ' ', '_':
			special = true
		}
	}
	if !special && len(s) < 200 {
		return attackWord(s), 0
	}
	return classify(s), marksOf(s)
}

// isCommand says whether s is a shell command that talks to others or runs what
// it is fed.
func isCommand(s string) bool {
	if len(s) > 2048 || len(s) < 6 {
		return false
	}
	if strings.IndexByte(s, '/') >= 0 && strings.Contains(s, "/dev/tcp/") || strings.Contains(s, "/dev/udp/") {
		return true
	}
	if _, after, ok := strings.Cut(s, "|"); ok {
		rest := strings.TrimLeft(after, " ")
		for _, sh := range []string{"sh", "bash", "/bin/sh", "/bin/bash", "python", "python3", "node"} {
			if rest == sh || strings.HasPrefix(rest, sh+" ") {
				return true
			}
		}
	}
	if strings.IndexByte(s, ' ') < 0 {
		return false
	}
	for _, tool := range [...]string{"curl ", "wget ", "ncat ", "nc -", "socat ", "nslookup ", "dig +", "bash -i", "sh -i"} {
		if i := strings.Index(s, tool); i == 0 || i > 0 && strings.IndexByte(" ;|&(`/", s[i-1]) >= 0 && strings.IndexByte(s, '\n') < 0 {
			return true
		}
	}
	return false
}

func isIP(s string) bool {
	host := s
	if i := strings.LastIndexByte(s, ':'); i > 0 && strings.Count(s, ":") == 1 {
		host = s[:i]
	}
	if host == "" {
		return false
	}
	if c := host[0]; c < '0' || c > '9' || strings.Count(host, ".") != 3 {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is4() && !a.IsUnspecified() && a.As4()[0] > 3
}

// isHost says whether s is a bare host name. Only endings that are no file
// endings or attributes of code count.
func isHost(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i < 2 {
		return false
	}
	for j := range len(s) {
		if c := s[j]; c != '.' && c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	switch s[i+1:] {
	case "com", "net", "org", "io", "xyz", "top", "ru", "cn", "dev", "app", "site", "online", "cloud", "link", "pw", "tk", "onion", "invalid",
		"su", "cc", "ws", "biz", "club", "fun", "live", "ml", "gq", "ga", "cf", "aws", "host", "store", "space", "website", "example":
		return true
	}
	return false
}

// blobText says whether s is one long piece of encoded data.
func blobText(s string) bool {
	if len(s) > 1<<16 {
		s = s[:1<<16]
	}
	odd := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			odd += 4
		case c == '\n' || tokenByte(c):
		default:
			odd++
		}
	}
	if odd*10 > len(s) && odd*2 < len(s) {
		return false
	}
	h := Entropy(s)
	return h >= 4.6 || h >= 3.6 && odd == 0 && isHexText(s)
}

func isHexText(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// Host is the host that a URL, an address or a host name names, cleaned; "" if s
// is none of these.
func Host(s string) string { return hostOf(s) }

// hostOf is the host of a URL, address or host name, with {} for what is not
// known: "{}.evil.invalid"; "" if s is none.
func hostOf(s string) string {
	if len(s) > 4096 {
		return ""
	}
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	} else if isIP(s) || hostLike(s) {
		return strings.ToLower(s)
	} else {
		return ""
	}
	if i := strings.IndexAny(s, "/?#\\ "); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if s == "{}" {
		return ""
	}
	return Clean(strings.ToLower(s))
}

// hostLike is what is meant as a host in the arguments of a network call, with
// or without a port, or with parts that are not known.
func hostLike(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return s == "localhost"
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 {
		s = s[:i]
	}
	letter := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letter = true
		case c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == '{' || c == '}':
		default:
			return false
		}
	}
	return letter && s[0] != '.' && s[len(s)-1] != '.'
}

// argument is the form in which a constant argument of a call is kept, "" if it
// is not kept.
func argument(kind, s string) string {
	switch kind {
	case CallCode, CallDecode, CallMail, CallLog:
		for _, word := range speaking {
			if kind == CallCode && strings.Contains(s, word) {
				return word
			}
		}
		if len(s) <= maxURL && classify(s) == StringURL {
			return Clean(s)
		}
		return ""
	case CallProcess:
		return Clean(s)
	}
	if len(s) > 512 {
		return ""
	}
	switch {
	case classify(s) != "" && classify(s) != StringBlob, hostOf(s) != "", strings.HasPrefix(s, "/"):
		return Clean(s)
	case kind != CallHTTP && kind != CallSocket && kind != CallDNS && len(s) <= 40 && plainWord(s):
		return Clean(s)
	}
	return ""
}

// speaking are words of code that reads the process or talks to others. Of code in
// a text nothing else is kept.
var speaking = []string{"process.env", "child_process", ".request(", "__import__", "urlopen", "subprocess", "os.environ"}

// plainWord is a name of a module, service, method, mode or variable.
func plainWord(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.' || c == '-' || c == ':':
		default:
			return false
		}
	}
	return s != "" && digits <= 4 && (digits == 0 || classes(s) != 3)
}
