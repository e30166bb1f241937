package jssyntax

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// javascript says what the names of JavaScript and Node mean. A module's path is
// its specifier without "node:".
var javascript = codeflow.Lang{
	Global: global, Special: special, Kind: kindOf, Source: source, Env: isEnv, Via: via, Decodes: decodes, Fold: fold,
	Factory: func(string) bool { return false }, Module: moduleOf, Foreign: foreign, Mutates: mutates, Handler: handler, DataArgs: dataArgs,
	Join: join, Folds: folds,
}

func moduleOf(s string) string { return strings.TrimPrefix(s, "node:") }

var globals = map[string]string{
	"process": "process", "require": "require", "module": "thisModule", "exports": "thisModule.exports", "eval": "eval", "Function": "Function",
	"globalThis": "globalThis", "global": "globalThis", "window": "globalThis", "self": "globalThis", "fetch": "fetch", "Buffer": "Buffer",
	"atob": "atob", "btoa": "btoa", "String": "String", "JSON": "JSON", "Object": "Object", "Reflect": "Reflect", "Proxy": "Proxy", "WebSocket": "WebSocket",
	"XMLHttpRequest": "XMLHttpRequest", "setTimeout": "setTimeout", "setInterval": "setInterval", "setImmediate": "setImmediate", "console": "console",
	"parseInt": "parseInt", "Number": "Number", "decodeURIComponent": "decodeURIComponent", "unescape": "unescape", "encodeURIComponent": "encodeURIComponent",
	"Promise": "Promise", "Array": "Array", "WebAssembly": "WebAssembly", "URL": "URL", "URLSearchParams": "URLSearchParams", "import": "import", "Deno": "Deno",
	"structuredClone": "structuredClone", "queueMicrotask": "queueMicrotask", "Error": "Error", "RegExp": "RegExp", "Symbol": "Symbol", "Date": "Date", "Math": "Math", "Map": "Map", "Request": "Request",
}

func global(name string) string { return globals[name] }

// join is the path of an attribute: the global object and default exports are
// seen through.
func join(base, name string) string {
	switch {
	case name == "default":
		return base
	case base == "globalThis":
		if p := globals[name]; p != "" {
			return p
		}
	case base == "process" && name == "mainModule", base == "require" && name == "main":
		return "thisModule"
	case base == "thisModule" && name == "require":
		return "require"
	case base == "thisModule" && name == "constructor":
		return "module"
	case base == "constructor" && name == "constructor", name == "constructor" && (base == "Function" || globals[base] == base && base != "globalThis" && base != "process"):
		return "Function"
	case base == "module" && name == "Module":
		return "module"
	case name == "promises" && (base == "fs" || base == "dns" || base == "timers"):
		return base
	case base == "fs/promises" || base == "dns/promises":
		base = base[:strings.IndexByte(base, '/')]
	}
	return base + "." + name
}

func special(path, method string) codeflow.Special {
	switch path {
	case "require", "import", "process.getBuiltinModule", "process.binding", "module._load":
		return codeflow.ImportModule
	case "module.createRequire", "module.createRequireFromPath":
		return codeflow.RequireFactory
	case "Reflect.get":
		return codeflow.GetAttr
	case "Reflect.set":
		return codeflow.SetAttr
	case "Reflect.apply":
		return codeflow.ApplyMethod
	case "Object.defineProperty", "Reflect.defineProperty":
		return codeflow.DefineProperty
	case "Object.assign":
		return codeflow.AssignAll
	case "Proxy":
		return codeflow.ProxyOf
	case "Buffer.from", "String", "structuredClone", "Promise.resolve", "Object.freeze", "Object.entries", "Object.keys", "Object.values", "Object.getOwnPropertyNames", "Reflect.ownKeys", "Array.from", "Buffer", "Promise.all", "URLSearchParams", "Object.fromEntries":
		return codeflow.Identity
	case "Array.isArray", "crypto.createHmac", "crypto.createHash", "crypto.timingSafeEqual", "Number", "Math.max", "Math.min":
		return codeflow.Sanitise
	case "shimmer.wrap", "shimmer.massWrap", "@opentelemetry/instrumentation.safeExecuteInTheMiddle":
		return codeflow.WrapFunction
	case "util.promisify", "util.callbackify":
		return codeflow.Partial
	}
	switch method {
	case "default":
		if path != "" && !strings.Contains(path, "(") {
			return codeflow.ModuleDict
		}
	case "call":
		if path == "" || strings.HasSuffix(path, ".call") {
			return codeflow.CallMethod
		}
	case "apply":
		if path == "" || strings.HasSuffix(path, ".apply") {
			return codeflow.ApplyMethod
		}
	case "bind":
		if path == "" || strings.HasSuffix(path, ".bind") {
			return codeflow.Partial
		}
	case "then", "finally":
		return codeflow.Then
	case "__toESM", "__importStar", "__importDefault", "_interopRequireDefault", "_interopRequireWildcard", "_interop_require_default", "_interop_require_wildcard", "__toModule", "_interopDefaultLegacy":
		if path == "" {
			return codeflow.Identity
		}
	}
	return codeflow.NotSpecial
}

