package vulndb_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/sealed"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

// keys are a pair of ed25519 keys in PEM.
func keys(t *testing.T) (private, public []byte) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
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
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: a}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b})
}

func TestSign(t *testing.T) {
	private, public := keys(t)
	_, other := keys(t)
	key, err := sealed.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := sealed.ParsePublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := sealed.ParsePublicKey(other)
	if err != nil {
		t.Fatal(err)
	}
	plain := small(t)
	signed, err := vulndb.Sign(plain, key)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := vulndb.Sign(plain, key); err != nil || !bytes.Equal(signed, again) {
		t.Errorf("signed twice, two files: %v", err)
	}
	name := filepath.Join(t.TempDir(), "sub", "lamina.db")
	if err := vulndb.Install(name, signed); err != nil {
		t.Fatal(err)
	}
	db, err := vulndb.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // read only
	if err := errors.Join(db.Verify(pub), db.Check()); err != nil {
		t.Error(err)
	}
	if db.SignedBy() != sealed.KeyID(pub) || db.Verify(wrong) == nil {
		t.Error("the key of somebody else verifies it")
	}
	if len(db.Lookup("PyPI", "acme", "1.0")) == 0 {
		t.Error("nothing is found in a signed database")
	}
	if _, err := vulndb.Sign(signed, key); err == nil {
		t.Error("signed what is signed")
	}
	unsigned, err := vulndb.New(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := unsigned.Verify(pub); !errors.Is(err, sealed.ErrUnsigned) {
		t.Errorf("got %v", err)
	}
	// No byte can be changed, also where the checksums are made right again.
	for i := range signed {
		data := bytes.Clone(signed)
		data[i] ^= 1
		vulndb.Reseal(data)
		db, err := vulndb.New(data)
		if err == nil && db.Verify(pub) == nil && !bytes.Equal(data, signed) {
			t.Fatalf("byte %d changed, and the signature holds", i)
		}
	}
	// The trailer of one database does not fit another.
	b := vulndb.NewBuilder()
	b.Add("r.json", []byte(record("Z-1", "PyPI", "z", `"versions":["1"]`)))
	data, err := b.Build(built)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := vulndb.New(append(data, signed[len(plain):]...))
	if err != nil {
		t.Fatal(err)
	}
	if moved.Verify(pub) == nil {
		t.Error("a signature moved to another database holds")
	}
}

func TestOpen_wrong_files(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("hello"), "cut": small(t)[:200]} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vulndb.Open(file); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := vulndb.Open(dir); err == nil {
		t.Error("a folder is a database")
	}
	if _, err := vulndb.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
