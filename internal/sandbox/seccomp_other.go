//go:build linux && !amd64 && !arm64

package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// filter does only what comes before a filter: the numbers of calls differ from
// machine to machine.
func filter(bool) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	return errMissing
}