var kinds = map[string]string{
	"eval": codeflow.CallCode, "Function": codeflow.CallCode, "vm.runInThisContext": codeflow.CallCode, "vm.runInNewContext": codeflow.CallCode,
	"vm.runInContext": codeflow.CallCode, "vm.Script": codeflow.CallCode, "vm.compileFunction": codeflow.CallCode, "vm.SourceTextModule": codeflow.CallCode,
	"thisModule._compile": codeflow.CallCode, "module.prototype._compile": codeflow.CallCode,

	"child_process.exec": codeflow.CallProcess, "child_process.execSync": codeflow.CallProcess, "child_process.spawn": codeflow.CallProcess, "child_process.spawnSync": codeflow.CallProcess,
	"child_process.execFile": codeflow.CallProcess, "child_process.execFileSync": codeflow.CallProcess, "child_process.fork": codeflow.CallProcess, "child_process.spawn().stdin.write": codeflow.CallProcess, "child_process.spawn().stdin.end": codeflow.CallProcess,
	"spawn_sync.spawn": codeflow.CallProcess, "execa": codeflow.CallProcess, "cross-spawn": codeflow.CallProcess, "shelljs.exec": codeflow.CallProcess,

	"fetch": codeflow.CallHTTP, "axios": codeflow.CallHTTP, "node-fetch": codeflow.CallHTTP, "got": codeflow.CallHTTP, "request": codeflow.CallHTTP, "needle": codeflow.CallHTTP,
	"superagent.post": codeflow.CallHTTP, "superagent.get": codeflow.CallHTTP, "cross-fetch": codeflow.CallHTTP, "undici.request": codeflow.CallHTTP, "undici.fetch": codeflow.CallHTTP, "undici.stream": codeflow.CallHTTP,
	"http.request": codeflow.CallHTTP, "https.request": codeflow.CallHTTP, "http.get": codeflow.CallHTTP, "https.get": codeflow.CallHTTP, "http2.connect": codeflow.CallHTTP,
	"XMLHttpRequest().send": codeflow.CallHTTP, "XMLHttpRequest().open": codeflow.CallHTTP, "superagent.post().send": codeflow.CallHTTP, "http2.connect().request": codeflow.CallHTTP, "http2.connect().request().write": codeflow.CallHTTP, "http2.connect().request().end": codeflow.CallHTTP,
	"http.request().write": codeflow.CallHTTP, "http.request().end": codeflow.CallHTTP, "https.request().write": codeflow.CallHTTP, "https.request().end": codeflow.CallHTTP,
	"http.request().setHeader": codeflow.CallHTTP, "https.request().setHeader": codeflow.CallHTTP,

	"WebSocket": codeflow.CallSocket, "WebSocket().send": codeflow.CallSocket, "ws": codeflow.CallSocket, "ws().send": codeflow.CallSocket, "ws.WebSocket": codeflow.CallSocket, "ws.WebSocket().send": codeflow.CallSocket,
	"net.connect": codeflow.CallSocket, "net.createConnection": codeflow.CallSocket, "net.Socket": codeflow.CallSocket, "tls.connect": codeflow.CallSocket, "dgram.createSocket": codeflow.CallSocket,
	"net.createServer": codeflow.CallListen, "http.createServer": codeflow.CallListen, "https.createServer": codeflow.CallListen, "http2.createServer": codeflow.CallListen, "http.Server": codeflow.CallListen,
	"http.createServer().listen": codeflow.CallListen, "net.createServer().listen": codeflow.CallListen,

	"fs.readFile": codeflow.CallFile, "fs.readFileSync": codeflow.CallFile, "fs.createReadStream": codeflow.CallFile, "fs.open": codeflow.CallFile, "fs.openSync": codeflow.CallFile, "fs.readdirSync": codeflow.CallFile, "fs.readdir": codeflow.CallFile,
	"fs.writeFile": codeflow.CallFileWrite, "fs.writeFileSync": codeflow.CallFileWrite, "fs.appendFile": codeflow.CallFileWrite, "fs.appendFileSync": codeflow.CallFileWrite, "fs.createWriteStream": codeflow.CallFileWrite,
	"fs.createWriteStream().write": codeflow.CallFileWrite, "fs.chmodSync": codeflow.CallFile, "fs.chmod": codeflow.CallFile, "fs.symlinkSync": codeflow.CallFile, "fs.unlinkSync": codeflow.CallFile,

	"atob": codeflow.CallDecode, "zlib.gunzipSync": codeflow.CallDecode, "zlib.inflateSync": codeflow.CallDecode, "zlib.inflateRawSync": codeflow.CallDecode, "zlib.unzipSync": codeflow.CallDecode,
	"zlib.brotliDecompressSync": codeflow.CallDecode, "zlib.gunzip": codeflow.CallDecode, "zlib.inflate": codeflow.CallDecode, "crypto.privateDecrypt": codeflow.CallDecode,
	"crypto.createDecipheriv": codeflow.CallDecode, "crypto.createDecipheriv().update": codeflow.CallDecode, "crypto.createDecipheriv().final": codeflow.CallDecode,

	"module.register": codeflow.CallImport, "module._load": codeflow.CallImport, "module.registerHooks": codeflow.CallImport, "module._initPaths": codeflow.CallImport, "require-in-the-middle": codeflow.CallImport, "import-in-the-middle": codeflow.CallImport,
	"require-in-the-middle.Hook": codeflow.CallImport, "import-in-the-middle.Hook": codeflow.CallImport, "thisModule.paths.push": codeflow.CallImport, "thisModule.paths.unshift": codeflow.CallImport, "module.globalPaths.push": codeflow.CallImport, "pirates.addHook": codeflow.CallImport,

	"process.on": codeflow.CallHook, "process.once": codeflow.CallHook, "process.prependListener": codeflow.CallHook, "process.addListener": codeflow.CallHook, "async_hooks.createHook": codeflow.CallHook, "diagnostics_channel.subscribe": codeflow.CallHook, "diagnostics_channel.channel().subscribe": codeflow.CallHook,
	"inspector.Session": codeflow.CallHook, "inspector.open": codeflow.CallHook, "v8.writeHeapSnapshot": codeflow.CallHook, "v8.getHeapSnapshot": codeflow.CallHook,

	"process.dlopen": codeflow.CallNative, "ffi-napi.Library": codeflow.CallNative, "koffi.load": codeflow.CallNative, "process.kill": codeflow.CallNative,
	"worker_threads.Worker": codeflow.CallThread, "setInterval": codeflow.CallThread, "cluster.fork": codeflow.CallThread,

	"console.log": codeflow.CallLog, "console.error": codeflow.CallLog, "console.info": codeflow.CallLog, "console.debug": codeflow.CallLog, "console.warn": codeflow.CallLog, "process.stdout.write": codeflow.CallLog, "process.stderr.write": codeflow.CallLog,

	"nodemailer.createTransport": codeflow.CallMail, "nodemailer.createTransport().sendMail": codeflow.CallMail, "nodemailer.createTestAccount": codeflow.CallMail,
}

