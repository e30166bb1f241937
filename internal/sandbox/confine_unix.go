//go:build linux || darwin

package sandbox

import (
	"fmt"
	"maps"
	"math"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const supported = true

// limit sets the limits that all systems have, and more. At the limit of CPU time
// the system sends a signal, with which an honest child ends, and a second later
// it ends any.
func limit(req request, more map[int]uint64) error {
	late := make(chan os.Signal, 1)
	signal.Notify(late, unix.SIGXCPU)
	go func() {
		<-late
		os.Exit(exitCPU) //nolint:forbidigo // this process is the child, and its work does not stop
	}()
	all := map[int]uint64{
		unix.RLIMIT_CPU:    uint64(math.Ceil(req.Limits.CPU.Seconds())),
		unix.RLIMIT_NOFILE: uint64(req.Limits.Files), //nolint:gosec // checked by readRequest
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
	}
	maps.Copy(all, more)
	for what, n := range all {
		most := n
		if what == unix.RLIMIT_CPU {
			most++
		}
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: most}); err != nil {
			return fmt.Errorf("set limit %d to %d: %w", what, n, err)
		}
	}
	return nil
}

// keepOpenFiles keeps what this process was itself given open, by a shell say, from
// going to the child. Go does so with what it opens.
func keepOpenFiles() error {
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		return err
	}
	for _, e := range list {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// killed reports whether a signal ended the process.
func killed(s *os.ProcessState) bool {
	w, ok := s.Sys().(syscall.WaitStatus)
	return ok && w.Signaled()
}
