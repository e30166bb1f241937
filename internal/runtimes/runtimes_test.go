package runtimes_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

func runtime(t *testing.T, id string) runtimes.Runtime {
	t.Helper()
	r, ok := runtimes.ByID(id)
	if !ok {
		t.Fatalf("no runtime %s", id)
	}
	return r
}

func TestByID(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range runtimes.All() {
		got := runtime(t, r.ID)
		if got != r || seen[r.ID] {
			t.Errorf("%s: got %+v, want %+v once", r.ID, got, r)
		}
		seen[r.ID] = true
		if (r.Family == runtimes.Provided || r.Family == runtimes.Go) && r.Wrapper {
			t.Errorf("%s: wrapper scripts are not supported there", r.ID)
		}
	}
	if _, ok := runtimes.ByID("python4.0"); ok {
		t.Error("python4.0 exists")
	}
}

func TestModules(t *testing.T) {
	for _, tt := range []struct {
		id, name                          string
		stdlib, builtin, preloaded, ships bool
	}{
		{"python3.12", "json", true, false, true, false},
		{"python3.12", "csv", true, false, false, false},
		{"python3.12", "sys", true, true, true, false},
		{"python3.12", "os", true, true, true, false},
		{"python3.9", "os", true, false, true, false},
		{"python3.9", "distutils", true, false, false, false},
		{"python3.12", "distutils", false, false, false, false},
		{"python3.14", "annotationlib", true, false, false, false},
		{"python3.12", "tomllib", true, false, false, false},
		{"python3.10", "tomllib", false, false, false, false},
		{"python3.12", "boto3", false, false, false, true},
		{"python3.12", "requests", false, false, false, false},
		{"python3.12", "jso", false, false, false, false},
		{"python3.12", "json csv", false, false, false, false},
		{"python3.12", "", false, false, false, false},
		{"nodejs20.x", "fs", true, true, false, false},
		{"nodejs20.x", "node:fs", true, true, false, false},
		{"nodejs20.x", "test", false, false, false, false},
		{"nodejs20.x", "node:test", true, true, false, false},
		{"nodejs20.x", "node:sqlite", false, false, false, false},
		{"nodejs22.x", "node:sqlite", true, true, false, false},
		{"nodejs16.x", "aws-sdk", false, false, false, true},
		{"nodejs18.x", "aws-sdk", false, false, false, false},
		{"nodejs18.x", "@aws-sdk/client-s3", false, false, false, true},
		{"ruby3.3", "csv", true, false, false, false},
		{"ruby3.4", "csv", false, false, false, false},
		{"ruby3.3", "net/http", true, false, false, false},
		{"ruby3.3", "aws-sdk-s3", false, false, false, true},
		{"java17", "java.util.List", true, true, false, false},
		{"java17", "com.amazonaws.services.lambda.runtime.Context", false, false, false, true},
		{"java17", "com.example.Handler", false, false, false, false},
		{"java17", "javax.servlet.Servlet", false, false, false, false},
		{"java17", "javax.crypto.Cipher", true, true, false, false},
		{"java17", "javax.xml.bind.JAXB", false, false, false, false},
		{"java8.al2", "javax.xml.bind.JAXB", true, true, false, false},
		{"java17", "com.sun.mail.smtp.SMTPTransport", false, false, false, false},
		{"dotnet8", "System.Text.Json", true, false, false, false},
		{"provided.al2023", "libc", false, false, false, false},
	} {
		r := runtime(t, tt.id)
		ships, _ := r.Ships(tt.name)
		got := [4]bool{r.Stdlib(tt.name), r.Builtin(tt.name), r.Preloaded(tt.name), ships}
		want := [4]bool{tt.stdlib, tt.builtin, tt.preloaded, tt.ships}
		if got != want {
			t.Errorf("%s %q: got stdlib, builtin, preloaded, ships %v, want %v", tt.id, tt.name, got, want)
		}
	}
}

