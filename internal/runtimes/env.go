package runtimes

import (
	"slices"
	"strings"
)

// reserved are the keys that a function's configuration cannot set
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). A
// wrapper script can set any of them for what it starts.
var reserved = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}

// Reserved reports whether Lambda refuses the key in a function's configuration.
func Reserved(key string) bool { return slices.Contains(reserved, key) }

// An Effect is what setting a variable can do to a function.
type Effect string

// The effects.
const (
	// Runs: the value names code that is executed.
	Runs Effect = "runs"
	// Searches: the value changes where code is looked for.
	Searches Effect = "searches"
	// Trusts: the value changes whose certificates are believed.
	Trusts Effect = "trusts"
	// Routes: the value changes where requests go.
	Routes Effect = "routes"
	// Inert: the variable looks as if it ran code, and does not in a function.
	Inert Effect = "inert"
)

// A Loader is an environment variable that makes a runtime load or trust
// something else than it would.
type Loader struct {
	Key    string
	Effect Effect
	// Does says it in half a sentence: "preloads the shared objects it lists".
	Does string
	// Families are those it works in; nil for all of them.
	Families []Family
	// Source is the page or manual that says so.
	Source string
	// Derived says that the effect within Lambda follows from the program's own
	// manual and was not seen on Lambda.
	Derived bool
}

const (
	pageModify = "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html"
	manLD      = "https://man7.org/linux/man-pages/man8/ld.so.8.html"
	manPython  = "https://docs.python.org/3/using/cmdline.html#environment-variables"
	manNode    = "https://nodejs.org/api/cli.html#environment-variables"
	manJava    = "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html"
	manRuby    = "https://docs.ruby-lang.org/en/3.4/ruby/options_md.html"
	manDotNet  = "https://learn.microsoft.com/dotnet/core/tools/dotnet-environment-variables"
	manPerl    = "https://perldoc.perl.org/perlrun#ENVIRONMENT"
	manBoto    = "https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html"
	manCurl    = "https://curl.se/docs/manpage.html#ENVIRONMENT"
	manBash    = "https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html"
	manOpenSSL = "https://docs.openssl.org/master/man3/SSL_CTX_load_verify_locations/"
	manGlibc   = "https://sourceware.org/glibc/manual/latest/html_node/glibc-iconv-Implementation.html"
)

