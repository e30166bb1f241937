// Package runtimes knows the runtimes of AWS Lambda: what each puts on its
// search paths, which modules it brings or has loaded before a function's code
// runs, and which environment variables make it load something else.
//
// It is tables and look-ups. Each table cites where its facts come from; what
// was concluded rather than read is marked derived, in the comment and, where a
// caller may have to say so, in the value. Searching a layer is left to package
// opt, judging to others. Start with ByID.
package runtimes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Family is the language of a runtime, as far as search rules go.
type Family string

// The families. Provided are the OS-only runtimes, of which the bootstrap is the
// user's; Go is go1.x, which ran a binary.
const (
	Python   Family = "python"
	Node     Family = "nodejs"
	Java     Family = "java"
	Ruby     Family = "ruby"
	DotNet   Family = "dotnet"
	Provided Family = "provided"
	Go       Family = "go"
)

// Where things are in every runtime
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
const (
	// Task is the function's own code (LAMBDA_TASK_ROOT).
	Task = "/var/task"
	// Opt is where layers are extracted.
	Opt = "/opt"
	// Own is the runtime's own code (LAMBDA_RUNTIME_DIR).
	Own = "/var/runtime"
	// Lang is where the interpreter lives.
	Lang = "/var/lang"
	// Extensions is the directory whose files are started as external extensions
	// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
	Extensions = "/opt/extensions"
)

// MaxExtensions is how many extensions may register with one function
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MaxExtensions = 10

// A Runtime is one runtime identifier.
type Runtime struct {
	// ID is what a function's configuration names: "python3.12".
	ID     string
	Family Family
	// Major and Minor are the language's version; for provided they are the year
	// or number of Amazon Linux (1, 2, 2023).
	Major, Minor int
	// Wrapper says that AWS_LAMBDA_EXEC_WRAPPER is honoured.
	Wrapper bool
}

// table is every identifier that Lambda has in support or that functions may
// still carry
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, with its
// table of deprecated runtimes). Wrapper scripts came with Amazon Linux 2: the
// page that introduced them
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html) did not
// list runtimes on the first Amazon Linux (derived for those), and rules out the
// provided family.
var table = []Runtime{
	{"python3.7", Python, 3, 7, false},
	{"python3.8", Python, 3, 8, true},
	{"python3.9", Python, 3, 9, true},
	{"python3.10", Python, 3, 10, true},
	{"python3.11", Python, 3, 11, true},
	{"python3.12", Python, 3, 12, true},
	{"python3.13", Python, 3, 13, true},
	{"python3.14", Python, 3, 14, true},
	{"nodejs12.x", Node, 12, 0, true},
	{"nodejs14.x", Node, 14, 0, true},
	{"nodejs16.x", Node, 16, 0, true},
	{"nodejs18.x", Node, 18, 0, true},
	{"nodejs20.x", Node, 20, 0, true},
	{"nodejs22.x", Node, 22, 0, true},
	{"nodejs24.x", Node, 24, 0, true},
	{"java8", Java, 8, 0, false},
	{"java8.al2", Java, 8, 0, true},
	{"java11", Java, 11, 0, true},
	{"java17", Java, 17, 0, true},
	{"java21", Java, 21, 0, true},
	{"java25", Java, 25, 0, true},
	{"ruby2.7", Ruby, 2, 7, true},
	{"ruby3.2", Ruby, 3, 2, true},
	{"ruby3.3", Ruby, 3, 3, true},
	{"ruby3.4", Ruby, 3, 4, true},
	{"dotnetcore3.1", DotNet, 3, 1, true},
	{"dotnet6", DotNet, 6, 0, true},
	{"dotnet8", DotNet, 8, 0, true},
	{"dotnet10", DotNet, 10, 0, true},
	{"provided", Provided, 1, 0, false},
	{"provided.al2", Provided, 2, 0, false},
	{"provided.al2023", Provided, 2023, 0, false},
	{"go1.x", Go, 1, 0, false},
}

// All returns every known runtime: by family, oldest first.
func All() []Runtime { return slices.Clone(table) }

// ByID returns the runtime with that identifier.
func ByID(id string) (Runtime, bool) {
	i := slices.IndexFunc(table, func(r Runtime) bool { return r.ID == id })
	if i < 0 {
		return Runtime{}, false
	}
	return table[i], true
}

// A Setting is a variable that the runtime sets when the function does not.
type Setting struct {
	Key, Value string
	// Derived says that nobody published the value for this very runtime.
	Derived bool
}

