//go:build !unix

package vulndb

import (
	"errors"
	"io"
	"os"
)

// mapFile reads f: where there is no mmap, memory does as well.
func mapFile(f *os.File) ([]byte, func() error, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = errors.New("the file is too large to be a database")
	}
	return data, func() error { return nil }, err
}
