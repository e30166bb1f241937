package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// confine sets the limits that macOS keeps to. It has none on memory that Go's
// runtime could live with.
func confine(req request) ([]string, error) {
	err := limit(req, map[int]uint64{unix.RLIMIT_NPROC: 1}) // it starts none: the limit is below what the user already has
	if err != nil {
		return nil, err
	}
	return []string{"limits of CPU time, files and processes"}, nil
}

func program() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return name, nil
}

// attributes put the child into a process group of its own: an interrupt from the
// keyboard is the parent's, which stops the child.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