// Environment returns the search paths that the runtime sets, sorted by key.
//
// PATH, LD_LIBRARY_PATH, NODE_PATH, PYTHONPATH and GEM_PATH are those of
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html and of
// dumps of running functions, which agree but for PATH: the page leaves
// /var/lang/bin out. RUBYLIB and the two last parts of GEM_PATH are from dumps of
// ruby2.7 and ruby3.2.
func (r Runtime) Environment() []Setting {
	s := []Setting{
		{"LD_LIBRARY_PATH", "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib", false},
		{"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", false},
	}
	switch r.Family {
	case Node:
		s = append(s, Setting{"NODE_PATH", fmt.Sprintf(
			"/opt/nodejs/node%d/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task", r.Major), r.Major != 18 && r.Major != 22})
		if r.Major >= 18 {
			// From the bootstrap of these runtimes; derived for those not looked at.
			s = append(s, Setting{"NODE_EXTRA_CA_CERTS", "/var/runtime/ca-cert.pem", r.Major != 18})
		}
	case Ruby:
		s = append(s,
			Setting{"GEM_PATH", fmt.Sprintf("/var/task/vendor/bundle/ruby/%[1]s:/opt/ruby/gems/%[1]s:/var/runtime:/var/runtime/ruby/%[1]s", r.rubyABI()), r.Minor != 2},
			Setting{"RUBYLIB", "/var/task:/var/runtime/lib:/opt/ruby/lib", r.Major != 2})
	case Python, Java, DotNet, Provided, Go:
		// Nothing more: Python exports PYTHONPATH for its children only, after its
		// own search path is made.
	}
	slices.SortFunc(s, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
	return s
}

// rubyABI is the directory name of gems of this Ruby: "3.3.0".
func (r Runtime) rubyABI() string { return fmt.Sprintf("%d.%d.0", r.Major, r.Minor) }

// Version is the language's version as it is written: "3.12", "20", "8".
func (r Runtime) Version() string {
	if r.Minor == 0 && r.Family != Python && r.Family != Ruby {
		return strconv.Itoa(r.Major)
	}
	return fmt.Sprintf("%d.%d", r.Major, r.Minor)
}

// LayerDirs are the directories of a layer that this runtime looks into without
// being told, below the layer's root, in the order of the search
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
func (r Runtime) LayerDirs() []string {
	var dirs []string
	switch r.Family {
	case Python:
		dirs = []string{"python/lib/python" + r.Version() + "/site-packages", "python"}
	case Node:
		dirs = []string{fmt.Sprintf("nodejs/node%d/node_modules", r.Major), "nodejs/node_modules"}
	case Java:
		dirs = []string{"java/lib"}
	case Ruby:
		dirs = []string{"ruby/lib", "ruby/gems/" + r.rubyABI()}
	case DotNet, Provided, Go:
	}
	return append(dirs, "bin", "lib")
}

// Stdlib reports whether name is a module of the language's standard library:
// the first part of a Python module, what Node's require is given (with or
// without node:), what Ruby's require is given, a Java class, a .NET assembly.
func (r Runtime) Stdlib(name string) bool {
	switch r.Family {
	case Python:
		return pythonStdlib.has(r.Minor, name)
	case Node:
		return r.nodeBuiltin(name)
	case Ruby:
		return rubyStdlib.has(r.Major*10+r.Minor, name)
	case Java:
		return hasPrefix(name, jdkPackages) || r.Major == 8 && hasPrefix(name, jdk8Packages)
	case DotNet:
		return name == "System" || name == "mscorlib" || name == "netstandard" || hasPrefix(name, dotnetAssemblies)
	case Provided, Go:
	}
	return false
}

// Builtin reports whether no file on any search path can stand in for name,
// because it is part of the program: Python's compiled-in and frozen modules
// (frozen since 3.11), Node's built-in modules, the JDK's own packages.
func (r Runtime) Builtin(name string) bool {
	switch r.Family {
	case Python:
		return pythonBuiltin.has(r.Minor, name) || pythonFrozen.has(r.Minor, name)
	case Node, Java:
		return r.Stdlib(name)
	case Ruby, DotNet, Provided, Go:
	}
	return false
}

// Preloaded reports whether the runtime has imported the Python module before it
// puts /var/task and /opt on the search path. A file of that name there is never
// looked for; a directory in PYTHONPATH is early enough, unless it is Builtin.
func (r Runtime) Preloaded(name string) bool {
	return r.Family == Python && pythonPreloaded.has(r.Minor, name)
}

// Ships reports whether the runtime brings name with it, outside the standard
// library: a Python top-level module, an npm package, a Ruby gem or what it is
// required by, a Java class. derived says that the list is an older runtime's.
func (r Runtime) Ships(name string) (ships, derived bool) {
	switch r.Family {
	case Python:
		return pythonShips.has(r.Minor, name), r.Minor >= 13
	case Node:
		return r.nodeShips(name), false
	case Ruby:
		return name == "aws-sdk" || strings.HasPrefix(name, "aws-sdk-") || slices.Contains(rubyShips, name), true
	case Java:
		return hasPrefix(name, javaShips), false
	case DotNet:
		return hasPrefix(name, dotnetShips), true
	case Provided, Go:
	}
	return false, false
}

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// names are names with the versions that have them: for Python the minor
// version, for Ruby ten times the major plus the minor.
type names []struct {
	in   []span
	list string // separated by white space
}

type span struct{ from, to int }

func (n names) has(version int, name string) bool {
	if name == "" || strings.ContainsAny(name, " \n\t") {
		return false
	}
	for _, g := range n {
		if !slices.ContainsFunc(g.in, func(s span) bool { return s.from <= version && version <= s.to }) {
			continue
		}
		for rest := g.list; ; {
			i := strings.Index(rest, name)
			if i < 0 {
				break
			}
			end := i + len(name)
			if (i == 0 || isSpace(rest[i-1])) && (end == len(rest) || isSpace(rest[end])) {
				return true
			}
			rest = rest[end:]
		}
	}
	return false
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// of returns the names of one version, sorted.
func (n names) of(version int) []string {
	var out []string
	for _, g := range n {
		if slices.ContainsFunc(g.in, func(s span) bool { return s.from <= version && version <= s.to }) {
			out = append(out, strings.Fields(g.list)...)
		}
	}
	slices.Sort(out)
	return out
}
