package opt_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// These tests ask the real interpreters. Each world is written to the very paths
// of a function, in a mount namespace of its own, and the interpreter says what it
// found. They need unshare with user namespaces, and the interpreter.

// A trial is one world as the scripts read it, and what they are to ask.
type trial struct {
	Files   map[string]string `json:"files"` // absolute path → content
	Links   map[string]string `json:"links"` // absolute path → text
	Env     map[string]string `json:"env"`
	Queries []string          `json:"queries"`
}

func (w world) trial(queries []string) trial {
	x := trial{Files: map[string]string{}, Links: map[string]string{}, Env: w.env, Queries: queries}
	put := func(root, line string) {
		f, content := file(line)
		p := root + "/" + f.Path
		delete(x.Files, p)
		delete(x.Links, p)
		if f.Mode&fs.ModeSymlink != 0 {
			x.Links[p] = f.Link
		} else {
			x.Files[p] = content
		}
	}
	for _, l := range w.layers {
		for _, line := range l {
			put(runtimes.Opt, line)
		}
	}
	for _, line := range w.function {
		put(runtimes.Task, line)
	}
	return x
}

// confirm runs interpreter on script with the trials as JSON in its argument, and
// returns a list of lines for each trial.
func confirm(t *testing.T, interpreter, script string, trials []trial) [][]string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: does not run interpreters")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("needs unshare -rm: %v: %s", err, out)
	}
	dir := t.TempDir()
	data, err := json.Marshal(trials)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"script": []byte(script), "trials": data} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const setup = `set -e
mkdir -p /opt /var
mount -t tmpfs none /opt
mount -t tmpfs none /var
exec "$0" "$@"`
	cmd := exec.CommandContext(t.Context(), "unshare", "-rm", "sh", "-c", setup, interpreter, filepath.Join(dir, "script"), filepath.Join(dir, "trials"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", interpreter, err, errs.String())
	}
	var lines [][]string
	if err := json.Unmarshal(out, &lines); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(lines) != len(trials) {
		t.Fatalf("%d answers to %d trials", len(lines), len(trials))
	}
	return lines
}

// scatter puts each of the candidates into a layer or into none.
func scatter(r *rand.Rand, candidates []string) [][]string {
	layers := make([][]string, 1+r.IntN(3))
	for _, c := range candidates {
		if i := r.IntN(2 * len(layers)); i < len(layers) {
			layers[i] = append(layers[i], c)
		}
	}
	return layers
}

func some(r *rand.Rand, candidates []string) []string {
	out := []string{}
	for _, c := range candidates {
		if r.IntN(3) == 0 {
			out = append(out, c)
		}
	}
	return out
}

const nodeScript = `
const fs = require('fs'), path = require('path'), cp = require('child_process');
const trials = JSON.parse(fs.readFileSync(process.argv[2]));
const ask = 'const r = require("module").createRequire("/var/task/app.js"); const out = [];' +
  'for (const q of JSON.parse(process.argv[1])) { try { out.push(r.resolve(q)) } catch (e) { out.push("nowhere") } }' +
  'process.stdout.write(JSON.stringify(out))';
const put = (p) => { fs.mkdirSync(path.dirname(p), {recursive: true}); return p };
const answers = trials.map(t => {
  for (const d of ['/opt', '/var']) for (const n of fs.readdirSync(d)) fs.rmSync(path.join(d, n), {recursive: true, force: true});
  fs.mkdirSync('/var/task');
  for (const [p, text] of Object.entries(t.files)) fs.writeFileSync(put(p), text);
  for (const [p, to] of Object.entries(t.links)) fs.symlinkSync(to, put(p));
  for (const n of ['@aws-sdk/client-s3']) fs.writeFileSync(put('/var/runtime/node_modules/' + n + '/index.js'), '');
  const c = cp.spawnSync(process.execPath, ['-e', ask, JSON.stringify(t.queries)], {cwd: '/var/task', encoding: 'utf8',
    env: {PATH: process.env.PATH, ...t.env}});
  if (c.status !== 0) throw new Error(c.stderr);
  return JSON.parse(c.stdout);
});
process.stdout.write(JSON.stringify(answers));
`

