package cli

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sizes of keys of fingerprints, in bytes of the file.
const (
	minKey = 32
	maxKey = 4096
)

// A fingerprintKey is the secret under which one credential in several places is
// told to be one (secret.Options.Key).
type fingerprintKey struct {
	key []byte
	// given says that the user named it: then fingerprints can be compared with
	// those of other runs and machines, and are shown.
	given bool
	// kept says that the next run will have it, too.
	kept bool
}

// fingerprintKey is the key of --hash-key; else the machine's own, which the
// first scan makes. Where it cannot be kept, or nothing is to be kept, it is one of
// this run.
func (a *app) fingerprintKey(keep bool) (fingerprintKey, error) {
	if name := a.conf.text("hash_key"); name != "" {
		data, err := readInput(a.path(name), maxKey)
		if err != nil {
			return fingerprintKey{}, a.missing(name, err)
		}
		key, err := parseKey(data)
		if err != nil {
			return fingerprintKey{}, usagef("openssl rand -hex 32 makes one", "%s: %v", name, err)
		}
		return fingerprintKey{key: key, given: true, kept: true}, nil
	}
	dir := a.stateDir()
	err := errors.New("HOME is not set")
	if dir != "" {
		var key []byte
		file := filepath.Join(dir, "fingerprint.key")
		if key, err = ownKey(file); errors.Is(err, fs.ErrNotExist) && keep {
			if err = makeKey(file); err == nil {
				key, err = ownKey(file)
			}
		}
		if err == nil {
			return fingerprintKey{key: key, kept: true}, nil
		}
	}
	if keep && a.flags.verbose {
		a.note("warning: no key of fingerprints was kept, so that nothing that was read is: %v", err)
	}
	key := make([]byte, minKey)
	_, _ = rand.Read(key) // it never fails
	return fingerprintKey{key: key}, nil
}

// stateDir is where what a user would miss and nobody else needs is kept, as the XDG
// base directory specification says; "" if there is no place.
func (a *app) stateDir() string {
	if dir := a.std.Env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lamina")
	}
	if home := a.std.Env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "lamina")
	}
	return ""
}

// parseKey is the key in the content of a file, without white space around it.
func parseKey(data []byte) ([]byte, error) {
	key := bytes.TrimSpace(data)
	if len(key) < minKey {
		return nil, fmt.Errorf("a key of %d characters: want %d or more", len(key), minKey)
	}
	return key, nil
}

// ownKey reads the machine's key, which nobody else may be able to read.
func ownKey(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", file)
	case foreign(info):
		return nil, fmt.Errorf("%s can be read by other users: remove it, and it is made again", file)
	}
	data, err := readInput(file, maxKey)
	if err != nil {
		return nil, err
	}
	return parseKey(data)
}

// makeKey writes a new key, unless there is one: of two runs that do it at the same
// time one wins.
func makeKey(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	key := make([]byte, minKey)
	_, _ = rand.Read(key) // it never fails
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		if err = os.Link(f.Name(), file); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(f.Name()))
}
