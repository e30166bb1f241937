package opt_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A world is layers, and a function, written as lines: "path", "path=content",
// "path -> target", "path*" for a file that can be executed, "path/" for a
// directory.
type world struct {
	layers                         [][]string
	function                       []string
	runtime, handler, architecture string
	env                            map[string]string
	// reduced gives the view what a caller keeps of texts instead of the texts.
	reduced bool
}

func (w world) view() *opt.View {
	in := opt.Input{Runtime: w.runtime, Handler: w.handler, Architecture: w.architecture, Env: w.env}
	text := map[string]string{}
	for i, l := range w.layers {
		files := make([]opt.File, 0, len(l))
		for _, line := range l {
			f, content := file(line)
			files = append(files, f)
			text[fmt.Sprintf("l%d/%s", i+1, f.Path)] = content
		}
		in.Layers = append(in.Layers, opt.Layer{Name: fmt.Sprintf("l%d.zip", i+1), Files: files})
	}
	if w.function != nil {
		in.Function = []opt.File{}
	}
	for _, line := range w.function {
		f, content := file(line)
		in.Function = append(in.Function, f)
		text["function/"+f.Path] = content
	}
	in.ReadFile = func(from opt.Origin, name string) ([]byte, bool) {
		s, ok := text[origin(from)+"/"+name]
		if ok && w.reduced {
			return opt.Reduce(name, []byte(s)), true
		}
		return []byte(s), ok
	}
	return opt.New(in)
}

func file(line string) (opt.File, string) {
	f := opt.File{Mode: 0o644}
	name, content, _ := strings.Cut(line, "=")
	if at, to, ok := strings.Cut(name, " -> "); ok {
		name, f.Mode, f.Link = at, 0o777|fs.ModeSymlink, to
	}
	if x, ok := strings.CutSuffix(name, "*"); ok {
		name, f.Mode = x, 0o755
	}
	if x, ok := strings.CutSuffix(name, "/"); ok {
		name, f.Mode = x, 0o755|fs.ModeDir
	}
	f.Path, f.Size, f.SHA256 = name, int64(len(content)), sha256.Sum256([]byte(content))
	return f, content
}

// origin is an origin in a word: "l2", "function", "runtime".
func origin(o opt.Origin) string {
	if o.Kind == opt.FromLayer {
		return fmt.Sprintf("l%d", o.Layer)
	}
	return string(o.Kind)
}

func TestNew_last_layer_wins(t *testing.T) {
	v := world{layers: [][]string{
		{"python/a/__init__.py=1", "python/a/old.py", "python/same.py=s", "bin/tool*=1", "x/y/z", "data"},
		{"python/a/__init__.py=2", "python/same.py=s", "bin/tool=1", "x=file", "data/in/it"},
	}}.view()
	var got []string
	for _, f := range v.Files() {
		got = append(got, origin(f.From)+" "+f.Path)
	}
	want := []string{
		"l2 /opt/bin/tool", "l2 /opt/data/in/it", "l2 /opt/python/a/__init__.py", "l1 /opt/python/a/old.py", "l2 /opt/python/same.py", "l2 /opt/x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	got = nil
	for _, s := range v.Shadows() {
		got = append(got, fmt.Sprintf("%s of %s by %s at %s same=%v", s.Path, origin(s.From), origin(s.By), s.ByPath, s.Same))
	}
	want = []string{
		"/opt/bin/tool of l1 by l2 at /opt/bin/tool same=false", // the permissions differ
		"/opt/data of l1 by l2 at /opt/data same=false",
		"/opt/python/a/__init__.py of l1 by l2 at /opt/python/a/__init__.py same=false",
		"/opt/python/same.py of l1 by l2 at /opt/python/same.py same=true",
		"/opt/x/y/z of l1 by l2 at /opt/x same=false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shadows (-want +got):\n%s", diff)
	}
	want2 := []opt.Mixed{{Dir: "/opt/python/a", Layers: []opt.LayerCount{{Layer: 1, Files: 1}, {Layer: 2, Files: 1}}}}
	if diff := cmp.Diff(want2, v.Mixed()); diff != "" {
		t.Errorf("mixed (-want +got):\n%s", diff)
	}
}

