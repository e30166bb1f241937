package runtimes

import "strings"

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

// jdkPackages begin the classes that the JDK itself brings: the packages of the
// modules of OpenJDK 17 and 25, as java --describe-module lists them. The class
// loader of a function asks its parent first, so they cannot be replaced. That
// Lambda's builds have all modules is derived.
var jdkPackages = strings.Fields(`java. jdk. netscape.javascript. org.ietf.jgss. org.jcp.xml.dsig.internal. org.w3c.dom. org.xml.sax.
	sun.awt. sun.datatransfer. sun.font. sun.instrument. sun.invoke. sun.java2d. sun.jvm. sun.jvmstat. sun.launcher.
	sun.management. sun.misc. sun.net. sun.nio. sun.print. sun.reflect. sun.rmi. sun.security. sun.swing. sun.text.
	sun.tools. sun.util.
	com.sun.accessibility. com.sun.beans. com.sun.crypto. com.sun.imageio. com.sun.jarsigner. com.sun.java.
	com.sun.java_cup. com.sun.jdi. com.sun.jmx. com.sun.jndi. com.sun.management. com.sun.media.sound. com.sun.naming.
	com.sun.net.httpserver. com.sun.nio. com.sun.org.apache. com.sun.org.slf4j.internal. com.sun.rowset. com.sun.security.
	com.sun.source. com.sun.swing. com.sun.tools. com.sun.xml.internal.
	javax.accessibility. javax.annotation.processing. javax.crypto. javax.imageio. javax.lang.model. javax.management.
	javax.naming. javax.net. javax.print. javax.rmi.ssl. javax.script. javax.security.auth. javax.security.cert.
	javax.security.sasl. javax.smartcardio. javax.sound. javax.sql. javax.swing. javax.tools. javax.transaction.xa.
	javax.xml.XMLConstants javax.xml.catalog. javax.xml.crypto. javax.xml.datatype. javax.xml.namespace. javax.xml.parsers.
	javax.xml.stream. javax.xml.transform. javax.xml.validation. javax.xml.xpath.`)

// jdk8Packages are what Java 8 has beside them; version 11 took them out
// (https://openjdk.org/jeps/320).
var jdk8Packages = strings.Fields(`javax.activation. javax.activity. javax.annotation. javax.jws. javax.rmi. javax.transaction.
	javax.xml.bind. javax.xml.soap. javax.xml.ws. org.omg.`)

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
