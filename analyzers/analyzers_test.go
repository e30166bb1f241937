package analyzers_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Each analyzer's testdata/ID.txtar holds the entries of a zip under zip/, in
// order, a name as often as it is to be listed, and the findings, one a line.
// "AK IA" in an entry stands for the prefix of a key, which no file of this
// repository holds whole.
func TestGolden(t *testing.T) {
	for _, a := range analyzers.All {
		t.Run(a.ID, func(t *testing.T) {
			file := filepath.Join("testdata", a.ID+".txtar")
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for _, f := range ar.Files {
				name, ok := strings.CutPrefix(f.Name, "zip/")
				if !ok {
					continue
				}
				e, err := w.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(e, strings.ReplaceAll(string(f.Data), "AK IA", "AKIA")); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			findings, skipped := content.Run([]content.Analyzer{a}, "layer.zip", bytes.NewReader(b.Bytes()), int64(b.Len()), content.Options{})
			if skipped != nil {
				t.Fatal(skipped)
			}
			var got strings.Builder
			for _, f := range findings {
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
			if d := cmp.Diff(string(golden.Data), got.String()); d != "" {
				t.Errorf("findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", d)
			}
		})
	}
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
		if len(findings) < len(analyzers.All) {
			t.Errorf("%d analyzers, %d findings: one said nothing", len(analyzers.All), len(findings))
		}
	})
}
