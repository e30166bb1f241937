package pysyntax

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// python says what Python's names mean. Modules are named as they are imported;
// older names of the same thing stand beside the new ones.
var python = codeflow.Lang{
	Global: global, Special: special, Kind: kindOf, Source: source, Env: isEnv, Via: via, Decodes: decodes, Fold: fold,
	Factory: factory, Module: func(s string) string { return s }, Foreign: foreign, Mutates: mutates, Handler: handler, DataArgs: dataArgs,
	Declares: true, Names: func(p string) bool {
		return p == "builtins.globals()" || p == "builtins.locals()" || p == "builtins.vars()"
	},
}

func global(name string) string {
	switch name {
	case "exec", "eval", "compile", "open", "__import__", "getattr", "setattr", "vars", "globals", "locals", "chr", "ord", "str", "bytes", "bytearray",
		"reversed", "list", "tuple", "set", "dict", "map", "filter", "zip", "iter", "sorted", "range", "repr", "ascii", "hex", "int", "len", "isinstance",
		"hasattr", "type", "id", "hash", "bool", "float", "any", "all", "sum", "print", "input", "unicode", "execfile", "reload", "format", "super", "memoryview", "min", "max", "enumerate", "delattr", "callable", "issubclass":
		return "builtins." + name
	case "__builtins__", "__builtin__":
		return "builtins"
	case "__loader__":
		return "__loader__"
	}
	return ""
}

func special(path, method string) codeflow.Special {
	switch path {
	case "builtins.getattr", "operator.attrgetter":
		return codeflow.GetAttr
	case "builtins.setattr", "builtins.object.__setattr__":
		return codeflow.SetAttr
	case "builtins.__import__", "importlib.import_module", "importlib.__import__", "pydoc.locate", "pkgutil.resolve_name":
		return codeflow.ImportModule
	case "builtins.vars":
		return codeflow.ModuleDict
	case "os.getenv", "os.environ.get", "os.environ.pop", "os.environ.__getitem__", "os.getenvb", "os.environb.get":
		return codeflow.EnvGet
	case "os.putenv", "os.environ.setdefault", "os.environ.__setitem__":
		return codeflow.EnvSet
	case "os.environ.update":
		return codeflow.EnvUpdate
	case "wrapt.wrap_function_wrapper", "wrapt.patch_function_wrapper", "wrapt.wrap_object", "wrapt.wrap_object_attribute":
		return codeflow.WrapFunction
	case "functools.partial", "functools.partialmethod", "types.MethodType":
		return codeflow.Partial
	case "builtins.str", "builtins.bytes", "builtins.bytearray", "builtins.list", "builtins.tuple", "builtins.set", "builtins.dict", "builtins.iter",
		"builtins.sorted", "builtins.repr", "builtins.ascii", "builtins.memoryview", "copy.copy", "copy.deepcopy", "builtins.unicode", "builtins.enumerate":
		return codeflow.Identity
	case "builtins.len", "builtins.isinstance", "builtins.hasattr", "builtins.type", "builtins.id", "builtins.hash", "builtins.bool", "builtins.float",
		"builtins.any", "builtins.all", "builtins.callable", "builtins.issubclass", "hmac.new", "hmac.digest", "hmac.compare_digest",
		"hashlib.sha256", "hashlib.sha1", "hashlib.md5", "hashlib.sha512", "hashlib.new", "hashlib.sha384", "hashlib.sha224", "hashlib.blake2b":
		return codeflow.Sanitise
	}
	switch path {
	case "sys.settrace", "sys.setprofile", "threading.settrace", "threading.setprofile":
		return codeflow.WrapHandler
	}
	if strings.HasSuffix(path, ".events.register") || strings.HasSuffix(path, ".events.register_first") || strings.HasSuffix(path, ".events.register_last") {
		return codeflow.WrapHandler
	}
	if method == "__dict__" && path != "" && !strings.Contains(path, "(") {
		return codeflow.ModuleDict
	}
	return codeflow.NotSpecial
}

