package content_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// usage reads layers (layer1/…) and a function (function/…) and says how the
// function comes to each package.
func usage(t *testing.T, archive, runtime, handler string, env map[string]string) (map[string]content.Use, *content.Usage) {
	t.Helper()
	files := map[string][]layers.File{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		where, name, _ := strings.Cut(f.Name, "/")
		files[where] = append(files[where], layers.File{Name: name, Body: string(f.Data), Mode: 0o755})
	}
	read := func(name string) *content.Layer {
		z := layers.Zip(files[name]...)
		return content.Read(name, bytes.NewReader(z), int64(len(z)), content.Options{Imports: true})
	}
	s := &content.Scan{Function: &content.Function{Runtime: runtime, Handler: handler, Env: env}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "layer") {
			s.Layers = append(s.Layers, read(name))
		}
	}
	s.Function.Code = read("function")
	got := map[string]content.Use{}
	u := s.Usage()
	for i, l := range s.Layers {
		for j := range l.Packages() {
			if c := &l.Packages()[j]; u.Covers(c) {
				got[c.Name], _ = u.Of(i, c)
			}
		}
	}
	return got, u
}

func TestUsage(t *testing.T) {
	dist := func(layer, name, code, more string) string {
		p := "-- " + layer + "/python/" + name
		return p + "/__init__.py --\n" + code + p + "-1.0.dist-info/METADATA --\nMetadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n" + more +
			p + "-1.0.dist-info/top_level.txt --\n" + name + "\n"
	}
	npm := func(layer, name, code, more string) string {
		p := "-- " + layer + "/nodejs/node_modules/" + name
		return p + "/package.json --\n{\"name\":\"" + name + "\",\"version\":\"1.0.0\",\"main\":\"index.js\"" + more + "}\n" + p + "/index.js --\n" + code
	}
	for _, tt := range []struct {
		name, archive, runtime, handler string
		env                             map[string]string
		want                            map[string]content.Use
		doubts                          int
	}{
		{
			name:    "python",
			archive: "-- function/app.py --\nfrom a import x\n" + dist("layer1", "a", "import b\n", "") + dist("layer2", "b", "import json\n", "Requires-Dist: c\n") + dist("layer1", "c", "", "") + dist("layer2", "d", "", ""),
			runtime: "python3.12", handler: "app.handler",
			want: map[string]content.Use{"a": content.Used, "b": content.Transitive, "c": content.Declared, "d": content.Unreached},
		},
		{
			name:    "python computes a name",
			archive: "-- function/app.py --\nimport importlib, a, os\nimportlib.import_module(os.environ['PLUGIN'])\n" + dist("layer1", "a", "", "") + dist("layer1", "d", "", ""),
			runtime: "python3.12", handler: "app.handler", doubts: 1,
			want: map[string]content.Use{"a": content.Used, "d": content.Undecided},
		},
		{
			name:    "the runtime's SDK takes a layer's copy",
			archive: "-- function/app.py --\nimport boto3\n" + dist("layer1", "urllib3", "", "") + dist("layer1", "requests", "", ""),
			runtime: "python3.12", handler: "app.handler",
			want: map[string]content.Use{"urllib3": content.Transitive, "requests": content.Unreached},
		},
		{
			name:    "a pth file and an extension",
			archive: "-- function/app.py --\nx = 1\n" + dist("layer1", "a", "", "") + dist("layer1", "b", "", "") + "-- layer1/python/a.pth --\nimport a\n-- layer1/extensions/e --\n#!/usr/bin/env python3\nimport b\n",
			runtime: "python3.12", handler: "app.handler",
			want: map[string]content.Use{"a": content.Used, "b": content.Used},
		},
		{
			name:    "a shell script runs first",
			archive: "-- function/app.py --\nx = 1\n" + dist("layer1", "a", "", "") + "-- layer1/start --\n#!/bin/sh\nexec \"$@\"\n",
			runtime: "python3.12", handler: "app.handler", env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/start"}, doubts: 1,
			want: map[string]content.Use{"a": content.Undecided},
		},
		{
			name: "node",
			archive: "-- function/app.js --\nconst a = require('a');\nexports.handler = async () => import('e');\n" + npm("layer1", "a", "require('@s/b/lib')\n", "") +
				npm("layer1", "@s/b", "require('fs')\n", `,"dependencies":{"c":"1"}`) + "-- layer1/nodejs/node_modules/@s/b/lib.js --\nmodule.exports = 1\n" + npm("layer1", "c", "", "") + npm("layer1", "d", "", "") + npm("layer1", "e", "", ""),
			runtime: "nodejs20.x", handler: "app.handler",
			want: map[string]content.Use{"a": content.Used, "@s/b": content.Transitive, "c": content.Declared, "d": content.Unreached, "e": content.Used},
		},
		{
			name:    "node computes a name",
			archive: "-- function/app.js --\nrequire(process.env.X)\n" + npm("layer1", "d", "", ""),
			runtime: "nodejs20.x", handler: "app.handler", doubts: 1,
			want: map[string]content.Use{"d": content.Undecided},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, u := usage(t, tt.archive, tt.runtime, tt.handler, tt.env)
			if d := gocmp.Diff(tt.want, got); d != "" || len(u.Doubts) != tt.doubts || u.Unknown != "" {
				t.Errorf("doubts %q, unknown %q, -want +got:\n%s", u.Doubts, u.Unknown, d)
			}
		})
	}
}
