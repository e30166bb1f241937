package opt

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A What is a sort of code that runs before or with the handler.
type What string

// The sorts, in the order in which they run.
const (
	// Preload is a shared object that LD_PRELOAD or LD_AUDIT puts into every
	// program.
	Preload What = "preload"
	// Extension is an external extension, started before the runtime.
	Extension What = "extension"
	// ShellStart is the file that every bash reads first.
	ShellStart What = "shell-start"
	// Wrapper is started instead of the runtime and is given its command line.
	Wrapper What = "exec-wrapper"
	// Bootstrap is the runtime of an OS-only function.
	Bootstrap What = "bootstrap"
	// JavaAgent and NativeAgent are loaded into Java before the runtime's main.
	JavaAgent   What = "java-agent"
	NativeAgent What = "native-agent"
	// JVMCommand is run by Java when it fails.
	JVMCommand What = "jvm-command"
	// Profiler is native code that .NET loads.
	Profiler What = "profiler"
	// StartupHook is an assembly that .NET runs first.
	StartupHook What = "startup-hook"
	// NodeRequire is a module that Node.js runs first.
	NodeRequire What = "node-require"
	// RubyRequire is a file that Ruby runs first.
	RubyRequire What = "ruby-require"
	// EarlyModule is a module that the runtime itself imports and gets from here
	// instead of the library.
	EarlyModule What = "early-module"
	// SiteCustomize is sitecustomize or usercustomize.
	SiteCustomize What = "site-customize"
	// PthImport is a line of a .pth file that begins with import.
	PthImport What = "pth-import"
	// HandlerCode is the handler's module, with the packages above it.
	HandlerCode What = "handler"
)

// A Step is one thing that runs when the function starts.
type Step struct {
	What What   `json:"what"`
	Path string `json:"path,omitempty"`
	From Origin `json:"from"`
	// Line is that of a .pth file, from 1; 0 for a whole file.
	Line int `json:"line,omitempty"`
	// Key is the environment variable that makes it run, "" if none does.
	Key string `json:"key,omitempty"`
	// Why is the rule that makes it run, in a clause.
	Why string `json:"why"`
	// Maybe says why it may not run; "" if it does.
	Maybe string `json:"maybe,omitempty"`
	// Fails says why the function's start fails there; "" if it does not.
	Fails string `json:"fails,omitempty"`
}

// Init returns what runs before and with the handler, in order.
//
// A wrapper script can set variables for what it starts: see WithWrapper.
func (v *View) Init() []Step {
	var s []Step
	s = append(s, v.preloads(v.in.Env)...)
	s = append(s, v.extensions()...)
	s = append(s, v.shellStart()...)
	if !v.known {
		s = append(s, v.unknownStart()...)
	} else {
		s = append(s, v.start()...)
		before := len(s)
		s = append(s, v.preloads(v.wrapped)...)
		switch v.runtime.Family {
		case runtimes.Python:
			s = append(s, v.pythonStart()...)
		case runtimes.Node:
			s = append(s, v.nodeStart()...)
		case runtimes.Java:
			s = append(s, v.javaStart()...)
		case runtimes.Ruby:
			s = append(s, v.rubyStart()...)
		case runtimes.DotNet:
			s = append(s, v.dotnetStart()...)
		case runtimes.Provided, runtimes.Go:
		}
		if v.runtime.Family != runtimes.Provided {
			s = append(s, v.handlerStart()...)
		}
		for i := range s[before:] {
			if _, ok := v.wrapped[s[before+i].Key]; ok {
				s[before+i].Why += "; the wrapper sets the variable"
			}
		}
	}
	return s
}

// named makes a step of a file that a variable names.
func (v *View) named(what What, key, file, why string) Step {
	s := Step{What: what, Path: file, Key: key, Why: why}
	p, target := v.Follow(file)
	switch target {
	case Regular:
		s.From = p.From
	case Outside:
		s.From = Origin{Kind: FromElsewhere}
		s.Maybe = "what is there was not given"
	case Missing, Directory, Loop:
		s.From = Origin{Kind: FromNowhere}
		s.Fails = "no file is there"
	}
	return s
}

