// Package layers builds layer zips for tests, for the evaluation and for the
// demo: attacks, three variants of each with one obfuscated, and clean layers
// that use the same mechanisms honestly.
//
// Every attack is inert: it is built here from text and never run, it names
// hosts below .invalid only, which no resolver answers (RFC 6761), and what
// looks like a secret is put together from parts and belongs to nobody. The
// samples know the analyzers by id only; which technique each stands for is
// numbered as in the catalogue of techniques (docs/evaluation.md).
package layers

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// A Sample is what one scan is given, and what must come of it.
type Sample struct {
	// Name is unique: "T4/python/plain".
	Name string
	// Technique is "T1" to "T27", "" for a clean sample.
	Technique string
	// Obfuscated says that the sample hides what it does.
	Obfuscated bool
	// Layers are zips in the order of the function, Function its package or nil.
	Layers   [][]byte
	Function []byte
	// Baseline is an earlier version of the first layer, or nil.
	Baseline []byte
	// Published are artefacts of registries that the layers are compared with.
	Published []Artefact
	Runtime   string
	Handler   string
	Arch      string
	Env       map[string]string
	// Want are analyzers of which one must fail the sample, at medium or above.
	Want []string
}

// A File is one entry of a zip.
type File struct {
	Name string
	Body string
	Mode fs.FileMode // 0 means 0644
}

// Zip packs files in the order given, with fixed times. It panics on a name
// that no zip can have, since names here are constants.
func Zip(files ...File) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}
		mode := f.Mode
		if mode == 0 {
			mode = 0o644
		}
		h.SetMode(mode)
		e, err := w.CreateHeader(h)
		if err == nil {
			_, err = e.Write([]byte(f.Body))
		}
		if err != nil {
			panic(fmt.Sprintf("zip %s: %v", f.Name, err))
		}
	}
	if err := w.Close(); err != nil {
		panic(fmt.Sprintf("zip: %v", err))
	}
	return b.Bytes()
}

// All are the samples, attacks first, sorted by technique and name.
func All() []Sample {
	var all []Sample
	for _, group := range [][]Sample{running(), searching(), behaving(), packing(), registry(), leaking(), startDetours(), searchDetours(), codeDetours(), fileDetours(), clean(), honest()} {
		all = append(all, group...)
	}
	slices.SortStableFunc(all, func(a, b Sample) int { return number(a.Technique) - number(b.Technique) })
	return all
}

// number orders techniques as people count, clean samples last.
func number(technique string) int {
	n := 0
	if _, err := fmt.Sscanf(technique, "T%d", &n); err != nil {
		return 1000
	}
	return n
}

// one is a sample of one layer.
func one(name, runtime string, want []string, files ...File) Sample {
	technique, _, _ := strings.Cut(name, "/")
	if !strings.HasPrefix(technique, "T") {
		technique = ""
	}
	return Sample{
		Name: name, Technique: technique, Obfuscated: strings.Contains(name, "/obfuscated"),
		Layers: [][]byte{Zip(files...)}, Runtime: runtime, Want: want,
	}
}

// with adds environment variables, "NAME=VALUE".
func (s Sample) with(env ...string) Sample {
	s.Env = map[string]string{}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		s.Env[k] = v
	}
	return s
}

// calls adds the function's package and handler.
func (s Sample) calls(handler string, files ...File) Sample {
	s.Handler, s.Function = handler, Zip(files...)
	return s
}

func ids(s ...string) []string { return s }

const (
	py   = "python3.12"
	node = "nodejs20.x"
	// sink is where attacks send what they take: nowhere.
	sink = "collect.example.invalid"
)
