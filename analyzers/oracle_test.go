package analyzers_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// A layer of which only the JavaScript that can matter was parsed has the findings
// of the same layer with all of it parsed, over every sample and, with
// LAMINA_LAYERS, every real layer.
func TestSkipped_scripts_would_say_nothing(t *testing.T) {
	zips := map[string][]byte{}
	for _, sample := range layers.All() {
		for i, data := range sample.Layers {
			zips[fmt.Sprintf("%s layer %d", sample.Name, i+1)] = data
		}
	}
	if dir := os.Getenv("LAMINA_LAYERS"); dir != "" {
		if err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(name) == ".zip" {
				zips[name], err = os.ReadFile(filepath.Join(dir, name))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range zips {
		t.Run(name, func(t *testing.T) {
			judge := func(imports bool) (all []lamina.Finding) {
				l := content.Read(name, bytes.NewReader(data), int64(len(data)), content.Options{Imports: imports})
				for _, f := range content.Judge(analyzers.All, &content.Scan{Layers: []*content.Layer{l}}) {
					if f.Outcome == lamina.Fail {
						all = append(all, f)
					}
				}
				return all
			}
			if d := cmp.Diff(judge(true), judge(false)); d != "" {
				t.Errorf("all parsed (-), what matters parsed (+):\n%s", d)
			}
		})
	}
}
