package iac

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// What the AWS CDK synthesizes is templates and a manifest that says which of
// them are stacks, where they go, and which line of the program made a resource
// (https://docs.aws.amazon.com/cdk/v2/guide/configure-synth.html).

// isAssembly reports whether a document is a manifest of the CDK.
func isAssembly(v value) bool {
	return v.get("artifacts").kind == object && v.get("version").kind == text
}

// assembly adds the templates of a synthesized application to b.
func (r *reader) assembly(dir string, level int) {
	manifest := path.Join(dir, "manifest.json")
	data, err := r.read(manifest)
	var v value
	if err == nil {
		v, err = readDocument(r.display(manifest), data)
	}
	if err == nil && !isAssembly(v) {
		err = errors.New("it is no manifest of the CDK")
	}
	if err != nil {
		r.skip(manifest, err)
		return
	}
	r.b.kinds["CDK"] = true
	r.b.files = append(r.b.files, r.display(manifest))
	read := map[string]bool{}
	artifacts := v.get("artifacts")
	for _, id := range artifacts.names() {
		a := artifacts.fields[id]
		properties := a.get("properties")
		switch a.get("type").text {
		case "aws:cloudformation:stack":
			file := path.Join(dir, properties.get("templateFile").text)
			if read[file] || !fs.ValidPath(file) || !strings.HasPrefix(file, dir+"/") {
				continue
			}
			read[file] = true
			r.stack(file, a.get("environment").text, r.traces(dir, a))
		case "cdk:cloud-assembly":
			if inner := path.Join(dir, properties.get("directoryName").text); level < maxLevels && strings.HasPrefix(inner, dir+"/") {
				r.assembly(inner, level+1)
			}
		}
	}
	entries, err := fs.ReadDir(r.root, dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if file := path.Join(dir, e.Name()); strings.HasSuffix(e.Name(), ".nested.template.json") && e.Type().IsRegular() && !read[file] {
			r.stack(file, "", nil)
		}
	}
}

// stack reads a template that the CDK made. environment is aws://ACCOUNT/REGION.
func (r *reader) stack(file, environment string, traces map[string]lamina.Origin) {
	data, err := r.read(file)
	var v value
	if err == nil {
		v, err = readDocument(r.display(file), data)
	}
	if err == nil && !isTemplate(v) {
		err = errors.New("it has no Resources")
	}
	if err != nil {
		r.skip(file, err)
		return
	}
	r.b.files = append(r.b.files, r.display(file))
	t := newTemplate(r.b, r.display(file), v)
	t.traces = traces
	t.beside = r.beside(path.Dir(file))
	if account, region, ok := strings.Cut(strings.TrimPrefix(environment, "aws://"), "/"); ok && len(account) == 12 {
		t.account, t.region = account, region
		r.b.settle(account, region)
	}
	t.read()
}

// frame is a place in a stack trace of JavaScript, Python or Java.
var frame = regexp.MustCompile(`([^\s()"]+\.(?:ts|js|mjs|cts|mts|py|java|cs|go))(?:", line |:)([0-9]+)`)

// traces are the places in the program that made the resources of a stack, by
// logical id: of a trace the first frame that is a file of the project.
func (r *reader) traces(dir string, artifact value) map[string]lamina.Origin {
	out := map[string]lamina.Origin{}
	metadata := artifact.get("metadata")
	if file := artifact.get("additionalMetadataFile").text; metadata.kind == absent && file != "" && fs.ValidPath(path.Join(dir, file)) {
		if data, err := r.read(path.Join(dir, file)); err == nil {
			if v, err := readDocument(file, data); err == nil {
				metadata = v
			}
		}
	}
	for _, construct := range metadata.names() {
		for _, entry := range metadata.fields[construct].items {
			id := entry.get("data").text
			if entry.get("type").text != "aws:cdk:logicalId" || id == "" {
				continue
			}
			for _, line := range entry.get("trace").texts() {
				if at, ok := r.frame(path.Dir(dir), line); ok {
					out[id] = at
					break
				}
			}
		}
	}
	return out
}

// frame is the place in a line of a trace, when it is a file of the project: the
// longest end of its path that is there.
func (r *reader) frame(project, line string) (lamina.Origin, bool) {
	m := frame.FindStringSubmatch(line)
	if m == nil || strings.Contains(m[1], "node_modules/") || strings.Contains(m[1], "site-packages/") {
		return lamina.Origin{}, false
	}
	n, err := strconv.Atoi(m[2])
	parts := slices.DeleteFunc(strings.Split(strings.ReplaceAll(m[1], `\`, "/"), "/"), func(s string) bool { return s == "" || s == "." || s == ".." })
	if err != nil || len(parts) > 64 {
		return lamina.Origin{}, false
	}
	for i := range parts {
		name := path.Join(project, path.Join(parts[i:]...))
		if info, err := fs.Stat(r.root, name); err == nil && info.Mode().IsRegular() {
			return lamina.Origin{File: r.display(name), Line: n}, true
		}
	}
	return lamina.Origin{}, false
}
