package sealed_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/sealed"
)

var format = sealed.Format{Magic: "LAMINATS", Schema: 7, Title: "test", Noun: "test file", Context: "test\x00"}

func TestFormat(t *testing.T) {
	parts := [sealed.Sections][]byte{[]byte("one"), nil, []byte("three"), sealed.PutString(sealed.PutInt(nil, 300), "four")}
	data, err := format.Seal(parts, 12)
	if err != nil {
		t.Fatal(err)
	}
	f, err := format.New(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range parts {
		if !bytes.Equal(f.Section(i), p) {
			t.Errorf("section %d is %q", i, f.Section(i))
		}
	}
	if f.Number() != 12 || f.Size() != len(data) || f.CheckSum() != nil {
		t.Errorf("number %d, %d bytes, %v", f.Number(), f.Size(), f.CheckSum())
	}
	c := f.Cursor(f.Section(3))
	if n, s := c.Uint(), c.Str(); n != 300 || s != "four" || c.Err != nil {
		t.Errorf("read %d %q %v", n, s, c.Err)
	}
	if c.Str() != "" || c.Err == nil || !strings.Contains(c.Err.Error(), "test file is damaged") {
		t.Errorf("behind the end: %v", c.Err)
	}
	other := format
	other.Magic = "LAMINADB"
	if _, err := other.New(data); err == nil {
		t.Error("a file of one format is one of another")
	}
	other = format
	other.Context = "other\x00"
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := other.Sign(data, key)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = format.New(signed); err != nil {
		t.Fatal(err)
	}
	if f.Verify(pub) == nil {
		t.Error("a signature of one kind of file holds for another")
	}
}

func FuzzFormat(f *testing.F) {
	data, err := format.Seal([sealed.Sections][]byte{[]byte("ab"), []byte("c")}, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		data = slices.Clone(data)
		for range 2 {
			if x, err := format.New(data); err == nil {
				for i := range sealed.Sections {
					for c := x.Cursor(x.Section(i)); c.Err == nil; {
						c.Str()
					}
				}
				_ = x.CheckSum()
				x.SignedBy()
			}
			format.Reseal(data)
		}
	})
}

func TestParseKey_wrong(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der})
	if der, err = x509.MarshalPKIXPublicKey(pub); err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err = x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "the_other_half": public, "text": []byte("hello"),
		"no_der":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: []byte("x")}),
		"another_curve": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der}),
	} {
		if _, err := sealed.ParsePrivateKey(data); err == nil {
			t.Errorf("%s is a private key", name)
		} else if len(data) > 0 && strings.Contains(err.Error(), string(data)) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if _, err := sealed.ParsePublicKey(private); err == nil {
		t.Error("a private key is a public key")
	}
}