// loaders is sorted by key.
var loaders = []Loader{
	{"ALL_PROXY", Routes, "sends requests through the proxy it names", nil, manCurl, true},
	{"AWS_CA_BUNDLE", Trusts, "replaces the certificates that AWS SDKs and the CLI believe", nil, manBoto, false},
	{"AWS_CONFIG_FILE", Routes, "makes AWS SDKs read their settings, among them programs to run for credentials, from the file it names", nil, manBoto, true},
	{"AWS_ENDPOINT_URL", Routes, "sends AWS requests to the address it names", nil, manBoto, false},
	{"AWS_LAMBDA_EXEC_WRAPPER", Runs, "starts the file it names instead of the runtime, with the runtime's command line as arguments", []Family{Python, Node, Java, Ruby, DotNet}, pageModify, false},
	{"AWS_SHARED_CREDENTIALS_FILE", Routes, "makes AWS SDKs read credentials from the file it names", nil, manBoto, true},
	{"BASH_ENV", Runs, "is read by every bash that runs a script, the runtime's own bootstrap among them", nil, manBash, true},
	{"BUNDLE_GEMFILE", Searches, "makes Bundler take gems by the file it names", []Family{Ruby}, "https://bundler.io/man/bundle-config.1.html", true},
	{"CLASSPATH", Searches, "is where java looks for classes when its command line does not say, which the runtime's does", []Family{Java}, manJava, true},
	{"CORECLR_ENABLE_PROFILING", Runs, "loads the native profiler of CORECLR_PROFILER_PATH into the process", []Family{DotNet}, "https://learn.microsoft.com/dotnet/core/runtime-config/debugging-profiling", true},
	{"CORECLR_PROFILER_PATH", Runs, "names the native profiler that CORECLR_ENABLE_PROFILING=1 loads", []Family{DotNet}, "https://learn.microsoft.com/dotnet/core/runtime-config/debugging-profiling", true},
	{"CURL_CA_BUNDLE", Trusts, "replaces the certificates that curl and Python's requests believe", nil, manCurl, false},
	{"DOTNET_ADDITIONAL_DEPS", Searches, "adds assemblies by the deps.json files it lists", []Family{DotNet}, manDotNet, true},
	{"DOTNET_SHARED_STORE", Searches, "adds directories in which assemblies are looked for", []Family{DotNet}, manDotNet, true},
	{"DOTNET_STARTUP_HOOKS", Runs, "runs the assemblies it lists before the function's", []Family{DotNet}, pageModify, false},
	{"GCONV_PATH", Runs, "is where iconv looks for modules, which are shared objects", nil, manGlibc, true},
	{"GEM_HOME", Searches, "is searched for gems", []Family{Ruby}, "https://guides.rubygems.org/command-reference/#gem-environment", true},
	{"GEM_PATH", Searches, "replaces the directories in which gems are looked for", []Family{Ruby}, "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html", false},
	{"HTTPS_PROXY", Routes, "sends requests through the proxy it names", nil, manCurl, true},
	{"HTTP_PROXY", Routes, "sends requests through the proxy it names", nil, manCurl, true},
	{"JAVA_TOOL_OPTIONS", Runs, "adds options to every java: agents (-javaagent, -agentpath, -agentlib) and class paths", []Family{Java}, pageModify, false},
	{"JDK_JAVA_OPTIONS", Runs, "adds options to the java command of version 9 and later", []Family{Java}, manJava, true},
	{"LD_AUDIT", Runs, "loads the shared objects it lists into every program before all others", nil, manLD, true},
	{"LD_LIBRARY_PATH", Searches, "replaces the directories in which shared objects are looked for", nil, manLD, false},
	{"LD_PRELOAD", Runs, "loads the shared objects it lists into every program before all others", nil, manLD, true},
	{"NODE_EXTRA_CA_CERTS", Trusts, "adds certificates that Node.js believes", []Family{Node}, manNode, false},
	{"NODE_OPTIONS", Runs, "adds options to node: --require, --import and --loader run a module first", []Family{Node}, pageModify, false},
	{"NODE_PATH", Searches, "replaces the directories in which require looks last", []Family{Node}, manNode, false},
	{"NODE_TLS_REJECT_UNAUTHORIZED", Trusts, "with 0 makes Node.js believe any certificate", []Family{Node}, manNode, false},
	{"OPENSSL_CONF", Runs, "is OpenSSL's configuration, which can load engines and providers", nil, "https://docs.openssl.org/master/man5/config/", true},
	{"PATH", Searches, "replaces the directories in which programs are looked for", nil, "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html", false},
	{"PERL5LIB", Searches, "is searched for Perl modules by every perl that the function starts", nil, manPerl, true},
	{"PERL5OPT", Runs, "adds options, -M among them, to every perl that the function starts", nil, manPerl, true},
	{"PYTHONBREAKPOINT", Inert, "names what breakpoint() calls, if the code has one", []Family{Python}, manPython, true},
	{"PYTHONHOME", Searches, "replaces the whole standard library", []Family{Python}, manPython, true},
	{"PYTHONINSPECT", Inert, "keeps an interactive prompt open, which a function has not", []Family{Python}, manPython, true},
	{"PYTHONPATH", Searches, "is searched before the standard library, and takes the directories of layers off the search path", []Family{Python}, "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html", false},
	{"PYTHONSTARTUP", Inert, "is read by interactive Python only", []Family{Python}, manPython, false},
	{"PYTHONUSERBASE", Searches, "moves the user's site directory, whose .pth files are obeyed", []Family{Python}, manPython, true},
	{"PYTHONWARNINGS", Inert, "may import the module of a warning category, from the library only", []Family{Python}, manPython, true},
	{"REQUESTS_CA_BUNDLE", Trusts, "replaces the certificates that Python's requests believes", nil, "https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification", false},
	{"RUBYLIB", Searches, "replaces the directories that require looks into before the standard library", []Family{Ruby}, manRuby, false},
	{"RUBYOPT", Runs, "adds options to ruby: -r runs a file first", []Family{Ruby}, manRuby, true},
	{"SSL_CERT_DIR", Trusts, "replaces the certificates that OpenSSL believes", nil, manOpenSSL, false},
	{"SSL_CERT_FILE", Trusts, "replaces the certificates that OpenSSL believes", nil, manOpenSSL, false},
	{"_JAVA_OPTIONS", Runs, "adds options to every java, after all others", []Family{Java}, "https://bugs.openjdk.org/browse/JDK-4971166", true},
	{"http_proxy", Routes, "sends requests through the proxy it names", nil, manCurl, true},
	{"https_proxy", Routes, "sends requests through the proxy it names", nil, manCurl, true},
}

// Loaders returns every variable known to load, find, trust or route, sorted by
// key.
func Loaders() []Loader { return slices.Clone(loaders) }

// LoaderByKey returns the loader of that exact key.
func LoaderByKey(key string) (Loader, bool) {
	i, ok := slices.BinarySearchFunc(loaders, key, func(l Loader, key string) int { return strings.Compare(l.Key, key) })
	if !ok {
		return Loader{}, false
	}
	return loaders[i], true
}

// In reports whether the variable does in r what Does says.
func (l Loader) In(r Runtime) bool {
	switch {
	case l.Effect == Inert:
		return false
	case l.Key == "AWS_LAMBDA_EXEC_WRAPPER":
		return r.Wrapper
	case l.Key == "JDK_JAVA_OPTIONS" && r.Major < 9:
		return false
	}
	return l.Families == nil || slices.Contains(l.Families, r.Family)
}