func TestMixed(t *testing.T) {
	v := world{layers: [][]string{
		{"nodejs/node_modules/@acme/log/index.js", "nodejs/node_modules/x/index.js", "python/ns/a.py", "python/lib/python3.12/site-packages/p/__init__.py", "python/bin/a", "ruby/gems/3.3.0/gems/g-1.0/lib/g.rb"},
		{"nodejs/node_modules/@acme/log/util.js", "nodejs/node_modules/y/index.js", "python/ns/b.py", "python/lib/python3.12/site-packages/p/q.py", "python/bin/b", "ruby/gems/3.3.0/gems/g-1.0/lib/h.rb"},
		{"python/lib/python3.12/site-packages/p/r.py"},
	}}.view()
	var got []string
	for _, m := range v.Mixed() {
		got = append(got, fmt.Sprintf("%s%v%v", m.Dir, m.Layers, m.Namespace))
	}
	want := []string{
		"/opt/nodejs/node_modules/@acme/log[{1 1} {2 1}]false",
		"/opt/python/lib/python3.12/site-packages/p[{1 1} {2 1} {3 1}]false",
		"/opt/python/ns[{1 1} {2 1}]true",
		"/opt/ruby/gems/3.3.0/gems/g-1.0[{1 1} {2 1}]false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFollow(t *testing.T) {
	v := world{layers: [][]string{{
		"v2/1.0/bin/aws*", "v2/current -> 1.0", "bin/aws -> ../v2/current/bin/aws", "bin/abs -> /opt/v2/current/bin/aws",
		"loop/a -> b", "loop/b -> a", "deep -> deep/deep/deep", "out -> /usr/bin/python3", "task -> /var/task/app.py", "gone -> nothing", "up -> ../../opt/v2/1.0/bin/aws",
		"dir -> v2",
	}}, function: []string{"app.py"}}.view()
	for _, tt := range []struct {
		name, real string
		target     opt.Target
	}{
		{"/opt/bin/aws", "/opt/v2/1.0/bin/aws", opt.Regular},
		{"/opt/bin/abs", "/opt/v2/1.0/bin/aws", opt.Regular},
		{"/opt/up", "/opt/v2/1.0/bin/aws", opt.Regular},
		{"/opt/dir/current/bin", "/opt/v2/1.0/bin", opt.Directory},
		{"/opt/loop/a", "/opt/loop/a", opt.Loop},
		{"/opt/deep", "/opt/deep", opt.Loop},
		{"/opt/out", "/usr/bin/python3", opt.Outside},
		{"/opt/task", "/var/task/app.py", opt.Regular},
		{"/opt/gone", "/opt/nothing", opt.Missing},
		{"/opt/v2/../v2/1.0/bin/aws", "/opt/v2/1.0/bin/aws", opt.Regular},
		{"/opt/none", "/opt/none", opt.Missing},
		{"/opt", "/opt", opt.Directory},
		{"/etc/passwd", "/etc/passwd", opt.Outside},
		{"/optional", "/optional", opt.Outside},
		{"/var/task/none", "/var/task/none", opt.Missing},
	} {
		p, target := v.Follow(tt.name)
		if p.Path != tt.real || target != tt.target {
			t.Errorf("%s: got %s %s, want %s %s", tt.name, p.Path, target, tt.real, tt.target)
		}
	}
}

// naive merges as one would with a disk: each layer's files are written over what
// is there, in order.
func naive(layers []opt.Layer) map[string]int {
	disk := map[string]int{}
	for i, l := range layers {
		for _, f := range l.Files {
			for d := path.Dir(f.Path); d != "."; d = path.Dir(d) {
				delete(disk, d)
			}
			if f.Mode.IsDir() {
				delete(disk, f.Path)
				continue
			}
			for p := range disk {
				if strings.HasPrefix(p, f.Path+"/") {
					delete(disk, p)
				}
			}
			disk[f.Path] = i + 1
		}
	}
	return disk
}

func randomLayers(r *rand.Rand) []opt.Layer {
	layers := make([]opt.Layer, 1+r.IntN(5))
	for i := range layers {
		layers[i].Name = fmt.Sprintf("l%d", i+1)
		for range r.IntN(12) {
			parts := make([]string, 1+r.IntN(4))
			for j := range parts {
				parts[j] = string("abc"[r.IntN(3)])
			}
			f := opt.File{Path: strings.Join(parts, "/"), Mode: 0o644, SHA256: sha256.Sum256([]byte{byte(r.IntN(3))})}
			if r.IntN(6) == 0 {
				f.Mode = fs.ModeDir | 0o755
			}
			layers[i].Files = append(layers[i].Files, f)
		}
	}
	return layers
}

func TestNew_agrees_with_a_disk(t *testing.T) {
	for seed := range uint64(3000) {
		layers := randomLayers(rand.New(rand.NewPCG(seed, 1)))
		v := opt.New(opt.Input{Layers: layers})
		got := map[string]int{}
		for _, f := range v.Files() {
			got[strings.TrimPrefix(f.Path, "/opt/")] = f.From.Layer
		}
		if diff := cmp.Diff(naive(layers), got); diff != "" {
			t.Fatalf("seed %d: %v (-disk +view):\n%s", seed, layers, diff)
		}
		// Whatever is given is seen or shadowed, and never both.
		for i, l := range layers {
			for _, f := range l.Files {
				p, seen := v.Lookup("/opt/" + f.Path)
				seen = seen && p.From.Layer == i+1
				shadowed := slices.ContainsFunc(v.Shadows(), func(s opt.Shadow) bool { return s.Path == "/opt/"+f.Path && s.From.Layer == i+1 })
				own := slices.ContainsFunc(l.Files, func(g opt.File) bool {
					return g.Path == f.Path && g.Mode != f.Mode || strings.HasPrefix(g.Path, f.Path+"/") || strings.HasPrefix(f.Path, g.Path+"/")
				}) // a layer may hide its own file
				if f.Mode.IsDir() || own {
					continue
				}
				if seen == shadowed {
					t.Fatalf("seed %d: %v: %s of layer %d: seen %v, shadowed %v", seed, layers, f.Path, i+1, seen, shadowed)
				}
			}
		}
	}
}

// Layers that share no path, or only equal files, can be listed in any order.
func TestDiff_order_of_equal_layers_does_not_matter(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		content := func(p string) [32]byte { return sha256.Sum256([]byte(p)) }
		layers := randomLayers(r)
		for i := range layers {
			// One path, one content; and what is a file is a file in all of them.
			for j := range layers[i].Files {
				f := &layers[i].Files[j]
				f.Path, f.Mode = f.Path+".py", 0o644
				f.SHA256 = content(f.Path)
			}
		}
		shuffled := slices.Clone(layers)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		in := opt.Input{Layers: layers, Runtime: "python3.12", Handler: "a.handler", Env: map[string]string{}, Function: []opt.File{}}
		a := opt.New(in)
		in.Layers = shuffled
		b := opt.New(in)
		d := opt.Diff(a, b)
		d.Paths = slices.DeleteFunc(d.Paths, func(c opt.PathChange) bool { return c.Change == opt.Moved })
		d.Imports = slices.DeleteFunc(d.Imports, func(c opt.ImportChange) bool { return c.Change == opt.Moved })
		d.Init = slices.DeleteFunc(d.Init, func(c opt.StepChange) bool { return c.Change == opt.Moved })
		if len(d.Paths)+len(d.Imports)+len(d.Init) > 0 {
			t.Fatalf("seed %d: %+v", seed, d)
		}
	}
}

type want struct{ name, from, path string }

func checkResolve(t *testing.T, v *opt.View, tests []want) {
	t.Helper()
	for _, tt := range tests {
		r := v.Resolve(tt.name)
		if origin(r.From) != tt.from || r.Path != tt.path {
			t.Errorf("%s: got %s %q (%s), want %s %q", tt.name, origin(r.From), r.Path, r.Why, tt.from, tt.path)
		}
		if r.Maybe != "" {
			t.Errorf("%s: maybe %s", tt.name, r.Maybe)
		}
	}
}

