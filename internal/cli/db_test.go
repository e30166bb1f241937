package cli

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A mirror serves bodies by path, with the hash of each as its ETag.
type mirror struct {
	files map[string][]byte
	sent  atomic.Int32 // bodies, not answers
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, ok := m.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	m.sent.Add(1)
	_, _ = w.Write(data)
}

// export is an archive as osv.dev makes them.
func export(t *testing.T, ecosystem string, fixed ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, v := range fixed {
		w, err := z.Create(fmt.Sprintf("X-%d.json", i))
		if err == nil {
			_, err = fmt.Fprintf(w, `{"id":"%s-%d","modified":"2026-06-0%dT00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":"acme"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
				ecosystem, i, i+1, ecosystem, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// laminaIn runs a command line in dir.
func laminaIn(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	std, o, e := stdio(t)
	std.Dir = dir
	std.Env = func(name string) string { return map[string]string{"XDG_DATA_HOME": filepath.Join(dir, "data")}[name] }
	code = Main(t.Context(), args, std)
	return code, o.String(), e.String()
}

func TestDB_update(t *testing.T) {
	m := &mirror{files: map[string][]byte{"/osv/PyPI/all.zip": export(t, "PyPI", "1.5"), "/osv/npm/all.zip": export(t, "npm", "2.0.0")}}
	s := httptest.NewServer(m)
	defer s.Close()
	dir := t.TempDir()
	update := func(wantCode int, wantOut string, sent int32, args ...string) {
		t.Helper()
		m.sent.Store(0)
		code, out, errs := laminaIn(t, dir, append([]string{"db", "update"}, args...)...)
		if code != wantCode || !strings.HasPrefix(out, wantOut) || m.sent.Load() != sent {
			t.Fatalf("%v: exit %d, %d bodies, want %d, %d\n%s%s", args, code, m.sent.Load(), wantCode, sent, out, errs)
		}
	}
	found := func(args string, want int) {
		t.Helper()
		if code, out, errs := laminaIn(t, dir, append([]string{"db", "lookup", "--fail-on", "medium"}, strings.Fields(args)...)...); code != want {
			t.Errorf("lookup %s: exit %d, want %d\n%s%s", args, code, want, out, errs)
		}
	}
	both := []string{"--from", s.URL + "/osv", "--ecosystem", "PyPI", "--ecosystem", "npm"}
	update(0, "built ", 2, both...)
	found("PyPI acme 1.4", 1)
	found("npm acme 1.4.0", 1)
	found("PyPI acme 1.5", 0)
	update(0, "unchanged ", 0, both...)
	m.files["/osv/PyPI/all.zip"] = export(t, "PyPI", "1.5", "1.6")
	update(0, "built ", 1, both...)
	found("PyPI acme 1.5", 1)

	// When something fails the database is as it was.
	delete(m.files, "/osv/npm/all.zip")
	update(4, "", 0, both...)
	m.files["/osv/npm/all.zip"] = []byte("no archive")
	update(2, "", 1, both...)
	found("npm acme 1.4.0", 1)

	// The file has nothing of the place it came from but the last two parts.
	data, err := os.ReadFile(filepath.Join(dir, "data", "lamina", "lamina.db"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(dir)) || bytes.Contains(data, []byte("127.0.0.1")) || !bytes.Contains(data, []byte(`"PyPI/all.zip"`)) {
		t.Error("the sources of the database are not named as they should be")
	}
	leftovers(t, dir)
}

func leftovers(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// One builds and signs, others fetch what he built and believe nobody else.
func TestDB_signed(t *testing.T) {
	dir := t.TempDir()
	pair := func(name string) {
		t.Helper()
		pub, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		for file, block := range map[string]*pem.Block{name + ".pem": {Type: "PRIVATE" + " KEY", Bytes: a}, name + ".pub": {Type: "PUBLIC KEY", Bytes: b}} {
			if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	pair("ours")
	pair("theirs")
	if err := os.WriteFile(filepath.Join(dir, "all.zip"), export(t, "PyPI", "1.5"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := laminaIn(t, dir, append([]string{"db"}, args...)...)
		if code != want {
			t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, out, errs)
		}
		return out + errs
	}
	run(0, "build", "all.zip", "--sign", "ours.pem", "--db", "built.db")
	run(0, "verify", "--db", "built.db", "--verify", "ours.pub")
	run(1, "verify", "--db", "built.db", "--verify", "theirs.pub")
	run(2, "verify", "--db", "built.db", "--verify", "ours.pem")
	run(1, "lookup", "PyPI", "acme", "1.0", "--db", "built.db", "--verify", "ours.pub", "--fail-on", "medium")
	run(5, "lookup", "PyPI", "acme", "1.0", "--db", "built.db", "--verify", "theirs.pub")

	data, err := os.ReadFile(filepath.Join(dir, "built.db"))
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{files: map[string][]byte{"/lamina.db": data}}
	s := httptest.NewServer(m)
	defer s.Close()
	run(5, "update", "--from", s.URL+"/lamina.db", "--verify", "theirs.pub")
	run(3, "status")
	if out := run(0, "update", "--from", s.URL+"/lamina.db", "--verify", "ours.pub"); !strings.HasPrefix(out, "installed ") {
		t.Error(out)
	}
	if out := run(0, "update", "--from", s.URL+"/lamina.db", "--verify", "ours.pub"); !strings.HasPrefix(out, "unchanged ") {
		t.Error(out)
	}
	if out := run(0, "status", "--verify", "ours.pub"); !strings.Contains(out, ", verified") {
		t.Error(out)
	}
	// One byte of an advisory changed, in the file that is fetched.
	forged := bytes.Replace(bytes.Clone(data), []byte("PyPI-0"), []byte("PyPI-9"), 1)
	m.files["/lamina.db"] = forged
	run(2, "update", "--from", s.URL+"/lamina.db", "--verify", "ours.pub")
	run(0, "verify", "--verify", "ours.pub")
	leftovers(t, dir)
}