func TestResolve_agrees_with_node(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	version, err := exec.CommandContext(t.Context(), node, "-p", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		t.Fatal(err)
	}
	id := "nodejs" + strings.TrimSpace(string(version)) + ".x"
	r, ok := runtimes.ByID(id)
	if !ok {
		t.Skipf("Lambda has no %s", id)
	}
	n := fmt.Sprintf("nodejs/node%d/node_modules/", r.Major)
	const m = "nodejs/node_modules/"
	layer := []string{
		n + "a/index.js", m + "a/index.js", m + "a/package.json={\"main\":\"lib/main\"}", m + "a/lib/main.js", m + "a/lib/main/index.js", m + "a/sub.js", m + "a/sub/index.json",
		m + "b.js", m + "b/index.node", m + "b/package.json={}", m + "b/deep/x.json", n + "b", m + "c/package.json={\"exports\":{\".\":\"./i.js\",\"./y\":\"./z.js\"}}", m + "c/i.js", m + "c/z.js",
		m + "@s/p/index.js", n + "@s/p.js", m + "@aws-sdk/client-s3/index.js", m + "fs/index.js", m + "test/index.js", m + "d/nothing.txt", m + "e -> a", "plain/f.js", m + "f -> ../../plain/f.js", m + "g/package.json={\"main\":\"../a\"}", m + "broken/package.json={", m + "broken/index.js",
		m + "h/package.json={\"main\":\"none.js\"}", m + "h/index.js",
		m + `x/package.json={"type":"module","exports":{".":[{"import":"./no.mjs","node":{"require":"./r.js"}},"./d.js"],"./p/*":"./lib/*.js","./p/q/*":{"default":"./lib/q/*.js"},"./gone":null,"./up":"./../a/index.js","./both":{"browser":"./b.js","default":"./d.js"},"./p/*.css":"./d.js"}}`,
		m + "x/r.js", m + "x/d.js", m + "x/lib/one.js", m + "x/lib/q/two.js", m + `s/package.json={"exports":"./e.js","main":"m.js"}`, m + "s/e.js", m + "s/m.js", m + `l/package.json=[]`, m + "l/index.js", m + `n/package.json={"main":5,"exports":null}`, m + "n/index.js",
	}
	function := []string{"node_modules/a/index.js", "node_modules/b.js", "node_modules/@s/p/index.js", "rel.js", "dir/index.js", "node_modules/fs/index.js", "b/index.js"}
	queries := []string{"a", "a/sub", "a/lib/main", "b", "b/deep/x", "b/deep/x.json", "c", "c/y", "@s/p", "@aws-sdk/client-s3", "fs", "node:fs", "test", "node:test", "d", "e", "e/sub", "f", "g", "broken", "h", "./rel", "./dir", "./none", "/opt/nodejs/node_modules/a", "/var/task/rel.js", "nope", "node:nope", "x", "x/p/one", "x/p/q/two", "x/p/none", "x/gone", "x/up", "x/both", "x/d.js", "x/package.json", "x/p/a.css", "s", "s/m", "l", "n"}
	var worlds []world
	var trials []trial
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		w := world{runtime: id, handler: "app.handler", layers: scatter(r, layer), function: append(some(r, function), "app.js"), env: map[string]string{}}
		if r.IntN(4) == 0 {
			w.env["NODE_PATH"] = "/opt/nodejs/node_modules:/opt/plain"
		}
		w.layers = legal(w.layers)
		worlds = append(worlds, w)
		x := w.trial(queries)
		x.Env = map[string]string{}
		for _, s := range mustRuntime(t, id).Environment() {
			if s.Key == "NODE_PATH" {
				x.Env[s.Key] = s.Value
			}
		}
		maps.Copy(x.Env, w.env)
		trials = append(trials, x)
	}
	for i, answers := range confirm(t, node, nodeScript, trials) {
		v := worlds[i].view()
		for j, q := range queries {
			r := v.Resolve(q)
			got := "nowhere"
			switch r.From.Kind {
			case opt.FromLibrary:
				got = q
			case opt.FromRuntime:
				got = "/var/runtime/node_modules/" + q + "/index.js"
			case opt.FromLayer, opt.FromFunction:
				p, _ := v.Follow(r.Path)
				got = p.Path
			case opt.FromNowhere, opt.FromElsewhere:
			}
			if r.Fails != "" {
				got = "nowhere"
			}
			if got != answers[j] {
				t.Errorf("trial %d: %s: got %s, node says %s (%s; %s)\n%s", i, q, got, answers[j], r.Why, r.Fails, describe(worlds[i]))
			}
		}
	}
}

func mustRuntime(t *testing.T, id string) runtimes.Runtime {
	t.Helper()
	r, ok := runtimes.ByID(id)
	if !ok {
		t.Fatal(id)
	}
	return r
}