func TestResolve_python(t *testing.T) {
	layers := [][]string{
		{
			"python/csv.py", "python/json/__init__.py", "python/boto3/__init__.py", "python/both/__init__.py", "python/mine/__init__.py", "python/mine/sub/__init__.py", "python/mine/sub/leaf.py",
			"python/ns/a.py", "python/requests/nothing.txt", "python/sys.py", "python/os.py",
			"python/pkg.py", "python/pkg/__init__.py", "python/ext.py", "python/ext.cpython-312-x86_64-linux-gnu.so", "python/arm.cpython-312-aarch64-linux-gnu.so",
			"python/less/__init__.pyc", "python/cached/__pycache__/__init__.cpython-312.pyc", "python/cached.txt", "python/secrets/x.txt",
		},
		{"python/lib/python3.12/site-packages/both/__init__.py", "python/lib/python3.11/site-packages/old.py", "python/boto3/extra.py", "python/ns/b.py"},
	}
	w := world{layers: layers, function: []string{"app.py", "mine.txt", "six.py"}, runtime: "python3.12", handler: "app.handler", env: map[string]string{}}
	checkResolve(t, w.view(), []want{
		{"csv", "l1", "/opt/python/csv.py"},              // shadows the library's
		{"json", "library", ""},                          // preloaded
		{"sys", "library", ""},                           // built in
		{"os", "library", ""},                            // frozen, and preloaded
		{"boto3", "l1", "/opt/python/boto3/__init__.py"}, // the layer's before the runtime's
		{"botocore", "runtime", ""},
		{"six", "function", "/var/task/six.py"},
		{"both", "l2", "/opt/python/lib/python3.12/site-packages/both/__init__.py"}, // site-packages first
		{"old", "nowhere", ""}, // another version's directory
		{"mine.sub.leaf", "l1", "/opt/python/mine/sub/leaf.py"},
		{"ns", "l1", "/opt/python/ns"},
		{"ns.b", "l2", "/opt/python/ns/b.py"},
		{"requests", "l1", "/opt/python/requests"}, // a namespace package of nothing
		{"secrets", "library", ""},                 // a namespace package hides nothing
		{"pkg", "l1", "/opt/python/pkg/__init__.py"},
		{"ext", "l1", "/opt/python/ext.cpython-312-x86_64-linux-gnu.so"},
		{"arm", "nowhere", ""},
		{"less", "l1", "/opt/python/less/__init__.pyc"},
		{"cached", "l1", "/opt/python/cached"}, // __pycache__ alone does not load
		{"tomllib", "library", ""},
		{"no_such", "nowhere", ""},
		{"", "nowhere", ""},
		{"../etc", "nowhere", ""},
	})
	w.architecture = "arm64"
	checkResolve(t, w.view(), []want{{"arm", "l1", "/opt/python/arm.cpython-312-aarch64-linux-gnu.so"}, {"ext", "l1", "/opt/python/ext.py"}})

	// The loser is named, and why.
	r := w.view().Resolve("json")
	if len(r.Others) != 1 || r.Others[0].Path != "/opt/python/json/__init__.py" || !strings.Contains(r.Others[0].Why, "loaded before") {
		t.Errorf("json: others %+v", r.Others)
	}
	r = w.view().Resolve("boto3")
	if len(r.Others) != 1 || r.Others[0].From.Kind != opt.FromRuntime {
		t.Errorf("boto3: others %+v", r.Others)
	}

	// With PYTHONPATH the layers' own directories are off the path, the runtime's
	// own comes first, and what is preloaded comes from PYTHONPATH too.
	w.architecture = ""
	w.env = map[string]string{"PYTHONPATH": "/opt/python"}
	checkResolve(t, w.view(), []want{
		{"json", "l1", "/opt/python/json/__init__.py"},
		{"csv", "l1", "/opt/python/csv.py"},
		{"sys", "library", ""},
		{"os", "library", ""},
		{"boto3", "runtime", ""},
		{"both", "l1", "/opt/python/both/__init__.py"},
	})
	w.env = map[string]string{"PYTHONPATH": ""}
	checkResolve(t, w.view(), []want{{"csv", "library", ""}, {"mine", "nowhere", ""}, {"six", "function", "/var/task/six.py"}})

	// Before 3.11 os is no frozen module, and PYTHONPATH can replace it.
	w.env, w.runtime = map[string]string{"PYTHONPATH": "/opt/python"}, "python3.10"
	checkResolve(t, w.view(), []want{{"os", "l1", "/opt/python/os.py"}})
}

func TestResolve_python_uncertain(t *testing.T) {
	w := world{layers: [][]string{{"python/acme/__init__.py", "python/csv.py"}}, runtime: "python3.12"}
	for _, name := range []string{"acme", "csv", "boto3", "nothing"} {
		if r := w.view().Resolve(name); r.Maybe == "" {
			t.Errorf("%s: certain (%+v), though the function was not given", name, r)
		}
	}
	if r := w.view().Resolve("json"); r.Maybe != "" {
		t.Errorf("json: maybe %s, though nobody can replace it", r.Maybe)
	}
	w.function, w.env = []string{}, map[string]string{"PYTHONPATH": "/mnt/efs:/opt/python"}
	if r := w.view().Resolve("acme"); !strings.Contains(r.Maybe, "/mnt/efs") {
		t.Errorf("acme: maybe %q, want /mnt/efs in it", r.Maybe)
	}
	w.runtime = "cobol1.x"
	if r := w.view().Resolve("acme"); r.Maybe == "" || r.From.Kind != opt.FromElsewhere {
		t.Errorf("acme in an unknown runtime: %+v", r)
	}
}

func TestResolve_python_pth(t *testing.T) {
	w := world{
		layers:  [][]string{{"python/a.pth=# a comment\n/opt/more\nsub\n/opt/nowhere\nimport os\r\n", "more/extra.py", "python/sub/deep.py", "more/csv.py"}},
		runtime: "python3.12", function: []string{"b.pth=import x\n"}, env: map[string]string{},
	}
	w.layers = append(w.layers, []string{"x.pth=/opt/far", "python/link.pth -> ../x.pth", "far/far.py"})
	checkResolve(t, w.view(), []want{
		{"extra", "l1", "/opt/more/extra.py"},
		{"deep", "l1", "/opt/python/sub/deep.py"},
		{"far", "l2", "/opt/far/far.py"},
		{"csv", "library", ""}, // .pth appends
	})
}