// kinds are the calls worth knowing, by the whole path.
var kinds = map[string]string{
	"builtins.exec": codeflow.CallCode, "builtins.eval": codeflow.CallCode, "builtins.compile": codeflow.CallCode, "builtins.execfile": codeflow.CallCode,
	"exec": codeflow.CallCode, "runpy.run_path": codeflow.CallCode, "runpy.run_module": codeflow.CallCode, "code.InteractiveInterpreter().runcode": codeflow.CallCode,
	"types.FunctionType": codeflow.CallCode, "types.CodeType": codeflow.CallCode, "marshal.loads": codeflow.CallCode, "marshal.load": codeflow.CallCode,
	"pickle.loads": codeflow.CallCode, "pickle.load": codeflow.CallCode, "cPickle.loads": codeflow.CallCode, "dill.loads": codeflow.CallCode,
	"ast.literal_eval": "", "codeop.compile_command": codeflow.CallCode, "cloudpickle.loads": codeflow.CallCode,

	"os.system": codeflow.CallProcess, "os.popen": codeflow.CallProcess, "os.popen2": codeflow.CallProcess, "os.popen3": codeflow.CallProcess,
	"os.startfile": codeflow.CallProcess, "os.posix_spawn": codeflow.CallProcess, "os.posix_spawnp": codeflow.CallProcess, "os.fork": codeflow.CallProcess, "os.forkpty": codeflow.CallProcess, "os.dup2": codeflow.CallProcess,
	"subprocess.Popen": codeflow.CallProcess, "subprocess.run": codeflow.CallProcess, "subprocess.call": codeflow.CallProcess,
	"subprocess.check_call": codeflow.CallProcess, "subprocess.check_output": codeflow.CallProcess, "subprocess.getoutput": codeflow.CallProcess,
	"subprocess.getstatusoutput": codeflow.CallProcess, "commands.getoutput": codeflow.CallProcess, "pty.spawn": codeflow.CallProcess,
	"asyncio.create_subprocess_exec": codeflow.CallProcess, "asyncio.create_subprocess_shell": codeflow.CallProcess, "popen2.popen2": codeflow.CallProcess,
	"multiprocessing.Process": codeflow.CallProcess, "subprocess.Popen().communicate": codeflow.CallProcess, "subprocess.Popen().stdin.write": codeflow.CallProcess,
	"os.popen().write": codeflow.CallProcess,

	"urllib.request.urlopen": codeflow.CallHTTP, "urllib.request.urlretrieve": codeflow.CallHTTP, "urllib.urlopen": codeflow.CallHTTP, "urllib.urlretrieve": codeflow.CallHTTP,
	"urllib2.urlopen": codeflow.CallHTTP, "urllib.request.build_opener().open": codeflow.CallHTTP, "urllib.request.OpenerDirector().open": codeflow.CallHTTP,
	"six.moves.urllib.request.urlopen": codeflow.CallHTTP, "pycurl.Curl().setopt": codeflow.CallHTTP, "pycurl.Curl().perform": codeflow.CallHTTP,
	"xmlrpc.client.ServerProxy": codeflow.CallHTTP, "ftplib.FTP": codeflow.CallHTTP, "ftplib.FTP().storbinary": codeflow.CallHTTP, "webbrowser.open": codeflow.CallHTTP,

	"socket.socket": codeflow.CallSocket, "socket.create_connection": codeflow.CallSocket, "socket.socketpair": "", "asyncio.open_connection": codeflow.CallSocket,
	"ssl.wrap_socket": codeflow.CallSocket, "socket.create_server": codeflow.CallListen, "asyncio.start_server": codeflow.CallListen,
	"http.server.HTTPServer": codeflow.CallListen, "http.server.ThreadingHTTPServer": codeflow.CallListen, "BaseHTTPServer.HTTPServer": codeflow.CallListen,
	"socketserver.TCPServer": codeflow.CallListen, "socketserver.UDPServer": codeflow.CallListen, "socketserver.ThreadingTCPServer": codeflow.CallListen,
	"wsgiref.simple_server.make_server": codeflow.CallListen, "socket.socket().bind": codeflow.CallListen, "socket.socket().listen": codeflow.CallListen,
	"telnetlib.Telnet": codeflow.CallSocket, "paramiko.SSHClient().connect": codeflow.CallSocket, "websocket.create_connection": codeflow.CallSocket,

	"socket.getaddrinfo": codeflow.CallDNS, "socket.gethostbyname": codeflow.CallDNS, "socket.gethostbyname_ex": codeflow.CallDNS, "socket.getfqdn": codeflow.CallDNS,
	"socket.gethostbyaddr": codeflow.CallDNS, "dns.resolver.resolve": codeflow.CallDNS, "dns.resolver.query": codeflow.CallDNS, "dns.resolver.Resolver().resolve": codeflow.CallDNS,
	"dns.resolver.Resolver().query": codeflow.CallDNS, "dns.query.udp": codeflow.CallDNS,

	"base64.b64decode": codeflow.CallDecode, "base64.b32decode": codeflow.CallDecode, "base64.b85decode": codeflow.CallDecode, "base64.a85decode": codeflow.CallDecode,
	"base64.b16decode": codeflow.CallDecode, "base64.urlsafe_b64decode": codeflow.CallDecode, "base64.standard_b64decode": codeflow.CallDecode, "base64.decodebytes": codeflow.CallDecode, "base64.decodestring": codeflow.CallDecode,
	"binascii.unhexlify": codeflow.CallDecode, "binascii.a2b_base64": codeflow.CallDecode, "binascii.a2b_hex": codeflow.CallDecode,
	"zlib.decompress": codeflow.CallDecode, "bz2.decompress": codeflow.CallDecode, "lzma.decompress": codeflow.CallDecode, "gzip.decompress": codeflow.CallDecode,
	"codecs.decode": codeflow.CallDecode, "builtins.bytes.fromhex": codeflow.CallDecode, "builtins.bytearray.fromhex": codeflow.CallDecode,

	"builtins.open": codeflow.CallFile, "io.open": codeflow.CallFile, "os.open": codeflow.CallFile, "codecs.open": codeflow.CallFile, "pathlib.Path": codeflow.CallFile,
	"pathlib.Path().read_text": codeflow.CallFile, "pathlib.Path().read_bytes": codeflow.CallFile, "pathlib.Path().open": codeflow.CallFile, "os.listdir": codeflow.CallFile, "os.scandir": codeflow.CallFile, "os.walk": codeflow.CallFile,
	"pathlib.Path().write_text": codeflow.CallFileWrite, "pathlib.Path().write_bytes": codeflow.CallFileWrite, "os.write": codeflow.CallFileWrite,
	"builtins.open().write": codeflow.CallFileWrite, "io.open().write": codeflow.CallFileWrite, "codecs.open().write": codeflow.CallFileWrite, "os.chmod": codeflow.CallFile,
	"builtins.open().writelines": codeflow.CallFileWrite, "shutil.copy": codeflow.CallFile, "shutil.copyfile": codeflow.CallFile, "shutil.move": codeflow.CallFile, "os.symlink": codeflow.CallFile, "os.unlink": codeflow.CallFile, "os.remove": codeflow.CallFile,

	"sys.path.insert": codeflow.CallImport, "sys.path.append": codeflow.CallImport, "sys.path.extend": codeflow.CallImport, "site.addsitedir": codeflow.CallImport,
	"sys.meta_path.insert": codeflow.CallImport, "sys.meta_path.append": codeflow.CallImport, "sys.meta_path.extend": codeflow.CallImport,
	"sys.path_hooks.insert": codeflow.CallImport, "sys.path_hooks.append": codeflow.CallImport, "sys.modules.pop": codeflow.CallImport,
	"sys.modules.setdefault": codeflow.CallImport, "sys.modules.update": codeflow.CallImport, "importlib.util.spec_from_file_location": codeflow.CallImport,
	"importlib.machinery.SourceFileLoader": codeflow.CallImport, "importlib.machinery.ExtensionFileLoader": codeflow.CallImport, "imp.load_source": codeflow.CallImport,
	"imp.load_dynamic": codeflow.CallImport, "imp.load_compiled": codeflow.CallImport, "importlib.machinery.SourcelessFileLoader": codeflow.CallImport,
	"zipimport.zipimporter": codeflow.CallImport, "importlib.reload": codeflow.CallImport, "sys.addaudithook": codeflow.CallHook,

	"atexit.register": codeflow.CallHook, "sys.settrace": codeflow.CallHook, "sys.setprofile": codeflow.CallHook, "threading.settrace": codeflow.CallHook, "threading.setprofile": codeflow.CallHook,
	"signal.signal": codeflow.CallHook, "gc.get_objects": codeflow.CallHook, "gc.get_referrers": codeflow.CallHook, "sys._getframe": codeflow.CallHook, "inspect.stack": codeflow.CallHook, "inspect.currentframe": codeflow.CallHook,

	"ctypes.CDLL": codeflow.CallNative, "ctypes.cdll.LoadLibrary": codeflow.CallNative, "ctypes.PyDLL": codeflow.CallNative, "ctypes.memmove": codeflow.CallNative,
	"ctypes.string_at": codeflow.CallNative, "ctypes.CFUNCTYPE": codeflow.CallNative, "ctypes.util.find_library": codeflow.CallNative, "mmap.mmap": codeflow.CallNative, "cffi.FFI().dlopen": codeflow.CallNative,

	"threading.Thread": codeflow.CallThread, "threading.Timer": codeflow.CallThread, "_thread.start_new_thread": codeflow.CallThread, "thread.start_new_thread": codeflow.CallThread,

	"smtplib.SMTP": codeflow.CallMail, "smtplib.SMTP_SSL": codeflow.CallMail,

	"builtins.print": codeflow.CallLog, "sys.stdout.write": codeflow.CallLog, "sys.stderr.write": codeflow.CallLog, "os.environ.clear": codeflow.CallEnv, "os.unsetenv": codeflow.CallEnv, "os.environ.pop": codeflow.CallEnv,

	"boto3.Session": codeflow.CallSDK, "boto3.session.Session": codeflow.CallSDK, "botocore.session.get_session": codeflow.CallSDK, "botocore.session.Session": codeflow.CallSDK,
	"boto3.client": codeflow.CallSDK, "boto3.resource": codeflow.CallSDK, "boto3.setup_default_session": codeflow.CallSDK,
}