// The orders are those of bootstrap.py of 3.10 and of 3.11 and later.
func TestPythonPath(t *testing.T) {
	for _, tt := range []struct {
		id, pythonpath string
		set            bool
		path, sites    string
	}{
		{
			"python3.10", "", false,
			"/var/task /opt/python/lib/python3.10/site-packages /opt/python /var/runtime /var/lang/lib/python3.10 /var/lang/lib/python3.10/lib-dynload /var/lang/lib/python3.10/site-packages",
			"/var/task /opt/python/lib/python3.10/site-packages /opt/python",
		},
		{
			"python3.11", "", false,
			"/var/task /opt/python/lib/python3.11/site-packages /opt/python /var/lang/lib/python3.11/site-packages /var/runtime /var/lang/lib/python3.11 /var/lang/lib/python3.11/lib-dynload",
			"/var/task /opt/python/lib/python3.11/site-packages /opt/python",
		},
		{
			"python3.12", "/opt/x::/opt/y", true,
			"/var/task /var/runtime /opt/x /opt/y /var/lang/lib/python3.12 /var/lang/lib/python3.12/lib-dynload /var/lang/lib/python3.12/site-packages",
			"/var/task",
		},
		{
			"python3.12", "", true,
			"/var/task /var/runtime /var/lang/lib/python3.12 /var/lang/lib/python3.12/lib-dynload /var/lang/lib/python3.12/site-packages",
			"/var/task",
		},
	} {
		path, sites := runtime(t, tt.id).PythonPath(tt.pythonpath, tt.set)
		if diff := cmp.Diff(tt.path, strings.Join(path, " ")); diff != "" {
			t.Errorf("%s PYTHONPATH=%q: path (-want +got):\n%s", tt.id, tt.pythonpath, diff)
		}
		if diff := cmp.Diff(tt.sites, strings.Join(sites, " ")); diff != "" {
			t.Errorf("%s PYTHONPATH=%q: sites (-want +got):\n%s", tt.id, tt.pythonpath, diff)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ id, key, want string }{
		{"nodejs18.x", "NODE_PATH", "/opt/nodejs/node18/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"},
		{"ruby3.2", "GEM_PATH", "/var/task/vendor/bundle/ruby/3.2.0:/opt/ruby/gems/3.2.0:/var/runtime:/var/runtime/ruby/3.2.0"},
		{"python3.12", "PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
		{"python3.12", "NODE_PATH", ""},
	} {
		got := ""
		for _, s := range runtime(t, tt.id).Environment() {
			if s.Key == tt.key {
				got = s.Value
			}
		}
		if got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.id, tt.key, got, tt.want)
		}
	}
	// Whatever of a layer is on PATH or LD_LIBRARY_PATH is last: it fills gaps and
	// hides nothing.
	for _, r := range runtimes.All() {
		for _, s := range r.Environment() {
			if (s.Key == "PATH" || s.Key == "LD_LIBRARY_PATH") && !strings.HasSuffix(s.Value, ":"+runtimes.Opt+map[string]string{"PATH": "/bin", "LD_LIBRARY_PATH": "/lib"}[s.Key]) {
				t.Errorf("%s: %s=%s does not end in the layers' directory", r.ID, s.Key, s.Value)
			}
		}
	}
}

func TestLoaders(t *testing.T) {
	all := runtimes.Loaders()
	if !slices.IsSortedFunc(all, func(a, b runtimes.Loader) int { return strings.Compare(a.Key, b.Key) }) {
		t.Error("loaders are not sorted")
	}
	for _, l := range all {
		if got, ok := runtimes.LoaderByKey(l.Key); !ok || got.Key != l.Key {
			t.Errorf("%s is not found", l.Key)
		}
		if runtimes.Reserved(l.Key) {
			t.Errorf("%s is reserved: no configuration can set it", l.Key)
		}
		if l.Does == "" || l.Source == "" {
			t.Errorf("%s: say what it does and where that is written", l.Key)
		}
	}
	for _, tt := range []struct {
		key, id string
		want    bool
	}{
		{"AWS_LAMBDA_EXEC_WRAPPER", "python3.12", true},
		{"AWS_LAMBDA_EXEC_WRAPPER", "provided.al2023", false},
		{"NODE_OPTIONS", "nodejs20.x", true},
		{"NODE_OPTIONS", "python3.12", false},
		{"PYTHONSTARTUP", "python3.12", false},
		{"LD_PRELOAD", "provided.al2", true},
		{"JDK_JAVA_OPTIONS", "java8.al2", false},
	} {
		l, _ := runtimes.LoaderByKey(tt.key)
		if got := l.In(runtime(t, tt.id)); got != tt.want {
			t.Errorf("%s in %s: got %v, want %v", tt.key, tt.id, got, tt.want)
		}
	}
	if _, ok := runtimes.LoaderByKey("HOME"); ok {
		t.Error("HOME loads something")
	}
}