func (v *View) preloads(env map[string]string) []Step {
	var out []Step
	for _, key := range []string{"LD_AUDIT", "LD_PRELOAD"} {
		for _, file := range strings.FieldsFunc(env[key], func(r rune) bool { return r == ':' || r == ' ' && key == "LD_PRELOAD" }) {
			why := key + " loads it into every program that is started"
			if !strings.Contains(file, "/") {
				r := v.SharedObject(file)
				s := Step{What: Preload, Path: cmp.Or(r.Path, file), From: r.From, Key: key, Why: why, Maybe: r.Maybe}
				out = append(out, s)
				continue
			}
			s := v.named(Preload, key, file, why)
			if s.Fails != "" {
				// The loader complains and goes on.
				s.Maybe, s.Fails = "no file is there: the loader goes on without it", ""
			}
			out = append(out, s)
		}
	}
	return out
}

// extensions are all entries of /opt/extensions that are not directories, in the
// order of their names; links count, and whether they can be executed is not
// looked at (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html;
// the runtime interface emulator's agents package).
func (v *View) extensions() []Step {
	var out []Step
	for _, name := range v.list(runtimes.Extensions) {
		at := path.Join(runtimes.Extensions, name)
		end, _, _ := v.follow(runtimes.Extensions)
		p, ok := v.Lookup(path.Join(end, name))
		if !ok {
			continue // a directory
		}
		s := Step{What: Extension, Path: at, From: p.From, Why: "every file in /opt/extensions is started before the runtime"}
		f, target := v.Follow(at)
		switch {
		case target == Regular && f.File.Mode.Perm()&0o111 == 0:
			s.Fails = "it has no permission to be executed (derived: that this fails the start)"
		case target == Missing || target == Loop || target == Directory:
			s.Fails = "the link leads to no file"
		case target == Outside:
			s.Maybe = "the link leads to " + f.Path + ", which was not given"
		case len(out) >= runtimes.MaxExtensions:
			s.Maybe = "at most " + itoa(runtimes.MaxExtensions) + " extensions may register"
		}
		out = append(out, s)
	}
	return out
}

func (v *View) shellStart() []Step {
	file := v.in.Env["BASH_ENV"]
	if file == "" {
		return nil
	}
	s := v.named(ShellStart, "BASH_ENV", file, "every bash that runs a script reads it first (derived)")
	if v.known && v.runtime.Family != runtimes.Python && v.runtime.Family != runtimes.Node && s.Maybe == "" {
		s.Maybe = "only if the runtime's start is a bash script"
	}
	return []Step{s}
}

// start is what stands between Lambda and the language.
func (v *View) start() []Step {
	if v.runtime.Family == runtimes.Provided {
		r := v.handler
		s := Step{What: Bootstrap, Path: r.Path, From: r.From, Why: r.Why, Maybe: r.Maybe}
		if r.Path == "" {
			s.Path = runtimes.Own + "/bootstrap"
			if s.Maybe == "" {
				s.Fails = "neither the function nor a layer has a bootstrap"
			}
		} else if p, _ := v.Follow(r.Path); p.File.Mode.Perm()&0o111 == 0 {
			s.Fails = "it has no permission to be executed"
		}
		return []Step{s}
	}
	file := v.in.Env["AWS_LAMBDA_EXEC_WRAPPER"]
	if file == "" || !v.runtime.Wrapper {
		return nil
	}
	s := v.named(Wrapper, "AWS_LAMBDA_EXEC_WRAPPER", file, "AWS_LAMBDA_EXEC_WRAPPER starts it instead of the runtime")
	if p, target := v.Follow(file); target == Regular && p.File.Mode.Perm()&0o111 == 0 {
		s.Fails = "it has no permission to be executed"
	}
	return []Step{s}
}