// legal leaves out what a disk cannot hold beside what is there: files below
// files.
func legal(layers [][]string) [][]string {
	seen := map[string]bool{}
	for i, l := range layers {
		layers[i] = slices.DeleteFunc(l, func(line string) bool {
			f, _ := file(line)
			for p := range seen {
				if strings.HasPrefix(p, f.Path+"/") || strings.HasPrefix(f.Path, p+"/") {
					return true
				}
			}
			seen[f.Path] = true
			return false
		})
	}
	return layers
}

func describe(w world) string {
	var b strings.Builder
	paths := func(l []string) string {
		var out []string
		for _, line := range l {
			name, _, _ := strings.Cut(line, "=")
			out = append(out, name)
		}
		return strings.Join(out, ", ")
	}
	for i, l := range w.layers {
		fmt.Fprintf(&b, "  layer %d: %s\n", i+1, paths(l))
	}
	fmt.Fprintf(&b, "  function: %s\n  env: %v", paths(w.function), w.env)
	return b.String()
}

// pythonScript has, as its child, a bootstrap that does what the runtime's does:
// the orders of content.md 6.
const pythonScript = `
import json, os, shutil, subprocess, sys, sysconfig
# Only the library counts, not what is installed beside it.
subprocess.check_call(["mount", "-t", "tmpfs", "none", sysconfig.get_path("purelib")])
BOOT = r'''
import json, logging, os, site, sys, time, traceback, warnings
v = "%d.%d" % sys.version_info[:2]
opt = ["/opt/python/lib/python" + v + "/site-packages", "/opt/python"]
unset = "PYTHONPATH" not in os.environ
if unset:
    if sys.version_info >= (3, 11):
        sys.path.insert(0, SITE)
    sys.path[0:0] = opt
sys.path.insert(0, "/var/task")
site.addsitedir("/var/task")
if unset:
    for d in opt:
        site.addsitedir(d)
import importlib.util
for q in QUERIES:
    if q in sys.builtin_module_names:
        print("FOUND built-in")
        continue
    try:
        s = importlib.util.find_spec(q)
    except Exception:
        s = None
    if s is None:
        print("FOUND", "nowhere")
    elif s.origin and s.origin != "namespace":
        print("FOUND", s.origin)
    else:
        print("FOUND", list(s.submodule_search_locations)[0] if s.submodule_search_locations else "nowhere")
'''
answers = []
for t in json.load(open(sys.argv[1])):
    for d in ("/opt", "/var"):
        for n in os.listdir(d):
            p = os.path.join(d, n)
            shutil.rmtree(p) if os.path.isdir(p) and not os.path.islink(p) else os.remove(p)
    os.makedirs("/var/task"); os.makedirs("/var/runtime/boto3"); os.makedirs("/var/runtime/six")
    for p, text in t["files"].items():
        os.makedirs(os.path.dirname(p), exist_ok=True)
        open(p, "w").write(text)
    for p, to in t["links"].items():
        os.makedirs(os.path.dirname(p), exist_ok=True)
        os.symlink(to, p)
    open("/var/runtime/boto3/__init__.py", "w").close(); open("/var/runtime/six/__init__.py", "w").close()
    open("/var/runtime/bootstrap.py", "w").write(BOOT.replace("QUERIES", repr(t["queries"])).replace("SITE", repr(sysconfig.get_path("purelib"))))
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    env.update(t["env"] or {})
    c = subprocess.run([sys.executable, "-B", "/var/runtime/bootstrap.py"], cwd="/var/task", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    answers.append(c.stdout.splitlines())
json.dump(answers, sys.stdout)
`

// pythons are the interpreters here, by runtime.
func pythons() map[string]string {
	out := map[string]string{}
	home, _ := os.UserHomeDir() // then there is none
	for _, r := range runtimes.All() {
		if r.Family != runtimes.Python {
			continue
		}
		if m, err := filepath.Glob(filepath.Join(home, ".pyenv/versions", r.Version()+".*/bin", r.ID)); err == nil && len(m) > 0 {
			out[r.ID] = m[0]
		} else if p, err := exec.LookPath(r.ID); err == nil {
			out[r.ID] = p
		}
	}
	return out
}

func TestResolve_agrees_with_python(t *testing.T) {
	all := pythons()
	if len(all) == 0 {
		t.Skip("needs python")
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		t.Run(id, func(t *testing.T) { agreeWithPython(t, id, all[id]) })
	}
}

