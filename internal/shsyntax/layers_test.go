package shsyntax_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lamina-sec/lamina/internal/shsyntax"
)

// The scripts of a real layer are read to their end; its wrapper hands over to
// its arguments and sets NODE_OPTIONS, and nothing sends secrets.
func TestParse_layers(t *testing.T) {
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		t.Skip("LAMINA_LAYERS names no folder with layers")
	}
	wrappers, scripts := 0, 0
	for _, name := range []string{"otel-extension", "datadog-node", "awscli-v1"} {
		z, err := zip.OpenReader(filepath.Join(dir, name+".zip"))
		if err != nil {
			t.Skipf("layer %s: %v", name, err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 64)
			n, _ := io.ReadFull(r, head) // a short file is one that is short
			head = head[:n]
			line, _, _ := bytes.Cut(head, []byte("\n"))
			if bytes.HasPrefix(line, []byte("#!")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte("sh")) {
				rest, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				facts := shsyntax.Parse(slices.Concat(head, rest))
				scripts++
				if facts.Error != "" || facts.Truncated || len(facts.Flows) > 0 || len(facts.Pipes) > 0 {
					t.Errorf("%s: %s %+v %+v", f.Name, facts.Error, facts.Flows, facts.Pipes)
				}
				if facts.Exec {
					wrappers++
					t.Logf("%s: %+v", f.Name, facts.Assigns)
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d scripts, %d wrappers", scripts, wrappers)
	if wrappers == 0 {
		t.Error("no wrapper was found")
	}
}