// unknownStart is what some runtime would run without being told, for functions
// of which the runtime is not known.
func (v *View) unknownStart() []Step {
	var out []Step
	if p, ok := v.file(runtimes.Opt + "/bootstrap"); ok {
		out = append(out, Step{What: Bootstrap, Path: runtimes.Opt + "/bootstrap", From: p.From, Why: "an OS-only runtime runs the function's bootstrap, else the layers'", Maybe: "the runtime was not given"})
	}
	dirs := []string{runtimes.Opt + "/python"}
	for _, name := range v.list(runtimes.Opt + "/python/lib") {
		if strings.HasPrefix(name, "python3.") {
			dirs = append(dirs, runtimes.Opt+"/python/lib/"+name+"/site-packages")
		}
	}
	for _, d := range dirs {
		for _, name := range v.list(d) {
			if p, ok := v.file(d + "/" + name); ok && strings.HasSuffix(name, ".pth") {
				out = append(out, Step{What: PthImport, Path: d + "/" + name, From: p.From, Why: "Python runtimes obey the .pth files of this directory and execute lines that begin with import", Maybe: "the runtime was not given"})
			}
		}
	}
	return out
}

// pythonStart is what Python and its bootstrap run before the handler: with
// PYTHONPATH, modules that stand in for the library's and sitecustomize; then
// import lines of .pth files.
func (v *View) pythonStart() []Step {
	var out []Step
	search := v.pythonEarly()
	_, set := v.set["PYTHONPATH"]
	if set {
		for _, name := range v.runtime.StartsPython() {
			if c := v.pythonCandidates(name, search); len(c) > 0 && given(c[0].From) {
				out = append(out, Step{
					What: EarlyModule, Path: c[0].Path, From: c[0].From, Key: "PYTHONPATH",
					Why: "PYTHONPATH stands before the library, and Python or the runtime imports " + name + " at its start",
				})
			}
		}
	}
	for _, name := range []string{"sitecustomize", "usercustomize"} {
		var c []Candidate
		if set {
			c = v.pythonCandidates(name, search)
		}
		if len(c) > 0 {
			out = append(out, Step{
				What: SiteCustomize, Path: c[0].Path, From: c[0].From, Key: "PYTHONPATH",
				Why: "Python imports " + name + " at its start, and PYTHONPATH has the directory",
			})
			continue
		}
		if v.in.Env != nil {
			continue // without PYTHONPATH it is too early for the layers
		}
		for _, d := range v.sites {
			if file, _ := v.pythonIn(d, name); file != "" {
				out = append(out, Step{
					What: SiteCustomize, Path: file, From: v.origin(file), Key: "PYTHONPATH",
					Why: "Python imports " + name + " at its start", Maybe: "only if PYTHONPATH has the directory, and the environment was not given",
				})
			}
		}
	}
	for _, f := range v.pth {
		key := ""
		why := "the runtime obeys the .pth files of this directory"
		if !slices.Contains(v.sites, path.Dir(f.at.Path)) {
			key, why = "PYTHONUSERBASE", "Python obeys the .pth files of the user's site directory (derived)"
		}
		if !f.read {
			out = append(out, Step{What: PthImport, Path: f.at.Path, From: f.at.From, Key: key, Why: why, Maybe: "its lines were not given: those that begin with import are executed"})
		}
		if f.more {
			out = append(out, Step{What: PthImport, Path: f.at.Path, From: f.at.From, Key: key, Why: why, Maybe: "it has more lines than are looked at: those that begin with import are executed"})
		}
		for _, line := range f.imports {
			out = append(out, Step{What: PthImport, Path: f.at.Path, From: f.at.From, Key: key, Line: line, Why: why + " and executes lines that begin with import"})
		}
	}
	return out
}

func given(o Origin) bool { return o.Kind == FromLayer || o.Kind == FromFunction }