// awsOut are the operations of AWS clients that carry data out of the function.
var awsOut = []string{
	"put_object", "upload_file", "upload_fileobj", "put", "copy_object", "upload_part", "generate_presigned_url", "send_message", "send_message_batch",
	"publish", "publish_batch", "put_events", "put_record", "put_records", "put_record_batch", "invoke", "invoke_async", "put_item", "update_item",
	"batch_write_item", "put_log_events", "put_metric_data", "send_email", "send_raw_email", "send_templated_email", "start_execution", "put_parameter",
	"put_secret_value", "create_secret", "post_to_connection", "put_targets", "send_command", "put_telemetry_records", "put_trace_segments",
	"create_function", "update_function_code", "update_function_configuration", "publish_layer_version", "create_access_key", "put_role_policy", "put_user_policy", "attach_role_policy", "create_user", "assume_role", "add_permission", "add_layer_version_permission",
}

var httpMethods = []string{"get", "post", "put", "patch", "delete", "head", "options", "request", "send", "urlopen", "request_encode_body", "stream", "ws_connect", "request_encode_url", "fetch", "open"}

func kindOf(path, method string) string {
	if path == "" {
		// the object is not known; these names are hardly anything else
		switch method {
		case "sendall", "sendto":
			return codeflow.CallSocket
		case "put_object", "upload_fileobj", "put_events", "put_record", "put_records", "send_message_batch", "put_record_batch", "send_raw_email", "update_function_code":
			return codeflow.CallAWS
		case "urlopen":
			return codeflow.CallHTTP
		case "sendmail":
			return codeflow.CallMail
		case "set_wakeup_fd":
			return codeflow.CallHook
		}
		return ""
	}
	if k, ok := kinds[path]; ok {
		return k
	}
	head, _, dotted := strings.Cut(path, ".")
	switch head {
	case "os":
		if strings.HasPrefix(path, "os.exec") || strings.HasPrefix(path, "os.spawn") {
			return codeflow.CallProcess
		}
	case "boto3", "botocore", "aiobotocore", "aioboto3":
		if !strings.Contains(path, "(") {
			return ""
		}
		switch {
		case strings.HasSuffix(path, "get_credentials") || strings.HasSuffix(path, "get_frozen_credentials") || strings.HasSuffix(path, ".client") || strings.HasSuffix(path, ".resource") || strings.HasSuffix(path, "create_client"):
			return codeflow.CallSDK
		case slices.Contains(awsOut, method):
			return codeflow.CallAWS
		case strings.HasSuffix(path, ".events.register") || strings.HasSuffix(path, ".register_first") || strings.HasSuffix(path, ".events.register_first"):
			return codeflow.CallHook
		}
	case "requests", "httpx", "urllib3", "aiohttp", "pip", "botocore_vendored", "http", "httplib", "six", "http2", "niquests", "httplib2", "tornado", "treq", "grequests":
		if !dotted {
			return ""
		}
		if method == "HTTPConnection" || method == "HTTPSConnection" || method == "HTTPConnectionPool" || method == "HTTPSConnectionPool" || method == "connection_from_url" {
			return codeflow.CallHTTP
		}
		if strings.Contains(path, ".HTTPConnection()") || strings.Contains(path, ".HTTPSConnection()") {
			switch method {
			case "request", "send", "putheader", "endheaders", "urlopen", "putrequest", "request_encode_body", "request_encode_url":
				return codeflow.CallHTTP
			}
			return ""
		}
		if slices.Contains(httpMethods, method) && !strings.HasSuffix(path, "headers.get") && !strings.Contains(path, ".cookies") && !strings.Contains(path, "headers") &&
			!strings.Contains(path, "post().") && !strings.Contains(path, "get().") && !strings.Contains(path, "request().") && !strings.Contains(path, "environ") {
			if (head == "http" || head == "six") && method != "urlopen" {
				return ""
			}
			return codeflow.CallHTTP
		}
	case "socket", "ssl":
		if strings.Contains(path, "(") {
			switch method {
			case "connect", "connect_ex", "send", "sendall", "sendto", "sendmsg", "sendfile":
				return codeflow.CallSocket
			case "bind", "listen", "accept":
				return codeflow.CallListen
			}
		}
	case "asyncio":
		if strings.HasPrefix(path, "asyncio.open_connection()") && (method == "write" || method == "writelines") {
			return codeflow.CallSocket
		}
	case "smtplib":
		switch method {
		case "sendmail", "send_message":
			return codeflow.CallMail
		}
	case "telnetlib", "paramiko", "websocket", "websockets":
		switch method {
		case "write", "send", "connect", "exec_command", "put", "sendall":
			return codeflow.CallSocket
		}
	case "ctypes":
		if strings.HasPrefix(path, "ctypes.CDLL()") || strings.HasPrefix(path, "ctypes.cdll") || strings.HasPrefix(path, "ctypes.pythonapi") {
			return codeflow.CallNative
		}
	case "logging":
		switch method {
		case "info", "warning", "error", "debug", "critical", "exception", "log":
			return codeflow.CallLog
		}
	case "pathlib":
		switch method {
		case "write_text", "write_bytes":
			return codeflow.CallFileWrite
		case "read_text", "read_bytes":
			return codeflow.CallFile
		}
	}
	return ""
}

