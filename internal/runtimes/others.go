package runtimes

// rubyStdlib are what the standard library can be required by: first parts, and
// for the directories that gems share (net, io) whole names. Default gems that
// became bundled gems are there until then
// (https://docs.ruby-lang.org/en/3.4/standard_library_md.html and the release
// notes of 2.7 to 3.4); whether Lambda keeps bundled gems nobody looked
// (derived: it is taken not to).
var rubyStdlib = names{
	{[]span{{27, 34}}, `English benchmark bundler cgi continuation coverage date delegate did_you_mean digest erb etc expect
		fcntl fiddle fileutils find forwardable io/console io/nonblock io/wait ipaddr irb json logger mkmf monitor
		net/http net/https net/protocol objspace open-uri open3 openssl optionparser optparse ostruct pathname pp
		prettyprint pstore psych pty rbconfig rdoc readline reline resolv ripper rubygems securerandom set
		shellwords singleton socket stringio strscan tempfile time timeout tmpdir tsort un unicode_normalize uri
		weakref yaml zlib`},
	{[]span{{27, 33}}, `abbrev base64 bigdecimal csv drb getoptlong kconv mutex_m nkf observer resolv-replace rinda syslog`},
	{[]span{{27, 32}}, `racc`},
	{[]span{{27, 27}}, `e2mmap gdbm matrix net/ftp net/imap net/pop net/smtp net/telnet prime rexml rss sdbm tracer webrick`},
	{[]span{{31, 34}}, `error_highlight`},
	{[]span{{32, 34}}, `syntax_suggest`},
	{[]span{{33, 34}}, `prism`},
}

// rubyShips are gems beside aws-sdk and aws-sdk-* that a managed runtime has in
// /var/runtime (https://docs.aws.amazon.com/lambda/latest/dg/lambda-ruby.html for
// the SDK; its dependencies and the runtime interface client are derived).
var rubyShips = []string{"aws-eventstream", "aws-partitions", "aws-sigv4", "aws_lambda_ric", "jmespath"}

// StartsRuby are what the runtime's own Ruby code requires before the handler:
// as RUBYLIB stands before the library from the start, a file of that name in
// one of its directories is loaded instead (derived from
// https://github.com/aws/aws-lambda-ruby-runtime-interface-client).
var StartsRuby = []string{"json", "logger", "net/http", "uri"}

// jdkPackages begin the classes that the JDK itself brings. The class loader of a
// function asks its parent first, so they cannot be replaced.
var jdkPackages = []string{
	"java.", "javax.", "jdk.", "sun.", "com.sun.", "netscape.javascript.",
	"org.ietf.jgss.", "org.w3c.dom.", "org.xml.sax.", "org.jcp.xml.dsig.internal.",
}

// javaShips begin the classes that the runtime brings in /var/runtime/lib
// (https://github.com/aws/aws-lambda-java-libs, aws-lambda-java-core and the
// runtime client).
var javaShips = []string{"com.amazonaws.services.lambda.runtime.", "lambdainternal."}

// JavaPath is where the class loader of a function looks when the system's class
// loader has nothing: /var/task itself, then the jars of these directories, each
// in the order of the names; the first match wins (CustomerClassLoader.java of
// the same repository).
var JavaPath = []string{Task + "/lib", Opt + "/java/lib"}

// dotnetAssemblies begin the names of assemblies of the shared framework, and
// dotnetShips those of the runtime's own (derived from the names of the packages
// in https://github.com/aws/aws-lambda-dotnet).
var (
	dotnetAssemblies = []string{"System.", "Microsoft.CSharp", "Microsoft.VisualBasic", "Microsoft.Win32.", "WindowsBase"}
	dotnetShips      = []string{"Amazon.Lambda.RuntimeSupport", "Amazon.Lambda.Core", "Bootstrap"}
)