// awsOut are the operations of AWS clients that carry data out of the function.
var awsOut = []string{
	"putObject", "upload", "uploadPart", "copyObject", "sendMessage", "sendMessageBatch", "publish", "publishBatch", "putEvents", "putRecord", "putRecords", "putRecordBatch",
	"invoke", "invokeAsync", "putItem", "put", "updateItem", "batchWriteItem", "batchWrite", "transactWrite", "putLogEvents", "putMetricData", "sendEmail", "sendRawEmail", "startExecution",
	"putParameter", "putSecretValue", "createSecret", "postToConnection", "sendCommand", "createFunction", "updateFunctionCode", "updateFunctionConfiguration", "publishLayerVersion",
	"createAccessKey", "assumeRole", "addPermission", "addLayerVersionPermission", "getSignedUrl",
}

var httpMethods = []string{"get", "post", "put", "patch", "delete", "head", "request"}

func kindOf(path, method string) string {
	if path == "" {
		switch method {
		case "_compile":
			return codeflow.CallCode
		case "sendBeacon":
			return codeflow.CallHTTP
		}
		return ""
	}
	if k, ok := kinds[path]; ok {
		return k
	}
	switch {
	case strings.HasPrefix(path, "dns."):
		switch {
		case strings.HasPrefix(method, "resolve"), method == "lookup", method == "lookupService", method == "reverse":
			return codeflow.CallDNS
		}
	case strings.HasPrefix(path, "axios"), strings.HasPrefix(path, "got."), strings.HasPrefix(path, "needle."), strings.HasPrefix(path, "request."), strings.HasPrefix(path, "undici.Pool()"), strings.HasPrefix(path, "undici.Client()"), strings.HasPrefix(path, "ky."):
		if slices.Contains(httpMethods, method) || path == "axios.create()" || method == "extend" {
			return codeflow.CallHTTP
		}
	case strings.HasPrefix(path, "net.") || strings.HasPrefix(path, "tls."):
		if strings.Contains(path, "(") && (method == "write" || method == "end" || method == "connect") {
			return codeflow.CallSocket
		}
	case strings.HasPrefix(path, "dgram.createSocket()"):
		if method == "send" || method == "connect" {
			return codeflow.CallSocket
		}
	case strings.HasPrefix(path, "@aws-sdk/client-") || strings.HasPrefix(path, "@aws-sdk/lib-"):
		op, ok := strings.CutSuffix(method, "Command")
		if !ok {
			op = method
		}
		switch {
		case op != "" && slices.Contains(awsOut, strings.ToLower(op[:1])+op[1:]) && (ok || strings.Contains(path, "(")):
			return codeflow.CallAWS
		case method == "Upload":
			return codeflow.CallAWS
		case strings.HasSuffix(method, "Client") && !strings.Contains(path, "("):
			return codeflow.CallSDK
		}
	case strings.HasPrefix(path, "aws-sdk"):
		if strings.Contains(path, "()") && slices.Contains(awsOut, method) {
			return codeflow.CallAWS
		}
		if !strings.Contains(path, "(") && method != "" && method[0] >= 'A' && method[0] <= 'Z' {
			return codeflow.CallSDK
		}
	case strings.Contains(path, "credential-provider") && !strings.Contains(path, "("):
		return codeflow.CallSDK
	}
	return ""
}

