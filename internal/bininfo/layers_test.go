package bininfo_test

import (
	"archive/zip"
	"io"
	"slices"
	"testing"
)

// eachFile gives every file of a zip that begins like an executable.
func eachFile(t *testing.T, name string, visit func(path string, b []byte)) {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close() //nolint:errcheck // only read
	for _, e := range z.File {
		if e.Mode().IsDir() || e.UncompressedSize64 < 1<<10 {
			continue
		}
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatal(err)
		}
		if string(head) == "\x7fELF" || string(head[:2]) == "MZ" || head[0] > 0xc0 {
			rest, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			visit(e.Name, slices.Concat(head, rest))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
