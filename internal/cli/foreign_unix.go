//go:build unix

package cli

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign reports whether somebody else than the user may read or write the file.
func foreign(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o077 != 0 || ok && int(s.Uid) != os.Geteuid()
}
