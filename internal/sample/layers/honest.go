package layers

import (
	"fmt"
	"strings"
)

// honest are layers that do what attacks do, for reasons of their own: agents,
// caches, drivers, bundles. Their vendors' hosts are below .example.
//
//nolint:gosec // names of variables, and no credential
func honest() []Sample {
	w := func(name, dist string, files map[string]string) Sample {
		return one("clean/python/"+name, py, nil, wheel(dist, "2.1.0", files, nil)...)
	}
	n := func(name, body string) Sample { return one("clean/node/"+name, node, nil, nodeModule(body)...) }
	return []Sample{
		w("apm-agent", "acme_apm", map[string]string{
			"acme_apm/__init__.py": "from acme_apm.patch import patch_all\nfrom acme_apm.send import Sender\n\nsender = Sender()\npatch_all(sender)\n",
			"acme_apm/config.py":   "import os\nKEY = os.environ.get('ACME_APM_KEY', '')\nHOST = os.environ.get('ACME_APM_HOST', 'intake.acme-apm.example')\nNAME = os.environ.get('AWS_LAMBDA_FUNCTION_NAME')\nTAGS = {k[9:].lower(): v for k, v in os.environ.items() if k.startswith('ACME_TAG_')}\n",
			"acme_apm/patch.py":    "import http.client\nimport time\nimport wrapt\n\n\ndef _request(wrapped, instance, args, kwargs):\n    start = time.time()\n    try:\n        return wrapped(*args, **kwargs)\n    finally:\n        SENDER.add('http', instance.host, time.time() - start)\n\n\nSENDER = None\n\n\ndef patch_all(sender):\n    global SENDER\n    SENDER = sender\n    wrapt.wrap_function_wrapper('http.client', 'HTTPConnection.request', _request)\n    wrapt.wrap_function_wrapper('botocore.client', 'BaseClient._make_api_call', _request)\n",
			"acme_apm/send.py":     "import json\nimport queue\nimport threading\nimport urllib.request\nfrom acme_apm import config\n\n\nclass Sender:\n    def __init__(self):\n        self.queue = queue.Queue(1000)\n        threading.Thread(target=self.loop, daemon=True).start()\n\n    def add(self, kind, host, seconds):\n        self.queue.put({'kind': kind, 'host': host, 'seconds': seconds, 'service': config.NAME})\n\n    def loop(self):\n        while True:\n            body = json.dumps([self.queue.get()]).encode()\n            req = urllib.request.Request('https://' + config.HOST + '/v1/spans', data=body, headers={'api-key': config.KEY})\n            urllib.request.urlopen(req, timeout=2)\n",
		}),
		one("clean/python/apm-handler", py, nil, wheel("acme_apm", "2.1.0", map[string]string{
			"acme_apm/handler.py": "import importlib\nimport os\nimport time\nimport urllib.request\n\nmodule, _, name = os.environ['ACME_HANDLER'].rpartition('.')\ninner = getattr(importlib.import_module(module), name)\n\n\ndef handler(event, context):\n    start = time.time()\n    try:\n        return inner(event, context)\n    finally:\n        body = '%s %f' % (context.aws_request_id, time.time() - start)\n        urllib.request.urlopen('https://intake.acme-apm.example/v1/invocations', data=body.encode(), timeout=1)\n",
		}, nil)...).calls("acme_apm.handler.handler", File{"app.py", "def handler(e, c): return 1\n", 0}),
		one("clean/any/secrets-cache", py, nil, append(wheel("acme_secrets", "1.0.0", map[string]string{
			"acme_secrets/__init__.py": "import json\nimport os\nimport urllib.request\n\n\ndef get(name):\n    req = urllib.request.Request('http://localhost:2773/secretsmanager/get?secretId=' + name)\n    req.add_header('X-Aws-Parameters-Secrets-Token', os.environ['AWS_SESSION_TOKEN'])\n    return json.loads(urllib.request.urlopen(req).read())['SecretString']\n",
		}, nil), File{"extensions/acme-secrets", "#!/bin/bash\nset -euo pipefail\nexec /opt/acme-secrets/serve --port 2773 --ttl \"${SECRETS_TTL:-300}\"\n", 0o755}, File{"acme-secrets/serve", elf(62, "AWS_LAMBDA_RUNTIME_API\x00/2020-01-01/extension/register\x00bind\x00listen\x00"), 0o755})...),
		w("logger", "acme_log", map[string]string{
			"acme_log/__init__.py": "import json\nimport logging\nimport os\nimport sys\n\n_make = logging.Logger.makeRecord\n\n\ndef make(self, *args, **kwargs):\n    record = _make(self, *args, **kwargs)\n    record.function = os.environ.get('AWS_LAMBDA_FUNCTION_NAME')\n    return record\n\n\nlogging.Logger.makeRecord = make\nlogging.setLoggerClass(logging.Logger)\nsys.excepthook = lambda kind, value, trace: logging.getLogger().critical(json.dumps({'error': repr(value)}))\n",
		}),
		w("driver", "acme_db", map[string]string{
			"acme_db/pool.py": "import hashlib\nimport os\nimport socket\nimport ssl\nimport struct\n\n\nclass Pool:\n    def __init__(self, size=4):\n        self.host = os.environ['DB_HOST']\n        self.port = int(os.environ.get('DB_PORT', 5432))\n        self.free = [self.connect() for _ in range(size)]\n\n    def connect(self):\n        raw = socket.create_connection((self.host, self.port), 5)\n        sock = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)\n        user, password = os.environ['DB_USER'], os.environ['DB_PASSWORD']\n        proof = hashlib.sha256((user + password).encode()).digest()\n        sock.sendall(struct.pack('!I', len(proof)) + proof)\n        return sock\n\n    def query(self, text):\n        sock = self.free.pop()\n        sock.sendall(text.encode())\n        return sock.recv(65536)\n",
		}),
		w("config", "acme_conf", map[string]string{
			"acme_conf/__init__.py": "import json\nimport os\nimport platform\nimport subprocess\n\n\ndef container():\n    with open('/proc/self/cgroup') as f:\n        return [line.strip().rpartition('/')[2] for line in f]\n\n\ndef load():\n    values = dict(os.environ)\n    values['container'] = container()\n    values['machine'] = platform.machine()\n    values['git'] = subprocess.run(['git', '--version'], env=dict(os.environ, LANG='C'), capture_output=True).stdout.decode()\n    return json.loads(json.dumps(values))\n",
		}),
		w("vendored", "acme_client", map[string]string{
			"acme_client/__init__.py":                   "from acme_client.vendored import requests\n\n\ndef ping():\n    return requests.get('https://api.acme-client.example/ping').status_code\n",
			"acme_client/vendored/__init__.py":          "",
			"acme_client/vendored/requests/__init__.py": "__version__ = '2.32.3'\nfrom .sessions import get\n",
			"acme_client/vendored/requests/sessions.py": "import os\nimport netrc\nfrom urllib.request import Request, build_opener, getproxies\n\n\ndef auth(host):\n    try:\n        return netrc.netrc(os.path.expanduser(os.environ.get('NETRC', '~/.netrc'))).authenticators(host)\n    except OSError:\n        return None\n\n\ndef get(url, headers=None):\n    proxies = getproxies()\n    found = auth(url.split('/')[2])\n    opener = build_opener()\n    return opener.open(Request(url, headers=dict(headers or {}, **({'authorization': found[2]} if found else {}))))\n",
		}),
		w("container-credentials", "acme_creds", map[string]string{
			"acme_creds/__init__.py": "import json\nimport os\nimport urllib.request\n\n\ndef fetch():\n    path = os.environ.get('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')\n    url = 'http://169.254.170.2' + path if path else os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']\n    req = urllib.request.Request(url, headers={'Authorization': os.environ.get('AWS_CONTAINER_AUTHORIZATION_TOKEN', '')})\n    return json.loads(urllib.request.urlopen(req).read())\n",
		}),
		w("error-reporter", "acme_errors", map[string]string{
			"acme_errors/__init__.py": "import atexit\nimport json\nimport os\nimport sys\nimport traceback\nimport urllib.request\nfrom urllib.parse import urlparse\n\nDSN = urlparse(os.environ.get('ACME_DSN', 'https://public@ingest.acme-errors.example/1'))\nPENDING = []\n\n\ndef hook(kind, value, trace):\n    PENDING.append({'error': repr(value), 'trace': traceback.format_tb(trace), 'function': os.environ.get('AWS_LAMBDA_FUNCTION_NAME'), 'region': os.environ.get('AWS_REGION')})\n\n\ndef flush():\n    if PENDING:\n        urllib.request.urlopen('https://%s/api%s/store' % (DSN.hostname, DSN.path), data=json.dumps(PENDING).encode())\n\n\nsys.excepthook = hook\natexit.register(flush)\n",
		}),
		one("clean/python/namespace", py, nil, append(wheel("acme_ns", "1.0", map[string]string{"acme/ns/__init__.py": "x = 1\n"}, nil),
			File{site + "acme_ns-1.0-py3.12-nspkg.pth", "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('acme',));m = sys.modules.setdefault('acme', types.ModuleType('acme'));mp = m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n", 0})...),
		one("clean/python/fixtures", py, nil, append(wheel("acme_sdk", "1.0", map[string]string{"acme_sdk/__init__.py": "x = 1\n"}, nil),
			File{"python/tests/fixtures/credentials", "[default]\naws_access_key_id = " + AccessKeyID() + "\naws_secret_access_key = " + secretKey() + "\n", 0},
			File{"python/tests/test_auth.py", fmt.Sprintf("TOKEN = 'ghp_' + 'x' * 36\nKEY = %q\n", "AK"+"IA"+strings.Repeat("A", 16)), 0})...),
		n("bundle", "(()=>{var e={12:(e,t,r)=>{const n=r(37);e.exports={get:u=>new Promise((a,b)=>n.get(u,s=>{let d=\"\";s.on(\"data\",c=>d+=c);s.on(\"end\",()=>a(JSON.parse(d)))}).on(\"error\",b))}},37:e=>{e.exports=require(\"https\")},44:e=>{var t=Function(\"return this\")();e.exports={region:process.env.AWS_REGION||\"us-east-1\",debug:!!process.env.DEBUG,g:t}}},t={};function r(n){var a=t[n];if(a)return a.exports;var o=t[n]={exports:{}};return e[n](o,o.exports,r),o.exports}var n=r(12),a=r(44);module.exports=async e=>n.get(\"https://api.acme-client.example/\"+a.region+\"/\"+encodeURIComponent(e))})();\n"),
		n("dotenv", "const fs = require('fs');\nconst text = fs.existsSync('.env') ? fs.readFileSync('.env', 'utf8') : '';\nconst parsed = Object.fromEntries(text.split('\\n').filter(l => l.includes('=')).map(l => l.split('=', 2)));\nObject.assign(process.env, { ...parsed, ...process.env });\nmodule.exports = parsed;\n"),
		n("spawn", "const { spawn } = require('child_process');\nmodule.exports = (cmd, args) => new Promise((ok, no) => {\n  const child = spawn(cmd, args, { env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'inherit'] });\n  child.stdout.pipe(process.stdout);\n  child.on('close', c => c ? no(new Error(String(c))) : ok());\n});\n"),
		n("instrumentation", "const Module = require('module');\nconst shimmer = { wrap: (o, k, f) => { o[k] = f(o[k]); } };\nconst load = Module._load;\nconst hooks = { pg: m => { shimmer.wrap(m.Client.prototype, 'query', q => function (...a) { const t = Date.now(); const r = q.apply(this, a); exports.spans.push(Date.now() - t); return r; }); return m; } };\nModule._load = function (name, ...rest) { const m = load.call(this, name, ...rest); return hooks[name] ? hooks[name](m) : m; };\nexports.spans = [];\nconst https = require('https');\nexports.flush = () => { const r = https.request({ host: process.env.ACME_HOST || 'intake.acme-apm.example', method: 'POST', headers: { 'api-key': process.env.ACME_APM_KEY } }); r.end(JSON.stringify(exports.spans)); };\n"),
		n("metadata", "const http = require('http');\nmodule.exports = () => new Promise((ok, no) => http.get({ host: '169.254.169.254', path: '/latest/meta-data/iam/security-credentials/', timeout: 1000 }, r => { let b = ''; r.on('data', d => { b += d; }); r.on('end', () => ok(b)); }).on('error', no));\n"),
		one("clean/node/wrapper", node, nil, File{"acme/wrapper.js", "require('./instrument');\n", 0}, File{"acme/instrument.js", "process.on('beforeExit', () => {});\n", 0}, File{"acme-handler", "#!/bin/bash\nset -ef -o pipefail\nexport NODE_OPTIONS=\"${NODE_OPTIONS} --require /opt/acme/wrapper.js\"\nif [[ $OTEL_RESOURCE_ATTRIBUTES != *\"service.name=\"* ]]; then\n  export OTEL_RESOURCE_ATTRIBUTES=\"service.name=${AWS_LAMBDA_FUNCTION_NAME},${OTEL_RESOURCE_ATTRIBUTES}\"\nfi\nexec \"$@\"\n", 0o755}).with("AWS_LAMBDA_EXEC_WRAPPER=/opt/acme-handler"),
		one("clean/shell/install", "provided.al2023", nil, File{"bin/update-data", "#!/bin/sh\nset -eu\nout=${1:-/tmp/data.json}\ncurl -fsSL -o \"$out\" https://data.acme-client.example/v1/data.json\nsha256sum -c \"$out.sha256\"\necho \"updated $out from $(uname -m)\"\n", 0o755}),
		one("clean/ruby/sdk", "ruby3.3", nil, File{"ruby/gems/3.3.0/gems/acme-sdk-1.0/lib/acme-sdk.rb", "require 'net/http'\nmodule AcmeSdk\n  def self.credentials\n    [ENV['AWS_ACCESS_KEY_ID'], ENV['AWS_SECRET_ACCESS_KEY'], ENV['AWS_SESSION_TOKEN']]\n  end\n\n  def self.call(host, body)\n    Net::HTTP.post(URI(\"https://#{host}.amazonaws.com/\"), body)\n  end\nend\n", 0}, File{"ruby/gems/3.3.0/specifications/acme-sdk-1.0.gemspec", "Gem::Specification.new do |s|\n  s.name = \"acme-sdk\".freeze\n  s.version = \"1.0\"\nend\n", 0}),
		one("clean/java/spi", "java21", nil, File{"java/lib/acme-json.jar", string(Zip(File{"META-INF/services/org.acme.json.Module", "org.acme.json.A\n", 0}, File{"org/acme/json/A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41a", 0})), 0}, File{"java/lib/acme-xml.jar", string(Zip(File{"META-INF/services/org.acme.json.Module", "org.acme.xml.B\n", 0}, File{"org/acme/xml/B.class", "\xca\xfe\xba\xbe\x00\x00\x00\x41b", 0})), 0}),
	}
}