func TestResolve_node(t *testing.T) {
	w := world{
		layers: [][]string{
			{
				"nodejs/node_modules/fs/index.js", "nodejs/node_modules/x/index.js", "nodejs/node_modules/@aws-sdk/client-s3/package.json={\"main\":\"dist/i.js\"}", "nodejs/node_modules/@aws-sdk/client-s3/dist/i.js",
				"nodejs/node_modules/own/index.js", "nodejs/node_modules/test/index.js", "nodejs/node_modules/single.js", "nodejs/node_modules/x/node_modules/y/index.js", "nodejs/node_modules/y.js",
				"nodejs/node_modules/exp/package.json={\"exports\":{\"./a\":\"./lib/a.js\"}}", "nodejs/node_modules/exp/lib/a.js",
			},
			{"nodejs/node20/node_modules/x/index.js"},
		},
		function: []string{"app.js", "node_modules/own/index.js", "lib/util.js"}, runtime: "nodejs20.x", handler: "app.handler", env: map[string]string{},
	}
	v := w.view()
	checkResolve(t, v, []want{
		{"fs", "library", ""},
		{"node:fs", "library", ""},
		{"node:test", "library", ""},
		{"test", "l1", "/opt/nodejs/node_modules/test/index.js"},
		{"x", "l2", "/opt/nodejs/node20/node_modules/x/index.js"},
		{"own", "function", "/var/task/node_modules/own/index.js"},
		{"@aws-sdk/client-s3", "l1", "/opt/nodejs/node_modules/@aws-sdk/client-s3/dist/i.js"},
		{"@aws-sdk/client-sqs", "runtime", ""},
		{"aws-sdk", "nowhere", ""},
		{"single", "l1", "/opt/nodejs/node_modules/single.js"},
		{"exp/a", "l1", "/opt/nodejs/node_modules/exp/lib/a.js"},
		{"./lib/util", "function", "/var/task/lib/util.js"},
		{"/opt/nodejs/node_modules/single", "l1", "/opt/nodejs/node_modules/single.js"},
		{"node:nothing", "nowhere", ""},
	})
	if r := v.ResolveFrom("y", "/opt/nodejs/node_modules/x/index.js"); r.Path != "/opt/nodejs/node_modules/x/node_modules/y/index.js" {
		t.Errorf("y from x: %+v", r)
	}
	if r := v.ResolveFrom("y", "/opt/nodejs/node_modules/own/index.js"); r.Path != "/opt/nodejs/node_modules/y.js" {
		t.Errorf("y from own: %+v", r)
	}
	// import does not read NODE_PATH.
	w.function, w.handler = []string{"app.mjs", "node_modules/own/index.js"}, "app.handler"
	if r := w.view().Resolve("x"); !strings.Contains(r.Maybe, "NODE_PATH") {
		t.Errorf("x in an ES module: %+v", r)
	}
	if r := w.view().Resolve("own"); r.Maybe != "" {
		t.Errorf("own in an ES module: %+v", r)
	}
	w.function = []string{"app.js", `package.json={"type":"module"}`}
	if r := w.view().Resolve("x"); !strings.Contains(r.Maybe, "NODE_PATH") {
		t.Errorf("x where package.json says module: %+v", r)
	}
	w.env = map[string]string{"NODE_PATH": "/opt/other"}
	if r := w.view().Resolve("x"); r.From.Kind != opt.FromNowhere {
		t.Errorf("x with another NODE_PATH: %+v", r)
	}
}

func TestResolve_others(t *testing.T) {
	checkResolve(t, world{
		runtime: "java17", function: []string{"com/acme/Own.class", "lib/b.jar", "lib/b.jar!/com/acme/B.class", "lib/a.jar", "lib/a.jar!/com/acme/B.class"}, env: map[string]string{"JAVA_TOOL_OPTIONS": "-javaagent:/opt/agent.jar=x=y"},
		layers: [][]string{
			{"java/lib/zzz.jar", "java/lib/zzz.jar!/com/acme/Both.class", "java/lib/zzz.jar!/com/acme/Own.class", "java/lib/zzz.jar!/java/util/List.class"},
			{"java/lib/aaa.jar", "java/lib/aaa.jar!/com/acme/Both.class", "agent.jar", "agent.jar!/com/acme/Agent.class"},
		},
	}.view(), []want{
		{"com.acme.Own", "function", "/var/task/com/acme/Own.class"},
		{"com.acme.B", "function", "/var/task/lib/a.jar!/com/acme/B.class"},
		{"com.acme.Both", "l2", "/opt/java/lib/aaa.jar!/com/acme/Both.class"},
		{"com.acme.Agent", "l2", "/opt/agent.jar!/com/acme/Agent.class"},
		{"java.util.List", "library", ""},
		{"com.amazonaws.services.lambda.runtime.Context", "runtime", ""},
		{"com.acme.None", "nowhere", ""},
	})
	checkResolve(t, world{
		runtime: "ruby3.3", function: []string{"app.rb", "vendor/bundle/ruby/3.3.0/gems/rack-2.9.0/lib/rack.rb"}, env: map[string]string{},
		layers: [][]string{{"ruby/lib/csv.rb", "ruby/lib/acme.rb", "ruby/gems/3.3.0/gems/rack-2.10.0/lib/rack.rb", "ruby/gems/3.2.0/gems/old-1/lib/old.rb", "ruby/gems/3.3.0/gems/pure-1.0.0.pre/lib/pure/deep.rb"}},
	}.view(), []want{
		{"csv", "l1", "/opt/ruby/lib/csv.rb"},
		{"acme", "l1", "/opt/ruby/lib/acme.rb"},
		{"rack", "l1", "/opt/ruby/gems/3.3.0/gems/rack-2.10.0/lib/rack.rb"}, // 2.10 is newer than 2.9
		{"pure/deep", "l1", "/opt/ruby/gems/3.3.0/gems/pure-1.0.0.pre/lib/pure/deep.rb"},
		{"old", "nowhere", ""},
		{"json", "library", ""},
		{"net/http", "library", ""},
		{"aws-sdk-s3", "runtime", ""},
		{"app", "function", "/var/task/app.rb"},
	})
	checkResolve(t, world{runtime: "dotnet8", function: []string{"App.dll"}, env: map[string]string{}, layers: [][]string{{"App.dll"}}}.view(), []want{
		{"App", "function", "/var/task/App.dll"},
		{"System.Text.Json", "library", ""},
		{"Amazon.Lambda.Core", "runtime", ""},
	})
	v := world{runtime: "dotnet8", function: []string{}, env: map[string]string{"DOTNET_SHARED_STORE": "/opt/dotnetcore/store/"}, layers: [][]string{{"dotnetcore/store/x64/net8.0/acme/1.0.0/lib/Acme.dll"}}}.view()
	if r := v.Resolve("Acme"); origin(r.From) != "l1" || r.Maybe == "" {
		t.Errorf("Acme: %+v", r)
	}
	v = world{runtime: "java17", function: []string{}, env: map[string]string{}, layers: [][]string{{"java/lib/a.jar"}}}.view()
	if r := v.Resolve("com.acme.X"); r.From.Kind != opt.FromElsewhere || r.Maybe == "" {
		t.Errorf("a class where a jar was not opened: %+v", r)
	}
}

