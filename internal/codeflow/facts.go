// Package codeflow turns the tree of one source file, of whatever language, into
// facts: what it imports, calls, replaces and reads, and which value reaches
// which call.
//
// It owns the small tree (Node) that the language packages build, the abstract
// values, the folding of constants, and the flow of taint through one module. It
// knows no language: tables (Lang) say what a name means. It refuses to judge: a
// Flow from credentials to the network is a fact, and normal in an SDK; findings
// are made elsewhere, from the facts, the hosts and the place of the file.
//
// The flow is "taint-lite": by names, in the order of the source, through
// assignments, containers, string building, unknown calls and the functions of
// the same module, without regard to branches. It misses what goes through the
// attributes of objects that other modules hold.
//
// Strings of the source appear in facts only through Clean, which leaves out
// what could be a secret. Every list is bounded; Truncated says that a bound was
// met. Start with Analyze.
package codeflow

import "slices"

// Facts are what one file does. The order of every list is the order of lines.
type Facts struct {
	// Language is "python", "python-bytecode", "pth" or "javascript".
	Language string   `json:"language,omitempty"`
	Imports  []Import `json:"imports,omitempty"`
	// Calls are those of a kind that a reader of the file would want to know;
	// calls of local functions and of plain library functions are not kept.
	Calls   []Call   `json:"calls,omitempty"`
	Patches []Patch  `json:"patches,omitempty"`
	Env     []Env    `json:"env,omitempty"`
	Strings []String `json:"strings,omitempty"`
	Flows   []Flow   `json:"flows,omitempty"`
	// Defs are functions that are decorated or look like a Lambda handler.
	Defs     []Def    `json:"defs,omitempty"`
	Measures Measures `json:"measures"`
	// Errors are places where the source is not of its language. What is before
	// and, in Python, behind them was read.
	Errors []Error `json:"errors,omitempty"`
	// Partial says that no tree could be made and that only literals were looked
	// for: Flows, Patches and Calls then say nothing about what is not there.
	Partial bool `json:"partial,omitempty"`
	// Truncated says that a limit was met: a size, a depth, or the length of a list.
	Truncated bool `json:"truncated,omitempty"`
}

// Where says when code runs.
type Where struct {
	// Line counts from 1.
	Line int `json:"line"`
	// AtImport says that it runs when the file is loaded: it stands outside of
	// functions, or in one that is called from there. Code behind
	// `if __name__ == "__main__"` and `require.main === module` does not.
	AtImport bool `json:"atImport,omitempty"`
	// Func is the function it stands in, "" outside of one: "Class.method",
	// "outer.inner".
	Func string `json:"func,omitempty"`
}

// Kinds of Import.
const (
	ImportPlain   = "import"  // import a.b; import x from "m"
	ImportFrom    = "from"    // from a import b; import {b} from "m"
	ImportRequire = "require" // require("m"), createRequire(...)("m")
	ImportDynamic = "dynamic" // importlib.import_module(x), __import__(x), import(x)
	ImportExport  = "export"  // export … from "m"
)

// An Import is one module that a file asks for.
type Import struct {
	// Kind is one of the Import constants.
	Kind string `json:"kind"`
	// Module is "a.b" in Python, the specifier in JavaScript, and "" if it is
	// computed (only dynamic and require).
	Module string `json:"module,omitempty"`
	// Level is the number of leading dots of a Python import: 0 is absolute.
	Level int `json:"level,omitempty"`
	// As is the local name of the module, if it has one of its own.
	As string `json:"as,omitempty"`
	// Names are what a from-import takes; "*" is all.
	Names []Name `json:"names,omitempty"`
	Line  int    `json:"line"`
	// Lazy says that it stands in a function.
	Lazy bool `json:"lazy,omitempty"`
	// Conditional says that it stands in an if, a try or a loop.
	Conditional bool `json:"conditional,omitempty"`
	// Folded says that the module's name was put together by the code.
	Folded bool `json:"folded,omitempty"`
}

// A Name is one name of a from-import; As is "" if it keeps its name.
type Name struct {
	Name string `json:"name"`
	As   string `json:"as,omitempty"`
}

