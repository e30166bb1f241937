package codeflow

// Special says that a callable does something to names or values that the engine
// itself carries out.
type Special uint8

// Specials.
const (
	NotSpecial     Special = iota
	GetAttr                // getattr(o, "x"), Reflect.get(o, "x")
	SetAttr                // setattr(o, "x", v), Reflect.set
	ImportModule           // __import__("x"), importlib.import_module("x"), require("x"), import("x")
	ModuleDict             // vars(m), m.__dict__: the module as a dictionary
	EnvGet                 // os.environ.get("X"), os.getenv("X")
	EnvSet                 // os.putenv("X", v), os.environ.setdefault("X", v)
	EnvUpdate              // os.environ.update({...})
	WrapFunction           // wrapt.wrap_function_wrapper("m", "X.y", f)
	Partial                // functools.partial(f, ...), f.bind(o, ...)
	CallMethod             // f.call(o, ...): the first argument is no argument
	ApplyMethod            // f.apply(o, [...]), Reflect.apply(f, o, [...])
	DefineProperty         // Object.defineProperty(o, "x", {value: v})
	AssignAll              // Object.assign(o, {...})
	ProxyOf                // new Proxy(o, handler)
	Identity               // returns its first argument: str(x), bytes(x), Buffer.from(x), iter(x)
	Sanitise               // what comes out has nothing of what went in: len, hmac, isinstance
	RequireFactory         // createRequire(...): a require
	Then                   // p.then(f): f is given what p yields
	WrapHandler            // gives a function what passes: sys.settrace(f), events.register("before-send", f)
)

// Via are the ways a value is wrapped on its way.
const (
	ViaJSON uint16 = 1 << iota
	ViaBase64
	ViaCompress
	ViaHex
	ViaEncrypt
	ViaURL
	ViaMarshal
)

var viaNames = []struct {
	bit  uint16
	name string
}{
	{ViaJSON, "json"}, {ViaBase64, "base64"}, {ViaCompress, "zlib"}, {ViaHex, "hex"}, {ViaEncrypt, "encrypt"}, {ViaURL, "url"}, {ViaMarshal, "marshal"},
}

// A Lang says what names mean in one language. Paths are dotted:
// "os.environ", "builtins.exec", "boto3.client(s3).put_object".
type Lang struct {
	// Global is the path of a name that the file does not bind, "" if it has none.
	Global func(name string) string
	// Special is what a callable at a path does. The method is the last part of
	// the callee, also where the path of its object is not known and path is "".
	Special func(path, method string) Special
	// Kind is the kind of the call of what is at a path, "" if nobody would want
	// to know.
	Kind func(path, method string) string
	// Source is the kind and name of the source that an object at a path is, and
	// "" if it is none.
	Source func(path string) (kind, name string)
	// Env says whether path is the environment as a mapping.
	Env func(path string) bool
	// Via is the wrapping that a call at path does to its arguments.
	Via func(path, method string) uint16
	// Decodes says whether the call yields code or data out of encoded data.
	Decodes func(path, method string) bool
	// Fold computes a call of constants: nil if it cannot. recv is the object of
	// a method.
	Fold func(path, method string, recv *Value, args []*Value) *Value
	// Folds says whether Fold reads the texts of such a call byte for byte, which
	// then count against what a file may cost; nil: it always does.
	Folds func(path, method string) bool
	// Factory says whether the first constant argument of a call becomes part of
	// the path of its result: boto3.client(s3).
	Factory func(path string) bool
	// Module is the path of an imported module: the name itself in Python, the
	// specifier without "node:" in JavaScript.
	Module func(name string) string
	// Foreign says whether an assignment to an attribute of path is a patch, and
	// of which kind; target is the whole path with the attribute.
	Foreign func(base, target string) string
	// Mutates says whether a method puts its arguments into its object.
	Mutates func(method string) bool
	// Handler says whether a function looks like a Lambda handler.
	Handler func(f *Func) bool
	// Declares says that an assignment to a name binds it in the function at hand
	// (Python), instead of where it is bound (JavaScript).
	Declares bool
	// Names says whether path is the file's own names as a dictionary.
	Names func(path string) bool
	// Join is the path of an attribute of the object at base; nil joins with a dot.
	Join func(base, name string) string
	// DataArgs says which arguments of a sink carry data: names, and positions
	// below n. Other arguments are ignored. n < 0 means all.
	DataArgs func(kind, path string) (n int, names []string)
}