func TestCommand(t *testing.T) {
	w := world{layers: [][]string{{"bin/curl*", "bin/tool*", "lib/libx.so"}}, runtime: "python3.12", env: map[string]string{}, function: []string{}}
	if r := w.view().Command("curl"); origin(r.From) != "l1" || r.Maybe == "" {
		t.Errorf("curl: %+v: /opt/bin is last, so the system's may come first", r)
	}
	w.env["PATH"] = "/opt/bin:/usr/bin"
	if r := w.view().Command("curl"); origin(r.From) != "l1" || r.Maybe != "" {
		t.Errorf("curl with /opt/bin first: %+v", r)
	}
	if r := w.view().SharedObject("libx.so"); origin(r.From) != "l1" || r.Maybe == "" {
		t.Errorf("libx.so: %+v", r)
	}
	if r := w.view().Command("ls"); r.From.Kind != opt.FromElsewhere || r.Maybe == "" {
		t.Errorf("ls: %+v", r)
	}
}

func TestAhead(t *testing.T) {
	w := world{layers: [][]string{{"bin/aws*", "bin/readme", "lib/libssl.so.3", "lib/note", "sbin/x*"}}, runtime: "python3.12", env: map[string]string{}, function: []string{}}
	if got := w.view().Ahead(); len(got) != 0 {
		t.Errorf("by default: %+v", got)
	}
	w.env = map[string]string{"PATH": "/var/task/bin:/opt/bin/:/usr/bin:/opt/sbin", "LD_LIBRARY_PATH": "/opt/lib:/lib64"}
	var got []string
	for _, a := range w.view().Ahead() {
		got = append(got, fmt.Sprint(a.Key, " ", a.Path, " before ", a.Before))
	}
	if diff := cmp.Diff([]string{"LD_LIBRARY_PATH /opt/lib/libssl.so.3 before /lib64", "PATH /opt/bin/aws before /usr/bin"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHandler(t *testing.T) {
	for _, tt := range []struct {
		name, runtime, handler string
		function, layer        []string
		from, path             string
	}{
		{"python of the function", "python3.12", "src/app.handler", []string{"src/app.py"}, []string{"python/src/app.py"}, "function", "/var/task/src/app.py"},
		{"python of a layer", "python3.12", "datadog_lambda.handler.handler", []string{"app.py"}, []string{"python/datadog_lambda/__init__.py", "python/datadog_lambda/handler.py"}, "l1", "/opt/python/datadog_lambda/handler.py"},
		{"python of nobody", "python3.12", "app.handler", []string{"main.py"}, nil, "nowhere", ""},
		{"node of the function", "nodejs20.x", "src/app.handler", []string{"src/app.mjs", "src/app.cjs"}, nil, "function", "/var/task/src/app.mjs"},
		{"node by its extensionless file", "nodejs20.x", "app.handler", []string{"app", "app.js"}, nil, "function", "/var/task/app"},
		{"node of a layer", "nodejs20.x", "newrelic-lambda-wrapper.handler", []string{"app.js"}, []string{"nodejs/node_modules/newrelic-lambda-wrapper/index.js"}, "l1", "/opt/nodejs/node_modules/newrelic-lambda-wrapper/index.js"},
		{"node by an absolute path", "nodejs20.x", "/opt/nodejs/node_modules/datadog-lambda-js/handler.handler", []string{"app.js"}, []string{"nodejs/node_modules/datadog-lambda-js/handler.js"}, "l1", "/opt/nodejs/node_modules/datadog-lambda-js/handler.js"},
		{"node refused", "nodejs20.x", "../opt/x.handler", []string{}, nil, "nowhere", ""},
		{"node TypeScript", "nodejs24.x", "app.handler", []string{"app.ts"}, nil, "function", "/var/task/app.ts"},
		{"node before TypeScript", "nodejs22.x", "app.handler", []string{"app.ts"}, nil, "nowhere", ""},
		{"ruby", "ruby3.3", "app.App.run", []string{"app.rb"}, nil, "function", "/var/task/app.rb"},
		{"java", "java21", "com.acme.H::handle", []string{"com/acme/H.class"}, nil, "function", "/var/task/com/acme/H.class"},
		{"dotnet", "dotnet8", "App::App.F::H", []string{"App.dll"}, nil, "function", "/var/task/App.dll"},
		{"go", "go1.x", "main", []string{"main*"}, nil, "function", "/var/task/main"},
		{"provided of the function", "provided.al2023", "x", []string{"bootstrap*"}, []string{"bootstrap*"}, "function", "/var/task/bootstrap"},
		{"provided of a layer", "provided.al2", "", []string{"main"}, []string{"bootstrap*"}, "l1", "/opt/bootstrap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := world{layers: [][]string{tt.layer}, function: tt.function, runtime: tt.runtime, handler: tt.handler, env: map[string]string{}}.view().Handler()
			if origin(r.From) != tt.from || r.Path != tt.path || r.Maybe != "" {
				t.Errorf("got %s %q maybe %q (%s), want %s %q", origin(r.From), r.Path, r.Maybe, r.Why, tt.from, tt.path)
			}
		})
	}
}

// steps writes the steps as lines: what, path with the line, supplier, and
// whether it may run or fails.
func steps(v *opt.View) []string {
	out := []string{}
	for _, s := range v.Init() {
		line := fmt.Sprintf("%s %s", s.What, s.Path)
		if s.Line > 0 {
			line += fmt.Sprintf(":%d", s.Line)
		}
		line += " " + origin(s.From)
		if s.Maybe != "" {
			line += " maybe"
		}
		if s.Fails != "" {
			line += " fails"
		}
		out = append(out, line)
	}
	return out
}

func TestInit(t *testing.T) {
	for _, tt := range []struct {
		name string
		w    world
		want []string
	}{
		{"python alone", world{runtime: "python3.12", handler: "app.handler", function: []string{"app.py"}, env: map[string]string{}}, []string{"handler /var/task/app.py function"}},
		{
			"order of everything in python",
			world{
				runtime: "python3.12", handler: "pkg.app.handler", function: []string{"pkg/__init__.py", "pkg/app.py", "z.pth=import a\nx\nimport\tb\n import c\nimportlib"},
				env:    map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "LD_PRELOAD": "/opt/lib/a.so libb.so", "PYTHONSTARTUP": "/opt/x.py"},
				layers: [][]string{{"extensions/b*", "extensions/a -> ../agent", "extensions/dir/c*", "agent*", "wrap*", "lib/a.so", "python/a.pth=import evil", "python/lib/python3.12/site-packages/c.pth=import evil", "python/sitecustomize.py", "python/.pth=import os"}},
			},
			[]string{
				"preload /opt/lib/a.so l1", "preload libb.so elsewhere maybe",
				"extension /opt/extensions/a l1", "extension /opt/extensions/b l1",
				"exec-wrapper /opt/wrap l1",
				"pth-import /var/task/z.pth:1 function", "pth-import /var/task/z.pth:3 function",
				"pth-import /opt/python/lib/python3.12/site-packages/c.pth:1 l1",
				"pth-import /opt/python/.pth:1 l1", "pth-import /opt/python/a.pth:1 l1",
				"handler /var/task/pkg/__init__.py function", "handler /var/task/pkg/app.py function",
			},
		},
		{
			"PYTHONPATH makes sitecustomize run and .pth not",
			world{
				runtime: "python3.12", function: []string{}, env: map[string]string{"PYTHONPATH": "/opt/python"},
				layers: [][]string{{"python/a.pth=import evil", "python/sitecustomize.py", "python/usercustomize/__init__.py", "python/json.py", "python/csv.py", "python/sys.py"}},
			},
			[]string{"early-module /opt/python/json.py l1", "site-customize /opt/python/sitecustomize.py l1", "site-customize /opt/python/usercustomize/__init__.py l1"},
		},
		{
			"an unknown environment leaves it open",
			world{runtime: "python3.12", layers: [][]string{{"python/sitecustomize.py"}}},
			[]string{"site-customize /opt/python/sitecustomize.py l1 maybe"},
		},
		{
			"PYTHONUSERBASE is a site directory",
			world{runtime: "python3.12", function: []string{}, env: map[string]string{"PYTHONUSERBASE": "/opt/u"}, layers: [][]string{{"u/lib/python3.12/site-packages/a.pth=import evil"}}},
			[]string{"pth-import /opt/u/lib/python3.12/site-packages/a.pth:1 l1"},
		},
		{
			"extensions and wrappers that fail",
			world{
				runtime: "nodejs20.x", function: []string{}, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"},
				layers: [][]string{{"extensions/plain", "extensions/gone -> /opt/nothing", "extensions/out -> /usr/bin/x"}},
			},
			[]string{"extension /opt/extensions/gone l1 fails", "extension /opt/extensions/out l1 maybe", "extension /opt/extensions/plain l1 fails", "exec-wrapper /opt/none nowhere fails"},
		},
		{
			"node options",
			world{
				runtime: "nodejs20.x", handler: "app.handler", function: []string{"app.js", "local.js"},
				env:    map[string]string{"NODE_OPTIONS": `--max-old-space-size=64 -r /opt/r.js --require="/opt/with space.js" --import file:///opt/i.mjs --require pkg --require ./local --import data:text/javascript,1 --require /opt/none.js`},
				layers: [][]string{{"r.js", "with space.js", "i.mjs", "nodejs/node_modules/pkg/index.js"}},
			},
			[]string{
				"node-require /opt/r.js l1", "node-require /opt/with space.js l1", "node-require /opt/i.mjs l1", "node-require /opt/nodejs/node_modules/pkg/index.js l1",
				"node-require /var/task/local.js function", "node-require data: function", "node-require /opt/none.js nowhere fails", "handler /var/task/app.js function",
			},
		},
		{
			"java agents",
			world{
				runtime: "java17", function: []string{}, env: map[string]string{"JAVA_TOOL_OPTIONS": "-Xmx64m '-javaagent:/opt/a b.jar=o' -agentpath:/opt/lib/n.so=x -agentlib:jdwp=y -XX:OnOutOfMemoryError=/opt/bin/x", "JDK_JAVA_OPTIONS": "-javaagent:/opt/c.jar"},
				layers: [][]string{{"a b.jar", "lib/n.so", "c.jar", "bin/x*"}},
			},
			[]string{"java-agent /opt/c.jar l1", "java-agent /opt/a b.jar l1", "native-agent /opt/lib/n.so l1", "native-agent libjdwp.so elsewhere maybe", "jvm-command /opt/bin/x l1 maybe"},
		},
		{
			"ruby",
			world{runtime: "ruby3.3", function: []string{}, env: map[string]string{"RUBYOPT": "-W0 -r/opt/r.rb -r acme"}, layers: [][]string{{"r.rb", "ruby/lib/acme.rb", "ruby/lib/json.rb"}}},
			[]string{"ruby-require /opt/r.rb l1", "ruby-require /opt/ruby/lib/acme.rb l1", "early-module /opt/ruby/lib/json.rb l1 maybe"},
		},
		{
			"dotnet",
			world{runtime: "dotnet8", function: []string{}, env: map[string]string{"DOTNET_STARTUP_HOOKS": "/opt/h.dll:Hook", "CORECLR_ENABLE_PROFILING": "1", "CORECLR_PROFILER_PATH": "/opt/p.so"}, layers: [][]string{{"h.dll", "p.so"}}},
			[]string{"profiler /opt/p.so l1", "startup-hook /opt/h.dll l1", "startup-hook Hook nowhere"},
		},
		{
			"provided takes the layers' bootstrap, and no wrapper",
			world{runtime: "provided.al2023", function: []string{"main"}, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, layers: [][]string{{"bootstrap*", "wrap*"}}},
			[]string{"bootstrap /opt/bootstrap l1"},
		},
		{
			"provided where the function was not given",
			world{runtime: "provided.al2023", layers: [][]string{{"bootstrap*"}}},
			[]string{"bootstrap /opt/bootstrap l1 maybe"},
		},
		{
			"an unknown runtime has extensions all the same, and the rest is open",
			world{layers: [][]string{{"extensions/a*", "bootstrap*", "python/a.pth=import x", "python/lib/python3.9/site-packages/b.pth=import x"}}},
			[]string{"extension /opt/extensions/a l1", "bootstrap /opt/bootstrap l1 maybe", "pth-import /opt/python/a.pth l1 maybe", "pth-import /opt/python/lib/python3.9/site-packages/b.pth l1 maybe"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, steps(tt.w.view())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithWrapper(t *testing.T) {
	w := world{
		runtime: "nodejs22.x", handler: "app.handler", function: []string{"app.js"},
		env:    map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "NODE_OPTIONS": "--require /opt/mine.js"},
		layers: [][]string{{"wrap*", "hook.js", "mine.js", "a.so", "extensions/e*", "other/x/index.js"}},
	}
	v := w.view()
	want := []string{"extension /opt/extensions/e l1", "exec-wrapper /opt/wrap l1", "node-require /opt/mine.js l1", "handler /var/task/app.js function"}
	if diff := cmp.Diff(want, steps(v)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	with := v.WithWrapper(map[string]string{"NODE_OPTIONS": "${NODE_OPTIONS} --require /opt/hook.js", "LD_PRELOAD": "/opt/a.so", "NODE_PATH": "/opt/other:$NODE_PATH"})
	want = []string{
		"extension /opt/extensions/e l1", "exec-wrapper /opt/wrap l1", "preload /opt/a.so l1",
		"node-require /opt/mine.js l1", "node-require /opt/hook.js l1", "handler /var/task/app.js function",
	}
	if diff := cmp.Diff(want, steps(with)); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	if r := with.Resolve("x"); r.Path != "/opt/other/x/index.js" {
		t.Errorf("x: %+v", r)
	}
	if diff := cmp.Diff(4, len(steps(v))); diff != "" {
		t.Error("the first view changed")
	}
	w.runtime = "provided.al2023"
	if v := w.view(); v.WithWrapper(map[string]string{"A": "b"}) != v {
		t.Error("an OS-only runtime starts no wrapper")
	}
}

func TestInit_eleventh_extension(t *testing.T) {
	var files []string
	for i := range 12 {
		files = append(files, fmt.Sprintf("extensions/e%02d*", i))
	}
	got := steps(world{layers: [][]string{files}}.view())
	if len(got) != 12 || strings.Contains(got[9], "maybe") || !strings.Contains(got[10], "maybe") {
		t.Errorf("got %q", got)
	}
}

func TestVariables(t *testing.T) {
	v := world{runtime: "python3.12", env: map[string]string{"HTTPS_PROXY": "http://user:pass@proxy.invalid", "NODE_OPTIONS": "-r x", "PYTHONSTARTUP": "x", "STAGE": "prod"}}.view()
	var got []string
	for _, x := range v.Variables() {
		got = append(got, fmt.Sprint(x.Key, " ", x.Effect, " ", x.Works))
	}
	if diff := cmp.Diff([]string{"HTTPS_PROXY routes true", "NODE_OPTIONS runs false", "PYTHONSTARTUP inert false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCovers(t *testing.T) {
	v := world{
		runtime: "python3.12", env: map[string]string{}, function: []string{"own.py"},
		layers: [][]string{{"python/boto3/__init__.py", "python/json.py", "python/csv.py", "python/own.py", "python/fine.py", "python/lib/x", "python/fine-1.0.dist-info/RECORD", "python/twice.py", "python/over.py=1", "python/same.py"}, {"python/lib/python3.12/site-packages/twice.py", "python/over.py=2", "python/same.py"}},
	}.view()
	var got []string
	for _, r := range v.Covers() {
		var others []string
		for _, o := range r.Others {
			others = append(others, origin(o.From))
		}
		got = append(got, fmt.Sprintf("%s %s over %s", r.Name, origin(r.From), strings.Join(others, ",")))
	}
	if diff := cmp.Diff([]string{"boto3 l1 over runtime", "csv l1 over library", "json library over l1", "over l2 over l1", "own function over l1", "twice l2 over l1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"boto3", "csv", "fine", "json", "over", "own", "same", "twice"}, v.Supplies()); diff != "" {
		t.Errorf("supplies (-want +got):\n%s", diff)
	}
}

func TestCovers_java(t *testing.T) {
	v := world{
		runtime: "java21", env: map[string]string{}, function: []string{"com/acme/Own.class", "lib/f.jar", "lib/f.jar!/com/acme/F.class", "lib/f.jar!/com/acme/F2.class"},
		layers: [][]string{
			{"java/lib/b.jar", "java/lib/b.jar!/com/acme/Two.class", "java/lib/b.jar!/com/acme/Own.class", "java/lib/b.jar!/com/acme/Alone.class", "java/lib/b.jar!/module-info.class", "java/lib/b.jar!/java/lang/String.class"},
			{"java/lib/a.jar", "java/lib/a.jar!/com/acme/Two.class", "java/lib/a.jar!/com/acme/F.class", "java/lib/a.jar!/module-info.class"},
		},
	}.view()
	var got []string
	for _, r := range v.Covers() {
		got = append(got, fmt.Sprintf("%s %s %s", r.Name, origin(r.From), r.Path))
	}
	want := []string{
		"com.acme.F function /var/task/lib/f.jar!/com/acme/F.class",
		"com.acme.Own function /var/task/com/acme/Own.class",
		"com.acme.Two l2 /opt/java/lib/a.jar!/com/acme/Two.class",
		"java.lang.String library ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	base := []string{"python/a.py=1", "python/gone.py", "bin/x*", "extensions/old*"}
	w := world{runtime: "python3.12", handler: "app.handler", function: []string{"app.py"}, env: map[string]string{}, layers: [][]string{base}}
	before := w.view()
	if d := opt.Diff(before, w.view()); len(d.Paths)+len(d.Imports)+len(d.Init) > 0 {
		t.Errorf("the same twice: %+v", d)
	}
	w.layers = [][]string{{"python/a.py=2", "bin/x", "extensions/new*", "python/boto3.py", "python/b.pth=import evil"}}
	lines := func(d opt.Difference) []string {
		var out []string
		for _, c := range d.Paths {
			out = append(out, fmt.Sprintf("path %s %s", c.Change, c.Path))
		}
		for _, c := range d.Imports {
			out = append(out, fmt.Sprintf("import %s %s", c.Change, c.Name))
		}
		for _, c := range d.Init {
			s := c.After
			if s == nil {
				s = c.Before
			}
			out = append(out, fmt.Sprintf("init %s %s", c.Change, s.Path))
		}
		return out
	}
	want := []string{
		"path changed /opt/bin/x", "path added /opt/extensions/new", "path removed /opt/extensions/old", "path changed /opt/python/a.py", "path added /opt/python/b.pth", "path added /opt/python/boto3.py", "path removed /opt/python/gone.py",
		"import changed a", "import changed boto3", "import removed gone",
		"init added /opt/extensions/new", "init removed /opt/extensions/old", "init added /opt/python/b.pth",
	}
	if diff := cmp.Diff(want, lines(opt.Diff(before, w.view()))); diff != "" {
		t.Errorf("a new version (-want +got):\n%s", diff)
	}

	// Another order of the same layers.
	w.layers = [][]string{{"python/a.py=1", "python/s.py"}, {"python/a.py=2", "python/s.py"}}
	in := opt.Input{Runtime: "python3.12", Function: []opt.File{}, Env: map[string]string{}}
	layer := func(name string, lines ...string) opt.Layer {
		l := opt.Layer{Name: name}
		for _, line := range lines {
			f, _ := file(line)
			l.Files = append(l.Files, f)
		}
		return l
	}
	x, y := layer("x.zip", "python/a.py=1", "python/s.py"), layer("y.zip", "python/a.py=2", "python/s.py")
	in.Layers = []opt.Layer{x, y}
	a := opt.New(in)
	in.Layers = []opt.Layer{y, x}
	d := opt.Diff(a, opt.New(in), "a", "nothing")
	if diff := cmp.Diff([]string{"path changed /opt/python/a.py", "path moved /opt/python/s.py", "import changed a", "import moved s"}, lines(d)); diff != "" {
		t.Errorf("another order (-want +got):\n%s", diff)
	}
	if c := d.Paths[0]; c.Before != "y.zip" || c.After != "x.zip" {
		t.Errorf("suppliers: %+v", c)
	}
}

// What a caller keeps of a text says the same as the text.
func TestReduce(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a.pth", "# c\nimport os; x = 1\n/opt/more\n\nsub \r\nimport\tb\n", "\nimport _\n/opt/more\n\nsub \r\nimport _\n\n"},
		{"x/package.json", `{"name":"x","main":"a.js","exports":{"./b":"./c","./a":null},"scripts":{"install":"x"}}`, `{"exports":{"./b":"./c","./a":null},"main":"a.js"}`},
		{"package.json", "{", "{"},
		{"package.json", "[1]", "{}"},
		{"package.json", "{}", "{}"},
		{"other.json", "{}", ""},
	} {
		got := opt.Reduce(tt.name, []byte(tt.text))
		if string(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestUnknown(t *testing.T) {
	if got := (world{runtime: "python3.12", handler: "a.b", env: map[string]string{}, function: []string{}}).view().Unknown(); len(got) != 0 {
		t.Errorf("everything given: %q", got)
	}
	if got := (world{}).view().Unknown(); len(got) != 4 {
		t.Errorf("nothing given: %q", got)
	}
}

// Whatever a layer holds, every question has an answer.
func FuzzView(f *testing.F) {
	f.Add("python/a.pth=import x\nb -> ../c\nc -> b\nextensions/e -> /opt/b", "PYTHONPATH=/opt/b:x:/opt/python\nNODE_OPTIONS=-r \"a\\\" --import=b", "acme.util", uint8(3))
	f.Add("a!/b\na\na/b\nnodejs/node_modules/x/package.json={\"main\":\"../../..\"}", "NODE_PATH=:/:.", "@x/../y", uint8(12))
	f.Add("deep -> deep/deep\ndeep/x", "LD_PRELOAD=:deep/deep x", "/opt/deep/x", uint8(20))
	f.Fuzz(func(t *testing.T, layer, env, name string, n uint8) {
		all := runtimes.All()
		w := world{runtime: all[int(n)%len(all)].ID, handler: name, env: map[string]string{}, function: []string{"app.py"}}
		lines := strings.Split(layer, "\n")
		w.layers = [][]string{lines, lines[:len(lines)/2]}
		for line := range strings.SplitSeq(env, "\n") {
			key, value, _ := strings.Cut(line, "=")
			w.env[key] = value
		}
		v := w.view()
		v.Resolve(name)
		v.ResolveFrom(name, "/opt/"+name)
		v.Follow(name)
		v.Lookup(name)
		v.Command(name)
		v.SharedObject(name)
		v.Init()
		v.Covers()
		v.Shadows()
		v.Mixed()
		v.Variables()
		v.Handler()
		if d := opt.Diff(v, v, name); len(d.Paths)+len(d.Imports)+len(d.Init) > 0 {
			t.Errorf("a view differs from itself: %+v", d)
		}
		w.reduced = true
		if diff := cmp.Diff(steps(v), steps(w.view())); diff != "" {
			t.Errorf("the same input, other steps:\n%s", diff)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	var in opt.Input
	for l := range 5 {
		layer := opt.Layer{Name: strconv.Itoa(l)}
		for i := range 3000 {
			layer.Files = append(layer.Files, opt.File{Path: fmt.Sprintf("python/pkg%d/sub%d/m%d.py", (i+l*200)/30, i%7, i), Mode: 0o644})
		}
		in.Layers = append(in.Layers, layer)
	}
	in.Runtime, in.Env, in.Function = "python3.12", map[string]string{}, []opt.File{}
	b.Run("merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			opt.New(in)
		}
	})
	v := opt.New(in)
	b.Run("shadows and mixed", func(b *testing.B) {
		for b.Loop() {
			v := opt.New(in)
			v.Shadows()
			v.Mixed()
		}
	})
	b.Run("covers", func(b *testing.B) {
		for b.Loop() {
			v.Covers()
		}
	})
	b.Run("resolve", func(b *testing.B) {
		for b.Loop() {
			v.Resolve("boto3")
		}
	})
	b.Run("init", func(b *testing.B) {
		for b.Loop() {
			v.Init()
		}
	})
}
