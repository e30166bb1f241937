package vulndb_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/vulndb"
)

func TestFetch(t *testing.T) {
	body, etag, asked := "first", `"1"`, 0
	mux := http.NewServeMux()
	mux.HandleFunc("/PyPI/all.zip", func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(body))
	})
	mux.HandleFunc("/none", http.NotFound)
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("short"))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/..%2f..%2fevil", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	s := httptest.NewServer(mux)
	defer s.Close()
	dir := t.TempDir()
	fetch := func(path string) (vulndb.Fetched, error) {
		return vulndb.Fetch(t.Context(), s.Client(), s.URL+path, dir, 1<<20, nil)
	}
	want := func(text string, changed bool) {
		t.Helper()
		got, err := fetch("/PyPI/all.zip")
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(got.Path)
		if err != nil || string(data) != text || got.Changed != changed || got.Size != int64(len(text)) {
			t.Errorf("got %q, changed %v, size %d (%v), want %q, %v", data, got.Changed, got.Size, err, text, changed)
		}
		if !strings.HasSuffix(got.Path, "PyPI/all.zip") {
			t.Errorf("the file is called %s", got.Path)
		}
	}
	want("first", true)
	want("first", false)
	body, etag = "second", `"2"`
	want("second", true)
	want("second", false)
	// A file that somebody changed is fetched again.
	got, err := fetch("/PyPI/all.zip")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(got.Path, []byte("forged"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("second", true)
	if asked != 6 {
		t.Errorf("the server was asked %d times", asked)
	}

	for path, reason := range map[string]string{
		"/none": "404", "/cut": "unexpected EOF", "/endless": "above the limit", "/loop": "five redirects",
	} {
		if got, err := fetch(path); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: got %v, %v", path, got, err)
		}
	}
	if _, err := vulndb.Fetch(t.Context(), s.Client(), "file:///etc/passwd", dir, 1, nil); err == nil {
		t.Error("file: is fetched")
	}
	_, err = vulndb.Fetch(t.Context(), s.Client(), strings.Replace(s.URL, "http://", "http://me:hush@", 1)+"/none", dir, 1, nil)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the error shows the password: %v", err)
	}
	// Nothing half written is left, and nothing outside the folder.
	err = fsWalk(dir, func(name string) {
		if strings.Contains(name, ".lamina-") {
			t.Errorf("%s is left", name)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// A redirect from https to http is refused: somebody on the way could answer.
func TestFetch_keeps_https(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }))
	defer plain.Close()
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer s.Close()
	if _, err := vulndb.Fetch(t.Context(), s.Client(), s.URL+"/all.zip", t.TempDir(), 100, nil); err == nil || !strings.Contains(err.Error(), "https to http") {
		t.Errorf("got %v", err)
	}
}

// fsWalk calls see for every file under dir.
func fsWalk(dir string, see func(string)) error {
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		see(name)
		return err
	})
}