func source(path string) (kind, name string) {
	switch path {
	case "os.environ", "os.environb", "os.environ.copy()", "os.environ.items()", "os.environ.values()", "posix.environ", "os.environ.__dict__", "os.environ._data", "os.environ.__iter__()", "os.environ.__repr__()", "os.environ.__str__()":
		return codeflow.SourceEnvAll, "os.environ"
	}
	if strings.HasSuffix(path, "()") || strings.HasSuffix(path, ".access_key") || strings.HasSuffix(path, ".secret_key") || strings.HasSuffix(path, ".token") {
		if strings.Contains(path, "get_credentials()") || strings.HasSuffix(path, ".load_credentials()") && strings.Contains(path, "credentials.") ||
			strings.HasPrefix(path, "botocore.credentials.") && strings.HasSuffix(path, ".load()") {
			return codeflow.SourceCredentials, "get_credentials"
		}
	}
	return "", ""
}

func isEnv(path string) bool {
	return path == "os.environ" || path == "os.environb" || path == "posix.environ"
}

func via(path, method string) uint16 {
	switch path {
	case "json.dumps", "ujson.dumps", "orjson.dumps", "simplejson.dumps":
		return codeflow.ViaJSON
	case "base64.b64encode", "base64.urlsafe_b64encode", "base64.b32encode", "base64.b85encode", "base64.a85encode", "base64.encodebytes", "base64.standard_b64encode", "binascii.b2a_base64":
		return codeflow.ViaBase64
	case "zlib.compress", "gzip.compress", "bz2.compress", "lzma.compress":
		return codeflow.ViaCompress
	case "binascii.hexlify", "base64.b16encode", "codecs.encode":
		return codeflow.ViaHex
	case "urllib.parse.urlencode", "urllib.parse.quote", "urllib.parse.quote_plus", "urllib.quote", "urllib.urlencode":
		return codeflow.ViaURL
	case "pickle.dumps", "marshal.dumps":
		return codeflow.ViaMarshal
	}
	if method == "encrypt" {
		return codeflow.ViaEncrypt
	}
	if method == "hex" && path == "" {
		return codeflow.ViaHex
	}
	return 0
}

