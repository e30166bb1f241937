package runtimes

import (
	"slices"
	"strings"
)

// nodeModules are the built-in modules of Node.js with the first major version of
// Lambda's runtimes that has them, from require("module").builtinModules of 20
// and the "Added in" notes of https://nodejs.org/docs/latest/api/.
var nodeModules = []struct {
	since int
	list  string
}{
	{12, `_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex
		_stream_passthrough _stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap
		assert async_hooks buffer child_process cluster console constants crypto dgram dns domain events fs http
		http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream
		string_decoder sys timers tls trace_events tty url util v8 vm worker_threads zlib`},
	{14, `diagnostics_channel fs/promises wasi`},
	{16, `assert/strict dns/promises path/posix path/win32 stream/consumers stream/promises stream/web
		timers/promises util/types`},
	{18, `readline/promises`},
	{20, `inspector/promises`},
}

// nodeScheme are the built-in modules that only exist with node: in front, so
// that a package of that name is an ordinary one.
var nodeScheme = []struct {
	since int
	list  string
}{
	{18, `test test/reporters`},
	{20, `sea`},
	{22, `sqlite`},
}

func (r Runtime) nodeBuiltin(name string) bool {
	in := func(list string) bool { return slices.Contains(strings.Fields(list), name) }
	name, scheme := strings.CutPrefix(name, "node:")
	for _, m := range nodeModules {
		if m.since <= r.Major && in(m.list) {
			return true
		}
	}
	for _, m := range nodeScheme {
		if scheme && m.since <= r.Major && in(m.list) {
			return true
		}
	}
	return false
}

// nodeShips: runtimes up to 16 bring the AWS SDK for JavaScript 2, those from 18
// on version 3
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html). Version 3 is
// packages of two scopes, and the runtime's own client is one of a third.
func (r Runtime) nodeShips(pkg string) bool {
	if r.Major <= 16 {
		return pkg == "aws-sdk"
	}
	return strings.HasPrefix(pkg, "@aws-sdk/") || strings.HasPrefix(pkg, "@smithy/") || strings.HasPrefix(pkg, "@aws-crypto/")
}

// NodeExtensions are what require puts behind a path that is not a file, in its
// order (https://nodejs.org/api/modules.html#all-together).
var NodeExtensions = []string{".js", ".json", ".node"}

// NodeHandlers are what the runtime puts behind the handler's path, in its order;
// the first is the path itself. TypeScript is read from 24 on
// (https://github.com/aws/aws-lambda-nodejs-runtime-interface-client,
// src/UserFunction.js).
func (r Runtime) NodeHandlers() []string {
	h := []string{"", ".js", ".mjs", ".cjs"}
	if r.Major >= 24 {
		h = append(h, ".ts", ".mts", ".cts")
	}
	return h
}