// nodeStart reads NODE_OPTIONS (https://nodejs.org/api/cli.html#node_optionsoptions).
func (v *View) nodeStart() []Step {
	var out []Step
	words := splitOptions(v.set["NODE_OPTIONS"], `"`)
	for i := 0; i < len(words); i++ {
		name, value, has := strings.Cut(words[i], "=")
		switch name {
		case "-r", "--require", "--import", "--loader", "--experimental-loader":
		default:
			continue
		}
		if !has {
			i++
			if i == len(words) {
				break
			}
			value = words[i]
		}
		value = strings.TrimPrefix(value, "file://")
		why := "NODE_OPTIONS makes Node.js run it first (" + name + ")"
		if strings.HasPrefix(value, "data:") {
			out = append(out, Step{What: NodeRequire, Path: "data:", From: Origin{Kind: FromFunction}, Key: "NODE_OPTIONS", Why: why + ": the code is in the variable itself"})
			continue
		}
		r := v.node(value, runtimes.Task+"/.", name != "-r" && name != "--require")
		s := Step{What: NodeRequire, Path: cmp.Or(r.Path, value), From: r.From, Key: "NODE_OPTIONS", Why: why, Maybe: r.Maybe, Fails: r.Fails}
		switch {
		case r.From.Kind == FromNowhere && strings.HasPrefix(value, "/"):
			s = v.named(NodeRequire, "NODE_OPTIONS", value, why)
		case r.From.Kind == FromNowhere && r.Maybe == "":
			s.Fails = "Node.js finds no such module"
		}
		out = append(out, s)
	}
	return out
}

// A javaOption is an option that loads or runs something.
type javaOption struct {
	key   string
	kind  What
	value string // the path without the agent's own options
}

func (v *View) javaOptions() []javaOption {
	var out []javaOption
	for _, key := range []string{"JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"} {
		if l, ok := runtimes.LoaderByKey(key); !ok || !l.In(v.runtime) {
			continue
		}
		for _, w := range splitOptions(v.set[key], `"'`) {
			if value, ok := strings.CutPrefix(w, "-javaagent:"); ok {
				value, _, _ = strings.Cut(value, "=")
				out = append(out, javaOption{key, JavaAgent, value})
			} else if value, ok := strings.CutPrefix(w, "-agentpath:"); ok {
				value, _, _ = strings.Cut(value, "=")
				out = append(out, javaOption{key, NativeAgent, value})
			} else if value, ok := strings.CutPrefix(w, "-agentlib:"); ok {
				value, _, _ = strings.Cut(value, "=")
				out = append(out, javaOption{key, NativeAgent, "lib" + value + ".so"})
			} else if value, ok := cutOneOf(w, "-XX:OnError=", "-XX:OnOutOfMemoryError="); ok {
				out = append(out, javaOption{key, JVMCommand, value})
			}
		}
	}
	return out
}

func cutOneOf(s string, prefixes ...string) (string, bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}

func (v *View) javaStart() []Step {
	var out []Step
	for _, o := range v.javaOptions() {
		switch {
		case o.kind == JVMCommand:
			first, _, _ := strings.Cut(strings.TrimSpace(o.value), " ")
			s := v.named(o.kind, o.key, first, o.key+" makes Java run a command when it fails")
			s.Maybe, s.Fails = "only when Java fails", ""
			out = append(out, s)
		case !strings.Contains(o.value, "/"):
			r := v.SharedObject(o.value)
			out = append(out, Step{What: o.kind, Path: cmp.Or(r.Path, o.value), From: r.From, Key: o.key, Why: o.key + " loads an agent of this name", Maybe: r.Maybe})
		default:
			out = append(out, v.named(o.kind, o.key, o.value, o.key+" loads it before the runtime's main"))
		}
	}
	return out
}

func (v *View) rubyStart() []Step {
	var out []Step
	words := strings.Fields(v.set["RUBYOPT"])
	for i := 0; i < len(words); i++ {
		name, ok := strings.CutPrefix(words[i], "-r")
		if !ok {
			continue
		}
		if name == "" {
			if i++; i == len(words) {
				break
			}
			name = words[i]
		}
		why := "RUBYOPT makes Ruby run it first"
		if strings.HasPrefix(name, "/") {
			if !v.is(name) && v.is(name+".rb") {
				name += ".rb"
			}
			out = append(out, v.named(RubyRequire, "RUBYOPT", name, why))
			continue
		}
		r := v.ruby(name)
		out = append(out, Step{What: RubyRequire, Path: cmp.Or(r.Path, name), From: r.From, Key: "RUBYOPT", Why: why, Maybe: r.Maybe})
	}
	for _, name := range runtimes.StartsRuby {
		if r := v.ruby(name); r.Path != "" && given(r.From) {
			out = append(out, Step{What: EarlyModule, Path: r.Path, From: r.From, Key: "RUBYLIB", Why: "RUBYLIB stands before the library, and the runtime requires " + name, Maybe: "derived: nobody watched it on Lambda"})
		}
	}
	return out
}

