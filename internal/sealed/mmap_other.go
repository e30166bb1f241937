//go:build !unix

package sealed

import (
	"errors"
	"io"
	"os"
)

// mapFile reads f: where there is no mmap, memory does as well.
func mapFile(f *os.File) ([]byte, func() error, error) {
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err == nil && len(data) > MaxSize {
		err = errors.New("the file is larger than one of these can be")
	}
	return data, func() error { return nil }, err
}