// Kinds of Call. A sink of a Flow has the same kinds.
const (
	CallCode      = "code"    // exec, eval, compile, new Function, vm.runIn…, marshal.loads
	CallProcess   = "process" // subprocess, os.system, child_process
	CallHTTP      = "http"    // a request over HTTP(S)
	CallSocket    = "socket"  // a socket or datagram
	CallListen    = "listen"  // a server in the process
	CallDNS       = "dns"     // a name looked up
	CallMail      = "mail"    // SMTP
	CallAWS       = "aws"     // an AWS call that carries data out; Callee ends in the operation
	CallSDK       = "sdk"     // an AWS client, session or credential reader is made
	CallDecode    = "decode"  // base64, hex, zlib, marshal, rot13
	CallFile      = "file"    // open, read or write of a constant path of interest
	CallFileWrite = "file-write"
	CallImport    = "import-system" // importlib machinery, sys.path, Module._load, require.cache
	CallHook      = "hook"          // atexit, settrace, signal, process.on, AsyncLocalStorage
	CallNative    = "native"        // ctypes, process.dlopen, mmap
	CallThread    = "thread"        // a thread, worker or timer that lives on
	CallEnv       = "env"           // the environment changed by a call
	CallLog       = "log"           // output that ends in CloudWatch
)

// A Call is one call of a kind above.
type Call struct {
	Kind string `json:"kind"`
	// Callee is the dotted path after aliases are followed:
	// "subprocess.Popen", "boto3.client(s3).put_object",
	// "child_process.exec". The constant name given to a factory of clients
	// stands in brackets; "()" is the result of any other call.
	Callee string `json:"callee"`
	// Args are the constant arguments, cleaned; "" for one that is not constant or
	// that Clean withholds. Named arguments are "name=value" and come last.
	Args []string `json:"args,omitempty"`
	// Target is the host, bucket, queue, function, path or command that the call
	// names in a constant.
	Target string `json:"target,omitempty"`
	// Folded says that the callee or an argument was put together by the code:
	// getattr(os, 'sys'+'tem'), a decoded constant.
	Folded bool `json:"folded,omitempty"`
	// Named says that the callee itself was put together.
	Named bool `json:"named,omitempty"`
	// Decoded says that an argument is a decoded value (a code kind: exec of
	// base64). DecodedBytes is its length if the constant could be decoded.
	Decoded      bool `json:"decoded,omitempty"`
	DecodedBytes int  `json:"decodedBytes,omitempty"`
	Where
}

// Words are the constant arguments and the target, in a slice of their own:
// analyzers read the same facts at the same time.
func (c *Call) Words() []string { return append(slices.Clip(c.Args), c.Target) }

// Kinds of Patch.
const (
	PatchModule    = "module"        // an attribute of an imported module or of a class in it
	PatchBuiltin   = "builtin"       // builtins.open = …, global.fetch = …
	PatchImport    = "import-system" // sys.modules, sys.meta_path, builtins.__import__, Module._load, require.cache
	PatchPrototype = "prototype"     // X.prototype.y = …, Object.defineProperty(X.prototype, …)
	PatchEnv       = "env"           // an environment variable set in the process
)

// A Patch is an assignment to something that belongs to another module.
type Patch struct {
	Kind string `json:"kind"`
	// Target is the dotted path: "http.client.HTTPSConnection.request".
	Target string `json:"target"`
	// By is the local function, or the path, that is put in its place.
	By string `json:"by,omitempty"`
	// Calls says that the replacement calls what it replaces (a wrapper), as far
	// as can be seen.
	Calls bool `json:"calls,omitempty"`
	Where
}

// An Env is one access to the environment.
type Env struct {
	// Name is the variable, "" for the environment as a whole.
	Name string `json:"name,omitempty"`
	// Write says that it is set; Value is the cleaned constant.
	Write bool   `json:"write,omitempty"`
	Value string `json:"value,omitempty"`
	Where
}

// Kinds of String.
const (
	StringURL     = "url"
	StringHost    = "host"
	StringIP      = "ip"
	StringPath    = "path"    // /proc/…, /opt/…, /tmp/…, /var/runtime/…
	StringEnv     = "env"     // the name of a credential or loader variable
	StringARN     = "arn"     // with the account in it
	StringCommand = "command" // a shell command with a network tool, a pipe into a shell
	StringBlob    = "blob"    // long and of high entropy: Value is "" always
	StringWallet  = "miner"   // stratum+tcp://, a pool, a mining tool's word
	StringWord    = "word"    // one of the words that attackers' tools carry
)

