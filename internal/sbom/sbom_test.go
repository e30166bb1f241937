package sbom_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/sbom"
)

func TestPython(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	found, skipped := sbom.Python(fstest.MapFS{
		"python/acme_auth-1.2.dist-info/METADATA":                  file("Metadata-Version: 2.1\nName: Acme_Auth\nVersion: 1.2\n\nName: not me\n"),
		"python/lib/python3.12/site-packages/x.dist-info/METADATA": file("name:x.y\r\nversion: 0+local\r\n"),
		"python/empty-1.dist-info/METADATA":                        file("\nName: late\nVersion: 1\n"),
		"python/long-1.dist-info/METADATA":                         file("Summary: " + strings.Repeat("x", 1<<20)),
		"python/METADATA":                                          file("Name: none\nVersion: 1\n"),
	})
	var purls []string
	for _, c := range found {
		purls = append(purls, c.PURL())
	}
	if d := cmp.Diff([]string{"pkg:pypi/acme-auth@1.2", "pkg:pypi/x-y@0%2Blocal"}, purls); d != "" {
		t.Error(d)
	}
	if len(skipped) != 2 {
		t.Errorf("skipped %v, want the empty and the long one", skipped)
	}
}

func FuzzPython(f *testing.F) {
	f.Add([]byte("Name: a\nVersion: 1\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, skipped := sbom.Python(fstest.MapFS{"a.dist-info/METADATA": {Data: data}})
		if len(found)+len(skipped) != 1 {
			t.Errorf("one file in, %d found and %d skipped", len(found), len(skipped))
		}
	})
}
