// Command fetchlayers brings the real layers that tests and benchmarks read, by
// pinned version, into the folder LAMINA_LAYERS (default .cache/layers): one zip
// each, under our own name, and the schema of SARIF beside them. It asks the npm and pip clients, runs no script of any
// package, checks each zip against the digest in the table, and leaves a zip that
// is already there and right as it is. Nothing it brings belongs into the
// repository.
//
//	LAMINA_LAYERS=DIR go run ./internal/tools/fetchlayers [-print] [NAME ...]
package main

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv("LAMINA_LAYERS"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fetchlayers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, dir string, out io.Writer) error {
	f := flag.NewFlagSet("fetchlayers", flag.ContinueOnError)
	show := f.Bool("print", false, "print the digests that were found and accept them")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir = cmp.Or(dir, filepath.Join(".cache", "layers"))
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // what it brings is public
		return err
	}
	for _, name := range f.Args() {
		if !slices.ContainsFunc(layers, func(l layer) bool { return l.Name == name }) {
			return fmt.Errorf("no layer %q in the table", name)
		}
	}
	var errs []error
	for _, l := range layers {
		if f.NArg() > 0 && !slices.Contains(f.Args(), l.Name) {
			continue
		}
		to := filepath.Join(dir, cmp.Or(l.As, l.Name+".zip"))
		sum, err := fetch(ctx, l, to, *show)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", l.Name, err))
		default:
			_, err := fmt.Fprintf(out, "%s  %s\n", sum, to)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// fetch makes sure that the layer's zip is at to, and returns its digest.
func fetch(ctx context.Context, l layer, to string, accept bool) (string, error) {
	if sum, err := digest(to); err == nil && (sum == l.SHA256 || accept) {
		return sum, nil
	}
	work, err := os.MkdirTemp("", "fetchlayers")
	if err != nil {
		return "", err
	}
	made := filepath.Join(work, "made.zip")
	err = l.make(ctx, work, made)
	sum := ""
	if err == nil {
		sum, err = digest(made)
	}
	if err == nil && sum != l.SHA256 && !accept {
		err = fmt.Errorf("the zip has the digest %s, and the table says %q: something that was pinned has changed", sum, l.SHA256)
	}
	if err == nil {
		err = place(made, to)
	}
	return sum, errors.Join(err, os.RemoveAll(work))
}

// make writes the layer's zip to the file made, working below the folder work.
func (l layer) make(ctx context.Context, work, made string) error {
	root := filepath.Join(work, "root")
	switch {
	case l.Pack != "":
		if err := client(ctx, work, "npm", "pack", "--ignore-scripts", "--silent", l.Pack); err != nil {
			return err
		}
		packed, err := filepath.Glob(filepath.Join(work, "*.tgz"))
		if err != nil || len(packed) != 1 {
			return fmt.Errorf("npm pack left %d packages, want 1: %w", len(packed), err)
		}
		return member(packed[0], "package/"+l.Member, made)
	case l.Node != nil:
		prefix := filepath.Join(root, "nodejs")
		if err := os.MkdirAll(prefix, 0o755); err != nil { //nolint:gosec // what it brings is public
			return err
		}
		args := []string{
			"install", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
			"--omit-lockfile-registry-resolved", "--before=" + before,
		}
		if err := client(ctx, prefix, "npm", slices.Concat(args, l.Flags, l.Node)...); err != nil {
			return err
		}
	default:
		args := []string{
			"-m", "pip", "install", "--quiet", "--target", filepath.Join(root, "python"), "--no-deps", "--no-compile",
			"--platform", "manylinux2014_x86_64", "--implementation", "cp", "--python-version", "3.12", "--only-binary=:all:",
		}
		if err := client(ctx, work, "python3", slices.Concat(args, l.Python)...); err != nil {
			return err
		}
	}
	return archive(root, made)
}

// client runs one of the two package clients.
func client(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // npm or python3, with what the table says
	c.Dir = dir
	if b, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(string(b)))
	}
	return nil
}

// archive zips a folder so that the same files give the same bytes.
func archive(root, made string) (err error) {
	f, err := os.Create(made) //nolint:gosec // a file of this program's own folders
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(z, root, name, d)
	})
	return errors.Join(err, z.Close())
}

func add(z *zip.Writer, root, name string, d fs.DirEntry) error {
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if d.Type()&fs.ModeSymlink != 0 {
		h.SetMode(fs.ModeSymlink | 0o777)
		text, err := os.Readlink(name)
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, text)
		return err
	}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	r, err := os.Open(name) //nolint:gosec // a file of this program's own folders
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

// place moves the file from to the file to, which may be on another volume.
func place(from, to string) error {
	r, err := os.Open(from) //nolint:gosec // a file of this program's own folders
	if err != nil {
		return err
	}
	w, err := os.Create(to + ".part") //nolint:gosec // a file of this program's own folders
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, w.Close(), r.Close()); err != nil {
		return err
	}
	return os.Rename(to+".part", to) //nolint:gosec // a file of this program's own folders
}

func digest(name string) (string, error) {
	f, err := os.Open(name) //nolint:gosec // a file of this program's own folders
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}