// A String is a constant of interest.
type String struct {
	Kind string `json:"kind"`
	// Value went through Clean.
	Value string `json:"value,omitempty"`
	// Bytes is its length in the source's value.
	Bytes int `json:"bytes,omitempty"`
	// Entropy is in bits a byte, only of a blob.
	Entropy float64 `json:"entropy,omitempty"`
	// Folded says that it stands nowhere in the source as such.
	Folded bool `json:"folded,omitempty"`
	Where
}

// Kinds of source.
const (
	SourceEnvAll      = "env-all"        // os.environ, process.env as a whole
	SourceEnvSecret   = "env-credential" //nolint:gosec // the name of a kind: AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, …
	SourceEnv         = "env"            // another variable
	SourceProcEnviron = "proc-environ"   // /proc/self/environ and relatives
	SourceCredentials = "sdk-credentials"
	SourceMetadata    = "metadata" // 169.254.169.254, 169.254.170.2, the credential URI variables
	SourceRuntimeAPI  = "runtime-api"
	SourceEvent       = "event"        // the handler's event, or what a wrapper of handlers is given
	SourcePatched     = "patched-args" // the arguments of a function that replaces another module's
	SourceFile        = "secret-file"  // ~/.aws/credentials, /var/task source, /proc/…/mem
	SourceRemote      = "remote"       // what was fetched from the network
	SourceDecoded     = "decoded"      // a constant that was decoded (only into code and process)
)

// A Flow says that a value reaches a call.
type Flow struct {
	Source     string `json:"source"`
	SourceLine int    `json:"sourceLine"`
	// SourceName is what was read: "os.environ", "AWS_SESSION_TOKEN", "event".
	SourceName string `json:"sourceName,omitempty"`
	// Sink is the kind of the call; SinkName its callee.
	Sink     string `json:"sink"`
	SinkLine int    `json:"sinkLine"`
	SinkName string `json:"sinkName,omitempty"`
	// Host is the constant host, URL, bucket, queue or command that the sink names,
	// "" if it names none: an SDK builds its hosts, a thief writes his.
	Host string `json:"host,omitempty"`
	// Via are the encodings and wrappers it went through: "json", "base64",
	// "zlib", "hex", "encrypt".
	Via []string `json:"via,omitempty"`
	// AtImport and Func are of the sink.
	AtImport bool   `json:"atImport,omitempty"`
	Func     string `json:"func,omitempty"`
}

// A Def is a function that is decorated or looks like a handler.
type Def struct {
	Name       string   `json:"name"`
	Line       int      `json:"line"`
	Params     []string `json:"params,omitempty"`
	Decorators []string `json:"decorators,omitempty"`
	// Handler says that its name or its parameters are those of a Lambda handler.
	Handler bool `json:"handler,omitempty"`
}

// Measures are numbers that obfuscated code stands out by.
type Measures struct {
	Bytes int `json:"bytes"`
	Lines int `json:"lines"`
	// LongestLine is in bytes.
	LongestLine int `json:"longestLine,omitempty"`
	// Names is how many identifiers were read; HexNames those like _0x1a2b, and
	// ConfusingNames those of l, I, 1, O, 0 and _ only, from six characters on.
	Names          int `json:"names,omitempty"`
	HexNames       int `json:"hexNames,omitempty"`
	ConfusingNames int `json:"confusingNames,omitempty"`
	// MixedScriptNames have letters of Latin and of a script that looks like it.
	MixedScriptNames int `json:"mixedScriptNames,omitempty"`
	// StringBytes are in constants; EscapedBytes those written as \x41 or A
	// where a plain letter would do.
	StringBytes  int `json:"stringBytes,omitempty"`
	EscapedBytes int `json:"escapedBytes,omitempty"`
	// LongestString is in bytes; MaxEntropy is of the strings from 256 bytes on.
	LongestString int     `json:"longestString,omitempty"`
	MaxEntropy    float64 `json:"maxEntropy,omitempty"`
	// StringArray is the length of the longest list of nothing but strings;
	// Rotated says that the code shifts and pushes such a list in a loop.
	StringArray int  `json:"stringArray,omitempty"`
	Rotated     bool `json:"rotated,omitempty"`
	// Folded is how many strings the code puts together from constant parts by
	// other means than + and formatting: chr lists, reversal, joins, decoding.
	Folded int `json:"folded,omitempty"`
	// Minified says that lines are long and names are short, as a bundler leaves them.
	Minified bool `json:"minified,omitempty"`
}

// An Error is a place where the source could not be read.
type Error struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}
