//go:build unix

package layerfs_test

import (
	"syscall"
	"time"
)

// cpu is the CPU time that the process used until now.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