func source(path string) (kind, name string) {
	switch {
	case path == "process.env":
		return codeflow.SourceEnvAll, "process.env"
	case path == "process.report.getReport()":
		return codeflow.SourceEnvAll, "process.report"
	case strings.HasSuffix(path, ".config.credentials()"), strings.HasSuffix(path, "credentials.secretAccessKey"), strings.HasSuffix(path, "credentials.sessionToken"),
		path == "aws-sdk.config.credentials", strings.Contains(path, "credential-provider") && strings.Contains(path, "()()"):
		return codeflow.SourceCredentials, "credentials"
	}
	return "", ""
}

func isEnv(path string) bool { return path == "process.env" }

func via(path, method string) uint16 {
	switch path {
	case "JSON.stringify":
		return codeflow.ViaJSON
	case "btoa":
		return codeflow.ViaBase64
	case "zlib.gzipSync", "zlib.deflateSync", "zlib.brotliCompressSync", "zlib.gzip":
		return codeflow.ViaCompress
	case "encodeURIComponent", "querystring.stringify":
		return codeflow.ViaURL
	case "crypto.publicEncrypt", "crypto.createCipheriv().update", "crypto.createCipheriv().final":
		return codeflow.ViaEncrypt
	}
	return 0
}

func decodes(path, _ string) bool { return kinds[path] == codeflow.CallDecode }