func decodes(path, method string) bool {
	return kinds[path] == codeflow.CallDecode || path == "" && method == "fromhex" || path == "marshal.loads" || method == "decrypt"
}

func factory(path string) bool {
	switch path {
	case "boto3.client", "boto3.resource", "boto3.Session().client", "boto3.Session().resource", "boto3.session.Session().client", "boto3.session.Session().resource":
		return true
	}
	return strings.HasSuffix(path, ".create_client")
}

func foreign(base, target string) string {
	switch {
	case strings.Contains(base, "("):
		return ""
	case base == "sys.modules", base == "sys.path_hooks", base == "sys.meta_path", target == "sys.meta_path", target == "sys.path_hooks", target == "sys.path",
		target == "builtins.__import__", strings.HasPrefix(target, "importlib."), target == "sys.path_importer_cache", target == "sys.modules":
		return codeflow.PatchImport
	case base == "builtins":
		return codeflow.PatchBuiltin
	case strings.HasPrefix(base, "os.environ"):
		return ""
	case strings.HasSuffix(target, ".__doc__") || strings.HasSuffix(target, ".__name__") || strings.HasSuffix(target, ".__module__") || strings.HasSuffix(target, ".__qualname__"):
		return ""
	case base == "sys.argv":
		return ""
	case base == "sys":
		switch target {
		case "sys.argv", "sys.ps1", "sys.ps2", "sys.exitcode", "sys.dont_write_bytecode", "sys.tracebacklimit", "sys.last_exc":
			return ""
		}
	}
	return codeflow.PatchModule
}

