package vulndb

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
// fingerprint, and the ed25519 signature of signContext and the header, which
// has the SHA-256 of all that follows it. Keys are PEM files as OpenSSL writes
// them: PKCS#8 ("PRIVATE KEY") and PKIX ("PUBLIC KEY").
const (
	signMagic   = "LAMINASG"
	signSize    = len(signMagic) + fingerprint + ed25519.SignatureSize
	fingerprint = 16
	// signContext keeps the signature from meaning anything elsewhere.
	signContext = "lamina vulnerability database, header of schema 1\x00"
)

// ErrUnsigned is a database without a signature.
var ErrUnsigned = errors.New("the database is not signed")

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

// Sign returns the database data, as Build made it, with a signature.
func Sign(data []byte, key ed25519.PrivateKey) ([]byte, error) {
	db, err := New(data)
	if err != nil {
		return nil, err
	}
	if len(db.trailer) > 0 {
		return nil, errors.New("the database has a signature already")
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("the key has no public half")
	}
	sum := sha256.Sum256(pub)
	return bytes.Join([][]byte{
		data, []byte(signMagic), sum[:fingerprint], ed25519.Sign(key, append([]byte(signContext), db.header...)),
	}, nil), nil
}

// SignedBy is the fingerprint the signature names, "" without one. It proves
// nothing: see [DB.Verify].
func (db *DB) SignedBy() string {
	if len(db.trailer) != signSize || !bytes.HasPrefix(db.trailer, []byte(signMagic)) {
		return ""
	}
	return hex.EncodeToString(db.trailer[len(signMagic) : len(signMagic)+fingerprint])
}

// SHA256 is the hash of the content that the header promises.
func (db *DB) SHA256() string { return hex.EncodeToString(db.header[16:48]) }

// Verify reports whether key signed the database as it is, reading all of it.
// The error is ErrUnsigned if nobody did.
func (db *DB) Verify(key ed25519.PublicKey) error {
	if len(db.trailer) == 0 {
		return ErrUnsigned
	}
	by := db.SignedBy()
	switch {
	case by == "":
		return damaged("%d bytes after the end are no signature", len(db.trailer))
	case by != KeyID(key):
		return fmt.Errorf("the database is signed by key %s, not by %s", by, KeyID(key))
	case !ed25519.Verify(key, append([]byte(signContext), db.header...), db.trailer[signSize-ed25519.SignatureSize:]):
		return errors.New("the signature is not that of the database")
	}
	return db.checkSum()
}

func (db *DB) checkSum() error {
	if sum := sha256.Sum256(db.body); !bytes.Equal(sum[:], db.header[16:48]) {
		return damaged("the SHA-256 of the content is not that of the header")
	}
	return nil
}

// Check reads the whole database, every package and every advisory, and returns
// the first thing that is wrong.
func (db *DB) Check() error {
	if err := db.checkSum(); err != nil {
		return err
	}
	if len(db.trailer) > 0 && db.SignedBy() == "" {
		return damaged("%d bytes after the end are no signature", len(db.trailer))
	}
	return db.walk()
}
