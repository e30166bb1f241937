//go:build unix

package content

import (
	"fmt"
	"os"
	"syscall"
)

// private is an error if somebody else than the user can write the file or folder,
// or if it is a link, which somebody else may have put there.
func private(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s is neither a file nor a folder", path)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written by other users", path)
	}
	return nil
}
