package analyzers_test

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// Each analyzer's testdata/ID.txtar says in its first lines what it shows, and
// in lines of the form "runtime: python3.12", "handler: app.handler", "arch:
// arm64" and "env: NAME=VALUE" what is known of the function. Its files are
// entries of zips, in order, a name as often as it is to be listed: of the layer
// under zip/, of a second layer under layer2/, of the function under function/,
// of a baseline under baseline/, of artefacts of a registry under
// published/NAME.whl/ and published/NAME.tgz/; zip+x/ makes one executable, and
// zip+hex/ is written in hex digits. The last file has
// the findings, one a line. "AK IA" stands for the prefix of a key, which no
// file of this repository holds whole.
func TestGolden(t *testing.T) {
	for _, a := range analyzers.All {
		t.Run(a.ID, func(t *testing.T) {
			file := filepath.Join("testdata", a.ID+".txtar")
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range content.Judge([]content.Analyzer{a}, scanOf(sampleOf(ar))) {
				line, err := json.Marshal(f)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(append(line, '\n'))
			}
			golden := &ar.Files[len(ar.Files)-1]
			if os.Getenv("LAMINA_UPDATE") != "" {
				golden.Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := gocmp.Diff(string(golden.Data), got.String()); d != "" {
				t.Errorf("findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", d)
			}
		})
	}
}

// sampleOf reads a golden file's layers.
func sampleOf(ar *txtar.Archive) layers.Sample {
	s := layers.Sample{Env: map[string]string{}}
	for l := range strings.Lines(string(ar.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(l), ": ")
		switch key {
		case "runtime":
			s.Runtime = value
		case "handler":
			s.Handler = value
		case "arch":
			s.Arch = value
		case "env":
			name, v, _ := strings.Cut(value, "=")
			s.Env[name] = v
		}
	}
	files := map[string][]layers.File{}
	published := map[string][]layers.File{}
	for _, f := range ar.Files[:len(ar.Files)-1] {
		where, name, _ := strings.Cut(f.Name, "/")
		entry := layers.File{Name: name, Body: strings.ReplaceAll(string(f.Data), "AK IA", "AKIA")}
		if base, ok := strings.CutSuffix(where, "+x"); ok {
			where, entry.Mode = base, 0o755
		}
		if base, ok := strings.CutSuffix(where, "+hex"); ok {
			b, err := hex.DecodeString(strings.Join(strings.Fields(entry.Body), ""))
			if err != nil {
				panic(fmt.Sprintf("%s: %v", f.Name, err))
			}
			where, entry.Body = base, string(b)
		}
		if where == "published" {
			artefact, path, _ := strings.Cut(name, "/")
			published[artefact] = append(published[artefact], layers.File{Name: path, Body: entry.Body})
			continue
		}
		files[where] = append(files[where], entry)
	}
	for _, name := range slices.Sorted(maps.Keys(published)) {
		pack := layers.Zip
		if strings.HasSuffix(name, ".tgz") {
			pack = layers.Tgz
		}
		s.Published = append(s.Published, layers.Artefact{Name: name, Body: pack(published[name]...)})
	}
	s.Layers = [][]byte{layers.Zip(files["zip"]...)}
	if l := files["layer2"]; l != nil {
		s.Layers = append(s.Layers, layers.Zip(l...))
	}
	if f := files["function"]; f != nil {
		s.Function = layers.Zip(f...)
	}
	if b := files["baseline"]; b != nil {
		s.Baseline = layers.Zip(b...)
	}
	return s
}

func FuzzAll(f *testing.F) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for range 2 {
		if _, err := w.Create("a"); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	limits := layerfs.Limits{Compressed: 1 << 20, Inflated: 1 << 20, Entries: 50, Name: 100, Depth: 8}
	f.Fuzz(func(t *testing.T, data []byte) {
		findings, _ := content.Run(analyzers.All, "x.zip", bytes.NewReader(data), int64(len(data)), content.Options{Limits: limits})
		if len(findings) < len(analyzers.All) && (len(findings) != 1 || findings[0].Outcome != lamina.Unknown) {
			t.Errorf("%d analyzers, %d findings: one said nothing", len(analyzers.All), len(findings))
		}
	})
}