func agreeWithPython(t *testing.T, id, interpreter string) {
	t.Helper()
	// What is imported says so.
	const ran = "=print('RAN', __file__)"
	pth := func(at string) string {
		return at + "=# comment\nimport os; print('RAN " + at + "')\n/opt/more\n\nsub\nimport\tos; print('RAN " + at + "')\n import os\n"
	}
	site := "python/lib/" + id + "/site-packages/"
	layer := []string{
		"python/acme/__init__.py" + ran, "python/acme/sub/__init__.py" + ran, "python/acme/sub/leaf.py" + ran, "python/acme.py" + ran, site + "acme/other.py" + ran, site + "acme/__init__.py" + ran,
		"python/csv.py" + ran, "python/json/__init__.py" + ran, "python/boto3/__init__.py" + ran, site + "boto3.py" + ran, "python/sqlite3/nothing.txt", "python/ns/a.py" + ran, site + "ns/b.py" + ran,
		"python/sys.py" + ran, "python/time.py" + ran, "python/sitecustomize.py" + ran, "python/usercustomize/__init__.py" + ran, "more/extra.py" + ran, "python/sub/deep.py" + ran, "more/csv.py" + ran,
		pth("python/a.pth"), pth(site + "b.pth"), "python/.hidden.txt", "python/tomllib.py" + ran, "python/distutils/__init__.py" + ran, "linked -> python", "python/alias -> acme", "elsewhere/acme/__init__.py" + ran,
		"python/cached/__pycache__/__init__.cpython-312.pyc", "python/keyword.py=from kwlist import *\n", "python/kwlist.py=kwlist = []\niskeyword = lambda s: False\nsoftkwlist = []\n",
	}
	function := []string{"acme/__init__.py" + ran, "csv.py" + ran, pth("z.pth"), "boto3/__init__.py" + ran, "ns/c.py" + ran, "six.py" + ran}
	queries := []string{"acme", "acme.sub", "acme.sub.leaf", "acme.other", "csv", "json", "boto3", "sqlite3", "ns", "sys", "time", "extra", "deep", "tomllib", "distutils", "alias", "alias.sub", "cached", "six", "nope"}
	var worlds []world
	var trials []trial
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 4))
		w := world{runtime: id, handler: "", layers: legal(scatter(r, layer)), function: some(r, function), env: map[string]string{}}
		switch r.IntN(6) {
		case 0:
			w.env["PYTHONPATH"] = "/opt/python"
		case 1:
			w.env["PYTHONPATH"] = ":/opt/elsewhere:/opt/linked:"
		case 2:
			w.env["PYTHONPATH"] = ""
		}
		worlds = append(worlds, w)
		trials = append(trials, w.trial(queries))
	}
	for i, lines := range confirm(t, interpreter, pythonScript, trials) {
		v := worlds[i].view()
		var found, ran []string
		for _, l := range lines {
			if s, ok := strings.CutPrefix(l, "FOUND "); ok {
				found = append(found, s)
			} else if s, ok := strings.CutPrefix(l, "RAN "); ok && len(found) == 0 {
				ran = append(ran, s)
			} else if !ok {
				t.Fatalf("trial %d: python says %s\n%s", i, strings.Join(lines, "\n"), describe(worlds[i]))
			}
		}
		if len(found) != len(queries) {
			t.Fatalf("trial %d: %d answers\n%s", i, len(found), strings.Join(lines, "\n"))
		}
		for j, q := range queries {
			r := v.Resolve(q)
			got, want := r.Path, found[j]
			switch {
			case r.From.Kind == opt.FromLibrary:
				got = "library"
			case r.From.Kind == opt.FromRuntime:
				got = "/var/runtime/" + q + "/__init__.py"
			case r.From.Kind == opt.FromNowhere, strings.Contains(r.Maybe, "the package may define it"), strings.Contains(r.Maybe, "not a package"):
				got = "nowhere"
			}
			if want == "built-in" || want == "frozen" || want != "nowhere" && !strings.HasPrefix(want, "/opt/") && !strings.HasPrefix(want, "/var/") {
				want = "library"
			}
			if got != want {
				t.Errorf("trial %d: %s: got %s, python says %s (%s; %s)\n%s", i, q, got, found[j], r.Why, r.Maybe, describe(worlds[i]))
			}
		}
		var steps []string
		for _, s := range v.Init() {
			p := s.Path
			if s.What == opt.PthImport {
				p = strings.TrimPrefix(strings.TrimPrefix(p, "/opt/"), "/var/task/")
			}
			if s.What != opt.EarlyModule || strings.Contains(s.Path, "json") {
				steps = append(steps, p)
			}
		}
		// The library may import json before or after site does its part.
		slices.Sort(steps)
		slices.Sort(ran)
		if diff := cmp.Diff(ran, steps); diff != "" {
			t.Errorf("trial %d: what runs at the start (-python +view):\n%s\n%s", i, diff, describe(worlds[i]))
		}
	}
}
