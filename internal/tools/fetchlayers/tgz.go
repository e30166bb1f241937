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
	f, err := os.Open(tgz)
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
		w, err := os.Create(to)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		_, err = io.Copy(w, t) // the package's digest is checked by npm
		return errors.Join(err, w.Close(), f.Close())
	}
}
