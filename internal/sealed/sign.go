package sealed

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// A signature is a trailer of 88 bytes: "LAMINASG", 16 bytes of the key's
// fingerprint, and the ed25519 signature of Format.Context and the header, which
// has the SHA-256 of all that follows it. Keys are PEM files as OpenSSL writes
// them: PKCS#8 ("PRIVATE KEY") and PKIX ("PUBLIC KEY").
const (
	signMagic   = "LAMINASG"
	signSize    = len(signMagic) + fingerprint + ed25519.SignatureSize
	fingerprint = 16
)

// ErrUnsigned is in the error about a file without a signature.
var ErrUnsigned = errors.New("not signed")

// ParsePrivateKey reads an ed25519 key in PEM, PKCS#8
// (openssl genpkey -algorithm ed25519). No error shows any of it.
func ParsePrivateKey(data []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("not a PEM file with a PRIVATE KEY")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the PRIVATE KEY is not PKCS#8")
	}
	k, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key is %T, not ed25519", key)
	}
	return k, nil
}

// ParsePublicKey reads an ed25519 key in PEM, PKIX (openssl pkey -pubout).
func ParsePublicKey(data []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("not a PEM file with a PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the PUBLIC KEY is not PKIX: %w", err)
	}
	k, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the key is %T, not ed25519", key)
	}
	return k, nil
}

// KeyID is the fingerprint of a key in hexadecimal: the first 16 bytes of the
// SHA-256 of its 32 bytes.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:fingerprint])
}

// Sign returns data, as Seal made it, with a signature.
func (f *Format) Sign(data []byte, key ed25519.PrivateKey) ([]byte, error) {
	x, err := f.New(data)
	if err != nil {
		return nil, err
	}
	if len(x.trailer) > 0 {
		return nil, fmt.Errorf("the %s has a signature already", f.Noun)
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("the key has no public half")
	}
	sum := sha256.Sum256(pub)
	return bytes.Join([][]byte{
		data, []byte(signMagic), sum[:fingerprint], ed25519.Sign(key, append([]byte(f.Context), x.header...)),
	}, nil), nil
}

// SignedBy is the fingerprint the signature names, "" without one. It proves
// nothing: see [File.Verify].
func (x *File) SignedBy() string {
	if len(x.trailer) != signSize || !bytes.HasPrefix(x.trailer, []byte(signMagic)) {
		return ""
	}
	return hex.EncodeToString(x.trailer[len(signMagic) : len(signMagic)+fingerprint])
}

// Verify reports whether key signed the file as it is, reading all of it.
func (x *File) Verify(key ed25519.PublicKey) error {
	if len(x.trailer) == 0 {
		return fmt.Errorf("the %s is %w", x.format.Noun, ErrUnsigned)
	}
	by := x.SignedBy()
	switch {
	case by == "":
		return x.Damaged("%d bytes after the end are no signature", len(x.trailer))
	case by != KeyID(key):
		return fmt.Errorf("the %s is signed by key %s, not by %s", x.format.Noun, by, KeyID(key))
	case !ed25519.Verify(key, append([]byte(x.format.Context), x.header...), x.trailer[signSize-ed25519.SignatureSize:]):
		return fmt.Errorf("the signature is not that of the %s", x.format.Noun)
	}
	return x.CheckSum()
}

// CheckSum reports whether the content is what the header promises, and what
// follows it a signature or nothing.
func (x *File) CheckSum() error {
	if sum := sha256.Sum256(x.body); !bytes.Equal(sum[:], x.header[16:48]) {
		return x.Damaged("the SHA-256 of the content is not that of the header")
	}
	if len(x.trailer) > 0 && x.SignedBy() == "" {
		return x.Damaged("%d bytes after the end are no signature", len(x.trailer))
	}
	return nil
}