func foreign(base, target string) string {
	if base == "module._load()" || strings.HasPrefix(base, "module._load().") || strings.HasPrefix(base, "module.prototype.require()") {
		return codeflow.PatchModule
	}
	if base[0] == '.' || base[0] == '/' {
		return "" // a file of the same package
	}
	switch {
	case strings.Contains(base, "("), strings.HasPrefix(target, "thisModule."), strings.HasPrefix(target, "import."):
		return ""
	case strings.HasPrefix(target, "module._"), strings.HasPrefix(target, "module.prototype."), strings.HasPrefix(target, "require.cache"), strings.HasPrefix(target, "require.extensions"),
		target == "module.wrap", target == "module.wrapper", strings.HasPrefix(target, "module.Module."), target == "module.globalPaths":
		return codeflow.PatchImport
	case strings.HasPrefix(base, "require"):
		return ""
	case base == "globalThis":
		name := strings.TrimPrefix(target, "globalThis.")
		if globals[name] == "" && globals[target] == "" {
			return ""
		}
		return codeflow.PatchBuiltin
	case globals[target] == target:
		return codeflow.PatchBuiltin
	case strings.Contains(target, ".prototype."):
		return codeflow.PatchPrototype
	}
	root, _, _ := strings.Cut(base, ".")
	if globals[root] == root {
		switch {
		case strings.Count(target, ".") > 1 && root != "process" && root != "console" && root != "globalThis":
			return "" // what hangs on a built-in function replaces nothing
		case strings.HasPrefix(target, "Error."), target == "process.title", target == "process.exitCode", strings.HasPrefix(target, "Symbol."), strings.HasSuffix(target, ".{}"):
			return ""
		}
		return codeflow.PatchBuiltin
	}
	return codeflow.PatchModule
}

func mutates(method string) bool {
	switch method {
	case "push", "unshift", "set", "append", "add", "concat", "write", "splice", "assign", "setHeader":
		return true
	}
	return false
}

func handler(f *codeflow.Func) bool {
	p := f.Params
	if len(p) < 2 || p[0].Rest {
		return len(p) == 1 && !p[0].Rest && p[0].Name == "event" && strings.Contains(strings.ToLower(f.Name), "handler")
	}
	switch p[1].Name {
	case "context", "ctx", "_context", "lambdaContext":
		return p[0].Name == "event" || p[0].Name == "evt" || strings.Contains(strings.ToLower(f.Name), "handler")
	}
	return f.Name == "handler" || f.Name == "lambdaHandler"
}

func dataArgs(kind, path string) (int, []string) {
	switch kind {
	case codeflow.CallProcess:
		return 2, nil
	case codeflow.CallDNS:
		return 1, nil
	case codeflow.CallFileWrite:
		return 2, nil
	}
	return -1, nil
}

// folds says which calls fold reads whole texts for. Others it takes a part of, or
// hands on.
func folds(path, method string) bool {
	switch method {
	case "toLowerCase", "toUpperCase", "split", "concat", "replace", "replaceAll", "repeat", "join":
		return true
	}
	switch path {
	case "Buffer.from", "Buffer", "atob", "decodeURIComponent", "unescape", "parseInt", "Number", "path.join", "path.resolve":
		return true
	}
	return false
}

// fold computes calls of constants.
func fold(path, method string, recv *codeflow.Value, args []*codeflow.Value) *codeflow.Value {
	var a, b *codeflow.Value
	if len(args) > 0 {
		a = args[0]
	}
	if len(args) > 1 {
		b = args[1]
	}
	text, isText := a.Text()
	if r, ok := recv.Text(); ok {
		return foldText(method, r, recv, args)
	}
	if l, ok := recv.List(); ok {
		switch method {
		case "join":
			sep := ","
			if isText {
				sep = text
			}
			var parts []string
			for _, x := range l {
				s, ok := x.Text()
				if !ok {
					return nil
				}
				parts = append(parts, s)
			}
			return codeflow.TextValue(strings.Join(parts, sep)).Folded()
		case "reverse":
			l = slices.Clone(l)
			slices.Reverse(l)
			return codeflow.ListValue(l)
		case "concat":
			if m, ok := a.List(); ok && len(l)+len(m) < 1<<12 {
				return codeflow.ListValue(append(slices.Clone(l), m...))
			}
		case "slice":
			if n, ok := a.Int(); a == nil || ok && n == 0 && b == nil {
				return recv
			}
		}
		return nil
	}
	switch path {
	case "String.fromCharCode", "String.fromCodePoint":
		var s strings.Builder
		for _, x := range args {
			n, ok := x.Int()
			if !ok || n < 0 || n > 0x10ffff {
				return nil
			}
			s.WriteRune(rune(n))
		}
		if len(args) > 0 {
			return codeflow.TextValue(s.String()).Folded()
		}
	case "Buffer.from", "Buffer":
		if enc, ok := b.Text(); ok && isText {
			return decode(text, enc)
		}
		if isText && b == nil {
			return a
		}
		if l, ok := a.List(); ok && len(l) > 0 {
			d := make([]byte, 0, len(l))
			for _, x := range l {
				n, ok := x.Int()
				if !ok {
					return nil
				}
				d = append(d, byte(n)) //nolint:gosec // JavaScript takes the low byte too
			}
			return codeflow.TextValue(string(d)).Folded()
		}
	case "atob":
		if isText {
			return decode(text, "base64")
		}
	case "decodeURIComponent", "unescape":
		if isText {
			if s, err := url.PathUnescape(text); err == nil {
				v := codeflow.TextValue(s)
				if s != text {
					return v.Folded()
				}
				return v
			}
		}
	case "parseInt", "Number":
		if isText {
			base := int64(10)
			if n, ok := b.Int(); ok && n >= 2 && n <= 36 {
				base = n
			}
			if strings.HasPrefix(text, "0x") {
				base = 0
			}
			if n, err := strconv.ParseInt(text, int(base), 64); err == nil {
				return codeflow.IntValue(n)
			}
		}
	case "String":
		if isText {
			return a
		}
	case "path.join", "path.resolve":
		var parts []string
		for _, x := range args {
			s, ok := x.Text()
			if !ok {
				return nil
			}
			parts = append(parts, s)
		}
		return codeflow.TextValue(strings.Join(parts, "/"))
	}
	return nil
}