func mutates(method string) bool {
	switch method {
	case "append", "extend", "update", "add", "insert", "setdefault", "write", "put", "put_nowait", "appendleft", "writelines", "add_header", "attach", "set_payload", "push", "setopt", "add_data", "__setitem__":
		return true
	}
	return false
}

func handler(f *codeflow.Func) bool {
	p := f.Params
	if len(p) > 0 && p[0].Name == "self" {
		p = p[1:]
	}
	if len(p) < 2 || p[0].Rest {
		return false
	}
	switch p[1].Name {
	case "context", "ctx", "lambda_context", "_context", "_":
		return p[0].Name == "event" || p[0].Name == "evt" || p[0].Name == "lambda_event" || strings.Contains(f.Name, "handler") || f.Name == "lambda_handler"
	}
	return f.Name == "lambda_handler" || f.Name == "handler" && len(p) == 2
}

func dataArgs(kind, path string) (int, []string) {
	switch kind {
	case codeflow.CallProcess:
		return 1, []string{"args", "input", "cmd", "command", "target", "program"}
	case codeflow.CallCode:
		return 1, []string{"source", "object", "code"}
	case codeflow.CallAWS:
		return -1, nil
	case codeflow.CallHTTP:
		if strings.HasSuffix(path, "HTTPSConnection") || strings.HasSuffix(path, "HTTPConnection") {
			return 1, nil
		}
	case codeflow.CallSocket:
		return -1, nil
	case codeflow.CallDNS:
		return 1, []string{"host", "qname", "name"}
	}
	return -1, nil
}

