package zipstore_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lamina-sec/lamina/internal/zipstore"
)

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(b[:])
}

func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "zips")
	s := zipstore.New(dir)
	if ok, err := s.Has(sum("a")); ok || err != nil {
		t.Errorf("before: %t, %v", ok, err)
	}
	if _, _, err := s.Open(sum("a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open what is not kept: %v", err)
	}
	for range 2 { // a second time changes nothing
		if err := s.Put(sum("a"), 1, strings.NewReader("a")); err != nil {
			t.Fatal(err)
		}
	}
	f, n, err := s.Open(sum("a"))
	if err != nil || n != 1 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	if b, err := io.ReadAll(io.NewSectionReader(f, 0, n)); string(b) != "a" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// Nothing is kept of a zip that is cut off, longer than stated, another one, or
// whose digest is none: neither the zip nor a part of it.
func TestPut_keeps_nothing_else(t *testing.T) {
	dir := t.TempDir()
	s := zipstore.New(dir)
	broken := errors.New("connection reset")
	for name, put := range map[string]func() error{
		"short":     func() error { return s.Put(sum("abc"), 3, strings.NewReader("ab")) },
		"long":      func() error { return s.Put(sum("abc"), 3, strings.NewReader("abcd")) },
		"other":     func() error { return s.Put(sum("abc"), 3, strings.NewReader("abd")) },
		"broken":    func() error { return s.Put(sum("abc"), 3, iotest.ErrReader(broken)) },
		"no digest": func() error { return s.Put("../../etc/passwd", 3, strings.NewReader("abc")) },
		"short sum": func() error { return s.Put("YWJj", 3, strings.NewReader("abc")) },
	} {
		if err := put(); err == nil {
			t.Errorf("%s: kept", name)
		}
		if list, err := os.ReadDir(dir); len(list) > 0 || err != nil {
			t.Errorf("%s: left %v, %v", name, list, err)
		}
	}
	if ok, err := s.Has("../x"); ok || err == nil {
		t.Error("a path is taken for a digest")
	}
}

// What was changed on disk is not given out.
func TestOpen_compares(t *testing.T) {
	dir := t.TempDir()
	s := zipstore.New(dir)
	if err := s.Put(sum("abc"), 3, strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	b := sha256.Sum256([]byte("abc"))
	if err := os.WriteFile(filepath.Join(dir, hex.EncodeToString(b[:])+".zip"), []byte("abd"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Open(sum("abc")); !errors.Is(err, zipstore.ErrChanged) {
		t.Errorf("open: %v", err)
	}
}

// A store in memory keeps and refuses the same.
func TestMemory(t *testing.T) {
	var m zipstore.Memory
	if _, _, err := m.Open(sum("abc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	if err := m.Put(sum("abc"), 3, strings.NewReader("abd")); !errors.Is(err, zipstore.ErrChanged) {
		t.Errorf("another zip: %v", err)
	}
	if ok, err := m.Has(sum("abc")); ok || err != nil {
		t.Errorf("it kept another zip: %t, %v", ok, err)
	}
	if err := m.Put(sum("abc"), 3, strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	z, n, err := m.Open(sum("abc"))
	if err != nil || n != 3 || z.Close() != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
