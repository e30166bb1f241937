package layerfs_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mutants are archives that were honest before some of their bytes changed, and the
// small ones of the zoo: what a reader makes of them is its own affair, and whatever
// it makes of them that we do not must be said.
var mutants = sync.OnceValue(func() [][]byte {
	link := rec{name: "bin/tool", body: "../python/ok.py", mode: 0o120777, stored: true}
	described := rec{name: "python/described.py", body: text}
	described.desc = new(descriptor(described, true, false))
	seeds := [][]byte{
		plain(ok, rec{name: "lib/"}, rec{name: "lib/data.json", body: strings.Repeat(`{"a": 1}`, 40)}, link),
		plain(described, ok, rec{name: "etc/stored", body: text, stored: true}),
		build("", false, end{comment: "a comment"}, ok, rec{name: "caf\u00e9", body: "x", comment: "c", extra: "\x55\x54\x05\x00\x01abcd"}),
		build("#!/usr/bin/env python3\n", false, end{}, ok, described),
		zip64(1, nil),
	}
	out := slices.Clone(seeds)
	for _, a := range zips() {
		if a.bulky() {
			continue // others read bombs to their end
		}
		if b := a.make(); len(b) < 1<<17 {
			out = append(out, b)
		}
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	fields := []byte{0, 1, 2, 4, 7, 8, 9, 0x10, 0x20, 0x2e, 0x2f, 0x5c, 0x7f, 0x80, 0xfe, 0xff}
	for i := range 4000 {
		b := bytes.Clone(seeds[i%len(seeds)])
		for range 1 + rnd.IntN(2) {
			at := rnd.IntN(len(b))
			if rnd.IntN(2) == 0 {
				// In a header rather than in content.
				sig := [][]byte{[]byte("PK\x03\x04"), []byte("PK\x01\x02"), []byte("PK\x05\x06"), []byte("PK\x07\x08")}[rnd.IntN(4)]
				if j := bytes.Index(b[at:], sig); j >= 0 {
					at = min(at+j+rnd.IntN(46), len(b)-1)
				}
			}
			switch rnd.IntN(8) {
			case 0:
				b = slices.Delete(b, at, at+1)
			case 1:
				b = slices.Insert(b, at, byte(rnd.IntN(256)))
			case 2:
				b[at] ^= 1 << rnd.IntN(8)
			default:
				b[at] = fields[rnd.IntN(len(fields))]
			}
		}
		out = append(out, b)
	}
	return out
})

// silent says whether nothing at all was said about the archive.
func (r *reading) silent() bool { return r.err == nil && r.kinds == nil && r.damaged == nil }

// contents is what a reader saw: the digest of each file by clean name.
type contents map[string]string

func (r *reading) contents() contents {
	c := contents{}
	for name, sum := range r.files {
		c[name] = hex.EncodeToString(sum[:])
	}
	return c
}

func differs(t *testing.T, what string, i int, data []byte, ours *reading, theirs contents) {
	t.Helper()
	if ours.silent() && !maps.Equal(ours.contents(), theirs) {
		t.Errorf("archive %d: %s reads\n%v\nwe read, and said nothing,\n%v\n%x", i, what, theirs, ours.contents(), data)
	}
}

// Wherever Go's reader reads something else, something was said.
func TestDifferential_go(t *testing.T) {
	quiet := 0
	for i, data := range mutants() {
		ours := read(data)
		if ours.silent() {
			quiet++
		}
		differs(t, "archive/zip", i, data, ours, goReads(data))
	}
	t.Logf("nothing was said about %d archives", quiet)
}

func goReads(data []byte) contents {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return contents{"": err.Error()}
	}
	c := contents{}
	for _, e := range z.File {
		if strings.HasSuffix(e.Name, "/") {
			continue
		}
		f, err := e.Open()
		if err != nil {
			c[path.Clean(e.Name)] = err.Error()
			continue
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		c[path.Clean(e.Name)] = hex.EncodeToString(h.Sum(nil))
		if err != nil {
			c[path.Clean(e.Name)] = err.Error()
		}
	}
	return c
}

// pythonReads prints what zipfile makes of each file named on standard input.
const pythonReads = `
import hashlib, json, posixpath, sys, zipfile
for name in sys.stdin.read().split("\n"):
    out = {}
    try:
        with zipfile.ZipFile(name) as z:
            for i in z.infolist():
                if i.is_dir():
                    continue
                try:
                    out[posixpath.normpath(i.filename)] = hashlib.sha256(z.read(i)).hexdigest()
                except Exception as e:
                    out[posixpath.normpath(i.filename)] = repr(e)
    except Exception as e:
        out[""] = repr(e)
    print(json.dumps(out), flush=True)
`

// Wherever Python's reader reads something else, something was said.
func TestDifferential_python(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	dir := t.TempDir()
	all := mutants()
	var names []string
	for i, data := range all {
		name := filepath.Join(dir, fmt.Sprintf("%05d.zip", i))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", pythonReads)
	cmd.Stdin = strings.NewReader(strings.Join(names, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("python3 does not run: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for i, data := range all {
		var theirs contents
		if err := d.Decode(&theirs); err != nil {
			t.Fatalf("archive %d: %v", i, err)
		}
		differs(t, "zipfile", i, data, read(data), theirs)
	}
}

// Wherever Info-ZIP's unzip writes something else, something was said.
func TestDifferential_unzip(t *testing.T) {
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		t.Skip("unzip is not installed")
	}
	tested := 0
	for i, data := range mutants() {
		ours := read(data)
		if !ours.silent() {
			continue // it may do as it likes
		}
		if tested++; tested > 400 {
			break
		}
		differs(t, "unzip", i, data, ours, unzipWrites(t, unzip, data))
	}
	t.Logf("%d archives", tested)
}

func unzipWrites(t *testing.T, unzip string, data []byte) contents {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "a.zip")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(dir, "out")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, unzip, "-qq", "-o", "-d", into, name)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	// 1 is a warning: what it warned of is written all the same.
	var status *exec.ExitError
	if out, err := cmd.CombinedOutput(); err != nil && !(errors.As(err, &status) && status.ExitCode() == 1) {
		return contents{"": fmt.Sprintf("%v: %s", err, out)}
	}
	c := contents{}
	err := filepath.WalkDir(into, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(into, p)
		if err != nil {
			return err
		}
		var b []byte
		if d.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			b = []byte(to)
		} else if b, err = os.ReadFile(p); err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		c[filepath.ToSlash(rel)] = hex.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