// fold computes calls of constants that obfuscated code hides its strings with.
func fold(path, method string, recv *codeflow.Value, args []*codeflow.Value) *codeflow.Value {
	var a, b *codeflow.Value
	if len(args) > 0 {
		a = args[0]
	}
	if len(args) > 1 {
		b = args[1]
	}
	text, isText := a.Text()
	folded := func(s string, err error) *codeflow.Value {
		if err != nil {
			return nil
		}
		return codeflow.TextValue(s).Folded()
	}
	if r, ok := recv.Text(); ok {
		switch method {
		case "join":
			if l, ok := a.List(); ok {
				return joinAll(r, l)
			}
			if isText && r == "" {
				return a
			}
		case "decode", "encode":
			if isText && (strings.HasPrefix(strings.ToLower(text), "rot") || text == "hex" || strings.HasPrefix(text, "base64")) {
				return codec(r, text)
			}
			return recv
		case "replace":
			if s2, ok := b.Text(); ok && isText && len(r) < 1<<16 && text != "" && len(s2) <= 64 {
				return codeflow.TextValue(strings.ReplaceAll(r, text, s2)).Folded()
			}
		case "strip":
			if a == nil {
				return codeflow.TextValue(strings.TrimSpace(r))
			}
		case "lower":
			return codeflow.TextValue(strings.ToLower(r))
		case "upper":
			return codeflow.TextValue(strings.ToUpper(r))
		case "split":
			var parts []string
			if isText && text != "" {
				parts = strings.Split(r, text)
			} else if a == nil {
				parts = strings.Fields(r)
			}
			if len(parts) > 0 && len(parts) < 1<<12 {
				var l []*codeflow.Value
				for _, p := range parts {
					l = append(l, codeflow.TextValue(p))
				}
				return codeflow.ListValue(l)
			}
		}
		return nil
	}
	switch path {
	case "builtins.chr":
		if n, ok := a.Int(); ok && n >= 0 && n < 0x110000 {
			return codeflow.TextValue(string(rune(n))).Folded()
		}
	case "builtins.ord":
		if isText && text != "" {
			r := []rune(text[:min(len(text), 4)])
			return codeflow.IntValue(int64(r[0]))
		}
	case "builtins.int":
		if isText {
			if n, ok := number(text); ok && b == nil {
				return codeflow.IntValue(n)
			}
		}
		if _, ok := a.Int(); ok {
			return a
		}
	case "builtins.bytes", "builtins.bytearray":
		if l, ok := a.List(); ok {
			return bytesOf(l)
		}
		if isText {
			return a
		}
	case "builtins.str", "builtins.unicode":
		if isText {
			return a
		}
	case "builtins.list", "builtins.tuple":
		if _, ok := a.List(); ok {
			return a
		}
		if isText && len(text) < 1<<14 {
			var l []*codeflow.Value
			for _, r := range text {
				l = append(l, codeflow.TextValue(string(r)))
			}
			return codeflow.ListValue(l)
		}
	case "builtins.reversed":
		if isText && len(text) < 1<<14 {
			var l []*codeflow.Value
			rs := []rune(text)
			slices.Reverse(rs)
			for _, r := range rs {
				l = append(l, codeflow.TextValue(string(r)))
			}
			return codeflow.ListValue(l)
		}
		if l, ok := a.List(); ok {
			l = slices.Clone(l)
			slices.Reverse(l)
			return codeflow.ListValue(l)
		}
	case "builtins.map":
		if l, ok := b.List(); ok && a.Path() != "" && len(l) < 1<<14 {
			var out []*codeflow.Value
			for _, x := range l {
				y := fold(a.Path(), "", nil, []*codeflow.Value{x})
				if y == nil {
					return nil
				}
				out = append(out, y)
			}
			return codeflow.ListValue(out)
		}
	case "builtins.range":
		if n, ok := a.Int(); ok && b == nil && n >= 0 && n <= 4096 {
			var l []*codeflow.Value
			for i := range n {
				l = append(l, codeflow.IntValue(i))
			}
			return codeflow.ListValue(l)
		}
	case "base64.b64decode", "base64.standard_b64decode", "base64.decodebytes", "binascii.a2b_base64", "base64.decodestring":
		if isText {
			return codec(text, "base64")
		}
	case "base64.urlsafe_b64decode":
		if isText {
			return codec(strings.NewReplacer("-", "+", "_", "/").Replace(text), "base64")
		}
	case "base64.b16decode", "binascii.unhexlify", "binascii.a2b_hex", "builtins.bytes.fromhex", "builtins.bytearray.fromhex":
		if isText {
			d, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
			return folded(string(d), err)
		}
	case "codecs.decode":
		if name, ok := b.Text(); ok && isText {
			return codec(text, name)
		}
	case "os.path.join":
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

func codec(s, name string) *codeflow.Value {
	if len(s) > 1<<17 {
		return nil // that it is decoded is what matters
	}
	name = strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, "_", ""), "-", ""))
	switch {
	case strings.HasPrefix(name, "rot"):
		return codeflow.TextValue(strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return 'a' + (r-'a'+13)%26
			case r >= 'A' && r <= 'Z':
				return 'A' + (r-'A'+13)%26
			}
			return r
		}, s)).Folded()
	case strings.HasPrefix(name, "hex"):
		d, err := hex.DecodeString(s)
		if err != nil {
			return nil
		}
		return codeflow.TextValue(string(d)).Folded()
	case strings.HasPrefix(name, "base64"):
		s = strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' || r == ' ' || r == '=' {
				return -1
			}
			return r
		}, s)
		d, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return nil
		}
		return codeflow.TextValue(string(d)).Folded()
	}
	return codeflow.TextValue(s)
}

func joinAll(sep string, l []*codeflow.Value) *codeflow.Value {
	if len(l) == 0 {
		return codeflow.TextValue("")
	}
	var b strings.Builder
	for i, x := range l {
		s, ok := x.Text()
		if !ok {
			return nil
		}
		if i > 0 {
			b.WriteString(sep)
		}
		if b.Len()+len(s) > 1<<20 {
			return nil
		}
		b.WriteString(s)
	}
	return codeflow.TextValue(b.String()).Folded()
}

func bytesOf(l []*codeflow.Value) *codeflow.Value {
	b := make([]byte, 0, len(l))
	for _, x := range l {
		n, ok := x.Int()
		if !ok {
			return nil
		}
		b = append(b, byte(n)) //nolint:gosec // Python refuses what is no byte
	}
	return codeflow.TextValue(string(b)).Folded()
}
