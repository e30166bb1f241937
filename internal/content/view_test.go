package content_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/sample/layers"
	"github.com/lamina-sec/lamina/internal/shsyntax"
)

func folder(t *testing.T, name string, files ...string) *content.Layer {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o755}
	}
	l := content.ReadDir(name, fsys, content.Options{})
	if l.Err != nil {
		t.Fatal(l.Err)
	}
	return l
}

// The view of a scan knows the layers' order, the function, the texts that decide
// what is loaded, and what the wrapper sets.
func TestScan_View(t *testing.T) {
	s := &content.Scan{
		Layers: []*content.Layer{
			folder(t, "one", "nodejs/node_modules/x/package.json", `{"main":"./lib.js"}`, "nodejs/node_modules/x/lib.js", "1", "wrap", "#!/bin/sh\nexport NODE_OPTIONS=--require=/opt/hook.js\nexec \"$@\"\n", "hook.js", ""),
			folder(t, "two", "nodejs/node_modules/x/lib.js", "2", "extensions/e", "#!/bin/sh\n"),
		},
		Function: &content.Function{
			Code: folder(t, "fn", "app.js", ""), Handler: "app.handler", Runtime: "nodejs22.x", Env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"},
		},
	}
	// What the shell engine says of the wrapper, whichever state it is in.
	s.Layers[0].File("wrap").Shell = &shsyntax.Facts{Assigns: []shsyntax.Assign{
		{Name: "NODE_OPTIONS", Value: "--require=/opt/hook.js", Export: true}, {Name: "LOCAL", Value: "x"},
	}}
	v := s.View()
	if r := v.Resolve("x"); r.Path != "/opt/nodejs/node_modules/x/lib.js" || r.From != (opt.Origin{Kind: opt.FromLayer, Layer: 2}) || r.Maybe != "" {
		t.Errorf("x: %+v", r)
	}
	var got []string
	for _, step := range v.Init() {
		got = append(got, string(step.What)+" "+step.Path)
	}
	want := []string{"extension /opt/extensions/e", "exec-wrapper /opt/wrap", "node-require /opt/hook.js", "handler /var/task/app.js"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if s.View() != v {
		t.Error("the view is made again")
	}
}

// What was not given leaves the view open; a layer that could not be opened is
// empty in it.
func TestScan_View_unknown(t *testing.T) {
	s := &content.Scan{Layers: []*content.Layer{content.Read("x.zip", strings.NewReader("no zip"), 6, content.Options{}), folder(t, "two", "python/a.pth", "import os\n")}}
	v := s.View()
	if len(v.Unknown()) != 4 || len(v.Files()) != 1 {
		t.Errorf("unknown %q, files %v", v.Unknown(), v.Files())
	}
	s = &content.Scan{Layers: s.Layers, Function: &content.Function{Runtime: "python3.12"}}
	steps := s.View().Init()
	if len(steps) != 1 || steps[0].Line != 1 || steps[0].From.Layer != 2 {
		t.Errorf("steps %+v", steps)
	}
}

// Every attack by place or environment that the samples know shows in the view of
// its scan; no clean sample replaces anything.
func TestScan_View_samples(t *testing.T) {
	step := func(what ...opt.What) func(*opt.View) bool {
		return func(v *opt.View) bool {
			return slices.ContainsFunc(v.Init(), func(s opt.Step) bool { return s.From.Kind == opt.FromLayer && slices.Contains(what, s.What) })
		}
	}
	covers := func(v *opt.View) bool {
		return slices.ContainsFunc(v.Covers(), func(r opt.Resolution) bool { return r.From.Kind == opt.FromLayer })
	}
	shows := map[string]func(*opt.View) bool{
		"T1": step(opt.Wrapper), "T2": step(opt.Extension), "T4": step(opt.PthImport), "T5": step(opt.SiteCustomize),
		"T6": covers, "T7": covers, "T8": covers, "T14": covers,
		"T9":  func(v *opt.View) bool { return len(v.Variables()) > 0 },
		"T10": func(v *opt.View) bool { return len(v.Ahead()) > 0 },
		"T11": step(opt.Bootstrap),
		"T12": func(v *opt.View) bool { return v.Handler().From.Kind == opt.FromLayer },
		"T13": covers,
	}
	for _, s := range layers.All() {
		want, ok := shows[s.Technique]
		if !ok && s.Technique != "" || slices.Contains(s.Want, "unresolved-start") {
			continue
		}
		switch s.Name {
		case "T13/java/service", "T13/java/own-service", "T13/java/versions", "T13/java/obfuscated-class-path", // not found by the name of a class that is loaded
			"T14/ruby/default-gem": // the view says that its version decides
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			scan := &content.Scan{Function: &content.Function{Runtime: s.Runtime, Handler: s.Handler, Architecture: s.Arch, Env: s.Env}}
			for _, z := range s.Layers {
				scan.Layers = append(scan.Layers, content.Read("layer.zip", bytes.NewReader(z), int64(len(z)), content.Options{}))
			}
			if s.Function != nil {
				scan.Function.Code = content.Read("fn.zip", bytes.NewReader(s.Function), int64(len(s.Function)), content.Options{})
			}
			v := scan.View()
			switch {
			case ok && !want(v):
				t.Errorf("nothing of it in %+v, %+v", v.Init(), v.Covers())
			case !ok && (len(v.Ahead()) > 0 || covers(v)):
				t.Errorf("a clean sample replaces %+v %+v", v.Ahead(), v.Covers())
			}
		})
	}
}