func (v *View) dotnetStart() []Step {
	var out []Step
	if v.set["CORECLR_ENABLE_PROFILING"] == "1" {
		if file := v.set["CORECLR_PROFILER_PATH"]; file != "" {
			out = append(out, v.named(Profiler, "CORECLR_PROFILER_PATH", file, "CORECLR_ENABLE_PROFILING loads it into the process (derived)"))
		}
	}
	for _, file := range runtimes.Split(v.set["DOTNET_STARTUP_HOOKS"]) {
		why := "DOTNET_STARTUP_HOOKS runs it before the function"
		if strings.Contains(file, "/") {
			out = append(out, v.named(StartupHook, "DOTNET_STARTUP_HOOKS", file, why))
			continue
		}
		r := v.dotnet(file)
		out = append(out, Step{What: StartupHook, Path: cmp.Or(r.Path, file), From: r.From, Key: "DOTNET_STARTUP_HOOKS", Why: why, Maybe: r.Maybe})
	}
	return out
}

// handlerStart is the handler's module and, in Python, the packages above it.
func (v *View) handlerStart() []Step {
	if v.in.Handler == "" {
		return nil
	}
	r := v.handler
	var out []Step
	if v.runtime.Family == runtimes.Python && r.Path != "" && strings.HasPrefix(r.Path, r.Via+"/") {
		parts := strings.Split(strings.TrimPrefix(r.Path, r.Via+"/"), "/")
		for i := 1; i < len(parts); i++ {
			dir := path.Join(r.Via, path.Join(parts[:i]...))
			for _, suffix := range v.runtime.PythonSuffixes(v.in.Architecture) {
				if file := dir + "/__init__" + suffix; v.is(file) && file != r.Path {
					out = append(out, Step{What: HandlerCode, Path: file, From: v.origin(file), Why: "the package of the handler is imported first"})
					break
				}
			}
		}
	}
	s := Step{What: HandlerCode, Path: r.Path, From: r.From, Why: "the handler " + v.in.Handler + " names it", Maybe: r.Maybe, Fails: r.Fails}
	if r.From.Kind == FromNowhere && r.Maybe == "" {
		s.Fails = "nothing has the handler's module"
	}
	return append(out, s)
}

// splitOptions splits options at white space outside of quotes. In double quotes
// a backslash escapes.
func splitOptions(s, quotes string) []string {
	var out []string
	var word strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '"' && c == '\\' && i+1 < len(s):
			i++
			word.WriteByte(s[i])
		case quote != 0:
			word.WriteByte(c)
		case strings.IndexByte(quotes, c) >= 0:
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if in {
				out = append(out, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		out = append(out, word.String())
	}
	return out
}

// A Variable is an environment variable that makes the function load, find,
// trust or reach something else.
type Variable struct {
	Key    string          `json:"key"`
	Effect runtimes.Effect `json:"effect"`
	Does   string          `json:"does"`
	// Works says that it has the effect in this function's runtime.
	Works bool `json:"works"`
	// Derived is that of runtimes.Loader.
	Derived bool `json:"derived,omitempty"`
}

// Variables returns the variables of the configuration that are known to do such
// things, sorted by key. Their values are not in it: a proxy's address may hold a
// password.
func (v *View) Variables() []Variable {
	var out []Variable
	for _, l := range runtimes.Loaders() {
		if _, ok := v.set[l.Key]; ok {
			out = append(out, Variable{l.Key, l.Effect, l.Does, v.known && l.In(v.runtime), l.Derived})
		}
	}
	return out
}
