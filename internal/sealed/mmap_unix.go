//go:build unix

package sealed

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps f for reading. What is mapped stays after f is closed.
func mapFile(f *os.File) ([]byte, func() error, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, nil, errors.New("not a regular file")
	case info.Size() == 0:
		return nil, nil, errors.New("the file is empty")
	case info.Size() > MaxSize:
		return nil, nil, errors.New("the file is larger than one of these can be")
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
