package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// member copies one file of a gzipped tar archive to the file to.
func member(tgz, name, to string) error {
	f, err := os.Open(tgz) //nolint:gosec // a file of this program's own folders
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return errors.Join(fmt.Errorf("%s is not in the package: %w", name, err), f.Close())
		}
		if h.Name != name {
			continue
		}
		w, err := os.Create(to) //nolint:gosec // a file of this program's own folders
		if err != nil {
			return errors.Join(err, f.Close())
		}
		_, err = io.Copy(w, t) //nolint:gosec // npm has checked the package's digest
		return errors.Join(err, w.Close(), f.Close())
	}
}
