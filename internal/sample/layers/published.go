package layers

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
)

// An Artefact is a file as a registry would have it.
type Artefact struct {
	Name string
	Body []byte
}

// Tgz packs files in the order given, with fixed times. It panics on a name that
// no tar can have, since names here are constants.
func Tgz(files ...File) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Body)), ModTime: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = w.Write([]byte(f.Body))
		}
		if err != nil {
			panic(fmt.Sprintf("tar %s: %v", f.Name, err))
		}
	}
	if err := w.Close(); err != nil {
		panic(fmt.Sprintf("tar: %v", err))
	}
	if err := z.Close(); err != nil {
		panic(fmt.Sprintf("gzip: %v", err))
	}
	return b.Bytes()
}

// withRegistry adds what the registry published.
func (s Sample) withRegistry(artefacts ...Artefact) Sample {
	s.Published = artefacts
	return s
}

// publishedWheel is the wheel that the honest files of a package came in.
func publishedWheel(name, version string, shipped map[string]string) Artefact {
	var files []File
	for _, f := range wheel(name, version, shipped, nil) {
		files = append(files, File{strings.TrimPrefix(f.Name, site), f.Body, 0})
	}
	return Artefact{name + "-" + version + "-py3-none-any.whl", Zip(files...)}
}

// registry are layers whose own metadata says that nothing was changed, and what
// the registry published of the packages in them.
func registry() []Sample {
	module := map[string]string{"acmelib/__init__.py": "x = 1\n", "acmelib/api.py": "def get(u):\n    return u\n"}
	forged := map[string]string{"acmelib/__init__.py": "x = 1\n", "acmelib/api.py": "def get(u):\n    return u + '?from=" + sink + "'\n"}
	added := map[string]string{"acmelib/__init__.py": module["acmelib/__init__.py"], "acmelib/api.py": module["acmelib/api.py"], "acmelib/_compat.py": "import os\n"}
	acme := publishedWheel("acmelib", "1.0", module)

	// The subtle one: no code is changed or added, and another file of the package
	// is what require() loads.
	const main = `{"name":"left","version":"1.0.0","main":"index.js"}`
	npm := Artefact{"left-1.0.0.tgz", Tgz(File{"package/package.json", main, 0}, File{"package/index.js", "module.exports = s => s;\n", 0}, File{"package/bench.js", "exports.run = () => 1;\n", 0})}
	left := func(manifest string) []File {
		const dir = "nodejs/node_modules/left/"
		return []File{{dir + "bench.js", "exports.run = () => 1;\n", 0}, {dir + "index.js", "module.exports = s => s;\n", 0}, {dir + "package.json", manifest, 0}}
	}

	public := map[string]string{"botlib/__init__.py": "x = 1\n", "botlib/example.json": `{"key": "` + AccessKeyID() + `"}`}
	honest := append(wheel("botlib", "1.0", public, nil),
		File{site + "botlib-1.0.dist-info/INSTALLER", "pip\n", 0}, File{site + "botlib-1.0.dist-info/REQUESTED", "", 0},
		File{site + "botlib/__pycache__/__init__.cpython-312.pyc", pyc(0, 1767323046, 6), 0})
	return []Sample{
		one("T15/python/record-forged", py, ids("registry-mismatch"), wheel("acmelib", "1.0", forged, nil)...).withRegistry(acme),
		one("T15/python/record-added", py, ids("registry-unlisted"), wheel("acmelib", "1.0", added, nil)...).withRegistry(acme),
		one("T15/node/main-moved", node, ids("registry-mismatch"), left(strings.Replace(main, "index.js", "bench.js", 1))...).withRegistry(npm),
		one("clean/python/published", py, nil, honest...).withRegistry(publishedWheel("botlib", "1.0", public)),
		one("clean/node/old-npm", node, nil, left(`{"_id":"left@1.0.0","_where":"/build","name":"left","version":"1.0.0","main":"index.js"}`)...).withRegistry(npm),
	}
}