func decode(text, enc string) *codeflow.Value {
	if len(text) > 1<<17 {
		return nil // that it is decoded is what matters
	}
	switch strings.ToLower(enc) {
	case "base64", "base64url":
		s := strings.TrimRight(text, "=")
		if strings.ContainsAny(s, "-_\n") {
			s = strings.NewReplacer("-", "+", "_", "/", "=", "", "\n", "").Replace(text)
		}
		d, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return nil
		}
		return codeflow.TextValue(string(d)).Folded()
	case "hex":
		d, err := hex.DecodeString(text)
		if err != nil {
			return nil
		}
		return codeflow.TextValue(string(d)).Folded()
	}
	return codeflow.TextValue(text)
}

func foldText(method, r string, recv *codeflow.Value, args []*codeflow.Value) *codeflow.Value {
	var a, b *codeflow.Value
	if len(args) > 0 {
		a = args[0]
	}
	if len(args) > 1 {
		b = args[1]
	}
	text, isText := a.Text()
	n, isInt := a.Int()
	switch method {
	case "toString", "trim", "valueOf", "normalize":
		return recv
	case "toLowerCase":
		return codeflow.TextValue(strings.ToLower(r))
	case "toUpperCase":
		return codeflow.TextValue(strings.ToUpper(r))
	case "split":
		if isText && len(r) < 1<<13 {
			var l []*codeflow.Value
			for p := range strings.SplitSeq(r, text) {
				l = append(l, codeflow.TextValue(p))
			}
			return codeflow.ListValue(l)
		}
	case "concat":
		size := len(r)
		for _, x := range args {
			s, ok := x.Text()
			if size += len(s); !ok || size > 1<<20 {
				return nil
			}
		}
		var all strings.Builder
		all.Grow(size)
		all.WriteString(r)
		for _, x := range args {
			s, _ := x.Text()
			all.WriteString(s)
		}
		return codeflow.TextValue(all.String()).Folded()
	case "replace", "replaceAll":
		if with, ok := b.Text(); ok && isText && text != "" && len(with) <= 64 && len(r) < 1<<16 {
			if method == "replace" {
				return codeflow.TextValue(strings.Replace(r, text, with, 1)).Folded()
			}
			return codeflow.TextValue(strings.ReplaceAll(r, text, with)).Folded()
		}
	case "charAt", "at":
		if isInt && n >= 0 && n < int64(len(r)) {
			return codeflow.TextValue(r[n : n+1]).Folded()
		}
	case "charCodeAt", "codePointAt":
		if a == nil {
			n, isInt = 0, true
		}
		if isInt && n >= 0 && n < int64(len(r)) {
			return codeflow.IntValue(int64(r[n]))
		}
	case "slice", "substring", "substr":
		if !isInt {
			return nil
		}
		length := int64(len(r))
		from, to := n, length
		if from < 0 && method != "substring" {
			from += length
		}
		if m, ok := b.Int(); ok {
			to = m
			if method == "substr" {
				to = from + m
			} else if m < 0 {
				to += length
			}
		} else if b != nil {
			return nil
		}
		from, to = min(max(from, 0), length), min(max(to, 0), length)
		if from <= to {
			return codeflow.TextValue(r[from:to]).Folded()
		}
	case "repeat":
		if isInt && n >= 0 && n*int64(len(r)) <= 1<<12 {
			return codeflow.TextValue(strings.Repeat(r, int(n)))
		}
	}
	return nil
}
